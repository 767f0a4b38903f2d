"""`propagate`: results' deviations, covariances, shares and biases, against formulas and `uncertainties`."""
from __future__ import annotations

import collections
import dataclasses
import functools
import math
import operator
import pickle
import random
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest
from hypothesis import given, settings, strategies as st

import autograd_lite as ag
from autograd_lite import propagate

np = pytest.importorskip("numpy")


def close(x, **options):
    return pytest.approx(x, rel=1e-12, **options)


# -- what it computes ------------------------------------------------------------------------------------

def test_a_quotient_has_the_textbooks_standard_deviation():
    r = propagate(lambda a, b: a / b, 6.0, 2.0, cov=[0.3, 0.1])
    assert r.value == 3.0 and r.std == close(3.0 * math.hypot(0.3 / 6.0, 0.1 / 2.0))
    assert r.shares == close((0.5, 0.5)) and r.cov == [[close(r.std ** 2)]]
    assert r.bias == close(3.0 * (0.1 / 2.0) ** 2) and r.variance_term is None


def test_gum_h2_resistance_reactance_and_impedance():
    """JCGM 100:2008, H.2: V, I and φ from five simultaneous readings; tables H.3 and H.4."""
    v, i, phi = 4.9990, 19.6610e-3, 1.04446
    u, rho = (0.0032, 0.0095e-3, 0.00075), {(0, 1): -0.36, (0, 2): 0.86, (1, 2): -0.65}
    cov = [[u[a] * u[b] * (1.0 if a == b else rho[min(a, b), max(a, b)]) for b in range(3)] for a in range(3)]
    r = propagate(lambda v, i, phi: [v / i * ag.cos(phi), v / i * ag.sin(phi), v / i], v, i, phi, cov=cov)
    assert r.value == pytest.approx([127.732, 219.847, 254.260], abs=2e-3)
    assert r.std == pytest.approx([0.071, 0.295, 0.236], abs=2e-3)
    for (a, b), said in {(0, 1): -0.588, (0, 2): -0.485, (1, 2): 0.993}.items():
        assert r.cov[a][b] / r.std[a] / r.std[b] == pytest.approx(said, abs=6e-3)


@pytest.mark.parametrize("f, x, cov", [
    (lambda x: ag.exp(x[0]) * x[1] + x[2], [0.3, 2.0, 5.0],
     [[0.04, 0.01, 0.0], [0.01, 0.09, 0.02], [0.0, 0.02, 1.0]]),
    (lambda x: x[0] * x[1] * x[2], [1.0, 2.0, 3.0], [0.1, 0.0, 0.2])])
def test_all_that_it_gives_follows_its_formula(f, x, cov):
    r = propagate(f, x, cov, order=3)
    c = np.diag(np.square(cov)) if np.ndim(cov) == 1 else np.array(cov)
    g, h = np.array(ag.grad(f)(x)), np.array(ag.hessian(f)(x))
    assert r.std ** 2 == close(g @ c @ g) and r.cov == [[close(g @ c @ g)]]
    assert r.shares == close(list(g * (c @ g) / (g @ c @ g))) and math.fsum(r.shares) == close(1.0)
    assert r.bias == close(0.5 * np.trace(h @ c))
    third = np.array(ag.jacobian(ag.hessian(f))(x))
    term = 0.5 * np.trace(h @ c @ h @ c) + np.einsum("i,ijk,jk", c @ g, third, c)
    assert r.variance_term == close(term)


def test_the_higher_terms_are_those_of_a_normal_inputs_exponential():
    x, s = 0.3, 0.01
    r = propagate(ag.exp, x, s, order=3)
    assert r.value + r.bias == pytest.approx(math.exp(x + s * s / 2), rel=s ** 4)
    variance = math.exp(2 * x + s * s) * math.expm1(s * s)
    assert r.std ** 2 + r.variance_term == pytest.approx(variance, rel=3 * s ** 4)
    assert abs(r.std ** 2 - variance) > 0.9 * r.variance_term
    assert (propagate(ag.exp, x, s, order=1).bias, r.std) == (None, propagate(ag.exp, x, s, order=1).std)


def test_an_input_that_counters_another_has_a_negative_share_and_shares_sum_to_one():
    r = propagate(lambda a, b: a - b, 1.0, 1.0, cov=[[4.0, 1.5], [1.5, 1.0]])
    assert r.shares == close((1.25, -0.25)) and r.std == close(math.sqrt(2.0))


def test_a_singular_covariance_gives_exactly_zero_where_it_should():
    for s, factor in [(0.1, 3.0), (0.7, 1 / 3), (1e-9, 7.1), (3.3, 1.0)]:
        cov = [[s * s, factor * s * s], [factor * s * s, factor * factor * s * s]]
        r = propagate(lambda a, b: [factor * a - b, a + b], 5.0, 2.0, cov=cov)
        assert r.std[0] == 0.0 and r.std[1] == close(s * (1.0 + factor)) and r.cov[0] == [0.0, 0.0]
        assert r.shares[0] == (0.0, 0.0)


def test_tiny_and_huge_deviations_keep_their_digits():
    assert propagate(lambda a, b: a * 1e200 + b, 1.0, 1.0, cov=[3e-170, 4e30]).std == close(5e30)
    assert propagate(lambda a, b: a + b, 1.0, 1.0, cov=[3e-200, 4e-200], order=1).std == close(5e-200)
    with pytest.raises(ag.RangeError, match="scale the results"):
        propagate(lambda x: x * 1e200, 1.0, 1.0)


