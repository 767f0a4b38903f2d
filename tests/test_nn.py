"""Networks: micrograd's habits, names and files, losses, and where a picture puts the nodes."""
import copy
import functools
import itertools
import json
import logging
import math
import pickle
import random
import types
from collections import OrderedDict, UserDict, UserList, deque
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import ClassVar, NamedTuple

import mpmath
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from truth import TINY, Real, partial, relative, ulps

import autograd_lite as ag
from autograd_lite import FormatError, InputError, Value, nn
from autograd_lite.nn.module import FORMAT
from autograd_lite.graph.labels import find
from autograd_lite.graph.walks import topological
from autograd_lite.ops.op import TABLE

finite = st.floats(allow_nan=False, allow_infinity=False)
small = st.floats(-3, 3)


def graph(root):
    return [node.op for node in topological([root]) if node.op]


# -- micrograd ----------------------------------------------------------------------------

# micrograd 0.1.0 on this program: seed 1337, MLP(2, [3, 2, 1]); its loss, and its gradients
# at the start; its loss at the tenth step, and the parameters after it.
POINTS = [([0.5, -1.0], 1), ([-2.0, 0.25], -1), ([1.5, 0.75], 1)]
FIRST_LOSS, TENTH_LOSS = 1.2104684477025172, 0.9005562893670536
FIRST_GRADIENTS = [
    0.004710114278058826, 0.0013306229442000329, 0.0, -0.12605941714728283, 0.018518163095748094,
    0.060346675758628926, -0.1891229641713767, 0.03494375681617125, 0.08787522775946396,
    -0.004651807655431654, 0.07195979695152553, 0.1730881143411379, 0.10418508879259258,
    -0.007694664480819902, 0.019689882903432817, -0.011802159916896732, 0.0, 0.539706669247842,
    0.016492213715575042, -0.3333333333333333]
LAST_PARAMETERS = [
    0.2308377653573029, 0.06521243622540711, 0.0, -0.22607050583557442, 0.1635595894649337,
    -0.01845737397725427, -0.6021237160977667, 0.6292325827634592, -0.0266244604054391,
    -0.2279802188779137, 0.5501854491193263, 0.7800220462128157, -0.03228848864920293,
    -0.37710744348621383, 0.9649805293999342, -0.5784114908415279, 0.0, -0.13843863585859378,
    0.8082661131244121, 0.33034927746750953]


def test_a_training_program_written_for_micrograd_gives_its_numbers():
    random.seed(1337)
    model = nn.MLP(2, [3, 2, 1])
    for k in range(10):
        scores = [model(list(map(Value, x))) for x, _ in POINTS]
        data_loss = sum((1 + -t * s).relu() for (_, t), s in zip(POINTS, scores)) * (1.0 / 3)
        loss = data_loss + 1e-2 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        if k == 0:
            assert loss.data == pytest.approx(FIRST_LOSS, rel=1e-14)
            assert [p.grad for p in model.parameters()] == pytest.approx(FIRST_GRADIENTS, rel=1e-12)
        for p in model.parameters():
            p.data -= 0.1 * p.grad
    assert loss.data == pytest.approx(TENTH_LOSS, rel=1e-12)
    assert [p.data for p in model.parameters()] == pytest.approx(LAST_PARAMETERS, rel=1e-12)


