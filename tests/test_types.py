"""What type checkers say: mypy, and pyright where it is installed, in strict mode."""
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
import types
import typing
from pathlib import Path

import pytest

import autograd_lite as ag

TYPED = Path(__file__).parent / "typed"
ROOT = Path(ag.__file__).parents[1]             # where the library under test is
CHECKED = [TYPED / name for name in ("program.py", "expected.py", "wrong.py")]


# -- the checkers, each run once -----------------------------------------------------------------

def run(*command, **environment):
    return subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, cwd=ROOT,
                          env={**os.environ, "MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT), **environment})


def by_mypy(folder, files):
    done = run("mypy", "--config-file=", "--strict", "--follow-imports=silent", f"--cache-dir={folder}",
               "--show-absolute-path", *map(str, files))
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [(Path(path), int(line), text) for path, line, text in re.findall(
        r"^(.+?):(\d+): error: (.*)$", done.stdout, re.M)]


def by_pyright(folder, files):
    config = folder / "pyrightconfig.json"
    config.write_text(json.dumps({"typeCheckingMode": "strict", "extraPaths": [str(ROOT)],
                                  "include": [str(path) for path in files]}))
    done = run("basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(config))
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] >= len(files), done.stdout
    return [(Path(x["file"]), x["range"]["start"]["line"] + 1, x["message"])
            for x in found["generalDiagnostics"] if x["severity"] == "error"]


CHECKERS = {"mypy": by_mypy, "basedpyright": by_pyright}


@pytest.fixture(scope="module", params=CHECKERS)
def errors(request, tmp_path_factory):
    """What a checker objects to in the three files: {file name: {line: text}}."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    found = CHECKERS[request.param](tmp_path_factory.mktemp(request.param), CHECKED)
    return {path.name: {line: text for where, line, text in found if where.samefile(path)}
            for path in CHECKED}


def test_a_right_program_passes(errors):
    assert errors["program.py"] == {}


def test_types_are_as_expected(errors):
    assert errors["expected.py"] == {}


def test_each_wrong_line_is_refused_and_no_other(errors):
    lines = (TYPED / "wrong.py").read_text().splitlines()
    wrong = {i for i, line in enumerate(lines, 1) if line.endswith("# refused")}
    assert len(wrong) > 60
    assert errors["wrong.py"].keys() == wrong, {i: lines[i - 1] for i in errors["wrong.py"].keys() ^ wrong}


# -- what is promised is what is there -----------------------------------------------------------

def fits(x, kind):
    """Whether an object is of a type as annotations say it."""
    origin, of = typing.get_origin(kind), typing.get_args(kind)
    if kind is typing.Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(x, k) for k in of)
    if origin is dict:
        return type(x) is dict and all(fits(k, of[0]) and fits(v, of[1]) for k, v in x.items())
    if origin is tuple:
        many = [of[0]] * len(x) if of[1:] == (...,) else of
        return type(x) is tuple and len(x) == len(many) and all(map(fits, x, many))
    if origin is list:
        return type(x) is list and all(fits(entry, of[0]) for entry in x)
    return type(x) is (type(None) if kind is None else kind) or kind not in (float, ag.Value) and isinstance(
        x, kind)


def test_the_types_hold_when_it_runs(monkeypatch):
    asserted = []

    def assert_type(x, kind):
        line = inspect.currentframe().f_back.f_lineno
        asserted.append((line, fits(x, kind), x))
        return x

    monkeypatch.setattr(typing, "assert_type", assert_type)
    exec(compile((TYPED / "expected.py").read_text(), "expected.py", "exec"), {"__name__": "expected"})
    assert [(line, x) for line, fit, x in asserted if not fit] == []
    assert len(asserted) > 150


def test_a_type_that_does_not_hold_is_seen():
    assert fits([1.0], list[float]) and fits((1.0, {"a": 2.0}), tuple[float, dict[str, float]])
    assert not fits([1], list[float]) and not fits(ag.Value(1.0), float) and not fits(1.0, ag.Value)
    assert not fits((1.0,), tuple[float, float]) and fits(1.0, ag.Value | float) and not fits(1, bool)


def test_the_right_program_runs():
    done = run("program", PYTHONPATH=f"{ROOT}{os.pathsep}{TYPED}")
    assert done.returncode == 0, done.stderr
