"""`propagate` at its edges: covariances that are barely one, exact inputs, mixed arguments, long tables."""
from __future__ import annotations

import inspect
import math
import random
import sys
from fractions import Fraction

import pytest

import autograd_lite as ag
from autograd_lite import propagate
from autograd_lite.uncertainty.covariance import Spread, propagated, spread_of
from autograd_lite.uncertainty.result import measured

np = pytest.importorskip("numpy")


def close(x, **options):
    return pytest.approx(x, rel=1e-12, **options)


# -- covariances ---------------------------------------------------------------------------------------------

def of_matrix(matrix):
    return spread_of(matrix, [1.0] * len(matrix), len(matrix), lambda: "abcdefgh"[:len(matrix)])


def test_the_size_of_the_terms_is_their_sum_in_absolute_values():
    assert Spread([1.0, 1.0], [[1.0, -0.5], [-0.5, 1.0]]).size([2.0, -3.0]) == 2.0 * 3.5 + 3.0 * 4.0


@pytest.mark.parametrize("cov", [[3.0, 4.0], [[9.0, 6.0], [6.0, 16.0]]])
@pytest.mark.parametrize("power", [-550, -60, -1, 0, 1, 60, 500])
def test_whatever_the_size_of_derivatives_they_are_squared_only_by_each_others_sizes(cov, power):
    rows, scale = [[1.0, 0.5], [-0.25, 2.0]], 2.0 ** power
    spread = spread_of(cov, [0.0, 0.0], 2, lambda: ["a", "b"])
    one, other = propagated(rows, spread), propagated([[scale * p for p in row] for row in rows], spread)
    assert other.stds == [scale * std for std in one.stds] and other.shares == one.shares
    assert other.covariance == [[scale * (scale * x) for x in row] for row in one.covariance]
    c = np.array(cov) if np.ndim(cov) == 2 else np.diag(np.square(cov))
    assert np.allclose(one.covariance, rows @ c @ np.transpose(rows), rtol=1e-14, atol=0.0)


def test_what_cancels_in_many_correlated_inputs_is_exactly_zero():
    draw = random.Random(3)
    for _ in range(8):
        stds, slopes = ([draw.uniform(0.5, 2.0) for _ in range(40)] for _ in range(2))
        slopes[-1] = -math.fsum([p * s for p, s in zip(slopes[:-1], stds)]) / stds[-1]
        cov = [[a * b for b in stds] for a in stds]                     # (one thing moves them all)
        r = propagate(lambda x: [ag.dot(slopes, x), x[0]], [1.0] * 40, cov, order=1)
        assert r.std == [0.0, close(stds[0])] and r.cov == [[0.0, 0.0], [0.0, close(stds[0] ** 2)]]
        assert r.shares[0] == [0.0] * 40


@pytest.mark.parametrize("less", [1e-10, 1e-12, 1e-13, 1e-14])
def test_a_small_variance_is_not_taken_for_rounding(less):
    r = propagate(lambda a, b: a - b, 1.0, 1.0, cov=[[1.0, 1.0 - less], [1.0 - less, 1.0]], order=1)
    assert r.std == pytest.approx(math.sqrt(2.0 * less), rel=1e-2)


def test_a_share_is_never_a_negative_zero():
    r = propagate(lambda a, b: a - 0.5 * b, 1.0, 1.0, cov=[[1.0, 0.5], [0.5, 1.0]], order=1)
    assert repr(r.shares) == "(1.0, 0.0)"


def test_an_infinite_deviation_has_an_infinite_covariance_with_what_shares_its_input():
    r = ag.errstate("ignore").run(propagate, lambda a, b: [ag.sqrt(a), a + b], 0.0, 1.0, cov=0.1, order=1)
    assert r.std == [math.inf, close(0.1 * math.sqrt(2.0))] and r.cov[0][1] == r.cov[1][0] == math.inf


