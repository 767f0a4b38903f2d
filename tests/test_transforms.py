"""The transforms: shapes, selections, nesting, laws, edges and errors."""
from __future__ import annotations

import collections
import dataclasses
import fractions
import functools
import math
import operator
import types
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
import oracle
from autograd_lite import (Value, derivative, grad, hessian, hvp, jacobian, jvp, no_grad, stop_gradient,
                           value_and_grad, vjp)
from autograd_lite.graph import backward
from autograd_lite.testing import Expression
from autograd_lite.transforms.trace import Trace
from autograd_lite.transforms.trees import leaves, rebuild
from graphs import SMOOTH, computations, python_build, recorded, results, rounded

Function = Callable[..., Any]


class Point(NamedTuple):
    x: Any
    y: Any


@dataclasses.dataclass(frozen=True)
class Spring:
    stiffness: Any
    ends: Any


@dataclasses.dataclass
class Rod:
    width: Any
    height: Any
    area: Any = dataclasses.field(init=False, compare=False)

    def __post_init__(self) -> None:
        self.area = self.width * self.height


# -- shapes ----------------------------------------------------------------------------------------


def squares(tree: Any) -> Any:
    return ag.sum([x * x for x in leaves(tree)])


@pytest.mark.parametrize("tree, doubled", [
    (3.0, 6.0),
    (3, 6.0),
    (True, 2.0),
    (np.float32(3.0), 6.0),
    (np.array(3.0), 6.0),
    ([1.0, 2.0], [2.0, 4.0]),
    ((1.0, (2.0,)), (2.0, (4.0,))),
    ({"a": 1.0, "b": [2.0, {"c": 3.0}]}, {"a": 2.0, "b": [4.0, {"c": 6.0}]}),
    (Point(1.0, [2.0]), Point(2.0, [4.0])),
    (Spring(1.0, (2.0, 3.0)), Spring(2.0, (4.0, 6.0))),
    ([], []),
    ({}, {}),
    (collections.OrderedDict(b=1.0, a=2.0), collections.OrderedDict(b=2.0, a=4.0)),
    (types.MappingProxyType({"a": 1.0}), types.MappingProxyType({"a": 2.0})),
    (Rod(2.0, 5.0), Rod(4.0, 10.0)),
])
def test_a_gradient_has_the_shape_of_its_argument(tree: Any, doubled: Any) -> None:
    ours = grad(squares)(tree)
    assert ours == doubled and type(ours) is type(doubled)


def test_what_a_dataclass_worked_out_is_a_number_of_its_own() -> None:
    found = grad(lambda rod: rod.area * rod.width)(Rod(2.0, 5.0))
    assert (found.width, found.height, found.area) == (10.0, 0.0, 2.0)


@pytest.mark.parametrize("array", [np.array([1.0, 2.0]), np.array([[1, 2, 3], [4, 5, 6]]),
                                   np.zeros((2, 0)), np.ones((1, 1, 1))])
def test_the_gradient_of_an_array_is_an_array_of_floats(array: Any) -> None:
    ours = grad(lambda a: (a * a).sum() if a.size else 0.0)(array)
    assert isinstance(ours, np.ndarray) and ours.dtype == float
    np.testing.assert_array_equal(ours, 2.0 * array)


def test_an_array_function_is_written_in_numpy() -> None:
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -0.5])
    ours = grad(lambda a: np.sum(np.tanh(a @ b)))(a)
    np.testing.assert_allclose(ours, np.outer(1.0 / np.cosh(a @ b) ** 2, b), rtol=1e-15)


@pytest.mark.parametrize("tree", ["text", None, ["text"], {1.0}, object(), 1j, [None], [1.0, 1j]])
def test_what_is_no_number_is_refused_as_an_argument(tree: Any) -> None:
    with pytest.raises(ag.InputError, match="expected a (real )?number"):
        grad(squares)(tree)


def test_a_jacobian_has_the_shape_of_the_result_over_that_of_the_argument() -> None:
    x = [2.0, 5.0]
    assert jacobian(lambda x: {"p": x[0] * x[1], "q": (x[0],)})(x) == {"p": [5.0, 2.0], "q": ([1.0, 0.0],)}
    assert jacobian(lambda x: x["a"] * 3.0)({"a": 1.0, "b": 2.0}) == {"a": 3.0, "b": 0.0}
    assert jacobian(lambda x, y: [x * y], (0, 1))(2.0, 5.0) == [(5.0, 2.0)]
    assert jacobian(lambda x: [7.0, x[0]])(x) == [[0.0, 0.0], [1.0, 0.0]]
    assert jacobian(lambda x: [])(x) == []
    assert jacobian(lambda x: [1.0])([]) == [[]]


