"""A function of few operations and its derivatives, by the least that Python takes."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd_lite.errors import InputError
from autograd_lite.graph import kinks, value
from autograd_lite.graph.backward import backward
from autograd_lite.graph.node import ZERO, leaked
from autograd_lite.graph.states import at_kink
from autograd_lite.graph.value import Value, new
from autograd_lite.transforms.structures import as_array, as_objects, is_objects
from autograd_lite.transforms.trees import is_number, kind_of, leaves

Row = list[float] | dict[int, float]            # derivatives by few inputs; those by some of many, by place
Linear = list[tuple[float, Row]]                # a result's numbers, and the derivatives of each
_OF_TUPLES, _OF_OBJECTS = kind_of.dispatch(tuple), kind_of.dispatch(object)


def flat(x: Any) -> Sequence[Any]:
    """The parts of a list, tuple or dict of Values and floats alone; else none."""
    parts = x if type(x) is list or type(x) is tuple else [*x.values()] if type(x) is dict else ()
    return parts if {Value, float}.issuperset(map(type, parts)) else ()


def with_leaves(xs: Iterable[Any], kinds: tuple[type[Any], ...], own: list[Value], given: list[Any],
                others: list[Any]) -> list[Any]:
    """These structures with leaves in place of the numbers with an uncertainty, which are of these kinds.

    Those leaves and numbers are collected, and what is neither a number nor a structure, or a Value.
    """
    trees: list[Any] = []
    for x in xs:
        cls = type(x)
        if cls in kinds:
            given.append(x)
            y = new()
            y._data = x.nominal_value
            y._grad = ZERO
            y._operation = y._a = y._b = y._pa = y._pb = None
            own.append(y)
            trees.append(y)
        elif cls is float or cls is int:
            trees.append(x)
        elif cls is list:
            trees.append(with_leaves(x, kinds, own, given, others))
        elif cls is tuple:
            trees.append(tuple(with_leaves(x, kinds, own, given, others)))
        elif cls is dict:
            parts = with_leaves(x.values(), kinds, own, given, others)
            tree: dict[Any, Any] = {}
            for key in x:                               # (in half the time of `zip`)
                tree[key] = parts[len(tree)]
            trees.append(tree)
        elif x is None or cls is str or cls is bool:
            trees.append(x)
        else:
            trees.append(_with_leaves(x, kinds, own, given, others))
    return trees


def _with_leaves(x: Any, kinds: tuple[type[Any], ...], own: list[Value], given: list[Any],
                 others: list[Any]) -> Any:
    """The same of anything else."""
    if isinstance(x, (float, int)):
        return x
    if is_objects(x):
        n = len(own)
        parts = with_leaves(x.ravel().tolist(), kinds, own, given, others)
        return (as_objects if len(own) > n else as_array)(parts, x.shape)
    if isinstance(x, kinds):
        given.append(x)
        own.append(Value(x.nominal_value))
        return own[-1]
    cls, held = type(x), getattr(x, "__dict__", None)   # (what follows is what `kind_of` does, in less time)
    if held is None and hasattr(x, "_fields") and kind_of.dispatch(cls) is _OF_TUPLES:
        return tuple.__new__(cls, with_leaves(x, kinds, own, given, others))
    fields = getattr(cls, "__dataclass_fields__", None)
    if (held and fields and held.keys() == fields.keys() and getattr(cls, "__new__") is object.__new__
            and kind_of.dispatch(cls) is _OF_OBJECTS):
        new_x = object.__new__(cls)
        new_x.__dict__.update(zip(held, with_leaves(held.values(), kinds, own, given, others)))
        return new_x
    if type(x) is not Value:
        if is_number(x):
            return x
        if kind := kind_of(x, True):
            return kind.again(x, with_leaves(kind.parts(x), kinds, own, given, others))
    others.append(x)
    return x


def called(f: Callable[..., Any], args: Sequence[Any], own: Sequence[Value]) -> tuple[Any, Linear | None]:
    """What f returns, and its numbers with their derivatives by leaves among the arguments.

    None if that takes a trace: f has many results, one of them depends on other leaves, too, or lies at a
    kink, or a mode is on. The leaves are frozen then.

    >>> from autograd_lite import sin
    >>> a, b = Value(0.0), Value(2.0)
    >>> called(lambda a, b: sin(a) * b, [a, b], [a, b])[1]
    [(0.0, [2.0, 0.0])]
    """
    if value.special or kinks.live:
        return None, None
    try:
        result = f(*args)
    except BaseException:
        for x in own:
            x._grad = None
        raise
    objects = type(result) is not Value and is_objects(result)
    if objects and result.shape == ():
        result = result[()]                             # (the number in it)
    if type(result) is Value:
        if 0 < len(own) < 3 and not kinks.live:
            row = _of_one(result, own)
            linear: Any = [(result._data, row)]
            return result, linear if row is not None else _completed(linear, [result], own)
        outputs: Sequence[Any] = [result]
    else:
        try:
            outputs = result.ravel().tolist() if objects else flat(result) or leaves(result)
        except InputError:                              # (which `returned` will say)
            outputs = []
    return result, _linear(outputs, own)


def _linear(outputs: Sequence[Any], own: Sequence[Value]) -> Linear | None:
    """The same of several results; of many, if the trees above them are small and a trace takes longer."""
    found: list[Any] = []
    many = len(outputs) > 6 * len(own)
    most = 40 + 12 * len(own)                           # (as long as a trace takes for each result)
    left = most * len(outputs)
    try:
        if kinks.live or not (outputs and own):
            return None
        for k, x in enumerate(own):
            x._grad, x._a, x._b = None, own, k
        if many and type(y := outputs[len(outputs) // 2]) is Value:     # (the average of what grows)
            seen: set[Any] = set()
            if _of_tree(y, own, seen) is None or len(seen) > most:
                return None
        for y in outputs:
            if type(y) is Value:
                if many or len(own) > 2:
                    seen = set()
                    row = _of_tree(y, own, seen)
                    left -= len(seen)
                    if many and (row is None or left < 0):
                        return None
                else:
                    row = _of_one(y, own)
                found.append((y._data, row))
            elif type(y) is float and y - y == 0.0 or type(y) is int and -2 ** 53 <= y <= 2 ** 53:
                found.append((y, {}))
            else:
                return None
    finally:
        for x in own:
            x._grad = x._a = x._b = None
    return _completed(found, outputs, own)


def _completed(found: list[Any], outputs: Sequence[Any], own: Sequence[Value]) -> Linear | None:
    """The same, with a backward pass for each result whose derivatives are not found yet."""
    for k, (data, row) in enumerate(found):
        if row is None:
            y = outputs[k]
            partials = backward(y, 1.0, own, at_kink) if y.operands else None
            if partials is None:
                return None
            found[k] = data, {i: p for i, p in enumerate(partials) if p}
    return found


def _of_one(y: Value, own: Sequence[Value]) -> Row | None:
    """The derivatives of one operation by one or two leaves, which are frozen; or of more, see `_of_pair`."""
    op, a, b, p, q = y._operation, y._a, y._b, y._pa, y._pb
    x, z = own[0], own[-1]
    x._grad = z._grad = None
    if op is None or op is leaked or op.kink is not None and at_kink(y):
        return {0: 1.0} if y is x else {1: 1.0} if y is z else None
    if p is None:
        p = 0.0
    elif a is not x and a is not z:
        return _of_pair(y, x, z)
    if q is None:
        q = 0.0
    elif b is not x and b is not z:
        return _of_pair(y, x, z)
    total = p + q
    if total - total != 0.0:
        return None
    if x is z:
        return [total]
    if a is x and b is z:
        return [p, q]
    return [(p if a is x else 0.0) + (q if b is x else 0.0), (p if a is z else 0.0) + (q if b is z else 0.0)]


def _of_pair(y: Value, x: Value, z: Value) -> Row | None:
    """The derivatives by two leaves (or one) in a third of the time of a backward pass.

    None if what lies between is no tree of nodes of one or two operands, or a derivative is infinite.
    """
    node: Any = y
    g, by_x, by_z = 1.0, 0.0, 0.0
    rest: list[tuple[Any, float]] = []
    seen: set[Any] = set()
    while True:
        op, a, b, p, q = node._operation, node._a, node._b, node._pa, node._pb
        if op is None or op is leaked or op.kink is not None and at_kink(node):
            return None
        if p is not None:
            if a is x:
                by_x += g * p
                p = None
            elif a is z:
                by_z += g * p
                p = None
        if q is not None:
            if b is x:
                by_x += g * q
                q = None
            elif b is z:
                by_z += g * q
                q = None
            elif b is None:
                return None
        if q is not None:
            if p is not None:
                rest.append((a, g * p))
            node, g = b, g * q
        elif p is not None:
            node, g = a, g * p
        elif rest:
            node, g = rest.pop()
        else:
            break
        if node in seen:
            return None
        seen.add(node)
    total = by_x + by_z
    if total - total != 0.0:
        return None
    return [by_x] if x is z else [by_x, by_z]


def _of_tree(y: Value, own: Sequence[Value], seen: set[Any]) -> Row | None:
    """The same by many leaves, which have `own` as their `_a` and their places as their `_b`; with what lies
    between, which is collected."""
    node: Any = y
    g = 1.0
    row: dict[Any, float] = {}
    rest: list[tuple[Any, float]] = []
    while True:
        op, a, b, p, q = node._operation, node._a, node._b, node._pa, node._pb
        if op is None or op is leaked or op.kink is not None and at_kink(node):
            return {y._b: 1.0} if y._a is own else None
        if p is not None and a._a is own:
            row[a._b] = row.get(a._b, 0.0) + g * p
            p = None
        if q is not None:
            if b is None:
                return None
            if b._a is own:
                row[b._b] = row.get(b._b, 0.0) + g * q
                q = None
        if q is not None:
            if p is not None:
                rest.append((a, g * p))
            node, g = b, g * q
        elif p is not None:
            node, g = a, g * p
        elif rest:
            node, g = rest.pop()
        else:
            break
        if node in seen:
            return None
        seen.add(node)
    total = sum(row.values())
    return row if total - total == 0.0 else None
