"""What roundings may have changed in coefficients, to four digits: at most, and for arithmetic as it was.

(That the bounds hold and are not far too large is tried against mpmath elsewhere.)
"""
from __future__ import annotations

import functools
import warnings

import pytest
from golden import expected

import autograd_lite as ag
from autograd_lite import taylor
from autograd_lite.ops.op import TABLE
from autograd_lite.transforms import rounding

# Functions of arithmetic alone, so that their roundings are the same everywhere, and where they are taken.
ARITHMETIC = {
    "a root of a cube": (lambda x: ag.sqrt(x * x * x + 0.3), 0.7), "a root of its own": (
        lambda x: ag.sqrt(x * ag.sqrt(x + 0.1)), 0.7), "a root of x": (ag.sqrt, 0.3),
    "x + 0.7": (lambda x: x + 0.7, 0.1), "x - 0.7": (lambda x: x - 0.7, 0.1),
    "0.7 - x": (lambda x: 0.7 - x, 0.1),
    "-(0.1 + x)": (lambda x: -(0.1 + x), 0.2), "0.1 * x": (lambda x: 0.1 * x, 0.7),
    "x * x": (lambda x: x * x, 0.1), "(x * x) * x": (lambda x: (x * x) * x, 0.1),
    "x * (x * x) - x": (lambda x: x * (x * x) - x, 0.3), "(0.1 * x) * (0.1 * x)": (
        lambda x: (0.1 * x) * (0.1 * x), 0.7), "x + x": (lambda x: 0.1 * x + 0.1 * x, 0.7),
    "(x + 0.1) * (x - 0.7)": (lambda x: (x + 0.1) * (x - 0.7), 0.3),
    "1 / x": (lambda x: 1.0 / x, 0.3), "x / 3": (lambda x: x / 3.0, 0.1), "x / (x + 0.1)": (
        lambda x: x / (x + 0.1), 0.3), "(x * x) / (1 - x)": (lambda x: (x * x) / (1.0 - x), 0.3),
    "0.7 / (x * x)": (lambda x: 0.7 / (x * x), 0.3), "1 / (1 + x * x)": (lambda x: 1.0 / (1.0 + x * x), 2.5),
    "x / 3 - x / 7": (lambda x: x / 3.0 - x / 7.0, 0.1), "x / 0.1 of a product": (lambda x: x * x / 0.1, 0.3),
    "sum": (lambda x: ag.sum([x, x * x, 0.1]), 0.3), "exact sum": (
        lambda x: ag.sum([x, x * x, 0.1], exact=True), 0.3), "sum of one twice": (
        lambda x: ag.sum([x, x, 0.3 * x]), 0.1),
    "mean": (lambda x: ag.mean([x, x * x, 0.1]), 0.3),
    "mean of two": (lambda x: ag.mean([0.1 * x, x * x]), 0.3),
    "dot": (lambda x: ag.dot([x, 0.1], [x * x, x], 0.7), 0.3), "exact dot": (
        lambda x: ag.dot([x, 0.1], [x * x, x], exact=True), 0.3),
    "dot and bias": (lambda x: ag.dot([x, x], [0.1, x], x), 0.3),
    "abs": (lambda x: abs(0.1 * x) * x, -0.7), "maximum": (lambda x: ag.maximum(0.1 * x, x), 0.7),
    "minimum": (lambda x: ag.minimum(0.1 * x, x) * 0.3, 0.7), "relu": (lambda x: ag.relu(0.1 * x), 0.7),
    "relu below 0": (lambda x: ag.relu(-0.1 * x) + x, 0.7),
    "leaky_relu": (lambda x: ag.leaky_relu(0.1 * x), -0.7),
    "identity": (lambda x: TABLE["identity"](x) * x, 0.7),
    "where": (lambda x: ag.where(ag.greater(x, 0.0), 0.1 * x, x * x), 0.7),
    "where not": (lambda x: ag.where(ag.less(x, 0.0), 0.1 * x, x * x), 0.7),
    "where of a number": (lambda x: ag.where(ag.less(x, 0.0), 0.1, x * 0.3) * x, 0.7),
    "select": (lambda x: ag.select(ag.greater(x, 0.5), lambda: 0.1 * x, lambda: x) * x, 0.7),
    "sqrt": (lambda x: ag.sqrt(x), 0.3), "sqrt of a product": (lambda x: ag.sqrt(x * x + 0.1), 0.3),
    "0.3 * sqrt": (lambda x: 0.3 * ag.sqrt(0.1 + x), 0.3),
    "(x + 1e8) - 1e8": (lambda x: (x + 1e8) - 1e8, 0.1), "all cancels": (lambda x: (x + 1e8) - 1e8 - x, 0.1),
    "its square": (lambda x: ((x + 1e8) - 1e8 - x) * ((x + 1e8) - 1e8 - x), 0.1),
    "cancelled twice": (lambda x: ((x + 1e8) - 1e8 - x) * 1e9 + x, 0.1),
    "a quotient of what cancels": (lambda x: x / ((x + 1e14) - 1e14), 0.1),
    "1 over what cancels": (lambda x: 1.0 / ((0.1 * x + 1e13) - 1e13), 0.7),
    "abs of what cancels": (lambda x: abs(0.1 * x + 1e15 - 1e15), 0.7),
    "a product that cancels": (lambda x: (0.1 * x) * (0.3 * x) - 0.03 * (x * x), 0.7),
    "slopes that cancel": (lambda x: 0.1 * x - 0.3 * x + 0.2 * x, 0.7),
    "curvatures that cancel": (lambda x: x * x - (0.3 * x) * (x / 0.3), 0.7),
    "two results": (lambda x: [x * x / 3.0, 0.1 * x - x * x], 0.7),
    "a large and a small one": (lambda x: 1e200 * x * x + 1e-200, 0.7),
    "beside subnormal numbers": (lambda x: 1e-310 * x * x, 0.7), "0": (lambda x: 0.0 * x, 0.7)}


