"""`select`: the only way in which a rule may branch.

What is recorded of a branch holds for all operands, not only for those that it was recorded at: the
condition is a node, and the choice is one. A branch that is there for extreme operands alone is not
recorded; a `Guard` on the result says how its question was answered (see `Ordinary`).
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.errors import InputError, shown
from autograd_lite.ops.operators import Operators


def select(condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """What `then` returns where the condition holds, else what `otherwise` returns.

    On a plain condition one of the two runs. On a comparison of Values both are recorded, the one not
    taken without raising: what is infinite or missing there does not reach the value or the gradient.
    (So a function that calls itself this way does not end.)

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
        if type(condition) is bool or type(condition) is float:     # at once, as on floats in rules
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
    """Whether a condition has a way of its own to choose; if it is none, an error."""
    if hasattr(condition, "__select__") and not getattr(condition, "requires_grad", False):
        return True
    if isinstance(condition, (float, int)) or getattr(getattr(condition, "dtype", None), "kind", "") == "b":
        return False
    raise InputError(f"{name}: the condition must be a comparison op, such as greater(x, 0.0), or a bool, "
                     f"not {shown(condition)}")


# -- branches for extreme operands alone --------------------------------------------------------

_QUESTIONS: dict[str, Ordinary] = {}


class Ordinary:
    """A question of a rule to its operands; the answer is yes for all but extreme ones.

    It is not recorded: the result notes the answer as a `Guard`.

    Args:
        op: the name of the op whose rule asks; holds: the question, a function of the operands.
        plain: the places of operands that must be plain numbers; where one is recorded, the answer is no
            for good (and what is done then must be right for all).
    """

    def __init__(self, op: str, holds: Callable[..., bool], plain: Sequence[int] = ()):
        self.op, self.holds, self.plain = op, holds, plain
        self.key = f"{op} {sum(q.op == op for q in _QUESTIONS.values())}"
        _QUESTIONS[self.key] = self

    def __call__(self, *operands: Any) -> Any:
        """The answer: a condition for `select`."""
        if type(operands[0]) is type(operands[-1]) is float:     # (where the result comes first, all are floats)
            return self.holds(*operands)
        asked = next((x for x in operands if isinstance(x, Operators)), None)
        return self.holds(*operands) if asked is None else asked.__ask__(self, operands)

    def of_nodes(self, operands: Sequence[Any], answer: bool) -> Any:
        """The condition where an operand is recorded; `answer` is how the question stands at present."""
        if any(isinstance(operands[i], Operators) for i in self.plain):
            return False
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
