"""`evaluate`: a recorded graph in other numbers: fractions, mpmath's floats, intervals, floats.

The graph is run again in the new numbers, and derivatives are taken in them too: an op's
partials are written in operators and ops, so they run on `Twin`, a number that remembers
what made it. Nothing on the way is rounded to a double (a gradient *recorded* as a graph
has 1/3 as a double for x/3), and the rules branch at the new point.
"""
from __future__ import annotations

import contextlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, overload

from autograd_lite.errors import (AutogradError, DomainError, InputError, LabelError, NumericError,
                                  RangeError, errstate, ignoring, shown, signal)
from autograd_lite.graph.conventions import Chooser, signal_moved
from autograd_lite.graph.labels import find, place_in
from autograd_lite.graph.linear import Algebra, Edge, Linear
from autograd_lite.graph.node import note_of, op_of
from autograd_lite.graph.program import Program
from autograd_lite.lines import printable
from autograd_lite.ops.op import Op
from autograd_lite.ops.operators import Operators
from autograd_lite.transforms.kinds import Kind, kind_of
from autograd_lite.transforms.trees import leaves, rebuild
from autograd_lite.graph.value import Value, refuse_traced
from autograd_lite.ops.whole import whole

X = TypeVar("X")


class Twin(Operators):
    """A number of another kind, the op and operands that made it, and the node it is the twin of.

    If there is no such number, `error` says why.
    """

    __slots__ = ("n", "kind", "op", "operands", "node", "error")

    def __init__(self, kind: Kind, n: Any, op: Op | None = None, operands: tuple[Twin, ...] = (),
                 node: Value | None = None, error: AutogradError | None = None):
        self.kind, self.n, self.op, self.operands, self.node, self.error = kind, n, op, operands, node, error

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Twin:
        kind = next(x.kind for x in operands if type(x) is Twin)
        twins = tuple(x if type(x) is Twin else Twin(kind, kind.mpf(x)) for x in operands)
        number = _slope(kind, op, twins)
        return Twin(kind, kind.apply(op, [x.n for x in twins]) if number is None else number, op, twins)

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        return holds(self.kind.compare(self.n, other.n if type(other) is Twin else self.kind.mpf(other)), 0)


def _slope(kind: Kind, op: Op, xs: Sequence[Twin]) -> Any:
    return kind.slope(op, [x.n for x in xs], [
        x.n if x.op is None and x.node is None else id(x) for x in xs])


@overload
def evaluate(root: Value, inputs: Mapping[Any, Any] | None = None, *, wrt: Value | str | None = None,
             order: int = 1) -> float: ...


@overload
def evaluate(root: Value, inputs: Mapping[Any, Any] | None = None, *, wrt: Sequence[Value | str]) -> list[
    float]: ...


@overload
def evaluate(root: list[Value], inputs: Mapping[Any, Any] | None = None) -> list[float]: ...


@overload
def evaluate(root: Value, inputs: Mapping[Any, Any] | None, number: type[X], *,
             wrt: Value | str | None = None, order: int = 1) -> X: ...


@overload
def evaluate(root: Value, inputs: Mapping[Any, Any] | None = None, *, number: type[X],
             wrt: Value | str | None = None, order: int = 1) -> X: ...


@overload
def evaluate(root: Any, inputs: Mapping[Any, Any] | None = None, number: Any = float, *,
             wrt: Any = None, order: int = 1) -> Any: ...


def evaluate(root: Any, inputs: Mapping[Any, Any] | None = None, number: Any = float, *,
             wrt: Any = None, order: int = 1) -> Any:
    """The recorded graph under `root`, evaluated again in other numbers; or its derivatives.

    Constants, and leaves that `inputs` does not give, are exactly the recorded doubles. The graph
    stays as it was recorded, an `if` of the program as it went; but the functions in it (relu,
    abs, where, …) and the derivatives by `wrt` branch at the new numbers. (A gradient recorded as
    a graph has doubles for its constants: prefer `wrt`.)

    Args:
        root: a Value, or a structure of them (list, tuple, dict, dataclass, array).
        inputs: new numbers for leaves, each named by its Value or its label.
        number: `float`, `fractions.Fraction` (exact; only arithmetic, whole powers, abs, minimum,
            maximum, relu and the like), `mpmath.mpf` (at the precision of `mpmath.workdps`), or
            `mpmath.iv.mpf` (intervals that contain the results for all numbers in the inputs'
            intervals; at the precision of `mpmath.iv`).
        wrt: a node or label, for the derivative with respect to it; or a list of them, for a list
            of derivatives.
        order: how often to differentiate; with a list, 2 gives the rows of the Hessian.

    Returns:
        The number, in the structure of `root`; with `wrt`, its derivatives in each number's place. Where
        there is none, `errstate` may choose nan or inf; but fractions and intervals have neither, and
        there it is always an error.

    Raises:
        InputError: (a TypeError) an operation does not exist in these numbers: ``exp`` of a Fraction.
        DomainError: the new numbers lie outside an operation's domain, or an interval holds a
            point where it, or a derivative of it, is not defined.
        LabelError: `inputs` or `wrt` names no node of the graph, or one that is not a leaf.

    >>> from fractions import Fraction
    >>> x = Value(0.1, "x")
    >>> y = x * x / 3.0
    >>> evaluate(y, {"x": 6})
    12.0
    >>> evaluate(y, {x: Fraction(1, 2)}, Fraction, wrt=x)
    Fraction(1, 3)
    """
    refuse_traced("evaluate")
    try:
        return _evaluated(kind_of(number), root, inputs, wrt, order)
    except AutogradError as error:
        raise error.with_traceback(None)            # (its frames hold the Twins, and these the error)


