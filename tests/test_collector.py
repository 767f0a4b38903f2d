"""The garbage collector: in a compiled build it leaves out nodes through which no cycle passes."""
import ast
import copy
import gc
import pickle
import sys
import threading
import weakref
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite import Value, nn
from autograd_lite.graph import native
from autograd_lite.graph.node import note_of
from autograd_lite.ops.constants import Constant
from autograd_lite.ops.op import TABLE
from autograd_lite.ops.operators import Operators
from test_quick import custom

ROOT = Path(__file__).parent.parent

compiled_build = pytest.mark.skipif(ag.build == "python", reason="in pure Python it looks at every node")


class Name(str):
    """A str that may refer to anything."""


class Thing:
    """What a weak reference can watch."""


@pytest.fixture
def always():
    """The collector comes at every turn."""
    before = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*before)


def own_op(monkeypatch, held=None):
    return custom(monkeypatch, lambda a: 2.0 * a, (lambda y, a: 2.0 if held else 2.0,), name="own")


def named(x, name):
    x.label = name
    return x


def scoped(x, scope):
    x.scope = scope
    return x


def without_gradient(x, y):
    with ag.no_grad():
        return x * y


def lined(x, y):
    with ag.record_lines():
        return x * y


def passed(y):
    y.backward()
    return y


def slope(f, x):
    """A derivative as a node."""
    return ag.grad(lambda a: ag.grad(f)(a) * 1.0)(x)


# -- what it looks at ---------------------------------------------------------------------------------

LEFT_OUT = {
    "a leaf": lambda x, y: x, "with a label": lambda x, y: named(x, "x"), "detached": lambda x, y: x.detach(),
    "made with a label": lambda x, y: Value(1.0, "x"), "scope": lambda x, y: scoped(x * y, ["layer"]),
    "+": lambda x, y: x + y, "+ 1": lambda x, y: x + 1, "2 **": lambda x, y: 2 ** x,
    "exp": lambda x, y: x.exp(),
    "dot": lambda x, y: ag.dot([x, 1.0], [y, y]), "softmax": lambda x, y: ag.softmax([x, y, 1.0])[2],
    "where": lambda x, y: ag.where(ag.greater(x, y), x, y), "an int": lambda x, y: ag.sum([x, 1, y]),
    "of a constant": lambda x, y: x.detach() * 2.0, "no_grad": lambda x, y: without_gradient(x, y),
    "a neuron": lambda x, y: nn.Neuron(2)([x, y]), "a weight": lambda x, y: nn.MLP(2, [2, 1]).parameters()[0],
    "later": lambda x, y: ag.log((x + 3.0) * y.exp()) / 2.0, "a copy": lambda x, y: copy.deepcopy(x * y),
    "a labelled copy": lambda x, y: copy.deepcopy(named(x, "x")) * 2.0, "line": lambda x, y: lined(x, y),
    "unpickled": lambda x, y: pickle.loads(pickle.dumps(ag.dot([x, y], [y, x]))),
    "a label of another kind": lambda x, y: named(x, Name("x")), "after backward": lambda x, y: passed(x * y)}


@compiled_build
@pytest.mark.parametrize("kind", LEFT_OUT)
def test_it_does_not_look_at_a_node_made_from_numbers_and_such_nodes_by_an_op_of_the_table(kind):
    node = LEFT_OUT[kind](Value(0.5), Value(0.25))
    assert type(node) is Value and not gc.is_tracked(node)
    assert not any(map(gc.is_tracked, node.operands))
    assert len(node.operands) < 3 or not gc.is_tracked(node.operands)


@compiled_build
@pytest.mark.parametrize("name", TABLE)
def test_it_looks_at_no_node_of_the_table(name):
    op = TABLE[name]
    n = 3 if op.open else op.least
    for kinds in ("v" * n, "v" + "f" * (n - 1), "f" * (n - 1) + "v"):
        operands = [Value(0.5) if kind == "v" else 0.25 for kind in kinds]
        try:
            y = op(*operands)
        except ag.AutogradError:
            continue
        assert not gc.is_tracked(y) and not gc.is_tracked(y + 1.0) and not gc.is_tracked(op)


