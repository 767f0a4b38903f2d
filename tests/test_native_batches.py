"""Batches in native code, held against eager calls and against the same over NumPy's arrays."""
from __future__ import annotations

import copy
import ctypes
import math
import os
import pickle
import random
import subprocess
import sys
import threading
import warnings
from typing import Any

import numpy as np
import pytest
from test_batches import close, drawn, flat, flat_rows, one_by_one, points
from unseen import unseen

import autograd_lite as ag
from autograd_lite import compile
from autograd_lite.native import lanes, many, workers
from autograd_lite.native.language import function_of
from autograd_lite.native.runtime import SEQUENCES
from autograd_lite.ops.op import TABLE

pytest.importorskip("llvmlite")

from autograd_lite.native.engine import Library  # noqa: E402
from autograd_lite.native.vectors import VectorBody, VectorUnit  # noqa: E402
from autograd_lite.programs.repeats import Repeat  # noqa: E402

N = lanes.width()


def native(f: Any, **options: Any) -> Any:
    return compile(f, target="native", **options)


def repeats(monkeypatch: Any) -> list[Any]:
    """What calls like the last ones give, from now on."""
    found: list[Any] = []
    result = Repeat.result

    def noted(self: Any, *args: Any) -> Any:
        y = result(self, *args)
        if y is not None:
            found.append(y)
        return y
    monkeypatch.setattr(Repeat, "result", noted)
    return found


def within(found: Any, true: Any, units: float) -> bool:
    found, true = np.asarray(found, float), np.asarray(true, float)
    return bool(((found == true) | (abs(found - true) <= units * np.spacing(abs(true)))
                 | np.isnan(found) & np.isnan(true)).all())


def runs(fast: Any) -> list[Any]:
    """The programs that have run in native code at many points."""
    return [program for program in fast.programs if vars(program).get("many") and program.many.cores]


# -- functions of the small language over lanes ---------------------------------------------------------


def nested(x: float, y: float) -> float:
    if x > y:
        if y > 0.0:
            return x - y
        z = x * 2.0
    elif x == y:
        z = 7.0
    else:
        z = y
    return z + 1.0


def loops(x: float, y: float) -> float:
    total = 0.0
    for i in range(12):
        if i == 3:
            continue
        if total > 4.0 * y:
            break
        if total > 40.0:
            return -total
        total += x + i
    n = 0
    while total > 1.0 and n < 50:
        total = total / 2.0
        n += 1
        if n > 5 and x > 1.0:
            total = -1.0
    return total + n * (1.0 if x > 0.5 or y > 0.5 and not x > -1.0 else 2.0)


def lists(x: float, y: float) -> float:
    xs = [x, y, 3.0]
    at = 0
    for i in range(3):
        if xs[i] > xs[at]:
            at = i
    xs[at] = xs[at] * 10.0
    xs[0] += 1.0
    return xs[at] + xs[0] + xs[-1] + float(at) + (-at) * 0.5 + int(y)


def calls(x: float, y: float) -> float:
    a, b = abs(x), nested(x, y)
    return math.sqrt(a) + max(x, y, 0.25) - min(x, y) + b + math.fmod(x, 0.7) + (z := x % 0.3) * z + x // 0.4


@pytest.mark.parametrize("f", [nested, loops, lists, calls])
def test_a_function_over_lanes_is_what_it_is_in_each(f):
    unit = VectorUnit()
    real = f"<{N} x double>"
    name = unit.add(function_of(f), body=VectorBody)
    unit.texts.append(f"""
define void @run(ptr %x, ptr %y, ptr %mask, ptr %out) #0 {{
  %a = load {real}, ptr %x, align 8
  %b = load {real}, ptr %y, align 8
  %m = load {real}, ptr %mask, align 8
  %on = fcmp one {real} %m, zeroinitializer
  %z = call {real} @{name}({real} %a, {real} %b, <{N} x i1> %on)
  store {real} %z, ptr %out, align 8
  ret void
}}""")
    library = Library(unit, 1, vectors=True)
    run = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(library["run"])
    rng = np.random.default_rng(0)
    grid = np.array([-2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 3.0, 9.0])
    for _ in range(200):
        x, y, mask = rng.choice(grid, N), rng.choice(grid, N), rng.integers(0, 2, N).astype(float)
        out = np.zeros(N)
        run(*[a.ctypes.data for a in (x, y, mask, out)])
        for a, b, on, z in zip(x.tolist(), y.tolist(), mask.tolist(), out.tolist()):
            assert not on or z == f(a, b), (a, b)


