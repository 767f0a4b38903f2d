"""`audit` of derivations as people have them: arrays, single names, forward numbers, kinks, recursions."""
import json
import math
import pickle
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import InputError, LabelError, Value, audit, label
from autograd_lite.checks import latent, rule
from autograd_lite.checks.rows import AuditReport
from graphs import computations, recorded, rounded


def causes(report):
    return [row.claim for row in report.causes]


def verdicts(report):
    return [row.verdict for row in report.rows]


def classifier():
    """Two inputs, a hidden layer of three, one number; the labelled root and the numbers of its gradient."""
    numbers = np.random.default_rng(7)
    x, W, v = numbers.normal(size=2), numbers.normal(size=(2, 3)), numbers.normal(size=3)
    w, u = np.vectorize(Value, otypes=[object])(W), np.vectorize(Value, otypes=[object])(v)
    pre = x @ w
    h = np.tanh(pre)
    L = 0.5 * (h @ u) ** 2
    label(W=w, v=u, pre=pre, h=h, L=L)
    out = np.tanh(x @ W)
    dh = (out @ v) * v
    dpre = dh * (1.0 - out ** 2)
    return L, {"v": (out @ v) * out, "h": dh, "pre": dpre, "W": np.outer(x, dpre)}


# -- arrays and single names ------------------------------------------------------------------------


def test_a_key_that_is_one_name_stands_for_the_root_and_it():
    L, claims = classifier()
    report = audit(L, claims)
    assert report.ok and [row.claim for row in report.rows] == [(L, name) for name in claims]
    assert all(row.entries == {} and isinstance(row.derived, np.ndarray) for row in report.rows)
    for row, claimed in zip(report.rows, claims.values()):
        assert row.derived.shape == row.follows.shape == claimed.shape
        assert np.allclose(row.derived, claimed, rtol=1e-12) and np.array_equal(row.claimed, claimed)


def test_of_several_roots_the_first_is_meant():
    x = Value(2.0, "x")
    p, q = x * 3.0, x * 5.0
    label(p=p, q=q)
    assert audit([p, q], {"x": 3.0}).ok and audit([q, p], {x: 5.0}).ok


@pytest.mark.parametrize("entry", [(0, 0), (1, 2), (0, 1)])
@pytest.mark.parametrize("form", ["array", "list", "values"])
def test_a_wrong_entry_is_told_by_its_index(entry, form):
    L, claims = classifier()
    W = claims["W"].copy()
    W[entry] *= -1.0
    claims["W"] = {"array": W, "list": W.tolist(), "values": np.vectorize(Value, otypes=[object])(W)}[form]
    report = audit(L, claims)
    row = report.rows[-1]
    assert causes(report) == [(L, "W")] and row.entries == {entry: "cause"}
    if form == "list":
        assert row.claimed == W.tolist() and row.derived[entry[0]][entry[1]] == pytest.approx(-W[entry])
    assert f"∂L/∂W: 1 of 6 entries, at {list(entry)} claimed" in report.summary()
    assert report.summary().count("\n") <= 2                        # no line for each entry


def test_what_follows_from_a_wrong_array_inherits_from_it_and_the_text_groups():
    L, claims = classifier()
    wrong = claims | {"h": -claims["h"], "pre": -claims["pre"], "W": -claims["W"]}
    report = audit(L, wrong)
    assert verdicts(report) == ["agrees", "cause", "inherits", "inherits"]
    cause, pre, W = report.rows[1:]
    assert pre.inherits_from == ((L, "h"),) and W.inherits_from == ((L, "pre"),)
    assert cause.spoils == ((L, "pre"), (L, "W")) and set(pre.entries.values()) == {"inherits"}
    assert np.allclose(W.follows, W.claimed, rtol=1e-12) and not np.allclose(W.follows, W.derived)
    text = str(report)
    assert "∂L/∂h: 3 of 3 entries" in text and "spoils ∂L/∂pre, ∂L/∂W" in text
    assert max(map(len, text.splitlines())) < 80 and len(text.splitlines()) == 9


def test_a_line_that_is_wrong_after_a_wrong_one_shows_what_should_follow():
    x = Value(3.0, "x")
    y = x * 2.0
    z = y * 5.0
    label(y=y, z=z)
    report = audit(z, {"y": 7.0, "x": 15.0})
    assert verdicts(report) == ["cause", "cause"]
    assert [row.follows for row in report.rows] == [5.0, 14.0]
    assert "∂z/∂x: claimed 15, should follow as 14, is 10" in report.summary()


def test_a_row_may_have_entries_of_both_kinds():
    x = Value(2.0, "x")
    u = x * 3.0
    y = u * 5.0
    label(p=[u, x], y=y)                        # p[1] lies below p[0]
    report = audit(y, {"p": [6.0, 19.0]})
    assert report.rows[0].entries == {(0,): "cause", (1,): "cause"}
    report = audit(y, {"p": [6.0, 18.0]})
    assert report.rows[0].entries == {(0,): "cause", (1,): "inherits"}
    assert report.rows[0].verdict == "cause" and report.rows[0].inherits_from == ()
    assert "1 of 2 entries (1 inherits), at [0] claimed 6, is 5" in report.summary()


