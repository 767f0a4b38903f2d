"""`explain` and `record_lines`: where values, gradients and what is not finite come from."""
from __future__ import annotations

import copy
import functools
import heapq
import itertools
import json
import math
import pickle
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value, explain, label, record_lines
from autograd_lite.checks import explain as checks_explain
from autograd_lite.graph import value
from autograd_lite.graph.walks import topological
from autograd_lite.checks.explanation import Explanation
from autograd_lite.checks.report import Report
from autograd_lite.testing import Expression, expressions
from graphs import computations, recorded, results

THIS = __file__


def document() -> Value:
    """The document's network, with its labels."""
    w = [Value(x, f"w{i}") for i, x in enumerate((0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55), 1)]
    b1, b2 = Value(0.35, "b1"), Value(0.60, "b2")
    neth1, neth2 = ag.dot([0.05, 0.10], w[0:2], b1), ag.dot([0.05, 0.10], w[2:4], b1)
    outh = outh1, outh2 = neth1.sigmoid(), neth2.sigmoid()
    neto1, neto2 = ag.dot(outh, w[4:6], b2), ag.dot(outh, w[6:8], b2)
    outo1, outo2 = neto1.sigmoid(), neto2.sigmoid()
    error = 0.5 * (0.01 - outo1) ** 2 + 0.5 * (0.99 - outo2) ** 2
    ag.label(neth1=neth1, neth2=neth2, outh1=outh1, outh2=outh2, neto1=neto1, neto2=neto2,
             outo1=outo1, outo2=outo2, E=error)
    return error


# -- the paths of a gradient -------------------------------------------------------------------


def all_paths(node: Value, target: Value) -> list[tuple[list[int], float]]:
    """Every path by its operand places, and the product along it, by plain recursion."""
    if node is target:
        return [([], 1.0)]
    return [([i, *places], p * product) for i, (x, p) in enumerate(zip(node.operands, node.partials))
            if isinstance(x, Value) for places, product in all_paths(x, target)]


def programs() -> st.SearchStrategy[tuple[Value, list[Value]]]:
    """A small graph, its root first; its leaves are x0, x1, …"""
    def labelled(f: Expression) -> tuple[Value, list[Value]]:
        leaves, nodes = recorded(f)
        label({f"x{i}": x for i, x in enumerate(leaves)})
        return nodes[-1], nodes
    return computations(7, ["*", "+", "-", "maximum", "sin", "relu", "hypot"]).map(labelled)


@settings(max_examples=150, deadline=None)
@given(programs(), st.integers(0, 9))
def test_the_paths_are_the_largest_of_all_paths_and_their_sizes_add_up(
        program: tuple[Value, list[Value]], which: int) -> None:
    root, nodes = program
    order = topological([root])
    target = order[which % len(order)]
    every = [path for path in all_paths(root, target) if path[1] != 0.0]
    found = explain(root, target)
    size = math.fsum(abs(product) for _, product in every)
    assert found.number_of_paths == len(every)
    assert found.gradient == pytest.approx(math.fsum(product for _, product in every), rel=1e-9, abs=1e-12)
    assert 10.0 ** found.log10_size == pytest.approx(size, rel=1e-9)
    largest = sorted((abs(product) for _, product in every), reverse=True)[:5]
    assert [abs(path.contribution) for path in found.paths] == pytest.approx(largest, rel=1e-9)
    assert len({path.places for path in found.paths}) == len(found.paths)
    for path in found.paths:
        assert (list(path.places), pytest.approx(path.contribution, rel=1e-12)) in every
        assert path.share == pytest.approx(abs(path.contribution) / size, rel=1e-9)
        assert all(a.operands[i] is b for a, i, b in zip(path.nodes, path.places, path.nodes[1:]))


