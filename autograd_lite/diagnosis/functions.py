"""A function and its gradient by hand, as a derivation."""
from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autograd_lite.errors import InputError, short, shown
from autograd_lite.graph.labels import label
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import Op
from autograd_lite.transforms.trees import leaves, rebuild


def arguments(f: Callable[..., Any]) -> list[str]:
    """The names of the numbers that a function must be given.

    Raises:
        InputError: it takes any number of them.
    """
    if isinstance(f, Op) and not f.open:
        return list(f.parameters[:f.least])
    kinds = list(inspect.signature(f).parameters.values())
    if isinstance(n := getattr(f, "inputs", None), int):                 # (an `Expression`)
        return [f"x{k}" for k in range(n)]
    if any(p.kind == p.VAR_POSITIONAL for p in kinds):
        raise InputError(f"points: {shown(f)} takes any number of arguments; say how many, points(f, n)")
    return [p.name for p in kinds
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def derivation_of(f: Callable[..., Any], gradient: Callable[..., Any],
                  several: bool) -> tuple[Callable[[Any], list[Value]], Callable[[Any], list[Any]]]:
    """The `forward` and the `hand` of a function and what is claimed to be its gradient.

    Args:
        f: the function; its arguments give the labels.
        gradient: takes the same arguments, and gives the derivatives in their shape: for one argument by
            itself, for several in a tuple or list.
        several: whether a point is a list of arguments, or the one argument itself.
    """
    names = arguments(f)

    def forward(point: Any) -> list[Value]:
        inputs = rebuild(list(point) if several else [point], Value)
        label(dict(zip(names, inputs)))
        y = f(*inputs)
        root = y if isinstance(y, Value) and y.operands else Value(y.data if isinstance(y, Value) else y)
        root.label = "f" if "f" not in names else "f()"
        return [root, *leaves(inputs)]

    def hand(point: Any) -> list[Any]:
        found = gradient(*point) if several else gradient(point)
        if len(names) == 1 or not several:
            found = [found]
        elif len(found) != len(names):
            raise InputError(f"the claimed gradient has {len(found)} entries, and the function takes "
                             f"{len(names)} arguments: {', '.join(names)}")
        return [pair for name, part in zip(names, found) for pair in _parts(name, part)]

    return forward, hand


def _parts(name: str, claimed: Any) -> Iterator[tuple[str, Any]]:
    """What is claimed of each array or number in a structure."""
    if isinstance(claimed, Mapping):
        for key, part in claimed.items():
            yield from _parts(f"{name}[{short(key, 1000)}]", part)
    else:
        yield name, claimed
