"""`Value`: what may be one, Python's and NumPy's operators, gradients, and what is refused."""
import copy
import gc
import math
import operator
import struct
import tracemalloc
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
import oracle
from autograd_lite import (DivisionError, DomainError, GradientError, InputError, RangeError, Value,
                           no_grad)
from autograd_lite.graph import backward as backward_module
from autograd_lite.graph.walks import topological
from autograd_lite.ops.op import TABLE
from autograd_lite.ops.whole import whole
from graphs import computations, gradients, python_build, recorded, results, rounded

finite = st.floats(allow_nan=False, allow_infinity=False)
everyday = st.floats(-100, 100)


def bits(x):
    """The double itself: tells 0.0 from -0.0 and takes a nan as equal to itself."""
    return struct.pack("d", x) if x == x else "nan"


# -- what a Value is made of ----------------------------------------------------------------

NUMBERS = [3, -0.0, 1.5, True, False, Fraction(1, 3), 2 ** 53 + 1, 10 ** 300, 5e-324, math.inf, -math.inf,
           math.nan, np.float64(1.5), np.float32(0.1), np.float16(0.1), np.longdouble(0.1), np.int8(-3),
           np.int64(2 ** 62), np.uint64(2 ** 64 - 1), np.bool_(True), np.array(2.5), np.array(7),
           np.array(True)]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda x: f"{type(x).__name__}:{str(x)[:12]}")
def test_a_real_number_of_any_kind_becomes_the_nearest_float(number):
    v = Value(number)
    assert type(v.data) is float
    assert bits(v.data) == bits(float(number))


REFUSED = [1j, np.complex128(1), "1", b"1", None, [1.0], (1.0,), {1.0}, {"a": 1.0}, Decimal("1"),
           np.array([1.0]), np.array([1.0, 2.0]), np.array([[1.0]]), np.array(1j), np.array(None),
           np.datetime64("2020-01-01"), np.str_("1"), object(), float, math.exp,
           iter([1.0]), Value(1.0), pytest.param(np.array(Value(1.0), dtype=object), id="boxed")]


@pytest.mark.parametrize("thing", REFUSED, ids=lambda x: type(x).__name__)
def test_anything_else_is_a_type_error_that_names_it_and_a_remedy(thing):
    with pytest.raises(InputError, match=type(thing).__name__) as error:
        Value(thing)
    assert isinstance(error.value, TypeError)
    message = str(error.value)
    assert message.startswith("Value: expected a real number, got") and len(message) < 300
    assert len(message.rpartition(": ")[2]) > 10                  # it says what to do


def test_wrapping_a_value_twice_says_to_use_the_one_there_is():
    with pytest.raises(InputError, match=r"it is a Value already.*detach\(\)"):
        Value(Value(1.0))


@pytest.mark.parametrize("number", [10 ** 400, -10 ** 400, Fraction(10 ** 400, 3), 10 ** 5000],
                         ids=["large", "negative", "fraction", "unprintable"])
def test_a_number_too_large_for_a_double_is_an_overflow_error(number):
    with pytest.raises(RangeError, match="too large for a double") as error:
        Value(number)
    assert isinstance(error.value, OverflowError) and len(str(error.value)) < 300


def test_a_long_double_too_large_for_a_double_does_not_become_infinite_unseen():
    number = np.longdouble(2) ** 2000
    if not np.isfinite(number):
        pytest.skip("long doubles are doubles here")
    with pytest.raises(RangeError):
        Value(number)
    assert Value(np.longdouble("inf")).data == math.inf


@given(st.integers() | st.fractions() | finite | st.floats(width=32).map(np.float32))
def test_a_value_reads_back_as_the_float_of_what_it_was_made_of(number):
    assert bits(Value(number).data) == bits(float(number))


@pytest.mark.parametrize("number", [3, np.int8(3), np.uint64(3), np.array(3), 10 ** 5000],
                         ids=lambda x: f"{type(x).__name__}{math.log10(x):.0f}")
def test_a_whole_number_of_any_kind_becomes_an_int(number):
    found = whole(number, "n")
    assert type(found) is int and found == operator.index(number)


@pytest.mark.parametrize("thing", [
    True, False, np.bool_(True), np.array(True), 3.0, np.float64(3.0), Fraction(3), Decimal(3), "3", None,
    np.array([3]), [3], 3j, Value(3), math.nan, math.inf, int], ids=lambda x: type(x).__name__)
def test_where_a_whole_number_is_asked_anything_else_is_refused_by_name_bools_too(thing):
    with pytest.raises(InputError, match=r"^n must be a whole number, not "):
        whole(thing, "n")


@pytest.mark.parametrize("least", [-2, 0, 1])
def test_a_whole_number_is_taken_from_the_least_on(least):
    assert whole(least, "n", least) == least
    for below in (least - 1, np.int64(least - 1), -10 ** 5000):
        with pytest.raises(InputError, match=f"^n must be at least {least}, not "):
            whole(below, "n", least)


def test_a_fresh_value_is_a_leaf_with_no_label_and_no_gradient_yet():
    v = Value(1.5)
    assert (v.data, v.grad, v.op, v.operands, v.label, v.scope, v.requires_grad, v.partials) == \
        (1.5, 0.0, "", (), "", (), True, ())


def test_a_value_cannot_be_given_an_attribute_it_does_not_have():
    with pytest.raises(AttributeError):
        Value(1.0).gradient = 2.0


def test_value_cannot_be_subclassed_since_its_results_would_not_be_of_the_subclass():
    with pytest.raises(InputError, match="cannot be subclassed"):
        type("Mine", (Value,), {})


# -- label, scope, repr, formatting ---------------------------------------------------------

