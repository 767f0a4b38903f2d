"""The text of a picture: numbers, names, and the cards that nodes are drawn as.

Text from outside reaches DOT only through `escape` (in HTML-like labels) or `tooltip`
(in quoted strings).
"""
from __future__ import annotations

import math
from collections import Counter
from html import escape as escape_html
from unicodedata import east_asian_width

from autograd_lite.drawing.folding import Fold
from autograd_lite.graph.node import op_of
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable

# Colours that colour-blind eyes can tell apart, also in grey: ink for numbers computed forward,
# blue for those computed backward, and red, with a heavier line, for those that are not finite.
INK, FAINT, LINE, BLUE, RED = "#1f2933", "#7b8794", "#9aa5b1", "#0b62a8", "#c81e1e"
COMPUTED, LEAF, LEAF_LINE, FROZEN, FOLDED, ALARM = (
    "#ffffff", "#fff3d1", "#d99a00", "#eef1f4", "#f7f9fb", "#fdeaea")

LONGEST = 32                                    # letters of a label that a card shows


def number(x: float, digits: int) -> str:
    """A number for people; only 0 itself shows as 0.

    >>> [number(x, 4) for x in (0.1, -2.5, 1e-12, 999988.0, 1234567.0, 0.0, float("-inf"))]
    ['0.1', '−2.5', '1e-12', '999988', '1.235e6', '0', '−inf']
    """
    text = f"{x:.0f}" if 10.0 ** digits <= abs(x) < 1e6 else f"{x:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    return mantissa.replace("-", "−") + (f"e{int(exponent)}" if e else "")


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


def title(node: Value) -> str:
    """A node's name: its label, or else its op."""
    return node.label or node.op or "leaf"


def told(node: Value) -> str:
    """A node in full, for its tooltip."""
    name = title(node)
    if node.op:
        names = [title(x) if isinstance(x, Value) else repr(x) for x in node.operands[:6]]
        name += f" = {node.op}({', '.join(names)}{', …' if len(node.operands) > 6 else ''})"
    gradient = f"grad {node.grad!r}" if node.requires_grad else "no gradient"
    return tooltip(name, f"data {node.data!r}", gradient)


def finite(node: Value) -> bool:
    """Whether both data and gradient are finite."""
    return math.isfinite(node.data) and math.isfinite(node.grad)


def figure(x: float, digits: int, colour: str) -> str:
    """A number in its colour, or in red if it is not finite."""
    return f'<FONT COLOR="{colour if math.isfinite(x) else RED}">{number(x, digits)}</FONT>'


def card(node: Value, digits: int, root: bool) -> str:
    """A node as an HTML-like label: its label and op, data, gradient."""
    alarm = not finite(node)
    leaf, frozen = not node.operands, not node.requires_grad
    rows = [_heading(node), "<HR/>", _row("data", figure(node.data, digits, INK))]
    if not frozen:
        rows.append(_row("grad", figure(node.grad, digits, BLUE)))
    return _table(rows, border=2 if root or alarm else 1, dashed=frozen, padding=3,
                  line=RED if alarm else INK if root else LEAF_LINE if leaf and not frozen else LINE,
                  fill=ALARM if alarm else FROZEN if frozen else LEAF if leaf else COMPUTED)


def box(fold: Fold) -> str:
    """A fold as an HTML-like label: how many nodes of which kind."""
    signs = Counter(map(_sign, fold.nodes))
    kinds = [f"{count:,} {sign or ('leaves' if count > 1 else 'leaf')}"
             for sign, count in signs.most_common(4)] + ["…"] * (len(signs) > 4)
    not_finite = sum(not finite(node) for node in fold.nodes)
    size = f"{len(fold.nodes):,} node{'s' if len(fold.nodes) > 1 else ''} folded"
    lines = [f"<B>{escape(fold.name) or ' '}</B>: {size}" if fold.name or fold.inner else f"<B>{size}</B>",
             f'<FONT COLOR="{FAINT}" POINT-SIZE="9">{", ".join(kinds)}</FONT>']
    if not_finite:
        lines.append(f'<FONT COLOR="{RED}">{not_finite:,} not finite</FONT>')
    return _table([f"<TR><TD>{line}</TD></TR>" for line in lines], border=1, dashed=True, padding=4,
                  line=RED if not_finite else LINE, fill=FOLDED)


def _table(rows: list[str], border: int, dashed: bool, padding: int, line: str, fill: str) -> str:
    style = "ROUNDED,DASHED" if dashed else "ROUNDED"
    return (f'<<TABLE BORDER="{border}" STYLE="{style}" COLOR="{line}" BGCOLOR="{fill}" CELLBORDER="0" '
            f'CELLSPACING="0" CELLPADDING="{padding}">{"".join(rows)}</TABLE>>')


def _sign(node: Value) -> str:
    """The sign of a node's op; "" for a leaf."""
    op = op_of(node)
    return escape(op.notation.sign if op.notation else op.name) if op else ""


def _heading(node: Value) -> str:
    sign = _sign(node)
    if not node.label:
        return f'<TR><TD COLSPAN="2">{f"<B>{sign}</B>" if sign else "<I>leaf</I>"}</TD></TR>'
    # If programs do not know the width of a letter, they give it that of a space.
    wide = sum(12.0 if east_asian_width(c) in "WF" else 7.0 for c in node.label[:LONGEST] if c > "~")
    label = f'ALIGN="LEFT" WIDTH="{8 + wide:.0f}"><B>{escape(node.label)}</B></TD>'
    if not sign:
        return f'<TR><TD COLSPAN="2" {label}</TR>'
    return f'<TR><TD {label}<TD ALIGN="RIGHT"><FONT COLOR="{FAINT}"><I>{sign}</I></FONT></TD></TR>'


def _row(name: str, text: str) -> str:
    return (f'<TR><TD ALIGN="LEFT"><FONT POINT-SIZE="9" COLOR="{FAINT}">{name}</FONT></TD>'
            f'<TD ALIGN="RIGHT">{text}</TD></TR>')
