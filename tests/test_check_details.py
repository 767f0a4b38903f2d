"""Details of the checks: tolerances, numbers outside a domain, slopes at kinks, hidden causes, streams."""
from __future__ import annotations

import io
import math
import os
import random
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value, audit, check_gradients, check_op, custom_op, diagnose, label
from autograd_lite.checks.check_gradients import KINK, WRONG
from autograd_lite.checks.edges import one_sided
from autograd_lite.checks.forward import _inverse
from autograd_lite.checks.judged import judged
from autograd_lite.checks.slopes import reach, side, slope
from autograd_lite.commands import console
from autograd_lite.diagnosis import partials
from autograd_lite.diagnosis.view import DIRECT, View, Ways
from autograd_lite.ops.op import TABLE

# -- how far numbers may lie off ----------------------------------------------------------------------


class Tensor:
    """Numbers of another library's."""

    def __init__(self, kind, *numbers):
        self.dtype, self.shape, self.numbers = f"torch.{kind}", (len(numbers),), numbers

    def tolist(self):
        return list(self.numbers)


@pytest.mark.parametrize("kind, rtol, noise", [
    ("float64", 1e-6, 1e-12), ("float32", 1e-4, 1e-5), ("float16", 2e-2, 2e-3), ("bfloat16", 1e-1, 1e-2),
    ("int64", 1e-6, 1e-12)])
def test_numbers_of_each_precision_may_lie_off_so_far_and_so_much_of_the_terms_that_cancel(kind, rtol, noise):
    x, w = Value(2.0), Value(4.0)
    y = x * 5.0 - x * 5.0 + w * 3.0             # ∂y/∂x is 0, of terms of size 10 together
    label(x=[x], w=[w])
    for far, ok in ((0.9, True), (1.1, False)):
        assert audit(y, {"w": Tensor(kind, 3.0 * (1.0 - far * rtol))}).ok is ok
        assert audit(y, {"x": Tensor(kind, far * 10.0 * noise)}).ok is ok


def test_what_has_the_shape_of_a_number_and_does_not_give_it_is_none():
    class Nothing:
        shape = ()

    with pytest.raises(ag.InputError, match="∂f/∂x"):
        x = Value(2.0, "x")
        y = x * x
        label(f=y)
        audit(y, {("f", "x"): Nothing()})


# -- a forward pass -----------------------------------------------------------------------------------


@pytest.mark.parametrize("f, h, claimed", [
    (ag.log, 0.0, 0.5), (ag.sqrt, 0.0, 0.3), (ag.log, -1.0, 0.5), (lambda x: 1.0 / x, 0.0, -0.25),
    (lambda x: x ** 40.0, 1e300, 1.0), (ag.exp, 1e4, 2.0)])
def test_from_a_number_outside_a_domain_no_derivative_follows(f, h, claimed):
    x = Value(1.0)
    u = x * 2.0
    y = f(u)
    label(x=x, u=u, y=y)
    report = audit(y, {("y", "u"): claimed, ("u", "x"): 2.0}, values={"u": h, "y": y.data})
    assert [row.verdict for row in report.rows] == ["cause", "agrees", (
        "agrees" if claimed in (0.5, -0.25) else "cause"), "agrees"]


def test_a_rule_that_fails_at_the_students_number_gives_no_derivative_there():
    def rule(y, x):
        if x < 0.0:
            raise ValueError("no slope")
        return 2.0 * x
    op = custom_op(lambda x: x * x, (rule,), name="square of its own")
    try:
        x = Value(1.0)
        u = x * 3.0
        y = op(u)
        label(x=x, u=u, y=y)
        report = audit(y, {("y", "u"): -2.0, ("u", "x"): 3.0}, values={"u": -1.0})
        assert [row.verdict for row in report.rows] == ["cause", "cause", "agrees"]
    finally:
        del TABLE["square of its own"]


def test_a_number_that_inherits_is_spoilt_by_those_below_it_alone():
    x = Value(2.0)
    u, v = x * 3.0, x + 1.0
    w = u * 2.0
    y = w + v
    label(x=x, u=u, v=v, w=w, y=y)
    report = audit(y, {("y", "w"): 1.0}, values={"u": 7.0, "v": 5.0, "w": 14.0, "y": 20.0})
    assert [(row.verdict, row.inherits_from) for row in report.rows] == [
        ("cause", ()), ("cause", ()), ("inherits", ("u",)), ("cause", ()), ("agrees", ())]


