"""`Plan`: of a recorded program, what is needed, where, and what must be looked at."""
from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from autograd_lite.ops.elementary import add, mul, neg, sub
from autograd_lite.ops.op import Op
from autograd_lite.ops.selection import Comparison, choose
from autograd_lite.ops.sequences import dot_op, sum_op
from autograd_lite.programs.code import ADDED, CONSTANT, INDEX, INPUT, ITEM, LISTS, PRODUCTS, ROWS, Check
from autograd_lite.programs.inline import asking
from autograd_lite.programs.recording import Recording

PASS = {add, sub, mul, neg, PRODUCTS, sum_op, dot_op}   # they pass on what is not finite
_DEEP = 60                                              # the most sides in each other


@functools.lru_cache(maxsize=4096)
def hides(op: Any, n: int, i: int) -> bool:
    """Whether an op's result may be finite where its i-th operand is not."""
    if op is INDEX:
        return False
    if op is choose or not isinstance(op, Op) or not op.in_line or op.open or n > 2:
        return True
    for x in (math.inf, -math.inf):
        for other in (0.0, 2.0):                # (which suffice for all ops that come here)
            xs = [x if j == i else other for j in range(n)]
            try:
                y = op.forward(*xs)
            except (ValueError, ArithmeticError):
                continue
            if y - y == 0.0:
                return True
    return False


@functools.lru_cache(maxsize=4096)
def passes(op: Any, n: int) -> list[bool]:
    """For each of an op's n operands whether the result is not finite where it is not."""
    return [op in PASS or not hides(op, n, i) for i in range(n)]


class Side:
    """Where a condition has an answer, within another side."""

    def __init__(self, outer: Side | None, condition: int, answer: bool, depth: int):
        self.outer, self.condition, self.answer, self.depth = outer, condition, answer, depth

    def path(self) -> list[Side]:
        """This side and those around it, the outermost first."""
        found, side = list[Side](), self
        while side is not None:
            found.append(side)
            side = side.outer  # type: ignore[assignment]
        return found[::-1]

    def known(self, k: int) -> Side | None:
        """The innermost side around this one whose conditions are known at a place."""
        return next((side.outer for side in self.path() if side.condition > k), self)

    def holds(self, condition: int, answer: bool) -> bool:
        """Whether it lies within such a side."""
        return any([side.condition == condition and side.answer is answer for side in self.path()])


def common(a: Side | None, b: Side | None) -> Side | None:
    """The innermost side around both."""
    while a is not b:
        if a is None or b is None:
            return None
        if a.depth >= b.depth:
            a = a.outer
        else:
            b = b.outer
    return a


class Plan:
    """What a program needs.

    Attributes:
        needed: the places that results and guards need, in order; uses: how often each is used.
        checks: those of the code that may fail.
        home: for each place the side of choices that alone needs it; it is not there if all need it.
        unsure: the places whose numbers must be looked at.
        tables: the lists of captured Values, of which only the entries taken are read; for each the Values,
            by their places among those captured.
        read: which of the captured Values are read at each run.
        spread: for lists of sums that are only to be added to gradients, by their places: for each entry
            the results that it is, by their places among all.
        shown: the other results, by their places among all.
    """

    sparse = True                               # whether there may be tables and spread

    def __init__(self, recording: Recording):
        self.recording, self.code = recording, recording.code
        self.checks = {k: kept for k, checks in self.code.checks.items()
                       if (kept := [check for check in checks if not self.holds(check)])}
        self.spread, self.shown = spread_of(recording if self.sparse else recording._replace(adds=False))
        self.tables: dict[int, list[int]] = {}
        self.needed, self.uses = self._needed()
        self.read = [i for i, k in enumerate(recording.captured) if k in self.uses or not self.tables]
        some = any(recording.firm) or choose in self.code.ops
        self.home: dict[int, Side | None] = homes_of(self) if some else {}
        self.unsure = self._unsure()

    def holds(self, check: Check) -> bool:
        """Whether a check always holds."""
        return self.condition_of(check, [f"x{i}" for i in range(len(check.operands))]) == "True"

    def condition_of(self, check: Check, xs: Sequence[str]) -> str:
        """A check of operands of these names in Python; "" if its source is not known."""
        code = self.code
        return asking(check.question, xs, [code.data[k] if code.ops[k] is CONSTANT else None
                                           for k in check.operands])

    def _needed(self) -> tuple[list[int], dict[int, int]]:
        """The places that results and guards need, in order, and how often each is used."""
        code, checks, recording = self.code, self.checks, self.recording
        ops, operands, uses, found = code.ops, code.operands, [0] * len(code), list[int]()
        known = bytearray(len(code))
        captured = {k: i for i, k in enumerate(recording.captured)} if self.sparse else {}
        for k in (*self.outputs, *[x for guard in recording.guards for x in guard.operands]):
            uses[k] += 2                                # (2: it has a name of its own)
            known[k] = True
        for sides, places in recording.firm.items():    # (they may fail, and do so eagerly)
            for k in places:
                if ops[k] is not INPUT and not isinstance(ops[k], Comparison):
                    known[k] = True
            for k, _ in sides:
                uses[k] += not isinstance(ops[k], Comparison)
                known[k] = True
        for k in range(len(code) - 1, -1, -1):
            if known[k]:
                found.append(k)
                xs = operands[k]
                if captured and ops[k] is ROWS and captured.keys() >= set(xs):
                    self.tables[k] = [captured[x] for x in xs]
                    continue
                if ops[k] is choose and isinstance(ops[xs[0]], Comparison):
                    known[xs[0]] = True                    # (a condition is written where it is asked)
                    xs = xs[1:]
                for x in xs:
                    uses[x] += 1
                    known[x] = True
                if k in checks:
                    for x in [x for check in checks[k] for x in check.operands]:
                        uses[x] += 2
                        known[x] = True
        found.reverse()
        return found, {k: uses[k] for k in found}

    @property
    def outputs(self) -> list[int]:
        """The places of results, those of lists of sums last."""
        return [*[self.recording.outputs[i] for i in self.shown], *self.spread]

    def shows(self, k: int) -> list[bool]:
        """For each operand of a place whether that is not finite where the operand is not."""
        op, xs = self.code.ops[k], self.code.operands[k]
        seen = passes(op, len(xs))
        if self.home:
            where = self.home.get(k)
            seen = [flag and self.home.get(x) == where for x, flag in zip(xs, seen)]
        return seen

    def _unsure(self) -> set[int]:
        """The places whose numbers must be looked at: those that may not be finite though all results are."""
        code = self.code
        ops, operands = code.ops, code.operands
        shown = set(self.outputs)
        hidden = {k for k in self.needed if ops[k] is not INPUT}
        for k in self.needed:
            if k in self.tables:
                continue
            xs, seen = operands[k], self.shows(k)
            if False not in seen:
                shown.update(xs)
            else:
                shown.update([x for x, flag in zip(xs, seen) if flag])
                if ops[k] is not ROWS:                  # (an input that is not taken may be anything)
                    hidden.update([x for x, flag in zip(xs, seen) if not flag])
        hidden -= shown
        asked = {x for guard in self.recording.guards for x in guard.operands}
        return {k for k in self.needed if (k in hidden or k in asked) and ops[k] is not CONSTANT
                and not isinstance(ops[k], Comparison) and ops[k] not in LISTS and ops[k] is not INDEX}


