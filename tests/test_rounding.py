"""What `derivative` and `taylor` say of their rounding: against mpmath, at random and where all cancels."""
from __future__ import annotations

import gc
import math
import warnings
import random
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

import autograd_lite as ag
from autograd_lite import Value, derivative, taylor
from autograd_lite.ops.op import TABLE
from autograd_lite.testing import Expression
from autograd_lite.transforms import rounding, series
from autograd_lite.transforms.kinds import kind_of
from graphs import applied, computations, results

Function = Callable[[Any], Any]


def truth(f: Function, x: float, order: int) -> list[Any]:
    """The coefficients of a function written in operators and mpmath's functions."""
    with mp.workdps(60 if order < 3 else 40):
        return mpmath.taylor(f, mpf(x), order)  # type: ignore[no-any-return]


def in_mpmath(e: Expression) -> Function:
    """A random program in mpmath's numbers."""
    kind = kind_of(mpf)
    return lambda x: results(e, [x], lambda op, xs: kind.apply(op, [mpf(v) for v in xs]))[-1]


def wrong(c: list[float], true: list[Any], k: int, share: float = 1.0) -> bool:
    """Whether a coefficient is off by more than (this share of) what it may be."""
    size = max(abs(1e-6 * c[k]), 1e-13 * max(map(abs, c)))
    return abs(c[k] - true[k]) > max(share * size, mpf(10) ** -40)


