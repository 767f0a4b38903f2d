"""Threads that wait for work: one that runs already begins in a tenth of the time that one takes to start."""
from __future__ import annotations

import _thread
import os
from collections.abc import Callable
from typing import Any

_idle = list["Worker"]()


class Worker:
    """A thread, and the work that it was given last.

    It takes one piece after another, and is kept when it is done. Work that raises an error ends it; the
    error is printed, as `threading` prints those of its threads.
    """

    def __init__(self) -> None:
        self.given = list[tuple[Callable[[], Any], _thread.LockType]]()
        self.begun = _thread.allocate_lock()
        self.begun.acquire()
        _thread.start_new_thread(self._serve, ())

    def _serve(self) -> None:
        while True:
            self.begun.acquire()
            work, ended = self.given.pop()
            try:
                work()
                del work                                # (and what it holds)
                _idle.append(self)
            finally:
                ended.release()


def begin(work: Callable[[], Any]) -> Callable[[], Any]:
    """Have a thread of its own do some work; what is returned waits for it to end.

    Raises:
        RuntimeError: no thread can be started.

    >>> done = []
    >>> wait = begin(lambda: done.append(1))
    >>> _ = wait()
    >>> done
    [1]
    """
    try:
        worker = _idle.pop()
    except IndexError:
        worker = Worker()
    ended = _thread.allocate_lock()
    ended.acquire()
    worker.given.append((work, ended))
    worker.begun.release()
    return ended.acquire


if hasattr(os, "register_at_fork"):                     # (a forked process has none of the threads)
    os.register_at_fork(after_in_child=_idle.clear)
