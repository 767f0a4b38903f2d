"""Backward in nine lines, slow and exact: what the engine's passes are held against."""
from __future__ import annotations

from fractions import Fraction
from functools import cache

from autograd_lite import Value


def backward(root, seed=Fraction(1), number=Fraction):
    """{node: seed · ∂root/∂node} for all that carries a gradient: of each node the sum over its users.

    Exact in the recorded partials; a gradient of 0 passes nothing on. With `number` = `size` it gives for
    each node the sizes of all the terms that add up.
    """
    @cache
    def under(node):
        return {node}.union(*[under(x) for x in node.operands if isinstance(x, Value) and x.requires_grad])

    @cache
    def grad(node):
        return seed if node is root else sum(grad(user) * number(p) for user in under(root) for x, p in zip(
            user.operands, user.partials) if x is node and grad(user))
    return {node: grad(node) for node in under(root)}


def size(p):
    return abs(Fraction(p))
