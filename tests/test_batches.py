"""Compiled functions over batches of points, and over the arrays of a namespace, held against eager ones."""
from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from truth import OURS
from truth import points as points_of
from unseen import unseen

import autograd_lite as ag
from autograd_lite.ops.op import TABLE
from autograd_lite.programs import arrays, lookups
from autograd_lite.programs.arrays import FINE, Watch, function
from autograd_lite.programs.code import ADDED, ITEM, ROWS, Code
from autograd_lite import compile
from autograd_lite.programs.namespaces import functions
from autograd_lite.programs.python import EAGER
from autograd_lite.programs.recording import Recording

# -- random functions that branch -----------------------------------------------------------------

UNARY: list[Callable[[Any], Any]] = [
    ag.sin, ag.tanh, abs, ag.relu, ag.softplus, ag.sigmoid, ag.exp, lambda x: x * x, lambda x: -x, ag.atan,
    lambda x: ag.log(x * x + 0.5), lambda x: ag.sqrt(abs(x) + 0.25), lambda x: 1.0 / (x * x + 0.1),
    lambda x: x ** 3.0, ag.erf, ag.gelu]
UNSAFE: list[Callable[[Any], Any]] = [
    ag.log, ag.sqrt, lambda x: 1.0 / (1.0 + ag.exp(400.0 * x)), lambda x: 1.0 / (x - x + 0.0 * x), abs,
    lambda x: ag.asin(x), lambda x: ag.atan(ag.exp(300.0 * x))]
BINARY: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, ag.maximum, max, min,
    lambda a, b: a / (b * b + 0.5), ag.hypot, lambda a, b: ag.softmax([a, b, 0.5])[1],
    lambda a, b: ag.dot([a, b], [b, 2.0]), lambda a, b: ag.logsumexp([a, b])]


def plain(x: Any) -> Any:
    """The number of a Value."""
    return x.data if isinstance(x, ag.Value) else x


def drawn(chance: random.Random, unsafe: bool) -> Callable[[Any, Any], Any]:
    """A function of two numbers with branches of all kinds."""
    steps = []
    for _ in range(chance.randint(3, 7)):
        kind = chance.choice(["one", "two", "two", "if", "where", "select", "while", "round"])
        one = chance.choice(UNSAFE if unsafe and chance.random() < 0.3 else UNARY)
        other, two, c = chance.choice(UNARY), chance.choice(BINARY), chance.uniform(-1.0, 1.0)
        steps.append((kind, one, other, two, c, chance.random(), chance.random()))

    def f(x: Any, y: Any) -> Any:
        values = [x, y]
        for kind, one, other, two, c, i, j in steps:
            a, b = values[int(i * len(values))], values[int(j * len(values))]
            if kind == "one":
                z = one(a)
            elif kind == "two":
                z = two(a, b)
            elif kind == "if":
                z = one(a) if a > c else two(b, c)
            elif kind == "where":
                z = ag.where(ag.less(a, b), other(a), two(a, b))
            elif kind == "select":
                z = ag.select(ag.greater(a, c), lambda a=a: one(a), lambda b=b: other(b))
            elif kind == "while":
                z = a
                for _ in range(4):
                    if abs(z) < 0.7:
                        break
                    z = z * 0.5
            else:
                z = b * (2 if round(plain(ag.tanh(a) * 2.0)) else 3)
            values.append(ag.tanh(z) if i < 0.5 else z)
        return values[-1] + 0.5 * values[-2]
    return f


def one_by_one(f: Any, *columns: Any) -> tuple[list[Any], Exception | None, int]:
    """The eager results, and the first error with its index."""
    found = []
    for i, row in enumerate(zip(*[np.asarray(x, float).tolist() for x in columns])):
        try:
            found.append(f(*row))
        except ArithmeticError as error:
            return found, error, i
        except ValueError as error:
            return found, error, i
    return found, None, -1


def close(a: Any, b: Any) -> bool:
    return bool(np.allclose(np.asarray(a, float), np.asarray(b, float), 1e-9, 1e-9, equal_nan=True))


def points(seed: int, n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=n), rng.normal(size=n)


