"""The Python target: the source of a function of floats that runs a recorded program.

The function takes the arguments' numbers and then those of captured Values, and returns the results; or, as
an int, which guard failed first, or `EAGER` where only the eager way will do: a number that is not finite, or
operands that are extreme for a rule. (What fails raises an ArithmeticError or a ValueError, which means the
same.)

An instruction that only one side of a choice needs stands in an ``if``. Small expressions that are used once
are written where they are used.
"""
from __future__ import annotations

import builtins
import functools
import keyword
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from autograd_lite.ops.custom import Custom
from autograd_lite.ops.elementary import add, div, mul, neg, sub
from autograd_lite.ops.notation import COMPARISON, PRODUCT, SUM, Written, literal
from autograd_lite.ops.op import TABLE, Op
from autograd_lite.ops.selection import Comparison, choose
from autograd_lite.ops.sequences import dot_op, sum_op
from autograd_lite.programs.code import (ADDED, CONSTANT, INDEX, INPUT, ITEM, PRODUCTS, ROWS, SHARES,
                                         Check, Partial)
from autograd_lite.programs.inline import expression as in_line
from autograd_lite.programs.layout import Plan, Side
from autograd_lite.programs.pieces import pieces
from autograd_lite.programs.recording import Recording

EAGER = -1
_HOLD = {add, sub, mul, div, neg, PRODUCTS}             # an expression may stand in these
_SUM = 24                                               # the most terms of a sum in one statement
_PIECE = 1500                                           # the most statements of one function


@functools.lru_cache(maxsize=1)
def reserved() -> frozenset[str]:
    """Names that a variable may not have."""
    forms = [op.notation.targets.get("python") for op in TABLE.values() if op.notation]
    own = [name for form in forms if form and isinstance(form.template, str)
           for name in re.findall(r"(\w+) :=", form.template)]
    ours = [name for name, op in TABLE.items() if not isinstance(op, Custom)]
    return frozenset([*keyword.kwlist, *dir(builtins), *dir(math), *ours, *own, "math", "m", "finite", "f",
                      "captured", "row"])


_OURS = re.compile(r"_.*|[vc]\d+|f_\d+")                # other names that a variable may not have


def identifier(label: str) -> str:
    """A label as a name of ASCII letters, or of others that Python takes as they are; "" if it is none.

    >>> identifier("w[0, 1]"), identifier("E'"), identifier("3rd"), identifier("ﬁt")
    ('w_0_1', 'E', '_3rd', 'fit')
    """
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", label)).strip("_")
    return name if name.isidentifier() or not name else f"_{name}"


_INFIX = {add: ("+", SUM), sub: ("-", SUM), mul: ("*", PRODUCT), div: ("/", PRODUCT)}


def infix(op: Any, a: Written, b: Written) -> Written:
    """An operator between two operands, as its notation has it, in less time."""
    sign, precedence = _INFIX[op]
    left = a.text if a.precedence >= precedence else f"({a.text})"
    right = b.text if b.precedence > precedence else f"({b.text})"
    return Written(f"{left} {sign} {right}", precedence)


class Names(Plan):
    """The names of what is written."""

    def __init__(self, recording: Recording):
        self.names: dict[str, Any] = {"math": math}     # what the source refers to
        super().__init__(recording)
        self.variables: dict[int, str] = {}
        self.taken: set[str] = set()
        self.texts: dict[int, Written] = {}
        self.inline: dict[int, set[int]] = {}           # what an expression that has no statement uses
        self.used: set[int] = set()                     # the places that the present statement uses

    def named(self, hint: str, thing: Any) -> str:
        """The name of a function in the source."""
        name = identifier(hint)
        while (name in self.taken or keyword.iskeyword(name)
               or self.names.setdefault(name, thing) is not thing):
            name += "_"
        return name

    def variable(self, k: int) -> str:
        name = self.variables.get(k)
        if name is None:
            label = self.recording.labels.get(k)
            name = identifier(label) if label else ""
            if not name or name in reserved() or _OURS.fullmatch(name):
                name = f"v{k}"
            while name in self.taken or name in self.names:
                name += "_"
            self.variables[k] = name
            self.taken.add(name)
        return name


