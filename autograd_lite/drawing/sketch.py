"""`Sketch`: what of a graph is drawn, before it is laid out."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from autograd_lite.graph.value import Value
from autograd_lite.graph.walks import topological


class Link(NamedTuple):
    """An operand of a node that is drawn.

    Attributes:
        tail: the operand's place; None for a plain number.
        position: which operand it is; -1 for one that stands for others, which are left out.
        times: how many alike it stands for.
        partial: the derivative along it, if it is not that by the operand at this position.
    """

    tail: int | None
    position: int
    times: int = 1
    partial: float | None = None


class Sketch:
    """The nodes under some roots, known by their places in a topological order, and the links between them.

    Args:
        roots: what is computed.
        gradients: derivatives of it, whose own nodes stand in a scope called so.

    Attributes:
        nodes: all nodes of the graph; each stands after its operands.
        place: where each stands, by id.
        roots: the places of the roots and gradients.
        links: those of each node that is drawn, in topological order.
        notes: what to tell beside the picture.

    >>> x = Value(2.0); sketch = Sketch([x * x + 1.0])
    >>> [[link.tail for link in links] for links in sketch.links.values()]
    [[], [0, 0], [1, None]]
    """

    def __init__(self, roots: Sequence[Value], gradients: Sequence[Value] = ()):
        self.nodes: list[Value] = topological([*roots, *gradients])
        self._forward = len(topological(roots)) if gradients else len(self.nodes)
        self.place = place = {id(node): k for k, node in enumerate(self.nodes)}
        self.roots = [place[id(root)] for root in (*roots, *gradients)]
        self.links = {k: [Link(place.get(id(x)), i) for i, x in enumerate(node.operands)]
                      for k, node in enumerate(self.nodes)}
        self.notes: list[str] = []

    def scope(self, place: int) -> tuple[str, ...]:
        """The clusters in which a node stands, from the outermost in."""
        scope = self.nodes[place].scope
        return scope if place < self._forward else ("gradient", *scope)

    def users(self) -> dict[int, list[int]]:
        """For each node that is drawn the places of those that use it, with repetitions."""
        found: dict[int, list[int]] = {k: [] for k in self.links}
        for k, links in self.links.items():
            for link in links:
                if link.tail is not None:
                    found[link.tail].append(k)
        return found

    def keep(self, places: Iterable[int]) -> None:
        """Draw these alone; links to others are left out."""
        kept = set(places)
        self.links = {k: [link for link in links if link.tail is None or link.tail in kept]
                      for k, links in self.links.items() if k in kept}

    def depths(self) -> dict[int, int]:
        """The length of the longest path from a root to each node, by place."""
        depth = dict.fromkeys(self.links, 0)
        for k in reversed(self.links):
            for link in self.links[k]:
                if link.tail is not None and depth[link.tail] <= depth[k]:
                    depth[link.tail] = depth[k] + 1
        return depth
