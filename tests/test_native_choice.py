"""When native code is made, in what parts loops run in it, and how it comes to be."""
import ctypes
import re
import sys
import threading
import time
from array import array

import pytest

import autograd_lite as ag
from autograd_lite import MissingError, Value, compile
from autograd_lite.native import choice, engine, iterate
from autograd_lite.native.calls import DONE
from autograd_lite.native.iterate import Layout, loop, sources_of, text_of_loop
from autograd_lite.ops.elementary import add
from autograd_lite.programs import iteration
from autograd_lite.programs.code import Code
from autograd_lite.programs.python import EAGER
from autograd_lite.programs.recording import Recording

pytest.importorskip("numpy")
pytest.importorskip("llvmlite")
from autograd_lite.native import lanes, replay                     # noqa: E402
from autograd_lite.native.engine import Library                    # noqa: E402
from autograd_lite.native.many import Many                         # noqa: E402


def of_length(n, inputs=1):
    """A recording of so many instructions: its inputs, and a sum of them again and again."""
    code = Code()
    given = [code.input(0.5) for _ in range(inputs)]
    y = given[0]
    for _ in range(n - inputs):
        y = code.new(add, (y, given[0]), 0.5)
    assert len(code) == n
    return Recording(code, given, [], [y], [], {}, {})


# -- what it costs --------------------------------------------------------------------------------------

@pytest.mark.parametrize("n, seconds, calls", [(1, 0.0251, 104583), (6, 0.0256, 58181), (100, 0.035, 8333),
                                               (1000, 0.125, 3109), (3000, 0.325, 2703)])
def test_native_code_is_made_when_it_would_have_paid(n, seconds, calls):
    assert choice.cost(of_length(n)) == pytest.approx(seconds, rel=1e-12)
    assert choice.patience(of_length(n)) == calls           # (of 40 ns for each instruction, and five more)


@pytest.mark.parametrize("n, points, in_turn, seconds", [
    (10, 1, True, 4e-7), (10, 1000, True, 4e-4), (10, 1, False, 1.5e-5), (10, 999, False, 1.5e-5),
    (10, 1000, False, 3e-5), (10, 2500, False, 4.5e-5), (30, 2500, False, 1.35e-4), (30, 100, True, 1.2e-4)])
def test_what_points_take_without_it(n, points, in_turn, seconds):
    assert choice.spent(of_length(n), points, in_turn) == pytest.approx(seconds, rel=1e-12)


def test_code_of_more_than_3000_instructions_is_a_loop_over_tables():
    assert not choice.is_big(of_length(3000)) and choice.is_big(of_length(3001))
    assert type(choice.core(of_length(30))) is int and choice.core(of_length(30))
    assert type(choice.core(of_length(3001))) is replay.Address
    assert isinstance(choice.many(of_length(3000)), Many) and choice.many(of_length(3001)) is None


@pytest.mark.parametrize("inputs, results, is_call", [
    (19_998, 1, True), (19_999, 1, True), (20_000, 1, False), (19_800, 200, True), (19_801, 200, False),
    (2, 200, True), (2, 201, False)])
def test_20000_numbers_may_lie_on_a_threads_stack_and_200_results_are_floats(inputs, results, is_call):
    recording = of_length(inputs + 1, inputs)
    recording = recording._replace(outputs=recording.outputs * results, captured=recording.inputs[-1:],
                                   inputs=recording.inputs[:-1])
    core = choice.core(recording)
    function = choice.function(recording, core)
    found = function(2.0, *[1.0] * (inputs - 2), [3.0])
    assert type(found) is (tuple if is_call else array) and list(found) == [4.0] * results
    assert (getattr(function, "program", 0) == core) is not is_call


def test_of_many_results_too_a_number_says_that_there_are_none():
    code = Code()
    x = code.input(0.5)
    recording = Recording(code, [x], [], [code.new(add, (x, x), 1.0)] * 201, [], {}, {})
    function = choice.function(recording, choice.core(recording))
    assert function(1e308, []) == EAGER and list(function(3.0, [])) == [6.0] * 201


def test_what_is_pythons_alone_has_no_core():
    own = ag.custom_op(lambda x: {}.get(1, x), (lambda y, x: 1.0,), name="own_for_choice")
    many = compile(lambda x: sum([own(x + k) for k in range(2000)]), target="python")
    many(0.5)
    assert choice.core(many.used().recording) == 0


def test_whether_there_is_native_code(monkeypatch):
    assert choice.possible() is engine.available() is True
    choice.require()
    monkeypatch.setattr(choice, "available", lambda: False)
    assert choice.core(of_length(3)) == 0 and choice.many(of_length(3)) is None and not choice.possible()
    with pytest.raises(MissingError, match="target='native' needs llvmlite"):
        choice.require()
    monkeypatch.setattr(choice, "supported", lambda: False)
    with pytest.raises(ag.InputError, match="target='native' is not for Windows; leave target= out: "):
        choice.require()


def test_without_llvmlite_or_on_windows_there_is_none(monkeypatch):
    asked = engine.available.__wrapped__
    assert asked() is True
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        assert asked() is False
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    assert asked() is False


