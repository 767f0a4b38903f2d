"""The text of LLVM that functions of the small language and programs become, held to the letter.

That it does what they do in Python is tested elsewhere (test_native, test_native_batches, test_replay); here,
that it is no longer than it need be. Over lanes it is that for vectors of four doubles.
"""
from __future__ import annotations

import functools
import math
import re
import struct

import pytest
import small
from golden import expected, steady
from test_golden_sources import FUNCTIONS, gradient

import autograd_lite as ag
from autograd_lite import greater, where
from autograd_lite.native import kernels, lanes, loop, vectors
from autograd_lite.native.columns import LanesWriter, Pattern, VectorProgram
from autograd_lite.native.language import function_of, functions_in
from autograd_lite.native.llvm import Unit
from autograd_lite.native.straight import NativeWriter
from autograd_lite.native.vectors import VectorBody, VectorUnit
from autograd_lite.ops.op import TABLE
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.tracing import trace

NAMES = {"math": math, "Floats": small.Floats, **vars(small)}


def readable(text):
    """With numbers as Python has them, and functions of Python without where they lie."""
    text = re.sub(r"0x([0-9A-F]{16})\b", lambda x: repr(*struct.unpack(">d", bytes.fromhex(x[1]))), text)
    return re.sub(r"python_\d+", "python", text)


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
            patch.setattr(vectors, "vector_symbol", lambda name, n: {
                "exp": "_ZGVdN4v_exp", "atan2": "_ZGVdN4vv_atan2"}.get(name, ""))
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
    n = int(x)
    if x < 0.0: return 7
    y = middle(x, 3.0)
    xs = [x, y, 2.0]
    out[0] = xs[n] + math.fmod(x, y) + y // x
    xs[n] = y
    if xs[0] > 1.0:
        z = special.shares(x, y)
        out[1] = z[0] + special.mean(x, y) + called_back(x, 1)
    raise ValueError
"""
PLACES = Pattern(((False, 1), (True, 2)), (False, True))


def program():
    unit = Unit()
    unit.add(functions_in(PROGRAM, NAMES)[0], "f", public=True)
    return own(unit)


@four_lanes
def program_over_lanes(pattern, f=None):
    unit = VectorUnit()
    function = LanesWriter(recorded(f, 1.5, 0.5, 2.5)).function() if f else functions_in(PROGRAM, NAMES)[0]
    unit.add(function, "f", public=True, body=functools.partial(VectorProgram, pattern=pattern))
    return own(unit)


def recorded(f, *args):
    return trace(f, args, {}, False, Environment(f)).recording


def straight(f, args):
    return NativeWriter(recorded(f, *args)).source()


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
            "names": (lambda inputs, out: inputs * out, (1.5, 2.5))}

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
    "added": lambda: kernels.added(7, 3), "copied": lambda: kernels.copied(7),
    "a guard": lambda: kernels.guarding("#1 < #2", True, 2),
    "a guard that was not": lambda: kernels.guarding("#1 >= 12", False, 1),
    "another guard": lambda: kernels.guarding("round(#2) == #1", True, 2),
    "a guard of a number": lambda: kernels.guarding("int(#1)", 3, 1),
}
WHOLE = [KERNELS[name] for name in ("softmax", "logsumexp", "a side", "lgamma")]

NAME = "llvm"
CASES = {
    **{f"{f.__name__}": functools.partial(of_floats, f) for f in small.OF_FLOATS},
    **{f"{f.__name__} over lanes": functools.partial(over_lanes, f) for f in small.OVER_LANES},
    "a program": program,
    "a program over lanes": functools.partial(program_over_lanes, Pattern(((True, 1),), (False, False))),
    "a recorded program over lanes": functools.partial(
        program_over_lanes, PLACES, lambda w, x, y: (w * x * y, where(greater(x, w), ag.log(x), y / w))),
    **{f"straight {name}: {kind}": functools.partial(straight, change(f), args)
       for name, (f, args) in STRAIGHT.items() for kind, change in (("f", lambda f: f), ("gradient", gradient))
       if name != "long sum" and (kind == "f" or name not in ("custom", "no input", "halves", "names"))},
    **{f"run {name}": functools.partial(run, name) for name in ("sums", "replay", "spread", "side_by_side")},
    **{f"kernel {name}": functools.partial(kernel, make) for name, make in KERNELS.items()},
}


@pytest.mark.parametrize("case", CASES)
def test_the_text_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
