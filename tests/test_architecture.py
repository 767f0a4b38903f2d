"""What may import what, what loads when, and where every public name is."""
import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite

PACKAGE = Path(autograd_lite.__file__).parent

# A module imports only from rows above its own; within a package, from its fellows.
ROWS = [
    {"lines", "locks", "special", "graph", "modes"}, {"errors", "copying"}, {"rows"}, {"ops", "custom"}, {"node"},
    {"backward"}, {"value"}, {"labels", "trees", "sparse"}, {"trace"}, {"transforms", "series"},
    {"provenance", "evaluation"}, {"claims", "checks"}, {"programs"}, {"drawing"}, {"nn", "optim"},
    {"testing"}, {"document"}, {"__main__"},
]
ROW = {name: i for i, row in enumerate(ROWS) for name in row}

# Packages that only these may import; and inside a function, so that they load only when used.
ONLY = {"graphviz": {"drawing"}, "hypothesis": {"testing"}, "matplotlib": {"document"}, "tqdm": {"__main__"},
        "numpy": set(ROW), "scipy": {"sparse"}, "mpmath": {"checks", "evaluation", "testing"},
        "llvmlite": {"programs"}, "networkx": {"sparse"}}
CORE = ["errors", "rows", "ops", "graph", "node", "backward", "value", "trace", "transforms"]


