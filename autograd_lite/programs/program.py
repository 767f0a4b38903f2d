"""`Program`: one path through a function's branches, as a function of floats."""
from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.errors import InputError
from autograd_lite.graph.value import Value
from autograd_lite.programs import arrays
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.namespaces import functions
from autograd_lite.programs.python import function
from autograd_lite.programs.tracing import Traced
from autograd_lite.transforms.trees import leaves, refill

LARGE = 4000                    # of a program with more instructions the first call gives what f itself gives


class Program:
    """One path through a function's branches, as a function of floats."""

    def __init__(self, traced: Traced, point: Sequence[Any]):
        self.recording, self.captured, self.wanted = traced.recording, traced.captured, traced.wanted
        self.point = list(point)
        self.run: Callable[..., Any] = self._first
        self.seconds = 0.0                      # to compile
        # For each guard the programs that agree with this one on all before it, by their answer to it.
        self.groups: list[dict[Any, Program]] = [{guard.answer: self} for guard in self.recording.guards]
        self.verified = False
        self.result, self.shape = traced.result, shape_of(traced.result)
        self.large = len(self.recording.code) > LARGE

    def _first(self, *numbers: Any) -> Any:
        self.source()
        return self.run(*numbers)

    def source(self) -> str:
        """The source, which is written and compiled when the program is first needed."""
        if self.run == self._first:
            start = time.perf_counter()
            self.run, self._text = function(self.recording, "f")
            self.seconds = time.perf_counter() - start
        return self._text

    @functools.cached_property
    def over_arrays(self) -> Callable[..., Any]:
        """The same of NumPy's arrays."""
        import numpy

        return arrays.function(self.recording, functions(numpy), True)[0]

    def join(self, other: Program, k: int) -> None:
        """Take a place among the programs that agree with another one on all guards before the k-th."""
        answers = [guard.answer for guard in self.recording.guards[:k + 1]]
        if len(answers) <= k or answers[:k] != [guard.answer for guard in other.recording.guards[:k]]:
            raise InputError("a compiled function takes other branches in each run at the same numbers: pass "
                             "what it depends on (a clock, a file) as an argument")
        self.groups[:k + 1] = other.groups[:k + 1]
        self.groups[k][answers[k]] = self


class Root:
    """The programs for one state of what the function reads."""

    last: Program

    def __init__(self, environment: Environment):
        self.environment = environment


def shape_of(tree: Any) -> Callable[[Sequence[float]], Any]:
    """The function that puts results in place of the Values of a structure."""
    def text(x: Any) -> str:
        if isinstance(x, Value):
            return f"r[{next(places)}]"
        if type(x) in (list, tuple) and len(x) < 1000:
            inner = ", ".join(map(text, x)) + ("," if len(x) == 1 else "")
            return f"[{inner}]" if type(x) is list else f"({inner})"
        if x is None or type(x) in (bool, int, str) or type(x) is float and x - x == 0.0:
            return repr(x)
        if type(x) is dict and all([type(key) in (str, int, float, bool) for key in x]):
            return f"{{{', '.join([f'{key!r}: {text(entry)}' for key, entry in x.items()])}}}"
        raise ValueError

    places = iter(range(10 ** 9))
    try:
        return eval(f"lambda r: {text(tree)}")  # type: ignore[no-any-return]
    except (ValueError, RecursionError, MemoryError):
        holes = [isinstance(x, Value) for x in leaves(tree, lenient=True)]
        others = leaves(tree, lenient=True)

        def filled(r: Sequence[float]) -> Any:
            supply = iter(r)
            return refill(tree, [next(supply) if hole else x for hole, x in zip(holes, others)])
        return filled
