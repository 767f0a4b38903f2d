"""What students hand in: mistakes inside an op, and files of all kinds graded at once."""
import json
import math

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value, cli, diagnose, label
from autograd_lite.diagnosis.forms import constant

boxed = np.vectorize(Value, otypes=[object])
NUMBERS = np.random.default_rng(3)
POINTS = [NUMBERS.normal(size=8) for _ in range(5)]


def kinds(build, claim, points=POINTS):
    """What is said of the gradient by x: `build` gives the loss, `claim` the numbers."""
    def forward(point):
        x = boxed(point)
        L = build(x)
        label(x=x, L=L)
        return L
    report = diagnose(forward, lambda point: {"x": claim(point)}, points)
    return [tuple(entry) for row in report.causes for entry in row.diagnoses]


def pairs(x):
    return ag.sum([ag.maximum(a, b) ** 2 for a, b in zip(x[::2], x[1::2])])


def scattered(first, second):
    """The gradient of `pairs`, with what the larger and the smaller of each pair get."""
    def claim(x):
        a, b = x[::2], x[1::2]
        larger, found = np.maximum(a, b), np.empty(8)
        found[::2] = 2.0 * larger * np.where(a > b, first, second)
        found[1::2] = 2.0 * larger * np.where(b > a, first, second)
        return found
    return claim


@pytest.mark.parametrize("first, second, text", [
    (0.0, 1.0, "the operand of maximum that is not taken is differentiated"),
    (1.0, 1.0, "each operand of maximum gets all of the gradient"),
    (0.5, 0.5, "each operand of maximum gets half of the gradient"), (1.0, 0.0, None)])
def test_a_maximum_whose_choice_is_not_heeded(first, second, text):
    assert kinds(pairs, scattered(first, second))[:1] == ([("branch", text)] if text else [])


def huber(x):
    return ag.sum([ag.where(ag.less(abs(r), 1.0), 0.5 * r * r, abs(r) - 0.5) for r in x])


@pytest.mark.parametrize("claim, text", [
    (lambda x: x, "the first branch of where is differentiated, taken or not"),
    (np.sign, "the second branch of where is differentiated, taken or not")])
def test_a_condition_that_is_not_heeded(claim, text):
    assert kinds(huber, claim)[0] == ("branch", text)


@pytest.mark.parametrize("claim, text", [
    (lambda x: 2.0 * x + 1.0, "the slope of relu is taken as 1 on both sides"),
    (lambda x: 2.0 * x + (x < 0.0), "the slope of relu is 0 where 1 belongs, and 1 where 0")])
def test_a_kink_whose_side_is_not_heeded(claim, text):
    assert ("branch", text) in kinds(lambda x: ag.sum([ag.relu(a) + a * a for a in x]), claim)


def entropy(x):
    return ag.sum([ag.log2(a) * a for a in x])


@pytest.mark.parametrize("claim, kind, text", [
    (lambda x: np.log2(x) + 1.0, "factor", "the derivative of log2 is off by a factor ln 2"),
    (lambda x: np.log2(x) + 1.0 / math.log(2.0) ** 2, "factor",
     "the derivative of log2 is off by a factor 1/ln 2"),
    (lambda x: np.log2(x) - 1.0 / math.log(2.0), "sign", "the derivative of log2 has the wrong sign"),
    (lambda x: np.log2(x), "missing path", "what comes through log2 is missing")])
def test_the_derivative_of_a_function_inside_is_wrong(claim, kind, text):
    assert kinds(entropy, claim, [abs(point) + 0.1 for point in POINTS])[0] == (kind, text)


def test_the_derivative_of_an_op_is_not_blamed_for_numbers_that_mean_nothing():
    noise = iter(np.random.default_rng(8).normal(size=(60, 8)))
    for build in (pairs, huber):
        assert not kinds(build, lambda x: next(noise))


def test_the_label_of_a_softmax_off_by_one():
    def claim(x):
        p = np.exp(x) / np.exp(x).sum()
        p[1] -= 1.0                                     # here 2 belongs
        return p
    assert kinds(lambda x: -ag.log_softmax(list(x))[2], claim) == [
        ("shift", "a part of one entry stands in another: here of [1] and [2]")]


def said(f, claim, names):
    """What is said of the derivative of f by the first of these names."""
    def forward(point):
        L = f(*map(Value, point, names))
        label(L=L)
        return L
    points = [abs(point[:len(names)]) + 0.3 for point in POINTS]
    report = diagnose(forward, lambda point: {names[0]: claim(*point)}, points)
    return [entry.text for row in report.causes for entry in row.diagnoses]


@pytest.mark.parametrize("f, claim, names, text", [
    (lambda k, c: ag.exp(k - c), lambda k, c: np.exp(k - c) * (k - c) ** 2, "kc",
     "the factor (k - c)² is too much"),
    (lambda y, x: y * (ag.sqrt(x + 2.0) - x), lambda y, x: -x, "yx", "a term √(x + 2.0) is missing"),
    (lambda y, x: y * ag.sqrt(x + 2.0), lambda y, x: x + 2.0, "yx", "the factor √(x + 2.0) is too much")])
def test_what_is_a_sum_stands_in_parentheses_within_a_formula(f, claim, names, text):
    assert text in (texts := said(f, claim, names)), texts


@pytest.mark.parametrize("claim, text", [
    (lambda s, n, q: n / s - q / s ** 2, "the factor s is too much in the derivative of q / (2.0 * s * s)"),
    (lambda s, n, q: n / s + q / s ** 3, "the derivative of q / (2.0 * s * s) has the wrong sign"),
    (lambda s, n, q: n - q / s ** 3, "the factor s is too much in the derivative of n * log(s)"),
    (lambda s, n, q: n / s - q / (2.0 * s ** 3), "off by a factor ½ in the derivative of q / (2.0 * s * s)")])
