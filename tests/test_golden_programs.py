"""What compiled functions are made of: keys of arguments, instructions, structures of results."""
from __future__ import annotations

import array
import dataclasses
import enum
import fractions
import functools
import math
import random
from typing import Any

import numpy as np
import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import Value, grad, jvp, value_and_grad
from autograd_lite.ops.custom import Custom
from autograd_lite.ops.elementary import add, div, identity, mul, neg, power, sub
from autograd_lite.ops.op import TABLE
from autograd_lite.ops.selection import choose
from autograd_lite.ops.sequences import softmax_first
from autograd_lite.programs import code as codes
from autograd_lite.programs.arguments import (Fixed, Given, Kept, Option, Static, entered, is_floats,
                                              is_whole,
                                              key_of, names_of, objects_in)
from autograd_lite.programs.code import Check, Code
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.indices import Indices, Same, Within
from autograd_lite.programs.inline import simplified
from autograd_lite.programs.layout import passes
from autograd_lite.programs.arrays import over_arrays
from autograd_lite.programs.integers import WholeResult
from autograd_lite.programs.pickling import _portable
from autograd_lite.programs.points import Points
from autograd_lite.programs.program import shape_of
from autograd_lite.programs.results import Form, count, picked
from autograd_lite.programs.runs import together_at
from autograd_lite.programs.tracing import trace

w, b = Value(0.5, "w"), Value(-0.25, "b")


class Level(enum.IntEnum):
    LOW = 1


class Whole(int):
    pass


class Slotted:
    __slots__ = ("first",)


class Equal:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


@dataclasses.dataclass
class Pair:
    low: Any
    high: Any


@dataclasses.dataclass(frozen=True)
class Frozen:
    low: Any


class Masked(np.ndarray):
    pass


def shown(x: Any) -> str:
    """A text that is the same in any process."""
    if isinstance(x, (tuple, list)):
        text = ", ".join(map(shown, x))
        return f"({text})" if isinstance(x, tuple) else f"[{text}]"
    if isinstance(x, (set, frozenset)):
        return f"{{{', '.join(sorted(map(shown, x)))}}}"
    if type(x) is dict:
        return f"{{{', '.join([f'{shown(key)}: {shown(entry)}' for key, entry in x.items()])}}}"
    if isinstance(x, Kept):
        return f"kept {shown(x.x)}{' by its hash' if x.hashed else ''}"
    if isinstance(x, Fixed):
        return f"fixed {shown(x.key)}"
    if isinstance(x, np.ndarray):
        return f"{type(x).__name__}({shown(x.tolist())}, {x.dtype.kind})"
    if type(x) is bytes and len(x) > 8 or isinstance(x, memoryview):
        return f"{len(x)} bytes"
    if type(x) in (bool, int, float, str, bytes, type(None), fractions.Fraction):
        return repr(x)
    if isinstance(x, np.generic):
        return f"{type(x).__name__} {x.item()!r}"
    if isinstance(x, Value):
        return f"Value {x.label}".strip()
    return getattr(x, "__qualname__", "") or getattr(x, "name", "") or f"one {type(x).__name__}"


def of(call: Any) -> str:
    try:
        return shown(call())
    except Given:
        return "Given"
    except Exception as error:                  # (other packages may say it otherwise)
        return f"{type(error).__name__}{f': {error}' * isinstance(error, ag.AutogradError)}"


def table(*rows: Any) -> str:
    return "\n".join([f"{name}: {of(call)}" for name, call in rows])


# -- arguments ----------------------------------------------------------------------------------------

ARGUMENTS = [
    1.0, -0.0, 3, 2 ** 53 - 1, 2 ** 53, -2 ** 53, 1 - 2 ** 53, True, "text", None, Whole(3), Level.LOW, [],
    (),
    [1.0, 2.0], (1.0,), [1.0, 2], [[1.0], (2.0, 3)], {"a": 1.0, 2: [3.0]},
    {0.5: 1.0, -0.0: 2.0, math.nan: 3.0},
    {}, w, [w], fractions.Fraction(1, 2), np.float64(1.5), np.int8(3), np.array([1.0, 2.0]),
    np.array([[1.0], [2.0]]), np.array([1, 2], np.int64), np.array(2.5), np.ones((1, 2)).view(np.matrix),
    np.array([1.0, w], object),
    np.array([1.0], np.float32), np.zeros((0, 2)), Pair(1.0, [2.0]), Pair("a", 1.0), Frozen(1.0), Frozen("a"),
    Equal(), abs, math.inf, np.array([1.0, 2.0]).view(Masked), b"bytes", {1.0, 2.0}, range(3),
    array.array("d", [1.0]), memoryview(b"ab"), w, np.array(["a", [1.0]], object)]


