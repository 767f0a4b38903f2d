"""What native methods are told: which questions they ask, where numbers lie, and of what forms they are."""
import struct
import sys
import sysconfig
from collections import OrderedDict, deque
from types import (BuiltinFunctionType, CellType, FunctionType, MappingProxyType, MethodType,
                   SimpleNamespace)

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value, compile

pytest.importorskip("llvmlite")
from autograd_lite.graph import node, value                        # noqa: E402
from autograd_lite.graph.node import read_numbers                  # noqa: E402
from autograd_lite.native import bound as bound_functions          # noqa: E402
from autograd_lite.native.bound import Binding                     # noqa: E402
from autograd_lite.native.calls import (ABSENT, CELL, DIRECT, FACT, FACTS, FLOAT,    # noqa: E402
                                        ITEM, SIZE)
from autograd_lite.native.direct import shorter                    # noqa: E402
from autograd_lite.native.holding import Holding                   # noqa: E402


def words(table):
    return list(struct.unpack(f"={len(table) // 8}q", table))


# -- questions ------------------------------------------------------------------------------------------

def rooted(things, *conditions, turned=5):
    questions = SimpleNamespace(conditions=list(conditions), things={
        id(thing): (i, thing) for i, thing in enumerate(things)})
    environment = SimpleNamespace(questions=questions)
    return SimpleNamespace(environment=environment, turned=turned, holds=lambda: True)


def function(x=1.0, *, y=2.0):
    return x + y


RATE = 2.0


def plain(x):
    return x * 2.0


class Names(dict):
    pass


a, named, kept, cell, number = {"key": 2.0}, "key", [2.0, (1.0,), None], CellType(3.0), 7
KNOWN = [
    ([a, named, kept], "x0[x1] is x2[0]", (ITEM, id(a), id(named), id(kept), 0)),
    ([a, kept, named], "x0[x2] is x1[13]", (ITEM, id(a), id(named), id(kept), 13)),
    ([*range(100, 110), a, named, kept], "x10[x11] is x12[2]", (ITEM, id(a), id(named), id(kept), 2)),
    ([named, a], "x0 not in x1", (ABSENT, id(a), id(named), 0, 0)),
    ([a, named], "x1 not in x0", (ABSENT, id(a), id(named), 0, 0)),
    *[([len, x], f"x0(x1) == {n}", (SIZE, id(x), n, 0, 0))
      for x, n in ((a, 1), (kept, 3), ((1, 2), 2), ({3}, 1))],
    ([cell, kept], "x0.cell_contents is x1[2]", (CELL, id(cell), 0, id(kept), 2)),
    *[([function, kept], f"x0.{fact} is x1[1]", (FACT, id(function), i, id(kept), 1))
      for i, fact in enumerate(("__code__", "__defaults__", "__kwdefaults__"))]]
OTHER = [
    ([Names(a), named, kept], "x0[x1] is x2[0]"), ([MappingProxyType(a), named, kept], "x0[x1] is x2[0]"),
    ([a, number, kept], "x0[x1] is x2[0]"), ([a, named, kept], "x0[x1] == x2[0]"),
    ([named, Names(a)], "x0 not in x1"), ([number, a], "x0 not in x1"), ([named, kept], "x0 not in x1"),
    ([max, kept], "x0(x1) == 3"), ([len, deque()], "x0(x1) == 0"), ([len, OrderedDict()], "x0(x1) == 0"),
    ([len, "abc"], "x0(x1) == 3"), ([len, kept], "x0(x1) == -1"),
    ([function, kept], "x0.cell_contents is x1[0]"), ([cell, kept], "x0.__code__ is x1[1]"),
    ([SimpleNamespace(__code__=1), kept], "x0.__code__ is x1[1]"), ([print], "x0()"),
    ([function, kept], "x0.__dict__ is x1[1]"), ([a, named, kept], "x0[x1] is x2[0] or x1")]


