"""What a picture shows of a graph: which nodes, which boxes of others, and the edges between them."""
from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from autograd_lite.drawing.focus import focus_on
from autograd_lite.drawing.folding import FAN, Fold, Folding
from autograd_lite.drawing.samples import one_sample
from autograd_lite.drawing.sketch import Sketch
from autograd_lite.errors import InputError, shown
from autograd_lite.graph.labels import find
from autograd_lite.graph.node import stored_partials
from autograd_lite.graph.value import Value
from autograd_lite.graph.walks import topological

CROWD = 40                                      # of more nodes than these one sample is drawn
# All edges together may span LENGTH ranks for each of `max_nodes`: dot's time grows with these, to minutes
# for 60 nodes that all use each other.
LENGTH = 8


class Edge(NamedTuple):
    """An operand, or several, of a node or box that is shown.

    Attributes:
        source: a node, a box, a plain number, or None for what is left out.
        partial: the derivative along it; None by a plain number, and of a bundle.
        times: how many operands it stands for.
        bundle: whether these may differ.
        position: which operand it is; -1 if there are others between, or several.
    """

    source: Value | Fold | float | None
    partial: float | None = None
    times: int = 1
    bundle: bool = False
    position: int = -1

    def stored(self, head: Value) -> float | None:
        """The derivative as `backward` uses it; None if no gradient flows."""
        return self.partial if self.position < 0 else stored_partials(head)[self.position]


Item = Value | Fold
FoldOf = Callable[[int], Fold | None]
Edges = Mapping[Item, Sequence[Edge]]


class View:
    """What is shown.

    Attributes:
        edges: the edges that lead to each node and box, in the order of the operands. An edge's source
            stands before its head.
        nodes: all nodes of the graph; total: how many these are.
        notes: what to tell beside the picture.
    """

    def __init__(self, roots: Sequence[Value], max_nodes: int, sample: int | Literal["all"] | None = None,
                 focus: Value | str | None = None, gradients: Sequence[Value] = ()):
        sketch = self._sketch = Sketch(roots, gradients)
        self.nodes = sketch.nodes
        self.total = len(self.nodes)
        self.notes = sketch.notes
        if sample != "all" and (sample is not None or self.total > CROWD):
            self._one_sample(sample or 0)
        if focus is not None:
            node = find(sketch.nodes, focus) if isinstance(focus, str) else focus
            place = sketch.place(node)
            if place is None or place not in sketch.links:
                raise InputError(f"draw: focus={shown(focus)} " + (
                    "is not in the graph" if place is None else "belongs to another sample; choose sample="))
            focus_on(sketch, place, max_nodes, len(sketch.links) < self.total)
        self._place: dict[int, int] = {}        # of what is shown, by id
        self.edges: Edges = {}
        if len(sketch.links) <= max_nodes:
            self.edges = self._arranged(lambda place: None, sys.maxsize)
        most = max_nodes
        while not self.edges or _length(self.edges) > LENGTH * max_nodes and most > 8:
            self.edges = self._arranged(Folding(sketch, most).fold_of, FAN)
            most = int(most / 1.5)
        self.depth = depths(self.edges)
        if self.folds:
            self.notes.append(f"{len(self.shown):,} of {self.total:,} nodes are shown; max_nodes= sets how "
                              "many")

    @property
    def shown(self) -> list[Value]:
        """The nodes that are shown."""
        return [item for item in self.edges if isinstance(item, Value)]

    @property
    def folds(self) -> list[Fold]:
        """The boxes."""
        return [item for item in self.edges if isinstance(item, Fold)]

    def told(self) -> str:
        """What the picture shows, in words."""
        nodes = self._sketch.nodes
        roots = [f"{node.label or node.op or 'a leaf'} = {node.data:.4g}" for node in
                 [nodes[k] for k in self._sketch.roots]]
        leaves = sum(not node.operands and node.requires_grad for node in nodes)
        size = [f"{self.total:,} node{'s' * (self.total != 1)}",
                f"{leaves:,} {'leaf' if leaves == 1 else 'leaves'} with a gradient", *self.notes]
        return f"computation graph of {', '.join(roots[:3])}{', …' * (len(roots) > 3)}: {'; '.join(size)}"

    def scope(self, item: Item) -> tuple[str, ...]:
        """The clusters in which a node or box stands, from the outermost in."""
        return item.scope if isinstance(item, Fold) else self._sketch.scope(self._place[id(item)])

    def place(self, item: Item) -> int:
        """Where a node, or the first of a box, stands in the graph."""
        return item.places[0] if isinstance(item, Fold) else self._place[id(item)]

    def _one_sample(self, sample: int) -> None:
        samples = one_sample(self._sketch, sample)
        if sample >= samples:
            raise InputError(f"draw: sample={sample}: the graph has "
                             f"{f'{samples} samples, 0 … {samples - 1}' if samples > 1 else 'one sample'}")
        if samples > 1:
            self.notes.append(f"1 of {samples:,} samples is drawn (sample= chooses); what they share has the "
                              "gradient of all")

    def _arranged(self, fold_of: FoldOf, fan: int) -> Edges:
        nodes, edges = self._sketch.nodes, dict[Item, list[Edge]]()
        for k in self._sketch.links:
            fold = fold_of(k)
            if fold is None:
                self._place[id(nodes[k])] = k
                edges[nodes[k]] = self._into_node(k, fold_of, fan)
            elif fold not in edges:
                edges[fold] = self._into_fold(fold, fold_of)
        if fan == sys.maxsize:
            return edges
        order: list[Item] = topological(edges, lambda item: [
            edge.source for edge in edges[item] if isinstance(edge.source, Value | Fold)])
        return {item: edges[item] for item in order}

    def _into_node(self, place: int, fold_of: FoldOf, fan: int) -> list[Edge]:
        node, nodes, links = self._sketch.nodes[place], self._sketch.nodes, self._sketch.links[place]
        partials = node.partials
        found: dict[object, Edge] = {}          # (a bundle stands where its first one does)
        uses, ends = Counter([link.tail for link in links]), fan // 2
        for i, (k, position, times, partial) in enumerate(links):
            source = None if k is None else fold_of(k) or nodes[k]
            if (isinstance(source, Fold) or position < 0 and k is None
                    or uses[k] > ends and ends <= i < len(links) - ends):
                before = found.get(source)
                found[source] = Edge(source, None, times + (before.times if before else 0), True)
            elif k is None:
                found[i] = Edge(node.operands[position])
            else:
                p = partials[position] if partial is None else partial
                found[i] = Edge(source, p, times, position=position)
        return list(found.values())

    def _into_fold(self, fold: Fold, fold_of: FoldOf) -> list[Edge]:
        sources = Counter[Item]()
        for k in fold.places:
            for tail, _, times, _ in self._sketch.links[k]:
                source = None if tail is None else fold_of(tail) or self._sketch.nodes[tail]
                if source is not None and source is not fold:
                    sources[source] += times
        return [Edge(source, None, times, True) for source, times in sources.items()]


def depths(edges: Edges) -> dict[Any, int]:
    """The length of the longest path from a root to each node and box."""
    depth: dict[Any, int] = dict.fromkeys(edges, 0)
    for item in reversed(list(edges)):
        for edge in edges[item]:
            if edge.source in depth:
                depth[edge.source] = max(depth[edge.source], depth[item] + 1)
    return depth


def _length(edges: Edges) -> int:
    """How many ranks all arrows span together."""
    depth = depths(edges)
    return sum([depth[edge.source] - depth[item] if edge.source in depth else 1
                for item, inner in edges.items() for edge in inner])
