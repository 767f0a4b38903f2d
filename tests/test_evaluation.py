"""`evaluate`: the recorded graph, and its derivatives, in other numbers."""
from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import Any

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import iv, mp

import autograd_lite as ag
from autograd_lite import Value, evaluate
from autograd_lite.ops.op import TABLE, Op
from autograd_lite.ops.constants import Constant
from autograd_lite.transforms.kinds import kind_of
from truth import partial


reals = st.floats(-1e3, 1e3, allow_subnormal=False)
exact = st.builds(Fraction, st.integers(-99, 99), st.integers(1, 99))


@pytest.fixture(autouse=True)
def precision() -> Any:
    """60 digits, also in intervals."""
    before = iv.dps
    iv.dps = 60
    with mp.workdps(60):
        yield
    iv.dps = before


# -- exactly: fractions -------------------------------------------------------------------

polynomials = st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 4)), reals, min_size=1, max_size=6)
Polynomial = dict[tuple[int, int], Fraction]


def written(polynomial: dict[tuple[int, int], float], x: Any, y: Any) -> Any:
    """The polynomial in operators, the powers of x and of y each in another way."""
    total = (x - x) + (y - y)
    for (i, j), c in polynomial.items():
        total = total + c * x ** i * reduce(lambda product, _: product * y, range(j), 1.0) / 7.0
    return total


def at(polynomial: Polynomial, x: Fraction, y: Fraction) -> Fraction:
    return sum((c * x ** i * y ** j for (i, j), c in polynomial.items()), Fraction(0))


def by_hand(polynomial: Polynomial, variable: int) -> Polynomial:
    """The derivative by the power rule, in fractions."""
    found = {}
    for (i, j), c in polynomial.items():
        k = (i, j)[variable]
        if k:
            found[(i - 1, j) if variable == 0 else (i, j - 1)] = c * k
    return found


@settings(max_examples=60, deadline=None)
@given(polynomials, reals, reals, exact, exact)
def test_a_polynomials_derivatives_are_exact_in_fractions(
        polynomial: dict[tuple[int, int], float], a: float, b: float, new_a: Fraction,
        new_b: Fraction) -> None:
    p = {powers: Fraction(c) / 7 for powers, c in polynomial.items()}
    x, y = Value(a, "x"), Value(b, "y")
    f = written(polynomial, x, y)
    for inputs, u, v in [({}, Fraction(a), Fraction(b)), ({"x": new_a, y: new_b}, new_a, new_b)]:
        assert evaluate(f, inputs, Fraction) == at(p, u, v)
        assert evaluate(f, inputs, Fraction, wrt=[x, "y"]) == [at(by_hand(p, i), u, v) for i in (0, 1)]
        assert evaluate(f, inputs, Fraction, wrt=["x", y], order=2) == [
            [at(by_hand(by_hand(p, i), k), u, v) for k in (0, 1)] for i in (0, 1)]


@settings(max_examples=60, deadline=None)
@given(st.lists(reals, min_size=3, max_size=6), reals)
def test_a_gradient_recorded_as_a_graph_is_exact_where_no_constants_meet_in_it(
        coefficients: list[float], a: float) -> None:
    def horner(t: Any) -> Any:
        return reduce(lambda total, c: total * t + c, coefficients)

    x = Value(a, "x")
    n = len(coefficients) - 1
    slopes = [Fraction(c) * (n - i) for i, c in enumerate(coefficients[:-1])]
    gradient = ag.grad(lambda t: horner(t))(x)
    assert evaluate(gradient, number=Fraction) == reduce(lambda total, c: total * Fraction(a) + c, slopes)
    curvature = ag.grad(ag.grad(lambda t: horner(t)))(x)
    slopes = [c * (n - 1 - i) for i, c in enumerate(slopes[:-1])]
    assert evaluate(curvature, number=Fraction) == reduce(lambda total, c: total * Fraction(a) + c, slopes)


def test_a_mean_has_its_exact_share_also_in_a_recorded_gradient() -> None:
    x = Value(3.0, "x")
    gradient = ag.grad(lambda t: ag.mean([t, t * t, 2.0]))(x)
    assert evaluate(gradient, number=Fraction) == Fraction(7, 3)
    assert evaluate(ag.mean([x, x * x, 2.0]), number=Fraction, wrt=x) == Fraction(7, 3)