def _evaluated(kind: Kind, root: Any, inputs: Mapping[Any, Any] | None, wrt: Any, order: int) -> Any:
    if not isinstance(inputs, Mapping | None):
        raise InputError(f"evaluate: inputs is a dict {{label or leaf: number}}, got {shown(inputs)}")
    program = Program([x for x in leaves(root) if isinstance(x, Value)])
    given = {_place(program, name, leaf=True): x for name, x in (inputs or {}).items()}
    done: Sequence[int] = _last_uses(program, leaves(root)) if wrt is None else ()
    order = whole(order, "evaluate: the order") if wrt is not None else 0
    single = not isinstance(wrt, Iterable) or isinstance(wrt, str)
    places = [_place(program, name) for name in ([wrt] if single else wrt)] if wrt is not None else []
    once = order == 1 and isinstance(root, Value)           # then one sweep over `program` is all there is

    def run() -> Any:
        twins: list[Any] = []
        for k in range(len(program)):
            twins.append(_twin(kind, program, twins, k, given, order > 0 and not once))
            for x in program.operands[k] if done else ():
                if x is not None and done[x] == k:          # nothing else needs it: let it go
                    twins[x] = None
        if once:
            top = place_in(program, "evaluate", root)
            _sound(twins[top])
            found = _gradient(program, twins, top, places, True)
            return found[0].n if single else [x.n for x in found]
        sources = [twins[place] for place in places]

        def twin(y: Any) -> Twin:
            return (_sound(twins[place_in(program, "evaluate", y)]) if isinstance(y, Value) else
                    Twin(kind, kind.mpf(y)))

        return rebuild(root, lambda y: _derived(twin(y), sources, order, single))

    found = run()
    if kind.met and (order > 1 or order and any([note_of(node).kink for node in program.nodes])):
        for seed in (1, 2):                     # with other numbers for the slopes at kinks
            kind.chooser = Chooser(seed)
            if any(map(kind.apart, leaves(found), leaves(run()))):
                signal_moved(kind.chooser.places)
                break
    return found


def _sound(twin: Twin) -> Twin:
    """The twin, if there is such a number."""
    if twin.error:
        raise twin.error
    return twin


def _derived(y: Twin, sources: Sequence[Twin], order: int, single: bool) -> Any:
    """The derivatives of y of an order, as plain numbers."""
    if order == 0:
        return y.n
    program = Program([y])
    found = [_derived(g, sources, order - 1, single) for g in _gradient(
        program, program.nodes, len(program) - 1, list(map(program.place, sources)), order == 1)]
    return found[0] if single else found


def _place(program: Program, name: Any, leaf: bool = False) -> int:
    node = find(program.nodes, name) if isinstance(name, str) else name
    if not isinstance(node, Value):
        raise InputError(f"evaluate: {name!r} is neither a label nor a Value")
    place = place_in(program, "evaluate", node)
    if leaf and node.op:
        raise LabelError(f"evaluate: {node!r} is computed; only a leaf can be given a new number")
    return place


def _last_uses(program: Program, roots: Sequence[Any]) -> Sequence[int]:
    """For each place the last node that has it as an operand; their number for what is needed to the end."""
    last = array("q", range(len(program)))
    for k, operands in enumerate(program.operands):
        for x in operands:
            if x is not None:
                last[x] = k
    needed = [x for node in program.nodes for guard in node.__guards__ for x in guard.operands]
    for place in map(program.place, (*needed, *[y for y in roots if isinstance(y, Value)])):
        if place is not None:
            last[place] = len(program)
    return last


def _operands(kind: Kind, program: Program, twins: Sequence[Twin], k: int) -> tuple[Twin, ...]:
    """The twins of a node's operands."""
    return tuple([Twin(kind, kind.mpf(x)) if place is None else twins[place]
                  for x, place in zip(program.nodes[k].operands, program.operands[k])])


def _twin(kind: Kind, program: Program, twins: Sequence[Twin], k: int, given: Mapping[int, Any],
          whole_graph: bool) -> Twin:
    """The twin of a node, with its operands if the `whole_graph` is wanted; `twins` has those before it."""
    node = program.nodes[k]
    op, error = op_of(node), _objection(program, twins, k)
    if k in given or op is None:
        where = f"evaluate, {node.label!r}" if node.label else "evaluate"
        return Twin(kind, kind.mpf(given.get(k, node.data), where), node=node, error=error)
    xs = _operands(kind, program, twins, k)
    error = xs[0].error or next((xs[i].error for i in op.taken(xs) if xs[i].error), None) or error
    number = None
    if error is None:
        try:
            slope = note_of(node).kink or any(op.differentiable(len(xs)))
            number = _slope(kind, op, xs) if slope else None
            if number is None:
                number = kind.apply(op, [x.n for x in xs], node.operands, node.line)
        except AutogradError as found:
            error = found.with_traceback(None)
    return Twin(kind, number, op, xs if whole_graph else (), node, error)


