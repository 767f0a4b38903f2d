"""Functions of the small language (see `language`) as text of LLVM."""
from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.native import runtime
from autograd_lite.native.expressions import EAGER, NAN, TYPES, Expressions, Val, number
from autograd_lite.native.language import (BOOL, FLOAT, FLOATS, INT, INTS, LIBM, OBJECT, PLAIN, Function,
                                           Untranslatable, function_of, refused)
from autograd_lite.native.objects import Extern, Intrinsic


_NONE = {FLOAT: NAN.text, INT: "0", BOOL: "false", OBJECT: "null"}      # what is returned without a word

_TWO = number(2.0)


class Unit:
    """A module of LLVM: functions, and those that they call.

    Attributes:
        callbacks: Python functions that are called back, by the names of symbols.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.declared: dict[str, str] = {}
        self.callbacks: dict[str, tuple[Callable[..., Any], int]] = {}
        self._names: dict[tuple[Function, Any], str] = {}

    def text(self) -> str:
        """The module's source."""
        return "\n".join([*self.declared.values(), *self.texts])

    def add(self, function: Function, name: str = "", public: bool = False, body: Any = None) -> str:
        """The name of a function in this module; `body` writes it, if not as one of numbers."""
        key = function, body
        found = self._names.get(key)
        if found is None:
            found = self._names[key] = name or f"{function.name}_{len(self._names)}"
            try:
                self.texts.append((body or Body)(self, function).text(found, public))
            except Untranslatable:
                self._names[key] = ""
                raise
        if not found:
            raise Untranslatable(f"{function} is not in the language")
        return found

    def extern(self, symbol: str, result: str, *kinds: str, pure: bool = True) -> str:
        """The name of a function from elsewhere."""
        self.declared.setdefault(symbol, f"declare {result} @{symbol}({', '.join(kinds)})" + (
            " nounwind willreturn memory(none)" if pure else ""))
        return symbol

    def callback(self, f: Callable[..., Any], n: int) -> str:
        """The name of a Python function of n floats."""
        for symbol, known in self.callbacks.items():
            if known == (f, n):
                return symbol
        symbol = f"python_{id(f)}_{n}"
        self.callbacks[symbol] = f, n
        return self.extern(symbol, "double", *["double"] * n, pure=False)