def test_a_label_is_any_string_and_nothing_else():
    v = Value(1.0, "weight → ½\n")
    assert v.label == "weight → ½\n"
    v.label = "b"
    assert v.label == "b"
    for wrong in (1, None, b"b", ["b"]):
        with pytest.raises(InputError, match="a label is a str"):
            v.label = wrong
        with pytest.raises(InputError, match="a label is a str"):
            Value(1.0, wrong)
    assert v.label == "b"
    v.label = ""
    assert v.label == ""


def test_label_and_scope_do_not_disturb_each_other():
    v = Value(1.0, "a") * 2.0
    v.scope = ["layer 1", "neuron 2"]
    v.label = "z"
    assert (v.label, v.scope) == ("z", ("layer 1", "neuron 2"))
    v.scope = ()
    assert (v.label, v.scope) == ("z", ())


def test_a_repr_says_number_label_op_and_gradient():
    x = Value(2.0, "x")
    y = x * x
    y.backward()
    assert repr(x) == "Value(2.0, 'x', grad=4.0)"
    assert repr(y) == "Value(4.0, op='*', grad=1.0)"
    assert repr(Value(1.0, requires_grad=False)) == "Value(1.0, requires_grad=False)"


@given(finite, st.text(max_size=5))
def test_the_repr_of_a_constant_leaf_makes_it_again(number, label):
    v = eval(repr(Value(number, label, requires_grad=False)))
    assert (bits(v.data), v.label, v.requires_grad) == (bits(number), label, False)


@given(finite, st.sampled_from([".3f", "+.2e", "g", ">12", "%", "010.4f"]))
def test_formatting_with_a_format_is_that_of_the_number(number, spec):
    assert format(Value(number), spec) == format(number, spec)


def test_formatting_without_a_format_is_the_repr():
    v = Value(1.5, "v")
    assert f"{v}" == str(v) == repr(v) and "%s" % v == repr(v) and f"{v!r:>40}" == f"{repr(v):>40}"


# -- assigning ------------------------------------------------------------------------------

def test_a_leafs_data_can_be_assigned_a_number_and_nothing_else():
    v = Value(1.0)
    v.data = Fraction(1, 2)
    assert v.data == 0.5 and type(v.data) is float
    for wrong in ("1", None, 1j, Value(2.0), [1.0]):
        with pytest.raises(InputError):
            v.data = wrong
    assert v.data == 0.5


def test_the_data_of_a_computed_node_cannot_be_assigned():
    y = Value(1.0, "x") * 2.0
    with pytest.raises(InputError, match="leaves"):
        y.data = 3.0
    assert y.data == 2.0


def test_op_operands_and_partials_cannot_be_assigned():
    y = Value(1.0) * 2.0
    for name in ("op", "operands", "partials", "_op", "_prev"):
        with pytest.raises(AttributeError):
            setattr(y, name, None)


def test_a_gradient_can_be_assigned_where_one_flows():
    x, constant = Value(1.0), Value(1.0, requires_grad=False)
    x.grad = 3
    assert x.grad == 3.0 and type(x.grad) is float
    y = x * 2.0
    y.grad = 1
    assert y.grad == 1.0
    with pytest.raises(InputError):
        x.grad = None
    constant.grad = 0.0                                         # a loop that resets all may
    with pytest.raises(GradientError, match="requires_grad"):
        constant.grad = 1.0
    assert (x.grad, constant.grad) == (3.0, 0.0)


def test_requires_grad_of_a_leaf_can_be_assigned_and_drops_its_gradient():
    x = Value(3.0)
    (x * x).backward()
    x.requires_grad = False
    assert (x.grad, x.requires_grad, (x * x).requires_grad) == (0.0, False, False)
    x.requires_grad = True
    x.requires_grad = True
    (x * x).backward()
    assert x.grad == 6.0
    x.requires_grad = True                                      # no change: it keeps what it holds
    assert x.grad == 6.0


def test_requires_grad_of_a_computed_node_cannot_be_assigned():
    y = Value(1.0) * 2.0
    with pytest.raises(InputError, match="detach"):
        y.requires_grad = False
    assert y.requires_grad


# -- Python's operators ---------------------------------------------------------------------

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
             "%": operator.mod, "//": operator.floordiv, "**": operator.pow}


def check_operator(apply, a, b, *pairs):
    """On each pair the operator gives the very double it gives on floats, or refuses as it does."""
    if apply is operator.pow and a < 0 and b % 1 != 0:
        expected = DomainError                                  # Python's would be complex
    else:
        try:
            expected = apply(float(a), float(b))
        except ZeroDivisionError:
            expected = DivisionError
        except OverflowError:
            expected = RangeError
    if not isinstance(expected, type) and not math.isfinite(expected):
        expected = RangeError
    for left, right in pairs:
        if isinstance(expected, type):
            with pytest.raises(expected):
                apply(left, right)
        else:
            result = apply(left, right)
            assert type(result) is Value
            assert bits(result.data) == bits(expected)
            assert [float(x.data) if type(x) is Value else x for x in result.operands] == [float(a), float(b)]
            assert [type(x) is Value for x in result.operands] == [type(left) is Value, type(right) is Value]


@pytest.mark.parametrize("name", OPERATORS)
@given(a=finite | everyday, b=finite | everyday)
@settings(max_examples=60, deadline=None)
def test_an_operator_gives_the_bits_python_gives_whichever_side_is_a_value(name, a, b):
    check_operator(OPERATORS[name], a, b, (Value(a), Value(b)), (Value(a), b), (a, Value(b)),
                   (Value(a, requires_grad=False), b), (Value(a), Value(b, requires_grad=False)))


@pytest.mark.parametrize("name", OPERATORS)
@given(a=everyday, b=st.integers(-5, 5) | st.booleans() | st.fractions(-5, 5)
       | st.floats(-5, 5).map(np.float64) | st.floats(-5, 5, width=32).map(np.float32)
       | st.integers(-5, 5).map(np.int64) | st.floats(-5, 5).map(np.array))