def test_results_carried_on_with_their_joint_covariance_are_those_of_one_function():
    def first(p):
        return {"sum": p[0] + p[1], "product": p[0] * p[1]}

    def second(q):
        return q["product"] / q["sum"]
    cov = [[0.04, 0.01], [0.01, 0.09]]
    r = propagate(first, [2.0, 3.0], cov)
    joint, apart = (propagate(second, r.value, how).std for how in (r.cov, r.std))
    assert joint == close(propagate(lambda p: second(first(p)), [2.0, 3.0], cov).std)
    assert apart != pytest.approx(joint, rel=0.1)
    one = propagate(lambda x: x * x, 3.0, 0.1)
    assert propagate(ag.log, one.value, one.cov).std == close(0.6 / 9.0)


# -- what it takes -----------------------------------------------------------------------------------------

STDS = [0.2, 0.3]


@pytest.mark.parametrize("x, covs", [
    ([2.0, 3.0], [STDS, tuple(STDS), np.array(STDS), [[0.04, 0.0], [0, 0.09]], np.diag([0.04, 0.09])]),
    ({"a": 2.0, "b": 3.0}, [STDS, {"b": 0.3, "a": 0.2}, np.diag([0.04, 0.09]),
                            {"a": {"a": 0.04, "b": 0.0}, "b": {"a": 0.0, "b": 0.09}}]),
    (np.array([[2.0], [3.0]]), [STDS, np.array([[0.2], [0.3]]), np.diag([0.04, 0.09]),
                                np.diag([0.04, 0.09]).reshape(2, 1, 2, 1)]),
    ({"p": [2.0], "q": (3, None)}, [STDS, {"p": [0.2], "q": (0.3, None)}])])
def test_every_form_of_a_covariance_says_the_same(x, covs):
    def f(x):
        a, b = [y for y in ag.transforms.trees.leaves(x)]
        return a * b
    for cov in covs:
        r = propagate(f, x, cov)
        assert r.std == close(math.hypot(0.6, 0.6)) and r.value == 6.0
        assert isinstance(r.cov, np.ndarray) is isinstance(x, np.ndarray) or isinstance(cov, np.ndarray)
        assert type(r.shares) is type(x)
    assert propagate(lambda a, b: a * b, 2.0, 3.0, cov=STDS).std == r.std
    assert propagate(lambda a, b: a * b, 2.0, 3.0, cov={"b": 0.3, "a": 0.2}).std == r.std
    assert propagate(lambda a, b: a[0] * b, [2.0], 3.0, cov={"a": [0.2], "b": 0.3}).std == r.std
    assert propagate(lambda a, b: a * b, 2.0, 3.0, cov=0.1).std == close(math.hypot(0.3, 0.2))


@pytest.mark.parametrize("cov", [{"a": 0.2}, {"a": 0.2, "b": 0.3, "c": 0.1}, {"a": 0.2, "c": 0.3}, {}])
def test_standard_deviations_by_names_are_of_all_arguments_and_of_no_other(cov):
    with pytest.raises(ag.InputError, match=f"dict for {', '.join(map(repr, cov))}.*are a, b: give"):
        propagate(lambda a, b: a * b, 2.0, 3.0, cov=cov)


def test_results_of_every_kind_keep_their_shape():
    r = propagate(lambda x: np.array([x[0] * x[1], x[0]]), np.array([1.0, 2.0]), [0.1, 0.2])
    assert r.value.tolist() == [2.0, 1.0] and r.std == close(np.array([math.hypot(0.2, 0.2), 0.1]))
    assert r.cov.shape == (2, 2) and r.shares.shape == (2, 2) and r.shares.sum(axis=1) == close(np.ones(2))
    r = propagate(lambda a, b: {"s": a + b, "none": None, "pair": (a, 5.0)}, 1.0, 2.0, cov=[3.0, 4.0])
    assert r.std == {"s": 5.0, "none": None, "pair": (3.0, 0.0)} and len(r.cov) == 3
    assert r.shares["s"] == close((9 / 25, 16 / 25)) and r.cov[0][1] == close(9.0)


@pytest.mark.parametrize("x", [np.int8(-128), np.uint8(3), np.int64(10**10), 2**70 + 1, True, np.bool_(True),
                               Fraction(1, 3), np.float32(0.1), np.float64(0.1), np.array(2.5), np.array(3)])
@pytest.mark.parametrize("f", [abs, operator.neg, lambda x: x * x * x, lambda x: x % 0.7, lambda x: x,
                               lambda x: [x, x - 4, 2.0 ** -x.data / x]])
def test_a_number_of_any_kind_is_computed_with_as_a_float(x, f):
    found, true = propagate(f, x, 0.1), propagate(f, float(x), 0.1)
    assert repr((found.value, found.std, found.bias)) == repr((true.value, true.std, true.bias))
    found = propagate(lambda v, n: f(v[0]), [x], "text", cov=([0.1], None))
    assert repr((found.value, found.std)) == repr((true.value, true.std))


def test_a_number_that_no_float_holds_is_refused():
    with pytest.raises(ag.RangeError, match="int of 1329 bits is too large"):
        propagate(lambda x: x, 10**400, 0.1)


def test_an_exact_input_needs_no_derivative():
    r = propagate(lambda a, b: ag.sqrt(a) + abs(a) + b, 0.0, 2.0, cov=[0.0, 0.5])
    assert (r.std, r.shares, r.bias) == (0.5, (0.0, 1.0), 0.0)
    assert propagate(ag.sqrt, 0.0, 0.0).std == 0.0
    assert propagate(lambda p: p[0] ** p[1], [-2.0, 3.0], [[0.01, 0.0], [0.0, 0.0]]).std == close(1.2)


