"""The arrows of a picture, the legend of its colours, and the attributes that all of it has."""
from __future__ import annotations

import math
from collections.abc import Sequence

from autograd_lite.checks.rule import AGREES, CAUSE, INHERITS
from autograd_lite.drawing.cards import OK, SMALL, escape, ink, judged, number, tooltip
from autograd_lite.drawing.dot import Attributes
from autograd_lite.drawing.looks import FIRST, Looks
from autograd_lite.drawing.marks import Mark
from autograd_lite.drawing.naming import derivative
from autograd_lite.graph.value import Value

FONT = "Helvetica"
_WIDTHS = (1.0, 3.4)                # of the arrows of the least and the largest flow,
_USUAL = 1.2                        # and of those that say nothing of it


class Arrows:
    """The arrow of each operand."""

    def __init__(self, looks: Looks, sideways: bool):
        self.looks, self.sideways = looks, sideways

    def arrow(self, head: Value, operand: Value, partial: float, stored: float | None, position: int,
              times: int) -> Attributes:
        """The attributes of the arrow from the operand at a position, or from several alike, by which this is
        the partial; the one that backward uses is `stored`."""
        looks, theme = self.looks, self.looks.theme
        mark = looks.marks.on(head, position) if looks.marks else None
        flow = looks.flow(head, operand, stored)
        trouble = looks.trouble_on(head, partial, flow)
        passes = stored is not None and operand.requires_grad
        found = self._line(flow, trouble, bool(looks.stage and passes and looks.stage.now == id(head)))
        text = ink(number(partial, looks.digits), theme.alarm_line if not math.isfinite(partial) else
                   theme.backward if passes else theme.faint)
        if mark:
            text = self._marked(mark, text)
            found |= _LINES[mark.verdict] | ({"color": theme.alarm_line} if mark.verdict != AGREES else {})
        if times > 1:
            text += f" × {times:,}"
        if mark or trouble or times > 1 or not looks.bare:
            thick = float(found.get("penwidth", _USUAL)) >= 2.2
            below = f"<BR/>{ink(' ', theme.faint, 4)}" if thick else ""
            found["label"] = f"<{text}{below}>" if self.sideways else f"<&#160;{text}&#160;>"
            if looks.stage and passes:
                found["label"] = self._staged(text, flow_text(looks.passed(head), flow, looks.digits),
                                              looks.stage.room[id(head), position])
        lines = [f"{derivative(head, operand)} = {partial!r}" + ", the first that is not finite" * (
            trouble == FIRST)]
        if flow is not None:
            lines.append(f"times grad {looks.passed(head)!r}: {flow!r} flows back")
        elif not passes:
            lines.append("no gradient flows back")
        return found | {"tooltip": tooltip(*lines, *(mark.told if mark else ()))}

    def joint(self, arrow: Attributes) -> Attributes:
        """The attributes of a node that joins two lines of an arrow."""
        thickness = float(arrow.get("penwidth", _USUAL)) / 72.0
        # (That of a thick line hides a gap.)
        length, width = ("0.03", "0") if thickness < 0.03 else (f"{thickness:.3f}", f"{thickness:.3f}")
        sides = (length, width) if self.sideways else (width, length)
        return {"shape": "box", "style": "filled", "fillcolor": arrow["color"], "peripheries": "0",
                "width": sides[0], "height": sides[1], "fixedsize": "true", "tooltip": " "}

    def number(self, x: float) -> str:
        """A plain number, in place of a card; with digits enough that 1.01 is not 1."""
        theme = self.looks.theme
        colour = theme.faint if math.isfinite(x) else theme.alarm_line
        return f"<{ink(number(x, max(self.looks.digits, 4)), colour)}>"

    def _staged(self, text: str, flow: Sequence[str], room: float) -> str:
        """A label that is as wide at each stage: the partial, and below it what flows."""
        lines = text, *[ink(line, self.looks.theme.backward, SMALL) for line in flow]
        rows = "".join([f'<TR><TD WIDTH="{room:.0f}">{line}</TD></TR>' for line in lines])
        return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{rows}</TABLE>>'

    def _line(self, flow: float | None, trouble: int, lit: bool) -> Attributes:
        """How the line is drawn."""
        looks, theme = self.looks, self.looks.theme
        if lit:
            return {"color": theme.backward, "penwidth": "2.0"}
        if trouble:
            return {"color": theme.alarm_line, "penwidth": "2.8" if trouble == FIRST else "1.2"}
        if looks.scale is None or flow is None:
            return {"color": theme.line}
        if flow == 0.0:
            return {"color": theme.line, "style": "dotted"}
        step, steps = looks.scale.step(flow), len(looks.scale)
        return {"color": theme.step(step, steps), "penwidth": width(step, steps)}

    def _marked(self, mark: Mark, text: str) -> str:
        theme = self.looks.theme
        if mark.verdict == AGREES:
            return text + ink(OK, theme.faint)
        told = judged(mark, self.looks.digits)
        return ink(f"<B>{told}</B>" if mark.verdict == CAUSE else told, theme.alarm_line)


