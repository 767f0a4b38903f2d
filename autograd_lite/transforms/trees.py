"""Nested structures of numbers."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from functools import singledispatch
from numbers import Real
from typing import Any, NamedTuple

from autograd_lite.errors import InputError, shown
from autograd_lite.graph.value import Value
from autograd_lite.ops.operators import Operators


class Kind(NamedTuple):
    """How a kind is taken apart and made again."""

    keys: Callable[[Any], Iterable[Any]]
    parts: Callable[[Any], Iterable[Any]]
    again: Callable[[Any, Sequence[Any]], Any]
    step: Callable[[Any], str]
    form: type


@singledispatch
def kind_of(tree: Any, lenient: bool = False) -> Kind | None:
    """A structure's kind, or None."""
    return None


@singledispatch
def kept(x: Any) -> Any:
    """None, text or a function; else refused."""
    raise unexpected(x)


def unexpected(x: Any) -> InputError:
    """The refusal."""
    return InputError("expected a number, or a list, tuple, dict, dataclass or array of numbers, got "
                      + shown(x))


def is_number(x: Any) -> bool:
    """Whether x is one number."""
    if type(x) is float or isinstance(x, (Operators, Real)):
        return not isinstance(x, Enum)
    shape = hasattr(type(x), "dtype") and getattr(x, "shape", None)
    return shape == () and getattr(x.dtype, "kind", "f") in "biuf" and not hasattr(x, "mask")


def leaves(tree: Any, lenient: bool = False) -> list[Any]:
    """A structure's numbers, in order, at least one.

    >>> leaves({"a": [1.0, 2.0], "b": 3.0})
    [1.0, 2.0, 3.0]
    """
    found: list[Any] = []
    others: list[Any] = []

    def keep(x: Any) -> Any:
        found.append(x)
        return x

    rebuild(tree, keep, others.append if lenient else kept)
    if not (found or lenient):
        rebuild(tree, keep, others.append)
        if others:
            raise unexpected(tree)
    return found


def rebuild(tree: Any, change: Callable[[Any], Any], other: Callable[[Any], Any] = kept,
            numbers: Sequence[type] = ()) -> Any:
    """The structure with ``change(x)`` for every number x, and ``other(x)`` for what is neither. (What is of
    the types `numbers` counts as one.)

    >>> rebuild((1.0, [2.0], None), lambda x: 10 * x)
    (10.0, [20.0], None)
    """
    cls = type(tree)
    if cls is float or cls is Value or cls in numbers:
        return change(tree)
    try:
        if cls is list or cls is tuple:
            parts = [change(x) if type(x) is float else rebuild(x, change, other, numbers) for x in tree]
            return parts if cls is list else tuple(parts)
        if cls is dict:
            return {key: change(x) if type(x) is float else rebuild(x, change, other, numbers)
                    for key, x in tree.items()}
        if is_number(tree):
            return change(tree)
        if kind := kind_of(tree, other is not kept):
            return kind.again(tree, [rebuild(x, change, other, numbers) for x in kind.parts(tree)])
    except RecursionError:
        raise InputError(f"a {cls.__name__} is nested too deeply, or holds itself") from None
    return other(tree)


def refill(tree: Any, entries: Iterable[Any]) -> Any:
    """The structure with entries for its numbers."""
    supply = iter(entries)
    return rebuild(tree, lambda _: next(supply))
