"""Options of the commands, their bounds and defaults; the lines that errors show; what is read."""
from __future__ import annotations

import io
import json
import shlex
import sys

import pytest
from test_golden_commands import ran

from autograd_lite import cli
from autograd_lite.expression import FUNCTIONS, LENGTH

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