@pytest.mark.parametrize("matrix", [
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]],                # two alike, one independent of them
    [[1.0, 1.0 + 4e-9], [1.0 + 4e-9, 1.0]], [[1.0, -1.0 - 4e-9], [-1.0 - 4e-9, 1.0]],
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0 - 5e-8], [1.0, 1.0 - 5e-8, 1.0]],
    [[4.0, 2.0 + 1e-8], [2.0 - 1e-8, 4.0]], [[0.0, 0.0], [0.0, 1.0]], [[1.0, 1e-8], [0.0, 1.0]]])
def test_what_rounding_may_have_done_to_a_covariance_is_forgiven(matrix):
    spread = of_matrix(matrix)
    n = range(len(matrix))
    assert spread.stds == [math.sqrt(matrix[i][i]) for i in n]
    c = spread.correlations
    for i in n if c else ():
        for j in n:
            assert c[i][j] == c[j][i] and c[i][j] * spread.stds[i] * spread.stds[j] == close(
                0.5 * (matrix[i][j] + matrix[j][i]))


@pytest.mark.parametrize("matrix, said", [
    ([[1.0, 1.0 + 2e-8], [1.0 + 2e-8, 1.0]],
     r"the covariance of b and a is 1.00000002, more than the product"),
    ([[1.0, -2.0], [-2.0, 1.0]],
     r"the covariance of b and a is -2.0, more than the product of their standard "
     r"deviations, 1.0 · 1.0; the inverse of a Hessian"),
    ([[1.0, 1.0 + 9e-9], [1.0 + 9e-9, 1.0]], "given the others, b would have a negative variance"),
    ([[1.0, 0.5 + 2e-8], [0.5, 1.0]], r"is 0.5 in a half of cov, 0.50000002 in the other"),
    ([[0.0, 1.5e-8], [0.0, 1.0]], "in a half of cov"),
    ([[0.0, 1e-9], [1e-9, 1.0]], "more than the product of their standard deviations, 1.0 · 0.0"),
    ([[1.0, 1.0, 1.0], [1.0, 1.0, 0.9], [1.0, 0.9, 1.0]], "given the others, b would have"),
    ([[1.0, 1.0, -1.0], [1.0, 1.0, -0.9], [-1.0, -0.9, 1.0]], "given the others, b would have"),
    ([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0 - 3e-7], [1.0, 1.0 - 3e-7, 1.0]], "given the others, b would have"),
    ([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]], "given the others, c would have")])
def test_what_no_rounding_does_to_a_covariance_is_refused(matrix, said):
    with pytest.raises(ag.InputError, match=said):
        of_matrix(matrix)


def test_a_correlation_with_itself_is_exactly_1():
    variances = [0.1, 0.7, 2.0, 3.3, 1e-9]
    assert any([v / math.sqrt(v) / math.sqrt(v) != 1.0 for v in variances])
    cov = [[v if i == j else 0.1 * math.sqrt(v * w) for j, w in enumerate(variances)]
           for i, v in enumerate(variances)]
    assert [of_matrix(cov).correlations[i][i] for i in range(5)] == [1.0] * 5


@pytest.mark.parametrize("x, cov, said", [
    (2.0, [0.1, 0.2], "propagate: cov has 2 entries for 1 input: give its standard deviation"),
    ([1.0, 2.0], [[1.0, None], [2.0, 3.0]],
     "propagate: cov, the standard deviations, must have the shape of"),
    ([1.0, [2.0]], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "must have the shape of the point"),
    ([1.0, 2.0], [0.1, math.inf],
     r"the standard deviation of x\[1\] is inf: give a finite number that is not "),
    (np.array([[2.0]]), [[0.09]], "may be a variance or"), ([2.0, None], [[0.09]], "may be a variance or")])
def test_an_uncertainty_that_does_not_fit_is_refused_in_these_words(x, cov, said):
    with pytest.raises(ag.InputError, match=said):
        propagate(lambda x: 1.0, x, cov)


