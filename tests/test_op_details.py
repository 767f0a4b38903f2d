"""Ops in detail: how a call is written, how often it computes, what a rule's error says."""
from __future__ import annotations

import math
import random

import numpy as np
import pytest
from mpmath import iv, mp

import autograd_lite as ag
from autograd_lite import Value, evaluate
from autograd_lite.graph.program import Program
from autograd_lite.ops import polygammas
from autograd_lite.ops.op import TABLE
from autograd_lite.transforms.kinds import kind_of
from autograd_lite.transforms.structures import as_array, matched


@pytest.fixture
def own():
    """`custom_op`, whose ops are forgotten after the test."""
    before = set(TABLE)
    yield ag.custom_op
    for name in set(TABLE) - before:
        del TABLE[name]


def test_a_call_is_written_with_four_operands_and_their_labels_and_how_many_there_are(own):
    op = own(lambda *xs: max(xs), lambda y, xs: [1.0] * len(xs), name="many")
    for n in range(1, 7):
        xs, nodes = [float(k) for k in range(n)], [Value(1.0, f"v{k}") for k in range(n)]
        rest = f", … {n} operands" if n > 4 else ""
        labels = ", ".join([f"'v{k}'" for k in range(min(n, 4))])
        assert op.call(xs) == f"many({', '.join(map(str, xs[:4]))}{rest})"
        assert op.call(xs, nodes) == f"{op.call(xs)} of {labels}"
    assert op.call([2.0, 3.0], [Value(2.0), Value(3.0, "b")]) == "many(2.0, 3.0) of 'b'"
    assert op.call([2.0], [5.0]) == "many(2.0)"


def test_an_op_computes_its_function_once(own):
    made = []
    op = own(lambda x: made.append(x) or 2.0 * x, (lambda y, x: 2.0,), name="counted")
    for x in (1.5, 2, np.float64(0.5), Value(3.0)):
        made.clear()
        op(x)
        assert made == [x.data if isinstance(x, Value) else x]


def test_a_function_of_math_has_its_form_and_a_form_that_is_given_goes_before(own):
    x = Value(0.5, "x")
    plain = own(math.atan, (lambda y, x: 1.0 / (1.0 + x * x),), name="angle")
    assert evaluate(plain(x), number=mp.mpf) == mp.atan(0.5)
    given = own(math.atan, (lambda y, x: 1.0,), name="seven", form=lambda m, x: m.mpf(7))
    assert evaluate(given(x), number=mp.mpf) == 7
    lacking = own(lambda x: x, (lambda y, x: 1.0,), name="without a form")
    with pytest.raises(ag.InputError, match=r"without a form has no form in other numbers"):
        evaluate(lacking(x), number=mp.mpf)


@pytest.mark.parametrize("rule, said", [
    (lambda y, x: x.real.nothing, AttributeError), (lambda y, x: "text", ag.InputError),
    (lambda y, x: [] + 1.0, ag.InputError)])
def test_a_rule_that_fails_for_floats_says_nothing_of_other_numbers(own, rule, said):
    op = own(lambda x: x, (rule,), name="failing here")
    with pytest.raises(said) as caught:
        ag.grad(op)(2.0)
    assert "at higher orders" not in str(caught.value)


def test_a_type_error_in_a_function_or_a_rule_is_the_cause_of_ours(own):
    def fails(*operands):
        raise TypeError("mine")
    for op in (own(fails, lambda y, xs: [1.0], name="failing function"),
               own(lambda x: x, (fails,), name="failing rule")):
        with pytest.raises(ag.InputError, match="mine") as caught:
            ag.grad(op)(2.0)
        assert isinstance(caught.value.__cause__, TypeError) and str(caught.value.__cause__) == "mine"


# -- numbers of other kinds -----------------------------------------------------------------------------


def test_numbers_are_apart_if_they_differ_by_more_than_roundings():
    kind = kind_of(mp.mpf)
    for a, b, apart in [(1.0, 1.0, False), (-1.0, -1.0, False), (1.0, 1.0 + 2.0 ** -50, False),
                        (-1.0, -1.0 - 2.0 ** -50, False), (1e200, 1e200 * (1.0 + 2.0 ** -51), False),
                        (1.0, 1.1, True), (1.0, -1.0, True), (0.0, 1e-30, True), (1e-30, 0.0, True),
                        (0.0, 0.0, False), (-1.0, -1.1, True), (1e200, 1.1e200, True), (1e-9, 1.1e-9, True)]:
        assert kind.apart(mp.mpf(a), mp.mpf(b)) is apart
    ends = kind_of(iv.mpf)
    assert ends.apart(iv.mpf([1, 2]), iv.mpf([1, 3])) and ends.apart(iv.mpf([1, 2]), iv.mpf([0, 2]))
    assert not ends.apart(iv.mpf([1, 2]), iv.mpf([1, 2]))


def test_a_message_shows_ten_digits_of_a_long_number():
    x = Value(1.0, "x")
    with mp.workdps(30), pytest.raises(ag.DomainError, match=r"^log\(-0\.3333333333\) of 'x': "):
        evaluate(ag.log(x), {x: mp.mpf(-1) / 3}, mp.mpf)


@pytest.mark.parametrize("n", [55, 60, 99])
def test_digamma_far_below_0_keeps_its_digits_beside_a_zero(n):
    with mp.workprec(400):
        zero = mp.findroot(mp.digamma, (-n + mp.mpf("0.2"), -n + mp.mpf("0.3")), solver="secant")
    x = float(zero)
    found = evaluate(ag.polygamma(0, Value(x)), number=mp.mpf)
    with mp.workprec(400):
        assert abs(found / mp.digamma(mp.mpf(x)) - 1) < 1e-14


