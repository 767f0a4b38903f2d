"""SciPy's minimisers with exact derivatives, also where a step leaves the objective's domain."""
from __future__ import annotations

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag

optimize = pytest.importorskip("scipy.optimize")

NEW = ["COBYQA"] if "cobyqa" in optimize.minimize.__doc__.lower() else []       # (since SciPy 1.14)
FREE = ["Nelder-Mead", "Powell", "COBYLA", *NEW]                        # (they take no gradient)
FIRST = ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP"]
SECOND = ["Newton-CG", "trust-constr", "dogleg", "trust-ncg", "trust-exact", "trust-krylov"]
# (COBYLA may step over bounds)
BOUNDED = ["Nelder-Mead", "Powell", *NEW, "L-BFGS-B", "TNC", "SLSQP", "trust-constr"]
START, LEAST = [50.0, 0.01], [2.0, 3.0]


def loss(p):
    """It has no value where a number is negative; the first steps from START go there."""
    a, b = p
    return (a - 2.0 * ag.log(a)) + (b - 3.0 * ag.log(b)) + 0.1 * (a - 2.0) * (b - 3.0)


def walled(p):
    """The same, and a wall around its domain."""
    try:
        return loss(p)
    except ag.NumericError:
        return 1e10


def minimum(f, method, start=START, way=lambda f: f, **options):
    if method in SECOND:
        options["hess"] = way(ag.hessian(f))
    if method not in FREE:
        f, options["jac"] = way(ag.value_and_grad(f)), True
    return optimize.minimize(f, np.array(start), method=method, **options).x


@pytest.mark.parametrize("method", FREE + FIRST + SECOND)
def test_a_step_out_of_the_domain_ends_a_fit_and_says_how_to_go_on_and_so_it_goes_on(method):
    with pytest.raises(ag.DomainError) as caught:
        minimum(loss, method)
    assert any(re.search(r"catch NumericError and return 1e10", note) for note in caught.value.__notes__)
    assert minimum(walled, method) == pytest.approx(LEAST, abs=2e-3)


@pytest.mark.parametrize("method", FIRST + SECOND)
def test_the_wall_stands_in_a_compiled_function_too(method):
    assert minimum(walled, method, way=ag.compile) == pytest.approx(
        minimum(walled, method), rel=1e-9)


def test_the_walls_height_matters_and_infinity_is_none():
    """What the page says: a wall that is infinite stops L-BFGS-B and TNC where they are."""
    def endless(p):
        return walled(p) if min(p) > 0.0 else ag.sum(p) * 0.0 + np.inf
    for method in ("L-BFGS-B", "TNC"):
        found = ag.errstate("ignore").run(minimum, endless, method)
        assert not np.allclose(found, LEAST, atol=1.0)


@pytest.mark.parametrize("method", BOUNDED)
def test_bounds_keep_a_fit_inside(method):
    assert minimum(loss, method, bounds=[(1e-8, None)] * 2) == pytest.approx(LEAST, abs=2e-3)


@pytest.mark.parametrize("method", FREE + FIRST + SECOND)
def test_logarithms_of_parameters_keep_a_fit_inside(method):
    def of_logarithms(q):
        return loss([ag.exp(x) for x in q])
    found = minimum(of_logarithms, method, np.log([8.0, 0.5]))
    assert np.exp(found) == pytest.approx(LEAST, abs=2e-3)


def test_a_search_goes_on_over_an_overflow():
    def steep(p):
        return ag.exp(p[0]) - 5.0 * p[0] + (p[1] - p[0]) ** 2 + ag.exp(-p[1])

    def caught(p):
        try:
            return steep(p)
        except ag.NumericError:
            return 1e10
    for method in ("CG", "BFGS"):
        with pytest.raises(ag.RangeError):
            minimum(steep, method, [20.0, -30.0])
        found = minimum(caught, method, [20.0, -30.0])
        assert ag.grad(steep)(found) == pytest.approx([0.0, 0.0], abs=1e-3)


# -- least squares ---------------------------------------------------------------------------------------

X = [0.0, 0.5, 1.0, 2.0, 4.0]
Y = [3.1, 2.2, 1.6, 0.9, 0.25]


def model(x, a, k):
    return a * ag.exp(-k * x)


def residuals(p):
    return [model(x, *p) - y for x, y in zip(X, Y)]


@pytest.mark.parametrize("way", [lambda f: f, ag.compile])
def test_least_squares_and_curve_fit_take_our_jacobian_and_agree(way):
    found = optimize.least_squares(way(residuals), [1.0, 1.0], jac=way(ag.jacobian(residuals)))
    slope = way(ag.grad(model, ("a", "k")))
    p, pcov = optimize.curve_fit(lambda x, *p: [model(t, *p) for t in x], X, Y, [1.0, 1.0],
                                 jac=lambda x, *p: np.array([slope(t, *p) for t in x]))
    assert p == pytest.approx(found.x, rel=1e-6)
    jacobian = np.array(ag.jacobian(residuals)(p))
    variance = 2.0 * found.cost / (len(X) - 2)
    assert pcov == pytest.approx(variance * np.linalg.inv(jacobian.T @ jacobian), rel=1e-5)
    half_life = ag.propagate(lambda p: np.log(2.0) / p[1], p, pcov)
    assert half_life.std == pytest.approx(np.log(2.0) / p[1] ** 2 * np.sqrt(pcov[1, 1]))


