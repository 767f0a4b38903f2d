"""`evaluate`: a recorded graph in other numbers: fractions, mpmath's floats, intervals, floats.

The graph is followed in the new numbers, and a derivative is taken in them too: an op's
partials are written in operators and ops, so they run on `Twin`, a number that remembers
what made it. Nothing on the way is rounded to a double (a gradient *recorded* as a graph
has 1/3 as a double for x/3), and the rules choose their branches at the new point.
"""
from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from autograd_lite.errors import (AutogradError, DivisionError, DomainError, InputError, LabelError, NumericError,
                                  RangeError, errstate, shown)
from autograd_lite.graph.labels import find
from autograd_lite.graph.linear import Algebra, Edge, Linear
from autograd_lite.graph.node import op_of
from autograd_lite.graph.program import Program
from autograd_lite.lines import Line
from autograd_lite.ops.numbers import Constant
from autograd_lite.ops.op import Op
from autograd_lite.ops.op import number as as_float
from autograd_lite.ops.operators import Operators
from autograd_lite.transforms.trees import leaves, rebuild
from autograd_lite.graph.value import Value

# -- kinds of numbers ---------------------------------------------------------------------


class _Missing(AttributeError):
    """A kind of numbers lacks a function."""


class _Shown(str):
    """A number as a message shows it."""

    __repr__ = str.__str__


class Kind:
    """A kind of numbers: it makes them, and has their functions under mpmath's names.

    To these it adds `max`, `min`, `floordiv`, `lgamma` and a real `cbrt`.
    """

    title = lack = ""        # what such a number is called; what a row that cannot be run is told
    undecided = False                            # was a comparison left to a point of an interval?
    max: Any = staticmethod(max)
    min: Any = staticmethod(min)
    floordiv: Any = staticmethod(operator.floordiv)

    def __getattr__(self, name: str) -> Any:
        raise _Missing

    def convert(self, x: Any) -> Any:
        """A plain number, or one of this kind; ValueError or TypeError if x is none."""
        raise NotImplementedError

    def mpf(self, x: Any, where: str = "evaluate") -> Any:
        """The number x exactly, or as near as this kind has it."""
        if type(x) is Constant:
            return x.exact(self)
        try:
            return self.convert(x)
        except (TypeError, ValueError, OverflowError, NotImplementedError):
            raise InputError(f"{where}: {x!r} is no {self.title}") from None

    def call(self, op: Op, xs: Sequence[Any], nodes: Sequence[Any] = ()) -> str:
        """The operation as it stands in a message."""
        return op.call([_Shown(self.show(x)) for x in xs[:4]] + list(xs[4:]), nodes)

    def show(self, x: Any) -> str:
        return str(x) if len(str(x)) < 16 else repr(float(x))

    def compare(self, a: Any, b: Any) -> float:
        """The sign of a − b; a nan if there is none."""
        return 0 if a == b else -1 if a < b else 1 if a > b else math.nan

    def decided(self, a: Any, b: Any) -> float:
        """The same; a ValueError where an interval leaves it open."""
        self.undecided = False
        sign = self.compare(a, b)
        if self.undecided:
            raise ValueError
        return sign

    def finite(self, x: Any) -> bool:
        return bool(x - x == 0)

    def apply(self, op: Op, xs: Sequence[Any], nodes: Sequence[Any] = (), line: Line | None = None) -> Any:
        """The result of an op, which must be finite where the operands are; an error names the rest."""
        failure: type[NumericError] = DomainError
        try:
            if op.form is None:
                raise InputError(f"{self.call(op, xs, nodes)}: {op.name} has no form in other numbers; "
                                 "give it one, custom_op(…, form=…)")
            y = self.convert(op.form(self, *xs))
            if self.finite(y) or not all(map(self.finite, xs)):
                return y
        except _Missing:
            raise InputError(f"{self.call(op, xs, nodes)}: {op.name} {self.lack}") from None
        except ZeroDivisionError:
            failure = DivisionError
        except OverflowError:
            failure = RangeError
        except ValueError:
            pass
        raise failure(f"{self.call(op, xs, nodes)}: {op.remedy}", op.name, xs, nodes, line)


