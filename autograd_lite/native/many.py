"""A recorded program at many points in native code: over lanes, or bit for bit as at each point alone."""
from __future__ import annotations

import ctypes
import functools
import os
import time
from array import array
from collections.abc import Sequence
from typing import Any

from autograd_lite.native import straight, workers
from autograd_lite.native.calls import DONE
from autograd_lite.native.columns import LanesWriter, Pattern, VectorProgram, places
from autograd_lite.native.engine import Library
from autograd_lite.native.lanes import width
from autograd_lite.native.language import Untranslatable
from autograd_lite.native.llvm import Unit
from autograd_lite.native.vectors import VectorUnit
from autograd_lite.programs.points import Grid, address_of
from autograd_lite.programs.recording import Recording

_CHUNK = 1 << 19                                # instructions of which a thread takes the points at a time
_PAYS = 2_000_000                               # instructions from which several threads are worth it


# -- loops over points --------------------------------------------------------------------------------

_FIELDS = ("core", "columns", "constants", "outs", "sums", "totals", "fates", "scratch", "places",
           "n_columns", "n_outs", "n_sums", "start", "end", "gone")
_TOTALS, _START, _END, _GONE = map(_FIELDS.index, ("totals", "start", "end", "gone"))
_LOADED = "\n".join([f"  %{name}_at = getelementptr i64, ptr %job, i64 {i}\n"
                     f"  %{name} = load {'ptr' if i < 9 else 'i64'}, ptr %{name}_at"
                     for i, name in enumerate(_FIELDS)])


def _loop(name: str, last: str, body: str, first: str = "0", step: str = "1") -> str:
    """A loop of LLVM's: its variable is %name, and it goes on at name.end."""
    return f"""
  br label %{name}.start
{name}.start:
  br label %{name}.top
{name}.top:
  %{name} = phi i64 [ {first}, %{name}.start ], [ %{name}.next, %{name}.more ]
  %{name}.goes = icmp slt i64 %{name}, {last}
  br i1 %{name}.goes, label %{name}.body, label %{name}.end
{name}.body:
{body}
  br label %{name}.more
{name}.more:
  %{name}.next = add i64 %{name}, {step}
  br label %{name}.top
{name}.end:"""


def _over_lanes(n: int) -> str:
    """The loop over vectors: whole ones where they lie, the rest in scratch memory, copied."""
    real = f"<{n} x double>"
    return f"""
declare double @llvm.vector.reduce.fadd.v{n}f64(double, {real})
declare i64 @llvm.smin.i64(i64, i64)

define void @lanes(ptr %job) {{
entry:
{_LOADED}
{_loop("z", "%n_sums", f'''
  %z.at = getelementptr {real}, ptr %sums, i64 %z
  store {real} zeroinitializer, ptr %z.at, align 8''')}
  %points = sub i64 %end, %start
  %rest = srem i64 %points, {n}
  %whole = sub i64 %end, %rest
{_loop("i", "%whole", f'''
  %one = call i64 %core(ptr %columns, ptr %constants, ptr %outs, ptr %sums, ptr %fates, i64 %i, i64 {n})
  %so = load i64, ptr %gone_at
  %far = add i64 %so, %one
  store i64 %far, ptr %gone_at''', "%start", str(n))}
  %some = icmp sgt i64 %rest, 0
  br i1 %some, label %tail, label %totals_
tail:
  %last = sub i64 %rest, 1
  %out.table = getelementptr ptr, ptr %scratch, i64 %n_columns
  %data = getelementptr ptr, ptr %out.table, i64 %n_outs
{_loop("c", "%n_columns", f'''
  %c.off = mul i64 %c, {n}
  %c.to = getelementptr double, ptr %data, i64 %c.off
  %c.entry = getelementptr ptr, ptr %scratch, i64 %c
  store ptr %c.to, ptr %c.entry
  %c.from_at = getelementptr ptr, ptr %columns, i64 %c
  %c.from = load ptr, ptr %c.from_at''' + _loop("cl", str(n), '''
  %cl.lane = call i64 @llvm.smin.i64(i64 %cl, i64 %last)
  %cl.i = add i64 %whole, %cl.lane
  %cl.at = getelementptr double, ptr %c.from, i64 %cl.i
  %cl.x = load double, ptr %cl.at
  %cl.to = getelementptr double, ptr %c.to, i64 %cl
  store double %cl.x, ptr %cl.to'''))}
  %c.all = mul i64 %n_columns, {n}
  %results = getelementptr double, ptr %data, i64 %c.all
{_loop("o", "%n_outs", f'''
  %o.off = mul i64 %o, {n}
  %o.to = getelementptr double, ptr %results, i64 %o.off
  %o.entry = getelementptr ptr, ptr %out.table, i64 %o
  store ptr %o.to, ptr %o.entry''')}
  %o.all = mul i64 %n_outs, {n}
  %kinds = getelementptr double, ptr %results, i64 %o.all
  %odd = call i64 %core(ptr %scratch, ptr %constants, ptr %out.table, ptr %sums, ptr %kinds, i64 0, i64 %rest)
  %sofar = load i64, ptr %gone_at
  %altogether = add i64 %sofar, %odd
  store i64 %altogether, ptr %gone_at
{_loop("l", "%rest", '''
  %l.i = add i64 %whole, %l
  %l.from = getelementptr i32, ptr %kinds, i64 %l
  %l.x = load i32, ptr %l.from
  %l.to = getelementptr i32, ptr %fates, i64 %l.i
  store i32 %l.x, ptr %l.to''')}
{_loop("r", "%n_outs", '''
  %r.from_at = getelementptr ptr, ptr %out.table, i64 %r
  %r.from = load ptr, ptr %r.from_at
  %r.to_at = getelementptr ptr, ptr %outs, i64 %r
  %r.to = load ptr, ptr %r.to_at''' + _loop("rl", "%rest", '''
  %rl.from = getelementptr double, ptr %r.from, i64 %rl
  %rl.x = load double, ptr %rl.from
  %rl.i = add i64 %whole, %rl
  %rl.to = getelementptr double, ptr %r.to, i64 %rl.i
  store double %rl.x, ptr %rl.to'''))}
  br label %totals_
totals_:
{_loop("t", "%n_sums", f'''
  %t.from = getelementptr {real}, ptr %sums, i64 %t
  %t.x = load {real}, ptr %t.from, align 8
  %t.y = call reassoc double @llvm.vector.reduce.fadd.v{n}f64(double -0.0, {real} %t.x)
  %t.to = getelementptr double, ptr %totals, i64 %t
  store double %t.y, ptr %t.to''')}
  ret void
}}
"""