def test_a_number_that_stands_twice_in_the_result_gets_both_cotangents() -> None:
    def f(x: Any) -> Any:
        y = x * x
        return [y, y, x]
    value, pull = vjp(f, 3.0)
    assert value == [9.0, 9.0, 3.0] and pull([1.0, 2.0, 10.0]) == (28.0,)
    assert jvp(f, (3.0,), (1.0,))[1] == jacobian(f)(3.0) == [6.0, 6.0, 1.0]
    assert jacobian(lambda p: f(p[0] * p[1]))([1.0, 3.0]) == [[18.0, 6.0], [18.0, 6.0], [3.0, 1.0]]


@pytest.mark.parametrize("c", [2, 2.0, np.int64(2), np.float32(2.0), np.array(2.0), fractions.Fraction(2)])
@pytest.mark.parametrize("made", [lambda f: f, ag.compile])
def test_a_constant_of_any_kind_in_a_result_has_the_derivative_0(c: Any, made: Any) -> None:
    assert made(grad(lambda x: c))(3.0) == 0.0
    assert made(value_and_grad(lambda x: c))([3.0]) == (2.0, [0.0])
    assert made(jacobian(lambda x: [x * x, {"c": c}]))(3.0) == [6.0, {"c": 0.0}]
    assert made(hessian(lambda x: c))(3.0) == 0.0
    assert jvp(lambda x: (x, c), (3.0,), (1.0,)) == ((3.0, 2.0), (1.0, 0.0))
    assert vjp(lambda x: (x, c), 3.0)[1]((1.0, 5.0)) == (1.0,)


def test_a_jacobian_of_arrays_is_an_array() -> None:
    a, x = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([0.5, 0.25])
    np.testing.assert_array_equal(jacobian(lambda x: a @ x)(x), a)
    ours = jacobian(lambda a: a @ x)(a)
    assert ours.shape == (3, 3, 2) and ours.dtype == float
    np.testing.assert_array_equal(ours[1, 1], x)
    assert jacobian(lambda x: {"y": a @ x})(x)["y"].shape == (3, 2)
    assert jacobian(lambda x: np.array([x[0], x[1]]) * 2.0)([1.0, 2.0]) == [[2.0, 0.0], [0.0, 2.0]]
    assert hessian(lambda x: (x * x).sum())(x).tolist() == [[2.0, 0.0], [0.0, 2.0]]


def test_sweeps_over_arrays_give_arrays() -> None:
    a, x, u = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, 0.25]), np.array([1.0, -1.0])
    value, along = jvp(lambda x: a @ (x * x), (x,), (u,))
    np.testing.assert_array_equal(along, a @ (2.0 * x * u))
    same, pull = vjp(lambda x: a @ (x * x), x)
    assert value.dtype == same.dtype == float and (value == same).all()
    np.testing.assert_array_equal(pull(u)[0], (u @ a) * 2.0 * x)
    np.testing.assert_array_equal(hvp(lambda x: (a @ x ** 3).sum(), (x,), (u,)), a.sum(0) * 6.0 * x * u)


def test_a_hessian_by_several_arguments_has_blocks() -> None:
    ours = hessian(lambda x, y: x * x * y[0], (0, 1))(3.0, [5.0])
    assert ours == ((10.0, [6.0]), [(6.0, [0.0])])


def test_a_hessian_nests_the_shape_twice() -> None:
    ours = hessian(lambda p: p.x ** 2 * p.y)(Point(3.0, 5.0))
    assert ours == Point(Point(10.0, 6.0), Point(6.0, 0.0))


def test_rebuild_keeps_text_and_asks_about_the_rest() -> None:
    assert rebuild({"a": "text", "b": 1.0}, lambda x: -x) == {"a": "text", "b": -1.0}
    assert rebuild({"a": 1j, "b": 1.0}, lambda x: -x, lambda x: "?") == {"a": "?", "b": -1.0}
    with pytest.raises(ag.InputError, match="complex 1j"):
        rebuild({"a": 1j}, lambda x: -x)


# -- selections, auxiliary results, unused arguments -----------------------------------------------


def volume(width: Any, height: Any = 2.0, *, depth: Any = 3.0) -> Any:
    return width * height * depth


def test_an_argument_is_selected_by_place_name_or_keyword() -> None:
    assert grad(volume)(5.0) == 6.0
    assert grad(volume, 1)(5.0, 2.0) == 15.0
    assert grad(volume, -1)(5.0, 2.0) == 15.0
    assert grad(volume, "height")(5.0, 2.0) == 15.0
    assert grad(volume, "height")(5.0, height=7.0) == 15.0
    assert grad(volume, "depth")(5.0, depth=1.0) == 10.0
    assert grad(volume, ("depth", 0))(5.0, depth=4.0) == (10.0, 8.0)
    assert grad(volume, [0])(5.0) == (6.0,)
    assert grad(grad(volume), "height")(5.0, 2.0) == 3.0


@pytest.mark.parametrize("argnums, message", [
    (1, "no positional argument number 1"), (-2, "gives 1"),
    ("height", "width, height, depth"), ("mass", "'mass'"),
    ((0, 0), "twice"), ((0, "width"), "twice"), ((0, -1), "twice")])
