"""`grad` and `value_and_grad`: the gradient of a function, as a function.

A function is traced on Values of its own. If the result depends on nothing else, its gradient is a
pass over floats; if it also depends on Values of the caller (an enclosing transform's, or captured
ones), its gradient is a graph on them. So transforms nest, and their perturbations stay apart.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Literal, overload

from autograd_lite.errors import GradientError, InputError, short
from autograd_lite.transforms.trace import Function, Selection, Trace, name_of, scalar_result, transform
from autograd_lite.transforms.trees import leaves, rebuild
from autograd_lite.graph.value import Value

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Unary
    from autograd_lite.transforms.signatures import (Aux, First, Firsts, Many, NamedSlopes, NamedValues,
                                                     Number, OfAny, OfDict, OfFew, OfList, OfMany, OfMore,
                                                     OfNumber, OfPair, OfTriple, P, Pair, Slope, Slopes,
                                                     ToAny, Triple, Two, TwoOf, Unused, ValueAndSlope,
                                                     ValueAndSlopes, WithPlain, X)


@overload
def value_and_grad(f: Unary, argnums: Literal[0] = 0, *, unused: Unused = ...) -> ValueAndSlope[[]]: ...


@overload
def value_and_grad(f: ToAny, argnums: Selection = 0, *, has_aux: bool = False,
                   unused: Unused = ...) -> Callable[..., tuple[Any, Any]]: ...


@overload
def value_and_grad(f: OfAny, argnums: Selection = 0, *, has_aux: bool = False,
                   unused: Unused = ...) -> Callable[..., tuple[Any, Any]]: ...


@overload
def value_and_grad(f: OfList[P], argnums: Literal[0] = 0, *, unused: Unused = ...) -> ValueAndSlopes[P]: ...
@overload
def value_and_grad(f: OfDict[P], argnums: Literal[0] = 0, *, unused: Unused = ...) -> NamedValues[P]: ...


@overload
def value_and_grad(f: WithPlain[P], argnums: Literal[0] = 0, *, unused: Unused = ...) -> ValueAndSlope[P]: ...


@overload
def value_and_grad(f: OfMany, argnums: int | str = 0, *, unused: Unused = ...) -> Many[
    tuple[float, float], tuple[Value, Value]]: ...


@overload
def value_and_grad(f: OfMore, argnums: Selection = 0, *, unused: Unused = ...) -> Callable[
    ..., tuple[Any, Any]]: ...


@overload
def value_and_grad(f: OfTriple[P], argnums: Firsts = 0, *, unused: Unused = ...) -> Triple[
    tuple[float, float], tuple[Value, Value], P]: ...


@overload
def value_and_grad(f: OfTriple[P], argnums: TwoOf, *, unused: Unused = ...) -> Triple[
    tuple[float, tuple[float, float]], tuple[Value, tuple[Value, Value]], P]: ...


@overload
def value_and_grad(f: OfPair[P], argnums: First = 0, *, unused: Unused = ...) -> Pair[
    tuple[float, float], tuple[Value, Value], P]: ...


@overload
def value_and_grad(f: OfPair[P], argnums: Two, *, unused: Unused = ...) -> Pair[
    tuple[float, tuple[float, float]], tuple[Value, tuple[Value, Value]], P]: ...


@overload
def value_and_grad(f: OfFew, argnums: int | str, *, unused: Unused = ...) -> Many[
    tuple[float, float], tuple[Value, Value]]: ...


@overload
def value_and_grad(f: OfNumber[P], argnums: Literal[0] = 0, *, unused: Unused = ...) -> ValueAndSlope[P]: ...


@overload
def value_and_grad(f: Callable[Concatenate[X, P], float], argnums: Literal[0] = 0, *,
                   unused: Unused = ...) -> Callable[Concatenate[X, P], tuple[float, X]]: ...


@overload
def value_and_grad(f: Callable[Concatenate[Any, P], Number], argnums: Literal[0] = 0, *,
                   unused: Unused = ...) -> Callable[Concatenate[Any, P], tuple[Any, Any]]: ...


@overload
def value_and_grad(f: Callable[..., tuple[Any, Aux]], argnums: Selection = 0, *, has_aux: Literal[True],
                   unused: Unused = ...) -> Callable[..., tuple[tuple[Any, Aux], Any]]: ...


@overload
def value_and_grad(f: Function, argnums: Selection, *, has_aux: bool = False,
                   unused: Unused = ...) -> Callable[..., tuple[Any, Any]]: ...


def value_and_grad(f: Function, argnums: Selection = 0, *, has_aux: bool = False,
                   unused: Literal["zero", "raise"] = "zero") -> Function:
    """The function that returns f's value and its gradient.

    Args:
        f: a function of numbers, or of lists, tuples, dicts, dataclasses or arrays of them, that
            returns one number.
        argnums: the arguments to differentiate by: a position, a name, or several.
        has_aux: f returns (number, anything); the result is then ((value, anything), gradient).
        unused: "raise" refuses a number on which the result does not depend; else its gradient is 0.

    Returns:
        A function of f's arguments giving (value, gradient); the gradient has the shape of the
        argument (for several arguments, a tuple of these).

    Raises:
        InputError: f does not return a number, or an argument does not exist.
        GradientError: with ``unused="raise"``, a number does not reach the result.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    if unused != "zero":
        _refuse(unused)
    return transform(_value_and_grad, f, argnums, has_aux, unused)


