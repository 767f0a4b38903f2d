"""`Value`: a recorded number with Python's arithmetic."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

from autograd_lite.graph.backward import backward
from autograd_lite.errors import GradientError, InputError, errstate
from autograd_lite.graph.node import ZERO, Node, Note, note_of, plain
from autograd_lite.lines import user_line
from autograd_lite.modes import Entries, current
from autograd_lite.ops.activations import relu
from autograd_lite.ops.elementary import add, mul, neg, sub
from autograd_lite.ops.numbers import partial_or_nan, partials_or_nan
from autograd_lite.ops.op import Op, number
from autograd_lite.ops.operators import Operators
from autograd_lite.ops.selection import Guard, Question, choose

special = False              # is any special mode on, in any thread? Off, the hot path asks no more
not_recording: Entries = ContextVar("no_grad", default=())
recording_lines: Entries = ContextVar("record_lines", default=())


class Value(Node):
    """A real number that records what is computed from it.

    Args:
        data: an int, float, bool, Fraction, or a NumPy real scalar or 0-d array.
        label: a name for people; pictures, messages and claims use it.
        requires_grad: False for a constant, to which no gradient flows.

    Raises:
        InputError: (a TypeError) `data` is no real number.
        RangeError: (an OverflowError) `data` is an integer too large for a double.

    >>> x = Value(3.0, "x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 6.0)
    """

    __slots__ = ()

    def __init__(self, data: Any, label: str = "", requires_grad: bool = True):
        self._data = number(data)
        self._grad = ZERO if requires_grad else None
        self._operation = self._a = self._b = self._pa = self._pb = None
        if label != "":
            self.label = label
        if special and current(recording_lines):
            self._note = note_of(self)._replace(line=user_line())

    def __init_subclass__(cls) -> None:
        raise InputError("Value cannot be subclassed: what is computed from one is a plain Value; keep "
                         "more about a node in a dict by node")

    # micrograd's names, for programs written for it.
    @property
    def _prev(self) -> set[Value]:
        return {x for x in self.operands if type(x) is Value}

    @property
    def _op(self) -> str:
        return self.op

    def detach(self) -> Value:
        """A constant with the same number and label, cut off from the graph."""
        return Value(self._data, self.label, requires_grad=False)

    # -- recording: the ops' partials, inlined where most nodes come from ------------------
    # (a test holds each equal to its op)

    def __add__(self, other: Any) -> Value:
        if type(other) is Value and not special:
            data = self._data + other._data
            if data - data == 0.0 and self._grad is not None and other._grad is not None:
                out = _new()
                out._data = data
                out._grad = ZERO
                out._operation = add
                out._a = self
                out._b = other
                out._pa = out._pb = 1.0
                return out
        elif type(other) is float and not special:
            data = self._data + other
            if data - data == 0.0 and self._grad is not None:
                return _with_constant(add, data, self, other, 1.0, None)
        return self + number(other, "+") if type(other) is int else Operators.__add__(self, other)

    def __sub__(self, other: Any) -> Value:
        if type(other) is Value and not special:
            data = self._data - other._data
            if data - data == 0.0 and self._grad is not None and other._grad is not None:
                out = _new()
                out._data = data
                out._grad = ZERO
                out._operation = sub
                out._a = self
                out._b = other
                out._pa = 1.0
                out._pb = -1.0
                return out
        elif type(other) is float and not special:
            data = self._data - other
            if data - data == 0.0 and self._grad is not None:
                return _with_constant(sub, data, self, other, 1.0, None)
        return self - number(other, "-") if type(other) is int else Operators.__sub__(self, other)

    def __mul__(self, other: Any) -> Value:
        if type(other) is Value and not special:
            a = self._data
            b = other._data
            data = a * b
            if data - data == 0.0 and self._grad is not None and other._grad is not None:
                out = _new()
                out._data = data
                out._grad = ZERO
                out._operation = mul
                out._a = self
                out._b = other
                out._pa = b
                out._pb = a
                return out
        elif type(other) is float and not special:
            data = self._data * other
            if data - data == 0.0 and self._grad is not None:
                return _with_constant(mul, data, self, other, other, None)
        return self * number(other, "*") if type(other) is int else Operators.__mul__(self, other)

    def __rmul__(self, other: Any) -> Value:
        if type(other) is float and not special:
            data = other * self._data
            if data - data == 0.0 and self._grad is not None:
                return _with_constant(mul, data, other, self, None, other)
        return number(other, "*") * self if type(other) is int else Operators.__rmul__(self, other)

    def __neg__(self) -> Value:
        data = -self._data
        if data - data == 0.0 and self._grad is not None and not special:
            return _with_constant(neg, data, self, None, -1.0, None)
        return self._on("neg")

    def relu(self, at_zero: float | None = None) -> Value:
        """max(self, 0); the derivative at 0 is `at_zero` (default 0)."""
        data = self._data
        if data - data == 0.0 and self._grad is not None and not special and at_zero is None:
            if data > 0.0:
                return _with_constant(relu, data, self, None, 1.0, None)
            return _with_constant(relu, 0.0, self, None, 0.0, None)
        return Operators.relu(self, at_zero)

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Value:
        """A node for any op: its result, and its partials where a gradient flows."""
        xs = [x._data if type(x) is Value else number(x, op.name) for x in operands]
        line = user_line() if special and current(recording_lines) else None
        data = op.evaluate(xs, operands, line)
        out = _new()
        out._data = data
        out._grad = out._operation = out._a = out._b = out._pa = out._pb = None
        if line:
            out._note = Note(line=line)
        if special and current(not_recording):
            return out
        out._operation = op
        if op.open or len(xs) > 2:
            flows = [type(x) is Value and x._grad is not None for x in operands]
            mixed = False in flows              # most often not, which saves two passes over all
            out._a = tuple([x if type(x) is Value else c for x, c in zip(operands, xs)]
                           if mixed else operands)
            if True in flows:
                partials = tuple(partials_or_nan(op, data, xs, flows if mixed or not op.open else ()))
                if partials.count(None) < len(partials):
                    out._grad = ZERO
                    out._pb = partials
            return out
        out._a = a = operands[0] if type(operands[0]) is Value else xs[0]
        if type(a) is Value and a._grad is not None:
            out._pa = partial_or_nan(op, 0, data, xs)
            if out._pa is not None:
                out._grad = ZERO
        if len(xs) == 2:
            out._b = b = operands[1] if type(operands[1]) is Value else xs[1]
            if type(b) is Value and b._grad is not None:
                out._pb = partial_or_nan(op, 1, data, xs)
                if out._pb is not None:
                    out._grad = ZERO
        return out

    # -- branches ----------------------------------------------------------------------------

    def __select__(self, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """Both branches, recorded; the one that is not taken without raising."""
        if not self.operands:                   # a constant: there is nothing to choose later
            return then() if self._data else otherwise()
        if self._data:
            a = then()
            with errstate("ignore"):
                return choose(self, a, otherwise())
        b = otherwise()
        with errstate("ignore"):
            return choose(self, then(), b)

    def __ask__(self, question: Question, operands: Sequence[Any]) -> Any:
        return question.of_nodes(operands, bool(question.holds(*map(plain, operands))))

    def __guarded__(self, guard: Guard) -> Value:
        note = note_of(self)
        self._note = note._replace(guards=(*note.guards, guard))
        return self

    # -- backward --------------------------------------------------------------------------

    def backward(self, seed: float = 1.0) -> None:
        """Set `.grad` of every node this one depends on to `seed` · ∂self/∂node.

        Leaves add it to what they hold, so that two calls double it; computed nodes hold
        the latest. Any exception leaves every gradient as it was. Threads may share nodes: one
        pass runs at a time, and `.grad` waits for it.

        Raises:
            GradientError: this node carries no gradient.
            DomainError: a gradient arrives where a derivative is infinite or missing.
            RangeError: a gradient is too large for a double.
        """
        seed = number(seed, "backward")
        if self._grad is None:
            raise GradientError(f"backward() of {self!r}: it carries no gradient; it was computed "
                                "from constants, under no_grad(), or by detach()")
        backward(self, seed)

    # -- reading the number ------------------------------------------------------------------

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        try:
            return holds(self._data, other._data if type(other) is Value else other)
        except TypeError:
            return NotImplemented

    def __bool__(self) -> bool: return self._data != 0.0
    def __format__(self, spec: str) -> str: return format(self._data, spec) if spec else str(self)

    def _as_number(self, what: str = "float()") -> Any:
        raise InputError(f"{what} of {self!r} would lose its gradient: use v.data for the number, and "
                         "autograd_lite.exp(v) and the like in place of math.exp(v)")

    def __float__(self) -> float: return self._as_number()  # type: ignore[no-any-return]
    def __int__(self) -> int: return self._as_number("int()")  # type: ignore[no-any-return]
    def __complex__(self) -> complex: return self._as_number("complex()")  # type: ignore[no-any-return]
    def __round__(self, digits: int | None = None) -> Any: return self._as_number("round()")
    def __trunc__(self) -> Any: return self._as_number("trunc()")
    def __floor__(self) -> Any: return self._as_number("floor()")
    def __ceil__(self) -> Any: return self._as_number("ceil()")


_new: Callable[[], Value] = partial(object.__new__, Value)


def _with_constant(op: Op, data: float, a: Any, b: Any, pa: Any, pb: Any) -> Value:
    """A node to which one gradient flows."""
    out = _new()
    out._data = data
    out._grad = ZERO
    out._operation = op
    out._a = a
    out._b = b
    out._pa = pa
    out._pb = pb
    return out


def name_new(note: Note, net: Any, out: Any) -> None:
    """Give a note to a new node and to the one that was made of it; a scope of their own stays."""
    if not special and type(out) is Value and out._a is net:
        net._note = out._note = note            # nobody has named them yet
        return
    for node in (net, out):
        if type(node) is Value and not node.scope:
            node.scope = note.scope
