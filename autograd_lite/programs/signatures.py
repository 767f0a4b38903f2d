"""What `compile` returns, for type checkers alone: no other module loads this one when it runs."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, Generic, TypeVar

from autograd_lite.graph.value import Value
from autograd_lite.ops.signatures import Plain
from autograd_lite.programs.compiled import Compiled
from autograd_lite.transforms.signatures import Dual, Many, NamedSlopes, P, Pair, Slopes, Triple

F = TypeVar("F", bound=Callable[..., Any])
Two = tuple[Value, Value]
Three = tuple[Value, Value, Value]

# functions of Values that return several
ListsOfNumber = Callable[Concatenate[Value, P], list[Value]]
ListsOfList = Callable[Concatenate[list[Value], P], list[Value]]
DictsOfDict = Callable[Concatenate[dict[str, Value], P], dict[str, Value]]
PairsOfPair = Callable[Concatenate[Two, P], Two]
TriplesOfTriple = Callable[Concatenate[Three, P], Three]

# others of Values, of structures of them first, and others of plain numbers
OfNested = (
    Callable[Concatenate[Two, ...], Any] | Callable[Concatenate[Three, ...], Any]
    | Callable[Concatenate[list[list[Value]], ...], Any]
    | Callable[Concatenate[dict[str, list[Value]], ...], Any])
OfValues = (
    Callable[Concatenate[Value, ...], Any] | Callable[Concatenate[list[Value], ...], Any]
    | Callable[Concatenate[dict[str, Value], ...], Any])
OfPlain = TypeVar("OfPlain", bound=Callable[Concatenate[float, ...], Any] | Callable[
    Concatenate[list[float], ...], Any] | Callable[Concatenate[dict[str, float], ...], Any])


class CompiledAs(Compiled, Generic[F]):
    """A compiled function that is called as F is."""

    __call__: F


OnNumber = CompiledAs[Dual[Plain, float, Value, Value, P]]
OnMany = CompiledAs[Many[float, Value]]
OnPair = CompiledAs[Pair[float, Value, P]]
OnTriple = CompiledAs[Triple[float, Value, P]]
OnList = CompiledAs[Dual[list[float], float, list[Value], Value, P]]
OnDict = CompiledAs[Dual[dict[str, float], float, dict[str, Value], Value, P]]
ToList = CompiledAs[Dual[Plain, list[float], Value, list[Value], P]]
ListToList = CompiledAs[Slopes[P]]
DictToDict = CompiledAs[NamedSlopes[P]]
PairToPair = CompiledAs[Dual[tuple[float, float], tuple[float, float], Two, Two, P]]
TripleToTriple = CompiledAs[Dual[tuple[float, float, float], tuple[float, float, float], Three, Three, P]]
