"""The methods of `Value` and the calls of ops, written from the table, for the case that all is finite.

An op's functions are made when it is first recorded, as Python source in which its function, its partials
and the new node stand in line: recording then costs no call but those of the float kernels. What is not
finite, outside a domain or in a special mode goes the general way, `Value.__apply_op__`.
"""
from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Sequence
from textwrap import indent
from typing import Any, TypeVar

from autograd_lite.graph import value
from autograd_lite.graph.node import NO_NOTE
from autograd_lite.graph.value import Value
from autograd_lite.lines import PACKAGE
from autograd_lite.ops.elementwise import NUMPY_NAMES, as_float, in_floats
from autograd_lite.ops.methods import Methods
from autograd_lite.ops.notation import COMPARISON, LOOSE, Form, Written, asked, literal
from autograd_lite.ops.op import TABLE, Op, flat
from autograd_lite.ops.operators import Operators
from autograd_lite.ops.sequences import Shares
from autograd_lite.ops.special import share_partials, shares


_PLACE = f"<{PACKAGE}methods of {{!r}}>"         # so that a message finds the user's line above
_SPECIAL = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "**": "pow", "%": "mod", "//": "floordiv",
            "neg": "neg", "abs": "abs"}
S = TypeVar("S", bound="Source")
_CHOICE = Form("#1 if #2 else #3", LOOSE, COMPARISON)


