"""What a picture shows of a graph: one sample, boxes that are opened a level at a time, a focus, rows."""
from __future__ import annotations

import functools
import itertools
import math
import random
import re
import time
from collections.abc import Iterable
from itertools import pairwise

import pytest
from graphs import computations, recorded
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import InputError, LabelError, Value
from autograd_lite.document import Network
from autograd_lite.drawing.engine import run
from autograd_lite.drawing.focus import Paths
from autograd_lite.drawing.folding import Fold
from autograd_lite.drawing.rows import Rows
from autograd_lite.drawing.sketch import Sketch
from autograd_lite.drawing.view import CROWD, View
from autograd_lite.graph.walks import topological
from autograd_lite.nn import MLP


def batch(count: int, sizes: Iterable[int] = (4, 4, 1), inputs=lambda x: x, total=sum) -> Value:
    draw = random.Random(1)
    model = MLP(2, sizes, activation="tanh")
    return total([(model([inputs(draw.random()) for _ in range(2)]) - draw.random()) ** 2
                  for _ in range(count)])


def own_neurons(count: int, sizes: Iterable[int]) -> Value:
    """The loss of a network as people write it themselves: no scopes, no labels, products and sums."""
    draw = random.Random(1)
    layers, n = [], 2
    for size in sizes:
        layers.append([([Value(draw.random()) for _ in range(n)], Value(0.0)) for _ in range(size)])
        n = size
    loss = 0
    for _ in range(count):
        xs = [draw.random(), draw.random()]
        for layer in layers:
            xs = [ag.tanh(sum([w * x for w, x in zip(ws, xs)], b)) for ws, b in layer]
        loss = loss + (xs[0] - draw.random()) ** 2
    return loss


def chain(length: int) -> Value:
    y = Value(0.5, "x")
    for _ in range(length):
        y = ag.sin(y)
    return y


def sizes(view: View) -> tuple[int, int]:
    """How many nodes are shown, and in boxes."""
    return len(view.shown), sum(len(fold.nodes) for fold in view.folds)


# -- samples -----------------------------------------------------------------------------------


@pytest.mark.parametrize("total", [sum, ag.sum, ag.mean, lambda terms: ag.mean(terms) + 1.0, ag.logsumexp,
                                   lambda terms: ag.dot(terms, [0.25] * 4)])
@pytest.mark.parametrize("inputs", [float, Value, lambda x: Value(x, "in", requires_grad=False)])
def test_of_samples_one_is_drawn_whatever_sums_them_and_whatever_their_inputs_are(total, inputs):
    root, one = batch(4, inputs=inputs, total=total), batch(1, inputs=inputs, total=lambda terms: terms[0])
    view = View([root], 1000)
    extra = len(topological([root])) - 4 * (len(topological([one])) - 41) - 41     # (41 parameters)
    assert sizes(view)[0] - len(topological([one])) in (1, 2, extra)
    assert [edge.times for edges in view.edges.values() for edge in edges].count(4) >= 1
    assert any("1 of 4 samples" in note for note in view.notes)


def test_the_sample_is_chosen_and_all_are_drawn_on_request():
    root = batch(4)
    roots = {tuple(x.data for x in View([root], 1000, sample).shown if x.op == "^" or x.op == "**")
             for sample in range(4)}
    assert len(roots) == 4
    assert sizes(View([root], 1000, "all")) == (len(topological([root])), 0)
    with pytest.raises(InputError, match="sample=4: the graph has 4 samples, 0 … 3"):
        View([root], 1000, 4)
    with pytest.raises(InputError, match="sample=1: the graph has one sample"):
        View([Network().graph()], 1000, 1)


def test_small_graphs_are_drawn_whole_and_small_samples_on_request():
    w = Value(2.0, "w")
    root = sum((w * x).exp() for x in (1.0, 2.0, 3.0))
    assert sizes(View([root], 100)) == (len(topological([root])), 0)
    assert sizes(View([root], 100, 0)) == (4, 0)


@pytest.mark.parametrize(("first", "step", "times"), [
    (0.0, lambda total, x: total - x, 6), (Value(0.0, "start"), lambda total, x: total - x, 6),
    (0.0, lambda total, x: total - ag.log(x), 6), (0.0, lambda total, x: -x + total, 6),
    (0.0, lambda total, x: x - total, 3),
    (0.0, lambda total, x, turns=itertools.cycle((1, 0)): total + x if next(turns) else total - x, 3),
    (1.0, lambda total, x: total * x, 6), (1.0, lambda total, x: total / x, 6),
    (1.0, lambda total, x: x * (1.0 * total), 6), (-math.inf, ag.maximum, 6),
    (math.inf, lambda total, x: ag.minimum(x, total), 6), (0.0, ag.hypot, 6),
    (-math.inf, ag.logaddexp, 6), (0.0, lambda total, x: ag.sum([total, x]), 6)])
