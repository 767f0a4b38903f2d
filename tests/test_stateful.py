"""A machine that does to graphs what people do, step by step, beside a model in plain mpmath.

The model knows each operation's function and derivatives by mpmath's own, applied to the numbers
recorded; it sums over the graph in its own way. `AUTOGRAD_LITE_STEPS` says how many steps to take.
"""
import copy
import math
import operator
import os
import pickle
from collections import Counter

import mpmath
import pytest
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition,
                                 rule, run_state_machine_as_test)

import autograd_lite as ag
from autograd_lite import DomainError, InputError, NumericError, Value, no_grad
from autograd_lite.graph.walks import topological

STEPS = int(os.environ.get("AUTOGRAD_LITE_STEPS", "3000"))
mp = mpmath.MPContext()
mp.dps = 50
EPS = 2.0 ** -52

# -- the operations once more: what they give, and their derivatives; None where there is none -----------


def power(a, b):
    if a < 0 and b != mp.floor(b) or a == 0 and b < 0:
        return None
    return mp.mpf(1) if b == 0 else a ** b


def power_slopes(a, b):
    by_base = mp.mpf(0) if b == 0 else b * power(a, b - 1) if power(a, b - 1) is not None else None
    by_exponent = a ** b * mp.log(a) if a > 0 else mp.mpf(0) if a == 0 and b > 0 else None
    return [by_base, by_exponent]


def hypot_slopes(a, b):
    h = mp.sqrt(a * a + b * b)
    return [a / h if h else mp.mpf(0), b / h if h else mp.mpf(0)]


def logistic(x):
    return 1 / (1 + mp.exp(-x))


def halves(xs):
    n = len(xs) // 2
    return xs[:n], xs[n:2 * n], xs[2 * n:]


UNARY = {
    "neg": (lambda x: -x, lambda x: [mp.mpf(-1)]),
    "abs": (lambda x: abs(x), lambda x: [mp.sign(x)]),
    "exp": (mp.exp, lambda x: [mp.exp(x)]),
    "log": (lambda x: mp.log(x) if x > 0 else None, lambda x: [1 / x]),
    "sqrt": (lambda x: mp.sqrt(x) if x >= 0 else None, lambda x: [0.5 / mp.sqrt(x) if x else None]),
    "sin": (mp.sin, lambda x: [mp.cos(x)]),
    "tanh": (mp.tanh, lambda x: [mp.sech(x) ** 2]),
    "atan": (mp.atan, lambda x: [1 / (1 + x * x)]),
    "erf": (mp.erf, lambda x: [2 / mp.sqrt(mp.pi) * mp.exp(-x * x)]),
    "sigmoid": (logistic, lambda x: [logistic(x) * logistic(-x)]),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), lambda x: [logistic(x)]),
    "relu": (lambda x: max(x, mp.mpf(0)), lambda x: [mp.mpf(x > 0)]),
}
BINARY = {
    "+": (operator.add, lambda a, b: [mp.mpf(1)] * 2),
    "-": (operator.sub, lambda a, b: [mp.mpf(1), mp.mpf(-1)]),
    "*": (operator.mul, lambda a, b: [b, a]),
    "/": (lambda a, b: a / b if b else None, lambda a, b: [1 / b, -a / b ** 2]),
    "**": (power, power_slopes),
    "hypot": (lambda a, b: mp.sqrt(a * a + b * b), hypot_slopes),
    "maximum": (max, lambda a, b: [mp.mpf(a > b) + mp.mpf(a == b) / 2, mp.mpf(b > a) + mp.mpf(a == b) / 2]),
}
MANY = {
    "sum": (lambda *xs: mp.fsum(xs), lambda *xs: [mp.mpf(1)] * len(xs)),
    "mean": (lambda *xs: mp.fsum(xs) / len(xs), lambda *xs: [mp.mpf(1) / len(xs)] * len(xs)),
    "dot": (lambda *xs: mp.fdot(*halves(xs)[:2]) + mp.fsum(halves(xs)[2]),
            lambda *xs: [*halves(xs)[1], *halves(xs)[0], *[mp.mpf(1) for _ in halves(xs)[2]]]),
    "logsumexp": (lambda *xs: mp.log(mp.fsum(map(mp.exp, xs))),
                  lambda *xs: [mp.exp(x) / mp.fsum(map(mp.exp, xs)) for x in xs]),
}
ALL = UNARY | BINARY | MANY
INFIX = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}


