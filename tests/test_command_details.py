"""Options of the commands, their bounds and defaults; the lines that errors show; what is read."""
from __future__ import annotations

import io
import json
import math
import os
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest
from test_golden_commands import ran

from autograd_lite import cli
from autograd_lite.commands import check, console
from autograd_lite.commands.several import audit_all
from autograd_lite.expression import FUNCTIONS, LENGTH, parse

# -- options ------------------------------------------------------------------------------------------

COMMANDS = {"grad": "grad x", "draw": "draw x", "check": "check x --claim x:1", "audit": "audit d.py"}
BOUNDS = [("grad", "--order", 1, 30), ("draw", "--digits", 1, 17), ("draw", "--max-nodes", 1, sys.maxsize),
          ("check", "--points", 1, 100_000), ("check", "--seed", 0, sys.maxsize),
          ("check", "--derive", 0, 1000), ("audit", "--points", 1, 1_000_000),
          ("audit", "--derive", 0, 1000), ("audit", "--timeout", 1, 1_000_000)]
DEFAULTS = {
    "grad": dict(expression="x", at=[], wrt=None, order=1, ieee=False, json=False, refused=2, failed=1),
    "draw": dict(expression="x", at=[], output=None, style=None, theme="light", colour="kind", direction=None,
                 digits=None, max_nodes=100, focus=None, caption="", ieee=False, json=False, refused=2,
                 failed=1),
    "check": dict(expression="x", claim=["x:1"], points=200, seed=0, at=[], rtol=None, derive=1, json=False,
                  refused=2, failed=2),
    "audit": dict(file=["d.py"], points=None, derive=1, timeout=60, json=False, refused=2, failed=2)}


def parsed(line):
    """What a command is given, as it is when it runs."""
    options = vars(cli._parser().parse_args(shlex.split(line)))
    return {name: x for name, x in options.items() if name not in ("run", "command")}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_not_said_is_as_the_help_tells(command):
    assert {"failed": 1} | parsed(COMMANDS[command]) == DEFAULTS[command]


@pytest.mark.parametrize("command, option, low, high", BOUNDS)
def test_whole_numbers_are_taken_within_their_bounds(command, option, low, high, capsys):
    name = option[2:].replace("-", "_")
    for n in (low, high):
        assert parsed(f"{COMMANDS[command]} {option} {n}")[name] == n
    for n in (low - 1, high + 1):
        with pytest.raises(SystemExit):
            parsed(f"{COMMANDS[command]} {option} {n}")
        assert f"give a whole number, {low} or more" if high == sys.maxsize else (
            f"give a whole number, from {low} to {high}") in capsys.readouterr().err


def test_a_help_lists_the_functions_in_the_order_of_the_alphabet(capsys):
    for command in ("grad", "draw", "check"):
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        listed = capsys.readouterr().out.partition("functions:")[2].partition("(")[0].split()
        assert listed == sorted(listed) and {*listed} < {*FUNCTIONS} and len(listed) > 30


# -- what is read -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["", "\ufeff", "ï»¿", "\ufeffï»¿"])
def test_the_standard_input_may_be_so_long_and_is_read_no_further(mark, monkeypatch, capsys):
    for n, status in ((LENGTH, 0), (LENGTH + 1, 2)):
        monkeypatch.setattr(sys, "stdin", io.StringIO(mark + "x" + " " * (n - 1)))
        assert cli.main(["grad", "-", "--at", "x=3", "--json"]) == status
        out, err = capsys.readouterr()
        assert (f"at most {LENGTH} are read" in err) is bool(status) and out == (
            "" if status else '{"value": 3.0, "gradient": {"x": 1.0}}\n')
    endless = io.StringIO(mark + "x" * 3 * LENGTH)
    monkeypatch.setattr(sys, "stdin", endless)
    assert cli.main(["grad", "-", "--at", "x=3"]) == 2 and endless.tell() == LENGTH + 5
    capsys.readouterr()


# -- lines --------------------------------------------------------------------------------------------

LINES = {
    "é = 'éé'; x = é + 1/0": ["    é = 'éé'; x = é + 1/0", "                      ^^^"],
    "1/0": ["    1/0", "    ^^^"], "(1 /\n 0)": ["    (1 /"],
    "if True:\n    '→', 1/0": ["    '→', 1/0", "         ^^^"],
    "1 / (\n  0)\n": ["    1 / ("]}


@pytest.mark.parametrize("source", LINES)
def test_the_part_of_a_line_that_fails_is_marked_where_it_stands(source):
    out, errors, status = ran("audit d.py", {"d.py": source}).split("--\n")
    head, _, *lines = errors.splitlines()
    assert (out, status) == ("", "2") and head == "autograd-lite: d.py: ZeroDivisionError: division by zero"
    assert lines == LINES[source]


# -- check --------------------------------------------------------------------------------------------


def test_in_json_all_is_right_only_if_each_claim_is():
    for by_x, by_y in (("x", "x"), ("y", "y"), ("y", "x")):
        out = ran(f'check "x*y" --claim "x: {by_x}" --claim "y: {by_y}" --points 5 --json')
        told, right = json.loads(out.split("--\n")[0]), [by_x == "y", by_y == "x"]
        assert told["ok"] is all(right) and [claim["ok"] for claim in told["claims"]] == right


