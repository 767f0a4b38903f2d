"""What compiled functions are made of: keys of arguments, names in code, simplified conditions, instructions
and what is said of changes; held to the letter."""
from __future__ import annotations

import datetime
import functools
import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from golden import expected, steady

from autograd_lite import Value
from autograd_lite.ops.custom import Custom
from autograd_lite.ops.elementary import add, div, identity, mul, neg, power, sub
from autograd_lite.ops.op import TABLE
from autograd_lite.ops.selection import choose
from autograd_lite.ops.sequences import softmax_first
from autograd_lite.programs import arguments, names
from autograd_lite.programs.arrays import over_arrays
from autograd_lite.programs.code import ADDED, INDEX, ROWS, Code
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.layout import Side, common, hides, simplified


class Pair(NamedTuple):
    a: float
    b: object


@dataclass
class Point:
    x: float
    y: object = 2


# -- keys of arguments ------------------------------------------------------------------------------

ARGUMENTS = {
    "1.5": 1.5, "3": 3, "True": True, "None": None, "'a'": "a", "[1.5, 2.5]": [1.5, 2.5],
    "(1.5, 2)": (1.5, 2),
    "[]": [], "{'a': 1.5, 2.5: [3]}": {"a": 1.5, 2.5: [3]}, "nested": ([1.5, (2, None)], {"b": {"c": 0.5}}),
    "2**60": 2 ** 60, "2**53 - 1": 2 ** 53 - 1, "-2**53": -2 ** 53, "Fraction": Fraction(1, 4),
    "a Value": Value(1.0), "a Value in a list": [1.5, Value(1.0)], "an array": np.array([[1.5, 2.5]]),
    "an array of ints": np.arange(2),
    "np.float32": np.float32(1.5), "np.int64": np.int64(4), "a named tuple": Pair(1.5, 2),
    "a dataclass": Point(1.5),
    "a set": {1.5}, "bytes": b"ab", "complex": 1j, "a date": datetime.date(2020, 1, 2), "deque": deque([1.5]),
    "OrderedDict": OrderedDict(a=1.5), "range": range(2), "a class": Point, "nan": math.nan, "-0.0": -0.0}


def key(x):
    lines = []
    for f in (lambda: arguments.key_of([x, 0.5], {}), lambda: arguments.key_of([], {"k": x}),
              lambda: arguments._fixed(x), lambda: arguments.names_of(["p"], [x]),
              lambda: arguments.is_whole(x),
              lambda: list(arguments.objects_in(arguments.key_of([x], {})[0]))):
        try:
            lines.append(written(f()))
        except arguments.Given:
            lines.append("the function itself")
    return "\n".join(lines)


def written(x):
    if isinstance(x, arguments.Kept):
        return f"Kept({x.x!r}{', hashed' * x.hashed})"
    if isinstance(x, (tuple, list)) and type(x) in (tuple, list):
        return f"({', '.join(map(written, x))})"
    return x.__name__ if isinstance(x, type) else repr(x)


# -- names in code ----------------------------------------------------------------------------------

CODES = [
    "x + y", "x.a.b", "f(x.a).b['c']", "[x.a for x in y.b]", "lambda: (p.q, lambda: r.s)", "getattr(x, 'a')",
    "getattr(x, y)", "getattr(x, 'a', None).b", "hasattr(x, y.z)", "globals()['a'] + b", "globals()[a]",
    "eval('x.a + y')", "eval(x)", "vars(x)", "'{0.a.b}'.format(x)", "f'{x.a!r:>{w}}'", "'x.y z'.split()",
    "attrgetter('a.b')(x)", "x if 'in' in {'p', 'q'} else z", "(x := 3) + u", "x[1:y.a]", "x.__dict__",
    "{'k': v.w, **rest}", "not a or b.c and d"]


def named(text):
    found = names.named(eval(f"lambda: {text}").__code__)
    return "; ".join([", ".join(sorted(found.globals)), ", ".join(sorted(found.attributes))])


