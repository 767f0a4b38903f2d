"""What a picture's looks depend on: its theme and style, what backward has given, what is not finite."""
from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd_lite.drawing.marks import Marks
from autograd_lite.drawing.scale import Scale
from autograd_lite.drawing.theme import THEMES
from autograd_lite.graph.node import plain, stored_partials
from autograd_lite.graph.states import reached
from autograd_lite.graph.value import Value

Arrow = tuple[Value, Value, float | None]
COMPACT, DENSE = 40, 80             # beyond so many cards they are compact, beyond so many arrows these bare
FINE, VICTIM, FIRST = range(3)      # a number: finite; not finite, from one that is not; the first of these


@dataclass
class Stage:
    """How far a backward pass is, for a picture of it.

    Attributes:
        gradients: what has arrived so far at each node, by its id.
        passed: what each node has passed on of that.
        now: the id of the node or the fold that passes on at present; reached: those that receive.
        right: what a gradient should be, where it is wrong; wrong: where it is at any stage, in any order.
        room: how wide the text of a card's gradient is at most, by the id of the node, and that of an arrow,
            by the id of its head and which operand it leads from.
    """

    gradients: Mapping[int, float] = field(default_factory=dict)
    passed: Mapping[int, float] = field(default_factory=dict)
    now: int | None = None
    reached: frozenset[int] = frozenset()
    right: Mapping[int, float] = field(default_factory=dict)
    wrong: frozenset[int] = frozenset()
    room: Mapping[Any, float] = field(default_factory=dict)


class Looks:
    """The looks of one picture.

    Args:
        roots: its roots; gradients: roots beside these; nodes: all nodes of the graph; shown: those that
            have a card; arrows: from head to operand, with the partial by which backward goes along.
        style, theme, colour, digits, report: as for `draw`.
        stage: of a pass that is shown, how far it is; else the picture shows what `backward` gave.

    Attributes:
        theme, digits, compact: how to draw; bare: whether arrows have no numbers on them.
        roots: the ids of the roots; marks: what the report found, or None.
        scale: that of the colours, or None if these are by kind.
    """

    def __init__(self, roots: Sequence[Value], gradients: Sequence[Value], nodes: Sequence[Value],
                 shown: Sequence[Value], arrows: Sequence[Arrow], *, style: str | None, theme: str,
                 colour: str, digits: int | None, report: Any, stage: Stage | None = None):
        self.theme, self.stage = THEMES[theme], stage
        self.compact = style == "compact" if style else len(shown) > COMPACT
        self.digits = digits or (2 if self.compact else 4)
        self.bare = len(arrows) > DENSE
        self.marks = None if report is None else Marks(report, roots)
        self.roots = {id(root) for root in (*roots, *gradients)}
        self._run = any(map(reached, roots))                # whether a backward pass was
        self._victims, self._first = set[int](), set[int]()             # of gradients that are not finite
        if stage is None and not all([_fine(self.gradient(node)) for node in nodes]):
            for node in nodes:
                self._trace(node)
        amounts = [*map(self.gradient, shown), *[self.flow(*arrow) for arrow in arrows]]
        self.scale = Scale([x for x in amounts if x is not None]) if colour == "grad" else None

    def gradient(self, node: Value) -> float | None:
        """The gradient of a node; None if there is none, or none yet."""
        if not node.requires_grad:
            return None
        if self.stage:
            return self.stage.gradients.get(id(node))
        g = node.grad
        return None if g == 0.0 and not (self._run and reached(node)) else g

    def lit(self, item: object) -> tuple[str, str] | None:
        """The fill and the border of a card or box that takes part in the present step of a pass."""
        stage, theme, key = self.stage, self.theme, id(item)
        if stage is None:
            return None
        if key in stage.right:
            return theme.alarm, theme.alarm_line
        if key == stage.now:
            return theme.scale[2], theme.backward
        return (theme.scale[0], theme.backward) if key in stage.reached else None

    def passed(self, head: Value) -> float | None:
        """What a node passes on."""
        return self.stage.passed.get(id(head)) if self.stage else self.gradient(head)

    def flow(self, head: Value, operand: Value, partial: float | None) -> float | None:
        """What of a node's gradient flows along an arrow; None if nothing does, or not yet."""
        g = self.passed(head)
        if g is None or partial is None or not operand.requires_grad:
            return None
        # (A zero passes nothing on, except within errstate("ignore"); there what it gave is nan.)
        return g * partial if g or not self.stage and math.isnan(operand.grad) else 0.0

    def trouble(self, node: Value) -> tuple[int, int]:
        """Whether a node's number and its gradient are fine, or else the first that are not finite."""
        forward, gradient = FINE, self.gradient(node)
        if not math.isfinite(node.data):
            below = [x.data for x in node.operands if isinstance(x, Value)]
            forward = FIRST if all(map(math.isfinite, below)) else VICTIM
        if self.stage or _fine(gradient):
            return forward, FINE
        first = id(node) in self._first or id(node) not in self._victims
        return forward, FIRST if first else VICTIM

    def _trace(self, head: Value) -> None:
        """Note the operands whose gradients are not finite for what this node's gradient or operands are, and
        those for which only the partial is to blame, or a product too large."""
        given = all(map(_fine, [self.gradient(head), *map(plain, head.operands)]))
        for x, p in zip(head.operands, stored_partials(head)):
            if p is not None and not _fine(self.flow(head, x, p)):
                (self._first if given else self._victims).add(id(x))

    def trouble_on(self, head: Value, partial: float, flow: float | None) -> int:
        """The same of a partial, and of what flows along its arrow."""
        if not math.isfinite(partial):
            return FIRST if all([math.isfinite(plain(x)) for x in head.operands]) else VICTIM
        return FINE if self.stage or _fine(flow) else VICTIM

    def direction(self, depths: Iterable[int]) -> str:
        """Where arrows point unless told: between compact cards down, if that makes the picture smaller; by
        how far from the roots each card is."""
        ranks = Counter(depths)
        return "TB" if self.compact and 95 * max(ranks.values()) <= 120 * len(ranks) else "LR"  # (in points)


def _fine(x: float | None) -> bool:
    return x is None or math.isfinite(x)