_POINT_BY_POINT = f"""
define void @points(ptr %job) {{
entry:
{_LOADED}
{_loop("i", "%end", '''
''' + _loop("c", "%n_columns", '''
  %c.place_at = getelementptr i64, ptr %places, i64 %c
  %c.place = load i64, ptr %c.place_at
  %c.column_at = getelementptr ptr, ptr %columns, i64 %c
  %c.column = load ptr, ptr %c.column_at
  %c.at = getelementptr double, ptr %c.column, i64 %i
  %c.x = load double, ptr %c.at
  %c.to = getelementptr double, ptr %constants, i64 %c.place
  store double %c.x, ptr %c.to''') + f'''
  %fate = call i64 %core(ptr %constants, ptr %scratch)
  %fate.at = getelementptr i32, ptr %fates, i64 %i
  %fate.word = trunc i64 %fate to i32
  store i32 %fate.word, ptr %fate.at
  %fine = icmp eq i64 %fate, {DONE}
  br i1 %fine, label %keep, label %other
other:
  %so = load i64, ptr %gone_at
  %far = add i64 %so, 1
  store i64 %far, ptr %gone_at
  br label %i.more
keep:
''' + _loop("o", "%n_outs", '''
  %o.from = getelementptr double, ptr %scratch, i64 %o
  %o.x = load double, ptr %o.from
  %o.column_at = getelementptr ptr, ptr %outs, i64 %o
  %o.column = load ptr, ptr %o.column_at
  %o.sums = icmp eq ptr %o.column, null
  br i1 %o.sums, label %add, label %put
add:
  %o.total_at = getelementptr double, ptr %totals, i64 %o
  %o.total = load double, ptr %o.total_at
  %o.y = fadd double %o.total, %o.x
  store double %o.y, ptr %o.total_at
  br label %o.more
put:
  %o.to = getelementptr double, ptr %o.column, i64 %i
  store double %o.x, ptr %o.to'''), "%start")}
  ret void
}}
"""


@functools.cache
def _loops() -> dict[bool, Any]:
    """The loops over points: over lanes (True), and one by one."""
    library = Library(_over_lanes(width()) + _POINT_BY_POINT, vectors=True)
    return {vector: ctypes.CFUNCTYPE(None, ctypes.c_void_p)(library[name])
            for vector, name in ((True, "lanes"), (False, "points"))}


