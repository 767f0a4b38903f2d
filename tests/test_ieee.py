"""What infinite and missing operands give, and `errstate("ignore")`: IEEE 754 all through.

At an infinite operand a partial is its limit, found here by mpmath far out; at a nan it is nan if it depends
on that operand.
"""
from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import autograd_lite as ag
from autograd_lite import Value, errstate, evaluate
from autograd_lite.graph.node import stored_partials
from autograd_lite.ops.op import TABLE, Op
from truth import OURS, mpmath, partials

mpf = mpmath.mpf
SMOOTH = [name for name in TABLE if name in OURS and any(TABLE[name].differentiable(2))
          and not TABLE[name].chooses]


def same(a: float, b: float) -> bool:
    return a == b or a != a and b != b


def free(op: Op, n: int) -> list[int]:
    return [i for i, has in enumerate(op.differentiable(n)) if has]


def operands(name: str, numbers: Sequence[float]) -> Iterator[tuple[float, ...]]:
    """Operands of an op, of these numbers; options as they may be."""
    op = TABLE[name]
    n = 3 if op.open and "dot" not in name else 4 if op.open else op.least
    options = (0.0, 1.0, 2.0)
    for xs in itertools.product(*[numbers if i in free(op, n) else options for i in range(n)]):
        if not op.open or sum(not math.isfinite(x) for x in xs) < 2:
            yield xs


def defined(op: Op, xs: Sequence[float]) -> bool:
    try:
        return not math.isnan(op.evaluate(xs))
    except ag.NumericError:
        return False


# -- infinite operands ----------------------------------------------------------------------------


def settled(ys: Sequence[Any]) -> float | None:
    """What numbers tend to; None if they do not, or slowly."""
    a, b = ys[-2:]
    if not (mpmath.isfinite(a) and mpmath.isfinite(b)):
        return None
    if abs(b) <= min(abs(a), mpf(10) ** -50):
        return 0.0
    if abs(b) > 100 and abs(b) >= 3 * abs(a) and a * b > 0:
        return math.copysign(inf, mpmath.sign(b))
    return float(b) if abs(a - b) <= mpf(10) ** -8 * abs(b) else None


def limit(name: str, xs: Sequence[float], by: Sequence[int]) -> float | None:
    """The derivative's limit as the infinite operands grow, in whatever proportion; None if there is none."""
    found = []
    for way in [(1, 1), (2, 1), (1, 2)][:3 if sum(map(math.isinf, xs)) > 1 else 1]:
        ys = []
        for digits in (8, 32, 128):
            powers = iter(way)
            at: list[Any] = [mpmath.sign(x) * mpf(10) ** (digits * next(powers)) if math.isinf(x) else mpf(x)
                             for x in xs]
            try:
                ys.append(partials(name, at, by)[-1].value)
            except (ValueError, ZeroDivisionError):         # a pole
                return None
        found.append(None if any(isinstance(y, mpmath.mpc) for y in ys) else settled(ys))
    return found[0] if len(set(found)) == 1 else None


def infinite(name: str, *others: float) -> Iterator[tuple[float, ...]]:
    """Operands, some of them infinite, at which an op has a value and its partials may have limits."""
    for xs in operands(name, (inf, -inf, *others)):
        power = name in ("**", "power_slope") and xs[0] < 0.0 and math.isinf(xs[1])
        tie = name in ("maximum", "minimum") and xs[0] == xs[1]             # (½ each, by convention)
        if any(map(math.isinf, xs)) and defined(TABLE[name], xs) and not power and not tie:
            yield xs


@pytest.mark.parametrize("name", SMOOTH)
def test_at_an_infinite_operand_a_partial_is_its_limit(name: str) -> None:
    op, met = TABLE[name], 0
    for xs in infinite(name, 0.5, -2.0):
        for i in free(op, len(xs)):
            known = limit(name, xs, [i])
            if known is not None:
                nodes = [Value(x) if j == i else x for j, x in enumerate(xs)]
                y = op(*nodes)
                y.backward()
                found = [y.partials[i], nodes[i].grad,      # type: ignore[union-attr]
                         ag.grad(lambda *xs: op(*xs), i)(*xs)]
                assert found == pytest.approx([known] * 3, rel=1e-14), (xs, i)
                met += 1
    assert met or name in ("sin", "cos", "tan", "asin", "acos", "atanh", "%", "//")