STATEMENTS = ["import a.b as c", "from . import d", "from ..e.f import g", "x.a = y.b", "del x.a", "x.a += 1",
              "match x:\n    case P(1, q=2): pass\n    case {'k': v}: pass", "def f(x=d): return x.a\n",
              "class C:\n    a = b.c\n", "with x.open() as y: y.read()"]


def named_in_statements(text):
    found = names.named(compile(text, "a text", "exec"))
    return "; ".join([", ".join(sorted(found.globals)), ", ".join(sorted(found.attributes)),
                      repr(sorted(found.imported))])


# -- conditions -------------------------------------------------------------------------------------

QUESTIONS = ["x0 > 0.0", "not -1.0 < x0 < 1.0 or x1 == 0.0", "x0 > 0.0 and (x1 < 1.0 or x0 == x1)",
             "abs(x0) < 1e150 and not x1 < 0.0", "(x0 > 0.0 or x1 > 0.0) and x0 != x1",
             "not (x0 < 1.0 and x1 < 1.0)", "-x0 + 1.0 > x1", "x0 == x0"]


def question(text):
    lines = [over_arrays(text)]
    for known in ((), (("x0", 2.0),), (("x1", 0.0),), (("x0", -0.5), ("x1", 3.0))):
        lines.append(f"{dict(known)}: {simplified(text, known)}")
    return "\n".join(lines)


def hiding():
    """The operands whose infinities and nans an op may hide."""
    lines = []
    for name, op in TABLE.items():
        if not isinstance(op, Custom) and not op.open:
            found = [i for i in range(op.least) if hides(op, op.least, i)]
            lines += [f"{name}: {found}"] if found else []
    return "\n".join(lines)


def sides():
    a = Side(None, 1, True, 1)
    b, c = Side(a, 5, False, 2), Side(a, 6, True, 2)
    d = Side(b, 9, True, 3)
    text = {a: "a", b: "b", c: "c", d: "d", None: "-"}
    lines = [" ".join([text[common(x, y)] for y in (a, b, c, d, None)]) for x in (a, b, c, d, None)]
    lines += [" ".join([text[x.known(k)] for k in (0, 1, 4, 5, 8, 9, 10)]) for x in (a, b, c, d)]
    asked = (1, True), (1, False), (5, False), (9, True)
    lines += [" ".join([str(x.holds(k, answer)) for k, answer in asked]) for x in (a, b, c, d)]
    return "\n".join(lines + ["".join([text[x] for x in d.path()])])


# -- instructions -----------------------------------------------------------------------------------


def instructions(op, *operands):
    code = Code()
    x, y = code.input(1.5), code.input(2.5)
    places = {"x": x, "y": y, "-x": None, "-": None}
    if "-x" in operands:
        places["-x"] = code.emit(neg, (x,))
    made = [places[k] if isinstance(k, str) else code.constant(k) for k in operands]
    k = code.emit(op, tuple(made))
    again = code.emit(op, tuple(made))
    lines = [f"{i} {getattr(op, 'name', op)} {list(xs)} {code.value(i)}" for i, (op, xs) in enumerate(
        zip(code.ops, code.operands))]
    return "\n".join([*lines, f"result {k}, {again}"])


INSTRUCTIONS = [
    (mul, "x", 1.0), (mul, -1.0, "x"), (mul, "x", 2.0), (mul, 2.0, 3.0), (mul, "x", "y"), (mul, 0.0, "x"),
    (add, "x", -0.0), (add, "x", 0.0), (add, 0.0, "x"), (sub, "x", 0.0), (sub, "x", -0.0), (sub, 0.0, "x"),
    (div, "x", 1.0), (div, 1.0, "x"), (div, 1.0, 0.0), (power, "x", 1.0), (power, "x", 0.0),
    (power, "x", 2.0),
    (neg, "-x"), (neg, 2.0), (identity, "x"), (choose, 1.0, "x", "y"), (choose, 0.0, "x", "y"),
    (choose, "x", "y", "y"), (choose, "x", "y", 2.0), (softmax_first, "x", "y"),
    (softmax_first, "y", "x"), (softmax_first, "y", 1.0, "x"),
    (ROWS, "x", 2.0), (ADDED, 2.0, 1.0, "x"), (INDEX, "x", 3.0), (TABLE["log"], -1.0), (TABLE["sin"], 0.0)]


