"""`bind`: a compiled function over arrays that stay where they are."""
from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from autograd_lite.errors import InputError, shown
from autograd_lite.extras import needed
from autograd_lite.graph.node import read_numbers
from autograd_lite.native.calls import FACTS, runner
from autograd_lite.native.engine import available
from autograd_lite.ops.op import number
from autograd_lite.programs.arguments import Given, described, key_of
from autograd_lite.programs.integers import RESULTS
from autograd_lite.programs.pickling import Staying
from autograd_lite.programs.points import changed
from autograd_lite.programs.recording import same
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import is_number, leaves


def bind(compiled: Any, args: Any, kwargs: Any) -> Callable[[], Any]:
    """A function of no arguments that calls a compiled one with these; see `Compiled.bind`."""
    bound = Binding(compiled, args, kwargs)
    if compiled.target == "python" or not available():
        return bound.ordinary
    return runner(bound.facts, bound)           # type: ignore[no-any-return]


class _Facts(Staying, bytearray):
    """The facts, as the owner of what runs them."""

    __slots__ = ()


class Binding(Staying):
    """A compiled function, the arguments of which arrays are read at each run, and arrays for its results.

    Attributes:
        results: the numbers of all results; tree: the results, whose arrays are parts of them.
        facts: what `native.calls` must know of all this.
    """

    def __init__(self, compiled: Any, args: Any, kwargs: Any):
        with needed("bind needs"):
            import numpy

        self.np, self.compiled = numpy, compiled
        self.args, self.kwargs = changed((list(args), dict(kwargs)), lambda x: x)   # (lists may change)
        self.arrays: list[tuple[int, Any]] = []             # at which number an array begins, and it
        self.numbers = numpy.array(self._numbers(), float)
        self.shapes = [(x.ctypes.data, x.dtype, x.shape) for _, x in self.arrays]
        found = compiled(*args, **kwargs)
        self.results = numpy.array(_numbers_of(found))
        places = iter(range(len(self.results)))

        def array(x: Any) -> Any:
            """The part of the results that stands for x."""
            first, *_ = [next(places) for _ in range(numpy.size(x))]
            return self.results[first:first + numpy.size(x)].reshape(numpy.shape(x))

        self.tree = changed(found, array, lambda x: array(x) if _is_result(x) else x, self._is_full)
        self._otherwise = self.ordinary
        self.facts = _Facts()
        self._settle(None, None)

    def _is_array(self, x: Any) -> bool:
        return isinstance(x, self.np.ndarray)

    def _is_full(self, x: Any) -> bool:
        return isinstance(x, self.np.ndarray) and bool(x.size)

    def _numbers(self) -> list[float]:
        """The numbers of the arguments, in the order of a program's inputs."""
        numbers: list[Any] = []

        def array(x: Any) -> None:
            """An array among the arguments."""
            if x.dtype != float or not x.flags.c_contiguous or not x.flags.aligned:
                raise InputError(f"bind: {shown(x)} is not a contiguous array of floats, whose numbers can "
                                 "be read where they lie: pass numpy.ascontiguousarray(x, float)")
            self.arrays.append((len(numbers), x))
            numbers.extend(x.ravel().tolist())

        def other(x: Any) -> None:
            described(x, numbers)

        try:
            changed((list(self.args), self.kwargs), array, other, self._is_array)
        except Given:
            raise InputError("bind takes arrays of floats, and numbers, ints below 2**53 among them, not "
                             "Values: those that f reads as globals, attributes or closure variables are "
                             "read at each run") from None
        return numbers

    def ordinary(self) -> Any:
        """One run by an ordinary call; the next ones go by the program it took, if that is native."""
        compiled = self.compiled
        for (_, x), shape in zip(self.arrays, self.shapes):
            if (x.ctypes.data, x.dtype, x.shape) != shape:
                raise InputError(f"bind: {shown(x)} had another shape, type or memory when it was bound: "
                                 "bind it again")
        found = compiled(*self.args, **self.kwargs)
        numbers = _numbers_of(found)
        if len(numbers) != len(self.results):
            raise InputError(f"bind: {name_of(compiled.f)} returned {len(self.results)} numbers and now "
                             f"returns {len(numbers)}: bind it again")
        self.results[:] = numbers
        if self.facts:
            root = compiled.recent.get(key_of(self.args, self.kwargs)[0])
            if root and root.last.verified and root.last.compiled() and self._stay(root.last):
                self._settle(root, root.last)
            elif self.owned[0]:                 # (an eager run may have given others)
                self._settle(None, None)
        return self.tree

    def _stay(self, program: Any) -> bool:
        """Whether the results that a program does not compute are there."""
        return all([isinstance(x, RESULTS) or same(float(x), y) for x, y in zip(
            filter(_is_result, leaves(program.result, lenient=True)), self.results.tolist())])

    def _settle(self, root: Any, program: Any) -> None:
        """Let runs go by a native program; by ordinary calls, if there is none."""
        held = program.read if program else []
        inputs = self.np.concatenate([self.numbers, self.np.zeros(len(held))])
        before = [(inputs[i:], x) for i, x in self.arrays]
        if len(self.arrays) == 1 and self.arrays[0][1].size == len(inputs):
            inputs, before = self.arrays[0][1], []          # (they lie there already)
        out, after = self._outputs(program)
        facts = {"program": program.core if program else 0, "inputs": inputs.ctypes.data,
                 "out": out.ctypes.data, "result": id(self.tree), "ordinary": id(self._otherwise),
                 "holds": id(holding.table) if (holding := root and root.holding) else 0, "true": id(True),
                 "reader": id(read_numbers), "captured": id(held), "numbers": len(self.numbers),
                 "held": len(held), "before": len(before), "after": len(after), "arrays": len(self.arrays)}
        pieces = [(x.ctypes.data, to.ctypes.data, x.size) for to, x in (*before, *after)]
        pieces += [(id(x), x.ctypes.data, id(x.dtype), x.ndim, *x.shape) for _, x in self.arrays]
        self.owned = program, held, inputs, out, holding, before, after   # (what the facts point to)
        words = [*[facts[name] for name in FACTS], *[x for piece in pieces for x in piece]]
        self.facts[:] = struct.pack(f"={len(words)}q", *words)

    def _outputs(self, program: Any) -> tuple[Any, list[tuple[Any, Any]]]:
        """Where a program puts its results, and what is copied from there."""
        if program is None or len(program.recording.outputs) == len(self.results):
            return self.results, []
        out = self.np.zeros(len(program.recording.outputs))
        places = [i for i, x in enumerate(filter(_is_result, leaves(program.result)))
                  if isinstance(x, RESULTS)]
        return out, [(self.results[i:], out[k:k + 1]) for k, i in enumerate(places)]


def _is_result(x: Any) -> bool:
    return is_number(x) and not isinstance(x, bool)


def _numbers_of(tree: Any) -> list[float]:
    """All numbers of a result."""
    return [number(x, "a result") for x in leaves(tree, lenient=True) if _is_result(x)]
