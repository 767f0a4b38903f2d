"""What nodes hold, read from their slots; and a node made of what one holds, for copies and pickles."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autograd_lite.graph import node as nodes
from autograd_lite.graph.copying import Copies
from autograd_lite.graph.node import Node, Note, held
from autograd_lite.ops.op import Op

_UNREACHED = 0                              # `ZERO`, in a pickle: an int, which no gradient is


def reached(node: Node) -> bool:
    """Whether a gradient has arrived at a node, or was assigned, since it was made."""
    return node._grad is not nodes.ZERO


def with_kinks(roots: Iterable[Any]) -> list[Node]:
    """The nodes under roots whose op has a kink somewhere. (`Program` would take six times as long.)"""
    found: list[Node] = []
    seen: set[Node] = set()
    stack = [x for x in roots if isinstance(x, Node)]
    while stack:
        node = stack.pop()
        op = node._operation
        if op is None or node in seen:
            continue
        seen.add(node)
        if op.kink is not None:
            found.append(node)
        a, b = node._a, node._b
        if type(a) is tuple:
            stack += [x for x in a if isinstance(x, Node)]
            continue
        if type(a) is not float:
            stack.append(a)
        if b is not None and type(b) is not float:
            stack.append(b)
    return found


def at_kink(node: Node) -> bool:
    """Whether the operands of a node lie at a kink of its op."""
    op: Any = node._operation
    if op is None or op.kink is None:
        return False
    operands = node._a if type(node._a) is tuple else (node._a,) if node._b is None else (node._a, node._b)
    return kinked(op, [x if type(x) is float else x._data for x in operands])


def kinked(op: Any, xs: Sequence[float]) -> bool:
    """Whether these operands lie at a kink of an op that has one."""
    try:
        return bool(op.kink(*xs) == 0.0)
    except (ValueError, ArithmeticError):
        return False


def state(node: Node, operands: Sequence[Any]) -> tuple[Any, ...]:
    """What a node holds, with `operands` in place of its own and then its guards'."""
    grad = held(node)
    grad = _UNREACHED if grad is nodes.ZERO else grad
    note = getattr(node, "_note", None)
    if note is not None and note.guards:
        rest = iter(operands[len(node.operands):])
        note = note._replace(guards=tuple([guard._replace(operands=[next(rest) for _ in guard.operands])
                                           for guard in note.guards]))
    return (type(node), node._data, grad, node._operation, operands[:len(node.operands)], node._pa, node._pb,
            note)


def restored(kind: type[Node], data: float, grad: Any, op: Op | None, operands: tuple[Any, ...], pa: Any,
             pb: Any, note: Note | None) -> Node:
    """A node that holds this."""
    node = kind.__new__(kind)
    node._data, node._operation, node._pa, node._pb = data, op, pa, pb
    node._grad = nodes.ZERO if type(grad) is int else grad
    many = op is not None and (op.open or len(operands) > 2)
    node._a, node._b = (operands, None) if many else (*operands, None, None)[:2]
    if note is not None:
        node._note = note
    return node


nodes.copies = Copies(state, restored)
