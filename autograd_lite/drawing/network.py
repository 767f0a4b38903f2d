"""`draw_network`: neurons as circles in columns, and weights as the lines between them."""
from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from autograd_lite.drawing.cards import escape, number, tooltip
from autograd_lite.drawing.dot import Dot
from autograd_lite.drawing.given import a_text, one_of
from autograd_lite.drawing.layout import (BIAS, NAME, SMALL, TEXT, Paint, Plan, Point, Rows, bias_row,
                                          parameters_shown, plan, width)
from autograd_lite.drawing.output import drawing_of
from autograd_lite.drawing.stack import Stage, stack
from autograd_lite.drawing.theme import THEMES
from autograd_lite.errors import InputError, short, type_name
from autograd_lite.graph.value import Value
from autograd_lite.nn.layers import Neuron, activation_name
from autograd_lite.nn.module import Module
from autograd_lite.ops.op import TABLE
from autograd_lite.ops.whole import whole

if TYPE_CHECKING:
    from autograd_lite.drawing.drawn import Drawing

_FONT = "Helvetica"
_TURNS = {"LR": (1, 0, 0, -1), "RL": (-1, 0, 0, -1), "TB": (0, 1, -1, 0), "BT": (0, 1, 1, 0)}


def draw_network(model: Module | Sequence[Module], *, show: Literal["data", "grad"] = "data",
                 max_neurons: int = 16, inputs: Iterable[str] = (), outputs: Iterable[str] = (),
                 digits: int = 4, direction: Literal["LR", "RL", "TB", "BT"] = "LR",
                 theme: Literal["light", "dark"] = "light", caption: str = "") -> Drawing:
    """A model as textbooks draw networks: its neurons as circles, layer by layer, its weights as lines.

    The larger a weight, the heavier its line: blue if it is positive, orange (and dashed, where lines are
    few) if it is negative. A bias that a layer shares is a square with lines of its own; a bias of one neuron
    is written by the neuron. Numbers stand on the lines where there is room, and in full in the tooltips of
    an SVG. The source is the same in every run and fixes all positions, whichever program draws it.

    Args:
        model: an MLP, a Layer, a Neuron, a list of layers, or a Module whose attributes hold layers in the
            order in which they are applied.
        show: "data" for the weights, on a linear scale; "grad" for their gradients, on a logarithmic one of
            three decades. Before any `backward` there are none, and the lines are grey.
        max_neurons: of a larger layer only the first and the last neurons are shown.
        inputs, outputs: names of the inputs and of the last layer's neurons (else i1, i2, … and o1, o2, …).
        digits: how many significant digits of each number to show.
        direction: from the inputs to the outputs: "LR" from left to right, "RL", "TB" (down) or "BT".
        theme: "light" or "dark".
        caption: a line below the picture.

    Raises:
        InputError: an argument is not of the right kind, or out of range; or the model holds no layers, or
            not one after the other.
        RenderError: the Python package graphviz is missing.

    >>> import autograd_lite as ag
    >>> picture = ag.draw_network(ag.nn.MLP(2, [3, 1]))
    >>> sum(line.startswith("\\tn") and "->" in line for line in picture.source.splitlines())
    9
    """
    for name, given, choices in (("show", show, ("data", "grad")), ("direction", direction, tuple(_TURNS)),
                                 ("theme", theme, tuple(THEMES))):
        one_of(given, f"draw_network: {name}", choices)
    a_text(caption, "draw_network: caption")
    max_neurons = whole(max_neurons, "draw_network: max_neurons", 1)
    digits = whole(digits, "draw_network: digits", 1)
    stages, names = stack(model)
    sizes = [len(stages[0].neurons[0].w), *[len(stage.neurons) for stage in stages]]
    titles = [_titles("inputs", inputs, sizes[0], "i"),
              *[_titles("neurons", (), size, "h" if len(sizes) == 3 else "") for size in sizes[1:-1]],
              _titles("outputs", outputs, sizes[-1], "o")]
    rows = [Rows(size, max_neurons) for size in sizes]
    paint = Paint(stages, names, parameters_shown(stages, rows), show == "grad", digits, THEMES[theme])
    where = plan(stages, rows, paint, direction in ("LR", "RL"))
    page = _Page(direction, paint, caption)
    _Network(page, stages, titles, where).draw()
    page.dot.description = (f"a network with {sizes[0]:,} input{'s' * (sizes[0] > 1)}: "
                            + ", ".join(f"{stage.name} of {_kinds(stage)}" for stage in stages))
    return drawing_of(page.dot)


