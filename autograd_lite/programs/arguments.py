"""The arguments of a compiled function: their numbers, and the key under which its programs are kept."""
from __future__ import annotations

import copy
import dataclasses
import inspect
import re
from collections import ChainMap, UserDict, UserList, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import index
from types import FunctionType
from typing import Any

from autograd_lite.errors import InputError, short
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import number
from autograd_lite.programs.reach import origin_of
from autograd_lite.transforms.registered import Rest
from autograd_lite.transforms.structures import attributes_of
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import Kind, is_number, kind_of, rebuild


class Given(Exception):
    """An argument holds a Value: the function itself is wanted."""


class Large(Given):
    """An argument holds an int that no double may hold: what the function itself gives is wanted."""


class Option:
    """Arguments of f that an option names.

    Args:
        what: the option; named: their positions or names: one, or several.

    Raises:
        InputError: f has no such argument.
    """

    def __init__(self, f: Any, what: str, named: Any):
        one = isinstance(named, (str, int)) or not isinstance(named, Iterable)
        self.f, self.named = f, (named,) if one else tuple(named)
        parameters = parameters_of(f)
        self.names = [p.name for p in parameters]
        more = any([p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters])
        for x in self.named:
            known = x in self.names if isinstance(x, str) else (
                type(x) is int and -len(self.names) <= x < len(self.names))
            if type(x) not in (str, int) or self.names and not (known or more):
                raise InputError(f"{what}={short(named)}: {name_of(f)} has no argument {short(x)}; give "
                                 f"positions or names of {', '.join(self.names) or 'its arguments'}")

    def holds(self, place: int | str, count: int) -> bool:
        """Whether an argument, of so many positional ones, is one of them."""
        if isinstance(place, str):
            return place in self.named or place in self.names and self.names.index(place) in self.named
        return (place in self.named or place - count in self.named
                or place < len(self.names) and self.names[place] in self.named)

    def of(self, f: Any) -> Any:
        """The same of another function, which stands for f (in a pickle, say)."""
        new = copy.copy(self)
        new.f = f
        return new


def key_of(args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The key of all arguments, and their numbers."""
    for x in args:
        if type(x) is not float:
            break
    else:
        if not kwargs:
            return len(args), list(args)
    numbers: list[Any] = []
    key = [described(x, numbers) for x in args]
    if kwargs:
        key.append(tuple([(name, described(x, numbers)) for name, x in kwargs.items()]))
    return tuple(key), numbers


def described(x: Any, numbers: list[Any]) -> Any:
    """The key of an argument: all about it but its numbers, which are added to `numbers`, in order.

    An int is a number of another kind; bools and other classes of ints, text and all else that is not a
    number belong to the key.
    """
    cls = type(x)
    if cls is float:
        numbers.append(x)
        return float
    if cls is int:
        if not -2 ** 53 < x < 2 ** 53:
            raise Large
        numbers.append(float(x))
        return int
    if cls is bool or cls is str or x is None:
        return cls, x
    if isinstance(x, int):
        return cls, Kept(x)
    if cls is list or cls is tuple:
        if x and all([type(entry) is float for entry in x]):
            numbers += x
            return cls, len(x)
        return cls, *[described(entry, numbers) for entry in x]
    if cls is dict:
        return dict, *[(key if type(key) is str else _apart(key), described(entry, numbers))
                       for key, entry in x.items()]
    if isinstance(x, Value):
        raise Given
    if is_number(x):
        if is_whole(x):
            return described(index(x), numbers)
        numbers.append(number(x, "an argument"))
        return float
    kind = kind_of(x, True)
    if kind and is_floats(x):                   # (in less time)
        numbers += x.ravel().tolist()
        return cls, x.shape, float
    if kind:
        shape = getattr(x, "shape", None)
        return cls, shape, *_keys(kind, x), *[described(part, numbers) for part in kind.parts(x)]
    return x.key if cls is Fixed else (cls, Kept(x))


def _keys(kind: Kind, x: Any) -> list[Any]:
    """What a structure is but for its parts: their keys, and what else f may read of it."""
    keys = list(map(_apart, kind.keys(x)) if kind.form is dict else kind.keys(x))
    if kind.form is object or keys and type(keys[-1]) is Rest:      # (which say all)
        return keys
    if isinstance(x, (deque, defaultdict)):
        keys.append(_fixed(x.maxlen if isinstance(x, deque) else x.default_factory))
    if getattr(x, "__dict__", None):
        held, _ = attributes_of(x)
        content = "data" if isinstance(x, (UserList, UserDict)) else "maps" if isinstance(x, ChainMap) else ""
        items: Any = x if isinstance(x, dict) else {}           # (d.x may be d["x"])
        keys.append(_fixed({name: thing for name, thing in held.items()
                            if name != content and not (name in items and items[name] is thing)}))
    return keys


def _apart(key: Any) -> Any:
    """A key of a structure, apart from others that are equal to it: True, 1, 1.0 and the like."""
    cls: Any = type(key)
    return key if cls in (str, int, Rest) or isinstance(cls.__eq__, FunctionType) else _fixed(key)


def is_floats(x: Any) -> bool:
    """Whether x is an array of floats, and of no class but NumPy's own."""
    cls = type(x)
    return cls.__name__ == "ndarray" and cls.__module__ == "numpy" and bool(x.dtype == float and x.ndim)


def is_whole(x: Any) -> bool:
    """Whether a number is an int, or one of NumPy's."""
    return type(x) is int or is_number(x) and not isinstance(x, bool) and (
        isinstance(x, int) or getattr(getattr(x, "dtype", None), "kind", "") in ("i", "u"))


def _hashable(x: Any) -> bool:
    try:
        hash(x)
    except TypeError:
        return False
    return True


class Kept:
    """An object as part of a key: by its own equality and its looks if it has a hash, else by identity."""

    def __init__(self, x: Any):
        own = isinstance(type(x).__eq__, FunctionType) and not dataclasses.is_dataclass(x)
        self.x, self.hashed = x, not own and _hashable(x)       # (who knows what a user's own compares)

    def __hash__(self) -> int:
        return hash(self.x) if self.hashed else id(self.x)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kept) and (self.x is other.x or self.hashed and other.hashed and (
            hash(self.x) == hash(other.x)) and bool(self.x == other.x) and (
            _looks(self.x) == _looks(other.x)))