@pytest.mark.parametrize("things, condition, entry", KNOWN)
def test_a_question_of_a_known_form_is_asked_natively(things, condition, entry):
    root = rooted(things, condition)
    holding = Holding(root)
    count, holds, ask, nothing, exception, *entries = words(holding.table)
    assert (count, holds, ask) == (2, id(holding.holds), 0) and holding.holds is root.holds
    assert (nothing, exception) == (id(None), id(Exception))
    held, _ = holding.kept
    assert entries[:5] == [ITEM, id(vars(node)), entries[2], id(held), 0] and held == [5]
    assert tuple(entries[5:]) == entry


@pytest.mark.parametrize("things, condition", OTHER)
def test_any_other_is_asked_in_python(things, condition):
    n = len(things)
    holding = Holding(rooted([*things, "another", {}], f"x{n} not in x{n + 1}", condition))
    count, _, ask, _, _, *entries = words(holding.table)
    assert count == 2 and len(entries) == 10 and entries[5] == ABSENT
    assert ask == id(holding.kept[1]) and type(holding.kept[1]) is FunctionType


def test_what_is_asked_in_python_is_all_the_others():
    asked = []
    known, other = [len, [1, 2]], [lambda x: asked.append(x) or True, "first", "second"]
    holding = Holding(rooted([*known, *other], "x2(x3)", "x0(x1) == 2", "x2(x4)"))
    assert holding.kept[1]() is True and asked == ["first", "second"]


def test_the_table_is_written_anew_where_something_changed():
    root = rooted([len, [1, 2]], "x0(x1) == 2")
    holding = Holding(root)
    kept, table = holding.kept, holding.table
    holding.refresh()
    assert holding.kept is kept
    root.turned = 6
    holding.refresh()
    assert holding.kept[0] == [6] and holding.table is table
    root.environment.questions = rooted([[], len], "x1(x0) == 0", "x1(x0) == 0").environment.questions
    holding.refresh()
    assert words(table)[0] == 3 and len(table) == 8 * (5 + 15)


def test_of_a_plain_function_all_is_asked_natively():
    entry = 10.0

    def f(x):
        return plain(x) * entry + RATE

    fast = compile(f, target="native")
    for x in (1.0, 2.0, 3.0):
        fast(x)
    count, _, ask, _, _, *entries = words(fast.latest.root.holding.table)
    kinds = entries[::5]
    assert count == len(kinds) and not ask
    assert [kinds.count(kind) for kind in (CELL, FACT, ITEM)] == [1, 6, 3]


# -- direct calls ---------------------------------------------------------------------------------------

def called(f, *points, target="native"):
    fast = compile(f, target=target)
    for point in points:
        fast(*point)
    fast(*points[-1])
    return fast


def test_a_direct_call_knows_the_forms_of_arguments_and_results():
    w, v = Value(2.0), Value(3.0)

    def f(xs, y, zs):
        return [xs[0] * w, (y * v, [zs[0]]), ()]

    fast = called(f, ([1.0, 2.0, 3.0], 4.0, (5.0, 6.0)), ([2.0, 2.0, 3.0], 4.0, (5.0, 6.0)))
    program, root = fast.latest, fast.latest.root
    found = words(fast.direct.__self__)
    facts, forms = dict(zip(DIRECT, found)), found[len(DIRECT):]
    ordinary, held, holding, kept = (fast.direct.__module__ or (None,) * 4)
    assert (held, holding, kept) == (program.read, root.holding, program) and ordinary.__self__ is fast
    assert facts == {
        "program": program.core, "arguments": 3, "numbers": 6, "results": 3, "ordinary": id(ordinary),
        "holds": id(root.holding.table), "true": id(True), "false": id(False), "reader": id(read_numbers),
        "captured": id(program.read), "held": 2, "modes": id(vars(value)), "special": facts["special"],
        "float": id(float), "tuple": id(tuple), "list": id(list)}
    assert forms == [7, FLOAT, 4, 7, FLOAT, 4, FLOAT, 3, FLOAT, 0]
    assert list(held) == [w, v]


