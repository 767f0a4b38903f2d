"""`Node`: what a recorded number holds, and what may be read of it and set."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

from autograd_lite.graph import copying
from autograd_lite.errors import GradientError, InputError
from autograd_lite.lines import Line
from autograd_lite.locks import shared_lock
from autograd_lite.ops.op import Op, Operators, number, shown

ZERO = 0.0                  # the one object that stands for "no gradient has arrived yet"
lock = shared_lock()        # a backward pass works in the gradients, which threads may share


class Note(NamedTuple):
    """What a few nodes carry beside their number: a label, the layers it lies in, a source line."""

    label: str = ""
    scope: tuple[str, ...] = ()
    line: Line | None = None


_NO_NOTE = Note()


class Node(Operators):
    """A number, and how it was made.

    `_row` is the row that made it, None on a leaf. At most two operands sit in `_a` and `_b`,
    with their partials in `_pa` and `_pb`; a node of many has the tuple of operands in `_a`, None in
    `_b`, and the tuple of partials in `_pb`. An operand may be a float (a constant). A partial is
    None where no gradient flows; `_grad`, the gradient, is None on a node to which none flows.
    `_note` is set on few nodes.
    """

    __slots__ = ("_data", "_grad", "_row", "_a", "_b", "_pa", "_pb", "_note")

    _data: float
    _grad: Any
    _row: Op | None
    _a: Any
    _b: Any
    _pa: Any
    _pb: Any
    _note: Note

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
        with lock:
            return 0.0 if self._grad is None else self._grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        grad = number(grad, "grad")
        if self._grad is not None:
            with lock:
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
            with lock:
                self._grad = ZERO if wanted else None

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
    def stored_partials(self) -> Sequence[float | None]:
        """The partials by the operands as recorded, None where no gradient flows."""
        if type(self._a) is tuple:
            return self._pb or (None,) * len(self._a)
        return (self._pa, self._pb)[:len(self.operands)]

    @property
    def partials(self) -> tuple[float, ...]:
        """∂self/∂operand for each operand (0.0 for one that no rule varies).

        As recorded where a gradient flows; by a constant, as its number is now.

        >>> from autograd_lite import Value
        >>> (Value(2.0) * 5.0).partials
        (5.0, 2.0)
        """
        stored = self.stored_partials
        if self._row is None or None not in stored:
            return tuple(stored)  # type: ignore[arg-type]
        fresh = self._row.derivatives_or_nan(self._data, [plain(x) for x in self.operands])
        return tuple([f if s is None else s for s, f in zip(stored, fresh)])

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
        many = isinstance(scope, Iterable) and not isinstance(scope, str)
        names: tuple[Any, ...] = tuple(scope) if many else (None,)
        if not all(isinstance(name, str) for name in names):
            raise InputError(f"a scope is a list of names, outermost first, not {shown(scope)}")
        self._note = self.note._replace(scope=names)

    def __repr__(self) -> str:
        parts = [repr(self._data)]
        if self.label:
            parts.append(repr(self.label))
        if self._row is not None:
            parts.append(f"op={self.op!r}")
        parts.append("requires_grad=False" if self._grad is None else f"grad={self.grad!r}")
        return f"{type(self).__name__}({', '.join(parts)})"

    # -- copying and pickling ----------------------------------------------------------------

    def __copy__(self) -> Self: return copying.shallow(self)  # type: ignore[no-any-return]
    def __deepcopy__(self, memo: Any) -> Self: return copying.deep(self, memo)  # type: ignore[no-any-return]
    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]: return copying.reduced(self)

    def _state(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """What it holds, with these operands in place of its own."""
        with lock:
            grad = self._grad
        return self._data, grad, self._row, operands, self._pa, self._pb, getattr(self, "_note", None)

    def _restore(self, data: float, grad: Any, row: Op | None, operands: tuple[Any, ...], pa: Any, pb: Any,
                 note: Note | None) -> Self:
        self._data, self._grad, self._row, self._pa, self._pb = data, grad, row, pa, pb
        many = row is not None and (callable(row.partials) or len(operands) > 2)
        self._a, self._b = (operands, None) if many else (*operands, None, None)[:2]
        if note is not None:
            self._note = note
        return self


def plain(x: Any) -> Any:
    """The number of a node; a plain number as it is."""
    return getattr(x, "_data", x)


def call_of(node: Node) -> str:
    """The operation that made a node, with the values and labels, as it stands in a message."""
    text = node._row.call(list(map(plain, node.operands)), node.operands) if node._row else repr(node.data)
    return text + (f" = {node.label!r}" if node.label else "")
