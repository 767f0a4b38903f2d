"""The picture of a graph: nodes as cards, an arrow for each operand, scopes as clusters; as DOT."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from autograd_lite.drawing.cards import (BLUE, FAINT, INK, LINE, RED, box, card, escape, figure, title, told,
                                         tooltip)
from autograd_lite.drawing.dot import Attributes, Dot, Scope
from autograd_lite.drawing.folding import Fold
from autograd_lite.drawing.rows import Rows
from autograd_lite.drawing.view import Edge, Item, View
from autograd_lite.errors import InputError, short
from autograd_lite.graph.value import Value
from autograd_lite.ops.whole import whole

FONT = "Helvetica"
SHADES, CLUSTER_LINE = ("#f5f7fa", "#eaeff4", "#dfe6ed"), "#cbd5df"       # from the outermost cluster in


@dataclass(frozen=True)
class Options:
    """How to draw; see `draw`."""

    max_nodes: int = 100
    sample: int | Literal["all"] | None = None
    focus: Value | str | None = None
    digits: int = 4
    direction: str = "LR"
    caption: str = ""

    def __post_init__(self) -> None:
        whole(self.max_nodes, "draw: max_nodes", 1)
        whole(self.digits, "draw: digits", 1)
        if self.sample is not None and self.sample != "all":
            whole(self.sample, "draw: sample")
        for name, choices in _CHOICES.items():
            given = getattr(self, name)
            if given not in choices:
                raise InputError(f"draw: {name}={short(given)}: choose {', '.join(map(repr, choices[:-1]))} "
                                 f"or {choices[-1]!r}")


_CHOICES = {"direction": ("LR", "RL", "TB", "BT")}


class Picture:
    """Makes `dot`; all ids follow from the graph, so the text is the same in every run."""

    def __init__(self, roots: Sequence[Value], gradients: Sequence[Value], options: Options):
        self.view = View(roots, options.max_nodes, options.sample, options.focus, gradients)
        self.rows = Rows(self.view)
        self.digits, self.sideways = options.digits, options.direction in ("LR", "RL")
        self.ids: dict[int, str] = {}
        self.row_of: dict[str, int] = {}
        self.turns: set[str] = set()
        self.arrows = 0
        # Without `newrank`, dot fails where the scopes depend on each other.
        self.dot = Dot("computation", graph={
            "rankdir": options.direction, "newrank": "true", "size": "150,50" if self.sideways else "50,150",
            "nodesep": "0.18", "ranksep": "0.35", "pad": "0.2", "bgcolor": "white", "fontname": FONT,
            "fontsize": "13", "fontcolor": FAINT, "tooltip": " ", "label": self._caption(options.caption)
        }, node={
            "shape": "plain", "fontname": FONT, "fontsize": "12", "fontcolor": INK
        }, edge={
            "fontname": FONT, "fontsize": "10", "fontcolor": FAINT, "color": LINE, "arrowsize": "0.6",
            "penwidth": "1.2", "weight": "3"
        }, cluster=_cluster, upwards=lambda scope: self.sideways and bool(scope or self.rows.row))
        self.dot.description = self.view.told()
        self._nodes({id(root) for root in (*roots, *gradients)})
        for item, edges in self.view.edges.items():
            for i, edge in enumerate(edges):
                self._edge(edge, i, item)
        for column in self.rows.columns():
            self.dot.rank([self.ids[id(item)] for item in column])

    # -- what is drawn ---------------------------------------------------------------------

    def _node(self, scope: Scope, name: str, text: str, **attributes: str) -> None:
        self.dot.add(scope, name, {"label": text, **attributes})

    def _arrow(self, tail: str, head: str, **attributes: str) -> None:
        row = self.row_of.get(head)
        if row is not None and self.row_of.get(tail, row) != row:       # it goes on in the next row
            out, into = f"j{tail}_{row}", f"j{tail}_{head}"
            if out not in self.turns:
                self.turns.add(out)
                self._turn(out, row)
                self._arrow(tail, out, arrowhead="none")
            self._turn(into, row)
            tail = into
        self.arrows += 1
        self.dot.arrow(tail, head, attributes)

    def _turn(self, name: str, row: int) -> None:
        self._node((), name, f"{row}", shape="circle", width="0.22", fixedsize="true", fontsize="9",
                   fontcolor=FAINT, color=LINE, tooltip="the next row goes on here")

    def _name(self, item: Item) -> str:
        name = self.ids[id(item)] = f"n{len(self.ids)}"
        if self.rows.row:
            self.row_of[name] = self.rows.row[item]
        return name

    def _nodes(self, roots: set[int]) -> None:
        for node in self.view.shown:
            name = self._name(node)
            self._node(self.view.scope(node), name, card(node, self.digits, id(node) in roots),
                       tooltip=told(node))
        for fold in self.view.folds:
            name = self._name(fold)
            self._node(self.view.scope(fold), name, box(fold), tooltip="left out of the picture")

    def _edge(self, edge: Edge, i: int, head: Item) -> None:
        source = edge.source
        if isinstance(source, Fold) or isinstance(source, Value) and edge.partial is None:
            self._bundle(source, head, edge.times)
        elif isinstance(head, Fold):
            pass
        elif isinstance(source, Value) and edge.partial is not None:
            self._operand(head, source, edge.partial, edge.times)
        elif isinstance(source, float):
            self._constant(head, f"{i}", figure(source, self.digits, FAINT), repr(source))
        else:
            self._constant(head, "more", f"{edge.times:,} more", "left out of the picture")

    def _operand(self, node: Value, operand: Value, partial: float, times: int) -> None:
        tail, head = self.ids[id(operand)], self.ids[id(node)]
        colour = LINE if math.isfinite(partial) else RED
        flows = node.requires_grad and operand.requires_grad
        gap = "" if self.sideways else "&#160;"             # between a label and the line next to it
        text = figure(partial, self.digits, BLUE if flows else FAINT)
        if times > 1:
            text += f" × {times:,}"
        attributes = {"label": f"<{gap}{text}{gap}>", "color": colour,
                      "tooltip": tooltip(f"∂{title(node)}/∂{title(operand)} = {partial!r}")}
        if self._passes_leaves(operand, node):
            # Left alone, dot leads the line around the whole cluster, not past the leaves in it.
            joint = f"j{self.arrows}"
            width, height = ("0.03", "0") if self.sideways else ("0", "0.03")
            self._node(self.view.scope(node), joint, "", shape="box", style="filled", fillcolor=colour,
                       peripheries="0", width=width, height=height, fixedsize="true", tooltip=" ")
            self._arrow(tail, joint, color=colour, dir="none", headclip="false", minlen="2",
                        tooltip=attributes["tooltip"])
            tail, attributes["tailclip"] = joint, "false"
        self._arrow(tail, head, **attributes)

    def _passes_leaves(self, operand: Value, node: Value) -> bool:
        """Whether an operand comes from outside the node's scope, past leaves of that scope."""
        inner = self.view.scope(node)

        def around(item: Item) -> bool:
            scope = self.view.scope(item)
            return bool(scope) and inner[:len(scope)] == scope

        return bool(inner) and not around(operand) and any(
            isinstance(edge.source, Value) and not edge.source.operands and around(edge.source)
            for edge in self.view.edges[node])

    def _constant(self, node: Value, which: str, text: str, full: str) -> None:
        name = f"{self.ids[id(node)]}_{which}"
        self._node(self.view.scope(node), name, f"<{text}>", fontsize="10", fontcolor=FAINT, tooltip=full)
        self._arrow(name, self.ids[id(node)], weight="1", penwidth="0.8", arrowsize="0.5", tooltip=full)

    def _bundle(self, source: Value | Fold, target: Value | Fold, count: int) -> None:
        attributes = {"label": f"× {count:,}"} if count > 1 else {}
        self._arrow(self.ids[id(source)], self.ids[id(target)], style="dashed", tooltip=f"{count:,} operands",
                    penwidth=f"{1.2 + math.log10(count) / 4:.1f}", **attributes)

    def _caption(self, caption: str) -> str:
        lines = [escape(caption, 200)] if caption else []
        lines += [escape(note, 200) for note in self.view.notes]
        return f"<{'<BR/>'.join(lines)}>" if lines else ""


def _cluster(scope: Scope) -> Attributes:
    return {"label": f"<{escape(scope[-1]) or ' '}>", "labeljust": "l", "style": "rounded,filled",
            "fillcolor": SHADES[min(len(scope), len(SHADES)) - 1], "color": CLUSTER_LINE, "margin": "10",
            "fontsize": "11", "tooltip": tooltip(" / ".join(scope))}
