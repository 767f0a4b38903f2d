"""Objects of the users' own classes as arguments and results, and the shapes of Jacobians by several."""
from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value, compile, grad, hessian, jacobian, register
from autograd_lite.ops.numbers import Ieee
from autograd_lite.transforms.registered import _same


class Point:
    """Two numbers, and what is no part: a unit and a scale."""

    def __init__(self, x: Any, y: Any, unit: str = "m", scale: float = 1.0):
        self.x, self.y, self.unit, self.scale = x, y, unit, scale


class Node:
    """With slots, named parts, and structures within."""

    __slots__ = ("weights", "name", "inner")

    def __init__(self, weights: Any, name: str, inner: Any = None):
        self.weights, self.name, self.inner = weights, name, inner


class Farther(Point):
    pass


register(Point, lambda p: [p.x, p.y], lambda p, parts: type(p)(*parts, p.unit, p.scale))
register(Node, lambda n: {"weights": n.weights, "name": n.name, "inner": n.inner},
         lambda n, parts: Node(parts["weights"], parts["name"].strip(), parts["inner"]))
AS_IT_IS = pytest.mark.parametrize("made", [lambda f: f, compile], ids=["eager", "compiled"])


def area(p: Any) -> Any:
    return p.x * p.y * p.scale * (2.0 if p.unit == "m" else 3.0)


def refused(match: str) -> Any:
    return pytest.raises(ag.InputError, match=match)


@AS_IT_IS
def test_a_registered_object_is_an_argument_and_a_result(made: Any) -> None:
    slope = made(grad(area))
    for p, expected in ((Point(2.0, 5.0), (10.0, 4.0)), (Point(2.0, 5.0, "km"), (15.0, 6.0)),
                        (Point(2.0, 5.0, "km", 10.0), (150.0, 60.0)), (Farther(3.0, 5.0), (10.0, 6.0))):
        found = slope(p)
        assert (found.x, found.y) == expected
        assert (type(found), found.unit, found.scale) == (type(p), p.unit, p.scale)
    second = made(hessian(area))(Point(2.0, 5.0))
    assert [(row.x, row.y) for row in (second.x, second.y)] == [(0.0, 2.0), (2.0, 0.0)]
    result = made(jacobian(lambda a: Point(a * a, 3.0 * a, "s")))(2.0)
    assert (result.x, result.y, result.unit) == (4.0, 3.0, "s")


@AS_IT_IS
def test_named_parts_may_hold_structures_objects_and_text(made: Any) -> None:
    tree = Node([1.0, 2.0], "outer", Node(np.ones(2), "inner"))
    found = made(grad(lambda n: n.weights[1] ** 2 * ag.sum(n.inner.weights)))(tree)
    assert found.weights == [0.0, 8.0] and found.name == "outer"
    assert found.inner.weights.tolist() == [4.0, 4.0] and found.inner.name == "inner"


def test_directions_and_cotangents_are_matched_by_part() -> None:
    assert ag.jvp(area, (Point(1.0, 2.0),), (Point(1.0, 0.0),)) == (4.0, 4.0)
    value, pull = ag.vjp(lambda a: Node(a * a, "n"), 3.0)
    assert value.weights == 9.0 and pull(Node(2.0, "n")) == (12.0,)
    with refused("not a Point"):
        ag.jvp(area, (Point(1.0, 2.0),), (1.0,))
    assert ag.stop_gradient(Point(Value(1.0), 2.0)).x.requires_grad is False


def test_what_a_compiled_function_reads_besides_the_parts_is_not_frozen() -> None:
    fast = compile(area)
    found = [fast(Point(1.0, 2.0, unit, scale)) for unit in ("m", "km") for scale in (1.0, 2.0)]
    assert found == [4.0, 8.0, 6.0, 12.0]
    assert fast(Point(3.0, 2.0)) == 12.0 and fast.stats.programs == 4


