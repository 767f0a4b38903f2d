"""The quick methods, made from the table, do what the general way does, and are taken."""
import contextlib
import inspect
import itertools
import math
import struct

import pytest
from hypothesis import given, settings, strategies as st

import autograd_lite as ag
from autograd_lite import AutogradError, Value, no_grad, record_lines
from autograd_lite.graph import value
from autograd_lite.graph.node import stored_partials
from autograd_lite.graph.quick import methods_of, quicken
from autograd_lite.ops.define import define
from autograd_lite.ops.notation import function
from autograd_lite.ops.op import TABLE, Op
from autograd_lite.ops.operators import Operators
from graphs import python_build
from truth import points


extreme = st.one_of(st.floats(-4.0, 4.0), st.floats(-800.0, 800.0), st.floats(), st.sampled_from(
    [0.0, -0.0, 1.0, -1.0, 5e-324, 1e-310, 1e-300, 1e-160, 1e-20, 37.5, 709.0, 710.0, 1e16, 1e300, 1.7e308]))


def bits(x):
    return None if x is None else "nan" if x != x else struct.pack("d", x)


def outcome(call):
    """What a call gives: a node taken apart, a number, or an error."""
    try:
        y = call()
    except AutogradError as error:
        return type(error), str(error)
    if type(y) is not Value:
        return bits(y)
    operands = [bits(x) if type(x) is float else id(x) for x in y.operands]
    return y.op, bits(y.data), y.requires_grad, operands, [bits(p) for p in stored_partials(y)]


def general(op, operands):
    """The op on these operands by the general way."""
    if Value in map(type, operands):
        return Value.__apply_op__(op, operands)
    return op.evaluate([float(x) for x in operands])


def of_kinds(xs, kinds):
    """Numbers as nodes (v), constant nodes (c), ints where they are whole (i) or floats (f)."""
    make = {"v": Value, "c": lambda x: Value(x, requires_grad=False),
            "i": lambda x: int(x) if x % 1.0 == 0.0 and (x or math.copysign(1.0, x) > 0.0) else x}
    return [make.get(kind, float)(x) for x, kind in zip(xs, kinds)]


def ways(op, operands):
    """Every way to apply an op to operands: its call, and its methods."""
    yield lambda: op(*operands)
    for name, reverse in methods_of(op):
        a, *rest = operands[::-1] if reverse else operands
        if type(a) is Value and (not reverse or type(rest[0]) is not Value) and (
                len(operands) <= len(inspect.signature(getattr(Operators, name)).parameters)):
            yield lambda: getattr(a, name)(*rest)


def kinds_of(op, n):
    """The kinds that n operands may have; a number for an option."""
    choices = ["f" if not op.open and i in op.options else "vcif" for i in range(n)]
    return ["".join(kinds) for kinds in itertools.islice(itertools.product(*choices), 100)]


@pytest.mark.parametrize("name", TABLE)
def test_at_every_point_of_the_table_the_quick_ways_give_what_the_general_way_gives(name):
    op = TABLE[name]
    found = points(name)
    for k, xs in enumerate(found):
        kinds = kinds_of(op, len(xs))
        for kind in kinds if k % 25 == 0 else [kinds[0], kinds[k % len(kinds)]]:
            operands = of_kinds(xs, kind)
            expected = outcome(lambda: general(op, operands))
            for way in ways(op, operands):
                assert outcome(way) == expected, (name, xs, kind)


@given(st.sampled_from(list(TABLE)), st.data())
@settings(max_examples=300, deadline=None)
def test_anywhere_at_all_the_quick_ways_give_what_the_general_way_gives(name, data):
    op = TABLE[name]
    n = data.draw(st.integers(op.least, 4 if op.open else int(op.most)))
    xs = [data.draw(st.sampled_from([0.0, 1.0, 2.0, 0.5]) if not op.open and i in op.options else extreme)
          for i in range(n)]
    operands = of_kinds(xs, data.draw(st.sampled_from(kinds_of(op, n))))
    expected = outcome(lambda: general(op, operands))
    for way in ways(op, operands):
        assert outcome(way) == expected


