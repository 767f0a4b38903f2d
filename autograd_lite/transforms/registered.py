"""`register`: objects of the users' classes as structures of numbers."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from numbers import Real
from typing import Any

from autograd_lite.errors import InputError, shown
from autograd_lite.graph.value import Value
from autograd_lite.ops.numbers import Ieee
from autograd_lite.transforms.structures import attributes_of, item_step
from autograd_lite.transforms.trees import Kind, kind_of, rebuild

_OWN = frozenset(kind_of.registry)


class Rest:
    """What an object holds besides its parts, as part of the key of a compiled function."""

    def __init__(self, things: dict[str, Any]):
        self.things = things

    def __hash__(self) -> int:
        return hash(tuple(self.things))                         # (the names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rest) and _same(self.things, other.things)


def _same(a: Any, b: Any) -> bool:
    if a is b or type(a) is not type(b):
        return a is b
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(_same, a.values(), b.values()))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    if type(a) is float:
        return repr(a) == repr(b)               # (0.0 and -0.0 are two, a nan is one)
    return type(a) is Ieee or type(a) in (int, str, bytes, bool) and bool(a == b)


def _marked(x: Any) -> Ieee:
    """A number of the parts, by which what is computed from it is known."""
    return Ieee(float(x) if isinstance(x, Real) else 1.0)


def register(cls: type, parts: Callable[[Any], Any], again: Callable[[Any, Any], Any],
             rest: Callable[[Any], Any] | None = None) -> None:
    """Let objects of a class of yours be arguments and results of `grad`, `jacobian`, `compile` and the like.

    Dataclasses, named tuples and attrs classes are structures without it.

    Args:
        cls: the class; its subclasses follow it.
        parts: a function of an object that returns what it consists of: a list, or a dict by name, of
            numbers or structures.
        again: a function ``(object, parts)`` that makes an object like the one given of other parts, which
            come in a list or a dict as `parts` returned them. The parts may be Values, arrays or structures.
        rest: a function of an object that returns what else a compiled function may read of it: plain
            numbers, text, tuples of these. If it changes, the function is traced again. By default all
            attributes that are not made of parts.

    Raises:
        InputError: it is not a class, or one that is a structure or a number by itself.

    >>> class Point:
    ...     def __init__(self, x, y):
    ...         self.x, self.y = x, y
    >>> register(Point, lambda p: [p.x, p.y], lambda p, parts: type(p)(*parts))
    >>> from autograd_lite import grad
    >>> slope = grad(lambda p: p.x * p.y)(Point(2.0, 5.0))
    >>> slope.x, slope.y
    (5.0, 2.0)
    """
    if not isinstance(cls, type) or cls in _OWN or issubclass(cls, (Value, Real, Enum)):
        raise InputError(f"register: expected a class of your own, got {shown(cls)}")
    if not callable(parts) or not callable(again) or not (rest is None or callable(rest)):
        raise InputError("register: write register(cls, parts, again), with functions that take an object "
                         "apart and make one again")

    def named(tree: Any) -> dict[Any, Any]:
        held = parts(tree)
        if isinstance(held, (list, tuple)):
            return dict(enumerate(held))
        if isinstance(held, dict):
            return held
        raise InputError(f"register: the parts of a {cls.__name__} must be a list or a dict, not "
                         + shown(held))

    def keys(tree: Any) -> list[Any]:
        held = named(tree)
        if rest:
            return [*held, Rest({"": rest(tree)})]
        probe = made(tree, [rebuild(part, _marked, lambda x: x) for part in held.values()])
        return [*held, Rest({name: x for some in attributes_of(probe) for name, x in some.items()})]

    def made(tree: Any, new: Sequence[Any]) -> Any:
        held = named(tree)
        kept = {key: old if x is None else x        # (where only numbers are asked for, text comes as None)
                for (key, old), x in zip(held.items(), new)}
        return again(tree, kept if isinstance(parts(tree), dict) else [*kept.values()])

    def find(tree: Any, lenient: bool = False) -> Kind:
        return Kind(keys, lambda tree: named(tree).values(), made, item_step,
                    dict if isinstance(parts(tree), dict) else list)

    kind_of.register(cls, find)
