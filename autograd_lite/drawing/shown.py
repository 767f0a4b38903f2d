"""How lines of a derivation are set: as text, in LaTeX, and in HTML."""
from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence

from autograd_lite.checks.report import LINE, columns, wrapped
from autograd_lite.drawing.dialects import Dialect, Latex, Token
from autograd_lite.drawing.lines import Line, Row
from autograd_lite.drawing.mathml import mathml
from autograd_lite.markup import aligned, block, text as html_text, wrong

_EQUALS = '<math><mo lspace="0em" rspace="0em">=</mo></math>'
_WIDEST = 30                                    # columns of a head that the first row stands next to


def as_text(line: Line) -> str:
    """Rows of at most 79 columns, if their names allow; marks stand below what is wrong."""
    heads = [columns(row.head) for row in line]
    indent = max([n for n in heads if n <= _WIDEST], default=3)
    if max(heads) > indent:                     # (it stands on a line of its own)
        indent = max(indent, 3)
    found = []
    for row, n in zip(line, heads):
        head = row.head
        if n > indent:
            found.append(head)
            head = ""
        sign = f"  {row.sign}" if row.sign == "since" else row.sign or " "
        found += _wrapped(" " * (indent - columns(head)) + f"{head} {sign} ", row, indent + 3)
    return "\n".join(found)


def _wrapped(start: str, row: Row, indent: int) -> Iterator[str]:
    line, marks, begun = start, "", False
    tokens = [part for token in row.tokens for part in _parts(token, LINE - indent - 2)]
    for token, ahead in zip(tokens, _ahead(tokens, indent)):
        before, part = token.before, token.text
        if begun and columns(line) + ahead > LINE:
            yield line
            if marks:
                yield marks
            line, marks, before = " " * indent, "", before.lstrip()
        sign = before if before == before.strip() else ""                 # (its own minus)
        line += before
        if token.wrong:
            marks += " " * (columns(line) - columns(sign + marks)) + "^" * columns(sign + part)
        line, begun = line + part, True
    yield line
    if marks:
        yield marks


def _ahead(tokens: Sequence[Token], indent: int) -> list[int]:
    """How wide each token is; of one that begins a term that fits into a line, how wide the term is."""
    begins = [k for k, token in enumerate(tokens) if token.before.strip() in ("+", "−", "=")]
    found = [columns(token.before + token.text) for token in tokens]
    for k, end in zip(begins, [*begins[1:], len(tokens)]):
        term = sum(found[k:end])
        if indent + term <= LINE:
            found[k] = term
    return found


def _parts(token: Token, width: int, depth: int = 0) -> list[Token]:
    """A token, or if it is too long for a line what stands between its signs, outside of brackets first."""
    if columns(token.text) <= width or depth > 9:
        return [token]
    ends, level = [0], 0
    for k, c in enumerate(token.text):
        level += (c in "([") - (c in ")]")
        if level == depth and (c == "·" or token.text[k:k + 3] in (" + ", " − ")):
            ends.append(k)
    texts = [token.text[start:end] for start, end in zip(ends, [*ends[1:], None])]
    first, *others = [token._replace(before=" " * text.startswith(" ") if k else token.before,
                                     text=text.lstrip()) for k, text in enumerate(texts)]
    return [part for some in (first, *others) for part in _parts(some, width, depth + 1)]


def as_latex(line: Line) -> str:
    """Rows as an ``aligned`` environment."""
    return "\\begin{aligned}\n" + " \\\\\n".join([
        f"{row.head} &{_sign(row)} {row_latex(row)}".strip() for row in line]) + "\n\\end{aligned}"


def _sign(row: Row) -> str:
    return rf"\quad \mathrm{{{row.sign}}} \;" if row.sign == "since" else row.sign or r"\;\;"


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
    for row in line:
        first, *others = row.tokens
        parts = [_token("", first.before + first.text, first.wrong), *[_token(*x) for x in others]]
        if row.sign == "since":
            parts = [f'<span style="opacity:.75">{row.sign}</span>', *parts]
        yield mathml(row.head) if row.head else "", _EQUALS if row.sign == "=" else "", " ".join(parts)


def _token(before: str, text: str, marked: bool) -> str:
    """What stays together on a line of a page."""
    inner = mathml(text)
    sign = mathml(before) + " " if before.strip() else ""
    return f'<span style="white-space:nowrap">{sign}{wrong(inner) if marked else inner}</span>'


class Written:
    """Lines of formulas, in the forms that people read; `str()` is the text."""

    digits: int

    @abstractmethod
    def lines(self, dialect: Dialect) -> list[Line]:
        """The lines, in a dialect."""

    @property
    @abstractmethod
    def notes(self) -> list[str]:
        """What is to be said below the lines."""

    @property
    def text(self) -> str:
        """The lines in rows of at most 79 columns, if their names allow."""
        notes = [row for note in self.notes for row in wrapped(note, "", 2)]
        lines = map(as_text, self.lines(Dialect(self.digits)))
        return "\n\n".join([*lines, *["\n".join(notes)] * bool(notes)])

    @property
    def latex(self) -> str:
        """The lines in LaTeX's mathematics, an ``aligned`` environment for each."""
        return "\n\n".join(map(as_latex, self.lines(Latex(self.digits))))

    @property
    def markdown(self) -> str:
        """The lines in Markdown, with LaTeX's mathematics between dollars."""
        blocks = [f"$$\n{as_latex(line)}\n$$" for line in self.lines(Latex(self.digits))]
        return "\n\n".join([*blocks, *[f"    {note}" for note in self.notes]])

    @property
    def html(self) -> str:
        """The lines in HTML, with formulas in MathML; it needs no other file."""
        return block(*as_html(self.lines(Latex(self.digits)), self.notes))

    def _repr_html_(self) -> str:
        return self.html

    def _repr_latex_(self) -> str:
        return "\n\n".join([f"$$\n{as_latex(line)}\n$$" for line in self.lines(Latex(self.digits))])

    def __str__(self) -> str:
        return self.text
