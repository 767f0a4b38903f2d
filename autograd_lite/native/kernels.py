"""`Kernel`: what a run of equal nodes of a program computes, in the small language (see `language`)."""
from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.native import runtime
from autograd_lite.native.language import Untranslatable
from autograd_lite.ops import special
from autograd_lite.ops.custom import Custom
from autograd_lite.ops.notation import Written, literal
from autograd_lite.programs.code import Step
from autograd_lite.programs.inline import asking, expression


class Routine(NamedTuple):
    """A function of floats that is applied to each node of a run; or one of a list, if `many`.

    Attributes:
        text: an expression of x0, x1, …; names: what it refers to.
        many: the function of a list, if it is one, or what tells two such apart.
    """

    text: str
    names: tuple[tuple[str, Any], ...] = ()
    many: Any = None


class Kernel(NamedTuple):
    """A routine; how many operands each of its nodes has, and how many numbers it gives."""

    routine: Routine
    arity: int
    width: int = 1


ADD_AT, ITEM_AT, COPY = Routine("", many="added"), Routine("", many="item"), Routine("", many="copied")


@functools.cache
def kernel_of(op: Any, fixed: tuple[float | None, ...]) -> Kernel:
    """The kernel of an op; of its operands, options that are plain numbers are known."""
    n = len(fixed)
    if isinstance(op, (Custom, Step)):
        raise Untranslatable(f"{op!r} is a function of the user's")
    if op.open:
        if op.forward not in runtime.SEQUENCES:
            raise Untranslatable(f"{op!r} has no native form")
        return Kernel(Routine("", many=op.forward), n)
    xs = [Written(f"x{i}") if c is None else literal(c) for i, c in enumerate(fixed)]
    if form := expression(op, xs):
        return Kernel(Routine(form.text), n)
    return Kernel(Routine(f"kernel({', '.join([x.text for x in xs])})", (("kernel", op.forward),)), n)


def shares(n: int) -> Kernel:
    """softmax of n numbers."""
    return Kernel(Routine("", many=special.shares), n, n)


def added(size: int, terms: Sequence[int]) -> Kernel:
    """A list of zeros, to which terms are added at indices; both are operands."""
    return Kernel(ADD_AT, len(terms), size)


def copied(n: int) -> Kernel:
    """A list of n numbers."""
    return Kernel(COPY, n, n)


# One of a list: operands are the index and the list's first, second and last entry, which lie at equal
# distances.
ITEM_KERNEL = Kernel(ITEM_AT, 4)


@functools.cache
def siding(answer: bool) -> Kernel:
    """Whether a side of a choice is taken, of that around it and the condition."""
    return Kernel(Routine(f"x0 if x1 {'!=' if answer else '=='} 0.0 else 0.0"), 2)


def checking(question: Any, fixed: tuple[float | None, ...]) -> Kernel:
    """Whether a question holds, some of its operands being plain numbers."""
    xs = [f"x{i}" for i in range(len(fixed))]
    if text := asking(question, xs, fixed):
        return Kernel(Routine(f"1.0 if {text} else 0.0"), len(fixed))
    return Kernel(Routine(f"holds({', '.join(xs)})", (("holds", _Answer(question.holds)),)), len(fixed))


class _Answer(NamedTuple):
    """A function's answer as a float."""

    function: Callable[..., Any]
    answer: Any = True

    def __call__(self, *xs: float) -> float:
        found = self.function(*xs)
        return float(bool(found) is self.answer if type(self.answer) is bool else found == self.answer)


_COMPARISON = re.compile(r"#1 (<|<=|>|>=|==|!=) (#2|-?\d{1,15})")


@functools.lru_cache(maxsize=4096, typed=True)
def guarding(text: str, answer: Any, n: int) -> Kernel:
    """Whether a guard's question has this answer."""
    xs = ", ".join([f"x{i}" for i in range(n)])
    written = re.sub(r"#(\d)", lambda at: f"x{int(at[1]) - 1}", text)
    if type(answer) is bool and (simple := _COMPARISON.fullmatch(text)):
        if simple[2] != "#2":
            written += ".0"
        return Kernel(Routine(f"1.0 if {written} else 0.0" if answer else f"0.0 if {written} else 1.0"), n)
    function = eval(f"lambda {xs}: {written}", {"math": math})
    return Kernel(Routine(f"holds({xs})", (("holds", _Answer(function, answer)),)), n)
