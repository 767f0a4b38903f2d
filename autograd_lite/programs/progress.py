"""`progress`: a line on the terminal while something takes longer than a second."""
from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator, Sequence, Sized

AFTER, EVERY = 1.0, 0.2         # seconds
_shown = threading.Lock()       # held by the one line there is


@contextlib.contextmanager
def progress(what: str, *operations: Sized) -> Iterator[None]:
    """Show how many operations were recorded so far, in lists of them, if standard error is a terminal.

    The line is written by a thread of its own, so that what runs here need not look at the clock.
    """
    try:
        terminal = sys.stderr.isatty()
    except (AttributeError, ValueError):        # (there is none, or it is closed)
        terminal = False
    if not terminal:
        yield
        return
    done = threading.Event()
    writer = threading.Thread(target=_write, args=(what, operations, done), daemon=True)
    try:
        with contextlib.suppress(RuntimeError):         # (no thread can be started, as at the end of Python)
            writer.start()
        yield
    finally:
        done.set()
        if writer.ident is not None:
            writer.join()


def _write(what: str, operations: Sequence[Sized], done: threading.Event) -> None:
    start, before, out = time.perf_counter(), "", sys.stderr
    if done.wait(AFTER) or not _shown.acquire(blocking=False):
        return
    with contextlib.suppress(OSError, ValueError):      # (the terminal has gone)
        try:
            while True:
                seconds = time.perf_counter() - start
                text = f"compiling {what[:30]}: {sum(map(len, operations)):,} operations, {seconds:.0f} s"
                out.write("\r" + text.ljust(len(before)))
                out.flush()
                before = text
                if done.wait(EVERY):
                    break
        finally:
            _shown.release()
            out.write("\r" + " " * len(before) + "\r")
            out.flush()
