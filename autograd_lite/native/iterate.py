"""Loops in native code: state = f(state), many times, without the interpreter.

The program's function is inlined into the loop, so that LLVM keeps the state in registers where it fits. (A
big program is a loop over tables, which is called.)
"""
from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from time import perf_counter
from typing import Any, NamedTuple

from autograd_lite.native import replay
from autograd_lite.native.calls import DONE
from autograd_lite.native.choice import is_big
from autograd_lite.native.engine import Library, available
from autograd_lite.native.expressions import number
from autograd_lite.native.language import Untranslatable
from autograd_lite.native.llvm import Unit
from autograd_lite.native.straight import NativeWriter
from autograd_lite.programs.arguments import described
from autograd_lite.programs.recording import Recording

_SHORT, _TIME = 256, 5e-3                       # steps at first without the interpreter; seconds later on
_FEW = 64                                       # the most numbers that are copied one by one


class Layout(NamedTuple):
    """Where a step's numbers stand.

    Attributes:
        before: how many numbers there are before the state's; size: how many the state has; row: how many
            follow it.
        sources: for each number of the next state which result it is (an int), or the float that it is.
    """

    before: int
    size: int
    row: int
    sources: Sequence[int | float]


def sources_of(program: Any) -> tuple[Any, list[int | float]]:
    """The key of a program's results, and for each number in it which of the results it is, or the number."""
    n = len(program.recording.outputs)
    found: tuple[list[float], list[float]] = [], []
    for numbers, shift in zip(found, (0.25, n + 0.75)):     # (of which ints differ, too)
        key = described(program.shape([i + shift for i in range(n)]), numbers)
    return key, [a if a == b else int(a) for a, b in zip(*found)]


class Loop:
    """A recorded program as a loop."""

    native = True

    def __init__(self, recording: Recording, layout: Layout):
        unit, self.layout = Unit(), layout
        self.core = replay.core(recording) if is_big(recording) else None       # (what is called, stays)
        if self.core is None:
            unit.add(NativeWriter(recording).function(), "f")
        unit.texts.append(text_of_loop(recording, layout, self.core))
        self.library = Library(unit, stored=self.core is None)
        self.call = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 3,
                                     *[ctypes.c_void_p] * 2)(self.library["loop"])

    def run(self, numbers: list[float], captured: Sequence[float], rows: Any, n: int, left: int, every: int
            ) -> tuple[int, int, list[float]]:
        """As many of n steps as the program fits; see `programs.iteration.Loop`."""
        before, size, row, _ = self.layout
        inputs, made = array("d", [*numbers, *captured]), ctypes.c_int64()
        at, kept = inputs.buffer_info()[0], list[float]()
        done, status, part = 0, DONE, _SHORT
        while done < n and status == DONE:      # (between two parts an interruption comes through)
            part = min(part, n - done)
            room = array("d", bytes(8)) * (size * -(-part // every)) if every else array("d")
            start = perf_counter()
            status = self.call(at, rows[0].buffer_info()[0] + 8 * row * (rows[1] + done) if rows else None,
                               part, left, every, room.buffer_info()[0], ctypes.addressof(made))
            took = perf_counter() - start
            done += made.value
            if every:
                count = 0 if made.value < left else (made.value - left) // every + 1
                kept += room[:size * count]
                left += every * count - made.value
            part = part * 4 if took < _TIME / 4 else max(1, part // 2) if took > 2 * _TIME else part
        numbers[before:before + size] = inputs[before:before + size]
        return status, done, kept


def loop(recording: Recording, layout: Layout) -> Loop | None:
    """A recorded program as a loop in native code; None if there is none."""
    if not available():
        return None
    try:
        return Loop(recording, layout)
    except (Untranslatable, ImportError):       # (of NumPy)
        return None


def text_of_loop(recording: Recording, layout: Layout, core: int | None = None) -> str:
    """The loop in LLVM: it makes steps until the program does not fit, and returns what that returned.

    A step is a function @f, or the one at the address of a core."""
    before, size, row, sources = layout
    n = len(recording.inputs) + len(recording.captured)

    def copied(source: str, target: str, count: int, source_at: int = 0, target_at: int = 0) -> list[str]:
        """Lines that copy some numbers."""
        if count > _FEW:
            x = f"%{source}.{target}"
            return [f"  {x}.p = getelementptr double, ptr %{source}, i64 {source_at}",
                    f"  {x}.q = getelementptr double, ptr %{target}, i64 {target_at}",
                    f"  call void @llvm.memcpy.p0.p0.i64(ptr {x}.q, ptr {x}.p, i64 {8 * count}, i1 false)"]
        found = []
        for i in range(count):
            x = f"%{source}.{target}.{i}"
            found += [f"  {x}.p = getelementptr double, ptr %{source}, i64 {source_at + i}",
                      f"  {x} = load double, ptr {x}.p",
                      f"  {x}.q = getelementptr double, ptr %{target}, i64 {target_at + i}",
                      f"  store double {x}, ptr {x}.q"]
        return found

    following = []
    for i, source in enumerate(sources):
        x = number(source) if isinstance(source, float) else f"%next.{i}"
        if isinstance(source, int):
            following += [f"  {x}.p = getelementptr double, ptr %out, i64 {source}",
                          f"  {x} = load double, ptr {x}.p"]
        following += [f"  %next.{i}.q = getelementptr double, ptr %in, i64 {before + i}",
                      f"  store double {x}, ptr %next.{i}.q"]
    return "\n".join([
        "define i64 @loop(ptr noalias %inputs, ptr noalias %rows, i64 %n, i64 %first, i64 %every, "
        "ptr noalias %kept, ptr noalias %made) nounwind {",
        "entry:",
        f"  %in = alloca [{max(n, 1)} x double]",
        f"  %out = alloca [{max(len(recording.outputs), 1)} x double]",
        *copied("inputs", "in", n),
        "  br label %top",
        "top:",
        "  %i = phi i64 [ 0, %entry ], [ %after, %again ]",
        "  %left = phi i64 [ %first, %entry ], [ %later, %again ]",
        "  %room = phi ptr [ %kept, %entry ], [ %further, %again ]",
        "  %more = icmp slt i64 %i, %n",
        "  br i1 %more, label %step, label %end",
        "step:",
        f"  %at = mul i64 %i, {row}",
        "  %row = getelementptr double, ptr %rows, i64 %at",
        *copied("row", "in", row, 0, before + size),
        f"  %status = call i64 {f'inttoptr (i64 {core} to ptr)' if core else '@f'}(ptr %in, ptr %out)",
        f"  %fits = icmp eq i64 %status, {DONE}",
        "  br i1 %fits, label %fine, label %end",
        "fine:",
        *following,
        "  %after = add i64 %i, 1",
        "  %less = sub i64 %left, 1",
        "  %due = icmp eq i64 %less, 0",
        "  br i1 %due, label %keep, label %again",
        "keep:",
        *copied("in", "room", size, before),
        f"  %behind = getelementptr double, ptr %room, i64 {size}",
        "  br label %again",
        "again:",
        "  %later = phi i64 [ %less, %fine ], [ %every, %keep ]",
        "  %further = phi ptr [ %room, %fine ], [ %behind, %keep ]",
        "  br label %top",
        "end:",
        f"  %result = phi i64 [ {DONE}, %top ], [ %status, %step ]",
        "  store i64 %i, ptr %made",
        *copied("in", "inputs", size, before, before),
        "  ret i64 %result",
        "}",
        "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)", ""])
