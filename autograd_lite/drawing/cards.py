"""The cards that nodes are drawn as, and the text of numbers and names.

Text from outside reaches DOT only through `escape` (in HTML-like labels) or `tooltip`
(in quoted strings).
"""
from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape as escape_html
from typing import NamedTuple
from unicodedata import east_asian_width

from autograd_lite.checks.rule import AGREES, CAUSE, INHERITS
from autograd_lite.drawing.folding import Fold
from autograd_lite.drawing.looks import FIRST, VICTIM, Looks
from autograd_lite.drawing.marks import Mark
from autograd_lite.drawing.naming import expression, local
from autograd_lite.graph.node import op_of
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable

LONGEST = 32                                    # letters of a label that a card shows
SMALL, OK = 9, " ok"                            # (✓ is not in the programs' fonts)
_CLAIMS = 3                                     # claims that a card shows
_SPAN = 12                                      # columns of a cell: all grow alike where others are wider
_SIDE = '<TD WIDTH="3" CELLPADDING="0"></TD>'   # keeps texts off the rounded corners


def number(x: float, digits: int) -> str:
    """A number for people; only 0 itself shows as 0.

    >>> [number(x, 4) for x in (0.1, -2.5, 1e-12, 999988.0, 1234567.0, 0.0, float("-inf"))]
    ['0.1', '−2.5', '1e-12', '999988', '1.235e6', '0', '−inf']
    """
    digits = min(digits, 17)                    # (which tell all floats apart)
    text = f"{x:.0f}" if 10.0 ** digits <= abs(x) < 1e6 else f"{x:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    return mantissa.replace("-", "−") + (f"e{int(exponent)}" if e else "")


def against(x: float, right: float, digits: int) -> str:
    """Two numbers that differ, to as many digits as tell them apart.

    >>> against(0.4, 0.40001, 3)
    '0.4, not 0.40001'
    """
    for k in range(digits, 18):
        texts = [number(x, k), number(right, k)]
        if texts[0] != texts[1]:
            break
    return ", not ".join(texts)


def judged(mark: Mark, digits: int) -> str:
    """What is claimed, and what is right."""
    return "wrong: " * (mark.verdict == CAUSE) + against(mark.claimed, mark.derived, digits)


def escape(text: str, longest: int = LONGEST) -> str:
    r"""Text for an HTML-like label, in which programs read tags first, then backslashes.

    Invisible characters (controls, odd spaces, lone surrogates) show as Python escapes.

    >>> print(escape("<b> & \\N\n"))
    &lt;b&gt; &amp; \\N\\n
    """
    text = printable(text)
    if len(text) > longest:
        text = text[:longest - 1] + "…"
    return escape_html(text).replace("\\", "\\\\")


def tooltip(*lines: str) -> str:
    """Text for a quoted string, in which programs read entities, then backslashes twice."""
    return "&#10;".join(escape(line, 400).replace("\\\\", "\\" * 4) for line in lines)


def ink(text: str, colour: str, size: int = 0) -> str:
    """A text, already escaped, in a colour, and of a size if that is another."""
    return f'<FONT COLOR="{colour}"' + f' POINT-SIZE="{size}"' * bool(size) + f">{text}</FONT>"


def gradient_text(x: float | None, right: float | None, digits: int) -> tuple[str, str]:
    """A gradient, and below it what it should be, if it is wrong."""
    if x is None or right is None:
        return "–" if x is None else number(x, digits), "&#160;"
    wrong, _, told = against(x, right, digits).partition(", ")
    return wrong, told


class Look(NamedTuple):
    """The colours of a card: its fill, its border's, and those of its texts; how its border is drawn."""

    fill: str
    line: str
    ink: str
    faint: str
    backward: str
    dashed: bool
    heavy: bool = False


