"""Expressions of the small language (see `language`) as text of LLVM.

Each instruction is the one that Python does, in its order: no product and sum become one, no sum is
reordered. A function of `math` has a name of our own, so that nothing is known of it but that it is pure.
"""
from __future__ import annotations

import ast
import math
import struct
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd_lite.native import runtime
from autograd_lite.native.language import (BOOL, FLOAT, FLOATS, INT, INTS, OBJECT, OBJECTS, WORDS, Function,
                                           Untranslatable, refused)

EAGER = -1
LANES = "lanes"                                 # (over lanes: a whole number in each)
ENTRIES = {FLOATS: (FLOAT, "double"), INTS: (INT, "i32"), WORDS: (INT, "i64"), OBJECTS: (OBJECT, "ptr")}
TYPES = {FLOAT: "double", INT: "i64", BOOL: "i1", OBJECT: "ptr", **dict.fromkeys(ENTRIES, "ptr")}
_FLOAT_OPS = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_INT_OPS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and", ast.RShift: "ashr"}
_COMPARED = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
             ast.Is: "eq", ast.IsNot: "ne"}


class Val(NamedTuple):
    """A value: its type in the language, its text in LLVM; for a list made here, its length."""

    kind: str
    text: str
    size: int | None = None


def number(x: float) -> str:
    """A float."""
    return f"0x{struct.pack('>d', x).hex().upper()}"


NAN, NOTHING = Val(FLOAT, number(math.nan)), Val(OBJECT, "null")


class Lines:
    """The lines of one function, in blocks."""

    kinds, entries = TYPES, ENTRIES             # as LLVM has them, those of floats and truth values too:
    real, truth = TYPES[FLOAT], TYPES[BOOL]
    zero = "0"                                  # of whole numbers
    flags = ""                                  # what may be done to sums and products

    def __init__(self, function: Function):
        self.function = function
        self.lines: list[str] = []
        self.entry: list[str] = []
        self.slots: dict[str, Val] = {}         # variables in memory
        self.env: dict[str, Val] = {}           # others
        self.count = 0
        self.block = "entry"
        self.loops: list[tuple[str, str]] = []  # where continue and break go
        self.is_program = function.is_program

    def line(self, text: str) -> None:
        """Write an instruction."""
        self.lines.append(f"  {text}")

    def new(self, text: str) -> str:
        """Write an instruction; the name of its result."""
        self.count += 1
        self.lines.append(f"  %t{self.count} = {text}")
        return f"%t{self.count}"

    def label(self, hint: str) -> str:
        """A new label."""
        self.count += 1
        return f"{hint}{self.count}"

    def start(self, label: str) -> None:
        """Begin a block."""
        self.lines.append(f"{label}:")
        self.block = label

    def jump(self, label: str) -> None:
        """Go on there, if the block has no end yet."""
        if not self.ended():
            self.line(f"br label %{label}")

    def fork(self, condition: str, then: str, otherwise: str) -> None:
        """Go on at one of two blocks."""
        self.line(f"br i1 {condition}, label %{then}, label %{otherwise}")

    def ended(self) -> bool:
        """Whether the present block has its last instruction."""
        return bool(self.lines) and self.lines[-1].startswith(("  br ", "  ret ", "  unreachable"))

    def slot(self, kind: str, size: int = 1) -> str:
        """Memory of this function."""
        self.count += 1
        name = f"%m{self.count}"
        self.entry.append(f"  {name} = alloca {self.kinds[kind]}, i64 {size}")
        return name

    def fail(self, condition: str) -> None:
        """Leave a program for the eager way if a condition holds."""
        if self.is_program:
            gone, on = self.label("eager"), self.label("on")
            self.fork(condition, gone, on)
            self.start(gone)
            self.line(f"ret i64 {EAGER}")
            self.start(on)

    def floating(self, x: Val) -> str:
        """The text of a value as a float."""
        return self.converted(x, FLOAT).text

    def converted(self, x: Val, kind: str) -> Val:
        """A value as one of another type."""
        if x.kind == kind:
            return x
        if kind == FLOAT and x.kind == INT:
            if not x.text.lstrip("-").isdigit():
                return Val(FLOAT, self.new(f"sitofp i64 {x.text} to {self.real}"))
            if abs(int(x.text)) > 2 ** 53:
                raise Untranslatable(f"{x.text} is no float")
            return self.constant_of(float(int(x.text)))
        if kind in (FLOAT, INT) and x.kind == BOOL:
            return Val(kind, self.new(f"uitofp {self.truth} {x.text} to {self.real}" if kind == FLOAT else
                                      f"zext {self.truth} {x.text} to {self.kinds[kind]}"))
        raise Untranslatable(f"{self.function.name}: {x.kind} where {kind} is needed")

    def choice(self, condition: str, a: Val, b: Val) -> Val:
        """One of two values."""
        kind = a.kind if a.kind == b.kind else FLOAT
        a, b = self.converted(a, kind), self.converted(b, kind)
        return Val(kind, self.new(f"select {self.truth} {condition}, {self.kinds[kind]} {a.text}, "
                                  f"{self.kinds[kind]} {b.text}"))

    def number(self, x: float) -> str:
        """A float, as text."""
        return number(x)

    def constant_of(self, x: float) -> Val:
        """A float."""
        return Val(FLOAT, self.number(x))

    def spread(self, x: Val) -> Val:
        """A whole number, as comparisons need it."""
        return x

    def opposite(self, condition: str) -> str:
        """Whether a condition does not hold."""
        return self.new(f"xor {self.truth} {condition}, {self.flag(True)}")

    def flag(self, x: bool) -> str:
        """A truth value, as text."""
        return str(x).lower()

    def listed(self, xs: Sequence[Val]) -> Val:
        """A list of these."""
        place = self.slot(FLOAT, max(len(xs), 1))
        for i, x in enumerate(xs):
            at = self.new(f"getelementptr {self.real}, ptr {place}, i64 {i}")
            self.line(f"store {self.real} {self.floating(x)}, ptr {at}")
        return Val(FLOATS, place, len(xs))


