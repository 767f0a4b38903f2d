"""Every row of the edge table, in eager mode: what is returned, what is refused, and with which words.

(tests/test_transforms.py holds the same table under the transforms.)
"""
from __future__ import annotations

import inspect
import linecache
import math
import os
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.ops.op import TABLE

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


def test_a_warning_in_a_loop_is_given_once_as_pythons_are_by_default():
    globals().pop("__warningregistry__", None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for x in (-1.0, -1.0, -1.0, -2.0):
            with ag.errstate("warn"):
                ag.log(x)
    assert [str(w.message).partition(":")[0] for w in caught] == ["log(-1.0)", "log(-2.0)"]
    with warnings.catch_warnings(), ag.errstate("warn"):
        warnings.filterwarnings("error")
        warnings.filterwarnings("ignore", module=__name__)
        ag.log(-1.0)


def test_a_traceback_holds_no_line_of_another_file_and_what_a_notebook_reads_of_its_frames():
    for call in (lambda: ag.sqrt(Value(-1.0)), lambda: ag.compile(ag.sqrt)(-1.0), lambda: Value(0.0) ** -1):
        for _ in range(2):                                  # (from the second time on by the quick methods)
            with pytest.raises(ag.DomainError) as caught:
                call()
        for frame, number in traceback.walk_tb(caught.value.__traceback__):
            file, known = frame.f_code.co_filename, inspect.getargvalues(frame)
            inspect.formatargvalues(*known)
            if not os.path.exists(file):
                assert not linecache.getline(file, number, frame.f_globals), file


# -- the rest of the table, and IEEE's answers, operation by operation ---------------------------


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "log_sigmoid", "silu", "gelu", "erf", "erfc",
                                  "normal_cdf", "atan", "elu", "sech2", "gauss"])
@pytest.mark.parametrize("x", [1000.0, -1000.0, 1e300, -1e300])
def test_what_saturates_does_so_without_an_error_in_value_gradient_and_second_derivative(name, x):
    f = TABLE[name]
    value, (gradient,) = differentiated(f, x)
    assert all(map(math.isfinite, (value, gradient, ag.grad(ag.grad(f))(x))))


@pytest.mark.parametrize("name, xs, value", [
    ("log", (-0.0,), -inf), ("log2", (0.0,), -inf), ("log10", (-1.0,), nan), ("log1p", (-1.0,), -inf),
    ("log1p", (-2.0,), nan), ("asin", (2.0,), nan), ("acos", (-2.0,), nan), ("atanh", (2.0,), nan),
    ("lgamma", (-3.0,), inf), ("digamma", (0.0,), -inf), ("digamma", (-0.0,), inf), ("digamma", (-3.0,), nan),
    ("digamma", (5e-324,), -inf), ("polygamma", (1.0, 0.0), inf), ("polygamma", (2.0, 0.0), -inf),
    ("polygamma", (2.0, -1e-200), inf), ("polygamma", (0.5, 2.0), nan), ("exp2", (2000.0,), inf),
    ("expm1", (1000.0,), inf), ("cosh", (-1000.0,), inf), ("lgamma", (1e306,), inf), ("/", (0.0, 0.0), nan),
    ("/", (1.0, -0.0), -inf), ("/", (-1e300, 1e-300), -inf), ("//", (1.0, 0.0), inf), ("//", (0.0, 0.0), nan),
    ("//", (inf, 1.0), nan), ("%", (1.0, 0.0), nan), ("%", (inf, 2.0), nan), ("**", (-0.0, -1.0), -inf),
    ("**", (-0.0, -2.0), inf), ("**", (10.0, 308.5), inf), ("**", (-10.0, 309.0), -inf),
    ("**", (-10.0, 310.0), inf), ("**", (-8.0, 1 / 3), nan), ("**", (1e-200, -2.0), inf),
    ("+", (inf, -inf), nan), ("-", (-1e308, 1e308), -inf), ("*", (inf, 0.0), nan),
    ("*", (1e200, -1e200), -inf),
    ("hypot", (1.7e308, 1.7e308), inf), ("sum", (-1e308, -1e308), -inf), ("fsum", (-1e308, -1e308), -inf),
    ("fsum", (inf, -inf), nan), ("dot", (1e200, -1e200), -inf), ("cos", (-inf,), nan), ("tan", (inf,), nan),
    ("sqrt", (-inf,), nan), ("log", (-inf,), nan), ("digamma", (-inf,), nan), ("softmax", (inf, inf), nan),
    ("power_slope", (0.0, 0.5, 1.0, 0.0), inf), ("power_slope", (0.0, 0.0, 0.0, 1.0), -inf),
    ("power_slope", (-0.0, -1.0, 0.0, 0.0), -inf), ("power_slope", (-2.0, 0.5, 1.0, 0.0), nan),
    ("power_slope", (1e-200, -2.0, 1.0, 0.0), -inf)], ids=str)
