"""`Program`: one path through a function's branches, as a function of floats."""
from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.graph.node import read_numbers
from autograd_lite.graph.value import Value
from autograd_lite.locks import computed_once, shared_lock
from autograd_lite.native import choice
from autograd_lite.programs import arrays
from autograd_lite.programs.namespaces import functions
from autograd_lite.programs.integers import RESULTS, WholeResult
from autograd_lite.programs.layout import Plan
from autograd_lite.programs.python import function
from autograd_lite.programs.recording import Recording
from autograd_lite.programs.results import Form
from autograd_lite.programs.tracing import Traced
from autograd_lite.transforms.trees import leaves, refill

_lock = shared_lock()       # gradients are written once, whichever thread needs them
LARGE = 50                  # of a program with more instructions the first call gives what f itself gives


class Held(NamedTuple):
    """What a program has of captured Values.

    Attributes:
        read: those that are read at each run.
        dense: those that always get gradients; spread: by row those that get some where it was taken.
    """

    read: Sequence[Value]
    dense: Sequence[Value]
    spread: list[dict[int, list[Value]]]


class Path:
    """One path through a function's branches, as it was traced."""

    def __init__(self, traced: Traced):
        self.traced, self.captured, self.rows = traced, traced.captured, traced.rows
        self.guards = traced.recording.guards

    def whole(self) -> Traced:
        """What was traced, with the gradients, which are written when they are first needed."""
        if self.traced.later:
            with _lock:
                self.traced = self.traced.whole()
        return self.traced

    @property
    def recording(self) -> Recording:
        """What it computes."""
        return self.whole().recording

    @property
    def wanted(self) -> Sequence[Value]:
        """The Values that get gradients."""
        return self.whole().wanted

    @computed_once
    def leaves(self) -> bool:
        """Whether these are leaves."""
        return not any([x.operands for x in self.wanted])


class Program(Path):
    """One path through a function's branches, as a function of floats."""

    given: Any = None                           # the arguments, where it was traced here
    root: Any                                   # where it is kept
    way = "python"                              # what it runs in now
    fresh = False                               # whether it is native and was not last before
    sparse = False                              # whether it reads only those rows of tables that it takes
    paid = False                                # whether many points are worth native code
    _spent = 0.0                                # seconds at many points, that native code might have saved

    def __init__(self, traced: Traced, point: Sequence[Any], target: str | None, verified: bool = False):
        super().__init__(traced)
        self.target = target
        self.point = list(point)
        code = traced.recording.code
        self.seen = [code.data[k] for k in traced.recording.captured]
        self.read, self.dense, self.spread = Held((), [], [])
        self.run: Callable[..., Any] = self._first
        self.seconds = 0.0                      # to compile
        # For each guard the programs that agree with this one on all before it, by what they ask then and
        # its answer.
        self.groups: list[dict[Any, Program]] = [{guard.key: self} for guard in self.guards]
        self.verified = verified
        self.result, self.shape = traced.result, shape_of(traced.result)
        self.large = len(code) > LARGE
        self.loops: dict[str, Any] = {}         # it as a loop, by target
        self.steps = 0                          # asked of these

    @functools.cached_property
    def over_arrays(self) -> tuple[Callable[..., Any], Held]:
        """The same of NumPy's arrays, and what it reads and gives."""
        import numpy

        run, _, plan = arrays.function(self.recording, self.captured, functions(numpy), True)
        return run, self.held(plan)

    def held(self, plan: Plan) -> Held:
        """What a program reads and gives of captured Values."""
        read = [self.captured[i] for i in plan.read]
        if not self.wanted:                     # (the first result is no gradient)
            return Held(read, [], [])
        return Held(read, [self.wanted[i - 1] for i in plan.shown[1:]],
                    [{row: [self.wanted[i - 1] for i in places] for row, places in entries.items()}
                     for entries in plan.spread.values()])

    @computed_once
    def form(self) -> Form:
        """Its result."""
        return Form(self.result)

    @computed_once
    def many(self) -> Any:
        """The same at many points in native code; None if there is none."""
        return choice.many(self.recording)

    @property
    def last_way(self) -> str:
        """What it has run in, at one point or at many."""
        many = vars(self).get("many")
        return "native" if many and many.cores else self.way

    @property
    def compiling(self) -> float:
        """How many seconds it took to compile it."""
        return self.seconds + getattr(vars(self).get("many"), "seconds", 0.0)

    def over_points(self, n: int, in_turn: bool) -> bool:
        """Whether so many points are computed in native code: where that pays, after some of these."""
        self.settle()
        if self.sparse and self.target != "native":
            return False
        if self.many is None or self.target == "native" or self.paid:
            return self.many is not None
        self._spent += choice.spent(self.recording, n, in_turn)
        self.paid = self._spent > choice.cost(self.recording)
        return self.paid

    def _first(self, *numbers: Any) -> Any:
        """The first run."""
        self.settle()
        return self.run(*numbers[:-1], read_numbers(self.read))

    def settle(self) -> None:
        """Settle how it runs."""
        at_once = self.target == "native" or not (self.target or self.rows) and choice.is_big(self.recording)
        if self.run != self._first or at_once and self.compiled():
            return
        run, _, plan = self.python
        self.sparse = bool(plan.tables or plan.spread)
        self.read, self.dense, self.spread = self.held(plan)
        self._left = choice.patience(self.recording)
        self.run = run if self.target or self.sparse or not choice.possible() else self._counted

    def _counted(self, *numbers: Any) -> Any:
        """A run in Python; after many of them it runs in native code."""
        self._left -= 1
        if self._left <= 0 and not self.compiled():
            self.run = self.python[0]
        return self.python[0](*numbers)

    def compiled(self) -> bool:
        """Let it run in native code; whether it does."""
        if self.way == "python" and not self.sparse and self.core:
            self.read, self.dense = self.captured, self.wanted
            self.run, self.way = choice.function(self.recording, self.core), "native"
            self.fresh = True
        return self.way == "native"

    @functools.cached_property
    def core(self) -> int:
        """The address of its native code; 0 if there is none."""
        start = time.perf_counter()
        found = choice.core(self.recording)
        self.seconds += time.perf_counter() - start
        return found

    @functools.cached_property
    def python(self) -> tuple[Callable[..., Any], str, Plan]:
        """It as a function of Python, the source of that, and what it needs."""
        start = time.perf_counter()
        found = function(self.recording, self.captured)
        self.seconds += time.perf_counter() - start
        return found

    def gradients(self, out: Sequence[Any]) -> tuple[list[Value], list[float]]:
        """The Values that get gradients from what the program gave, and these."""
        n = 1 + len(self.dense)
        xs, gradients = [*self.dense], [*out[1:n]]
        for entries, added in zip(self.spread, out[n:]):
            for row, g in added.items():
                for x in entries.get(row, ()):
                    xs.append(x)
                    gradients.append(g)
        return xs, gradients

    def agrees(self, other: Program, k: int) -> bool:
        """Whether it answers all guards before the k-th as another program, and that one otherwise; or asks
        something else, on the way to it."""
        for i, (mine, others) in enumerate(zip(self.guards, other.guards[:k + 1])):
            if mine.key != others.key:
                return i == k or mine.question != others.question
        return False


