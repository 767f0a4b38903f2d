"""Random graphs for the engine's tests: the library's `expressions`, with every result on the way at hand."""
from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st

from autograd_lite import Value, build
from autograd_lite.ops.op import Op
from autograd_lite.testing import Expression, expressions

# What looks at how the pure Python build does a thing: a compiled one (docs/install.md) does it its own way.
python_build = pytest.mark.skipif(build != "python", reason="how the pure Python build does it")
PYTHON: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "neg": operator.neg}
POLYNOMIAL = ["+", "-", "*", "neg", "sum", "dot"]
SMOOTH = [*POLYNOMIAL, "tanh", "sin", "sigmoid", "hypot", "maximum", "logsumexp"]      # defined everywhere


def rounded(digits: int) -> Callable[[float], float]:
    return lambda x: round(x, digits) + 0.0


def computations(max_ops: int = 12, ops: Sequence[str] = SMOOTH, inputs: int | None = None,
                 number: Callable[[float], float] = rounded(3)) -> st.SearchStrategy[Expression]:
    """Expressions of at least one op, by default of ops defined everywhere, at numbers of few digits."""
    return expressions(max_ops, ops, inputs).filter(lambda f: f.steps).map(
        lambda f: replace(f, witness=tuple(map(number, f.witness))))


def applied(op: Op, operands: Sequence[Any]) -> Any:
    """An op as a program writes it: by Python's operator where there is one (for Fractions, too)."""
    return PYTHON.get(op.name, op)(*operands)


def results(f: Expression, inputs: Sequence[Any], apply: Callable[[Op, Sequence[Any]], Any] = applied
            ) -> list[Any]:
    """The results of every step, the inputs in front; `apply` takes a step."""
    found = list(inputs)
    for op, operands in f.steps:
        found.append(apply(op, [found[x] if isinstance(x, int) else x for x in operands]))
    return found


def recorded(f: Expression) -> tuple[list[Value], list[Value]]:
    """Fresh leaves at the witness, and every node of the expression, the leaves in front."""
    leaves = [Value(x) for x in f.witness]
    return leaves, results(f, leaves)


def gradients(nodes: Sequence[Value]) -> list[float | None]:
    """The gradients of nodes as they stand: None on one that carries none."""
    return [node.grad if node.requires_grad else None for node in nodes]
