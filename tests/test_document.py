"""The worked example: every figure agrees with the reference, and its mistakes are found."""
from __future__ import annotations

import json
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from unicodedata import east_asian_width

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite import document
from autograd_lite.cli import main
from autograd_lite.errors import MissingError
from autograd_lite.graph.walks import topological

REFERENCE = json.loads((Path(__file__).parent / "reference" / "document.json").read_text())
RUNS = {"corrected": "corrected_weights_only", "published": "as_published",
        "with_biases": "corrected_weights_and_biases"}


def close(found: float, expected: str, rtol: float) -> bool:
    """Compared exactly: a difference of doubles would round."""
    truth = Fraction(expected)
    return abs(Fraction(found) - truth) <= Fraction(rtol) * abs(truth)


@pytest.fixture(scope="module")
def trainings() -> dict[str, document.Training]:
    return {name: document.train(name) for name in RUNS}


@pytest.mark.parametrize("published, name", [(False, "corrected"), (True, "as_published")])
def test_the_forward_pass_agrees_with_the_reference(published, name):
    expected = REFERENCE["forward_at_start"][name]
    network = document.Network(published=published)
    for key, value in document.forward(network).items():
        assert close(value, expected[f"{key[:3]}_{key[3:]}"], 1e-15)
    assert close(network.error().data, expected["E_total"], 1e-15)
    by_label = {node.label: node for node in topological([network.graph()]) if node.label}
    for key, value in document.forward(network).items():
        assert math.isclose(by_label[key].data, value, rel_tol=1e-15)


@pytest.mark.parametrize("published, name", [(False, "corrected"), (True, "published")])
def test_our_gradients_agree_with_the_reference(published, name):
    found = document.automatic_gradients(document.Network(published=published))
    for weight, expected in REFERENCE["gradients_at_start"][f"{name}_forward_true"].items():
        assert close(found[weight], expected, 1e-14)
    biases = REFERENCE["bias_gradients_at_start"][f"{name}_forward"]
    assert close(found["b1"], biases["b1_shared"], 1e-14)
    assert close(found["b2"], biases["b2_shared"], 1e-14)


@pytest.mark.parametrize("forward", ["corrected", "published"])
def test_the_published_derivation_is_reproduced(forward):
    network = document.Network(published=forward == "published")
    found = document.gradients(document.derivation(network, published=True))
    expected = REFERENCE["gradients_at_start"][f"{forward}_forward_published_gradient"]
    assert found.keys() == expected.keys()
    assert all(close(found[name], expected[name], 1e-14) for name in expected)


def test_the_audit_names_the_wrong_factor_on_the_corrected_forward_pass():
    report = document.audits()["corrected"]
    assert [row.claim for row in report.causes] == [("neto2", "outh1")]
    inheriting = {row.claim for row in report.rows if row.verdict == "inherits"}
    assert inheriting == {("E", "outh1"), ("E", "w1"), ("E", "w2")}


def test_the_audit_names_the_wrong_factors_on_the_published_forward_pass():
    report = document.audits()["published"]
    assert {row.claim for row in report.causes} == {("neto2", "w7"), ("neto2", "outh2"),
                                                    ("neto2", "outh1")}
    inheriting = {row.claim for row in report.rows if row.verdict == "inherits"}
    assert inheriting == {("E", "outh1"), ("E", "outh2"), ("E", "w7"),
                          *(("E", f"w{k}") for k in range(1, 5))}
    derived = {row.claim: row.derived for row in report.rows}
    assert derived["neto2", "outh1"] == 0.0


numbers = st.floats(-3, 3).filter(lambda x: abs(x) > 1e-2)


@given(st.tuples(*[numbers] * 8), st.tuples(numbers, numbers), st.tuples(numbers, numbers),
       st.tuples(st.floats(0, 1), st.floats(0, 1)))
@settings(max_examples=200, deadline=None)
def test_the_corrected_derivation_equals_ours_and_the_published_is_wrong_just_where_it_is(
        weights, biases, inputs, targets):
    network = document.Network(weights, biases)
    network.error(inputs, targets).backward()
    ours = {p.label: p.grad for p in network.weights + network.biases}
    network.zero_grad()
    corrected = document.gradients(document.derivation(network, False, inputs, targets))
    scale = max(map(abs, ours.values()))
    for name, value in corrected.items():
        assert math.isclose(value, ours[name], rel_tol=1e-12, abs_tol=1e-12 * scale)
    report = document.audit(network.graph(inputs, targets),
                            document.derivation(network, True, inputs, targets))
    w5, w7 = weights[4], weights[6]
    differing = {row.claim for row in report.differing}
    if abs(w5 - w7) <= 1e-6 * max(abs(w5), abs(w7)):
        assert report.ok
    elif math.isclose(w5, w7, rel_tol=1e-3) or 0.0 in ours.values():
        return                                      # those that inherit may lie within the tolerance
    else:
        assert [row.claim for row in report.causes] == [("neto2", "outh1")]
        assert differing <= {("neto2", "outh1"), ("E", "outh1"), ("E", "w1"), ("E", "w2")}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("steps", [1, 2, 10000])
