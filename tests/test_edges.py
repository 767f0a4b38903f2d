"""Every row of the edge table, in eager mode: what is returned, what is refused, and with which words.

(tests/test_transforms.py holds the same table under the transforms.)
"""
from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import autograd_lite as ag
from autograd_lite import Value

inf, nan = math.inf, math.nan


def differentiated(f: Callable[..., Any], *xs: float) -> tuple[float, list[float]]:
    nodes = [Value(x) for x in xs]
    y = f(*nodes)
    y.backward()
    return y.data, [node.grad for node in nodes]


@pytest.mark.parametrize("f, xs, value, partials", [
    (lambda x: x ** 0, (0.0,), 1.0, [0.0]),
    (lambda x: x ** 0.0, (-3.0,), 1.0, [0.0]),
    (lambda x, e: x ** e, (0.0, 2.0), 0.0, [0.0, 0.0]),
    (lambda x: x ** 2, (0.0,), 0.0, [0.0]),
    (lambda x: x ** 0, (0.0,), 1.0, [0.0]),
    (lambda x, e: x ** e, (0.0, 1.0), 0.0, [1.0, 0.0]),
    (lambda x: x ** 3, (-2.0,), -8.0, [12.0]),
    (abs, (0.0,), 0.0, [0.0]),
    (abs, (-0.0,), 0.0, [0.0]),
    (ag.relu, (0.0,), 0.0, [0.0]),
    (lambda x: ag.relu(x, 1.0), (0.0,), 0.0, [1.0]),
    (lambda x: x.relu(1.0), (0.0,), 0.0, [1.0]),
    (ag.maximum, (2.0, 2.0), 2.0, [0.5, 0.5]),
    (ag.minimum, (2.0, 2.0), 2.0, [0.5, 0.5]),
    (ag.hypot, (0.0, 0.0), 0.0, [0.0, 0.0]),
    (ag.sigmoid, (-1000.0,), 0.0, [0.0]),
    (ag.sigmoid, (1000.0,), 1.0, [0.0]),
    (ag.tanh, (1000.0,), 1.0, [0.0]),
    (ag.softplus, (1000.0,), 1000.0, [1.0]),
    (ag.softplus, (-1000.0,), 0.0, [0.0]),
], ids=str)
def test_the_value_and_the_derivatives_of_a_row_of_the_table(f, xs, value, partials):
    found, gradients = differentiated(f, *xs)
    assert found == value and gradients == partials


@pytest.mark.parametrize("f, xs, kind, text", [
    (lambda x: x ** -1, (0.0,), ZeroDivisionError, r"0\.0 \*\* -1\.0"),
    (lambda x: x ** (1 / 3), (-8.0,), ag.DomainError, "whole exponent"),
    (ag.log, (0.0,), ValueError, r"log\(0\.0\).*must be positive"),
    (ag.log, (-1.0,), ag.DomainError, r"log\(-1\.0\).*must be positive"),
    (ag.sqrt, (-1.0,), ag.DomainError, "must not be negative"),
    (lambda x: 1 / x, (0.0,), ZeroDivisionError, "divisor must not be 0"),
    (lambda x: x % 0.0, (1.0,), ZeroDivisionError, "divisor must not be 0"),
    (ag.acosh, (0.5,), ag.DomainError, "at least 1"),
    (ag.atanh, (1.0,), ag.DomainError, "strictly between"),
    (ag.asin, (1.5,), ag.DomainError, r"\[-1, 1\]"),
    (ag.log1p, (-1.0,), ag.DomainError, "greater than -1"),
    (ag.lgamma, (-2.0,), ag.DomainError, "negative whole number"),
    (ag.exp, (710.0,), OverflowError, r"exp\(710\.0\).*too large"),
    (lambda x: x * 10.0, (1e308,), OverflowError, r"1e\+308 \* 10\.0.*too large"),
    (lambda x: x + x, (1.7e308,), ag.RangeError, "too large"),
    (lambda x: x - x, (inf,), ag.DomainError, "inf - inf"),
    (ag.sin, (inf,), ag.DomainError, r"sin\(inf\)"),
    (lambda x: x * 0.0, (inf,), ag.DomainError, r"inf \* 0\.0"),
], ids=str)
def test_an_operation_without_a_finite_result_is_an_error_at_the_operation(f, xs, kind, text):
    nodes = [Value(x) for x in xs]
    with pytest.raises(kind, match=text) as caught:
        f(*nodes)
    assert isinstance(caught.value, ag.NumericError) and caught.value.op
    with pytest.raises(kind, match=text):
        f(*xs) if f in (ag.log, ag.sqrt, ag.exp, ag.acosh) else f(*nodes)