def test_rest_says_what_a_compiled_function_may_read() -> None:
    class Tagged:
        def __init__(self, x: Any, scale: float, tag: object):
            self.x, self.scale, self.tag = x, scale, tag

    register(Tagged, lambda t: [t.x], lambda t, parts: Tagged(*parts, t.scale, t.tag), rest=lambda t: t.scale)
    fast = compile(lambda t: t.x * t.scale)
    assert [fast(Tagged(3.0, scale, object())) for scale in (1.0, 1.0, 2.0)] == [3.0, 3.0, 6.0]
    assert fast.stats.programs == 2


def test_what_cannot_be_registered_is_refused_in_words() -> None:
    for cls in (list, dict, tuple, float, int, Value, object, np.ndarray and "text"):
        with refused("class of your own"):
            register(cls, list, list)  # type: ignore[arg-type]
    with refused("register"):
        register(type("C", (), {}), 1, 2)  # type: ignore[arg-type]
    odd = type("Odd", (), {})
    with refused("Odd .*autograd_lite.register"):
        grad(area)(odd())
    register(odd, lambda o: 3, lambda o, parts: o)
    with refused("parts of a Odd must be a list or a dict"):
        grad(area)(odd())


def test_dataclasses_named_tuples_and_attrs_classes_need_no_register() -> None:
    @dataclasses.dataclass(frozen=True)
    class Data:
        x: Any
        name: str = "d"

    class Named(NamedTuple):
        x: Any
        name: str = "n"

    class Like:                                 # (as attrs makes them)
        __attrs_attrs__ = (type("Attribute", (), {"name": "x"}), type("Attribute", (), {"name": "name"}))

        def __init__(self, x: Any, name: str = "l"):
            self.x, self.name = x, name

    for cls in (Data, Named, Like):
        for f in (grad(lambda t: t.x ** 2), compile(grad(lambda t: t.x ** 2))):
            found = f(cls(3.0))
            assert (type(found), found.x, found.name) == (cls, 6.0, cls.__name__[0].lower())


def test_attrs_classes() -> None:
    attrs = pytest.importorskip("attrs")
    fields = {"x": attrs.field(), "_k": attrs.field(default="k")}
    cls = attrs.make_class("Frozen", fields, frozen=True, slots=True)
    assert grad(lambda a: a.x ** 2)(cls(3.0)) == cls(6.0)


def test_a_series_of_pandas_can_be_registered() -> None:
    pd = pytest.importorskip("pandas")
    register(pd.Series, lambda s: s.tolist(), lambda s, parts: pd.Series(parts, s.index))
    found = grad(lambda s: (s * s).sum())(pd.Series([1.0, 2.0], index=["a", "b"]))
    assert found.to_dict() == {"a": 2.0, "b": 4.0}


# -- Jacobians by several arguments -------------------------------------------------------------------

W, B, X = np.arange(6.0).reshape(2, 3), np.ones(2), np.array([0.1, 0.2, 0.3])


def layer(w: Any, b: Any, x: Any) -> Any:
    return w @ x + b


def shape(tree: Any) -> Any:
    """The structure with the shapes of its arrays."""
    if isinstance(tree, (list, tuple)):
        return type(tree)(map(shape, tree))
    if isinstance(tree, dict):
        return {key: shape(x) for key, x in tree.items()}
    return tree.shape if isinstance(tree, np.ndarray) and tree.dtype == float else type(tree)


@AS_IT_IS
def test_a_jacobian_by_several_arguments_has_a_tuple_for_each_number_or_array(made: Any) -> None:
    by_b, by_x = made(jacobian(layer, (1, 2)))(W, B, X)
    np.testing.assert_array_equal(by_b, np.eye(2))
    np.testing.assert_array_equal(by_x, W)
    assert shape(made(jacobian(layer, (0,)))(W, B, X)) == ((2, 2, 3),)
    found = made(jacobian(lambda b, x: {"y": W @ x + b, "s": [ag.sum(x), None]}, (0, 1)))(B, X)
    assert shape(found) == {"y": ((2, 2), (2, 3)), "s": [((2,), (3,)), type(None)]}
    assert made(jacobian(lambda a, b: (a * b, [a]), ("b", "a")))(2.0, 3.0) == ((2.0, 3.0), [(0.0, 1.0)])
    assert made(jacobian(lambda a, b: [], (0, 1)))(2.0, 3.0) == []


