"""Big programs as native code has them: their nodes, and the tables of a loop over these, held to the letter.

That the loop computes what Python does is tested in test_replay; here, that a program has no more nodes than
it need have, and where its numbers lie.
"""
from __future__ import annotations

import functools

import pytest
from golden import expected, steady
from test_golden_sources import CHOOSING, FUNCTIONS, gradient

import autograd_lite as ag
from autograd_lite import select, take
from autograd_lite.native.forms import Forms
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.indices import Indices
from autograd_lite.programs.layout import Dense
from autograd_lite.programs.tracing import trace


def recorded(f, args, index=None):
    return trace(f, args, {}, False, Environment(f), None if index is None else Indices(f, index)).recording


def nodes(f, args, index=None) -> str:
    """A program's nodes in their order: sums of products, and kernels."""
    recording = recorded(f, args, index)
    forms = Forms(Dense(recording))
    code = forms.code

    def place(k: int) -> str:
        special = {forms.one: "1", forms.minus: "-1", forms.less: "-0"}
        return special.get(k) or (f"{code.data[k]:g}" if k < len(code) and code.is_constant(k) else f"v{k}")

    lines = [f"given: {' '.join(map(place, (*recording.inputs, *recording.captured)))}"]
    for k in forms.order:
        pairs = forms.sums[k]
        if pairs is not None:
            total = " + ".join([f"{place(a)}·{place(b)}" for a, b in zip(pairs[::2], pairs[1::2])])
            lines.append(f"{place(k)} = ({total})·{place(forms.factors[k])}" if k in forms.factors else
                         f"{place(k)} = {total}")
        elif k in forms.entries:
            whole, i = forms.entries[k]
            lines.append(f"{place(k)} = {place(whole)}[{i}]")
        else:
            kernel, operands = forms.calls[k]
            routine = kernel.routine
            what = routine.text or getattr(routine.many, "__name__", routine.many)
            lines.append(f"{place(k)} = {what} of {' '.join(map(place, operands))}"
                         + f", {kernel.width} numbers" * (kernel.width > 1))
    lines += [f"list v{k}: {' '.join(map(place, rows))}" for k, rows in forms.lists.items()]
    lines.append(f"results: {' '.join(map(place, recording.outputs))}")
    for name, triples in (("finite", forms.looks), ("holds, at", forms.holds)):
        found = [" ".join([place(k), *[f"if {place(side)}"] * (side != forms.one), *map(str, at)])
                 for k, side, *at in sorted(triples)]
        lines += [f"{name}: {', '.join(found)}"] if found else []
    lines += [f"guards: {' '.join(map(place, forms.guards))}"] if forms.guards else []
    return "\n".join([*lines, f"{forms.size} places, {len(forms.sums)} sums"])


