"""Branches: `where` and `select`, the rules that branch, and graphs that hold on both sides."""
from __future__ import annotations

import copy
import functools
import math
import operator
import pickle
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import mpmath
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value, evaluate, grad, hessian, select, where
from autograd_lite.graph.walks import topological
from autograd_lite.ops.op import TABLE, Op
from autograd_lite.ops.branches import Ordinary
from autograd_lite.transforms.trace import Trace
from truth import OURS, partials, points, ulps

true_partials = functools.cache(partials)

inf, nan = math.inf, math.nan

COMPARISONS = {"greater": operator.gt, "greater_equal": operator.ge, "less": operator.lt,
               "less_equal": operator.le, "equal": operator.eq, "not_equal": operator.ne}

# -- comparisons ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPARISONS)
@given(st.floats(), st.floats() | st.just(0.5))
@settings(max_examples=50)
def test_a_comparison_is_pythons_as_a_number_of_floats_and_of_values(name: str, a: float, b: float) -> None:
    op, holds = getattr(ag, name), COMPARISONS[name](a, b)
    assert op(a, b) == holds and type(op(a, b)) is float
    node = op(Value(a, "a"), b)
    assert node.data == holds and node.op == name and not node.requires_grad
    assert node.operands[1:] == (b,) or b != b


def test_comparisons_of_values_by_pythons_operators_stay_bools() -> None:
    x = Value(2.0)
    assert (x > 1.0) is True and (x == 2.0) is True and (1.0 > x) is False and bool(x) is True


def test_numpys_comparisons_of_values_stay_bools_too() -> None:
    np = pytest.importorskip("numpy")
    v, many = Value(2.0), np.array([Value(1.0), Value(3.0)], dtype=object)
    for found in (many > v, v < many, np.greater(many, v), np.not_equal(many, 1.0), many >= 1.5):
        assert found.tolist() == [False, True] and found.dtype == bool
    assert np.float64(1.5) < v and bool(np.less(v, 3.0)) is True and np.sign(v) == 1
    assert np.where(many > v, many, 0.0).tolist()[0] == 0.0


def test_no_gradient_flows_through_a_comparison_a_sign_or_a_step() -> None:
    x, y = Value(2.0), Value(3.0)
    for node in (ag.greater(x, y), TABLE["sign"](x), TABLE["step"](x, y)):
        assert node.partials == (0.0,) * len(node.operands) and not node.requires_grad
    assert grad(lambda v: v * ag.less(v, 3.0))(2.0) == 1.0


# -- where ------------------------------------------------------------------------------------


def test_where_gives_the_one_or_the_other_and_its_gradient_to_that_one_alone() -> None:
    for x0, value, slope in ((3.0, 9.0, 6.0), (1.0, -1.0, -1.0), (2.0, -2.0, -1.0)):
        x = Value(x0, "x")
        a, b = x * x, -x
        y = where(ag.greater(x, 2.0), a, b)
        y.backward()
        assert (y.data, x.grad, y.op) == (value, slope, "where")
        assert a.grad + b.grad == 1.0 and 0.0 in (a.grad, b.grad)


def test_a_root_that_takes_a_constant_can_still_be_differentiated() -> None:
    for make in (lambda x: where(ag.greater(x, 0.0), x * x, 0.0), lambda x: where(ag.less(x, 0.0), 1.0, x),
                 lambda x: select(ag.less(x, 0.0), lambda: 2.0, lambda: ag.sqrt(x))):
        x = Value(-1.0, "x")
        y = make(x)
        y.backward()
        (3.0 * y * y).backward()
        assert x.grad == 0.0 and y.requires_grad and grad(make)(-1.0) == 0.0
        assert evaluate(grad(make)(x), {x: 4.0}) in (8.0, 1.0, 0.25)
    z = where(ag.greater(Value(1.0, requires_grad=False), 0.0), 1.0, 2.0)
    assert z.data == 1.0 and not z.requires_grad


