"""What a function can reach without its arguments: each thing once, and what it looks like now."""
from __future__ import annotations

import array
import functools
import random
import sys
import weakref
from abc import ABC
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from enum import Enum
from functools import singledispatch
from itertools import repeat
from types import (BuiltinFunctionType, CellType, CodeType, EllipsisType, FunctionType, MappingProxyType,
                   MemberDescriptorType, MethodType, MethodWrapperType, ModuleType, NoneType)
from typing import Any, Generic, NamedTuple, Protocol

from autograd_lite.graph.value import Value
from autograd_lite.ops.op import Op
from autograd_lite.programs.names import EVERY, module_names, named, origin

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


def same(a: Token, b: Token) -> bool:
    """Whether two tokens are equal."""
    if type(a) is tuple and type(b) is tuple:
        return len(a) == len(b) and all(map(equal, a, b))
    return equal(a, b)


class Step(NamedTuple):
    """How a thing is reached: from which (by its number), in what way, by what name, key or place."""

    parent: int
    way: str
    key: Any
    thing: Any


class Table(NamedTuple):
    """A dict some of whose entries are read: the keys that are there, and those that are not."""

    entries: Any
    present: set[str]
    absent: set[str]
    keys: list[str]             # all of them, if none may come or go


class Reach:
    """All that f can reach.

    `steps` and `tokens` list the things in a fixed order, so two of f are alike if their tokens are. The other
    attributes are what can change: the cells, functions, containers, objects, tables, slots and arrays.
    """

    def __init__(self, f: Any):
        self.names: set[str] = set()
        known = -1
        while known < len(self.names):          # (more names lead to more attributes, those to more functions)
            known = len(self.names)
            self._walk(f)

    def _walk(self, f: Any) -> None:
        self.steps, self.tokens, self.seen = [Step(-1, "in", "", f)], list[Token](), dict[int, int]()
        self.values, self.generators = list[Value](), list[Any]()
        self.cells, self.functions = list[CellType](), list[FunctionType]()
        self.containers: dict[tuple[Any, Any], list[Any]] = {}      # by how they are iterated and measured
        self.tables: dict[int, Table] = {}
        self.objects: list[tuple[Any, list[str], bool]] = []
        self.readers: dict[Callable[[Any], Any], list[Any]] = {}    # of one thing that an object holds
        self.arrays: list[Any] = []
        self.foreign = set[int]()               # the places of others' objects and of containers in them
        for at, step in enumerate(self.steps):
            thing = step.thing
            if type(thing) in PLAIN:
                self.tokens.append(thing)
            elif id(thing) in self.seen:
                self.tokens.append((_SEEN, self.seen[id(thing)]))
            else:
                self.seen[id(thing)] = self.at = at
                try:
                    self.tokens.append(_look.dispatch(type(thing))(thing, self))
                except Exception:               # (of a strange object, which is then known by itself alone)
                    self.tokens.append((thing,))

    def add(self, way: str, key: Any, thing: Any) -> None:
        """Something that is reached from the present thing."""
        self.steps.append(Step(self.at, way, key, thing))

    def add_all(self, way: str, keys: Iterable[Any], things: Iterable[Any]) -> None:
        """Several of them."""
        self.steps += map(Step, repeat(self.at), repeat(way), keys, things)

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

    def table(self, entries: Any, present: Iterable[str], absent: Iterable[str] = (),
              keys: Iterable[str] = ()) -> None:
        """Entries of a dict that are read."""
        table = self.tables.setdefault(id(entries), Table(entries, set(), set(), list(keys)))
        table.present.update(present)
        table.absent.update(absent)

    def inside(self) -> bool:
        """Whether the present thing lies in an object of another package."""
        return self.steps[self.at].parent in self.foreign


def _one(thing: Any, reach: Reach) -> Token:
    """Nothing but itself."""
    return thing,


_SEEN = object()                # begins the token of a thing met before


# -- objects and classes ---------------------------------------------------------------------------------


def attributes(thing: Any, reach: Reach, token: Token = None) -> Token:
    """The attributes of an object that are read: those named, or all if others' code may read them."""
    cls = type(thing)
    whose = origin(cls.__module__)
    if whose == "others":
        if reach.inside():
            return token or (thing,)
        reach.foreign.add(reach.at)
    every = EVERY in reach.names or _mixed(cls)
    held, slots = held_by(thing), _slots(cls)
    if type(held) is not dict and not slots:
        return token or (thing,)
    token = token or (cls,)
    if type(held) is dict:
        known = [name for name in held if type(name) is str and (every or name in reach.names)]
        reach.objects.append((thing, known, len(known) == len(held)))
        known.sort()
        reach.add_all(".", known, map(held.__getitem__, known))
        token = (*token, *known)
    for name, slot in slots:
        if every or name in reach.names:
            empty = in_slot(slot, thing) is MISSING
            reach.read(functools.partial(in_slot, slot) if empty else slot.__get__, ".", name, thing)
    if whose == "user's":
        reach.add("class", cls.__name__, cls)
    return token


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


