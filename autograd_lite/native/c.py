"""Functions of the small language (see `language`) as C99 that people can read, and compile anywhere.

The order of all operations is that of Python. What an expression assigns on the way is assigned before it;
where only one side of a choice does so, the choice becomes an ``if``.
"""
from __future__ import annotations

import ast
import keyword
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.native import runtime
from autograd_lite.native.expressions import EAGER
from autograd_lite.native.language import (BOOL, FLOAT, FLOATS, INT, LIBM, PLAIN, Function, Untranslatable,
                                           function_of, refused)
from autograd_lite.ops.notation import ATOM, COMPARISON, LOOSE, PRODUCT, SIGN, SUM


class Val(NamedTuple):
    """A value: its type, its text in C, how tightly that binds; for a list made here, its length."""

    kind: str
    text: str
    level: int = LOOSE
    size: int = -1

    def at(self, least: int) -> str:
        """It as an operand that must bind so tightly."""
        return self.text if self.level >= least else f"({self.text})"


_TYPES = {FLOAT: "double", INT: "long long", BOOL: "int"}
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.BitAnd: "&", ast.RShift: ">>"}
_COMPARED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_TAKEN = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int "
    "long register restrict return short signed sizeof static struct switch typedef union unsigned void "
    "volatile while asm typeof bool true false nullptr constexpr alignas alignof thread_local static_assert "
    "linux unix NAN INFINITY HUGE_VAL I".split())
_FAR = "4611686018427387904.0"                  # (2 to the 62nd)
_POWER = """/* pow of the C library: compilers make x*x of pow(x, 2.0), which may differ in the last bit. */
static double ag_pow(double a, double b)
{
    volatile double exponent = b;
    return pow(a, exponent);
}
"""


def name_in_c(text: str) -> str:
    """A name as one that C takes: Greek letters by their names, others by their numbers.

    >>> name_in_c("β_1"), name_in_c("double"), name_in_c("größe")
    ('beta_1', 'double_', 'gr_f6_df_e')
    """
    found = ""
    for c in text:
        words = unicodedata.name(c, "").split()
        found += (c if c.isascii() else words[-1].capitalize() if words[:2] == ["GREEK", "CAPITAL"] else
                  words[3].lower() if words[:2] == ["GREEK", "SMALL"] and len(words) > 3 else f"_{ord(c):x}_")
    found = re.sub(r"\W", "_", found).replace("__", "_")
    return f"{found}_" if found in _TAKEN or keyword.iskeyword(found) or found[:3] == "ag_" else found


class Unit:
    """Functions in C, and those that they call, each after those."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._names: dict[Function, str] = {}

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
            self.texts.insert(0, _POWER)
        return "ag_pow"


class Lines:
    """The lines of one function."""

    def __init__(self, unit: Unit, function: Function):
        self.unit, self.function = unit, function
        self.lines: list[str] = []
        self.depth = 1
        self.declared: dict[str, Val] = {}      # variables at the top
        self.env: dict[str, Val] = {}           # names of Python: what stands for them
        self.variables: dict[str, Val] = {}     # those that change
        self.names: set[str] = set()
        self.is_program = function.result == INT

    def margin(self, more: int = 0) -> str:
        return "    " * (self.depth + more)

    def line(self, text: str) -> None:
        self.lines.append(self.margin() + text)

    def fresh(self, hint: str) -> str:
        """A name that is not taken."""
        name, i = name_in_c(hint), 2
        while name in self.names:
            name, i = f"{name_in_c(hint)}_{i}", i + 1
        self.names.add(name)
        return name

    def held(self, x: Val, hint: str = "t") -> Val:
        """A value under a name."""
        if x.level == ATOM and x.text.isidentifier():
            return x
        name = self.fresh(hint)
        self.line(f"const {_TYPES[x.kind]} {name} = {x.text};")
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
        self.line(f"const {_TYPES[x.kind]} {name} = {x.text};")
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
        if array.size >= 0:
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

    def called(self, f: Any, xs: Sequence[Val], node: ast.AST) -> Val:
        """A call of a function."""
        raise NotImplementedError


class Calls(Expressions):
    """Writes calls."""

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
            function = function_of(runtime.WRITTEN.get(f, f))
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
            params.append(f"{_TYPES[kind]} {x.text}" if kind in _TYPES else
                          f"{'' if param in stored or param == 'parts' else 'const '}double {x.text}[]")
            if param in self.function.changing and kind in _TYPES:
                self.variables[param] = x
        self.statements(self.function.body)
        if not self.lines or not self.lines[-1].startswith("    return"):
            self.line(f"return {'0' if self.is_program else 'NAN'};")
        lines = used(self.lines)
        words = set(re.findall(r"[A-Za-z_]\w*", "\n".join(lines)))
        lines[:0] = [f"    (void){self.env[param].text};" for param in self.function.params
                     if self.env[param].text not in words]
        top = [f"    {_TYPES[x.kind]} {x.text} = {'0.0' if x.kind == FLOAT else '0'};"
               for x in self.declared.values()]
        head = head or f"static {_TYPES[self.function.result]} {name}({', '.join(params)})"
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
            self.line(f"const {_TYPES[x.kind]} {text} = {x.text};")
            self.env[name] = Val(x.kind, text, ATOM)

    def listed(self, name: str, node: ast.expr) -> bool:
        """Make a list, if it is one."""
        if isinstance(node, (ast.List, ast.Tuple)):
            texts = [self.expr(x).text for x in node.elts]
        elif isinstance(node, ast.BinOp) and isinstance(node.left, ast.List):
            if len(node.left.elts) != 1 or not isinstance(node.right, ast.Constant):
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
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            values = [self.held(Val(x.kind, x.text)) for x in map(self.expr, node.value.elts)]
            for one, value in zip(target.elts, values, strict=True):
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


def constant(x: float) -> Val:
    """A plain number."""
    if type(x) is int:
        return Val(INT, str(x), ATOM if x >= 0 else SIGN)
    return Val(FLOAT, repr(x) if x - x == 0.0 else "NAN" if x != x else "INFINITY" if x > 0.0 else
               "-INFINITY", SIGN if x < 0.0 else ATOM)


def _refuse(node: ast.AST) -> None:
    raise refused(node)