def test_a_pair_of_arrays_is_claimed_as_jacobian_gives_it():
    def f(x):
        return [x[0] * x[1], x[1] * x[2] * x[2], x[0] + 0.0]

    at = [2.0, 3.0, 5.0]
    x = [Value(t) for t in at]
    h = f(x)
    label(x=x, h=h)
    right = ag.jacobian(f)(at)
    assert audit(h, {("h", "x"): right}).ok and audit(h, {("h", "x"): np.array(right)}).ok
    wrong = np.array(right)
    wrong[1, 2] = 7.0
    row = audit(h, {("h", "x"): wrong}).rows[0]
    assert row.claim == ("h", "x") and row.entries == {(1, 2): "cause"}
    assert audit(h, {("h[1]", "x"): right[1], ("h[0]", "x"): right[0], ("h[2]", "x[0]"): right[2][0]}).ok


def test_arrays_themselves_are_claimed_in_a_list_of_pairs_as_lists_and_object_arrays():
    x, w = [Value(2.0), Value(3.0)], np.array([[Value(1.0), Value(5.0)]])
    y = (w @ np.array(x))[0]
    y.label = "y"
    report = audit(y, [(x, [1.0, 5.0]), ((y, w), [[2.0, 3.0]])])
    assert report.ok and report.rows[0].claim[1] is x
    label(x=x)
    wrong = audit(y, [((y, tuple(x)), (1.0, 4.0))])
    assert "∂y/∂x: 1 of 2 entries, at [1] claimed 4, is 5" in wrong.summary()


@pytest.mark.parametrize("name", ["W[0, 1]", "W[0][1]", "W[-2, 1]"])
def test_an_entry_is_named_as_people_write_it(name):
    L, claims = classifier()
    assert audit(L, {name: claims["W"][0, 1]}).ok
    assert audit(L, {name: claims["W"][1, 0]}).causes[0].claim == (L, name)


def test_a_part_of_an_array_is_named_by_fewer_indices():
    L, claims = classifier()
    assert audit(L, {"W[1]": claims["W"][1], "W[0]": list(claims["W"][0])}).ok


@pytest.mark.parametrize("number, shape", [(1.0, r"\(\)"), ([1.0] * 3, r"\(3,\)"),
                                           ([[1.0] * 2] * 3, r"\(3, 2\)"),
                                           (np.ones((2, 3, 1)), r"\(2, 3, 1\)"), ([], r"\(0,\)")])
def test_an_array_of_another_shape_is_refused_with_both_shapes(number, shape):
    L, _ = classifier()
    with pytest.raises(InputError, match=rf"∂L/∂W is claimed in the shape {shape}, but W has .* \(2, 3\)"):
        audit(L, {"W": number})
    with pytest.raises(InputError, match=r"it has the shape \(3, 2, 3\): h has \(3,\), W \(2, 3\)"):
        audit(L, {("h", "W"): number})
    with pytest.raises(InputError, match="the rows of a nested list have the shapes"):
        audit(L, {"W": [[1.0], [1.0, 2.0]]})


def test_a_number_in_an_array_that_is_none_is_refused_by_the_claims_name():
    L, _ = classifier()
    with pytest.raises(InputError, match="∂L/∂v: expected a real number, got str 'x'"):
        audit(L, {"v": [1.0, "x", 2.0]})


def test_a_node_with_several_labels_is_found_by_each_and_shows_the_first():
    z = [Value(1.0), Value(3.0), Value(2.0)]
    label(z=z)
    m = max(z)
    y = m * 5.0 + z[0]
    label(m=m, y=y)
    assert audit(y, {"m": 5.0}).ok and audit(y, {"z": [1.0, 5.0, 0.0]}).ok
    assert "∂y/∂m: claimed 4, is 5" in audit(y, {"m": 4.0}).summary()
    assert audit(y, {"z": [1.0, 5.0, 0.0], "m": 5.0}).ok                 # (the same number)
    assert verdicts(audit(y, {"z": [1.0, 4.0, 0.0], "m": 4.0})) == ["cause", "cause"]
    with pytest.raises(InputError, match=r"∂y/∂m is claimed twice, also as ∂y/∂z, .* z\[1\] is a part of"):
        audit(y, {"z": [1.0, 5.0, 0.0], "m": 0.0})


def test_entries_outside_the_graph_are_held_against_0():
    table = [[Value(float(i + j)) for j in range(2)] for i in range(4)]
    y = table[1][0] * table[1][1]
    label(E=table, y=y)
    right = np.zeros((4, 2))
    right[1] = [table[1][1].data, table[1][0].data]
    assert audit(y, {"E": right}).ok
    right[3, 1] = 0.5
    report = audit(y, {"E": right})
    assert report.rows[0].entries == {(3, 1): "cause"} and "y does not depend on E[3][1]" in report.summary()
    assert audit(y, [((y, table), right)]).rows[0].entries == {(3, 1): "cause"}
    assert audit(y, {"E[3]": [0.0, 0.0], "E[1][1]": 1.0}).ok
    with pytest.raises(LabelError, match=r"'E\[4\]' lies outside 'E', an array of shape \(4, 2\)"):
        audit(y, {"E[4]": [0.0, 0.0]})


