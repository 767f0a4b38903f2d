"""The plain class of a teaching script, made as quick as such a class gets: the yardstick for speed.

A node has four slots: its number, its gradient, its operands and its local derivatives, which are
computed at once. There is no closure, no check, no option and no care for digits. As such scripts do,
`a - b` is `a + b * -1`, `a / b` is `a * b ** -1`, and what has many operands is a chain of + and *.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

LOG_2, LOG_10 = math.log(2.0), math.log(10.0)
ROOT_2, ROOT_2_PI, ERF_SLOPE = math.sqrt(2.0), math.sqrt(2.0 * math.pi), 2.0 / math.sqrt(math.pi)


class Elementary:
    """The elementary functions."""

    __slots__ = ()
    data: Any

    def exp(self) -> Plain:
        y = math.exp(self.data)
        return Plain(y, (self,), (y,))

    def exp2(self) -> Plain:
        y = math.exp2(self.data)
        return Plain(y, (self,), (y * LOG_2,))

    def expm1(self) -> Plain:
        y = math.expm1(self.data)
        return Plain(y, (self,), (y + 1.0,))

    def log(self) -> Plain:
        return Plain(math.log(self.data), (self,), (1.0 / self.data,))

    def log2(self) -> Plain:
        return Plain(math.log2(self.data), (self,), (1.0 / (self.data * LOG_2),))

    def log10(self) -> Plain:
        return Plain(math.log10(self.data), (self,), (1.0 / (self.data * LOG_10),))

    def log1p(self) -> Plain:
        return Plain(math.log1p(self.data), (self,), (1.0 / (1.0 + self.data),))

    def sqrt(self) -> Plain:
        y = math.sqrt(self.data)
        return Plain(y, (self,), (0.5 / y,))

    def cbrt(self) -> Plain:
        y = math.cbrt(self.data)
        return Plain(y, (self,), (1.0 / (3.0 * y * y),))

    def sin(self) -> Plain:
        return Plain(math.sin(self.data), (self,), (math.cos(self.data),))

    def cos(self) -> Plain:
        return Plain(math.cos(self.data), (self,), (-math.sin(self.data),))

    def tan(self) -> Plain:
        y = math.tan(self.data)
        return Plain(y, (self,), (1.0 + y * y,))

    def asin(self) -> Plain:
        x = self.data
        return Plain(math.asin(x), (self,), (1.0 / math.sqrt(1.0 - x * x),))

    def acos(self) -> Plain:
        x = self.data
        return Plain(math.acos(x), (self,), (-1.0 / math.sqrt(1.0 - x * x),))

    def atan(self) -> Plain:
        x = self.data
        return Plain(math.atan(x), (self,), (1.0 / (1.0 + x * x),))

    def sinh(self) -> Plain:
        return Plain(math.sinh(self.data), (self,), (math.cosh(self.data),))

    def cosh(self) -> Plain:
        return Plain(math.cosh(self.data), (self,), (math.sinh(self.data),))

    def tanh(self) -> Plain:
        y = math.tanh(self.data)
        return Plain(y, (self,), (1.0 - y * y,))

    def sech2(self) -> Plain:
        t = math.tanh(self.data)
        y = 1.0 - t * t
        return Plain(y, (self,), (-2.0 * y * t,))

    def asinh(self) -> Plain:
        x = self.data
        return Plain(math.asinh(x), (self,), (1.0 / math.sqrt(x * x + 1.0),))

    def acosh(self) -> Plain:
        x = self.data
        return Plain(math.acosh(x), (self,), (1.0 / math.sqrt(x * x - 1.0),))

    def atanh(self) -> Plain:
        x = self.data
        return Plain(math.atanh(x), (self,), (1.0 / (1.0 - x * x),))


class Further:
    """Activations, the normal distribution, and functions of two numbers."""

    __slots__ = ()
    data: Any

    def relu(self) -> Plain:
        x = self.data
        return Plain(x, (self,), (1.0,)) if x > 0.0 else Plain(0.0, (self,), (0.0,))

    def leaky_relu(self, slope: float = 0.01) -> Plain:
        x = self.data
        return Plain(x, (self,), (1.0,)) if x > 0.0 else Plain(slope * x, (self,), (slope,))

    def elu(self, alpha: float = 1.0) -> Plain:
        x = self.data
        if x > 0.0:
            return Plain(x, (self,), (1.0,))
        y = alpha * math.expm1(x)
        return Plain(y, (self,), (y + alpha,))

    def sigmoid(self) -> Plain:
        y = 1.0 / (1.0 + math.exp(-self.data))
        return Plain(y, (self,), (y * (1.0 - y),))

    def log_sigmoid(self) -> Plain:
        e = math.exp(-self.data)
        return Plain(-math.log1p(e), (self,), (e / (1.0 + e),))

    def softplus(self) -> Plain:
        e = math.exp(self.data)
        return Plain(math.log1p(e), (self,), (e / (1.0 + e),))

    def silu(self) -> Plain:
        x = self.data
        s = 1.0 / (1.0 + math.exp(-x))
        y = x * s
        return Plain(y, (self,), (s + y * (1.0 - s),))

    def gelu(self) -> Plain:
        x = self.data
        share = 0.5 * (1.0 + math.erf(x / ROOT_2))
        return Plain(x * share, (self,), (share + x * math.exp(-0.5 * x * x) / ROOT_2_PI,))

    def erf(self) -> Plain:
        x = self.data
        return Plain(math.erf(x), (self,), (ERF_SLOPE * math.exp(-x * x),))

    def erfc(self) -> Plain:
        x = self.data
        return Plain(math.erfc(x), (self,), (-ERF_SLOPE * math.exp(-x * x),))

    def normal_pdf(self) -> Plain:
        x = self.data
        y = math.exp(-0.5 * x * x) / ROOT_2_PI
        return Plain(y, (self,), (-x * y,))

    def normal_cdf(self) -> Plain:
        x = self.data
        return Plain(0.5 * (1.0 + math.erf(x / ROOT_2)), (self,), (math.exp(-0.5 * x * x) / ROOT_2_PI,))

    def abs(self) -> Plain:
        x = self.data
        return Plain(x, (self,), (1.0,)) if x >= 0.0 else Plain(-x, (self,), (-1.0,))

    def minimum(self, other: Any) -> Plain:
        a, b = self.data, other.data
        return Plain(a, (self, other), (1.0, 0.0)) if a < b else Plain(b, (self, other), (0.0, 1.0))

    def maximum(self, other: Any) -> Plain:
        a, b = self.data, other.data
        return Plain(a, (self, other), (1.0, 0.0)) if a > b else Plain(b, (self, other), (0.0, 1.0))

    def hypot(self, other: Any) -> Plain:
        a, b = self.data, other.data
        y = math.hypot(a, b)
        return Plain(y, (self, other), (a / y, b / y))

    def atan2(self, other: Any) -> Plain:
        a, b = self.data, other.data
        square = a * a + b * b
        return Plain(math.atan2(a, b), (self, other), (b / square, -a / square))

    def power(self, other: Any) -> Plain:
        """A power whose exponent is a node too."""
        a, b = self.data, other.data
        y = a ** b
        return Plain(y, (self, other), (b * a ** (b - 1.0), y * math.log(a)))


class Plain(Elementary, Further):
    """A number that remembers: the yardstick's node."""

    __slots__ = ("data", "grad", "children", "local")

    def __init__(self, data: Any, children: tuple[Any, ...] = (), local: tuple[float, ...] = ()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self.local = local

    def __add__(self, other: Any) -> Plain:
        if not isinstance(other, Plain):
            other = Plain(other)
        return Plain(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Any) -> Plain:
        if not isinstance(other, Plain):
            other = Plain(other)
        return Plain(self.data * other.data, (self, other), (other.data, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, other: float) -> Plain:
        return Plain(self.data ** other, (self,), (other * self.data ** (other - 1),))

    def __rpow__(self, other: float) -> Plain:
        y = other ** self.data
        return Plain(y, (self,), (y * math.log(other),))

    def __neg__(self) -> Plain:
        return self * -1

    def __sub__(self, other: Any) -> Plain:
        return self + (-other)

    def __rsub__(self, other: Any) -> Plain:
        return other + (-self)

    def __truediv__(self, other: Any) -> Plain:
        return self * other ** -1

    def __rtruediv__(self, other: Any) -> Plain:
        return other * self ** -1

    def __mod__(self, other: Any) -> Plain:
        a, b = self.data, other.data
        return Plain(a % b, (self, other), (1.0, -(a // b)))

    def __floordiv__(self, other: Any) -> Plain:
        return Plain(self.data // other.data, (self, other), (0.0, 0.0))

    def backward(self) -> None:
        """Add to the gradient of all that this depends on; iterative, so the graph may be deep."""
        order: list[Plain] = []                 # operands first
        seen: set[Plain] = set()
        stack: list[Any] = [self]
        while stack:
            node = stack.pop()
            if node is None:                    # the operands of the one below are done
                order.append(stack.pop())
            elif node not in seen:
                seen.add(node)
                if node.children:
                    stack.append(node)
                    stack.append(None)
                    stack.extend(node.children)
        self.grad = 1.0
        for node in reversed(order):
            g = node.grad
            for child, slope in zip(node.children, node.local):
                child.grad += slope * g


def mean(xs: Sequence[Plain]) -> Any:
    """The mean, by a chain of +."""
    return sum(xs) / len(xs)


def dot(xs: Sequence[Plain], ys: Sequence[Plain]) -> Any:
    """Σ x·y, by a chain of * and +."""
    return sum([x * y for x, y in zip(xs, ys)])


def logsumexp(xs: Sequence[Plain]) -> Any:
    """log Σ eˣ, the largest taken out first."""
    largest = max([x.data for x in xs])
    return sum([(x - largest).exp() for x in xs]).log() + largest


def softmax(xs: Sequence[Plain]) -> list[Any]:
    """eˣ / Σ eˣ for each x, the largest taken out first."""
    largest = max([x.data for x in xs])
    powers = [(x - largest).exp() for x in xs]
    total = sum(powers)
    return [power / total for power in powers]
