"""Compiled batches at the edges of what they do: one point, no point, odd results, bound arrays."""
from __future__ import annotations

import copy
import io
import math
import os
import pickle
import sys
import threading
from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import InputError, Value, compile
from autograd_lite.graph import node
from autograd_lite.native.engine import available
from autograd_lite.programs import arrays, compiled, results, runs
from autograd_lite.programs.progress import progress
from autograd_lite.programs.recording import Guard
from autograd_lite.programs.repeats import shapes_of

native = pytest.mark.skipif(not available(), reason="without native code")
Both = namedtuple("Both", "first second")


# -- batches ------------------------------------------------------------------------------------------

OPTIONS: list[Any] = [{"target": "python"}, {}, {"rounding": "eager"},
                      {"rounding": "eager", "target": "python"}, *[
    pytest.param({"target": "native", **more}, marks=native) for more in ({}, {"rounding": "eager"})]]


def test_a_batch_of_one_value_is_one():
    w = Value(3.0)
    y = compile(lambda w, x: (w * x, [w]), batch="x")(w, np.array([2.0]))
    assert y[0].shape == (1,) and y[0][0].data == 6.0 and y[1][0][0] is w


@pytest.mark.parametrize("options", OPTIONS)
def test_gradients_of_a_batch_reach_leaves_and_what_is_computed_from_them(options):
    a = Value(2.0)
    computed = a * a
    b = Value(5.0)
    total = compile(lambda x: computed * b * x, batch=0, reduce="sum", **options)
    assert total.backward(np.array([1.0, 2.0])) == 60.0
    assert (computed.grad, b.grad, a.grad) == (15.0, 12.0, 60.0)
    for x in (computed, b, a):
        x.grad = 0.0
    assert total.backward(np.array([4.0, 5.0, 6.0])) == 300.0
    assert (computed.grad, b.grad, a.grad) == (75.0, 60.0, 300.0)
    mean = compile(lambda x: b / ag.exp(x) + 0.0 * ag.exp(x), batch=0, reduce="mean", **options)
    b.grad = 0.0
    with ag.errstate("ignore"):
        for k in range(3):                      # (one point, and no array)
            assert math.isclose(mean.backward(1.0 * k), 5.0 * math.exp(-k)) and b.grad > 0.0
        b.grad = 0.0
        assert mean.backward(0.0) == 5.0 and b.grad == 1.0
        b.grad = 0.0
        mean.backward(-800.0)                   # (by f itself)
    assert b.grad == math.inf


@pytest.mark.parametrize("options", OPTIONS)
def test_an_empty_batch_adds_nothing_to_gradients(options):
    assert compile(lambda p: ag.log(p[0]) * p[1], batch=0, **options)(np.empty((2, 0))).shape == (0,)
    w, table = Value(3.0), [Value(1.0), Value(2.0)]
    assert compile(lambda x: w * x, batch=0, reduce="sum", **options).backward(np.zeros(0)) == 0.0
    chosen = compile(lambda i: ag.take(table, i) * w, batch=0, indices=0, reduce="sum", **options)
    assert chosen.backward(np.zeros(0, int)) == 0.0
    limited = compile(lambda x: w / ag.log(x), batch=0, reduce="sum", **options)
    with ag.errstate("ignore"):
        assert limited.backward(np.zeros(0)) == 0.0
    assert w.grad == 0.0 and [x.grad for x in table] == [0.0, 0.0]


def test_a_tuple_that_is_reduced_keeps_its_class():
    x = np.array([1.0, 3.0])
    fast = compile(lambda x: Both(x, 2.0 * x), batch=0, reduce=("sum", None), target="python")
    assert fast(x)[0] == 4.0 and fast(x)[1].tolist() == [2.0, 6.0]
    assert type(fast(x)) is Both
    assert compile(lambda x: (x, x), batch=0, reduce=("mean", "sum"))(x) == (2.0, 4.0)
    assert type(compile(lambda x: (x, x), batch=0, reduce=("mean", "sum"))(x)) is tuple


def test_points_at_which_a_guard_fails_go_on_to_the_programs_with_their_answer():
    one, two, three = "one", "two", "three"
    guard = Guard("int(#1)", (0,), 0, 1, None)
    program = SimpleNamespace(guards=[guard], groups=[
        {guard._replace(answer=i).key: name for i, name in enumerate((one, two, three), 1)}])
    at, watch = np.array([10, 11, 12, 13, 14]), arrays.Watch(7)
    watch.fates = np.array([-2, 0, 0, 0, -1, 0, 0])
    watch.answered[0] = np.array([9, 1, 2, 5, 9, 2, 3])
    queue: list[Any] = []
    runs.pass_on(queue, program, frozenset({two}), 0, at, watch)
    found = {name: places.tolist() for name, places, _ in queue if name}
    assert found == {one: [10], three: [14]}
    assert sorted([places.tolist() for name, places, _ in queue if not name]) == [[11, 13], [12]]
    queue.clear()
    watch.answered.clear()
    runs.pass_on(queue, program, frozenset({one}), 0, at, watch)
    assert queue == [(two, at, frozenset({one}))]