def test_it_looks_at_what_may_refer_to_anything_and_at_all_that_is_made_from_it(monkeypatch):
    x, own = Value(0.5), own_op(monkeypatch)
    nodes = [own(x), own(own(x)), x * Constant(3.0, lambda m: m.mpf(3)), copy.copy(own(x)),
             copy.deepcopy(own(x)), nn.Neuron(1, scope=(Name("s"),))(x)]
    assert all(map(gc.is_tracked, nodes))
    ways = [ag.exp, lambda a: a * x, lambda a: x - a, lambda a: ag.dot([x, a], [x, 1.0]), copy.deepcopy,
            lambda a: ag.where(ag.greater(x, 0.0), x, a)]
    later = [f(a) for a in nodes for f in ways]
    assert all(map(gc.is_tracked, later)) and all(gc.is_tracked(y * 2.0) for y in later)


def test_it_looks_at_a_node_with_a_guard():
    x = Value(0.5)
    y = x / Value(2.0)
    guarded = [z for z in (rule(y, x, Value(2.0)) for rule in TABLE["/"].rules) if note_of(z).guards]
    assert guarded and all(gc.is_tracked(z) and gc.is_tracked(z * 2.0) for z in guarded)
    for z in guarded:                           # (newer than what the guard refers to: no cycle)
        assert all(a is not z for guard in note_of(z).guards for a in guard.operands)


@compiled_build
def test_names_are_plain_strs():
    x, y = named(Value(1.0), Name("x")), scoped(Value(1.0), (Name("a"), "b"))
    ag.label({Name("z"): x})
    assert [type(label.name) for label in note_of(x).labels] == [str, str] and x.label == "x"
    assert [type(name) for name in y.scope] == [str, str] and y.scope == ("a", "b")


# -- cycles are found ---------------------------------------------------------------------------------

def through_an_op(monkeypatch, thing):
    held = [thing]
    with monkeypatch.context() as patch:
        x = Value(1.0)
        held.append(own_op(patch, held)(x * 2.0) + x)


def through_a_rule_made_quick(monkeypatch, thing):
    held = [thing]
    with monkeypatch.context() as patch:
        own = own_op(patch, held)
        held.extend([own(own(Value(1.0)) * 2.0) for _ in range(3)])


def through_a_label(monkeypatch, thing):
    x, name = Value(1.0), Name("x")
    name.held = [thing, x * 2.0]
    x.label = name


def through_labels(monkeypatch, thing):
    x, name = Value(1.0), Name("x")
    name.held = [thing, x * 2.0]
    ag.label({name: x})


def through_a_scope(monkeypatch, thing):
    x, name = Value(1.0), Name("s")
    name.held = [thing, x * 2.0]
    x.scope = [name]


def through_a_neuron(monkeypatch, thing):
    name = Name("s")
    neuron = nn.Neuron(1, scope=(name,))
    name.held = [thing, neuron, neuron(Value(1.0)) * 2.0]


def through_branches(monkeypatch, thing):
    held, x = [thing], Value(1.0)
    held.append(ag.select(ag.greater(x, 0.0), lambda: held and x * 2.0, lambda: x))


def through_an_object(monkeypatch, thing):
    thing.node = Value(2.0) * 3.0
    thing.me = [thing, thing.node.exp()]


def through_a_copy(monkeypatch, thing):
    held = [thing, Value(1.0) * 2.0]
    held.append(held)
    copy.deepcopy(held), copy.deepcopy(held[1])


def through_a_copied_op(monkeypatch, thing):
    held = [thing]
    with monkeypatch.context() as patch:
        held.append(copy.deepcopy(own_op(patch, held)(Value(1.0)) * 2.0).exp())


def through_a_custom_loop(monkeypatch, thing):
    def step(x):
        return thing and step and x * 2.0
    thing.all = [step, step(Value(1.0))]


def in_a_thread(monkeypatch, thing):
    thread = threading.Thread(target=through_an_op, args=(monkeypatch, thing))
    thread.start()
    thread.join()


CYCLES = [through_an_op, through_a_rule_made_quick, through_a_label, through_labels, through_a_scope,
          through_a_neuron, through_branches, through_an_object, through_a_copy, through_a_copied_op,
          through_a_custom_loop, in_a_thread]