def keys() -> str:
    rows = []
    for x in ARGUMENTS:
        rows += [(f"{shown(x)} of {type(x).__name__}", lambda x=x: key_of([x], {})),
                 ("    static", lambda x=x: "" if isinstance(x, np.generic) else Fixed(x).key),
                 ("    whole, array of floats", lambda x=x: (is_whole(x), is_floats(x)))]
    rows += [("floats", lambda: key_of([1.0, 2.0], {})),
             ("with names", lambda: key_of([1.0], {"a": 2.0, "b": [3]})),
             ("nothing", lambda: key_of([], {})), ("names", lambda: key_of([], {"a": 1.0})),
             ("objects", lambda: list(objects_in(key_of([Equal(), [abs, frozenset()], Frozen("a"), "a"],
                                                        {})[0]))),
             ("entered", lambda: entered([1.0, 2, True, Whole(3), "a", Fixed([4.0]), {"a": (5.0,)}],
                                         lambda x: x * 10)),
             ("names of numbers", lambda: names_of(["a", "b", "c", "d", "e"], [
                 1.0, [2.0, (3.0,)], {"k": 4.0, 2: [5]}, np.array([6.0, 7.0]), np.array(8.0), 9.0, "text"]))]
    return table(*rows)


def ordinary(a, b, *, c=1.0):
    return a


def starred(a, b, *more, c=1.0, **names):
    return a


def options() -> str:
    rows = []
    for f, all_wanted in (
            (ordinary, (0, 2, 3, -1, -3, -4, "a", "c", "d", (), ("a", 1), [0, "c"], 1.5, True, (1.5,), None)),
            (starred, (0, 1, 3, 5, -1, -2, -5, -6, "a", "c", "d", "more", ("b", "d"))),
            (max, (0, 7, -1, "a")), (lambda: 1.0, (0, -1, "a", ()))):
        for x in all_wanted:
            rows.append((f"{f.__name__} with {shown(x)}, held", lambda f=f, x=x: [
                place for option in [Option(f, "batch", x)]
                for place in (0, 1, 2, 3, "a", "b", "c", "d") if option.holds(place, 4)]))
            rows.append(("    static", lambda f=f, x=x: [
                sorted(found.places) + sorted(found.names) for found in [Static(f, x)]]))
    static = Static(starred, ("b", "d"))
    rows.append(("marked", lambda: static.marked([1.0, 2.0, 3.0], {"c": 4.0, "d": 5.0})))
    other = Option(ordinary, "batch", "a")
    rows.append(("of another", lambda: [other.of(starred).f, other.of(starred).named, other.f]))
    return table(*rows)


def indices() -> str:
    held = Indices(starred, (1, "c"))
    rows = [(shown((args, kwargs)), lambda args=args, kwargs=kwargs: held.check(args, kwargs)) for args,
            kwargs in (
        ([0.5, 1], {}), ([0.5, 1.5], {}), ([0.5, [1, 2]], {}), ([0.5, [1, 2.5]], {}), ([0.5, (1, "a")], {}),
        ([0.5, []], {}), ([0.5, w], {}), ([0.5, True], {}), ([0.5, np.array([1, 2])], {}),
        ([0.5, np.array([1.5])], {}), ([0.5, np.array(1)], {}), ([0.5, 1], {"c": 2}), ([0.5, 1], {"c": 2.0}),
        ([0.5, {"a": 1}], {}), ([0.5, {"a": None}], {}), ([0.5], {"b": 0.5}))]
    many = Indices(max, 2)
    rows.append(("a place without a name", lambda: many.check([1, 1, 0.5], {})))
    same, lists = Same([w, b]), [[w, b], [b, w], [w]]
    nested = Same(lists)
    lists[2] = [b]
    places = (-4, -3, -2, -1, 0, 1, 2, 3)
    rows += [("within", lambda: [Within(2).source, *[Within(2).holds(x) for x in places]]),
             ("the same", lambda: [same.holds(x) for x in places]),
             ("the same lists", lambda: [nested.holds(x) for x in places]),
             ("the same at all", lambda: [
                 nested.over(np.array(x)) for x in ([0, 1], [1, 2], [2, 2], [[0, 3]], [])]),
             ("from a pickle", lambda: [f(*args).holds(7) for f, args in [same.__reduce__()]])]
    return table(*rows)


