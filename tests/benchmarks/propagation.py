"""`propagate` against the package `uncertainties`: the same formulas of its numbers, in one run.

    python tests/benchmarks/propagation.py

Each figure is the least CPU time of several runs; both sides' results are compared first. Then the standard
deviations are not asked for: that package puts off what makes them up until they are. What is compiled is
native code (if there is llvmlite), as it gets by itself in a long loop, and was called at other numbers.
"""
from __future__ import annotations

import functools
import operator
import time
from typing import Any, NamedTuple

import numpy as np
import uncertainties
from uncertainties import umath, unumpy

import autograd_lite as ag
from autograd_lite.native.engine import available


class Row(NamedTuple):
    """A formula over a library of functions m, and its inputs' values and deviations.

    `steps`: how often it is computed in turn, the last results in place of the first inputs.
    `whole`: makes one argument of all inputs.
    """

    name: str
    make: Any
    inputs: list[tuple[float, float]]
    steps: int = 1
    whole: Any = None


def two_operations(m):
    return lambda a, b: m.sin(a) * b


def step(m):
    """One step of a pendulum."""
    def f(angle, speed, length):
        speed = speed - 0.05 * 9.81 / length * m.sin(angle)
        return [angle + 0.05 * speed, speed]
    return f


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


PAIR = [(1.0, 0.1), (2.0, 0.1)]
PK = [(100.0, 1.0), (2.7, 0.2), (30.0, 2.0), (1.5, 0.3)]
MANY = [(1.0 + k, 0.1) for k in range(20)]
SWING = [(0.8, 0.01), (0.1, 0.02), (1.2, 0.05)]
TIMES = np.linspace(0.0, 1.0, 20)


def decays(m):
    exp = unumpy.exp if m is umath else m.exp           # (of arrays)
    return lambda p: exp(-p).sum()


STRUCTURES = [
    Row("a list, p[0]*p[1]", lambda m: lambda p: p[0] * p[1], PAIR, whole=list),
    Row("a dict, p.a*p.b", lambda m: lambda p: p["a"] * p["b"], PAIR, whole=lambda xs: dict(zip("ab", xs))),
    Row("a dict of results", lambda m: lambda a, b: {"sum": a + b, "product": a * b}, PAIR),
    Row("squares of a list, 3", lambda m: lambda p: [x * x for x in p], MANY[:3], whole=list),
    Row("an array of 2, p·p", lambda m: lambda p: (p * p).sum(), PAIR, whole=np.array),
    Row("of 20", lambda m: lambda p: (p * p).sum(), MANY, whole=np.array),
    Row("exp(-p) of 3, added", decays, MANY[:3], whole=np.array),
    Row("p*p+1 of 2, each", lambda m: lambda p: p * p + 1.0, PAIR, whole=np.array),
    Row("of 20", lambda m: lambda p: p * p + 1.0, MANY, whole=np.array),
    Row("a line at 20 times", lambda m: lambda a, b: a * TIMES + b, PAIR)]
ROWS = [Row("2*a", lambda m: lambda a: 2.0 * a, PAIR[:1]),
        Row("sin(a)", lambda m: m.sin, PAIR[:1]),
        Row("exp(a)", lambda m: m.exp, PAIR[:1]),
        Row("-a", lambda m: lambda a: -a, PAIR[:1]),
        Row("a**2", lambda m: lambda a: a ** 2, PAIR[:1]),
        Row("1/a", lambda m: lambda a: 1.0 / a, PAIR[:1]),
        Row("a+b", lambda m: lambda a, b: a + b, PAIR),
        Row("a*b", lambda m: lambda a, b: a * b, PAIR),
        Row("a/b", lambda m: lambda a, b: a / b, PAIR),
        Row("a**b", lambda m: lambda a, b: a ** b, PAIR),
        Row("atan2(a, b)", lambda m: m.atan2, PAIR),
        Row("hypot(a, b)", lambda m: m.hypot, PAIR),
        Row("|a|", lambda m: m.fabs if m is umath else abs, PAIR[:1]),
        Row("[a*b, a/b]", lambda m: lambda a, b: [a * b, a / b], PAIR),
        Row("sin(a)*b", two_operations, PAIR),
        Row("4 steps of sin(a)*b", two_operations, PAIR, 4),
        Row("4 steps of a pendulum", step, SWING, 4),
        Row("a concentration", concentration, [*PK, (4.0, 0.05)]),
        Row("12 of them", curve, PK),
        Row("Black and Scholes", black_scholes,
            [(100.0, 1.0), (95.0, 0.5), (0.03, 0.002), (0.2, 0.02), (0.75, 0.01)]),
        Row("the mean of 20", lambda m: lambda *p: sum(p) / 20.0, MANY),
        Row("20 squares", lambda m: lambda *p: [x * x for x in p], MANY),
        Row("a pendulum, 10 steps", pendulum, SWING), *STRUCTURES]


def sides(row: Row, asked: bool = True) -> dict[str, Any]:
    """What computes a row's results (and deviations, if asked): that package, ours, and ours of a compiled
    function."""
    def given_at(factor):
        xs = [uncertainties.ufloat(factor * x, std) for x, std in row.inputs]
        return [row.whole(xs)] if row.whole else xs

    xs = given_at(1.0)
    theirs, ours = row.make(umath), row.make(ag)
    fast, steps = ag.compile(ours, target="native" if available() else None), row.steps
    result = theirs(*xs)
    parts = (operator.methodcaller("values") if isinstance(result, dict) else
             operator.methodcaller("ravel") if isinstance(result, np.ndarray) else
             None if hasattr(result, "std_dev") else iter)

    def run(once):
        if steps == 1:
            found = once(*xs)
        else:
            given = xs
            for _ in range(steps):
                found = once(*given)
                given = [*found, *xs[len(found):]] if parts else [found, *xs[1:]]
        if not asked:
            return found
        return [y.std_dev for y in parts(found)] if parts else [found.std_dev]

    ag.propagate(fast, *given_at(1.01))
    ways = {"theirs": theirs, "ours": functools.partial(ag.propagate, ours),
            "compiled": functools.partial(ag.propagate, fast)}
    return {name: functools.partial(run, way) for name, way in ways.items()}


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
    """The time of each side, once they agree; then without deviations."""
    runs = sides(row)
    expected = runs["theirs"]()
    for name, run in runs.items():
        for a, b in zip(run(), expected, strict=True):
            assert abs(a - b) <= 1e-12 * b, (row.name, name, a, b)
    runs.update({f"{name}, not asked": run for name, run in sides(row, False).items()})
    return {name: seconds(run, **options) for name, run in runs.items()}


def main() -> None:
    found = [measured(row) for row in ROWS]
    for title, more in (("microseconds", ""), ("deviations not asked", ", not asked")):
        print(f"{title:22s}{'uncertainties':>14s}{'propagate':>18s}{'of compile(f)':>22s}")
        for row, times in zip(ROWS, found):
            theirs = times[f"theirs{more}"]
            print(f"{row.name:22s}{1e6 * theirs:14.1f}" + "".join([
                f"{1e6 * times[name + more]:{width}.1f} {f'({theirs / times[name + more]:.2f}x)':10s}"
                for name, width in (("ours", 9), ("compiled", 11))]).rstrip())


if __name__ == "__main__":
    main()