@pytest.mark.parametrize("cov, said", [
    ([[1, 0.9], [0.1, 1]], r"the covariance of p\[1\] and p\[0\] is 0.1 in a half of cov, 0.9"),
    ([[1, 2], [2, 1]], r"more than the product of their standard deviations"),
    ([[-1, 0], [0, 1]], r"the variance of p\[0\] is -1.0, and must not be negative"),
    ([[1, 0], [0, math.inf]], r"variance of p\[1\] is inf, and must be finite \(curve_fit"),
    ([[1, math.nan], [0, 1]], "nan, and must be finite"),
    ([[0, 0.5], [0.5, 1]], "more than the product"),
    ([1, -1], r"standard deviation of p\[1\] is -1.0"), ([1, math.nan], r"p\[1\] is nan"),
    ([1, 2, 3], "it has 3 entries, not 2"), ([[1, 2, 3], [4, 5, 6]], "2 rows of 3 for 2 inputs"),
    ([[1, 2], [3]], "2 rows of 2/1 for 2 inputs"), ([[[1]], 2], "must have the shape of the point"),
    ("ab", "must have the shape"), ({"a": 1}, "must have the shape"), (1j, "must have the shape"),
    ([1, "b"], "a real number"), (np.ones((2, 2, 2)), "must have the shape")])
def test_a_covariance_that_is_none_is_refused_with_its_place(cov, said):
    with pytest.raises(ag.InputError, match=said):
        propagate(lambda p: p[0] * p[1], [1.0, 2.0], cov)


def test_what_is_not_positive_semidefinite_is_found_and_rounding_is_not():
    wrong = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    with pytest.raises(ag.InputError, match="not positive semidefinite.*only at a minimum"):
        propagate(lambda x: x[0] + x[1] - x[2], [1.0, 2.0, 3.0], wrong)
    draw = random.Random(5)
    for _ in range(60):
        n, rank = draw.randint(2, 6), draw.randint(1, 6)
        a = np.array([[draw.gauss(0, 1) for _ in range(rank)] for _ in range(n)])
        scale = np.diag([10.0 ** draw.uniform(-9, 9) for _ in range(n)])
        cov = scale @ a @ a.T @ scale
        r = propagate(lambda x: [sum(x), x[0]], [1.0] * n, cov, order=1)
        expected = math.sqrt(max(0.0, cov.sum()))
        assert r.std[0] == pytest.approx(expected, rel=1e-6, abs=1e-7 * np.sqrt(cov.max()))
        least = np.linalg.eigvalsh(a @ a.T)[0]
        with pytest.raises(ag.InputError):
            propagate(lambda x: x[0], [1.0] * n, scale @ (a @ a.T - (least + 0.01) * np.eye(n)) @ scale)


def test_what_may_be_two_things_is_refused():
    assert propagate(lambda x: x[0], [2.0], [[0.09]]).std == close(0.3)
    assert propagate(lambda x: x[0], [2.0], [0.09]).std == 0.09
    with pytest.raises(ag.InputError, match="may be a variance or"):
        propagate(lambda x: x[0][0], [[2.0]], [[0.09]])


@pytest.mark.parametrize("call, error, said", [
    (lambda: propagate(3, 1.0, 0.1), ag.InputError, "takes a function"),
    (lambda: propagate(ag.sin, 1.0), ag.InputError, r"propagate\(f, a, b, cov=…\)"),
    (lambda: propagate(lambda t, a, b: a * b * t, np.ones(3), 2.0, 1.0, cov=np.eye(2)), ag.InputError,
     r"cov has 2 rows of 2 for 5 inputs: .*; what is exact f reads, as in propagate\(lambda p: f\(t, p\), p"),
    (lambda: propagate(ag.sin, 1.0, 0.1, order=0), ag.InputError, "choose 1, 2 or 3"),
    (lambda: propagate(ag.sin, [], 0.1), ag.InputError, "no number"),
    (lambda: propagate(lambda x: None, 1.0, 0.1), ag.InputError, "result of <lambda>"),
    (lambda: propagate(ag.sin, ag.Value(1.0), 0.1), ag.InputError, r"give its \.data"),
    (lambda: ag.grad(lambda s: propagate(ag.sin, 1.0, s).std)(0.1), ag.InputError, "number, got Value"),
    (lambda: ag.compile(lambda x: propagate(ag.sin, 2.0, 0.1).std)(1.0), ag.InputError, "call it outside"),
    (lambda: propagate(ag.compile(ag.sin, batch=0), 1.0, 0.1), ag.InputError, "compiled for batches")])
def test_wrong_calls_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_a_list_for_several_arguments_is_told_what_to_write():
    with pytest.raises(TypeError) as caught:
        propagate(lambda a, b: a * b, [1.0, 2.0], 0.1)
    assert "propagate(f, a, b, cov=…)" in caught.value.__notes__[0]


@pytest.mark.parametrize("f, kinds", [
    (lambda a, b: ag.sin(a) * b, float), (lambda a, b: (a * b, a / b), tuple), (lambda a, b: [a - b], list),
    (lambda a, b: [a * b, 2.0], list), (lambda a, b: [a, b, a * b], list), (lambda a, b: a, float)])
def test_few_results_of_floats_are_those_of_the_general_way(f, kinds, monkeypatch):
    """(Which is taken where any mode is on, say.)"""
    quick = propagate(f, 1.5, 0.5, cov=[0.1, 0.2])
    with ag.record_lines():
        general = propagate(f, 1.5, 0.5, cov=[0.1, 0.2])
    for name in ("value", "std", "cov", "shares", "bias"):
        assert getattr(quick, name) == getattr(general, name)
    assert type(quick.value) is kinds


def shared(a, b):
    for _ in range(5):
        a = a - 0.1 * ag.sin(a) * b
    return a


def backwards(a, b):
    y = shared(a, b)
    y.backward()
    return y


