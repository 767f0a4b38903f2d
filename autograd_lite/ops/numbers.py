"""The numbers of the rules: floats that follow IEEE 754, and partials that may be missing."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nan
from typing import Any

from autograd_lite.errors import InputError, errstate, raising
from autograd_lite.ops.op import Op
from autograd_lite.ops.operators import Operators


class Ieee(Operators):
    """A float whose operations never raise, to compute a partial as IEEE 754 would."""

    def __init__(self, data: float):
        self.data = data

    def __float__(self) -> float: return self.data

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Ieee:
        return Ieee(errstate("ignore").run(op.evaluate, [float(x) for x in operands]))

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        return holds(float(self), other)


# -- partials where some may be infinite or missing -----------------------------------------


def partials_or_nan(op: Op, y: Any, xs: Sequence[Any], wanted: Sequence[bool] = ()) -> list[Any]:
    """All partials, or those wanted; None for the others. Where a rule fails: for floats IEEE 754's, else nan
    (inf if it overflows).

    Raises:
        InputError: an operand wanted is an option.
    """
    for i in op.options:
        if wanted and i < len(xs) and wanted[i]:
            raise InputError(f"{op.name}: operand {i + 1} is an option, with no derivative; give a float")
    try:
        if type(y) is not float or raising():   # (for other numbers `errstate` decides)
            return op.partials(y, xs, wanted)
        return errstate("raise").run(op.partials, y, xs, wanted)
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
    """Whether the i-th partial, which is infinite, is missing rather than too large."""
    try:
        errstate("raise").run(op.partials, y, xs, [j == i for j in range(len(xs))])
    except (ValueError, ArithmeticError) as error:
        return not isinstance(error, OverflowError)
    return False
