"""A compiled function takes its programs along, to other processes and into copies, with f or without."""
import copy
import datetime
import functools
import io
import marshal
import os
import pickle
import random
import re
import subprocess
import sys
import threading
import types
from abc import ABC
from fractions import Fraction

import numpy as np
import pytest

import autograd_lite as ag
import carried
from autograd_lite import InputError, Value
from autograd_lite.programs import paths, pickling
from autograd_lite import compile

CASES = {}


def case(make):
    """A thing to send to another process, and questions to ask there with their answers."""
    CASES[make.__name__] = make
    return make


def warm(f, *many):
    """f compiled, and called at these arguments."""
    fast = compile(f)
    for args in many:
        fast(*args)
    return fast


@case
def both_branches():
    fast = warm(carried.plain, (1.0, 2.0), (2.0, 2.0), (-1.0, 2.0), (-2.0, 2.0))
    return fast, [("", (x, 1.0), carried.plain(x, 1.0), 0) for x in (3.0, -3.0)]


@case
def a_point_that_is_not_finite_is_given_to_f_itself():
    fast = warm(carried.failing, (1.0,), (2.0,))
    with pytest.raises(OverflowError) as error:
        carried.failing(800.0)
    return fast, [("", (800.0,), "RangeError", str(error.value)), ("", (3.0,), carried.failing(3.0), 0)]


@case
def structures():
    a, b = {"x": 1.0, "y": 2.0}, {"x": 3.0, "y": -1.0}
    fast = warm(carried.structured, (a, 3), (b, 4))
    return fast, [("", ({"x": 5.0, "y": 2.0}, 6), {"sum": [11.0, 2.0], "name": "a", "pair": (10.0, None)}, 0),
                  ("", (a, 3, "b"), {"sum": [4.0, 2.0], "name": "b", "pair": (2.0, None)}, 1)]


@case
def a_gradient():
    g = ag.grad(carried.plain, (0, 1))
    return warm(g, (1.0, 2.0), (2.0, 2.0)), [("", (0.3, 4.0), g(0.3, 4.0), 0)]


@case
def ops_and_steps_and_partials_of_all_kinds():
    g = ag.value_and_grad(carried.custom, (0, 1))
    return warm(g, (0.3, 0.4), (0.5, 0.4)), [("", (0.7, 0.2), g(0.7, 0.2), 0)]


@case
def decorated():
    fast = carried.decorated
    fast(0.1), fast(0.2)
    return fast, [("", (0.7,), float(ag.sin(0.7) * 0.5), 0), ("", (2,), float(ag.sin(2.0) * 0.5), 1)]


@case
def a_set_of_texts_in_any_order():
    fast = warm(carried.counting, (1.0,), (2.0,))
    return fast, [("", (3.0,), 24.0, 0)]


@case
def a_model_and_its_method():
    model = carried.Model()
    model.fast.backward(0.3, 0.4), model.fast.backward(0.5, 0.4)
    w = model.layer.neurons[0].w[0]
    before, w.data = w.grad, 2.0
    model.fast.backward(0.1, 0.2)
    w.grad, after = before, w.grad
    return model, [("fast.backward", (0.1, 0.2), model.loss(0.1, 0.2).data, 0),
                   ("layer.neurons.0.w.0.grad", None, after, 0)]


@case
def a_method_of_a_plain_object_that_reads_a_pattern():
    return warm(carried.Plain(4.0).times, (1.0,), (2.0,)), [("", (3.0,), 24.0, 0)]


@case
def a_partial_of_values():
    f = functools.partial(carried.scaled, [Value(2.0), Value(3.0)])
    return warm(f, (1.0,), (2.0,)), [("", (5.0,), 16.0, 0), ("backward", (5.0,), 16.0, 1),
                                     ("f.args.0.0.grad", None, 5.0, 0), ("f.args.0.1.grad", None, 2.0, 0)]


@case
def without_f_the_programs_go():
    w = Value(2.0, "w")
    fast = compile(lambda x: w * x * x if x > 0.0 else w / x)
    fast(1.0), fast.backward(2.0)
    w.data, w.grad = 7.0, 0.5
    return {"f": fast, "w": w}, [
        ("f", (3.0,), 63.0, 0), ("f.backward", (3.0,), 63.0, 0), ("w.grad", None, 9.5, 0),
        ("f", (-1.0,), "InputError", "<lambda>: this call needs the function itself, which was not pickled"),
        ("f", ([1.0],), "InputError", "other shapes, other branches"),
        ("f", (1e200,), "InputError", "numbers that only the function itself takes")]


