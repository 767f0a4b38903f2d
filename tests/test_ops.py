"""Every row of the table against mpmath: its value and its derivatives to the third order, everywhere."""
from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from truth import (HUGE, OPTIONS, OURS, TINY, TRUTH, mpmath, partial, partials, paths, plain, points,
                   relative, spoilt, ulps)

import autograd_lite as ag
from autograd_lite import Value
import autograd_lite as ops
from autograd_lite.graph.program import Program
from autograd_lite.ops import activations, elementary, geometry, normal, selection, sequences, special
from autograd_lite.ops.custom import Custom
from autograd_lite.ops.operators import Operators
from autograd_lite.ops.op import TABLE, Op
from autograd_lite.ops.numbers import partials_or_nan
from autograd_lite.graph.node import op_of

# Python's `math` has these; the value is the very same.
IN_MATH = {"%": "fmod", **{name: name for name in (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan", "asin",
    "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "gamma", "lgamma",
    "hypot", "atan2")}}
ROWS = [name for name in TABLE if name in TRUTH]

# -- the two sides ----------------------------------------------------------------------------


def slope(root: Any, x: Value) -> Any:
    """∂root/∂x by the chain rule on Values: a Value, or a float where nothing varies."""
    if not isinstance(root, Value):
        return 0.0
    program = Program([root])
    varies = {id(node) for node, flag in zip(program.nodes, program.dependent([program.place(x)])) if flag}
    found: dict[int, Any] = {id(root): 1.0}
    for node in reversed(program.nodes):
        g = found.get(id(node))
        if node is x or g is None or op_of(node) is None:
            continue
        wanted = [isinstance(operand, Value) and id(operand) in varies for operand in node.operands]
        row: Any = op_of(node)
        for operand, p, w in zip(node.operands, row.partials(node, node.operands, wanted), wanted):
            if w and p is not None and not (type(p) is float and p == 0.0):
                term = p if type(g) is float and g == 1.0 else g * p
                found[id(operand)] = found[id(operand)] + term if id(operand) in found else term
    return found.get(id(x), 0.0)


def ours(row: Op, xs: tuple[float, ...], by: tuple[int, ...]) -> list[float]:
    """The value, ∂/∂by[0] by the rule on floats, and the rest of the way by graphs of Values.

    What cannot be had is a nan, and ends the list.
    """
    found = [row(*xs)]
    if by:
        p = partials_or_nan(row, found[0], xs, [i == by[0] for i in range(len(xs))])[by[0]]
        found += [0.0 if p is None else p]              # None: no gradient flows there
    try:
        nodes = [Value(x) if i in by else x for i, x in enumerate(xs)]
        y: Any = None
        for k, i in enumerate(by):
            y = slope(y, nodes[i]) if k else \
                row.partials(row(*nodes), nodes, [j == i for j in range(len(xs))])[i]
            if k:
                found.append(y.data if isinstance(y, Value) else y)
    except ag.NumericError:
        found.append(math.nan)
    return found


@cache
def true(name: str, xs: tuple[float, ...], by: tuple[int, ...]) -> list[Any]:
    """The same from mpmath, as far as it is a real number."""
    for n in range(len(by), -1, -1):
        try:
            found = partials(name, xs, by[:n])
        except (ZeroDivisionError, ValueError):
            continue
        if all(mpmath.isfinite(t.value) and not isinstance(t.value, mpmath.mpc) for t in found):
            return found
    return []


