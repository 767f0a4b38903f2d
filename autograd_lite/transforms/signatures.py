"""What the transforms take and return, for type checkers alone: no other module loads this one when it runs.

A function that is typed on Values, ``def f(x: Value) -> Value``, is recorded on Values of the transform's
own: what the transform returns takes plain numbers and gives plain ones, or takes Values and gives Values.
A function typed otherwise (on floats, structures) keeps its types.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar, overload

from autograd_lite.graph.value import Value
from autograd_lite.ops.signatures import Numeric, Plain

P = ParamSpec("P")
X = TypeVar("X")
Aux = TypeVar("Aux")
A_contra = TypeVar("A_contra", contravariant=True)
B_contra = TypeVar("B_contra", contravariant=True)
R = TypeVar("R", covariant=True)
S = TypeVar("S", covariant=True)

Number = Numeric[Value]
Unused = Literal["zero", "raise"]
OfNumber = Callable[Concatenate[Value, P], Number]
OfPair = Callable[[Value, Value], Number]
OfTriple = Callable[[Value, Value, Value], Number]
OfList = Callable[Concatenate[list[Value], P], Number]
OfDict = Callable[Concatenate[dict[str, Value], P], Number]
ListOfList = Callable[Concatenate[list[Value], P], Sequence[Number]]


class Untyped:
    """What only a function takes or returns that is typed Any there, or not at all."""


ToAny = Callable[..., Untyped]
OfAny = Callable[Concatenate[Untyped, ...], Any]


class Dual(Protocol[A_contra, R, B_contra, S, P]):
    """A function of one kind of argument, or of another, and of others that stay as they are."""

    @overload
    def __call__(self, x: A_contra, /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(self, x: B_contra, /, *args: P.args, **kwargs: P.kwargs) -> S: ...


class Pair(Protocol[R, S]):
    """A function of two numbers, plain or one of them recorded."""

    @overload
    def __call__(self, x: Plain, y: Plain, /) -> R: ...
    @overload
    def __call__(self, x: Number, y: Number, /) -> S: ...


class Triple(Protocol[R, S]):
    """A function of three numbers, plain or one of them recorded."""

    @overload
    def __call__(self, x: Plain, y: Plain, z: Plain, /) -> R: ...
    @overload
    def __call__(self, x: Number, y: Number, z: Number, /) -> S: ...


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