def _objection(program: Program, twins: Sequence[Twin], k: int) -> AutogradError | None:
    """Why a node does not hold at the new numbers, by its guards; None if it does."""
    node = program.nodes[k]
    for question, operands, answer in node.__guards__:
        places = list(map(program.place, operands))
        for place in places:
            if place is not None and twins[place].error:
                return twins[place].error
        xs = [x if place is None else twins[place] for x, place in zip(operands, places)]
        if bool(question.holds(*xs)) != answer:
            return DomainError(f"the derivative of {question.op} was recorded at operands where its rule "
                               "branches otherwise than at these, to keep its digits; record it at these",
                               question.op, [], operands, node.line)
    return None


class _Undefined(NamedTuple):
    """In place of a partial that does not exist: the reason, and what it is under "warn"."""

    error: NumericError
    ieee: Any = None


class _Twins(Algebra):
    """Gradients in the numbers of the node at `top`, whose own is 1; those of the `last` order forget what
    made them."""

    def __init__(self, top: int, last: bool):
        self.top, self.last = top, last

    def times(self, g: Any, p: Any, k: int, i: int) -> Any:
        if type(p) is _Undefined:
            if g.n == 0 and not (ignoring() and p.ieee is not None):
                return None
            if p.ieee is None:
                raise p.error
            signal(p.error)
            p = p.ieee
        return p if k == self.top else self._made(g * p)

    def plus(self, a: Any, b: Any, k: int) -> Any:
        return self._made(a + b)

    def _made(self, x: Twin) -> Twin:
        return Twin(x.kind, x.n) if self.last else x


def _gradient(program: Program, twins: Sequence[Twin], top: int, places: Sequence[int | None],
              last: bool) -> list[Twin]:
    """The gradient of the twin at `top` by those at `places`, as Twins again."""
    kind, ops = twins[top].kind, [x.op for x in twins]
    varies = program.dependent(places, ops)

    def edges(k: int) -> list[Edge]:
        if not varies[k] or ops[k] is None:
            return []
        operands = program.operands[k]
        wanted = [x is not None and varies[x] for x in operands]
        partials = _partials(twins[k], twins[k].operands or _operands(kind, program, twins, k), wanted)
        return [(x, i, p) for i, (x, p) in enumerate(zip(operands, partials))
                if wanted[i] and p is not None]

    one, zero = Twin(kind, kind.mpf(1)), Twin(kind, kind.mpf(0))
    found = Linear(len(program), edges).pull({top: one}, _Twins(top, last), set(places))
    return [zero if place is None or found[place] is None else found[place] for place in places]


def _partials(node: Twin, operands: Sequence[Twin], wanted: Sequence[bool]) -> list[Any]:
    """The partials by the operands wanted: Twins, or the reasons why there are none."""
    kind, op = node.kind, node.op
    assert op is not None
    found: Sequence[Any] = ()
    reason, cause = "", None
    failure: type[NumericError] = DomainError
    kind.undecided = False

    def partials(choice: Any) -> list[Any]:
        return errstate(choice).run(op.partials, node, operands, wanted)

    def twins(partials: Sequence[Any]) -> list[Any]:
        return [p if p is None or type(p) is Twin else Twin(kind, kind.mpf(p)) for p in partials]

    def call() -> str:
        return kind.call(op, [x.n for x in operands], () if node.node is None else node.node.operands)

    try:
        found = partials("ignore" if ignoring() else "raise")
    except InputError as error:
        raise InputError(f"the derivative of {call()}: {error}") from error.__cause__
    except (ArithmeticError, ValueError) as error:
        reason, cause = op.singular or printable(str(error)), error.__cause__
        failure = RangeError if isinstance(error, OverflowError) and not op.singular else DomainError
    if any([isinstance(p, float) and p - p != 0.0 for p in found]) and all(
            [kind.finite(x.n) for x in operands]):
        reason = op.singular or "it has no finite derivative here"
    if kind.undecided and op.kink:
        reason = "it has a kink within the interval; split the interval there"
    if reason:
        nodes, line = ((), None) if node.node is None else (node.node.operands, node.node.line)
        missing = failure(f"the derivative of {call()}: {reason}", op.name, [x.n for x in operands], nodes,
                          line)
        missing.__cause__ = cause
        ieee: Sequence[Any] = [None] * len(wanted)
        if not kind.undecided:
            with contextlib.suppress(Exception):        # (some kinds have none)
                ieee = twins(partials("ignore"))
        return [_Undefined(missing, p) if flag else None for p, flag in zip(ieee, wanted)]
    return twins(found)
