"""The picture of a graph: nodes as cards, an arrow for each operand, scopes as clusters; as DOT."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograd_lite.drawing.arrows import Arrows, defaults, label
from autograd_lite.drawing.cards import Cards, escape, tooltip
from autograd_lite.drawing.dot import Attributes, Dot
from autograd_lite.drawing.looks import Looks
from autograd_lite.drawing.view import Fold, View
from autograd_lite.errors import InputError, short
from autograd_lite.graph.value import Value
from autograd_lite.ops.whole import whole

Scope = tuple[str, ...]


@dataclass(frozen=True)
class Options:
    """How to draw; see `draw`."""

    max_nodes: int = 200
    digits: int | None = None
    direction: str | None = None
    caption: str = ""
    style: str | None = None
    theme: str = "light"
    colour: str = "kind"
    report: Any = None

    def __post_init__(self) -> None:
        whole(self.max_nodes, "draw: max_nodes", 1)
        if self.digits is not None:
            whole(self.digits, "draw: digits", 1)
        for name, choices in _CHOICES.items():
            given = getattr(self, name)
            if given not in choices:
                raise InputError(f"draw: {name}={short(given)}: choose {', '.join(map(repr, choices[:-1]))} "
                                 f"or {choices[-1]!r}")


_CHOICES = {"direction": ("LR", "RL", "TB", "BT", None), "style": ("full", "compact", None),
            "theme": ("light", "dark"), "colour": ("kind", "grad")}


class Picture:
    """Makes `dot`; all ids follow from the graph, so the text is the same in every run."""

    def __init__(self, roots: Sequence[Value], options: Options):
        self.view = View(roots, options.max_nodes)
        nodes = [*self.view.shown, *[node for fold in self.view.folds for node in fold.nodes]]
        self.looks = Looks(roots, nodes, self.view.shown, style=options.style, theme=options.theme,
                           colour=options.colour, digits=options.digits, report=options.report)
        direction = options.direction or self.looks.direction(self.view.shown)
        self.sideways = direction in ("LR", "RL")
        self.cards, self.arrow_of = Cards(self.looks), Arrows(self.looks, self.sideways)
        self.ids: dict[int, str] = {}
        self.members: dict[Scope, list[tuple[str, str, Attributes]]] = {(): []}
        self.arrows: list[tuple[str, str, Attributes]] = []
        self._nodes()
        for node in self.view.shown:
            self._operands(node)
        for fold in self.view.folds:
            for source, count in fold.sources.items():
                self._bundle(source, fold, count)
        self.dot = Dot("computation", **defaults(self.looks, direction))
        self.dot.defaults["graph"]["label"] = label(self.looks, self._caption(options.caption))
        self._write()

    # -- what is drawn ---------------------------------------------------------------------

    def _node(self, scope: Scope, name: str, text: str, **attributes: str) -> None:
        for depth in range(len(scope)):
            self.members.setdefault(scope[:depth + 1], [])
        self.members[scope].append((name, text, attributes))

    def _arrow(self, tail: str, head: str, **attributes: str) -> None:
        self.arrows.append((tail, head, attributes))

    def _nodes(self) -> None:
        for node in self.view.shown:
            name = self.ids[id(node)] = f"n{len(self.ids)}"
            self._node(node.scope, name, self.cards.card(node), tooltip=self.cards.told(node))
        for fold in self.view.folds:
            name = self.ids[id(fold)] = f"n{len(self.ids)}"
            # A scope that is folded whole needs no cluster around its box.
            scope = fold.scope if fold.scope in self.members else fold.scope[:-1]
            self._node(scope, name, self.cards.box(fold), tooltip="left out of the picture")

    def _operands(self, node: Value) -> None:
        single, bundles = self.view.operands(node)
        partials = node.partials if single else ()
        for i in single:
            operand = node.operands[i]
            if isinstance(operand, Value):
                self._operand(node, operand, self.arrow_of.arrow(node, i, partials[i]))
            else:
                self._constant(node, f"{i}", self.arrow_of.number(operand), repr(operand))
        for source, count in bundles.items():
            if source is None:
                self._constant(node, "more", f"<{count:,} more numbers>", "left out of the picture")
            else:
                self._bundle(source, node, count)

    def _operand(self, node: Value, operand: Value, attributes: Attributes) -> None:
        tail, head = self.ids[id(operand)], self.ids[id(node)]
        if _passes_leaves(operand.scope, node):
            # Left alone, dot leads the line around the whole cluster, not past the leaves in it.
            joint = f"j{len(self.arrows)}"
            self._node(node.scope, joint, "", **self.arrow_of.joint(attributes))
            line = {key: text for key, text in attributes.items() if key not in ("label", "arrowhead")}
            self._arrow(tail, joint, **line, dir="none", headclip="false", minlen="2")
            tail, attributes["tailclip"] = joint, "false"
        self._arrow(tail, head, **attributes)

    def _constant(self, node: Value, which: str, text: str, full: str) -> None:
        name = f"{self.ids[id(node)]}_{which}"
        self._node(node.scope, name, text, fontsize="10", fontcolor=self.looks.theme.faint, tooltip=full)
        self._arrow(name, self.ids[id(node)], weight="1", penwidth="0.8", arrowsize="0.5", tooltip=full)

    def _bundle(self, source: Value | Fold, target: Value | Fold, count: int) -> None:
        attributes = {"label": f"× {count:,}"} if count > 1 else {}
        self._arrow(self.ids[id(source)], self.ids[id(target)], style="dashed", tooltip=f"{count:,} operands",
                    penwidth=f"{1.2 + math.log10(count) / 4:.1f}", **attributes)

    def _caption(self, caption: str) -> list[str]:
        lines = [escape(caption, 200)] if caption else []
        if self.view.folds:
            lines.append(f"{len(self.view.shown):,} of {self.view.total:,} nodes are shown, those nearest "
                         "to the root; max_nodes= sets the limit")
        return lines

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

    def _cluster(self, scope: Scope) -> Attributes:
        theme = self.looks.theme
        return {"label": f"<{escape(scope[-1]) or ' '}>", "labeljust": "l", "style": "rounded,filled",
                "fillcolor": theme.clusters[min(len(scope), len(theme.clusters)) - 1],
                "color": theme.cluster_line, "margin": "10", "fontsize": "11", "fontcolor": theme.faint,
                "tooltip": tooltip(" / ".join(scope))}


def _passes_leaves(source: Scope, node: Value) -> bool:
    """Whether an operand comes from outside the node's scope, past leaves of that scope."""
    def around(scope: Scope) -> bool:
        return bool(scope) and node.scope[:len(scope)] == scope

    return bool(node.scope) and not around(source) and any(
        isinstance(x, Value) and not x.operands and around(x.scope) for x in node.operands)
