"""`Value`: a recorded number with Python's arithmetic."""
from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, final

from autograd_lite.errors import GradientError, InputError, errstate
from autograd_lite.graph import node as nodes
from autograd_lite.graph.backward import backward
from autograd_lite.graph.node import ZERO, Node, Note, note_of, plain, refuse_leaked
from autograd_lite.lines import user_line
from autograd_lite.modes import Entries, current
from autograd_lite.ops.branches import Guard, Ordinary
from autograd_lite.ops.numbers import partials_or_nan
from autograd_lite.ops.op import Op, number
from autograd_lite.ops.selection import choose

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Plain

build = "python"             # or "mypyc", in a compiled build
quicken: Callable[[Op], None] = lambda op: None     # (`graph.quick` puts its own here)
special = False              # whether any thread is in a special mode; if not, the hot path asks no further
not_recording: Entries = ContextVar("no_grad", default=())
recording_lines: Entries = ContextVar("record_lines", default=())
tracing: ContextVar[Any] = ContextVar("tracing", default=None)       # where this thread or task records
# Whether any thread is in a mode of recording, and whether any traces; `at_rest` before it did.
entered = [False, False, True]


def set_special(on: bool, tracing: bool = False) -> None:
    """Say whether any thread is in a special mode."""
    global special
    if tracing and on is not entered[True]:
        with nodes.lock:                        # (no pass runs)
            if on:
                entered[2] = nodes.at_rest
            nodes.reader, nodes.at_rest = (_read, False) if on else (None, entered[2])
    entered[tracing] = on
    special = True in entered[:2]


def _read(node: Any, what: str) -> Any:
    """A node's number or gradient, for its users."""
    if tape := tracing.get():
        return tape.read(what, node)
    if what == "__repr__":
        return None
    refuse_leaked([node])
    return nodes.held(node) if what == "grad" else node._data