def cancelled(x):
    """A number that is all rounding."""
    return (x + 1e8) - 1e8 - x


def nothing(x):
    """A constant of which nothing is left but the rounding of what cancels."""
    return x * x - (x * x + 0.5)


ARITHMETIC |= {
    **{f"x ** {n} at 1.5": (lambda x, n=n: x ** float(n), 1.5) for n in (0, 1, 3, 16, 17)},
    "x ** -2 at 2": (lambda x: x ** -2.0, 2.0),
    "exp at 0": (ag.exp, 0.0), "cos at 0": (ag.cos, 0.0), "sin at 0": (ag.sin, 0.0),
    "sigmoid at 0": (ag.sigmoid, 0.0),
    "a product that is all rounding": (lambda x: (cancelled(x) * x) ** 2.0, 0.1),
    "another": (lambda x: (0.01 * cancelled(x)) * (x * cancelled(x)), 0.1),
    "a quotient that is all rounding": (lambda x: (cancelled(x) / x) * (cancelled(x) / x), 0.1),
    "a choice that is all rounding": (lambda x: [
        ag.where(ag.greater(x, 0.0), cancelled(x), x) * ag.where(ag.less(x, 0.0), x, cancelled(x))], 0.1),
    "the rest of what is all rounding": (lambda x: (0.5 - cancelled(x) - 0.5) * (0.5 - cancelled(x) - 0.5),
                                         0.1),
    "nothing": (nothing, 0.7), "nothing times x": (lambda x: nothing(x) * x, 0.7), "nothing squared": (
        lambda x: nothing(x) * nothing(x), 0.7), "x over nothing": (lambda x: x / nothing(x), 0.7),
    "less than nothing": (lambda x: (-(x * x) + (x * x + 0.5)) * x, 0.7), "nothing below 0": (
        lambda x: (0.3 * x * -x + (0.3 * x * x + 0.5)) * x, -0.7),
    "a sum of nothing": (lambda x: ag.sum([x * x, -(x * x), x]) * x, 0.7),
    "a slope that is nothing": (lambda x: (x * x - 1.4 * x) * x, 0.7),
    "beside a branch that is undefined": (lambda x: ag.select(
        ag.greater(x, 0.0), lambda: x * 0.3, lambda: ag.sqrt(x - 1.0)) * x, 0.7)}


def beside(f, of, x):
    """A function of a number and of x, less a multiple of that number."""
    u = of(x)
    return f(u, x) - 0.7 * u


BESIDE = {                      # what is made of a number, less that number again
    "a product": lambda u, x: u * (x + 0.1), "a product of one": lambda u, x: (x + 0.1) * u,
    "a square": lambda u, x: u * u, "a quotient": lambda u, x: u / (1.0 + x),
    "its share": lambda u, x: x / u, "1 over it": lambda u, x: 1.0 / u, "itself over 3": lambda u, x: u / 3.0,
    "a sum": lambda u, x: ag.sum([u, x, u]), "a difference": lambda u, x: x - u,
    "a mean": lambda u, x: ag.mean([u, x]), "a dot product": lambda u, x: ag.dot([u, x], [x, u], u),
    "its size": lambda u, x: abs(-u), "the larger": lambda u, x: ag.maximum(u, 0.1 * x),
    "a choice": lambda u, x: ag.where(ag.greater(x, 0.0), u, x),
    "another choice": lambda u, x: ag.where(ag.less(x, 0.0), x, u), "a root": lambda u, x: ag.sqrt(u),
    "a cube": lambda u, x: u ** 3.0, "minus it": lambda u, x: -u, "a multiple": lambda u, x: 0.3 * u,
    "what cancels": lambda u, x: (u + 1e8) - 1e8}


