"""`check_gradients`, `check_op` and `custom_op`: the checker is shown wrong derivatives, and right ones."""
import copy
import json
import math
import pickle
import sys
from collections import namedtuple
from dataclasses import dataclass

import numpy
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import (AuditError, DomainError, InputError, NumericError, RangeError, Value,
                           check_gradients, check_op, custom_op, errstate, grad, greater, select, where)
from autograd_lite.checks.check_gradients import CORRECT, KINK, NOISY, WRONG
from autograd_lite.checks.slopes import Estimate, has_mpmath, slope
from autograd_lite.checks.verdicts import verdict_on
from autograd_lite.graph.walks import topological
from autograd_lite.ops.op import TABLE, Op, flat
from autograd_lite.ops.selection import sign
from autograd_lite.testing import assert_gradients
from truth import spoilt

SPECIAL = {"polygamma": [(1.0, 1.5), (2.0, -0.3), (0.0, 7.1)]}       # whose options have no usual value
SPECIAL |= {name: [(2.0, 0.7, 1.0, 0.0)[:n], (0.4, -1.3, 0.0, 2.0)[:n]]
            for name, n in (("power_slope", 4), ("pow_log", 3)) if name in TABLE}


@pytest.fixture
def op():
    """`custom_op`, whose ops leave the table with the test."""
    before = dict(TABLE)

    def make(forward, partials, name="mine", **facts):
        return custom_op(forward, partials, name=name, **facts)
    yield make
    for name in set(TABLE) - set(before):
        del TABLE[name]


def near(a, b):
    return abs(a - b) <= 1e-12 * max(abs(a), abs(b))


# -- what must be rejected ---------------------------------------------------------------------


def test_a_tanh_slope_at_19_that_is_off_by_a_factor_of_12_is_rejected(op):
    """Differences of doubles cannot see it: tanh(19) is 1 to the last bit but one."""
    truth = 4.0 / (math.exp(19.0) + math.exp(-19.0)) ** 2
    assert check_gradients(ag.tanh, 19.0, claimed=12.0 * truth).verdict == WRONG
    assert check_gradients(ag.tanh, 19.0, claimed=truth).ok
    bad = op(math.tanh, (lambda y, x: 12.0 * ag.sech2(x),))
    report = check_gradients(bad, 19.0)
    assert report.verdict == WRONG and report.blame[0].op == "mine"
    assert near(report.wrong[0].reference.value, truth)
    assert "off by a factor of 12" in report.summary()


@pytest.mark.parametrize("forward", [lambda x: 1e-6 * x, lambda x: 1.0 + 1e-6 * x])
def test_a_slope_given_as_0_that_is_1e_minus_6_is_rejected(op, forward):
    report = check_gradients(op(forward, (lambda y, x: 0.0,)), 0.3)
    reference = report.wrong[0].reference                       # by differences, within their bound
    assert report.verdict == WRONG and abs(reference.value - 1e-6) <= reference.error <= 1e-13
    assert check_gradients(lambda x: x * 1e-6, 0.3, claimed=0.0).verdict == WRONG


def test_a_nan_where_a_number_belongs_is_rejected(op):
    assert check_gradients(ag.sin, 0.3, claimed=math.nan).verdict == WRONG
    report = check_gradients(op(math.sin, (lambda y, x: math.nan,)), 0.3)
    assert report.verdict == WRONG and math.isnan(report.blame[0].given)


@pytest.mark.parametrize("number", [math.inf, -math.inf])
def test_an_infinity_where_a_number_belongs_is_rejected(number):
    assert check_gradients(ag.sin, 0.3, claimed=number).verdict == WRONG


@pytest.mark.parametrize("x", [0.3, -2.0, 1e-8, 40.0])
def test_a_rule_scaled_by_1_0001_is_rejected_and_blamed(op, x):
    bad = op(math.atan, (lambda y, x: 1.0001 / (1.0 + x * x),))
    report = check_gradients(lambda p: ag.exp(0.1 * p[0]) * bad(p[0]) + p[1], [x, 2.0], order=1)
    assert report.verdict == WRONG
    assert [(partial.op, partial.operand) for partial in report.blame] == [("mine", 0)]
    assert [entry.name for entry in report.wrong] == ["∂f/∂x[0]"]


def test_a_sigmoid_slope_at_40_given_as_0_is_rejected():
    assert check_gradients(ag.sigmoid, 40.0, claimed=0.0).verdict == WRONG
    assert check_gradients(ag.sigmoid, 40.0).ok


def test_each_operand_is_blamed_by_itself(op):
    bad = op(lambda a, b: a * b * b, (lambda y, a, b: b * b, lambda y, a, b: a * b), name="ab²")
    report = check_gradients(lambda p: bad(p["u"], p["v"]), {"u": 2.0, "v": 3.0}, order=1)
    assert [(p.operand, p.given, p.reference.value) for p in report.blame] == [(1, 6.0, 12.0)]
    assert [entry.name for entry in report.wrong] == ["∂f/∂x['v']"]


def test_a_wrong_second_derivative_behind_a_right_first_one_is_found(op):
    """The slope rule's value is right, but it hides from the graph how it varies."""
    half = op(math.exp, (lambda y, x: math.exp(x.data if isinstance(x, Value) else x),), name="flat exp")
    assert check_gradients(half, 0.5, order=1).ok
    report = check_gradients(half, 0.5, order=2)
    assert [entry.order for entry in report.wrong] == [2] and not report.blame


