"""`Mode`: a context manager that holds for the thread or task that enters it, until it is left."""
from __future__ import annotations

import gc
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any, ClassVar, Self, TypeVar
from weakref import ref

from autograd_lite.locks import shared_lock

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
within: Callable[[Any, Any], Any] = lambda mode, f: f           # (`decorators` puts its own here)
_lock = shared_lock()


class _Entry(ref["Mode"]):
    """One entry into a mode."""

    left = False

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

    A mode that nothing refers to any more is left. So if an interruption (Ctrl-C) comes just as `__exit__`
    begins (what Python cannot close), the mode stays on until the exception is gone and the variable that it
    is in. `run` and a decorator leave none on.
    """

    _entries: ClassVar[Entries]             # of this thread or task, the latest last
    _live: ClassVar[list[_Entry]]           # of all threads, those not left, and some that are

    def __enter__(self) -> Self:
        entry = _Entry(self, self._recount)
        try:
            self._recount(entry)
            self._entries.set((*[e for e in self._entries.get() if e.mode is not None], entry))
            return self
        except BaseException:
            entry.left = True
            self._recount()
            raise

    def __exit__(self, *exc: object, entry: _Entry | None = None) -> None:
        try:
            entry = self._latest()
            entry.left = True
        except BaseException:
            (entry or self._latest()).left = True
            raise
        finally:
            self._recount()

    def __call__(self, f: F) -> F:
        return within(self, f)  # type: ignore[no-any-return]

    def run(self, f: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """What f returns within this mode. It ends with a context of its own: no interruption leaves it on.

        >>> import autograd_lite as ag
        >>> ag.errstate("ignore").run(ag.log, 0.0)
        -inf
        """
        return apart(self._entries, self._within, f, args, kwargs)  # type: ignore[no-any-return]

    def _within(self, f: Callable[..., T], args: Any, kwargs: Any) -> T:
        with self:
            return f(*args, **kwargs)

    def _latest(self) -> _Entry:
        """The latest entry into this mode: here, else in any thread; a new one if there is none."""
        for entries in (self._entries.get(), self._live):
            for entry in reversed(entries):
                if entry.mode is self:
                    return entry
        return _Entry(self)

    @classmethod
    def _recount(cls, *changed: _Entry) -> None:
        """Say whether any thread is in a mode of this kind, after an entry was made, left or has ended."""
        with _lock:
            cls._live[:] = [entry for entry in (*cls._live, *changed) if entry.mode is not None]
            cls._held(bool(cls._live))

    @staticmethod
    def _held(on: bool) -> None:
        """Any thread is in a mode of this kind, or none."""


def apart(own: ContextVar[Any], f: Callable[..., T], *args: Any) -> T:
    """What f returns in a context of its own, which C code ends; what it sets, `own` aside, holds on."""
    context = copy_context()
    try:
        return context.run(f, *args)
    finally:
        for variable, x in context.items():
            if variable is not own and variable.get(None) is not x:
                variable.set(x)


def uncollected(f: Callable[..., T], *args: Any) -> T:
    """What f returns; until then nobody looks for cycles of garbage, of which recording leaves none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return f(*args)
    finally:
        if enabled:
            gc.enable()


def current(entries: Entries) -> Any:
    """The latest mode not yet left, or None."""
    for entry in reversed(entries.get()):
        mode = entry.mode
        if mode is not None:
            return mode
    return None
