"""Derivatives of high order: against mpmath, against nesting, and at edges."""
from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import mpmath
import pytest
from hypothesis import example, given, settings
from mpmath import exp, log, mp, mpf, sin, sqrt

import autograd_lite as ag
from autograd_lite import Value, derivative, grad, taylor
from autograd_lite.transforms import series
from autograd_lite.transforms.coefficients import products
from autograd_lite.ops.notation import function
from autograd_lite.ops.op import TABLE, Op
from autograd_lite.testing import Expression
from graphs import computations, results
from truth import OURS, TRUTH, plain

ORDER = 20

# -- the table's functions, in mpmath ---------------------------------------------------------

TRUE = None                 # mpmath's function is that of tests/truth.py
# Ours, mpmath's, and an interval inside the domain on which ours is smooth.
ONE_OPERAND: dict[str, tuple[Callable[..., Any], Callable[..., Any] | None, float, float]] = {
    "exp": (ag.exp, TRUE, -1, 1),
    "exp2": (ag.exp2, TRUE, -1, 1),
    "expm1": (ag.expm1, TRUE, -1, 1),
    "log": (ag.log, TRUE, 1, 3),
    "log2": (ag.log2, TRUE, 1, 3),
    "log10": (ag.log10, TRUE, 1, 3),
    "log1p": (ag.log1p, TRUE, 0, 2),
    "sqrt": (ag.sqrt, TRUE, 1, 3),
    "cbrt": (ag.cbrt, TRUE, 1, 3),
    "sin": (ag.sin, TRUE, -2, 2),
    "cos": (ag.cos, TRUE, -2, 2),
    "tan": (ag.tan, TRUE, -1, 1),
    "asin": (ag.asin, TRUE, -0.6, 0.6),
    "acos": (ag.acos, TRUE, -0.6, 0.6),
    "atan": (ag.atan, TRUE, -2, 2),
    "sinh": (ag.sinh, TRUE, -1, 1),
    "cosh": (ag.cosh, TRUE, -1, 1),
    "tanh": (ag.tanh, TRUE, -2, 2),
    "sech2": (ag.sech2, TRUE, -2, 2),
    "asinh": (ag.asinh, TRUE, -2, 2),
    "acosh": (ag.acosh, TRUE, 2, 4),
    "atanh": (ag.atanh, TRUE, -0.6, 0.6),
    "erf": (ag.erf, TRUE, -1, 1),
    "erfc": (ag.erfc, TRUE, -1, 1),
    "gauss": (TABLE["gauss"], TRUE, -1, 1),
    "normal_pdf": (ag.normal_pdf, TRUE, -1, 1),
    "normal_cdf": (ag.normal_cdf, TRUE, -1, 1),
    "gelu": (ag.gelu, TRUE, -1, 1),
    "gamma": (ag.gamma, TRUE, 1, 3),
    "lgamma": (ag.lgamma, TRUE, 1, 3),
    "digamma": (ag.digamma, TRUE, 1, 3),
    "polygamma": (lambda x: ag.polygamma(2, x), lambda x: mpmath.polygamma(2, x), 1, 3),
    "sigmoid": (ag.sigmoid, TRUE, -2, 2),
    "log_sigmoid": (ag.log_sigmoid, TRUE, -2, 2),
    "softplus": (ag.softplus, TRUE, -2, 2),
    "silu": (ag.silu, TRUE, -2, 2),
    "one_minus_square": (TABLE["one_minus_square"], TRUE, -2, 2),
    "identity": (TABLE["identity"], TRUE, -2, 2),
    "neg": (lambda x: -x, TRUE, -2, 2),
    "elu": (lambda x: ag.elu(x, 1.5), lambda x: mpf(1.5) * mpmath.expm1(x), -2, -1),
    "leaky_relu": (ag.leaky_relu, TRUE, -2, -1),
    "relu": (ag.relu, TRUE, 1, 2),
    "abs": (ag.abs, TRUE, -2, -1),
    "a power": (lambda x: x ** 2.5, lambda x: x ** mpf(2.5), 1, 3),
    "a whole power": (lambda x: x ** 7, lambda x: x ** 7, -1, 1),
    "a negative power": (lambda x: x ** -2, lambda x: x ** -2, 1, 3),
    "a number to a power": (lambda x: 1.5 ** x, lambda x: mpf(1.5) ** x, -2, 2),
    "a reciprocal": (lambda x: 1.0 / x, lambda x: 1 / x, 1, 3),
}
# The same of two; those with a restricted domain are given c(b), which lies between 1.5 and 3.5.
c = lambda b: (2.5 + ag.sin(b)) if isinstance(b, (Value, float)) else mpf(2.5) + sin(b)  # noqa: E731
TWO_OPERANDS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "+": (lambda a, b: a + b, lambda a, b: a + b),
    "-": (lambda a, b: a - b, lambda a, b: a - b),
    "*": (lambda a, b: a * b, lambda a, b: a * b),
    "/": (lambda a, b: a / c(b), lambda a, b: a / c(b)),
    "**": (lambda a, b: c(a) ** ag.sin(b), lambda a, b: c(a) ** sin(b)),
    "power_slope": (lambda a, b: TABLE["power_slope"](c(a), c(b), 1.0, 1.0),
                    lambda a, b: c(a) ** (c(b) - 1) * (1 + c(b) * log(c(a)))),
    "%": (lambda a, b: (2.0 + ag.sin(a)) % (5.0 + ag.sin(b)), lambda a, b: 2 + sin(a)),
    "hypot": (lambda a, b: ag.hypot(a, c(b)), lambda a, b: sqrt(a * a + c(b) ** 2)),
    "atan2": (lambda a, b: ag.atan2(a, c(b)), lambda a, b: mpmath.atan(a / c(b))),
    "cos_angle": (lambda a, b: TABLE["cos_angle"](a, c(b)), lambda a, b: a / sqrt(a * a + c(b) ** 2)),
    "over_square": (lambda a, b: TABLE["over_square"](a, c(b)), lambda a, b: a / (a * a + c(b) ** 2)),
    "minimum": (lambda a, b: ag.minimum(c(a), 9.0 + ag.sin(b)), lambda a, b: c(a)),
    "maximum": (lambda a, b: ag.maximum(c(a), 9.0 + ag.sin(b)), lambda a, b: 9 + sin(b)),
    "sum": (lambda a, b: ag.sum([a, b, a]), lambda a, b: a + b + a),
    "fsum": (lambda a, b: ag.sum([a, b, a], exact=True), lambda a, b: a + b + a),
    "mean": (lambda a, b: ag.mean([a, b, a]), lambda a, b: (a + b + a) / 3),
    "dot": (lambda a, b: ag.dot([a, b], [b, a], a), lambda a, b: 2 * a * b + a),
    "fdot": (lambda a, b: ag.dot([a, b], [b, a], a, exact=True), lambda a, b: 2 * a * b + a),
    "logsumexp": (lambda a, b: ag.logsumexp([a, b, 1.0]), lambda a, b: log(exp(a) + exp(b) + mp.e)),
    "softmax": (lambda a, b: ag.softmax([a, b, 1.0, b])[0],
                lambda a, b: 1 / (1 + 2 * exp(b - a) + exp(1 - a))),
    "softmax_rest": (lambda a, b: TABLE["softmax_rest"](a, b, 1.0),
                     lambda a, b: 1 - 1 / (1 + exp(b - a) + exp(1 - a))),
    "log_softmax": (lambda a, b: ag.log_softmax([b, a, 1.0])[1],
                    lambda a, b: -log(1 + exp(b - a) + exp(1 - a))),
}


