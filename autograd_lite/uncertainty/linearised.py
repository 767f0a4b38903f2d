"""A function's result and its derivatives by some numbers of its arguments; quickly if it is compiled."""
from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from autograd_lite.checks.edges import one_sided
from autograd_lite.errors import DomainError, InputError, NumericError, signal
from autograd_lite.graph.linear import Algebra
from autograd_lite.graph.node import call_of, op_of, plain
from autograd_lite.graph.states import kinked, with_kinks
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import Op
from autograd_lite.transforms.gates import Gate
from autograd_lite.transforms.jacobians import jacobian, jacobian_rows
from autograd_lite.transforms.structures import returned
from autograd_lite.transforms.trace import Function, Selection, Trace, name_of, transform
from autograd_lite.transforms.trees import leaves, rebuild
from autograd_lite.uncertainty.small import Linear, called

_FEW = 7                # (among so many inputs those that have no derivative are not left out)
_FLAT = frozenset([float, int])


class Point:
    """A function, and the numbers of its arguments by which it is differentiated.

    Args:
        f: the function; args: its arguments, in plain numbers.
        places: which of their numbers vary, in order.
    """

    def __init__(self, f: Function, args: Sequence[Any], places: Sequence[int]):
        self.f, self.args, self.places = f, args, places
        self.flat = _FLAT.issuperset(map(type, args))
        self.given: Sequence[Any] = args if self.flat else leaves(args, lenient=True)

    def filled(self, v: Sequence[Any]) -> list[Any]:
        """The arguments, with other numbers at the places."""
        numbers = list(self.given)
        for i, x in zip(self.places, v):
            numbers[i] = x
        if self.flat:
            return numbers
        supply = iter(numbers)
        return rebuild(list(self.args), lambda _: next(supply))    # type: ignore[no-any-return]

    def at(self, v: Sequence[Any]) -> Any:
        """f's result there."""
        return self.f(*self.filled(v))

    def numbers(self, v: Sequence[Any]) -> list[Any]:
        """The same, as a list of numbers."""
        return leaves(self.at(v))

    @property
    def start(self) -> list[float]:
        """The numbers at the places."""
        return [self.given[i] for i in self.places]

    def second(self) -> Any:
        """For each number of the result the matrix of its second derivatives by those at the places."""
        found = is_compiled(self.f) and _by_compiled(_second, self.f, self.args, self.places)
        return found or rebuild(jacobian(jacobian(self.numbers))(self.start), plain)

    def third(self, contracted: Callable[[Any], Any]) -> Any:
        """The derivatives of what `contracted` makes of the second ones of each number of the result."""
        second = jacobian(jacobian(self.numbers))
        found = jacobian(lambda v: list(map(contracted, second(v))))(self.start)
        return rebuild(found, plain)


# -- first derivatives -----------------------------------------------------------------------------------


def linearised(f: Function, args: Sequence[Any], places: Sequence[int]) -> tuple[Any, Linear]:
    """f's result, and for each of its numbers the derivatives by the arguments' numbers at some places.

    Raises:
        DomainError: one of them depends on the side of a kink at which the point lies.
        NumericError: f has no finite result here, or no finite derivative.
    """
    if is_compiled(f):
        return compiled(f, args, places)
    point = Point(f, args, places)
    own = list(map(Value, point.start))
    result, linear = called(f, point.filled(own), own)
    return (result, linear) if linear else traced(f, args, places)


def compiled(f: Function, args: Sequence[Any], places: Sequence[int]) -> tuple[Any, Linear]:
    """The same, of a compiled function."""
    found = _by_compiled(_rows, f, args, places)
    if not found:
        return traced(f, args, places)
    result, rows, met = found
    if met and any([kinked(_kinked[int(k)], xs) for k, *xs in met]):
        return traced(f, args, places)
    if len(places) > _FEW:
        rows = [{i: p for i, p in enumerate(row) if p} for row in rows]
    return result, [(result, rows[0])] if type(result) is float else list(zip(leaves(result), rows))


def traced(f: Function, args: Sequence[Any], places: Sequence[int]) -> tuple[Any, Linear]:
    """The same, of any function."""
    point = Point(f, args, places)
    trace = Trace(point.at, (point.start,), {})
    if type(trace.result) is not Value:
        returned(name_of(f), trace.result)
    result = rebuild(trace.result, plain)
    rows = jacobian_rows(trace, 6)
    _refuse_kinks(trace)
    return result, [(x, {i: plain(p) for i, p in enumerate(row) if p is not None})
                    for x, row in zip(leaves(result), rows)]


def _by_compiled(derivatives: Callable[..., Any], f: Function, args: Sequence[Any], places: Sequence[int]
                 ) -> Any:
    """What the compiled `derivatives` of a compiled function give; None where these are not known."""
    chosen = tuple(places)
    for x in args:
        if type(x) is not float and type(x) is not int:
            ends = list(itertools.accumulate([len(leaves(x, lenient=True)) for x in args], initial=0))
            spans = list(map(range, ends, ends[1:]))
            chosen = tuple([i for i, span in enumerate(spans) if any([k in span for k in places])])
            if [k for i in chosen for k in spans[i]] != list(places):   # (some of a structure's are exact)
                return None
            break
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