def processors() -> int:
    """How many processors there are for us."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Many:
    """A recording in native code at many points."""

    def __init__(self, recording: Recording):
        self.recording = recording
        self.function = LanesWriter(recording).function()
        self.size = len(recording.code) + 10
        self.cores: dict[Pattern | None, int] = {}
        self.seconds = 0.0                      # to compile
        self.has_lanes = True

    def core(self, pattern: Pattern | None) -> int:
        """The address of its code for a pattern; None for that of floats."""
        found = self.cores.get(pattern)
        if found is None:
            start = time.perf_counter()
            if pattern:
                unit: Unit = VectorUnit()
                unit.add(self.function, "f", public=True,
                         body=functools.partial(VectorProgram, pattern=pattern))
                found = Library(unit, 1, vectors=True)["f"]
            else:
                found = straight.core(self.recording)
            self.cores[pattern] = found
            self.seconds += time.perf_counter() - start
        return found

    def job(self, grid: Grid, summed: tuple[bool, ...], into: Sequence[int], rounding: str) -> Job:
        """What computes some points, again and again.

        Args:
            grid: their numbers.
            summed: of which results only the sum over the points that are fine is wanted.
            into: the addresses of the columns of the others.

        Raises:
            Untranslatable: the program does what native code cannot.
        """
        if rounding != "eager" and self.has_lanes:
            try:
                core = self.core(Pattern(grid.varies, summed, rounding == "free"))
                return Job(core, None, self.size, grid, summed.count(True), into)
            except Untranslatable:
                self.has_lanes = False
        return Job(self.core(None), summed, self.size, grid, summed.count(True), into)


class Job:
    """A program's native code and the points that it is for.

    Args:
        core: the address of the code; summed: for code that is not over lanes, which results are added up.
        size: about how many instructions it has.

    Attributes:
        fates: what became of each point.
    """

    def __init__(self, core: int, summed: Sequence[bool] | None, size: int, grid: Grid, n_sums: int,
                 into: Sequence[int]):
        import numpy as np

        n, lanes, self.grid, self.summed, self.n_sums = grid.n, width(), grid, summed, n_sums
        self.call = _loops()[summed is None]
        spots: Sequence[int] = ()
        if summed is not None:
            given, spots, self.n_sums = iter(into), places(grid.varies), len(summed)
            into = [0 if one else next(given) for one in summed]
        self.chunk = n if summed and n_sums else max(_CHUNK // size // 64 * 64, 64)
        self.starts = range(0, n, self.chunk)
        self.columns, self.into, self.spots = array("q", grid.columns), array("q", into), array("q", spots)
        self.fates, self.totals = np.empty(n, np.int32), np.zeros((len(self.starts), self.n_sums))
        # (A vector of each column, with its address, of the sums and of what becomes of the points.)
        self.room = (len(self.columns) + len(into)) * (lanes + 1) + lanes * (self.n_sums + 1)
        others = min(len(self.starts), processors()) - 1 if n * size > _PAYS else 0
        self.parts = [self.part(core) for _ in range(others + 1)]

    def part(self, core: int) -> Any:
        """The facts for one thread, and what they refer to."""
        import numpy as np

        memory = np.empty(self.room)
        # (Point by point those that vary are put among the others.)
        numbers = self.grid.numbers if self.summed is None else self.grid.numbers[:]
        scratch = address_of(memory)
        sums = scratch + 8 * (self.room - width() * self.n_sums)
        facts = array("q", [core, *[x.buffer_info()[0] for x in (self.columns, numbers, self.into)], sums, 0,
                            address_of(self.fates), scratch, self.spots.buffer_info()[0], len(self.columns),
                            len(self.into), self.n_sums, 0, 0, 0])
        return facts, (memory, numbers)

    def run(self) -> bool:
        """Compute the points; whether all are fine."""
        self.totals.fill(0.0)
        todo = iter(self.starts)

        def work(facts: array[int]) -> None:
            at, totals, step = facts.buffer_info()[0], address_of(self.totals), self.totals.strides[0]
            facts[_GONE] = 0
            for start in todo:
                facts[_TOTALS] = totals + step * (start // self.chunk)
                facts[_START], facts[_END] = start, min(start + self.chunk, self.grid.n)
                self.call(at)

        first, *others = [facts for facts, _ in self.parts]
        if not others:
            work(first)
            return not first[_GONE]
        waits = []
        try:
            for facts in others:
                facts[_GONE] = 0
                try:
                    waits.append(workers.begin(functools.partial(work, facts)))
                except RuntimeError:            # (there are too many: the others do its work)
                    break
            work(first)
        finally:
            for wait in waits:
                wait()
        return not any([facts[_GONE] for facts, _ in self.parts])

    @property
    def numbers(self) -> list[array[float]]:
        """The numbers of a point, as each thread has them."""
        return [numbers for _, (_, numbers) in self.parts]

    @property
    def sums(self) -> Any:
        """The sums, in the order of the results."""
        found = self.totals[0] if len(self.starts) == 1 else self.totals.sum(axis=0)
        return found if self.summed is None else found[list(self.summed)]
