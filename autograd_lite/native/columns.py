"""A recorded program over one vector of points, whose numbers lie in columns."""
from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from autograd_lite.native.calls import DONE
from autograd_lite.native.expressions import EAGER, Val
from autograd_lite.native.lanes import width
from autograd_lite.native.language import FLOAT, Function
from autograd_lite.native.llvm import Unit
from autograd_lite.native.straight import NativeWriter
from autograd_lite.native.vectors import VectorBody
from autograd_lite.programs.code import CONSTANT, INPUT


class Pattern(NamedTuple):
    """What a program's numbers are in a batch.

    Attributes:
        varies: for runs of inputs, captured ones last, whether each point has its own, and how many.
        summed: for each result whether only its sum is wanted.
        free: whether products and sums may be contracted, and quotients be products.
    """

    varies: tuple[tuple[bool, int], ...]
    summed: tuple[bool, ...]
    free: bool = False


class LanesWriter(NativeWriter):
    """Writes a program such that each result goes to its place, and is looked at, as soon as it is known: so
    less is held until the end. (What becomes of the points is known later; where they are gone, what lies
    there is of no use.)
    """

    def source(self, name: str = "f") -> str:
        self.at: dict[int, list[int]] = {}          # results by their places, that are not at theirs
        for i, k in enumerate(self.outputs):
            if self.code.ops[k] not in (CONSTANT, INPUT):
                self.at.setdefault(k, []).append(i)
        self.gone = self.covered()                  # these need not be looked at
        self.total = False
        return super().source(name)

    def covered(self) -> set[int]:
        """The results that are finite where others are."""
        # (Each place is looked at itself, is shown by one that is, or shows nothing.)
        return {x for k in self.needed for x, shows in zip(self.code.operands[k], self.shows(k)) if shows}

    def statement(self, lines: list[str]) -> None:
        made = self.made
        super().statement(lines)
        for k in made:
            if k in self.at:
                name = self.written(k).text
                lines = [f"out[{i}] = {name}" for i in self.at.pop(k)]
                if k not in self.unsure and k not in self.gone:
                    lines.append(f"_finite = {'_finite + ' * self.total}{name}")
                    self.total = True
                self.gone.add(k)
                super().statement(lines)

    def look(self, places: Sequence[int]) -> None:
        super().look([k for k in places if k in self.unsure or k not in self.gone])

    def returned(self, texts: Sequence[str]) -> list[str]:
        ends = [f"if _finite - _finite != 0.0: return {EAGER}"] if self.total else []
        left = {i for i, k in enumerate(self.outputs) if self.code.ops[k] in (CONSTANT, INPUT)}
        assert not self.at
        return [*ends, *[f"out[{i}] = {text}" for i, text in enumerate(texts) if i in left], f"return {DONE}"]


class VectorProgram(VectorBody):
    """Writes a program as a function over one vector of points.

    It takes the columns of its inputs, the numbers that are the same at all points, the columns of its
    results, the vectors to which others are added, what becomes of each point, and the first point and how
    many there are; and returns how many points went another way.
    """

    def __init__(self, unit: Unit, function: Function, pattern: Pattern):
        super().__init__(unit, function)
        self.pattern, self.columns = pattern, {i: k for k, i in enumerate(places(pattern.varies))}
        if pattern.free:
            self.flags = "contract arcp "
        self.late: list[tuple[int, str]] = []               # what is added up, once it is known where

    def text(self, name: str, public: bool) -> str:
        n = width()
        lanes = ", ".join([f"i64 {i}" for i in range(n)])
        mask = self.new(f"icmp ult {self.kinds[self.result]} <{lanes}>, {self.splat('%count', 'i64')}")
        self.start_with(mask)
        self.statements(self.function.body)
        fates = self.load(self.result, self.results)
        at = self.new("getelementptr i32, ptr %fates, i64 %at")
        self.line(f"store <{n} x i32> {self.new(f'trunc {self.kinds[self.result]} {fates} to <{n} x i32>')}, "
                  f"ptr {at}, align 4")
        gone = self.new(f"icmp ne {self.kinds[self.result]} {fates}, splat (i64 {DONE})")
        if self.late:
            self.add_up(self.both(self.opposite(gone), mask))
        bits = self.new(f"bitcast {self.truth} {self.both(gone, mask)} to i{n}")
        self.unit.extern(f"llvm.ctpop.i{n}", f"i{n}", f"i{n}")
        count = self.new(f"call i{n} @llvm.ctpop.i{n}(i{n} {bits})")
        self.line(f"ret i64 {self.new(f'zext i{n} {count} to i64')}")
        return self.whole_text(f"i64 @{name}(ptr noalias readonly %columns, ptr noalias readonly %constants, "
                               "ptr noalias readonly %outs, ptr noalias %sums, ptr noalias %fates, i64 %at, "
                               "i64 %count)")

    def of_Subscript(self, node: ast.Subscript) -> Val:
        if not (isinstance(node.value, ast.Name) and node.value.id == "inputs"):
            return super().of_Subscript(node)
        i = ast.literal_eval(node.slice)
        if i in self.columns:
            at = self.entry_of("columns", self.columns[i])
            return Val(FLOAT, self.new(f"load {self.real}, ptr {at}, align 8"))
        at = self.new(f"getelementptr double, ptr %constants, i64 {i}")
        return Val(FLOAT, self.splat(self.new(f"load double, ptr {at}"), "double"))

    def entry_of(self, table: str, i: int) -> str:
        """The address of the present points in a column."""
        column = self.new(f"load ptr, ptr {self.new(f'getelementptr ptr, ptr %{table}, i64 {i}')}")
        return self.new(f"getelementptr double, ptr {column}, i64 %at")

    def store(self, target: ast.expr, value: Val) -> None:
        if not (isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name)
                and target.value.id == "out"):
            super().store(target, value)
            return
        i, text = ast.literal_eval(target.slice), self.floating(value)
        before = self.pattern.summed[:i].count(True)
        if not self.pattern.summed[i]:
            self.line(f"store {self.real} {text}, ptr {self.entry_of('outs', i - before)}, align 8")
            return
        self.late.append((before, text))

    def add_up(self, mask: str) -> None:
        """Add to the sums, where a mask holds."""
        for i, text in self.late:
            at = self.new(f"getelementptr {self.real}, ptr %sums, i64 {i}")
            kept = self.choice(mask, Val(FLOAT, text), self.constant_of(0.0)).text
            total = self.new(f"fadd {self.real} {self.new(f'load {self.real}, ptr {at}, align 8')}, {kept}")
            self.line(f"store {self.real} {total}, ptr {at}, align 8")


def places(varies: Sequence[tuple[bool, int]]) -> list[int]:
    """Which numbers vary."""
    found, at = list[int](), 0
    for varying, n in varies:
        found += range(at, at + n) if varying else ()
        at += n
    return found