@pytest.mark.parametrize("seed", range(40))
def test_a_batch_is_what_eager_calls_give_on_random_functions_that_branch(seed):
    chance = random.Random(seed)
    f = drawn(chance, seed % 2 == 1)
    g = ag.value_and_grad(f, (0, 1)) if seed % 3 else f
    x, y = points(seed, 40)
    true, error, at = one_by_one(g, x, y)
    fast = compile(g, batch=("x", 1))
    for _ in range(2):
        if error is None:
            assert close(flat(fast(x, y)), flat_rows(true)), seed
        else:
            with pytest.raises(type(error), match=f"^at index {at} of the batch: ") as info:
                fast(x, y)
            assert str(error).split(":")[0] in str(info.value) or not isinstance(error, ag.AutogradError)
            assert not at or close(flat(fast(x[:at], y[:at])), flat_rows(true))
    exact = compile(g, batch=(0, 1), rounding="eager")
    if error is None:
        assert np.array_equal(flat(exact(x, y)), flat_rows(true))
    else:
        with ag.errstate("ignore"), np.errstate(all="ignore"):
            true, error, _ = one_by_one(g, x, y)
            if error is None:                   # (round(nan) is one of Python's)
                assert close(flat(fast(x, y)), flat_rows(true))


def flat(result: Any) -> Any:
    return np.array([*result[1], result[0]] if isinstance(result, tuple) else [result])


def flat_rows(rows: Any) -> Any:
    return np.array([[*row[1], row[0]] if isinstance(row, tuple) else [row] for row in rows], float).T


def test_the_random_functions_take_many_ways_and_fail_at_times():
    ways, failures = [], 0
    for seed in range(40):
        f = drawn(random.Random(seed), seed % 2 == 1)
        x, y = points(seed, 40)
        fast = compile(f, batch=("x", 1))
        with ag.errstate("ignore"), np.errstate(all="ignore"):
            fast(x, y)
        ways.append(len(fast.programs))
        failures += one_by_one(f, x, y)[1] is not None
    assert max(ways) >= 8 and sum(w > 1 for w in ways) >= 20 and failures >= 5


# -- structures of arguments and results -----------------------------------------------------------


@dataclass
class Pair:
    a: Any
    b: Any


def f2(x: Any, y: Any) -> Any:
    return x * x + ag.exp(y) * x if x > 0.0 else y - x


def test_numbers_and_arrays_of_length_one_broadcast():
    fast = compile(f2, batch=("x", "y"))
    x, y = points(0, 5)
    assert close(fast(x, 2.0), [f2(t, 2.0) for t in x.tolist()])
    assert close(fast(x, np.array([2.0])), fast(x, 2.0)) and close(fast(np.array([2.0]), y), fast(2.0, y))
    assert fast(x[:1], y[:1]).shape == (1,) and fast(1.0, 2.0) == f2(1.0, 2.0)
    assert close(fast(x, y=y), fast(x, y)) and close(fast(y=y, x=x), fast(x, y))


@pytest.mark.parametrize("change", [
    lambda x: np.repeat(x, 2)[::2], lambda x: np.asfortranarray(x), lambda x: x.astype(np.float32),
    lambda x: np.rint(x).astype(int), lambda x: x[::-1], lambda x: np.rint(abs(x)).astype(np.uint8)])
def test_arrays_of_all_makes_are_taken_and_never_changed(change):
    x, y = points(1, 30)
    x, y = change(x), change(y)
    before = x.copy()
    x.flags.writeable = False
    assert close(compile(f2, batch=(0, 1))(x, y), [f2(a, b) for a, b in zip(x.tolist(), y.tolist())])
    assert np.array_equal(before, x)


def test_the_result_is_new_even_if_it_is_an_argument():
    x, _ = points(2, 3)
    assert not np.shares_memory(compile(lambda x: x, batch=0)(x), x)
    assert not np.shares_memory(compile(lambda x: x, target=np)(x), x)


def test_batches_lie_within_structures_and_results_have_theirs():
    x, y = points(3, 20)

    def f(given: Any, pair: Any, c: Any) -> Any:
        a, b = given["a"]
        z = pair.a * c[0] + pair.b * c[1]
        return {"sum": a + b, "pair": Pair(z, [a * z, 1.0]), "none": None}
    fast = compile(f, batch=("given", "pair"))
    found = fast({"a": [x, y]}, Pair(y, 2.0), np.array([3.0, 4.0]))
    z = y * 3.0 + 8.0
    assert close(found["sum"], x + y) and close(found["pair"].a, z) and found["none"] is None
    assert close(found["pair"].b[0], x * z) and close(found["pair"].b[1], np.ones(20))


def test_leading_axes_are_structure():
    p = np.random.default_rng(0).normal(size=(3, 25))

    def f(p: Any) -> Any:
        return p[0] * p[1] + p[2] ** 3 if p[0] > p[1] else ag.sin(p[2]) * p[0]
    g = ag.grad(f)
    found = compile(g, batch=0)(p)
    assert found.shape == (3, 25) and close(found, np.array([g(row) for row in p.T]).T)
    assert close(compile(g, batch=0)(p.T.copy().T), found)
    assert close(compile(f, batch=0)(p), list(map(f, p.T)))
    assert close(compile(ag.hessian(f), batch=0)(p), np.moveaxis([ag.hessian(f)(q) for q in p.T], 0, -1))


