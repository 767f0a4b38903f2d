"""The README does what it says: its code runs, its commands and its tables are true; so do docs' pages."""
from __future__ import annotations

import contextlib
import doctest
import importlib
import re
import shlex
import shutil
from pathlib import Path

import pytest

import autograd_lite
from autograd_lite import cli

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
PAGES = [README, *sorted((README.parent / "docs").glob("*.md"))]
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_code_blocks_print_what_they_show(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for block in BLOCKS:
        line = TEXT[:TEXT.index(block)].count("\n")
        if ">>>" not in block:
            exec(compile(block, f"README.md:{line}", "exec"), names)
            continue
        test = doctest.DocTestParser().get_doctest(block, names, "README.md", str(README), line)
        runner.run(test, clear_globs=False)
        names = test.globs
    assert runner.summarize(verbose=False).failed == 0
    assert len(BLOCKS) >= 5


def test_the_commands_print_what_they_show(tmp_path, monkeypatch, capsys):
    shutil.copytree(README.parent / "demos" / "derivations", tmp_path / "demos" / "derivations")
    monkeypatch.chdir(tmp_path)
    shown = re.findall(r"^\$ autograd-lite (.*)\n((?:(?!\$ |```).*\n)*)",
                       "".join(re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)), re.MULTILINE)
    assert len(shown) >= 6
    for command, expected in shown:
        with contextlib.suppress(SystemExit):
            cli.main(shlex.split(command))
        assert "".join(capsys.readouterr()).rstrip() == expected.rstrip(), command
    assert (tmp_path / "neuron.png").exists()


@pytest.mark.parametrize("command", [
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[demos]' && .venv/bin/autograd-lite document",
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m pytest"])
def test_the_two_commands_stand_on_a_line_of_their_own(command):
    assert [line for line in TEXT.splitlines() if line.strip() == command]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_a_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    named = [README.parent / name for name in re.findall(r"(?<!/)(?:demos|tests)/[\w/.-]*\w", text)]
    for path in [*named, *[page.parent / name for name in re.findall(r"\]\(([\w/.-]+)\)", text)]]:
        assert path.exists(), path


def test_what_a_script_writes_into_pages_is_there_and_the_same_in_all():
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    names = re.findall(r"<!-- (?!end)([\w-]+) -->", "".join(texts))
    assert {"programs-summary", "operations-summary", "share", "accuracy"} <= set(names)
    for name in names:
        parts = {re.split(r"<!-- .*? -->", text.split(f"<!-- {name} -->")[1])[0] for text in texts
                 if f"<!-- {name} -->" in text}
        assert len(parts) == 1 and parts.pop().strip(), name
    assert len(names) == "".join(texts).count("<!-- end -->")


def test_every_name_in_the_table_of_what_there_is_exists():
    table = TEXT[TEXT.index("## What there is"):TEXT.index("## What it refuses")]
    for line in table.splitlines():
        if line.startswith("| ") and "`" in line:
            first, rest = line[2:].split("|", 1)
            place = importlib.import_module(f"autograd_lite.{first.strip().strip('`')}") \
                if "`" in first else autograd_lite
            code = " ".join(re.findall(r"`([^`]*)`", rest))
            names = re.findall(r"\w+", re.sub(r"\(.*?\)+(?=\s|$)", "", code))
            assert names and all(hasattr(place, name) for name in names), names
