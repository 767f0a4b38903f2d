"""`diagnose` names the kind of mistake, by what holds at every one of several generic points."""
import json
import math
import sys

import numpy as np
import pytest

import autograd_lite as ag
import derivations
from autograd_lite import InputError, MissingError, Value, diagnose, label
from autograd_lite.diagnosis import hypotheses
from autograd_lite.diagnosis.forms import Form
from autograd_lite.diagnosis.functions import arguments
from autograd_lite.diagnosis.points import wrong_points

ALIKE = [{"factor", "missing factor", "extra factor", "extra path"}, {"missing path", "missing term", "zero"},
         {"substitution", "transposition", "missing factor", "sign"}]


def points(n=3, seed=1):
    numbers = np.random.default_rng(seed)
    return [{"x": numbers.normal(size=3), "W": numbers.normal(size=(4, 3)), "U": numbers.normal(size=(4, 4)),
             "v": numbers.normal(size=4), "t": numbers.normal()} for _ in range(n)]


def forward(point):
    """L = ½(v·tanh(U·tanh(Wx)) − t)² + ¼Σv²"""
    W, U, v, x = (np.vectorize(Value, otypes=[object])(point[name]) for name in "WUvx")
    a = W @ x
    h = np.tanh(a)
    b = U @ h
    k = np.tanh(b)
    out = k @ v
    fit = 0.5 * (out - point["t"]) ** 2
    penalty = 0.25 * (v * v).sum()
    L = fit + penalty
    label(W=W, U=U, v=v, x=x, a=a, h=h, b=b, k=k, out=out, fit=fit, penalty=penalty, L=L)
    return L


def hand(**mistakes):
    """The derivation; of the line that a mistake names, it gives the number from all the others."""
    def derived(point):
        x, W, U, v = (point[name] for name in "xWUv")
        h = np.tanh(W @ x)
        k = np.tanh(U @ h)
        d = {"out": k @ v - point["t"]}

        def write(name, number):
            d[name] = mistakes[name](d | {"x": x, "W_": W, "U_": U, "v_": v, "h_": h, "k_": k}) \
                if name in mistakes else number

        write("v", d["out"] * k + 0.5 * v)
        write("k", d["out"] * v)
        write("b", d["k"] * (1 - k ** 2))
        write("U", np.outer(d["b"], h))
        write("h", U.T @ d["b"])
        write("a", d["h"] * (1 - h ** 2))
        write("W", np.outer(d["a"], x))
        write("x", W.T @ d["a"])
        return d
    return derived


