"""Comparisons, steps, and the choice between two numbers."""
from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from math import nan
from typing import TYPE_CHECKING, Any, overload

from autograd_lite.ops.branches import is_recorded
from autograd_lite.ops.define import define, doctests
from autograd_lite.ops.elementwise import is_array, mapped
from autograd_lite.ops.notation import COMPARISON, LOOSE, SUM, function, latex
from autograd_lite.ops.op import TABLE, Op, flat, number
from autograd_lite.ops.operators import Operators

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import A, Array, Binary, Numeric, Operand, Plain, T, Unary

# -- comparisons: 1.0 or 0.0, through which no gradient flows ---------------------------------


class Comparison(Op):
    """An op that compares two numbers."""

    def apply(self, *operands: Any, **options: Any) -> Any:
        if len(operands) == 2 and type(operands[0]) is type(operands[1]) is float:
            return self.forward(*operands)      # the common case: rules on floats
        return super().apply(*operands, **options)


def _comparison(name: str, holds: Callable[[Any, Any], bool], python: str, sign: str, tex: str,
                example: str) -> Binary:
    def form(m: Any, a: Any, b: Any) -> int:
        return int(holds(m.decided(a, b), 0))

    op: Binary = define(
        name, lambda a, b: 1.0 if holds(a, b) else 0.0, (flat, flat),
        f"1.0 where a {sign} b, 0.0 where not: a condition for `where` and `select`.", example,
        kind=Comparison, kink=lambda a, b: a - b, form=form,
        remedy="the operands must differ throughout the interval; split it",
        notation=function(name, latex(f"#1 {tex} #2", COMPARISON, SUM), sign,
                          python=f"1.0 if #1 {python} #2 else 0.0",
                          array=f"xp.where(#1 {python} #2, 1.0, 0.0)"))
    return op


greater: Binary = _comparison("greater", operator.gt, ">", ">", ">", "greater(2.0, 1.0) = 1.0")
greater_equal: Binary = _comparison("greater_equal", operator.ge, ">=", "≥", r"\geq",
                                    "greater_equal(1.0, 1.0) = 1.0")
less: Binary = _comparison("less", operator.lt, "<", "<", "<", "less(2.0, 1.0) = 0.0")
less_equal: Binary = _comparison("less_equal", operator.le, "<=", "≤", r"\leq", "less_equal(1.0, 1.0) = 1.0")
equal: Binary = _comparison("equal", operator.eq, "==", "=", "=", "equal(2.0, 1.0) = 0.0")
not_equal: Binary = _comparison("not_equal", operator.ne, "!=", "≠", r"\neq", "not_equal(2.0, 1.0) = 1.0")


def _sign(x: float) -> float:
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x + 0.0


def _step(a: float, b: float, tie: float = 0.5) -> float:
    return 1.0 if a > b else 0.0 if a < b else tie if a == b else nan


sign: Unary = define("sign", _sign, (flat,),
                     "1 above 0, −1 below, 0 at 0: the slope of |x|.", "sign(-2.0) = -1.0",
                     kink=lambda x: x, convention=(-1.0, 1.0, None, "abs"), form=lambda m, x: m.decided(x, 0),
                     notation=function("sign", r"\mathrm{sgn}", said="the sign of #1",
                                       python="1.0 if #1 > 0.0 else -1.0 if #1 < 0.0 else #1 + 0.0",
                                       array="xp.where(#1 > 0.0, 1.0, xp.where(#1 < 0.0, -1.0, #1))"))
step: Op = define(
    "step", _step, (flat, flat, None),
    "1 where a > b, 0 where a < b, `tie` (a plain number, ½) where they are equal.",
    "step(2.0, 1.0), step(1.0, 1.0) = (1.0, 0.5)", kink=lambda a, b, *tie: a - b,
    convention=(0.0, 1.0, 1.0, "maximum"),
    form=lambda m, a, b, tie=0.5: tie if m.decided(a, b) == 0 else int(m.decided(a, b) > 0),
    notation=function("step", said="the slope of maximum(#1, #2)",
                      python="1.0 if #1 > #2 else 0.0 if #1 < #2 else #3 if #1 == #2 else math.nan",
                      array="xp.where(#1 > #2, 1.0, xp.where(#1 < #2, 0.0, "
                            "xp.where(#1 == #2, #3, #1 + #2)))"))