@final
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

    def __init__(self, data: Plain, label: str = "", requires_grad: bool = True, _children: Any = (),
                 _op: Any = ""):
        self._data = data if type(data) is float else 0.0 if special and tracing.get() else number(data)
        self._grad = ZERO if requires_grad else None
        self._operation = self._a = self._b = self._pa = self._pb = None
        if label != "" or _children or _op:
            self.label = _children or (() if _op else label)  # type: ignore[assignment]    # (refused there)
        if special:
            if tape := tracing.get():
                tape.leaf(self, data)
            if current(recording_lines):
                self._note = note_of(self)._replace(line=user_line())

    def __init_subclass__(cls) -> None:
        raise InputError("Value cannot be subclassed: what is computed from one is a plain Value; keep "
                         "what you know about a node in a dict")

    def detach(self) -> Value:
        """A constant with the same number and label, cut off from the graph."""
        if special and (tape := tracing.get()):
            return tape.alias(self, False)  # type: ignore[no-any-return]
        return Value(self.data, self.label, requires_grad=False)

    # -- recording ---------------------------------------------------------------------------

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Value:
        """A node for any op: its result, and its partials where a gradient flows."""
        if not op.quick:
            quicken(op)
        if special:
            if tape := tracing.get():
                return tape.apply(op, operands)  # type: ignore[no-any-return]
            refuse_elsewhere(operands)
        xs: list[Any] = [x._data if type(x) is Value else number(x, op.name) for x in operands]
        if [x for x in xs if x != x]:
            refuse_leaked(operands)
        line = user_line() if special and current(recording_lines) else None
        data = op.evaluate(xs, operands, line)
        out = new()
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
        if special and (tape := tracing.get()):
            return tape.select(self, then, otherwise)
        if not self.operands:                   # a constant: there is nothing to choose later
            return then() if self._data else otherwise()
        taken, idle = (then, otherwise) if self._data else (otherwise, then)
        a = taken()
        try:
            b = errstate("ignore").run(idle)
        except (ValueError, ArithmeticError, IndexError):       # (of Python's own numbers, or `take`)
            b = math.nan
        return choose(self, a, b) if self._data else choose(self, b, a)

    def __ask__(self, question: Ordinary, operands: Sequence[Any]) -> Any:
        return question.of_nodes(operands, bool(question.holds(*map(plain, operands))))

    def __guarded__(self, guard: Guard) -> Value:
        note = note_of(self)
        self._note = note._replace(guards=(*note.guards, guard))
        return self

    def backward(self, seed: float = 1.0, retain_graph: bool = True, create_graph: bool = False,
                 inputs: Any = None, gradient: Any = None) -> None:
        """Set `.grad` of every node this one depends on to `seed` · ∂self/∂node.

        Leaves add it to what they hold; computed nodes hold the latest. An exception leaves every
        gradient as it was. Threads may share nodes: one pass runs at a time, and `.grad` waits for it.

        Graphs are always kept: `retain_graph` changes nothing; PyTorch's other arguments are refused.

        Raises:
            GradientError: this node carries no gradient; or a pass that this one interrupted (in a signal
                handler) works in the same gradients.
            DomainError: a gradient arrives where a derivative is infinite or missing.
            RangeError: a gradient is too large for a double.
        """
        if create_graph or inputs is not None or gradient is not None:
            raise InputError("backward takes the seed alone, v.backward(1.0); grad(f) gives derivatives by "
                             "arguments, grad(grad(f)) and hessian(f) derivatives of derivatives")
        if special and (tape := tracing.get()):
            tape.refuse("backward() is called within", "compile(grad(f)), or compile(f).backward(…), gives "
                        "gradients")
        seed = number(seed, "backward")
        if self._grad is None:
            refuse_leaked([self])
            raise GradientError(f"backward() of {self!r}: it carries no gradient; it was computed "
                                "from constants, under no_grad(), or by detach()")
        backward(self, seed)

    # -- reading the number ------------------------------------------------------------------

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        try:
            if special and (tape := tracing.get()):
                return tape.compare(holds, self, other)
            data, known = self._data, other._data if type(other) is Value else other
            if data != data or type(other) is Value and known != known:
                refuse_leaked([self, other])
            return holds(data, known)
        except TypeError:
            refuse_leaked([self, other])
            return NotImplemented

    def __bool__(self) -> bool: return bool(self.__compare__(operator.ne, 0.0))

    def __format__(self, spec: str) -> Any:
        if special and (tape := tracing.get()):
            return tape.read("__format__", self, spec)
        return format(self.data, spec) if spec else str(self)

    def _as_number(self, what: str, *options: Any) -> Any:
        if special and (tape := tracing.get()):
            return tape.read(what, self, *options)
        if what == "__index__":
            raise TypeError("'Value' object cannot be interpreted as an integer")
        refuse_leaked([self])
        what = f"{what.strip('_')}()"
        raise InputError(f"{what} of {self!r} would lose its gradient: use v.data for the number, and "
                         "autograd_lite.exp(v), floor(v), … in place of math's"
                         + "; arrays of Values have dtype=object" * (what == "float()"))

    def __float__(self) -> object: return self._as_number("__float__")
    def __int__(self) -> object: return self._as_number("__int__")
    def __complex__(self) -> object: return self._as_number("__complex__")
    def __round__(self, *digits: Any) -> object: return self._as_number("__round__", *digits)
    def __trunc__(self) -> object: return self._as_number("__trunc__")
    def __floor__(self) -> object: return self._as_number("__floor__")
    def __ceil__(self) -> object: return self._as_number("__ceil__")
    def __index__(self) -> object: return self._as_number("__index__")


def refuse_elsewhere(operands: Sequence[Any]) -> None:
    """Raise an error for a number that another thread or context traces."""
    for x in operands:
        if type(x) is Value and hasattr(x._b, "apply"):
            raise InputError("a number that compile traces is used in another thread or context than its "
                             "function's, where nothing is recorded")


def refuse_traced(what: str) -> None:
    """Raise an error within a compiled function."""
    if special and (tape := tracing.get()):
        tape.refuse(f"{what} is called within", "it reads numbers that are traced; call it outside of it")


new: Callable[[], Value] = partial(object.__new__, Value)


def name_new(note: Note, net: Any, out: Any) -> None:
    """Give a note to a new node and to the one made from it; a scope of their own stays."""
    if not special and type(out) is Value and out._a is net:
        net._note = out._note = note            # nobody has named them yet
        return
    for node in (net, out):
        if type(node) is Value and not node.scope:
            node.scope = note.scope
