"""`Paths`: the paths by which a gradient gets from a root to a node, the largest first."""
from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence
from math import inf

from autograd_lite.checks.edges import Edges
from autograd_lite.checks.explanation import Path, product_of
from autograd_lite.graph.linear import Edge
from autograd_lite.graph.value import Value


class Paths:
    """The paths from the root to a target, found one by one.

    The search goes by how far a path falls short of the best one. A step along the best path falls
    short by exactly 0, and among equals the deepest goes first: so finding some paths takes as many
    steps as they have nodes, however many others there are.

    Args:
        edges: for each place the edges of its node, the target's none.

    Attributes:
        number: how many paths there are.
        size: the sum of the sizes of their products of partials, as a logarithm to base 2 (which does
            not underflow).
    """

    def __init__(self, nodes: Sequence[Value], edges: Sequence[Edges], root: int, target: int):
        self.nodes, self.edges, self.root, self.target = nodes, edges, root, target
        self._best = best = [-inf] * len(edges)         # the largest product from each place
        sizes, numbers = [-inf] * len(edges), [0.0] * len(edges)
        best[target], sizes[target], numbers[target] = 0.0, 0.0, 1.0
        for k in range(target + 1, root + 1):
            for x, _, p in edges[k]:
                if p and numbers[x]:
                    log = math.log2(abs(p))
                    best[k] = max(best[k], log + best[x])
                    low, high = log + sizes[x], sizes[k]
                    if low > high:
                        low, high = high, low
                    sizes[k] = high + math.log2(1.0 + 2.0 ** (low - high)) if low > -inf else high
                    numbers[k] += numbers[x]
        self.number, self.size = numbers[root], sizes[root]
        self._known: dict[int, list[tuple[float, Edge]]] = {}

    def __iter__(self) -> Iterator[Path]:
        if not self.number:
            return
        # an entry: how far it falls short, minus its depth, a tie-breaker, and its way: so many steps of
        # another, then its own
        heap: list[tuple[float, int, int, list[Edge], int, Edge]] = [(0.0, 0, 0, [], 0, (self.root, 0, 1.0))]
        ticket = itertools.count(1)
        while heap:
            short, depth, _, trail, shared, step = heapq.heappop(heap)
            trail = [*trail[:shared], step]
            best: Edge | None = step
            while best and best[0] != self.target:              # (the best step would be popped next)
                steps, best, depth = self._steps(best[0]), None, depth - 1
                for lack, other in steps:
                    if lack or best:
                        heapq.heappush(heap, (short + lack, depth, next(ticket), trail, -depth, other))
                    else:
                        best = other
                trail += [best] if best else []
            if best:
                yield self._path(short, trail)

    def _steps(self, k: int) -> list[tuple[float, Edge]]:
        """The edges by which paths go on, each with how much the best path by it lacks."""
        if k not in self._known:
            best = self._best
            self._known[k] = [(best[k] - (math.log2(abs(edge[2])) + best[edge[0]]), edge)
                              for edge in self.edges[k] if edge[2] and best[edge[0]] > -inf]
        return self._known[k]

    def _path(self, short: float, trail: Sequence[Edge]) -> Path:
        places, operands, factors = zip(*trail)
        log = self._best[self.root] - short
        return Path(tuple([self.nodes[k] for k in places]), operands[1:], factors[1:],
                    product_of(factors[:0:-1]), log * math.log10(2.0), 2.0 ** (log - self.size))
