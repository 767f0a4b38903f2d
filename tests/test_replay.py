"""Big programs as tables: the loop over them against the Python target, in Python and in native code."""
import ctypes
import gc
import math
import random
import sys
import threading
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite import RangeError, Value, compile, custom_op, grad, take, value_and_grad, where
from autograd_lite.ops.op import TABLE
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.indices import Indices
from autograd_lite.programs.layout import Dense
from autograd_lite.programs.python import EAGER
from autograd_lite.programs.tracing import trace

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")
sys.path.insert(0, str(Path(__file__).parent / "campaigns"))

import replay as campaign                                       # noqa: E402
from autograd_lite.native import blocks, choice, loop           # noqa: E402
from autograd_lite.native.calls import DONE, in_buffers         # noqa: E402
from autograd_lite.native.forms import Forms                    # noqa: E402
from autograd_lite.native.language import Untranslatable        # noqa: E402
from autograd_lite.native.replay import Replay, events_of       # noqa: E402
from autograd_lite.native.tables import Tables                  # noqa: E402
from autograd_lite.ops import special                           # noqa: E402


def recorded(f, *args, indices=None):
    return trace(f, args, {}, False, Environment(f), indices).recording


def run_of(replay):
    """A program as tables, as the Python target's function."""
    run = in_buffers(replay.core, replay.outputs)

    def tupled(*numbers):
        out = run(*numbers)
        return out if type(out) is int else tuple(out)
    return tupled


# -- the loop in Python ---------------------------------------------------------------------------------

def side_by_side(m, t, count, to, terms, width, spread):
    """What `loop` does in lanes."""
    for i in range(count):
        for lane in range(8):
            total = None
            for j in range(terms):
                a, b = t[2 * (terms * i + j)] + lane, t[2 * (terms * i + j) + 1] + (0 if spread else lane)
                total = m[a] * m[b] if total is None else total + m[a] * m[b]
            m[to + 8 * i + lane] = total


OWN = {blocks.SUMS: loop.sums, blocks.GATHER: loop.gather, blocks.ALONE: loop.alone,
       blocks.SPREAD: lambda *run: side_by_side(*run, True),
       blocks.SIDE_BY_SIDE: lambda *run: side_by_side(*run, False)}
LISTS = {"added": loop.added, "item": loop.item, "copied": loop.copied}


def kernel(routine, arity):
    """A routine as a function of a list of floats that returns a list, or None where it fails."""
    if routine.many is special.shares:
        function = special.shares
    elif routine.many:
        def function(xs):
            return [routine.many(*xs)]
    else:
        names = {"math": math, **dict(routine.names)}
        exec(f"def f({', '.join([f'x{i}' for i in range(arity)])}):\n    return {routine.text}\n", names)

        def function(xs):
            return [names["f"](*xs)]

    def tried(xs):
        try:
            return function(xs)
        except (ValueError, ArithmeticError):
            return None
    return tried


def in_python(recording):
    """The loop over the tables of a recording, as a function of numbers and captured ones."""
    forms = Forms(Dense(recording))
    tables = Tables(forms)
    events, others, looks = events_of(forms, tables)
    assert len(others) + len(looks) == len(events)

    def run(*numbers):
        given = [*numbers[:-1], *numbers[-1]]
        m = [*given, *tables.constants.tolist()]
        m += [math.nan] * (tables.size - len(m))
        for what, start, count, to, arity, width in tables.runs.tolist():
            t = tables.table[start:].tolist()
            routine = None if what in OWN else tables.kernels[what - blocks.FIRST_KERNEL].routine
            if routine is None or routine.many in LISTS:
                (LISTS[routine.many] if routine else OWN[what])(m, t, count, to, arity, width)
                continue
            f = kernel(routine, arity)
            for i in range(count):
                found = f([m[x] for x in t[arity * i:arity * (i + 1)]])
                m[to + width * i:to + width * (i + 1)] = [math.nan] * width if found is None else found
        status = loop.judged(m, events.ravel().tolist(), len(events))
        return tuple([m[x] for x in tables.outputs.tolist()]) if status == DONE else status

    return run


