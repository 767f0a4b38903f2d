"""What the library raises, and `errstate`, which chooses whether it raises.

Every error derives from `AutogradError` and from the built-in it refines, so
``except ValueError`` written against `math` keeps working.
"""
from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextvars import ContextVar, Token
from typing import Any, Literal

Mode = Literal["raise", "warn", "ignore"]


class AutogradError(Exception):
    """The base of every error this library raises on purpose."""


class NumericError(AutogradError):
    """An operation has no finite real result, or no finite derivative.

    The facts are attributes: `op` (the row's name), `operands` (their values) and
    `nodes` (the operands themselves, nodes or plain numbers).
    """

    def __init__(self, message: str, op: str = "", operands: Sequence[float] = (),
                 nodes: Sequence[Any] = ()):
        super().__init__(message)
        self.op, self.operands, self.nodes = op, tuple(operands), tuple(nodes)


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
        warnings.warn(str(error), AutogradWarning, stacklevel=2)