@pytest.mark.parametrize("f, answer", [
    (lambda x: ag.maximum(x, 0.25) + ag.minimum(x, 0.25), Fraction(0.1) + Fraction(1, 4)),
    (lambda x: ag.relu(x) - ag.relu(-x) + abs(-x), 2 * Fraction(0.1)),
    (lambda x: ag.leaky_relu(-x), Fraction(0.01) * -Fraction(0.1)),
    (lambda x: 1.0 // x, Fraction(9)),
    (lambda x: 1.0 % x, 1 - 9 * Fraction(0.1)),
    (lambda x: x ** -2, 1 / Fraction(0.1) ** 2),
    (lambda x: ag.dot([x, 2.0], [x, x], 0.5), Fraction(0.1) ** 2 + 2 * Fraction(0.1) + Fraction(1, 2)),
    (lambda x: ag.sum([x] * 10, exact=True) - ag.sum([x] * 10), Fraction(0)),
    (lambda x: ag.stop_gradient(x), Fraction(0.1)),
    (lambda x: ag.exp2(x / x), Fraction(2)),
])
def test_the_rational_rows_are_exact(f: Callable[[Value], Value], answer: Fraction) -> None:
    found = evaluate(f(Value(0.1)), number=Fraction)
    assert type(found) is Fraction and found == answer


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "tanh", "sigmoid", "gauss", "digamma", "hypot"])
def test_a_fraction_is_refused_by_what_is_not_rational(name: str) -> None:
    x = Value(0.5, "margin")
    y = TABLE[name](*[x] * (2 if name == "hypot" else 1))
    called = "erf" if name == "gauss" else name             # (gauss is not public)
    with pytest.raises(TypeError, match=rf"{called}\(1/2.*'margin'.*use number=mpmath.mpf"):
        evaluate(y, number=Fraction)


def test_a_derivative_that_is_not_rational_is_refused_though_the_value_is() -> None:
    x = Value(3.0, "x")
    assert evaluate(2.0 ** x, number=Fraction) == 8
    with pytest.raises(ag.InputError, match=r"the derivative of 2 \*\* 3.*use number=mpmath.mpf"):
        evaluate(2.0 ** x, number=Fraction, wrt=x)
    with pytest.raises(ag.InputError, match="no exact rational value"):
        evaluate(x ** 0.5, number=Fraction)


# -- to any number of digits: mpmath ---------------------------------------------------------

POINTS: dict[str, tuple[float, ...]] = {
    "acosh": (1.7,), "log": (0.7,), "log2": (0.7,), "log10": (0.7,), "sqrt": (0.7,), "lgamma": (2.3,),
    "digamma": (2.3,), "polygamma": (2.0, 1.3), "**": (1.3, 2.7), "power_slope": (1.3, 2.7, 2.0, 1.0),
    "%": (7.3, 2.1), "//": (7.3, 2.1), "gauss": (0.7, 3.0), "normal_pdf": (0.7, 2.0), "relu": (0.3,)}
ELSEWHERE: dict[str, tuple[float, ...]] = {
    "tanh": (19.0,), "sigmoid": (40.0,), "erfc": (12.0,), "gelu": (-9.0,), "lgamma": (-1.5,),
    "digamma": (-1.5,), "**": (-1.5, 3.0), "atan2": (0.5, -2.0), "cbrt": (-8.0,), "log_sigmoid": (-500.0,),
    "softplus": (800.0,), "asin": (0.9999999999999,), "elu": (-3.0,), "leaky_relu": (-3.0,)}


def operands_of(row: Op, point: tuple[float, ...]) -> tuple[list[Any], list[int]]:
    """Values where the row can be differentiated, plain numbers elsewhere; and the places of the Values."""
    places = [i for i in range(len(point)) if i not in row.options]
    if row.name == "**" and point[0] < 0.0:
        places = [0]
    return [Value(x, f"x{i}") if i in places else x for i, x in enumerate(point)], places


