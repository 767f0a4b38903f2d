"""`Environment`: what a function reads apart from its arguments, and whether it is as it was.

It is found without running the function. All names of globals and attributes in its code, and in that of the
Python functions it reaches, count as read, and so does every entry of a container. What cannot be seen:
files, clocks, what other packages and caches keep, the content of arrays that are not NumPy's, and attributes
that other packages read of the user's objects by names that the user's code does not mention.
"""
from __future__ import annotations

import contextlib
import random
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import chain, repeat
from operator import attrgetter, getitem, is_
from typing import Any

from autograd_lite.errors import short, type_name
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable
from autograd_lite.programs.names import named
from autograd_lite.programs.reach import MISSING, PLAIN, Reach, Table, equal, getter, same
from autograd_lite.programs.things import content_of

_flat = chain.from_iterable
_dict_of = object.__getattribute__
_disjoint: Any = type(dict[str, Any]().keys()).isdisjoint
_SIMPLE = PLAIN | {Value}


class Environment:
    """What a function and the Python functions it calls may read, apart from its arguments.

    A snapshot is taken when it is made. Numbers, texts and None are compared by type and value; `Value`s by
    identity, for their numbers are read at each call; containers, objects and functions by what they hold;
    anything else by identity.

    >>> rates = {"slow": 0.1}
    >>> environment = Environment(lambda x: rates["slow"] * x)
    >>> environment.holds()
    True
    >>> rates["slow"] = 0.2
    >>> environment.holds(), environment.changed()
    (False, "rates['slow'] was 0.1 and is 0.2")
    """

    def __init__(self, f: Any):
        self.f = f
        self._loose: dict[int, list[Any]] = {}
        self._adopt(Reach(f))

    def _adopt(self, reach: Reach) -> None:
        self.questions = Questions(reach, self._loose)
        self._reach, self._reads, self._same = reach, self.questions.reads, self.questions.all

    @property
    def values(self) -> list[Value]:
        """The Values that were found, each once."""
        return self._reach.values

    @property
    def generators(self) -> list[Any]:
        """The generators of random numbers that were found."""
        return self._reach.generators

    @property
    def seen(self) -> dict[int, int]:
        """The places of what was found, by id."""
        return self._reach.seen

    @property
    def tokens(self) -> list[Any]:
        """What everything looked like that was found, in a fixed order; see `Reach`."""
        return self._reach.tokens

    @property
    def unseen(self) -> list[str]:
        """Where iterators were found, not the user's own nor files, and others that cannot be compared."""
        reach = self._reach
        return [f"{_place(reach, at)}, a {type_name(reach.steps[at][3])}" for at in reach.unseen]

    @property
    def asks_types(self) -> bool:
        """Whether any function that was found may ask for the class of a number, as ``type(x)`` does."""
        return any([named(f.__code__).asks_types for f in self._reach.functions])

    def holds(self) -> bool:
        """Whether all is as in the snapshot."""
        try:
            if self._same():
                return True
        except Exception:                       # (something is not there any more)
            pass
        return self.holds_exactly()

    def holds_exactly(self) -> bool:
        """The same, where something is not the same object, or is looked at loosely."""
        differs = moved = False
        try:
            for now, kept in self._reads:
                found = list(now())
                moved |= len(found) != len(kept)
                if not all(map(is_, found, kept)):
                    for i, a, b in [(i, a, b) for i, (a, b) in enumerate(zip(found, kept)) if a is not b]:
                        if equal(a, b):
                            kept[i] = a
                        elif type(a) in _SIMPLE or type(b) in _SIMPLE:
                            differs = True
                        else:
                            moved = True        # another object may hold the same
            if differs and not moved:
                return False
            if not differs and self._same():
                return True
        except Exception:
            pass
        reach, before = Reach(self.f), self._reach
        if len(reach.tokens) != len(before.tokens) or not all(map(same, reach.tokens, before.tokens)):
            return False
        self._adopt(reach)
        return True

    def loosen(self, lists: Iterable[list[Any]]) -> None:
        """Of these lists of Values ask no more than whether they hold equal ones, which takes a twentieth of
        the time: who uses an entry asks whether it is the same Value."""
        self._loose = {id(x): x for x in lists}
        with contextlib.suppress(Exception):
            if self._same():
                self._adopt(self._reach)
                return
        self._same = lambda: False              # (what is there now is not what was there)

    def changed(self) -> str:
        """What has changed since the snapshot, for messages; "" if nothing has."""
        if self.holds():
            return ""
        then, now = self._reach, Reach(self.f)
        try:
            for at, (a, b) in enumerate(zip(then.tokens, now.tokens)):
                if not same(a, b):
                    return _difference(then, now, at)
        except Exception:                       # (of an object that cannot be shown)
            pass
        return "something that it reads has changed"


