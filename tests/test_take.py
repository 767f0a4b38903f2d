"""`take`: plain indexing, and in a compiled function one program for all indices, equal to the eager way."""
import math
import random

import pytest
from hypothesis import given, settings, strategies as st

import autograd_lite as ag
from autograd_lite import Value, take
from autograd_lite import compile

ROWS = 5


def values(*numbers):
    return [Value(x) for x in numbers]


def table(columns=3, seed=0):
    rng = random.Random(seed)
    return [[Value(rng.gauss(0.0, 0.7)) for _ in range(columns)] for _ in range(ROWS)]


def flat(rows):
    return [x for row in rows for x in (row if isinstance(row, (list, tuple)) else [row])]


def gradients(leaves, run):
    """What `run` gives, and the gradients that it adds."""
    for x in leaves:
        x.grad = 0.0
    y = run()
    return y, [x.grad for x in leaves]


def agree(f, leaves, tokens, fast=None):
    """Whether values and gradients of a compiled function are the eager ones, to the last bit."""
    def eager():
        y = f(tokens)
        y.backward()
        return y.data

    fast = fast or compile(f, indices="tokens")
    assert gradients(leaves, lambda: fast.backward(tokens)) == gradients(leaves, eager)
    assert fast(tokens) == f(tokens).data
    return fast


# -- eagerly ---------------------------------------------------------------------------------------

def test_take_is_plain_indexing():
    np = pytest.importorskip("numpy")
    rows = values(1.0, 2.0, 3.0)
    assert take(rows, 1) is rows[1] and take(tuple(rows), -1) is rows[2] and take([rows], 0) is rows
    assert take(rows, np.int64(-3)) is rows[0] and take(range(5, 9), 1) == 6
    assert take(np.arange(6.0).reshape(2, 3), 1).tolist() == [3.0, 4.0, 5.0]


@pytest.mark.parametrize("index", [3, -4, 10 ** 30])
def test_an_index_to_which_there_is_no_row_is_an_index_error(index):
    with pytest.raises(IndexError, match="is out of range for 3 rows"):
        take([1.0, 2.0, 3.0], index)


@pytest.mark.parametrize("rows, index, words", [
    (1.0, 0, "rows"), ({0: 1.0}, 0, "rows"), ("abc", 0, "rows"), (None, 0, "rows"),
    ([1.0], 0.0, "the index must be a whole number, not 0.0"), ([1.0], True, "index"), ([1.0], None, "index"),
    ([1.0], Value(0.0), "index")])
def test_what_is_not_rows_or_not_an_index_is_refused(rows, index, words):
    with pytest.raises(ag.InputError, match=words):
        take(rows, index)


# -- compiled: one program, equal to the eager way ---------------------------------------------------

def bigram(wte, head):
    def loss(tokens):
        total = 0.0
        for token, target in zip(tokens, tokens[1:]):
            x = [ag.tanh(v) for v in take(wte, token)]
            logits = [ag.dot(row, x) for row in head]
            total = total + ag.logsumexp(logits) - take(logits, target)
        return total / (len(tokens) - 1)
    return loss


@pytest.mark.parametrize("tied", [False, True])
def test_a_language_model_has_one_program_for_each_length_and_equals_the_eager_one(tied):
    wte = table()
    head = wte if tied else table(seed=1)
    rng = random.Random(2)
    fast = compile(bigram(wte, head), indices="tokens")
    for n in (3, 6):
        for _ in range(4):
            tokens = [rng.randrange(-ROWS, ROWS) for _ in range(n)]
            agree(bigram(wte, head), [*flat(wte), *([] if tied else flat(head))], tokens, fast)
    assert len(fast.programs) == 4 and fast.stats.guards == 0       # (with and without gradients)


def test_the_replay_does_not_grow_with_the_rows_but_by_the_tuple_of_them():
    def lines(n):
        rows = values(*map(float, range(1, n + 1)))
        fast = compile(lambda tokens: ag.sum([take(rows, t) * 2.0 for t in tokens]), indices="tokens")
        fast([0, 1, 2, 1])
        return fast.source().count("\n")
    assert lines(300) == lines(3)


