"""What is generated: the source of compiled functions, in Python and over arrays, held to the letter.

That a source does what the function does is tested elsewhere (test_compile, test_batches); here, that it is
no longer than it need be, looks at no more numbers than it must, and does not fall back to the eager way.
"""
from __future__ import annotations

import functools
import math

import numpy
import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import Value, compile, grad, greater, less, where
from autograd_lite.ops.op import TABLE
from autograd_lite.programs import arrays, compiled, layout, python
from autograd_lite.programs.namespaces import functions

w, b = Value(0.5, "w"), Value(-0.25, "b")
golden_cube = ag.custom_op(lambda x: x ** 3, (lambda y, x: 3.0 * x * x,), name="golden_cube")
del TABLE["golden_cube"]                        # (other tests are about all that it holds)


def branches(x, y):
    if x > 1.0:
        return x * y
    if not y < x:
        return ag.exp(x) / y
    return -x


def labelled(x, y):
    s = ag.sin(x) * y
    e = s + 1.0
    ag.label({"s": s, "E'": e})
    return s * s + e / y - e


def asked_last(x, y):
    product = x * y
    return product if x < y and not x > 2.0 and round(y, 2) > 0.0 and int(x) == 1 else y


a55, b56 = "a" * 55, "b" * 56                   # (with " * c" as long as what stands in others, and longer)
long_names = eval(f"lambda {a55}, {b56}, c: {a55} * c + {b56} * c + {b56} * {a55}")


def power_sum(x):
    total = 0.0
    for i in range(2, 6):
        total = total + x ** i
    return total


XS, YS = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
FUNCTIONS = {
    "arithmetic": (lambda x, y: (x + y) * (x - y) / (x * y) - -x + 3.0 * (2.0 - y), (1.5, 2.5)),
    "powers": (lambda x, y: x ** 3 + x ** 0.5 - y ** 2 + x ** y + 2.0 ** x + x ** -1, (1.5, 2.5)),
    "constants": (lambda x: x * 1.0 + 0.0 - 0.0 + x / 1.0 + -1.0 * x + x * 0.0 + 0.1 + math.pi * x, (1.5,)),
    "no input": (lambda x: 2.0, (1.5,)),
    "captured": (lambda x: w * x + b, (1.5,)),
    "labels": (labelled, (1.5, 2.5)),
    "where": (lambda x, y: where(greater(x, y), ag.log(x) * y, ag.exp(y) + x), (1.5, 2.5)),
    "where in where": (lambda x, y: where(
        greater(x, y), where(greater(x, 1.0), ag.sin(x) * y, ag.tan(y)),
        where(less(2.0, y), ag.cosh(x) * ag.cosh(x), y)), (1.5, 2.5)),
    "where at once": (lambda x, y: where(less(x, 0.0), x, where(less(y, 0.0), x * y, y)) * y, (1.5, 2.5)),
    "where shared": (lambda x, y: where(less(x, y), ag.sin(x) * y, ag.sin(x) / y) + ag.sin(x), (1.5, 2.5)),
    "guards": (branches, (0.5, 2.5)),
    "guards at the end": (asked_last, (1.5, 2.5)),
    "no number": (lambda x, y: where(less(x, y), x, math.inf) + where(less(x, y), y, -math.inf)
                  + where(less(x, y), x, math.nan), (0.5, 2.5)),
    "a condition as a number": (lambda x, y: less(x, y) * x + where(less(x, y), y, x * y), (0.5, 2.5)),
    "long names": (long_names, (1.5, 2.5, 3.5)),
    "questions": (lambda x, y: x * int(y) + round(x) + (1.0 if x == y or bool(y) else x), (1.7, 2.5)),
    "loop": (power_sum, (1.5,)),
    "sum": (lambda x, y, z: sum([x, y, z]) * ag.sum([x, y, z, -1.0]), (1.0, 2.0, 3.0)),
    "long sum": (lambda x, y: ag.sum([x * i for i in range(55)]) * ag.dot([x] * 30, [y] * 30), (1.5, 2.5)),
    "dot": (lambda x, y, z: ag.dot([x, y, z], [y, z, 2.0]) * ag.dot([x, -1.0], [1.0, y]), (1.0, 2.0, 3.0)),
    "softmax": (lambda x, y: ag.dot(ag.softmax([x, y, 0.5]), [1.0, 2.0, y]) + ag.logsumexp([y, x]),
                (1.5, 2.5)),
    "order": (lambda x, y: max(x, y) * min([x, y, 2.0]) + sorted([y, x])[0], (1.5, 2.5)),
    "kinks": (lambda x, y: abs(x) + ag.relu(y) + ag.maximum(x, y) * ag.leaky_relu(x - 2.0, 0.1), (1.5, 2.5)),
    "special": (lambda x: ag.gelu(x) + ag.sigmoid(x) * ag.tanh(x) + ag.lgamma(x) + ag.log1p(x), (1.5,)),
    "options": (lambda x, y: ag.atan2(x, y) + ag.asin(x / 4.0) * ag.sqrt(y) + ag.softplus(x), (1.5, 2.5)),
    "custom": (lambda x: golden_cube(x) * x, (1.5,)),
    "whole": (lambda x, y: x // 1.0 + y % x * y, (1.5, 2.5)),
    "stop": (lambda x, y: ag.stop_gradient(x) * y + x, (1.5, 2.5)),
    "gradient inside": (lambda x, y: grad(lambda t: ag.sin(t) * t * y)(x) * x, (1.5, 2.5)),
}


def gradient(f):
    return lambda *xs: grad(f, tuple(range(len(xs))))(*xs)


def second(f):
    return lambda *xs: grad(lambda *at: grad(f)(*at))(*xs)


# With `indices`: the last argument only chooses.
CHOOSING = {
    "an entry": (lambda x, y, i: ag.take([x, y, x * y], i) * x, (1.5, 2.5, 1)),
    "a row": (lambda x, y, i: ag.dot(ag.take([[x, y], [y, 2.0]], i), [x, 1.0]), (1.5, 2.5, 0)),
    "two": (lambda x, y, i: ag.take([x * x, y], i) + ag.take([y, x, 1.0], i) * x, (1.5, 2.5, 1)),
    "of captured": (lambda x, i: ag.take([w, b, w * x], i) * x, (1.5, 2)),
    "in a softmax": (lambda x, y, i: -ag.log(ag.take(ag.softmax([x, y, 1.0]), i)), (1.5, 2.5, 0)),
    "on a side": (lambda x, y, i: where(less(x, y), ag.take([x, y * y], i), ag.take([y, x], i)),
                  (1.5, 2.5, 1)),
}
# In parts, as long programs are.
PARTS = {"pieces": (python, "_PIECE", 3), "short sums": (python, "_SUM", 2), "shallow": (layout, "_DEEP", 1),
         "few terms": (arrays, "_MANY", 2), "let go": (arrays, "_LONG", 2)}


def in_parts(part, f, args, target):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*PARTS[part])
        return source(f, args, target)


