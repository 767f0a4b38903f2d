"""Structures keep their kind, run none of their class's code again, and are matched by their keys."""
from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import math
import operator
import os
import subprocess
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import (Value, check_gradients, derivative, evaluate, grad, hessian, hvp, jacobian, jvp,
                           stop_gradient, taylor, value_and_grad, vjp)
from autograd_lite.transforms.structures import matched, paths
from autograd_lite.transforms.trees import leaves, rebuild, refill


def squares(tree: Any) -> Any:
    """Σ k·x² over the numbers of a structure, k = 1, 2, …: the gradient is 2·k·x."""
    return ag.sum([k * x * x for k, x in enumerate(leaves(tree), 1)])


def refused(match: str) -> Any:
    return pytest.raises(ag.InputError, match=match)


# -- dataclasses ---------------------------------------------------------------------------------


@dataclasses.dataclass
class Angle:
    """Given in degrees, kept in radians."""
    angle: Any

    def __post_init__(self) -> None:
        self.angle = self.angle * (math.pi / 180.0)


@dataclasses.dataclass(frozen=True)
class Initial:
    x: Any
    scale: dataclasses.InitVar[float]
    fixed: float = dataclasses.field(init=False, default=2.0)
    scaled: Any = dataclasses.field(init=False)
    CLASS: ClassVar[float] = 7.0

    def __post_init__(self, scale: float) -> None:
        object.__setattr__(self, "scaled", self.x * scale)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    x: Any
    y: Any = 2.0

    def __post_init__(self) -> None:
        if type(self.x) is not float or self.x < 0.0:
            raise ValueError("x must be a positive float")


@dataclasses.dataclass
class Child(Angle):
    more: Any = dataclasses.field(default_factory=list)
    name: str = "child"


T = TypeVar("T")


@dataclasses.dataclass
class Box(Generic[T]):
    x: T


SIXTY = math.radians(60.0)


def test_post_init_is_not_run_again() -> None:
    f = lambda d: ag.sin(d.angle)                                            # noqa: E731
    d = Angle(60.0)
    value, slope = value_and_grad(f)(d)
    assert value == pytest.approx(math.sin(SIXTY), rel=1e-15) and type(slope) is Angle
    assert slope.angle == pytest.approx(0.5, rel=1e-15)
    assert jvp(f, (d,), (slope,))[1] == pytest.approx(0.25, rel=1e-15)
    assert hvp(f, (d,), (slope,)).angle == pytest.approx(-0.5 * math.sin(SIXTY), rel=1e-15)
    assert hessian(f)(d).angle.angle == pytest.approx(-math.sin(SIXTY), rel=1e-15)
    assert vjp(f, d)[1](1.0)[0].angle == slope.angle
    assert d.angle == Angle(60.0).angle
    assert check_gradients(f, d, claimed=slope).ok


def test_post_init_is_not_run_again_for_what_a_function_returns() -> None:
    _, aux = grad(lambda x: (x * x, [Angle(x)]), has_aux=True)(60.0)
    assert type(aux[0].angle) is float and aux[0].angle == pytest.approx(SIXTY)
    assert stop_gradient(Angle(60.0)).angle == pytest.approx(SIXTY)
    assert grad(lambda d: d.angle * stop_gradient(d).angle)(Angle(60.0)).angle == pytest.approx(SIXTY)
    assert jacobian(Angle)(60.0).angle == math.pi / 180.0
    assert jvp(Angle, (60.0,), (2.0,))[1].angle == math.pi / 90.0
    assert derivative(Angle)(60.0).angle == math.pi / 180.0
    assert taylor(Angle, 0.0, 1).angle == [0.0, math.pi / 180.0]
    x = Value(60.0, "x")
    assert evaluate(Angle(x), {"x": 180.0}).angle == math.pi
    assert evaluate(Angle(x), wrt=x).angle == math.pi / 180.0


def test_fields_that_init_does_not_take_are_fields_too() -> None:
    point = Initial(3.0, 10.0)
    slope = grad(lambda p: p.x * p.fixed * p.scaled * p.CLASS)(point)
    assert (slope.x, slope.fixed, slope.scaled, slope.CLASS) == (420.0, 630.0, 42.0, 7.0)
    assert list(paths(point, "p")) == ["p.x", "p.fixed", "p.scaled"]
    assert check_gradients(lambda p: p.x * p.scaled, point, claimed=grad(lambda p: p.x * p.scaled)(point)).ok


def test_a_field_that_was_never_set_is_left_out() -> None:
    point = object.__new__(Initial)
    object.__setattr__(point, "x", 3.0)
    slope = grad(lambda p: p.x ** 2 * p.fixed)(point)
    assert (slope.x, slope.fixed) == (12.0, 9.0) and not hasattr(slope, "scaled")


def test_a_dataclass_that_checks_what_it_is_given_is_not_asked() -> None:
    assert grad(lambda p: p.x * p.y)(Checked(x=3.0)) == Checked(x=2.0, y=3.0)
    slope = grad(lambda p: -p.x * p.y)(Checked(x=3.0))
    assert (slope.x, slope.y) == (-2.0, -3.0)