@pytest.mark.parametrize("line, mistake, kind, text", [
    ("b", lambda d: -d["k"] * (1 - d["k_"] ** 2), "sign", "sign flipped"),
    ("a", lambda d: 2 * d["h"] * (1 - d["h_"] ** 2), "factor", "off by a factor 2"),
    ("a", lambda d: d["h"] * (1 - d["h_"] ** 2) / math.sqrt(2), "factor", "off by a factor √½"),
    ("x", lambda d: 0.37 * d["W_"].T @ d["a"], "factor", "off by a factor 0.37"),
    ("b", lambda d: d["k"], "missing factor", "the factor 1 − k² is missing"),
    ("b", lambda d: d["k"] * (1 - d["k_"] ** 2) * d["k_"], "extra factor", "the factor k is too much"),
    ("k", lambda d: d["out"] * d["v_"] ** 2, "extra factor", "the factor v is too much"),
    ("k", lambda d: d["out"] * d["k_"], "substitution", "k where v belongs"),
    ("b", lambda d: d["k"] * (1 - d["k_"]), "missing factor", "the factor 1 + k is missing"),
    ("v", lambda d: d["out"] * d["k_"], "missing path", "the path via penalty is missing"),
    ("v", lambda d: 0.5 * d["v_"], "missing path", "only the path via penalty is there"),
    ("v", lambda d: d["out"] * d["k_"] - 0.5 * d["v_"], "sign", "the path via penalty has the wrong sign"),
    ("v", lambda d: d["out"] * d["k_"] + d["v_"], "extra path", "the path via penalty is counted twice"),
    ("v", lambda d: d["out"] * d["h_"] + 0.5 * d["v_"], "substitution",
     "h where k belongs in the path via out"),
    ("h", lambda d: d["U_"] @ d["b"], "transposition", "claimed is U @ ∂L/∂b, right is ∂L/∂b @ U"),
    ("U", lambda d: np.outer(d["h_"], d["b"]), "transposition", "claimed is the transpose"),
    ("U", lambda d: np.outer(d["b"], d["k_"]), "substitution", "k where h belongs"),
    ("U", lambda d: np.outer(d["k"], d["h_"]), "substitution", "∂L/∂k where ∂L/∂b belongs"),
    ("x", lambda d: d["W_"].T @ d["h"], "substitution", "∂L/∂h where ∂L/∂a belongs"),
    ("x", lambda d: d["W_"][1] * d["a"][1], "missing term", "of the sum over a only a[1] is there"),
    ("x", lambda d: d["W_"][1:].T @ d["a"][1:], "missing term", "a[0] is missing in the sum"),
    ("a", lambda d: np.roll(d["h"] * (1 - d["h_"] ** 2), 1), "shift", "shifted by one along axis 0"),
    ("k", lambda d: np.zeros(4), "zero", "claimed 0"),
    ("a", lambda d: d["h"] * (1 - d["h_"] ** 2) - 0.1 * d["h_"], "missing term", "a term 1/10·h is missing"),
    ("a", lambda d: d["h"], "missing factor", "the factor 1 − h² is missing"),
])
def test_each_kind_is_named_with_the_labels(line, mistake, kind, text):
    report = diagnose(forward, hand(**{line: mistake}), points())
    assert [row.claim[1] for row in report.causes] == [line]
    found = report.causes[0].diagnoses
    assert 1 <= len(found) <= 3 and any(entry.kind == kind and text in entry.text for entry in found), found
    assert f"{found[0].text}, at each of 3 points" in " ".join(report.summary().split())
    assert max(map(len, str(report).splitlines())) < 80
    assert [kind, next(e.text for e in found if e.kind == kind)] in report.causes[0].as_dict()["diagnoses"]


def test_a_right_derivation_has_the_report_of_the_last_point_and_a_wrong_one_of_the_first_that_differs():
    right, wrong = hand(), hand(b=lambda d: -d["k"])
    assert diagnose(forward, right, points()).ok
    seen = []

    def sometimes(point):
        seen.append(point)
        return right(point) if len(seen) == 1 else wrong(point)

    report = diagnose(forward, sometimes, points(5))
    assert report.causes[0].points == 4 and report.causes[0].diagnoses[0].kind == "missing factor"
    first = report.causes[0].claimed
    assert np.array_equal(first, wrong(points(5)[1])["b"])


@pytest.mark.parametrize("n", [1, 2])
def test_with_fewer_than_three_points_nothing_is_diagnosed_and_the_text_says_so(n):
    report = diagnose(forward, hand(b=lambda d: -d["b"] if "b" in d else -d["k"]), points(n))
    assert report.causes[0].diagnoses == () and report.causes[0].points == n
    assert "to say what kind of mistake takes three)" in " ".join(report.summary().split())


def test_a_function_of_any_number_of_arguments_has_no_names_for_them():
    assert arguments(lambda a, /, b, *, c=1.0, d=2.0: a) == ["a", "b"] and arguments(ag.hypot) == ["a", "b"]
    for f in (lambda a, *rest: a, lambda *rest: rest[0]):
        with pytest.raises(InputError, match="takes any number of arguments; say how many"):
            arguments(f)


def test_points_may_come_from_a_generator_and_no_more_are_drawn_than_are_needed():
    drawn = []

    def endless():
        while True:
            drawn.append(1)
            yield points(1, len(drawn))[0]

    assert diagnose(forward, hand(k=lambda d: -d["out"] * d["v_"]), endless()).causes[0].points == 5
    assert len(drawn) == 5


def test_no_points_and_no_numpy_are_said(monkeypatch):
    with pytest.raises(InputError, match="there is no point; give at least three"):
        diagnose(forward, hand(), [])
    monkeypatch.setitem(sys.modules, "autograd_lite.diagnosis.evidence", None)
    with pytest.raises(MissingError, match=r"diagnose needs NumPy: pip install 'autograd-lite\[check\]'"):
        diagnose(forward, hand(), points())


