"""The arguments of a compiled function: their numbers, and the key under which its programs are kept."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.graph.value import Value
from autograd_lite.ops.op import number
from autograd_lite.transforms.trees import is_number, kind_of, rebuild


class Given(Exception):
    """An argument holds a Value: the function itself is wanted."""


def described(x: Any, numbers: list[Any]) -> Any:
    """The key of an argument: all about it but its numbers, which are added to `numbers`, in order.

    An int is a number of another kind; bools, text and all else that is not a number belong to the key.
    """
    cls = type(x)
    if cls is float:
        numbers.append(x)
        return float
    if cls is int:
        numbers.append(number(x, "an argument"))
        return int
    if cls is bool or cls is str or x is None:
        return cls, x
    if cls is list or cls is tuple:
        if x and all([type(entry) is float for entry in x]):
            numbers += x
            return cls, len(x)
        return cls, *[described(entry, numbers) for entry in x]
    if cls is dict:
        return dict, *[(key, described(entry, numbers)) for key, entry in x.items()]
    if isinstance(x, Value):
        raise Given
    if is_number(x):
        whole = is_whole(x)
        numbers.append(number(x, "an argument"))
        return int if whole else float
    kind = kind_of(x, True)
    if kind:
        keys = [key if _hashable(key) else id(key) for key in kind.keys(x)]
        shape = getattr(x, "shape", None)
        return cls, shape, *keys, *[described(part, numbers) for part in kind.parts(x)]
    return cls, _Kept(x)


def is_whole(x: Any) -> bool:
    """Whether a number is an int, or one of NumPy's."""
    return type(x) is int or is_number(x) and not isinstance(x, bool) and (
        isinstance(x, int) or getattr(getattr(x, "dtype", None), "kind", "") in ("i", "u"))


def key_of(args: Any, kwargs: Any) -> tuple[Any, list[Any]]:
    """The key of the arguments of a call, and their numbers."""
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


def _hashable(x: Any) -> bool:
    try:
        hash(x)
    except TypeError:
        return False
    return True


class _Kept:
    """An object as part of a key: by its own equality if it has a hash, else by identity."""

    def __init__(self, x: Any):
        self.x, self.hashed = x, _hashable(x)

    def __hash__(self) -> int:
        return hash(self.x) if self.hashed else id(self.x)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and (self.x is other.x or self.hashed and bool(self.x == other.x))


def entered(tree: Any, enter: Callable[[Any], Any]) -> Any:
    """The arguments with ``enter(x)`` for each number; bools and all that is not a number stay."""
    return rebuild(tree, lambda x: x if isinstance(x, bool) else enter(x), lambda x: x)


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
