"""Compiled functions at the edges of what they do: odd options, parts, pickles, other namespaces."""
from __future__ import annotations

import copy
import fractions
import itertools
import math
import pickle
import random
import re
import sys
import types
import typing
from types import SimpleNamespace
from typing import Any

import inspect
import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import InputError, Value, compile, grad, value_and_grad
from autograd_lite.native.engine import available
from autograd_lite.ops.op import TABLE
from autograd_lite.programs import arrays, code, targets
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.namespaces import Functions, with_tensors
from autograd_lite.programs.paths import limit_error
from autograd_lite.programs.pickling import ByName, _wrapped, print_of, why_not
from autograd_lite.programs.stats import ways_of
from autograd_lite.programs.tape import _EXACT

native = pytest.mark.skipif(not available(), reason="without native code")


# -- options ------------------------------------------------------------------------------------------


def test_every_overload_of_compile_has_the_defaults_of_compile_itself():
    own = inspect.signature(compile).parameters
    overloads = typing.get_overloads(compile)
    assert len(overloads) > 10
    for overload in overloads:
        for name, parameter in inspect.signature(overload).parameters.items():
            assert parameter.default == own[name].default, overload


@pytest.mark.parametrize(("call", "words"), [
    (lambda: compile(abs, target="foo"), "target='foo': choose 'native', 'python', or a namespace of arrays"),
    (lambda: compile(lambda x: 2.0).backward(Value(1.0)), "returned 2.0; backward needs one number that"),
    (lambda: compile(lambda x: x, batch=0, reduce=("sum", "mean"))(2.0),
     "does not return a tuple of 2 results"),
    (lambda: compile(lambda x: (x, x, x), batch=0, reduce=("sum", "mean"))(np.ones(2)),
     "a tuple of 2 results"),
    (lambda: compile(lambda x: [x, x], target=np, reduce=("sum", "mean"))(np.ones(2)),
     "a tuple of 2 results"),
    (lambda: compile(lambda x: x, batch=0, reduce="sum")(np.array([], object)), "arrays of real numbers"),
    (lambda: compile(lambda x: int(x) * ag.log(x), batch=0)(np.zeros(0))[0], "index 0 is out of bounds"),
    (lambda: compile(lambda x: ag.sum(x), batch=0)(np.zeros(0)),
     r"^an empty batch: what the function returns "
     r"shows only at a point, and at numbers 1.0 it fails \("),
])
def test_what_cannot_be_done_is_refused_by_name(call, words):
    with pytest.raises((InputError, IndexError), match=words):
        call()


def test_a_rule_that_branches_is_refused_where_it_is_differentiated_once_more():
    op = ag.custom_op(lambda x: abs(x), (lambda y, x: 1.0 if x > 0.0 else -1.0,), name="my_abs")
    del TABLE["my_abs"]
    with pytest.raises(TypeError, match="by operand 1: a rule branches by select alone; "):
        compile(grad(grad(lambda x: op(x) * x)))(2.0)


# -- parts --------------------------------------------------------------------------------------------


def test_steps_have_names_and_what_fails_gives_nan():
    assert set(code.STEPS) == {"constant", "input", "products", "shares", "index", "rows", "item", "added"}
    found = code.Code()
    x = found.constant(0.0)
    assert math.isnan(found.computed(TABLE["/"], (x, x))) and found.computed(TABLE["exp"], (x,)) == 1.0
    op = ag.custom_op(lambda a, b: a * b, (lambda y, a, b: b, None), name="half_rule")
    del TABLE["half_rule"]
    partials = [code.partial_of(op, i) for i in (0, 1)]
    assert [p.computed(6.0, 2.0, 3.0) for p in partials] == [3.0, 0.0]
    assert partials[0].name == "∂half_rule/∂0" and repr(partials[1]) == "<step ∂half_rule/∂1>"
    make, args = partials[0].__reduce__()
    assert make(*args) is partials[0] and set(code.STEPS) == {*code.STEPS} - {partials[0].name}


