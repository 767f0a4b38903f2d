"""At home beside NumPy: the ops over arrays, NumPy's functions of Values, and what is refused, in words."""
from __future__ import annotations

import math
import operator
import re
from fractions import Fraction
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value, grad, hessian
from autograd_lite.ops.op import TABLE

XS = np.array([0.2, 0.5, 0.9])
VALUES = np.frompyfunc(Value, 1, 1)


def refused(match: str) -> Any:
    return pytest.raises(ag.InputError, match=match)


def numbers(array: Any) -> list[Any]:
    """The numbers in an array of Values and floats."""
    return [getattr(x, "data", x) for x in np.asarray(array, object).ravel()]


# -- the ops over arrays ------------------------------------------------------------------------------

CLOSED = [name for name, op in TABLE.items() if not op.open and name.isidentifier()]


@pytest.mark.parametrize("name", CLOSED)
def test_an_op_of_arrays_is_the_op_of_their_entries(name: str) -> None:
    op = TABLE[name]
    rows = [np.array([1.0, 2.0])] * op.least if name in ("power_slope", "polygamma", "acosh") else [
        np.array([0.25, 0.75])] * op.least
    expected = [op(*[float(row[i]) for row in rows]) for i in range(2)]
    found = op(*rows)
    assert found.dtype == float and found.tolist() == expected
    if any(op.differentiable(op.least)) and not op.options:
        tracked = op(*[VALUES(row) for row in rows])
        assert tracked.dtype == object and [(x.data, x.op) for x in tracked] == [(y, name) for y in expected]


@pytest.mark.parametrize("array, expected", [
    (np.zeros((0, 2)), np.zeros((0, 2))), (np.arange(6.0)[::-2], np.exp([5.0, 3.0, 1.0])),
    (np.arange(4.0).reshape(2, 2).T, np.exp([[0.0, 2.0], [1.0, 3.0]])),
    (np.arange(3), np.exp([0.0, 1.0, 2.0])),
    (np.array([True, False]), [math.e, 1.0]), (np.float32([1.0]), [math.e]), (np.array(0.0), 1.0)],
    ids=["empty", "backwards", "transposed", "ints", "bools", "float32", "0-d"])
def test_an_array_of_any_kind_and_shape_gives_floats_of_its_shape(array: Any, expected: Any) -> None:
    found = ag.exp(array)
    assert np.shape(found) == np.shape(expected) and np.asarray(found).dtype == float
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_a_0_d_array_of_a_value_gives_a_value() -> None:
    box = np.empty((), object)
    box[()] = Value(0.0)
    assert type(ag.exp(box)) is Value


def test_operands_are_broadcast_and_options_too() -> None:
    column = VALUES(XS[:, None])
    found = ag.atan2(column, np.array([1.0, 2.0]))
    assert found.shape == (3, 2) and found[1, 1].data == math.atan2(0.5, 2.0)
    assert ag.hypot(Value(3.0), np.array([4.0]))[0].data == 5.0
    assert ag.leaky_relu(np.array([-1.0, 1.0]), np.array([0.5, 0.5])).tolist() == [-0.5, 1.0]
    assert ag.relu(VALUES(np.zeros(2)), at_zero=1.0)[0].partials[0] == 1.0
    with pytest.raises(ValueError, match="broadcast"):
        ag.hypot(XS, XS[:2])


def test_what_is_no_array_of_numbers_is_refused_in_words() -> None:
    for thing, words in (([1.0], "map the function"), (np.array([1j]), "only real"),
                         (np.array(["a"]), "str 'a'"), (np.ma.array([1.0, 2.0], mask=[0, 1]), "compressed"),
                         (np.array([None]), "missing")):
        with refused(words):
            ag.sin(thing)
    with refused("2 were given"):
        ag.sin(XS, XS)
    with pytest.raises(ag.DomainError, match=r"log\(-2.0\)"):
        ag.log(np.array([1.0, -2.0]))
    with refused("map the function"):
        ag.sum(np.ones((2, 2)))


