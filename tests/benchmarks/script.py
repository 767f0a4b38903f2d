"""The class of a teaching script as such scripts write it: the other yardstick for speed (see plain.py).

It holds the same four things. What differs is style: a reflected operator is a method that calls the
operator, and `backward` sorts the nodes by a nested function that calls itself.
"""
from __future__ import annotations

import math
from typing import Any


class Script:
    """A number that remembers how it was made."""

    __slots__ = ("data", "grad", "children", "local")

    def __init__(self, data: Any, children: tuple[Any, ...] = (), local: tuple[float, ...] = ()):
        self.data = data
        self.grad = 0
        self.children = children
        self.local = local

    def __add__(self, other: Any) -> Script:
        other = other if isinstance(other, Script) else Script(other)
        return Script(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other: Any) -> Script:
        other = other if isinstance(other, Script) else Script(other)
        return Script(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, other: float) -> Script:
        return Script(self.data ** other, (self,), (other * self.data ** (other - 1),))

    def exp(self) -> Script: return Script(math.exp(self.data), (self,), (math.exp(self.data),))
    def log(self) -> Script: return Script(math.log(self.data), (self,), (1 / self.data,))
    def sin(self) -> Script: return Script(math.sin(self.data), (self,), (math.cos(self.data),))
    def cos(self) -> Script: return Script(math.cos(self.data), (self,), (-math.sin(self.data),))
    def sqrt(self) -> Script: return self ** 0.5
    def relu(self) -> Script: return Script(max(0, self.data), (self,), (float(self.data > 0),))

    def tanh(self) -> Script:
        t = math.tanh(self.data)
        return Script(t, (self,), (1 - t ** 2,))

    def __neg__(self) -> Script: return self * -1
    def __radd__(self, other: Any) -> Script: return self + other
    def __sub__(self, other: Any) -> Script: return self + (-other)
    def __rsub__(self, other: Any) -> Script: return other + (-self)
    def __rmul__(self, other: Any) -> Script: return self * other
    def __truediv__(self, other: Any) -> Script: return self * other ** -1
    def __rtruediv__(self, other: Any) -> Script: return other * self ** -1

    def backward(self) -> None:
        """Add to the gradient of all that this depends on."""
        order = []
        seen = set()

        def visit(node: Script) -> None:
            if node not in seen:
                seen.add(node)
                for child in node.children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1
        for node in reversed(order):
            for child, slope in zip(node.children, node.local):
                child.grad += slope * node.grad
