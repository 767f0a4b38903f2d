"""Random expressions over all ops, at all kinds of points: is anything wrong in silence?

    python tests/campaigns/numerics.py --seconds 300 --seed 1

Each expression is looked at where it was drawn, at a kink, near 0, at subnormals and huge numbers, at
infinities and nans. At finite points an answer is held against 60 digits (``tests/truth.py``; at a kink,
just beside it in several directions). Everywhere the ways to a derivative must agree, and nothing but the
library's own errors may come out. It prints a table of what was seen, and the first of each kind of fault.
"""
from __future__ import annotations

import argparse
import contextlib
import math
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mpmath import mp, mpf

sys.path.insert(0, str(Path(__file__).parents[1]))

import autograd_lite  # noqa: E402
import truth  # noqa: E402
from autograd_lite import (AutogradError, Value, derivative, errstate, evaluate, grad, hessian,  # noqa: E402
                           hvp, taylor)
from autograd_lite.ops.op import TABLE  # noqa: E402
from autograd_lite.testing import Expression  # noqa: E402

POINTS: dict[str, Callable[[random.Random, float], float]] = {
    "as drawn": lambda rng, x: x,
    "at a kink": lambda rng, x: rng.choice([0.0, -0.0, 1.0, 1.0]),
    "near 0": lambda rng, x: x * 10.0 ** -rng.randint(3, 12),
    "subnormal": lambda rng, x: rng.choice([-1, 1]) * 5e-324 * rng.randint(1, 2 ** rng.randint(1, 52)),
    "tiny": lambda rng, x: x * 10.0 ** -rng.randint(100, 300),
    "huge": lambda rng, x: x * 10.0 ** rng.randint(20, 300),
    "infinite": lambda rng, x: rng.choice([math.inf, -math.inf, x, x]),
    "nan": lambda rng, x: rng.choice([math.nan, x]),
}
FINITE = [name for name in POINTS if name not in ("infinite", "nan")]
KEEP_A_PIECE = {"relu", "leaky_relu", "elu", "where", "step", "sign", "%", "//",
                "equal", "not_equal", "greater", "greater_equal", "less", "less_equal"}


def expression(rng: random.Random, rows: Sequence[Any], most: int) -> Expression:
    """A random expression of some ops, defined at its witness, its steps all used or not."""
    witness = [round(rng.uniform(-3.0, 3.0), rng.randint(1, 16)) for _ in range(rng.choice([1, 1, 2, 3]))]
    results, steps = list(witness), []
    for _ in range(rng.randint(1, most)):
        op = rng.choice(rows)
        n = op.least if not op.open else rng.choice([2, 3, 4])
        operands: list[int | float] = [
            rng.choice([0.5, 1.0, 2.0]) if i in op.options or rng.random() < 0.15 else
            rng.randrange(max(0, len(results) - 3), len(results)) for i in range(n)]
        try:
            y = op(*[results[x] if isinstance(x, int) else x for x in operands])
        except (AutogradError, ArithmeticError):
            continue
        if any(isinstance(x, int) for x in operands) and math.isfinite(y) and abs(y) < 1e6:
            steps.append((op, tuple(operands)))
            results.append(y)
    return Expression(len(witness), tuple(steps), tuple(witness))


class Slow(BaseException):
    """An answer took too long."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `Slow` after so many seconds."""
    def too_slow(*_: Any) -> None:
        raise Slow

    signal.signal(signal.SIGALRM, too_slow)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


# -- the truth --------------------------------------------------------------------------------------------

def true_function(f: Expression, noise: random.Random | None = None) -> Callable[..., Any]:
    """The expression on the numbers of `truth`; with `noise`, each result moved by about a rounding."""
    def apply(*xs: Any) -> Any:
        results = list(xs)
        for op, operands in f.steps:
            y = truth.TRUTH[op.name](*[results[x] if isinstance(x, int) else x for x in operands])
            results.append(y * (1 + mpf(noise.uniform(-2e-16, 2e-16))) if noise else y)
        return results[-1]
    return apply


def true_derivative(f: Expression, point: Sequence[Any], by: Sequence[int],
                    noise: random.Random | None = None) -> truth.Real | None:
    """The derivative and its largest term; None if there is none."""
    try:
        xs = [truth.Real(mpf(x)) for x in point]
        with within(0.5):
            found = truth.real(truth._derivative(true_function(f, noise), xs, by))
        value, largest = mp.mpf(found.value), mp.mpf(found.largest)
    except (Slow, ArithmeticError, ValueError, TypeError, NotImplementedError, KeyError):
        return None
    return truth.Real(value, largest) if mp.isfinite(value) and mp.isfinite(largest) else None


def beside(point: Sequence[float], rng: random.Random) -> Iterator[list[Any]]:
    """Points so close to this one that only a kink can make a difference."""
    for _ in range(3):
        direction = [rng.uniform(-1.0, 1.0) for _ in point]
        for side in (1, -1):
            yield [mpf(x) + side * d * (abs(mpf(x)) or 1) * mpf(10) ** -45 for x, d in zip(point, direction)]