def mistakes(row: Op, xs: tuple[float, ...], by: tuple[int, ...]) -> list[str]:
    """Where ours is further from the truth than NUMERICS.md allows, along one way to differentiate."""
    if not row.domain(*xs):
        return []
    try:
        row(*xs)
    except ag.RangeError:
        return [] if partial(row.name, xs).largest >= HUGE / 2 else [f"{row.name}{xs} is refused"]
    wrong = []
    for k, (found, t) in enumerate(zip(ours(row, xs, by), true(row.name, xs, by))):
        if k and (t.largest >= HUGE or k > 1 and t.largest >= HUGE / 64):
            break                                       # from here on out of range
        order = k + (sum(int(x) for x in xs[2:]) if row.name == "power_slope"
                     else int(xs[1]) if row.name in ("gauss", "normal_pdf") and len(xs) > 1 else 0)
        if order < 2:
            error = ulps(found, t, beside_zero=True)
            allowed = 4.0 if abs(t.value) >= TINY else 8.0
        else:
            error, allowed = relative(found, t, beside_zero=True), 1e-13
        if k == 0 and row.name in IN_MATH or row.name in ("sum", "mean", "dot") and k == 0:
            continue                                    # held against `math`, or the chain of +, below
        if row.name in ("hypot", "cos_angle") and order + (row.name == "cos_angle") > 2 \
                and math.isnan(found) and math.hypot(*xs) < 1e-154:
            break                                       # 1/h² is out of range: refused, not wrong
        if not error <= allowed:
            wrong.append(f"{row.name}{xs} by {by[:k]}: {found!r}, truly {t.value}, off by {error:.3g}")
        if k and not TINY < abs(t.value) and t.value:
            break
    return wrong


def tie(name: str, xs: tuple[float, ...]) -> bool:
    """Where a kink makes the derivative a convention (the edge table's business)."""
    kink = TABLE[name].kink
    if name in ("**", "power_slope"):
        return xs[0] == xs[1] == 0.0
    if name in ("%", "//"):
        return abs(xs[0]) > 1e15 * abs(xs[1]) or xs[0] % xs[1] == 0.0 if xs[1] else True
    return name not in ("hypot", "atan2") and kink is not None and kink(*xs) == 0.0


# -- every row --------------------------------------------------------------------------------


def test_the_truth_has_every_row():
    assert set(TRUTH) >= OURS


@pytest.mark.parametrize("name", ROWS)
def test_a_row_and_its_derivatives_to_the_third_order_are_the_truth(name):
    wrong = [text for xs in points(name) if TABLE[name].domain(*xs) and not tie(name, xs)
             for by in paths(name, xs, 3) for text in mistakes(TABLE[name], xs, by)]
    assert not wrong, f"{len(wrong)}: " + "\n".join(wrong[:5])


# Points outside a row's domain are worth nothing: where to draw them from.
INSIDE = {"acosh": (1, None), "asin": (-1, 1), "acos": (-1, 1), "atanh": (-1, 1), "log1p": (-1, None),
          "exp": (-745, 709), "exp2": (-1074, 1023), "expm1": (None, 709), "sinh": (-710, 710),
          "cosh": (-710, 710), **dict.fromkeys(["log", "log2", "log10", "sqrt"], (0, None))}
MANY = ("sum", "fsum", "mean", "dot", "fdot", "logsumexp", "softmax", "softmax_rest", "log_softmax")


def operands(name: str) -> st.SearchStrategy[tuple[float, ...]]:
    """Points of a row: some everyday ones, some anywhere among the doubles."""
    low, high = INSIDE.get(name, (None, None))
    anywhere = st.floats(low, high, allow_nan=False, allow_infinity=False)
    everyday = st.floats(-50 if low is None else low, 50 if high is None else min(high, 50))
    if name in MANY:
        return st.lists(everyday | anywhere if "dot" in name else everyday, min_size=2, max_size=4).map(tuple)
    order = st.integers(0, 2).map(float)
    return st.tuples(*[order if i in OPTIONS.get(name, ()) else everyday | anywhere
                       for i in range(TABLE[name].most) if not (name == "relu" and i)])


@pytest.mark.parametrize("name", ROWS)
def test_at_a_random_point_a_row_and_its_derivatives_are_the_truth(name):
    row = TABLE[name]

    @settings(max_examples=15, deadline=None)
    @given(operands(name), st.randoms(use_true_random=False))
    def holds(xs, random):
        assume(row.domain(*xs) and not tie(name, xs) and not (name == "power_slope" and abs(xs[1]) > 1e50))
        ways = paths(name, xs, 3)
        for by in ways if len(ways) < 3 else random.sample(ways, 2):
            assert not mistakes(row, xs, by)
    holds()


