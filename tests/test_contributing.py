"""CONTRIBUTING.md is true: an op added as it says works everywhere; its commands are those of .ci/run."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from graphs import python_build

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
SHOWN, = [block for block in BLOCKS if block.startswith(">>>")]
EDITS = {block.split()[1]: block.partition("\n")[2] for block in BLOCKS if block.startswith("# ")}
# What the lines for each file stand before, or after.
PLACES = {"autograd_lite/ops/special.py": ("\n\ndef silu(", "\n\n{lines}{place}"),
          "autograd_lite/ops/elementary.py": ("\n\n__test__ = ", "{lines}{place}"),
          "autograd_lite/__init__.py": ("\n\n__version__ = ", "\n{lines}{place}"),
          "tests/truth.py": ("\nTRUTH: dict[str, Callable[..., Any]] = {\n", "{place}{lines}"),
          "tests/test_series.py": ('    "exp": (ag.exp, TRUE, -1, 1),\n', "{place}{lines}")}
PROGRAM = f"""
import doctest, sys, autograd_lite
assert autograd_lite.__file__.startswith(sys.argv[1]) and "rsqrt" in autograd_lite.__all__
test = doctest.DocTestParser().get_doctest({SHOWN!r}, {{}}, "CONTRIBUTING.md", None, 0)
runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
runner.run(test)
assert runner.summarize(verbose=False) == (0, len(test.examples)) and len(test.examples) > 10
import test_ops, test_series
test_ops.test_the_truth_has_every_row()
test_ops.test_a_row_and_its_derivatives_to_the_third_order_are_the_truth("rsqrt")
test_series.test_every_row_but_the_whole_quotient_is_held_against_mpmath()
"""


def added(folder, change=lambda lines: lines):
    """Run what the page shows, and the tests of an op, in a copy with the op that the page adds."""
    shutil.copytree(ROOT / "autograd_lite", folder / "autograd_lite",
                    ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tests").mkdir()
    for path in (ROOT / "tests").glob("*.py"):
        shutil.copy(path, folder / "tests")
    assert EDITS.keys() == PLACES.keys()
    for name, lines in EDITS.items():
        place, form = PLACES[name]
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(place) == 1
        text = text.replace(place, form.format(place=place, lines=change(lines)))
        text = text.replace("\n__all__ = [\n", '\n__all__ = [\n    "rsqrt",\n')
        (folder / name).write_text(text, encoding="utf-8")
    return subprocess.run([sys.executable, "-c", PROGRAM, str(folder)], cwd=folder / "tests", text=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(folder)})


@python_build
def test_an_op_added_as_the_page_says_works(tmp_path):
    done = added(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in EDITS:                          # (the rules of a change hold, too)
        lines = (tmp_path / name).read_text(encoding="utf-8").splitlines()
        assert name.startswith("tests/") or len(lines) <= 460, name
    assert "docs/tour.md" in TEXT               # (whose table of all names has a test of its own)


@python_build
def test_a_kernel_that_is_not_accurate_is_noticed(tmp_path):
    right, wrong = "1.0 / math.sqrt(x)", "math.exp(-0.5 * math.log(x))"
    assert sum(right in lines for lines in EDITS.values()) == 1
    done = added(tmp_path, lambda lines: lines.replace(right, wrong))
    assert done.returncode == 1 and "off by" in done.stderr.splitlines()[-1], done.stderr


def test_the_commands_are_those_that_are_run_before_a_merge():
    commands = re.findall(r"^\| .* \| `(.*)` \|$", TEXT, re.MULTILINE)
    run = [line.strip() for line in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()]
    assert len(commands) >= 9
    for tool in ("mypy", "flake8", "pytest"):
        command, = [command for command in commands if f"-m {tool}" in command]
        assert any([line.startswith(command) for line in run]), command