def _titles(what: str, given: Iterable[str], size: int, letter: str) -> list[str]:
    """The names of a column's neurons."""
    titles = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    if isinstance(given, str) or not all(isinstance(title, str) for title in titles):
        raise InputError(f"draw_network: {what} is a list of names, not {type_name(given)} {short(given)}")
    if titles and len(titles) != size:
        raise InputError(f"draw_network: {what}= gives {len(titles)} names, but the model has {size} {what}")
    return titles or [f"{letter}{i}" for i in range(1, size + 1)]


def _activation(neuron: Neuron) -> str:
    name = activation_name(neuron.activation) or type_name(neuron.activation)
    op = TABLE.get(name)
    return op.notation.sign if op and op.notation else name


def _kinds(stage: Stage) -> str:
    """How many neurons a layer has, and their activation."""
    kinds = list(dict.fromkeys(map(_activation, stage.neurons)))
    kind = kinds[0] if len(kinds) == 1 else f"{len(kinds)} activations"
    return f"{len(stage.neurons):,} × {kind}" if stage.neurons[1:] else kind


def _notes(caption: str, paint: Paint) -> str:
    """The lines below the picture."""
    lines = [escape(caption, 200)] if caption else []
    if paint.others:
        lines.append(f"{paint.others:,} parameters outside the layers are not drawn" if paint.others > 1 else
                     "1 parameter outside the layers is not drawn")
    return f"<{'<BR/>'.join(lines)}>" if lines else ""


class _Page:
    """Writes circles, lines and texts as DOT with fixed positions."""

    def __init__(self, direction: str, paint: Paint, caption: str):
        self.paint, self.theme = paint, paint.theme
        self.turn, self.sideways = _TURNS[direction], direction in ("LR", "RL")
        self.texts = 0
        fonts = {"fontname": _FONT, "fontcolor": self.theme.faint, "tooltip": " "}
        self.dot = Dot("network", graph={
            "layout": "nop2", "outputorder": "edgesfirst", "pad": "0.2", "bgcolor": self.theme.paper,
            "fontsize": "12", "label": _notes(caption, paint), **fonts
        }, node={"fixedsize": "true", "margin": "0", "penwidth": "1.2", **fonts}, edge={"dir": "none"})

    def turned(self, at: Point) -> Point:
        """A place along and across the layers as one of x and y (upwards)."""
        a, b, c, d = self.turn
        return a * at[0] + b * at[1] + 0.0, c * at[0] + d * at[1] + 0.0

    def shape(self, name: str, at: Point, label: str, shape: str, size: float, tip: str, fill: str, line: str,
              letters: float = TEXT) -> None:
        """A circle or a square, with a label in it."""
        self._node(name, self.turned(at), (size, size), label=f"<{label or ' '}>", shape=shape,
                   style="filled", fillcolor=fill, color=line, fontsize=f"{letters}",
                   fontcolor=self.theme.ink, tooltip=tip)

    def line(self, tail: str, head: str, start: Point, end: Point, x: float | None, tip: str) -> None:
        """A straight line from x, y to x, y that shows a number."""
        steps = [[a + (b - a) * t / 3 for a, b in zip(start, end)] for t in range(4)]
        self.dot.arrow(tail, head, {"pos": " ".join(f"{x:.2f},{y:.2f}" for x, y in steps), "tooltip": tip,
                                    **self.paint.line(x)})

    def text(self, at: Point, text: str, size: float = TEXT, color: str = "", tip: str = " ", fill: str = "",
             bold: bool = False) -> None:
        """A text around x, y."""
        label = escape(text, sys.maxsize) or " "
        style = {"style": "filled", "fillcolor": fill} if fill else {}
        self._node(f"t{self.texts}", at, (width(text, size) + 2.0, size + 2.0), shape="box",
                   label=f"<<B>{label}</B>>" if bold else f"<{label}>", fontsize=f"{size}",
                   fontcolor=color or self.theme.faint, color="transparent", tooltip=tip, **style)
        self.texts += 1

    def number(self, at: Point, p: Value, size: float, tip: str, name: str = "") -> None:
        """A parameter's number on paper of its own, so that no line runs through it."""
        x = self.paint.number(p)
        colour = (self.theme.faint if x is None else self.theme.alarm_line if not math.isfinite(x) else
                  self.theme.backward if self.paint.grad else self.theme.ink)
        self.text(self.turned(at), self.paint.words(p, name), size, colour, tip, self.theme.paper)

    def legend(self, middle: Point) -> None:
        """Samples of lines with the amounts that they stand for, around x, y."""
        paint = self.paint
        head = ("no gradient yet: call backward() of a loss" if not paint.known else
                "gradient, log scale" if paint.grad else "weight")
        samples: list[tuple[float, str]] = []
        if paint.signs:
            part = math.sqrt(paint.least / paint.most) if paint.grad else 0.5
            amounts = dict.fromkeys([paint.most, paint.most * part, *[paint.least] * paint.grad])
            samples = [(x, number(x, 2)) for x in [paint.signs[0] * x for x in amounts] if x]
            samples += [(-paint.most, "negative")] * len(paint.signs[1:])
        samples += [(math.nan, "not finite")] * (not paint.finite)
        lengths = [width(head, TEXT) + 14.0, *[54.0 + width(text, TEXT) for _, text in samples]]
        x, y = middle[0] - math.fsum(lengths) / 2, middle[1]
        self.text((x + lengths[0] / 2 - 7.0, y), head)
        for k, (sample, text) in enumerate(samples):
            x += lengths[k]
            for name, at in ((f"l{k}", x), (f"r{k}", x + 34.0)):
                self._node(name, (at, y), (1.0, 1.0), shape="point", style="invis")
            self.line(f"l{k}", f"r{k}", (x, y), (x + 34.0, y), sample, " ")
            self.text((x + 40.0 + width(text, TEXT) / 2, y), text)

    def _node(self, name: str, at: Point, size: Point, **attributes: str) -> None:
        self.dot.add((), name, {"pos": f"{at[0]:.2f},{at[1]:.2f}", "width": f"{size[0] / 72:.4f}",
                                "height": f"{size[1] / 72:.4f}", **attributes})