class Dense(Plan):
    """A plan by which all captured Values are read and all results given."""

    sparse = False


def spread_of(recording: Recording) -> tuple[dict[int, dict[int, list[int]]], list[int]]:
    """The lists of sums of which all entries that are used are gradients; and the other results."""
    code, outputs = recording.code, recording.outputs
    if not recording.adds:
        return {}, list(range(len(outputs)))
    items = {k: code.operands[k] for k, op in enumerate(code.ops)
             if op is ITEM and code.ops[code.operands[k][0]] is ADDED}
    ends, used = set(outputs), {x for guard in recording.guards for x in guard.operands}
    used.update(outputs[:1], *[operands for k, operands in enumerate(code.operands) if k not in items])
    used |= {whole for k, (whole, _) in items.items() if k in used or k not in ends}
    found: dict[int, dict[int, list[int]]] = {}
    shown = list[int]()
    for i, k in enumerate(outputs):
        whole, index = items.get(k, (k, k))
        if k in items and whole not in used and code.is_constant(index):
            found.setdefault(whole, {}).setdefault(int(code.data[index]), []).append(i)
        else:
            shown.append(i)
    return found, shown


def homes_of(plan: Plan) -> dict[int, Side | None]:
    """For each place the side of choices that alone needs it; it is not there if all need it."""
    code, firm = plan.code, plan.recording.firm
    home: dict[int, Side | None] = {}
    sides: dict[Any, Side] = {}

    def side(outer: Side | None, condition: int, answer: bool) -> Side | None:
        depth = outer.depth if outer else 0
        if depth == _DEEP or outer and outer.holds(condition, answer):
            return outer
        return sides.setdefault((outer, condition, answer), Side(outer, condition, answer, depth + 1))

    wanted: dict[int, Side | None] = {}

    def want(k: int, where: Side | None) -> None:
        wanted[k] = common(wanted[k], where) if k in wanted else where

    for k in (*plan.outputs, *[x for guard in plan.recording.guards for x in guard.operands]):
        wanted[k] = None
    for sides_of, places in firm.items():
        where: Side | None = None
        for condition, answer in sides_of:
            where = side(where, condition, answer)
        for k in places:
            want(k, where)
    for k in reversed(plan.needed):
        where = wanted[k]
        if where is not None and (where := where.known(k)) is not None:
            home[k] = where
        uses = [(x, where) for x in code.operands[k] if k not in plan.tables]
        if code.ops[k] is choose:
            condition, *_ = code.operands[k]
            uses[1:] = [(x, side(where, condition, answer))
                        for (x, _), answer in zip(uses[1:], (True, False))]
        uses += [(x, where) for check in plan.checks.get(k, ()) for x in check.operands]
        for x, there in uses:
            want(x, there)
    return home