class Arithmetic(Lines):
    """Writes expressions of numbers."""

    def expr(self, node: ast.expr) -> Val:
        """The value of an expression."""
        way = getattr(self, f"of_{type(node).__name__}", None)
        if way is None:
            raise refused(node)
        return way(node)  # type: ignore[no-any-return]

    def test(self, node: ast.expr) -> str:
        """The text of an expression as a condition."""
        if isinstance(node, ast.BoolOp):
            return self.of_BoolOp(node).text
        x = self.expr(node)
        return (x.text if x.kind == BOOL else self.new(f"fcmp une {self.real} {x.text}, {self.number(0.0)}")
                if x.kind == FLOAT else self.new(f"icmp ne i64 {x.text}, 0"))

    def of_Constant(self, node: ast.Constant) -> Val:
        x = node.value
        if type(x) is bool:
            return Val(BOOL, self.flag(x))
        if type(x) is int:
            return Val(INT, str(x))
        if x is None:
            return NOTHING
        if type(x) is not float:
            raise refused(node)
        return self.constant_of(x)

    def of_Name(self, node: ast.Name) -> Val:
        slot = self.slots.get(node.id)
        if slot is not None:
            return Val(slot.kind, self.new(f"load {self.kinds[slot.kind]}, ptr {slot.text}"))
        return self.env.get(node.id) or self.constant(node)

    def of_Attribute(self, node: ast.Attribute) -> Val:
        return self.constant(node)

    def constant(self, node: ast.expr) -> Val:
        """A number that is known by a name."""
        x = self.function.named(node)
        if type(x) is float:
            return self.constant_of(x)
        if type(x) is not int:
            raise refused(node, "no number")
        return Val(INT, str(x))

    def of_NamedExpr(self, node: ast.NamedExpr) -> Val:
        value = self.env[node.target.id] = self.expr(node.value)
        return value

    def of_UnaryOp(self, node: ast.UnaryOp) -> Val:
        if isinstance(node.op, ast.Not):
            return Val(BOOL, self.opposite(self.test(node.operand)))
        x = self.expr(node.operand)
        if isinstance(node.op, ast.UAdd):
            return x
        if not isinstance(node.op, ast.USub):
            raise refused(node)
        if x.kind == INT:
            return Val(INT, str(-int(x.text)) if x.text.isdigit() else self.new(f"sub i64 0, {x.text}"))
        return Val(FLOAT, self.new(f"fneg {self.real} {self.floating(x)}"))

    def of_BinOp(self, node: ast.BinOp) -> Val:
        return self.binary(node, node.op, self.expr(node.left), self.expr(node.right))

    def binary(self, node: ast.AST, op: ast.operator, a: Val, b: Val) -> Val:
        """An operator between two values."""
        if a.kind == b.kind == INT and type(op) in _INT_OPS:
            return Val(INT, self.new(f"{_INT_OPS[type(op)]} i64 {a.text}, {b.text}"))
        x, y = self.floating(a), self.floating(b)
        if type(op) in _FLOAT_OPS:
            return Val(FLOAT, self.new(f"{_FLOAT_OPS[type(op)]} {self.flags}{self.real} {x}, {y}"))
        kernel = {ast.Mod: runtime.modulo, ast.FloorDiv: runtime.floored}.get(type(op))
        if kernel is None:
            raise refused(node)
        return self.called(kernel, [Val(FLOAT, x), Val(FLOAT, y)], node)

    def of_Compare(self, node: ast.Compare) -> Val:
        left, found = self.expr(node.left), ""
        for op, right_node in zip(node.ops, node.comparators):
            right = self.expr(right_node)
            word = _COMPARED.get(type(op))
            if word is None or isinstance(op, (ast.Is, ast.IsNot)) is not (left.kind == right.kind == OBJECT):
                raise refused(node)
            if left.kind == OBJECT:
                one = self.new(f"icmp {word} ptr {left.text}, {right.text}")
            elif {left.kind, right.kind} <= {INT, LANES}:
                sign, (x, y) = "" if word in ("eq", "ne") else "s", map(self.spread, (left, right))
                one = self.new(f"icmp {sign}{word} {self.kinds[x.kind]} {x.text}, {y.text}")
            else:
                a, b = self.floating(left), self.floating(right)
                one = self.new(f"fcmp {'u' if word == 'ne' else 'o'}{word} {self.real} {a}, {b}")
            found, left = self.new(f"and {self.truth} {found}, {one}") if found else one, right
        return Val(BOOL, found)

    def of_BoolOp(self, node: ast.BoolOp) -> Val:
        is_and = isinstance(node.op, ast.And)
        found = self.test(node.values[0])
        for x in node.values[1:]:
            if not has_calls(x):
                word = "and" if is_and else "or"
                found = self.new(f"{word} {self.truth} {found}, {self.test(x)}")
                continue
            first, more, after = self.block, self.label("more"), self.label("after")
            self.fork(found, *((more, after) if is_and else (after, more)))
            self.start(more)
            other = self.test(x)
            last = self.block
            self.jump(after)
            self.start(after)
            found = self.new(f"phi i1 [ {str(not is_and).lower()}, %{first} ], [ {other}, %{last} ]")
        return Val(BOOL, found)

    def of_IfExp(self, node: ast.IfExp) -> Val:
        condition = self.test(node.test)
        if not (has_calls(node.body) or has_calls(node.orelse)):
            return self.choice(condition, self.expr(node.body), self.expr(node.orelse))
        then, otherwise, after = map(self.label, ("then", "else", "after"))
        self.fork(condition, then, otherwise)
        ends = []
        for label, part in ((then, node.body), (otherwise, node.orelse)):
            self.start(label)
            value = self.expr(part)
            kind = OBJECT if value.kind == OBJECT else FLOAT
            ends.append(f"[ {self.converted(value, kind).text}, %{self.block} ]")
            self.jump(after)
        self.start(after)
        return Val(kind, self.new(f"phi {TYPES[kind]} {', '.join(ends)}"))

    @abstractmethod
    def called(self, f: Any, xs: Sequence[Val], node: ast.AST) -> Val:
        """A call of a function."""


