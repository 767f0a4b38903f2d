"""The numbers of the rules: floats that follow IEEE 754, constants, and partials that may be missing."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nan
from typing import Any, Self

from autograd_lite.errors import errstate, raising
from autograd_lite.ops.op import Op
from autograd_lite.ops.operators import Operators


class Ieee(Operators):
    """A float whose operations never raise, to compute a partial as IEEE 754 would."""

    def __init__(self, data: float):
        self.data = data

    def __float__(self) -> float: return self.data

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Ieee:
        with errstate("ignore"):
            return Ieee(op.evaluate([float(x) for x in operands]))

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        return holds(float(self), other)


class Constant(float):
    """A number that no double equals: the nearest double, and `exact(m)` in other numbers."""

    def __new__(cls, nearest: float, exact: Callable[[Any], Any]) -> Self:
        self = float.__new__(cls, nearest)
        self.exact = exact
        return self

    exact: Callable[[Any], Any]

    def __neg__(self) -> Constant:
        return Constant(-float(self), lambda m: -self.exact(m))

    def __truediv__(self, x: Any) -> Any:       # so that an Ieee divides in its own way
        return float(self) / x if isinstance(x, float) else NotImplemented

    def __reduce__(self) -> tuple[Any, ...]:
        return float, (float(self),)


# -- partials where some may be infinite or missing -----------------------------------------


def partials_or_nan(op: Op, y: Any, xs: Sequence[Any], wanted: Sequence[bool] = ()) -> list[Any]:
    """All partials, or those wanted; None for the others. Where a rule fails: for floats IEEE 754's, else nan
    (inf if it overflows).

    Raises:
        InputError: an operand wanted is an option.
    """
    for i in op.options:
        if wanted and i < len(xs) and wanted[i]:
            op.partial(i, y, xs)                # raises
    try:
        if type(y) is not float or raising():   # (for other numbers `errstate` decides)
            return op.partials(y, xs, wanted)
        with errstate("raise"):
            return op.partials(y, xs, wanted)
    except (ValueError, ArithmeticError) as error:
        substitute = inf if isinstance(error, OverflowError) else nan
    flags = wanted or op.differentiable(len(xs))
    if not op.open and sum(flags) > 1:          # one of them fails: which one?
        return [partials_or_nan(op, y, xs, [j == i for j in range(len(xs))])[i] if flag else None
                for i, flag in enumerate(flags)]
    try:
        y, *xs = [Ieee(x) if type(x) is float else x for x in (y, *xs)]
        return [float(p) if isinstance(p, (Ieee, float)) else p for p in op.partials(y, xs, wanted)]
    except (ValueError, ArithmeticError, TypeError, AttributeError):    # (it may take floats alone)
        return [substitute if flag else None for flag in flags]


def is_missing(op: Op, i: int, y: float, xs: Sequence[float]) -> bool:
    """Whether the i-th partial is missing, rather than too large."""
    try:
        with errstate("raise"):
            p = op.partial(i, y, xs)
        return bool(p != p)
    except OverflowError:
        return False
    except (ValueError, ArithmeticError):
        return True
