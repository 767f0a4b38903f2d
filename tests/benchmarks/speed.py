"""One forward and backward of three programs, ours beside each peer's in one process.

The programs (see programs.py) are chains of scalar operations, 60,000 to 80,000 nodes each: `moons`, a
small classifier; `gpt`, a training step of a small language model; `chain`, a pendulum of 2,000 steps.
Each is timed with the garbage collector on and off; it collects before each timed run, so that no side
pays for the other's garbage. The two sides alternate, and each peer has a process of its own, since the
objects of a large import slow every collection. The last line is a long training with ours.

    python tests/benchmarks/speed.py [--runs 25] [--program NAME] [--peer NAME] [--page FILE …]
"""
from __future__ import annotations

import argparse
import gc
import importlib
import importlib.metadata
import json
import math
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from page import fill, table
from programs import PROGRAMS, SIZES, Program, points

Run = Callable[[], tuple[float, Sequence[float], Any]]    # value, gradient, and what holds the graph
Functions = dict[str, Callable[[Any], Any]]


class Missing(Exception):
    """What an engine lacks for a program."""


def meaning(program: Program, number: Callable[[float], Any], functions: Functions) -> Any:
    """An engine's number and functions, as a program asks for them."""
    missing = [name for name in program.needs if name not in functions]
    if missing:
        raise Missing(f"it has no {', '.join(missing)}")
    return SimpleNamespace(number=number, **functions)


# -- the engines --------------------------------------------------------------------------------


def value_engine(program: Program, Value: Any, functions: Functions) -> Run:
    """micrograd's way: numbers with `data`, `grad` and `backward`."""
    m = meaning(program, Value, functions)
    ps = [Value(x) for x in program.start]

    def run() -> tuple[float, list[float], Any]:
        for p in ps:
            p.grad = 0.0
        total = program.loss(ps, m)
        total.backward()
        return total.data, [p.grad for p in ps], total
    return run


ALL: Functions = {
    "cos": lambda v: v.cos(), "exp": lambda v: v.exp(), "log": lambda v: v.log(), "relu": lambda v: v.relu(),
    "sin": lambda v: v.sin(), "sqrt": lambda v: v.sqrt(), "tanh": lambda v: v.tanh()}


def ours(program: Program) -> Run:
    return value_engine(program, importlib.import_module("autograd_lite").Value, ALL)


def ours_nn(program: Program) -> Run:
    """With our `nn`: a neuron is one dot node."""
    if program is not PROGRAMS["moons"]:
        raise Missing("it is the same as without nn")
    ag = importlib.import_module("autograd_lite")
    nn = importlib.import_module("autograd_lite.nn")
    model = nn.MLP(SIZES[0], SIZES[1:])
    ps = model.parameters()
    for p, x in zip(ps, program.start):
        p.data = x
    inputs, targets = points()

    def run() -> tuple[float, list[float], Any]:
        model.zero_grad()
        losses = [(1 + -t * model(point)).relu() for point, t in zip(inputs, targets)]
        total = ag.sum(losses) * (1.0 / len(losses)) + 1e-4 * ag.dot(ps, ps)
        total.backward()
        return total.data, [p.grad for p in ps], total
    return run


def plain_class(program: Program) -> Run:
    return value_engine(program, importlib.import_module("plain").Plain, ALL)


def script_class(program: Program) -> Run:
    sys.setrecursionlimit(1_000_000)            # its walk, and the next three's, is recursive
    return value_engine(program, importlib.import_module("script").Script, ALL)


def micrograd(program: Program) -> Run:
    sys.setrecursionlimit(1_000_000)
    return value_engine(program, importlib.import_module("micrograd.engine").Value, {"relu": ALL["relu"]})


def omnigrad(program: Program) -> Run:
    sys.setrecursionlimit(1_000_000)
    return value_engine(program, importlib.import_module("omnigrad.diffengine").Value, {
        **ALL, "log": lambda v: v.ln(), "relu": lambda v: v.reLU()})