@settings(max_examples=60, deadline=None)
def test_any_real_number_may_stand_on_either_side(name, a, b):
    check_operator(OPERATORS[name], a, b, (Value(a), b))
    check_operator(OPERATORS[name], b, a, (b, Value(a)))


@given(everyday, everyday.filter(bool))
def test_divmod_is_the_pair_of_its_operators(a, b):
    assume(math.isfinite(a // b))
    for left, right in ((Value(a), Value(b)), (Value(a), b), (a, Value(b))):
        whole, rest = divmod(left, right)
        assert (whole.data, rest.data) == divmod(a, b)


@given(finite)
def test_signs_and_absolute_values_are_those_of_the_number(a):
    v = Value(a)
    assert bits((-v).data) == bits(-a) and bits(abs(v).data) == bits(abs(a)) and (+v) is v


def test_an_augmented_assignment_makes_a_new_node_and_leaves_the_old_one():
    x = v = Value(2.0)
    v += 1
    v *= v
    v -= 0.5
    v /= 2
    v **= 2
    assert x.data == 2.0 and v.data == ((3.0 * 3.0 - 0.5) / 2) ** 2
    v.backward()
    assert x.grad == pytest.approx(2 * v.data ** 0.5 * 3.0)


@given(everyday | st.just(math.nan) | st.just(math.inf), everyday | st.just(math.nan))
def test_comparisons_read_the_numbers(a, b):
    for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        expected = compare(a, b)
        assert compare(Value(a), Value(b)) is expected
        assert compare(Value(a), b) is expected
        assert compare(a, Value(b)) is expected
        assert bool(compare(np.float64(a), Value(b))) is expected


def test_comparisons_take_every_kind_of_number():
    v = Value(0.5)
    for half in (Fraction(1, 2), np.float32(0.5), np.array(0.5)):
        assert v == half and half == v and v <= half and not v < half and half >= v and not half != v
    assert v > 0 and v < True and 1 > v
    assert (v < np.array([0.0, 1.0])).tolist() == [False, True]
    assert (np.array([0.0, 1.0]) < v).tolist() == [True, False]


def test_a_value_equals_nothing_that_is_no_number_and_is_not_ordered_with_it():
    v = Value(1.0)
    for thing in ("1", None, [1.0], object()):
        assert not v == thing and v != thing and not thing == v
        for compare in (operator.lt, operator.ge):
            with pytest.raises(TypeError, match=f"'Value' and '{type(thing).__name__}'"):
                compare(v, thing)
            with pytest.raises(TypeError):
                compare(thing, v)
    with pytest.raises(TypeError):
        v < 1j


def test_truth_is_that_of_the_number_and_sorting_works():
    assert Value(0.5) and not Value(0.0) and not Value(-0.0) and Value(math.nan)
    xs = [Value(3.0), Value(1.0), Value(2.0)]
    assert [x.data for x in sorted(xs)] == [1.0, 2.0, 3.0] and max(xs) is xs[0] and min(xs) is xs[1]


def test_hashing_is_by_identity_so_equal_numbers_are_two_keys():
    x, same = Value(1.0), Value(1.0)
    assert x == same and len({x, same, x}) == 2 and {x: "x", same: "same"}[x] == "x"
    x.data = 2.0
    assert {x: 1}[x] == 1


def test_the_builtin_sum_and_prod_make_graphs():
    xs = [Value(1.0), Value(2.0), Value(4.0)]
    total = sum(xs) + math.prod(xs)
    total.backward()
    assert total.data == 15.0 and [x.grad for x in xs] == [9.0, 5.0, 3.0]


def test_the_operands_of_any_node_are_values_and_floats():
    x, frozen = Value(2.0), Value(3.0, requires_grad=False)
    numbers = [1, True, Fraction(1, 2), np.float64(2), np.array(3.0)]
    for operands in ([x, *numbers], [x, frozen, *numbers], [frozen, *numbers], [x, x, x]):
        node = ag.sum(operands)
        assert [type(a) is Value or type(a) is float for a in node.operands] == [True] * len(operands)
        assert all(a is b for a, b in zip(node.operands, operands) if type(b) is Value)
        plain = [float(b) for b in operands if type(b) is not Value]
        assert [a for a in node.operands if type(a) is float] == plain
    for number in numbers:
        for node in (x + number, number + x, x ** number, x.maximum(number), ag.atan2(number, frozen)):
            assert {type(a) for a in node.operands} == {Value, float}


# -- what is refused, and how -----------------------------------------------------------------

LOSING = {"float": float, "int": int, "math.exp": math.exp, "math.floor": math.floor, "complex": complex,
          "math.fsum": lambda v: math.fsum([v]), "isfinite": math.isfinite,
          "array": lambda v: np.array([v], dtype=float), "element": lambda v: np.zeros(2).__setitem__(0, v)}


@pytest.mark.parametrize("how", LOSING)
def test_turning_a_value_into_a_plain_number_says_what_to_use(how):
    with pytest.raises((InputError, TypeError, ValueError)) as error:
        LOSING[how](Value(2.0, "rate"))
    messages = [str(error.value), str(error.value.__cause__)]
    assert any("'rate'" in message and "autograd_lite.exp(v)" in message and "v.data" in message
               for message in messages)


@pytest.mark.parametrize("how", [round, math.trunc, operator.index, "abc".__getitem__, range, len, iter])
def test_what_has_no_derivative_is_a_type_error(how):
    with pytest.raises(TypeError):
        how(Value(1.0))


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("thing", ["a", None, 1j, [1.0], (), b"a"], ids=lambda x: type(x).__name__)
def test_an_operator_on_something_else_names_the_operation_and_the_thing(name, thing):
    with pytest.raises(InputError) as error:
        OPERATORS[name](Value(1.0), thing)
    assert str(error.value).startswith(f"{name}: expected a real number, got {type(thing).__name__}")


@pytest.mark.parametrize("name", OPERATORS)
def test_a_decimal_on_either_side_is_a_type_error(name):
    with pytest.raises(TypeError):
        OPERATORS[name](Value(1.0), Decimal(2))
    with pytest.raises(TypeError):
        OPERATORS[name](Decimal(2), Value(1.0))


@pytest.mark.parametrize("method", ["maximum", "minimum", "hypot", "atan2"])
@pytest.mark.parametrize("thing", ["a", None, 1j, Decimal(1), object(), np.array([1.0])],
                         ids=lambda x: type(x).__name__)
def test_a_method_of_two_operands_refuses_what_is_no_number(method, thing):
    with pytest.raises(InputError, match=type(thing).__name__):
        getattr(Value(1.0), method)(thing)


@pytest.mark.parametrize("name", [name for name in TABLE if name.isidentifier()])
def test_a_function_refuses_what_is_no_number_and_names_itself(name):
    row = TABLE[name]
    count = 2 if row.open else row.most
    things = ["a", None, 1j, Decimal(1), [1.0]] + [np.array([1.0])] * row.open      # (others map over it)
    for thing in things:
        with pytest.raises(InputError, match=f"{name}: .*{type(thing).__name__}"):
            row(*[Value(1.0)] * (count - 1), thing)


def test_an_integer_too_large_for_a_double_is_refused_by_an_operator():
    for apply in (operator.add, operator.mul, operator.pow):
        with pytest.raises(RangeError):
            apply(Value(1.0), 10 ** 400)
        with pytest.raises(RangeError):
            apply(10 ** 400, Value(1.0))


class Stranger:
    """A class with operators of its own, which knows what a Value is."""

    def __add__(self, other): return "stranger + value"
    def __radd__(self, other): return "value + stranger", other
    def __rpow__(self, other): return "value ** stranger", other
    def __rmul__(self, other): return "value * stranger", other
    def __gt__(self, other): return "stranger > value", other


def test_the_reflected_operator_of_a_stranger_goes_first():
    v, stranger = Value(1.0), Stranger()
    assert stranger + v == "stranger + value"
    assert v + stranger == ("value + stranger", v)
    assert v ** stranger == ("value ** stranger", v)
    assert v * stranger == ("value * stranger", v)
    with pytest.raises(TypeError, match="unsupported operand"):
        v - stranger


# -- NumPy --------------------------------------------------------------------------------------

UFUNCS = [np.exp, np.exp2, np.expm1, np.log1p, np.sqrt, np.cbrt, np.sin, np.cos, np.tan, np.arcsin,
          np.arccos, np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh, np.arctanh, np.log, np.log2,
          np.log10, np.negative, np.absolute, np.fabs, np.square, np.reciprocal, np.positive]


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)
def test_a_numpy_function_of_a_value_is_a_value_with_its_derivative(ufunc):
    x = Value(0.4)
    y = ufunc(x)
    assert type(y) is Value and y.data == pytest.approx(float(ufunc(0.4)), rel=1e-15)
    y.backward()
    slope = (ufunc(0.4 + 1e-6) - ufunc(0.4 - 1e-6)) / 2e-6
    assert x.grad == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("ufunc", [np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum,
                                   np.minimum, np.hypot, np.arctan2, np.remainder, np.floor_divide,
                                   np.float_power, np.logaddexp], ids=lambda f: f.__name__)
def test_a_numpy_function_of_two_values_is_a_value_on_either_side(ufunc):
    x, y = 0.7, 2.5
    for a, b in ((Value(x), Value(y)), (Value(x), y), (x, Value(y)), (Value(x), np.float64(y))):
        result = ufunc(a, b)
        assert type(result) is Value and result.data == pytest.approx(float(ufunc(x, y)), rel=1e-15)
        assert result.op in TABLE


@pytest.mark.parametrize("scalar", [np.float64, np.float32, np.int64, np.int8, np.bool_, np.longdouble,
                                    np.array])
def test_a_numpy_scalar_on_either_side_gives_a_value(scalar):
    two, v = scalar(1), Value(3.0, "v")
    for y in (two * v, v * two, two + v, v - two, two / v, two ** v, v ** two, two - v):
        assert type(y) is Value
        assert all(type(x) in (Value, float) for x in y.operands)
    y = two / v
    y.backward()
    assert v.grad == pytest.approx(-1 / 9)


def test_an_array_of_floats_times_a_value_is_an_array_of_values():
    v, row = Value(2.0), np.array([1.0, 2.0, 3.0])
    for y in (row * v, v * row, row + v, v + row, row / v, v / row, row ** v, v ** row, row - v, v - row):
        assert y.dtype == object and y.shape == (3,) and all(type(x) is Value for x in y)
    total = np.sum(row * v + v / row)
    total.backward()
    assert total.data == pytest.approx(12.0 + 2.0 * (11 / 6)) and v.grad == pytest.approx(6.0 + 11 / 6)


def test_object_arrays_of_values_have_their_operators():
    xs = np.array([Value(1.0), Value(2.0), Value(3.0)])
    ws = np.array([Value(4.0), Value(5.0), Value(6.0)])
    assert xs.dtype == object
    for result, expected in ((xs + ws, [5, 7, 9]), (xs - ws, [-3] * 3), (xs * ws, [4, 10, 18]),
                             (ws / xs, [4, 2.5, 2]), (xs ** 2, [1, 4, 9]), (2 ** xs, [2, 4, 8]),
                             (-xs, [-1, -2, -3])):
        assert [x.data for x in result] == expected
    for inner in (xs @ ws, np.dot(xs, ws), np.sum(xs * ws), (xs * ws).sum(), np.inner(xs, ws)):
        assert type(inner) is Value and inner.data == 32.0
        for x in (*xs, *ws):
            x.grad = 0.0
        inner.backward()
        assert [x.grad for x in xs] == [4.0, 5.0, 6.0] and [w.grad for w in ws] == [1.0, 2.0, 3.0]
    matrix = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    assert [[x.data for x in row] for row in matrix @ matrix] == [[7, 10], [15, 22]]
    assert [x.data for x in np.array([1.0, 2.0]) @ matrix] == [7, 10]
    assert np.mean(xs).data == 2.0 and np.prod(xs).data == 6.0 and np.cumsum(xs)[-1].data == 6.0
    assert [x.data for x in np.exp(xs)] == [math.exp(x.data) for x in xs]
    assert np.max(xs) is xs[2] and np.argmin(xs) == 0


def test_arrays_change_in_place_only_where_values_fit():
    v = Value(2.0)
    xs = np.array([Value(1.0), Value(3.0)])
    xs *= v
    xs += 1.0
    assert [x.data for x in xs] == [3.0, 7.0]
    plain = np.array([1.0, 2.0])
    with pytest.raises(TypeError):
        plain += v
    with pytest.raises(TypeError):
        np.add(plain, v, out=plain)
    assert plain.tolist() == [1.0, 2.0]
    v += np.array([1.0, 2.0])
    assert [x.data for x in v] == [3.0, 4.0]


def test_a_numpy_function_without_a_row_refuses_and_loses_nothing():
    for ufunc in (np.nextafter, np.spacing, np.logaddexp2, np.heaviside, np.frexp, np.signbit):
        with pytest.raises(TypeError):
            ufunc(*[Value(1.0)] * ufunc.nin)


def test_a_value_among_a_reduction_is_not_looked_into():
    v = Value(2.0)
    assert type(np.sum([v, 1.0, v])) is Value and np.sum([v, 1.0, v]).data == 5.0
    assert type(np.sum(v)) is Value and np.sum(v).data == 2.0
    assert np.add.outer([1.0, 2.0], v)[1].data == 4.0


# -- gradients ------------------------------------------------------------------------------------

def test_the_sum_over_all_paths_arrives_at_a_leaf():
    x = Value(3.0)
    a = x * x
    b = a + x
    y = a * b + b                       # x⁴ + x³ + x² + x
    y.backward()
    assert x.grad == 4 * 27 + 3 * 9 + 2 * 3 + 1
    assert (y.grad, b.grad, a.grad) == (1.0, 10.0, 12.0 + 10.0)


@given(computations(), st.floats(-4, 4), st.floats(-4, 4))
@settings(max_examples=60, deadline=None)
def test_two_calls_double_a_leafs_gradient_exactly_and_leave_the_others(f, held, seed):
    leaves, nodes = recorded(f)
    root = nodes[-1]
    root.backward(seed)
    once = gradients(leaves)
    inside = gradients(nodes[len(leaves):])
    root.backward(seed)
    assert gradients(nodes[len(leaves):]) == inside
    assert gradients(leaves) == [2.0 * g for g in once]
    for leaf in leaves:
        leaf.grad = held
    root.backward(seed)
    assert gradients(leaves) == [held + g if leaf in set(topological([root])) else held
                                 for leaf, g in zip(leaves, once)]


def test_a_leafs_contributions_are_summed_apart_from_what_it_held():
    x = Value(1.0)
    x.grad = 2.0 ** 53
    (x + x).backward()                  # 2⁵³ + 1 + 1 would stay 2⁵³
    assert x.grad == 2.0 ** 53 + 2.0


@given(computations(), st.integers(0, 12), st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_interior_nodes_hold_the_gradient_of_the_latest_pass_alone(f, first, second):
    leaves, nodes = recorded(f)
    _, fresh = recorded(f)
    second %= len(nodes)
    nodes[first % len(nodes)].backward(3.0)
    nodes[second].backward()
    fresh[second].backward()
    reached = {id(node) for node in topological([nodes[second]])}
    for node, same in zip(nodes[len(leaves):], fresh[len(leaves):]):
        if id(node) in reached:
            assert node.grad == same.grad


def test_a_leaf_as_root_gets_the_seed():
    x = Value(3.0)
    x.backward()
    x.backward(2)
    assert x.grad == 3.0


@given(computations(), st.integers(-20, 20))
@settings(max_examples=60, deadline=None)
def test_a_seed_scales_every_gradient(f, exponent):
    leaves, nodes = recorded(f)
    _, scaled = recorded(f)
    nodes[-1].backward()
    scaled[-1].backward(2.0 ** exponent)                        # a power of two: exact
    assert gradients(scaled) == [2.0 ** exponent * g for g in gradients(nodes)]


@pytest.mark.parametrize("seed", ["1", None, 1j, [1.0], Value(1.0)], ids=lambda x: type(x).__name__)
def test_a_seed_that_is_no_number_is_refused_and_changes_nothing(seed):
    x = Value(1.0)
    y = x * 2.0
    with pytest.raises(InputError, match="backward"):
        y.backward(seed)
    assert (x.grad, y.grad) == (0.0, 0.0)


def test_nothing_flows_to_constants_and_frozen_leaves():
    x, frozen, number = Value(3.0, "x"), Value(5.0, "frozen", requires_grad=False), 7.0
    y = x * frozen + number * frozen + frozen ** 2
    assert y.requires_grad and y.operands[1].requires_grad is False
    assert y.operands[1].operands == (frozen, 2.0)              # recorded and drawn all the same
    y.backward()
    assert (x.grad, frozen.grad, frozen.requires_grad) == (5.0, 0.0, False)


def test_what_is_computed_from_frozen_leaves_alone_carries_no_gradient():
    a, b = Value(2.0, requires_grad=False), Value(3.0, requires_grad=False)
    for y in (a + b, a * 2.0, -a, a.exp(), ag.sum([a, b]), 2 ** a):
        assert not y.requires_grad and y.grad == 0.0 and y.operands
        with pytest.raises(GradientError, match="carries no gradient"):
            y.backward()


def test_a_missing_partial_by_a_leaf_frozen_since_is_no_error():
    x, w = Value(0.0), Value(3.0)
    y = x ** x + w * ag.sum([w, x.sqrt(), 1.0])
    with pytest.raises(DomainError):
        y.backward()
    x.requires_grad = False
    y.backward()
    assert (x.grad, w.grad, x.requires_grad) == (0.0, 7.0, False)


def test_a_leaf_frozen_after_it_was_used_gets_nothing_and_the_others_all():
    x, w = Value(2.0), Value(3.0)
    y = x * w + x
    x.requires_grad = False
    y.backward()
    assert (x.requires_grad, x.grad, w.grad) == (False, 0.0, 2.0)
    with pytest.raises(GradientError):
        x.backward()


@pytest.mark.parametrize("apply", [operator.add, operator.sub, operator.mul, operator.truediv, ag.hypot,
                                   lambda x, w: ag.sum([x, w, w]), lambda x, w: ag.dot([x, w], [w, w])])
def test_a_leaf_that_was_frozen_when_it_was_used_stays_a_constant_there(apply):
    for turned in (False, True):
        x, w = Value(2.0, requires_grad=False), Value(3.0)
        y = apply(w, x) if turned else apply(x, w)
        x.requires_grad = True
        y.backward()
        assert x.grad == 0.0 and w.grad != 0.0


@given(computations(), st.lists(everyday, min_size=3, max_size=3))
@settings(max_examples=60, deadline=None)
def test_assigning_to_leaves_after_they_were_used_changes_no_gradient(f, new):
    leaves, nodes = recorded(f)
    _, untouched = recorded(f)
    for leaf, number in zip(leaves, new):
        leaf.data = number
    nodes[-1].backward()
    untouched[-1].backward()
    assert gradients(nodes) == gradients(untouched)
    for node, same in zip(nodes, untouched):
        assert [p for x, p in zip(node.operands, node.partials) if type(x) is Value] == \
            [p for x, p in zip(same.operands, same.partials) if type(x) is Value]


# -- laws -----------------------------------------------------------------------------------------

def slopes(root, leaves):
    """The gradient of a root by its leaves, whatever they held."""
    for leaf in leaves:
        leaf.grad = 0.0
    root.backward()
    return [leaf.grad for leaf in leaves]


def close(a, b, scale):
    return abs(a - b) <= 1e-12 * max(scale, 1e-290)


@given(computations(), st.integers(0, 12), st.integers(0, 12), everyday, everyday)
@settings(max_examples=60, deadline=None)
def test_the_gradient_is_linear(e, i, j, a, b):
    leaves, nodes = recorded(e)
    f, g = nodes[i % len(nodes)], nodes[j % len(nodes)]
    of_f, of_g = slopes(f, leaves), slopes(g, leaves)
    for c, df, dg in zip(slopes(a * f + b * g, leaves), of_f, of_g):
        assert close(c, a * df + b * dg, abs(a * df) + abs(b * dg))


@given(computations(), st.integers(0, 12), st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_the_product_and_quotient_rules_hold(e, i, j):
    leaves, nodes = recorded(e)
    f, g = nodes[i % len(nodes)], nodes[j % len(nodes)]
    of_f, of_g = slopes(f, leaves), slopes(g, leaves)
    for c, df, dg in zip(slopes(f * g, leaves), of_f, of_g):
        assert close(c, df * g.data + f.data * dg, abs(df * g.data) + abs(f.data * dg))
    assume(abs(g.data) > 1e-3)
    for c, df, dg in zip(slopes(f / g, leaves), of_f, of_g):
        terms = df / g.data, f.data * dg / g.data ** 2
        assert close(c, terms[0] - terms[1], abs(terms[0]) + abs(terms[1]))


@given(computations(6), computations(6))
@settings(max_examples=60, deadline=None)
def test_the_chain_rule_holds_through_one_node(inner, outer):
    """With y depending on the leaves through h alone: ∂y/∂x = ∂y/∂h · ∂h/∂x."""
    leaves, nodes = recorded(inner)
    h = nodes[-1]
    y = results(outer, [h, *outer.witness[1:]])[-1]
    assume(type(y) is Value and y is not h)
    of_h = slopes(h, leaves)
    through = slopes(y, leaves)
    size = spread(h, leaves) * abs(h.grad)
    assert all(close(a, h.grad * b, size) for a, b in zip(through, of_h))


def spread(root, leaves):
    """The sum over all paths of the size of each: what rounding is measured against."""
    sizes = oracle.backward(root, 1, oracle.size)
    return max(float(sizes.get(leaf, 0.0)) for leaf in leaves)


# -- held against nine lines ---------------------------------------------------------------------------

def passes_are_the_oracles(careful):
    """Passes over random graphs, some leaves frozen before or since, give what the nine lines give."""
    places = st.just(-1) | st.integers(0, 14)

    @given(computations(), st.sets(st.integers(0, 2)), st.sets(st.integers(0, 2)),
           st.lists(st.tuples(places, st.floats(-4, 4).map(rounded(2))), min_size=2, max_size=4))
    @settings(max_examples=70, deadline=None, report_multiple_bugs=False,
              phases=[Phase.explicit, Phase.generate])
    def agree(f, frozen, frozen_since, passes):
        leaves = [Value(x, requires_grad=i not in frozen) for i, x in enumerate(f.witness)]
        nodes = results(f, leaves)
        for leaf in [leaf for i, leaf in enumerate(leaves) if i in frozen_since]:
            leaf.requires_grad = False
        for place, seed in passes:
            root, held = nodes[place % len(nodes)], {node: Fraction(node.grad) for node in nodes}
            if not root.requires_grad:
                continue
            w = Value(1.0)
            (root + w * math.inf if careful else root).backward(seed)
            assert not careful or not seed or math.isinf(w.grad)
            exact = oracle.backward(root, Fraction(seed))
            sizes = oracle.backward(root, abs(Fraction(seed)), oracle.size)
            for node in nodes:
                kept = held[node] if not node.op or node not in exact else Fraction(0)
                size = sizes[node] + abs(kept) if node in exact else 0
                error = abs(Fraction(node.grad) - exact.get(node, 0) - kept)
                assert error <= size * 100 / 2 ** 52 + Fraction(1e-300) * bool(size)
    agree()


@pytest.mark.parametrize("careful", [False, True], ids=["hot", "careful"])
def test_the_hot_pass_and_the_careful_pass_give_what_nine_lines_give_in_exact_arithmetic(careful):
    passes_are_the_oracles(careful)


def a_billionth_more(backward):
    return lambda self, seed=1.0: backward(self, seed * (1.0 + 1e-9))


def forgetting_what_leaves_held(backward):
    def broken(self, seed=1.0):
        for node in topological([self]):
            if not node.op and node.requires_grad:
                node.grad = 0.0
        backward(self, seed)
    return broken


def keeping_what_results_held(backward):
    def broken(self, seed=1.0):
        held = {node: node.grad for node in topological([self]) if node.op and node.requires_grad}
        backward(self, seed)
        for node, grad in held.items():
            node.grad += grad
    return broken


def past_a_second_use(backward):
    """A gradient goes on at the first use of a node, before the others have arrived."""
    def broken(self, seed=1.0):
        seen = set()

        def pull(node, g):
            if isinstance(node, Value) and node.requires_grad:
                node.grad = node.grad + g if not node.op or node in seen else g
                if node not in seen:
                    seen.add(node)
                    for x, p in zip(node.operands, node.partials):
                        pull(x, g * p)
        pull(self, seed)
    return broken


@pytest.mark.parametrize("mistake", [a_billionth_more, forgetting_what_leaves_held, keeping_what_results_held,
                                     past_a_second_use])
def test_the_comparison_with_the_nine_lines_notices_a_mistake_of_backward(monkeypatch, mistake):
    monkeypatch.setattr(Value, "backward", mistake(Value.backward))
    with pytest.raises(AssertionError):
        passes_are_the_oracles(False)


def test_the_comparison_with_the_nine_lines_notices_a_mistake_of_theirs(monkeypatch):
    right = oracle.backward
    monkeypatch.setattr(oracle, "backward", lambda root, seed, number=Fraction: right(
        root, seed, lambda p: number(p) if abs(p) < 1.0 else number(p) * (1 + Fraction(1, 10 ** 9))))
    with pytest.raises(AssertionError):
        passes_are_the_oracles(False)


@python_build
def test_the_careful_pass_runs_only_where_a_sum_is_not_finite(monkeypatch):
    def checked(*args):
        raise ArithmeticError("careful")
    monkeypatch.setattr(backward_module, "checked", checked)
    x, w = Value(2.0), Value(1.0)
    y = ag.dot([x, x.exp()], [w, x]) * x
    y.backward()
    assert x.grad == oracle.backward(y)[x]
    with pytest.raises(ArithmeticError, match="careful"):
        (y + w * math.inf).backward()


# -- held against exact arithmetic -------------------------------------------------------------------

def exact_derivative(root, leaf):
    """∂root/∂leaf by the rules one learns at school, in Fractions of the recorded numbers, path by path."""
    if root is leaf:
        return Fraction(1)
    if type(root) is float or root.op == "":
        return Fraction(0)
    if root.op == "neg":
        return -exact_derivative(root.operands[0], leaf)
    a, b = (Fraction(x if type(x) is float else x.data) for x in root.operands)
    da, db = (exact_derivative(x, leaf) for x in root.operands)
    return {"+": lambda: da + db, "-": lambda: da - db, "*": lambda: da * b + a * db,
            "/": lambda: (da * b - a * db) / b ** 2}[root.op]()


@given(computations(8, ["+", "-", "*", "neg"], number=rounded(0)))
@settings(max_examples=100, deadline=None)
def test_on_small_whole_numbers_and_halves_backward_is_exact(f):
    leaves, nodes = recorded(f)
    assume(all(abs(node.data) < 2 ** 40 for node in nodes))
    root = nodes[-1]
    root.backward()
    expected = [exact_derivative(root, leaf) for leaf in leaves]
    assume(all(abs(g) < 2 ** 52 for g in expected) and spread(root, leaves) < 2 ** 52)
    assert [leaf.grad for leaf in leaves] == expected


@given(computations(8, ["+", "-", "*", "/", "neg"]))
@settings(max_examples=100, deadline=None)
def test_on_fractions_backward_is_exact_but_for_rounding(f):
    try:
        leaves, nodes = recorded(f)
    except (ZeroDivisionError, OverflowError):
        assume(False)
    assume(all(node.data == 0.0 or 1e-100 < abs(node.data) < 1e100 for node in nodes))
    root = nodes[-1]
    if type(root) is not Value:
        return
    size = spread(root, leaves)
    assume(size < 1e100)
    root.backward()
    for leaf in leaves:
        assert close(leaf.grad, float(exact_derivative(root, leaf)), size)


def test_the_exact_reference_can_tell_a_wrong_gradient():
    x = Value(3.0)
    y = (x * x - 1.0) / x
    assert exact_derivative(y, x) == Fraction(10, 9)
    y.backward()
    assert close(x.grad, 10 / 9, 1.0) and not close(x.grad * (1 + 1e-11), 10 / 9, 1.0)


# -- no_grad and detach -------------------------------------------------------------------------------

def records():
    """Whether operations are recorded here: the inlined ones, the others, and those of many operands."""
    x = Value(2.0)
    results = [x * x, x + x, x - x, x + 1.0, 2.0 * x, -x, x.relu(), x.exp(), x / 3, x ** 2, 1 - x,
               ag.sum([x, x]), np.float64(2) * x]
    found = {y.requires_grad and y.operands != () for y in results}
    assert len(found) == 1
    return found.pop()


def test_under_no_grad_operations_give_constants_with_the_same_numbers():
    x = Value(2.0, "x")
    with no_grad() as mode:
        y = (x * x + 3.0).exp().relu()
        assert isinstance(mode, no_grad) and not records()
    assert (y.data, y.requires_grad, y.operands, y.op, y.grad) == (math.exp(7.0), False, (), "", 0.0)
    assert (y * x).requires_grad and records()


def test_no_grad_nests_and_ends_with_the_outermost_also_by_an_exception():
    mode = no_grad()
    with mode:
        with mode:
            assert not records()
            with pytest.raises(ZeroDivisionError), no_grad():
                Value(1.0) / 0.0
            assert not records()
        assert not records()
    assert records()


def test_no_grad_does_not_stop_a_leaf_from_being_made_with_a_gradient_or_a_pass_from_running():
    x = Value(3.0)
    y = x * x
    with no_grad():
        z = Value(1.0)
        y.backward()
    assert x.grad == 6.0 and z.requires_grad and (z * x).requires_grad


def test_no_grad_still_refuses_what_is_refused():
    with no_grad():
        with pytest.raises(InputError):
            Value(1.0) + "a"
        with pytest.raises(DomainError):
            Value(-1.0).log()


def paused():
    with no_grad():
        yield records()


def test_generators_inside_no_grad_may_end_in_any_order():
    first, second = paused(), paused()
    assert next(first) is False and next(second) is False
    first.close()
    assert not records()                        # the second is still inside it
    second.close()
    assert records()
    with no_grad():
        third = paused()
        next(third)
    third.close()
    assert records()


def test_detach_is_a_constant_of_the_same_number_and_label():
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    c = y.detach()
    assert (c.data, c.label, c.requires_grad, c.operands, c.op) == (9.0, "y", False, (), "")
    z = c * x
    z.backward()
    assert x.grad == 9.0 and y.grad == 0.0


# -- micrograd's programs ---------------------------------------------------------------------------------

def test_the_example_of_micrograds_readme_gives_its_results():
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert (f"{a.grad:.4f}", f"{b.grad:.4f}") == ("138.8338", "645.5773")


def test_prev_is_the_set_of_values_among_the_operands_and_op_the_name():
    x, y = Value(2.0), Value(3.0)
    assert ((x * y)._prev, (x * x)._prev, (x * 2.0)._prev, x._prev) == ({x, y}, {x}, {x}, set())
    assert ((x * y)._op, (x + 1)._op, x._op, x.exp()._op, ag.sum([x, y])._op) == ("*", "+", "", "exp", "sum")


def test_a_recursive_walk_over_prev_finds_nodes_and_edges():
    """The `trace` that every micrograd notebook has."""
    def trace(root):
        nodes, edges = set(), set()

        def build(v):
            if v not in nodes:
                nodes.add(v)
                for child in v._prev:
                    edges.add((child, v))
                    build(child)
        build(root)
        return nodes, edges

    x, y = Value(2.0), Value(2.0)
    product = x * y
    root = product + x
    nodes, edges = trace(root)
    assert nodes == {x, y, product, root} and len(nodes) == 4
    assert edges == {(x, product), (y, product), (product, root), (x, root)}
    assert {f"{n.data:.4f} {n.grad:.4f} {n._op}" for n in nodes} == {
        "2.0000 0.0000 ", "4.0000 0.0000 *", "6.0000 0.0000 +"}


def test_a_training_step_in_micrograds_manner_learns():
    w, b = Value(0.0), Value(0.0)
    for _ in range(200):
        loss = sum((w * x + b - (3 * x - 1)) ** 2 for x in (-1.0, 0.0, 1.0, 2.0)) / 4
        w.grad = b.grad = 0
        loss.backward()
        for p in (w, b):
            p.data -= 0.2 * p.grad
    assert abs(w.data - 3.0) < 1e-6 and abs(b.data + 1.0) < 1e-6


# -- memory --------------------------------------------------------------------------------------------------

@python_build
@pytest.mark.parametrize("name", ["+", "-", "*"])
def test_a_binary_node_takes_at_most_150_bytes_with_its_gradient(name):
    apply, count = OPERATORS[name], 5_000
    x, w = Value(1.0), Value(1.0000001)
    nodes = [x] * (count + 1)
    gc.collect()
    tracemalloc.start()
    try:
        for i in range(count):
            nodes[i + 1] = apply(nodes[i], w)
        recorded = tracemalloc.get_traced_memory()[0]
        nodes[-1].backward()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert recorded / count <= 130 and after / count <= 150


def test_the_collector_finds_the_operands_of_a_node_and_in_a_compiled_one_no_numbers():
    x = Value(2.5)
    y = x * x + x
    y.backward()
    for node in (x, y):
        found = gc.get_referents(node)
        assert all([any(operand is other for other in found) for operand in node.operands])
        assert ag.build == "python" or float not in map(type, found)


def test_a_graph_has_no_reference_cycles_so_it_goes_at_once():
    gc.collect()
    gc.disable()
    try:
        x = Value(2.0, "x")
        y = ag.sum([x * x, x.exp(), ag.dot([x, x], [x, 1.0])]).log()
        y.label = "y"
        y.backward()
        copy.deepcopy(y)
        with pytest.raises(DomainError):
            ((x - 2.0) * y).sqrt().backward()
        del x, y
        assert gc.collect() == 0
    finally:
        gc.enable()
