"""The picture of a graph: nodes as cards, an arrow for each operand, scopes as clusters; as DOT."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from autograd_lite.drawing.arrows import Arrows, defaults, label
from autograd_lite.drawing.cards import Cards, column, escape, tooltip
from autograd_lite.drawing.dot import Attributes, Dot, Scope
from autograd_lite.drawing.folding import Fold
from autograd_lite.drawing.given import a_text, one_of
from autograd_lite.drawing.groups import crowds, groups
from autograd_lite.drawing.looks import Looks, Stage
from autograd_lite.drawing.rows import Rows
from autograd_lite.drawing.theme import Theme
from autograd_lite.drawing.view import Edge, Item, View
from autograd_lite.graph.value import Value
from autograd_lite.ops.whole import whole


@dataclass(frozen=True)
class Options:
    """How to draw; see `draw`. Errors begin with the name of the function that was called."""

    max_nodes: int = 100
    sample: int | Literal["all"] | None = None
    focus: Value | str | None = None
    digits: int | None = None
    direction: str | None = None
    caption: str = ""
    style: str | None = None
    theme: str = "light"
    colour: str = "kind"
    report: Any = None
    called: str = "draw"

    def __post_init__(self) -> None:
        whole(self.max_nodes, f"{self.called}: max_nodes", 1)
        if self.digits is not None:
            whole(self.digits, f"{self.called}: digits", 1)
        if self.sample is not None and not (isinstance(self.sample, str) and self.sample == "all"):
            whole(self.sample, f"{self.called}: sample")
        for name, choices in _CHOICES.items():
            one_of(getattr(self, name), f"{self.called}: {name}", choices)
        a_text(self.caption, f"{self.called}: caption")


_SIDES = {"LR": "ew", "RL": "we", "TB": "sn", "BT": "ns"}            # where arrows begin and end
_CHOICES = {"direction": ("LR", "RL", "TB", "BT", None), "style": ("full", "compact", None),
            "theme": ("light", "dark"), "colour": ("kind", "grad")}


class Picture:
    """Makes `dot`; all ids follow from the graph, so the text is the same in every run."""

    def __init__(self, roots: Sequence[Value], gradients: Sequence[Value], options: Options,
                 view: View | None = None, stage: Stage | None = None):
        self.view = view or View(roots, options.max_nodes, options.sample, options.focus, gradients)
        self.rows = Rows(self.view)
        self.looks = Looks(roots, gradients, self.view.nodes, self.view.shown, [
            (head, edge.source, edge.stored(head)) for head, edges in self.view.edges.items()
            for edge in edges if isinstance(head, Value) and isinstance(edge.source, Value)
            and edge.partial is not None],
            style=options.style, theme=options.theme, colour=options.colour, digits=options.digits,
            report=options.report, stage=stage)
        direction = options.direction or (
            "LR" if self.rows.row else self.looks.direction(self.view.depth.values()))
        self.sideways = direction in ("LR", "RL")
        self.cards, self.line = Cards(self.looks), Arrows(self.looks, self.sideways)
        self.sides = _SIDES[direction]
        self.ids: dict[int, str] = {}
        self.ends: dict[str, str] = {}          # where arrows to and from a card begin, if not at a node
        self.column: dict[int, str] = {}        # in which a card or box stands, by its id
        self.row_of: dict[str, int] = {}
        self.turns: set[str] = set()
        self.arrows = 0
        self.dot = Dot("computation", **defaults(self.looks, direction),
                       cluster=partial(_cluster, self.looks.theme),
                       upwards=partial(_upwards, self.sideways, bool(self.rows.row)))
        self.dot.defaults["graph"]["label"] = label(self.looks, self._caption(options.caption))
        self.dot.description = self.view.told()
        self._nodes()
        self.crowds = crowds(self.view, self.column)
        for item, edges in self.view.edges.items():
            for i, edge in enumerate(edges):
                self._edge(edge, i, item)
        for items in self.rows.columns():
            self.dot.rank([self.ids[id(item)] for item in items])

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
                line = {key: x for key, x in attributes.items() if key in ("color", "penwidth", "style")}
                self._arrow(tail, out, arrowhead="none", **line)
            self._turn(into, row)
            tail = into
        self.arrows += 1
        tail, head = [f"{self.ends[name]}:{side}" if name in self.ends else name
                      for name, side in zip((tail, head), self.sides)]
        self.dot.arrow(tail, head, attributes)

    def _turn(self, name: str, row: int) -> None:
        self._node((), name, f"{row}", shape="circle", width="0.22", fixedsize="true", fontsize="9",
                   fontcolor=self.looks.theme.faint, color=self.looks.theme.line,
                   tooltip="the next row goes on here")

    def _name(self, item: Item) -> str:
        name = self.ids[id(item)] = f"n{len(self.ids)}"
        if self.rows.row:
            self.row_of[name] = self.rows.row[item]
        return name

    def _nodes(self) -> None:
        items: list[Item] = [*self.view.shown, *self.view.folds]
        names = {id(item): self._name(item) for item in items}
        together = [] if self.rows.row else groups(self.view)
        group_of = {id(item): group for group in together for item in group}
        for item in items:
            group = group_of.get(id(item), [item])
            text, told = zip(*[(self.cards.card(x), self.cards.told(x)) if isinstance(x, Value) else
                               (self.cards.box(x), "left out of the picture") for x in group])
            if not group[1:]:
                self._node(self.view.scope(item), names[id(item)], text[0], tooltip=told[0])
            elif item is group[0]:
                name = f"s{names[id(item)]}"
                self.ends |= {names[id(x)]: f"{name}:{names[id(x)]}" for x in group}
                self.column |= {id(x): name for x in group}
                self._node(self.view.scope(item), name, column(
                    [names[id(x)] for x in group], text, told, self.sideways), tooltip=" ")

    def _edge(self, edge: Edge, i: int, head: Item) -> None:
        source = edge.source
        if isinstance(source, Fold) or isinstance(source, Value) and edge.partial is None:
            self._bundle(source, head, edge.times)
        elif isinstance(head, Fold):
            pass
        elif isinstance(source, Value) and edge.partial is not None:
            self._operand(head, source, self.line.arrow(
                head, source, edge.partial, edge.stored(head), edge.position, edge.times))
        elif isinstance(source, float):
            self._constant(head, f"{i}", self.line.number(source), repr(source))
        else:
            self._constant(head, "more", f"<{edge.times:,} more>", "left out of the picture")

    def _operand(self, node: Value, operand: Value, attributes: Attributes) -> None:
        tail, head = self.ids[id(operand)], self.ids[id(node)]
        if self._passes_leaves(operand, node):
            # Left alone, dot leads the line around the whole cluster, not past the leaves in it.
            joint = f"j{self.arrows}"
            self._node(self.view.scope(node), joint, "", **self.line.joint(attributes))
            line = {key: text for key, text in attributes.items() if key not in ("label", "arrowhead")}
            self._arrow(tail, joint, **line, dir="none", headclip="false", minlen="2")
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
        self._node(self.view.scope(node), name, text, fontsize="10", fontcolor=self.looks.theme.faint,
                   tooltip=full)
        self._arrow(name, self.ids[id(node)], weight="1", penwidth="0.8", arrowsize="0.5", tooltip=full)

    def _bundle(self, source: Value | Fold, target: Value | Fold, count: int) -> None:
        tail, head = self.ids[id(source)], self.ids[id(target)]
        pair = self.column.get(id(source), ""), self.column.get(id(target), "")
        if pair in self.crowds:                 # (of which the first arrow is drawn, for all)
            (tail, head), count = pair, self.crowds[pair]
            self.crowds[pair] = 0
            if not count:
                return
        attributes = {"label": f"× {count:,}"} if count > 1 else {}
        told = f"{count:,} operand{'s' * (count != 1)}"
        if self.looks.stage and self.looks.stage.now == id(target):
            attributes |= {"color": self.looks.theme.backward}
        self._arrow(tail, head, style="dashed", tooltip=told,
                    penwidth=f"{1.2 + math.log10(count) / 4:.1f}", **attributes)

    def _caption(self, caption: str) -> list[str]:
        return [escape(line, 200) for line in (*[caption] * bool(caption), *self.view.notes)]


def _upwards(sideways: bool, rows: bool, scope: Scope) -> bool:
    """Whether programs draw the nodes of a scope from below."""
    return sideways and (rows or bool(scope))


def _cluster(theme: Theme, scope: Scope) -> Attributes:
    """How the box around a scope looks."""
    return {"label": f"<{escape(scope[-1]) or ' '}>", "labeljust": "l", "style": "rounded,filled",
            "fillcolor": theme.clusters[min(len(scope), len(theme.clusters)) - 1],
            "color": theme.cluster_line, "margin": "10", "fontsize": "11", "fontcolor": theme.faint,
            "tooltip": tooltip(" / ".join(scope))}
