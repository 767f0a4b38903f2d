"""Losses of one sample; over a list of outputs they add up."""
from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from autograd_lite.errors import InputError, short
from autograd_lite.nn.layers import entries
from autograd_lite.ops.activations import relu, softplus
from autograd_lite.ops.elementary import power, sub
from autograd_lite.ops.sequences import log_softmax_first, sum
from autograd_lite.ops.whole import whole

if TYPE_CHECKING:
    from autograd_lite.graph.value import Value
    from autograd_lite.ops.signatures import AnyNumbers, Floats, Mixed, Plain

    Given = Plain | Floats                      # one or many
    Output = Value | Plain | Mixed[Value]


def _paired(name: str, outputs: Any, targets: Any) -> list[tuple[Any, Any]]:
    left, right = entries(name, outputs), entries(name, targets)
    if len(left) != len(right) or not left:
        raise InputError(f"{name}: there must be as many targets as outputs, and at least one; got "
                         f"{len(right)} for {len(left)}")
    return list(zip(left, right))


def _total(losses: list[Any]) -> Any:
    return sum(losses) if losses[1:] else losses[0]


@overload
def squared_error(outputs: AnyNumbers, targets: Any) -> Any: ...
@overload
def squared_error(outputs: Given, targets: Given) -> float: ...
@overload
def squared_error(outputs: Output, targets: Output) -> Value: ...


def squared_error(outputs: Any, targets: Any) -> Any:
    """Σ ½(target − output)², over a single output or a list.

    Raises:
        RangeError: a square is too large for a double.

    >>> squared_error([0.5, 1.0], [1.0, 3.0])
    2.125
    """
    return _total([0.5 * power(sub(t, o), 2.0) for o, t in _paired("squared_error", outputs, targets)])


@overload
def hinge(scores: AnyNumbers, targets: Any) -> Any: ...
@overload
def hinge(scores: Given, targets: Given) -> float: ...
@overload
def hinge(scores: Output, targets: Output) -> Value: ...


def hinge(scores: Any, targets: Any) -> Any:
    """Σ max(0, 1 − target·score); each target is −1 or 1.

    >>> hinge([0.25, 3.0], [-1, 1])
    1.25
    """
    pairs = _paired("hinge", scores, targets)
    for _, t in pairs:
        if t != 1.0 and t != -1.0:
            raise InputError(f"hinge: a target is -1 or 1, not {short(t)}")
    return _total([relu(1.0 - t * s) for s, t in pairs])


@overload
def binary_cross_entropy(logits: AnyNumbers, targets: Any) -> Any: ...
@overload
def binary_cross_entropy(logits: Given, targets: Given) -> float: ...
@overload
def binary_cross_entropy(logits: Output, targets: Output) -> Value: ...


def binary_cross_entropy(logits: Any, targets: Any) -> Any:
    """−Σ (t·log p + (1 − t)·log(1 − p)) with p = sigmoid(logit), exact at any logit.

    A target is the probability of the class, 0 ≤ t ≤ 1, usually 0 or 1.

    >>> binary_cross_entropy(1000.0, 0), binary_cross_entropy(-1000.0, 0)
    (1000.0, 0.0)
    """
    losses = []
    for x, t in _paired("binary_cross_entropy", logits, targets):
        if not 0.0 <= t <= 1.0:
            raise InputError(f"binary_cross_entropy: a target is a probability from 0 to 1, not {short(t)}")
        if type(t) is float and t in (0.0, 1.0):
            losses.append(softplus(-x if t else x))
        else:
            losses.append(t * softplus(-x) + (1.0 - t) * softplus(x))
    return _total(losses)


@overload
def softmax_cross_entropy(logits: AnyNumbers, target: Any) -> Any: ...
@overload
def softmax_cross_entropy(logits: Floats, target: SupportsIndex) -> float: ...
@overload
def softmax_cross_entropy(logits: Output, target: SupportsIndex) -> Value: ...


def softmax_cross_entropy(logits: Any, target: Any) -> Any:
    """−log softmax(logits)[target]; `target` is the index of the class.

    >>> softmax_cross_entropy([1000.0, 0.0], 1)
    1000.0
    """
    name = "softmax_cross_entropy"
    if not isinstance(logits, Iterable):
        raise InputError(f"{name}: expected a list of logits, one for each class, got {short(logits)}")
    xs = entries(name, logits)
    try:
        k = whole(target, name, -inf)
    except InputError:
        raise InputError(f"{name}: the target is the index of a class, not {short(target)}") from None
    if not 0 <= k < len(xs):
        raise InputError(f"{name}: there are {len(xs)} classes, numbered from 0; {k} is not one of them")
    return -log_softmax_first(xs.pop(k), *xs)