def test_of_samples_in_a_chain_of_an_op_one_is_drawn(first, step, times):
    root = batch(6, total=lambda terms: ag.atan(functools.reduce(step, terms, first)))
    root.backward()
    view = View([root], 1000, 1)
    several = [(head, edge) for head, edges in view.edges.items() for edge in edges if edge.times > 1]
    assert {edge.times for _, edge in several} == {times}
    assert any(f"1 of {times} samples" in note for note in view.notes)
    for head, edge in several:                                  # (what flows is what `backward` has added)
        assert edge.source.grad == pytest.approx(head.grad * edge.partial, rel=1e-12)


@pytest.mark.parametrize("loss", [
    lambda logits, y: -ag.log_softmax(logits)[y], lambda logits, y: ag.logsumexp(logits) - logits[y],
    lambda logits, y: -ag.log(ag.softmax(logits)[y]),
    lambda logits, y: ag.sum([ag.relu(1.0 + x - logits[y]) for i, x in enumerate(logits) if i != y]),
    lambda logits, y: -ag.log(ag.exp(logits[y]) / ag.sum([ag.exp(x) for x in logits]))])
@pytest.mark.parametrize("total", [lambda terms: ag.mean(terms), lambda terms: sum(terms) / len(terms)])
def test_samples_of_other_classes_are_computed_alike(loss, total):
    draw, model = random.Random(1), MLP(2, (4, 3))
    root = total([loss(model([draw.random() for _ in range(2)]), i % 3) for i in range(5)])
    view = View([root], 1000)
    assert any("1 of 5 samples" in note for note in view.notes)
    assert all(edge.times in (1, 5) for edges in view.edges.values() for edge in edges)


def test_what_is_the_same_in_each_sample_belongs_to_them():
    w = Value(0.1, "w")
    margins = [ag.relu(w * x - 1.0) for x in range(5)]
    assert sizes(View([sum(margins)], 1000, 0))[0] < 10         # (each is 0)
    mu, sigma, draw = Value(0.3, "mu"), Value(1.2, "sigma"), random.Random(1)
    likelihood = 1.0
    for _ in range(8):
        likelihood = likelihood * ag.exp(-((draw.random() - mu) / sigma) ** 2 / 2.0) / (2.5066 * sigma)
    assert sizes(View([likelihood], 1000))[0] == 10


def test_parameters_that_change_roles_are_no_samples_of_the_same():
    a, b = Value(0.3, "a"), Value(1.2, "b")
    for terms in (lambda x: [ag.sin(a * x) * ag.cos(b * x), ag.sin(b * x) * ag.cos(a * x)],
                  lambda x: [a * ag.sin(x) + b * ag.cos(x), b * ag.sin(x) + a * ag.cos(x)],
                  lambda x: [(a - b * x) ** 2, (b - a * x) ** 2, (a - b * x * 3.0) ** 2]):
        root = ag.sum(terms(2.0))
        assert sizes(View([root], 1000, 0)) == (len(topological([root])), 0)


_unlike = ag.custom_op(lambda a, b: a + 2.0 * b, (lambda y, a, b: 1.0, lambda y, a, b: 2.0), name="unlike")


@pytest.mark.parametrize("op", [ag.atan2, _unlike, lambda a, b: a ** b, lambda a, b: a - b,
                                lambda a, b: a / b, lambda a, b: ag.where(a > b, a, b), lambda a, b: a % b])
def test_operands_that_count_otherwise_are_no_samples_of_the_same(op):
    w = Value(2.0, "w")
    root = op((w * 0.5).exp(), (w * 1.5).exp())
    assert sizes(View([root], 100, 0)) == (len(topological([root])), 0)