def test_a_dataclass_keeps_what_it_inherits_and_holds() -> None:
    point = Child(180.0, [1.0, (2.0,)], "pair")
    slope = grad(squares)(point)
    assert type(slope) is Child and slope.angle == 2.0 * math.pi
    assert (slope.more, slope.name) == ([4.0, (12.0,)], "pair")
    assert grad(lambda b: b.x ** 2)(Box[float](3.0)) == Box(6.0)
    tree = grad(lambda t: t.x.x * t.x.x)(Box(Box(3.0)))
    assert tree == Box(Box(6.0))


def test_a_property_is_worked_out_anew_and_so_is_a_cached_one() -> None:
    @dataclasses.dataclass(frozen=True)
    class Side:
        x: Any

        @functools.cached_property
        def square(self) -> Any:
            return self.x * self.x

        @property
        def cube(self) -> Any:
            return self.x ** 3

    side = Side(2.0)
    assert side.square == 4.0                                       # (and is remembered)
    slope = grad(lambda s: s.square * s.cube)(side)                 # x⁵
    assert slope.x == 80.0 and slope.square == 6400.0 and side.square == 4.0
    (_, aux) = grad(lambda x: (x, Side(x * 1.0)), has_aux=True)(3.0)
    assert type(aux.square) is float and aux.square == 9.0


def test_a_number_in_an_attribute_that_is_no_field_is_not_lost() -> None:
    @dataclasses.dataclass
    class Twice:
        x: Any
        tag = "t"

        def __post_init__(self) -> None:
            self.count, self.cache, self.note = 3, {}, "kept"

    @dataclasses.dataclass
    class Hidden(Twice):
        def __post_init__(self) -> None:
            self.twice = 2.0 * self.x

    slope = grad(lambda p: p.x * p.count)(Twice(5.0))
    assert vars(slope) == {"x": 3.0, "count": 3, "cache": {}, "note": "kept"}
    for hidden in (Hidden(5.0), Hidden(Value(5.0)), Hidden(np.ones(2))):
        with refused("Hidden.twice holds a number but is not a field.* declare it as a field, or make it"):
            grad(lambda p: p.x * p.twice)(hidden)
    _, aux = grad(lambda x: (x * x, Hidden(x)), has_aux=True)(5.0)
    assert (aux.x, aux.twice) == (5.0, 10.0) and type(aux.twice) is float


class Doubling:
    """A descriptor that keeps twice what it is given."""
    def __set_name__(self, owner: Any, name: str) -> None:
        self.name = name

    def __get__(self, thing: Any, owner: Any = None) -> Any:
        return 1.0 if thing is None else thing.held[0]

    def __set__(self, thing: Any, x: Any) -> None:
        thing.__dict__["held"] = (2.0 * x,)


def test_a_field_that_changes_what_it_is_given_is_refused() -> None:
    @dataclasses.dataclass
    class Gauge:
        x: Any = Doubling()
        held: Any = dataclasses.field(init=False, default=0.0)

    gauge = Gauge(3.0)
    with refused("Gauge.x does not keep what it is given"):
        grad(lambda g: g.x * 1.0)(gauge)
    assert grad(lambda x: (x, gauge), has_aux=True)(1.0)[1] is gauge


def test_a_dataclass_may_behave_like_a_mapping() -> None:
    @dataclasses.dataclass
    class Settings(Mapping):  # type: ignore[type-arg]
        rate: Any
        name: str

        def __getitem__(self, key: str) -> Any:
            return getattr(self, key)

        def __iter__(self) -> Iterator[str]:
            return iter(["rate", "name"])

        def __len__(self) -> int:
            return 2

    slope = grad(lambda s: s.rate * s["rate"])(Settings(3.0, "adam"))
    assert type(slope) is Settings and (slope.rate, slope.name) == (6.0, "adam")


def test_a_dataclass_that_is_a_container_too_is_refused_unless_it_mirrors_its_fields() -> None:
    @dataclasses.dataclass
    class Both(list):  # type: ignore[type-arg]
        a: float = 1.0

    @dataclasses.dataclass
    class Output(collections.OrderedDict):  # type: ignore[type-arg]
        loss: Any = 1.0

        def __post_init__(self) -> None:
            self["loss"] = self.loss

    with refused("Both is a dataclass and a list at once"):
        grad(lambda p: p.a)(Both(2.0))
    slope = grad(lambda p: p.loss * p["loss"])(Output(3.0))
    assert type(slope) is Output and slope.loss == slope["loss"] == 6.0


# -- lists, tuples and dicts of other classes -------------------------------------------------------


class Readings(list):  # type: ignore[type-arg]
    def __init__(self, n: int, unit: str) -> None:
        super().__init__(float(k + 1) for k in range(n))
        self.unit = unit

    def append(self, x: Any) -> None:
        raise AssertionError("nothing is appended")

    extend = append  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("not iterated")


class Pair(tuple):  # type: ignore[type-arg]
    def __new__(cls, left: Any, right: Any) -> Pair:
        return super().__new__(cls, (left, right))


class Record(NamedTuple):
    x: Any
    y: Any = 2.0
    mode: str = "fast"

    def total(self) -> Any:
        return self.x + self.y


class Strict(Record):
    __slots__ = ()

    def __new__(cls, x: Any, y: Any) -> Strict:
        if not isinstance(x, float):
            raise ValueError("x must be a float")
        return super().__new__(cls, x, y, "strict")


class Attributes(dict):  # type: ignore[type-arg]
    """d.x is d["x"], and nothing else is an attribute."""
    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__  # type: ignore[assignment]


