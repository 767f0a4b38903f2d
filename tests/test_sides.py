"""What fails on the side of a `select` that is taken, though nothing uses it, fails compiled as eagerly."""
import random

import pytest
from replayed import held, outcome

import autograd_lite as ag
from autograd_lite import Value, compile, grad, select, take, where
from autograd_lite.ops.selection import greater, less

POINTS = [2.0, 3.0, -2.0, -0.5, 0.0, 12.0, 800.0, -800.0, 2.5]


def after(x, *unused):
    """x, once the others were computed."""
    return x


def deep(x):
    return select(less(x, 1.0), lambda: select(
        greater(x, -1.0), lambda: after(x, ag.log(x)), lambda: after(-x, ag.exp(-x))), lambda: x * x)


def outer_of_two(x):
    """What the outer side computes, though only the inner one uses it."""
    def then():
        y = ag.log(x - 10.0)
        return select(greater(x, 100.0), lambda: y, lambda: x)
    return select(greater(x, 0.0), then, lambda: -x)


def unused_choice(x):
    select(greater(x, 0.0), lambda: ag.log(x - 10.0), lambda: ag.exp(-x))
    return x * x


def both_sides(x):
    return select(greater(x, 0.0), lambda: after(x, ag.log(x + 1.0)), lambda: after(-x, ag.log(x + 1.0)))


def gradient(x):
    return select(greater(x, 0.0), lambda: after(x, grad(lambda t: ag.exp(t * t))(x)), lambda: x)


def tangent(x):
    return select(greater(x, 0.0), lambda: after(x, ag.jvp(lambda t: ag.exp(t * t), (x,), (x,))[1]),
                  lambda: x)


def second(x):
    return select(greater(x, 0.0), lambda: after(x, grad(grad(lambda t: ag.exp(t * t)))(x)), lambda: x)


def gradient_at_a_choice(x):
    """What arrives at an inner choice arrives on the outer side, whichever way that one goes."""
    def then():
        return (-1.0) ** where(greater(x, 1.0), 100.0, x)
    return select(greater(x, 0.0), then, lambda: x)


def without_gradients(x):
    def then():
        with ag.no_grad():
            ag.log(x - 10.0)
        return x
    return select(greater(x, 0.0), then, lambda: x)


def of_constants(x):
    return select(greater(Value(1.0), 0.5), lambda: after(x, ag.log(x)), lambda: after(x, ag.log(-x)))


def whole(x):
    return select(greater(x, 0.0), lambda: after(x, x ** 0.5, x ** 1000.0), lambda: x)


FUNCTIONS = [deep, outer_of_two, unused_choice, both_sides, gradient, tangent, second, gradient_at_a_choice,
             without_gradients, of_constants, whole]


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("first", POINTS[:3])
def test_what_nothing_uses_fails_on_the_taken_side_alone(f, first):
    for g in (f, grad(f), grad(grad(f)), ag.value_and_grad(f)):
        fast = compile(g)
        for x in (first, *POINTS):
            assert held(fast, g, (x,)) == "", x


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_in_a_batch_it_fails_at_the_same_point(f):
    np = pytest.importorskip("numpy")
    fast = compile(grad(f), batch="x")
    fine = [x for x in POINTS if not isinstance(outcome(grad(f), (x,)), tuple)]
    assert fast(np.array(fine)).tolist() == list(map(grad(f), fine))
    for x in set(POINTS) - set(fine):
        kind, words = outcome(grad(f), (x,))
        found = outcome(fast, (np.array([*fine, x]),))
        assert found == (kind, f"at index {len(fine)} of the batch: {words}")


def test_backward_fails_as_eagerly():
    w = Value(2.0, "w")

    def f(x):
        return select(greater(w, x), lambda: after(w * w, ag.log(w - 10.0 * x)), lambda: w)
    fast = compile(f)
    for data, x in [(2.0, 0.1), (2.0, 3.0), (2.0, 1.0), (20.0, 1.0)]:
        w.data, w.grad = data, 0.0
        eager = outcome(lambda x: f(x).backward(), (x,)), w.grad
        w.grad = 0.0
        found = outcome(fast.backward, (x,))
        assert (found if isinstance(found, tuple) else None, w.grad) == eager


def test_an_index_without_a_row_that_nothing_uses_is_an_error_on_the_taken_side():
    rows = [1.0, 2.0, 3.0]

    def f(x, i):
        return select(greater(x, 0.0), lambda: after(x, take(rows, i)), lambda: -x)
    fast = compile(f, indices="i")
    assert fast(1.0, 2) == 1.0 and fast(-1.0, 7) == 1.0
    with pytest.raises(IndexError, match="index 7 is out of range for 3 rows"):
        fast(1.0, 7)
    again = compile(f, indices="i")
    with pytest.raises(IndexError, match="index 7 is out of range for 3 rows"):
        again(1.0, 7)


