"""`take`: plain indexing, and in a compiled function one program for all indices, equal to the eager way."""
import math
import random

import pytest
from hypothesis import given, settings, strategies as st

import autograd_lite as ag
from autograd_lite import Value, take
from autograd_lite import compile
from autograd_lite.transforms.trees import leaves as leaves_of

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


def eager(f, tokens):
    """What f gives, and its gradients."""
    y = f(tokens)
    y.backward()
    return y.data


def agree(f, leaves, tokens, fast):
    """Whether values and gradients of a compiled function are the eager ones, to the last bit."""
    assert gradients(leaves, lambda: fast.backward(tokens)) == gradients(leaves, lambda: eager(f, tokens))
    assert fast(tokens) == f(tokens).data


WTE = table()


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
    """A random function of indices and numbers, whose rows are leaves, constants or computed."""

    def __init__(self, rng, leaves):
        self.rng, self.leaves = rng, leaves
        self.steps = [(rng.choice("ttttxo"), *[rng.randrange(100) for _ in range(4)]) for _ in range(8)]
        self.kinds = [[rng.choice("lllc") for _ in range(ROWS)] for _ in range(3)]
        self.computed = rng.random() < 0.4      # (whether some rows are not leaves)
        self.selects = rng.random() < 0.4

    def __call__(self, tokens, rows=None):
        leaves = self.leaves if rows is None else rows
        tables = [[leaves[(i + 2 * j) % len(leaves)] if kind == "l" else 0.5 * i - 0.5
                   for i, kind in enumerate(kinds)] for j, kinds in enumerate(self.kinds)]
        if self.computed:
            tables.append([ag.sin(x) for x in tables[0]])
        found = [take(tables[0], tokens[0]) + leaves[1]]
        for kind, a, b, c, d in self.steps:
            x, y = found[a % len(found)], found[b % len(found)]
            if kind == "x":
                found.append(ag.tanh(x) * y + 0.3)
            elif kind == "o":
                found.append(x * leaves[c % len(leaves)] - y)
            elif c % 4 == 0 and self.computed:
                found.append(take([x, y, leaves[0]], tokens[d % len(tokens)]) * 0.7)
            elif c % 4 == 1 and self.selects:
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


def close(found, expected):
    """Whether numbers are the same up to roundings in another order."""
    scale = 1.0 + max(map(abs, expected))
    return all([abs(a - b) <= 1e-12 * scale for a, b in zip(found, expected, strict=True)])


@given(programs())
@settings(max_examples=60, deadline=None)
def test_random_functions_with_takes_equal_the_eager_way(program):
    f, leaves, lists = program
    fast = compile(f, indices="tokens")
    for tokens in lists:
        y, found = gradients(leaves, lambda: fast.backward(tokens))
        expected, theirs = gradients(leaves, lambda: eager(f, tokens))
        assert y == expected == fast(tokens)
        assert close(found, theirs) if f.computed or f.selects else found == theirs
    assert len(fast.programs) == 2


@given(programs())
@settings(max_examples=25, deadline=None)
def test_gradients_by_arguments_second_derivatives_and_tangents_equal_the_eager_ones(program):
    f, leaves, lists = program
    point, away = [x.data for x in leaves], [0.3, -0.2, 0.1, 0.4, -0.6, 0.5]

    def loss(rows, tokens):
        return f(tokens, rows)

    def moved(rows, tokens):
        return ag.jvp(lambda rows: loss(rows, tokens), (rows,), (away,))[1]

    def curved(rows, tokens):
        return ag.hvp(lambda rows: loss(rows, tokens), (rows,), (away,))

    for g in (ag.grad(loss), moved, curved, ag.grad(moved)):
        fast = compile(g, indices="tokens")
        for tokens in lists[:3]:
            assert close(*map(leaves_of, (fast(point, tokens), g(point, tokens))))
        assert len(fast.programs) == 1


def test_a_third_derivative_through_takes_of_takes_equals_the_eager_one():
    def f(rows, tokens):
        inner = [take(rows, t) ** 3 for t in tokens]
        return ag.exp(take(inner, tokens[0]) * take(rows, tokens[1])) * take(inner, -1)

    third = ag.grad(lambda rows, tokens: ag.sum(ag.grad(lambda rows, tokens: ag.sum(
        ag.grad(f)(rows, tokens)))(rows, tokens)))
    fast = compile(third, indices="tokens")
    for tokens in ([0, 1, 2], [2, 2, 1], [-1, 0, 0], [1, -2, 1]):
        assert close(fast([0.5, 0.7, -0.3], tokens), third([0.5, 0.7, -0.3], tokens))
    assert len(fast.programs) == 1


