"""Labels: giving many at once, and finding the node that has one."""
from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autograd_lite.errors import InputError, LabelError
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value


def label(names: Mapping[str, Any] | None = None, /, **more: Any) -> None:
    """Name many nodes at once; the entries of a list become ``w[0]``, ``w[1]``, …

    >>> from autograd_lite import Value
    >>> w = [Value(1.0), Value(2.0)]; y = w[0] * w[1]
    >>> label(w=w, y=y)
    >>> w[1].label, y.label
    ('w[1]', 'y')
    """
    if not isinstance(names, Mapping | None):
        raise InputError(f"label: expected a mapping of names to nodes, got {type(names).__name__}; "
                         "write label(x=node) or label({'x': node})")
    try:
        found = list(_named({**(names or {}), **more}))
    except RecursionError:
        raise InputError("label: a list is nested too deeply, or holds itself") from None
    for name, node in found:
        node.label = name


def _named(names: Mapping[Any, Any]) -> Iterator[tuple[str, Value]]:
    for name, node in names.items():
        if not isinstance(name, str):
            raise InputError(f"label: a label is a str, not {type(name).__name__}")
        if isinstance(node, Value):
            yield name, node
        elif isinstance(node, Mapping):
            yield from _named({f"{name}[{key!r}]": entry for key, entry in node.items()})
        elif isinstance(node, Iterable) and not isinstance(node, (str, bytes)):
            yield from _named({f"{name}[{i}]": entry for i, entry in enumerate(node)})
        else:
            raise InputError(f"label: {name!r} is a {type(node).__name__}, not a Value or a list of "
                             "them; a plain number has no node to name")


def find(order: Iterable[Value], name: str) -> Value:
    """The one node labelled `name` among `order`.

    Raises:
        LabelError: no node has the label (the message names the nearest ones), or several have.
    """
    labels: dict[str, list[Value]] = {}
    for node in order:
        if node.label:
            labels.setdefault(node.label, []).append(node)
    found = labels.get(name, [])
    if len(found) == 1:
        return found[0]
    if found:
        raise LabelError(f"the label {name!r} names {len(found)} nodes; give the node itself, or "
                         "give each a label of its own")
    near = difflib.get_close_matches(str(name), labels, 3)
    if near:
        hint = f"did you mean {' or '.join(map(repr, near))}?"
    elif labels:
        hint = f"the labels are {', '.join(map(repr, sorted(labels)[:8]))}{', …' * (len(labels) > 8)}"
    else:
        hint = "no node has one; see label(...)"
    raise LabelError(f"no node is labelled {name!r} in the graph: {hint}")


def place_in(program: Program, where: str, node: Any, remedy: str = "") -> int:
    """Where a node stands in a program.

    Raises:
        LabelError: it is not there; the message names `where`.
    """
    place = program.place(node)
    if place is None:
        raise LabelError(f"{where}: {node!r} is not in the graph{remedy}")
    return place