W = ag.Value(3.0, "w")
SMALL = [lambda a, b: a * b, lambda a, b: ag.sin(a) * b, lambda a, b: a, lambda a, b: 2.0 * b,
         shared, backwards, lambda a, b: a * a * a * b - a / b, lambda a, b: ag.sum([a, b, a * b]),
         lambda a, b: W * a + W * W * b, lambda a, b: ag.maximum(a, -b) * abs(a), lambda a, b: 5.0,
         lambda a, b: ag.Value(2.0) * 3.0, lambda a, b: ag.select(a > b, lambda: a * b, lambda: a),
         lambda a, b: b * ag.hypot(a, b), lambda a, b: ag.exp(ag.log(b)) ** a,
         lambda a, b: ag.floor(a) + ag.cbrt(b), lambda a, b: [shared(a, b), a / b], lambda a, b: (a * b, a),
         lambda a, b: [a * W, 2.0, None], lambda a, b: [a * b] * 20, lambda a, b: {"y": a - b},
         lambda a, b: np.array([a * b, b], dtype=object)]


def told(r):
    """What a result in numbers of uncertainties says, part by part."""
    if isinstance(r, dict):
        return {key: told(y) for key, y in r.items()}
    if isinstance(r, (list, tuple, np.ndarray)):
        return type(r), [told(y) for y in r]
    return r and (type(r), r.nominal_value, {v: p for v, p in r.derivatives.items() if p})


@pytest.mark.parametrize("f", SMALL)
def test_small_formulas_have_the_general_ways_results_to_the_last_bit(f):
    """(Which is taken where any mode is on.)"""
    u = pytest.importorskip("uncertainties")
    a, b = u.ufloat(1.5, 0.1), u.ufloat(0.5, 0.2)
    for xs in [(a, b), (a + b, a * b), (a, a), (a, 2.5), (1.5, b), (a + b, a), (np.float64(2.5), b), (2, b)]:
        quick = propagate(f, *xs)
        with ag.record_lines():
            general = propagate(f, *xs)
        assert told(quick) == told(general) and quick is not None
    assert W.grad == 0.0


@pytest.mark.parametrize("f", [SMALL[1], shared, lambda a, b: [shared(a, b), a * b],
                               lambda a, b: ag.sum([a, b, 1.0])])
def test_a_smooth_function_is_called_once_and_finds_its_inputs_constants_later(f):
    u = pytest.importorskip("uncertainties")
    seen = []

    def noted(a, b):
        seen.append((a, b))
        return f(a, b)
    propagate(noted, u.ufloat(1.5, 0.1), u.ufloat(0.5, 0.1))
    (a, b), = seen
    assert not (a.requires_grad or b.requires_grad) and (a.data, a.operands, b.op) == (1.5, (), "")
    x = ag.Value(2.0)
    y = a * x + ag.sin(b)
    y.backward()
    assert (x.grad, a.grad, pickle.loads(pickle.dumps(a)).data) == (1.5, 0.0, 1.5)
    propagate(noted, 1.5, 0.5, cov=0.1, order=1)
    assert len(seen) == 2


@pytest.mark.parametrize("f, xs", [
    (lambda p: p[0] * p[1], "list"), (lambda p: {"y": p["a"] / p["b"], "x": p["a"]}, "dict"),
    (lambda p: p * p + 1.0, "array"), (lambda p: (p * p).sum(), "array"),
    (lambda p: [p[0], [p[1] * p[0]]], "list"), (lambda p: [ag.hypot(*p), ag.maximum(*p)], "list"),
    (lambda p: abs(shared(*p)), "list")])
def test_structures_are_as_single_numbers_and_the_function_is_called_once(f, xs):
    u = pytest.importorskip("uncertainties")
    a, b = u.ufloat(1.5, 0.1), u.ufloat(0.5, 0.2)
    given = {"list": [a, b], "dict": {"a": a, "b": b}, "array": np.array([a, b])}[xs]
    calls = []
    quick = propagate(lambda p: calls.append(p) or f(p), given)
    with ag.record_lines():
        assert told(quick) == told(propagate(f, given))
    assert len(calls) == 1


@pytest.mark.parametrize("f", [
    lambda p: [x * x + 1.0 for x in p], lambda p: np.array(p) ** 2 + 1.0,
    lambda p: [(x * 3.0) * (x * 3.0) for x in p], lambda p: [(y := x * 2.0) * y for x in p]])
def test_a_result_knows_only_the_inputs_on_which_it_depends(f):
    u = pytest.importorskip("uncertainties")
    variables = [u.ufloat(k, 0.1) for k in range(1, 31)]
    for xs in (variables, [2.0 * x for x in variables]):
        for y, expected in zip(propagate(f, xs), f(xs), strict=True):
            assert dict(y.derivatives) == close(dict(expected.derivatives)) and len(y.derivatives) == 1


@pytest.mark.parametrize("change, kind", [
    (lambda p: p.sort(key=lambda x: x.data), list), (lambda p: p.append(p[0] * p[1]), list),
    (lambda p: p.insert(0, p.pop()), list), (lambda p: p.update(z=p.pop("a")), dict),
    (lambda p: p.__setitem__(0, p[0] * 2.0), list), (lambda p: p.__imul__(2.0), np.array),
    (lambda p: setattr(p[0], "data", 7.0), list)])
def test_a_function_that_changes_its_argument_gets_a_fresh_one_in_the_general_way(change, kind):
    u = pytest.importorskip("uncertainties")
    xs = a, b = u.ufloat(1.5, 0.1), u.ufloat(0.5, 0.2)
    given = dict(zip("ab", xs)) if kind is dict else kind(xs)

    def f(p):
        change(p)
        x, y = [*(p.values() if kind is dict else p)][:2]
        return [x * 3.0, y * 5.0, 1]                    # (an int takes the general way)
    found = told(propagate(f, given))
    with ag.record_lines():
        assert found == told(propagate(f, given))
    assert [*(given.values() if kind is dict else given)] == [a, b]