def test_what_fails_at_a_point_is_nan_or_no_truth():
    def root(x: float) -> Any:
        return {0.0: math.inf, 1.0: 1.0}[x] if x < 2.0 else math.sqrt(-x) if x < 3.0 else None + x
    x = np.array([0.0, 1.0, 2.0, 3.0])
    assert str(arrays.each(root)(x).tolist()) == "[inf, 1.0, nan, nan]"
    assert arrays.each(lambda x: root(x) > 0.0, bool)(x).tolist() == [True, True, False, False]
    assert str(arrays.each(root, object)(x).tolist()) == "[inf, 1.0, nan, nan]"
    with pytest.raises(KeyError):
        arrays.each(root)(np.array([0.5]))


def test_whole_numbers_are_exact_below_two_to_the_53():
    assert [_EXACT.holds(x) for x in (2.0 ** 53, 2.0 ** 53 - 1.0, 1.0 - 2.0 ** 53, -2.0 ** 53)] == [
        False, True, True, False]
    fast = compile(lambda n: n * 3 + 1)
    assert [fast(n) for n in (2, 2 ** 52, -2 ** 52)] == [7, 3 * 2 ** 52 + 1, 1 - 3 * 2 ** 52]


@pytest.mark.parametrize("f", [
    lambda n: n ** fractions.Fraction(2), lambda n: fractions.Fraction(1, 2) ** n, lambda n: n ** 2j,
    lambda n: 2j ** n, lambda n: n + 2j, lambda n: fractions.Fraction(1, 2) - n,
    lambda n: n % fractions.Fraction(3, 2),
    lambda n: complex(n), lambda n: n << 2, lambda n: 2 << n, lambda n: n >> 1, lambda n: 100 >> n,
    lambda n: n & 3,
    lambda n: 6 & n, lambda n: n | 8, lambda n: 8 | n, lambda n: n ^ 5, lambda n: 5 ^ n, lambda n: ~n,
    lambda n: divmod(n, 2), lambda n: divmod(17, n), lambda n: pow(n, 3, 7), lambda n: n.bit_length(),
    lambda n: n.numerator, lambda n: (n == 3, n != 4, n < 3, n <= 3, n > 3, n >= 4, n == "a", n == 3j),
    lambda n: "a" * n, lambda n: [1.0] * n, lambda n: n / 2, lambda n: 2 / n, lambda n: n // -2,
    lambda n: -7 % n])
def test_ints_do_with_all_numbers_what_ints_do(f):
    def said(x: Any) -> Any:                    # (a Value among them stands for a float)
        return f(x) if not isinstance(f(3), (complex, fractions.Fraction)) else repr(f(x))
    fast = compile(said)
    for n in (3, 4, 3, 5):
        assert repr(fast(n)) == repr(said(n)), n


def test_a_function_that_catches_the_error_of_a_hash_has_a_program_for_each_int():
    def f(n: int, x: Any) -> Any:
        try:
            return {3: 2.0}[n] * x
        except (KeyError, ag.AutogradError):
            return x
    fast = compile(f)
    assert [fast(n, 5.0) for n in (3, 4, 3, 7)] == [10.0, 5.0, 10.0, 5.0]


@pytest.mark.parametrize("i", [0, 1, 2, -1, -2, -3, 3, -4])
def test_an_index_on_the_side_that_is_not_taken_may_be_any(i):
    fast = compile(lambda x, i: ag.select(
        ag.greater(x, 1.0), lambda: ag.take([x, 5.0], i), lambda: x), indices="i")
    assert fast(0.5, i) == 0.5 and fast(0.25, i) == 0.25 and fast.stats.guards == 0
    if -2 <= i < 2:
        assert fast(2.0, i) == [2.0, 5.0][i]
    else:
        with pytest.raises(IndexError):
            fast(2.0, i)


@pytest.mark.parametrize(("rows", "words"), [
    ([1.0, [2.0]], "row 1, list [2.0], has not the shape of row 0, float 1.0"),
    ([[1.0], [2.0], [3.0, 4.0]], "row 2, list [3.0, 4.0], has not the shape of row 0, list [1.0]"),
    ([[1.0], {"a": 2.0}], "row 1, dict {'a': 2.0}, has not the shape of row 0, list [1.0]"),
    ([2, [1.0]], "row 1, list [1.0], has not the shape of row 0, int 2"),
    ([{"a": 1.0}, {"b": 2.0}], "row 1, dict {'b': 2.0}, has not the shape of row 0, dict {'a': 1.0}")])
