"""An interruption (Ctrl-C) at any instruction leaves no mode on, and changes are made all or not at all."""
import ast
import contextlib
import contextvars
import decimal
import gc
import sys
import warnings
from pathlib import Path

import mpmath
import numpy
import pytest

import autograd_lite as ag
from autograd_lite import Value, errors as errors_module, errstate, modes as modes_module, no_grad
from autograd_lite.ops.op import TABLE
from autograd_lite.graph import recording as recording_module, value as value_module
from autograd_lite import testing
from autograd_lite import compile
from autograd_lite.programs.namespaces import mapped
from graphs import python_build
from instructions import Interrupt, codes_of, interrupted_at

MODES = [*codes_of(modes_module, errors_module, recording_module, without=(
    "raising", "ignoring", "current", "_choice", "_recount", "_held", "signal", "short", "shown", "mode"))]


def state():
    """Whether errors are raised, and whether operations are recorded."""
    try:
        ag.log(0.0)
    except ag.DomainError:
        return "raise", Value(2.0).exp().requires_grad
    return "ignore", Value(2.0).exp().requires_grad


def infinite_rule():
    try:
        return ag.custom_op(lambda x: x, (lambda y, x: 1.0 / (x - 2.0),), name="interrupted")
    finally:
        TABLE.pop("interrupted", None)          # (other tests look at the whole table)


def rooted(x):
    return ag.select(ag.greater(x, 1.0), lambda: x * x, lambda: (x - 2.0).sqrt() * x)


X = Value(0.5, "x")
H = ag.sin(X)
Y, LOG = ag.log(H) * X, ag.log(X)
ag.label(h=H, y=Y)


def wrong_claims():
    return ag.audit(Y, {("y", "h"): 3.0, "x": 7.0}, values={"h": 0.9, "y": -1.0})


