"""Copying and pickling of nodes, flat: in topological order, so depth is no limit."""
from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from autograd_lite.graph.walks import needed, needed_nodes, topological


class Copies:
    """Copies nodes, and says what `pickle` writes of them.

    Args:
        state: ``state(node, operands)``, what a node holds, with these in place of what it needs.
        restored: ``restored(*state)`` makes a node of that.
    """

    def __init__(self, state: Callable[..., tuple[Any, ...]], restored: Callable[..., Any]):
        self.state, self.restored = state, restored

    def shallow(self, node: Any) -> Any:
        """Another node with the same operands."""
        return self.restored(*self.state(node, needed(node)))

    def deep(self, node: Any, memo: dict[int, Any]) -> Any:
        """A copy of the node and all it depends on, except what `memo` has already, by id."""
        def uncopied(x: Any) -> list[Any]:
            return [a for a in needed_nodes(x) if id(a) not in memo]

        for x in topological([node], uncopied):
            memo[id(x)] = self.restored(*self.state(x, tuple([memo.get(id(a), a) for a in needed(x)])))
        return memo[id(node)]

    def reduced(self, node: Any) -> tuple[Any, ...]:
        """What `pickle` writes of a node.

        The unwritten nodes below it go first: so nothing recurses.
        """
        state = self.state(node, needed(node))
        if not needed(node):
            return self.restored, state
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
        return _after, (before, self.restored, *state)


def _after(before: Any, restored: Any, *state: Any) -> Any:
    return restored(*state)


class _Written:
    """The nodes a pickle has; pickled too, to live as long as its memory."""

    def __init__(self) -> None:
        self.ids: set[int] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, ()


_pickling = threading.local()    # its `written` refers to the _Written of the latest pickle