@pytest.mark.parametrize("name", sorted(IN_MATH))
def test_where_math_has_the_function_the_value_is_the_very_same(name):
    theirs = (lambda a, b: a % b) if name == "%" else getattr(math, IN_MATH[name])

    @settings(max_examples=40, deadline=None)
    @given(operands(name))
    def same(xs):
        assume(TABLE[name].domain(*xs))
        try:
            y = theirs(*xs)
        except OverflowError:
            y = math.inf
        if math.isinf(y):
            with pytest.raises(OverflowError):
                TABLE[name](*xs)
        else:
            assert repr(TABLE[name](*xs)) == repr(y)
    same()


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e3, 1e3), st.floats(-20, 20) | st.integers(-20, 20).map(float))
def test_a_power_is_the_one_of_math(a, b):
    assume(TABLE["**"].domain(a, b) and (b > 0.0 or abs(a) > 1e-10))
    assert repr(TABLE["**"](a, b)) == repr(math.pow(a, b))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=9), st.floats(-1e9, 1e9))
def test_sums_and_dots_add_left_to_right_unless_asked_to_be_exact(xs, bias):
    total, products = xs[0], xs[0] * xs[-1]
    for x, y in zip(xs[1:], xs[-2::-1]):
        total, products = total + x, products + x * y
    assert ag.sum(xs) == total and ag.mean(xs) == total / len(xs)
    assert ag.dot(xs, xs[::-1]) == products and ag.dot(xs, xs[::-1], bias) == products + bias
    assert ag.sum(xs, exact=True) == math.fsum(xs)


MIXED = ["/", "**", "%", "hypot", "atan2", "cos_angle", "over_square", "power_slope", "minimum", "maximum",
         "leaky_relu", "elu", "dot", "logsumexp", "softmax", "sum", "*"]


@pytest.mark.parametrize("name", MIXED)
def test_mixed_second_partials_are_the_same_in_either_order(name):
    compared = 0
    row = TABLE[name]
    for xs in points(name):
        for i, j in paths(name, xs, 2) if row.domain(*xs) and not tie(name, xs) else ():
            if i != j:
                assert mistakes(row, xs, (j, i)) == []
                try:
                    one, other = ours(row, xs, (i, j))[2], ours(row, xs, (j, i))[2]
                except (ag.RangeError, IndexError):
                    continue
                scale = max(abs(one), abs(other), float(min(partial(name, xs, (i, j)).largest, HUGE)))
                if not math.isnan(one + other) and scale < 1e290:
                    assert abs(one - other) <= 2e-13 * max(scale, 1e-290)
                    compared += 1
    assert compared > 0


# -- the reference and the checker are themselves held to something -----------------------------


@pytest.mark.parametrize("name", [name for name in ROWS if name not in MANY and name not in ("//", "relu")])
def test_the_truth_agrees_with_mpmaths_own_numerical_differentiation(name):
    xs = {"polygamma": (2.0, 0.7), "gauss": (0.7, 2.0), "normal_pdf": (0.7, 2.0), "acosh": (1.7,)}.get(
        name, (0.7, 1.3, 1.0, 1.0)[:TABLE[name].most])
    for by in paths(name, xs, 3):
        free = sorted(set(by))

        def f(*moved):
            point = [mpmath.mpf(x) for x in xs]
            for i, x in zip(free, moved):
                point[i] = x
            return plain(TRUTH[name](*point))

        for k, t in enumerate(partials(name, xs, by)):
            orders = tuple(by[:k].count(i) for i in free)
            numeric = mpmath.diff(f, tuple(mpmath.mpf(xs[i]) for i in free), orders) if k else f()
            assert abs(numeric - t.value) < 1e-30 * max(1, abs(t.value))


@pytest.mark.parametrize("name", [name for name in ROWS if name not in (*MANY, "polygamma", "power_slope")])
def test_the_largest_term_counts_only_beside_a_zero_of_the_derivative(name):
    """Else the proviso would hide errors: where it allows much more, the truth changes sign nearby."""
    for xs in points(name):
        if TABLE[name].domain(*xs) and not tie(name, xs) and (len(xs) == 1 or name not in OPTIONS):
            for by in paths(name, xs, 3):
                for k, t in enumerate(true(name, xs, by)):
                    if TINY < abs(t.value) < t.largest / 32:
                        nearby = (true(name, tuple(x * f for x, f in zip(xs, (f, 2 - f)[:len(xs)])), by[:k])
                                  for f in (1.1, 0.9, 0.5, 1.5, 0.75, 1.25, 0.875, 1.125))
                        assert any(t.value * found[k].value < 0 for found in nearby if len(found) > k), \
                            f"{name}{xs} by {by[:k]}"


