"""The errors of the library, and `errstate`, which chooses whether they are raised.

Every error derives from `AutogradError` and from the built-in it refines, so
``except ValueError`` written against `math` keeps working.
"""
from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

from autograd_lite.lines import Line, printable, user_frame
from autograd_lite.modes import Entries, Mode, current


class AutogradError(Exception):
    """The base of every error of this library. Its message prints, whatever the names in it."""

    def __init__(self, *facts: Any):
        super().__init__(*["\n".join(map(printable, x.split("\n"))) if isinstance(x, str) else x
                           for x in facts])


class NumericError(AutogradError):
    """An operation has no finite real result, or no finite derivative.

    Attributes: `op` (its name), `operands` (their values), `nodes` (the operands themselves, nodes or plain
    numbers) and, within `record_lines`, `line` (where the program made the node).
    """

    if TYPE_CHECKING:
        op: str
        operands: tuple[float, ...]
        nodes: tuple[Any, ...]
        line: Line | None

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


class MemberError(AutogradError, AttributeError):
    """There is no such attribute."""


class GradientError(AutogradError, ValueError):
    """A gradient was asked for where there is none."""


class LabelError(AutogradError, LookupError):
    """A label names no node, or more than one."""


class AuditError(AutogradError, AssertionError):
    """A report is not `ok`: claims differ, or a derivative is wrong."""


class FormatError(AutogradError, ValueError):
    """A file or a state does not fit what it is loaded into."""


class RenderError(AutogradError, RuntimeError):
    """A picture could not be made."""


class MissingError(AutogradError, ImportError):
    """An optional package is needed but not installed."""


class AutogradWarning(RuntimeWarning):
    """A warning, such as `errstate("warn")`'s instead of `NumericError`."""


_entered: Entries = ContextVar("errstate", default=())
recording: ContextVar[Any] = ContextVar("recording", default=None)      # (a `Tape`)
unusual = False              # whether any thread is in an errstate; if not, the hot path asks no further


class errstate(Mode):
    """Choose what a numeric error does: ``"raise"`` (the default), ``"warn"``, ``"ignore"``.

    Under "warn" and "ignore" the result is that of IEEE 754 (nan or inf).

    >>> import autograd_lite as ag
    >>> with ag.errstate("ignore"):
    ...     ag.log(0.0)
    -inf
    """

    _entries, _live = _entered, []

    def __init__(self, choice: Literal["raise", "warn", "ignore"]):
        if choice not in ("raise", "warn", "ignore"):
            raise InputError(f"errstate({short(choice)}): choose 'raise', 'warn' or 'ignore'")
        self.choice = choice

    @staticmethod
    def _held(on: bool) -> None:
        global unusual
        unusual = on


def _choice() -> str:
    return getattr(current(_entered), "choice", "raise")


def raising() -> bool:
    """Whether numeric errors are raised at present."""
    return not unusual or _choice() == "raise"


def ignoring() -> bool:
    """Whether they pass unsaid; then 0·inf is nan."""
    return unusual and _choice() == "ignore"


_WAY_ON = "(A fit may catch NumericError and return 1e10; errstate('ignore') or errstate('warn') give nan.)"


def signal(error: NumericError, note: str = "") -> None:
    """Raise `error` (with notes), warn of it or let it pass, as the current `errstate` says."""
    if tape := recording.get():
        tape.raised = True                      # (`errstate` decides now, and not at each call)
    if raising():
        if not hasattr(error, "__notes__"):     # (else it was raised before)
            for text in filter(None, (note, _WAY_ON)):
                error.add_note(text)
        try:
            raise error
        finally:                        # or it and this frame would keep each other, and the graph
            error = None                # type: ignore[assignment]
    if _choice() == "warn":
        warn(str(error))


def warn(text: str) -> None:
    """Warn at the user's line, by default once for each text."""
    frame = user_frame()
    names = frame.f_globals
    warnings.warn_explicit(text, AutogradWarning, frame.f_code.co_filename, frame.f_lineno or 0,
                           names.get("__name__"), names.setdefault("__warningregistry__", {}))


# -- objects in messages -------------------------------------------------------------------


def short(x: Any, longest: int = 40) -> str:
    """How a message shows any object."""
    try:
        text = printable(repr(x).replace("\n", " "))
    except Exception:                           # (an int may have more digits than Python prints)
        text = "too long to print" if isinstance(x, int) else "that cannot be shown"
    return text if len(text) <= longest else text[:longest - 3] + "..."


def type_name(x: Any) -> str:
    """How a message shows an object's type."""
    return printable(type(x).__name__)


def shown(x: Any) -> str:
    """How a message shows any object with its type."""
    return repr(x) if x is None or hasattr(x, "__apply_op__") else f"{type_name(x)} {short(x)}"