@pytest.mark.parametrize("way, programs", [(in_python, 60), (lambda x: run_of(Replay(x)), 120)])
def test_random_programs_give_what_the_python_target_gives(way, programs):
    rng, held = random.Random(14), 0
    for _ in range(programs):
        text, calls = campaign.one(rng, way)
        assert not text
        held += calls
    assert held > 6 * programs


def test_the_campaign_finds_a_wrong_sum_and_a_look_that_is_left_out(monkeypatch):
    def found():
        rng = random.Random(3)
        return any([campaign.one(rng, in_python)[0] for _ in range(25)])

    assert not found()
    with monkeypatch.context() as patch:        # (the sum of products is in another order)
        patch.setitem(OWN, blocks.ALONE, lambda m, t, count, to, terms, width: loop.alone(
            m, [x for i in range(count) for x in t[2 * terms * i:2 * terms * (i + 1)][::-1]], count, to,
            terms, width))
        assert found()
    conditions = Forms._conditions

    def blind(self):
        conditions(self)
        self.looks = []

    monkeypatch.setattr(Forms, "_conditions", blind)
    assert found()


# -- what fails -----------------------------------------------------------------------------------------

def padded(f):
    """A function with a long sum beside it, as a big program has."""
    return lambda x, *more: f(x, *more) + 0.0 * sum([x * k for k in range(20)])


def test_a_guard_that_fails_is_told_by_its_number_and_what_fails_after_it_does_not_count():
    def f(x):
        y = x * 2.0
        if x > 1.0:
            y = y * 3.0
        return y + ag.sqrt(x - 1.0) if y < 100.0 else y

    run = run_of(Replay(recorded(padded(f), 2.0)))
    assert run(2.0, []) == (13.0,)
    assert run(0.5, []) == 0                    # (the root fails, but the guard comes first)
    assert run(50.0, []) == 1
    assert run(math.nan, []) == run(math.inf, []) == EAGER


def test_a_guard_of_another_kind_is_asked_in_python():
    def f(x):
        return x * round(x) * len(format(x.data, ".1f")) * int(x)

    run = run_of(Replay(recorded(padded(f), 2.25)))
    assert run(2.25, []) == (2.25 * 2 * 3 * 2,) and run(2.2001, []) == (2.2001 * 2 * 3 * 2,)
    assert run(2.75, []) == 0 and run(1e300, []) == 0 and run(math.nan, []) == EAGER
    assert run(2.4, []) == 1 and run(1.75, []) == 1


def test_a_failure_counts_on_the_side_that_is_taken_alone():
    def f(x):
        return ag.select(ag.greater(x, 0.0), lambda: ag.log(x) + 1.0 / x, lambda: x * x)

    run = run_of(Replay(recorded(value_and_grad(f), 2.0)))
    assert run(-2.0, []) == (4.0, -4.0)
    assert run(0.0, []) == (0.0, 0.0)
    assert run(2.0, []) == (math.log(2.0) + 0.5, 0.5 - 0.25)
    assert run(1e-320, []) == EAGER
    chosen = run_of(Replay(recorded(lambda x: where(ag.greater(x, 0.0), x, ag.sqrt(x + 1.0)), 2.0)))
    assert chosen(4.0, []) == (4.0,) and chosen(-2.0, []) == EAGER     # (`where` computes both)


def test_numbers_that_are_not_finite_take_the_eager_way_wherever_they_hide():
    run = run_of(Replay(recorded(padded(lambda x: 1.0 / ag.exp(x) + ag.tanh(x * 1e300)), 2.0)))
    assert run(2.0, []) == (1.0 / math.exp(2.0) + 1.0,)
    assert run(800.0, []) == EAGER              # (1/inf would be 0)
    assert run(1e100, []) == EAGER


