"""`Value`: a recorded number with Python's arithmetic, and the modes of recording."""
from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

from autograd_lite.graph.backward import backward
from autograd_lite.errors import GradientError, InputError
from autograd_lite.lines import user_line
from autograd_lite.locks import shared_lock
from autograd_lite.modes import Entries, Mode, current
from autograd_lite.graph.node import ZERO, Node, Note
from autograd_lite.ops.elementary import add, mul, neg, relu, sub
from autograd_lite.ops.op import Op, Operators, number

_special = False             # is any special mode on, in any thread? Off, the hot path asks no more
_modes_on, _modes_lock = 0, shared_lock()
_no_grad: Entries = ContextVar("no_grad", default=())
_lines: Entries = ContextVar("record_lines", default=())


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
        self._row = self._a = self._b = self._pa = self._pb = None
        if label != "":
            self.label = label
        if _special and current(_lines):
            self._note = self.note._replace(line=user_line())

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

    # -- recording: the rows' partials, inlined where most nodes come from ------------------
    # (a test holds each equal to its row)

    def __add__(self, other: Any) -> Value:
        if type(other) is Value and not _special:
            data = self._data + other._data
            if data - data == 0.0 and self._grad is not None and other._grad is not None:
                out = _new()
                out._data = data
                out._grad = ZERO
                out._row = add
                out._a = self
                out._b = other
                out._pa = out._pb = 1.0
                return out
        elif type(other) is float and not _special:
            data = self._data + other
            if data - data == 0.0 and self._grad is not None:
                return _with_constant(add, data, self, other, 1.0, None)
        return self + number(other, "+") if type(other) is int else Operators.__add__(self, other)

    def __sub__(self, other: Any) -> Value:
        if type(other) is Value and not _special:
            data = self._data - other._data
            if data - data == 0.0 and self._grad is not None and other._grad is not None:
                out = _new()
                out._data = data
                out._grad = ZERO
                out._row = sub
                out._a = self
                out._b = other
                out._pa = 1.0
                out._pb = -1.0
                return out
        elif type(other) is float and not _special:
            data = self._data - other
            if data - data == 0.0 and self._grad is not None:
                return _with_constant(sub, data, self, other, 1.0, None)
        return self - number(other, "-") if type(other) is int else Operators.__sub__(self, other)

    def __mul__(self, other: Any) -> Value:
        if type(other) is Value and not _special:
            a = self._data
            b = other._data
            data = a * b
            if data - data == 0.0 and self._grad is not None and other._grad is not None:
                out = _new()
                out._data = data
                out._grad = ZERO
                out._row = mul
                out._a = self
                out._b = other
                out._pa = b
                out._pb = a
                return out
        elif type(other) is float and not _special:
            data = self._data * other
            if data - data == 0.0 and self._grad is not None:
                return _with_constant(mul, data, self, other, other, None)
        return self * number(other, "*") if type(other) is int else Operators.__mul__(self, other)

    def __rmul__(self, other: Any) -> Value:
        if type(other) is float and not _special:
            data = other * self._data
            if data - data == 0.0 and self._grad is not None:
                return _with_constant(mul, data, other, self, None, other)
        return number(other, "*") * self if type(other) is int else Operators.__rmul__(self, other)

    def __neg__(self) -> Value:
        data = -self._data
        if data - data == 0.0 and self._grad is not None and not _special:
            return _with_constant(neg, data, self, None, -1.0, None)
        return self._on("neg")

    def relu(self, at_zero: float | None = None) -> Value:
        """max(self, 0); the derivative at 0 is `at_zero` (default 0)."""
        data = self._data
        if data - data == 0.0 and self._grad is not None and not _special and at_zero is None:
            if data > 0.0:
                return _with_constant(relu, data, self, None, 1.0, None)
            return _with_constant(relu, 0.0, self, None, 0.0, None)
        return Operators.relu(self, at_zero)

    @staticmethod
    def _apply(row: Op, operands: Sequence[Any]) -> Value:
        """A node for any row: its result, and its partials where a gradient flows."""
        xs = [x._data if type(x) is Value else number(x, row.name) for x in operands]
        line = user_line() if _special and current(_lines) else None
        data = row.evaluate(xs, operands, line)
        out = _new()
        out._data = data
        out._grad = out._row = out._a = out._b = out._pa = out._pb = None
        if line:
            out._note = Note(line=line)
        if _special and current(_no_grad):
            return out
        out._row = row
        if callable(row.partials) or len(xs) > 2:
            flows = [type(x) is Value and x._grad is not None for x in operands]
            mixed = False in flows              # most often not, which saves two passes over all
            out._a = tuple([x if type(x) is Value else c for x, c in zip(operands, xs)]
                           if mixed else operands)
            if True in flows:
                out._grad = ZERO
                partials = row.derivatives_or_nan(data, xs, flows)
                out._pb = tuple([p if flow else None for p, flow in zip(partials, flows)]
                                if mixed else partials)
            return out
        out._a = a = operands[0] if type(operands[0]) is Value else xs[0]
        if type(a) is Value and a._grad is not None:
            out._grad = ZERO
            out._pa = row.derivative_or_nan(0, data, xs)
        if len(xs) == 2:
            out._b = b = operands[1] if type(operands[1]) is Value else xs[1]
            if type(b) is Value and b._grad is not None:
                out._grad = ZERO
                out._pb = row.derivative_or_nan(1, data, xs)
        return out

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

    def __eq__(self, other: object) -> Any: return _compare(operator.eq, self, other)
    def __ne__(self, other: object) -> Any: return _compare(operator.ne, self, other)
    def __lt__(self, other: Any) -> Any: return _compare(operator.lt, self, other)
    def __le__(self, other: Any) -> Any: return _compare(operator.le, self, other)
    def __gt__(self, other: Any) -> Any: return _compare(operator.gt, self, other)
    def __ge__(self, other: Any) -> Any: return _compare(operator.ge, self, other)
    def __bool__(self) -> bool: return self._data != 0.0
    def __hash__(self) -> int: return object.__hash__(self)
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

    @staticmethod
    def _restored(*state: Any) -> Value:
        return _new()._restore(*state)


_new: Callable[[], Value] = partial(object.__new__, Value)


def _with_constant(row: Op, data: float, a: Any, b: Any, pa: Any, pb: Any) -> Value:
    """A node to which one gradient flows."""
    out = _new()
    out._data = data
    out._grad = ZERO
    out._row = row
    out._a = a
    out._b = b
    out._pa = pa
    out._pb = pb
    return out


def _compare(holds: Callable[[Any, Any], Any], a: Value, b: Any) -> Any:
    try:
        return holds(a._data, b._data if type(b) is Value else b)
    except TypeError:
        return NotImplemented


class Special(Mode):
    """A mode of recording: while any is entered in any thread, the hot path asks for it."""

    def _count(self, change: int) -> None:
        global _special, _modes_on
        with _modes_lock:
            _modes_on += change
            _special = _modes_on > 0


class no_grad(Special):
    """Within it, operations on Values record nothing and give constants.

    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad, y.operands
    (False, ())
    """

    _entries = _no_grad


class recording:
    """Within it, operations are recorded also where a `no_grad` encloses it."""

    def __enter__(self) -> None:
        self._outer = _no_grad.get()
        _no_grad.set(())

    def __exit__(self, *exc: object) -> None:
        _no_grad.set(self._outer)
