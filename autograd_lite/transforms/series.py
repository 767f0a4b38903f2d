"""Truncated Taylor series: derivatives of high order, at a cost polynomial in the order.

Along a curve x(t) a node moves by y′ = Σ p(y, x)·x′, with p the partials of its op. In power
series, this gives each coefficient of y from earlier ones of x, y and p. A partial is made of
ops, so its own series follows in the same way; if a family of ops is closed under
differentiation (exp; sin and cos; tanh and sech2), a few series are enough. Only products and
quotients have recurrences of their own: partials are made of them.
"""
from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import nan
from typing import TYPE_CHECKING, Any, Concatenate, overload

from autograd_lite.graph.backward import finite, no_derivative
from autograd_lite.errors import InputError, NumericError, RangeError, errstate, ignoring, shown, signal
from autograd_lite.graph import kinks
from autograd_lite.graph.conventions import MOVED, Chooser, conventional, moved, signal_moved
from autograd_lite.graph.node import note_of, op_of, plain
from autograd_lite.lines import Line
from autograd_lite.ops.branches import Guard, Ordinary
from autograd_lite.ops.elementary import div, mul
from autograd_lite.ops.numbers import partials_or_nan
from autograd_lite.ops.op import Op, number
from autograd_lite.ops.operators import Operators
from autograd_lite.ops.selection import choose
from autograd_lite.transforms.coefficients import NOTHING, is_zero, products, total
from autograd_lite.transforms.gates import taken
from autograd_lite.transforms.rounding import signal_lost
from autograd_lite.transforms.structures import returned
from autograd_lite.transforms.trace import Trace, name_of, require_function, transform
from autograd_lite.transforms.trees import is_number, refill
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value
from autograd_lite.ops.whole import whole

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Plain, Unary
    from autograd_lite.transforms.signatures import (Many, Number, OfAny, OfMany, OfMore, OfNumber, OfPair,
                                                     OfTriple, P, Pair, Slope, ToAny, Triple, WithPlain)

Recurrence = Callable[..., Any]            # of a series, the order wanted, and its operands


