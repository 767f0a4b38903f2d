"""Native code: the small language against Python, programs and bound functions against eager ones."""
import contextlib
import gc
import itertools
import math
import random
import struct
import sys
import threading
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

import autograd_lite as ag
from autograd_lite import InputError, MissingError, Value, compile, grad, value_and_grad
from autograd_lite.native import choice, runtime, sums
from autograd_lite.native.language import Untranslatable, function_of
from autograd_lite.ops import special
from autograd_lite.programs import stats

llvmlite = pytest.importorskip("llvmlite")

from autograd_lite.native.calls import caller                   # noqa: E402
from autograd_lite.native.engine import Library                 # noqa: E402
from autograd_lite.native.language import functions_in          # noqa: E402
from autograd_lite.native.llvm import Unit                      # noqa: E402

floats = st.floats(allow_nan=False)
NEAR = st.floats(-3.0, 3.0)


def same(a, b):
    return struct.pack("d", a) == struct.pack("d", b) or a != a and b != b or a == b == 0.0


# -- the small language ----------------------------------------------------------------------------------

def steps(a: float, b: float) -> float:
    total, n = 0.0, 3
    for i in range(n):
        total += a * i
        if total > b:
            continue
        total -= 0.5
    for i in range(5, 1, -2):
        total = total - i if i != 3 or b < 0.0 else total
    while total > 10.0 and b == b:
        total *= 0.5
        if total < 11.0 or not a:
            break
    xs = [a, b, total]
    xs[1] += xs[-1]
    return max(xs[0], xs[1], (c := min(a, 2.0))) + (c if 0.0 < b <= 1e300 else -c) + a % 0.7 + abs(b) // 3.0


def number(a: float, b: float) -> float:
    """What Python makes of ints and truth values."""
    n = int(a * 2.0)
    flag = a < b
    return float(n * n - 2) + (flag == (n > 1)) + math.copysign(math.floor(a), b) + math.sqrt(abs(b))


def raising(a: float, b: float) -> float:
    if a < b:
        raise ValueError
    return math.log(a - b)


def native(*functions):
    """The last of these, compiled: a function of an array of two."""
    unit = Unit()
    text = f"""
def f(inputs: Floats, out: Floats) -> int:
    out[0] = {functions[-1].__name__}(inputs[0], inputs[1])
    return -2
"""
    unit.add(functions_in(text, {functions[-1].__name__: functions[-1]})[0], "f", public=True)
    return caller(Library(unit)["f"], 2, 0, 1)


COMPILED = {f: native(f) for f in (steps, number, raising, runtime.modulo, runtime.floored)}


@given(NEAR | floats, NEAR | floats)
def test_the_language_is_python(a, b):
    assume(abs(a) < 1e9 and abs(b) < math.inf)          # (ints have 64 bits)
    for f in (steps, number):
        assert same(COMPILED[f](a, b, [])[0], f(a, b)), f