# -- questions -------------------------------------------------------------------------------------------

Read = tuple[Callable[[], Iterable[Any]], list[Any]]    # what is there now, and what was there
_FEW = 12                   # so many are asked for one by one


class Questions:
    """Whether things are as they are now: one expression, asked as fast as Python can.

    `all` asks; `reads` is what is compared.
    """

    def __init__(self, reach: Reach, loose: dict[int, list[Any]]):
        self.loose = loose
        self.conditions, self.things, self.reads = list[str](), dict[int, tuple[int, Any]](), list[Read]()
        x = self.name
        facts = "__code__", "__defaults__", "__kwdefaults__"
        self.each(partial(map, type, reach.classed), [f"{x(type)}({x(thing)})" for thing in reach.classed])
        self.each(partial(map, getter("__bases__"), reach.classes),
                  [f"{x(cls)}.__bases__" for cls in reach.classes])
        self.each(lambda: _flat(map(attrgetter(*facts), reach.functions)), [
            f"{x(f)}.{fact}" for f in reach.functions for fact in facts])
        for table in reach.tables.values():
            self.entries(table)
        if cells := reach.cells:
            full = not any(content_of(cell) is MISSING for cell in cells)
            contents: Any = attrgetter("cell_contents") if full else content_of
            self.each(partial(map, contents, cells), [f"{x(cell)}.cell_contents" for cell in cells if full])
        for (iterate, length), things in reach.containers.items():
            self.containers(things, iterate, length)
        self.objects([(thing, names) for thing, names, whole in reach.objects if whole])
        self.attributes([(thing, names) for thing, names, whole in reach.objects if not whole], reach.names)
        for reader, things in reach.readers.items():
            self.each(partial(map, reader, things))
        for reader, things in reach.contents.items():
            self.ask(f"list(map({x(reader)}, {x(things)})) == {x(list(map(reader, things)))}")
        things = [thing for _, thing in self.things.values()]
        self.all: Callable[[], bool] = asking(tuple(self.conditions), len(things))(*things)

    def name(self, thing: Any) -> str:
        """How the expression calls a thing."""
        return f"x{self.things.setdefault(id(thing), (len(self.things), thing))[0]}"

    def ask(self, condition: str) -> None:
        """One question more."""
        self.conditions.append(condition)

    def each(self, now: Callable[[], Iterable[Any]], places: Sequence[str] = ()) -> None:
        """Whether what is read now is the same; a few are asked for one by one, if their places are given."""
        kept = list(now())
        self.reads.append((now, kept))
        if places and len(places) <= _FEW:
            for i, place in enumerate(places):
                self.ask(f"{place} is {self.name(kept)}[{i}]")
        elif kept:
            self.ask(f"all(map(is_, {self.name(now)}(), {self.name(kept)}))")

    def entries(self, table: Table) -> None:
        """Whether the entries of a table are the same, and those not there are still not there."""
        x, held, names, absent = self.name, table.entries, sorted(table.present), sorted(table.absent)
        if table.keys:
            self.ask(f"list({x(held)}) == {x(table.keys)}")
        elif len(absent) <= _FEW:
            for name in absent:
                self.ask(f"{x(name)} not in {x(held)}")
        else:
            self.ask(f"{x(held.keys)}().isdisjoint({x(frozenset(absent))})")
        self.each(partial(map, held.__getitem__, names), [f"{x(held)}[{x(name)}]" for name in names])

    def containers(self, things: list[Any], iterate: Any, length: Any) -> None:
        """Whether containers hold the same things."""
        x = self.name
        if iterate is iter and (loose := [thing for thing in things if id(thing) in self.loose]):
            self.ask(f"{x(loose)} == {x(list(map(list, loose)))}")      # (in C, where nothing differs)
            self.reads.append((partial(_flat, loose), list(_flat(loose))))
            things = [thing for thing in things if id(thing) not in self.loose]
        if len(things) == 1:
            thing, = things
            self.ask(f"{x(length)}({x(thing)}) == {length(thing)}")
            if length is len and not thing:
                return
            now: Any = partial(iterate, thing)
        else:
            self.ask(f"list(map({x(length)}, {x(things)})) == {x(list(map(length, things)))}")
            now = partial(_flat, things) if iterate is iter else lambda: _flat(map(iterate, things))
        if iterate is dict.keys and {str}.issuperset(map(type, kept := list(now()))):
            self.ask(f"list({x(now)}()) == {x(kept)}")      # (equal texts are the same key)
        else:
            self.each(now)

    def objects(self, read: list[tuple[Any, list[str]]]) -> None:
        """Whether objects all of whose attributes are read have the same attributes."""
        if read:
            things, names = map(list, zip(*read))
            lengths, keys, kept = list(map(len, names)), list(_flat(names)), list(_held(read)())
            self.reads.append((_held(read), kept))

            def check() -> bool:
                held = list(map(_dict_of, things, repeat("__dict__")))
                return (list(map(len, held)) == lengths and list(_flat(held)) == keys
                        and all(map(is_, _flat(map(dict.values, held)), kept)))
            self.ask(f"{self.name(check)}()")

    def attributes(self, read: list[tuple[Any, list[str]]], wanted: set[str]) -> None:
        """Whether those attributes that are read are the same, and others that would be are not there."""
        x = self.name
        absent = [frozenset(wanted.difference(names)) for _, names in read]
        if len(read) <= _FEW:
            for (thing, _), names in zip(read, absent):
                self.ask(f"{x(_dict_of)}({x(thing)}, '__dict__').keys().isdisjoint({x(names)})")
        else:
            held = partial(map, _dict_of, [thing for thing, _ in read], repeat("__dict__"))
            self.ask(f"all(map({x(_disjoint)}, map({x(dict.keys)}, {x(held)}()), {x(absent)}))")
        self.each(_held(read), [f"{x(_dict_of)}({x(thing)}, '__dict__')[{x(name)}]"
                                for thing, names in read for name in names])


