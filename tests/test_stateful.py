"""A machine that does to graphs what people do, step by step, beside a model in mpmath.

The model takes each op's value and derivatives from `truth`, at the numbers recorded; it sums over the
graph in its own way. `AUTOGRAD_LITE_STEPS` says how many steps to take.
"""
import copy
import math
import os
import pickle
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition,
                                 rule, run_state_machine_as_test)
from mpmath import mp, mpf

import autograd_lite as ag
from autograd_lite import DomainError, InputError, NumericError, Value, no_grad
from autograd_lite.graph.walks import topological
from autograd_lite.ops.op import op_named
from autograd_lite.testing import expressions
from graphs import applied
from truth import TRUTH, partial, plain

STEPS = int(os.environ.get("AUTOGRAD_LITE_STEPS", "2000"))
EPS = 2.0 ** -52
ONE = ["neg", "abs", "exp", "log", "sqrt", "sin", "tanh", "atan", "erf", "sigmoid", "softplus", "relu"]
TWO = ["+", "-", "*", "/", "**", "hypot", "maximum"]
MANY = ["sum", "mean", "dot", "logsumexp"]


def true(op, at, *by):
    """What `truth` says of an op or its derivative; None where that is not a real number."""
    if by and op == "maximum" and at[0] == at[1]:
        return mpf(0.5)                             # the convention of the edge table
    try:
        found = partial(op, at, by).value
    except (ZeroDivisionError, ValueError):
        return None
    return found if isinstance(found, mpf) and mp.isfinite(found) else None


class Twin:
    """A Value and what the model knows of it."""

    def __init__(self, real, op="", operands=(), at=()):
        self.real, self.op, self.operands, self.at = real, op, tuple(operands), tuple(at)
        self.data, self.grad, self.label = real.data, 0.0, ""
        self.flows = [isinstance(x, Twin) and x.carries for x in operands]
        self.carries = any(self.flows) if op else real.requires_grad
        self.slopes = [true(op, self.at, i) for i, _ in enumerate(at)]      # at the numbers recorded


def below(root):
    """The twins that a gradient of `root` reaches, users before operands, and how many there are."""
    order, seen = [], set()

    def visit(twin):
        if id(twin) not in seen:
            seen.add(id(twin))
            for operand, flows in zip(twin.operands, twin.flows):
                if flows and operand.carries:
                    visit(operand)
            order.append(twin)
    visit(root)
    return order[::-1]


class Doubt(Exception):
    """The model cannot say: a gradient that may or may not be 0 meets an infinite derivative."""


def gradients(root, seed):
    """For each twin below: the gradient and the size of its terms; None if there is no gradient."""
    order = below(root)
    found = {id(twin): (mpf(0), mpf(0)) for twin in order}
    found[id(root)] = mpf(seed), abs(mpf(seed))
    for twin in order:
        g, size = found[id(twin)]
        if size > 1e200 or 0 < size < 1e-200:
            raise Doubt
        if not twin.op or not size:
            continue
        for operand, flows, slope in zip(twin.operands, twin.flows, twin.slopes):
            if flows and operand.carries:
                if slope is None and abs(g) < 1e-6 * size:
                    raise Doubt
                if slope is None:
                    return None
                a, b = found[id(operand)]
                found[id(operand)] = a + g * slope, b + size * abs(slope)
    return {id(twin): (*found[id(twin)], len(order)) for twin in order}


seeds = st.sampled_from([1.0, 1.0, -2.5, 0.0])
numbers = st.one_of(st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, -0.0, 3.0, 1e-3]), st.floats(-4.0, 4.0))