class Floats(Kind):
    title = "real number"

    def mpf(self, x: Any, where: str = "evaluate") -> float:
        """The number x, or the double nearest to a constant of the rules."""
        return float(x) if type(x) is Constant else super().mpf(x, where)

    def convert(self, x: Any) -> float:
        return float(as_float(x, "evaluate"))

    def apply(self, op: Op, xs: Sequence[Any], nodes: Sequence[Any] = (), line: Line | None = None) -> Any:
        return op.evaluate(xs, nodes, line)


class Rationals(Kind):
    title, lack = "rational number", "has no exact rational value; use number=mpmath.mpf"

    def convert(self, x: Any) -> Fraction:
        return Fraction(x)

    def finite(self, x: Any) -> bool:
        return True

    def power(self, a: Any, b: Any) -> Fraction:
        if Fraction(b).denominator != 1:
            raise _Missing
        return Fraction(a) ** int(b)


class Reals(Kind):
    """mpmath's floats, at the precision its context has."""

    title, lack = "real number", "is not written for mpmath"

    def __init__(self, context: Any):
        self.context = context

    def __getattr__(self, name: str) -> Any:
        if hasattr(self.context, name):
            return getattr(self.context, name)
        return super().__getattr__(name)

    def convert(self, x: Any) -> Any:
        if isinstance(x, Fraction):
            return self.context.mpf(x.numerator) / x.denominator
        x = self.context.convert(x)
        if isinstance(x, self.context.mpc):
            raise ValueError
        return x

    def show(self, x: Any) -> str:
        return str(self.context.nstr(x, 10))

    def floordiv(self, a: Any, b: Any) -> Any:
        return self.context.nint((a - a % b) / b)

    def cbrt(self, x: Any) -> Any:
        return self.context.cbrt(x) if x > 0 else -self.context.cbrt(-x)

    def lgamma(self, x: Any) -> Any:
        return self.context.re(self.context.loggamma(x))

    def polygamma(self, n: Any, x: Any) -> Any:
        """mpmath's; far below 0, where that would take |x| steps, by reflection to 1 − x and the same
        reflection beside 0, whose cotangent is the same."""
        m = self.context
        if x > -50:
            return m.polygamma(n, x)
        with m.extraprec(2 * m.prec):
            r = x - m.nint(x)
            return (-1) ** int(n) * (m.psi(n, 1 - x) - m.psi(n, 1 - r)) + m.psi(n, r)