def hessians(f: Callable[[Any], Any], x: float) -> list[float]:
    """The second derivative in every way."""
    v = Value(x, "x")
    return [ag.hessian(f)(x), ag.grad(ag.grad(f))(x), ag.hvp(f, (x,), (1.0,)), ag.derivative(f, 2)(x),
            2.0 * ag.taylor(f, x, 2)[2], evaluate(f(v), wrt=v, order=2),
            float(evaluate(f(v), {}, mpf, wrt=v, order=2)),
            ag.hessian(lambda p: f(p[0]), sparse=True)([x]).toarray()[0, 0]]


@pytest.mark.parametrize("name, x", [
    (name, x) for name in ("silu", "gelu", "elu", "softplus", "log_sigmoid", "sigmoid", "tanh", "sech2",
                           "atan", "asinh", "erf", "erfc", "gauss", "normal_pdf", "normal_cdf", "cbrt",
                           "leaky_relu")
    for x in (inf, -inf)] + [(name, inf) for name in ("log", "sqrt", "log1p", "lgamma", "digamma", "acosh")])
def test_so_are_its_higher_derivatives_in_every_way(name: str, x: float) -> None:
    op = TABLE[name]
    known = limit(name, [x], [0, 0])
    assert known == 0.0 == limit(name, [x], [0, 0, 0])
    assert hessians(op, x) == [0.0] * 8
    assert ag.derivative(op, 3)(x) == ag.grad(ag.grad(ag.grad(op)))(x) == 0.0


@pytest.mark.parametrize("name", ["hypot", "cos_angle", "over_square", "atan2", "logsumexp", "softmax"])
def test_so_are_the_second_derivatives_of_two_operands(name: str) -> None:
    for xs in [(inf, 1.0), (-2.0, inf), (-inf, 0.5), (0.0, -inf)]:
        found = ag.hessian(lambda p: TABLE[name](*p))(list(xs))
        known = [[limit(name, xs, [i, j]) for j in (0, 1)] for i in (0, 1)]
        assert found == known == [[0.0, 0.0], [0.0, 0.0]], xs


def test_an_inf_among_many_takes_all_of_a_softmax_and_leaves_its_slopes_0() -> None:
    xs = [Value(1.0), Value(inf), Value(-inf)]
    assert [y.data for y in ag.softmax(xs)] == [0.0, 1.0, 0.0] == ag.softmax([1.0, inf, -inf])
    y = ag.logsumexp(xs)
    y.backward()
    assert (y.data, [x.grad for x in xs]) == (inf, [0.0, 1.0, 0.0])


def test_silu_keeps_its_digits_around_the_numbers_where_its_rule_changes() -> None:
    for x in (-801.0, -799.5, -701.0, -700.0, 699.0, 701.0, 744.0, 800.5):
        known = partials("silu", [x], [0, 0])
        assert ag.grad(ag.silu)(x) == pytest.approx(float(known[1].value), rel=1e-15, abs=5e-324)
        assert ag.hessian(ag.silu)(x) == pytest.approx(float(known[2].value), rel=1e-13, abs=1e-320)


# -- missing operands -------------------------------------------------------------------------------


def depends(name: str, i: int, j: int, n: int) -> bool:
    """Whether the i-th partial depends on the j-th operand."""
    op = TABLE[name]
    if op.kink is not None:
        return True
    near = (0.6, 0.4, 2.0, 1.5) if name != "acosh" else (1.5,)
    at = [x if k in free(op, n) else 0.0 for k, x in zip(range(n), near)]
    return bool(partials(name, at, [i, j])[-1].value)


@pytest.mark.parametrize("mode", ["raise", "ignore"])
@pytest.mark.parametrize("name", SMOOTH)
def test_a_partial_that_depends_on_a_nan_is_nan_and_the_others_are_not(name: str, mode: Any) -> None:
    op = TABLE[name]
    for xs in operands(name, (nan, 0.5, 3.0)):
        if nan not in xs or any(math.isnan(x) for i, x in enumerate(xs) if i not in free(op, len(xs))):
            continue
        with errstate(mode):
            nodes = [Value(x) if i in free(op, len(xs)) else x for i, x in enumerate(xs)]
            y = op(*nodes)
            y.backward()
        for i in free(op, len(xs)):
            spoilt = any(math.isnan(x) and depends(name, i, j, len(xs)) for j, x in enumerate(xs))
            p = stored_partials(y)[i]
            assert p is not None and math.isnan(p) == spoilt, (xs, i, p)
            assert same(p, nodes[i].grad)       # type: ignore[union-attr]


# -- "ignore" ---------------------------------------------------------------------------------------