@pytest.mark.parametrize("a, b, low, high", [
    ((1, 2), (-2, -1), math.atan2(2, -1), math.atan2(1, -2)), ((-1, 1), (1, 2), -math.pi / 4, math.pi / 4),
    ((0, 1), (-2, -1), math.atan2(1, -1), math.pi), ((0, 1), (0.5, 1), 0.0, math.atan2(1, 0.5)),
    ((-1, -0.5), (-2, 1), math.atan2(-0.5, -2), math.atan2(-0.5, 1)),
    ((1, 2), (0, 0), math.pi / 2, math.pi / 2),
    ((-1, 1), (-2, -1), None, None), ((0, 1), (-1, 1), None, None), ((0, 1), (0, 1), None, None),
    ((0, 0), (0, 0), None, None), ((-1, 0), (-2, -1), None, None), ((-1, 0), (0, 1), None, None)])
def test_the_angle_of_a_rectangle_reaches_from_corner_to_corner_unless_it_holds_the_cut(a, b, low, high):
    y, x = Value(1.0, "y"), Value(1.0, "x")
    given = {y: iv.mpf(a), x: iv.mpf(b)}
    if low is None:
        with pytest.raises(ag.DomainError):
            evaluate(ag.atan2(y, x), given, iv.mpf)
        return
    found = evaluate(ag.atan2(y, x), given, iv.mpf)
    assert [float(end) for end in kind_of(iv.mpf).ends(found)] == pytest.approx([low, high], abs=1e-14)


def test_a_root_of_an_interval_from_0_begins_at_0():
    kind = kind_of(iv.mpf)
    low, high = kind.ends(kind.power(iv.mpf([0, 4]), iv.mpf(0.5)))
    assert low == 0 and 2 <= high < 2 + 1e-15
    with pytest.raises(ValueError):
        kind.power(iv.mpf([-1, 4]), iv.mpf(0.5))


def test_the_whole_number_below_a_large_end_is_exact():
    kind = kind_of(iv.mpf)
    with mp.workprec(300):
        large = mp.mpf(2) ** 200 + mp.mpf("0.75")
        below = -large
    for end, floor in [(large, 2 ** 200), (below, -2 ** 200 - 1), (mp.mpf(0.5), 0), (mp.mpf(-0.5), -1),
                       (mp.mpf(0), 0), (mp.mpf(-7), -7), (mp.mpf(2 ** 70), 2 ** 70)]:
        assert int(kind.floor(end)) == floor
    assert kind.floor(mp.inf) == mp.inf and kind.floor(-mp.inf) == -mp.inf


# -- structures -----------------------------------------------------------------------------------------


def test_an_array_is_of_whole_numbers_only_if_all_its_entries_are():
    for entries, kind in [([1, 2], int), ([1, 2.5], object), ([1.0, 2.5], float), ([True, 2], int),
                          ([1, Value(2.0)], object), ([1.0, Value(2.0)], object)]:
        found = as_array(entries, (2,), int)
        assert found.dtype == kind and found.tolist() == entries
    assert as_array([1, 2], (2, 1)).dtype == object and as_array([1, 2], (2, 1)).shape == (2, 1)


def test_an_array_of_dicts_is_matched_by_one_of_dicts_alone():
    held = np.array([{"a": 1.0}, {"a": 2.0}], object)
    assert matched(held, np.array([{"a": 3.0}, {"a": 4.0}], object), "ours", "theirs") == [3.0, 4.0]
    with pytest.raises(ag.InputError, match="theirs must have the shape of ours"):
        matched(held, np.array([3.0, 4.0]), "ours", "theirs")
    assert matched(np.array([1, 2]), np.array([3.0, 4.0]), "ours", "theirs") == [3.0, 4.0]
    values = np.array([Value(1.0), Value(2.0)])
    assert matched(values, np.array([3.0, 4.0]), "ours", "theirs") == [3.0, 4.0]


def test_a_gradient_times_minus_1_is_recorded_as_its_negative_and_times_1_as_itself():
    x, z = Value(3.0, "x"), Value(2.0, "z")
    for f, ops in [(lambda t: (x - t) * z, ["", "neg"]), (lambda t: (x + t) * z, [""]),
                   (lambda t: (x + t) * 1.0 + x * 0.0, None),
                   (lambda t: (x - t) * -2.0 * z, ["", "*", "neg"])]:
        slope = ag.grad(f)(x)
        found = [node.op for node in Program([slope]).nodes] if isinstance(slope, Value) else None
        assert found == ops


# -- kernels --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 2, 5, 10, 20, 40])
def test_a_polygamma_keeps_its_digits_where_its_operand_with_a_whole_number_is_rounded(n):
    chance = random.Random(n)
    for _ in range(30):
        x = chance.uniform(9.0, 12.0) + n
        with mp.workprec(200):
            y = mp.polygamma(n, mp.mpf(x))
            assert abs(polygammas.polygamma(float(n), x) - y) < 4 * abs(y) * mp.mpf(2) ** -52


@pytest.mark.parametrize("call", [ag.value_and_grad, ag.grad])
def test_an_argument_of_a_foreign_class_is_refused_with_a_hint_to_its_arrays(call):
    class Frame:
        pass

    class Table(Frame):
        def to_numpy(self):
            return np.ones(2)
    for thing, hint in ((Frame(), False), (Table(), True)):
        with pytest.raises(ag.InputError) as caught:
            call(lambda x: 1.0)(thing)
        assert ("its to_numpy() is an array" in str(caught.value)) is hint
        assert "autograd_lite.register tells what an object of another class consists of" in str(caught.value)
