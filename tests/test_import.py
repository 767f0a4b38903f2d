"""What `import autograd_lite` loads: little, and whatever is loaded later changes none of it."""
import ast
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite as ag

SOURCE = Path(ag.__file__).read_text(encoding="utf-8")

# What an import may load of the standard library; without `site` that is `os` and its like as well.
STANDARD = set("""ast bisect collections contextlib contextvars copy copyreg dataclasses dis enum functools
    gc importlib inspect itertools keyword linecache math numbers opcode operator random re reprlib textwrap
    threading token tokenize types typing warnings weakref genericpath os posixpath ntpath stat""".split())
# The most words of ours that it may load. It stood at 36,000; there are 198,000.
MOST = 42_000


def run(program, *options, **more):
    done = subprocess.run([sys.executable, *options, "-c", program], capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def loaded():
    """What an import loads, isolated from site-packages and what these load."""
    return set(run(f"""if True:
        import sys
        before = set(sys.modules)
        sys.path.append({str(Path(ag.__file__).parent.parent)!r})
        import autograd_lite
        print(*set(sys.modules) - before)
    """, "-I", "-S").split())


def test_an_import_loads_little_of_the_standard_library(loaded):
    others = {name.partition(".")[0] for name in loaded if name[0] != "_"} - {"autograd_lite"}
    assert others <= STANDARD
    assert not {name for name in loaded if name.startswith("importlib.")} - {
        "importlib.machinery", "importlib._bootstrap", "importlib._bootstrap_external"}


def test_an_import_loads_a_fifth_of_the_library(loaded):
    ours = [sys.modules.get(name) or __import__(name, fromlist="x") for name in loaded
            if name.startswith("autograd_lite")]
    assert sum(len(Path(module.__file__).read_text(encoding="utf-8").split()) for module in ours) <= MOST
    assert not {"autograd_lite.nn", "autograd_lite.drawing", "autograd_lite.checks"} & loaded


def test_what_is_loaded_later_changes_nothing_of_what_is_there():
    """Else what a program computes would depend on what it had asked for before."""
    run("""if True:
        import sys, types
        import autograd_lite as ag
        from autograd_lite.transforms.trees import kept, kind_of
        def facts():
            ours = [module for name, module in sys.modules.items() if name.startswith("autograd_lite.")]
            return {**{(module.__name__, name): id(x) for module in ours for name, x in vars(module).items()
                       if not name.startswith("__") and type(x) is not types.ModuleType},
                    **{(kind.__qualname__, name): id(x) for kind in (ag.Value, ag.Op, *ag.Value.__mro__)
                       for name, x in vars(kind).items()},
                    "table": [(name, id(op)) for name, op in ag.Op.__init__.__globals__["TABLE"].items()],
                    "kinds": {**kind_of.registry, **kept.registry}}
        before = facts()
        for name in dir(ag):
            getattr(ag, name)
        import autograd_lite.cli
        after = facts()
        changed = {name for name, x in before.items() if after[name] != x}
        assert not changed, changed
        assert len(after) > len(before) + 500
    """)


# -- the names at the top ---------------------------------------------------------------------------------

def test_what_type_checkers_read_is_what_is_loaded():
    block = next(node for node in ast.parse(SOURCE).body if isinstance(node, ast.If)
                 and getattr(node.test, "attr", "") == "TYPE_CHECKING")
    told = {alias.asname or alias.name: node.module.removeprefix("autograd_lite").lstrip(".")
            for node in block.body for alias in node.names}
    assert told == ag._HOMES


@pytest.mark.parametrize("name", sorted(ag._HOMES))
def test_a_name_that_is_loaded_later_is_there_when_asked_for_and_is_asked_for_once(name):
    if ag._HOMES[name] == "frames":
        pytest.importorskip("pandas")
    assert run(f"""if True:
        import autograd_lite as ag
        assert {name!r} in dir(ag) or {name!r} == "Drawing"
        found = ag.{name}
        assert ag.{name} is found and vars(ag)[{name!r}] is found
        from autograd_lite import {name}
        assert {name} is found
        print("asked")
    """) == "asked\n" if name in ("nn", "audit", "Drawing") else getattr(ag, name)


def test_a_star_import_help_and_pickles_find_all_names():
    names = {}
    exec("from autograd_lite import *", names)
    assert set(ag.__all__) <= set(names)
    for name in ("audit", "hessian", "Report", "Line", "errstate", "draw"):
        assert pickle.loads(pickle.dumps(getattr(ag, name))) is getattr(ag, name)
    text = run("import autograd_lite, pydoc; print(pydoc.plain(pydoc.render_doc(autograd_lite)))")
    assert "taylor(" in text and "check_gradients(" in text


def test_a_name_that_there_is_not_is_an_attribute_error_that_python_can_mend():
    with pytest.raises(AttributeError, match="module 'autograd_lite' has no attribute 'hesian'") as caught:
        ag.hesian
    assert caught.value.name == "hesian" and caught.value.obj is ag
    with pytest.raises(ImportError, match="cannot import name 'hesian'"):
        exec("from autograd_lite import hesian")


def test_two_threads_may_ask_at_once():
    assert run("""if True:
        import threading
        import autograd_lite as ag
        start, found = threading.Barrier(8), []
        def ask():
            start.wait()
            found.append((ag.audit, ag.nn.MLP, ag.hessian))
        threads = [threading.Thread(target=ask) for _ in range(8)]
        [thread.start() for thread in threads], [thread.join() for thread in threads]
        print(len(found), len(set(found)))
    """) == "8 1\n"


def test_it_runs_without_asserts_and_docstrings():
    printed = run("""if True:
        import autograd_lite as ag
        x = ag.Value(0.0, "x")
        y = ag.sin(x) * ag.exp(x)
        ag.label(y=y)
        print(ag.grad(ag.exp)(0.0), ag.compile(ag.sin)(0.0), len(ag.nn.MLP(2, [1]).parameters()))
        text = ag.derive(y, x).text
        print(ag.audit(y, {(y, x): 1.0}).ok, ag.check_gradients(ag.sin, 1.0).ok, "cos" in text)
    """, "-OO")
    assert printed.splitlines() == ["1.0 0.0 3", "True True True"]