@pytest.mark.parametrize("name", [name for name in ROWS if any(TABLE[name].differentiable(3))
                                  and name not in ("//", "minimum", "maximum", "relu")])
def test_a_rule_scaled_by_1_0001_is_noticed(name):
    row = TABLE[name]
    broken = spoilt(row, lambda p: p * 1.0001)
    inside = [xs for xs in points(name) if row.domain(*xs) and not tie(name, xs)]
    assert any(mistakes(broken, xs, by) for xs in inside for by in paths(name, xs, 1))


@pytest.mark.parametrize("name", [name for name in ROWS if name not in IN_MATH and name not in MANY
                                  and any(TABLE[name].differentiable(3))])
def test_a_value_a_billionth_off_is_noticed(name):
    row = TABLE[name]
    broken = Op(name, lambda *xs: row.forward(*xs) * (1 + 1e-9), row.rules, domain=row.domain)
    assert any(mistakes(broken, xs, ()) for xs in points(name) if row.domain(*xs) and not tie(name, xs))


# -- the formulas that lose digits, by name (NUMERICS.md) ----------------------------------------


def near_truth(name, *xs, by=(0, 0, 0)):
    """The row is right at xs, or refused as out of range; what it gives there."""
    assert TABLE[name].domain(*xs)
    assert mistakes(TABLE[name], xs, by) == []
    try:
        return ours(TABLE[name], xs, by)
    except ag.RangeError:
        return []


@pytest.mark.parametrize("x", [15.0, 19.0, -19.0, 300.0, -354.0])
def test_tanh_has_a_derivative_where_it_is_1_to_the_last_bit(x):
    assert near_truth("tanh", x)[1] > 0.0


def test_the_derivative_of_tanh_at_19_is_not_12_times_too_large():
    assert ours(TABLE["tanh"], (19.0,), (0,))[1] == pytest.approx(1.2556030607e-16, rel=1e-9)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "log_sigmoid", "silu"])
@pytest.mark.parametrize("x", [40.0, -40.0, 700.0, -700.0, 750.0, -750.0, 1000.0, -1000.0])
def test_the_sigmoid_family_saturates_without_losing_its_derivatives(name, x):
    found = near_truth(name, x)
    assert all(map(math.isfinite, found))
    if name == "sigmoid" and abs(x) == 40.0:
        assert found[1] == pytest.approx(4.248354255291589e-18, rel=1e-15)


@pytest.mark.parametrize("x", [-1e-300, -1e-8, -20.0, -40.0, -700.0, -744.0])
def test_the_derivative_of_expm1_is_not_made_by_adding_1_to_it(x):
    near_truth("expm1", x)


@pytest.mark.parametrize("name", ["asin", "acos", "atanh"])
@pytest.mark.parametrize("distance", [2.0 ** -53, 2.0 ** -52, 1e-12, 1e-6, 1e-3])
def test_inverse_functions_keep_their_derivatives_close_to_the_end_of_their_domain(name, distance):
    near_truth(name, 1.0 - distance)
    near_truth(name, distance - 1.0)


@pytest.mark.parametrize("x", [5e-324, 1e-310, 1e-20, 1e-8, 1e-5])
def test_inverse_functions_have_a_second_derivative_close_to_0(x):
    for name in ("asin", "acos", "atanh", "atan", "asinh", "tanh", "silu"):
        near_truth(name, x)
        near_truth(name, -x)


@pytest.mark.parametrize("a, b", [(1e200, 1e200), (1e-200, 1e-200), (1e308, 1e10), (1e-308, 1e-10),
                                  (3e-310, 0.5), (1.0, 1e160), (1.0, 1e-150), (5e-324, 0.3), (0.0, 1e-100)])
