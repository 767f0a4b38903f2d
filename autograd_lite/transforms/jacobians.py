"""Jacobians and Hessians, and their products with vectors."""
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from autograd_lite.errors import InputError
from autograd_lite.graph import kinks
from autograd_lite.graph.backward import finite
from autograd_lite.ops.sequences import dot
from autograd_lite.transforms.colouring import dependence, hessian_matrix, jacobian_matrix
from autograd_lite.transforms.gates import Gate, opened
from autograd_lite.transforms.gradients import grad
from autograd_lite.transforms.structures import matched, returned, side_by_side
from autograd_lite.transforms.trace import (Checked, Selection, Trace, Transform, name_of, require_function,
                                            transform)
from autograd_lite.transforms.trees import is_number, refill

if TYPE_CHECKING:
    from autograd_lite.graph.value import Value
    from autograd_lite.ops.signatures import Plain, Unary
    from autograd_lite.transforms.signatures import (First, Firsts, FloatOfFloat, FloatOfFloats,
                                                     FloatsOfFloats, ListOfList, Many, Matrix,
                                                     MatrixOfFloats, Number, OfAny, OfFew, OfList, OfMany,
                                                     OfMore, OfNumber, OfPair, OfTriple, P, Pair, Slope,
                                                     Slopes, Square, ToAny, Triple, Two, TwoOf, WithPlain, X)


@overload
def jvp(f: Callable[..., Number], primals: Sequence[Plain],
        tangents: Sequence[Plain]) -> tuple[float, float]: ...


