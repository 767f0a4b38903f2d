"""Copying and pickling of nodes, flat: in topological order, so depth is no limit.

A node brings ``_state(operands)``, what it holds with these operands in place of its own, and
its class ``_restored(*state)``, which makes the node again.
"""
from __future__ import annotations

import threading
import weakref
from typing import Any

from autograd_lite.graph.walks import operand_nodes, topological


def shallow(node: Any) -> Any:
    """Another node with the same operands."""
    return type(node)._restored(*node._state(node.operands))


def deep(node: Any, memo: dict[int, Any]) -> Any:
    """The node copied with all it depends on but what `memo` has already, by id."""
    def uncopied(x: Any) -> list[Any]:
        return [a for a in operand_nodes(x) if id(a) not in memo]

    for x in topological([node], uncopied):
        memo[id(x)] = x._restored(*x._state(tuple([memo.get(id(a), a) for a in x.operands])))
    return memo[id(node)]


def reduced(node: Any) -> tuple[Any, ...]:
    """What `pickle` writes of a node.

    What the node depends on and is not written yet goes first, in order: so each of those finds
    its operands written, and nothing recurses.
    """
    make, state = type(node)._restored, node._state(node.operands)
    if not node.operands:
        return make, state
    before: list[Any] = []
    written: _Written | None = getattr(_pickling, "written", lambda: None)()
    if written is None or id(node) in written.ids:           # another pickle began
        written = _Written()
        _pickling.written = weakref.ref(written)
        before.append(written)

    def unwritten(x: Any) -> list[Any]:
        return [a for a in operand_nodes(x) if a.operands and id(a) not in written.ids]

    if unwritten(node):
        before += topological([node], unwritten)[:-1]
    written.ids.add(id(node))
    return _after, (before, make, *state)


def _after(before: Any, make: Any, *state: Any) -> Any:
    return make(*state)


class _Written:
    """Which nodes a pickle has. Written into it, this lives as long as the pickler's memory."""

    def __init__(self) -> None:
        self.ids: set[int] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, ()


_pickling = threading.local()    # its `written` refers to the _Written of the latest pickle