class Own(dict):  # type: ignore[type-arg]
    """The famous d.__dict__ = d."""
    def __init__(self, **items: Any) -> None:
        super().__init__(**items)
        self.__dict__ = self


class Mirror(dict):  # type: ignore[type-arg]
    """Both an item and an attribute."""
    def __init__(self, **items: Any) -> None:
        for name, x in items.items():
            setattr(self, name, x)

    def __setattr__(self, name: str, x: Any) -> None:
        super().__setattr__(name, x)
        super().__setitem__(name, x)


class Positive(dict):  # type: ignore[type-arg]
    __slots__ = ("name",)

    def __init__(self, name: str, **items: Any) -> None:
        super().__init__(**items)
        self.name = name

    def __setitem__(self, key: Any, x: Any) -> None:
        if not isinstance(x, float) or x < 0.0:
            raise ValueError("a positive float")
        super().__setitem__(key, x)


class Groups(collections.defaultdict):  # type: ignore[type-arg]
    def __init__(self, tag: str, **items: Any) -> None:
        super().__init__(list, **items)
        self.tag = tag


class Halves(collections.UserDict):  # type: ignore[type-arg]
    """Items are halved on the way in."""
    def __setitem__(self, key: Any, x: Any) -> None:
        super().__setitem__(key, x / 2.0)


class Doubled(collections.UserDict):  # type: ignore[type-arg]
    """Items are doubled on the way out."""
    def __getitem__(self, key: Any) -> Any:
        return 2.0 * super().__getitem__(key)


class Frozen(Mapping):  # type: ignore[type-arg]
    def __init__(self, items: Mapping[Any, Any]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: Any) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


@pytest.mark.parametrize("tree, slope", [
    (collections.Counter(x=3, y=1), collections.Counter(x=6.0, y=4.0)),
    (collections.OrderedDict(b=1.0, a=2.0), collections.OrderedDict(b=2.0, a=8.0)),
    (collections.ChainMap({"a": 1.0}, {"a": 9.0, "b": 2.0}), None),
    (collections.UserDict(a=1.0), collections.UserDict(a=2.0)),
    (collections.UserList([1.0, 2.0]), collections.UserList([2.0, 8.0])),
    (collections.deque([1.0, 2.0], 5), collections.deque([2.0, 8.0], 5)),
    (types.MappingProxyType({"a": 1.0}), types.MappingProxyType({"a": 2.0})),
    (Frozen({"a": 1.0}), Frozen({"a": 2.0})),
    (Record(1.0), Record(2.0, 8.0)),
    (Strict(1.0, 2.0), Record(2.0, 8.0, "strict")),
    (Pair(1.0, 2.0), (2.0, 8.0)),
    (Attributes(x=1.0, y=2.0), {"x": 2.0, "y": 8.0}),
    (Own(x=1.0, y=2.0), {"x": 2.0, "y": 8.0}),
    (Mirror(x=1.0, y=2.0), {"x": 2.0, "y": 8.0}),
    (Positive("p", x=1.0), {"x": 2.0}),
    ({1: 1.0, "1": 2.0, None: 3.0, (1, 2): 4.0}, {1: 2.0, "1": 8.0, None: 18.0, (1, 2): 32.0}),
], ids=lambda tree: type(tree).__name__)
def test_a_gradient_is_of_the_class_of_its_argument(tree: Any, slope: Any) -> None:
    value, found = value_and_grad(squares)(tree)
    assert type(found) is type(tree) and value == squares(tree)
    assert found == slope if slope is not None else dict(found) == {"a": 2.0, "b": 8.0}
    assert jvp(squares, (tree,), (found,))[1] == sum(x * x for x in leaves(found))
    second = hvp(squares, (tree,), (tree,))
    assert type(second) is type(tree) and leaves(second) == leaves(found)
    _, aux = grad(lambda x: (x, rebuild(tree, lambda y: x * y)), has_aux=True)(3.0)
    assert type(aux) is type(tree) and leaves(aux) == [3.0 * x for x in leaves(tree)]
    x = Value(2.0, "x")
    again = evaluate(rebuild(tree, lambda y: x * y), {"x": 4.0})
    assert type(again) is type(tree) and leaves(again) == [4.0 * x for x in leaves(tree)]


def test_a_count_is_differentiated_as_it_is() -> None:
    assert value_and_grad(lambda c: c["x"] ** 2)(collections.Counter(x=3)) == (9.0, {"x": 6.0})
    assert type(jacobian(lambda x: collections.Counter(k=x * x))(3.0)) is collections.Counter


def test_a_subclass_keeps_its_attributes_and_runs_no_code_of_its_own() -> None:
    slope = grad(lambda v: v[0] * v[1] ** 2)(Readings(2, "m"))
    assert type(slope) is Readings and slope.unit == "m" and [slope[0], slope[1]] == [4.0, 4.0]
    named = grad(squares)(Positive("p", x=3.0))
    assert named.name == "p"
    groups = grad(lambda g: -g["a"] ** 2)(Groups("t", a=3.0))
    assert (groups.tag, groups.default_factory, groups["a"], groups["new"]) == ("t", list, -6.0, [])
    halves = Halves(a=8.0)
    assert halves["a"] == 4.0 and grad(lambda h: h["a"] ** 2)(halves)["a"] == 8.0
    assert value_and_grad(lambda d: d["a"] ** 2)(Doubled(a=3.0))[0] == 36.0
    assert collections.deque([1.0], 3).maxlen == grad(squares)(collections.deque([1.0], 3)).maxlen