def test_an_argument_that_is_not_there_or_there_twice_is_refused(argnums: Any, message: str) -> None:
    with pytest.raises(ag.InputError, match=message):
        grad(volume, argnums)(5.0)


def test_auxiliary_results_come_along() -> None:
    def f(x: Any) -> Any:
        return x * x, {"half": x / 2.0, "name": "parabola", "n": 3}
    gradient, aux = grad(f, has_aux=True)(4.0)
    assert gradient == 8.0 and aux == {"half": 2.0, "name": "parabola", "n": 3}
    assert type(aux["half"]) is float
    (value, aux), gradient = value_and_grad(f, has_aux=True)(4.0)
    assert value == 16.0 and gradient == 8.0 and aux["half"] == 2.0


def test_an_auxiliary_result_keeps_its_dependence_on_the_callers_values() -> None:
    c = Value(3.0)
    _, aux = grad(lambda x: (x * x, [x * c, x]), has_aux=True)(4.0)
    aux[0].backward()
    assert c.grad == 4.0 and aux[1] == 4.0 and type(aux[1]) is float
    assert grad(lambda y: grad(lambda x: (x * y, x * y * y), has_aux=True)(2.0)[1])(5.0) == 20.0


def test_a_missing_auxiliary_result_is_refused() -> None:
    with pytest.raises(ag.InputError, match="has_aux"):
        grad(lambda x: x * x, has_aux=True)(1.0)


@pytest.mark.parametrize("result", [[1.0, 2.0], None, "text", {"a": 1.0}, np.array([1.0, 2.0])])
def test_a_gradient_needs_one_number(result: Any) -> None:
    with pytest.raises(ag.InputError, match="a gradient needs one number"):
        grad(lambda x: result)(1.0)


@pytest.mark.parametrize("f", [Value(2.0), 3, None])
@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian, derivative,
                                       jvp, vjp, hvp, ag.taylor])
def test_what_is_no_function_is_refused_at_once(transform: Any, f: Any) -> None:
    arguments = {jvp: ((1.0,), (1.0,)), hvp: ((1.0,), (1.0,)), vjp: (1.0,), ag.taylor: (1.0, 2)}
    with pytest.raises(ag.InputError, match=f"^{transform.__name__} takes a function, got (V|int 3|None)"):
        transform(f, *arguments.get(transform, ()))


@pytest.mark.parametrize("call, message", [
    (lambda: grad(squares)(None), "^squares: expected a number, .* got None$"),
    (lambda: grad(lambda x: 1j)(1.0), "returned complex 1j; a gradient"),
    (lambda: derivative(squares)([1.0]), r"of one number, not of list \[1.0\]"),
    (lambda: hvp(squares, [1.0], [1.0, 2.0]), r"for one list argument write \(\[…\],\); they have 1 and 2"),
    (lambda: jvp(squares, ([1.0],), ([1.0, 2.0],)), r"it has 2 entries at \[0\], not 1")])
def test_a_wrong_call_is_answered_with_the_right_one(call: Function, message: str) -> None:
    with pytest.raises(ag.InputError, match=message):
        call()


def test_a_point_that_may_be_meant_as_one_list_argument_is_noted_on_the_error() -> None:
    for point in ([1.0], [1.0, 2.0]):
        with pytest.raises(TypeError) as error:
            hvp(lambda p: p[0] * p[0], point, point)
        assert "for one list argument write ([…],)" in error.value.__notes__[0]


def test_an_argument_that_does_not_reach_the_result_has_gradient_0_or_raises() -> None:
    f = lambda p: p[0] * 2.0  # noqa: E731
    assert grad(f)([1.0, 5.0]) == [2.0, 0.0]
    assert grad(lambda x: 3.0)(1.0) == 0.0
    for g in (f, lambda p: p[0] * 2.0 + 0.0 * stop_gradient(p[1])):
        with pytest.raises(ag.GradientError, match="number 1 of the selected arguments"):
            grad(g, unused="raise")([1.0, 5.0])
    assert grad(lambda p: p[0] + 0.0 * p[1], unused="raise")([1.0, 5.0]) == [1.0, 0.0]
    assert grad(lambda p: p[0] + 0.0 * ag.sqrt(p[1]), unused="raise")([1.0, 0.0]) == [1.0, 0.0]
    with pytest.raises(ag.InputError, match="'zero' or 'raise'"):
        grad(f, unused="warn")  # type: ignore[arg-type]


def test_a_transform_keeps_the_functions_name_and_signature() -> None:
    assert grad(volume).__name__ == "volume"
    assert value_and_grad(functools.partial(volume, height=3.0))(1.0) == (9.0, 9.0)


def test_the_value_is_a_float_and_so_is_the_gradient() -> None:
    value, gradient = value_and_grad(lambda x: ag.exp(x))(1.0)
    assert type(value) is type(gradient) is float and value == gradient == math.exp(1.0)
    assert value_and_grad(lambda x: x)(2.0) == (2.0, 1.0)
    assert value_and_grad(lambda x: 5)(2.0) == (5.0, 0.0)


