"""What a batch computes: structures of one shape, an array over its points for each number, or their sum."""
from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.errors import InputError, short
from autograd_lite.ops.op import number
from autograd_lite.programs.arguments import described
from autograd_lite.programs.integers import RESULTS
from autograd_lite.programs.points import address_of
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import is_number, kind_of, leaves, rebuild


class Form:
    """A result, a structure in which Values stand for what differs from point to point.

    Attributes:
        entries: its numbers and Values, in order; values: the places of the Values; others: of the rest.
        skeleton: the structure with zeros; key: what two such results have in common.
        fill: see `filler`.
    """

    def __init__(self, tree: Any):
        self.entries = entries = list[Any]()
        self.skeleton = rebuild(tree, lambda x: entries.append(x) or 0.0, lambda x: x)  # type: ignore
        self.key = described(self.skeleton, [])
        self.values = [i for i, x in enumerate(entries) if isinstance(x, RESULTS)]
        self.others = [i for i, x in enumerate(entries) if not isinstance(x, RESULTS)]
        self.fill = filler(self.skeleton)


class Results:
    """What was computed at each of n points.

    Args:
        batch: the function f, what of its results is to be reduced, and a check for that.
        sums: whether to keep their sums alone.
    """

    def __init__(self, batch: Any, n: int, sums: bool):
        import numpy

        self.np, self.batch, self.n, self.sums = numpy, batch, n, sums
        self.form: Any = None
        self.how: list[Any] = []                # for each number "sum" or "mean", if that is kept alone
        self.only_sums = False                  # whether that is so of all
        self.columns: list[Any] = []            # at all points; of sums: None
        self.block: Any = None                  # its rows are the columns of floats
        self.totals: Any = None
        self.whole: Any = None                  # which totals are of whole numbers

    def begin(self, form: Form) -> None:
        """Take a result's structure for that of all."""
        if self.form is None:
            self.form, reduce, n = form, self.batch.reduce if self.sums else None, len(form.entries)
            self.batch.check_tuple(form.skeleton)
            self.only_sums = isinstance(reduce, str)
            self.how = [one for part, one in zip(form.skeleton, reduce) for _ in leaves(part, lenient=True)
                        ] if isinstance(reduce, tuple) else [reduce] * n
            self.totals, self.whole = self.np.zeros(n), self.np.ones(n, bool)
            self.block = new_block((0 if self.only_sums else n, self.n))
            self.columns = [None] * n if self.only_sums else [
                None if one else self.np.empty(self.n, type(x)) if type(x) in (bool, int) else self.block[i]
                for i, (x, one) in enumerate(zip(form.entries, self.how))]
        elif not self.fits(form):
            raise InputError(f"{name_of(self.batch.f)} returns another structure on another branch: "
                             f"{short(form.skeleton)} and {short(self.form.skeleton)}; in a batch it must be "
                             "one")

    def fits(self, form: Form) -> bool:
        """Whether a result has the structure of all."""
        return self.form is None or form is self.form or form.key == self.form.key

    def add(self, where: Any, form: Form, supply: Sequence[Any]) -> None:
        """The result at some points, with what is supplied for Values, in order."""
        self.begin(form)
        given = iter(supply)
        for i, x in enumerate(form.entries):
            self._set(i, where, next(given) if isinstance(x, RESULTS) else x)

    def _set(self, i: int, where: Any, y: Any) -> None:
        if type(y) is int and not -2 ** 63 <= y < 2 ** 63:      # (in an array of floats)
            y = number(y, f"a result of {name_of(self.batch.f)}")
        column = self.columns[i]
        if column is None:
            self.totals[i] += self.np.sum(y) if self.np.ndim(y) else y * count(where)
            self.whole[i] &= isinstance(y, int)
            return
        kind = column.dtype.kind
        if kind != "f" and kind != {bool: "b", int: "i"}.get(type(y)):
            self._let_be_floats(i)
        self.columns[i][where] = y

    def _let_be_floats(self, i: int) -> None:
        if self.columns[i].dtype.kind != "f":
            self.block[i] = self.columns[i]
            self.columns[i] = self.block[i]

    # -- for native code ---------------------------------------------------------------------------------

    def targets(self, form: Form) -> list[Any]:
        """The columns to which the numbers for Values go; None for those of which the sum is kept."""
        self.begin(form)
        if self.only_sums:
            return [None] * len(form.values)
        for i in form.values:
            if self.columns[i] is not None:
                self._let_be_floats(i)
        return [self.columns[i] for i in form.values]

    def addresses(self, form: Form) -> list[int]:
        """Where these columns lie, those that there are: they are rows of the block."""
        at, step, columns = address_of(self.block), self.block.strides[0], self.columns
        return [at + i * step for i in form.values if columns and columns[i] is not None]

    def add_rest(self, where: Any, form: Form, sums: Any) -> None:
        """At some points what does not differ from point to point, and the sums over these of what does."""
        if self.sums:
            summed = [i for i in form.values if self.columns[i] is None] if form.others or not (
                self.only_sums) else slice(None)
            self.totals[summed] += sums
            self.whole[summed] = False
        for i in form.others:
            self._set(i, where, form.entries[i])

    # -- the end -----------------------------------------------------------------------------------------

    def empty(self) -> None:
        """Let there be no points."""
        self.columns, self.block = [x[:0] for x in self.columns], self.block[:, :0]

    def tree(self) -> Any:
        """The structure, with an array for each number, or its sum or mean."""
        array, xs = self.block, self.columns
        if self.sums:
            totals = self.totals / self.n if self.only_sums and self.how[:1] == ["mean"] else self.np.where(
                [one == "mean" for one in self.how], self.totals / self.n, self.totals)
            if self.only_sums and not self.whole.any():
                return self.form.fill(totals, totals.tolist())
            xs = [int(y) if whole and one == "sum" else x if one is None else y for x, y, one, whole in zip(
                xs, totals.tolist(), self.how, self.whole.tolist())]
        if all([type(x) is float or getattr(x, "dtype", None) == float for x in xs]):
            return self.form.fill(array, xs)
        supply = iter(xs)
        return rebuild(self.form.skeleton, lambda _: next(supply), lambda x: x)