class Series(Operators):
    """The coefficients `c` of y(t) = c[0] + c[1]·t + c[2]·t² + …, computed one by one.

    They are floats, or Values if they depend on the caller's; `slope` has the coefficients of y′.
    `level` counts the partials taken on the way here from a node: a series stays that many
    coefficients behind the nodes' series, which is just enough for those that need it.
    Once a coefficient is infinite or missing, `error` says why, unless the series is `idle`: on a
    branch not taken.
    """

    __slots__ = ("expansion", "op", "operands", "node", "level", "line", "c", "slope", "partials", "error",
                 "idle", "guards")

    def __init__(self, expansion: Expansion, coefficients: Iterable[Any], op: Op | None = None,
                 operands: Sequence[Any] = (), node: Value | None = None):
        self.expansion, self.level, self.idle = expansion, expansion.level, expansion.idle
        self.guards: Sequence[Guard] = ()
        self.op, self.operands, self.node = op, operands, node
        self.line = expansion.line if node is None else node.line
        self.c: list[Any] = []
        self.slope: list[Any] = []
        self.partials: Sequence[Any] = ()
        self.error: NumericError | None = None
        for c in coefficients:
            self._append(c)

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Any:
        expansion: Expansion = next(x.expansion for x in operands if isinstance(x, Series))
        return expansion.apply(op, operands)

    # A rule branches on the values at the point itself.

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        return holds(plain(self.c[0]), plain(_start(other)))

    def __select__(self, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        start = self.c[0]
        if not isinstance(start, Operators):
            return then() if start else otherwise()
        taken, idle = (then, otherwise) if plain(start) else (otherwise, then)
        found = {taken: taken()}
        was, self.expansion.idle = self.expansion.idle, True
        found[idle] = errstate("ignore").run(idle)
        self.expansion.idle = was
        return self.expansion.apply(choose, (self, found[then], found[otherwise]))

    def __ask__(self, question: Ordinary, operands: Sequence[Any]) -> Any:
        starts = list(map(_start, operands))
        answer = bool(question.holds(*map(plain, starts)))
        if not any(isinstance(x, Operators) for x in starts):
            return answer
        return question.of_nodes(starts, answer)

    def __guarded__(self, guard: Guard) -> Series:
        self.guards = (*self.guards, guard)
        for c in self.c:
            if isinstance(c, Value):
                c.__guarded__(guard)
        return self

    @property
    def varies(self) -> bool:
        """Whether it is more than a constant."""
        return self.op is not None or not all(map(is_zero, self.slope))

    def _append(self, c: Any) -> None:
        if self.guards and isinstance(c, Value):
            for guard in self.guards:
                c.__guarded__(guard)
        if self.c:
            self.slope.append(c if c is NOTHING else len(self.c) * c)
        self.c.append(c)

    def extend(self) -> None:
        """Compute the next coefficient."""
        k = len(self.c)
        recurrence: Recurrence = _RECURRENCES.get(self.op, _by_partials)
        if self.idle:
            self._append(errstate("ignore").run(recurrence, self, k, *self.operands))
            return
        try:
            c = recurrence(self, k, *self.operands)
        except NumericError as error:
            c, self.error = nan, self.error or error
        if not finite(c):
            self.error = self.error or self._origin(k)
        self._append(c)

    def take_partials(self) -> None:
        """Make the series of the partials; if one is infinite or missing, note the error."""
        op: Any = self.op
        wanted = [isinstance(x, Series) and x.varies for x in self.operands]
        y, xs = plain(self.c[0]), [plain(_start(x)) for x in self.operands]
        self.expansion.level, self.expansion.line, self.expansion.idle = self.level + 1, self.line, self.idle
        found = partials_or_nan(op, self, self.operands, wanted)
        if op.kink and self.node is not None:
            kinks.mark(self.node, map(_start, found))
        broken = [i for i, p in enumerate(map(_start, found)) if p is not None and not finite(p)]
        if not broken or self.idle or not all(map(finite, xs)):
            self.partials = [NOTHING if p is None else p if isinstance(p, Series) else
                             float(number(p, op.name)) for p in found]
        else:
            self.partials = [nan if flag else NOTHING for flag in wanted]
            i = broken[0]
            self.error = no_derivative(op, i, y, xs, plain(_start(found[i])), self.node, line=self.line)

    def _origin(self, k: int) -> NumericError | None:
        """Why a coefficient is infinite or missing; None if the caller's own numbers are."""
        sources = [x for x in (*self.operands, *self.partials) if isinstance(x, Series)]
        for x in sources:
            if x.error:
                return x.error
        op: Any = self.op
        xs = [plain(_start(x)) for x in self.operands]
        if not all(map(finite, xs)):
            return None
        return RangeError(f"{op.call(xs, _operands(self.node))}: its Taylor coefficient of order {k} "
                          "is too large for a double", op.name, xs, _operands(self.node) or xs, self.line)


def _operands(node: Value | None) -> Sequence[Any]:
    return node.operands if node is not None else ()


def _start(x: Any) -> Any:
    return x.c[0] if isinstance(x, Series) else x


# -- recurrences: the k-th coefficient from the ones before ----------------------------------


def _by_partials(y: Series, k: int, *xs: Any) -> Any:
    if k == 1:
        y.take_partials()
    elif y.error:
        return nan
    linear, rest = [], []
    for x, p in zip(xs, y.partials):
        if type(p) is not float:
            rest.append(products(p.c[k - 1::-1], x.slope))
        elif type(x) is not float and x.c[k] is not NOTHING and (
                p != 0.0 or p is not NOTHING and ignoring()):
            linear.append(p * x.c[k])
    found = total(rest)
    return total([*linear, found if found is NOTHING else found / k])


def _of_product(y: Series, k: int, a: Any, b: Any) -> Any:
    if isinstance(a, Series) and isinstance(b, Series):
        return products(a.c[k::-1], b.c)
    return _by_partials(y, k, a, b)


def _of_quotient(y: Series, k: int, a: Any, b: Any) -> Any:
    if isinstance(b, Series) and b != 0.0:
        rest = products(y.c[::-1], b.c[1:])
        found = total([a.c[k] if isinstance(a, Series) else NOTHING, rest if rest is NOTHING else -rest])
        return found if found is NOTHING else found / b.c[0]
    return _by_partials(y, k, a, b)


def _of_choice(y: Series, k: int, condition: Any, *branches: Any) -> Any:
    c = [x.c[k] if isinstance(x, Series) else NOTHING for x in branches]
    start = _start(condition)
    if not isinstance(start, Operators):
        return c[0 if start else 1]
    return errstate("ignore").run(choose, start, *c)


_RECURRENCES: dict[Op | None, Recurrence] = {mul: _of_product, div: _of_quotient, choose: _of_choice}


# -- all series of one computation -----------------------------------------------------------


class Expansion:
    """The series of one computation to an order, by level, each after its operands.

    `at_kink` tells whether slopes were met that are conventions; a `chooser` has others for them.
    """

    def __init__(self, order: int, chooser: Chooser | None = None):
        self.order, self.level, self.idle = order, 0, ignoring()
        self.chooser, self.at_kink = chooser, False
        self.line: Line | None = None           # that of the node whose partials are being taken
        self.series: list[list[Series]] = [[] for _ in range(order + 1)]
        self.known: dict[Any, Series] = {}

    def given(self, *c: Any) -> Series:
        """A series known beforehand; zeros follow the coefficients given."""
        return Series(self, [*c, *[NOTHING] * self.order][:self.order + 1])

    def apply(self, op: Op, operands: Sequence[Any], start: Any = None,
              node: Value | None = None) -> Series:
        """The series of an op at these operands: the known one, or a new one."""
        xs = [x if isinstance(x, Series) else float(number(x, op.name)) for x in operands]
        key = (op, self.idle, *(id(x) if isinstance(x, Series) else (x, math.copysign(1.0, x)) for x in xs))
        if key not in self.known:
            c = op(*map(_start, xs)) if start is None or self.chooser else start
            if op.convention and (node is None or note_of(node).kink or any(op.differentiable(len(xs)))):
                c = self._chosen(op, xs, c)
            flows = zip(xs, op.differentiable(len(xs))) if op.partly else zip(xs, itertools.repeat(True))
            if any(has and isinstance(x, Series) and x.varies for x, has in flows):
                self.known[key] = Series(self, [c], op, xs, node)
                self.series[self.level].append(self.known[key])
            else:
                self.known[key] = self.given(c)
        return self.known[key]

    def _chosen(self, op: Op, xs: Sequence[Any], c: Any) -> Any:
        """The number c of an op; at its kink another than a convention's, if there is a chooser."""
        starts = [plain(_start(x)) for x in xs]
        if not conventional(op, starts):
            return c
        self.at_kink = True
        keys = [id(x) if isinstance(x, Series) else x for x in xs]
        number = self.chooser.number(op, starts, keys) if self.chooser else None
        return c if number is None else number

    def run(self) -> None:
        """Extend all series, and those that arise on the way, until the nodes' are complete."""
        errstate("raise").run(self._run)

    def _run(self) -> None:
        for step in range(self.order):
            for level in range(step, -1, -1):           # partials first
                for y in self.series[level]:
                    y.extend()

    def settle(self) -> None:
        """Let go what only further coefficients would need."""
        self.known.clear()
        for y in itertools.chain(*self.series):
            y.slope = []

    def close(self) -> None:
        """Undo the cycles among the series (eˣ is its own partial), which nobody needs any more."""
        for y in itertools.chain(*self.series):
            y.partials, y.error = (), None
        self.series.clear()
        self.known.clear()


def expand(expansion: Expansion, program: Program, varying: Iterable[int],
           inputs: Mapping[int, Sequence[Any]], lower: Callable[[Any], Any],
           idle: Sequence[bool]) -> dict[int, Series]:
    """The series of a program's nodes, by their places.

    `varying` lists the places of those that vary, operands first; `inputs` has the coefficients of the
    nodes they start from. `lower` gives a node's value: a float, or the node itself if the
    coefficients are to depend on it; `idle` tells which places lie on branches not taken.
    """
    found, ignored = {k: expansion.given(*c) for k, c in inputs.items()}, expansion.idle

    def operand(x: Any, place: int | None) -> Any:
        if place is None:
            return x
        if place not in found:
            value = lower(x)
            if not isinstance(value, Value):
                return value
            found[place] = expansion.given(value)
        return found[place]

    for k in varying:
        node = program.nodes[k]
        op: Any = op_of(node)
        expansion.idle = ignored or idle[k]
        xs = list(map(operand, node.operands, program.operands[k]))
        found[k] = expansion.apply(op, xs, lower(node), node)
        for guard in node.__guards__:
            found[k].__guarded__(guard)
    expansion.run()
    return found


# -- functions -------------------------------------------------------------------------------


@overload
def taylor(f: Callable[[Value], Number], x: Plain, order: int) -> list[float]: ...
@overload
def taylor(f: Callable[[Value], Number], x: Value, order: int) -> list[Number]: ...
@overload
def taylor(f: Callable[[float], float], x: Plain, order: int) -> list[float]: ...
@overload
def taylor(f: Callable[[Any], Any], x: Number, order: int) -> Any: ...


def taylor(f: Callable[..., Any], x: Any, order: int) -> Any:
    """The coefficients of f(x + t) = c[0] + c[1]·t + … + c[order]·t^order + …, as a list.

    If f returns a structure, each of its numbers becomes a list. The cost is polynomial in the
    order.

    Raises:
        DomainError: a coefficient is infinite or missing (sqrt at 0).
        RangeError: a coefficient is too large for a double.
        NumericError: so many digits of a coefficient cancel that fewer than six may be left.

    >>> taylor(lambda x: 1 / x, 2.0, 3)
    [0.5, -0.25, 0.125, -0.0625]
    """
    require_function("taylor", f)
    order = whole(order, "an order")
    trace = _traced(f, (x,), {})
    found = _coefficients(f, trace, order, 1.0, range(order + 1), "Taylor coefficient")
    return refill(trace.result, map(list, found))


@overload
def derivative(f: Unary, order: int = 1) -> Slope[[]]: ...
@overload
def derivative(f: ToAny, order: int = 1) -> Callable[..., Any]: ...
@overload
def derivative(f: OfAny, order: int = 1) -> Callable[..., Any]: ...
@overload
def derivative(f: WithPlain[P], order: int = 1) -> Slope[P]: ...
@overload
def derivative(f: OfMany, order: int = 1) -> Many[float, Value]: ...
@overload
def derivative(f: OfMore, order: int = 1) -> Callable[..., Any]: ...
@overload
def derivative(f: OfTriple[P], order: int = 1) -> Triple[float, Value, P]: ...
@overload
def derivative(f: OfPair[P], order: int = 1) -> Pair[float, Value, P]: ...
@overload
def derivative(f: OfNumber[P], order: int = 1) -> Slope[P]: ...


@overload
def derivative(f: Callable[Concatenate[float, P], float], order: int = 1) -> Callable[
    Concatenate[Plain, P], float]: ...


@overload
def derivative(f: Callable[..., Any], order: int = 1) -> Callable[..., Any]: ...


def derivative(f: Callable[..., Any], order: int = 1) -> Callable[..., Any]:
    """The derivative of any order of f, a function of one number (and of others, kept fixed).

    It is computed by Taylor series, at a cost polynomial in the order. If terms cancel (as in
    (eˣ − 1)/x, more with each order), digits are lost; how many may be, the rounding of every number on
    the way tells. (The argument, and what f takes from elsewhere, count as exact.)

    Raises:
        InputError: the argument is not a number, or the order not a whole number.
        DomainError: the derivative is infinite or missing (sqrt at 0).
        RangeError: the derivative is too large for a double.
        NumericError: so many digits cancel that fewer than six may be left.

    >>> derivative(lambda x: x ** 4)(2.0)
    32.0
    >>> derivative(lambda x: x ** 4, order=3)(2.0)
    48.0
    """
    order = whole(order, "an order")
    # In t = (x − x₀)/scale the coefficients are about as large as the derivative, whatever the order
    # (n! is about (n/e)^n): so none is out of range if the derivative is not.
    scale = max(1, round(order / math.e))
    factor = float(Fraction(math.factorial(order), scale ** order))
    return transform(_derivative, f, 0, order, float(scale), factor)


def _derivative(f: Callable[..., Any], argnums: int, order: int, scale: float, factor: float, /, x: Any,
                *args: Any, **kwargs: Any) -> Any:
    def times_factor(c: list[Any]) -> Any:
        y = c[order] if factor == 1.0 else c[order] * factor
        if finite(c[order]) and not finite(y):
            signal(RangeError(f"{name_of(f)}: the derivative of order {order} is too large for a double"))
        return y

    trace = _traced(f, (x, *args), kwargs)
    found = _coefficients(f, trace, order, scale, [order], "derivative", factor)
    return refill(trace.result, map(times_factor, found))


def _traced(f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Trace:
    if not is_number(args[0]):
        raise InputError(f"{name_of(f)}: an order belongs to a function of one number, not of "
                         f"{shown(args[0])}; use grad, hessian or jacobian")
    trace = Trace(f, args, kwargs)
    returned(name_of(f), trace.result)
    return trace


def _verify(series: Sequence[Series | None], expanded: Callable[[Expansion], Any], order: int,
            wanted: Sequence[int]) -> None:
    """Signal an error if the coefficients wanted depend on the slopes that conventions chose at kinks."""
    for seed in (1, 2) if wanted else ():
        expansion = Expansion(order, Chooser(seed))
        try:
            for y, other in zip(series, expanded(expansion)):
                if y is None:
                    continue
                numbers, others = list(map(plain, y.c)), list(map(plain, other.c))
                largest = max(map(abs, numbers))
                if any([moved(numbers[k], others[k], max(MOVED * abs(others[k]), 1e-13 * largest))
                        for k in wanted]):
                    assert expansion.chooser
                    signal_moved(expansion.chooser.places)
                    return
        finally:
            expansion.close()


def _coefficients(f: Callable[..., Any], trace: Trace, order: int, scale: float, wanted: Sequence[int],
                  what: str, factor: float = 1.0) -> list[list[Any]]:
    """For each number of the result its coefficients in (x − x₀)/scale; of those wanted, `factor` times
    each is called `what`, and an error if rounding may have changed it."""
    program, x = trace.program, trace.inputs_at[0]
    varying = [k for k, varies in enumerate(trace.varies) if varies and k != x]
    inputs = {} if x is None else {x: (trace.lower(trace.inputs[0]), scale)}
    places = list(map(program.place, trace.outputs))

    def expanded(expansion: Expansion, varying: Sequence[int]) -> list[Series | None]:
        found = expand(expansion, program, varying, inputs, trace.lower, trace.idle)
        return [None if place is None else found.get(place) for place in places]

    expansion = Expansion(max(order, 1))                # (to order 0 nothing moves, and nothing is rounded)
    try:
        series = expanded(expansion, varying)
        failed = False
        for y in series:
            if order and y is not None and y.error:
                signal(y.error)
                failed = True
        if failed:                                      # a warning: then the numbers are IEEE's
            return errstate("ignore").run(_coefficients, f, trace, order, scale, wanted, what, factor)
        slopes = [k for k, node in enumerate(program.nodes) if note_of(node).kink] if kinks.live else []
        if slopes or expansion.at_kink:                 # (a slope that was recorded is of order 1 already)
            varying = [k for k, flags in enumerate(zip(trace.varies, program.dependent(slopes)))
                       if any(flags) and k != x]
            _verify(series, lambda expansion: expanded(expansion, varying), order,
                    [k for k in wanted if k > 1 or slopes and k])
        if not ignoring() and all([                         # (the user's own inf has no rounding)
                idle or all(map(finite, taken(node))) for node, idle in zip(program.nodes, trace.idle)]):
            expansion.settle()
            signal_lost(expansion.series, [y for y in series if y is not None], wanted, name_of(f), what,
                        factor)
        return [[trace.lower(y), *[0.0] * order] if s is None else s.c[:order + 1]
                for y, s in zip(trace.outputs, series)]
    finally:
        expansion.close()
