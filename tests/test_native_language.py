"""Vectors of the processor, what is not in the small language and why, and how points are parted."""
import ctypes
import functools
import gc
import math
import random
import struct
import sys
import weakref
from types import FunctionType

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.native import lanes, many, workers
from autograd_lite.native.language import Untranslatable, function_of, functions_in
from autograd_lite.native.llvm import Unit
from autograd_lite.native.objects import list_size
from autograd_lite.native.vectors import VectorBody, VectorUnit
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.points import Grid
from autograd_lite.programs.tracing import trace

nan, inf = math.nan, math.inf

# -- vectors of the processor ---------------------------------------------------------------------------


@pytest.mark.parametrize("features, width, tuned", [
    ({"avx512f": True, "avx2": True, "sse2": True}, 8, True), ({"avx2": True, "sse2": True}, 4, True),
    ({"sse2": True}, 2, True), ({"neon": True}, 2, False), ({}, 2, False)])
def test_a_vector_is_as_wide_as_a_register(monkeypatch, features, width, tuned):
    monkeypatch.setattr(lanes, "features", lambda: features)
    assert lanes.width.__wrapped__() == width
    assert lanes.tuned.__wrapped__() == ['"tune-cpu"="haswell"'] * tuned
    if "sse2" not in features:
        assert lanes._libmvec.__wrapped__() is None
    monkeypatch.setattr(sys, "platform", "darwin")
    assert lanes._libmvec.__wrapped__() is None


def test_vector_functions_have_the_names_that_glibc_gives_them(monkeypatch):
    if not lanes.features().get("sse2") or sys.platform != "linux":
        assert lanes.symbol("sin", 1) == ""
        return
    try:
        ctypes.CDLL("libmvec.so.1")
    except OSError:
        assert lanes.symbol("sin", 1) == ""
        return
    letter = {2: "b", 4: "d", 8: "e"}[lanes.width()]
    assert lanes.symbol("sin", 1) in ("", f"_ZGV{letter}N{lanes.width()}v_sin")
    assert lanes.symbol("pow", 2) in ("", f"_ZGV{letter}N{lanes.width()}vv_pow")
    assert lanes.symbol("exp", 1) and lanes.symbol("pow", 2)
    assert lanes.symbol("cbrt", 1) == lanes.symbol("nothing", 1) == ""
    monkeypatch.setattr(lanes, "agrees", lambda *what: False)
    assert lanes.symbol.__wrapped__("exp", 1) == ""


@pytest.fixture(scope="module")
def off():
    """A function of vectors that is |x|, or copysign(x, y), but for so many units where x is one number."""
    pytest.importorskip("llvmlite")
    from autograd_lite.native.engine import Library

    n, wrong = lanes.width(), (ctypes.c_int64 * 2)()
    real, bits = f"<{n} x double>", f"<{n} x i64>"
    place = f"inttoptr (i64 {ctypes.addressof(wrong)} to ptr)"
    shuffled = f"shufflevector {bits} %{{0}}i, {bits} poison, <{n} x i32> zeroinitializer"
    splat = "".join([f"""
  %{x} = load i64, ptr getelementptr (i64, ptr {place}, i64 {i})
  %{x}i = insertelement {bits} poison, i64 %{x}, i64 0
  %{x}s = {shuffled.format(x)}""" for i, x in enumerate(("at", "by"))])
    change = f"""{splat}
  %now = bitcast {real} %x to {bits}
  %is = icmp eq {bits} %now, %ats
  %yb = bitcast {real} %y to {bits}
  %more = add {bits} %yb, %bys
  %z = select <{n} x i1> %is, {bits} %more, {bits} %yb
  %r = bitcast {bits} %z to {real}
  ret {real} %r
}}"""
    library = Library(f"""
declare {real} @llvm.fabs.v{n}f64({real})
declare {real} @llvm.copysign.v{n}f64({real}, {real})
define {real} @one({real} %x) {{
  %y = call {real} @llvm.fabs.v{n}f64({real} %x){change}
define {real} @two({real} %x, {real} %other) {{
  %y = call {real} @llvm.copysign.v{n}f64({real} %x, {real} %other){change}
""", vectors=True, stored=False)

    def agrees(x, units, n=1):
        wrong[:] = struct.unpack("q", struct.pack("d", x))[0], units
        return lanes.agrees(("fabs", "copysign")[n - 1], n, library[("one", "two")[n - 1]])
    return agrees


@pytest.mark.parametrize("x", [
    0.0, -0.0, 5e-324, -1e-310, 2.2250738585072014e-308, -1e-160, 1e-20, -1e-8, 0.001, 0.1, -0.3, 0.5, 0.7,
    -0.9, math.nextafter(1.0, 0.0), 1.0, -1.0, math.nextafter(1.0, 2.0), 1.5, -2.0, 3.0, -math.pi, 10.0, 20.0,
    -26.5, 27.3, 100.0, -700.0, 709.78, 709.79, 710.4, -708.4, -745.0, -746.0, 1023.9, 1024.0, -1022.5,
    -1074.0, -1080.0, 1e5, -1e8, 1e16, 1e22, -1e100, 1e300, sys.float_info.max, inf, -inf])
