"""What the functions behind the table give where operands, counts and options meet; held to six digits.

(To the last digits they are held against mpmath elsewhere; here stand infinities, signs of 0, both sides of
each bound, and what is raised.)
"""
from __future__ import annotations

import functools
import itertools
import math

import pytest
from golden import expected

import autograd_lite as ag
from autograd_lite import AutogradError, grad
from autograd_lite.ops import polygammas, special
from autograd_lite.ops.op import TABLE

inf, nan = math.inf, math.nan
RAISED = {ValueError: "V", ZeroDivisionError: "Z", OverflowError: "O", ag.DomainError: "D",
          ag.RangeError: "R"}


def number(y) -> str:
    if isinstance(y, str):
        return y
    if isinstance(y, (list, tuple)):
        return f"({', '.join(map(number, y))})"
    return f"{y:.6g}" if not 0.0 < abs(y) < 1e-307 else f"{y:.1g}"


def shown(f, *xs) -> str:
    try:
        return number(f(*xs))
    except (ValueError, ArithmeticError, AutogradError) as error:
        return RAISED[type(error)]


def table(f, *columns, rows=((),), last=False):
    """What f gives: for each of the rows a line, with all combinations of the columns."""
    lines = []
    for row in rows:
        lines.append(" ".join([shown(f, *((*xs, *row) if last else (*row, *xs)))
                               for xs in itertools.product(*columns)]))
    return "\n".join(lines)


def ones(*xs):
    return [(x,) for x in xs]


ALL = (-inf, -1e300, -745.5, -38.4, -33.0, -5.5, -1.0, -1e-170, -0.0, 0.0, 5e-324, 0.25, 1.0, 2.5, 30.1,
       40.5, 746.0, inf, nan)
