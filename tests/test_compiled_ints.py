"""Arguments that are ints: a compiled function does with them what the function itself does with ints."""
import copy
import fractions
import functools
import itertools
import json
import math
import numbers
import operator
import pickle
import random
import threading
from decimal import Decimal

import numpy as np
import pytest
from replayed import held

import autograd_lite as ag
from autograd_lite import Value, compile, grad

INTS = 3, 4, 5, 4, 12, 3, -3, 0, 1, 20


def matched(n):
    match n:
        case bool() | float():
            return "no int"
        case 4 | 5:
            return "few"
        case int(k):
            return f"int {k}"
        case _:
            return "something else"


@functools.singledispatch
def dispatched(n):
    return "something else"


@dispatched.register
def _(n: int):
    return "int"


@functools.lru_cache
def cached(n):
    return n * 2


class Asking:
    rate = 0.5

    def __call__(self, n):
        return type(self).rate * n


NAMES = {3: "three", 4: "four"}


def said(f, *args):
    """What a call gives, or the kind of its error."""
    try:
        result = f(*args)
    except Exception as error:
        return next(kind for kind in (ArithmeticError, ValueError, TypeError, LookupError, AttributeError)
                    if isinstance(error, kind))
    return result


@pytest.mark.parametrize("f", [
    # what it is
    lambda n: isinstance(n, int), lambda n: isinstance(n, float), lambda n: isinstance(n, Value),
    lambda n: isinstance(n, numbers.Integral), lambda n: n.__class__ is int, matched, dispatched,
    lambda n: type(n) is int, lambda n: type(n).__name__, lambda n: type(n * 2)(2.7),
    lambda n: list(map(type, [n])) == [int], lambda n: hasattr(n, "bit_length"), lambda n: hasattr(n, "data"),
    lambda n: 2 * n if isinstance(n, int) and n > 10 else 0,
    # as text
    str, repr,
    lambda n: f"{n} {-n} {+n} {abs(n)} {n + 1} {n - 1} {3 * n} {n // 2} {n % 3} {n ** 2} {n:03d} {n!r}",
    lambda n: f"{n + 1.0} {n * 2.0} {n / 1} {n // 2.0} {n % 2.0} {n ** 2.0} {2.0 ** n}",
    lambda n: f"{n ** n} {2 ** n}", lambda n: f"{n ** -1}", lambda n: f"{n + True} {True * n} {n ** False}",
    lambda n: f"{7 // n} {7 % n} {divmod(7, n)}", lambda n: f"{divmod(n, 2)}",
    lambda n: f"{round(n)} {round(n, 1)} {round(n, -1)} {math.floor(n)} {math.ceil(n)} {math.trunc(n)}",
    lambda n: f"{max(n, 4)} {sum([n, 1])} {sorted([n, 4, 1])} {n and 7} {n or 7} {not n}",
    lambda n: "%d %s %r" % (n, n, n), lambda n: "{:>5}".format(n), lambda n: json.dumps({"n": [n]}),
    lambda n: str(Decimal(n)), lambda n: str(fractions.Fraction(n, 2)), bin, hex,
    lambda n: str(n * fractions.Fraction(1, 3)), lambda n: str(n * 1j), lambda n: str(Decimal("0.5") + n),
    # as an index, a count, a key
    lambda n: [1.0] * n, lambda n: n * (1.0,), lambda n: "a" * n, lambda n: b"a" * n, lambda n: [*range(n)],
    lambda n: [*range(n * n - 1)], lambda n: [*range(n ** 2)], lambda n: "abcdef"[n], lambda n: "abcdef"[:n],
    lambda n: NAMES.get(n), lambda n: NAMES[n], lambda n: NAMES[n + 1], lambda n: n in (1, 3),
    lambda n: n in {1, 3}, lambda n: hash(n), lambda n: {n: 1.0}, lambda n: len({n, 3}), cached,
    lambda n: [7, -3, 3, 4].index(n), lambda n: n == 3, lambda n: n != 3.0, lambda n: n == "3",
    lambda n: 0 < n < 4,
    operator.index, lambda n: np.zeros(n).sum(), lambda n: np.ones(3)[n],
    # what only ints have
    lambda n: n.bit_length(), lambda n: (n.numerator, n.real, n.imag), lambda n: n.conjugate(),
    lambda n: n.as_integer_ratio(), lambda n: n.to_bytes(2, "little"),
    lambda n: (n << 2, 1 << n, n >> 1, 64 >> n),
    lambda n: (n & 1, 6 & n, n | 8, 8 | n, n ^ 1, 1 ^ n, ~n), lambda n: pow(n, 2, 5), lambda n: n @ 2,
    lambda n: (n / 2).is_integer(),
    # of Python's functions
    math.factorial, lambda n: math.comb(n, 2), lambda n: math.gcd(n, 6), math.sqrt, float, int, round,
    lambda n: complex(n).real,
    lambda n: math.fsum([n, 0.5]), lambda n: math.prod([n, 2]), lambda n: math.isclose(n, 3.0), copy.copy,
    lambda n: copy.deepcopy([n]), lambda n: pickle.loads(pickle.dumps(n)),
    lambda n: random.Random(n).random(),
    # large ones
    lambda n: f"{n ** 40}", lambda n: f"{n * 10 ** 15 * n}", lambda n: n ** 30 % 7,
    lambda n: n + 10 ** 17 - 10 ** 17,
    # beside numbers that are traced
    lambda n: ag.sin(n) + ag.maximum(n, 2), lambda n: n ** 0.5, lambda n: ag.atan2(0 * n, -1.0),
    lambda n: ag.atan2(n * -3 % -3, -1.0), lambda n: ag.atan2(-n, -1.0),
    lambda n: ag.take([5, 6, 7, 8, 9], n) * n])