def test_a_node_outside_the_graph_is_refused_with_the_remedy():
    x = Value(2.0, "x")
    y, other = x * 3.0, x * 5.0
    label(y=y)
    for claims in ({other: 1.0}, {(other, x): 5.0}, [([other], [1.0])]):
        with pytest.raises(LabelError, match=r"is not in the graph under the root; .* add it to the roots"):
            audit(y, claims)
    label(h=[y, other])
    with pytest.raises(LabelError, match="'h' is not in the graph under the root; .* add it to the roots"):
        audit(y, {("h", "x"): [3.0, 5.0]})
    assert audit([y, other], {("h", "x"): [3.0, 5.0]}).ok


def test_an_output_that_does_not_depend_on_an_input_is_told():
    a, b = Value(2.0, "a"), Value(3.0, "b")
    y, z = a * 2.0, b * 2.0
    label(y=y, z=z)
    report = audit([y, z], {"b": 0.0, ("z", "a"): 1.0, ("a", "y"): 0.5})
    assert verdicts(report) == ["agrees", "cause", "cause"]
    assert "z does not depend on a\n" in report.summary()
    assert "a does not depend on y; did you mean ∂y/∂a?" in report.summary()
    assert [row.independent for row in report.rows] == [False, True, True]


def test_a_report_of_arrays_is_compared_pickled_and_written_as_json():
    _, claims = classifier()
    L, _ = classifier()
    report = audit(L, {("L", name): -claimed for name, claimed in claims.items()})
    again = pickle.loads(pickle.dumps(report))
    assert again == report and str(again) == str(report) and hash(again.rows[0]) == hash(report.rows[0])
    assert audit(L, {("L", name): claimed for name, claimed in claims.items()}) != report
    facts = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert facts["rows"][0]["claim"] == ["L", "v"] and len(facts["rows"][-1]["claimed"]) == 2
    assert [[0, 0], "inherits"] in facts["rows"][-1]["entries"]


@pytest.mark.parametrize("kind, error, right", [
    (np.float32, 3e-5, True), (np.float32, 3e-4, False), (np.float64, 3e-5, False), (np.float16, 3e-3, True)])
def test_claims_of_lower_precision_are_held_to_what_it_allows(kind, error, right):
    L, claims = classifier()
    rough = {name: (claimed * (1.0 + error)).astype(kind) for name, claimed in claims.items()}
    assert audit(L, rough).ok == right
    assert audit(L, {"v[0]": kind(claims["v"][0] * (1.0 + error))}).ok == right


def test_the_report_says_how_far_numbers_may_lie_off():
    L, claims = classifier()
    assert "relative error" not in str(audit(L, claims))
    rough = {name: claimed.astype(np.float32) for name, claimed in claims.items()}
    assert "numbers agree within a relative error of 0.0001" in str(audit(L, rough))
    mixed = audit(L, claims | {"v": rough["v"]})
    assert "claims of lower precision agree within a relative error of 0.0001" in mixed.summary()
    assert [row.rtol for row in mixed.rows] == [1e-4, 1e-6, 1e-6, 1e-6]
    assert not audit(L, rough, rtol=1e-12).ok


# -- the rule: rounding, kinks, recursions, order ---------------------------------------------------------


def test_a_residual_has_one_mistake_the_sign_of_dy():
    x = Value(0.7, "x")
    f = ag.tanh(x)
    y = x + f
    L = 0.5 * y * y
    label(f=f, y=y, L=L)
    dy = -y.data
    df = dy
    report = audit(L, {(L, y): dy, (L, f): df, (L, x): dy + df * (1.0 - f.data ** 2)})
    assert causes(report) == [(L, y)] and verdicts(report) == ["cause", "inherits", "inherits"]


def test_a_quotient_whose_divisor_was_forgotten_spoils_three():
    p, q = Value(0.7, "p"), Value(1.3, "q")
    P = p + q
    K = P / (P + 1.0)
    N = (1.0 - K) * P
    label(P=P, K=K, N=N)
    KP = 1.0 / (P.data + 1.0)
    NP = (1.0 - K.data) - P.data * KP
    claims = {(K, P): KP, (K, q): KP, (N, P): NP, (N, q): NP}
    for roots in ([K, N], [N, K], [N]):
        report = audit(roots, claims)
        assert causes(report) == [(K, P)] and verdicts(report) == ["cause"] + ["inherits"] * 3


@pytest.mark.parametrize("shift", [0.3, -12.0, 1e3])
def test_a_claimed_0_agrees_where_a_sum_gives_its_rounding(shift):
    s, z = Value(shift, "s"), [Value(t) for t in (0.1, 0.7, -0.4)]
    shifted = [x + s for x in z]
    L = ag.logsumexp(shifted) - shifted[0]
    label(shifted=shifted, L=L)
    assert audit(L, {"s": 0.0}).ok and not audit(L, {"s": 1e-9}).ok


