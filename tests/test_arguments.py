"""What of an argument makes another program of a compiled function: all but its numbers."""
from __future__ import annotations

import functools
import types
from collections import ChainMap, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value, compile
from autograd_lite.programs.eager import eager
from autograd_lite.programs.indices import Same


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


# -- arguments that choose, and arguments within other traces --------------------------------------------


def test_an_index_that_counts_from_the_end_is_known_while_a_function_is_traced():
    rows = [Value(1.0), Value(2.0), Value(-3.0)]

    def f(i: Any) -> Any:
        x = ag.take(rows, i)
        return x * 2.0 if x > 0.0 else -x

    for first in range(-3, 3):
        fast = compile(f, indices="i")
        assert [fast(i) for i in (first, *range(-3, 3))] == [f(i).data for i in (first, *range(-3, 3))]
        assert fast.stats.programs == 2


@pytest.mark.parametrize("index", [3, -4, 7])
def test_an_index_to_which_there_is_no_row_leaves_no_program(index):
    fast = compile(lambda x, i: x * ag.take([1.0, 2.0, 3.0], i), indices="i", max_programs=1)
    with pytest.raises(IndexError, match=f"index {index} is out of range for 3 rows"):
        fast(2.0, index)
    assert not fast.programs and fast(2.0, 2) == 6.0


def test_numbers_that_are_taken_are_whole_where_all_of_the_list_are():
    mixed, whole = [1, 2.5, 3], [1, 2, 3]
    fast = compile(lambda i: [ag.take(mixed, i), ag.take(whole, i)], indices="i")
    assert [repr(fast(i)) for i in range(3)] == ["[1.0, 1]", "[2.5, 2]", "[3.0, 3]"]
    alone = compile(lambda i: ag.take([4, 5, 6], i), indices="i")
    assert [repr(alone(i)) for i in range(3)] == ["4", "5", "6"]


@pytest.mark.parametrize("options", [{}, {"batch": "x", "reduce": "sum"}])
def test_the_gradients_of_a_function_are_refused_an_index_that_is_no_whole_number(options):
    w = Value(3.0)
    fast = compile(lambda x, i: w * ag.take([x, 2.0], i), indices="i", **options)
    x = np.array([1.0, 2.0]) if options else 1.5
    words = ("^<lambda>: i is in `indices`, so it must hold whole numbers, not float 0.5; leave it out of "
             "`indices` if it is to compute with$")
    with pytest.raises(ag.InputError, match=words):
        fast.backward(x, 0.5)
    assert w.grad == 0.0 and not fast.programs
    assert fast.backward(x, 0) == (9.0 if options else 4.5)
    with pytest.raises(ag.InputError, match=words):                 # (where there is a program)
        fast.backward(x, 0.5)
    assert w.grad == x.sum() if options else 1.5


def test_static_arguments_are_passed_as_they_are_to_a_function_whose_gradients_are_wanted():
    w = Value(3.0)
    fast = compile(lambda x, n: w * x if type(n) is float and repr(n) == "0.5" else -w * x, static="n")
    assert fast.backward(2.0, 0.5) == 6.0 and w.grad == 2.0
    assert fast.backward(2.0, 0.25) == -6.0 and w.grad == 0.0 and fast.stats.programs == 2


@pytest.mark.parametrize("options", [{}, {"static": "x"}, {"indices": "x"}])
def test_a_compiled_function_of_plain_numbers_within_another_is_part_of_it(options):
    w = Value(2.0)
    inner = compile(lambda x: w * ag.take([3.0, 5.0], x), **options)
    outer = compile(lambda y: inner(1) * y)
    assert inner(1) == 10.0 and [outer(3.0), outer(3.0)] == [30.0, 30.0]
    w.data = 5.0
    assert outer(3.0) == 75.0 and outer.backward(3.0) == 75.0 and w.grad == 15.0


@pytest.mark.parametrize("made", [float, int, lambda n: float(int(n)), lambda n: [0.0] * n and float(n)])
def test_a_whole_number_that_is_made_a_float_is_that_number_alone(made):
    fast = compile(lambda x, n, m: x * made(n) * m)
    assert [fast(2.0, n, m) for n in (3, 4, 3) for m in (5, 6)] == [30.0, 36.0, 40.0, 48.0, 30.0, 36.0]
    assert fast.stats.programs == 2             # (the other stands for any)


def test_what_a_compiled_function_offers_is_listed():
    fast = compile(lambda x: x)
    assert {name for name in dir(fast) if not name.startswith("_")} == {
        "backward", "bind", "export_c", "iterate", "source", "stats"}
    assert {"__call__", "__wrapped__", "__name__"} <= set(dir(fast))
    assert compile(functools.partial(pow, 2.0)).__name__ == compile(functools.partial(pow, 2.0)).__qualname__


def test_without_recording_there_are_no_gradients_of_a_compiled_function_either():
    w = Value(3.0)
    fast = compile(lambda x: w * x)
    assert fast.backward(2.0) == 6.0 and w.grad == 2.0
    with ag.no_grad(), pytest.raises(ag.GradientError):
        fast.backward(2.0)
    assert w.grad == 2.0


def test_a_loop_of_a_compiled_function_within_another_is_part_of_it():
    w = Value(2.0)
    inner = compile(lambda s: w * s)
    assert inner.iterate(1.0, 5) == 32.0
    outer = compile(lambda y: inner.iterate(1.0, 2) * y)
    assert outer(3.0) == 12.0
    w.data = 5.0
    assert outer(3.0) == 75.0 and outer.backward(3.0) == 75.0 and w.grad == 30.0


def test_an_error_that_only_values_meet_is_told_as_it_is():
    def f(x: Any) -> Any:
        if isinstance(x, Value):
            raise KeyError("of a Value")
        return x

    with pytest.raises(KeyError, match="of a Value"):
        eager(f, (1.0,), {})
    with pytest.raises(ZeroDivisionError, match="of 2.0"):
        eager(lambda x: (_ for _ in ()).throw(ZeroDivisionError(f"of {x}")), (2.0,), {})


def test_a_row_is_the_same_only_if_all_its_values_are():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    table = [[a, b], [b, c]]
    same = Same(table)
    assert [x for x in (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0) if same.holds(x)] == [-2.0, -1.0, 0.0, 1.0]
    for other, holds in (([a, b], True), ([a, c], False), ([c, b], False), ([a], False), ([a, b, c], False),
                         ((a, b), False)):
        table[0] = other
        assert same.holds(0.0) is holds and same.holds(1.0)
