"""Formulas given as text, such as ``sin(x*y) + x**2``: read against the op table, never run as Python."""
from __future__ import annotations

import ast
import operator
import textwrap
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from keyword import iskeyword
from math import e, inf, isfinite, nan, pi
from re import escape, findall, search
from typing import Any, NamedTuple, NoReturn

from autograd_lite.checks.report import clip, columns
from autograd_lite.errors import AutogradError, InputError, NumericError, short
from autograd_lite.graph.node import op_of, plain
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable
from autograd_lite.ops import sequences
from autograd_lite.ops.op import TABLE, Op, number

LENGTH, DEPTH, _WIDTH = 20_000, 500, 72
_DEEP = "this is too deeply nested; name parts of it, as in u = x*y"
CONSTANTS = {"pi": pi, "π": pi, "e": e, "inf": inf, "nan": nan}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: op for name, op in TABLE.items() if name.isidentifier()},
    **{name: getattr(sequences, name)
       for name in ("sum", "mean", "dot", "logsumexp", "softmax", "log_softmax")}}

_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
           ast.Pow: "**"}
_COMPARED = {ast.Gt: "greater", ast.GtE: "greater_equal", ast.Lt: "less", ast.LtE: "less_equal",
             ast.Eq: "equal", ast.NotEq: "not_equal"}
# What people write, and what it is here.
_OTHERS = {"ln": "log(…)", "lg": "log10(…)", "tg": "tan(…)", "ctg": "1/tan(…)", "cot": "1/tan(…)",
           "sec": "1/cos(…)", "csc": "1/sin(…)", "max": "maximum(a, b)", "min": "minimum(a, b)",
           "pow": "a**b", "power": "a**b", "square": "x**2", "fabs": "abs(…)", "sgn": "sign(…)",
           "floor": "x//1", "logistic": "sigmoid(…)", "expit": "sigmoid(…)",
           **{f"{arc}{name}": f"a{name}(…)" for arc in ("arc", "ar") for name in
              ("sin", "cos", "tan", "sinh", "cosh", "tanh")}, "arctan2": "atan2(y, x)"}
_SIGNS = {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "²": "**2", "³": "**3",
          "√": "sqrt(…)", "∞": "inf", "≤": "<=", "≥": ">=", "≠": "!=", "^": "**", "|": "abs(…)"}
_WORDS = {"Attribute": "an attribute", "JoinedStr": "a text", "Lambda": "a lambda",
          **dict.fromkeys(("ListComp", "SetComp", "DictComp", "GeneratorExp"), "a comprehension"),
          "Tuple": "a tuple", "Dict": "a dict", "Set": "a set", "Starred": "a star", "Await": "await",
          "Yield": "yield", "YieldFrom": "yield", "Slice": "a slice", "Import": "an import",
          "ImportFrom": "an import", "FunctionDef": "a definition", "ClassDef": "a class", "Delete": "del",
          "AugAssign": "an assignment in place", "BinOp": "this operator", "UnaryOp": "this operator"}


class FormulaError(InputError):
    """A text is not a formula; the message points at the place."""


class Span(NamedTuple):
    """A part of a text: a line of it, and columns (at least one is shown)."""

    line: int
    start: int
    end: int


class Step(NamedTuple):
    """One step of a formula: a function of earlier results, or (None) a variable."""

    function: Callable[..., Any] | None
    operands: tuple[int, ...]
    span: Span


