"""The picture of a graph: nodes as cards, an arrow for each operand, scopes as clusters; as DOT."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autograd_lite.drawing.cards import (BLUE, FAINT, INK, LINE, RED, box, card, escape, figure, title, told,
                                         tooltip)
from autograd_lite.drawing.dot import Attributes, Dot
from autograd_lite.drawing.view import Fold, View
from autograd_lite.errors import InputError, short
from autograd_lite.graph.value import Value
from autograd_lite.ops.whole import whole

FONT = "Helvetica"
SHADES, CLUSTER_LINE = ("#f5f7fa", "#eaeff4", "#dfe6ed"), "#cbd5df"       # from the outermost cluster in
Scope = tuple[str, ...]


@dataclass(frozen=True)
class Options:
    """How to draw; see `draw`."""

    max_nodes: int = 200
    digits: int = 4
    direction: str = "LR"
    caption: str = ""

    def __post_init__(self) -> None:
        whole(self.max_nodes, "draw: max_nodes", 1)
        whole(self.digits, "draw: digits", 1)
        for name, choices in _CHOICES.items():
            given = getattr(self, name)
            if given not in choices:
                raise InputError(f"draw: {name}={short(given)}: choose {', '.join(map(repr, choices[:-1]))} "
                                 f"or {choices[-1]!r}")


_CHOICES = {"direction": ("LR", "RL", "TB", "BT")}


class Picture:
    """Makes `dot`; all ids follow from the graph, so the text is the same in every run."""

    def __init__(self, roots: Sequence[Value], options: Options):
        self.view = View(roots, options.max_nodes)
        self.digits, self.sideways = options.digits, options.direction in ("LR", "RL")
        self.ids: dict[int, str] = {}
        self.members: dict[Scope, list[tuple[str, str, Attributes]]] = {(): []}
        self.arrows: list[tuple[str, str, Attributes]] = []
        self._nodes(set(map(id, roots)))
        for node in self.view.shown:
            self._operands(node)
        for fold in self.view.folds:
            for source, count in fold.sources.items():
                self._bundle(source, fold, count)
        # Without `newrank`, dot fails where the scopes depend on each other.
        self.dot = Dot("computation", graph={
            "rankdir": options.direction, "newrank": "true", "size": "150,50" if self.sideways else "50,150",
            "nodesep": "0.18", "ranksep": "0.35", "pad": "0.2", "bgcolor": "white", "fontname": FONT,
            "fontsize": "13", "fontcolor": FAINT, "tooltip": " ", "label": self._caption(options.caption)
        }, node={
            "shape": "plain", "fontname": FONT, "fontsize": "12", "fontcolor": INK
        }, edge={
            "fontname": FONT, "fontsize": "10", "fontcolor": FAINT, "color": LINE, "arrowsize": "0.6",
            "penwidth": "1.2", "weight": "3"})
        self._write()

    # -- what is drawn ---------------------------------------------------------------------

    def _node(self, scope: Scope, name: str, text: str, **attributes: str) -> None:
        for depth in range(len(scope)):
            self.members.setdefault(scope[:depth + 1], [])
        self.members[scope].append((name, text, attributes))

    def _arrow(self, tail: str, head: str, **attributes: str) -> None:
        self.arrows.append((tail, head, attributes))

    def _nodes(self, roots: set[int]) -> None:
        for node in self.view.shown:
            name = self.ids[id(node)] = f"n{len(self.ids)}"
            self._node(node.scope, name, card(node, self.digits, id(node) in roots),
                       tooltip=told(node))
        for fold in self.view.folds:
            name = self.ids[id(fold)] = f"n{len(self.ids)}"
            # A scope that is folded whole needs no cluster around its box.
            scope = fold.scope if fold.scope in self.members else fold.scope[:-1]
            self._node(scope, name, box(fold), tooltip="left out of the picture")

    def _operands(self, node: Value) -> None:
        single, bundles = self.view.operands(node)
        partials = node.partials if single else ()
        for i in single:
            operand = node.operands[i]
            if isinstance(operand, Value):
                self._operand(node, operand, partials[i])
            else:
                self._constant(node, f"{i}", figure(operand, self.digits, FAINT), repr(operand))
        for source, count in bundles.items():
            if source is None:
                self._constant(node, "more", f"{count:,} more numbers", "left out of the picture")
            else:
                self._bundle(source, node, count)

    def _operand(self, node: Value, operand: Value, partial: float) -> None:
        tail, head = self.ids[id(operand)], self.ids[id(node)]
        colour = LINE if math.isfinite(partial) else RED
        flows = node.requires_grad and operand.requires_grad
        gap = "" if self.sideways else "&#160;"             # between a label and the line next to it
        text = figure(partial, self.digits, BLUE if flows else FAINT)
        attributes = {"label": f"<{gap}{text}{gap}>", "color": colour,
                      "tooltip": tooltip(f"∂{title(node)}/∂{title(operand)} = {partial!r}")}
        if _passes_leaves(operand.scope, node):
            # Left alone, dot leads the line around the whole cluster, not past the leaves in it.
            joint = f"j{len(self.arrows)}"
            width, height = ("0.03", "0") if self.sideways else ("0", "0.03")
            self._node(node.scope, joint, "", shape="box", style="filled", fillcolor=colour, peripheries="0",
                       width=width, height=height, fixedsize="true", tooltip=" ")
            self._arrow(tail, joint, color=colour, dir="none", headclip="false", minlen="2",
                        tooltip=attributes["tooltip"])
            tail, attributes["tailclip"] = joint, "false"
        self._arrow(tail, head, **attributes)

    def _constant(self, node: Value, which: str, text: str, full: str) -> None:
        name = f"{self.ids[id(node)]}_{which}"
        self._node(node.scope, name, f"<{text}>", fontsize="10", fontcolor=FAINT, tooltip=full)
        self._arrow(name, self.ids[id(node)], weight="1", penwidth="0.8", arrowsize="0.5", tooltip=full)

    def _bundle(self, source: Value | Fold, target: Value | Fold, count: int) -> None:
        attributes = {"label": f"× {count:,}"} if count > 1 else {}
        self._arrow(self.ids[id(source)], self.ids[id(target)], style="dashed", tooltip=f"{count:,} operands",
                    penwidth=f"{1.2 + math.log10(count) / 4:.1f}", **attributes)

    def _caption(self, caption: str) -> str:
        lines = [escape(caption, 200)] if caption else []
        if self.view.folds:
            lines.append(f"{len(self.view.shown):,} of {self.view.total:,} nodes are shown, those nearest "
                         "to the root; max_nodes= sets the limit")
        return f"<{'<BR/>'.join(lines)}>" if lines else ""

    # -- how it is written -------------------------------------------------------------------

    def _write(self) -> None:
        inner: dict[Scope, list[Scope]] = {}
        for scope in self.members:
            if scope:
                inner.setdefault(scope[:-1], []).append(scope)
        names = {scope: f"cluster_{i}" for i, scope in enumerate(self.members)}

        def write(scope: Scope) -> None:
            members = self.members[scope]
            # There dot puts the first one lowest.
            for name, text, attributes in members[::-1] if scope and self.sideways else members:
                self.dot.node(name, {"label": text, **attributes})
            for other in inner.get(scope, ()):
                with self.dot.cluster(names[other], self._cluster(other)):
                    write(other)

        write(())
        for tail, head, attributes in self.arrows:
            self.dot.arrow(tail, head, attributes)

    @staticmethod
    def _cluster(scope: Scope) -> Attributes:
        return {"label": f"<{escape(scope[-1]) or ' '}>", "labeljust": "l", "style": "rounded,filled",
                "fillcolor": SHADES[min(len(scope), len(SHADES)) - 1], "color": CLUSTER_LINE, "margin": "10",
                "fontsize": "11", "tooltip": tooltip(" / ".join(scope))}


def _passes_leaves(source: Scope, node: Value) -> bool:
    """Whether an operand comes from outside the node's scope, past leaves of that scope."""
    def around(scope: Scope) -> bool:
        return bool(scope) and node.scope[:len(scope)] == scope

    return bool(node.scope) and not around(source) and any(
        isinstance(x, Value) and not x.operands and around(x.scope) for x in node.operands)
