"""`autograd_lite.testing`: strategies keep their promises and shrink; assertions catch what is wrong."""
import inspect
import math
import random
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument, NoSuchExample, Unsatisfiable

import autograd_lite as ag
from autograd_lite import AuditError, InputError, NumericError, Value, custom_op, label
import autograd_lite as ops
from autograd_lite.ops.op import TABLE
from autograd_lite.testing import (Expression, assert_derivation, assert_gradients, assert_same_gradient,
                                   expressions, networks, numbers, points, values)
from autograd_lite import testing
from test_claims import START, derivation, network

FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow],
               phases=[Phase.generate, Phase.shrink])
SEARCH = settings(max_examples=2000, database=None, suppress_health_check=list(HealthCheck),
                  phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False)
ONE = [name for name, op in TABLE.items() if op.most == 1]
COMPARISONS = {"greater", "greater_equal", "less", "less_equal", "equal", "not_equal"}
SOME = expressions(max_ops=5) | expressions(max_ops=5, ops=["where", "*", "exp", "sign", "greater"])
SPACE = {**TABLE, **{name: getattr(ops, name) for name in (
    "sum", "mean", "dot", "logsumexp", "softmax", "log_softmax")}}


def finite(y):
    return math.isfinite(y.data if isinstance(y, Value) else y)


# -- numbers and values --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ONE)
def test_numbers_of_an_op_are_all_inside_its_domain_and_give_a_finite_result(name):
    op = TABLE[name]

    @given(numbers(name))
    @FEW
    def holds(x):
        assert op.domain(x) and math.isfinite(op(x))
    holds()


@pytest.mark.parametrize("domain, edge", [
    ("asin", 1.0), ("asin", -1.0), ("acosh", 1.0), ("sqrt", 0.0), ("log", 5e-324),
    ("atanh", math.nextafter(1, 0)), (None, 0.0), (None, 1e300), ((2.0, 3.0), 2.0), ((2.0, 3.0), 3.0),
    (lambda x: x < 0.0, -1.0)])
def test_the_edges_of_a_domain_are_drawn(domain, edge):
    assert find(numbers(domain), lambda x: x == edge, settings=settings(max_examples=3000)) == edge


@pytest.mark.parametrize("domain, condition, simplest", [
    (None, lambda x: x > 1.0, 2.0), ("log", lambda x: True, 1.0), ((2.0, 3.0), lambda x: True, 2.0),
    ("asin", lambda x: x < 0.0, -1.0), (lambda x: x > 100.0, lambda x: True, 101.0)])
def test_numbers_shrink_to_the_simplest_of_their_domain(domain, condition, simplest):
    assert find(numbers(domain), condition) == simplest


@pytest.mark.parametrize("domain", [3, [1.0, 2.0], "no such op", "/", "dot", ag.hypot])
def test_what_is_no_domain_of_one_number_is_refused(domain):
    with pytest.raises(InputError):
        numbers(domain)


def test_an_interval_upside_down_is_refused_by_hypothesis():
    with pytest.raises(InvalidArgument):
        find(numbers((3.0, 2.0)), lambda x: True)


@given(values("log"))
@FEW
def test_values_are_leaves_that_carry_gradients(x):
    y = x * 3.0
    y.backward()
    assert not x.op and x.requires_grad and x.data > 0.0 and x.grad == 3.0


@given(st.from_type(Value))
@FEW
def test_hypothesis_knows_the_strategy_for_value_by_itself(x):
    assert type(x) is Value and not x.op and math.isfinite(x.data)


@given(st.data())
@FEW
def test_a_function_annotated_with_value_is_called_with_values(data):
    def half(x: Value) -> Value:
        return x * 0.5
    assert type(data.draw(st.builds(half).filter(lambda y: True))) is Value


