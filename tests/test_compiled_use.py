"""Compiled functions in threads, with static arguments, of functions of all kinds; names, progress, cost."""
import array
import copy
import datetime
import functools
import importlib.util
import inspect
import io
import itertools
import math
import pickle
import pydoc
import random
import re
import sys
import threading
import time
import weakref
from collections import OrderedDict, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_lite as ag
import carried
from autograd_lite import GradientError, InputError, Value, nn
from autograd_lite.document import Network, automatic_gradients
from autograd_lite.ops.op import TABLE
from autograd_lite.graph import backward as backward_module, changes as changes_module, node as node_module
from autograd_lite.programs import (eager as eager_module, paths as paths_module,
                                    progress as progress_module, tape as tape_module, ways)
from autograd_lite.programs.arguments import Fixed, Kept
from autograd_lite import compile
from instructions import Interrupt, codes_of, interrupted_at, let_go
from graphs import python_build

# -- what errors say ---------------------------------------------------------------------------------


class Own(Exception):
    pass


def raising(x, error=ValueError):
    if x * 2.0 > 1.0:
        raise error(f"bad {x} and {x + 1.0!r}")
    return x


@pytest.mark.parametrize("error", [ValueError, KeyError, Own, ZeroDivisionError])
def test_the_text_of_an_error_of_f_shows_numbers(error):
    for fast in (compile(lambda x: raising(x, error)), compile(lambda x: raising(x, error), batch="x")):
        for _ in range(2):
            with pytest.raises(error, match="bad 1.5 and 2.5"):
                fast(1.5)
            assert fast(0.25) == 0.25           # (it stays usable)
    with pytest.raises(error, match="bad 1.5 and 2.5"):
        compile(lambda x: raising(x, error)).backward(1.5)
    with pytest.raises(KeyError) as caught:
        compile(lambda x: {0.5: 1.0}[x])(1.5)
    assert caught.value.args == (1.5,)


def test_the_eager_way_refuses_what_values_and_numbers_refuse_as_values_do():
    fast = compile(lambda x: "a" * x if x < 0.0 else x, max_programs=1, on_limit="eager")
    fast(1.0)
    with pytest.raises(InputError, match=r"\*: expected a real number, got str 'a'"):
        fast(-1.0)


@pytest.mark.parametrize("given", [iter([1.0]), (x for x in [1.0]), map(float, [1.0])])
def test_an_iterator_as_an_argument_is_refused_as_one(given):
    with pytest.raises(InputError, match="total reads an argument, a (list_iterator|generator|map), which may"
                       ".* else at each call: pass a list of what it gives as an argument"):
        compile(total)(given)


def total(xs):
    return sum(xs)


@pytest.mark.parametrize("options, said", [
    ({"rounding": "vector"}, "rounding='vector' is for a batch: name its arguments"),
    ({"rounding": "vector", "target": "native"}, "rounding='vector' is for a batch"),
    ({"reduce": "sum", "target": "python"}, "reduce='sum' is for a batch"),
    ({"rounding": "eager", "target": np}, "rounding='eager' is not for a namespace's arrays: leave it out"),
    ({"static": "xs", "target": np}, "static='xs' is not for a namespace's arrays")])
def test_options_that_would_do_nothing_are_refused(options, said):
    with pytest.raises(InputError, match=re.escape(said)):
        compile(total, **options)
    assert compile(total, rounding="eager")([1.0, 2.0]) == 3.0      # (that of calls at one point)


# -- threads ---------------------------------------------------------------------------------------


