"""What the transforms take and return, for type checkers alone: no other module loads this one when it runs.

A function that is typed on Values, ``def f(x: Value) -> Value``, is recorded on Values of the transform's
own: what the transform returns takes plain numbers and gives plain ones, or takes Values and gives Values.
A function typed otherwise (on floats, structures) keeps its types.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar, overload

from autograd_lite.graph.value import Value
from autograd_lite.ops.signatures import AnyNumber, Numeric, Plain

P = ParamSpec("P")
X = TypeVar("X")
Aux = TypeVar("Aux")
A_contra = TypeVar("A_contra", contravariant=True)
B_contra = TypeVar("B_contra", contravariant=True)
R = TypeVar("R", covariant=True)
S = TypeVar("S", covariant=True)

Number = Numeric[Value]
Unused = Literal["zero", "raise"]
First = Literal[0, 1]                           # of two numbers
Firsts = Literal[0, 1, 2]                       # of three
Two = tuple[First, First]
TwoOf = tuple[Firsts, Firsts]
OfNumber = Callable[Concatenate[Value, P], Number]
OfPair = Callable[Concatenate[Value, Value, P], Number]
OfTriple = Callable[Concatenate[Value, Value, Value, P], Number]
OfMore = Callable[Concatenate[Value, Value, Value, Value, ...], Number]
OfFew = OfPair[[]] | OfTriple[[]]
OfList = Callable[Concatenate[list[Value], P], Number]
OfDict = Callable[Concatenate[dict[str, Value], P], Number]
ListOfList = Callable[Concatenate[list[Value], P], Sequence[Number]]


class WithPlain(Protocol[P]):
    """A function of a number, and of another that may be plain."""

    @overload
    def __call__(self, x: Value, /, *args: P.args, **kwargs: P.kwargs) -> Number: ...
    @overload
    def __call__(self, x: Value, y: float, /, *args: Any, **kwargs: Any) -> Number: ...


class OneOrTwo(Protocol):
    """A function of a number, and of two."""

    @overload
    def __call__(self, x: Value, /) -> Number: ...
    @overload
    def __call__(self, x: Value, y: Value, /) -> Number: ...


class TwoOrThree(Protocol):
    """A function of two numbers, and of three."""

    @overload
    def __call__(self, x: Value, y: Value, /) -> Number: ...
    @overload
    def __call__(self, x: Value, y: Value, z: Value, /) -> Number: ...


OfMany = OneOrTwo | TwoOrThree
ToAny = Callable[..., AnyNumber]
OfAny = Callable[Concatenate[AnyNumber, ...], Any]


class Dual(Protocol[A_contra, R, B_contra, S, P]):
    """A function of one kind of argument, or of another, and of others that stay as they are."""

    @overload
    def __call__(self, x: A_contra, /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(self, x: B_contra, /, *args: P.args, **kwargs: P.kwargs) -> S: ...


class Many(Protocol[R, S]):
    """A function of any number of numbers, plain or one of them recorded."""

    @overload
    def __call__(self, x: Plain, /, *xs: Plain) -> R: ...
    @overload
    def __call__(self, x: Number, /, *xs: Number) -> S: ...


class Pair(Protocol[R, S, P]):
    """A function of two numbers, plain or one of them recorded, and of others that stay as they are."""

    @overload
    def __call__(self, x: Plain, y: Plain, /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(self, x: Number, y: Number, /, *args: P.args, **kwargs: P.kwargs) -> S: ...


class Triple(Protocol[R, S, P]):
    """A function of three numbers, plain or one of them recorded, and of others that stay as they are."""

    @overload
    def __call__(self, x: Plain, y: Plain, z: Plain, /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(self, x: Number, y: Number, z: Number, /, *args: P.args, **kwargs: P.kwargs) -> S: ...


Square = tuple[tuple[X, X], tuple[X, X]]
Floats = list[float]
Values = list[Value]
Slope = Dual[Plain, float, Value, Value, P]
Slopes = Dual[Floats, Floats, Values, Values, P]
NamedSlopes = Dual[dict[str, float], dict[str, float], dict[str, Value], dict[str, Value], P]
ValueAndSlope = Dual[Plain, tuple[float, float], Value, tuple[Value, Value], P]
ValueAndSlopes = Dual[Floats, tuple[float, Floats], Values, tuple[Value, Values], P]
NamedValues = Dual[dict[str, float], tuple[float, dict[str, float]],
                   dict[str, Value], tuple[Value, dict[str, Value]], P]
Matrix = Dual[Floats, list[Floats], Values, list[Values], P]

# functions of plain numbers, and what they become
FloatOfFloat = Callable[Concatenate[float, P], float]
FloatOfFloats = Callable[Concatenate[Floats, P], float]
FloatsOfFloats = Callable[Concatenate[Floats, P], Floats]
MatrixOfFloats = Callable[Concatenate[Floats, P], list[Floats]]
