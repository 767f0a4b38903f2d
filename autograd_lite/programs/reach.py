"""What a function can reach without its arguments: each thing once, and what it looks like now."""
from __future__ import annotations

import functools
import sys
from abc import ABC, ABCMeta, get_cache_token
from collections.abc import Callable, Iterable
from functools import singledispatch
from io import IOBase
from itertools import repeat
from operator import attrgetter
from types import CellType, EllipsisType, FunctionType, MemberDescriptorType, NoneType, SimpleNamespace
from typing import Any, Generic, NamedTuple, Protocol

from autograd_lite.graph.value import Value
from autograd_lite.programs.ambient import Reader, is_unseen, reader_of
from autograd_lite.programs.names import EVERY, Origin, origin, origin_of_code, words

_FORMATS = {"format", "format_map", "vformat"}
PLAIN = frozenset({bool, int, float, complex, str, bytes, NoneType, EllipsisType})     # compared by value
MISSING = object()
Token = Any             # what a thing looks like: itself if it is plain, else a tuple of parts


def equal(a: Any, b: Any) -> bool:
    """Whether two things are one, or plain ones of the same type and value (−0.0 is not 0.0, nan is nan)."""
    if a is b:
        return True
    cls = type(a)
    if cls is not type(b) or cls not in PLAIN:
        return False
    return repr(a) == repr(b) if cls is float or cls is complex else bool(a == b)


def plain(things: Iterable[Any]) -> bool:
    """Whether all these things are compared by value."""
    try:
        return PLAIN.issuperset(map(type, things))
    except Exception:                           # (a class that cannot be hashed)
        return False


def same(a: Token, b: Token) -> bool:
    """Whether two tokens are equal."""
    if type(a) is tuple and type(b) is tuple:
        return len(a) == len(b) and all(map(equal, a, b))
    return equal(a, b)


# How a thing is reached: from which (by its number), in what way, by what name, key or place; and itself.
Step = tuple[int, str, Any, Any]


class Table(NamedTuple):
    """A dict some of whose entries are read: the keys that are there, and those that are not."""

    entries: Any
    present: set[str]
    absent: set[str]
    keys: list[str]             # all of them, if none may come or go


