"""What the ops take and return, for type checkers alone: no other module loads this one when it runs.

A number is a `Real`, or of a kind that brings its own way to apply an op, as `Value` does: then the result
is of that kind. So sin of a Value is a Value, of a float a float, of an array (of Values, too) an array, and
nothing else is taken.
"""
from __future__ import annotations

import numbers
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar, overload

from autograd_lite.ops.op import Op


class Scalar(Protocol):
    """NumPy's real scalars; an array has no hash."""

    @property
    def dtype(self) -> Any: """What it is one of."""
    def __float__(self) -> float: ...
    def __hash__(self) -> int: ...


class Array(Protocol):
    """NumPy's arrays, and others like them."""

    @property
    def dtype(self) -> Any: """What it holds."""
    @property
    def shape(self) -> tuple[int, ...]: """How many, along each axis."""
    def __len__(self) -> int: ...


class Operand(Protocol):
    """A kind of number that the ops work on, floats aside."""

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Any: ...


Real = float | numbers.Real | Scalar
T = TypeVar("T", bound=Operand)
A = TypeVar("A", bound=Array)
Reals = Iterable[Real]
Mixed = Iterable[T | Real]


class Unary(Op):
    """A function of one number, or of each in an array."""

    @overload
    def __call__(self, x: T, /) -> T: ...
    @overload
    def __call__(self, x: Real, /) -> float: ...
    @overload
    def __call__(self, x: A, /) -> A: ...
    def __call__(self, x: Any, /) -> Any: ...


class Relu(Op):
    """A function of a number, and of the slope at its kink."""

    @overload
    def __call__(self, x: T, /, at_zero: Real = 0.0) -> T: ...
    @overload
    def __call__(self, x: Real, /, at_zero: Real = 0.0) -> float: ...
    @overload
    def __call__(self, x: A, /, at_zero: Real = 0.0) -> A: ...
    def __call__(self, x: Any, /, at_zero: Any = 0.0) -> Any: ...


class Leaky(Op):
    """A function of a number and of a slope."""

    @overload
    def __call__(self, x: Real, /, slope: Real = 0.01) -> float: ...
    @overload
    def __call__(self, x: T | Real, /, slope: T | Real = 0.01) -> T: ...
    @overload
    def __call__(self, x: A, /, slope: Any = 0.01) -> A: ...
    def __call__(self, x: Any, /, slope: Any = 0.01) -> Any: ...


class Elu(Op):
    """A function of a number and of a scale."""

    @overload
    def __call__(self, x: Real, /, alpha: Real = 1.0) -> float: ...
    @overload
    def __call__(self, x: T | Real, /, alpha: T | Real = 1.0) -> T: ...
    @overload
    def __call__(self, x: A, /, alpha: Any = 1.0) -> A: ...
    def __call__(self, x: Any, /, alpha: Any = 1.0) -> Any: ...


class Family(Op):
    """A function of a number, and of how often it is differentiated."""

    @overload
    def __call__(self, x: T, /, n: Real = 0.0) -> T: ...
    @overload
    def __call__(self, x: Real, /, n: Real = 0.0) -> float: ...
    @overload
    def __call__(self, x: A, /, n: Real = 0.0) -> A: ...
    def __call__(self, x: Any, /, n: Any = 0.0) -> Any: ...


class Ordered(Op):
    """A function of how often it is differentiated, and of a number."""

    @overload
    def __call__(self, n: Real, x: T, /) -> T: ...
    @overload
    def __call__(self, n: Real, x: Real, /) -> float: ...
    @overload
    def __call__(self, n: Real, x: A, /) -> A: ...
    def __call__(self, n: Any, x: Any, /) -> Any: ...


class Binary(Op):
    """A function of two numbers, or of two arrays, or of an array and a number."""

    @overload
    def __call__(self, a: Real, b: Real, /) -> float: ...
    @overload
    def __call__(self, a: T | Real, b: T | Real, /) -> T: ...
    @overload
    def __call__(self, a: A, b: Real | Array, /) -> A: ...
    @overload
    def __call__(self, a: Real, b: A, /) -> A: ...
    @overload
    def __call__(self, a: Operand | Array, b: Operand | Array, /) -> Any: ...
    def __call__(self, a: Any, b: Any, /) -> Any: ...


class Many(Op):
    """A function of any number of numbers."""

    @overload
    def __call__(self, /, *operands: Real) -> float: ...
    @overload
    def __call__(self, /, *operands: T | Real) -> T: ...
    def __call__(self, /, *operands: Any) -> Any: ...
