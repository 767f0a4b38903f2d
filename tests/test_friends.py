"""At home beside SymPy, pandas and the standard library: what works, and what is refused in words."""
from __future__ import annotations

import decimal
import fractions
import functools
import math
import operator
import pickle
import statistics
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value, grad

# -- SymPy: the library as a module for lambdify ----------------------------------------------------------

SYMPY = """sin(x) cos(x) tan(x) asin(x) acos(x) atan(x) sinh(x) cosh(x) tanh(x) asinh(x) acosh(x+2) atanh(x)
    atan2(x,y) exp(x) log(x) log(x,2) sqrt(x) cbrt(x) root(x,3) Abs(x-y) Abs(y-x) sign(x-y) sign(y-x)
    Max(x,y) Min(x,y,2) Heaviside(x-y) Piecewise((x**2,x>y),(-x,True)) Piecewise((x,x>1),(x*y,x>y))
    erf(x) erfc(x) gamma(x) beta(x,y) binomial(x,y) loggamma(x) digamma(x) polygamma(2,x) Mod(x,y)
    floor(5*x) ceiling(5*x) frac(5*x) sec(x) csc(x) cot(x) acot(x) asec(x+2) sech(x) coth(x) sinc(x) pi*x
    E**x x/3 x**y x**Rational(1,3) EulerGamma*x Sum(x**i,(i,1,3))""".split()


@pytest.mark.parametrize("text", SYMPY)
def test_a_formula_of_sympys_by_lambdify_has_sympys_value_and_derivatives(text: str) -> None:
    sympy = pytest.importorskip("sympy")
    x, y = sympy.symbols("x y", positive=True)
    formula = sympy.sympify(text, {"x": x, "y": y})
    f = sympy.lambdify([x, y], formula, modules=ag)
    at = {x: sympy.Float(0.75, 30), y: sympy.Float(0.3125, 30)}
    value, slopes = ag.value_and_grad(f, (0, 1))(0.75, 0.3125)
    assert value == pytest.approx(float(formula.doit().subs(at)), rel=1e-14, abs=1e-15)
    if not formula.has(sympy.floor, sympy.ceiling, sympy.frac, sympy.Mod, sympy.Heaviside, sympy.sign):
        exact = [float(formula.doit().diff(s).doit().subs(at)) for s in (x, y)]
        assert slopes == pytest.approx(exact, rel=1e-13, abs=1e-15)
    assert ag.compile(f)(0.75, 0.3125) == value


def test_a_piecewise_formula_as_a_recorded_choice() -> None:
    """Python's `if` is what lambdify writes: a derivative holds on the side where it is taken."""
    sympy = pytest.importorskip("sympy")
    x = sympy.Symbol("x")
    f = sympy.lambdify([x], sympy.Piecewise((x ** 2, x > 1), (sympy.sin(x), True)), modules=ag)
    assert [grad(f)(at) for at in (2.0, 0.5)] == [4.0, math.cos(0.5)]
    fast = ag.compile(grad(f))
    assert [fast(at) for at in (2.0, 0.5)] == [4.0, math.cos(0.5)]


def test_numbers_of_sympys_meet_a_value_on_either_side() -> None:
    sympy = pytest.importorskip("sympy")
    third, v = sympy.Rational(1, 3), Value(2.0)
    for x in (third, sympy.Integer(2), sympy.Float(1.5)):
        for by in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod):
            for a, b, i in ((x, v, 1), (v, x, 0)):
                found, expected = by(a, b), by(*[Value(float(y)) if y is x else y for y in (a, b)])
                assert (found.data, found.partials[i]) == (expected.data, expected.partials[i])
    assert ag.compile(grad(lambda y: third * y))(2.0) == 1.0 / 3.0
    for call in (lambda: sympy.pi * v, lambda: v * sympy.pi, lambda: sympy.Symbol("x") * v):
        with pytest.raises(TypeError, match="unsupported operand"):
            call()
    with pytest.raises(sympy.SympifyError, match="Value"):
        sympy.sin(v)


