"""What users of micrograd, its lecture and microgpt write: it works as there, or an error says the remedy."""
from __future__ import annotations

import copy
import math
import pickle
import random
import re
import weakref

import pytest

import autograd_lite as ag
from autograd_lite import AutogradError, InputError, MemberError, Value, nn, optim
from autograd_lite.graph.foreign import ELSEWHERE
from graphs import python_build


def make():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    return a, b, a * b


# -- what works ----------------------------------------------------------------------------------


def test_the_names_of_a_node():
    a, b, c = make()
    c.label = "c"
    assert (a.data, a.grad, a.label, c.label) == (2.0, 0.0, "a", "c")
    assert type(Value(2).data) is type(Value(2).grad) is float
    assert (c._prev, c._op, a._prev, a._op) == ({a, b}, "*", set(), "")
    assert (c._children, c._local_grads, a._children) == ((a, b), (-3.0, 2.0), ())
    assert ((3.0 * a)._children, (3.0 * a)._local_grads) == ((a,), (3.0,))
    assert Value(2.0, _children=(), _op="").operands == ()


def test_gradients_are_set_added_to_and_read():
    a, b, c = make()
    a.grad, b.grad = 0, 5
    c.backward(retain_graph=True)
    c.backward(retain_graph=False)
    a.grad += 0.5
    assert (a.grad, b.grad) == (-5.5, 9.0)
    a.data -= 0.1 * a.grad
    a.data += -1
    assert a.data == 2.0 + 0.55 - 1


def test_sums_sets_and_branches():
    a, b, c = make()
    assert sum([a, b, c]).data == -7.0 and (a.exp().log().tanh().relu() / 2 - 1 + a ** -1).data
    assert {a, b, Value(2.0)} >= {a} and len({Value(2.0), Value(2.0)}) == 2
    notes = {a: 1, b: 2}
    assert notes[a] == 1 and Value(2.0) not in notes            # (a dict goes by identity, a list by number)
    assert Value(2.0) in [a, b] and a == Value(2.0) and [b, a].index(Value(2.0)) == 1
    several = [Value(1.0), a]
    several.remove(Value(2.0))
    assert len(several) == 1
    assert not Value(0.0) and a


def test_the_lectures_drawing_of_a_graph_works():
    graphviz = pytest.importorskip("graphviz")
    a, b, c = make()
    root = (c + 10.0).tanh()
    root.backward()
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)
    build(root)
    dot = graphviz.Digraph(format="svg", graph_attr={"rankdir": "LR"})
    for n in nodes:
        uid = str(id(n))
        dot.node(name=uid, label="{ %s | data %.4f | grad %.4f }" % (n.label, n.data, n.grad), shape="record")
        if n._op:
            dot.node(name=uid + n._op, label=n._op)
            dot.edge(uid + n._op, uid)
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    assert dot.source.count("record") == len(nodes) == 5 and dot.source.count("->") == 3 + 4


def test_a_backward_pass_of_ones_own_over_children_and_local_grads_gives_the_gradients():
    """The loop of the engine in microgpt."""
    random.seed(3)
    w = [Value(random.uniform(-1, 1)) for _ in range(6)]
    loss = -(sum((a * b).exp() for a, b in zip(w, w[1:])) / 3 + w[0] ** 2).log() + w[1].relu() - 2 * w[2]
    order, visited = [], set()

    def build(v):
        if v not in visited:
            visited.add(v)
            for child in v._children:
                build(child)
            order.append(v)
    build(loss)
    grads = dict.fromkeys(order, 0.0)
    grads[loss] = 1.0
    for v in reversed(order):
        for child, local in zip(v._children, v._local_grads):
            grads[child] += local * grads[v]
    loss.backward()
    assert [grads[p] for p in w] == pytest.approx([p.grad for p in w], rel=1e-14)