def near(true: truth.Real, found: float, rtol: float, beside: bool = False) -> bool:
    if abs(true.value) > truth.HUGE:
        return True
    # Underflow is no fault; and what lies beside the point differs a little from what lies at it.
    floor = mpf(10) ** -40 * (1 + true.largest) if beside else mpf(10) ** -290
    size = max(abs(true.value), mpf(10) ** -6 * true.largest)
    return bool(abs(mpf(found) - true.value) <= rtol * size + floor)


def lies_at_a_kink(f: Expression, point: Sequence[float]) -> bool:
    results: list[float] = list(point)
    for op, operands in f.steps:
        xs = [results[x] if isinstance(x, int) else x for x in operands]
        try:
            of_two = len(xs) < 2 or operands[0] != operands[1]
            if op.kink is not None and of_two and not abs(op.kink(*xs)) > 0.0:
                return True
            results.append(op(*xs))
        except (AutogradError, ArithmeticError, ValueError):
            return True
    return False


def underflows(f: Expression, point: Sequence[float]) -> bool:
    """Whether a result on the way is too small for a double's digits, or 0."""
    results: list[float] = list(point)
    for op, operands in f.steps:
        xs = [results[x] if isinstance(x, int) else x for x in operands]
        results.append(op(*xs))
        if all(xs) and abs(results[-1]) < 1e-290:
            return True
    return False


def verdict(f: Expression, point: Sequence[float], by: Sequence[int], found: float, rtol: float,
            rng: random.Random) -> str:
    """"right", "wrong", or "unknown" where there is no truth to hold it against."""
    here = true_derivative(f, point, by)
    if not lies_at_a_kink(f, point):
        return "unknown" if here is None else "right" if near(here, found, rtol) else "wrong"
    trues = [true_derivative(f, x, by) for x in beside(point, rng)]
    if None in trues:
        return "unknown"
    one = len(by) < 2 or KEEP_A_PIECE & {op.name for op, _ in f.steps}
    if one and here is not None and near(here, found, rtol):
        return "right"
    if (any if one else all)([near(true, found, rtol, beside=True) for true in trues]):
        return "right"
    if len(by) == 1:                                    # between the slopes on either side
        low, high = (choose([true.value for true in trues]) for choose in (min, max))
        if low < high and low - abs(low) * rtol <= found <= high + abs(high) * rtol:
            return "right"
    return "wrong"


# -- the ways --------------------------------------------------------------------------------------------

def by_backward(f: Expression, x: Sequence[float]) -> list[float]:
    leaves = list(map(Value, x))
    y = f(*leaves)
    if isinstance(y, Value) and y.requires_grad:
        y.backward()
    return [leaf.grad for leaf in leaves]


def by_evaluate(order: int) -> Callable[[Expression, Sequence[float]], Any]:
    def way(f: Expression, x: Sequence[float]) -> Any:
        leaves = list(map(Value, x))
        return evaluate(f(*leaves) + 0.0 * sum(leaves) if all(map(math.isfinite, x)) else f(*leaves),
                        wrt=leaves, order=order)
    return way


def of_list(f: Expression) -> Callable[[Any], Any]:
    return lambda x: f(*x)


FIRST: dict[str, Callable[[Expression, list[float]], Any]] = {
    "backward": by_backward,
    "grad": lambda f, x: grad(of_list(f))(x),
    "evaluate": by_evaluate(1),
}
SECOND: dict[str, Callable[[Expression, list[float]], Any]] = {
    "hessian": lambda f, x: hessian(of_list(f))(x),
    "hvp": lambda f, x: list(zip(*[hvp(of_list(f), (x,), ([float(i == k) for k in range(len(x))],))
                                   for i in range(len(x))])),
    "evaluate twice": by_evaluate(2),
}


def flat(x: Any) -> list[float]:
    return [entry for row in x for entry in flat(row)] if isinstance(x, (list, tuple)) else [x]


