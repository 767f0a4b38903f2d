"""Which nodes of a graph are shown: all, or those nearest to the roots, with the rest folded into boxes."""
from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograd_lite.graph.walks import operand_nodes, topological
from autograd_lite.graph.value import Value

# In a graph too large to show, a node with more operands than FAN shows only the first and the last of
# them, and all edges together may span LENGTH ranks for each of `max_nodes`: dot's time grows with these,
# to minutes for 60 nodes that all use each other.
FAN, LENGTH = 16, 5


@dataclass(eq=False)
class Fold:
    """Nodes that are drawn together, as one box."""

    scope: tuple[str, ...]
    nodes: list[Value] = field(default_factory=list)
    sources: Counter[Value | Fold] = field(default_factory=Counter)     # and how often they are operands


class View:
    """The nodes to show, in topological order, and the folds that hold all others.

    The nodes shown are those nearest to the roots, each with all its users, and leaves: so
    no path leads out of a fold and back into it. If there are several scopes, each is folded
    whole.
    """

    def __init__(self, roots: Sequence[Value], max_nodes: int):
        order = topological(roots)
        depth = _depths(order)
        self.total = len(order)
        self.shown = order
        self.folds: list[Fold] = []
        self._fold_of: dict[int, Fold] = {}
        self._fan = 2 * sys.maxsize
        if self.total > max_nodes or _length(order, depth) > LENGTH * max_nodes:
            self._fan = FAN
            shown = self._nearest(roots, order, depth, max_nodes)
            self.shown = [node for node in order if id(node) in shown]
            self._fold([node for node in order if id(node) not in shown], 1 + max_nodes // 16)

    def operands(self, node: Value) -> tuple[list[int], Counter[Value | Fold | None]]:
        """The positions of the operands with an edge of their own, and the others bundled by source.

        The source None stands for plain numbers.
        """
        single: list[int] = []
        bundles: Counter[Value | Fold | None] = Counter()
        operands = node.operands
        head, tail = self._fan // 2, len(operands) - self._fan // 2
        for i, operand in enumerate(operands):
            fold = self._fold_of.get(id(operand))
            if fold is None and not head <= i < tail:
                single.append(i)
            else:
                bundles[fold or (operand if isinstance(operand, Value) else None)] += 1
        return single, bundles

    def _nearest(self, roots: Sequence[Value], order: list[Value], depth: dict[int, int],
                 max_nodes: int) -> set[int]:
        """The ids of the nodes to show."""
        deepest, room, length = max_nodes // 5, max_nodes - max_nodes // 8, LENGTH * max_nodes
        by_scope = len({node.scope for node in order} - {()}) > 1
        shown: set[int] = set()
        reached = set(map(id, roots))
        feeding: set[int] = set()                           # the operands of near nodes that are not shown
        edges: Counter[int] = Counter()                     # from each node to nodes that are shown,
        starts: Counter[int] = Counter()                    # and the sum of those nodes' depths
        near = [node for node in reversed(order) if depth[id(node)] <= deepest]
        for node in sorted(near, key=lambda node: depth[id(node)]):
            operands = node.operands
            if not operands and id(node) not in reached:
                continue
            here = depth[id(node)]
            passed = edges[id(node)] * here - starts[id(node)]
            if (id(node) in reached and room > 0 and length >= passed
                    and not (operands and id(node) in feeding)
                    and not (by_scope and node.scope and here > 0)):
                shown.add(id(node))
                reached.update(map(id, operands[:FAN // 2] + operands[FAN // 2:][-FAN // 2:]))
                distinct = {id(operand) for operand in operands}
                edges.update(distinct)
                starts.update(dict.fromkeys(distinct, here))
                room, length = room - 1, length - passed
            else:
                feeding.update(map(id, operands))
        leaves = [node for node in order if (depth[id(node)] > deepest or id(node) in feeding)
                  and id(node) not in shown and not node.operands and not (by_scope and node.scope)]
        if len(leaves) > max_nodes // 8:
            leaves = [leaf for leaf in leaves if id(leaf) in reached]
        return shown.union(map(id, leaves[:max_nodes // 8]))

    def _fold(self, hidden: list[Value], most: int) -> None:
        """Fold by scope, as finely as at most `most` folds allow."""
        scopes = [node.scope for node in hidden]
        distinct = set(scopes)
        finest = max((depth for depth in range(1 + max(map(len, distinct), default=0))
                      if len({scope[:depth] for scope in distinct}) <= most), default=0)
        folds: dict[tuple[str, ...] | None, Fold] = {}
        for node, scope in zip(hidden, scopes):
            operands = node.operands
            scope = scope[:finest]
            key = scope if scope or operands else None
            fold = folds.get(key)
            if fold is None:
                fold = folds[key] = Fold(scope)
            fold.nodes.append(node)
            self._fold_of[id(node)] = fold
            for operand in operands:
                if isinstance(operand, Value):
                    source = self._fold_of.get(id(operand), operand)
                    if source is not fold:
                        fold.sources[source] += 1
        self.folds = list(folds.values())


def _depths(order: list[Value]) -> dict[int, int]:
    """The length of the longest path from a root to each node, by id."""
    depth = dict.fromkeys(map(id, order), 0)
    for node in reversed(order):
        below = depth[id(node)] + 1
        for operand in operand_nodes(node):
            if depth[id(operand)] < below:
                depth[id(operand)] = below
    return depth


def _length(order: list[Value], depth: dict[int, int]) -> int:
    """How many ranks all edges span together."""
    return sum(depth.get(id(operand), depth[id(node)] + 1) - depth[id(node)]
               for node in order for operand in node.operands)
