"""`audit`: hand-derived derivatives held against the graph, the causes named."""
import copy
import json
import math
import pickle
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import (AuditError, GradientError, InputError, LabelError, RangeError, Value, audit,
                           label, sigmoid)
from autograd_lite.checks.rule import relative_error
from autograd_lite.checks.report import Report
from autograd_lite.graph.walks import topological
from graphs import computations, recorded, rounded

WEIGHTS = (.15, .20, .25, .30, .40, .45, .50, .55)
BIASES, INPUTS, TARGETS = (.35, .60), (.05, .10), (.01, .99)
START = (WEIGHTS, BIASES, INPUTS, TARGETS)


def network(point=START, published=False):
    """The document's network as a labelled graph; `published` takes its wrong forward pass."""
    weights, biases, (i1, i2), (t1, t2) = point
    w = [Value(x, f"w{k}") for k, x in enumerate(weights, 1)]
    b1, b2 = Value(biases[0], "b1"), Value(biases[1], "b2")
    neth1, neth2 = ag.dot(w[0:2], [i1, i2], b1), ag.dot(w[2:4], [i1, i2], b1)
    outh1, outh2 = sigmoid(neth1), sigmoid(neth2)
    neto1 = ag.dot(w[4:6], [outh1, outh2], b2)
    neto2 = ag.dot(w[6:8], [outh2 if published else outh1, outh2], b2)
    outo1, outo2 = sigmoid(neto1), sigmoid(neto2)
    E = 0.5 * (t1 - outo1) ** 2 + 0.5 * (t2 - outo2) ** 2
    label(neth1=neth1, neth2=neth2, outh1=outh1, outh2=outh2, neto1=neto1, neto2=neto2,
          outo1=outo1, outo2=outo2, E=E)
    return E


class Derivation(dict):
    """Claims as they are entered one after the other, each through a mistake if it has one."""

    def __init__(self, mistakes):
        self.mistakes = mistakes

    def __setitem__(self, pair, number):
        super().__setitem__(pair, self.mistakes.get(pair, lambda x: x)(number))


def derivation(E, point=START, published=True, mistakes={}):
    """The document's hand derivation, in its order; with ∂neto2/∂outh1 = w7 if not `published`."""
    weights, _, (i1, i2), (t1, t2) = point
    _, _, _, _, w5, w6, w7, w8 = weights
    at = {node.label: node.data for node in topological([E]) if node.label}
    h1, h2, o1, o2 = at["outh1"], at["outh2"], at["outo1"], at["outo2"]
    c = Derivation(mistakes)
    c["E", "outo1"], c["E", "outo2"] = -(t1 - o1), -(t2 - o2)
    c["outo1", "neto1"], c["outo2", "neto2"] = o1 * (1 - o1), o2 * (1 - o2)
    c["neto1", "w5"], c["neto1", "w6"], c["neto2", "w7"], c["neto2", "w8"] = h1, h2, h1, h2
    c["neto1", "outh1"], c["neto1", "outh2"] = w5, w6
    c["neto2", "outh1"], c["neto2", "outh2"] = w5 if published else w7, w8
    c["outh1", "neth1"], c["outh2", "neth2"] = h1 * (1 - h1), h2 * (1 - h2)
    d1, d2 = c["E", "outo1"] * c["outo1", "neto1"], c["E", "outo2"] * c["outo2", "neto2"]
    c["E", "outh1"] = d1 * c["neto1", "outh1"] + d2 * c["neto2", "outh1"]
    c["E", "outh2"] = d1 * c["neto1", "outh2"] + d2 * c["neto2", "outh2"]
    c["E", "w1"] = c["E", "outh1"] * c["outh1", "neth1"] * i1
    c["E", "w2"] = c["E", "outh1"] * c["outh1", "neth1"] * i2
    c["E", "w3"] = c["E", "outh2"] * c["outh2", "neth2"] * i1
    c["E", "w4"] = c["E", "outh2"] * c["outh2", "neth2"] * i2
    c["E", "w5"], c["E", "w6"] = d1 * c["neto1", "w5"], d1 * c["neto1", "w6"]
    c["E", "w7"], c["E", "w8"] = d2 * c["neto2", "w7"], d2 * c["neto2", "w8"]
    return c


PAIRS = list(derivation(network()))


def names(rows):
    return {row.claim for row in rows}


# -- the document's derivation ---------------------------------------------------------------