def test_the_shapes_of_arrays_are_known_where_their_floats_lie_in_order():
    x = np.ones((2, 3))
    assert shapes_of([x, x[0]]) == [(2, 3), (3,)]
    for other in (1.0, [1.0], x.T, x[:, 1], x.astype(int), x.astype(np.float32), np.array(1.0),
                  x.view(np.matrix)):
        assert shapes_of([x, other]) is None


@native
def test_a_call_like_the_last_one_is_kept_ready_where_all_points_take_one_verified_program():
    x, v = np.array([1.0, 2.0]), Value(2.0)
    fast = compile(lambda x, y: (x * v + y, 1.0), batch=(0, 1), target="native")
    for k in range(4):
        assert fast(x + k, x)[0].tolist() == [3.0 * 1.0 + 2.0 * k, 6.0 + 2.0 * k]
    assert "last" in fast.batch.repeats
    for args, kwargs, options in (([x, 1.0], {}, {}), ([x, np.ones(1)], {}, {}), ([x], {"y": x}, {}),
                                  ([x, x], {}, {"reduce": "sum"}), ([x, x], {}, {"target": "python"})):
        other = compile(lambda x, y: x * v + y, batch=(0, 1), **{"target": "native", **options})
        for _ in range(3):
            other(*args, **kwargs)
        assert not other.batch.repeats, (args, kwargs, options)
    of_one = compile(lambda x, y: x * y[0] * y[1], batch=0, target="native")
    for _ in range(3):
        assert of_one(x, x).tolist() == [2.0, 4.0]
    assert not of_one.batch.repeats


@native
def test_a_bound_batch_reads_shared_arrays_and_keeps_flags_counts_and_sums():
    x, p, v = np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0]), Value(2.0)

    def f(x: Any, p: Any, q: Any) -> Any:
        return [x * p[0] + v, p[1] * q], np.array([x, 1.0, x * x]), True, 7
    for options, size in (({}, 3), ({"reduce": ("sum", "mean", None, None)}, None),
                          ({"rounding": "eager"}, 3)):
        results_of = f if not size else lambda x, p, q: f(x, p, q)[0] + [f(x, p, q)[1]] + [True, 7]
        fast = compile(lambda x, p, q, g=results_of: tuple(g(x, p, q)), batch="x", target="native", **options)
        run = fast.bind(x, p, 3.0)
        for k in range(4):
            p += 1.0
            x *= 1.5
            v.data += 1.0
            found, true = run(), fast(x, p, 3.0)
            for a, b in zip(found[0] if not size else found[:2], true[0] if not size else true[:2]):
                assert np.allclose(a, b, rtol=1e-15)
            assert np.allclose(found[-3], true[-3], rtol=1e-15) and found[-3].shape == np.shape(true[-3])
            assert found[-2].dtype == bool and np.all(found[-2]) and np.array_equal(found[-1], true[-1])
        assert run.job


def test_a_bound_function_whose_results_have_other_shapes_now_is_to_be_bound_again():
    sizes = [2]
    x = np.array([1.0, 2.0])
    fast = compile(lambda x: [x] * sizes[0], batch=0, target="python")
    run = fast.bind(x)
    assert len(run()) == 2
    sizes[0] = 3
    with pytest.raises(InputError, match="returned other arrays before: bind it again"):
        run()


@native
def test_a_bound_batch_waits_for_a_second_point_and_one_of_no_points_is_empty():
    x, v = np.array([1.0]), Value(2.0)
    fast = compile(lambda x: x * v, batch=0, target="native")
    run = fast.bind(x)
    assert run().tolist() == [2.0] and not run.job
    x[0] = 3.0
    assert run().tolist() == [6.0] and run.job and run().tolist() == [6.0]
    run = fast.bind(np.zeros(0))
    assert run().shape == (0,) and not run.job


@native
def test_a_bound_batch_adds_up_entries_of_arrays_that_also_hold_constants():
    x = np.array([1.0, 2.0, 4.0])
    fast = compile(lambda x: (np.array([1.0, x, 5.0, x * x]), 2.0 * x, 3.0 * x), batch=0, reduce="sum",
                   target="native")
    run = fast.bind(x)
    for _ in range(3):
        x += 1.0
        found, true = run(), fast(x)
        assert all([np.array_equal(a, b) for a, b in zip(found, true)]) and run.job


@native
def test_a_call_like_the_last_one_sees_what_has_changed():
    held, x = [2.0], np.array([1.0, 3.0])
    fast = compile(lambda a, b: a * b * held[0], batch=(-1, -2), target="native")
    for k in (1.0, 2.0, 3.0):
        assert fast(x, x * k).tolist() == [2.0 * k, 18.0 * k]
    assert "last" in fast.batch.repeats
    held[0] = 5.0
    assert fast(x, x).tolist() == [5.0, 45.0]