@case
def programs_of_a_closure_with_a_static_argument():
    c = [2.0]
    fast = compile(lambda x, n: x ** n * c[0], static="n")
    fast(3.0, 2), fast(3.0, 3)
    return fast, [("", (5.0, 3), 250.0, 0), ("", (5.0, 2), 50.0, 0), ("", (5.0, 4), "InputError", "itself")]


@case
def a_global_that_is_another_there():
    carried.weight.data = 4.0
    fast = warm(carried.by_global, (1.0,), (2.0,))
    carried.weight.data = 3.0
    return fast, [("", (1.0,), 9.0, 0)]


@case
def one_that_was_never_called():
    return compile(carried.plain), [("", (3.0, 1.0), carried.plain(3.0, 1.0), 1)]


@case
def what_a_program_read_has_another_value_there():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carried, "RATE", [0.25])
        fast = warm(carried.plain, (1.0, 2.0), (2.0, 2.0))
        fast = pickle.loads(pickle.dumps(fast))
    return fast, [("", (3.0, 1.0), carried.plain(3.0, 1.0), 1)]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """For each case the questions, and the answers of another process."""
    folder = tmp_path_factory.mktemp("elsewhere")
    things, questions = {}, []
    for name, make in CASES.items():
        things[name], asked = make()
        questions += [(f"{name}.{path}".rstrip("."), args) for path, args, *_ in asked]
        CASES[name] = asked
    with open(folder / "questions", "wb") as file:
        pickle.dump((pickle.dumps(things), questions), file)
    path = os.pathsep.join(filter(None, sys.path))
    program = [sys.executable, "-W", "error", carried.__file__, folder / "questions", folder / "answers"]
    subprocess.run(program, check=True, env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"})
    with open(folder / "answers", "rb") as file:
        found = iter(pickle.load(file))
    return {name: [(*question, next(found)) for question in asked] for name, asked in CASES.items()}


@pytest.mark.parametrize("name", list(CASES))
def test_in_another_process_programs_run_and_nothing_is_traced_again(name, answers):
    for path, args, expected, more, found in answers[name]:
        if args is None:
            assert found == expected
        elif isinstance(more, str):
            assert found[0] == expected and more in found[1]
        else:
            assert found == (expected, more), path


def test_a_pickle_tells_of_the_program_used_last_before_it_is_called(monkeypatch):
    fast = warm(carried.plain, (1.0, 2.0), (-1.0, 2.0))
    fast(1.0, 2)                                # (of an int: a program of another key)
    monkeypatch.setattr(paths, "trace", None)
    for other in (pickle.loads(pickle.dumps(fast)), copy.copy(fast), copy.deepcopy(fast)):
        assert (other.source(), other.stats.nodes) == (fast.source(), fast.stats.nodes)
        assert other(1.0, 2) == fast(1.0, 2) and other(1.0, 2.0) == carried.plain(1.0, 2.0)
    loaded = pickle.loads(pickle.dumps(compile(carried.plain)))
    with pytest.raises(InputError, match="plain has no program yet: call the compiled function once"):
        loaded.stats
    monkeypatch.setattr(carried, "RATE", [2.0])             # (no program fits)
    with pytest.raises(InputError, match="no program yet"):
        pickle.loads(pickle.dumps(fast)).source()


@pytest.mark.parametrize("options", [{}, {"target": "python"}, {"batch": "x"}])
def test_a_bound_function_is_not_pickled_and_the_error_says_what_is(options):
    x = np.array([1.0, 2.0])
    fast = compile(carried.product, **options)
    run = fast.bind(x if "batch" in options else 1.0, 2.0)
    for _ in range(3):
        with pytest.raises(InputError, match="neither pickled nor copied: pickle the compiled function"):
            pickle.dumps(run)
        run()


@pytest.mark.parametrize("f, options, more", [
    (carried.product, {}, 3.0), (carried.product, {"batch": "x", "reduce": "sum"}, 3.0),
    (carried.taken, {"indices": "i"}, np.array(1))])
def test_what_is_compiled_for_a_namespace_is_pickled_as_its_function(f, options, more):
    over, x = compile(f, target=np, **options), np.array([1.0, 2.0])
    for other in (pickle.loads(pickle.dumps(over)), copy.copy(over), copy.deepcopy(over)):
        assert other is not over and np.array_equal(other(x, more), over(x, more))
        assert other.source() == over.source() and repr(other) == repr(over)
    local = compile(lambda x: x * 2.0, target=np)
    assert copy.deepcopy(local)(x).tolist() == copy.copy(local)(x).tolist() == [2.0, 4.0]
    with pytest.raises(InputError, match="<lambda>, compiled for numpy, .*: define it at the top of"):
        pickle.dumps(local)


def test_a_pickle_holds_no_more_than_is_needed():
    fast = warm(carried.plain, (1.0, 2.0), (2.0, 2.0))
    assert len(pickle.dumps(fast)) < 3000


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda fast: pickle.loads(pickle.dumps(fast))],
                         ids=["copy", "deepcopy", "pickle"])