class _Network:
    """Puts the parts of a model on a page, by a plan."""

    def __init__(self, page: _Page, stages: Sequence[Stage], titles: list[list[str]], where: Plan):
        self.page, self.stages, self.titles, self.plan = page, stages, titles, where
        self.paint, self.theme, self.sideways = page.paint, page.theme, page.sideways
        self.letters = NAME if where.marks else 7.0
        self.square = 22.0 if where.marks else 14.0

    def draw(self) -> None:
        """Everything; the lines from each circle in order, so that the heaviest lie on top."""
        for k, rows in enumerate(self.plan.rows):
            stage = self.stages[k - 1] if k else None
            self._circles(k, rows, stage)
            self._heading(k, rows, stage)
            if rows.hidden:
                self._left_out(self.plan.along[k], rows)
        for k, stage in enumerate(self.stages):
            self._lines(k, stage, *self.plan.rows[k:k + 2])
        self._legend()

    def _circles(self, k: int, rows: Rows, stage: Stage | None) -> None:
        room = 2.0 * self.plan.radius - 2.0
        inside = all(width(self.titles[k][i], self.letters) <= room for i in rows.shown)
        for i in rows.shown:
            at, title = self._at(k, i), self.titles[k][i]
            said = [self._called(k, i)]
            if stage:
                neuron = stage.neurons[i]
                bias = stage.bias(neuron)
                said += [f"neuron {i + 1:,} of {len(stage.neurons):,} in {stage.name}: {_activation(neuron)}"]
                if bias is not None:
                    told = self.paint.told(bias, "bias")
                    said += told
                    self._bias(at, self.plan.radius, bias, SMALL, tooltip(*told))
            fill = self.theme.computed if stage else self.theme.frozen
            self.page.shape(f"n{k}_{i}", at, escape(title) if inside else "", "circle",
                            2.0 * self.plan.radius, tooltip(*said), fill, self.theme.faint, self.letters)
            if not inside and k in (0, len(self.stages)):
                self._beside(-1.0 if k == 0 else 1.0, at, title)

    def _beside(self, sign: float, at: Point, title: str) -> None:
        longest = 24 if self.sideways else int(self.plan.step / self.letters / 0.6)
        title = title if len(title) <= longest else title[:longest - 1] + "…"
        away = self.plan.radius + 5.0 + (width(title, self.letters) if self.sideways else self.letters) / 2
        self.page.text(self.page.turned((at[0] + sign * away, at[1])), title, self.letters, self.theme.ink)

    def _bias(self, at: Point, radius: float, bias: Value, size: float, tip: str) -> None:
        """A bias's number below its circle or square, or to the right of it."""
        if self.plan.marks or radius != self.plan.radius:
            wide = width(self.paint.words(bias, "b"), size)
            away = radius + (8.0 if self.sideways else 4.0 + wide / 2)
            self.page.number((at[0], at[1] + away), bias, size, tip, "b")

    def _heading(self, k: int, rows: Rows, stage: Stage | None) -> None:
        count = _kinds(stage) if stage else f"{rows.size:,}"
        shortest = min(b - a for a, b in zip(self.plan.along, self.plan.along[1:]))
        longest = int((shortest if self.sideways else 130.0) / NAME / 0.6)
        top = -max(rows.last for rows in self.plan.rows) * self.plan.step - self.plan.radius
        x, y = self.page.turned((self.plan.along[k], top - (24.0 if self.sideways else 70.0)))
        for text, up, size, colour in ((stage.name if stage else "inputs", 7.0, NAME, self.theme.ink),
                                       (count, -7.0, TEXT, "")):
            text = text if len(text) <= longest else "…" + text[1 - longest:]
            self.page.text((x, y + up), text, size, colour, bold=size == NAME)

    def _left_out(self, along: float, rows: Rows) -> None:
        """Three dots, which not every font has, and how many neurons they stand for."""
        at = rows.gap * self.plan.step
        for i in (-1, 0, 1):
            self.page.shape(f"d{self.page.texts}_{i + 1}", (along, at + 5.0 * i - 3.0 * self.sideways), "",
                            "circle", 2.5, " ", self.theme.faint, self.theme.faint)
        place = (along, at + 16.0) if self.sideways else (along + 12.0, at)
        self.page.text(self.page.turned(place), f"{rows.hidden:,} more", SMALL, fill=self.theme.paper)

    def _lines(self, k: int, stage: Stage, before: Rows, after: Rows) -> None:
        lines = [(f"n{k}_{j}", self._at(k, j), self.plan.radius, i, stage.neurons[i].w[j], self._called(k, j))
                 for j in before.shown for i in after.shown]
        if stage.shared is not None:
            row = bias_row(before, after) * self.plan.step
            at = _between((self.plan.along[k], row), (self.plan.along[k + 1], row), BIAS)
            tip = tooltip(*self.paint.told(stage.shared, "bias"))
            self.page.shape(f"b{k}", at, "1", "box", self.square, tip, self.theme.leaf, self.theme.leaf_line,
                            self.letters - 1.0)
            self._bias(at, self.square / 2, stage.shared, TEXT if self.plan.marks else SMALL, tip)
            lines += [(f"b{k}", at, self.square / 2, i, stage.shared, "bias") for i in after.shown]
        lines.sort(key=lambda line: self.paint.part(self.paint.number(line[4]) or 0.0))
        for tail, start, radius, i, p, source in lines:
            end = self._at(k + 1, i)
            tip = tooltip(*self.paint.told(p, f"{source} → {self._called(k + 1, i)}"))
            length = math.dist(start, end)
            first, last = (self.page.turned(_between(start, end, part))
                           for part in (radius / length, 1.0 - self.plan.radius / length))
            self.page.line(tail, f"n{k + 1}_{i}", first, last, self.paint.number(p), tip)
            if self.plan.marks and source != "bias":
                self.page.number(_between(start, end, self.plan.marks[k]), p, TEXT, tip)

    def _legend(self) -> None:
        rows, away = self.plan.rows, self.plan.radius + 34.0
        lasts = [row.last for row in rows]
        lasts += [bias_row(*rows[k:k + 2]) for k, stage in enumerate(self.stages) if stage.shared is not None]
        x, y = self.page.turned((self.plan.along[-1] / 2, max(lasts) * self.plan.step))
        bottom = y if self.sideways else min(self.page.turned((at, at))[1] for at in self.plan.along)
        self.page.legend((x if self.sideways else 0.0, bottom - away))

    def _at(self, k: int, i: int) -> Point:
        rows = self.plan.rows[k]
        return self.plan.along[k], rows.places[rows.shown.index(i)] * self.plan.step

    def _called(self, k: int, i: int) -> str:
        """A neuron's name in tooltips."""
        lettered = k in (0, len(self.stages)) or len(self.stages) == 2
        return self.titles[k][i] if lettered else f"{self.stages[k - 1].name}.neurons[{i}]"


def _between(a: Point, b: Point, part: float) -> Point:
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part
