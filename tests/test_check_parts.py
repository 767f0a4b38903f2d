"""Parts of the checks by themselves: how often they run a function, names, paths, slopes of ops."""
from __future__ import annotations

import itertools
import math
import random
from types import SimpleNamespace

import pytest

import autograd_lite as ag
from autograd_lite import Value, audit, check_gradients, check_op, explain, label
from autograd_lite.checks.chain_rule import ChainRule, Sum
from autograd_lite.checks.check_gradients import CORRECT, KINK, NOISY, WRONG
from autograd_lite.checks.explanation import Explanation, Finding, Input, Path
from autograd_lite.checks.nearby import Nearby, Watched
from autograd_lite.checks.slopes import UNKNOWN, Estimate, op_slope
from autograd_lite.checks.verdicts import verdict_on
from autograd_lite.ops.op import TABLE
from autograd_lite.transforms.trace import Trace

# -- slopes of ops --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["%", "//"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_among_floats_that_are_all_multiples_of_a_tiny_one_no_slope_is_told(name, sign):
    for tiny in (5e-324, 1e-323, 1e-300, 1e-16):
        assert op_slope(TABLE[name], [0.0, sign * tiny], 0) == UNKNOWN
    assert op_slope(TABLE[name], [0.0, sign * 1e-323], 1) == Estimate(0.0, 0.0)


@pytest.mark.parametrize("size, verdict", [(0.995, CORRECT), (1.005, WRONG)])
@pytest.mark.parametrize("n, moves", [(1, 1), (2, 1), (4, 4)])          # (few operands are moved one by one)
def test_near_a_zero_of_a_slope_its_rounding_is_what_it_changes_by_to_the_next_floats(n, moves, size,
                                                                                      verdict):
    ulp = math.ulp(0.1)                         # the slope 0.2 − 2·x changes by 2 of them at each move
    off = size * 64.0 * math.sqrt(n) * moves * 2.0 * ulp
    op = ag.custom_op(
        lambda *xs: xs[0] * (0.2 - xs[0]), lambda y, xs: [0.2 - 2.0 * xs[0] + off] + [0.0] * (n - 1),
        name="near 0", form=lambda m, *xs: xs[0] * ((m.mpf(0.2) if hasattr(m, "mpf") else 0.2) - xs[0]))
    try:
        assert check_op(op, [0.1] + [0.7] * (n - 1), order=1).verdict == verdict
    finally:
        TABLE.pop("near 0")


@pytest.mark.parametrize("g, p, expected", [
    (Sum(2.0, 5.0, 0.25), Estimate(-3.0, 0.5), Sum(-6.0, 15.0, 0.75 + 2.5)),
    (Sum(0.0, 0.0, 0.25), Estimate(-3.0, 0.5), Sum(0.0, 0.0, 0.75 + 0.5)),
    (Sum(2.0, 2.0, 0.0), Estimate(3.0, 0.0), Sum(6.0, 6.0, 0.0)),
    (Sum(2.0, 2.0, math.inf), Estimate(0.0, 0.0), Sum(0.0, 0.0, math.inf)),
    (Sum(0.0, 0.0, 0.0), Estimate(3.0, 0.5), None)])
def test_the_error_of_a_derivative_goes_on_times_partials_and_theirs_times_its_terms(g, p, expected):
    class Known:
        def partial(self, call, i):
            return p
    rule = ChainRule(Trace(lambda x: x * x, (1.0,), {}), Known())
    found = rule.times(g, SimpleNamespace(given=[3.0]), 0, 0)
    assert found == expected


def test_an_infinite_partial_leaves_its_derivative_unknown_and_of_the_size_of_the_rest():
    entry, = check_gradients(lambda x: 3.0 * ag.sqrt(x), 0.0, order=1).derivatives
    assert entry.reference == Estimate(3.0, math.inf) and entry.verdict == KINK


# -- constants ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f, slope", [
    (lambda x: (x * math.sin(x.data)) * 0.0 + 2.0 * x, None),
    (lambda x: (x * x.data) * 0.0 + 3.0 * x + x.data, 4.0),
    (lambda x: (x * x.data) * 0.0 + x * (3.0 * x.data), 6.0),
    (lambda x: 3.0 * x + Value(x.data) * 5.0, 8.0), (lambda x: Value(x.data) * 5.0, 5.0),
    (lambda x: ag.where(ag.greater(x, 0.0), x * 2.0, x * x.data), None)])