@pytest.mark.parametrize("f, xs, text", [
    (lambda x, e: x ** e, (0.0, 0.0), "exponent"),
    (lambda x, e: x ** e, (-2.0, 3.0), "exponent"),
    (ag.sqrt, (0.0,), "infinite at 0"),
    (lambda x: ag.sqrt(x * x), (0.0,), "use abs"),
    (ag.cbrt, (0.0,), "infinite at 0"),
    (ag.atan2, (0.0, 0.0), "no derivative at"),
    (ag.asin, (1.0,), "infinite"),
    (ag.acosh, (1.0,), "infinite at 1"),
], ids=str)
def test_a_gradient_that_arrives_where_there_is_no_derivative_is_an_error_that_changes_nothing(f, xs, text):
    nodes = [Value(x) for x in xs]
    other = Value(3.0)
    y = f(*nodes) + other * 2.0
    for node in (*nodes, other):
        node.grad = 0.25
    with pytest.raises(ag.DomainError, match=text):
        y.backward()
    assert [node.grad for node in (*nodes, other)] == [0.25] * (len(nodes) + 1)
    assert y.grad == 0.0
    (f(*nodes) * 0.0 + other).backward()                # a gradient of 0 stops there, and is no nan
    assert [node.grad for node in nodes] == [0.25] * len(nodes) and other.grad == 1.25


def test_the_value_where_a_derivative_is_missing_is_still_there():
    assert ag.sqrt(Value(0.0)).data == 0.0
    assert ag.atan2(Value(0.0), Value(0.0)).data == 0.0
    assert (Value(0.0) ** Value(0.0)).data == 1.0


@pytest.mark.parametrize("base, exponent", [(-2.0, 3.0), (0.0, 0.0)])
def test_a_tracked_base_with_a_plain_exponent_has_its_derivative(base, exponent):
    x = Value(base)
    (x ** exponent).backward()
    assert x.grad == (12.0 if exponent else 0.0)


def test_a_zero_gradient_at_an_infinite_partial_contributes_0():
    x = Value(0.0)
    (ag.sqrt(x) * 0.0 + x).backward()
    assert x.grad == 1.0


@pytest.mark.parametrize("f, xs, value", [
    (ag.log, (0.0,), -inf), (ag.log, (-1.0,), nan), (lambda x: 1 / x, (0.0,), inf),
    (lambda x: 1 / x, (-0.0,), -inf), (lambda x: -1 / x, (0.0,), -inf), (lambda x: x / x, (0.0,), nan),
    (ag.exp, (710.0,), inf), (lambda x: x * -10.0, (1e308,), -inf), (lambda x: x ** -1, (0.0,), inf),
    (lambda x: x ** -3, (-0.0,), -inf), (lambda x: x ** 0.5, (-1.0,), nan), (ag.sinh, (-800.0,), -inf),
    (ag.atanh, (1.0,), inf), (ag.atanh, (-1.0,), -inf), (ag.lgamma, (0.0,), inf), (ag.sin, (inf,), nan),
    (lambda x: x - x, (inf,), nan), (ag.sqrt, (-1.0,), nan), (ag.acosh, (0.5,), nan)], ids=str)
def test_ignore_gives_what_ieee_754_gives_and_warn_says_so(f, xs, value):
    def same(a: float, b: float) -> bool:
        return a == b or (a != a and b != b)
    with ag.errstate("ignore"):
        assert same(f(*map(Value, xs)).data, value)
    with ag.errstate("warn"), pytest.warns(ag.AutogradWarning):
        assert same(f(*map(Value, xs)).data, value)


@pytest.mark.parametrize("f, x, gradient", [
    (ag.sqrt, 0.0, inf), (ag.cbrt, 0.0, inf), (ag.asin, 1.0, inf), (ag.acos, 1.0, -inf),
    (ag.acosh, 1.0, inf), (lambda x: ag.sqrt(x * x), 0.0, nan)])
