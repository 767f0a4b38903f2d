"""`Paths`: the programs of a function, one for each path through its branches that a call has taken."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.errors import AutogradError, InputError
from autograd_lite.graph import node as nodes
from autograd_lite.graph.node import get_grad, read_numbers
from autograd_lite.graph.value import Value
from autograd_lite.locks import shared_lock
from autograd_lite.native.holding import Holding
from autograd_lite.programs.arguments import entered, objects_in
from autograd_lite.programs.eager import eager
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.indices import Indices
from autograd_lite.programs.pickling import Shelf, fitting
from autograd_lite.programs.python import EAGER
from autograd_lite.programs.program import Program
from autograd_lite.programs.things import Called
from autograd_lite.programs.tracing import Caught, Traced, trace
from autograd_lite.transforms.trace import name_of

_lock = shared_lock()               # for what threads change together; no code of users runs while it is held


class Root:
    """The programs for one state of what the function reads."""

    last: Program
    _holding: Holding | None = None

    def __init__(self, environment: Environment):
        self.environment = environment
        # Its Values, and which of them have no gradients, at that count of changes.
        self.values = dict.fromkeys(environment.values)
        self.turned, self.frozen = nodes.turned, self.are_frozen()
        self.rows: dict[int, list[Value]] = {}  # from which the programs take
        self.fresh: list[Program] = []          # those of which this was not asked yet

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
        holds = self.environment.holds()
        if self._holding:
            self._holding.refresh()
        return holds

    @property
    def holding(self) -> Holding:
        """The same, asked natively."""
        if self._holding is None:
            self._holding = Holding(self)
        return self._holding

    def keep(self, program: Program) -> Program:
        """Give a program its place among those that answer some guards as it does; one that answers all
        alike is returned in its place."""
        self.values = {**self.values, **dict.fromkeys(program.captured)}
        self.frozen = self.are_frozen()
        self.fresh.append(program)
        program.root = self
        if not hasattr(self, "last"):
            self.last = program
            return program
        near, k, guards = self.last, 0, program.guards
        while True:
            others = near.guards
            while k < min(len(guards), len(others)) and guards[k].key == others[k].key:
                k += 1
            if k == min(len(guards), len(others)):
                return near
            following = near.groups[k].get(guards[k].key)
            if following is None:
                program.groups[:k + 1] = near.groups[:k + 1]
                program.groups[k][guards[k].key] = program
                return program
            near = following

    def loosen(self) -> None:
        """Look less closely at tables of which the programs read nothing but rows that they take."""
        fresh, self.fresh = self.fresh, []
        self.rows.update({id(row): row for program in fresh for row in program.rows})
        if self.rows:
            for program in self.programs():
                program.settle()
            read = {id(x) for program in self.programs() for x in program.read}
            self.environment.loosen([row for row in self.rows.values() if read.isdisjoint(map(id, row))])

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
        target: "python", "native", or None for native code where it pays.
    """

    def __init__(self, f: Callable[..., Any], max_programs: int, on_limit: str, indices: Indices | None,
                 target: str | None = None):
        self.target = target
        self.f, self.max_programs, self.on_limit, self.indices = f, max_programs, on_limit, indices
        self.tracing = 0.0                      # seconds
        self.programs: list[Program] = []
        self.latest: Program | None = None      # the one used last
        self.shelves: list[Shelf] = []          # programs that came with a pickle or a copy
        self._roots: dict[Any, list[Root]] = {}
        self.recent: dict[Any, Root] = {}       # of calls
        self.met: dict[Any, Any] = {}           # of calls that f itself answered: how many, and the last

    def run(self, key: Any, numbers: Sequence[Any], args: Any, kwargs: Any, backward: bool) -> Any:
        """A program and what it gives, or None where only the eager way will do; a program and None where it
        was recorded just now, and f itself is quicker."""
        roots = self._roots.setdefault(key, [])
        for root in roots:
            if root.holds():
                break
        else:
            first = self._root(key, roots, numbers, args, kwargs, backward)
            if first is None or first.last.large and first.last.given:
                return first and first.last, None
            root = first
        program = root.last
        tried: dict[Program, Sequence[float]] = {}      # what each has read
        while True:
            if not program.verified:
                program.settle()
            read = read_numbers(program.read)
            try:
                out = program.run(*numbers, read)
            except (ArithmeticError, ValueError):
                out = EAGER
            if type(out) is not int:
                break
            if out == EAGER:
                if self._stale(key, root):
                    return self.run(key, numbers, args, kwargs, backward)
                return None, None
            tried[program] = read
            following = next((other for other in [*program.groups[out].values()] if other not in tried), None)
            if following is None:
                if self._stale(key, root):
                    return self.run(key, numbers, args, kwargs, backward)
                line = program.guards[out].line
                found = self._new(root, args, kwargs, numbers, backward, f"\n  {line}" if line else "")
                if found is None:
                    return None, None
                following = self.keep(root, found)
                if following in tried or not following.agrees(program, out):
                    if any([_moved(other.read, then, found) for other, then in tried.items()]):
                        return self.run(key, numbers, args, kwargs, backward)
                    raise InputError("a compiled function takes other branches in each run at the same "
                                     "numbers: pass what it depends on (a clock, a file) as an argument")
                if following.large:
                    return following, None
            program = following
        if not program.verified and (program.point != list(numbers)
                                     or program.seen != read_numbers(program.captured)):
            if self._stale(key, root):
                return self.run(key, numbers, args, kwargs, backward)
            try:
                self._verify(root, program, read, args, kwargs, backward)
            except Caught:
                return None, None
        if root.last is not program:
            program.fresh = program.way == "native"
        root.last = self.latest = program
        if root.fresh:
            root.loosen()
        self.recent[key] = root
        return program, out

    def _stale(self, key: Any, root: Root) -> bool:
        """Whether a table that is looked at loosely holds other Values, equal ones; then the root is gone."""
        if not root.rows or root.environment.holds_exactly():
            return False
        self._roots[key] = [other for other in self._roots[key] if other is not root]
        self.recent.pop(key, None)
        return True

    def _root(self, key: Any, roots: list[Root], numbers: Sequence[Any], args: Any, kwargs: Any,
              backward: bool) -> Root | None:
        """A root with its first program, or with those that came with a pickle; None if there may be none."""
        changed = roots[-1].environment.changed() if roots else ""
        root = carried(self, key)
        program = None if hasattr(root, "last") else self._new(
            root, args, kwargs, numbers, backward, changed)
        with _lock:
            other = next((other for other in roots if other.holds()), None)
            if other or not (program or hasattr(root, "last")):
                return other                    # (that of another thread)
            if program:
                self.keep(root, program)
            roots.append(root)
            return root

    def keep(self, root: Root, program: Program) -> Program:
        """Give a program its place; see `Root.keep`."""
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
            raise limit_error(name_of(self.f), len(self.programs), reason)
        start = time.perf_counter()
        try:
            traced = trace(self.f, args, kwargs, backward, root.environment, self.indices)
        except (ArithmeticError, ValueError):       # the eager way says what is wrong
            return None
        except Exception as error:
            if not isinstance(error, AutogradError):            # (of f itself)
                eager(self.f, args, kwargs)
            raise
        self.tracing += time.perf_counter() - start
        program = Program(traced, numbers, self.target)
        program.given = entered((list(args), kwargs), lambda x: x)
        return program

    def _verify(self, root: Root, program: Program, read: Sequence[float], args: Any, kwargs: Any,
                backward: bool) -> None:
        """Raise an error if the function computes something else at these numbers, `read` among them."""
        again = trace(self.f, args, kwargs, backward, root.environment, self.indices)
        difference = _difference(program, again)
        if not difference:
            program.verified = True
        elif not _moved(program.read, read, again):     # (else a later call will tell)
            self._roots.clear()                 # (nothing that was recorded holds)
            self.recent.clear()
            raise InputError(f"{name_of(self.f)} is not what was compiled: {difference}. What it gets from "
                             "elsewhere (a file, a clock, a counter) would be frozen: pass it as an argument")