_spare: list[Any] = []                          # the large block made last
_LARGE = range(1 << 20, 1 << 26)                # of so many bytes


def new_block(shape: tuple[int, int]) -> Any:
    """An empty array: the large one made last, if nobody holds a part of it (new memory takes time)."""
    try:
        block = _spare.pop()
    except IndexError:
        block = None
    if block is None or block.shape != shape or sys.getrefcount(block.base) > 2:
        block = aligned(shape)
    if block.nbytes in _LARGE and not _spare and getattr(sys, "_is_gil_enabled", lambda: True)():
        _spare.append(block)
    return block


def aligned(shape: tuple[int, ...]) -> Any:
    """An empty array that begins where a vector of the processor's may."""
    import numpy

    memory = numpy.empty(math.prod(shape) + 7)
    start = -address_of(memory) // 8 % 8
    return memory[start:start + memory.size - 7].reshape(shape)


def count(where: Any) -> int:
    """How many points these are: an index, several, or a slice."""
    return len(range(where.start, where.stop)) if isinstance(where, slice) else getattr(where, "size", 1)


def filler(tree: Any) -> Callable[[Any, Sequence[Any]], Any]:
    """The function of (array, its rows, or numbers) that puts these in place of the numbers of a structure;
    for an array in it those rows of the array."""
    import numpy

    places = itertools.count()

    def rows(i: int, j: int, shape: Any) -> Callable[[Any, Sequence[Any]], Any]:
        def found(array: Any, xs: Sequence[Any]) -> Any:
            x = array[i:j] if array.ndim == 1 or type(xs[i]) is not float else numpy.array(xs[i:j])
            return x.reshape(shape + x.shape[1:])
        return found

    def made(tree: Any) -> Callable[[Any, Sequence[Any]], Any]:
        kind = None if is_number(tree) else kind_of(tree, True)
        if kind is None:
            i = next(places) if is_number(tree) else -1
            return lambda array, xs: xs[i] if i >= 0 else tree
        if type(tree) is numpy.ndarray and tree.dtype.kind == "f" and tree.size:
            i = [next(places) for _ in range(tree.size)][0]
            return rows(i, i + tree.size, tree.shape)
        if type(tree) is list and tree and all([type(x) is float for x in tree]):
            i = [next(places) for _ in tree][0]
            return lambda array, xs: list(xs[i:i + len(tree)])
        parts = list(map(made, kind.parts(tree)))
        if type(tree) is list or type(tree) is tuple:
            return lambda array, xs: type(tree)([part(array, xs) for part in parts])
        return lambda array, xs: kind.again(tree, [part(array, xs) for part in parts])
    return made(tree)


class Gradients:
    """The gradients of captured Values at n points, or their sums; of rows only of those that were taken."""

    def __init__(self, n: int, sums: bool):
        import numpy

        self.np, self.n, self.sums = numpy, n, sums
        self.dense: dict[Any, Any] = {}
        self.spread: dict[int, tuple[Any, list[Any]]] = {}      # the Values by row; (row, gradient) pairs

    def column(self, x: Any) -> Any:
        """Those of one Value at all points."""
        return self.dense.setdefault(x, self.np.zeros(self.n))

    def keep(self, where: Any, held: Any, out: Sequence[Any]) -> None:
        """Keep what a program gave at some points; `held` says which Values' it is (see `paths.Held`)."""
        k = 1 + len(held.dense)
        if self.sums:
            n = count(where)
            self.add(held.dense, [float(x.sum() if getattr(x, "shape", ()) else x * n) for x in out[1:k]])
        else:
            for x, gradient in zip(held.dense, out[1:k]):
                self.column(x)[where] = gradient
        for entries, pairs in zip(held.spread, out[k:]):
            self.spread.setdefault(id(entries), (entries, []))[1].extend(
                pairs.items() if type(pairs) is dict else pairs)

    def add(self, xs: Sequence[Any], totals: Sequence[float]) -> None:
        """Add to the sums."""
        if self.dense:
            totals = [self.dense.get(x, 0.0) + total for x, total in zip(xs, totals)]
        self.dense.update(zip(xs, totals))

    def totals(self, batch: Any) -> dict[Any, float]:
        """The gradients by Values, added over all points, or their means."""
        np, parts = self.np, self.n if batch.reduce == "mean" else 1
        found = {x: float(g / parts if self.sums else batch.one(g, batch.reduce))
                 for x, g in self.dense.items()}
        for entries, pairs in self.spread.values():
            columns = zip(*[map(np.ravel, np.broadcast_arrays(*pair)) for pair in pairs])
            at, terms = map(np.concatenate, columns) if pairs else (np.empty(0), np.empty(0))
            rows, places = np.unique(at, return_inverse=True)
            for row, g in zip(rows.tolist(), np.bincount(places, terms).tolist()):
                for x in entries.get(row, ()):
                    found[x] = found.get(x, 0.0) + g / parts
        return found

    def empty(self) -> None:
        """Forget the point."""
        self.spread.clear()
        self.dense = {x: column[:0] for x, column in self.dense.items()}


def picked(x: Any, fine: Any) -> Any:
    """A result at some of the points; in a list of pairs as well."""
    if type(x) is list:
        return [tuple([picked(entry, fine) for entry in pair]) for pair in x]
    return x[fine] if getattr(x, "ndim", 0) else x