CASES = [pytest.param(row, point, id=f"{name}{point}") for name, row in TABLE.items() if row.form for point in
         [POINTS.get(name, (0.3, -0.6, 1.7, 0.4)[:4 if row.open else row.most]),
          *([ELSEWHERE[name]] if name in ELSEWHERE else [])]]


@pytest.mark.parametrize("row, point", CASES)
def test_a_rows_form_and_its_partials_are_the_truth_to_45_digits(row: Op, point: tuple[float, ...]) -> None:
    xs, places = operands_of(row, point)
    y = row(*xs)
    sources = [xs[i] for i in places]
    value = evaluate(y, number=mpmath.mpf)
    gradient = evaluate(y, number=mpmath.mpf, wrt=sources)
    hessian = evaluate(y, number=mpmath.mpf, wrt=sources, order=2)
    recorded = [ag.grad(row, argnums=i)(*xs) for i in places]

    def agree(ours: Any, *by: int) -> bool:
        with mp.workdps(100):
            true = partial(row.name, point, by).value
            return bool(abs(ours - true) <= mp.mpf(10) ** -45 * max(abs(true), abs(value) * 1e-9))

    assert agree(value) and abs(value - y.data) <= 2e-15 * abs(y.data)
    for i, g, row_of_hessian, again in zip(places, gradient, hessian, recorded, strict=True):
        assert agree(g, i)
        assert all(agree(h, i, k) for k, h in zip(places, row_of_hessian, strict=True))
        assert abs(evaluate(again, number=mpmath.mpf) - g) <= mp.mpf(10) ** -55 * abs(g)


def test_a_partial_wrong_by_one_part_in_10_to_the_30_is_seen() -> None:
    good = TABLE["sin"]
    tilt = 1 + mp.mpf(10) ** -30
    wrong = Op("sin", good.forward, (lambda y, x: ag.cos(x) * Constant(1.0, lambda m: tilt),),
               form=good.form)
    x = Value(0.7)
    found = evaluate(wrong(x), number=mpmath.mpf, wrt=x)
    assert found != mp.cos(x.data) and abs(found - mp.cos(x.data)) < 1e-29
    assert evaluate(good(x), number=mpmath.mpf, wrt=x) == mp.cos(x.data)


def test_the_digits_are_those_of_workdps() -> None:
    x = Value(2.0)
    for digits in (20, 50, 200):
        with mp.workdps(digits):
            found = evaluate(ag.sqrt(x), number=mpmath.mpf)
        with mp.workdps(digits + 20):
            assert mp.mpf(10) ** -(digits + 10) < abs(found - mp.sqrt(2)) < mp.mpf(10) ** -digits


def test_a_context_of_its_own_keeps_its_own_precision() -> None:
    context = mpmath.MPContext()
    context.dps = 30
    assert evaluate(ag.exp(Value(1.0)), number=context.mpf) == context.exp(1)


def test_where_double_precision_underflows_other_numbers_do_not() -> None:
    x = Value(1000.0, "x")
    assert evaluate(ag.tanh(x), wrt=x) == 0.0
    assert evaluate(ag.tanh(x), number=mpmath.mpf, wrt=x) == mp.sech(1000) ** 2 > 0


# -- intervals -------------------------------------------------------------------------------


@pytest.mark.parametrize("row, point", CASES)
def test_an_interval_holds_the_values_and_the_derivatives_at_its_points(
        row: Op, point: tuple[float, ...]) -> None:
    xs, places = operands_of(row, point)
    sources = [xs[i] for i in places]
    wide = {x: iv.mpf([x.data - 2.0 ** -20, x.data + 2.0 ** -20]) for x in sources}
    y = row(*xs)
    try:
        held = [evaluate(y, wide, iv.mpf), *evaluate(y, wide, iv.mpf, wrt=sources)]
    except ag.DomainError:
        assert row.name in ("lgamma", "digamma") and point[0] < 0.0 or row.name == "asin" and point[0] > 0.9
        return
    draw = random.Random(row.name)
    for _ in range(5):
        inputs = {x: mp.mpf(x.data) + draw.choice((-1, 1, draw.uniform(-1, 1))) * mp.mpf(2) ** -20
                  for x in sources}
        with mp.workdps(90):                     # so that its own rounding is out of the way
            found = [evaluate(y, inputs, mpmath.mpf), *evaluate(y, inputs, mpmath.mpf, wrt=sources)]
        for n, interval in zip(found, held):
            assert n in interval
            assert interval.delta < 1e-3 * (1 + abs(n)) or row.name in ("power_slope", "gauss")