def test_an_attribute_that_mirrors_an_item_follows_it() -> None:
    for tree in (Attributes(x=2.0, y=3.0), Own(x=2.0, y=3.0), Mirror(x=2.0, y=3.0)):
        slope = grad(lambda d: d.x * d["x"] * d.y)(tree)
        assert (slope.x, slope["x"], slope.y, slope["y"]) == (12.0, 12.0, 4.0, 4.0)
        assert (tree.x, tree["x"]) == (2.0, 2.0)


def test_an_attribute_that_only_looks_like_an_item_stays() -> None:
    tree = Mirror(x=2.0)
    tree["y"] = 3.0
    tree.__dict__.update(note=None, y=30.0)         # no item; an item, but not the same number
    slope = grad(lambda d: d["x"] * d["y"] * d.y)(tree)
    assert dict(slope) == {"x": 90.0, "y": 60.0} and vars(slope) == {"x": 90.0, "note": None, "y": 30.0}


def test_a_mapping_that_cannot_be_made_of_other_numbers_is_refused() -> None:
    class Named(Frozen):
        def __init__(self, **items: Any) -> None:
            super().__init__(items)

    class Scaled(Frozen):
        def __init__(self, items: Mapping[Any, Any]) -> None:
            super().__init__({key: 2.0 * x for key, x in items.items()})

    for tree in (Named(a=1.0), Scaled({"a": 1.0})):
        with refused("cannot be made of other numbers.*give a dict"):
            grad(lambda m: m["a"])(tree)
        assert grad(lambda x: (x, tree), has_aux=True)(1.0) == (1.0, tree)


def test_a_mapping_that_checks_its_numbers_is_given_numbers_alone() -> None:
    class Filled(Frozen):
        def __init__(self, items: Mapping[Any, Any]) -> None:
            assert None not in items.values()
            super().__init__(items)

    assert grad(squares)(Filled({"a": 3.0})) == Filled({"a": 6.0})
    assert jacobian(lambda x: Filled({"a": x * x}))(3.0) == Filled({"a": 6.0})


# -- what stands beside numbers --------------------------------------------------------------------


class Mode(enum.Enum):
    FAST = 1


class Level(enum.IntEnum):
    HIGH = 3


class Planet(Box, enum.Enum):  # type: ignore[type-arg]
    EARTH = 5.97e24


class Corner(tuple, enum.Enum):  # type: ignore[type-arg]
    UPPER = (1.0, 2.0)


BESIDE = {"planet": Planet.EARTH, "corner": Corner.UPPER,
          "none": None, "text": "abc", "bytes": b"abc", "mode": Mode.FAST, "level": Level.HIGH, "op": ag.tanh,
          "function": squares, "builtin": len, "partial": functools.partial(operator.add, 1), "class": int,
          "ufunc": np.sin, "np": np.str_("a"), "empty": [], "texts": ["a", ("b", None)], "flag": "yes"}


def test_what_is_no_number_is_kept_beside_numbers() -> None:
    f = lambda p: p["x"] ** 2 * p["op"](p["y"][0])                           # noqa: E731
    tree = {"x": 3.0, **BESIDE, "y": [0.0, None]}
    slope = grad(f)(tree)
    assert slope == {"x": 0.0, **BESIDE, "y": [9.0, None]} and list(slope) == list(tree)
    assert all(slope[name] is BESIDE[name] for name in BESIDE if name not in ("empty", "texts"))
    assert jvp(f, (tree,), (slope,)) == (0.0, 81.0)
    assert hvp(f, (tree,), (slope,)) == {"x": 54.0, **BESIDE, "y": [0.0, None]}
    assert vjp(f, tree)[1](2.0) == ({"x": 0.0, **BESIDE, "y": [18.0, None]},)
    assert hessian(lambda p: p["x"] ** 2)({"x": 3.0, "n": None}) == {"x": {"x": 2.0, "n": None}, "n": None}
    assert hessian(f, sparse=True)(tree).toarray().tolist() == [[0.0, 6.0], [6.0, 0.0]]
    assert check_gradients(f, tree, claimed=slope).ok
    assert stop_gradient(tree) == tree


def test_a_result_may_hold_what_is_no_number() -> None:
    def f(x: Any) -> Any:
        return [x * x, None, {"name": "f", "mode": Mode.FAST, "level": Level.HIGH}]

    rest = {"name": "f", "mode": Mode.FAST, "level": Level.HIGH}
    assert jacobian(f)(3.0) == [6.0, None, rest]
    assert jvp(f, (3.0,), (1.0,)) == ([9.0, None, rest], [6.0, None, rest])
    assert vjp(f, 3.0)[1]([2.0, None, rest]) == (12.0,)
    assert derivative(f, 2)(3.0) == [2.0, None, rest] and taylor(f, 3.0, 1) == [[9.0, 6.0], None, rest]
    assert jacobian(f, sparse=True)(3.0).toarray().tolist() == [[6.0]]
    x = Value(3.0, "x")
    assert evaluate(f(x), {"x": 2.0}, wrt=x) == [4.0, None, rest]


@pytest.mark.parametrize("tree", [
    None, "text", b"text", Mode.FAST, Level.HIGH, ag.sin, len, [None], {"a": None}, ("a", ["b"]),
    Box(None), np.array(["a"]), [[], None], np.array([None], object)])