class Cards:
    """The nodes and the folds of a picture, as HTML-like labels."""

    def __init__(self, looks: Looks):
        self.looks = looks

    def card(self, node: Value) -> str:
        """A node: its label and op, data, gradient, and the claims about it."""
        looks, theme, look = self.looks, self.looks.theme, self._look(node)
        forward, backward = looks.trouble(node)
        rows = [("data", *self._figure(node.data, look.ink, look.fill, forward))]
        if node.requires_grad:
            rows.append(self._staged(node, look) if looks.stage else
                        ("grad", *self._figure(looks.gradient(node), look.backward, look.fill, backward)))
        marks = looks.marks.at(node) if looks.marks else ()
        for k, (name, more, text) in enumerate(rows):
            if {mark.verdict for mark in marks if mark.forward == (name == "data")} == {AGREES}:
                rows[k] = name, more, text + ink(OK, look.faint, SMALL)
        wrong = [mark for mark in marks if mark.verdict != AGREES]
        claims = [[ink(text, theme.alarm_line, SMALL) for text in (
            "data" if mark.forward else escape(mark.name, 20), judged(mark, looks.digits))]
            for mark in wrong[:_CLAIMS]]
        if len(wrong) > _CLAIMS:
            claims.append([ink(f"and {len(wrong) - _CLAIMS} more", look.faint, SMALL), ""])
        if looks.compact:
            lines = [self._line(node, look, rows, ends=FIRST in (forward, backward))]
            lines += [f'<TR><TD COLSPAN="5">{name} {text}</TD></TR>' for name, text in claims]
        else:
            lines = [f"<TR>{_SIDE}{self._name(node, look)}{_SIDE}</TR>", "<HR/>"]
            lines += [_row(ink(name, look.faint, SMALL), more, text) for name, more, text in rows]
            lines += [_row(name, "", text) for name, text in claims]
        return _table(lines, look, padding=3)

    def told(self, node: Value) -> str:
        """A node in full, for its tooltip."""
        gradient, marks = self.looks.gradient(node), self.looks.marks
        forward, backward = [", the first that is not finite" * (trouble == FIRST)
                             for trouble in self.looks.trouble(node)]
        name = node.label or ("" if node.operands else "leaf")
        lines = [" = ".join(filter(None, (name, expression(node).text if node.operands else ""))),
                 f"data {node.data!r}{forward}",
                 "no gradient" if not node.requires_grad else
                 "no gradient yet" if gradient is None else f"grad {gradient!r}{backward}"]
        return tooltip(*lines, *[line for mark in (marks.at(node) if marks else ()) for line in mark.told])

    def box(self, fold: Fold) -> str:
        """A fold: how many nodes of which kind it holds, their largest gradient, and what is wrong."""
        looks, theme, nodes = self.looks, self.looks.theme, fold.nodes
        signs = Counter(map(sign, nodes))
        kinds = [f"{count:,} {sign or ('leaves' if count > 1 else 'leaf')}"
                 for sign, count in signs.most_common(4)] + ["…"] * (len(signs) > 4)
        size = f"{len(nodes):,} node{'s' if len(nodes) > 1 else ''} folded"
        named = fold.name or fold.inner
        lines = [f"<B>{escape(fold.name) or ' '}</B>: {size}" if named else f"<B>{size}</B>",
                 ink(", ".join(kinds), theme.faint, SMALL)]
        largest = max([abs(g) for g in map(looks.gradient, nodes) if g is not None and math.isfinite(g)],
                      default=0.0)
        if largest or looks.stage:              # (the lines are as many at each stage)
            text = number(largest, looks.digits) if largest else "–"
            lines.append(ink(f"|grad| up to {text}", theme.backward, SMALL))
        troubles = [trouble for trouble in map(looks.trouble, nodes) if any(trouble)]
        wrong = looks.marks.wrong(nodes) if looks.marks else 0
        alarms = []
        if troubles:
            alarms.append(f"{len(troubles):,} not finite" + ", the first among them" * any(
                [FIRST in trouble for trouble in troubles]))
        if wrong:
            alarms.append(f"{wrong:,} wrong claim{'s' * (wrong > 1)}")
        lines += [ink(alarm, theme.alarm_line) for alarm in alarms]
        fill, line = looks.lit(fold) or (theme.folded, theme.alarm_line if alarms else theme.line)
        look = Look(fill, line, theme.ink, theme.faint, theme.backward, dashed=True)
        return _table([f"<TR><TD>{line}</TD></TR>" for line in lines], look, padding=4)

    def _look(self, node: Value) -> Look:
        looks, theme = self.looks, self.looks.theme
        leaf, frozen, root = not node.operands, not node.requires_grad, id(node) in looks.roots
        fill = theme.frozen if frozen else theme.leaf if leaf else theme.computed
        line = theme.leaf_line if leaf and not frozen else theme.line
        text = theme.ink, theme.faint, theme.backward
        gradient, trouble = looks.gradient(node), looks.trouble(node)
        verdicts = {mark.verdict for mark in looks.marks.at(node)} if looks.marks else set()
        if looks.scale is not None and not frozen:
            fill, line = theme.computed, theme.line
            if gradient and math.isfinite(gradient):
                fill = line = theme.step(looks.scale.step(gradient), len(looks.scale))
                text = (theme.on(fill),) * 3
        elif CAUSE in verdicts:
            fill = theme.alarm
        if FIRST in trouble:
            fill, text = theme.alarm, (theme.ink, theme.faint, theme.backward)
        alarm = any(trouble) or bool(verdicts - {AGREES})
        lit, line = looks.lit(node) or ("", theme.alarm_line if alarm else theme.ink if root else line)
        if lit:
            fill, text = lit, (theme.on(lit),) * 3
        return Look(fill, line, *text,
                    heavy=root or FIRST in trouble or CAUSE in verdicts,
                    dashed=frozen or INHERITS in verdicts and CAUSE not in verdicts)

    def _staged(self, node: Value, look: Look) -> tuple[str, str, str]:
        """The row of a gradient in a cell that is as wide at each stage."""
        stage, looks = self.looks.stage, self.looks
        assert stage
        right = stage.right.get(id(node))
        lines: Sequence[str] = gradient_text(looks.gradient(node), right, looks.digits)
        lines = lines if id(node) in stage.wrong else lines[:1]
        colour = look.backward if right is None else looks.theme.alarm_line
        return "grad", f' WIDTH="{stage.room[id(node)]:.0f}"', "".join(
            [ink(line, colour) + '<BR ALIGN="RIGHT"/>' * bool(lines[1:]) for line in lines])

    def _name(self, node: Value, look: Look) -> str:
        """The cells of a full card that say what the node is called, and its op."""
        label, op = local(node.label, node.scope), sign(node)
        if not label:
            return f'<TD COLSPAN="{2 * _SPAN}">{_bold(label, op, look)}</TD>'
        cell = f'ALIGN="LEFT" WIDTH="{_width(label)}">{_bold(label, op, look)}</TD>'
        if not op:
            return f'<TD COLSPAN="{2 * _SPAN}" {cell}'
        return (f'<TD COLSPAN="{_SPAN}" {cell}'
                f'<TD COLSPAN="{_SPAN}" ALIGN="RIGHT">{ink(f"<I>{op}</I>", look.faint)}</TD>')

    def _line(self, node: Value, look: Look, rows: list[tuple[str, str, str]], ends: bool) -> str:
        """The line of a compact card; at its ends room for filled cells."""
        label, op = local(node.label, node.scope), sign(node)
        small = f" {ink(f'<I>{op}</I>', look.faint, SMALL)}" if label and op else ""
        width = f' WIDTH="{_width(label)}"' if label and not label.isascii() else ""
        cells = [f"<TD{width}>{_bold(label, op, look)}{small}</TD>"]
        # (Programs set a text that is all of one kind lower than those with bold parts: hence the space.)
        heads = {"data": ink(" ", look.faint), "grad": ink("∂ ", look.faint)}
        filled = {"data": ink(" ", look.fill), "grad": ink("∂ ", look.fill)}
        cells += [f"<TD{more}>{(filled if 'BGCOLOR' in more else heads)[name]}{text}</TD>"
                  for name, more, text in rows]
        return f"<TR>{_SIDE * ends}{'<VR/>'.join(cells)}{_SIDE * ends}</TR>"

    def _figure(self, x: float | None, colour: str, fill: str, trouble: int) -> tuple[str, str]:
        """The attributes of a cell, and the number in it; the first that is not finite stands out."""
        theme = self.looks.theme
        text = "–" if x is None else number(x, self.looks.digits)
        if trouble == FIRST:
            return f' BGCOLOR="{theme.alarm_line}"', ink(text, theme.on(theme.alarm_line))
        if trouble == VICTIM:
            filled = fill in theme.scale and not self.looks.stage
            return f' BGCOLOR="{theme.alarm}"' * filled, ink(text, theme.alarm_line)
        return "", ink(text, colour)


