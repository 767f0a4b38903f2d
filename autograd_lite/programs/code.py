"""`Code`: a computation as a list of instructions, each of which is there once."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.ops import special
from autograd_lite.ops.elementary import add, div, identity, mul, neg, power, sub
from autograd_lite.ops.op import Op
from autograd_lite.ops.selection import choose
from autograd_lite.ops.sequences import Shares

nan = math.nan


class Step:
    """What an instruction may do besides the ops of the table: a function of numbers, or of what other steps
    made of them."""

    def __init__(self, name: str, forward: Callable[..., Any]):
        self.name, self.forward = name, forward

    def __repr__(self) -> str:
        return f"<step {self.name}>"


def _products(*xs: float) -> float:
    total = xs[0] * xs[1]
    for i in range(2, len(xs), 2):
        total += xs[i] * xs[i + 1]
    return total


def _added(size: int, *pairs: Any) -> list[float]:
    totals = [0.0] * int(size)
    for i in range(0, len(pairs), 2):
        totals[int(pairs[i])] += pairs[i + 1]
    return totals


CONSTANT = Step("constant", lambda: nan)
INPUT = Step("input", lambda: nan)
PRODUCTS = Step("products", _products)                              # x0·x1 + x2·x3 + …, left to right
SHARES = Step("shares", lambda *xs: special.shares(xs))             # softmax: a list
ROWS = Step("rows", lambda *xs: xs)                                 # a list
ITEM = Step("item", lambda xs, i: xs[int(i)])                       # one of a list; i may be negative
ADDED = Step("added", _added)       # of (size, i, x, j, y, …): a list of zeros, and x added at i, y at j, …


class Partial(Step):
    """A partial of a user's op, by its own rule: a function of (y, *operands)."""

    def __init__(self, op: Op, i: int):
        super().__init__(f"∂{op.name}/∂{i}", self.computed)
        self.op, self.i = op, i

    def computed(self, y: float, *xs: float) -> float:
        p = self.op.partials(y, xs, [j == self.i for j in range(len(xs))])[self.i]
        return 0.0 if p is None else float(p)

    def __reduce__(self) -> Any:
        return partial_of, (self.op, self.i)


_partials: dict[tuple[int, int], Partial] = {}


def partial_of(op: Op, i: int) -> Partial:
    """The one `Partial` of an op and operand."""
    return _partials.setdefault((id(op), i), Partial(op, i))       # (which keeps the op)


class Check(NamedTuple):
    """What must hold where an instruction stands for the eager way: a question, and its operands."""

    question: Any                               # with its function `holds`, and its `source`, if known
    operands: tuple[int, ...]


class Code:
    """Instructions, each after those it uses and known by its place; an equal one is not written twice.

    Attributes:
        ops: what each does: an op, or a `Step`.
        operands: the places each uses.
        data: what each gave where the code was recorded (nan where it fails).
        checks: for some places what must hold there.
    """

    def __init__(self) -> None:
        self.ops: list[Any] = []
        self.operands: list[tuple[int, ...]] = []
        self.data: list[Any] = []
        self.checks: dict[int, list[Check]] = {}
        self._known: dict[Any, int] = {}
        self._constants: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self.ops)

    def append(self, op: Any, operands: tuple[int, ...], data: Any) -> int:
        self.ops.append(op)
        self.operands.append(operands)
        self.data.append(data)
        return len(self.ops) - 1

    def input(self, x: float) -> int:
        """A number that is read at each run."""
        return self.append(INPUT, (), x)

    def constant(self, x: float) -> int:
        """A number of the code itself."""
        key = (x, math.copysign(1.0, x))
        k = self._constants.get(key)
        if k is None:
            k = self._constants[key] = self.append(CONSTANT, (), float(x))
        return k

    def is_constant(self, k: int, x: float | None = None) -> bool:
        """Whether a place holds a constant (this one, if given)."""
        return self.ops[k] is CONSTANT and (x is None or self.data[k] == x)

    def emit(self, op: Any, operands: tuple[int, ...], y: Any = None) -> int:
        """The place of an op's result at these operands; y is the result, if it is known."""
        key = (op, operands)
        k = self._known.get(key)
        if k is None:
            k = self._known[key] = self._new(op, operands, y)
        return k

    def known(self, op: Any, operands: tuple[int, ...]) -> int | None:
        """The place of such an instruction, if there is one."""
        return self._known.get((op, operands))

    def _new(self, op: Any, operands: tuple[int, ...], y: Any) -> int:
        ops, constant = self.ops, self.is_constant
        if op is mul:
            for a, b in (operands, operands[::-1]):
                if ops[a] is CONSTANT and self.data[a] in (1.0, -1.0):
                    return b if self.data[a] == 1.0 else self.emit(neg, (b,))
        elif op is identity:
            return operands[0]
        elif op is neg:
            if ops[operands[0]] is neg:
                return self.operands[operands[0]][0]
        elif op is power:
            if constant(operands[1], 1.0) or constant(operands[1], 0.0):
                return operands[0] if self.data[operands[1]] else self.constant(1.0)
        elif op is div:
            if constant(operands[1], 1.0):
                return operands[0]
        elif op is sub or op is add:
            b = operands[1]                     # (x − 0.0 and x + −0.0 are x, whatever x; x + 0.0 is not)
            if constant(b, 0.0) and (math.copysign(1.0, self.data[b]) > 0.0) is (op is sub):
                return operands[0]
        elif op is choose:
            condition, then, otherwise = operands
            if then == otherwise:
                return then
            if ops[condition] is CONSTANT:
                return then if self.data[condition] else otherwise
        elif isinstance(op, Shares):            # all from one list, whichever comes first
            turn = operands.index(min(operands))
            shares = self.emit(SHARES, operands[turn:] + operands[:turn])
            return self.emit(ITEM, (shares, self.constant(float(-turn % len(operands)))), y)
        if y is None:
            y = self.computed(op, operands)
        if type(y) is float and y - y == 0.0 and getattr(op, "in_line", True):
            for x in operands:
                if ops[x] is not CONSTANT:
                    break
            else:
                return self.constant(y)
        return self.append(op, operands, y)

    def computed(self, op: Any, operands: Sequence[int]) -> Any:
        """What an op gives at these places now; nan where it fails."""
        data = self.data
        try:
            return op.forward(*[data[x] for x in operands])
        except (ValueError, ArithmeticError, TypeError):
            return nan