@pytest.mark.parametrize("by", [operator.add, operator.mul, operator.truediv, operator.pow, np.ma.multiply,
                                np.ma.maximum, np.ma.hypot])
def test_a_masked_array_with_a_value_is_refused_and_no_gradient_is_lost(by: Any) -> None:
    masked = np.ma.array([1.0, 2.0], mask=[0, 1])
    for x in (masked, np.ma.masked):
        for call in (lambda v: by(x, v), lambda v: by(v, x)):
            for way in (call, ag.compile(call)):
                with refused("a masked array with a Value .*compressed"):
                    way(Value(3.0))
    with refused("compressed"):
        np.ma.array([Value(1.0)], mask=[0])[0] = Value(2.0)
    assert "_mask" not in dir(Value(1.0))


@pytest.mark.parametrize("kind", ["m8", "M8"])
@pytest.mark.parametrize("unit", ["ns", "s", "D"])
def test_times_are_no_numbers_in_any_unit(kind: str, unit: str) -> None:
    """NumPy gives those of nanoseconds as ints, and calls a difference of times an integer."""
    times, v = np.array([5, 6], f"{kind}[{unit}]"), Value(2.0)
    for t in (times, times[0], times[:0]):
        for call in (lambda: v * t, lambda: t * v, lambda: np.maximum(t, v), lambda: ag.maximum(v, t),
                     lambda: ag.exp(t), lambda: ag.isnan(t), lambda: v < t, lambda: grad(ag.exp)(t)):
            with pytest.raises(ag.InputError):
                call()
    with refused("divide a difference of two by a unit"):
        times * v
    assert (v * ((times - times[0]) / np.timedelta64(1, unit)))[1].data == 2.0


def model(a: Any, b: Any) -> Any:
    y = ag.where(ag.greater(a, 0.4), ag.sin(a), ag.logaddexp(a, b)) * ag.maximum(a, b)
    return ag.sum(y) + np.std(a) if ag.isfinite(a).all() else 0.0


@pytest.mark.parametrize("f", [model, grad(model), grad(model, (0, 1)), hessian(model)],
                         ids=["value", "grad", "both", "hessian"])
def test_arrays_within_a_compiled_function_are_those_of_the_eager_one(f: Any) -> None:
    fast = ag.compile(f)
    for a, b in ((XS, XS[::-1] + 0.1), (XS * 0.3, XS), (XS + 1.0, XS)):
        np.testing.assert_allclose(np.asarray(fast(a, b)), np.asarray(f(a, b)), rtol=1e-15, atol=0)


@pytest.mark.parametrize("f", [lambda a: np.full_like(a, 1.0),
                               lambda a: np.piecewise(a, [a > 0.4], [1.0, 2.0])])
def test_a_compiled_function_may_return_an_array_of_constants(f: Any) -> None:
    found = ag.compile(f)(XS)
    assert found.tolist() == f(XS).tolist() and found.dtype == float


@pytest.mark.parametrize("by", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow,
                                operator.mod, operator.floordiv])
def test_a_traced_number_meets_an_array_of_numbers_on_either_side(by: Any) -> None:
    xs = np.array([1.5, 2.0, 3.0])
    for operand in (xs, xs.astype(int), VALUES(xs)):
        def f(x: Any) -> Any:
            made = ag.exp(x)                                # (a number that is computed, and an argument)
            return sum([ag.sum(y) for y in (by(made, operand), by(operand, made), by(x, operand))])

        expected = ag.grad(f)(0.5)                          # (and each operator has been used before)
        assert ag.compile(ag.grad(f))(0.5) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("f", [
    lambda p: ag.sum((p[0] * np.exp(-p[1] * XS) - XS) ** 2), lambda p: ag.sum(ag.exp(XS * p[0])),
    lambda p: -p[1] * (XS * p[0]) @ XS, lambda p: ag.sum(ag.hypot(p[0], XS * p[1])),
    lambda p: ag.sum(ag.maximum(XS * p[0], p[1])), lambda p: ag.sum(ag.leaky_relu(XS * p[0], 0.1)),
    lambda p: ag.sum(ag.where(ag.greater(XS * p[0], 0.5), XS * p[0], p[1])),
    lambda p: ag.sum(ag.polygamma(1, XS * p[0])), lambda p: ag.sum(ag.logaddexp(XS * p[0], p[1]))])