@settings(max_examples=60, deadline=None)
@given(st.floats(-3, 3), st.floats(0, 2), st.floats(0, 1), st.sampled_from(
    ["relu", "leaky_relu", "abs", "gelu", "silu", "erf", "tanh", "cosh", "sech2", "sin", "atan", "elu"]))
def test_an_interval_across_0_holds_the_values_too(low: float, width: float, t: float, name: str) -> None:
    x = Value(0.0)
    n = min(low + t * width, low + width)
    held = evaluate(TABLE[name](x), {x: [low, low + width]}, iv.mpf)
    with mp.workdps(90):
        assert evaluate(TABLE[name](x), {x: n}, mpmath.mpf) in held


def test_constants_of_an_interval_computation_are_the_doubles_and_rounding_is_outward() -> None:
    x = Value(1.0, "x")
    third = evaluate(x / 3.0, number=iv.mpf)
    assert third.a < third.b and iv.mpf(1) / 3 in third
    pi = evaluate(ag.acos(-x), number=iv.mpf)
    with mp.workdps(90):
        assert pi.a < +mp.pi < pi.b
    assert pi.delta < mp.mpf(10) ** -55


@pytest.mark.parametrize("f, low, high, wrt, reason", [
    (ag.log, -1.0, 2.0, False, "must be positive"),
    (lambda x: 1.0 / x, -1.0, 2.0, False, "must not be 0"),
    (ag.tan, 1.0, 2.0, False, "tan"),
    (ag.acosh, 0.5, 2.0, False, "at least 1"),
    (ag.lgamma, -0.5, 2.0, False, "lgamma"),
    (ag.digamma, -1.5, -0.5, False, "digamma"),
    (lambda x: ag.atan2(x, x - 1.0), -1.0, 0.5, False, "atan2"),
    (ag.relu, -1.0, 2.0, True, "kink within the interval"),
    (abs, 0.0, 2.0, True, "kink within the interval"),
    (lambda x: ag.maximum(x, 1.0), 0.5, 2.0, True, "kink within the interval"),
    (ag.sqrt, 0.0, 2.0, True, "infinite at 0"),
    (ag.cbrt, -1.0, 2.0, True, "cbrt"),
])
def test_an_interval_that_leaves_the_domain_or_holds_a_kink_is_refused(
        f: Callable[[Value], Value], low: float, high: float, wrt: bool, reason: str) -> None:
    x = Value(1.5, "x")
    with pytest.raises(ag.DomainError, match=reason):
        evaluate(f(x), {x: iv.mpf([low, high])}, iv.mpf, wrt=x if wrt else None)


@pytest.mark.parametrize("low, high", [(-1.6, -1.4), (-0.9, -0.1), (-20.5, -20.4), (0.1, 9.0)])
def test_digamma_of_an_interval_between_two_poles_goes_from_end_to_end(low: float, high: float) -> None:
    held = evaluate(ag.digamma(Value(low, "x")), {"x": iv.mpf([low, high])}, iv.mpf)
    with mp.workdps(90):
        assert mp.digamma(low) in held and mp.digamma(high) in held
        assert held.delta < 1e-12 + mp.digamma(high) - mp.digamma(low)


def test_a_power_of_an_interval_across_0_has_its_derivatives() -> None:
    x = Value(1.0)
    wide = {x: iv.mpf([-1, 2])}
    assert evaluate(x ** 2, wide, iv.mpf) == iv.mpf([0, 4])
    assert evaluate(x ** 2, wide, iv.mpf, wrt=x) == iv.mpf([-2, 4])
    assert evaluate(x ** 3, wide, iv.mpf, wrt=x, order=2) == iv.mpf([-6, 12])


