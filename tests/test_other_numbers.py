"""Evaluation in other numbers than doubles: how tightly intervals enclose, and what is said where none is."""
from __future__ import annotations

import gc
import itertools
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from mpmath import iv, mp

import autograd_lite as ag
from autograd_lite import Value, evaluate
from autograd_lite.ops import arrays
from autograd_lite.ops.op import TABLE
from autograd_lite.transforms.evaluation import Twin
from autograd_lite.transforms.kinds import Intervals, kind_of

SIZES = (1e-300, 1e-30, 1e-8, 0.3, 0.9999999999999999, 1.0000000000000002, 1.7, 30.0, 1e8, 1e30, 1e300)
EVERY = [sign * x for x in SIZES for sign in (1.0, -1.0)]
WITHIN_1 = [x for x in EVERY if -1.0 < x < 1.0]
ABOVE_1 = [x for x in SIZES if x > 1.0]
SMALL = [x for x in EVERY if abs(x) < 1e3]
POINTS = {**dict.fromkeys(("log", "log10"), SIZES), "acosh": ABOVE_1, "log1p": [x for x in EVERY if x > -1.0],
          **dict.fromkeys(("asin", "acos", "atanh"), WITHIN_1),
          **dict.fromkeys(("exp", "expm1", "sinh", "cosh"), SMALL), "lgamma": [0.3, 1.7, 30.0, 1e30],
          "gamma": [0.3, 1.7, 30.0], "digamma": [0.3, 1.7, 1e30, -0.3, -7.9], "erfc": SMALL, "ncdf": SMALL}
TRUE = {"lgamma": mp.loggamma, "cbrt": lambda x: mp.cbrt(x) if x > 0 else -mp.cbrt(-x)}
SLACK = ("lgamma", "digamma")


@pytest.mark.parametrize("bits", [53, 200])
@pytest.mark.parametrize("name", sorted((Intervals.monotone - {"acosh"}) | set(POINTS)))
def test_an_interval_made_of_a_point_is_a_thousandth_of_the_last_bit_to_either_side(name, bits):
    kind = kind_of(iv.mpf)
    was, iv.prec = iv.prec, bits
    try:
        for x in POINTS.get(name, EVERY):
            low, high = kind.ends(getattr(kind, name)(iv.mpf(x)))
            with mp.workprec(400 if "gamma" in name else 3000):
                y = TRUE.get(name, getattr(mp, name, None))(mp.mpf(x))
                half = (abs(y) + (name in SLACK)) * mp.mpf(2) ** (-bits - 10)
                assert low <= y <= high and abs(low - y + half) + abs(high - y - half) <= half / 1000, x
    finally:
        iv.prec = was


@pytest.mark.parametrize("name, true, pairs", [
    ("power", lambda a, b: a ** b, [(a, b) for a in SIZES for b in (-30.3, -1e-30, 1e-300, 0.7, 1e8 + 0.3)]
     + [(1.0 + 2.0 ** -10, 3264649286439536.5), (0.3, 1e15 + 0.5)]),
    ("atan2", mp.atan2, list(itertools.product(EVERY[::3], EVERY[1::3])))])
def test_a_function_of_two_points_is_enclosed_as_tightly(name, true, pairs):
    kind = kind_of(iv.mpf)
    for a, b in pairs:
        low, high = kind.ends(getattr(kind, name)(iv.mpf(a), iv.mpf(b)))
        with mp.workprec(3000):
            y = true(mp.mpf(a), mp.mpf(b))
            half = abs(y) * mp.mpf(2) ** -63
            assert low <= y <= high and abs(low - y + half) + abs(high - y - half) <= half / 1000, (a, b)


