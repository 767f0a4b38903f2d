"""iterate: state = f(state), many times, equal to the loop in Python."""
import _thread
import dataclasses
import math
import threading

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import InputError, Value, compile, grad
from autograd_lite.errors import DomainError
from autograd_lite.native import engine
from autograd_lite.native.choice import patience

TARGETS = ["python", *["native" for _ in "1" if engine.available()]]
pytestmark = pytest.mark.parametrize("target", TARGETS)


def loop(f, state, n, xs=None):
    """The states of a loop in Python."""
    states = [state]
    for i in range(n):
        states.append(f(states[-1]) if xs is None else f(states[-1], xs[i]))
    return states


def check(f, state, n, target, xs=None, every=7):
    """Both ways to the same states; the compiled function."""
    fast = compile(f, target=target)
    states = loop(f, state, n, xs)
    last, history = fast.iterate(state, n, history=every, over=xs)
    same(last, states[-1])
    assert len(history) == n // every
    for a, b in zip(history, states[every::every]):
        same(a, b)
    same(fast.iterate(state, n, over=xs), states[-1])
    return fast


def same(a, b):
    if isinstance(b, np.ndarray):
        assert isinstance(a, np.ndarray) and a.tolist() == b.tolist()
    else:
        assert a == b and isinstance(b, type(a))


@dataclasses.dataclass
class Point:
    x: float
    v: float
    name: str = "p"


def oscillated(p):
    return Point(p.x + 0.1 * p.v, p.v - 0.1 * ag.sin(p.x), p.name)


def lorenz(s):
    x, y, z = s
    return x + 0.1 * (y - x), y + 0.01 * (x * (28.0 - z) - y), z + 0.01 * (x * y - 8.0 / 3.0 * z)


def error(p):
    h = [ag.sigmoid(0.05 * p[0] + 0.1 * p[1] + p[8]), ag.sigmoid(0.05 * p[2] + 0.1 * p[3] + p[8])]
    o = [ag.sigmoid(h[0] * p[4] + h[1] * p[5] + p[9]), ag.sigmoid(h[0] * p[6] + h[1] * p[7] + p[9])]
    return 0.5 * (0.01 - o[0]) ** 2 + 0.5 * (0.99 - o[1]) ** 2


def trained(p):
    return [w - 0.5 * d for w, d in zip(p, grad(error)(p))]


def test_states_of_any_structure(target):
    fast = check(trained, [0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55, 0.35, 0.6], 400, target)
    assert (fast.latest.loops.get("native") is not None) is (target == "native")
    assert len(fast.programs) == 1
    check(lorenz, (1.0, 1.0, 1.0), 500, target)
    check(oscillated, Point(1.0, 0.0), 60, target)
    check(lambda x: 0.5 * (x + 2.0 / x), 1.0, 30, target, every=1)
    check(lambda s: {"b": s["a"], "a": s["b"] * 0.9 + 1.0}, {"a": 1.0, "b": 2.0}, 40, target)
    check(lambda s: (s[1], s[0], 3.0, s[3] + s[2]), (1.0, 2.0, 4.0, 0.5), 40, target)   # swapped; constant
    check(lambda s: (s[0] + 1, s[1] * 0.5), (0, 1.0), 20, target)                       # whole numbers
    check(lambda s: (not s[0], s[1] + 1.0 if s[0] else s[1] * 2.0), (True, 1.0), 21, target)


def test_arrays(target):
    a = np.array([[0.5, -0.25], [0.125, 0.75]])
    fast = check(lambda x: x * 0.9 + a, np.ones((2, 2)), 50, target)
    last, history = fast.iterate(np.ones((2, 2)), 50, history=10)
    assert history.shape == (5, 2, 2) and history[-1].tolist() == last.tolist()
    assert fast.iterate(np.ones((2, 2)), 3, history=10)[1].shape == (0, 2, 2)


@pytest.mark.parametrize("xs", [
    [0.5 * i for i in range(40)], [i for i in range(40)], [0.5 if i % 9 else 2 for i in range(40)],
    np.linspace(0.0, 3.0, 40), np.arange(50), range(41)], ids=str)