def test_a_plain_condition_chooses_at_once() -> None:
    x = Value(3.0)
    assert where(True, x, 1.0) is x and where(x > 5.0, x, 1) == 1.0 and type(where(False, 1, 2)) is float
    np = pytest.importorskip("numpy")
    assert where(np.bool_(True), x, 1.0) is x and where(np.True_, 2.0, 1.0) == 2.0
    assert select(True, lambda: x, lambda: 1 / 0) is x


@pytest.mark.parametrize("f", [
    lambda x: where(ag.greater(x, 0.0), ag.log(x), 0.0 * x), lambda x: where(ag.greater(x, 0.0), 1.0 / x, x),
    lambda x: where(ag.less_equal(x, 0.0), x * x, ag.sqrt(x) * ag.exp(1.0 / x)),
    lambda x: where(ag.greater(x, 0.0), x ** -0.5 * ag.log(x) ** 2, 3.0 * x)])
def test_from_the_one_not_taken_no_nan_comes_under_ignore(f: Callable[[Any], Any]) -> None:
    with ag.errstate("ignore"):
        x = Value(0.0)
        y = f(x)
        y.backward()
        assert math.isfinite(y.data) and math.isfinite(x.grad)
        assert math.isfinite(grad(f)(0.0)) and math.isfinite(grad(grad(f))(0.0))
        assert math.isfinite(ag.derivative(f, 2)(0.0)) and math.isfinite(ag.jvp(f, (0.0,), (1.0,))[1])
        assert math.isfinite(hessian(lambda v: f(v[0]))([0.0])[0][0])
        assert math.isfinite(ag.hvp(lambda v: f(v[0]), ([0.0],), ([1.0],))[0])


def test_an_operand_of_where_that_cannot_be_had_is_an_error_that_names_select() -> None:
    x = Value(-1.0, "x")
    for f in (lambda: ag.log(x), lambda: ag.sqrt(x), lambda: 1.0 / (x + 1.0), lambda: x ** 0.5,
              lambda: ag.acos(2 * x)):
        with pytest.raises(ag.DomainError, match="select"):     # (in a note, which a traceback shows)
            where(ag.greater(x, 0.0), f(), 0.0)


@pytest.mark.parametrize("condition", [Value(1.0), Value(0.0) * 2.0, "yes", None, [True], (lambda: True)])
def test_what_is_no_condition_is_refused(condition: Any) -> None:
    with pytest.raises(ag.InputError, match="condition must be a comparison op"):
        where(condition, 1.0, 2.0)
    with pytest.raises(ag.InputError, match="condition must be a comparison op"):
        select(condition, lambda: 1.0, lambda: 2.0)


def test_select_takes_functions_and_says_so() -> None:
    with pytest.raises(ag.InputError, match="a branch must be a function.*where"):
        select(True, 1.0, lambda: 2.0)          # type: ignore[arg-type]


def test_conditions_combine_by_ordinary_ops() -> None:
    def tent(x: Any) -> Any:
        inside = ag.greater(x, 0.0) * ag.less(x, 2.0)
        return where(inside, 1.0 - abs(x - 1.0), 0.0)
    assert [tent(x) for x in (-1.0, 0.5, 1.5, 3.0)] == [0.0, 0.5, 0.5, 0.0]
    assert [grad(tent)(x) for x in (-1.0, 0.5, 1.5, 3.0)] == [0.0, 1.0, -1.0, 0.0]


# -- select -----------------------------------------------------------------------------------


