"""What the settings of a process and of some objects of Python's own are, where only their functions tell."""
from __future__ import annotations

import os
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType
from typing import Any

_NAMED = {FunctionType, BuiltinFunctionType, type}
Reader = Callable[[Any], tuple[Any, ...]]           # of plain things, to be compared


def reader_of(thing: Any) -> Reader | None:
    """What reads the settings that a function, class or object uses, if there is one."""
    cls: Any = type(thing)
    named = thing if cls in _NAMED else cls
    return _READERS.get(f"{named.__module__}.{named.__qualname__}")


def is_unseen(cls: Any) -> bool:
    """Whether what objects of a class hold cannot be seen."""
    return f"{cls.__module__}.{cls.__qualname__}" in _UNSEEN


_UNSEEN = {"_queue.SimpleQueue", "xml.etree.ElementTree.Element", "sqlite3.Connection", "sqlite3.Cursor",
           "mmap.mmap", "_csv.reader"}


def _asked(f: Any) -> tuple[Any, ...]:
    return repr(f()),


def _content(stream: Any) -> tuple[Any, ...]:
    """What a stream in memory holds; a class holds nothing, and neither does a closed one."""
    return () if isinstance(stream, type) or stream.closed else (stream.getvalue(), stream.tell())


def _decimal(thing: Any) -> tuple[Any, ...]:
    import decimal

    c = thing if isinstance(thing, decimal.Context) else decimal.getcontext()
    return (c.prec, c.rounding, c.Emin, c.Emax, c.capitals, c.clamp,
            *[signal.__name__ for signal, on in c.traps.items() if on])


_READERS: dict[str, Reader] = {
    **dict.fromkeys(("sys.getrecursionlimit", "sys.getswitchinterval", "sys.get_int_max_str_digits",
                     f"{os.getcwd.__module__}.getcwd", "numpy.geterr",
                     "numpy.get_printoptions"), _asked),
    **dict.fromkeys(("decimal.getcontext", "decimal.localcontext", "decimal.Decimal", "decimal.Context"),
                    _decimal),
    **dict.fromkeys(("_io.StringIO", "_io.BytesIO"), _content)}