@pytest.mark.parametrize("f, form, is_direct", [
    (lambda x: x * 2.0, lambda x: (x,), True), (lambda x: x[0][0] * 2.0, lambda x: ([[x]],), False),
    (lambda x: x["a"] * 2.0, lambda x: ({"a": x},), False), (lambda x: {"a": x}, lambda x: (x,), False),
    (lambda x: [(x, [x])], lambda x: (x,), True), (lambda x: [x, 2.0], lambda x: (x,), False),
    (lambda x, xs: x * xs[0][0], lambda x: (x, [[x]]), False),
    (lambda x, n: x * n, lambda x: (x, int(x)), False), (lambda x: (), lambda x: ((x, 2.0),), True)])
def test_which_calls_can_be_direct(f, form, is_direct):
    fast = called(f, form(1.0), form(2.0))
    assert (type(fast).__name__ == "Direct") is is_direct


@pytest.mark.parametrize("numbers, read, is_direct", [
    (2998, 0, True), (2999, 0, True), (3000, 0, False), (2979, 20, True), (2980, 20, False)])
def test_3000_numbers_may_lie_on_the_stack(numbers, read, is_direct):
    ws = [Value(float(i)) for i in range(read)]
    fast = called(lambda xs: xs[0] * 2.0 + ag.sum(ws), ([1.0] * numbers,), ([2.0] * numbers,))
    assert (type(fast).__name__ == "Direct") is is_direct


def test_calls_by_the_python_target_are_not_direct():
    fast = called(lambda x: x * 2.0, (1.0,), (2.0,), target="python")
    assert type(fast).__name__ == "Compiled"
    assert shorter(fast, (1.0,), fast.latest.root, fast.latest) is None


def test_calls_are_not_direct_where_objects_may_be_laid_out_otherwise(monkeypatch):
    fast = called(lambda x: x * 2.0, (1.0,), (2.0,))
    given = fast, (1.0,), fast.latest.root, fast.latest
    assert shorter(*given) is not None
    with monkeypatch.context() as patch:
        patch.setattr(sys, "implementation", SimpleNamespace(name="another"))
        assert shorter(*given) is None
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: int(name == "Py_GIL_DISABLED"))
    assert shorter(*given) is None


# -- arrays that stay where they are --------------------------------------------------------------------

def bound(f, *args):
    binding = Binding(compile(f, target="native"), args, {})
    return binding, lambda: dict(zip(FACTS, words(binding.facts)))


def test_a_bound_function_goes_by_a_program_once_that_is_verified():
    x = np.array([1.0, 2.0])
    binding, facts = bound(lambda x: x[0] * x[1], x)
    assert facts()["program"] == facts()["holds"] == 0
    binding.ordinary()
    assert facts()["program"] == 0              # (at the same numbers nothing is verified)
    x[0] = 3.0
    assert binding.ordinary() == 6.0 and facts()["program"] != 0 and facts()["holds"] != 0


def test_numbers_of_one_array_are_read_where_they_lie_and_others_are_copied():
    x, y, w = np.array([1.0, 2.0]), np.array([[3.0], [4.0]]), Value(5.0)
    for f, args, before, arrays in ((lambda x: x[0] * x[1], (x,), 0, [x]), (lambda x: x[0] * w, (x,), 1, [x]),
                                    (lambda x, c: x[0] * c, (x, 2.0), 1, [x]),
                                    (lambda y, x: x[0] * y[1, 0], (y, x), 2, [y, x])):
        binding, facts = bound(f, *args)
        binding.ordinary()
        x[0] += 1.0
        binding.ordinary()
        found, rest = facts(), words(binding.facts)[len(FACTS):]
        assert (found["before"], found["after"], found["arrays"]) == (before, 0, len(arrays))
        assert (found["inputs"] == x.ctypes.data) is (not before)
        numbers = sum(np.size(arg) for arg in args)
        assert (found["numbers"], found["held"]) == (numbers, int(f.__code__.co_freevars == ("w",)))
        at = 0
        for array in arrays[:before]:
            assert rest[:3] == [array.ctypes.data, found["inputs"] + 8 * at, array.size]
            rest, at = rest[3:], at + array.size
        for array in arrays:
            n = 4 + array.ndim
            assert rest[:n] == [id(array), array.ctypes.data, id(array.dtype), array.ndim, *array.shape]
            rest = rest[n:]
        assert not rest
        assert (found["out"], found["result"]) == (binding.results.ctypes.data, id(binding.tree))
        assert (found["true"], found["reader"]) == (id(True), id(read_numbers))