def test_arrays_of_traced_numbers_need_no_guard(f: Any) -> None:
    fast = ag.compile(grad(f))
    for x in (1.0, 1.1, 1.2):
        assert fast(np.array([x, 0.5])) == pytest.approx(grad(f)(np.array([x, 0.5])), rel=1e-14)
    assert (fast.stats.programs, fast.stats.guards) == (1, 0)


def test_a_hessian_through_arrays_is_right() -> None:
    found = hessian(lambda a: ag.sum(ag.exp(2.0 * a)))(XS)
    np.testing.assert_allclose(found, np.diag(4 * np.exp(2 * XS)), rtol=1e-15)


def test_a_choice_between_arrays_goes_entry_by_entry() -> None:
    a = VALUES(XS)
    found = ag.where(ag.greater(a, 0.4), a * 2.0, -a)
    assert numbers(found) == [-0.2, 1.0, 1.8]
    assert ag.where(XS > 0.4, XS, 0.0).tolist() == [0.0, 0.5, 0.9]
    assert ag.where(True, XS, 0.0).tolist() == XS.tolist()
    with refused("condition must be"):
        ag.where(np.array(["a"]), XS[:1], XS[:1])


# -- logaddexp, and the questions -----------------------------------------------------------------------


def test_logaddexp_is_exact_at_ties_far_apart_and_at_infinity() -> None:
    assert ag.logaddexp(inf, inf) == inf and ag.logaddexp(-inf, -inf) == -inf
    assert ag.logaddexp(-inf, 1.0) == 1.0 and ag.logaddexp(inf, -inf) == inf
    assert math.isnan(ag.logaddexp(nan, 1.0)) and ag.logaddexp(800.0, -800.0) == 800.0
    assert grad(ag.logaddexp, (0, 1))(3.0, 3.0) == (0.5, 0.5)
    assert grad(ag.logaddexp, (0, 1))(0.0, -700.0) == (1.0, math.exp(-700.0))
    p = 1.0 / (1.0 + math.e)
    second = hessian(ag.logaddexp, (0, 1))(1.0, 2.0)
    np.testing.assert_allclose(second, [[p - p * p, p * p - p], [p * p - p, p - p * p]], rtol=1e-14)
    third = grad(grad(grad(lambda a: ag.logaddexp(a, 0.0))))(0.5)
    s = 1.0 / (1.0 + math.exp(-0.5))
    assert third == pytest.approx(s * (1 - s) * (1 - 2 * s), rel=1e-13)


@pytest.mark.parametrize("target", ["python", "native"])
def test_a_compiled_logaddexp_is_the_eager_one(target: Any) -> None:
    if target == "native":
        pytest.importorskip("llvmlite")
    fast = ag.compile(ag.logaddexp, target=target)
    assert fast(1.0, 2.5) == ag.logaddexp(1.0, 2.5) and "log1p" in fast.source("c")
    both = ag.compile(ag.logaddexp, batch=("a", "b"))(XS, XS[::-1].copy())
    np.testing.assert_allclose(both, np.logaddexp(XS, XS[::-1]), rtol=1e-15)


@pytest.mark.parametrize("ask, answers", [(ag.isfinite, (True, False, False)),
                                          (ag.isnan, (False, False, True)), (ag.isinf, (False, True, False))])