def test_a_quotient_has_a_derivative_by_its_divisor_though_its_square_is_out_of_range(a, b):
    for by in ((1, 1, 1), (0, 1, 1), (1, 0, 1)):
        near_truth("/", a, b, by=by)


@pytest.mark.parametrize("name", ["hypot", "atan2", "cos_angle", "over_square"])
@pytest.mark.parametrize("a, b", [(1e308, 1e308), (1e-320, 2e-320), (5e-324, 1e-323), (1e308, 1.0),
                                  (1e-320, 1e-10), (1e-160, 1e160), (3e-200, -4e-200), (-1e200, 1e-200),
                                  (1.5, 1e-160)])
def test_angles_and_distances_are_right_at_any_size(name, a, b):
    for by in ((0, 0), (0, 1), (1, 1), (0, 0, 1)):
        near_truth(name, a, b, by=by)
        near_truth(name, b, a, by=by)


def test_hypot_of_subnormals_has_a_derivative_with_all_its_digits():
    assert ours(TABLE["hypot"], (2 * 5e-324, 5e-324), (0,))[1] == pytest.approx(0.8944271909999159, rel=1e-15)


@pytest.mark.parametrize("a, b", [(3.7, 0.1), (1e100, 0.1), (1e-300, 0.1), (5e-324, 5e-324), (2.5, -0.3),
                                  (1 + 1e-14, 1e16), (1 + 1e-15, 1e17), (1 - 1e-14, 7e16), (3e-310, 0.7)])
def test_a_power_has_its_derivatives_where_the_exponent_less_1_is_rounded(a, b):
    for by in ((0, 0, 0), (0, 1), (1, 1), (1, 0)):
        near_truth("**", a, b, by=by)


@pytest.mark.parametrize("a, b", [(0.49, 1000.0), (0.5, 1060.0), (-0.49, 1000.0), (-0.49, 1001.0),
                                  (1e-305, 1.02), (1e60, -5.0), (1e-103, 3.0)])
def test_a_power_has_its_derivatives_where_it_is_subnormal_itself(a, b):
    near_truth("**", a, b)


@pytest.mark.parametrize("name", ["erf", "erfc", "gauss", "normal_pdf", "normal_cdf", "gelu"])
@pytest.mark.parametrize("x", [0.1, 3.3, 7.7, 19.3, 26.5, 26.6, 27.1, 30.1, 37.4, 38.4])
def test_the_normal_distribution_keeps_its_digits_in_both_tails(name, x):
    near_truth(name, x)
    near_truth(name, -x)


@pytest.mark.parametrize("x", [1.0 + 2.0 ** -52, 1.0001, 7.0, 1e8, 1e100, 1e200, 1.7e308])
def test_acosh_has_a_derivative_from_1_to_the_largest_number(x):
    near_truth("acosh", x)


@pytest.mark.parametrize("x", [1e-300, 1e-8, 0.3, 1.0, 1.4616, 2.0, 11.99, 12.0, 1e10, 1e300, -1e-8, -0.5,
                               -1.5, -7.3, -20.999999, -99.5, -100.5, -1e4 - 0.3, -1e15 - 0.25])
def test_the_derivatives_of_lgamma_are_polygammas_on_both_sides_of_0(x):
    near_truth("lgamma", x)
    near_truth("digamma", x)


@pytest.mark.parametrize("n", [1.0, 2.0, 3.0, 5.0, 10.0, 25.0, 60.0, 160.0])
@pytest.mark.parametrize("x", [0.01, 1.0, 3.7, 40.0, 1e4, -0.5, -2.25, -5.999, -120.5])
def test_a_polygamma_of_any_order_is_right_or_out_of_range(n, x):
    near_truth("polygamma", n, x, by=(1,))


@pytest.mark.parametrize("n, x", [(1.0, 13.0), (30.0, 42.0), (100.0, 112.0), (300.0, 312.0),
                                  (100.0, 63.9), (160.0, 127.3), (250.0, 255.1)])
def test_a_polygamma_is_right_where_its_expansion_begins_and_where_steps_to_there_are_rounded(n, x):
    near_truth("polygamma", n, x, by=(1,))


