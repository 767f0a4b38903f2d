"""`Linear`: the derivatives along a program's edges, and two sweeps over them."""
from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

Edge = tuple[int, int, Any]     # the place of an operand, which operand of its user it is, the partial


class Algebra:
    """How a sweep multiplies and adds: here, plain numbers. None stands for nothing.

    `times` gives the term that node k, with gradient g, passes to its i-th operand by the partial p (in
    a push: receives from it); `plus` adds two terms that arrive at node k.
    """

    def times(self, g: Any, p: Any, k: int, i: int) -> Any:
        return None if g == 0.0 else g * p              # a zero gradient adds nothing, whatever the partial

    def plus(self, a: Any, b: Any, k: int) -> Any:
        return a + b


class Linear:
    """The linear map that a graph's derivatives make up.

    Args:
        size: the number of nodes.
        edges: gives the edges of the node at a place; called at most once per node and sweep, in a pull
            only for nodes that something reaches.

    >>> edges = [[], [(0, 0, 2.0)], [(0, 0, 5.0), (1, 1, 3.0)]]      # y = 5x + 3u, u = 2x
    >>> derivatives = Linear(3, edges.__getitem__)
    >>> derivatives.pull({2: 1.0}), derivatives.push({0: 1.0})
    ([11.0, 3.0, 1.0], [1.0, 2.0, 11.0])
    """

    def __init__(self, size: int, edges: Callable[[int], Iterable[Edge]]):
        self.size, self.edges = size, edges

    def pull(self, seeds: Mapping[int, Any], algebra: Algebra = Algebra(),
             kept: Container[int | None] | None = None) -> list[Any]:
        """From seeds at some nodes down to operands: each node's total, None if nothing arrives.

        If only some totals are `kept`, the others are let go as the sweep has passed them.
        """
        times, plus = algebra.times, algebra.plus
        found: list[Any] = [None] * self.size
        for k, seed in seeds.items():
            found[k] = seed
        for k in range(max(seeds, default=-1), -1, -1):
            g = found[k]
            if g is not None:
                if kept is not None and k not in kept:
                    found[k] = None
                for place, i, p in self.edges(k):
                    term = times(g, p, k, i)
                    if term is not None:
                        before = found[place]
                        found[place] = term if before is None else plus(before, term, place)
        return found

    def push(self, start: Mapping[int, Any], algebra: Algebra = Algebra()) -> list[Any]:
        """The same from some nodes up to their users."""
        times, plus = algebra.times, algebra.plus
        found: list[Any] = [None] * self.size
        for k in range(self.size):
            total = start.get(k)
            for place, i, p in self.edges(k) if total is None else ():
                g = found[place]
                if g is not None:
                    term = times(g, p, k, i)
                    if term is not None:
                        total = term if total is None else plus(total, term, k)
            found[k] = total
        return found
