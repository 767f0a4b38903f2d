"""Coefficients of power series: sums and products of plain numbers and Values, and what is nothing."""
from __future__ import annotations

import math

import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.graph.program import Program
from autograd_lite.ops.op import TABLE
from autograd_lite.transforms import coefficients
from autograd_lite.transforms.coefficients import NOTHING, products, total

inf = math.inf


def test_a_coefficient_that_depends_on_no_value_is_a_plain_number():
    x = Value(3.0, "x")
    assert [type(c) for c in ag.taylor(lambda t: t * t, x, 4)] == [Value, Value, float, float, float]
    assert [type(c) for c in ag.taylor(lambda t: t * t * t, x, 4)] == [Value, Value, Value, float, float]


def test_a_sum_leaves_out_plain_zeros_and_is_nothing_only_without_any_term():
    x, y = Value(3.0), Value(-3.0)
    assert total([]) is NOTHING and total([NOTHING]) is NOTHING and total([NOTHING, NOTHING]) is NOTHING
    for terms in ([-0.0], [NOTHING, -0.0], [-0.0, NOTHING]):
        assert repr(total(terms)) == "-0.0"
    assert total([2.0]) == 2.0 and total([0.0, 2.0, 3.0, NOTHING]) == 5.0
    assert total([x]) is x and total([0.0, x, NOTHING]) is x
    found = total([x, 0.0, y, 2.0])
    assert found.data == 2.0 and len(Program([found])) == 4


@pytest.mark.parametrize("a, b, raised, ignored", [
    ([2.0, 3.0], [5.0, 7.0], "31.0", "31.0"), ([1e308, 1.0], [1e10, 1.0], "inf", "inf"),
    ([0.0, 3.0], [inf, 2.0], "6.0", "nan"), ([3.0, inf], [2.0, 0.0], "6.0", "nan"),
    ([NOTHING, 3.0], [inf, 2.0], "6.0", "6.0"), ([3.0, inf], [2.0, NOTHING], "6.0", "6.0"),
    ([0.0], [inf], "0.0", "nan"), ([-0.0], [2.0], "0.0", "-0.0"), ([inf, 2.0], [2.0, 1.0], "inf", "inf")])
def test_a_sum_of_products_of_plain_numbers(a, b, raised, ignored):
    assert repr(products(a, b)) == raised
    with ag.errstate("ignore"):
        assert repr(products(a, b)) == ignored


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_zero_times_what_is_infinite_is_that_zero_and_stopped_if_it_is_a_value(zero):
    x, far = Value(zero, "x"), Value(inf)
    for a, b in (([x], [inf]), ([inf], [x]), ([x], [far]), ([far], [x]), ([x], [Value(math.nan)])):
        found = products(a, b)
        assert found.op == "stopped_zero" and found.data == 0.0 and found.operands[0] is x
    assert products([zero, 2.0], [far, 3.0]) == 6.0 and products([far, 2.0], [zero, 3.0]) == 6.0
    assert products([x, 2.0], [5.0, 3.0]).data == 6.0 and products([far], [2.0]).data == inf
    product = products([Value(2.0, "a")], [Value(0.0, "b")])
    assert product.op == "*" and [v.label for v in product.operands] == ["a", "b"]


def test_a_product_of_plain_numbers_is_summed_at_once(monkeypatch):
    def fails(terms):
        raise AssertionError
    monkeypatch.setattr(coefficients, "total", fails)
    assert products([2.0, 3.0, 0.5], [5.0, 7.0, 4.0]) == 33.0
    with ag.errstate("ignore"):
        assert products([2.0, 3.0, 0.5], [5.0, 7.0, 4.0]) == 33.0
    assert products([2.0, 0.0], [0.0, 7.0]) == 0.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_depends_on_a_chosen_slope_by_its_rounding_alone_is_given_whatever_its_sign(sign):
    def f(x):
        size = abs(x - 1.0)
        return sign * ((1e5 * (3.0 * (0.1 * size) - 0.3 * size) - x) * x)

    def g(x):
        return sign * ((ag.maximum(x, 1.0) - ag.minimum(x, 1.0) - x) * x)
    assert ag.taylor(f, 1.0, 3) == pytest.approx([-sign, -2.0 * sign, -sign, 0.0], abs=1e-10)
    with pytest.raises(ag.NumericError, match="depends on the slope chosen at this kink"):
        ag.taylor(g, 1.0, 2)


@pytest.mark.parametrize("at", [2.0, Value(2.0, "x")])
def test_of_a_rule_that_selects_the_side_not_taken_may_be_undefined_and_what_follows_may_not(at):
    def chosen(y, x):
        return ag.select(ag.greater(x, 3.0), lambda: ag.sqrt(x - 3.0) / (x - 2.0), lambda: 2.0 * x)
    plain = ag.custom_op(lambda x: x * x, (chosen,), name="chosen slope")
    broken = ag.custom_op(lambda x: x * x, (lambda y, x: chosen(y, x) + ag.sqrt(x - 2.0),),
                          name="broken slope")
    try:
        found = ag.taylor(plain, at, 4)
        assert [getattr(c, "data", c) for c in found] == [4.0, 4.0, 1.0, 0.0, 0.0]
        assert [getattr(c, "data", c) for c in ag.taylor(broken, at, 1)] == [4.0, 4.0]
        with pytest.raises(ag.DomainError, match=r"^gradient through sqrt\(0.0\): its derivative is"):
            ag.taylor(broken, at, 2)
        assert [getattr(c, "data", c) for c in ag.taylor(plain, at, 2)] == [4.0, 4.0, 1.0]
    finally:
        del TABLE["chosen slope"], TABLE["broken slope"]