class Text(Operators):
    """A float in source code: a rule applied to it writes what the rule computes."""

    __slots__ = ("written", "source")

    def __init__(self, written: Written, source: Source):
        self.written, self.source = written, source

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Text:
        source: Source = next(x.source for x in operands if type(x) is Text)
        return Text(source.applied(op, list(map(_written, operands))), source)

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        raise TypeError("a text has no truth value; a rule that asks for it is called as it is")

    def __select__(self, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Text:
        return Text(_CHOICE(_written(then()), self.written, _written(otherwise())), self.source)

    def __ask__(self, question: Any, operands: Sequence[Any]) -> bool:
        names = [_written(x).text for x in operands]
        in_line = asked(question.source, names) if all(map(str.isidentifier, names)) else ""
        self.source.questions.append(f"({in_line})" if in_line else
                                     f"{self.source.named('holds', question.holds)}({', '.join(names)})")
        return True                             # where it does not hold, the general way is taken


def _written(x: Any) -> Written:
    return x.written if type(x) is Text else literal(x)


class Source:
    """An op of n operands in Python: its result y of the numbers x0, x1, …, and the partials p0, p1, …"""

    def __init__(self, op: Op, n: int, names: dict[str, Any]):
        self.op, self.n, self.names = op, n, names
        self.xs = [f"x{i}" for i in range(n)]
        self.questions: list[str] = []          # of the expression that is being written
        self.y = self.text("forward", op.forward, self.xs)
        self.partials: list[tuple[str, Sequence[str]]] = []      # each with the questions it depends on
        for rule in op.rules[:n]:
            p = "None" if rule is None or rule is flat else self.text("rule", rule, ["y", *self.xs])
            self.partials.append((p, self.questions))

    def named(self, hint: str, thing: Any) -> str:
        """The name of a function in the source."""
        name = hint
        while self.names.setdefault(name, thing) is not thing:
            name += "_"
        return name

    def applied(self, op: Op, operands: Sequence[Any]) -> Written:
        """An op in line if its notation says how, else a call of its float kernel."""
        form = op.notation.targets.get("python")
        if form:
            operands = [x if type(x) is Written else literal(x)         # (options that were not given)
                        for x in op.bound(operands, {})]
            text = re.sub(r"math\.(\w+)", lambda word: self.named(word[1], getattr(math, word[1])),
                          form(*operands).text)
            return Written(text, form.precedence)
        return Written(f"{self.named(f'f_{op.name}', op.forward)}({', '.join([x.text for x in operands])})")

    def text(self, hint: str, f: Callable[..., Any], operands: Sequence[str]) -> str:
        """A function in line if it only computes, else a call of it."""
        if self.op.in_line:
            self.questions = []
            texts = list(map(Written, operands))
            if f is self.op.forward and "python" in self.op.notation.targets:
                return self.applied(self.op, texts).text
            try:
                return _written(f(*[Text(x, self) for x in texts])).text
            except (TypeError, ValueError, ArithmeticError):
                self.questions = []
        return f"{self.named(hint, f)}({', '.join(operands)})"

    def node(self, operands: Sequence[str], kinds: str) -> str:
        """Return a node of these operands, if all is finite.

        Kinds: "v" is a node with a gradient, "f" a float, "?" anything (its gradient, or None, is g0, g1, …).
        """
        lines, checks, stored = [f"y = {self.y}"], ["y - y == 0.0"], list[str]()
        sure = False
        for i, (kind, (p, questions)) in enumerate(zip(kinds, self.partials)):
            if kind == "?":
                checks.append(f"x{i} == x{i}")  # (what a trace left is nan)
            called = p.startswith("rule")       # it may give None
            if kind == "f" or p == "None":
                stored.append("None")
                continue
            sure |= kind == "v" and not called
            if kind == "v" and (p in ("y", *self.xs) or p.lstrip("-").replace(".", "").isdigit()):
                stored.append(p)                # finite if y is
                continue
            lines.append(f"p{i} = {p}" if kind == "v" else f"p{i} = None if g{i} is None else {p}")
            checks += [f"(p{i} is None or {check})" if kind == "?" or called else check
                       for check in (f"p{i} - p{i} == 0.0", *questions)]
            stored.append(f"p{i}")
        flows = [f"g{i}" for i in range(self.n)] if self.op.chooses else [p for p in stored if p[0] == "p"]
        none = " and ".join([f"{p} is None" for p in flows]) or "True"
        checks += [f"{x}._grad is not None" for x, kind in zip(operands, kinds) if kind == "v"]
        lines += [f"if {' and '.join(checks)}:", "    out = new()", "    out._data = y",
                  f"    out._grad = {'ZERO' if sure else f'None if {none} else ZERO'}",
                  "    out._operation = op"]
        held = [*(*operands, "None")[:2], *stored, "None"] if self.n <= 2 else [
            f"({', '.join(operands)})", "None", "None",
            f"None if out._grad is None else ({', '.join(stored)})"]
        lines += [f"    out.{slot} = {x}" for slot, x in zip(("_a", "_b", "_pa", "_pb"), held)]
        return "\n".join([*lines, "    return out", ""])

    def quick(self, operands: Sequence[str], known: str) -> str:
        """Return a node, where `known` is a node with a gradient and the other a node or a number."""
        if not self.op.in_line:                 # (users' rules run only where a gradient flows)
            return "pass\n"
        if self.n == 1:
            return f"x0 = {known}._data\n" + self.node(operands, "v")
        if self.n > 2 or None in self.op.rules:
            return "pass\n"
        i = 1 - operands.index(known)
        other, number = operands[i], f"x{i}"
        with_number = list(operands)
        with_number[i] = number
        return (f"if type({other}) is Value:\n"
                f"    x{1 - i} = {known}._data\n    {number} = {other}._data\n"
                + indent(self.node(operands, "vv"), "    ") +
                f"elif type({other}) is float or type({other}) is int:\n"
                f"    x{1 - i} = {known}._data\n"
                f"    {number} = {other} if type({other}) is float else {other} + 0.0\n"
                + indent(self.node(with_number, "vf" if i else "fv"), "    "))

    def traced(self, operands: Sequence[str], known: str) -> str:
        """Leave a node with the tape, where `known` is a Value and the other one or a float."""
        if not self.op.in_line or self.n > 2 or self.op.partly:
            return "pass\n"

        def noted(values: Sequence[str]) -> str:
            numbers = "".join([f"x{i} = {x}{'._data' if x in values else ''}\n"
                               for i, x in enumerate(operands)])
            none = " and ".join([f"{x}._grad is None" for x in values])
            return (f"{numbers}y = {self.y}\nif y - y == 0.0:\n    out = new()\n    out._data = y\n"
                    f"    out._grad = None if {none} else ZERO\n    out._operation = op\n"
                    f"    out._a = ({', '.join(operands)},)\n    out._b = tape\n"
                    "    out._pa = out._pb = None\n    out._note = NO_NOTE\n    tape.noted.append(out)\n"
                    "    return out\n")
        if self.n == 1:
            return noted(operands)
        other = operands[1 - operands.index(known)]
        return (f"if type({other}) is Value:\n{indent(noted(operands), '    ')}"
                f"else:\n{indent(noted([known]), '    ')}")

    def mixed(self) -> str:
        """A function of n operands of any kinds; it returns None where that takes the general way."""
        operands = [f"a{i}" for i in range(self.n)]
        lines = []
        for i, (a, rule) in enumerate(zip(operands, self.op.rules)):
            lines += [f"kind{i} = type({a})", f"g{i} = None",
                      f"if kind{i} is float: x{i} = {a}", f"elif kind{i} is int: x{i} = {a} = {a} + 0.0"]
            if rule is not None:                # (an option is a number)
                lines += [f"elif kind{i} is Value:", f"    x{i} = {a}._data", f"    g{i} = {a}._grad"]
            lines += ["else:", f"    {a} = as_float({a})", f"    if {a} is None: return None",
                      f"    x{i} = {a}"]
        nodes = " or ".join([f"kind{i} is Value" for i in range(self.n)])
        return (f"def mixed{self.n}({', '.join(operands)}):\n" + indent("\n".join(lines), "    ")
                + f"\n    if {nodes}:\n" + indent(self.node(operands, "?" * self.n), " " * 8)
                + f"    else:\n        y = {self.y}\n        if y - y == 0.0:\n            return y\n")


def sources_of(op: Op, names: dict[str, Any], kind: type[S]) -> list[S]:
    """An op in Python, for each number of operands that it takes."""
    return [kind(op, n, names) for n in range(op.least, int(op.most) + 1)]


def _function(name: str, parameters: str, condition: str, body: str, otherwise: str, traced: str = "") -> str:
    return (f"def {name}({parameters}):\n    if not special{condition}:\n{_tried(body)}"
            f"{traced}    return {otherwise}\n")


def _tried(body: str) -> str:
    return body and ("        try:\n" + indent(body, " " * 12) +
                     "        except (ValueError, ArithmeticError, TypeError):\n"
                     "            pass                # the general way says what is wrong\n")


def _traced(source: Source, operands: Sequence[str], known: str, condition: str) -> str:
    """What a function does on a tape, where operands besides the known one are Values or floats."""
    kinds = "".join([f" and (type({x}) is Value or type({x}) is float)"     # (an array has its own operator)
                     for x in operands if x != known])
    return (f"    elif special{condition}{kinds} and not entered[0] and (tape := tracing.get()):\n"
            f"{_tried(source.traced(operands, known))}"
            f"        return tape.apply(op, ({', '.join(operands)},))\n")


def _mixed(n: int, *operands: str) -> str:
    return f"out = mixed{n}({', '.join(operands)})\nif out is not None:\n    return out\n"


def method_source(source: Source, function: Any, reflected: bool) -> str:
    """A method for an op, in place of a function of `Operators`."""
    names = function.__code__.co_varnames[:function.__code__.co_argcount]
    operands = names[:source.n][::-1 if reflected else 1]
    body = source.quick(operands, "self") + _mixed(source.n, *operands)
    parameters, condition = ", ".join(names), ""
    if len(names) > source.op.most:             # the last is pow's, which no op takes
        parameters, condition = f"{parameters}=None", f" and {names[-1]} is None"
    elif len(names) > source.n:                 # the last is an option
        body = f"if {names[-1]} is None:\n" + indent(body, "    ") + "else:\n" + indent(
            _mixed(source.n + 1, *names), "    ")
        parameters += "=None"
    plain = len(names) == source.n or len(names) > source.op.most
    return _function("method", parameters, condition, body, f"general({', '.join(names)})",
                     _traced(source, operands, "self", condition) if plain else "")


def call_source(source: Source) -> str:
    """A function for the calls of an op."""
    n = source.n
    names = [f"a{i}" for i in range(n)]
    floats = " and ".join([f"type({a}) is float" for a in names])
    body = ("if type(a0) is Value:\n" + indent(source.quick(names, "a0"), "    ")
            + f"elif {floats}:\n" + "".join([f"    x{i} = {a}\n" for i, a in enumerate(names)])
            + f"    y = {source.y}\n    if y - y == 0.0:\n        return y\n" + _mixed(n, *names))
    condition = " and not options"
    if n < source.op.most:                      # the last is an option
        body = "if not more:\n" + indent(body, "    ") + "else:\n" + indent(
            _mixed(n + 1, *names, "*more"), "    ")
    else:
        condition += " and not more"
    parameters = ", ".join([f"{a}=absent" for a in names])
    return _function(
        "call", f"{parameters}, /, *more, **options", condition, body,
        f"general(*[a for a in ({', '.join(names)}, *more) if a is not absent], **options)",
        _traced(source, names, "a0", f"{condition} and type(a0) is Value") if n == source.op.most else "")


_NODE_OF_MANY = """\
out = new()
out._data = y
out._grad = ZERO if True in flows else None
out._operation = op
out._a = operands
out._b = out._pa = out._pb = None
if True in flows:
    partials = rule(y, xs)
    out._pb = tuple([p if flag else None for p, flag in zip(partials, flows)] if False in flows else partials)
"""
MANY = f"""\
def call(*operands, **options):
    given = operands
    if operands and not special and not options:
        try:
            xs = [x._data if type(x) is Value else x for x in operands]
            others = [x for x in xs if type(x) is not float]
            if others:
                operands = in_floats(operands)
                xs = [x._data if type(x) is Value else x for x in operands]
                others = [x for x in xs if type(x) is not float]
            if not others:
                y = forward(*xs)
                flows = [type(x) is Value and x._grad is not None for x in operands]
                if y - y == 0.0 and (False not in flows or not [x for x in xs if x != x]):
                    if Value not in map(type, operands):
                        return y
{indent(_NODE_OF_MANY, " " * 20)}
                    return out
        except (ValueError, ArithmeticError, TypeError):
            pass                # the general way says what is wrong
    return general(*given, **options)
"""
# Here xs are all results, computed together; `rule` knows the partials of the first from them.
_TOGETHER = f"""\
def together(operands):
    if special or Value not in map(type, operands):
        return None
    xs = [x._data if type(x) is Value else x for x in operands]
    if [x for x in xs if type(x) is not float or x != x]:
        return None
    xs = results(xs)
    flows = [type(x) is Value and x._grad is not None for x in operands]
    operands = (*operands,)
    nodes = []
    for y in xs:
        if y - y != 0.0:
            return None
{indent(_NODE_OF_MANY, " " * 8)}
        nodes.append(out)
        operands, xs, flows = operands[1:] + operands[:1], xs[1:] + xs[:1], flows[1:] + flows[:1]
    return nodes
"""


def methods_of(op: Op) -> list[tuple[str, bool]]:
    """The names of the methods that apply an op, and whether they take its operands in reverse."""
    if TABLE.get(op.name) is not op:
        return []
    word = _SPECIAL.get(op.name)
    names = [(f"__{word}__", False), (f"__r{word}__", True)] if word else []
    names += [(name, False) for name in (op.name, *[a for a, b in NUMPY_NAMES.items() if b == op.name])]
    return [(name, reverse) for name, reverse in names if hasattr(Operators, name)]


def quicken(op: Op) -> None:
    """Give an op its quick call, and `Value` the quick methods that apply it."""
    names: dict[str, Any] = {"op": op, "absent": object(), "NO_NOTE": NO_NOTE, "as_float": as_float,
                             "in_floats": in_floats}
    shared = ""
    if op.open:
        names.update(forward=op.forward, rule=op.rules[0])
        call_text = MANY
    else:
        source, *longer = sources_of(op, names, Source)
        shared = "".join([x.mixed() for x in (source, *longer)])
        call_text = call_source(source)

    def made(text: str, general: Callable[..., Any], name: str) -> Any:
        values = {**names, "general": general}
        text = f"def factory({', '.join(values)}):\n" + indent(f"{shared}{text}return {name}\n", "    ")
        found: dict[str, Any] = {}
        exec(compile(text, _PLACE.format(op.name), "exec"), vars(value), found)
        return found["factory"](**values)

    op.calls(made(call_text, op.apply, "call"))
    if isinstance(op, Shares):
        names.update(results=shares, rule=share_partials)
        op.together = made(_TOGETHER, op.apply, "together")
    op.quick = True
    for name, reflected in methods_of(op):
        general = getattr(Operators, name)
        method = made(method_source(source, general, reflected), general, "method")
        functools.update_wrapper(method, general)
        method.__module__, method.__qualname__ = Value.__module__, f"Value.{name}"
        setattr(Value, name, method)


def describe() -> None:
    """Say of each method that applies an op of the table what that says of itself."""
    for name, method in vars(Methods).items() if value.build == "python" else ():
        if op := TABLE.get(NUMPY_NAMES.get(name, name)):
            method.__doc__ = (op.__doc__ or "").partition("\n")[0]


value.quicken = quicken
if value.build == "mypyc":                      # the methods of the table are compiled (see `graph.native`)
    getattr(value, "bind_calls")()
