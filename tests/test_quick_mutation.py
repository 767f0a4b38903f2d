"""The quick campaign of mutants, on a small package."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12) or not hasattr(os, "fork"),
                                reason="it asks which lines are run, as Python 3.12 tells, and forks")

SUMS = """
def add(a, b=1):
    if a > 100:
        return "much"
    return a + b


def unused(a):
    return a * 2
"""
TESTS = """
import pytest
from small.sums import add


@pytest.mark.parametrize("a", [1, 2])
def test_add(a):
    assert add(a, 2) == a + 2


def test_that_fails():
    assert not add(1, 2)
"""


def run(folder, *options):
    code = ("import sys; from pathlib import Path; import quick_mutation; "
            "quick_mutation.main(sys.argv[1:], Path.cwd(), 'small')")
    path = os.pathsep.join(map(str, (folder, Path(__file__).parent / "campaigns", Path(__file__).parents[1])))
    done = subprocess.run([sys.executable, "-c", code, *options], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": path})
    return done.stdout


def test_it_tells_what_a_test_notices_from_what_it_does_not(tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "sums.py").write_text(SUMS)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_sums.py").write_text(TESTS)
    said = run(tmp_path, "--jobs", "2", "--lines", "lines.json")
    assert "2 of 3 tests pass, and run 2 lines" in said
    lines = iter([line.strip() for line in said.splitlines() if line.startswith(("sums", "  +"))])
    fates = {new: head.partition(": ")[2].split()[0] for head, new in zip(lines, lines)}
    assert fates == {
        "+ return a - b": "killed", "+ if (not (a > 100)):": "killed", "+ if a >= 100:": "SURVIVED",
        "+ if a > 101:": "SURVIVED", "+ def add(a, b=2):": "not", "+ return a / 2": "not",
        "+ return a * 3": "not"} | {head: fate for head, fate in fates.items() if head == "+ return None"}
    assert "could not be run here" in said and "3 of 5 died (60.0 %)" in said
    again = run(tmp_path, "--jobs", "2", "--lines", "lines.json", "--mutants", "3")
    assert "tests pass" not in again and again.count("\n  + ") == 3
