"""Where the parts of a network's picture stand, and how its numbers look as lines."""
from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from unicodedata import east_asian_width

from autograd_lite.drawing.cards import number
from autograd_lite.drawing.stack import Stage
from autograd_lite.drawing.theme import THEMES, Theme
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable

Point = tuple[float, float]                     # along the layers, and across them
SMALL, TEXT, NAME = 9.0, 10.0, 12.0             # sizes of letters, in points
BIAS = 0.5                                      # how far along a gap the square of a shared bias stands
_RADIUS = 22.0                                  # of a circle with numbers on its lines
_ORANGE = {THEMES["light"]: "#c75b00", THEMES["dark"]: "#ff9d45"}     # as far from paper as `backward`


def width(text: str, size: float) -> float:
    """About how wide a text is, in points."""
    return size / 100 * sum(105 if east_asian_width(c) in "WF" else 30 if c in " .,:;'ijl|![]()" else
                            82 if c in "mwMW" else 70 if c.isupper() else 58 for c in printable(text))


class Paint:
    """How numbers look: the text of each, and the colour, width and dashes of its line.

    Args:
        stages, names: the model's layers, and the names of its parameters by id.
        shown: the parameters that are drawn; their amounts set the scale.
        grad: whether to show gradients.
    """

    def __init__(self, stages: Sequence[Stage], names: dict[int, str], shown: Sequence[Value], grad: bool,
                 digits: int, theme: Theme):
        self.names, self.grad, self.digits, self.theme = names, grad, digits, theme
        parameters = [p for stage in stages for p in stage.parameters]
        self.known = not grad or any(p.requires_grad and p.grad != 0.0 for p in parameters)
        self.others = len(names) - len(names.keys() & set(map(id, parameters)))
        self.dense = False                      # (with thinner lines, and none of them dashed)
        numbers = [x for x in map(self.number, shown) if x]
        self.finite = all(map(math.isfinite, numbers))
        self.signs = sorted({math.copysign(1.0, x) for x in numbers if math.isfinite(x)}, reverse=True)
        amounts = [abs(x) for x in numbers if math.isfinite(x)]
        self.most = max(amounts, default=0.0)
        self.least = max(min(amounts, default=0.0), self.most / 1000)

    def number(self, p: Value) -> float | None:
        """What is shown of a parameter; None if it has no gradient."""
        if not self.grad:
            return p.data
        return p.grad if self.known and p.requires_grad else None

    def part(self, x: float) -> float:
        """Where an amount lies on the scale, from 0 to 1; for gradients logarithmic, above its least."""
        x = abs(x)
        if not math.isfinite(x):
            return 1.0
        if not x:
            return 0.0
        if not self.grad or self.least == self.most:
            return x / self.most
        above = math.log(max(x, self.least) / self.least) / math.log(self.most / self.least)
        return 0.1 * (min(x, self.least) / self.least) + 0.9 * above

    def line(self, x: float | None) -> dict[str, str]:
        """The attributes of a number's line."""
        thin, more = (0.4, 2.2) if self.dense else (0.8, 3.4)
        if x is None or not x:
            return {"color": self.theme.cluster_line, "penwidth": f"{thin}"}
        if not math.isfinite(x):
            return {"color": self.theme.alarm_line, "penwidth": f"{thin + more:.3f}"}
        part = self.part(x)
        positive = x == abs(x)
        full = self.theme.backward if positive else _ORANGE[self.theme]
        colour = _mixed(self.theme.cluster_line, full, 0.3 + 0.7 * part) + "c8" * self.dense
        dashes = {} if positive or self.dense else {"style": "dashed"}
        return {"color": colour, "penwidth": f"{thin + more * part:.3f}", **dashes}

    def words(self, p: Value, name: str = "") -> str:
        """A parameter's number, after the name that people gave it (or else `name`)."""
        x, path, label = self.number(p), self.names.get(id(p), ""), printable(p.label)
        if label and not path.endswith(label) and not label.endswith(path or " "):
            name = label if len(label) <= 12 else label[:11] + "…"
        text = "–" if x is None else number(x, self.digits)
        return f"{name} {'∂' if self.grad else '='} {text}" if name else text

    def told(self, p: Value, where: str) -> list[str]:
        """A parameter in full, for tooltips."""
        names = list(dict.fromkeys(filter(None, (p.label, self.names.get(id(p), "")))))
        return [f"{' = '.join(names)}: {where}", f"data {p.data!r}",
                f"grad {p.grad!r}" if p.requires_grad else "no gradient"]