def _difference(program: Program, again: Traced) -> str:
    """What another run of the function did otherwise; "" if nothing."""
    recording = again.recording
    if again.later:                             # (gradients follow from the nodes)
        nodes = again.later.nodes()
        recording = recording._replace(nodes=nodes) if nodes == program.recording.nodes else (
            again.whole().recording)
    difference = program.recording.difference(recording)
    if not difference and list(map(id, again.captured)) != list(map(id, program.captured)):
        difference = "it reads other Values"
    return difference


def _moved(values: Sequence[Value], read: Sequence[float], traced: Any) -> bool:
    """Whether Values had other numbers in a trace than a run has read: another thread changed them."""
    data, places = traced.recording.code.data, traced.recording.captured
    then = {id(x): data[k] for x, k in zip(traced.captured, places)}
    return any([y != then.get(id(x), y) for x, y in zip(values, read) if y == y])


def carried(paths: Paths, key: Any) -> Root:
    """A root for what the function reads now, with the programs for it that came with a pickle or a copy."""
    objects = list(objects_in(key))
    root = Root(Environment(Called(paths.f, *objects) if objects else paths.f))
    with _lock:
        for kept, captured in fitting(paths.shelves, key, root.environment):
            wanted = [captured[i] for i in kept.wanted]
            paths.keep(root, Program(Traced(kept.recording, captured, kept.result, wanted), kept.point,
                                     paths.target, kept.verified))
    return root


def limit_error(name: str, count: int, reason: str) -> InputError:
    """The error for one program more than there may be."""
    reason = reason if reason[:1] in ("", "\n") else f" ({reason})"
    programs = f"{count} program{'s' * (count > 1)}"
    return InputError(f"{name} has {programs}, one for each way its branches went, and needs another "
                      "(max() and sorted() of numbers have one for each order of them): write "
                      "where(condition, a, b), maximum or select for the branch, pass what changes as an "
                      "argument, take(rows, index) with `indices` for one that chooses, raise max_programs, "
                      f"or choose on_limit='eager'{reason}")