# -- what rows and indices may be --------------------------------------------------------------------

@pytest.mark.parametrize("f", [
    lambda tokens: take(tuple(map(tuple, WTE)), tokens[0])[1] * 2.0,
    lambda tokens: take([{"a": row[0], "b": [row[1]]} for row in WTE], tokens[1])["b"][0] * 2.0,
    lambda tokens: ag.sum(take(take([WTE, WTE[::-1]], 1), tokens[2])),
    lambda tokens: take([0.0, 1.5, -0.0, 2.5, 7.0], tokens[0]) * WTE[0][0],
    lambda tokens: take([1, 2, 3, 4, 5], tokens[0]) * WTE[0][0],
    lambda tokens: take([WTE[0][0], 2.0, WTE[0][0], 3, WTE[1][0]], tokens[1]) * take(WTE[0] * 2, tokens[1]),
    lambda tokens: take(WTE, 2)[0] * take([row[0] for row in WTE], tokens[0]) + WTE[1][0],
    lambda tokens: take([row[0] for row in WTE], tokens[0]),
    lambda tokens: take([row[0].detach() for row in WTE], tokens[0]) * WTE[0][1],
    lambda tokens: take([ag.exp(x) for x in WTE[0] * 2], tokens[0]) * take(WTE[0] * 2, tokens[0]),
    lambda tokens: ag.sum([take(row, i % 3) * take([x[0] for x in WTE], t)
                           for i, (t, row) in enumerate(zip(tokens, WTE))])])
def test_rows_of_every_kind_have_one_program_and_the_eager_gradients(f):
    fast = compile(f, indices="tokens")
    rng = random.Random(3)
    for _ in range(6):
        agree(f, flat(WTE), [rng.randrange(-ROWS, ROWS) for _ in range(3)], fast)
    assert len(fast.programs) == 2


def test_rows_that_change_between_two_takes_are_those_of_each():
    def f(tokens):
        rows = [[WTE[0][0], WTE[0][1]], [WTE[1][0], 2.0]]
        y = take(rows, tokens[0])[0]
        rows[0][0] = ag.exp(y)
        y = y * take(rows, tokens[0])[0]
        rows.append([WTE[2][2], y])
        z = take(rows, tokens[1])[0]
        del rows[1:]
        return y * z * take(rows, 0)[0] * take([row[::-1] for row in rows], tokens[2])[0]

    fast = compile(f, indices="tokens")
    for tokens in ([0, 2, 0], [1, 0, 0], [-1, -2, -1], [0, 0, 0]):
        y, found = gradients(flat(WTE), lambda: fast.backward(tokens))
        expected, theirs = gradients(flat(WTE), lambda: eager(f, tokens))
        assert y == expected and close(found, theirs)       # (computed rows add in another order)
    assert len(fast.programs) == 1


def test_arrays_of_rows_and_numpys_whole_numbers():
    np = pytest.importorskip("numpy")
    rows, constants = np.array(WTE, dtype=object), np.arange(15.0).reshape(5, 3)

    def f(tokens):
        total = take(rows, tokens[0]) * take(constants, tokens[1])
        return total[0] + total[1] * total[2]

    fast = compile(f, indices="tokens")
    for tokens in (np.array([1, 2]), np.array([-1, 4], np.int32)):
        agree(f, flat(WTE), tokens, fast)
    agree(f, flat(WTE), [np.int64(0), 3], fast)
    one = compile(lambda t: take(WTE, t)[0], indices="t")
    assert one(np.int64(-2)) == one(3) == WTE[3][0].data and len(one.programs) == 1


def test_only_rows_that_were_taken_get_a_gradient_and_twice_taken_ones_the_sum():
    rows = values(1.0, 2.0, 3.0)
    fast = compile(lambda tokens: ag.sum([take(rows, t) * k for k, t in enumerate(tokens, 1)]), indices=0)
    assert fast.backward([0, 2, 0]) == 1.0 + 6.0 + 3.0
    assert [x.grad for x in rows] == [4.0, 0.0, 2.0]
    fast.backward([1, 1, 1])
    assert [x.grad for x in rows] == [4.0, 6.0, 2.0] and len(fast.programs) == 1


