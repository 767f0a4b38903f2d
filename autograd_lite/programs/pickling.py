"""Pickling and copying of compiled functions: their programs, and the function itself where it pickles.

Programs that go with their function take what it reads from it: the numbers of the `Value`s that it finds
where it arrives, a model's parameters, say. They hold there if all else that it reads is as it was; that is
told by a print, a hash of what `Environment` looks at that means the same in any process. Otherwise the
function is traced anew. Programs that go without it hold their own `Value`s, with the numbers of the time,
and all else that it read is as it was.
"""
from __future__ import annotations

import enum
import hashlib
import io
import pickle
import random
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from autograd_lite.errors import InputError
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable
from autograd_lite.ops.methods import Methods
from autograd_lite.ops.op import Op
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.reach import PLAIN
from autograd_lite.programs.recording import Recording
from autograd_lite.transforms.trees import rebuild

# -- prints ----------------------------------------------------------------------------------------------


def print_of(environment: Environment) -> bytes | None:
    """What all that a function reads looks like, Values aside; None if only this process can tell."""
    hashed = hashlib.sha256()
    generators = set(map(id, environment.generators))
    try:
        for token in environment.tokens:
            drawing = type(token) is tuple and len(token) == 1 and id(token[0]) in generators
            hashed.update(("generator" if drawing else _portable(token)).encode())
    except Exception:                           # (of a strange object)
        return None
    return hashed.digest()


def _portable(x: Any) -> str:
    """A part of a token as a text that is the same in any process; a TypeError if there is none."""
    cls: Any = type(x)
    if cls in PLAIN:
        return f"{cls.__name__} {x!r};"
    if isinstance(x, tuple):                    # (a named one is one of ours)
        parts = list(map(_portable, x))
        if x and x[0] in (set, frozenset):
            parts.sort()
        return f"{cls.__name__}({''.join(parts)})"
    if cls is frozenset:
        return f"{{{''.join(sorted(map(_portable, x)))}}}"
    if cls is CodeType:
        return _portable((x.co_code, x.co_consts, x.co_names, x.co_varnames, x.co_freevars, x.co_cellvars,
                          x.co_flags, x.co_argcount, x.co_posonlyargcount, x.co_kwonlyargcount))
    if isinstance(x, FunctionType) and getattr(Value, x.__name__, None) is x or x in vars(Methods).values():
        return f"method {x.__name__};"          # (a quick one, where its op is quick)
    if isinstance(x, (type, FunctionType, BuiltinFunctionType)):
        return f"{_module(x.__module__)}.{x.__qualname__};"
    if cls is ModuleType:
        return f"module {_module(x.__name__)};"
    if isinstance(x, Op):
        return f"op {x.name};"
    if isinstance(x, enum.Enum):
        return _portable((cls, x.name))
    if cls is Value:
        return f"Value {x.requires_grad};"
    if hasattr(x, "__objclass__"):              # (a slot, a method of a built-in class)
        return _portable((x.__objclass__, x.__name__))
    if cls is object or x is random.random.__self__ or (  # type: ignore[attr-defined]
            cls.__module__ in ("_thread", "_abc")):         # (locks, and what an abstract class remembers)
        return f"{cls.__name__};"
    if hasattr(cls, "__next__"):
        raise TypeError
    return _portable((cls, pickle.dumps(x)))    # (a date, a pattern)


def _module(name: Any) -> str:
    return str(name).replace("__mp_main__", "__main__")     # (as spawned processes call it)


# -- functions that go, or not -----------------------------------------------------------------------------


class Absent:
    """Stands for a function that did not go with its programs."""

    def __init__(self, name: str, why: str):
        self.__name__, self.why = name, why

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise InputError(f"{self.__name__}: this call needs the function itself, which was not pickled "
                         f"({self.why}). No program that was fits it: other shapes, other branches, or "
                         "numbers that only the function itself takes (extreme or not finite). Call it in "
                         "such a way before it is pickled, or define the function at the top of a module")


