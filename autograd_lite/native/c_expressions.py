"""Expressions of the small language (see `language`) in C; see `c`."""
from __future__ import annotations

import ast
import re
import unicodedata
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.native import runtime
from autograd_lite.native.expressions import EAGER
from autograd_lite.native.language import BOOL, FLOAT, FLOATS, INT, Function, refused
from autograd_lite.ops.notation import ATOM, COMPARISON, LOOSE, PRODUCT, SIGN, SUM


class Val(NamedTuple):
    """A value: its type, its text in C, how tightly that binds; for a list made here, its length."""

    kind: str
    text: str
    level: int = LOOSE
    size: int | None = None

    def at(self, least: int) -> str:
        """It as an operand that must bind so tightly."""
        return self.text if self.level >= least else f"({self.text})"


TYPES = {FLOAT: "double", INT: "long long", BOOL: "int"}
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.BitAnd: "&", ast.RShift: ">>"}
_COMPARED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_SPECIAL = {"nan": "NAN", "inf": "INFINITY", "-inf": "-INFINITY"}
_TAKEN = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int "
    "long register restrict return short signed sizeof static struct switch typedef union unsigned void "
    "volatile while asm typeof bool true false nullptr constexpr alignas alignof thread_local static_assert "
    "linux unix NAN INFINITY HUGE_VAL I".split())


def name_in_c(text: str) -> str:
    """A name as one that C takes: Greek letters by their names, others by their numbers.

    >>> name_in_c("β_1"), name_in_c("double"), name_in_c("größe")
    ('beta_1', 'double_', 'gr_f6_df_e')
    """
    found = ""
    for c in text:
        words = unicodedata.name(c, "").split()
        found += (c if c.isascii() else words[3].capitalize() if words[:2] == ["GREEK", "CAPITAL"] else
                  words[3].lower() if words[:2] == ["GREEK", "SMALL"] else f"_{ord(c):x}_")
    found = re.sub(r"\W", "_", found).replace("__", "_")
    return f"{found}_" if found in _TAKEN or found[:3] == "ag_" else found


class Lines:
    """The lines of one function."""

    def __init__(self, function: Function):
        self.function = function
        self.lines: list[str] = []
        self.depth = 1
        self.declared: dict[str, Val] = {}      # variables at the top
        self.env: dict[str, Val] = {}           # names of Python: what stands for them
        self.variables: dict[str, Val] = {}     # those that change
        self.names: set[str] = set()
        self.counts: Counter[str] = Counter()   # of names from one hint
        self.is_program = function.result == INT

    def margin(self, more: int = 0) -> str:
        return "    " * (self.depth + more)

    def line(self, text: str) -> None:
        self.lines.append(self.margin() + text)

    def fresh(self, hint: str) -> str:
        """A name that is not taken."""
        name = hint = name_in_c(hint)
        while name in self.names:
            self.counts[hint] += 1
            name = f"{hint}_{self.counts[hint] + 1}"
        self.names.add(name)
        return name

    def held(self, x: Val, hint: str = "t") -> Val:
        """A value under a name."""
        if x.level == ATOM and x.text.isidentifier():
            return x
        name = self.fresh(hint)
        self.line(f"const {TYPES[x.kind]} {name} = {x.text};")
        return Val(x.kind, name, ATOM)

    def variable(self, hint: str, kind: str) -> str:
        """A variable that is declared at the top."""
        name = self.fresh(hint)
        self.declared[name] = Val(kind, name, ATOM)
        return name

    def inside(self, work: Callable[[], Any]) -> tuple[Any, list[str]]:
        """What some work gives, and the lines that it wrote, which are for a block."""
        before, self.lines, self.depth = self.lines, [], self.depth + 1
        found = work()
        lines, self.lines, self.depth = self.lines, before, self.depth - 1
        return found, lines

    def block(self, head: str, lines: Sequence[str], otherwise: Sequence[str] = ()) -> None:
        """Write lines within an if, or the like."""
        self.line(f"{head} {{")
        self.lines += lines
        if otherwise:
            self.line("} else {")
            self.lines += otherwise
        self.line("}")