@pytest.mark.parametrize("leak", [lambda x: x * math.sin(x.data), lambda x: x * ag.stop_gradient(x),
                                  lambda x: x * x.detach(), lambda x: x + ag.Value(x.data ** 2)])
def test_what_goes_past_the_graph_is_found_though_every_partial_is_right(leak):
    report = check_gradients(leak, 1.5)
    assert report.verdict == WRONG and not report.blame
    assert "bypasses the" in report.summary() and "graph" in report.summary()


@pytest.mark.parametrize("name", [name for name, op in TABLE.items()
                                  if any(op.differentiable(2)) and name != "//"])
def test_each_rule_of_the_table_scaled_by_1_0001_is_blamed(name):
    op = TABLE[name]
    places = [i for i, has in enumerate(op.differentiable(1 if op.open else op.most)) if has]
    for i in places:
        bad = spoilt(op, lambda p: 1.0001 * p, by=i)
        points = [(2.5, 1.5)] if name == "%" else SPECIAL.get(name, ())
        if len(places) > 1 and name in ("relu", "leaky_relu", "elu"):
            points = [(-0.7, 0.3)]                          # where the option counts
        report = check_op(bad, *points, order=1)
        assert report.verdict == WRONG, report
        assert {partial.operand for partial in report.blame} == {i}


# -- what must be accepted -----------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLE)
def test_every_op_of_the_table_is_found_correct_to_the_second_order(name):
    report = check_op(TABLE[name], *SPECIAL.get(name, ()))
    assert report.ok, report


extreme = st.one_of(
    st.floats(-4.0, 4.0), st.floats(-800.0, 800.0), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 5e-324, 1e-300, 1e-20, 19.0, 37.5, 709.0, 1e16, 1e300]))


@given(st.sampled_from([name for name, op in TABLE.items() if name not in SPECIAL]), st.data())
@settings(max_examples=150, deadline=None)
def test_no_op_is_called_wrong_anywhere_in_its_domain(name, data):
    op = TABLE[name]
    n = 3 if op.open else op.least
    xs = data.draw(st.lists(extreme, min_size=n, max_size=n))
    assume(op.domain(*xs))
    try:
        report = check_op(op, xs, order=1)
    except NumericError:
        return
    assert report.verdict != WRONG, report


@pytest.mark.parametrize("xs", [(7.5, 1e-20), (7.5, 1e-300), (-3e200, 0.7), (1e17, 3.0), (0.0, 5e-324),
                                (1e-323, 5e-324), (0.0, -1e-323), (-1e-300, 5e-324), (0.0, 1e-16)])
@pytest.mark.parametrize("name", ["%", "//"])
def test_a_remainder_by_a_tiny_number_is_not_called_wrong(name, xs):
    assert check_op(TABLE[name], xs).verdict in (CORRECT, KINK)


@given(st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3))
@settings(max_examples=25, deadline=None)
def test_a_right_gradient_is_correct_or_at_a_kink_but_never_wrong(x):
    def f(p):
        hidden = [ag.tanh(p[0] * 0.7 + p[1]), ag.relu(p[1] - p[2]), ag.softplus(p[0] * p[2])]
        return ag.logsumexp(hidden) * ag.hypot(p[0], 1.0) + ag.exp(-p[1] * p[1])
    assert check_gradients(f, x).verdict in (CORRECT, KINK)


@pytest.mark.parametrize("f, x", [
    (lambda x: 3.0, 1.0), (lambda x: x - x, 1.0), (lambda x: x * 0.0, 5.0), (lambda x: x * x, 0.0),
    (lambda x: ag.sin(1e8 * x), 1.0), (lambda x: ag.exp(-(1e8 * (x - 1.0)) ** 2) + x, 1.0 + 1e-9),
    (lambda x: 1e200 * x, 1e50), (lambda x: x * 1e-200, 1e-100), (lambda x: ag.log(x), 1e-100),
    (lambda x: ag.tanh(x), 300.0), (lambda x: (x - 1.0) ** 8, 1.0), (lambda x: x ** 3, 0.0),
    (lambda x: x * 2.0 if x > 1.0 else x * x, 1.0 + 1e-13), (ag.gelu, -0.7517915246935645)])
def test_hard_but_right_gradients_are_found_correct(f, x):
    report = check_gradients(f, x)
    assert report.ok, report


@pytest.mark.parametrize("f, x", [
    (lambda x: ag.log(1 + ag.exp(-x)), 40.0), (lambda x: 1 - ag.tanh(x), 20.0), (lambda x: x % 1.0, 2.5),
    (lambda x: 1 - ag.sigmoid(x), 40.0), (lambda x: 1 - ag.erf(x), 6.5), (lambda x: 1 - ag.cos(x), 1e-9),
    (lambda x: ag.sqrt(1 + x * x) - 1, 1e-9), (lambda x: x - ag.sin(x), 1e-6),
    (ag.digamma, -3072608141809.34), (lambda x: (1 - ag.cos(x)) / (x * x), 1e-5),
    (lambda x: ag.log(1 + x), 1e-17),
    (lambda x: (ag.exp(x) - 1) / x, 1e-9), (lambda x: (x + 1e17) - 1e17, 1.0),
    (lambda x: ag.softmax([x] * 3)[0], 0.7), (lambda x: ag.sin(x) ** 2 + ag.cos(x) ** 2, 0.7)])