def tardigrad(program: Program) -> Run:
    sys.setrecursionlimit(1_000_000)
    return value_engine(program, importlib.import_module("tardigrad.value").Value, {
        "relu": ALL["relu"], "tanh": ALL["tanh"]})


def autoneuronet(program: Program) -> Run:
    if program is PROGRAMS["gpt"]:
        raise Missing("a number that the loss does not need stops the gradients of those it is made from")
    Var = importlib.import_module("autoneuronet").Var
    m = meaning(program, Var, {**ALL, "sqrt": lambda v: (v.log() * 0.5).exp()})
    ps = [Var(x) for x in program.start]

    def run() -> tuple[float, list[float], Any]:
        for p in ps:
            p.grad = 0.0
        total = program.loss(ps, m)
        total.grad = 1.0
        total.backward()
        return total.val, [p.grad for p in ps], total
    return run


def xad(program: Program) -> Run:
    tapes = importlib.import_module("xad.adj_1st")
    top = importlib.import_module("xad")
    functions = importlib.import_module("xad.math")
    m = meaning(program, tapes.Real, {
        **{name: getattr(functions, name) for name in ALL if name != "relu"},
        "relu": lambda v: functions.max(v, 0.0)})

    def run() -> tuple[float, list[float], Any]:
        ps = [tapes.Real(x) for x in program.start]          # a number serves one tape only
        with tapes.Tape() as tape:
            tape.registerInputs(ps)
            tape.newRecording()
            total = program.loss(ps, m)
            tape.registerOutput(total)
            total.setAdjoint(1.0)
            tape.computeAdjoints()
            return top.value(total), [top.derivative(p) for p in ps], (tape, total)
    return run


def hips_autograd(program: Program) -> Run:
    value_and_grad = importlib.import_module("autograd").value_and_grad
    np = importlib.import_module("autograd.numpy")
    m = meaning(program, float, {**{name: getattr(np, name) for name in ALL if name != "relu"},
                                 "relu": lambda v: np.maximum(v, 0.0)})
    start = np.array(program.start)             # (in a list, each use of a parameter would copy the list)
    both = value_and_grad(lambda ps: program.loss([ps[i] for i in range(len(start))], m))

    def run() -> tuple[float, list[float], Any]:
        value, gradient = both(start)
        return float(value), gradient.tolist(), None
    return run


def torch(program: Program) -> Run:
    t = importlib.import_module("torch")
    t.set_num_threads(1)
    m = meaning(program, lambda x: t.tensor(x, dtype=t.float64), {name: getattr(t, name) for name in ALL})
    ps = [t.tensor(x, dtype=t.float64, requires_grad=True) for x in program.start]

    def run() -> tuple[float, list[float], Any]:
        for p in ps:
            p.grad = None
        total = program.loss(ps, m)
        total.backward()
        return total.item(), [0.0 if p.grad is None else p.grad.item() for p in ps], total
    return run


PEERS: dict[str, Callable[[Program], Run]] = {
    "autograd_lite, nn": ours_nn, "plain class": plain_class, "script's class": script_class,
    "micrograd": micrograd, "omnigrad": omnigrad, "tardigrad": tardigrad, "autoneuronet (C++)": autoneuronet,
    "XAD (C++ tape)": xad, "PyTorch, 0-dim": torch, "HIPS autograd": hips_autograd}
PACKAGES = {"micrograd": "micrograd", "omnigrad": "omnigrad", "tardigrad": "tardigrad",
            "autoneuronet (C++)": "autoneuronet", "XAD (C++ tape)": "xad", "PyTorch, 0-dim": "torch",
            "HIPS autograd": "autograd"}
IN_SUMMARY = list(PEERS)[1:8]


# -- measuring ----------------------------------------------------------------------------------


def timed(run: Run, collector: bool) -> float:
    """The seconds of one run, after a collection."""
    gc.collect()
    if not collector:
        gc.disable()
    start = time.perf_counter()
    kept = run()                                             # so that no side frees its graph in time
    seconds = time.perf_counter() - start
    del kept
    gc.enable()
    return seconds


