"""A function's result and its derivatives by some numbers of its arguments; quickly if it is compiled."""
from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from autograd_lite.checks.edges import one_sided
from autograd_lite.errors import DomainError, InputError, NumericError, signal
from autograd_lite.graph import kinks, value
from autograd_lite.graph.linear import Algebra
from autograd_lite.graph.node import call_of, op_of, plain
from autograd_lite.graph.small import FEW, Row, called, rows_of
from autograd_lite.graph.states import kinked, with_kinks
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import Op, number
from autograd_lite.transforms.gates import Gate
from autograd_lite.transforms.jacobians import jacobian, jacobian_rows
from autograd_lite.transforms.structures import returned
from autograd_lite.transforms.trace import Function, Selection, Trace, name_of, transform
from autograd_lite.transforms.trees import leaves, rebuild

Rows = list[Row]
_FLOAT = frozenset([float])


class Point:
    """A function, and the numbers of its arguments by which it is differentiated.

    Args:
        f: the function; args: its arguments, in plain numbers.
        places: which of their numbers vary, in order.
        given: these numbers, if they are known: the arguments, or those of structures.
    """

    def __init__(self, f: Function, args: Sequence[Any], places: Sequence[int],
                 given: Sequence[Any] | None = None):
        self.f, self.args, self.places = f, args, places
        if given is None:
            given = args if _FLOAT.issuperset(map(type, args)) else leaves(args)
        self.flat, self.given = given is args, given

    def called(self, *v: Any) -> Any:
        """f's result with other numbers at the places."""
        return self.at(v)

    def at(self, v: Sequence[Any]) -> Any:
        """The same with these in a sequence."""
        if self.flat:
            args = list(self.args)
            for i, x in zip(self.places, v):
                args[i] = x
            return self.f(*args)
        numbers = list(self.given)
        for i, x in zip(self.places, v):
            numbers[i] = x
        supply = iter(numbers)
        return self.f(*rebuild(tuple(self.args), lambda _: next(supply)))

    def numbers(self, v: Sequence[Any]) -> list[Any]:
        """The same, as a list of numbers."""
        return leaves(self.at(v))

    @property
    def start(self) -> list[float]:
        """The numbers at the places."""
        return [self.given[i] for i in self.places]

    def second(self) -> Any:
        """For each number of the result the matrix of its second derivatives by those at the places."""
        found = _by_compiled(_second, self.f, self.args, self.places, self.flat)
        return found or rebuild(jacobian(jacobian(self.numbers))(self.start), plain)

    def third(self, contracted: Callable[[Any], Any]) -> Any:
        """The derivatives of what `contracted` makes of the second ones of each number of the result."""
        second = jacobian(jacobian(self.numbers))
        found = jacobian(lambda v: list(map(contracted, second(v))))(self.start)
        return rebuild(found, plain)


# -- first derivatives -----------------------------------------------------------------------------------


def linearised(f: Function, args: Sequence[Any], places: Sequence[int], given: Sequence[Any] | None = None
               ) -> tuple[Any, Rows]:
    """f's result, and for each of its numbers the derivatives by the arguments' numbers at some places, as
    `rows_of` gives them.

    (`given`: see `Point`; what is at the places are floats.)

    Raises:
        DomainError: one of them depends on the side of a kink at which the point lies.
        NumericError: f has no finite result here, or no finite derivative.
    """
    flat = given is args or given is None and _FLOAT.issuperset(map(type, args))
    if (type(f) is not FunctionType and not isinstance(f, Op)
            and (found := _by_compiled(_rows, f, args, places, flat))):
        result, rows, met = found
        if not (met and any([kinked(_kinked[int(k)], xs) for k, *xs in met])):
            few = len(places) <= FEW
            return result, rows if few else [{i: p for i, p in enumerate(row) if p} for row in rows]
    point = None
    if not (value.special or kinks.live):
        if flat:
            result, found, inputs = called(f, args, places)
        else:
            point = Point(f, args, places, given)
            start = [number(x, "propagate") for x in point.start]
            result, found, inputs = called(point.called, start, range(len(places)))
        if found:
            return result, found
        if found := _of_structure(result, inputs):
            return rebuild(result, plain), found
    point = point or Point(f, args, places, given)
    trace = Trace(point.at, (point.start,), {})
    if type(trace.result) is not Value:
        returned(name_of(f), trace.result)
    result = rebuild(trace.result, plain)
    rows = jacobian_rows(trace, 6)
    _refuse_kinks(trace)
    return result, [{i: plain(p) for i, p in enumerate(row) if p is not None} for row in rows]


