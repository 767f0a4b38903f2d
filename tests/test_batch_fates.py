"""What becomes of the points of a batch: which program each takes, and what names in it may be."""
from __future__ import annotations

import itertools
import math
import re
import types
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import InputError, Value, compile, grad
from autograd_lite.ops.op import TABLE
from autograd_lite.programs import arrays
from autograd_lite.programs.arrays import Settled, Watch, smooth, turned
from autograd_lite.programs.lookups import chosen, scatter
from autograd_lite.programs.namespaces import functions


def steps(x: Any) -> Any:
    """Many branches, each asked where those before were not taken."""
    for i in range(5):
        if x < float(i):
            return x * (i + 2.0)
    return -x if x == 7.0 else x


@pytest.mark.parametrize("first", range(7))
def test_every_point_takes_its_own_of_many_branches_whichever_was_traced_first(first):
    points = [-0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 7.0]
    fast = compile(steps, batch="x")
    for xs in ([points[first]], points, points[::-1], points[first:] + points[:first], points[first:]):
        assert fast(np.array(xs)).tolist() == [steps(x) for x in xs]
    assert fast.stats.programs == 7


@pytest.mark.parametrize("backward", [False, True])
def test_an_argument_without_a_batch_sends_all_points_another_way(backward):
    w = Value(1.0)
    fast = compile(lambda x, n: w * x * 2.0 if n > 0.0 else w * x * 3.0, batch="x", reduce="sum")
    run = fast.backward if backward else fast
    xs = np.array([1.0, 2.0])
    assert [run(xs, n) for n in (1.0, -1.0, 2.0, -2.0)] == [6.0, 9.0, 6.0, 9.0]
    assert w.grad == (30.0 if backward else 0.0)


KINKS = {"branches": lambda x: x - 1.0 if x > 0.0 else 1.0,         # (an array has no truth value)
         "of numbers alone": lambda x: math.sin(x - 1.0),
         "of arrays": lambda x: x - 1.0}


@pytest.mark.parametrize("how", KINKS)
def test_a_point_at_the_kink_of_a_users_op_has_the_slope_that_it_has_alone(how):
    bent = ag.custom_op(lambda x: abs(x - 1.0), (lambda y, x: ag.sign(x - 1.0),), name="bent_of_fates",
                        kink=KINKS[how])
    assert smooth(bent)(np.array([0.5, 1.0, 2.0, 1.0, -1.0])).tolist() == [True, False, True, False, True]
    slope = compile(grad(bent), batch=0, rounding="eager")
    for xs in ([0.5, 2.0, -3.0], [0.5, 1.0, 2.0, 1.0], [1.0, 0.0]):
        assert slope(np.array(xs)).tolist() == [grad(bent)(x) for x in xs]
    del TABLE["bent_of_fates"]


def namespace() -> types.ModuleType:
    """NumPy under another name."""
    module = types.ModuleType("numbers_of_fates")
    vars(module).update({name: x for name, x in vars(np).items() if name[:2] != "__"})
    return module


@pytest.mark.parametrize("change", [lambda f: f, grad])
def test_an_op_without_a_form_over_arrays_is_refused_for_what_is_not_numpy(change):
    cube = ag.custom_op(lambda x: x ** 3, (lambda y, x: 3.0 * x * x,), name="cube_of_fates")
    xs = np.array([1.0, 2.0])
    assert compile(change(cube), target=np)(xs).tolist() == [change(cube)(x) for x in (1.0, 2.0)]
    words = ("^cube_of_fates cannot be compiled for numbers_of_fates: it has no form over arrays; write it "
             "with ops that have one, or choose another target$")
    with pytest.raises(InputError, match=words):
        compile(change(cube), target=namespace())(xs)
    assert compile(change(ag.sin), target=namespace())(xs).tolist() == compile(
        change(ag.sin), target=np)(xs).tolist()
    del TABLE["cube_of_fates"]