def found(f: Function, x: float, order: int) -> tuple[list[float], set[int]]:
    """The coefficients, and the orders of those that are refused."""
    lost: set[int] = set()
    look = rounding.lost
    with pytest.MonkeyPatch.context() as patch, ag.errstate("warn"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(rounding, "lost", lambda *args: lost.update(k for _, k, _ in look(*args)) or ())
        c = taylor(f, x, order)
    return c, lost


# -- where digits cancel -------------------------------------------------------------------------


@pytest.mark.parametrize("f, x, order", [
    (lambda x: ag.sin(x) / x, 1e-6, 8), (lambda x: ag.atan(x) / x, 1e-7, 2),
    (lambda x: (1 - ag.cos(x)) / x ** 2, 1e-6, 1), (lambda x: (1 - ag.cos(x)) / x ** 2, 1e-9, 1),
    (lambda x: (1 - ag.cos(x)) / x ** 2, 1e-6, 0), (lambda x: (x - ag.tanh(x)) / x ** 3, 1e-5, 1),
    (lambda x: (ag.exp(x) - 1) / x, 1e-9, 1), (lambda x: ag.log(1 + x) / x, 1e-13, 0),
    (lambda x: ag.log(ag.cosh(x)) / x ** 2, 1e-4, 1),
    (lambda x: (ag.sqrt(1 + x * x) - 1) / x ** 2, 1e-5, 1),
    (lambda x: (ag.exp(x) - ag.exp(-x)) / x, 1e-6, 2), (lambda x: (ag.sigmoid(x) - 0.5) / x, 1e-4, 3),
    (lambda x: (ag.sum([ag.cos(x), -1.0])) / x ** 2, 1e-6, 1), (lambda x: ag.erf(x) / x, 1e-3, 6),
    (lambda x: ag.dot([ag.exp(x), 1.0], [1.0, -1.0]) / x, 1e-7, 3),
    (lambda x: ag.lgamma(x) / (x - 1), 1 + 1e-9, 1), (lambda x: ag.log(x) / (x - 1), 1 + 1e-5, 4),
    (lambda x: ag.logsumexp([x, x]) - ag.log(2.0) - x, 0.5, 1),
    (lambda x: (x - ag.tanh(x)) * ag.exp(x), 1e-6, 1), (lambda x: ag.exp(x) * (x - ag.tanh(x)), 1e-6, 1),
    (lambda x: ag.sin(ag.sin(x) / x), 1e-6, 4), (lambda x: ag.hypot(1, x) - 1, 1e-9, 0),
    # so lost that to first order nothing follows from it: squares of 0, and functions far out
    (lambda x: (1 - ag.cos(x)) ** 2 / x ** 4, 1e-9, 1), (lambda x: (1 - ag.cos(x)) ** 2 / x ** 4, 1e-9, 0),
    (lambda x: ((x - ag.tanh(x)) / x ** 3) * ((x - ag.tanh(x)) / x ** 3), 1e-9, 1),
    (lambda x: ag.exp((x - ag.tanh(x)) / x ** 4 - 0.25 / x), 1e-11, 1),
    (lambda x: ag.tanh((ag.exp(x) - 1 - x) / x ** 2), 1e-11, 1)])
def test_where_digits_cancel_no_order_passes_silently(f: Function, x: float, order: int) -> None:
    with pytest.raises(ag.NumericError, match=f"derivative of order {order} cancel, so that [0-5] of its"):
        derivative(f, order)(x)
    with pytest.raises(ag.NumericError, match="of the Taylor coefficient of order"):
        taylor(f, x, order)
    with ag.errstate("ignore"):
        assert type(derivative(f, order)(x)) is float
    with ag.errstate("warn"), pytest.warns(ag.AutogradWarning, match="cancel"):
        derivative(f, order)(x)


@pytest.mark.parametrize("f", [
    lambda m, x: 0.3 * (0.1 * x) - 0.03 * x, lambda m, x: 0.7 * (0.1 * x) - 0.07 * x,
    lambda m, x: (0.1 * x + 1) * (0.3 * x + 1) - 1 - 0.4 * x - 0.03 * x * x,
    lambda m, x: 1 / (1 + 0.1 * x) - 1 + 0.1 * x - 0.01 * x * x,
    lambda m, x: m.exp(0.1 * x) - 1 - 0.1 * x - 0.005 * x * x])
def test_what_cancels_beyond_exact_numbers_at_the_point_is_refused_too(f: Any) -> None:
    c, lost = found(lambda x: f(ag, x), 0.0, 2)
    off = {k for k, t in enumerate(truth(lambda x: f(mpmath, x), 0.0, 2)) if wrong(c, [0.0] * k + [t], k)}
    assert c[0] == 0.0 and off and off <= lost


def cancelling(choose: Callable[[list[Any]], Any], shift: float) -> Function:
    """A function of ours or mpmath's (by its second argument) in which much cancels near `shift`."""
    def of(m: Any, x: Any) -> Any:
        h = x - shift
        return [(m.sin(h), 1), (1 - m.cos(h), 2), (m.exp(h) - 1, 1), (h - m.tanh(h), 3), (h - m.sin(h), 3),
                (m.sqrt(1 + h * h) - 1, 2), (m.exp(h) - m.exp(-h), 1), (m.log(1 + h), 1),
                (m.log(m.cosh(h)), 2)]
    which, square, over = choose(list(range(9))), choose([False, False, True]), choose([0, 1, 1, 1])
    outer, more = choose(["", "", "exp", "sin", "tanh", "cos"]), choose([0.0, 0.0, 0.5, -1.0])

    def f(m: Any, x: Any) -> Any:
        y, power = of(m, x)[which]
        for _ in range(over * power):
            y = y / (x - shift)
        y = y * y if square else y
        return (getattr(m, outer)(y) if outer else y) + more * x
    return f  # type: ignore[return-value]


@given(st.data(), st.sampled_from([0.0, 1.0]), st.floats(-12.0, -0.5), st.sampled_from([-1.0, 1.0]),
       st.integers(0, 8))
@settings(max_examples=120, deadline=None)
def test_what_cancels_near_a_point_is_right_or_refused(data: st.DataObject, shift: float, size: float,
                                                       sign: float, order: int) -> None:
    f: Any = cancelling(lambda xs: data.draw(st.sampled_from(xs)), shift)
    x = shift + sign * 10.0 ** size
    try:
        c, lost = found(lambda x: f(ag, x), x, order)
    except ag.NumericError:
        return
    true = truth(lambda x: f(mpmath, x), x, order)
    assert {k for k in range(order + 1) if wrong(c, true, k)} <= lost


ANY = [op for op in TABLE.values() if any(op.differentiable(op.least)) and not op.chooses
       and op.name not in ("polygamma", "power_slope", "stopped_zero")]


@given(computations(6, ANY, 1, number=float), st.integers(0, 5), st.sampled_from([1.0, 1e-3, 1e-6, 1e-9]))
@settings(max_examples=100, deadline=None)
def test_a_random_program_gives_what_is_right_or_refuses(e: Expression, order: int, scale: float) -> None:
    x = e.witness[0] * scale
    if 0.0 < abs(x) < 1e-30:                    # (mpmath.taylor takes steps that are too large there)
        return
    met: list[bool] = []

    def step(op: Any, xs: Any) -> Any:
        met.append(bool(op.kink and abs(op.kink(*map(float, xs))) < 1e-25))
        return applied(op, xs)
    try:
        with ag.errstate("raise"):
            results(e, [x], step)
            c, lost = found(lambda x: results(e, [x])[-1], x, order)
            true = truth(in_mpmath(e), x, order)
    except (ArithmeticError, ValueError, TypeError, ag.AutogradError):
        return
    if any(met) or any(map(mpmath.im, true)) or not all(1e-250 < abs(t) < 1e250 for t in true if t):
        return
    assert {k for k in range(order + 1) if wrong(c, true, k)} <= lost


def test_the_comparison_rejects_the_numbers_that_once_passed() -> None:
    true = truth(lambda x: mpmath.sin(x) / x, 1e-6, 8)
    assert wrong([1.0] * 8 + [1.19e36], true, 8)
    assert not wrong([*map(float, true)], true, 8)


def test_at_most_one_percent_of_healthy_random_programs_is_refused() -> None:
    draw, healthy, refused = random.Random(1), 0, 0
    one = ["exp", "log1p", "sqrt", "sin", "cos", "atan", "tanh", "sinh", "erf", "sigmoid", "softplus", "gelu",
           "asinh", "silu", "neg", "expm1", "cbrt"]
    while healthy < 300:
        steps = []
        for n in range(draw.randint(1, 5)):
            a, b = draw.choice([n, draw.randint(0, n)]), draw.choice([n, draw.randint(0, n), 0.5, 2.0])
            name = draw.choice([*one, "+", "-", "*", "/", "+", "*", "hypot", "over_square", "logsumexp"])
            steps.append((TABLE[name], (n,) if name in one else (a, b)))
        x, order = draw.uniform(-2.0, 2.0), draw.choice([0, 1, 2, 3, 5, 8])
        e = Expression(1, tuple(steps), (x,))
        try:
            c, lost = found(lambda x: results(e, [x])[-1], x, order)
            true = truth(in_mpmath(e), x, order)
        except (ArithmeticError, ValueError):
            continue
        if not any(wrong(c, true, k, 0.01) for k in range(order + 1)):
            healthy, refused = healthy + 1, refused + bool(lost)
    assert refused <= 0.01 * healthy


# -- where they do not ----------------------------------------------------------------------------


@pytest.mark.parametrize("f, x, order", [
    (lambda x: (x ** 2 - 4) ** 2, 2.0, 1), (lambda x: (x * x - 2.25) ** 2, 1.5, 1),
    (lambda x: (x - 1.0) ** 2, 1.0, 1), (lambda x: (ag.exp(x) - 1) ** 2, 0.0, 1),
    (lambda x: (1 - ag.cos(x)) ** 2, 0.0, 3), (lambda x: x - x, 0.3, 2),
    (lambda x: (ag.sqrt(x) - 2) ** 2, 4.0, 1), (lambda x: (ag.hypot(3.0, x) - 5.0) ** 2, 4.0, 1),
    (lambda x: ag.sum([x * x, -4.0]) ** 2, 2.0, 1), (lambda x: (ag.sigmoid(x) - 0.5) ** 2, 0.0, 1),
    (lambda x: ag.lgamma(x) ** 2, 1.0, 1), (lambda x: (ag.maximum(x, 2.0) - 3.0) ** 2, 3.0, 1),
    (lambda x: x / x, 0.02, 12), (lambda x: ag.hypot(x, x), 0.05, 12), (lambda x: ag.atan2(x, x), 0.05, 12),
    (lambda x: ag.cos(x) - ag.cos(x), 0.7, 5), (lambda x: ag.sin(ag.relu(x)), 1e16, 2),
    (lambda x: ag.sin(x), math.pi, 6), (lambda x: ag.log(x) / (x - 1.0), 1 + 1e-3, 1),
    (lambda x: 1 / x, 1e-70, 3), (ag.silu, -720.0, 2), (lambda x: 1e-305 * ag.sin(x), 0.3, 4)])
def test_what_is_exact_or_accurate_is_not_refused(f: Function, x: float, order: int) -> None:
    derivative(f, order)(x), taylor(f, x, order)


STEADY: list[tuple[Function, float]] = [
    (lambda x: 1 / (1 + x * x), 2.5), (ag.exp, 1.0), (ag.sin, 1.0), (ag.tanh, 1.0), (ag.sqrt, 2.0),
    (ag.erf, 2.5), (ag.gelu, 1.0), (lambda x: ag.log(1 + 1 / (1 + x * x)), 1.0),
    (lambda x: ag.atan(ag.sin(3 * x)), 2.5),
    (lambda x: ag.sqrt(1 + ag.tanh(x) ** 2), 1.0), (lambda x: ag.logsumexp([x, x * x, ag.sin(x)]), 0.3),
    (lambda x: ag.exp(ag.sin(x) * ag.tanh(x)) / (1 + x * x) + ag.log(2 + ag.cos(x)), 1.0)]


def bound(f: Function, x: float, order: int) -> tuple[float, float]:
    """A coefficient of f(x + t), and the bound on its rounding."""
    bounds: list[float] = []

    def measure(levels: Any, outputs: Any, wanted: Any) -> Any:
        bounds.append(rounding.Roundings(levels).bound([(outputs[0], order, 1.0)]))
        return ()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounding, "lost", measure)
        return taylor(f, x, order)[order], bounds[0]