@pytest.mark.parametrize("make", [
    lambda w: [w[0] * 1.0 + w[1], w[0] * w[1], w[0] - w[1]],                # other operations
    lambda w: [w[0] * w[1], w[0] * w[2], w[0] * w[3]],                      # other parameters
    lambda w: [Value(1.0) ** 2, Value(2.0) ** 2, Value(3.0) ** 2],          # nothing that they share
    lambda w: [(a := w[0] * 2.0), a * 2.0, a * 2.0 * 2.0],                  # each depends on the one before
    lambda w: [w[1] * 2.0, w[1] * 2.0, w[1] * 2.0],                         # the same numbers
], ids=["operations", "parameters", "nothing shared", "in a row", "the same"])
def test_what_is_computed_otherwise_is_no_sample_of_the_same(make):
    w = [Value(float(i), f"w{i}") for i in range(4)]
    root = ag.sum(make(w))
    assert sizes(View([root], 100, 0)) == (len(topological([root])), 0)


def test_a_sample_of_66_thousand_nodes_is_found_at_once():
    root = own_neurons(100, (16, 16, 1))
    view = View([root], 100)
    assert view.total > 60_000 and any("1 of 100 samples" in note for note in view.notes)
    assert 10 < len(view.edges) <= 100


def test_terms_that_a_sum_has_twice_take_no_longer_each_the_more_there_are():
    def seconds(count: int) -> float:
        x = Value(0.5)
        root = ag.sum([x * (0.1 * i) for i in range(count)] * 2)
        start = time.process_time()
        View([root], 100)
        return time.process_time() - start

    assert min(seconds(16_000) for _ in range(3)) < 24 * min(seconds(2_000) for _ in range(3))


def test_terms_of_a_chain_that_are_not_alike_take_no_longer_each_the_more_there_are():
    def seconds(count: int) -> float:
        xs, total = [Value(0.5 * i) for i in range(count + 1)], 0.0
        for x, y in pairwise(xs):
            total = total - ag.sin(x * y)
        start = time.process_time()
        View([total], 100)
        return time.process_time() - start
    assert seconds(2000) < 20 * max(seconds(400), 0.01)


@settings(max_examples=50, deadline=None)
@given(computations(max_ops=30), st.integers(2, 5), st.integers(0, 1))
def test_the_sample_that_is_drawn_is_all_of_one(recipe, count, sample):
    """Each node that is drawn belongs to what one sample computes."""
    w = Value(0.75, "w")
    terms = []
    for i in range(count):
        _, results = recorded(recipe)
        terms.append(results[-1] * (w * float(i)))
    assume(len({term.data for term in terms}) > 1)
    root = ag.sum(terms)
    view = View([root], 10_000, sample)
    assert {id(x) for x in view.shown} == {id(x) for x in (*topological([terms[sample]]), root)}


# -- folding ----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda: batch(3), lambda: chain(3000), lambda: own_neurons(1, (9, 9, 1)),
                                  lambda: batch(2, (40, 30, 1)), Network().graph,
                                  lambda: ag.sum([ag.sin(Value(float(i), f"x{i}")) for i in range(3000)])])
@pytest.mark.parametrize("most", [1, 2, 5, 12, 30, 60, 100, 400])
def test_no_node_is_lost_and_no_more_are_shown_than_the_picture_holds(make, most):
    root = make()
    view = View([root], most, "all")
    shown, folded = sizes(view)
    assert shown + folded == len(topological([root])) == view.total
    assert shown <= most
    assert root in view.shown
    order = {id(item): i for i, item in enumerate(view.edges)}
    assert all(order[id(edge.source)] < order[id(head)] for head in view.edges for edge in view.edges[head]
               if isinstance(edge.source, Value | Fold))


def test_levels_are_opened_as_far_as_the_picture_holds():
    root = batch(1, total=lambda terms: terms[0])

    def names(most):
        return sorted(fold.name for fold in View([root], most).folds)

    layers = [f"layers[{i}]" for i in range(3)]
    assert names(8) == layers
    assert [re.sub(r"\d+", "", name) for name in names(16)] == ["neurons[]"] * 9
    assert names(100) == []


def test_the_budget_is_used():
    root = batch(1, total=lambda terms: terms[0])
    total = len(topological([root]))
    assert len(View([root], total).shown) == total and len(View([root], total - 1).shown) < total


def test_of_many_leaves_and_of_many_terms_the_first_and_the_last_are_shown():
    xs = [Value(float(i), f"x[{i}]") for i in range(1000)]
    view = View([ag.sum([ag.sin(x) for x in xs])], 100)
    assert [x.label for x in view.shown if x.label] == [f"x[{i}]" for i in (*range(4), *range(996, 1000))]
    assert [len(fold.nodes) for fold in view.folds] == [992, 992]
    assert "x[4] to x[995]" in {fold.name for fold in view.folds}