def test_over_numbers(xs, target):
    check(lambda s, x: (s[0] * 0.5 + x, s[1] - 0.1 * x * s[0]), (1.0, 2.0), 40, target, xs)


def test_over_structures(target):
    rows = np.array([[0.1 * i, 1.0 - 0.05 * i] for i in range(30)])
    check(lambda w, row: w - 0.1 * (w * row[0] - row[1]) * row[0], 0.5, 30, target, rows)
    pairs = [((0.1 * i, 2.0), {"t": -0.3 * i}) for i in range(30)]
    check(lambda w, p: w - 0.1 * (w * p[0][0] - p[1]["t"]) * p[0][1], 0.5, 30, target, pairs)
    fast = compile(lambda w, x: w + x, target=target)
    assert fast.iterate(0.0, 3, over=iter([1.0, 2.0, 4.0, 8.0])) == 7.0
    for short in ([1.0, 2.0], np.ones(2), iter([1.0])):
        with pytest.raises(InputError, match="fewer than the 3 steps"):
            fast.iterate(0.0, 3, over=short)
    with pytest.raises(InputError, match="an entry for each step"):
        fast.iterate(0.0, 3, over=1.0)
    for xs in ({1.0: 2.0, 2.0: 3.0}, {1.0, 2.0}, frozenset([1.0, 2.0]), "ab", b"ab"):
        with pytest.raises(ag.InputError, match=f"over is a {type(xs).__name__}, which does not say"):
            fast.iterate(0.0, 2, over=xs)
    assert fast.iterate(0.0, 2, over={1.0: 2.0, 2.0: 3.0}.values()) == fast.iterate(0.0, 2, over=[2.0, 3.0])


def test_branches_go_on_in_the_program_that_fits(target):
    def step(x):
        if x > 4.0:
            return x * 0.25
        return x + 1.0 if x < 3.0 else x * 1.5

    fast = check(step, 0.3, 300, target)
    assert len(fast.programs) == 3

    def collatz(s):
        n, count = s
        if n == 1.0:
            return n, count
        return (n * 0.5 if n % 2.0 == 0.0 else 3.0 * n + 1.0), count + 1.0

    fast = check(collatz, (27.0, 0.0), 150, target)
    assert fast.iterate((27.0, 0.0), 150) == (1.0, 111.0)


def test_errors_name_the_step_and_are_the_eager_ones(target):
    fast = compile(lambda x: ag.sqrt(x - 1.0) + x - 4.0, target=target)
    states, i = [6.5], 0
    with pytest.raises(DomainError) as eager:
        while True:
            states.append((ag.sqrt(Value(states[-1]) - 1.0) + states[-1] - 4.0).data)
    i = len(states) - 1
    for _ in range(2):
        with pytest.raises(DomainError, match=f"^iterate, step {i}: sqrt") as error:
            fast.iterate(6.5, 100)
        assert str(error.value) == f"iterate, step {i}: {eager.value}"
    with pytest.raises(ZeroDivisionError) as plain:
        compile(lambda x, i: x if i < 3.0 else x / (i - i), target=target).iterate(1.0, 9, over=range(9))
    assert "iterate, step 3" in str(plain.value)

    def broken(x):
        if x > 5.0:
            raise KeyError("mine")
        return x + 1.0

    with pytest.raises(KeyError) as mine:
        compile(broken, target=target).iterate(0.0, 100)
    assert mine.value.__notes__ == ["iterate, step 6"]


def test_what_is_not_finite_goes_the_eager_way(target):
    fast = compile(lambda x: x * x, target=target)
    with pytest.raises(ArithmeticError, match="iterate, step 9"):
        fast.iterate(3.0, 20)
    with ag.errstate("ignore"):
        assert fast.iterate(3.0, 20) == math.inf


def test_another_structure_is_refused(target):
    for f, state, words in [(lambda s: (s[0], s[1], 1.0), (1.0, 2.0), "it has 3 entries, not 2"),
                            (lambda s: s[0], [1.0, 2.0], "float 1.0, not a list"),
                            (lambda s: {"a": s["a"]}, {"a": 1.0, "b": 1.0}, "has no 'b'"),
                            (lambda s: None, 1.0, "not a real number")]:
        with pytest.raises(InputError, match=f"iterate, step 0: what .* returns .*{words}"):
            compile(f, target=target).iterate(state, 3)
    assert compile(lambda s: [s[1], s[0]], target=target).iterate((1.0, 2.0), 5) == [2.0, 1.0]


