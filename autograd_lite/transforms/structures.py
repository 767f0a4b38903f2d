"""What counts as a structure of numbers: for each class how it is taken apart and made again.

A structure is made again as an object of its class, without running the class's own code:

- Lists, tuples, dicts, deques, `UserList`, `UserDict`, `ChainMap` and their subclasses, with other items.
  Their further attributes stay as they are: nothing is differentiated by a number in one. The class of
  another Mapping is called with a dict.
- A dataclass, or an object of an attrs class, with other values in its fields, also those with
  ``init=False``: a field that `__post_init__` worked out is a number of its own. A `property` or
  `cached_property` is worked out anew; a number in an attribute that is neither is refused.
- A NumPy array, or an object of a subclass of it, with other elements.
- None, text, bytes, enums, functions and classes are kept.
- An object of a class of the user's as `register` says.

Anything else is refused: numbers in it would be lost. Two structures match if they are of one form
and have the same keys, fields, length or shape: lists, tuples and arrays can stand for each other, and
so can mappings. The `step` of a kind is how messages write a key: ``['a']``, ``.a``.
"""
from __future__ import annotations

import collections
import dataclasses
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from operator import attrgetter
from types import BuiltinFunctionType, MappingProxyType
from typing import Any

from autograd_lite.errors import InputError, shown
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import number
from autograd_lite.transforms.trees import Kind, is_number, kept, kind_of, leaves, unexpected

# -- objects of the same class --------------------------------------------------------------------