@pytest.mark.parametrize("modules", ["numpy", "scipy", [{"ImmutableDenseMatrix": np.array}, ag]])
def test_other_modules_of_sympys_serve_values_too(modules: Any) -> None:
    sympy = pytest.importorskip("sympy")
    pytest.importorskip("scipy")
    x, y = sympy.symbols("x y")
    formula = sympy.Piecewise((sympy.sin(x) * y, x > y), (x ** 2, True))
    f = sympy.lambdify([x, y], formula, modules=modules)
    assert grad(f)(2.0, 1.0) == math.cos(2.0) and grad(f)(0.5, 1.0) == 1.0
    f = sympy.lambdify([x, y], sympy.Matrix([[x, y], [y, x * y]]), modules=modules)
    for slope in (ag.jacobian(f), ag.compile(ag.jacobian(f))):
        assert slope(2.0, 3.0).tolist() == [[1.0, 0.0], [0.0, 3.0]]


# -- pandas -------------------------------------------------------------------------------------------------


def test_series_of_values() -> None:
    pd = pytest.importorskip("pandas")
    xs = [Value(0.25), Value(0.5), Value(1.0)]
    plain = pd.Series([0.25, 0.5, 1.0], index=list("abc"))
    series = pd.Series(xs, index=plain.index, dtype=object)
    assert ag.sin(plain).equals(plain.map(math.sin)) and ag.sin(plain).dtype == float
    assert [x.data for x in ag.sin(series)] == list(plain.map(math.sin))
    assert list(ag.sin(series).index) == list("abc")
    assert [x.data for x in ag.maximum(series, plain)] == [0.25, 0.5, 1.0]
    assert ag.isfinite(series).tolist() == [True] * 3
    frame = pd.DataFrame({"u": [1, 4], "v": [0.25, 2.25]})
    assert ag.sqrt(frame).equals(frame ** 0.5)
    assert (series * 2.0 + Value(1.0)).sum().data == 6.5 and series.sum().data == 1.75
    for call in (series.mean, series.std, series.var, lambda: np.std(series)):
        with pytest.raises(TypeError):          # (pandas wants its own numbers: nothing is lost)
            call()
    array = series.to_numpy()
    assert array.mean().data == ag.mean(series).data == plain.mean()
    assert array.std(ddof=1).data == pytest.approx(plain.std(), rel=1e-15)


def test_labels_of_a_series_or_frame_of_uncertainties_name_the_inputs() -> None:
    pd = pytest.importorskip("pandas")
    f, point = (lambda p: p["a"] ** 3 * p["b"]), {"a": 1.0, "b": 2.0}
    expected = ag.propagate(f, point, [[0.01, 0.01], [0.01, 0.04]])
    frame = pd.DataFrame([[0.04, 0.01], [0.01, 0.01]], index=["b", "a"], columns=["b", "a"])
    for cov in (frame, frame.loc[["a", "b"]], frame[["a", "b"]], frame.loc[["a", "b"], ["a", "b"]]):
        assert ag.propagate(f, point, cov).std == expected.std
        assert ag.propagate(lambda b, a: a ** 3 * b, 2.0, 1.0, cov=cov).std == expected.std
    stds = pd.Series({"b": 0.2, "a": 0.1})
    assert ag.propagate(f, point, stds).std == ag.propagate(f, point, {"a": 0.1, "b": 0.2}).std
    assert ag.propagate(lambda p: p[0] * 2.0, [1.0, 3.0], pd.Series([0.2, 0.1], index=[1, 0])).std == 0.2
    for labels in (["k", "A"], ["A", "k"]):             # (a name mistyped, and the other would move)
        with pytest.raises(ag.InputError, match="cov is labelled .*, and the inputs are 'a', 'k'; cov.to_"):
            ag.propagate(lambda a, k: a * k, 1.0, 2.0, cov=stds.set_axis(labels))
    for labels in (["x", "y"], [5, 6], ["a", "a"]):     # (by their order)
        assert ag.propagate(lambda p: p[0] * 1.0, [1.0, 3.0], stds.set_axis(labels)).std == 0.2
    with pytest.raises(ag.InputError, match="cov is labelled 'x', 'y', and the inputs are 'a', 'b'; cov.to_"):
        ag.propagate(f, point, stds.set_axis(["x", "y"]))
    assert ag.propagate(f, point, stds.set_axis([5, 6])).std == ag.propagate(f, point, [0.2, 0.1]).std