def test_where_doubles_cancel_a_right_gradient_is_found_correct(f, x):
    report = check_gradients(f, x, order=2 if abs(x) == 0.7 else 1)
    assert report.ok, report


@pytest.mark.parametrize("fixed", [0.0, -1.1, -10.0, -12.3, -15.0, -17.7, -19.0, 5.0])
def test_a_constant_that_varies_is_no_error_where_it_cancels(fixed):
    def stabilised(p):
        top = ag.stop_gradient(max(*p, fixed))
        return ag.log(ag.sum([ag.exp(v - top) for v in (*p, fixed)])) + top
    for x in ([0.5, 2.0], [0.5]):
        assert check_gradients(stabilised, x, order=1).ok
        assert check_gradients(stabilised, x).verdict != WRONG


@pytest.mark.parametrize("leak", [
    lambda x: 1e5 * math.exp(-12.3 - x.data), lambda x: math.sin(1000.0 + x.data),
    lambda x: 1e3 * math.exp(20.3 - x.data)])
def test_a_constant_coarser_than_the_input_is_seen_to_vary(leak):
    assert check_gradients(lambda x: x + leak(x), 0.5, order=1).verdict == WRONG


def test_an_option_that_varies_is_seen_and_one_that_stays_is_not(op):
    mine = op(lambda x, n: x ** n, (lambda y, x, n: n * x ** (n - 1.0), None))
    assert check_gradients(lambda x: mine(x, x.data), 2.0, order=1).verdict == WRONG
    assert check_gradients(lambda x: mine(x, 3.0), 2.0, order=1).ok


@pytest.mark.parametrize("f, x, verdict", [
    (lambda x: x * [1.0, 2.0, 3.0][int(x.data)], 2.95, CORRECT),
    (lambda x: x * {0: 1.0, 1: 2.0}[int(x.data)], 1.97, CORRECT),
    (lambda x: x * math.sqrt(1.001 - x.data), 1.0, WRONG), (lambda x: x + math.inf, 1.0, KINK)])
def test_what_a_function_raises_near_the_point_is_no_error(f, x, verdict):
    assert check_gradients(f, x, order=1).verdict == verdict


def test_any_order_is_checked():
    report = check_gradients(lambda x: ag.exp(x) * x, 1.0, order=4)
    assert report.ok and [entry.order for entry in report.derivatives] == [1, 2, 3, 4]
    assert [x.name for x in report.derivatives] == ["∂f/∂x", "∂²f/∂x∂x", "∂³f/∂x∂x∂x", "∂^4f/∂x∂x∂x∂x"]
    assert near(report.derivatives[3].reference.value, 5.0 * math.e)


# -- kinks, edges, noise --------------------------------------------------------------------------


@pytest.mark.parametrize("f, x", [
    (ag.abs, 0.0), (ag.relu, 0.0), (lambda x: ag.relu(x, 1.0), 0.0), (lambda x: ag.maximum(x, 1.0), 1.0),
    (lambda x: ag.sqrt(x * x), 0.0), (lambda x: ag.hypot(x, 0.0), 0.0), (ag.sqrt, 0.0), (ag.asin, 1.0),
    (ag.cbrt, 0.0), (lambda x: ag.relu(x * x), 0.0), (lambda x: x % 1.0, 3.0)])
def test_at_a_kink_or_an_edge_the_verdict_is_that_and_not_wrong(f, x):
    report = check_gradients(f, x)
    assert report.verdict == KINK and not report.ok, report
    with pytest.raises(AuditError, match="kink"):
        report.check()


@pytest.mark.parametrize("f, x", [
    (lambda x: ag.cos(ag.sqrt(x)), 0.0), (lambda x: ag.sqrt(x) ** 2, 0.0), (lambda x: ag.cbrt(x) ** 3, 0.0),
    (lambda x: ag.cosh(ag.acosh(x)), 1.0), (lambda x: 3 * x if x != 2 else 6.0, 2.0),
    (lambda x: 1.0 if x == 0 else ag.sin(x) / x, 0.0), (lambda x: x * 1.0 if x > 0 else 0.0 * x, 0.0),
    (lambda x: x * x, math.inf), (lambda x: x * x, math.nan), (lambda x: ag.sqrt(x) ** 0, 0.0)])
def test_where_there_is_nothing_to_compare_with_the_verdict_is_neither_correct_nor_wrong(f, x):
    """Infinity times 0, another branch at this very point, no number."""
    assert {entry.verdict for entry in check_gradients(f, x).derivatives} == {KINK}


@pytest.mark.parametrize("f, x", [
    (lambda x: 0.0 * x + 9 if x == 3.0 else x * x, 3.0), (lambda x: x if x > 1 else 2 - x, 1.0),
    (lambda x: x * x if x > 1 else x * x + 1, 1.0), (lambda p: max(p[0], p[1]), [1.0, 1.0]), (ag.relu, 0.0)])
def test_at_a_branch_of_pythons_own_nothing_is_called_correct(f, x):
    assert {entry.verdict for entry in check_gradients(f, x).derivatives} == {KINK}


def test_a_long_name_keeps_the_part_that_says_which_derivative_it_is():
    def negative_log_likelihood(x):
        return x["weights"][0] * x["weights"][11]
    weights, claims = {"weights": [2.0] * 12}, {"weights": [5.0] * 12}
    report = check_gradients(negative_log_likelihood, weights, claims, order=1)
    assert "['weights'][7]: claimed 5, is 0" in report.summary()
    assert "weights'][11]" in str(report)