def test_branches_that_return_other_structures_are_refused():
    fast = compile(lambda x: (x, x) if x > 0.0 else [x], batch=0)
    with pytest.raises(ag.InputError, match="another structure on another branch"):
        fast(np.array([1.0, -1.0]))
    assert close(fast(np.array([1.0, 2.0])), [[1.0, 2.0], [1.0, 2.0]])


def test_results_may_be_numbers_on_one_branch_and_flags_or_counts_on_all():
    fast = compile(lambda x: (x if x > 0.0 else 1, x > 0.0, 3 if x > 1.0 else 4), batch=0)
    a, b, c = fast(np.array([-1.0, 0.5, 2.0]))
    assert a.tolist() == [1.0, 0.5, 2.0] and b.tolist() == [False, True, True] and b.dtype == bool
    assert c.tolist() == [4, 4, 3] and c.dtype == int


# -- reduced -------------------------------------------------------------------------------------------


def test_results_are_reduced():
    x, y = points(4, 33)
    both = ag.value_and_grad(f2)
    values, slopes = compile(both, batch=(0, 1))(x, y)
    assert isinstance(compile(f2, batch=(0, 1), reduce="sum")(x, y), float)
    assert close(compile(f2, batch=(0, 1), reduce="sum")(x, y), values.sum())
    mean, kept = compile(both, batch=(0, 1), reduce=("mean", None))(x, y)
    assert close(mean, values.mean()) and close(kept, slopes)
    p = np.stack([x, y])
    total = compile(lambda p: p * 2.0, batch=0, reduce="sum")(p)
    assert total.shape == (2,) and close(total, 2 * p.sum(1))
    turn = 0.0
    for v in map(f2, x.tolist(), y.tolist()):
        turn += v
    assert compile(f2, batch=(0, 1), reduce="sum", rounding="eager")(x, y) == turn
    with pytest.raises(ag.InputError, match="does not return a tuple of 2"):
        compile(f2, batch=(0, 1), reduce=("sum", None))(x, y)


def test_gradients_by_captured_values_add_up():
    w, b = ag.Value(0.5), ag.Value(0.1)
    x, y = points(5, 50)

    def loss(x: Any, y: Any) -> Any:
        error = ag.tanh(w * x + b) - y
        return error * error if error > 0.0 else ag.log(abs(error * w) + 0.1)
    for reduce, n in (("sum", 1), ("mean", 50)):
        total = ag.sum([loss(s, t) for s, t in zip(x.tolist(), y.tolist())]) / float(n)
        total.backward()
        true = w.grad, b.grad
        w.grad = b.grad = 0.0
        fast = compile(loss, batch=(0, 1), reduce=reduce)
        for _ in range(2):
            assert close(fast.backward(x, y), total.data) and close((w.grad, b.grad), true)
            w.grad = b.grad = 0.0
        w.data = 0.7
    with pytest.raises(ag.InputError, match="reduce='sum'"):
        compile(loss, batch=(0, 1)).backward(x, y)
    with ag.errstate("ignore"):
        wild = compile(lambda x: w / (1.0 + ag.exp(x)), batch=0, reduce="sum")
        wild.backward(np.array([1.0, 800.0, 2.0]))
    assert close(w.grad, 1.0 / (1.0 + math.exp(1.0)) + 1.0 / (1.0 + math.exp(2.0)))


def test_given_values_it_is_the_function_itself_at_each_point():
    x, y = points(10, 6)

    def f(w: Any, x: Any) -> Any:
        return ag.tanh(w * x) if x > 0.0 else w
    total = compile(f, batch="x", reduce="sum")
    true = sum([ag.grad(f)(0.5, t) for t in x.tolist()])
    assert close(ag.grad(lambda w: total(w, x))(0.5), true)
    assert close(compile(ag.grad(lambda w, x: total(w, x)))(0.5, x), true)
    mean = compile(f, batch="x", reduce="mean")
    assert close(ag.grad(lambda w: mean(w, x))(0.5), true / 6.0)
    kept = compile(lambda w, x: (w * x, [w]), batch="x")(ag.Value(2.0), x)
    assert [v.data for v in kept[0]] == (2.0 * x).tolist() and kept[1][0].shape == (6,)
    over = compile(lambda x: x * x, target=np)
    assert over(ag.Value(3.0)).data == 9.0 and ag.grad(over)(3.0) == 6.0