def _held(read: list[tuple[Any, list[str]]]) -> Callable[[], Iterable[Any]]:
    """What gives the attributes of these names of objects."""
    owners = [thing for thing, names in read for _ in names]
    names = [name for _, names in read for name in names]
    return lambda: map(getitem, map(_dict_of, owners, repeat("__dict__")), names)


@lru_cache(maxsize=1024)
def asking(conditions: tuple[str, ...], things: int) -> Any:
    """The function of the things which makes the function that asks whether the conditions hold."""
    made: dict[str, Any] = {"is_": is_}
    names = ", ".join([f"x{i}" for i in range(things)])
    # (Nothing in the text is the user's: all names of things and attributes are arguments.)
    exec(f"def ask({names}): return lambda: {' and '.join(conditions) or True}", made)
    return made["ask"]


# -- messages --------------------------------------------------------------------------------------------

_ROOTS = {"global": "the global {!r}", "closure": "the closure variable {!r}",
          "default": "the default of {!r}", "argument": "the argument {!r} of a partial",
          "given": "an argument", "class": "the class {}"}


def _difference(then: Reach, now: Reach, at: int) -> str:
    """What differs between two walks that are alike up to a place."""
    place, a, b = _place(now, at), then.tokens[at], now.tokens[at]
    old, new = then.steps[at][3], now.steps[at][3]
    if type(a) is not tuple or type(b) is not tuple or type(old) is not type(new):
        return f"{place} was {_said(old)} and is {_said(new)}"
    if a[0] is not b[0]:
        if type(new) is Value or " at 0x" in short(old) + short(new) or short(old) == short(new):
            return f"{place} is another {type_name(new)}"
        return f"{place} was {short(old)} and is {short(new)}"
    if isinstance(new, (list, tuple, set, frozenset, deque, dict)) and a[1] != b[1]:
        return f"{place} had {a[1]} entries and has {b[1]}"
    if isinstance(new, (list, tuple, deque)):
        i = next((i for i, (x, y) in enumerate(zip(a, b)) if not equal(x, y)), 0)
        if not i:
            return f"the entries of {place} have changed"
        part = f".{new._fields[i - 2]}" if hasattr(new, "_fields") else f"[{i - 2}]"
        return f"{_expression(now, at)}{part} was {short(a[i])} and is {short(b[i])}"
    for these, others, verb in ((b, a, "is new"), (a, b, "is gone")):
        for x in these[1:]:
            if type(x) is str and x not in others[1:] and not hasattr(new, "dtype"):
                return f"{short(x)} of {place} {verb}"
    return f"the content of {place} has changed"


