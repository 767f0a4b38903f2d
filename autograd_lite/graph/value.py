"""`Value`: a recorded number with Python's arithmetic."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, NoReturn

import autograd_lite.errors as errors
from autograd_lite.errors import GradientError, InputError, errstate
from autograd_lite.graph.backward import backward
from autograd_lite.graph.node import ZERO, Node, Note, note_of, plain
from autograd_lite.lines import user_line
from autograd_lite.modes import Entries, current
from autograd_lite.ops.activations import relu
from autograd_lite.ops.branches import Guard, Ordinary
from autograd_lite.ops.elementary import add, mul, neg, sub
from autograd_lite.ops.numbers import partials_or_nan
from autograd_lite.ops.op import Op, number
from autograd_lite.ops.operators import Operators
from autograd_lite.ops.selection import choose

special = False              # whether any thread is in a special mode; if not, the hot path asks no further
not_recording: Entries = ContextVar("no_grad", default=())
recording_lines: Entries = ContextVar("record_lines", default=())


class Value(Node):
    """A real number that records what is computed from it.

    Args:
        data: an int, float, bool, Fraction, or a NumPy real scalar or 0-d array.
        label: a name for people; pictures, messages and claims use it.
        requires_grad: False for a constant, to which no gradient flows.

    Raises:
        InputError: (a TypeError) `data` is not a real number.
        RangeError: (an OverflowError) `data` is too large for a double.

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
                         "what you know about a node in a dict")

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

    # -- recording, written out where most nodes come from -----------------------------------

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
        return Operators.__neg__(self)

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
        if not (special or errors.unusual):
            out = (_of_many if op.open else _of_two if len(operands) == 2 else _of_one)(op, *operands)
            if out is not None:
                return out
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
        operands = tuple([x if type(x) is Value else c for x, c in zip(operands, xs)])
        flows = [type(x) is Value and x._grad is not None for x in operands]
        partials = tuple(partials_or_nan(op, data, xs, flows)) if True in flows else (None,) * len(xs)
        if any([p is not None for p in partials]) or op.chooses and True in flows:
            out._grad = ZERO
        if op.open or len(xs) > 2:
            out._a, out._pb = operands, partials if out._grad is ZERO else None
        else:
            out._a, out._b = (*operands, None)[:2]
            out._pa, out._pb = (*partials, None)[:2]
        return out

    def __select__(self, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """Record both branches, the one not taken without raising."""
        if not self.operands:                   # a constant: there is nothing to choose later
            return then() if self._data else otherwise()
        taken, idle = (then, otherwise) if self._data else (otherwise, then)
        a = taken()
        try:
            with errstate("ignore"):
                b = idle()
        except (ValueError, ArithmeticError):   # (of Python's own numbers)
            b = math.nan
        return choose(self, a, b) if self._data else choose(self, b, a)

    def __ask__(self, question: Ordinary, operands: Sequence[Any]) -> Any:
        return question.of_nodes(operands, bool(question.holds(*map(plain, operands))))

    def __guarded__(self, guard: Guard) -> Value:
        note = note_of(self)
        self._note = Note(note.label, note.scope, note.line, (*note.guards, guard))
        return self

    def backward(self, seed: float = 1.0) -> None:
        """Set `.grad` of every node this one depends on to `seed` · ∂self/∂node.

        Leaves add it to what they hold; computed nodes hold the latest. An exception leaves every
        gradient as it was. Threads may share nodes: one pass runs at a time, and `.grad` waits for it.

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

    def _as_number(self, what: str = "float()") -> NoReturn:
        raise InputError(f"{what} of {self!r} would lose its gradient: use v.data for the number, and "
                         "autograd_lite.exp(v) and the like in place of math.exp(v)")

    def __float__(self) -> float: self._as_number()
    def __int__(self) -> int: self._as_number("int()")
    def __complex__(self) -> complex: self._as_number("complex()")
    def __round__(self, digits: int | None = None) -> Any: self._as_number("round()")
    def __trunc__(self) -> Any: self._as_number("trunc()")
    def __floor__(self) -> Any: self._as_number("floor()")
    def __ceil__(self) -> Any: self._as_number("ceil()")


_new: Callable[[], Value] = partial(object.__new__, Value)


# -- the fast path: a node where all is finite and no mode is on, else None ----------------------


def _of_one(op: Op, a: Any, *more: Any) -> Value | None:
    if more or type(a) is not Value:
        return None
    x = a._data
    p = None
    try:
        data = op.forward(x)
        if a._grad is not None:
            p = op.first(data, x)  # type: ignore[misc]
            if p is not None and p - p != 0.0:
                return None
        if data - data != 0.0:
            return None
    except (ValueError, ArithmeticError, TypeError):
        return None                             # the slow path says what is wrong
    out = _new()
    out._data = data
    out._grad = None if p is None else ZERO
    out._operation = op
    out._a = a
    out._b = None
    out._pa = p
    out._pb = None
    return out


def _of_two(op: Op, a: Any, b: Any) -> Value | None:
    p = q = None
    try:
        x = a._data if type(a) is Value else a if type(a) is float else None
        y = b._data if type(b) is Value else b if type(b) is float else None
        if y is None and type(b) is int:
            y = b = float(b)
        if x is None or y is None:
            return None
        data = op.forward(x, y)
        if x is not a and a._grad is not None:
            p = op.first(data, x, y)  # type: ignore[misc]
            if p is not None and p - p != 0.0:
                return None
        if y is not b and b._grad is not None:
            q = op.second(data, x, y)  # type: ignore[misc]
            if q is not None and q - q != 0.0:
                return None
        if data - data != 0.0:
            return None
    except (ValueError, ArithmeticError, TypeError, AttributeError):
        return None
    out = _new()
    out._data = data
    out._grad = None if p is None and q is None else ZERO
    out._operation = op
    out._a = a
    out._b = b
    out._pa = p
    out._pb = q
    return out


def _of_many(op: Op, *operands: Any) -> Value | None:
    try:
        xs = [x._data for x in operands if x._grad is not None]
        if len(xs) < len(operands):
            return None
        data = op.forward(*xs)
        if data - data != 0.0:
            return None
        partials = tuple(op.rules[0](data, xs))  # type: ignore[misc]
    except (ValueError, ArithmeticError, TypeError, AttributeError):
        return None
    out = _new()
    out._data = data
    out._grad = ZERO
    out._operation = op
    out._a = operands
    out._b = out._pa = None
    out._pb = partials
    return out


def _with_constant(op: Op, data: float, a: Any, b: Any, pa: Any, pb: Any) -> Value:
    """A node with one partial."""
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
    """Give a note to a new node and to the one made from it; a scope of their own stays."""
    if not special and type(out) is Value and out._a is net:
        net._note = out._note = note            # nobody has named them yet
        return
    for node in (net, out):
        if type(node) is Value and not node.scope:
            node.scope = note.scope