def test_the_gamma_function_of_an_interval_reaches_down_to_its_least_value_where_that_lies_within():
    kind = kind_of(iv.mpf)
    with mp.workprec(200):
        least = mp.findroot(mp.digamma, 1.46)
    for ends, low, high in [((1.0, 2.0), least, 1.0), ((1.0, 3.0), least, 3.0), ((1.25, 1.375), 1.375, 1.25),
                            ((1.5, 4.0), 1.5, 4.0), ((0.5, 1.0), 1.0, 0.5), ((1.4375, 1.5), least, 1.5)]:
        for name, f in (("gamma", mp.gamma), ("lgamma", mp.loggamma)):
            bottom, top = kind.ends(getattr(kind, name)(iv.mpf(ends)))
            with mp.workprec(200):
                assert bottom <= f(low) <= bottom + 1e-18 and top - 1e-18 <= f(high) <= top


@pytest.mark.parametrize("f, ends, words", [
    (lambda x: ag.polygamma(1, x), (0, 1), "polygamma([1.0, 1.0], [0.0, 1.0]) of 'x': "),
    (lambda x: ag.polygamma(1, x), (-0.75, -0.25), "polygamma([1.0, 1.0], [-0.75, -0.25]) of 'x': "),
    (ag.digamma, (0, 1), "digamma([0.0, 1.0]) of 'x': "), (ag.digamma, (-1, -0.5), "digamma([-1.0, -0.5])"),
    (ag.digamma, (-1.5, -0.5), "digamma([-1.5, -0.5])"), (ag.digamma, (-0.5, 0), "digamma([-0.5, 0.0])"),
    (ag.lgamma, (0, 1), "lgamma([0.0, 1.0]) of 'x': "), (ag.gamma, (0, 1), "gamma([0.0, 1.0]) of 'x': ")])
def test_an_interval_that_holds_a_pole_is_outside_the_domain(f, ends, words):
    x = Value(0.5, "x")
    with pytest.raises(ag.DomainError, match=re.escape(words)) as caught:
        evaluate(f(x), {x: iv.mpf(ends)}, iv.mpf)
    assert type(caught.value) is ag.DomainError


@pytest.mark.parametrize("mode", ["raise", "warn", "ignore"])
@pytest.mark.parametrize("f", [ag.relu, abs, lambda x: ag.maximum(x, 0.25)])
def test_a_slope_over_an_interval_with_a_kink_is_refused_in_every_mode(f, mode):
    x = Value(0.5, "x")
    with ag.errstate(mode), pytest.raises(ag.DomainError, match="it has a kink within the interval; split"):
        evaluate(f(x), {x: iv.mpf([-1, 1])}, iv.mpf, wrt=x)


@pytest.mark.parametrize("n", [1, 3, 4, 5, 6])
def test_a_message_shows_every_operand_as_a_number_of_the_kind(n):
    x = Value(0.5, "x")
    shown = ", ".join(["1/2", *map(str, range(1, n))])
    words = f"logsumexp([{shown}]) of 'x': logsumexp has no exact rational value; use number=mpmath.mpf"
    with pytest.raises(ag.InputError) as caught:
        evaluate(ag.logsumexp([x, *range(1, n)]), number=Fraction)
    assert str(caught.value) == words


# -- derivatives --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [float, Fraction, mp.mpf])
def test_one_choice_at_a_kink_is_the_same_wherever_its_operands_are(number):
    x = Value(1.0, "x")
    assert evaluate((ag.maximum(x, 1.0) - ag.maximum(x, 1.0)) * x, number=number, wrt=x, order=2) == 0
    assert evaluate((ag.maximum(x, 1.0) + ag.minimum(x, 1.0)) * x, number=number, wrt=x, order=2) == 2
    with pytest.raises(ag.NumericError, match="depends on the slope chosen at this kink"):
        evaluate((ag.maximum(x, 1.0) - ag.maximum(x, x * 1.0)) * x, number=number, wrt=x, order=2)