def test_the_published_derivation_on_the_correct_forward_has_one_cause_which_three_claims_inherit():
    E = network()
    report = audit(E, derivation(E))
    assert names(report.causes) == {("neto2", "outh1")}
    assert names(report.differing) - names(report.causes) == {("E", "outh1"), ("E", "w1"), ("E", "w2")}
    cause = report.causes[0]
    assert (cause.claimed, cause.derived) == (0.40, 0.50)
    assert names(report.inheriting(cause)) == {("E", "outh1"), ("E", "w1"), ("E", "w2")}


def test_the_published_derivation_on_the_published_forward_has_three_causes_which_seven_claims_inherit():
    E = network(published=True)
    report = audit(E, derivation(E))
    assert names(report.causes) == {("neto2", "w7"), ("neto2", "outh2"), ("neto2", "outh1")}
    assert names(report.differing) - names(report.causes) == {
        ("E", "outh1"), ("E", "outh2"), ("E", "w1"), ("E", "w2"), ("E", "w3"), ("E", "w4"), ("E", "w7")}
    assert [row.derived for row in report.causes if row.claim == ("neto2", "outh1")] == [0.0]


def test_the_figures_of_the_published_derivation_are_the_documents():
    rows = {row.claim: row for row in audit(network(), derivation(network())).rows}
    for w, derived, claimed in [("w1", 0.000438567734474, 0.000484533391808),
                                ("w2", 0.000877135468949, 0.000969066783617),
                                ("w8", -0.022740242215978, -0.022740242215978)]:
        assert rows["E", w].derived == pytest.approx(derived, abs=1e-15)
        assert rows["E", w].claimed == pytest.approx(claimed, abs=1e-15)


numbers = st.floats(-2.0, 2.0, allow_subnormal=False)
points = st.tuples(st.tuples(*[numbers] * 8), st.tuples(*[numbers] * 2),
                   st.tuples(*[st.floats(-1.0, 1.0, allow_subnormal=False)] * 2),
                   st.tuples(*[st.floats(0.0, 1.0, allow_subnormal=False)] * 2))


@given(points)
@settings(max_examples=200, deadline=None)
def test_the_corrected_hand_gradients_equal_ours_to_1e_12_at_any_point(point):
    E = network(point)
    claims = derivation(E, point, published=False)
    E.backward()
    grads = {node.label: node.grad for node in topological([E]) if node.label}
    for (output, source), claimed in claims.items():
        if output == "E":
            h = {"w1": "outh1", "w2": "outh1", "w3": "outh2", "w4": "outh2"}.get(source, source)
            terms = [1.0] if h[0] != "o" or h[3] == "o" else [       # the sum over both outputs cancels
                claims["E", f"outo{k}"] * claims[f"outo{k}", f"neto{k}"] * claims[f"neto{k}", h]
                for k in (1, 2)]
            slack = sum(map(abs, terms)) if len(terms) > 1 else abs(claimed)
            assert abs(claimed - grads[source]) <= 1e-12 * max(abs(claimed), slack) + 1e-300


@given(points)
@settings(max_examples=100, deadline=None)
def test_the_published_derivation_is_found_wrong_exactly_where_it_is_wrong(point):
    (_, _, _, _, w5, _, w7, _), (i1, i2) = point[0], point[2]
    E = network(point)
    right, wrong = derivation(E, point, published=False), derivation(E, point)
    differing = {pair for pair in PAIRS if not relative_error(right[pair], wrong[pair]) <= 1e-6}
    assume(all(relative_error(right[pair], wrong[pair]) < 1e-8 for pair in set(PAIRS) - differing))
    assume(all(abs(x) > 1e-3 for x in (w5, w7, i1, i2)))
    d = [right["E", f"outo{k}"] * right[f"outo{k}", f"neto{k}"] for k in (1, 2)]
    assume(abs(right["E", "outh1"]) > 1e-6 * (abs(d[0]) + abs(d[1])))       # no cancellation
    report = audit(E, wrong)
    assert names(report.differing) == differing
    assert names(report.causes) == ({("neto2", "outh1")} if differing else set())


# -- further mistakes -----------------------------------------------------------------------


MISTAKES = {"scaled": lambda x: 1.37 * x, "wrong sign": lambda x: -x, "swapped": lambda x: 0.8317,
            "a term missing": lambda x: x - 0.21, "nothing": lambda x: 0.0,
            "off by 1e-4": lambda x: 1.0001 * x}
mistake_sets = st.dictionaries(st.sampled_from(PAIRS), st.sampled_from(sorted(MISTAKES)),
                               min_size=1, max_size=3)


