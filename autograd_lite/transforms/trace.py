"""`Trace`: a function run once on Values of its own, and the sweeps over what that recorded."""
from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from math import nan
from typing import Any

from autograd_lite.graph.backward import checked, finite, gradients, plus
from autograd_lite.errors import InputError
from autograd_lite.graph.walks import dependents, operand_nodes, topological
from autograd_lite.graph.node import plain
from autograd_lite.ops.elementary import dot, identity
from autograd_lite.ops.op import Op, number, shown
from autograd_lite.transforms.colouring import dependence
from autograd_lite.transforms.trees import leaves, rebuild, refill
from autograd_lite.graph.value import Value, recording

Selection = int | str | Sequence[int | str]


class Trace:
    """One run of a function on Values of its own.

    `selected` are the arguments that `argnums` selects (a tuple of them if it names several),
    `inputs` those Values, one for each of their numbers; `result` is what the function returned.
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any],
                 argnums: Selection = 0):
        self.inputs: list[Value] = []
        self.closed: set[int] = set()       # results known to depend on nothing but the inputs
        given: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
        places = _places(f, argnums, args, kwargs)
        selected = tuple([given[place] for place in places])
        self.selected = selected[0] if isinstance(argnums, (int, str)) else selected
        with recording():
            try:
                given.update(zip(places, [rebuild(tree, self._input) for tree in selected]))
            except InputError as error:
                raise InputError(f"{name_of(f)}: {error}") from None
            self.result = f(*[given.pop(i) for i in range(len(args))], **given)
        for x in self.inputs:
            if not x.operands:
                x.requires_grad = False     # where a result escapes, its caller sees a constant

    def shape(self, entries: Sequence[Any]) -> Any:
        """The entries, one for each input (0 for None), in the shape of the selected arguments."""
        return refill(self.selected, [0.0 if entry is None else entry for entry in entries])

    def lower_all(self, tree: Any) -> Any:
        """`lower` for the numbers of a structure; what is no number stays as it is."""
        return rebuild(tree, self.lower, lenient=True)

    def _input(self, x: Any) -> Value:
        """A Value of our own; linked to the caller's where that is one."""
        own: Value = identity(x) if isinstance(x, Value) and x.requires_grad else Value(plain(x))
        if isinstance(x, Value) and x.label:
            own.label = x.label
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
            if found is not None:
                self.closed.add(id(output))
                return found
        gradient: dict[int, Any] = {}
        for output, seed in seeded:
            if isinstance(output, Value):
                gradient[id(output)] = plus(output, gradient.get(id(output)), seed)
        for node, partials in reversed(self.tape):
            g = gradient.get(id(node))
            if g is not None:
                for i, x, p in partials:
                    gradient[id(x)] = plus(x, gradient.get(id(x)), _term(node, i, g, p))
        return [gradient.get(id(x)) for x in self.inputs]

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """The derivative of each output along `tangents` of the inputs (a forward sweep)."""
        along: dict[int, Any] = {id(x): None if type(t) is float and t == 0.0 else t
                                 for x, t in zip(self.inputs, tangents)}         # None: it does not move
        for node, partials in self.tape:
            total = None
            for i, x, p in partials:
                if along[id(x)] is None:
                    continue
                if not finite(p):           # what arrives there, only a reverse sweep can tell
                    return [_dot(tangents, self.pull((y, 1.0))) for y in self.outputs]
                total = plus(node, total, _term(node, i, along[id(x)], p))
            along[id(node)] = total
        return [0.0 if along.get(id(y)) is None else along[id(y)] for y in self.outputs]

    @cached_property
    def tape(self) -> list[tuple[Value, list[tuple[int, Value, Any]]]]:
        """The inner nodes, with each operand that depends on an input: its place, itself and the
        partial, a float, or a Value where the caller's enter."""
        tape = []
        for node in self.inner:
            varies = [id(x) in self.between for x in node.operands]
            partials, row = node.stored_partials, node._row
            if row is not None and id(node) in self.outer:
                partials = row.derivatives_or_nan(node, list(map(self.lower, node.operands)), varies)
            tape.append((node, [(i, x, p) for i, (x, p) in enumerate(zip(node.operands, partials))
                                if varies[i]]))
        return tape


def _times(g: Any, p: Any) -> Any:
    if type(p) is float and p in (0.0, 1.0, -1.0):
        return g if p == 1.0 else -g if p else 0.0
    if type(g) is float and g in (0.0, 1.0):
        return p if g else 0.0
    return g * p


def _term(node: Value, i: int, g: Any, p: Any) -> Any:
    """What the gradient g of a node gives by its i-th operand."""
    return _stop(g) if g == 0.0 and not finite(p) else checked(_times(g, p), node, i, g, p)


def _dot(tangents: Sequence[Any], gradient: Sequence[Any]) -> Any:
    found = [(t, g) for t, g in zip(tangents, gradient) if g is not None]
    return dot(*zip(*found)) if found else 0.0


_stop = Op("stopped_zero", lambda g: 0.0, (lambda y, g: nan,), kink=lambda g: nan, singular="a gradient of 0 "
           "met an infinite derivative there, and what becomes of it when it varies is unknown; keep away "
           "from that point")


def _places(f: Callable[..., Any], argnums: Selection, args: Sequence[Any],
            kwargs: Mapping[str, Any]) -> list[int | str]:
    """Where the selected arguments stand in this call."""
    names: list[int | str] = []
    for wanted in argnums if isinstance(argnums, Iterable) and not isinstance(argnums, str) else [argnums]:
        if not isinstance(wanted, (int, str)):
            raise InputError(f"argnums={argnums!r}: give the position or the name of an argument, or several")
        if isinstance(wanted, str) and wanted not in kwargs:
            parameters = list(inspect.signature(f).parameters)
            if wanted not in parameters or parameters.index(wanted) >= len(args):
                raise InputError(f"{name_of(f)} is called without an argument {wanted!r}; its parameters "
                                 f"are {', '.join(parameters)}")
            wanted = parameters.index(wanted)
        elif isinstance(wanted, int) and not -len(args) <= wanted < len(args):
            raise InputError(f"{name_of(f)} has no positional argument number {wanted} in this call, which "
                             f"gives {len(args)}")
        names.append(wanted % len(args) if isinstance(wanted, int) else wanted)
    if len(set(names)) < len(names):
        raise InputError(f"argnums={argnums!r} names an argument of {name_of(f)} twice")
    return names


def name_of(f: Callable[..., Any]) -> str:
    """What a message calls a function."""
    return getattr(f, "__name__", type(f).__name__)


def require_function(where: str, f: Any) -> None:
    """Refuse what is no function."""
    if not callable(f):
        remedy = ("; for the gradient of a Value call its backward()" if isinstance(f, Value) else
                  "; give one that computes the result from its arguments")
        raise InputError(f"{where} takes a function, got {shown(f)}{remedy}")


def scalar_result(f: Callable[..., Any], y: Any) -> Any:
    """The one number that f returned."""
    if isinstance(y, Value):
        return y
    try:
        return number(y, name_of(f))
    except InputError:
        raise InputError(f"{name_of(f)} returned {shown(y)}; a gradient needs one number "
                         "(jacobian takes several; has_aux=True takes a second result)") from None