def test_a_refused_hessian_is_not_called_wrong():
    report = check_gradients(lambda v: ag.sqrt(v[0]) * v[1], [0.0, 0.0])
    assert report.verdict == KINK and "met an infinite derivative" in report.summary()


@pytest.mark.parametrize("f, x, claimed", [
    (lambda v: ag.sin(v[0]) + ag.relu(v[1]), [1.0, 0.0], [99.0, 0.0]),
    (lambda v: ag.hypot(v[0], v[1]), [3e-9, 4e-9], [99.0, 0.8]), (ag.relu, 1e-7, 2.0), (ag.abs, -1e-7, 1.5)])
def test_a_kink_elsewhere_or_nearby_excuses_no_claim_that_is_no_mean_of_slopes(f, x, claimed):
    assert [entry.verdict for entry in check_gradients(f, x, claimed, order=1).wrong] == [WRONG]


@pytest.mark.parametrize("size", [1.0, 5e-3, 1e-7])
def test_the_least_that_goes_past_the_graph_is_found_and_the_true_slope_is_correct(size):
    def leaky(x):
        return x + size * math.sin(x.data)
    assert check_gradients(leaky, 1.5, order=1).verdict == WRONG
    assert check_gradients(leaky, 1.5, 1.0 + size * math.cos(1.5), order=1).ok


@pytest.mark.parametrize("distance", [1e-3, 1e-9, 1e-15])
def test_near_a_kink_the_right_slope_is_correct_and_a_mean_of_both_sides_is_not_called_wrong(distance):
    assert check_gradients(lambda x: 1.0 + ag.abs(x), distance).ok
    between = check_gradients(lambda x: 1.0 + ag.abs(x), distance, claimed=0.0)
    assert between.verdict == (WRONG if distance > 1e-6 else KINK)


def test_a_kink_spoils_only_the_derivatives_through_it():
    report = check_gradients(lambda p: ag.relu(p[0]) + p[1] ** 2, [0.0, 1.0], order=1)
    assert [entry.verdict for entry in report.derivatives] == [KINK, CORRECT]


def test_where_doubles_cannot_tell_the_verdict_says_so(op):
    hidden = op(lambda x: float(numpy.tanh(x)), (lambda y, x: 12.0 * ag.sech2(x),), name="opaque tanh")
    assert check_gradients(hidden, 1.0).verdict == WRONG
    report = check_gradients(hidden, 19.0)
    assert report.verdict == NOISY and not report.ok and not report.wrong
    with pytest.raises(AuditError, match="too noisy"):
        report.check()


def test_an_opaque_function_is_checked_by_differences(op):
    fine = op(lambda x: float(numpy.sin(x)), (lambda y, x: ag.cos(x),))
    assert check_gradients(lambda p: fine(p[0]) * p[1], [0.7, 3.0]).ok


def test_near_a_kink_of_an_opaque_function_the_kink_is_named(op):
    step = op(lambda x: 1.0 + float(numpy.abs(x)), (lambda y, x: 1.0 if x > 0.0 else -1.0,), kink=lambda x: x)
    assert check_gradients(step, 1e-14, order=1).verdict == KINK
    assert check_gradients(step, 0.5, order=1).ok


@pytest.fixture
def without_mpmath(monkeypatch):
    """As if mpmath were not installed."""
    monkeypatch.setitem(sys.modules, "mpmath", None)
    has_mpmath.cache_clear()
    yield
    has_mpmath.cache_clear()


HINT = "mpmath is not installed. With it (pip install 'autograd-lite[check]')"


@pytest.mark.parametrize("f, x, claimed", [
    (ag.tanh, 19.0, 1.5e-15), (lambda p: ag.sum(p) - 1e15, [1.0] * 5, None),
    (lambda x: 1.0 + ag.abs(x), 1e-14, None)])
def test_what_mpmath_could_tell_is_said_where_it_is_not_installed(without_mpmath, f, x, claimed):
    report = check_gradients(f, x, claimed)
    assert report.verdict in (NOISY, KINK) and HINT in report.summary() and HINT in str(report)
    assert report.notes[-1].startswith(HINT) and all(len(line) < 80 for line in str(report).splitlines())


@pytest.mark.parametrize("f, x, claimed", [
    (ag.sin, 0.5, None), (ag.sin, 0.5, 0.7), (ag.relu, 0.0, None), (ag.sqrt, 0.0, None)])
def test_mpmath_is_not_asked_for_where_it_would_tell_no_more(without_mpmath, f, x, claimed):
    assert HINT not in check_gradients(f, x, claimed).summary()


def test_with_mpmath_nobody_is_told_to_install_it_and_without_it_an_opaque_op_is_no_reason_to(op, request):
    hidden = op(lambda x: float(numpy.tanh(x)), (lambda y, x: 12.0 * ag.sech2(x),), name="opaque tanh")
    assert HINT not in check_gradients(hidden, 19.0).summary()
    request.getfixturevalue("without_mpmath")
    report = check_gradients(hidden, 19.0, order=1)
    assert report.verdict == NOISY and HINT not in report.summary()


def test_an_assertion_that_could_judge_no_point_says_what_mpmath_could_tell(without_mpmath):
    with pytest.raises(AuditError, match="too noisy") as caught:
        assert_gradients(ag.tanh, st.just(19.0), order=1)
    assert HINT in str(caught.value)