def test_an_argument_or_a_result_without_a_number_is_refused(tree: Any) -> None:
    for call in (lambda: grad(squares)(tree), lambda: grad(lambda x, y: x, (0, 1))(1.0, tree),
                 lambda: jvp(lambda x, y: x, (1.0, tree), (1.0, tree)), lambda: vjp(squares, tree),
                 lambda: jacobian(lambda x: tree)(1.0), lambda: jvp(lambda x: tree, (1.0,), (1.0,)),
                 lambda: vjp(lambda x: tree, 1.0), lambda: derivative(lambda x: tree)(1.0),
                 lambda: taylor(lambda x: tree, 1.0, 2), lambda: evaluate(tree),
                 lambda: check_gradients(squares, tree)):
        with refused("expected a number"):
            call()


@pytest.mark.parametrize("tree", [[], (), {}, [[]], {"a": [], "b": ()}, np.zeros((2, 0)),
                                  collections.Counter(), Box([])])
def test_an_empty_structure_has_an_empty_gradient(tree: Any) -> None:
    found = grad(lambda tree: 1.0)(tree)
    assert type(found) is type(tree) and leaves(found) == []
    assert jvp(lambda x, tree: x, (1.0, tree), (3.0, tree))[1] == 3.0


class Model:
    def __init__(self) -> None:
        self.weight = 1.0

    def __call__(self, x: Any) -> Any:
        return self.weight * x


@pytest.mark.parametrize("thing", [
    {1.0}, frozenset({1.0}), range(3), iter([1.0]), (x for x in [1.0]), object(), 1j, np.complex128(1j),
    np.array([1j]), np.datetime64("2020"), np.array(["2020"], "M8[s]"), np.array([(1.0,)], [("a", float)]),
    np.ma.array([1.0, 2.0], mask=[True, False]), Model(), ag.nn.MLP(1, [1]), bytearray(b"a"),
    types.SimpleNamespace(x=1.0)], ids=lambda x: type(x).__name__)
def test_what_may_hold_numbers_that_would_be_lost_is_refused_but_beside_a_result(thing: Any) -> None:
    for tree in (thing, [1.0, thing]):
        with refused("^<lambda>: expected a number, or a list, .* or array of numbers, got "):
            grad(lambda tree: 1.0)(tree)
        with refused("^the result of <lambda>: expected a number"):
            jacobian(lambda x: [x, tree])(1.0)
        with refused("expected a number"):
            evaluate([Value(1.0), tree])
        with refused("expected a number"):
            stop_gradient(tree)
    _, (aux, y) = grad(lambda x: (x, [thing, x]), has_aux=True)(1.0)
    assert aux is thing and type(y) is float


def test_an_auxiliary_result_may_be_anything() -> None:
    def f(x: Any) -> Any:
        return x * x, {"env": os.environ, "set": {1}, "in": Readings(1, "m"), "mask": np.array([True, False]),
                       "counts": np.array([1, 2]), "values": np.array([x, 2.0]), "none": None}

    _, aux = grad(f, has_aux=True)(3.0)
    assert aux["env"] is os.environ and aux["set"] == {1} and aux["in"].unit == "m"
    assert aux["mask"].dtype == bool and aux["counts"].dtype == np.array([1]).dtype
    assert aux["values"].dtype == float and aux["values"].tolist() == [3.0, 2.0]


# -- arrays ---------------------------------------------------------------------------------------


class Labelled(np.ndarray):  # type: ignore[type-arg]
    def __new__(cls, entries: Any, name: str) -> Labelled:
        new = np.asarray(entries).view(cls)
        new.name = name
        return new

    def __array_finalize__(self, other: Any) -> None:
        self.name = getattr(other, "name", None)


@pytest.mark.parametrize("array", [
    np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(3, 2).T, np.asfortranarray(np.ones((2, 3))),
    np.arange(24.0).reshape(4, 6)[::2, ::-2], np.arange(6).reshape(2, 3), np.array([True, False]),
    np.arange(4.0).reshape(2, 2).view(np.matrix), Labelled([1.0, 2.0], "m"), np.float32([1.0, 2.0])],
    ids=lambda a: f"{type(a).__name__}-{a.dtype}-{a.strides}")
def test_the_gradient_of_an_array_has_its_class_and_its_places(array: Any) -> None:
    weights = np.arange(1.0, array.size + 1.0).reshape(array.shape)
    slope = grad(lambda a: ag.sum([w * x for w, x in zip(weights.ravel(), np.asarray(a).ravel())]))(array)
    assert type(slope) is type(array) and slope.dtype == float
    np.testing.assert_array_equal(np.asarray(slope), weights)
    assert getattr(slope, "name", None) == getattr(array, "name", None)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_multiplies_as_a_matrix() -> None:
    slope = grad(lambda m: (m * m)[0, 1])(np.arange(1.0, 5.0).reshape(2, 2).view(np.matrix))  # ab + bd
    assert slope.tolist() == [[2.0, 5.0], [0.0, 2.0]]


def test_an_array_of_objects_may_hold_structures_and_none() -> None:
    array = np.array([2.0, [3.0], None, "text"], object)
    slope = grad(lambda a: a[0] * a[1][0])(array)
    assert slope.dtype == object and slope.tolist() == [3.0, [2.0], None, "text"]
    assert jacobian(lambda x: np.array([x * x, None], object))(3.0).tolist() == [6.0, None]


