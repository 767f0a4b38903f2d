"""What of an argument makes another program of a compiled function: all but its numbers."""
from __future__ import annotations

import types
from collections import ChainMap, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Mapping
from typing import Any

import pytest

import autograd_lite as ag
from autograd_lite import Value, compile


class Rated(list[Any]):
    """A list with attributes."""

    def __init__(self, rate: Any, *xs: Any):
        super().__init__(xs)
        self.rate = rate


class Named(UserList[Any]):
    def __init__(self, rate: Any, *xs: Any):
        super().__init__(xs)
        self.rate = rate


class Titled(UserDict[Any, Any]):
    def __init__(self, rate: Any, *xs: Any):
        super().__init__(enumerate(xs))
        self.rate = rate


class Chained(ChainMap[Any, Any]):
    def __init__(self, rate: Any, *xs: Any):
        super().__init__(dict(enumerate(xs)))
        self.rate = rate


class Mirrored(dict[Any, Any]):
    """d.x is d["x"]."""

    def __init__(self, rate: Any, *xs: Any):
        super().__init__(zip("xyz", xs))
        self.__dict__.update(self, rate=rate)


class Point:
    def __init__(self, rate: Any, x: float):
        self.rate, self.x = rate, x


ag.register(Point, lambda p: [p.x], lambda p, parts: Point(p.rate, *parts))


class Other(Mapping[Any, Any]):
    """A mapping about whose class nothing is known."""

    def __init__(self, held: dict[Any, Any]):
        self.held = held

    def __getitem__(self, key: Any) -> Any:
        return self.held[key]

    def __iter__(self) -> Any:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


MAPPINGS = [dict, OrderedDict, lambda d: defaultdict(int, d), types.MappingProxyType, ChainMap, UserDict]


@pytest.mark.parametrize(("make", "static"), [(Other, "d"), *[(make, static) for make in MAPPINGS
                                                              for static in (None, "d")]])
def test_mappings_with_other_keys_have_other_programs(make, static):
    fast = compile(lambda x, d: x * (2.0 if "a" in d else 3.0), static=static)
    assert [fast(1.0, make({key: 1.0})) for key in "abab"] == [2.0, 3.0, 2.0, 3.0]
    assert fast.stats.programs == (4 if make is Other else 2)   # (an object of no known class is itself)


@pytest.mark.parametrize("static", [None, "xs"])
@pytest.mark.parametrize("make", [Rated, Named, Titled, Chained, Mirrored, Point])
def test_what_a_structure_holds_besides_its_parts_is_looked_at(make, static):
    fast = compile(lambda x, xs: x * xs.rate, static=static)
    calls = [make(2.0, 1.0), make(3.0, 1.0), make(2.0, 1.0), make(3, 1.0), make(0.0, 1.0), make(-0.0, 1.0)]
    assert [repr(fast(1.0, xs)) for xs in calls] == ["2.0", "3.0", "2.0", "3.0", "0.0", "-0.0"]
    assert fast.stats.programs == 5
    tens = compile(lambda x, xs: x * xs.rate[0] + xs.rate[0], static=static)
    assert [tens(1.0, make([k], 1.0)) for k in (2.0, 3.0)] == [4.0, 6.0]


@pytest.mark.parametrize("make", [Rated, Named, Titled, Chained, Mirrored, Point])
def test_structures_with_other_numbers_alone_have_one_program(make):
    def total(xs: Any) -> Any:
        held = [xs.x] if make is Point else list(xs.values()) if hasattr(xs, "values") else list(xs)
        return ag.sum(held) * xs.rate

    fast = compile(total)
    assert [fast(make(2.0, k)) for k in (1.0, 5.0, -3.0)] == [2.0, 10.0, -6.0] and fast.stats.programs == 1
    weight = Value(4.0)                         # (which is read at each call)
    assert fast(make(weight, 1.0)) == 4.0
    weight.data = 5.0
    assert fast(make(weight, 1.0)) == 5.0 and fast.stats.programs == 2


@pytest.mark.parametrize("static", [None, "xs"])
def test_how_long_a_deque_may_be_and_what_a_dict_gives_for_other_keys_is_looked_at(static):
    fast = compile(lambda x, xs: x * xs.maxlen, static=static)
    assert [fast(2.0, deque([1.0], n)) for n in (3, 5, 3)] == [6.0, 10.0, 6.0] and fast.stats.programs == 2
    fast = compile(lambda x, xs: x * xs["b"], static=static)
    for default in (lambda: 7.0, lambda: 8.0):
        assert fast(2.0, defaultdict(default, a=1.0)) == 2.0 * default()
