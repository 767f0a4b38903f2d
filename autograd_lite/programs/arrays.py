"""A recorded program over arrays: the source of a function of the arrays of a namespace.

Every instruction is done at all points at once; of a choice both sides are computed, and `where` picks one.
A program that watches (`Watch`; over NumPy's arrays alone) says what became of each point: which guard failed
first, or that the eager way is needed, as the Python target does for one point. Any other has no guards.
"""
from __future__ import annotations

import ast
import functools
import itertools
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.errors import InputError, errstate
from autograd_lite.ops.elementary import add, sub
from autograd_lite.ops.notation import LOOSE, SUM, Written, literal
from autograd_lite.ops.op import Op
from autograd_lite.ops.selection import Comparison, choose
from autograd_lite.ops.sequences import dot_op, sum_op
from autograd_lite.programs.code import (ADDED, CONSTANT, INDEX, INPUT, ITEM, PRODUCTS, ROWS, SHARES, Check,
                                         Partial)
from autograd_lite.programs.layout import Plan, Side
from autograd_lite.programs.lookups import added, chosen, gather, looked, scatter, within
from autograd_lite.programs.namespaces import Functions, array_form
from autograd_lite.programs.python import EAGER, Expressions, infix
from autograd_lite.programs.recording import Guard, Recording

FINE = -2                                       # (beside EAGER, and the numbers of guards)
_MANY = 24                                      # the most terms of a sum in one statement
_LONG = 30                                      # longer functions let go of arrays that are used no more
_COMPARED = re.compile(r"#1 (<|<=|>|>=|==|!=) (#2|[\d.e+-]+)")


# -- what the source calls -------------------------------------------------------------------------


class Settled(Exception):
    """No point is left for which the program holds."""


class Watch:
    """What becomes of each of n points: `FINE`, `EAGER`, or the guard that failed first."""

    def __init__(self, n: int):
        import numpy

        self.np, self.n = numpy, n
        self.fates: Any = None                  # (none yet: all are fine)
        self.answered: dict[int, Any] = {}      # what was answered where, by the guard

    def finite(self, x: Any, side: Any = True) -> None:
        """Send points at which a number is not finite the eager way, if they are on this side."""
        self.holds(self.np.isfinite(x), side)

    def holds(self, condition: Any, side: Any = True, fate: int = EAGER) -> None:
        """Give the points at which a condition does not hold this fate."""
        if self.np.all(condition):
            return
        if self.fates is None:
            self.fates = self.np.full(self.n, FINE)
        self.fates[turned(condition) & side & (self.fates == FINE)] = fate
        if not (self.fates == FINE).any():
            raise Settled

    def answers(self, found: Any, answer: Any, guard: int) -> None:
        """Give the points at which a guard has another answer its number."""
        self.answered[guard] = self.np.broadcast_to(found, self.n)
        self.holds(self.answered[guard] == answer, True, guard)


def each(function: Callable[..., Any], kind: Any = float) -> Callable[..., Any]:
    """A function of floats at each point of NumPy's arrays; where it fails nan, or False of truth values."""
    def at(*xs: float) -> Any:
        try:
            return function(*xs)
        except (ArithmeticError, ValueError, TypeError):
            return False if kind is bool else math.nan

    def over(*xs: Any) -> Any:
        import numpy

        places = numpy.broadcast_arrays(*xs)
        rows = zip(*[x.ravel().tolist() for x in places])
        found = errstate("ignore").run(lambda: numpy.fromiter(itertools.starmap(at, rows), kind))
        return found.reshape(places[0].shape)
    return over


def either(condition: Any, *others: Callable[[], Any]) -> Any:
    """Whether one of some conditions holds; the others are asked only if the first does not everywhere."""
    for other in others:
        if condition.all():
            break
        condition = condition | other()
    return condition


def turned(x: Any) -> Any:
    """Not x: an array of truth values, or one."""
    return not x if type(x) is bool else ~x


def smooth(op: Op) -> Callable[..., Any]:
    """Whether operands, arrays, lie away from the kink of an op."""
    def away(*xs: Any) -> Any:
        try:
            return op.kink(*xs) != 0.0
        except (ValueError, TypeError):                     # (it branches, or is of numbers alone)
            return each(op.kink)(*xs) != 0.0
    return away


# -- the source --------------------------------------------------------------------------------------