def test_random_sides_fail_as_eagerly():
    rng = random.Random(5)
    ops = [ag.log, ag.exp, ag.sqrt, lambda x: 1.0 / x, lambda x: x * 30.0, ag.sin, lambda x: x - 1.0]

    def made(deep):
        steps, inner = [(rng.choice(ops), rng.random()) for _ in range(rng.choice([1, 2]))], deep and [
            (rng.uniform(-2.0, 2.0), made(deep - 1), made(deep - 1)) for _ in range(rng.choice([1, 2]))]
        used = rng.random()

        def f(x):
            y = x
            for op, away in steps:
                z = op(y if away < 0.7 else x)
                y = z if away < 0.5 else y
            for at, then, otherwise in inner or ():
                z = select(greater(y, at), lambda then=then: then(y), lambda other=otherwise: other(y))
                y = z if used < 0.6 else y
            return y
        return f
    for _ in range(60):
        f = made(2)
        for g in (f, grad(f)):
            fast = compile(g)
            for x in (rng.uniform(0.1, 3.0), *POINTS, 0.3, 1.0):
                assert held(fast, g, (x,)) == ""


def of_many_choices(seed, count):
    """A function of two numbers, of so many choices that depend on each other."""
    chance = random.Random(seed)
    plan = [(*[chance.random() for _ in range(3)], chance.uniform(-1.0, 1.0)) for _ in range(3 * count)]

    def f(x, y):
        found = [x * 1.1, y * 0.9, x * y]
        for i, (*places, c) in enumerate(plan):
            u, v, w = [found[int(place * len(found))] for place in places]
            found.append(ag.tanh(u * v) if i % 3 == 1 else ag.sin(u + v * c) if i % 3 else ag.select(
                ag.greater(u, c), lambda: v * w + ag.sin(u), lambda: ag.cos(w) * u - v))
        return ag.sum(found[-5:])
    return f


@pytest.mark.parametrize("count, seeds", [
    *[(count, range(8)) for count in range(4, 9)],
    (8, [36, 54, 98]),                          # two together change an order, and neither alone
    (12, [4, 6, 11, 16, 23, 28, 31, 32, 36, 47, 50, 52, 58])])     # (of many, each by itself is minded)
def test_sums_are_in_the_order_of_the_sides_that_choices_take(count, seeds):
    chance = random.Random(5)
    for seed in seeds:
        gradient = ag.grad(of_many_choices(seed, count), argnums=(0, 1))
        fast = compile(gradient, target="python")
        for _ in range(24):
            point = chance.uniform(-2.0, 2.0), chance.uniform(-2.0, 2.0)
            assert fast(*point) == gradient(*point), (seed, point)


def of_choices_by_data(seed, count):
    """A function of two numbers to differentiate by and two others, by which many of its choices are."""
    chance = random.Random(seed)
    plan = [(*[chance.random() for _ in range(4)], chance.uniform(-1.0, 1.0)) for _ in range(3 * count)]
    frozen = Value(0.3, requires_grad=False)

    def f(w, v, x, y):
        found, data = [w * 1.1, v * 0.9, w * v, w * x], [x, y, x * y, ag.sin(x), frozen * x]
        for i, (*places, by, c) in enumerate(plan):
            a, b, d = [found[int(place * len(found))] for place in places]
            test = ag.greater(data[int(by * 6)] if by < 5 / 6 else a, c)
            found.append(ag.tanh(a * b) if i % 3 == 1 else ag.sin(a + b * c) if i % 3 else
                         ag.where(test, a, b) if by < 0.5 else
                         ag.select(test, lambda: a, lambda: ag.cos(d) * b))
        return ag.sum(found[-5:])
    return f


@pytest.mark.parametrize("count", [2, 5, 8])
def test_a_choice_by_plain_numbers_is_no_node_by_which_gradients_come(count):
    chance = random.Random(count)
    for seed in range(24):
        f = of_choices_by_data(seed, count)
        w, v = Value(0.7), Value(-0.4)
        gradient, model = ag.grad(f, argnums=(0, 1)), lambda x, y: f(w, v, x, y)
        fast, trained = compile(gradient, target="python"), compile(model, target="python")
        for _ in range(8):
            point = [chance.uniform(-2.0, 2.0) for _ in range(4)]
            assert fast(*point) == gradient(*point), (seed, point)
            found = []
            for run in (trained.backward, lambda x, y: model(x, y).backward()):
                w.grad = v.grad = 0.0
                run(*point[2:])
                found.append((w.grad, v.grad))
            assert found[0] == found[1], (seed, point)


def test_a_first_call_has_the_numbers_that_its_caller_gave():
    given = []

    def f(x, y):
        given.append(type(x))
        for _ in range(30):
            y = ag.sin(y) * x + y
        return y

    def methods(x, y):
        for _ in range(30):
            y = y.sin() * x + y
        return y
    assert compile(f)(0.5, 0.25) == f(0.5, 0.25) == compile(methods)(0.5, 0.25)
    assert given == [Value, float, float]               # (recorded, computed; f itself)