@pytest.mark.parametrize("x, cov", [({"a": 2.0}, {"a": 0.3}), ({"a": 2.0}, [[0.09]]), ([2.0], [[0.09]]),
                                    (np.array([2.0]), [[0.09]]), (2.0, [[0.09]]), (2.0, 0.3),
                                    ([[2.0]], [[0.3]][0])])
def test_the_uncertainty_of_one_number_may_be_a_deviation_or_a_variance(x, cov):
    assert propagate(lambda x: 5.0 * ag.transforms.trees.leaves(x)[0], x, cov).std == close(1.5)


# -- exact inputs, and the orders ----------------------------------------------------------------------------

@pytest.mark.parametrize("order, bias, term", [(1, None, None), (2, [0.0, 0.0], None),
                                               (3, [0.0, 0.0], [0.0, 0.0])])
def test_exact_inputs_have_no_higher_terms(order, bias, term):
    r = propagate(lambda a, b: [a * b, a / b], 2.0, 3.0, cov=0.0, order=order)
    assert (r.std, r.cov, r.bias, r.variance_term) == ([0.0, 0.0], [[0.0, 0.0], [0.0, 0.0]], bias, term)
    assert r.shares == [(0.0, 0.0), (0.0, 0.0)]


def test_the_order_is_2_if_not_given():
    assert inspect.signature(propagate).parameters["order"].default == 2
    r = propagate(lambda x: x ** 2, 3.0, 0.1)
    assert r.bias == close(0.01) and r.variance_term is None


def test_independent_inputs_have_no_terms_of_pairs():
    def f(a, b, c):
        return a * b * c + a * a * b
    r = propagate(f, 1.0, 2.0, 3.0, cov=[0.1, 0.2, 0.3], order=3)
    g, c = np.array([10.0, 4.0, 2.0]), np.diag([0.01, 0.04, 0.09])
    h = np.array([[4.0, 5.0, 2.0], [5.0, 0.0, 1.0], [2.0, 1.0, 0.0]])
    assert ag.grad(f, (0, 1, 2))(1.0, 2.0, 3.0) == tuple(g) and r.bias == close(0.02)
    slope_of_trace = np.array([0.0, 0.02, 0.0])                         # of 2·b·0.01
    assert r.variance_term == close(0.5 * np.trace(h @ c @ h @ c) + (c @ g) @ slope_of_trace)


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_the_covariance_is_an_array_where_anything_given_or_returned_is(kind):
    both = [1.0, 2.0]
    array = kind is np.array
    assert isinstance(propagate(lambda x: x[0], [1.0, 2.0], kind(both)).cov, np.ndarray) is array
    assert isinstance(propagate(lambda a, b: kind([a, b]), 1.0, 2.0, cov=0.1).cov, np.ndarray) is array
    assert isinstance(propagate(lambda a, x: a * x[0], 1.0, kind(both), cov=0.1).cov, np.ndarray) is array


# -- what is called, and how often ---------------------------------------------------------------------------

class Model:
    """A function with a signature, or with what is none."""

    def __init__(self, signature=None):
        if signature is not None:
            self.__signature__ = signature

    def __call__(self, mass, force, *more, scale=1.0):
        return mass * force * math.prod(more)


@pytest.mark.parametrize("f, n, names", [
    (lambda mass, force: mass, 2, ["mass", "force"]), (Model(), 2, ["mass", "force"]), (Model(), 1, ["mass"]),
    (Model(), 3, ["x0", "x1", "x2"]), (Model(5), 2, ["x0", "x1"]), (Model(5), 1, ["x"]),
    (max, 1, ["x"]), (max, 2, ["x0", "x1"])])
def test_messages_call_the_inputs_as_the_function_does(f, n, names):
    for i, name in enumerate(names):
        with pytest.raises(ag.InputError, match=f"^propagate: the standard deviation of {name} is -1.0:"):
            propagate(f, *[1.0] * n, cov=[-1.0 if k == i else 1.0 for k in range(n)])


def runs(f, call):
    """What a call returns, and how often it runs f."""
    entered = []
    sys.setprofile(lambda frame, event,
                   _: event == "call" and frame.f_code is f.__code__ and entered.append(1))
    try:
        return call(), len(entered)
    finally:
        sys.setprofile(None)