def test_the_lectures_training_loop_learns():
    random.seed(1337)
    model = nn.MLP(3, [4, 4, 1])
    assert len(model.parameters()) == 41 and not nn.Neuron(3, nonlin=False).nonlin
    xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    ys = [1.0, -1.0, -1.0, 1.0]
    for _ in range(60):
        loss = sum((yout - ygt) ** 2 for ygt, yout in zip(ys, [model(x) for x in xs]))
        for p in model.parameters():
            p.grad = 0.0
        loss.backward()
        for p in model.parameters():
            p.data += -0.02 * p.grad
    assert loss.data < 0.5
    model.zero_grad()
    assert all(p.grad == 0 for p in model.parameters())


# -- what is refused, with the words to write ------------------------------------------------------


def subclassed():
    class MyValue(Value):
        pass
    return MyValue


REFUSED = {
    "own operation": (lambda a, b, c: Value(2.0, (a, b), "+"), "a \\+ b.*custom_op"),
    "own operation by name": (lambda a, b, c: Value(2.0, _children=(a, b), _op="+"), "a \\+ b.*custom_op"),
    "a set of children": (lambda a, b, c: Value(2.0, _children={a}), "custom_op"),
    "an op without children": (lambda a, b, c: Value(2.0, _op="+"), "custom_op"),
    "no children": (lambda a, b, c: Value(2.0, (), ""), "custom_op"),
    "microgpt's": (lambda a, b, c: Value(2.0, (a, b), (1.0, 1.0)), "custom_op"),
    "setting _backward": (lambda a, b, c: setattr(c, "_backward", lambda: None), "custom_op"),
    "calling _backward": (lambda a, b, c: c._backward(), r"root.backward\(\)"),
    "setting _prev": (lambda a, b, c: setattr(c, "_prev", {a}), "custom_op"),
    "setting _op": (lambda a, b, c: setattr(c, "_op", "+"), "custom_op"),
    "setting _children": (lambda a, b, c: setattr(c, "_children", (a,)), "custom_op"),
    "p.m": (lambda a, b, c: setattr(a, "m", 0), r"a dict.*momenta\[p\].*optim.Adam"),
    "p.v": (lambda a, b, c: setattr(a, "v", 0), "a dict"),
    "reading p.m": (lambda a, b, c: a.m, "a dict"),
    "p.velocity": (lambda a, b, c: setattr(a, "velocity", 0.0), "a dict"),
    "p.grad = None": (lambda a, b, c: setattr(a, "grad", None), "p.grad = 0.0"),
    "item": (lambda a, b, c: a.item(), "v.data"), "numpy": (lambda a, b, c: a.numpy(), "v.data"),
    "tolist": (lambda a, b, c: a.tolist(), "v.data"),
    "name": (lambda a, b, c: setattr(a, "name", "w"), "v.label"),
    "zero_grad": (lambda a, b, c: a.zero_grad(), "v.grad = 0.0"),
    "retain_grad": (lambda a, b, c: c.retain_grad(), "v.grad"),
    "grad_fn": (lambda a, b, c: c.grad_fn, "v.op"), "is_leaf": (lambda a, b, c: c.is_leaf, "not v.op"),
    "requires_grad_": (lambda a, b, c: a.requires_grad_(), "v.requires_grad = True"),
    "create_graph": (lambda a, b, c: c.backward(create_graph=True), r"grad\(grad\(f\)\)"),
    "gradient": (lambda a, b, c: c.backward(gradient=2.0), r"v.backward\(1.0\)"),
    "inputs": (lambda a, b, c: c.backward(inputs=[a]), r"grad\(f\) gives"),
    "a list as seed": (lambda a, b, c: c.backward([1.0]), "expected a real number"),
    "data of a result": (lambda a, b, c: setattr(c, "data", 1.0), "leaves"),
    "a Value as data": (lambda a, b, c: setattr(a, "data", a - b), "v.data"),
    "a Value of a Value": (lambda a, b, c: Value(a), "v.detach"),
    "math.exp": (lambda a, b, c: math.exp(a), "autograd_lite.exp"),
    "three-argument pow": (lambda a, b, c: pow(a, 3, 5), r"v \*\* n % m"),
    "an overflow": (lambda a, b, c: a * 1e308, "too large"),
    "a label": (lambda a, b, c: Value(1.0, 3), "is a str"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_an_error_of_ours_that_says_what_to_write(what):
    act, remedy = REFUSED[what]
    with pytest.raises(AutogradError, match=remedy):
        act(*make())


@python_build                               # (mypyc refuses it itself)
def test_a_subclass_is_refused_with_the_remedy():
    with pytest.raises(InputError, match="a dict"):
        subclassed()


def test_the_foreign_names_are_no_attributes_of_a_node():
    a, b, c = make()
    for name in ("item", "numpy", "tolist", "m", "v", "_backward"):
        assert not hasattr(c, name) and name not in vars(Value).get("__slots__", ())
        with pytest.raises(AttributeError):
            getattr(c, name)
    assert not {"item", "m", "v", "zero_grad"} & set(dir(c))
    assert {"data", "grad", "label", "exp"} <= set(dir(c))
    with pytest.raises(AttributeError):
        c.anything_else = 1
    assert issubclass(MemberError, AttributeError)
    twin = pickle.loads(pickle.dumps(copy.deepcopy(c)))
    assert len(twin._prev) == 2


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_to_write_for_a_function_of_another_library_is_there(name):
    assert name not in dir(ag) and not hasattr(ag, name)
    with pytest.raises(MemberError, match=f"^autograd_lite has no '{name}': ") as caught:
        getattr(ag, name)
    remedy = str(caught.value).partition(": ")[2]
    for function in re.findall(r"\b([a-zA-Z]\w*)\(", remedy):
        assert hasattr(ag, function) or function == "f", remedy


@pytest.mark.parametrize("owner, name, remedy", [
    (nn, "Linear", 'Layer(nin, nout, activation="linear")'), (nn, "Sequential", "MLP"),
    (nn, "Tanh", "activation="), (nn, "ReLU", "activation="), (nn, "MSELoss", "squared_error"),
    (nn, "CrossEntropyLoss", "softmax_cross_entropy"), (nn, "functional", "softmax"),
    (optim, "RMSprop", "Adam"), (optim, "LBFGS", "value_and_grad"),
    (optim, "lr_scheduler", "lr=optim.cosine")])
def test_what_to_write_for_a_member_of_torch_is_there(owner, name, remedy):
    assert name not in dir(owner) and not hasattr(owner, name)
    with pytest.raises(MemberError, match=f"^{owner.__name__} has no '{name}': .*{re.escape(remedy)}"):
        getattr(owner, name)


def test_a_name_that_no_library_has_is_an_ordinary_error():
    for owner in (nn, optim):
        with pytest.raises(AttributeError, match="has no attribute 'nonesuch'"):
            owner.nonesuch
    with pytest.raises(AttributeError, match="^module 'autograd_lite' has no attribute 'nonesuch'$"):
        ag.nonesuch


def test_a_node_takes_no_weak_reference_but_is_a_key_of_a_dict():
    """(A place for one would cost every node 8 of its 120 bytes.)"""
    a, b, c = make()
    with pytest.raises(TypeError, match="weak reference"):
        weakref.ref(a)
    assert {a: "a"}[a] == "a"


def test_three_numbers_for_pow_are_refused_in_every_mode():
    a = Value(2.0)
    assert pow(a, 3, None).data == a.__pow__(3).data == pow(a, 3).data == 8.0
    for mode in (ag.no_grad(), ag.record_lines()):
        with mode, pytest.raises(InputError, match="three"):
            pow(a, 3, 5)
    with pytest.raises(TypeError):
        pow(2, a, 5)