def test_constants_that_vary_count_by_the_outputs_derivative_by_them(f, slope):
    entry, = check_gradients(f, 1.0, order=1).derivatives
    assert entry.verdict == (CORRECT if slope is None else WRONG)
    assert slope is None or abs(entry.reference.value - slope) < 1e-9


@pytest.mark.parametrize("x, steep", [(1e-11, 1.0), (1e-11, -1.0), (1e-16, 1e5), (1e-16, -1e5)])
def test_a_constant_that_varies_too_little_to_be_seen_nearby_is_seen_to_vary_further_away(x, steep):
    entry, = check_gradients(lambda x: 3.0 * x + (1.0 + steep * x.data), x, order=1).derivatives
    assert entry.verdict == WRONG and abs(entry.reference.value - (3.0 + steep)) < 1e-9 * abs(steep)


@pytest.mark.parametrize("f, verdict", [
    (lambda x: x * 1.0 if x >= 0.0 else x + x, KINK), (lambda x: x * 1.0 if x <= 0.0 else x + x, KINK),
    (lambda x: x * 1.0 if -1.0 < x < 1.0 else x + x, CORRECT)])
def test_a_branch_at_0_is_seen_from_both_sides_and_one_further_away_is_not(f, verdict):
    assert check_gradients(f, 0.0, order=1).verdict == verdict


@pytest.mark.parametrize("x", [[math.inf, 1.0], [1.0, math.nan], [math.inf, math.nan]])
def test_at_a_point_of_which_one_number_is_not_finite_nothing_is_compared(x):
    report = check_gradients(lambda p: p[0] * p[1] + p[1] * p[1].data, x, order=1)
    assert [(d.verdict, d.reference.error) for d in report.derivatives] == [(KINK, math.inf)] * 2


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("claimed, verdict", [
    (0.0, KINK), (1.0 + 1e-6, KINK), (-1.0 - 1e-6, KINK), (1.0 + 1.1e-6, WRONG), (-1.0 - 1.1e-6, WRONG),
    (0.9, KINK), (-0.9, KINK)])
def test_near_a_kink_a_claim_between_the_slopes_on_its_sides_is_not_called_wrong(side, claimed, verdict):
    report = check_gradients(lambda x: ag.abs(x - 1.0), 1.0 + side * 1e-7, claimed=claimed, order=1)
    assert report.verdict == verdict


@pytest.mark.parametrize("f", [
    lambda x: x * 2.0 + 3.0 * math.sin(x.data), lambda x: x * x * x.data, lambda x: x + x.data ** 3])
@pytest.mark.parametrize("x", [0.7, 3.0, 0.001])
def test_what_bypasses_an_odd_function_does_so_alike_on_both_sides_of_0(f, x):
    (a,), (b,) = (check_gradients(f, t, order=1).derivatives for t in (x, -x))
    assert (a.verdict, a.reference) == (b.verdict, b.reference) and a.reference.error > 0.0


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_inputs_move_by_as_much_as_they_are_large(size):
    report = check_gradients(lambda p: ag.sum([x * 2.0 for x in p]) + size * math.sin(p[5].data / size),
                             [size] * 8, order=1)
    assert [d.name for d in report.wrong] == ["∂f/∂x[5]"]


def test_only_lines_on_which_several_inputs_move_go_beyond_a_kink():
    core = Watched(lambda x: ag.abs(x - 1.0), "f")
    nearby = Nearby(lambda x: [core(x)], core, 1.5)
    alone, together = nearby.probe(0), nearby._probe({0: 1.0})
    assert alone.sample(1.25) == together.sample(0.75) == ([0.25], [1.0])
    assert alone.sample(0.5) is None and together.sample(0.0) == ([0.5], [1.0])
    assert 0.5 in alone.turning and 0.0 in together.turning