def _looks(x: Any) -> Any:
    """What f may see of an object but its equality does not: digits, a time zone, attributes of its own."""
    cls: Any = type(x)
    held = attributes_of(x) if origin_of(cls) == "user's" else ()
    return re.sub(" at 0x[0-9a-fA-F]+", "", repr(x)), _fixed(held)


def entered(tree: Any, enter: Callable[[Any], Any]) -> Any:
    """The arguments with ``enter(x)`` for each number; bools (and other classes of ints) and all that is not
    a number stay."""
    return rebuild(tree, lambda x: x if isinstance(x, int) and type(x) is not int else enter(x),
                   lambda x: x.thing if type(x) is Fixed else x)


def objects_in(key: Any) -> Iterator[Any]:
    """The objects and classes in a key, whose attributes and methods f may read."""
    if isinstance(key, (tuple, frozenset)):
        for part in key:
            yield from objects_in(part)
    elif type(key) is Kept:
        yield key.x
    elif isinstance(key, type) and origin_of(key) == "user's":
        yield key


# -- static arguments --------------------------------------------------------------------------------


class Fixed:
    """An argument that is passed as it is, and belongs to the key with all its numbers."""

    def __init__(self, thing: Any):
        self.thing, self.key = thing, (Fixed, *_fixed(thing))


def _fixed(x: Any) -> tuple[Any, ...]:
    """The key of a static argument: plain things and what holds them by value, others as `Kept`."""
    cls = type(x)
    if cls in (bool, int, str, bytes) or x is None:
        return cls, x
    if cls is float:
        return cls, repr(x)                     # (−0.0 is not 0.0, and nan is nan)
    if isinstance(x, Value):
        return cls, Kept(x)
    if cls in (list, tuple, set, frozenset):    # (equal sets may be in another order)
        return cls, *map(_fixed, x)
    if cls is dict:
        return cls, *[(_fixed(key), _fixed(entry)) for key, entry in x.items()]
    if is_number(x):
        return cls, *_looks(x)
    if hasattr(x, "tobytes") and hasattr(x, "dtype"):
        held = _fixed(x.tolist()) if x.dtype.hasobject else x.tobytes()
        return cls, str(x.dtype), repr(x.shape), held
    kind = kind_of(x, True)
    return (cls, *_keys(kind, x), *map(_fixed, kind.parts(x))) if kind else (cls, Kept(x))


class Static:
    """Which arguments of f are static: their positions or names.

    Raises:
        InputError: f has no such argument.
    """

    def __init__(self, f: Any, wanted: Any):
        one = isinstance(wanted, (str, int)) or not isinstance(wanted, Iterable)
        parameters = parameters_of(f)
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        known = [*names, *[p.name for p in parameters if p.kind is p.KEYWORD_ONLY]]
        kinds = {p.kind for p in parameters}
        self.places, self.names = set[int](), set[str]()
        for x in (wanted,) if one else wanted:
            if isinstance(x, str) and (x in known or inspect.Parameter.VAR_KEYWORD in kinds):
                self.names.add(x)
                if x in names:
                    self.places.add(names.index(x))
            elif type(x) is int and (-len(names) <= x < len(names) or x >= 0 and (
                    not parameters or inspect.Parameter.VAR_POSITIONAL in kinds)):
                x = x + len(names) if x < 0 else x
                self.places.add(x)
                self.names.update(names[x:x + 1])
            else:
                raise InputError(f"static={short(wanted)}: {name_of(f)} has no argument {short(x)}; give "
                                 f"positions or names of {', '.join(known) or 'its arguments'}")

    def marked(self, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments, the static ones as `Fixed`."""
        return ([Fixed(x) if i in self.places else x for i, x in enumerate(args)],
                {name: Fixed(x) if name in self.names else x for name, x in kwargs.items()})


def parameters_of(f: Any) -> list[inspect.Parameter]:
    """The parameters of f, as far as they are known."""
    try:
        return list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return []


def names_of(parameters: Sequence[str], args: Sequence[Any]) -> list[str]:
    """A name for each number of the arguments."""
    found: list[str] = []

    def add(name: str, x: Any) -> None:
        if isinstance(x, (list, tuple)):
            for i, entry in enumerate(x):
                add(f"{name}_{i}", entry)
        elif isinstance(x, dict):
            for key, entry in x.items():
                add(f"{name}_{key}", entry)
        else:
            numbers: list[Any] = []
            described(x, numbers)
            found.extend([name] if len(numbers) == 1 else [f"{name}_{i}" for i in range(len(numbers))])

    for name, x in zip([*parameters, *[""] * len(args)], args):
        add(name, x)
    return found