@pytest.mark.parametrize("mode", ["raise", "ignore"])
@pytest.mark.parametrize("name", TABLE)
def test_at_infinite_and_missing_operands_too(name, mode):
    op = TABLE[name]
    n = op.least if not op.open else 4 if "dot" in name else 3
    numbers = [0.0, 2.0] if n > 2 else [0.0, -0.0, 1.0, -2.5]
    for k, xs in enumerate(itertools.product(*[[0.0, 1.0] if not op.open and i in op.options else
                                               [math.inf, -math.inf, math.nan, *numbers] for i in range(n)])):
        kinds = kinds_of(op, n)
        operands = of_kinds(xs, kinds[0] if k % 3 else kinds[k // 3 % len(kinds)])
        with ag.errstate(mode):
            expected = outcome(lambda: general(op, operands))
            for way in ways(op, operands):
                assert outcome(way) == expected, xs


@python_build
@pytest.mark.parametrize("forward, rule, python", [
    (math.exp, lambda y, x: y, "math.exp(#1) + 0.0 * #1"),                      # right
    (math.exp, lambda y, x: y, "math.exp(#1 + 1e-15)"),                         # the value is wrong
    (lambda x: x * x, lambda y, x: 2.0 * x if type(x) is float else 3.0 * x, ""),      # the partial in line
])
def test_a_quick_way_that_differs_is_noticed(monkeypatch, forward, rule, python):
    monkeypatch.setattr("autograd_lite.ops.define.TABLE", {})
    op = define("probe", forward, (rule,), notation=function("probe", python=python))
    operands = [Value(0.7)]
    quicken(op)
    same = outcome(lambda: op(*operands)) == outcome(lambda: general(op, operands))
    assert same == python.endswith("0.0 * #1")


# -- they are taken -------------------------------------------------------------------------------

QUICK = {"x + y": 5.0, "x + 1.0": 3.0, "x + 1": 3.0, "x + x": 4.0, "x - y": -1.0, "x - 1.0": 1.0,
         "1 - x": -1.0, "x - 1": 1.0,
         "x * y": 6.0, "x * 4.0": 8.0, "x * 4": 8.0, "4.0 * x": 8.0, "4 * x": 8.0, "-x": -2.0,
         "x.relu()": 2.0, "ag.relu(x)": 2.0, "ag.relu(x, 0.5)": 2.0, "x.relu(0.5)": 2.0, "0 + x": 2.0,
         "x / y": 2 / 3, "x / 4.0": 0.5, "x / 4": 0.5, "1.0 - x": -1.0, "1.0 + x": 3.0, "x ** 2": 4.0,
         "x ** y": 8.0, "2 ** x": 4.0, "x ** -0.5": 2.0 ** -0.5, "x % y": 2.0, "7.0 // x": 3.0, "abs(x)": 2.0,
         "ag.exp(x)": math.exp(2.0), "x.exp()": math.exp(2.0), "ag.maximum(x, y)": 3.0, "x.minimum(1.0)": 1.0,
         "ag.hypot(x, y)": math.hypot(2.0, 3.0), "ag.atan2(1.0, x)": math.atan2(1.0, 2.0),
         "ag.greater(x, y)": 0.0, "ag.where(ag.greater(x, 0.0), x, y)": 2.0, "ag.leaky_relu(x, 0.2)": 2.0,
         "ag.sum([x, y, x])": 7.0, "ag.sum([x, 1.0])": 3.0, "ag.dot([x, y], [y, x])": 12.0,
         "ag.dot([x, y], [1.0, 2.0])": 8.0, "ag.mean([x, y])": 2.5}


class GeneralWay(Exception):
    pass


def refused(*args):
    raise GeneralWay


def computed(text, x, y):
    return eval(text, {"x": x, "y": y, "ag": ag})


@python_build
@pytest.mark.parametrize("text", QUICK)
def test_at_ordinary_numbers_no_op_goes_the_general_way_and_in_a_special_mode_all_do(monkeypatch, text):
    x, y = Value(2.0), Value(3.0)
    computed(text, x, y)                    # (the first time, the quick methods are made)
    monkeypatch.setattr(Value, "__apply_op__", refused)
    monkeypatch.setattr(Op, "evaluate", refused)
    assert computed(text, x, y).data == QUICK[text]
    constant = computed(text, Value(2.0, requires_grad=False), Value(3.0, requires_grad=False))
    assert constant.data == QUICK[text] and not constant.requires_grad
    for mode in (no_grad(), record_lines()):
        with mode, pytest.raises(GeneralWay):
            computed(text, x, y)


@python_build
@pytest.mark.parametrize("name", TABLE)
def test_every_op_has_a_quick_way_at_one_of_its_points(monkeypatch, name):
    op, taken = TABLE[name], False
    operands = [of_kinds(xs, kinds_of(op, len(xs))[0]) for xs in points(name)]
    quicken(op)
    monkeypatch.setattr(Value, "__apply_op__", refused)
    for xs in operands:
        with contextlib.suppress(GeneralWay, AutogradError):
            taken |= type(op(*xs)) is Value
    assert taken


@python_build
@pytest.mark.parametrize("text", ["x + y", "x / y", "ag.exp(x)", "ag.dot([x, y], [y, x])"])
@pytest.mark.parametrize("x, y", [(math.inf, 3.0), (math.nan, 3.0), (1e308, 1e-308)])
def test_what_is_not_finite_goes_the_general_way(monkeypatch, text, x, y):
    x, y = Value(x), Value(y)
    with contextlib.suppress(AutogradError):
        computed(text, x, y)
    taken = []
    monkeypatch.setattr(Value, "__apply_op__", staticmethod(lambda op, xs: taken.append(op) or xs[0]))
    computed(text, x, y)
    assert bool(taken) == (x.data - x.data != 0.0 or text in ("x / y", "ag.exp(x)"))


@python_build
def test_without_the_quick_methods_all_is_the_same(monkeypatch):
    monkeypatch.setattr(value, "quicken", lambda op: None)
    monkeypatch.setattr("autograd_lite.ops.define.TABLE", {})
    op = define("slow exp", math.exp, (lambda y, x: y,), notation=function("slow exp"))
    x = Value(0.5)
    y = op(x)
    assert not op.quick and (y.data, y.partials) == (math.exp(0.5), (math.exp(0.5),))


# -- they keep their names --------------------------------------------------------------------------

@python_build
@pytest.mark.parametrize("name", ["exp", "__add__", "hypot", "relu", "absolute", "arcsin"])
def test_a_quick_method_has_the_name_signature_and_words_of_the_method_it_stands_for(name):
    with contextlib.suppress(AutogradError, TypeError):
        getattr(Value(0.5), name)(*[0.5] * (len(inspect.signature(getattr(Operators, name)).parameters) - 1))
    method = getattr(Value, name)
    assert method is not getattr(Operators, name)
    assert method.__name__ == getattr(Operators, name).__name__ and method.__qualname__ == f"Value.{name}"
    assert inspect.signature(method) == inspect.signature(getattr(Operators, name))


def test_a_custom_op_that_calls_itself_by_a_methods_name_changes_no_method(monkeypatch):
    before = Value.detach
    monkeypatch.setattr("autograd_lite.ops.custom.TABLE", {})
    mine = ag.custom_op(lambda x: 2.0 * x, (lambda y, x: 2.0,), name="detach")
    assert mine(Value(3.0)).data == mine(Value(3.0)).data == 6.0 and Value.detach is before


# -- all shares of a softmax are made together ------------------------------------------------------

@python_build
@pytest.mark.parametrize("kinds", ["vvv", "vfv", "cvf", "ccc", "ivi"])
def test_the_shares_made_together_are_those_that_the_general_way_makes_one_by_one(monkeypatch, kinds):
    op = TABLE["softmax"]
    quicken(op)
    for xs in [*points("softmax"), (-math.inf, 0.0, 1.0), (math.inf, 0.0, 1.0), (math.nan, 0.0, 1.0)]:
        operands = of_kinds(xs, kinds)
        if Value not in map(type, operands):
            continue
        rotations = [operands[i:] + operands[:i] for i in range(len(operands))]
        together = op.together(operands)
        if together is None:                    # a share is nan, or an operand an int
            assert kinds == "ivi" or not max(xs) < math.inf
            continue
        assert [outcome(lambda: y) for y in together] == [outcome(lambda: general(op, r)) for r in rotations]
    monkeypatch.setattr(Value, "__apply_op__", refused)
    x, y = Value(2.0), Value(3.0)
    assert ag.softmax([x, y])[1].operands == (y, x)
    for mode in (no_grad(), record_lines()):
        with mode, pytest.raises(GeneralWay):
            ag.softmax([x, y])


# -- what others wrote ------------------------------------------------------------------------------

def custom(monkeypatch, *facts, **more):
    monkeypatch.setattr("autograd_lite.ops.custom.TABLE", {})
    return ag.custom_op(*facts, **more)


@pytest.mark.parametrize("k", [3.0, Value(3.0, requires_grad=False)])
def test_no_rule_runs_for_an_operand_without_gradient_however_often_the_op_is_recorded(monkeypatch, k):
    def fails(*operands):
        raise NotImplementedError

    scale = custom(monkeypatch, lambda x, k: x * k, (lambda y, x, k: k, fails), name="scale")
    for _ in range(3):
        assert scale(Value(2.0), k).data == 6.0


@pytest.mark.parametrize("operands", [(Value(2.0), Value(3.0)), (Value(2.0), 3.0), (2.0, Value(3.0)),
                                      (2.0, 3.0), (Value(2.0, requires_grad=False), Value(3.0))])
def test_a_custom_ops_own_functions_run_once_for_each_node(monkeypatch, operands):
    runs = []
    times = custom(monkeypatch, lambda a, b: runs.append("forward") or a * b,
                   (lambda y, a, b: runs.append("a") or b, lambda y, a, b: runs.append("b") or a),
                   name="times")
    times(Value(1.0), Value(1.0))
    runs.clear()
    times(*operands)
    assert sorted(runs) == sorted(set(runs)) and "forward" in runs


def test_an_op_of_any_number_of_operands_refuses_none_before_and_after_it_is_quick(monkeypatch):
    first = custom(monkeypatch, lambda *xs: xs[0] * 1.0, lambda y, xs: [1.0] * len(xs), name="first")
    for _ in range(2):
        with pytest.raises(ag.InputError, match="0 were given"):
            first()
        first(Value(1.0))


def test_the_signature_of_an_op_is_that_of_its_function_before_and_after_it_is_quick():
    for _ in range(2):
        assert str(inspect.signature(ag.relu)) == "(x, at_zero=0.0)" and "x" in str(inspect.signature(ag.exp))
        ag.relu(Value(1.0)), ag.exp(Value(1.0))


@python_build
def test_an_interruption_as_a_pass_begins_leaves_gradients_to_be_read_without_the_lock(monkeypatch):
    from autograd_lite.graph import backward, node
    y = Value(2.0) * 3.0

    def interrupted(self, *roots):
        raise KeyboardInterrupt
    monkeypatch.setattr(backward._Pass, "__init__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        y.backward()
    assert node.at_rest


@python_build
@pytest.mark.parametrize("name", ["+", "/", "tanh", "relu"])
def test_a_quick_method_is_documented_by_its_op(name):
    quicken(TABLE[name])
    for method, _ in methods_of(TABLE[name]):
        assert vars(Value)[method].__doc__ == ((TABLE[name].__doc__ or "").partition("\n")[0] or None)
    assert TABLE["tanh"].__doc__
