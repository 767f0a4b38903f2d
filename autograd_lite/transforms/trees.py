"""Nested structures of numbers: lists, tuples, dicts, dataclasses and NumPy arrays."""
from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

from autograd_lite.errors import InputError, shown
from autograd_lite.ops.operators import Operators


def is_number(x: Any) -> bool:
    """Whether x is one number, of any kind."""
    return type(x) is float or isinstance(x, (Operators, Real)) or getattr(x, "shape", None) == ()


def is_array(x: Any) -> bool:
    """Whether x is a NumPy array with a dimension."""
    return type(x).__module__ == "numpy" and getattr(x, "shape", ()) != ()


def leaves(tree: Any, lenient: bool = False) -> list[Any]:
    """The numbers of a nested structure, in order.

    >>> leaves({"a": [1.0, 2.0], "b": 3.0})
    [1.0, 2.0, 3.0]
    """
    found: list[Any] = []

    def keep(x: Any) -> Any:
        found.append(x)
        return x

    rebuild(tree, keep, lenient)
    return found


def rebuild(tree: Any, change: Callable[[Any], Any], lenient: bool = False) -> Any:
    """The structure with every number x replaced by ``change(x)``.

    A structure is a number or a list, tuple, dict, dataclass or NumPy array of structures;
    anything else stays as it is if `lenient`.

    >>> rebuild((1.0, [2.0]), lambda x: 10 * x)
    (10.0, [20.0])
    """
    if type(tree) is float or is_number(tree):
        return change(tree)

    def each(x: Any) -> Any:
        return rebuild(x, change, lenient)

    if isinstance(tree, list):
        return list(map(each, tree))
    if isinstance(tree, tuple):
        return type(tree)(*map(each, tree)) if hasattr(tree, "_fields") else tuple(map(each, tree))
    if isinstance(tree, Mapping):
        result = copy.copy(tree) if isinstance(tree, dict) else {}      # an OrderedDict stays one
        result.update({key: each(x) for key, x in tree.items()})
        return result
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [field.name for field in dataclasses.fields(tree) if field.init]
        return dataclasses.replace(tree, **{name: each(getattr(tree, name)) for name in names})
    if is_array(tree):
        return as_array([each(x) for x in tree.ravel().tolist()], tree.shape)
    if lenient:
        return tree
    raise InputError(f"expected a number, or a list, tuple, dict, dataclass or array of numbers, "
                     f"got {shown(tree)}")


def refill(tree: Any, entries: Iterable[Any]) -> Any:
    """The structure with its numbers replaced by the entries, in order.

    >>> refill((1.0, [2.0]), ["a", "b"])
    ('a', ['b'])
    """
    supply = iter(entries)
    return rebuild(tree, lambda _: next(supply))


def as_array(entries: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """An array of floats, or of objects if some are Values. Arrays add their dimensions; other structures
    give a nested list."""
    import numpy as np
    if entries and all(map(is_array, entries)):
        return np.stack(entries).reshape(shape + entries[0].shape)
    array = np.empty(len(entries), float if all(isinstance(x, float) for x in entries) else object)
    for i, x in enumerate(entries):
        array[i] = x
    array = array.reshape(shape)
    return array if all(map(is_number, entries)) else array.tolist()