def compare(name: str, program: Program, runs: int) -> dict[str, Any]:
    """One peer's times and ours, in turn in this process, or why there are none.

    Times are (minimum, median) in ms, of ours and the peer's, with the collector on and off.
    """
    try:
        peer = PEERS[name](program)
        package = PACKAGES.get(name)
        version = importlib.metadata.version(package).partition("+")[0] if package else ""
    except (ImportError, Missing) as error:
        return {"peer": name, "left out": str(error)}
    sides = ours(program), peer
    (value, gradient, _), (other, gradients, _) = [run() for run in sides]
    differ = max(abs(a - b) / max(1.0, abs(b)) for a, b in zip([other, *gradients], [value, *gradient]))
    seconds: dict[tuple[bool, int], list[float]] = {(on, i): [] for on in (True, False) for i in (0, 1)}
    for k in range(runs):
        for (on, i), seen in seconds.items():
            seen.append(timed(sides[i], on))
        if k >= 2 and math.fsum(seconds[True, 1]) > 5.0:
            break                                            # the slow ones need fewer runs
    ms = [[1e3 * min(seen), 1e3 * statistics.median(seen)] for seen in seconds.values()]
    return {"peer": name, "version": version, "differ": differ,
            "on": ms[:2], "off": ms[2:], "ratios": ratios(ms[:2]) + ratios(ms[2:])}


def ratios(ms: Sequence[Sequence[float]]) -> list[float]:
    """The peer's minimum over ours, and so the median."""
    return [theirs / own for own, theirs in zip(*ms)]


def training(rounds: int, steps: int = 5) -> list[float]:
    """ms a step of gpt with ours, many steps without a break: with the collector on; after a `gc.freeze()`
    and with a threshold of 50,000; off. The least mean of some rounds."""
    run = ours(PROGRAMS["gpt"])
    usual = gc.get_threshold()
    run()
    found = [math.inf] * 3
    for _ in range(rounds):
        for way in range(3):
            gc.collect()
            if way == 1:
                gc.freeze()
                gc.set_threshold(50_000)
            elif way == 2:
                gc.disable()
            start = time.perf_counter()
            for _ in range(steps):
                run()
            found[way] = min(found[way], 1e3 * (time.perf_counter() - start) / steps)
            gc.enable()
            gc.unfreeze()
            gc.set_threshold(*usual)
    return found


# -- printing -----------------------------------------------------------------------------------


def short(x: float) -> str:
    """Three digits."""
    return f"{x:.0f}" if x >= 99.5 else f"{x:.1f}" if x >= 9.95 else f"{x:.2f}"


def head(name: str) -> str:
    heads = ["ours, ms", "peer, ms", "peer / ours", "collector off"]
    return (f"\n{name:18}{''.join(f'{text:>14}' for text in heads)}{'diff':>6}\n"
            f"{'':18}{'   min median' * 4}{'by':>6}")


def line(found: dict[str, Any]) -> str:
    if "left out" in found:
        return f"{found['peer']:18}left out: {found['left out']}"
    times = "".join(f"{ms:7.1f}" if ms < 1e4 else f"{ms:7.0f}" for pair in found["on"] for ms in pair)
    numbers = "".join(f"{short(x):>7}" for x in found["ratios"])
    return f"{found['peer']:18}{times}{numbers}{error(found['differ']):>6}"


def child(*options: str) -> Any:
    """What this script finds in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--json", *options], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def versioned(found: dict[str, Any]) -> str:
    """A peer's name with its version: ``PyTorch 2.13.0, 0-dim``."""
    version = found.get("version", "")
    return re.sub(r"(?=,| \()|$", f" {version}", found["peer"], count=1) if version else found["peer"]


def error(x: float) -> str:
    """A difference: ``3e-16``, or 0."""
    return f"{x:.0e}".replace("e-0", "e-") if x else "0"