class Reach:
    """All that f can reach.

    `steps` and `tokens` list the things in a fixed order, so two of f are alike if their tokens are. Most
    other attributes are what can change: cells, functions, containers, tables, objects and contents.
    """

    def __init__(self, f: Any):
        self.names: set[str] = set()
        self.consulted = -1
        while self.consulted < len(self.names):     # (names lead to attributes, those to functions with more)
            self._walk(f)

    def wanted(self) -> set[str]:
        """The names that count as read, as far as they are known."""
        self.consulted = min(self.consulted, len(self.names))
        return self.names

    def _walk(self, f: Any) -> None:
        self.consulted = sys.maxsize
        self.steps, self.tokens, self.seen = list[Step]([(-1, "in", "", f)]), list[Token](), dict[int, int]()
        self.values, self.generators, self.unseen = list[Value](), list[Any](), list[int]()
        self.cells, self.functions = list[CellType](), list[FunctionType]()
        self.containers: dict[tuple[Any, Any], list[Any]] = {}      # by how they are iterated and measured
        self.tables: dict[int, Table] = {}
        self.objects: list[tuple[Any, list[str], bool]] = []
        self.readers: dict[Callable[[Any], Any], list[Any]] = {}    # of one thing that an object holds
        self.contents: dict[Reader, list[Any]] = {}                 # of what is compared as it is shown
        self.classes, self.classed = list[Any](), list[Any]()       # the user's, and objects of them
        self.foreign = set[int]()               # the places of others' objects and of containers in them
        for at, (_, _, _, thing) in enumerate(self.steps):
            self.at = at
            token = self._token(thing)
            self.tokens.append(token)
            if not _FORMATS.isdisjoint(self.names):     # (of texts that may be formats)
                for text in token if type(token) is tuple else (token,):
                    if type(text) is str and ("{" in text or "}" in text):
                        self.names |= words(text)

    def _token(self, thing: Any) -> Token:
        """What the present thing looks like."""
        try:
            if type(thing) in PLAIN:
                return thing
            if id(thing) in self.seen:
                return _SEEN, self.seen[id(thing)]
            self.seen[id(thing)] = self.at
            if reader := reader_of(thing):
                return thing, *self.show(reader, thing)
            return look.dispatch(type(thing))(thing, self)
        except Exception:                       # (of a strange object, which is then known by itself alone)
            return thing,

    def add(self, way: str, key: Any, thing: Any) -> None:
        """Something that is reached from the present thing."""
        self.steps.append((self.at, way, key, thing))

    def add_all(self, way: str, keys: Iterable[Any], things: Iterable[Any]) -> None:
        """Several of them."""
        self.steps += zip(repeat(self.at), repeat(way), keys, things)

    def contain(self, thing: Any, iterate: Any, length: Any = len) -> None:
        """A container that can change."""
        self.containers.setdefault((iterate, length), []).append(thing)

    def contain_dict(self, thing: Any, base: Any = dict) -> None:
        """A dict that can change, in its keys or its entries."""
        length = len if type(thing) is base else base.__len__
        self.contain(thing, base.keys, length)
        self.contain(thing, base.values, length)

    def read(self, reader: Callable[[Any], Any], way: str, key: Any, thing: Any) -> None:
        """What `reader` finds in a thing."""
        self.readers.setdefault(reader, []).append(thing)
        self.add(way, key, reader(thing))

    def show(self, reader: Reader, thing: Any) -> Token:
        """What `reader` shows of a thing, plain things, which are compared."""
        self.contents.setdefault(reader, []).append(thing)
        return reader(thing)

    def table(self, entries: Any, present: Iterable[str], absent: Iterable[str] = (),
              keys: Iterable[str] = ()) -> None:
        """Entries of a dict that are read."""
        table = self.tables.setdefault(id(entries), Table(entries, set(), set(), list(keys)))
        table.present.update(present)
        table.absent.update(absent)

    def inside(self) -> bool:
        """Whether the present thing lies in an object of another package."""
        return self.steps[self.at][0] in self.foreign


_SEEN = object()                # begins the token of a thing met before


# -- objects and classes ---------------------------------------------------------------------------------


def attributes(thing: Any, reach: Reach, token: Token = None) -> Token:
    """The attributes of an object that are read: those named, or all if others' code may read them."""
    cls: Any = type(thing)
    whose = origin_of(cls)
    if whose == "user's":
        reach.classed.append(thing)
    elif hasattr(cls, "__next__") and not isinstance(thing, IOBase) or is_unseen(cls):
        reach.unseen.append(reach.at)
    if whose == "others" and cls.__module__ not in _OPEN:
        if reach.inside():
            return token or (thing,)
        reach.foreign.add(reach.at)
    names, held, slots = reach.wanted(), held_by(thing), _slots(cls)
    if type(held) is not dict and not slots:
        return token or (thing,)
    if whose == "ours" and "__wrapped__" in (held or ()):
        reach.add("in", "", held["__wrapped__"])
        return cls,
    every = _every(cls, names)
    token = token or (cls,)
    if type(held) is dict:
        known = [name for name in held if type(name) is str and (every or name in names)]
        reach.objects.append((thing, known, len(known) == len(held)))
        known = sorted(known)
        reach.add_all(".", known, map(held.__getitem__, known))
        token = (*token, *known)
    for name, slot in slots:
        if every or name in names:
            empty = in_slot(slot, thing) is MISSING
            reach.read(functools.partial(in_slot, slot) if empty else slot.__get__, ".", name, thing)
    if whose == "user's":
        reach.add("class", cls.__name__, cls)
    return token


@functools.lru_cache(maxsize=1024)
def origin_of(cls: Any) -> Origin:
    """Whose class it is; one in a doctest of ours is the user's."""
    whose = origin(cls.__module__)
    if whose == "ours" and any(origin_of_code(f.__code__, cls.__module__) == "user's"
                               for f in vars(cls).values() if type(f) is FunctionType):
        return "user's"
    return whose


@functools.lru_cache
def getter(name: str) -> Any:
    """The one function that reads an attribute of this name."""
    return attrgetter(name)