def test_without_mpmath_gradients_are_still_checked(without_mpmath):
    assert check_op(TABLE["tanh"], 0.7).ok
    assert check_gradients(lambda p: ag.dot(p, p), [0.1 * k for k in range(1, 9)], order=1).ok
    assert check_gradients(ag.tanh, 1.0, claimed=0.42).verdict == WRONG


# -- recorded branches ------------------------------------------------------------------------------


def huber(x):
    return where(greater(abs(x), 1.0), 2.0 * abs(x) - 1.0, x * x)


def one_sided(x):
    return select(greater(x, 0.0), lambda: ag.sqrt(x), lambda: -x)


@pytest.mark.parametrize("f, x, verdict", [
    (huber, 0.5, CORRECT), (huber, -2.0, CORRECT), (huber, 0.0, CORRECT), (huber, 1.0 + 1e-9, CORRECT),
    (huber, 1.0, KINK), (one_sided, 0.5, CORRECT), (one_sided, -2.0, CORRECT), (one_sided, 0.0, KINK),
    (lambda x: where(greater(x, 0.0), 1.0, 2.0), 0.0, KINK), (lambda x: sign(x) * x, 0.3, CORRECT),
    (lambda x: sign(x) * 3.0, 0.0, KINK), (lambda x: greater(x, 0.2) * x, 0.3, CORRECT)])
def test_a_recorded_branch_is_correct_on_each_side_and_a_kink_where_it_turns(f, x, verdict):
    assert {entry.verdict for entry in check_gradients(f, x).derivatives} == {verdict}


def huge_elsewhere(x):
    return select(greater(x, 1000.0), lambda: ag.exp(x * x), lambda: x * x)


def bent_elsewhere(x):
    return where(greater(x, 0.0), x * 2.0, x if x.data > 1.5 else 5.0) + 7.0


@pytest.mark.parametrize("f, x", [(huge_elsewhere, 800.0), (bent_elsewhere, 1.45)])
def test_the_branch_that_is_not_taken_is_not_looked_at(f, x):
    assert check_gradients(f, x).ok


def test_what_goes_past_the_graph_counts_on_the_branch_that_is_taken():
    def leaky(x):
        return select(greater(x, 0.0), lambda: ag.sqrt(x) * math.sin(x.data), lambda: -x)
    assert check_gradients(leaky, 0.5).verdict == WRONG and check_gradients(leaky, -2.0).ok


@pytest.mark.parametrize("x", [1.0, 1.0 + 1e-7])
def test_a_mean_of_the_slopes_about_a_recorded_branch_is_not_called_wrong_and_another_claim_is(x):
    def bent(x):
        return where(greater(x, 1.0), 3.0 * x - 2.0, x)
    assert check_gradients(bent, x, claimed=2.0, order=1).verdict == KINK
    assert check_gradients(bent, x, claimed=3.5, order=1).verdict == WRONG


def test_an_op_that_passes_no_gradient_though_it_varies_is_blamed():
    report = check_op(Op("flat sine", math.sin, (flat,)), 0.3, order=1)
    assert [(partial.op, partial.given) for partial in report.blame] == [("flat sine", 0.0)]


# -- shapes ---------------------------------------------------------------------------------------


@dataclass
class Params:
    a: float
    b: list


Pair = namedtuple("Pair", "u v")


@pytest.mark.parametrize("x, f, names", [
    (2.0, lambda x: x * x, ["x"]),
    ([1.0, [2.0, 3.0]], lambda x: x[0] * x[1][0] + x[1][1], ["x[0]", "x[1][0]", "x[1][1]"]),
    ({"w": 1.0, "b": (2.0,)}, lambda x: x["w"] * x["b"][0], ["x['w']", "x['b'][0]"]),
    (Params(1.0, [2.0]), lambda x: x.a * x.b[0], ["x.a", "x.b[0]"]),
    (Pair(1.0, 2.0), lambda x: x.u * x.v, ["x[0]", "x[1]"]),
    (numpy.array([[1.0, 2.0], [3.0, 4.0]]), lambda x: (x * x).sum(),
     ["x[0][0]", "x[0][1]", "x[1][0]", "x[1][1]"]),
    (Value(2.0), lambda x: x * x, ["x"]),
    (7, lambda x: x * 2, ["x"])])
def test_points_are_nested_structures_and_their_numbers_are_named_by_their_places(x, f, names):
    report = check_gradients(f, x, order=1)
    assert report.ok and [entry.name for entry in report.derivatives] == [f"∂f/∂{name}" for name in names]
    assert check_gradients(f, x, claimed=grad(f)(x) if not isinstance(x, Value) else 4.0).ok


def test_the_claimed_gradient_is_matched_by_name_not_by_order():
    x = {"a": 2.0, "b": 3.0}
    assert check_gradients(lambda p: p["a"] * p["b"] ** 2, x, claimed={"b": 12.0, "a": 9.0}).ok


@pytest.mark.parametrize("claimed", [[1.0], 1.0, [1.0, 2.0, 3.0], {"a": 1.0, "b": 2.0}, [[1.0, 2.0]]])
def test_a_claimed_gradient_of_another_shape_is_refused(claimed):
    with pytest.raises(InputError, match="shape"):
        check_gradients(lambda p: p[0] * p[1], [1.0, 2.0], claimed=claimed)


@pytest.mark.parametrize("arguments", [
    {"f": lambda x: [x, x], "x": 1.0}, {"f": ag.sin, "x": "1"}, {"f": ag.sin, "x": 1j},
    {"f": ag.sin, "x": 1.0, "claimed": "1"}, {"f": ag.sin, "x": 1.0, "order": 0}])