def shape_of(tree: Any) -> Callable[[Sequence[float]], Any]:
    """The function that puts results in place of the Values of a structure."""
    def text(x: Any) -> str:
        if isinstance(x, RESULTS):
            return f"{'int' if type(x) is WholeResult else ''}(r[{next(places)}])"
        kinds = set(map(type, x.flat)) if type(x).__name__ == "ndarray" else set()
        if kinds == {float} or kinds & {*RESULTS} and kinds <= {*RESULTS, float, int}:
            at = [i for i, entry in enumerate(x.flat) if isinstance(entry, RESULTS)]
            first, *_ = [next(places) for _ in at] or [0]
            entries, whole = f"r[{first}:{first + len(at)}]", kinds <= {WholeResult, int}
            if whole:                           # (else they are among floats)
                entries = f"[*map(int, {entries})]"
            if len(at) == x.size:
                return f"array({entries}).reshape({x.shape})"
            zero = 0 if whole else 0.0
            around = _array([zero if isinstance(entry, RESULTS) else entry for entry in x.flat])
            name = f"around_{len(names)}"
            names[name] = functools.partial(_put, around, at)
            return f"{name}({entries}).reshape({x.shape})"
        if type(x) in (list, tuple) and len(x) < 1000:
            inner = ", ".join(map(text, x)) + ("," if len(x) == 1 else "")
            return f"[{inner}]" if type(x) is list else f"({inner})"
        if x is None or type(x) in (bool, int, str) or type(x) is float and x - x == 0.0:
            return repr(x)
        if type(x) is dict and all([type(key) in (str, int, bool) or type(key) is float and key - key == 0.0
                                    for key in x]):
            return f"{{{', '.join([f'{key!r}: {text(entry)}' for key, entry in x.items()])}}}"
        raise ValueError

    places, names = itertools.count(), {"array": _array}
    try:
        return eval(f"lambda r: {text(tree)}", names)  # type: ignore[no-any-return]
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        entries = leaves(tree, lenient=True)

        def filled(r: Sequence[float]) -> Any:
            supply = iter(r)
            return refill(tree, [int(next(supply)) if type(x) is WholeResult else next(supply)
                                 if isinstance(x, Value) else x for x in entries])
        return filled


def _array(xs: Sequence[float]) -> Any:
    import numpy

    return numpy.array(xs)


def _put(around: Any, at: Any, entries: Sequence[float]) -> Any:
    array = around.copy()
    array[at] = entries
    return array
