"""What a function is found to read, and what is asked at each call of whether it is as it was, to the letter.

That changes are noticed is tested elsewhere (test_environment, test_hidden_reads); here, that nothing more is
looked at than must be, and how each thing that is found is called.
"""
from __future__ import annotations

import array
import builtins
import collections
import contextvars
import decimal
import fractions
import functools
import inspect
import io
import itertools
import math
import operator
import random
import re
import threading
import types
import weakref
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import Value, nn
from autograd_lite.ops.op import TABLE
from autograd_lite.programs.environment import Environment, _place
from autograd_lite.programs.names import module_names, named, origin
from autograd_lite.programs.reach import origin_of
from autograd_lite.programs.things import Called

g_rate, g_none, g_nested = 0.5, None, {"a": [1.0, (2, "b")], "c": {3.0: True}}
g_text, g_bytes, g_complex, g_whole = "text", b"bytes", -0.0j, 7
g_value = Value(1.5, "w")
g_list, g_values = [1.0, 2.0], [Value(1.0, "a"), Value(2.0, "b")]
for _i in range(14):
    globals()[f"many_{_i}"] = float(_i)
reach_cube = ag.custom_op(lambda x: x ** 3, (lambda y, x: g_rate * x * x,), name="reach_cube")
del TABLE["reach_cube"]                         # (other tests are about all that it holds)
settings = types.ModuleType("settings")
settings.rate, settings.unread = 0.5, 1.0


class Loud(types.ModuleType):
    level = 3.0


loud = Loud("loud")
loud.rate = 0.25


class Plain:
    factor = 2.0
    other = 3.0

    def __init__(self, rate=0.5):
        self.rate = rate
        self.unread = [1.0]

    def scaled(self, x):
        return self.rate * x * self.factor

    @property
    def double(self):
        return self.rate * g_whole

    @classmethod
    def of_class(cls, x):
        return cls.factor * x

    @staticmethod
    def static(x):
        return g_rate * x

    def __call__(self, x):
        return self.scaled(x)


class Derived(Plain):
    factor = 4.0

    def scaled(self, x):
        return super().scaled(x) + g_rate


class Slotted:
    __slots__ = ("first", "second")

    def __init__(self):
        self.first = 0.1


class Mixed(Slotted):
    def __init__(self):
        super().__init__()
        self.rate = 1.0


class MyList(list):
    rate = 0.5


class MyDict(dict):
    pass


class MyInt(int):
    pass


class MyPartial(functools.partial):
    pass


class Model(nn.Module):
    def __init__(self):
        self.w = Value(0.5, "w")
        self.unread = 2.0

    def __call__(self, x):
        return self.w * x


class MyFraction(fractions.Fraction):
    pass


class OddTuple(tuple):
    _fields = "a",


class NoHash(type):
    __hash__ = None


class Unhashable(metaclass=NoHash):
    rate = 0.5


class Tiny:
    def __init__(self, rate):
        self.rate, self.unread = rate, [1.0]


plain, derived, slotted, mixed, model = Plain(), Derived(), Slotted(), Mixed(), Model()
my_list, my_dict = MyList([1.0, 2.0]), MyDict(a=1.0)
my_list.rate, my_dict.rate = 0.75, 0.25
plenty = [Tiny(float(i)) for i in range(13)]
dozen = plenty[:12]
few = [Tiny(1.0), Tiny(2.0)]
held_by_thread, context = threading.local(), contextvars.ContextVar("context", default=0.5)
held_by_thread.rate = 0.5
empty_list: list[float] = []


def uses(thing):
    """A function that reads a thing in a closure cell."""
    return lambda x: thing.rate * x


def naming(words):
    return eval(f"lambda x: ({', '.join(words)})")


def helper(x, by=g_list, *, more=3.0):
    return x * by[0] * more * g_rate


def other_helper(x):
    return helper(x) + g_rate


def counting(f):
    @functools.wraps(f)
    def wrapper(*args):
        wrapper.count = g_whole
        return f(*args)
    return wrapper


@counting
def wrapped(x):
    return x * g_rate


def imports(x):
    import math as m
    import os.path
    from math import tau
    from os import nothing_of_this_name                      # noqa: F401
    import not_there.at_all                                  # noqa: F401
    return x * m.e * tau * len(os.path.sep)


def empty_cell():
    def f(x):
        return x * later
    if g_none:
        later = 1.0
    return f