# -- floats -----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(reals, reals, reals, reals)
def test_in_floats_it_is_the_program_run_again(a: float, b: float, c: float, d: float) -> None:
    def f(x: Any, y: Any) -> Any:
        return ag.dot([x, ag.tanh(y)], [y, ag.relu(x - y)], 0.3) / (2.0 + ag.sin(x) * abs(y)) - x ** 3

    x, y = Value(a, "x"), Value(b, "y")
    root = f(x, y)
    assert evaluate(root) == root.data
    assert evaluate(root, {x: c, "y": d}) == f(c, d)
    root = f(Value(c), Value(d))
    x, y = root.operands[0].operands[0].operands[0], root.operands[0].operands[0].operands[2]
    root.backward()
    assert evaluate(root, wrt=[x, y]) == pytest.approx([x.grad, y.grad], rel=1e-9, abs=1e-9)


def test_a_derivative_takes_the_branch_of_the_new_point_and_so_does_a_recorded_gradient() -> None:
    x = Value(3.0, "x")
    assert evaluate(ag.relu(x) * x, {x: -2.0}, wrt=x) == 0.0
    assert evaluate(ag.grad(lambda t: ag.relu(t) * t)(x), {x: -2.0}) == 0.0


def test_a_structure_comes_back_as_it_went_in() -> None:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    assert evaluate({"a": [x * y, 0.5], "b": (x,)}, {x: 5}) == {"a": [15.0, 0.5], "b": (5.0,)}
    assert evaluate([x * y, x, 0.5], wrt=[x, y]) == [[3.0, 2.0], [1.0, 0.0], [0.0, 0.0]]
    assert evaluate([x * y, x], wrt="y") == [2.0, 0.0]


def test_the_derivative_by_an_interior_node_is_taken_too() -> None:
    x = Value(2.0, "x")
    h = x * x
    ag.label(h=h)
    assert evaluate(h * h + x, number=Fraction, wrt=[h, x]) == [8, 33]


def test_an_error_of_a_derivative_names_the_label_whatever_number_was_recorded() -> None:
    for recorded in (0.0, 4.0):
        x = Value(recorded, "x")
        with pytest.raises(ag.DomainError, match=r"sqrt\(0\.0\) of 'x'") as caught:
            evaluate(ag.sqrt(x), {x: 0.0}, wrt=x)
        assert caught.value.nodes == (x,)


def test_a_zero_gradient_stops_at_a_derivative_that_is_infinite() -> None:
    x = Value(1.0, "x")
    for number in (float, mpmath.mpf):
        assert evaluate(0.0 * ag.sqrt(x * x), {x: 0}, number, wrt=x) == 0
        with ag.record_lines():
            distance = ag.sqrt(x * x)
        with pytest.raises(ag.DomainError, match=r"derivative of sqrt\(0.*use abs") as caught:
            evaluate(distance, {x: 0}, number, wrt=x)
        assert caught.value.line == distance.line is not None
        assert caught.value.nodes == distance.operands


def test_a_deep_chain_a_diamond_and_a_wide_sum_are_no_trouble() -> None:
    x = Value(0.5, "x")
    chain = x
    for _ in range(10_000):
        chain = chain + x
    assert evaluate(chain, number=Fraction) == Fraction(10_001, 2)
    assert evaluate(chain, wrt=x) == 10_001.0
    diamond = x
    for _ in range(1000):
        diamond = diamond + diamond
    assert evaluate(diamond, {x: Fraction(1, 3)}, Fraction, wrt=x) == 2 ** 1000
    assert evaluate(ag.sum([x] * 10_000), number=Fraction, wrt=x) == 10_000


# -- what it refuses --------------------------------------------------------------------------


