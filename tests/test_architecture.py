"""What may import what, what loads when, and where every public name is."""
import ast
import importlib.util
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite
from autograd_lite.ops.op import TABLE
from autograd_lite.ops.operators import Operators

PACKAGE = Path(autograd_lite.__file__).parent
PANDAS = importlib.util.find_spec("pandas")                 # (which one module needs, and the tests do not)

# A module imports only from rows above its own (and from no fellow in its row).
ROWS = [
    {"locks", "lines", "graph.kinks", "ops.constants"}, {"modes", "markup"}, {"errors"},
    {"decorators", "files", "extras"},
    {"ops.notation", "ops.special", "ops.op", "ops.whole"},
    {"ops.signatures", "ops.polygammas"}, {"ops.elementwise"},
    {"ops.define", "ops.methods", "ops.arrays", "ops.lists"},
    {"ops.operators"},
    {"ops.numbers", "ops.branches"},
    {"ops.selection"}, {"ops.geometry"}, {"ops.elementary"}, {
        "ops.normal", "ops.sequences"}, {"ops.activations"},
    {"ops.custom"},
    {"programs.namespaces"},
    {"graph.walks"}, {"graph.copying"}, {"graph.node"}, {"graph.states"}, {"graph.backward"}, {"graph.value"},
    {"graph.changes", "graph.recording", "graph.program", "graph.linear", "graph.quick", "graph.foreign"},
    {"graph.native", "graph.conventions"}, {"graph.labels"},
    {"transforms.trees", "transforms.gates", "transforms.colouring", "transforms.kinds",
     "transforms.rounding", "transforms.coefficients"},
    {"transforms.structures", "transforms.trace"}, {"transforms.signatures"},
    {"transforms.gradients", "transforms.series", "transforms.evaluation", "transforms.registered"},
    {"transforms.jacobians"},
    {"programs.code", "programs.inline"}, {"programs.templates", "programs.recording", "programs.gathers"},
    {"programs.orders", "programs.integers"}, {"programs.sweeps"},
    {"programs.places"}, {"programs.tape"},
    {"programs.names", "programs.ambient"}, {"programs.reach"}, {"programs.things"},
    {"programs.layout", "programs.environment", "programs.arguments", "programs.progress"},
    {"programs.indices", "programs.lookups"},
    {"programs.pieces"},
    {"programs.python", "programs.tracing", "programs.points", "programs.eager", "programs.pickling"},
    {"native.language", "native.sums", "native.cache"}, {"native.families"}, {"native.runtime"},
    {"native.objects", "native.expressions"},
    {"native.llvm"}, {"native.engine", "native.kernels", "native.blocks"},
    {"native.forms", "native.loop"}, {"native.tables"}, {"native.lanes", "native.calls"},
    {"native.vectors", "native.straight", "native.replay"}, {"native.columns", "native.workers"},
    {"native.many"}, {"native.choice", "native.holding"},
    {"native.bound", "native.direct", "native.iterate", "native.c_expressions"},
    {"native.c"}, {"native.export"},
    {"programs.results"}, {"programs.arrays", "programs.stats"}, {"programs.runs"}, {"programs.repeats"},
    {"programs.batches", "programs.standing"},
    {"programs.targets", "programs.program"}, {"programs.paths"}, {"programs.portable", "programs.iteration"},
    {"programs.ways"},
    {"programs.compiled"}, {"programs.signatures"}, {"programs.entry"},
    {"nn.module"}, {"nn.layers", "nn.clipping"}, {"nn.losses"}, {"nn"}, {"optim"},
    {"checks.report", "checks.edges", "checks.order", "checks.slopes", "checks.halves"}, {"checks.claims"},
    {"checks.rule"}, {"checks.forward", "checks.latent"}, {"checks.rows", "checks.judged"},
    {"checks.verdicts", "checks.explanation", "checks.audit"}, {"checks.chain_rule", "checks.paths"},
    {"checks.nearby", "checks.explain"}, {"checks.check_gradients"},
    {"uncertainty.covariance", "uncertainty.small", "uncertainty.result"}, {"uncertainty.linearised"},
    {"uncertainty.propagation"},
    {"uncertainty.entry"},
    {"drawing.engine", "drawing.sketch", "drawing.dot", "drawing.theme", "drawing.svg", "drawing.stack",
     "drawing.naming", "drawing.scale", "drawing.marks", "drawing.given", "drawing.formulas",
     "drawing.apng"},
    {"drawing.dialects", "drawing.chain"}, {"drawing.lines", "drawing.symbolic", "drawing.mathml"},
    {"drawing.shown"}, {"drawing.comparison"}, {"drawing.derivation"},
    {"drawing.samples", "drawing.focus", "drawing.folding", "drawing.letters", "drawing.looks"},
    {"drawing.view", "drawing.cards"},
    {"drawing.rows", "drawing.groups", "drawing.drawn", "drawing.arrows", "drawing.steps"},
    {"drawing.picture"},
    {"drawing.output", "drawing.layout"}, {"drawing.network", "drawing.animation"}, {"drawing"},
    {"diagnosis.view"}, {"diagnosis.evidence"}, {"diagnosis.forms"},
    {"diagnosis.products", "diagnosis.partials"},
    {"diagnosis.hypotheses"}, {"diagnosis.diagnose", "diagnosis.points", "diagnosis.functions"},
    {"testing", "expression", "frames"}, {"document", "commands.console"},
    {"commands.formulas", "commands.several", "commands.wrong"},
    {"commands.grad", "commands.draw", "commands.check", "commands.audit"}, {"cli"}, {"__main__"},
    {"ops", "graph", "transforms", "programs", "native", "checks", "diagnosis", "commands",
     "uncertainty"},                                                                             # (empty)
]
ROW = {name: i for i, row in enumerate(ROWS) for name in row}

