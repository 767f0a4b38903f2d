"""`Mode`: a context manager that holds for the thread or task that enters it, until it is left."""
from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ClassVar, Self, TypeVar
from weakref import ref

from autograd_lite.locks import shared_lock

F = TypeVar("F", bound=Callable[..., Any])
within: Callable[[Any, Any], Any] = lambda mode, f: f           # (`decorators` puts its own here)
_lock = shared_lock()


class _Entry(ref["Mode"]):
    """One entry into a mode."""

    __slots__ = ("left",)
    left: bool

    @property
    def mode(self) -> Mode | None:
        """The mode; None once it is left."""
        return None if self.left else self()


Entries = ContextVar[tuple[_Entry, ...]]


class Mode:
    """A mode for the thread or task that enters it; as a decorator, for the function while it runs.

    Leaving it marks the entry itself. So modes can be left in any order, and in another thread or task. A
    ``with`` in a generator goes on for its caller while the generator is paused, until it is resumed or
    closed; a decorator does not: it holds only while the generator runs.

    A mode that nothing refers to any more is left. So an interruption (Ctrl-C) while a `with` statement
    enters or leaves leaves no mode on that it alone refers to. What Python cannot close: if it comes just as
    `__exit__` begins, a mode in a variable stays on until that is gone, and any mode until the exception is
    gone (an interactive Python keeps the last).
    """

    _entries: ClassVar[Entries]             # of this thread or task, the latest last
    _live: ClassVar[list[_Entry]]           # of all threads, those not left, and some that are

    def __enter__(self) -> Self:
        entry = _Entry(self, self._recount)
        entry.left = False
        try:
            self._recount(entry)
            self._entries.set((*[e for e in self._entries.get() if e.mode is not None], entry))
        except BaseException:
            entry.left = True
            self._recount()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        entry = None
        try:
            entry = self._latest()
        finally:
            entry = entry or self._latest()                 # (once more, if interrupted)
            if entry:
                entry.left = True
            self._recount()

    def __call__(self, f: F) -> F:
        return within(self, f)  # type: ignore[no-any-return]

    def _latest(self) -> _Entry | None:
        """The latest entry into this mode: here, else in any thread."""
        for entries in (self._entries.get(), self._live):
            for entry in reversed(entries):
                if entry.mode is self:
                    return entry
        return None

    @classmethod
    def _recount(cls, *changed: _Entry) -> None:
        """Say whether any thread is in a mode of this kind, after an entry was made, left or has ended."""
        with _lock:
            cls._live[:] = [entry for entry in (*cls._live, *changed) if entry.mode is not None]
            cls._held(bool(cls._live))

    @staticmethod
    def _held(on: bool) -> None:
        """Any thread is in a mode of this kind, or none."""


def current(entries: Entries) -> Any:
    """The latest mode not yet left, or None."""
    for entry in reversed(entries.get()):
        mode = entry.mode
        if mode is not None:
            return mode
    return None