def test_at_round_numbers_that_agree_by_luck_every_point_counts():
    """At one point a = b: only the other two tell them apart."""
    def forward(point):
        a, b = Value(point[0], "a"), Value(point[1], "b")
        y = a * b
        label(y=y)
        return y

    def swapped(point):
        return {"a": point[0]}

    found = diagnose(forward, swapped, [(2.0, 2.0), (2.0, 3.0), (3.0, 5.0), (1.0, 7.0)]).causes[0]
    assert found.points == 3 and found.diagnoses[0].text == "a where b belongs"
    assert diagnose(forward, swapped, [(2.0, 2.0)] * 9).ok


def test_numbers_that_mean_nothing_are_explained_by_nothing():
    numbers = np.random.default_rng(5)
    told = n = 0
    for derivation in derivations.DERIVATIONS[::7]:
        at = [derivations.point(derivation, seed) for seed in range(3)]
        for key in derivations.run(derivation, at[0]):
            def random(point, key=key, derivation=derivation):
                claims = derivations.run(derivation, point)
                drawn = np.round(numbers.uniform(-2.0, 2.0, np.shape(claims[key])), 2)
                return claims | {key: drawn if drawn.ndim else float(drawn)}

            row = next(row for row, name in zip(diagnose(derivation.forward, random, at).rows,
                                                derivations.run(derivation, at[0])) if name == key)
            n, told = n + 1, told + bool(row.diagnoses)
    assert n > 25 and told <= n / 50


@pytest.mark.parametrize("name, share", [
    ("mazur", 0.9), ("batchnorm", 0.9), ("black_scholes", 0.9), ("kalman", 0.9), ("lstm", 0.85),
    ("softmax", 0.7)])
def test_most_mistakes_of_a_derivation_are_named_among_the_first_three(name, share):
    derivation = next(module for module in derivations.DERIVATIONS if module.__name__.endswith("." + name))
    at = [derivations.point(derivation, seed) for seed in range(3)]
    made = derivations.mistakes(derivation)
    named = 0
    for mistake in made:
        report = diagnose(derivation.forward, lambda point: derivations.run(derivation, point, mistake), at)
        kinds = {entry.kind for row in report.causes for entry in row.diagnoses}
        kind = mistake.kind.replace("_", " ")
        named += kind in kinds or any(kind in alike and kinds & alike for alike in ALIKE)
    assert named >= share * len(made)


def test_a_report_of_claims_that_come_and_go_is_strict_json():
    report = diagnose(forward, hand(b=lambda d: -d["k"]), points())
    facts = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert facts["rows"][3]["diagnoses"] == [list(entry) for entry in report.causes[0].diagnoses]
    assert "diagnoses" in facts["rows"][0] and facts["rows"][0]["diagnoses"] == []
    assert ag.Diagnosis("sign", "sign flipped") == ("sign", "sign flipped")


@pytest.mark.parametrize("mistake, kind, text", [
    (lambda dp, dq, q: dq, "substitution", "∂L/∂q where ∂L/∂p belongs"),
    (lambda dp, dq, q: dp * q, "extra factor", "the factor q is too much in ∂L/∂p"),
    (lambda dp, dq, q: dp / q, "missing factor", "the factor q is missing in ∂L/∂p")])
def test_a_wrong_gradient_is_named_though_the_way_from_there_is_no_product_of_labelled_numbers(
        mistake, kind, text):
    def forward(point):
        x = np.vectorize(Value, otypes=[object])(point["x"])
        p = x * np.roll(x, 1)
        q = point["U"][:3, :3] @ p
        L = (q ** 3).sum()
        label(x=x, p=p, q=q, L=L)
        return L

    def hand(point):
        x, U = point["x"], point["U"][:3, :3]
        q = U @ (x * np.roll(x, 1))
        dq = 3.0 * q ** 2
        dp = U.T @ dq
        wrong = mistake(dp, dq, q)
        return {"q": dq, "p": dp, "x": wrong * np.roll(x, 1) + np.roll(wrong * x, -1)}
    found = diagnose(forward, hand, points()).causes[0]
    assert found.claim[1] == "x" and found.diagnoses[0] == (kind, text)