def test_on_a_plain_condition_one_function_runs_and_on_a_comparison_of_values_both() -> None:
    ran: list[str] = []

    def f(name: str, y: Any) -> Callable[[], Any]:
        return lambda: ran.append(name) or y
    assert select(ag.greater(1.0, 0.0), f("then", 1.0), f("otherwise", 2.0)) == 1.0 and ran == ["then"]
    ran.clear()
    y = select(ag.greater(Value(1.0), 0.0), f("then", 1.0), f("otherwise", 2.0))
    assert y.data == 1.0 and sorted(ran) == ["otherwise", "then"]
    ran.clear()
    with ag.no_grad():
        y = select(ag.greater(Value(1.0), 0.0), f("then", Value(1.0)), f("otherwise", 2.0))
    assert y.data == 1.0 and ran == ["then"]


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
    "root or square": (lambda x: select(ag.greater(x, 0.0), lambda: ag.sqrt(x), lambda: x * x), [4.0, -3.0]),
    "log or line": (lambda x: select(ag.greater(x, 1.0), lambda: ag.log(x) * x, lambda: 2.0 * x - 2.0),
                    [3.0, -3.0]),
    "shared": (lambda x: select(ag.greater(x, 0.0), lambda: ag.log(x) + x, lambda: x * x) * x + ag.sin(x),
               [2.0, -1.5]),
    "nested": (lambda x: select(ag.greater(x, 0.0), lambda: select(
        ag.greater(x, 2.0), lambda: ag.sqrt(x - 2.0), lambda: 1.0 / (x - 2.0)), lambda: ag.exp(-x)),
        [3.0, 1.0, -2.0]),
    "of a choice": (lambda x: ag.exp(select(ag.less(x, 0.0), lambda: 1.0 / x, lambda: x ** 1.5)) ** 2,
                    [-2.0, 1.0]),
    "two choices": (lambda x: select(ag.less(x, 0.0), lambda: ag.log(-x), lambda: ag.log(x + 1.0)) * select(
        ag.greater(x, -1.0), lambda: ag.sqrt(x + 1.0), lambda: x ** 3), [-2.0, -0.5, 1.0]),
    "where": (lambda x: where(ag.greater(x, 1.0), x ** 3, ag.sin(x)), [2.0, 0.5]),
    "abs and max": (lambda x: abs(x) * ag.maximum(x, x * x) + ag.minimum(x, 1.0) * ag.relu(x),
                    [3.0, 0.5, -2.0]),
    "activations": (lambda x: ag.elu(x, 1.3) * ag.leaky_relu(x, 0.2) + ag.relu(x) * ag.exp(x), [1.2, -0.7]),
}
SIDES = [(name, a, b) for name, (_, sides) in FUNCTIONS.items() for a in sides for b in sides]


