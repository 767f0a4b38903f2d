"""What type checkers say: mypy, and pyright where it is installed, in strict mode."""
import ast
import importlib
import importlib.util
import inspect
import json
import math
import os
import pkgutil
import pydoc
import re
import shutil
import subprocess
import sys
import types
import typing
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite import nn, optim
from autograd_lite.drawing import output
from autograd_lite.ops import signatures
from autograd_lite.ops.op import TABLE

TYPED = Path(__file__).parent / "typed"
ROOT = Path(ag.__file__).parents[1]             # where the library under test is
PAGE = (Path(__file__).parent.parent / "docs" / "types.md").read_text(encoding="utf-8")
RIGHT, WRONG = ["\n\n".join(re.findall(f"```{kind}\n(.*?)```", PAGE, re.DOTALL)) for kind in ("python", "py")]


# -- the checkers, each run once, on copies of all files --------------------------------------------

def run(*command):
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT, env={
        **os.environ, "MYPYPATH": str(ROOT), "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])})


def by_mypy(folder):
    """Without other packages, so that none need be there; those files aside that use NumPy."""
    strict = ["-m", "mypy", "--config-file=", "--strict", "--follow-imports=silent",
              f"--cache-dir={folder / 'cache'}", "--show-absolute-path"]
    arrays = [path for path in folder.glob("*.py") if "numpy" in path.read_text()]
    others = [path for path in folder.glob("*.py") if path not in arrays]
    found = []
    for command in [[*strict, "--no-site-packages", *others], [*strict, *arrays]]:
        done = run(*map(str, command))
        assert re.search("^(Success|Found)", done.stdout, re.M), done.stdout + done.stderr
        found += re.findall(r"^(.+?):(\d+): error: (.*)$", done.stdout, re.M)
    return found


def by_pyright(folder):
    (folder / "pyrightconfig.json").write_text(json.dumps({
        "typeCheckingMode": "strict", "extraPaths": [str(ROOT)], "include": ["."]}))
    done = run("-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(folder))
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == len([*folder.glob("*.py")]), done.stdout
    return [(x["file"], x["range"]["start"]["line"] + 1, x["message"])
            for x in found["generalDiagnostics"] if x["severity"] == "error"]


CHECKERS = {"mypy": by_mypy, "basedpyright": by_pyright}


@pytest.fixture(scope="module", params=CHECKERS)
def refused(request, tmp_path_factory):
    """What a checker refuses: {file name: {line: why}}."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path_factory.mktemp(request.param)
    for path in TYPED.glob("*.py"):
        shutil.copy(path, folder)
    (folder / "page.py").write_text(f"import math\n{RIGHT}\n# -- wrong\n{WRONG}", encoding="utf-8")
    found = {path.name: {} for path in folder.glob("*.py")}
    for path, line, why in CHECKERS[request.param](folder):
        found[Path(path).name][int(line)] = why
    return found


@pytest.mark.parametrize("name", ["program.py", "expected.py", "arrays.py", "untyped.py"])
def test_a_right_program_passes(refused, name):
    if name == "arrays.py":
        pytest.importorskip("numpy")
    assert refused[name] == {}


def test_each_wrong_line_is_refused_and_no_other(refused):
    lines = (TYPED / "wrong.py").read_text(encoding="utf-8").splitlines()
    wrong = {i for i, line in enumerate(lines, 1) if line.endswith("# refused")}
    assert len(wrong) > 60
    assert refused["wrong.py"].keys() == wrong, {i: lines[i - 1] for i in refused["wrong.py"].keys() ^ wrong}


def test_the_page_says_what_is_refused(refused):
    first = RIGHT.count("\n") + 4
    wrong = set(range(first, first + WRONG.count("\n")))
    math = {1} if refused["page.py"].keys() - wrong == {1} else set()
    assert refused["page.py"].keys() - math == wrong


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


def test_the_right_programs_run():
    done = run(str(TYPED / "program.py"))
    assert done.returncode == 0, done.stderr
    exec(compile(RIGHT, "types.md", "exec"), {"__name__": "page"})


@pytest.mark.parametrize("line", [line for line in WRONG.splitlines() if "(v" not in line or "math" in line])
def test_what_the_page_has_refused_is_an_error_when_it_runs(line):
    names = {"math": math}
    exec(compile(RIGHT, "types.md", "exec"), names)
    with pytest.raises((TypeError, ValueError, AttributeError)):
        exec(line, names)


# -- what help, signatures and completion show ------------------------------------------------------

def test_functions_have_signatures():
    assert str(inspect.signature(ag.relu)) == "(x, at_zero=0.0)"
    assert str(inspect.signature(ag.sin)) == "(x, /)"
    for name in ag.__all__:
        thing = getattr(ag, name)
        if callable(thing) and not inspect.isclass(thing):
            assert inspect.signature(thing).parameters, name
    assert inspect.signature(ag.Op).parameters


def test_render_takes_the_options_of_draw():
    options = inspect.signature(ag.draw).parameters
    assert {name: p.annotation for name, p in options.items() if name != "root"} == {
        name: kind.__forward_arg__ for name, kind in output.DrawOptions.__annotations__.items()}


@pytest.mark.parametrize("thing", [
    ag.Value, ag.Op, nn.Module, nn.Neuron, nn.Layer, nn.MLP, optim.SGD, optim.Adam, optim.AdamW, ag.Compiled,
    ag.Report, ag.AuditReport, ag.GradientReport, ag.Explanation, ag.Derivation, ag.Comparison, ag.errstate])
def test_every_method_says_what_it_does(thing):
    silent = [name for name in dir(thing) if name[0] != "_" and callable(getattr(thing, name))
              and not inspect.getdoc(getattr(thing, name))]
    assert silent == []


@pytest.mark.skipif(ag.build != "python", reason="a compiled method has no docstring")
def test_a_method_of_a_value_says_what_its_op_does():
    assert ag.Value.sigmoid.__doc__ == ag.sigmoid.__doc__.partition("\n")[0]
    assert ag.Value.arctan2.__doc__ == ag.atan2.__doc__.partition("\n")[0]
    shown = pydoc.render_doc(ag.Value, renderer=pydoc.plaintext)
    assert "sigmoid(self) -> 'Self'\n |      1 / (1 + e^(−x)), saturated without overflow." in shown


# -- what the signatures say beside the functions ---------------------------------------------------

def overloads():
    """All overloads of the library's functions, each with the function and the qualified name."""
    for module in pkgutil.walk_packages(ag.__path__, "autograd_lite."):
        if not module.name.endswith(("__main__", ".frames")):           # (which needs pandas)
            importlib.import_module(module.name)
    for module, names in typing._overload_registry.items():
        if module.startswith("autograd_lite."):
            for name in names:
                f = importlib.import_module(module)
                for part in name.split("."):
                    f = getattr(f, part)
                yield from ((overload, f, f"{module}.{name}") for overload in typing.get_overloads(f))


def test_an_overload_has_no_other_default_than_its_function():
    seen = 0
    for overload, f, name in overloads():
        own = inspect.signature(f).parameters
        for parameter in inspect.signature(overload).parameters.values():
            if parameter.default not in (parameter.empty, ...):
                assert repr(own[parameter.name].default) == repr(parameter.default), (name, parameter.name)
                seen += 1
    assert seen > 150


def test_the_calls_of_ops_have_the_defaults_of_the_ops():
    of_ops = {p.name: p.default for op in TABLE.values() for p in inspect.signature(op).parameters.values()
              if p.default is not p.empty and op.in_line}
    seen = 0
    for part in ast.walk(ast.parse(Path(signatures.__file__).read_text(encoding="utf-8"))):
        if isinstance(part, ast.FunctionDef):
            names = [a.arg for a in [*part.args.posonlyargs, *part.args.args]]
            for name, default in zip(names[::-1], part.args.defaults[::-1]):
                if not (isinstance(default, ast.Constant) and default.value in (None, ...)):
                    assert ast.literal_eval(default) == of_ops[name], (part.lineno, name)
                    seen += 1
    assert seen > 10
