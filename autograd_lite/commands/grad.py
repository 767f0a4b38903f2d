"""``autograd-lite grad``: the value of an expression, and its derivatives."""
from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import comb
from typing import Any

from autograd_lite.checks.edges import one_sided
from autograd_lite.checks.report import plain_data, wrapped
from autograd_lite.commands.console import Parser, number, table, whole
from autograd_lite.commands.formulas import (add_expression, add_point, backward, chosen, functions, graph,
                                             point, pointing, read, root_name)
from autograd_lite.drawing import derive
from autograd_lite.errors import InputError
from autograd_lite.expression import Formula
from autograd_lite.graph.node import op_of, plain
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value
from autograd_lite.transforms.jacobians import hessian
from autograd_lite.transforms.series import derivative

ORDER, MIXED = 30, 100                          # the highest, and how many derivatives with mixed ones
EXAMPLE = 'autograd-lite grad "sin(x*y) + x**2" --at x=1.5 y=2'


def add(commands: Any) -> None:
    """Add the command."""
    parser: Parser = commands.add_parser(
        "grad", help="the value of an expression, and its derivatives",
        description="The value of an expression at a point, its gradient, and how that comes about.",
        epilog=f"example:\n  {EXAMPLE}\n\n{functions()}")
    add_expression(parser)
    add_point(parser)
    parser.add_argument("--wrt", nargs="+", metavar="NAME",
                        help="by what to differentiate (default: all variables)")
    parser.add_argument("--order", type=whole(1, ORDER, "an order"), default=1, metavar="N",
                        help="up to which order: 2 gives the Hessian, and more the further derivatives, "
                             f"mixed ones too as long as all together are at most {MIXED}")
    parser.add_argument("--ieee", action="store_true", help="go on with inf and nan outside a domain")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, refused=2)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    formula = read(options.expression)
    at, wrt = point(options.at, formula), chosen(options.wrt, formula)
    computed = [name for name in wrt if name not in formula.variables]
    if computed and options.order > 1:
        raise InputError(f"--wrt: {computed[0]} is computed; derivatives of order 2 are by variables alone")
    nodes, root = graph(formula, at, wrt)
    with pointing(formula, at):
        backward(root)
        second = _second(formula, at, wrt) if wrt and options.order > 1 else []
        higher = _higher(formula, at, wrt, options.order)
    gradient = {name: nodes[name].grad for name in wrt}
    if options.json:
        found: dict[str, Any] = {"value": root.data, "gradient": gradient}
        if second:
            found["hessian"] = {a: dict(zip(wrt, row)) for a, row in zip(wrt, second)}
        if higher:
            orders = {k: {by: x for by, x in higher.items() if len(by) == k}
                      for k in range(3, options.order + 1)}
            found["derivatives"] = {str(k): {by[0]: x for by, x in xs.items() if by[0] == by[-1]}
                                    for k, xs in orders.items()}
            if any(len({*by}) > 1 for by in higher):
                found["mixed"] = {str(k): [{"by": by, "value": x} for by, x in xs.items() if by[0] != by[-1]]
                                  for k, xs in orders.items()}
        print(json.dumps(plain_data(found)))
        return 0
    f = root_name(formula)
    rows = [(f, number(root.data)), *[(f"∂{f}/∂{name}", number(g)) for name, g in gradient.items()]]
    for i, a in enumerate(wrt if second else ()):
        rows += [(f"∂²{f}/∂{a}²" if a == b else f"∂²{f}/∂{a}∂{b}", number(second[i][j]))
                 for j, b in enumerate(wrt) if j >= i]
    rows += [(_symbol(f, by), number(x)) for by, x in higher.items()]
    print(table(rows))
    if len(wrt) > 1 and higher and len(higher) == len(wrt) * (options.order - 2):
        print(f"  (of order 3 and more by each variable alone: with the mixed ones there are over {MIXED})")
    for text in _kinks(root):
        print("\n".join(wrapped(text, "  ", 4)))
    root.label = root.label or f
    if root.operands and wrt:
        print(f"\n{derive(root, [nodes[name] for name in wrt])}")
    return 0


def _symbol(f: str, by: Sequence[str]) -> str:
    """``∂³f/∂x²∂y``."""
    raised = [(name, _raised(by.count(name))) for name in dict.fromkeys(by)]
    return f"∂{_raised(len(by))}{f}/" + "".join([f"∂{name}{n}" for name, n in raised])


def _raised(n: int) -> str:
    return str(n).translate(_RAISED) if n > 1 else ""


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _function(formula: Formula, at: dict[str, float], wrt: list[str]) -> Any:
    """The formula as a function of some of its variables."""
    return lambda *xs: formula({**at, **dict(zip(wrt, xs))})[""]


def _second(formula: Formula, at: dict[str, float], wrt: list[str]) -> list[list[float]]:
    f = _function(formula, at, wrt)
    rows: list[list[float]] = hessian(lambda xs: f(*xs))([at[name] for name in wrt])
    return rows


def _higher(formula: Formula, at: dict[str, float], wrt: list[str], order: int
            ) -> dict[tuple[str, ...], float]:
    """The derivatives of order 3 and more, by the names that they are by; mixed ones if they are not many."""
    every = comb(len(wrt) + order, order) <= MIXED
    return {by: _derivative(formula, at, by) for k in range(3, order + 1) for by in (
        combinations_with_replacement(wrt, k) if every else [(name,) * k for name in wrt])}


def _derivative(formula: Formula, at: dict[str, float], by: Sequence[str]) -> float:
    """A derivative by names, equal ones together: a series in each, of those in the others."""
    f = _function(formula, at, list(dict.fromkeys(by)))
    for name in dict.fromkeys(by):              # (the first argument is taken each time)
        f = _after(f, by.count(name), at[name])
    return f()  # type: ignore[no-any-return]


def _after(f: Any, order: int, x: float) -> Any:
    """The derivative of f at x by its first argument, as a function of the others."""
    return lambda *others: derivative(lambda x: f(x, *others), order)(x)


def _kinks(root: Value) -> list[str]:
    """What is to be known of slopes that conventions chose."""
    found = []
    for node in Program([root]).nodes:
        op = op_of(node)
        if op is not None and one_sided(node):
            call = op.call(list(map(plain, node.operands)), node.operands)
            found.append(f"({call} lies at its kink: its slope there is a convention)")
    return found
