"""Where a package of others is missing, the error says which extra of ours brings it."""
import configparser
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from autograd_lite import extras
from autograd_lite.errors import MissingError
from test_architecture import ONLY

ROOT = Path(__file__).parent.parent
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg", encoding="utf-8")

# What to call, and what its error says: the package's name and the extra.
CALLS = {
    "ag.draw(y)": ("graphviz", "png"),
    "ag.render(y, 'a.png')": ("graphviz", "png"),
    "ag.draw_network(ag.nn.MLP(2, [2, 1]))": ("graphviz", "png"),
    "ag.derive(y, x).sympy()": ("SymPy", "symbolic"),
    "ag.jacobian(lambda p: p, sparse=True)([1.0, 2.0])": ("SciPy", "sparse"),
    "ag.hessian(lambda p: p[0] ** 2, sparse=True)([1.0, 2.0])": ("SciPy", "sparse"),
    "ag.colours([[1, 0], [0, 1]])": ("SciPy", "sparse"),
    "ag.ValueDtype()": ("pandas", "frames"),
    "ag.compile(f, target='native')": ("llvmlite", "fast"),
    "ag.compile(f, batch='x')": ("NumPy", "fast"),
    "ag.compile(f).bind(2.0)": ("NumPy", "fast"),
    "ag.compile(f)(2.0)": None,
    "ag.compile(f).iterate(2.0, 3)": None,
    "ag.diagnose(lambda p: y, lambda p: {(y, x): 1.0}, [0])": ("NumPy", "check"),
    "ag.audit(y, {(y, x): 1.0})": None,
    "ag.check_gradients(f, 2.0)": None,
    "ag.testing.numbers()": ("Hypothesis", "testing"),
    "ag.testing.values()": ("Hypothesis", "testing"),
    "ag.testing.points(f)": ("Hypothesis", "testing"),
    "ag.testing.expressions()": ("Hypothesis", "testing"),
    "ag.testing.networks()": ("Hypothesis", "testing"),
    "ag.testing.assert_gradients(f)": ("Hypothesis", "testing"),
    "ag.testing.assert_same_gradient(f, f, inputs=())": ("Hypothesis", "testing"),
    "ag.testing.assert_derivation(lambda p: y, lambda p: {}, ())": ("Hypothesis", "testing"),
    "document.plot_training({}, 'a.png')": ("Matplotlib", "demos"),
    "document.tables()": ("NumPy", "demos"),
    "audit._drawn(None, 3)": ("Hypothesis", "testing"),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each call says where none of the packages is there."""
    program = f"""if True:
        import json, sys
        for name in {sorted(ONLY)!r}:
            sys.modules[name] = None
        import autograd_lite as ag
        from autograd_lite import document
        from autograd_lite.commands import audit
        def f(x):
            return x * ag.sin(x)
        x = ag.Value(2.0, "x")
        y = f(x)
        ag.label(y=y)
        said = dict.fromkeys({list(CALLS)!r})
        for call in said:
            try:
                eval(call)
            except Exception as error:
                kinds = [kind.__name__ for kind in type(error).__mro__]
                said[call] = [type(error).__name__, str(error), "AutogradError" in kinds]
        print(json.dumps(said))
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          cwd=tmp_path_factory.mktemp("said"))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_package_is_an_error_of_ours_that_names_it_and_the_extra(call, said):
    if CALLS[call] is None:
        assert said[call] is None
    else:
        kind, message, ours = said[call]
        name, extra = CALLS[call]
        assert ours and kind in ("MissingError", "RenderError"), (kind, message)
        assert name in message and f"pip install 'autograd-lite[{extra}]'" in message, message


def test_every_package_that_is_imported_anywhere_is_in_the_table():
    assert set(extras.PACKAGES) == set(ONLY) - {"networkx"}         # (a user's graph brings that)


@pytest.mark.parametrize("package", extras.PACKAGES)
def test_the_extra_of_a_package_brings_it(package):
    brought = CONFIG["options.extras_require"][extras.PACKAGES[package][1]]
    assert package in re.findall(r"^[\w-]+", brought, re.MULTILINE)


def test_the_extras_bring_what_their_commands_and_modules_import():
    brought = {extra: set(re.findall(r"^[\w-]+", text, re.MULTILINE))
               for extra, text in CONFIG["options.extras_require"].items()}
    assert brought["testing"] >= {"hypothesis", "mpmath", "numpy"}
    assert brought["check"] >= {"hypothesis", "mpmath", "numpy", "tqdm"}
    assert all(brought["test"] >= brought[extra] for extra in brought if extra not in ("dev", "frames"))
    assert brought["dev"] >= brought["test"] | brought["frames"]


def test_an_error_of_another_kind_passes():
    with pytest.raises(ImportError, match="its own") as caught:
        with extras.needed("it needs"):
            raise ImportError("its own trouble", name="numpy.core" and None)
    assert not isinstance(caught.value, MissingError)
    with pytest.raises(ZeroDivisionError):
        with extras.needed("it needs"):
            1 / 0


def test_a_command_for_windows_is_in_double_quotes(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert extras.install("png") == 'pip install "autograd-lite[png]"'


def test_the_floor_of_the_build_is_given():
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert requires == ["setuptools>=77.0.3"]