class Intervals(Kind):
    """mpmath's intervals, at the precision `iv` has.

    What `iv` lacks is made of monotone pieces: the values at the ends, worked out with 20 bits
    to spare and widened by the last 10.
    """

    title, lack = "interval", "is not written for intervals"
    native = {"exp", "log", "sqrt", "sin", "cos", "tan", "pi"}
    monotone = {"expm1", "log1p", "log10", "cbrt", "asin", "acos", "atan", "sinh", "tanh", "asinh",
                "acosh", "atanh", "erf", "erfc", "ncdf"}

    def __init__(self, context: Any):
        import mpmath
        self.iv, self.mp = context, mpmath.mp
        self.reals = Reals(mpmath.mp)

    def __getattr__(self, name: str) -> Any:
        if name in self.native:
            return getattr(self.iv, name)
        if name in self.monotone:
            return lambda x: self.hull(getattr(self.reals, name), self.ends(x))
        return super().__getattr__(name)

    def convert(self, x: Any) -> Any:
        if isinstance(x, Fraction):
            return self.iv.mpf(x.numerator) / x.denominator
        x = self.iv.convert(x)
        if not hasattr(x, "_mpi_"):
            raise ValueError
        return x

    def show(self, x: Any) -> str:
        return "[{}, {}]".format(*map(self.reals.show, self.ends(x)))

    def ends(self, x: Any) -> list[Any]:
        return [self.mp.make_mpf(end) for end in self.mpf(x)._mpi_]

    def hull(self, f: Callable[[Any], Any], points: Iterable[Any], slack: int = 0) -> Any:
        """The interval of f's values at the points, widened by their errors."""
        bits = self.iv.prec
        with self.mp.workprec(bits + 20):
            ys = [self.reals.convert(f(x)) for x in points]
            errors = [self.mp.ldexp(abs(y) + slack, -bits - 10) for y in ys]
            return self.iv.mpf([min(map(operator.sub, ys, errors)), max(map(operator.add, ys, errors))])

    def finite(self, x: Any) -> bool:
        return all(end - end == 0 for end in self.ends(x))

    def compare(self, a: Any, b: Any) -> float:
        low, high = zip(*map(self.ends, (a, b)))
        if high[0] < low[1] or high[1] < low[0]:
            return -1 if high[0] < low[1] else 1
        if not low[0] == high[0] == low[1] == high[1]:
            self.undecided = True
        return super().compare(low[0] + high[0], low[1] + high[1])

    def max(self, a: Any, b: Any) -> Any:
        return self.iv.mpf(list(map(max, self.ends(a), self.ends(b))))

    def min(self, a: Any, b: Any) -> Any:
        return self.iv.mpf(list(map(min, self.ends(a), self.ends(b))))

    def floordiv(self, a: Any, b: Any) -> Any:
        return self.iv.mpf([self.mp.floor(end) for end in self.ends(a / b)])

    def power(self, a: Any, b: Any) -> Any:
        low, high = self.ends(b)
        return self.mpf(a) ** (int(low) if low == high == self.mp.floor(low) else b)

    def cosh(self, x: Any) -> Any:
        return self.hull(self.mp.cosh, self.ends(abs(x)))

    def sech(self, x: Any) -> Any:
        return 1 / self.cosh(x)

    def hypot(self, a: Any, b: Any) -> Any:
        return self.iv.sqrt(a ** 2 + b ** 2)

    def atan2(self, a: Any, b: Any) -> Any:
        (low, high), (left, right) = self.ends(a), self.ends(b)
        if left <= 0 and low <= 0 <= high and (low < 0 or right >= 0):
            raise ValueError                     # it crosses the cut or holds the origin
        return self.hull(lambda corner: self.mp.atan2(*corner),
                         itertools.product((low, high), (left, right)))

    def lgamma(self, x: Any) -> Any:
        low, high = self.ends(x)
        if low <= 0:
            raise ValueError
        least = 1.4616321449683623               # a double beside the minimum; what it is short is slack
        return self.hull(self.mp.loggamma, [low, high, *[least for _ in "1" if low < least < high]], 1)

    def polygamma(self, n: Any, x: Any) -> Any:
        low, high = self.ends(x)
        floor = self.mp.floor(low)
        if low <= 0 and not (n == 0 and floor < low and high < floor + 1):
            raise ValueError                     # a pole; or, the order not being 0, not monotone
        return self.hull(lambda end: self.mp.polygamma(int(n), end), [low, high], 1)

    def digamma(self, x: Any) -> Any:
        return self.polygamma(0, x)


def kind_of(number: Any) -> Kind:
    """The kind whose constructor `number` is.

    >>> kind_of(Fraction).mpf(0.5)
    Fraction(1, 2)
    """
    if number is float:
        return Floats()
    if number is Fraction:
        return Rationals()
    context = getattr(number, "context", None) or getattr(number, "ctx", None) or number
    if type(context).__module__.partition(".")[0] == "mpmath" and hasattr(context, "mpf"):
        return Intervals(context) if hasattr(context.mpf(0), "_mpi_") else Reals(context)
    raise InputError(f"evaluate: number={number!r} is no kind of number it knows; choose float, "
                     "fractions.Fraction, mpmath.mpf or mpmath.iv.mpf")


# -- the graph in other numbers -------------------------------------------------------------