def test_rows_that_are_not_taken_are_not_looked_at():
    rows = [Value(1.0), Value(math.inf), Value(3.0)]
    fast = compile(lambda tokens: take(rows, tokens[0]) * 2.0, indices="tokens", max_programs=1)
    assert fast([0]) == 2.0 and fast([2]) == 6.0
    assert fast.programs[0].run(0, [1.0, math.inf, 3.0]) == (2.0,)


class Program:
    """A random function of indices and numbers, whose rows are leaves, computed, constants, or all."""

    def __init__(self, rng, leaves):
        self.rng, self.leaves = rng, leaves
        self.steps = [(rng.choice("ttttxo"), *[rng.randrange(100) for _ in range(4)]) for _ in range(8)]
        self.kinds = [[rng.choice("lllc") for _ in range(ROWS)] for _ in range(3)]
        self.computed = rng.random() < 0.3

    def __call__(self, tokens, rows=None):
        leaves = self.leaves if rows is None else rows
        tables = [[leaves[(i + 2 * j) % len(leaves)] if kind == "l" else 0.5 * i - 0.5
                   for i, kind in enumerate(kinds)] for j, kinds in enumerate(self.kinds)]
        if self.computed:
            tables.append([ag.sin(x) for x in tables[0]])
        found, chosen = [take(tables[0], tokens[0]) + leaves[1]], False
        for kind, a, b, c, d in self.steps:
            x, y = found[a % len(found)], found[b % len(found)]
            if kind == "x":
                found.append(ag.tanh(x) * y + 0.3)
            elif kind == "o":
                found.append(x * leaves[c % len(leaves)] - y)
            elif c % 4 == 0:
                found.append(take([x, y, leaves[0]], tokens[d % len(tokens)]) * 0.7)
            elif c % 4 == 1 and not chosen:
                chosen = True
                found.append(ag.select(ag.greater(x, y), lambda: take(tables[a % len(tables)], tokens[0]) * x,
                                       lambda: y * 0.5))
            else:
                found.append(take(tables[c % len(tables)], tokens[d % len(tokens)]) * x + y)
        return found[-1] * found[-2] + found[-3]


@st.composite
def programs(draw):
    rng = random.Random(draw(st.integers(0, 10 ** 9)))
    leaves = [Value(rng.uniform(-1.5, 1.5)) for _ in range(6)]
    lists = [[rng.randrange(-3, 3) for _ in range(3)] for _ in range(4)]
    return Program(rng, leaves), leaves, lists


def near(a, b, ulps):
    return abs(a - b) <= ulps * 2.0 ** -52 * max(abs(a), abs(b), 1e-3)


@given(programs())
@settings(max_examples=60, deadline=None)
def test_random_functions_with_takes_equal_the_eager_way(program):
    f, leaves, lists = program
    fast = compile(f, indices="tokens")
    for tokens in lists:
        y, found = gradients(leaves, lambda: fast.backward(tokens))

        def eager():
            y = f(tokens)
            y.backward()
            return y.data
        expected, theirs = gradients(leaves, eager)
        assert y == expected == fast(tokens)
        assert all(map(near, found, theirs, [64] * len(leaves)))
    assert len(fast.programs) == 2


@given(programs())
@settings(max_examples=25, deadline=None)
def test_gradients_by_rows_that_are_arguments_second_derivatives_and_tangents_equal_the_eager_ones(program):
    f, leaves, lists = program
    point = [x.data for x in leaves]
    away = [0.3, -0.2, 0.1, 0.4, -0.6, 0.5]

    def loss(rows, tokens):
        return f(tokens, rows)

    def moved(rows, tokens):
        return ag.jvp(lambda rows: loss(rows, tokens), (rows,), (away,))[1]

    def curved(rows, tokens):
        return ag.hvp(lambda rows: loss(rows, tokens), (rows,), (away,))

    for g in (ag.grad(loss), moved, curved, ag.grad(moved)):
        fast = compile(g, indices="tokens")
        for tokens in lists[:3]:
            found, expected = fast(point, tokens), g(point, tokens)
            pairs = zip(flat([found]), flat([expected])) if g is moved else zip(*map(flat, (found, expected)))
            assert all([near(a, b, 1024) for a, b in pairs])
        assert len(fast.programs) == 1