def test_backward_of_a_batch_may_be_given_values():
    w, v, x = ag.Value(2.0), ag.Value(3.0), np.array([1.0, 2.0])
    fast = compile(lambda x, n: x * w * n, batch="x", reduce="sum")
    assert fast.backward(x, v) == 18.0 and (w.grad, v.grad) == (9.0, 6.0)
    assert fast.backward(1.0, v) == 6.0 and (w.grad, v.grad) == (12.0, 8.0)
    entries = np.array([ag.Value(1.0), ag.Value(2.0)])
    assert fast.backward(entries, 2.0) == 12.0 and w.grad == 18.0 and [e.grad for e in entries] == [4.0, 4.0]
    with pytest.raises(ag.InputError, match="returned 'none'; backward needs one number"):
        compile(lambda x, n: "none", batch="x", reduce="sum").backward(x, v)


def test_backward_of_a_batch_within_a_compiled_function_is_refused():
    w, x = ag.Value(2.0), np.array([1.0, 2.0])
    inner = compile(lambda x: x * w, batch="x", reduce="sum")
    inner.backward(x)
    with pytest.raises(ag.InputError, match="backward.. is called within a compiled function"):
        compile(lambda y: inner.backward(x) * y)(3.0)
    assert w.grad == 3.0


def test_all_points_may_share_an_int_that_no_float_holds():
    w, x, n = ag.Value(2.0), np.array([1.0, 2.0]), 2 ** 60 + 1
    for shared in (n, np.int64(n)):
        found = compile(lambda x, n: x * (n % 7), batch="x")(x, shared)
        assert found.dtype == float and found.tolist() == [2.0, 4.0]
        total = compile(lambda x, n: x * w * (n % 7), batch="x", reduce="sum")
        assert repr(total(x, shared)) == repr(total.backward(x, shared)) == "12.0"
        assert repr(compile(lambda n: w * (n % 7))(shared)) == "4.0"
    assert w.grad == 12.0


# -- empty, non-finite, wrong ---------------------------------------------------------------------------


def test_an_empty_batch_has_empty_results():
    none = np.empty(0)
    assert compile(ag.value_and_grad(f2), batch=(0, 1))(none, 1.0)[1].shape == (0,)
    assert compile(f2, batch=(0, 1), reduce="sum")(none, none) == 0.0
    assert compile(lambda p: p * 2.0, batch=0)(np.empty((3, 0))).shape == (3, 0)
    with pytest.raises(ag.InputError, match="mean of an empty batch"):
        compile(f2, batch=(0, 1), reduce="mean")(none, none)
    with pytest.raises(ag.InputError, match="an empty batch"):
        compile(lambda x: ag.log(x - 1.0), batch=0)(none)


def test_what_is_not_finite_on_the_way_is_an_error_that_names_the_index_or_passes_if_ignored():
    fast = compile(lambda x: 1.0 / (1.0 + ag.exp(x)), batch=0)
    x = np.linspace(-3.0, 3.0, 9000)
    fast(x)
    x[8000], x[4500] = 800.0, 900.0
    with pytest.raises(ag.RangeError, match=r"^at index 4500 of the batch: exp\(900.0\)"):
        fast(x)
    with ag.errstate("ignore"):
        assert fast(x)[8000] == 0.0
    with pytest.warns(ag.AutogradWarning):
        with ag.errstate("warn"):
            fast(x)
    x[4500] = x[8000] = 0.0
    assert close(fast(x), 1.0 / (1.0 + np.exp(x)))
    plain = compile(lambda x: [][0] if x > 1.0 else x, batch=0)
    with pytest.raises(IndexError) as info:
        plain(np.array([0.0, 2.0]))
    assert str(info.value) == "at index 1 of the batch: list index out of range"


def test_extreme_operands_of_a_rule_go_the_eager_way():
    g = ag.grad(lambda x, y: x / y, (0, 1))
    x, y = np.array([1.0, 3e-300, 5e-310, 1.0]), np.array([2.0, 2e-300, 0.5, 3e-10])
    true = np.array([g(a, b) for a, b in zip(x.tolist(), y.tolist())])
    assert close(compile(g, batch=(0, 1))(x, y), true.T)
    h = ag.grad(ag.grad(lambda x: abs(x) * x))          # (its kink is a convention)
    assert close(compile(h, batch=0)(np.array([1.0, -2.0, 3.0])), [2.0, -2.0, 2.0])


@pytest.mark.parametrize("args, message", [
    ((np.ones(3), np.ones(4)), "x and y have the lengths 3 and 4"),
    (("abc", np.ones(3)), "x must hold numbers"),
    ((np.ones(3), None), "y must hold numbers"), ((np.array([True]), 1.0), "not one of bool"),
    ((np.array(["a"]), 1.0), "real numbers"), ((np.array([1j]), 1.0), "real numbers"),
    ((np.ma.masked_less(np.ones(3), 2.0), 1.0), "masked"),
    ((np.array([1.0, None]), 1.0), "astype")])