# Packages that only these may import; and inside a function, so that they load only when used.
ONLY = {"graphviz": {"drawing"}, "hypothesis": {"testing", "commands"}, "matplotlib": {"document"},
        "tqdm": {"commands"}, "pandas": {"frames"},
        "numpy": {name.partition(".")[0] for name in ROW}, "scipy": {"transforms"}, "sympy": {"drawing"},
        "mpmath": {"checks", "transforms", "testing"}, "llvmlite": {"native"}, "networkx": {"transforms"}}

# What an hour of reading the core leaves out: the ops, a family a file, a method for each,
# and the float kernels, which are data.
DATA = {"ops.special", "ops.polygammas", "ops.methods", "ops.selection", "ops.geometry", "ops.elementary",
        "ops.normal", "ops.activations", "ops.sequences"}


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


def ours(name, source):
    """The modules of ours that a module imports, below the package."""
    return {module.partition(".")[2] for module, _ in imports(
        source) if module.partition(".")[0] == "autograd_lite"}


def violations(name, source):
    """The imports of a module of ours that its row does not allow."""
    for other in sorted(ours(name, source)):
        whole = name == "cli" or name.startswith("commands.")
        allowed = whole if other == "" else ROW.get(other, len(ROWS)) < ROW[name]
        if not allowed:
            yield f"{name} imports {other or 'the whole library'}"


# -- the import rule ----------------------------------------------------------------------------

def test_every_module_has_a_row_and_every_row_has_modules():
    assert set(MODULES) - {""} == set(ROW)


@pytest.mark.parametrize("name", [name for name in MODULES if name])
def test_a_module_imports_only_from_rows_above_its_own(name):
    assert list(violations(name, MODULES[name].read_text())) == []


@pytest.mark.parametrize("name, line, allowed", [
    ("graph.value", "from autograd_lite.transforms.gradients import grad", False),
    ("graph.value", "from autograd_lite import nn", False),
    ("ops.elementary", "import autograd_lite.graph.value", False),
    ("ops.op", "from autograd_lite.ops.numbers import Ieee", False),
    ("nn.losses", "def f():\n    from autograd_lite.optim import SGD", False),
    ("checks.audit", "import autograd_lite", False),
    ("graph.node", "from autograd_lite.graph.value import Value", False),
    ("graph.value", "from autograd_lite.ops.elementary import add", True),
    ("drawing.picture", "from autograd_lite.drawing.cards import box", True),
    ("drawing.picture", "from autograd_lite.nn import MLP", True),
    ("nn.layers", "from autograd_lite.drawing import render", False),
    ("document", "import math", True)])
def test_the_rule_can_tell_a_violation(name, line, allowed):
    assert (list(violations(name, line.replace("\\n", "\n"))) == []) is allowed


def test_the_table_and_the_walks_know_no_node():
    ops = [name for name in MODULES if name.startswith("ops.")]
    for name in [*ops, "errors", "graph.walks", "graph.copying"]:
        assert not {other for other in ours(name, MODULES[name].read_text())
                    if other.startswith("graph.") and other != "graph.walks"}


@pytest.mark.parametrize("name", list(MODULES))
def test_other_peoples_packages_are_imported_only_where_they_belong_and_only_when_used(name):
    for module, at_top in imports(MODULES[name].read_text()):
        package = module.partition(".")[0]
        if package == "autograd_lite" or package in sys.stdlib_module_names:
            continue
        assert name.partition(".")[0] in ONLY[package], f"{name} imports {package}"
        lazy_module = name.startswith(("drawing.", "diagnosis.")) or name == "frames"
        assert not at_top or lazy_module, f"{name} imports {package} at its top"


# -- what belongs to whom ------------------------------------------------------------------------