def test_what_raises_by_default_gives_ieees_answer_on_request(name, xs, value):
    with pytest.raises(ag.NumericError) as caught:
        TABLE[name](*xs)
    assert caught.value.op == name and caught.value.operands == xs
    with ag.errstate("ignore"):
        assert repr(TABLE[name](*xs)) == repr(value)


@pytest.mark.parametrize("name, xs, value", [
    ("exp", (inf,), inf), ("exp", (-inf,), 0.0), ("log", (inf,), inf), ("sqrt", (inf,), inf),
    ("tanh", (inf,), 1.0),
    ("atan", (-inf,), -math.pi / 2), ("sigmoid", (-inf,), 0.0), ("softplus", (-inf,), 0.0),
    ("relu", (inf,), inf),
    ("log_sigmoid", (-inf,), -inf), ("silu", (-inf,), -0.0), ("gelu", (-inf,), -0.0), ("lgamma", (inf,), inf),
    ("digamma", (inf,), inf), ("polygamma", (1.0, inf), 0.0), ("erf", (-inf,), -1.0),
    ("hypot", (inf, nan), inf),
    ("atan2", (inf, inf), math.pi / 4), ("+", (inf, 1.0), inf), ("*", (-inf, 2.0), -inf),
    ("/", (1.0, inf), 0.0),
    ("**", (nan, 0.0), 1.0), ("**", (1.0, inf), 1.0), ("**", (inf, -1.0), 0.0), ("maximum", (inf, 1.0), inf),
    ("minimum", (nan, 1.0), nan), ("log", (nan,), nan), ("relu", (nan,), nan), ("leaky_relu", (nan,), nan),
    ("logsumexp", (-inf, 0.0), 0.0), ("logsumexp", (-inf, -inf), -inf),
    ("logsumexp", (nan, inf, -inf), nan), ("log_softmax", (nan, inf, -inf), nan),
    ("log_softmax", (0.0, -inf), -0.0), ("log_softmax", (-inf, 0.0), -inf),
    ("softmax_rest", (-inf, 0.0), 1.0), ("softmax_rest", (inf, 0.0), 0.0),
    ("softmax", (-inf, 0.0), 0.0), ("softmax", (inf, 0.0), 1.0), ("softmax", (1.0, inf), 0.0),
    ("softmax", (0.0, -inf, -inf), 1.0), ("sum", (inf, 1.0), inf), ("fsum", (inf, 1.0), inf)], ids=str)
def test_an_infinity_or_a_nan_of_the_users_is_taken_as_ieee_takes_it(name, xs, value):
    assert repr(TABLE[name](*xs)) == repr(value)
    assert repr(TABLE[name](*xs[:-1], Value(xs[-1])).data) == repr(value)