def test_logsumexp_and_softmax_of_large_numbers_are_those_of_their_differences():
    for xs in [(1000.0, 1000.0), (1000.0, 999.0, -1000.0), (-1000.0, -1000.5), (700.3, 0.1), (1e308, 1e308)]:
        for by in paths("softmax", xs, 3):
            near_truth("logsumexp", *xs, by=by)
            near_truth("softmax", *xs, by=by)
    assert ag.softmax([1000.0, 1000.0]) == [0.5, 0.5]


def test_a_softmax_adds_up_to_1_and_its_small_shares_have_all_their_digits():
    shares = ag.softmax([0.1, 700.3])
    assert math.fsum(shares) == 1.0
    assert ulps(shares[0], partial("softmax", (0.1, 700.3))) < 4


def test_an_exact_sum_is_rounded_once():
    assert ag.sum([0.1] * 10) == 0.9999999999999999 and ag.sum([0.1] * 10, exact=True) == 1.0
    assert ag.sum([1e16, 1.0, -1e16], exact=True) == 1.0
    assert ag.sum([1e308, 1e308, -1e308], exact=True) == 1e308


# -- one row, many doors --------------------------------------------------------------------------

FUNCTIONS = """exp expm1 exp2 log log1p log2 log10 sqrt cbrt sin cos tan asin acos atan sinh cosh tanh asinh
    acosh atanh erf erfc lgamma sigmoid log_sigmoid softplus relu leaky_relu elu gelu silu abs minimum maximum
    hypot atan2""".split()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_promised_is_there_as_a_function_a_method_and_a_row(name):
    xs = (1.5, 2.5)[:2 if name in ("minimum", "maximum", "hypot", "atan2") else 1]
    xs = (0.25,) if name in ("asin", "acos", "atanh") else xs
    nodes = [Value(x) for x in xs]
    y = TABLE[name](*xs)
    assert type(y) is float and getattr(ag, name)(*xs) == y
    for node in (getattr(ag, name)(*nodes), getattr(nodes[0], name)(*nodes[1:])):
        assert node.data == y and node.op == name and op_of(node) is TABLE[name]
        assert node.partials == tuple(partials_or_nan(TABLE[name], y, xs))


@pytest.mark.parametrize("name, xs", [("logsumexp", [[1.0, 2.0]]), ("sum", [[1.0, 2.0]]),
                                      ("mean", [[1.0, 2.0]]), ("dot", [[1.0, 2.0], [3.0, 4.0]])])
def test_every_function_of_a_sequence_is_one_node(name, xs):
    y = getattr(ag, name)(*xs)
    node = getattr(ag, name)(*[[Value(x) for x in part] for part in xs])
    assert type(y) is float and node.data == y
    assert [x.data for x in node.operands] == [x for part in xs for x in part]


def test_softmax_gives_one_node_for_each_share():
    shares = ag.softmax([Value(1.0), Value(2.0), Value(0.5)])
    assert [share.data for share in shares] == ag.softmax([1.0, 2.0, 0.5])
    assert {share.op for share in shares} == {"softmax"}


OPERATORS = {"__add__": "+", "__sub__": "-", "__mul__": "*", "__truediv__": "/", "__pow__": "**",
             "__mod__": "%", "__floordiv__": "//", "__neg__": "neg", "__abs__": "abs"}
ALIASES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh",
           "arccosh": "acosh", "arctanh": "atanh", "absolute": "abs"}


@pytest.mark.parametrize("method", [name for name in vars(Operators) if name[0] != "_"] + list(OPERATORS))
def test_every_method_is_its_row(method):
    row = TABLE[OPERATORS.get(method) or ALIASES.get(method, method)]
    two = row.most == 2 and row.name not in OPTIONS and row.name not in ("leaky_relu", "elu")
    for a, b in [(0.25, 0.75), (2.5, -2.0), (-3.0, 2.0), (0.0, 1.0)]:
        xs = (a, b) if two else (a,)
        if row.domain(*xs):
            for nodes in ([Value(a), b], [Value(a), Value(b)]):
                node = getattr(nodes[0], method)(*nodes[1:len(xs)])
                assert op_of(node) is row and node.data == row(*xs)
                assert node.operands == tuple(nodes[:len(xs)])
                assert repr(node.partials) == repr(tuple(partials_or_nan(row, node.data, xs)))


