"""What a picture shows of a graph, held to the letter: samples, boxes, rows, what stands together."""
from __future__ import annotations

import functools
import math
import operator
import re

import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.drawing import samples as view_samples
from autograd_lite.drawing.folding import Fold
from autograd_lite.drawing.groups import crowds, groups
from autograd_lite.drawing.rows import Rows
from autograd_lite.drawing.sketch import Sketch
from autograd_lite.drawing.samples import one_sample
from autograd_lite.drawing.view import Edge, View

XS = (0.5, 1.5, 2.5, 3.5)


def told(view):
    """Notes; then each node and box with its depth, its scope and its edges: of which node, by which partial,
    as which operand, how often."""
    names = {}
    for k, item in enumerate(view.edges):
        kind = f"[{item.name or 'box'} of {len(item.nodes)}]" if isinstance(item, Fold) else (
            item.label or f"{item.op or 'leaf'}{k}")
        names[id(item)] = kind
    lines = list(view.notes)
    for item, edges in view.edges.items():
        scope = "".join(f"/{part}" for part in view.scope(item))
        lines.append(f"{view.depth[item]} {scope}{' ' * bool(scope)}{names[id(item)]} <- " + ", ".join(
            "".join([names.get(id(edge.source), repr(edge.source)), f" ×{edge.times}" * (edge.times > 1),
                     f" ∂{edge.partial:.6g}" if edge.partial is not None else "",
                     f" #{edge.position}", " bundle" * edge.bundle]) for edge in edges))
    return "\n".join(lines)


def viewed(make, most=1000, sample=None, **options):
    return lambda: told(View([make()], most, sample, **options))


# -- samples ------------------------------------------------------------------------------------------


def samples(total, term=lambda w, v, x: w * x, xs=XS):
    """A root that combines what is computed alike of some numbers."""
    w, v = Value(2.0, "w"), Value(-3.0, "v")
    return total([term(w, v, x) for x in xs])


def left(op, start):
    return lambda terms: functools.reduce(op, terms, start)


def used_elsewhere(terms):
    return ag.atan2(ag.sum([ag.exp(x) for x in terms]), terms[1])


def own_first(x):
    """A sample whose own result comes before the weight in the order of the graph."""
    return lambda w: ag.exp(Value(x)) * w if x < 1.0 else Value(x) * w


def fixed(x):
    return Value(x, requires_grad=False)


def inner_roots():
    w = Value(2.0, "w")
    parts = [(w * x).exp() for x in XS]
    some = ag.sum(parts[:2])
    return [ag.sum([some, *parts[2:]]), some]


def nested(labels):
    w = Value(2.0, "w")
    parts = [(w * x).exp() for x in (*XS, 4.5, 5.5)]
    some = parts[0] + parts[1]
    some.label = labels
    return some + parts[2] + parts[3] + parts[4] + parts[5]


def several_sets():
    w = Value(2.0, "w")
    return ag.sum([*[ag.exp(w * x) for x in XS], *[ag.sin(w * x) for x in XS[:3]],
                   *[ag.cos(w * x) for x in XS], w * 1.0])