def drawn_pass(seed):
    """A graph of sums and products, and the numbers of most nodes, of which some are wrong."""
    numbers = random.Random(seed)
    nodes, below = [Value(numbers.uniform(-2.0, 2.0)) for _ in range(3)], [()] * 3
    for _ in range(8):
        i, j = numbers.randrange(len(nodes)), numbers.randrange(len(nodes))
        nodes.append(nodes[i] * nodes[j] if numbers.random() < 0.5 else nodes[i] + nodes[j])
        below.append((i, j))
    for k, node in enumerate(nodes):
        node.label = f"n{k}"
    own, claims = [], {}
    for k, node in enumerate(nodes):
        xs = [own[i] for i in below[k]]
        own.append((xs[0] * xs[1] if node.op == "*" else sum(xs)) if xs else node.data)
        if numbers.random() < 0.7:
            if numbers.random() < 0.3:
                own[k] += numbers.choice((1.0, -0.25, node.data - own[k]))      # (or the right one again)
            claims[k] = own[k]
    return nodes, below, claims


@pytest.mark.parametrize("seed", range(40))
def test_a_number_inherits_exactly_where_it_follows_from_numbers_that_differ(seed):
    nodes, below, claims = drawn_pass(seed)
    own, reach, expected = [], [], {}
    for k, node in enumerate(nodes):
        xs = [own[i] for i in below[k]]
        follows = (xs[0] * xs[1] if node.op == "*" else sum(xs)) if xs else node.data
        from_below = set().union(*[reach[i] for i in below[k]])
        own.append(claims.get(k, follows))
        reach.append(from_below)
        if k in claims:
            right, consequent = (abs(claims[k] - x) < 1e-9 for x in (node.data, follows))
            verdict = "agrees" if right else "inherits" if consequent and from_below else "cause"
            reach[k] = set() if right else {f"n{k}"}
            expected[f"n{k}"] = verdict, sorted(from_below) if verdict == "inherits" else [], follows
    report = audit(nodes, {}, values={f"n{k}": x for k, x in claims.items()})
    assert [row.name for row in report.rows] == list(expected)
    for row, (verdict, heads, follows) in zip(report.rows, expected.values()):
        assert (row.verdict, sorted(row.inherits_from)) == (verdict, heads)
        assert math.isclose(row.follows, follows, rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize("f", [
    lambda u, v: u * v, lambda u, v: u / v, lambda u, v: u ** v, ag.hypot, lambda u, v: ag.tanh(u) * v,
    lambda u, v: ag.exp(u) + v, lambda u, v: ag.maximum(u, v), lambda u, v: ag.log(u * v),
    lambda u, v: 3.0 * u + v * 2.0, lambda u, v: ag.where(ag.less(u, 1.9), u * v, v * v)])
@pytest.mark.parametrize("wrong", [(1.5, 2.0), (2.5, 1.25), (2.0, 0.5)])
def test_derivatives_are_held_against_those_at_the_students_numbers(f, wrong):
    def graph(us=None):
        x = Value(1.0, "x")
        u, v = (x * 2.0, x * 2.0 if us is None else x * 0.0 + us[1]) if us is None else map(Value, us)
        label(u=u, v=v)
        y = f(u, v)
        label(y=y)
        return x, u, v, y

    x, u, v, y = graph()
    _, own_u, own_v, own_y = graph(wrong)
    own_y.backward()
    claims = {("y", "u"): own_u.grad, ("y", "v"): own_v.grad, ("u", "x"): 2.0}
    report = audit(y, claims, values={"u": wrong[0], "v": wrong[1], "y": own_y.data})
    rows = {row.name: row for row in report.rows}
    differ = [name for name, right in (("u", 2.0), ("v", 2.0)) if rows[name].claimed != right]
    assert [row.name for row in report.causes] == differ
    for name in ("∂y/∂u", "∂y/∂v"):
        assert math.isclose(rows[name].follows, rows[name].claimed, rel_tol=1e-12)
        assert rows[name].verdict in ("inherits", "agrees")
    own = claims["y", "u"] + 0.3
    assert "∂y/∂u" in [row.name for row in audit(
        y, claims | {("y", "u"): own}, values={"u": wrong[0], "v": wrong[1]}).causes]


def test_the_rounding_of_terms_that_cancel_counts_for_the_numbers_that_follow():
    x = Value(1.0, "x")
    a = x * 3e8
    b = x * -3e8
    c = a + b
    d = c * -2.0
    label(a=a, b=b, c=c, d=d)
    for error, verdict in ((1e-4, "agrees"), (1e-3, "cause")):          # (1e-12 of 6e8)
        report = audit(d, {}, values={"c": error})
        assert [row.verdict for row in report.rows] == [verdict], error
    for error, verdict in ((1e-3, "agrees"), (2e-3, "cause")):          # (and of twice as much)
        report = audit(d, {}, values={"d": error})
        assert [row.verdict for row in report.rows] == [verdict], error


@pytest.mark.parametrize("s", [1.0, -1.0, 1e-6, -1e-6, 1e6])
def test_the_terms_of_a_number_count_further_on_only_where_almost_all_of_it_cancels(s):
    def ok(d, error, **options):
        return audit(d, {}, values={d: d.data + error * abs(s)}, **options).ok

    x = Value(1.0)
    c = x * (3.0 * s) - x * (4.0 * s)
    d = c + x * s                               # of two terms of size s
    assert ok(d, 1.5e-12) and ok(d, -1.5e-12) and not ok(d, 2.5e-12) and not ok(d, -2.5e-12)
    c = x * (s * (1.0 + 1e-7)) - x * s          # of two of size 1e-7·s
    assert not ok(c - x * (1e-7 * s), 1e-15)
    c = x * (s * (1.0 + 1e-10)) - x * s         # of as much as the rounding of what c was made of
    assert ok(c - x * (1e-10 * s), 1e-15)
    leaf = Value(s)
    assert ok(leaf, 0.9e-12, rtol=0.0) and not ok(leaf, 1.1e-12, rtol=0.0) and not ok(leaf, 1e-5)


def test_what_is_made_of_plain_numbers_inherits_from_nothing_else():
    x, z = Value(1.0, "x"), Value(3.0, "z")
    w, u = z * 2.0, x * 2.0
    y = ag.exp(3.0 * u)
    label(w=w, u=u, y=y)
    slope = 3.0 * math.exp(7.5)
    report = audit([y, w], {("y", "u"): slope, ("y", "x"): 2.0 * slope},
                   values={"w": 7.0, "u": 2.5, "y": math.exp(7.5)})
    assert {row.name: row.inherits_from for row in report.rows if row.verdict != "cause"} == {
        "y": ("u",), "∂y/∂u": ("u",), "∂y/∂x": ("u", ("y", "u"))}
    assert [row.name for row in report.causes] == ["w", "u"]


@pytest.mark.parametrize("name, xs, i, y, x", [
    *[("exp", [1.0], 0, y, math.log(y)) for y in (0.4, 2.0, 3.3, 5.7, 7.9)],
    *[("tanh", [0.3], 0, y, math.atanh(y)) for y in (-0.4, 0.2, 0.35, 0.6)],
    ("*", [3.0, 4.0], 0, 6.0, 1.5), ("*", [3.0, 4.0], 1, 6.0, 2.0), ("/", [3.0, 4.0], 1, 1.0, 3.0),
    ("relu", [-1.0], 0, 2.0, None), ("//", [5.0, 2.0], 1, 7.0, None), ("sign", [2.0], 0, 0.0, None),
    ("sin", [0.1], 0, 2.0, None), ("sqrt", [4.0], 0, -1.0, None), ("log", [0.5], 0, 400.0, None),
    ("exp", [1.0], 0, -1.0, None)])
def test_where_an_op_gives_a_number_is_found_or_none_is(name, xs, i, y, x):
    found = _inverse(TABLE[name], xs, i, y)
    assert found is None if x is None else abs(found - x) <= 4e-13 * abs(x)


# -- kinks --------------------------------------------------------------------------------------------


def test_a_kink_that_cannot_be_told_is_none():
    assert math.isnan(side(TABLE["%"], [1.0, 0.0])) and reach(TABLE["%"], [1.0, 0.0]) == 0.0
    with ag.errstate("ignore"):
        assert one_sided(Value(1.0) % Value(0.0)) == []
    op = custom_op(lambda x: x * x, (lambda y, x: 2.0 * x,), name="mine", kink=lambda x: 1.0 / x)
    try:
        assert one_sided(op(Value(0.0))) == [] and math.isnan(side(op, [0.0]))
        x = Value(0.0, "x")
        assert [row.verdict for row in audit(op(x) + 3.0 * x, {"x": 1.0}).rows] == ["cause"]
    finally:
        del TABLE["mine"]


def test_where_the_function_fails_beyond_a_kink_nearby_no_claim_is_called_wrong():
    def f(x, fails=True):
        if fails and x.data < 1.0 - 1e-7:
            raise RuntimeError
        return ag.relu(x - 1.0)

    near = 1.0 + 5e-7
    assert check_gradients(f, near, claimed=7.0, order=1).verdict == KINK
    assert check_gradients(lambda x: f(x, False), near, claimed=7.0, order=1).verdict == WRONG
    assert check_gradients(lambda x: f(x, False), near, claimed=0.5, order=1).verdict == KINK


def test_the_points_at_which_an_op_is_checked_are_ordinary_numbers_within_its_domain():
    def points(op):
        return [entry.name.partition(" at ")[2] for entry in check_op(op, order=1).derivatives]

    ordinary = [0.7, -0.4, 1.3, -2.6, 3.2, 0.15, -1.1, 5.9, 0.93, -7.3, 18.0]
    assert points(ag.sin) == list(map(str, ordinary))
    assert points(ag.log) == ["0.7", "1.3", "3.2", "0.15", "5.9", "0.93", "18.0"]
    assert points(ag.hypot)[::2] == [f"{x}, {y}" for x, y in zip(ordinary, ordinary[3:] + ordinary[:3])]
    assert points(TABLE["where"])[:6:2] == ["0.0, -2.6, -1.1", "1.0, 3.2, 5.9", "0.0, 0.15, 0.93"]
    assert points(TABLE["logsumexp"])[::4][:2] == ["0.7, -2.6, -1.1, -7.3", "-0.4, 3.2, 5.9, 18.0"]


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, OverflowError, TypeError])
@pytest.mark.parametrize("fails", [lambda x: x > 1.0, lambda x: x < 1.0, lambda x: True])
def test_a_function_that_fails_on_one_side_has_no_slope(error, fails):
    def f(x):
        if fails(x):
            raise error
        return x * x
    assert slope(f, 1.0).error == math.inf