def test_the_documents_gradient_has_two_paths_which_cancel_in_part() -> None:
    error = document()
    found = explain(error, "w1")
    error.backward()
    assert found.node is not None and found.gradient == found.node.grad
    assert [[node.label for node in path.nodes if node.label] for path in found.paths] == [
        ["E", "outo1", "neto1", "outh1", "neth1", "w1"], ["E", "outo2", "neto2", "outh1", "neth1", "w1"]]
    assert [path.contribution for path in found.paths] == pytest.approx([0.000668396021, -0.000229828287])
    assert str(found) == """\
∂E/∂w1 = 0.000438567734474347

It comes over 2 paths; their sizes add up to 0.000898224, but cancel in part
   share  contribution  path
  74.4 %   0.000668396  E ← outo1 ← neto1 ← outh1 ← neth1 ← w1
  25.6 %  -0.000229828  E ← outo2 ← neto2 ← outh1 ← neth1 ← w1
The largest is ∂E/∂outo1 · ∂outo1/∂neto1 · ∂neto1/∂outh1 · ∂outh1/∂neth1 ·
  ∂neth1/∂w1 = 0.7414 · 0.1868 · 0.4 · 0.2413 · 0.05"""


@pytest.mark.parametrize("p", [0.3, 1.0, 1.7])
def test_a_diamond_of_a_thousand_levels_has_its_five_paths_at_once(p: float) -> None:
    x = Value(0.5, "x")
    y = x
    for _ in range(1000):
        y = p * y + 0.2 * y if p < 1.0 else p * y * 1e-1 + 0.2 * y
    found = explain(y, x)
    step = p if p < 1.0 else p * 1e-1
    assert found.number_of_paths == 2.0 ** 1000
    assert found.log10_size == pytest.approx(1000 * math.log10(step + 0.2))
    assert found.paths[0].log10 == pytest.approx(1000 * math.log10(max(step, 0.2)))
    assert found.paths[1].log10 == pytest.approx(
        999 * math.log10(max(step, 0.2)) + math.log10(min(step, 0.2)))
    assert len({path.places for path in found.paths}) == 5 and str(found)


def test_equal_paths_do_not_make_it_search_them_all() -> None:
    y = x = Value(0.7, "x")
    for _ in range(400):
        y = 0.3 * y + y * 0.3
    found = explain(y, x)
    assert [path.log10 for path in found.paths] == pytest.approx([400 * math.log10(0.3)] * 5)
    assert found.paths[0].share == pytest.approx(2.0 ** -400)
    assert "< 0.1 %" in str(found)


def test_a_long_chain_and_a_wide_sum_are_no_trouble() -> None:
    x = Value(0.5, "x")
    y = x
    for _ in range(10_000):
        y = y + 1.0
    assert explain(y, x).paths[0].factors == (1.0,) * 10_000
    assert "(9999\N{NO-BREAK SPACE}ops)" in str(explain(y, x))
    wide = ag.sum([x] * 10_000)
    assert explain(wide, x).number_of_paths == 10_000
    assert explain(wide, x).gradient == 10_000.0


def test_a_contribution_below_the_doubles_keeps_its_size() -> None:
    x = Value(0.5, "x")
    y = x
    for _ in range(200):
        y = y * -1e-3 * 2.0 + 1.0
    found = explain(y, x)
    assert found.gradient == 0.0 and found.paths[0].contribution == 0.0
    assert found.paths[0].log10 == pytest.approx(200 * math.log10(2e-3))
    assert "10^-539.8" in str(found)
    assert found.origin is not None and found.origin.what == "underflow"


def test_an_operand_used_twice_is_two_paths() -> None:
    x = Value(3.0, "x")
    found = explain(x * x, x)
    assert [path.places for path in found.paths] == [(0,), (1,)] and found.gradient == 6.0
    assert "* ← x#2" in str(found) and "(#n: as the n-th operand)" in str(found)


def test_a_node_is_its_own_path() -> None:
    x = Value(3.0, "x")
    assert explain(x, x).gradient == 1.0
    assert explain(x, x).paths[0].nodes == (x,)


def test_the_smallest_factor_is_named_where_it_is_small() -> None:
    with record_lines():
        w = Value(0.4, "w")
        loss = ag.tanh(w * 100.0) * 3.0
    text = str(explain(loss, w))
    assert "Its smallest factor is 7.22e-35, the partial of\n  tanh(40.0) by *" in text
    assert "      loss = ag.tanh(w * 100.0) * 3.0\n             ^^^^^^^^^^^^^^^^^^" in text


def test_a_frozen_node_is_said_to_carry_no_gradient() -> None:
    c, x = Value(2.0, "c", requires_grad=False), Value(3.0, "x")
    found = explain(c * x, c)
    assert found.gradient == 3.0 and "c carries no gradient" in str(found)