class Formula:
    """A formula that was read.

    Attributes:
        text: as it was given; variables: the names that it needs, in order of appearance.
        names: the variables, and the names that it gives to intermediate results: their places.
        result: the place of the result; its name, if it has one, is `name`.
    """

    def __init__(self, text: str, what: str):
        self.text, self.what = text, what
        self.steps: list[Step] = []
        self.names: dict[str, int] = {}
        self.variables: list[str] = []
        self.result: int
        self.name: str

    def __call__(self, point: Mapping[str, Any], leaves: Collection[str] = ()) -> dict[str, Any]:
        """What every name stands for at a point, and the result, which stands last, by the name "".

        Values get the names as labels. The names in `leaves` that stand for plain numbers become Values.

        Raises:
            AutogradError: an operation is not defined there; the message points at it.
        """
        results = self._results(point, leaves)
        found = {name: results[place] for name, place in self.names.items()}
        for name, x in [*found.items(), ("", results[self.result])]:
            if isinstance(x, list):
                raise self.error(self.steps[self.names.get(name, self.result)].span,
                                 "this is a list; take one of its numbers, as by [0]")
            if name and isinstance(x, Value) and not x.label:
                x.label = name
        return {**found, "": results[self.result]}

    def _results(self, point: Mapping[str, Any], leaves: Collection[str]) -> list[Any]:
        """What the steps give."""
        names = {place: name for name, place in reversed(self.names.items())}
        results: list[Any] = []
        for place, (function, operands, span) in enumerate(self.steps):
            try:
                x = point[names[place]] if function is None else function(*[results[k] for k in operands])
            except AutogradError as error:
                text, *more = str(error).split("\n")
                error.args = ("\n".join([text, *self.pointed(span), *more]),)
                raise
            except (TypeError, LookupError) as error:
                raise self.error(span, str(error)) from None
            results.append(Value(x) if isinstance(x, float) and names.get(place) in leaves else x)
        return results

    def located(self, error: NumericError, point: Mapping[str, float]) -> NumericError:
        """An error of a gradient at a point, whose message points at the operation that it is about."""
        named, other = list[Span](), list[Span]()
        seen: set[int] = set()
        for x, step in zip(self._results({name: Value(x) for name, x in point.items()}, ()), self.steps):
            rest = list(x) if isinstance(x, list) else [x]
            while rest:                         # (the nodes of this step alone)
                node = rest.pop()
                if isinstance(node, Value) and id(node) not in seen:
                    seen.add(id(node))
                    rest += node.operands
                    op, xs = op_of(node), list(map(plain, node.operands)) or [node.data]
                    if op and search(rf"(?<!\w){escape(_bare(op.call(xs)))}(?![\w.])", _bare(str(error))):
                        named.append(step.span)
                    if (node.op, tuple(xs)) == (error.op, error.operands):
                        other.append(step.span)
        if "\n" not in str(error) and (named or other):
            error.args = ("\n".join([str(error), *self.pointed([*named, *other][0])]),)
        return error

    def pointed(self, span: Span) -> list[str]:
        """The line of the text, cut to fit a terminal, and carets below a part of it."""
        text = self.text.split("\n")[span.line]
        before, meant = [columns(printable(text[:k])) for k in (span.start, max(span.end, span.start + 1))]
        first = max(0, span.start - _WIDTH // 2) if columns(printable(text)) > _WIDTH else 0
        shown = printable(text[first:first + _WIDTH])
        while columns(shown) > _WIDTH:
            shown = shown[:-1]
        start = 4 + before - columns(printable(text[:first]))
        return ["    " + shown, " " * start + "^" * max(1, min(meant - before, _WIDTH + 4 - start))]

    def error(self, span: Span, message: str) -> FormulaError:
        """The error that points at a part of the text."""
        return FormulaError("\n".join([f"{self.what}: {message}", *self.pointed(span)]))


def parse(text: str, known: Collection[str] | None = None, what: str = "the expression") -> Formula:
    """Read a formula: numbers, names, ``+ - * / // % **``, comparisons, and functions of the op table.

    Intermediate results may be named: ``u = x*y; sin(u)``.

    Args:
        known: the names that it may use; by default any, each of them a variable.
        what: what the text is, for messages.

    Raises:
        FormulaError: it is something else, or too long; the message points at the place.

    >>> formula = parse("u = x*y; sin(u) + u**2")
    >>> formula.variables, formula({"x": 2.0, "y": 0.25})[""] == sequences.sum([TABLE["sin"](0.5), 0.25])
    (['x', 'y'], True)
    >>> parse("x + sine(x)")
    Traceback (most recent call last):
    autograd_lite.expression.FormulaError: the expression: there is no function sine; did you mean sin?
        x + sine(x)
            ^^^^
    """
    if len(text) > LENGTH:
        raise FormulaError(f"{what} has {len(text)} characters; at most {LENGTH} are read")
    formula = Formula(textwrap.dedent(text.expandtabs()).strip(), what)
    return _Reader(formula, known).formula


def constant(text: str, what: str) -> float:
    """The number that a text writes: ``-3``, ``1e-3``, ``pi/2``.

    Raises:
        AutogradError: it is not a number, or too large.

    >>> constant("-3/2", "x")
    -1.5
    """
    return number(parse(text, (), what)({})[""], what)


def _bare(text: str) -> str:
    """Without brackets, which an op's name has around a number in some messages."""
    return text.replace("(", "").replace(")", "")


class _Text:
    """The text of a formula: Python's syntax tree of it, and what to say of what does not belong there."""

    def __init__(self, formula: Formula):
        self.formula, self.lines = formula, formula.text.split("\n")

    def tree(self) -> ast.Module:
        for line, part in enumerate(self.lines):
            for k, c in enumerate(part):
                if c == "\0" or "\ud800" <= c <= "\udfff":
                    self.refuse(Span(line, k, k), "this is not text")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.formula.text)
        except SyntaxError as error:
            self.misread(error)
        except (RecursionError, MemoryError):
            self.refuse(Span(0, 0, 0), _DEEP)

    def misread(self, error: SyntaxError) -> NoReturn:
        """Say what Python says, and what to write instead of what people often write."""
        line = min(error.lineno or len(self.lines), len(self.lines)) - 1
        text = self.lines[line]
        start = min((error.offset or 1) - 1, len(text))
        span = Span(line, start, start)
        c, message = text[start:start + 1], error.msg or "invalid syntax"
        words = [word for word in findall(r"\w+", text) if iskeyword(word)]
        message = message.partition(". Perhaps")[0].partition(". Maybe")[0]
        if c and c in _SIGNS:
            message = f"{c} is not known here; write {_SIGNS[c]}"
        elif "too many nested" in message:
            message = _DEEP
        elif "limit" in message:
            message = "this number has too many digits"
        elif "decimal literal" in message and text[start:].lstrip("0123456789.e_")[:1].isalpha():
            message = "a product needs a sign; write 2*x"
        elif words:
            message += f"; {words[0]} is a word of Python's, and cannot be a name"
        elif text[:start].rstrip()[-1:].isalnum() and c.isalnum():
            message += "; is a * or a comma missing before this?"
        self.refuse(span, message)

    def span(self, node: Any) -> Span:
        """Where a node of the tree stands; its columns count bytes."""
        line = self.lines[node.lineno - 1]
        start = len(line.encode()[:node.col_offset].decode(errors="ignore"))
        if node.end_lineno != node.lineno:
            return Span(node.lineno - 1, start, len(line))
        return Span(node.lineno - 1, start, len(line.encode()[:node.end_col_offset].decode(errors="ignore")))

    def refuse(self, where: Any, message: str) -> NoReturn:
        raise self.formula.error(where if isinstance(where, Span) else self.span(where), message)

    def foreign(self, node: ast.AST) -> NoReturn:
        """What is Python but not part of a formula."""
        kind = type(node).__name__
        match node:
            case ast.Attribute(ast.Name(module), name) if name in FUNCTIONS:
                self.refuse(node, f"an attribute is not part of a formula; write {name}, not {module}.{name}")
            case ast.Constant(value):
                what = "a text" if isinstance(value, (str, bytes)) else f"{short(value)}"
                self.refuse(node, f"{what} is not a number")
            case ast.BinOp(op=ast.BitXor()):
                self.refuse(node, "^ is not a power here; write **")
            case ast.BinOp(op=ast.BitOr()):
                self.refuse(node, "| is not part of a formula; write abs(…), or where(condition, a, b)")
            case ast.IfExp() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.If():
                self.refuse(node, "a branch is written where(condition, a, b), as in where(x > 0, x, 0)")
            case ast.Compare():
                self.refuse(node, "write one comparison at a time, as in where(x > 0, where(x < 1, a, b), b)")
            case ast.AnnAssign():
                self.refuse(node, "a colon is not part of a formula; a name is given by =, as in u = x*y")
        self.refuse(node, f"{_WORDS.get(kind, 'this')} is not part of a formula")