def held_by(thing: Any) -> Any:
    """The dict of an object's attributes, or None."""
    try:
        return object.__getattribute__(thing, "__dict__")
    except Exception:
        return None


def in_slot(slot: Any, thing: Any) -> Any:
    """What a slot of an object holds."""
    try:
        return slot.__get__(thing)
    except Exception:
        return MISSING


@functools.lru_cache(maxsize=1024)
def _slots(cls: type) -> list[tuple[str, Any]]:
    return [(name, slot) for base in cls.__mro__ if "__slots__" in vars(base)
            for name, slot in vars(base).items() if type(slot) is MemberDescriptorType]


def _every(cls: Any, names: set[str]) -> bool:
    """Whether attributes of any name may be read: by the user's code, or by others' methods."""
    methods = _methods(cls)
    return EVERY in names or methods is None or not names.isdisjoint(methods)


@functools.lru_cache(maxsize=1024)
def _methods(cls: type) -> set[str] | None:
    """The methods of a class that are not the user's; None if they may be called without being named."""
    found = set[str]()
    for base in cls.__mro__:
        whose = origin_of(base)
        if whose == "others" and base.__module__ != "builtins" and base not in _BARE:
            return None
        if whose == "ours":
            found |= {name for name, thing in vars(base).items() if hasattr(type(thing), "__get__")}
    return None if found & {"__call__", "named_parameters"} else found


_OPEN = {"types", "configparser", "collections", "argparse"}       # of whose objects everything is read
_BARE = ABC, Generic, Protocol, SimpleNamespace         # their methods read no attributes that matter


look = singledispatch(attributes)       # by the type of a thing: gives its token, and adds what it holds


@look.register(type)
def _class(cls: Any, reach: Reach) -> Token:
    registered = reach.show(_registered, cls) if isinstance(cls, ABCMeta) else ()
    if origin_of(cls) != "user's":
        return (cls, *registered)
    reach.classes.append(cls)
    if getattr(cls, "_is_protocol", False):     # (`isinstance` asks for its members)
        members = (*vars(cls), *vars(cls).get("__annotations__", ()), *getattr(cls, "__protocol_attrs__", ()))
        reach.names |= {name for name in members if name[:2] != "__"}
    for name in reach.wanted() & {"__name__", "__qualname__"}:
        reach.read(getter(name), ".", name, cls)
    held = vars(cls)
    names, read = reach.wanted(), list[str]()
    data = _every(cls, names)
    for name, thing in held.items():
        method = hasattr(type(thing), "__get__")
        setter = hasattr(type(thing), "__set__") or hasattr(type(thing), "__delete__")
        if name in names or setter and f"{name}=" in names or (
                method if name[:2] == name[-2:] == "__" else data and not method):
            read.append(name)
    shown = reach.show(_subclasses, cls) if "__subclasses__" in names else ()
    reach.table(held, read, keys=held)
    read.sort()
    reach.add_all(".", read, map(held.__getitem__, read))
    for base in (*cls.__bases__, type(cls)):
        if base.__module__ != "builtins":
            reach.add("class", base.__name__, base)
    return (cls, *registered, *shown, *read)


def _registered(cls: Any) -> tuple[Any, ...]:
    """What changes when any class is registered with an abstract one."""
    return _state(get_cache_token()),


@functools.lru_cache
def _state(token: int) -> object:
    return object()                             # (a number would be another one in each process)


def _subclasses(cls: Any) -> tuple[str, ...]:
    return tuple(map(str, cls.__subclasses__()))


@look.register(property)
def _property(thing: Any, reach: Reach) -> Token:
    reach.add_all("in", repeat(""), (thing.fget, thing.fset, thing.fdel))
    return _of_class(thing, reach, property)


@look.register(staticmethod)
@look.register(classmethod)
def _wrapper(thing: Any, reach: Reach) -> Token:
    reach.add("in", "", thing.__func__)
    return _of_class(thing, reach, staticmethod, classmethod)


def _of_class(thing: Any, reach: Reach, *known: Any) -> Token:
    """The token of a thing; one of another class may have attributes."""
    return (type(thing),) if type(thing) in known else attributes(thing, reach)
