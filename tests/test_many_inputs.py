"""`check_gradients` with many inputs: how often it runs the function, and that nothing slips through."""
import math

import pytest

import autograd_lite as ag
from autograd_lite import check_gradients, check_op, custom_op
from autograd_lite.checks.check_gradients import CORRECT, KINK
from autograd_lite.checks.halves import by_halves, directions
from autograd_lite.ops.op import TABLE

MANY = 80


def point(n):
    return [1.0 + math.sin(k) / 3.0 for k in range(n)]


def squares(p):
    return ag.sum([x * x for x in p])


def chain(p):
    y = p[0]
    for x in p[1:]:
        y = ag.tanh(0.9 * y + x)
    return y


def product(p):
    y = 1.0
    for x in p:
        y = y * x
    return y


def perceptron(p):
    hidden = [ag.relu(ag.dot(p[i:i + 5], [0.3, -0.2, 0.1, 0.7, -0.9])) for i in range(0, len(p), 5)]
    return ag.sum([ag.tanh(h) * h for h in hidden])


def penalty(p):
    return ag.sum([ag.abs(x - x) for x in p])               # each at its kink


def stabilised(p):
    top = max(x.data for x in p)
    return ag.log(ag.sum([ag.exp(x - top) for x in p])) + top


def masked(p):
    return ag.sum([x * float(x.data > 1.1) for x in p])


def branching(p):
    return ag.sum([2.0 * x if x > 1.1 else x * x for x in p])


def runs(f, n, **options):
    """How often a check runs f."""
    ran = 0

    def counted(p):
        nonlocal ran
        ran += 1
        return f(p)
    report = check_gradients(counted, point(n), **options)
    return ran, report


# -- the cost ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("f, most", [(squares, 30), (chain, 30), (product, 30), (perceptron, 70),
                                     (penalty, 2), (branching, 60)])
def test_how_often_the_function_is_run_does_not_depend_on_how_many_inputs_it_has(f, most):
    assert runs(f, 25, order=1)[0] <= most and runs(f, MANY, order=1)[0] <= most


@pytest.mark.parametrize("f", [squares, chain, product, perceptron])
def test_second_derivatives_take_a_fixed_number_of_runs_too(f):
    assert runs(f, 5)[0] <= 120 and runs(f, 30)[0] <= 120


@pytest.mark.parametrize("f, most", [(stabilised, 1200), (masked, 500),
                                     (lambda p: squares(p) + 2.0 * p[7].data, 250)])
def test_few_constants_that_vary_take_no_run_for_each_input(f, most):
    ran, report = runs(f, MANY, order=1)
    assert ran <= most and len([x for x in report.derivatives if x.verdict != CORRECT]) <= 1


def test_an_input_that_bypasses_the_graph_takes_a_dozen_runs():
    ran, report = runs(lambda p: ag.sum([x + math.sin(x.data) for x in p]), 50, order=1)
    assert ran <= 15 * 50 and len(report.wrong) == 50


@pytest.fixture
def total():
    """Makes an op that adds its squared operands; `total.calls` counts."""
    def make(partials=lambda y, xs: [2.0 * x for x in xs],
             form=lambda m, *xs: sum(x * x for x in xs)):
        def forward(*xs):
            make.calls += 1
            return math.fsum([x * x for x in xs])
        return custom_op(forward, partials, name="total", form=form)
    make.calls = 0
    yield make
    TABLE.pop("total", None)


def test_how_often_an_op_is_evaluated_does_not_depend_on_how_many_operands_it_has(total):
    mine, calls = total(form=None), []
    for n in (25, MANY):
        total.calls = 0
        assert check_gradients(lambda p: mine(*p), point(n), order=1).ok
        calls.append(total.calls)
    assert calls[0] == calls[1] <= 1000


# -- wrong answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 1, MANY // 2, MANY - 2, MANY - 1])
@pytest.mark.parametrize("leak", [lambda x: x.data, lambda x: 1e-6 * math.sin(x.data),
                                  lambda x: 1e5 * math.exp(-12.3 - x.data), lambda x: 1e9 + 1e3 * x.data])
