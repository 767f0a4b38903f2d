"""Functions of numbers into functions of numbers: their derivatives.

A function is traced on Values made for the purpose. Where the result depends on
nothing but these, its gradient is a pass over floats; where it also depends on Values
of the caller (an enclosing transform's, or captured ones), the gradient is recorded as a
graph on them. So the transforms nest and mix, and no perturbation is taken for another.
"""
from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from numbers import Real
from typing import Any, Literal

from autograd_lite.errors import GradientError, InputError, signal
from autograd_lite.graph import dependents, operand_nodes, topological
from autograd_lite.ops import Op, add, identity, mul, nan, number, short
from autograd_lite.series import expand, no_derivative
from autograd_lite.sparse import dependence, hessian_matrix, jacobian_matrix
from autograd_lite.value import Value, gradients, recording

Selection = int | str | Sequence[int | str]

# -- nested structures of numbers ---------------------------------------------------------


def _is_number(x: Any) -> bool:
    return isinstance(x, (Value, Real)) or getattr(x, "shape", None) == ()


def _is_array(x: Any) -> bool:
    return type(x).__module__ == "numpy" and getattr(x, "shape", ()) != ()


def leaves(tree: Any, lenient: bool = False) -> list[Any]:
    """The numbers of a nested structure, in order.

    >>> leaves({"a": [1.0, 2.0], "b": 3.0})
    [1.0, 2.0, 3.0]
    """
    found: list[Any] = []

    def keep(x: Any) -> Any:
        found.append(x)
        return x

    rebuild(tree, keep, lenient)
    return found


def rebuild(tree: Any, change: Callable[[Any], Any], lenient: bool = False) -> Any:
    """The structure with every number x replaced by ``change(x)``.

    A structure is a number or a list, tuple, dict, dataclass or NumPy array of structures;
    what is none stays as it is if `lenient`.

    >>> rebuild((1.0, [2.0]), lambda x: 10 * x)
    (10.0, [20.0])
    """
    def each(x: Any) -> Any:
        return rebuild(x, change, lenient)

    if _is_number(tree):
        return change(tree)
    if isinstance(tree, list):
        return list(map(each, tree))
    if isinstance(tree, tuple):
        return type(tree)(*map(each, tree)) if hasattr(tree, "_fields") else tuple(map(each, tree))
    if isinstance(tree, Mapping):
        result = copy.copy(tree) if isinstance(tree, dict) else {}      # an OrderedDict stays one
        result.update({key: each(x) for key, x in tree.items()})
        return result
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [field.name for field in dataclasses.fields(tree) if field.init]
        return dataclasses.replace(tree, **{name: each(getattr(tree, name)) for name in names})
    if _is_array(tree):
        return as_array([each(x) for x in tree.ravel().tolist()], tree.shape)
    if lenient:
        return tree
    raise InputError(f"expected a number, or a list, tuple, dict, dataclass or array of numbers, "
                     f"got {shown(tree)}")


def shown(x: Any) -> str:
    """What a message calls an object that may be anything."""
    return repr(x) if x is None or isinstance(x, Value) else f"{type(x).__name__} {short(x)}"