BASES = (-inf, -2.0, -0.5, -0.0, 0.0, 1e-300, 0.5, 1.0, 3.0, 1e300, inf, nan)
EXPONENTS = (-inf, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, inf)
COUNTS = ((0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (3.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 1.0), (2.0, 1.0),
          (1.0, 2.0), (3.0, 3.0))
ODD = ((0.0, 1000.0), (-1.0, 0.0), (0.5, 0.0), (0.0, 0.5), (1001.0, 0.0), (0.0, 1001.0), (0.0, -1.0),
       (500.0, 501.0))
LISTS = {"one": [2.0], "two": [0.5, -1.5], "three": [1.0, 1.0, 3.0], "four": [0.0, -0.0, 800.0, 1.0],
         "five": [1e308, 1e308, -1e308, 1.0, 2.0], "six": [1e200, 1e200, 2.0, 1e200, -1e200, 3.0],
         "far": [-1e308, 1e308], "large": [1e308, 1e308, 1e308], "near": [700.0, 700.0, 699.0],
         "inf": [inf, 1.0, 2.0], "second inf": [1.0, inf, 2.0], "inf twice": [inf, inf, 1.0],
         "last inf": [1.0, 2.0, inf], "-inf": [-inf, 1.0], "second -inf": [1.0, -inf],
         "all -inf": [-inf, -inf], "both": [inf, -inf, 3.0], "nan": [nan, 1.0, 2.0],
         "second nan": [1.0, nan, 2.0], "nan, inf": [nan, inf], "inf, nan": [inf, nan, 1.0],
         "alone inf": [inf],
         "fractions": [0.5, 0.1, 3.0, 0.25, 0.3, 1e-200]}
OF_LISTS = ("chain_sum", "mean", "dot", "fsum", "fdot", "logsumexp", "share", "rest_share", "log_share")


def of_lists(name):
    f = getattr(special, name)
    return "\n".join([f"{key}: {shown(f, *xs)}" for key, xs in LISTS.items()
                      if len(xs) > 1 or name not in ("dot", "fdot")])


def of_whole_lists(name):
    f = getattr(special, name)
    return "\n".join([f"{key}: {shown(f, xs)}" for key, xs in LISTS.items()])


def differentiated(f, k, n, a, b):
    return f(a, b, k, n)


def of_counts(f, k, n, b):
    return [shown(f, a, b, k, n) for a in (-2.0, -0.5, 0.5, 1.0, 3.0)]


def slopes(name, columns, rows, order):
    """Derivatives of an op with options, by its operand."""
    op = TABLE[name]

    def one(*xs):
        with ag.errstate("ignore"):
            f = functools.partial(apply, op, xs[1:])
            for _ in range(order):
                f = grad(f)
            return f(xs[0])
    return table(one, columns, rows=rows, last=True)


def apply(op, options, x):
    return op(x, *options)


def by_option(op, option, x):
    return grad(functools.partial(op, x))(option)


NAME = "special"
HALVES = (0.5, 1.0)
SLOPES = (("relu", [(), *ones(-2.0, 0.25, 1.0)]), ("leaky_relu", [(), *ones(-2.0, 0.0, 0.5)]),
          ("elu", [(), *ones(-2.0, 0.0, 0.5)]), ("gauss", ones(0.0, 1.0, 3.0)),
          ("normal_pdf", ones(0.0, 1.0, 3.0)), ("step", [(0.0,), (0.25, 2.0), (1.0, -1.0)]))
CASES = {
    **{f"{name}": functools.partial(table, getattr(special, name), ALL, rows=rows, last=True)
       for name, rows in (
           ("sech2", [()]), ("sigmoid", [()]), ("softplus", [()]), ("log_sigmoid", [()]), ("silu", [()]),
           ("gelu", [()]), ("normal_cdf", [()]), ("one_minus_square", [()]),
           ("leaky_relu", [(), *ones(-2.0, 0.0, 0.5, inf, nan)]),
           ("elu", [(), *ones(-2.0, 0.0, 0.5, inf, nan)]),
           ("gauss", [(), *ones(0.0, 1.0, 2.0, 3.0, 8.0, -1.0, 0.5, 1001.0)]),
           ("normal_pdf", [(), *ones(0.0, 1.0, 2.0, 3.0, 8.0, -1.0, 0.5, 1001.0)]),
           ("head", [()]))},
    "bell": functools.partial(
        table, special.bell, (-40.5, -34.7, -34.6, -24.6, -24.4, 0.0, 1.5, 24.4, 24.6, 27.5, 34.6, 38.0,
                              40.5),
        rows=list(itertools.product((0.0, 1.0, 5.0, 20.0), HALVES)), last=True),
    "count": functools.partial(table, special.count, (-1.0, 0.0, 0.5, 1.0, 2.0, 1000.0, 1000.5, 1001.0, inf)),
    "hermite": functools.partial(table, special.hermite, (-2.0, 0.0, 1.5),
                                 rows=list(itertools.product((0, 1, 2, 3, 4, 7), HALVES)), last=True),
    "falling": functools.partial(table, special.falling, (-1.0, 0.0, 2.0, 2.5),
                                 rows=ones(0.0, 1.0, 2.0, 3.0, 5.0, -1.0, 0.5, 1001.0), last=True),
    "digamma": functools.partial(table, polygammas.digamma, ALL, rows=[()], last=True),
    "polygamma": functools.partial(
        table, polygammas.polygamma, (-inf, -200.5, -100.25, -99.75, -2.0, -1.5, -0.5, -1e-300, -0.0, 0.0,
                                      1e-300, 0.5, 1.0, 7.5, 1e300, inf, nan),
        rows=ones(0.0, 1.0, 2.0, 3.0, 6.0, -1.0, 0.5, 1001.0)),
    "polygamma, beyond": functools.partial(
        table, polygammas.polygamma_ieee, (-inf, -2.25, -2.0, -1.75, -1.5, -0.5, -1e-300, -0.0, 0.0, 1e-300,
                                           0.5, 1.0, 2.0, inf, nan),
        rows=ones(0.0, 1.0, 2.0, -1.0, 0.5, -0.5)),
    "over_power": functools.partial(table, polygammas._over_power, (0.5, 3.0, -2.0), (1, 2, 5),
                                    rows=ones(0, 1, 3, 20)),
    **{name: functools.partial(table, getattr(special, name), ALL, rows=ones(
        -inf, -1e300, -2.0, -1e-170, -0.0, 0.0, 1e-170, 3.0, 1e160, 1e300, inf, nan))
       for name in ("cos_angle", "over_square")},
    **{f"{name}, extreme": functools.partial(
        table, getattr(special, name), (-1.5e308, -1e160, -1e-320, 5e-324, 1e153, 1e308),
        rows=ones(-1e308, -5e-324, 1e-310, 1e140, 1e154, 1.5e308)) for name in ("cos_angle", "over_square")},
    "power": functools.partial(table, special.power, EXPONENTS, rows=ones(*BASES)),
    **{f"power_slope {k:g}, {n:g}": functools.partial(
        table, functools.partial(differentiated, special.power_slope, k, n), EXPONENTS, rows=ones(*BASES))
       for k, n in COUNTS},
    **{f"power_slope {k:g}, {n:g}, beyond": functools.partial(
        table, functools.partial(differentiated, special.power_slope_ieee, k, n), EXPONENTS[1:-1],
        rows=ones(*BASES[1:])) for k, n in (*COUNTS, (0.0, 4.0), (1.0, 5.0))},
    "power_slope, no counts": functools.partial(table, functools.partial(of_counts, special.power_slope),
                                                EXPONENTS[1:-1], rows=ODD),
    "power_slope, no counts, beyond": functools.partial(
        table, functools.partial(of_counts, special.power_slope_ieee), EXPONENTS[1:-1], rows=ODD),
    "power_slope, no counts, far": functools.partial(
        table, functools.partial(of_counts, special.power_slope), (-inf, inf), rows=ODD[:1]),
    "power_slope, in parts": functools.partial(
        table, special.power_slope, (-300.0, -150.0, -101.0, -75.0, 75.0, 101.0, 102.0, 130.0, 200.0, 300.0),
        (0.0, 1.0, 6.0, 20.0), (0.0, 2.0), rows=ones(1e-10, 1e-3, 1e3, 1e10)),
    "power_slope, in parts of a negative base": functools.partial(
        table, special.power_slope, (-150.0, -101.0, 75.0, 101.0, 102.0), (0.0, 1.0, 6.0), (0.0,),
        rows=ones(-1e-3, -1e3)),
    **{name: functools.partial(of_lists, name) for name in OF_LISTS},
    **{name: functools.partial(of_whole_lists, name) for name in ("powers", "shares", "halves")},
    **{f"{name}: derivative {order}": functools.partial(slopes, name, ALL[1:-2], rows, order)
       for name, rows in SLOPES for order in (0, 1, 2)},
    **{f"{name}: derivative by an option {option:g}": functools.partial(
        table, functools.partial(by_option, TABLE[name], option), ALL[1:-2])
       for name in ("leaky_relu", "elu") for option in (-2.0, 0.5)},
}


@pytest.mark.parametrize("case", CASES)
def test_the_numbers_at_edges_are_those_expected(case):
    assert CASES[case]() == expected(NAME)[case]


def test_operands_are_scaled_by_powers_of_two_alone():
    for a, b in ((0.1, 0.7), (-3.3, 1.9), (7.7, -0.3), (1 / 3, 1 / 7), (-1.1, -1.3)):
        for k in (-700, 500, 700):
            scale = 2.0 ** k
            assert special.over_square(a * scale, b * scale) == special.over_square(a, b) / scale
            small, by, power = special._scaled(a * scale, b * scale, 1e150)
            assert (small / a, by / b) == (power * scale, power * scale)


def test_a_mean_is_the_sum_from_left_to_right_over_how_many_there_are():
    assert special.mean(*[0.1] * 10) == 0.9999999999999999 / 10 != 0.1