@python_build
def test_a_gradient_at_plain_numbers_is_one_pass_over_floats_and_needs_no_graph_of_partials(
        monkeypatch: pytest.MonkeyPatch) -> None:
    class Recorded(Exception):
        pass

    def refuse(*args: Any) -> Any:
        raise Recorded
    for name in ("program", "linear", "varies", "outer"):
        monkeypatch.setattr(Trace, name, property(refuse))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backward, "checked", refuse)                              # no careful pass
        assert grad(lambda x: ag.exp(x) * x)(2.0) == 3.0 * math.exp(2.0)
        assert value_and_grad(lambda p: p[0] * p[1])([2.0, 5.0]) == (10.0, [5.0, 2.0])
        assert grad(lambda x, y: x * x)(2.0, Value(5.0)) == 4.0
        assert jacobian(lambda p: [p[0] * p[1]])([2.0, 5.0]) == [[5.0, 2.0]]
        with pytest.raises(Recorded):
            grad(lambda x: x * 1e200 * 1e200)(1e-300)
    assert grad(lambda x: ag.sqrt(x) * 0.0 + x)(0.0) == 1.0                     # in a careful pass
    w = Value(3.0)
    for call in (lambda: grad(lambda x: x * x)(Value(2.0)), lambda: grad(lambda x: w * x)(2.0),
                 lambda: hessian(lambda x: x * x)(2.0)):
        with pytest.raises(Recorded):
            call()


# -- nesting and mixing -------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [grad, derivative, jacobian, lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
                               lambda f: lambda x: vjp(f, x)[1](1.0)[0]])
@pytest.mark.parametrize("e", [grad, derivative, jacobian, lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
                               lambda f: lambda x: vjp(f, x)[1](1.0)[0]])
def test_no_perturbation_is_taken_for_another(d: Function, e: Function) -> None:
    assert d(lambda x: x * e(lambda y: x + y)(1.0))(3.0) == 1.0
    assert d(lambda x: x * e(lambda y: x * y)(1.0))(3.0) == 6.0
    assert d(lambda x: x * e(lambda y: x * y)(x))(3.0) == 6.0
    assert d(lambda x: e(lambda y: x * y * y)(x))(3.0) == 12.0
    assert d(lambda x: e(lambda y: e(lambda z: x * y * z * z)(y))(x))(3.0) == 24.0
    assert d(lambda x: x * e(lambda y: ag.exp(x * y))(2.0))(1.0) == pytest.approx(4 * math.exp(2.0))
    result = d(lambda x: x * e(lambda y: x * x * y ** 3)(2.0))(1.0)
    assert result == 36.0 and type(result) is float


@given(st.integers(-8, 8).map(lambda n: n / 4))
@settings(max_examples=20, deadline=None)
def test_orders_add_up(x: float) -> None:
    f = lambda x: ag.exp(ag.sin(x)) * x  # noqa: E731
    fourth = pytest.approx(grad(grad(grad(grad(f))))(x), rel=1e-12, abs=1e-12)
    assert derivative(f, 4)(x) == fourth
    assert jacobian(jacobian(grad(grad(f))))(x) == fourth
    assert hessian(grad(grad(f)))(x) == fourth
    assert grad(grad(hessian(f)))(x) == fourth
    assert hvp(grad(grad(f)), (x,), (1.0,)) == fourth
    assert jvp(grad(lambda x: jvp(grad(f), (x,), (1.0,))[1]), (x,), (1.0,))[1] == fourth


def test_a_gradient_at_a_value_is_recorded_and_at_a_constant_is_a_float() -> None:
    v = Value(3.0, "v")
    y = grad(lambda x: x ** 3)(v)
    assert isinstance(y, Value) and y.data == 27.0
    y.backward()
    assert v.grad == 18.0
    constant = grad(lambda x: x ** 3)(Value(3.0, requires_grad=False))
    assert type(constant) is float and constant == 27.0
    value, gradient = value_and_grad(lambda p: p[0] * p[1])([v, 2.0])
    assert isinstance(value, Value) and gradient == [2.0, 3.0] and isinstance(gradient[1], Value)


def test_no_gradient_is_asked_of_a_leaf_that_the_function_froze() -> None:
    def f(x: Any) -> Any:
        w = Value(1e-320)
        y = x * x + w * 1e300 * 1e300                   # too large a gradient for w
        w.requires_grad = False
        return y
    assert grad(f)(2.0) == 4.0


def test_a_captured_value_is_never_turned_into_a_float() -> None:
    c = Value(2.0)
    for gradient in (grad(lambda x: c * x * x)(3.0), jacobian(lambda x: [c * x * x])(3.0)[0],
                     vjp(lambda x: c * x * x, 3.0)[1](1.0)[0], jvp(lambda x: c * x * x, (3.0,), (1.0,))[1],
                     hessian(lambda x: c * x * x * x / 3.0)(3.0), derivative(lambda x: c * x * x)(3.0)):
        assert isinstance(gradient, Value) and gradient.data == pytest.approx(12.0)
        c.grad = 0.0
        gradient.backward()
        assert c.grad == pytest.approx(6.0)
    value, pull = vjp(lambda x: x * x, 3.0)
    assert isinstance(pull(c)[0], Value) and pull(c)[0] == 12.0
    assert isinstance(jvp(lambda x: x * x, (3.0,), (c,))[1], Value)


