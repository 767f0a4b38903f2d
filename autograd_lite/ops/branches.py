"""`select`: the only way in which a rule may branch.

A recorded branch holds for all operands, not only for those it was recorded at: the condition is a
node, and so is the choice. A branch for extreme operands alone is not recorded; a `Guard` on the result
says how its question was answered.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from autograd_lite.errors import InputError, shown
from autograd_lite.ops.operators import Operators

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Numeric, Plain, T, X, Y


@overload
def select(condition: T, then: Callable[[], Numeric[T]], otherwise: Callable[[], Numeric[T]]) -> T: ...
@overload
def select(condition: Plain, then: Callable[[], X], otherwise: Callable[[], Y]) -> X | Y: ...


def select(condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """What `then` returns where the condition holds, else what `otherwise` returns.

    On a plain condition one of the two runs. On a comparison of Values both are recorded; the one not
    taken raises nothing, and what is infinite or missing in it reaches neither value nor gradient.
    (A function that calls itself in a branch therefore never ends.)

    Args:
        condition: as for `where`.
        then, otherwise: functions without arguments, each returning a number.

    Raises:
        InputError: the condition is neither a comparison op nor a bool, or a branch is not a function.

    >>> from autograd_lite import Value, less, sqrt
    >>> x = Value(-4.0)
    >>> y = select(less(x, 0.0), lambda: -x, lambda: sqrt(x)); y.backward()
    >>> y.data, x.grad
    (4.0, -1.0)
    """
    try:
        if condition is True:                   # the common case: rules on floats
            return then()
        if condition is False or type(condition) is float:
            return then() if condition else otherwise()
        if is_recorded("select", condition):
            return condition.__select__(then, otherwise)
        return then() if condition else otherwise()
    except TypeError:
        for branch in (then, otherwise):
            if not callable(branch):
                raise InputError("select: a branch must be a function without arguments, not "
                                 f"{shown(branch)}; where(condition, a, b) takes numbers") from None
        raise


def is_recorded(name: str, condition: Any) -> bool:
    """Whether a condition is recorded, or plain; an error if it is not a condition."""
    if hasattr(condition, "__select__") and not getattr(condition, "requires_grad", False):
        return True
    kind = getattr(getattr(condition, "dtype", None), "kind", "")
    if isinstance(condition, (float, int)) or kind == "b" and condition.shape == ():
        return False
    raise InputError(f"{name}: the condition must be a comparison op, such as greater(x, 0.0), or a bool, "
                     f"not {shown(condition)}")


# -- branches for extreme operands alone --------------------------------------------------------

QUESTIONS: dict[str, Ordinary] = {}


class Ordinary:
    """A question that a rule asks about ``(y, *operands)``; yes for all but extreme operands.

    Args:
        op: the name of the op whose rule asks.
        holds: a function, or its source without the word lambda, made of comparisons and arithmetic, which
            generated code has in line.
        plain: places that must hold plain numbers; if a node is there, the answer is always no (and
            `otherwise` must be right everywhere). floats: the same for all places.
    """

    if TYPE_CHECKING:
        op: str
        plain: Sequence[int]
        floats: bool
        source: str
        key: str

    def __init__(self, op: str, holds: Callable[..., bool] | str, plain: Sequence[int] = (),
                 floats: bool = False):
        self.op, self.plain, self.floats = op, plain, floats
        self.source = holds if isinstance(holds, str) else ""
        self.holds: Callable[..., bool] = eval("lambda " + holds) if isinstance(holds, str) else holds
        self.key = f"{op} {sum(q.op == op for q in QUESTIONS.values())}"
        QUESTIONS[self.key] = self

    def rule(self, then: Callable[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
        """The rule that asks this, then applies one of two functions of ``(y, *operands)``."""
        holds = self.holds

        def chosen(y: Any, *xs: Any) -> Any:
            if type(y) is float:                # then all are floats
                return y if y != y else then(y, *xs) if holds(y, *xs) else otherwise(y, *xs)
            return select(y.__ask__(self, (y, *xs)), lambda: then(y, *xs), lambda: otherwise(y, *xs))
        return chosen

    def of_nodes(self, operands: Sequence[Any], answer: bool) -> Any:
        """The condition if an operand is recorded; `answer` is the present answer."""
        if self.floats or any(isinstance(operands[i], Operators) for i in self.plain):
            return False
        return Guard(self, operands, answer)

    def __reduce__(self) -> tuple[Any, ...]:
        return question_named, (self.key,)


def question_named(key: str) -> Ordinary:
    """The question of a pickled guard."""
    return QUESTIONS[key]


class Guard(NamedTuple):
    """A question asked while a graph was recorded, and its answer: the graph holds where it is the same."""

    question: Ordinary
    operands: Sequence[Any]
    answer: bool

    def __select__(self, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        result = then() if self.answer else otherwise()
        return result.__guarded__(self) if isinstance(result, Operators) else result
