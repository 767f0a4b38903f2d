"""`Linear`: the derivatives along the edges of a program, and the two sweeps over them."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Edge = tuple[int, int, Any]     # the place of an operand, which operand of its user it is, the partial


class Algebra:
    """What a sweep adds up: this one plain numbers. None stands for nothing.

    `times` gives what node k, with gradient g, passes on by its i-th operand, with partial p (in a push,
    what it gets by it); `plus` adds two such things that arrive at node k.
    """

    def times(self, g: Any, p: Any, k: int, i: int) -> Any:
        return None if g == 0.0 else g * p              # a zero gradient adds nothing, whatever the partial

    def plus(self, a: Any, b: Any, k: int) -> Any:
        return a + b


class Linear:
    """The linear map that a graph's derivatives make up.

    Args:
        size: the number of nodes.
        edges: for the place of a node its edges; asked for at most once a sweep, and in a pull only
            of nodes that something arrives at.

    >>> edges = [[], [(0, 0, 2.0)], [(0, 0, 5.0), (1, 1, 3.0)]]      # y = 5x + 3u, u = 2x
    >>> derivatives = Linear(3, edges.__getitem__)
    >>> derivatives.pull({2: 1.0}), derivatives.push({0: 1.0})
    ([11.0, 3.0, 1.0], [1.0, 2.0, 11.0])
    """

    def __init__(self, size: int, edges: Callable[[int], Iterable[Edge]]):
        self.size, self.edges = size, edges

    def pull(self, seeds: Mapping[int, Any], algebra: Algebra = Algebra()) -> list[Any]:
        """From seeds at some nodes down to their operands: for each node what arrives, None if nothing."""
        times, plus = algebra.times, algebra.plus
        found: list[Any] = [None] * self.size
        for k, seed in seeds.items():
            found[k] = seed
        for k in range(max(seeds, default=-1), -1, -1):
            g = found[k]
            if g is not None:
                for place, i, p in self.edges(k):
                    term = times(g, p, k, i)
                    if term is not None:
                        before = found[place]
                        found[place] = term if before is None else plus(before, term, place)
        return found

    def push(self, start: Mapping[int, Any], algebra: Algebra = Algebra()) -> list[Any]:
        """From some nodes up to their users: for each node what arrives, None if nothing."""
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
