"""Functions of the small language (see `language`) over lanes: each number is one at many points.

Nothing branches on numbers: both sides of a condition are computed, and a mask says which lanes a statement
is for. So a ``return`` settles what becomes of some lanes, and the others go on. A call that has no form
over lanes is made for each lane that is alive.
"""
from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autograd_lite.native import runtime
from autograd_lite.native.expressions import EAGER, LANES, Val, has_calls, number
from autograd_lite.native.language import (BOOL, FLOAT, FLOATS, INT, Function, Untranslatable, function_of,
                                           refused)
from autograd_lite.native.lanes import symbol as vector_symbol
from autograd_lite.native.lanes import tuned, width
from autograd_lite.native.llvm import Body, Unit


class VectorUnit(Unit):
    """A module of functions over lanes."""

    def text(self) -> str:
        bits = 64 * width()
        facts = [f'"min-legal-vector-width"="{bits}" "prefer-vector-width"="{bits}" "stackrealign"', *tuned()]
        return f"{super().text()}\nattributes #0 = {{ nounwind {' '.join(facts)} }}\n"

    def lane_by_lane(self, f: str, n: int) -> str:
        """The name of a function that does what one of n floats does, in each lane that is alive."""
        name = f"each_{f}"
        if name not in self.declared:
            self.declared[name] = ""
            lanes = width()
            real = f"<{lanes} x double>"
            lines, y, block = [], "zeroinitializer", "entry"
            for i in range(lanes):
                given = [f"double %x{i}_{j}" for j in range(n)]
                lines += [f"  %alive{i} = extractelement <{lanes} x i1> %mask, i64 {i}",
                          f"  br i1 %alive{i}, label %call{i}, label %next{i}", f"call{i}:",
                          *[f"  %x{i}_{j} = extractelement {real} %x{j}, i64 {i}" for j in range(n)],
                          f"  %one{i} = call double @{f}({', '.join(given)})",
                          f"  %with{i} = insertelement {real} {y}, double %one{i}, i64 {i}",
                          f"  br label %next{i}", f"next{i}:",
                          f"  %y{i} = phi {real} [ {y}, %{block} ], [ %with{i}, %call{i} ]"]
                y, block = f"%y{i}", f"next{i}"
            params = ", ".join([*[f"{real} %x{j}" for j in range(n)], f"<{lanes} x i1> %mask"])
            self.texts.append("\n".join([f"define internal {real} @{name}({params}) #0 {{", "entry:", *lines,
                                         f"  ret {real} {y}", "}", ""]))
        return name


