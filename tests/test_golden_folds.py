"""Which nodes of large graphs are shown and which are in boxes, for graphs of many shapes."""
from __future__ import annotations

import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import Value, label
from autograd_lite.drawing.folding import Folding, _circles, _common
from autograd_lite.drawing.sketch import Sketch


def weights(n, scope=()):
    """A dot product with an array, in which an operand in the middle is computed."""
    w = [Value(float(k), f"w[{k}]") for k in range(n)]
    root = ag.dot(w[:-1] + [w[-1] * 2.0], [1.0] * n)
    for node in (*w, root):
        node.scope = scope
    return [root]


def chain(n, inputs=1, every=0, name="x"):
    """A long computation, from one leaf or several at its start."""
    xs = [Value(1.0, name and f"{name}{k}") for k in range(inputs)]
    y = xs[0]
    for x in xs[1:]:
        y = y * x
    for k in range(n):
        y = ag.sin(y)
        if every and k % every == 0:
            y = y + xs[0]
    return [y]


def ladder(n, rails):
    """Chains beside each other that meet at the end."""
    ys = [Value(1.0, f"x{k}") for k in range(rails)]
    for _ in range(n):
        ys = [ag.sin(y) for y in ys]
    return [ag.sum(ys)]


def scoped(outer, inner, leaves=2):
    """Scopes in scopes, each with leaves and a chain of results."""
    x = Value(0.5, "x")
    parts = []
    for i in range(outer):
        for j in range(inner):
            w = [Value(1.0, f"w[{k}]") for k in range(leaves)]
            y = ag.sin(ag.dot([x, *w], [1.0] * (leaves + 1)))
            for node in (*w, y, y.operands[0]):
                node.scope = (f"layer {i}", f"unit {j}")
            parts.append(y)
        x = ag.sum(parts[-inner:])
        x.scope = (f"layer {i}",)
    return [x]


def rounds(n):
    """Scopes that go on in turn."""
    ys = [Value(1.0) for k in range(n)]
    for _ in range(3):
        ys = [ag.sin(y) for y in ys]
        for k, y in enumerate(ys):
            y.scope = (f"scope {k}",)
    return [ag.sum(ys)]


def chains():
    """Long computations in two scopes."""
    y = Value(1.0, "x")
    for scope in ("first", "second"):
        for _ in range(20):
            y = ag.sin(y)
            y.scope = (scope,)
    return [y * 2.0]


def sharing():
    """A scope that needs another, which uses a leaf of it."""
    x = Value(0.5, "x")
    y = ag.sin(x)
    z = ag.sin(ag.sin(y))
    for scope, nodes in {"a": (x, z), "b": (y, z.operands[0])}.items():
        for node in nodes:
            node.scope = (scope,)
    return [z * 2.0]


def circle():
    """Scopes each of which needs the other."""
    x = Value(0.5, "x")
    for k in range(6):
        x = ag.sin(x)
        x.scope = ("even" if k % 2 else "odd", "same")
    y = ag.sin(x)
    y.scope = ("even",)
    return [y * 2.0]


def wide(n, late=False):
    """A sum of many terms that are computed, and a chain behind it."""
    y = ag.sum([ag.sin(ag.sin(Value(float(k), f"x{k}"))) for k in range(n)])
    for _ in range(6 * late):
        y = ag.sin(y)
    return [y]


def several(n):
    """Several roots, of which some use others."""
    x = Value(0.5, "x")
    roots = [ag.sin(x)]
    for _ in range(n):
        roots.append(ag.sin(ag.sin(roots[-1])))
    return [*roots, roots[0] * 2.0]


def named(*names):
    leaves = [Value(1.0, name) for name in names]
    return [ag.sum(leaves)]


def fan(n, uses):
    """A node that many use, at different distances from the end."""
    x = Value(0.5, "x")
    y, total = ag.sin(x), Value(0.0, "0")
    for k in range(n):
        total = ag.sin(total) + (y if k in uses else 1.0)
    return [total]


