"""`Paths`: the paths by which a gradient gets from a root to a node, the largest first."""
from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from autograd_lite.checks.explanation import Path, product_of
from autograd_lite.graph.linear import Algebra, Linear
from autograd_lite.graph.value import Value


class Ways(NamedTuple):
    """The paths from a node down to the target.

    `best` is the size of the largest product of partials along a path and `size` the sum of all sizes,
    both as logarithms to base 2 (which do not underflow); `number` is how many paths there are.
    """

    best: float = -math.inf
    size: float = -math.inf
    number: float = 0.0


class _AllWays(Algebra):
    """Adds up `Ways`; a partial of 0 ends a path."""

    def times(self, g: Ways, p: Any, k: int, i: int) -> Ways | None:
        if not p:
            return None
        log = math.log2(abs(p))
        return Ways(log + g.best, log + g.size, g.number)

    def plus(self, a: Ways, b: Ways, k: int) -> Ways:
        low, high = sorted((a.size, b.size))
        return Ways(max(a.best, b.best), high + math.log2(1.0 + 2.0 ** (low - high)), a.number + b.number)


class Paths:
    """The paths from the root to a target, found one by one.

    The search goes by how far a path falls short of the best one. A step along the best path falls
    short by exactly 0, and among equals the deepest goes first: so finding some paths takes as many
    steps as they have nodes, however many others there are.

    Attributes:
        all: the `Ways` from the root.
    """

    def __init__(self, nodes: Sequence[Value], linear: Linear, root: int, target: int):
        self.nodes, self.linear, self.root, self.target = nodes, linear, root, target
        self.ways = linear.push({target: Ways(0.0, 0.0, 1.0)}, _AllWays())
        self.all: Ways = self.ways[root] or Ways()

    def __iter__(self) -> Iterator[Path]:
        # an entry: how far it falls short, minus its depth, a tie-breaker, its place, the way to it
        heap: list[tuple[float, int, int, int, Any]] = [(0.0, 0, 0, self.root, None)]
        if not self.all.number:
            return
        ticket = itertools.count(1)
        while heap:
            short, depth, _, k, way = heapq.heappop(heap)
            if k == self.target:
                yield self._path(short, way)
                continue
            for x, i, p in self.linear.edges(k):
                if p and self.ways[x]:
                    further = short + (self.ways[k].best - (math.log2(abs(p)) + self.ways[x].best))
                    heapq.heappush(heap, (further, depth - 1, next(ticket), x, (way, k, i, p)))

    def _path(self, short: float, way: Any) -> Path:
        nodes, places, factors = [self.nodes[self.target]], [], []
        while way is not None:
            way, k, i, p = way
            nodes.append(self.nodes[k])
            places.append(i)
            factors.append(p)
        log = self.all.best - short
        return Path(tuple(nodes[::-1]), tuple(places[::-1]), tuple(factors[::-1]), product_of(factors),
                    log * math.log10(2.0), 2.0 ** (log - self.all.size))
