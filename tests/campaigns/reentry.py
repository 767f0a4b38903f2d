"""What is done in the middle of a pass, by a signal handler or a finalizer: does it, or the pass, go wrong?

    python tests/campaigns/reentry.py --seconds 60 --seed 1

Acts on shared nodes are started in the middle of each other: before an instruction drawn at random (three
deep), or by a timer's signal. What they return, and every gradient at the end, must be as if they had run one
after the other, in some order, without those that were refused with an error of ours.
"""
from __future__ import annotations

import argparse
import contextlib
import copy
import itertools
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import autograd_lite as ag  # noqa: E402
from autograd_lite import GradientError, Value, optim  # noqa: E402
from autograd_lite.graph import backward as backward_module, changes as changes_module  # noqa: E402
from autograd_lite.graph import node as node_module  # noqa: E402
from autograd_lite.graph.walks import topological  # noqa: E402
from instructions import at_instruction, codes_of  # noqa: E402


class World:
    """Graphs that share nodes, with gradients in them."""

    def __init__(self, scale: int = 1):
        x, w, self.u = Value(2.0, "x"), Value(3.0, "w"), Value(0.5, "u")
        self.x, self.w, frozen = x, w, Value(5.0, requires_grad=False)
        h = x * w + frozen
        self.part = k = h.relu() - 2.0 * x
        s = ag.sum([k, h, 1.0, x, h * k, ag.dot([x, k], [w, 2.0])])
        for _ in range(scale - 1):
            s = (s * h - k).tanh() + x
        self.root = s / h
        self.sharing, self.apart, self.over = x * self.u, self.u.exp() * self.u, self.root * self.root
        self.nodes = topological([self.over, self.sharing, self.apart])
        k.backward(3.0)
        s.backward(0.5)

    def state(self) -> tuple[Any, ...]:
        return tuple([node.grad for node in self.nodes])


def too_large(world: World) -> str:
    try:
        (world.u * 1e300 * 1e8).backward(1e300)
    except ag.RangeError:
        return "too large"
    return "no error"


def assigned(world: World) -> None:
    world.x.grad = 7.0


ACTS: dict[str, Callable[[World], Any]] = {
    "root": lambda world: world.root.backward(),
    "part": lambda world: world.part.backward(0.25),
    "over": lambda world: world.over.backward(),
    "sharing": lambda world: world.sharing.backward(),
    "apart": lambda world: world.apart.backward(),
    "grad": lambda world: ag.grad(lambda t: t * t * t)(2.0),
    "grad by captured": lambda world: ag.grad(lambda t: t * t * world.x)(2.0).data,
    "hessian": lambda world: ag.hessian(lambda p: p[0] * p[0] * p[1])([2.0, 3.0]),
    "read": World.state,
    "assign": assigned,
    "zero": lambda world: optim.SGD([world.u, world.w], 0.1).zero_grad(),
    "copy": lambda world: [x.grad for x in topological([copy.deepcopy(world.root)])],
    "too large": too_large,
}
MANY = {"read", "copy"}                         # many acts, which may have others between them
CODES = [*codes_of(backward_module, node_module, changes_module)]


def serial(names: Sequence[str], scale: int = 1) -> list[tuple[Any, ...]]:
    """What the acts return, each and in the end, for each order in which they may run."""
    found = []
    for order in itertools.permutations(range(len(names))):
        world, returned = World(scale), [None] * len(names)
        for i in order:
            returned[i] = ACTS[names[i]](world)
        found.append((returned, world.state()))
    return found


def verdict(names: Sequence[str], world: World, outcomes: Sequence[Any], scale: int = 1) -> str:
    """Whether the outcomes of acts that ran into each other are those of some order; None: refused."""
    ran = [i for i, outcome in enumerate(outcomes) if outcome is not None]
    got = [outcomes[i][0] for i in ran], world.state()
    if got not in serial([names[i] for i in ran], scale):
        return "WRONG"
    return "right" if len(ran) == len(names) else "refused"


def nested(names: Sequence[str], instructions: Sequence[int], codes: Sequence[Any] = CODES) -> str:
    """The verdict on acts, each started at an instruction of the one before; "" if one has not so many."""
    world = World()
    outcomes: list[Any] = [None] * len(names)
    reached = 0

    def started(i: int) -> None:
        nonlocal reached
        reached += 1
        within = at_instruction(instructions[i], codes, lambda: sys.call_tracing(started, (i + 1,))) if (
            i + 1 < len(names)) else contextlib.nullcontext()
        with contextlib.suppress(GradientError), within:
            outcomes[i] = (ACTS[names[i]](world),)

    started(0)
    return verdict(names, world, outcomes) if reached == len(names) else ""


def signalled(rng: random.Random, seconds: float, seen: Counter[Any]) -> None:
    """Acts in the handler of a timer's signal, in the middle of acts on a larger graph."""
    scale, end = 300, time.monotonic() + seconds
    while time.monotonic() < end:
        names = [rng.choice(["root", "part", "over", "sharing"]), rng.choice(list(ACTS))]
        world, outcomes, reached = World(scale), [None, None], []  # type: Any, list[Any], list[bool]

        def handler(*_: Any) -> None:
            reached.append(True)
            with contextlib.suppress(GradientError):
                outcomes[1] = (ACTS[names[1]](world),)

        before = signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 6e-4))
        try:
            outcomes[0] = (ACTS[names[0]](world),)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before)
        found = verdict(names, world, outcomes, scale) if reached else "not reached"
        seen["by a signal", names[1], found] += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng, seen = random.Random(options.seed), Counter[Any]()
    end = time.monotonic() + options.seconds / 2
    while time.monotonic() < end:
        names = [*rng.choices([name for name in ACTS if name not in MANY], k=rng.choice([1, 1, 2])),
                 rng.choice(list(ACTS))]
        instructions = [int(10 ** rng.uniform(0, 3.3)) for _ in names]
        found = nested(names, instructions)
        if found == "WRONG":
            print("WRONG:", names, instructions)
        seen[f"{len(names)} deep", names[-1], found or "not reached"] += 1
    signalled(rng, options.seconds / 2, seen)
    for (how, name, found), n in sorted(seen.items()):
        print(f"{n:7d}  {how:12}  {name:18}  {found}")
    return int(any(found == "WRONG" for _, _, found in seen))


if __name__ == "__main__":
    sys.exit(main())
