"""`Value`: a recorded number, its operators, and the backward pass."""
from __future__ import annotations

import operator
import threading
import weakref
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

from autograd_lite.errors import (DomainError, GradientError, InputError, LabelError, Line, RangeError,
                                  signal, user_line)
from autograd_lite.graph import topological
from autograd_lite.ops import (TABLE, Op, Operators, add, mul, neg, number, relu, sub)

_ZERO = 0.0                  # the one object that stands for "no gradient has arrived yet"
_special = False             # is any special mode on, in any thread? Off, the hot path asks no more
_no_grad: ContextVar[int] = ContextVar("no_grad", default=0)    # how many are entered here
_lines: ContextVar[int] = ContextVar("record_lines", default=0)
_lock = threading.RLock()    # a backward pass works in the gradients, which threads may share


class Note(NamedTuple):
    """What a few nodes carry beside their number: a label, the layers it lies in, a source line."""

    label: str = ""
    scope: tuple[str, ...] = ()
    line: Line | None = None


_NO_NOTE = Note()


class Value(Operators):
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

    # A node has at most two operands in `_a` and `_b`, with their partials in `_pa` and
    # `_pb`; a node with many has the tuple of operands in `_a`, None in `_b`, and the tuple
    # of partials in `_pb`. An operand may be a float (a constant). A partial is None where
    # no gradient flows; `_grad` is None on a node to which none flows. `_row` is None on a
    # leaf. `_note` is set on few nodes.
    __slots__ = ("_data", "_grad", "_row", "_a", "_b", "_pa", "_pb", "_note")

    _data: float
    _grad: Any
    _row: Op | None
    _a: Any
    _b: Any
    _pa: Any
    _pb: Any
    _note: Note

    def __init__(self, data: Any, label: str = "", requires_grad: bool = True):
        self._data = number(data)
        self._grad = _ZERO if requires_grad else None
        self._row = self._a = self._b = self._pa = self._pb = None
        if label != "":
            self.label = label
        if _special and _lines.get():
            self._note = self.note._replace(line=user_line())

    def __init_subclass__(cls) -> None:
        raise InputError("Value cannot be subclassed: what is computed from one is a plain Value; keep "
                         "more about a node in a dict by node")

    # -- what a node knows ---------------------------------------------------------------

    @property
    def data(self) -> float:
        """The number. A leaf's can be assigned; what is recorded already keeps the old one."""
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        if self._row is not None:
            raise InputError(f"{self!r}: the data of a computed node cannot be assigned; assign "
                             "the leaves' and compute it again")
        self._data = number(data, "data")

    @property
    def grad(self) -> float:
        """The gradient of the latest `backward`; a leaf's accumulates until it is assigned."""
        with _lock:
            return 0.0 if self._grad is None else self._grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        grad = number(grad, "grad")
        if self._grad is not None:
            with _lock:
                self._grad = grad
        elif grad != 0.0:
            raise GradientError(f"{self!r} carries no gradient; make it with requires_grad=True")

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this node. A leaf's can be assigned."""
        return self._grad is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self._row is not None:
            raise InputError(f"{self!r}: only a leaf's requires_grad can be assigned; use detach()")
        if wanted != self.requires_grad:
            with _lock:
                self._grad = _ZERO if wanted else None

    @property
    def op(self) -> str:
        """The name of the row that made this node; "" for a leaf."""
        return "" if self._row is None else self._row.name

    @property
    def operands(self) -> tuple[Any, ...]:
        """All operands in order: Values, and plain numbers as floats."""
        if self._row is None:
            return ()
        if type(self._a) is tuple:
            return self._a
        return (self._a,) if self._b is None else (self._a, self._b)

    @property
    def partials(self) -> tuple[float, ...]:
        """∂self/∂operand for each operand (0.0 for one that no rule varies).

        As recorded where a gradient flows; by a constant, as its number is now.

        >>> (Value(2.0) * 5.0).partials
        (5.0, 2.0)
        """
        operands = self.operands
        stored = self._pb if type(self._a) is tuple else (self._pa, self._pb)[:len(operands)]
        if self._row is not None and (stored is None or None in stored):
            fresh = self._row.float_derivatives(self._data, [_plain(x) for x in operands])
            stored = [f if s is None else s for s, f in zip(stored or fresh, fresh)]
        return tuple(stored)

    @property
    def note(self) -> Note:
        """The label, scope and source line; empty on most nodes."""
        return getattr(self, "_note", _NO_NOTE)

    @property
    def label(self) -> str:
        """The name for people; "" if it has none."""
        return self.note.label

    @label.setter
    def label(self, label: str) -> None:
        if not isinstance(label, str):
            raise InputError(f"a label is a str, not {type(label).__name__}")
        self._note = self.note._replace(label=label)

    @property
    def scope(self) -> tuple[str, ...]:
        """The names of the layers a node lies in, outermost first: the clusters of a picture."""
        return self.note.scope

    @scope.setter
    def scope(self, scope: Iterable[str]) -> None:
        self._note = self.note._replace(scope=tuple(scope))

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
                out._grad = _ZERO
                out._row = add
                out._a = self
                out._b = other
                out._pa = out._pb = 1.0
                return out
        elif type(other) is float and not _special:
            data = self._data + other
            if data - data == 0.0 and self._grad is not None:
                return _with_constant(add, data, self, other, 1.0, None)
        return self + number(other, "+") if type(other) is int else _generic_add(self, other)

    def __sub__(self, other: Any) -> Value:
        if type(other) is Value and not _special:
            data = self._data - other._data
            if data - data == 0.0 and self._grad is not None and other._grad is not None:
                out = _new()
                out._data = data
                out._grad = _ZERO
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
        return self - number(other, "-") if type(other) is int else _generic_sub(self, other)

    def __mul__(self, other: Any) -> Value:
        if type(other) is Value and not _special:
            a = self._data
            b = other._data
            data = a * b
            if data - data == 0.0 and self._grad is not None and other._grad is not None:
                out = _new()
                out._data = data
                out._grad = _ZERO
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
        return self * number(other, "*") if type(other) is int else _generic_mul(self, other)

    def __rmul__(self, other: Any) -> Value:
        if type(other) is float and not _special:
            data = other * self._data
            if data - data == 0.0 and self._grad is not None:
                return _with_constant(mul, data, other, self, None, other)
        return number(other, "*") * self if type(other) is int else _generic_rmul(self, other)

    def __neg__(self) -> Value:
        data = -self._data
        if data - data == 0.0 and self._grad is not None and not _special:
            return _with_constant(neg, data, self, None, -1.0, None)
        return self._on(neg, self)

    def relu(self, at_zero: float | None = None) -> Value:
        """max(self, 0); the derivative at 0 is `at_zero` (default 0)."""
        data = self._data
        if data - data == 0.0 and self._grad is not None and not _special and at_zero is None:
            if data > 0.0:
                return _with_constant(relu, data, self, None, 1.0, None)
            return _with_constant(relu, 0.0, self, None, 0.0, None)
        return self._on(relu, self, *(() if at_zero is None else (at_zero,)))

    @staticmethod
    def _apply(row: Op, operands: Sequence[Any]) -> Value:
        """A node for any row: its result, and its partials where a gradient flows."""
        xs = [x._data if type(x) is Value else number(x, row.name) for x in operands]
        line = user_line() if _special and _lines.get() else None
        data = row.evaluate(xs, operands, line)
        out = _new()
        out._data = data
        out._grad = out._row = out._a = out._b = out._pa = out._pb = None
        if line:
            out._note = Note(line=line)
        if _special and _no_grad.get():
            return out
        out._row = row
        if callable(row.partials) or len(xs) > 2:
            flows = [type(x) is Value and x._grad is not None for x in operands]
            mixed = False in flows              # most often not, which saves two passes over all
            out._a = tuple([x if type(x) is Value else c for x, c in zip(operands, xs)]
                           if mixed else operands)
            if True in flows:
                out._grad = _ZERO
                partials = row.float_derivatives(data, xs, flows)
                out._pb = tuple([p if flow else None for p, flow in zip(partials, flows)]
                                if mixed else partials)
            return out
        out._a = a = operands[0] if type(operands[0]) is Value else xs[0]
        if type(a) is Value and a._grad is not None:
            out._grad = _ZERO
            out._pa = row.float_derivative(0, data, xs)
        if len(xs) == 2:
            out._b = b = operands[1] if type(operands[1]) is Value else xs[1]
            if type(b) is Value and b._grad is not None:
                out._grad = _ZERO
                out._pb = row.float_derivative(1, data, xs)
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
        with _lock:
            _backward(self, seed)

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

    def __repr__(self) -> str:
        parts = [repr(self._data)]
        if self.label:
            parts.append(repr(self.label))
        if self._row is not None:
            parts.append(f"op={self.op!r}")
        parts.append(f"grad={self.grad!r}" if self._grad is not None else "requires_grad=False")
        return f"Value({', '.join(parts)})"

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

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's functions on a Value, alone or with arrays, by the same rows."""
        import numpy as np
        row = TABLE.get(_NUMPY_NAMES.get(ufunc.__name__, ufunc.__name__))
        if row is not None and method == "__call__" and not kwargs:
            ufunc = np.frompyfunc(row, len(inputs), 1)
        with np.errstate(all="ignore"):                 # the rows raise what there is to say
            return getattr(ufunc, method)(*map(_boxed, inputs), **kwargs)

    # -- copying and pickling: flat, so depth is no limit --------------------------------------

    def _state(self, operands: Sequence[Any]) -> tuple[Any, ...]:
        note = getattr(self, "_note", None)
        with _lock:
            grad = self._grad
        return self._data, grad, self._row, tuple(operands), self._pa, self._pb, note

    def __copy__(self) -> Value:
        return _restore((), *self._state(self.operands))

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        def uncopied(node: Value) -> list[Value]:
            return [x for x in node.operands if type(x) is Value and id(x) not in memo]

        for node in topological([self], uncopied):
            memo[id(node)] = _restore((), *node._state([memo.get(id(x), x) for x in node.operands]))
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # What this node depends on and is not written yet goes first, in order: so each of
        # those finds its operands written, and nothing recurses.
        if self._row is None:
            return _restore, ((), *self._state(()))
        before: list[Any] = []
        written: _Written | None = getattr(_pickling, "written", lambda: None)()
        if written is None or id(self) in written.ids:           # another pickle began
            written = _Written()
            _pickling.written = weakref.ref(written)
            before.append(written)

        def unwritten(node: Value) -> list[Value]:
            return [x for x in node.operands
                    if type(x) is Value and x._row is not None and id(x) not in written.ids]

        if unwritten(self):
            before += topological([self], unwritten)[:-1]
        written.ids.add(id(self))
        return _restore, (before, *self._state(self.operands))