# A function, a point where a derivative of it is infinite, and a number inside its domain next to it.
EDGES: dict[str, tuple[Any, float, float]] = {
    **{name: (TABLE[name], 0.0, 1.0) for name in ("sqrt", "log", "log2", "log10", "lgamma", "digamma")},
    "log1p": (ag.log1p, -1.0, 1.0), "acosh": (ag.acosh, 1.0, 1.0),
    **{f"{name} at {x}": (TABLE[name], x, -x) for name in ("asin", "acos", "atanh") for x in (-1.0, 1.0)},
    **{f"x ** {b}": (lambda x, b=b: x ** b, 0.0, 1.0) for b in (0.5, 1.5, 2.5, -0.5, -1, -2, -3, 1 / 3)},
    "1 / x": (lambda x: 1.0 / x, 0.0, 1.0), "3 / x / x": (lambda x: 3.0 / x / x, 0.0, 1.0),
    "polygamma": (lambda x: ag.polygamma(2.0, x), 0.0, 1.0),
    "x - sqrt": (lambda x: x - ag.sqrt(x), 0.0, 1.0), "log sqrt": (lambda x: ag.log(ag.sqrt(x)), 0.0, 1.0)}


def one_sided(name: str, order: int) -> float:
    """The derivative as the point is neared from within the domain: mpmath's, at 1e-60 from it."""
    f, x, towards = EDGES[name]
    near = mpf(x) + mpf(towards) * mpf(10) ** -60
    with mpmath.workdps(200):
        y = evaluate(f(v := Value(0.5)), {v: near}, mpf, wrt=v, order=order)
    return float(y) if abs(y) < 1e25 and abs(y) > 1e-20 else math.copysign(0.0 if abs(y) < 1 else inf, y)


FIRST: dict[str, Callable[[Any, float], float]] = {
    "grad": lambda f, x: ag.grad(f)(x), "jvp": lambda f, x: ag.jvp(f, (x,), (1.0,))[1],
    "vjp": lambda f, x: ag.vjp(f, x)[1](1.0)[0], "jacobian": lambda f, x: ag.jacobian(f)(x),
    "derivative": lambda f, x: ag.derivative(f)(x), "taylor": lambda f, x: ag.taylor(f, x, 1)[1],
    "evaluate": lambda f, x: evaluate(f(v := Value(x)), wrt=v),
    "mpmath": lambda f, x: float(evaluate(f(v := Value(x)), {}, mpf, wrt=v))}


@pytest.mark.parametrize("mode", ["ignore", "warn"])
@pytest.mark.parametrize("name", EDGES)
def test_an_infinite_derivative_is_the_one_sided_limit_in_every_way_and_order(name: str, mode: Any) -> None:
    f, x, _ = EDGES[name]
    with errstate(mode), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        v = Value(x)
        f(v).backward()
        first = one_sided(name, 1)
        assert v.grad == first
        assert {way: df(f, x) for way, df in FIRST.items()} == dict.fromkeys(FIRST, first)
        assert hessians(f, x) == [one_sided(name, 2)] * 8
        third = [ag.derivative(f, 3)(x), ag.grad(ag.grad(ag.grad(f)))(x), evaluate(f(v), wrt=v, order=3)]
        assert third == [one_sided(name, 3)] * 3


