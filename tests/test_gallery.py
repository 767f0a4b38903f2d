"""The gallery of derivations: each has the mistake that it says, and the library names it as it says."""
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograd_lite import diagnose
from autograd_lite.checks.report import columns
from autograd_lite.cli import main

FOLDER = Path(__file__).parent.parent / "demos" / "derivations"
FILES = sorted(FOLDER.glob("*.py"))
# of each file every cause, with the kind and the sentence that say what is wrong in it
GALLERY = {
    "attention": [("∂L/∂K", "transposition", "claimed is ∂L/∂S @ Q, right is ∂L/∂S.T @ Q")],
    "batch_norm": [("∂L/∂centred", "missing path", "the path via var is missing")],
    "black_scholes": [("∂d2/∂sigma", "missing path", "only the path via d1 is there")],
    "kalman_step": [("∂xnew/∂guess", "sign", "the path via surprise has the wrong sign")],
    "layer_norm": [("∂L/∂x", "extra factor", "the factor std is too much")],
    "lstm_step": [("∂L/∂c", "substitution", "1 − c² where 1 − tanh(c)² belongs")],
    "pendulum": [("∂L/∂angle", "missing factor", "the factor cos(angle) is missing in the path via speed")],
    "published_missing_slope": [("∂E/∂z", "missing factor", "the factor 2·o(1 − o) is missing")],
    "published_recurrent_step": [
        ("∂L/∂h1", "transposition", "claimed is ∂L/∂z2 @ W, right is ∂L/∂z2 @ W.T"),
        ("∂L/∂h0", "transposition", "claimed is ∂L/∂z1 @ W, right is ∂L/∂z1 @ W.T")],
    "published_recurrent_weights": [("∂L/∂W", "substitution", "h1 where h0 belongs")],
    "published_sign": [("∂E/∂y", "sign", "sign flipped")],
    "published_two_by_two": [("∂net/∂h", "substitution", "h where V belongs")],
    "softmax_cross_entropy": [("∂L/∂z", "extra factor", "the factor p(1 − p) is too much")],
}


def opened(file):
    spec = importlib.util.spec_from_file_location(f"gallery_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def flat(text):
    return " ".join(text.split())


def test_every_file_of_the_folder_is_in_the_table():
    assert [file.stem for file in FILES] == sorted(GALLERY)
    assert sum(name.startswith("published_") for name in GALLERY) >= 3


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_mistake_is_named_as_the_only_cause_and_the_docstring_says_so(file):
    module = opened(file)
    assert len(module.points) >= 4
    report = diagnose(module.forward, module.hand, module.points)
    doc, summary = flat(module.__doc__), report.summary()
    expected = GALLERY[file.stem]
    assert len(report.causes) == len(expected)
    for row, (claim, kind, text) in zip(report.causes, expected):
        assert f"\n  {claim}: " in summary and claim.endswith(f"/∂{row.claim[1]}")
        found = next((entry for entry in row.diagnoses if entry.kind == kind and text in entry.text), None)
        assert found, row.diagnoses
        assert found.text in doc and f"{claim}: " in doc
    assert summary.splitlines()[0] in doc
    for row in report.rows:
        assert row.verdict == "agrees" or f"/∂{row.claim[1]}" in doc


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_without_the_mistake_the_derivation_agrees(file):
    module = opened(file)
    for point in module.points:
        report = diagnose(module.forward, lambda point: module.hand(point, wrong=False), [point])
        assert report.ok, report.summary()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_is_short_and_a_published_one_names_its_source(file):
    text = file.read_text(encoding="utf-8")
    assert 30 <= len(text.splitlines()) <= 62
    assert text.endswith("\n    report = ag.diagnose(forward, hand, points)\n"
                         '    print(report.summary(), ag.derive(report.causes[0]), sep="\\n\\n")\n')
    if file.stem.startswith("published_"):
        assert "\nSource, retold" in text and ("https://" in text or "http://" in text)


def test_each_file_runs_as_a_script():
    """All at once: most of the time each spends on imports."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    running = {file: subprocess.Popen([sys.executable, "-W", "error", str(file)], stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, env=environment, encoding="utf-8")
               for file in FILES}
    for file, process in running.items():
        said, _ = process.communicate(timeout=100)
        assert process.returncode == 0, said
        assert all(text in flat(said) for _, _, text in GALLERY[file.stem])
        summary, derivation = said.split("\n\n", 1)
        assert written_out(derivation, GALLERY[file.stem][0][0]), derivation


def written_out(derivation, claim):
    """Whether the claim (or the worst of its entries) stands below the graph's line, what differs marked."""
    rows = derivation.split("\n")
    claimed, = [k for k, row in enumerate(rows) if re.match(" *claimed = ", row)][-1:]
    head = next(found[1] for row in rows[claimed::-1] if (found := re.match(r" *(∂\S+) = ", row)))
    ends = [re.sub(r"\[.*", "", end) for end in head.split("/")]
    return ("/".join(ends) == claim and any(row.strip(" ^") == "" != row for row in rows[claimed:])
            and "  graph = " in derivation and len(rows) <= 30 and max(map(columns, rows)) <= 79)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_command_writes_out_the_first_cause_and_as_many_as_are_asked_for(file, capsys):
    assert main(["audit", str(file)]) == 1
    one, first = capsys.readouterr().out, GALLERY[file.stem][0][0]
    assert written_out(one.split("\n\n", 1)[1], first) and max(map(columns, one.split("\n"))) <= 79
    assert main(["audit", str(file), "--derive", "0"]) == 1
    assert "graph = " not in capsys.readouterr().out
    assert main(["audit", str(file), "--derive", "9"]) == 1
    every = capsys.readouterr().out
    assert every.startswith(one) and len(re.findall(r"^ *claimed = ", every, re.MULTILINE)) >= len(
        GALLERY[file.stem])