class _Written:
    """Which nodes a pickle has. Written into it, this lives as long as the pickler's memory."""

    def __init__(self) -> None:
        self.ids: set[int] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, ()


_pickling = threading.local()    # its `written` refers to the _Written of the latest pickle


def _restore(before: Any, data: float, grad: Any, row: Op | None, operands: tuple[Any, ...],
             pa: Any, pb: Any, note: Note | None) -> Value:
    out = _new()
    out._data, out._grad, out._row, out._pa, out._pb = data, grad, row, pa, pb
    out._a = out._b = None
    if row is not None and (callable(row.partials) or len(operands) > 2):
        out._a = operands
    elif operands:
        out._a, out._b = (*operands, None)[:2]
    if note is not None:
        out._note = note
    return out


_new: Callable[[], Value] = partial(object.__new__, Value)
_generic_add, _generic_sub = Operators.__add__, Operators.__sub__
_generic_mul, _generic_rmul = Operators.__mul__, Operators.__rmul__
_NUMPY_NAMES = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**",
                "negative": "neg", "remainder": "%", "floor_divide": "//", "absolute": "abs",
                "fabs": "abs", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
                "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arctan2": "atan2",
                "float_power": "**", "logaddexp": "logsumexp"}


def _with_constant(row: Op, data: float, a: Any, b: Any, pa: Any, pb: Any) -> Value:
    """A node to which one gradient flows."""
    out = _new()
    out._data = data
    out._grad = _ZERO
    out._row = row
    out._a = a
    out._b = b
    out._pa = pa
    out._pb = pb
    return out


