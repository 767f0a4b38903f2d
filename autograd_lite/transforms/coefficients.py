"""Sums and products of the coefficients of power series, floats or nodes."""
from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

from autograd_lite.errors import ignoring
from autograd_lite.graph.backward import finite
from autograd_lite.graph.node import plain
from autograd_lite.ops.selection import stopped
from autograd_lite.ops.special import added

NOTHING = float()           # a coefficient without terms: a 0 that is nothing times infinity, too


def is_zero(x: Any) -> bool:
    """Whether a coefficient is a plain 0."""
    return type(x) is float and x == 0.0


def total(terms: Sequence[Any]) -> Any:
    """The sum of terms, plain zeros left out; `NOTHING` if there is none."""
    found = [t for t in terms if type(t) is not float or t != 0.0]
    if not found:
        return next((t for t in terms if t is not NOTHING), NOTHING)
    return functools.reduce(operator.add, found)


def products(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """Σ a[i]·b[i]; 0 times anything infinite or missing is 0, unless `errstate` ignores it."""
    if type(a[0]) is type(b[0]) is float:
        y = added(map(operator.mul, a, b))
        if type(y) is float and y - y == 0.0 and (y or not ignoring()):
            return y
    if ignoring():
        return total([x * y for x, y in zip(a, b) if not (x is NOTHING or y is NOTHING)])
    return total([_product(x, y) for x, y in zip(a, b) if not (is_zero(x) or is_zero(y))])


def _product(x: Any, y: Any) -> Any:
    for zero, other in ((x, y), (y, x)):
        if plain(zero) == 0.0 and not finite(other):
            return stopped(zero)
    return x * y