def test_a_column_where_an_array_belongs_is_told_so_in_one_line() -> None:
    pd, u = pytest.importorskip("pandas"), pytest.importorskip("uncertainties")
    column = pd.Series([u.ufloat(1.0, 0.1), u.ufloat(2.0, 0.1)])
    with pytest.raises(ag.InputError, match="expected a number.*its to_numpy.. is an array") as caught:
        ag.propagate(lambda x: x, column.to_frame())        # (another test may have registered a Series)
    assert "\\n" not in str(caught.value)
    assert [x.n for x in ag.propagate(lambda x: x, column.to_numpy())] == [1.0, 2.0]


# -- the standard library ------------------------------------------------------------------------------


def test_the_mean_of_values_by_statistics_is_the_librarys_with_its_gradient() -> None:
    for call in (statistics.mean, ag.mean):
        xs = [Value(1.0), Value(0.1), Value(0.2)]
        y = call(xs)
        y.backward()
        assert (y.data, [x.grad for x in xs]) == (1.3 / 3.0, [1.0 / 3.0] * 3)
    square = lambda xs: statistics.mean(x * x for x in xs)  # noqa: E731
    assert grad(square)([1.0, 3.0]) == [1.0, 3.0] and ag.hessian(square)([1.0, 3.0])[0] == [1.0, 0.0]
    assert ag.compile(ag.value_and_grad(square))([1.0, 3.0]) == (5.0, [1.0, 3.0])
    assert ag.no_grad()(lambda: statistics.mean([Value(1.0), Value(2.0)]))().data == 1.5
    with pytest.raises(statistics.StatisticsError):
        statistics.mean(x for x in [Value(1.0)] if x > 1.0)


@pytest.mark.parametrize("other", [1.0, math.inf, math.nan, fractions.Fraction(1, 2), decimal.Decimal("inf")])
def test_the_mean_of_values_and_floats_by_statistics_is_a_type_error(other: Any) -> None:
    v = Value(1.0)
    for xs in ([v, v, other], [other, v, v], [v, other, v]):
        with pytest.raises(TypeError):
            statistics.mean(xs)


AROUND = [statistics.variance, statistics.stdev, statistics.pvariance, statistics.pstdev]


@pytest.mark.parametrize("call", [
    *AROUND, *[functools.update_wrapper(lambda xs, f=f: f(xs, 2), f) for f in AROUND],
    statistics.harmonic_mean, statistics.NormalDist.from_samples, statistics.fmean, statistics.geometric_mean,
    math.fsum, lambda xs: math.hypot(*xs), lambda xs: math.dist(xs, xs)], ids=lambda f: f.__name__)
@pytest.mark.parametrize("rest", [[], [1.0], [2]])
def test_what_reads_numbers_alone_is_refused_and_no_gradient_is_lost(call: Any, rest: Any) -> None:
    with pytest.raises(TypeError, match="would lose its gradient"):
        call([Value(1.0), Value(2.0), *rest])


@pytest.mark.parametrize("one", [2, True])
def test_the_mean_of_values_and_ints_by_statistics_is_refused(one: Any) -> None:
    v = Value(1.0)
    for xs in ([v, v, one], [one, v, v], [v, one, v]):
        with pytest.raises(ag.InputError, match=r"use autograd_lite\.mean\(xs\)"):
            statistics.mean(xs)
    with pytest.raises(TypeError):
        ag.compile(lambda x, n: statistics.mean([x, n]))(1.0, 2)


def test_the_functions_of_the_standard_library_that_only_compare_and_add_work() -> None:
    xs = [Value(3.0), Value(1.0), Value(2.0)]
    assert sum(xs).data == 6.0 and math.prod(xs).data == 6.0 and max(xs) is xs[0]
    assert statistics.median(xs) is xs[2] and statistics.median_high(xs[:2]) is xs[0]
    assert (fractions.Fraction(1, 2) * xs[0]).data == 1.5
    for call in (lambda: decimal.Decimal(1) * xs[0], lambda: decimal.Decimal(xs[0]),
                 lambda: fractions.Fraction(xs[0]), lambda: xs[0].as_integer_ratio()):
        with pytest.raises(TypeError):
            call()
    assert "as_integer_ratio" not in dir(xs[0])


def cube(x: Any) -> Any:
    return x ** 3


@pytest.mark.parametrize("make", [
    ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian, ag.derivative, ag.compile,
    lambda f: ag.grad(ag.grad(f)), lambda f: ag.compile(ag.grad(f))])
def test_functions_made_by_the_transforms_can_be_pickled(make: Any) -> None:
    f = make(cube)
    again = pickle.loads(pickle.dumps(f))
    assert again(2.0) == f(2.0)
