"""`shared_lock`: a lock that a forked child can take, whatever other threads were doing."""
from __future__ import annotations

import os
import threading


def shared_lock() -> threading.RLock:
    """A reentrant lock. A fork waits until it is free, so the child finds nothing half done.

    (A child has only the thread that forked; a lock that another thread held would never be released.)

    >>> with shared_lock():
    ...     pass
    """
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):         # (not on Windows, which has no fork)
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock
