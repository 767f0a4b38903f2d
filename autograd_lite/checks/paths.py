"""`Paths`: the paths by which a gradient gets from a root to a node, the largest first."""
from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence
from math import inf
from typing import Any

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
        # an entry: how far it falls short, minus its depth, a tie-breaker, its place, the way to it
        heap: list[tuple[float, int, int, int, Any]] = [(0.0, 0, 0, self.root, None)]
        ticket = itertools.count(1)
        while heap:
            short, depth, _, k, way = heapq.heappop(heap)
            while k != self.target:             # (the best step would be the next to be popped)
                depth -= 1
                ahead = None
                for lack, step in self._steps(k):
                    if ahead is None and not lack:
                        ahead = step
                    else:
                        heapq.heappush(heap, (short + lack, depth, next(ticket), step[0], (way, k, step)))
                if ahead is None:
                    break
                k, way = ahead[0], (way, k, ahead)
            else:
                yield self._path(short, way)

    def _steps(self, k: int) -> list[tuple[float, Edge]]:
        """The edges by which paths go on, each with how much the best path by it lacks."""
        if k not in self._known:
            best = self._best
            self._known[k] = [(best[k] - (math.log2(abs(edge[2])) + best[edge[0]]), edge)
                              for edge in self.edges[k] if edge[2] and best[edge[0]] > -inf]
        return self._known[k]

    def _path(self, short: float, way: Any) -> Path:
        nodes, places, factors = [self.nodes[self.target]], [], []
        while way is not None:
            way, k, (_, i, p) = way
            nodes.append(self.nodes[k])
            places.append(i)
            factors.append(p)
        log = self._best[self.root] - short
        return Path(tuple(nodes[::-1]), tuple(places[::-1]), tuple(factors[::-1]), product_of(factors),
                    log * math.log10(2.0), 2.0 ** (log - self.size))