GRAPHS = {
    "an array of 5": (lambda: weights(5), [1, 3, 8, 9, 12, 13]),
    "an array of 40": (lambda: weights(40), [4, 11, 12, 13, 17, 18, 24, 31, 32, 33, 60]),
    "an array in a scope": (lambda: weights(40, ("net", "unit")), [2, 12, 24, 40]),
    "an array of 12": (lambda: named(*[f"w[{k}]" for k in range(12)]), [71, 72]),
    "an array of 13": (lambda: named(*[f"w[{k}]" for k in range(13)]), [72, 78]),
    "no array": (lambda: named("a", "b", "x[0]", "x[1]", "y", "z"), [2, 6, 8]),
    "no names": (lambda: named("a", "", "", "", "", "z"), [6, 8]),
    "a chain": (lambda: chain(50), [1, 3, 4, 8, 9, 12, 13, 14, 18, 50]),
    "a chain from several": (lambda: chain(50, 4), [8, 12, 16, 20, 24]),
    "a chain that needs its start": (lambda: chain(40, 1, 4), [8, 12, 13, 14, 20, 30]),
    "a chain from a leaf without a name": (lambda: chain(50, 1, 0, ""), [1, 3, 8]),
    "two chains": (lambda: ladder(20, 2), [8, 12, 16, 24]),
    "three chains": (lambda: ladder(20, 3), [16, 24, 32]),
    "five chains": (lambda: ladder(20, 5), [8, 16, 24, 32]),
    "scopes": (lambda: scoped(2, 3), [1, 2, 3, 4, 5, 9, 12, 17, 30]),
    "eight scopes": (lambda: scoped(1, 8), [10, 12, 40]),
    "nine scopes": (lambda: scoped(1, 9), [4, 10, 12, 40, 200]),
    "nine scopes, one result of each after the other": (lambda: rounds(9), [12]),
    "chains in two scopes": (chains, [12, 16, 20, 24, 40]),
    "scopes that share a leaf": (sharing, [2, 3, 4]),
    "ten scopes, of many more": (lambda: scoped(1, 10), [12, 199, 200]),
    "scopes of many leaves": (lambda: scoped(1, 2, 12), [12, 24, 30]),
    "scopes of a circle": (circle, [1, 3, 4, 6]),
    "a wide sum": (lambda: wide(20), [8, 12, 16, 24, 36]),
    "a wide sum, then a chain": (lambda: wide(20, True), [8, 12, 16, 24]),
    "nine operands": (lambda: wide(9), [6, 12, 16]),
    "eight operands": (lambda: wide(8), [6, 12, 16]),
    "several roots": (lambda: several(3), [1, 2, 4, 6]),
    "ten roots": (lambda: several(10), [2, 4, 8, 12]),
    "a node that is used at the end and far from it": (lambda: fan(20, (0, 19)), [8, 12, 18]),
    "a node that is used near the end": (lambda: fan(20, (18, 19)), [8, 12, 18]),
    "a node that is used at the end and near it": (lambda: fan(30, (27, 29)), range(8, 15)),
}


def told(places):
    """Places as ranges."""
    found = []
    for k in places:
        if found and k == found[-1][1] + 1:
            found[-1][1] = k
        else:
            found.append([k, k])
    return " ".join([f"{a}" if a == b else f"{a}–{b}" for a, b in found])


def folded(make, mosts):
    """For each size of a picture the places that are shown, and each box."""
    def text():
        lines = []
        for most in mosts:
            sketch = Sketch(make())
            folding = Folding(sketch, most)
            shown = [k for k in sketch.links if folding.fold_of(k) is None]
            lines.append(f"{most} of {len(sketch.nodes)}: {told(shown)}")
            lines += [f"    {'/'.join(fold.scope)} [{fold.name}] {told(fold.places)}"
                      for fold in folding.folds]
        return "\n".join(lines)
    return text


NAME = "folds"
CASES = {name: folded(make, mosts) for name, (make, mosts) in GRAPHS.items()}


@pytest.mark.parametrize("case", CASES)
def test_what_is_shown_is_what_is_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


def test_no_box_stands_for_one_leaf_between_others_that_are_shown():
    for n in range(2, 30):
        for most in range(8, 60):
            for box in Folding(Sketch(named(*[f"x[{k}]" for k in range(n)])), most).folds:
                assert len(box.places) > 1


@pytest.mark.parametrize("scopes, expected", [
    ([("a", "b"), ("a", "c")], ("a",)), ([("a", "b"), ("a", "b", "c")], ("a", "b")), ([("a",), ()], ()),
    ([("a", "b", "c"), ("a", "b", "c")], ("a", "b", "c")), ([("b",), ("a",)], ())])
def test_the_scope_of_what_is_joined_is_all_that_the_scopes_share(scopes, expected):
    assert _common(scopes) == expected


def reached(after, start):
    found, todo = {start}, [start]
    while todo:
        new = {*after[todo.pop()]} - found
        found |= new
        todo += new
    return found


@pytest.mark.parametrize("seed", range(40))
def test_circles_are_the_sets_of_what_depends_on_each_other_and_come_after_what_they_depend_on(seed):
    import random
    draw = random.Random(seed)
    n = draw.randint(1, 9)
    after = {k: draw.sample(range(n), draw.randint(0, min(n, 3))) for k in range(n)}
    ways = {k: reached(after, k) for k in range(n)}
    circles = _circles(after)
    assert sorted(map(sorted, circles)) == sorted(map(list, {
        tuple(sorted(x for x in ways[k] if k in ways[x])) for k in range(n)}))
    seen: set[int] = set()
    for circle in circles:
        assert all(ways[k] <= seen | {*circle} for k in circle)
        seen |= {*circle}


def test_a_box_holds_its_nodes_in_their_order_and_says_of_which_scope_it_is_all():
    root, = scoped(2, 3)
    label(root=root)
    for most in (2, 4, 12):
        for box in Folding(Sketch([root]), most).folds:
            assert list(box.places) == sorted(box.places)
            assert box.nodes == [Sketch([root]).nodes[k] for k in box.places]
            assert not box.inner or all(node.scope[:len(box.inner)] == box.inner for node in box.nodes)
