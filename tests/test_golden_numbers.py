"""What each op of the table gives, and its derivatives, at numbers of every size; held to six digits.

(To the last digits they are held against mpmath elsewhere; here infinities, signs of 0 and what is refused
stand beside each other.)
"""
from __future__ import annotations

import functools
import math
from fractions import Fraction

import pytest
from golden import expected

import autograd_lite as ag
from autograd_lite import AutogradError, Value, grad
from autograd_lite.ops.custom import Custom
from autograd_lite.ops.op import TABLE

inf, nan = math.inf, math.nan
SIZES = (0.0, 5e-324, 1e-300, 1e-160, 1e-20, 1e-8, 1e-3, 0.3, 0.5, 1.0, 1.7, 2.0, 3.0, 7.5, 20.0, 30.0, 36.0,
         40.0, 100.0, 171.0, 700.0, 745.0, 1e3, 1e8, 1e16, 1e160, 1e308, inf)
FEW = (-inf, -1e200, -3.0, -2.0, -0.5, -0.0, 0.0, 1e-200, 0.5, 1.0, 2.5, inf)
SOME = (-2.0, -0.5, 0.0, 0.5, 1.0, 3.0, inf)
OPS = {name: op for name, op in TABLE.items() if not isinstance(op, Custom) and not op.open}
UNARY = {name: op for name, op in OPS.items() if op.least == 1}
BINARY = {name: op for name, op in OPS.items() if op.least == 2}


def shown(f, *xs) -> str:
    try:
        y = f(*xs)
    except AutogradError as error:
        return type(error).__name__.removesuffix("Error")
    return f"{y.data if isinstance(y, Value) else y:.6g}"


def unary(op, order):
    f = op
    for _ in range(order):
        f = grad(f)
    with ag.errstate("ignore"):
        return "\n".join([" ".join([shown(f, sign * x) for x in SIZES]) for sign in (1.0, -1.0)])


def binary(op, orders):
    def f(a, b):
        return op(a, b)
    for i in orders:
        f = grad(f, i)
    points = FEW if len(orders) < 2 else SOME
    with ag.errstate("ignore"):
        return "\n".join([" ".join([shown(f, a, b) for b in points]) for a in points])


def refused(op):
    """What is refused where nothing is to be ignored, of the value and the gradient."""
    if op.least == 1:
        return "\n".join([" ".join([shown(f, x) for x in (-inf, -2.0, -1.0, -0.0, 0.0, 1.0, 800.0, inf, nan)])
                          for f in (op, grad(op))])
    return "\n".join([" ".join([shown(f, a, b) for a in (-2.0, 0.0, 1e200, inf) for b in (-1.5, 0.0, 1e200)])
                      for f in (op, *[grad(op, i) for i in (0, 1) if i not in op.options])])


def fractions(op):
    points = (Fraction(-7, 2), Fraction(-1), Fraction(0), Fraction(1, 3), Fraction(1), Fraction(4))

    def one(*xs):
        nodes = [Value(1.0) for _ in xs]
        with ag.errstate("ignore"):
            y = op(*nodes)
        lines = []
        for wrt in (None, nodes[0]) if any(y is not x for x in nodes) else (None,):
            try:
                lines.append(str(ag.evaluate(y, dict(zip(nodes, xs)), Fraction, wrt=wrt)))
            except AutogradError as error:
                lines.append(type(error).__name__.removesuffix("Error"))
        return ", ".join(lines)
    if op.least == 1:
        return "; ".join([one(x) for x in points])
    return "; ".join([one(a, b) for a in points[::2] for b in points[1::2]])


def intervals(op):
    from mpmath import iv
    lines = []
    for order in (0, 1, 2):
        found = []
        for ends in ((-2.0, -1.0), (-1.0, 2.0), (0.0, 0.5), (0.25, 0.75), (1.0, 1.0), (2.0, 9.0)):
            x = Value(0.5)
            with ag.errstate("ignore"):
                y = op(x)
            try:
                options = dict(wrt=x, order=order) if order else {}
                y = ag.evaluate(y, {x: iv.mpf(ends)}, iv.mpf, **options)
                found.append(f"[{float(y.a):.4g}, {float(y.b):.4g}]")
            except AutogradError as error:
                found.append(type(error).__name__.removesuffix("Error"))
        lines.append(" ".join(found))
    return "\n".join(lines)


NAME = "numbers"
CASES = {
    **{f"{name}: derivative {n}": functools.partial(unary, op, n)
       for name, op in UNARY.items() for n in range(3) if (name, n) != ("cbrt", 2)},
    **{f"{name}: by {orders}": functools.partial(binary, op, orders)
       for name, op in BINARY.items() for orders in ((), (0,), (1,), (0, 0), (0, 1), (1, 1))
       if not set(orders) & op.options},
    **{f"{name}: refused": functools.partial(refused, op) for name, op in {**UNARY, **BINARY}.items()},
    **{f"{name}: of fractions": functools.partial(fractions, op) for name, op in {**UNARY, **BINARY}.items()
       if not op.options or op.least < 2},
    **{f"{name}: of intervals": functools.partial(intervals, op) for name, op in UNARY.items()},
}


@pytest.mark.parametrize("case", CASES)
def test_the_numbers_are_those_expected(case):
    assert CASES[case]() == expected(NAME)[case]