class Twin(Operators):
    """A number of another kind, the op and operands that made it, and the node it is the twin of.

    Where there is no such number, `error` says why.
    """

    __slots__ = ("n", "kind", "op", "operands", "node", "error")

    def __init__(self, kind: Kind, n: Any, op: Op | None = None, operands: tuple[Twin, ...] = (),
                 node: Value | None = None, error: AutogradError | None = None):
        self.kind, self.n, self.op, self.operands, self.node, self.error = kind, n, op, operands, node, error

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Twin:
        kind = next(x.kind for x in operands if type(x) is Twin)
        twins = tuple(x if type(x) is Twin else Twin(kind, kind.mpf(x)) for x in operands)
        return Twin(kind, kind.apply(op, [x.n for x in twins]), op, twins)

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        return holds(self.kind.compare(self.n, other.n if type(other) is Twin else self.kind.mpf(other)), 0)


def evaluate(root: Any, inputs: Mapping[Any, Any] | None = None, number: Any = float, *,
             wrt: Any = None, order: int = 1) -> Any:
    """The recorded graph under `root`, evaluated again in other numbers; or its derivatives.

    Constants are the recorded doubles exactly, and so are the leaves that `inputs` does not
    give. It follows the graph as it was recorded: an `if` of the program stays as it went. The
    functions in it (relu, abs, …) and the derivatives asked for by `wrt` go by the new numbers.
    (A gradient recorded as a graph has been written for the old ones, with doubles for its
    constants: prefer `wrt`.)

    Args:
        root: a Value, or a list, tuple, dict or array of them.
        inputs: new numbers for leaves, each named by its Value or its label.
        number: `float`, `fractions.Fraction` (exact; no function but arithmetic, whole powers,
            abs, minimum, maximum, relu and the like), `mpmath.mpf` (at the precision of
            `mpmath.workdps`), or `mpmath.iv.mpf` (intervals that hold every result for the inputs
            in theirs; at the precision of `mpmath.iv`).
        wrt: a node or label: the result is the derivative with respect to it; a list of them: the
            list of derivatives.
        order: how often to differentiate; with a list, 2 gives the rows of the Hessian.

    Returns:
        The number, in the structure of `root`; with `wrt`, its derivatives in each number's place.

    Raises:
        InputError: (a TypeError) an operation has no such form: ``exp`` of a Fraction.
        DomainError: the new numbers lie outside an operation's domain, or an interval holds a
            point where it, or a derivative of it, is not defined.
        LabelError: `inputs` or `wrt` names no node of the graph, or one that is no leaf.

    >>> x = Value(0.1, "x")
    >>> y = x * x / 3.0
    >>> evaluate(y, {"x": 6})
    12.0
    >>> evaluate(y, {x: Fraction(1, 2)}, Fraction, wrt=x)
    Fraction(1, 3)
    """
    kind = kind_of(number)
    if not isinstance(inputs, Mapping | None):
        raise InputError(f"evaluate: inputs is a dict {{label or leaf: number}}, got {shown(inputs)}")
    program = Program([x for x in leaves(root) if isinstance(x, Value)])
    given = {_place(program, name, leaf=True): x for name, x in (inputs or {}).items()}
    twins: list[Twin] = []
    for k, node in enumerate(program.nodes):
        twins.append(_twin(kind, program, twins, k, node, given))

    def twin(y: Any) -> Twin:
        if not isinstance(y, Value):
            return Twin(kind, kind.mpf(y))
        found = twins[program.place_in("evaluate", y)]
        if found.error:
            raise found.error
        return found

    if wrt is None:
        return rebuild(root, lambda y: twin(y).n)
    if not isinstance(order, int) or order < 0:
        raise InputError(f"evaluate: order={order!r} is no whole number, 0 or more")
    single = not isinstance(wrt, Iterable) or isinstance(wrt, str)
    sources = [twins[_place(program, name)] for name in ([wrt] if single else wrt)]

    def derive(y: Twin, order: int) -> Any:
        if order == 0:
            return y.n
        found = [derive(g, order - 1) for g in _gradient(y, sources)]
        return found[0] if single else found

    return rebuild(root, lambda y: derive(twin(y), order))


