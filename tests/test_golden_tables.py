"""The tables of big programs, held to the letter: what is computed together, and where its numbers lie.

That the loop over them gives the right numbers is tested elsewhere (test_replay); here, that it has no more
to do than it must. A node is a sum of products of places, or a kernel at some; places from `one` on are 1, −1
and −0, and what is asked of the others.
"""
from __future__ import annotations

import functools

import pytest
from golden import expected, steady
from test_golden_sources import CHOOSING, FUNCTIONS, gradient

import autograd_lite as ag
from autograd_lite.native import blocks
from autograd_lite.native.forms import Forms
from autograd_lite.native.replay import events_of
from autograd_lite.native.tables import Tables
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.indices import Indices
from autograd_lite.programs.layout import Dense
from autograd_lite.programs.tracing import trace

WORDS = {blocks.SUMS: "sums", blocks.GATHER: "gather", blocks.ALONE: "alone", blocks.SPREAD: "spread",
         blocks.SIDE_BY_SIDE: "side by side"}


def nodes(forms):
    """What is computed, in its order."""
    for k in forms.order:
        sums = forms.sums[k]
        if sums is not None:
            text = " + ".join([f"{a}*{b}" for a, b in zip(sums[::2], sums[1::2])])
            yield f"{k} = {text}" if k not in forms.factors else f"{k} = ({text})*{forms.factors[k]}"
        elif k in forms.entries:
            yield "{} = {}[{}]".format(k, *forms.entries[k])
        else:
            made, xs = forms.calls[k]
            yield f"{k} = {named(made)} of {' '.join(map(str, xs))}" + f" ({made.width})" * (made.width > 1)


def named(made):
    many = made.routine.many
    return many if isinstance(many, str) else many.__name__ if many else made.routine.text


def tables(f, *args, indices=None):
    forms = Forms(Dense(trace(f, args, {}, False, Environment(f), indices).recording))
    made = Tables(forms)
    lines = [f"inputs {made.inputs}, one {forms.one}", *nodes(forms),
             f"slots {text(made.slots)}", f"constants {text(made.constants)}"]
    for what, start, count, to, arity, width in made.runs.tolist():
        word = WORDS.get(what) or named(made.kernels[what - blocks.FIRST_KERNEL])
        part = made.table[start:start + count * arity * (2 if what in LONG else 1)]
        lines.append(f"{word}: {count} of {arity} to {to}, {width} each, from {start}: {text(part)}")
    for name, rows in zip(("events", "others", "looks"), events_of(forms, made)):
        lines.append(f"{name} {', '.join([text(row) for row in (rows if rows.ndim > 1 else [rows])])}")
    return "\n".join([*lines, f"outputs {text(made.outputs)}, of {made.size}"])


LONG = (blocks.ALONE, blocks.SPREAD, blocks.SIDE_BY_SIDE)


def text(xs):
    return " ".join([f"{x:g}" for x in xs.tolist()])


def layer(n, m):
    """A vector times a matrix, as many sums of products."""
    def f(*xs):
        rows = [xs[n * i:n * (i + 1)] for i in range(m)]
        return [sum([a * b for a, b in zip(row, xs[n * m:])]) for row in rows]
    return f, [0.1 * k for k in range(n * m + n)]


def twice(n):
    """A vector times a matrix and the other way round, of which columns are copied together."""
    def f(*xs):
        rows, x = [xs[n * i:n * (i + 1)] for i in range(n)], xs[n * n:]
        y = [ag.tanh(sum([a * b for a, b in zip(row, x)])) for row in rows]
        return [sum([row[i] * b for row, b in zip(rows, y)]) for i in range(n)]
    return f, [0.1 * k for k in range(n * n + n)]


def sums(x, y, z):
    """Of two products and more, of products of sums, of which some are used twice."""
    once, often = x * y + z * z, x * z - y
    longer = x * y + y * z + z * x + 1.0
    return [(x * y + z) * y, (z - y * y) * once, often * x, often * y, -(x * y), longer * z + (x + y) * 2.0,
            x - (y + z * x), (x * y) * (z * z), ag.sum([x, y, z * y, 3.0]), ag.dot([x, y], [z, 2.0]),
            ag.dot([x, y, z], [z, z * 2.0, x]) - x, (x + y) + (y + z), (x * x + y) - 1.0 * z]


def asked(x, y):
    if x > y:
        return y
    z = ag.sqrt(x) * y
    if round(y) == 3:
        return z
    return side(x, y) + z


def side(x, y):
    return ag.select(ag.greater(x, 1.0), lambda: ag.log(y - x) * y, lambda: ag.select(
        ag.less(y, 0.0), lambda: ag.log(x), lambda: y / x))


def copies(x, y, i):
    rows = [[x, y * x], [y, x], [2.0, x]]
    return ag.dot(ag.take(rows, i), [x, y]) + ag.take([x, y, x * y], i) ** 2


PROGRAMS = {
    **{name: FUNCTIONS[name] for name in (
        "constants", "captured", "no input", "where", "where in where", "guards", "questions", "sum", "dot",
        "softmax", "kinks", "stop", "order")},
    "sums": (sums, (1.5, 2.5, 0.5)), "asked": (asked, (1.5, 2.5)),
    "a layer": layer(3, 4), "a small layer": layer(3, 2), "a wide layer": layer(3, 9),
    "two layers": twice(3), "sums alone": (lambda *xs: [sum([a * b for a, b in zip(xs[k:], xs[::-1])])
                                                        for k in (0, 3)], [0.5] * 7)}
GRADIENTS = ("where in where", "dot", "softmax", "kinks")
NAME = "tables"
CASES = {name: functools.partial(tables, f, *args) for name, (f, args) in PROGRAMS.items()}
CASES |= {f"gradient of {name}": functools.partial(tables, gradient(FUNCTIONS[name][0]), *FUNCTIONS[name][1])
          for name in GRADIENTS}
CASES |= {f"choosing {name}": functools.partial(tables, f, *args, indices=Indices(f, len(args) - 1))
          for name, (f, args) in {**CHOOSING, "copies": (copies, (1.5, 2.5, 1))}.items()}
CASES |= {f"gradient choosing {name}": functools.partial(
    tables, ag.grad(f), *args, indices=Indices(ag.grad(f), len(args) - 1))
    for name, (f, args) in CHOOSING.items()}


@pytest.mark.parametrize("case", CASES)
def test_the_tables_are_the_ones_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