class Expressions(Names):
    """Writes instructions as expressions."""

    @functools.cached_property
    def users(self) -> dict[int, int]:
        """For each place an instruction that uses it."""
        return {x: k for k in self.needed for x in self.code.operands[k]}

    def written(self, k: int) -> Written:
        """A place as an operand."""
        found = self.texts.get(k)
        if found is None:
            if self.code.ops[k] is CONSTANT:
                x = self.code.data[k]
                found = literal(x) if x - x == 0.0 else Written(
                    "math.nan" if x != x else "math.inf" if x > 0.0 else "(-math.inf)")
            else:
                found = Written(self.variable(k))
            self.texts[k] = found
        self.used.update(self.inline.get(k) or (() if self.code.ops[k] is CONSTANT else (k,)))
        return found

    def columns(self, captured: Sequence[Any]) -> dict[str, list[Any]]:
        """What the source calls its tables, lists of captured Values."""
        return {self.variable(k): [captured[i] for i in places] for k, places in self.tables.items()}

    def condition(self, k: int) -> Written:
        """A place as a condition."""
        op = self.code.ops[k]
        if isinstance(op, Comparison) and k not in self.unsure:
            a, b = self.code.operands[k]
            form = op.notation.targets["python"]
            return Written(form.template.removeprefix("1.0 if ").removesuffix(" else 0.0").replace(
                "#1", self.written(a).text).replace("#2", self.written(b).text), COMPARISON)
        return self.written(k)

    # -- expressions -----------------------------------------------------------------------------

    def expression(self, k: int) -> Written:
        """What an instruction computes."""
        op, operands = self.code.ops[k], self.code.operands[k]
        if pairs := self.pairs(k):
            return self.products(pairs)
        if op is ITEM:
            number = "._data" if operands[0] in self.tables else ""
            return Written(f"{self.written(operands[0]).text}[{self.whole(operands[1])}]{number}")
        if op is INDEX:
            return Written(f"int({self.written(operands[0]).text})")
        if op in _INFIX:
            return infix(op, self.written(operands[0]), self.written(operands[1]))
        xs = [self.condition(x) if op is choose and not i else self.written(x)
              for i, x in enumerate(operands)]
        if isinstance(op, Partial):
            return self.called(self.named(f"partial_of_{op.op.name}", op.forward), xs)
        if not isinstance(op, Op):
            return self.step(op, [x.text for x in xs])
        if y := in_line(op, xs):
            return Written(re.sub(r"math\.(\w+)", lambda word: self.named(word[1], getattr(math, word[1])),
                                  y.text), y.precedence)
        kernel = getattr(op.forward, "__name__", op.name)
        return self.called(self.named(kernel if getattr(math, kernel, None) is op.forward else op.name,
                                      op.forward), xs)

    @staticmethod
    def called(name: str, xs: Iterable[Written]) -> Written:
        return Written(f"{name}({', '.join([x.text for x in xs])})")

    def whole(self, k: int) -> str:
        """A place as an index."""
        if self.code.ops[k] is CONSTANT:
            return str(int(self.code.data[k]))
        text = self.written(k).text
        return text if self.code.ops[k] is INDEX else f"int({text})"

    def step(self, op: Any, xs: Sequence[str]) -> Written:
        if op is ROWS:
            return Written(f"({', '.join(xs)},)")
        return self.called(self.named({SHARES: "softmax"}.get(op, op.name), op.forward),
                           map(Written, xs))

    def pairs(self, k: int) -> Sequence[Any]:
        """The factors of a sum of products, two by two, with None for 1; empty for anything else."""
        op, operands = self.code.ops[k], self.code.operands[k]
        if op is PRODUCTS:
            return operands
        if op is sum_op:
            return [x for k in operands for x in (k, None)]
        if op is dot_op and len(operands) > 1:
            n = len(operands) // 2
            return [*[x for i in range(n) for x in (operands[i], operands[n + i])],
                    *[x for k in operands[2 * n:] for x in (k, None)]]
        return ()

    def products(self, operands: Sequence[Any]) -> Written:
        """A sum of products; None stands for 1."""
        constant, total = self.code.is_constant, None
        for a, b in zip(operands[::2], operands[1::2]):
            if b is None:
                total = self.written(a) if total is None else infix(add, total, self.written(a))
                continue
            a, b = (b, a) if constant(a, 1.0) or constant(a, -1.0) else (a, b)
            minus = constant(b, -1.0) and total is not None
            term = (self.written(a) if constant(b, 1.0) or minus else
                    neg.notation.text(self.written(a)) if constant(b, -1.0) else
                    infix(mul, self.written(a), self.written(b)))
            total = term if total is None else infix(sub if minus else add, total, term)
        return total  # type: ignore[return-value]

    def rest(self, name: str, operands: Sequence[Any]) -> str:
        """name + a sum of products, left to right."""
        total = Written(name)
        constant = self.code.is_constant
        for a, b in zip(operands[::2], operands[1::2]):
            term = (self.written(a) if b is None or constant(b, 1.0) else
                    self.written(b) if constant(a, 1.0) else infix(mul, self.written(a), self.written(b)))
            total = infix(add, total, term)
        return total.text

    def question(self, check: Check, xs: Sequence[str]) -> str:
        """A condition for the ordinary way."""
        if text := self.condition_of(check, xs):
            return text
        texts = [literal(self.code.data[k]).text if self.code.ops[k] is CONSTANT else x
                 for x, k in zip(xs, check.operands)]
        return f"{self.named('holds', check.question.holds)}({', '.join(texts)})"