def _place(program: Program, name: Any, leaf: bool = False) -> int:
    node = find(program.nodes, name) if isinstance(name, str) else name
    if not isinstance(node, Value):
        raise InputError(f"evaluate: {name!r} is neither a label nor a Value")
    place = program.place_in("evaluate", node)
    if leaf and node.op:
        raise LabelError(f"evaluate: {node!r} is computed; only a leaf can be given a new number")
    return place


def _twin(kind: Kind, program: Program, twins: Sequence[Twin], k: int, node: Value,
          given: Mapping[int, Any]) -> Twin:
    """The twin of a node, those before it being there."""
    op = op_of(node)
    if k in given or op is None:
        where = f"evaluate, {node.label!r}" if node.label else "evaluate"
        return Twin(kind, kind.mpf(given.get(k, node.data), where), node=node)
    xs = tuple(Twin(kind, kind.mpf(x)) if place is None else twins[place]
               for x, place in zip(node.operands, program.operands[k]))
    looked_at = xs
    if op.chooses and not xs[0].error:
        looked_at = (xs[0], xs[1] if xs[0] else xs[2])
    error = next((x.error for x in looked_at if x.error), None)
    if error is None:
        try:
            program.hold(k, twins)
            return Twin(kind, kind.apply(op, [x.n for x in xs], node.operands, node.line), op, xs, node)
        except AutogradError as found:
            error = found
    return Twin(kind, None, op, xs, node, error)


class _Undefined(NamedTuple):
    """In place of a partial: why there is none."""

    error: NumericError


class _Twins(Algebra):
    """Gradients in the numbers of the node at `top`, whose own is 1."""

    def __init__(self, top: int):
        self.top = top

    def times(self, g: Any, p: Any, k: int, i: int) -> Any:
        if type(p) is _Undefined:
            if g.n == 0:
                return None
            raise p.error
        return p if k == self.top else g * p

    def plus(self, a: Any, b: Any, k: int) -> Any:
        return a + b


def _gradient(y: Twin, sources: Sequence[Twin]) -> list[Twin]:
    """∂y/∂source for each source, as nodes again."""
    program = Program([y])
    places = [program.place(x) for x in sources]
    varies, top = program.dependent(places), len(program) - 1

    def edges(k: int) -> list[Edge]:
        node, operands = program.nodes[k], program.operands[k]
        wanted = [x is not None and varies[x] for x in operands]
        partials = _partials(node, wanted) if varies[k] and node.op is not None else []
        return [(x, i, p) for i, (x, p) in enumerate(zip(operands, partials))  # type: ignore[misc]
                if wanted[i] and p is not None]

    one, zero = Twin(y.kind, y.kind.mpf(1)), Twin(y.kind, y.kind.mpf(0))
    found = Linear(len(program), edges).pull({top: one}, _Twins(top))
    return [zero if place is None or found[place] is None else found[place] for place in places]


def _partials(node: Twin, wanted: Sequence[bool]) -> list[Any]:
    """The partials by the operands wanted: Twins, or why there is none."""
    kind, op, operands = node.kind, node.op, node.operands
    assert op is not None
    partials: Sequence[Any] = ()
    reason = ""
    kind.undecided = False

    def call() -> str:
        return kind.call(op, [x.n for x in operands], node.node.operands if node.node else ())

    try:
        with errstate("raise"):
            partials = op.partials(node, operands, wanted)
    except InputError as error:
        raise InputError(f"the derivative of {call()}: {error}") from None
    except (ArithmeticError, ValueError) as error:
        reason = op.singular or str(error)
    if kind.undecided and op.kink:
        reason = "it has a kink within the interval; split the interval there"
    if reason:
        nodes, line = (node.node.operands, node.node.line) if node.node else ((), None)
        undefined = _Undefined(DomainError(f"the derivative of {call()}: {reason}", op.name,
                                           [x.n for x in operands], nodes, line))
        return [undefined if flag else None for flag in wanted]
    return [p if p is None or type(p) is Twin else Twin(kind, kind.mpf(p)) for p in partials]