SAMPLES = {
    **{f"a chain of {op.__name__}": (samples, functools.partial(functools.reduce, op)) for op in (
        operator.add, operator.mul, ag.hypot, ag.maximum, ag.minimum)},
    "sum": (samples, ag.sum), "mean": (samples, ag.mean), "dot": (samples, lambda t: ag.dot(t, [0.25] * 4)),
    "maximum": (samples, left(ag.maximum, -math.inf)), "minimum": (samples, left(ag.minimum, math.inf)),
    "plus": (samples, left(lambda a, b: a + b, 0.0)), "minus": (samples, left(lambda a, b: a - b, 0.0)),
    "minus from the right": (samples, left(lambda a, b: b - a, 0.0)),
    "times": (samples, left(lambda a, b: a * b, 1.0)), "over": (samples, left(lambda a, b: a / b, 1.0)),
    "hypot": (samples, left(ag.hypot, 0.0)), "logaddexp": (samples, left(ag.logaddexp, -math.inf)),
    "negated": (samples, left(lambda a, b: -b + a, 0.0)), "minus a sum": (samples, lambda t: -ag.sum(t)),
    "minus a chain": (samples, lambda t: -(t[0] + t[1] + t[2])),
    "a sum alone": (samples, lambda t: ag.sum([ag.sum(t)])),
    "a sum of sums": (samples, lambda t: ag.sum([ag.sum(t[:2]), ag.sum(t[2:])])),
    "a sum of a number": (samples, lambda t: ag.sum([*t, 0.0, 1.0])),
    "a chain of a number": (samples, lambda t: t[0] + t[1] + 1.0 + t[2] + t[3]),
    "over a product": (samples, lambda t: (t[0] * t[1]) / (t[2] * t[3])),
    "a difference of sums": (samples, lambda t: (t[0] + t[1]) - (t[2] + t[3])),
    "differences and one more": (samples, lambda t: t[0] + t[1] + t[2] + t[3] + ag.sin(Value(1.0)),
                                 lambda w, v, x: w * x - v * (x + 1.0)),
    "differences among them": (samples, lambda t: t[0] + t[1] + t[2] + t[3] + t[4],
                               lambda w, v, x: w * x - v * (x + 1.0) if x > 2.0 else w * x,
                               (0.5, 1.0, 1.5, 2.5, 3.5)),
    "a leaf among them": (lambda: (lambda w: w + w * 0.5 + w * 1.5 + w * 2.5)(Value(2.0, "w")),),
    "leaves and shared results": (lambda: (lambda w: (lambda r: ag.sum([r * Value(x) * w for x in XS]))(
        ag.exp(w * 0.5)))(Value(2.0, "w")),),
    "sums of sums and others": (samples, lambda t: ag.sum([ag.sum([t[0], ag.sin(t[1])]), t[2],
                                                           ag.sin(t[3])])),
    "squares": (samples, ag.sum, lambda w, v, x: (w * x - v) ** 2),
    "own leaves": (samples, ag.sum, lambda w, v, x: w * Value(x)),
    "own leaves without a gradient": (samples, ag.sum, lambda w, v, x: w * fixed(x)),
    "numbers and leaves": (samples, ag.sum, lambda w, v, x: w * (fixed(x) if x in (1.5, 3.5) else x)),
    "own results": (samples, ag.sum, lambda w, v, x: w * ag.exp(fixed(x))),
    "own results of some": (samples, ag.sum, lambda w, v, x: own_first(x)(w)),
    "labelled": (samples, ag.sum, lambda w, v, x: w * Value(x, "x")),
    "another's result": (samples, used_elsewhere),
    "shared results": (samples, lambda t: ag.sum([ag.exp(x) * t[0] for x in t])),
    "other numbers": (samples, ag.sum, lambda w, v, x: w * x + (v if x > 1.0 else w)),
    "the same": (samples, ag.sum, lambda w, v, x: w * 2.0),
    "two and the same": (samples, lambda t: ag.sum([*t, *t])),
    "classes": (samples, lambda t: ag.sum([ag.logsumexp([x, x * 2.0, x * v]) - [x, x * v][k % 2]
                                           for v in [Value(0.5, "u")] for k, x in enumerate(t)])),
    "a chain within": (nested, ""), "a chain with a name": (nested, "some"),
    "several sets": (several_sets,),
}


def sampled(make, *args):
    """The second sample, or that there is but one."""
    made = make(*args)
    roots = made if isinstance(made, list) else [made]
    try:
        return told(View(roots, 1000, 1))
    except ag.InputError as error:
        return f"{error}\n{told(View(roots, 1000, 0))}"


def patience(heads, count, numbers):
    """So many samples below heads of what is not computed alike, for each of which all below is looked at."""
    w = Value(2.0, "w")
    y = ag.sum([*[ag.sin(w * (0.1 * k)) for k in range(count)], *[1.0] * numbers])
    for _ in range(heads):
        y = ag.atan2(ag.sin(y), ag.cos(y))
    return y