def test_a_question_of_numbers_values_and_arrays_has_one_answer(ask: Any, answers: Any) -> None:
    xs = [1.0, -inf, nan]
    fast = ag.compile(lambda x: x if ask(x) else 7.0)
    for x, answer in zip(xs, answers):
        assert ask(x) is ask(Value(x)) is answer
        assert fast(x) == 7.0 or answer
    assert ask(np.array(xs)).tolist() == ask(VALUES(np.array(xs))).tolist() == list(answers)
    assert ask(np.array(xs)).dtype == bool and ask(np.zeros((0,), object)).dtype == bool
    assert ask(1) is answers[0] and ask(Fraction(1, 2)) is answers[0]
    with refused(f"{ask.__name__}: expected a real number"):
        ask("a")


def test_floor_and_ceil_are_whole_and_have_no_slope() -> None:
    assert (ag.floor(-0.5), ag.ceil(-0.5), ag.floor(2), ag.ceil(2.5)) == (-1.0, 0.0, 2.0, 3.0)
    assert grad(lambda x: x * ag.floor(x) + ag.ceil(x))(2.5) == 2.0
    assert ag.floor(XS * 10).tolist() == [2.0, 5.0, 9.0]


def test_copysign_sees_the_sign_of_0_and_has_no_slope_by_it() -> None:
    for b in (2.0, -2.0, 0.0, -0.0, inf, -inf):
        expected = math.copysign(3.0, b)
        assert ag.copysign(-3.0, b) == ag.copysign(Value(-3.0), b).data == expected
        assert ag.copysign(-3.0, Value(b)).data == expected
        assert np.copysign(-3.0, Value(b)).data == ag.compile(ag.copysign)(-3.0, b) == expected
        assert grad(ag.copysign, (0, 1))(-3.0, b) == (-expected / 3.0, 0.0)
    assert ag.copysign(XS, -XS).tolist() == (-XS).tolist()


# -- NumPy's functions, where an operand is a Value ------------------------------------------------------


@pytest.mark.parametrize("ufunc, at, expected", [
    (np.deg2rad, 90.0, (math.pi / 2, math.pi / 180)), (np.radians, 90.0, (math.pi / 2, math.pi / 180)),
    (np.rad2deg, math.pi, (180.0, 180.0 / math.pi)), (np.degrees, math.pi, (180.0, 180.0 / math.pi)),
    (np.square, 3.0, (9.0, 6.0)), (np.reciprocal, 4.0, (0.25, -0.0625)), (np.fabs, -2.0, (2.0, -1.0)),
    (np.sign, -2.0, (-1.0, 0.0)), (np.floor, 2.5, (2.0, 0.0)), (np.ceil, 2.5, (3.0, 0.0)),
    (np.trunc, -2.5, (-2.0, 0.0)), (np.conjugate, 2.0, (2.0, 1.0)), (np.positive, 2.0, (2.0, 1.0))],
    ids=lambda x: getattr(x, "__name__", ""))
def test_a_function_of_numpys_without_an_op_has_its_derivative(ufunc: Any, at: float, expected: Any) -> None:
    assert ag.value_and_grad(lambda v: 1.0 * ufunc(v))(at) == pytest.approx(expected, rel=1e-15)
    if ufunc not in (np.floor, np.ceil, np.trunc):        # (object arrays call a method)
        one = ag.value_and_grad(lambda a: 1.0 * ufunc(a)[0])(np.array([at]))
        assert (one[0], one[1][0]) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("ufunc", [np.deg2rad, np.rad2deg])
def test_degrees_and_radians_compile(ufunc: Any) -> None:
    for f, x in ((ufunc, 1.5), (ufunc, XS), (grad(lambda a: ag.sum(ufunc(a) ** 2)), XS)):
        np.testing.assert_array_equal(ag.compile(f)(x), numbers(f(VALUES(x))) if f is ufunc else f(x))