def reference(name: str) -> Callable[..., Any]:
    """The function in mpmath."""
    return ONE_OPERAND[name][1] or (lambda x: plain(TRUTH[name](x)))


def worst_error(ours: list[float], function: Callable[[Any], Any], x: float, least: float = 0.0) -> float:
    """The largest error of a coefficient, relative to the largest of it and its two neighbours.

    Below 1e-18 it is relative to 1e-18: the differences that mpmath takes end there. Below `least`, a part
    of the largest of all, to that: where the inner series of a composition fall more slowly, they cancel.
    """
    with mp.workdps(25):
        true = mpmath.taylor(function, mpf(x), len(ours) - 1)
        floor = max(1e-18, least * max(map(abs, true)))
        sizes = [max(map(abs, [floor, *true[max(0, k - 1):k + 2]])) for k in range(len(true))]
        return float(max(abs(a - b) / size for a, b, size in zip(ours, true, sizes)))


def within(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A function of one operand, ours and mpmath's, of whatever number: it is moved into the interval."""
    f, _, low, high = ONE_OPERAND[name]
    middle, half = (low + high) / 2, (high - low) / 2
    return (lambda x: f(middle + half * ag.sin(x)),
            lambda x: reference(name)(mpf(middle) + mpf(half) * sin(x)))


# What compositions are made of: smooth at every number. As ops for the generator, which asks of a rule
# whether there is one.
ANYWHERE = {name: within(name) for name in ONE_OPERAND} | TWO_OPERANDS
OPS = {name: Op(name, ours, (ours,) * (1 + (name in TWO_OPERANDS)), notation=function(name))
       for name, (ours, _) in ANYWHERE.items()}
compositions = computations(3, list(OPS.values()), 1)


def composed(x: float, *steps: tuple[Any, ...]) -> Expression:
    return Expression(1, tuple((OPS[name], tuple(operands)) for name, *operands in steps), (x,))


def compute(f: Expression, x: Any, ours: bool) -> Any:
    """The value of a composition, in our functions or in mpmath's."""
    return results(f, [x], lambda op, xs: ANYWHERE[op.name][not ours](*(xs if ours else map(mpf, xs))))[-1]


@pytest.mark.parametrize("name", ONE_OPERAND)
def test_twenty_orders_of_each_function_are_mpmaths(name: str) -> None:
    f, _, low, high = ONE_OPERAND[name]
    g = reference(name)
    x = low + 0.375 * (high - low)
    assert worst_error(taylor(f, x, ORDER), g, x) < 1e-13


@pytest.mark.parametrize("name", TWO_OPERANDS)
def test_twenty_orders_of_each_function_of_two_curves_are_mpmaths(name: str) -> None:
    f, g = TWO_OPERANDS[name]
    ours = taylor(lambda x: f(ag.sin(x), 0.5 * x * x), 0.375, ORDER)
    assert worst_error(ours, lambda x: g(sin(x), x * x / 2), 0.375) < 1e-13


def test_every_row_but_the_whole_quotient_is_held_against_mpmath() -> None:
    smooth = {name for name in OURS if any(TABLE[name].differentiable(2))}
    assert smooth - {*ONE_OPERAND, *TWO_OPERANDS} == {"//", "where"}        # (test_selection has the choice)


@given(compositions)
@example(composed(0.5, ("erf", 0), ("**", 0, 1), ("tanh", 2)))
@example(composed(1.0, ("asin", 0), ("log", 1)))
@example(composed(-0.25, ("atan2", 0, 0), ("lgamma", 1), ("gelu", 0), ("softmax", 0, 3), ("/", 2, 4)))
@settings(max_examples=60, deadline=None)
def test_twenty_orders_of_any_composition_are_mpmaths(e: Expression) -> None:
    f, (x,) = partial(compute, e, ours=True), e.witness
    ours = taylor(f, x, ORDER)
    assert worst_error(ours, partial(compute, e, ours=False), x, 1e-8) < 1e-10
    size = max(abs(ours[ORDER - 1]) / ORDER, 1e-8 * max(map(abs, ours)))
    assert derivative(f, ORDER)(x) == pytest.approx(
        math.factorial(ORDER) * ours[ORDER], rel=1e-10, abs=1e-10 * math.factorial(ORDER) * size)


@given(compositions)
@settings(max_examples=60, deadline=None)
def test_the_third_derivative_by_nesting_is_the_one_by_series(e: Expression) -> None:
    f, (x,) = partial(compute, e, ours=True), e.witness
    nested, expanded = grad(grad(grad(f)))(x), taylor(f, x, 3)
    size = max(map(abs, expanded))
    assert nested == pytest.approx(derivative(f, 3)(x), rel=1e-9, abs=1e-9 * size)


def test_the_comparison_with_mpmath_rejects_a_coefficient_off_by_one_in_ten_million() -> None:
    ours = taylor(ag.exp, 0.5, ORDER)
    ours[17] *= 1 + 1e-7
    assert worst_error(ours, exp, 0.5) > 1e-10


# -- cost, depth, range -------------------------------------------------------------------------


def coefficients_made(monkeypatch: pytest.MonkeyPatch, f: Callable[[Any], Any], order: int) -> int:
    made = []
    extend = series.Series.extend
    monkeypatch.setattr(series.Series, "extend", lambda self: made.append(1) or extend(self))
    derivative(f, order)(0.5)
    monkeypatch.undo()
    return len(made)


def test_a_closed_family_needs_as_many_coefficients_as_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x: Any) -> Any:
        return ag.exp(ag.sin(x) * ag.tanh(x)) / (1.0 + ag.sqrt(x)) + ag.sigmoid(x)
    ten = coefficients_made(monkeypatch, f, 10)
    assert coefficients_made(monkeypatch, f, 40) < 4.5 * ten