def test_a_captured_parameter_keeps_its_gradient() -> None:
    w = Value(2.0)
    w.grad = 7.0
    for transform in (grad, jacobian, hessian, derivative, value_and_grad):
        transform(lambda x: w * x * x)(3.0)
        transform(lambda x: x * x)(w)
    jvp(lambda x: w * x, (1.0,), (1.0,))
    vjp(lambda x: w * x, 1.0)[1](1.0)
    assert w.grad == 7.0


def test_a_value_without_path_to_the_result_does_not_make_it_recorded() -> None:
    w = Value(2.0)
    assert type(grad(lambda x: w.data * x)(1.0)) is float
    assert type(grad(lambda x: stop_gradient(w) * x)(1.0)) is float
    with no_grad():
        constant = w * 2.0
    assert type(grad(lambda x: constant * x)(1.0)) is float


def test_a_gradient_is_found_under_no_grad_and_none_flows_through_it() -> None:
    with no_grad():
        assert grad(lambda x: x * x)(3.0) == 6.0
        assert hessian(lambda x: x * x)(3.0) == 2.0
        assert derivative(lambda x: x ** 3, 2)(3.0) == 18.0

    def f(x: Any) -> Any:
        with no_grad():
            frozen = x * x
        return frozen * x
    assert grad(f)(3.0) == 9.0 and derivative(f, 2)(3.0) == 0.0
    assert jvp(f, (3.0,), (1.0,)) == (27.0, 9.0)


def test_stop_gradient_stops_every_transform() -> None:
    f = lambda x: x * stop_gradient({"a": [x]})["a"][0]  # noqa: E731
    assert grad(f)(3.0) == 3.0
    assert derivative(f, 2)(3.0) == hessian(f)(3.0) == 0.0
    assert jvp(f, (3.0,), (1.0,))[1] == 3.0
    assert stop_gradient(3.0) == 3.0


def test_branches_and_loops_are_as_they_are() -> None:
    def f(x: Any) -> Any:
        while x < 10.0:
            x = x * 2.0 if x > 0 else -x
        return x
    assert grad(f)(3.0) == 4.0 and grad(f)(-3.0) == -4.0 and grad(f)(20.0) == 1.0


def test_a_function_that_backpropagates_inside_does_not_disturb() -> None:
    w = Value(3.0)

    def f(x: Any) -> Any:
        (w * w).backward()
        return x * x
    assert grad(f)(2.0) == 4.0 and w.grad == 6.0


# -- laws -------------------------------------------------------------------------------------------------

SIZE = 4
functions = computations(8, [*SMOOTH, "relu", "softmax", "atan", "silu"], SIZE, rounded(1))
directions = st.lists(st.integers(-20, 20).map(lambda n: n / 8), min_size=SIZE, max_size=SIZE)


def outputs(f: Expression, x: Sequence[Any]) -> list[Any]:
    """The results of all its steps."""
    return results(f, x)[SIZE:]


def product(a: Sequence[float], b: Sequence[float]) -> float:
    return math.fsum(map(operator.mul, a, b))


def scale(f: Expression) -> float:
    """What the rounding of any of its derivatives is measured against: the sizes of all terms, added up."""
    leaves, nodes = recorded(f)
    sizes = oracle.backward(ag.sum(nodes), 1, oracle.size)
    return 1.0 + max(float(sizes[leaf]) for leaf in leaves) + max(abs(node.data) for node in nodes)


@given(functions, directions)
@settings(max_examples=100, deadline=None)
def test_jvp_is_the_transpose_of_vjp(e: Expression, u: list[float]) -> None:
    f = lambda x: outputs(e, x)  # noqa: E731
    x = list(e.witness)
    value, along = jvp(f, (x,), (u,))
    same, pull = vjp(f, x)
    v = [float(k + 1) for k in range(len(value))]
    assert value == same == [float(y) for y in outputs(e, x)]
    size = scale(e) * product(map(abs, v), map(abs, v)) + math.fsum(abs(a * b) for a, b in zip(v, along))
    assert product(v, along) == pytest.approx(product(pull(v)[0], u), rel=1e-11, abs=1e-11 * size)


@given(functions)
@settings(max_examples=100, deadline=None)
def test_a_jacobian_is_the_gradients_of_its_rows_and_the_jvps_of_its_columns(e: Expression) -> None:
    f = lambda x: outputs(e, x)  # noqa: E731
    x = list(e.witness)
    ours = np.array(jacobian(f)(x))
    rows = [grad(lambda x, k=k: f(x)[k])(x) for k in range(len(ours))]
    columns = [jvp(f, (x,), ([float(i == k) for i in range(SIZE)],))[1] for k in range(SIZE)]
    np.testing.assert_allclose(ours, rows, rtol=1e-12, atol=1e-12 * scale(e))
    np.testing.assert_allclose(ours.T, columns, rtol=1e-12, atol=1e-12 * scale(e))


