"""A call of a batch like the last one: arrays of the same shapes, to the same program."""
from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from autograd_lite.graph import value
from autograd_lite.graph.node import read_numbers
from autograd_lite.programs.points import address_of
from autograd_lite.programs.results import new_block
from autograd_lite.programs.runs import Run


class Repeat:
    """What was found in a call by which the next one, at other numbers, can do without looking for it again.

    One thread uses it at a time: who does takes it from where it is kept.

    Args:
        run: a call of which all points were computed by one native program.
        shapes: those of its arguments, arrays of floats.
    """

    def __init__(self, run: Run, shapes: Sequence[Any]):
        self.shapes, self.n = shapes, run.n
        self.program, self.job = run.job
        self.job.grid = self.job.grid._replace(kept=[])         # (nobody's arrays are held)
        self.key, self.root = run.key, run.compiled.recent[run.key]
        self.form, self.captured = self.program.form, self.program.captured

    def result(self, compiled: Any, args: Sequence[Any]) -> Any:
        """What the same program gives; None if another way is to be gone."""
        if (shapes_of(args) != self.shapes or value.special or compiled.recent.get(self.key) is not self.root
                or not self.root.holds()):
            return None
        job, form = self.job, self.form
        block = new_block((len(form.entries), self.n))
        if self.captured:
            held = array("d", read_numbers(self.captured))
            for numbers in job.numbers:
                numbers[-len(held):] = held
        step, at = 8 * self.n, address_of(block)
        job.columns[:] = array("q", [first + i for first, x in zip(map(address_of, args), args)
                                     for i in range(0, x.nbytes, step)])
        job.into[:] = array("q", [at + i * step for i in form.values])
        for i in form.others:
            block[i] = form.entries[i]
        return form.fill(block, list(block)) if job.run() else None


def shapes_of(args: Sequence[Any]) -> list[Any] | None:
    """The shapes of arguments that are arrays whose floats can be read where they lie; None for others."""
    import numpy

    found = []
    for x in args:
        if type(x) is not numpy.ndarray or x.dtype != float or not x.flags.carray or not x.ndim:
            return None
        found.append(x.shape)
    return found


def repeat_of(run: Run, args: Sequence[Any], kwargs: Any) -> Repeat | None:
    """What can be used for the next call; None if nothing can."""
    if run.job is None or kwargs or run.batch.reduce or run.compiled.marks:
        return None
    form = run.job[0].form
    if any([type(form.entries[i]) is not float for i in form.others]):
        return None
    shapes = shapes_of(args)
    if not shapes or any([shape[-1] != run.n or not run.batch.holds(i, len(args))
                          for i, shape in enumerate(shapes)]):
        return None
    found = Repeat(run, shapes)
    return found if found.program.verified and not found.root.rows and not found.program.rows else None