class Machine(RuleBasedStateMachine):
    """Each rule is something a person does; the checks compare with the model."""

    steps = Counter()
    nodes = Bundle("nodes")

    def __init__(self):
        super().__init__()
        self.twins = []

    def keep(self, twin):
        self.twins.append(twin)
        return twin

    @initialize(target=nodes, data=numbers)
    def first(self, data):
        return self.keep(Twin(Value(data)))

    @rule(target=nodes, data=numbers, requires_grad=st.booleans())
    def leaf(self, data, requires_grad):
        self.steps["leaf"] += 1
        return self.keep(Twin(Value(data, requires_grad=requires_grad)))

    @rule(target=nodes, f=expressions(2, ONE, 1), x=nodes)
    def compute(self, f, x):
        return self.results(f, [x])

    @rule(target=nodes, f=expressions(2, TWO, 2), x=nodes, y=st.one_of(nodes, nodes, numbers))
    def compute_from_two(self, f, x, y):
        return self.results(f, [x, y])

    @rule(target=nodes, f=expressions(2, MANY, 3), x=nodes, xs=st.tuples(*[st.one_of(nodes, numbers)] * 2))
    def compute_from_many(self, f, x, xs):
        return self.results(f, [*xs, x])

    @rule(target=nodes, x=nodes, op=st.sampled_from(["sqrt", "hypot", "**"]), seed=seeds)
    def differentiate_at_an_edge(self, x, op, seed):
        """At 0, where two of these have no derivative."""
        zero = self.apply(op_named("-"), [x, x])
        found = zero and self.apply(op_named(op), {"sqrt": [zero], "hypot": [zero, x], "**": [zero, 0.5]}[op])
        if not found:
            return multiple()
        self.backward(found, seed)
        return multiple(zero, found)

    def results(self, f, inputs):
        """The results of an expression as far as there are any."""
        found = list(inputs)
        for op, operands in f.steps:
            twin = self.apply(op, [found[x] if isinstance(x, int) else x for x in operands])
            if twin is None:
                break
            found.append(twin)
        return multiple(*found[len(inputs):])

    def apply(self, op, operands):
        """Do it to the Values, and see that the model agrees: the number, or that there is none."""
        if not any(isinstance(x, Twin) for x in operands):
            return None
        self.steps["op"] += 1
        at = [x.data if isinstance(x, Twin) else x for x in operands]
        reals = [x.real if isinstance(x, Twin) else x for x in operands]
        expected = true(op.name, at)
        if expected is None:
            with pytest.raises(DomainError):
                applied(op, reals)
            return None
        if abs(expected) > 1e300:
            return None
        node = applied(op, reals)
        assert abs(node.data - expected) <= 16 * EPS * partial(op.name, at).largest + 1e-307, (op, at)
        if abs(node.data) > 1e6 or 0.0 < abs(node.data) < 1e-6:
            return None
        return self.keep(Twin(node, op.name, operands, at))

    @rule(target=nodes, x=nodes, op=st.sampled_from(["exp", "neg"]))
    def record_nothing(self, x, op):
        self.steps["no_grad"] += 1
        assume(abs(x.data) < 10.0)
        with no_grad():
            node = -x.real if op == "neg" else x.real.exp()
        assert not node.operands and not node.requires_grad
        return self.keep(Twin(node))

    @rule(target=nodes, x=nodes)
    def detach(self, x):
        self.steps["detach"] += 1
        twin = self.keep(Twin(x.real.detach()))
        twin.label = x.label
        return twin

    @rule(x=nodes, data=numbers)
    def assign_data(self, x, data):
        self.steps["assign"] += 1
        if x.op:
            with pytest.raises(InputError, match="cannot be assigned"):
                x.real.data = data
        else:
            x.real.data = data
            x.data = data

    @rule(x=nodes, grad=numbers)
    def assign_grad(self, x, grad):
        self.steps["assign"] += 1
        if x.carries:
            x.real.grad = x.grad = grad

    @rule(x=nodes, wanted=st.booleans())
    def freeze_or_thaw(self, x, wanted):
        self.steps["freeze"] += 1
        if x.op:
            with pytest.raises(InputError):
                x.real.requires_grad = wanted
            return
        if wanted != x.carries:
            x.grad = 0.0
        x.real.requires_grad = x.carries = wanted

    @rule(x=nodes, label=st.text(max_size=5))
    def name(self, x, label):
        self.steps["label"] += 1
        x.real.label = x.label = label

    @rule(root=nodes, seed=seeds)
    def backward(self, root, seed):
        self.steps["backward"] += 1
        before = [twin.real.grad for twin in self.twins]
        if not root.carries:
            with pytest.raises(ag.GradientError):
                root.real.backward(seed)
            assert [twin.real.grad for twin in self.twins] == before
            return
        try:
            expected = gradients(root, seed)
        except Doubt:
            expected = {}
        if expected is None:
            self.steps["refused"] += 1
            with pytest.raises(NumericError):
                root.real.backward(seed)
            assert [twin.real.grad for twin in self.twins] == before
            return
        try:
            root.real.backward(seed)
        except NumericError:
            assert not expected, "the model has a gradient"
            assert [twin.real.grad for twin in self.twins] == before
            return
        for twin, held in zip(self.twins, before):
            if id(twin) in expected:
                g, size, n = expected[id(twin)]
                g, size = (g, size) if twin.op else (g + held, size + abs(held))
                assert abs(twin.real.grad - g) <= EPS * (8 * n + 32) * size + 1e-60, (twin.op, twin.at)
            elif expected:
                assert twin.real.grad == held
            twin.grad = twin.real.grad

    @rule(root=nodes)
    def backward_twice(self, root):
        """Leaves that hold nothing hold exactly double after the second."""
        self.steps["backward"] += 1
        assume(root.carries)
        leaves = [twin for twin in self.twins if not twin.op and twin.carries]
        for twin in leaves:
            twin.real.grad = twin.grad = 0.0
        try:
            root.real.backward()
        except NumericError:
            return
        once = [twin.real.grad for twin in leaves]
        root.real.backward()
        assert [twin.real.grad for twin in leaves] == [2.0 * grad for grad in once]
        for twin in self.twins:
            twin.grad = twin.real.grad

    @rule(by_pickle=st.booleans())
    def copy_all(self, by_pickle):
        """From here on the copies are used: they must be one graph as the originals were."""
        self.steps["copy"] += 1
        reals = [twin.real for twin in self.twins]
        copies = pickle.loads(pickle.dumps(reals)) if by_pickle else copy.deepcopy(reals)
        assert not set(map(id, copies)) & {id(twin.real) for twin in self.twins}
        for twin, real in zip(self.twins, copies):
            twin.real = real

    @precondition(lambda self: len(self.twins) < 40)
    @rule(root=nodes)
    def draw(self, root):
        self.steps["draw"] += 1
        source = ag.draw(root.real).source
        assert source == ag.draw(root.real).source
        order = topological([root.real])
        edges = sum(len(node.operands) for node in order)
        assert sum(" -> " in line.partition("[")[0] for line in source.splitlines()) == edges

    @invariant()
    def the_values_are_the_models(self):
        for twin in self.twins:
            assert twin.real.data == twin.data or math.isnan(twin.data)
            assert twin.real.grad == twin.grad and twin.real.label == twin.label
            assert twin.real.requires_grad == twin.carries and twin.real.op == twin.op
            if twin.op:
                operands = [x.real if isinstance(x, Twin) else x for x in twin.operands]
                assert all(x is y or not isinstance(y, Value) and x == y
                           for x, y in zip(twin.real.operands, operands, strict=True))


