"""Functions of numbers into functions of numbers: their derivatives.

A function is traced on Values made for the purpose. Where the result depends on
nothing but these, its gradient is a pass over floats; where it also depends on Values
of the caller (an enclosing transform's, or captured ones), the gradient is recorded as a
graph on them. So the transforms nest and mix, and no perturbation is taken for another.
"""
from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from numbers import Real
from typing import Any, Literal

from autograd_lite.errors import DomainError, GradientError, InputError, NumericError, signal
from autograd_lite.graph import dependents, operand_nodes, topological
from autograd_lite.ops import add, identity, mul, nan, number
from autograd_lite.value import Value, gradients, recording

Selection = int | str | Sequence[int | str]

# -- nested structures of numbers ---------------------------------------------------------


def _is_array(x: Any) -> bool:
    return type(x).__module__ == "numpy" and getattr(x, "shape", ()) != ()


def leaves(tree: Any) -> list[Any]:
    """The numbers of a nested structure, in order.

    >>> leaves({"a": [1.0, 2.0], "b": 3.0})
    [1.0, 2.0, 3.0]
    """
    found: list[Any] = []
    rebuild(tree, lambda x: found.append(x))
    return found


def rebuild(tree: Any, change: Callable[[Any], Any]) -> Any:
    """The structure with every number x replaced by ``change(x)``.

    A structure is a number or a list, tuple, dict, dataclass or NumPy array of structures.

    >>> rebuild((1.0, [2.0]), lambda x: 10 * x)
    (10.0, [20.0])
    """
    if isinstance(tree, (Value, Real)) or getattr(tree, "shape", None) == ():
        return change(tree)
    if isinstance(tree, list):
        return [rebuild(x, change) for x in tree]
    if isinstance(tree, tuple):
        entries = [rebuild(x, change) for x in tree]
        return type(tree)(*entries) if hasattr(tree, "_fields") else tuple(entries)
    if isinstance(tree, Mapping):
        return {key: rebuild(x, change) for key, x in tree.items()}
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        fields = [field.name for field in dataclasses.fields(tree) if field.init]
        return dataclasses.replace(tree, **{name: rebuild(getattr(tree, name), change)
                                            for name in fields})
    if _is_array(tree):
        entries = [change(x) for x in tree.ravel().tolist()]
        return as_array(entries, tree.shape)
    raise InputError(f"expected a number, or a list, tuple, dict, dataclass or array of numbers, "
                     f"got {type(tree).__name__} {str(tree)[:40]!r}")