@pytest.mark.parametrize("kernel", [x for x in SEQUENCES.values() if function_of(x).result == "float"])
def test_functions_of_lists_have_a_form_over_lanes(kernel):
    VectorUnit().add(function_of(kernel), body=VectorBody)


# -- programs ------------------------------------------------------------------------------------------

ORDINARY = {"acosh": (1.1, 5.0), "asin": (-0.9, 0.9), "acos": (-0.9, 0.9), "atanh": (-0.9, 0.9)}


def test_every_op_over_lanes_is_within_four_units_and_exact_point_by_point():
    wanted = [name for name, op in sorted(TABLE.items()) if op.least == op.most == 1 and not op.options]
    rng = np.random.default_rng(0)
    columns = [rng.uniform(*ORDINARY.get(name, (0.1, 3.0)), 50) for name in wanted]
    assert len(wanted) > 30

    def f(xs: Any) -> Any:
        return [TABLE[name](x) for name, x in zip(wanted, xs)]
    true = np.array([[y for y in f(xs)] for xs in np.array(columns).T.tolist()]).T
    exact = native(f, batch=0, rounding="eager")(columns)
    found = native(f, batch=0)(columns)
    for i, name in enumerate(wanted):
        assert np.array_equal(exact[i], true[i]), name
        assert within(found[i], true[i], 4.0), name


@pytest.mark.parametrize("seed", range(6))
def test_random_functions_that_branch(seed):
    f = drawn(random.Random(seed), seed % 2 == 1)
    g = ag.value_and_grad(f, (0, 1)) if seed % 3 else f
    x, y = points(seed, 40)
    true, error, at = one_by_one(g, x, y)
    fast, exact = native(g, batch=(0, 1)), native(g, batch=(0, 1), rounding="eager")
    for _ in range(2):
        if error is None:
            assert close(flat(fast(x, y)), flat_rows(true))
            assert np.array_equal(flat(exact(x, y)), flat_rows(true))
        for way in (fast, exact) if error else ():
            with pytest.raises(type(error), match=f"^at index {at} of the batch: "):
                way(x, y)
    assert runs(fast) and runs(exact)


def two(x: Any, y: Any) -> Any:
    z = ag.sin(x) * y if x > 0.0 else ag.exp(y) - x
    return z * z if z > 0.25 else ag.tanh(z) + y


@pytest.mark.parametrize("rounding", ["vector", "free", "eager"])
def test_any_number_of_points(rounding):
    g = ag.value_and_grad(two, (0, 1))
    x, y = points(3, 40)
    true = flat_rows([g(a, b) for a, b in zip(x.tolist(), y.tolist())])
    fast = native(g, batch=(0, 1), rounding=rounding)
    total = native(g, batch=(0, 1), rounding=rounding, reduce="sum")
    mean = native(g, batch=(0, 1), rounding=rounding, reduce=("mean", None))
    for n in (*range(1, 18), 40):
        found = flat(fast(x[:n], y[:n]))
        assert np.array_equal(found, true[:, :n]) if rounding == "eager" else within(found, true[:, :n], 64.0)
        assert close(flat(total(x[:n], y[:n])), true[:, :n].sum(axis=1))
        value, slopes = mean(x[:n], y[:n])
        assert close(value, true[-1, :n].mean()) and close(slopes, true[:-1, :n])
    assert len(runs(fast)) > 2 and runs(total)