@given(functions, directions)
@settings(max_examples=60, deadline=None)
def test_a_hessian_is_symmetric_and_hvp_is_its_product(e: Expression, u: list[float]) -> None:
    f = lambda x: ag.sum(outputs(e, x))  # noqa: E731
    x = list(e.witness)
    assume(all(node.op != "hypot" or node.data for node in recorded(e)[1]))      # it has none at (0, 0)
    h = np.array(hessian(f)(x))
    atol = 1e-12 * scale(e) ** 2
    np.testing.assert_allclose(h, h.T, rtol=1e-12, atol=atol)
    np.testing.assert_allclose(hvp(f, (x,), (u,)), h @ u, rtol=1e-11, atol=10 * atol)
    np.testing.assert_allclose(jacobian(grad(f))(x), h)


@given(functions, functions)
@settings(max_examples=60, deadline=None)
def test_the_gradient_is_linear_and_obeys_the_product_rule(one: Expression, other: Expression) -> None:
    f = lambda x: outputs(one, x)[-1]  # noqa: E731
    g = lambda x: outputs(other, x)[-1]  # noqa: E731
    x = list(one.witness)
    other = dataclasses.replace(other, witness=one.witness)
    df, dg = np.array(grad(f)(x)), np.array(grad(g)(x))
    size = scale(one) + scale(other)
    np.testing.assert_allclose(grad(lambda x: 2.0 * f(x) - g(x))(x), 2.0 * df - dg, atol=1e-12 * size)
    np.testing.assert_allclose(grad(lambda x: f(x) * g(x))(x), df * g(x) + f(x) * dg,
                               rtol=1e-12, atol=1e-12 * size ** 2)


@given(functions)
@settings(max_examples=60, deadline=None)
def test_a_recorded_gradient_has_the_numbers_of_the_plain_one(e: Expression) -> None:
    f = lambda x: outputs(e, x)[-1]  # noqa: E731
    graphs = grad(f)([Value(entry) for entry in e.witness])
    assert [g.data if isinstance(g, Value) else g for g in graphs] == pytest.approx(
        grad(f)(list(e.witness)), rel=1e-12, abs=1e-12 * scale(e))


# -- the edges of NUMERICS.md, under every transform ----------------------------------------------------

FIRST: dict[str, Callable[[Function, float], float]] = {
    "grad": lambda f, x: grad(f)(x),
    "recorded": lambda f, x: grad(lambda v: grad(lambda x: f(x) * v)(x))(1.0),
    "jacobian by row": lambda f, x: jacobian(lambda x: [f(x)])(x)[0],
    "jacobian by column": lambda f, x: jacobian(lambda x: [f(x), f(x)])(x)[1],
    "jvp": lambda f, x: jvp(f, (x,), (1.0,))[1],
    "vjp": lambda f, x: vjp(f, x)[1](1.0)[0],
    "derivative": lambda f, x: derivative(f)(x),
}
every_transform = pytest.mark.parametrize("transform", FIRST)


@every_transform
@pytest.mark.parametrize("f, x, expected", [
    (lambda x: x ** 0, 0.0, 0.0),
    (lambda x: x ** 2, 0.0, 0.0),
    (lambda x: x ** 1, 0.0, 1.0),
    (lambda x: x ** 3, -2.0, 12.0),
    (lambda x: x ** 3.0, -2.0, 12.0),
    (lambda x: abs(x), 0.0, 0.0),
    (lambda x: ag.relu(x), 0.0, 0.0),
    (lambda x: ag.relu(x, 1.0), 0.0, 1.0),
    (lambda x: ag.maximum(x, 0.0), 0.0, 0.5),
    (lambda x: ag.minimum(x, x), 3.0, 1.0),
    (lambda x: ag.maximum(2.0 * x, 0.0), 0.0, 1.0),
    (lambda x: ag.hypot(x, 0.0), 0.0, 0.0),
    (lambda x: ag.sigmoid(x), 1000.0, 0.0),
    (lambda x: ag.tanh(x), -1000.0, 0.0),
    (lambda x: ag.softplus(x), 1000.0, 1.0),
    (lambda x: 0.0 * ag.sqrt(x), 0.0, 0.0),
    (lambda x: x * ag.sqrt(x), 0.0, 0.0),
    (lambda x: ag.relu(ag.sqrt(x) - 1.0), 0.0, 0.0),
    (lambda x: 0.0 * ag.atan2(x, 0.0), 0.0, 0.0),
    (lambda x: x if x > 0.0 else 5.0 * x, 0.0, 5.0),
])
def test_first_derivatives_at_edges(transform: str, f: Function, x: float, expected: float) -> None:
    ours = FIRST[transform](f, x)
    assert ours == expected and type(ours) is float


