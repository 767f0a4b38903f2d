"""`Recording`: one run of a function as a program, on which path through its branches it holds."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd_lite.lines import Line
from autograd_lite.programs.code import CONSTANT, Code


class Guard(NamedTuple):
    """A question that the function asked, and the answer on which all that follows depends."""

    text: str                       # in Python, with #1, #2 for the operands
    operands: tuple[int, ...]       # their places in the code
    answer: Any
    at: int                         # how long the code was
    line: Line | None               # where it was asked

    @property
    def question(self) -> tuple[str, tuple[int, ...]]:
        """What was asked. (Runs of a function ask others where ints stand for any, and where they do not.)"""
        return self.text, self.operands

    @property
    def key(self) -> Any:
        """The question with its answer."""
        return self.text, self.operands, self.answer


Sides = tuple[tuple[int, bool], ...]        # of choices: places of conditions, and answers, outermost first


class Recording(NamedTuple):
    """The code of a function, and what stands where in it.

    Attributes:
        inputs, captured, outputs: the places of the arguments' numbers, of the numbers of Values that are
            not arguments, and of the results.
        guards: the questions asked on the way.
        labels: names of places.
        adds: whether the results after the first are gradients, which are only to be added to others.
        firm: for sides of choices (none: on all) the places that eager code computes there, used or not.
    """

    code: Code
    inputs: Sequence[int]
    captured: Sequence[int]
    outputs: Sequence[int]
    guards: Sequence[Guard]
    labels: dict[int, str]
    firm: dict[Sides, set[int]]
    adds: bool = False

    def difference(self, other: Recording) -> str:
        """What another run of the function did otherwise; "" if nothing."""
        a, b = self.code, other.code
        for k, (op, operands) in enumerate(zip(a.ops, a.operands)):
            if k >= len(b.ops) or b.ops[k] is not op or b.operands[k] != operands:
                return f"it does {repr(b.ops[k]) if k < len(b.ops) else 'nothing'} where it did {op!r}"
            if op is CONSTANT and not same(a.data[k], b.data[k]):
                return f"it computes with {b.data[k]!r} where it computed with {a.data[k]!r}"
        if len(b.ops) != len(a.ops) or list(self.outputs) != list(other.outputs):
            return "it does something else"
        return ""


def same(a: Any, b: Any) -> bool:
    """Whether two numbers are the same, nan or not."""
    return bool(a == b or a != a and b != b)
