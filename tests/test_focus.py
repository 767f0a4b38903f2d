"""The paths that carry the most gradient to a node, against all paths; and what is said of them."""
from __future__ import annotations

import itertools
import math
import random

import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.drawing.focus import Paths, focus_on
from autograd_lite.drawing.sketch import Link, Sketch


def graph(seed):
    """A random graph with numbers for operands and nodes of which some are used by nobody but as roots."""
    draw = random.Random(seed)
    nodes = [Value(draw.choice([0.5, 2.0, 3.0])) for _ in range(draw.randint(1, 3))]
    for _ in range(draw.randint(1, 7)):
        kind, a, b = draw.random(), draw.choice(nodes), draw.choice(nodes)
        nodes.append(a * b if kind < 0.3 else a * draw.choice([0.25, -2.0, 1.0]) if kind < 0.6 else
                     a - b if kind < 0.8 else 1.5 + a if kind < 0.9 else a * 0.0)
    return nodes, [nodes[-1], *draw.sample(nodes, draw.randint(0, 2))]


def ways(sketch, k, focus):
    """All paths from a node down to another, and the product of the partials along each."""
    found = [(1.0, [k])] if k == focus else []
    node = sketch.nodes[k]
    for link, p in zip(sketch.links[k], node.partials):
        if k != focus and link.tail is not None:
            found += [(p * carried, [k, *places]) for carried, places in ways(sketch, link.tail, focus)]
    return found


@pytest.mark.parametrize("seed", range(150))
def test_the_paths_are_all_there_are_the_strongest_first_with_what_each_carries(seed):
    nodes, roots = graph(seed)
    sketch = Sketch([root for k, root in enumerate(roots) if root not in roots[:k]])
    for focus in range(len(sketch.nodes)):
        paths = Paths(sketch, focus)
        every = [way for root in sketch.roots for way in ways(sketch, root, focus)]
        found = [(math.exp(carried), places) for carried, places in paths.strongest()]
        key = lambda way: (way[1], round(abs(way[0]), 9))                          # noqa: E731
        assert sorted(map(key, found)) == sorted(map(key, every))
        carried = [carried for carried, _ in paths.strongest()]
        assert all(a >= b - 1e-9 * abs(b) - 1e-9 for a, b in itertools.pairwise(carried))
        total = sum(abs(way[0]) for way in every)
        assert math.isclose(math.exp(paths.total()), total, rel_tol=1e-12)


def test_a_path_of_a_derivative_that_is_zero_or_not_finite_is_told_from_others_of_its_kind():
    x = Value(2.0, "x")
    with ag.errstate("ignore"):
        root = ag.sum([x * 0.0 * 3.0, x * math.inf, x * 3.0, x * 0.0 * 3.03, x * math.inf * 1.01, x * -4.0])
    sketch = Sketch([root])
    found = [carried for carried, _ in Paths(sketch, sketch.nodes.index(x)).strongest()]
    assert found == pytest.approx([1e6 + math.log(1.01), 1e6, math.log(4.0), math.log(3.0),
                                   -1e12 + math.log(3.03), -1e12 + math.log(3.0)], rel=1e-16, abs=1e-3)


def told(root, focus, most=100, sample=False):
    sketch = Sketch([root])
    place = sketch.place(focus)
    assert place is not None
    focus_on(sketch, place, most, sample)
    return sketch.notes, sketch


def label(name, node):
    node.label = name
    return node


def doubled(x, n):
    for _ in range(n):
        x = x + x
    return x


def weighted(x, *factors):
    """Each factor times x, by a way of its own, and their sum."""
    return ag.sum([x * factor for factor in factors])


X = Value(2.0, "x")
with ag.errstate("ignore"):
    INFINITE = X * math.inf