def test_training_agrees_with_the_reference(trainings, name, steps):
    run = trainings[name] if steps == 10000 else document.train(name, steps)
    expected = REFERENCE["training"][RUNS[name]][str(steps)]
    assert all(close(w, e, 1e-11) for w, e in zip(run.weights, expected["weights"], strict=True))
    assert close(run.outputs[0], expected["out_o1"], 1e-11)
    assert close(run.outputs[1], expected["out_o2"], 1e-11)
    assert close(run.error, expected.get("E", expected.get("E_total")), 1e-11)
    if "biases" in expected:
        assert all(close(b, e, 1e-11) for b, e in zip(run.biases, expected["biases"], strict=True))


def test_the_last_step_prints_the_outputs_before_its_update(trainings):
    before = REFERENCE["training"]["as_published"]["9999"]
    assert close(trainings["published"].last_outputs[0], before["out_o1"], 1e-11)
    assert close(trainings["published"].differences[1][1], str(0.99 - float(before["out_o2"])), 1e-9)
    assert len(trainings["published"].errors) == 10001


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "autograd_lite", "document", *arguments], cwd=cwd,
                          capture_output=True, text=True, encoding="utf-8", timeout=120)


def strict(text: str) -> dict:
    def refuse(token: str) -> float:
        raise ValueError(token)
    return json.loads(text, parse_constant=refuse)


def test_the_command_prints_one_strict_json_object_that_agrees_with_the_reference(tmp_path):
    result = run("--json", "--output", "pictures", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    facts = strict(result.stdout)
    expected = REFERENCE["gradients_at_start"]
    for name, value in expected["corrected_forward_true"].items():
        assert close(facts["gradients"][name], value, 1e-14)
        assert close(facts["corrected_hand_gradients"][name], value, 1e-14)
    assert list(facts["gradients"]) == [*(f"w{k}" for k in range(1, 9)), "b1", "b2"]
    for name, value in expected["corrected_forward_published_gradient"].items():
        assert close(facts["published_gradients"][name], value, 1e-14)
    causes = [row["claim"] for row in facts["audit"] if row["verdict"] == "cause"]
    assert causes == [["neto2", "outh1"]]
    for name, key in RUNS.items():
        end, truth = facts["training"][name], REFERENCE["training"][key]["10000"]
        assert all(close(w, t, 1e-11) for w, t in zip(end["weights"], truth["weights"], strict=True))
        assert close(end["outputs"][0], truth["out_o1"], 1e-11)
        assert close(end["error"], truth.get("E", truth.get("E_total")), 1e-11)
    written = {Path(file).name for file in facts["files"]}
    assert written == {"document.png", "training.png"}
    for file in facts["files"]:
        assert (tmp_path / file).read_bytes().startswith(b"\x89PNG")


def test_the_tables_fit_80_columns_and_name_both_mistakes(tmp_path, capsys):
    assert main(["document", "--steps", "20", "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines() if str(tmp_path) not in line)
    assert "∂neto2/∂outh1: claimed 0.4 (= w5), is 0.5 (= w7)" in out
    assert "outh2 where neto2 needs outh1" in out
    assert out.count("PUBLISHED WRONG") == out.count("DIFFER") == out.count("not derived") == 2
    first = out.split("THE DOCUMENT")[0]
    assert "has 2 mistakes, and never updates its biases" in first
    assert "w5 where w7 belongs, at each of 3 random points" in first
    assert all(sum(2 if east_asian_width(c) in "WF" else 1 for c in line) <= 80 for line in out.splitlines()
               if str(tmp_path) not in line)


def test_the_script_as_it_stands_has_one_mistake_forward_and_one_backward():
    report = document.script_audit()
    assert [row.claim for row in report.causes] == ["neto2", ("neto2", "outh1")]
    assert {row.claim for row in report.rows if row.verdict == "inherits"} == {
        "outo2", "E", ("E", "outo2"), ("outo2", "neto2"), ("E", "outh1"), ("E", "outh2"),
        *(("E", f"w{k}") for k in (1, 2, 3, 4, 7, 8))}


@pytest.mark.parametrize("arguments, text", [
    (["--steps", "0"], "whole number, 1 or more"), (["--steps", "many"], "'many'"),
    (["--output", "{file}/below"], "--output")])
def test_bad_arguments_are_refused_with_a_clear_word(tmp_path, capsys, arguments, text):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SystemExit) as error:
        main(["document", *(a.format(file=file) for a in arguments)])
    assert error.value.code == 2 and text in capsys.readouterr().err


def test_without_matplotlib_the_curves_are_skipped_with_a_word(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["document", "--steps", "2", "--output", str(tmp_path)]) == 0
    assert "Matplotlib: pip install 'autograd-lite[demos]'" in capsys.readouterr().err
    assert not (tmp_path / "training.png").exists()


def test_without_numpy_the_diagnosis_says_what_brings_all_that_the_example_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "autograd_lite.diagnosis.evidence", None)
    with pytest.raises(MissingError) as missing:
        document.diagnosed()
    assert str(missing.value) == ("the worked example's diagnosis needs NumPy: "
                                  "pip install 'autograd-lite[demos]'")


def test_the_published_training_starts_at_the_error_of_its_own_forward_pass():
    at = document.forward(document.Network(published=True))
    error = 0.5 * sum((t - at[o]) ** 2 for t, o in zip(document.TARGETS, ("outo1", "outo2")))
    assert document.train("published", 1).errors[0] == pytest.approx(error, rel=1e-15)
