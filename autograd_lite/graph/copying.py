"""Copying and pickling of nodes, flat: in topological order, so depth is no limit."""
from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any

from autograd_lite.graph import node as nodes
from autograd_lite.graph.node import Node, Note, held
from autograd_lite.graph.walks import needed, needed_nodes, topological
from autograd_lite.ops.op import Op


def _state(node: Node, operands: Sequence[Any]) -> tuple[Any, ...]:
    """What a node holds, with `operands` in place of its own and then its guards'."""
    grad = held(node)
    note = getattr(node, "_note", None)
    if note is not None and note.guards:
        rest = iter(operands[len(node.operands):])
        note = note._replace(guards=tuple([guard._replace(operands=[next(rest) for _ in guard.operands])
                                           for guard in note.guards]))
    return (type(node), node._data, grad, node._operation, operands[:len(node.operands)], node._pa, node._pb,
            note)


def _restored(kind: type[Node], data: float, grad: Any, op: Op | None, operands: tuple[Any, ...], pa: Any,
              pb: Any, note: Note | None) -> Node:
    node = kind.__new__(kind)
    node._data, node._grad, node._operation, node._pa, node._pb = data, grad, op, pa, pb
    many = op is not None and (op.open or len(operands) > 2)
    node._a, node._b = (operands, None) if many else (*operands, None, None)[:2]
    if note is not None:
        node._note = note
    return node


class Copies:
    """Copies nodes, and says what `pickle` writes of them."""

    @staticmethod
    def shallow(node: Any) -> Any:
        """Another node with the same operands."""
        return _restored(*_state(node, needed(node)))

    @staticmethod
    def deep(node: Any, memo: dict[int, Any]) -> Any:
        """A copy of the node and all it depends on, except what `memo` has already, by id."""
        def uncopied(x: Any) -> list[Any]:
            return [a for a in needed_nodes(x) if id(a) not in memo]

        for x in topological([node], uncopied):
            memo[id(x)] = _restored(*_state(x, tuple([memo.get(id(a), a) for a in needed(x)])))
        return memo[id(node)]

    @staticmethod
    def reduced(node: Any) -> tuple[Any, ...]:
        """What `pickle` writes of a node.

        The unwritten nodes below it go first: so nothing recurses.
        """
        state = _state(node, needed(node))
        if not needed(node):
            return _restored, state
        before: list[Any] = []
        written: _Written | None = getattr(_pickling, "written", lambda: None)()
        if written is None or id(node) in written.ids:           # another pickle began
            written = _Written()
            _pickling.written = weakref.ref(written)
            before.append(written)

        def unwritten(x: Any) -> list[Any]:
            return [a for a in needed_nodes(x) if needed(a) and id(a) not in written.ids]

        if unwritten(node):
            before += topological([node], unwritten)[:-1]
        written.ids.add(id(node))
        return _after, (before, _restored, *state)


def _after(before: Any, restored: Any, *state: Any) -> Any:
    return restored(*state)


class _Written:
    """The nodes a pickle has; pickled too, to live as long as its memory."""

    def __init__(self) -> None:
        self.ids: set[int] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, ()


_pickling = threading.local()    # its `written` refers to the _Written of the latest pickle
nodes.copies = Copies