CASES = [
    (X * 3.0, X, {}, "1 path to x: 100 % of what all carry, signs aside"),
    (X * X, X, {}, "2 paths to x: 100 % of what all carry, signs aside"),
    (X * X, X, {"sample": True}, "2 paths to x: 100 % of what all of this sample carry, signs aside"),
    (Value(1.0), X, {}, None),
    (weighted(X, 90.0, -5.5, 2.5, 2.0), X, {}, "2 paths to x: 95.5 % of what all carry, signs aside"),
    (weighted(X, 90.0, 3.0, 2.5, 2.5, 1.0, 1.0), X, {},
     "3 paths to x: 95.5 % of what all carry, signs aside"),
    (weighted(X, 8.0, 8.0, 4.0), X, {"most": 4}, "2 paths to x: 80 % of what all carry, signs aside"),
    (weighted(X, 8.0, 8.0, 4.0), X, {"most": 1}, "1 path to x: 40 % of what all carry, signs aside"),
    (weighted(X, *[1.0] * 50), X, {}, "30 paths to x: 60 % of what all carry, signs aside"),
    (weighted(X, *[1.0] * 200), X, {"most": 3},
     "the 1 path to x that carries the most; all others together carry far more"),
    (weighted(X, *[1.0] * 300), X, {"most": 4},
     "the 2 paths to x that carry the most; all others together carry far more"),
    (doubled(X, 13), X, {}, "the 30 paths to x that carry the most; all others together carry far more"),
    (doubled(X, 11), X, {}, "30 paths to x: 1.5 % of what all carry, signs aside"),
    ((leaf := Value(1.0)) * 2.0, leaf, {}, "1 path to the leaf: 100 % of what all carry, signs aside"),
    ((node := ag.sin(X)) * 2.0, node, {}, "1 path to sin: 100 % of what all carry, signs aside"),
    (label("s", named := ag.sin(X)) * 2.0, named, {}, "1 path to s: 100 % of what all carry, signs aside"),
    (X * 0.0, X, {}, "1 path to x"), (X * 0.0 + X * 0.0, X, {}, "2 paths to x"),
    (X * 0.0 + X, X, {}, "1 path to x: 100 % of what all carry, signs aside"),
    (INFINITE, X, {}, "1 path to x"), (weighted(INFINITE, 2.0, 3.0), X, {}, "2 paths to x"),
    (X * 1e300, X, {}, "1 path to x: 100 % of what all carry, signs aside"),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_it_is_said_how_much_of_the_gradient_the_paths_that_are_drawn_carry(case):
    root, focus, options, expected = CASES[case]
    if expected is None:
        sketch = Sketch([root, focus * 2.0])
        focus_on(sketch, sketch.nodes.index(root), 100, False)
        assert sketch.notes == ["1 path to the leaf: 100 % of what all carry, signs aside"]
        return
    assert told(root, focus, **options)[0] == [expected]


def test_the_operands_beside_the_paths_are_counted_and_numbers_stay():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    a = x * y
    root = ag.sum([a, y, 2.0, a * 0.001, y, 0.5])
    _, sketch = told(root, x)
    assert [sketch.nodes[k] for k in sketch.links] == [x, a, root]
    last = [*sketch.links.values()]
    assert last[0] == [] and [link.tail for link in last[1]] == [0, None]
    assert last[1][1:] == [Link(None, -1, 1)]
    assert [link.tail for link in last[2]] == [sketch.place(a), None, None, None]
    assert [(link.position, link.times) for link in last[2]] == [(0, 1), (2, 1), (5, 1), (-1, 3)]


def test_what_the_focus_is_computed_from_is_not_drawn_but_its_numbers_are():
    x = Value(2.0, "x")
    a = ag.sum([x * 3.0, 1.0, x])
    _, sketch = told(a * 2.0, a)
    links = sketch.links[sketch.place(a)]
    assert [(link.tail, link.times) for link in links] == [(None, 1), (None, 2)]
    assert len(sketch.links) == 2


def test_among_very_many_paths_that_carry_as_much_the_first_is_found_at_once():
    x = Value(2.0, "x")
    notes, sketch = told(doubled(x, 200), x, most=1000)
    assert notes == ["the 30 paths to x that carry the most; all others together carry far more"]
    assert len(sketch.links) == 201
