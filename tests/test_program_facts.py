"""Programs at their borders: from which size on, how often, in whose thread, what is equal."""
from __future__ import annotations

import copy
import dataclasses
import inspect
import io
import itertools
import math
import pickle
import random
import sys
import threading
import time

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import DomainError, GradientError, InputError, LabelError, Value, compile, take
from autograd_lite.graph.changes import change
from autograd_lite.graph.conventions import moved
from autograd_lite.graph.labels import find
from autograd_lite.native import choice
from autograd_lite.native.engine import available
from autograd_lite.native.language import Untranslatable
from autograd_lite.native.many import Many
from autograd_lite.ops.methods import Methods
from autograd_lite.ops.elementwise import NUMPY_NAMES
from autograd_lite.ops.op import TABLE
from autograd_lite.programs import progress, runs, stats
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.names import module_names
from autograd_lite.programs.pickling import print_of, why_not
from autograd_lite.programs.targets import _made_up

native = pytest.mark.skipif(not available(), reason="without native code")


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


def test_what_no_other_thread_can_have_drawn_is_tried_once():
    calls = []

    def f(x):
        calls.append(x)
        return x * random.random()
    alone = threading.active_count() == 1
    with pytest.raises(InputError, match="draws random numbers"):
        compile(f)(2.0)
    assert len(calls) == (1 if alone else 3)


def test_another_thread_reads_numbers_as_they_are_while_one_traces():
    w, seen, constant = Value(3.0, "w"), [], Value(1.5, requires_grad=False)
    (2.0 * w).backward()

    def f(x):
        other = threading.Thread(target=lambda: seen.append(
            (w.data, w.grad, repr(w), w > 2.0, constant.data, constant.grad)))
        other.start()
        other.join()
        return w * x
    assert compile(f)(2.0) == 6.0
    assert set(seen) == {(3.0, 2.0, repr(w), True, 1.5, 0.0)} and "3.0" in repr(w)


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
    (("os", 0), "", ["os"]), (("a.b.c", 0), "p", ["a", "a.b", "a.b.c"]), (("", 1), "a", ["a"]),
    (("c", 1), "a.b", ["a", "a.b", "a.b.c"]), (("c", 3), "a.b", []), (("c", 1), "", [])])
def test_the_modules_that_a_statement_imports_are_found_the_outermost_first(wanted, package, names):
    assert module_names(wanted, package) == names


@native
def test_what_is_compiled_for_python_stays_so_at_many_points():
    def f(x):
        for _ in range(30):
            x = 0.5 * x + 0.25
        return x
    xs = np.linspace(0.0, 1.0, 100_000)
    slow, fast = compile(f, batch=0, target="python"), compile(f, batch=0)
    assert fast(xs[:10]).shape == (10,) and fast.stats.target == "python"
    for _ in range(5):
        assert np.array_equal(slow(xs), fast(xs))
    assert (slow.stats.target, fast.stats.target) == ("python", "native")


def branching(a, b, c, d):
    y = 0.0
    for k, x in enumerate((a, b, c, d)):
        y = y * 3.0 + (x if x > 0.0 else -2.0 * x) * (k + 1.0)
    return y


@pytest.mark.parametrize("seed", range(3))
def test_each_way_through_four_branches_is_traced_once_whatever_the_order(seed):
    points = list(itertools.product((1.0, -1.5), repeat=4))
    random.Random(seed).shuffle(points)
    fast = compile(branching)
    for count, point in enumerate(points, 1):
        assert fast(*point) == branching(*point) and fast.stats.programs == count
    for point in points[::-1]:
        assert fast(*point) == branching(*point)
    assert fast.stats.programs == 16


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
def test_a_copy_takes_for_its_last_program_the_one_that_was_used_last(again):
    fast = compile(branching)
    for point in ((1.0, 1.0, 1.0, 1.0), (1.0, -1.0, 1.0, 1.0), (-1.0, 1.0, 1.0, 1.0), (1.0, -1.0, 1.0, 1.0)):
        fast(*point)
    other = again(fast)
    assert other.source() == fast.source() and other.stats.programs == 3