def test_what_is_known_of_a_point_before_it_goes_another_way_is_not_added():
    def f(x: Any) -> Any:
        y = x * x
        return y, y * x if x > 0.5 else -y
    x = np.array([1.0, 0.25, 2.0, -1.0, 0.75, 0.5, 3.0, 0.0, 1.5])
    fast = native(f, batch=0, reduce="sum")
    for _ in range(3):
        assert fast(x) == ((x * x).sum(), np.where(x > 0.5, x ** 3, -x * x).sum())


@pytest.mark.parametrize("rounding", ["vector", "free"])
def test_a_result_that_is_finite_where_another_is_not_is_looked_at_once(rounding):
    """Points where some number is not finite go the eager way, whichever result tells of it."""
    def f(x: Any, y: Any) -> Any:
        z = x * y
        return z, -z, z + y, 1.0 / (2.0 + z)
    x, y = np.array([1.0, 1e200, 2.0, 1e200, 0.0, 1.0, 1.0, 1e308, 5.0]), np.full(9, 1e200)
    y[[0, 2, 7]] = 3.0, -0.0, 1.0
    fine, fast = np.delete(np.arange(9), [1, 3]), native(f, batch=(0, 1), rounding=rounding)
    true = [repr(list(column)) for column in zip(*map(f, x[fine].tolist(), y[fine].tolist()))]
    for _ in range(3):
        assert [repr(column.tolist()) for column in fast(x[fine], y[fine])] == true
        with pytest.raises(ArithmeticError, match="index 1"):
            fast(x, y)


def test_point_by_point_sums_go_from_left_to_right():
    x, y = points(4, 1000)
    y = y * 10.0 ** np.random.default_rng(0).integers(-8, 8, 1000)

    def f(x: Any, y: Any) -> Any:
        return x * y, y
    turn = [0.0, 0.0]
    for a, b in zip(x.tolist(), y.tolist()):
        turn = [turn[0] + a * b, turn[1] + b]
    fast = native(f, batch=(0, 1), rounding="eager", reduce="sum")
    for _ in range(3):
        assert list(fast(x, y)) == turn
    assert fast.programs[0].many.cores.keys() == {None}
    assert list(native(f, batch=(0, 1), reduce="sum")(x, y)) != turn


def test_sums_of_constants_counts_and_flags():
    def f(x: Any) -> Any:
        return (x, 2, x > 0.5, 1.5, x if x > 0.5 else 3)
    x = np.array([0.1, 0.7, 0.9, 0.2])
    for reduce in ("sum", "mean", ("sum", "mean", None, None, "sum")):
        fast, slow = native(f, batch=0, reduce=reduce), compile(f, batch=0, reduce=reduce, target="python")
        for _ in range(3):
            a, b = fast(x), slow(x)
            assert all([close(p, q) and type(p) is type(q) for p, q in zip(a, b)]), (a, b)


def test_one_number_for_all_points_is_not_spread_over_them():
    fast = native(lambda w, x: sum(a * x for a in w), batch="x")
    w, x = np.arange(5.0), np.linspace(0.0, 1.0, 20)
    assert close(fast(w, x), 10.0 * x)
    (pattern,) = fast.programs[0].many.cores
    assert pattern.varies == ((False, 5), (True, 1), (False, 0))
    assert close(fast(w, 2.0 * x), 20.0 * x) and close(fast(w, x[:1]), 10.0 * x[:1])
    assert len(fast.programs[0].many.cores) == 1


def test_gradients_by_captured_values_add_up():
    w = [ag.Value(0.1 * i) for i in range(9)]

    def loss(x: Any, y: Any) -> Any:
        error = ag.dot(w[:3], [x, y, x * y]) + ag.tanh(ag.dot(w[3:], [x] * 6)) - y
        return error * error if error > 0.0 else -error
    x, y = points(5, 50)
    ag.mean([loss(a, b) for a, b in zip(x.tolist(), y.tolist())]).backward()
    true = [v.grad for v in w]
    fast = native(loss, batch=(0, 1), reduce="mean")
    for _ in range(3):
        for v in w:
            v.grad = 0.0
        value = fast.backward(x, y)
        assert close([v.grad for v in w], true)
    assert runs(fast) and close(value, fast(x, y))