def test_what_is_given_is_whole(target):
    fast = compile(lambda x: x + 1.0, target=target)
    assert fast.iterate(1.0, 0) == 1.0 and fast.iterate(1.0, 0, history=1) == (1.0, [])
    for options, words in [({"n": -1}, "n must be at least 0"), ({"n": 2.5}, "n must be a whole number"),
                           ({"n": 2, "history": 0}, "history must be at least 1")]:
        with pytest.raises(InputError, match=words):
            fast.iterate(1.0, **options)
    with pytest.raises(InputError, match="compiled for a batch"):
        compile(lambda x: x + 1.0, batch="x").iterate(1.0, 3)


def test_values_that_f_reads_are_those_of_the_start(target):
    w = Value(0.5)
    fast = compile(lambda x: x * w + 1.0, target=target)
    first = fast.iterate(1.0, 50)
    w.data = 0.25
    assert fast.iterate(1.0, 50) == loop(lambda x: x * 0.25 + 1.0, 1.0, 50)[-1] != first


def test_states_of_values_and_traces_are_steps_of_f_itself(target):
    fast = compile(lambda x: x * x * 0.5 + 0.1, target=target)
    fast.iterate(0.5, 5)
    x = Value(0.5)
    y = fast.iterate(x, 3)
    y.backward()
    assert x.grad == grad(lambda x: loop(lambda x: x * x * 0.5 + 0.1, x, 3)[-1])(0.5)
    assert compile(grad(lambda x: fast.iterate(x, 3)))(0.5) == x.grad


def test_methods_and_whole_numbers_that_choose(target):
    class Model:
        def __init__(self, rate):
            self.rate = Value(rate)

        @compile
        def step(self, x):
            return x - self.rate * (x - 2.0)

    assert Model(0.5).step.iterate(0.0, 20) == loop(lambda x: x - 0.5 * (x - 2.0), 0.0, 20)[-1]
    rows = [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)]
    fast = compile(lambda s, i: s * 0.5 + ag.take(rows, i)[1], indices="i", target=target)
    over = [0, 1, 2, -1, 1] * 9
    assert fast.iterate(0.0, 45, over=over) == loop(lambda s, i: s * 0.5 + rows[i][1], 0.0, 45, over)[-1]
    assert len(fast.programs) == 1
    with pytest.raises(IndexError):
        fast.iterate(0.0, 45, over=over[:-1] + [3])
    with pytest.raises(InputError, match="step 2: .*whole numbers"):
        fast.iterate(0.0, 3, over=[0, 1, 1.5])
    turns = compile(lambda s, k: s * 0.5 + k, static="k", target=target)
    assert turns.iterate(0.0, 6, over=[1, 2] * 3) == loop(lambda s, k: s * 0.5 + k, 0.0, 6, [1, 2] * 3)[-1]