@pytest.mark.parametrize("f, slopes", [
    (ag.relu, (0.0, 1.0, 0.5)), (ag.abs, (0.0, -1.0, 1.0)), (lambda x: ag.leaky_relu(x, 0.25), (0.25, 1.0)),
    (lambda x: ag.elu(x, 2.0), (2.0, 1.0)), (lambda x: ag.maximum(x, 0.0), (0.0, 1.0)),
    (lambda x: ag.minimum(0.0, x), (0.0, 1.0)), (lambda x: ag.hypot(x, 0.0), (0.0, 1.0, -1.0))])
def test_at_a_kink_each_one_sided_slope_agrees_and_no_other(f, slopes):
    x = Value(0.0, "x")
    u = f(x * 2.0)
    y = u * 3.0
    label(u=u, y=y)
    own = audit(y, {"x": 0.0}).rows[0].derived
    for slope in slopes:
        report = audit(y, {"x": 6.0 * slope, ("u", "x"): 2.0 * slope})
        assert report.ok and report.rows[0].convention == (6.0 * slope != own)
        assert ("at its kink" in report.summary()) == report.rows[0].convention
        assert max(map(len, str(report).splitlines())) < 80
    assert not audit(y, {"x": 6.0 * 0.8}).ok and not audit(y, {"x": -12.0}).ok


def test_a_tie_may_go_to_either_operand_or_to_both_in_halves():
    a, b = Value(2.0, "a"), Value(2.0, "b")
    y = ag.maximum(a, b) * 4.0
    label(y=y)
    for by_a, by_b in ((4.0, 0.0), (0.0, 4.0), (2.0, 2.0)):
        assert audit(y, {"a": by_a, "b": by_b}).ok
    assert not audit(y, {"a": 3.0, "b": 1.0}).ok


def test_a_convention_holds_through_a_network_and_beside_a_real_mistake():
    x = [Value(t) for t in (0.0, 1.5, 0.0)]
    h = [ag.relu(t) for t in x]
    y = h[0] * 2.0 + h[1] * 3.0 + h[2] * 5.0
    z = y * y
    label(x=x, h=h, y=y, z=z)
    assert audit(z, {"x": [18.0, 27.0, 45.0], ("y", "x"): [2.0, 3.0, 5.0]}).ok
    assert audit(z, {"x": [18.0, 27.0, 0.0]}).causes == ()              # each by itself
    report = audit(z, {"h": [18.0, -27.0, 45.0], "x": [18.0, -27.0, 45.0]})
    assert [row.entries for row in report.rows] == [{(1,): "cause"}, {(1,): "inherits"}]


@pytest.mark.parametrize("slope", [1.0, -1.0])
def test_at_several_kinks_each_side_agrees(slope):
    x = Value(0.0, "x")
    n = ag.relu(ag.abs(x))
    z = ag.relu(x) + ag.abs(x)
    label(n=n, z=z)
    assert audit(n, {"x": slope}).ok and not audit(n, {"x": 0.5 * slope + 0.2}).ok
    assert audit(z, {"x": 2.0 if slope > 0.0 else -1.0}).ok and not audit(z, {"x": 3.0}).ok


def test_a_tie_of_three_goes_to_each():
    a, b, c = Value(1.0, "a"), Value(1.0, "b"), Value(1.0, "c")
    y = ag.maximum(ag.maximum(a, b), c)
    label(y=y)
    for k in range(3):
        assert audit(y, {name: float(k == i) for i, name in enumerate("abc")}).ok


def test_a_row_at_a_kink_that_inherits_or_is_a_cause_is_not_said_to_agree():
    x = Value(0.0, "x")
    u = ag.relu(x)
    y = 3.0 * u
    label(u=u, y=y, p=[x, Value(2.0)])
    report = audit(y, {"u": -3.0, "x": -3.0})
    assert verdicts(report) == ["cause", "inherits"] and report.causes[0].spoils == ((y, "x"),)
    assert "agrees by" not in report.summary() and "convention" not in str(report)
    assert not report.rows[1].convention
    mixed = audit([y, report.rows[0].claim[0]], [(([y], [x]), [[3.0]])])
    assert mixed.ok and mixed.rows[0].convention
    z = ag.relu(Value(0.0, "a")) * Value(2.0, "b")
    row = audit(z, [([z.operands[0].operands[0], z.operands[1]], [2.0, 7.0])]).rows[0]
    assert row.entries == {(1,): "cause"} and not row.convention


def test_saturated_units_may_be_written_by_their_result():
    for kind, at in ((np.float64, 16.0), (np.float64, 20.0), (np.float32, 5.0), (np.float32, 9.5)):
        for f, by_hand, slope in ((ag.tanh, np.tanh, lambda o: 1 - o * o),
                                  (ag.sigmoid, lambda t: 1 / (1 + np.exp(-t)), lambda o: o * (1 - o))):
            x = Value(at, "x")
            h = f(x)
            y = 2.0 * h
            label(h=h, y=y)
            assert audit(y, {"h": kind(2), "x": kind(2) * kind(slope(kind(by_hand(kind(at)))))}).ok
    x = Value(3.0, "x")
    assert not audit(ag.tanh(x), {x: -(1.0 - math.tanh(3.0) ** 2)}).ok