@pytest.mark.parametrize("f, x", STEADY)
@pytest.mark.parametrize("order", [1, 20, 80])
def test_the_bound_grows_no_more_with_the_order_than_the_error(f: Function, x: float, order: int) -> None:
    c, error = bound(f, x, order)
    assert 1e-17 < error / abs(c) < 2e-13 * (order + 1)
    assert math.isfinite(derivative(f, order)(x))


@pytest.mark.parametrize("x", [0.1, 1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("order", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("f", [lambda m, x: m.sin(x) / x, lambda m, x: (m.exp(x) - 1) / x,
                               lambda m, x: m.cos(m.atan(x) / x)])
def test_the_bound_holds_and_is_not_a_thousand_times_too_large(f: Any, x: float, order: int) -> None:
    errors, bounds = [], []
    for i in range(20):
        z = x * (1 + i / 64)
        c, most = bound(lambda x: f(ag, x), z, order)
        errors.append(float(abs(c - truth(lambda x: f(mpmath, x), z, order)[order])))
        bounds.append(most)
        assert errors[-1] <= most
    assert max(bounds) <= 1e3 * max(errors)


# -- what is told, and where ----------------------------------------------------------------------


def test_the_message_says_how_many_digits_are_left_and_what_to_do() -> None:
    with pytest.raises(ag.NumericError) as caught:
        derivative(lambda x: ag.sin(x) / x, 6)(0.05)
    assert "so that 3 of its digits are left: it comes out as -0.1427" in str(caught.value)
    assert str(caught.value).endswith("so that they do not cancel there, or ask for a lower order")
    with pytest.raises(ag.NumericError, match="(?m)so that [45] of its digits.*do not cancel there$"):
        derivative(lambda x: (1 - ag.cos(x)) / x, 1)(1e-5)


def test_of_several_results_those_are_named_that_are_lost() -> None:
    f = lambda x: [ag.sin(x), (1 - ag.cos(x)) / x ** 2, x, 3.0, {"a": ag.exp(x)}]  # noqa: E731
    with ag.errstate("warn"), pytest.warns(ag.AutogradWarning) as warned:
        y = derivative(f)(1e-6)
    assert len(warned) == 1 and y[0] == math.cos(1e-6) and y[4] == {"a": math.exp(1e-6)}
    with ag.errstate("warn"), pytest.warns(ag.AutogradWarning) as warned:
        taylor(lambda x: ag.sin(x) / x, 1e-3, 7)
    orders = [int(str(w.message).partition("order ")[2].partition(" ")[0]) for w in warned]
    c, lost = found(lambda x: ag.sin(x) / x, 1e-3, 7)
    true = truth(lambda x: mpmath.sin(x) / x, 1e-3, 7)
    assert orders == sorted(lost) and {k for k in range(8) if wrong(c, true, k)} <= lost < set(range(8))


def test_the_caller_s_values_change_nothing() -> None:
    w = Value(1.0)
    with pytest.raises(ag.NumericError, match="cancel"):
        derivative(lambda x: ag.sin(w * x) / x, 4)(1e-6)
    with pytest.raises(ag.NumericError, match="cancel"):
        derivative(lambda x: (1 - ag.cos(x)) / x ** 2)(Value(1e-6))
    assert derivative(lambda x: ag.sin(w * x), 4)(0.5).data == pytest.approx(math.sin(0.5), rel=1e-14)


def test_a_coefficient_that_cancels_entirely_counts_in_what_is_made_of_it() -> None:
    def f(x: Any) -> Any:
        rest = 1e17 * x + x - 1e17 * x          # 0, truly x
        return rest * rest
    with pytest.raises(ag.NumericError, match="cancel"):
        derivative(f, 2)(1.0)


@pytest.mark.parametrize("f, x, value", [
    (lambda x: ag.hypot(x, 1.0) - x, 5e4, 1e-5), (lambda x: ag.relu(x) - 0.3, 0.3 + 1e-11, 1e-11),
    (lambda x: ag.sqrt(x) - 1e4, 1e8 + 0.03, 1.5e-6)])
def test_what_is_known_to_be_exact_or_nearly_is_not_refused(f: Any, x: float, value: float) -> None:
    assert taylor(f, x, 0) == [pytest.approx(value, rel=1e-6)]


def test_the_error_told_covers_the_roundings_of_partials_that_cancel() -> None:
    op = ag.custom_op(lambda a, b: a / 3.0 - b / 7.0, (lambda y, a, b: 1.0 / 3.0, lambda y, a, b: -1.0 / 7.0),
                      name="thirds less sevenths")
    for c in (1.1, 1.3, 1.7, 2.1):
        for order in (1, 3):
            with pytest.raises(ag.NumericError, match="cancel") as caught:
                derivative(lambda x: op(3.0 * c * ag.exp(x), 7.0 * c * ag.exp(x)), order)(0.5)
            told = re.search(r"comes out as (\S+), and .* by (\S+);", str(caught.value))
            assert told
            value, error = map(float, told.groups())
            true = math.exp(0.5) * float(Fraction(3.0 * c) / 3 - Fraction(7.0 * c) / 7)
            assert abs(value - true) <= error


def test_what_the_branch_taken_has_lost_matters_though_the_other_is_undefined() -> None:
    def f(x: Any) -> Any:
        return ag.select(ag.greater(x, 0.0), lambda: (1 - ag.cos(x)) / x ** 2, lambda: ag.sqrt(x - 1.0))
    with pytest.raises(ag.NumericError, match="order 1 cancel, so that 0 of its digits are left"):
        derivative(f)(1e-6)
    assert derivative(f)(-0.5 + 2.0) == derivative(lambda x: (1 - ag.cos(x)) / x ** 2)(1.5)


def test_what_a_branch_not_taken_has_lost_does_not_matter() -> None:
    lossy = lambda x: (1 - ag.cos(x)) / x ** 2  # noqa: E731
    f = lambda x: ag.where(ag.greater(x, 1e-3), lossy(x), 0.5 - x * x / 24)  # noqa: E731
    g = lambda x: ag.select(ag.greater(x, 0.0), lambda: x * x, lambda: lossy(x))  # noqa: E731
    assert derivative(f)(1e-6) == pytest.approx(-1e-6 / 12) and derivative(g, 2)(1e-6) == 2.0
    for h, x, order in (f, 2e-3, 4), (g, -1e-7, 1):
        with pytest.raises(ag.NumericError, match="cancel"):
            derivative(h, order)(x)


@pytest.mark.parametrize("call", [
    lambda: derivative(ag.sin)(0.3), lambda: derivative(lambda x: ag.exp(ag.tanh(x)) * x, 5)(0.3),
    lambda: taylor(lambda x: [ag.gelu(x), x ** 2.5], 0.3, 4),
    lambda: derivative(lambda x: ag.sin(x) / x, 8)(1e-6),
    lambda: derivative(ag.sqrt, 3)(0.0), lambda: derivative(lambda x: 1 / x, 3)(1e-150),
    lambda: derivative(lambda x: ag.select(ag.greater(x, 0.0), lambda: x * x, lambda: ag.sqrt(x)), 2)(1.0)])
def test_a_call_leaves_no_reference_cycles(call: Callable[[], Any]) -> None:
    def run() -> None:
        try:
            call()
        except ag.NumericError:
            pass
    run()
    gc.collect()
    gc.disable()
    try:
        run()
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("order", [np.int64(3), np.uint8(3)])
def test_an_order_may_be_a_numpy_integer(order: Any) -> None:
    assert derivative(lambda x: x ** 4, order)(2.0) == 48.0
    assert taylor(lambda x: x ** 4, 2.0, order) == [16.0, 32.0, 24.0, 8.0]


def errors_of(f: Any, x: float, monkeypatch: Any) -> list[float]:
    """How far roundings may have moved the value of f, as its Taylor series knows it."""
    found: list[float] = []

    def spy(levels: Any, outputs: Any, *rest: Any) -> None:
        roundings = rounding.Roundings(levels)
        found.extend(roundings.track(y).error for y in outputs)
    monkeypatch.setattr(series, "signal_lost", spy)
    taylor(f, x, 1)
    return found


def test_the_error_of_a_quotient_and_of_a_choice_is_that_of_what_it_is_made_of(monkeypatch: Any) -> None:
    def lossy(x: Any) -> Any:
        return 1.0 - ag.cos(x)
    point = 1e-3
    [error] = errors_of(lossy, point, monkeypatch)
    assert error > 0.0
    functions: list[tuple[Function, float]] = [
        (lambda x: lossy(x) / ag.exp(x), math.exp(-point)), (lambda x: lossy(x) / (-7.0 - x), 1.0 / 7.001),
        (lambda x: ag.where(ag.greater(x, 0.0), lossy(x), x), 1.0),
        (lambda x: ag.where(ag.greater(0.0, x), x, lossy(x)), 1.0)]
    for f, size in functions:
        assert errors_of(f, point, monkeypatch) == [pytest.approx(error * size, rel=1e-4, abs=0.0)]