@overload
def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]: ...


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f's value at `primals` and its derivative along `tangents` (one of each per argument).

    The tangents have the shape of the primals: the same keys in dicts, in any order, the same fields,
    lengths and shapes of arrays.

    Raises:
        InputError: a tangent has another shape; the error says where.

    >>> jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 0.0))
    (10.0, 5.0)
    """
    require_function("jvp", f)
    return _pushed("jvp", f, primals, tangents)


def _pushed(where: str, f: Callable[..., Any], primals: Sequence[Any],
            tangents: Sequence[Any]) -> tuple[Any, Any]:
    remedy = "with an entry for each argument: for one list argument write ([…],)"
    if not isinstance(primals, (list, tuple)) or not isinstance(tangents, (list, tuple)):
        raise InputError(f"{where}: give the point and the direction as tuples, {remedy}")
    if len(primals) != len(tangents):
        raise InputError(f"{where}: the point and the direction are tuples {remedy}; they have "
                         f"{len(primals)} and {len(tangents)} entries")
    try:
        trace = Trace(f, primals, {}, range(len(primals)))
    except (TypeError, IndexError) as error:
        if all(map(is_number, primals)):
            error.add_note(f"{where}: the point is a tuple {remedy}")
        raise
    directions = matched(trace.selected, tuple(tangents), "the point", f"{where}: the direction")
    result = returned(name_of(f), trace.result)
    return trace.lower_all(result), refill(result, pushed(trace, directions))


@overload
def vjp(f: Callable[..., Number], *primals: Plain) -> tuple[
    float, Callable[[Plain], tuple[float, ...]]]: ...


@overload
def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]: ...


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """f's value, and the function that pulls a cotangent (of the value's shape) back to the arguments.

    Raises:
        InputError: f returns no number; and the function, if the cotangent has another shape.

    >>> value, pull = vjp(lambda x, y: [x * y, x + y], 2.0, 5.0)
    >>> value, pull([1.0, 0.0])
    ([10.0, 7.0], (5.0, 2.0))
    """
    require_function("vjp", f)
    trace = Trace(f, primals, {}, range(len(primals)))
    result = returned(name_of(f), trace.result)
    return trace.lower_all(result), functools.partial(_pull, trace, result)


def _pull(trace: Trace, result: Any, cotangent: Any) -> Any:
    seeds = matched(result, cotangent, "the result", "vjp: the cotangent")
    return trace.shape(trace.pull(*zip(trace.outputs, seeds)))


@overload
def jacobian(f: Unary, argnums: Literal[0] = 0, *, sparse: Literal[False] = False) -> Slope[[]]: ...


@overload
def jacobian(f: ToAny, argnums: Selection = 0, *,
             sparse: bool = False) -> Callable[..., Any]: ...


@overload
def jacobian(f: OfAny, argnums: Selection = 0, *,
             sparse: bool = False) -> Callable[..., Any]: ...


@overload
def jacobian(f: OfList[P], argnums: Literal[0] = 0, *, sparse: Literal[False] = False) -> Slopes[P]: ...
@overload
def jacobian(f: WithPlain[P], argnums: Literal[0] = 0, *, sparse: Literal[False] = False) -> Slope[P]: ...


@overload
def jacobian(f: OfMany, argnums: int | str = 0, *, sparse: Literal[False] = False) -> Many[float, Value]: ...


@overload
def jacobian(f: OfMore, argnums: Selection = 0, *, sparse: bool = False) -> Callable[..., Any]: ...


@overload
def jacobian(f: OfTriple[P], argnums: Firsts = 0, *,
             sparse: Literal[False] = False) -> Triple[float, Value, P]: ...


@overload
def jacobian(f: OfTriple[P], argnums: TwoOf, *, sparse: Literal[False] = False) -> Triple[
    tuple[float, float], tuple[Value, Value], P]: ...


@overload
def jacobian(f: OfPair[P], argnums: First = 0, *,
             sparse: Literal[False] = False) -> Pair[float, Value, P]: ...


@overload
def jacobian(f: OfPair[P], argnums: Two, *, sparse: Literal[False] = False) -> Pair[
    tuple[float, float], tuple[Value, Value], P]: ...


@overload
def jacobian(f: OfFew, argnums: int | str, *,
             sparse: Literal[False] = False) -> Many[float, Value]: ...


@overload
def jacobian(f: OfNumber[P], argnums: Literal[0] = 0, *, sparse: Literal[False] = False) -> Slope[P]: ...


@overload
def jacobian(f: ListOfList[P], argnums: Literal[0] = 0, *, sparse: Literal[False] = False) -> Matrix[P]: ...


@overload
def jacobian(f: FloatOfFloat[P], argnums: Literal[0] = 0, *,
             sparse: Literal[False] = False) -> FloatOfFloat[P]: ...


@overload
def jacobian(f: FloatOfFloats[P], argnums: Literal[0] = 0, *,
             sparse: Literal[False] = False) -> FloatsOfFloats[P]: ...


@overload
def jacobian(f: FloatsOfFloats[P], argnums: Literal[0] = 0, *,
             sparse: Literal[False] = False) -> MatrixOfFloats[P]: ...


@overload
def jacobian(f: Callable[..., Any], argnums: Selection = 0, *,
             sparse: bool = False) -> Callable[..., Any]: ...


def jacobian(f: Callable[..., Any], argnums: Selection = 0, *, sparse: bool = False) -> Callable[..., Any]:
    """The derivatives of every number f returns by every number of the selected arguments.

    The result has f's shape, each of its numbers replaced by the shape of the argument; if both
    are arrays, it is an array of shape ``result.shape + argument.shape``. For several arguments
    each number or array is replaced by a tuple, and an array of f's by a dict of arrays if the argument
    is a dict. It takes as many sweeps as there are outputs or inputs, whichever are fewer.

    With ``sparse=True`` it is a SciPy CSR matrix, a row for each number f returns and a column
    for each number of the arguments; it takes as many sweeps as the pattern has `colours`.

    >>> jacobian(lambda p: [p[0] * p[1], p[0] + p[1]])([2.0, 5.0])
    [[5.0, 2.0], [1.0, 1.0]]
    """
    return transform(_jacobian, f, argnums, sparse)


def _jacobian(f: Callable[..., Any], argnums: Selection, sparse: bool, /, *args: Any, **kwargs: Any) -> Any:
    trace = Trace(f, args, kwargs, argnums)
    result = returned(name_of(f), trace.result)
    if sparse:
        _refuse_traced(trace)
        return jacobian_matrix(_pattern(trace), len(trace.inputs), functools.partial(pushed, trace),
                               lambda weights: trace.pull(*zip(trace.outputs, weights)))
    shaped = list(map(trace.shape, jacobian_rows(trace)))
    if type(argnums) is not tuple:
        return refill(result, shaped)
    return side_by_side(result, [refill(result, part) for part in zip(*shaped)] or [result] * len(argnums))


def jacobian_rows(trace: Trace, worth: int = 1) -> list[list[Any]]:
    """For each output its derivatives by the inputs (None where no path leads).

    A forward sweep for an input is `worth` so many reverse ones, which see only what their output depends on.
    """
    n = len(trace.inputs)
    if len(trace.outputs) <= n * worth:
        return [trace.pull((y, 1.0)) for y in trace.outputs]
    columns = [pushed(trace, [1.0 if i == k else 0.0 for i in range(n)]) for k in range(n)]
    return [[column[k] for column in columns] for k in range(len(trace.outputs))]


@overload
def hessian(f: Unary, argnums: Literal[0] = 0, *, sparse: Literal[False] = False) -> Slope[[]]: ...


@overload
def hessian(f: ToAny, argnums: Selection = 0, *,
            sparse: bool = False) -> Callable[..., Any]: ...


@overload
def hessian(f: OfAny, argnums: Selection = 0, *,
            sparse: bool = False) -> Callable[..., Any]: ...


@overload
def hessian(f: OfList[P], argnums: Literal[0] = 0, *, sparse: Literal[False] = False) -> Matrix[P]: ...


@overload
def hessian(f: WithPlain[P], argnums: Literal[0] = 0, *, sparse: Literal[False] = False) -> Slope[P]: ...


@overload
def hessian(f: OfMany, argnums: int | str = 0, *, sparse: Literal[False] = False) -> Many[float, Value]: ...


@overload
def hessian(f: OfMore, argnums: Selection = 0, *, sparse: bool = False) -> Callable[..., Any]: ...


@overload
def hessian(f: OfTriple[P], argnums: Firsts = 0, *,
            sparse: Literal[False] = False) -> Triple[float, Value, P]: ...


@overload
def hessian(f: OfTriple[P], argnums: TwoOf, *, sparse: Literal[False] = False) -> Triple[
    Square[float], Square[Value], P]: ...


@overload
def hessian(f: OfPair[P], argnums: First = 0, *, sparse: Literal[False] = False) -> Pair[float, Value, P]: ...


@overload
def hessian(f: OfPair[P], argnums: Two, *, sparse: Literal[False] = False) -> Pair[
    Square[float], Square[Value], P]: ...


@overload
def hessian(f: OfFew, argnums: int | str, *,
            sparse: Literal[False] = False) -> Many[float, Value]: ...


@overload
def hessian(f: OfNumber[P], argnums: Literal[0] = 0, *, sparse: Literal[False] = False) -> Slope[P]: ...


@overload
def hessian(f: FloatOfFloat[P], argnums: Literal[0] = 0, *,
            sparse: Literal[False] = False) -> FloatOfFloat[P]: ...


@overload
def hessian(f: FloatOfFloats[P], argnums: Literal[0] = 0, *,
            sparse: Literal[False] = False) -> MatrixOfFloats[P]: ...


@overload
def hessian(f: Callable[..., Number], argnums: Selection = 0, *,
            sparse: bool = False) -> Callable[..., Any]: ...


def hessian(f: Callable[..., Any], argnums: Selection = 0, *, sparse: bool = False) -> Callable[..., Any]:
    """The second derivatives of f, nested as `jacobian` of `grad` nests them.

    With ``sparse=True`` it is a SciPy CSR matrix with a row and a column for each number of the
    argument; it takes one sweep over the recorded gradient for each of the pattern's `colours`.

    >>> hessian(lambda p: p[0] * p[0] * p[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    require_function("hessian", f)
    gradient: Any = grad(f, argnums)
    argnums = gradient.args[1]                  # (they may come from an iterator)
    return transform(_sparse_hessian, gradient, argnums) if sparse else jacobian(gradient, argnums)


def is_hessian(f: Any) -> bool:
    """Whether f is a (dense) Jacobian of a derivative."""
    return isinstance(f, Transform) and f.func is _jacobian and isinstance(f.args[0], Transform)


def _sparse_hessian(gradient: Callable[..., Any], argnums: Selection, /, *args: Any, **kwargs: Any) -> Any:
    trace = Trace(gradient, args, kwargs, argnums)
    _refuse_traced(trace)
    return hessian_matrix(_pattern(trace), functools.partial(pushed, trace))


def _refuse_traced(trace: Trace) -> None:
    if trace.tape:
        trace.tape.refuse("sparse=True within", "a sparse matrix holds plain floats; leave out sparse=True, "
                          "or call it outside of it")


@overload
def hvp(f: Callable[..., Number], primals: tuple[X], tangents: tuple[X]) -> X: ...
@overload
def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any: ...


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of f by its first argument, times the tangents: one sweep over the gradient.

    >>> hvp(lambda p: p[0] * p[0] * p[1], ([3.0, 5.0],), ([1.0, 0.0],))
    [10.0, 6.0]
    """
    require_function("hvp", f)
    return _pushed("hvp", grad(f), primals, tangents)[1]


def _pattern(trace: Trace) -> list[set[int]]:
    """The inputs on which each output depends, by their indices."""
    return dependence(trace.linear, trace.inputs_at, list(map(trace.program.place, trace.outputs)))


# -- forward sweeps -----------------------------------------------------------------------------


def pushed(trace: Trace, tangents: Sequence[Any]) -> list[Any]:
    """The derivative of each output along `tangents` of the inputs (a forward sweep)."""
    if trace.tape:
        return trace.tape.push(trace, tangents)  # type: ignore[no-any-return]
    start = {k: t for k, t in zip(trace.inputs_at, tangents) if k is not None and _moves(t)}
    try:
        along = trace.linear.push(start, _Push(trace))
    except _Unbounded:                      # only a reverse sweep can tell what arrives there
        return [_dot(tangents, trace.pull((y, 1.0))) for y in trace.outputs]
    places = list(map(trace.program.place, trace.outputs))
    found = [0.0 if k is None or along[k] is None else opened(along[k]) for k in places]
    if kinks.live:
        trace.verify(start, found, places)
    return found


class _Unbounded(Exception):
    """A partial on the way is not finite."""


class _Push(Checked):
    def times(self, g: Any, p: Any, k: int, i: int) -> Any:
        if type(p) is Gate:
            return p.leave(g)
        if not finite(p):
            raise _Unbounded
        return super().times(g, p, k, i)


def _moves(t: Any) -> bool:
    return not (type(t) is float and t == 0.0)


def _dot(tangents: Sequence[Any], gradient: Sequence[Any]) -> Any:
    found = [(t, g) for t, g in zip(tangents, gradient) if g is not None and _moves(t)]
    return dot(*zip(*found)) if found else 0.0
