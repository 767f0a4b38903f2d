"""What is written for LLVM by parts that are not about one function of floats: functions over lanes, the runs
of the loop over tables, functions of floats and lists that programs call; and the straight-line code of
programs. All is held to the letter; over lanes it is that for vectors of four doubles.

That it does what it should is tested elsewhere (test_native_parts, test_native_batches, test_replay).
"""
from __future__ import annotations

import functools
import math
import re
import struct

import pytest
from golden import expected, steady
from test_golden_sources import CHOOSING, FUNCTIONS, gradient

import autograd_lite as ag
from autograd_lite.native import kernels, lanes, loop, runtime, sums, vectors
from autograd_lite.native.columns import Pattern, VectorProgram
from autograd_lite.native.forms import Forms
from autograd_lite.native.language import function_of, functions_in
from autograd_lite.native.llvm import Unit
from autograd_lite.native.objects import new_float
from autograd_lite.native.replay import events_of
from autograd_lite.native.straight import NativeWriter
from autograd_lite.native.sums import Floats
from autograd_lite.native.tables import Tables
from autograd_lite.native.vectors import VectorBody, VectorUnit
from autograd_lite.ops.op import TABLE
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.indices import Indices, Within
from autograd_lite.programs.layout import Dense
from autograd_lite.programs.tracing import trace

# -- functions over lanes -------------------------------------------------------------------------------


def signs(a: float) -> int:
    return -1 if a < -1.0 and a > -2.0 or a == 5.0 else 0


def nothing(a: float) -> float:
    if a > 1.0:
        return


def called_back(a, b):
    return [x for x in (a, b)][0]


def parting(x: float, y: float) -> float:
    """Lanes that end in branches; those that compute something are done where a lane needs them."""
    if x > y:
        if y > 0.0:
            return x - y
        z = x * 2.0
    elif x == y:
        z = math.exp(x)
    else:
        z = y
        raise ValueError
    if not x or y:
        z = -z
    return z + 1.0


def turns(x: float, n: int) -> float:
    """Lanes that leave loops, or turns of them."""
    total = 0.0
    for i in range(n):
        if i == 3 or x < i:
            continue
        if total > 4.0:
            break
        if total > x:
            return -total
        total += x
    while x > 1.0:
        for i in range(2):
            total -= x
        x = x / 2.0
        if x < total:
            break
    return total


def lanes_of_wholes(x: float, y: float) -> float:
    n = int(x)
    m = n * 2 - 1 + int(y > 0.0)
    m = -m if n < 2 else m
    if n:
        m += 1
    if 1 < n == m != 7:
        return
    return m + n * x + (3 if y < 0.0 else 4) + (2.0 if y < 1.0 and x else n) + float(True) + int(3)


def chosen(x: float, n: int) -> float:
    """Entries that each lane chooses."""
    xs = [x, n, 3.0]
    at = 0
    for i in range(3):
        if xs[i] > xs[at]:
            at = i
    xs[at] = 2 * xs[-1]
    xs[0] += 1.0
    if x > 0.0:
        xs[1] = x
        xs[at] = n
    return xs[at] + n


def called(x: float, y: float) -> float:
    """Vector functions, those that are made lane by lane, and functions of the language."""
    z = math.exp(x) + math.atan2(x, y) + math.fmod(x, y) + math.sqrt(abs(y)) + math.copysign(x, y)
    if x > 0.0:
        z = max(x, y, 2.0) - min(x, 3) + math.pow(x, 2.0) + math.pow(x, y) + math.lgamma(x) + signs(y)
    return z + x % y + called_back(x, y) + of_objects(x)


def of_objects(x: float) -> float:
    found = new_float(x)
    return 1.0 if found is None else 2.0


def summed(xs: Floats, n: int) -> float:
    total = xs[0]
    for i in range(1, n):
        xs[i] = xs[0] = total + xs[i]
        total = xs[i]
    return total


def readable(text):
    """With numbers as Python has them, and functions of Python without where they lie."""
    text = re.sub(r"0x([0-9A-F]{16})\b", lambda x: repr(*struct.unpack(">d", bytes.fromhex(x[1]))), text)
    return re.sub(r"python_\d+", "python", text).replace(" nounwind willreturn memory(none)", " pure")


