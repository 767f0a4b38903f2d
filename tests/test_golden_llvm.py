"""What is written for LLVM, held to the letter: the small language, and the library's own methods over it.

That machine code of it gives what Python gives is tested in test_native and elsewhere.
"""
from __future__ import annotations

import functools
import re
import struct

import pytest
from golden import expected, steady
from small_language import BODIES, REFUSED, function, refusal
from test_golden_sources import FUNCTIONS, gradient

import autograd_lite as ag
from autograd_lite import compile, grad
from autograd_lite.native import calls, columns, vectors
from autograd_lite.native.columns import LanesWriter, Pattern, VectorProgram
from autograd_lite.native.iterate import Layout, sources_of, text_of_loop
from autograd_lite.native.language import function_of
from autograd_lite.native.llvm import Unit
from autograd_lite.native.vectors import VectorUnit


def readable(text: str) -> str:
    """With floats in digits, what functions of C are in a word, and nothing that another process has not."""
    text = re.sub(r"0x([0-9A-F]{16})", lambda x: repr(*struct.unpack(">d", bytes.fromhex(x[1]))), text)
    text = text.replace(" nounwind willreturn memory(none)", " pure")
    return re.sub(r"python_\d+_", "python_", text)


def shown(unit: Unit) -> str:
    """The declarations of a module, the names of functions that others call, and the last one."""
    *others, last = unit.texts
    return readable("\n".join([*unit.declared.values(),
                               *[re.findall(r"@(\w+)\(", text)[0] for text in others], last]))


def in_llvm(function) -> str:
    unit = Unit()
    unit.add(function, "f")
    return shown(unit)


def of_methods() -> str:
    unit = Unit()
    for f in (calls.call, calls.again, calls.direct):
        unit.add(function_of(f), f.__name__, public=True)
    return readable(unit.text())


def of_loop(step, before: int, size: int, row: int) -> str:
    fast = compile(step)
    numbers = [0.5 + i for i in range(before + size + row)]
    fast(numbers[:before], numbers[before:before + size], numbers[before + size:])
    program = fast.used()
    return readable(text_of_loop(program.recording, Layout(before, size, row, sources_of(program)[1])))


def lanes_of(f, args, indices=()) -> str:
    """A program as it is for lanes, in the small language."""
    fast = compile(f, indices=indices)
    fast(*args)
    return LanesWriter(fast.used().recording).source()


def over_lanes(f, args, varies, summed, free=False, indices=()) -> str:
    """A program over lanes: of its functions that call others, that itself; some of the C library's functions
    of vectors are there."""
    fast = compile(f, indices=indices)
    fast(*args)
    with pytest.MonkeyPatch.context() as patch:
        for module in (columns, vectors):
            patch.setattr(module, "width", lambda: 4)
        patch.setattr(vectors, "vector_symbol", lambda name, n: {"exp": "_ZGV_exp"}.get(name, ""))
        patch.setattr(vectors, "tuned", lambda: [])
        unit = VectorUnit()
        unit.add(LanesWriter(fast.used().recording).function(), "f", public=True,
                 body=functools.partial(VectorProgram, pattern=Pattern(varies, summed, free)))
        return shown(unit)


def covered(x, y):
    """Where the sum is finite so are both parts, which are results, too."""
    a, b = ag.exp(x), y * x
    return a, b, a + b, x, 3.0, a + b


def looked_at(x, y):
    """On the side that is not taken a number may be infinite; what it shows need not be looked at."""
    a = x * y
    return ag.where(ag.less(x, y), a * 2.0, y), a


def in_a_list(x, y, i):
    """Of a list the entry that is not taken may be infinite."""
    a, b = x * y, ag.exp(y)
    return ag.take([a, b], i), a, b


NAME = "llvm"
CASES = {name: functools.partial(lambda *given: in_llvm(function(*given)), *body)
         for name, body in BODIES.items()}
CASES["what is not in the language"] = lambda: "\n".join(
    [f"{text!r}: {refusal(in_llvm, text)}" for text in REFUSED])
CASES["methods"] = of_methods
STEPS = {"a loop of steps": (lambda a, s, r: [s[0] + a[0] * s[1] + r[0], s[1] * r[1]], 1, 2, 2),
         "a loop of a number": (lambda a, s, r: [s[0] * s[0]], 0, 1, 0),
         "a loop with what is the same": (lambda a, s, r: [s[1], 7.0], 0, 2, 0)}
LANES = {f"{name}: {kind}": (change(f), args) for name, (f, args) in FUNCTIONS.items()
         for kind, change in (("f", lambda f: f), ("gradient", gradient))
         if name in ("captured", "labels", "where", "guards", "softmax", "kinks", "order")}
LANES |= {"results that others show": (covered, (1.5, 2.5)), "looked at": (looked_at, (1.5, 2.5)),
          "results in a list": (in_a_list, (1.5, 2.5, 0), 2), "one result": (lambda x: x, (1.5,)),
          "derivatives that are constant": (gradient(lambda x, y: x * 2.0 + y * y), (1.5, 2.5)),
          "a constant": (lambda x: (2.0, x, x * x, x * x), (1.5,))}
TWO, XY = ((True, 1), (False, 1)), (1.5, 2.5)
OVER = {"two": (lambda x, y: (x * y, ag.exp(x)), XY, TWO, (False, False)),
        "free": (lambda x, y: x * y + x / y, XY, ((True, 2),), (False,), True),
        "summed": (lambda xs, y: (xs[0] * y, xs[0] + xs[1], xs[0] - y, y), ([1.5, 2.5], 3.5),
                   ((False, 1), (True, 2)), (True, False, True, False)),
        "one alone": (lambda x, y, z: x * z, (1.5, 2.5, 3.5), ((True, 1), (False, 1), (True, 1)), (True,)),
        "lists": (grad(lambda x, y, i: ag.take([x * y, y], i) * x), (1.5, 2.5, 1), ((True, 2), (False, 1)),
                  (False,), False, 2)}
CASES |= {name: functools.partial(of_loop, *facts) for name, facts in STEPS.items()}
CASES |= {f"for lanes: {name}": functools.partial(lanes_of, *facts) for name, facts in LANES.items()}
CASES |= {f"over lanes: {name}": functools.partial(over_lanes, *facts) for name, facts in OVER.items()}


@pytest.mark.parametrize("case", CASES)
def test_the_text_in_llvm_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