def backward_source():
    fast = compile(lambda x: (w * x + b) ** 2 * ag.tanh(w) + where(less(w, 0.0), w, b * b))
    fast.backward(1.5)
    return fast.source()


def over_numpy(f, args, **options):
    fast = compile(f, target=numpy, **options)
    fast(*[numpy.array([x, x]) for x in args])
    return fast.source()


def source(f, args, target, **options):
    fast = compile(f, **options)
    fast(*args)
    if target == "python":
        return fast.source()
    program = fast.used()
    return arrays.function(program.recording, program.captured, functions(numpy), target == "arrays")[1]


NAME = "sources"
CASES = {
    f"{name}: {kind}, {target}": functools.partial(source, change(f), args, target)
    for name, (f, args) in FUNCTIONS.items()
    for kind, change, targets in (("f", lambda f: f, ["python", "arrays"]),
                                  ("gradient", gradient, ["python", "arrays", "unwatched arrays"]),
                                  ("second derivative", second, ["python"]))
    for target in targets if target[0] != "u" or name in ("where", "kinks", "long sum", "softmax")}
CASES |= {
    f"choosing {name}: {kind}, {target}": functools.partial(
        source, change(f), args, target, indices=len(args) - 1)
    for name, (f, args) in CHOOSING.items()
    for kind, change in (("f", lambda f: f), ("gradient", grad)) for target in ("python", "arrays")}
CASES |= {
    f"{part}: {name}": functools.partial(
        in_parts, part, gradient(f) if name != "long sum" else f, args,
        "arrays" if module is arrays else "python")
    for part, (module, _, _) in PARTS.items() for name in ("where in where", "long sum", "softmax")
    for f, args in (FUNCTIONS[name],)}
CASES |= {f"numpy: {name}": functools.partial(over_numpy, f, args) for name, (f, args) in FUNCTIONS.items()
          if name in ("arithmetic", "where", "special", "captured", "whole", "softmax", "dot")}
CASES |= {f"numpy: choosing {name}": functools.partial(over_numpy, f, args, indices=len(args) - 1)
          for name, (f, args) in CHOOSING.items()}
CASES["backward"] = backward_source


@pytest.mark.parametrize("case", CASES)
def test_the_source_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


@pytest.mark.parametrize("change", [lambda f: f, gradient, second], ids=["f", "gradient", "second"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_compiled_function_runs_its_program_and_not_the_function(name, change, monkeypatch):
    f, args = FUNCTIONS[name]
    fast = compile(change(f))
    fast(*args)
    near = [math.nextafter(x, 0.0) for x in args]
    fast(*near)                                 # (at other numbers it is verified)
    monkeypatch.setattr(compiled, "eager", None)
    monkeypatch.setattr(fast, "run", None)
    fast(*args)
    fast(*near)
    assert fast.stats.programs == 1