def test_entries_chosen_by_an_index_at_each_point():
    rows = np.random.default_rng(0).normal(size=(5, 3))

    def loss(rows: Any, i: Any, x: Any) -> Any:
        a, b, c = ag.take(rows, i)
        return a * x + ag.sin(b) * c

    def plain(rows: Any, i: Any, x: Any) -> Any:
        a, b, c = rows[i]
        return a * x + ag.sin(b) * c
    i, x = np.array([0, 3, 1, -1, 4, 4, 2, 0, 3, 1, 2]), np.linspace(-1.0, 1.0, 11)
    g = ag.value_and_grad(loss, 0)
    fast = native(g, batch=("i", "x"), indices="i", reduce="sum")
    true = [ag.value_and_grad(plain, 0)(rows, int(k), float(t)) for k, t in zip(i, x)]
    for _ in range(2):
        value, slopes = fast(rows, i, x)
        assert close(value, sum(v for v, _ in true)) and close(slopes, sum(d for _, d in true))
    assert runs(fast)
    with pytest.raises(IndexError):
        fast(rows, i + 3, x)


def test_points_that_must_go_the_eager_way_do():
    f = ag.value_and_grad(lambda x, y: x / y + abs(x), (0, 1))
    x, y = np.array([1.0, 3e-300, 5e-310, 1.0] * 5), np.array([2.0, 2e-300, 0.5, 3e-10] * 5)
    true = flat_rows([f(a, b) for a, b in zip(x.tolist(), y.tolist())])
    assert close(flat(native(f, batch=(0, 1))(x, y)), true)
    assert np.array_equal(flat(native(f, batch=(0, 1), rounding="eager")(x, y)), true)
    wild = native(lambda x: 1.0 / (1.0 + ag.exp(x)), batch=0, reduce="sum")
    z = np.linspace(-3.0, 3.0, 30)
    total = wild(z)
    z[[11, 20]] = 800.0, 900.0
    with pytest.raises(ag.RangeError, match=r"^at index 11 of the batch: exp\(800.0\)"):
        wild(z)
    with ag.errstate("ignore"):
        assert 0.0 < wild(z) < total


def test_a_function_of_python_is_called_where_its_number_is_needed(monkeypatch):
    seen = []

    def cubed(x: float) -> float:
        seen.append(x)
        return [x][0] ** 3
    op = ag.Op("cubed", cubed, (lambda y, x: 3.0 * x * x,))
    monkeypatch.setitem(TABLE, "cubed", op)
    fast = native(lambda x: ag.select(ag.greater(x, 0.0), lambda: op(x), lambda: x), batch=0)
    x = np.linspace(-1.0, 1.0, 21)
    fast(x)
    seen.clear()
    assert close(fast(x), np.where(x > 0.0, x ** 3, x)) and runs(fast)
    assert len(seen) == 10 and min(seen) > 0.0


def test_guards_that_are_not_in_the_language_leave_it_to_numpy():
    def f(x: Any) -> Any:
        return x * float(len(f"{x.data if isinstance(x, ag.Value) else x:.0f}"))
    fast = native(f, batch=0)
    x = np.array([1.0, 2.0, 12.0, 120.0])
    for _ in range(2):
        assert fast(x).tolist() == list(map(f, x.tolist())) and not runs(fast)
    assert native(f, batch=0, rounding="eager")(x).tolist() == list(map(f, x.tolist()))


