"""What the ops take and return, for type checkers alone: no other module loads this one when it runs.

A number is a `Plain`, or of a kind that brings its own way to apply an op, as `Value` does: then the result
is of that kind. So sin of a Value is a Value, of a float a float, of an array (of Values, too) an array, and
nothing else is taken.
"""
from __future__ import annotations

import numbers
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar, Union, overload

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


class OfMany(Protocol):
    """A function of any number of floats."""

    def __call__(self, *xs: float) -> float: ...


Plain = float | numbers.Real | Scalar
T = TypeVar("T", bound=Operand)
A = TypeVar("A", bound=Array)
X = TypeVar("X")
Y = TypeVar("Y")
Numeric = Union[T, Plain]                       # a number of one kind
Floats = Iterable[Plain]
Mixed = Iterable[Union[T, Plain]]


class AnyNumber:
    """Stands for a number that is typed Any, or not at all: nothing else is one."""


AnyNumbers = Iterable[AnyNumber]


class Unary(Op):
    """A function of one number, or of each in an array."""

    @overload
    def __call__(self, x: T, /) -> T: ...
    @overload
    def __call__(self, x: Plain, /) -> float: ...
    @overload
    def __call__(self, x: A, /) -> A: ...
    def __call__(self, x: Any, /) -> Any: ...


class Relu(Op):
    """A function of a number, and of the slope at its kink."""

    @overload
    def __call__(self, x: T, /, at_zero: Plain = 0.0) -> T: ...
    @overload
    def __call__(self, x: Plain, /, at_zero: Plain = 0.0) -> float: ...
    @overload
    def __call__(self, x: A, /, at_zero: Plain = 0.0) -> A: ...
    def __call__(self, x: Any, /, at_zero: Any = 0.0) -> Any: ...


class Leaky(Op):
    """A function of a number and of a slope."""

    @overload
    def __call__(self, x: Plain, /, slope: Plain = 0.01) -> float: ...
    @overload
    def __call__(self, x: T, /, slope: Numeric[T] = 0.01) -> T: ...
    @overload
    def __call__(self, x: Plain, /, slope: T) -> T: ...
    @overload
    def __call__(self, x: A, /, slope: Any = 0.01) -> A: ...
    def __call__(self, x: Any, /, slope: Any = 0.01) -> Any: ...


class Elu(Op):
    """A function of a number and of a scale."""

    @overload
    def __call__(self, x: Plain, /, alpha: Plain = 1.0) -> float: ...
    @overload
    def __call__(self, x: T, /, alpha: Numeric[T] = 1.0) -> T: ...
    @overload
    def __call__(self, x: Plain, /, alpha: T) -> T: ...
    @overload
    def __call__(self, x: A, /, alpha: Any = 1.0) -> A: ...
    def __call__(self, x: Any, /, alpha: Any = 1.0) -> Any: ...


class Family(Op):
    """A function of a number, and of how often it is differentiated."""

    @overload
    def __call__(self, x: T, /, n: Plain = 0.0) -> T: ...
    @overload
    def __call__(self, x: Plain, /, n: Plain = 0.0) -> float: ...
    @overload
    def __call__(self, x: A, /, n: Plain = 0.0) -> A: ...
    def __call__(self, x: Any, /, n: Any = 0.0) -> Any: ...


class Ordered(Op):
    """A function of how often it is differentiated, and of a number."""

    @overload
    def __call__(self, n: Plain, x: T, /) -> T: ...
    @overload
    def __call__(self, n: Plain, x: Plain, /) -> float: ...
    @overload
    def __call__(self, n: Plain, x: A, /) -> A: ...
    def __call__(self, n: Any, x: Any, /) -> Any: ...


class Binary(Op):
    """A function of two numbers, or of two arrays, or of an array and a number."""

    @overload
    def __call__(self, a: Plain, b: Plain, /) -> float: ...
    @overload
    def __call__(self, a: T, b: Numeric[T], /) -> T: ...
    @overload
    def __call__(self, a: Plain, b: T, /) -> T: ...
    @overload
    def __call__(self, a: A, b: Plain | Array, /) -> A: ...
    @overload
    def __call__(self, a: Plain, b: A, /) -> A: ...
    @overload
    def __call__(self, a: Operand | Array, b: Operand | Array, /) -> Any: ...
    def __call__(self, a: Any, b: Any, /) -> Any: ...


class Many(Op):
    """A function of any number of numbers."""

    @overload
    def __call__(self, /, *operands: Plain) -> float: ...
    @overload
    def __call__(self, /, *operands: Numeric[T]) -> T: ...
    def __call__(self, /, *operands: Any) -> Any: ...