def as_array(entries: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """An array of floats, or of objects where Values are among them; of arrays, one of more
    dimensions; of other structures, a nested list."""
    import numpy as np
    if entries and all(map(_is_array, entries)):
        return np.stack(entries).reshape(shape + entries[0].shape)
    array = np.empty(len(entries), float if all(isinstance(x, float) for x in entries) else object)
    for i, x in enumerate(entries):
        array[i] = x
    array = array.reshape(shape)
    return array if all(map(_is_number, entries)) else array.tolist()


# -- tracing ----------------------------------------------------------------------------


class Trace:
    """One run of a function on Values of its own.

    `inputs` are those Values, one for each number of the selected arguments; `result` is what
    the function returned.
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any],
                 names: Sequence[int | str]):
        self.inputs: list[Value] = []
        self.closed: set[int] = set()       # results known to depend on nothing but the inputs
        args, kwargs = list(args), dict(kwargs)
        self.trees = []
        with recording():
            for name in names:
                place: Any = args if isinstance(name, int) else kwargs
                self.trees.append(place[name])
                try:
                    place[name] = rebuild(place[name], self._input)
                except InputError as error:
                    raise InputError(f"{_name(f)}: {error}") from None
            self.result = f(*args, **kwargs)
        for x in self.inputs:
            if not x.operands:
                x.requires_grad = False     # where a result escapes, its caller sees a constant

    def shape(self, entries: Sequence[Any]) -> list[Any]:
        """The entries, one for each input (0 for None), in the shapes of the selected arguments."""
        supply = iter([0.0 if entry is None else entry for entry in entries])
        return [rebuild(tree, lambda _: next(supply)) for tree in self.trees]

    def lower_all(self, tree: Any) -> Any:
        """`lower` for the numbers of a structure; what is no number stays as it is."""
        return rebuild(tree, self.lower, lenient=True)

    def _input(self, x: Any) -> Value:
        """A Value of our own; linked to the caller's where that is one."""
        label = x.label if isinstance(x, Value) else ""
        linked = isinstance(x, Value) and x.requires_grad
        own: Value = identity(x) if linked else Value(x.data if isinstance(x, Value) else x)
        if label:
            own.label = label
        self.inputs.append(own)
        return own

    @cached_property
    def outputs(self) -> list[Any]:
        """The numbers of the result."""
        return leaves(self.result, lenient=True)

    @cached_property
    def own(self) -> set[int]:
        return {id(x) for x in self.inputs}

    @cached_property
    def order(self) -> list[Value]:
        """What the result depends on, down to the inputs."""
        outputs = [y for y in self.outputs if isinstance(y, Value)]
        return topological(outputs, lambda x: [] if id(x) in self.own else operand_nodes(x))

    @cached_property
    def between(self) -> set[int]:
        """The nodes that are an input or depend on one."""
        return dependents(self.order, self.inputs)

    @cached_property
    def inner(self) -> list[Value]:
        """The nodes that depend on an input, operands first."""
        return [x for x in self.order if id(x) in self.between and id(x) not in self.own]

    @cached_property
    def outer(self) -> set[int]:
        """The nodes that depend on Values of the caller: leaves of his, or inputs linked to his."""
        return dependents(self.order, [x for x in self.order if (
            x.operands if id(x) in self.own else x.requires_grad and not x.operands)])

    @property
    def pattern(self) -> list[set[int]]:
        """On which inputs each output depends, by their places."""
        return dependence(self.order, self.inputs, self.outputs)

    def lower(self, x: Any) -> Any:
        """A result as the caller may have it: a float, unless it depends on his Values."""
        if not isinstance(x, Value) or (id(x) not in self.closed and id(x) in self.outer):
            return x
        return x.data

    def pull(self, *seeded: tuple[Any, Any]) -> list[Any]:
        """Σ seed · ∂output/∂input by each input (a reverse sweep); None where no path leads."""
        output, seed = seeded[0] if len(seeded) == 1 else (None, None)
        if (type(seed) is float and isinstance(output, Value) and output.requires_grad
                and not any(x.operands for x in self.inputs)):
            found = gradients(output, self.inputs, seed)
            for x in self.inputs:
                x.requires_grad = False
            if found is not None:
                self.closed.add(id(output))
                return found
        gradient: dict[int, Any] = {}
        for output, seed in seeded:
            gradient[id(output)] = _plus(gradient.get(id(output)), seed)
        for node, partials in reversed(self.tape):
            g = gradient.get(id(node))
            if g is not None:
                for i, x, p in partials:
                    term = self._stopped(node, i, g) if p is None else _times(g, p)
                    gradient[id(x)] = _plus(gradient.get(id(x)), term)
        return [gradient.get(id(x)) for x in self.inputs]

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """The derivative of each output along `tangents` of the inputs (a forward sweep)."""
        along: dict[int, Any] = {id(x): t for x, t in zip(self.inputs, tangents)}
        for node, partials in self.tape:
            total = None
            for _, x, p in partials:
                if p is None:               # what arrives there, only a reverse sweep can tell
                    return [self._along(tangents, self.pull((y, 1.0))) for y in self.outputs]
                total = _plus(total, _times(along[id(x)], p))
            along[id(node)] = total
        return [along.get(id(y), 0.0) for y in self.outputs]

    def _along(self, tangents: Sequence[Any], gradient: Sequence[Any]) -> Any:
        total = None
        for t, g in zip(tangents, gradient):
            total = total if g is None else _plus(total, _times(t, g))
        return 0.0 if total is None else total

    @cached_property
    def tape(self) -> list[tuple[Value, list[tuple[int, Value, Any]]]]:
        """The inner nodes, with each operand that depends on an input: its place, itself and the
        partial, a float, or a Value where the caller's enter, or None where infinite or missing."""
        found, between = [], self.between
        for node in self.inner:
            xs = node.operands
            found.append((node, [(i, x, p) for i, (x, p) in enumerate(zip(xs, self._partials(node, xs)))
                                 if id(x) in between]))
        return found

    def _partials(self, node: Value, xs: Sequence[Any]) -> Sequence[Any]:
        row: Any = node._row
        if id(node) not in self.outer:
            partials: Sequence[Any] = node._pb if type(node._a) is tuple else (node._pa, node._pb)
        else:
            try:
                partials = row.derivatives(node, [self.lower(x) for x in xs],
                                           [id(x) in self.between for x in xs])
            except (ValueError, ArithmeticError):
                partials = [nan] * len(xs)
        if all(map(_is_finite, partials)) or not all(map(_is_finite, xs)):
            return partials
        return [p if _is_finite(p) else None for p in partials]

    def _stopped(self, node: Value, i: int, g: Any) -> Any:
        """What a gradient gives at a partial that is infinite or missing: 0 gives 0, else an error."""
        if g == 0.0:
            return _stop(g)
        row: Any = node._row
        xs = [x.data if isinstance(x, Value) else x for x in node.operands]
        signal(no_derivative(row, xs, node))
        return g * row.ieee_derivatives(node.data, xs)[i]


_stop = Op("0·∞", lambda g: 0.0, (lambda y, g: nan,), singular="a gradient of 0 met an infinite derivative "
           "there, and what becomes of it when it varies is unknown; keep away from that point")


def _is_finite(x: Any) -> bool:
    data = x.data if isinstance(x, Value) else x
    return data is None or data - data == 0.0


def _times(g: Any, p: Any) -> Any:
    if type(p) is float and p in (0.0, 1.0, -1.0):
        return g if p == 1.0 else -g if p else 0.0
    if type(g) is float and g in (0.0, 1.0):
        return p if g else 0.0
    y = g * p
    return y if type(y) is not float or y - y == 0.0 else mul(g, p)      # the row says what is wrong


def _plus(a: Any, b: Any) -> Any:
    if a is None:
        return b
    y = a + b
    return y if type(y) is not float or y - y == 0.0 else add(a, b)


# -- the transforms -----------------------------------------------------------------------


def _place(f: Callable[..., Any], argnums: Selection, args: Sequence[Any],
           kwargs: Mapping[str, Any]) -> list[int | str]:
    """Where the selected arguments stand in this call."""
    names: list[int | str] = []
    for wanted in [argnums] if isinstance(argnums, (int, str)) else argnums:
        if isinstance(wanted, str) and wanted not in kwargs:
            parameters = list(inspect.signature(f).parameters)
            if wanted not in parameters or parameters.index(wanted) >= len(args):
                raise InputError(f"{_name(f)} is called without an argument {wanted!r}; its parameters "
                                 f"are {', '.join(parameters)}")
            wanted = parameters.index(wanted)
        elif isinstance(wanted, int) and not -len(args) <= wanted < len(args):
            raise InputError(f"{_name(f)} has no positional argument number {wanted} in this call, which "
                             f"gives {len(args)}")
        names.append(wanted % len(args) if isinstance(wanted, int) else wanted)
    if len(set(names)) < len(names):
        raise InputError(f"argnums={argnums!r} names an argument of {_name(f)} twice")
    return names


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", type(f).__name__)


def require_function(where: str, f: Any) -> None:
    """Refuse what is no function."""
    if not callable(f):
        remedy = ("; for the gradient of a Value call its backward()" if isinstance(f, Value) else
                  "; give one that computes the result from its arguments")
        raise InputError(f"{where} takes a function, got {shown(f)}{remedy}")


def _scalar(f: Callable[..., Any], y: Any) -> Any:
    if isinstance(y, Value):
        return y
    try:
        return number(y, _name(f))
    except InputError:
        raise InputError(f"{_name(f)} returned {shown(y)}; a gradient needs one number "
                         "(jacobian takes several; has_aux=True takes a second result)") from None


def value_and_grad(f: Callable[..., Any], argnums: Selection = 0, *, has_aux: bool = False,
                   unused: Literal["zero", "raise"] = "zero") -> Callable[..., Any]:
    """The function that returns f's value and its gradient.

    Args:
        f: a function of numbers, or of lists, tuples, dicts, dataclasses or arrays of them, that
            returns one number.
        argnums: the arguments to differentiate by: a position, a name, or several of them.
        has_aux: f returns (number, anything); the result is then ((value, anything), gradient).
        unused: "raise" refuses a number on which the result does not depend; else its gradient is 0.

    Returns:
        A function of f's arguments giving (value, gradient); the gradient has the shape of the
        argument (a tuple of such for several).

    Raises:
        InputError: f returns no number, or an argument is not there.
        GradientError: with ``unused="raise"``, a number does not reach the result.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    require_function("value_and_grad", f)
    if unused not in ("zero", "raise"):
        raise InputError(f"unused={unused!r}: choose 'zero' or 'raise'")

    @functools.wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(f, args, kwargs, _place(f, argnums, args, kwargs))
        y = trace.result
        if has_aux:
            if not isinstance(y, tuple) or len(y) != 2:
                raise InputError(f"{_name(f)} must return (number, anything) under has_aux=True")
            y, aux = y
        y = _scalar(f, y)
        found = trace.pull((y, 1.0))
        missing = [i for i, g in enumerate(found) if g is None]
        if missing and unused == "raise":
            raise GradientError(f"{_name(f)}: the result does not depend on number {missing[0]} of the "
                                "selected arguments; leave it out, or ask for unused='zero'")
        shaped = trace.shape(found)
        gradient = shaped[0] if isinstance(argnums, (int, str)) else tuple(shaped)
        if has_aux:
            return (trace.lower(y), trace.lower_all(aux)), gradient
        return trace.lower(y), gradient
    return transformed


def grad(f: Callable[..., Any], argnums: Selection = 0, *, has_aux: bool = False,
         unused: Literal["zero", "raise"] = "zero") -> Callable[..., Any]:
    """The gradient of f, a function of f's arguments; see `value_and_grad`.

    With ``has_aux=True`` it returns (gradient, anything).

    >>> grad(lambda x: x ** 3)(2.0)
    12.0
    >>> grad(grad(lambda x: x ** 3))(2.0)
    12.0
    >>> grad(lambda point: point["x"] * point["y"])({"x": 2.0, "y": 5.0})
    {'x': 5.0, 'y': 2.0}
    """
    require_function("grad", f)
    both = value_and_grad(f, argnums, has_aux=has_aux, unused=unused)

    @functools.wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient
    return transformed


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f's value at `primals` and its derivative along `tangents` (one of each per argument).

    >>> jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 0.0))
    (10.0, 5.0)
    """
    require_function("jvp", f)
    remedy = "with an entry for each argument: for one list argument write ([…],)"
    if not isinstance(primals, (list, tuple)) or not isinstance(tangents, (list, tuple)):
        raise InputError(f"jvp: give the point and the direction as tuples, {remedy}")
    if len(primals) != len(tangents):
        raise InputError(f"jvp: the point and the direction are tuples {remedy}; they have {len(primals)} "
                         f"and {len(tangents)} entries")
    try:
        trace = Trace(f, primals, {}, range(len(primals)))
    except (TypeError, IndexError) as error:
        if all(map(_is_number, primals)):
            error.add_note(f"jvp: the point is a tuple {remedy}")
        raise
    directions = _like(trace.inputs, list(tangents), "jvp: the point", "the direction")
    supply = iter(trace.push(directions))
    return trace.lower_all(trace.result), rebuild(trace.result, lambda _: next(supply))


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """f's value, and the function that pulls a cotangent (of the value's shape) back to the arguments.

    >>> value, pull = vjp(lambda x, y: [x * y, x + y], 2.0, 5.0)
    >>> value, pull([1.0, 0.0])
    ([10.0, 7.0], (5.0, 2.0))
    """
    require_function("vjp", f)
    trace = Trace(f, primals, {}, range(len(primals)))

    def pull(cotangent: Any) -> tuple[Any, ...]:
        seeds = _like(trace.outputs, cotangent, "vjp: the result", "the cotangent")
        return tuple(trace.shape(trace.pull(*zip(trace.outputs, seeds))))
    return trace.lower_all(trace.result), pull


def _like(numbers: Sequence[Any], tree: Any, what: str, other: str) -> list[Any]:
    """The numbers of a structure, as many as there are `numbers`."""
    given = [x if isinstance(x, Value) else number(x, what) for x in leaves(tree)]
    if len(given) != len(numbers):
        raise InputError(f"{what} and {other} must have the same shape; they hold {len(numbers)} and "
                         f"{len(given)} numbers")
    return given


def jacobian(f: Callable[..., Any], argnums: Selection = 0, *, sparse: bool = False) -> Callable[..., Any]:
    """The derivatives of every number f returns by every number of the selected arguments.

    The result has f's shape, each of its numbers replaced by the shape of the argument; for an
    array of an array it is an array of shape ``result.shape + argument.shape``. It takes as many
    sweeps as there are outputs or inputs, whichever are fewer.

    With ``sparse=True`` it is a SciPy CSR matrix, a row for each number f returns and a column
    for each number of the arguments; it takes as many sweeps as the pattern has `colours`.

    >>> jacobian(lambda p: [p[0] * p[1], p[0] + p[1]])([2.0, 5.0])
    [[5.0, 2.0], [1.0, 1.0]]
    """
    require_function("jacobian", f)

    @functools.wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(f, args, kwargs, _place(f, argnums, args, kwargs))
        n = len(trace.inputs)
        if sparse:
            return jacobian_matrix(trace.pattern, n, trace.push,
                                   lambda weights: trace.pull(*zip(trace.outputs, weights)))
        if len(trace.outputs) <= n:
            rows = [[0.0 if g is None else g for g in trace.pull((y, 1.0))] for y in trace.outputs]
        else:
            columns = [trace.push([1.0 if i == k else 0.0 for i in range(n)]) for k in range(n)]
            rows = [[column[k] for column in columns] for k in range(len(trace.outputs))]
        single = isinstance(argnums, (int, str))
        supply = iter([tree[0] if single else tuple(tree) for tree in map(trace.shape, rows)])
        return rebuild(trace.result, lambda _: next(supply))
    return transformed


def hessian(f: Callable[..., Any], argnums: Selection = 0, *, sparse: bool = False) -> Callable[..., Any]:
    """The second derivatives of f, nested as `jacobian` of `grad` nests them.

    With ``sparse=True`` it is a SciPy CSR matrix with a row and a column for each number of the
    argument; it takes one sweep over the recorded gradient for each of the pattern's `colours`.

    >>> hessian(lambda p: p[0] * p[0] * p[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    require_function("hessian", f)
    gradient = grad(f, argnums)
    if not sparse:
        return jacobian(gradient, argnums)

    @functools.wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(gradient, args, kwargs, _place(f, argnums, args, kwargs))
        return hessian_matrix(trace.pattern, trace.push)
    return transformed


def taylor(f: Callable[..., Any], x: Any, order: int) -> Any:
    """The coefficients of f(x + t) = c[0] + c[1]·t + … + c[order]·t^order + …, as a list.

    Where f returns a structure, each of its numbers becomes a list. The cost is polynomial in
    the order.

    Raises:
        DomainError: a coefficient is infinite or missing (sqrt at 0).
        RangeError: a coefficient is too large for a double.

    >>> taylor(lambda x: 1 / x, 2.0, 3)
    [0.5, -0.25, 0.125, -0.0625]
    """
    require_function("taylor", f)
    return _expanded(f, (x,), {}, _whole(order), 1.0, list)


def derivative(f: Callable[..., Any], order: int = 1) -> Callable[..., Any]:
    """The derivative of an order of f, a function of one number (and of others, kept fixed).

    It costs polynomially in the order: the op's rules are read over Taylor series.

    Raises:
        InputError: the argument is no number, or the order no whole number.
        DomainError: the derivative is infinite or missing (sqrt at 0).
        RangeError: the derivative is too large for a double.

    >>> derivative(lambda x: x ** 4)(2.0)
    32.0
    >>> derivative(lambda x: x ** 4, order=3)(2.0)
    48.0
    """
    require_function("derivative", f)
    order = _whole(order)
    # Over t = (x − x₀)/scale the coefficients are as large as the derivative, whatever the order
    # (n! is about (n/e)^n): none is lost that is a double in the end.
    scale = max(1, round(order / math.e))
    factor = float(Fraction(math.factorial(order), scale ** order))

    @functools.wraps(f)
    def transformed(x: Any, *args: Any, **kwargs: Any) -> Any:
        return _expanded(f, (x, *args), kwargs, order, float(scale),
                         lambda c: c[order] if factor == 1.0 else c[order] * factor)
    return transformed


def _whole(order: Any) -> int:
    if not isinstance(order, int) or order < 0:
        raise InputError(f"an order is a whole number from 0 on, not {order!r}")
    return order


def _expanded(f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], order: int,
              scale: float, reading: Callable[[list[Any]], Any]) -> Any:
    """f's result, its numbers replaced by a reading of their coefficients in (x − args[0])/scale."""
    if not _is_number(args[0]):
        raise InputError(f"{_name(f)}: an order belongs to a function of one number, not of "
                         f"{shown(args[0])}; use grad, hessian or jacobian")
    trace = Trace(f, args, kwargs, [0])
    x = trace.inputs[0]
    found = expand(trace.inner, {id(x): (trace.lower(x), scale)}, order, trace.lower)

    def read(y: Any) -> Any:
        series = found.get(id(y))
        if series is None:
            return reading([trace.lower(y), *[0.0] * order])
        if series.error:
            signal(series.error)
        return reading(series.c)
    return rebuild(trace.result, read)


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of f by its first argument, times the tangents: one sweep over the gradient.

    >>> hvp(lambda p: p[0] * p[0] * p[1], ([3.0, 5.0],), ([1.0, 0.0],))
    [10.0, 6.0]
    """
    require_function("hvp", f)
    return jvp(grad(f), primals, tangents)[1]


def stop_gradient(x: Any) -> Any:
    """The same numbers, to which no gradient flows.

    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return rebuild(x, lambda x: x.detach() if isinstance(x, Value) else x)