class Calls(Expressions):
    """Writes calls."""

    def __init__(self, unit: Unit, function: Function):
        super().__init__(function)
        self.unit = unit

    def of_Call(self, node: ast.Call) -> Val:
        if node.keywords:
            raise refused(node)
        f = self.function.named(node.func)
        if f is None:
            raise refused(node, "no such function")
        return self.called(f, [self.expr(x) for x in node.args], node)

    def called(self, f: Any, xs: Sequence[Val], node: ast.AST) -> Val:
        if f in runtime.SEQUENCES:
            return self.sequence(runtime.SEQUENCES[f], xs, node)
        if f in (max, min):
            return self.extreme("ogt" if f is max else "olt", xs)
        if f is int:
            return self.whole(xs[0])
        if f is float:
            return self.converted(xs[0], FLOAT)
        if isinstance(f, (Extern, Intrinsic)):
            return self.of_python(f, xs)
        if f is math.pow and xs[1].text == _TWO and self.function is not function_of(runtime.square):
            f = runtime.square                  # (which takes the first of them)
        if f in LIBM:
            return self.libm(LIBM[f], [self.floating(x) for x in xs])
        if f in PLAIN:
            return self.plain(PLAIN[f], [self.floating(x) for x in xs])
        kernel = runtime.written(f, node)
        try:
            function = function_of(kernel)
            given = [*xs, *[self.constant_of(float(x)) for x in function.defaults[
                len(function.defaults) - (len(function.params) - len(xs)):]]][:len(function.params)]
            if len(given) < len(function.params):
                raise refused(node)
            y = self.kernel(function, [self.converted(x, kind)
                                       for x, kind in zip(given, function.params.values())])
        except Untranslatable:
            if "[" in str(getattr(f, "__annotations__", {}).get("return", "")):     # (a list: no number)
                raise
            y = self.called_back(f, [self.floating(x) for x in xs])
        return self.checked(y)

    def kernel(self, function: Function, xs: Sequence[Val]) -> Val:
        """A call of a function of the language."""
        name, kind = self.unit.add(function), TYPES[function.result]
        text = ", ".join([f"{TYPES[x.kind]} {x.text}" for x in xs])
        return Val(function.result, self.new(f"call {kind} @{name}({text})"))

    def called_back(self, f: Callable[..., Any], xs: Sequence[str]) -> Val:
        """A call of a function of Python."""
        text = ", ".join([f"double {x}" for x in xs])
        return Val(FLOAT, self.new(f"call double @{self.unit.callback(f, len(xs))}({text})"))

    def checked(self, y: Val) -> Val:
        """The result of a kernel; a program whose kernel gave nan goes the eager way."""
        if y.kind == FLOAT:
            self.fail(self.new(f"fcmp uno {self.real} {y.text}, {y.text}"))
        return y

    def of_python(self, f: Extern | Intrinsic, xs: Sequence[Val]) -> Val:
        """A call of a function of Python's, or a few instructions."""
        if isinstance(f, Intrinsic):
            return Val(f.result or xs[0].kind, self.new(f.text(*[x.text for x in xs])))
        given = [self.converted(x, kind) for x, kind in zip(xs, f.kinds, strict=True)]
        self.unit.extern(f.symbol, TYPES[f.result], *[TYPES[kind] for kind in f.kinds], pure=False)
        text = ", ".join([f"{TYPES[x.kind]} {x.text}" for x in given])
        return Val(f.result, self.new(f"call {TYPES[f.result]} @{f.symbol}({text})"))

    def libm(self, name: str, xs: Sequence[str]) -> Val:
        symbol = self.unit.extern(f"ag_{name}", "double", *["double"] * len(xs))
        return Val(FLOAT, self.new(f"call double @{symbol}({', '.join([f'double {x}' for x in xs])})"))

    def plain(self, name: str, xs: Sequence[str]) -> Val:
        self.unit.extern(f"llvm.{name}.f64", "double", *["double"] * len(xs))
        return Val(FLOAT, self.new(f"call double @llvm.{name}.f64({', '.join([f'double {x}' for x in xs])})"))

    def extreme(self, word: str, xs: Sequence[Val]) -> Val:
        best = self.floating(xs[0])
        for x in map(self.floating, xs[1:]):
            better = self.new(f"fcmp {word} {self.real} {x}, {best}")
            best = self.choice(better, Val(FLOAT, x), Val(FLOAT, best)).text
        return Val(FLOAT, best)

    def whole(self, x: Val) -> Val:
        """int(x)."""
        if x.kind != FLOAT:
            return self.converted(x, INT)
        far = self.new(f"fcmp uge double {self.plain('fabs', [x.text]).text}, {number(2.0 ** 62)}")
        self.fail(far)
        return Val(INT, self.new(f"fptosi double {x.text} to i64"))

    def sequence(self, kernel: Callable[..., Any], xs: Sequence[Val], node: ast.AST) -> Val:
        """A function of many floats: by one of their array."""
        given, function = self.listed(xs), function_of(kernel)
        lists = [Val(FLOATS, self.slot(FLOAT, len(xs))) for x in ("parts", "out") if x in function.params]
        y = self.kernel(function, [Val(INT, str(len(xs))), given, *lists])
        if function.result == INT:              # (it made a list, or says that it could not)
            self.fail(self.new(f"icmp ne {self.kinds[y.kind]} {y.text}, {self.zero}"))
            return Val(FLOATS, lists.pop().text, len(xs))
        return self.checked(y)


class Assignments(Calls):
    """Writes assignments."""

    def assign(self, name: str, value: Val) -> None:
        """Assign to a variable."""
        if name in self.function.changing and value.size is None:
            known = self.slots.get(name)
            if known is None:
                known = self.slots[name] = Val(value.kind, self.slot(value.kind))
            value = self.converted(value, known.kind)
            self.line(f"store {self.kinds[value.kind]} {value.text}, ptr {known.text}")
        else:
            self.env[name] = value

    def on_Assign(self, node: ast.Assign) -> None:
        *others, target = node.targets
        x = node.value
        if others:
            value = self.expr(x)
            for one in node.targets:
                self.store(one, value)
        elif isinstance(target, ast.Name):
            self.assign(target.id, self.made(x))
        elif isinstance(target, ast.Tuple) and isinstance(x, ast.Tuple) and len(x.elts) == len(target.elts):
            for one, value in zip(target.elts, list(map(self.expr, x.elts))):
                if not isinstance(one, ast.Name):
                    raise refused(node)
                self.assign(one.id, value)
        else:
            self.store(target, self.expr(x))

    def made(self, node: ast.expr) -> Val:
        """What is assigned: a list, too."""
        if isinstance(node, (ast.List, ast.Tuple)):
            return self.listed([self.expr(x) for x in node.elts])
        if isinstance(node, ast.BinOp) and isinstance(node.left, ast.List):
            if not isinstance(node.op, ast.Mult) or len(node.left.elts) != 1 or not isinstance(
                    node.right, ast.Constant):
                raise refused(node)
            return self.listed([self.expr(node.left.elts[0])] * ast.literal_eval(node.right))
        return self.expr(node)

    def on_AnnAssign(self, node: ast.AnnAssign) -> None:
        if not isinstance(node.target, ast.Name) or node.value is None:
            raise refused(node)
        self.assign(node.target.id, self.made(node.value))

    def on_AugAssign(self, node: ast.AugAssign) -> None:
        value = self.binary(node, node.op, self.expr(node.target), self.expr(node.value))
        if isinstance(node.target, ast.Name):
            self.assign(node.target.id, value)
        else:
            self.store(node.target, value)

    def store(self, target: ast.expr, value: Val) -> None:
        """Assign to an entry of an array."""
        if not isinstance(target, ast.Subscript):
            raise refused(target)
        array, at = self.place(target)
        kind, text = self.entries[array.kind]
        x = self.converted(value, kind).text
        self.line(f"store {text} {self.new(f'trunc i64 {x} to i32') if text == 'i32' else x}, ptr {at}")