@pytest.mark.parametrize("made", CYCLES, ids=lambda made: made.__name__)
def test_a_cycle_is_found_whatever_it_passes_through(monkeypatch, made):
    gc.disable()
    try:
        thing = Thing()
        watched = weakref.ref(thing)
        made(monkeypatch, thing)
        del thing
        gc.collect()
        assert watched() is None
    finally:
        gc.enable()


# -- and nothing else changes -------------------------------------------------------------------------

no = ag.greater(Value(1.0), 2.0)


@pytest.mark.parametrize("step", [
    lambda x: x + 1.0, lambda x: 1.0 * x, lambda x: x - x, lambda x: ag.sum([x, 1.0, 2.0]),
    lambda x: ag.where(no, 0.0, x), lambda x: named(x + 1.0, "y")])
@pytest.mark.parametrize("tracked", [False, True])
def test_a_chain_of_a_million_nodes_is_deleted(monkeypatch, step, tracked):
    x = own_op(monkeypatch)(Value(0.0)) if tracked else Value(0.0)
    for _ in range(1_000_000 if step(x).op in "+*-" else 200_000):
        x = step(x)
    blocks = sys.getallocatedblocks()
    del x
    assert sys.getallocatedblocks() < blocks - 200_000


def test_a_collection_at_every_turn_changes_nothing(monkeypatch, always):
    own, found = own_op(monkeypatch), set()
    for _ in range(20):
        x, y = Value(0.5, "x"), Value(0.25)
        z = ag.dot([x, y, 1.0], [y, own(x), x]) + sum(ag.softmax([x, y])) * ag.logsumexp([x, own(y)])
        z = ag.where(ag.greater(z, 0.0), z, x) + copy.deepcopy(z) + pickle.loads(pickle.dumps(x * y))
        z.backward()
        assert abs(slope(lambda a: a ** 3.0 / own(a), 2.0) - 1.0) < 1e-9
        found.add((z.data, x.grad, y.grad))
    assert len(found) == 1


def test_memory_does_not_grow_over_a_thousand_steps_of_training():
    model = nn.MLP(2, [4, 1])
    sizes = []
    for i in range(1_001):
        loss = (model([0.5, -0.5]) - 1.0) ** 2 + 1e-4 * ag.dot(model.parameters(), model.parameters())
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.01 * p.grad
        if i in (500, 1_000):
            gc.collect()
            sizes.append(sys.getallocatedblocks())
    assert sizes[1] - sizes[0] < 100


def test_threads_record_and_delete_while_others_collect():
    x, results, done = Value(0.5), [], threading.Event()

    def work():
        for _ in range(100):
            y = x
            for _ in range(100):
                y = ag.sum([y * 0.5, x, 1.0]) / 2.0
            results.append(y.data)

    def collect():
        while not done.is_set():
            gc.collect(0)
    threads = [threading.Thread(target=work) for _ in range(4)]
    collector = threading.Thread(target=collect)
    for thread in (collector, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    collector.join()
    assert len(results) == 400 and len(set(results)) == 1


class Pair(Operators):
    """A number of a kind that is derived in Python, with a slot of its own."""

    __slots__ = ("numbers",)


def test_copies_of_other_kinds_of_numbers_are_whole():
    pair = Pair()
    pair.numbers = [1.0, 2.0]
    for again in (copy.copy(pair), copy.deepcopy(pair), pickle.loads(pickle.dumps(pair))):
        assert type(again) is Pair and again is not pair and again.numbers == [1.0, 2.0]


@pytest.mark.parametrize("name", ["methods", "operators"])
def test_what_is_compiled_for_other_kinds_of_numbers_leaves_copies_to_python(name):
    path = ROOT / "autograd_lite" / "ops" / f"{name}.py"
    made = getattr(native, f"{name}_source")(path.read_text(encoding="utf-8"))
    body = next(x for x in ast.parse(made).body if isinstance(x, ast.ClassDef)).body
    assert "__getstate__" in {x.name for x in body if isinstance(x, ast.FunctionDef)}
    assert all([isinstance(x.targets[0], ast.Name) for x in body if isinstance(x, ast.Assign)])


def test_a_build_from_c_that_mypyc_writes_differently_fails():
    with pytest.raises(LookupError, match="nothing like"):
        native.c_source("int main(void) { return 0; }")