# -- loops ----------------------------------------------------------------------------------------------

def stepping(f, before, size, row):
    """A step on lists of numbers as a native loop."""
    fast = compile(f)
    numbers = [0.5 + 0.25 * i for i in range(before + size + row)]
    fast(numbers[:before], numbers[before:before + size], numbers[before + size:])
    program = fast.used()
    return loop(program.recording, Layout(before, size, row, sources_of(program)[1]))


def test_the_parts_of_a_loop_take_about_five_milliseconds(monkeypatch):
    """After quicker ones come longer ones, after slower ones shorter: an interruption comes through between
    them."""
    took = [0.0, 0.00124, 0.0012, 0.00125, 0.005, 0.01, 0.01001, 0.011, *[1.0] * 15]
    wanted = [256, 1024, 4096, 16384, 16384, 16384, 16384, 8192]
    while wanted[-1] > 1:
        wanted.append(wanted[-1] // 2)
    wanted += [1] * (len(took) - len(wanted))
    times = iter([1.0, 1.0, *[x for second in took[1:] for x in (0.0, second)]])
    monkeypatch.setattr(iterate, "perf_counter", lambda: next(times))
    found = stepping(lambda a, s, r: [s[0] * 0.5 + 1.0], 0, 1, 0)
    parts, call = [], found.call
    found.call = lambda *args: parts.append(args[2]) or call(*args)
    numbers = [0.0]
    status, done, kept = found.run(numbers, [], None, sum(wanted), 0, 0)
    assert parts == wanted and (status, done, kept) == (DONE, sum(wanted), []) and numbers == [2.0]


@pytest.mark.parametrize("n", [1, 2, 6, 7, 8, 255, 256, 257, 600, 5000])
@pytest.mark.parametrize("every, left", [(1, 1), (2, 1), (3, 3), (7, 2), (300, 299), (10_000, 10_000)])
def test_states_are_kept_over_all_parts(n, every, left):
    found = stepping(lambda a, s, r: [s[1] + r[0], s[0] * a[0]], 1, 2, 1)
    row = array("d", [0.001 * (i % 17) for i in range(n + 3)])
    numbers, state, wanted = [0.999, 1.0, 2.0, 0.0], [1.0, 2.0], []
    status, done, kept = found.run(numbers, [], (row, 3), n, left, every)
    for i in range(n):
        state = [state[1] + row[3 + i], state[0] * 0.999]
        if i + 1 >= left and (i + 1 - left) % every == 0:
            wanted += state
    assert (status, done, list(kept), numbers[1:3]) == (DONE, n, wanted, state)


@pytest.mark.parametrize("size", [1, 64, 65, 70])
def test_more_than_64_numbers_of_a_state_are_copied_at_once(size):
    text = text_of_loop(of_length(40), Layout(3, size, 0, [0] * size))
    copies = re.findall(r"(%.*)\n(.*)\n +call void @llvm.memcpy.*\(ptr (.*), ptr (.*), i64 (\d+), i1 false",
                        text)
    assert copies == ([] if size <= 64 else [
        (f"%in.{to}.p = getelementptr double, ptr %in, i64 3",
         f"  %in.{to}.q = getelementptr double, ptr %{to}, i64 {at}", f"%in.{to}.q", f"%in.{to}.p",
         f"{8 * size}") for to, at in (("room", 0), ("inputs", 3))])


def test_a_loop_ends_where_its_program_does_not_fit():
    found = stepping(lambda a, s, r: [s[0] * 2.0] if s[0] < 1000.0 else [s[0]], 0, 1, 0)
    numbers = [1.0]
    status, done, kept = found.run(numbers, [], None, 600, 3, 3)
    assert (status, done, list(kept), numbers) == (0, 10, [8.0, 64.0, 512.0], [1024.0])


def test_long_programs_are_loops_over_tables_that_a_loop_calls(monkeypatch):
    recording, layout = of_length(40), Layout(0, 1, 0, [0])
    found = []
    for most, called in ((39, True), (40, False)):
        monkeypatch.setattr(choice, "LONG", most)
        made, numbers = loop(recording, layout), [0.5]
        assert (made.core is not None) is called
        found.append((made.run(numbers, [], None, 3, 1, 1), numbers))
    assert found[0] == found[1] and found[0][0][:2] == (DONE, 3)
    monkeypatch.setattr(iterate, "available", lambda: False)
    assert loop(recording, layout) is None


def test_a_loop_in_native_code_is_given_a_table_that_one_in_python_reads_itself(monkeypatch):
    monkeypatch.setattr(iteration, "patience", lambda recording: 100)
    table, rows, y = [Value(k * 1.5) for k in range(4)], [0, 1, 2, 3, 1, 2], 1.0
    fast = compile(lambda y, i: y * 0.5 + ag.take(table, i), indices="i")
    for turns, targets in ((10, {"python"}), (20, {"python", "native"})):
        found = fast.iterate(y, 6 * turns, over=rows * turns)
        for i in rows * turns:
            y = y * 0.5 + 1.5 * i
        assert found == y and set(fast.used().loops) == targets
    table[2].data = 7.0
    found = fast.iterate(y, 6, over=rows)
    for i in rows:
        y = y * 0.5 + table[i].data
    assert found == y


def test_the_sources_of_a_state_are_results_or_numbers():
    w = Value(2.0)
    fast = compile(lambda x, n: {"a": [x[0] * w, 7.0, n], "b": (x[0], x[0] * w, n * 2, "text", -0.5)})
    fast([1.5], 3)
    key, sources = sources_of(fast.used())
    assert [type(x) for x in sources] == [int, float, int, int, int, int, float]
    assert sources[1] == 7.0 and sources[-1] == -0.5 and sources[0] != sources[3] and sources[0] != sources[2]


# -- the compiler ---------------------------------------------------------------------------------------

HELPED = ("define internal i64 @a_helper(i64 %x) {\n  %y = add i64 %x, 1\n  ret i64 %y\n}\n"
          "define i64 @f(i64 %x) {\n  %y = call i64 @a_helper(i64 %x)\n  ret i64 %y\n}\n")


@pytest.mark.parametrize("length, level, vectors, is_better", [
    (0, 2, False, True), (0, 1, False, True), (0, 0, False, False), (0, 2, True, True),
    (100_000, 1, True, True), (100_001, 1, True, False), (100_001, 2, False, True)])
def test_functions_become_parts_of_others_but_in_long_code_over_lanes(length, level, vectors, is_better):
    text = HELPED + ";" * (length - len(HELPED)) if length else HELPED
    library = Library(text, level, vectors, stored=False)
    assert (b"a_helper" not in library._compiled(text)) is is_better
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(library["f"])(41) == 42


def test_very_long_code_is_made_better_where_that_is_quick():
    import llvmlite.binding as llvm

    text = ("define i64 @f(i64 %x) {\n  %p = alloca i64\n  store i64 %x, ptr %p\n  %y = load i64, ptr %p\n"
            "  %z = add i64 %y, 0\n  ret i64 %z\n}\ndeclare i64 @g(i64)\n")
    found = []
    for level in (0, 1, 2):
        module = llvm.parse_assembly(text)
        engine.optimise(module, engine._machine(level, False), level)
        found.append(("alloca" in str(module), " add " in str(module)))
    assert found == [(False, True), (False, False), (False, False)]


@pytest.mark.skipif(not lanes.features().get("avx"), reason="without vectors that any processor has not")
def test_only_code_over_lanes_is_for_the_vectors_of_this_processor():
    import llvmlite.binding as llvm

    text = ("define void @f(ptr %p) {\n  %x = load <4 x double>, ptr %p, align 8\n"
            "  %y = fadd <4 x double> %x, %x\n  store <4 x double> %y, ptr %p, align 8\n  ret void\n}\n")
    for vectors in (True, False):
        assert ("ymm" in engine._machine(2, vectors).emit_assembly(llvm.parse_assembly(text))) is vectors


def test_the_compiler_works_in_a_thread_of_its_own():
    main, found = threading.current_thread(), []
    assert engine.apart(threading.current_thread) is not main
    thread = threading.Thread(target=lambda: found.append(engine.apart(threading.current_thread)))
    thread.start()
    thread.join()
    assert found == [thread]
    with pytest.raises(KeyError, match="none"):
        engine.apart(lambda: {}["none"])
    assert engine.apart(lambda: None) is None


def test_where_no_thread_starts_it_works_in_this_one(monkeypatch):
    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert engine.apart(threading.current_thread) is threading.main_thread()


def test_an_interruption_within_a_function_of_ones_own_comes_through():
    came = []

    def forward(x):
        if x == 7.0 and not came:
            came.append(x)
            raise KeyboardInterrupt
        return x * x

    own = ag.custom_op(forward, (lambda y, x: 2.0 * x,), name="own_that_is_interrupted")
    fast = compile(lambda x: own(x) + 1.0, target="native")
    assert [fast(x) for x in (1.0, 2.0, 3.0)] == [2.0, 5.0, 10.0]
    with pytest.raises(KeyboardInterrupt):      # (a bit later, when native code is left)
        fast(7.0)
        for _ in range(1000):
            time.sleep(0.005)
    assert came == [7.0] and fast(7.0) == 50.0


def test_an_error_of_any_kind_in_a_function_of_ones_own_is_raised():
    class Unusual(BaseException):
        pass

    def forward(x):
        if x > 5.0:
            raise Unusual(x)
        return x * x

    own = ag.custom_op(forward, (lambda y, x: 2.0 * x,), name="own_that_fails")
    fast = compile(lambda x: own(x) + 1.0, target="native")
    assert [fast(x) for x in (1.0, 2.0, 3.0)] == [2.0, 5.0, 10.0]
    with pytest.raises(Unusual, match="7.0"):
        fast(7.0)


def test_a_callback_that_fails_gives_nan():
    for error in (ValueError, KeyError, ZeroDivisionError):
        def failing(x, error=error):
            raise error
        address = engine.callback(failing, 1)
        y = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address)(1.0)
        assert y != y
    address = engine.callback(lambda x, y: x - y, 2)
    assert ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * 2)(address)(5.0, 3.0) == 2.0