def test_one_input_among_many_that_bypasses_the_graph_is_found(leak, k):
    report = check_gradients(lambda p: squares(p) + leak(p[k]), point(MANY), order=1)
    assert [x.name for x in report.wrong] == [f"∂f/∂x[{k}]"] and "bypasses" in report.summary()


@pytest.mark.parametrize("leak", [
    lambda a, b: a.data - b.data, lambda a, b: a.data + b.data, lambda a, b: a.data * b.data,
    lambda a, b: a.data / b.data, lambda a, b: (a.data - b.data) ** 2])
@pytest.mark.parametrize("j, k", [(0, MANY - 1), (MANY // 2, MANY // 2 + 1), (2, 3)])
def test_two_inputs_whose_bypasses_cancel_where_both_move_alike_are_found(leak, j, k):
    x = point(MANY)
    x[k] = 1.25 * x[j]
    report = check_gradients(lambda p: squares(p) + leak(p[j], p[k]), x, order=1)
    assert [x.name for x in report.wrong] == [f"∂f/∂x[{j}]", f"∂f/∂x[{k}]"]


def test_bypasses_of_all_inputs_by_one_constant_are_found():
    report = check_gradients(lambda p: squares(p) + math.fsum([x.data for x in p]), point(40), order=1)
    assert len(report.wrong) == 40
    mean = check_gradients(lambda p: ag.sum([(x - math.fsum([x.data for x in p]) / 40.0) * x for x in p]),
                           point(40), order=1)
    assert len(mean.wrong) == 40
    assert all(abs(x.reference.value - (x.claimed - 1.0)) < 0.1 for x in mean.wrong)


@pytest.mark.parametrize("k", [0, MANY // 2, MANY - 1])
def test_one_input_among_many_that_bypasses_the_graph_at_zero_or_beside_kinks_is_found(k):
    x = [0.0] * MANY
    report = check_gradients(lambda p: squares(p) + math.sin(p[k].data), x, order=1)
    assert [x.name for x in report.wrong] == [f"∂f/∂x[{k}]"]
    x[k] = 0.5
    report = check_gradients(lambda p: ag.sum(list(map(ag.abs, p))) + math.sin(p[k].data), x, order=1)
    assert [x.name for x in report.wrong] == [f"∂f/∂x[{k}]"]
    assert [x.verdict for x in report.derivatives].count(KINK) == MANY - 1


def test_a_bypass_of_the_second_derivatives_alone_is_found_among_many(total):
    mine = total(lambda y, xs: [2.0 * (x.data if isinstance(x, ag.Value) and k == 17 else x)
                                for k, x in enumerate(xs)])
    report = check_gradients(lambda p: mine(*p), point(20))
    assert [x.name for x in report.wrong] == ["∂²f/∂x[17]∂x[17]"]


@pytest.mark.parametrize("ks", [[0], [MANY // 2], [MANY - 1], [5, 6], [0, MANY - 1], range(0, MANY, 7)])
def test_wrong_claims_among_many_are_found(ks):
    x = point(MANY)
    claims = [2.0 * v * (1.0001 if k in ks else 1.0) for k, v in enumerate(x)]
    report = check_gradients(squares, x, claims, order=1)
    assert [entry.name for entry in report.wrong] == [f"∂squares/∂x[{k}]" for k in ks]


@pytest.mark.parametrize("spoil", [lambda p: 1.0001 * p, lambda p: p + 1e-8, lambda p: -p, lambda p: 0.0,
                                   lambda p: math.nan])
@pytest.mark.parametrize("ks", [[0], [62], [MANY - 1], [17, 18]])
def test_wrong_partials_among_many_of_an_op_are_blamed(total, ks, spoil):
    mine = total(lambda y, xs: [spoil(2.0 * x) if k in ks else 2.0 * x for k, x in enumerate(xs)])
    x = point(MANY)
    x[30:60] = [0.0] * 30
    report = check_gradients(lambda p: mine(*p), x, order=1)
    assert sorted(p.operand for p in report.blame) == ks
    assert len(report.wrong) == (MANY if spoil(1.0) != spoil(1.0) else len(ks))     # (all are nan)


@pytest.mark.parametrize("error", [1e-300, 1e-9, 5.0])
def test_a_partial_that_is_0_and_not_given_so_is_blamed_among_many_that_are_0(total, error):
    mine = total(lambda y, xs: [2.0 * x if k != 77 else 2.0 * x + error for k, x in enumerate(xs)])
    assert [p.operand for p in check_op(mine, [0.0] * MANY, order=1).blame] == [77]


def test_partials_of_all_sizes_are_told_apart_in_an_op_of_many_operands():
    weights = [10.0 ** (k % 60 - 30) for k in range(MANY)]
    assert check_gradients(lambda p: ag.dot(p, weights), point(MANY), order=1).ok
    assert check_gradients(lambda p: ag.logsumexp([x * k for k, x in enumerate(p)]), point(MANY), order=1).ok


# -- kinks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, MANY // 2, MANY - 1])
@pytest.mark.parametrize("bent", [lambda x: x if x > 1.0 else 2.0 - x, ag.abs, lambda x: ag.maximum(x, 1.0),
                                  lambda x: x * 1.0 if x == 1.0 else x * x])
def test_one_input_among_many_at_a_kink_is_named(bent, k):
    x = point(MANY)
    x[k] = 0.0 if bent is ag.abs else 1.0
    report = check_gradients(lambda p: squares(p) + bent(p[k]), x, order=1)
    assert [entry.name for entry in report.derivatives if entry.verdict == KINK] == [f"∂f/∂x[{k}]"]
    assert not report.wrong


@pytest.mark.parametrize("bent", [
    lambda a, b: a if a > b else b, lambda a, b: a * 2.0 if (a > 1.0) != (b > 1.0) else a + b,
    lambda a, b: a if a + b > 2.0 + 2.0 ** -52 else b])
def test_two_inputs_that_tie_are_both_at_a_kink(bent):
    x = point(MANY)
    x[3] = x[72] = 1.0
    report = check_gradients(lambda p: squares(p) + bent(p[3], p[72]), x, order=1)
    alone = check_gradients(lambda p: squares(p) + bent(*p), [1.0, 1.0], order=1)
    assert [entry.verdict for entry in report.derivatives if entry.name in ("∂f/∂x[3]", "∂f/∂x[72]")] == [
        entry.verdict for entry in alone.derivatives]
    assert {entry.verdict for k, entry in enumerate(report.derivatives) if k not in (3, 72)} == {CORRECT}


def test_a_domain_that_ends_at_one_of_many_inputs_is_an_edge():
    x = point(MANY)
    x[70] = 1.5
    report = check_gradients(lambda p: squares(p) + math.sqrt(1.5 - p[70].data), x, order=1)
    assert [entry.name for entry in report.derivatives if entry.verdict == KINK] == ["∂f/∂x[70]"]


def test_how_well_a_partial_is_known_does_not_depend_on_the_unit_of_the_operands():
    norm = custom_op(lambda *xs: math.sqrt(sum(x * x for x in xs)), lambda y, xs: [x / y for x in xs],
                     name="norm")
    found = []
    for unit in (2.0 ** -20, 1.0, 2.0 ** 20):
        report = check_gradients(lambda p: norm(*p), [unit * x for x in point(MANY)], order=1)
        found.append([entry.reference for entry in report.derivatives])
    assert found[0] == found[1] == found[2] and all(0.0 < error < 1e-9 for _, error in found[0])


# -- halves ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [set(), {0}, {999}, {3, 500}, set(range(1000))])
def test_by_halves_no_bad_member_is_lost_and_few_good_ones_are_left(bad):
    left = by_halves(range(1000), lambda group: not bad.intersection(group))
    assert bad <= set(left) and len(left) == len(set(left)) <= 6 * len(bad)


def test_directions_differ_and_move_every_member_by_its_own_scale():
    found = list(directions({3: 1.0, 7: 1e-9}))
    assert len({steps[3] for steps in found}) == len({steps[7] for steps in found}) == 4
    assert all(1.0 <= abs(steps[3]) <= 4.0 and 1e-9 <= abs(steps[7]) <= 4e-9 for steps in found)
    many = list(directions(dict.fromkeys(range(200), 1.0)))
    assert all({a[k] * b[k] > 0.0 for k in range(200)} == {True, False}
               for a in many for b in many if a is not b)