def _of_structure(result: Any, inputs: Sequence[Value]) -> Rows | None:
    """The derivatives of a structure of Values by inputs that are frozen; None where that takes a trace."""
    if type(result) is Value:
        return None
    try:
        outputs = leaves(result)
    except InputError:                                  # (which `returned` will say)
        return None
    return rows_of(outputs, inputs) if {Value}.issuperset(map(type, outputs)) else None


def _by_compiled(derivatives: Callable[..., Any], f: Function, args: Sequence[Any], places: Sequence[int],
                 flat: bool) -> Any:
    """What the compiled `derivatives` of a compiled function give; None where these are not known."""
    if not is_compiled(f):
        return None
    chosen = tuple(places)
    if not flat:
        ends = list(itertools.accumulate([len(leaves(x, lenient=True)) for x in args], initial=0))
        spans = list(map(range, ends, ends[1:]))
        chosen = tuple([i for i, span in enumerate(spans) if any([k in span for k in places])])
        if [k for i in chosen for k in spans[i]] != list(places):       # (some of a structure's are exact)
            return None
    try:
        return _of(f, derivatives, chosen)(*args)
    except NumericError:                                # (which f itself will say)
        return None


class _Taken(Algebra):
    """In plain numbers, by the sides of choices that are taken."""

    def times(self, g: Any, p: Any, k: int, i: int) -> Any:
        if type(p) is Gate:
            return g if p.is_open else None
        return super().times(g, plain(p), k, i)


def _refuse_kinks(trace: Trace) -> None:
    """Signal an error if a result's derivative is another on the other side of a kink."""
    kinks = [node for node in with_kinks(trace.outputs) if one_sided(node)]
    for y in trace.outputs if kinks else ():
        place = trace.program.place(y)
        arrived = trace.linear.pull({} if place is None else {place: 1.0}, _Taken())
        for node in kinks:
            k = trace.program.place(node)
            if k is not None and trace.varies[k] and arrived[k]:
                signal(DomainError(
                    f"propagate: {call_of(node)} lies at its kink, where the derivative is another on either "
                    "side, so that a standard deviation tells nothing of the result's; move the point, or "
                    "choose a side with where(…)", node.op, list(map(plain, node.operands)), node.operands,
                    node.line))
                return


# -- compiled functions ----------------------------------------------------------------------------------

_kept: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()


def is_compiled(f: Any) -> bool:
    """Whether f is a compiled function, of one point."""
    module = sys.modules.get("autograd_lite.programs.compiled")
    if module is None or not isinstance(f, module.Compiled):
        return False
    if f.batch:
        raise InputError(f"propagate: {name_of(f)} is compiled for batches, and propagate takes one point; "
                         "compile it without batch, and call propagate for each point")
    return True


def _of(compiled: Any, derivatives: Callable[..., Any], argnums: tuple[int, ...]) -> Any:
    """The compiled derivatives of a compiled function by some arguments, which are kept with it."""
    kept = _kept.get(compiled) or _kept.setdefault(compiled, {})
    found = kept.get((derivatives, argnums))
    if found is None:
        from autograd_lite.programs.entry import compile
        found = kept[derivatives, argnums] = compile(
            transform(derivatives, compiled.f, argnums), max_programs=compiled.max_programs,
            on_limit=compiled.on_limit, static=list(compiled.static.places) if compiled.static else None,
            target=compiled.target, indices=compiled.indices.named if compiled.indices else ())
    return found


_kinked: list[Op] = []                          # ops with a kink that compiled functions use


def _rows(f: Function, argnums: Selection, /, *args: Any) -> tuple[Any, Any, Any]:
    """f's result, its derivatives by all numbers of some arguments, and for each op with a kink its place in
    `_kinked` and its operands. (All are numbers: so a call is a direct one.)"""
    def at(op: Any, operands: Sequence[Any]) -> list[Any]:
        if op not in _kinked:
            _kinked.append(op)
        return [Value(float(_kinked.index(op)), requires_grad=False), *operands]

    trace = Trace(f, args, {}, argnums)
    result = returned(name_of(f), trace.result)
    if tape := trace.tape:
        tape.settle()
        kinks = [at(op, [trace.lower(tape.made(x)) for x in operands])
                 for op, operands, flows in list(zip(tape.ops, tape.operands, tape.flows))
                 if flows and getattr(op, "kink", None)]
    else:
        kinks = [list(map(plain, at(op_of(node), node.operands))) for node in with_kinks(trace.outputs)]
    rows = [[0.0 if p is None else p for p in row] for row in jacobian_rows(trace)]
    return trace.lower_all(result), rows, kinks


def _second(f: Function, argnums: Sequence[int], /, *args: Any) -> Any:
    """The second derivatives of f by all numbers of some arguments."""
    ends = list(itertools.accumulate([len(leaves(x, lenient=True)) for x in args], initial=0))
    return Point(f, args, [k for i in argnums for k in range(ends[i], ends[i + 1])]).second()
