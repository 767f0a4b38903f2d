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
        size: if these are added, how many instructions are the function's own; and nodes: a number by which
            its nodes are known, from which the gradients follow.
    """

    code: Code
    inputs: Sequence[int]
    captured: Sequence[int]
    outputs: Sequence[int]
    guards: Sequence[Guard]
    labels: dict[int, str]
    firm: dict[Sides, set[int]]
    adds: bool = False
    size: int = 0
    nodes: int = 0

    def difference(self, other: Recording) -> str:
        """What another run of the function did otherwise; "" if nothing."""
        alike = self.nodes != 0 and self.nodes == other.nodes       # (so are the gradients)
        a, b = self.code, other.code
        n, m = (self.size, other.size) if alike else (len(a), len(b))
        for k, (op, operands) in enumerate(zip(a.ops[:n], a.operands)):
            if k >= m or b.ops[k] is not op or b.operands[k] != operands:
                return f"it does {repr(b.ops[k]) if k < m else 'nothing'} where it did {op!r}"
            if op is CONSTANT and not same(a.data[k], b.data[k]):
                return f"it computes with {b.data[k]!r} where it computed with {a.data[k]!r}"
        shown, others = [x.outputs[:1] if alike else x.outputs for x in (self, other)]
        if n != m or list(shown) != list(others):
            return "it does something else"
        return ""


def same(a: Any, b: Any) -> bool:
    """Whether two numbers are the same, nan or not."""
    return bool(a == b or a != a and b != b)