@pytest.mark.parametrize("f", [
    lambda x: np.where(x > 0.0, x * x, 0.0), lambda x: np.select([x > 0.0], [x * x], 0.0),
    lambda x: np.asarray(x * x), lambda x: np.vectorize(lambda y: y * y)(x),
    lambda x: np.piecewise(np.asarray(x), [x > 0.0], [lambda y: y * y, 0.0])])
def test_an_array_without_axes_is_the_number_in_it(f: Any) -> None:
    for wrap in (lambda t: t, ag.compile):
        assert wrap(ag.value_and_grad(f))(3.0) == (9.0, 6.0) and wrap(hessian(f))(3.0) == 2.0
    assert grad(lambda x: (f(x), "more"), has_aux=True)(3.0) == (6.0, "more")
    assert ag.check_gradients(f, 3.0).ok
    hidden = np.ma.array([Value(1.0)], mask=[True]).reshape(())
    for wrong in (np.array(None), np.array("text", object), hidden, np.ma.masked):
        with refused("a gradient needs one number"):
            grad(lambda x: wrong)(3.0)


def test_asking_numpy_about_a_value_gives_bools() -> None:
    v = Value(inf)
    assert (np.isfinite(v), np.isinf(v), np.isnan(v)) == (False, True, False)
    out = np.empty((), bool)
    assert np.isnan(Value(nan), out=out) is out and out
    assert np.less(XS, Value(0.5)).tolist() == [True, False, False]
    for ask in (np.logical_and, np.logical_or, np.logical_xor):
        for b in (0.0, 2.0, Value(0.0), Value(2.0)):
            assert ask(v, b) is bool(ask(inf, float(getattr(b, "data", b))))
        found, expected = ask(XS - 0.5, Value(2.0)), ask(XS - 0.5, 2.0)
        assert found.dtype == bool and found.tolist() == expected.tolist()
        assert ask.reduce(found) == ask.reduce(expected) and ask.outer(XS, v).dtype == bool


@pytest.mark.parametrize("ufunc, op", [(np.maximum, ag.maximum), (np.fmin, ag.minimum), (np.hypot, ag.hypot),
                                       (np.logaddexp, ag.logaddexp), (np.float_power, pow)])
def test_all_ways_of_a_ufunc_take_the_same_op(ufunc: Any, op: Any) -> None:
    v, a = Value(0.5), VALUES(XS)
    expected = [op(x, v).data for x in a]
    assert numbers(ufunc(a, v)) == numbers(ufunc(a, v, out=np.empty(3, object))) == expected
    assert numbers(ufunc.outer(a, v)) == expected
    kept = ufunc(a, v, out=np.zeros(3, object), where=XS < 0.6)
    assert numbers(kept) == [*expected[:2], 0]
    changed = a.copy()
    ufunc.at(changed, [0], v)
    assert numbers(changed) == [expected[0], 0.5, 0.9]
    if op is ag.maximum:
        assert ufunc(v, Value(0.5)).partials == ufunc(a, v, out=np.empty(3, object))[1].partials == (0.5, 0.5)


def test_fmax_passes_over_a_nan_and_maximum_does_not() -> None:
    v = Value(1.0)
    assert np.fmax(np.array([nan, 2.0]), v)[0] is v and np.fmax(nan, v) is v
    assert math.isnan(np.maximum(nan, v).data)


def test_divmod_of_arrays_and_a_value() -> None:
    whole, rest = divmod(np.array([3.5, 2.0]), Value(1.5))
    assert numbers(whole) == [2.0, 1.0] and numbers(rest) == [0.5, 0.5]