def test_an_array_without_axes_is_the_number_in_it_in_either_way():
    u = pytest.importorskip("uncertainties")
    a, b = u.ufloat(1.5, 0.1), u.ufloat(0.5, 0.2)
    for f in (lambda a, b: np.where(a > 0.0, a * b, 0.0), lambda a, b: np.asarray(a),
              lambda *_: np.array(2.0)):
        quick = propagate(f, a, b)
        with ag.record_lines():
            assert told(quick) == told(propagate(f, a, b)) and hasattr(quick, "std_dev")


Pair = collections.namedtuple("Pair", "a twice")


def test_a_named_tuple_that_is_registered_is_taken_apart_as_that_says_in_either_way():
    u = pytest.importorskip("uncertainties")
    kind = type("Kind", (Pair,), {"__slots__": ()})
    ag.register(kind, lambda p: [p.a], lambda p, parts: kind(parts[0], 2.0 * parts[0]))
    x = u.ufloat(1.5, 0.1)
    quick = propagate(lambda p: p.twice * 1.0, kind(x, "worked out"))
    with ag.record_lines():
        assert told(quick) == told(propagate(lambda p: p.twice * 1.0, kind(x, "worked out")))
    assert quick.derivatives == {x: 2.0}


def test_an_array_of_results_and_of_other_things_keeps_both():
    u = pytest.importorskip("uncertainties")
    pair = np.empty(2, object)
    x = u.ufloat(1.5, 0.1)

    def f(x):
        pair[:] = [x * 2.0, x], None
        return pair
    (y, z), rest = propagate(f, x)
    assert (y.derivatives, z.derivatives, rest) == ({x: 2.0}, {x: 1.0}, None)
    row, = propagate(lambda x: np.array([[x * 2.0, x]]).view(np.matrix), x).tolist()
    assert [y.derivatives for y in row] == [{x: 2.0}, {x: 1.0}]


def test_what_cannot_hold_numbers_with_an_uncertainty_is_named():
    u = pytest.importorskip("uncertainties")
    x = u.ufloat(1.5, 0.1)
    with pytest.raises(ag.InputError, match="got MaskedArray"):
        propagate(lambda p: p[0], np.ma.array([x, x], mask=[0, 1]))
    for args in ([x], [1.5, 0.1]):
        with pytest.raises(ag.InputError, match="got MaskedConstant"):
            propagate(lambda x, *_: [x, np.ma.masked], *args)


def test_an_infinite_deviation_is_none_of_a_result_that_does_not_depend_on_it():
    u = pytest.importorskip("uncertainties")
    a, b, c = u.ufloat(2.0, math.inf), u.ufloat(1.0, 0.5), u.ufloat(3.0, math.nan)
    for f in (lambda a, b, *_: b * 5.0, lambda a, b, *_: [b * 5.0, a], lambda a, b, *_: [5.0 * (b * 2.0), b],
              lambda a, b, *_: -b, lambda a, b, *_: {"y": b}, lambda a, b, *_: [b, 1, a],
              lambda a, b, *_: [(b + 1.0) * (b + 1.0)] * 40):
        for way in (f, ag.compile(f)):
            for args in ([a, b], [a, b, c], [a, b + 0.0, 2.0 * c], [a, b] + [c] * 8):
                y = propagate(way, *args)
                first = y if hasattr(y, "std_dev") else [*(y.values() if type(y) is dict else y)][0]
                assert first.std_dev in (0.5, 2.0, 2.5, 5.0) and [*first.derivatives] == [b]


def test_a_zero_times_an_infinite_derivative_is_decided_by_the_general_way():
    u = pytest.importorskip("uncertainties")
    zero, b = u.ufloat(0.0, 0.1), u.ufloat(2.0, 0.1)
    assert propagate(lambda a, b: 0.0 * ag.sqrt(a) + b, zero, b).std_dev == close(0.1)
    with pytest.raises(ag.DomainError, match="infinite at 0"):
        propagate(lambda a, b: ag.sqrt(a) + b, zero, b)
    with pytest.raises(ag.DomainError, match="infinite at 0"):
        propagate(lambda a, b: [b, ag.sqrt(a)], zero, 2.0)


def test_a_value_of_others_is_a_constant_there():
    w = ag.Value(3.0, "w")
    r = propagate(lambda a: a * w, 2.0, 0.1)
    assert (r.value, r.std) == (6.0, close(0.3)) and w.grad == 0.0


# -- kinks and edges ---------------------------------------------------------------------------------------

KINKS = [(abs, 0.0), (ag.relu, 0.0), (lambda x: ag.maximum(x, 1.0), 1.0), (lambda x: ag.hypot(x, 0.0), 0.0),
         (lambda x: ag.sin(x) * abs(x - 2.0), 2.0)]


@pytest.mark.parametrize("f, x", KINKS)
@pytest.mark.parametrize("way", [lambda f: f, ag.compile])
def test_a_kink_is_an_error_that_names_it_and_its_slope_is_taken_under_ignore(f, x, way):
    for _ in range(2):
        with pytest.raises(ag.DomainError, match="lies at its kink"):
            propagate(way(f), x, 0.1, order=1)
        assert propagate(way(f), x + 0.5, 0.1, order=1).std == close(0.1 * abs(ag.grad(f)(x + 0.5)))
    r = ag.errstate("ignore").run(propagate, way(f), x, 0.1)
    assert r.std == 0.1 * abs(ag.grad(f)(x))
    with ag.errstate("warn"), pytest.warns(ag.AutogradWarning, match="lies at its kink"):
        propagate(way(f), x, 0.1, order=1)


