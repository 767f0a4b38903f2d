"""The memory and time that each thing takes on a large graph, beyond the graph itself.

    python tests/campaigns/memory.py --nodes 1000000 --tasks explain evaluate

Each task has a process of its own. "graph" is what the process grew by as the graph was recorded; "more"
is how much higher it rose in the task (the peak), in MB and in graphs. A task that records its graph itself
(grad) is charged with it.
"""
from __future__ import annotations

import argparse
import copy
import os
import pickle
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import autograd_lite as ag  # noqa: E402
from autograd_lite import Value  # noqa: E402


def chain(x: Any, w: Any, nodes: int) -> Any:
    """A long computation whose numbers and gradients stay within bounds."""
    h = x
    for k in range(nodes // 5):
        h = h * w
        h = h + x
        h = ag.tanh(h) if k % 4 == 0 else h * 0.75
        h = h - w
        h = h * 0.5
    return h


def tasks(nodes: int) -> dict[str, tuple[bool, Callable[..., Any]]]:
    """Whether each is given a recorded graph (root, x, w), and what it does."""
    def f(x: Any) -> Any:
        return chain(x, 0.6, nodes)

    def pair(p: Any) -> Any:
        return chain(p[0], p[1], nodes)

    return {
        "build": (True, lambda y, x, w: None),
        "backward": (True, lambda y, x, w: y.backward()),
        "grad": (False, lambda: ag.grad(f)(0.7)),
        "grad, captured": (False, lambda: (lambda w: ag.grad(lambda x: chain(x, w, nodes))(0.7))(Value(0.6))),
        "value_and_grad": (False, lambda: ag.value_and_grad(pair)([0.7, 0.6])),
        "hvp": (False, lambda: ag.hvp(pair, ([0.7, 0.6],), ([1.0, 0.0],))),
        "jacobian": (False, lambda: ag.jacobian(lambda p: [pair(p), p[0] * p[1]])([0.7, 0.6])),
        "derivative": (False, lambda: ag.derivative(f)(0.7)),
        "check_gradients": (False, lambda: ag.check_gradients(pair, [0.7, 0.6])),
        "evaluate": (True, lambda y, x, w: ag.evaluate(y, {x: 0.8})),
        "evaluate, wrt": (True, lambda y, x, w: ag.evaluate(y, {x: 0.8}, wrt=x)),
        "explain": (True, lambda y, x, w: ag.explain(y)),
        "explain, by x": (True, lambda y, x, w: ag.explain(y, x)),
        "audit": (True, lambda y, x, w: ag.audit(y, {x: x.grad, w: w.grad})),
        "draw, folded": (True, lambda y, x, w: ag.draw(y)),
        "deepcopy": (True, lambda y, x, w: copy.deepcopy(y)),
        "pickle": (True, lambda y, x, w: pickle.dumps(y)),
    }


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def size() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2 ** 20


def measured(name: str, nodes: int) -> tuple[float, float, float]:
    """The MB of the graph, those that the task takes more, and the seconds."""
    given, act = tasks(nodes)[name]
    start = size()
    things = ()
    if given:
        x, w = Value(0.7, "x"), Value(0.6, "w")
        things = (chain(x, w, nodes), x, w)
    graph = size() - start
    top, begin = size(), time.process_time()
    act(*things)
    return graph, peak() - top, time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--tasks", nargs="*", default=list(tasks(0)))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(*measured(options.one, options.nodes))
        return
    graph = 0.0
    for name in options.tasks:
        found = subprocess.run([sys.executable, __file__, "--nodes", str(options.nodes), "--one", name],
                               capture_output=True, text=True, timeout=600)
        if found.returncode:
            print(f"{name:16} {found.stderr.strip().splitlines()[-1]}")
            continue
        own, more, seconds = map(float, found.stdout.split())
        graph = own or graph
        print(f"{name:16} graph {own:6.0f}  more {more:6.0f} MB  ({more / max(graph, 1.0):.1f} graphs)"
              f"  {seconds:6.2f} s", flush=True)


if __name__ == "__main__":
    main()