@pytest.mark.parametrize("call, words", [
    (lambda v: np.fmod(v, XS), "%"),
    (lambda v: np.rint(v), r"floor\(v \+ 0.5\)"), (lambda v: np.logaddexp2(XS, v), "logaddexp"),
    (lambda v: np.modf(v), "v % 1.0"), (lambda v: np.frexp(v), "v.data"),
    (lambda v: np.signbit(v), "v < 0.0"),
    (lambda v: np.nextafter(v, 1.0), "v.data"), (lambda v: np.exp(XS, out=v), "out= must be an array"),
    (lambda v: np.exp(v, where=v), "where= must be"), (lambda v: np.exp(v, dtype=float), "leave out dtype"),
    (lambda v: XS.__iadd__(v), "Cannot cast"), (lambda v: v | XS, "bitwise_or"),
    (lambda v: np.maximum(np.array(["a"]), v), "str 'a'")])
def test_what_numpy_cannot_do_with_a_value_says_what_to_write(call: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call(Value(0.5))


def test_scipys_functions_of_a_value_are_ours() -> None:
    special = pytest.importorskip("scipy.special")
    for theirs, ours in ((special.expit, ag.sigmoid), (special.gammaln, ag.lgamma), (special.psi, ag.digamma),
                         (special.ndtr, ag.normal_cdf), (special.log_expit, ag.log_sigmoid),
                         (special.erf, ag.erf)):
        assert theirs(Value(1.5)).data == ours(1.5)
    with refused("not for Values"):
        special.j0(Value(1.0))


# -- numbers of NumPy's -------------------------------------------------------------------------------------

KINDS = [np.float64, np.float32, np.float16, np.int64, np.int32, np.int8, np.uint64, np.uint8, np.bool_, bool,
         np.longdouble]


def held(y: Any) -> Any:
    """All that a node holds, and its derivatives."""
    return y.data, y.op, [getattr(x, "data", x) for x in y.operands], y.partials, [
        type(x) for x in y.operands]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if op.most > 1])
def test_a_number_of_numpys_is_to_each_op_the_float_that_it_equals(name: str, kind: Any) -> None:
    op, v, k = TABLE[name], Value(0.75, "v"), kind(1)
    for operands in [[v, k], [k, v], [v, k, v], [k, k, v]]:
        if not (op.open or len(operands) == op.least):
            continue
        plain = [float(x) if x is k else x for x in operands]
        try:
            expected = held(op(*plain))
        except ag.AutogradError as error:
            with pytest.raises(type(error), match=re.escape(str(error))):
                op(*operands)
        else:
            assert held(op(*operands)) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("f", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow,
                               operator.mod, operator.floordiv, divmod, np.hypot, np.arctan2, np.maximum])
def test_a_number_of_numpys_stands_on_either_side_of_an_operator(f: Any, kind: Any) -> None:
    v, k = Value(1.5), kind(1)
    for x, y in ((v, k), (k, v)):
        found, expected = f(x, y), f(*[float(x) if x is k else x for x in (x, y)])
        pairs = list(zip(found, expected)) if f is divmod else [(found, expected)]
        assert [held(x) for x, _ in pairs] == [held(y) for _, y in pairs]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CLOSED)
def test_an_op_of_plain_numbers_of_numpys_or_ints_is_that_of_floats(name: str, kind: Any) -> None:
    op = TABLE[name]
    for x in (kind(1), 1, kind(0)):
        try:
            expected = op(*[float(x)] * op.least)
        except ag.AutogradError as error:
            with pytest.raises(type(error), match=re.escape(str(error))):
                op(*[x] * op.least)
        else:
            found = op(*[x] * op.least)
            assert type(found) is float and str(found) == str(expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge", "eq", "ne"])
def test_a_number_of_numpys_is_compared_from_either_side(name: str, kind: Any) -> None:
    compare, v, k = getattr(operator, name), Value(1.0), kind(1)
    for x, y in ((v, k), (k, v), (v + 1.0, k), (k, v + 1.0)):
        found = compare(x, y)
        assert isinstance(found, (bool, np.bool_)) and bool(found) is compare(
            *[float(z) if z is k else z.data for z in (x, y)])
    taken = ag.grad(lambda x: x * x if compare(k, x) else 3.0 * x)
    assert taken(2.0) == (4.0 if compare(1.0, 2.0) else 3.0)
    assert ag.compile(taken)(2.0) == taken(2.0) and ag.compile(taken)(0.5) == taken(0.5)


def test_a_longdouble_is_compared_with_a_value_on_either_side():
    for k in (np.longdouble(2.0), np.array([2.0], np.longdouble)):
        for by in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne, np.less):
            for v in (Value(1.5), Value(2.0)):
                assert bool(by(k, v)) == by(2.0, v.data) and bool(by(v, k)) == by(v.data, 2.0)
        with refused("bitwise_and is not for Values"):
            k & Value(1.0)


