"""A function of few operations and its derivatives, by the least that Python takes."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.graph import kinks
from autograd_lite.graph.backward import backward
from autograd_lite.graph.node import ZERO
from autograd_lite.graph.value import Value, new


def called(f: Callable[..., Any], args: Sequence[float], places: Sequence[int]
           ) -> tuple[Any, list[list[float]] | None, list[Value]]:
    """What f returns where leaves stand for some of its arguments, the derivatives by these, and these.

    They are frozen then. There is a row of derivatives for each of f's results, which are plain numbers
    then: one, or a few in a list or tuple. Where f gives others, or they depend on others' leaves or on an
    op with a kink, there are no rows, and the result is as f gave it. No mode may be on.

    >>> from autograd_lite import sin
    >>> called(lambda a, b: sin(a) * b, (0.0, 2.0), [0, 1])[:2]
    (0.0, [[2.0, 0.0]])
    """
    own: list[Value] = []
    given: list[Any] = list(args)
    for i in places:
        x = given[i] = new()
        x._data, x._grad = args[i], ZERO
        x._operation = x._a = x._b = x._pa = x._pb = None
        own.append(x)
    y = f(*given)
    kind = type(y)
    if kind is Value and own:
        rows: list[Any] = [_of_tree(y, own) or _of_graph(y, own)]
    elif (kind is list or kind is tuple) and 0 < len(y) <= 6 * len(own) and {Value}.issuperset(map(type, y)):
        rows = [_of_tree(out, own) or _of_graph(out, own) for out in y]
    else:
        rows = [None]
        for x in own:
            x._grad = None
    if None in rows or kinks.live:
        return y, None, own
    return y._data if kind is Value else kind([out._data for out in y]), rows, own


def _of_graph(y: Value, own: list[Value]) -> list[float] | None:
    """The derivatives by leaves, which are frozen; None where y depends on others or on an op with a kink."""
    found = backward(y, 1.0, own, True) if y.operands else None
    return None if found is None else [p or 0.0 for p in found]


def _of_tree(y: Value, own: list[Value]) -> list[float] | None:
    """The same in a third of the time, where what lies between is a tree of nodes of one or two operands and
    no derivative is infinite; else None. It freezes the leaves.

    The derivatives add up in the leaves, which are marked by having `own` as their `_a`.
    """
    try:
        for x in own:
            x._grad, x._a = 0.0, own
        node: Any = y
        g = 1.0
        rest: list[tuple[Any, float]] = []
        met: set[Any] = set()
        while True:
            op = node._operation
            if op is None or op.kink is not None:
                return None
            p = node._pa
            if p is not None:
                x = node._a
                if x._operation is not None:
                    rest.append((x, g * p))
                elif x._a is own:
                    x._grad += g * p
                else:
                    return None
            p = node._pb
            if p is not None:
                x = node._b
                if x is None:
                    return None
                if x._operation is not None:
                    rest.append((x, g * p))
                elif x._a is own:
                    x._grad += g * p
                else:
                    return None
            if not rest:
                break
            node, g = rest.pop()
            if node in met:
                return None
            met.add(node)
        row = [x._grad for x in own]
        total = sum(row)
        return row if total - total == 0.0 else None
    finally:
        for x in own:
            x._grad = x._a = None