# -- hidden causes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("others", [(), (5.0,), (5.0, -2.0)])
def test_a_hidden_cause_may_depend_on_numbers_of_which_nothing_is_claimed(others):
    a, b = Value(2.0), Value(3.0)
    h = a * b
    for other in others:
        h = h * Value(other)
    L = h * h
    label(a=a, b=b, h=h, L=L)
    factor = math.prod(others)
    report = audit(L, {"a": 3.0 * factor * 7.0, "b": 2.0 * factor * 7.0})
    latent, = report.latent
    assert latent.claim == (L, "h") and latent.errors == 2
    assert np.allclose([*latent.claimed, *latent.derived], [7.0, 12.0 * factor], rtol=1e-12)
    assert repr(latent) == "<all 2 errors would follow from one wrong ∂L/∂h>"


def test_of_an_array_on_the_way_the_parts_that_lead_to_no_claim_are_left_out():
    a, b, c = Value(2.0), Value(3.0), Value(5.0)
    h = [a * b, c * c, a + b]
    L = h[0] * h[1] + h[2] * 3.0
    label(a=a, b=b, c=c, h=h, L=L)
    latent, = audit(L, {"a": 3.0 * 7.0 + 2.0, "b": 2.0 * 7.0 + 2.0}).latent
    assert latent.claim == (L, "h")
    assert np.allclose([latent.claimed, latent.derived], [[7.0, 2.0], [25.0, 3.0]], rtol=1e-9)