def column(names: Sequence[str], cards: Sequence[str], tooltips: Sequence[str], sideways: bool) -> str:
    """Cards one below the other, or beside each other, as one label; their names are its ports."""
    told = [text.replace("\\" * 4, "\\" * 2) for text in tooltips]      # (read once here, not twice)
    cells = [f'<TD PORT="{name}" HREF="#" TITLE="{text}">{card[1:-1]}</TD>'
             for name, card, text in zip(names, cards, told)]
    rows = cells if sideways else ["".join(cells)]
    # (Programs draw the lines in a card dashed after a dashed border; so a cell begins with an unseen one.)
    return (f'<<TABLE BORDER="0" CELLBORDER="1" COLOR="transparent" CELLSPACING="1" CELLPADDING="0">'
            f'{"".join(f"<TR>{row}</TR>" for row in rows)}</TABLE>>')


def sign(node: Value) -> str:
    """The sign of a node's op; "" for a leaf."""
    op = op_of(node)
    return escape(op.notation.sign if op.notation else op.name) if op else ""


def _bold(label: str, op: str, look: Look) -> str:
    """What a card is headed by."""
    return ink(f"<B>{escape(label)}</B>" if label else f"<B>{op}</B>" if op else "<I>leaf</I>", look.ink)


def _width(label: str) -> int:
    """What programs that do not know the widths of letters, and give them that of a space, are told."""
    return 8 + sum(12 if east_asian_width(c) in "WF" else 7 for c in label[:LONGEST] if c > "~")


def _row(name: str, attributes: str, text: str) -> str:
    top = ' VALIGN="TOP"' if "<BR" in text else ""
    return (f'<TR>{_SIDE}<TD COLSPAN="{_SPAN}" ALIGN="LEFT"{top}>{name}</TD>'
            f'<TD COLSPAN="{_SPAN}" ALIGN="RIGHT"{attributes}>{text}</TD>{_SIDE}</TR>')


def _table(rows: list[str], look: Look, padding: int) -> str:
    style = "ROUNDED,DASHED" if look.dashed else "ROUNDED"
    return (f'<<TABLE BORDER="{2 if look.heavy else 1}" STYLE="{style}" COLOR="{look.line}" '
            f'BGCOLOR="{look.fill}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}">'
            f'{"".join(rows)}</TABLE>>')