def warned(f, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return errstate("warn").run(f, *args)


def under_no_grad():
    return no_grad().run(ag.grad(lambda x: x * x), 2.0)


def compiled_sine():
    fast = compile(ag.sin)
    fast(2.0)
    return fast


def ignored(f, *args):
    return errstate("ignore").run(f, *args)


CALLS = {
    "a partial that fails": lambda: Value(0.0).sqrt(),
    "is it missing": lambda: Value(0.0).sqrt().backward(),
    "a custom op's failure": lambda: infinite_rule()(Value(2.0)).backward(),
    "other slopes at a kink": lambda: ag.hessian(lambda x: abs(x) ** 2)(0.0),
    "both branches": lambda: rooted(Value(2.0)),
    "two smooth branches": lambda: ag.hessian(
        lambda x: ag.select(ag.greater(x, 1.0), lambda: x * x, lambda: ag.exp(x)))(2.0),
    "a gradient behind gates": lambda: ag.hessian(rooted)(2.0),
    "a gradient of a gradient": lambda: ag.grad(ag.grad(rooted))(2.0),
    "a trace": under_no_grad,
    "a linked trace": lambda: ag.grad(lambda x: ag.grad(rooted)(x))(2.0),
    "series": lambda: ag.derivative(rooted, 2)(2.0),
    "series of the caller's": lambda: ag.grad(ag.derivative(lambda x: ag.elu(rooted(x))))(2.0),
    "series with a warning": lambda: warned(ag.derivative(ag.sqrt, 2), 0.0),
    "a series that fails": lambda: ag.derivative(lambda x: ag.sqrt(x) * 0.0, 1)(0.0),
    "evaluate": lambda: ag.evaluate(LOG, wrt="x"),
    "evaluate where there is no result": lambda: ignored(
        ag.evaluate, LOG, {"x": -1.0}, mpmath.mpf),
    "points for a check": lambda: ag.check_op(ag.log),
    "slopes": lambda: ag.check_op(ag.log, 0.5),
    "slopes in many directions": lambda: ag.check_gradients(
        lambda xs: ag.sum([ag.sin(x) for x in xs]), [0.5] * 9),
    "an audit": wrong_claims,
    "a predicate": lambda: testing._defined(ag.log, [0.5]),
    "a choice that is compiled": lambda: compile(rooted)(2.0),
    "what compiling saves": lambda: compiled_sine().stats.break_even,
    "an array target": lambda: compile(ag.sin, target=numpy)(numpy.array([0.5])),
    "an op over arrays": lambda: mapped(ag.log)([0.0, 1.0]),
    "a derivation": lambda: str(ag.derive((x := Value(2.0, "x")) ** 3 * ag.hypot(x * 0.0 + 3.0, 4.0), x)),
    "a decorator": lambda: errstate("ignore")(no_grad()(lambda: ag.log(0.0)))()}


def test_these_calls_reach_each_place_in_the_library_where_a_mode_is_entered(monkeypatch):
    package, reached, run = Path(ag.__file__).parent, set(), modes_module.Mode.run

    def noted(mode, *args, **kwargs):
        frame = sys._getframe(1)
        reached.add((Path(frame.f_code.co_filename), frame.f_code.co_name))
        return run(mode, *args, **kwargs)

    monkeypatch.setattr(modes_module.Mode, "run", noted)
    for call in CALLS.values():
        with contextlib.suppress(ArithmeticError, ValueError):
            call()
    places = {(path, f.name) for path in package.rglob("*.py") for f in ast.walk(ast.parse(path.read_text()))
              if isinstance(f, ast.FunctionDef) and any(
                  isinstance(x, ast.Attribute) and x.attr == "run" and isinstance(x.value, ast.Call) and
                  ast.unparse(x.value.func) in ("errstate", "no_grad") for x in ast.walk(f))}
    own = {"_partials", "mapped", "each", "over", "ways_of"}    # (they enter it in functions of their own)
    assert {f for _, f in places - reached} <= own and len(places) > 20


# Python 3.11 keeps an exception alive whose handler a trace function interrupts, and so the modes in its
# frames, with the flags that say that some mode may be on: these calls have no such exceptions.
SMOOTH = {"a trace", "two smooth branches"}


@pytest.fixture
def cleared():
    """No mode is kept for the next test; nothing is printed of an interruption in a weak reference's end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", lambda found: None)
        yield
    for kind in (errstate, no_grad):
        for entry in kind._live:
            entry.left = True
        kind._recount()


@python_build
@pytest.mark.parametrize("around", ["nothing", "ignore", "no_grad"])
@pytest.mark.parametrize("name", CALLS)
def test_an_interrupted_call_leaves_no_mode_of_its_own_on_even_while_the_exception_lives(
        cleared, name, around):
    given = {"nothing": contextlib.nullcontext, "ignore": lambda: errstate("ignore"), "no_grad": no_grad}
    flags = errors_module.unusual, value_module.special
    with given[around]():
        before = state()
        with interrupted_at(10 ** 9, MODES) as left, contextlib.suppress(ArithmeticError, ValueError):
            CALLS[name]()
        size, hits = 10 ** 9 - left(), 0
        for instruction in range(1, size + 1, max(1, size // (40 if size < 4000 else 8))):
            kept = []                           # (as an interactive Python keeps the last exception)
            try:
                with interrupted_at(instruction, MODES):
                    CALLS[name]()
            except (Interrupt, ArithmeticError, ValueError) as error:
                kept.append(error)
                hits += type(error) is Interrupt
            assert state() == before, (instruction, size)
            del kept
    assert hits > 5 or around == "no_grad"
    gc.collect()
    if name in SMOOTH:
        assert (errors_module.unusual, value_module.special) == flags


def test_a_function_run_within_a_mode_keeps_what_it_sets_for_its_caller():
    number = contextvars.ContextVar("number", default=0)

    def f(x):
        number.set(number.get() + 1)
        decimal.getcontext().prec = 7
        assert not Value(1.0).exp().requires_grad
        return x * 2.0

    with decimal.localcontext():
        assert no_grad().run(f, x=3.0) == 6.0 and number.get() == 1 and decimal.getcontext().prec == 7
        with no_grad():
            ag.grad(lambda x: (number.set(5), x * x)[1])(2.0)
        assert number.get() == 5
        with pytest.raises(ZeroDivisionError):
            errstate("ignore").run(lambda: (number.set(6), 1 / 0))
        assert number.get() == 6 and state() == ("raise", True)


def entered_by_with(source):
    """The lines where a program enters a mode by a `with` statement (or an exit stack)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                words = {x.id for x in ast.walk(item.context_expr) if isinstance(x, ast.Name)}
                if words & {"errstate", "no_grad", "record_lines", "mode", "self"}:
                    yield node.lineno, ast.unparse(item.context_expr)


def test_the_library_enters_its_own_modes_in_one_place_alone():
    package = Path(ag.__file__).parent
    found = {(path.relative_to(package).as_posix(), text) for path in sorted(package.rglob("*.py"))
             for _, text in entered_by_with(path.read_text())}
    others = "files.py", "transforms/kinds.py", "native/vectors.py"
    none = "quiet", "pointing"                                      # (these are no modes)
    assert {(name, text) for name, text in found if name not in others and not text.startswith(none)} == {
        ("modes.py", "self"), ("decorators.py", "mode")}            # (a coroutine awaits within its mode)
    assert list(entered_by_with("with errstate('raise'), f(): pass")) == [(1, "errstate('raise')")]