def far_from(f, x):
    """A function of what has lost a ten-thousandth, less nearly all of it, squared."""
    def of(x):
        return (x + 2.0 ** 40) - 2.0 ** 40
    most = 1.0001 * f(of(x), x)

    def rest(x):
        y = f(of(x), x) - most
        return y * y
    return rest


LAST = {"what cancels less what cancels more": lambda x: (
            (x * x - (x * x + x)) - (1e8 * (x * x) - (1e8 * (x * x) + x))) * (0.1 * x),
        "a product of nothing at the end": lambda x: (x * x - (x * x + x)) * (0.1 * x),
        "a long and a short one": lambda x: (x * x * x - x * x * x + x - x * x) * (0.1 * x),
        "one that cancels with itself": lambda x: ag.sum([x * x, x * x, -2.0 * x * x, x]) * (0.1 * x),
        "one that cancels below 0": lambda x: ag.sum([-x * x, x * x * 0.5, x * x * 0.5]) * (0.3 * x * x),
        "a slope that is nothing, times a tenth": lambda x: (x * x - 1.4 * x) * (0.1 * x),
        "nothing of the second order": lambda x: (x * x * x - 2.1 * x * x) * (0.1 * x),
        "twice what cancels": lambda x: (cancelled(x) + cancelled(x)) * ag.sum([cancelled(x)] * 2),
        "twice the same that cancels": lambda x: (lambda c: (c + c) * (c + c))(cancelled(x))}
ARITHMETIC |= {f"{name} beside {part} {x}": (functools.partial(beside, f, u), x)
               for name, f in BESIDE.items() for part, u, x in (
                   ("x * x at", lambda x: x * x, 0.3), ("x at", lambda x: x, 0.7))}
ARITHMETIC |= {f"what is left of {name} at {x}": (far_from(f, x), x) for name, f in BESIDE.items()
               for x in (0.7001, 0.30003)}
ARITHMETIC |= {f"sqrt at {x}": (ag.sqrt, x) for x in (0.1, 0.7, 3.3)}
POINT = {"what a small term is lost in": (lambda x: ag.logsumexp([0.0, x]), 40.0),
         "acos of 1": (lambda x: ag.acos((x + 0.3) - 0.3), 1.0), "sqrt of nothing": (
    lambda x: ag.sqrt(0.3 * x - 0.3 * x), 0.1), "hypot at the point": (lambda x: ag.hypot(x, 0.7), 0.3),
         "exp2 at the point": (ag.exp2, 3.0),
         "erf far out": (ag.erf, 40.0), "lgamma of 1": (ag.lgamma, 1.0), "lgamma": (ag.lgamma, 0.7),
         "x ** 0.5 at the point": (lambda x: x ** 0.5, 2.25), "log of 1": (ag.log, 1.0)}
