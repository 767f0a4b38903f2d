"""`Paths`: the programs of a function, one for each path through its branches that a call has taken."""
from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.errors import InputError
from autograd_lite.graph import node as nodes
from autograd_lite.graph.node import get_grad, read_numbers
from autograd_lite.graph.value import Value
from autograd_lite.locks import shared_lock
from autograd_lite.programs import arrays
from autograd_lite.programs.arguments import Option, entered, objects_in
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.indices import Indices
from autograd_lite.programs.namespaces import functions
from autograd_lite.programs.pickling import Shelf, fitting, packed
from autograd_lite.programs.python import EAGER, function
from autograd_lite.programs.tracing import Caught, Traced, trace
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import leaves, refill

LARGE = 50                  # of a program with more instructions the first call gives what f itself gives
_lock = shared_lock()               # for what threads change together; no code of users runs while it is held


class Program:
    """One path through a function's branches, as a function of floats."""

    given: Any = None                           # the arguments, where it was traced here

    def __init__(self, traced: Traced, point: Sequence[Any], verified: bool = False):
        self.recording, self.captured, self.wanted = traced.recording, traced.captured, traced.wanted
        self.leaves = not any([x.operands for x in self.wanted])
        self.point = list(point)
        self.seen = [self.recording.code.data[k] for k in self.recording.captured]
        self.run: Callable[..., Any] = self._first
        self.seconds = 0.0                      # to compile
        # For each guard the programs that agree with this one on all before it, by their answer to it.
        self.groups: list[dict[Any, Program]] = [{guard.answer: self} for guard in self.recording.guards]
        self.verified = verified
        self.result, self.shape = traced.result, shape_of(traced.result)
        self.large = len(self.recording.code) > LARGE

    @functools.cached_property
    def over_arrays(self) -> Callable[..., Any]:
        """The same of NumPy's arrays."""
        import numpy

        return arrays.function(self.recording, functions(numpy), True)[0]

    def _first(self, *numbers: Any) -> Any:
        self.source()
        return self.run(*numbers)

    def source(self) -> str:
        """The source, which is written and compiled when the program is first needed."""
        if self.run == self._first:
            start = time.perf_counter()
            run, self._text = function(self.recording, "f")
            self.seconds, self.run = time.perf_counter() - start, run
        return self._text

    def agrees(self, other: Program, k: int) -> bool:
        """Whether it answers all guards before the k-th as another program, and that one otherwise."""
        mine, others = ([guard.answer for guard in program.recording.guards[:k + 1]]
                        for program in (self, other))
        return len(mine) > k and mine[:k] == others[:k] and mine[k] != others[k]


class Root:
    """The programs for one state of what the function reads."""

    last: Program

    def __init__(self, environment: Environment):
        self.environment = environment
        # Its Values, and which of them have no gradients, at that count of changes.
        self.values = dict.fromkeys(environment.values)
        self.turned, self.frozen = nodes.turned, self.are_frozen()

    def are_frozen(self) -> list[bool]:
        """For each of its Values whether it has no gradient."""
        return [g is None for g in map(get_grad, self.values)]

    def holds(self) -> bool:
        """Whether all is in that state."""
        if self.turned != nodes.turned:
            now = nodes.turned
            if self.are_frozen() != self.frozen:
                return False
            self.turned = now
        return self.environment.holds()

    def keep(self, program: Program) -> Program:
        """Give a program its place among those that answer some guards as it does; one that answers all
        alike is returned in its place."""
        self.values = {**self.values, **dict.fromkeys(program.captured)}
        self.frozen = self.are_frozen()
        if not hasattr(self, "last"):
            self.last = program
            return program
        near, k, guards = self.last, 0, program.recording.guards
        while True:
            others = near.recording.guards
            while k < min(len(guards), len(others)) and guards[k].answer == others[k].answer:
                k += 1
            if k == min(len(guards), len(others)):
                return near
            following = near.groups[k].get(guards[k].answer)
            if following is None:
                program.groups[:k + 1] = near.groups[:k + 1]
                program.groups[k][guards[k].answer] = program
                return program
            near = following

    def programs(self) -> list[Program]:
        """All of them, the one used last first."""
        found = {self.last: None}
        rest = [self.last]
        for program in rest:
            for other in [other for group in program.groups for other in list(group.values())]:
                if other not in found:
                    found[other] = None
                    rest.append(other)
        return rest