@AS_IT_IS
def test_a_jacobian_of_an_array_by_a_dict_is_a_dict_of_arrays(made: Any) -> None:
    found = made(jacobian(lambda p: layer(p["w"], p["b"], X)))({"w": W, "b": B})
    assert shape(found) == {"w": (2, 2, 3), "b": (2, 2)}
    np.testing.assert_array_equal(found["w"][0, 0], X)
    two = made(jacobian(lambda p, x: layer(p["w"], 0.0, x), (0, 1)))({"w": W, "n": "text"}, X)
    assert shape(two) == ({"w": (2, 2, 3), "n": str}, (2, 3))


@AS_IT_IS
def test_a_hessian_by_several_arguments_is_a_tuple_of_tuples(made: Any) -> None:
    assert made(hessian(lambda a, b: a * b ** 2, (0, 1)))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))
    found = made(hessian(lambda b, x: ag.sum(b) * ag.sum(x) ** 2, (0, 1)))(B, X)
    assert shape(found) == (((2, 2), (2, 3)), ((3, 2), (3, 3)))
    np.testing.assert_allclose(found[1][0], np.full((3, 2), 1.2), rtol=1e-15)
    deep = made(hessian(lambda p: ag.sum(p["a"]) * p["b"] ** 2))({"a": B, "b": 3.0})
    assert shape(deep) == {"a": {"a": (2, 2), "b": (2,)}, "b": {"a": (2,), "b": float}}


@pytest.mark.parametrize("wrong",
                         [(list, None), (None, list), (list, list, 5), (None, None), (list, 5, list)])
def test_what_takes_an_object_apart_and_makes_one_must_be_functions(wrong: Any) -> None:
    class Thing:
        """Of no interest."""
    with pytest.raises(ag.InputError,
                       match=r"^register: write register\(cls, parts, again\), with functions"):
        register(Thing, *wrong)


@pytest.mark.parametrize("a, b, same", [
    (1.0, 1.0, True), (0.0, -0.0, False), (float("nan"), float("nan"), True), (1, 1, True), (1, 2, False),
    (1, 1.0, False), (True, 1, False), ("a", "a", True), ("a", "b", False), (b"a", b"a", True),
    ([1.0, "a"], [1.0, "a"], True), ([1.0], [1.0, 2.0], False), ([1.0, 2.0], [1.0], False), ([], [], True),
    ((1, (2,)), (1, (2,)), True), ((1, (2,)), (1, (3,)), False), ([1], (1,), False),
    ({"a": 1}, {"a": 1}, True), ({"a": 1}, {"a": 2}, False), ({"a": 1}, {"b": 1}, False),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False), (None, None, True), (complex(1), complex(1), False),
    (Ieee(1.0), Ieee(2.0), True), (object(), object(), False), (len, len, True)])
def test_what_else_an_object_holds_is_the_same_if_kind_and_content_are(a: Any, b: Any, same: bool) -> None:
    assert _same(a, b) is same and _same(b, a) is same


def test_parts_by_name_are_matched_by_name_and_those_in_a_list_by_place() -> None:
    class Named:
        def __init__(self, **parts: Any):
            self.parts = parts

    class Listed:
        def __init__(self, *parts: Any):
            self.parts = parts
    register(Named, lambda thing: thing.parts, lambda thing, parts: Named(**parts))
    register(Listed, lambda thing: list(thing.parts), lambda thing, parts: Listed(*parts))
    point = Named(a=2.0, b=5.0)
    assert ag.jvp(lambda p: p.parts["a"] * p.parts["b"], (point,), ({"b": 1.0, "a": 0.0},)) == (10.0, 2.0)
    assert ag.jvp(lambda p: p.parts[0] * p.parts[1], (Listed(2.0, 5.0),), ([0.0, 1.0],)) == (10.0, 2.0)
    with pytest.raises(ag.InputError, match="must have the shape of the point"):
        ag.jvp(lambda p: p.parts["a"], (point,), ([0.0, 1.0],))
    with pytest.raises(ag.InputError, match="must have the shape of the point"):
        ag.jvp(lambda p: p.parts[0], (Listed(2.0, 5.0),), ({"a": 0.0, "b": 1.0},))