ODD = [lambda v, x: v * x, lambda v, x: x * v, lambda v, x: ag.sum([v, x, v]), lambda v, x: ag.hypot(x, v)]


@pytest.mark.parametrize("f", ODD)
@pytest.mark.parametrize("x, error, match", [
    (np.timedelta64(1, "s"), TypeError, None), (np.complex128(1.0), TypeError, None),
    (np.str_("a"), TypeError, None),
    (np.longdouble("1e400"), ag.RangeError, "too large for a double")])
def test_what_is_no_number_or_no_double_is_refused_as_ever(f: Any, x: Any, error: Any, match: str) -> None:
    for _ in range(2):                              # (also once its kind was seen)
        with pytest.raises(error, match=match):
            f(Value(1.0), x)


@pytest.mark.parametrize("f", ODD)
@pytest.mark.parametrize("x", [np.float64(nan), np.float32(inf), np.float64(-0.0), np.uint64(2 ** 64 - 1)])
def test_a_special_number_of_numpys_is_its_float(f: Any, x: Any) -> None:
    found, expected = f(Value(1.0), x), f(Value(1.0), float(x))
    assert str(found.data) == str(expected.data) and found.op == expected.op


# -- object arrays ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [
    np.std, np.var, np.mean, np.prod, np.sum, np.median, np.ptp, np.average, np.linalg.norm, np.trapezoid,
    lambda a: np.std(a, ddof=1), lambda a: np.cumsum(a)[-1], lambda a: np.vdot(a, a),
    lambda a: np.clip(a, 0.3, 0.6).sum(),
    lambda a: np.square(a).sum(), lambda a: np.diff(a).prod(), lambda a: np.einsum("i,i->", a, XS),
    lambda a: np.outer(a, a).sum(), lambda a: np.polyval(a, 2.0), lambda a: np.sinc(a).sum(),
    lambda a: np.linalg.matrix_power(a.reshape(1, 3).T @ a.reshape(1, 3), 2).sum(), lambda a: np.max(a),
    lambda a: np.vectorize(lambda x: x * x)(a).sum(), lambda a: np.apply_along_axis(np.prod, 0, a).sum(),
    lambda a: np.piecewise(a, [a > 0.4], [lambda x: x * x, lambda x: -x]).prod(),
    lambda a: np.linspace(a[0], a[1] * a[2], 4).prod(), lambda a: np.geomspace(a[0], a[2], 4).sum(),
    lambda a: np.sum(a, where=XS > 0.4, initial=1.0) ** 2, lambda a: np.std(a.reshape(1, 3), axis=1).sum(),
    lambda a: np.add.reduceat(a, [0, 2]).prod(), lambda a: np.linalg.norm(np.outer(a, a), 1),
    lambda a: np.select([a > 0.6, a > 0.3], [a, a * a], 1.0).prod(), lambda a: np.convolve(a, a)[2],
    lambda a: (np.abs(a) ** 3).sum() ** (1 / 3), lambda a: np.pad(a, 1, mode="reflect").prod()],
    ids=lambda f: f.__name__)