class ByName:
    """Stands in a pickle for a function whose name is that of what was compiled of it: ``@compile``."""

    def __init__(self, module: str, path: str):
        self.module, self.path = module, path

    @classmethod
    def of(cls, compiled: Any) -> ByName | None:
        """The name of a compiled function, if it can be found by that of f."""
        try:
            this = cls(compiled.f.__module__, compiled.f.__qualname__)
            return this if this.found(import_it=False) is compiled else None
        except (AttributeError, TypeError):
            return None

    def found(self, import_it: bool = True) -> Any:
        if import_it:
            __import__(self.module)
        thing: Any = sys.modules.get(self.module)
        for part in self.path.split("."):
            thing = getattr(thing, part)
        return thing

    def __reduce__(self) -> Any:
        return _wrapped, (self.module, self.path)


def _wrapped(module: str, path: str) -> Any:
    return ByName(module, path).found().__wrapped__


_trying = threading.local()         # its `ids`: of what is being tried, in any pickle of this thread


def why_not(thing: Any) -> str:
    """Why something does not pickle; "" if it does, by the pickler at work."""
    ids: set[int] = _trying.__dict__.setdefault("ids", set())
    if id(thing) in ids:
        return ""
    ids.add(id(thing))
    why = ""
    try:
        for pickler in _picklers():
            try:
                pickler(io.BytesIO()).dump(thing)
                return ""
            except Exception as error:
                why = why or str(error) or type(error).__name__
    finally:
        ids.discard(id(thing))
    return printable(re.sub(" at 0x[0-9a-f]+", "", why)[:200])


def _picklers() -> Iterator[Any]:
    """The class of Python's pickler, and of that at work: one of another package may take more."""
    yield pickle.Pickler
    frame: Any = sys._getframe()
    while frame is not None:
        this = frame.f_locals.get("self") if frame.f_code.co_argcount else None
        if isinstance(this, pickle.Pickler) or hasattr(type(this), "save_reduce"):
            yield type(this)
            return
        frame = frame.f_back


class Staying:
    """What is neither pickled nor copied."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise InputError("a bound function reads arrays where they lie, so it is neither pickled nor copied: "
                         "pickle the compiled function with its arguments, and bind it there")


# -- programs --------------------------------------------------------------------------------------------


class Packed(NamedTuple):
    """A program.

    Attributes:
        captured: its Values, or where each stands among those that the function reads.
        wanted: which of them have gradients among the results.
        result: what the function returned, Values in the places of results.
    """

    recording: Recording
    captured: Sequence[Any]
    wanted: Sequence[int]
    point: Sequence[Any]
    result: Any
    verified: bool

    def __reduce__(self) -> Any:
        result = rebuild(self.result, lambda x: Value(0.0) if isinstance(x, Value) else x, lambda x: x)
        return Packed, tuple(self._replace(result=result))


class Shelf(NamedTuple):
    """The programs of one key for one state of what the function reads: they hold where its print is the
    same, or (None) without the function. The one used last is first."""

    key: Any
    print: bytes | None
    programs: list[Packed]


def packed(key: Any, environment: Environment, programs: Iterable[Any], with_f: bool) -> Shelf | None:
    """The programs of one key and environment, which holds; None if they cannot go."""
    seen = print_of(environment) if with_f else None
    if with_f and seen is None:
        return None
    places = {id(x): i for i, x in enumerate(environment.values)}
    found = []
    for program in programs:
        captured = [places.get(id(x)) for x in program.captured] if with_f else program.captured
        if None not in captured:
            own = {id(x): i for i, x in enumerate(program.captured)}
            found.append(Packed(program.recording, captured, [own[id(x)] for x in program.wanted],
                                program.point, program.result, program.verified or not with_f))
    return Shelf(key, seen, found) if found else None


def fitting(shelves: list[Shelf], key: Any, environment: Environment) -> Iterator[tuple[Packed, list[Value]]]:
    """The programs on the shelf for this key and environment, which is taken from the list, and their
    Values."""
    for shelf in [shelf for shelf in shelves if shelf.key == key]:
        if shelf.print is None or shelf.print == print_of(environment):
            shelves[:] = [other for other in shelves if other is not shelf]
            for program in shelf.programs:
                yield program, [environment.values[x] if type(x) is int else x for x in program.captured]
            return