# -- what has changed -------------------------------------------------------------------------------

SETTING = '''
from collections import deque, namedtuple, OrderedDict
import math
class Thing:
    size = 3
    def __init__(self): self.rate = 0.5; self.more = [1.0, {"k": 2.0}]
    def double(self, x): return x * self.rate
class Slots:
    __slots__ = ("a",)
    def __init__(self): self.a = 1.0
P = namedtuple("P", "u v")
limit, items, table, thing = 1.0, [1.0, [2.0]], {"a": 1.0, "b": {"c": 2.0}}, Thing()
pair, many = P(1.0, 2.0), {1, 2}
queue, text, slots, ordered, helper_rate = deque([1.0]), "word", Slots(), OrderedDict(a=1.0), 2.0
def helper(x, factor=3.0, *, offset=1.0): return x * factor * helper_rate + offset
def make():
    inner = 4.0
    def change(x):
        nonlocal inner
        inner = x
    def f(x):
        return (x * limit + items[0] + table["b"]["c"] + thing.double(x) + pair.u + len(many) + queue[0]
                + len(text) + helper(x) + inner + slots.a + ordered["a"] + math.pi + Thing.size)
    return f, change
f, change = make()
'''
CHANGES = ["limit = 2.0", "limit = 1", "limit = None", "del limit", "items[0] = 5.0", "items.append(1.0)",
           "items[1][0] = 3.0", "items = [1.0, [2.0]]", "items = (1.0, [2.0])", "table['a'] = 9.0",
           "table['b']['c'] = 9.0", "table['z'] = 1.0", "del table['b']", "thing.rate = 0.75",
           "thing.more[1]['k'] = 5.0", "thing.new = 1.0", "del thing.rate", "thing = Thing()",
           "Thing.size = 4", "Thing.double = lambda self, x: x", "pair = P(1.0, 3.0)", "pair = P(1.0, 2.0)",
           "many.add(7)", "many = {2, 1}", "queue.append(2.0)", "queue[0] = 2.0", "text = 'words'",
           "helper_rate = 3.0", "helper.__defaults__ = (4.0,)", "helper.__kwdefaults__['offset'] = 2.0",
           "helper = lambda x: x", "change(5.0)", "change(4.0)", "slots.a = 2.0", "ordered['a'] = 2.0",
           "ordered['z'] = 2.0", "x = 1.0"]


def changed(text):
    space = {"__name__": "a_program"}
    exec(SETTING, space)
    environment = Environment(space["f"])
    assert environment.holds()
    exec(text, space)
    found = environment.changed()
    return found or "nothing"


NAME = "programs"
CASES = {
    **{f"the key of {name}": functools.partial(key, x) for name, x in ARGUMENTS.items()},
    **{f"names in: {text}": functools.partial(named, text) for text in CODES},
    **{f"names in: {text.splitlines()[0]} (a statement)": functools.partial(named_in_statements, text)
       for text in STATEMENTS},
    **{f"the question {text}": functools.partial(question, text) for text in QUESTIONS},
    "what hides an infinity": hiding, "sides": sides,
    **{f"the instruction {op.name} of {list(xs)}": functools.partial(instructions, op, *xs)
       for op, *xs in INSTRUCTIONS},
    **{f"the change {text}": functools.partial(changed, text) for text in CHANGES},
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_as_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