def test_options_that_are_not_the_usual_ones_are_minded():
    f = grad(lambda x: ag.normal_pdf(x, 1.0) + ag.normal_pdf(x) * x ** 0.3 + x ** 0 + ag.relu(x, at_zero=1.0))
    recording = recorded(padded(f), 0.7)
    assert run_of(Replay(recording))(0.9, []) == in_python(recording)(0.9, []) == (f(0.9),)


# -- lists ----------------------------------------------------------------------------------------------

def taking(rows, index, x):
    mixed = [r * x for r in rows]
    return take(rows, index) * 2.0 + take(mixed, index) ** 2 + take([1.0, 2.0, 3.0, 4.0, 5.0], index)


@pytest.mark.parametrize("index", [0, 1, 4, -1, -5])
def test_take_takes_what_an_index_says_and_its_gradient_goes_there(index):
    f = value_and_grad(taking, (0, 2))
    rows = [0.5, 1.5, -2.5, 3.5, 0.25]
    recording = recorded(f, rows, 2, 0.75, indices=Indices(f, "index"))
    numbers = [*rows, float(index), 0.75]
    expected = campaign.python.function(recording)[0](*numbers, [])
    assert run_of(Replay(recording))(*numbers, []) == in_python(recording)(*numbers, []) == expected
    for far in (5.0, -6.0, math.nan, 1e18):
        numbers[5] = far
        assert run_of(Replay(recording))(*numbers, []) == in_python(recording)(*numbers, []) == EAGER


def test_a_row_of_inputs_is_read_where_it_lies():
    def f(table, index):
        return sum([c * c for c in take(table, index)])

    table = [[float(10 * i + j) for j in range(3)] for i in range(400)]
    tables = Tables(Forms(Dense(recorded(f, table, 2, indices=Indices(f, "index")))))
    assert tables.size < 1300 and len(tables.table) < 100


# -- what a program is to others --------------------------------------------------------------------------

def layers(xs, width, depth):
    """A network with weights as long as it needs, in scalars."""
    rng = random.Random(1)
    for _ in range(depth):
        xs = [ag.tanh(sum([x * rng.uniform(-1.0, 1.0) for x in xs])) for _ in range(width)]
    return sum([x * x for x in xs])


def test_a_compiled_function_runs_in_native_code_at_once_if_it_is_big():
    fast = compile(value_and_grad(lambda xs: layers(xs, 20, 10)))
    for shift in (0.0, 0.1, 0.2):
        xs = [shift + 0.1 * i for i in range(7)]
        value, slopes = value_and_grad(lambda xs: layers(xs, 20, 10))(xs)
        assert fast(xs) == (value, slopes)
    assert "native" in str(fast.stats)
    with pytest.raises(RangeError, match="too large"):
        fast([1e308] * 7)


def test_functions_of_users_are_left_to_the_python_target():
    cubed = custom_op(lambda x: x ** 3, (lambda y, x: 3.0 * x * x,), name="cubed for replay")
    try:
        for f in (cubed, grad(lambda x: cubed(cubed(x)))):
            with pytest.raises(Untranslatable):
                Replay(recorded(lambda x: f(x) + 1.0, 0.5))
        many = compile(lambda x: sum([cubed(x + k) for k in range(2000)]))
        many(0.5)
        assert many(0.25) == sum([(0.25 + k) ** 3 for k in range(2000)]) and "python" in str(many.stats)
    finally:
        del TABLE["cubed for replay"]


def test_threads_share_a_program():
    replay = run_of(Replay(recorded(value_and_grad(lambda xs: layers(xs, 30, 10)), [0.1] * 5)))
    points = [[0.1 * k - 0.02 * i for i in range(5)] for k in range(8)]
    expected = [replay(*xs, []) for xs in points]
    wrong = []

    def work(k):
        for _ in range(50):
            if replay(*points[k], []) != expected[k]:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(set(expected)) == 8


