"""What compiled functions cost: what is counted, kept, read, and done in pieces."""
from __future__ import annotations

import copy
import functools
import gc
import importlib.util
import inspect
import itertools
import math
import pickle
import sys
import time

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value, compile
from autograd_lite.native.engine import available
from autograd_lite.programs import arrays, compiled, lookups, stats
from autograd_lite.programs.iteration import Rows
from autograd_lite.programs.namespaces import Functions, functions

native = pytest.mark.skipif(not available(), reason="without native code")


@native
def test_a_call_is_made_shorter_once_it_is_native_and_only_if_it_has_floats_alone(monkeypatch):
    asked = []
    monkeypatch.setattr(compiled, "shorter", lambda *given: asked.append(given))
    plain = compile(lambda a, b: a * b, target="native")
    for k in range(5):
        assert plain(k + 2.0, 3.0) == 3.0 * k + 6.0
    assert len(asked) == 1
    slow = compile(lambda a, b: a * b, target="python")
    assert [slow(k + 2.0, 3.0) for k in range(5)] == [6.0, 9.0, 12.0, 15.0, 18.0] and len(asked) == 1
    for fast, args, kwargs in ((compile(lambda a, b: a * b, target="native"), [2.0], {"b": 3.0}),
                               (compile(lambda a, b: a * b, static=1, target="native"), [2.0, 3.0], {}),
                               (compile(lambda a, b: a * b, batch=0, target="native"), [2.0, 3.0], {})):
        for k in range(5):
            assert fast(args[0] + k, *args[1:], **kwargs) == 3.0 * k + 6.0
    assert len(asked) == 1