# -- the choice ---------------------------------------------------------------------------------


class Choice(Op):
    """The op behind `where` and `select`: the first of two numbers if a condition holds, else the second."""

    chooses = True

    def taken(self, operands: Sequence[Any]) -> Sequence[int]:
        return (1,) if operands[0] else (2,)


choose: Op = define(
    "where", lambda condition, then, otherwise: then if condition else otherwise,
    (flat, lambda y, condition, *_: 1.0 if condition else None,
     lambda y, condition, *_: None if condition else 1.0),
    kind=Choice, form=lambda m, condition, then, otherwise: then if condition != 0 else otherwise,
    notation=function("where", latex(r"#2 \;\mathrm{if}\; #1 \;\mathrm{else}\; #3", LOOSE, COMPARISON),
                      python="#2 if #1 else #3", array="xp.where(#1 != 0.0, #2, #3)"))


@overload
def where(condition: Plain, a: Plain, b: Plain) -> float: ...
@overload
def where(condition: T, a: Numeric[T], b: Numeric[T]) -> T: ...
@overload
def where(condition: Plain, a: T, b: T) -> T: ...
@overload
def where(condition: Numeric[T], a: Numeric[T], b: Numeric[T]) -> T | float: ...
@overload
def where(condition: Plain | Array, a: A, b: Plain | A) -> A: ...
@overload
def where(condition: Plain | Array, a: Plain, b: A) -> A: ...


@overload
def where(condition: Numeric[Operand] | Array, a: Numeric[Operand] | Array,
          b: Numeric[Operand] | Array) -> Any: ...


def where(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, else b; no gradient goes to the one not taken.

    Unlike an `if`, it is recorded: its derivatives and later evaluations hold on both sides. Both
    operands are computed first; if one may be undefined, use `select`, which takes functions.

    Args:
        condition: a comparison op of two numbers, such as ``greater(x, 0.0)``; or a bool, which
            chooses once and for all. Arrays are broadcast, and each entry chosen for itself.

    Raises:
        InputError: the condition is neither.

    >>> from autograd_lite import Value
    >>> x = Value(3.0)
    >>> y = where(greater(x, 2.0), x * x, -x); y.backward()
    >>> y.data, x.grad
    (9.0, 6.0)
    """
    if any(map(is_array, (condition, a, b))):
        return mapped(where, (condition, a, b))
    if is_recorded("where", condition):
        return choose(condition, a, b)
    taken = a if condition else b
    return taken if isinstance(taken, Operators) else number(taken, "where")


# -- a gradient of 0 that meets an infinite partial -----------------------------------------------


class Stopped(Op):
    """The op of a gradient of 0 that met an infinite derivative: that of the second operand, if known."""

    def call(self, xs: Sequence[Any], nodes: Sequence[Any] = ()) -> str:
        y: Any = nodes[1] if len(nodes) > 1 else nan
        op = TABLE.get(getattr(y, "op", ""))
        return op.call([getattr(x, "data", x) for x in y.operands], y.operands) if op else "a product"

    def __reduce__(self) -> Any:
        return "stopped_zero"                   # (it is not in the table)


def _only_0(g: float, y: float = nan) -> float:
    if g != 0.0:
        raise ValueError
    return 0.0


stopped_zero = Stopped(
    "stopped_zero", _only_0, (lambda y, *xs: nan, flat), domain=lambda g, y=nan: g == 0.0,
    kink=lambda g, y=nan: nan, form=lambda m, g, y=nan: _only_0(g),
    remedy="a gradient of 0 met an infinite derivative where this was recorded; record it where it is not 0",
    singular="a gradient of 0 met an infinite derivative there, and how their product varies is unknown; "
    "keep away from that point", notation=function("stopped_zero"))


def stopped(g: Any, y: Any = nan) -> Any:
    """The gradient g of y, which is 0, times an infinite derivative."""
    return stopped_zero(g, y) if isinstance(g, Operators) else 0.0


__test__ = doctests(globals())
