"""One call of a compiled function at many points: which program runs at which of them, and how."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.errors import InputError
from autograd_lite.graph.node import read_numbers
from autograd_lite.native.choice import possible
from autograd_lite.native.language import Untranslatable
from autograd_lite.programs.arguments import key_of
from autograd_lite.programs.arrays import FINE, Settled, Watch
from autograd_lite.programs.eager import eager, placed
from autograd_lite.programs.points import Points, address_of
from autograd_lite.programs.python import EAGER
from autograd_lite.programs.results import Form, Gradients, Results, picked

_BLOCK = 1 << 12                                # how many points are computed at a time by NumPy
_NONE: frozenset[Any] = frozenset()


class Ways:
    """The ways to compute some points, and what came of it.

    Args:
        compiled: the compiled function; points: its arguments; backward: whether gradients by captured Values
            are wanted.
    """

    def __init__(self, compiled: Any, points: Points, backward: bool):
        self.compiled, self.points, self.is_backward = compiled, points, backward
        self.batch = compiled.batch
        self.in_turn = self.batch.rounding == "eager"
        self.n = 1 if points.n is None else points.n
        self.end = self.n                       # from here on an error makes results useless
        self.error: Exception | None = None
        self.native = compiled.target != "python" and bool(self.n) and possible()
        self.job: Any = None                    # the program, and what of it computed all points at once
        self.left: Any = None                   # the sum of results that must go backward eagerly
        self.key = ("backward", points.key) if backward else points.key
        self.begin(self.native and not self.in_turn)

    def begin(self, sums: bool) -> None:
        """Begin, with no results; with `sums` those to be reduced are added up as they come."""
        self.results = Results(self.batch, self.n, sums and self.batch.reduce is not None)
        self.gradients = Gradients(self.n, self.results.sums)

    def together(self, program: Any, where: Any) -> Watch:
        """Run a program at some points, over NumPy's arrays; what became of each."""
        np = self.points.np
        watch, place = Watch(len(where)), together_at(where)
        function, held = program.over_arrays
        captured = [np.float64(x) for x in read_numbers(held.read)]
        try:
            out = function(watch, *self.points.block(place), captured)
        except Settled:
            return watch
        if watch.fates is not None:
            fine = watch.fates == FINE
            place, out = where[fine], [picked(x, fine) for x in out]
        self.keep(place, program, held, out)
        return watch

    def singly(self, program: Any, where: Any) -> Watch:
        """Run a program at some points, one by one."""
        program.settle()
        watch, captured = Watch(len(where)), read_numbers(program.read)
        found, fates = [], [FINE] * len(where)
        for i, row in enumerate(self.points.rows(together_at(where))):
            try:
                out = program.run(*row, captured)
            except (ArithmeticError, ValueError):
                out = EAGER
            if type(out) is int:
                fates[i] = out
            else:
                found.append(out)
        watch.fates = self.points.np.array(fates)
        if found:
            fine = together_at(where[watch.fates == FINE])
            self.keep(fine, program, program, [
                [pair for added in column for pair in added.items()] if type(column[0]) is dict else
                self.points.np.array(column) for column in zip(*found)])
        return watch

    def natively(self, program: Any, where: Any) -> Watch:
        """Run a program at some points in native code."""
        np, form, place = self.points.np, program.form, together_at(where)
        watch, n = Watch(len(where)), len(where)
        first, sums = self.results.form is None, self.results.sums
        columns = targets = self.targets(program)
        start, apart = int(where[0]), len(form.values)
        if self.results.only_sums:
            summed = (True,) * len(targets)
        else:
            if type(place) is not slice:
                start, columns = 0, [None if x is None else np.empty(n) for x in targets]
            summed = tuple([x is None for x in columns])
            apart = summed[:apart].count(True)              # (of the results, not of the gradients)
        own = len(form.values) if columns is targets else 0     # (in one block)
        into = [x + 8 * start for x in (*(self.results.addresses(form) if own else ()), *[
            address_of(x) for x in columns[own:] if x is not None])]
        grid = self.points.grid(place, read_numbers(program.captured))
        try:
            job = program.many.job(grid, summed, into, self.batch.rounding)
        except Untranslatable:
            program.many = None
            if first:
                self.begin(sums)
            return (self.singly if self.in_turn else self.together)(program, where)
        watch.fates, totals = None if job.run() else job.fates, job.sums
        self.job = (program, job) if watch.fates is None and n == self.n else None
        if watch.fates is not None:
            fine = watch.fates == FINE
            place = together_at(where[fine])
            if columns is not targets:
                columns = [x if x is None else x[fine] for x in columns]
        for x, column in zip(targets, columns) if columns is not targets else ():
            if x is not None:
                x[place] = column
        if watch.fates is None or fine.any():
            self.results.add_rest(place, form, totals[:apart])
            if self.is_backward and sums:
                self.gradients.add(program.wanted, totals[apart:].tolist())
        elif first:
            self.begin(sums)
        return watch

    def keep(self, where: Any, program: Any, held: Any, out: Sequence[Any]) -> None:
        """Keep what a program gave, of these Values' gradients."""
        self.results.add(where, program.form, out)
        if self.is_backward:
            self.gradients.keep(where, held, out)

    def targets(self, program: Any) -> list[Any]:
        """The columns of a program's results; None for those of which the sum is kept."""
        found = self.results.targets(program.form)
        if self.is_backward and self.results.sums:
            return found + [None] * len(program.wanted)
        return found + list(map(self.gradients.column, program.wanted if self.is_backward else ()))

    def alone(self, i: int, kept: bool = True) -> Any:
        """Compute one point as a call at it does; the program that fits there, if any."""
        args, kwargs = self.points.at(i)
        try:
            _, numbers = key_of(args, kwargs)
            program, out = self.compiled.run(self.key, numbers, args, kwargs, self.is_backward)
            if kept and out is not None:
                self.keep(i, program, program, out)
            elif kept and self.is_backward:
                y = self.compiled.f(*args, **kwargs)
                self.left = y if self.left is None else self.left + y
                self.results.add(i, Form(y), [y.data])
            elif kept:
                self.results.add(i, Form(eager(self.compiled.f, args, kwargs, program is not None)), ())
            return None if out is None else program
        except Exception as error:
            if self.points.n is not None:
                placed(error, f"at index {i} of the batch")
            if isinstance(error, InputError):
                raise
            self.end, self.error = i, error
            return None