class Expressions(Arithmetic):
    """Writes expressions, those of arrays too."""

    def of_Subscript(self, node: ast.Subscript) -> Val:
        array, at = self.place(node)
        kind, text = self.entries[array.kind]
        x = self.new(f"load {text}, ptr {at}")
        return Val(kind, self.new(f"sext i32 {x} to i64") if text == "i32" else x)

    def place(self, node: ast.Subscript) -> tuple[Val, str]:
        """An array and the address of one of its entries."""
        array, i = self.expr(node.value), self.expr(node.slice)
        if array.kind not in self.entries or i.kind != INT:
            raise refused(node)
        if array.size is not None:
            i = self.within(i, array.size)
        return array, self.new(f"getelementptr {self.entries[array.kind][1]}, ptr {array.text}, i64 {i.text}")

    def within(self, i: Val, size: int) -> Val:
        """An index into a list of this length, counted from its end if it is negative."""
        if i.text.lstrip("-").isdigit() and -size <= int(i.text) < size:
            return Val(INT, str(int(i.text) % size))
        low = self.new(f"icmp slt i64 {i.text}, 0")
        end = self.new(f"add i64 {i.text}, {size}")
        text = self.new(f"select i1 {low}, i64 {end}, i64 {i.text}")
        self.fail(self.new(f"icmp uge i64 {text}, {size}"))
        return Val(INT, text)


def has_calls(node: ast.AST) -> bool:
    """Whether an expression calls a function."""
    return any([isinstance(x, ast.Call) for x in ast.walk(node)])
