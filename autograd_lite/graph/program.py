"""`Program`: a graph in flat form, its nodes in order and known by their places."""
from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from autograd_lite.graph.walks import needed_nodes, topological


SMALL = 1024


class _Operands(Sequence[Any]):
    def __init__(self, *given: Any):
        self.nodes, self.place, self.ends = given

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, k: Any) -> Any:
        node, place = self.nodes[k], self.place
        return () if node in self.ends else tuple([
            None if type(x) is float else place.get(x) for x in node.operands])


class Program:
    """The graph under roots, down to leaves or to `inputs`.

    Args:
        roots: nodes; plain numbers among them are skipped.
        inputs: nodes at which the graph ends, even if they are computed.

    Attributes:
        nodes: every node, each after its operands.
        operands: for each node the places of its operands, None for a plain number; an input has none.
            (Those of many nodes, which would fill half as much as these, are looked up.)

    >>> from autograd_lite import Value
    >>> x = Value(2.0, "x"); y = x * x + 1.0
    >>> program = Program([y])
    >>> [node.op for node in program.nodes], list(program.operands)
    (['', '*', '+'], [(), (0, 0), (1, None)])
    """

    def __init__(self, roots: Iterable[Any], inputs: Iterable[Any] = ()):
        self._ends = ends = set(inputs)
        self.nodes: list[Any] = topological([x for x in roots if hasattr(x, "operands")],
                                            lambda x: [] if x in ends else needed_nodes(x))
        self._index()

    def _index(self) -> None:
        self._place = {node: k for k, node in enumerate(self.nodes)}
        self.operands: Sequence[Any] = _Operands(self.nodes, self._place, self._ends)
        if len(self.nodes) < SMALL:
            self.operands = list(self.operands)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._index()                                                           # (of the copies)

    def __len__(self) -> int:
        return len(self.nodes)

    def place(self, node: Any) -> int | None:
        """Where a node stands; None for a plain number, and for a node that is not in the graph."""
        return self._place.get(node) if hasattr(node, "operands") else None

    def dependent(self, sources: Iterable[int | None], ops: Sequence[Any] = ()) -> list[bool]:
        """For each place whether it is a source, or depends on one; if the nodes' `ops` are given, by
        operands alone by which there is a derivative."""
        found = [False] * len(self.nodes)
        for place in sources:
            if place is not None:
                found[place] = True
        if True not in found:
            return found
        for k, operands in enumerate(self.operands):
            if ops and operands and ops[k].partly:
                operands = tuple(itertools.compress(operands, ops[k].differentiable(len(operands))))
            if not found[k]:
                for x in operands:
                    if x is not None and found[x]:
                        found[k] = True
                        break
        return found
