"""`bind` of a batch: a compiled function over arrays that stay where they are."""
from __future__ import annotations

from typing import Any

from autograd_lite.errors import InputError, shown
from autograd_lite.graph.node import read_numbers
from autograd_lite.native.language import Untranslatable
from autograd_lite.programs.pickling import Staying
from autograd_lite.programs.points import Points, address_of, changed, is_array, is_table
from autograd_lite.programs.results import aligned
from autograd_lite.programs.runs import Run
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import is_number


class Standing(Staying):
    """A compiled function, the arguments of which arrays are read at each run, and arrays for its results.

    Attributes:
        tree: the results; parts: the arrays in it, in order.
    """

    def __init__(self, compiled: Any, args: Any, kwargs: Any):
        import numpy

        self.np, self.compiled, self.args, self.kwargs = numpy, compiled, args, kwargs
        for x in arrays_in((list(args), kwargs)):
            if x.dtype != float or not x.flags.c_contiguous or not x.flags.aligned:
                raise InputError(f"bind: {shown(x)} is not a contiguous array of floats, whose numbers can "
                                 "be read where they lie: pass numpy.ascontiguousarray(x, float)")
        self.parts: list[Any] = []
        self.tree = changed(compiled(*args, **kwargs), self._kept,
                            lambda x: self._kept(x) if is_result(x) else x)
        self._settle()

    def _kept(self, x: Any) -> Any:
        x = self.np.asarray(x)
        self.parts.append(x.copy() if x.dtype == bool else aligned(x.shape))
        self.parts[-1][...] = x
        return self.parts[-1]

    def __call__(self) -> Any:
        job = self.job
        if job and self.root.last is self.program and self.root.holds():
            for to, x in self.read:
                to[...] = x
            for to in self.held if self.program.captured else ():
                to[...] = read_numbers(self.program.captured)
            if job.run():
                sums = job.sums
                for to, some, n in self.sums:
                    self.np.divide(sums[some], n, out=to)
                return self.tree
        return self.ordinary()

    def ordinary(self) -> Any:
        """One run by an ordinary call; the next ones go by the program it took, if that is native."""
        found: list[Any] = []
        changed(self.compiled(*self.args, **self.kwargs), found.append,
                lambda x: found.append(x) if is_result(x) else None)
        if list(map(self.np.shape, found)) != [part.shape for part in self.parts]:
            raise InputError(f"bind: {name_of(self.compiled.f)} returned other arrays before: bind it again")
        for part, x in zip(self.parts, found):
            part[...] = x
        self._settle()
        return self.tree

    def _settle(self) -> None:
        """Let runs go by a native program; by ordinary calls, if there is none."""
        compiled, batch, self.job = self.compiled, self.compiled.batch, None
        points = Points(batch, self.args, self.kwargs)
        if not points.n or points.of_values:
            return
        run = Run(compiled, points, False)
        self.root = compiled.recent.get(run.key)
        self.program = program = self.root.last if self.root else None
        if not (run.native and program and program.verified and program.over_points(points.n, run.in_turn)):
            return
        run.begin(True)                         # (for what is to be reduced)
        run.results.begin(program.form)
        held = read_numbers(program.captured)
        grid = points.grid(slice(0, points.n), held)
        summed, into = self._outputs(program.form, run.results.how, points.n)
        try:
            self.job = program.many.job(grid, summed, into, batch.rounding)
        except Untranslatable:
            return
        self.grid, self.read, self.held = grid, [], []
        for numbers in self.job.numbers:
            view, at = self.np.frombuffer(numbers), 0
            for x in points.runs:
                if type(x) is not list and not is_table(x):
                    self.read.append((view[at:at + len(x)], x))
                at += len(x)
            self.held.append(view[at:])

    def _outputs(self, form: Any, how: list[Any], n: int) -> tuple[tuple[bool, ...], list[int]]:
        """Which results are added up, and where the others go; and where the sums are brought."""
        values, summed, into, i = set(form.values), list[bool](), list[int](), 0
        self.sums: list[tuple[Any, Any, float]] = []
        for part in self.parts:
            size = part.size if how[i] else part.size // n
            some = [k for k in range(size) if i + k in values]
            if how[i]:
                at, flat = summed.count(True), part.reshape(-1)
                divisor = float(n) if how[i] == "mean" else 1.0
                for k, place in [(0, slice(0, size))] if len(some) == size else [
                        (k, slice(x, x + 1)) for k, x in enumerate(some)]:
                    self.sums.append((flat[place], slice(at + k, at + k + place.stop - place.start), divisor))
            else:
                into += [address_of(part) + 8 * n * k for k in some]
            summed += [bool(how[i])] * len(some)
            i += size
        return tuple(summed), into


def is_result(x: Any) -> bool:
    """Whether x is a number that a run may change."""
    return is_number(x) and not isinstance(x, bool)


def arrays_in(tree: Any) -> list[Any]:
    """The arrays in a structure."""
    found: list[Any] = []
    changed(tree, found.append, held=is_array)
    return found