def test_hypothesis_is_not_imported_before_a_strategy_is_asked_for():
    program = """if True:
        import sys
        import autograd_lite.testing as t
        assert "hypothesis" not in sys.modules
        t.values()
        assert "hypothesis" in sys.modules
        from hypothesis import find, strategies as st
        from autograd_lite import Value
        print(find(st.from_type(Value), lambda v: v.data > 1.5).data)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("2.0\n", 0), done.stderr


# -- points ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [
    lambda x: ag.log(x - 3.0), lambda x, y: ag.sqrt(x) / ag.log(y), lambda x, y, z: ag.acosh(x) + y ** z,
    lambda a: ag.asin(a) + ag.acosh(1.0 / a), ag.atanh, ag.log, lambda x, y=2.0: ag.exp(300.0 * x)])
def test_points_lie_inside_the_domain_of_every_op_on_the_way(f):
    @given(points(f))
    @FEW
    def holds(point):
        assert isinstance(point, list) and finite(f(*map(Value, point)))
    holds()


def test_points_shrink_and_reach_the_edges():
    assert find(points(lambda x, y: ag.sqrt(x) / y), lambda point: True) == [0.0, 1.0]
    assert find(points(ag.sqrt), lambda point: point == [0.0]) == [0.0]


def test_a_function_of_any_number_of_arguments_needs_to_be_told_how_many():
    with pytest.raises(InputError, match="how many"):
        points(lambda *xs: ag.sum(xs))
    assert find(points(lambda *xs: ag.log(ag.sum(xs)), 3), lambda point: True) == [0.0, 0.0, 1.0]


def test_a_function_defined_nowhere_has_no_points():
    with pytest.raises((NoSuchExample, Unsatisfiable)):
        find(points(lambda x: ag.log(-1.0 - x * x)), lambda point: True, settings=settings(
            max_examples=20, suppress_health_check=list(HealthCheck)))


def test_a_mistake_in_the_function_is_not_taken_for_its_domain():
    with pytest.raises(AttributeError):
        find(points(lambda x: x.no_such_method()), lambda point: True)


# -- expressions --------------------------------------------------------------------------------------


@given(SOME, st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_expression_is_a_function_of_floats_and_of_values_and_is_defined_somewhere(f, data):
    assert isinstance(f, Expression) and len(f.steps) <= 5
    assert abs(f(*f.witness)) < 1e6
    point = data.draw(points(f))
    y = f(*point)
    again = f(*map(Value, point))
    assert type(y) is float and (again.data if isinstance(again, Value) else again) == y


@given(SOME)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_repr_of_an_expression_is_a_program_that_computes_it(f):
    g = eval(repr(f), dict(SPACE))
    assert len(inspect.signature(g).parameters) == f.inputs
    assert g(*f.witness) == f(*f.witness)


@given(SOME)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_step_of_an_expression_is_idle_and_the_repr_is_short(f):
    used = {x for _, operands in f.steps for x in operands if isinstance(x, int)}
    assert used | set(range(f.inputs)) | {f.inputs + len(f.steps) - 1} == set(range(f.inputs + len(f.steps)))
    assert len(repr(f)) < 50 + 60 * len(f.steps)


@pytest.mark.parametrize("condition, simplest", [
    (lambda f: True, "lambda x: x"),
    (lambda f: f.inputs == 2, "lambda x, y: y"),
    (lambda f: any(op.name == "tanh" for op, _ in f.steps), "lambda x: tanh(x)"),
    (lambda f: any(op.name == "**" for op, _ in f.steps), "lambda x: x ** x"),
    (lambda f: any(op.name == "dot" for op, _ in f.steps), "lambda x: dot([x], [x])"),
    (lambda f: f(*f.witness) < -1.5, "lambda x: x")])
def test_expressions_shrink_to_small_ones(condition, simplest):
    found = find(expressions(max_ops=3, ops=["+", "tanh", "**", "dot"]), condition, settings=SEARCH)
    assert repr(found) == simplest


def test_expressions_use_only_the_ops_they_are_told_and_reuse_results():
    @given(expressions(max_ops=4, ops=["*", ag.sin], inputs=2))
    @FEW
    def holds(f):
        assert {op.name for op, _ in f.steps} <= {"*", "sin"} and f.inputs == 2
    holds()
    found = find(expressions(max_ops=3, ops=["*", "sin"]), lambda f: ":=" in repr(f), settings=SEARCH)
    assert repr(found).count(":=") == 1
    with pytest.raises(InputError, match="no op is called"):
        expressions(ops=["sine"])


@given(SOME)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_gradient_of_an_expression_reaches_an_input_and_a_condition_is_a_comparison(f):
    flows = [True] * f.inputs
    for op, operands in f.steps:
        has = op.differentiable(len(operands))
        ways = [isinstance(x, int) and flows[x] for x, one in zip(operands, has) if one]
        flows.append(all(ways) if op.chooses else any(ways))
        if op.chooses:
            condition, (a, b) = f.steps[operands[0] - f.inputs]
            assert condition.name in COMPARISONS and repr(a) != repr(b)
    assert flows[-1] and f(*map(Value, f.witness)).requires_grad


@pytest.mark.parametrize("ops, name, simplest", [
    (None, "where", "lambda x: where(greater(x, 1.0), x, x)"),
    (["+", "where", "less"], "where", "lambda x: where(less(x, 1.0), x, x)"),
    (["*", "where"], "where", "lambda x: where(greater(x, 1.0), x, x)"),
    (["+", "sign"], "sign", "lambda x: x + sign(x)"), (["*", "less"], "less", "lambda x: x * less(x, 1.0)")])
def test_choices_and_steps_are_drawn_and_shrink(ops, name, simplest):
    found = find(expressions(ops=ops), lambda f: any(op.name == name for op, _ in f.steps), settings=SEARCH)
    assert repr(found) == simplest


def test_a_choice_without_a_condition_and_a_number_compared_with_itself_are_passed_over():
    choice, alone = (TABLE["where"], (None, 0, 1)), (TABLE["greater"], (0, 0))
    assert repr(testing._expression([2.0, 1.0], [choice])) == "lambda x, y: y"
    assert repr(testing._expression([2.0, 1.0], [alone, choice])) == "lambda x, y: y"
    where, less = TABLE["where"], TABLE["less"]     # (a number to which gradients may flow is no condition)
    made = testing._expression([0.0], [(less, (0, 1.0)), (where, (None, 0, 2.0)), (where, (None, 0, 0))])
    assert repr(made) == "lambda x: where(less(x, 1.0), x, x)" and made(1.5) == 1.5
    made = testing._expression([2.0, 1.0], [(TABLE["greater"], (0, 1)), choice])
    assert repr(made) == "lambda x, y: where(greater(x, y), x, y)"


@pytest.mark.parametrize("start, wishes, text", [
    ([2.0, 1.0], [("greater", (0, 1)), ("where", (None, 2.0, 1.0)), ("+", (0, None))],
     "lambda x, y: x + where(greater(x, y), y, 1.0)"),
    ([2.0, 1.0], [("greater", (0, 1)), ("where", (None, None, 0))], "lambda x, y: y"),
    ([2.0, 1.0], [("greater", (0, 1)), ("where", (None, 1, 0))], "lambda x, y: where(greater(x, y), y, x)"),
    ([999.0], [("*", (0, 0))], "lambda x: x * x"), ([1001.0], [("*", (0, 0))], "lambda x: x"),
    ([-1.0], [("log", (0,)), ("sin", (0,))], "lambda x: sin(x)"),
    ([2.0], [("polygamma", (1.0, 3.0))], "lambda x: polygamma(1.0, x)"),
    ([2.0], [("**", (0, -2.0)), ("-", (-1, -0.0))], "lambda x: x ** (-2.0) - (-0.0)")])
def test_a_wish_becomes_a_step_where_it_is_defined_and_of_ordinary_size(start, wishes, text):
    assert repr(testing._expression(start, [(TABLE[name], xs) for name, xs in wishes])) == text


def test_where_nothing_else_will_do_the_point_is_the_witness():
    steps = ((TABLE["-"], (0, 1234.5678)), (TABLE["*"], (1, 1)), (TABLE["neg"], (2,)), (TABLE["sqrt"], (3,)))
    f = testing.Expression(1, steps, (1234.5678,))
    assert find(points(f), lambda point: True) == [1234.5678]


NUMBERS = [0, -1, -2, 1, 2.0, 1.0, 0.5, -1.0, 3.0, None]
COMPARED = [(a, b) for a in (0, -1, -2) for b in (1.0, 0.0, -1.0, 2.0, 0, 1)]


@pytest.mark.parametrize("name, expected", [
    ("+", [[(op, (a, b))] for op in ["+"] for a in NUMBERS for b in NUMBERS]),
    ("sin", [[("sin", (a,))] for a in NUMBERS]), ("polygamma", [
        [("polygamma", (a, b))] for a in (1.0, 0.0, 2.0) for b in NUMBERS]),
    ("greater", [[("greater", compared)] for compared in COMPARED])])
def test_any_step_that_may_be_taken_is_drawn_and_no_other(name, expected):
    drawn = set()

    @given(testing._wishes(TABLE[name], []))
    @settings(FEW, max_examples=1500)
    def draw(wishes):
        drawn.add(repr([(op.name, operands) for op, operands in wishes]))
    draw()
    assert drawn == set(map(repr, expected))


def test_a_step_of_many_operands_has_two_to_four_and_a_choice_has_a_condition_before_it():
    sizes, conditions, sides = set(), set(), set()

    @given(testing._wishes(TABLE["sum"], []), testing._wishes(TABLE["where"], [TABLE["less"]]))
    @settings(FEW, max_examples=500)
    def draw(many, choice):
        sizes.add(len(many[0][1]))
        conditions.add((choice[0][0].name, repr(choice[0][1])))
        sides.update(map(repr, choice[1][1][1:]))
        assert choice[1][0].name == "where" and choice[1][1][0] is None
    draw()
    assert sizes == {2, 3, 4} and conditions == {("less", repr(compared)) for compared in COMPARED}
    assert sides == set(map(repr, NUMBERS))


def test_a_computation_starts_at_numbers_of_ordinary_size():
    starts = []

    @given(expressions(max_ops=0))
    @settings(FEW, max_examples=500)
    def draw(f):
        starts.extend(f.witness)
    draw()
    assert min(starts) == -4.0 and max(starts) == 4.0


EDGES = [0.0, 1.0, 0.5, 2.0, 1e-8, 5e-324, 2.2250738585072014e-308, 1e-300, 1e-16, 1.0 - 2.0 ** -53,
         1.0 + 2.0 ** -52, math.pi, 19.0, 37.5, 710.0, 1e16, 1e300]


def test_the_edges_where_float_kernels_change_their_ways_are_all_drawn():
    drawn = set()

    @given(numbers())
    @settings(FEW, max_examples=1000)
    def draw(x):
        drawn.add(x)
    draw()
    assert {sign * x for x in EDGES for sign in (1.0, -1.0)} <= drawn


@given(expressions(max_ops=1, ops=["where", "less"]))
@settings(FEW, max_examples=200)
def test_a_choice_and_its_condition_are_two_ops(f):
    assert not f.steps


def test_without_an_op_that_has_a_derivative_there_is_nothing_to_draw():
    with pytest.raises(NoSuchExample):
        find(expressions(ops=["sign", "greater"]), lambda f: f.steps, settings=FEW)


def test_an_expression_wants_as_many_arguments_as_it_has_inputs():
    f = Expression(2, ((TABLE["*"], (0, 1)),), (1.0, 1.0))
    assert repr(f) == "lambda x, y: x * y" and f(3.0, 4.0) == 12.0
    with pytest.raises(InputError, match="takes 2 arguments"):
        f(3.0)


@pytest.mark.parametrize("steps, text", [
    ([("+", (0, 0)), ("*", (1, 2.0))], "lambda x: (x + x) * 2.0"),
    ([("sin", (0,)), ("*", (1, 1))], "lambda x: (t1 := sin(x)) * t1"),
    ([("neg", (0,)), ("**", (1, -2.0))], "lambda x: (-x) ** (-2.0)"),
    ([("dot", (0, 0, 2.0, 3.0, 1.0))], "lambda x: dot([x, x], [2.0, 3.0], 1.0)"),
    ([("softmax", (0, 1.0)), ("fsum", (1, 0))], "lambda x: sum([softmax([x, 1.0])[0], x], exact=True)"),
    ([("+", (0, 1.0)), ("abs", (1,)), ("/", (1, 2))], "lambda x: (t1 := x + 1.0) / abs(t1)"),
    ([("neg", (0,)), ("*", (1, 2.0)), ("-", (0, 2))], "lambda x: x - -x * 2.0"),
    ([("*", (0, -2.0)), ("sin", (-1.0,)), ("-", (1, 2))], "lambda x: x * (-2.0) - sin(-1.0)"),
    ([("less", (0, 0.0)), ("neg", (0,)), ("where", (1, 2, 0))], "lambda x: where(less(x, 0.0), -x, x)")])
def test_an_expression_is_written_as_a_person_would(steps, text):
    f = Expression(1, tuple((TABLE[name], operands) for name, operands in steps), (2.0,))
    assert repr(f) == text and eval(text, dict(SPACE))(2.0) == f(2.0)


# -- networks ------------------------------------------------------------------------------------------


@given(networks(), st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_networks_run_and_their_gradients_reach_the_weights(model, data):
    x = data.draw(st.lists(st.floats(-2.0, 2.0), min_size=len(model.layers[0].neurons[0].w),
                           max_size=len(model.layers[0].neurons[0].w)))
    y = model(x)
    ag.sum(y if isinstance(y, list) else [y]).backward()
    assert all(math.isfinite(p.grad) and abs(p.data) <= 2.0 for p in model.parameters())


@given(st.data())
@FEW
def test_a_network_leaves_the_random_numbers_of_the_caller_alone(data):
    strategy = networks()
    random.seed(7)
    state = random.getstate()
    data.draw(strategy)
    assert random.getstate() == state


def test_networks_have_one_to_three_layers_of_one_to_three_neurons_and_as_many_inputs():
    seen = set()

    @given(networks(["tanh"]))
    @settings(SEARCH, max_examples=200)
    def look(model):
        sizes = [len(model.layers[0].neurons[0].w), *[len(layer.neurons) for layer in model.layers]]
        seen.add(tuple(sizes))
    look()
    assert {len(sizes) for sizes in seen} == {2, 3, 4} and {x for sizes in seen for x in sizes} == {1, 2, 3}
    assert {sizes[:2] for sizes in seen} == {(a, b) for a in (1, 2, 3) for b in (1, 2, 3)}


def test_networks_shrink():
    model = find(networks(["relu"]), lambda model: len(model.layers) == 2)
    assert repr(model) == "MLP of [Layer of [ReLUNeuron(1)], Layer of [LinearNeuron(1)]]"
    assert {p.data for p in model.parameters()} == {0.0}


# -- assertions ------------------------------------------------------------------------------------------


tenths = st.integers(-20, 20).map(lambda k: k / 10)
document_points = st.tuples(st.tuples(*[tenths] * 8), st.tuples(tenths, tenths), st.tuples(tenths, tenths),
                            st.tuples(tenths, tenths))


def test_the_corrected_hand_derivation_of_the_document_passes():
    assert_derivation(network, lambda point: derivation(network(point), point, published=False),
                      inputs=document_points, settings=FEW)


def test_the_published_derivation_fails_at_the_simplest_point_and_the_cause_is_said():
    with pytest.raises(AuditError) as caught:
        assert_derivation(network, lambda point: derivation(network(point), point), inputs=st.tuples(
            tenths, tenths).map(lambda pair: ((0.0, 0.0, 0.0, 0.0, *pair, 1.0, 0.0), *START[1:])))
    text = str(caught.value)
    assert text.startswith("at the point ((0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0), ")
    assert "by 1 cause:\n  ∂neto2/∂outh1: claimed" in text
    assert isinstance(caught.value, AssertionError)


def test_a_derivation_that_is_right_at_one_point_by_luck_fails_at_others():
    def forward(x):
        a = Value(x, "a")
        y = a * a
        y.label = "y"
        return y
    assert_derivation(forward, lambda x: {("y", "a"): 2.0}, inputs=st.just(1.0))
    with pytest.raises(AuditError, match=r"at the point 0:\n.*\n  ∂y/∂a: claimed 2, is 0"):
        assert_derivation(forward, lambda x: {("y", "a"): 2.0}, inputs=st.integers(0, 9))


def test_points_at_which_the_graph_is_not_defined_are_passed_over_but_a_mistake_of_the_hand_is_not():
    def forward(x):
        a = Value(x, "a")
        y = a.log()
        y.label = "y"
        return y
    assert_derivation(forward, lambda x: {("y", "a"): 1.0 / x}, inputs=st.integers(-3, 3))
    with pytest.raises(ZeroDivisionError):
        assert_derivation(forward, lambda x: {("y", "a"): 1.0 / (x - 1)}, inputs=st.integers(-3, 3))


def test_a_derivation_fails_where_most_claims_differ_and_the_kind_of_the_mistake_is_said():
    def forward(point):
        a, b, c = (Value(x, name) for x, name in zip(point, "abc"))
        y = a * b
        z = y * c
        label(y=y, z=z)
        return z

    def hand(point):
        a, b, c = point
        return {("z", "y"): c, ("y", "a"): a, ("z", "a"): a * c, ("z", "b"): a * c}

    with pytest.raises(AuditError) as caught:
        assert_derivation(forward, hand, inputs=st.tuples(*[st.integers(-5, 5)] * 3))
    text = str(caught.value)
    assert "2 of 4 claims differ" in text                       # (at c = 0 only one does)
    assert "∂y/∂a: claimed" in text and "a where b belongs, at each of 5 points" in text


def test_without_numpy_a_derivation_is_audited_all_the_same(monkeypatch):
    import sys
    monkeypatch.setitem(sys.modules, "autograd_lite.diagnosis.evidence", None)

    def forward(x):
        y = Value(x, "a") * 3.0
        label(y=y)
        return y

    with pytest.raises(AuditError, match="∂y/∂a: claimed 2, is 3"):
        assert_derivation(forward, lambda x: {"a": 2.0}, inputs=st.integers(0, 9))


@pytest.mark.parametrize("f, right, wrong, said", [
    (lambda x, y: ag.sin(x) * y, lambda x, y: (math.cos(x) * y, math.sin(x)),
     lambda x, y: (math.cos(x), math.sin(x)), "∂f/∂x: claimed .*the factor y is missing"),
    (lambda x, y: ag.sin(x) * y, lambda x, y: [math.cos(x) * y, math.sin(x)],
     lambda x, y: (math.cos(x) * y, -math.sin(x)), "∂f/∂y: claimed .*sign flipped"),
    (lambda x: x * x * x, lambda x: 3 * x * x, lambda x: 3 * x, "∂f/∂x: claimed .*the factor x is missing"),
    (lambda f: f * f, lambda f: 2 * f, lambda f: f, "off by a factor ½"),
    (lambda x: 3.0, lambda x: 0.0, lambda x: 1.0, "f does not depend on x")])
def test_a_gradient_that_somebody_wrote_is_held_against_the_functions(f, right, wrong, said):
    assert_gradients(f, claimed=right, settings=FEW)
    with pytest.raises(AuditError, match="(?s)" + said):
        assert_gradients(f, claimed=wrong)


def test_a_gradient_of_structures_is_held_against_the_functions():
    points = st.fixed_dictionaries({"w": st.lists(tenths, min_size=2, max_size=2), "b": tenths})

    def f(p):
        return ag.tanh(ag.dot(p["w"], [1.0, 2.0], p["b"]))

    def claimed(p, power=2):
        slope = 1.0 - math.tanh(p["w"][0] + 2.0 * p["w"][1] + p["b"]) ** 2
        return {"w": [slope, power * slope], "b": slope}

    assert_gradients(f, points, claimed=claimed, settings=FEW)
    with pytest.raises(AuditError, match=r"(?s)∂f/∂p\['w'\]: 1 of 2 entries, at \[1\].*off by a factor 3/2"):
        assert_gradients(f, points, claimed=lambda p: claimed(p, 3))
    with pytest.raises(InputError, match="the claimed gradient has 1 entries, and the function takes 2"):
        assert_gradients(lambda x, y: x * y, claimed=lambda x, y: (y,))


def test_rtol_is_the_audits():
    def forward(x):
        y = Value(x, "a") * 3.0
        label(y=y)
        return y
    assert_derivation(forward, lambda x: {("y", "a"): 3.01}, inputs=st.just(1.0), rtol=0.01)
    with pytest.raises(AuditError):
        assert_derivation(forward, lambda x: {("y", "a"): 3.01}, inputs=st.just(1.0))


@pytest.mark.parametrize("f", [ag.tanh, ag.hypot, lambda x, y: ag.relu(x) * y,
                               lambda x: ag.log(x) * ag.sqrt(x), lambda x: abs(x)])
def test_right_gradients_pass_at_any_points(f):
    assert_gradients(f, settings=FEW)


def test_gradients_of_structures_are_checked_at_given_points():
    points = st.fixed_dictionaries({"w": st.lists(tenths, min_size=2, max_size=2), "b": tenths})
    assert_gradients(lambda p: ag.sigmoid(ag.dot(p["w"], [1.0, 2.0], p["b"])), points, settings=FEW)


@pytest.fixture
def wrong():
    yield custom_op(lambda x: x * x * x, (lambda y, x: 3.0 * x * abs(x),), name="cube, wrong below 0")
    del TABLE["cube, wrong below 0"]


def test_a_wrong_rule_fails_at_the_simplest_point_and_is_blamed(wrong):
    with pytest.raises(AuditError, match=r"(?s)at the point \[-1.0\]:\nwrong.*to blame: cube, wrong"):
        assert_gradients(lambda x: wrong(x) + x, order=1)
    assert_gradients(lambda x: wrong(x) + x, numbers((0.0, 9.0)), settings=FEW)


def test_where_nothing_can_be_judged_the_assertion_fails():
    with pytest.raises(AuditError, match="at no point"):
        assert_gradients(lambda x: abs(x - x), st.integers(1, 3), order=1, settings=FEW)


@pytest.mark.parametrize("f, g, inputs", [
    (ag.softplus, lambda x: ag.log(1.0 + ag.exp(x)), st.floats(-30.0, 30.0)),
    (ag.softplus, lambda x: -ag.log_sigmoid(-x), None),
    (lambda x, y: (x - y) ** 2, lambda x, y: x * x - 2.0 * x * y + y * y, None),
    (lambda p: ag.hypot(*p), lambda p: ag.sqrt(p[0] * p[0] + p[1] * p[1]), st.tuples(tenths, tenths)),
    (lambda x: x + 1e9, lambda x: x, None)])
def test_functions_with_the_same_gradient_pass(f, g, inputs):
    assert_same_gradient(f, g, inputs, settings=FEW)


def test_functions_with_other_gradients_fail_at_the_simplest_point():
    with pytest.raises(AuditError, match=r"at the point \[0.0, 0.0\].*number 1.*: 0.0 and 1.0"):
        assert_same_gradient(lambda x, y: x * y, lambda x, y: y * 1.0 + x * 0.0, settings=FEW)
    with pytest.raises(AuditError):
        assert_same_gradient(lambda p: p["a"], lambda p: p["a"] * 1.00001,
                             st.fixed_dictionaries({"a": tenths}), settings=FEW)


def test_points_where_one_of_the_two_is_not_defined_are_passed_over():
    assert_same_gradient(lambda x: ag.log(x * x), lambda x: 2.0 * ag.log(x), st.integers(-5, 5), settings=FEW)


@given(expressions(max_ops=4))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_random_computation_has_a_wrong_gradient(f):
    try:
        report = ag.check_gradients(lambda p: f(*p), list(f.witness), order=1)
    except NumericError:
        return
    assert not report.wrong and not report.blame, report


def test_a_function_defined_nowhere_is_said_to_be():
    for check in (lambda f: assert_gradients(f), lambda f: assert_same_gradient(f, f, st.just(1.0))):
        with pytest.raises(AuditError, match="no point was found"):
            check(lambda x: ag.log(-1.0 - x * x))


def test_functions_of_unequally_many_numbers_have_no_same_gradient():
    with pytest.raises(InputError, match="take 1 and 2 numbers"):
        assert_same_gradient(lambda x: x, lambda x, y: x * y)


def test_an_option_is_never_what_an_expression_depends_on():
    made = testing._expression([2.0], [(TABLE["polygamma"], [1.0, 2.0])])
    assert repr(made) == "lambda x: polygamma(1.0, x)"
