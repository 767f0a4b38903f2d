"""Compiled functions held against eager ones: what each gives at a point, and whether that is the same."""
from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite import Value, errstate
from autograd_lite.transforms.trees import rebuild


def entered(x: Any) -> Any:
    """An argument as a traced function sees it: a Value for each number, through which no gradient flows."""
    return rebuild(x, lambda x: x if isinstance(x, int) else Value(float(x), requires_grad=False),
                   lambda x: x)


def given(x: Any) -> Any:
    """A result in floats: numbers in place of Values, floats in place of ints."""
    return rebuild(x, lambda x: x.data if isinstance(x, Value) else x if isinstance(x, bool) else float(x),
                   lambda x: x)


def outcome(f: Callable[..., Any], args: Sequence[Any], kwargs: Any = {}, mode: str = "raise") -> Any:
    """What a call gives: its result, or the type and the words of its error."""
    try:
        with errstate(mode):
            return f(*args, **kwargs)
    except (ArithmeticError, ValueError, TypeError) as error:
        return type(error), str(error)


def eager(f: Callable[..., Any], args: Sequence[Any], kwargs: Any = {}, mode: str = "raise") -> Any:
    """What the function itself gives."""
    return outcome(lambda *args, **kwargs: given(f(*args, **kwargs)), entered(tuple(args)),
                   entered(dict(kwargs)), mode)


def ulps(a: float, b: float) -> float:
    """How many doubles lie between two numbers."""
    if a == b or a != a and b != b:
        return 0.0
    return abs(a - b) / max(math.ulp(a), math.ulp(b)) if abs(a) + abs(b) < math.inf else math.inf


def difference(a: Any, b: Any, allowed: float = 0.0) -> str:
    """How two outcomes differ, in structure, type or number; "" if they do not."""
    if type(a) is not type(b):
        return f"{a!r} is a {type(a).__name__}, {b!r} a {type(b).__name__}"
    if isinstance(a, float):
        return "" if ulps(a, b) <= allowed else f"{a!r} is not {b!r} ({ulps(a, b):.3g} ulp)"
    if isinstance(a, np.ndarray):
        return (difference(a.tolist(), b.tolist(), allowed) if (a.shape, a.dtype) == (b.shape, b.dtype) else
                f"an array of {a.shape} {a.dtype} and one of {b.shape} {b.dtype}")
    if isinstance(a, dict):
        return (difference(list(a.values()), list(b.values()), allowed) if list(a) == list(b) else
                f"keys {list(a)} and {list(b)}")
    if dataclasses.is_dataclass(a) and not isinstance(a, type):
        return difference(vars(a), vars(b), allowed)
    if isinstance(a, (list, tuple)) and len(a) == len(b):
        return next(filter(None, [difference(x, y, allowed) for x, y in zip(a, b)]), "")
    return "" if a == b else f"{a!r} is not {b!r}"


def held(fast: Callable[..., Any], f: Callable[..., Any], args: Sequence[Any], allowed: float = 0.0,
         mode: str = "raise", kwargs: Any = {}) -> str:
    """How a compiled function differs from the function itself at some arguments; "" if it does not."""
    return difference(outcome(lambda *args, **kwargs: given(fast(*args, **kwargs)), args, kwargs, mode),
                      eager(f, args, kwargs, mode), allowed)