def _plain(x: Any) -> Any:
    return x._data if type(x) is Value else x


def _compare(holds: Callable[[Any, Any], Any], a: Value, b: Any) -> Any:
    try:
        return holds(a._data, b._data if type(b) is Value else b)
    except TypeError:
        return NotImplemented


def _boxed(x: Any) -> Any:
    """A Value as a 0-d object array, which NumPy does not look into."""
    if type(x) is not Value:
        return x
    import numpy as np
    box = np.empty((), object)
    box[()] = x
    return box


class _Pass:
    """The nodes one backward pass meets, and their gradients before it."""

    def __init__(self) -> None:
        self.order: list[Value] = []                     # computed nodes, operands first
        self.leaves: list[Value] = []
        self.held: list[Any] = []                        # the leaves' gradients before
        self.again: list[Value] = []                     # the nodes of an earlier pass
        self.before: list[Any] = []                      # and their gradients in it

    def undo(self) -> None:
        """Give every node met so far the gradient it had."""
        for node in self.order:
            node._grad = _ZERO
        for nodes, grads in ((self.again, self.before), (self.leaves, self.held)):
            for node, grad in zip(nodes, grads):
                node._grad = grad

    def walk(self, root: Value) -> None:
        """List what `root` depends on, operands first (post-order, iterative).

        A fresh zero as its gradient marks a node as entered. No other mark is needed: a node
        taken up again goes on with its first operand that has none. (The order of entering,
        reversed, would not do: a node must come after *all* its users, also those on a
        longer way.)
        """
        mark = float("0.0")
        order, leaves, held = self.order, self.leaves, self.held
        above: list[Any] = [None]                        # the nodes to take up again
        many: list[Iterator[Value]] = []                 # where those of many operands go on
        if root._row is None:
            leaves.append(root)
            held.append(root._grad)
            return
        node: Any = root
        while node is not None:
            grad = node._grad
            if grad is not _ZERO:
                self.again.append(node)
                self.before.append(grad)
            node._grad = mark
            if node._pa is not None:
                a = node._a
                if a._grad is not mark:
                    if a._row is not None:
                        above.append(node)
                        node = a
                        continue
                    leaves.append(a)
                    held.append(a._grad)
                    a._grad = mark
            elif node._b is None:
                many.append(self.computed_operands(node, mark))
            while node is not None:
                if node._pb is not None:
                    b = node._b
                    if b is None:
                        b = next(many[-1], None)
                        if b is not None:
                            above.append(node)
                            node = b
                            break
                        many.pop()
                    elif b._grad is not mark:
                        if b._row is not None:
                            above.append(node)
                            node = b
                            break
                        leaves.append(b)
                        held.append(b._grad)
                        b._grad = mark
                order.append(node)
                node = above.pop()

    def computed_operands(self, node: Value, mark: float) -> Iterator[Value]:
        """Those to be walked of a node of many operands; its leaves are marked on the way."""
        for x, p in zip(node._a, node._pb):
            if p is not None and x._grad is not mark:
                if x._row is not None:
                    yield x
                else:
                    self.leaves.append(x)
                    self.held.append(x._grad)
                    x._grad = mark