def two_cells():
    a, b = 1.0, [2.0]
    return lambda x: a * x + b[0]


def an_error():
    error = ValueError("a", 2.0)
    error.rate = 0.5
    return error


FUNCTIONS = {
    "nothing": lambda x: x * 2.0,
    "a global": lambda x: g_rate * x,
    "globals": lambda x: (g_rate, g_none, g_text, g_bytes, g_complex, g_whole, x),
    "a global that is not there": lambda x: not_there * x,                          # noqa: F821
    "built-ins": lambda x: abs(x) + len(g_list) + max(x, 1.0),
    "many globals": naming([f"many_{i}" for i in range(14)]),
    "twelve globals": naming([f"many_{i}" for i in range(12)]),
    "many that are not there": naming([f"not_{i}" for i in range(13)]),
    "twelve that are not there": naming([f"not_{i}" for i in range(12)]),
    "nested containers": lambda x: g_nested["a"][0] * x,
    "a Value": lambda x: g_value * x,
    "the label of a Value": lambda x: len(g_value.label) * x,
    "Values": lambda x: g_values[0] * x,
    "helpers": other_helper,
    "a default": lambda x, y=g_list, *, z=2.0: x * y[0] * z,
    "a wrapped function": wrapped,
    "imports": imports,
    "an empty cell": empty_cell(),
    "two cells": two_cells(),
    "an attribute": lambda x: plain.rate * x,
    "an attribute that is not there": lambda x: plain.nothing * x,
    "any attribute": lambda x: sum(vars(plain).values()) * x,
    "a property": lambda x: plain.double * x,
    "a method": plain.scaled,
    "a callable object": plain,
    "a class method": Plain.of_class,
    "a static method": Plain.static,
    "a derived object": derived.scaled,
    "the name of a class": lambda x: len(Plain.__name__) * x,
    "the derived classes of a class": lambda x: len(Plain.__subclasses__()) * x,
    "a class attribute": lambda x: Plain.factor * x,
    "slots": lambda x: slotted.first * x + slotted.second,
    "slots and a dict": lambda x: mixed.first * x + mixed.rate,
    "two objects": lambda x: few[0].rate * x,
    "twelve objects": lambda x: dozen[0].rate * x,
    "many objects": lambda x: plenty[0].rate * x,
    "all of two objects": lambda x: few[0].rate * few[0].unread[0] * x,
    "a model": model,
    "a neuron": lambda x: model.w * x,
    "a derived list": lambda x: my_list[0] * my_list.rate * x,
    "a derived dict": lambda x: my_dict["a"] * my_dict.rate * x,
    "a module": lambda x: settings.rate * x,
    "any attribute of a module": lambda x: getattr(settings, g_text) * x,
    "a module of a class": lambda x: loud.rate * loud.level * x,
    "a module of Python's": lambda x: math.sin(x) * math.pi * math.nothing,
    "a module of ours": lambda x: ag.sin(x) * ag.no_grad,
    "a thread's": lambda x: held_by_thread.rate * x,
    "a context's": lambda x: context.get() * x,
    "decimals": lambda x: decimal.Decimal("1.0") * x,
    "an op of the user's": lambda x: reach_cube(x),
    "a name in a text": lambda x: "g_rate" and x * eval("g_rate"),
    "all globals": types.FunctionType((lambda x: globals()[g_text] * x).__code__, {
        "__name__": __name__, "g_text": "rate", "rate": 0.5, "__hidden__": 1.0, "__builtins__": builtins}),
    "the facts of a function": lambda x: len(helper.__name__) * x,
    "a partial": functools.partial(helper, 2.0, more=g_list),
    "a partial with attributes": MyPartial(helper, 2.0),
    "an argument": Called(helper, plain),
}
MyPartial.rate = FUNCTIONS["a partial with attributes"].rate = 0.5
THINGS = {
    "a list": [1.0, 2, "c"],
    "an empty list": [],
    "a list in a list": [[1.0], [2.0], [], ["a", [None]]],
    "a tuple": (1.0, [2.0]),
    "a set": {1.0},
    "a frozenset": frozenset({"a"}),
    "a deque": collections.deque([1.0, [2.0]], maxlen=3),
    "a dict": {"a": 1.0, 2: [3.0]},
    "a dict with keys that can change": {(1.0, (2.0,)): 3.0},
    "a defaultdict": collections.defaultdict(list, a=1.0),
    "an ordered dict": collections.OrderedDict(a=1.0),
    "a counter": collections.Counter("aab"),
    "a chain of dicts": collections.ChainMap({"a": 1.0}),
    "a view": {"a": 1.0}.values(),
    "a proxy of a dict": MappingProxyType({"a": 1.0}),
    "a namespace": SimpleNamespace(rate=0.5, a=[1.0]),
    "an int of a class": MyInt(3),
    "a fraction": fractions.Fraction(1, 2),
    "a derived fraction": MyFraction(1, 2),
    "an array": np.array([1.0, 2.0]),
    "an array of objects": np.array([1.0, "a", None], object),
    "a matrix": np.array([[1, 2]], np.int8),
    "a number of NumPy's": np.float64(0.5),
    "an array of Python's": array.array("d", [1.0, 2.0]),
    "bytes that can change": bytearray(b"ab"),
    "a view of bytes": memoryview(b"ab"),
    "a generator of NumPy's": np.random.default_rng(1),
    "a generator": random.Random(1),
    "a method of a list": g_list.append,
    "a method of an object": plain.scaled,
    "a function of Python's": math.sin,
    "a bound built-in of a number": (2.0).__add__,
    "an attrgetter": operator.attrgetter("rate.first"),
    "a methodcaller": operator.methodcaller("scaled", 2.0),
    "a weak reference": weakref.ref(plain),
    "a weak proxy": weakref.proxy(plain),
    "a super": super(Derived, derived),
    "an error": an_error(),
    "an iterator": iter([1.0]),
    "iterators in a list": [itertools.count(), map(abs, g_list), iter(g_list)],
    "text in memory": io.StringIO("ab"),
    "a class": Plain,
    "a class of Python's": float,
    "a class of ours": Value,
    "an op": ag.sin,
    "a property": Plain.double,
    "code": helper.__code__,
    "a wrapped class method": vars(Plain)["of_class"],
    "a cell": two_cells().__closure__[0],
    "a function": helper,
    "a function of ours": ag.grad,
    "a gradient": ag.grad(helper),
    "the same twice": [g_list, g_list, {"a": g_list}],
    "an object in a container of others": [plain, {"p": few}],
    "objects of another package": [fractions.Fraction(1, 3), SimpleNamespace(of=fractions.Fraction(2, 3))],
    "objects within these": collections.ChainMap({
        "a": fractions.Fraction(1, 2), "b": collections.Counter("a")}),
    "a named tuple": inspect.getfullargspec(helper),
    "a tuple of other fields": OddTuple([[1.0], [2.0]]),
    "an object of a class without a hash": [Unhashable()],
    "a lock": threading.Lock(),
    "an ellipsis": ...,
    "a nan": math.nan,
    "a method of a dict": {"a": 1.0}.get,
}


