"""`Node`: a recorded number, as users read and set it."""
from __future__ import annotations

import operator
import sys
from collections.abc import Iterable, Sequence
from math import nan
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from autograd_lite.errors import GradientError, InputError, shown, type_name
from autograd_lite.lines import Line
from autograd_lite.locks import shared_lock
from autograd_lite.ops.branches import Guard
from autograd_lite.ops.numbers import partials_or_nan
from autograd_lite.ops.op import Op, number
from autograd_lite.ops.operators import Operators

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Plain

ZERO: Final[Any] = float()                  # the one object that stands for "no gradient has arrived yet"
lock = shared_lock()        # a backward pass works in the gradients, which threads may share
# Whether no pass runs: then a gradient may be read and set without the lock. (Question and slot stand on one
# line: threads change at calls and jumps back, and trace functions run between lines.)
at_rest: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
reader: Any = None          # who reads numbers for the users while any thread traces
copies: Any = None          # (see `graph.states`)
leaked = Op("traced", lambda: nan, ())          # of a traced number, once the trace is over
turned = 0                                      # how often a `requires_grad` was assigned
running: Any = None         # the pass that holds the lock; who meets it there has interrupted it


class Label(NamedTuple):
    """A name, and the shape of the array whose entry it is; whether a module gave it to its own parameter."""

    name: str
    shape: tuple[int, ...] | None = None
    own: bool = False


class Note(NamedTuple):
    """What few nodes have: names, layers, the line of the program that made it, the guards it
    depends on, a `Kink` on a slope that a convention may choose."""

    labels: tuple[Label, ...] = ()
    scope: tuple[str, ...] = ()
    line: Line | None = None
    guards: tuple[Guard, ...] = ()
    kink: Any = None


NO_NOTE = Note()


class Node(Operators):
    """A number, and how it was made.

    `_operation` is the op that made it, None on a leaf. One or two operands sit in `_a` and `_b`, their
    partials in `_pa` and `_pb`; many in a tuple in `_a`, with the tuple of their partials in `_pb`. An
    operand may be a float (a constant). A partial is None where no gradient flows, and so is `_grad` of
    a node that none reaches.
    """

    __slots__ = ("_data", "_grad", "_operation", "_a", "_b", "_pa", "_pb", "_note")

    _data: float
    _grad: Any
    _operation: Op | None
    _a: Any
    _b: Any
    _pa: Any
    _pb: Any
    _note: Note

    @property
    def data(self) -> float:
        """The number. A leaf's can be assigned; nodes computed before keep the old one."""
        data = self._data
        return data if reader is None and data == data else read(self, "data")

    @data.setter
    def data(self, data: Plain) -> None:
        if self._operation is not None:
            raise InputError(f"{self!r}: the data of a computed node cannot be assigned; assign "
                             "the leaves' and compute it again")
        if reader is not None:
            reader(self, "data =")
        self._data = data if type(data) is float else number(data, "data")

    @property
    def grad(self) -> float:
        """The gradient of the latest `backward`; a leaf's accumulates until it is assigned."""
        return self._grad if at_rest and self._grad is not None else read(self, "grad") or 0.0

    @grad.setter
    def grad(self, grad: Plain) -> None:
        if type(grad) is float and self._grad is not None and at_rest: self._grad = grad; return  # noqa
        if grad is None:
            raise InputError("a gradient is a number: write p.grad = 0.0 for none")
        grad = number(grad, "grad")
        if self._grad is not None:
            with lock:
                require_at_rest([self], "grad =")
                self._grad = grad
        elif grad != 0.0:
            raise GradientError(f"{self!r} carries no gradient; make it with requires_grad=True")

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this node. A leaf's can be assigned."""
        return (self._grad if at_rest and self._operation is not leaked else held(self)) is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self._operation is not None:
            raise InputError(f"{self!r}: only a leaf's requires_grad can be assigned; use detach()")
        if wanted != self.requires_grad:
            with lock:
                require_at_rest([self], "requires_grad =")
                self._grad = ZERO if wanted else None
                global turned
                turned += 1

    @property
    def op(self) -> str:
        """The name of the op that made this node; "" for a leaf."""
        return "" if self._operation is None else self._operation.name

    @property
    def operands(self) -> tuple[Any, ...]:
        """All operands in order: Values, and plain numbers as floats."""
        if self._operation is None:
            return ()
        if type(self._a) is tuple:
            if not self._a:
                refuse_leaked([self])
            return self._a
        return (self._a,) if self._b is None else (self._a, self._b)

    @property
    def partials(self) -> tuple[float, ...]:
        """∂self/∂operand for each operand; 0.0 by an option or a condition.

        Those by constants are computed from their present numbers, the others as recorded.

        >>> from autograd_lite import Value
        >>> (Value(2.0) * 5.0).partials
        (5.0, 2.0)
        """
        return tuple([0.0 if p is None else float(p) for p in partials_of(self)])

    @property
    def label(self) -> str:
        """The first name for people; "" if it has none."""
        labels = note_of(self).labels
        return labels[0].name if labels else ""

    @label.setter
    def label(self, label: str) -> None:
        if not isinstance(label, str):
            raise InputError(f"a label is a str, not {type_name(label)}; a node with operands is made by "
                             "an operation, as in a + b, or one of your own: custom_op(forward, partials)")
        own = [name for name in note_of(self).labels if name.own]
        self._note = labelled(note_of(self), (Label(label), *own) if label else ())

    @property
    def scope(self) -> tuple[str, ...]:
        """The layers a node lies in, outermost first: the clusters of a picture."""
        return note_of(self).scope

    @scope.setter
    def scope(self, scope: Iterable[str]) -> None:
        many = isinstance(scope, Iterable) and not isinstance(scope, str)
        names: tuple[Any, ...] = tuple(scope) if many else (None,)
        if not all(isinstance(name, str) for name in names):
            raise InputError(f"a scope is a list of names, outermost first, not {shown(scope)}")
        self._note = note_of(self)._replace(scope=names)

    @property
    def __guards__(self) -> tuple[Guard, ...]:
        return getattr(self, "_note", NO_NOTE).guards

    @property
    def line(self) -> Line | None:
        """The line of the program that made it, if within `record_lines`."""
        return note_of(self).line

    def __repr__(self) -> str:
        if reader is not None and (text := reader(self, "__repr__")):
            return text  # type: ignore[no-any-return]
        if self._operation is leaked:
            return f"<a number compile traced in {self._pa} kept after the trace>"
        parts = [repr(self._data)]
        if self.label:
            parts.append(repr(self.label))
        if self._operation is not None:
            parts.append(f"op={self.op!r}")
        parts.append("requires_grad=False" if self._grad is None else f"grad={held(self)!r}")
        return f"{type_name(self)}({', '.join(parts)})"

    def __copy__(self) -> Self: return copies.shallow(self)  # type: ignore[no-any-return]
    def __deepcopy__(self, memo: Any) -> Self: return copies.deep(self, memo)  # type: ignore[no-any-return]
    def __reduce_ex__(self, protocol: Any) -> Any: return copies.reduced(self)


