"""`clip_grad_norm`: gradients scaled to a length that a step can bear."""
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autograd_lite.errors import InputError, RangeError, short, signal, type_name
from autograd_lite.graph.changes import change_gradients
from autograd_lite.graph.value import Value, refuse_traced
from autograd_lite.nn.module import Module
from autograd_lite.ops.op import number


def clip_grad_norm(parameters: Module | Mapping[Any, Value] | Iterable[Value], max_norm: float,
                   norm_type: float = 2.0) -> float:
    """Scale the gradients of all parameters by one factor so that their norm is at most `max_norm`.

    Call it between `backward` and the optimiser's `step`. All gradients change or, if it is interrupted
    or raises, none. Frozen parameters do not count. It keeps its digits where squares would overflow.

    Args:
        parameters: leaves in a list or dict, or a module.
        max_norm: the largest norm, at least 0; with inf the gradients stay as they are.
        norm_type: 2 for the length, 1 for the sum of magnitudes, inf for the largest; any p > 0 for
            (Σ |g|^p)^(1/p).

    Returns:
        The norm before, 0.0 if there is no gradient.

    Raises:
        InputError: something else is given, or a parameter twice.
        RangeError: a gradient is not finite, or the norm is too large for a double; `errstate` has a way
            on, by IEEE 754's rules.

    >>> from autograd_lite import Value
    >>> x, y = Value(3.0), Value(4.0)
    >>> (0.5 * (x * x + y * y)).backward()
    >>> clip_grad_norm([x, y], 1.0), x.grad, y.grad
    (5.0, 0.6, 0.8)
    """
    refuse_traced("clip_grad_norm()")
    largest, p = number(max_norm, "clip_grad_norm: max_norm"), number(norm_type, "clip_grad_norm: norm_type")
    if not largest >= 0.0 or not p > 0.0:
        raise InputError(f"clip_grad_norm: max_norm must be at least 0 and norm_type above 0, not "
                         f"{short(max_norm)} and {short(norm_type)}")
    leaves, found = _leaves(parameters), list[float]()

    def scaled(gradients: Sequence[Any]) -> list[Any]:
        for i, (x, g) in enumerate(zip(leaves, gradients)):
            if g is not None and not math.isfinite(g):
                signal(RangeError(f"clip_grad_norm: the gradient of parameter {i}, {x!r}, is not finite; "
                                  "explain(loss) finds where it comes from, zero_grad() drops it",
                                  "clip_grad_norm", (g,), (x,)))
        sizes = [abs(g) for g in gradients if g is not None]
        top, total = max(sizes, default=0.0), _norm(sizes, p)
        found.append(total)
        if total == math.inf and top < math.inf:
            signal(RangeError("clip_grad_norm: the norm of the gradients is too large for a double; scale "
                              "the loss", "clip_grad_norm", (top,)))
        if total <= largest:
            return list(gradients)
        if total < math.inf or top == math.inf or total != total:
            return [None if g is None else g / total * largest for g in gradients]
        rest = _norm([x / top for x in sizes], p)
        return [None if g is None else g / top / rest * largest for g in gradients]

    change_gradients("a gradient that clip_grad_norm scales", leaves, scaled)
    return found[-1]


def _norm(sizes: Sequence[float], p: float) -> float:
    """(Σ size^p)^(1/p), without overflow on the way."""
    if any(map(math.isnan, sizes)):
        return math.nan
    top = max(sizes, default=0.0)
    if top in (0.0, math.inf):
        return top
    if p == 2.0:
        return math.hypot(*sizes)
    try:
        return float(top * math.fsum([(x / top) ** p for x in sizes]) ** (1.0 / p))
    except OverflowError:                       # (p is near 0)
        return math.inf


def _leaves(parameters: Any) -> list[Value]:
    given = parameters.parameters() if isinstance(parameters, Module) else (
        parameters.values() if isinstance(parameters, Mapping) else parameters)
    if not isinstance(given, Iterable):
        raise InputError("clip_grad_norm: expected a list of parameters, such as model.parameters(), not "
                         f"{type_name(parameters)}")
    leaves = list(given)
    for i, x in enumerate(leaves):
        if not isinstance(x, Value) or x.op:
            raise InputError(f"clip_grad_norm: parameter {i} must be a leaf (a Value made from a number, not "
                             f"computed), got {short(x, 200)}")
    if len(set(map(id, leaves))) < len(leaves):
        raise InputError("clip_grad_norm: a parameter occurs twice; it would count twice")
    return leaves
