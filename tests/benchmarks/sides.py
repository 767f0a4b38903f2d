"""What the workloads of `native.py` are made of: sides, rows, and how two sides are compared.

A side is prepared once and run many times. A row is one of ours beside a peer's, with a bar: the least ratio
of the peer's time to ours. Before anything is timed, the two must give the same numbers.
"""
from __future__ import annotations

import ctypes
import gc
import importlib.util
import itertools
import math
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import autograd_lite as ag

LONG = 20.0                                                     # the processor's seconds for a row
TARGET = os.environ.get("NATIVE_BENCHMARK_TARGET")              # for all that is compiled: "python", "native"


class Missing(Exception):
    """Why a side cannot be made here: a package is not installed, there is no compiler."""


class Side(NamedTuple):
    """What is timed, and how the numbers that it gives are read from its result."""

    run: Callable[[], Any]
    read: Callable[[Any], Any] = lambda result: result


class Row(NamedTuple):
    """A line of the table: what is done, and both sides, each made when it is wanted.

    `once` is for what includes its own preparation, such as compiling. `scale` (`their_scale`, where it is
    another) divides the times, such as by a number of nodes. The two may differ by `within`, relative to the
    largest of the peer's numbers. Where `memory` is set, the bytes that a side holds are compared, not its
    times; `first` is done before. Where `cores` is set, all cores may serve, and the times are the clock's.
    """

    name: str
    ours: Callable[[], Side]
    peer: str
    theirs: Callable[[], Side]
    bar: float | None = None
    once: bool = False
    scale: float = 1.0
    their_scale: float | None = None
    within: float = 1e-11
    memory: bool = False
    first: Callable[[], Any] = lambda: None
    cores: bool = False


class Found(NamedTuple):
    """Seconds of a run of each side, the least of several, and with the collector off."""

    ours: float
    theirs: float
    ours_off: float
    theirs_off: float
    differ: float


def numbers(x: Any) -> Iterator[float]:
    """All numbers in a result, in order."""
    if isinstance(x, Mapping):
        x = list(x.values())
    if hasattr(x, "__array__") and getattr(x, "dtype", None) != object:
        import numpy
        yield from numpy.asarray(x, float).ravel().tolist()
    elif isinstance(x, (list, tuple)) or hasattr(x, "__array__"):
        for part in x:
            yield from numbers(part)
    else:
        yield float(x)


def difference(ours: Any, theirs: Any) -> float:
    """The largest difference between two results, over the largest number in the second."""
    mine, other = list(numbers(ours)), list(numbers(theirs))
    if len(mine) != len(other):
        return math.inf
    distance = [abs(a - b) for a, b in zip(mine, other)]
    return math.inf if any(map(math.isnan, distance)) else max(distance) / max([1e-300, *map(abs, other)])


def timed(run: Callable[[], Any], n: int, now: Callable[[], float] = time.process_time) -> float:
    """The processor's seconds for a run, of n; or those of another clock."""
    start = now()
    for _ in itertools.repeat(None, n):
        run()
    return (now() - start) / n


def seconds(run: Callable[[], Any], n: int, collect: bool,
            now: Callable[[], float] = time.process_time) -> float:
    """The same after a collection, with the collector on or off."""
    gc.collect()
    (gc.enable if collect else gc.disable)()
    try:
        return timed(run, n, now)
    finally:
        gc.enable()


def often(run: Callable[[], Any], at_least: float = 0.02) -> int:
    """How many runs take long enough to be timed, once nothing more is prepared."""
    for _ in range(3):
        run()
    n = 1
    while (taken := n * min(timed(run, n), timed(run, n))) < at_least:
        n = max(2 * n, min(100 * n, math.ceil(n * at_least / max(taken, 1e-9))))
    return n


