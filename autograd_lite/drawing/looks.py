"""What a picture's looks depend on: its theme and style, what backward has given, what is not finite."""
from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autograd_lite.drawing.marks import Marks
from autograd_lite.drawing.scale import Scale
from autograd_lite.drawing.theme import THEMES
from autograd_lite.graph.node import plain, stored_partials
from autograd_lite.graph.states import reached
from autograd_lite.graph.value import Value

COMPACT, DENSE = 40, 80             # beyond so many cards they are compact, beyond so many arrows these bare
FINE, VICTIM, FIRST = range(3)      # a number: finite; not finite, from one that is not; the first of these


class Looks:
    """The looks of one picture.

    Args:
        roots: its roots; nodes: all nodes of the graph; shown: those that have a card.
        style, theme, colour, digits, report: as for `draw`.

    Attributes:
        theme, digits, compact: how to draw; bare: whether arrows have no numbers on them.
        roots: the ids of the roots; marks: what the report found, or None.
        scale: that of the colours, or None if these are by kind.
    """

    def __init__(self, roots: Sequence[Value], nodes: Sequence[Value], shown: Sequence[Value], *,
                 style: str | None = None, theme: str = "light", colour: str = "kind",
                 digits: int | None = None, report: Any = None):
        self.theme = THEMES[theme]
        self.compact = style == "compact" if style else len(shown) > COMPACT
        self.digits = digits or (2 if self.compact else 4)
        self.bare = sum([len(node.operands) for node in shown]) > DENSE
        self.marks = None if report is None else Marks(report, roots)
        self.roots = set(map(id, roots))
        self._run = any(map(reached, roots))                # whether a backward pass was
        self._victims, self._first = set[int](), set[int]()             # of gradients that are not finite
        if not all([math.isfinite(self.gradient(node) or 0.0) for node in nodes]):
            for node in nodes:
                self._trace(node)
        self.scale = Scale(self._amounts(shown)) if colour == "grad" else None

    def gradient(self, node: Value) -> float | None:
        """The gradient of a node; None if there is none, or none yet."""
        if not node.requires_grad:
            return None
        g = node.grad
        return None if g == 0.0 and not (self._run and reached(node)) else g

    def flow(self, head: Value, i: int) -> float | None:
        """What of a node's gradient flows to an operand; None if nothing does, or not yet."""
        g = self.gradient(head)
        p = None if g is None else stored_partials(head)[i]
        if g is None or p is None or not head.operands[i].requires_grad:
            return None
        # (A zero passes nothing on, except within errstate("ignore"); there what it gave is nan.)
        return g * p if g or math.isnan(head.operands[i].grad) else 0.0

    def trouble(self, node: Value) -> tuple[int, int]:
        """Whether a node's number and its gradient are fine, or else the first that are not finite."""
        forward, gradient = FINE, self.gradient(node)
        if not math.isfinite(node.data):
            below = [x.data for x in node.operands if isinstance(x, Value)]
            forward = FIRST if all(map(math.isfinite, below)) else VICTIM
        if gradient is None or math.isfinite(gradient):
            return forward, FINE
        return forward, VICTIM if id(node) in self._victims - self._first else FIRST

    def _trace(self, head: Value) -> None:
        """Note the operands whose gradients are not finite for what this node's gradient or operands are, and
        those for which only the partial is to blame, or a product too large."""
        numbers = [self.gradient(head) or 0.0, *map(plain, head.operands)]
        given = all(map(math.isfinite, numbers))
        for i, x in enumerate(head.operands):
            if not math.isfinite(self.flow(head, i) or 0.0):
                (self._first if given else self._victims).add(id(x))

    def trouble_on(self, head: Value, i: int, partial: float) -> int:
        """The same of a partial, and of what flows along its arrow."""
        if not math.isfinite(partial):
            return FIRST if all([math.isfinite(plain(x)) for x in head.operands]) else VICTIM
        return FINE if math.isfinite(self.flow(head, i) or 0.0) else VICTIM

    def direction(self, shown: Sequence[Value]) -> str:
        """Where arrows point unless told: between compact cards down, if that makes the picture smaller."""
        depth = dict.fromkeys(map(id, shown), 0)
        for node in reversed(shown):
            for x in node.operands:
                if id(x) in depth:
                    depth[id(x)] = max(depth[id(x)], depth[id(node)] + 1)
        ranks = Counter(depth.values())
        length, wide = len(ranks), max(ranks.values(), default=0)
        sizes = {"TB": max(95 * wide, 40 * length), "LR": max(120 * length, 25 * wide)}     # in points
        return min(sizes, key=sizes.__getitem__) if self.compact else "LR"

    def _amounts(self, shown: Iterable[Value]) -> Iterator[float]:
        """What the scale is for."""
        for node in shown:
            yield self.gradient(node) or 0.0
            for i in range(min(len(node.operands), DENSE)):
                yield self.flow(node, i) or 0.0
