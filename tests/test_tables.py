"""Large tables: a compiled `take` reads the rows that it takes, and equals the eager way whatever changes."""
import pickle
import random

import pytest
from carried import answered

import autograd_lite as ag
from autograd_lite import Value, compile, take

N, WIDTH = 400, 4                               # (more than `indices.LARGE` entries)
w = [Value(0.3 * k - 0.5, f"w{k}") for k in range(WIDTH)]
TABLE = [[Value(0.01 * i - 0.02 * k) for k in range(WIDTH)] for i in range(N)]


def shared(i, j):                               # (for a pickle)
    return ag.tanh(ag.dot(take(TABLE, i), w)) * take(TABLE, j)[0]


def made(seed=0):
    rng = random.Random(seed)
    table = [[Value(rng.uniform(-1.0, 1.0)) for _ in range(WIDTH)] for _ in range(N)]

    def f(i, j):
        a, b = take(table, i), take(table, j)
        return ag.tanh(ag.dot(a, w)) + ag.dot(a, b)
    return table, f


def answers(run, leaves):
    """What a call gives, and the gradients that it leaves."""
    for x in leaves:
        x.grad = 0.0
    try:
        return run(), [x.grad for x in leaves]
    except Exception as error:
        return type(error), str(error)


def agree(f, fast, table, *args):
    leaves = [x for row in table for x in (row if type(row) is list else [row]) if type(x) is Value] + w

    def eager():
        y = f(*args)
        y.backward()
        return y.data
    found = answers(lambda: fast.backward(*args), leaves)
    expected = answers(eager, leaves)
    assert found == expected
    return (f(*args).data == fast(*args)) if len(found[1]) == len(leaves) else True


def test_of_a_table_the_rows_taken_are_read_and_get_gradients():
    table, f = made()
    fast = compile(f, indices=("i", "j"))
    for i, j in [(3, 5), (5, 5), (-1, N - 1), (-N, 0), (N, 1), (7, 9)]:
        assert agree(f, fast, table, i, j)
    assert len(fast.programs) == 2 and all(list(program.read) == w for program in fast.programs)
    backward, = [program for program in fast.programs if program.wanted]
    out = backward.run(3.0, -2.0, [x.data for x in w])
    assert [set(rows) for rows in out[-WIDTH:]] == [{3, N - 2}] * WIDTH and len(out) == 1 + 2 * WIDTH
    xs, gradients = backward.gradients(out)
    assert len(xs) == len(gradients) == 3 * WIDTH and {*xs} == {*w, *table[3], *table[-2]}


def test_rows_that_nothing_else_reads_are_compared_when_they_are_taken():
    table, f = made()
    fast = compile(f, indices=("i", "j"))
    assert agree(f, fast, table, 1, 2) and agree(f, fast, table, 2, 1)
    table[7][1] = Value(table[7][1].data)       # (an equal one, which another row had)
    for i, j in [(1, 2), (7, 1), (1, 7), (7, 7)]:
        assert agree(f, fast, table, i, j)
    table[7][1] = Value(table[7][1].data)
    assert answered(fast, 7, 1)[0] == f(7, 1).data          # (it is recorded anew, not given up)
    assert answered(fast, 1, 7)[1] <= 1 and answered(fast, 7, 1) == (f(7, 1).data, 0)
    table[7][1].data = 0.75
    for i, j in [(7, 2), (2, 7), (1, 2)]:
        assert agree(f, fast, table, i, j)
    table[8][0] = 0.25                          # (a plain number)
    table[9] = [Value(x.data) for x in table[9]]
    table[10], table[11] = table[11], table[10]
    for i, j in [(1, 2), (8, 9), (10, 11), (11, 3), (9, 9)]:
        assert agree(f, fast, table, i, j)
    table.append([Value(2.0) for _ in range(WIDTH)])
    for i, j in [(N, -1), (1, 2)]:
        assert agree(f, fast, table, i, j)


def test_equal_values_in_a_flat_table_are_told_apart():
    table = [Value(0.5) for _ in range(3 * N)]

    def f(i, j):
        return take(table, i) * take(table, j) * w[0]
    fast = compile(f, indices=("i", "j"))
    assert agree(f, fast, table, 3, 5) and agree(f, fast, table, 5, 3)
    table[3], table[5] = table[5], table[3]
    assert agree(f, fast, table, 3, 5) and agree(f, fast, table, 3, 4)
    table[3].data = 0.75
    assert agree(f, fast, table, 3, 5) and agree(f, fast, table, 5, 3)