@pytest.mark.parametrize("heads, count, numbers, drawn", [
    (0, 60, 0, True), (4, 60, 0, True), (8, 60, 0, True), (9, 60, 0, False), (12, 60, 0, False),
    (9, 35, 3, True), (9, 35, 4, False)])       # (after 9 heads: 1 less than 8 times 278, and 8 times 279)
def test_after_eight_times_all_nodes_and_links_no_more_samples_are_looked_for(heads, count, numbers, drawn):
    sketch = Sketch([patience(heads, count, numbers)])
    assert one_sample(sketch, 0) == (count if drawn else 1)


@pytest.mark.parametrize("total, tried", [
    (lambda t: t[0] + t[1] + t[2] + t[3], 1), (ag.sum, 1), (lambda t: t[0] - t[1] + t[2], 3),
    (lambda t: t[0] + ag.sin(t[1]), 3)])
def test_once_all_terms_are_samples_no_others_are_looked_for(total, tried, monkeypatch):
    calls, alike = [], view_samples._alike
    monkeypatch.setattr(view_samples, "_alike", lambda *args: calls.append(args) or alike(*args))
    one_sample(Sketch([samples(total)]), 0)
    assert len(calls) == tried


@pytest.mark.parametrize("make", [lambda: ag.sum([Value(1.0) * 2.0, 3.0, Value(2.0)]), several_sets,
                                  lambda: samples(left(lambda a, b: a - b, 0.0))])
@pytest.mark.parametrize("change", [
    lambda s: None, lambda s: one_sample(s, 1),
    lambda s: s.links.__setitem__(len(s.nodes) - 1, s.links[len(s.nodes) - 1])])
def test_tails_are_those_of_the_links_and_users_those_who_have_them(make, change):
    sketch = Sketch([make()])
    assert sketch.links.count == sum(len(node.operands) for node in sketch.nodes)
    change(sketch)
    links = sketch.links
    for k in links:
        assert [*links.tails(k)] == [-1 if link.tail is None else link.tail for link in links[k]]
    left_out = set(range(len(sketch.nodes))) - {*links}
    assert len(links) + len(left_out) == len(sketch.nodes) and not any(k in links for k in left_out)
    users = sketch.users()
    for k, node in enumerate(sketch.nodes):
        assert [*users[k]] == [head for head in links for link in links[head] if link.tail == k]
        assert sketch.place(node) == k
    for k in left_out:
        with pytest.raises(KeyError):
            links[k]
        with pytest.raises(KeyError):
            links.tails(k)
    assert None not in links and sketch.place(Value(1.0)) is None


@pytest.mark.parametrize("leaves, sampled", [(0, False), (1, True)])
def test_of_more_than_forty_nodes_one_sample_is_drawn(leaves, sampled):
    w = Value(2.0, "w")
    root = ag.sum([*[ag.exp(w * (0.1 * k)) for k in range(19)], *[Value(1.0) for _ in range(leaves)]])
    view = View([root], 100)
    assert view.total == 40 + leaves and (len(view.shown) < 10) is sampled


# -- boxes --------------------------------------------------------------------------------------------


def dense(count):
    xs = [Value(1.0, "x")]
    for _ in range(count):
        xs.append(ag.mean(xs))
    return xs[-1]


def constants(count, nodes):
    """So many nodes, of which the last has so many plain numbers as operands."""
    y = Value(0.5, "x")
    for _ in range(nodes - 2):
        y = ag.sin(y)
    return ag.sum([y, *[1.0] * count])


@pytest.mark.parametrize("nodes, count, whole", [
    (8, 58, True), (9, 64, True), (9, 65, False), (10, 71, True), (10, 72, False)])
def test_arrows_may_span_eight_ranks_for_each_node_where_there_are_more_than_eight(nodes, count, whole):
    view = View([constants(count, nodes)], nodes, "all")
    bundles = [edge for edges in view.edges.values() for edge in edges if edge.bundle]
    assert bool(view.folds or bundles) is not whole