class ArrayExpressions(Expressions):
    """Writes instructions as expressions of arrays."""

    def __init__(self, recording: Recording, found: Functions, watch: bool):
        self.found, self.watch, self.always = found, watch, recording.firm.get((), set[int]())
        super().__init__(recording if watch else recording._replace(firm={}))
        self.names = {"xp": found, "inf": math.inf, "nan": math.nan, "either": either, "turned": turned,
                      "within": within, "added": added, "chosen": chosen,
                      **{function.__name__: functools.partial(function, found, watch)
                         for function in (looked, gather, scatter)}}
        self.taken |= {*self.names, "at", "captured"}
        self.held: dict[int, tuple[Written, set[int]]] = {}      # written where used; what they use
        self.users = {x: k for k in self.needed for x in self.code.operands[k]}

    def holds(self, check: Check) -> bool:
        """Whether a check need not be made."""
        return not self.watch or super().holds(check)

    def written(self, k: int) -> Written:
        """A place as an operand."""
        op = self.code.ops[k]
        if op is CONSTANT:
            x = self.code.data[k]
            return literal(x) if x - x == 0.0 else Written("-inf", SUM) if x == -math.inf else Written(str(x))
        if k in self.held:
            text, used = self.held.pop(k)
            self.used |= used
            return text
        self.used.add(k)
        name = self.variable(k)
        return Written(f"xp.where({name}, 1.0, 0.0)" if isinstance(op, Comparison) else name)

    def condition(self, k: int) -> Written:
        """A place as a condition."""
        if isinstance(self.code.ops[k], Comparison):
            self.used.add(k)
            return Written(self.variable(k))
        return Written(f"{self.written(k).text} != 0.0", LOOSE)

    def expression(self, k: int) -> Written:
        """What an instruction computes."""
        op, operands, code = self.code.ops[k], self.code.operands[k], self.code
        if op is choose:
            condition = self.condition(operands[0]).text
            xs = [self.written(x).text for x in operands[1:]]
            return Written(f"xp.where({condition}, {xs[0]}, {xs[1]})")
        if op is INDEX and self.watch:
            return self.written(operands[0])
        if op is INDEX:                         # (on one side of a choice it may be any)
            xs = [self.written(x).text for x in operands]
            return Written(f"chosen({', '.join(xs)}, {k in self.always})")
        if op is ITEM and operands[0] in self.tables:
            return self.called("looked", map(self.written, operands))
        if op is ADDED and k in self.spread:
            return self.called("added", map(self.written, operands))
        if op is ITEM and code.ops[operands[1]] is CONSTANT:
            return Written(f"{self.written(operands[0]).text}[{int(code.data[operands[1]])}]")
        form = None
        if isinstance(op, Op) and all([i >= len(operands) or code.ops[operands[i]] is CONSTANT
                                       for i in op.options]):
            form = array_form(op, [self.written(x) for x in operands])
        if form:
            return form
        texts = [self.written(x).text for x in operands]
        if op is SHARES:
            return Written(f"xp.shares({', '.join(texts)})")
        if op is ROWS:
            return Written(f"[{', '.join(texts)}]")
        if op is ITEM or op is ADDED:
            return Written(f"{'gather' if op is ITEM else 'scatter'}({', '.join(texts)})")
        return Written(f"{self.pointwise(op)}({', '.join(texts)})")

    def pointwise(self, op: Any) -> str:
        """The name of a function that does what an op without an array form does, at each point."""
        name = f"partial_of_{op.op.name}" if isinstance(op, Partial) else op.name
        if self.found.namespace.__name__ != "numpy":
            raise InputError(f"{getattr(op, 'op', op).name} cannot be compiled for "
                             f"{self.found.namespace.__name__}: it has no form over arrays; write it with "
                             "ops that have one, or choose another target")
        return self.named(name, each(op if isinstance(op, Op) else op.forward))

    @staticmethod
    def terms(op: Any, operands: Sequence[int]) -> list[Sequence[int]]:
        """The numbers, and products of two, of which an instruction is the sum."""
        if op is PRODUCTS:
            return list(zip(operands[::2], operands[1::2]))
        if op is dot_op:                        # (the last may be a number to be added)
            n = len(operands) // 2
            return [*zip(operands[:n], operands[n:2 * n]), *[(x,) for x in operands[2 * n:]]]
        return [(x,) for x in operands] if op is sum_op else []

    def total(self, terms: Sequence[Sequence[int]]) -> Written:
        """Their sum, left to right."""
        found: Written | None = None
        for x, *by in terms:
            minus = found and by and self.code.is_constant(by[0], -1.0)
            y = self.written(x) if minus or not by else self.products((x, *by))
            found = y if found is None else infix(sub if minus else add, found, y)
        return found  # type: ignore[return-value]

    @staticmethod
    def holds_one(op: Any) -> bool:
        """Whether an expression may stand in an op's."""
        if op is PRODUCTS or op is sum_op or op is dot_op:
            return True
        form = op.notation.targets.get("array") if isinstance(op, Op) and op.notation else None
        return bool(form and isinstance(form.template, str) and not isinstance(op, Comparison)
                    and all([form.template.count(f"#{i}") == 1 for i in range(1, int(op.most) + 1)]))

    def question(self, check: Check, xs: Sequence[str]) -> str:
        """A condition for the ordinary way."""
        xs = [f"c{i}" if self.code.ops[k] is CONSTANT else self.written(k).text
              for i, k in enumerate(check.operands)]
        if text := self.condition_of(check, xs):
            return over_arrays(text)
        xs = [self.written(k).text for k in check.operands]
        op = getattr(check.question, "op", None)
        over = getattr(check.question, "over", None)
        function = over or (smooth(op) if isinstance(op, Op) else each(check.question.holds, bool))
        return f"{self.named('holds', function)}({', '.join(xs)})"


