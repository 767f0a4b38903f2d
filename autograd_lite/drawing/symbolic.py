"""The derivatives of a graph as expressions of SymPy, by the chain rule and the rules of its ops."""
from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from autograd_lite.drawing.chain import Symbols
from autograd_lite.drawing.formulas import partials_as_written
from autograd_lite.errors import InputError
from autograd_lite.extras import needed
from autograd_lite.graph.linear import Algebra, Linear
from autograd_lite.graph.node import op_of, partials_of
from autograd_lite.graph.program import Program
from autograd_lite.ops.op import Op, number
from autograd_lite.ops.operators import Operators

_MOST = 2000


@functools.cache
def sympy() -> Any:
    """The package, loaded when it is used.

    Raises:
        MissingError: it is not installed.
    """
    with needed("SymPy's expressions need"):
        import sympy
    return sympy


class Functions:
    """SymPy's functions under mpmath's names, as the forms of ops ask for them."""

    names = {"max": "Max", "min": "Min", "power": "Pow", "lgamma": "loggamma"}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(sympy(), self.names.get(name, name))

    def mpf(self, x: Any) -> Any: return exact(x) if isinstance(x, (float, int)) else x
    def expm1(self, x: Any) -> Any: return self.exp(x) - 1
    def log1p(self, x: Any) -> Any: return self.log(1 + x)
    def cbrt(self, x: Any) -> Any: return self.sign(x) * self.Abs(x) ** self.Rational(1, 3)
    def hypot(self, a: Any, b: Any) -> Any: return self.sqrt(a ** 2 + b ** 2)
    def ncdf(self, x: Any) -> Any: return (1 + self.erf(x / self.sqrt(2))) / 2
    def floordiv(self, a: Any, b: Any) -> Any: return self.floor(a / b)


FUNCTIONS = Functions()


def exact(x: float) -> Any:
    """A plain number: the fraction that its digits say."""
    if hasattr(x, "exact"):
        return x.exact(FUNCTIONS)
    if not math.isfinite(x):
        return FUNCTIONS.nan if math.isnan(x) else FUNCTIONS.oo if x > 0.0 else -FUNCTIONS.oo
    return FUNCTIONS.Rational(repr(float(x)))


class Symbolic(Operators):
    """An expression, and its number, by which it is decided where rules branch."""

    __slots__ = ("expression", "data")

    def __init__(self, expression: Any, data: float):
        self.expression, self.data = expression, data

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Symbolic:
        xs = [symbolic(x) for x in operands]
        if op.chooses:
            taken, = op.taken([x.data for x in xs])
            return xs[taken]
        try:
            data = op(*[x.data for x in xs])
        except (ValueError, ArithmeticError):
            data = math.nan
        if op.kink and not any(op.differentiable(len(xs))):
            return Symbolic(exact(data), data)
        try:
            made = op.form(FUNCTIONS, *[x.expression for x in xs])  # type: ignore[misc]
        except Exception:                       # (it is made for numbers, or there is none)
            made = FUNCTIONS.Function(op.name)(*[x.expression for x in xs])
        return Symbolic(FUNCTIONS.sympify(made), data)

    def __compare__(self, holds: Any, other: Any) -> Any:
        return holds(self.data, symbolic(other).data)


def symbolic(x: Any) -> Symbolic:
    """An expression as it is; a plain number as one."""
    return x if isinstance(x, Symbolic) else Symbolic(exact(number(x)), float(x))


class _Expressions(Algebra):
    def times(self, g: Any, p: Any, k: int, i: int) -> Any:
        return None if p == 0 else g * p


def derivatives(program: Program, root: int, places: Sequence[int], symbols: Symbols) -> list[Any]:
    """∂root/∂node for the nodes at some places, in symbols for the leaves that have names.

    Raises:
        InputError: the graph is too large.
    """
    if len(program) > _MOST:
        raise InputError(f"sympy: an expression of {len(program):,} nodes would take SymPy too long; derive "
                         f"a part of it, of at most {_MOST:,}")
    found: list[Symbolic] = []
    for k, (node, operands) in enumerate(zip(program.nodes, program.operands)):
        op: Any = op_of(node)
        if op is None:
            made = FUNCTIONS.Symbol(symbols.name(k), real=True) if symbols.has_name(k) else exact(node.data)
            found.append(Symbolic(made, node.data))
        else:
            found.append(Symbolic.__apply_op__(op, [
                x if place is None else found[place] for place, x in zip(operands, node.operands)]))

    def edges(k: int) -> list[tuple[int, int, Any]]:
        node, operands = program.nodes[k], program.operands[k]
        xs = [symbolic(x) if place is None else found[place] for place, x in zip(operands, node.operands)]
        op: Any = op_of(node)
        wanted = [p is not None and x is not None for p, x in zip(partials_of(node), operands)]
        if True not in wanted:
            return []
        partials = partials_as_written(op, found[k], xs, wanted)
        return [(x, i, symbolic(p).expression if p is not None else
                 FUNCTIONS.Function(f"{op.name}'{i + 1}")(*[x.expression for x in xs]))
                for i, (x, p, flag) in enumerate(zip(operands, partials, wanted)) if flag and x is not None]

    totals = Linear(len(program), edges).pull({root: FUNCTIONS.Integer(1)}, _Expressions())
    return [FUNCTIONS.Integer(0) if totals[k] is None else totals[k] for k in places]