def test_what_it_gives_for_ints_is_what_the_function_gives(f):
    fast = compile(f)
    for n in INTS:
        expected, found = said(f, n), said(fast, n)
        assert found == expected, n
        assert type(found) is type(expected) or {type(found), type(expected)} == {int, float}, n


@pytest.mark.parametrize("f", [
    lambda x, n: x * n + n, lambda x, n: n * 2 - x, lambda x, n: x if n else 2 * x, lambda x, n: x / n,
    lambda x, n: -n + abs(n) * x, lambda x, n: x ** n, lambda x, n: (n * 2 + 1) // 3 % 5 * x,
    lambda x, n: n % 2.5 - x,
    lambda x, n: sum([n, x, n * n]), lambda x, n: ag.where(ag.greater(n, 5), x, n), lambda x, n: n + True + x,
    lambda x, n: ag.exp(-n) * x, lambda x, n: Value(n) * x, lambda x, n: [x, n, {"a": (n, n - 1)}],
    lambda x, n: x if isinstance(n, int) else n, lambda x, n: n ** 2 + x, lambda x, n: +n + round(n) * x,
    lambda x, n: x if x < n else 2 * x, lambda x, n: n if 2.0 < n else x, lambda x, n: Asking()(n) * x,
    lambda x, n: grad(lambda x: x * n ** 2)(x) + n, grad(lambda x, n: x ** n),
    grad(lambda x, n: x * n, argnums=1),
    lambda x, n: ag.jvp(lambda t: t * x * n, (n,), (1.0,))[1]])
def test_arithmetic_of_ints_needs_one_program(f):
    fast = compile(f)
    for n in (7, 8, 9, 7, 23):
        assert fast(1.5, n) == compile(f)(1.5, n) == f(1.5, n)
    assert fast.stats.programs == 1


@pytest.mark.parametrize("f", [
    grad(lambda x: x * len(range(x))), grad(lambda x: x if isinstance(x, int) else 2 * x),
    grad(lambda x: x * len(f"{x.data}"))])
