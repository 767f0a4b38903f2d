"""`Sketch`: what of a graph is drawn, before it is laid out."""
from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from autograd_lite.graph.value import Value
from autograd_lite.graph.walks import topological


class Link(NamedTuple):
    """An operand of a node that is drawn.

    Attributes:
        tail: the operand's place; None for a plain number.
        position: which operand it is; -1 for one that stands for others, which are left out, or is none of
            this node itself.
        times: how many alike it stands for.
        partial: the derivative along it, if it is not that by the operand at this position.
    """

    tail: int | None
    position: int = -1
    times: int = 1
    partial: float | None = None


class Links(Mapping[int, list[Link]]):
    """The links of each node that is drawn, by its place; in topological order.

    They are made when they are asked for: for all nodes they would take more room than the graph.
    """

    def __init__(self, nodes: Sequence[Value], place: Mapping[int, int]):
        self._starts, self._tails = array("i"), array("i")
        for node in nodes:
            self._starts.append(len(self._tails))
            self._tails.extend([place.get(id(x), -1) for x in node.operands])
        self._starts.append(len(self._tails))
        self.count = len(self._tails)           # (of the whole graph)
        self._changed: dict[int, list[Link]] = {}
        self._drawn = bytearray(b"\1") * len(nodes)

    def __getitem__(self, place: int) -> list[Link]:
        if not self._drawn[place]:
            raise KeyError(place)
        changed = self._changed.get(place)
        if changed is not None:
            return changed
        tails = self._tails[self._starts[place]:self._starts[place + 1]]
        return [Link(None if tail < 0 else tail, i) for i, tail in enumerate(tails)]

    def tails(self, place: int) -> Sequence[int]:
        """The tails of a node's links alone, which takes less time; -1 for a plain number."""
        if place in self._changed or not self._drawn[place]:
            return [-1 if link.tail is None else link.tail for link in self[place]]
        return self._tails[self._starts[place]:self._starts[place + 1]]

    def __setitem__(self, place: int, links: list[Link]) -> None:
        self._changed[place] = links

    def __contains__(self, place: object) -> bool:
        return isinstance(place, int) and bool(self._drawn[place])

    def __iter__(self) -> Iterator[int]:
        return (k for k, drawn in enumerate(self._drawn) if drawn)

    def __len__(self) -> int:
        return self._drawn.count(1)

    def keep(self, places: Iterable[int]) -> None:
        """Draw these alone, to which links that lead elsewhere belong no longer."""
        self._drawn = bytearray(len(self._drawn))
        for k in places:
            self._drawn[k] = 1


class Users:
    """For each node that is drawn the places of those that use it, with repetitions, in order."""

    def __init__(self, links: Links, size: int):
        uses = array("i", bytes(4 * (size + 1)))
        for k in links:
            for tail in links.tails(k):
                if tail >= 0:
                    uses[tail + 1] += 1
        self._ends = array("i", accumulate(uses))
        filled = array("i", self._ends)
        self._heads = array("i", bytes(4 * self._ends[size]))
        for k in links:
            for tail in links.tails(k):
                if tail >= 0:
                    self._heads[filled[tail]] = k
                    filled[tail] += 1

    def __getitem__(self, place: int) -> array[int]:
        return self._heads[self._ends[place]:self._ends[place + 1]]


class Sketch:
    """The nodes under some roots, known by their places in a topological order, and the links between them.

    Args:
        roots: what is computed.
        gradients: derivatives of it, whose own nodes stand in a scope called so.

    Attributes:
        nodes: all nodes of the graph; each stands after its operands.
        roots: the places of the roots and gradients.
        links: those of each node that is drawn.
        notes: what to tell beside the picture.

    >>> x = Value(2.0); sketch = Sketch([x * x + 1.0])
    >>> [[link.tail for link in links] for links in sketch.links.values()]
    [[], [0, 0], [1, None]]
    """

    def __init__(self, roots: Sequence[Value], gradients: Sequence[Value] = ()):
        self.nodes: list[Value] = topological([*roots, *gradients])
        self._forward = len(topological(roots)) if gradients else len(self.nodes)
        place = {id(node): k for k, node in enumerate(self.nodes)}
        self.roots = [place[id(root)] for root in (*roots, *gradients)]
        self.links = Links(self.nodes, place)
        self.notes: list[str] = []

    def place(self, node: object) -> int | None:
        """Where a node stands; None if it is not in the graph."""
        return next((k for k, other in enumerate(self.nodes) if other is node), None)

    def scope(self, place: int) -> tuple[str, ...]:
        """The clusters in which a node stands, from the outermost in."""
        scope = self.nodes[place].scope
        return scope if place < self._forward else ("gradient", *scope)

    def users(self) -> Users:
        """For each node that is drawn the places of those that use it."""
        return Users(self.links, len(self.nodes))