def densities(count, most):
    lines = []
    for k in most:
        view = View([dense(count)], k, "all")
        lines.append(f"{k}: {len(view.shown)} nodes, {len(view.folds)} boxes, "
                     f"{sum(map(len, view.edges.values()))} edges, depth {max(view.depth.values())}")
    return "\n".join(lines)


def uses(counts):
    """A sum that uses nodes so often, and numbers."""
    xs = [Value(float(k), f"x{k}") for k in range(len(counts))]
    return ag.sum([x for x, n in zip(xs, counts) for _ in range(n)] + [1.0] * 3)


def often():
    """A sum of which x is an operand five times, y four times and z three times, and many numbers."""
    x, y, z = [Value(1.0, name) for name in "xyz"]
    first = x
    for _ in range(8):
        first = ag.sin(first)
    return ag.sum([first, *[1.0] * 3, *[x] * 5, *[y] * 4, *[z] * 3, *[1.0] * 100])


def scopes():
    x = Value(0.5, "x")
    parts = []
    for k in range(3):
        part = ag.sin(x * float(k + 1)) + 0.5
        for node in (part, part.operands[0]):
            node.scope = (f"layer[{k}]", "inner") if k else ("layer[0]",)
        parts.append(part)
    return ag.sum(parts)


def tree(depth, number=1):
    if not depth:
        return Value(1.0 + number % 7, "t")
    return ag.hypot(tree(depth - 1, 2 * number), tree(depth - 1, 2 * number + 1))


VIEWS = {
    "used often": viewed(lambda: uses((9, 3, 1, 1, 8)), 5, "all"),
    "used often, a sum of ten": viewed(lambda: uses((4, 1, 2, 1, 5)), 5, "all"),
    "many constants": viewed(lambda: constants(70, 9), 9, "all"),
    "used often in a long sum": viewed(often, 12, "all"),
    "a number first": viewed(lambda: 2.0 / (1.0 - Value(3.0, "x"))),
    "scopes": viewed(scopes), "scopes closed": viewed(scopes, 4), "scopes half open": viewed(scopes, 7),
    "a tree of 63": viewed(lambda: tree(5), 20), "a dense graph": viewed(lambda: dense(20), 12),
    "a focus": viewed(scopes, focus="x"),
    "a focus in a sample": viewed(functools.partial(samples, ag.sum), focus="w", sample=1),
    "two roots and a gradient": lambda: told(View(inner_roots(), 100, None, None, [Value(1.0, "g") * 2.0])),
}


def words(roots, *args, **options):
    return View(roots, 100, *args, **options).told()


WORDS = {
    "one leaf": lambda: words([Value(1.23456, "x")]), "a leaf without a name": lambda: words([Value(2.0)]),
    "an op": lambda: words([ag.sin(Value(2.0))]),
    "three": lambda: words([Value(float(k), f"x{k}") for k in range(3)]),
    "four": lambda: words([Value(float(k), f"x{k}") for k in range(4)]),
    "no leaf": lambda: words([Value(2.0, requires_grad=False) * 2.0]),
    "samples": lambda: words([samples(ag.sum)], 1),
    "folded": lambda: words([ag.sum([Value(1.0) for _ in range(1500)])]),
}


# -- rows ---------------------------------------------------------------------------------------------


def stretches(*lengths):
    """A chain that is single and double in turns: so many steps of each."""
    y = Value(0.5, "x")
    for k, n in enumerate(lengths):
        if k % 2:
            a, b = ag.sin(y), ag.cos(y)
            for _ in range(n - 1):
                a, b = ag.sin(a), ag.cos(b)
            y = a + b
        else:
            for _ in range(n):
                y = ag.sin(y)
    return y


def rows(root):
    view = View([root], 2001, "all")
    found = Rows(view)
    starts = {}
    for item, row in found.row.items():
        starts.setdefault(row, []).append(view.depth[item])
    ranks = "; ".join(f"row {row}: depths {min(depths)} to {max(depths)}, {len(depths)} nodes"
                      for row, depths in sorted(starts.items()))
    columns = [[view.place(item) for item in column] for column in found.columns()]
    return f"{ranks or 'one row'}\n{columns}"


