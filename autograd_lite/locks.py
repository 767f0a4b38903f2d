"""`shared_lock`, which a forked child can take whatever other threads were doing; `computed_once`."""
from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def shared_lock() -> threading.RLock:
    """A reentrant lock. A fork waits until it is free, so the child finds nothing half done.

    (Else a lock that another thread held would stay locked in the child.)

    >>> with shared_lock():
    ...     pass
    """
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):         # (not on Windows, which has no fork)
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


class computed_once(Generic[T]):
    """A property that keeps its first result. (That of `functools` has a lock before Python 3.12.)"""

    def __init__(self, compute: Callable[[Any], T]):
        self.compute, self.__doc__ = compute, compute.__doc__

    def __get__(self, thing: Any, kind: Any = None) -> T:
        if thing is None:
            return self  # type: ignore[return-value]
        result = thing.__dict__[self.compute.__name__] = self.compute(thing)
        return result
