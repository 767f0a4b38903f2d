"""What the library raises, and `errstate`, which chooses whether it raises.

Every error derives from `AutogradError` and from the built-in it refines, so
``except ValueError`` written against `math` keeps working.
"""
from __future__ import annotations

import contextlib
import functools
import itertools
import linecache
import os
import sys
import warnings
from collections.abc import Sequence
from contextvars import ContextVar, Token
from types import CodeType
from typing import Any, Literal, NamedTuple

Mode = Literal["raise", "warn", "ignore"]


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
        lines = [f"at {file}:{self.number}"]
        cut = max(0, min(self.start - 8, len(self.text) - 70))     # so that it fits a terminal
        if self.text:
            lines.append("    " + self.text[cut:cut + 70])
        if self.start < self.end:
            lines.append(" " * (4 + self.start - cut) + "^" * min(self.end - self.start, 70))
        return "\n".join(lines)


_PACKAGE = os.path.dirname(__file__) + os.sep


def user_line() -> Line | None:
    """The line outside this package, and outside NumPy, that runs at present."""
    frame = sys._getframe(1)
    while (frame.f_code.co_filename.startswith(_PACKAGE)
           or frame.f_globals.get("__name__", "").partition(".")[0] == "numpy"):
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return _line(frame.f_code, frame.f_lasti, frame.f_lineno)


@functools.lru_cache(maxsize=4096)
def _line(code: CodeType, instruction: int, number: int) -> Line:
    _, last, start, end = next(itertools.islice(code.co_positions(), instruction // 2, None), (None,) * 4)
    whole = linecache.getline(code.co_filename, number).rstrip()
    text = whole.lstrip()
    if last != number or start is None or end is None:
        return Line(code.co_filename, number, text)
    indent = len(whole) - len(text)
    start, end = (len(whole.encode()[:place].decode(errors="ignore")) - indent for place in (start, end))
    return Line(code.co_filename, number, text, start, end)


class AutogradError(Exception):
    """The base of every error this library raises on purpose."""


class NumericError(AutogradError):
    """An operation has no finite real result, or no finite derivative.

    The facts are attributes: `op` (the row's name), `operands` (their values), `nodes` (the
    operands themselves, nodes or plain numbers) and, within `record_lines`, `line`: the
    line of the program that made the node.
    """

    def __init__(self, message: str, op: str = "", operands: Sequence[float] = (),
                 nodes: Sequence[Any] = (), line: Line | None = None):
        super().__init__(f"{message}\n  {line}" if line else message)
        self.op, self.operands, self.nodes, self.line = op, tuple(operands), tuple(nodes), line


class DomainError(NumericError, ValueError):
    """An operand lies outside the domain of an operation or of its derivative."""


class DivisionError(DomainError, ZeroDivisionError):
    """A division by zero, or zero to a negative power."""


class RangeError(NumericError, OverflowError):
    """The result is too large for a double."""


class InputError(AutogradError, TypeError):
    """Something was given that is not a real number (or not a Value)."""


class GradientError(AutogradError, ValueError):
    """A gradient was asked of something that carries none."""


class LabelError(AutogradError, LookupError):
    """A label names no node, or more than one."""


class AuditError(AutogradError, AssertionError):
    """Claims differ from the graph."""


class FormatError(AutogradError, ValueError):
    """A file or a state does not fit what it is loaded into."""


class RenderError(AutogradError, RuntimeError):
    """A picture could not be made."""


class MissingError(AutogradError, ImportError):
    """An optional package is needed that is not installed."""


class AutogradWarning(RuntimeWarning):
    """What `errstate("warn")` emits in place of a `NumericError`."""


_mode: ContextVar[Mode] = ContextVar("errstate", default="raise")


class errstate:
    """Choose what a numeric error does: ``"raise"`` (the default), ``"warn"``, ``"ignore"``.

    Under "warn" and "ignore" the result is the one of IEEE 754 (nan or inf).

    >>> import autograd_lite as ag
    >>> with ag.errstate("ignore"):
    ...     ag.log(0.0)
    -inf
    """

    def __init__(self, mode: Mode):
        if mode not in ("raise", "warn", "ignore"):
            raise InputError(f"errstate({mode!r}): choose 'raise', 'warn' or 'ignore'")
        self.mode = mode
        self._tokens: list[Token[Mode]] = []

    def __enter__(self) -> errstate:
        self._tokens.append(_mode.set(self.mode))
        return self

    def __exit__(self, *exc: object) -> None:
        _mode.reset(self._tokens.pop())


def raising() -> bool:
    """Whether numeric errors are raised at present."""
    return _mode.get() == "raise"


def signal(error: NumericError) -> None:
    """Raise `error`, warn of it or let it pass, as the current `errstate` says."""
    mode = _mode.get()
    if mode == "raise":
        try:
            raise error
        finally:
            del error                   # or it and this frame would keep each other, and the graph
    if mode == "warn":
        line = user_line()
        warnings.warn_explicit(str(error), AutogradWarning, line.file if line else "autograd_lite",
                               line.number if line else 1)
