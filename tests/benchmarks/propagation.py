"""`propagate` against the package `uncertainties`: the same formulas of its numbers, in one run.

    python tests/benchmarks/propagation.py

Each figure is the least CPU time of several runs; both sides' results are compared first.
"""
from __future__ import annotations

import time
from typing import Any, NamedTuple

import uncertainties
from uncertainties import umath

import autograd_lite as ag


class Row(NamedTuple):
    """A formula over a library of functions m, and its inputs' values and deviations."""

    name: str
    make: Any
    inputs: list[tuple[float, float]]


def two_operations(m):
    return lambda a, b: [m.sin(a) * b]


def concentration(m):
    def f(dose, cl, v, ka, t):
        k = cl / v
        return [dose * ka / (v * (ka - k)) * (m.exp(-k * t) - m.exp(-ka * t))]
    return f


def black_scholes(m):
    def f(spot, strike, rate, sigma, t):
        root = sigma * m.sqrt(t)
        d1 = (m.log(spot / strike) + (rate + 0.5 * sigma * sigma) * t) / root
        n1, n2 = (0.5 * m.erfc(-d / 1.4142135623730951) for d in (d1, d1 - root))
        return [spot * n1 - strike * m.exp(-rate * t) * n2]
    return f


def curve(m):
    one = concentration(m)
    return lambda *p: [y for k in range(1, 13) for y in one(*p, float(k))]


def pendulum(m):
    """Ten steps: each state goes into the next one several times."""
    def f(angle, speed, length):
        for _ in range(10):
            speed = speed - 0.05 * 9.81 / length * m.sin(angle)
            angle = angle + 0.05 * speed
        return [angle]
    return f


PK = [(100.0, 1.0), (2.7, 0.2), (30.0, 2.0), (1.5, 0.3)]
ROWS = [Row("sin(a)*b", two_operations, [(1.0, 0.1), (2.0, 0.1)]),
        Row("a concentration", concentration, [*PK, (4.0, 0.05)]),
        Row("12 of them", curve, PK),
        Row("Black and Scholes", black_scholes,
            [(100.0, 1.0), (95.0, 0.5), (0.03, 0.002), (0.2, 0.02), (0.75, 0.01)]),
        Row("a pendulum, 10 steps", pendulum, [(0.8, 0.01), (0.1, 0.02), (1.2, 0.05)])]


def sides(row: Row) -> dict[str, Any]:
    """What computes a row's deviations: that package, ours, and ours of a compiled function."""
    xs = [uncertainties.ufloat(x, std) for x, std in row.inputs]
    theirs, ours = row.make(umath), row.make(ag)
    fast = ag.compile(ours)
    return {"theirs": lambda: [y.std_dev for y in theirs(*xs)],
            "ours": lambda: [y.std_dev for y in ag.propagate(ours, *xs)],
            "compiled": lambda: [y.std_dev for y in ag.propagate(fast, *xs)]}


def seconds(f, least=0.02, repeats=7):
    """The least CPU time of a call."""
    f()
    n, best = 1, float("inf")
    while True:
        before = time.process_time()
        for _ in range(n):
            f()
        spent = time.process_time() - before
        if spent >= least:
            best = min(best, spent / n)
            repeats -= 1
            if repeats <= 0:
                return best
        else:
            n *= 2


def measured(row: Row, **options: Any) -> dict[str, float]:
    """The time of each side, once they agree."""
    runs = sides(row)
    expected = runs["theirs"]()
    for name, run in runs.items():
        for a, b in zip(run(), expected, strict=True):
            assert abs(a - b) <= 1e-12 * b, (row.name, name, a, b)
    return {name: seconds(run, **options) for name, run in runs.items()}


def main() -> None:
    print(f"{'microseconds':22s}{'uncertainties':>14s}{'propagate':>16s}{'of compile(f)':>20s}")
    for row in ROWS:
        found = measured(row)
        theirs = found["theirs"]
        print(f"{row.name:22s}{1e6 * theirs:14.1f}" + "".join([
            f"{1e6 * found[name]:{width}.1f} ({theirs / found[name]:.1f}x)"
            for name, width in (("ours", 9), ("compiled", 13))]))


if __name__ == "__main__":
    main()
