"""`Code`: a computation as a list of instructions, each of which is there once."""
from __future__ import annotations

import functools
import math
import operator
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.ops import special
from autograd_lite.ops.elementary import add, div, identity, mul, neg, power, sub
from autograd_lite.ops.op import Op
from autograd_lite.ops.selection import choose
from autograd_lite.ops.sequences import softmax_first

nan = math.nan


class Step:
    """What an instruction may do besides the ops of the table: a function of numbers, or of what other steps
    made of them."""

    partly = False                              # (as an op that has a partial by each operand that flows)

    def __init__(self, name: str, forward: Callable[..., Any]):
        self.name, self.forward = name, forward
        if type(self) is Step:
            STEPS[name] = self

    def __repr__(self) -> str:
        return f"<step {self.name}>"

    def __reduce__(self) -> Any:
        return step_named, (self.name,)


STEPS: dict[str, Step] = {}


def step_named(name: str) -> Step:
    """The step of this name."""
    return STEPS[name]


def _products(*xs: float) -> float:
    total: float = functools.reduce(operator.add, map(operator.mul, xs[::2], xs[1::2]))
    return total


def _added(size: int, *pairs: Any) -> list[float]:
    totals = [0.0] * int(size)
    for i, x in zip(pairs[::2], pairs[1::2]):
        totals[int(i)] += x
    return totals


CONSTANT = Step("constant", lambda: nan)
INPUT = Step("input", lambda: nan)
PRODUCTS = Step("products", _products)                              # x0·x1 + x2·x3 + …, left to right
SHARES = Step("shares", lambda *xs: special.shares(xs))             # softmax: a list
INDEX = Step("index", lambda i, n: int(i))                          # into a list of n, where it is checked
ROWS = Step("rows", lambda *xs: xs)                                 # a list
ITEM = Step("item", lambda xs, i: xs[int(i)])                       # one of a list; i may be negative
ADDED = Step("added", _added)       # of (size, i, x, j, y, …): a list of zeros, and x added at i, y at j, …


LISTS = {SHARES, ROWS, ADDED}


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
        data: what each gave where the code was recorded (nan where it fails; None: see `value`).
        checks: for some places what must hold there.
    """

    def __init__(self) -> None:
        self.ops: list[Any] = []
        self.operands: list[tuple[int, ...]] = []
        self.data: list[Any] = []
        self.checks: dict[int, list[Check]] = {}
        self.known = defaultdict[Any, dict[tuple[int, ...], int]](dict)     # the places of an op's results
        self._constants: dict[Any, int] = {}
        self._settled = 0                       # up to where there is data

    def __len__(self) -> int:
        return len(self.ops)

    def __reduce__(self) -> Any:
        data = [x if op is CONSTANT else None for op, x in zip(self.ops, self.data)]
        return code_of, (self.ops, self.operands, data, self.checks)

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
        k = self.known[op].get(operands)
        return self.new(op, operands, y) if k is None else k

    def new(self, op: Any, operands: tuple[int, ...], y: Any) -> int:
        """The same for an instruction that is not known."""
        ops, k = self.ops, None
        if op in SIMPLER or operands and ops[operands[0]] is CONSTANT or (
                op in WITH_CONSTANT and ops[operands[1]] is CONSTANT):
            k = self._simpler(op, operands)
        if k is None:
            k = len(ops)
            ops.append(op)
            self.operands.append(operands)
            self.data.append(y)
        self.known[op][operands] = k
        return k

    def _simpler(self, op: Any, operands: tuple[int, ...]) -> int | None:
        """The place of the same number, if there is one: of an operand, say, or of a constant."""
        simpler = SIMPLER.get(op) or WITH_CONSTANT.get(op)
        k = simpler(self, operands) if simpler else None
        if k is None and all(self.ops[x] is CONSTANT for x in operands):
            y = self.computed(op, operands)
            if type(y) is float and y - y == 0.0 and getattr(op, "in_line", True):
                return self.constant(y)
        return k

    def computed(self, op: Any, operands: Sequence[int]) -> Any:
        """What an op gives at these places now; nan where it fails."""
        data = self.data
        try:
            return op.forward(*[data[x] for x in operands])
        except (ValueError, ArithmeticError, TypeError, IndexError):
            return nan

    def value(self, k: int) -> Any:
        """What a place gave where the code was recorded."""
        data = self.data
        if data[k] is None:
            for i in range(self._settled, k + 1):
                if data[i] is None:
                    data[i] = self.computed(self.ops[i], self.operands[i])
            self._settled = k + 1
        return data[k]


def code_of(ops: list[Any], operands: list[tuple[int, ...]], data: list[Any],
            checks: dict[int, list[Check]]) -> Code:
    """A code of these instructions, complete."""
    code = Code()
    code.ops, code.operands, code.data, code.checks = ops, operands, data, checks
    return code


# -- what can be said more simply, without any change of a number --------------------------------------


def _product(code: Code, operands: tuple[int, ...]) -> int | None:
    for a, b in (operands, operands[::-1]):
        if code.ops[a] is CONSTANT and code.data[a] in (1.0, -1.0):
            return b if code.data[a] == 1.0 else code.emit(neg, (b,))
    return None


def _negated(code: Code, operands: tuple[int, ...]) -> int | None:
    k = operands[0]
    return code.operands[k][0] if code.ops[k] is neg else None


def _power(code: Code, operands: tuple[int, ...]) -> int | None:
    a, b = operands
    return a if code.is_constant(b, 1.0) else code.constant(1.0) if code.is_constant(b, 0.0) else None


def _quotient(code: Code, operands: tuple[int, ...]) -> int | None:
    return operands[0] if code.is_constant(operands[1], 1.0) else None


def _sum(code: Code, operands: tuple[int, ...], zero: float = -0.0) -> int | None:
    a, b = operands                             # (x + −0.0 is x, whatever x; x + 0.0 is not)
    same = code.is_constant(b, 0.0) and math.copysign(1.0, code.data[b]) == math.copysign(1.0, zero)
    return a if same else None


def _chosen(code: Code, operands: tuple[int, ...]) -> int | None:
    condition, then, otherwise = operands
    if then == otherwise:
        return then
    if code.ops[condition] is CONSTANT:
        return then if code.data[condition] else otherwise
    return None


def _shared(code: Code, operands: tuple[int, ...]) -> int:
    turn = operands.index(min(operands))        # all shares from one list, whichever comes first
    shares = code.emit(SHARES, operands[turn:] + operands[:turn])
    return code.emit(ITEM, (shares, code.constant(float(-turn % len(operands)))))


_Simpler = dict[Any, Callable[[Code, tuple[int, ...]], int | None]]
SIMPLER: _Simpler = {identity: lambda code, operands: operands[0], neg: _negated, choose: _chosen,
                     softmax_first: _shared}
WITH_CONSTANT: _Simpler = {mul: _product, power: _power, div: _quotient, add: _sum,
                           sub: lambda code, operands: _sum(code, operands, 0.0)}
