"""Entries of lists at the indices of many points, in the arrays of a namespace.

`watch`: what the index is was looked at; else it may be any (see `chosen`).
"""
from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from autograd_lite.graph.node import read_numbers
from autograd_lite.ops.lists import out_of_range
from autograd_lite.programs.namespaces import Functions


def looked(found: Functions, watch: bool, values: Sequence[Any], index: Any) -> Any:
    """The number of one of some Values, at each point's index: only so many are read as there are points."""
    xp, n = found.namespace, len(values)
    if not hasattr(index, "dtype"):
        return read_numbers([values[int(index)]])[0]
    whole = _whole(index) % n
    if xp.__name__ == "numpy" and n > 4 * whole.size:
        taken = xp.array(read_numbers([values[i] for i in whole.ravel().tolist()])).reshape(whole.shape)
        return known(found, watch, index, n, taken)
    return known(found, watch, index, n, found.array(read_numbers(values), index)[whole])


def known(found: Functions, watch: bool, index: Any, n: int, x: Any) -> Any:
    """What was taken; nan where there is no such row (of which a `Watch` tells)."""
    return x if watch else found.where(within(index, n), x, math.nan)


def chosen(index: Any, size: float, strict: bool) -> Any:
    """An index into a list of this size: an error if none of its rows is meant, where that can be seen."""
    try:
        wrong = strict and not bool(within(index, size).all())
    except Exception:                           # (in `jit` or `vmap` there are no numbers: see `known`)
        wrong = False
    if wrong:
        at = index.reshape(-1).tolist()
        i = next(i for i, x in enumerate(at) if not -size <= x < size)
        where = f"at index {i} of the batch: " if index.shape else ""
        raise IndexError(f"{where}{out_of_range(at[i], int(size))}")
    return index


def added(*operands: Any) -> list[tuple[Any, Any]]:
    """The indices into a list of this size, and what is to be added there, for (size, i, x, j, y, …)."""
    return [(_whole(i) % int(operands[0]) if hasattr(i, "dtype") else int(i) % int(operands[0]), x)
            for i, x in zip(operands[1::2], operands[2::2])]


def gather(found: Functions, watch: bool, rows: Any, index: Any) -> Any:
    """The entry of a list, of arrays or numbers, at each point's index."""
    xp = found.namespace
    if not hasattr(index, "dtype"):
        return rows[int(index)]
    whole = _whole(index) % len(rows)
    if not hasattr(rows, "ndim"):
        zero = 0.0 * index                      # (so all are arrays)
        shape = xp.broadcast_shapes(*[getattr(x, "shape", ()) for x in (index, *rows)])
        rows = xp.stack([xp.broadcast_to(row + zero, shape) for row in rows])
    shape = rows.shape[1:]
    whole = xp.broadcast_to(whole, shape).reshape(-1)
    taken = rows.reshape(len(rows), -1)[whole, xp.arange(len(whole))].reshape(shape)
    return known(found, watch, index, len(rows), taken)


def scatter(found: Functions, watch: bool, size: float, *pairs: Any) -> Any:
    """A list of zeros, with x added at each point's index i, for pairs i, x."""
    xp = found.namespace
    zero = functools.reduce(lambda total, x: total + x, [0.0 * x for x in pairs])
    rows = [zero + 0.0] * int(size)
    for index, x in zip(pairs[::2], pairs[1::2]):
        if hasattr(index, "dtype"):
            whole = found.where(within(index, size), _whole(index) % int(size), -1)
            rows = [row + found.where(whole == r, x, 0.0) for r, row in enumerate(rows)]
        else:
            rows[int(index)] = rows[int(index)] + x
    return xp.stack(rows) if hasattr(zero, "dtype") else rows


def within(index: Any, size: float) -> Any:
    """Whether an index is one of a list of this size, negative ones too."""
    return (-size <= index) & (index < size)


def _whole(x: Any) -> Any:
    return x.astype(int) if hasattr(x, "astype") else x.long()