@pytest.mark.parametrize("options", [{}, {"reduce": "sum"}])
def test_whole_results_that_no_int64_holds_are_floats(options):
    ints = -2 ** 63, 2 ** 63 - 1, 2 ** 63, -2 ** 63 - 1
    found = compile(lambda x: (x, *ints), batch=0, target="python", **options)(np.array([1.0]))
    if options:
        assert [float(y) for y in found] == [1.0, *map(float, ints)]
    else:
        assert [y.dtype.kind for y in found] == ["f", "i", "i", "f", "f"]
        assert [float(y[0]) for y in found] == [1.0, *map(float, ints)]


@pytest.mark.parametrize("options", OPTIONS)
def test_a_copy_takes_many_points_at_once_and_tells_what_it_runs_in_before(options):
    v, x = Value(3.0), np.array([1.0, 2.0, 4.0])
    fast = compile(lambda x: x * v, batch=0, **options)
    fast(x), fast(x + 1.0)
    for again in (copy.copy(fast), pickle.loads(pickle.dumps(fast))):
        assert again.stats.target in ("python", "native") and again.stats.programs in (0, 1)
        assert again(x).tolist() == [3.0, 6.0, 12.0]
    one = compile(lambda x: x * v, target=options.get("target"))
    one(2.0), one(3.0)
    target = "native" if one.target == "native" else "python"
    assert copy.copy(one).stats.target == one.stats.target == target


@pytest.mark.parametrize("options", OPTIONS)
def test_a_number_out_of_the_domain_is_the_error_of_its_point(options):
    fast = compile(lambda x: ag.sqrt(x) * x, batch=0, **options)
    for x in ([1.0, 4.0], [4.0, 9.0]):
        assert fast(np.array(x)).tolist() == [y * math.sqrt(y) for y in x]
    with pytest.raises(ag.DomainError, match=r"^at index 1 of the batch: sqrt\(-4.0\)"):
        fast(np.array([1.0, -4.0, 2.0]))


@pytest.mark.parametrize("options", OPTIONS)
def test_few_points_are_computed_alone(options, monkeypatch):
    own, alone = compiled.Compiled.run, []
    monkeypatch.setattr(compiled.Compiled, "run", lambda self, *args: alone.append(args) or own(self, *args))
    fast = compile(lambda x: x * x if x > 50.0 else -x, batch=0, **options)
    x = np.arange(100.0)
    assert fast(x).tolist() == np.where(x > 50.0, x * x, -x).tolist() and len(alone) <= 4
    alone.clear()
    assert fast(x + 0.5).tolist()[:2] == [-0.5, -1.5] and not alone


def test_a_change_of_what_has_gradients_is_looked_at_once():
    v, other = Value(2.0), Value(1.0)
    fast = compile(lambda x: x * v)
    fast(1.0), fast(3.0)
    root, = fast.recent.values()
    other.requires_grad = False
    assert root.turned != node.turned and fast(1.0) == 2.0 and root.turned == node.turned


def test_a_variable_has_not_the_name_of_an_op_of_ours():
    fast = compile(lambda softplus, rate: softplus * rate)
    fast(2.0, 3.0)
    assert "def f(v0, rate, captured):" in fast.source()


def test_no_line_is_shown_on_a_terminal_that_is_closed_and_its_thread_lets_python_end(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    assert compile(lambda x: x * 2.0)(3.0) == 6.0

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True
    monkeypatch.setattr(sys, "stderr", Terminal())
    before = set(threading.enumerate())
    with progress("f", []):
        own = [thread for thread in threading.enumerate() if thread not in before]
        assert [thread.daemon for thread in own] == [True]
    assert not own[0].is_alive()


def test_a_copy_of_what_reads_a_thing_of_this_process_alone_has_no_programs_and_works():
    with open(os.devnull) as file:
        fast = compile(lambda x: x * (2.0 if file else 1.0))
        assert fast(3.0) == 6.0
        again = copy.copy(fast)
        assert again(3.0) == 6.0 and again(4.0) == 8.0


def test_a_block_of_memory_is_used_again_only_once_nobody_holds_it():
    shape = (2, 1 << 17)
    results._spare.clear()
    part = results.new_block(shape)[0]
    second = results.new_block(shape)
    assert second.base is not part.base
    at = second.base.__array_interface__["data"]
    del part, second
    assert results.new_block(shape).base.__array_interface__["data"] == at
    assert results.new_block((2, 3)).shape == (2, 3)
    for doubles, kept in ((1 << 17, True), ((1 << 17) - 1, False), (1 << 23, False), ((1 << 23) - 1, True)):
        results._spare.clear()
        results.new_block((1, doubles))
        assert bool(results._spare) is kept
    results._spare.clear()