def test_roots_take_our_jacobian():
    def equations(p):
        return [p[0] ** 2 + p[1] ** 2 - 4.0, ag.exp(p[0]) + p[1] - 1.0]
    for method in ("hybr", "lm"):
        found = optimize.root(equations, [1.0, -1.7], jac=ag.jacobian(equations), method=method)
        assert found.success and equations(found.x) == pytest.approx([0.0, 0.0], abs=1e-9)
    cube = optimize.root_scalar(lambda x: x ** 3 - 2.0, x0=1.0, fprime=ag.grad(lambda x: x ** 3 - 2.0))
    assert cube.root == pytest.approx(2.0 ** (1 / 3))


# -- the page ------------------------------------------------------------------------------------------------

PAGE = (Path(__file__).parent.parent / "docs" / "fits.md").read_text(encoding="utf-8")


def test_the_page_is_right_about_uncertainties():
    """(The other blocks are tested with those of all pages.)"""
    pytest.importorskip("uncertainties")
    block, = re.findall(r"```pycon\n(.*?)```", PAGE, re.DOTALL)
    test = doctest.DocTestParser().get_doctest(block, {"ag": ag}, "fits.md", "fits.md", 0)
    assert doctest.DocTestRunner().run(test) == (0, 5)


def test_the_page_names_every_minimiser_of_scipy():
    for method in FREE + FIRST + SECOND:
        assert f"`{method}`" in PAGE


# -- what a person who fits may get wrong, and is told -------------------------------------------------------

TIMES = np.array([0.5, 1.0, 2.0])


class Uncertain:
    """As a number of the package `uncertainties` looks from outside."""
    nominal_value, std_dev = 2.0, 0.1


@pytest.mark.parametrize("call, words", [
    (lambda: ag.grad(lambda p: p[0], [5.0, 1.0]), r"for a point write grad\(f\)\(x\)"),
    (lambda: ag.grad(lambda p: p[0], np.array([5.0, 1.0])), r"for a point write grad\(f\)\(x\)"),
    (lambda: ag.grad(lambda x: (x - 2.0) ** 2)(np.array([3.0])), r"of an array its item\(\)"),
    (lambda: ag.grad(lambda x: [x, x])(1.0), "jacobian takes several"),
    (lambda: np.zeros(3).__setitem__(0, ag.Value(1.0)), "dtype=object"),
    (lambda: np.zeros(3).__iadd__(ag.Value(1.0)), "dtype=object"),
    (lambda: ag.Value(1.0) * Uncertain(), r"\*: .*Uncertain.*give it to propagate"),
    (lambda: Uncertain() ** ag.Value(1.0), "give it to propagate"),
    (lambda: ag.exp(Uncertain()), "give it to propagate"),
    (lambda: ag.exp(range(3)), "map the function"),
    (lambda: ag.expit(1.0), r"sigmoid\(x\)"), (lambda: ag.gammaln(1.0), "lgamma"),
    (lambda: ag.curve_fit, "jacobian"), (lambda: ag.pi, "math.pi"),
    (lambda: ag.propagate(lambda a, k: a / k, 1.0, 2.0), "missing 1 required"),
    (lambda: ag.propagate(lambda a: a, object(), 0.1), "propagate: expected a number"),
    (lambda: ag.propagate(lambda a: a, ag.Value(1.0), 0.1), "^propagate takes and returns plain numbers")])
def test_a_mistake_names_what_to_write(call, words):
    with pytest.raises((TypeError, AttributeError), match=words):
        call()


def test_a_function_of_two_given_as_of_one_says_how_to_propagate_through_it():
    with pytest.raises(TypeError) as caught:
        ag.propagate(lambda a, k: a / k, 1.0, 2.0)
    assert "propagate(f, a, b, cov=…)" in caught.value.__notes__[0]
    with pytest.raises(TypeError) as caught:                # (f's own mistake)
        ag.propagate(lambda a: len(a), 1.0, 2.0)
    assert not getattr(caught.value, "__notes__", ())


def test_a_function_of_scipys_has_its_own_name():
    special = pytest.importorskip("scipy.special")
    with pytest.raises(ag.InputError, match=r"^beta is not for Values.*custom_op"):
        special.beta(ag.Value(1.0), 2.0)


def test_columns_and_covariances_of_pandas():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"t": TIMES, "y": 3.0 * TIMES})
    with pytest.raises(ag.InputError, match=r"to_numpy\(\) is an array"):
        ag.jacobian(lambda p: p[0] * frame["t"] - frame["y"])(np.array([2.0]))
    assert ag.jacobian(lambda p: p[0] * frame["t"].to_numpy())(np.ones(1)).tolist() == [[t] for t in TIMES]
    assert ag.compile(lambda t, a: a * t, batch="t")(frame["t"], 2.0).tolist() == [1.0, 2.0, 4.0]
    cov = np.array([[0.04, 0.01], [0.01, 0.09]])
    with_frame = ag.propagate(lambda p: p[0] * p[1], [1.0, 2.0], pd.DataFrame(cov))
    assert with_frame.std == ag.propagate(lambda p: p[0] * p[1], [1.0, 2.0], cov).std


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_least_squares_goes_on_where_residuals_are_nan_or_a_wall(method):
    t, y = np.array([0.5, 1.0, 2.0, 4.0, 8.0]), np.array([0.4, 2.1, 4.5, 6.6, 8.3])
    met = []

    def fenced(p):
        try:
            return p[0] * ag.log(p[1] * t + 1.0) - y
        except ag.NumericError:
            met.append(p)
            return np.full(len(t), 1e3)

    def plain(p):
        return p[0] * np.log(p[1] * t + 1.0) - y

    with np.errstate(all="ignore"):
        for f in (fenced, plain):
            found = optimize.least_squares(f, [50.0, 50.0], jac=ag.jacobian(f), method=method)
            assert found.x == pytest.approx([4.681, 0.670], abs=3e-3)
    assert met
