"""The modes of recording: `no_grad`, and `record_lines`."""
from __future__ import annotations

from typing import Never

from autograd_lite.errors import InputError, type_name
from autograd_lite.graph import value
from autograd_lite.modes import Mode


class Special(Mode):
    """A mode of recording: while any thread is in one, the hot path asks for it."""

    _live = []

    def __init__(self, *given: Never):
        if given:
            raise InputError(f"{type_name(self)} takes no argument; above a function write "
                             f"@{type_name(self)}()")

    @staticmethod
    def _held(on: bool) -> None:
        value.set_special(on)


class no_grad(Special):
    """Within it, operations on Values record nothing and give constants; ``@no_grad()`` is for a function.

    (For a generator too: while it runs. A ``with`` in one also holds for its caller while it is paused.)

    >>> from autograd_lite import Value
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad, y.operands
    (False, ())
    """

    _entries = value.not_recording


class record_lines(Special):
    """Within it, every new node notes the line that made it, for `explain` and for errors.

    >>> from autograd_lite import Value
    >>> with record_lines():
    ...     y = Value(2.0) * 3.0
    >>> y.line.text
    'y = Value(2.0) * 3.0'
    """

    _entries = value.recording_lines