def test_an_array_without_dimensions_that_holds_a_value_is_not_lost() -> None:
    assert jacobian(lambda x: np.array(x * x))(3.0) == 6.0
    assert vjp(lambda x: np.array(x * x), 3.0)[1](2.0) == (12.0,)
    assert jvp(lambda x: np.array(x * x), (3.0,), (1.0,)) == (9.0, 6.0)


def test_texts_in_arrays_are_kept() -> None:
    names = np.array(["a", "b"])
    assert grad(lambda p: p["x"] ** 2)({"x": 3.0, "names": names})["names"] is names


# -- structures that hold themselves ----------------------------------------------------------------


def endless() -> list[Any]:
    loop: list[Any] = [1.0]
    loop.append(loop)
    dictionary: dict[str, Any] = {"a": 1.0}
    dictionary["self"] = dictionary
    data = Box(1.0)
    data.x = data  # type: ignore[assignment]
    deque = collections.deque([1.0])
    deque.append(deque)  # type: ignore[arg-type]
    deep: Any = 1.0
    for _ in range(100_000):
        deep = [deep]
    return [loop, dictionary, data, deque, deep, (1.0, [loop])]


@pytest.mark.parametrize("n", range(6))
def test_what_holds_itself_or_is_nested_without_end_is_refused(n: int) -> None:
    tree = endless()[n]
    for call in (lambda: grad(lambda x: 1.0)(tree), lambda: jacobian(lambda x: tree)(1.0),
                 lambda: vjp(lambda x: tree, 1.0), lambda: evaluate(tree), lambda: stop_gradient(tree),
                 lambda: grad(lambda x: (x, tree), has_aux=True)(1.0), lambda: check_gradients(ag.sin, tree)):
        with refused("is nested too deeply, or holds itself"):
            call()
    with refused("the direction must have the shape of the point"):
        jvp(lambda x: x[0], ([1.0, (2.0,)],), (tree,))
    with refused("the direction must have the shape of the point: it has .*, not a real number"):
        jvp(lambda x: x, (1.0,), (tree,))
    with refused("is nested too deeply"):
        jvp(lambda x: x[0], ([1.0, None],), ([1.0, tree],))
    while type(tree) is list and len(tree) == 1:            # (the interpreter frees it step by step)
        tree = tree[0]


def test_a_hundred_lists_within_each_other_are_not_too_deep() -> None:
    tree: Any = 3.0
    for _ in range(100):
        tree = [tree]
    assert leaves(grad(squares)(tree)) == [6.0] == leaves(hvp(squares, (tree,), (tree,)))


def test_a_list_that_stands_twice_is_two_lists() -> None:
    both = [2.0, 3.0]
    slope = grad(lambda p: p["a"][0] * p["b"][0] ** 2)({"a": both, "b": both})
    assert slope == {"a": [4.0, 0.0], "b": [8.0, 0.0]}


# -- directions and cotangents -----------------------------------------------------------------------


def curve(p: Any) -> Any:
    return p["a"] * p["b"] ** 2


def test_directions_are_matched_by_key() -> None:
    point, along = {"a": 1.0, "b": 2.0}, {"b": 1.0, "a": 0.0}
    assert jvp(curve, (point,), (along,)) == (4.0, 4.0)
    assert hvp(curve, (point,), (along,)) == {"a": 4.0, "b": 2.0}
    assert vjp(lambda x: {"p": x * x, "q": x}, 3.0)[1]({"q": 1.0, "p": 0.0}) == (1.0,)
    assert jvp(lambda p: curve(p["in"][0]), ({"in": [point]},), ({"in": [along]},))[1] == 4.0
    ordered = collections.OrderedDict(point)
    ordered.move_to_end("a")
    for other in (ordered, types.MappingProxyType(along), collections.Counter(along)):
        assert jvp(curve, (other,), (along,)) == jvp(curve, (dict(other),), (along,))
        assert jvp(curve, (point,), (other,))[1] == jvp(curve, (point,), (dict(other),))[1]


@dataclasses.dataclass
class Turned:
    angle: Any


class Swapped(NamedTuple):
    y: Any
    x: Any
    mode: str