@every_transform
@pytest.mark.parametrize("f, x, message", [
    (lambda x: ag.sqrt(x), 0.0, "infinite at 0"),
    (lambda x: ag.sqrt(x * x), 0.0, "use abs"),
    (lambda x: ag.sqrt(x * 0.0), 1.0, "infinite at 0"),
    (lambda x: ag.sqrt(x) + ag.sqrt(x), 0.0, "infinite at 0"),
    (lambda x: ag.cbrt(x), 0.0, "infinite at 0"),
    (lambda x: ag.asin(x), 1.0, "infinite at -1 and 1"),
    (lambda x: ag.acosh(x), 1.0, "infinite at 1"),
    (lambda x: ag.atan2(x, 0.0), 0.0, r"no derivative at \(0, 0\)"),
    (lambda x: x ** 0.5, 0.0, "infinite at 0"),
    (lambda x: (-2.0) ** x, 3.0, "positive base"),
    (lambda x: 0.0 ** x, 0.0, "positive base"),
])
def test_an_infinite_derivative_is_an_error_of_every_transform(
        transform: str, f: Function, x: float, message: str) -> None:
    with pytest.raises(ag.DomainError, match=message):
        FIRST[transform](f, x)


@every_transform
def test_errstate_chooses_under_every_transform(transform: str) -> None:
    with ag.errstate("ignore"):
        assert FIRST[transform](ag.sqrt, 0.0) == math.inf
    with ag.errstate("warn"), pytest.warns(ag.AutogradWarning, match="sqrt"):
        FIRST[transform](ag.sqrt, 0.0)
    with pytest.raises(ag.DomainError):
        FIRST[transform](ag.sqrt, 0.0)


@every_transform
@pytest.mark.parametrize("f, x, error", [
    (ag.log, 0.0, ag.DomainError), (ag.log, -1.0, ag.DomainError), (ag.acosh, 0.5, ag.DomainError),
    (lambda x: 1.0 / x, 0.0, ag.DivisionError), (lambda x: x ** -1, 0.0, ag.DivisionError),
    (lambda x: x ** (1 / 3), -8.0, ag.DomainError), (ag.exp, 710.0, ag.RangeError),
    (lambda x: x * 10.0, 1e308, ag.RangeError)])
def test_an_operation_without_result_is_an_error_of_every_transform(
        transform: str, f: Function, x: float, error: type[Exception]) -> None:
    with pytest.raises(error):
        FIRST[transform](f, x)


@every_transform
def test_a_derivative_too_large_is_a_range_error(transform: str) -> None:
    with pytest.raises(ag.RangeError, match="too large"):
        FIRST[transform](lambda x: x * 1e200 * 1e200, 1e-300)


@every_transform
@pytest.mark.parametrize("x", [math.nan, math.inf])
def test_a_nan_or_inf_given_goes_through(transform: str, x: float) -> None:
    ours = FIRST[transform](lambda x: x * x, x)
    assert math.isnan(ours) if math.isnan(x) else ours == math.inf
    assert FIRST[transform](lambda x: 3.0 * x, x) == 3.0


SECOND: dict[str, Callable[[Function, float], float]] = {
    "hessian": lambda f, x: hessian(f)(x),
    "grad of grad": lambda f, x: grad(grad(f))(x),
    "hvp": lambda f, x: hvp(f, (x,), (1.0,)),
    "derivative": lambda f, x: derivative(f, 2)(x),
    "grad of derivative": lambda f, x: grad(derivative(f))(x),
    "derivative of grad": lambda f, x: derivative(grad(f))(x),
    "sparse hessian": lambda f, x: hessian(f, sparse=True)(x)[0, 0],
}
every_second = pytest.mark.parametrize("transform", SECOND)


@every_second
@pytest.mark.parametrize("f, x, expected", [
    (lambda x: x ** 0, 0.0, 0.0),
    (lambda x: x ** 1, 0.0, 0.0),
    (lambda x: x ** 2, 0.0, 2.0),
    (lambda x: x ** 3, -2.0, -12.0),
    (lambda x: abs(x), 0.0, 0.0),
    (lambda x: ag.relu(x) ** 2, 0.0, 0.0),
    (lambda x: abs(x) * x, -1.0, -2.0),
    (lambda x: 0.0 * ag.sqrt(x), 0.0, 0.0),
    (lambda x: ag.relu(ag.sqrt(x) - 1.0), 0.0, 0.0),
    (lambda x: ag.hypot(x, 0.0) ** 3, 0.0, 0.0),
    (lambda x: ag.tanh(x), 1000.0, 0.0),
    (lambda x: 3.0, 1.0, 0.0),
])
def test_second_derivatives_at_edges(transform: str, f: Function, x: float, expected: float) -> None:
    assert SECOND[transform](f, x) == expected


@every_second
@pytest.mark.parametrize("f", [ag.sqrt, lambda x: x * ag.sqrt(x), lambda x: x ** 1.5,
                               lambda x: ag.hypot(x, 0.0)])