def test_kinks_beside_a_choice_by_a_value_of_the_caller():
    w = ag.Value(0.7)
    with pytest.raises(ag.DomainError, match=r"abs\(0.0\) lies at its kink"):
        propagate(lambda a: ag.where(ag.greater(w, 0.0), ag.abs(a) * w, -a), 0.0, 0.1)
    other = propagate(lambda a: ag.where(ag.greater(w, 0.0), a * w, -ag.abs(a)), 0.0, 0.1)
    assert other.std == close(0.07)


def test_a_kink_on_which_nothing_depends_is_no_error():
    assert propagate(lambda x: abs(x) * abs(x), 0.0, 0.1, order=1).std == 0.0
    assert propagate(lambda x: ag.elu(x), 0.0, 0.1, order=1).std == close(0.1)     # (smooth there)
    assert propagate(lambda x, y: x + 0.0 * abs(y), 1.0, 0.0, cov=0.1).std == close(0.1)
    with pytest.raises(ag.DomainError) as caught:
        propagate(lambda x: abs(x) * abs(x), 0.0, 0.1)
    assert "order=1 leaves it out" in caught.value.__notes__[-1]


def test_an_infinite_derivative_is_an_error_and_infinite_under_ignore():
    for f in (ag.sqrt, ag.compile(ag.sqrt)):
        with pytest.raises(ag.DomainError, match="its derivative is infinite at 0"):
            propagate(f, 0.0, 0.1)
        with pytest.raises(ag.DomainError, match="must not be negative"):
            propagate(f, -1.0, 0.1)
        assert ag.errstate("ignore").run(propagate, f, 0.0, 0.1, order=1).std == math.inf


def test_a_function_of_several_arguments_that_is_given_one_is_told_how_they_are_given():
    u = pytest.importorskip("uncertainties")
    for x, cov, right in [([1.0, 2.0], 0.1, "propagate(f, a, b, cov=…)"),
                          ([u.ufloat(1.0, 0.1), 2.0], None, "propagate(f, a, b)")]:
        for run in (lambda *args, **more: propagate(*args, **more), ag.record_lines()(propagate)):
            with pytest.raises(TypeError, match="missing 1 required positional argument") as info:
                run(lambda a, b: a * b, x, cov=cov)
            assert info.value.__notes__ == [f"propagate: for a function of several arguments write {right}"]
            with pytest.raises(TypeError) as info:
                run(lambda p: len(3), x, cov=cov)
            assert not hasattr(info.value, "__notes__")


@dataclasses.dataclass
class Plain:
    a: Any
    b: Any = 3.0


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: Any
    b: Any
    scale: ClassVar[float] = 2.0


@dataclasses.dataclass(slots=True)
class Slotted:
    a: Any
    b: Any


@dataclasses.dataclass
class Derived:
    a: Any
    b: Any
    note: dataclasses.InitVar[str] = ""

    @functools.cached_property
    def total(self):
        return self.a + self.b


class Two(NamedTuple):
    a: Any
    b: Any


@pytest.mark.parametrize("kind", [Plain, Frozen, Slotted, Derived, Two])
def test_an_object_of_fields_is_to_propagate_what_it_is_to_the_general_way(kind):
    u = pytest.importorskip("uncertainties")
    x, y = u.ufloat(1.5, 0.1), u.ufloat(0.5, 0.2)
    given = kind(x, y)
    if kind is Derived:
        assert given.total.nominal_value == 2.0         # (which is not what f sees)
    for f in (lambda p: p.a * p.b, lambda p: [p.a, p.b * 2.0], lambda p: type(p)(p.a * p.b, p.a),
              lambda p: getattr(p, "total", p.a) * p.a):
        quick, general = propagate(f, given), ag.record_lines()(propagate)(f, given)
        assert type(quick) is type(general) and repr(quick) == repr(general)
    assert (given.a, given.b) == (x, y)


# -- compiled functions ----------------------------------------------------------------------------------

def branchy(p, x):
    k = p["k"] if p["k"] > 0.2 else 2.0 * p["k"]
    return [p["a"] * ag.exp(-k * x), ag.maximum(p["a"], x)]


def test_a_compiled_function_gives_the_same_on_every_path_and_its_derivatives_are_kept():
    fast = ag.compile(branchy)
    from autograd_lite.uncertainty.linearised import _kept
    for _ in range(2):
        for k, x, cov in [(0.5, 2.0, 0.1), (0.1, 2.0, 0.1), (0.5, 7.0, [0.2, 0.1, 0.0]),
                          (0.5, 1.0, [0.0, 0.1, 0.3])]:
            ours, theirs = (propagate(f, {"a": 3.0, "k": k}, x, cov=cov) for f in (fast, branchy))
            for name in ("value", "std", "cov", "shares", "bias"):
                assert getattr(ours, name) == getattr(theirs, name), name
    assert 0 < len(_kept[fast]) <= 8 and all(len(x.programs) <= 4 for x in _kept[fast].values())


def test_a_compiled_function_reads_values_as_they_are_now_and_selects_sides():
    w = ag.Value(2.0, "w")
    fast = ag.compile(lambda x: x * w)
    assert propagate(fast, 3.0, 0.1).std == close(0.2)
    w.data = 5.0
    assert propagate(fast, 3.0, 0.1).std == close(0.5)

    def sides(x):
        return ag.select(ag.greater(x, 0.0), lambda: abs(x - 1.0) * ag.log(x),
                         lambda: ag.maximum(ag.sqrt(-x), 1.0))
    chosen = ag.compile(sides)
    for x in (3.0, -4.0, 0.5, -0.25):
        assert propagate(chosen, x, 0.1).std == propagate(sides, x, 0.1).std
    with pytest.raises(ag.DomainError, match="kink"):
        propagate(chosen, -1.0, 0.1)


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_kink_whose_side_cannot_be_told_is_as_in_an_eager_function():
    for f in (lambda x: x % 0.0, lambda x: ag.hypot(x % 0.0, x)):
        for g in (f, ag.compile(f)):
            with ag.errstate("ignore"):
                assert math.isnan(propagate(g, 0.5, 0.1, order=1).value)