def test_a_claim_may_be_off_by_four_roundings_of_its_terms_or_by_what_underflows():
    x, t, least = 1.5, math.tanh(1.5), sys.float_info.min ** 0.5
    y, slope = 1.0 - t * t, 1.0 - t * t
    terms = abs(x * 2.0 * t * slope) + abs(2.0 * t * t) + abs(t * t) + abs(y)
    rounding = 4.0 * sys.float_info.epsilon * terms
    for text, most in (("1 - tanh(x)**2", rounding), ("0*x", least), ("3", 0.0), ("3*(1 < x)", 0.0)):
        claim = check.Claim("", "x", "∂f/∂x", parse(text, ["x"], "the claim"))
        for off, spared in ((0.999 * most, most > 0.0), (1.001 * most + (most == 0.0) * 1e-300, False)):
            for row in ((off, 0.0), (0.0, off), (-off, 0.0)):
                row = SimpleNamespace(claimed=row[0], derived=row[1])
                assert check._noisy(parse("1 + tanh(x)"), claim, {"x": x}, row) is spared, (text, off)


def test_points_look_the_more_unusual_the_further_their_numbers_are_from_those_of_one_digit():
    for numbers, far in (([0.3], 0.0), ([-9.0], 0.0), ([0.1], 1.0), ([-100.0], 2.0), ([0.0], 9.0),
                         ([9.5], math.log10(9.5)), ([0.01, 3.0, 1e6], 8.0)):
        assert check._far(dict(zip("xyz", numbers))) == pytest.approx(far)


# -- several files ----------------------------------------------------------------------------------------

FOUND = {"claims": [{}, {}], "points": 3}
CAUSE = {"name": "∂f/∂x", "line": 7, "text": "∂f/∂x: claimed 1, is 2; spoils ∂f/∂y", "diagnoses": [
    {"kind": "factor", "text": "off by a factor ½"}, {"kind": "sign", "text": "another"}]}
WRONG = FOUND | {"reports": [{"causes": [CAUSE, CAUSE | {"line": None, "diagnoses": []}]}, {"causes": [
    CAUSE | {"text": "∂f/∂x: claimed 5", "line": 1, "diagnoses": CAUSE["diagnoses"][1:]}]}]}
ENDED = {                                       # what a Python of its own does: status, output, errors
    "right.py": (0, FOUND, ""), "one.py": (0, {"claims": [{}], "points": 1}, "a word\n"),
    "wrong.py": (1, WRONG, ""),
    "refused.py": (2, "", "said\nautograd-lite: refused.py: it has no hand\r\n  at line 3 \nand more\n"),
    "elsewhere.py": (2, "", "autograd-lite: other.py: it is not there\n"), "usage.py": (2, "", "usage\n"),
    "crash.py": (-11, "", "autograd-lite: crash.py: something\n"), "three.py": (3, "", "autograd-lite: x\n"),
    "no json.py": (0, "hello", ""), "no json 1.py": (1, "hello", "autograd-lite: a\n"), "slow\n.py": None}
SAID = """\
right.py      2 claims agree, at 3 points
one.py        1 claim agrees, at 1 point
wrong.py      ∂f/∂x, line 7: claimed 1, is 2; off by a factor ½
wrong.py      ∂f/∂x: claimed 1, is 2
wrong.py      ∂f/∂x, line 1: claimed 5; another
refused.py    it has no hand, at line 3
elsewhere.py  other.py: it is not there
usage.py      it ended Python, with status 2
crash.py      it ended Python, with status -11
three.py      it ended Python, with status 3
no json.py    it ended Python, with status 0
no json 1.py  it ended Python, with status 1
slow\\n.py     no answer in 2.5 s
11 files: 2 agree, 1 differ, 8 cannot be used
"""


@pytest.fixture
def ended(monkeypatch):
    """The calls of subprocess.run, which does what `ENDED` says."""
    calls = []

    def run(command, *, stdin, capture_output, timeout, env):
        assert command[:2] == [sys.executable, "-c"] and (stdin, capture_output) == (subprocess.DEVNULL, True)
        assert env == {**os.environ, "PYTHONIOENCODING": "utf-8"} and repr(sys.path) in command[2]
        calls.append([timeout, *command[3:]])
        if ENDED[command[-1]] is None:
            raise subprocess.TimeoutExpired(command, timeout)
        status, out, errors = ENDED[command[-1]]
        out = out if isinstance(out, str) else json.dumps(out)
        return subprocess.CompletedProcess(command, status, out.encode(), errors.encode() + b"\xff"[status:])
    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_each_of_several_files_has_its_lines_and_what_cannot_be_used_is_told(ended, capsys):
    assert audit_all(list(ENDED), ["--points", "3"], 2.5, False) == 2
    assert capsys.readouterr() == (SAID, "")
    assert ended == [[2.5, "audit", "--points", "3", "--json", "--", name] for name in ENDED]