class Paths:
    """The programs of f, by the keys of its arguments and by what it reads.

    Args:
        f: the function; max_programs: how many there may be; on_limit: "eager" if the others are then
            computed by f itself, "raise" for an error; indices: the arguments that only choose.
    """

    def __init__(self, f: Callable[..., Any], max_programs: int, on_limit: str, indices: Indices | None):
        self.f, self.max_programs, self.on_limit, self.indices = f, max_programs, on_limit, indices
        self.tracing = 0.0                      # seconds
        self.programs: list[Program] = []
        self.latest: Program | None = None      # the one used last
        self.shelves: list[Shelf] = []          # programs that came with a pickle or a copy
        self._roots: dict[Any, list[Root]] = {}
        self.recent: dict[Any, Root] = {}       # of calls

    def run(self, key: Any, numbers: Sequence[Any], args: Any, kwargs: Any, backward: bool) -> Any:
        """A program and what it gives; None where only the eager way will do."""
        roots = self._roots.setdefault(key, [])
        for root in roots:
            if root.holds():
                break
        else:
            first = self._root(key, roots, numbers, args, kwargs, backward)
            if first is None or first.last.large and first.last.given:
                return None, None
            root = first
        program, tried = root.last, set[Program]()
        while True:
            try:
                out = program.run(*numbers, read_numbers(program.captured))
            except (ArithmeticError, ValueError):
                out = EAGER
            if type(out) is not int:
                break
            if out == EAGER:
                return None, None
            tried.add(program)
            following = next((other for other in [*program.groups[out].values()] if other not in tried), None)
            if following is None:
                line = program.recording.guards[out].line
                found = self._new(root, args, kwargs, numbers, backward, f"\n  {line}" if line else "")
                if found is None:
                    return None, None
                following = self._keep(root, found)
                if following in tried or not following.agrees(program, out):
                    raise InputError("a compiled function takes other branches in each run at the same "
                                     "numbers: pass what it depends on (a clock, a file) as an argument")
                if following.large:
                    return None, None
            program = following
        if not program.verified and (program.point != list(numbers)
                                     or program.seen != read_numbers(program.captured)):
            try:
                self._verify(root, program, args, kwargs, backward)
            except Caught:
                return None, None
        root.last = self.latest = program
        if not backward:
            self.recent[key] = root
        return program, out

    def _root(self, key: Any, roots: list[Root], numbers: Sequence[Any], args: Any, kwargs: Any,
              backward: bool) -> Root | None:
        """A root with its first program, or with those that came with a pickle; None if there may be none."""
        changed = roots[-1].environment.changed() if roots else ""
        objects = list(objects_in(key))
        root = Root(Environment(functools.partial(self.f, *objects) if objects else self.f))
        with _lock:
            for kept, captured in fitting(self.shelves, key, root.environment):
                wanted = [captured[i] for i in kept.wanted]
                self._keep(root, Program(Traced(kept.recording, captured, kept.result, wanted),
                                         kept.point, kept.verified))
        program = None if hasattr(root, "last") else self._new(
            root, args, kwargs, numbers, backward, changed)
        with _lock:
            other = next((other for other in roots if other.holds()), None)
            if other or not (program or hasattr(root, "last")):
                return other                    # (that of another thread)
            if program:
                self._keep(root, program)
            roots.append(root)
            return root

    def shelved(self, with_f: bool) -> list[Shelf]:
        """The programs that hold now, to go with f or without it."""
        found = [packed(key, root.environment, root.programs(), with_f)
                 for key, roots in list(self._roots.items()) for root in list(roots) if root.holds()]
        return [shelf for shelf in (*found, *self.shelves) if shelf and (shelf.print is not None) is with_f]

    def emptied(self, f: Any, shelves: list[Shelf]) -> dict[str, Any]:
        """All that this holds, with another f, and these programs alone."""
        options = {name: x.of(f) for name, x in vars(self).items() if isinstance(x, Option)}
        return {**vars(self), **options, "f": f, "__wrapped__": f, "tracing": 0.0, "programs": [],
                "latest": None, "shelves": shelves, "_roots": {}, "recent": {}}

    def _keep(self, root: Root, program: Program) -> Program:
        with _lock:
            kept = root.keep(program)
            if kept is program:
                self.programs.append(program)
                self.latest = program
            return kept

    def _new(self, root: Root, args: Any, kwargs: Any, numbers: Sequence[Any], backward: bool,
             reason: str) -> Program | None:
        """Another program; None if there may be no more, or the function fails at these numbers."""
        if len(self.programs) >= self.max_programs:
            if self.on_limit == "eager":
                return None
            raise InputError(self._limit(reason))
        start = time.perf_counter()
        try:
            traced = trace(self.f, args, kwargs, backward, root.environment, self.indices)
        except (ArithmeticError, ValueError):       # the eager way says what is wrong
            return None
        self.tracing += time.perf_counter() - start
        program = Program(traced, numbers)
        program.given = entered((list(args), kwargs), lambda x: x)
        return program

    def _verify(self, root: Root, program: Program, args: Any, kwargs: Any, backward: bool) -> None:
        """Raise an error if the function computes something else at these numbers."""
        again = trace(self.f, args, kwargs, backward, root.environment, self.indices)
        difference = program.recording.difference(again.recording)
        if not difference and list(map(id, again.captured)) != list(map(id, program.captured)):
            difference = "it reads other Values"
        if difference:
            self._roots.clear()                 # (nothing that was recorded holds)
            self.recent.clear()
            raise InputError(f"{name_of(self.f)} is not what was compiled: {difference}. What it gets from "
                             "elsewhere (a file, a clock, a counter) would be frozen: pass it as an argument")
        program.verified = True

    def _limit(self, reason: str) -> str:
        reason = reason if reason[:1] in ("", "\n") else f" ({reason})"
        return (f"{name_of(self.f)} has {len(self.programs)} programs, one for each way its branches went, "
                "and needs another (max() and sorted() of numbers have one for each order of them): write "
                "where(condition, a, b), maximum or select for the branch, pass what changes as an argument, "
                "take(rows, index) with `indices` for one that chooses, raise max_programs, or choose "
                f"on_limit='eager'{reason}")


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

    places = itertools.count()
    try:
        return eval(f"lambda r: {text(tree)}")  # type: ignore[no-any-return]
    except (ValueError, RecursionError, MemoryError):
        holes = [isinstance(x, Value) for x in leaves(tree, lenient=True)]
        others = leaves(tree, lenient=True)

        def filled(r: Sequence[float]) -> Any:
            supply = iter(r)
            return refill(tree, [next(supply) if hole else x for hole, x in zip(holes, others)])
        return filled