@given(floats | st.integers(-9, 9).map(float), floats | st.integers(-9, 9).map(float))
def test_what_python_writes_as_an_operator(a, b):
    for f, op in ((runtime.modulo, lambda: a % b), (runtime.floored, lambda: a // b)):
        found = COMPILED[f](a, b, [])
        if b and math.isfinite(a):
            assert same(found[0], op())
            assert math.isinf(a / b) or same(f(a, b), op())     # (Python's floor takes no infinity)
        else:
            assert found == -1                  # nan: the eager way


def test_what_raises_is_not_a_number():
    assert COMPILED[raising](1.0, 2.0, []) == -1 and COMPILED[raising](2.0, 1.0, []) == (0.0,)


def test_numbers_of_other_kinds_are_read_and_text_is_refused():
    assert COMPILED[raising](np.float64(2.0), True, []) == (0.0,)
    with pytest.raises(TypeError):
        COMPILED[raising]("2", 1.0, [])


@pytest.mark.parametrize("text", ["x ** 2.0", "x if x else 'a'", "[x for x in (1.0, 2.0)]", "x @ x", "f'{x}'",
                                  "x.real", "x[0]", "unknown(x)", "x < 9007199254740993", "round(n=x)"])
def test_what_is_not_in_the_language_is_refused(text):
    [function] = functions_in(f"def f(x):\n    return {text}", {})
    with pytest.raises(Untranslatable):
        Unit().add(function)


def test_functions_without_a_source_are_refused():
    for f in (len, lambda x: x, eval("lambda x: x"), random.Random().random):
        with pytest.raises(Untranslatable):
            function_of(f)


# -- kernels of many floats ------------------------------------------------------------------------------

MANY = {getattr(sums, name): getattr(special, name)
        for name in ("fsum", "share", "rest_share", "logsumexp", "log_share", "mean")}


ODD = st.sampled_from([0.0, 1.0, -1.0, 1e-17, 50.0, -50.0])


@given(st.lists(NEAR | ODD | floats, min_size=1, max_size=20))
def test_kernels_of_many_floats(xs):
    """They are exact, or nan."""
    parts = [0.0] * len(xs)
    for f, kernel in MANY.items():
        y = f(len(xs), xs, parts[:]) if f.__code__.co_argcount > 2 else f(len(xs), xs)
        assert y != y or same(y, kernel(*xs)), f
    out = parts[:]
    assert sums.shares(len(xs), xs, parts, out) or out == special.shares(xs)


def test_kernels_of_many_floats_are_seldom_unsure():
    random.seed(7)
    for _ in range(300):
        xs = [random.gauss(0.0, random.choice((1e-3, 1.0, 30.0))) for _ in range(random.randint(1, 30))]
        parts = [0.0] * len(xs)
        for f in MANY:
            y = f(len(xs), xs, parts[:]) if f.__code__.co_argcount > 2 else f(len(xs), xs)
            assert y == y, (f, xs)


# -- bound functions -------------------------------------------------------------------------------------

def loss(x, y):
    z = ag.tanh(x[0] * y) + x[1] * ag.exp(-x[0])
    if z > 0.4:
        z = z * x[1]
    return z + ag.log(y)


def bound(f, *args, **options):
    fast = compile(f, target="native", **options)
    return fast, fast.bind(*args)


def test_a_run_reads_the_arrays_where_they_lie_and_returns_the_same_ones():
    x, g = np.array([0.3, 0.7]), value_and_grad(loss, argnums=(0, 1))
    y = np.array(1.2)
    fast, run = bound(g, x, y)
    first = run()
    for x[0] in (0.1, 0.2, -3.0, 5.0, 0.3):             # (another branch, too)
        for y[...] in (0.5, 1.5):
            found = run()
            assert found is first
            value, (dx, dy) = g(x, float(y))
            assert found[0] == value and found[1][0].tolist() == dx.tolist() and found[1][1] == dy
    assert fast.latest.way == "native"


def test_a_run_that_fails_is_the_ordinary_call():
    y = np.array(1.0)
    _, run = bound(grad(loss, argnums=1), np.array([1.0, 2.0]), y)
    run()
    y[...] = 2.0
    kept = run().copy()
    y[...] = -1.0
    for _ in range(2):
        with pytest.raises(ag.DomainError):
            run()
    y[...] = 2.0
    assert run() == kept


RATE = 3.0


def test_what_a_bound_function_reads_may_change():
    global RATE
    w, x = Value(2.0), np.array(1.0)
    _, run = bound(lambda x: x * w * RATE, x)
    assert run() == 6.0
    x[...] = 2.0
    assert run() == 12.0 and run() == 12.0
    w.data = 5.0
    assert run() == 30.0
    try:
        RATE = 4.0
        assert run() == 40.0
    finally:
        RATE = 3.0
    assert run() == 30.0


def test_results_keep_their_structure():
    def f(a, scale):
        return {"many": a * scale, "one": a[0, 1], "fixed": 7.0, "flag": True, "text": "x",
                "mixed": np.array([a[0, 0] * 2.0, 1.0])}

    a = np.arange(6.0).reshape(2, 3)
    _, run = bound(f, a, 2.0)
    for a[0, 0] in (1.0, 2.0, 3.0):
        found = run()
        assert found["many"].tolist() == (a * 2.0).tolist() and found["flag"] is True
        assert (found["one"], found["fixed"], found["text"]) == (1.0, 7.0, "x")
        assert found["mixed"].tolist() == [2.0 * a[0, 0], 1.0]


def test_numbers_that_a_bound_program_always_gives_are_there_after_a_call_that_gave_others():
    np = pytest.importorskip("numpy")
    x = np.array([1.0, 1.0])
    fast = ag.compile(lambda x: (x[0] * 2.0, 5.0) if x[1] > 0.0 else (x[0], 7.0), target="native",
                      max_programs=1, on_limit="eager")
    run = fast.bind(x)
    for x[1] in (1.0, 2.0, 3.0, -1.0, 1.0, -1.0, 1.0):
        assert list(map(float, run())) == ([2.0, 5.0] if x[1] > 0.0 else [1.0, 7.0])


def test_what_cannot_be_bound_is_refused():
    fast = compile(lambda x: x[0] * 2.0, target="native")
    for x, word in ((np.arange(4.0)[::2], "ascontiguousarray"), (np.arange(4), "ascontiguousarray"),
                    (np.arange(4.0, dtype=np.float32), "ascontiguousarray"), ([Value(1.0)], "Values"),
                    ([2 ** 60], r"ints below 2\*\*53")):
        with pytest.raises(InputError, match=word):
            fast.bind(x)


def test_another_structure_of_results_is_refused():
    x = np.array(1.0)
    _, run = bound(lambda x: (x, x) if x > 0.0 else (x, x, x), x)
    run()
    x[...] = -1.0
    with pytest.raises(InputError, match="returned 2 numbers and now returns 3"):
        run()


def test_without_native_code_bound_functions_are_ordinary():
    x = np.array([2.0, 3.0])
    run = compile(grad(lambda x: x[0] * x[1]), target="python").bind(x)
    first = run()
    x[0] = 7.0
    assert run() is first and first.tolist() == [3.0, 7.0]


def test_a_bound_function_outlives_what_it_was_made_of():
    def made():
        x = np.array([0.5, 0.25])
        return x, compile(grad(lambda x: ag.sin(x[0]) * x[1]), target="native").bind(x)

    x, run = made()
    for x[0] in (0.1, 0.2, 0.3):
        assert run().tolist() == [math.cos(x[0]) * 0.25, math.sin(x[0])]


def test_other_numbers_than_those_of_arrays_are_as_they_were():
    factors, x = [2.0, 3.0], np.array([1.0])
    for target in ("native", "python"):
        run = compile(lambda factors, x: factors[0] * x[0], target=target).bind(factors, x)
        x[0] = 5.0
        assert run() == 10.0
        factors[0] = 7.0
        assert run() == 10.0 and run() == 10.0
        factors[0], x[0] = 2.0, 1.0


def test_a_method_is_bound_with_its_object():
    class Scale:
        rate = 2.0

        @compile
        def scaled(self, x):
            return x[0] * self.rate

    thing, x = Scale(), np.array([1.0])
    run = thing.scaled.bind(x)
    assert run() == 2.0
    x[0] = 4.0
    assert run() == 8.0 and run() == 8.0
    thing.rate = 3.0
    assert run() == 12.0


# -- direct calls ----------------------------------------------------------------------------------------

def direct(f, *points):
    """f compiled, after calls that make it direct."""
    fast = compile(f, target="native")
    for point in points:
        fast(*point)
    fast(*points[-1])
    assert type(fast).__name__ == "Direct"
    return fast


def test_a_direct_call_is_the_call():
    g = value_and_grad(loss, argnums=(0, 1))
    fast = direct(g, ([0.3, 0.7], 1.0), ([0.4, 0.7], 1.0))
    points = [0.1, 0.2], [-3.0, 0.5], [5.0, 0.1], (0.1, 0.2), [1, 0.2], np.array([0.1, 0.2]), {0: 0.1, 1: 0.3}
    for x in points:
        for y in (0.5, 2, np.float64(1.5)):
            assert repr(fast(x, y)) == repr(g(x, y)), (x, y)
    named = direct(loss, ([0.3, 0.7], 1.0), ([0.4, 0.7], 1.0))
    assert named([0.1, 0.2], y=1.0) == named(y=1.0, x=[0.1, 0.2]) == named([0.1, 0.2], 1.0)
    with pytest.raises(ag.DomainError):
        fast([0.1, 0.2], -1.0)
    for args in ((), ([0.1, 0.2],), ([0.1, 0.2], 1.0, 2.0), ([0.1], 1.0), (None, 1.0)):
        with pytest.raises(Exception) as error:
            g(*args)
        with pytest.raises(type(error.value)):
            fast(*args)


def test_results_of_direct_calls_have_their_structure():
    def f(x, y):
        return [x[0] * y, (x[1], [x[0], y]), (), [[y]]]

    fast = direct(f, ((1.0, 2.0), 3.0), ((1.5, 2.0), 3.0))
    assert fast((5.0, 6.0), 7.0) == [35.0, (6.0, [5.0, 7.0]), (), [[7.0]]]


def test_direct_calls_mind_modes_and_values():
    fast = direct(ag.exp, (1.0,), (2.0,))
    x = Value(0.5)
    y = fast(x)
    assert isinstance(y, Value) and grad(fast)(0.5) == math.exp(0.5)
    with pytest.raises(ag.RangeError):
        fast(1000.0)
    with ag.errstate("ignore"):
        assert fast(1000.0) == math.inf
    with ag.no_grad():
        assert fast(2.0) == math.exp(2.0)


def test_direct_calls_read_what_f_reads():
    global RATE
    w, box, entry = Value(2.0), {"a": 1.0}, 10.0

    def f(x):
        return x * w * RATE + box["a"] + entry

    fast = direct(f, (1.0,), (2.0,))
    assert fast(3.0) == 29.0
    w.data = 3.0
    assert fast(3.0) == 38.0
    box["a"] = 2.0
    assert fast(3.0) == 39.0 and fast(3.0) == 39.0
    entry = 20.0
    assert fast(3.0) == 49.0
    try:
        RATE = 1.0
        assert fast(3.0) == 31.0
        RATE = 3.0
        assert fast(3.0) == 49.0
    finally:
        RATE = 3.0
    w.requires_grad = False
    assert fast(3.0) == 49.0
    f.__defaults__ = (0.0,)
    assert fast() == 22.0


def test_native_calls_keep_the_count_of_references():
    w = Value(2.0)
    fast = direct(lambda x, y: [x[0] * y * w, (x[1], 1.0 * y)], ([1.0, 2.0], 3.0), ([1.5, 2.0], 3.0))
    x = np.array([1.0, 2.0])
    run = compile(lambda x: x[0] * w, target="native").bind(x)
    program, wrong = fast.latest.run, [0.1, "2"]

    def work():
        for _ in range(100):
            fast([1.0, 2.0], 3.0)
            run()
            program(1.0, 2.0, 3.0, [2.0])
            with contextlib.suppress(TypeError):
                program(*wrong, 3.0, [2.0])
    work()
    x[0] = 2.0
    work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(5):
        work()
    gc.collect()
    assert sys.getallocatedblocks() - before < 50


# -- which way programs run ------------------------------------------------------------------------------

def test_without_llvmlite_one_line_says_what_it_brings(monkeypatch):
    fast = compile(lambda x: x * 2.0, target="python")
    assert [fast(x) for x in (1.0, 2.0)] == [2.0, 4.0]
    assert "pip install" not in repr(fast.stats)
    for module in (stats, choice):
        monkeypatch.setattr(module, "available", lambda: False)
    assert repr(fast.stats).splitlines()[-1] == (
        "pip install 'autograd-lite[fast]' brings native code, 5 to 100 times as fast")
    fast = compile(lambda x: x * 2.0)
    assert [fast(x) for x in (1.0, 2.0)] == [2.0, 4.0] and fast.stats.target == "python"
    assert fast.iterate(1.0, 500) == 2.0 ** 500
    with pytest.raises(MissingError, match="fast"):
        compile(lambda x: x, target="native")


def test_a_program_called_often_becomes_native():
    fast = compile(lambda x: ag.sin(x) * x)
    assert fast(1.0) == math.sin(1.0) and fast(2.0) == 2.0 * math.sin(2.0)
    assert fast.stats.target == "python"
    fast.latest._left = 3
    for x in (0.1, 0.2, 0.3, 0.4, 0.5):
        assert fast(x) == math.sin(x) * x
    assert fast.stats.target == "native"


def test_native_code_runs_in_many_threads():
    fast = compile(value_and_grad(loss, argnums=(0, 1)), target="native")
    points = [([0.1 * k, 0.5], 1.0 + k) for k in range(20)]
    expected = [value_and_grad(loss, argnums=(0, 1))(*point) for point in points]
    wrong = []

    def work():
        for _ in range(30):
            for point, y in zip(points, expected):
                if fast(*point) != y:
                    wrong.append(point)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_op_of_one_s_own_is_called_back():
    cube = ag.custom_op(lambda x: x ** 3 if x < 5.0 else {}[x], (lambda y, x: 3.0 * x * x,), name="cubed")
    fast = compile(grad(lambda x: cube(x) * 2.0), target="native")
    assert [fast(x) for x in (1.0, 2.0, 3.0)] == [6.0, 24.0, 54.0]
    assert fast.stats.target == "native"
    with pytest.raises(KeyError):
        fast(6.0)


@given(st.lists(st.floats(), min_size=1))
def test_a_square_is_that_of_the_c_library(xs):
    for x in [*xs, *[7.5 + 3.1 * x for x in xs]]:
        try:
            want = math.pow(x, 2.0)
        except OverflowError:
            continue
        assert same(runtime.square(x), want)


# -- what must not go by unseen --------------------------------------------------------------------------

def test_an_interruption_during_a_question_comes_through():
    class Interrupt(BaseException):
        pass

    class Held:
        pass

    def trace(frame, event, arg):               # (the second frame is a question)
        if next(frames) == 1:
            sys.settrace(None)
            raise Interrupt

    held = Held()
    held.a = 3.0
    f = lambda x: x * sum(vars(held).values())                  # noqa: E731
    fast = direct(f, (1.0,), (2.0,))
    x = np.array(2.0)
    run = compile(f, target="native").bind(x)
    x[...] = 3.0
    run(), run()
    for way in (lambda: fast(3.0), lambda: run()):
        frames, outer = itertools.count(), sys.gettrace()
        with pytest.raises(Interrupt):
            try:
                sys.settrace(trace)
                way()
            finally:
                sys.settrace(outer)
        assert next(frames) == 2 and way() == 9.0


def test_arrays_that_were_bound_keep_their_form():
    for change in (lambda x: setattr(x, "shape", (2, 2)), lambda x: setattr(x, "dtype", np.int64)):
        x = np.array([1.0, 2.0, 3.0, 4.0])
        run = compile(lambda x: x[1] * 2.0 if x.ndim == 1 else x[1, 0] * 3.0, target="native").bind(x)
        x[1] = 5.0
        assert run() == 10.0 and run() == 10.0
        with warnings.catch_warnings():         # (NumPy would not have it)
            warnings.simplefilter("ignore")
            change(x)
        for _ in range(2):
            with pytest.raises(InputError, match="bind it again"):
                run()


def test_long_lists_and_deep_results_are_no_trouble():
    xs = [1.0] * 200_000
    fast = compile(lambda xs: xs[0] * 2.0 + xs[-1], target="native")
    for xs[0] in (1.0, 2.0, 3.0, 4.0):
        assert fast(xs) == xs[0] * 2.0 + 1.0

    def nested(x):
        y = x * 2.0
        for _ in range(200):
            y = y,
        return y
    y = compile(nested)(2.0)
    for _ in range(200):
        y, = y
    assert y == 4.0