def test_scopes_that_depend_on_each_other_are_one_box():
    x = Value(0.5, "x")
    for i in range(200):
        x = ag.sin(x) if i % 2 else ag.cos(x)
        x.scope = ("ab"[i // 2 % 2],)
    view = View([x * 2.0], 20)
    assert len(view.folds) == 1 and sum(sizes(view)) == 202


def test_a_dense_graph_is_folded_until_dot_can_draw_it():
    xs = [Value(1.0, "x")]
    for _ in range(150):
        xs.append(ag.mean(xs))
    assert sum(map(len, View(xs[-1:], 200).edges.values())) < 200


# -- focus ---------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(computations(max_ops=12), st.data())
def test_the_paths_to_a_node_carry_its_gradient_the_strongest_first(recipe, data):
    leaves, results = recorded(recipe)
    root = results[-1]
    focus = data.draw(st.sampled_from(topological([root])))
    sketch = Sketch([root])
    paths = Paths(sketch, sketch.place(focus))
    found = list(paths.strongest())
    carried = [size for size, _ in found]
    assert all(a >= b - 1e-9 for a, b in pairwise(carried))

    def walk(node):                             # all paths, by brute force
        if node is focus:
            yield 1.0
        else:
            for x, p in zip(node.operands, node.partials):
                if isinstance(x, Value):
                    for rest in walk(x):
                        yield abs(p) * rest
    sizes = sorted(walk(root), reverse=True)
    assert len(carried) == len(sizes)
    assert [math.exp(size) if size > -1e9 else 0.0 for size in carried] == pytest.approx(sizes, rel=1e-9)
    if sum(sizes) > 0.0:
        assert math.exp(paths.total()) == pytest.approx(sum(sizes), rel=1e-9)


def test_a_focus_shows_the_paths_to_it_and_how_many_other_operands_there_are():
    network = Network()
    view = View([network.graph()], 100, focus=network.weights[0])
    assert {x.label for x in view.shown if x.label} == {
        "w1", "neth1", "outh1", "neto1", "neto2", "outo1", "outo2", "E1", "E2", "E"}
    assert view.notes == ["2 paths to w1: 100 % of what all carry, signs aside"]
    (neth1,) = [x for x in view.shown if x.label == "neth1"]
    assert [(edge.source and edge.source.label, edge.times) for edge in view.edges[neth1]] == [
        ("w1", 1), (None, 4)]


@pytest.mark.parametrize("factors", [(0.5, 0.5), (0.3, 0.7), (0.0, 0.0)])
def test_of_endlessly_many_paths_the_strongest_are_found_at_once(factors):
    y = Value(0.1, "x")
    for _ in range(300):
        y = y * factors[0] + y * factors[1]
    (note,) = [note for note in View([y], 2000, focus="x").notes if "path" in note]
    assert "30 paths to x that carry the most; all others together carry far more" in note or not any(factors)


def test_only_as_many_paths_are_shown_as_carry_nearly_all():
    x = Value(2.0, "x")
    strong, weak = x * 1000.0, x * 0.001
    view = View([strong + weak], 100, focus="x")
    assert strong in view.shown and weak not in view.shown
    assert view.notes == ["1 path to x: 100 % of what all carry, signs aside"]
    view = View([x * 3.0 + x * 2.0], 100, focus="x")
    assert view.notes == ["2 paths to x: 100 % of what all carry, signs aside"]
    view = View([x * 3.0 - x * 2.0], 1, focus="x")      # (more than the gradient, which is their difference)
    assert view.notes[0] == "1 path to x: 60 % of what all carry, signs aside"


def test_of_samples_the_picture_says_what_of_all_it_shows():
    random.seed(1)
    mlp = MLP(1, [2, 1], activation="tanh")
    root = ag.sum([(mlp([0.3 * (k + 1)]) - 1.0) ** 2 for k in range(5)])
    w = mlp.parameters()[0]
    view = View([root], 100, focus=w)
    assert view.notes == [
        "1 of 5 samples is drawn (sample= chooses); what they share has the gradient of all",
        f"1 path to {w.label}: 100 % of what all of this sample carry, signs aside"]


def test_a_focus_leads_to_where_a_gradient_is_not_finite():
    x = Value(0.0, "x")
    with ag.errstate("ignore"):
        bad, good = ag.log(x) * 2.0, x * 1000.0
        root = bad + good
    view = View([root], 100, focus=x)
    assert bad in view.shown


def test_a_focus_that_is_not_there_is_refused():
    root = batch(4)
    with pytest.raises(InputError, match=r"draw: focus=.* is not in the graph"):
        View([root], 100, focus=Value(1.0))
    with pytest.raises(LabelError, match="no node is labelled 'y'"):
        View([root], 100, focus="y")
    other = next(x for x in View([root], 1000, 1).shown if x.op == "tanh")
    with pytest.raises(InputError, match="belongs to another sample; choose sample="):
        View([root], 100, focus=other)


# -- rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [16, 17, 30, 61, 90])
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_a_long_chain_goes_on_in_rows_below_each_other(length, direction):
    root = chain(length)
    view = View([root], 100)
    rows = Rows(view).row
    assert bool(rows) == (length + 1 > 16)
    counts = [list(rows.values()).count(row) for row in set(rows.values())]
    assert all(count <= 12 for count in counts)
    source = ag.draw(root, direction=direction).source
    axis = 3 if direction == "LR" else 2
    lines = map(str.split, run(source, "-Tplain").decode().splitlines())
    places = {line[1]: float(line[axis]) for line in lines if line[0] == "node"}
    ids = {id(item): f"n{i}" for i, item in enumerate(view.edges)}
    by_row = [[places[ids[id(item)]] for item, at in rows.items() if at == row]
              for row in sorted(set(rows.values()))]
    for above, below in pairwise(by_row):
        assert min(above) > max(below) if direction == "LR" else max(above) < min(below)


def test_a_row_ends_where_one_node_alone_leads_on():
    x = Value(0.3, "x")
    for _ in range(20):
        x = 3.7 * x * (1.0 - x)
    view = View([x], 1000)
    rows = Rows(view).row
    for head, edges in view.edges.items():
        sources = {id(edge.source) for edge in edges if isinstance(edge.source, Value)
                   and rows[edge.source] != rows[head]}
        assert len(sources) <= 1
    assert len(set(rows.values())) > 2


def test_what_no_single_node_joins_and_what_has_scopes_stays_in_one_row():
    a, b = Value(0.3), Value(0.4)
    for _ in range(30):
        a, b = a + b, a - b
    assert not Rows(View([a * b], 1000)).row
    root = chain(30)
    root.scope = ("s",)
    assert not Rows(View([root], 1000)).row


# -- a gradient beside ------------------------------------------------------------------------------


def test_a_gradient_stands_beside_its_graph_in_a_cluster():
    x, w = Value(0.5, "x"), Value(2.0, "w")
    y, slope = ag.value_and_grad(lambda x: ag.tanh(w * x) * x)(x)
    view = View([y], 100, gradients=[slope])
    forward = set(map(id, topological([y])))
    assert {view.scope(node) for node in view.shown if id(node) in forward} == {()}
    assert {view.scope(node) for node in view.shown if id(node) not in forward} == {("gradient",)}
    source = ag.draw(y, gradients=slope).source
    assert ">gradient<" in source or "<gradient>" in source
    with pytest.raises(InputError, match="gradients: expected a Value"):
        ag.draw(y, gradients=[1.0])


def test_a_crowd_is_more_than_the_document_s_network():
    assert len(topological([Network().graph()])) < CROWD


@pytest.mark.parametrize("labels", [["w[0]", "w[1]"], ["", ""]])
def test_a_leaf_that_is_a_root_is_shown_whatever_it_is_called(labels):
    x, y = [Value(1.0, label) for label in labels]
    assert any(node is y for node in View([ag.cosh(x), y], 1).shown)


@pytest.mark.parametrize("scope", [(), ("a",)])
def test_of_very_many_roots_only_so_many_are_shown_as_the_picture_holds(scope):
    roots = [ag.sin(Value(0.1 * i)) for i in range(400)]
    for root in roots:
        root.scope = scope
    view = View(roots, 30)
    assert sum(sizes(view)) == 800 and len(view.shown) <= 60


@pytest.mark.parametrize("most", [1, 5, 12, 30, 60])
def test_a_root_is_shown_even_if_all_of_its_scope_is_a_box(most):
    model = MLP(2, [12, 12, 3])
    roots = model([1.0, 2.0])
    for some in (roots[:1], roots):
        view = View(some, most)
        assert {id(root) for root in some} <= {id(x) for x in view.shown}
        assert len(view.shown) <= max(most, len(some))