# -- instructions -------------------------------------------------------------------------------------


def written(code: Code) -> list[str]:
    return [f"{k}: {op.name}({', '.join(map(str, operands))}){f' = {data!r}' * (op is codes.CONSTANT)}"
            for k, (op, operands, data) in enumerate(zip(code.ops, code.operands, code.data))]


def text_of(code: Code, k: int) -> str:
    if k < 2:
        return "xy"[k]
    op = code.ops[k].name
    if op == "constant":
        return repr(code.data[k])
    return f"{op} {' '.join([text_of(code, x) for x in code.operands[k]])}"


def simpler() -> str:
    """What each op becomes of an input, and of constants."""
    lines = []
    for op in (add, sub, mul, div, power):
        for first in ("x", 0.0, 1.0, -1.0, 2.0):
            found = []
            for second in ("x", "y", 0.0, -0.0, 1.0, -1.0, 3.0):
                code = Code()
                at = {"x": code.input(5.0), "y": code.input(7.0)}
                k = code.emit(op, tuple([at[x] if x in at else code.constant(x) for x in (first, second)]))
                found.append(text_of(code, k))
            lines.append(f"{op.name} of {first} and x, y, 0.0, -0.0, 1.0, -1.0, 3.0: {'; '.join(found)}")
    code = Code()
    x, y, one, zero = code.input(2.0), code.input(3.0), code.constant(1.0), code.constant(0.0)
    for op, operands in ((neg, (x,)), (neg, (4,)), (identity, (x,)), (choose, (x, y, y)),
                         (choose, (one, x, y)),
                         (choose, (zero, x, y)), (choose, (x, y, one)), (softmax_first, (y, x)),
                         (softmax_first, (x, y)), (softmax_first, (x, y, one)), (softmax_first, (one, x, y)),
                         (mul, (x, y)), (mul, (x, y)), (add, (one, one)), (div, (one, zero)),
                         (TABLE["sin"], (zero,)), (TABLE["exp"], (one,)), (codes.ROWS, (one, zero)),
                         (codes.PRODUCTS, (one, one, one, one))):
        lines.append(f"{op.name}{operands}: {code.emit(op, operands)}")
    lines += written(code)
    lines.append(f"values: {shown([code.value(k) for k in reversed(range(len(code)))])}")
    lines.append(f"constants: {[code.is_constant(*x) for x in ((2,), (2, 1.0), (2, 0.0), (0,))]}")
    pack, facts = code.__reduce__()
    again = pack(*facts)
    lines += [f"again: {shown(facts[2])}", f"{[again.value(k) == code.value(k) for k in range(len(code))]}"]
    forward = {"products": (2.0, 3.0, 4.0, 5.0), "added": (3.0, 0, 1.0, 2.0, 5.0, -3, 0.5), "index": (1.0, 3),
               "rows": (1.0, 2.0), "item": ((1.0, 2.0, 3.0), -1.0), "shares": (0.0, 0.0), "constant": (),
               "input": ()}
    lines += [f"{step!r}: {shown(step.forward(*forward[name]))}, {step.__reduce__()[0](name) is step}"
              for name, step in sorted(codes.STEPS.items())]
    return "\n".join(lines)


def whether_it_passes_on() -> str:
    """For each op the operands that show in the result where they are not finite."""
    lines = []
    for name, op in [*TABLE.items(), *codes.STEPS.items()]:
        if isinstance(op, Custom):
            continue
        sizes = (1, 2, 3) if not hasattr(op, "least") or op.open else range(
            max(op.least, 1), min(op.most, 3) + 1)
        lines.append(f"{name}: {'; '.join([' '.join(map(str, passes(op, n))) for n in sizes])}")
    return "\n".join(lines)


QUESTIONS = ["x0 < 1.0", "x0 < 1.0 or x1 > 2.0", "x0 < 1.0 and x1 > 2.0", "not x0 < 1.0", "-1.0 < x0 < x1",
             "abs(x0) < 1e50 and (x1 == 0.0 or x0 + 1.0 < x1)",
             "x0 - x1 > 1.0 or not (x0 < 3.0 and x1 < 3.0)",
             "x0 if x1 > 0.0 else -x0", "x0 < 1.0 or x0 < 1.0 or x1 < 1.0", "True", "x1 * 2.0 + 1.0"]
