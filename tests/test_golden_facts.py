"""The limits and tolerances of every module, the defaults of its functions, and what its classes are."""
from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import importlib
import inspect
import itertools
import pkgutil
import re

import pytest
from golden import expected

import autograd_lite
from autograd_lite.ops.custom import Custom
from autograd_lite.ops.notation import SUM, Written
from autograd_lite.ops.op import TABLE

MODULES = ["autograd_lite", *sorted(
    found.name for found in pkgutil.walk_packages(autograd_lite.__path__, "autograd_lite.")
    if found.name.rpartition(".")[2] not in ("__main__", "native"))]
SIMPLE = (bool, int, float, str, bytes, type(None))


def simple(x) -> bool:
    if isinstance(x, (tuple, list, set, frozenset)):
        return all(map(simple, x))
    if type(x) is dict:
        return all(map(simple, x)) and all(map(simple, x.values()))
    return isinstance(x, SIMPLE) and not isinstance(x, enum.Enum)


def written(x) -> str:
    if isinstance(x, (set, frozenset)):
        return f"{{{', '.join(sorted(map(written, x)))}}}"
    if isinstance(x, (tuple, list)):
        return f"({', '.join(map(written, x))})"
    if isinstance(x, dict):
        return f"{{{', '.join([f'{key!r}: {written(value)}' for key, value in x.items()])}}}"
    return repr(x)


def counts(x) -> bool:
    """Whether a number is in it."""
    if isinstance(x, (tuple, list, set, frozenset)):
        return any(map(counts, x))
    return any(map(counts, x.values())) if type(x) is dict else isinstance(x, (int, float))


def constants(module):
    """The numbers, and what holds some, that a module names."""
    assigned = re.compile(r"^(_?[A-Z]\w*(?:, \w+)*)(?:: [^=\n]+)? = ", re.MULTILINE)
    for names in assigned.findall(inspect.getsource(module)):
        for name in names.split(", "):
            if simple(x := vars(module).get(name)) and counts(x):
                yield f"{name} = {written(x)}"


def functions(module):
    """All functions and methods that are written in a module."""
    for name, x in vars(module).items():
        x = inspect.unwrap(x) if callable(x) and not isinstance(x, type) and hasattr(x, "__wrapped__") else x
        if inspect.isfunction(x) and x.__module__ == module.__name__ and x.__code__.co_name == name:
            yield name, x
        elif isinstance(x, type) and x.__module__ == module.__name__ and name != "Value":
            for member, inner in vars(x).items():
                inner = inner.__func__ if isinstance(inner, (staticmethod, classmethod)) else inner
                if inspect.isfunction(inner) and not dataclasses.is_dataclass(x):
                    yield f"{name}.{member}", inner


def defaults(module):
    for name, f in functions(module):
        parameters = inspect.signature(f).parameters.values()
        held = {p.name: p.default for p in parameters if p.default is not p.empty}
        if held and all(map(simple, held.values())):
            yield f"{name}({', '.join([f'{key}={written(x)}' for key, x in held.items()])})"


def classes(module):
    for name, x in vars(module).items():
        if isinstance(x, type) and x.__module__ == module.__name__:
            if dataclasses.is_dataclass(x):
                parameters = x.__dataclass_params__
                fields = ", ".join([f.name + (f" = {f.default!r}" if simple(f.default) else "")
                                    + " (not compared)" * (not f.compare) for f in dataclasses.fields(x)])
                yield (f"{name}: {'frozen, ' * parameters.frozen}{'compared, ' * parameters.eq}"
                       f"{'shown, ' * parameters.repr}of {fields}")
            elif "_field_defaults" in vars(x):
                held = {key: y for key, y in x._field_defaults.items() if simple(y)}
                yield f"{name}({', '.join(x._fields)}), {held}"


def facts(name):
    module = importlib.import_module(name)
    return "\n".join([*constants(module), *defaults(module), *classes(module)]) or "(none)"


def of_op(op):
    """What the table knows of an op: its facts, how it is written, and where it is defined and kinks."""
    facts = {name: getattr(op, name) for name in (
        "least", "most", "options", "open", "parameters", "convention", "remedy", "singular", "in_line",
        "chooses", "partly")}
    lines = [f"{name}: {written(x)}" for name, x in facts.items() if x and simple(x)]
    n = 3 if op.open else op.least
    notation = op.notation
    for name, form in (("text", notation.text), ("latex", notation.latex), ("said", notation.said),
                       *notation.targets.items()):
        for operands in ([Written("a + b", SUM), Written("x"), Written("y")], [-0.5, 2.0, 1e-9]):
            for m in (n, min(op.most, 3)):              # (some are written with their options alone)
                with contextlib.suppress(TypeError, AttributeError, IndexError):
                    y = form(*operands[:m])
                    lines.append(f"{name}: {y.text} ({y.precedence})")
                    break
    lines.append(f"sign: {notation.sign}, infix: {notation.infix}, title: {notation.title}")
    for name, f in (("kink", op.kink), ("domain", op.domain)):
        found = []
        for xs in itertools.product((-2.0, 0.0, 1.0, 2.0), repeat=n if n < 3 else 0):
            try:
                found.append(f"{f(*xs) + 0.0:g}")
            except (TypeError, ValueError, ArithmeticError) as error:
                found.append(type(error).__name__)
        lines += [f"{name}: {' '.join(found)}"] if set(found) - {"1"} else []
    return "\n".join(lines)


NAME = "facts"
CASES = {**{name: functools.partial(facts, name) for name in MODULES},
         **{f"the op {name}": functools.partial(of_op, op) for name, op in TABLE.items()
            if not isinstance(op, Custom)}}


@pytest.mark.parametrize("module", CASES)
def test_the_facts_of_a_module_are_those_expected(module):
    assert CASES[module]() == expected(NAME)[module]