def test_only_who_gave_one_argument_for_several_is_told_to_write_several():
    def inner(x):
        raise TypeError("mine")
    for call in (lambda: propagate(inner, 1.0, 0.1), lambda: propagate(max, 1.0, 0.1),
                 lambda: propagate(lambda a, b, c: a, 1.0, 2.0, cov=0.1)):
        with pytest.raises(TypeError) as caught:
            call()
        assert not any(["several arguments" in note for note in getattr(caught.value, "__notes__", [])])


@pytest.mark.parametrize("x, said", [(1j, "propagate: expected a number, or a list"),
                                     ([ag.Value(1.0)],
                                      "propagate takes and returns plain numbers, got Value"),
                                     (None, "propagate: <lambda> is given no number")])
def test_a_wrong_argument_is_said_to_be_propagates(x, said):
    with pytest.raises(ag.InputError) as caught:
        propagate(lambda x: 1.0, x, 0.1)
    assert str(caught.value).startswith(said)


def test_it_may_be_called_where_nothing_is_recorded_or_lines_are():
    for mode in (ag.no_grad, lambda: ag.errstate("warn"), ag.record_lines):
        with mode():
            assert propagate(lambda x: x * x, 3.0, 0.1).std == close(0.6)


def test_the_derivatives_of_a_compiled_function_do_not_run_it_again():
    def f(p, k, options, x):
        return [p["a"] * ag.exp(-k * x), p["b"] * p["b"] * k]
    fast = ag.compile(f)
    args = {"a": 3.0, "b": 2.0}, 0.5, None, 1.5
    for cov in (0.1, [0.1, 0.2, 0.3, 0.0], [0.0, 0.0, 0.3, 0.1], [0.1, 0.2, 0.0, 0.4]):
        first, before = runs(f, lambda: propagate(fast, *args, cov=cov))
        again, after = runs(f, lambda: propagate(fast, *args, cov=cov))
        assert (before > 0, after) == (True, 0)
        plainly = propagate(f, *args, cov=cov)
        assert plainly.std == again.std == first.std and plainly.bias == again.bias == first.bias


def test_one_kink_of_several_is_enough_in_a_compiled_function():
    for f in (lambda x: abs(x) + abs(x - 1.0), ag.compile(lambda x: abs(x) + abs(x - 1.0))):
        for x in (0.0, 1.0, 0.0):
            with pytest.raises(ag.DomainError, match="lies at its kink"):
                propagate(f, x, 0.1, order=1)
        assert propagate(f, 3.0, 0.1, order=1).std == close(0.2)


# -- numbers of the package uncertainties among others -------------------------------------------------------

def test_numbers_with_an_uncertainty_may_stand_among_plain_ones_and_text():
    u = pytest.importorskip("uncertainties")
    a, b = u.ufloat(2.0, 0.1), u.ufloat(3.0, 0.2)

    def f(p, c):
        return p["k"] * p["a"] + p["m"] * p["b"] ** 2 + c if p["name"] == "model" else 0.0
    y = propagate(f, {"name": "model", "k": 10.0, "a": a, "m": 5.0, "none": None, "b": b}, 7.0)
    assert y.nominal_value == 72.0 and y.derivatives == {a: 10.0, b: 30.0}
    y = propagate(lambda x, k, z: x * k + z, a, 4.0, b)
    assert y.derivatives == {a: 4.0, b: 1.0} and y.nominal_value == 11.0
    assert propagate(lambda x: x[0] * x[1], [2.0, 3.0], 0.1).std == close(math.hypot(0.2, 0.3))


def test_what_fails_by_an_uncertain_number_is_not_tried_again():
    u = pytest.importorskip("uncertainties")

    def f(x):
        return ag.sqrt(x)

    def call():
        with pytest.raises(ag.DomainError, match="infinite at 0"):
            propagate(f, u.ufloat(0.0, 0.1))
    assert runs(f, call)[1] == 1