@pytest.mark.parametrize("last", [1.0, -1.0])
def test_rounding_that_adds_up_is_no_inheritance(last):
    x = Value(1.0, "x")
    nodes = [x]
    for _ in range(50):
        nodes.append(nodes[-1] * 2.0)
    label({f"n{k}": node for k, node in enumerate(nodes)})
    claims, g = {}, 1.0
    for k in range(49, -1, -1):
        g *= 2.0 * (1.0 + 8e-7)
        claims[nodes[-1], f"n{k}"] = g * (last if k == 0 else 1.0)
    report = audit(nodes[-1], claims)
    assert report.ok == (last > 0.0) and len(report.differing) == (last < 0.0)


def test_a_reversed_claim_changes_nothing_about_the_others():
    p, q = Value(1.0, "p"), Value(2.0, "q")
    u = 1.5 * p
    y = 3.0 * u + q
    label(u=u, y=y)
    claims = {("u", "q"): 0.5, ("y", "q"): 2.5}
    assert verdicts(audit(y, claims)) == ["cause", "inherits"]
    assert verdicts(audit(y, claims | {("q", "y"): 0.4})) == ["cause", "inherits", "cause"]


@pytest.mark.parametrize("part", [lambda W: W[1:], lambda W: W.T[:, 1:], lambda W: [[W[2, 1], W[1, 0]]]])
def test_a_part_of_an_array_that_is_given_itself_keeps_the_names_of_its_entries(part):
    W = np.array([[Value(float(i + j)) for j in range(2)] for i in range(3)])
    y = W[1, 0] * W[1, 1]
    label(W=W, y=y)
    shape = np.array(part(W)).shape
    report = audit(y, [((y, part(W)), np.full(shape, 1e3))])
    text = report.summary()
    assert "y does not depend on W[2][1]" in text or "y does not depend on W[2][0]" in text
    assert "∂y/∂[W[" in text
    assert "∂y/∂W[1]: " in audit(y, [((y, W[1]), [5.0, 5.0])]).summary()
    assert pickle.loads(pickle.dumps(report)) == report


def test_lists_of_float32_arrays_are_float32_and_tensors_and_0d_arrays_are_numbers():
    class Tensor:
        shape, dtype = (), "torch.float32"

        def item(self):
            return 5.0001

    x = Value(2.0, "x")
    y = x * 5.0
    w = [[Value(1.0), Value(2.0)]]
    z = w[0][0] * w[0][1]
    label(y=y, w=w, z=z)
    assert audit(y, {"x": Tensor()}).ok and audit(y, [(np.array(x, dtype=object), np.array(5.0))]).ok
    assert audit(z, {"w": [np.array([2.00006, 1.0], np.float32)]}).ok
    assert not audit(z, {"w": [[2.00006, 1.0]]}).ok


def test_a_detached_copy_does_not_take_a_nodes_name():
    x = Value(3.0, "x")
    y = ag.stop_gradient(x) * x
    label(y=y)
    assert audit(y, {"x": 3.0}).ok


@pytest.mark.parametrize("rtol", ["a", -1.0, math.nan])
def test_a_tolerance_that_is_none_is_refused(rtol):
    with pytest.raises(InputError, match="rtol is a number of at least 0"):
        audit(Value(1.0, "x"), {"x": 1.0}, rtol=rtol)


def test_odd_collections_of_claims_are_read_or_refused_with_a_clear_word():
    x = Value(2.0, "x")
    y = x * 3.0
    assert audit(y, {"x": 3.0}.items()).ok and audit(y, zip(["x"], [3.0]), values=None).ok
    nest = [x]
    nest.append(nest)
    with pytest.raises(InputError, match="nested too deeply, or holds itself"):
        audit(y, [((y, nest), 1.0)])
    with pytest.raises(InputError, match="neither a label nor a Value"):
        audit(y, [((y, np.empty((0, 3), object)), [])])
    with pytest.raises(InputError, match="values are a dict .*or a list of pairs"):
        audit(y, {}, values=3.0)


def recursion(steps):
    """A damped pendulum: the labelled root and the adjoint recursion, with a mistake in one step."""
    t, v = Value(0.9, "t0"), Value(0.1, "v0")
    ts, vs = [t], [v]
    for _ in range(steps):
        v = v * 0.995 - ag.sin(t) * 0.01
        t = t + v * 0.01
        ts.append(t), vs.append(v)
    L = 0.5 * t * t
    label({f"t{k}": x for k, x in enumerate(ts)} | {f"v{k}": x for k, x in enumerate(vs)}, L=L)

    def adjoints(at=None, mistake=lambda x: x):
        dt, dv, claims = ts[-1].data, 0.0, {}
        for k in range(steps, -1, -1):
            if k < steps:
                dt = dt - dv * 0.01 * math.cos(ts[k].data)
                dv = 0.995 * dv
            dt = mistake(dt) if k == at else dt
            claims["L", f"t{k}"] = dt
            dv = dv + dt * 0.01 if k else dv
            claims["L", f"v{k}"] = dv
        return claims
    return L, adjoints