def run(steps, *phases):
    Machine.steps.clear()
    length = min(steps, 50)
    run_state_machine_as_test(Machine, settings=settings(
        max_examples=max(1, steps // length), stateful_step_count=length, deadline=None, database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate, *phases], suppress_health_check=list(HealthCheck)))


def test_random_work_on_graphs_agrees_with_a_model_in_mpmath():
    run(STEPS, Phase.shrink)
    print(sum(Machine.steps.values()), "steps:", dict(Machine.steps))
    assert sum(Machine.steps.values()) >= 0.4 * STEPS and len(Machine.steps) == 11


def test_the_machine_notices_gradients_that_are_off_by_a_billionth(monkeypatch):
    backward = Value.backward
    monkeypatch.setattr(Value, "backward", lambda self, seed=1.0: backward(self, seed * (1.0 + 1e-9)))
    with pytest.raises(AssertionError):
        run(2_000)


def test_the_machine_notices_a_leaf_that_does_not_accumulate(monkeypatch):
    backward = Value.backward

    def forgetful(self, seed=1.0):
        for node in topological([self]):
            if not node.op and node.requires_grad:
                node.grad = 0.0
        backward(self, seed)
    monkeypatch.setattr(Value, "backward", forgetful)
    with pytest.raises(AssertionError):
        run(2_000)


def test_the_machine_notices_a_copy_that_loses_sharing(monkeypatch):
    monkeypatch.setattr(copy, "deepcopy", lambda values: [pickle.loads(pickle.dumps(x)) for x in values])
    with pytest.raises(AssertionError):
        run(2_000)


@pytest.mark.parametrize("op", ["sum", "mean", "dot", "logsumexp", "softmax", "relu"])
def test_the_truth_of_many_operands_agrees_with_mpmaths_own_numerical_differentiation(op):
    at = [mpf(x) for x in (0.7, 1.9, 1.3, 0.4)[:1 if op == "relu" else 4]]
    for i, _ in enumerate(at):
        numeric = mp.diff(lambda t: plain(TRUTH[op](*at[:i], t, *at[i + 1:])), at[i])
        assert abs(numeric - true(op, at, i)) < mpf(10) ** -20
