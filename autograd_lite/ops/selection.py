"""Branches: comparisons as ops, `where` and `select`. There is no other way in which a rule may branch.

What is recorded of a branch holds for all operands, not only for those that it was recorded at: the
condition is a node, and the choice is one. A branch that is there for extreme operands alone is not
recorded; a `Guard` on the result says how its question was answered (see `Ordinary`).
"""
from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from math import nan
from typing import Any, NamedTuple

from autograd_lite.errors import InputError, shown
from autograd_lite.ops.notation import LOOSE, SUM, Form, function
from autograd_lite.ops.op import Op, define, doctests, flat, number
from autograd_lite.ops.operators import Operators

# -- comparisons: 1.0 or 0.0, through which no gradient flows ---------------------------------


def _comparison(name: str, holds: Callable[[Any, Any], bool], sign: str, latex: str, example: str) -> Op:
    def form(m: Any, a: Any, b: Any) -> int:
        return int(holds(m.decided(a, b), 0))

    return define(name, lambda a, b: 1.0 if holds(a, b) else 0.0, (flat, flat),
                  f"1.0 where a {sign} b, 0.0 where not: a condition for `where` and `select`.", example, form=form,
                  kink=lambda a, b: a - b, remedy="the operands must differ in all of the interval; split it",
                  notation=function(name)._replace(latex=Form(f"{{0}} {latex} {{1}}", LOOSE, (SUM, SUM))))


greater: Op = _comparison("greater", operator.gt, ">", ">", "greater(2.0, 1.0) = 1.0")
greater_equal: Op = _comparison("greater_equal", operator.ge, ">=", r"\geq", "greater_equal(1.0, 1.0) = 1.0")
less: Op = _comparison("less", operator.lt, "<", "<", "less(2.0, 1.0) = 0.0")
less_equal: Op = _comparison("less_equal", operator.le, "<=", r"\leq", "less_equal(1.0, 1.0) = 1.0")
equal: Op = _comparison("equal", operator.eq, "==", "=", "equal(2.0, 1.0) = 0.0")
not_equal: Op = _comparison("not_equal", operator.ne, "!=", r"\neq", "not_equal(2.0, 1.0) = 1.0")


def _sign(x: float) -> float:
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x + 0.0


def _step(a: float, b: float, tie: float = 0.5) -> float:
    return 1.0 if a > b else 0.0 if a < b else tie if a == b else nan


sign: Op = define("sign", _sign, (flat,), "1 above 0, −1 below, 0 at 0: the slope of |x|.", "sign(-2.0) = -1.0",
                  kink=lambda x: x, form=lambda m, x: m.decided(x, 0))
step: Op = define(
    "step", _step, (flat, flat, None), "1 where a > b, 0 where a < b, `tie` (a plain number, ½) where they are equal.",
    "step(2.0, 1.0), step(1.0, 1.0) = (1.0, 0.5)", kink=lambda a, b, tie=0.5: a - b,
    form=lambda m, a, b, tie=0.5: tie if m.decided(a, b) == 0 else int(m.decided(a, b) > 0))

# -- the choice ---------------------------------------------------------------------------------


class Choice(Op):
    """The op behind `where` and `select`: of a condition and two numbers the first if it holds."""

    chooses = True


choose: Op = define(
    "where", lambda condition, then, otherwise: then if condition else otherwise,
    (flat, lambda y, condition, *_: 1.0 if condition else None, lambda y, condition, *_: None if condition else 1.0),
    kind=Choice, form=lambda m, condition, then, otherwise: then if condition != 0 else otherwise)