KNOWN: list[tuple[tuple[str, float], ...]] = [(), (("x0", 0.5),), (("x1", 3.0),), (("x0", 5.0), ("x1", -1.0))]


def questions() -> str:
    lines = []
    for question in QUESTIONS:
        lines += [question, *[f"    {dict(known)}: {simplified(question, known)}" for known in KNOWN],
                  f"    over arrays: {over_arrays(question)}"]
    return "\n".join(lines)


# -- recordings ---------------------------------------------------------------------------------------


def program(f: Any, args: Any, backward: bool = False, **kwargs: Any) -> str:
    """All that is recorded of a function."""
    indices = kwargs.pop("indices", None)
    found = trace(f, args, {}, backward, Environment(f), indices and Indices(f, indices), **kwargs).whole()
    recording = found.recording
    code = recording.code
    lines = [f"{line}{'  # ' + recording.labels[k] if k in recording.labels else ''}"
             for k, line in enumerate(written(code))]
    lines += [f"at {k}: {check_text(check)}" for k, checks in sorted(code.checks.items()) for check in checks]
    lines += [f"guard {guard.text} of {guard.operands}: {guard.answer!r} at {guard.at}"
              for guard in recording.guards]
    lines += [f"firm on {sides}: {sorted(places)}" for sides, places in recording.firm.items()]
    lines.append(f"inputs {recording.inputs}, captured {recording.captured}, outputs {recording.outputs}, "
                 f"wanted {shown(found.wanted)}{', adds' if recording.adds else ''}; {shown(found.result)}")
    return "\n".join(lines)


def check_text(check: Check) -> str:
    return f"{check.question.source or type(check.question).__name__} of {check.operands}"


def tangent(f: Any) -> Any:
    return lambda *xs: jvp(f, xs, tuple([1.0, 2.0, 3.0][:len(xs)]))


def by_both(f: Any) -> Any:
    return lambda *xs: value_and_grad(f, tuple(range(len(xs))))(*xs)


def ordered(x, y):
    """Its terms arrive in another order on each side."""
    s = ag.sin(x)
    return (ag.where(ag.less(x, y), s * y, ag.exp(s)) + s * s) * ag.where(ag.less(y, 0.0), s, y * s) + s / y


def three(x, y):
    s = ag.tanh(x)
    a = s + s
    return ag.where(ag.less(x, y), s, a) + a


def three_others(x, y):
    s = ag.tanh(x)
    a, b, c = s * y, s * y, ag.exp(s)
    return ag.where(ag.less(x, y), c, s) + a * c if b is not a else s


def selected(x, y):
    return ag.select(ag.less(x, y), lambda: ag.log(x) * y, lambda: ag.sqrt(y) + x) * x


def caught(x, y):
    a, c = x * y, x < y
    d = x > 2.0
    return a if c or d else -a


