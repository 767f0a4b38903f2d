"""Functions of the small language (see `language`) as C99 that people can read, and compile anywhere.

The order of all operations is that of Python. What an expression assigns on the way is assigned before it;
where only one side of a choice does so, the choice becomes an ``if``.
"""
from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.native import runtime
from autograd_lite.native.c_expressions import TYPES, Expressions, Val, constant
from autograd_lite.native.expressions import EAGER
from autograd_lite.native.language import (FLOAT, FLOATS, INT, LIBM, PLAIN, Function, Untranslatable,
                                           function_of, refused)
from autograd_lite.ops.notation import ATOM, SIGN

_FAR = "4611686018427387904.0"                  # (2 to the 62nd)
_POWER = """/* pow of the C library: compilers make x*x of pow(x, 2.0), which may differ in the last bit. */
static double ag_pow(double a, double b)
{
    volatile double exponent = b;
    return pow(a, exponent);
}
"""


class Unit:
    """Functions in C, and those that they call, each after those."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._names: dict[Function, str] = {}

    def copy(self) -> Unit:
        """Another of the same functions."""
        new = Unit()
        new.texts, new._names = list(self.texts), dict(self._names)
        return new

    def add(self, function: Function, head: str = "") -> str:
        """The name of a function here; `head` is its declaration, if not the ordinary one."""
        found = self._names.get(function)
        if found is None:
            found = f"ag_{function.name.strip('_')}" if not head else function.name
            while found in self._names.values():
                found += "_"
            self._names[function] = found
            self.texts.append(Body(self, function).text(found, head))
        return found

    def power(self) -> str:
        """The name of pow."""
        if _POWER not in self.texts:
            self.texts.append(_POWER)
        return "ag_pow"


class Calls(Expressions):
    """Writes calls."""

    def __init__(self, unit: Unit, function: Function):
        super().__init__(function)
        self.unit = unit

    def of_Call(self, node: ast.Call) -> Val:
        f = self.function.named(node.func)
        if node.keywords or f is None:
            raise refused(node, "" if f else "no such function")
        return self.called(f, [self.expr(x) for x in node.args], node)

    def called(self, f: Any, xs: Sequence[Val], node: ast.AST) -> Val:
        if f in runtime.SEQUENCES:
            return self.sequence(runtime.SEQUENCES[f], xs)
        if f in (max, min):
            best = self.held(xs[0])
            for x in xs[1:]:
                x = self.held(x)
                best = self.held(Val(FLOAT, f"{x.text} {'>' if f is max else '<'} {best.text} ? {x.text} : "
                                            f"{best.text}"))
            return best
        if f is int:
            return self.whole(xs[0])
        if f is float:
            return Val(FLOAT, f"(double){xs[0].at(ATOM)}", SIGN)
        texts = [x.text for x in xs]
        if f is math.pow and self.function is not function_of(runtime.square) and re.fullmatch(
                r"2\.0", texts[1]):
            f, texts, xs = runtime.square, texts[:1], xs[:1]
        if f is math.pow:
            return Val(FLOAT, f"{self.unit.power()}({', '.join(texts)})", ATOM)
        if f in LIBM or f in PLAIN:
            return Val(FLOAT, f"{LIBM.get(f) or PLAIN[f]}({', '.join(texts)})", ATOM)
        try:
            function = function_of(runtime.written(f, node))
            name = self.unit.add(function)
        except Untranslatable as error:
            raise Untranslatable(f"{ast.unparse(node)[:60]}: {error}") from None
        missing = len(function.params) - len(xs)
        if missing > len(function.defaults) or missing < 0:
            raise refused(node)
        texts += [constant(float(x)).text for x in function.defaults[len(function.defaults) - missing:]]
        return Val(function.result, f"{name}({', '.join(texts)})", ATOM)

    def whole(self, x: Val) -> Val:
        """int(x)."""
        if x.kind != FLOAT:
            return Val(INT, x.text, x.level)
        x = self.held(x)
        if self.is_program:
            self.line(f"if (!(fabs({x.text}) < {_FAR})) return {EAGER};")
        return Val(INT, f"(long long){x.text}", SIGN)

    def sequence(self, kernel: Callable[..., Any], xs: Sequence[Val]) -> Val:
        """A function of many floats: by one of their array."""
        function, n = function_of(kernel), len(xs)
        name = self.unit.add(function)
        given = f"(const double[]){{{', '.join([x.text for x in xs])}}}"
        if "parts" in function.params:
            parts = self.fresh("parts")
            self.line(f"double {parts}[{n}];")
            given += f", {parts}"
        if function.result == FLOAT:
            return Val(FLOAT, f"{name}({n}, {given})", ATOM)
        shares = self.fresh("shares")
        self.line(f"double {shares}[{n}];")
        self.line(f"if ({name}({n}, {given}, {shares})) return {EAGER};")
        return Val(FLOATS, shares, ATOM, n)


class Body(Calls):
    """Writes one function."""

    def text(self, name: str, head: str) -> str:
        """Its source."""
        stored = {target.value.id for node in self.function.body for one in ast.walk(node)
                  for target in (one.targets if isinstance(one, ast.Assign) else
                                 [one.target] if isinstance(one, ast.AugAssign) else [])
                  if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name)}
        params = []
        for param, kind in self.function.params.items():
            x = Val(kind, self.fresh(param), ATOM)
            self.env[param] = x
            params.append(f"{TYPES[kind]} {x.text}" if kind in TYPES else
                          f"{'' if param in stored or param == 'parts' else 'const '}double {x.text}[]")
            if param in self.function.changing and kind in TYPES:
                self.variables[param] = x
        self.statements(self.function.body)
        if not self.lines or not self.lines[-1].startswith("    return"):
            self.line(f"return {'0' if self.is_program else 'NAN'};")
        lines = used(self.lines)
        words = set(re.findall(r"[A-Za-z_]\w*", "\n".join(lines)))
        lines[:0] = [f"    (void){self.env[param].text};" for param in self.function.params
                     if self.env[param].text not in words]
        top = [f"    {TYPES[x.kind]} {x.text} = {'0.0' if x.kind == FLOAT else '0'};"
               for x in self.declared.values()]
        head = head or f"static {TYPES[self.function.result]} {name}({', '.join(params)})"
        return "\n".join([head, "{", *top, *lines, "}", ""])

    def statements(self, nodes: Sequence[ast.stmt]) -> None:
        for node in nodes:
            getattr(self, f"on_{type(node).__name__}", _refuse)(node)

    def body(self, nodes: Sequence[ast.stmt]) -> list[str]:
        """The lines of statements within a block."""
        return self.inside(lambda: self.statements(nodes))[1]

    def assign(self, name: str, x: Val) -> None:
        """Assign to a variable."""
        if x.kind == FLOATS:
            self.env[name] = x
        elif name in self.function.changing:
            known = self.variables.get(name)
            if known is None:
                known = self.variables[name] = Val(x.kind, self.variable(name, x.kind), ATOM)
            self.env[name] = known
            self.line(f"{known.text} = {x.text};")
        else:
            text = self.fresh(name)
            self.line(f"const {TYPES[x.kind]} {text} = {x.text};")
            self.env[name] = Val(x.kind, text, ATOM)

    def listed(self, name: str, node: ast.expr) -> bool:
        """Make a list, if it is one."""
        if isinstance(node, (ast.List, ast.Tuple)):
            texts = [self.expr(x).text for x in node.elts]
        elif isinstance(node, ast.BinOp) and isinstance(node.left, ast.List):
            if not isinstance(node.op, ast.Mult) or len(node.left.elts) != 1 or not isinstance(
                    node.right, ast.Constant):
                raise refused(node)
            texts = [self.expr(node.left.elts[0]).text] * ast.literal_eval(node.right)
        else:
            return False
        array = self.fresh(name)
        self.line(f"double {array}[{max(len(texts), 1)}] = {{{', '.join(texts) or '0.0'}}};")
        self.env[name] = Val(FLOATS, array, ATOM, len(texts))
        return True

    def on_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if isinstance(target, ast.Name):
            if not self.listed(target.id, node.value):
                self.assign(target.id, self.expr(node.value))
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) and (
                len(target.elts) == len(node.value.elts)):
            values = [self.held(Val(x.kind, x.text)) for x in map(self.expr, node.value.elts)]
            for one, value in zip(target.elts, values):
                if not isinstance(one, ast.Name):
                    raise refused(node)
                self.assign(one.id, value)
        else:
            self.line(f"{self.expr(target).text} = {self.expr(node.value).text};")

    def on_AnnAssign(self, node: ast.AnnAssign) -> None:
        if not isinstance(node.target, ast.Name) or node.value is None:
            raise refused(node)
        self.on_Assign(ast.Assign([node.target], node.value))

    def on_AugAssign(self, node: ast.AugAssign) -> None:
        x = self.binary(node, node.op, self.expr(node.target), self.expr(node.value))
        if isinstance(node.target, ast.Name):
            self.assign(node.target.id, x)
        else:
            self.line(f"{self.expr(node.target).text} = {x.text};")

    def on_Return(self, node: ast.Return) -> None:
        self.line(f"return {self.expr(node.value).text if node.value else '0'};")

    def on_Raise(self, node: ast.Raise) -> None:
        self.line(f"return {EAGER if self.is_program else 'NAN'};")

    def on_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            raise refused(node)

    def on_Pass(self, node: ast.Pass) -> None:
        pass

    def on_If(self, node: ast.If) -> None:
        test = self.expr(node.test)
        then, otherwise = self.body(node.body), self.body(node.orelse)
        if len(then) == 1 and not otherwise and then[0].lstrip().startswith("return"):
            self.line(f"if ({test.text}) {then[0].strip()}")
        else:
            self.block(f"if ({test.text})", then, otherwise)

    def on_While(self, node: ast.While) -> None:
        test, lines = self.inside(lambda: self.expr(node.test))
        if lines:
            raise refused(node)
        self.block(f"while ({test.text})", self.body(node.body))

    def on_For(self, node: ast.For) -> None:
        if not (isinstance(node.iter, ast.Call) and ast.unparse(node.iter.func) == "range"
                and isinstance(node.target, ast.Name)) or node.orelse:
            raise refused(node)
        bounds = [self.expr(x).text for x in node.iter.args]
        first, last, step = ["0", *bounds, "1"] if len(bounds) == 1 else [*bounds, "1"][:3]
        counter = self.fresh(node.target.id)
        self.env[node.target.id] = Val(INT, counter, ATOM)
        sign = ">" if step.startswith("-") else "<"
        self.block(f"for (long long {counter} = {first}; {counter} {sign} {last}; {counter} += {step})",
                   self.body(node.body))

    def on_Break(self, node: ast.Break) -> None:
        self.line("break;")

    def on_Continue(self, node: ast.Continue) -> None:
        self.line("continue;")


def used(lines: Sequence[str]) -> list[str]:
    """Lines without the constants that no line uses."""
    word = re.compile(r"[A-Za-z_]\w*")
    counts = Counter(word.findall("\n".join(lines)))
    kept = list[str]()
    for line in reversed(lines):
        made = re.match(r" *const (?:double|long long|int) (\w+) = ", line)
        if made and counts[made[1]] == 1:
            counts.subtract(word.findall(line))
        else:
            kept.append(line)
    return kept[::-1]


def _refuse(node: ast.AST) -> None:
    raise refused(node)
