"""Walks over graphs of any kind of node, and finding nodes by their labels."""
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import InputError, LabelError, Value, label
from autograd_lite.graph.walks import operand_nodes, topological
from autograd_lite.graph.labels import find
from autograd_lite.graph.program import Program
from graphs import computations, recorded


class Node:
    """Anything with operands: the walks know no Value."""

    def __init__(self, name, *operands):
        self.name, self.operands = name, operands

    def __eq__(self, other):                    # the walks must not compare: a Value's == reads numbers
        raise AssertionError

    __hash__ = object.__hash__


def names(order):
    return "".join(node.name for node in order)


# -- topological --------------------------------------------------------------------------------

def test_operands_come_first_in_their_order_and_each_node_once():
    a, b = Node("a"), Node("b")
    c = Node("c", a, b, a)
    assert names(topological([Node("d", b, c)])) == "bacd"
    assert names(topological([Node("d", c, b)])) == "abcd"


def test_a_node_on_a_short_and_a_long_way_comes_before_all_its_users():
    a = Node("a")
    b = Node("b", a)
    c = Node("c", b)
    assert names(topological([Node("d", a, c)])) == names(topological([Node("d", c, a)])) == "abcd"


def test_plain_numbers_are_no_nodes():
    a = Node("a", 1.0, 2, True, np.float64(3.0))
    assert operand_nodes(a) == [] and topological([a]) == [a]
    assert names(topological([Node("b", 1.0, a, 2.0)])) == "ab"


def test_several_roots_share_one_order_in_which_none_is_repeated():
    a = Node("a")
    b, c = Node("b", a), Node("c", a)
    assert names(topological([b, c, b, a])) == "abc"
    assert names(topological([c, b])) == "acb"
    assert topological([]) == []


def test_the_walk_can_be_restricted_and_extended():
    a = Node("a")
    b = Node("b", a)
    c, d = Node("c", a, b), Node("d")
    assert names(topological([c], lambda node: [x for x in node.operands if x is not b])) == "ac"
    assert names(topological([c], lambda node: (*node.operands, d) if node is b else node.operands)) == "adbc"
    assert names(topological([c], lambda node: iter(node.operands))) == "abc"