def test_roots_and_leaves_are_kept_and_other_numbers_let_go_once_they_are_used():
    seen = []

    def form(m, x):
        gc.collect()
        seen.append(sum(type(thing) is Twin for thing in gc.get_objects()))
        return x
    probe = ag.custom_op(lambda x: x, (lambda y, x: 1.0,), name="probe of numbers", form=form)
    try:
        x = Value(2.0, "x")
        y = x
        for _ in range(100):
            y = y * 1.0
        z = probe(y)
        assert evaluate([x, y, z], {x: 3.0}, mp.mpf) == [3.0, 3.0, 3.0]
        assert evaluate(z, {x: 3.0}, mp.mpf) == 3.0
        assert evaluate([x, probe(x * 2.0)], {x: 3.0}, mp.mpf) == [3.0, 6.0]
        assert all(n < 12 for n in seen), seen
        evaluate(z, {x: 3.0}, mp.mpf, wrt=x, order=2)
        assert seen[-1] > 100
    finally:
        del TABLE["probe of numbers"]
    for roots in ([x, x * 2.0], [x * 2.0, x], [x, x * x, 5.0, (x * x) * x]):
        found = evaluate(roots, {x: 3.0})
        assert found == [3.0, 6.0] or found == [6.0, 3.0] or found == [3.0, 9.0, 5.0, 27.0]


@pytest.mark.parametrize("rule, kind, reason", [
    (lambda y, x: ag.exp(x * x), ag.RangeError, "the result is too large for a double"),
    (lambda y, x: 1.0 / (x - 100.0), ag.DomainError, "the divisor must not be 0"),
    (lambda y, x: ag.log(99.0 - x), ag.DomainError, "the operand must be positive")])
def test_a_partial_that_does_not_exist_is_an_error_of_its_kind(rule, kind, reason):
    steep = ag.custom_op(math.atan, (rule,), name="steep")
    try:
        x = Value(1.0, "x")
        with pytest.raises(ag.NumericError) as caught:
            evaluate(steep(x), {x: 100.0}, wrt=x)
        assert type(caught.value) is kind
        assert str(caught.value).startswith("the derivative of steep(100.0) of 'x': ")
        assert reason in str(caught.value)
    finally:
        del TABLE["steep"]


@pytest.mark.parametrize("mode", ["raise", "warn", "ignore"])
def test_an_infinite_slope_has_no_fraction_in_any_mode(mode):
    steep = ag.custom_op(lambda x: x, (lambda y, x: math.inf,), name="steep", form=lambda m, x: x)
    try:
        x = Value(1.0, "x")
        with ag.errstate(mode), pytest.raises(ag.DomainError, match="it has no finite derivative here"):
            evaluate(steep(x), {x: 2}, Fraction, wrt=x)
    finally:
        del TABLE["steep"]


# -- floats, too --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ufunc", [np.fmax, np.fmin], ids=["fmax", "fmin"])
def test_the_larger_and_the_smaller_number_of_two_with_their_slopes_pass_over_a_nan(ufunc):
    for a, b in itertools.product((1.0, -2.0, 3.0, math.nan), repeat=2):
        x, y = Value(a), Value(b)
        expected = float(ufunc(a, b))
        for found in (ufunc(x, y), ufunc(x, b), ufunc(a, y)):
            assert repr(found.data if isinstance(found, Value) else found) == repr(expected)
        if a != b and not (math.isnan(a) and math.isnan(b)):
            ufunc(x, y).backward()
            assert (x.grad, y.grad) == ((1.0, 0.0) if expected == a else (0.0, 1.0))


def test_the_digamma_function_of_a_namespace_is_asked_only_above_0():
    found = arrays.digamma(lambda x: x + 7.0, np, np.array([-1.0, -0.0, 0.0, 5e-324, 2.0]))
    assert repr(found.tolist()) == "[nan, nan, nan, 7.0, 9.0]"


def test_the_ops_some_of_whose_operands_have_no_derivative():
    assert {name for name, op in TABLE.items() if op.partly and type(op).__name__ != "Custom"} == {
        "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "sign", "step", "where",
        "power_slope", "gauss", "normal_pdf", "polygamma", "relu"}