def test_the_inputs_that_matter_most_come_first() -> None:
    found = explain(document())
    assert [x.node.label for x in found.inputs] == ["b2", "w6", "w5", "w8", "w7"]
    assert found.origin is None
    assert found.inputs[0].share == pytest.approx(0.373, abs=1e-3)
    assert "  37.3 %        0.1004           0.6  b2" in str(found)


def test_inputs_that_are_0_are_told_by_their_gradients() -> None:
    x, y, z = Value(0.0, "x"), Value(0.0, "y"), Value(0.0, "z")
    found = explain(2.0 * x - 5.0 * y + 3.0 * z)
    assert [(entry.node.label, entry.share) for entry in found.inputs] == [("y", 0.0), ("z", 0.0), ("x", 0.0)]


# -- where a value stopped being finite ------------------------------------------------------------


def ignoring(f: Callable[[], Value]) -> Value:
    with ag.errstate("ignore"), record_lines():
        return f()


def leaf(x: float) -> Value:
    return Value(x, "x")


TRAPS: list[Any] = [
    ("the branch not taken, 0·log(0)", lambda: 0.0 * ag.log(leaf(0.0)) + 1.0, "arose", "log", (0.0,)),
    ("log(0)", lambda: 1.0 - ag.log(leaf(0.0)), "arose", "log", (0.0,)),
    ("log of a negative number", lambda: ag.log(leaf(-1.0)) * 2.0, "arose", "log", (-1.0,)),
    ("0/0", lambda: (leaf(0.0) / 0.0) + 1.0, "arose", "/", (0.0, 0.0)),
    ("x/x at 0", lambda: (lambda x: x / (x * 3.0))(leaf(0.0)), "arose", "/", (0.0, 0.0)),
    ("exp overflows", lambda: 1.0 / ag.exp(leaf(800.0)) - ag.exp(leaf(800.0)), "arose", "exp", (800.0,)),
    ("a product overflows", lambda: leaf(1e200) * 1e200 - 1.0, "arose", "*", (1e200, 1e200)),
    ("inf - inf", lambda: (lambda x: x * x - x * x)(leaf(1e200)), "arose", "*", (1e200, 1e200)),
    ("softmax by hand", lambda: (lambda e: e / (e + 1.0))(ag.exp(leaf(1000.0))), "arose", "exp", (1000.0,)),
    ("a norm of infinities", lambda: ag.sqrt(leaf(-1.0)) + ag.log(leaf(-2.0)), "arose", "sqrt", (-1.0,)),
    ("a nan that was given", lambda: ag.sum([leaf(1.0), leaf(math.nan)]) * 2.0, "given", "", ()),
    ("an inf that was given", lambda: ag.exp(leaf(math.inf) * 2.0), "given", "", ()),
    ("a plain nan", lambda: leaf(1.0) * math.nan + 2.0, "constant", "*", (1.0, math.nan)),
    ("a plain inf", lambda: leaf(1.0) - math.inf, "constant", "-", (1.0, math.inf)),
]


@pytest.mark.parametrize("make, what, op, operands", [pytest.param(*trap[1:], id=trap[0]) for trap in TRAPS])
def test_the_first_node_that_is_not_finite_is_named_with_its_operands_and_line(
        make: Callable[[], Value], what: str, op: str, operands: tuple[float, ...]) -> None:
    found = explain(ignoring(make))
    origin = found.origin
    assert origin is not None and (origin.what, origin.node.op) == (what, op)
    facts = origin.as_dict()
    assert str([float(x["value"]) for x in facts["operands"]]) == str(list(operands))
    assert facts["line"]["file"] == THIS and facts["line"]["text"]
    assert "Where it stopped being finite" in str(found) and f"{THIS.rpartition('/')[2]}:" in str(found)
    assert found.inputs == ()


def test_where_an_infinity_became_a_nan_is_named_too() -> None:
    found = explain(ignoring(lambda: 0.0 * ag.log(leaf(0.0)) + 1.0))
    assert [finding.what for finding in found.findings] == ["arose", "became nan"]
    assert found.findings[1].node.op == "*"