def test_a_vector_function_that_is_off_at_a_number_where_functions_turn_is_not_used(off, x):
    """Zeros, the smallest numbers, where asin and log1p end, where exp, exp2, sinh and erfc are 0 or
    infinite, and large ones, at which sin must reduce much."""
    assert not off(x, 9)
    assert off(0.123, 9)                        # (where nobody looks)


@pytest.mark.parametrize("n", [1, 2])
def test_four_units_are_allowed_and_five_are_not(off, n):
    for x in (0.7, 1.5, 3.0, 1e22):
        assert [units for units in range(-9, 10) if off(x, units, n)] == [*range(-4, 5)]


def test_an_infinite_number_in_place_of_a_finite_one_is_off(off):
    largest = struct.unpack("q", struct.pack("d", inf))[0] - struct.unpack("q", struct.pack("d", 1e300))[0]
    assert not off(1e300, largest) and not off(nan, -(1 << 62))


# -- the language ---------------------------------------------------------------------------------------

PLAIN = "line 1: only plain parameters: def f({}):\n    return x"


@pytest.mark.parametrize("head, body, why", [
    ("x, *y", "return x", PLAIN.format("x, *y")), ("x, **y", "return x", PLAIN.format("x, **y")),
    ("x, *, y", "return x", PLAIN.format("x, *, y")), ("x, /", "return x", PLAIN.format("x, /")),
    ("x: str", "return 1.0", "a parameter or result of type str"),
    ("x: Floats", "return x", "f: floats where float is needed"),
    ("x", "with x:\n        pass", "line 2: not in the language: with x:\n    pass")])
def test_what_is_not_in_the_language_is_refused_and_why(head, body, why):
    with pytest.raises(Untranslatable) as error:
        [function] = functions_in(f"def f({head}):\n    {body}", {})
        Unit().add(function)
    assert str(error.value) == why


@pytest.mark.parametrize("head, body, why", [
    ("x", "return 1.0 if unknown(x) else 2.0", "line 2: no such function: unknown(x)"),
    ("x", "return 1.0 if list_size(x) is None else 2.0",
     "Extern(symbol='PyList_Size', result='int', kinds=('object',)) is not for lanes"),
    ("x: Ints", "return 1.0", "f: x is of ints"),
    ("x: Object", "return 1.0", "f: x is of object"),
    ("x", "for i in range(int(x)):\n        pass", "f: lanes where one number for all lanes is needed"),
    ("x: Floats", "return x[x[0]]", "line 2: not in the language: x[x[0]]"),
    ("x", "y, z = x", "line 2: not in the language: (y, z)"),
    ("x", "x[0] = 1.0", "line 2: not in the language: x[0]"),
    ("x: Floats", "x[0.5] = 1.0", "line 2: not in the language: x[0.5]"),
    ("x: Floats", "return x", "f: floats where float is needed")])
def test_what_has_no_form_over_lanes_is_refused_and_why(head, body, why):
    with pytest.raises(Untranslatable) as error:
        [function] = functions_in(f"def f({head}):\n    {body}", {"list_size": list_size})
        VectorUnit().add(function, body=VectorBody)
    assert str(error.value) == why


def test_a_function_that_was_refused_once_is_refused_again():
    [function] = functions_in("def f(x):\n    return 'a'", {})
    unit = Unit()
    for why in ("line 2: not in the language: 'a'", "<native function f> is not in the language"):
        with pytest.raises(Untranslatable) as error:
            unit.add(function)
        assert str(error.value) == why


disguised = lambda x: x                         # noqa: E731
disguised.__name__ = "disguised"


def test_what_is_no_function_is_refused_and_why():
    for f, why in ((len, "len has no source of its own"), (disguised, "disguised is no function"),
                   (random.Random, "Random has no source of its own"),
                   (lambda x: x, "<lambda> has no source of its own"),
                   (FunctionType(compile("x", "", "eval"), {}, "f"), "f has no source")):
        with pytest.raises(Untranslatable) as error:
            function_of(f)
        assert str(error.value) == why


# -- points ---------------------------------------------------------------------------------------------


def test_there_is_at_least_one_processor(monkeypatch):
    assert many.processors() >= 1
    monkeypatch.delattr(many.os, "sched_getaffinity", raising=False)
    for count, found in ((None, 1), (6, 6)):
        monkeypatch.setattr(many.os, "cpu_count", lambda: count)
        assert many.processors() == found
    monkeypatch.setattr(many.os, "sched_getaffinity", lambda who: [{3, 5, 6}][who], raising=False)
    assert many.processors() == 3