def test_what_bypasses_the_graph_is_as_uncertain_as_its_parts_and_their_rounding():
    core = Watched(lambda x: x * 2.0 + 1.0, "f")
    probe = Nearby(lambda x: [core(x)], core, 1.5).probe(0)
    size = len(probe.nearby.here.trace.program)
    changes = [Estimate(2.0, 0.25), Estimate(4.0, 0.0), Estimate(0.5, 1.0)]
    probe._varying = lambda weights: zip(weights, changes)
    assert probe.past([3.0, -1.0]) == Estimate(2.0, 0.75 + 2.0 ** -52 * (size + 16) * 10.0)
    assert probe.past([3.0, -1.0, math.inf]).error == math.inf


@pytest.mark.parametrize("size", [1.0, 1e6])
@pytest.mark.parametrize("share, verdict", [(0.99, CORRECT), (1.01, WRONG), (-0.99, CORRECT), (-1.01, WRONG)])
def test_a_derivative_may_lie_off_by_the_rounding_of_its_terms_in_as_many_operations(size, share, verdict):
    def f(x):
        return x * size - x * size
    n = len(Trace(f, (1.0,), {}).program)
    claimed = share * 2.0 ** -52 * (n + 16) * (2.0 * size)
    assert check_gradients(f, 1.0, claimed=claimed, order=1).verdict == verdict


@pytest.mark.parametrize("n, said", [(1, "∂f/∂x[0]: every"), (2, "∂f/∂x[0] and others: every"),
                                     (3, "∂f/∂x[0] and others: every")])
def test_of_derivatives_that_bypass_the_graph_the_first_is_named(n, said):
    note, = check_gradients(lambda p: ag.sum([x + math.sin(x.data) for x in p[:n]]), [0.5] * 3, order=1).notes
    assert note.startswith(said)


# -- hidden causes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rtol", [1e-6, 1e-4])
@pytest.mark.parametrize("share, found", [(0.96, 1), (1.04, 0), (-0.96, 1), (-1.04, 0)])
def test_a_hidden_cause_explains_errors_to_ten_times_the_tolerance(rtol, share, found):
    a, b = Value(2.0), Value(3.0)
    h = a * b
    y = h * h
    label(a=a, b=b, h=h, y=y)
    claims = {"a": 2.0 * 36.0 * (1.0 + share * 20.0 * rtol), "b": 2.0 * 24.0}       # half of it is left over
    assert len(audit(y, claims, rtol).latent) == found


def test_by_itself_a_number_of_which_only_its_size_is_bounded_is_not_known():
    assert verdict_on(0.0, Estimate(0.0, 5e-11)) == NOISY
    assert verdict_on(0.0, Estimate(0.0, 5e-11), scale=1.0) == CORRECT


# -- names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4,), (2, 3), (3, 2), (2, 3, 2)])
def test_entries_that_have_labels_of_their_own_are_named_by_them(shape):
    places = list(itertools.product(*map(range, shape)))
    nodes = {place: Value(1.0 + k, f"leaf{'abcdefghijkl'[k]}") for k, place in enumerate(places)}
    y = ag.sum([x * x for x in nodes.values()])
    label(y=y)

    def nested(entries, *before):
        if len(before) == len(shape):
            return entries[before]
        return [nested(entries, *before, i) for i in range(shape[len(before)])]

    for wrong, x in nodes.items():
        claims = {place: 2.0 * node.data + (place == wrong) for place, node in nodes.items()}
        row, = audit(y, [(("y", nested(nodes)), nested(claims))]).rows
        assert row.worst[0] == wrong and row.ends == ("y", x.label)


# -- paths ----------------------------------------------------------------------------------------------


def test_a_path_is_named_by_its_ends_and_its_labels():
    for length, labelled in itertools.product((1, 3, 9, 14, 20), ("", "x")):
        x = y = Value(0.5, labelled)
        for k in range(length):
            y = y * 1.5
            y.label = "mid" if k == 4 < length - 1 else ""
        path, = explain(y, x).paths
        assert path.named == [0] + [length - 5] * (length > 5) + [length]
        assert path.brief() == " ← ".join(["*"] + ["mid"] * (length > 5) + [labelled or "0.5"])