def test_one_term_of_a_derivative_is_wrong(claim, text):
    texts = said(lambda s, n, q: n * ag.log(s) + q / (2.0 * s * s), claim, "snq")
    assert text in texts, texts


def test_numbers_that_a_point_names_are_known_though_they_have_no_label():
    def forward(point):
        w = Value(point["w"], "w")
        L = ag.cos(w * point["t"])
        label(L=L)
        return L
    for slope, text in ((lambda w, t: -math.sin(w * t), "the factor t is missing"),
                        (lambda w, t: t * math.cos(w * t), "−L where sin(w * t) belongs")):
        points = [{"w": 0.3 + 0.1 * k, "t": 1.1 + 0.2 * k * k, "name": "x", "n": k} for k in range(4)]
        report = diagnose(forward, lambda point: {"w": slope(point["w"], point["t"])}, points)
        assert text in [found for _, found in report.causes[0].diagnoses]


def test_constants_are_written_by_their_names():
    constants = {math.log(2.0): "ln 2", -2.0 / math.log(10.0): "−2/ln 10", 4.0 * math.pi: "4·π",
                 math.log2(10.0): "log₂ 10", 0.3712: "0.3712"}
    assert {k: constant(k) for k in constants} == constants


# -- files -------------------------------------------------------------------------------------------

EXERCISE = """
import os, sys, time
import numpy as np, autograd_lite as ag
numbers = np.random.default_rng(0)
points = [dict(x=numbers.normal(size=3), W=numbers.normal(size=(2, 3))) for _ in range(4)]
def forward(p):
    x, W = np.vectorize(ag.Value)(p["x"]), np.vectorize(ag.Value)(p["W"])
    z = W @ x
    L = ag.sum(z ** 2)
    ag.label(x=x, W=W, z=z, L=L)
    return L
"""
HANDED_IN = {
    "right": ('return {"z": dz, "W": np.outer(dz, x)}', 0, "2 claims agree, at 4 points"),
    "halved": ('return {"z": dz / 2, "W": np.outer(dz, x) / 2}', 1,
               "∂L/∂z, line 5: 2 of 2 entries, at [0] claimed 0.315527, is 0.631055; off by a factor ½"),
    "turned": ('return {"W": np.outer(x, dz)}', 2, "audit: ∂L/∂W is claimed in the shape (3, 2), but W has "
               "the shape (2, 3); the transpose would fit"),
    "raises": ('raise ValueError("boom")', 2, "ValueError: boom, at raises.py:5"),
    "unfinished": ('return {', 2, "SyntaxError: '{' was never closed, at unfinished.py:5"),
    "ends": ('os._exit(0)', 2, "it ended Python, with status 0"),
    "one": ('return {"z": dz}', 0, "1 claim agrees, at 4 points"),
    "empty": ('return {}', 2, "hand(point) returns no claims"),
    "cased": ('return {"w": np.outer(dz, x)}', 2, "audit: in ∂L/∂w, no node is labelled 'w' in the graph: "
              "did you mean 'W'?; or name it with label(w=…)"),
    "hangs": ('time.sleep(60)', 2, "no answer in 2 s")}


@pytest.fixture
def handed_in(tmp_path, monkeypatch):
    """A function that writes some of these files beside the exercise, and gives the command's arguments."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exercise.py").write_text(EXERCISE)

    def write(*names):
        for name in names:
            (tmp_path / f"{name}.py").write_text(
                "from exercise import *\ndef hand(p):\n    x, W = p['x'], p['W']\n"
                f"    dz = 2.0 * W @ x\n    {HANDED_IN[name][0]}\n", encoding="utf-8")
        return ["audit", *[f"{name}.py" for name in names]]
    return write


def test_each_file_of_a_class_gets_its_verdict_whatever_the_others_do(handed_in, capsys):
    names = [name for name in HANDED_IN if name != "hangs"]
    assert cli.main(handed_in(*names)) == 2
    *lines, last = capsys.readouterr().out.splitlines()
    assert dict(line.split(".py", 1) for line in lines) == {
        name: " " * (12 - len(name)) + HANDED_IN[name][2] for name in names}
    assert last == "9 files: 2 agree, 1 differ, 6 cannot be used"


def test_a_file_that_is_not_done_in_time_is_stopped(handed_in, capsys):
    arguments = handed_in("hangs")
    assert cli.main([*arguments, arguments[-1], "--timeout", "1"]) == 2
    assert capsys.readouterr().out == 2 * "hangs.py  no answer in 1 s\n" + (
        "2 files: 0 agree, 0 differ, 2 cannot be used\n")


def test_a_file_without_a_derivation_is_one_line_among_several(handed_in, capsys):
    assert cli.main([*handed_in("right"), "exercise.py"]) == 2
    assert "exercise.py  it has no hand(point)\n" in capsys.readouterr().out
    assert cli.main(["audit", "exercise.py"]) == 2
    assert "it has no hand(point). A file to begin with:\n" in capsys.readouterr().err


def test_a_class_in_json_and_the_status_is_the_worst(handed_in, capsys):
    assert cli.main([*handed_in("right", "halved"), "--json", "--points", "3"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"] and [(entry["file"], entry["status"], entry["points"])
                               for entry in told["files"]] == [("right.py", 0, 3), ("halved.py", 1, 3)]
    assert [cause["line"] for report in told["files"][1]["reports"] for cause in report["causes"]] == [5]


def test_a_hand_that_returns_nothing_is_told_so():
    with pytest.raises(ag.InputError, match="got NoneType None: does the function return them"):
        diagnose(lambda p: Value(p) * 2.0, lambda p: None, [1.0])
