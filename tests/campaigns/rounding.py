"""What `derivative` and `taylor` return: is anything wrong in silence, and how much that is right is refused?

    python tests/campaigns/rounding.py --seconds 300 --seed 1

Random programs of up to six ops, and functions in which digits cancel near a point, to order 20, at points
from 1e-12 to 3 away from 0 and 1. Every coefficient is held against mpmath: wrong is what is off by more than
1e-6 of itself and 1e-13 of the largest; healthy a function of which no coefficient is off by a hundredth of
that. It prints how many of each were refused, and the first of each kind of fault.
"""
from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import mpmath

sys.path.insert(0, str(Path(__file__).parents[1]))

import autograd_lite as ag  # noqa: E402
from autograd_lite.testing import Expression  # noqa: E402
from graphs import applied, results  # noqa: E402
from test_rounding import ANY, cancelling, found, in_mpmath, truth, wrong  # noqa: E402

SLOW = {"lgamma", "digamma"}                    # in mpmath
ORDERS = (0, 1, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20)


class Smooth(Exception):
    """The function has a kink, or no truth, at the point."""


def judged(f: Any, true: Any, x: float, order: int) -> tuple[str, str]:
    """Whether the coefficients are wrong, healthy or between; whether they are refused."""
    c, lost = found(f, x, order)
    true = truth(true, x, order)
    if any(map(mpmath.im, true)) or any(abs(t) > 1e250 for t in true):
        raise Smooth
    off = {k for k in range(order + 1) if wrong(c, true, k)}
    if off - lost:
        return "WRONG", "passed"
    healthy = not any(wrong(c, true, k, 0.01) for k in range(order + 1))
    return "healthy" if healthy else "wrong" if off else "between", "refused" if lost else "passed"


def program(draw: random.Random) -> tuple[Any, Any, float, int, str]:
    """A random program, ours and in mpmath's numbers, a point and an order."""
    near = draw.choice([0, 1]) + draw.choice([-1, 1]) * 10 ** draw.uniform(-12, -1)
    x = draw.choice([draw.uniform(-3.0, 3.0), near])
    steps = []
    for n in range(draw.randint(1, 6)):
        op = draw.choice(ANY)
        operands = [1.0 if i in op.options else draw.choice([n, n, draw.randint(0, n), 0.5, 2.0])
                    for i in range(op.least if not op.open else 2)]
        steps.append((op, (n, *operands[1:]) if op.options != {0} else (1.0, n)))
    e = Expression(1, tuple(steps), (x,))

    def step(op: Any, xs: Any) -> Any:
        if op.kink and abs(op.kink(*map(float, xs))) < 1e-25:
            raise Smooth
        return applied(op, xs)
    results(e, [x], step)
    orders = [order for order in ORDERS if order <= 5] if any(op.name in SLOW for op, _ in steps) else ORDERS
    return lambda x: results(e, [x])[-1], in_mpmath(e), x, draw.choice(orders), repr(e)


def cancels(draw: random.Random) -> tuple[Any, Any, float, int, str]:
    """The same where digits cancel near a point."""
    shift = draw.choice([0.0, 1.0])
    chosen: list[Any] = []
    f = cancelling(lambda xs: chosen.append(draw.choice(xs)) or chosen[-1], shift)
    x = shift + draw.choice([-1, 1]) * 10 ** draw.uniform(-12, -0.5)
    text = f"cancelling{chosen} near {shift}"
    return lambda x: f(ag, x), lambda x: f(mpmath, x), x, draw.choice(ORDERS), text


def main(arguments: list[str] | None = None) -> Counter[tuple[str, ...]]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    draw, end, seen, first = random.Random(options.seed), time.time() + options.seconds, Counter[Any](), {}
    while time.time() < end:
        kind = draw.choice([program, cancels])
        try:
            f, true, x, order, text = kind(draw)
            verdict = judged(f, true, x, order)
        except (Smooth, ArithmeticError, ValueError, TypeError):
            continue
        seen[kind.__name__, *verdict] += 1
        if verdict in (("WRONG", "passed"), ("healthy", "refused")):
            first.setdefault((kind.__name__, *verdict), f"{text} at {x!r}, order {order}")
    for key, count in sorted(seen.items()):
        print(f"{' '.join(key):32}{count:8}")
    for key, text in first.items():
        print(f"first {' '.join(key)}: {text}")
    return seen


if __name__ == "__main__":
    main()
