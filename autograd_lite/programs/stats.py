"""`Stats`: what a compiled function consists of, and what it cost."""
from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograd_lite.errors import errstate
from autograd_lite.extras import install
from autograd_lite.graph.node import read_numbers
from autograd_lite.graph.value import Value
from autograd_lite.locks import computed_once
from autograd_lite.native.engine import available, supported
from autograd_lite.ops.op import Op
from autograd_lite.programs.arguments import key_of
from autograd_lite.programs.eager import pass_on

_REPEATS, _ENOUGH = 5, 0.2                      # at most so many, and so many seconds


@dataclass(frozen=True)
class Stats:
    """What a compiled function consists of, and what it cost.

    Attributes:
        nodes: instructions of the program used last; programs: how many there are; guards: of the last one.
        target: what it runs on.
        tracing, compiling: seconds, of all programs.
    """

    nodes: int
    programs: int
    guards: int
    target: str
    tracing: float
    compiling: float
    ways: Any = field(default=None, compare=False)      # (see `ways_of`)

    @computed_once
    def break_even(self) -> float:
        """After how many calls, at most, compiling has paid: its seconds over those that a call saves. (The
        program used last is measured now, where it was recorded, against its instructions one by one, which
        the function itself does, and more; it is not called.) inf if a call saves nothing; nan for a program
        from a pickle.
        """
        if self.ways is None:
            return math.nan
        try:
            eager, compiled = map(_least, self.ways)
        except Exception:                       # (what it reads has other numbers, say)
            return math.nan
        saved = eager - compiled
        return (self.tracing + self.compiling) / saved if saved > 0.0 else math.inf

    def __reduce__(self) -> Any:
        facts = self.nodes, self.programs, self.guards, self.target, self.tracing, self.compiling
        return Stats, facts, {"break_even": self.break_even}

    def _repr_html_(self) -> str:
        from autograd_lite.markup import block, prose
        return block(prose(repr(self)))

    def __repr__(self) -> str:
        pays = self.break_even
        return (f"{_count(self.nodes, 'instruction')}, {_count(self.programs, 'program')}, "
                f"{_count(self.guards, 'guard')}, target {self.target}\n"
                f"traced in {_time(self.tracing)}, compiled in {_time(self.compiling)}: " +
                (f"pays after {_count(math.ceil(pays), 'call')}" if pays < math.inf else
                 "not faster than the function itself" if pays == math.inf else
                 "when it pays cannot be measured") +
                (f"\n{install('fast')} brings native code, 5 to 100 times as fast"
                 if self.target == "python" and supported() and not available() else ""))


def _least(way: Callable[[], float]) -> float:
    """The least seconds of a few calls."""
    found, start = list[float](), time.perf_counter()
    while len(found) < _REPEATS and time.perf_counter() - start < _ENOUGH:
        found.append(way())
    return min(found)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def ways_of(program: Any) -> tuple[Callable[[], float], Callable[[], float]]:
    """What gives the seconds that the instructions of a program take as operations of Values, and those that
    the program takes, where it was recorded. (f itself is not called: it may do more than compute.)"""
    args, kwargs = program.given
    code = program.recording.code

    def by_operations() -> float:
        done = list[tuple[Any, list[Any]]]()
        for op, places in zip(code.ops, code.operands):
            xs: list[Any] = list(map(code.value, places))
            if isinstance(op, Op):
                done.append((op, [x if code.is_constant(at) or i in op.options else Value(x)
                                  for i, (at, x) in enumerate(zip(places, xs))]))
            elif xs:
                done.append((op.forward, xs))
        start = time.perf_counter()
        for operation, xs in done:
            operation(*xs)
        return time.perf_counter() - start

    def by_program() -> float:
        start = time.perf_counter()
        key_of(args, kwargs)
        out = program.run(*program.point, read_numbers(program.read))
        if program.wanted:
            xs, gradients = program.gradients(out)
            pass_on([Value(0.0) for _ in xs], gradients, True)
        else:
            program.shape(out)
        return time.perf_counter() - start
    return lambda: errstate("ignore").run(by_operations), by_program