def test_a_number_that_was_baked_is_an_error_and_counts_no_point_twice():
    fast = native(lambda x: x * x, batch=0, reduce="sum")
    assert fast(np.arange(4.0)) == 14.0 and fast(np.arange(5.0)) == 30.0
    counter = unseen(range(100))
    with pytest.raises(ag.InputError, match="would be frozen"):
        native(lambda x: x * float(counter()), batch=0, reduce="sum")(np.arange(1.0, 9.0))


def test_results_of_other_structures_are_refused_whichever_program_was_last():
    fast = native(lambda x: (x, x) if x > 0.0 else [x], batch=0)
    with pytest.raises(ag.InputError, match="another structure on another branch"):
        fast(np.array([1.0, -1.0, 2.0, -3.0]))
    for _ in range(2):
        assert close(fast(np.array([1.0, 2.0])), [[1.0, 2.0], [1.0, 2.0]])
        assert close(fast(np.array([-1.0, -2.0])), [[-1.0, -2.0]])


def test_native_code_is_used_once_it_pays_and_never_with_target_python():
    x, y = points(6, 3000)
    fast, slow = compile(two, batch=(0, 1)), compile(two, batch=(0, 1), target="python")
    for _ in range(2):
        fast(x[:10], y[:10])
    assert not runs(fast)
    for _ in range(3):
        fast(np.tile(x, 300), np.tile(y, 300))
        assert close(fast(x, y), slow(x, y))
    assert runs(fast) and not runs(slow)
    assert fast.stats.target == "native" and slow.stats.target == "python"


def test_the_memory_of_results_is_used_again_once_nobody_holds_it():
    fast = native(lambda x: [x + float(k) for k in range(40)], batch=0)
    x = np.linspace(0.0, 1.0, 5000)
    a = fast(x)
    kept = [column.copy() for column in a]
    one, place = a[7], a[0].ctypes.data
    assert fast(x + 1.0)[0].ctypes.data != place and np.array_equal(a, kept)
    del a
    fast(x + 2.0), fast(x + 3.0)
    assert np.array_equal(one, kept[7])
    place = fast(x)[0].ctypes.data
    assert fast(x)[0].ctypes.data == place
    one = fast(x)[7]
    fast(x + 1.0)
    assert np.array_equal(one, kept[7])


# -- calls like the last one -----------------------------------------------------------------------------


def test_a_call_like_the_last_one_is_that_of_the_new_numbers(monkeypatch):
    v, x, y = ag.Value(2.0), *points(10, 30)
    g = ag.value_and_grad(lambda x, y: ag.sin(x[0] * v) * y + (3.0 * x[1] if v > 0.0 else y), (0, 1))
    fast, found = native(g, batch=(0, 1)), repeats(monkeypatch)
    x = np.array([x, y])

    def rows(result: Any) -> list[Any]:
        return [x.data if type(x) is ag.Value else x for x in (*result[1][0], result[1][1], result[0])]

    def check(x: Any, y: Any, again: bool) -> None:
        known = len(found)
        result = fast(x, y)
        true = np.transpose([rows(g(a, b)) for a, b in zip(x.T, y.tolist())])
        assert close(rows(result), true) and (len(found) > known) is again
    check(x, y, False)
    check(x, y * 0.5, False)
    known, kept = fast(x, y), np.array(rows(fast(x, y)))
    check(1.25 * x, y - 1.0, True)
    assert np.array_equal(rows(known), kept)
    v.data = -3.0
    check(x, y, False)                              # (another way, that of another program)
    check(x, y, False)
    check(x, y, True)
    check(x[:, :7], y[:7], False)
    check(np.array(x[:, :7]), y[:7], False)
    check(np.array(x[:, 1:8]), y[1:8], True)
    v.data = 2.0
    check(np.array(x[:, :7]), y[:7], False)
    for other in (pickle.loads(pickle.dumps(native(ag.grad(two), batch=(0, 1)))), copy.copy(fast)):
        assert not other.batch.repeats