# -- how it is shown -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("n, said", [
    (1, "<propagation: f = 2.00 ± 0.10>"), (2, "<propagation: f = 2.00 ± 0.10, 4.00 ± 0.20>"),
    (3, "<propagation: f = 2.00 ± 0.10, 4.00 ± 0.20, 6.00 ± 0.30>"),
    (4, "<propagation: f = 2.00 ± 0.10, 4.00 ± 0.20, 6.00 ± 0.30, …>"),
    (5, "<propagation: f = 2.00 ± 0.10, 4.00 ± 0.20, 6.00 ± 0.30, …>")])
def test_three_results_are_shown_in_one_line(n, said):
    def f(x):
        return [(k + 1) * x for k in range(n)] if n > 1 else x
    r = propagate(f, 2.0, 0.1)
    assert repr(r) == said
    assert ("more are in .shares" in str(r)) is (n > 3)


@pytest.mark.parametrize("n, exact, notes", [
    (40, 0, []), (41, 0, ["and 1 input more"]), (41, 1, ["and 1 exact input"]),
    (44, 2, ["and 2 inputs more", "and 2 exact inputs"])])
def test_the_table_says_what_it_leaves_out(n, exact, notes):
    r = propagate(lambda x: ag.sum(x), [1.0] * n, [0.1] * (n - exact) + [0.0] * exact, order=1)
    lines = str(r).splitlines()
    assert lines[-len(notes):] == notes if notes else lines[-1].startswith("x[")
    assert sum([line.startswith("x[") for line in lines]) == min(40, n - exact)


def test_inputs_are_in_the_order_of_their_largest_share_in_any_result():
    cov = np.eye(5)
    cov[0, 1] = cov[1, 0] = 0.9

    def f(a, b, c, d, e):
        return {"u": a - 1.2 * b + 0.1 * c, "v": 0.5 * c + 0.4 * d, "w": e + 3.0 * d}
    assert str(propagate(f, *[1.0] * 5, cov=cov, order=1)).splitlines()[5:] == [
        "input  value ± std  % of u  % of v  % of w",
        "b        1.0 ± 1.0   124.1     0.0     0.0",
        "d        1.0 ± 1.0     0.0    39.0    90.0",
        "c        1.0 ± 1.0     3.4    61.0     0.0",
        "a        1.0 ± 1.0   -27.6     0.0     0.0",
        "e        1.0 ± 1.0     0.0     0.0    10.0"]


def test_a_long_name_leaves_the_numbers_their_columns_and_the_line_79():
    r = propagate(lambda p: p["long " * 30] ** 2, {"long " * 30: 3.0}, 0.1, order=3)
    assert [len(line) for line in str(r).splitlines() if "long" in line] == [79]
    html = r._repr_html_()
    assert html.count("text-align:right") == 2 * 3 + 2 * 2


@pytest.mark.parametrize("value, std, said", [
    (1.234e-4, 1e-6, "0.0001234 ± 0.0000010"), (9.876e-5, 1e-6, "(9.88 ± 0.10)e-05"),
    (9.87e6, 1e5, "9870000 ± 100000"), (9999999.0, 10.0, "9999999 ± 10"), (1e7, 1e5, "(1.000 ± 0.010)e+07"),
    (1.0, 1e-6, "1.0000000 ± 0.0000010"), (1.0, 1e-7, "1 ± 1e-07"), (-3.0, 12.0, "-3 ± 12"),
    (0.5, 123.0, "0 ± 123"), (1e-6, 1e-2, "0.000 ± 0.010"), (2.0, math.inf, "2 ± inf"),
    (1.23456789e-9, 1e-17, "1.2345679e-09 ± 1e-17"), (3, 1, "3.0 ± 1.0"),
    (Fraction(1, 10 ** 9), Fraction(1, 10 ** 11), "(1.000 ± 0.010)e-09")])
def test_a_number_has_two_digits_of_its_deviation_and_a_power_of_ten_where_it_is_long(value, std, said):
    assert measured(value, std) == said