def own(unit):
    """Of the text of a module what it declares, and its last function."""
    return readable("\n".join([*filter(None, unit.declared.values()), unit.texts[-1]]))


def of_floats(f):
    unit = Unit()
    unit.add(function_of(f), f.__name__, public=True)
    return own(unit)


def four_lanes(make):
    """What is made for a processor with vectors of four doubles, whose library has two functions of them."""
    def made(*args):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lanes, "features", lambda: {"avx2": True, "sse2": True})
            patch.setattr(vectors, "vector_symbol", lambda *what: {
                ("exp", 1): "_ZGVdN4v_exp", ("atan2", 2): "_ZGVdN4vv_atan2"}.get(what, ""))
            for cached in (lanes.width, lanes.tuned):
                cached.cache_clear()
            try:
                return make(*args)
            finally:
                for cached in (lanes.width, lanes.tuned):
                    cached.cache_clear()
    return made


@four_lanes
def over_lanes(f):
    unit = VectorUnit()
    unit.add(function_of(f), f.__name__, body=VectorBody)
    return own(unit)


# -- programs -------------------------------------------------------------------------------------------

PROGRAM = """
def f(inputs: Floats, out: Floats) -> int:
    x = inputs[0]
    xs = [x, 2.0]
    out[0] = xs[int(x)] + x // 2.0
    if x > 1.0:
        out[1] = called_back(x, 1)
        raise ValueError
    return -2
"""


@four_lanes
def program():
    unit = VectorUnit()
    unit.add(functions_in(PROGRAM, globals())[0], "f", public=True,
             body=functools.partial(VectorProgram, pattern=Pattern(((True, 1),), (False, False))))
    return own(unit)


def recorded(f, args, indices=None):
    return trace(f, args, {}, False, Environment(f), indices).recording


def straight(f, args):
    """The source, and what is meant by the names in it."""
    writer = NativeWriter(recorded(f, args))
    text = writer.source()
    names = [f"{name}: {x.__module__}.{x.__name__}" for name, x in sorted(writer.names.items())
             if callable(x) and name in text]
    return "\n".join([text, *names])


def squares(x, y):
    """Of some, in the gradient, it matters only that they are finite."""
    s, t = x ** 2, (x + y) ** 2
    if not s > 0.1:
        return x
    return s + y ** 2 + ag.exp(-(t + y)) + (y - 1.0) ** 2 / x + (-(y + 3.0) ** 2 + x) + (x - 5.0) ** 3


def halves(x, y):
    return grad_of_sigmoids(x, y), grad_of_sigmoids(y * 2.0, x)


def grad_of_sigmoids(x, y):
    return ag.sech2(0.5 * x) + ag.sech2(y * 0.5) + ag.sech2(y) + ag.sigmoid(x) + ag.tanh(0.5 * x)


STRAIGHT = {**FUNCTIONS, "squares": (squares, (1.5, 2.5)), "halves": (halves, (1.5, 2.5)),
            "names": (lambda inputs, out: inputs * out, (1.5, 2.5)),
            "a square of an int": (ag.grad(lambda x, n: x * x + n ** 2), (1.5, 3))}
OF = {"f": {"powers", "softmax", "special", "names", "halves", "squares", "custom", "captured", "no input",
            "a square of an int"},
      "gradient": {"powers", "where", "softmax", "special", "guards", "squares", "loop", "dot"}}

# -- the loop over tables -------------------------------------------------------------------------------


def run(name):
    """One of the runs that all programs have."""
    text, = [x for x in loop.runs(True).texts if re.search(rf"@{name}(_\d+)?\(", x.partition("{")[0])]
    return readable(text)


def kernel(make):
    made = make()
    return f"{made.arity}, {made.width}: {made.routine.text} {[name for name, _ in made.routine.names]}\n" + (
        readable(loop.run_of(made.routine, made.arity).texts[-1]) if make in WHOLE else "")


def of_op(name, *fixed):
    return lambda: kernels.kernel_of(TABLE[name], fixed)