def test_a_call_like_the_last_one_has_its_errors_and_guards(monkeypatch):
    fast, found = native(lambda x: (ag.exp(x) if x < 2.0 else x, 4, 0.5), batch=0), repeats(monkeypatch)
    x = np.linspace(0.0, 1.0, 11)
    for k in range(3):
        a, b, c = fast(x + 0.1 * k)
        assert close(a, np.exp(x + 0.1 * k)) and (b == 4).all() and b.dtype.kind == "i" and (c == 0.5).all()
    assert not found                                # (for there is a whole number)
    fast = native(lambda x: (ag.exp(x * x) if x < 99.0 else x, 0.5), batch=0)
    fast(x), fast(x)
    y = np.where(x < 0.6, x, 100.0)
    assert close(fast(y)[0], np.where(x < 0.6, np.exp(x * x), y))
    fast(x)
    known = len(found)
    a, c = fast(0.5 * x)
    assert close(a, np.exp(0.25 * x * x)) and (c == 0.5).all() and len(found) > known
    with pytest.raises(ag.AutogradError, match="at index 3"):
        fast(np.where(x == x[3], 50.0, x))
    with ag.errstate("ignore"):
        assert np.isinf(fast(np.where(x == x[3], 50.0, x))[0][3])
    assert np.isnan(fast(np.where(x == x[3], np.nan, x))[0][3])


# -- threads ---------------------------------------------------------------------------------------------


def test_several_threads_give_what_one_gives(monkeypatch):
    x, y = points(7, 5000)
    g = ag.value_and_grad(two, (0, 1))
    ways = [native(g, batch=(0, 1), reduce=reduce, rounding=rounding)
            for reduce, rounding in ((None, "vector"), ("sum", "vector"), (None, "eager"))]
    monkeypatch.setattr(many, "_CHUNK", 20_000)
    for fast in ways:
        fast(x, y)
    alone = [flat(fast(x, y)) for fast in ways]
    monkeypatch.setattr(many, "_PAYS", 0)
    started, begin = [], workers.begin

    def counted(work):
        started.append(work)
        if len(started) % 7 == 3:
            raise RuntimeError("can't start new thread")            # (then the others do all)
        return begin(work)
    monkeypatch.setattr(workers, "begin", counted)
    for processors in (1, 2, 5, 3):
        monkeypatch.setattr(many, "processors", lambda: processors)
        for fast, true in zip(ways, alone):
            assert np.array_equal(flat(fast(x, y)), true)
    assert len(started) > 10


def test_a_thread_is_kept_for_what_comes_next():
    lock, seen = threading.Lock(), set()

    def work():
        seen.add(threading.get_ident())
    for _ in range(5):
        workers.begin(work)()
    assert len(seen) == 1 and threading.get_ident() not in seen
    lock.acquire()
    wait = workers.begin(lock.acquire)              # (it is busy: another one is asked)
    workers.begin(work)()
    assert len(seen) == 2
    lock.release()
    wait()


def test_work_that_fails_ends_its_thread_and_is_waited_for(monkeypatch):
    monkeypatch.setattr(workers, "_idle", [])
    said = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: said.append(what.exc_type))
    workers.begin(lambda: 1 / 0)()
    workers.begin(lambda: None)()
    assert said == [ZeroDivisionError] and len(workers._idle) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is none here")
def test_a_forked_process_has_threads_of_its_own():
    workers.begin(lambda: None)()
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")             # (that this process has threads)
        child = os.fork()
    if not child:
        workers.begin(lambda: os.write(write, b"done"))()
        os._exit(0)
    os.close(write)
    with open(read, "rb") as file:
        assert file.read() == b"done"
    os.waitpid(child, 0)


def test_many_threads_may_call_at_once():
    x, y = points(8, 300)
    fast = native(ag.value_and_grad(two, (0, 1)), batch=(0, 1), reduce="sum")
    true, wrong = flat(fast(x, y)), []

    def work() -> None:
        for k in range(20):
            a = flat(fast(x[k:], y[k:]))
            if not close(a, flat(fast(x[k:], y[k:]))) or not k and not close(a, true):
                wrong.append(k)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# -- the processor and its library -----------------------------------------------------------------------