def flow_text(gradient: float | None, flow: float | None, digits: int) -> tuple[str, str]:
    """What stands below a partial: the gradient by which it is multiplied, and what flows."""
    if gradient is None or flow is None:
        return "&#160;", "&#160;"
    return f"· {number(gradient, digits)}", f"= {number(flow, digits)}"


_LINES: dict[str, Attributes] = {
    CAUSE: {"penwidth": "3.2", "arrowhead": "box"}, INHERITS: {"style": "dashed", "penwidth": "1.2"},
    AGREES: {}}


def width(step: int, steps: int) -> str:
    """How thick the arrows of a step are."""
    least, most = _WIDTHS
    return f"{least + (most - least) * (step / (steps - 1) if steps > 1 else 0.5):.1f}"


def legend(looks: Looks) -> list[str]:
    """The rows of the legend, HTML-like: of the colours by gradient, and of an audit's marks."""
    theme, rows = looks.theme, []
    if looks.scale is not None and not looks.scale:
        rows.append("colours by |grad|: there is none yet; call backward()")
    elif looks.scale is not None:
        bounds, steps = [number(x, 3) for x in looks.scale.bounds], len(looks.scale)
        ranges = [f"below {bounds[0]}", *[f"{a} – {b}" for a, b in zip(bounds, bounds[1:])],
                  f"from {bounds[-1]}"] if bounds else ["all others"]
        cells = [_swatch("0", theme.computed, theme.line, looks)]
        cells += [_swatch(text, theme.step(k, steps), theme.step(k, steps), looks)
                  for k, text in enumerate(ranges)]
        rows.append('<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="3"><TR><TD>|grad| of a '
                    f"node, |∂head/∂tail · grad| on an arrow</TD>{''.join(cells)}</TR></TABLE>")
    if looks.marks:
        found = looks.marks.verdicts
        words = {CAUSE: "wrong (thick)", INHERITS: "right, but from wrong numbers (dashed)", AGREES: "ok"}
        texts = [ink(f"{found[verdict]:,} {text}", theme.faint if verdict == AGREES else theme.alarm_line)
                 for verdict, text in words.items() if found[verdict]]
        rows.append(f"claims: {' · '.join(texts) or 'none'}")
        rows += [escape(line, 200) for line in looks.marks.latent]
    return rows


def _swatch(text: str, fill: str, line: str, looks: Looks) -> str:
    """A cell of the legend."""
    return (f'<TD BGCOLOR="{fill}" COLOR="{line}" BORDER="1" WIDTH="64">'
            f"{ink(text, looks.theme.on(fill), SMALL)}</TD>")


def label(looks: Looks, lines: Sequence[str]) -> str:
    """The graph's label: lines of text, already escaped, then the legend."""
    rows = legend(looks)
    if not rows:
        return f"<{'<BR/>'.join(lines)}>" if lines else ""
    cells = "".join([f"<TR><TD>{row}</TD></TR>" for row in (*lines, *rows)])
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{cells}</TABLE>>'


def defaults(looks: Looks, direction: str) -> dict[str, Attributes]:
    """The attributes of the graph, of all nodes and of all arrows."""
    theme = looks.theme
    # Without `newrank`, dot fails where the scopes depend on each other.
    gap, rank, card, arrow, head = ("0.1", "0.15", "10", "9", "0.5") if looks.compact else (
        "0.18", "0.35", "12", "10", "0.6")
    return {"graph": {
        "rankdir": direction, "newrank": "true", "size": "150,50" if direction in ("LR", "RL") else "50,150",
        "nodesep": gap, "ranksep": rank, "pad": "0.2", "bgcolor": theme.paper, "fontname": FONT,
        "fontsize": "13", "fontcolor": theme.faint, "tooltip": " ",
    }, "node": {
        "shape": "plain", "fontname": FONT, "fontsize": card, "fontcolor": theme.ink,
    }, "edge": {
        "fontname": FONT, "fontsize": arrow, "fontcolor": theme.faint, "color": theme.line, "arrowsize": head,
        "penwidth": f"{_USUAL}", "weight": "3"}}