def test_training_with_compiled_gradients_is_the_eager_training():
    results = []
    for compiled in (False, True):
        wte, head = table(), table(seed=1)
        loss = bigram(wte, head)
        step = compile(loss, indices="tokens").backward if compiled else lambda tokens: eager(loss, tokens)
        optimizer = ag.optim.Adam(flat([*wte, *head]), 0.1)
        rng = random.Random(4)
        for _ in range(8):
            optimizer.zero_grad()
            step([rng.randrange(ROWS) for _ in range(4)])
            optimizer.step()
        results.append([x.data for x in flat([*wte, *head])])
    assert results[0] == results[1]


def test_a_take_on_the_side_of_a_select_that_is_not_taken_may_be_out_of_range():
    rows, x = values(1.0, 2.0, 3.0), Value(0.5)

    def f(tokens, a):
        return ag.select(ag.greater(a * x, 0.0), lambda: take(rows, tokens[0]) * a, lambda: take(rows, 0) * x)

    fast = compile(f, indices="tokens")
    for tokens, a in (([1], 1.0), ([1], -1.0), ([9], -1.0), ([-3], 2.0)):
        assert fast(tokens, a) == f(tokens, Value(a)).data
    with pytest.raises(IndexError):
        fast([9], 1.0)
    assert len(fast.programs) == 1 and compile(f, indices="tokens")([9], -1.0) == 0.5


def test_an_index_without_a_row_is_the_eager_error_and_the_function_stays_usable():
    rows = values(1.0, 2.0, 3.0)
    fast = compile(lambda tokens: take([rows, rows], tokens[0])[0] * take(rows, tokens[1]), indices="tokens")
    for tokens in ([0, 3], [2, 0], [0, -4], [0, 10 ** 20]):
        for _ in range(2):
            with pytest.raises(IndexError, match="take: index .* is out of range for"):
                fast(tokens)
        assert fast([1, 2]) == 3.0
    assert fast.stats.programs == 1
    with pytest.raises(IndexError):
        fast.backward([0, 7])
    assert [x.grad for x in rows] == [0.0, 0.0, 0.0]


def test_an_index_that_is_not_in_indices_has_a_program_for_each_value():
    rows = values(1.0, 2.0, 3.0)
    fast = compile(lambda t: take(rows, t) * 2.0)
    assert [fast(i) for i in (0, 1, -1, 1)] == [2.0, 4.0, 6.0, 4.0] and fast.stats.programs == 3


# -- what an index may not do ------------------------------------------------------------------------

USES = [
    ("in +", lambda t: t + 1), ("in *", lambda t: 2.0 * t), ("in *", lambda t: Value(2.0) * t),
    ("in rows", lambda t: WTE[t]), ("in rows", lambda t: list(range(t))), ("in rows", lambda t: WTE[:t]),
    ("in a set or as the key of a dict", lambda t: {0: 1.0}[t]), ("dict", lambda t: {t}),
    ("in bool", lambda t: 1.0 if t else 2.0), ("in ==", lambda t: t == 1), ("in ==", lambda t: t in [0, 1]),
    ("in <", lambda t: t < 2), ("in <", lambda t: max(t, 1)), ("in format", lambda t: f"{t}"),
    ("in str", str), ("in float", math.exp), ("in exp", ag.exp), ("in int", int), ("in -", lambda t: -t),
    ("in the result", lambda t: t), ("in the result", lambda t: {"a": [1.0, t]}), ("in Value", Value),
    ("in +", lambda t: take(WTE, t + 1)), ("in Value", lambda t: ag.grad(lambda s: s * WTE[0][0])(t)),
    ("in bool", lambda t: ag.where(t, 1.0, 2.0)), ("in divmod", lambda t: divmod(t, 2))]


@pytest.mark.parametrize("words, use", USES)
def test_any_other_use_of_an_index_is_an_error_that_says_so(words, use):
    fast = compile(lambda t: use(t), indices="t")
    with pytest.raises(ag.InputError, match="t is in `indices`") as caught:
        fast(1)
    assert f"cannot be used {words}" in str(caught.value) or words in str(caught.value)
    assert "take(rows, t)" in str(caught.value) and "leave it out of `indices`" in str(caught.value)


def test_an_index_is_an_int_to_isinstance_and_has_no_other_attribute():
    fast = compile(lambda t: take(WTE, t)[0] if isinstance(t, int) else 0.0, indices="t")
    assert fast(1) == WTE[1][0].data
    with pytest.raises(AttributeError, match="it has no bit_length"):
        compile(lambda t: t.bit_length(), indices="t")(1)