def modules():
    """Every module's dotted name below the package ("" for the package itself) and its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def imports(source, package="autograd_lite"):
    """Each import of a program: the absolute module it names, and whether it is at the top level."""
    tree = ast.parse(source)
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, [package] * bool(node.level) + [node.module or ""]))
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                yield (whole if whole.partition(".")[2] in MODULES else module), id(node) in top


def owner(dotted):
    """The row entry a module of ours belongs to: its first part below the package."""
    return dotted.partition(".")[2].partition(".")[0]


def violations(name, source):
    """The imports of a module of ours that its row does not allow."""
    me = name.partition(".")[0]
    for module, _ in imports(source):
        if module.partition(".")[0] != "autograd_lite":
            continue
        other = owner(module)
        if other == "" and me == "__main__" or other == me:
            continue
        if other == "" or ROW[other] >= ROW[me]:
            yield f"{name} imports {module}"


# -- the import rule ----------------------------------------------------------------------------

def test_every_module_has_a_row():
    assert {name.partition(".")[0] for name in MODULES if name} <= set(ROW)


@pytest.mark.parametrize("name", [name for name in MODULES if name])
def test_a_module_imports_only_from_rows_above_its_own(name):
    assert list(violations(name, MODULES[name].read_text())) == []


@pytest.mark.parametrize("name, line, allowed", [
    ("value", "from autograd_lite.transforms.gradients import grad", False),
    ("value", "from autograd_lite import nn", False),
    ("ops", "import autograd_lite.value", False),
    ("nn", "def f():\\n    from autograd_lite.optim import SGD", False),
    ("claims", "import autograd_lite", False),
    ("value", "from autograd_lite.ops.elementary import add", True),
    ("drawing.picture", "from autograd_lite.drawing.cards import box", True),
    ("drawing.picture", "from autograd_lite.nn.layers import MLP", False),
    ("document", "import math", True)])
def test_the_rule_can_tell_a_violation(name, line, allowed):
    assert (list(violations(name, line.replace("\\n", "\n"))) == []) is allowed


def test_no_two_modules_need_each_other():
    needs = {name.partition(".")[0]: set() for name in MODULES if name and name != "__main__"}
    for name in MODULES:
        if name and name != "__main__":
            me = name.partition(".")[0]
            needs[me] |= {owner(module) for module, _ in imports(MODULES[name].read_text())
                          if module.startswith("autograd_lite")} - {me}
    while needs:
        free = {name for name, others in needs.items() if not others & set(needs)}
        assert free, f"a cycle among {sorted(needs)}"
        needs = {name: others for name, others in needs.items() if name not in free}


def test_the_table_and_the_walks_know_no_node():
    names = ["lines", "modes", "special", "graph", "errors", "rows", "ops"]
    ours = {name: {owner(module) for module, _ in imports(MODULES[name].read_text())
                   if module.startswith("autograd_lite")} for name in names}
    assert ours == {"lines": set(), "modes": set(), "special": set(), "graph": set(),
                    "errors": {"lines", "modes"}, "rows": {"errors", "lines"},
                    "ops": {"special", "errors", "rows"}}


@pytest.mark.parametrize("name", list(MODULES))
def test_other_peoples_packages_are_imported_only_where_they_belong_and_only_when_used(name):
    for module, at_top in imports(MODULES[name].read_text()):
        package = module.partition(".")[0]
        if package == "autograd_lite" or package in sys.stdlib_module_names:
            continue
        assert name.partition(".")[0] in ONLY[package], f"{name} imports {package}"
        lazy_module = name.startswith("drawing.") or name == "testing" or name.startswith("programs.")
        assert not at_top or lazy_module, f"{name} imports {package} at its top"


# -- what loads when ------------------------------------------------------------------------------

def run(program, *options):
    done = subprocess.run([sys.executable, *options, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_library_loads_no_other_package():
    loaded = run("import sys, autograd_lite; print(*sys.modules)").split()
    assert not {name.partition(".")[0] for name in loaded} & set(ONLY)


def test_using_the_core_and_the_networks_loads_no_other_package():
    loaded = run("""if True:
        import sys, autograd_lite as ag
        x = ag.Value(2.0, "x")
        y = (x * x + 1).log() ** 2 + ag.sum([x, 1.0])
        y.backward()
        ag.grad(lambda p: p * p)(3.0)
        ag.hessian(lambda p: p[0] * p[1])([1.0, 2.0])
        ag.audit(y, {(y, x): x.grad}).check()
        ag.nn.MLP(2, [3, 1])([1.0, 2.0]).backward()
        print(*sys.modules)
    """).split()
    assert not {name.partition(".")[0] for name in loaded} & set(ONLY)


def test_the_core_runs_on_the_standard_library_alone():
    """Isolated, without site-packages; anything but the standard library cannot even be found."""
    printed = run(f"""if True:
        import sys
        sys.path[:] = [p for p in sys.path if "site-packages" not in p]
        class Refuse:
            def find_spec(self, name, path=None, target=None):
                first = name.partition(".")[0]
                if first != "autograd_lite" and first not in sys.stdlib_module_names:
                    raise ImportError("refused: " + name)
        sys.meta_path.insert(0, Refuse())
        sys.path.append({str(PACKAGE.parent)!r})
        import autograd_lite as ag, pickle, copy
        x = ag.Value(0.5, "x")
        y = ag.dot([x, 2.0], [x.exp(), x]) / x + ag.maximum(x, 0.25) ** x - abs(-x)
        y.backward()
        again = pickle.loads(pickle.dumps(copy.deepcopy(y)))
        print(round(x.grad, 6), again.data == y.data, round(ag.grad(ag.tanh)(0.5), 6))
        for wrong in ("a", None, [1.0]):
            try:
                ag.Value(wrong)
            except ag.InputError:
                pass
    """, "-S", "-I")
    assert printed.split()[1:] == ["True", "0.786448"]


@pytest.mark.parametrize("name", [name for name in MODULES if name and name != "__main__"])
def test_any_module_may_be_the_first_to_be_imported(name):
    run(f"import autograd_lite.{name}")


# -- size ------------------------------------------------------------------------------------------

def test_the_core_reads_in_an_hour():
    """At 220 words a minute, docstrings and all, with no module longer than 450 lines."""
    texts = [MODULES[name].read_text() for name in CORE]
    assert sum(len(text.split()) for text in texts) <= 60 * 220
    assert max(len(text.splitlines()) for text in texts) <= 450


# -- the public names ------------------------------------------------------------------------------

def public(module):
    """The functions and classes a module defines for others."""
    return {name: thing for name, thing in vars(module).items()
            if not name.startswith("_") and (inspect.isclass(thing) or inspect.isfunction(thing))
            and thing.__module__ == module.__name__}


def test_all_names_exist_and_are_listed_once():
    assert len(set(autograd_lite.__all__)) == len(autograd_lite.__all__)
    for name in autograd_lite.__all__:
        assert hasattr(autograd_lite, name), name


def test_everything_public_at_the_top_is_listed():
    top = {name for name, thing in vars(autograd_lite).items()
           if not name.startswith("_") and not inspect.ismodule(thing)}
    assert top <= set(autograd_lite.__all__)


def test_no_module_has_the_name_of_a_public_function():
    found = {module.name for module in pkgutil.iter_modules(autograd_lite.__path__)}
    functions = {name for name in autograd_lite.__all__ if not inspect.ismodule(getattr(autograd_lite, name))}
    assert not found & functions


def test_every_error_is_importable_from_the_top():
    errors = public(importlib.import_module("autograd_lite.errors"))
    classes = {name for name, thing in errors.items()
               if inspect.isclass(thing) and issubclass(thing, (Exception, Warning))}
    assert classes <= set(autograd_lite.__all__) and len(classes) > 10


def test_every_function_of_the_table_is_importable_from_the_top_or_has_a_rule_only_others_use():
    ops = importlib.import_module("autograd_lite.ops")
    wanted = """exp expm1 exp2 log log1p log2 log10 sqrt cbrt sin cos tan asin acos atan sinh cosh tanh asinh
        acosh atanh erf erfc lgamma sigmoid log_sigmoid softplus relu leaky_relu elu gelu silu abs minimum
        maximum hypot atan2 logsumexp sum dot mean softmax""".split()
    assert set(wanted) <= set(autograd_lite.__all__)
    assert set(wanted) <= set(ops.TABLE)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "__main__"])
def test_every_public_function_and_class_of_a_module_says_what_it_is(name):
    module = importlib.import_module(f"autograd_lite.{name}" if name else "autograd_lite")
    for label, thing in public(module).items():
        assert inspect.getdoc(thing), f"{name}.{label}"


@pytest.mark.parametrize("name", autograd_lite.__all__)
def test_every_public_name_and_its_methods_say_what_they_are(name):
    thing = getattr(autograd_lite, name)
    assert thing.__doc__
    if inspect.isclass(thing):
        for method, function in vars(thing).items():
            if not method.startswith("_") and isinstance(function, (property, type(violations))):
                assert function.__doc__ or getattr(super(thing, thing), method).__doc__, f"{name}.{method}"


@pytest.mark.parametrize("name", [name for name in MODULES if name])
def test_a_module_begins_with_one_line_that_says_what_it_is(name):
    first = ast.get_docstring(ast.parse(MODULES[name].read_text())).splitlines()[0]
    assert first.endswith((".", ":")) and len(first) <= 110


@pytest.mark.parametrize("name", CORE)
def test_the_core_has_no_loop_that_recurses_with_the_depth_of_a_graph(name):
    """No function of the core that walks operands calls itself."""
    for function in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(function, ast.FunctionDef) and "operands" in ast.dump(function):
            called = {node.func.id for node in ast.walk(function)
                      if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
            assert function.name not in called, function.name
