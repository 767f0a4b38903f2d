"""`Paths`: the paths by which a gradient gets from a root to a node, the largest first."""
from __future__ import annotations

import bisect
import heapq
import itertools
import math
from array import array
from collections.abc import Callable, Sequence
from math import inf

from autograd_lite.checks.edges import Edges
from autograd_lite.checks.explanation import Path, product_of
from autograd_lite.graph.linear import Edge
from autograd_lite.graph.value import Value


class Paths:
    """The paths from the root to a target, the largest found first.

    The search goes by how far a path falls short of the best one. A step along the best path falls
    short by exactly 0, and among equals the deepest goes first: so finding some paths takes as many
    steps as they have nodes, however many others there are.

    Args:
        edges: a function that gives the edges of the node at a place; the target has none.

    Attributes:
        number: how many paths there are.
        size: the sum of the sizes of their products of partials, as a logarithm to base 2 (which does
            not underflow).
    """

    def __init__(self, nodes: Sequence[Value], edges: Callable[[int], Edges], root: int, target: int):
        self.nodes, self.edges, self.root, self.target = nodes, edges, root, target
        self._best = best = array("d", [-inf]) * len(nodes)         # the largest product from each place
        sizes, numbers = array("d", [-inf]) * len(nodes), array("d", [0.0]) * len(nodes)
        best[target], sizes[target], numbers[target] = 0.0, 0.0, 1.0
        for k in range(target, root + 1):
            for x, _, p in edges(k):
                if p and numbers[x]:
                    log = math.log2(abs(p))
                    best[k] = max(best[k], log + best[x])
                    one, other = log + sizes[x], sizes[k]
                    sizes[k] = max(one, other) + math.log2(1.0 + 2.0 ** -abs(one - other))
                    numbers[k] += numbers[x]
        self.number, self.size = numbers[root], sizes[root]

    def largest(self, n: int) -> list[Path]:
        """The n largest paths, or all."""
        if not self.number:
            return []
        # an entry: how far it falls short, minus its depth, a tie-breaker, and its way: so many steps of
        # another, then its own
        heap: list[tuple[float, int, int, list[Edge], int, Edge]] = [(0.0, 0, 0, [], 0, (self.root, 0, 1.0))]
        ticket, found = itertools.count(), list[Path]()
        while heap and len(found) < n:
            short, depth, _, trail, shared, step = heapq.heappop(heap)
            trail = [*trail[:shared], step]
            aside: list[tuple[float, int, int, list[Edge], int, Edge]] = []     # the n best ways to leave it
            best: Edge | None = step
            while best and best[0] != self.target:              # (the best step would be popped next)
                only = self.edges(best[0])
                depth -= 1
                if len(only) == 1:                              # (it leads on: `best` has come this far)
                    best = only[0]
                    trail.append(best)
                    continue
                k, best = best[0], None
                for other in only:                              # what the best path by it lacks
                    x, _, p = other
                    lack = self._best[k] - (math.log2(abs(p)) + self._best[x]) if p else inf
                    if not lack and not best:
                        best = other
                    elif lack < inf:
                        bisect.insort(aside, (short + lack, depth, next(ticket), trail, -depth, other))
                        del aside[n:]
                trail += [best] if best else []
            for entry in aside:
                heapq.heappush(heap, entry)
            if best:
                found.append(self._path(short, trail))
        return found

    def _path(self, short: float, trail: Sequence[Edge]) -> Path:
        places, operands, factors = zip(*trail)
        log = self._best[self.root] - short
        return Path(tuple([self.nodes[k] for k in places]), operands[1:], factors[1:],
                    product_of(factors[:0:-1]), log * math.log10(2.0), 2.0 ** (log - self.size))
