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


def ieee_partials(op: Op, y: float, xs: Sequence[float]) -> list[float | None]:
    """All partials as IEEE 754 arithmetic gives them: infinite or nan where there is none."""
    return [None if p is None else float(p) for p in op.partials(Ieee(y), [Ieee(x) for x in xs])]


def partial_or_nan(op: Op, i: int, y: Any, xs: Sequence[Any]) -> Any:
    """The i-th partial; nan where its rule fails, infinite where it overflows.

    Raises:
        InputError: the i-th operand is an option, by which no rule differentiates.
    """
    if type(y) is float and not raising():      # (for other numbers `errstate` decides)
        with errstate("raise"):
            return partial_or_nan(op, i, y, xs)
    try:
        return op.partial(i, y, xs)
    except OverflowError:
        return ieee_partials(op, y, xs)[i] if type(y) is float else inf
    except (ValueError, ArithmeticError):
        return nan


def partials_or_nan(op: Op, y: Any, xs: Sequence[Any], wanted: Sequence[bool] = ()) -> list[Any]:
    """All partials in this way, or those wanted; None for the others and for options."""
    if not op.open:
        for i in op.options:
            if wanted and i < len(xs) and wanted[i]:
                op.partial(i, y, xs)            # raises: it is an option
        try:
            if type(y) is not float or raising():
                return op.partials(y, xs, wanted)
        except (ValueError, ArithmeticError):
            pass                                # one of them fails: which one?
        flags = wanted or op.differentiable(len(xs))
        return [partial_or_nan(op, i, y, xs) if flag else None for i, flag in enumerate(flags)]
    if type(y) is float and not raising():
        with errstate("raise"):
            return partials_or_nan(op, y, xs, wanted)
    try:
        return op.partials(y, xs, wanted)
    except (ValueError, ArithmeticError):
        return [nan if flag else None for flag in wanted or (True,) * len(xs)]