def test_by_an_int_that_is_differentiated_by_is_a_number_as_eagerly(f):
    assert said(compile(f), 3) == said(f, 3)


@pytest.mark.parametrize("f, args", [
    (lambda ns: [f"{n + 1}" for n in ns], ([1, 2, 3],)), (lambda d: {**d, "b": d["a"] << 1}, ({"a": 3},)),
    (lambda x, *, n: [x] * n, (1.5,)), (lambda n, m: f"{n * m} {n % m} {n == m} {n ** m}", (3, 2)),
    (lambda n, m: f"{n / m} {(n > m) + n}", (3, 2)), (lambda n: [n] * n + [n.bit_length()], (3,))])
def test_ints_in_structures_and_beside_each_other(f, args):
    more = {"n": 2} if f.__code__.co_kwonlyargcount else {}
    assert compile(f)(*args, **more) == f(*args, **more)


def test_with_gradients_of_captured_values():
    w, fast = Value(2.0), compile(lambda n: w * n + len("a" * n))
    for n in (3, 4, 3):
        w.grad = 0.0
        assert (fast.backward(n), w.grad) == (2.0 * n + n, float(n))


def test_ints_of_other_classes_stay_what_they_are():
    class Port(int):
        def name(self):
            return f"port {int(self)}"

    fast = compile(lambda x, n: [x, n.name()])
    assert [fast(1.0, Port(n)) for n in (80, 81)] == [[1.0, "port 80"], [1.0, "port 81"]]
    assert compile(lambda n: f"{n + 1} {n / 2}")(np.int64(3)) == "4 1.5"


def test_an_int_that_is_kept_is_refused_afterwards():
    kept = []
    compile(lambda n: kept.append(n) or n * 2)(3)
    for use in (str, lambda n: n + 1, lambda n: n == 3, hash, lambda n: [0] * n, bool, lambda n: n.real):
        with pytest.raises(ag.InputError, match="was kept"):
            use(kept[0])


def test_an_int_in_another_thread_is_refused():
    def f(n):
        found = []

        def work():
            try:
                found.append(str(n))
            except ag.InputError as error:
                found.append(str(error))
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return found

    assert compile(f)(3)[0] in ("3", "a number that compile traces is used in another thread or context than "
                                     "its function's, where nothing is recorded")


def test_points_of_a_batch_beside_an_int():
    fast = compile(lambda x, n: x * len("a" * n) + n ** 2, batch="x")
    for n in (2, 3):
        assert fast(np.array([1.0, 2.0]), n).tolist() == [n + n ** 2, 2.0 * n + n ** 2]


def test_random_expressions_of_ints():
    rng = random.Random(1)
    names = ["+", "-", "*", "//", "%", "**", "/", "==", "<"]

    def made(depth):
        if depth == 0 or rng.random() < 0.2:
            return rng.choice(["n", "m", "n", "m", "2", "-3", "0", "True", "1.5"])
        a, b = made(depth - 1), made(depth - 1)
        return rng.choice([f"({a} {rng.choice(names)} {b})", f"(-{a})", f"abs({a})",
                           f"[{a}, {b}][{a} < {b}]"])

    for _ in range(60):
        text = made(3)
        f = eval(f"lambda n, m: f'{{{text}}}'")
        fast = compile(f)
        for n, m in ((2, 3), (3, -2), (0, 5), (5, 0), (2, 3)):
            expected, found = said(f, n, m), said(fast, n, m)
            assert expected == found, (text, n, m)


# -- results that are ints -------------------------------------------------------------------------------

@pytest.mark.parametrize("target", ["python", "native"])
def test_what_is_an_int_eagerly_is_one_compiled(target):
    if target == "native":
        pytest.importorskip("llvmlite")

    def f(n, x):
        return n + 1, n * x, [n, {"a": -n}], n // 2

    fast = compile(f, target=target)
    for n in (3, 4, -7, 2 ** 30, 2 ** 60, 0):
        assert repr(fast(n, 0.5)) == repr(f(n, 0.5)), n