def test_the_gradient_of_the_first_node_of_all_is_known_too():
    def forward(point):
        x, w = (np.vectorize(Value, otypes=[object])(point["U"][:, k]) for k in (0, 1))
        L = np.sin(point["W"] @ point["W"].T @ x + w).sum()
        label(x=x, w=w, L=L)
        return L

    def hand(point):
        M = point["W"] @ point["W"].T
        dw = np.cos(M @ point["U"][:, 0] + point["U"][:, 1])
        return {"x[0]": (M @ dw)[0], "w": M @ dw}
    found = diagnose(forward, hand, points()).causes[0]
    assert found.claim[1] == "w" and [entry.text for entry in found.diagnoses] == ["claimed is ∂L/∂x"]


def test_entries_that_are_mere_rounding_tell_of_no_factor():
    known = [Form("x", 0.0, np.array([1.0, 2.0, 2.0, 3.0])), Form("y", 0.0, np.array([1.0, 2.0, 5.0, 2.0]))]
    for tiny in (0.0, 1e-16):
        claimed, right = np.array([3e-16, -2e-16, 6.0, 12.0]), np.array([tiny, tiny, 3.0, 4.0])
        assert hypotheses._fitting(claimed, right, known) == [known[0]]


def test_claims_that_change_places_between_the_points_are_told_apart():
    def forward(point):
        a, b = Value(point[0], "a"), Value(point[1], "b")
        y = a * a * b
        label(y=y)
        return y

    def hand(point):
        a, b = point
        claims = [("a", -2.0 * a * b), ("b", 2.0 * a * a)]
        return claims[::-1] if a < 0.0 else claims

    points = [(0.7, 1.3), (-0.6, 0.9), (1.9, 0.4), (-1.1, -0.8), (0.3, 2.1), (-1.4, 1.7)]
    report = diagnose(forward, hand, points)
    assert [(row.name, row.points, [text for _, text in row.diagnoses]) for row in report.causes] == [
        ("∂y/∂a", 3, ["sign flipped"]), ("∂y/∂b", 3, ["off by a factor 2"])]


def test_a_claim_of_what_lies_above_it_is_only_said_not_to_depend_on_it():
    def forward(point):
        x = Value(point, "x")
        u = x * x
        f = ag.sin(u)
        label(u=u, f=f)
        return f

    for claims in ({("x", "u"): 0.5}, {("u", "f"): 1.0, "x": 7.0}, {("x", "f"): 2.0, ("u", "x"): 3.0}):
        report = diagnose(forward, lambda point, claims=claims: claims, [0.3, 0.7, -1.1, 1.6])
        assert "does not depend on" in report.summary() and report.causes[0].diagnoses == ()


# -- the points that tell most ---------------------------------------------------------------------------


class Draws:
    """Calls a check with points; so many at most, in order, until it raises an error of an audit."""

    def __init__(self, points):
        self.points, self.mosts = points, []

    def __call__(self, check, most):
        self.mosts.append(most)
        for point in self.points[:most]:
            check(point)


@pytest.mark.parametrize("differing, points, found", [
    ({3: 1, 5: 3, 7: 2, 9: 3}, range(20), [5, 9]), ({}, range(20), []), ({35: 1, 38: 2}, range(50), [35]),
    ({29: 1, 30: 2}, range(50), [29]), ({28: 2, 30: 2}, range(50), [28]), ({2: 2}, [2, 2, 2.5, 2], [2])])
def test_the_points_at_which_most_differ_are_found_among_the_first_thirty_or_else_the_first_of_all(
        differing, points, found):
    draws = Draws(list(points))
    assert wrong_points(lambda point: differing.get(point, 0), draws) == found and draws.mosts == [30, None]


@pytest.mark.parametrize("error", [ag.DomainError("x"), ZeroDivisionError(), OverflowError(), ValueError()])
def test_a_point_at_which_it_is_not_defined_is_passed_over_at_first(error):
    def differing(point):
        if point == 2:
            raise error
        return point
    assert wrong_points(differing, Draws([1, 2])) == [1]
    with pytest.raises(type(error)):
        wrong_points(differing, Draws([0, 2]))