@given(computations(), st.lists(st.integers(0, 12), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_every_node_comes_after_its_operands_and_nothing_else_is_there(f, which):
    _, nodes = recorded(f)
    roots = [nodes[i % len(nodes)] for i in which]
    order = topological(roots)
    place = {id(node): i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert all(place[id(x)] < place[id(node)] for node in order for x in operand_nodes(node))
    used = {id(x) for node in order for x in operand_nodes(node)}
    assert all(id(node) in used or any(node is root for root in roots) for node in order)
    assert [id(node) for node in topological(roots)] == [id(node) for node in order]


@given(computations())
@settings(max_examples=50, deadline=None)
def test_the_order_depends_on_the_graph_alone(f):
    def shape():
        order = topological([recorded(f)[1][-1]])
        place = {id(node): i for i, node in enumerate(order)}
        return [(node.op, [place[id(x)] for x in operand_nodes(node)]) for node in order]
    keep = shape(), [Value(0.0) for _ in range(7)], shape()
    assert keep[0] == keep[2]


def test_the_order_is_the_same_in_every_process():
    program = """if True:
        from autograd_lite import Value, label
        from autograd_lite.graph.walks import topological
        x, y, z = Value(1.0, "x"), Value(2.0, "y"), Value(3.0, "z")
        a = x * y + z * x
        root = (a * a + y.exp() * x).tanh() + a
        print([(node.op, node.label) for node in topological([root, x, a])])
    """
    printed = {subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                              env={**os.environ, "PYTHONHASHSEED": seed}).stdout for seed in ("0", "1")}
    assert len(printed) == 1 and "tanh" in printed.pop()


def test_depth_and_width_are_no_limit():
    node = bottom = Node("0")
    for _ in range(10_000):
        node = Node("n", node, bottom)
    assert len(topological([node])) == 10_001
    assert len(topological([Node("w", *[node] * 10_000)])) == 10_002
    while node.operands:                        # by hand: deleting it is not this module's affair
        node = node.operands[0]


# -- dependents ---------------------------------------------------------------------------------

def test_dependents_are_the_sources_and_all_that_is_above_them():
    a, b = Node("a"), Node("b")
    c = Node("c", a, 1.0)
    d, e = Node("d", b), Node("e", c)
    f = Node("f", d, e)
    program = Program([f])

    def above(*sources):
        found = program.dependent(map(program.place, sources))
        return "".join(node.name for node, depends in zip(program.nodes, found) if depends)

    assert above(a) == "acef"
    assert sorted(above(b)) == ["b", "d", "f"]
    assert sorted(above(a, d)) == ["a", "c", "d", "e", "f"]
    assert above(f) == "f" and above() == ""


@given(computations(), st.integers(0, 12))
@settings(max_examples=50, deadline=None)
def test_dependents_are_those_whose_own_order_holds_the_source(f, which):
    _, nodes = recorded(f)
    source = nodes[which % len(nodes)]
    program = Program([nodes[-1], 2.0])
    assert [any(x is source for x in topological([node])) for node in program.nodes] == \
        program.dependent([program.place(source)])


# -- label ----------------------------------------------------------------------------------------

def test_label_names_nodes_by_keyword_and_by_mapping():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    assert label({"∂E/∂w": a, "b": b}, c=c) is None
    assert (a.label, b.label, c.label) == ("∂E/∂w", "b", "c")
    label(names=c)                              # no keyword is reserved
    assert find([a, b, c], "names") is c
    label({})
    label()


def test_label_numbers_the_entries_of_sequences_mappings_and_arrays():
    w = [[Value(1.0), Value(2.0)], (Value(3.0),)]
    x = np.array([[Value(1.0)], [Value(2.0)]])
    named = {"i": Value(1.0), 2: Value(2.0)}
    label(w=w, x=x, p=named, g=(v for v in w[0][:0]))
    assert [v.label for row in w for v in row] == ["w[0][0]", "w[0][1]", "w[1][0]"]
    assert [v.label for v in x.flat] == ["x[0][0]", "x[1][0]"]
    assert [v.label for v in named.values()] == ["p['i']", "p[2]"]


def test_label_numbers_entries_of_lists_of_any_depth():
    x, y, z = Value(1.0), Value(2.0), Value(3.0)
    label(W=[x, [y, z]])
    assert [v.label for v in (x, y, z)] == ["W[0]", "W[1][0]", "W[1][1]"]


def test_label_keeps_the_scope():
    v = Value(1.0)
    v.scope = ("layer",)
    label(v=v)
    assert (v.label, v.scope) == ("v", ("layer",))


@pytest.mark.parametrize("thing", [1.0, None, "w", b"w", Value, np.float64(1.0)],
                         ids=lambda x: type(x).__name__)
def test_label_refuses_what_has_no_node_and_says_which(thing):
    with pytest.raises(InputError, match=f"'b' is a {type(thing).__name__}"):
        label(b=thing)
    with pytest.raises(InputError, match=r"'w\[1\]'"):
        label(w=[Value(1.0), thing])


@pytest.mark.parametrize("names", ["x", 3, [Value(1.0)], [("x", Value(1.0))], {1: Value(1.0)}, Value(1.0)],
                         ids=lambda x: type(x).__name__)
def test_label_wants_names_that_are_strings(names):
    with pytest.raises(InputError, match="label"):
        label(names)


def test_a_label_refused_leaves_every_label_as_it_was():
    a, b = Value(1.0, "a"), Value(2.0)
    with pytest.raises(InputError):
        label(x=a, y=[b, 3.0])
    assert (a.label, b.label) == ("a", "")


def test_a_node_shows_the_first_label_that_people_gave_it_and_is_found_by_each():
    z = [Value(1.0), Value(2.0)]
    label(z=z)
    label(m=z[1])
    label(z=z)                                  # (as a loop does)
    assert z[1].label == "z[1]" and find(z, "m") is find(z, "z[1]") is z[1]
    z[1].label = "other"
    assert z[1].label == "other"
    for gone in ("m", "z[1]"):
        with pytest.raises(LabelError):
            find(z, gone)
    z[1].label = ""
    assert z[1].label == ""


@pytest.mark.parametrize("name", ["W[1][0]", "W[1, 0]", "W[ 1 ,0 ]", "W[-1][0]", "W[-1, -2]"])
def test_the_label_of_an_entry_is_understood_as_people_write_it(name):
    W = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    label(W=W)
    assert find(W.flat, name) is W[1, 0]


@pytest.mark.parametrize("name, said", [
    ("W[2][0]", r"'W\[2\]\[0\]' lies outside 'W', an array of shape \(2, 2\)"), ("W[0][-3]", "lies outside"),
    ("W[0][0][0]", "lies outside"), ("W", r"'W' is an array of shape \(2, 2\); give one of its entries"),
    ("W[1]", "is an array of shape"), ("V[0]", "did you mean|the labels are")])
def test_what_is_not_one_entry_is_refused(name, said):
    W = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
    label(W=W)
    with pytest.raises(LabelError, match=said):
        find([x for row in W for x in row], name)


def test_an_entry_that_is_not_in_the_graph_is_told_from_one_that_is_not_there():
    w = [Value(1.0), Value(2.0)]
    label(w=w)
    with pytest.raises(LabelError, match=r"'w\[1\]' is not in the graph: nothing depends on it"):
        find([w[0]], "w[1]")


def test_an_array_without_dimensions_names_its_node():
    x = Value(1.0)
    label(x=np.array(x, dtype=object))
    assert x.label == "x"


# -- find -------------------------------------------------------------------------------------------

@pytest.fixture
def order():
    x, y = Value(1.0), Value(2.0)
    z = x * y
    total = z + x
    label({"neto1": x, "neto2": y, "outh1": z, "E": total})
    return topological([total])


def test_find_gives_the_node_with_the_label(order):
    for name in ("neto1", "neto2", "outh1", "E"):
        assert find(order, name).label == name
    assert find(iter(order), "E") is order[-1]


def test_a_missing_label_is_an_error_that_suggests_the_nearest(order):
    with pytest.raises(LabelError, match="no node is labelled 'neto3'.*did you mean 'neto2' or") as error:
        find(order, "neto3")
    assert "'E'" not in str(error.value) and isinstance(error.value, LookupError)
    with pytest.raises(LabelError, match="'E', 'neto1', 'neto2', 'outh1'"):
        find(order, "something else")
    with pytest.raises(LabelError, match="'E'"):
        find(order, "")


def test_a_missing_label_in_a_graph_without_labels_says_how_to_make_them():
    with pytest.raises(LabelError, match=r"label\("):
        find(topological([Value(1.0) * 2.0]), "x")


def test_a_missing_label_among_thousands_still_makes_a_short_message():
    nodes = [Value(0.0, f"node {i}") for i in range(3000)]
    for name in ("nothing", "node x"):
        with pytest.raises(LabelError) as error:
            find(nodes, name)
        assert len(str(error.value)) < 300


def test_an_ambiguous_label_is_an_error_that_counts(order):
    order[0].label = order[1].label = "twin"
    with pytest.raises(LabelError, match="'twin' names 2 nodes"):
        find(order, "twin")
    assert find(order, "E").label == "E"


@pytest.mark.parametrize("name", [1, None, b"E", ("E",)], ids=lambda x: type(x).__name__)
def test_a_label_that_is_no_string_names_nothing(order, name):
    with pytest.raises(LabelError, match="no node is labelled"):
        find(order, name)


def test_the_audit_and_find_speak_of_the_same_labels(order):
    assert ag.audit(order[-1], {("E", "neto2"): 1.0}).ok
    with pytest.raises(LabelError, match="neto2"):
        ag.audit(order[-1], {("E", "neto22"): 1.0})
