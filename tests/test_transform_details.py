"""Transforms in detail: series at infinite numbers, what an object keeps, gradients that are 0."""
from __future__ import annotations

import dataclasses
import functools
import itertools
import math

import pytest
from mpmath import iv

import autograd_lite as ag
from autograd_lite import Value, evaluate
from autograd_lite.graph.program import Program
from autograd_lite.ops.op import TABLE
from autograd_lite.transforms import structures

inf, nan = math.inf, math.nan


@pytest.mark.parametrize("f, x, coefficients", [
    (lambda x: ag.elu(x, inf), -1.0, [-inf, inf, inf, inf]), (lambda x: inf ** x, 2.0, [inf] * 4),
    (lambda x: x ** inf, 2.0, [inf] * 4), (lambda x: x ** inf, 1.0, [1.0, inf, inf, inf]),
    (lambda x: x % inf, 2.0, [2.0, 1.0, 0.0, 0.0]), (lambda x: ag.hypot(x, inf), -2.0, [inf, 0.0, 0.0, 0.0]),
    (lambda x: ag.leaky_relu(x, inf), -2.0, [-inf, inf, 0.0, 0.0]),
    (lambda x: ag.logsumexp([x, inf]), -2.0, [inf, 0.0, 0.0, 0.0])])
def test_a_series_where_one_operand_is_infinite_has_the_infinite_slopes_there(f, x, coefficients):
    assert ag.taylor(f, x, 3) == coefficients


@pytest.mark.parametrize("given, told", [(None, "None"), ("a", "str 'a'")])
def test_what_cannot_be_expanded_is_called_the_result_of_the_function(given, told):
    def mine(x):
        return given
    for call in (lambda: ag.taylor(mine, 2.0, 2), lambda: ag.derivative(mine)(2.0),
                 lambda: ag.derivative(mine, 2)(2.0)):
        with pytest.raises(ag.InputError, match=rf"^the result of mine: expected a number, .*, got {told}$"):
            call()


def test_a_coefficient_that_a_step_of_its_own_refuses_tells_that_step():
    def third(f, x):
        return ag.grad(lambda a: ag.taylor(lambda t: f(a * t), x, 3)[3])
    for f, at, told in [(ag.sin, 0.0, r"\* 1e\+150"), (lambda t: 1.0 / (1.0 + t), 0.0, r"\* 1e\+150")]:
        with pytest.raises(ag.RangeError, match=rf"^\S+ {told}: the result is too large for a double"):
            third(f, at)(1e150)


def test_a_series_of_which_one_coefficient_depends_on_a_convention_is_refused():
    assert ag.taylor(abs, 0.0, 2) == [0.0] * 3
    assert ag.taylor(lambda x: ag.relu(x) * x + x, 0.0, 1) == [0.0, 1.0]
    for f in (lambda x: abs(x) * x * x + 1.0, lambda x: abs(x) * x + 1.0, lambda x: [x, abs(x) * x]):
        with pytest.raises(ag.DomainError, match=r"^abs\(0\.0\): a derivative of order 2 or more depends on"):
            ag.taylor(f, 0.0, 3)


# -- what an object keeps -------------------------------------------------------------------------------


class Weights(list):
    """A list with attributes; one hides one of its class, others a method and what is computed."""

    rate, other = 1.0, 5.0

    def method(self):
        return 1.0

    @functools.cached_property
    def total(self):
        return sum(self)


@dataclasses.dataclass
class Named(list):
    """A list of numbers, and a text beside it."""

    name: str = "a"

    __hash__ = None


def test_a_list_keeps_attributes_that_hide_those_of_its_class_but_not_what_is_computed():
    xs = Weights([1.0, 2.0])
    xs.rate, xs.name, xs.method = 2.0, "mine", 7.0
    assert xs.total == 3.0
    found = ag.grad(lambda xs: xs[0] * xs[1] * xs.rate)(xs)
    assert type(found) is Weights and list(found) == [4.0, 2.0]
    assert vars(found) == {"rate": 2.0, "name": "mine", "method": 7.0} and found.total == 6.0
    assert structures.attributes_of(xs)[0] == {"rate": 2.0, "name": "mine", "method": 7.0}


def test_a_list_that_is_a_dataclass_may_hold_text_in_its_fields_but_no_numbers():
    xs = Named("mine")
    xs += [3.0, 4.0]
    found = ag.grad(lambda xs: xs[0] * xs[1])(xs)
    assert type(found) is Named and found.name == "mine" and list(found) == [4.0, 3.0]
    both = Named(2.0)
    both += [3.0]
    with pytest.raises(ag.InputError, match="Named is a dataclass and a list at once, with numbers in both"):
        ag.grad(lambda xs: xs[0])(both)


# -- gradients ------------------------------------------------------------------------------------------


def test_a_gradient_that_is_0_is_not_multiplied():
    z = Value(2.0, "z")
    for f, slope in [(lambda t: (t * z) * 0.0, 0.0), (lambda t: (t * z) * 0.0 + t, 1.0),
                     (lambda t: ag.where(False, t * z, t * 3.0), 3.0)]:
        found = ag.grad(f)(1.5)
        assert type(found) is float and found == slope


def test_a_constant_gradient_of_a_branch_is_recorded_as_a_constant():
    x = Value(5.0, "x")
    slope = ag.grad(lambda t: ag.select(ag.greater(t, 0.0), lambda: 3.0 * t, lambda: t * t))(x)
    leaves = [node for node in Program([slope]).nodes if not node.operands]
    assert slope.data == 3.0 and [node for node in leaves if node.requires_grad] == [x]


# -- ops --------------------------------------------------------------------------------------------------


INTERVALS = [(a, b) for a in range(3) for b in range(a, 3)]


@pytest.mark.parametrize("op", [ag.greater, ag.greater_equal, ag.less, ag.less_equal, ag.equal, ag.not_equal])
def test_intervals_are_compared_if_all_their_numbers_are_on_one_side_or_both_are_one_number(op):
    x, y = Value(1.0, "x"), Value(1.0, "y")
    for a, b in itertools.product(INTERVALS, INTERVALS):
        sides = {(p > q) - (p < q) for p in range(a[0], a[1] + 1) for q in range(b[0], b[1] + 1)}
        if len(sides) == 1:
            found = evaluate(op(x, y), {x: iv.mpf(a), y: iv.mpf(b)}, iv.mpf)
            assert found == op(float(sides.pop()), 0.0)
        else:
            with pytest.raises(ag.DomainError, match="the operands must differ throughout the interval"):
                evaluate(op(x, y), {x: iv.mpf(a), y: iv.mpf(b)}, iv.mpf)


def test_an_own_op_may_be_nan_where_any_of_its_operands_is_and_nowhere_else():
    before = set(TABLE)
    both = ag.custom_op(lambda a, b: a * b if a < 5.0 or a != a else nan,
                        (lambda y, a, b: b, lambda y, a, b: a), name="both numbers")
    try:
        assert all([math.isnan(both(a, b)) for a, b in ((nan, 1.0), (1.0, nan), (nan, nan), (6.0, nan))])
        with pytest.raises(ag.DomainError, match="it returned nan"):
            both(6.0, 1.0)
    finally:
        for name in set(TABLE) - before:
            del TABLE[name]


@pytest.mark.parametrize("op, names", [(ag.hypot, "a, b"), (ag.atan2, "y, x")])
def test_operands_by_name_are_refused_where_a_function_of_math_takes_none(op, names):
    with pytest.raises(ag.InputError, match=rf"^{op.name} takes the operands \({names}\); 2 were given$"):
        op(**dict.fromkeys(names.split(", "), 1.0))