class Masks(Body):
    """What the statements are for.

    Attributes:
        where: the mask of the present statement, beside those that are alive; "" for all.
        alive: the place of the mask of the lanes in which the function has not ended.
        results: the place of its results.
    """

    unit: VectorUnit

    def __init__(self, unit: Unit, function: Function):
        super().__init__(unit, function)
        n = width()
        self.real, self.truth, self.whole_kind = f"<{n} x double>", f"<{n} x i1>", f"<{n} x i64>"
        self.kinds = {FLOAT: self.real, INT: "i64", BOOL: self.truth, LANES: self.whole_kind, FLOATS: "ptr"}
        self.entries = {FLOATS: (FLOAT, self.real)}
        self.zero = "zeroinitializer"
        self.where = ""
        self.result = LANES if function.result == INT else function.result
        self.alive, self.results = self.slot(BOOL), self.slot(self.result)
        self.active: list[tuple[str, str]] = []     # in loops: lanes still in the loop, in this turn of it

    def number(self, x: float) -> str:
        return f"splat (double {number(x)})"

    def flag(self, x: bool) -> str:
        return f"splat (i1 {super().flag(x)})"

    def load(self, kind: str, place: str) -> str:
        return self.new(f"load {self.kinds[kind]}, ptr {place}")

    def both(self, a: str, b: str) -> str:
        """Where two masks hold."""
        return self.new(f"and {self.truth} {a}, {b}") if a and b else a or b

    def acting(self) -> str:
        """The lanes in which the present statement is done."""
        return self.both(self.where, self.load(BOOL, self.alive))

    def clear(self, place: str, mask: str) -> None:
        """Take lanes out of a mask in memory."""
        kept = self.both(self.load(BOOL, place), self.opposite(mask))
        self.line(f"store {self.truth} {kept}, ptr {place}")

    def any(self, mask: str) -> str:
        """Whether a mask holds in some lane."""
        n = width()
        return self.new(f"icmp ne i{n} {self.new(f'bitcast {self.truth} {mask} to i{n}')}, 0")

    def end(self, mask: str, value: Val) -> None:
        """Let the function end in some lanes."""
        kind, text = self.kinds[self.result], self.converted(value, self.result).text
        now = self.load(self.result, self.results)
        kept = self.new(f"select {self.truth} {mask}, {kind} {text}, {kind} {now}")
        self.line(f"store {kind} {kept}, ptr {self.results}")
        self.clear(self.alive, mask)

    def fail(self, condition: str) -> None:
        if self.is_program:
            self.end(self.both(condition, self.acting()), Val(INT, str(EAGER)))

    def splat(self, text: str, kind: str) -> str:
        """A number of all lanes."""
        if text.lstrip("-").isdigit():
            return f"splat (i64 {text})"
        n = width()
        one = self.new(f"insertelement <{n} x {kind}> poison, {kind} {text}, i64 0")
        return self.new(f"shufflevector <{n} x {kind}> {one}, <{n} x {kind}> poison, "
                        f"<{n} x i32> zeroinitializer")

    def converted(self, x: Val, kind: str) -> Val:
        if x.kind == kind:
            return x
        if x.kind == INT and kind == LANES:
            return Val(LANES, self.splat(x.text, "i64"))
        if x.kind == INT and kind == FLOAT and not x.text.lstrip("-").isdigit():
            return Val(FLOAT, self.splat(self.new(f"sitofp i64 {x.text} to double"), "double"))
        if x.kind == LANES and kind == FLOAT:
            return Val(FLOAT, self.new(f"sitofp {self.whole_kind} {x.text} to {self.real}"))
        if x.kind == BOOL and kind in (INT, LANES):
            return Val(LANES, self.new(f"zext {self.truth} {x.text} to {self.whole_kind}"))
        if kind == INT:
            raise Untranslatable(f"{self.function.name}: {x.kind} where one number for all lanes is needed")
        return super().converted(x, kind)

    def choice(self, condition: str, a: Val, b: Val) -> Val:
        a, b = [self.converted(x, LANES) if x.kind == INT else x for x in (a, b)]
        return super().choice(condition, a, b)