def ways(y, x):
    """All paths from y to x, as their nodes and the product of their partials."""
    if y is x:
        return [([x], 1.0)]
    return [([y, *nodes], p * product) for node, p in zip(y.operands, y.partials) if isinstance(node, Value)
            for nodes, product in ways(node, x) if p * product]


@pytest.mark.parametrize("seed", range(12))
def test_the_paths_told_are_the_largest_of_all(seed):
    numbers = random.Random(seed)
    nodes = [Value(numbers.uniform(-2.0, 2.0)), Value(numbers.uniform(-2.0, 2.0) * (seed % 3 > 0))]
    for _ in range(9):
        a, b = numbers.choice(nodes[-4:]), numbers.choice(nodes[-5:])
        nodes.append(a * b if numbers.random() < 0.6 else a - b)
    y, x = nodes[-1], nodes[0]
    every = sorted(ways(y, x), key=lambda way: -abs(way[1]))
    if not every:
        return
    found = explain(y, x)
    size = math.fsum(abs(product) for _, product in every)
    assert found.number_of_paths == len(every) and len(found.paths) == min(5, len(every))
    assert math.isclose(found.log10_size, math.log10(size), abs_tol=1e-12)
    for path, (_, product) in zip(found.paths, every):
        assert math.isclose(abs(path.contribution), abs(product), rel_tol=1e-12)
        assert math.isclose(path.share, abs(product) / size, rel_tol=1e-12)
        assert math.isclose(path.log10, math.log10(abs(product)), abs_tol=1e-12)
        assert any(list(map(id, path.nodes)) == list(map(id, nodes))
                   and math.isclose(path.contribution, product, rel_tol=1e-12) for nodes, product in every)


# -- how often a function is run ------------------------------------------------------------------------


def smooth(p):
    return ag.sum([x * x for x in p])


