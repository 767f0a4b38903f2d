"""The points of a batch: arguments that hold arrays, their last axis the batch."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from autograd_lite.errors import InputError, shown
from autograd_lite.graph.value import Value
from autograd_lite.programs.arguments import Given, Option, described
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
        columns: for each number of a point the numbers of all, an array of floats, or one float for all.
        of_values: whether some are Values.
    """

    def __init__(self, batch: Option, args: Any, kwargs: Any):
        import numpy

        self.np = numpy
        self.columns: list[Any] = []
        self.n: int | None = None
        self.of_values = False
        self.longest = ""
        count = len(args)
        self.args = [self.entered(x, batch.names[i] if i < len(batch.names) else f"argument {i}")
                     if batch.holds(i, count) else self.plain(x) for i, x in enumerate(args)]
        self.kwargs = {name: self.entered(x, name) if batch.holds(name, count) else self.plain(x)
                       for name, x in kwargs.items()}
        self.columns = [x if type(x) is numpy.float64 or len(x) == self.n else x[0] for x in self.columns]

    def plain(self, x: Any) -> Any:
        """An argument that all points share."""
        numbers: list[Any] = []
        try:
            described(x, numbers)
        except Given:
            self.of_values = True
            numbers = [0.0]
        self.columns += map(self.np.float64, numbers)
        return x

    def entered(self, x: Any, name: str) -> Any:
        """An argument that may hold batches: its structure with an `_Entries` for each array."""
        before = len(self.columns)
        tree = changed(x, lambda array: self.array(array, name), self.plain)
        if len(self.columns) == before and not is_array(x) and not self.of_values:
            raise InputError(f"batch: {name} must hold numbers, or NumPy arrays of them, not {shown(x)}")
        return tree

    def array(self, given: Any, name: str) -> Any:
        """An array of a batch."""
        x = self.np.asarray(given)
        given_values = x.dtype.kind == "O" and any([isinstance(entry, Value) for entry in x.flat])
        self.of_values |= given_values
        if hasattr(given, "mask") or x.dtype.kind not in "iuf" and not given_values:
            remedy = ("call the function for those with True and those with False" if x.dtype.kind == "b" else
                      "fill what is masked" if hasattr(given, "mask") else "x.astype(float) makes one")
            raise InputError(f"batch: {name} must hold arrays of real numbers, not one of "
                             f"{'masked ' * hasattr(given, 'mask')}{x.dtype}: {remedy}")
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
        self.columns.extend(rows)
        return _Entries(x)

    def at(self, i: int) -> tuple[list[Any], dict[str, Any]]:
        """The arguments at one point."""
        args = [_taken(x, i) for x in self.args]
        return args, {name: _taken(x, i) for name, x in self.kwargs.items()}

    def block(self, where: Any) -> list[Any]:
        """The columns at some points."""
        float64 = self.np.float64
        return [x if type(x) is float64 else x[where] for x in self.columns]

    def rows(self) -> Iterator[Any]:
        """The numbers of each point."""
        n = self.n or 0
        return zip(*[[x.item()] * n if type(x) is self.np.float64 else x.tolist() for x in self.columns])


class _Entries:
    """An array in the structure of an argument."""

    def __init__(self, x: Any):
        self.x = x

    def at(self, i: int) -> Any:
        x = self.x
        if not x.shape[-1]:                     # (a point that stands for those of an empty batch)
            return x.sum(axis=-1) + 1 if x.ndim > 1 else x.dtype.type(1).item()
        x = x[..., i if x.shape[-1] > 1 else 0]
        return x if isinstance(x, Value) else x.copy() if x.shape else x.item()


def _taken(tree: Any, i: int) -> Any:
    if isinstance(tree, _Entries):
        return tree.at(i)
    kind = None if is_number(tree) or is_array(tree) else kind_of(tree, True)
    return tree if kind is None else kind.again(tree, [_taken(x, i) for x in kind.parts(tree)])
