"""Walks over anything with `.operands`: iterative, so depth is no limit.

An operand that is a plain number is not a node, and is skipped.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

N = TypeVar("N")


def operand_nodes(node: Any) -> list[Any]:
    """The nodes among a node's operands, in order, with repetitions."""
    return [x for x in node.operands if not isinstance(x, (float, int))]


def needed(node: Any) -> Sequence[Any]:
    """A node's operands, then those of its guards."""
    guards = getattr(node, "__guards__", ())
    return (*node.operands, *[x for guard in guards for x in guard.operands]) if guards else node.operands


def needed_nodes(node: Any) -> list[Any]:
    """The nodes among these."""
    return [x for x in needed(node) if not isinstance(x, (float, int))]


def topological(roots: Iterable[N], operands: Callable[[N], Iterable[N]] = operand_nodes) -> list[N]:
    """Every node the roots depend on, and the roots, each after its operands.

    The order depends on the graph alone. `operands` may restrict or extend the walk, without a cycle.

    >>> from autograd_lite import Value
    >>> x = Value(2.0, "x"); y = (x * x).exp()
    >>> [node.op or node.label for node in topological([y])]
    ['x', '*', 'exp']
    """
    order: list[N] = []
    seen: set[N] = set()
    stack: list[N | None] = []
    for root in roots:
        stack.append(root)
        while stack:
            node = stack.pop()
            if node is None:                    # all operands of the node below are done
                order.append(stack.pop())  # type: ignore[arg-type]
            elif node not in seen:
                seen.add(node)
                below = [x for x in operands(node) if x not in seen]
                if below:
                    stack += (node, None)
                    stack += below[::-1]
                else:
                    order.append(node)
    return order