class Writer(Expressions):
    """Writes the source of one recording."""

    def source(self, name: str = "f") -> str:
        """The whole source."""
        recording, code = self.recording, self.code
        self.taken.add(name)
        inputs = [self.variable(k) for k in recording.inputs]
        captured = [self.variable(recording.captured[i]) for i in self.read]
        self.pending: list[int] = []                # to be looked at
        self.run: list[tuple[Side, list[str]]] = []             # lines on sides of choices
        self.made: list[int] = []                   # by the present statement
        self.statements: list[tuple[list[str], set[int], set[int]]] = []    # lines, made, used
        guards = list(enumerate(recording.guards))[::-1]
        for k in self.needed:
            while guards and guards[-1][1].at <= k:
                self.guard(*guards.pop())
            side = self.home.get(k)
            if side is None and self.run:
                self.end_run()
            if code.ops[k] not in (CONSTANT, INPUT) and k not in self.tables and (lines := self.lines(k)):
                self.made.append(k)
                if side is None:
                    self.statement(lines)
                else:
                    self.run.append((side, lines + (self.finite([k]) if k in self.unsure else [])))
            if k in self.unsure and side is None:
                self.pending.append(k)
        while guards:
            self.guard(*guards.pop())
        if self.run:
            self.end_run()
        self.look([*self.pending, *dict.fromkeys([k for k in self.outputs if code.ops[k] is not CONSTANT])])
        self.statement(self.returned([self.written(k).text for k in self.outputs]))
        return self.assembled(name, inputs, captured)

    def returned(self, texts: Sequence[str]) -> list[str]:
        """The results, at the end."""
        return [f"return {', '.join(texts)}," if texts else "return ()"]

    def assembled(self, name: str, inputs: Sequence[str], captured: Sequence[str]) -> str:
        """The statements as one function, or as many with a memory for what they share."""
        head = [f"def {name}({', '.join([*inputs, 'captured'])}):"]
        if captured:
            head += [f"    {', '.join(captured)}{',' if len(captured) == 1 else ''} = captured"]
        if self.size() <= _PIECE:
            return "\n".join([*head, *self.body(), ""])
        return pieces(self, name, _PIECE)

    def size(self) -> int:
        """How many lines there are."""
        return sum([len(lines) for lines, _, _ in self.statements])

    def body(self) -> list[str]:
        """All lines."""
        return [f"    {line}" for lines, _, _ in self.statements for line in lines]

    def statement(self, lines: list[str]) -> None:
        self.statements.append((lines, set(self.made), self.used))
        self.used, self.made = set(), []

    def end_run(self) -> None:
        """The lines on sides of choices, each in its ifs."""
        lines, above = list[str](), list[Side]()
        elses = list[bool]()                    # for each of these whether it is an else
        for side, more in self.run:
            path = side.path()
            n = 0
            while n < len(above) and n < len(path) and above[n] is path[n]:
                n += 1
            for i in range(n, len(path)):
                one = path[i]
                turned = (i == n < len(above) and not elses[i] and above[i].condition == one.condition)
                elses[i:] = [turned]
                text = self.condition(one.condition).text
                lines.append("    " * i + ("else:" if turned else f"if {text}:" if one.answer else
                                           f"if not ({text}):"))
            above, elses = path, elses[:len(path)]
            lines += ["    " * len(path) + line for line in more]
        self.run = []
        self.statement(lines)

    def look(self, places: Sequence[int]) -> None:
        """Take the eager way unless these numbers are finite."""
        for i in range(0, len(places), _SUM):
            self.statement(self.finite(places[i:i + _SUM]))
        self.pending = []

    def finite(self, places: Sequence[int]) -> list[str]:
        text = " + ".join([f"sum({self.written(k).text}.values())" if k in self.spread else
                           self.written(k).text for k in places])
        if len(places) == 1 and places[0] not in self.spread:
            return [f"if {text} - {text} != 0.0: return {EAGER}"]
        return [f"finite = {text}", f"if finite - finite != 0.0: return {EAGER}"]

    def guard(self, index: int, guard: Any) -> None:
        """Return the guard's number if its answer is another."""
        if self.run:
            self.end_run()
        if self.pending:
            self.look(self.pending)
        xs = [self.written(x).text for x in guard.operands]
        text = re.sub(r"#(\d)", lambda at: xs[int(at[1]) - 1], guard.text)
        text = re.sub(r"math\.(\w+)", lambda word: self.named(word[1], getattr(math, word[1])), text)
        failed = (f"not {text}" if guard.answer is True else text if guard.answer is False else
                  f"{text} != {guard.answer!r}")
        self.statement([f"if {failed}: return {index}"])

    def lines(self, k: int) -> list[str]:
        """An instruction as lines; none if it is written where it is used."""
        code, op = self.code, self.code.ops[k]
        lines = list[str]()
        if isinstance(op, Comparison) and not self.uses[k]:
            return []
        pairs: Sequence[Any] = self.pairs(k)
        if len(pairs) > 2 * _SUM:
            operands, name = pairs, self.variable(k)
            lines.append(f"{name} = {self.products(operands[:2 * _SUM]).text}")
            for i in range(2 * _SUM, len(operands), 2 * _SUM):
                lines.append(f"{name} = {self.rest(name, operands[i:i + 2 * _SUM])}")
        elif op is ADDED:
            size, *pairs = code.operands[k]
            name, n = self.variable(k), self.whole(size)
            lines.append(f"{name} = {'{}' if k in self.spread else f'[0.0] * {n}'}")
            lines += [f"{name}[row] = {name}.get(row := {self.whole(i)} % {n}, 0.0) + {self.written(x).text}"
                      if k in self.spread else f"{name}[{self.whole(i)}] += {self.written(x).text}"
                      for i, x in zip(pairs[::2], pairs[1::2])]
        else:
            used, self.used = self.used, set()
            y = self.expression(k)
            if (self.uses[k] == 1 and k not in self.unsure and k not in self.checks and len(y.text) < 60
                    and k not in self.recording.labels and self._stands(k)):
                self.texts[k], self.inline[k], self.used = y, self.used, used
                return []
            self.used |= used
            lines.append(f"{self.variable(k)} = {y.text}")
        for check in self.checks.get(k, ()):
            xs = [self.written(x).text if code.ops[x] is not CONSTANT else f"c{i}"
                  for i, x in enumerate(check.operands)]
            lines.append(f"if not ({self.question(check, xs)}): return {EAGER}")
        return lines

    def _stands(self, k: int) -> bool:
        """Whether the one user of a place can hold its expression."""
        user = self.users.get(k)
        if user is not None and self.code.ops[user] is choose:
            return k in self.code.operands[user][1:]
        return (user is not None and self.code.ops[user] in _HOLD and self.home.get(user) == self.home.get(k)
                and len(self.code.operands[user]) <= 2 * _SUM)


def function(recording: Recording, captured: Sequence[Any] = (), name: str = "f") -> tuple[Any, str, Plan]:
    """A function that runs a recording, its source, and what it needs. Of the captured Values it takes the
    numbers of those that are `read`."""
    writer = Writer(recording)
    text = writer.source(name)
    names = {**writer.names, **writer.columns(captured)}
    exec(compile(text, f"<compiled {name}>", "exec", dont_inherit=True), names)
    return names[name], text, writer
