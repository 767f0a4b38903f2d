"""Which way a recorded program runs: by the Python target, or in native code."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.errors import InputError, MissingError
from autograd_lite.extras import missing
from autograd_lite.native import replay, straight
from autograd_lite.native.calls import caller, in_buffers
from autograd_lite.native.engine import available, has_sources, supported
from autograd_lite.native.language import Untranslatable
from autograd_lite.native.many import Many
from autograd_lite.programs.recording import Recording

LONG = 3000                                     # the most instructions of straight-line code
_MANY = 20_000                                  # the most numbers that are put on a thread's stack
_RESULTS = 200                                  # the most results that become floats at once
# Seconds to compile native code, and for each instruction; and for an instruction in Python.
_COMPILE, _EACH, _PYTHON = 25e-3, 1e-4, 4e-8
_NUMPY = 1.5e-6                                 # and for one of NumPy's, at up to 1000 points


def possible() -> bool:
    """Whether there is native code here."""
    return available()


def require() -> None:
    """Raise an error if there is no native code here."""
    if not supported():
        where = "without the library's sources" if not has_sources() else "for Windows"
        raise InputError(f"target='native' is not {where}; leave target= out: NumPy or Python computes it")
    if not available():
        raise MissingError(missing("llvmlite", "target='native' needs"))


def many(recording: Recording) -> Many | None:
    """A recording at many points in native code; None if there is none."""
    return Many(recording) if available() and len(recording.code) <= LONG else None


def cost(recording: Recording) -> float:
    """About how many seconds it takes to compile a recording."""
    return _COMPILE + _EACH * len(recording.code)


def spent(recording: Recording, n: int, in_turn: bool) -> float:
    """About how many seconds n points take without native code."""
    return len(recording.code) * (n * _PYTHON if in_turn else _NUMPY * (1 + n // 1000))


def core(recording: Recording) -> int:
    """The address of native code of a recording; 0 if there is none.

    It is a function of two arrays: of its inputs and the captured numbers, and of its results."""
    if not available():
        return 0
    try:
        return replay.core(recording) if is_big(recording) else straight.core(recording)
    except (Untranslatable, ImportError):       # (of NumPy)
        return 0


def is_big(recording: Recording) -> bool:
    """Whether its native code, which is then a loop over tables, takes less time to make than Python's."""
    return len(recording.code) > LONG


def function(recording: Recording, core: int) -> Callable[..., Any]:
    """The function at that address, as `programs.python.function` gives one in Python."""
    inputs, results = len(recording.inputs) + len(recording.captured), len(recording.outputs)
    if results > _RESULTS or inputs + results > _MANY:
        return in_buffers(core, results)
    return caller(core, len(recording.inputs), len(recording.captured),  # type: ignore[no-any-return]
                  results)


def patience(recording: Recording) -> int:
    """After how many calls in Python native code has cost no more than they did."""
    n = len(recording.code)
    return int(cost(recording) / (_PYTHON * (n + 5)))