@pytest.mark.parametrize("n, found", [(20, [("L", "h")]), (750, [])])
def test_hidden_causes_of_very_many_numbers_are_not_looked_for(n, found):
    x, y = ([Value(1.0 + 0.5 * math.sin(k + shift)) for k in range(n)] for shift in (0.0, 0.5))
    h = [a * b for a, b in zip(x, y)]
    L = ag.dot(h, h)
    label(x=x, y=y, h=h, L=L)
    claims = {"x": [3.0 * a.data * b.data * b.data for a, b in zip(x, y)],
              "y": [3.0 * a.data * a.data * b.data for a, b in zip(x, y)]}
    report = audit(L, claims)
    assert len(report.causes) == 2 and [("L", entry.claim[1]) for entry in report.latent] == found


# -- diagnoses ------------------------------------------------------------------------


def test_points_are_drawn_until_each_claim_was_wrong_at_five_and_of_each_no_more_are_looked_at():
    drawn = []

    def points():
        for k in range(30):
            drawn.append(k)
            yield k

    def forward(k):
        a, b = Value(0.3 + 0.11 * k, "a"), Value(1.7 - 0.07 * k * k, "b")
        y = ag.sin(a * b) * b
        label(y=y)
        return y

    def hand(k):
        a, b = 0.3 + 0.11 * k, 1.7 - 0.07 * k * k
        return {"a": 3.0 * b * b * math.cos(a * b),
                "b": (math.sin(a * b) + a * b * math.cos(a * b)) * (-1.0 if k % 2 == 0 else 1.0)}

    report = diagnose(forward, hand, points())
    assert [(row.claim[1], row.points, row.diagnoses[0].text) for row in report.causes] == [
        ("a", 5, "off by a factor 3"), ("b", 5, "sign flipped")]
    assert drawn == list(range(9))