FUNCTIONS = {
    "smooth": (lambda p: ag.sum([x * x for x in p]), [7, 13, 17], CORRECT),
    "steps at 1": (lambda p: ag.sum([x * float(x.data > 1.0) for x in p]), [105, 209, 845], NOISY),
    "steps near 1": (lambda p: ag.sum([x * float(x.data > 1.0 + 1e-9) for x in p]), [106, 211, 853], CORRECT),
    "steps further": (lambda p: ag.sum([x * float(x.data > 1.01) for x in p]), [106, 211, 17], CORRECT),
    "one bypasses": (lambda p: ag.sum([x * x for x in p]) + 2.0 * p[0].data, [13, 19, 55], WRONG),
    "one bypasses downwards": (lambda p: smooth(p) - 2.0 * p[0].data, [13, 19, 55], WRONG),
    "one bypasses steeply": (lambda p: smooth(p) + (1e6 + 1e3 * p[0].data), [13, 19, 55], WRONG),
    "all bypass": (lambda p: ag.sum([x + math.sin(x.data) for x in p]), [13, 25, 109], WRONG),
    "branches at 1": (lambda p: ag.sum([2.0 * x if x > 1.0 else x * x for x in p]), [7, 13, 55], KINK),
    "branches further": (lambda p: ag.sum([2.0 * x if x > 1.01 else x * x for x in p]), [7, 13, 17], CORRECT),
    "one branches nearby": (lambda p: smooth(p) + (p[0] if p[0] > 1.0 + 1e-7 else 2.0 * p[0]),
                            [7, 13, 17], CORRECT),
    "fails and varies where several move": (lambda p: smooth(p) / float(
        sum(abs(x.data - 1.0) > 1e-9 for x in p) < 2) + (1e6 + p[-1].data), [106, 112, 160], WRONG),
    "kinks": (lambda p: ag.sum([ag.abs(x - 1.0) for x in p]), [1, 1, 1], KINK),
    "kinks nearby": (lambda p: ag.sum([ag.abs(x - 1.0 - 1e-7) for x in p]), [7, 13, 17], CORRECT),
    "noise": (lambda p: ag.sum([(x + 1e17) - 1e17 for x in p]), [7, 13, 17], CORRECT),
    "no number nearby": (lambda p: ag.sum([x * (math.nan if x.data != 1.0 else 1.0) for x in p]),
                         [106, 211, 853], KINK),
    "fails nearby": (lambda p: ag.sum([x / float(x.data == 1.0) for x in p]), [7, 13, 55], KINK),
    "fails further": (lambda p: ag.sum([x / float(x.data < 1.01) for x in p]), [7, 13, 17], CORRECT),
    "a constant": (lambda p: 3.0, [7, 13, 17], CORRECT)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_how_often_a_function_is_run_depends_on_where_it_branches_and_its_constants_vary(name):
    f, expected, verdict = FUNCTIONS[name]
    for n, times in zip((1, 2, 8), expected):
        ran = []

        def counted(p):
            ran.append(p)
            return f(p)
        assert (check_gradients(counted, [1.0] * n, order=1).verdict, len(ran)) == (verdict, times)


# -- texts of explanations ------------------------------------------------------------------------------


def told(n=1.0, log10=0.0, gradient=1.0, share=1.0, contribution=1.0, factors=(1.0,), path_log10=0.0):
    """The text of an explanation by one path, of such numbers."""
    x = Value(2.0, "x")
    nodes = [x]
    for _ in factors:
        nodes.append(nodes[-1] * 1.0)
    nodes[-1].label = "y"
    path = Path(tuple(nodes[::-1]), (0,) * len(factors), factors, contribution, path_log10, share)
    less = Path(tuple(nodes[::-1]), (0,) * len(factors), factors, contribution, path_log10, share / 2.0)
    return str(Explanation(nodes[-1], x, gradient, paths=(path, less), number_of_paths=n, log10_size=log10))


@pytest.mark.parametrize("n, text", [
    (1.0, "over 1 path\n"), (2.0, "over 2 paths;"), (999_999.0, "over 999999 paths;"),
    (1e6, "over 1.0e+06 paths;"), (1e308, "over 1.0e+308 paths;"), (math.inf, "over more than 1e308 paths;")])
def test_the_number_of_paths_is_rounded_where_it_is_large(n, text):
    assert f"\nIt comes {text}" in told(n)


@pytest.mark.parametrize("log10, text", [
    (0.0, "1"), (2.0, "100"), (307.0, "1e+307"), (307.999, "9.977e+307"), (308.0, "10^308.0"),
    (308.25, "10^308.2"), (-306.999, "1.00231e-307"), (-307.0, "10^-307.0"), (-400.06, "10^-400.1")])
def test_a_sum_of_sizes_that_no_double_holds_is_a_power_of_ten(log10, text):
    gradient = 10.0 ** log10 if -300.0 < log10 < 308.0 else 1.79e308 if log10 > 0.0 else 1e-300
    assert f"; their sizes add up to {text}\n" in told(2.0, log10, gradient)


@pytest.mark.parametrize("log10, gradient, cancels", [
    (0.3, 1.0, False), (0.3001, 1.0, True), (0.3001, -1.0, True), (1.2999, 10.0, False), (-0.69, 0.1, True),
    (-0.71, 0.1, False), (0.0, 0.0, False)])
def test_paths_cancel_where_their_sizes_add_up_to_twice_the_gradient(log10, gradient, cancels):
    assert (", but cancel in part\n" in told(2.0, log10, gradient)) is cancels


@pytest.mark.parametrize("share, percent, rows", [
    (1.0, "100.0 %", 2), (0.0014, "0.1 %", 2), (5.0001e-4, "0.1 %", 2), (5e-4, "0.1 %", 1),
    (4.99e-4, "< 0.1 %", 1), (0.0, "< 0.1 %", 1)])
def test_paths_of_small_shares_are_left_out_and_the_share_of_the_first_is_rounded(share, percent, rows):
    lines = told(share=share).splitlines()[4:]
    assert [line[:8].strip() for line in lines][0] == percent and len(lines) == rows


@pytest.mark.parametrize("contribution, log10, text", [
    (0.125, -0.9, "0.125"), (-2.0, 0.3, "-2"), (2.0 ** -1022, -307.7, "2.22507e-308"),
    (-(2.0 ** -1022), -307.7, "-2.22507e-308"), (2.0 ** -1023, -307.95, "10^-307.9"),
    (0.0, -400.0, "10^-400.0"),
    (-0.0, -400.0, "-10^-400.0"), (math.inf, 400.0, "10^400.0"), (-math.inf, 400.25, "-10^400.2")])
def test_a_contribution_that_no_double_holds_is_a_power_of_ten(contribution, log10, text):
    assert told(contribution=contribution, path_log10=log10).splitlines()[4].split()[2] == text


@pytest.mark.parametrize("factors, at", [
    ((1.0, 2.0), None), ((1e-3, 1.0), None), ((9.99e-4, 1.0), 0), ((1.0, -9.99e-4), 1), ((1e-5, 1e-4), 0),
    ((-1e-4, 1e-5), 1), ((0.0, 1.0), 0), ((1e-4, 1e-4), 0), ((), None)])
def test_the_smallest_factor_of_the_first_path_is_named_if_it_is_below_a_thousandth(factors, at):
    text = told(factors=factors)
    assert ("Its smallest factor is" in text) is (at is not None)
    if at is not None:
        assert f"Its smallest factor is {factors[at]:.3g}, the partial of\n  " in text
        assert text.endswith(f" by {('*', 'x')[at]}")


@pytest.mark.parametrize("labels, product", [
    (0, False), (1, True), (5, True), (6, False)])
def test_a_product_over_labelled_nodes_is_told_of_two_to_six_factors(labels, product):
    x = y = Value(0.5, "x")
    for k in range(labels + 1):
        y = y * 2.0 * 1.0
        y.label = f"y{k}"
    path, = explain(y, x).paths
    names = [f"y{k}" for k in range(labels, -1, -1)] + ["x"]
    text = " · ".join(f"∂{a}/∂{b}" for a, b in zip(names, names[1:]))
    text += " = " + " · ".join(["2"] * (labels + 1))
    assert path.product() == text * product
    assert path.brief() == " ← ".join(names)


@pytest.mark.parametrize("length, text", [
    (1, "z ← x"), (2, "z ← * ← x"), (3, "z ← * ← * ← x"), (11, "z" + " ← *" * 10 + " ← x"),
    (12, "z ← (11 ops) ← x"), (20, "z ← (19 ops) ← x")])
def test_a_long_path_tells_how_many_operations_lie_between_its_ends(length, text):
    x = z = Value(0.5, "x")
    for _ in range(length):
        z = z * 2.0
    z.label = "z"
    path, = explain(z, x).paths
    assert str(path).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize("before, after, text", [
    (3, 4, "z ← * ← * ← * ← m ← * ← * ← x"), (3, 5, "z ← (4 ops) ← m ← (2 ops) ← x"),
    (2, 6, "z ← (5 ops) ← m ← * ← x"), (1, 8, "z ← (7 ops) ← m ← x")])
def test_a_path_with_labels_is_shortened_from_nine_nodes_on(before, after, text):
    x = z = Value(0.5, "x")
    for k in range(before + after):
        z = z * 2.0
        z.label = "m" if k == before - 1 else ""
    z.label = "z"
    path, = explain(z, x).paths
    assert str(path).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize("n", [11, 12, 15])
def test_of_many_names_those_in_the_middle_are_counted(n):
    x = z = Value(0.5, "x")
    for k in range(n):
        z = z * 2.0
        z.label = f"z{k}"
    path, = explain(z, x).paths
    names = [f"z{k}" for k in range(n - 1, -1, -1)] + ["x"]
    if n > 11:
        names[5:-5] = [f"({len(names) - 10}\N{NO-BREAK SPACE}more)"]
    assert path.brief() == str(path) == " ← ".join(names)


@pytest.mark.parametrize("n", [1, 3, 4, 5, 7])
def test_of_the_numbers_that_a_nan_is_made_of_four_are_told(n):
    with ag.errstate("ignore"):
        node = TABLE["logsumexp"](*[Value(math.inf, f"x{k}" if k != 1 else "") for k in range(n)], Value(1.0))
    names = ["inf" + f" of 'x{k}'" * (k != 1) for k in range(n)]
    why = Finding(node, "became nan").why
    assert why.endswith(" is nan, made of " + ", ".join(names[:4]) + ", …" * (n > 4) + ".")


@pytest.mark.parametrize("f, labels, operand, name", [
    (ag.exp, ["x"], 0, "its derivative"), (ag.exp, [""], None, "its derivative"),
    (ag.hypot, ["x", ""], 0, "its derivative by 'x'"),
    (ag.hypot, ["x", ""], 1, "its derivative by operand 2"),
    (ag.hypot, ["", "y"], 0, "its derivative by operand 1"), (ag.hypot, ["x", "y"], None, "its derivative")])
def test_a_derivative_is_named_by_the_operand_if_there_are_several(f, labels, operand, name):
    finding = Finding(f(*[Value(0.5, x) for x in labels]), "flat", operand, 0.0, 1.0)
    assert f": {name} is 0, and the gradient 1 that arrives stops here." in finding.why


@pytest.mark.parametrize("width", [30, 60, 200])
def test_a_finding_is_told_in_indented_lines(width):
    finding = Finding(ag.exp(Value(0.5, "a name")), "flat", 0, 0.0, 1.0)
    lines = finding.told(width).split("\n")
    assert all(line[:2] == "  " and line[2] != " " and len(line) <= width for line in lines)
    assert " ".join(map(str.strip, lines)) == finding.why and finding.paragraph() == finding.told(79)


@pytest.mark.parametrize("share, gradient, value, cells", [
    (0.75, 1.0 / 3.0, 1234567.0, "  75.0 %      0.333333   1.23457e+06  x"),
    (4e-4, -2.0, 0.5, " < 0.1 %            -2           0.5  x")])
def test_a_row_of_the_inputs_that_matter_most(share, gradient, value, cells):
    x = Value(value, "x")
    assert str(Explanation(x, inputs=(Input(x, gradient, share),))).splitlines()[-1] == cells


# -- ops of many operands -------------------------------------------------------------------------------


def weighted(weights, xs, wrong=()):
    """How often an op that adds squares times weights is evaluated by its check, and what is blamed."""
    calls = []

    def forward(*xs):
        calls.append(xs)
        return math.fsum([w * x * x for w, x in zip(weights, xs)])
    op = ag.custom_op(forward, lambda y, xs: [2.0 * w * x * (1.0 + 1e-6 * (k in wrong))
                                              for k, (w, x) in enumerate(zip(weights, xs))], name="weighted")
    try:
        report = check_op(op, xs, order=1)
        return len(calls), [p.operand for p in report.blame], report.derivatives
    finally:
        TABLE.pop("weighted")


MANY = {
    "alike": ([1.0] * 8, [1.0] * 8), "of both signs": ([1.0, -2.0] * 4, [1.0, 0.5] * 4),
    "of all sizes": ([10.0 ** k for k in range(-8, 8, 2)], [1.0] * 8),
    "half of slope 0": ([1.0, 0.0] * 5, [1.0, 0.5] * 5), "at 0": ([1.0] * 8, [0.0] * 8),
    "negative": ([1.0] * 8, [-1.0, -2.0] * 4), "of slopes 1": ([0.5] * 8 + [0.0], [1.0] * 9),
    "three": ([1.0] * 3, [1.0] * 3),
    "large": ([1e-6] * 8, [1e6, 2e6, 3e6, 4e6] * 2)}
TIMES = {"alike": (429, 1663), "of both signs": (429, 2071), "of all sizes": (1459, 1459),
         "half of slope 0": (2082, 2082), "at 0": (1974, 1974), "negative": (429, 1459),
         "of slopes 1": (635, 1971), "three": (328, 637), "large": (429, 1459)}


@pytest.mark.parametrize("name", MANY)
def test_operands_that_pass_together_are_not_moved_one_by_one(name):
    right, wrong = (weighted(*MANY[name], spoilt) for spoilt in ((), (1,)))
    assert (right[0], wrong[0]) == TIMES[name]
    blamed = [1] if all(MANY[name][0][:2]) and name not in ("of all sizes", "at 0") else []
    assert (right[1], wrong[1]) == ([], blamed)
    if right[0] == 429:                         # (each is known as well as the others)
        doubts = [entry.reference.error / abs(entry.claimed) for entry in right[2]]
        assert max(doubts) < 1.0001 * min(doubts) < 1e-12
