"""What is written in C, held to the letter: the small language, all that is in it, and compiled functions.

That gcc takes such files, and that they give what Python gives, is tested in test_export_c.
"""
from __future__ import annotations

import functools
import re

import pytest
from golden import expected, steady
from small_language import BODIES, REFUSED, function, refusal
from test_golden_sources import CHOOSING, FUNCTIONS

import autograd_lite as ag
from autograd_lite import Value, compile, grad
from autograd_lite.native import families, runtime
from autograd_lite.native.c import Unit
from autograd_lite.native.language import function_of


def in_c(function) -> str:
    """A function in C, after the names of those that it calls."""
    unit = Unit()
    unit.add(function)
    *others, text = unit.texts
    return "\n".join([*[re.findall(r"\w+\(", text)[0][:-1] for text in others], text])


def exported(fast, head: bool = True) -> str:
    """A file of C, but of the functions that are part of the library (`families`, say) their names alone."""
    text = re.sub(r"static (?:\w+ )+(ag_\w+)\([^{]*\)\n\{.*?\n\}\n\n", r"\1\n\n", fast.source("c"),
                  flags=re.S)
    return text if head else text.partition("#include <math.h>\n\n")[2]


def file_of(f, args, head=False, **options):
    fast = compile(f, **options)
    fast(*args)
    return exported(fast, head)


def of_many_paths():
    w, long = Value(0.5, "w"), Value(0.25, "a long */ name")

    def f(x, status, *others, out=(1.0, 2.0), **rest):
        if x < status:
            return x * w
        if others[0] > 0.5:
            return out[0] * out[1] + rest["d_x"]
        return 2.0 if x > 5.0 else status * long

    fast = compile(f)
    for x in (1.0, 3.0, 6.0):
        for other in (1.0, 0.0):
            fast(x, 2.0, other, out=(1.5, 2.5), d_x=4.0)
    return exported(fast)


def of_results():
    fast = compile(lambda self, xs: {"a": [xs[0] * self, 7.0, self], "b": (xs[1], "text", 3, xs[0] * xs[1])})
    fast(2.0, [3.0, 4.0])
    return exported(fast)


def of_long_lists():
    """Of more than 200 numbers the first and last are named; of them, here, the ends."""
    found = []
    for n in (200, 201, 202):
        ws = [Value(float(i), f"w{i}") for i in range(n)]
        fast = compile(lambda xs: ag.dot(xs, ws))
        fast([1.0] * n)
        for line in re.findall(r"^ \* +(xs:|parameters:|parameters are now) (.*)$", fast.source("c"), re.M):
            names = line[1].split(", ")
            found.append(f"{line[0]} {', '.join(names[:2])} … {', '.join(names[98:102])} … "
                         f"{', '.join(names[-11:])}: {len(names)}")
    return "\n".join(found)


def labelled_like_a_parameter(xs, out):
    s = xs[0] * xs[1] + out
    ag.label({"xs": s})
    return s * s


def without_a_gradient_any_more(first):
    """Where f is not defined at these arguments, now that a number that it reads is another."""
    w = Value(2.0, "w")
    fast = compile(lambda x: (ag.sqrt(w) if first else ag.exp(-1000.0 * w)) * x if x < 1.0 else x * x)
    for x in (0.5, 2.0) if first else (2.0, 0.5):
        fast(x)
    w.data = -1.0
    return exported(fast, False)


NAME = "c"
CASES = {name: functools.partial(lambda *given: in_c(function(*given)), *body)
         for name, body in BODIES.items()
         if "Object" not in body[0] and "Words" not in body[0] and "own" not in body[1]}
CASES["what is not in the language"] = lambda: "\n".join(
    [f"{text!r}: {refusal(in_c, text)}" for text in REFUSED])
CASES |= {f"families: {f.__name__}": functools.partial(lambda f: in_c(function_of(f)), f) for f in (
    families.power_slope, families.gauss, families.normal_pdf, families.bell, families.digamma,
    families.polygamma, families.polygamma_terms, families.over_power, families.exponent, runtime.square)}
CASES |= {f"f: {name}": functools.partial(file_of, f, args) for name, (f, args) in FUNCTIONS.items()
          if name in ("where in where", "softmax")}
CASES |= {f"choosing {name}": functools.partial(file_of, f, args, indices=len(args) - 1)
          for name, (f, args) in CHOOSING.items() if name in ("a row", "in a softmax")}
CASES |= {
    "gradient": functools.partial(file_of, grad(lambda x, y: ag.sin(x * y), (0, 1)), (0.5, 2.0), True),
    "many paths": of_many_paths, "results": of_results, "long lists": of_long_lists,
    "no parameters": functools.partial(file_of, lambda: Value(2.0) * 3.0, (), True),
    "a constant": functools.partial(file_of, lambda x: 3.0, (1.5,)),
    "more arguments than names": functools.partial(
        file_of, lambda *xs: xs[0] * xs[1] - xs[2], (1.5, 2.5, 3.5)),
    "names that would be one": functools.partial(file_of, lambda d_x, of_d_x: d_x / of_d_x, (1.5, 2.5)),
    "labelled": functools.partial(file_of, labelled_like_a_parameter, ([1.0, 2.0], 3.0)),
    "without derivatives": functools.partial(file_of, lambda x: ag.polygamma(18, x) * 2.0, (1.5,), True),
    "without a gradient on the first path": functools.partial(without_a_gradient_any_more, True),
    "without a gradient on the last path": functools.partial(without_a_gradient_any_more, False)}


@pytest.mark.parametrize("case", CASES)
def test_the_text_in_c_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