class VectorExpressions(Masks):
    """Writes expressions."""

    def test(self, node: ast.expr) -> str:
        if isinstance(node, ast.BoolOp):
            return self.of_BoolOp(node).text
        x = self.expr(node)
        if x.kind == BOOL:
            return x.text
        if x.kind == FLOAT:
            return self.new(f"fcmp une {self.real} {x.text}, {self.number(0.0)}")
        return self.new(f"icmp ne {self.whole_kind} {self.converted(x, LANES).text}, zeroinitializer")

    def of_BoolOp(self, node: ast.BoolOp) -> Val:
        word, found = "and" if isinstance(node.op, ast.And) else "or", ""
        for x in map(self.test, node.values):
            found = self.new(f"{word} {self.truth} {found}, {x}") if found else x
        return Val(BOOL, found)

    def of_IfExp(self, node: ast.IfExp) -> Val:
        return self.choice(self.test(node.test), self.expr(node.body), self.expr(node.orelse))

    def of_UnaryOp(self, node: ast.UnaryOp) -> Val:
        if isinstance(node.op, ast.USub):
            x = self.expr(node.operand)
            if x.kind == LANES:
                return Val(LANES, self.new(f"sub {self.whole_kind} zeroinitializer, {x.text}"))
        return super().of_UnaryOp(node)

    def binary(self, node: ast.AST, op: ast.operator, a: Val, b: Val) -> Val:
        if LANES in (a.kind, b.kind) and {a.kind, b.kind} <= {INT, LANES}:
            word = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul"}.get(type(op))
            if word:
                a, b = self.converted(a, LANES), self.converted(b, LANES)
                return Val(LANES, self.new(f"{word} {self.whole_kind} {a.text}, {b.text}"))
        return super().binary(node, op, a, b)

    def spread(self, x: Val) -> Val:
        return self.converted(x, LANES)

    def called(self, f: Any, xs: Sequence[Val], node: ast.AST) -> Val:
        if f is math.pow and xs[1].text == self.number(2.0):
            return self.binary(node, ast.Mult(), xs[0], xs[0])
        if f in (math.lgamma, math.gamma):      # (in them errors add up: their parts must be those of floats)
            return self.checked(self.each(self.unit.add(function_of(runtime.WRITTEN[f])),
                                          [self.floating(x) for x in xs]))
        return super().called(f, xs, node)

    def libm(self, name: str, xs: Sequence[str]) -> Val:
        known = vector_symbol(name, len(xs))
        if known:
            f = self.unit.extern(known, self.real, *[self.real] * len(xs))
            text = ", ".join([f"{self.real} {x}" for x in xs])
            return Val(FLOAT, self.new(f"call {self.real} @{f}({text})"))
        return self.each(self.unit.extern(f"ag_{name}", "double", *["double"] * len(xs)), xs)

    def each(self, f: str, xs: Sequence[str]) -> Val:
        """A function of floats, in each lane."""
        text = ", ".join([*[f"{self.real} {x}" for x in xs], f"{self.truth} {self.acting()}"])
        return Val(FLOAT, self.new(f"call {self.real} @{self.unit.lane_by_lane(f, len(xs))}({text})"))

    def plain(self, name: str, xs: Sequence[str]) -> Val:
        f = self.unit.extern(f"llvm.{name}.v{width()}f64", self.real, *[self.real] * len(xs))
        return Val(FLOAT, self.new(f"call {self.real} @{f}({', '.join([f'{self.real} {x}' for x in xs])})"))

    def kernel(self, function: Function, xs: Sequence[Val]) -> Val:
        try:
            name = self.unit.add(function, body=VectorBody)
        except Untranslatable:
            if set(function.params.values()) | {function.result} != {FLOAT}:
                raise
            return self.each(self.unit.add(function), [x.text for x in xs])
        kind = LANES if function.result == INT else function.result
        text = ", ".join([*[f"{self.kinds[x.kind]} {x.text}" for x in xs], f"{self.truth} {self.acting()}"])
        return Val(kind, self.new(f"call {self.kinds[kind]} @{name}({text})"))

    def called_back(self, f: Callable[..., Any], xs: Sequence[str]) -> Val:
        return self.each(self.unit.callback(f, len(xs)), xs)

    def of_python(self, f: Any, xs: Sequence[Val]) -> Val:
        raise Untranslatable(f"{f} is not for lanes")

    def whole(self, x: Val) -> Val:
        if x.kind != FLOAT:
            return self.converted(x, LANES)
        far = self.new(f"fcmp uge {self.real} {self.plain('fabs', [x.text]).text}, {self.number(2.0 ** 62)}")
        self.fail(far)
        near = self.choice(far, self.constant_of(0.0), x).text
        return Val(LANES, self.new(f"fptosi {self.real} {near} to {self.whole_kind}"))

    # -- entries of arrays, each of which holds a vector --------------------------------------------

    def of_Subscript(self, node: ast.Subscript) -> Val:
        array, i = self.expr(node.value), self.expr(node.slice)
        if i.kind == LANES and array.kind == FLOATS:
            n, at = width(), self.addresses(array, i)
            f = self.unit.extern(f"llvm.masked.gather.v{n}f64.v{n}p0", self.real, f"<{n} x ptr>", "i32",
                                 self.truth, self.real, pure=False)
            return Val(FLOAT, self.new(f"call {self.real} @{f}(<{n} x ptr> {at}, i32 8, {self.truth} "
                                       f"{self.flag(True)}, {self.real} zeroinitializer)"))
        return super().of_Subscript(node)

    def addresses(self, array: Val, i: Val) -> str:
        """Where each lane's entry lies, by its own index."""
        n, kind = width(), self.whole_kind
        if array.size is not None:
            size = f"splat (i64 {array.size})"
            low = self.new(f"icmp slt {kind} {i.text}, zeroinitializer")
            i = self.choice(low, Val(LANES, self.new(f"add {kind} {i.text}, {size}")), i)
            out = self.new(f"icmp uge {kind} {i.text}, {size}")
            self.fail(out)
            i = self.choice(out, Val(LANES, "zeroinitializer"), i)
        lanes = ", ".join([f"i64 {j}" for j in range(n)])
        at = self.new(f"mul {kind} {i.text}, splat (i64 {n})")
        at = self.new(f"add {kind} {at}, <{lanes}>")
        return self.new(f"getelementptr double, ptr {array.text}, {kind} {at}")

    def store(self, target: ast.expr, value: Val) -> None:
        if not isinstance(target, ast.Subscript):
            raise refused(target)
        array, i = self.expr(target.value), self.expr(target.slice)
        if array.kind != FLOATS:
            raise refused(target)
        text = self.floating(value)
        if i.kind == LANES:
            n, at = width(), self.addresses(array, i)
            f = self.unit.extern(f"llvm.masked.scatter.v{n}f64.v{n}p0", "void", self.real, f"<{n} x ptr>",
                                 "i32", self.truth, pure=False)
            self.line(f"call void @{f}({self.real} {text}, <{n} x ptr> {at}, i32 8, {self.truth} "
                      f"{self.where or self.flag(True)})")
            return
        _, at = self.place(target)
        if self.where:
            text = self.choice(self.where, Val(FLOAT, text), Val(FLOAT, self.load(FLOAT, at))).text
        self.line(f"store {self.real} {text}, ptr {at}")