def chained(n):
    return stretches(n - 1)


STRETCHES = [(14,), (15,), (16,), (17,), (23,), (24,), (25,), (26,), (36,), (37,), (49,), (1, 16), (2, 16),
             (3, 16, 1), (1, 13, 3), (1, 12, 4), (1, 8, 9), (9, 8, 1), (2, 9, 1, 9, 2), (12, 3, 12),
             (1, 20, 1, 3, 10), (4, 30, 4), (1, 5, 1, 5, 1, 5, 1, 5), (13, 2, 12), (3, 11, 11), (11, 11, 3),
             (2, 13, 2), (1, 14, 1)]


@pytest.mark.parametrize("nodes, several", [(16, False), (17, True), (2000, True), (2001, False)])
def test_a_computation_of_more_than_16_ranks_and_at_most_2000_nodes_has_rows(nodes, several):
    assert bool(Rows(View([chained(nodes)], 3000, "all")).row) is several


# -- pictures -----------------------------------------------------------------------------------------


def brief(root, **options):
    """Of each node its text, of each arrow and each line what it has but a tooltip."""
    lines = []
    for line in ag.draw(root, **options).source.splitlines()[1:-1]:
        line = re.sub(r' tooltip="[^"]*"', "", line)
        if re.match(r"\t+\w+ \[", line) and not line.startswith(("\tgraph", "\tnode", "\tedge")):
            label = re.search(r"label=<(.*)>", line)
            ports = re.findall(r'PORT="(\w+)"', line)
            text = " ".join(re.sub("<[^>]*>", " ", label[1]).split()) if label else line.partition("[")[2]
            line = f"{line.partition('[')[0]}{' '.join(ports)}: {text}"
        lines.append(line.replace("\t", " "))
    return "\n".join(lines)


def rooted(make, *args):
    root = make(*args)
    root.backward()
    return root


def past_leaves():
    x = Value(0.5, "x")
    with_bias = []
    for k in range(2):
        w, b = Value(2.0, f"n{k}.w"), Value(1.0, f"n{k}.b")
        y = w * ag.sin(x) + b
        for node in (w, b, y, y.operands[0]):
            node.scope = ("layer", f"n{k}")
        with_bias.append(y)
    return ag.sum(with_bias)


def two_samples():
    w = Value(2.0, "w")
    return ag.sum([ag.sin(w * 1.0), ag.sin(w * 3.0)]) * 0.5


def tangle(**options):
    """So many arrows that they have no numbers but where something is to be told; claims about some."""
    x, y, z = Value(0.5, "x"), Value(2.0, "y"), Value(0.0, "z")
    with ag.errstate("ignore"):
        w = ag.sqrt(z)
        parts = [ag.sum([ag.sum([x, y, w]) for _ in range(8)]) * 0.5 for _ in range(3)]
        root = ag.sum(parts)
        ag.label(w=w, a=parts[0], b=parts[1], c=parts[2], root=root)
        root.backward()
    claims = {("root", "a"): 1.0, ("root", "b"): -1.0, ("b", "x"): -4.0, ("root", "x"): 4.0}
    return brief(root, report=ag.audit(root, claims), sample="all", **options)


PICTURES = {
    "a tangle": tangle,
    "one of two samples": lambda: brief(two_samples(), sample=0),
    **{f"rows to {to}": lambda to=to: brief(stretches(9, 2, 10), max_nodes=60, direction=to)
       for to in ("LR", "BT")},
    "rows of their own accord, compact": lambda: brief(rooted(stretches, 20), style="compact", colour="grad"),
    **{f"past leaves to {to}": lambda to=to: brief(rooted(past_leaves), direction=to)
       for to in ("RL", "TB")},
    "a box of one": lambda: brief(scopes(), max_nodes=7, sample="all"),
    "frozen": lambda: brief(fixed(2.0) * (Value(3.0, "x") / fixed(4.0)) - fixed(1.0)),
    "a sample": lambda: brief(samples(ag.sum), sample=2),
    "boxes": lambda: brief(ag.sum([ag.sin(Value(1.0, f"x[{k}]")) for k in range(90)]), max_nodes=20,
                           theme="dark"),
    "a tree in boxes": lambda: brief(rooted(tree, 6), max_nodes=30, style="compact", caption="a & b"),
    "left out": lambda: brief(scopes(), focus="x", style="compact"),
}

