"""HTML for notebooks and pages: text, tables and trees. Whatever is given is only ever text.

Colours are tints behind text in the notebook's own colour and font, so they read on light and on dark.
There is no script, no resource from elsewhere and no style but an element's own.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from autograd_lite.lines import printable

MOST = 40                                       # rows that a table shows, and entries a tree shows at a level
_TINTS = {"": "", "wrong": "background:rgba(222,44,44,.18);font-weight:bold",
          "doubtful": "background:rgba(222,160,0,.18)"}
_SIDES = {"l": "text-align:left;overflow-wrap:anywhere;min-width:", "w": "text-align:left;white-space:nowrap",
          "r": "text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums"}
_CELL = "padding:.15em .5em;border:0;max-width:none;vertical-align:top;font-weight:inherit;font-size:inherit;"


def text(x: object) -> str:
    """Any text as HTML.

    >>> text("<b>\\n&")
    '&lt;b&gt;\\\\n&amp;'
    """
    return escape(printable(str(x).replace("\N{NO-BREAK SPACE}", " ")))


def block(*parts: str) -> str:
    """What an object shows in a notebook; where MathJax runs, it leaves dollars in labels alone."""
    return ('<div class="mathjax_ignore tex2jax_ignore" style="max-width:100%;overflow-x:auto;'
            f'line-height:1.4">{"".join(parts)}</div>')


def wrong(html: str) -> str:
    """HTML marked as wrong."""
    return f'<span style="{_TINTS["wrong"]}">{html}</span>'


def aligned(rows: Iterable[Sequence[str]]) -> str:
    """Rows of three pieces of HTML, below one another; the last of a row may take several lines."""
    cells = "".join([f'<div style="text-align:{side}">{cell}</div>'
                     for row in rows for side, cell in zip(("right", "center", "left"), row)])
    return ('<div style="display:grid;grid-template-columns:max-content max-content minmax(12em,1fr);'
            f'column-gap:.5em;row-gap:.35em;align-items:baseline;margin:.8em 0">{cells}</div>')


def prose(lines: str) -> str:
    """Lines of text; an indent stays one, and a line of code keeps its columns, as do the marks below it."""
    entries, parts = lines.split("\n") if lines else [], list[str]()
    for line, after in zip(entries, [*entries[1:], ""]):
        words = line.lstrip(" ")
        indent = 0.5 * (len(line) - len(words))
        style = f"padding-left:{indent + 1.5:g}em;text-indent:-1.5em" if indent else ""
        if "^" in (line.strip()[:1], after.strip()[:1]):
            style = f"padding-left:{indent:g}em;font-family:monospace;white-space:pre"
        parts.append(f'<div style="{style if words else "height:.5em"}">{text(words)}</div>')
    return "".join(parts)


def table(sides: str, heads: Sequence[str], rows: Sequence[Sequence[str]], marks: Sequence[str] = ()) -> str:
    """A table; of a long one, the rows that are marked come before others.

    Args:
        sides: a letter for each column: "l" for text, "w" for a word or two, "r" for numbers.
        heads: their titles, if there are any.
        rows: the cells.
        marks: for each row "wrong", "doubtful" or "".
    """
    marks = marks or [""] * len(rows)
    shown = sorted(sorted(range(len(rows)), key=lambda i: not marks[i])[:MOST])
    widths = [min(12, max(map(len, column))) for column in zip(*[rows[i] for i in shown])]    # (at least)
    styles = [_CELL + _SIDES[side] + f"{width}ch" * (side == "l") for side, width in zip(sides, widths)]

    def cells(tag: str, entries: Iterable[str], style: str = "") -> str:
        return "".join([f'<{tag} style="{own}{style}">{text(entry)}</{tag}>'
                        for own, entry in zip(styles, entries)])

    lines = [f'<tr style="{_TINTS[marks[i]]}">{cells("td", rows[i])}</tr>' for i in shown]
    if len(rows) > MOST:
        lines.append(f'<tr><td colspan="{len(sides)}" style="{_CELL}{_SIDES["w"]}">'
                     f'… and {len(rows) - MOST:,} more</td></tr>')
    head = f'<thead><tr>{cells("th", heads, ";border-bottom:1px solid;opacity:.75")}</tr></thead>'
    return ('<table style="border-collapse:collapse;table-layout:auto;margin:.5em 0;width:auto;'
            f'font-size:inherit">{head if heads else ""}<tbody>{"".join(lines)}</tbody></table>')


def leaf(head: str) -> str:
    """An entry of a tree that holds no other."""
    return f'<div style="padding-left:1.1em">{head}</div>'


def branch(head: str, parts: Sequence[str], opened: bool) -> str:
    """An entry of a tree, with what it holds to be folded and unfolded; all are HTML."""
    if not parts:
        return leaf(head)
    more = [leaf(f"… and {len(parts) - MOST:,} more")] * (len(parts) > MOST)
    return (f'<details{" open" * opened}><summary style="cursor:pointer">{head}</summary>'
            f'<div style="padding-left:1.1em">{"".join([*parts[:MOST], *more])}</div></details>')


def named(name: str, facts: str) -> str:
    """A name, and in a paler text what is to be said of it."""
    return f"<b>{text(name)}</b>" + f' <span style="opacity:.75">{text(facts)}</span>' * bool(facts)


def page(title: str, body: str, paper: str, head: str = "") -> str:
    """A page that needs no other file; `head` is HTML."""
    return ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<title>{text(title)}</title>\n{head}</head>\n'
            f'<body style="margin:1em;background:{escape(paper)}">\n{body}\n</body>\n</html>\n')