GRID = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("point, along, message", [
    ({"a": 1.0, "b": 2.0}, {"b": 1.0}, r"has no 'a' at \[0\], which the point has"),
    ({"a": 1.0}, {"a": 1.0, "c": 2.0}, r"has 'c' at \[0\], which the point has not"),
    ({1: 1.0}, {"1": 1.0}, r"has no 1 at"),
    ({"in": [{"a": 1.0}]}, {"in": [{"b": 1.0}]}, r"has no 'a' at \[0\]\['in'\]\[0\]"),
    ([1.0, 2.0], [1.0], r"it has 1 entry at \[0\], not 2"),
    ([[1.0, 2.0], 3.0], [1.0, [2.0, 3.0]], r"it has float 1.0 at \[0\]\[0\], not a list"),
    ([1.0, [2.0]], [[1.0], 2.0], r"it has list \[1.0\] at \[0\]\[0\], not a real number"),
    ([1.0], {0: 1.0}, "not a list"), ({"a": 1.0}, [1.0], "not a dict"),
    (1.0, None, "has None at .* not a real number"), (1.0, 1j, "complex 1j"), (1.0, "1", "str '1'"),
    ([1.0, 2.0], "ab", "not a list"), ([1.0, 2.0], {1.0, 2.0}, "not a list"),
    ({"a": 1.0, "n": None}, {"a": 1.0, "n": 2.0}, r"has float 2.0 at \[0\]\['n'\], not None"),
    ({"a": 1.0, "n": "text"}, {"a": 1.0}, "has no 'n'"),
    ({"a": 1.0, "n": None}, {"a": 1.0, "n": Frozen({"k": 2.0})}, "has Frozen"),
    (GRID, GRID * 1j, "has ndarray"),
    (GRID, GRID.T, r"it has the shape \(3, 2\) at \[0\], not \(2, 3\)"),
    (GRID, GRID.ravel(), r"the shape \(6,\)"), (GRID, GRID.tolist()[:1], "1 entry"),
    (GRID, 1.0, "not a"), (GRID.tolist(), GRID.T, "it has 3 entries"), ([1.0], np.array(1.0), "not a list"),
    ({"w": GRID}, {"w": GRID.T}, r"at \[0\]\['w'\], not \(2, 3\)"),
    (GRID, np.ma.array(GRID, mask=GRID > 2.0), "MaskedArray"),
    (Box([1.0]), Box([1.0, 2.0]), r"it has 2 entries at \[0\].x, not 1"),
    (Box(1.0), Turned(1.0), "has no 'x'"), (Box(1.0), {"x": 1.0}, "not a Box"),
    (Record(1.0, 2.0), Swapped(1.0, 2.0, "m"), "the fields y, x, mode at .*, not x, y, mode")])
def test_a_direction_or_cotangent_of_another_shape_is_refused_by_its_place(
        point: Any, along: Any, message: str) -> None:
    with refused("^jvp: the direction .*" + message):
        jvp(squares, (point,), (along,))
    with refused("^hvp: the direction .*" + message):
        hvp(squares, (point,), (along,))
    with refused("^vjp: the cotangent .*" + message.replace("point", "result")):
        vjp(lambda x: [rebuild(point, lambda y: x * y)], 1.0)[1]([along])
    if along is not None:
        with refused("^check_gradients: the claimed gradient"):
            check_gradients(squares, point, claimed=along)


@pytest.mark.parametrize("point, along", [
    ([1.0, 2.0], (3.0, 4.0)), ((1.0, 2.0), [3.0, 4.0]), ([1.0, 2.0], np.array([3.0, 4.0])),
    (np.array([1.0, 2.0]), [3.0, 4.0]), (np.array([1.0, 2.0]), np.array([3, 4])),
    (collections.deque([1.0, 2.0]), [3.0, 4.0]), (Record(1.0, 2.0), (3.0, 4.0, None)),
    (np.asfortranarray([[1.0], [2.0]]), [[3.0], [4.0]]), ([1.0, 2.0], [np.array(3.0), np.float32(4.0)]),
    ([1.0, 2.0], Readings(2, "m")), ({"a": 1.0, "b": [2.0]}, {"b": (4.0,), "a": 3})])
def test_a_direction_may_be_of_another_class_with_the_same_keys(point: Any, along: Any) -> None:
    other = refill(point, [1.0, 2.0] if isinstance(along, Readings) else [3.0, 4.0])
    assert jvp(squares, (point,), (along,)) == jvp(squares, (point,), (other,))


def test_a_transposed_array_is_paired_by_place_not_by_memory() -> None:
    along = np.arange(6.0).reshape(3, 2).T                                  # of the shape (2, 3)
    assert jvp(lambda a: (a * GRID).sum(), (GRID,), (along,))[1] == (along * GRID).sum()
    _, pull = vjp(lambda a: a * GRID, GRID)
    np.testing.assert_array_equal(pull(along)[0], along * GRID)


def test_a_direction_may_hold_values() -> None:
    def along(t: Any) -> Any:
        return jvp(curve, ({"a": 1.0, "b": 2.0},), ({"b": t, "a": 0.0},))[1]
    assert grad(along)(5.0) == 4.0


# -- laws over random structures ----------------------------------------------------------------------


def structures(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.one_of(st.integers(0, 3), st.sampled_from(["a", "b", "1"]))

    def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        pair = st.tuples(inner, inner)
        return st.one_of(
            st.lists(inner, max_size=3), pair, st.dictionaries(keys, inner, max_size=3),
            st.dictionaries(keys, inner, max_size=3).map(collections.OrderedDict),
            st.dictionaries(st.sampled_from("xy"), inner, max_size=2).map(lambda d: Own(**d)),
            pair.map(lambda p: Pair(*p)), pair.map(lambda p: Record(*p)), inner.map(Box),
            st.lists(inner, max_size=3).map(collections.deque),
            inner.map(lambda x: Child(1.0, x)), inner.map(lambda x: Frozen({"k": x})),
            st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=4).map(np.array))
    return st.recursive(leaf, larger, max_leaves=8)


NUMBERS = st.integers(-5, 5).map(float)
TREES = structures(st.one_of(NUMBERS, NUMBERS, st.none(), st.just("text"), st.just(Mode.FAST))).filter(
    lambda tree: bool(leaves(tree, lenient=True)))