def runs(f, args, index=None) -> str:
    """The runs of the loop, and the places of the memory that each of them is about."""
    from autograd_lite.native import blocks
    from autograd_lite.native.tables import Tables

    tables = Tables(Forms(Dense(recorded(f, args, index))))
    table = tables.table.tolist()
    first = tables.inputs
    lines = [f"{first} inputs, {' '.join([f'{x:g}' for x in tables.constants])}, {tables.size} places"]
    names = {getattr(blocks, name): name for name in ("SUMS", "GATHER", "ALONE", "SPREAD", "SIDE_BY_SIDE")}
    for what, start, count, to, arity, width in tables.runs.tolist():
        kernel = None if what in names else tables.kernels[what - blocks.FIRST_KERNEL].routine
        each = {"SUMS": arity, "GATHER": 1, "ALONE": 2 * arity}.get(
            names.get(what, ""), arity if kernel else 2 * arity)
        name = names.get(what) or kernel.text or getattr(kernel.many, "__name__", kernel.many)
        rows = [table[start + each * i:start + each * (i + 1)] for i in range(count)]
        if names.get(what) == "GATHER":
            rows = [table[start + 8 * i:start + 8 * (i + 1)] for i in range(count // 8)]
        lines.append(f"{to}: {name}, {count} of {arity}{f', {width} numbers' * (width > 1)}: "
                     + ", ".join([" ".join(map(str, row)) for row in rows]))
    return "\n".join([*lines, f"results: {' '.join(map(str, tables.outputs.tolist()))}"])


def matrix(m, n, *rest):
    """A product of an m×n matrix and a vector."""
    return (lambda w, x: [ag.dot(row, x) for row in w]), ([[0.5] * n for _ in range(m)], [0.5] * n)


def matrices(*sizes):
    """Products of m×3 matrices, each with a vector of its own."""
    def f(ws, xs):
        return [ag.dot(row, x) for w, x in zip(ws, xs) for row in w]
    return f, ([[[0.5] * 3] * m for m in sizes], [[0.5] * 3] * len(sizes))


def shared(xs, ys, zs):
    """Factors that lie anywhere, some of them the same in two blocks."""
    return [ag.dot([xs[i * k % 11] for k in (7, 5, 3)], [rows[(i * i + k) % 11] for k in (1, 4, 8)])
            for rows in (ys, zs) for i in range(8)]


def turned(w, x):
    """The other way round."""
    return [ag.dot(x, row) for row in w]


def columns(w, x):
    """A product of a vector and a matrix."""
    return [ag.dot([row[j] for row in w], x) for j in range(len(w[0]))]


def falling(w, x):
    return [ag.dot(row, x) for row in w[::-1]]


def both(v, w):
    """A product of matrices."""
    return [[ag.dot(row, [other[j] for other in w]) for j in range(len(w[0]))] for row in v]


def layers(w, x):
    for _ in range(2):
        x = [ag.tanh(ag.dot(row, x)) for row in w]
    return ag.dot(x, x)


def lonely(xs):
    """Factors that lie anywhere."""
    return [ag.dot([xs[i * 7 % 11], xs[i * 5 % 11], xs[i * 3 % 11]], [xs[i * i % 11], xs[i % 12], xs[2]])
            for i in range(18)]


def neighbours(xs):
    """Some of whose factors are the same in several sums."""
    return [ag.dot([xs[i], xs[i // 3], xs[i // 2]], [xs[i + 1], xs[0], xs[3 - i // 3]]) for i in range(9)]


def terms(n):
    return lambda xs: [ag.dot(xs[i:i + n], xs[1:n + 1]) for i in range(4)]


def merged(x, y, z):
    s, p, q = x + y, x * y, x * z + y * z
    return (ag.dot([1.0, s], [p, z]), ag.dot([q, ag.sin(x)], [1.0, y]), ag.dot([x, q + 1.0], [z, 1.0]),
            ag.sum([x * z + y * 2.0 + z, y * y, z]) * x, ag.dot([x, y], [y, z], z), (x - y + z) * (x * 3.0),
            x * 5.0 + (x * 7.0 + y * 9.0 + z), (x * 6.0 + y * 8.0) + (z * 5.0 + y * 4.0))


def summed_before(x, y):
    """What is computed at any rate is looked at, whichever side is taken."""
    s, p = x + y, x * y
    return select(ag.less(x, y), lambda: ag.sin(x) * p, lambda: s + x * x)


def read_evenly(a, b, c, d, i):
    return [take(rows, i) for rows in ([a, c], [a, b, d], [c, b, a], [a, a, a], [b, a + b], [d])]


def read_in_order(a, b, c, d, i):
    return [take(rows, i) for rows in ([b, c, d], [a, b, c], [b, c, a], [a * b])]


def taken_once_and_twice(xs, ys, i, j):
    """To two lists as long something is added at one index, and at two."""
    return take(xs, i) * (take(ys, i) + take(ys, j))


def taken_twice(x, y, i, j):
    rows = [x * y, x, y]
    return take(rows, i) * take(rows, j)


ONE = [0.5 + 0.25 * i for i in range(12)]
LEFT_OUT = ("custom", "no input", "constants", "labels", "loop", "sum", "long sum", "stop", "special")
NAME = "tables"
CASES = {f"{name}: {kind}": functools.partial(nodes, change(f), args) for name, (f, args) in FUNCTIONS.items()
         for kind, change in (("f", lambda f: f), ("gradient", gradient)) if name not in LEFT_OUT}
CASES |= {f"choosing {name}: {kind}": functools.partial(nodes, change(f), args, len(args) - 1)
          for name, (f, args) in CHOOSING.items()
          for kind, change in (("f", lambda f: f), ("gradient", ag.grad))}
CASES |= {f"choosing {name}: second derivative": functools.partial(
    nodes, ag.grad(ag.grad(CHOOSING[name][0])), CHOOSING[name][1], 2) for name in ("an entry", "a row")}
CASES |= {"merged": functools.partial(nodes, merged, (1.5, 2.5, 3.5)),
          "merged: gradient": functools.partial(
              nodes, lambda *xs: gradient(lambda *xs: ag.sum(merged(*xs)))(*xs), (1.5, 2.5, 3.5)),
          "summed before": functools.partial(nodes, summed_before, (1.5, 2.5)),
          "taken twice": functools.partial(nodes, taken_twice, (1.5, 2.5, 0, 1), (2, 3)),
          "read evenly": functools.partial(nodes, read_evenly, (1.5, 2.5, 3.5, 4.5, 0), 4),
          "read in order": functools.partial(nodes, read_in_order, (1.5, 2.5, 3.5, 4.5, 0), 4),
          "taken once and twice: gradient": functools.partial(
              runs, ag.grad(taken_once_and_twice, (0, 1)), ([1.5, 2.5], [3.5, 4.5], 0, 1), (2, 3))}
RUNS = {"a number": (lambda x: x, (1.5,)), "sums": (merged, (1.5, 2.5, 3.5)),
        "kernels": (FUNCTIONS["softmax"][0], (1.5, 2.5)), "guards": (FUNCTIONS["guards"][0], (0.5, 2.5)),
        "a matrix": matrix(8, 3), "a large one": matrix(11, 3), "a small one": matrix(2, 4),
        "three rows": matrix(3, 4),
        "two of four rows": matrices(4, 4), "two of three rows": matrices(3, 3),
        "four rows, and twice two": matrices(4, 2, 2), "two rows, four, and two": matrices(2, 4, 2),
        "two rows, falling": (falling, matrix(2, 4)[1]), "shared by two": (shared, (ONE, ONE, ONE)),
        "constant slopes": (gradient(lambda x, y: x + x + y * y), (1.5, 2.5)), "two kernels": (
            lambda x, y: (ag.sin(y) + ag.sin(x), ag.cos(y) + ag.cos(x)), (1.5, 2.5)),
        "two and three terms": (lambda x, y: (x * y + y, x * y + y * y + 1.0, x * x + y * x + x), (1.5, 2.5)),
        "turned": (turned, matrix(8, 3)[1]), "columns": (columns, ([[0.5] * 9] * 3, [0.5] * 3)),
        "falling": (falling, matrix(8, 3)[1]), "both": (both, ([[0.5] * 3] * 3, [[0.5] * 4] * 3)),
        "layers": (layers, matrix(4, 4)[1]), "layers, gradient": (gradient(layers), matrix(3, 3)[1]),
        "lonely": (lonely, (ONE,)), "neighbours": (neighbours, (ONE,)), "four terms": (terms(4), (ONE,)),
        "up and down": (lambda xs: [ag.dot(xs[k:k + 3], xs[9:12]) for k in (4, 6, 1, 8)], (ONE,)),
        "side by side": (lambda xs, ys: [ag.dot(xs[i:i + 3], ys[i:i + 3]) for i in range(4)], (ONE, ONE)),
        "chosen": (CHOOSING["two"][0], (1.5, 2.5, 1), 2)}
CASES |= {f"runs: {name}": functools.partial(runs, *facts) for name, facts in RUNS.items()}


@pytest.mark.parametrize("case", CASES)
def test_the_nodes_and_tables_are_those_expected(case):
    if case.startswith("runs"):
        pytest.importorskip("numpy")
    assert steady(CASES[case]()) == expected(NAME)[case]


def test_copies_are_told_apart_by_more_than_one_number():
    """Though all tuples give the same one, equal ones are copied once, and others each to its own place."""
    np = pytest.importorskip("numpy")
    from autograd_lite.native import blocks

    class Quick:
        """NumPy, but that tuples are not compared."""

        def __getattr__(self, name):
            return getattr(np, name)

        def unique(self, x, **options):
            assert "axis" not in options
            return np.unique(x, **options)

    class Same:
        """NumPy, by whose random numbers all tuples are alike."""

        def __getattr__(self, name):
            return getattr(np, name)

        @property
        def random(self):
            return self

        def default_rng(self, seed):
            return self

        def integers(self, high, size):
            return np.zeros(size, np.int64)

    tuples, stages = np.array([range(8), range(8, 16), range(8), range(3, 11)]), np.array([1, 0, 0, 2])
    found = []
    for library in (Quick(), Same()):
        copies = blocks.Copies(library, 100)
        stands = np.concatenate([copies.add(tuples[:1], stages[:1]), copies.add(tuples[1:], stages[1:])])
        copies.close()
        found.append([copies.table.tolist(), copies.runs.tolist(), copies.run_stages.tolist(), copies.size,
                      copies.found(np.array([7, *stands])).tolist()])
    assert found[0] == found[1] == [
        [*range(8, 16), *range(8), *range(3, 11)], [[1, 0, 16, 100, 1, 1], [1, 16, 8, 116, 1, 1]], [0, 2],
        124, [7, 108, 100, 108, 116]]
