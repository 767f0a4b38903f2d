"""Replays of recorded programs against the Python target: random programs that branch on what they compute.

    python tests/campaigns/replay.py [seconds] [seed]

The programs are those of the campaign `compiled`, some of many statements, and chains of sums of products.
Each is traced at a point; then both run at many points, and must give the same floats, to the bit; where the
Python target takes the eager way or fails, the replay must not give floats, and where a guard fails, the
replay must give that guard, or take the eager way where something that comes before it may fail. (A sum that
is rounded once, as in softmax, may take the eager way where it is not sure; and a check of a number that is
given, which the Python target leaves out, may fail.)
"""
from __future__ import annotations

import random
import struct
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from compiled import Program, points, ways  # noqa: E402

import autograd_lite as ag  # noqa: E402
from autograd_lite import errstate  # noqa: E402
from autograd_lite.native import runtime  # noqa: E402
from autograd_lite.native.language import Untranslatable  # noqa: E402
from autograd_lite.native.replay import Replay  # noqa: E402
from autograd_lite.programs import python  # noqa: E402
from autograd_lite.programs.code import CONSTANT, INPUT  # noqa: E402
from autograd_lite.programs.environment import Environment  # noqa: E402
from autograd_lite.programs.recording import Recording  # noqa: E402
from autograd_lite.programs.tracing import trace  # noqa: E402


def bits(xs: Any) -> Any:
    """Floats as bytes, a nan as any nan; other things as they are."""
    if type(xs) is not tuple:
        return xs
    return [struct.pack("<d", x) if x == x else b"nan" for x in xs]


def difference(recording: Recording, run: Callable[..., Any], calls: Any) -> str:
    """How another way to run a recording differs from the Python target at some numbers; "" if in nothing."""
    expected = python.function(recording)[0]
    code = recording.code
    sure = not (any([op.forward in runtime.SEQUENCES for op in code.ops])
                or any([code.ops[k] in (INPUT, CONSTANT) for k in code.checks]))
    for numbers, captured in calls:
        try:
            wanted = expected(*numbers, captured)
        except (ArithmeticError, ValueError):
            wanted = python.EAGER
        found = run(*numbers, captured)
        eager = python.EAGER in (wanted if type(wanted) is int else 0, found if type(found) is int else 0)
        if bits(wanted) != bits(found) and not (eager and type(wanted) is type(found) is int) and (
                sure or found != python.EAGER):
            return f"at {numbers} and {captured}: {found} in place of {wanted}"
    return ""


class Sums:
    """Random sums of products, longer and shorter, of which some are used once, others often."""

    def __init__(self, rng: random.Random, n: int, size: int):
        self.n = n
        self.lines = [(rng.choice("+-*+*+*nsd/twa"), [max(rng.randrange(n + k), rng.randrange(n + k))
                                                      for _ in range(rng.choice([2, 2, 2, 4, 6, 12]))])
                      for k in range(size)]
        self.several = rng.random() < 0.5
        self.last = rng.choice([1, 4, 12])

    def __call__(self, *xs: Any) -> Any:
        v = list(xs)
        for sign, used in self.lines:
            a, b, *_ = ys = [v[k] for k in used]
            half = len(ys) // 2
            v.append(a + b if sign == "+" else a - b if sign == "-" else a * b if sign == "*" else
                     -a if sign == "n" else
                     sum(x * y for x, y in zip(ys[:half], ys[half:])) if sign == "s" else
                     ag.dot(ys[:half], ys[half:]) if sign == "d" else a / (1.0 + b * b) if sign == "/" else
                     ag.tanh(a) if sign == "t" else
                     ag.where(ag.greater(a, b), a * b, ag.sqrt(b - a)) if sign == "w" else ag.sum(ys))
        return v[-self.last:] if self.several else sum(v[-self.last:])


def cases(rng: random.Random) -> Any:
    """A program, functions made of it, and how many numbers they take."""
    if rng.random() < 0.4:
        f: Any = Sums(rng, rng.choice([3, 8, 20]), rng.choice([5, 30, 150]))
        made = {"value": f} if f.several else {"value": f, "value_and_grad": ag.value_and_grad(f),
                                               "grad": ag.grad(f, tuple(range(f.n)))}
        return f, made
    f = Program(rng, rng.choice([1, 2, 3]), rng.choice([2, 5, 12, 30]), rng.choice([0.1, 0.5]),
                rng.random() < 0.25)
    return f, {name: way for name, (way, _) in ways(f).items()}


def one(rng: random.Random, runs: Callable[[Recording], Callable[..., Any]]) -> tuple[str, int]:
    """How another program differs ("" if it does not), and at how many points it was held."""
    f, made = cases(rng)
    name = rng.choice(list(made))
    found = points(rng, f.n, 12)
    try:
        f_or_gradient = made[name]
        traced = errstate("ignore").run(
            lambda: trace(f_or_gradient, found[0], {}, False, Environment(f_or_gradient)))
    except Exception:
        return "", 0
    try:
        run = runs(traced.recording)
    except Untranslatable:
        return "", 0
    captured = [x.data for x in traced.captured]
    calls = [([float(x) for x in xs], [c if rng.random() < 0.8 else rng.gauss(0.0, 1.0) for c in captured])
             for xs in found]
    text = difference(traced.recording, run, calls)
    return text and f"{name} of {f.n}: {text}\n    {f.lines}", len(calls)


def main(seconds: float = 60.0, seed: int = 0) -> None:
    warnings.simplefilter("ignore")
    rng, end, counts = random.Random(seed), time.monotonic() + seconds, [0, 0, 0]
    while time.monotonic() < end:
        text, calls = one(rng, lambda recording: Replay(recording).run)
        counts = [counts[0] + (calls > 0), counts[1] + calls, counts[2] + bool(text)]
        if text:
            print(text, flush=True)
    print(f"{counts[0]} programs, {counts[1]} calls; differing: {counts[2]}")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]), *map(int, sys.argv[2:3]))
