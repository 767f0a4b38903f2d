"""The README and docs' pages do what they say: code, commands and tables are true, links lead somewhere."""
from __future__ import annotations

import ast
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

ROOT = Path(__file__).parent.parent
README, DOCS = ROOT / "README.md", ROOT / "docs"
TEXTS = {path: path.read_text(encoding="utf-8") for path in [README, *sorted(DOCS.glob("*.md"))]}
TEXT = TEXTS[README]
ALL = {**TEXTS, **{path: path.read_text(encoding="utf-8") for path in [ROOT / "CONTRIBUTING.md"]}}


def pages(texts):
    return pytest.mark.parametrize("page", texts, ids=lambda page: page.name)


def blocks(text, language):
    """The fenced blocks of a language in a text, and the line before each."""
    return [(found[1], text.count("\n", 0, found.start(1)))
            for found in re.finditer(rf"```{language}\n(.*?)```", text, re.DOTALL)]


# -- what is shown is what happens -------------------------------------------------------------

def run(block, names, page, line):
    """Run a block of Python; what it defines is in `names` afterwards."""
    if ">>>" not in block:
        exec(compile("\n" * line + block, page, "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(block, names, page.name, str(page), line)
    test.globs = names
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test, clear_globs=False)
    assert runner.summarize(verbose=False).failed == 0, f"{page.name}, below line {line}"


def gives(code, names):
    """What a line of code gives, as a table shows it; an error as ``KindError: message``."""
    *before, last = ast.parse(code).body or [ast.Pass()]
    try:
        if not isinstance(last, ast.Expr):
            exec(code, names)
            return ""
        exec(compile(ast.Module(before, []), code, "exec"), names)
        return repr(eval(compile(ast.Expression(last.value), code, "eval"), names))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def agrees(shown, found):
    """Whether a table shows what was found: an error by its kind and a part of its message."""
    kind, colon, words = shown.partition("Error: ")
    if colon:
        return found.startswith(kind + colon) and words in found
    return shown == found or (not shown and not re.match(r"\w+Error: ", found))


def steps(text):
    """A page's blocks of Python and its tables of what code gives, in order, each with the line before."""
    pattern = r"```python\n(?s:(.*?))```|\| here \| gives \|\n.*\n((?:\|.*\n)+)"
    for found in re.finditer(pattern, text):
        yield found[1], found[2], text.count("\n", 0, found.start(1 if found[1] else 2))


def rows(table):
    """The code in each row of a table, and what it gives."""
    for row in table.splitlines():
        here, shown = [re.search(r"`([^`]*)`", cell) for cell in row.split(" | ")[-2:]]
        if here:
            yield here[1], shown[1] if shown else ""


@pages([page for page, text in TEXTS.items() if any(steps(text))])
def test_the_code_gives_what_it_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    wrong = []
    for block, table, line in steps(TEXTS[page]):
        if block:
            run(block, names, page, line)
        found = [(code, shown, gives(code, names)) for code, shown in rows(table or "")]
        wrong += [(line, *row) for row in found if not agrees(*row[1:])]
    assert wrong == []


@pytest.mark.parametrize("code, shown", [
    ("1 + 1", "3"), ("x = 1", "1"), ("1 / 0", "ValueError: division"), ("1 / 0", "ZeroDivisionError: none"),
    ("1 + 1", "ZeroDivisionError: division"), ("1 / 0", "")])
def test_a_row_that_gives_something_else_is_noticed(code, shown):
    assert not agrees(shown, gives(code, {}))


@pages([page for page, text in TEXTS.items() if blocks(text, "console")])
def test_the_commands_print_what_they_show(page, tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "demos" / "derivations", tmp_path / "demos" / "derivations")
    monkeypatch.chdir(tmp_path)
    for block, line in blocks(TEXTS[page], "console"):
        for shown in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = shown.partition("\n")
            program, *arguments = shlex.split(command)
            assert program == "autograd-lite", f"{page.name}, below line {line}: {command}"
            with contextlib.suppress(SystemExit):
                cli.main(arguments)
            assert "".join(capsys.readouterr()).rstrip() == expected.rstrip(), command
            if "-o" in arguments:
                assert (tmp_path / arguments[-1]).exists(), command


def test_the_pages_show_code_and_commands():
    assert len(blocks(TEXT, "python")) >= 5 and len(blocks("".join(TEXTS.values()), "python")) > 20
    assert "".join(TEXTS.values()).count("\n$ autograd-lite") >= 6


@pytest.mark.parametrize("command", [
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[demos]' && .venv/bin/autograd-lite document",
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m pytest"])
def test_the_two_commands_stand_on_a_line_of_their_own(command):
    assert [line for line in TEXT.splitlines() if line.strip() == command]


def test_the_readme_has_three_screens():
    assert TEXT.count("\n") <= 150
    assert max(len(line) for line in TEXT.splitlines() if line[:4] != "    ") <= 88


# -- what is named is there --------------------------------------------------------------------

def anchors(text):
    """What a link may point at in a page: each heading, as GitHub names it."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def missing(page, text):
    """What a page names or links to, and is not there."""
    for name in re.findall(r"(?<![\w/.])(?:demos|tests|docs|autograd_lite)/[\w/.-]*\w", text):
        if not (ROOT / name).exists() and not (page.parent / name).exists():
            yield name
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", text):
        path = (page.parent / target) if target else page
        if not path.exists() or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
            yield f"{target}#{anchor}"


@pages(ALL)
def test_every_file_and_heading_a_page_names_is_there(page):
    assert list(missing(page, ALL[page])) == []


@pytest.mark.parametrize("text", [
    "[a](docs/none.md)", "[a](docs/speed.md#none)", "[a](#none)", "tests/none.py"])
def test_what_is_not_there_is_noticed(text):
    assert len(list(missing(README, text))) >= 1


def test_every_page_is_reached_from_the_readme():
    linked, rest = set(), [README]
    while rest:
        page = rest.pop()
        if page not in linked:
            linked.add(page)
            targets = re.findall(r"\]\(([\w/.-]+\.md)", ALL.get(page, ""))
            rest += [(page.parent / target).resolve() for target in targets]
    assert {*ALL} <= linked


def test_what_a_script_writes_into_pages_is_there_and_the_same_in_all():
    names = re.findall(r"<!-- (?!end)([\w-]+) -->", "".join(TEXTS.values()))
    assert {"programs-summary", "operations-summary", "native", "share", "accuracy"} <= set(names)
    for name in names:
        parts = {re.split(r"<!-- .*? -->", text.split(f"<!-- {name} -->")[1])[0] for text in TEXTS.values()
                 if f"<!-- {name} -->" in text}
        assert len(parts) == 1 and parts.pop().strip(), name
    assert len(names) == "".join(TEXTS.values()).count("<!-- end -->")


def test_the_table_of_all_names_has_all_names_and_no_others():
    text = TEXTS[DOCS / "tour.md"]
    table = text[text.index("## All names"):].split("\n## ")[0]
    seen = set()
    for line in table.splitlines():
        if line.startswith("| ") and "`" in line:
            first, rest = line[2:].split("|", 1)
            place = importlib.import_module(f"autograd_lite.{first.strip().strip('`')}") \
                if "`" in first else autograd_lite
            code = " ".join(re.findall(r"`([^`]*)`", rest))
            names = re.findall(r"\w+", re.sub(r"\(.*?\)+(?=\s|$)", "", code))
            assert names and all(hasattr(place, name) for name in names), names
            seen.update(names)
    assert {*autograd_lite.__all__} - {"nn", "optim"} <= seen