@pytest.mark.parametrize("steps", [50, 4000])
@pytest.mark.parametrize("mistake", [lambda x: -x, lambda x: 1.001 * x, lambda x: 0.0],
                         ids=["sign", "factor", "zero"])
def test_one_mistake_in_a_long_recursion_is_named_and_the_rest_inherits(steps, mistake):
    L, adjoints = recursion(steps)
    assert audit(L, adjoints()).ok
    for at in (steps, steps // 2, 1):
        report = audit(L, adjoints(at, mistake))
        assert causes(report) == [("L", f"t{at}")]
        assert sum(row.verdict == "inherits" for row in report.rows) >= 2 * at


def test_a_mistake_made_at_every_step_of_a_recursion_is_named_at_every_step():
    x = Value(0.5, "x0")
    nodes = [x]
    for _ in range(2000):
        nodes.append(nodes[-1] - nodes[-1] * nodes[-1] * 0.01)
    y = nodes[-1]
    label({f"x{k}": node for k, node in enumerate(nodes)})
    claims, g = {}, 1.0
    for k in range(1999, -1, -1):
        g *= 1.0 + 0.02 * nodes[k].data                                 # for 1 − 0.02x
        claims[y, f"x{k}"] = g
    assert len(audit(y, claims).causes) == 2000


@st.composite
def derivations(draw):
    """A graph, the numbers of a derivation made line by line from its own numbers, and where it is wrong."""
    ops = ["+", "-", "*", "sum", "dot", "sin", "tanh"]
    nodes = recorded(draw(computations(6, ops, number=rounded(1))))[1]
    label({f"n{k}": node for k, node in enumerate(nodes)})
    place = {node: k for k, node in enumerate(nodes)}
    users = [[(place[node], p) for node in nodes for x, p in zip(node.operands, node.partials) if x is other]
             for other in nodes]
    top = len(nodes) - 1
    wrong = draw(st.dictionaries(st.integers(0, top - 1), st.sampled_from([-1.0, 2.0, 0.5]), max_size=3))
    g, claims = {top: 1.0}, {}
    for k in range(top - 1, -1, -1):
        terms = [g[user] * p for user, p in users[k] if user in g]
        if terms:
            follows = g[k] = sum(terms)
            claims[f"n{top}", f"n{k}"] = g[k] = wrong.get(k, 1.0) * follows
    return nodes, claims, {(f"n{top}", f"n{k}") for k in wrong if k in g and g[k]}


@given(derivations())
@settings(max_examples=200, deadline=None)
def test_up_to_three_mistakes_on_any_graph_are_named_exactly(case):
    nodes, claims, wrong = case
    report = audit(nodes[-1], claims)
    right = {row.claim for row in report.rows if row.verdict == "agrees"}    # (two mistakes may cancel)
    assert set(causes(report)) == wrong - right


@given(derivations(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_neither_the_order_of_the_roots_nor_that_of_the_claims_changes_a_verdict(case, shuffler):
    nodes, claims, _ = case
    found = {row.claim: (row.verdict, set(row.inherits_from)) for row in audit(nodes[-1], claims).rows}
    roots, pairs = nodes[:-1], list(claims.items())
    shuffler.shuffle(roots)
    shuffler.shuffle(pairs)
    again = audit([*roots, nodes[-1]], dict(pairs))
    assert {row.claim: (row.verdict, set(row.inherits_from)) for row in again.rows} == found


def test_a_thousand_wrong_claims_about_one_output_take_as_many_walks_as_right_ones(monkeypatch):
    shuffler = random.Random(3)
    xs = [Value(shuffler.uniform(-1.0, 1.0)) for _ in range(1000)]
    y = ag.sum([ag.sin(x) * x for x in xs])
    label(x=xs, y=y)
    y.backward()
    walks = []

    def counted(*facts, walk=rule.Rule.walk):
        walks.append(facts)
        return walk(*facts)

    monkeypatch.setattr(rule.Rule, "walk", counted)
    assert audit(y, {x: x.grad for x in xs}).ok and len(walks) == 1
    walks.clear()
    assert len(audit(y, {x: x.grad + 1.0 for x in xs}).causes) == 1000 and len(walks) <= 2


# -- the forward pass ---------------------------------------------------------------------------


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


def chain():
    """y = σ(3a)·b at a = 0.2, b = 5."""
    a, b = Value(0.2, "a"), Value(5.0, "b")
    net = 3.0 * a
    out = ag.sigmoid(net)
    y = out * b
    label(net=net, out=out, y=y)
    return y


@pytest.mark.parametrize("x", [0.3, -0.3])
@pytest.mark.parametrize("name", ["x", "y"])
def test_the_last_digits_of_a_number_do_not_count_whatever_its_sign_and_rtol(x, name):
    y = 2.0 * Value(x, "x")
    label(y=y)
    right = {"x": x, "y": 2.0 * x}[name]
    assert [audit(y, {}, values={name: right * (1.0 + error)}, rtol=1e-15).ok
            for error in (1e-13, 1e-11)] == [True, False]


def test_the_first_wrong_number_is_named_and_what_it_spoils():
    net = 2.0 * 0.2                             # for 3a
    out = sigmoid(net)
    report = audit(chain(), {}, values={"a": 0.2, "net": net, "out": out, "y": 5.0 * out})
    assert causes(report) == ["net"] and verdicts(report) == ["agrees", "cause", "inherits", "inherits"]
    assert report.causes[0].spoils == ("out", "y")
    assert report.rows[3].inherits_from == ("out",) and report.rows[3].follows == pytest.approx(5.0 * out)
    assert "net: claimed 0.4, is 0.6" in report.summary() and "spoils out, y" in report.summary()


def test_derivatives_are_judged_by_the_students_own_numbers():
    net = 0.4
    out = sigmoid(net)
    slope = out * (1.0 - out)
    values = {"net": net, "out": out, "y": 5.0 * out}
    report = audit(chain(), {("out", "net"): slope, "out": 5.0, "b": out, "net": 5.0 * slope}, values=values)
    assert causes(report) == ["net"]
    assert verdicts(report) == ["cause", "inherits", "inherits", "inherits", "agrees", "inherits", "inherits"]
    assert report.rows[3].inherits_from == ("net",) and report.rows[5].inherits_from == ("out",)
    wrong = audit(chain(), {("out", "net"): -slope}, values=values)
    assert causes(wrong) == ["net", ("out", "net")]


def test_a_slope_written_by_a_wrong_result_inherits_from_it():
    out = sigmoid(0.5)                          # of another number than net
    report = audit(chain(), {("out", "net"): out * (1.0 - out)}, values={"net": 0.6, "out": out})
    assert causes(report) == ["out"] and report.rows[2].inherits_from == ("out",)


@pytest.mark.parametrize("which", range(4))
def test_each_line_of_a_forward_pass_is_named_when_it_is_wrong(which):
    def line(k, x):
        return x + 0.125 if k == which else x

    a = line(0, 0.2)
    net = line(1, 3.0 * a)
    out = line(2, sigmoid(net))
    y = line(3, out * 5.0)
    report = audit(chain(), {}, values={"a": a, "net": net, "out": out, "y": y})
    assert causes(report) == [["a", "net", "out", "y"][which]]
    assert len(report.differing) == 4 - which


def test_two_wrong_numbers_arrays_and_branches_of_a_forward_pass():
    x = [Value(1.0), Value(-2.0)]
    h = [ag.relu(t) for t in x]
    y = h[0] * h[1] + h[0]
    label(x=x, h=h, y=y)
    report = audit(y, {}, values={"x": [1.0, 2.0], "h": np.array([1.0, 2.0]), "y": 4.0})
    assert causes(report) == ["x", "y"] and report.rows[0].entries == {(1,): "cause"}
    assert report.rows[1].entries == {(1,): "inherits"} and report.rows[2].follows == 3.0
    assert "y: claimed 4, should follow as 3, is 1" in report.summary()


def test_numbers_outside_a_domain_and_rounding_in_a_forward_pass():
    x = Value(2.0, "x")
    y = ag.log(x)
    z = (x + 1e-17) - x
    label(y=y, z=z)
    report = audit([y, z], {}, values={"x": -1.0, "y": math.nan, "z": 0.0})
    assert verdicts(report) == ["cause", "cause", "agrees"]
    assert audit([z], {}, values={"z": 1e-16}).ok
    with pytest.raises(InputError, match=r"y is claimed in the shape \(1,\), but y has the shape \(\)"):
        audit(y, {}, values={"y": [1.0]})
    with pytest.raises(LabelError, match="no node is labelled 'w'"):
        audit(y, {}, values={"w": 1.0})


@pytest.mark.parametrize("pick", [lambda x, a, b: ag.where(ag.less(x, 1.0), a, b),
                                  lambda x, a, b: ag.select(ag.less(x, 1.0), lambda: a, lambda: b)])
def test_a_branch_is_the_one_that_the_students_numbers_take(pick):
    x, a, b = Value(2.0, "x"), Value(3.0, "a"), Value(5.0, "b")
    y = pick(x, a, b) * 4.0
    label(y=y)
    report = audit(y, {"a": 4.0, "b": 0.0}, values={"x": 0.5, "y": 12.0})
    assert causes(report) == ["x"] and verdicts(report) == ["cause", "inherits", "inherits", "inherits"]
    assert report.rows[2].inherits_from == ("x",)


@pytest.mark.parametrize("f, by_result", [
    (lambda v: v ** 0.5, lambda y: 0.5 / y), (lambda v: 1.0 / v, lambda y: -y * y),
    (ag.sqrt, lambda y: 0.5 / y), (lambda v: v ** 3, lambda y: 3.0 * y ** (2 / 3)),
    (ag.tanh, lambda y: 1.0 - y * y), (ag.exp, lambda y: y)])
def test_whatever_the_op_a_slope_written_by_its_wrong_result_inherits(f, by_result):
    v = Value(0.6, "v")
    o = f(v)
    label(o=o)
    report = audit(o, {("o", "v"): by_result(0.7)}, values={"o": 0.7})
    assert causes(report) == ["o"] and verdicts(report) == ["cause", "inherits"]


def test_numbers_of_arrays_of_which_a_part_is_outside_the_graph_are_compared_where_they_can_be():
    E = [[Value(float(i + j)) for j in range(2)] for i in range(3)]
    y = E[1][0] * E[1][1]
    label(E=E, y=y)
    assert audit(y, {}, values={"E": [[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]}).ok
    report = audit(y, {}, values={"E": [[9.0, 1.0], [1.0, 7.0], [2.0, 3.0]], "y": 7.0})
    assert [row.entries for row in report.rows] == [{(1, 1): "cause"}, {(): "inherits"}]


# -- latent causes ------------------------------------------------------------------------------


def final(wrong=lambda dpre: dpre):
    """A batch of four through a hidden layer of two; the claims are the final gradients alone."""
    numbers = np.random.default_rng(11)
    x, W, b, v = (numbers.normal(size=s) for s in ((6, 2), (2, 2), 2, 2))
    w, c, u = (np.vectorize(Value, otypes=[object])(a) for a in (W, b, v))
    pre = x @ w + c
    h = np.tanh(pre)
    out = h @ u
    L = (out * out).sum()
    label(W=w, b=c, v=u, pre=pre, h=h, out=out, L=L)
    hidden = np.tanh(x @ W + b)
    dout = 2.0 * (hidden @ v)
    dpre = wrong(np.outer(dout, v) * (1.0 - hidden ** 2))
    return L, {"W": x.T @ dpre, "b": dpre.sum(axis=0), "v": hidden.T @ dout}


def test_one_wrong_derivative_on_the_way_explains_the_wrong_ones_at_the_end():
    L, claims = final(lambda dpre: 2.0 * dpre)
    report = audit(L, claims)
    assert causes(report) == [(L, "W"), (L, "b")]
    assert "pre" in [entry.claim[1] for entry in report.latent]
    entry = next(entry for entry in report.latent if entry.claim == (L, "pre"))
    assert entry.errors == 2 and len(entry.claimed) == len(entry.derived) == 12
    assert "all 2 errors would follow from one wrong ∂L/∂pre" in report.summary()
    assert report.as_dict()["latent"] == list(map(str, report.latent))


@pytest.mark.filterwarnings("error")
def test_what_is_not_finite_on_the_way_explains_nothing_and_warns_of_nothing():
    x, w = Value(0.0, "x"), Value(1.0, "w")
    with ag.errstate("ignore"):
        h = [ag.sqrt(x) * w, x * w * 2.0]
        label(h=h)
        y = h[0] * 3.0 + h[1]
        assert audit(y, {"x": 1.0, "w": 2.0}).latent == ()


def test_no_latent_cause_is_told_where_none_fits_or_none_is_needed():
    L, claims = final()
    assert audit(L, claims).latent == ()
    L, claims = final()
    assert audit(L, claims | {"W": 2.0 * claims["W"]}).latent == ()                    # one error
    x = Value(2.0)
    u = x * 3.0
    y = u * 5.0 + x
    label(x=x, u=u, y=y)
    assert audit(y, {"x": 1.0, "u": 2.0}).latent == ()                                 # claimed itself
    a, b, c = Value(2.0), Value(3.0), Value(5.0)
    s = a * b * c
    y = s * s
    label(a=a, b=b, c=c, s=s, y=y)
    s_wrong = [17.0 * p for p in (15.0, 10.0, 6.0)]
    assert [entry.claim for entry in audit(y, dict(zip("abc", s_wrong))).latent] == [(y, "s")]
    s_wrong[2] += 1.0
    assert audit(y, dict(zip("abc", s_wrong))).latent == ()


def test_without_numpy_nothing_latent_is_looked_for(monkeypatch):
    import sys
    L, claims = final(lambda dpre: -dpre)
    assert audit(L, claims).latent
    monkeypatch.setitem(sys.modules, "numpy", None)
    claims = {name: claimed.tolist() for name, claimed in claims.items()}
    report = audit(L, claims)
    assert len(report.causes) == 2 and report.latent == () and isinstance(report, AuditReport)


def test_the_search_for_latent_causes_is_bounded(monkeypatch):
    visited = []

    def counted(rule, places, lines, numpy, found=latent._derivatives):
        visited.append(max(places) - min(lines))
        return found(rule, places, lines, numpy)

    monkeypatch.setattr(latent, "_derivatives", counted)
    x, w = Value(1.0), Value(1.0)
    y, nodes = x * w, []
    for k in range(3000):
        y = y * 1.0001
        nodes.append(y)
    label(x=x, w=w)
    label({f"m{k}": node for k, node in enumerate(nodes)})
    report = audit(y, {x: 5.0, w: 5.0})
    assert len(report.causes) == 2 and report.latent and sum(visited) < 300_000


@pytest.mark.parametrize("nothing", [[], (), {}])
def test_without_a_root_there_is_nothing_to_audit(nothing):
    with pytest.raises(InputError, match="there is no root"):
        audit(nothing, {})