def test_what_is_no_function_of_numbers_is_refused(arguments):
    with pytest.raises(InputError):
        check_gradients(**arguments)


@pytest.mark.parametrize("call, message", [
    (lambda: check_gradients(Value(2.0), 2.0), "check_gradients takes a function, got Value"),
    (lambda: check_gradients(lambda x: [x], 2.0), "^f returned list .* one number"),
    (lambda: check_gradients(lambda x: x, 2.0, claimed=[1.0, 2.0]),
     r"the claimed gradient must have the shape of x: it has list \[1.0, 2.0\], not a real number"),
    (lambda: check_op("sin"), r"expected an op, such as ag.sin or what custom_op\(…\) makes, got str 'sin'"),
    (lambda: check_op(math.sin, 1.0), "got builtin_function_or_method")])
def test_a_wrong_call_is_answered_with_the_right_one(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_a_function_undefined_at_the_point_raises_its_own_error():
    with pytest.raises(DomainError, match="log"):
        check_gradients(ag.log, -1.0)


def test_the_values_of_the_caller_are_left_alone():
    x, w = Value(2.0, "x"), Value(3.0, "w")
    x.grad = w.grad = 7.0
    report = check_gradients(lambda v: v * v * w, x)
    assert report.ok and {type(entry.claimed) for entry in report.derivatives} == {float}
    assert (x.grad, w.grad, x.requires_grad, w.requires_grad) == (7.0, 7.0, True, True)


# -- the report -------------------------------------------------------------------------------------


def test_the_report_fits_80_columns_and_says_the_op_the_numbers_and_the_label(op):
    bad = op(lambda a, b: a * b, (lambda y, a, b: 1.3 * b, lambda y, a, b: a), name="product of two things")

    def f(p):
        x = p["a rather long name for a parameter"] * 1.0
        x.label = "speed"
        return bad(x, p["b"]) * 1e17
    report = check_gradients(f, {"a rather long name for a parameter": 1 / 3, "b": 2 / 3})
    assert all(len(line) <= 79 for line in str(report).splitlines())
    assert "to blame: product of two things(0.3333333333333333, 0.6666666666666666) of" in str(report)
    assert "'speed'" in str(report)
    with pytest.raises(AssertionError) as caught:
        report.check()
    assert isinstance(caught.value, AuditError) and str(caught.value) == report.summary()


def test_a_report_of_right_derivatives_says_so_and_checks_silently():
    report = check_gradients(ag.sin, 0.5)
    assert report.summary() == "2 derivatives correct" and report.check() is None
    assert not report.wrong and not report.blame and not report.partials


@pytest.fixture
def doubtful(op):
    """A report of a wrong derivative, kinks and what is left of a refused Hessian."""
    bad = op(lambda a, b: a * b, (lambda y, a, b: 1.3 * b, lambda y, a, b: a), name="two\nlines")

    def f(p):
        x = p[0] * 1.0
        x.label = "of\nmany lines"
        return bad(x, 2.0) + ag.relu(p[1]) + ag.sqrt(p[2]) * p[1]
    return check_gradients(f, [1.0, 0.0, 0.0], [2.6, math.inf, math.nan])


def test_the_findings_are_the_derivatives_and_partials_that_are_not_correct_each_a_line(doubtful):
    assert isinstance(doubtful.findings, tuple)
    wrong = [x for x in doubtful.derivatives if x.verdict != CORRECT]
    assert doubtful.findings == (*wrong, *doubtful.partials)
    assert {x.verdict for x in doubtful.findings} >= {WRONG, KINK}
    assert all(str(x).isprintable() for x in doubtful.findings)
    assert [str(x) for x in doubtful.wrong][0].startswith("wrong derivative: ∂f/∂x[0]: claimed 2.6, is 2")
    assert "partial by operand 1: given 2.6, is 2" in str(doubtful.blame[0])
    assert check_gradients(ag.sin, 0.5).findings == ()


def test_findings_can_be_called_as_before_and_warn(doubtful):
    with pytest.warns(DeprecationWarning, match="summary"):
        assert doubtful.findings() == doubtful.summary()


def test_a_report_is_plain_data_for_json(doubtful):
    facts = doubtful.as_dict()
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert (facts["ok"], facts["verdict"], facts["notes"]) == (False, WRONG, list(doubtful.notes))
    assert [entry["claimed"] for entry in facts["derivatives"][:3]] == [2.6, "inf", "nan"]
    assert facts["derivatives"][0]["reference"] == dict(zip(["value", "error"], doubtful.wrong[0].reference))
    assert [entry["op"] for entry in facts["partials"]] == [partial.op for partial in doubtful.partials]


def test_a_report_is_pickled_and_copied(doubtful):
    for twin in (pickle.loads(pickle.dumps(doubtful)), copy.copy(doubtful), copy.deepcopy(doubtful)):
        assert str(twin) == str(doubtful) and twin.as_dict() == doubtful.as_dict() and not twin.ok
        assert list(map(str, twin.findings)) == list(map(str, doubtful.findings))


# -- slope ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f, x, truth", [
    (math.sin, 1.0, math.cos(1.0)), (math.exp, 700.0, math.exp(700.0)), (math.log, 1e-300, 1e300),
    (lambda x: 1.0 + 1e-6 * x, 0.3, 1e-6), (lambda x: x ** 3, 0.0, 0.0), (math.sin, 1e10, math.cos(1e10)),
    (lambda x: math.exp(x), 1e-300, 1.0), (lambda x: 5.0, 2.0, 0.0), (lambda x: 1e300 * x, 0.0, 1e300)])