def _backward(root: Value, seed: float, own: Container[int] | None = None) -> bool:
    """A walk, then the partials from the root down; leaves add the sum once to what they held.

    With `own`, nothing happens and the answer is False if the walk meets a leaf whose id is
    not among them.
    """
    this = _Pass()
    try:
        this.walk(root)
        if own is not None and any(id(leaf) not in own for leaf in this.leaves):
            this.undo()
            return False
        this.order.reverse()
        root._grad = seed
        for node in this.order:
            g = node._grad
            if g == 0.0:
                continue
            p = node._pa
            if p is not None:
                node._a._grad += g * p
            p = node._pb
            if p is not None:
                b = node._b
                if b is not None:
                    b._grad += g * p
                else:
                    for b, q in zip(node._a, p):
                        if q is not None:
                            b._grad += g * q
        total = 0.0
        for leaf in this.leaves:
            total += leaf._grad
        if total - total != 0.0:
            _backward_carefully(root, seed, this)
        for leaf, held in zip(this.leaves, this.held):
            total = leaf._grad if held is None else held + leaf._grad
            if total - total != 0.0:
                total = _sum_of_gradients(leaf, held or 0.0, leaf._grad)
            leaf._grad = None if held is None else total               # None: frozen since
    except BaseException:
        this.undo()
        raise
    return True


def _backward_carefully(root: Value, seed: float, this: _Pass) -> None:
    """The pass once more, node by node, when a gradient came out infinite or as a nan.

    A zero gradient adds nothing, whatever the partial; what a nan or an inf among the
    user's own numbers makes goes through; anything else is an error.
    """
    for nodes in (this.order, this.leaves):
        for node in nodes:
            node._grad = 0.0
    root._grad = seed
    for node in this.order:
        g = node._grad
        if g == 0.0:
            continue
        row: Any = node._row
        xs = [_plain(x) for x in node.operands]
        honest = all(x - x == 0.0 for x in xs)
        stored = node._pb if type(node._a) is tuple else (node._pa, node._pb)
        for i, (x, p) in enumerate(zip(node.operands, stored)):
            if p is None:
                continue
            missing = p != p
            if missing and honest:
                p = row.ieee_derivatives(node._data, xs)[i]
            if honest and g - g == 0.0 and g * p - g * p != 0.0:
                where = f"backward through {row.call(xs, node.operands)}"
                where += f" = {node.label!r}" if node.label else ""
                if missing:
                    signal(DomainError(f"{where}: {row.singular or 'it has no finite derivative here'}",
                                       row.name, xs, node.operands, node.note.line))
                else:
                    large = "its derivative" if p - p != 0.0 else f"the gradient {g!r} · {p!r}"
                    signal(RangeError(f"{where}: {large} is too large for a double",
                                      row.name, xs, node.operands, node.note.line))
            x._grad = _sum_of_gradients(x, x._grad, g * p)