@pytest.mark.parametrize("change", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_has_not_spent_the_time_of_its_original(change):
    fast = compile(ag.sin)
    fast(0.5)
    assert fast.stats.tracing > 0.0
    again = change(fast)
    assert again.stats.tracing == 0.0 and again(0.5) == math.sin(0.5) and again.stats.tracing == 0.0


def test_what_a_call_saves_is_measured_with_the_gradients_that_it_passes_on(monkeypatch):
    passed = []
    monkeypatch.setattr(stats, "pass_on", lambda xs, gradients, leaves: passed.append(leaves and len(xs)))
    w, b = Value(2.0), Value(1.0)
    fast = compile(lambda x: w * x + b)
    fast(3.0)
    assert fast.stats.break_even > 0.0 and passed == []
    fast.backward(3.0)
    assert fast.stats.break_even > 0.0 and 1 <= len(passed) <= 5 and set(passed) == {2}


def test_the_least_of_a_few_measurements_is_taken_and_sizes_have_units():
    seconds = itertools.count(5.0, -1.0)
    assert stats._least(lambda: next(seconds)) == 1.0
    assert [stats._time(x) for x in (2.0, 1.0, 0.9994, 0.001, 0.0009, 2.5e-6)] == [
        "2 s", "1 s", "999 ms", "1 ms", "900 µs", "2.5 µs"]
    assert [stats._count(n, "call") for n in (0, 1, 2, 12345)] == ["0 calls", "1 call", "2 calls",
                                                                   "12,345 calls"]


@pytest.mark.parametrize("target", ["python", pytest.param("native", marks=native)])
def test_the_steps_of_an_iteration_and_their_native_code_are_counted(target):
    fast = compile(lambda x: x * 0.5 + 1.0 if x > 0.5 else x + 1.0, target=target)
    fast(1.0), fast(2.0)
    fast.iterate(4.0, 1)
    program = fast.used()
    before = program.seconds
    assert fast.iterate(4.0, 9) == functools.reduce(lambda x, _: x * 0.5 + 1.0, range(9), 4.0)
    assert program.steps == 10 and program.loops.keys() == {"python",
                                                            *(["native"] if target == "native" else [])}
    fast = compile(lambda x: x * 0.5, target=target)
    fast(1.0)
    assert fast.iterate(2.0, 5) == 0.0625 and fast.used().steps == 4        # (the first is a call)
    fast = compile(lambda x: x * 0.5, target=target)
    fast(1.0), fast(2.0)
    program = fast.used()
    before = program.seconds
    fast.iterate(1.0, 5)
    assert (program.seconds > before) is (target == "native")


@pytest.mark.parametrize("target", ["python", None, pytest.param("native", marks=native)])
def test_an_iteration_goes_on_in_its_programs_and_calls_no_more_than_it_must(target, monkeypatch):
    fast = compile(lambda x: x * 0.5 if x > 1.0 else x * 5.0, target=target)
    for x in (2.0, 0.5, 3.0, 0.75):
        fast(x)
    calls = []
    monkeypatch.setattr(compiled.Compiled, "once",
                        lambda self, args, kwargs: calls.append(args) or self.f(*args))
    state = 3.0
    for n in (1, 2, 3, 50):
        true = functools.reduce(lambda x, _: x * 0.5 if x > 1.0 else x * 5.0, range(n), state)
        assert fast.iterate(state, n) == true and len(calls) <= 3, calls
        last = functools.reduce(lambda x, _: x * 0.5 if x > 1.0 else x * 5.0, range(n - 1), state)
        assert ("0.5" in fast.source()) is (last > 1.0)
        calls.clear()
    states = fast.iterate(3.0, 7, history=3)[1]
    assert states == [fast.iterate(3.0, 3), fast.iterate(3.0, 6)]


@pytest.mark.parametrize("n", [49, 50])
def test_a_hessian_of_fifty_numbers_is_that_of_the_function_itself_at_first(n):
    fast = compile(ag.hessian(lambda xs: xs[0] * xs[1] * xs[-1]))
    xs = [float(k) for k in range(n)]
    assert fast(xs)[0][1] == n - 1.0 and (fast.latest is None) is (n == 50)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_trace_leaves_the_collector_as_it_was(enabled):
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        assert compile(lambda x: x * 2.0)(1.0) == 2.0 and gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


def test_nobody_collects_while_a_first_gradient_is_recorded_and_computed():
    w, looked = Value(2.0), []

    def f():
        looked.append(gc.isenabled())
        y = w
        for _ in range(10_000):
            y = y * 0.999 + 0.001
        return y
    assert gc.isenabled() and math.isclose(compile(f).backward(), f().data)
    assert looked == [False, False, True] and gc.isenabled()        # (traced, computed; f itself)


def test_a_side_that_fails_where_it_is_not_taken_is_no_number_there():
    fast = compile(lambda x, y: ag.select(
        ag.greater(x, 0.0), lambda: x * y, lambda: x * math.sqrt(-1.0)))
    assert (fast(2.0, 3.0), fast(3.0, 4.0), fast.stats.programs, fast.stats.guards) == (6.0, 12.0, 1, 1)
    with pytest.raises(ValueError):
        fast(-2.0, 3.0)


def test_caches_of_what_users_write_are_bounded():
    found = {f"{name}.{key}": f for name, module in list(sys.modules.items())
             if name.startswith("autograd_lite.programs") for key, f in vars(module).items()
             if hasattr(f, "cache_info") and f.__module__ == name}
    assert len(found) > 10
    for name, f in found.items():
        most = f.cache_info().maxsize
        assert most in (128, 1024, 4096) or most is None and not inspect.signature(f).parameters, name


def test_long_programs_are_in_pieces_let_go_of_arrays_and_answer_by_the_function_at_first():
    def source(n: int) -> str:
        fast = compile(lambda x: [ag.sin(x) * ag.sin(x), *[x + float(k) for k in range(2, n)]])
        fast(0.5)
        program = fast.used()
        return arrays.function(program.recording, program.captured, functions(np), True)[1]
    assert [len(source(n).splitlines()) - 1 for n in (26, 27)] == [29, 30]
    assert ["; del " in source(n) for n in (25, 26, 27)] == [False, False, True]
    sizes = []
    for n in (1383, 1384):
        fast = compile(lambda x, n=n: [x + float(k) for k in range(n)], static="n")
        assert fast(0.5)[-1] == n - 0.5
        sizes.append((len(fast.source().splitlines()), "def f_0(m)" in fast.source()))
    assert sizes[0] == (1501, False) and sizes[1][1]
    large = [compile(lambda x, n=n: functools.reduce(lambda y, k: y * (1.0 + k), range(1, n),
                                                     x)) for n in (25, 26)]
    for fast in large:
        fast(1.5)
    assert [len(fast.used().recording.code) for fast in large] == [49, 51]
    even = compile(lambda x: -functools.reduce(lambda y, k: y * (1.0 + k), range(1, 25), x))
    even(1.5)
    assert len(even.used().recording.code) == 50
    assert [fast.used().large for fast in (*large, even)] == [False, True, False]


def test_entries_of_several_kinds_are_read_a_thousand_at_a_time():
    entries = [1.0] * 2 + [2] * 1500 + [[1.0, 2.0]]
    rows = Rows(entries, len(entries))
    assert rows.run(0, 1)[1] == 2 and rows.run(2, 1)[1] == 1002 and rows.run(1002, 1)[1] == 1502
    (numbers, at), end = rows.run(1502, 2)
    assert (numbers.tolist(), at, end) == ([1.0, 2.0], 0, 1503)
    (numbers, at), end = Rows([1.0, 2.0, 3.0], 2).run(1, 1)
    assert (numbers.tolist(), at, end) == ([1.0, 2.0], 1, 2)


def test_of_a_long_list_only_the_numbers_that_are_taken_are_read(monkeypatch):
    read, own = [], lookups.read_numbers
    monkeypatch.setattr(lookups, "read_numbers", lambda xs: read.append(len(xs)) or own(xs))
    values = [Value(float(i)) for i in range(9)]
    found = Functions(np)
    for index, most in (([1.0, -1.0], 2), ([3.0, 1.0, -9.0], 9)):
        given = np.array(index)
        assert lookups.looked(found, True, values, given).tolist() == [values[int(i)].data for i in index]
        assert read.pop() == most
    assert lookups.looked(found, True, values[:8], np.array([1.0, 2.0])).tolist() == [1.0, 2.0]
    assert read.pop() == 8
    assert lookups.looked(found, True, values, 3) == 3.0 and lookups.looked(found, True, values, -1.0) == 8.0
    outside = lookups.looked(found, False, values, np.array([9.0, -9.0, -10.0, 8.0])).tolist()
    assert str(outside) == "[nan, 0.0, nan, 8.0]"
    assert [str(x) for x in lookups.added(3, np.array([1.0, -1.0]), 5.0, -1.0, 2.0)[1]] == ["2", "2.0"]
    assert str(lookups.scatter(found, True, 2.0, -1.0, -5.0)) == "[0.0, -5.0]"
    for index, i in (([0.0, 2.0, 5.0], 1), ([0.0, 1.0, -3.0], 2), ([-2.0, -3.0], 1), ([1.0, 7.0], 1)):
        with pytest.raises(IndexError, match=f"at index {i} of the batch: "):
            lookups.chosen(np.array(index), 2.0, True)
    assert lookups.chosen(np.array([7.0]), 2.0, False).tolist() == [7.0]


@pytest.mark.parametrize(("table", "large"), [
    (lambda: [Value(1.0)] * 1000, True), (lambda: [Value(1.0)] * 999, False),
    (lambda: [[Value(1.0)] * 4] * 250, True), (lambda: [[Value(1.0)] * 3] * 333, False),
    (lambda: [[Value(1.0)] * 999, [1.0] * 999], False), (lambda: ([Value(1.0)] * 500, [Value(2.0)] * 500),
                                                         True)])
def test_of_a_large_table_only_the_rows_that_are_taken_are_looked_at(table, large):
    rows = table()
    first = rows[0]
    fast = compile(lambda x, i: ag.take(rows, i) * x if isinstance(first, Value) else ag.take(rows, i)[1] * x,
                   indices="i", target="python")
    for i in (0, 1, -1):
        assert fast(3.0, i) == 3.0 * (rows[i] if isinstance(first, Value) else rows[i][1])
    assert bool(fast.used().rows) is large
    if large and isinstance(first, Value):
        rows[5] = Value(7.0)
        assert (fast(3.0, 5), fast(3.0, 4)) == (21.0, 3.0)


@pytest.mark.parametrize("target", ["python", pytest.param("native", marks=pytest.mark.skipif(
    not importlib.util.find_spec("llvmlite"), reason="without llvmlite"))])
def test_the_seconds_of_tracing_and_compiling_are_those_that_passed(target):
    fast, start = compile(lambda x: ag.sin(x) * x, target=target), time.perf_counter()
    assert [fast(x) for x in (1.0, 2.0)] == [x * math.sin(x) for x in (1.0, 2.0)]
    passed = time.perf_counter() - start
    assert 0.0 < fast.stats.tracing < passed and 0.0 < fast.stats.compiling < passed