def test_extrapolated_differences_bound_their_own_error(f, x, truth):
    value, error = slope(f, x)
    assert abs(value - truth) <= error and error <= max(1e-6 * abs(truth), 1e-13)


def test_differences_of_a_function_undefined_around_the_point_say_nothing():
    value, error = slope(lambda x: math.nan, 1.0)
    assert math.isnan(value) and error == math.inf


@pytest.mark.parametrize("f, x", [
    (math.sin, 1e17), (math.cos, 3e300), (lambda x: x * math.sin(x), 2e15),
    (lambda x: math.tanh(1e20 * x), 0.0), (lambda x: math.cos(1e10 * x), 1e7),
    (lambda x: 1.0 + (x > 3.0), 3.0)])
def test_where_a_function_turns_between_neighbouring_doubles_differences_bound_nothing(f, x):
    assert 1e100 < slope(f, x).error < math.inf


@pytest.mark.parametrize("f, x, truth", [
    (lambda x: x * x, 1e17, 2e17), (lambda x: x - 1e17, 1e17, 1.0), (math.atan, 1e17, 1e-34),
    (lambda x: math.exp(-x / 1e17), 1e17, -math.exp(-1.0) / 1e17)])
def test_far_out_a_function_that_does_not_has_a_slope(f, x, truth):
    value, error = slope(f, x)
    assert abs(value - truth) <= error < max(1e-3 * abs(truth), 1e-17)


def test_without_mpmath_no_derivative_is_blamed_where_doubles_lie_too_far_apart_to_tell(monkeypatch):
    monkeypatch.setattr("autograd_lite.checks.slopes.has_mpmath", lambda: False)
    for f, x in ((ag.sin, 1e17), (ag.sin, 1e300), (lambda x: x * ag.sin(x), 1e17),
                 (lambda x: ag.cos(1e10 * x), 1e7)):
        report = ag.check_gradients(f, x)
        assert report.verdict == NOISY
        assert "doubles lie too far apart to tell" in str(report) and "mpmath is not installed" in str(report)
    assert ag.check_gradients(ag.sin, 1.0).ok


# -- custom_op --------------------------------------------------------------------------------------


def test_a_custom_op_differentiates_to_any_order_by_its_one_rule(op):
    cube = op(lambda x: x ** 3, (lambda y, x: 3.0 * x * x,), name="cube")
    assert cube(2.0) == 8.0 and type(cube(2)) is float
    y = cube(Value(2.0, "x"))
    assert (y.data, y.op, y.partials) == (8.0, "cube", (12.0,))
    assert [grad(cube)(2.0), grad(grad(cube))(2.0), grad(grad(grad(cube)))(2.0)] == [12.0, 12.0, 6.0]
    assert check_op(cube).ok


def test_a_custom_op_may_use_its_result_and_other_custom_ops(op):
    mine = op(math.exp, lambda y, x: y, name="my exp")
    bell = op(lambda x: math.exp(-x * x), lambda y, x: -2.0 * x * mine(-x * x), name="bell")
    assert check_op(bell, order=3).ok


def test_a_custom_op_of_any_number_of_operands(op):
    def norm(*xs):
        return math.sqrt(math.fsum([x * x for x in xs]))
    mine = op(norm, lambda y, xs: [x / y for x in xs], name="norm")
    assert mine(3.0, 4.0) == 5.0 and ag.grad(lambda p: mine(*p))([3.0, 4.0]) == [0.6, 0.8]
    assert check_op(mine).ok


def test_an_option_of_a_custom_op_takes_no_gradient(op):
    power = op(lambda x, n: x ** n, (lambda y, x, n: n * x ** (n - 1.0), None), name="fixed power")
    assert grad(lambda x: power(x, 3.0))(2.0) == 12.0 and check_op(power, (2.0, 3.0)).ok
    with pytest.raises(InputError, match="option"):
        power(Value(2.0), Value(3.0))


@pytest.mark.parametrize("result", [None, 2j, "1", [1.0]])
def test_a_rule_that_returns_no_number_is_refused_by_name(op, result):
    mine = op(lambda x: x ** 3, (lambda y, x: result,))
    for use in (grad(mine), grad(grad(mine)), lambda x: check_op(mine, x), lambda x: mine(Value(x))):
        with pytest.raises(InputError, match="the partial of mine by operand 1: expected a real number"):
            use(2.0)


def test_a_rule_of_other_arguments_is_refused_at_once_and_one_on_maths_functions_by_name(op):
    with pytest.raises(InputError, match="the partial by operand 1 is called with the result and 1 operands"):
        op(lambda x: x ** 3, (lambda x: 3.0 * x * x,), name="no result")
    mine = op(math.exp, (lambda y, x: math.exp(x),), name="half exp")
    with pytest.raises(InputError, match="the partial of half exp by operand 1: float()"):
        grad(grad(mine))(1.0)


@pytest.mark.parametrize("result", [[2.0], 2.0, None, [2.0] * 4])
def test_a_rule_of_many_that_does_not_fit_the_operands_is_refused(op, result):
    mine = op(lambda *xs: 2.0 * sum(xs), lambda y, xs: result)
    with pytest.raises(InputError, match="the partials of mine: expected a list of 3"):
        mine(Value(1.0), 2.0, Value(3.0))