def test_a_family_counted_by_its_order_needs_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x: Any) -> Any:
        return ag.lgamma(x) + x ** 2.5 + ag.gelu(x)
    ten = coefficients_made(monkeypatch, f, 10)
    assert coefficients_made(monkeypatch, f, 40) < 17 * ten


def test_shares_of_softmax_need_no_permutations_of_their_operands(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x: Any) -> Any:
        return ag.softmax([k * x for k in range(8)])[3]
    ten = coefficients_made(monkeypatch, f, 10)
    assert coefficients_made(monkeypatch, f, 20) < 2.5 * ten


@pytest.mark.parametrize("order", [100, 200, 400])
def test_the_hundredth_derivative_of_sin_is_sin(order: int) -> None:
    assert derivative(ag.sin, order)(1.0) == pytest.approx(math.sin(1.0), rel=1e-12)
    assert derivative(ag.exp, order)(1.0) == pytest.approx(math.e, rel=1e-12)


def test_a_derivative_of_the_size_of_the_largest_double_is_found() -> None:
    assert derivative(lambda x: 1.0 / x, 170)(1.0) == pytest.approx(math.factorial(170), rel=1e-12)


def test_the_error_of_a_coefficient_too_large_has_the_nodes_that_it_is_about() -> None:
    with pytest.raises(ag.RangeError, match="coefficient of order 2") as caught:
        taylor(lambda x: (1e200 * x + 1e100) * (1e200 * x + 1.0), 0.0, 2)
    assert caught.value.operands == (1e100, 1.0)
    assert [(node.op, node.data) for node in caught.value.nodes] == [("+", 1e100), ("+", 1.0)]


