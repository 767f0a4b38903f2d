"""The expression and the point that commands are given."""
from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from unicodedata import normalize

import autograd_lite
from autograd_lite.checks.report import clip, wrapped
from autograd_lite.commands.console import WIDTH, Parser
from autograd_lite.errors import InputError, NumericError
from autograd_lite.expression import CONSTANTS, FUNCTIONS, LENGTH, Formula, constant, meant, parse, taken
from autograd_lite.graph.value import Value
from autograd_lite.lines import printable


def add_expression(parser: Parser) -> None:
    """The argument for an expression."""
    parser.add_argument("expression",
                        help="a formula, such as 'u = x*y; sin(u) + x**2'; - reads the standard input")


def add_point(parser: Parser, help: str = "the numbers to take; of constants, as in x=-pi/2, too") -> None:
    """The option for a point, and what to do outside the domain."""
    parser.add_argument("--at", nargs="+", action="extend", default=[], metavar="NAME=NUMBER", help=help)


def functions() -> str:
    """For --help: the functions that a formula may call."""
    names = " ".join(name for name in sorted(FUNCTIONS) if name in autograd_lite.__all__)
    return "\n".join(["functions:", *wrapped(names, "  ", 2, WIDTH),
                      "  (sum, mean, dot, logsumexp and softmax take lists, as in sum([x, y]))"])


def read(expression: str) -> Formula:
    """The formula that an argument gives, or the standard input."""
    if expression != "-":
        return parse(expression)
    if sys.stdin is None:
        raise InputError("the standard input is closed; give the expression as an argument")
    try:
        text = sys.stdin.read(LENGTH + 5)       # (no further: it may be endless)
        for mark in ("\ufeff", "ï»¿"):           # (Windows may put it before a text; then what it looks like)
            text = text.removeprefix(mark)
        return parse(text, what="the standard input")
    except UnicodeDecodeError:
        raise InputError("the standard input is not text") from None


def point(given: Iterable[str], formula: Formula, needed: bool = True) -> dict[str, float]:
    """The numbers of --at, by name.

    Raises:
        AutogradError: one is not given, or is given twice, or not a number.
    """
    found: dict[str, float] = {}
    for item in given:
        name, equals, number = item.partition("=")
        name = normalize("NFKC", name.strip())
        if not equals or not name.isidentifier():
            raise InputError(f"--at: {_shown(item)} is not a name and a number; write x=1.5 (and the "
                             "expression before --at)")
        if name in FUNCTIONS or name in CONSTANTS:
            raise InputError(f"--at: {taken(name)}")
        if name in found:
            raise InputError(f"--at: {_shown(name)} is given twice")
        if name not in formula.variables:
            what = "is computed, not given" if name in formula.names else "is not in the expression"
            raise InputError(f"--at: {_shown(name)} {what}{meant(name, formula.variables)}")
        found[name] = constant(number, f"--at {_shown(name)}")
    missing = [name for name in formula.variables if name not in found]
    if missing and needed:
        raise InputError(f"{', '.join(map(_shown, missing[:9]))}{', …' * (len(missing) > 9)}: no number is "
                         f"given; add --at {' '.join(_shown(name) + '=1.5' for name in missing[:9])}")
    return found


def chosen(names: Sequence[str] | None, formula: Formula, what: str = "--wrt") -> list[str]:
    """Some of a formula's names; by default its variables."""
    found = [normalize("NFKC", name) for name in names or formula.variables]
    for k, name in enumerate(found):
        if name not in formula.names:
            near = meant(name, list(formula.names))
            raise InputError(f"{what}: {_shown(name)} is not in the expression{near}")
        if name in found[:k]:
            raise InputError(f"{what}: {_shown(name)} is given twice")
    return found


def graph(formula: Formula, at: dict[str, float], leaves: Collection[str] = ()
          ) -> tuple[dict[str, Value], Value]:
    """The labelled nodes of the names at a point, and the root; `leaves` as for a formula."""
    found = formula({name: Value(x, name) for name, x in at.items()}, leaves)
    nodes = {name: x if isinstance(x, Value) else Value(x, name) for name, x in found.items()}
    return nodes, nodes.pop("")


def backward(root: Value) -> None:
    """Compute the gradient, which is 0 of what has none (a comparison)."""
    if root.requires_grad:
        root.backward()


@contextmanager
def pointing(formula: Formula, at: dict[str, float]) -> Iterator[None]:
    """Let an error of a derivative, at a point, show where in the formula it arises."""
    try:
        yield
    except NumericError as error:
        raise formula.located(error, at) from None


def root_name(formula: Formula) -> str:
    """What the result is called: its own name, or f."""
    free = (name for name in ("f", "y", "z") if name not in formula.names)
    return formula.name or next((name for name, k in formula.names.items() if k == formula.result),
                                next(free, "the result"))


def _shown(text: str) -> str:
    return clip(printable(text), 40)
