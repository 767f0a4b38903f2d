"""Programs at their borders: from which size on, how often, in whose thread, what is equal."""
from __future__ import annotations

import dataclasses
import inspect
import math
import pickle
import random
import threading

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import DomainError, InputError, Value, compile, take
from autograd_lite.graph.conventions import moved
from autograd_lite.native.engine import available
from autograd_lite.programs import stats
from autograd_lite.programs.names import module_names


@pytest.mark.parametrize("n", range(46, 53))
def test_a_first_call_with_more_than_fifty_instructions_gives_what_the_function_itself_gives(n):
    calls = []

    def f(x):
        calls.append(type(x))
        for k in range(n):
            x = x * x if k % 2 else x + x
        return x
    fast = compile(f)
    fast(0.5 ** 30)
    size = len(fast.used().recording.code)
    assert size == n + 1 and len(calls) == (2 if size > 50 else 1)
    assert fast.stats.nodes == size


def test_what_other_threads_may_have_drawn_is_tried_three_times():
    calls, done = [], threading.Event()

    def f(x):
        calls.append(x)
        return x * random.random()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        with pytest.raises(InputError, match="draws random numbers"):
            compile(f)(2.0)
    finally:
        done.set()
        other.join()
    assert len(calls) == 3


def test_another_thread_reads_numbers_as_they_are_while_one_traces():
    w, seen = Value(3.0, "w"), []
    (2.0 * w).backward()

    def f(x):
        other = threading.Thread(target=lambda: seen.append((w.data, w.grad, repr(w), w > 2.0)))
        other.start()
        other.join()
        return w * x
    assert compile(f)(2.0) == 6.0
    assert set(seen) == {(3.0, 2.0, repr(w), True)} and "3.0" in repr(w)


def test_an_argument_that_only_chooses_is_tried_at_the_first_row():
    rows = [2.5]
    fast = compile(lambda i, x: x * take(rows, i), target=np, indices="i")
    assert fast(np.array([0, 0]), np.array([1.0, 2.0])).tolist() == [2.5, 5.0]


def test_the_signature_of_backward_is_that_of_pytorch():
    assert [(name, p.default) for name, p in inspect.signature(Value.backward).parameters.items()][1:] == [
        ("seed", 1.0), ("retain_graph", True), ("create_graph", False), ("inputs", None), ("gradient", None)]


def test_stats_are_equal_by_what_they_say_and_stay_as_they_are():
    fast = compile(ag.sin)
    fast(0.5)
    one = fast.stats
    again, loaded = fast.stats, pickle.loads(pickle.dumps(one))
    assert one == again == loaded and one.ways is not again.ways and loaded.ways is None
    assert one != dataclasses.replace(one, nodes=one.nodes + 1)
    assert loaded.break_even == one.break_even
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.nodes = 3
    assert math.isnan(stats.Stats(1, 1, 0, "python", 0.0, 0.0).break_even)


@pytest.mark.parametrize("a, b, tolerance, answer", [
    (1.0, 1.5, 0.1, True), (1.0, 1.5, 0.5, False), (1.0, 1.5, 0.49, True), (1.0, -1.0, 0.5, True),
    (0.0, -0.0, 0.0, False), (2.0, 2.0, 0.0, False), (math.inf, math.inf, 0.0, False),
    (math.inf, -math.inf, 1.0, True), (math.nan, math.nan, 0.0, False), (math.nan, 1.0, 9.0, True),
    (1.0, math.nan, 9.0, True), (-3.0, -4.0, 1.0, False), (-3.0, -4.5, 1.0, True)])
def test_a_number_has_moved_if_it_differs_by_more_than_the_tolerance(a, b, tolerance, answer):
    assert moved(a, b, tolerance) is answer


@pytest.mark.parametrize("share, known", [(1e-7, False), (1e-8, False), (1e-10, True), (0.0, True)])
def test_a_second_derivative_counts_as_moved_by_a_part_of_a_billionth_of_its_terms(share, known):
    slope = ag.grad(ag.grad(lambda x: x * x + share * abs(x) * abs(x)))
    if known:
        assert slope(0.0) == pytest.approx(2.0)
    else:
        with pytest.raises(DomainError, match="a derivative of order 2 or more depends on the slope"):
            slope(0.0)


@pytest.mark.parametrize("wanted, package, names", [
    (("os", 0), "", ["os"]), (("a.b.c", 0), "p", ["a", "a.b", "a.b.c"]), (("c", 1), "a.b", ["a", "a.b", "a.b.c"]),
    (("", 1), "a", ["a"]), (("c", 3), "a.b", []), (("c", 1), "", [])])
def test_the_modules_that_a_statement_imports_are_found_the_outermost_first(wanted, package, names):
    assert module_names(wanted, package) == names


@pytest.mark.skipif(not available(), reason="without native code")
def test_what_is_compiled_for_python_stays_so_at_many_points():
    def f(x):
        for _ in range(30):
            x = 0.5 * x + 0.25
        return x
    xs = np.linspace(0.0, 1.0, 100_000)
    slow, fast = compile(f, batch=0, target="python"), compile(f, batch=0)
    for _ in range(5):
        assert np.array_equal(slow(xs), fast(xs))
    assert (slow.stats.target, fast.stats.target) == ("python", "native")