class Expressions(Lines):
    """Writes expressions."""

    def expr(self, node: ast.expr) -> Val:
        """The value of an expression."""
        way = getattr(self, f"of_{type(node).__name__}", None)
        if way is None:
            raise refused(node)
        return way(node)  # type: ignore[no-any-return]

    def of_Constant(self, node: ast.Constant) -> Val:
        x = node.value
        if not isinstance(x, (int, float)):
            raise refused(node)
        return Val(BOOL, str(int(x)), ATOM) if type(x) is bool else constant(x)

    def of_Name(self, node: ast.Name) -> Val:
        return self.env.get(node.id) or self.of_Attribute(node)

    def of_Attribute(self, node: Any) -> Val:
        x = self.function.named(node)
        if type(x) not in (int, float):
            raise refused(node, "no number")
        return constant(x)

    def of_NamedExpr(self, node: ast.NamedExpr) -> Val:
        x = self.expr(node.value)
        name = self.fresh(node.target.id)
        self.line(f"const {TYPES[x.kind]} {name} = {x.text};")
        self.env[node.target.id] = Val(x.kind, name, ATOM)
        return self.env[node.target.id]

    def of_UnaryOp(self, node: ast.UnaryOp) -> Val:
        x = self.expr(node.operand)
        if isinstance(node.op, ast.Not):
            return Val(BOOL, f"!{x.at(ATOM)}", SIGN)
        if isinstance(node.op, ast.UAdd):
            return x
        if not isinstance(node.op, ast.USub):
            raise refused(node)
        return Val(x.kind, f"-{x.at(ATOM)}", SIGN)

    def of_BinOp(self, node: ast.BinOp) -> Val:
        return self.binary(node, node.op, self.expr(node.left), self.expr(node.right))

    def binary(self, node: ast.AST, op: ast.operator, a: Val, b: Val) -> Val:
        """An operator between two values."""
        whole = a.kind == b.kind == INT
        kernel = {ast.Mod: runtime.modulo, ast.FloorDiv: runtime.floored}.get(type(op))
        if kernel:
            return self.called(kernel, [a, b], node)
        sign = _OPERATORS.get(type(op))
        if sign is None or sign in "&>>" and not whole:
            raise refused(node)
        if sign in "&>>":
            return Val(INT, f"{a.at(ATOM)} {sign} {b.at(ATOM)}")
        level = SUM if sign in "+-" else PRODUCT
        left = f"(double){a.at(ATOM)}" if whole and sign == "/" else a.at(level)
        return Val(INT if whole and sign != "/" else FLOAT, f"{left} {sign} {b.at(level + 1)}", level)

    def of_Compare(self, node: ast.Compare) -> Val:
        left, found = self.expr(node.left), list[str]()
        for i, (op, right_node) in enumerate(zip(node.ops, node.comparators)):
            right = self.expr(right_node)
            if type(op) not in _COMPARED:
                raise refused(node)
            if i + 1 < len(node.ops):
                right = self.held(right)
            found.append(f"{left.at(SUM)} {_COMPARED[type(op)]} {right.at(SUM)}")
            left = right
        return Val(BOOL, " && ".join(found), COMPARISON if len(found) == 1 else LOOSE)

    def of_BoolOp(self, node: ast.BoolOp) -> Val:
        sign = "&&" if isinstance(node.op, ast.And) else "||"
        found = self.expr(node.values[0])
        for x in node.values[1:]:
            more, lines = self.inside(lambda: self.expr(x))
            if lines:                           # only where it is asked
                name = self.variable("holds", BOOL)
                self.line(f"{name} = {found.text};")
                self.block(f"if ({name})" if sign == "&&" else f"if (!{name})",
                           [*lines, f"{self.margin(1)}{name} = {more.text};"])
                found = Val(BOOL, name, ATOM)
            else:
                found = Val(BOOL, f"{found.at(COMPARISON)} {sign} {more.at(COMPARISON)}")
        return found

    def of_IfExp(self, node: ast.IfExp) -> Val:
        test = self.expr(node.test)
        (a, some), (b, more) = [self.inside(lambda: self.expr(x)) for x in (node.body, node.orelse)]
        kind = a.kind if a.kind == b.kind else FLOAT
        if not some and not more:
            return Val(kind, f"{test.at(COMPARISON)} ? {a.at(SUM)} : {b.at(SUM)}")
        name = self.variable("choice", kind)
        self.block(f"if ({test.text})", *[[*lines, f"{self.margin(1)}{name} = {x.text};"]
                                          for x, lines in ((a, some), (b, more))])
        return Val(kind, name, ATOM)

    def of_Subscript(self, node: ast.Subscript) -> Val:
        array, i = self.expr(node.value), self.expr(node.slice)
        if array.kind != FLOATS or i.kind != INT:
            raise refused(node)
        if array.size is not None:
            i = self.within(i, array.size)
        return Val(FLOAT, f"{array.text}[{i.text}]", ATOM)

    def within(self, i: Val, size: int) -> Val:
        """An index into a list of this length, counted from its end if it is negative."""
        if re.fullmatch(r"-?\d+", i.text) and -size <= int(i.text) < size:
            return Val(INT, str(int(i.text) % size), ATOM)
        i = self.held(i, "i")
        if self.is_program:
            self.line(f"if ({i.text} < {-size} || {i.text} >= {size}) return {EAGER};")
        return Val(INT, f"{i.text} < 0 ? {i.text} + {size} : {i.text}")

    @abstractmethod
    def called(self, f: Any, xs: Sequence[Val], node: ast.AST) -> Val:
        """A call of a function."""


def constant(x: float) -> Val:
    """A plain number."""
    text = _SPECIAL.get(str(x), str(x))
    return Val(INT if type(x) is int else FLOAT, text, SIGN if text.startswith("-") else ATOM)