def test_rows_of_another_shape_are_named(rows, words):
    with pytest.raises(InputError, match=re.escape(words)):
        compile(lambda x, i: ag.take(rows, i), indices="i")(1.0, 0)


def test_a_large_table_that_the_function_makes_is_not_one_that_it_reads():
    values = [Value(1.0) for _ in range(1000)]
    fast = compile(lambda x, i: ag.take(list(values), i) * x, indices="i")
    assert fast(3.0, 1) == 3.0 and not fast.used().rows


def test_an_attribute_that_ints_have_not_is_none_of_theirs():
    with pytest.raises(AttributeError, match="'int' object has no attribute 'nothing'"):
        compile(lambda n: n.nothing)(3)


def test_what_is_infinite_where_that_is_ignored_decides_a_branch_as_eagerly():
    fast = compile(lambda x: x if 1.0 / x > 5.0 else -x)
    with ag.errstate("ignore"):
        assert str(fast(0.0)) == "0.0"
    assert (fast(0.1), fast.stats.programs, fast(2.0), fast.stats.programs) == (0.1, 1, -2.0, 2)


def test_the_limit_of_programs_is_said_in_words():
    assert limit_error("f", 1, "").args[0].startswith("f has 1 program, one for each way its branches went")
    assert limit_error("f", 2, "a changed").args[0].endswith("or choose on_limit='eager' (a changed)")
    assert limit_error("f", 2, "\n  a line").args[0].endswith("on_limit='eager'\n  a line")


# -- pickles ------------------------------------------------------------------------------------------