def test_an_infinity_that_never_reached_the_root_is_not_blamed() -> None:
    def f() -> Value:
        harmless = ag.exp(ag.log(leaf(0.0)))          # −inf, and 0 again
        return harmless + ag.log(leaf(-1.0))

    found = explain(ignoring(f))
    assert [(finding.node.op, finding.node.operands[0].data) for finding in found.findings] == [("log", -1.0)]


wild = st.sampled_from([0.0, -0.0, 1.0, -2.5, 1e200, -1e300, 5e-324, math.inf, -math.inf, math.nan])


@settings(max_examples=200, deadline=None)
@given(expressions(10, ["+", "-", "*", "/", "log", "exp", "sqrt", "relu", "maximum", "tanh"]),
       st.tuples(wild, wild, wild))
def test_no_node_is_blamed_that_had_an_operand_which_was_not_finite(
        f: Expression, data: Sequence[float]) -> None:
    with ag.errstate("ignore"):
        root = results(f, list(map(Value, data[:f.inputs])))[-1]
    found = explain(root)
    if math.isfinite(root.data):
        assert not {finding.what for finding in found.findings} & {"arose", "given", "constant", "became nan"}
        return
    # by another way: from the root up, through operands that are not finite, to where there is none
    origins, todo, seen = set(), [root], set()
    while todo:
        node = todo.pop()
        carriers = [x for x in node.operands if isinstance(x, Value) and not math.isfinite(x.data)]
        if not carriers:
            origins.add(id(node))
        todo += [x for x in carriers if id(x) not in seen]
        seen.update(map(id, carriers))
    order = [id(node) for node in topological([root])]
    assert found.origin is not None
    assert id(found.origin.node) == min(origins, key=order.index)
    assert all(math.isfinite(getattr(x, "data", x)) for x in found.origin.node.operands)


# -- where a gradient stopped being finite, or was lost ------------------------------------------------


@pytest.mark.parametrize("f, at, op", [
    (lambda x: ag.sqrt(x * x) + 1.0, 0.0, "sqrt"),
    (lambda x: ag.tanh(ag.sqrt(x)), 0.0, "sqrt"),
    (lambda x: ag.asin(x) * 2.0, 1.0, "asin"),
    (lambda x: (x * 2.0) ** 0.5, 0.0, "**"),
    (lambda x: ag.cbrt(x) + ag.exp(x), 0.0, "cbrt"),
    (lambda x: 1e200 * (1e200 * (x * 1e-200)), 1e-10, "*"),
])
def test_an_infinite_gradient_is_explained_by_the_node_that_backward_refuses(
        f: Callable[[Value], Value], at: float, op: str) -> None:
    with record_lines():
        x = Value(at, "x")
        root = f(x)
    found = explain(root, x)
    origin = found.origin
    assert origin is not None and origin.node.op == op and not math.isfinite(found.gradient or 0.0)
    for differentiate in (root.backward, lambda: ag.grad(lambda y: f(y))(x))[:1 if op == "*" else 2]:
        with record_lines(), pytest.raises(ag.NumericError) as caught:
            differentiate()
        assert caught.value.op == op and caught.value.operands == tuple(
            getattr(x, "data", x) for x in origin.node.operands)
        assert caught.value.line is not None and caught.value.line.number == f.__code__.co_firstlineno
        assert str(caught.value).endswith(str(caught.value.line))
    assert origin.line is not None and origin.line.number == f.__code__.co_firstlineno
    assert "the gradient stopped being finite" in str(found) and origin.why in " ".join(str(found).split())
    if op == "*":
        assert origin.what == "overflow" and found.paths[0].contribution == pytest.approx(1e200)
    else:
        assert origin.what == "no derivative" and found.paths == ()


def test_a_sum_of_gradients_that_overflows_is_explained() -> None:
    x = Value(1e-10, "x")
    found = explain(x * 1.7e308 + x * 1.7e308, x)
    assert found.gradient == math.inf
    assert found.origin is not None and (found.origin.what, found.origin.node) == ("sum overflow", x)


def test_a_gradient_that_a_nan_among_the_values_spoiled_is_explained_by_the_nan() -> None:
    x, bad = Value(2.0, "x"), Value(math.nan, "reading")
    found = explain(x * bad + 1.0, x)
    assert found.origin is not None and (found.origin.what, found.origin.node) == ("given", bad)
    assert "'reading' was given as nan." in str(found)


def dead_relu(x: Value) -> Value:
    return ag.relu(x - 5.0) * 2.0 + 1.0