# Others: at most.
OTHERS = {
    "exp": (ag.exp, 0.3), "sin": (ag.sin, 0.7),
    "sin(x) * cos(x)": (lambda x: ag.sin(x) * ag.cos(x), 0.7), "log": (ag.log, 0.3),
    "log at 1": (ag.log, 1.0),
    "tanh": (ag.tanh, 0.3), "atan": (ag.atan, 0.3), "asin": (ag.asin, 0.3), "sigmoid": (ag.sigmoid, 0.3),
    "x ** 0": (lambda x: x ** 0.0 * x, 0.5), "x ** 3": (lambda x: x ** 3.0, 0.5), "x ** 16": (
        lambda x: x ** 16.0, 0.5), "x ** 17": (lambda x: x ** 17.0, 0.5),
    "x ** -2": (lambda x: x ** -2.0, 0.5),
    "x ** 0.3": (lambda x: x ** 0.3, 0.7), "2 ** x": (lambda x: 2.0 ** x, 0.3),
    "x ** x": (lambda x: x ** x, 0.7),
    "x ** 2.5 at 0": (lambda x: x ** 2.5, 0.0), "x ** 4.5 at 0": (lambda x: x ** 4.5 + x, 0.0),
    "hypot": (lambda x: ag.hypot(x, 0.7), 0.3), "atan2": (lambda x: ag.atan2(x, 0.7 * x * x), 0.3),
    "elu below 0": (ag.elu, -0.7), "elu": (lambda x: ag.elu(0.1 * x), 0.7), "gelu": (ag.gelu, 0.7),
    "erf": (ag.erf, 0.7), "lgamma": (ag.lgamma, 0.7), "lgamma at 1": (ag.lgamma, 1.0),
    "digamma": (ag.digamma, 0.7), "polygamma": (lambda x: ag.polygamma(2, x), 0.7),
    "logsumexp": (lambda x: ag.logsumexp([x, 0.1, x * x]), 0.7), "softmax": (
        lambda x: ag.softmax([x, 0.1, 0.3 * x]), 0.7),
    "log_softmax": (lambda x: ag.log_softmax([0.1, x])[0], 0.7),
    "exp(sin(x)) / x": (lambda x: ag.exp(ag.sin(x)) / x, 0.7),
    "exp of what cancels": (lambda x: ag.exp((x + 1e13) - 1e13), 0.1),
    "exp of what is lost": (lambda x: ag.exp((x + 1e15) - 1e15), 0.1),
    "sinh of what is lost, below 0": (lambda x: ag.sinh((x + 1e15) - 1e15), -0.1),
    "log of what cancels": (lambda x: ag.log((x + 1e14) - 1e14), 0.1),
    "a sum of exp and sin": (lambda x: ag.sum([ag.exp(x), ag.sin(x), -x]), 0.7),
    "sqrt(x ** 2 + 1)": (lambda x: ag.sqrt(x * x + 1.0), 0.7), "mod": (lambda x: x % 0.3, 0.7),
    # What cancels here may be 0 as well: the poles there, and what is largest or least there, count.
    **{f"{name} beside 0": (lambda x, f=f: f(x * 3.0 - 0.3), 0.1) for name, f in {
        "lgamma": ag.lgamma, "1 over x": lambda u: 1.0 / u, "log": lambda u: ag.log(u * u), "abs": abs,
        "cosh": lambda u: ag.cosh(1e16 * u), "the angle": lambda u: ag.atan2(1e-17, u)}.items()}}


def bounds(f, x, order=4, exactly=(False,)):
    """Bounds for the coefficients up to an order: at most, or exactly."""
    lines = []

    def look(levels, outputs, wanted):
        for y in outputs:
            if y.op is not None:
                for known in exactly:
                    roundings = rounding.Roundings(levels, exactly=known)
                    lines.append(("exactly: " if known else "at most: ") + " ".join(
                        [f"{roundings.bound([(y, k, 1.0)]):.4g}" for k in wanted]))
                lines.append(f"all of them: {roundings.bound([(y, k, 0.5 + k) for k in wanted]):.4g}")
        return ()
    with pytest.MonkeyPatch.context() as patch, ag.errstate("warn"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(rounding, "lost", look)
        try:
            taylor(f, x, order)
        except ag.NumericError as error:
            return f"{type(error).__name__}"
    return "\n".join(lines)


NAME = "bounds"
CASES = {**{name: functools.partial(bounds, f, x, exactly=(False, True)) for name,
            (f, x) in ARITHMETIC.items()},
         **{f"{name}, to order {order}": functools.partial(bounds, f, 0.7, order, exactly=(False, True))
            for name, f in LAST.items() for order in (2, 3)},
         **{f"{name}: the point alone": functools.partial(bounds, f, x, 0, exactly=(True,))
            for name, (f, x) in POINT.items()},
         **{name: functools.partial(bounds, f, x) for name, (f, x) in OTHERS.items()}}


@pytest.mark.parametrize("case", CASES)
def test_the_bounds_are_those_expected(case):
    assert CASES[case]() == expected(NAME)[case]


def test_every_op_of_the_table_of_roundings_is_among_the_functions():
    names = {op.name for op in rounding._ROUNDINGS if op}
    tried = set()
    for f, x in [*ARITHMETIC.values(), *OTHERS.values()]:
        found = f(ag.Value(x))
        for y in found if isinstance(found, list) else [found]:
            tried |= {node.op for node in ag.graph.program.Program([y]).nodes}
    assert names <= tried


def test_a_rounding_that_is_out_of_range_is_infinite_or_some_ulps():
    assert rounding._exactly([(1e200, 1e200)]) == rounding.inf
    for xs in ([rounding.inf, 1.0], [rounding.inf, -rounding.inf]):
        assert rounding._rounding(TABLE["+"], rounding.inf, xs, [1.0, 1.0], True) == rounding.inf
    assert rounding._rounding(TABLE["**"], 2.0, [rounding.inf, 2.0], [1.0, 1.0], True) == 2.0 ** -50


def test_exact_bounds_are_no_larger_than_those_at_most():
    for name, text in expected(NAME).items():
        most, *others = [[float(x) for x in line.partition(": ")[2].split()] for line in text.splitlines()
                         if line.startswith(("at most", "exactly"))][:2] or [[]]
        for exact in others:
            assert all([e <= 1.001 * m or m > 1.0 for m, e in zip(most, exact)]), name