@pytest.mark.parametrize("change_it", [io.StringIO.close, lambda screen: None], ids=["closed", "open"])
def test_nothing_is_shown_on_a_standard_error_that_is_closed_or_no_terminal(change_it, monkeypatch):
    screen = io.StringIO()
    change_it(screen)
    errors = []
    monkeypatch.setattr(threading, "excepthook", errors.append)
    monkeypatch.setattr(progress, "AFTER", 0.0)

    def f(x):
        time.sleep(0.005)                       # (a line would be shown meanwhile)
        return x * x
    for it in (screen, None):
        monkeypatch.setattr(sys, "stderr", it)
        fast = compile(f)
        assert fast(3.0) == 9.0 and fast.stats.programs == 1 and errors == []


def test_sets_have_the_same_print_in_whatever_order_they_are_iterated():
    def seen(thing):
        return print_of(Environment(lambda x: x * len(thing)))
    one, other = {0, 8}, {8, 0}
    assert list(one) != list(other)
    assert seen(one) == seen(other) and seen(frozenset(one)) == seen(frozenset(other))
    prints = [seen(x) for x in (one, frozenset(one), {0, 16}, (0, 8), (8, 0), [0, 8], [8, 0])]
    assert len(set(prints)) == len(prints) and None not in prints


@pytest.mark.parametrize("length, kept", [(10, 10), (199, 199), (200, 200), (201, 200), (900, 200)])
def test_of_what_keeps_a_thing_from_pickling_two_hundred_characters_are_told(length, kept):
    class Stubborn:
        def __reduce__(self):
            raise TypeError("x" * length)
    assert why_not(Stubborn()) == "x" * kept


@pytest.mark.parametrize("shape, dtype", [((0,), float), ((0,), int), ((2, 0), float), ((2, 3, 0), float)])
def test_an_empty_batch_is_traced_at_ones(shape, dtype):
    met = []

    def f(x):
        met.append(np.shape(x))
        total = x if np.ndim(x) == 0 else sum(x.ravel().tolist())
        return ag.log(total - (math.prod(shape[:-1]) - 0.5)) + ag.log(math.prod(shape[:-1]) + 0.5 - total)
    found = compile(f, batch=0)(np.empty(shape, dtype))
    assert found.shape == (0,) and found.dtype == float and set(met) == {shape[:-1]}


def test_a_change_that_never_fits_is_tried_a_hundred_times():
    count, made = itertools.count(), []
    with pytest.raises(GradientError, match="the thing changes whenever its next state is worked out"):
        change("the thing", lambda: [(next(count),)], lambda: made.append(1) or [()])
    assert len(made) == 100


def test_a_tie_with_zero_is_the_same_whatever_its_sign():
    maximum = ag.maximum
    assert ag.grad(ag.grad(lambda x: (maximum(x, 0.0) - maximum(x, -0.0)) ** 2 + x * x))(0.0) == 2.0
    with pytest.raises(DomainError):
        ag.grad(ag.grad(lambda x: maximum(x, 0.0) ** 2))(0.0)


def test_a_method_says_of_itself_what_its_op_says_first():
    found = {name: TABLE.get(NUMPY_NAMES.get(name, name)) for name in vars(Methods)}
    assert {"exp", "arctan", "sqrt"} <= {name for name, op in found.items() if op}
    for name, op in found.items():
        if op:
            assert getattr(Value, name).__doc__ == op.__doc__.splitlines()[0] != ""