def _sum_of_gradients(node: Value, a: float, b: float) -> float:
    total = a + b
    if total - total != 0.0 and a - a == b - b == 0.0:
        signal(RangeError(f"backward: the gradients {a!r} and {b!r} add up to more than a double holds, at "
                          f"{node!r}", node.op, (node._data,), (node,), node.note.line))
    return total


def gradients(root: Value, leaves: Sequence[Value], seed: float) -> list[float | None] | None:
    """∂root/∂leaf · seed for each leaf, as a float, or None where there is no path.

    The answer is None altogether if `root` also depends on other leaves. The leaves' own
    `.grad` is used up.
    """
    unmet = float("0.0")
    with _lock:
        for leaf in leaves:
            leaf._grad = unmet
        if not _backward(root, seed, {id(leaf) for leaf in leaves}):
            return None
        return [None if leaf._grad is unmet else leaf._grad for leaf in leaves]


class no_grad:
    """Within it, operations on Values record nothing and give constants.

    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad, y.operands
    (False, ())
    """

    def __enter__(self) -> no_grad:
        _no_grad.set(_no_grad.get() + 1)
        _count_special(1)
        return self

    def __exit__(self, *exc: object) -> None:
        _no_grad.set(max(_no_grad.get() - 1, 0))
        _count_special(-1)


class recording:
    """Within it, operations are recorded also where a `no_grad` encloses it."""

    def __enter__(self) -> None:
        self._outer = _no_grad.get()
        _no_grad.set(0)

    def __exit__(self, *exc: object) -> None:
        _no_grad.set(self._outer)


_special_modes = 0
_special_lock = threading.RLock()


def _count_special(change: int) -> None:
    """A special mode starts (+1) or ends (−1) in some thread."""
    global _special, _special_modes
    with _special_lock:
        _special_modes += change
        _special = _special_modes > 0


def label(names: Mapping[str, Any] | None = None, /, **more: Any) -> None:
    """Name many nodes at once; the entries of a list become ``w[0]``, ``w[1]``, …

    >>> w = [Value(1.0), Value(2.0)]; y = w[0] * w[1]
    >>> label(w=w, y=y)
    >>> w[1].label, y.label
    ('w[1]', 'y')
    """
    if not isinstance(names, Mapping | None):
        raise InputError(f"label: expected a mapping of names to nodes, got {type(names).__name__}; "
                         "write label(x=node) or label({'x': node})")
    try:
        found = list(_named({**(names or {}), **more}))
    except RecursionError:
        raise InputError("label: a list is nested too deeply, or holds itself") from None
    for name, node in found:
        node.label = name


def _named(names: Mapping[Any, Any]) -> Iterator[tuple[str, Value]]:
    for name, node in names.items():
        if not isinstance(name, str):
            raise InputError(f"label: a label is a str, not {type(name).__name__}")
        if isinstance(node, Value):
            yield name, node
        elif isinstance(node, Mapping):
            yield from _named({f"{name}[{key!r}]": entry for key, entry in node.items()})
        elif isinstance(node, Iterable) and not isinstance(node, (str, bytes)):
            yield from _named({f"{name}[{i}]": entry for i, entry in enumerate(node)})
        else:
            raise InputError(f"label: {name!r} is a {type(node).__name__}, not a Value or a list of "
                             "them; a plain number has no node to name")


def find(order: Iterable[Value], name: str) -> Value:
    """The one node labelled `name` among `order`.

    Raises:
        LabelError: no node has the label (the nearest labels are named), or several have.
    """
    labels: dict[str, list[Value]] = {}
    for node in order:
        if node.label:
            labels.setdefault(node.label, []).append(node)
    found = labels.get(name, [])
    if len(found) == 1:
        return found[0]
    if found:
        raise LabelError(f"the label {name!r} names {len(found)} nodes; give the node itself, or "
                         "labels of their own")
    import difflib
    near = difflib.get_close_matches(str(name), labels, 3)
    if near:
        hint = f"did you mean {' or '.join(map(repr, near))}?"
    elif labels:
        hint = f"the labels are {', '.join(map(repr, sorted(labels)[:8]))}{', …' * (len(labels) > 8)}"
    else:
        hint = "no node has one; see label(...)"
    raise LabelError(f"no node is labelled {name!r} in the graph: {hint}")