def attributes_of(tree: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an object holds in its `__dict__`, but for cached properties, and in its slots."""
    state: Any = object.__getstate__(tree)
    held, slots = state if type(state) is tuple else (state, None)
    if held is not tree and held:
        fields = getattr(type(tree), "__dataclass_fields__", ())
        held = {name: x for name, x in held.items()
                if name in fields or not _cached(getattr(type(tree), name, None))}
    return held or {}, slots or {}


def _cached(attribute: Any) -> bool:
    """Whether an attribute of a class is a cached property: its results stand in the objects' `__dict__`."""
    return hasattr(attribute, "__get__") and not hasattr(attribute, "__set__") and not callable(attribute)


def _bare(tree: Any, *content: Any) -> Any:
    """Another object of the class and with the attributes of a structure, without its parts."""
    cls = type(tree)
    maker = next(c for c in cls.__mro__ if isinstance(vars(c).get("__new__"), BuiltinFunctionType))
    bare = maker.__new__(cls, *content)
    held, slots = attributes_of(tree)
    if held is tree:                                            # d.x is d["x"]
        object.__setattr__(bare, "__dict__", bare)
    elif held:
        bare.__dict__.update(held)
    for name, x in slots.items():
        object.__setattr__(bare, name, x)
    return bare


def _set(tree: Any, /, **attributes: Any) -> Any:
    """The object, with these attributes."""
    for name, x in attributes.items():
        try:
            object.__setattr__(tree, name, x)
            same = getattr(tree, name) is x
        except Exception:
            same = False
        if not same:
            raise InputError(f"{type(tree).__name__}.{name} does not keep what it is given; "
                             "differentiate by a plain field")
    return tree


# -- the kinds ------------------------------------------------------------------------------------


def item_step(key: Any) -> str:
    """How a message writes an item."""
    return f"[{key!r}]"


def _register(base: Any, kind: Kind) -> None:
    def find(tree: Any, lenient: bool = False) -> Kind | None:
        if isinstance(tree, Enum):
            return None
        if dataclasses.is_dataclass(tree) and not lenient:
            for field in dataclasses.fields(tree):
                x = getattr(tree, field.name, None)
                if leaves(x, lenient=True) and not (isinstance(tree, dict) and tree.get(field.name) is x):
                    raise InputError(f"{type(tree).__name__} is a dataclass and a {base.__name__} at once, "
                                     "with numbers in both; make it one of the two")
        return kind
    kind_of.register(base, find)


def _sequence(base: Any, again: Callable[[Any, Sequence[Any]], Any], items: Any = None) -> None:
    items = items or base.__iter__
    kind = Kind(lambda tree: range(len(list(items(tree)))), items, again, item_step, list)
    _register(base, kind)


def _list(tree: Any, parts: Sequence[Any]) -> Any:
    new = _bare(tree)
    list.extend(new, parts)
    return new


def _deque(tree: Any, parts: Sequence[Any]) -> Any:
    new = _bare(tree)
    collections.deque.__init__(new, parts, tree.maxlen)
    return new


_data = attrgetter("data")
_sequence(list, _list)
_sequence(tuple, _bare)
_sequence(collections.deque, _deque)
_sequence(collections.UserList, lambda tree, parts: _set(_bare(tree), data=list(parts)), _data)


def _mapping(base: Any, again: Callable[[Any, dict[Any, Any]], Any], content: Any = None) -> Kind:
    def items(tree: Any) -> dict[Any, Any]:
        return content(tree) if content else dict(base.items(tree))

    kind = Kind(items, lambda tree: items(tree).values(),
                lambda tree, parts: again(tree, dict(zip(items(tree), parts))), item_step, dict)
    _register(base, kind)
    return kind


def _dict(tree: Any, parts: dict[Any, Any], base: Any = dict) -> Any:
    new = _bare(tree)
    if base is collections.defaultdict:
        base.__init__(new, tree.default_factory)
    for key, part in parts.items():
        base.__setitem__(new, key, part)
    held, _ = attributes_of(tree)
    for name in held if held is not tree else ():
        if name in parts and held[name] is base.get(tree, name):     # d.x mirrors d["x"]
            new.__dict__[name] = parts[name]
    return new


def _called(tree: Any, parts: dict[Any, Any]) -> Any:
    """A Mapping of a class about which nothing is known."""
    try:
        new = type(tree)(parts)
        same = new.keys() == parts.keys() and all(new[key] is part for key, part in parts.items())
    except Exception:
        same = False
    if not same:
        name = type(tree).__name__
        raise InputError(f"a {name} cannot be made of other numbers, because {name}({{…}}) does not hold "
                         "what is in the dict; give a dict")
    return new


_mapping(dict, _dict)
_mapping(collections.OrderedDict, partial(_dict, base=collections.OrderedDict))
_mapping(collections.defaultdict, partial(_dict, base=collections.defaultdict))
_mapping(collections.UserDict, lambda tree, parts: _set(_bare(tree), data=parts), _data)
_mapping(collections.ChainMap, lambda tree, parts: _set(_bare(tree), maps=[parts]))
_mapping(MappingProxyType, lambda tree, parts: MappingProxyType(parts))
_unknown = _mapping(Mapping, _called)


@kind_of.register(Mapping)
def _unknown_mapping(tree: Any, lenient: bool = False) -> Kind | None:
    return _other(tree, lenient) or (None if lenient else _unknown)


def side_by_side(tree: Any, trees: Sequence[Any]) -> Any:
    """The tree with tuples of what stands in others in place of its numbers and arrays."""
    if is_number(tree) or is_array(tree):
        return tuple(trees)
    kind = kind_of(tree)
    if kind is None:
        return tree
    parts = zip(kind.parts(tree), *[kind.parts(other) for other in trees])
    return kind.again(tree, [side_by_side(part, others) for part, *others in parts])


def is_array(x: Any) -> bool:
    """Whether x is a NumPy array with a dimension."""
    return isinstance(x, _ndarray()) and x.shape != ()


def is_objects(x: Any) -> bool:
    """Whether x is a plain array of objects."""
    return type(x) is _ndarray() and bool(x.dtype == object)


def _ndarray() -> Any:
    """The class of arrays, if NumPy is in use."""
    return getattr(sys.modules.get("numpy"), "ndarray", ())


def as_array(entries: Sequence[Any], shape: tuple[int, ...], whole: Any = object) -> Any:
    """An array of floats, of `whole` if the entries are whole numbers, or else of objects."""
    import numpy as np
    kinds = set(map(type, entries))
    kind = float if all([issubclass(kind, float) for kind in kinds]) else whole if all(
        [issubclass(kind, int) for kind in kinds]) else object
    return np.fromiter(entries, kind, len(entries)).reshape(shape)


def as_objects(entries: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """An array of objects, whatever they are."""
    import numpy as np
    return np.fromiter(entries, object, len(entries)).reshape(shape)


def _elements(tree: Any) -> list[Any]:
    import numpy as np
    elements: list[Any] = np.asarray(tree).ravel().tolist()
    return elements


def _array(tree: Any, parts: Sequence[Any]) -> Any:
    """An array in place of another. Where numbers give way to arrays, these add their dimensions; where to
    dicts or objects, the result is one of arrays; where to lists, it is a nested list."""
    import numpy as np
    array = as_array(parts, tree.shape, object if tree.dtype.kind == "f" else tree.dtype)
    way = [] if array.dtype != object or {float, Value}.issuperset(map(type, parts)) else [
        new for old, new in zip(_elements(tree), parts) if is_number(old) and not is_number(new)]
    if way and all(map(is_array, parts)):
        return np.stack(list(map(np.asarray, parts))).reshape(tree.shape + parts[0].shape)
    if way and (kind := kind_of(way[0])):
        if kind.form is list:
            return array.tolist()
        columns = zip(*[kind.parts(part) for part in parts])
        return kind.again(way[0], [_array(tree, column) for column in columns])
    if way and _is_kept(way[0]):                # (None and text stay as they are)
        return way[0]
    if type(tree) is np.ndarray:
        return array
    new = np.empty_like(tree, array.dtype)
    new.view(np.ndarray)[...] = array
    return new


_ARRAY = Kind(lambda tree: itertools.product(*map(range, tree.shape)), _elements, _array,
              lambda key: "".join(map(item_step, key)), list)


def _fields(tree: Any, lenient: bool) -> Kind:
    fields: Any = getattr(type(tree), "__attrs_attrs__", None) or dataclasses.fields(tree)
    names = [field.name for field in fields if hasattr(tree, field.name)]
    further = [name for name, x in attributes_of(tree)[0].items() if name not in names and any(
        not isinstance(v, int) for v in leaves(x, lenient=True))]
    if further and not lenient:
        cls = type(tree).__name__
        raise InputError(f"{cls}.{further[0]} holds a number but is not a field of the class: declare it "
                         "as a field, or make it a property")
    names += further

    def again(tree: Any, parts: Sequence[Any]) -> Any:
        try:
            return _set(_bare(tree), **dict(zip(names, parts)))
        except InputError:
            if lenient:
                return tree
            raise
    return Kind(lambda tree: names, lambda tree: [getattr(tree, name) for name in names], again,
                ".{}".format, object)


@kind_of.register(object)
def _other(tree: Any, lenient: bool = False) -> Kind | None:
    """The kind of what is known by no class of its own."""
    if hasattr(type(tree), "__attrs_attrs__") or (
            dataclasses.is_dataclass(tree) and not isinstance(tree, (type, Enum))):
        return _fields(tree, lenient)
    if isinstance(tree, _ndarray()) and not hasattr(tree, "mask") and tree.dtype.kind in "biufO":
        return _ARRAY
    return None


@kept.register(object)
def _function(x: Any) -> Any:
    if callable(x) and hasattr(x, "__name__") or is_array(x) and x.dtype.kind in "US":
        return x
    hint = (("; its to_numpy() is an array" if hasattr(x, "to_numpy") else
             "; give it to propagate" if hasattr(x, "std_dev") else "")
            + "; autograd_lite.register tells what an object of another class consists of")
    raise InputError(f"{unexpected(x)}{hint * (type(x).__module__ != 'builtins')}")


for _atom in (type(None), str, bytes, Enum, partial):
    kept.register(_atom, lambda x: x)


def _is_kept(x: Any) -> bool:
    try:
        return bool(kept(x) is x)
    except InputError:                          # (a number of another package)
        return False


# -- results, names, pairs ----------------------------------------------------------------------------


def returned(name: str, result: Any) -> Any:
    """What the function of that name returned, which must be a structure of numbers."""
    try:
        if not is_number(result):
            leaves(result)
    except InputError as error:
        raise InputError(f"the result of {name}: {error}") from None
    return result


def paths(tree: Any, name: str) -> Iterator[str]:
    """The names of a structure's numbers, in order: ``x[0]``, ``x['a']``, ``x.b``."""
    if is_number(tree):
        yield name
    elif kind := kind_of(tree):
        for key, part in zip(kind.keys(tree), kind.parts(tree)):
            yield from paths(part, name + kind.step(key))


def matched(tree: Any, other: Any, ours: str, theirs: str, at: str = "") -> list[Any]:
    """The numbers of `other` in the order of those of `tree`, each found by its keys.

    `ours` and `theirs` are what messages call the two, `at` a path within them.

    Raises:
        InputError: `other` has another shape.

    >>> matched({"a": 1.0, "b": [2.0]}, {"b": [5.0], "a": 4.0}, "the point", "the direction")
    [4.0, 5.0]
    """
    if type(other) is float and is_number(tree):
        return [other]
    if type(tree) in (list, tuple) and type(other) in (list, tuple) and len(tree) == len(other):
        pairs = enumerate(zip(tree, other))
        return [x for i, (one, two) in pairs for x in matched(one, two, ours, theirs, f"{at}[{i}]")]
    where = f" at {at}" if at else ""
    tree, other = (x.item() if isinstance(x, _ndarray()) and x.shape == () else x for x in (tree, other))

    def refusal(given: str, needed: str) -> InputError:
        return InputError(f"{theirs} must have the shape of {ours}: it has {given}{where}, not {needed}")

    if is_number(tree):
        if is_number(other):
            return [other if isinstance(other, Value) else number(other, theirs)]
        raise refusal(shown(other), "a real number")
    if is_array(tree) and is_array(other):
        if tree.shape != other.shape:
            raise refusal(f"the shape {other.shape}", str(tree.shape))
        if tree.dtype.kind in "biuf" and type(other) is _ndarray() and other.dtype == float:
            return _elements(other)
    elif is_array(tree) or is_array(other):
        tree, other = (x.tolist() if is_array(x) else x for x in (tree, other))
    kind = kind_of(tree)
    if kind is None:
        if leaves(other, lenient=True) or list(paths(other, "")):
            raise refusal(shown(other), shown(tree))
        return []
    given = None if is_number(other) else kind_of(other)
    if given is None or given.form != kind.form:
        raise refusal(shown(other), f"a {type(tree).__name__}")
    parts = dict(zip(kind.keys(tree), kind.parts(tree)))
    found = dict(zip(given.keys(other), given.parts(other)))
    names, others = (getattr(type(x), "_fields", None) for x in (tree, other))
    if names and others and names != others:
        raise refusal(f"the fields {', '.join(others)}", ", ".join(names))
    if kind.form is list and len(parts) != len(found):
        raise refusal(f"{len(found)} {'entry' if len(found) == 1 else 'entries'}", str(len(parts)))
    for key in parts:
        if key not in found:
            raise InputError(f"{theirs} has no {key!r}{where}, which {ours} has")
    for key in found:
        if key not in parts:
            raise InputError(f"{theirs} has {key!r}{where}, which {ours} has not")
    return [x for key, part in parts.items()
            for x in matched(part, found[key], ours, theirs, at + kind.step(key))]