@pytest.mark.parametrize("name, here, there", SIDES)
def test_a_graph_recorded_on_one_side_holds_on_the_other_at_every_order(
        name: str, here: float, there: float) -> None:
    f = FUNCTIONS[name][0]
    x = Value(here, "x")
    close = {"rel": 1e-12, "abs": 1e-12}
    assert evaluate(f(x), {x: there}) == pytest.approx(f(there), **close)
    first, second, third = grad(f), grad(grad(f)), grad(grad(grad(f)))
    truth = [ag.derivative(f, k)(there) for k in (1, 2, 3)]
    assert [g(there) for g in (first, second, third)] == pytest.approx(truth, rel=1e-9, abs=1e-12)
    for g, expected in zip((first, second, third), truth):
        assert evaluate(g(x), {x: there}) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert evaluate(f(x), {x: there}, wrt=x) == pytest.approx(truth[0], **close)
    assert evaluate(f(x), {x: there}, wrt=x, order=2) == pytest.approx(truth[1], rel=1e-9, abs=1e-12)
    assert evaluate(first(x), {x: there}, wrt=x) == pytest.approx(truth[1], rel=1e-9, abs=1e-12)
    assert evaluate(f(x), {x: there}, mpmath.mpf, wrt=x) == pytest.approx(truth[0], **close)
    value, slope = ag.jvp(f, (x,), (1.0,))
    assert evaluate([value, slope], {x: there}) == pytest.approx([f(there), truth[0]], **close)
    assert evaluate(ag.derivative(f, 2)(x), {x: there}) == pytest.approx(truth[1], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_way_to_a_derivative_takes_the_side_of_the_point(name: str) -> None:
    f, sides = FUNCTIONS[name]
    for x in sides:
        first, second = ag.derivative(f)(x), ag.derivative(f, 2)(x)
        node = Value(x)
        f(node).backward()
        once = [node.grad, grad(f)(x), ag.jvp(f, (x,), (1.0,))[1], ag.vjp(f, x)[1](1.0)[0],
                ag.taylor(f, x, 2)[1]]
        assert once == pytest.approx([first] * 5, rel=1e-13, abs=1e-13)
        again = [grad(grad(f))(x), hessian(f)(x), ag.hvp(f, (x,), (1.0,)), 2.0 * ag.taylor(f, x, 2)[2],
                 hessian(lambda v: f(v[0]), sparse=True)([x]).toarray()[0, 0]]
        assert again == pytest.approx([second] * 5, rel=1e-12, abs=1e-12)
        assert ag.check_gradients(f, x).ok


def test_a_branch_not_taken_may_be_undefined_in_other_numbers_too() -> None:
    x = Value(Fraction(9), "x")
    y = select(ag.greater(x, 4.0), lambda: x * x, lambda: ag.sqrt(x))
    assert evaluate(y, {x: Fraction(11, 2)}, Fraction) == Fraction(121, 4)
    with pytest.raises(ag.InputError, match="sqrt"):
        evaluate(y, {x: 1}, Fraction)
    iv = mpmath.iv
    assert evaluate(y, {x: iv.mpf([5, 6])}, iv.mpf) == iv.mpf([25, 36])
    with pytest.raises(ag.DomainError, match="split it"):
        evaluate(y, {x: iv.mpf([3, 6])}, iv.mpf)


def test_a_graph_with_branches_is_copied_and_pickled_with_all_that_it_holds() -> None:
    x = Value(3.0, "x")
    g = grad(FUNCTIONS["shared"][0])(x)
    for other in (copy.deepcopy(g), pickle.loads(pickle.dumps(g))):
        leaf = next(node for node in topological([other]) if node.label == "x")
        assert leaf is not x
        assert evaluate(other, {leaf: -1.5}) == evaluate(g, {x: -1.5}) == pytest.approx(
            grad(FUNCTIONS["shared"][0])(-1.5))


@pytest.fixture
def huber() -> Iterator[Op]:
    """An op of a user's whose rule branches."""
    yield ag.custom_op(lambda x: 0.5 * x * x if abs(x) < 1.0 else abs(x) - 0.5, (lambda y, x: select(
        ag.less(abs(x), 1.0), lambda: x, lambda: select(ag.less(x, 0.0), lambda: -1.0, lambda: 1.0)),),
        name="huber for branches", form=lambda m, x: x * x / 2 if abs(x) < 1 else abs(x) - m.mpf(1) / 2,
        kink=lambda x: abs(x) - 1.0)
    del TABLE["huber for branches"]


def test_a_rule_of_a_users_that_branches_by_select_holds_on_both_sides(huber: Op) -> None:
    for here in (-3.0, -0.5, 0.25, 2.0):
        x = Value(here, "x")
        first, second = grad(lambda v: huber(v) * v)(x), grad(grad(lambda v: huber(v) * v))(x)
        for there in (-3.0, -0.5, 0.25, 2.0):
            slope = there if abs(there) < 1.0 else math.copysign(1.0, there)
            bend = 1.0 if abs(there) < 1.0 else 0.0
            value = huber(there)
            assert evaluate(first, {x: there}) == pytest.approx(slope * there + value)
            assert evaluate(second, {x: there}) == pytest.approx(bend * there + 2.0 * slope)
            assert evaluate(huber(x), {x: there}, mpmath.mpf, wrt=x) == slope
        assert ag.derivative(huber, 2)(here) == (1.0 if abs(here) < 1.0 else 0.0)
    assert ag.check_op(huber, 0.3, -0.7, 4.0, -2.0).ok


# -- the rules of the table ----------------------------------------------------------------------


class _Compared(Exception):
    """Two Values were compared."""


@pytest.fixture
def no_comparison(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Within it every comparison of a Value, and every `if` on one, is counted."""
    seen: list[str] = []

    def counted(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Value, *others: Any) -> Any:
            seen.append(name)
            return plain(self, *others)
        return method
    for name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__"):
        monkeypatch.setattr(Value, name, counted(name, getattr(Value, name)))
    yield seen


def _edge_points(name: str) -> list[tuple[float, ...]]:
    found = [xs for xs in points(name) if TABLE[name].domain(*xs)]
    return found[::max(1, len(found) // 25)]


@pytest.mark.parametrize("name", sorted(OURS))
def test_no_rule_compares_values_at_first_or_second_order(name: str, no_comparison: list[str]) -> None:
    op = TABLE[name]
    for xs in _edge_points(name):
        free = [i for i, has in enumerate(op.differentiable(len(xs))) if has]

        def f(varied: list[Any]) -> Any:
            supply = iter(varied)
            return op(*[next(supply) if i in free else x for i, x in enumerate(xs)])
        for g in (f, grad(f), ag.hessian(f)) if free else ():
            try:
                result = g([Value(xs[i]) for i in free])
                Trace(g, ([Value(xs[i]) for i in free],), {}).linear
            except ag.NumericError:
                continue
            del result
        if len(free) == 1:
            try:
                ag.derivative(lambda v: f([v]), 2)(Value(xs[free[0]]))
            except ag.NumericError:
                continue
    assert no_comparison == []


def test_the_counter_of_comparisons_can_tell(no_comparison: list[str]) -> None:
    bad = Op("bad abs", abs, (lambda y, x: 1.0 if x > 0.0 else -1.0,))
    grad(lambda v: bad(v))(Value(2.0))
    assert no_comparison == ["__gt__"]


def test_the_gradient_of_a_gaussian_fit_makes_no_comparison_of_values(no_comparison: list[str]) -> None:
    xs = [k / 25.0 - 2.0 for k in range(100)]
    ys = [2.0 * math.exp(-0.5 * ((x - 0.3) / 0.8) ** 2) for x in xs]

    def loss(p: list[Any]) -> Any:
        a, m, s = p
        return ag.sum([(a * ag.exp(-0.5 * ((x - m) / s) ** 2) - y) ** 2 for x, y in zip(xs, ys)])
    gradient = grad(loss)([Value(1.5), Value(0.2), Value(0.9)])
    assert all(g.op for g in gradient) and no_comparison == []
    hessian(loss)([1.5, 0.2, 0.9])
    assert no_comparison == []


SPACE = [-3.7, -2.0, -0.6, -0.25, 0.25, 0.4, 0.8, 1.0, 1.5, 2.0, 3.0, 5.5]


@pytest.mark.parametrize("name", [name for name in sorted(OURS) if any(TABLE[name].differentiable(3))])
def test_a_gradient_recorded_anywhere_ordinary_is_right_anywhere_else(name: str) -> None:
    op = TABLE[name]
    size = 3 if op.open else max(op.least, min(op.most, 2) if not op.options else op.least)
    tuples = [tuple(SPACE[(5 * k + 2 * i * k + i) % len(SPACE)] for i in range(size)) for k in range(12)]
    free = [i for i, has in enumerate(op.differentiable(size)) if has]
    tuples = [tuple(x if i in free else 1.0 for i, x in enumerate(xs)) for xs in tuples]
    tuples = [(abs(xs[0]), *xs[1:]) if op.name in ("**", "power_slope") else xs for xs in tuples]
    inside = [xs for xs in tuples if op.domain(*xs) and not (op.kink and op.kink(*xs) == 0.0)]
    compared = 0
    for here in [xs for xs in inside if not (op.singular and 1.0 in (xs[i] for i in free))][:5]:
        nodes = [Value(x) if i in free else x for i, x in enumerate(here)]
        first = _gradient(op, nodes, free)
        for there in inside:
            if any(a != b for i, (a, b) in enumerate(zip(here, there)) if i not in free):
                continue
            for i, g in zip(free, first):
                try:
                    truth = true_partials(name, there, (i,))[1]
                except ZeroDivisionError:
                    continue
                known = set(map(id, topological([g]))) if isinstance(g, Value) else set()
                inputs = {nodes[i]: there[i] for i in free if id(nodes[i]) in known}
                found = evaluate(g, inputs) if isinstance(g, Value) else g
                assert ulps(found, truth, beside_zero=True) <= 8, (here, there, i)
                compared += 1
                for k in free:
                    second = true_partials(name, there, (i, k))[2]
                    found = evaluate(g, inputs, wrt=nodes[k]) if id(nodes[k]) in known else 0.0
                    assert abs(found - second.value) <= 1e-13 * max(abs(second.value), second.largest)
    assert compared >= 4


def _gradient(op: Op, nodes: list[Any], free: list[int]) -> list[Any]:
    def f(varied: list[Any]) -> Any:
        supply = iter(varied)
        return op(*[next(supply) if i in free else x for i, x in enumerate(nodes)])
    return grad(f)([nodes[i] for i in free])  # type: ignore[no-any-return]


EXTREME: list[tuple[str, Callable[[Any], Any], float, list[float], list[float]]] = [
    # the op, a function, where it is recorded, where it holds, where it must be recorded anew
    ("/", lambda b: 1e-200 / b, 2.0, [-3.0, 0.5, 1e100], []),
    ("/", lambda b: 1e-308 * 1e-3 / b, 0.5, [1e-300], [1e-300]),
    ("**", lambda a: a ** 9.0, 2.0, [0.0, -3.0, 1e30], [1e-30]),
    ("**", lambda a: a ** 0.25, 2.0, [1e-100, 1e300], [1e-200]),
    ("atan", ag.atan, 1.0, [-7.0, 1e40], [1e60, -1e77]),
    ("atan", ag.atan, 1e60, [-1e70], [1.0]),
    ("erf", TABLE["gauss"], 1.0, [-20.0, 0.0], [27.0]),
    ("normal_pdf", ag.normal_pdf, 1.0, [-30.0, 0.0], [37.5]),
    ("gelu", ag.gelu, 1.0, [-30.0, 0.0], [-37.5]),
    ("silu", ag.silu, 1.0, [-600.0, 600.0], [-710.0]),
    ("elu", ag.elu, -1.0, [-600.0, 3.0], [-710.0]),
    ("cbrt", ag.cbrt, 8.0, [-1e-300, 1e300], []),
    ("hypot", lambda b: TABLE["cos_angle"](1e100, b), 2.0, [-3.0, 0.1, 1e-180, 0.0, 1e150], [1e-200]),
    ("hypot", lambda b: TABLE["cos_angle"](1e-295, b), 2.0, [1e-294, -7.0], [1e-296]),
]


@pytest.mark.parametrize("name, f, here, holds, refuses", EXTREME)
def test_outside_an_extreme_guard_the_gradient_is_refused_by_the_name_of_the_op(
        name: str, f: Callable[[Any], Any], here: float, holds: list[float], refuses: list[float]) -> None:
    x = Value(here, "x")
    gradient = grad(f)(x)
    for there in holds:
        if there not in refuses:
            assert evaluate(gradient, {x: there}) == pytest.approx(grad(f)(there), rel=1e-13)
    for there in refuses:
        with pytest.raises(ag.DomainError) as error:
            evaluate(gradient, {x: there})
        assert f"derivative of {name} " in str(error.value)
        again = pickle.loads(pickle.dumps(copy.deepcopy(gradient)))
        leaf = next(node for node in topological([again]) if node.label == "x")
        with pytest.raises(ag.DomainError):
            evaluate(again, {leaf: there})


def test_a_guard_in_a_branch_that_is_not_taken_refuses_nothing() -> None:
    x = Value(2.0, "x")
    g = grad(lambda v: select(ag.less(v, 10.0), lambda: ag.atan(v), lambda: v * v))(x)
    assert evaluate(g, {x: 1e60}) == 2e60
    assert evaluate(g, {x: -1.0}) == 0.5


def test_a_gradient_of_0_that_met_an_infinite_partial_holds_only_while_it_is_0() -> None:
    x, y = Value(0.0, "x"), Value(0.0, "y")
    g = grad(lambda a: y * ag.sqrt(a))(x)
    assert g.data == 0.0 and evaluate(g, {y: 0.0}) == 0.0 and x.data == 0.0
    with pytest.raises(ag.DomainError, match=r"sqrt\(0.0\).*record it where it is not 0"):
        evaluate(g, {y: 2.0})


def test_a_question_is_asked_of_floats_at_once_and_noted_as_a_guard_on_values() -> None:
    rule = Ordinary("test", lambda y, x: x > 1.0).rule(lambda y, x: 2.0 * x, lambda y, x: 3.0 * x)
    assert (rule(0.0, 2.0), rule(0.0, 0.5)) == (4.0, 1.5)
    x = Value(2.0)
    [guard] = rule(Value(0.0), x).__guards__
    assert guard.answer is True and guard.operands[1] is x and guard.question.op == "test"
    assert rule(Value(0.0), Value(0.5)).__guards__[0].answer is False
    with ag.errstate("ignore"):
        assert [type(y) is Value for y in (rule(Value(0.0), Value(math.nan)),)] == [True]


# -- found by looking for trouble ---------------------------------------------------------------


@pytest.mark.parametrize("make", [
    lambda f: ag.derivative(f, 2), lambda f: ag.derivative(f, 3), lambda f: grad(grad(f)), hessian,
    lambda f: lambda x: ag.hvp(f, (x,), (1.0,)), lambda f: grad(grad(grad(f))),
    lambda f: lambda x: ag.jvp(grad(f), (x,), (1.0,))[1], lambda f: lambda x: ag.taylor(f, x, 2)[2]])
@pytest.mark.parametrize("f, here, there", [
    (ag.silu, -720.0, 1.0), (ag.silu, 1.0, -720.0), (ag.elu, -720.0, -1.0), (ag.atan, 1e60, 1.0),
    (ag.gelu, -38.0, 1.0)])
def test_a_guard_holds_at_every_order(make: Any, f: Any, here: float, there: float) -> None:
    x = Value(here, "x")
    g = make(f)(x)
    with pytest.raises(ag.DomainError, match="the derivative of"):
        evaluate(g, {x: there})


@pytest.mark.parametrize("f, here, there", [
    (lambda x: where(ag.greater(t := ag.sqrt(x), 1.0), t, x), 0.0, 4.0),
    (lambda x: select(ag.greater(t := ag.log(x), 0.0), lambda: t * t, lambda: 0.0 * x), 1e-320, 2.0),
    (lambda x: where(ag.less(t := ag.hypot(x, 0.0), 1.0), x, t), 0.0, 2.0)])
def test_a_branch_may_share_nodes_with_the_condition(f: Any, here: float, there: float) -> None:
    x = Value(here, "x")
    for g in (grad(f), ag.derivative(f, 2), lambda x: ag.jvp(f, (x,), (1.0,))[1]):
        assert evaluate(g(x), {x: there}) == pytest.approx(g(there), abs=1e-300)


@pytest.mark.parametrize("f, x, second", [
    (lambda x: where(1.0 - ag.greater(x, 0.0), x, x * x), 3.0, 2.0),
    (lambda x: where(ag.equal(ag.greater(x, 0.0) + ag.less(x, 9.0), 2.0), x * x, x), 3.0, 2.0),
    (lambda x: where(ag.less_equal(abs(x), 1.0), 0.5 * x * x, abs(x) - 0.5), 1.0, 1.0),
    (lambda x: where(ag.less_equal(2.0 * x, 2.0), x * x, x ** 3), 1.0, 2.0),
    (lambda x: select(ag.less_equal(x, 0.0), lambda: x * x, lambda: ag.log(x) - ag.sqrt(x)), 0.0, 2.0),
    (lambda x: select(ag.greater(x, 0.0), lambda: ag.log(x) - ag.sqrt(x), lambda: x * x), 0.0, 2.0),
    (lambda x: select(ag.greater(x, 0.0), lambda: 1.0 / x + ag.log(x), lambda: x * x), 0.0, 2.0),
    (lambda x: x ** where(ag.less(x, 0.0), 2.0, 3.0), -1.5, 2.0),
    (lambda x: x * x + ag.sqrt(where(ag.less(x, 3.0), 0.0, 1.0)), 1.0, 2.0),
    (lambda x: x * x + ag.asin(where(ag.less(x, 3.0), 1.0, 1.0)), 1.0, 2.0),
    (lambda x: x * x + select(ag.greater(x, 4.0), lambda: x / 0.0, lambda: 0.0), 1.0, 2.0),
    (lambda x: x * x + select(ag.greater(x, 4.0), lambda: math.log(-1.0), lambda: 0.0), 1.0, 2.0)])
def test_second_derivatives_of_choices_are_right_in_every_way(f: Any, x: float, second: float) -> None:
    found = [ag.derivative(f, 2)(x), grad(grad(f))(x), hessian(f)(x), ag.hvp(f, (x,), (1.0,)),
             grad(grad(f))(Value(x)), hessian(f)(Value(x)), 2.0 * ag.taylor(f, x, 2)[2]]
    assert [y.data if isinstance(y, Value) else y for y in found] == pytest.approx([second] * 7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ag.errstate("warn"):
            assert ag.derivative(f, 2)(x) == pytest.approx(second)


def test_nested_choices_pushed_forward_hold_on_every_side() -> None:
    def f(x: Any) -> Any:
        return select(ag.greater(x, 0.0), lambda: select(
            ag.greater(ag.log(x), 0.0), lambda: x * x, lambda: 0.0), lambda: 0.0)

    x = Value(2.0, "x")
    slope = ag.jvp(f, (x,), (1.0,))[1]
    assert [evaluate(slope, {x: t}) for t in (-1.0, 0.5, 3.0)] == [0.0, 0.0, 6.0]


def test_a_guard_that_looks_at_what_is_not_defined_elsewhere_gives_the_error_of_that() -> None:
    def f(x: Any) -> Any:
        t = ag.hypot(x, 0.0)
        return select(ag.less(t, 0.0), lambda: select(
            ag.less(x, -1.0), lambda: ag.cosh(t), lambda: t), lambda: x)

    x = Value(0.0, "x")
    assert evaluate(ag.derivative(f, 2)(x), {x: 2.0}) == 0.0


def test_a_zero_operand_of_hypot_is_an_ordinary_one() -> None:
    x = Value(-1.0, "x")
    assert evaluate(ag.derivative(lambda x: ag.hypot(x, 1.0), 3)(x), {x: 0.0}) == 0.0
    a, b = Value(2.0, "a"), Value(3.0, "b")
    mixed = grad(lambda b: grad(lambda a: ag.hypot(a, b))(a))(b)
    assert evaluate(mixed, {a: 3.0, b: 0.0}) == evaluate(mixed, {a: 0.0, b: 3.0}) == 0.0


def test_an_interval_across_an_if_of_a_rule_is_refused_whatever_else_is_compared() -> None:
    mixed = ag.custom_op(abs, (lambda y, x: (1.0 if x > 0.0 else -1.0) * (2.0 - ag.greater(x, -10.0)),),
                         name="abs for intervals", kink=lambda x: x, form=lambda m, x: abs(x))
    try:
        x, iv = Value(1.0, "x"), mpmath.iv
        assert evaluate(mixed(x), {x: iv.mpf([1, 2])}, iv.mpf, wrt=x) == iv.mpf(1)
        with pytest.raises(ag.DomainError, match="kink within the interval"):
            evaluate(mixed(x), {x: iv.mpf([-1, 2])}, iv.mpf, wrt=x)
    finally:
        del TABLE["abs for intervals"]


def test_a_condition_of_many_numbers_is_refused_in_words() -> None:
    np = pytest.importorskip("numpy")
    with pytest.raises(ag.InputError, match="condition must be"):
        select(np.array([True, False]), lambda: 1.0, lambda: 2.0)


@pytest.mark.parametrize("kind", [bool, int, float, numpy.bool_])
def test_select_takes_a_plain_condition_of_any_kind(kind):
    assert [select(kind(flag), lambda: "a", lambda: "b") for flag in (1, 0)] == ["a", "b"]