def test_what_the_facts_point_to_lives_as_long():
    x, y, w = np.array([1.0, 2.0]), np.array([[3.0], [4.0]]), Value(5.0)
    binding, facts = bound(lambda y, x: (x[0] * y[1, 0] * w, 3.0), y, x)
    for x[0] in (1.0, 2.0, 3.0):
        binding.ordinary()
    program, held, inputs, out, holding, before, after = binding.owned
    found, rest = facts(), words(binding.facts)[len(FACTS):]
    assert (found["program"], found["captured"], found["inputs"], found["out"], found["holds"]) == (
        program.core, id(held), inputs.ctypes.data, out.ctypes.data, id(holding.table))
    assert list(held) == [w] and len(out) == len(after) == 1
    for to, piece in (*before, *after):
        assert rest[:2] == [piece.ctypes.data, to.ctypes.data]
        rest = rest[3:]


def test_a_bound_function_is_native_unless_its_target_is_python_or_there_is_no_native_code(monkeypatch):
    x = np.array([1.0])
    for target, kind in (("native", BuiltinFunctionType), ("python", MethodType)):
        assert type(compile(lambda x: x[0] * 2.0, target=target).bind(x)) is kind
    monkeypatch.setattr(bound_functions, "available", lambda: False)
    assert type(compile(lambda x: x[0] * 2.0).bind(x)) is MethodType


def test_results_that_are_constant_stay_and_others_are_copied_behind_them():
    x = np.array([1.0, 2.0])
    binding, facts = bound(lambda x: (7.0, x[0] * 2.0, np.array([1.5, x[1]]), 3), x)
    for x[0] in (1.0, 2.0, 3.0):
        found = binding.ordinary()
    assert [found[0], found[1], found[2].tolist(), found[3]] == [7.0, 6.0, [1.5, 2.0], 3.0]
    assert found[2].dtype == float and all(np.shares_memory(x, binding.results) for x in found)
    assert facts()["after"] == 2
    out, results = facts()["out"], binding.results.ctypes.data
    assert words(binding.facts)[len(FACTS):][:6] == [out, results + 8, 1, out + 8, results + 24, 1]


def test_an_array_of_one_number_is_a_part_of_the_results_and_one_of_none_is_not():
    x, none = np.array([1.0]), np.zeros(0)
    run = compile(lambda x: (x * 2.0, none, x[0]), target="native").bind(x)
    for x[0] in (1.0, 2.0, 3.0):
        one, empty, number = run()
        assert one.tolist() == [2.0 * x[0]] and number == x[0] and empty.shape == (0,)


@pytest.mark.parametrize("found", [{"a": "text", "b": (None, True)}, {"a": "text", "b": ["another"]}, None])
def test_results_need_not_hold_numbers(found):
    x = np.array([1.0])
    run = compile(lambda x: found, target="native").bind(x)
    for _ in range(3):
        assert run() == found


def test_an_object_of_a_registered_class_is_made_again_of_its_numbers():
    class Scaled:
        def __init__(self, x, by):
            self.x, self.by = x, by * 1.0

    ag.register(Scaled, lambda scaled: [scaled.x, scaled.by], lambda scaled, parts: Scaled(*parts))
    x = np.array([1.0])
    run = compile(lambda scaled: scaled.x[0] * scaled.by, target="native").bind(Scaled(x, 2.0))
    for x[0] in (1.0, 2.0, 3.0):
        assert run() == 2.0 * x[0]


def test_what_was_bound_may_change_outside():
    xs, options = [2.0, 3.0], {"by": 4.0}
    x = np.array([1.0])
    run = compile(lambda x, xs, by: x[0] * xs[0] * by, target="native").bind(x, xs, **options)
    xs.append(9.0)
    xs[0], options["by"] = 7.0, 8.0
    for x[0] in (1.0, 2.0, 3.0):
        assert run() == 8.0 * x[0]