def test_wrong_arguments_are_refused_and_the_function_stays_usable(args, message):
    fast = compile(f2, batch=("x", "y"))
    for _ in range(2):
        with pytest.raises(ag.InputError, match=message):
            fast(*args)
        assert close(fast(np.array([1.0, 2.0]), 0.0), [2.0, 6.0])


@pytest.mark.parametrize("options, message", [
    ({"batch": "z"}, "has no argument 'z'"), ({"batch": 2}, "has no argument 2"),
    ({"batch": True}, "has no argument True"), ({"batch": 0, "reduce": "max"}, "reduce='max'"),
    ({"batch": 0, "rounding": "exact"}, "rounding='exact'")])
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ag.InputError, match=message):
        compile(f2, **options)


def test_a_limit_of_programs_and_a_number_that_was_baked_are_said_in_batches_too():
    fast = compile(lambda x: sum(x for _ in range(round(plain(x)))), batch=0, max_programs=3)
    with pytest.raises(ag.InputError, match="needs another"):
        fast(np.arange(1.0, 9.0))
    more = compile(lambda x: sum(x for _ in range(round(plain(x)))), batch=0, max_programs=3,
                   on_limit="eager")
    assert close(more(np.arange(1.0, 9.0)), np.arange(1.0, 9.0) ** 2)
    counter = unseen(range(100))
    with pytest.raises(ag.InputError, match="would be frozen"):
        compile(lambda x: x * float(counter()), batch=0)(np.arange(1.0, 9.0))