def test_numpy_cannot_use_an_index_either():
    np = pytest.importorskip("numpy")
    for use in (lambda t: np.arange(3.0)[t], lambda t: np.array([t, 1]), lambda t: np.add(t, 1.0)):
        with pytest.raises(ag.InputError, match="t is in `indices`"):
            compile(use, indices="t")(1)


def test_an_index_that_was_kept_is_refused_after_the_trace():
    kept = []
    fast = compile(lambda t: (kept.append(t), take(WTE, t)[0])[1], indices="t")
    fast(1)
    with pytest.raises(ag.InputError, match="was kept, and is used after the trace"):
        take(WTE, kept[0])


@pytest.mark.parametrize("rows, words", [
    (["a", "b"], "not str 'a'"), ([[1.0], [1.0, 2.0]], "row 1, .* has not the shape of row 0"),
    ([1.0, [2.0]], "shape"), ([[1.0], 2.0], "shape"), ([{"a": 1.0}, {"b": 1.0}], "shape"),
    ([1.0, None], "shape"), ([[1.0], None], "not None"), ({0: 1.0}, "in a list, tuple or array")])
def test_rows_that_a_program_cannot_take_from_are_an_error(rows, words):
    with pytest.raises(ag.InputError, match=words):
        compile(lambda t: take(rows, t), indices="t")(0)


@pytest.mark.parametrize("tokens", [
    [1.0], [1, 2.0], "abc", ["a"], None, [None], [True], True, 1.0, {"a": 0.5}])
def test_an_argument_in_indices_that_does_not_hold_whole_numbers_is_an_error(tokens):
    fast = compile(lambda x, tokens: take(WTE, tokens[0])[0] * x, indices="tokens")
    for call in (lambda: fast(1.0, tokens), lambda: fast(1.0, tokens=tokens)):
        with pytest.raises(ag.InputError, match="tokens is in `indices`, so it must hold whole numbers, not"):
            call()
    assert fast(1.0, [1]) == fast(1.0, tokens=[1]) == WTE[1][0].data


@pytest.mark.parametrize("indices", ["token", 2, -3, None, 1.5, ["tokens", "y"], True])
def test_an_option_that_names_no_argument_is_an_error(indices):
    with pytest.raises(ag.InputError, match="has no argument .* give positions or names of tokens, x"):
        compile(lambda tokens, x: x, indices=indices)


@pytest.mark.parametrize("indices", ["tokens", 0, -2, ["tokens"], (0,)])
def test_indices_are_named_by_position_or_name(indices):
    fast = compile(lambda tokens, x: take(WTE, tokens[0])[0] * x, indices=indices)
    assert [fast([i], 2.0) for i in range(3)] == [2.0 * row[0].data for row in WTE[:3]]
    assert fast.stats.programs == 1


def test_which_rows_are_unused_is_not_asked_of_a_program():
    def f(rows, i):
        return take(rows, i) * 2.0
    rows = [1.0, 2.0, 3.0]
    with pytest.raises(ag.GradientError, match="does not depend on number 0"):
        ag.grad(f, unused="raise")(rows, 1)
    for transform in (ag.grad, ag.value_and_grad):
        with pytest.raises(ag.InputError, match="unused='raise' asks which rows are taken"):
            compile(transform(f, unused="raise"), indices="i")(rows, 1)
    each = compile(ag.grad(f, unused="raise"))
    with pytest.raises(ag.GradientError, match="does not depend on number 0"):
        each(rows, 1)
    for g in (lambda x, i: take(WTE, i)[0] * x, lambda x, i: take([2.0, 3.0], i) * x):
        fast = compile(ag.grad(g, unused="raise"), indices="i")
        assert [fast(2.0, i) for i in (0, 1, 0)] == [ag.grad(g)(2.0, i) for i in (0, 1, 0)]
    with pytest.raises(ag.InputError, match="unused='raise' asks which rows are taken"):
        compile(ag.grad(lambda x, i: take([ag.exp(y) for y in x], i), unused="raise"), indices="i")(rows, 1)


# -- over arrays -------------------------------------------------------------------------------------