@pytest.mark.parametrize("name", [name for name in TABLE if not name.endswith("_slope")])
def test_no_operand_at_all_makes_a_row_raise_under_ignore(name):
    row = TABLE[name]
    count = 2 if row.open else row.most
    with ag.errstate("ignore"):
        for x in (0.0, -0.0, -1.0, 0.5, -2.5, 1000.0, -1e308, 5e-324, inf, -inf, nan):
            for y in (x, 0.0, -3.0, 1e308, inf, nan):
                xs = (x, y, 0.5)[:row.least if not row.open else count]
                given = row.differentiable(len(xs))
                nodes = [Value(a) if has or not any(given) else a for a, has in zip(xs, given)]
                node = row(*nodes)
                assert type(node.data) is float
                if any(row.differentiable(count)):
                    node.backward()


def test_a_power_that_is_no_real_number_has_none_for_its_gradient_either():
    with ag.errstate("ignore"):
        for base, exponent in ((-2.5, 0.5), (-2.0, -1.5), (nan, 0.0), (nan, 2.0)):
            x = Value(base)
            y = x ** exponent
            y.backward()
            assert type(x.grad) is float and math.isnan(x.grad) and math.isnan(y.partials[0])


def test_a_masked_class_costs_nothing_and_gets_no_gradient():
    loss, gradients = differentiated(lambda *xs: ag.nn.softmax_cross_entropy(xs, 0), 1.0, 1.0, -inf)
    assert loss == math.log(2.0) and gradients == [-0.5, 0.5, 0.0]


def test_a_masked_softmax_has_a_gradient_where_it_is_not_masked():
    value, gradients = differentiated(lambda a, b, c: ag.softmax([a, b, c])[0], 1.0, 1.0, -inf)
    assert value == 0.5 and gradients == [0.25, -0.25, -0.0]
    value, gradients = differentiated(lambda a, b: ag.logsumexp([a, b]), 3.0, -inf)
    assert value == 3.0 and gradients == [1.0, 0.0]


@pytest.mark.parametrize("f, xs, gradients", [
    (lambda x: x ** 0.5, (0.0,), [inf]), (lambda x, e: x ** e, (0.0, 0.5), [inf, 0.0]),
    (lambda x, e: x ** e, (0.0, 0.0), [0.0, -inf]), (lambda x, e: x ** e, (-2.0, 3.0), [12.0, nan]),
    (ag.atan2, (0.0, 0.0), [nan, nan]), (ag.acos, (-1.0,), [-inf]), (ag.log, (1e-320,), [inf]),
    (ag.lgamma, (1e-320,), [-inf]), (lambda x: 1.0 / x, (1e-200,), [-inf]),
    (lambda x: x ** -2.5, (1e-120,), [-inf])], ids=str)
def test_the_derivatives_that_raise_are_ieees_on_request(f, xs, gradients):
    nodes = [Value(x) for x in xs]
    y = f(*nodes)
    with pytest.raises(ag.NumericError):
        y.backward()
    assert [node.grad for node in nodes] == [0.0] * len(xs)
    with ag.errstate("ignore"):
        y.backward()
    assert [repr(node.grad) for node in nodes] == list(map(repr, gradients))
    with ag.errstate("warn"), pytest.warns(ag.AutogradWarning, match="gradient through"):
        y.backward()


@pytest.mark.parametrize("f, x", [
    (ag.log, 1e-320), (ag.log2, 3e-309), (ag.lgamma, 1e-320), (lambda x: 1.0 / x, 1e-200),
    (lambda x: x ** -2.5, 1e-120), (lambda x: x ** -2, 1e-150), (lambda x: 2.0 / x, -1e-160)], ids=str)
def test_a_derivative_that_is_there_but_too_large_is_a_range_error_and_no_domain_error(f, x):
    with pytest.raises(ag.RangeError, match="its derivative is too large for a double"):
        f(Value(x)).backward()


@pytest.mark.parametrize("mode", ["raise", "warn"])
@pytest.mark.parametrize("f, xs", [
    (ag.sqrt, (0.0,)), (ag.cbrt, (0.0,)), (ag.asin, (-1.0,)), (ag.acosh, (1.0,)), (ag.atan2, (0.0, 0.0)),
    (lambda x: x ** 0.5, (0.0,)), (lambda x, e: x ** e, (-2.0, 3.0)), (lambda x, e: x ** e, (0.0, 0.0)),
    (ag.log, (1e-320,))], ids=str)
