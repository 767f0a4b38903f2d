"""`Report`: the form that the reports of `audit`, `check_gradients` and `explain` share."""
from __future__ import annotations

import dataclasses
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self
from unicodedata import category, east_asian_width

from autograd_lite.errors import AuditError

LINE, ENDLESS = 79, 10 ** 9                     # columns of a line: of a terminal, of a page


class Findings(tuple[Any, ...]):
    """What a report found: each entry prints as one line.

    Calling it, as reports were before version 0.2, gives the summary and warns.
    """

    summary: Callable[[], str]

    def __new__(cls, found: Iterable[Any], summary: Callable[[], str]) -> Self:
        self = super().__new__(cls, found)
        self.summary = summary
        return self

    def __call__(self) -> str:
        warnings.warn("report.findings() is report.summary() now; report.findings is a tuple of what "
                      "was found", DeprecationWarning, stacklevel=2)
        return self.summary()

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (tuple(self),)


class Entry:
    """What a report holds of which `str()` is a line."""

    def __repr__(self) -> str:
        return f"<{self}>"


class Report:
    """The result of a check.

    `ok` says whether all is well, `findings` is a tuple of what is wrong (each entry prints as one
    line), `summary()` says the same in words, `str()` adds the tables, `as_dict()` is for JSON, and
    `check()` raises unless it is `ok`.
    """

    @property
    def findings(self) -> Findings:
        """What is wrong; each entry prints as one line."""
        return Findings(self._found(), self.summary)

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        return not self._found()

    def check(self) -> None:
        """Raise `AuditError`, with the summary, unless all is well."""
        if not self.ok:
            raise AuditError(self.summary())

    def _found(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def summary(self) -> str:
        """The findings in words."""
        raise NotImplementedError

    def as_dict(self) -> dict[str, Any]:
        """The report in plain data, for JSON."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return str(self)

    def _told(self, width: int) -> str:
        """The summary in lines of so many columns."""
        return self.summary()

    def _pieces(self) -> Iterator[str]:
        """What `str()` says, in HTML."""
        from autograd_lite.markup import named, prose
        head, _, rest = self._told(ENDLESS).partition("\n")
        yield named(head, "") + prose(rest)

    def _repr_html_(self) -> str:
        from autograd_lite.markup import block
        return block(*self._pieces())


# -- words and names in reports --------------------------------------------------------------


def count(n: int, noun: str) -> str:
    """How many of a thing, in words.

    >>> count(1, "claim"), count(2, "claim")
    ('1 claim', '2 claims')
    """
    return f"{n} {noun}" + ("" if n == 1 else "s")


def columns(text: str) -> int:
    """How many columns of a terminal a text takes.

    >>> columns("loss"), columns("两层"), columns("e\u0301")
    (4, 4, 1)
    """
    return len(text) if text.isascii() else sum(
        0 if category(c) in ("Mn", "Me") else 2 if east_asian_width(c) in ("W", "F") else 1 for c in text)


def clip(text: str, width: int) -> str:
    """The text in at most so many columns; more of its end is kept, which tells entries apart.

    >>> clip("weights of the first layer[12]", 16)
    'weigh… layer[12]'
    """
    if columns(text) <= width and len(text) <= 4 * width:
        return text
    head = width // 3
    return _start(text, head) + "…" + _start(text[::-1], width - head - 1)[::-1]


def _start(text: str, width: int) -> str:
    """As much of a text as so many columns hold, without endless accents."""
    ends = [*itertools.accumulate(map(columns, text[:4 * width]))]
    return text[:sum(end <= width for end in ends)]


def filled(text: str, width: int) -> str:
    """The text in just so many columns."""
    text = clip(text, width)
    return text + " " * (width - columns(text))


def wrapped(text: str, head: str, indent: int, width: int = LINE) -> list[str]:
    """A text after a head, broken at spaces into lines of so many columns; further lines are indented."""
    lines, line, start = list[str](), head, head
    for word in filter(None, text.split(" ")):
        word = clip(word, width - max(indent, columns(head)))
        if line != start and columns(line) + columns(word) > width:
            lines.append(line.rstrip(" "))
            line = start = " " * indent
        line += word + " "
    return [*lines, line.rstrip(" ")] if text else []


def plain_data(x: Any) -> Any:
    """Dataclasses, named tuples, arrays and sequences of them in a form for JSON; a nan or infinity as text.

    >>> plain_data((1.0, math.nan, {"bound": -math.inf}))
    [1.0, 'nan', {'bound': '-inf'}]
    """
    if isinstance(x, float):
        return x if math.isfinite(x) else str(x)        # (what float() reads)
    if dataclasses.is_dataclass(x):
        x = {field.name: getattr(x, field.name) for field in dataclasses.fields(x)}
    elif hasattr(x, "_asdict"):
        x = x._asdict()
    elif hasattr(x, "tolist"):
        x = x.tolist()
    if isinstance(x, Mapping):
        return {key: plain_data(part) for key, part in x.items()}
    return [plain_data(part) for part in x] if isinstance(x, (list, tuple)) else x