KERNELS = {
    "sin": of_op("sin", None), "normal_pdf": of_op("normal_pdf", None, 1.0), "div": of_op("/", None, None),
    "lgamma": of_op("lgamma", None), "power": of_op("**", None, None), "cube": of_op("**", None, 3.0),
    "relu": of_op("relu", None, 1.0), "leaky": of_op("leaky_relu", None, None),
    "softmax": lambda: kernels.shares(3), "logsumexp": of_op("logsumexp", None, None, None),
    "fsum": of_op("fsum", None, None),
    "a side": lambda: kernels.siding(True), "the other side": lambda: kernels.siding(False),
    "added": lambda: kernels.added(7, range(6)), "copied": lambda: kernels.copied(7),
    "an item": lambda: kernels.ITEM_KERNEL,
    "a check": lambda: kernels.checking(Within(3), (None,)),
    "a guard": lambda: kernels.guarding("#1 < #2", True, 2),
    "a guard that was not": lambda: kernels.guarding("#1 >= 12", False, 1),
    "another guard": lambda: kernels.guarding("round(#2) == #1", True, 2),
    "a guard of a number": lambda: kernels.guarding("int(#1)", 3, 1),
}
WHOLE = [KERNELS[name] for name in ("softmax", "logsumexp", "a side")]

# -- what must hold -------------------------------------------------------------------------------------


def asked(x, y):
    if x > y:
        return y
    z = ag.sqrt(x) * y
    if round(y) == 3:
        return z
    return z + ag.select(ag.greater(x, 1.0), lambda: ag.log(y - x) * y, lambda: ag.select(
        ag.less(y, 0.0), lambda: ag.log(x), lambda: y / x))


def events(f, args, indices=None):
    """Events in their order, those of them that are not looks of what is always computed, the others."""
    forms = Forms(Dense(recorded(f, args, indices)))
    tables = Tables(forms)
    found = [f"one at {tables.slots[forms.one]}, slots {' '.join(map(str, tables.slots.tolist()))}"]
    for name, rows in zip(("events", "others", "looks"), events_of(forms, tables)):
        found.append(f"{name}: {str(rows.tolist())[1:-1]}")
    return "\n".join(found)


EVENTS = {"asked": (asked, (1.5, 2.5)), "asked: gradient": (gradient(asked), (1.5, 2.5)),
          **{name: FUNCTIONS[name] for name in ("no input", "guards", "order", "where")},
          "kernels that are put in order": (
              lambda x, y, z: ag.sin(z) * ag.cos(y) + ag.sin(x) + ag.cos(x) * ag.sin(y), (1.5, 2.5, 3.5)),
          "kinks: gradient": (gradient(FUNCTIONS["kinks"][0]), (1.5, 2.5)),
          "choosing": (*CHOOSING["two"], Indices(CHOOSING["two"][0], 2))}

OVER_LANES = [parting, turns, lanes_of_wholes, chosen, called, summed, nothing, signs]
OF_FLOATS = {
    runtime: "modulo floored sigmoid sech2 sech2_of_half square hypot lgamma gamma sine_of_pi".split(),
    sums: ("product_rest fsum fdot shares powers share rest_share logsumexp largest least log_share "
           "mean").split()}

NAME = "native"
CASES = {
    **{f"{f.__name__} over lanes": functools.partial(over_lanes, f) for f in OVER_LANES},
    "a program over lanes": program,
    **{f"{module.__name__.rpartition('.')[2]}.{name}": functools.partial(of_floats, getattr(module, name))
       for module, names in OF_FLOATS.items() for name in names},
    **{f"straight {name}: {kind}": functools.partial(straight, change(f), args)
       for kind, change in (("f", lambda f: f), ("gradient", gradient))
       for name, (f, args) in STRAIGHT.items() if name in OF[kind]},
    **{f"run {name}": functools.partial(run, name) for name in (
        "sums", "gather", "copied", "alone", "item", "added", "finite", "judged", "replay", "spread",
        "side_by_side")},
    **{f"kernel {name}": functools.partial(kernel, make) for name, make in KERNELS.items()},
    **{f"events of {name}": functools.partial(events, *facts) for name, facts in EVENTS.items()},
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_written_is_what_is_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