NAMES = ["xp", "inf", "nan", "either", "turned", "within", "added", "chosen", "looked", "gather", "scatter",
         "at", "captured", "f"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", [{"batch": (0, 1)}, {"target": np}])
def test_arguments_may_be_called_as_what_the_source_calls(name, options):
    text = ("lambda x, i: ag.where(ag.less(x, 2.0), w * ag.exp(x) * ag.take([x, 2.0, b], i), "
            "ag.relu(x) * large / 2.0)")
    w, b = Value(1.5), Value(0.5)
    f = eval(re.sub(r"\bx\b", name, text), {"ag": ag, "w": w, "b": b, "large": 1e300})
    fast = compile(f, indices="i", **options)
    xs, at = [0.5, 1.5, 2.5], [0, 1, 2]
    for _ in range(2):
        assert fast(np.array(xs), np.array(at)).tolist() == pytest.approx(
            [f(x, i).data if isinstance(f(x, i), Value) else f(x, i) for x, i in zip(xs, at)], rel=1e-14)


def test_of_an_index_without_numbers_nothing_is_asked():
    class Traced:                               # (as in `jit`)
        def __le__(self, other: Any) -> Any:
            raise TypeError("a traced array has no truth value")
        __ge__ = __gt__ = __lt__ = __le__

    index = Traced()
    assert chosen(index, 3.0, True) is index


@pytest.mark.parametrize(("index", "words"), [
    (np.array([0, 3]), "at index 1 of the batch: take: index 3 is out of range for 3 rows"),
    (np.array([[-4, 0], [5, 1]]), "at index 0 of the batch: take: index -4 is out of range for 3 rows"),
    (np.array(3), "take: index 3 is out of range for 3 rows")])
def test_an_index_to_which_there_is_no_row_is_an_error_where_that_can_be_seen(index, words):
    with pytest.raises(IndexError, match=f"^{words}$"):
        chosen(index, 3.0, True)
    assert chosen(index, 3.0, False) is index


# -- what a function gets --------------------------------------------------------------------------------


def broken(*xs: Any, **named: Any) -> Any:
    raise ValueError("it does not like that")


def keyed(x: Any, *more: Any, c: Any = 1.0) -> Any:
    return broken()


@pytest.mark.parametrize(("f", "batch", "args", "kwargs", "called"), [
    (keyed, "x", 1, {}, "x"), (keyed, "c", 0, {"c": 1}, "c"), (keyed, 1, 2, {}, "more"),
    (keyed, 3, 4, {}, "3"), (keyed, 2, 3, {}, "c"), (broken, 2, 3, {}, "2"), (broken, "k", 0, {"k": 1}, "k"),
    (broken, 0, 1, {}, "xs"), (keyed, -1, 1, {}, "x"), (keyed, -1, 3, {}, "c")])
def test_an_error_says_what_a_function_got_of_a_batch(f, batch, args, kwargs, called):
    wide = np.ones((2, 3))
    xs = [1.0] * (args - 1) + [wide] * bool(args)
    named = {"x": 1.0} if f is keyed and not args else {}
    words = (f"^it does not like that\n  batch: {called} is an array of shape \\(2, 3\\), the last axis the "
             f"batch: at each point {f.__name__} gets an array of shape \\(2,\\); give x.ravel\\(\\) if it "
             "takes one number$")
    with pytest.raises(InputError, match=words):
        compile(f, batch=batch)(*xs, **named, **{name: wide for name in kwargs})


def test_an_empty_batch_of_values_is_refused():
    with pytest.raises(InputError, match="^an empty batch: nothing depends on the Values given$"):
        compile(lambda x, y: x * y, batch="x")(np.zeros(0), Value(1.0))


def test_the_results_of_values_may_hold_anything_but_are_as_many_at_all_points():
    w, xs = Value(3.0), np.array([1.0, 2.0])
    assert compile(lambda x, y: (x * y, {"text"}), batch="x")(xs, w)[1] == {"text"}
    with pytest.raises(ValueError):
        compile(lambda x, y: [x * y] * int(x), batch="x")(xs, w)


@pytest.mark.parametrize("how", ["sum", "mean"])
def test_one_point_of_a_batch_function_has_its_own_gradients_on_any_way(how):
    w = Value(3.0)
    fast = compile(lambda x: w * x if x > 0.0 else w * x * 2.0, batch="x", reduce=how, max_programs=1,
                   on_limit="eager")
    assert [fast.backward(x) for x in (1.0, 2.0, -1.0, -2.0)] == [3.0, 6.0, -6.0, -12.0]
    assert w.grad == -3.0
    w.grad = 0.0
    assert fast.backward(np.array([1.0, -1.0])) == (-3.0 if how == "sum" else -1.5)
    assert w.grad == (-1.0 if how == "sum" else -0.5)


def test_an_argument_given_by_name_is_not_taken_for_that_of_the_call_before():
    fast, xs = compile(lambda x, y=1.0: x * y + 1.0, batch="x"), np.linspace(0.0, 1.0, 64)
    for _ in range(4):
        assert fast(xs).tolist() == (xs + 1.0).tolist()
        assert fast(xs, y=5.0).tolist() == (xs * 5.0 + 1.0).tolist()


def test_gradients_at_an_index_to_which_there_is_no_row_are_nowhere():
    found = scatter(functions(np), False, 3.0, np.array([5.0, 0.0, -1.0, -4.0]),
                    np.array([1.0, 2.0, 3.0, 4.0]))
    assert found.tolist() == [[0.0, 2.0, 0.0, 0.0], [0.0] * 4, [0.0, 0.0, 3.0, 0.0]]


# -- lists ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 23, 24, 25, 47, 48, 49, 73])
def test_sums_of_any_length_are_added_left_to_right(n):
    fast = compile(lambda x, y: ag.sum([x * float(i) if i % 3 else y for i in range(n)]) * x,
                   batch=(0, 1), rounding="eager")
    xs, ys = [0.1, 1e16, -0.3], [1.0, -1.0, 1e8]

    def slow(x: float, y: float) -> float:
        terms = [x * float(i) if i % 3 else y for i in range(n)]
        return list(itertools.accumulate(terms))[-1] * x
    assert fast(np.array(xs), np.array(ys)).tolist() == [slow(x, y) for x, y in zip(xs, ys)]


@pytest.mark.parametrize("target", [None, "python", np])
@pytest.mark.parametrize("f", [lambda x, i: ag.take([x, 2.0], i) * x,
                               lambda x, i: ag.take([x * x, x, 1.0], i),
                               lambda x, i: ag.take([[x, 2.0], [3.0, x]], i)[1]])
def test_an_index_may_be_the_same_at_all_points(f, target):
    options = {"target": np} if target is np else {"batch": ("x", "i"), "target": target}
    xs = [1.0, 2.0, -3.0]
    for i in (0, 1, np.int64(1), np.array(0), np.array([1]), np.array([0, 1, 1])):
        at = np.broadcast_to(i, 3).tolist()
        assert np.broadcast_to(compile(f, indices="i", **options)(np.array(xs), i), 3).tolist() == [
            f(x, k) for x, k in zip(xs, at)]
        slopes = compile(grad(f), indices="i", **options)(np.array(xs), i)
        assert np.broadcast_to(slopes, 3).tolist() == [grad(f)(x, k) for x, k in zip(xs, at)]


# -- the source, and what it calls -----------------------------------------------------------------------


def source(f: Any, *args: float) -> str:
    fast = compile(f)
    fast(*args)
    program = fast.used()
    return arrays.function(program.recording, program.captured, functions(np), True)[1]


@pytest.mark.parametrize("n", range(1, 60))
def test_a_long_function_lets_go_of_arrays_and_a_long_sum_has_several_statements(n):
    def chain(x: Any) -> Any:
        for _ in range(n):
            x = ag.sin(x) * x
        return x

    lines = source(chain, 0.5).splitlines()[1:]
    assert any("; del " in line for line in lines) is (len(lines) >= 30)
    assert len(lines) >= n
    lines = source(lambda x: ag.sum([x] * n) if n > 1 else x, 0.5).splitlines()
    assert len(lines) == 2 + (n > 1) + -(-n // 24)


def test_what_is_not_so_at_a_point_is_its_fate():
    assert turned(True) is False and turned(False) is True
    assert turned(np.array([True, False])).tolist() == [False, True] and not turned(np.True_)
    watch = Watch(4)
    for condition in (True, np.array([True] * 4), np.True_):
        watch.holds(condition)
    assert watch.fates is None
    watch.holds(np.array([True, False, True, True]), True, 2)
    watch.holds(np.array([False, False, True, True]), np.array([True, True, False, True]))
    watch.finite(np.array([1.0, 2.0, math.inf, 3.0]), np.array([True, True, False, True]))
    assert watch.fates.tolist() == [arrays.EAGER, 2, arrays.FINE, arrays.FINE]
    watch.finite(np.array([1.0, 2.0, math.nan, 3.0]))
    watch.answers(np.array([1.0, 1.0, 1.0, 5.0]), 5, 1)
    assert watch.fates.tolist() == [arrays.EAGER, 2, arrays.EAGER, arrays.FINE]
    with pytest.raises(Settled):
        watch.holds(False)
    assert watch.fates.tolist() == [arrays.EAGER, 2, arrays.EAGER, arrays.EAGER]