def test_ops_of_one_s_own_and_many_threads(target):
    op = ag.custom_op(lambda x: 0.5 * x + 1.0, (lambda y, x: 0.5,), name=f"halved_{target}")
    fast = compile(lambda x: op(x) + 0.25, target=target)
    want = loop(lambda x: 0.5 * x + 1.0 + 0.25, 1.0, 300)[-1]
    found = []
    threads = [threading.Thread(target=lambda: found.append(fast.iterate(1.0, 300))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [want] * 4


def test_other_threads_run_meanwhile_and_an_interruption_comes_through(target):
    fast = compile(lambda x: x * 0.999 + 0.25, target=target)
    timer = threading.Timer(0.05, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        fast.iterate(1.0, 10 ** 12)
    timer.join()
    assert fast.iterate(1.0, 2) == (1.0 * 0.999 + 0.25) * 0.999 + 0.25


@pytest.mark.parametrize("n", [3, 70])
def test_a_big_program_is_a_loop_of_native_code_too(target, n):
    """More instructions than straight-line code may have, and as few and many numbers."""
    def step(state, x):
        out = []
        for i, s in enumerate(state):
            for k in range(4000 // n):
                s = s * 0.75 + ag.sin(state[(i + k + 1) % n]) * x
            out.append(s if s < 1.0 else s - 0.5)           # (another program from there on)
        return out

    state = [0.9 * i / n for i in range(n)]
    xs = [0.01 * (k + 1) for k in range(12)]
    expected = [state]
    for x in xs:
        expected.append(step(expected[-1], x))
    fast = compile(step, target=target)
    last, kept = fast.iterate(state, 12, history=5, over=xs)
    assert last == expected[12] and kept == expected[5::5]
    assert fast.stats.nodes > 3000 and fast.iterate(state, 12, over=xs) == last
    if target == "native":
        native = [program.loops["native"] for program in fast.programs if "native" in program.loops]
        assert native and all(native)
    with pytest.raises(InputError, match="over"):
        fast.iterate(state, 13, over=xs)


def test_a_step_takes_the_rows_of_a_table_and_captured_values(target):
    rows, w = [Value(0.5), Value(1.25), Value(-2.0)], Value(0.75)
    fast = compile(lambda s, i: s * ag.take(rows, i) + w, indices="i", target=target)
    at = [0, 1, 2, 1, 0, 2, 2, -1, 1]
    for _ in range(2):
        states = loop(lambda s, i: (s * rows[i] + w).data, 2.0, len(at), at)
        assert fast.iterate(2.0, len(at), over=at) == states[-1]
        assert fast.iterate(2.0, len(at), history=1, over=at)[1] == states[1:]
        rows[1].data, w.data = 3.0, 0.25
    before = fast.latest.steps
    fast.iterate(2.0, len(at), over=at)
    assert fast.latest.steps == before + len(at)                # (all in one loop)


@pytest.mark.parametrize("xs", [np.array([3.0]), [3.0], np.array([[3.0, 4.0]]), [(3.0, 4)]])
def test_one_step_takes_one_entry(xs, target):
    f = (lambda s, x: s * x[0] + x[1]) if np.shape(xs) == (1, 2) else (lambda s, x: s * x + 1.0)
    fast = compile(f, target=target)
    for _ in range(3):
        assert fast.iterate(2.0, 1, over=xs) == f(2.0, xs[0])


@pytest.mark.parametrize("xs", [np.array([True, False, True, True]), np.array([1, 2.5, 3, 0.5], object),
                                np.array([1, -2, 3, 0]), np.array([[1.0, 2.0]] * 4)])
def test_steps_take_the_entries_of_arrays_of_any_kind(xs, target):
    f = (lambda s, x: s * x[0] + x[1]) if xs.ndim > 1 else (lambda s, x: s * 2.0 if x > 0 else s + 1.0)
    check(f, 1.5, 4, target, xs, every=1)


def test_a_step_may_take_values_of_an_array(target):
    xs = np.array([Value(2.0), Value(3.0)], object)
    fast = compile(lambda s, x: s * x, target=target)
    assert fast.iterate(1.5, 2, over=xs).data == 9.0


def test_an_error_of_a_step_keeps_what_else_it_tells(target):
    def f(s):
        if s > 3.0:
            raise IndexError("it is gone", 7)
        return s * 2.0

    with pytest.raises(IndexError) as caught:
        compile(f, target=target).iterate(1.0, 9)
    assert caught.value.args == ("iterate, step 2: it is gone", 7)


def test_a_loop_is_native_once_it_has_done_more_steps_than_it_takes_to_make_it(target):
    fast = compile(lambda s: s * 0.5 + 1.0, target=None if target == "native" else target)
    assert [fast(1.0), fast(2.0)] == [1.5, 2.0]
    program = fast.latest
    enough = patience(program.recording)
    assert fast.iterate(1.0, enough) > 0.0 and program.steps == enough and "native" not in program.loops
    fast.iterate(1.0, 1)
    assert ("native" in program.loops) is (target == "native")
    if target == "native":
        program.loops["python"].run = None      # (which is needed no more)
    assert fast.iterate(0.0, 2) == 1.5