def test_each_point_goes_to_the_program_of_its_own_answer():
    def f(x: Any) -> Any:
        name, n = f"{plain(x):.0f}", round(plain(x))
        return x ** float(n) + float(len(name)) + sum(x for _ in range(n // 10))
    x = np.random.default_rng(0).uniform(0.0, 14.0, 400)
    fast = compile(f, batch=0)
    assert close(fast(x), list(map(f, x.tolist()))) and close(fast(x[::-1]), fast(x)[::-1])
    assert fast.stats.programs == 15


def test_points_at_which_arrays_and_floats_round_apart_end_with_the_scalar_program():
    x = np.random.default_rng(0).uniform(-3.0, 3.0, 3000)
    y = np.array([math.exp(math.sin(t)) * math.tanh(t) for t in x.tolist()])    # (equal to the last bit)

    def f(x: Any, y: Any) -> Any:
        return 1.0 if ag.exp(ag.sin(x)) * ag.tanh(x) == y else 2.0
    found = compile(f, batch=(0, 1))(x, y)
    assert set(found.tolist()) <= {1.0, 2.0}
    assert compile(f, batch=(0, 1), rounding="eager")(x, y).tolist() == [1.0] * 3000


@pytest.mark.parametrize("n", [1, 2, 12, 13, 30])
@pytest.mark.parametrize("options", [{"target": np}, {"batch": "x"}, {"batch": "x", "reduce": ("sum", None)},
                                     {"batch": "x", "target": "python"}], ids=" ".join)
def test_products_are_added_up_with_the_number_that_stands_beside_them(n, options):
    weights, beside = [ag.Value(0.25 * i - 1.0) for i in range(n)], ag.Value(8.0)

    def f(x):
        inner = ag.dot([x + i for i in range(n)], weights, beside)
        return ag.dot([inner] * n, weights, beside * x)

    xs = np.array([0.5, -2.0, 3.0])
    expected = [ag.value_and_grad(f)(x) for x in xs.tolist()]
    y, slope = compile(ag.value_and_grad(f), **options)(xs)
    ys = [float(a.data) for a, _ in expected]
    np.testing.assert_allclose(y, sum(ys) if "reduce" in options else ys, 1e-13)
    np.testing.assert_allclose(slope, [float(b.data) for _, b in expected], 1e-13)


def test_long_sums_and_many_instructions():
    x, y = points(9, 20)

    def f(x: Any, y: Any) -> Any:
        xs = [ag.sin(x * float(k)) - y for k in range(60)]
        return ag.sum(xs) * ag.dot(xs[:31], xs[29:60]) + ag.mean(xs) - sum(xs)
    g = ag.value_and_grad(f, (0, 1))
    true = flat_rows([g(a, b) for a, b in zip(x.tolist(), y.tolist())])
    assert np.allclose(flat(compile(g, batch=(0, 1))(x, y)), true, 1e-10)
    assert np.allclose(flat(compile(g, target=np)(x, y)), true, 1e-10)


# -- every op -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_op_at_its_edge_points_and_its_derivatives(name):
    op = TABLE[name]
    groups: dict[Any, Any] = {}
    for xs in points_of(name):
        key = len(xs), tuple([xs[i] for i in sorted(op.options) if i < len(xs)])
        groups.setdefault(key, []).append(xs)
    for (n, _), rows in groups.items():
        kept = [i for i in range(n) if i not in op.options]
        fixed = rows[0]

        def f(*given: Any) -> Any:
            held = dict(zip(kept, given))
            return op(*[held.get(i, x) for i, x in enumerate(fixed)])
        columns = [np.array([float(xs[i]) for xs in rows]) for i in kept]
        places = tuple(range(len(kept)))
        with ag.errstate("ignore"), np.errstate(all="ignore"):
            for g, units in ((f, 4.0), (ag.grad(f, places), 64.0)):
                true = np.array([np.ravel(g(*row)) for row in zip(*[x.tolist() for x in columns])]).T
                found = np.atleast_2d(np.array(compile(g, batch=places, max_programs=10 ** 6)(*columns)))
                wrong = ~((found == true) | (abs(found - true) <= units * np.spacing(abs(true)))
                          | np.isnan(found) & np.isnan(true))
                assert not wrong.any(), (name, g is f, [x[wrong.any(0)][:3] for x in columns],
                                         found[wrong][:3], true[wrong][:3])


def gathered(xp: Any, watch: bool) -> Any:
    """Of (a, b, c, i): the i-th of (a, 2, b), and of a list with a added at 1, c at i the last."""
    code = Code()
    a, b, c, i = map(code.input, (1.0, 2.0, 3.0, 1.0))
    item = code.emit(ITEM, (code.emit(ROWS, (a, code.constant(2.0), b), (1.0, 2.0, 2.0)), i), 2.0)
    one = code.constant(1.0)
    added = code.emit(ADDED, (code.constant(3.0), one, a, i, c), [0.0, 4.0, 0.0])
    last = code.emit(ITEM, (added, code.constant(-1.0)), 0.0)
    recording = Recording(code, [a, b, c, i], [], [item, last], [], {}, {})
    return function(recording, [], functions(xp), watch)[0]


def test_entries_of_lists_are_chosen_and_added_to_point_by_point():
    a, c = np.array([1.0, 2.0, 3.0, 4.0]), np.array([10.0, 20.0, 30.0, 40.0])
    i = np.array([0.0, 2.0, -1.0, 1.0])
    for b in (np.float64(7.0), np.array([5.0, 6.0, 7.0, 8.0])):
        item, last = gathered(np, False)(a, b, c, i, ())
        assert item.tolist() == [1.0, *np.broadcast_to(b, 4)[1:3], 2.0] and last.tolist() == [0, 20, 30, 0]
    watch = Watch(4)
    gathered(np, True)(watch, a, b, c, np.array([0.0, 3.0, -3.0, -4.0]), ())
    assert watch.fates.tolist() == [FINE, EAGER, FINE, EAGER]
    item, last = gathered(np, False)(a, b, c, 2, ())
    assert np.array_equal(item, b) and np.array_equal(last, c)


def test_an_op_of_the_users_is_mapped_over_numpys_arrays(monkeypatch):
    op = ag.Op("cubed", lambda x: x * x * x, (lambda y, x: 3.0 * x * x,))
    monkeypatch.setitem(TABLE, "cubed", op)
    x, _ = points(6, 12)
    assert close(compile(ag.grad(lambda x: op(x) * x), batch=0)(x), 4.0 * x ** 3)
    assert close(compile(ag.grad(lambda x: op(x) * x), target=np)(x), 4.0 * x ** 3)


# -- namespaces ------------------------------------------------------------------------------------------


def smooth(x: Any, y: Any) -> Any:
    return ag.select(ag.greater(x, 0.0), lambda: ag.log(x) * y, lambda: x * y / (1.0 + ag.exp(-x)))


def test_a_function_over_numpys_arrays_is_what_it_is_at_each_point():
    x, y = points(7, 12)
    g = ag.value_and_grad(smooth, (0, 1))
    fast = compile(g, target=np)
    value, (a, b) = fast(x.reshape(3, 4), y.reshape(3, 4))
    true = np.array([[v, *d] for v, d in [g(s, t) for s, t in zip(x.tolist(), y.tolist())]])
    assert value.shape == (3, 4) and close([value.ravel(), a.ravel(), b.ravel()], true.T)
    assert "def f(x, y, captured):" in fast.source() and "at." not in fast.source()
    assert close(compile(smooth, target=np, batch="x", reduce="sum")(x, 2.0),
                 compile(smooth, target=np)(x, 2.0).sum())
    assert fast(x, 1.0)[0].shape == fast(1.0, x)[1][0].shape == (12,)
    powers = compile(lambda x, n: sum(x ** k for k in range(n)), target=np)
    assert close(powers(x, 3), 1.0 + x + x * x) and close(powers(x, 2), 1.0 + x)
    with np.errstate(all="raise"):
        assert compile(lambda x: ag.log(x), target=np)(np.array([-1.0, 0.0, 1.0]))[1] == -math.inf


def test_a_structure_over_the_arrays_of_a_namespace():
    p = np.random.default_rng(0).normal(size=(3, 7))
    g = ag.grad(lambda p: p[0] * p[1] + ag.sin(p[2]))
    assert close(compile(g, target=np, batch=0)(p), compile(g, batch=0)(p))
    assert close(compile(g, target=np, batch=())(p[:, 0]), g(p[:, 0]))
    assert close(compile(g, target=np)(list(p)), compile(g, batch=0)(p))


def test_guards_and_what_is_no_namespace_are_refused_by_name():
    with pytest.raises(ag.InputError, match=r"its way depends(.|\n)*test_batches.py(.|\n)*x if x > 0.0"):
        compile(lambda x: x if x > 0.0 else -x, target=np)(np.ones(3))
    with pytest.raises(ag.InputError, match="namespace of arrays"):
        compile(f2, target="jax")
    counter = unseen(range(100))
    with pytest.raises(ag.InputError, match="not the same in each run"):
        compile(lambda x: x * float(counter()), target=np)(np.ones(3))


def test_captured_values_are_read_at_each_call():
    w = ag.Value(2.0)
    fast = compile(lambda x: x * w, target=np)
    assert fast(np.ones(2)).tolist() == [2.0, 2.0]
    w.data = 3.0
    assert fast(np.ones(2)).tolist() == [3.0, 3.0]


MESH = """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
import jax, jax.numpy as jnp, numpy as np
import autograd_lite as ag
from autograd_lite import compile
jax.config.update("jax_enable_x64", True)

def f(x, y):
    return ag.where(ag.greater(x, 0.0), ag.exp(x) * y, x * y / (1.0 + ag.exp(-x)))
g = ag.grad(f, (0, 1))
x, y = np.linspace(-2.0, 2.0, 16), np.linspace(1.0, 3.0, 16)
true = np.array([g(a, b) for a, b in zip(x.tolist(), y.tolist())]).T
fast = compile(g, target=jnp)
for way in (fast, jax.jit(fast), jax.vmap(fast), jax.jit(jax.vmap(fast))):
    assert np.allclose(np.array(way(x, y)), true, 1e-12)
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("points",))
sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("points"))
out = jax.jit(fast)(jax.device_put(x, sharding), jax.device_put(y, sharding))
assert len(out[0].sharding.device_set) == 4 and np.allclose(np.array(out), true, 1e-12)
total = jax.jit(compile(f, target=jnp, batch=("x", "y"), reduce="sum"))
assert np.allclose(total(x, y), sum(f(a, b) for a, b in zip(x.tolist(), y.tolist())))
p = np.stack([x, y])
h = ag.grad(lambda p: p[0] * ag.sin(p[1]))
assert np.allclose(jax.vmap(compile(h, target=jnp, batch=()), 1, 1)(p), np.array([h(q) for q in p.T]).T)
print("ok")
"""


def test_jit_vmap_and_a_mesh_of_several_devices_take_it():
    pytest.importorskip("jax")
    done = subprocess.run([sys.executable, "-c", MESH], capture_output=True, text=True)
    assert done.stdout == "ok\n", done.stderr


def test_torch_takes_it():
    torch = pytest.importorskip("torch")
    x, y = points(8, 9)
    g = ag.grad(smooth, (0, 1))
    fast = compile(g, target=torch)
    true = compile(g, target=np)(x, y)
    for way in (fast, torch.func.vmap(fast)):
        assert close([t.numpy() for t in way(torch.tensor(x), torch.tensor(y))], true)
    assert fast(torch.tensor(x, dtype=torch.float32), 2.0)[0].dtype == torch.float32


@pytest.mark.parametrize("f", [
    lambda x: ag.sum([x, 1.0]), lambda x: x if x > 0.5 else -x, lambda x: min(x, 0.5),
    ag.grad(lambda x: x * ag.sin(x))])
@pytest.mark.parametrize("x, words", [
    (np.ones((2, 3)), r"x is an array of shape \(2, 3\), .* shape \(2,\); give x.ravel\(\)"),
    ([1.0, 2.0], r"x is a list of 2 entries, which .* gets whole at each point: give numpy.array"),
    ([[1.0, 2.0], [3.0, 4.0]], "x is a list of 2 entries")])
def test_what_a_function_gets_of_a_batch_is_said_where_it_cannot_use_it(f, x, words):
    for options in ({}, {"reduce": "sum"}):
        fast = compile(f, batch="x", **options)
        with pytest.raises(ag.InputError, match=words):
            fast(x)
        assert np.ndim(fast(np.array([1.0, 2.0]))) == (not options)         # (it stays usable)


def test_lists_and_arrays_of_axes_that_a_function_can_use_are_no_error():
    fast = compile(lambda x: ag.sum(x) * 2.0, batch="x")
    assert fast(np.ones((2, 3))).tolist() == [4.0] * 3 and fast([1.0, 2.0]) == 6.0
    with pytest.raises(ag.DomainError, match="^at index 0 of the batch: log") as info:
        compile(lambda x: ag.log(x[0] - 2.0), batch="x")(np.ones((2, 3)))
    assert "batch: x" not in str(info.value)


def test_the_parts_that_sources_over_arrays_call():
    found = functions(np)
    assert arrays.smooth(TABLE["abs"])(np.array([-1.0, 0.0, 2.0])).tolist() == [True, False, True]
    assert arrays.smooth(TABLE["maximum"])(np.array([1.0, 3.0]), np.array([1.0, 2.0])).tolist() == [
        False, True]
    asked = []
    either = arrays.either(np.array([True, False]), lambda: asked.append(1) or np.array([False, True]),
                           lambda: asked.append(2))
    assert either.tolist() == [True, True] and asked == [1]
    assert arrays.either(np.array([True, True]), lambda: asked.append(3)).all() and asked == [1]
    assert lookups.within(np.array([-3.0, -2.0, 0.0, 1.0, 2.0]), 2).tolist() == [
        False, True, True, True, False]
    rows = [np.array([1.0, 2.0, 3.0]), 7.0]
    assert lookups.gather(found, True, rows, np.array([0.0, -1.0, -2.0])).tolist() == [1.0, 7.0, 3.0]
    assert lookups.gather(found, True, rows, 1.0) == 7.0
    index = np.array([0.0, 1.0, -1.0])
    added = lookups.scatter(found, True, 2.0, index, np.array([1.0, 2.0, 3.0]), 0.0, 10.0)
    assert np.array(added).tolist() == [[11.0, 10.0, 10.0], [0.0, 2.0, 3.0]]
    assert lookups.scatter(found, True, 3.0, 2.0, 5.0, -1.0, 1.0, 0.0, 2.0) == [2.0, 0.0, 6.0]
    halves = arrays.each(lambda a, b: a / b)
    assert halves(np.array([1.0, 2.0]), 2.0).tolist() == [0.5, 1.0]
    assert np.isnan(halves(np.array([1.0]), np.array([0.0]))).all()
    assert arrays.each(lambda a: a > 0.0, bool)(np.array([[1.0, -1.0]])).tolist() == [[True, False]]


def test_a_watch_keeps_what_became_of_each_point_first():
    watch = arrays.Watch(4)
    watch.finite(np.array([1.0, 2.0, 3.0, 4.0]))
    watch.holds(np.array([True] * 4))
    assert watch.fates is None
    watch.finite(np.array([1.0, math.inf, 3.0, math.nan]), np.array([True, True, True, False]))
    assert watch.fates.tolist() == [arrays.FINE, arrays.EAGER, arrays.FINE, arrays.FINE]
    watch.holds(np.array([True, False, False, True]), True, 3)
    watch.answers(2.0, 2.0, 4)
    assert watch.fates.tolist() == [arrays.FINE, arrays.EAGER, 3, arrays.FINE]
    assert watch.answered[4].tolist() == [2.0] * 4
    with pytest.raises(arrays.Settled):
        watch.answers(np.array([1.0, 2.0, 2.0, 1.0]), 2.0, 5)
    assert watch.fates.tolist() == [5, arrays.EAGER, 3, 5]


@pytest.mark.parametrize("options", [{}, {"rounding": "eager"}, {"target": "python"}, {"reduce": "sum"}])
def test_ints_that_no_array_of_ints_holds_are_floats_or_an_error_that_says_so(options):
    for n in ([2 ** 30, 2 ** 31], [3, 2 ** 31]):
        want = np.array([float(x ** 3) for x in n])
        found = compile(lambda n: n * n * n, batch="n", **options)(np.array(n))
        assert np.array_equal(found, sum(want) if "reduce" in options else want)
    with pytest.raises(ag.RangeError, match="at index 1 of the batch: a result of .* 12401 bits is"):
        compile(lambda n: n ** 400, batch="n", **options)(np.array([1, 2 ** 31]))
    with pytest.raises(ag.RangeError, match="int of 12401 bits is too large for a double"):
        compile(lambda n: n ** 400).bind(2 ** 31)