@pytest.mark.parametrize("f, x, known", [
    (ag.log, 0, -inf), (lambda x: 1.0 / x, 0, inf), (ag.sqrt, -1, nan), (ag.lgamma, 0, inf),
    (ag.atanh, -1, -inf), (ag.asin, 1 + mpf(10) ** -40, nan), (lambda x: x ** -3, 0, inf),
    (lambda x: x // 0.0, 2, inf)])
def test_a_number_that_does_not_exist_is_ieees_in_mpmath_too(f: Any, x: Any, known: float) -> None:
    v = Value(0.5, "v")
    with errstate("ignore"):
        y = f(v)
        assert same(float(evaluate(y, {v: x}, mpf)), known)
    with errstate("warn"), pytest.warns(ag.AutogradWarning, match="must|needs"):
        assert same(float(evaluate(y, {v: x}, mpf)), known)
    with pytest.raises(ag.NumericError):
        evaluate(y, {v: x}, mpf)


@pytest.mark.parametrize("f, xs, known", [
    (ag.hypot, (inf, 1.0), [1, 0]), (ag.atan2, (1.0, inf), [0, 0]), (ag.atan2, (-inf, 2.0), [0, 0])])
def test_at_an_infinite_operand_mpmaths_partials_are_limits_too(f: Any, xs: Any, known: Any) -> None:
    nodes = list(map(Value, xs))
    for number in (float, mpf):
        assert evaluate(f(*nodes), {}, number, wrt=nodes) == known


def test_evaluate_warns_of_a_missing_derivative_and_stops_a_gradient_of_0_unless_that_is_ignored() -> None:
    x = Value(0.0, "x")
    y = ag.sqrt(x)
    for number in (float, mpf):
        with pytest.raises(ag.DomainError, match="the derivative of sqrt"):
            evaluate(y, {}, number, wrt=x)
        with errstate("warn"), pytest.warns(ag.AutogradWarning, match="the derivative of sqrt"):
            assert evaluate(y, {}, number, wrt=x) == inf
        for mode, known in [("raise", 1.0), ("warn", 1.0), ("ignore", nan)]:
            with errstate(mode), warnings.catch_warnings():      # type: ignore[arg-type]
                warnings.simplefilter("error")
                assert same(float(evaluate(y * 0.0 + x, {}, number, wrt=x)), known)


@pytest.mark.parametrize("number", [Fraction, mpmath.iv.mpf])
def test_fractions_and_intervals_have_no_nan_so_that_it_stays_an_error(number: Any) -> None:
    x = Value(0.0, "x")
    y = Value(2.0, "y")
    with errstate("ignore"), pytest.raises(ag.NumericError):
        evaluate(y / x, {}, number)
    with errstate("ignore"), pytest.raises(ag.NumericError):
        evaluate(x ** 0.5 if number is not Fraction else x / x, {}, number, wrt=x)


@pytest.mark.parametrize("name", SMOOTH)
def test_under_ignore_what_is_stored_is_what_backward_uses_and_what_a_picture_shows(name: str) -> None:
    op = TABLE[name]
    with errstate("ignore"):
        for k, xs in enumerate(operands(name, (0.0, 1.0, -1.0, inf, nan, -2.5))):
            by = free(op, len(xs))
            if any(not math.isfinite(x) for i, x in enumerate(xs) if i not in by):
                continue
            for i in by:
                nodes: list[Any] = [Value(x, "x") if j == i else x for j, x in enumerate(xs)]
                y = op(*nodes)
                y.backward()
                assert same(stored_partials(y)[i], nodes[i].grad), xs
                found = ag.grad(lambda *xs: op(*xs), i)(*xs), ag.jvp(lambda x: op(*xs[:i], x, *xs[i + 1:]),
                                                                     (xs[i],), (1.0,))[1]
                assert same(found[0], nodes[i].grad) and same(found[1], nodes[i].grad), xs
                if k % 7 == 0:
                    assert f"= {y.partials[i]!r}" in ag.draw(y).source


def test_a_picture_shows_the_infinite_slope_of_a_root() -> None:
    for mode in ("raise", "ignore"):
        with errstate(mode):                    # type: ignore[arg-type]
            source = ag.draw(ag.sqrt(Value(0.0, "x"))).source
        assert "∂sqrt(x)/∂x = inf" in source and "nan" not in source


@pytest.mark.parametrize("mode, known", [("raise", 0.0), ("warn", 0.0), ("ignore", nan)])
def test_0_times_inf_is_nan_under_ignore_alone(mode: Any, known: float) -> None:
    a = Value(2.0)
    with errstate("ignore"):
        y = Value(inf) * a
        difference = y - y
    with errstate(mode), warnings.catch_warnings():
        warnings.simplefilter("error")
        difference.backward()
        assert same(a.grad, known)
        x = Value(0.0)
        (ag.sqrt(x) * 0.0).backward()
        assert same(x.grad, known)

        def f(x: Any) -> Any:
            return ag.sqrt(x) * 0.0
        found = [ag.grad(f)(0.0), ag.vjp(ag.sqrt, 0.0)[1](0.0)[0], ag.derivative(f)(0.0),
                 ag.taylor(f, 0.0, 1)[1], ag.grad(lambda x: ag.relu(ag.sqrt(x) - 1.0))(0.0),
                 ag.jvp(f, (0.0,), (1.0,))[1], evaluate(f(x), wrt=x), ag.explain(f(x), x).gradient]
        assert all(same(g, known) for g in found), found


def test_in_a_direction_that_leaves_an_operand_alone_its_infinite_slope_does_not_matter() -> None:
    def f(v: Any) -> list[Any]:
        return [ag.sqrt(v[0]) + 2.0 * v[1], v[1], v[0] * v[1]]
    for mode in ("ignore", "warn"):
        with errstate(mode), warnings.catch_warnings():          # type: ignore[arg-type]
            warnings.simplefilter("ignore")
            found = [ag.jacobian(f)([0.0, 5.0]), ag.jacobian(f, sparse=True)([0.0, 5.0]).toarray().tolist()]
            assert found == [[[inf, 2.0], [0.0, 1.0], [5.0, 0.0]]] * 2
            assert ag.jvp(f, ([0.0, 5.0],), ([0.0, 1.0],))[1] == [2.0, 1.0, 0.0]


@pytest.mark.parametrize("f, x, error", [
    (ag.sqrt, 0.0, ag.DomainError), (ag.cbrt, 0.0, ag.DomainError), (lambda x: x ** 0.5, 0.0, ag.DomainError),
    (ag.asin, 1.0, ag.DomainError), (ag.log, 1e-320, ag.RangeError),
    (lambda x: 1.0 / x, 1e-200, ag.RangeError)])
def test_a_graph_recorded_under_ignore_raises_what_it_would_have_raised(f: Any, x: float, error: Any) -> None:
    v = Value(x)
    with errstate("ignore"):
        y = f(v)
    with pytest.raises(error) as caught:
        y.backward()
    with pytest.raises(error) as other:
        f(Value(x)).backward()
    assert str(caught.value) == str(other.value) and type(caught.value) is type(other.value)


def test_a_rule_of_a_custom_op_that_takes_floats_alone_is_missing_where_it_fails(monkeypatch: Any) -> None:
    monkeypatch.setattr("autograd_lite.ops.custom.TABLE", {})
    op = ag.custom_op(lambda x: x, (lambda y, x: 1.0 if x.is_integer() and x else math.log(x),), name="odd")
    x = Value(0.0)
    with errstate("ignore"):
        op(x).backward()
        assert math.isnan(x.grad)
    with pytest.raises(ag.DomainError):
        op(Value(0.0)).backward()


@given(st.lists(st.sampled_from([0.0, 1.0, -2.0, 0.5, inf, -inf, nan]), min_size=3, max_size=3),
       st.lists(st.sampled_from(["+", "-", "*", "/", "sqrt", "log", "abs", "hypot", "atan2", "relu"]),
                min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_under_ignore_every_product_of_the_chain_rule_is_taken(xs: list[float], names: list[str]) -> None:
    with errstate("ignore"):
        leaves = [Value(x) for x in xs]
        nodes = list(leaves)
        for k, name in enumerate(names):
            op = TABLE[name]
            nodes.append(op(*[nodes[(k + 2 * i) % len(nodes)] for i in range(op.least)]))
        nodes[-1].backward()
        totals: dict[int, float] = {id(nodes[-1]): 1.0}
        reached = {id(nodes[-1])}
        for node in reversed(nodes):
            if id(node) in reached:
                for x, p in zip(node.operands, stored_partials(node)):
                    reached.add(id(x))
                    totals[id(x)] = totals.get(id(x), 0.0) + totals[id(node)] * (p or 0.0)
    assert all(same(leaf.grad, totals.get(id(leaf), 0.0)) for leaf in leaves)


# -- the way on ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [
    lambda: ag.log(-1.0), lambda: ag.log(Value(-1.0)), lambda: ag.sqrt(Value(0.0)).backward(),
    lambda: ag.hessian(ag.sqrt)(0.0), lambda: ag.derivative(ag.sqrt, 2)(0.0), lambda: ag.exp(Value(1e3)),
    lambda: evaluate(ag.log(v := Value(1.0)), {v: 0.0}),
    lambda: evaluate(ag.log(v := Value(1.0)), {v: 0}, mpf)])
def test_an_error_that_ends_a_search_names_errstate_as_a_way_on_once(call: Callable[[], Any]) -> None:
    with pytest.raises(ag.NumericError) as caught:
        call()
    notes = "\n".join(getattr(caught.value, "__notes__", ()))
    assert notes.count("errstate('ignore')") == 1 and "errstate" not in str(caught.value)
    with errstate("ignore"):
        call()


def test_a_line_search_goes_on_under_ignore() -> None:
    def f(x: Any) -> Any:
        return x - ag.log(x)
    x, step = 0.5, 8.0
    with errstate("ignore"):
        for _ in range(60):
            slope = ag.grad(f)(x)
            while not f(x - step * slope) <= f(x):           # a nan is no improvement
                step *= 0.5
            x -= step * slope
    assert x == pytest.approx(1.0)


@pytest.mark.parametrize("x", [inf, nan])
def test_no_kink_is_blamed_for_what_a_number_of_the_users_spoils(x: float) -> None:
    found = ag.hessian(lambda v: abs(v[0]) + ag.exp(v[1]))([0.0, x])
    assert found[0] == [0.0, 0.0] and same(found[1][1], x)