@pytest.mark.parametrize("inputs, number, error, reason", [
    ({"z": 1.0}, float, ag.LabelError, "no node is labelled 'z'"),
    ({"y": 1.0}, float, ag.LabelError, "only a leaf"),
    (3, float, ag.InputError, "inputs is a dict {label or leaf: number}, got int 3"),
    ({3: 1.0}, float, ag.InputError, "neither a label nor a Value"),
    ({"x": "ten"}, mpmath.mpf, ag.InputError, "'x'.*'ten' is not a real number"),
    ({"x": 1j}, mpmath.mpf, ag.InputError, "1j is not a real number"),
    ({"x": math.nan}, Fraction, ag.InputError, "nan is not a rational number"),
    ({"x": None}, float, ag.InputError, "None is not a real number"),
    ({"x": 1j}, iv.mpf, ag.InputError, "1j is not an interval"),
    ({"x": -1}, float, ag.DomainError, "must be positive"),
    ({"x": -1}, mpmath.mpf, ag.DomainError, r"log\(-1.0\) of 'x': the operand must be positive"),
    ({"x": 0}, mpmath.mpf, ag.DomainError, "must be positive"),
    ({}, int, ag.InputError, "choose float, fractions.Fraction"),
    ({}, complex, ag.InputError, "choose float, fractions.Fraction"),
])
def test_what_cannot_be_evaluated_is_refused_by_name(
        inputs: Any, number: Any, error: type[Exception], reason: str) -> None:
    y = ag.log(Value(2.0, "x"))
    ag.label(y=y)
    with pytest.raises(error, match=reason):
        evaluate(y, inputs, number)


@pytest.mark.parametrize("f, reason", [(lambda x: (x - 9.0) ** (x / 3.0), "negative base"),
                                       (lambda x: x ** -1, r"0 \*\* -1"), (lambda x: 1.0 % x, "divisor")])
def test_a_power_is_real_or_refused(f: Callable[[Value], Value], reason: str) -> None:
    x = Value(9.0, "x")
    inputs = {x: 1} if reason == "negative base" else {x: 0}
    with pytest.raises(ag.DomainError, match=reason):
        evaluate(f(x), inputs, mpmath.mpf)


def test_an_order_that_is_no_whole_number_is_refused() -> None:
    x = Value(3.0, "x")
    assert [evaluate(x ** 3, number=Fraction, wrt=x, order=n) for n in range(5)] == [27, 27, 18, 6, 0]
    for order in (-1, 1.5):
        with pytest.raises(ag.InputError, match=f"evaluate: the order must be .*, not {order}"):
            evaluate(x * x, wrt=x, order=order)  # type: ignore[arg-type]


def test_a_node_outside_the_graph_is_refused() -> None:
    with pytest.raises(ag.LabelError, match="not in the graph"):
        evaluate(Value(1.0) * 2.0, wrt=Value(1.0))


def test_a_row_without_a_form_says_so() -> None:
    row = Op("twice", lambda x: 2.0 * x, (lambda y, x: 2.0,))
    x = Value(1.5, "x")
    assert evaluate(row(x)) == 3.0
    for number in (Fraction, mpmath.mpf, iv.mpf):
        with pytest.raises(ag.InputError, match=r"twice\(.*of 'x': twice"):
            evaluate(row(x), number=number)


def test_an_op_of_ones_own_is_evaluated_by_its_form_within_its_domain() -> None:
    cosine_integral = ag.custom_op(
        lambda x: float(mp.ci(x)), (lambda y, x: ag.cos(x) / x,), name="cosine_integral",
        domain=lambda x: x > 0, remedy="the operand must be positive", form=lambda m, x: m.ci(x))
    x = Value(2.0, "x")
    y = cosine_integral(x)
    assert evaluate(y, number=mpmath.mpf) == mp.ci(2)
    assert evaluate(y, number=mpmath.mpf, wrt=x) == mp.cos(2) / 2
    with pytest.raises(ag.DomainError, match=r"cosine_integral\(-1.0\) of 'x': the operand must be positive"):
        evaluate(y, {x: -1}, mpmath.mpf)
    with pytest.raises(ag.InputError, match="cosine_integral is not written for intervals"):
        evaluate(y, number=iv.mpf)
    del TABLE["cosine_integral"]


def test_mpmath_is_loaded_only_when_it_is_asked_for() -> None:
    program = ("import sys, autograd_lite as ag; from fractions import Fraction; x = ag.Value(2.0); "
               "assert ag.evaluate(x * x, number=Fraction, wrt=x) == 4; assert 'mpmath' not in sys.modules")
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", ["exp2", "log2", "log10", "erf", "erfc", "normal_pdf"])
def test_derivatives_in_doubles_use_the_nearest_doubles_of_the_rules_constants(name):
    x = Value(0.7, "x")
    y = TABLE[name](x)
    assert abs(evaluate(y, wrt="x") / ag.grad(TABLE[name])(0.7) - 1.0) < 1e-15
    assert math.isfinite(evaluate(y, wrt=x, order=2))


