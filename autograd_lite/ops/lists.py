"""`take`: one of several rows, by a whole number that only chooses."""
from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from autograd_lite.errors import InputError, short, shown
from autograd_lite.ops.whole import whole

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Array, X


@overload
def take(rows: Sequence[X], index: SupportsIndex) -> X: ...
@overload
def take(rows: Array, index: SupportsIndex) -> Any: ...


def take(rows: Any, index: Any) -> Any:
    """``rows[index]``, which a compiled function does for any index with one program.

    In a function compiled with ``indices``, those arguments choose by `take` alone, and the gradient goes
    to the row that was taken. All rows are then of one shape.

    Args:
        rows: a list, tuple or array of numbers, or of such rows.
        index: a whole number, NumPy's too; a negative one counts from the end.

    Raises:
        IndexError: there is no such row.
        InputError: `rows` or `index` is something else.

    >>> from autograd_lite import Value
    >>> table = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
    >>> a, b = take(table, -1); (a * b).backward()
    >>> [x.grad for row in table for x in row]
    [0.0, 0.0, 4.0, 3.0]
    """
    if not isinstance(rows, Sequence) and not getattr(rows, "shape", ()) or isinstance(rows, (str, bytes)):
        raise InputError(f"take: the rows must be in a list, tuple or array, not {shown(rows)}")
    if hasattr(type(index), "__take__"):
        return index.__take__(rows)
    i = whole(index, "take: the index", -inf)
    try:
        return rows[i]
    except IndexError:
        raise out_of_range(i, len(rows)) from None


def out_of_range(i: int, n: int) -> IndexError:
    """The error for an index to which there is no row."""
    return IndexError(f"take: index {short(i)} is out of range for {n} row{'s' * (n != 1)}")
