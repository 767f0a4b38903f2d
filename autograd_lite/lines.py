"""Lines of the user's program: which one runs, and how a message shows it."""
from __future__ import annotations

import contextlib
import functools
import itertools
import linecache
import os
import sys
from types import CodeType, FrameType
from typing import NamedTuple


def printable(text: str) -> str:
    """Any text, such as a label, fit for one line of a terminal: what does not print is written as an escape.

    >>> printable("loss"), printable("a\\nb")
    ('loss', 'a\\\\nb')
    """
    return text if text.isprintable() else "".join([c if c.isprintable() else repr(c)[1:-1] for c in text])


class Line(NamedTuple):
    """A line of the user's program, and which part of it (by columns) is meant."""

    file: str
    number: int
    text: str
    start: int = 0
    end: int = 0

    def __str__(self) -> str:
        file = self.file
        with contextlib.suppress(OSError):                         # where the working directory is gone
            file = file.removeprefix(os.getcwd() + os.sep)
        lines = [printable(f"at {file}:{self.number}")]
        text, before, meant = [printable(self.text[:k]) for k in (None, self.start, self.end)]
        cut = max(0, min(len(before) - 8, len(text) - 70))     # so that it fits a terminal
        if text:
            lines.append("    " + text[cut:cut + 70])
        if self.start < self.end:
            lines.append(" " * (4 + len(before) - cut) + "^" * min(len(meant) - len(before), 70))
        return "\n".join(lines)


def user_frame() -> FrameType:
    """Where the user's program runs: outside this package and what it is called through."""
    frame = sys._getframe()
    while frame.f_back and (
            frame.f_code.co_filename.startswith(_OURS)
            or frame.f_globals.get("__name__", "").partition(".")[0] in ("numpy", "functools")):
        frame = frame.f_back
    return frame


# (`__file__` differs where there are no sources.)
PACKAGE = os.path.dirname(user_frame.__code__.co_filename) + os.sep
_OURS = PACKAGE, "<" + PACKAGE                  # (and generated code)


def user_line() -> Line:
    """The running line of the user's program."""
    frame = user_frame()
    return _line(frame.f_code, frame.f_lasti, frame.f_lineno or 0)      # (0: its code tells no lines)


@functools.lru_cache(maxsize=4096)
def _line(code: CodeType, instruction: int, number: int) -> Line:
    _, last, start, end = next(itertools.islice(code.co_positions(), instruction // 2, None), (None,) * 4)
    whole = linecache.getline(code.co_filename, number).rstrip()
    text = whole.lstrip()
    if last != number or end is None:
        return Line(code.co_filename, number, text)
    indent = len(whole) - len(text)
    start, end = (len(whole.encode()[:place].decode(errors="ignore")) - indent for place in (start, end))
    return Line(code.co_filename, number, text, start, end)