def test_a_common_function_of_an_object_array_has_its_value_and_gradient(f: Any) -> None:
    value, gradient = ag.value_and_grad(f)(XS)
    assert value == pytest.approx(float(f(XS)), rel=1e-14)
    for i in range(3):                          # (differences, in more digits than they need)
        step = np.eye(3)[i] * 1e-5
        assert gradient[i] == pytest.approx((f(XS + step) - f(XS - step)) / 2e-5, rel=1e-6, abs=1e-9)


def test_numpys_maximum_of_object_arrays_takes_one_side_of_a_tie_and_ours_both() -> None:
    a, b = VALUES(np.ones(1)), VALUES(np.ones(1))
    assert np.maximum(a, b)[0] is a[0]
    assert ag.maximum(a, b)[0].partials == (0.5, 0.5)


@pytest.mark.parametrize("call", [
    np.isfinite, lambda a: np.logaddexp(a, a), np.linalg.inv, np.round, np.floor, np.cov,
    lambda a: np.interp(a, XS, XS), lambda a: np.quantile(a, 0.5), lambda a: a.astype(float), np.histogram,
    lambda a: np.isclose(a, a), lambda a: np.linalg.norm(a, 3), lambda a: np.hypot(1.0, a),
    lambda a: np.sum(a, where=XS > 0.4), lambda a: np.add(a, 1.0, out=XS.copy()), np.gradient,
    lambda a: np.mean(a, dtype=float), lambda a: XS.copy().fill(a[0]), lambda a: np.full_like(XS, a[0])],
    ids=lambda f: f.__name__)
def test_what_numpy_has_no_loop_for_is_an_error_and_loses_nothing(call: Any) -> None:
    with pytest.raises((TypeError, AttributeError, ValueError)):            # (a LinAlgError is the last)
        call(VALUES(XS))


@pytest.mark.parametrize("call, words", [
    (lambda a: np.fmod(a, 2.0), "a % b"), (lambda a: np.logical_xor(a, a), r"bool\(a\)")])
def test_what_an_object_array_asks_of_a_value_says_what_to_write(call: Any, words: str) -> None:
    with pytest.raises(AttributeError, match=words):
        call(VALUES(XS))
    for round_ in (np.rint, np.round):
        with pytest.raises(TypeError, match="rint") as caught:
            round_(VALUES(XS))
        assert "floor(v + 0.5)" in str(caught.value.__cause__)


# -- the table of the page ---------------------------------------------------------------------------------

PAGE = (Path(__file__).parent.parent / "docs" / "numpy.md").read_text(encoding="utf-8")
ERRORS = {"TypeError": TypeError, "InputError": ag.InputError, "AttributeError": AttributeError}
ROWS = [(name, *cells[1:3]) for cells in [[cell.strip() for cell in line.strip("| ").split(" | ")]
                                          for line in PAGE.splitlines() if line.count(" | ") >= 2]
        for name in re.findall(r"\w+", cells[0]) if isinstance(getattr(np, name, None), np.ufunc)]


@pytest.mark.parametrize("name, of_value, of_array", ROWS)
def test_the_table_says_of_each_function_what_it_does(name: str, of_value: str, of_array: str) -> None:
    ufunc, rest = getattr(np, name), [0.5] * (name == "heaviside")          # (its second is an option)
    for says, x in ((of_value, Value(0.5)), (of_array, VALUES(XS))):
        if says in ERRORS:
            with pytest.raises(TypeError if says == "InputError" else ERRORS[says]) as caught:
                ufunc(*[x] * (ufunc.nin - len(rest)), *rest)
            assert isinstance(caught.value, ag.InputError) is (says == "InputError")
        else:
            found = ufunc(*[x] * (ufunc.nin - len(rest)), *rest)
            kind = {"a bool": bool, "ints": int}.get(says.partition(",")[0], Value)
            for y in np.ravel(np.asarray(found, object)):
                assert isinstance(y, kind)