@pytest.mark.parametrize("f, what, op", [
    (dead_relu, "flat", "relu"),
    (lambda x: ag.tanh(ag.tanh(x * 1e3)) * 3.0, "flat", "tanh"),
    (lambda x: ag.sigmoid(-1e3 * x), "flat", "sigmoid"),
    (lambda x: ag.maximum(x, 7.0) ** 2, "flat", "maximum"),
    (lambda x: 0.0 * ag.exp(x), "flat", "*"),
    (lambda x: x // 0.3, "flat", "//"),
    (lambda x: (x * 1e-200) * 1e-200, "underflow", "*"),
    (lambda x: (lambda y: y - y)(ag.sin(x)), "cancels", "sin"),
    (lambda x: (x - 1.0) ** 2, "flat", "**"),
])
def test_a_gradient_that_is_lost_is_explained_by_the_first_node_that_loses_it(
        f: Callable[[Value], Value], what: str, op: str) -> None:
    with record_lines():
        x = Value(1.0, "x")
        root = f(x)
    found = explain(root, "x")
    assert found.gradient == 0.0 and found.origin is not None
    assert (found.origin.what, found.origin.node.op) == (what, op)
    assert found.origin.line is not None and found.origin.line.file == THIS
    assert "Where the gradient was lost, from the root down:" in str(found)
    assert bool(found.paths) == (what in ("underflow", "cancels"))
    root.backward()
    assert x.grad == 0.0
    assert explain(root).origin == found.origin          # asked about the value, it says so too


def test_the_places_that_lose_a_gradient_come_from_the_root_down_each_once() -> None:
    x = Value(1.0, "x")
    c, u = ag.sin(x), ag.relu(-x)
    found = explain((c - c) + ag.relu(-x) + (u - u), x)
    assert [(finding.what, finding.node.op) for finding in found.findings] == [
        ("cancels", "relu"), ("flat", "relu"), ("cancels", "sin")]


def test_what_lies_behind_a_partial_of_0_does_not_matter_to_the_paths() -> None:
    x = Value(0.0, "x")
    found = explain(ag.sqrt(x) * 0.0 + x * 3.0, x)
    assert (found.gradient, found.number_of_paths) == (3.0, 1) and found.ok


def test_a_gradient_that_infinities_on_the_way_spoiled_is_explained_by_them() -> None:
    with ag.errstate("ignore"):
        x = Value(1.0, "x")
        root = ag.atan(ag.hypot(ag.exp(x * 800.0), ag.exp(x * 900.0)))
        root.backward()
        found = explain(root, x)
    assert math.isfinite(root.data) and math.isnan(found.gradient or 0.0) and math.isnan(x.grad)
    assert explain(root, x).gradient == 0.0         # (by default a gradient of 0 stops)
    assert [(finding.what, finding.node.op) for finding in found.findings] == [("arose", "exp")] * 2


def test_every_place_that_loses_a_gradient_is_counted() -> None:
    x = Value(-1.0, "x")
    found = explain(ag.sum([ag.relu(x * float(i)) for i in range(1, 9)]), x)
    assert len(found.findings) == 5 and found.hidden == 3
    assert "… and 3 more such places" in str(found)
    assert all(finding.what == "flat" for finding in found.findings)


# -- choices -------------------------------------------------------------------------------------------


def test_neither_the_condition_nor_the_side_not_taken_is_a_path() -> None:
    x = Value(2.0, "x")
    found = explain(ag.where(ag.greater(x, 1.0), x * 3.0, ag.exp(x)) * 5.0, x)
    assert found.gradient == 15.0 and found.number_of_paths == 1 and found.connected
    assert [node.op for node in found.paths[0].nodes] == ["*", "where", "*", ""]


def test_neither_the_condition_nor_the_side_not_taken_is_where_a_gradient_was_lost() -> None:
    x = Value(2.0, "x")
    found = explain(ag.where(ag.greater(x, 1.0), ag.relu(-x), ag.relu(-3.0 * x)), x)
    assert [(finding.what, finding.node.operands[0].data) for finding in found.findings] == [("flat", -2.0)]


@pytest.mark.parametrize("f", [
    lambda x: ag.where(ag.greater(x, 1.0), 3.0, 4.0), lambda x: ag.where(ag.greater(x, 1.0), 3.0, x) * 2.0,
    lambda x: ag.relu(ag.where(ag.less(x, 1.0), 3.0, -4.0))])
def test_a_node_that_matters_only_to_conditions_is_told_so_and_nothing_was_lost(
        f: Callable[[Value], Value]) -> None:
    x = Value(2.0, "x")
    found = explain(f(x), x)
    assert found.gradient == 0.0 and found.ok and not found.connected
    assert "(x is used only in conditions, or on branches that are not taken)" in str(found)


def test_a_nan_on_the_side_not_taken_is_not_blamed() -> None:
    with ag.errstate("ignore"):
        x = Value(2.0, "x")
        harmless = ag.log(x - 3.0)
        good, bad = (ag.where(ag.greater(x, 1.0), taken, harmless) for taken in (x * x, ag.exp(x * 1e3)))
    assert explain(good).ok and explain(good, x).gradient == 4.0 and explain(good, x).ok
    for found in (explain(bad), explain(bad, x), explain(bad * 1.0, x)):
        assert [finding.node.op for finding in found.findings if finding.what == "arose"] == ["exp"]
    with ag.errstate("ignore"):
        constant = explain(ag.where(ag.greater(x, 1.0), math.inf, harmless))
    assert [finding.what for finding in constant.findings] == ["constant"]
    assert "the plain number inf was given" in str(constant)


def test_a_gradient_through_an_op_that_is_constant_in_pieces_is_lost_there() -> None:
    x = Value(2.0, "x")
    found = explain(ag.greater(x, 1.0) * 3.0, x)
    assert [(finding.what, finding.node.op) for finding in found.findings] == [("flat", "greater")]


@settings(max_examples=100, deadline=None)
@given(programs())
def test_a_decent_gradient_has_no_findings_and_a_lost_one_has_some(
        program: tuple[Value, list[Value]]) -> None:
    root, _ = program
    for node in topological([root]):
        found = explain(root, node)
        assert (found.origin is None) == (abs(found.gradient or 0.0) >= 2.2250738585072014e-308)


# -- lines ------------------------------------------------------------------------------------------


def test_a_line_is_recorded_for_every_kind_of_node_and_marks_the_expression() -> None:
    def parts(*nodes: Value) -> list[str]:
        return [line.text[line.start:line.end] for node in nodes if (line := node.line)]

    with record_lines():
        x = Value(2.0, "x")
        y = (x + 1.0) * x - 3.0 / x
        z = ag.dot([x, y], [y, x]) + x.relu()
        w = ag.nn.MLP(1, [2, 1])([x])
        with ag.no_grad():
            constant = x.exp()
    product, quotient = y.operands
    assert parts(x, y, product, product.operands[0], quotient) == [
        'Value(2.0, "x")', "(x + 1.0) * x - 3.0 / x", "(x + 1.0) * x", "x + 1.0", "3.0 / x"]
    assert parts(*z.operands, w, constant) == [
        "ag.dot([x, y], [y, x])", "x.relu()", "ag.nn.MLP(1, [2, 1])([x])", "x.exp()"]
    assert x.label == "x" and w.scope and z.line is not None and z.line.file == THIS


def test_a_line_is_that_of_the_program_not_of_numpy_or_of_this_library() -> None:
    with record_lines():
        xs = np.array([Value(1.0), Value(2.0)])
        nodes = [np.sum(xs * xs), np.exp(xs[0]), np.dot(xs, xs)]
        gradient = ag.grad(lambda x: x * x * x)(Value(2.0))
    for node in (*nodes, gradient):
        assert node.line is not None and node.line.file == THIS


def test_an_expression_over_several_lines_has_its_first_line() -> None:
    with record_lines():
        y = (Value(2.0)
             * Value(3.0))
    assert y.line is not None
    assert (y.line.text, y.line.start, y.line.end) == ("y = (Value(2.0)", 0, 0)


def test_columns_are_counted_in_letters_not_bytes() -> None:
    with record_lines():
        σ = Value(2.0); ω = σ * σ  # noqa: E702
    assert ω.line is not None and str(ω.line).splitlines()[1:] == [
        "    σ = Value(2.0); ω = σ * σ  # noqa: E702", "                        ^^^^^"]


def test_a_long_line_is_cut_around_the_expression() -> None:
    with record_lines():
        x = Value(1.0); y = x + 1000000000000000000000000000000000000000.0 - 1000.0; z = y * y  # noqa: E702
    line = z.line
    assert line is not None
    _, text, marks = str(line).splitlines()
    assert len(text) <= 74 and text[marks.index("^"):marks.rindex("^") + 1] == "y * y"


def test_without_source_there_is_still_a_file_and_a_number() -> None:
    names: dict[str, Any] = {"Value": Value}
    with record_lines():
        exec(compile("y = Value(2.0) * 3.0", "<made up>", "exec"), names)
    assert str(names["y"].line) == "at <made up>:1"


def test_outside_of_it_no_line_is_recorded_and_the_hot_path_is_back() -> None:
    x = Value(2.0)
    with record_lines(), record_lines():
        pass
    with pytest.raises(ZeroDivisionError), record_lines():
        x / 0.0
    assert not value.special and (x * x).line is None and Value(1.0).line is None
    with record_lines():
        with record_lines():
            pass
        assert (x * x).line is not None
    assert "run the program inside `with record_lines():`" in str(explain(x - x, x))


def test_a_thread_records_lines_only_if_it_asked_for_it() -> None:
    made: list[Value] = []

    def work() -> None:
        made.append(Value(1.0) * 2.0)
        with record_lines():
            made.append(Value(1.0) * 2.0)

    with record_lines():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        made.append(Value(1.0) * 2.0)
    assert [node.line is None for node in made] == [True, False, False]


def test_a_line_survives_pickle_and_deepcopy_and_a_label() -> None:
    with record_lines():
        y = Value(2.0) * 3.0
    y.label = "y"
    for again in (pickle.loads(pickle.dumps(y)), copy.deepcopy(y)):
        assert (again.label, again.scope, again.line) == (y.label, y.scope, y.line)
        assert type(again.line) is type(y.line)


@pytest.mark.parametrize("f, error", [
    (lambda x: ag.log(-x), ag.DomainError), (lambda x: x / 0.0, ag.DivisionError),
    (lambda x: ag.exp(800.0 * x), ag.RangeError), (lambda x: (-x) ** 0.5, ag.DomainError)])
def test_an_error_of_the_forward_pass_names_its_line(
        f: Callable[[Value], Value], error: type[Exception]) -> None:
    x = Value(2.0, "margin")
    with pytest.raises(error) as bare:
        f(x)
    with record_lines(), pytest.raises(error) as caught:
        f(x)
    with record_lines(), ag.errstate("warn"), pytest.warns(ag.AutogradWarning, match="test_provenance.py"):
        f(x)
    assert isinstance(bare.value, ag.NumericError) and isinstance(caught.value, ag.NumericError)
    assert bare.value.line is None and caught.value.line is not None
    assert str(caught.value) == f"{bare.value}\n  {caught.value.line}"
    assert caught.value.line.number == f.__code__.co_firstlineno
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


# -- how it is told ---------------------------------------------------------------------------------


def explanations() -> list[Explanation]:
    found = [explain(ignoring(trap[1])) for trap in TRAPS]
    with record_lines():
        x = Value(1.0, "x, with a label that is rather long, and longer than a line, as some are")
        found += [explain(f(x), x) for f in (dead_relu, ag.sqrt, lambda x: x - x)]
    return [*found, explain(document()), explain(document(), "b1"), explain(document(), "neth1")]


def test_it_fits_80_columns() -> None:
    for found in explanations():
        for line in str(found).splitlines():
            assert len(line) <= 80 or " of 'x, with a label" in line


def test_a_label_cannot_break_the_table() -> None:
    x = Value(2.0, "a\nb\x1b[31m")
    assert "\n \n" not in str(explain(x * 2.0, x)) and "\x1b" not in str(explain(x * 2.0, x))
    assert "* ← a\\nb\\x1b[31m" in str(explain(x * 2.0, x))
    assert repr(explain(x * 2.0, x)) == str(explain(x * 2.0, x))


def test_as_dict_is_plain_data_with_the_same_facts() -> None:
    for found in explanations():
        facts = found.as_dict()
        assert json.loads(json.dumps(facts, allow_nan=False)) == facts
        assert len(facts["findings"]) == len(found.findings) and facts["hidden"] == found.hidden
        assert [float(x["contribution"]) for x in facts["paths"]] == [x.contribution for x in found.paths]
    facts = explain(document(), "w1").as_dict()
    assert facts["node"] == {"value": 0.15, "op": "", "label": "w1"}
    assert list(itertools.chain(facts["paths"][0]["nodes"]))[0] == "E"


def test_the_findings_are_a_line_each() -> None:
    for found in explanations():
        assert isinstance(found, Report) and found.findings == found.found
        assert found.ok == (not found.findings)
        for finding in found.findings:
            assert "\n" not in str(finding) and str(finding).startswith(finding.why[:-1])
            assert finding.line is None or str(finding).endswith(f"test_provenance.py:{finding.line.number}")
    x = Value(-4.0, "x")
    assert str(explain(ag.relu(x), x).findings[0]) == (
        "relu(-4.0) of 'x': its derivative is 0, and the gradient 1 that arrives stops here.")


def test_the_summary_is_the_heading_and_the_findings_and_check_raises_with_it() -> None:
    for found in explanations():
        assert str(found).startswith(found.summary())
        if found.ok:
            found.check()
            assert "\n" not in found.summary()
            continue
        assert "Where " in found.summary()
        with pytest.raises(ag.AuditError) as caught:
            found.check()
        assert str(caught.value) == found.summary()


def test_the_findings_can_be_called_as_those_of_the_other_reports_with_a_warning() -> None:
    found = explain(ignoring(lambda: ag.log(leaf(0.0)) * 2.0))
    with pytest.warns(DeprecationWarning, match="summary"):
        assert found.findings() == found.summary()


def test_an_explanation_survives_pickle_and_copy() -> None:
    for found in explanations():
        for again in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):
            assert str(again) == str(found) and str(again.as_dict()) == str(found.as_dict())