@pytest.mark.parametrize("target", ["python", "native"])
def test_a_state_of_ints_stays_one(target):
    if target == "native":
        pytest.importorskip("llvmlite")

    def draw(state):                            # (products beyond what floats hold, too)
        return (state * 1103515245 + 12345) % 2 ** 31

    def both(state):
        return state[0] + 1, state[1] * 0.5 + state[0]

    expected, other = 42, (0, 1.0)
    for _ in range(300):
        expected, other = draw(expected), both(other)
    assert repr(compile(draw, target=target).iterate(42, 300)) == repr(expected)
    assert repr(compile(both, target=target).iterate((0, 1.0), 300)) == repr(other)


def test_numpys_whole_numbers_that_floats_do_not_hold_are_exact():
    n, f = np.int64(2 ** 60 + 1), lambda n: n % 7
    fast = compile(f)
    for given in (n, np.uint64(2 ** 64 - 1), np.int64(5), np.array(2 ** 60 + 1)):
        assert fast(given) == f(int(given)), given
    add = compile(lambda s, x: s + x)
    for over in (np.array([n, 2, n]), [n, 2, n], np.array([1, 2, n]), np.array([n, n, n, 5])):
        for start in (0, 3):
            assert add.iterate(start, 3, over=over) == start + sum(map(int, over[:3]))


def test_a_batch_of_ints_that_floats_do_not_hold_is_refused():
    np = pytest.importorskip("numpy")
    fast = compile(lambda n: n % 7, batch="n")
    for n in (2 ** 53, -2 ** 53, 2 ** 62):
        with pytest.raises(ag.InputError, match=r"n holds whole numbers of 2\*\*53 or more"):
            fast(np.array([1, n]))
    assert fast(np.array([8, 2 ** 53 - 1])).tolist() == [1, (2 ** 53 - 1) % 7]


def test_calls_that_need_the_int_and_calls_that_hold_for_any_are_in_one_function():
    table = {0: 1.0, 1: 2.0, 2: 3.0}

    def f(x, n):
        return x * n if x > 0.0 else x * table[n]
    points = [(-1.0, 0), (-1.0, 1), (-1.0, 2), (2.0, 0), (2.0, 1), (2.0, 7)]
    for first in itertools.permutations(points, 3):
        fast = compile(f, target="python")
        for point in (*first, *points):
            assert held(fast, f, point) == "", first
        assert len(fast.programs) == 4
    for target in ("python", None):
        fast = compile(f, batch="x", target=target)
        for xs in ([-1.0, 2.0], [2.0, -1.0]):
            for n in (0, 1, 2, 0):
                assert fast(np.array(xs), n).tolist() == [f(x, n) for x in xs]


@pytest.mark.parametrize("target", ["python", None])
@pytest.mark.parametrize("f, kind", [
    (lambda a: a * 2, "i"), (lambda a: a + a * a, "i"), (lambda a: a, "i"), (lambda a: a // 2, "i"),
    (lambda a: a * 0.5, "f"), (lambda a: np.array([a[0], a[1] * 0.5]), "f"),
    (lambda a: np.array([a[1], 7]), "i"),
    (lambda a: np.array([a[1], 7, 0.5]), "f"), (lambda a: np.array([[a[1] * 2.0, 7], [1, a[0]]]), "f"),
    (lambda a: a > 1, "b"), (lambda a: np.zeros((0, 3)), "f"), (lambda a: a.reshape(2, 1)[:, :0], None)])
def test_arrays_of_ints_give_arrays_of_numbers(f, kind, target):
    fast = compile(f, target=target)
    for given in ([1, 2], [3, 5], [3, 5], [-1, 4]):
        found, expected = fast(np.array(given)), f(np.array(given))
        assert found.dtype.kind == kind or kind is None
        assert found.shape == expected.shape and (found == expected).all()