def test_ignore_gives_ieees_gradient_too(f, x, gradient):
    with ag.errstate("ignore"):
        _, (found,) = differentiated(f, x)
    assert found == gradient or (found != found and gradient != gradient)
    with ag.errstate("warn"), pytest.warns(ag.AutogradWarning, match="infinite"):
        differentiated(f, x)


def test_a_gradient_too_large_for_a_double_is_an_error():
    x = Value(1e-200)
    y = x * 1e200 * 1e200
    with pytest.raises(ag.RangeError, match="too large"):
        y.backward()
    assert x.grad == 0.0


def test_a_nan_or_an_inf_from_the_user_goes_through_as_ieee_says():
    value, gradients = differentiated(lambda x, y: x * y + x, nan, 2.0)
    assert math.isnan(value) and gradients[0] == 3.0 and math.isnan(gradients[1])
    assert differentiated(ag.exp, -inf) == (0.0, [0.0])
    assert (Value(inf) + 1.0).data == inf
    assert differentiated(ag.tanh, inf) == (1.0, [0.0])
    assert math.isnan(ag.maximum(Value(nan), 1.0).data)
    assert math.isnan(ag.relu(Value(nan)).data)


def test_errstate_nests_and_ends():
    with ag.errstate("ignore"):
        with ag.errstate("raise"), pytest.raises(ag.DomainError):
            ag.log(-1.0)
        assert math.isnan(ag.log(-1.0))
    with pytest.raises(ag.DomainError):
        ag.log(-1.0)
    with pytest.raises(ag.InputError, match="'raise', 'warn' or 'ignore'"):
        ag.errstate("quiet")                                            # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ag.AutogradWarning), ag.errstate("warn"):
            ag.log(-1.0)


def test_a_message_names_operation_operand_label_and_remedy():
    margin = Value(-2.0, "margin")
    with pytest.raises(ag.DomainError) as caught:
        ag.log(margin)
    assert str(caught.value) == "log(-2.0) of 'margin': the operand must be positive"
    assert caught.value.op == "log" and caught.value.operands == (-2.0,)
    assert caught.value.nodes[0] is margin


@pytest.mark.parametrize("error, builtin", [
    (ag.DomainError, ValueError), (ag.DivisionError, ZeroDivisionError), (ag.RangeError, OverflowError),
    (ag.InputError, TypeError), (ag.GradientError, ValueError), (ag.LabelError, LookupError),
    (ag.AuditError, AssertionError), (ag.FormatError, ValueError)])
def test_every_error_refines_a_built_in_one(error, builtin):
    assert issubclass(error, ag.AutogradError) and issubclass(error, builtin)


@pytest.mark.parametrize("call, text", [
    (lambda v: ag.log(v, 10), r"log takes the operands \(x\); 2 were given"),
    (lambda v: ag.log(100.0, 10), r"log takes the operands \(x\); 2 were given"),
    (lambda v: ag.hypot(3.0, 4.0, 5.0), "hypot takes the operands .*; 3 were given"),
    (lambda v: ag.maximum(v), r"maximum takes the operands \(a, b\); 1 was given"),
    (lambda v: ag.exp(), r"exp takes the operands \(x\); 0 were given"),
    (lambda v: ag.relu(v, zero=1.0), r"relu takes the operands \(x, at_zero\)"),
    (lambda v: ag.relu(v, Value(1.0)), "operand 2 is an option"),
    (lambda v: ag.sum(v), "sum: expected a sequence of numbers, got Value"),
    (lambda v: Value(v), r"got Value Value\(2.0.*already"),
    (int, r"int\(\) of Value"), (round, r"round\(\) of Value"), (math.floor, r"floor\(\) of Value")])
def test_a_wrong_call_is_answered_in_the_words_of_the_library(call, text):
    with pytest.raises(ag.InputError, match=text):
        call(Value(2.0))


def test_options_are_given_by_place_or_by_name():
    x = Value(0.0)
    assert ag.relu(x, at_zero=1.0).partials == x.relu(at_zero=1.0).partials == ag.relu(x, 1.0).partials
    assert ag.leaky_relu(-2.0, slope=0.5) == Value(-2.0).leaky_relu(slope=0.5) == -1.0


def test_a_warning_points_at_the_users_line():
    with ag.errstate("warn"), pytest.warns(ag.AutogradWarning) as caught:
        ag.log(-1.0)
    assert caught[0].filename == __file__
