"""How lines of a derivation are set: as text, in LaTeX, and in HTML."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from autograd_lite.checks.report import LINE, columns
from autograd_lite.drawing.lines import Line, Row
from autograd_lite.drawing.mathml import mathml
from autograd_lite.markup import aligned, text as html_text, wrong

_WIDEST = 30                                    # columns of a head that the first row stands next to


def as_text(line: Line) -> str:
    """A line in rows of at most 79 columns, if its names allow; marks stand below what is wrong."""
    indent = max(columns(title) for title in (line.head, *[row.title for row in line.rows]))
    found = []
    head = line.head
    if indent > _WIDEST:
        found, head, indent = [head], "", max(3, *[columns(row.title) for row in line.rows])
    for row in line.rows:
        title = row.title or head
        sign = f"  {row.sign}" if row.sign == "since" else row.sign
        found += _wrapped(" " * (indent - columns(title)) + f"{title} {sign} ", row, indent + 3)
        head = ""
    return "\n".join(found)


def _wrapped(start: str, row: Row, indent: int) -> Iterator[str]:
    line, marks, begun = start, "", False
    for token in row.tokens:
        before, part = token.before, token.text
        if begun and columns(line + before + part) > LINE:
            yield line
            if marks:
                yield marks
            line, marks, before = " " * indent, "", before.lstrip()
        line += before
        if token.wrong:
            marks += " " * (columns(line) - columns(marks)) + "^" * columns(part)
        line, begun = line + part, True
    yield line
    if marks:
        yield marks


def as_latex(line: Line) -> str:
    """A line as an ``aligned`` environment."""
    rows = []
    for i, row in enumerate(line.rows):
        head = line.head if i == 0 and not row.title else rf"\mathrm{{{row.title}}}" if row.title else ""
        rows.append(f"{head} &{_sign(row)} {row_latex(row)}".strip())
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _sign(row: Row) -> str:
    return row.sign if row.sign == "=" else rf"\quad \mathrm{{{row.sign}}} \;"


def row_latex(row: Row) -> str:
    """What stands after the sign of a row; what is wrong has a line above it."""
    return "".join([x.before + (rf"\overline{{{x.text}}}" if x.wrong else x.text) for x in row.tokens])


def as_html(lines: Iterable[Line], notes: Sequence[str]) -> Iterator[str]:
    """Lines in LaTeX as HTML, and what is to be said below them."""
    for line in lines:
        yield aligned(_cells(line))
    for note in notes:
        yield f"<div>{html_text(note)}</div>"


def _cells(line: Line) -> Iterator[tuple[str, str, str]]:
    for i, row in enumerate(line.rows):
        title = html_text(row.title) if row.title else mathml(line.head) if i == 0 else ""
        sign = "=" if row.sign == "=" else f'<span style="opacity:.75">{row.sign}</span>'
        yield title, sign, " ".join(map(_token, *zip(*[(x.before, x.text, x.wrong) for x in row.tokens])))


def _token(before: str, text: str, marked: bool) -> str:
    """What stays together on a line of a page."""
    inner = mathml(text)
    sign = mathml(before) if before.strip() else ""
    return f'<span style="white-space:nowrap">{sign} {wrong(inner) if marked else inner}</span>'