# The slots of a node belong to the modules of the hot path, which are one class's storage, and to copies.
SLOTS = {"_data", "_grad", "_operation", "_a", "_b", "_pa", "_pb", "_note"}
HOT = {"graph.node", "graph.value", "graph.backward", "graph.states", "programs.places", "programs.tape",
       "uncertainty.small"}


def foreign(name, source):
    """The underscore names that a module reads of others' things: neither set nor defined in it."""
    tree = ast.parse(source)
    defined = SLOTS if name in HOT else set()
    read = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined = defined | {node.name}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined = defined | {node.id}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autograd_lite"):
            read.update({alias.name: node.lineno for alias in node.names})
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                defined = defined | {node.attr}
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            read[node.attr] = node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            defined = defined | {node.value}            # (in __slots__)
    theirs = {"_replace", "_fields", "_getframe", "_exit", "_mpi_",      # the standard library's, mpmath's
              "_add_arithmetic_ops", "_add_comparison_ops"}             # (pandas')
    return {f"{name}:{line} reads {attr}" for attr, line in read.items()
            if attr.startswith("_") and not attr.startswith("__") and attr not in defined | theirs}


@pytest.mark.parametrize("name", [name for name in MODULES if name])
def test_no_module_reads_anothers_underscore_names(name):
    assert foreign(name, MODULES[name].read_text()) == set()


def test_a_foreign_underscore_name_is_seen():
    assert foreign("cli", "def f(x):\n    return x._operation") == {"cli:2 reads _operation"}
    assert foreign("graph.value", "def f(x):\n    return x._operation") == set()
    assert foreign("cli", "from autograd_lite.nn import _hidden") == {"cli:1 reads _hidden"}


def test_outside_its_module_nobody_asks_an_op_how_its_rules_are_kept_or_what_it_is_called():
    for name, path in MODULES.items():
        if name not in ("ops.op",):
            text = path.read_text()
            assert "callable(op.partials)" not in text and "callable(row.partials)" not in text
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Compare):
                    sides = [node.left, *node.comparators]
                    asked = any(isinstance(x, ast.Attribute) and x.attr in ("name", "op") for x in sides)
                    told = [x.value for x in sides if isinstance(x, ast.Constant) and x.value != ""]
                    if asked and any(name in TABLE for name in told):
                        raise AssertionError(f"{name}:{node.lineno} compares an op's name")


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
        str(ag.propagate(lambda p: [p[0] * p[1]], [1.0, 2.0], [[1.0, 0.5], [0.5, 1.0]], order=3))
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


def test_every_module_can_be_imported_and_the_command_line_first():
    run("import " + ", ".join(f"autograd_lite.{name}" for name in MODULES
                              if name not in ("", "__main__", "" if PANDAS else "frames")))
    run("import autograd_lite.cli, autograd_lite.testing")


# -- size ------------------------------------------------------------------------------------------

def running(source):
    """A program without what type checkers alone read: overloads, and what stands under TYPE_CHECKING."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        for part in (node.body if isinstance(node, ast.ClassDef) else [node]):
            decorators = [d.lineno for d in getattr(part, "decorator_list", [])
                          if getattr(d, "id", "") == "overload"]
            if decorators or isinstance(part, ast.If) and getattr(part.test, "id", "") == "TYPE_CHECKING":
                first, last = decorators[0] if decorators else part.lineno, part.body[-1].end_lineno
                lines[first - 1:last] = [None] * (last - first + 1)
                if getattr(part, "orelse", []):
                    lines[first - 1] = " " * part.col_offset + "if 0: pass"
    return "\n".join(line for line in lines if line is not None)


def test_what_type_checkers_alone_read_is_told_from_the_rest():
    program = """
if TYPE_CHECKING:
    from a import b
@overload
def f(x: int) -> int: ...
def f(x):
    return x
class C:
    @overload
    def g(self,
          x: int): ...
    def g(self, x): ...
    if TYPE_CHECKING:
        def h(self): ...
    else:
        h = g