def test_a_copy_runs_the_programs_and_has_a_name(again, monkeypatch):
    fast = warm(carried.plain, (1.0, 2.0), (2.0, 2.0), (-1.0, 2.0), (-2.0, 2.0))
    other = again(again(fast))
    monkeypatch.setattr(paths, "trace", None)
    assert other is not fast and other(3.0, 1.0) == carried.plain(3.0, 1.0) and other(-3.0, 1.0) == 4.0
    assert other.__name__ == "plain" and other.stats.programs == 2 and other.source().startswith("def f(x, y")
    assert fast(3.0, 1.0) == other(3.0, 1.0)


def test_a_deep_copy_of_a_model_has_gradients_of_its_own_and_a_copy_of_a_closure_has_not():
    model = carried.Model()
    model.fast.backward(0.3, 0.4)
    other = copy.deepcopy(model)
    assert other.fast.f.__self__ is other
    for p, q in zip(model.parameters(), other.parameters()):
        assert p is not q and p.grad == q.grad
        q.grad = 0.0
    other.fast.backward(0.3, 0.4)
    assert [p.grad for p in model.parameters()] == [q.grad for q in other.parameters()] != [0.0] * 6

    other = copy.deepcopy(model.fast)
    assert other.f.__self__.fast is other and other.f.__self__ is not model

    w = Value(2.0)
    fast = compile(lambda x: w * x)
    fast.backward(3.0)
    copy.deepcopy(fast).backward(4.0)           # (a function is not copied: it reads the same w)
    assert w.grad == 7.0


def test_a_copy_without_f_copies_its_values():
    w = Value(2.0)
    fast = compile(lambda x: w * x)
    fast(3.0)
    loaded = pickle.loads(pickle.dumps(fast))
    other = pickle.loads(pickle.dumps(copy.deepcopy(loaded)))
    assert loaded(5.0) == other(5.0) == copy.copy(loaded)(5.0) == 10.0
    w.data = 9.0
    assert fast(5.0) == 45.0 and loaded(5.0) == 10.0
    fast.backward(1.0)
    both = pickle.loads(pickle.dumps((fast, w)))
    copied = copy.deepcopy(both)
    copied[0].backward(2.0)
    assert (w.grad, both[1].grad, copied[1].grad) == (1.0, 1.0, 3.0)
    assert repr(other) == "<compiled <lambda>>" and other.stats.break_even != other.stats.break_even


def test_what_is_changed_after_loading_is_noticed(monkeypatch):
    fast = pickle.loads(pickle.dumps(warm(carried.plain, (1.0, 2.0), (2.0, 2.0))))
    assert fast(1.0, 0.0) == carried.plain(1.0, 0.0)
    monkeypatch.setattr(carried, "RATE", [2.0])
    assert fast(1.0, 0.0) == float(ag.exp(2.0))


def test_programs_of_states_that_are_gone_do_not_go(monkeypatch):
    fast = warm(carried.plain, (1.0, 2.0), (2.0, 2.0))
    monkeypatch.setattr(carried, "RATE", [2.0])
    loaded = pickle.loads(pickle.dumps(fast))
    assert loaded.shelves == []
    assert loaded(1.0, 0.0) == float(ag.exp(2.0))
    w = Value(2.0, requires_grad=False)
    f = compile(functools.partial(carried.scaled, [w, Value(1.0)]))
    f.backward(3.0)
    w.requires_grad = True
    loaded = pickle.loads(pickle.dumps(f))
    loaded.backward(3.0)
    assert loaded.f.args[0][0].grad == 3.0