def test_a_zero_gradient_stops_at_an_infinite_or_missing_partial_unless_that_is_ignored(f, xs, mode):
    nodes = [Value(x) for x in xs]
    other = Value(2.0)
    with ag.errstate(mode), warnings.catch_warnings():
        warnings.simplefilter("error")
        (f(*nodes) * 0.0 + other * other).backward()
        ag.maximum(f(*nodes) - 1e6, other).backward()                   # the branch not taken
    assert [node.grad for node in nodes] == [0.0] * len(nodes) and other.grad == 5.0
    with ag.errstate("ignore"):
        (f(*nodes) * 0.0 + other * other).backward()
    assert any(math.isnan(node.grad) for node in nodes) and other.grad == 9.0


def test_a_message_from_backward_names_the_node_its_operands_and_what_to_use():
    x = Value(0.0, "x")
    square = x * x
    ag.label(square=square)
    root = ag.sqrt(square)
    root.label = "distance"
    with pytest.raises(ag.DomainError) as caught:
        (root * 3.0).backward()
    assert str(caught.value) == (
        "gradient through sqrt(0.0) of 'square' = 'distance': its derivative is infinite at 0; for sqrt(x*x) "
        "use abs(x), for sqrt(x*x + y*y) use hypot(x, y)")
    assert (caught.value.op, caught.value.operands, caught.value.nodes) == ("sqrt", (0.0,), (square,))


def test_the_remedies_help():
    for f, xs in [(abs, (0.0,)), (ag.hypot, (0.0, 0.0)), (lambda x: x ** 3, (-2.0,)), (ag.cbrt, (-8.0,))]:
        value, gradients = differentiated(f, *xs)
        assert all(map(math.isfinite, (value, *gradients)))


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name].singular])
def test_a_row_that_is_singular_somewhere_says_what_to_do_there(name):
    assert ";" in TABLE[name].singular


@pytest.mark.parametrize("name", list(TABLE))
def test_every_row_with_a_domain_says_in_words_what_it_asks_for(name):
    row = TABLE[name]
    plain = (-2.0, -0.5, 0.0, 3.0)
    count = 2 if row.open else row.most
    if not all(row.domain(*[x] * count) for x in plain):
        assert any(word in row.remedy for word in ("must", "needs", "derivative"))


def test_object_arrays_of_values_multiply_and_add_up():
    a = np.array([Value(1.0), Value(2.0)], dtype=object)
    b = np.array([3.0, 4.0])
    for product in (a @ b, b @ a, np.dot(a, b), np.sum(a * b), (a * b).sum()):
        assert type(product) is Value and product.data == 11.0
        for x in a:
            x.grad = 0.0
        product.backward()
        assert [x.grad for x in a] == [3.0, 4.0]
    assert [x.data for x in a ** 2 - a / 2] == [0.5, 3.0]


def test_numpys_functions_and_scalars_keep_the_gradient():
    v = Value(0.5)
    for y, slope in [(np.exp(v), math.exp(0.5)), (np.float64(2.0) * v, 2.0), (v * np.float32(2.0), 2.0),
                     (np.arctan2(v, 1.0), 0.8), (np.int64(1) - v, -1.0), (np.float64(1.0) / v, -4.0)]:
        v.grad = 0.0
        y.backward()
        assert type(y) is Value and v.grad == pytest.approx(slope, rel=1e-15)


@pytest.mark.parametrize("lose", [float, int, math.exp, math.sqrt, round, lambda v: math.hypot(v, 1.0),
                                  lambda v: math.fsum([v])], ids=str)
def test_what_would_lose_the_gradient_is_a_type_error_that_says_what_to_use(lose):
    with pytest.raises(TypeError, match=r"autograd_lite\.exp|v\.data|__round__"):
        lose(Value(0.5, "x"))