def masked(E, published, wrong):
    """Whether a mistake hides: what it changes comes out right, or as other mistakes made it already."""
    report = audit(E, derivation(E, published=published, mistakes=wrong))
    rows = {row.claim: row for row in report.rows}
    for pair in wrong:
        others = {p: m for p, m in wrong.items() if p != pair}
        without = derivation(E, published=published, mistakes=others)[pair]
        if rows[pair].relative_error <= 1e-5 or relative_error(without, rows[pair].claimed) <= 1e-5:
            return True
    return False


@given(mistake_sets, st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_further_mistakes_are_the_causes_and_nothing_else_is(kinds, published, forward):
    E = network(published=forward)
    wrong = {pair: MISTAKES[kind] for pair, kind in kinds.items()}
    assume(not masked(E, published, wrong))
    expected = names(audit(E, derivation(E, published=published)).causes) | set(wrong)
    report = audit(E, derivation(E, published=published, mistakes=wrong))
    # A factor wrong in the document and altered once more may have come out right.
    right = {row.claim for row in report.rows if row.verdict == "agrees"}
    assert names(report.causes) == expected - right


def test_two_mistakes_are_two_causes_though_one_lies_along_the_others_path():
    E = network()
    wrong = {("neto2", "outh1"): lambda x: 2.0 * x, ("E", "outh1"): lambda x: x + 0.01,
             ("outh1", "neth1"): lambda x: -x}
    report = audit(E, derivation(E, published=False, mistakes=wrong))
    assert names(report.causes) == set(wrong)
    inherits = {row.claim: row.inherits_from for row in report.rows if row.verdict == "inherits"}
    assert set(inherits) == {("E", "w1"), ("E", "w2")}
    assert set(inherits["E", "w1"]) == {("E", "outh1"), ("outh1", "neth1")}


def test_a_mistake_on_top_of_an_inherited_one_is_a_cause_of_its_own():
    E = network()
    report = audit(E, derivation(E, mistakes={("E", "outh1"): lambda x: 1.5 * x}))
    assert names(report.causes) == {("neto2", "outh1"), ("E", "outh1")}


def test_mistakes_that_cancel_leave_the_sum_alone():
    a, b = Value(2.0, "a"), Value(3.0, "b")
    y = a * b
    z = y * 5.0
    label(y=y, z=z)
    report = audit(z, {("y", "a"): 6.0, ("z", "y"): 2.5, ("z", "a"): 15.0})
    assert names(report.causes) == {("y", "a"), ("z", "y")}
    assert report.rows[2].verdict == "agrees"


# -- the definition, by brute force, on any graph ---------------------------------------------


class Brute:
    """The rule as it is written: every path is walked by itself, in numbers of few digits."""

    def __init__(self, edges, claims):
        self.edges = edges                              # (input, output, weight), numbers of few digits
        self.claims, self.corrections = claims, {}
        self.derived = {(o, i): self.total(i, o) for o, i in claims}
        arrows = [(a, b) for a, b, _ in edges]
        circular = {(o, i) for o, i in claims if self.leads(arrows, o, i)}             # with the graph alone
        more = [(j, p) for p, j in claims if (p, j) not in circular]
        circular |= {(o, i) for o, i in claims if self.leads([*arrows, *more], o, i)
                     and not self.leads(arrows, i, o)}
        arrows += [(i, o) for o, i in claims if (o, i) not in circular]
        self.arrows, self.follows, outputs = arrows, {}, {o for o, _ in claims}
        while outputs:                                  # those nearest the inputs first
            output = next(o for o in outputs if not any(p != o and self.leads(arrows, p, o) for p in outputs))
            outputs.remove(output)
            about = [pair for pair in claims if pair[0] == output]
            self.follows |= {pair: self.arriving(*pair) for pair in about}
            self.corrections |= {pair: claims[pair] - self.follows[pair] for pair in about
                                 if pair not in circular and claims[pair] != self.follows[pair]}

    def leads(self, arrows, start, end):
        reached = {start}
        while more := {b for a, b in arrows if a in reached} - reached:
            reached |= more
        return end in reached

    def total(self, start, end):
        """The sum over all paths."""
        return 1 if start == end else sum(w * self.total(b, end) for a, b, w in self.edges if a == start)

    def users(self, output, node):
        """What uses a node, by which weight, by which claim if it is a correction."""
        more = [(i, o, e, (o, i)) for (o, i), e in self.corrections.items() if o != output]
        for a, b, weight, claim in [*[(*edge, None) for edge in self.edges], *more]:
            if a == node and self.leads(self.arrows, b, output):
                yield b, weight, claim

    def arriving(self, output, node):
        if node == output:
            return 1
        return sum(weight * self.going_on(output, user) for user, weight, _ in self.users(output, node))

    def going_on(self, output, node):
        pair = output, node
        return self.claims[pair] if pair in self.claims else self.arriving(*pair)

    def origins(self, output, node):
        """The nearest differing claims whose errors arrive at a node."""
        found = set()
        for user, weight, claim in self.users(output, node) if node != output else ():
            if weight and (self.going_on(output, user) or self.total(user, output)):
                nearest = {(output, user)} if (output, user) in self.claims else self.origins(output, user)
                found |= {pair for pair in {*nearest, claim} - {None} if self.verdict(pair) != "agrees"}
        return found

    def verdict(self, pair):
        if self.claims[pair] == self.derived[pair]:
            return "agrees"
        return "inherits" if self.follows[pair] == self.claims[pair] else "cause"

    def verdicts(self):
        return {pair: (verdict, self.origins(*pair) if verdict == "inherits" else set())
                for pair in self.claims for verdict in [self.verdict(pair)]}


graphs = computations(5, ["+", "-", "*", "sum", "dot"], number=rounded(0))


@st.composite
def graphs_and_claims(draw):
    """A graph of small numbers, as nodes and as edges, and claims of which many inherit."""
    nodes = recorded(draw(graphs))[1]
    n, place = len(nodes), {node: k for k, node in enumerate(nodes)}
    label({f"n{k}": node for k, node in enumerate(nodes)})
    edges = [(place[x], k, p) for k, node in enumerate(nodes)
             for x, p in zip(node.operands, node.partials) if isinstance(x, Value)]
    pairs = [(o, i) for o in range(n) for i in range(n) for _ in range(8 if o > i else 1)]
    mistakes = draw(st.dictionaries(                        # (None: right in spite of those before)
        st.sampled_from(pairs), st.sampled_from([0, 1, -2, 0, 1, None]), min_size=min(7, n * n), max_size=9))
    claims = {}
    for pair in sorted(mistakes, key=lambda pair: pair[0] - pair[1]):           # the inner ones first
        brute, mistake = Brute(edges, claims | {pair: 0}), mistakes[pair]
        claims[pair] = brute.derived[pair] if mistake is None else brute.follows[pair] + mistake
    return nodes, edges, {pair: claims[pair] for pair in mistakes}


@given(graphs_and_claims(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_audit_agrees_with_the_definition_on_any_graph(case, by_label):
    nodes, edges, claims = case
    name = {k: node.label if by_label else node for k, node in enumerate(nodes)}
    report = audit(nodes, {(name[o], name[i]): x for (o, i), x in claims.items()}, rtol=1e-12)
    back = {end: k for k, end in name.items()}

    def plain(pair):
        return tuple(back[end] for end in pair)

    found = {plain(row.claim): (row.verdict, set(map(plain, row.inherits_from))) for row in report.rows}
    brute = Brute(edges, claims)
    assert {plain(row.claim): row.derived for row in report.rows} == brute.derived
    assert found == brute.verdicts()


@given(graphs_and_claims(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_claims_changes_no_verdict(case, shuffler):
    nodes, edges, claims = case
    named = [((f"n{o}", f"n{i}"), x) for (o, i), x in claims.items()]
    before = audit(nodes, dict(named))
    shuffler.shuffle(named)
    after = audit(nodes, dict(named))
    assert {row.claim: row.verdict for row in before.rows} == {row.claim: row.verdict for row in after.rows}


def test_a_claim_against_the_direction_of_the_graph_explains_nothing():
    x = Value(2.0, "x")
    y = x * 3.0
    z = y * 5.0
    label(y=y, z=z)
    report = audit(z, {("x", "y"): 7.0, ("z", "x"): 22.0})
    assert [(row.verdict, row.derived) for row in report.rows] == [("cause", 0.0), ("cause", 15.0)]


def test_a_claimed_dependence_that_is_not_there_can_be_inherited():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    a, b = x * 4.0, y * 5.0
    z = a + b
    label(a=a, b=b, z=z)
    report = audit(z, {("b", "x"): 1.0, ("z", "x"): 5.0})
    assert [(row.verdict, row.derived) for row in report.rows] == [("cause", 0.0), ("inherits", 4.0)]


# -- numbers --------------------------------------------------------------------------------


def simple():
    """∂y/∂x = 12 at x = 2, by way of u = x² with ∂u/∂x = 4, ∂y/∂u = 3."""
    x = Value(2.0, "x")
    u = x * x
    y = u * 3.0
    label(u=u, y=y)
    return y


def test_a_nan_is_never_right_and_never_inherited():
    report = audit(simple(), {("u", "x"): math.nan, ("y", "u"): 3.0, ("y", "x"): math.nan})
    assert [row.verdict for row in report.rows] == ["cause", "agrees", "cause"]
    assert "claimed nan, is 4" in report.summary()


@pytest.mark.parametrize("infinite", [math.inf, -math.inf])
def test_an_infinite_claim_is_a_cause(infinite):
    assert names(audit(simple(), {("y", "x"): infinite}).causes) == {("y", "x")}


def test_a_claimed_zero_where_there_is_a_slope_and_the_reverse_have_relative_error_1():
    y = simple()
    z = y + Value(1.0, "z") * 0.0
    z.label = "sum"
    report = audit(z, {("y", "x"): 0.0, ("sum", "z"): 1e-300})
    assert [(row.relative_error, row.verdict) for row in report.rows] == [(1.0, "cause"), (1.0, "cause")]


def test_zero_claimed_of_a_zero_agrees():
    y = simple()
    z = y * 0.0
    z.label = "z"
    row, = audit(z, {("z", "x"): -0.0}).rows
    assert (row.relative_error, row.verdict) == (0.0, "agrees")


def test_rtol_is_the_last_error_that_agrees():
    y = simple()
    claim = {("y", "x"): 12.0 * (1.0 + 2.0 ** -20)}
    error = audit(y, claim, rtol=0.5).rows[0].relative_error
    assert audit(y, claim, rtol=error).ok
    assert not audit(y, claim, rtol=math.nextafter(error, 0.0)).ok


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
@settings(max_examples=200, deadline=None)
def test_the_relative_error_is_symmetric_and_0_only_of_equals(a, b):
    error = relative_error(a, b)
    assert error == relative_error(b, a) or math.isnan(error)
    assert (error == 0.0) == (a == b) or abs(a - b) < 1e-300


@pytest.mark.parametrize("bad", ["12", None, 12j, [12.0], {}, object()])
def test_a_claim_that_is_not_a_number_is_refused_by_its_name(bad):
    with pytest.raises(InputError, match="∂y/∂x"):
        audit(simple(), {("y", "x"): bad})


def test_an_integer_too_large_for_a_double_is_refused():
    with pytest.raises(RangeError):
        audit(simple(), {("y", "x"): 10 ** 400})


def test_a_claim_may_be_an_int_a_fraction_a_numpy_number_or_a_value():
    import fractions

    import numpy
    for twelve in (12, fractions.Fraction(12), numpy.float32(12), Value(12.0)):
        assert audit(simple(), {("y", "x"): twelve}).ok


# -- which nodes -----------------------------------------------------------------------------


def test_claims_by_node_and_by_label_are_the_same_claims():
    x = Value(2.0, "x")
    y = x * x
    y.label = "y"
    for pair in [("y", "x"), (y, x), ("y", x), (y, "x")]:
        report = audit(y, {pair: 3.0})
        assert report.rows[0].claim is pair and report.rows[0].derived == 4.0


def test_nodes_of_equal_number_are_told_apart():
    a, b = Value(1.0), Value(1.0)
    y = a + b * 2.0
    report = audit(y, {(y, a): 1.0, (y, b): 1.0})
    assert [row.verdict for row in report.rows] == ["agrees", "cause"]
    assert report.causes[0].claim[1] is b


def test_two_mistakes_at_nodes_of_equal_number_are_both_found():
    a, b = Value(1.0), Value(1.0)
    y = a * b
    assert len(audit(y, {(y, a): 2.0, (y, b): 2.0}).causes) == 2


def test_a_node_by_itself_has_slope_1():
    x = Value(2.0, "x")
    assert audit(x, {("x", "x"): 1.0}).ok


@pytest.mark.parametrize("claims, error, said", [
    ({("y", "xx"): 1.0}, LabelError, "'xx'.*'x'"),
    ({("loss", "x"): 1.0}, LabelError, r"∂loss/∂x, no node .*name it with label\(loss=…\)"),
    ([("y", "x")], InputError, r"the claims are a dict {\(output, input\): number}, got list"),
    ({("", "x"): 1.0}, LabelError, "''"),
    ({"yx": 1.0}, LabelError, r"∂y/∂yx, no node .*did you mean 'y'"),
    ([(["y"], 1.0)], InputError, r"\['y'\] is neither a label nor a Value, nor an array of Values"),
    ({("y", "x", "u"): 1.0}, InputError, "(output, input)"),
    ({("y", 3): 1.0}, InputError, "3"),
    ({("y", None): 1.0}, InputError, "None"),
])
def test_a_claim_about_what_is_not_there_is_refused(claims, error, said):
    with pytest.raises(error, match=said):
        audit(simple(), claims)


@pytest.mark.parametrize("root, claims, said", [
    ({("y", "x"): 1.0}, Value(1.0), r"write audit\(root, claims\), the root first"),
    (Value(2.0).backward(), {}, "got NoneType None: backward.. returns None"),
    (3.0, {}, "got float 3.0"), ("y", {}, "got str 'y'"), ([Value(1.0), 2.0], {}, "got list"),
])
def test_a_root_that_is_not_a_value_is_refused(root, claims, said):
    with pytest.raises(InputError, match=said):
        audit(root, claims)


def test_a_claim_with_output_and_input_in_each_others_place_is_told_so():
    x = Value(3.0, "x")
    s = x * 0.5
    label(s=s)
    report = audit(s, {("x", "s"): 0.5})
    assert report.rows[0].reversed and "x does not depend on s; did you mean ∂s/∂x?" in report.summary()
    other = audit([s, Value(1.0, "z")], {("z", "s"): 0.5, ("s", "z"): 0.5, ("x", "x"): 2.0, ("s", "x"): 2.0})
    assert not any(row.reversed for row in other.rows)


@pytest.mark.parametrize("x, shown", [(0.5, "claimed 0.5 (= x)"), (11.0, "claimed 11 (= x)"),
                                      (2.0, "claimed 2,"), (-10.0, "claimed -10,"), (0.0, "claimed 0,")])
def test_a_small_whole_number_is_not_told_to_be_a_nodes(x, shown):
    leaf = Value(x, "x")
    y = leaf * 7.0
    label(y=y)
    assert shown in audit(y, {(y, leaf): x}).summary()


def test_a_report_counts_in_grammar_and_has_no_table_without_rows():
    y = simple()
    slope = audit(y, {("y", "x"): 0.0}).rows[0].derived
    assert str(audit(y, {})) == "there are no claims"
    assert audit(y, {("y", "x"): slope}).summary() == "the claim agrees with the graph"
    assert audit(y, {("y", "x"): slope, ("y", "y"): 1.0}).summary() == "all 2 claims agree with the graph"
    assert "1 of 1 claim differs from the graph, by 1 cause:" in audit(y, {("y", "x"): 0.0}).summary()
    assert "1 of 2 claims differs from" in audit(y, {("y", "x"): 0.0, ("y", "y"): 1.0}).summary()


def test_a_label_that_two_nodes_have_is_refused():
    a, b = Value(1.0, "a"), Value(2.0, "a")
    y = a + b
    y.label = "y"
    with pytest.raises(LabelError, match="'a' names 2 nodes"):
        audit(y, {("y", "a"): 1.0})
    assert audit(y, {("y", b): 1.0}).ok


def test_a_node_outside_the_graph_is_refused():
    with pytest.raises(LabelError, match="not in the graph"):
        audit(simple(), {("y", Value(2.0, "stranger")): 1.0})


def test_the_same_claim_by_label_and_by_node_is_claimed_twice():
    y = simple()
    with pytest.raises(InputError, match="∂y/∂x is claimed twice"):
        audit(y, {("y", "x"): 12.0, (y, "x"): 12.0})


def test_several_roots_make_one_graph():
    x = Value(2.0, "x")
    p, q = x * 3.0, x * 5.0
    label(p=p, q=q)
    assert audit([p, q], {("p", "x"): 3.0, ("q", "x"): 5.0, ("q", "p"): 0.0}).ok


def test_a_label_in_another_part_than_under_the_root_is_not_found():
    x = Value(2.0, "x")
    p, q = x * 3.0, x * 5.0
    label(p=p, q=q)
    with pytest.raises(LabelError):
        audit(p, {("q", "x"): 5.0})


def test_constants_are_nodes_of_the_graph_too():
    """A derivative by a frozen leaf or an input that carries no gradient can be claimed."""
    x, t = Value(2.0, "x"), Value(5.0, "t", requires_grad=False)
    y = x * t
    y.label = "y"
    assert audit(y, {("y", "t"): 2.0, ("y", "x"): 5.0}).ok
    assert y.requires_grad and pytest.raises(GradientError, t.backward)


def test_the_audit_changes_no_gradient():
    E = network()
    E.backward()
    nodes = topological([E])
    before = [node.grad for node in nodes]
    audit(E, derivation(E))
    assert [node.grad for node in nodes] == before


def test_a_derivative_that_does_not_exist_agrees_with_nothing():
    x = Value(0.0, "x")
    y = x.sqrt()
    y.label = "y"
    assert not audit(y, {("y", "x"): 1e300}).ok
    with ag.errstate("ignore"):
        assert not audit(y, {("y", "x"): 0.0}).ok


def test_the_side_of_a_choice_that_is_not_taken_adds_nothing_and_no_nan():
    x = Value(2.0, "x")
    with ag.errstate("ignore"):
        y = ag.where(ag.greater(x, 0.0), x * x, ag.log(x - 2.0) * ag.sqrt(x - 2.0)) * 3.0
        infinite = ag.sqrt(ag.where(ag.greater(x, 0.0), x - 2.0, Value(3.0, "never")))
    label(y=y, infinite=infinite)
    assert audit([y, infinite], {("y", "x"): 12.0, ("infinite", "never"): 0.0}).ok


def test_errors_that_cancel_but_for_rounding_are_inherited():
    x = Value(2.0, "x")
    p, q = x * 0.3, x * 0.7
    y = p + q
    label(p=p, q=q, y=y)
    report = audit(y, {("p", "x"): 0.1, ("q", "x"): -0.1, ("y", "x"): 0.0})
    assert [row.verdict for row in report.rows] == ["cause", "cause", "inherits"]


def test_a_claim_may_inherit_from_a_dependence_against_the_order_of_the_graph():
    """In any order of this graph a comes before u, and u before b; the claims have u depend on b."""
    x, w = Value(2.0, "x"), Value(3.0, "w")
    a = x * 3.0
    u = a * w
    b = x * 5.0
    y = u * 7.0
    z = b + y
    label(a=a, u=u, b=b, y=y, z=z)
    report = audit(z, {("u", "b"): 2.0, ("y", "x"): 63.0 + 70.0, ("z", "b"): 1.0})
    assert [(row.verdict, row.inherits_from) for row in report.rows] == [
        ("cause", ()), ("inherits", (("u", "b"),)), ("agrees", ())]
    report = audit([u, b], {("u", "b"): 2.0, ("u", "x"): 9.0 + 10.0})
    assert [row.verdict for row in report.rows] == ["cause", "inherits"]


def test_a_chain_of_100_000_nodes_and_a_sum_of_as_many_are_audited():
    x = Value(1.0, "x")
    deep = x
    for k in range(100_000):
        deep = deep + 1.0
        if k == 50_000:
            deep.label = "middle"
    wide = ag.sum([deep] * 100_000)
    label(deep=deep, wide=wide)
    report = audit(wide, {("deep", "middle"): 2.0, ("deep", "x"): 2.0, ("wide", "x"): 2e5,
                          ("wide", "deep"): 1e5, ("middle", "x"): 1.0})
    assert names(report.causes) == {("deep", "middle")}
    assert [row.verdict for row in report.rows] == ["cause", "inherits", "inherits", "agrees", "agrees"]


def test_a_thousand_levels_of_diamonds_are_audited():
    x = Value(1.0, "x")
    y = x
    for _ in range(1000):
        y = (y + y) * 0.5
    y.label = "y"
    assert audit(y, {("y", "x"): 1.0}).ok


# -- the report --------------------------------------------------------------------------------


def test_check_raises_an_assertion_error_that_says_the_causes_and_what_they_spoil():
    E = network()
    with pytest.raises(AssertionError) as caught:
        audit(E, derivation(E)).check()
    assert isinstance(caught.value, AuditError)
    assert str(caught.value) == (
        "4 of 24 claims differ from the graph, by 1 cause:\n"
        "  ∂neto2/∂outh1: claimed 0.4 (= w5), is 0.5 (= w7)\n"
        "      spoils ∂E/∂outh1, ∂E/∂w1, ∂E/∂w2")


def test_check_of_right_claims_says_nothing():
    E = network()
    report = audit(E, derivation(E, published=False))
    assert report.ok and report.check() is None and not report.causes and not report.differing


def test_the_table_has_the_causes_first_and_then_every_claim_within_80_columns():
    E = network()
    text = str(audit(E, derivation(E)))
    lines = text.splitlines()
    assert lines[1].startswith("  ∂neto2/∂outh1")
    assert max(map(len, lines)) < 80
    assert [line.split()[0] for line in lines if line.startswith("∂")] == [f"∂{o}/∂{i}" for o, i in PAIRS]
    assert [line.split()[0] for line in lines if line.endswith("CAUSE")] == ["∂neto2/∂outh1"]


@given(st.lists(st.text(max_size=120), min_size=2, max_size=6, unique=True))
@settings(max_examples=100, deadline=None)
def test_the_table_can_be_printed_whatever_the_labels(texts):
    nodes = [Value(1.0, text) for text in texts]
    y = ag.sum(nodes)
    report = audit(y, {(y, node): 2.0 for node in nodes})
    assert len(report.causes) == len(texts)
    assert str(report) and isinstance(report.rows[0].as_dict()["claim"][0], str)


def test_the_findings_are_the_causes_each_a_line_and_what_it_spoils_is_shortened():
    E = network()
    report = audit(E, derivation(E))
    assert isinstance(report, Report) and report.findings == report.causes
    assert list(map(str, report.findings)) == [
        "∂neto2/∂outh1: claimed 0.4, is 0.5; spoils ∂E/∂outh1, ∂E/∂w1, ∂E/∂w2"]
    xs = [Value(1.0, f"x{k}") for k in range(5)]
    u = ag.sum(xs)
    y = u * 2.0
    label(u=u, y=y)
    cause, = audit(y, {("y", "u"): 3.0, **{("y", x): 3.0 for x in xs}}).findings
    assert str(cause) == "∂y/∂u: claimed 3, is 2; spoils ∂y/∂x0, ∂y/∂x1, ∂y/∂x2 and 2 more"


def test_a_line_is_one_line_whatever_the_labels():
    x = Value(2.0, "a\nb\x1b[31m")
    report = audit(x * x, {(x, x): 3.0})
    assert str(report.findings[0]) == "∂a\\nb\\x1b[31m/∂a\\nb\\x1b[31m: claimed 3, is 1"
    assert "\x1b" not in str(report) and report.rows[0].as_dict()["claim"] == [x.label] * 2


def test_findings_can_still_be_called_and_heirs_be_asked_for_with_a_warning():
    report = audit(network(), derivation(network()))
    with pytest.warns(DeprecationWarning, match="summary"):
        assert report.findings() == report.summary()
    with pytest.warns(DeprecationWarning, match="inheriting"):
        assert report.heirs(report.causes[0]) == report.inheriting(report.causes[0]) != ()


def test_a_report_is_written_as_strict_json():
    report = audit(simple(), {("y", "x"): math.nan, ("u", "x"): 4.0, ("y", "u"): math.inf})
    facts = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert facts["ok"] is False and [row["claimed"] for row in facts["rows"]] == ["nan", 4.0, "inf"]
    assert [row["verdict"] for row in facts["rows"]] == ["cause", "agrees", "cause"]


def test_check_raises_with_the_summary():
    report = audit(simple(), {("y", "x"): 7.0})
    with pytest.raises(AuditError) as caught:
        report.check()
    assert str(caught.value) == report.summary()


def test_a_report_survives_pickle_and_copy():
    E = network()
    report = audit(E, derivation(E))
    for again in (pickle.loads(pickle.dumps(report)), copy.copy(report), copy.deepcopy(report)):
        assert again == report and str(again) == str(report) and again.findings == report.findings
    assert pickle.loads(pickle.dumps(report.findings)) == report.findings == copy.copy(report.findings)


def test_rows_are_written_as_json():
    E = network()
    rows = [row.as_dict() for row in audit(E, derivation(E)).rows]
    assert json.loads(json.dumps(rows)) == rows
    assert rows[10]["claim"] == ["neto2", "outh1"] and rows[10]["verdict"] == "cause"
    assert rows[14]["inherits_from"] == [["neto2", "outh1"]]


def test_hundreds_of_claims_are_held_against_one_graph():
    shuffler = random.Random(1)
    xs = [Value(shuffler.uniform(-1.0, 1.0), f"x{k}") for k in range(400)]
    ys = [xs[k] * xs[k + 1] for k in range(399)]
    label({f"y{k}": y for k, y in enumerate(ys)})
    claims = {(f"y{k}", f"x{k}"): xs[k + 1].data for k in range(399)}
    claims["y7", "x7"] = 5.0
    assert names(audit(ys, claims).causes) == {("y7", "x7")}