class Twin:
    """A Value and what the model knows of it."""

    def __init__(self, real, op="", operands=(), at=()):
        self.real, self.op, self.operands, self.at = real, op, tuple(operands), tuple(at)
        self.data, self.grad, self.label = real.data, 0.0, ""
        self.flows = [isinstance(x, Twin) and x.carries for x in operands]
        self.carries = any(self.flows) if op else real.requires_grad

    def slopes(self):
        """The partials at the numbers recorded."""
        return ALL[self.op][1](*map(mp.mpf, self.at))


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
    found = {id(twin): (mp.mpf(0), mp.mpf(0)) for twin in order}
    found[id(root)] = mp.mpf(seed), abs(mp.mpf(seed))
    for twin in order:
        g, size = found[id(twin)]
        if size > 1e200 or 0 < size < 1e-200:
            raise Doubt
        if not twin.op or not size:
            continue
        for operand, flows, slope in zip(twin.operands, twin.flows, twin.slopes()):
            if flows and operand.carries:
                if slope is None and abs(g) < 1e-6 * size:
                    raise Doubt
                if slope is None:
                    return None
                a, b = found[id(operand)]
                found[id(operand)] = a + g * slope, b + size * abs(slope)
    return {id(twin): (*found[id(twin)], len(order)) for twin in order}


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

    @rule(target=nodes, op=st.sampled_from(sorted(UNARY)), x=nodes)
    def unary(self, op, x):
        return self.apply(op, [x], lambda x: -x if op == "neg" else getattr(x, op)())

    @rule(target=nodes, op=st.sampled_from(sorted(BINARY)), a=nodes, b=st.one_of(nodes, nodes, numbers),
          turned=st.booleans())
    def binary(self, op, a, b, turned):
        a, b = (b, a) if turned else (a, b)
        return self.apply(op, [a, b], INFIX.get(op) or getattr(ag, op))

    @rule(target=nodes, op=st.sampled_from(sorted(MANY)), x=nodes,
          xs=st.lists(st.one_of(nodes, numbers), min_size=1, max_size=5))
    def many(self, op, x, xs):
        def call(*xs):
            left, right, bias = halves(xs)
            return ag.dot(left, right, *bias) if op == "dot" else getattr(ag, op)(xs)
        return self.apply(op, [x, *xs], call)

    def apply(self, op, operands, call):
        """Do it to the Values, and see that the model agrees: the number, or that there is none."""
        self.steps["op"] += 1
        at = [x.data if isinstance(x, Twin) else x for x in operands]
        expected = ALL[op][0](*map(mp.mpf, at))
        reals = [x.real if isinstance(x, Twin) else x for x in operands]
        if expected is None:
            with pytest.raises(DomainError):
                call(*reals)
            return multiple()
        if abs(expected) > 1e300:
            assume(False)
        node = call(*reals)
        terms = [abs(s * x) for s, x in zip(ALL[op][1](*map(mp.mpf, at)), at) if s is not None]
        scale = max(abs(expected), mp.fsum(terms) if op in ("sum", "mean", "dot") else 0)
        assert abs(node.data - expected) <= 16 * EPS * scale + 1e-307, (op, at)
        if abs(node.data) > 1e6 or 0.0 < abs(node.data) < 1e-6:
            return multiple()
        return self.keep(Twin(node, op, operands, at))

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

    @rule(root=nodes, seed=st.sampled_from([1.0, 1.0, -2.5, 0.0]))
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
    assert sum(Machine.steps.values()) >= 0.4 * STEPS and len(Machine.steps) == 10


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


@pytest.mark.parametrize("op", sorted(ALL))
def test_the_model_is_told_apart_from_a_wrong_operation(op):
    """The model's own derivatives are those of its functions."""
    at = [mp.mpf(x) for x in (0.7, 1.9, 1.3, 0.4)[:1 if op in UNARY else 2 if op in BINARY else 4]]
    value, slopes = ALL[op]
    for i, slope in enumerate(slopes(*at)):
        assert abs(mp.diff(lambda t: value(*at[:i], t, *at[i + 1:]), at[i]) - slope) < mp.mpf(10) ** -20