def full_tables(found: dict[str, list[dict[str, Any]]]) -> str:
    """The programs' tables for a page, and what is left out of each."""
    parts = []
    for name, peers in found.items():
        rows = [[versioned(p), *[", ".join(map(short, pair)) for pair in p["on"]],
                 ", ".join(map(short, p["ratios"][:2])), ", ".join(map(short, p["ratios"][2:])),
                 error(p["differ"])] for p in peers if "left out" not in p]
        out = "; ".join(f"{p['peer']} ({p['left out']})" for p in peers
                        if "left out" in p and p["peer"] in PACKAGES)
        parts.append(f"**{name}**\n\n" + table(
            ["peer", "ours, ms", "peer's, ms", "peer / ours", "collector off", "differ by"], rows)
            + (f"\n\nLeft out: {out}." if out else ""))
    return f"CPython {platform.python_version()}; minimum, median.\n\n" + "\n\n".join(parts)


def summary(found: dict[str, list[dict[str, Any]]]) -> str:
    """The small table: the peers' minima over ours."""
    at = {(name, p["peer"]): p for name, peers in found.items() for p in peers}

    def cell(p: dict[str, Any]) -> str:
        return "—" if "left out" in p else f"{short(p['ratios'][0])} ({short(p['ratios'][2])})"

    def name_of(peer: str) -> str:
        return max((versioned(at[name, peer]) for name in found), key=len)
    own = [next((p for p in peers if "left out" not in p), None) for peers in found.values()]
    rows = [[name_of(peer), *[cell(at[name, peer]) for name in found]] for peer in IN_SUMMARY]
    milliseconds = [f"{short(p['on'][0][0])} ({short(p['off'][0][0])})" if p else "" for p in own]
    rows.append(["ours, ms", *milliseconds])
    return table(["peer / ours", *found], rows) + collectors_share(at)


def collectors_share(at: dict[tuple[str, str], dict[str, Any]]) -> str:
    """How much of the ratio to micrograd is the collector."""
    micrograd, nn = [at["moons", peer] for peer in ("micrograd", "autograd_lite, nn")]
    if "left out" in micrograd or "left out" in nn:
        return ""
    on, off = [(short(micrograd["ratios"][i]), short(micrograd[way][1][0] / nn[way][1][0]))
               for i, way in ((0, "on"), (2, "off"))]
    return ("\n\nMost of the ratio to micrograd is the collector's work on its cycles of nodes: on moons,\n"
            f"the network of its notebook, {on[0]} with the collector on is {off[0]} with it off "
            f"({on[1]} is {off[1]} where\nours uses `nn`, whose neurons are one node each).")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--program", choices=PROGRAMS, help="only this one")
    parser.add_argument("--peer", choices=PEERS, help="only this one")
    parser.add_argument("--page", nargs="+", default=[], metavar="FILE", help="pages to put the tables into")
    parser.add_argument("--json", action="store_true", help="(how the script runs itself for one peer)")
    options = parser.parse_args()
    if options.page and (options.program or options.peer):
        parser.error("--page needs all programs and peers")
    if options.json:
        print(json.dumps(compare(options.peer, PROGRAMS[options.program], options.runs) if options.peer
                         else training(max(2, options.runs // 3))))
        return
    found: dict[str, list[dict[str, Any]]] = {}
    for name in [options.program] if options.program else PROGRAMS:
        print(head(name), flush=True)
        found[name] = []
        for peer in [options.peer] if options.peer else PEERS:
            found[name].append(child("--peer", peer, "--program", name, "--runs", str(options.runs)))
            print(line(found[name][-1]), flush=True)
    if options.peer:
        return
    ways = [short(ms) for ms in child("--runs", str(options.runs))]
    print(f"\na long training, ours, gpt, ms a step: collector on {ways[0]}; after gc.freeze() and\n"
          f"gc.set_threshold(50_000) {ways[1]}; collector off {ways[2]}")
    if options.page:
        fill(options.page, {
            "programs": full_tables(found), "programs-summary": summary(found),
            "training": f"With ours, a step of gpt in a long training takes {ways[0]} ms with the collector "
                        f"on, {ways[1]} ms after\n`gc.freeze()` and `gc.set_threshold(50_000)`, {ways[2]} ms "
                        "with it off."})


if __name__ == "__main__":
    main()