"""
    assert running(program).split() == """
        def f(x): return x class C: def g(self, x): ... if 0: pass else: h = g""".split()
    ast.parse(running(program))


def closure(*names):
    """The modules that these import, and those import, down to the first, without the data."""
    found, rest = set(), list(names)
    while rest:
        name = rest.pop()
        if name not in found | DATA:
            found.add(name)
            rest += ours(name, running(MODULES[name].read_text()))
    return found


def test_the_core_reads_in_little_more_than_an_hour():
    """All that `Value`, `backward` and `grad` need to run, at 220 words a minute, docstrings and all."""
    core = closure("graph.value", "graph.backward", "transforms.gradients")
    assert {"errors", "ops.op", "ops.branches", "graph.node", "transforms.trace", "graph.linear"} <= core
    assert sum(len(running(MODULES[name].read_text()).split()) for name in core) <= 64 * 220


@pytest.mark.parametrize("name", [name for name in MODULES if name])
def test_no_module_is_longer_than_460_lines_and_no_class_than_150(name):
    text = MODULES[name].read_text()
    assert len(running(text).splitlines()) <= 460
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and name not in ("ops.operators", "graph.value"):
            assert node.end_lineno - node.lineno < 150, node.name


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
    assert top <= set(dir(autograd_lite))


def test_a_star_import_hides_no_common_name():
    run("from pathlib import Path; from autograd_lite import *; Path('a'); Value(1.0); select; nn; Report")


def test_the_top_level_shows_its_public_names_and_three_modules():
    shown = {name for name in dir(autograd_lite) if not name.startswith("_")}
    assert shown > set(autograd_lite.__all__) and "Op" in shown
    modules = {name for name in shown if inspect.ismodule(getattr(autograd_lite, name))}
    assert modules == {"nn", "optim", "testing"}


def test_a_value_completes_to_what_a_user_may_want():
    shown = {name for name in dir(autograd_lite.Value(1.0)) if not name.startswith("_")}
    functions = {name for name in shown if name in dir(Operators)}
    assert shown - functions == {"backward", "data", "detach", "grad", "label", "line", "op", "operands",
                                 "partials", "requires_grad", "scope"}
    numpys = {"arcsin", "arccos", "arctan", "arctan2", "arcsinh", "arccosh", "arctanh", "absolute", "fabs",
              "deg2rad", "rad2deg", "radians", "degrees", "conjugate"}
    assert functions - numpys <= set(autograd_lite.__all__)


@pytest.mark.parametrize("make", [
    lambda ag, x: ag.audit(x, {}), lambda ag, x: ag.audit(x, {(x, x): 1.0}).rows[0],
    lambda ag, x: ag.check_gradients(ag.sin, 1.0), lambda ag, x: ag.check_op(ag.sin, 1.0).derivatives[0],
    lambda ag, x: ag.check_op(ag.sin, 1.0).derivatives[0].reference, lambda ag, x: ag.explain(x * x),
    lambda ag, x: ag.explain(x * x, x).paths[0], lambda ag, x: ag.explain(x * x).inputs[0],
    lambda ag, x: ag.explain(ag.relu(x - 5.0), x).findings[0], lambda ag, x: ag.sin,
    lambda ag, x: ag.draw(x * x), lambda ag, x: ag.derive(x * x, x),
    lambda ag, x: ag.derive(ag.audit(x * x, {(x, x): 2.0}).rows[0]),
    lambda ag, x: ag.propagate(ag.sin, 1.0, 0.1)])
def test_every_class_that_a_user_is_handed_is_public_at_the_top(make):
    thing = make(autograd_lite, autograd_lite.Value(2.0, "x"))
    kind = next(kind for kind in type(thing).__mro__ if kind.__module__.startswith("autograd_lite"))
    assert getattr(autograd_lite, kind.__name__) is kind


def test_no_module_has_the_name_of_a_public_function():
    for package in ("", "nn", "drawing", "ops", "graph", "transforms", "checks"):
        whole = importlib.import_module(f"autograd_lite.{package}".rstrip("."))
        found = {module.name for module in pkgutil.iter_modules(whole.__path__)}
        names = {name for name, thing in vars(whole).items(
        ) if not name.startswith("_") and not inspect.ismodule(thing)}
        assert not found & names


def test_every_error_is_importable_from_the_top():
    errors = public(importlib.import_module("autograd_lite.errors"))
    classes = {name for name, thing in errors.items()
               if inspect.isclass(thing) and issubclass(thing, (Exception, Warning))}
    assert classes <= set(autograd_lite.__all__) and len(classes) > 10


def test_every_function_of_the_table_is_importable_from_the_top_or_has_a_rule_only_others_use():
    wanted = """exp expm1 exp2 log log1p log2 log10 sqrt cbrt sin cos tan asin acos atan sinh cosh tanh asinh
        acosh atanh erf erfc lgamma sigmoid log_sigmoid softplus relu leaky_relu elu gelu silu abs minimum
        maximum hypot atan2 logsumexp sum dot mean softmax""".split()
    assert set(wanted) <= set(autograd_lite.__all__)
    assert set(wanted) <= set(TABLE)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "__main__"])
def test_every_public_function_and_class_of_a_module_says_what_it_is(name):
    if name == "frames":
        pytest.importorskip("pandas")
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


@pytest.mark.parametrize("name", sorted(closure("graph.value", "graph.backward", "transforms.gradients")))
def test_the_core_has_no_loop_that_recurses_with_the_depth_of_a_graph(name):
    """No function of the core that walks operands calls itself."""
    for function in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(function, ast.FunctionDef) and "operands" in ast.dump(function):
            called = {node.func.id for node in ast.walk(function)
                      if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
            assert function.name not in called, function.name