class VectorBody(VectorExpressions):
    """Writes one function over lanes, which takes the mask of those that are alive after its operands."""

    def text(self, name: str, public: bool) -> str:
        self.start_with("%mask")
        params = []
        for param, kind in self.function.params.items():
            if kind not in self.kinds:
                raise Untranslatable(f"{self.function.name}: {param} is of {kind}")
            params.append(f"{self.kinds[kind]} %{param}.0")
            value = Val(kind, f"%{param}.0")
            if param in self.function.changing:
                self.assign(param, value)
            else:
                self.env[param] = value
        self.statements(self.function.body)
        kind = self.kinds[self.result]
        self.line(f"ret {kind} {self.load(self.result, self.results)}")
        return self.whole_text(f"internal {kind} @{name}({', '.join([*params, f'{self.truth} %mask'])})")

    def start_with(self, mask: str) -> None:
        """Let the lanes of a mask be alive."""
        self.line(f"store {self.truth} {mask}, ptr {self.alive}")
        self.line(f"store {self.kinds[self.result]} {self.nothing().text}, ptr {self.results}")

    def nothing(self) -> Val:
        """The result of a function that ends without one."""
        return self.constant_of(math.nan) if self.result == FLOAT else Val(self.result, self.zero)

    def whole_text(self, head: str) -> str:
        return "\n".join([f"define {head} #0 {{", "entry:", *self.entry, *self.lines, "}", ""])

    def assign(self, name: str, value: Val) -> None:
        if name not in self.function.changing or value.kind == FLOATS:
            self.env[name] = value
            return
        value = self.converted(value, LANES) if value.kind == INT else value
        known = self.slots.get(name)
        if known is None:
            known = self.slots[name] = Val(value.kind, self.slot(value.kind))
        value = self.converted(value, known.kind)
        if self.where:
            value = self.choice(self.where, value, Val(known.kind, self.load(known.kind, known.text)))
        self.line(f"store {self.kinds[value.kind]} {value.text}, ptr {known.text}")

    # -- statements ----------------------------------------------------------------------------------

    def statements(self, nodes: Sequence[ast.stmt]) -> None:
        for node in nodes:
            super().statements([node])
            if self.active and _leaves(node):
                self.where = self.both(self.where, self.load(BOOL, self.active[-1][1]))

    def on_Return(self, node: ast.Return) -> None:
        value = self.expr(node.value) if node.value else Val(INT, "0")
        mask = self.acting()
        self.end(mask, value)
        for places in self.active:
            for place in places:
                self.clear(place, mask)

    def on_Raise(self, node: ast.Raise) -> None:
        self.end(self.acting(), Val(INT, str(EAGER)) if self.is_program else self.nothing())

    def on_If(self, node: ast.If) -> None:
        condition, outer = self.test(node.test), self.where
        self.side(node.body, self.both(outer, condition))
        if node.orelse:
            self.side(node.orelse, self.both(outer, self.opposite(condition)))
        self.where = outer

    def side(self, body: Sequence[ast.stmt], mask: str) -> None:
        """A side of a condition; one that calls functions is done only if some lane needs it."""
        self.where = mask
        if not any(map(has_calls, body)):
            self.statements(body)
            return
        then, after = self.label("then"), self.label("after")
        self.fork(self.any(self.acting()), then, after)
        self.start(then)
        self.statements(body)
        self.jump(after)
        self.start(after)

    @contextmanager
    def looping(self) -> Iterator[tuple[str, str]]:
        """A loop, with the places of the masks of lanes that are in it, and in this turn of it."""
        outer, places = self.where, (self.slot(BOOL), self.slot(BOOL))
        self.line(f"store {self.truth} {self.acting()}, ptr {places[0]}")
        self.active.append(places)
        yield places
        self.active.pop()
        self.where = outer

    def on_For(self, node: ast.For) -> None:
        if not any(map(_leaves, node.body)):
            active, self.active = self.active, []
            super().on_For(node)
            self.active = active
            return
        with self.looping():
            super().on_For(node)

    def on_While(self, node: ast.While) -> None:
        with self.looping() as (lasting, _):
            top, body, after = map(self.label, ("while", "body", "after"))
            self.jump(top)
            self.start(top)
            self.where = self.load(BOOL, lasting)
            mask = self.both(self.where, self.test(node.test))
            self.line(f"store {self.truth} {mask}, ptr {lasting}")
            self.fork(self.any(mask), body, after)
            self.start(body)
            self.inside(node.body, top, after)
            self.start(after)

    def inside(self, statements: Sequence[ast.stmt], again: str, after: str) -> None:
        outer = self.where
        if self.active:
            lasting, turn = self.active[-1]
            self.where = self.load(BOOL, lasting)
            self.line(f"store {self.truth} {self.where}, ptr {turn}")
        self.statements(statements)
        self.where = outer
        self.jump(again)

    def counted(self, name: str, i: Val) -> None:
        self.env[name] = i

    def on_Break(self, node: ast.Break) -> None:
        mask = self.acting()
        for place in self.active[-1]:
            self.clear(place, mask)

    def on_Continue(self, node: ast.Continue) -> None:
        self.clear(self.active[-1][1], self.acting())


def _leaves(node: ast.AST) -> bool:
    """Whether a statement may leave a loop, or this turn of it."""
    return any([isinstance(x, (ast.Break, ast.Continue, ast.Return, ast.Raise)) for x in ast.walk(node)])