class Generous(pickle.Pickler):
    """A pickler that takes any function, as that of Dask and Ray does."""

    def reducer_override(self, thing):
        if isinstance(thing, types.FunctionType) and thing.__name__ == "<lambda>":
            cells = tuple(cell.cell_contents for cell in thing.__closure__ or ())
            return made_again, (marshal.dumps(thing.__code__), cells)
        return NotImplemented

    def dumps(self, thing):
        self.dump(thing)


def made_again(code, cells):
    return types.FunctionType(marshal.loads(code), globals(), "<lambda>", (),
                              tuple(map(types.CellType, cells)))


def test_a_pickler_that_takes_any_function_takes_f_too():
    w = Value(2.0)
    fast = compile(lambda x: w * x if x > 0.0 else ag.exp(x))
    fast(1.0), fast(2.0)
    out = io.BytesIO()
    Generous(out).dumps({"fast": fast, "w": w})
    loaded = pickle.loads(out.getvalue())
    assert loaded["fast"](3.0) == 6.0 and loaded["fast"](-1.0) == float(ag.exp(-1.0))
    loaded["fast"].backward(4.0)
    assert loaded["w"].grad == 4.0 and w.grad == 0.0


def test_an_argument_that_does_not_pickle_stays_behind_with_its_programs():
    fast = compile(carried.applied)
    assert fast(lambda x: x * x, 3.0) == 9.0 and fast(ag.exp, 1.0) == fast(ag.exp, 1.0)
    loaded = pickle.loads(pickle.dumps(fast))
    assert len(loaded.shelves) == 1
    assert loaded(lambda x: x * x, 4.0) == 16.0


class Abstract(ABC):
    scale = 2.0


def test_a_print_tells_apart_what_a_function_reads(monkeypatch):
    """(None: only this process can tell.)"""
    def environment(thing):
        return paths.Environment(functools.partial(carried.applied, thing))
    things = [1, 1.0, True, -0.0, 0.0, "1", None, (1,), [1], {1: 2}, {2: 1}, {1, 2}, {1, 3}, carried.plain,
              carried.failing, ag.exp, ag.sin, Value(1.0), Value(1.0, requires_grad=False), b"1", ag, os,
              carried.Model, int, lambda x: x, lambda x: -x,
              re.compile("a"), re.compile("b"), datetime.date(2020, 1, 1), Fraction(1, 3), Fraction(2, 3),
              carried.Kind.ONE, carried.Kind.TWO, random.Random(1), threading.Lock(), carried.Plain, Abstract]
    prints = [pickling.print_of(environment(thing)) for thing in things]
    assert None not in prints and len(set(prints)) == len(things)
    assert pickling.print_of(environment(iter([1]))) is None
    mains = "__mp_main__", "__main__"
    for name in mains:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    spawned, here = [type("A", (), {"__module__": name}) for name in mains]
    assert pickling.print_of(environment(spawned)) == pickling.print_of(environment(here)) is not None
    assert pickling.print_of(environment(Value(1.0))) == pickling.print_of(environment(Value(2.0)))


def test_a_function_whose_name_means_another_is_pickled_without_it():
    f = types.FunctionType((lambda x: x * 3.0).__code__, globals(), "plain")
    f.__module__, f.__qualname__ = "carried", "plain"
    fast = compile(f)
    fast(1.0)
    loaded = pickle.loads(pickle.dumps(fast))
    assert loaded(2.0) == 6.0
    with pytest.raises(InputError, match="not the same object as carried.plain"):
        loaded([1.0])


@pytest.mark.parametrize("f", [carried.doubled, lambda x, n=1: 2.0 * x if x > n else x - n])
@pytest.mark.parametrize("options, args", [
    ({"batch": "x"}, (np.array([3.0, -1.0]),)), ({"static": 1}, (3.0, 2))])
def test_options_go_with_programs_of_a_function_that_pickles_or_not(f, options, args):
    fast = compile(f, **options)
    expected = fast(*args)
    assert np.array_equal(pickle.loads(pickle.dumps(fast))(*args), expected)


def test_indices_go_with_programs():
    fast = compile(lambda rows, t: ag.take(rows, t) * 2.0, indices="t")
    assert fast([1.0, 5.0], 1) == pickle.loads(pickle.dumps(fast))([1.0, 5.0], 1) == 10.0