@pytest.mark.parametrize("n, size, summed, n_sums, starts, threads", [
    (100, 20, None, 0, [0], 1), (100_000, 20, None, 1, [0, 26176, 52352, 78528], 1),
    (400_000, 20, None, 1, range(0, 400_000, 26176), 3), (60_000, 52, None, 0, range(0, 60_000, 10048), 3),
    (300, 10 ** 6, None, 0, [0, 64, 128, 192, 256], 3), (100, 10 ** 6, None, 0, [0, 64], 2),
    (400_000, 20, (False, False), 0, range(0, 400_000, 26176), 3), (400_000, 20, (True, False), 1, [0], 1),
    (100_000, 20, None, 0, range(0, 100_000, 26176), 1), (100_001, 20, None, 0, range(0, 100_001, 26176), 3)])
def test_points_are_taken_in_parts_by_several_threads_unless_they_are_added_up_one_by_one(
        monkeypatch, n, size, summed, n_sums, starts, threads):
    pytest.importorskip("llvmlite")
    monkeypatch.setattr(many, "processors", lambda: 3)
    x = np.zeros(n)
    job = many.Job(0, summed, size, grid_of(x), n_sums, [x.ctypes.data] * 2)
    assert list(job.starts) == list(starts) and len(job.parts) == threads
    assert job.totals.shape == (len(job.starts), len(summed or ()) or n_sums)
    assert job.fates.shape == (n,)


@pytest.mark.parametrize("columns, outs, sums", [(1, 0, 0), (1, 3, 0), (4, 1, 2), (0, 2, 1)])
def test_a_thread_has_memory_of_its_own_for_one_vector_of_each_column_and_sum(columns, outs, sums):
    pytest.importorskip("llvmlite")
    x = np.zeros(7)
    grid = Grid(7, ((True, columns), (False, 2)), [x.ctypes.data] * columns, many.array("d", [0.0] * 2), [x])
    job = many.Job(0, None, 20, grid, sums, [x.ctypes.data] * outs)
    w = lanes.width()
    (facts, (memory, numbers)), = job.parts
    assert len(memory) == (columns + outs) * (1 + w) + w + sums * w and numbers is grid.numbers
    assert facts.tolist() == [
        0, job.columns.buffer_info()[0], grid.numbers.buffer_info()[0], job.into.buffer_info()[0],
        memory.ctypes.data + 8 * (len(memory) - w * sums), 0, job.fates.ctypes.data, memory.ctypes.data,
        job.spots.buffer_info()[0], columns, outs, sums, 0, 0, 0]
    assert (job.columns.tolist(), job.into.tolist(), job.spots.tolist()) == (
        [x.ctypes.data] * columns, [x.ctypes.data] * outs, [])


def test_sums_of_parts_are_added_up_or_go_from_left_to_right(monkeypatch):
    pytest.importorskip("llvmlite")
    monkeypatch.setattr(many, "_CHUNK", 0)
    rng = random.Random(8)
    x = np.array([rng.gauss(0.0, 10.0 ** rng.randrange(6)) for _ in range(200)])
    for n in (200, 128, 65, 64, 10):
        for rounding in ("vector", "eager"):
            fast = ag.compile(lambda x: (x * x, x * 3.0), batch=0, reduce="sum", target="native",
                              rounding=rounding)
            found, true = fast(x[:n]), [0.0, 0.0]
            for t in x[:n].tolist():
                true = [true[0] + t * t, true[1] + t * 3.0]
            assert np.allclose(found, true, rtol=1e-13)
            assert [*found] == true or rounding == "vector"


def grid_of(x):
    return Grid(len(x), ((True, 1),), [x.ctypes.data], many.array("d", [0.0]), [x])


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("rounding", ["vector", "eager"])
def test_a_run_says_whether_all_points_are_fine(monkeypatch, threads, rounding):
    pytest.importorskip("llvmlite")
    monkeypatch.setattr(many, "processors", lambda: threads)
    monkeypatch.setattr(many, "_CHUNK", 0)
    monkeypatch.setattr(many, "_PAYS", 0)
    made = many.Many(trace(ag.log, (1.5,), {}, False, Environment(ag.log)).recording)
    assert made.seconds == 0.0 and made.size == len(made.recording.code) + 10
    x, y = np.linspace(1.0, 2.0, 1000), np.zeros(1000)
    job = made.job(grid_of(x), (False,), [y.ctypes.data], rounding)
    assert 0.0 < made.seconds < 60.0 and len(job.parts) == threads
    assert (None in made.cores) == (rounding == "eager")
    assert job.run() is True and np.allclose(y, np.log(x), rtol=1e-14)
    for bad in (0, 500, 999):
        x[bad] = -1.0
        assert job.run() is False and set(job.fates[:1000].tolist()) == {-1, -2} and job.fates[bad] == -1
        x[bad] = 1.0
    assert job.run() is True and set(job.fates[:1000].tolist()) == {-2}


def test_what_a_worker_held_is_let_go():
    class Held:
        pass

    held = Held()
    gone = weakref.ref(held)
    workers.begin(functools.partial(id, held))()
    del held
    gc.collect()
    assert gone() is None
