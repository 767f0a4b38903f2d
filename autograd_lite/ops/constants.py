"""`Constant`: a number that rules write, and `evaluate` takes as it really is."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self


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