def test_a_rule_in_numpys_numbers_gives_a_float(op):
    mine = op(lambda x: x ** 3, (lambda y, x: numpy.float64(12.0),))
    assert type(grad(mine)(2.0)) is float


def test_a_graph_with_a_custom_op_is_pickled_and_copied(op):
    x = Value(2.0, "x")
    y = op(lambda x: x ** 3, (lambda y, x: 3.0 * x * x,))(x) + x
    for twin in (pickle.loads(pickle.dumps(y)), copy.deepcopy(y)):
        twin.backward()
        leaf = [node for node in topological([twin]) if node.label == "x"][0]
        assert (twin.data, leaf.grad) == (10.0, 13.0) and leaf is not x


def test_a_name_is_taken_but_by_the_same_definition_run_again(op):
    def define(factor=3.0):
        return op(lambda x: x ** 3, (lambda y, x: factor * x * x,), name="cube")
    first = define()
    assert define() is first
    with pytest.raises(InputError, match="'cube' is taken"):
        define(4.0)
    with pytest.raises(InputError, match="'cube' is taken"):
        op(lambda x: x * x * x, (lambda y, x: 3.0 * x * x,), name="cube")
    with pytest.raises(InputError, match="'exp' is taken"):
        op(math.exp, (lambda y, x: y,), name="exp")
    assert TABLE["cube"] is first and near(TABLE["exp"](1.0), math.e)


@pytest.mark.parametrize("forward, partials, name", [
    (lambda x: x, (lambda y, x: 1.0,), None), (lambda x: x, (lambda y, x: 1.0,), ""),
    (lambda x: x, (lambda y, x: 1.0,), 3), (lambda a, b: a, (lambda y, a, b: 1.0,), "short"),
    (lambda a, b: a, lambda y, a, b: 1.0, "bare"), (lambda x: x, None, "no rules"),
    (lambda x: x, (3,), "number"), (3, (), "no function"), (lambda *xs: 0.0, (lambda y, x: 1.0,), "open"),
    (lambda x: x, (), "none")])
def test_a_definition_that_does_not_fit_together_is_refused(op, forward, partials, name):
    before = set(TABLE)
    with pytest.raises(InputError, match="custom_op"):
        op(forward, partials, name=name)
    assert set(TABLE) == before


def test_the_name_of_a_function_serves_as_the_ops(op):
    def softsign(x):
        """x / (1 + |x|)"""
        return x / (1.0 + abs(x))
    mine = op(softsign, lambda y, x: (1.0 - ag.abs(y)) ** 2, name=None, kink=lambda x: x)
    assert TABLE["softsign"] is mine and mine.__doc__ == "x / (1 + |x|)" and check_op(mine).ok


def test_outside_its_domain_a_custom_op_says_its_remedy_and_a_nan_passes(op):
    mine = op(lambda x: math.log(abs(x)), (lambda y, x: 1.0 / x,), name="my log",
              domain=lambda x: x > 0.0, remedy="feed it a positive number")
    for x in (-1.0, 0.0, Value(-1.0, "margin")):
        with pytest.raises(DomainError, match="feed it a positive number"):
            mine(x)
    assert math.isnan(mine(math.nan)) and mine(math.inf) == math.inf
    with errstate("ignore"):
        assert math.isnan(mine(-1.0))


def test_a_custom_op_overflows_and_divides_by_zero_as_ours_do(op):
    mine = op(lambda x: math.exp(1.0 / x), (lambda y, x: -y / (x * x),))
    with pytest.raises(ZeroDivisionError):
        mine(Value(0.0))
    with pytest.raises(RangeError):
        mine(Value(1e-3))


@pytest.mark.parametrize("result", ["1", None, 1j, [1.0]])
def test_a_forward_that_returns_no_number_is_refused_by_name(op, result):
    with pytest.raises(InputError, match="mine"):
        op(lambda x: result, (lambda y, x: 1.0,))(2.0)


def test_check_op_finds_points_in_a_narrow_domain_or_asks_for_some(op):
    mine = op(lambda x: math.sqrt(x - 2.0), (lambda y, x: 0.5 / y,), domain=lambda x: x >= 2.0)
    report = check_op(mine)
    assert report.ok and all(" at " in entry.name for entry in report.derivatives)
    far = op(lambda x: math.sqrt(x - 1e6), (lambda y, x: 0.5 / y,), name="far", domain=lambda x: x >= 1e6)
    with pytest.raises(InputError, match="give some"):
        check_op(far)
    assert check_op(far, 2e6, 3e6).ok


@pytest.mark.parametrize("claimed", [5.0, 5.001, 6.0, 0.0, math.inf, math.nan])
@pytest.mark.parametrize("error", [0.0, 1e-9, 1e-3, 1e-2, math.inf])
def test_a_verdict_is_the_same_for_the_numbers_with_the_other_sign(claimed, error):
    verdict = verdict_on(claimed, Estimate(5.0, error))
    assert verdict == verdict_on(-claimed, Estimate(-5.0, error))
    if math.isnan(claimed):
        assert verdict == (WRONG if error < 5e-3 else KINK)


@pytest.mark.parametrize("nothing", ["a", None, ("a", None), {"a": None}])
def test_a_point_of_other_things_than_numbers_is_refused(nothing):
    with pytest.raises(InputError):
        check_gradients(lambda p: Value(1.0), nothing)