class Run(Ways):
    """The call."""

    def all(self) -> None:
        """Compute all points."""
        np = self.points.np
        if not self.n:
            self.empty()
            return
        with np.errstate(all="ignore"):
            root = self.compiled.recent.get(self.key)
            program = root.last if root and root.holds() else None
            if self.points.n is None:           # (one point, of arguments none of which holds an array)
                self.alone(0)
            elif not self.summed_in_turn(program):
                step = self.n if self.native or self.in_turn else _BLOCK
                for start in range(0, self.n, step):
                    program = self.part(program, np.arange(start, min(start + step, self.n)))
        if self.error:
            raise self.error

    def part(self, program: Any, where: Any) -> Any:
        """Compute some points, a program at a time; the program that most likely fits the next."""
        queue, last = [(program, where, _NONE)], program
        while queue:
            program, where, tried = queue.pop()
            where = where if self.end == self.n else where[where < self.end]
            if not len(where):
                continue
            if program is None:
                program = self.alone(where[0])
                queue.append((None if program in tried else program, where[1:], tried))
                continue
            native = (self.native and self.results.fits(program.form)
                      and program.over_points(len(where), self.in_turn))
            if not native and len(where) > _BLOCK:
                queue.append((program, where[_BLOCK:], tried))
                where = where[:_BLOCK]
            way = self.natively if native else self.singly if self.in_turn else self.together
            watch, last = way(program, where), program
            if not program.verified:
                fine = where if watch.fates is None else where[watch.fates == FINE]
                if len(fine):
                    self.alone(fine[-1], False)
            for fate in self.points.np.unique(watch.fates) if watch.fates is not None else ():
                at = where[watch.fates == fate]
                if fate == EAGER:
                    for i in at:
                        if i < self.end:
                            self.alone(i)
                elif fate != FINE:
                    pass_on(queue, program, tried | {program}, int(fate), at, watch)
        return last

    def summed_in_turn(self, program: Any) -> bool:
        """Add up all results in the points' order in native code, if one program does; whether it did."""
        if not (self.in_turn and self.native and self.batch.reduce and program and program.verified
                and program.over_points(self.n, True)):
            return False
        self.begin(True)
        if self.natively(program, self.points.np.arange(self.n)).fates is None:
            return True
        self.begin(False)
        return False

    def empty(self) -> None:
        """Find the structure of results where there is no point: at one of ones."""
        self.n = self.end = 1
        self.begin(False)
        try:
            self.alone(0)
        except InputError as error:
            self.error = error
        if self.error:
            raise InputError("an empty batch: what the function returns shows only at a point, and at "
                             f"numbers 1.0 it fails ({self.error})") from self.error
        self.results.empty()
        self.gradients.empty()
        self.left = None


def together_at(where: Any) -> Any:
    """The places of some points, as a slice if they lie side by side."""
    n = len(where)
    return slice(int(where[0]), int(where[0]) + n) if n and where[-1] - where[0] + 1 == n else where


def pass_on(queue: list[Any], program: Any, tried: frozenset[Any], k: int, at: Any, watch: Watch) -> None:
    """Let points at which the k-th guard failed go on to programs with other answers to it."""
    others, asked = program.groups[k], program.guards[k].question
    if k in watch.answered:
        answers = watch.answered[k][watch.fates == k]
        for answer in set(answers.tolist()):
            if other := others.get((*asked, answer)):
                mine = answers == answer
                queue.append((other if other not in tried else None, at[mine], tried))
                at, answers = at[~mine], answers[~mine]
        queue.append((next((x for key, x in others.items() if key[:2] != asked and x not in tried), None), at,
                      tried))
    else:
        queue.append((next((x for x in others.values() if x not in tried), None), at, tried))
