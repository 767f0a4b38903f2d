"""`Mode`: a context manager that holds for the thread or task that enters it, until it is left."""
from __future__ import annotations

from contextvars import ContextVar
from typing import Any, ClassVar, Self


class _Entry:
    """One entry into a mode; its `mode` is None once it is left."""

    def __init__(self, mode: Mode):
        self.mode: Mode | None = mode


Entries = ContextVar[tuple[_Entry, ...]]


class Mode:
    """A mode for the thread or task that enters it.

    Leaving it marks the entry itself. So modes can be left in any order, and in another thread or task.
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

    def _count(self, change: int) -> None:
        """A mode of this kind is entered (+1) or left (−1)."""


def current(entries: Entries) -> Any:
    """The latest mode not yet left, or None."""
    return next((entry.mode for entry in reversed(entries.get()) if entry.mode), None)