@given(st.integers(1, 4), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_parameters_are_drawn_neuron_by_neuron_weights_then_a_zero_bias(nin, nouts, seed):
    random.seed(seed)
    model = nn.MLP(nin, nouts)
    drawn = random.Random(seed)
    expected = []
    for a, b in zip([nin, *nouts], nouts):
        for _ in range(b):
            expected += [*(drawn.uniform(-1, 1) for _ in range(a)), 0.0]
    assert [p.data for p in model.parameters()] == expected


def test_relu_lies_inside_and_the_last_layer_is_linear():
    model = nn.MLP(2, [3, 3, 2])
    assert repr(model.layers[1]) == "Layer of [ReLUNeuron(3), ReLUNeuron(3), ReLUNeuron(3)]"
    assert repr(model.layers[2]) == "Layer of [LinearNeuron(3), LinearNeuron(3)]"
    assert [layer.neurons[0].nonlin for layer in model.layers] == [True, True, False]
    assert repr(nn.Layer(2, 1, nonlin=False)) == "Layer of [LinearNeuron(2)]"
    assert repr(nn.Neuron(2, False)) == "LinearNeuron(2)"


def test_one_output_is_a_value_and_several_are_a_list():
    assert isinstance(nn.MLP(2, [3, 1])([1, 2]), Value)
    assert isinstance(nn.Layer(2, 1)([1, 2]), Value)
    outputs = nn.MLP(2, [1, 3])([1, 2])         # a single neuron inside is no obstacle
    assert type(outputs) is list and len(outputs) == 3


def test_zero_grad_serves_a_subclass_that_lists_its_parameters_itself():
    class Mine(nn.Module):
        def __init__(self):
            self._hidden = Value(2.0)

        def parameters(self):
            return [self._hidden]

    model = Mine()
    (model._hidden * 3.0).backward()
    assert model.parameters()[0].grad == 3.0
    model.zero_grad()
    assert model.parameters()[0].grad == 0.0
    assert nn.Module().parameters() == []


# -- a neuron -----------------------------------------------------------------------------

@pytest.mark.parametrize("activation, bias, ops", [
    ("relu", "neuron", ["dot", "relu"]), ("tanh", None, ["dot", "tanh"]), ("linear", "neuron", ["dot"])])
def test_a_neuron_is_one_dot_node_and_its_activation(activation, bias, ops):
    out = nn.Neuron(5, activation=activation, bias=bias)([1.0, 2.0, 3.0, 4.0, 5.0])
    assert graph(out) == ops
    assert len(topological([out])[-1 if activation == "linear" else -2].operands) == 10 + bool(bias)


def test_every_named_activation_is_the_op_of_that_name_with_a_derivative_everywhere():
    names = nn.activation_names()
    assert {"linear", "relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "log_sigmoid", "softplus",
            "tanh", "sin", "erf", "atan"} <= set(names)
    assert not {"log", "sqrt", "cbrt", "acosh", "atanh", "lgamma", "+", "**", "sum", "hypot"} & set(names)
    assert not {"sign", "step", "greater", "equal", "where"} & set(names)
    for name in names:
        neuron = nn.Neuron(1, activation=name, bias=None)
        for x in (-1.25, 0.0, 0.75):
            net = neuron.w[0].data * x
            out = neuron([x])
            assert out.data == (net if name == "linear" else TABLE[name](net)), name
            out.backward()


def test_a_function_of_a_value_is_an_activation_too():
    neuron = nn.Neuron(1, activation=lambda net: net.relu(1.0))
    neuron.w[0].data = 0.0
    neuron([2.0]).backward()
    assert neuron.w[0].grad == 2.0              # the derivative 1 at 0 was asked for
    constant = nn.Neuron(1, activation=lambda net: 7.0)
    assert constant([2.0]) == 7.0
    shared = Value(3.0, "shared")
    assert nn.Neuron(1, activation=lambda net: shared)([1.0]).label == "shared"


@pytest.mark.parametrize("make", [
    lambda: nn.Neuron(2, activation="rellu"), lambda: nn.MLP(2, [1], activation="log"),
    lambda: nn.Layer(2, 1, activation=None), lambda: nn.MLP(2, [1], output=["tanh"])])
def test_an_unknown_activation_is_refused_with_the_list_of_those_there_are(make):
    with pytest.raises(InputError, match="no activation is called.*linear.*tanh"):
        make()


@pytest.mark.parametrize("make, message", [
    (lambda: nn.Neuron(0), "number of inputs must be at least 1"),
    (lambda: nn.Neuron(2.5), "number of inputs must be a whole number, not 2.5"),
    (lambda: nn.Layer(2, 0), "number of neurons must be at least 1"),
    (lambda: nn.MLP(2, []), "at least one layer"),
    (lambda: nn.MLP(2, 3), r"MLP: nouts is a list .* not 3; for one layer write \[3\]"),
    (lambda: nn.Neuron(2, bias="layer"), "bias of a neuron is 'neuron' or None"),
    (lambda: nn.Layer(2, 2, bias=True), "bias of a layer is 'neuron', 'layer' or None")])
def test_a_shape_that_is_none_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("call, message", [
    (lambda: nn.MLP(2, [3, 1])([1.0]), r"layers\[0\] takes 2 inputs, got 1"),
    (lambda: nn.MLP(2, [3, 1])([1.0, 2.0, 3.0]), r"layers\[0\] takes 2 inputs, got 3"),
    (lambda: nn.MLP(1, [3, 1])([1.0, 2.0]), r"layers\[0\] takes 1 input, got 2"),
    (lambda: nn.MLP(2, [1])(pytest.importorskip("numpy").ones((3, 2))), r"layers\[0\] takes one sample"),
    (lambda: nn.MLP(2, [1])([[1.0, 2.0], [3.0, 4.0]]), r"for many write \[model\(row\) for row in x\]"),
    (lambda: nn.Layer(2, 1, scope=["encoder"])(1.0), "encoder takes 2 inputs, got 1"),
    (lambda: nn.MLP(3, [2]).layers[0].neurons[1]([]), r"layers\[0\]\.neurons\[1\] takes 3 inputs, got 0"),
    (lambda: nn.MLP(2, [3, 1])([1.0, "2"]), r"layers\[0\]: expected a real number, got str '2'"),
    (lambda: nn.MLP(2, [3, 1])([1.0, None]), r"layers\[0\]: expected a real number, got NoneType")])
def test_wrong_inputs_are_refused_by_the_name_of_the_layer(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_the_activation_may_stand_behind_the_sizes():
    assert repr(nn.MLP(2, [2, 1], "tanh")) == repr(nn.MLP(2, [2, 1], activation="tanh"))


def test_inputs_may_be_numbers_values_arrays_iterators_and_a_single_number():
    np = pytest.importorskip("numpy")
    model = nn.MLP(2, [3, 1])
    expected = model([1.0, -2.0]).data
    for x in ([1, -2], (1.0, Value(-2.0)), np.array([1.0, -2.0]), np.array([1, -2]), iter([1, -2])):
        assert model(x).data == expected
    single = nn.MLP(1, [2, 1])
    assert single(0.5).data == single([0.5]).data == single(Value(0.5)).data


# -- biases -------------------------------------------------------------------------------

def test_a_shared_bias_is_one_parameter_that_gathers_the_gradient_of_the_layer():
    model = nn.MLP(2, [2, 2], activation="sigmoid", output="sigmoid", bias="layer")
    assert list(model.named_parameters()) == [
        "layers[0].neurons[0].w[0]", "layers[0].neurons[0].w[1]",
        "layers[0].neurons[1].w[0]", "layers[0].neurons[1].w[1]", "layers[0].b",
        "layers[1].neurons[0].w[0]", "layers[1].neurons[0].w[1]",
        "layers[1].neurons[1].w[0]", "layers[1].neurons[1].w[1]", "layers[1].b"]
    own = nn.MLP(2, [2, 2], activation="sigmoid", output="sigmoid")
    for mine, theirs in zip(model.layers, own.layers):
        mine.b.data = 0.3
        for a, b in zip(mine.neurons, theirs.neurons):
            b.b.data = 0.3
            for p, q in zip(a.w, b.w):
                q.data = p.data
    for m in (model, own):
        nn.squared_error(m([0.05, 0.1]), [0.01, 0.99]).backward()
    for mine, theirs in zip(model.layers, own.layers):
        assert mine.b.grad == pytest.approx(math.fsum(n.b.grad for n in theirs.neurons), rel=1e-14)
        assert [p.grad for n in mine.neurons for p in n.w] == [p.grad for n in theirs.neurons for p in n.w]


def test_a_shared_bias_that_is_replaced_is_replaced_for_every_neuron():
    layer = nn.Layer(1, 2, bias="layer", nonlin=False)
    layer.b = Value(5.0)
    assert [out.data for out in layer([0.0])] == [5.0, 5.0]
    assert layer.neurons[0]([0.0]).data == 0.0 and layer.neurons[0]([0.0], layer.b).data == 5.0


def test_a_bias_given_to_a_neuron_counts_also_where_it_is_zero():
    neuron = nn.Neuron(1, nonlin=False)
    neuron.b.data = 3.0
    assert neuron([0.0], Value(0.0)).data == 0.0


def test_without_biases_the_parameters_are_the_weights():
    model = nn.MLP(2, [3, 1], bias=None)
    assert len(model.parameters()) == 2 * 3 + 3 and model([0.0, 0.0]).data == 0.0


# -- where a picture puts the nodes ---------------------------------------------------------

def test_the_nodes_of_a_neuron_and_its_weights_lie_in_its_scope_and_a_shared_bias_in_its_layers():
    model = nn.MLP(2, [2, 1], activation="tanh", bias="layer")
    out = model([Value(1.0, "i1"), 2.0])
    scopes = {}
    for node in topological([out]):
        scopes.setdefault(node.scope, []).append(node.op or node.label)
    assert {scope: sorted(nodes) for scope, nodes in scopes.items()} == {
        (): ["i1"],
        ("layers[0]",): ["layers[0].b"], ("layers[1]",): ["layers[1].b"],
        **{("layers[0]", f"neurons[{k}]"): [
            "dot", *[f"layers[0].neurons[{k}].w[{i}]" for i in (0, 1)], "tanh"] for k in (0, 1)},
        ("layers[1]", "neurons[0]"): ["dot", "layers[1].neurons[0].w[0]", "layers[1].neurons[0].w[1]"]}


@pytest.mark.parametrize("bias", ["neuron", "layer", None])
def test_the_scopes_of_a_networks_parameters_are_the_words_of_their_names(bias):
    for name, p in nn.MLP(2, [3, 1], bias=bias).named_parameters().items():
        assert list(p.scope) == name.split(".")[:-1]


@pytest.mark.parametrize("bias", ["neuron", "layer", None])
def test_a_network_labels_its_parameters_as_it_names_them(bias):
    for model in (nn.MLP(2, [3, 1], bias=bias), nn.Layer(2, 3, bias=bias), nn.Neuron(2)):
        named = model.named_parameters()
        assert {name: p.label for name, p in named.items()} == dict(zip(named, named)) != {}
        assert all(find(named.values(), name) is p for name, p in named.items())


def test_a_label_that_people_give_a_parameter_goes_before_its_own_by_which_it_is_still_found():
    model = nn.MLP(1, [1])
    weight = model.layers[0].neurons[0].w[0]
    ag.label(w1=weight)
    assert (weight.label, weight.scope) == ("w1", ("layers[0]", "neurons[0]"))
    assert find([weight], "w1") is find([weight], "layers[0].neurons[0].w[0]") is weight
    weight.label = "w"
    assert weight.label == "w" and find([weight], "layers[0].neurons[0].w[0]") is weight


def test_label_puts_a_name_before_those_of_modules_in_lists_and_of_the_users_own():
    class Pair(nn.Module):
        def __init__(self):
            self.body, self.scale = nn.Neuron(1), Value(1.0)

    pair, models = Pair(), [nn.MLP(1, [1]), nn.MLP(1, [1])]
    ag.label(net=pair, nets=models)
    assert pair.scale.label == "net.scale" and pair.body.w[0].label == "net.body.w[0]"
    assert models[1].parameters()[0].label == "nets[1].layers[0].neurons[0].w[0]"
    pair.label_parameters()
    assert pair.scale.label == "net.scale" and find([pair.body.b], "body.b") is pair.body.b


def test_scopes_are_given_outermost_first():
    for scope in ("critic", ["critic"], ("critic",)):
        assert nn.MLP(1, [1], scope=scope)([1.0]).scope == ("critic", "layers[0]", "neurons[0]")


def test_under_no_grad_a_model_gives_constants():
    model = nn.MLP(2, [3, 2], activation="tanh")
    with ag.no_grad():
        outputs = model([1.0, 2.0])
    assert all(not out.requires_grad and not out.operands for out in outputs)
    assert [out.data for out in outputs] == [out.data for out in model([1.0, 2.0])]


# -- names and states -----------------------------------------------------------------------

class Branched(nn.Module):
    """Everything a parameter may be kept in."""

    def __init__(self):
        self.heads = {"a": nn.Neuron(1), "b": [Value(1.0)]}
        self.scale = Value(2.0)
        self.again = self.scale                 # a second name for the same parameter
        self.computed = self.scale * 2.0        # no leaf, no parameter
        self._cache = Value(9.0)
        self.parent = self                      # a circle
        self.note = "text", 3, None, (Value(4.0), Value(5.0, requires_grad=False))


def test_parameters_are_found_in_lists_tuples_dicts_and_modules_each_once_in_order():
    model = Branched()
    assert list(model.named_parameters()) == [
        "heads['a'].w[0]", "heads['a'].b", "heads['b'][0]", "scale", "note[3][0]", "note[3][1]"]
    assert model.parameters() == list(model.named_parameters().values())


def test_parameters_are_found_in_object_arrays_too():
    np = pytest.importorskip("numpy")

    class Affine(nn.Module):
        def __init__(self):
            self.matrix = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
            self.mean = np.zeros(2)

    model = Affine()
    assert list(model.named_parameters()) == [f"matrix[{i}][{j}]" for i in (0, 1) for j in (0, 1)]
    (model.matrix @ np.array([1.0, 10.0])).sum().backward()
    assert [p.grad for p in model.parameters()] == [1.0, 10.0, 1.0, 10.0]


class Pair(NamedTuple):
    left: object
    right: object


@dataclass
class Affine:
    slope: Value
    offset: Value
    name: str = "affine"
    unit: ClassVar = Value(0.5)


@dataclass(slots=True, frozen=True)
class Slotted:
    weight: Value
    _hidden: Value


class Slots:
    __slots__ = ("first", "unset", "_hidden")


class Scaled(nn.Module, Slots):
    """Slots, attributes of the class and of the instance, a cached one; and what hides them."""

    __slots__ = "second"
    scale, shift = Value(1.0), [Value(2.0)]
    gone = Value(3.0)

    def __init__(self):
        self.second, self.first, self._hidden, self.own = Value(4.0), Value(5.0), Value(6.0), Value(7.0)
        self.shift = [Value(8.0)]

    @functools.cached_property
    def later(self):
        return Value(9.0)

    @property
    def alias(self):
        return Value(10.0)


class Rescaled(Scaled):
    gone = None


class Bag(dict):
    """A mapping with an attribute."""


def test_parameters_are_found_wherever_an_attribute_may_hold_them():
    class Holder(nn.Module):
        pass

    model = Holder()
    model.affine, model.slotted = Affine(Value(1.0), Value(2.0)), Slotted(Value(3.0), Value(4.0))
    model.queue, model.pair = deque([Value(5.0), [Value(6.0)]]), Pair(Value(7.0), {"k": Value(8.0)})
    model.ordered, model.user = OrderedDict(a=Value(9.0)), UserDict(b=Value(10.0))
    model.bag = Bag(c=Value(11.0))
    model.bag.extra = Value(12.0)
    model.scaled, model.rescaled = Scaled(), Rescaled()
    assert model.scaled.later
    assert list(model.named_parameters()) == [
        "affine.slope", "affine.offset", "affine.unit", "slotted.weight", "queue[0]", "queue[1][0]",
        "pair[0]", "pair[1]['k']", "ordered['a']", "user['b']", "bag['c']", "bag.extra",
        "scaled.first", "scaled.second", "scaled.own", "scaled.shift[0]", "scaled.later", "scaled.scale",
        "scaled.gone", "rescaled.first", "rescaled.second", "rescaled.own", "rescaled.shift[0]"]


def test_what_a_class_inherits_is_found_unless_it_is_hidden():
    class Base(nn.Module):
        kept, hidden, replaced = Value(1.0), Value(2.0), Value(3.0)

    class Derived(Base):
        hidden = None

        @property
        def replaced(self):
            return Value(4.0)

    assert Derived().state_dict() == {"kept": 1.0}
    assert list(Base().named_parameters()) == ["kept", "hidden", "replaced"]


def test_a_module_that_is_a_dataclass_or_a_mapping_has_its_entries_and_its_attributes():
    @dataclass
    class Line(nn.Module):
        slope: Value
        offset: Value

    class Table(nn.Module, dict):
        pass

    assert list(Line(Value(1.0), Value(2.0)).named_parameters()) == ["slope", "offset"]
    table = Table(a=Value(1.0))
    table.a = Value(2.0)
    assert table.state_dict() == {"['a']": 1.0, "a": 2.0}


def test_circles_through_anything_end():
    class Holder(nn.Module):
        pass

    model, box = Holder(), [Value(1.0)]
    model.box, model.back = box, {"model": model, "pair": Pair(model, box)}
    box += [box, model.back, Affine(Value(2.0), model)]
    model.trainer = types.SimpleNamespace(model=model, box=box)
    model.trainer.trainer = model.trainer
    assert model.state_dict() == {"box[0]": 1.0, "box[3].slope": 2.0, "box[3].unit": 0.5}


class Named:
    """A key that looks as it likes."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text


def test_an_attribute_with_a_dot_and_keys_that_look_alike_are_parameters_of_their_own():
    class Holder(nn.Module):
        pass

    model = Holder()
    model.x = Holder()
    model.x.y = Value(1.0)
    for i, name in enumerate(["x.y", "", "x[0]", "'x.y'", "a b", ".x.y"]):
        setattr(model, name, Value(2.0 + i))
    model.d = {1: Value(10.0), "1": Value(11.0), "'1'": Value(12.0), Named("1"): Value(13.0),
               Named("1"): [Value(14.0)], math.nan: Value(15.0), float("nan"): Value(16.0),
               (1,): Value(17.0), Named("1]["): Value(18.0), object(): Value(19.0), object(): Value(20.0)}
    found = model.state_dict()
    assert sorted(found.values()) == [*map(float, range(1, 8)), *map(float, range(10, 21))]
    assert found["x.y"] == 1.0 and found["'x.y'"] == 2.0 and found["d[1]"] == 10.0 and found["d['1']"] == 11.0
    assert found["d[<object object>]"] == 19.0      # no address, which would change from run to run
    for p in model.parameters():
        p.data = -p.data
    model.load_state_dict(found)
    assert model.state_dict() == found


keys = st.text("ab.[]'\"1# ", max_size=4)


def with_attributes(held):
    module = nn.Module()
    vars(module).update({key: part for key, part in held.items() if not key.startswith("_")})
    return module


def holders(below):
    """Containers of all kinds, and what they hold."""
    return st.one_of(
        *[st.lists(below, max_size=3).map(kind) for kind in (list, tuple, deque)],
        st.builds(Affine, below, below), st.dictionaries(keys, below, max_size=3).map(with_attributes),
        st.dictionaries(keys | st.integers(0, 2) | st.booleans() | st.builds(Named, keys), below, max_size=3))


parts = st.none() | holders(st.none() | holders(st.none() | holders(st.none())))


def planted(thing):
    """The structure with a parameter in place of each None."""
    if thing is None:
        return Value(0.0)
    if isinstance(thing, (Affine, nn.Module)):
        for name, part in vars(thing).items():
            setattr(thing, name, planted(part) if name != "name" else part)
        return thing
    if isinstance(thing, dict):
        return {key: planted(part) for key, part in thing.items()}
    return type(thing)(map(planted, thing))


@given(st.dictionaries(keys, parts, max_size=4))
def test_no_two_parameters_share_a_name_and_a_file_gives_each_its_own_number(tmp_path_factory, held):
    model = with_attributes(held)
    planted(model)
    parameters = model.parameters()
    for i, p in enumerate(parameters):
        p.data = float(i)
    assert list(model.state_dict().values()) == [p.data for p in parameters]
    path = tmp_path_factory.getbasetemp() / "named.json"
    model.save(path)
    for p in parameters:
        p.data = -1.0
    model.load(path)
    assert [p.data for p in parameters] == [float(i) for i in range(len(parameters))]


class Foreign:
    """A class of somebody else's, whose attributes are not looked at."""

    def __init__(self, **held):
        vars(self).update(held)


@pytest.mark.parametrize("make, message", [
    (lambda w: {w}, r"^held: parameters in a set, such as Value\(1.0, .*\),.*; .* make it a list"),
    (lambda w: frozenset([None, (1, w)]), "^held: parameters in a frozenset"),
    (lambda w: {"a": [{w}]}, r"^held\['a'\]\[0\]: parameters in a set"),
    (lambda w: {nn.Neuron(1)}, "^held: parameters in a set, such as w.0., are not found"),
    (lambda w: Foreign(w=w), "^held: parameters in a Foreign, such as w, are not found; .* a Module$"),
    (lambda w: Foreign(layers=[Foreign(ws=(w, w))]), r"a Foreign, such as layers\[0\].ws\[0\], are not"),
    (lambda w: Foreign(table={"a": w}), r"such as table\['a'\], are not found"),
    (lambda w: types.SimpleNamespace(w=w), "parameters in a SimpleNamespace, such as w"),
    (lambda w: UserList([w]), "parameters in a UserList"),
    (lambda w: (v for v in [w]), "^held: .* in a generator, which can be read only once, are not found"),
    (lambda w: map(Value, [1.0]), "in a map, which"), (lambda w: zip([w]), "in a zip, which"),
    (lambda w: [filter(None, [w])], r"^held\[0\]: parameters in a filter")])
def test_parameters_where_none_are_looked_for_are_an_error_that_says_what_to_do(make, message):
    model = nn.Module()
    model.held = make(Value(1.0))
    for ask in (model.named_parameters, model.parameters, model.state_dict, model.zero_grad,
                lambda: model.load_state_dict({})):
        with pytest.raises(InputError, match=message):
            ask()
    model._held = model.held
    del model.held
    assert model.parameters() == []


def test_what_holds_no_parameters_or_only_those_found_elsewhere_is_let_be():
    model = nn.Module()
    model.w = Value(1.0)
    model.log, model.random, model.kind, model.math = logging.getLogger("x"), random.Random(), Foreign, math
    model.names, model.optimizer = {"a", "b"}, ag.optim.Adam([model.w])
    model.known = {model.w, Value(2.0, requires_grad=False)}
    model.best = Foreign(loss=model.w * 2.0, w=model.w, target=Value(1.0, requires_grad=False))
    model.loss, model.path, model.batches = nn.squared_error, Path("."), itertools.count()
    assert list(model.named_parameters()) == ["w"]


def test_a_state_goes_round_exactly():
    a, b = nn.MLP(2, [3, 1]), nn.MLP(2, [3, 1])
    b.load_state_dict(a.state_dict())
    assert b.state_dict() == a.state_dict()


@given(st.lists(finite, min_size=9, max_size=9))
@settings(max_examples=60, deadline=None)
def test_a_saved_file_is_strict_json_and_gives_back_every_bit(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("state") / "model.json"
    model, other = nn.MLP(2, [2, 1]), nn.MLP(2, [2, 1])
    for p, x in zip(model.parameters(), numbers):
        p.data = x
    model.save(path)
    other.load(str(path))
    assert [x.hex() for x in other.state_dict().values()] == [x.hex() for x in numbers]
    def refuse(token): raise AssertionError(token)
    assert set(json.loads(path.read_text(), parse_constant=refuse)) == {"format", "parameters"}
    assert [p.name for p in path.parent.iterdir()] == ["model.json"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_parameter_that_is_not_finite_is_not_saved_and_the_older_file_stays(tmp_path, bad):
    model = nn.MLP(1, [1])
    model.save(tmp_path / "m.json")
    before = (tmp_path / "m.json").read_bytes()
    model.layers[0].neurons[0].b.data = bad
    with pytest.raises(FormatError, match=r"layers\[0\].neurons\[0\].b: expected a finite number"):
        model.save(tmp_path / "m.json")
    assert (tmp_path / "m.json").read_bytes() == before


def good_file(model):
    return {"format": FORMAT, "parameters": model.state_dict()}


def swapped(**changes):
    """The text of a good file with other or more parameters."""
    return lambda file: json.dumps({**file, "parameters": {**file["parameters"], **changes}})


def raw(token):
    """The text of a good file with `token` for the first bias, which is 0.0."""
    return lambda file: json.dumps(file).replace(f'"{B}": 0.0', f'"{B}": {token}')


W, B = "layers[0].neurons[0].w[0]", "layers[0].neurons[0].b"
HOSTILE = {
    "empty": (lambda file: "", "not JSON"),
    "truncated": (lambda file: json.dumps(file)[:-9], "not JSON, or only a part"),
    "trailing": (lambda file: json.dumps(file) + "{}", "not JSON"),
    "not text": (lambda file: b"\xff\xfe\x00", "not JSON"),
    "pickle": (lambda file: pickle.dumps(file), "not JSON"),
    "another kind": (lambda file: "[1, 2]", "not a file of parameters"),
    "a number": (lambda file: "3", "not a file of parameters"),
    "another format": (lambda file: json.dumps({**file, "format": "x"}), "not a file of parameters"),
    "no parameters": (lambda file: json.dumps({"format": file["format"]}), "'parameters', and nothing else"),
    "more entries": (lambda file: json.dumps({**file, "more": 1}), "and nothing else"),
    "a list": (lambda file: json.dumps({**file, "parameters": [1.0]}), "mapping of names to numbers"),
    "nested": (lambda file: '{"format":' + "[" * 200_000, "nested too deeply"),
    "nested objects": (lambda file: '{"a":' * 200_000, "nested too deeply"),
    "a key twice": (lambda file: json.dumps(file)[:-2] + f', "{W}": 1.0}}}}', "neurons.*occurs twice"),
    "format twice": (lambda file: '{"format": 1, "format": 2}', "'format' occurs twice"),
    "NaN": (swapped(**{W: math.nan}), "NaN is not a JSON number"),
    "Infinity": (swapped(**{B: -math.inf}), "-Infinity is not a JSON number"),
    "too large": (raw("1e999"), "b: expected a finite number, got float inf"),
    "a huge int": (swapped(**{W: 10 ** 4000}), r"w\[0\]: expected a finite number"),
    "a longer int": (raw("9" * 10_000), "b: expected a finite number"),
    "a string": (swapped(**{W: "0.5"}), r"w\[0\]: expected a finite number, got str '0.5'"),
    "a truth": (swapped(**{B: True}), "b: expected a finite number, got bool"),
    "null": (swapped(**{B: None}), "b: expected a finite number, got NoneType"),
    "a list inside": (swapped(**{B: [0.0]}), "b: expected a finite number, got list"),
    "many lists, none deep": (swapped(**{B: [[]] * 20}), "b: expected a finite number, got list"),
    "one more": (swapped(extra=1.0), "'extra' is not in this model"),
    "two more": (swapped(extra=1.0, b=2.0), r"'extra' \(and 1 more\) are not in this model"),
    "control": (swapped(**{"\x1b[2J\ud800": 1.0}), r"'\\x1b\[2J\\ud800' is not in this model"),
}


def test_a_file_that_cannot_be_written_is_named_as_it_was_given(tmp_path):
    path = tmp_path / "nowhere" / "m.json"
    with pytest.raises(FileNotFoundError) as error:
        nn.MLP(1, [1]).save(path)
    assert error.value.filename == str(path)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_bad_file_is_refused_by_name_and_the_model_stays_as_it_was(tmp_path, kind):
    make, message = HOSTILE[kind]
    model = nn.MLP(2, [2, 1])
    (model([1.0, 2.0]) * 1.0).backward()
    before = [(p.data, p.grad) for p in model.parameters()]
    content = make(good_file(model))
    path = tmp_path / "model.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    with pytest.raises(FormatError, match=message) as error:
        model.load(path)
    assert str(path) in str(error.value) and len(str(error.value)) < len(str(path)) + 250
    assert [(p.data, p.grad) for p in model.parameters()] == before


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.integers(0, 400))
@settings(max_examples=200, deadline=None)
def test_any_damage_to_a_file_is_either_a_format_error_or_harmless(tmp_path_factory, junk, at):
    model = nn.MLP(1, [1])
    good = json.dumps(good_file(model)).encode()
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    path.write_bytes(good[:at] + junk + good[at + len(junk):])
    before = model.state_dict()
    try:
        model.load(path)
    except FormatError:
        assert model.state_dict() == before
    assert all(map(math.isfinite, model.state_dict().values()))


def test_a_state_of_another_shape_is_refused_both_ways():
    small_model, large = nn.MLP(2, [2, 1]), nn.MLP(2, [3, 1])
    for model, state in ((small_model, large.state_dict()), (large, small_model.state_dict())):
        before = model.state_dict()
        with pytest.raises(FormatError, match="another shape"):
            model.load_state_dict(state)
        assert model.state_dict() == before


@pytest.mark.parametrize("bad", [None, "1", True, math.nan, 10 ** 400, 10 ** 5000, [10 ** 5000],
                                 1j, Decimal(1), Value(1.0)], ids=lambda bad: type(bad).__name__)
def test_a_bad_entry_of_a_state_is_refused_and_nothing_changes(bad):
    model = nn.MLP(1, [1])
    before = model.state_dict()
    with pytest.raises(FormatError, match=r"layers\[0\].neurons\[0\].b"):
        model.load_state_dict({W: 0.5, B: bad})
    assert model.state_dict() == before


@pytest.mark.parametrize("state", [None, [1.0], "state", 3])
def test_what_is_no_mapping_is_no_state(state):
    with pytest.raises(FormatError, match="mapping of names"):
        nn.MLP(1, [1]).load_state_dict(state)


def test_a_missing_file_is_pythons_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        nn.MLP(1, [1]).load(tmp_path / "none.json")


@pytest.mark.parametrize("again", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copied_model_is_the_same_and_apart(again):
    model = nn.MLP(2, [3, 1], activation="tanh", bias="layer")
    other = again(model)
    assert other.state_dict() == model.state_dict() and repr(other) == repr(model)
    assert other([1.0, 2.0]).data == model([1.0, 2.0]).data
    other.layers[0].b.data = 5.0
    assert model.layers[0].b.data == 0.0
    assert other([1.0, 2.0]).scope == ("layers[1]", "neurons[0]")


# -- gradients ----------------------------------------------------------------------------

@given(st.data())
@settings(max_examples=25, deadline=None)
def test_a_networks_gradients_are_those_of_the_same_formula_written_out(data):
    name = data.draw(st.sampled_from(["relu", "tanh", "sigmoid", "silu", "gelu", "softplus"]))
    model = nn.MLP(2, [2, 1], activation=name)
    for p in model.parameters():
        p.data = data.draw(small)
    x = [data.draw(small), data.draw(small)]
    model.zero_grad()
    model(x).backward()
    copies = [Value(p.data) for p in model.parameters()]
    act = TABLE[name]
    a, b, c, d, e, f, u, v, w = copies
    h1, h2 = act(a * x[0] + b * x[1] + c), act(d * x[0] + e * x[1] + f)
    (h1 * u + h2 * v + w).backward()
    expected = [p.grad for p in copies]
    assert [p.grad for p in model.parameters()] == pytest.approx(expected, rel=1e-13, abs=1e-300)


# -- losses -------------------------------------------------------------------------------

def test_squared_error_is_half_the_sum_of_squares():
    assert nn.squared_error(3.0, 1.0) == 2.0
    assert nn.squared_error([3.0, 1.0], [1, 4]) == 2.0 + 4.5
    out = Value(3.0)
    nn.squared_error([out], [1.0]).backward()
    assert out.grad == 2.0
    target = Value(1.0)
    nn.squared_error(3.0, target).backward()
    assert target.grad == -2.0


def test_hinge_is_zero_beyond_the_margin_and_grows_on_the_wrong_side():
    assert [nn.hinge(s, 1) for s in (2.0, 1.0, 0.5, -1.0)] == [0.0, 0.0, 0.5, 2.0]
    assert [nn.hinge(s, -1) for s in (2.0, -0.5, -1.0)] == [3.0, 0.5, 0.0]
    inside, beyond = Value(0.5), Value(2.0)
    nn.hinge([inside, beyond], [1, 1]).backward()
    assert (inside.grad, beyond.grad) == (-1.0, 0.0)


logits = (st.floats(-5, 5) | st.floats(-800, 800) | st.floats(-1e300, 1e300) | st.floats(-1e-300, 1e-300)
          | st.sampled_from([0.0, -0.0, 1.0, -1.0, 3.39, -578.4, 40.0, -745.0, -746.0, 1e300, -1e300]))


def exact(found, order, value, *terms):
    """Whether a number is the true value within what NUMERICS.md allows, beside a zero of its terms' sum."""
    true = Real(value, max(map(abs, terms), default=None))
    if order == 2:
        return relative(found, true, beside_zero=True) <= 1e-13
    return ulps(found, true, beside_zero=True) <= (4 if abs(value) >= TINY else 8)


def of_one_number(loss, x, target):
    """A loss of one output as a float, and its value, slope and second derivative as ours are."""
    v = Value(x)
    y = loss(v, target)
    y.backward()
    assert y.data == loss(x, target)
    return y.data, v.grad, ag.hessian(lambda v: loss(v, target))(x)


@given(logits, st.sampled_from([0, 1]) | st.floats(0, 1))
@example(40.0, 0.9999999999999999)
@example(-745.0, 1e-300)
def test_binary_cross_entropy_and_its_derivatives_are_exact_at_any_logit_and_target(logit, target):
    with mpmath.workdps(60):
        x, t = mpmath.mpf(logit), mpmath.mpf(target)
        below, above = [mpmath.exp(-x) if x > 0 else mpmath.mpf(1), mpmath.exp(x) if x < 0 else mpmath.mpf(1)]
        losses = [max(y, 0) + mpmath.log1p(mpmath.exp(-abs(x))) for y in (-x, x)]
        p, q = above / (below + above), below / (below + above)
        value, slope, curve = of_one_number(nn.binary_cross_entropy, logit, target)
        assert exact(value, 0, t * losses[0] + (1 - t) * losses[1])
        assert exact(slope, 1, (1 - t) * p - t * q, (1 - t) * p, t * q)
        assert exact(curve, 2, p * q)


@given(logits, logits)
def test_squared_error_and_hinge_and_their_derivatives_are_exact(output, target):
    with mpmath.workdps(400):
        d = mpmath.mpf(output) - mpmath.mpf(target)
        if d * d > 1.7e308:
            for loss in (nn.squared_error, lambda *xs: nn.squared_error(*map(Value, xs))):
                with pytest.raises(ag.RangeError, match="too large for a double"):
                    loss(output, target)
        else:
            value, slope, curve = of_one_number(nn.squared_error, output, target)
            assert exact(value, 0, d * d / 2) and exact(slope, 1, d) and curve == 1.0
        sign = math.copysign(1.0, target)
        value, slope, curve = of_one_number(nn.hinge, output, sign)
        margin = 1 - mpmath.mpf(sign) * mpmath.mpf(output)
        assert exact(value, 0, max(margin, mpmath.mpf(0)), 1, abs(output)) and curve == 0.0
        assert slope == (-sign if value > 0.0 else 0.0)


@given(st.lists(logits, min_size=1, max_size=4), st.data())
@example([3.39, -578.4], None)
@example([-0.06375741301353083, -2.45942138433207, -61484.04923510915], None)
def test_softmax_cross_entropy_and_its_derivatives_are_exact_at_any_logits(xs, data):
    k = data.draw(st.integers(0, len(xs) - 1)) if data else 0
    places = [k, *(i for i in range(len(xs)) if i != k)]           # of the row's operands among the logits
    operands = tuple(xs[i] for i in places)
    values = list(map(Value, xs))
    loss = nn.softmax_cross_entropy(values, k)
    loss.backward()
    hessian = ag.hessian(lambda xs: nn.softmax_cross_entropy(xs, k))(xs)
    assert loss.data == nn.softmax_cross_entropy(xs, k)
    assert exact(-loss.data, 0, partial("log_softmax", operands).value)
    for i, at in enumerate(places):
        assert exact(-values[at].grad, 1, partial("log_softmax", operands, (i,)).value)
        for j, by in enumerate(places):
            assert exact(-hessian[at][by], 2, partial("log_softmax", operands, (i, j)).value)


def test_losses_and_sums_of_losses_that_leave_the_range_are_our_errors():
    for loss in (lambda: nn.squared_error(1e200, 0.0), lambda: nn.squared_error(1e308, -1e308),
                 lambda: nn.squared_error([1e154, 1e154, 1e154, 1e154], [0.0] * 4),
                 lambda: nn.softmax_cross_entropy([1e308, -1e308], 1),
                 lambda: nn.hinge([1e308] * 2, [-1, -1]),
                 lambda: nn.binary_cross_entropy([1e308, 1e308], [0, 0])):
        with pytest.raises(ag.RangeError):
            loss()
        with ag.errstate("ignore"):
            assert loss() == math.inf
    with pytest.raises(ag.DomainError):
        nn.squared_error(math.inf, math.inf)


def test_whole_numbers_may_be_numpys_but_no_truth_values():
    np = pytest.importorskip("numpy")
    for two in (np.int8(2), np.uint64(2), np.array(2)):
        assert len(nn.MLP(two, [two, two]).parameters()) == len(nn.MLP(2, [2, 2]).parameters())
        assert nn.softmax_cross_entropy([1.0, 2.0, 3.0], two) == nn.softmax_cross_entropy([1.0, 2.0, 3.0], 2)
    assert len(nn.MLP(2, np.array([3, 1])).parameters()) == 13
    for truth in (True, np.bool_(True)):
        for call in (lambda: nn.Neuron(truth), lambda: nn.Layer(2, truth), lambda: nn.MLP(2, [truth]),
                     lambda: nn.softmax_cross_entropy([1.0, 2.0], truth)):
            with pytest.raises(InputError, match="whole number, not|index of a class, not"):
                call()


def test_softmax_cross_entropy_of_far_logits_neither_overflows_nor_vanishes():
    assert nn.softmax_cross_entropy([0.0, -700.0], 0) == math.exp(-700.0)
    assert nn.softmax_cross_entropy([0.0, 1e300], 0) == 1e300


def test_losses_of_numbers_are_floats_and_of_values_are_values():
    for loss in (nn.squared_error, nn.hinge, nn.binary_cross_entropy):
        assert type(loss(0, 1)) is float and type(loss([0.5, 0], [1, 1])) is float
        assert type(loss(Value(0.5), 1)) is Value and type(loss([Value(0.5), 0.25], [1, 1])) is Value
    assert type(nn.softmax_cross_entropy([1, 2], 0)) is float


@pytest.mark.parametrize("call, message", [
    (lambda: nn.softmax_cross_entropy(Value(1.0), 0), "softmax_cross_entropy: expected a list of logits"),
    (lambda: nn.squared_error([1.0], [1.0, 2.0]), "squared_error: .* as many targets as .* got 2 for 1"),
    (lambda: nn.squared_error([], []), "at least one"),
    (lambda: nn.squared_error("x", 1.0), "squared_error: expected a real number, got str"),
    (lambda: nn.squared_error([[1.0]], [[1.0]]), "squared_error: expected a real number, got list"),
    (lambda: nn.hinge(0.5, 0), "hinge: a target is -1 or 1, not 0.0"),
    (lambda: nn.hinge([0.5], [math.nan]), "hinge: a target is -1 or 1, not nan"),
    (lambda: nn.binary_cross_entropy(0.5, -1), "from 0 to 1, not -1.0"),
    (lambda: nn.binary_cross_entropy(0.5, math.nan), "from 0 to 1, not nan"),
    (lambda: nn.softmax_cross_entropy([1.0, 2.0], 2), "there are 2 classes, numbered from 0; 2 is not one"),
    (lambda: nn.softmax_cross_entropy([1.0, 2.0], -1), "-1 is not one of them"),
    (lambda: nn.softmax_cross_entropy([], 0), "0 classes"),
    (lambda: nn.softmax_cross_entropy([1.0, 2.0], 0.5), "index of a class, not 0.5"),
    (lambda: nn.softmax_cross_entropy([1.0, 2.0], [0, 1]), "index of a class")])
def test_a_loss_refuses_what_does_not_fit(call, message):
    with pytest.raises(InputError, match=message):
        call()