def shown(x) -> str:
    if isinstance(x, tuple) and type(x) is tuple:
        return f"({', '.join(map(shown, x))})"
    if type(x) is Value:
        return f"Value {x.label}"
    if type(x) in (bool, int, float, complex, str, bytes, type(None), type(...)):
        return repr(x)
    return getattr(x, "__qualname__", "") or f"one {type(x).__name__}"


def reach(f) -> str:
    """All that is found, what it looks like, and what is asked."""
    environment = Environment(f)
    found = environment._reach
    lines = [f"{at} {parent} {way} {shown(key)}: {_place(found, at)}: {shown(token)}"
             for at, ((parent, way, key, _), token) in enumerate(zip(found.steps, found.tokens))]
    objects = [f"{type(x).__name__} {names} {whole}" for x, names, whole in found.objects]
    lines += [f"objects: {', '.join(objects)}", f"classes: {', '.join(map(shown, found.classes))}; of these: "
              f"{', '.join(map(shown, found.classed))}",
              f"foreign: {sorted(found.foreign)}; generators: {len(found.generators)}; "
              f"Values: {', '.join([x.label for x in found.values])}; functions: "
              f"{', '.join([x.__name__ for x in found.functions])}", *environment.unseen,
              f"asks for types: {environment.asks_types}"]
    questions = environment.questions
    asked = re.sub(r"(x\d+)\.__code__ is (x\d+\[\d+)\]\n\1\.__defaults__ is .*\n\1\.__kwdefaults__ is .*",
                   r"\1: \2…]", "\n".join(questions.conditions))
    return "\n".join([*lines, asked,
                      f"read: {'; '.join([', '.join(map(shown, kept)) for _, kept in questions.reads])}"])