@pytest.mark.skipif(not lanes.symbol("sin", 1), reason="no libmvec")
def test_a_vector_function_that_is_off_is_not_used(monkeypatch):
    def address(name: str) -> int:
        text = lanes.symbol(name, 1)
        return ctypes.cast(getattr(ctypes.CDLL("libmvec.so.1"), text), ctypes.c_void_p).value or 0
    assert lanes.agrees("sin", 1, address("sin")) and lanes.agrees("exp", 1, address("exp"))
    assert not lanes.agrees("sin", 1, address("cos")) and not lanes.agrees("exp", 1, address("exp2"))
    assert not lanes.symbol("cbrt", 1) and not lanes.symbol("fmod", 2)


@pytest.mark.parametrize("features", [{"sse2": True}, {"sse2": True, "avx2": True}, {}])
def test_other_processors(features):
    if any([not lanes.features().get(x) for x in features]):
        pytest.skip("this one lacks it")
    done = subprocess.run([sys.executable, "-c", f"""if True:
        import numpy as np, autograd_lite as ag
        from autograd_lite.native import lanes
        lanes.features = lambda: {features!r}
        def f(x):
            return ag.sin(x) * ag.gelu(x) + ag.softmax([x, 1.0])[0] if x > 0.3 else ag.exp(x) / x
        x = np.linspace(-2.0, 2.1, 23)
        fast = ag.compile(ag.value_and_grad(f), batch=0, target="native")
        true = np.array([ag.value_and_grad(f)(t) for t in x.tolist()]).T
        assert np.allclose(fast(x), true, 1e-13) and np.allclose(fast(x), true, 1e-13)
        print(lanes.width(), bool(lanes.symbol("exp", 1)), len(fast.programs[0].many.cores))
    """], capture_output=True, text=True)
    expected = f"{4 if 'avx2' in features else 2} {bool(features) and bool(lanes.symbol('exp', 1))} 1\n"
    assert done.stdout == expected, done.stderr


# -- bind --------------------------------------------------------------------------------------------------


def test_a_bound_batch_reads_its_arrays_where_they_lie():
    w, (x, y) = np.array([0.5, -0.25]), points(9, 30)

    def f(w: Any, x: Any, y: Any) -> Any:
        return two(w[0] * x, y) * w[1], x
    for options in ({}, {"reduce": "sum"}, {"reduce": ("mean", None)}, {"rounding": "eager"},
                    {"reduce": "sum", "rounding": "eager"}, {"target": "python"}):
        fast = compile(ag.value_and_grad(lambda w, x, y: f(w, x, y)[0]), batch=("x", "y"),
                       **{"target": "native", **options})
        run = fast.bind(w, x, y)
        first = run()
        for _ in range(4):
            w += 0.125
            x *= 0.75
            found, true = run(), fast(w, x, y)
            assert found is first and all([np.array_equal(a, b) for a, b in zip(found, true)]), options
        assert [a.shape for a in found] == [np.shape(a) for a in true]


def test_a_bound_batch_of_one_program_is_native_and_others_are_ordinary_calls():
    v, x = ag.Value(2.0), np.linspace(1.0, 2.0, 9)
    fast = native(lambda x: (x * v if x > 0.0 else -x, 3), batch=0)
    run = fast.bind(x)
    a, b = run()
    assert run.job and close(a, 2.0 * x) and b.tolist() == [3] * 9
    v.data = 5.0
    assert run()[0] is a and close(a, 5.0 * x) and run.job
    x[4] = -1.0
    assert close(run()[0], np.where(x > 0.0, 5.0 * x, -x))
    x[4] = 1e308
    with pytest.raises(ag.AutogradError, match="at index 4"):
        run()
    x[4] = 1.0
    assert close(run()[0], 5.0 * x)
    with pytest.raises(ag.InputError, match="not a contiguous array of floats"):
        fast.bind(x[::2])
