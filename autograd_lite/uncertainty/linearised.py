"""Results of a function and their derivatives by some numbers of its arguments, of compiled functions quickly."""
from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from autograd_lite.checks.edges import one_sided
from autograd_lite.errors import DomainError, InputError, NumericError, signal
from autograd_lite.graph.node import call_of, op_of, plain
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import op_named
from autograd_lite.transforms.jacobians import jacobian, jacobian_rows
from autograd_lite.transforms.structures import returned
from autograd_lite.transforms.trace import Function, Selection, Trace, name_of, transform
from autograd_lite.transforms.trees import leaves, rebuild

Rows = list[list[float]]


class Point:
    """A function, and the numbers of its arguments by which it is differentiated.

    Args:
        f: the function; args: its arguments, in plain numbers.
        places: which of their numbers vary, in order.
    """

    def __init__(self, f: Function, args: Sequence[Any], places: Sequence[int]):
        self.f, self.args, self.places = f, args, places
        self.flat = all([type(x) is float for x in args])
        self.given = args if self.flat else leaves(args)

    def at(self, v: Sequence[Any]) -> Any:
        """f's result with other numbers at the places."""
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

    def moved(self) -> Function:
        """f as a function of these numbers alone."""
        def moved(v: Sequence[Any]) -> Any:
            return self.at(v)
        moved.__name__ = name_of(self.f)
        return moved

    def numbers(self) -> Function:
        """The same, giving a list of numbers."""
        def numbers(v: Sequence[Any]) -> list[Any]:
            return leaves(self.at(v))
        numbers.__name__ = name_of(self.f)
        return numbers

    @property
    def start(self) -> list[float]:
        """The numbers at the places."""
        return [self.given[i] for i in self.places]

    # -- first derivatives -----------------------------------------------------------------------------

    def linearised(self) -> tuple[Any, Rows]:
        """The result, and for each of its numbers the derivatives by those at the places.

        Raises:
            DomainError: one of them depends on the side of a kink at which the point lies.
            NumericError: f has no finite result here, or no finite derivative.
        """
        if compiled := _compiled(self.f):
            try:
                found = self._by(compiled)
            except NumericError:                # (said by f itself)
                found = None
            if found:
                return found
        trace = Trace(self.moved(), (self.start,), {})
        value = rebuild(returned(name_of(self.f), trace.result), plain)
        rows = jacobian_rows(trace)
        _refuse_kinks(trace)
        return value, [[0.0 if p is None else plain(p) for p in row] for row in rows]

    def _by(self, compiled: Any) -> tuple[Any, Rows] | None:
        """The same by a compiled function; None where it lies at a kink."""
        chosen, columns, before = list[int](), list[int](), 0
        at = dict.fromkeys(self.places)
        for i, arg in enumerate(self.args):
            n = len(leaves(arg, lenient=True))
            if any([k in at for k in range(before, before + n)]):
                chosen.append(i)
                columns += range(before, before + n)
            before += n
        run = _of(compiled, tuple(chosen))
        value, rows, kinks = run(*self.args)
        for name, xs in kinks:
            if op_named(name).kink(*map(plain, xs)) == 0.0:  # type: ignore[misc]
                return None
        kept = [columns.index(k) for k in self.places] if len(columns) > len(self.places) else None
        return rebuild(value, plain), [[plain(row[k]) for k in kept] if kept else list(map(plain, row)) for row in rows]

    # -- higher ones -----------------------------------------------------------------------------------

    def second(self) -> list[Any]:
        """For each number of the result the matrix of its second derivatives by those at the places."""
        return rebuild(jacobian(jacobian(self.numbers()))(self.start), plain)  # type: ignore[no-any-return]

    def third(self, contracted: Callable[[Any], Any]) -> Rows:
        """The derivatives of what `contracted` makes of the second ones of each number of the result."""
        second = jacobian(jacobian(self.numbers()))
        found = jacobian(lambda v: list(map(contracted, second(v))))(self.start)
        return rebuild(found, plain)  # type: ignore[no-any-return]


def _refuse_kinks(trace: Trace) -> None:
    """Signal an error if a result's derivative is another on the other side of a kink."""
    kinks = [node for node in _with_kinks(trace.outputs) if one_sided(node)]
    for y in trace.outputs if kinks else ():
        place = trace.program.place(y)
        arrived = trace.linear.pull({} if place is None else {place: 1.0})
        for node in kinks:
            k = trace.program.place(node)
            if k is not None and trace.varies[k] and arrived[k]:
                signal(DomainError(
                    f"propagate: {call_of(node)} lies at its kink, where the derivative is another on either "
                    "side, so that a standard deviation tells nothing of the result's; move the point, or "
                    "choose a side with where(…)", node.op, list(map(plain, node.operands)), node.operands,
                    node.line))
                return


def _with_kinks(roots: Sequence[Any]) -> list[Any]:
    """The nodes that roots depend on whose op has a kink somewhere. (`Program` would take four times as long.)"""
    found, seen, stack = list[Any](), set[Any](), [x for x in roots if type(x) is Value]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            op = op_of(node)
            if op is not None:
                if op.kink is not None:
                    found.append(node)
                stack += [x for x in node.operands if type(x) is Value]
    return found


# -- compiled functions ----------------------------------------------------------------------------------

_kept: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()


def _compiled(f: Any) -> Any:
    """f, if it is a compiled function."""
    module = sys.modules.get("autograd_lite.programs.compiled")
    if module is None or not isinstance(f, module.Compiled):
        return None
    if f.batch:
        raise InputError(f"propagate: {name_of(f)} is compiled for batches, and propagate takes one point; "
                         "compile it without batch, and call propagate for each point")
    return f


def _of(compiled: Any, argnums: Any) -> Any:
    """The compiled derivatives of a compiled function, which are kept with it."""
    kept = _kept.setdefault(compiled, {})
    if argnums not in kept:
        from autograd_lite.programs.entry import compile
        kept[argnums] = compile(
            transform(_with_rows, compiled.f, argnums), max_programs=compiled.max_programs,
            on_limit=compiled.on_limit, static=compiled.static and compiled.static.named, target=compiled.target,
            indices=compiled.indices.named if compiled.indices else ())
    return kept[argnums]


def _with_rows(f: Function, argnums: Selection, /, *args: Any) -> tuple[Any, Any, Any]:
    """f's result, its derivatives by all numbers of some arguments, and the operands of ops with a kink."""
    trace = Trace(f, args, {}, argnums)
    result = returned(name_of(f), trace.result)
    kinks = []
    if trace.tape:
        kinks = [(op.name, [trace.tape.made(x) for x in trace.tape.operands[k]])
                 for k, op in enumerate(trace.tape.ops) if getattr(op, "kink", None) and trace.tape.flows[k]]
    rows = [[0.0 if p is None else p for p in row] for row in jacobian_rows(trace)]
    return trace.lower_all(result), rows, [
        (name, [trace.lower(x) for x in xs]) for name, xs in kinks]