class ArrayWriter(ArrayExpressions):
    """Writes the source of one recording."""

    def __init__(self, recording: Recording, found: Functions, watch: bool):
        super().__init__(recording, found, watch)
        self.statements: list[tuple[str, int | None, set[int]]] = []        # and what each makes and uses
        self.pending: list[tuple[int, Side | None, Check | None]] = []      # what must be looked at

    def source(self, name: str = "f") -> str:
        """The whole source."""
        recording, code = self.recording, self.code
        inputs = [self.variable(k) for k in recording.inputs]
        captured = [self.variable(recording.captured[i]) for i in self.read]
        guards = list(enumerate(recording.guards))[::-1] if self.watch else []
        for k in self.needed:
            while guards and guards[-1][1].at <= k:
                self.guard(*guards.pop())
            if code.ops[k] not in (CONSTANT, INPUT) and k not in self.tables:
                self.instruction(k)
            if self.watch:
                if k in self.unsure:
                    self.pending.append((k, self.home.get(k), None))
                self.pending += [(k, self.home.get(k), check) for check in self.checks.get(k, ())]
        for index, guard in reversed(guards):
            self.guard(index, guard)
        shown = dict.fromkeys([k for k in self.outputs if code.ops[k] is not CONSTANT])
        self.pending += [(k, None, None) for k in shown if self.watch and k not in self.unsure]
        self.look()
        texts = [self.written(k).text for k in self.outputs]
        self.statement(f"return {', '.join(texts)}," if texts else "return ()")
        head = [f"def {name}({', '.join([*['at'] * self.watch, *inputs, 'captured'])}):"]
        if captured:
            head.append(f"    {', '.join(captured)}, = captured" if len(captured) == 1 else
                        f"    {', '.join(captured)} = captured")
        return "\n".join([*head, *[f"    {line}" for line in self.lines()], ""])

    def statement(self, text: str, made: int | None = None) -> None:
        self.statements.append((text, made, self.used))
        self.used = set()

    def lines(self) -> list[str]:
        """The statements, and where arrays are let go."""
        if not self.watch or len(self.statements) < _LONG:
            return [text for text, _, _ in self.statements]
        lines, later = [self.statements[-1][0]], set(self.statements[-1][2])
        later |= {*self.recording.inputs, *self.recording.captured, *self.tables}
        for text, made, used in reversed(self.statements[:-1]):
            gone = sorted((used | {made} if made is not None else used) - later)
            lines.append(text + (f"; del {', '.join(map(self.variable, gone))}" if gone else ""))
            later |= used
        return lines[::-1]

    # -- instructions ------------------------------------------------------------------------------

    def instruction(self, k: int) -> None:
        """An instruction as a statement, unless it is written where it is used."""
        op, operands = self.code.ops[k], self.code.operands[k]
        if self.watch and (op is ITEM or op is ADDED):
            for x in [operands[1]] if op is ITEM else operands[1::2]:
                if self.code.ops[x] not in (CONSTANT, INDEX):       # (which has a check of its own)
                    text = self.written(operands[0]).text
                    size = f"len({text})" if op is ITEM else text
                    self.statement(f"at.holds(within({self.written(x).text}, {size}))")
        if isinstance(op, Comparison):
            sign = op.notation.targets["array"].template.split()[1]
            a, b = [self.written(x) for x in operands]
            self.statement(f"{self.variable(k)} = {_inner(a)} {sign} {_inner(b)}", k)
            return
        terms = self.terms(op, operands)
        if len(terms) > _MANY:
            name = self.variable(k)
            self.statement(f"{name} = {self.total(terms[:_MANY]).text}", k)
            for i in range(_MANY, len(terms), _MANY):
                self.used.add(k)
                self.statement(f"{name} = {name} + ({self.total(terms[i:i + _MANY]).text})", k)
            return
        y = self.total(terms) if terms else self.expression(k)
        if (self.uses[k] == 1 and k not in self.unsure and op is not ROWS and k not in self.checks
                and len(y.text) < 60 and k not in self.recording.labels
                and self.holds_one(self.code.ops[self.users[k]])):
            self.held[k], self.used = (y, self.used), set()
            return
        self.statement(f"{self.variable(k)} = {y.text}", k)

    # -- what must hold ----------------------------------------------------------------------------

    def look(self) -> None:
        """Send points the eager way unless what is pending holds."""
        sums = dict[Any, list[int]]()
        for k, side, check in self.pending:
            path = tuple([(one.condition, one.answer) for one in side.path()] if side else [])
            if check:
                self.statement(f"at.holds({self.question(check, ())}{self.along(path)})")
            else:
                sums.setdefault(path, []).append(k)
        for path, places in sums.items():
            for i in range(0, len(places), _MANY):
                text = " + ".join([f"sum([x for _, x in {self.written(k).text}])" if k in self.spread else
                                   self.written(k).text for k in places[i:i + _MANY]])
                self.statement(f"at.finite({text}{self.along(path)})")
        self.pending = []

    def along(self, path: Sequence[tuple[int, bool]]) -> str:
        """The operand that says which points are on a side of choices, if not all."""
        conditions = [self.condition(k).text for k, _ in path]
        found = [f"({text})" if answer else f"turned({text})" for text, (_, answer) in zip(conditions, path)]
        return f", {' & '.join(found)}" if found else ""

    def guard(self, index: int, guard: Guard) -> None:
        """Give the points at which a guard has another answer its number."""
        self.look()
        xs = [self.written(x).text for x in guard.operands]
        text = re.sub(r"#(\d)", lambda at: xs[int(at[1]) - 1], guard.text)
        if _COMPARED.fullmatch(guard.text):
            self.statement(f"at.holds({text if guard.answer else f'turned({text})'}, True, {index})")
            return
        if guard.text == "int(#1)":
            text = f"xp.trunc({xs[0]})"
        else:
            function = eval(f"lambda x: {guard.text.replace('#1', 'x')}", {"math": math})
            text = f"{self.named('answer', each(function, object))}({xs[0]})"
        self.statement(f"at.answers({text}, {guard.answer!r}, {index})")