def test_an_infinite_second_derivative_is_an_error(transform: str, f: Function) -> None:
    with pytest.raises(ag.DomainError):
        SECOND[transform](f, 0.0)


def test_a_zero_gradient_stopped_at_an_infinite_derivative_is_not_a_constant() -> None:
    f = lambda x, y: x * ag.sqrt(y)  # noqa: E731
    assert grad(f, 1)(0.0, 0.0) == 0.0
    with pytest.raises(ag.DomainError):
        grad(grad(f, 1), 0)(0.0, 0.0)           # it is 1/(2√y)
    with pytest.raises(ag.DomainError):
        hvp(lambda p: f(*p), ([0.0, 0.0],), ([1.0, 0.0],))
    assert grad(grad(f, 1), 0)(0.0, 4.0) == 0.25


def test_a_captured_base_of_0_or_less_has_no_derivative_by_the_exponent() -> None:
    assert grad(lambda x: x ** Value(3.0, requires_grad=False))(-2.0) == 12.0
    with pytest.raises(ag.DomainError, match="positive base"):
        grad(lambda e: grad(lambda x: x ** e)(-2.0))(3.0)


# -- errors --------------------------------------------------------------------------------------------


def test_errors_name_the_label() -> None:
    with pytest.raises(ag.DomainError, match="sqrt.*'radius'"):
        grad(lambda p: ag.sqrt(p))(Value(0.0, "radius"))
    with pytest.raises(ag.DomainError, match="sqrt.*'radius'"):
        jvp(ag.sqrt, (Value(0.0, "radius"),), (1.0,))


def test_directions_must_fit_the_point() -> None:
    with pytest.raises(ag.InputError, match="they have 2 and 1 entries"):
        jvp(lambda x, y: x * y, (1.0, 2.0), (1.0,))
    with pytest.raises(ag.InputError, match="the cotangent must have the shape of the result: it has list"):
        vjp(lambda x: x, 1.0)[1]([1.0, 2.0])
    with pytest.raises(ag.InputError, match="as tuples"):
        jvp(lambda x: x, 1.0, 1.0)  # type: ignore[arg-type]
    with pytest.raises(ag.InputError, match=r"it has str '1' at \[0\], not a real number"):
        jvp(lambda x: x, (1.0,), ("1",))


def test_an_error_leaves_no_trace_on_captured_values() -> None:
    w = Value(0.0)
    w.grad = 5.0
    with pytest.raises(ag.DomainError):
        grad(lambda x: ag.sqrt(w * x))(1.0)
    assert w.grad == 5.0 and w.requires_grad


def test_a_deep_graph_is_no_obstacle() -> None:
    def f(x: Any) -> Any:
        y = x
        for _ in range(5_000):
            y = 0.5 * y + x
        return y * y
    assert grad(f)(1.0) == pytest.approx(8.0)
    assert hessian(f)(1.0) == pytest.approx(8.0)
    assert jvp(f, (1.0,), (1.0,))[1] == pytest.approx(8.0)


@pytest.mark.parametrize("argnums", [None, 1.0, [1.0], [0, None]])
def test_argnums_that_select_nothing_are_refused(argnums) -> None:
    with pytest.raises(ag.InputError, match="the position or the name of an argument"):
        grad(lambda x: x * x, argnums)(1.0)


@pytest.mark.parametrize("f, x", [(lambda x: 1 / x, 1e-160), (ag.sqrt, 0.0), (ag.log, 1e-320),
                                  (ag.acos, 1.0)])
def test_a_second_derivative_that_is_not_finite_is_never_a_silent_zero(f, x) -> None:
    with ag.errstate("ignore"):
        assert not math.isfinite(grad(grad(f))(x)) and not math.isfinite(derivative(f, order=2)(x))
        assert not math.isfinite(hvp(f, (x,), (1.0,)))


@pytest.mark.parametrize("f, x, error", [
    (ag.log, 1e-320, ag.RangeError), (lambda x: x ** -3, 1e-90, ag.RangeError),
    (ag.sqrt, 0.0, ag.DomainError), (ag.cbrt, 0.0, ag.DomainError)])
def test_a_derivative_too_large_and_one_that_is_missing_are_told_apart_in_every_mode(f, x, error) -> None:
    for transform in (grad(f), grad(grad(f)), derivative(f), derivative(f, 3), jacobian(f), hessian(f),
                      lambda x: jvp(f, (x,), (1.0,)), lambda x: vjp(f, x)[1](1.0),
                      lambda x: f(Value(x)).backward()):
        with pytest.raises(error, match="gradient through"):
            transform(x)


@pytest.mark.parametrize("a, b, slope", [(-2.0, 3.0, 12.0), (0.0, 2.0, 0.0)])
def test_a_direction_that_leaves_an_operand_alone_needs_no_derivative_by_it(a, b, slope) -> None:
    assert jvp(lambda a, b: a ** b, (a, b), (1.0, 0.0)) == (a ** b, slope)
    with pytest.raises(ag.DomainError):
        jvp(lambda a, b: a ** b, (a - 1e-3, b), (1.0, 1.0))