class _Reader(_Text):
    """Reads a formula, without recursion: the nodes of the tree become steps."""

    def __init__(self, formula: Formula, known: Collection[str] | None):
        super().__init__(formula)
        self.known = known
        statements = self.tree().body
        if not statements:
            raise FormulaError(f"{formula.what} is empty; write a formula, such as sin(x*y) + x**2")
        for statement in statements:
            match statement:
                case ast.Expr(value):
                    formula.result, formula.name = self.read(value), ""
                    if statement is not statements[-1]:
                        self.refuse(value, "only the last part is the result; name the others, as in u = x*y")
                case ast.Assign([ast.Name(name) as target], value):
                    formula.result, formula.name = self.read(value), name
                    self.bind(name, formula.result, target)
                case _:
                    self.foreign(statement)

    def bind(self, name: str, place: int, node: ast.AST) -> None:
        if name in FUNCTIONS or name in CONSTANTS:
            self.refuse(node, taken(name))
        if name in self.formula.names or self.known is not None and name in self.known:
            self.refuse(node, f"{name} has a meaning already; choose another name")
        self.formula.names[name] = place

    def read(self, root: ast.expr) -> int:
        """Append the steps of an expression; the place of its result."""
        work: list[tuple[Any, int]] = [(root, 0)]
        done: list[int] = []
        while work:
            node, depth = work.pop()
            if isinstance(node, tuple):                             # its operands are there
                function, n, whole = node
                operands = tuple(done[len(done) - n:])
                del done[len(done) - n:]
                if isinstance(whole, ast.NamedExpr):
                    self.bind(whole.target.id, operands[0], whole.target)
                    done += operands
                else:
                    done.append(self.step(function, operands, self.span(whole)))
                continue
            if depth > DEPTH:
                self.refuse(node, _DEEP)
            if isinstance(node, ast.Name):
                done.append(self.named(node))
                continue
            function, children = self.parts(node)
            work.append(((function, len(children), node), depth))
            work += [(child, depth + 1) for child in reversed(children)]
        return done[0]

    def step(self, function: Callable[..., Any] | None, operands: tuple[int, ...], span: Span) -> int:
        self.formula.steps.append(Step(function, operands, span))
        return len(self.formula.steps) - 1

    def named(self, node: ast.Name) -> int:
        name, names = node.id, self.formula.names
        if name in names:
            return names[name]
        if name in CONSTANTS:
            return self.step(lambda: CONSTANTS[name], (), self.span(node))
        if name in FUNCTIONS:
            self.refuse(node, f"{name} is a function; write {name}(…)")
        if self.known is not None and name not in self.known:
            self.refuse(node, f"there is no {name} here{meant(name, self.known)}" if self.known else
                        f"{name} is not a number")
        self.formula.variables.append(name)
        names[name] = self.step(None, (), self.span(node))
        return names[name]

    def parts(self, node: ast.expr) -> tuple[Callable[..., Any], Sequence[ast.expr]]:
        """The function of a node, and its operands."""
        match node:
            case ast.Constant(int() | float() as value) if not isinstance(value, bool):
                try:
                    x = float(value)
                except OverflowError:
                    x = inf
                if not isfinite(x):
                    self.refuse(node, "this number is too large for a double")
                return (lambda: x), ()
            case ast.UnaryOp(ast.USub(), operand):
                return TABLE["neg"], (operand,)
            case ast.UnaryOp(ast.UAdd(), operand):
                return operator.pos, (operand,)
            case ast.BinOp(left, op, right) if type(op) in _BINARY:
                return TABLE[_BINARY[type(op)]], (left, right)
            case ast.Compare(left, [op], [right]) if type(op) in _COMPARED:
                return TABLE[_COMPARED[type(op)]], (left, right)
            case ast.List(elements):
                return (lambda *xs: list(xs)), elements
            case ast.NamedExpr(value=operand):
                return operator.pos, (operand,)
            case ast.Subscript(value, ast.Constant(int(index))):
                return (lambda xs: _entry(xs, index)), (value,)
            case ast.Subscript(value, ast.UnaryOp(ast.USub(), ast.Constant(int(index)))):
                return (lambda xs: _entry(xs, -index)), (value,)
            case ast.Call(ast.Name() as head, operands, keywords):
                if keywords:
                    self.refuse(keywords[0], "a keyword is not part of a formula; write operands in order")
                return self.function(head, operands), operands
            case ast.Call(head):
                if not isinstance(head, ast.Attribute):
                    self.refuse(head, "this is a number, not a function; a product needs a *")
                self.foreign(head)
        self.foreign(node)

    def function(self, head: ast.Name, operands: Sequence[ast.expr]) -> Callable[..., Any]:
        name = head.id
        if name not in FUNCTIONS:
            if name in self.formula.names or name in CONSTANTS or self.known and name in self.known:
                self.refuse(head, f"{name} is a number, not a function; write {name}*(…) for a product")
            self.refuse(head, f"there is no function {clip(name, 40)}" + meant(name, FUNCTIONS))
        function = FUNCTIONS[name]
        if isinstance(function, Op) and not function.least <= len(operands) <= function.most:
            self.refuse(head, str(function.miscounted(len(operands))))
        return function


def _entry(xs: Any, index: int) -> Any:
    if not isinstance(xs, list):
        raise InputError("this is a number, not a list")
    if not -len(xs) <= index < len(xs):
        raise InputError(f"the list has no entry {index}; it has {len(xs)}, counted from 0")
    return xs[index]


def meant(name: str, names: Collection[str]) -> str:
    """The end of a message about a name that is not known: what may be meant."""
    if name in _OTHERS and names is FUNCTIONS:
        return f"; write {_OTHERS[name]}"
    near = get_close_matches(name, names)
    if not near:
        near = [x for x in names if x.casefold() == name.casefold()]
    return f"; did you mean {near[0]}?" if near else ""


def taken(name: str) -> str:
    """Why a name cannot be given to a number."""
    return (f"{name} is a function, and cannot be the name of a number" if name in FUNCTIONS else
            f"{name} is the constant {CONSTANTS[name]:.10g}, and cannot be the name of another number")
