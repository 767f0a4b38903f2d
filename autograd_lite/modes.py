"""`Mode`: a context manager that holds for the thread or task that enters it, until it is left."""
from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ClassVar, Self, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
within: Callable[[Any, Any], Any] = lambda mode, f: f           # (`decorators` puts its own here)


class _Entry:
    """One entry into a mode; its `mode` is None once it is left."""

    def __init__(self, mode: Mode):
        self.mode: Mode | None = mode


Entries = ContextVar[tuple[_Entry, ...]]


class Mode:
    """A mode for the thread or task that enters it; as a decorator, for the function while it runs.

    Leaving it marks the entry itself. So modes can be left in any order, and in another thread or task. A
    ``with`` in a generator goes on for its caller while the generator is paused, until it is resumed or
    closed; a decorator does not: it holds only while the generator runs.
    """

    _entries: ClassVar[Entries]             # of this thread or task, the latest last

    def __enter__(self) -> Self:
        entry = _Entry(self)
        self.__dict__.setdefault("_open", []).append(entry)
        self._entries.set((*[e for e in self._entries.get() if e.mode], entry))
        self._count(1)
        return self

    def __exit__(self, *exc: object) -> None:
        mine: list[_Entry] = self.__dict__.get("_open", [])
        here = [entry for entry in self._entries.get() if entry.mode is self]
        if mine:
            entry = (here or mine)[-1]
            entry.mode = None
            mine.remove(entry)
            self._count(-1)

    def __call__(self, f: F) -> F:
        return within(self, f)  # type: ignore[no-any-return]

    def _count(self, change: int) -> None:
        """A mode of this kind is entered (+1) or left (−1)."""


def current(entries: Entries) -> Any:
    """The latest mode not yet left, or None."""
    return next((entry.mode for entry in reversed(entries.get()) if entry.mode), None)