def shape(tree: Any) -> Any:
    """The classes and keys of a structure, without its numbers."""
    if isinstance(tree, Mapping):
        return type(tree), [(key, shape(tree[key])) for key in tree]
    if dataclasses.is_dataclass(tree):
        return type(tree), [(f.name, shape(getattr(tree, f.name))) for f in dataclasses.fields(tree)]
    if isinstance(tree, (list, tuple, collections.deque, np.ndarray)):
        return type(tree), list(map(shape, tree))
    return float if isinstance(tree, (float, Value)) else tree


def reordered(tree: Any) -> Any:
    """The same structure with the items of its dicts the other way round."""
    if type(tree) is dict:
        return {key: reordered(tree[key]) for key in reversed(tree)}
    if type(tree) in (list, tuple):
        return type(tree)(map(reordered, tree))
    return tree


@given(TREES)
def test_a_structure_is_made_again_as_it_was(tree: Any) -> None:
    again = rebuild(tree, lambda x: x)
    assert shape(again) == shape(tree) and leaves(again) == leaves(tree)
    assert shape(stop_gradient(tree)) == shape(tree)
    assert len(list(paths(tree, "x"))) == len(leaves(tree)) == len(set(paths(tree, "x")))


@given(TREES)
def test_a_gradient_has_the_classes_and_keys_of_its_argument(tree: Any) -> None:
    value, found = value_and_grad(squares)(tree)
    assert shape(found) == shape(tree) and value == squares(tree)
    assert leaves(found) == [2.0 * k * x for k, x in enumerate(leaves(tree), 1)]


@given(TREES, st.data())
def test_a_direction_is_found_by_its_keys_whatever_their_order(tree: Any, data: Any) -> None:
    numbers = data.draw(st.lists(NUMBERS, min_size=len(leaves(tree)), max_size=len(leaves(tree))))
    along = refill(tree, numbers)
    assert matched(tree, reordered(along), "the point", "the direction") == numbers
    value, change = jvp(squares, (tree,), (reordered(along),))
    expected = sum(2.0 * k * x * t for k, (x, t) in enumerate(zip(leaves(tree), numbers), 1))
    assert change == pytest.approx(expected, rel=1e-14, abs=1e-13)
    _, pull = vjp(lambda x: rebuild(tree, lambda y: x * y), 1.0)
    assert pull(reordered(along))[0] == pytest.approx(
        sum(map(operator.mul, numbers, leaves(tree))), rel=1e-14, abs=1e-13)


@given(TREES, TREES)
def test_two_structures_match_only_if_their_numbers_have_the_same_paths(tree: Any, other: Any) -> None:
    try:
        found = matched(tree, other, "the point", "the direction")
    except ag.InputError as error:
        assert str(error).startswith("the direction")
    else:
        assert sorted(paths(tree, "x")) == sorted(paths(other, "x"))
        assert sorted(found) == sorted(leaves(other))


# -- what loads ---------------------------------------------------------------------------------------


def test_structures_without_arrays_load_no_numpy() -> None:
    program = """if True:
        import sys, collections, dataclasses, autograd_lite as ag
        @dataclasses.dataclass
        class P:
            x: float
        for tree in ([1.0], {"a": 1.0, "n": None}, P(1.0), collections.Counter(x=1), object):
            f = lambda tree: 1.0
            if tree is not object:
                ag.grad(f)(tree), ag.jvp(f, (tree,), (tree,)), ag.stop_gradient(tree)
        print("numpy" in sys.modules)
    """
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"


# -- results of one entry, and mappings that change what they are given ------------------------------------


@dataclasses.dataclass
class PairOfNumbers:
    a: float
    b: float


def test_an_array_of_one_entry_has_the_jacobian_that_one_of_more_has() -> None:
    found = jacobian(lambda p: np.array([2.0 * p["a"]]))({"a": 1.0})
    assert list(found) == ["a"] and found["a"].tolist() == [2.0]
    assert jacobian(lambda p: np.array([2.0 * p[0]]))([1.0]) == [[2.0]]
    assert jacobian(lambda p: np.array([2.0 * p[0]]))(np.array([1.0])).tolist() == [[2.0]]
    for n in (1, 2):
        found = jacobian(lambda p: np.array([2.0 * p.a, p.b][:n]))(PairOfNumbers(1.0, 2.0))
        assert (found.a.tolist(), found.b.tolist()) == ([2.0, 0.0][:n], [0.0, 1.0][:n])


def test_text_in_a_result_stands_in_its_jacobian_by_several_arguments() -> None:
    found = jacobian(lambda x, y: {"a": x * y, "none": None, "unit": "kg"}, (0, 1))(2.0, 3.0)
    assert found == {"a": (3.0, 2.0), "none": None, "unit": "kg"}


class Rounding(Mapping[str, float]):
    """A mapping that keeps one of its entries alone as it was given."""

    def __init__(self, content: Mapping[str, Any]):
        self.content = {key: x if key == "kept" else 7.0 for key, x in content.items()}

    def __getitem__(self, key: str) -> Any:
        return self.content[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def __len__(self) -> int:
        return len(self.content)


def test_a_mapping_that_changes_one_entry_cannot_be_made_of_other_numbers() -> None:
    for names in (["kept", "other"], ["other", "kept"]):
        with pytest.raises(ag.InputError, match="a Rounding cannot be made of other numbers"):
            grad(lambda m: m["kept"])(Rounding(dict.fromkeys(names, 1.0)))
    assert grad(lambda m: 3.0 * m["kept"])(Rounding({"kept": 1.0})).content == {"kept": 3.0}