def _value_and_grad(f: Function, argnums: Selection, has_aux: bool, unused: str, /,
                    *args: Any, **kwargs: Any) -> Any:
    trace, y, aux, found = _pulled(f, args, kwargs, argnums, has_aux, unused)
    value = trace.lower(y)
    return (value, trace.lower_all(aux)) if has_aux else value, trace.shape(found)


def _pulled(f: Function, args: Sequence[Any], kwargs: Mapping[str, Any], argnums: Selection,
            has_aux: bool, unused: str) -> tuple[Trace, Any, Any, list[Any]]:
    """A trace of f, its number, what else it returned, and the number's derivatives by the inputs."""
    trace = Trace(f, args, kwargs, argnums)
    y, aux = trace.result, None
    if has_aux:
        if not isinstance(y, tuple) or len(y) != 2:
            raise InputError(f"{name_of(f)} must return (number, anything) under has_aux=True")
        y, aux = y
        trace.result = leaves(trace.result, lenient=True)       # (aux holds anything)
    y = scalar_result(f, y)
    found = trace.pull((y, 1.0))
    if unused == "raise":
        if trace.tape:
            trace.tape.require_all_used(name_of(f), trace.inputs)
        missing = [g is None for g in found]
        if True in missing:
            raise GradientError(f"{name_of(f)}: the result does not depend on number {missing.index(True)} "
                                "of the selected arguments; leave it out, or ask for unused='zero'")
    return trace, y, aux, found


@overload
def grad(f: Unary, argnums: Literal[0] = 0, *, unused: Unused = ...) -> Slope[[]]: ...


@overload
def grad(f: ToAny, argnums: Selection = 0, *, has_aux: bool = False,
         unused: Unused = ...) -> Function: ...


@overload
def grad(f: OfAny, argnums: Selection = 0, *, has_aux: bool = False,
         unused: Unused = ...) -> Function: ...


@overload
def grad(f: OfList[P], argnums: Literal[0] = 0, *, unused: Unused = ...) -> Slopes[P]: ...
@overload
def grad(f: OfDict[P], argnums: Literal[0] = 0, *, unused: Unused = ...) -> NamedSlopes[P]: ...


@overload
def grad(f: WithPlain[P], argnums: Literal[0] = 0, *, unused: Unused = ...) -> Slope[P]: ...
@overload
def grad(f: OfMany, argnums: int | str = 0, *, unused: Unused = ...) -> Many[float, Value]: ...
@overload
def grad(f: OfMore, argnums: Selection = 0, *, unused: Unused = ...) -> Function: ...
@overload
def grad(f: OfTriple[P], argnums: Firsts = 0, *, unused: Unused = ...) -> Triple[float, Value, P]: ...


@overload
def grad(f: OfTriple[P], argnums: TwoOf, *, unused: Unused = ...) -> Triple[
    tuple[float, float], tuple[Value, Value], P]: ...


@overload
def grad(f: OfPair[P], argnums: First = 0, *, unused: Unused = ...) -> Pair[float, Value, P]: ...


@overload
def grad(f: OfPair[P], argnums: Two, *, unused: Unused = ...) -> Pair[
    tuple[float, float], tuple[Value, Value], P]: ...


@overload
def grad(f: OfFew, argnums: int | str, *, unused: Unused = ...) -> Many[float, Value]: ...
@overload
def grad(f: OfNumber[P], argnums: Literal[0] = 0, *, unused: Unused = ...) -> Slope[P]: ...


@overload
def grad(f: Callable[Concatenate[float, P], float], argnums: Literal[0] = 0, *,
         unused: Unused = ...) -> Callable[Concatenate[float, P], float]: ...


@overload
def grad(f: Callable[Concatenate[X, P], float], argnums: Literal[0] = 0, *,
         unused: Unused = ...) -> Callable[Concatenate[X, P], X]: ...


@overload
def grad(f: Callable[Concatenate[Any, P], Number], argnums: Literal[0] = 0, *,
         unused: Unused = ...) -> Callable[Concatenate[Any, P], Any]: ...


@overload
def grad(f: Callable[..., tuple[Any, Aux]], argnums: Selection = 0, *, has_aux: Literal[True],
         unused: Unused = ...) -> Callable[..., tuple[Any, Aux]]: ...


@overload
def grad(f: Function, argnums: Selection, *, has_aux: bool = False, unused: Unused = ...) -> Function: ...


def grad(f: Function, argnums: Selection = 0, *, has_aux: bool = False,
         unused: Literal["zero", "raise"] = "zero") -> Function:
    """The gradient of f, a function of f's arguments; see `value_and_grad`.

    With ``has_aux=True`` it returns (gradient, anything).

    >>> grad(lambda x: x ** 3)(2.0)
    12.0
    >>> grad(grad(lambda x: x ** 3))(2.0)
    12.0
    >>> grad(lambda point: point["x"] * point["y"])({"x": 2.0, "y": 5.0})
    {'x': 5.0, 'y': 2.0}
    """
    if unused != "zero":
        _refuse(unused)
    return transform(_grad, f, argnums, has_aux, unused)


def _grad(f: Function, argnums: Selection, has_aux: bool, unused: str, /,
          *args: Any, **kwargs: Any) -> Any:
    trace, _, aux, found = _pulled(f, args, kwargs, argnums, has_aux, unused)
    return (trace.shape(found), trace.lower_all(aux)) if has_aux else trace.shape(found)


def _refuse(unused: str) -> None:
    if unused != "raise":
        raise InputError(f"unused={short(unused)}: choose 'zero' or 'raise'")


def stop_gradient(x: X) -> X:
    """The same numbers, to which no gradient flows.

    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return rebuild(x, lambda x: x.detach() if isinstance(x, Value) else x)  # type: ignore[no-any-return]