# -- what code names ----------------------------------------------------------------------------------

CODES = """
x.a.b(c)
[y for y in g for z in y.h]
(lambda q: q.first + h)(k)
getattr(x, "name"), g
getattr(x, n)
getattr(x, n or "a")
getattr(x, "a" if n else "b")
getattr(x, f(a, "b"), "c")
getattr(x.a[0], "name", 1.0)
getattr(f(x, 1.0, n), "name")
getattr(*x)
getattr
getattr(x, n, "a")
getattr(x["a"], n)
getattr(x, b"a")
map(getattr, x, "ab")
[getattr][0](x, "a")
hasattr(x, "a"), hasattr(x, n)
vars(x)
x.__dict__
dir(x)
asdict(x)
globals()["name"]
globals()[n]
globals().get("name")
globals().get(n)
globals
eval("a.b + c")
eval(n)
eval("a" + n)
exec("import d\\ne = f.g")
"{0.rate} of {other}".format(x)
"not one: rate".split(x)
"rate", "a rate", "ünder_7", "7up", ("in", "a tuple", frozenset({"of"}))
attrgetter("rate.first")(x)
methodcaller("scaled", 2.0)
importlib.import_module("os.path")
__import__("xml")
importlib.import_module("not a.name")
type(x) is float
type(self) is float
[type(y) for y in x]
x.type
f"{x.a!r:>{width}}"
{"k": x.v, **more}
x[i:j], -x, not y
""".strip().splitlines()


def match_class(x):
    match x:
        case Plain(rate=r):
            return r


def statements(x):
    global g_rate
    import os.path as p, json                   # noqa: E401, F401
    from . import a                             # noqa: F401
    from ..b import c as d                      # noqa: F401
    from e.f import g, h                        # noqa: F401
    x.written = 1.0
    x.read += 2.0
    del x.gone
    g_rate = 2.0

    class Inner:
        field = outer                           # noqa: F821

        def method(self):
            return self.inner * type(self)
    return Inner


def names_in(code) -> str:
    found = named(code)
    return (f"globals: {' '.join(sorted(found.globals))}; attributes: {' '.join(sorted(found.attributes))}"
            + f"; imports: {sorted(found.imported)}" * bool(found.imported)
            + "; asks for types" * found.asks_types)


def names_in_text(text) -> str:
    return names_in(compile(f"lambda x, n: ({text})", "", "eval").co_consts[0])


def all_names() -> str:
    lines = [f"{text}\n    {names_in_text(text)}" for text in CODES]
    lines += [f"{f.__name__}\n    {names_in(f.__code__)}" for f in (
        match_class, statements, imports, empty_cell())]
    long = "rate " * 250
    lines += [f"{len(text)}: {names_in_text(f'x.format({text!r})')}" for text in (long[:999], long[:1000])]
    return "\n".join(lines)


def modules() -> str:
    lines = [f"{wanted} in {package!r}: {module_names(wanted, package)}" for wanted, package in (
        (("os", 0), ""), (("os.path", 0), "a"), (("", 1), "a.b"), (("c", 1), "a.b"), (("c.d", 2), "a.b"),
        (("c", 3), "a.b"), (("c", 1), ""))]
    names = ("autograd_lite", "autograd_lite.programs.names", "math", "os", "os.path", "numpy",
             "numpy.random", "builtins", "sys", "not_there", "", "autograd_lite_of_mine", None, 3, __name__)
    made: dict[str, Any] = {"__name__": "autograd_lite.somewhere"}
    exec(compile("class A:\n    def f(self): pass\nclass B: pass", "<doctest somewhere>", "exec"), made)
    return "\n".join([*lines, *[f"{name!r}: {origin(name)}" for name in names],
                      *[f"{x.__name__}: {origin_of(x)}" for x in (
                          made["A"], made["B"], Plain, Value, float)]])


NAME = "reaches"
CASES = {name: functools.partial(reach, f) for name, f in FUNCTIONS.items()}
CASES |= {f"of {name}": functools.partial(reach, uses(thing)) for name, thing in THINGS.items()}
CASES |= {"names in code": all_names, "names of modules": modules}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found_and_asked_is_what_is_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