class Campaign:
    """What was seen so far."""

    def __init__(self, seed: int):
        self.seen: Counter[tuple[str, str, str]] = Counter()
        self.faults: dict[tuple[str, str, str], str] = {}
        self.rng = random.Random(seed)

    def note(self, where: str, way: str, what: str, fault: str = "") -> None:
        self.seen[where, way, what] += 1
        if fault:
            self.faults.setdefault((where, way, what), fault)

    def tried(self, where: str, way: str, f: Expression, call: Callable[[], Any], point: Any) -> Any:
        """The numbers that a way gives; None if it refuses."""
        try:
            with within(5.0):
                return flat(call())
        except AutogradError as error:
            self.note(where, way, "refused")
            if any(f" {name}(" in f" {error}" for name in HIDDEN - {op.name for op, _ in f.steps}):
                self.note(where, way, "NAMES AN INNER OP", f"{f!r} at {point}: {error}")
        except Slow:
            self.note(where, way, "TOO SLOW", f"{f!r} at {point}")
        except Exception as error:
            self.note(where, way, "FOREIGN ERROR", f"{f!r} at {point}: {type(error).__name__}: {error}")
        return None

    def judged(self, where: str, way: str, f: Expression, point: list[float], found: Sequence[float],
               bys: Sequence[Sequence[int]], rtol: float) -> None:
        """Hold numbers against the truth."""
        for number, by in zip(found, bys):
            if not math.isfinite(number):
                self.note(where, way, "SILENT NAN OR INF", f"{f!r} at {point}, by {by}: {number}")
                continue
            what = verdict(f, point, by, number, rtol, self.rng)
            if what == "wrong" and underflows(f, point):
                what = "underflows"
            if what == "wrong" and not way.startswith(("derivative", "taylor")):    # (which bound their loss)
                true, noisy = (true_derivative(f, point, by, noise) for noise in (None, self.rng))
                if true is None or noisy is None or not near(true, noisy.value, 0.01 * rtol):
                    what = "lossy"
            if what == "wrong":
                trues = [true_derivative(f, x, by) for x in (point, *beside(point, self.rng))]
                right = ", ".join(dict.fromkeys([mp.nstr(true.value, 12) for true in trues if true]))
                self.note(where, way, "WRONG", f"{f!r} at {point}, by {by}: {number!r}, right {right}")
            else:
                self.note(where, way, what)

    def agree(self, where: str, f: Expression, point: list[float], results: dict[str, Any]) -> None:
        """Note where two ways that answer differ."""
        answers = [(way, found) for way, found in results.items() if found is not None]
        for (way, a), (other, b) in zip(answers, answers[1:]):
            for x, y in zip(a, b):              # (what is finite is held against the truth)
                if not (x == y or x != x and y != y or math.isfinite(x) and math.isfinite(y)):
                    self.note(where, f"{way}, {other}", "DIFFER", f"{f!r} at {point}: {a} and {b}")
                    break

    def look(self, f: Expression, where: str, mode: Any) -> None:
        """All ways at one kind of point."""
        point = [POINTS[where](self.rng, x) for x in f.witness]
        n, place = f.inputs, f"{where}, {mode}"
        with errstate(mode):
            for ways, bys, rtol in ((FIRST, [[i] for i in range(n)], 1e-7),
                                    (SECOND, [[i, j] for i in range(n) for j in range(n)], 1e-5)):
                found = {way: self.tried(place, way, f, lambda: call(f, point), point)
                         for way, call in ways.items()}
                for way, numbers in found.items():
                    if numbers is not None and where in FINITE and mode == "raise":
                        self.judged(where, way, f, point, numbers, bys, rtol)
                    elif numbers is not None:
                        self.note(place, way, "answered")
                self.agree(place, f, point, found)
            if n == 1:
                for order in range(1, 6):
                    numbers = self.tried(place, f"derivative {order}", f,
                                         lambda: derivative(f, order)(point[0]), point)
                    if numbers is not None and where in FINITE and mode == "raise":
                        self.judged(where, f"derivative {order}", f, point, numbers, [[0] * order], 2e-6)
                numbers = self.tried(place, "taylor 5", f, lambda: taylor(f, point[0], 5), point)
                if numbers is not None and where in FINITE and mode == "raise":
                    factorials = [math.factorial(k) for k in range(6)]
                    self.judged(where, "taylor 5", f, point, [c * k for c, k in zip(numbers, factorials)],
                                [[0] * k for k in range(6)], 2e-6)

    def report(self) -> None:
        columns = sorted({key[2] for key in self.seen}, key=lambda what: (what.isupper(), what))
        print(f"{'at':24} {'by':20} " + " ".join([f"{what[:12]:>12}" for what in columns]))
        for where, way in sorted({key[:2] for key in self.seen}):
            counts = [self.seen[where, way, what] or "" for what in columns]
            print(f"{where:24} {way:20} " + " ".join([f"{count:>12}" for count in counts]))
        for (where, way, what), text in sorted(self.faults.items(), key=lambda item: item[0][::-1]):
            print(f"\n{what} ({where}, {way}; {self.seen[where, way, what]}):\n  {text}")


HIDDEN = {name for name in TABLE if name.isidentifier()} - set(dir(autograd_lite)) | {"stopped_zero"}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ops", type=int, default=5, help="the most ops in an expression")
    parser.add_argument("--at", choices=POINTS, action="append", help="kinds of points (all)")
    args = parser.parse_args()
    campaign, drawn, end = Campaign(args.seed), 0, time.monotonic() + args.seconds
    rows = [op for op in TABLE.values() if op.name in truth.TRUTH and op.name in truth.OURS
            and (op.kink or any(op.differentiable(op.least)))]
    while time.monotonic() < end:
        f = expression(campaign.rng, rows, args.ops)
        where = campaign.rng.choice(args.at or list(POINTS))
        if f.steps:
            drawn += 1
            campaign.look(f, where, campaign.rng.choice(["raise", "raise", "raise", "ignore"]))
    campaign.report()
    faults = sum(count for key, count in campaign.seen.items() if key[2].isupper())
    print(f"\n{drawn} expressions, {campaign.seen.total()} answers, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