def test_a_run_that_finds_the_memory_taken_has_one_of_its_own_with_all_constants():
    replay = Replay(recorded(padded(lambda x: (x * 3.0 + x * 5.0) * (x + 11.0)), 2.0))
    run, zeros = run_of(replay), run_of(half := Replay(recorded(lambda x: (x * 0.5, ag.exp(x)), 2.0)))
    for made in (replay, half):
        spare = ctypes.c_int64.from_address(made.address + 8 * loop.FIELDS.index("spare"))
        own, spare.value = spare.value, 0
        assert run(2.0, []) == (208.0,) and str(zeros(-0.0, [])) == "(-0.0, 1.0)" and spare.value == 0
        spare.value = own
        assert run(2.0, []) == (208.0,) and str(zeros(-0.0, [])) == "(-0.0, 1.0)" and spare.value == own


@pytest.mark.parametrize("enabled", [True, False])
def test_what_makes_tables_leaves_the_collector_as_it_was(enabled):
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        assert run_of(Replay(recorded(padded(ag.exp), 2.0)))(0.0, []) == (1.0,) and gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


def test_buffers_and_captured_numbers():
    w = Value(3.0, "w")
    replay = Replay(recorded(padded(lambda x: x * w + 1.0), 2.0))
    assert run_of(replay)(5.0, [7.0]) == (36.0,)
    function = choice.function(replay_recording := recorded(padded(lambda x: x * w + 1.0), 2.0),
                               Replay(replay_recording).core)
    assert function(5.0, [7.0]) == (36.0,)


def test_a_node_takes_little_memory_and_products_of_matrices_are_computed_in_lanes():
    def f(w, x):
        for _ in range(4):
            x = [ag.tanh(sum([a * b for a, b in zip(row, x)])) for row in w]
        return sum([a * a for a in x])

    recording = recorded(value_and_grad(f), [[0.1] * 40] * 40, [0.2] * 40)
    replay = Replay(recording)
    assert len(recording.code) > 15_000 and replay.bytes < 8 * len(recording.code)
    runs = Tables(Forms(Dense(recording))).runs
    terms = {what: int(sum(runs[runs[:, 0] == what, 2] * runs[runs[:, 0] == what, 4])) for what in OWN}
    assert len(runs) < 60 and terms[blocks.SPREAD] * 8 > 11 * 1600 and terms[blocks.ALONE] < 200
    assert terms[blocks.GATHER] < 2000          # (the matrix, turned, once)


def test_the_bytes_of_a_program_are_those_of_its_memory_and_of_each_table():
    forms = Forms(Dense(recorded(padded(lambda x: x if x > 1.0 else ag.log(x)), 0.5)))
    tables = Tables(forms)
    events, others, looks = events_of(forms, tables)
    assert Replay(forms.plan.recording).bytes == 8 * (
        tables.size + tables.runs.size + tables.constants.size) + 4 * (
        tables.table.size + events.size + others.size + looks.size + tables.outputs.size)


def test_a_sum_of_many_terms_is_added_in_its_order():
    xs = [math.sin(k) for k in range(20_000)]
    recording = recorded(lambda xs: sum([x * y for x, y in zip(xs, xs[1:])]), xs)
    assert run_of(Replay(recording))(*xs, []) == (special.added([x * y for x, y in zip(xs, xs[1:])]),)
    assert len(Tables(Forms(Dense(recording))).runs) == 1


def test_many_numbers_do_not_lie_on_the_stack():
    n = 30_000
    fast = compile(lambda xs: [x * 2.0 for x in xs])
    xs = [float(k) for k in range(n)]
    fast(xs)
    assert fast(xs[::-1]) == [2.0 * x for x in xs[::-1]]


def test_sums_that_are_rounded_once():
    xs = [1e16, 1.0, -1e16, 0.5]
    f = value_and_grad(lambda xs: ag.sum(xs, exact=True) + ag.softmax([x * 1e-16 for x in xs])[1])
    assert run_of(Replay(recorded(f, xs)))(*xs, []) == (f(xs)[0], *f(xs)[1])