@functools.lru_cache(maxsize=1024)
def _mixed(cls: type) -> bool:
    """Whether methods of a class may be code that is not the user's, which reads attributes of any name."""
    return any(origin(base.__module__) != "user's" and base.__module__ != "builtins"
               for base in cls.__mro__ if base not in (ABC, Generic, Protocol))


@singledispatch
def _look(thing: Any, reach: Reach) -> Token:
    """The token of a thing; what it holds is added to `reach`."""
    numpy = any(base.__module__.partition(".")[0] == "numpy" for base in type(thing).__mro__)
    return (_numpy if numpy else attributes)(thing, reach)


@_look.register(type)
def _class(cls: Any, reach: Reach) -> Token:
    if origin(cls.__module__) != "user's":
        return cls,
    held = vars(cls)
    data = EVERY in reach.names or _mixed(cls)
    read = []
    for name, thing in held.items():
        method = hasattr(type(thing), "__get__")
        if name in reach.names or (method if name[:2] == name[-2:] == "__" else data and not method):
            read.append(name)
    reach.table(held, read, keys=held)
    read.sort()
    reach.add_all(".", read, map(held.__getitem__, read))
    for base in (*cls.__bases__, type(cls)):
        if base.__module__ != "builtins":
            reach.add("class", base.__name__, base)
    return (cls, *read)


@_look.register(property)
def _property(thing: Any, reach: Reach) -> Token:
    reach.add("in", "", thing.fget)
    return type(thing),


@_look.register(staticmethod)
@_look.register(classmethod)
def _wrapper(thing: Any, reach: Reach) -> Token:
    reach.add("in", "", thing.__func__)
    return type(thing),


# -- functions -------------------------------------------------------------------------------------------


@_look.register(FunctionType)
def _function(f: Any, reach: Reach) -> Token:
    code, held, known = f.__code__, f.__globals__, held_by(f) or {}
    own = origin(held.get("__name__")) == "user's"
    if not (own or f.__closure__ or "__wrapped__" in known):
        return f,
    present: list[str] = []
    if own:
        reads = named(code)
        reach.names |= reads.attributes
        reach.functions.append(f)
        present = sorted(reads.globals & held.keys())
        reach.table(held, present, reads.globals - held.keys())
        reach.add_all("global", present, map(held.__getitem__, present))
        defaults = f.__defaults__ or ()
        reach.add_all("default", code.co_varnames[code.co_argcount - len(defaults):], defaults)
        if f.__kwdefaults__ is not None:
            reach.contain_dict(f.__kwdefaults__)
            reach.add_all("default", f.__kwdefaults__.keys(), f.__kwdefaults__.values())
        for imported in sorted(reads.imported):
            names = module_names(imported, held.get("__package__") or "")
            there = [name for name in names if name in sys.modules]
            reach.table(sys.modules, there, set(names).difference(there))
            reach.add_all("global", there, map(sys.modules.__getitem__, there))
    cells = f.__closure__ or ()
    reach.cells += cells
    reach.add_all("closure", code.co_freevars, map(content_of, cells))
    read = sorted(name for name in known if name == "__wrapped__" or own and (
        name in reach.names or EVERY in reach.names))
    if read:
        reach.table(known, read)
        for name in read:
            reach.add("in" if name == "__wrapped__" else ".", name, known[name])
    return (code, len(f.__defaults__ or ()), *present)