@pytest.mark.parametrize("make", [
    lambda x: functools.reduce(lambda y, _: ag.tanh(y) * 1.01, range(500), x),
    lambda x: functools.reduce(lambda y, _: ag.sin(y) + ag.cos(y), range(300), x),
    lambda x: ag.sum([x * k for k in range(300)])], ids=["chain", "diamonds", "sum"])
def test_an_explanation_reads_each_nodes_partials_three_times_at_most_and_searches_few_steps(
        monkeypatch, make) -> None:
    x = Value(0.7, "x")
    y = make(x)
    size, counts = len(topological([y])), dict.fromkeys(["partials", "steps"], 0)

    def counted(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        def g(*args: Any) -> Any:
            counts[name] += 1
            return f(*args)
        return g
    stored = checks_explain.stored_partials
    monkeypatch.setattr(checks_explain, "stored_partials", counted("partials", stored))
    monkeypatch.setattr(heapq, "heappush", counted("steps", heapq.heappush))
    explain(y, x)
    assert 0 < counts["partials"] < 3 * size and counts["steps"] <= 2 * size
    explain(y)
    assert counts["partials"] < 4 * size


def test_only_the_nodes_that_lead_to_the_node_in_question_are_looked_at(monkeypatch) -> None:
    x, far = Value(0.7, "x"), Value(0.7)
    y = functools.reduce(lambda y, _: ag.tanh(y), range(1000), far) * x
    read = []
    stored = checks_explain.stored_partials
    monkeypatch.setattr(checks_explain, "stored_partials", lambda node: read.append(node) or stored(node))
    assert explain(y, x).gradient == y.operands[0].data and {*map(id, read)} == {id(y)}


def test_what_it_cannot_explain_is_refused() -> None:
    x = Value(1.0, "x")
    with pytest.raises(ag.LabelError, match="no node is labelled 'z'"):
        explain(x * 2.0, "z")
    with pytest.raises(ag.LabelError, match="not in the graph"):
        explain(x * 2.0, Value(1.0))
    with pytest.raises(ag.InputError, match="a plain number has no history"):
        explain(3.0)  # type: ignore[arg-type]


def test_an_error_within_a_transform_names_the_users_line() -> None:
    with record_lines(), pytest.raises(ag.DomainError) as caught:
        ag.hessian(lambda p: ag.hypot(p[0], p[1]))([0.0, 0.0])
    assert caught.value.line is not None and caught.value.line.file == __file__