@pytest.fixture
def switching():
    """Threads change as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(n, *jobs):
    """What n threads for each of the jobs return, all begun at once."""
    barrier = threading.Barrier(n * len(jobs))

    def run(job, i):
        barrier.wait()
        return job(i)

    with ThreadPoolExecutor(n * len(jobs)) as pool:
        futures = [pool.submit(run, job, i) for i in range(n) for job in jobs]
        return [future.result() for future in futures]


def branching(x, y):
    if x > 0.0:
        return ag.exp(x) * y if y > 0.0 else x - y
    return x * y * y if y > x else ag.sin(x) / 2.0


def test_threads_may_call_for_the_first_time_at_once(switching):
    points = [(a, b) for a in (-2.0, -0.5, 0.5, 2.0) for b in (-1.0, 1.0)]
    g = ag.value_and_grad(branching, (0, 1))
    expected = [g(*point) for point in points]
    for _ in range(6):
        fast = compile(g)

        def calls(i):
            order = random.Random(i).sample(range(len(points)), len(points))
            return all(fast(*points[k]) == expected[k] for k in order)

        assert all(in_threads(8, calls))
        assert fast.stats.programs == 4         # (none twice)


@pytest.mark.parametrize("target", ["python", None])
def test_values_may_change_between_the_run_of_a_program_and_a_trace(target, monkeypatch):
    w, changes, trace = Value(2.0), [], paths_module.trace
    fast = compile(lambda x: x * w + w if w > 0.0 else x - w * w, target=target)

    def changed_before(*args):                  # (as another thread may do it)
        for w.data in changes[:1]:
            del changes[0]
        return trace(*args)

    monkeypatch.setattr(paths_module, "trace", changed_before)
    assert fast(1.0) == 4.0
    changes.append(-1.0)
    assert fast(3.0) == 8.0 and w.data == -1.0  # what is held against the program is of another branch
    changes.append(3.0)
    assert fast(3.0) == 12.0 and w.data == 3.0  # the branch that is to be traced is known now
    w.data = -1.0
    assert fast(3.0) == fast(3.0) == 2.0 and fast(5.0) == 4.0 and not changes
    assert len(fast.programs) == 2


def test_threads_that_trace_do_not_disturb_those_that_do_not(switching):
    points = [(0.5, 1.0), (-1.0, 2.0)]
    g = ag.value_and_grad(branching, (0, 1))
    expected = [g(*point) for point in points]

    def eagerly(i):
        return all(g(*p) == y for _ in range(20) for p, y in zip(points, expected))

    def anew(i):
        return all(compile(g)(*p) == y for _ in range(5) for p, y in zip(points, expected))

    def under_modes(i):
        for _ in range(40):
            with ag.no_grad():
                if (Value(2.0) * 3.0).requires_grad:
                    return False
        return True

    assert all(in_threads(3, eagerly, anew, under_modes))


def test_gradients_of_all_threads_add_up(switching):
    w = [Value(2.0), Value(3.0)]
    h = w[0] * w[1]
    fast = compile(lambda x: h * w[0] * x + w[1])
    eager = [(h * w[0] * 2.0 + w[1]).backward(), [p.grad for p in w]][1]
    for p in w:
        p.grad = 0.0
    in_threads(8, lambda i: [fast.backward(2.0) for _ in range(10)])
    assert [p.grad for p in w] == [80 * g for g in eager]


def test_a_trace_that_begins_as_another_ends_is_a_trace(monkeypatch):
    class Slow(weakref.WeakSet):
        def __len__(self):
            n = super().__len__()
            time.sleep(0.01)
            return n

    monkeypatch.setattr(tape_module, "live", Slow())
    g = ag.grad(lambda x: x * x)

    def job(i):
        fast = compile(g)
        return fast(i + 1.0), fast(i + 2.0)

    assert in_threads(6, job) == [(2.0 * i + 2.0, 2.0 * i + 4.0) for i in range(6)]


def test_numbers_drawn_by_other_threads_are_not_taken_for_the_function_s():
    wanted, drawn, done = threading.Event(), threading.Event(), threading.Event()

    def drawing():
        wanted.wait()
        random.random()
        drawn.set()
        done.wait()

    def f(x):
        wanted.set()
        drawn.wait()
        return x * 3.0

    thread = threading.Thread(target=drawing)
    thread.start()
    try:
        assert compile(f)(2.0) == 6.0
        with pytest.raises(InputError, match="draws random numbers"):
            compile(lambda x: x * random.random())(2.0)
    finally:
        done.set()
        thread.join()


def test_threads_may_pickle_while_others_trace(switching):
    fast = compile(carried.plain)
    fast(1.0, 2.0)

    def calls(i):
        return [fast(x, 2.0) == carried.plain(x, 2.0) for x in (1.0 + i, -1.0 - i, [1, 2, 3][i % 3])]

    def pickles(i):
        return [pickle.loads(pickle.dumps(fast))(x, 2.0) == carried.plain(x, 2.0) for x in (2.0, -2.0)]

    assert all(map(all, in_threads(6, calls, pickles)))


# -- gradients at once -------------------------------------------------------------------------------


def test_a_captured_computed_value_passes_its_gradient_on_to_its_leaves():
    def gradients(run):
        a, b = Value(0.3), Value(0.7)
        h = ag.tanh(a * b)
        y = run(lambda x: ag.exp(h * x) + h * h * a, 1.7)
        return y, h.grad, a.grad, b.grad
    eager = gradients(lambda f, x: [y := f(x), y.backward(), y.data][2])
    found = gradients(lambda f, x: compile(f).backward(x))
    assert found[:2] == eager[:2] and found[2:] == pytest.approx(eager[2:], rel=1e-15)


def test_backward_of_what_has_no_gradient_or_is_no_number_is_the_eager_error():
    with pytest.raises(GradientError, match="carries no gradient"):
        compile(lambda x: x * 2.0).backward(3.0)
    w = Value(2.0)
    fast = compile(lambda x: [w * x])
    with pytest.raises(InputError, match="backward needs one number"):
        fast.backward(3.0)
    assert fast(3.0) == [6.0] and w.grad == 0.0


def test_backward_of_values_is_that_of_f():
    w, x = Value(2.0), Value(5.0)
    assert compile(lambda x: w * x).backward(x) == 10.0 and (w.grad, x.grad) == (5.0, 2.0)


def test_requires_grad_is_read_at_each_call():
    w, v = Value(2.0), Value(3.0, requires_grad=False)
    fast = compile(lambda x: w * v * x)
    for flags in [(True, False), (True, True), (False, True), (True, False)]:
        w.requires_grad, v.requires_grad = flags
        w.grad = v.grad = 0.0
        fast.backward(5.0)
        assert (w.grad, v.grad) == (15.0 * flags[0], 10.0 * flags[1])
    w.requires_grad = False
    with pytest.raises(GradientError, match="carries no gradient"):
        fast.backward(5.0)


@python_build
@pytest.mark.parametrize("computed", [False, True])
def test_an_interruption_leaves_all_gradients_or_none(computed):
    w = [Value(1.0 + k) for k in range(4)]
    h = w[2] * w[3]
    fast = compile(lambda x: (w[0] * w[1] + (h if computed else w[2] * w[3])) * x)
    fast.backward(2.0), fast.backward(3.0)
    codes = [*codes_of(backward_module, changes_module, eager_module, without=("backward", "undo"))]
    seen = set()
    for at in itertools.count(1, 7 if computed else 1):
        for p in w:
            p.grad = 0.5
        try:
            with interrupted_at(at, codes):
                fast.backward(2.0)
        except Interrupt:
            let_go(node_module.lock)
        else:
            break
        seen.add(tuple([p.grad for p in w]))
    whole = tuple([0.5 + 2.0 * w[k ^ 1].data for k in range(4)])
    assert (0.5,) * 4 in seen and seen <= {(0.5,) * 4, whole}


# -- static arguments --------------------------------------------------------------------------------


@dataclass
class Settings:
    power: int
    scale: float


class Plain:
    def __init__(self, scale):
        self.scale = scale


def within_two_units(a: Any, b: Any) -> bool:
    """Whether two matrices are equal, as second derivatives are."""
    return all([abs(x - y) <= 2.0 * math.ulp(y) for p, q in zip(a, b, strict=True) for x, y in zip(p, q)])


@pytest.fixture
def no_target(request):
    """Compiled functions choose how they run."""
    if request.config.getoption("--native"):
        pytest.skip("with a target it is traced at once")


def test_a_hessian_of_many_numbers_is_that_of_f_until_it_is_worth_tracing(no_target):
    def f(x: list[Any]) -> Any:
        return ag.sum([(b - a * a) ** 2 for a, b in zip(x, x[1:])]) * (1.0 if x[0] > 0.0 else -1.0)
    true, fast, point = ag.hessian(f), compile(ag.hessian(f)), [
        0.01 * k + 0.5 for k in range(ways.MANY)]
    points = [[x + 0.1 * k for x in point] for k in range(ways.FIRST + 3)]
    for k, x in enumerate(points):
        assert within_two_units(fast(x), true(x)) and bool(fast.programs) is (k >= ways.FIRST), k
    assert fast.stats.programs == 1 and not fast.met
    assert within_two_units(fast([-1.0, *point[1:]]), true([-1.0, *point[1:]]))


def test_a_hessian_that_is_put_off_is_traced_where_its_program_is_asked_for_and_otherwise_at_once(no_target):
    def f(x: list[Any], c: float) -> Any:
        return ag.sum([c * a * a * a for a in x])
    x = [0.5 + k for k in range(ways.MANY)]
    for ask in (lambda fast: fast.stats.programs, lambda fast: fast.source(), lambda fast: copy.copy(fast)):
        fast = compile(ag.hessian(f), static="c")
        first = fast(x, 2.0)
        assert not fast.programs and first[3][3] == 12.0 * x[3]
        other = ask(fast)
        fast = other if hasattr(other, "programs") else fast
        assert within_two_units(fast(x, 2.0), first) and fast(x, 3.0)[3][3] == 18.0 * x[3]
    for target, point in (("python", x), (None, x[:3])):
        fast = compile(ag.hessian(lambda x: f(x, 2.0)), target=target)
        fast(point)
        assert fast.programs


def test_static_arguments_are_passed_as_they_are_and_others_make_other_programs():
    def f(x, n, *more, kind=None):
        assert not any(isinstance(thing, Value) for thing in (n, *more))
        return sum([x * k for k in range(n)]) * (2.0 if kind == (1, 2.0) else 1.0)

    fast = compile(f, static=("n", 2, "kind"))
    calls = [((2.0, 3), {}), ((4.0, 3), {}), ((2.0, 4), {}), ((2.0, 4, 0.0), {}), ((2.0, 4, -0.0), {}),
             ((2.0, 4, 0), {}), ((2.0,), {"n": 3}), ((2.0, 3), {"kind": (1, 2.0)}),
             ((2.0, 3), {"kind": (1.0, 2.0)}), ((2.0, 3, math.nan), {}), ((5.0, 3, math.nan), {})]
    for args, kwargs in calls:
        assert fast(*args, **kwargs) == f(*args, **kwargs)
    assert fast.stats.programs == 9


def test_a_static_list_object_or_dataclass_that_changed_is_a_new_program():
    fast = compile(lambda x, c: x * c[0], static="c")
    c = [2.0]
    assert fast(3.0, c) == 6.0
    c[0] = 5.0
    assert fast(3.0, c) == 15.0 and fast.stats.programs == 2
    assert fast(4.0, [2.0]) == 8.0 and fast.stats.programs == 2
    for make in (lambda s: Settings(2, s), Plain):
        for static in ("c", None):
            fast, c = compile(lambda x, c: x * c.scale, static=static), make(2.0)
            assert fast(3.0, c) == 6.0
            c.scale = 5.0
            assert fast(3.0, c) == fast(3.0, c) == 15.0
    fast, c = compile(lambda x, c: x * sum([y.scale for y in c]), static="c"), Plain(2.0)
    assert fast(3.0, {c}) == 6.0
    c.scale = 5.0
    assert fast(3.0, {c}) == 15.0
    weight = Value(2.0)
    fast = compile(lambda x, c: x * c, static=1)
    assert fast(3.0, weight) == 6.0
    weight.data = 4.0
    assert fast(3.0, weight) == 12.0 and fast.backward(3.0, weight) == 12.0 and weight.grad == 3.0


def test_arrays_of_all_makes_may_be_static_and_objects_in_them_are_compared_by_what_they_are():
    fast = compile(lambda x, s: x * s[0], static="s")
    for s in (array.array("d", [2.0]), memoryview(b"\2"), bytearray(b"\2"), np.array([2.0])):
        assert (fast(3.0, s), fast(5.0, s)) == (6.0, 10.0)
        if not isinstance(s, memoryview):
            s[0] = 4
            assert fast(3.0, s) == 12.0
    for factor in (2.0, 3.0, 4.0):              # (the objects of one are gone before the next is made)
        assert fast(1.0, np.array([factor * 100.0], object)) == factor * 100.0
    one, another = (Fixed(np.array([1e300, "text"], object)).key for _ in "ab")
    assert one == another and one != Fixed(np.array([1e301, "text"], object)).key


def test_a_function_given_as_an_argument_may_read_what_changes():
    rate = [2.0]
    fast = compile(lambda g, x: g(x))
    g = lambda x: x * rate[0]  # noqa: E731
    assert fast(g, 3.0) == 6.0
    rate[0] = 5.0
    assert fast(g, 3.0) == 15.0


@dataclass
class Slope:
    a: float

    def at(self, x):
        return self.a * x * RATES[0]


class Cut(NamedTuple):
    a: float

    def at(self, x):
        return self.a * x * RATES[0]


class Free:
    def __init__(self, a):
        self.a = a

    at = Slope.at


RATES = [2.0]


@pytest.mark.parametrize("thing", [Slope(3.0), Cut(3.0), Free(3.0)])
def test_what_the_methods_of_an_argument_read_may_change(thing, monkeypatch):
    fast = compile(lambda thing, x: thing.at(x))
    assert fast(thing, 5.0) == 30.0
    monkeypatch.setitem(globals(), "RATES", [7.0])
    assert fast(thing, 5.0) == 105.0


@pytest.mark.parametrize("static", ["z", 3, -4, 1.0, int, ("x", "z"), True, ["x", None]])
def test_static_arguments_that_there_are_not_are_refused_at_once(static):
    def f(x, y, n):
        return x
    with pytest.raises(InputError, match="static=.*f has no argument .*; give positions or names of x, y, n"):
        compile(f, static=static)


def test_static_arguments_of_transforms_and_of_what_has_no_signature():
    fast = compile(ag.grad(lambda x, n: x ** n), static="n")
    assert fast(2.0, 3) == 12.0 and fast(2.0, 4) == 32.0
    assert compile(max, static=1)(2.0, 3.0) == 3.0
    with pytest.raises(InputError):
        compile(lambda x: x, static=-2)
    assert compile(lambda **named: named["a"] * named["n"], static="n")(a=2.0, n=3) == 6.0


# -- what can be compiled ------------------------------------------------------------------------------


class Line:
    def __init__(self, slope):
        self.slope, self.programs, self.f = Value(slope), "mine", "mine"

    def at(self, x):
        """The height at x."""
        return self.slope * x

    @compile
    def squared(self, x):
        """The square of the height."""
        return self.at(x) ** 2

    @staticmethod
    def twice(x):
        return 2.0 * x

    def __call__(self, x):
        return self.at(x) + 1.0


@dataclass
class Pair:
    a: float
    b: float


@pytest.mark.parametrize("f, args, expected", [
    (Line(2.0).at, (3.0,), 6.0), (Line(2.0), (3.0,), 7.0), (Line.twice, (3.0,), 6.0),
    (functools.partial(lambda a, x: a * x, 2.0), (3.0,), 6.0), (abs, (-3.0,), 3.0), (ag.exp, (0.0,), 1.0),
    (max, (1.0, 2.0), 2.0), (sum, ([1.0, 2.0],), 3.0), (ag.grad(ag.exp), (0.0,), 1.0),
    (compile(lambda x: x * 2.0), (3.0,), 6.0), (ag.grad(compile(lambda x: x * x)), (3.0,), 6.0),
    (Pair, (1.0, 2.0), Pair(1.0, 2.0)),
    (ag.jacobian(lambda x: [x[0] * x[1]]), ([2.0, 3.0],), [[3.0, 2.0]]), (lambda: 3.0, (), 3.0),
    (lambda x: None, (3.0,), None), (nn.Layer(1, 1), ([1.0],), None),
    (lambda *xs: xs[0] * xs[-1], (2.0, 3.0), 6.0)])
def test_any_function_can_be_compiled(f, args, expected):
    fast = compile(f)
    expected = fast.f(*args).data if isinstance(f, nn.Layer) else expected
    assert fast(*args) == fast(*args) == expected
    assert fast.f is f and fast.__wrapped__ is f and isinstance(repr(fast), str) and fast.source()


@pytest.mark.parametrize("f, said", [
    (3.0, "compile takes a function, got float 3.0"), (None, "takes a function"), ("f", "takes a function"),
    (Value(2.0), "takes a function.*backward")])
def test_what_is_no_function_is_refused_at_once(f, said):
    with pytest.raises(InputError, match=said):
        compile(f)


def test_generators_and_coroutines_are_refused_at_once():
    async def waits(x):
        return x

    def gives(x):
        yield x

    async def both(x):
        yield x

    for f in (waits, gives, both, functools.wraps(gives)(lambda x: gives(x))):
        with pytest.raises(InputError, match="compile: [a-z]+ is a (coroutine|generator|asyncgen) function"):
            compile(f)


def test_a_compiled_function_looks_like_the_function():
    def area(width: float, height: float = 2.0) -> float:
        """The area of a rectangle."""
        return width * height
    fast = compile(area)
    assert inspect.signature(fast) == inspect.signature(area) and fast.__doc__ == area.__doc__
    assert (fast.__name__, fast.__module__, fast.__qualname__) == ("area", __name__, area.__qualname__)
    assert fast(3.0) == 6.0 and fast(3.0, height=3.0) == fast(height=3.0, width=3.0) == 9.0
    shown = pydoc.plain(pydoc.render_doc(fast))
    assert "area(width: float, height: float = 2.0) -> float\n    The area of a rectangle." in shown
    assert repr(compile(Line(1.0))) == "<compiled Line>" and compile(Line(1.0)).programs == []


def test_a_compiled_method_is_bound_and_reads_its_object():
    a, b = Line(2.0), Line(3.0)
    assert a.squared(1.0) == 4.0 and b.squared(2.0) == 36.0
    a.slope.data = 5.0
    assert a.squared(1.0) == 25.0 and a.squared.backward(2.0) == 100.0 and a.slope.grad == 40.0
    a.slope = Value(7.0)
    assert a.squared(1.0) == 49.0
    assert Line.squared(b, 1.0) == 9.0 and str(inspect.signature(a.squared)) == "(x)"
    assert a.squared.__doc__ == "The square of the height." and a.squared.stats.programs >= 3


# -- names in the source -------------------------------------------------------------------------------


def test_the_source_of_the_document_s_gradient_has_its_names_and_no_others_for_what_it_names():
    network = Network()
    fast = compile(network.graph)
    assert fast.backward() == 0.2983711087600027
    assert {p.label: p.grad for p in network.weights + network.biases} == automatic_gradients(Network())
    text = fast.source()
    for line in ("neth1 = w1 * 0.05 + w2 * 0.1 + b1", "neto2 = w7 * outh1 + w8 * outh2 + b2", "E = E1 + E2",
                 "d_outh2 = d_neto2 * w8 + d_neto1 * w6", "d_b2 = d_neto2 + d_neto1",
                 "d_w8 = d_neto2 * outh2", "d_w1 = d_neth1 * 0.05", "d_b1 = d_neth2 + d_neth1"):
        assert f"\n    {line}\n" in text, line
    assert text.rstrip().endswith("return E, d_w1, d_w2, d_b1, d_w3, d_w4, d_w5, d_w6, d_b2, d_w7, d_w8,")


NAMES = ["captured", "f", "ｅxp", "exp", "v3", "c1", "holds", "partial_of_thing", "thing", "x_", "softmax",
         "__import__('os')", "\n", "a'", "a''", "ﬁ", "fi", "f_0", "m", "e", "s", "finite", "y", "y_0", "if",
         "∂E/∂w", "w[0]", "w_0", "d_p", "p", "print", "None", "3rd", "_3rd", "x", "lgamma", "digamma",
         "e = 1"]


@pytest.fixture(scope="module")
def odd_ops():
    """Ops with names that could be taken for something else."""
    names = "thing", "3rd", "if", "x", "v3"
    yield [ag.custom_op(lambda x: x ** 3, (lambda y, x: 3.0 * x * x,), name=name) for name in names]
    for name in names:
        del TABLE[name]


@pytest.mark.parametrize("first, second, third", list(zip(NAMES, [*NAMES[7:], *NAMES[:7]], NAMES[::-1])))
def test_no_label_is_taken_for_anything_else(first, second, third, odd_ops):
    def f(p, q):
        a, b = p * q, ag.sin(p) / q
        s = ag.softmax([a, b, q])
        many = [op(x) for x in (a, b) for op in odd_ops]
        ag.label({first: a, second: b, third: many[0], "thing": many[1], "_3rd": many[6]})
        return sum(many) + a * b + s[0] * s[1] + ag.atan2(a, b) + ag.lgamma(q) + ag.exp(b)
    g = ag.value_and_grad(f, (0, 1))
    fast = compile(g)
    for at in [(0.3, 0.7), (1.3, 0.2)]:
        assert fast(*at) == g(*at)


def test_an_argument_may_have_any_name():
    assert compile(lambda captured, f, math, finite, v0, e: captured * f - math * finite + v0 ** e)(
        1.0, 2.0, 3.0, 4.0, 5.0, 6.0) == 15615.0


# -- progress and cost -----------------------------------------------------------------------------------


class Screen(io.StringIO):
    def isatty(self):
        return True


def shown_on(screen, f, monkeypatch):
    """What is shown while f is compiled."""
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(progress_module, "AFTER", 0.02)
    monkeypatch.setattr(progress_module, "EVERY", 0.01)
    try:
        compile(f)(1.0)
    finally:
        monkeypatch.undo()
    return screen.getvalue() if screen and not screen.closed else ""


def slow(x):
    for _ in range(40):
        x = ag.sin(x)
        time.sleep(0.002)
    return x


def test_a_long_trace_shows_one_line_that_is_removed(monkeypatch):
    shown = shown_on(Screen(), slow, monkeypatch)
    first, *lines, last, end = shown.split("\r")
    assert first == end == "" and len(lines) >= 2 and "\n" not in shown
    assert all(line.startswith("compiling slow: ") and "operations, 0 s" in line for line in lines)
    assert last == " " * len(lines[-1].rstrip())
    assert shown_on(Screen(), lambda x: x * x, monkeypatch) == ""


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_error_or_ctrl_c_removes_the_line_and_ends_the_thread(monkeypatch, error):
    def fails(x):
        slow(x)
        raise error

    screen, threads = Screen(), threading.active_count()
    with pytest.raises(error):
        shown_on(screen, fails, monkeypatch)
    assert screen.getvalue().endswith("\r") and threading.active_count() == threads
    lines = screen.getvalue().split("\r")
    assert not lines[-2].strip() and len(lines) > 3


def test_nothing_is_shown_where_there_is_no_terminal(monkeypatch):
    closed = Screen()
    closed.close()
    assert all(shown_on(there, slow, monkeypatch) == "" for there in (io.StringIO(), None, closed))


def test_stats_say_after_how_many_calls_compiling_has_paid():
    weights = [Value(0.1 * k) for k in range(30)]

    def long(x):
        for w in weights:
            x = ag.tanh(x * w)
        return x
    fast = compile(long, target="python")
    with pytest.raises(InputError, match="no program yet: call the compiled function once"):
        fast.stats
    fast.backward(0.5)
    before = [w.grad for w in weights]
    stats = fast.stats
    assert 1.0 < stats.break_even < 10_000.0 and stats.break_even == stats.break_even
    assert [w.grad for w in weights] == before != [0.0] * 30
    lines = str(stats).split("\n")
    assert repr(stats) == str(stats) and max(map(len, lines)) < 80 and len(lines) == 2
    assert "1 program, 0 guards, target python" in lines[0] and "pays after" in lines[1]
    assert pickle.loads(pickle.dumps(stats)) == stats and str(pickle.loads(pickle.dumps(stats))) == str(stats)


def test_reading_the_stats_does_not_call_the_function():
    weight, counted = Value(2.0), io.StringIO()     # (what is written there is not compared)

    def f(x):
        print("ran", file=counted)
        return ag.exp(x * 2.0) * weight
    for fast in (compile(f), compile(ag.grad(f)), compile(f).backward):
        fast(1.0), fast(1.5)
        stats = getattr(fast, "__self__", fast).stats
        before, state, g = counted.getvalue(), random.getstate(), weight.grad
        assert "pays after" in str(stats) or "not faster" in str(stats)
        assert stats.break_even > 0.0
        assert (counted.getvalue(), random.getstate(), weight.grad) == (before, state, g)


def test_break_even_is_infinite_where_compiling_gains_nothing():
    fast = compile(lambda x: x)
    fast(1.0)
    program = fast.latest
    run = program.run
    program.run = lambda *numbers: [time.sleep(0.001), run(*numbers)][1]
    assert fast.stats.break_even == math.inf and "not faster than the function itself" in str(fast.stats)


def test_an_object_is_part_of_the_key_by_its_own_equality_where_that_is_not_the_user_s():
    class Own:
        def __eq__(self, other):
            return True
        __hash__ = None

    class Hashed(Own):
        __hash__ = object.__hash__

    day, own, hashed = datetime.date(2020, 1, 2), Own(), Hashed()
    assert hash(complex(-1)) == hash(complex(-2))
    for a, b, same in [(day, datetime.date(2020, 1, 2), True), (day, datetime.date(2020, 1, 3), False),
                       (complex(-1), complex(-1), True), (complex(-1), complex(-2), False),
                       (range(3), range(3), True), ({1}, {1}, False), (own, own, True), (own, Own(), False),
                       (hashed, hashed, True), (hashed, Hashed(), False), (hashed, day, False),
                       (day, own, False)]:
        assert (Kept(a) == Kept(b)) is (Kept(b) == Kept(a)) is same
        assert not same or hash(Kept(a)) == hash(Kept(b))
    assert Kept(day) != day
    f = compile(lambda x, z: x * z.real)
    assert [f(2.0, complex(k)) for k in (-1, -2, -1)] == [-2.0, -4.0, -2.0]


class Named(str):
    def __new__(cls, rate):
        self = super().__new__(cls, "a")
        self.rate = rate
        return self


class Numbered(int):
    def __new__(cls, rate):
        self = super().__new__(cls, 1)
        self.rate = rate
        return self


NOON = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize("static", [None, "thing"])
@pytest.mark.parametrize("read, first, second", [
    (lambda thing: thing.rate, Named(2.0), Named(3.0)),
    (lambda thing: thing.rate, Numbered(2.0), Numbered(3.0)),
    (lambda thing: thing.hour, NOON, NOON.astimezone(datetime.timezone(datetime.timedelta(hours=2)))),
    (lambda thing: len(str(thing)), Decimal("1.0"), Decimal("1.00")),
    (lambda thing: thing.stop, range(0, 3, 2), range(0, 4, 2)),
    (lambda thing: list(thing)[0], frozenset([0, 8]), frozenset([8, 0])),
    (lambda thing: list(thing)[0], {0, 8}, {8, 0}),
    (lambda thing: len(str(thing)), frozenset([1]), frozenset([1.0])),
    (lambda thing: math.copysign(1.0, thing.imag), 1 + 0j, complex(1.0, -0.0)),
    (lambda thing: len(str(list(thing))), {(1,): 1.0}, {(True,): 1.0}),
    (lambda thing: len(str(list(thing))), {Decimal("1.0"): 1.0}, {Decimal("1.00"): 1.0}),
    (lambda thing: len(str(list(thing))), OrderedDict({1: 1.0}), OrderedDict({True: 1.0})),
    (lambda thing: len(str(list(thing))), defaultdict(float, {0.0: 1.0}), defaultdict(float, {-0.0: 1.0})),
], ids=lambda x: None if callable(x) else type(x).__name__)
def test_equal_arguments_that_are_not_alike_have_programs_of_their_own(read, first, second, static):
    def f(x, thing):
        return x * read(thing)

    fast = compile(f, static=static)
    for thing in (first, second, first, second):
        assert fast(1.5, thing) == f(1.5, thing)
    assert f(1.5, first) != f(1.5, second)


@pytest.mark.parametrize("key", [math.inf, -math.inf, math.nan, -0.0, 0.5, True, "a", (1, 2)])
def test_a_result_may_have_keys_of_any_kind(key):
    fast = compile(lambda x: {key: x * x})
    for x in (2.0, 2.0, 3.0):
        assert repr(fast(x)) == repr({key: x * x})


@pytest.mark.parametrize("target", ["python", pytest.param("native", marks=pytest.mark.skipif(
    not importlib.util.find_spec("llvmlite"), reason="without llvmlite"))])
@pytest.mark.parametrize("n", [3, 30])
def test_arrays_of_results_of_which_some_are_always_the_same(n, target):
    """A chain's Hessian is 0 off three diagonals. (Few results are floats at once, many an array.)"""
    def chain(x):
        return ag.sum([(b - a * a) ** 2 for a, b in zip(x, x[1:])])

    def several(x):
        return {"H": ag.hessian(chain)(x), "y": chain(x), "g": [ag.grad(chain)(x), x[0] * 2.0], "c": 3}
    H, more = compile(ag.hessian(chain), target=target), compile(several, target=target)
    kept = []
    for k in range(4):
        x = np.linspace(0.1, 0.2 * (k + 1), n)
        kept.append((H(x), ag.hessian(chain)(x)))
        found, true = more(x), several(x)
        assert list(found) == list(true) and found["c"] == 3
        assert type(found["y"]) is float is type(found["g"][1])
        assert found["y"] == true["y"] and found["g"][1] == true["g"][1]
        assert np.array_equal(found["g"][0], true["g"][0])
        kept.append((found["H"], true["H"]))
    for a, b in kept:                                   # (no call writes into an earlier one's result)
        assert a.dtype == b.dtype == float and a.shape == (n, n) and a.flags.writeable
        assert np.allclose(a, b, rtol=4e-16, atol=0.0)