def test_the_seconds_of_tracing_and_of_compiling_add_up_apart(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", map(float, itertools.count()).__next__)
    fast = compile(lambda x: ag.sin(x) if x > 0.0 else ag.cos(x), target="python")
    fast(1.0)
    assert (fast.stats.tracing, fast.stats.compiling) == (1.0, 1.0)
    fast(-1.0)
    assert (fast.stats.tracing, fast.stats.compiling) == (2.0, 2.0)


@native
@pytest.mark.parametrize("patience", [1, 2, 5])
def test_a_program_becomes_native_with_the_call_at_which_patience_ends(patience, monkeypatch):
    monkeypatch.setattr(choice, "patience", lambda recording: patience)
    fast, ways = compile(lambda x: x * ag.sin(x)), []
    for k in range(7):
        assert fast(k + 0.5) == (k + 0.5) * math.sin(k + 0.5)
        ways.append(fast.stats.target)
    assert ways == ["python"] * (patience - 1) + ["native"] * (8 - patience)


@native
def test_what_cannot_be_native_is_not_tried_again(monkeypatch):
    tried = []
    monkeypatch.setattr(choice, "patience", lambda recording: 3)
    monkeypatch.setattr(choice, "core", lambda recording: tried.append(1) or 0)
    fast, done = compile(lambda x: x * x + 1.0), []
    for k in range(6):
        assert fast(float(k)) == k * k + 1.0
        done.append((len(tried), fast.used().run is fast.used().python[0]))
    assert done == [(0, False), (0, False), *[(1, True)] * 4] and fast.stats.target == "python"


def test_made_up_numbers_lie_between_a_quarter_and_three_quarters_all_different():
    xs = list(itertools.islice(_made_up(), 1000))
    assert 0.25 <= min(xs) < 0.251 and 0.749 < max(xs) < 0.75 and len(set(xs)) == 1000
    assert xs[0] == pytest.approx(0.25 + 0.5 * 0.6180339887498949)


BORDERS = [sign * (2 ** 53 + k) for sign in (1, -1) for k in range(-2, 3)]


@pytest.mark.parametrize("n", [*BORDERS, 2 ** 60 + 1])
def test_whole_numbers_near_the_end_of_what_doubles_hold_stay_exact(n):
    def f(n, x):
        return x * float(n % 7) + float((n - 5) // 3 % 1000)
    fast = compile(f)
    for given in (3, n, n, -n, n - 1):
        assert fast(given, 2.0) == f(given, 2.0)


def test_three_names_that_are_near_are_named():
    nodes = [Value(1.0, f"weight_{k}") for k in range(5)]
    with pytest.raises(LabelError) as raised:
        find(nodes, "weight_9")
    assert str(raised.value).count("'weight_") == 1 + 3


@native
@pytest.mark.parametrize("reduce", ["sum", "mean"])
@pytest.mark.parametrize("rounding", ["eager", "vector"])
def test_each_run_of_a_bound_batch_adds_up_its_own_points_alone(reduce, rounding):
    xs, w = np.linspace(0.1, 2.0, 50), Value(0.5)
    fast = compile(lambda x: ag.sin(x) / 3.0 * w, batch=0, reduce=reduce, rounding=rounding, target="native")
    run = fast.bind(xs)
    for scale in (1.0, 1.0, 0.5, 3.0):
        xs *= scale
        w.data *= 1.0 + scale
        assert float(run()) == fast(xs)


def test_an_error_that_a_function_catches_from_its_own_op_is_the_one_that_it_catches_eagerly():
    text = ag.custom_op(lambda x: "text" if x > 2.0 else x, (lambda y, x: 1.0,), name="facts_text")
    del TABLE["facts_text"]

    def f(x):
        try:
            return text(x) * 3.0
        except InputError:
            return x * 2.0
    for x, y in ((1.0, 3.0), (3.0, 6.0), (2.0, 6.0), (4.0, 8.0)):
        assert compile(f)(x) == f(x) == y
    fast = compile(f)
    assert [fast(3.0), fast(1.0)] == [6.0, 3.0]         # (nothing was recorded of the first)


def test_a_number_that_is_traced_is_no_index_and_says_so_as_a_float_does():
    def f(x):
        try:
            return [2.0, 3.0, 5.0][x] * x
        except TypeError:
            return x * 7.0
    assert compile(f)(1.0) == f(1.0) == 7.0
    with pytest.raises(TypeError, match="must be integers or slices|cannot be interpreted as an integer"):
        compile(lambda x: [2.0, 3.0][x] * x)(1.0)
    asked = []

    def g(x):
        with pytest.raises(TypeError, match="'float' object cannot be interpreted as an integer"):
            x.__index__()
        asked.append(x)
        return x * x
    assert compile(g)(3.0) == 9.0 and len(asked) == 1


def test_after_a_call_that_shows_that_a_file_was_read_nothing_that_was_recorded_is_used(tmp_path):
    path = tmp_path / "rate"
    path.write_text("2.0")
    fast = compile(lambda xs: sum(xs) * float(path.read_text()))
    assert [fast([k, 1.0]) for k in (1.0, 2.0, 3.0)] == [4.0, 6.0, 8.0]
    assert fast([5.0]) == 10.0
    path.write_text("3.0")
    with pytest.raises(InputError, match="is not what was compiled"):
        fast([6.0])
    assert fast([1.0, 1.0]) == 6.0 and fast([5.0]) == 15.0


def test_the_line_of_a_long_trace_is_seen_at_once_and_taken_back_at_once(monkeypatch):
    class Screen(io.StringIO):
        waiting = ""

        def isatty(self):
            return True

        def write(self, text):
            self.waiting += text
            return len(text)

        def flush(self):
            text, self.waiting = self.waiting, ""
            super().write(text)
    screen, seen = Screen(), []

    def f(x):
        for _ in range(400):
            if screen.getvalue():
                break
            time.sleep(0.005)
        seen.append(screen.getvalue())
        return x * x
    monkeypatch.setattr(progress, "AFTER", 0.0)
    monkeypatch.setattr(sys, "stderr", screen)
    assert compile(f)(3.0) == 9.0
    assert seen[0].startswith("\rcompiling f: ") and "operations" in seen[0]
    assert screen.waiting == "" and screen.getvalue().endswith(" \r")


@pytest.mark.parametrize("way", [lambda f: f, ag.grad, ag.value_and_grad])
def test_what_a_number_looks_like_decides_which_program_is_taken(way):
    def f(x):
        return x * float(len(repr(x * 1.0)) + len(repr(x)))
    fast = compile(way(f))
    for x in (2.0, 2.25, 2.0, 0.1 + 0.2, 2.25, -2.0):
        assert fast(x) == way(f)(x)


@pytest.mark.parametrize("kind, text", [(io.StringIO, "ab"), (io.BytesIO, b"ab")])
def test_a_function_may_make_streams_in_memory_and_read_one_that_is_closed_meanwhile(kind, text):
    made = compile(lambda x: x * float(len(kind(text).getvalue())))
    assert [made(2.0), made(3.0)] == [4.0, 6.0]
    stream = kind(text)
    fast = compile(lambda x: x * 3.0 if stream.closed else x * float(len(stream.getvalue())))
    assert [fast(2.0), fast(3.0)] == [4.0, 6.0]
    stream.write(text * 2)
    assert fast(2.0) == 8.0
    stream.close()
    assert fast(2.0) == 6.0


@native
@pytest.mark.parametrize("rounding, way", [("eager", "singly"), ("vector", "together")])
@pytest.mark.parametrize("reduce", [None, "sum"])
def test_points_that_turn_out_not_to_be_native_go_by_python_from_then_on(rounding, way, reduce, monkeypatch):
    asked, taken = [], []

    def job(self, *given):
        asked.append(given)
        raise Untranslatable("not here")
    monkeypatch.setattr(Many, "job", job)
    for name in ("singly", "together"):
        def run(self, program, where, name=name, before=getattr(runs.Ways, name)):
            taken.append(name)
            return before(self, program, where)
        monkeypatch.setattr(runs.Ways, name, run)
    xs = np.linspace(0.0, 1.0, 9)
    fast = compile(lambda x: x * x + 0.5, batch=0, reduce=reduce, rounding=rounding, target="native")
    for _ in range(3):
        assert np.array_equal(fast(xs), np.sum(xs * xs + 0.5) if reduce else xs * xs + 0.5)
    assert len(asked) == 1 and taken == [way] * len(taken) and len(taken) >= 3


@pytest.mark.parametrize("f", [lambda x: 1.0 if x * 1e308 > 5.0 else 2.0 * x, lambda x: 0.0 * (x * 1e308),
                               lambda x: 1.0 / (x * 1e308), lambda x: x + 0.0 * ag.exp(100.0 * x)])
def test_a_number_on_the_way_that_is_too_large_is_an_error_when_compiled_too(f):
    for points in ((10.0, 0.5, 20.0), (0.5, 10.0, 0.25)):
        fast = compile(f)
        for x in points:
            if x > 1.0:
                with pytest.raises(ag.RangeError):
                    f(Value(x))
                with pytest.raises(ag.RangeError):
                    fast(x)
            else:
                assert fast(x) == getattr(f(Value(x)), "data", f(Value(x)))


def test_an_overflow_that_a_function_catches_is_caught_when_compiled_too():
    def f(x):
        try:
            return x * 1e308 * 1e-308
        except ag.RangeError:
            return x * 3.0
    fast = compile(f)
    assert fast(10.0) == 30.0
    with pytest.raises(InputError, match="no program yet"):     # (the way of an error is not recorded)
        fast.source()
    for points in ((10.0, 0.5), (0.5, 10.0)):
        fast = compile(f)
        assert [fast(x) for x in points] == [f(Value(x)).data for x in points]
        assert fast(10.0) == 30.0