def test_of_an_array_that_lies_partly_elsewhere_the_gradient_is_0_there():
    x = Value(2.0)
    aside, a = x * 5.0, x * 3.0
    b = a * a
    s = b * 0.5 + a
    above = aside * s
    elsewhere = Value(1.0) * 2.0
    label(x=x, m=[b, aside, above, elsewhere], s=s)
    ways = Ways(View(judged(above, {("s", "x"): 1.0}, None), 0))
    (name, gradient), = ways.arrived()
    assert name == "∂s/∂m" and gradient.tolist() == [0.5, 0.0, 0.0, 0.0]
    onward, matrix = ways.leading("m")
    assert onward.tolist() == [0.5, 0.0, 0.0, 0.0] and matrix.tolist() == [36.0, 5.0, 0.0, 0.0]


def test_what_comes_to_entries_that_lie_elsewhere_or_above_or_are_the_output_itself():
    x = Value(2.0)
    aside, a = x * 5.0, x * 3.0
    b = a * a
    s = b * 0.5 + a
    above = aside * s
    label(x=x, m=[a, aside, above, Value(1.0) * 2.0, s], b=b, s=s)
    view = View(judged(above, {("s", "m"): [5.0, 5.0, 5.0, 5.0, 1.0]}, None), 0)
    ways = Ways(view)
    assert view.follows.tolist() == ways.otherwise({}).tolist() == [7.0, 0.0, 0.0, 0.0, 1.0]
    assert ways.by("b").tolist() == [6.0, 0.0, 0.0, 0.0, 0.0]
    assert ways.by(DIRECT).tolist() == [1.0, 0.0, 0.0, 0.0, 1.0]


def test_what_arrives_at_each_other_leaf_is_known():
    for claims, group, told in (({"x": 7.0}, 0, ("∂f/∂y", 2.0)), ({"x": 3.0, "y": 7.0}, 1, ("∂f/∂x", 3.0))):
        x, y = Value(2.0, "x"), Value(3.0, "y")
        f = x * y
        f.label = "f"
        view = View(judged(f, claims, None), group)
        assert [(name, float(g)) for name, g in Ways(view).arrived()] == [told]


def chain(n):
    """A judged chain of n nodes, each with a label if there are few; its claim is wrong."""
    y = Value(1.0, "x")
    for k in range(n - 1):
        y = ag.sin(y)
        y.label = f"y{k}" if n < 100 else ""
    y.label = "f"
    return judged(y, {"x": 2.0}, None)


def test_in_large_graphs_neither_ops_nor_expressions_are_looked_at_and_of_many_ways_sixty():
    for n, kinds in ((4000, {"sin": "smooth"}), (4001, {})):
        assert partials._kinds(SimpleNamespace(view=SimpleNamespace(judged=chain(n)))) == kinds
    for n, few in ((400, ["sin(x)", "sin(sin(x))", "sin(sin(sin(x)))"]), (401, [])):
        view = View(chain(n), 0)
        assert [text for text in view.numbers if "(" in text][:3] == few
    for n in (61, 62, 63):                      # (beside the ends)
        ways = Ways(View(chain(n), 0))
        assert list(ways.names) == [*[f"y{k}" for k in range(min(n - 2, 60))], DIRECT]


# -- streams ------------------------------------------------------------------------------------------


class Full(io.TextIOBase):
    """A stream whose device has no room."""

    def __init__(self, path):
        super().__init__()
        self.file = open(path, "wb")

    def write(self, text):
        return len(text)

    def flush(self):
        if not self.file.closed:
            raise OSError(28, "No space left on device")

    def fileno(self):
        return self.file.fileno()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_a_full_stream_holds_when_a_command_fails_goes_nowhere(stream, tmp_path, monkeypatch, capsys):
    full = Full(tmp_path / "full")
    monkeypatch.setattr(sys, stream, full)
    assert console.failed("a word\nor two", 3) == 3
    os.write(full.fileno(), b"what it holds")
    full.file.close()
    assert (tmp_path / "full").read_bytes() == b""
    if stream == "stdout":
        assert capsys.readouterr().err == "autograd-lite: a word or two\n"