def test_a_compiled_functions_options_hold_for_its_derivatives():
    power = ag.compile(lambda x, n: x ** n if n > 2 else x, static="n")
    assert propagate(power, 2.0, 3, cov=[0.1, 0.0]).std == close(1.2)
    assert propagate(power, 2.0, 2, cov=[0.1, 0.0]).std == close(0.1)
    taken = ag.compile(lambda rows, i: 2.0 * ag.take(rows, i), indices="i")
    assert [propagate(taken, [1.0, 5.0], i, cov=[0.1, 0.2, 0.0]).std for i in (0, 1)] == close([0.2, 0.4])
    few = ag.compile(lambda x: x if x > 0.0 else -x, max_programs=1)
    assert propagate(few, 1.0, 0.1).std == 0.1
    with pytest.raises(ag.InputError, match="max_programs"):
        propagate(few, -1.0, 0.1)


def test_an_infinite_deviation_leaves_the_other_results_theirs_under_ignore():
    r = ag.errstate("ignore").run(propagate, lambda a, b: [ag.sqrt(a), b], 0.0, 1.0, order=1,
                                  cov=[[0.01, 0.005], [0.005, 0.01]])
    assert r.std == [math.inf, close(0.1)] and r.cov[1][1] == close(0.01) and r.cov[0][0] == math.inf
    assert math.isnan(r.shares[0][0]) and r.shares[1] == close((0.0, 1.0)) and "inf" in str(r)


# -- how it is shown -----------------------------------------------------------------------------------------

def test_the_table_has_the_results_and_the_inputs_by_their_shares():
    def clearance(dose, cl, v):
        return {"auc": dose / cl, "half": math.log(2.0) * v / cl}
    r = propagate(clearance, 100.0, 2.7, 30.0, cov=[0.0, 0.2, 2.0])
    assert str(r).splitlines() == [
        "result             value ± std    bias",
        "clearance['auc']    37.0 ± 2.7    +0.2",
        "clearance['half']  7.70 ± 0.77  +0.042",
        "",
        "input  value ± std  % of auc  % of half",
        "cl     2.70 ± 0.20     100.0       55.2",
        "v       30.0 ± 2.0       0.0       44.8",
        "and 1 exact input"]
    assert repr(r) == "<propagation: clearance = 37.0 ± 2.7, 7.70 ± 0.77>"
    html = r._repr_html_()
    assert "7.70 ± 0.77" in html and "55.2" in html and html.count("<table") == 2
    assert f"{r:.3f}" == "37.037 ± 2.743, 7.702 ± 0.768" and f"{r}" == str(r)
    with pytest.raises(AttributeError, match="no 'std_dev': write r.std$"):
        r.std_dev
    with pytest.raises(AttributeError, match="no attribute 'mean'"):
        r.mean
    again = pickle.loads(pickle.dumps(r))
    assert str(again) == str(r) and again.cov == r.cov


def test_long_tables_are_80_columns_wide_and_names_cannot_forge_lines():
    name = "<b>\n\x1b[31m" + "long" * 30
    r = propagate(lambda p: {name + str(i): 1e-30 * x for i, x in enumerate(p[name])},
                  {name: [1.2345678e9 * (i + 1) for i in range(60)]}, 12345.0)
    lines = str(r).splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) < 100 and "\x1b" not in str(r)
    assert lines[-3:] == ["and 20 results more", "and 20 inputs more",
                          "(the shares of 57 results more are in .shares)"]
    assert "<b>" not in r._repr_html_() and "\x1b" not in repr(r)


@pytest.mark.parametrize("value, std, said", [
    (12.3456, 0.057, "12.346 ± 0.057"), (1234567.0, 890.0, "1234567 ± 890"), (0.0, 0.1, "0.00 ± 0.10"),
    (-6.62607e-34, 1.2e-37, "(-6.6261 ± 0.0012)e-34"), (1.0, 0.0996, "1.00 ± 0.10"), (2.0, 0.0, "2 ± 0"),
    (5e-324, 5e-324, "(4.9 ± 4.9)e-324"), (math.nan, 1.0, "nan ± 1"), (1.0, 1e-15, "1 ± 1e-15"),
    (1.7e308, 2e300, None)])
def test_numbers_are_rounded_to_two_digits_of_their_deviation(value, std, said):
    from autograd_lite.uncertainty.result import measured
    found = measured(value, std)
    assert said is None or found == said
    assert len(found) <= 36


# -- the package uncertainties ---------------------------------------------------------------------------

def compositions(depth):
    """Functions of a library of functions m and of numbers, as trees; all are defined everywhere."""
    leaf = st.one_of(st.integers(0, 3), st.floats(0.5, 2.0))
    one = st.sampled_from("sin cos atan tanh asinh exp sqrt log cosh erf".split())
    return st.recursive(leaf, lambda t: st.one_of(
        st.tuples(one, t), st.tuples(st.sampled_from("+-*/^h"), t, t)), max_leaves=depth)


def computed(tree, m, xs):
    if isinstance(tree, int):
        return xs[tree]
    if isinstance(tree, float):
        return tree
    name, *parts = tree
    parts = [computed(part, m, xs) for part in parts]
    if len(parts) == 1:
        x, = parts
        x = {"tanh": lambda: m.atan(x), "exp": lambda: 0.1 * x, "cosh": lambda: 0.1 * x,
             "sqrt": lambda: x * x + 1.0, "log": lambda: x * x + 1.0}.get(name, lambda: x)()
        return getattr(m, name)(x)
    a, b = parts
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / (b * b + 1.0),
            "^": lambda: (a * a + 1.0) ** (b * 0.1), "h": lambda: m.hypot(a, b + 20.0)}[name]()