class Body(Assignments):
    """Writes one function."""

    def text(self, name: str, public: bool) -> str:
        """The function's source."""
        params = []
        for param, kind in self.function.params.items():
            value = Val(kind, f"%{param}.0")
            params.append(f"{TYPES[kind]}{' noalias' if kind in (FLOATS, INTS) else ''} {value.text}")
            if param in self.function.changing:
                self.assign(param, value)
            else:
                self.env[param] = value
        self.statements(self.function.body)
        if not self.ended():
            self.line(f"ret {TYPES[self.function.result]} {_NONE[self.function.result]}")
        head = f"define {'' if public else 'internal '}{TYPES[self.function.result]} @{name}"
        return "\n".join([f"{head}({', '.join(params)}) nounwind {{", "entry:", *self.entry, *self.lines,
                          "}", ""])

    def statements(self, nodes: Sequence[ast.stmt]) -> None:
        """Write statements, up to the first that leaves."""
        for node in nodes:
            if self.ended():
                break
            getattr(self, f"on_{type(node).__name__}", _refuse)(node)

    def on_Return(self, node: ast.Return) -> None:
        value = self.expr(node.value) if node.value else Val(INT, "0")
        value = self.converted(value, self.function.result)
        self.line(f"ret {TYPES[value.kind]} {value.text}")

    def on_Raise(self, node: ast.Raise) -> None:
        result = self.function.result
        self.line(f"ret i64 {EAGER}" if self.is_program else f"ret {TYPES[result]} {_NONE[result]}")

    def on_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):            # (a docstring)
            self.expr(node.value)

    def on_Pass(self, node: ast.Pass) -> None:
        pass

    def on_If(self, node: ast.If) -> None:
        then, otherwise, after = map(self.label, ("then", "else", "after"))
        self.fork(self.test(node.test), then, otherwise if node.orelse else after)
        for label, body in ((then, node.body), (otherwise, node.orelse)):
            if body:
                self.start(label)
                self.statements(body)
                self.jump(after)
        self.start(after)

    def on_While(self, node: ast.While) -> None:
        top, body, after = map(self.label, ("while", "body", "after"))
        self.jump(top)
        self.start(top)
        self.fork(self.test(node.test), body, after)
        self.start(body)
        self.inside(node.body, top, after)
        self.start(after)

    def on_For(self, node: ast.For) -> None:
        if not (isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name)
                and node.iter.func.id == "range" and isinstance(node.target, ast.Name)) or node.orelse:
            raise refused(node)
        bounds = [self.converted(self.expr(x), INT).text for x in node.iter.args]
        first, last, step = ["0", *bounds, "1"] if len(bounds) == 1 else [*bounds, "1"][:3]
        top, body, more, after = map(self.label, ("for", "body", "more", "after"))
        counter = self.slot(INT)
        self.line(f"store i64 {first}, ptr {counter}")
        self.jump(top)
        self.start(top)
        i = self.new(f"load i64, ptr {counter}")
        self.fork(self.new(f"icmp {'sgt' if step.startswith('-') else 'slt'} i64 {i}, {last}"), body, after)
        self.start(body)
        self.counted(node.target.id, Val(INT, i))
        self.inside(node.body, more, after)
        self.start(more)
        self.line(f"store i64 {self.new(f'add i64 {i}, {step}')}, ptr {counter}")
        self.jump(top)
        self.start(after)

    def counted(self, name: str, i: Val) -> None:
        """Let a loop's variable be this."""
        self.assign(name, i)

    def inside(self, statements: Sequence[ast.stmt], again: str, after: str) -> None:
        """The body of a loop, which goes on at `again`."""
        self.loops.append((again, after))
        self.statements(statements)
        self.loops.pop()
        self.jump(again)

    def on_Break(self, node: ast.Break) -> None:
        self.line(f"br label %{self.loops[-1][1]}")

    def on_Continue(self, node: ast.Continue) -> None:
        self.line(f"br label %{self.loops[-1][0]}")


def _refuse(node: ast.AST) -> None:
    raise refused(node)
