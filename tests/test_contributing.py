"""CONTRIBUTING.md is true: an op added as it says works everywhere; its commands are those of .ci/run."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graphs import python_build

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
*EDITS, SHOWN = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
# Before or after what an edit's lines stand in each file.
PLACES = {"autograd_lite/ops/elementary.py": ("\n\n__test__ = ", "{lines}{place}"),
          "autograd_lite/__init__.py": ("\n\n__version__ = ", "\n{lines}{place}"),
          "tests/truth.py": ("\nTRUTH: dict[str, Callable[..., Any]] = {\n", "{place}{lines}")}
PROGRAM = f"""
import doctest, sys, autograd_lite
assert autograd_lite.__file__.startswith(sys.argv[1]) and "cosm1" in autograd_lite.__all__
test = doctest.DocTestParser().get_doctest({SHOWN!r}, {{}}, "CONTRIBUTING.md", None, 0)
runner = doctest.DocTestRunner()
runner.run(test)
assert runner.summarize(verbose=False) == (0, len(test.examples)) and len(test.examples) > 8
import test_ops
test_ops.test_the_truth_has_every_row()
test_ops.test_a_row_and_its_derivatives_to_the_third_order_are_the_truth("cosm1")
"""


def added(folder, change=lambda lines: lines):
    """Run what the page shows, and the tests of an op, in a copy with the op that the page adds."""
    shutil.copytree(ROOT / "autograd_lite", folder / "autograd_lite",
                    ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tests").mkdir()
    for path in (ROOT / "tests").glob("*.py"):
        shutil.copy(path, folder / "tests")
    files = {edit.split()[1].rstrip(","): edit.partition("\n")[2] for edit in EDITS}
    assert files.keys() == PLACES.keys()
    for name, lines in files.items():
        place, form = PLACES[name]
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(place) == 1
        text = text.replace(place, form.format(place=place, lines=change(lines)))
        text = text.replace("\n__all__ = [\n", '\n__all__ = [\n    "cosm1",\n')
        (folder / name).write_text(text, encoding="utf-8")
    return subprocess.run([sys.executable, "-c", PROGRAM, str(folder)], cwd=folder / "tests", text=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(folder)})


@python_build
def test_an_op_added_as_the_page_says_works(tmp_path):
    done = added(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@python_build
@pytest.mark.parametrize("right, wrong", [
    ("(lambda y, x: -sin(x),)", "(lambda y, x: -1.00001 * sin(x),)"),
    ("-2.0 * math.sin(0.5 * x) ** 2", "math.cos(x) - 1.0")])
def test_an_op_added_with_a_mistake_is_noticed(tmp_path, right, wrong):
    assert sum(right in edit for edit in EDITS) == 1
    assert added(tmp_path, lambda lines: lines.replace(right, wrong)).returncode != 0


def test_the_commands_are_those_that_are_run_before_a_merge():
    commands = re.findall(r"^\| .* \| `(.*)` \|$", TEXT, re.MULTILINE)
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert len(commands) >= 9
    for tool in ("mypy", "flake8", "pytest"):
        assert any([f"-m {tool}" in command and f"{command}\n" in run for command in commands]), tool