def _said(thing: Any) -> str:
    return "missing" if thing is MISSING else short(thing)


def _expression(reach: Reach, at: int) -> str:
    """How a program would write a thing: cfg.layers[2].rate."""
    text = ""
    while at:
        at, way, key, _ = reach.steps[at]
        if way == ".":
            text = f".{key}{text}"
        elif way == "[":
            text = f"[{short(key)}]{text}"
        elif way == "key":
            text = f"'s key number {key}{text}"
        elif way in _ROOTS or way == "self":
            return printable(f"args[{key}]{text}" if type(key) is int else f"{key}{text}")
    return printable(getattr(reach.steps[0][3], "__name__", "the function") + text)


def _place(reach: Reach, at: int) -> str:
    """Where a thing stands, in words."""
    while at and reach.steps[at][1] == "in":
        at = reach.steps[at][0]
    parent, way, key, _ = reach.steps[at]
    if way in _ROOTS:
        text = _ROOTS[way].format(key)
        if parent and way in ("global", "closure"):
            text += f" (read by {reach.steps[parent][3].__name__})"
        return printable(text)
    return _expression(reach, at)


# -- random numbers --------------------------------------------------------------------------------------


def random_state(generators: Iterable[Any] = ()) -> dict[str, Any]:
    """The states of `random`, of NumPy's global generator if NumPy is loaded, and of these generators.

    >>> before = random_state()
    >>> drawn(before, random_state()), random.random() < 1.0, drawn(before, random_state())
    ('', True, 'random')
    """
    states: dict[str, Any] = {"random": random.getstate()}
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        states["numpy.random"] = _frozen(numpy.get_state(legacy=False))
    for i, generator in enumerate(generators, 1):
        inner = getattr(generator, "bit_generator", generator)      # (NumPy's new ones)
        ways = "getstate", "get_state", "state"
        state = next(getattr(inner, name) for name in ways if hasattr(inner, name))
        states[f"{type_name(generator)} number {i}"] = _frozen(state() if callable(state) else state)
    return states


def drawn(before: dict[str, Any], after: dict[str, Any]) -> str:
    """The first whose state differs, so that random numbers were drawn from it; "" if there is none."""
    return next((name for name in before if name in after and before[name] != after[name]), "")


def _frozen(state: Any) -> Any:
    """A state, to be compared later."""
    if isinstance(state, dict):
        return {key: _frozen(x) for key, x in state.items()}
    if isinstance(state, (list, tuple)) and not all(type(x) is int for x in state):
        return [_frozen(x) for x in state]
    return state.tobytes() if hasattr(state, "tobytes") else state