def where(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, else b; to the one not taken no gradient goes.

    Unlike an `if`, it is recorded: what is derived from it or evaluated later holds on both sides.
    Both operands are worked out before; `select` takes functions, of which one may be undefined.

    Args:
        condition: a comparison op of two numbers, such as ``greater(x, 0.0)``; or a bool, which
            chooses once and for all.

    Raises:
        InputError: the condition is neither.

    >>> from autograd_lite import Value
    >>> x = Value(3.0)
    >>> y = where(greater(x, 2.0), x * x, -x); y.backward()
    >>> y.data, x.grad
    (9.0, 6.0)
    """
    if _recorded("where", condition):
        return choose(condition, a, b)
    taken = a if condition else b
    return taken if isinstance(taken, Operators) else number(taken, "where")


def select(condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """What `then` returns where the condition holds, else what `otherwise` returns.

    On a plain condition one of the two functions runs. On a comparison of Values both are
    recorded, the one that is not taken without raising: what is infinite or missing there does
    not reach the value or the gradient. (A function that calls itself that way does not end.)

    Args:
        condition: as for `where`.
        then, otherwise: functions without arguments, each returning a number.

    Raises:
        InputError: the condition is neither a comparison op nor a bool; `then` or `otherwise` is no function.

    >>> from autograd_lite import Value, sqrt
    >>> x = Value(-4.0)
    >>> y = select(less(x, 0.0), lambda: -x, lambda: sqrt(x)); y.backward()
    >>> y.data, x.grad
    (4.0, -1.0)
    """
    for branch in (then, otherwise):
        if not callable(branch):
            raise InputError(f"select: a branch must be a function without arguments, not {shown(branch)}; "
                             "where(condition, a, b) takes numbers")
    if _recorded("select", condition):
        return condition.__select__(then, otherwise)
    return then() if condition else otherwise()


def _recorded(name: str, condition: Any) -> bool:
    """Whether a condition has a way of its own to choose; if it is none, an error."""
    if hasattr(condition, "__select__") and not getattr(condition, "requires_grad", False):
        return True
    if isinstance(condition, (float, int)) or getattr(getattr(condition, "dtype", None), "kind", "") == "b":
        return False
    raise InputError(f"{name}: the condition must be a comparison op, such as greater(x, 0.0), or a bool, "
                     f"not {shown(condition)}")


# -- questions that rules ask of their operands ------------------------------------------------


class Question:
    """A condition that is not a comparison of two numbers: of floats a bool, of Values an op of its own.

    Args:
        name: the op's name; holds: the condition, a function of the operands.
    """

    def __init__(self, name: str, holds: Callable[..., bool]):
        self.holds = holds
        self.op = define(name, lambda *xs: 1.0 if holds(*xs) else 0.0, (flat,) * len(inspect.signature(
            holds).parameters), form=lambda m, *xs: int(holds(*xs)))

    def __call__(self, *operands: Any) -> Any:
        """The answer: a condition for `select`."""
        for x in operands:
            if isinstance(x, Operators):
                return x.__ask__(self, operands)
        return self.holds(*operands)

    def of_nodes(self, operands: Sequence[Any], answer: bool) -> Any:
        """The condition where an operand is recorded; `answer` is how it stands at present."""
        return self.op(*operands)


_QUESTIONS: dict[str, Ordinary] = {}


class Ordinary(Question):
    """A question to which the answer is yes for all but extreme operands.

    It is not recorded: the result notes the answer as a `Guard`.

    Args:
        op: the name of the op whose rule asks; holds: the condition, a function of the operands.
    """

    def __init__(self, op: str, holds: Callable[..., bool]):
        self.of, self.holds = op, holds
        self.key = f"{op} {sum(q.of == op for q in _QUESTIONS.values())}"
        _QUESTIONS[self.key] = self

    def of_nodes(self, operands: Sequence[Any], answer: bool) -> Guard:
        return Guard(self, operands, answer)

    def __reduce__(self) -> tuple[Any, ...]:
        return question_named, (self.key,)


def question_named(key: str) -> Ordinary:
    """The question of an op's rule that a pickled guard is about."""
    return _QUESTIONS[key]


class Guard(NamedTuple):
    """An `Ordinary` question that was asked while a graph was recorded, and how it was answered.

    The graph holds where the answer is the same.
    """

    question: Ordinary
    operands: Sequence[Any]
    answer: bool

    def __select__(self, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        result = then() if self.answer else otherwise()
        return result.__guarded__(self) if isinstance(result, Operators) else result


__test__ = doctests(globals())