def test_a_derivative_by_what_is_no_node_is_refused():
    with pytest.raises(ag.InputError, match="1.0 is neither a label nor a Value"):
        evaluate(Value(1.0) * 2.0, wrt=1.0)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_polygamma_far_below_0_is_the_same_by_reflection(n):
    y = ag.polygamma(n, Value(-60.7, "x"))
    with mpmath.workdps(40):
        truth = mpmath.polygamma(n, mpmath.mpf(-60.7))
        assert abs(evaluate(y, number=mpmath.mpf) - truth) < abs(truth) * mpmath.mpf(10) ** -36


# -- intervals enclose --------------------------------------------------------------------------

SMALL = st.floats(-4.0, 4.0) | st.sampled_from([0.0, 1.0, -1.0, 3.4585, math.pi, math.nextafter(1.0, 2.0),
                                                math.nextafter(1.0, 0.0), 1.4616321449683623, 1e-8, 1e-300])
ANY = SMALL | st.floats(-700.0, 700.0) | st.floats(allow_nan=False, allow_infinity=False)
COUNTS = {"polygamma": {0}, "gauss": {1}, "normal_pdf": {1}, "power_slope": {2, 3}}
WIDTHS = st.sampled_from([0.0, 0.0, 2.0 ** -52, 1e-9, 0.1])


def ends(interval: Any) -> list[Any]:
    return [mp.make_mpf(end) for end in interval._mpi_]


@settings(max_examples=1500, deadline=None)
@given(st.data(), st.sampled_from([name for name, op in TABLE.items() if op.form and not op.chooses]),
       st.sampled_from([15, 24, 53, 100]), st.integers(0, 2))
def test_an_interval_encloses_the_value_and_the_derivatives_at_each_of_its_points(
        data: Any, name: str, bits: int, order: int) -> None:
    op = TABLE[name]
    n = data.draw(st.integers(2, 4)) if op.open else int(op.most)
    reals = SMALL if name in ("polygamma", "digamma", "lgamma", "power_slope", "//", "%") else ANY
    xs, held, inside = list[Any](), dict[Any, Any](), dict[Any, Any]()
    for i in range(n):
        if i in COUNTS.get(name, ()):
            xs.append(float(data.draw(st.integers(0, 3))))
            continue
        low = data.draw(reals)
        xs.append(low if i in op.options else Value(low))
        if i not in op.options:
            high = min(low + data.draw(WIDTHS) * abs(low), 1.7e308) if abs(low) < 1.7e308 else low
            held[xs[-1]] = iv.mpf([low, high])
            with mp.workprec(2600):
                inside[xs[-1]] = low + (mp.mpf(high) - low) * data.draw(st.sampled_from([0.0, 0.3, 1.0]))
    with ag.errstate("ignore"):
        y = op(*xs)
    wrt, before = list(held) if order else None, iv.prec
    try:
        iv.prec = bits
        found = evaluate(y, held, iv.mpf, wrt=wrt, order=max(order, 1))
    except ag.NumericError:                     # (it leaves the domain, or holds a kink)
        return
    finally:
        iv.prec = before
    with mp.workprec(2600):
        points = evaluate(y, inside, mpmath.mpf, wrt=wrt, order=max(order, 1))
    for interval, point in zip(numbers_in(found), numbers_in(points), strict=True):
        low, high = ends(interval)
        assert low <= point <= high


def numbers_in(found: Any) -> list[Any]:
    """The numbers of nested lists."""
    return [n for part in found for n in numbers_in(part)] if isinstance(found, list) else [found]