NAME = "views"
CASES = {**{f"samples: {name}": functools.partial(sampled, *args) for name, args in SAMPLES.items()},
         "samples: with inner roots": functools.partial(sampled, inner_roots),
         **{f"view: {name}": make for name, make in VIEWS.items()},
         "densities": lambda: densities(40, (1, 2, 7, 8, 9, 10, 12, 13, 14, 18, 20, 21, 25, 30, 40, 41, 50)),
         **{f"words: {name}": make for name, make in WORDS.items()},
         **{f"rows: {'-'.join(map(str, lengths))}": functools.partial(lambda x: rows(stretches(*x)), lengths)
            for lengths in STRETCHES},
         **{f"picture: {name}": make for name, make in PICTURES.items()}}


@pytest.mark.parametrize("case", CASES)
def test_what_a_picture_shows_is_what_is_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


@pytest.mark.parametrize("wide, length, direction", [
    (24, 19, "TB"), (19, 15, "LR"), (25, 20, "TB"), (26, 20, "LR"), (2, 2, "TB"), (1, 9, "TB"),
    (40, 2, "LR")])
def test_compact_cards_stand_below_each_other_where_that_is_no_longer(wide, length, direction):
    y = ag.sum([Value(float(k), f"x{k}") for k in range(wide)])
    for _ in range(length - 2):
        y = ag.sin(y)
    y.scope = ("s",)                            # (so that it is one row)
    assert f"rankdir={direction} " in ag.draw(y, style="compact", sample="all").source
    assert "rankdir=LR " in ag.draw(y, style="full", sample="all").source


# -- what stands together -----------------------------------------------------------------------------


class Shown:
    """As much of a view as columns depend on."""

    def __init__(self, edges):
        self.edges = edges


@pytest.mark.parametrize("count, crowd", [(11, 0), (12, 0), (13, 26), (20, 40)])
def test_more_than_twelve_bundles_from_a_column_to_another_are_a_crowd(count, crowd):
    head, other, tails = Value(1.0), Value(2.0), [Value(0.0) for _ in range(count)]
    bundles = [Edge(tail, None, 2, True) for tail in tails]
    column = {id(head): "B", **{id(tail): "A" for tail in tails}}
    alone = [Edge(Value(3.0), None, 5, True)] * 14      # (not in a column)
    single = [Edge(tails[0], 0.5)] * 14                 # (with a derivative on each)
    view = Shown({head: [*bundles, *alone, *single], other: bundles})
    assert crowds(view, column) == ({("A", "B"): crowd} if crowd else {})


def test_boxes_of_a_scope_as_far_from_the_root_and_leaves_of_one_user_stand_together():
    model = ag.nn.MLP(3, [4, 4, 1])
    view = View([model([0.5, 0.25, -1.0])], 30, "all")
    found = [[item.name if isinstance(item, Fold) else item.label for item in group]
             for group in groups(view) if group[1:]]
    assert found == [[f"neurons[{i}]" for i in range(4)]] * 2
    x, y, z = [Value(float(k), name) for k, name in enumerate("xyz")]
    view = View([(x * y + z) * z], 30)
    assert [[item.label for item in group] for group in groups(view)] == [["x", "y"]]
    assert not [group for group in groups(View([scopes()], 4)) if group[1:]]        # (boxes in no scope)
    for leaf in (x, y):
        leaf.scope = ("s",)
    assert [[item.label for item in group] for group in groups(View([x * y + Value(1.0, "u")], 30))] == [
        ["x", "y"], ["u"]]
