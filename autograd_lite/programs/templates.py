"""`Template`: an op's rules for its partials, recorded once as instructions."""
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.ops.custom import Custom
from autograd_lite.ops.op import Op, number
from autograd_lite.ops.operators import Operators
from autograd_lite.ops.selection import choose
from autograd_lite.programs.code import CONSTANT, Check, Code, partial_of
from autograd_lite.programs.inline import asking


class Template:
    """Partials of an op of n operands as instructions: that by the i-th, or all of an open op.

    Where derivatives are to be differentiated once more (`again`), the rules are those of recorded nodes;
    `plain` says which operands are plain numbers there. The answer to the questions `refused` is no.

    Attributes:
        steps: (op, operands): an operand is the place in (y, *operands, *results of the steps), or a float.
        partials: for each operand such a place, a float, or None where no gradient flows or none is asked.
        checks: what must hold where they are used.
    """

    def __init__(self, op: Op, n: int, i: int, again: bool, plain: tuple[bool, ...],
                 refused: frozenset[Check] = frozenset()):
        self.facts = op, n, i, again, plain
        self.again, self.plain, self.refused, self.size = again, (False, *plain), refused, n + 1
        self.steps: list[tuple[Any, tuple[Any, ...]]] = []
        self.checks: list[Check] = []
        wanted = [op.open or j == i for j in range(n)]
        if op.in_line or again:
            symbols = [Symbol(j, self) for j in range(n + 1)]
            found = op.partials(symbols[0], symbols[1:], wanted)
            self.partials: list[Any] = [None if p is None else _place(p) for p in found]
        else:
            self.partials = [self.step(partial_of(op, j), range(n + 1)) if flag else None
                             for j, flag in enumerate(wanted)]

    def step(self, op: Any, operands: Sequence[Any]) -> int:
        """Another step; its place."""
        self.steps.append((op, tuple(operands)))
        return self.size + len(self.steps) - 1

    def at(self, code: Code, place: Callable[[int], int], have: Sequence[int]) -> Template:
        """The same of (y, *operands) that have these places: without questions that constants deny."""
        if not self.checks:
            return self
        known = tuple([code.data[k] if code.ops[k] is CONSTANT else None for k in map(place, have)])
        return self if known.count(None) == len(known) else _at(self, known)

    def is_plain(self, place: int) -> bool:
        """Whether an operand is a plain number."""
        return place < self.size and self.plain[place]


class Smooth:
    """The question whether operands lie away from the kink of an op whose number there is a convention."""

    source = ""

    def __init__(self, op: Op):
        self.op = op

    def holds(self, *xs: float) -> bool:
        return bool(self.op.kink(*xs) != 0.0)


class Symbol(Operators):
    """A number in a template: a rule applied to it writes steps."""

    __slots__ = ("place", "template")

    def __init__(self, place: int, template: Template):
        self.place, self.template = place, template

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Symbol:
        template: Template = next(x.template for x in operands if type(x) is Symbol)
        xs = [x if type(x) is Symbol else number(x, op.name) for x in operands]
        if template.again and op.convention and len(xs) == op.least:
            template.checks.append(Check(Smooth(op), tuple(map(_place, xs))))
        if len(xs) < op.most and not op.open:   # options that were not given
            xs = list(op.bound(xs, {}))
        return Symbol(template.step(op, list(map(_place, xs))), template)

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        raise TypeError("a rule branches by select alone")

    def __select__(self, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Symbol:
        return choose(self, then(), otherwise())  # type: ignore[no-any-return]

    def __ask__(self, question: Any, operands: Sequence[Any]) -> bool:
        if self.template.again and (question.floats or any(
                type(x) is Symbol and not self.template.is_plain(x.place)
                for x in map(operands.__getitem__, question.plain))):
            return False
        check = Check(question, tuple(map(_place, operands)))
        if check in self.template.refused:
            return False
        self.template.checks.append(check)
        return True                             # where it does not hold, the eager way is taken


@functools.lru_cache(maxsize=4096)
def _at(rule: Template, known: tuple[float | None, ...]) -> Template:
    """A template where some of (y, *operands) are known, without the questions that are answered no there."""
    refused = [check for check in rule.checks if _never(check, known)]
    return _at(template(*rule.facts, rule.refused.union(refused)), known) if refused else rule


def _never(check: Check, known: Sequence[float | None]) -> bool:
    xs = [x if type(x) is float else known[x] if x < len(known) else None for x in check.operands]
    return asking(check.question, [f"x{i}" for i in range(len(xs))], xs) == "False"


def _place(x: Any) -> Any:
    return x.place if type(x) is Symbol else float(x)


def template(op: Op, n: int, i: int, again: bool, plain: tuple[bool, ...],
             refused: frozenset[Check] = frozenset()) -> Template:
    """The `Template`; made once, but for an op of the user's, whose rules may read what changes."""
    make = Template if isinstance(op, Custom) else _made_once
    return make(op, n, i, again, plain, refused)


_made_once = functools.lru_cache(maxsize=4096)(Template)
