"""The points of a batch: arguments that hold arrays, their last axis the batch."""
from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from autograd_lite.errors import InputError, shown
from autograd_lite.graph.value import Value
from autograd_lite.programs.arguments import Given, Option, described, is_floats
from autograd_lite.transforms.trees import is_number, kind_of


def is_array(x: Any) -> bool:
    """Whether x is an array with a dimension."""
    return hasattr(x, "__array__") and not isinstance(x, type) and len(getattr(x, "shape", ())) > 0


def changed(tree: Any, array: Callable[[Any], Any], other: Callable[[Any], Any] = lambda x: x,
            held: Callable[[Any], bool] = is_array) -> Any:
    """A structure with ``array(x)`` for the arrays in it, and ``other(x)`` for all else without parts."""
    if held(tree):
        return array(tree)
    kind = None if is_number(tree) else kind_of(tree, True)
    if kind is None:
        return other(tree)
    return kind.again(tree, [changed(x, array, other, held) for x in kind.parts(tree)])


class Points:
    """The arguments of one call: n points; n is None if no argument holds an array.

    Attributes:
        runs: the numbers of a point in order: lists and arrays of floats that all points share, and arrays of
            two axes, with a row for each number.
        of_values: whether some are Values.
    """

    def __init__(self, batch: Option, args: Any, kwargs: Any):
        import numpy

        self.np = numpy
        self.runs: list[Any] = []
        self.n: int | None = None
        self.of_values = False
        self.known: dict[int, Any] = {}         # keys of arguments that all points share, by their identity
        count = len(args)
        self.args = [self.entered(x, batch.names[i] if i < len(batch.names) else f"argument {i}")
                     if batch.holds(i, count) else self.plain(x) for i, x in enumerate(args)]
        self.kwargs = {name: self.entered(x, name) if batch.holds(name, count) else self.plain(x)
                       for name, x in kwargs.items()}
        self.runs = [x[:, 0] if is_table(x) and x.shape[1] != self.n else x for x in self.runs]

    def plain(self, x: Any) -> Any:
        """An argument that all points share."""
        numbers: Any = []
        try:
            if is_floats(x):
                self.known[id(x)], numbers = (type(x), x.shape, float), x.ravel()
            else:
                self.known[id(x)] = described(x, numbers)
        except Given:
            self.of_values = True               # (the numbers are not needed then)
        self.runs.append(numbers)
        return x

    @property
    def key(self) -> Any:
        """The key of the arguments at a point."""
        def one(x: Any) -> Any:
            known = self.known.get(id(x))
            return described(_taken(x, 0), []) if known is None else known

        named = [tuple([(name, one(x)) for name, x in self.kwargs.items()])] if self.kwargs else []
        return (*map(one, self.args), *named)

    def entered(self, x: Any, name: str) -> Any:
        """An argument that may hold batches: its structure with an `_Entries` for each array."""
        before = len(self.runs)
        tree = changed(x, lambda array: self.array(array, name), self.plain)
        if not any([len(run) for run in self.runs[before:]]) and not is_array(x) and not self.of_values:
            raise InputError(f"batch: {name} must hold numbers, or NumPy arrays of them, not {shown(x)}")
        return tree

    def array(self, given: Any, name: str) -> Any:
        """An array of a batch."""
        x = self.np.asarray(given)
        given_values = x.dtype.kind == "O" and any([isinstance(entry, Value) for entry in x.flat])
        self.of_values |= given_values
        masked = hasattr(given, "mask") and hasattr(given, "compressed")        # (a Series has but a method)
        if masked or x.dtype.kind not in "iuf" and not given_values:
            remedy = ("call the function for those with True and those with False" if x.dtype.kind == "b" else
                      "fill what is masked" if masked else "x.astype(float) makes one")
            raise InputError(f"batch: {name} must hold arrays of real numbers, not one of "
                             f"{'masked ' * masked}{x.dtype}: {remedy}")
        if not is_exact(x):
            raise InputError(f"batch: {name} holds whole numbers of 2**53 or more, which floats may not "
                             "hold: subtract the least of them before, say")
        n = x.shape[-1]
        if self.n is None or self.n == 1:
            self.n, self.longest = n, name
        elif n not in (1, self.n):
            raise InputError(f"batch: the last axes of {self.longest} and {name} have the lengths {self.n} "
                             f"and {n}, which do not broadcast")
        if given_values:
            return _Entries(x)
        rows = self.np.ascontiguousarray(x, float).reshape(-1, n) if x.size else self.np.empty(
            (int(self.np.prod(x.shape[:-1])), n))
        self.runs.append(rows)
        return _Entries(x)

    def at(self, i: int) -> tuple[list[Any], dict[str, Any]]:
        """The arguments at one point."""
        args = [_taken(x, i) for x in self.args]
        return args, {name: _taken(x, i) for name, x in self.kwargs.items()}

    def block(self, where: Any) -> list[Any]:
        """For each number those at some points, an array of floats, or one float for all."""
        return [x for run in self.runs
                for x in (run[:, where] if is_table(run) else map(self.np.float64, run))]

    def rows(self, where: Any) -> Iterator[Any]:
        """The numbers of each of some points."""
        return zip(*[x for run in self.runs for x in (
            run[:, where].tolist() if is_table(run) else map(itertools.repeat, map(float, run)))])

    def grid(self, where: Any, shared: Sequence[float]) -> Grid:
        """The numbers at some points, and further ones that all share, as native code takes them."""
        varies: list[tuple[bool, int]] = []
        columns: list[int] = []
        kept: list[Any] = []
        numbers = array("d")
        for run in [*self.runs, shared]:
            varies.append((is_table(run), len(run)))
            if not is_table(run):
                numbers.frombytes(self.np.asarray(run).tobytes())
                continue
            rows = run[:, where]
            numbers.frombytes(bytes(8 * len(rows)))
            if rows.strides[1] != 8 or not rows.flags.aligned:
                rows = self.np.array(rows, order="C")
            at, step = address_of(rows), rows.strides[0]
            columns += [at + i * step for i in range(len(rows))]
            kept.append(rows)
        return Grid(rows.shape[1], tuple(varies), columns, numbers, kept)


