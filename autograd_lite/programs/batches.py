"""Batches: a compiled function at many points at once, each an entry on the last axis of NumPy's arrays.

A program runs at all points together, a block at a time. Those at which one of its guards fails go on to the
programs that answer it otherwise; where none is known, the first of them is computed by itself, which traces
one. Points at which a number is not finite, or operands are extreme for a rule, are computed by themselves.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.errors import InputError, short
from autograd_lite.graph import value
from autograd_lite.graph.node import read_numbers
from autograd_lite.graph.value import Value
from autograd_lite.programs.arguments import Option, described, key_of
from autograd_lite.programs.arrays import FINE, Settled, Watch
from autograd_lite.programs.eager import eager, pass_on as add_gradients, placed
from autograd_lite.programs.points import Points, changed, is_array
from autograd_lite.programs.python import EAGER
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import kind_of, leaves, rebuild

_BLOCK = 1 << 12                                # how many points are computed at a time
_NONE: frozenset[Any] = frozenset()


class Batch(Option):
    """Which arguments of f hold batches, and what becomes of the results.

    Args:
        batch: their positions or names.
        reduce: "sum" or "mean", over the batch; a tuple holds one for each result, None for none.
        rounding: "eager" (as point by point, to the last bit), "vector" or "free".
    """

    def __init__(self, f: Any, batch: Any, reduce: Any, rounding: str | None):
        super().__init__(f, "batch", batch)
        self.reduce, self.rounding = reduce, rounding or "vector"
        if self.rounding not in ("eager", "vector", "free"):
            raise InputError(f"rounding={short(rounding)}: choose 'eager', 'vector' or 'free'")
        for how in reduce if isinstance(reduce, tuple) else (reduce,):
            if how not in (None, "sum", "mean"):
                raise InputError(f"reduce={short(reduce)}: choose 'sum' or 'mean', None for neither, or a "
                                 "tuple with one of them for each result")

    def call(self, compiled: Any, args: Any, kwargs: Any) -> Any:
        """The results at all points."""
        if compiled.indices:
            compiled.indices.check(args, kwargs)
        points = Points(self, args, kwargs)
        if points.n is not None and (points.of_values or value.special and value.tracing.get()):
            return self.reduced(self.of_values(points), self.one)
        if points.n is None:
            result = compiled.once(args, kwargs)
            self.check_tuple(result)
            return result
        run = Run(compiled, points, False)
        run.all(self.rounding == "eager")
        return self.reduced(run.results.tree(), self.one)

    def of_values(self, points: Points) -> Any:
        """The results of the function itself, where it is given Values: arrays of Values."""
        if not points.n:
            raise InputError("an empty batch: nothing depends on the Values given")
        found = []
        for i in range(points.n):
            args, kwargs = points.at(i)
            found.append(self.f(*args, **kwargs))
        supply = iter([points.np.array(column, object)
                       for column in zip(*[leaves(tree, lenient=True) for tree in found], strict=True)])
        return rebuild(found[0], lambda _: next(supply), lambda x: x)

    def backward(self, compiled: Any, args: Any, kwargs: Any) -> float:
        """The one result, after its gradients were added to the `.grad` of the Values that f uses."""
        if self.reduce not in ("sum", "mean"):
            raise InputError("backward of a batch needs one number: give reduce='sum' or 'mean'")
        if compiled.indices:
            compiled.indices.check(args, kwargs)
        points = Points(self, args, kwargs)
        n = 1 if points.n is None else points.n
        run = Run(compiled, points, True)
        run.all(self.rounding == "eager")
        found = [self.one(column, self.reduce) for column in run.gradients.values()]
        y = self.one(run.results.columns[0], self.reduce)
        if run.left:
            run.left.backward(1.0 / n if self.reduce == "mean" else 1.0)
        xs = list(run.gradients)
        add_gradients(xs, list(map(float, found)), not any([x.operands for x in xs]))
        return float(y)

    def check_tuple(self, tree: Any) -> None:
        if isinstance(self.reduce, tuple) and not (isinstance(tree, tuple) and len(tree) == len(self.reduce)):
            raise InputError(f"reduce={short(self.reduce)}: {name_of(self.f)} does not return a tuple of "
                             f"{len(self.reduce)} results")

    def reduced(self, tree: Any, one: Callable[[Any, str | None], Any],
                held: Callable[[Any], bool] = is_array) -> Any:
        """The results, those that are to be reduced over the batch by ``one(array, how)``."""
        self.check_tuple(tree)
        if not isinstance(self.reduce, tuple):
            return changed(tree, lambda x: one(x, self.reduce), held=held)
        parts = [changed(part, lambda x, how=how: one(x, how), held=held)  # type: ignore[misc]
                 for part, how in zip(tree, self.reduce)]
        kind = kind_of(tree, True)
        return tuple(parts) if kind is None else kind.again(tree, parts)

    def one(self, x: Any, how: str | None) -> Any:
        """An array, reduced."""
        if how is None or not is_array(x):
            return x
        n = x.shape[-1]
        if how == "mean" and not n:
            raise InputError("the mean of an empty batch")
        if self.rounding == "eager" and n:      # left to right
            import numpy

            total = numpy.add.accumulate(x, axis=-1)[..., -1]
        else:
            total = x.sum(axis=-1)
        total = total / n if how == "mean" else total
        return total if getattr(total, "shape", True) else total.item()


# -- results ----------------------------------------------------------------------------------------


class Results:
    """What was computed at each of n points: structures of one shape."""

    def __init__(self, f: Any, n: int):
        import numpy

        self.np, self.f, self.n = numpy, f, n
        self.columns: list[Any] = []
        self.skeleton: Any = None
        self.key: Any = None
        self.known: dict[Any, list[Any]] = {}   # for each program the entries of its result

    def add(self, where: Any, tree: Any, supply: Sequence[Any], program: Any = None) -> None:
        """The result at some points: a structure in which what is supplied stands for Values, in order."""
        entries = self.known.get(program) if program else None
        if entries is None:
            entries = list[Any]()
            skeleton = rebuild(tree, lambda x: entries.append(x) or 0.0, lambda x: x)  # type: ignore
            key = described(skeleton, [])
            if self.key is None:
                self.key, self.skeleton = key, skeleton
                self.columns = [self.np.empty(self.n, bool if type(x) is bool else int if type(x) is int else
                                              float) for x in entries]
            elif key != self.key:
                raise InputError(f"{name_of(self.f)} returns another structure on another branch: "
                                 f"{short(skeleton)} and {short(self.skeleton)}; in a batch it must be one")
            if program:
                self.known[program] = entries
        given = iter(supply)
        for i, x in enumerate(entries):
            y = next(given) if isinstance(x, Value) else x
            kind = self.columns[i].dtype.kind
            if kind != "f" and kind != {bool: "b", int: "i"}.get(type(y)):
                self.columns[i] = self.columns[i].astype(float)
            self.columns[i][where] = y

    def tree(self) -> Any:
        """The structure, with an array for each number."""
        supply = iter(self.columns)
        return rebuild(self.skeleton, lambda _: next(supply), lambda x: x)


class Run:
    """One call of a compiled function at many points."""

    def __init__(self, compiled: Any, points: Points, backward: bool):
        self.compiled, self.points, self.is_backward = compiled, points, backward
        self.n = 1 if points.n is None else points.n
        self.end = self.n                       # from here on an error makes results useless
        self.error: Exception | None = None
        self.results = Results(compiled.f, self.n)
        self.gradients: dict[Any, Any] = {}     # by captured Values, at each point
        self.left: Any = None                   # the sum of results that must go backward eagerly
        self.key, _ = key_of(*points.at(0))

    def all(self, in_turn: bool) -> None:
        """Compute all points."""
        np = self.points.np
        if not self.n:
            self.empty()
            return
        with np.errstate(all="ignore"):
            if in_turn:
                self.in_turn()
            else:
                program = None
                for start in range(0, self.n, _BLOCK):
                    program = self.part(program, np.arange(start, min(start + _BLOCK, self.n)))
        if self.error:
            raise self.error

    def part(self, program: Any, where: Any) -> Any:
        """Compute some points, a program at a time; the program that most likely fits the next."""
        queue, last = [(program, where, _NONE)], program
        while queue:
            program, where, tried = queue.pop()
            where = where[where < self.end]
            if not len(where):
                continue
            if program is None:
                program = self.alone(where[0])
                queue.append((None if program in tried else program, where[1:], tried))
                continue
            watch = self.together(program, where)
            last = program
            for fate in self.points.np.unique(watch.fates) if watch.fates is not None else ():
                at = where[watch.fates == fate]
                if fate == EAGER:
                    for i in at:
                        if i < self.end:
                            self.alone(i)
                elif fate != FINE:
                    pass_on(queue, program, tried | {program}, int(fate), at, watch)
        return last

    def together(self, program: Any, where: Any) -> Watch:
        """Run a program at some points; what became of each."""
        np, n = self.points.np, len(where)
        watch = Watch(n)
        captured = [np.float64(x) for x in read_numbers(program.captured)]
        place: Any = slice(where[0], where[-1] + 1) if where[-1] - where[0] + 1 == n else where
        try:
            out = program.over_arrays(watch, *self.points.block(place), captured)
        except Settled:
            return watch
        if watch.fates is not None:
            fine = watch.fates == FINE
            place, out = where[fine], [x[fine] if np.ndim(x) else x for x in out]
        self.keep(place, program, out)
        if not program.verified:
            self.alone(where[-1] if watch.fates is None else place[-1])
        return watch

    def keep(self, where: Any, program: Any, out: Sequence[Any]) -> None:
        """Keep what a program gave."""
        self.results.add(where, program.result, out, program)
        if self.is_backward:
            for x, gradient in zip(program.wanted, out[1:]):
                if x not in self.gradients:
                    self.gradients[x] = self.points.np.zeros(self.n)
                self.gradients[x][where] = gradient

    def alone(self, i: int) -> Any:
        """Compute one point as a call at it does; the program that fits there, if any."""
        args, kwargs = self.points.at(i)
        try:
            _, numbers = key_of(args, kwargs)
            program, out = self.compiled.run(self.key, numbers, args, kwargs, self.is_backward)
            if program:
                self.keep(i, program, out)
            elif self.is_backward:
                y = self.compiled.f(*args, **kwargs)
                self.left = y if self.left is None else self.left + y
                self.results.add(i, y, [y.data])
            else:
                self.results.add(i, eager(self.compiled.f, args, kwargs), ())
            return program
        except Exception as error:
            if self.points.n is not None:
                placed(error, f"at index {i} of the batch")
            if isinstance(error, InputError):
                raise
            self.end, self.error = i, error
            return None

    def in_turn(self) -> None:
        """Compute the points one by one."""
        program, i, captured = None, 0, list[float]()
        found: list[Any] = []
        for i, row in enumerate(self.points.rows()):
            if i >= self.end:
                break
            try:
                out = program.run(*row, captured) if program else EAGER
            except (ArithmeticError, ValueError):
                out = EAGER
            if type(out) is not int:
                found.append(out)
                continue
            self.flush(program, i, found)
            program, found = self.alone(i), []
            captured = read_numbers(program.captured) if program else []
        else:
            i += 1
        self.flush(program, i, found)

    def flush(self, program: Any, end: int, found: Sequence[Any]) -> None:
        if found:
            at = slice(end - len(found), end)
            self.keep(at, program, [self.points.np.array(column) for column in zip(*found)])
            if not program.verified:
                self.alone(end - 1)

    def empty(self) -> None:
        """Find the structure of results where there is no point: at one of ones."""
        self.n, self.end = 1, 1
        self.results.n = 1
        try:
            self.alone(0)
        except InputError as error:
            self.error = error
        if self.error:
            raise InputError("an empty batch: what the function returns shows only at a point, and at "
                             f"numbers 1.0 it fails ({self.error})") from self.error
        self.results.columns = [x[:0] for x in self.results.columns]
        self.gradients = {x: column[:0] for x, column in self.gradients.items()}
        self.left = None


def pass_on(queue: list[Any], program: Any, tried: frozenset[Any], k: int, at: Any, watch: Watch) -> None:
    """Let points at which the k-th guard failed go on to programs with other answers to it."""
    others = program.groups[k]
    if k in watch.answered:
        answers = watch.answered[k][watch.fates == k]
        for answer in set(answers.tolist()) & set(others):
            mine = answers == answer
            queue.append((others[answer] if others[answer] not in tried else None, at[mine], tried))
            at, answers = at[~mine], answers[~mine]
        queue.append((None, at, tried))
    else:
        queue.append((next((x for x in others.values() if x not in tried), None), at, tried))