@pytest.mark.parametrize("read", [
    lambda table, y: table[5][0] * y,
    lambda table, y: ag.sum([row[0] for row in table]) * y,
    lambda table, y: y * table[5][0].data,
    lambda table, y: y if table[5][0] > 100.0 else y * 2.0], ids=range(4))
def test_entries_that_are_also_read_otherwise_are_compared_at_each_call(read):
    table, g = made()
    use = [0.0]

    def f(i, j):
        y = g(i, j)
        return read(table, y) if w[1] > use[0] else y
    w[1].data = -1.0
    fast = compile(f, indices=("i", "j"))
    assert agree(f, fast, table, 1, 2) and agree(f, fast, table, 2, 1)
    w[1].data = 1.0                             # (another program reads what the first did not)
    assert agree(f, fast, table, 1, 2) and agree(f, fast, table, 2, 1)
    kept = table[5][0]
    table[5][0] = Value(kept.data)
    assert agree(f, fast, table, 1, 2)
    kept.data = 3.0
    assert agree(f, fast, table, 1, 2)
    table[5][0].data = 200.0
    assert agree(f, fast, table, 1, 2) and agree(f, fast, table, 5, 2)


def test_a_table_on_one_side_of_a_choice_and_one_that_f_itself_changes():
    table, g = made()

    def f(i, j):
        y = take(table, j)[0]
        return ag.select(ag.ops.selection.greater(y, 0.0), lambda: g(i, j), lambda: y * 2.0)

    def changing(i, j):
        y = take(table, i)[0]
        table[3][0] = Value(2.0)
        return y * take(table, j)[0]
    fast, odd = compile(f, indices=("i", "j")), compile(changing, indices=("i", "j"))
    for i, j in [(1, 2), (2, 1), (3, 4), (N + 5, 1), (N + 5, 2), (5, 5)]:
        assert agree(f, fast, table, i, j)
    for i, j in [(1, 2), (3, 3), (3, 1), (2, 3)]:
        assert odd(i, j) == changing(i, j).data


def test_a_pickle_has_the_table():
    fast = compile(shared, indices=("i", "j"))
    before = fast(3, 4), fast.backward(3, 4)
    for again in (pickle.loads(pickle.dumps(fast)), fast.__copy__()):
        assert (again(3, 4), again.backward(3, 4)) == before
        TABLE[4][0] = Value(TABLE[4][0].data)
        TABLE[4][0].data += 1.0
        assert agree(shared, again, TABLE, 3, 4) and agree(shared, again, TABLE, 4, 3)
        before = fast(3, 4), fast.backward(3, 4)


@pytest.mark.parametrize("rounding", ["vector", "eager"])
@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_batches_read_the_rows_that_are_taken_and_add_their_gradients(reduce, rounding):
    np = pytest.importorskip("numpy")
    table, g = made()

    def f(i, j):
        return g(i, j) if take(table, i)[0] > 0.0 else take(table, j)[1] * 2.0
    leaves = [x for row in table for x in row] + w
    fast = compile(f, batch=("i", "j"), indices=("i", "j"), reduce=reduce, rounding=rounding)
    rng = np.random.default_rng(0)
    for n in (1, 5, 700):
        i, j = rng.integers(-N, N, n), rng.integers(-N, N, n)
        if n > 1:
            i[1] = i[0]
        y, found = answers(lambda i=i, j=j: fast.backward(i, j), leaves)

        def eager(i=i, j=j, n=n):
            total = ag.sum([f(int(a), int(b)) for a, b in zip(i, j)]) / (n if reduce == "mean" else 1.0)
            total.backward()
            return total.data
        expected, gradients = answers(eager, leaves)
        assert y == pytest.approx(expected, rel=1e-12, abs=1e-12), found
        assert found == pytest.approx(gradients, rel=1e-10, abs=1e-12)
        assert [x == 0.0 for x in found] == [x == 0.0 for x in gradients]
        assert fast(i, j) == pytest.approx(expected, rel=1e-12, abs=1e-12)
        table[int(i[0])][0] = Value(table[int(i[0])][0].data)
        leaves[:] = [x for row in table for x in row] + w
    with pytest.raises(IndexError, match=f"^at index 1 of the batch: take: index {N} is out of range"):
        fast(np.array([1, N]), np.array([2, 3]))