def is_table(x: Any) -> bool:
    """Whether numbers vary from point to point."""
    return type(x) is not list and x.ndim == 2


class Grid(NamedTuple):
    """The numbers of some points.

    Attributes:
        n: how many points there are.
        varies: for runs of numbers whether each point has its own, and how many there are.
        columns: the addresses of those, in order, one number for each point.
        numbers: all numbers of a point; those that vary are zero.
        kept: what the addresses lie in.
    """

    n: int
    varies: tuple[tuple[bool, int], ...]
    columns: list[int]
    numbers: array[float]
    kept: list[Any]


def address_of(x: Any) -> int:
    """Where an array of NumPy's lies."""
    return int(x.__array_interface__["data"][0])


def is_exact(x: Any) -> bool:
    """Whether floats hold all numbers of an array of whole ones."""
    return x.dtype.kind not in "iu" or not x.size or -2 ** 53 < int(x.min()) and int(x.max()) < 2 ** 53


class _Entries:
    """An array in the structure of an argument."""

    def __init__(self, x: Any):
        self.x = x

    def at(self, i: int) -> Any:
        x, n = self.x, self.x.shape[-1]         # (for those of an empty batch stands a point of ones)
        x = x[..., i if n > 1 else 0] if n else x.sum(axis=-1) + 1
        return x if isinstance(x, Value) else x.copy() if x.shape else x.item()


def _taken(tree: Any, i: int) -> Any:
    if isinstance(tree, _Entries):
        return tree.at(i)
    kind = None if is_number(tree) or is_array(tree) else kind_of(tree, True)
    return tree if kind is None else kind.again(tree, [_taken(x, i) for x in kind.parts(tree)])