@given(programs())
@settings(max_examples=12, deadline=None)
def test_batches_of_indices_equal_the_eager_points(program):
    np = pytest.importorskip("numpy")
    f, leaves, lists = program
    tokens, x = np.array(lists).T, np.array([0.5, -1.5, 0.25, 2.0])

    def scaled(tokens, x):
        return f(tokens) * x

    def total(_):
        return ag.sum([scaled(row, Value(c, requires_grad=False)) for row, c in zip(lists, x.tolist())])

    for rounding in ("vector", "eager"):
        options = {"batch": ("tokens", "x"), "indices": "tokens", "rounding": rounding}
        fast = compile(scaled, **options)
        expected = [scaled(row, Value(c)).data for row, c in zip(lists, x.tolist())]
        assert close(fast(tokens, x).tolist(), expected) and len(fast.programs) == 1
        y, found = gradients(leaves, lambda: compile(scaled, reduce="sum", **options).backward(tokens, x))
        their, theirs = gradients(leaves, lambda: eager(total, None))
        assert close([y, *found], [their, *theirs])


def test_a_batch_names_the_index_that_has_no_row_and_refuses_what_is_not_whole():
    np = pytest.importorskip("numpy")
    fast = compile(lambda t, x: take(WTE, t)[0] * x, batch=("t", "x"), indices="t")
    for rounding in ("vector", "eager"):
        fast = compile(lambda t, x: take(WTE, t)[0] * x, batch=("t", "x"), indices="t", rounding=rounding)
        with pytest.raises(IndexError, match="^at index 2 of the batch: take: index 5 is out of range"):
            fast(np.array([0, -5, 5]), np.ones(3))
        for wrong in (np.array([0.0, 1.0]), np.array([True, False]), np.array(["a"])):
            with pytest.raises(ag.InputError, match="t is in `indices`, so it must hold whole numbers"):
                fast(wrong, np.ones(2))


def test_rows_and_indices_of_a_target_s_arrays():
    np = pytest.importorskip("numpy")
    rows, t, x = np.arange(6.0).reshape(3, 2) + 1.0, np.array([2, -3]), np.array([0.5, 3.0])
    fast = compile(ag.grad(lambda rows, t, x: take(rows, t) ** 2 * x), target=np, batch=("rows", "t", "x"),
                   indices="t")
    assert fast(rows, t, x).tolist() == [[0.0, 2.0 * 2.0 * 3.0], [0.0, 0.0], [2.0 * 5.0 * 0.5, 0.0]]
    assert compile(lambda t: take([1.0, 2.0, 4.0], t), target=np, indices=0)(t).tolist() == [4.0, 1.0]
    scaled = compile(lambda t, x: take([1.0, 2.0, 4.0], t) * x, target=np, indices=0)
    assert scaled(1, x).tolist() == [1.0, 6.0]
    for wrong in (x, 0.5, np.array(["a"])):
        with pytest.raises(ag.InputError, match="whole numbers"):
            fast(rows, wrong, x)


def test_an_index_without_a_row_is_an_error_over_arrays_too_and_no_row_where_nothing_can_be_asked():
    np = pytest.importorskip("numpy")
    rows = [1.0, 2.0, 3.0]

    def f(i, x):
        return take(rows, i) * x + take(flat(WTE), i)

    def g(i, x):
        return ag.select(ag.ops.selection.greater(x, 0.0), lambda: f(i, x), lambda: x * 2.0)
    for h in (f, ag.grad(lambda x, i: f(i, x * x), argnums=0)):
        fast = compile(h, target=np, indices="i")
        args = [[np.array([0, 5]), np.array([1.0, 2.0])], [np.array([1, -4]), np.array([1.0, 2.0])]]
        for at, row in enumerate(args):
            with pytest.raises(IndexError, match=f"^at index 1 of the batch: take: index {[5, -4][at]} "):
                fast(*(row if h is f else row[::-1]))
    with pytest.raises(IndexError, match="^take: index 7 is out of range for 3 rows"):
        compile(f, target=np, indices="i")(7, np.array([1.0, 2.0]))
    fast = compile(g, target=np, indices="i")
    x = fast(np.array([0, 5, 1, -4]), np.array([1.0, -2.0, 2.0, 3.0]))
    assert x[:3].tolist() == [1.0 + WTE[0][0].data, -4.0, 4.0 + WTE[0][1].data] and math.isnan(x[3])
    table = compile(ag.grad(lambda rows, i, x: ag.select(
        ag.ops.selection.greater(x, 0.0), lambda: take(rows, i), lambda: x)), target=np, indices="i")
    found = table([np.ones(3), np.ones(3)], np.array([0, 7, 1]), np.array([1.0, -1.0, 1.0]))
    assert [row.tolist() for row in found] == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