def held(node: Node) -> Any:
    """A gradient after the pass that works in it; before it, for who has interrupted that pass."""
    refuse_leaked([node])
    with lock:
        return node._grad if running is None else running.before(node)


def read(node: Node, what: str) -> Any:
    """A number or gradient for the user, while some thread traces, or of what a trace left."""
    if reader is not None:
        return reader(node, what)
    if what == "grad":
        return held(node)
    refuse_leaked([node])
    return node._data


def refuse_leaked(operands: Iterable[Any]) -> None:
    """Raise an error if a traced number is used after its trace."""
    for x in operands:
        if isinstance(x, Node) and x._operation is leaked:
            raise InputError(f"a number compile traced in {x._pa} was kept (in a list) and used after the "
                             "trace: it stood for any number; return it from the function")


def require_at_rest(nodes: Sequence[Node], what: str = "") -> None:
    """Raise an error within a pass that works in the nodes' gradients, or a trace."""
    if reader is not None and what:
        reader(nodes[0], what)
    if running is not None:
        running.keep_out(nodes)


# In C, which no signal interrupts.
get_data, get_grad = operator.attrgetter("_data"), operator.attrgetter("_grad")
set_data, set_grad, set_note = [vars(Node)[slot].__set__ for slot in ("_data", "_grad", "_note")]


# -- what the rest of the library asks of a node ---------------------------------------------


def op_of(node: Node) -> Op | None:
    """The op that made a node, None for a leaf."""
    return node._operation


def stored_partials(node: Node) -> Sequence[float | None]:
    """The partials by the operands as recorded, None where no gradient flows."""
    if node._b is not None:
        return node._pa, node._pb
    if type(node._a) is tuple:
        return node._pb or (None,) * len(node._a)
    return () if node._operation is None else (node._pa,)


def partials_of(node: Node) -> Sequence[float | None]:
    """The same, with those by constants at their present numbers; None where there is none."""
    stored, op = stored_partials(node), node._operation
    if not stored:
        refuse_leaked([node])
    if op is None or None not in stored:
        return stored
    wanted = [p is None and has for p, has in zip(stored, op.differentiable(len(stored)))]
    if True not in wanted:
        return stored
    fresh = partials_or_nan(op, node._data, [plain(x) for x in node.operands], wanted)
    return [f if p is None else p for p, f in zip(stored, fresh)]


def freeze(leaf: Node) -> None:
    """Stop gradients at a leaf."""
    leaf._grad = None


def note_of(node: Node) -> Note:
    """The labels, scope, line and guards; empty on most nodes."""
    return getattr(node, "_note", NO_NOTE)


def labelled(note: Note, labels: tuple[Label, ...]) -> Note:
    """A note with other labels."""
    return note._replace(labels=labels)


def plain(x: Any) -> Any:
    """The number of a node; a plain number as it is."""
    return getattr(x, "_data", x)


def read_numbers(many: Iterable[Node]) -> list[float]:
    """The numbers of nodes."""
    return [node._data for node in many]


def call_of(node: Node) -> str:
    """The operation that made a node, with values."""
    op = node._operation
    text = op.call(list(map(plain, node.operands)), node.operands) if op else repr(node.data)
    return text + (f" = {node.label!r}" if node.label else "")