def as_array(entries: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """An array of floats where all entries are, else of objects."""
    import numpy as np
    plain = all(type(x) is float for x in entries)
    array = np.empty(len(entries), float if plain else object)
    for i, x in enumerate(entries):
        array[i] = x
    return array.reshape(shape)


# -- tracing ----------------------------------------------------------------------------


class Trace:
    """One run of a function on Values of its own.

    `inputs` are those Values, one for each number of the selected arguments; `result` is what
    the function returned.
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any],
                 names: Sequence[int | str]):
        self.inputs: list[Value] = []
        args, kwargs = list(args), dict(kwargs)
        self.trees = []
        with recording():
            for name in names:
                place: Any = args if isinstance(name, int) else kwargs
                self.trees.append(place[name])
                place[name] = rebuild(place[name], self._input)
            self.result = f(*args, **kwargs)

    def shape(self, entries: Sequence[Any]) -> list[Any]:
        """The entries, one for each input, in the shapes of the selected arguments."""
        supply = iter(entries)
        return [rebuild(tree, lambda _: next(supply)) for tree in self.trees]

    def lower_all(self, tree: Any) -> Any:
        """`lower` for the numbers of a structure; what is no number stays as it is."""
        try:
            return rebuild(tree, self.lower)
        except InputError:
            return tree

    def _input(self, x: Any) -> Value:
        """A Value of our own; linked to the caller's where that is one."""
        if isinstance(x, Value) and x.requires_grad:
            self.inputs.append(identity(x))
        elif isinstance(x, Value):
            self.inputs.append(Value(x.data, x.label))
        else:
            self.inputs.append(Value(x))
        return self.inputs[-1]

    @cached_property
    def own(self) -> set[int]:
        return {id(x) for x in self.inputs}

    @cached_property
    def order(self) -> list[Value]:
        """What the result depends on, down to the inputs."""
        outputs = [y for y in leaves(self.result) if isinstance(y, Value)]
        return topological(outputs, lambda x: [] if id(x) in self.own else operand_nodes(x))

    @cached_property
    def between(self) -> set[int]:
        """The nodes that are an input or depend on one."""
        return dependents(self.order, self.inputs)

    @cached_property
    def outer(self) -> set[int]:
        """The nodes that depend on Values of the caller: leaves of his, or inputs linked to his."""
        return dependents(self.order, [x for x in self.order if (
            x.operands if id(x) in self.own else x.requires_grad and not x.operands)])

    def lower(self, x: Any) -> Any:
        """A result as the caller may have it: a float, unless it depends on his Values."""
        return x.data if isinstance(x, Value) and id(x) not in self.outer else x

    def pull(self, output: Any, seed: Any = 1.0) -> list[Any]:
        """The gradient of one output by each input (a reverse sweep); None where no path leads."""
        if not isinstance(output, Value) or not output.requires_grad:
            return [None] * len(self.inputs)
        if type(seed) is float and not any(x.operands for x in self.inputs):
            found = gradients(output, self.inputs, seed)
            if found is not None:
                return found
        gradient: dict[int, Any] = {id(output): seed}
        for node in reversed(self.order):
            g = gradient.get(id(node))
            if g is not None and id(node) in self.between and id(node) not in self.own:
                for operand, p in self._partials(node, g):
                    gradient[id(operand)] = _plus(gradient.get(id(operand)), _times(g, p))
        return [gradient.get(id(x)) for x in self.inputs]

    def push(self, tangents: Sequence[Any]) -> dict[int, Any]:
        """The derivative of each node along `tangents` of the inputs (a forward sweep)."""
        along: dict[int, Any] = {id(x): t for x, t in zip(self.inputs, tangents)}
        for node in self.order:
            if id(node) in self.between and id(node) not in self.own:
                total = None
                for operand, p in self._partials(node, 1.0):
                    total = _plus(total, _times(along[id(operand)], p))
                along[id(node)] = total
        return along

    def _partials(self, node: Value, g: Any) -> list[tuple[Value, Any]]:
        """The operands between, with their partials: floats, or Values where the caller's enter.

        Where a partial is infinite or missing, a gradient g of 0 stops there; another is an error.
        """
        wanted = [isinstance(x, Value) and id(x) in self.between for x in node.operands]
        row: Any = node._row
        xs = [x.data if isinstance(x, Value) else x for x in node.operands]
        if id(node) not in self.outer:
            partials: Sequence[Any] = node.partials
        else:
            try:
                partials = row.derivatives(node, [self.lower(x) for x in node.operands], wanted)
            except NumericError:
                partials = [nan] * len(xs)
        found: list[tuple[Value, Any]] = []
        for i, (x, p) in enumerate(zip(node.operands, partials)):
            if not wanted[i]:
                continue
            if type(p) is float and p - p != 0.0 and all(x - x == 0.0 for x in xs):
                if g == 0.0:
                    continue
                signal(DomainError(f"gradient through {row.call(xs, node.operands)}: "
                                   f"{row.singular or 'it has no finite derivative here'}",
                                   row.name, xs, node.operands))
                p = row.ieee_derivatives(node.data, xs)[i] if p != p else p
            found.append((x, p))
        return found


def _times(g: Any, p: Any) -> Any:
    if type(p) is float and (p == 1.0 or p == -1.0):
        return g if p == 1.0 else -g
    return p if type(g) is float and g == 1.0 else mul(g, p)


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else add(a, b)


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
            raise InputError(f"{_name(f)} is called with {len(args)} positional arguments; there is "
                             f"no argument number {wanted}")
        names.append(wanted)
    return names


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", type(f).__name__)


def _scalar(f: Callable[..., Any], y: Any) -> Any:
    if isinstance(y, Value):
        return y
    try:
        return number(y, _name(f))
    except InputError:
        raise InputError(f"{_name(f)} returned a {type(y).__name__}; a gradient needs one number "
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
    if unused not in ("zero", "raise"):
        raise InputError(f"unused={unused!r}: choose 'zero' or 'raise'")

    @functools.wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(f, args, kwargs, _place(f, argnums, args, kwargs))
        aux = None
        if has_aux:
            if not isinstance(trace.result, tuple) or len(trace.result) != 2:
                raise InputError(f"{_name(f)} must return (number, anything) under has_aux=True")
            trace.result, aux = trace.result
        y = trace.result = _scalar(f, trace.result)
        found = trace.pull(y)
        if unused == "raise" and None in [None if g is None else 1 for g in found]:
            missing = [i for i, g in enumerate(found) if g is None]
            raise GradientError(f"{_name(f)}: the result does not depend on number {missing[0]} of the "
                                "selected arguments; leave it out, or ask for unused='zero'")
        shaped = trace.shape([0.0 if g is None else g for g in found])
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
    trace = Trace(f, primals, {}, range(len(primals)))
    directions = [x if isinstance(x, Value) else number(x, "jvp") for x in leaves(list(tangents))]
    if len(directions) != len(trace.inputs):
        raise InputError(f"jvp: the primals have {len(trace.inputs)} numbers, the tangents "
                         f"{len(directions)}; they must have the same shape")
    along = trace.push(directions)
    return (trace.lower_all(trace.result),
            rebuild(trace.result, lambda y: along.get(id(y), 0.0)))


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """f's value, and the function that pulls a cotangent (of the value's shape) back to the arguments.

    >>> value, pull = vjp(lambda x, y: [x * y, x + y], 2.0, 5.0)
    >>> value, pull([1.0, 0.0])
    ([10.0, 7.0], (5.0, 2.0))
    """
    trace = Trace(f, primals, {}, range(len(primals)))
    outputs = leaves(trace.result)

    def pull(cotangent: Any) -> tuple[Any, ...]:
        seeds = [x if isinstance(x, Value) else number(x, "vjp") for x in leaves(cotangent)]
        if len(seeds) != len(outputs):
            raise InputError(f"vjp: the result has {len(outputs)} numbers, the cotangent {len(seeds)}; "
                             "they must have the same shape")
        total: list[Any] = [0.0] * len(trace.inputs)
        for y, seed in zip(outputs, seeds):
            total = [t if g is None else add(t, g) for t, g in zip(total, trace.pull(y, seed))]
        return tuple(trace.shape(total))
    return trace.lower_all(trace.result), pull


def jacobian(f: Callable[..., Any], argnums: Selection = 0) -> Callable[..., Any]:
    """The derivatives of every number f returns by every number of the selected arguments.

    The result has f's shape, each of its numbers replaced by the shape of the argument; for an
    array of an array it is an array of shape ``result.shape + argument.shape``. It takes as many
    sweeps as there are outputs or inputs, whichever are fewer.

    >>> jacobian(lambda p: [p[0] * p[1], p[0] + p[1]])([2.0, 5.0])
    [[5.0, 2.0], [1.0, 1.0]]
    """
    @functools.wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(f, args, kwargs, _place(f, argnums, args, kwargs))
        outputs = leaves(trace.result)
        n = len(trace.inputs)
        if len(outputs) <= n:
            rows = [[0.0 if g is None else g for g in trace.pull(y)] for y in outputs]
        else:
            columns = [trace.push([1.0 if i == k else 0.0 for i in range(n)]) for k in range(n)]
            rows = [[column.get(id(y), 0.0) for column in columns] for y in outputs]
        if isinstance(argnums, (int, str)) and _is_array(trace.trees[0]) and _is_array(trace.result):
            return as_array([g for row in rows for g in row], trace.result.shape + trace.trees[0].shape)
        shaped = [trace.shape(row) for row in rows]
        single = isinstance(argnums, (int, str))
        supply = iter([row[0] if single else tuple(row) for row in shaped])
        result = trace.result.tolist() if _is_array(trace.result) else trace.result
        return rebuild(result, lambda _: next(supply))
    return transformed


def hessian(f: Callable[..., Any], argnums: int | str = 0) -> Callable[..., Any]:
    """The second derivatives of f, nested as `jacobian` of `grad` nests them.

    >>> hessian(lambda p: p[0] * p[0] * p[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of f by its first argument, times the tangents: one sweep over the gradient.

    >>> hvp(lambda p: p[0] * p[0] * p[1], ([3.0, 5.0],), ([1.0, 0.0],))
    [10.0, 6.0]
    """
    return jvp(grad(f), primals, tangents)[1]


def stop_gradient(x: Any) -> Any:
    """The same numbers, to which no gradient flows.

    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return rebuild(x, lambda x: x.detach() if isinstance(x, Value) else x)