def compare(row: Row, runs: int) -> Found:
    """Both sides, in turn; their numbers are compared before and after they are timed."""
    both, now = (row.ours(), row.theirs()), time.perf_counter if row.cores else time.process_time
    results: list[Any] = []

    def differ() -> float:
        found = difference(*[side.read(result) for side, result in zip(both, results)])
        if not found <= row.within:
            raise AssertionError(f"{row.name}: ours and {row.peer}'s differ by {found:.1e}, of the largest")
        return found

    first = [seconds(lambda: results.append(side.run()), 1, True, now) for side in both]
    before = differ()
    least = 2 * first if row.once else [math.inf] * 4
    counts = [1 if row.once else often(side.run) for side in both]
    spent = sum(first)
    for _ in range(runs):
        if spent > LONG:
            break
        for i, collect in enumerate((True, False)):
            for j, side in enumerate(both):
                taken = seconds(side.run, counts[j], collect, now)
                least[2 * i + j] = min(least[2 * i + j], taken)
                spent += counts[j] * taken
    if not row.once:
        results[:] = [side.run() for side in both]      # (ours goes by native code now)
    a, b, a_off, b_off = [x / scale for x, scale in zip(least, [row.scale, row.their_scale or row.scale] * 2)]
    return Found(a, b, a_off, b_off, max(before, differ()))


def held(make: Callable[[], Side]) -> float:
    """The bytes by which this process grows for a side."""
    def resident() -> int:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    try:
        before = resident()
    except (OSError, AttributeError):
        raise Missing("no /proc") from None
    side = make()
    side.run()
    return resident() - before


def on_one_core() -> None:
    """Hold this process, with every library's threads, to one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def in_c(source: str, *flags: str) -> ctypes.CDLL:
    """A library made from C by the compiler of this machine, with -O3."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise Missing("no C compiler")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "made.so")
        Path(folder, "made.c").write_text(source, encoding="utf-8")
        ran = subprocess.run([compiler, "-O3", "-shared", "-fPIC", "-o", made, made.with_suffix(".c"), *flags,
                              "-lm"], capture_output=True, text=True)
        if ran.returncode:
            raise Missing(f"the C compiler says {ran.stderr.strip().splitlines()[-1]}")
        return ctypes.CDLL(str(made))


def pointer(array: Any) -> Any:
    """The address of an array's doubles, for C."""
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))


def missing(name: str) -> bool:
    """Whether a package is not installed."""
    return importlib.util.find_spec(name) is None


def package(name: str) -> Any:
    """A peer's module; `Missing` where it is not installed."""
    if missing(name.partition(".")[0]):
        raise Missing("not installed")
    return importlib.import_module(name)


def jax_in_doubles() -> Any:
    """JAX, with float64."""
    jax = package("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


def ready(run: Callable[..., Any], *args: Any) -> Side:
    """A function of JAX as a side: it is done when its results are."""
    jax = package("jax")
    return Side(lambda: jax.block_until_ready(run(*args)))


def buffered(f: Any, x: Any, shapes: Any) -> Side:
    """A function of CasADi of one vector, called through its buffers."""
    import numpy
    results = [numpy.zeros(shape) for shape in shapes]
    buffer, run = f.buffer()
    views = [memoryview(array) for array in (x, *results)]
    buffer.set_arg(0, views[0])
    for i, view in enumerate(views[1:]):
        buffer.set_res(i, view)
    kept = buffer, views                                # (it holds their addresses)
    return Side(run, lambda _: kept and results)


def native(f: Callable[..., Any], at_once: bool = True, **options: Any) -> Any:
    """A compiled function of ours, in native code from the start where there is any (or where it pays); or by
    the target that was asked for."""
    target = "native" if at_once and not missing("llvmlite") else None
    return ag.compile(f, target=TARGET or target, **options)


def bound(f: Any, *args: Any) -> Any:
    """A compiled function of ours, bound to arrays; it has been called with other numbers, as it will be."""
    run = f.bind(*args)
    parts = [part for x in args for part in (x.values() if isinstance(x, Mapping) else [x])]
    arrays = [(x, x.copy()) for x in parts if hasattr(x, "dtype")]
    found = []
    for factor in (1.0, 0.99, 0.98, 1.0):
        for x, kept in arrays:
            x[:] = factor * kept
        found.append(list(numbers(run())))
    if found[-1] == found[-2] or found[-1] != found[0]:
        raise AssertionError("a bound function does not read its arrays")
    return run