def test_a_name_is_looked_up_without_an_import_and_a_pickle_imports_it(monkeypatch, tmp_path):
    (tmp_path / "of_pickles.py").write_text(
        "from autograd_lite import compile\n@compile\ndef f(x): return x * 2.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    named = SimpleNamespace(f=SimpleNamespace(__module__="of_pickles", __qualname__="f"))
    assert ByName.of(named) is None and "of_pickles" not in sys.modules
    assert _wrapped("of_pickles", "f")(3.0) == 6.0
    f = sys.modules["of_pickles"].f
    assert ByName.of(f).found() is f and ByName.of(SimpleNamespace(f=f.f)) is None
    again = pickle.loads(pickle.dumps(f))
    assert again.f is f.f
    monkeypatch.delitem(sys.modules, "of_pickles")


def test_why_something_does_not_pickle_is_said_in_a_line_without_addresses():
    assert why_not(2.0) == why_not([ag.sin]) == ""
    assert "local object" in why_not(lambda: 1) or "pickle" in why_not(lambda: 1)
    assert "0x" not in why_not(iter(lambda: 1, 2)) and "\n" not in why_not(lambda: 1)

    class Long:
        def __reduce__(self) -> Any:
            raise ValueError("long " * 100)

    class Silent:
        def __reduce__(self) -> Any:
            raise ValueError
    assert why_not(Long()) == ("long " * 100)[:200] and why_not(Silent()) == "ValueError"

    tried = []

    class Own:
        def __reduce__(self) -> Any:
            tried.append(why_not(self))
            return (str, ("a",))
    assert why_not(Own()) == "" and tried == [""]


def test_a_generator_of_random_numbers_is_like_any_other_in_the_print_of_what_is_read():
    def reading(rng: Any) -> Any:
        return lambda x: x * (2.0 if rng else 3.0)
    prints = [print_of(Environment(reading(rng))) for rng in (random.Random(1), random.Random(2))]
    assert prints[0] is not None and prints[0] == prints[1] != print_of(Environment(reading([1.0])))


# -- over the arrays of a namespace ----------------------------------------------------------------------


def test_a_function_over_arrays_takes_and_gives_whatever_stands_beside_numbers():
    x = np.array([1.0, 2.0])

    def f(x: Any, n: Any = 2, flag: Any = True, text: Any = "t") -> Any:
        return {"y": x * n if flag else x, "flag": flag, "text": text, "none": None, "n": n, "c": 2.5}
    fast = compile(f, target=np)
    assert (fast.__name__, fast.__wrapped__, repr(fast)) == ("f", f, "<f compiled for numpy>")
    for args in ([x], [x, 3], [x, 3, False], [x, 2, True, "u"], [x, 3]):
        found, true = fast(*args), f(*args)
        assert found["y"].tolist() == true["y"].tolist() and found["c"].tolist() == [2.5, 2.5]
        assert [found[k] for k in ("flag", "text", "none")] == [true[k] for k in ("flag", "text", "none")]
        assert np.all(found["n"] == true["n"])
    assert len(fast._programs) == 4 and all([len(known) == 1 for known in fast._programs.values()])
    assert fast(np.array([1, 2]))["y"].dtype == float and fast(2.0)["y"].shape == ()
    with ag.no_grad():
        assert type(fast(x)["y"]) is np.ndarray and fast(x)["c"].tolist() == [2.5, 2.5]
    assert fast(x)["y"] is not x and compile(lambda x: x, target=np)(x) is not x


@pytest.mark.parametrize("batch", [-1, 1, "x", (1,)])
def test_the_batch_of_a_function_over_arrays_may_be_named_by_position_or_name(batch):
    x = np.arange(6.0).reshape(2, 3)
    fast = compile(lambda p, x: (p[0] * x[0] + x[1], p[1]), target=np, batch=batch)
    found = fast(np.array([2.0, 5.0]), x)
    assert found[0].tolist() == [3.0, 6.0, 9.0] and found[1].tolist() == [5.0] * 3
    for reduce, true in (("sum", (18.0, 15.0)), ("mean", (6.0, 5.0)), (("mean", None), (6.0, [5.0] * 3))):
        found = compile(lambda p, x: (p[0] * x[0] + x[1], p[1]), target=np, batch=batch, reduce=reduce)(
            np.array([2.0, 5.0]), x)
        assert [np.asarray(y).tolist() for y in found] == list(true)


def test_points_that_are_made_up_are_all_different_and_in_the_middle_of_0_and_1():
    made = list(itertools.islice(targets._made_up(), 2000))
    assert len(set(made)) == 2000 and min(made) > 0.25 and max(made) < 0.75
    assert min(made) < 0.251 and max(made) > 0.749
    fast = compile(lambda x, y: ag.asin(x) + ag.acosh(1.0 + y), target=np)
    assert fast(np.zeros(2), 0.0).tolist() == [0.0, 0.0]


class Tensor:
    """An array as torch has them: of a type and a device."""

    def __init__(self, x: Any, dtype: Any = "double", device: Any = "cpu"):
        self.x, self.dtype, self.device = x, dtype, device

    def is_floating_point(self) -> bool:
        return "int" not in self.dtype


def test_numbers_become_tensors_of_the_type_and_place_of_those_beside_them():
    torch = types.ModuleType("torch_of_tests")
    torch.float64, torch.is_tensor = "double", lambda x: isinstance(x, Tensor)
    torch.asarray = torch.as_tensor = lambda x, dtype=None, device=None: (x, dtype, device)
    found = Functions(torch)
    assert found.array(2.0, Tensor(1.0, device="gpu")) == (2.0, "double", "gpu")
    assert found.array([1.0, 2.0]) == ([1.0, 2.0], "double", None)
    assert Functions(np).array([1.0, 2.0], np.ones(1)).tolist() == [1.0, 2.0]
    single, whole = Tensor(1.0, "single", "gpu"), Tensor(1, "int")
    for xs, true in (([2.0, single], ((2.0, "single", "gpu"), single)),
                     ([2.0, whole], ((2.0, "double", "cpu"), whole)),
                     ([True, single], ((True, None, None), single)), ([2.0], ((2.0, "double", None),)),
                     ([whole, single, 0.5, 3], (whole, single, (0.5, "single", "cpu"), 3))):
        assert with_tensors(torch, lambda *xs: xs, *xs) == true
    with pytest.raises(AttributeError):
        copy.copy(found).__nothing__
    with pytest.raises(InputError, match="torch_of_tests has no function nothing$"):
        found.nothing


@pytest.mark.parametrize("f", [lambda x, y: ag.sin(x) * y, lambda x, y: value_and_grad(
    lambda a, b: a * b * b, (0, 1))(x, y), lambda x, y: [x, y][::-1]])
def test_a_bound_method_of_a_compiled_function_is_copied_pickled_and_named(f):
    class Thing:
        rate = 2.0
        call = compile(lambda self, x: f(self.rate, x))
    thing = Thing()
    bound = thing.call
    assert bound(3.0) == f(2.0,
                           3.0) and repr(bound).startswith("<compiled <lambda>> of <test_compiled_details.")
    make, args = bound.__reduce__()
    assert args == (Thing.call, thing) and make(*args)(3.0) == bound(3.0)


def test_the_instructions_that_are_timed_are_operations_of_values():
    met = []
    op = ag.custom_op(lambda x, y: x * y, name="timed product", partials=(
        lambda z, x, y: met.append("x") or y, lambda z, x, y: met.append("y") or x))
    try:
        for f, rules in ((lambda x, s: op(x, s), {"x", "y"}), (lambda x, s: op(x, 2.0) + s, {"x"}),
                         (lambda x, s: op(2.0, x) * s, {"y"}), (lambda x, s: ag.relu(x, s), set()),
                         (lambda x, s: ag.relu(op(x, s), 0.5), {"x", "y"})):
            for compiled in (compile(f, target="python"), compile(grad(f), target="python")):
                compiled(3.0, 1.5)
                met.clear()
                seconds = compiled.stats.ways[0]()
                assert 0.0 <= seconds < 1.0 and set(met) == rules
    finally:
        del TABLE["timed product"]


@pytest.mark.parametrize("wanted", [False, True])
def test_what_is_timed_is_all_that_a_call_does(wanted):
    done = []

    def noted(what, result):
        return lambda *xs: done.append((what, *xs)) or result

    class Named(dict):
        __len__ = noted("key", 0)

    class Slope(float):
        __radd__ = noted("added", 1.0)
    other = SimpleNamespace(forward=noted("forward", 12.0))
    instructions = SimpleNamespace(ops=[None, other], operands=[(), (0, 0)], value=lambda at: 3.0 + at)
    program = SimpleNamespace(
        given=((1.0,), Named()), point=(1.0, 2.0), read=[], recording=SimpleNamespace(code=instructions),
        run=noted("run", "out"), shape=noted("shape", None), wanted=wanted,
        gradients=noted("gradients", ([Value(1.0)], [Slope(2.0)])))
    by_operations, by_program = ways_of(program)
    assert by_operations() >= 0.0 and done == [("forward", 3.0, 3.0)]
    done.clear()
    assert by_program() >= 0.0
    assert [x[0] for x in done] == ["key", "run", *(["gradients", "added"] if wanted else ["shape"])]
    assert done[1] == ("run", 1.0, 2.0, [])


def test_an_argument_without_a_name_is_named_by_its_place():
    def f(x, *rest):
        return ag.take([x, x * x], rest[0])
    for place, args, named in [(1, (1.0, 0.5, 1), "rest"), (2, (1.0, 1, 0.5), "argument 2"),
                               (3, (1.0, 1, 1, 0.5), "argument 3")]:
        with pytest.raises(InputError, match=f"^f: {named} is in `indices`, so it must hold whole numbers"):
            compile(f, indices=(1, place))(*args)


def test_a_function_that_asks_nothing_where_it_asked_before_is_refused(tmp_path):
    (tmp_path / "answers").write_text("ab")
    with open(tmp_path / "answers") as answers:
        fast = compile(lambda x: x * 2.0 if answers.read(1) == "a" and x > 0.0 else x)
        assert fast(1.0) == 2.0
        with pytest.raises(InputError, match="takes other branches in each run at the same numbers"):
            fast(-1.0)