def test_a_derivative_beyond_the_largest_double_is_a_range_error() -> None:
    with pytest.raises(ag.RangeError, match=r"Taylor coefficient .* too large"):
        derivative(lambda x: 1.0 / x, 200)(0.5)
    with pytest.raises(ag.RangeError):
        taylor(lambda x: 1.0 / x, 1e-200, 2)


def test_a_chain_of_many_nodes_has_a_derivative_of_high_order() -> None:
    def f(x: Any) -> Any:
        y = x
        for _ in range(5000):
            y = y * 0.5 + x
        return ag.exp(y)
    assert derivative(f, 5)(0.0) == pytest.approx(32.0)


def test_orders_of_a_family_without_end_do_not_exhaust_the_stack() -> None:
    assert math.isfinite(derivative(ag.lgamma, 150)(3.0))
    assert math.isfinite(derivative(lambda x: x ** 0.5, 120)(3.0))


# -- kinks, edges, errors ------------------------------------------------------------------------


@pytest.mark.parametrize("f, x, expected", [
    (lambda x: x ** 2, 0.0, [0.0, 0.0, 1.0, 0.0]),
    (lambda x: x ** 3, 0.0, [0.0, 0.0, 0.0, 1.0]),
    (lambda x: x ** 3, -2.0, [-8.0, 12.0, -6.0, 1.0]),
    (lambda x: x ** 0, 0.0, [1.0, 0.0, 0.0, 0.0]),
    (lambda x: x ** 2.5, 0.0, [0.0, 0.0, 0.0]),
    (lambda x: ag.relu(x) ** 2, 3.0, [9.0, 6.0, 1.0, 0.0]),
    (lambda x: ag.relu(x) * x, -3.0, [0.0, 0.0, 0.0]),
    (lambda x: abs(x) * x, -3.0, [-9.0, 6.0, -1.0, 0.0]),
    (lambda x: ag.maximum(x, x), 3.0, [3.0, 1.0, 0.0]),
    (lambda x: x if x > 0 else x * x, -3.0, [9.0, -6.0, 1.0]),
    (lambda x: 5.0, 1.0, [5.0, 0.0, 0.0]),
    (lambda x: x, 1.0, [1.0, 1.0, 0.0]),
    (lambda x: ag.hypot(x, 0.0), 3.0, [3.0, 1.0, 0.0]),
    (lambda x: 7.5 // x, 2.0, [3.0, 0.0, 0.0]),
    (lambda x: 0.0 * ag.sqrt(x), 0.0, [0.0, 0.0, 0.0]),
    (lambda x: x * x * ag.sqrt(x), 0.0, [0.0, 0.0, 0.0]),
    (lambda x: ag.relu(ag.sqrt(x) - 1.0), 0.0, [0.0, 0.0, 0.0]),
    (lambda x: ag.exp(-1e3 + ag.tanh(x)), 1e3, [0.0, 0.0, 0.0]),
    (lambda x: ag.atan2(0.0, x) - ag.atan2(-0.0, x), -1.0, [2.0 * math.pi, 0.0, 0.0]),
])
def test_series_at_kinks_and_edges(f: Callable[[Any], Any], x: float, expected: list[float]) -> None:
    assert taylor(f, x, len(expected) - 1) == expected


@pytest.mark.parametrize("f, message", [
    (ag.sqrt, r"sqrt\(0.0\): its derivative is infinite at 0"),
    (lambda x: ag.sqrt(x * x), "use abs"),
    (lambda x: ag.asin(x + 1.0), "infinite at -1 and 1"),
    (ag.cbrt, "infinite at 0"),
    (lambda x: x ** 0.5, "infinite at 0"),
    (lambda x: ag.atan2(x, 0.0 * x), "no derivative at"),
])
def test_an_infinite_derivative_is_a_domain_error_that_names_the_operation(
        f: Callable[[Any], Any], message: str) -> None:
    for order in (1, 2, 5):
        with pytest.raises(ag.DomainError, match=message):
            derivative(f, order)(0.0)


def test_the_error_names_the_label() -> None:
    def f(x: Any) -> Any:
        ag.label(radius=x)
        return ag.sqrt(x)
    with pytest.raises(ag.DomainError, match="'radius'"):
        derivative(f, 4)(0.0)


def test_an_order_that_does_not_reach_the_singularity_is_found() -> None:
    f = lambda x: x ** 2.5  # noqa: E731
    assert derivative(f, 2)(0.0) == 0.0
    with pytest.raises(ag.DomainError):
        derivative(f, 3)(0.0)


def test_errstate_ignore_gives_the_infinite_derivative_and_warn_warns_of_it() -> None:
    with ag.errstate("ignore"):
        assert derivative(ag.sqrt)(0.0) == math.inf
        assert derivative(ag.sqrt, 2)(0.0) == -math.inf
    with ag.errstate("warn"), pytest.warns(ag.AutogradWarning, match="sqrt"):
        derivative(ag.sqrt)(0.0)


def test_a_nan_given_goes_through() -> None:
    assert math.isnan(derivative(ag.exp, 3)(math.nan))
    assert taylor(lambda x: x * x, math.inf, 2) == [math.inf, math.inf, 1.0]


@pytest.mark.parametrize("order", [-1, 1.0, "2", None])
def test_an_order_that_is_no_whole_number_is_refused(order: Any) -> None:
    with pytest.raises(ag.InputError, match="order"):
        derivative(ag.sin, order)
    with pytest.raises(ag.InputError, match="order"):
        taylor(ag.sin, 1.0, order)


def test_a_point_of_several_numbers_is_refused() -> None:
    with pytest.raises(ag.InputError, match="grad, hessian"):
        derivative(lambda p: p[0], 2)([1.0, 2.0])


def test_a_function_that_returns_a_structure_has_one_of_derivatives() -> None:
    assert derivative(lambda x: {"a": [x * x, 3.0]}, 2)(5.0) == {"a": [2.0, 0.0]}
    assert taylor(lambda x: (x, x * x), 5.0, 2) == ([5.0, 1.0, 0.0], [25.0, 10.0, 1.0])


def test_further_arguments_are_kept_fixed() -> None:
    assert derivative(lambda x, n, scale=1.0: scale * x ** n, 2)(3.0, 3, scale=10.0) == 180.0


def test_order_0_is_the_function_and_order_1_is_grad() -> None:
    f = lambda x: ag.exp(ag.sin(x)) / x  # noqa: E731
    assert derivative(f, 0)(1.5) == f(1.5)
    assert derivative(f)(1.5) == pytest.approx(grad(f)(1.5), rel=1e-15)
    assert type(derivative(f, 0)(1.5)) is type(derivative(f, 3)(1.5)) is float


def test_a_custom_op_has_every_order() -> None:
    cube = ag.custom_op(lambda x: x ** 3, (lambda y, x: 3 * x * x,), name="cube for series")
    assert taylor(lambda x: cube(x), 2.0, 4) == [8.0, 12.0, 6.0, 1.0, 0.0]
    line = ag.custom_op(lambda x: 2.0 * x, (lambda y, x: 2,), name="line for series")
    assert taylor(line, 5.0, 2) == [10.0, 2.0, 0.0]


# -- mixing with the other transforms --------------------------------------------------------------


def test_the_derivative_at_a_value_is_recorded() -> None:
    v = Value(0.5)
    y = derivative(lambda x: ag.sin(x * x), 3)(v)
    y.backward()
    assert y.data == pytest.approx(derivative(lambda x: ag.sin(x * x), 3)(0.5), rel=1e-14)
    assert v.grad == pytest.approx(derivative(lambda x: ag.sin(x * x), 4)(0.5), rel=1e-13)


@given(compositions)
@settings(max_examples=25, deadline=None)
def test_orders_add_up_whichever_transform_takes_them(e: Expression) -> None:
    f, (x,) = partial(compute, e, ours=True), e.witness
    size = max(map(abs, taylor(f, x, 4)))
    expected = pytest.approx(derivative(f, 4)(x), rel=1e-9, abs=1e-8 * size)
    assert grad(derivative(f, 3))(x) == expected
    assert derivative(grad(f), 3)(x) == expected
    assert derivative(derivative(f, 2), 2)(x) == expected


def test_a_captured_value_stays_a_variable_in_the_coefficients() -> None:
    assert grad(lambda a: derivative(lambda x: ag.exp(a * x), 3)(0.5))(2.0) == pytest.approx(
        math.exp(1.0) * (3 * 4.0 + 8.0 * 0.5))
    assert derivative(lambda a: derivative(lambda x: x ** a, 2)(1.0), 1)(3.0) == pytest.approx(5.0)
    assert derivative(lambda x: x * derivative(lambda y: x + y)(2.0))(3.0) == 1.0
    assert derivative(lambda x: x * derivative(lambda y: x * y)(2.0))(3.0) == 6.0


def test_a_captured_parameter_keeps_its_gradient() -> None:
    w = Value(2.0)
    w.grad = 7.0
    y = derivative(lambda x: ag.sin(w * x), 5)(0.25)
    assert isinstance(y, Value) and w.grad == 7.0
    y.backward()
    assert w.grad == pytest.approx(7.0 + 5 * 16.0 * math.cos(0.5) - 32.0 * 0.25 * math.sin(0.5))


def test_no_captured_value_leaves_a_float() -> None:
    constant = Value(2.0, requires_grad=False)
    assert type(derivative(lambda x: constant * ag.exp(x), 3)(0.5)) is float


@pytest.mark.parametrize("f, x, order", [
    (lambda x: ag.expm1(x) / x, 1.0, 20), (lambda x: ag.sin(x) / x, 0.3, 10),
    (lambda x: ag.cosh(ag.sqrt(x * x)), 0.2757, 20), (lambda x: (1 - ag.cos(x)) / (x * x), 1e-4, 2),
    (lambda x: (1 - ag.cos(x)) / (x * x), 1e-3, 4), (lambda x: ag.log(1 + x) / x, 1e-4, 10),
    (lambda x: (ag.sqrt(1 + x * x) - 1) / (x * x), 1e-3, 10)])
def test_where_all_digits_cancel_that_is_said(f, x, order):
    message = f"terms of the derivative of order {order} cancel, so that [0-5] of its"
    with pytest.raises(ag.NumericError, match=message):
        derivative(f, order)(x)
    with ag.errstate("ignore"):
        assert math.isfinite(derivative(f, order)(x))


@pytest.mark.parametrize("f, x, order, truth", [
    (ag.sin, math.pi, 20, 0.0), (ag.cos, 0.0, 21, 0.0), (lambda x: x ** 30, 1.0, 31, 0.0),
    (ag.exp, 1.0, 150, math.e), (lambda x: 1 / x, 1.0, 170, math.factorial(170))])
def test_beside_a_zero_and_at_high_orders_no_alarm_is_raised(f, x, order, truth):
    assert abs(derivative(f, order)(x) - truth) <= 1e-14 * max(1.0, truth)


@pytest.mark.parametrize("x, order", [(1.0, 171), (1e-77, 3), (2.4e-62, 4)])
def test_a_derivative_of_high_order_that_no_double_holds_is_no_silent_infinity(x, order):
    with pytest.raises(ag.RangeError, match="too large for a double"):
        derivative(lambda x: 1 / x, order)(x)


def test_the_error_of_a_high_order_has_the_line_that_made_the_node():
    with ag.record_lines(), pytest.raises(ag.DomainError) as caught:
        derivative(lambda x: ag.exp(x ** 2.5), 4)(0.0)
    assert caught.value.line.text.strip() == "derivative(lambda x: ag.exp(x ** 2.5), 4)(0.0)"
    assert "x ** 2.5" in caught.value.line.text[caught.value.line.start:caught.value.line.end]


@pytest.mark.parametrize("x, y", [(math.inf, 0.0), (math.nan, 0.0), (0.0, -math.inf), (0.0, 3.0), (2.0, 3.0),
                                  (math.inf, 2.0), (-0.5, math.inf)])
@pytest.mark.parametrize("kinds", [(float, Value), (Value, float), (Value, Value), (float, float)])
def test_0_times_anything_is_0_in_a_product_of_series(x, y, kinds):
    a, b = kinds[0](x), kinds[1](y)
    right = 0.0 if 0.0 in (x, y) else x * y
    for one in (products([a], [b]), products([b], [a])):
        assert getattr(one, "data", one) == right
