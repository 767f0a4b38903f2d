"""What nodes are called in pictures: within their scope, and in a tooltip if they have no label."""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from autograd_lite.graph.node import op_of
from autograd_lite.graph.value import Value
from autograd_lite.ops.notation import ATOM, LOOSE, Written

_DEEP, _WIDE, _LONG = 2, 6, 60      # how many ops, operands and letters an expression has at most,
_NAME, _SHORT = 150, 24             # how many letters a name in a derivative, and a short expression
_PLAIN = re.compile(r"[^\s+*/^%=<>-]+")


def local(name: str, scope: Sequence[str]) -> str:
    """A name without the prefix that the words of its scope spell, or the last of them.

    >>> local("layers[1].neurons[0].w[0]", ("model", "layers[1]", "neurons[0]"))
    'w[0]'
    """
    for start in range(len(scope)):
        prefix = ".".join(scope[start:]) + "."
        if name.startswith(prefix) and name != prefix:
            return name[len(prefix):]
    return name


def expression(node: Value, depth: int = _DEEP) -> Written:
    """A node's op, as people write it, of the names of its operands.

    >>> x, y = Value(3.0, "x"), Value(2.0, "y")
    >>> expression(x / (y + 1.0)).text
    'x / (y + 1.0)'
    """
    op = op_of(node)
    if op is None:
        return Written(f"{node.data:.6g}", LOOSE if node.data < 0.0 else ATOM)
    if not depth:
        return Written("…")
    operands = node.operands
    names = [called(x, depth - 1) if isinstance(x, Value) else x for x in operands[:_WIDE]]
    if len(operands) <= _WIDE and op.notation:
        written: Written = op.notation.text(*names)
        if len(written.text) <= _LONG:
            return written
    texts = [x.text if isinstance(x, Written) else repr(x) for x in names]
    text = f"{op.name}({', '.join(texts)}{', …' if len(operands) > _WIDE else ''})"
    return Written(text if len(text) <= _LONG else text[:_LONG - 1] + "…")


def called(node: Value, depth: int = _DEEP) -> Written:
    """A node's label, or else its expression."""
    label = node.label
    if not label:
        return expression(node, depth)
    return Written(label, ATOM if _PLAIN.fullmatch(label) else LOOSE)


def derivative(head: Value, tail: Value, name: Callable[[Value], Written] = called) -> str:
    """How the derivative of a node by another is written: ``∂(x / y)/∂x``."""
    def end(node: Value) -> str:
        text, precedence = name(node)
        text = text if len(text) <= _NAME else text[:_NAME - 1] + "…"
        return text if precedence == ATOM else f"({text})"

    return f"∂{end(head)}/∂{end(tail)}"


def short(node: Value) -> Written:
    """A node's label, or else its expression if that is short, or its op in brackets.

    >>> x = Value(2.0, "x"); short(x * x).text, short((x * x + x) * x * x).text
    ('x * x', '(*)')
    """
    found = called(node)
    if node.label or len(found.text) <= _SHORT and "…" not in found.text:
        return found
    return Written(f"({node.op})")
