"""A function of few operations and its derivatives, by the least that Python takes."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.graph import kinks
from autograd_lite.graph.backward import backward
from autograd_lite.graph.node import ZERO, leaked
from autograd_lite.graph.states import at_kink
from autograd_lite.graph.value import Value, new

Row = list[float] | dict[int, float]            # derivatives by few inputs; those by some of many, by place
FEW = 7


def called(f: Callable[..., Any], args: Sequence[float], places: Sequence[int]
           ) -> tuple[Any, list[Row] | None, list[Value]]:
    """What f returns where leaves stand for some of its arguments, the derivatives by these, and these.

    They are frozen then. There are derivatives if f returns one number, or a few in a list or tuple, which
    are plain numbers then; see `rows_of`. Else the result is as f gave it. No mode may be on.

    >>> from autograd_lite import sin
    >>> called(lambda a, b: sin(a) * b, (0.0, 2.0), [0, 1])[:2]
    (0.0, [[2.0, 0.0]])
    """
    own: list[Value] = []
    given: list[Any] = own if len(places) == len(args) else list(args)
    for i in places:
        x = new()
        x._data = args[i]
        x._grad = ZERO
        x._operation = x._a = x._b = x._pa = x._pb = None
        own.append(x)
        if given is not own:
            given[i] = x
    y = f(*given)
    kind = type(y)
    if kind is Value:
        row = _of_one(y, own) if 0 < len(own) < 3 else None
        rows = [row] if row is not None and not kinks.live else rows_of([y], own)
        return y if rows is None else y._data, rows, own
    several = (kind is list or kind is tuple) and {Value}.issuperset(map(type, y))
    rows = rows_of(y if several else (), own)
    return y if rows is None else kind([out._data for out in y]), rows, own


def _of_one(y: Value, own: Sequence[Value]) -> Row | None:
    """The derivatives of one operation on at most two leaves, which are frozen; else None."""
    op, a, b, p, q = y._operation, y._a, y._b, y._pa, y._pb
    x, z = own[0], own[-1]
    if op is None or op.kink is not None and at_kink(y):
        return None
    if p is None:
        p = 0.0
    elif a is not x and a is not z:
        return None
    if q is None:
        q = 0.0
    elif b is not x and b is not z:
        return None
    total = p + q
    if total - total != 0.0:
        return None
    x._grad = z._grad = None
    if x is z:
        return [total]
    if a is x and b is z:
        return [p, q]
    return [(p if a is x else 0.0) + (q if b is x else 0.0), (p if a is z else 0.0) + (q if b is z else 0.0)]


def rows_of(outputs: Sequence[Value], own: Sequence[Value]) -> list[Row] | None:
    """For each of a few nodes the derivatives by leaves; None where one depends on others, too, or lies at a
    kink. It freezes the leaves."""
    rows: list[Any] = []
    try:
        if kinks.live or not 0 < len(outputs) <= 6 * len(own):
            return None
        k = 0
        for x in own:
            x._grad, x._a, x._b = 0.0, own, k
            k += 1
        for y in outputs:
            row = _of_one(y, own) if k < 3 and len(outputs) > 1 else None
            rows.append(_of_tree(y, own, [] if k > FEW else None) if row is None else row)
    finally:
        for x in own:
            x._grad = x._a = x._b = None
    if None in rows:
        for k, y in enumerate(outputs):
            if rows[k] is None:
                found = backward(y, 1.0, own, at_kink) if y.operands else None
                if found is None:
                    return None
                rows[k] = {i: p for i, p in enumerate(found) if p}
    return rows


def _of_tree(y: Value, own: Sequence[Value], met: list[Value] | None) -> Row | None:
    """The same of one node in a third of the time, where what lies between is a tree of nodes of one or two
    operands and no derivative is infinite; else None. Those by leaves that are `met`, if that is a list.

    The leaves have `own` as their `_a` and their places as their `_b`; the derivatives add up in them.
    """
    if met is None:
        for x in own:
            x._grad = 0.0
    if y._a is own:
        return {y._b: 1.0}
    if y._operation is leaked:
        return None
    node: Any = y
    g = 1.0
    rest: list[tuple[Any, float]] = []
    seen: set[Any] = set()
    try:
        while True:
            op = node._operation
            if op is None or op.kink is not None and at_kink(node):
                return None
            p = node._pa
            if p is not None:
                x = node._a
                if x._operation is not None:
                    rest.append((x, g * p))
                elif x._a is own:
                    x._grad += g * p
                    if met is not None:
                        met.append(x)
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
                    if met is not None:
                        met.append(x)
                else:
                    return None
            if not rest:
                break
            node, g = rest.pop()
            if node in seen:
                return None
            seen.add(node)
        row: Any = [x._grad for x in own] if met is None else {x._b: x._grad for x in met}
        total = sum(row if met is None else row.values())
        return row if total - total == 0.0 else None
    finally:
        for x in met or ():
            x._grad = 0.0