def _inner(x: Written) -> str:
    return x.text if x.precedence >= SUM else f"({x.text})"


@functools.lru_cache(maxsize=4096)
def over_arrays(question: str) -> str:
    """A condition of Python's for arrays.

    >>> over_arrays("not -1.0 < x < 1.0 or y == 0.0")
    'either(turned((-1.0 < x) & (x < 1.0)), lambda: y == 0.0)'
    """
    def text(node: ast.expr) -> str:
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            first, *rest = map(text, node.values)
            return f"either({', '.join([first, *[f'lambda: {x}' for x in rest]])})"
        if isinstance(node, ast.BoolOp):
            return " & ".join([f"({text(x)})" for x in node.values])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return f"turned({text(node.operand)})"
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            sides = [node.left, *node.comparators]
            return " & ".join([f"({text(ast.Compare(a, [op], [b]))})"
                               for a, op, b in zip(sides, node.ops, sides[1:])])
        return re.sub(r"\babs\(", "xp.abs(", ast.unparse(node))

    return text(ast.parse(question, mode="eval").body)


def function(recording: Recording, captured: Sequence[Any], found: Functions,
             watch: bool) -> tuple[Callable[..., Any], str, Plan]:
    """A function that runs a recording over arrays, its source, and what it needs."""
    writer = ArrayWriter(recording, found, watch)
    text = writer.source()
    names = {**writer.names, **writer.columns(captured)}
    exec(compile(text, "<compiled over arrays>", "exec"), names)
    return names["f"], text, writer
