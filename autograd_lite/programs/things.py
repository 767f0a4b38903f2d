"""How functions, containers and other things are looked at, a class of things after the other."""
from __future__ import annotations

import array
import functools
import gc
import os
import random
import sys
import threading
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Set
from contextvars import Context, ContextVar
from enum import Enum
from itertools import repeat
from operator import attrgetter, methodcaller
from types import (BuiltinFunctionType, CellType, CodeType, FunctionType, MappingProxyType, MethodType,
                   MethodWrapperType, ModuleType)
from typing import Any

from autograd_lite.graph import value
from autograd_lite.graph.value import Value
from autograd_lite.ops.custom import Custom
from autograd_lite.ops.op import TABLE, Op
from autograd_lite.programs.names import EVERY, module_names, named, origin, origin_of_code, words
from autograd_lite.programs.reach import (MISSING, Reach, Token, attributes, getter, held_by, look,
                                          origin_of, plain)

# -- functions -------------------------------------------------------------------------------------------


@look.register(FunctionType)
def _function(f: Any, reach: Reach) -> Token:
    if getattr(Value, name := f.__name__, None) is f:           # (`graph.quick` may put it there later)
        return TABLE.get(name, f),
    code, held, known = f.__code__, f.__globals__, held_by(f)
    own = origin_of_code(code, held.get("__name__")) == "user's"
    if held is vars(value) or not (own or f.__closure__ or "__wrapped__" in known):
        if f in _OF_ENVIRON:
            reach.add("in", "", os.environ)
        return f,                               # (a quick method's closure holds kernels)
    present: list[str] = []
    if own:
        reads = named(code)
        reach.names |= reads.attributes | reads.globals & _ASKING
        reach.functions.append(f)
        present = _there(held, reads.globals)
        builtins = f.__builtins__
        absent = reads.globals - held.keys()
        reach.table(held, present, absent)
        reach.add_all("global", present, map(held.__getitem__, present))
        built_in = sorted(absent & builtins.keys())
        reach.table(builtins, built_in, absent - builtins.keys())
        reach.add_all("global", built_in, map(builtins.__getitem__, built_in))
        for name in sorted(_FACTS & reach.wanted()):
            reach.read(getter(name), ".", name, f)
        defaults = f.__defaults__ or ()
        first = code.co_argcount - len(defaults)
        reach.add_all("default", code.co_varnames[first:], defaults)
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
    if known or _ASKING & reach.wanted():
        wanted = {"__wrapped__"} | (reach.wanted() if own else set())
        read = sorted(known if EVERY in wanted else wanted & known.keys())
        reach.table(known, read, wanted - known.keys())
        for name in read:
            reach.add("in" if name == "__wrapped__" else ".", name, known[name])
    return (code, len(f.__defaults__ or ()), *present)


_OF_ENVIRON = os.getenv, os.path.expandvars, os.path.expanduser
_ASKING = {"hasattr", "getattr", "AttributeError"}      # for what may not be there
_FACTS = {"__name__", "__qualname__", "__doc__", "__annotations__"}


def _there(held: dict[str, Any], names: Set[str]) -> list[str]:
    """Those of the names that a namespace has, in order."""
    return sorted([name for name in held if name[:2] != "__"] if EVERY in names else names & held.keys())