def content_of(cell: CellType) -> Any:
    """What a closure cell holds."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


@_look.register(MethodType)
def _method(thing: Any, reach: Reach) -> Token:
    reach.add("self", "self", thing.__self__)
    reach.add("in", "", thing.__func__)
    return type(thing),


@_look.register(BuiltinFunctionType)
@_look.register(MethodWrapperType)
def _builtin(thing: Any, reach: Reach) -> Token:
    owner = thing.__self__
    if owner is None or isinstance(owner, (ModuleType, type)):
        return thing,
    reach.add("in", "", owner)
    return type(thing), thing.__name__


@_look.register(functools.partial)
def _partial(thing: Any, reach: Reach) -> Token:
    reach.add("in", "", thing.func)
    reach.add_all("argument", range(len(thing.args)), thing.args)
    reach.contain_dict(thing.keywords)
    reach.add_all("argument", thing.keywords.keys(), thing.keywords.values())
    token = type(thing), len(thing.args), *thing.keywords
    return attributes(thing, reach, token) if origin(type(thing).__module__) == "user's" else token


@_look.register(ModuleType)
def _module(thing: Any, reach: Reach) -> Token:
    held = vars(thing)
    whose = origin(held.get("__name__"))
    if whose == "ours":
        return thing,
    present = sorted(name for name in reach.names & held.keys())
    reach.table(held, present, reach.names - held.keys() if whose == "user's" else ())
    reach.add_all(".", present, map(held.__getitem__, present))
    return (thing, *present)


_look.register(Op, _one)
_look.register(CodeType, _one)


@_look.register(Value)
def _value(thing: Value, reach: Reach) -> Token:
    reach.values.append(thing)
    return thing,


@_look.register(weakref.ref)
def _weak(thing: Any, reach: Reach) -> Token:
    reach.read(weakref.ref.__call__, "in", "", thing)
    return type(thing),


@_look.register(ContextVar)
def _context(thing: Any, reach: Reach) -> Token:
    reach.read(_in_context, "in", "", thing)
    return thing,


def _in_context(thing: ContextVar[Any]) -> Any:
    return thing.get(MISSING)


# -- containers ------------------------------------------------------------------------------------------


def _entries(base: Any) -> Callable[[Any, Reach], Token]:
    """How to look at containers of a built-in class."""
    changes = base not in (tuple, frozenset)

    def look(thing: Any, reach: Reach) -> Token:
        cls, things = type(thing), list(base.__iter__(thing))
        if reach.inside():
            reach.foreign.add(reach.at)
        if base is tuple and origin(cls.__module__) == "ours":
            return thing,
        if changes:
            reach.contain(thing, *((iter, len) if cls is base else (base.__iter__, base.__len__)))
        token: Token = cls, len(things)
        if PLAIN.issuperset(map(type, things)):
            token = cls, len(things), *things
        else:
            fields = getattr(cls, "_fields", None)
            if base is tuple and type(fields) is tuple and len(fields) == len(things):
                reach.add_all(".", fields, things)
            else:
                reach.add_all("[", range(len(things)), things)
        return token if cls is base else _with_attributes(thing, reach, token)
    return look


def _with_attributes(thing: Any, reach: Reach, token: Token) -> Token:
    if origin(type(thing).__module__) == "others" and reach.inside():
        return token
    return attributes(thing, reach, token)


for _base in (list, tuple, deque, set, frozenset):
    _look.register(_base, _entries(_base))


def _mapping(base: Any) -> Callable[[Any, Reach], Token]:
    def look(thing: Any, reach: Reach) -> Token:
        cls, keys, things = type(thing), list(base.keys(thing)), list(base.values(thing))
        if reach.inside():
            reach.foreign.add(reach.at)
        reach.contain_dict(thing, base)
        token: Token = cls, len(keys)
        if PLAIN.issuperset(map(type, keys)):
            token = cls, len(keys), *keys
        else:
            reach.add_all("key", range(len(keys)), keys)
        reach.add_all("[", keys, things)
        return token if cls is base else _with_attributes(thing, reach, token)
    return look


for _base in (dict, MappingProxyType):
    _look.register(_base, _mapping(_base))


# -- numbers hidden in objects ---------------------------------------------------------------------------


def content(thing: Any) -> tuple[Any, ...]:
    """What an array, or another object whose content is bytes, holds."""
    if hasattr(thing, "dtype"):
        return str(thing.dtype), repr(thing.shape), thing.tobytes()
    return getattr(thing, "typecode", ""), bytes(thing)


@_look.register(bytearray)
@_look.register(array.array)
def _bytes(thing: Any, reach: Reach) -> Token:
    reach.arrays.append(thing)
    return (type(thing), *content(thing))


def _numpy(thing: Any, reach: Reach) -> Token:
    cls = type(thing)
    if cls.__module__.startswith("numpy.random"):
        return _generator(thing, reach)
    token: Token = (cls, str(thing.dtype), repr(thing.shape))
    if thing.dtype == object:
        reach.contain(thing, _elements, _size)
        reach.add_all("[", range(thing.size), _elements(thing))
    else:
        token = _bytes(thing, reach)
    return attributes(thing, reach, token) if origin(cls.__module__) == "user's" else token


def _elements(thing: Any) -> Any:
    return thing.ravel().tolist()


def _size(thing: Any) -> int:
    return int(thing.size)


def _hidden(base: Any) -> Callable[[Any, Reach], Token]:
    """How to look at numbers and texts of derived classes."""
    return lambda thing, reach: attributes(thing, reach, (type(thing), base.__repr__(thing)))


for _base in (int, float, complex, str, bytes):
    _look.register(_base, _hidden(_base))


@_look.register(Enum)
def _member(thing: Any, reach: Reach) -> Token:
    return attributes(thing, reach, (thing,))


@_look.register(random.Random)
def _generator(thing: Any, reach: Reach) -> Token:
    reach.generators.append(thing)
    return thing,