RECORDED = {
    "products": (lambda x, y: x * y + x * 3.0 - y / x, (1.5, 2.5)),
    "ordered": (ordered, (0.5, 2.5)),
    "three terms": (three, (0.5, 2.5)),
    "three other terms": (three_others, (0.5, 2.5)),
    "selected": (selected, (1.5, 2.5)),
    "questions": (caught, (0.5, 2.5)),
    "captured": (lambda x, y: w * x * y + b * w + ag.tanh(b * x), (1.5, 2.5)),
    "a derivative of captured": (lambda x, y: grad(lambda t: t * w * x + t ** 3)(y) * w, (1.5, 2.5)),
    "tangents": (lambda x, y: jvp(lambda t: t * t * y, (x,), (y,))[1] * x, (1.5, 2.5)),
    "a tangent that flows": (lambda x, y: grad(lambda t: jvp(lambda a: a * a * a, (x,), (t,))[1] * t)(y),
                             (1.5, 2.5)),
    "a point that flows": (lambda x, y: grad(lambda t: jvp(lambda a: a * a * a, (t,), (2.0,))[1])(x),
                           (1.5, 2.5)),
    "one point that flows": (lambda x, y: grad(lambda t: jvp(
        lambda a, b: a * b * b, (t, y), (1.0, 2.0))[1])(x), (1.5, 2.5)),
    "one number that flows": (lambda x, y: grad(lambda t: grad(
        lambda a, b: a * a * b * b, (0, 1))(t, y)[0])(x), (1.5, 2.5)),
    "a tangent beside": (lambda x, y: grad(lambda t: t * t * jvp(lambda a: a * a, (y,), (1.0,))[1])(x),
                         (1.5, 2.5)),
    "one tangent": (lambda x, y: jvp(lambda a, b: a * b + ag.sin(b), (x, y), (1.0, 0.0)), (1.5, 2.5)),
    "lists": (lambda x, y: ag.dot(ag.softmax([x, y]), [y, x]) + ag.sum([x, y, 1.0]) + ag.hypot(x, y),
              (1.5, 2.5)),
    "ints": (lambda x, n: x * n + n // 2 * x - abs(-n) ** 2, (1.5, 3)),
    "stopped": (lambda x, y: ag.stop_gradient(x * y) * x + abs(y) + ag.relu(x), (1.5, 2.5)),
    "a side of a number": (lambda x, y: ag.where(ag.less(x, y), 2.0, x) * ag.where(ag.less(1.0, 2.0), x, y),
                           (1.5, 2.5)),
}
CHANGES = {"f": lambda f: f, "both": by_both, "along": tangent,
           "along a gradient": lambda f: tangent(grad(f)),
           "both of two": lambda f: lambda x, y, i: jvp(
               lambda *xs: grad(lambda *at: f(*at, i), (0, 1))(*xs), (x, y), (1.0, 2.0)),
           "a gradient along": lambda f: grad(lambda *xs: tangent(f)(*xs)[1])}


def differences() -> str:
    f, args = RECORDED["products"]
    one = trace(f, args, {}, False, Environment(f)).recording
    others = [lambda x, y: x * y + x * 3.0, lambda x, y: x * y + x * 4.0 - y / x, lambda x,
              y: x * y + y * 3.0 - y / x,
              lambda x, y: x * y - x * 3.0, lambda x, y: (f(x, y), x)[1], lambda x, y: f(x, y) * x, f]
    lines = []
    for other in others:
        again = trace(other, args, {}, False, Environment(other)).recording
        lines += [one.difference(again), again.difference(one)]
    return "\n".join(map(repr, lines))


# -- results ------------------------------------------------------------------------------------------

v = Value(0.0)
TREES = [v, [v, v], (v,), (v, [v, 2.5], "a"), {"a": v, 2: [v]}, {(1, 2): v}, [], (), None,
         [None, True, 3, math.inf],
         WholeResult(), [WholeResult(), v], np.array([v, v], object), np.array([[v], [v]], object),
         [np.array([v, 1.0], object), v], np.array([[1.5], [v]], object),
         [np.array([1.5, v, v], object), np.array([v, 2.5], object)], np.array([v, "a"], object),
         Pair(v, [v]), {"a": {"b": (v, v)}}, [v] * 3, np.array([1.5, 2.5]),
         [1.0, 2.0], {1.5: v, True: v}, (np.array([v], object), np.zeros(0))]


def shapes() -> str:
    """How results are put into structures, and by a function written for each where that is quick."""
    lines = []
    for tree in TREES:
        f = shape_of(tree)
        lines.append(f"{shown(tree)}: {f.__name__}: {shown(f([1.5, 2.5, 3.5]))}")
    f = shape_of([v] * 1000)
    return "\n".join([*lines, f.__name__, shape_of([v] * 999).__name__, shown(f([0.0] * 999 + [1.0])[-2:])])


def forms() -> str:
    lines = []
    for tree in TREES:
        form = Form(tree)
        n = len(form.entries)
        block, totals = np.arange(2.0 * n).reshape(n, 2), np.arange(1.0 * n)
        mixed: list[Any] = [float(i) if i % 2 else row for i, row in enumerate(block)]
        lines += [f"{shown(tree)}: values {form.values}, others {form.others}, {shown(form.skeleton)}, "
                  f"key {shown(form.key)}",
                  "    " + of(lambda form=form, block=block: form.fill(block, list(block))),
                  "    " + of(lambda form=form, totals=totals: form.fill(totals, totals.tolist())),
                  "    " + of(lambda form=form, block=block, n=n: form.fill(
                      block, [float(i) for i in range(n)])),
                  "    " + of(lambda form=form, block=block, mixed=mixed: form.fill(block, mixed))]
    lines += [shown(count(where)) for where in (slice(2, 5), slice(0, 0), 3, np.array([1, 4]))]
    lines += [shown(picked(x, np.array([True, False]))) for x in (
        2.0, np.array([1.0, 2.0]), [(np.array([1, 2]), 3.0)], np.float64(1.0))]
    lines += [repr(together_at(np.array(where))) for where in ([2, 3, 4], [2, 4, 5], [1], [], [3, 4, 6])]
    return "\n".join(lines)


def points() -> str:
    """The arguments of batches, as they are taken."""
    lines = []
    for args, kwargs in (
            ([np.array([1.0, 2.0, 3.0]), 5.0], {}), ([np.array([[1, 2], [3, 4]]), [5.0, 6]], {}),
            ([[np.array([1.0, 2.0]), 3.0], np.array([4.0, 5.0])], {"c": np.array([6.0, 7.0]), "d": 8}),
            ([np.array([1.0]), 2.0], {"c": np.array([3.0, 4.0])}), ([1.0, 2.0], {}), ([np.zeros(0), 2.0], {}),
            ([np.zeros((2, 0)), 2.0], {}), ([np.array([1.0, 2.0])[::-1], 2.0], {}),
            ([np.arange(6.0).reshape(2, 3).T, 2.0], {}), ([np.array([w, 1.0], object), 2.0], {}),
            ([np.array([1.0, 2.0]), w], {}), ([[w, np.array([1.0, 2.0])], 2.0], {}),
            ([np.array([True]), 2.0], {}), ([np.array(["a"]), 2.0], {}), ([np.array([2 ** 53]), 2.0], {}),
            ([np.array([1 - 2 ** 53]), 2.0], {}), ([np.array([-2 ** 53]), 2.0], {}),
            ([np.array([1.0, 2.0]), 2.0], {"c": np.zeros(3)}), (["a", 1.0], {}), ([[], 1.0], {}),
            ([np.ma.array([1.0, 2.0]), 2.0], {}), ([np.array([1.0, 2.0]), np.array([3.0])], {}),
            ([{"k": np.array([1.0, 2.0])}, (1.0, "a")], {"c": None})):
        def all_of(args: Any = args, kwargs: Any = kwargs) -> Any:
            found = Points(Option(starred, "batch", ("a", "c")), args, kwargs)
            lines = [found.n, found.of_values, found.runs, found.key]
            if found.n:
                lines += [found.at(0), found.at(found.n - 1)]
            if found.n and not found.of_values:
                grid = found.grid(slice(0, found.n), [0.25])
                lines += [found.block(slice(0, 2)), [list(row) for row in found.rows(slice(0, 2))], grid.n,
                          grid.varies,
                          grid.numbers.tolist(), len(grid.columns), grid.kept,
                          [q - p for p, q in zip(grid.columns,
                                                 grid.columns[1:])] if len(grid.kept) < 2 else ()]
            return lines
        lines.append(f"{shown(args)} {shown(kwargs)}\n    {of(all_of)}")
    return "\n".join(lines)


def portable() -> str:
    """What stands for things in the print of what a function reads, the same in every process."""
    things = [1.0, -0.0, "a", None, (1.0, ("b",)), (set, 2, "b", "a"), (frozenset, 1.0), (list, "b", "a"),
              frozenset({"b", "a"}), float, abs, math, ag, TABLE["sin"], Level.LOW, w,
              Value(1.0, requires_grad=False),
              Value.sin, object(), random.random.__self__, Pair.__init__, iter([]), [1.0].append, str.join,
              vars(Slotted)["first"], fractions.Fraction, lambda x: x]
    rows = [(getattr(x, "__name__", "") or shown(x), lambda x=x: _portable(x)) for x in things]
    return table(*rows).replace(ordinary.__module__, "here")


NAME = "programs"
CASES = {f.__name__.replace("_", " "): f for f in (
    keys, options, indices, simpler, whether_it_passes_on, questions, differences, shapes, forms, points,
    portable)}
CASES |= {f"{change}: {name}": functools.partial(program, CHANGES[change](f), args)
          for name, (f, args) in RECORDED.items() for change in CHANGES
          if change == "f" or change == "both" and "flows" not in name and "tangent" not in name
          or change != "both of two" and name in ("ordered", "captured", "lists", "a derivative of captured")}
CASES |= {f"{change}: an entry": functools.partial(program, CHANGES[change](lambda x, y, i: ag.take(
    [x, y, x * y], i) * x * ag.take([y * y, x], i)), (1.5, 2.5, 1), indices=2)
    for change in ("f", "both of two")}
CASES |= {f"backward: {name}": functools.partial(program, RECORDED[name][0], RECORDED[name][1], True)
          for name in ("captured", "a derivative of captured")}


@pytest.mark.parametrize("case", CASES)
def test_what_a_program_is_made_of_is_what_is_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