def content_of(cell: CellType) -> Any:
    """What a closure cell holds."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


@look.register(MethodType)
def _method(thing: Any, reach: Reach) -> Token:
    reach.add("self", "self", thing.__self__)
    reach.add("in", "", thing.__func__)
    return type(thing),


@look.register(BuiltinFunctionType)
@look.register(MethodWrapperType)
def _builtin(thing: Any, reach: Reach) -> Token:
    owner = thing.__self__
    if owner is None or isinstance(owner, (ModuleType, type)):
        return thing,
    reach.add("in", "", owner)
    return type(thing), thing.__name__


class Called(functools.partial[Any]):
    """A function and objects among the arguments that it is called with."""


@look.register(functools.partial)
def _partial(thing: Any, reach: Reach) -> Token:
    reach.add("in", "", thing.func)
    way = "given" if type(thing) is Called else "argument"
    reach.add_all(way, range(len(thing.args)), thing.args)
    reach.contain_dict(thing.keywords)
    reach.add_all("argument", thing.keywords.keys(), thing.keywords.values())
    token = type(thing), len(thing.args), *thing.keywords
    cls: Any = type(thing)
    return attributes(thing, reach, token) if origin_of(cls) == "user's" else token


@look.register(ModuleType)
def _module(thing: Any, reach: Reach) -> Token:
    held = vars(thing)
    whose = origin(held.get("__name__"))
    if whose == "ours":
        return thing,
    names = reach.wanted() | {"__getattr__"}
    if whose == "user's" and type(thing) is not ModuleType:
        reach.classed.append(thing)
        reach.add("class", type(thing).__name__, type(thing))
    present = _there(held, names if whose == "user's" else names - {EVERY})
    reach.table(held, present, names - held.keys() if whose == "user's" or _ASKING & names else ())
    reach.add_all(".", present, map(held.__getitem__, present))
    return (thing, *present)


@look.register(CodeType)
@look.register(Op)
def _one(thing: Any, reach: Reach) -> Token:
    if isinstance(thing, Custom):               # (its rules are the user's)
        reach.add_all("in", repeat(""), (thing.forward, thing.domain, thing.kink, thing.form, *thing.rules))
    return thing,


@look.register(attrgetter)
@look.register(methodcaller)
def _getter(thing: Any, reach: Reach) -> Token:
    reach.names |= words(repr(thing))
    return type(thing), repr(thing)


@look.register(type(functools.cmp_to_key(min)))
def _key(thing: Any, reach: Reach) -> Token:
    reach.add_all("in", repeat(""), gc.get_referents(thing))    # (it does not show its function)
    return type(thing),


@look.register(Value)
def _value(thing: Value, reach: Reach) -> Token:
    reach.values.append(thing)
    return (thing, *reach.show(_names, thing)) if reach.wanted() & {"label", "scope"} else (thing,)


def _names(x: Value) -> tuple[str, ...]:
    return x.label, *x.scope


@look.register(weakref.ref)
def _weak(thing: Any, reach: Reach) -> Token:
    reach.read(weakref.ref.__call__, "in", "", thing)
    return type(thing) if type(thing) is weakref.ref else attributes(thing, reach),


@look.register(weakref.ProxyType)
@look.register(weakref.CallableProxyType)
def _proxy(thing: Any, reach: Reach) -> Token:
    reach.read(_behind, "in", "", thing)
    return type(thing),


def _behind(proxy: Any) -> Any:
    """What a weak proxy stands for."""
    return proxy.__dir__.__self__


@look.register(threading.local)
def _local(thing: Any, reach: Reach) -> Token:
    held, cls = _of_thread(thing), type(thing)
    names = list(held)
    reach.readers.setdefault(_of_thread, []).append(thing)
    reach.contain_dict(held)
    reach.add_all(".", names, map(held.__getitem__, names))
    reach.add("class", cls.__name__, cls)
    return (cls, *names)


def _of_thread(thing: Any) -> Any:
    """What an object holds for this thread."""
    return threading.local.__getattribute__(thing, "__dict__")


@look.register(CellType)
def _cell(thing: Any, reach: Reach) -> Token:
    reach.cells.append(thing)
    reach.add(".", "cell_contents", content_of(thing))
    return type(thing),


@look.register(super)
def _super(thing: Any, reach: Reach) -> Token:
    reach.add_all("in", repeat(""), (thing.__thisclass__, thing.__self__))
    return type(thing),


@look.register(BaseException)
def _error(thing: Any, reach: Reach) -> Token:
    reach.read(getter("args"), ".", "args", thing)
    return attributes(thing, reach)


@look.register(ContextVar)
def _context(thing: Any, reach: Reach) -> Token:
    reach.read(_in_context, "in", "", thing)
    return thing,


def _in_context(thing: ContextVar[Any]) -> Any:
    return thing.get(MISSING)


# -- containers ------------------------------------------------------------------------------------------


def _entries(base: Any) -> Callable[[Any, Reach], Token]:
    """How to look at containers of a built-in class."""
    changes = base not in (tuple, frozenset)

    def look_at(thing: Any, reach: Reach) -> Token:
        cls: Any = type(thing)
        things = list(base.__iter__(thing))
        if reach.inside():
            reach.foreign.add(reach.at)
        if base is tuple and origin_of(cls) == "ours":
            return thing,
        if changes:
            if base is deque:
                reach.add(".", "maxlen", thing.maxlen)
            reach.contain(thing, *((iter, len) if cls is base else (base.__iter__, base.__len__)))
        token: Token = cls, len(things)
        if plain(things):
            token = cls, len(things), *things
        else:
            fields = getattr(cls, "_fields", None)
            if base is tuple and type(fields) is tuple and len(fields) == len(things):
                reach.add_all(".", fields, things)
            else:
                reach.add_all("[", range(len(things)), things)
        return token if cls is base else attributes(thing, reach, token)
    return look_at


_KINDS: tuple[Any, ...] = list, tuple, deque, set, frozenset
for _kind in _KINDS:
    look.register(_kind, _entries(_kind))


def _mapping(base: Any) -> Callable[[Any, Reach], Token]:
    def look_at(thing: Any, reach: Reach) -> Token:
        cls, keys, things = type(thing), list(base.keys(thing)), list(base.values(thing))
        if reach.inside():
            reach.foreign.add(reach.at)
        reach.contain_dict(thing, base)
        token: Token = cls, len(keys)
        if plain(keys):
            token = cls, len(keys), *keys
        else:
            reach.add_all("key", range(len(keys)), keys)
        reach.add_all("[", keys, things)
        return token if cls is base is not OrderedDict else attributes(thing, reach, token)
    return look_at


look.register(dict, _mapping(dict))
look.register(OrderedDict, _mapping(OrderedDict))      # (whose order a dict does not know)
look.register(MappingProxyType, _mapping(MappingProxyType))
look.register(Context, _mapping(Context))


@look.register(defaultdict)
def _default(thing: Any, reach: Reach) -> Token:
    reach.read(getter("default_factory"), ".", "default_factory", thing)
    return look.dispatch(dict)(thing, reach)


_VIEWS: tuple[Any, ...] = type({}.keys()), type({}.values()), type({}.items())


def _view(thing: Any, reach: Reach) -> Token:
    reach.add("in", "", thing.mapping)
    return type(thing),


for _kind in _VIEWS:
    look.register(_kind, _view)


# -- numbers hidden in objects ---------------------------------------------------------------------------


def content(thing: Any) -> tuple[Any, ...]:
    """What an array, or another object whose content is bytes, holds."""
    if hasattr(thing, "dtype"):
        held = repr(thing.tolist()) if thing.dtype.hasobject else thing.tobytes()
        return str(thing.dtype), repr(thing.shape), held
    return getattr(thing, "typecode", ""), bytes(thing)


@look.register(bytearray)
@look.register(memoryview)
@look.register(array.array)
def _bytes(thing: Any, reach: Reach) -> Token:
    return (type(thing), *reach.show(content, thing))


@look.register(object)
def _object(thing: Any, reach: Reach) -> Token:
    cls: Any = type(thing)
    packages = {base.__module__.partition(".")[0] for base in cls.__mro__}
    if "numpy" not in packages:
        if "_ctypes" in packages:
            return _bytes(thing, reach)
        return _table(thing, reach) if origin_of(cls) == "others" and hasattr(cls, "__array__") else (
            attributes(thing, reach))
    if cls.__module__.startswith("numpy.random"):
        return _generator(thing, reach)
    if not hasattr(thing, "tobytes"):
        return attributes(thing, reach)
    token: Token = (cls, str(thing.dtype), repr(thing.shape))
    if thing.dtype == object:
        reach.contain(thing, _elements, _size)
        reach.add_all("[", range(thing.size), _elements(thing))
    else:
        token = _bytes(thing, reach)
    return token if cls.__module__ == "numpy" else attributes(thing, reach, token)


def _table(thing: Any, reach: Reach) -> Token:
    """A table, column or tensor of another package, which NumPy can read."""
    try:
        entries = list(_objects(thing))
    except Exception:                           # (not this one: a tensor on another device, say)
        return attributes(thing, reach)
    if entries:
        reach.contain(thing, _objects, lambda thing: len(_objects(thing)))
        reach.add_all("[", repeat(""), entries)
    return attributes(thing, reach, (type(thing), len(entries), *reach.show(_numbers, thing)))


def _columns(thing: Any) -> list[tuple[Any, bool]]:
    """What it consists of as arrays, and whether these hold objects that it stores (not made to be shown)."""
    import numpy

    parts = [thing]
    if hasattr(thing, "iloc"):                  # (of pandas)
        axes = [getattr(thing, name) for name in ("index", "columns") if hasattr(thing, name)]
        parts = axes + ([thing.iloc[:, i] for i in range(thing.shape[1])] if len(axes) > 1 else [thing])
    kinds = [getattr(getattr(part, "dtype", None), "type", object) for part in parts]
    return [(column, column.dtype == object and kind in (object, numpy.object_, str, Value))
            for column, kind in zip(map(numpy.asarray, parts), kinds)]


def _numbers(thing: Any) -> tuple[Any, ...]:
    return tuple([x for column, stored in _columns(thing) if not stored for x in content(column)])


def _objects(thing: Any) -> list[Any]:
    return [x for column, stored in _columns(thing) if stored for x in _elements(column)]


def _elements(thing: Any) -> Any:
    return thing.ravel().tolist()


def _size(thing: Any) -> int:
    return int(thing.size)


def _hidden(base: Any) -> Callable[[Any, Reach], Token]:
    """How to look at numbers and texts of derived classes."""
    return lambda thing, reach: attributes(thing, reach, (type(thing), base.__repr__(thing)))


_NUMBERS: tuple[Any, ...] = int, float, complex, str, bytes
for _kind in _NUMBERS:
    look.register(_kind, _hidden(_kind))


@look.register(Enum)
def _member(thing: Any, reach: Reach) -> Token:
    return attributes(thing, reach, (thing,))


@look.register(random.Random)
def _generator(thing: Any, reach: Reach) -> Token:
    if thing is not random.random.__self__:  # type: ignore[attr-defined]
        reach.generators.append(thing)
    return thing,