def _mixed(low: str, high: str, part: float) -> str:
    """A colour between two."""
    pairs = [(int(low[i:i + 2], 16), int(high[i:i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


class Rows:
    """Which neurons of a column are shown, and where across it, in steps from the middle."""

    def __init__(self, size: int, most: int):
        kept = max(most // 2, 1) if size > most else size
        first = (kept + 1) // 2
        self.size, self.hidden = size, size - kept
        self.shown = [*range(first), *range(size - kept + first, size)]
        places = [i + 1.9 * (i >= first and self.hidden > 0) for i in range(kept)]
        self.gap = first + 0.45                 # (where those left out would be)
        self.last = max(places[-1], self.gap if self.hidden else 0.0) / 2
        self.places = [place - self.last for place in places]
        self.gap -= self.last

    def stretch(self, factor: float) -> None:
        """Put the neurons farther apart."""
        self.places = [place * factor for place in self.places]
        self.gap, self.last = self.gap * factor, self.last * factor


class Plan(NamedTuple):
    """Distances in points.

    Attributes:
        rows: the columns, the inputs first.
        step: from row to row.
        along: where the columns stand.
        radius: of the circles.
        marks: for each gap between columns, which part of it lies before the numbers on its lines; None if
            there is no room for numbers.
    """

    rows: list[Rows]
    step: float
    along: list[float]
    radius: float
    marks: list[float] | None


def parameters_shown(stages: Sequence[Stage], rows: Sequence[Rows]) -> list[Value]:
    """The weights and biases that a picture of these rows has."""
    found: list[Value | None] = []
    for stage, before, after in zip(stages, rows, rows[1:]):
        neurons = [stage.neurons[i] for i in after.shown]
        found += [n.w[j] for n in neurons for j in before.shown]
        found += [stage.shared, *map(stage.bias, neurons)]
    return [p for p in found if p is not None]


def plan(stages: Sequence[Stage], rows: list[Rows], paint: Paint, sideways: bool) -> Plan:
    """With numbers on the lines if they do not overlap; else closer, with thinner lines."""
    tallest = max(len(column.shown) for column in rows)
    gaps = list(zip(stages, rows, rows[1:]))
    if tallest <= 8 and sum(len(a.shown) * len(b.shown) for _, a, b in gaps) <= 48:
        boxes, edges = [], [_RADIUS]            # (edges: how far from each column the numbers begin)
        least, most = (66, 140) if sideways else (84, 260)
        for stage, before, after in gaps:
            neurons = [stage.neurons[i] for i in after.shown]
            wide = max(width(paint.words(n.w[j]), TEXT) for n in neurons for j in before.shown) + 4.0
            boxes.append((wide, TEXT + 3.0) if sideways else (TEXT + 3.0, wide))
            own = max([width(paint.words(b, "b"), SMALL) for b in map(stage.bias, neurons) if b is not None],
                      default=0.0)
            edges.append(max(_RADIUS, own / 2) if sideways else _RADIUS)
            if not sideways:
                least = max(least, math.ceil(2 * _RADIUS + own + 12.0))
        tries = []
        for step in range(least, most, 6):
            found = [_mark(before, after, stage.shared is not None, step, box, edge)
                     for (stage, before, after), box, edge in zip(gaps, boxes, edges)]
            marks = [mark for mark in found if mark]
            if len(marks) == len(found):
                tries.append((1.5 * step * tallest + math.fsum(cost for cost, _, _ in marks), step, marks))
        if tries:
            _, step, marks = min(tries)
            return Plan(rows, step, _sums([length for _, length, _ in marks]), _RADIUS,
                        [part for _, _, part in marks])
    paint.dense = True
    highest = max(column.last for column in rows)
    for column in rows:
        column.stretch(min(highest / column.last, 2.5) if column.last else 1.0)
    return Plan(rows, 27.0, _sums([min(max(80.0, 900.0 / len(stages)), 190.0)] * len(stages)), 10.0, None)


def _sums(lengths: Iterable[float]) -> list[float]:
    places = [0.0]
    for length in lengths:
        places.append(places[-1] + length)
    return places


def _mark(before: Rows, after: Rows, shared: bool, step: float, box: Point,
          edge: float) -> tuple[float, float, float] | None:
    """Where along a gap numbers that take up a box may stand: how bad that is, the gap's length, and the part
    of it before the middle of the numbers. None if they would overlap."""
    pairs = [(a * step, b * step) for a in before.places for b in after.places]
    lines = [(0.0, *pair) for pair in pairs]
    lines += [(BIAS, bias_row(before, after) * step, b * step) for b in after.places] * shared
    found = []
    for k in range(12, 52, 2):
        part = k / 100
        length = max(130.0, (edge + 6.0 + box[0] / 2) / part)
        middles = sorted(a + (b - a) * part for a, b in pairs)
        nearest = min((y - x - box[1] for x, y in zip(middles, middles[1:])), default=box[1])
        if nearest < 2.0:
            continue
        crossed = 0                             # how often a line runs through another's number
        for a, b in pairs:
            y = a + (b - a) * part
            for start, c, d in lines:
                at = [max(part + side * box[0] / 2 / length, start) for side in (-1, 1)]
                ends = [c + (d - c) * (x - start) / (1.0 - start) - y for x in at]
                crossed += (start, c, d) != (0.0, a, b) and at[1] > start and (
                    min(ends) < box[1] / 2 and max(ends) > -box[1] / 2)
        found.append((length + 60.0 * crossed + 12.0 * max(TEXT - nearest, 0.0), length, part))
    return min(found, default=None)


def bias_row(before: Rows, after: Rows) -> float:
    """Where across a gap the square of its shared bias stands."""
    return max(before.last, after.last) + 1.0
