"""How often transforms do what takes time: sweeps, rules, questions; and what they give at the edges."""
from __future__ import annotations

import functools

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.graph.program import Program
from autograd_lite.ops.op import TABLE
from autograd_lite.transforms import jacobians, trees
from autograd_lite.transforms.trace import Trace


@pytest.mark.parametrize("outputs, inputs, pulls, pushes", [
    (1, 1, 1, 0), (3, 3, 3, 0), (2, 3, 2, 0), (4, 3, 0, 3), (3, 1, 0, 1), (1, 5, 1, 0), (5, 4, 0, 4)])
def test_a_jacobian_takes_as_many_sweeps_as_outputs_or_inputs_whichever_are_fewer(
        monkeypatch, outputs, inputs, pulls, pushes):
    made = {"pull": 0, "push": 0}
    pull, push = Trace.pull, jacobians.pushed

    def counted(name, f):
        def of(*args):
            made[name] += 1
            return f(*args)
        return of
    monkeypatch.setattr(Trace, "pull", counted("pull", pull))
    monkeypatch.setattr(jacobians, "pushed", counted("push", push))
    found = ag.jacobian(lambda p: [(k + 1.0) * ag.sum(p) for k in range(outputs)])([2.0] * inputs)
    assert found == [[k + 1.0] * inputs for k in range(outputs)]
    assert made == {"pull": pulls, "push": pushes}


def test_an_empty_array_has_an_empty_derivative_by_each_argument():
    for n in (1, 2, 3):
        found = ag.jacobian(lambda *xs: np.zeros(0), tuple(range(n)))(*[1.0] * n)
        assert isinstance(found, tuple) and [part.shape for part in found] == [(0,)] * n
    assert ag.jacobian(lambda a, b: [], (0, 1))(1.0, 2.0) == []


@pytest.mark.parametrize("transform", [ag.grad, ag.value_and_grad])
def test_what_is_to_be_done_with_unused_numbers_is_one_of_two_words(transform):
    for wrong in ("none", "", None, "Zero"):
        with pytest.raises(ag.InputError, match="^unused=.*: choose 'zero' or 'raise'$"):
            transform(lambda x: x, unused=wrong)
    assert transform(lambda x: x * x, unused="raise")(3.0) == transform(lambda x: x * x, unused="zero")(3.0)


def test_the_slopes_of_a_trace_are_kept_for_a_second_sweep():
    made = []
    op = ag.custom_op(lambda x: x, (lambda y, x: made.append(type(x)) or 2.0 * x / x,), name="counted slope")
    try:
        x, times = Value(3.0, "x"), []
        for n in (1, 2, 3, 5, 8):
            made.clear()

            def f(p):
                y = op(p[0] * x)
                return [y * (k + 1.0) + p[1] for k in range(n)]
            found = ag.jacobian(f)([1.0] * 9)
            assert [row[0].data for row in found] == [6.0 * (k + 1.0) for k in range(n)]
            times.append(made.count(Value))
        assert times == [1, 2, 2, 2, 2]
    finally:
        del TABLE["counted slope"]


def test_a_slope_behind_two_choices_is_chosen_by_the_inner_and_then_by_the_outer():
    x, z = Value(1.0, "x"), Value(2.0, "z")
    for inner, outer in ((ag.less, ag.greater), (ag.greater, ag.less)):
        slope = ag.grad(lambda t: ag.where(outer(z, 5.0), ag.where(inner(z, 0.0), t * t * z, t), t))(x)
        choices = [node for node in Program([slope]).nodes if node.op == "where"]
        conditions = [(node.operands[0].op, [getattr(v, "op", v) for v in node.operands[1:]])
                      for node in choices]
        assert (outer.name, ["where", 0.0]) in conditions
        assert not any(condition == inner.name and "where" in sides for condition, sides in conditions)


def test_the_usual_structures_are_walked_without_a_question(monkeypatch):
    asked = []
    own = trees.is_number
    monkeypatch.setattr(trees, "is_number", lambda x: asked.append(x) or own(x))
    v = Value(2.0)
    for tree in (1.0, v, [1.0, v], (1.0, v), {"a": 1.0, "b": v}, [[1.0], ({"a": v},)]):
        found = trees.rebuild(tree, lambda x: x)
        assert found == tree and type(found) is type(tree) and not asked
    assert trees.rebuild([1, None], lambda x: x) == [1, None] and asked == [1, None]


def test_a_function_s_names_are_carried_over_without_functools(monkeypatch):
    asked = []
    own = functools.update_wrapper
    monkeypatch.setattr(functools, "update_wrapper", lambda *args: asked.append(1) or own(*args))

    def f(x):
        """Its words."""
        return x * x
    f.mark = "kept"
    once = ag.grad(f)
    twice = ag.grad(once)
    assert not asked
    for g in (once, twice):
        assert (g.__name__, g.__doc__, g.__module__, g.mark) == ("f", "Its words.", __name__, "kept")
    assert once.__wrapped__ is f and twice.__wrapped__ is once

    class Callable:
        """A class's words."""

        def __call__(self, x):
            return x * x
    other = ag.grad(Callable())
    assert asked and other.__doc__ == "A class's words." and other(3.0) == 6.0


def test_an_input_that_escapes_is_a_constant_unless_it_is_made_from_a_node_of_the_caller():
    kept = []

    def f(a, b):
        kept[:] = [a, b]
        return a * b
    v = Value(3.0, "v")
    for given, linked in ([2.0, 5.0], False), ([v, 5.0], True), ([2.0, v], True), ([v.detach(), 5.0], False):
        ag.grad(f, (0, 1))(*given)
        for x, own in zip(kept, given):
            assert x.requires_grad is (linked and own is v)