@pytest.mark.parametrize("f, low, high, bits", [
    (ag.exp, 3.4585, 3.4585, 53), (ag.log, 1.0 + 2.0 ** -52, 1.0 + 2.0 ** -52, 53),
    (ag.exp, 1e-12, 1e-12, 24), (lambda x: x // 1e-9, 4e245, 4e245, 100),
    (lambda x: x % 4.663832989883414e+42, 1.0881e241, 1.0881e241, 100),
    (ag.normal_cdf, -2417.557902800925, -2417.557902800925, 100), (ag.lgamma, 1.2, 1.7, 300),
    (ag.acosh, 1.0 + 2.0 ** -52, 1.0 + 2.0 ** -52, 15), (lambda x: x ** 0.7, 3e300, 3e300, 24),
    (lambda x: 1.0000000000000002 ** (x + 0.5), 3e18, 3e18, 53)])
def test_where_mpmaths_own_interval_does_not_enclose_ours_does(
        f: Callable[[Value], Value], low: float, high: float, bits: int) -> None:
    x = Value(low)
    y, before = f(x), iv.prec
    try:
        iv.prec = bits
        held = evaluate(y, {x: iv.mpf([low, high])}, iv.mpf)
    finally:
        iv.prec = before
    with mp.workprec(3000):
        points = [mp.mpf(low), mp.mpf(high), *([mp.findroot(mp.digamma, 1.46)] if low < 1.46 < high else [])]
        assert all(ends(held)[0] <= evaluate(y, {x: p}, mpmath.mpf) <= ends(held)[1] for p in points)
        thin = held.delta <= 0.1 or abs(held.delta) <= abs(ends(held)[0]) * mp.mpf(2) ** (4 - bits)
        assert thin or y.op in ("%", "**")      # (rounding an operand outward costs them more)


def test_the_order_of_a_family_of_derivatives_is_a_whole_number_that_is_not_huge() -> None:
    for name, operands in [("normal_pdf", (2.0, 0.5)), ("normal_pdf", (90.0, 0.5)), ("gauss", (0.0, -1.0)),
                           ("gauss", (0.0, 1e16)), ("polygamma", (1e16, 2.0)), ("polygamma", (0.5, 2.0))]:
        with pytest.raises(ag.DomainError, match="n must be a whole number, from 0 to 1000"):
            TABLE[name](*operands)
        if name == "polygamma":
            with ag.errstate("ignore"):
                y = TABLE[name](operands[0], Value(operands[1]))
                assert mpmath.isnan(evaluate(y, number=mpmath.mpf))
            with pytest.raises(ag.DomainError, match="n must be a whole number, from 0 to 1000"):
                evaluate(y, number=mpmath.mpf)


def test_a_slope_of_a_power_that_leaves_the_range_is_an_error_of_ours() -> None:
    for operands in [(0.0, 0.0, 0.0, 100.0), (5e-324, 0.5, 100.0, 100.0), (0.0, 0.0, 0.0, 3.0)]:
        with pytest.raises(ag.NumericError, match="power_slope|derivative"):
            TABLE["power_slope"](*operands)


@pytest.mark.parametrize("number", [float, mpmath.mpf])
@pytest.mark.parametrize("f", [lambda x, y: x + ag.log(y), lambda x, y: ag.dot([x, x], [x, ag.sqrt(y)])])
def test_an_operand_that_is_undefined_is_the_error_wherever_it_stands(f, number):
    x, y = Value(1.0, "x"), Value(2.0, "y")
    with pytest.raises(ag.DomainError, match="^(log|sqrt)"):
        evaluate(f(x, y), {"y": -1}, number)


def test_a_long_fraction_is_shown_as_a_float():
    kind = kind_of(Fraction)
    assert kind.show(Fraction(123456, 12345679)) == "123456/12345679"
    assert kind.show(Fraction(1234567, 12345679)) == repr(1234567 / 12345679)


def test_a_derivative_whose_constant_is_no_fraction_is_refused_though_the_value_is_one():
    x = Value(1.0)
    y = ag.exp2(x)
    assert evaluate(y, {x: Fraction(-3)}, Fraction) == Fraction(1, 8)
    with pytest.raises(ag.InputError, match=r"the derivative of exp2\(-3\): its constant 0.693147 has no "
                                            "exact rational value; use number=mpmath.mpf"):
        evaluate(y, {x: Fraction(-3)}, Fraction, wrt=x)