@settings(max_examples=300, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
@example(0.0, -0.0)
def test_the_inlined_partials_are_the_rows_bit_for_bit(a, b):
    x, y = Value(a), Value(b)
    for make, name in [(lambda p, q: p + q, "+"), (lambda p, q: p - q, "-"), (lambda p, q: p * q, "*"),
                       (lambda p, q: -p, "neg"), (lambda p, q: p.relu(), "relu")]:
        row = TABLE[name]
        for p, q in [(x, y), (x, b), (a, y)][:3 if name in ("+", "-", "*") else 1]:
            try:
                node = make(p, q)
            except ag.RangeError:
                continue
            xs = (a, b)[:len(node.operands)]
            assert repr(node.data) == repr(row.forward(*xs))
            expected = partials_or_nan(row, node.data, xs)
            stored = [s for s in (node._pa, node._pb) if s is not None]
            wanted = [e for e, operand in zip(expected, node.operands) if isinstance(operand, Value)]
            assert list(map(repr, stored)) == list(map(repr, wanted))


@pytest.mark.parametrize("name", [name for name in TABLE if name not in MANY])
def test_the_domain_is_where_the_row_does_not_refuse(name):
    row = TABLE[name]
    number = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.floats(-2, 2),
                       st.integers(-4, 4).map(float))
    order = st.sampled_from([0.0, 1.0, 2.0, 3.0] + ([-1.0, 0.5] if name == "polygamma" else []))
    count = 1 if name in ("relu", "gauss", "normal_pdf") else row.most

    @settings(max_examples=30, deadline=None)
    @given(st.tuples(*[order if i in OPTIONS.get(name, ()) else number for i in range(count)]))
    def agree(xs):
        try:
            row(*xs)
        except ag.RangeError:
            assert row.domain(*xs)
        except ag.DomainError:
            assert not row.domain(*xs)
        else:
            assert row.domain(*xs)
    agree()


def test_a_row_applies_to_floats_giving_floats_and_never_to_what_is_no_number():
    for name in TABLE:
        row = TABLE[name]
        with pytest.raises(ag.InputError, match=name.replace("*", r"\*").replace("+", r"\+")):
            row(*["1.0"] * (2 if row.open else row.most))
    assert type(ops.exp(1)) is float and type(ops.exp(True)) is float


def test_the_example_of_each_op_of_the_table_is_a_doctest():
    modules = {elementary, activations, geometry, normal, selection, sequences}
    tested = {name: text for module in modules for name, text in module.__test__.items()}
    assert {op.name for op in TABLE.values() if not isinstance(op, Custom) and op.__doc__} == set(tested)
    assert all(text == TABLE[name].__doc__ and ">>>" in text for name, text in tested.items())


def test_a_sum_is_taken_from_left_to_right_on_every_python():
    for xs in ([], [1e16, 1.0, -1e16], [0.1] * 10, [-0.0], [1.0, -3.0, 0.5]):
        total = 0.0
        for x in xs:
            total = total + x
        assert special.added(xs) == special._one_by_one(xs) == total


@pytest.mark.parametrize("a", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("k, n", [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (0, 1), (3, 2), (1, 2)])
@pytest.mark.parametrize("b", [math.inf, -math.inf])
def test_the_slopes_of_a_power_at_an_infinite_exponent_are_their_limits(a, k, n, b):
    with mpmath.workdps(60):
        far = math.copysign(4000.0, b)
        limit = mpmath.diff(lambda x, y: x ** y, (a, far), (k, n)) if k or n else mpmath.mpf(a) ** far
    found = special.power_slope(a, b, float(k), float(n))
    if a == 1.0 and k == n:
        assert found == math.factorial(n)
    elif abs(limit) < 1e-100 or a == 1.0 and n > k:
        assert found == 0.0
    else:
        assert found == math.copysign(math.inf, limit)