@settings(max_examples=120, deadline=None)
@given(tree=compositions(8), other=compositions(5), seed=st.integers(0, 1000))
def test_numbers_of_uncertainties_come_out_as_that_package_has_them(tree, other, seed):
    u = pytest.importorskip("uncertainties")
    umath = pytest.importorskip("uncertainties.umath")
    draw = random.Random(seed)
    a, b, c = (u.ufloat(draw.uniform(-2, 2), draw.uniform(0.0, 0.5), tag) for tag in "abc")
    xs = [a, b, a * b + c, umath.sin(c)]                        # (correlated)
    theirs = [computed(t, umath, xs) + 0.0 * a for t in (tree, other)]
    try:
        found = propagate(lambda *xs: [computed(t, ag, xs) for t in (tree, other)], *xs)
    except (OverflowError, ZeroDivisionError):
        return
    for x, y in zip(found, theirs):
        size = max(map(abs, y.derivatives.values()))
        assert x.nominal_value == close(y.nominal_value, abs=1e-300)
        slopes = {v: x.derivatives.get(v, 0.0) for v in y.derivatives}
        assert slopes == close(dict(y.derivatives), abs=1e-12 * size)
        assert x.std_dev == close(y.std_dev, abs=1e-13 * size)
    ours, given = (np.array(u.covariance_matrix([*r, a])) for r in (found, theirs))
    assert np.abs(ours - given).max() <= 1e-12 * (1.0 + np.abs(given).max())


@pytest.mark.parametrize("shape", [(1,), (2,), (2, 1)])
def test_numbers_of_uncertainties_keep_the_arrays_in_a_result(shape):
    u = pytest.importorskip("uncertainties")
    numbers = [u.ufloat(2.0 + i, 0.1) for i in range(math.prod(shape))]
    a = np.array(numbers, dtype=object).reshape(shape)
    one, two = propagate(lambda x: [x * 3.0, {"x": x[0], "n": None}], a)
    for found, true in ((one, a * 3.0), (two["x"], a[0])):
        assert np.shape(found) == np.shape(true)
        assert [(x - y).std_dev for x, y in zip(np.ravel(found), np.ravel(true))] == [0.0] * np.size(true)
    assert two["n"] is None


def test_numbers_of_uncertainties_keep_tags_structures_and_later_deviations():
    u = pytest.importorskip("uncertainties")
    a, b = u.ufloat(2.0, 0.1, "a"), u.ufloat(3.0, 0.2, "b")
    b.std_dev = 0.0
    f = ag.compile(lambda p, k: {"y": p["a"] * p["b"] ** k, "n": None, "exact": 5.0})
    y = propagate(f, {"a": a, "b": b}, 2.0)
    assert y["n"] is None and y["y"].nominal_value == 18.0 and y["exact"].std_dev == 0.0
    assert {v.tag: e for v, e in y["y"].error_components().items()} == {"a": close(0.9), "b": 0.0}
    b.std_dev = 0.5
    assert y["y"].std_dev == close(math.hypot(0.9, 6.0))
    assert (y["y"] - a * 9.0 - b * 12.0).std_dev == pytest.approx(0.0, abs=1e-14)
    x = np.array([a, b])
    y = propagate(lambda x: x * x, x)
    assert type(y) is np.ndarray and y.shape == (2,) and (y[0] - a * a).std_dev == 0.0
    zero = u.ufloat(0.0, 0.1)
    zero.std_dev = 0.0
    assert propagate(lambda x, y: ag.sqrt(x) + y, zero, a).std_dev == close(0.1)
    with pytest.raises(ag.DomainError, match="infinite at 0"):
        propagate(ag.sqrt, u.ufloat(0.0, 0.1))
    one, two = u.correlated_values([1.0, 2.0], [[0.04, 0.03], [0.03, 0.09]])
    assert propagate(lambda a, b: a - b, one, two).std_dev == close((one - two).std_dev)


def test_a_number_of_uncertainties_is_refused_where_a_plain_one_belongs():
    u = pytest.importorskip("uncertainties")
    for x in (u.ufloat(1.0, 0.1), u.ufloat(1.0, 0.1) * 2.0):
        for call in (lambda: ag.Value(x), lambda: ag.grad(ag.sin)(x), lambda: ag.sin(x)):
            with pytest.raises(ag.InputError, match="expected a .*number.*, got (Var|Affine).*propagate"):
                call()
    with pytest.raises(ag.InputError, match="carry their uncertainty"):
        propagate(ag.sin, u.ufloat(1.0, 0.1), cov=0.1)


def test_numbers_of_uncertainties_within_a_compiled_function_are_refused_as_floats_are():
    u = pytest.importorskip("uncertainties")
    for args, more in (([u.ufloat(3.0, 0.1)], {}), ([3.0], {"cov": 0.1})):
        for g in (lambda a: 2.0 * a, ag.compile(lambda a: 2.0 * a)):
            fast = ag.compile(lambda x: propagate(lambda a: g(a), *args, **more) and x)
            with pytest.raises(ag.InputError, match="within a compiled function would run once"):
                fast(2.0)


def test_the_benchmark_compares_the_same_numbers_and_ours_are_faster(monkeypatch):
    pytest.importorskip("uncertainties")
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "benchmarks"))
    import propagation
    found = propagation.measured(propagation.ROWS[-1], least=1e-3, repeats=3)
    assert found["ours"] < found["theirs"] and found["compiled"] < found["theirs"]
    wrong = propagation.Row("wrong", lambda m: lambda a: [a * (1.0 if m is ag else 2.0)], [(1.0, 0.1)])
    with pytest.raises(AssertionError, match="wrong"):
        propagation.measured(wrong)