def test_several_files_in_json_and_the_worst_of_their_statuses(ended, capsys):
    for names, status in (["right.py", "one.py"], 0), (["right.py", "wrong.py", "one.py"], 1), (
            ["wrong.py", "refused.py"], 2), (["crash.py", "right.py"], 2):
        assert cli.main(["audit", "--json", *names]) == status
        told = json.loads(capsys.readouterr().out)
        assert told["ok"] is (status == 0) and [file["file"] for file in told["files"]] == names
        assert max(file["status"] for file in told["files"]) == status
        assert cli.main(["audit", "--points", "5", "--timeout", "7", *names]) == status
        assert capsys.readouterr().out.endswith(" cannot be used\n")
        assert ended[-1] == [7, "audit", "--points", "5", "--json", "--", names[-1]]
    assert told["files"] == [{"file": "crash.py", "status": 2, "error": "it ended Python, with status -11"},
                             {"file": "right.py", "status": 0, **FOUND}]


def test_files_that_agree_are_green_and_others_red_as_soon_as_they_are_known(ended, streams, monkeypatch):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    came = streams()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: os.name == "posix")
    real = subprocess.run
    seen = []
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: (seen.append(came()[0]), real(*a, **k))[1])
    audit_all(["right.py", "usage.py"], [], 1, False)
    green, red, end = ("\x1b[32m", "\x1b[31m", "\x1b[0m") if os.name == "posix" else ("", "", "")
    first = f"right.py  {green}2 claims agree, at 3 points{end}\n"
    assert seen == ["", first]
    sys.stdout.flush()
    assert came()[0].startswith(f"{first}usage.py  {red}it ended Python, with status 2{end}\n2 files: ")


# -- the terminal -------------------------------------------------------------------------------------


@pytest.fixture
def streams(monkeypatch):
    """Streams that keep what is written until they are flushed; a function that gives what came out."""
    def give(encoding="utf-8"):
        raw = [io.BytesIO(), io.BytesIO()]
        for name, end in zip(("stdout", "stderr"), raw):
            monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BufferedWriter(end), encoding=encoding))
        return lambda: [end.getvalue().decode(encoding) for end in raw]
    return give


def test_what_a_command_says_is_on_its_way_when_it_ends(streams):
    came = streams()
    assert cli.main(["grad", "x", "--at", "x=1", "--json"]) == 0
    assert came() == ['{"value": 1.0, "gradient": {"x": 1.0}}\n', ""]
    assert cli.main(["grad", "x"]) == 2 and came()[1].startswith("autograd-lite: x: no number is given")


def test_columns_are_even_in_an_encoding_that_lacks_letters(streams):
    came = streams("ascii")
    assert cli.main(shlex.split('grad "θ*x" --at θ=3 x=2')) == 0
    assert came()[0].startswith("  f          6\n  df/dtheta  2\n  df/dx      3\n\n")


@pytest.mark.parametrize("system, env, shown", [
    ("posix", {}, True), ("nt", {}, False), ("nt", {"WT_SESSION": "1"}, True), ("nt", {"ANSICON": "1"}, True),
    ("nt", {"WT_SESSION": "1", "ANSICON": "1"}, True), ("nt", {"WT_SESSION": "1", "TERM": "dumb"}, False),
    ("posix", {"TERM": "dumb"}, False), ("posix", {"NO_COLOR": "1"}, False),
    ("posix", {"NO_COLOR": ""}, True)])
def test_colours_are_for_terminals_of_each_system_that_show_them(system, env, shown, monkeypatch):
    for name in ("NO_COLOR", "TERM", "WT_SESSION", "ANSICON"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with monkeypatch.context() as patch:
        patch.setattr("os.name", system)
        for name, text in env.items():
            patch.setenv(name, text)
        painted = console.red("text"), console.green("text")
    assert painted == (("\x1b[31mtext\x1b[0m", "\x1b[32mtext\x1b[0m") if shown else ("text", "text"))


def test_a_bar_of_80_columns_shows_how_far_it_is_and_nothing_is_left_of_it(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert list(console.progress(iter("abc"), "letters", 3)) == ["a", "b", "c"]
    said = capsys.readouterr().err
    first, *_, blank, end = said.split("\r")[1:]
    assert first.startswith("letters:   0%|") and "0/3" in first and len(first) == 80
    assert blank.strip() == end == ""


# -- help and what is meant -----------------------------------------------------------------------------


def test_options_have_their_whole_names(capsys):
    for line in ("grad x --at x=1 --ord 2", "check x --claim x:1 --js"):
        with pytest.raises(SystemExit):
            cli.main(shlex.split(line))
        assert "unrecognized arguments" in capsys.readouterr().err


def test_a_help_begins_at_the_margin_and_explains_from_column_26(capsys):
    for command in ("grad", "draw", "check", "audit"):
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        usage, about, _, options, *_ = capsys.readouterr().out.split("\n\n")
        assert usage.startswith(f"usage: autograd-lite {command} [-h] ")
        assert len(about) > 60 and not any(line[0] == " " for line in about.splitlines())
        line = f"  --json{' ' * (18 if command != 'audit' else 7)}print one JSON object"
        assert line in options.splitlines()
