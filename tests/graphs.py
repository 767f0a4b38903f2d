"""Random computations for the engine's tests: made of plain data, so that they shrink and print well.

A `Recipe` is a list of leaves and a list of steps; `build` carries it out on any numbers that have
the operators, so a test can run it on Values, on floats and on Fractions.
"""
from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value

POLYNOMIAL: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "neg": operator.neg,
    "sum": lambda a, b: ag.sum([a, b, a]), "dot": lambda a, b: ag.dot([a, b], [b, b], a),
}
SMOOTH = {**POLYNOMIAL, "tanh": lambda x: ag.tanh(x), "sin": lambda x: ag.sin(x),
          "sigmoid": lambda x: ag.sigmoid(x), "hypot": lambda a, b: ag.hypot(a, b),
          "max": lambda a, b: ag.maximum(a, b), "logsumexp": lambda a, b: ag.logsumexp([a, b])}
UNARY = {"neg", "tanh", "sin", "sigmoid"}


class Step(NamedTuple):
    """An op on results so far (leaves first), or on one of them and a constant."""

    op: str
    a: int
    b: int | float | None = None


class Recipe(NamedTuple):
    """What to compute."""

    leaves: list[float]
    steps: list[Step]
    ops: dict[str, Callable[..., Any]]

    def __repr__(self) -> str:
        return f"Recipe({self.leaves}, {[tuple(step) for step in self.steps]})"


def build(recipe: Recipe, leaves: list[Any]) -> list[Any]:
    """The results of every step, the leaves in front."""
    results = list(leaves)
    for op, a, b in recipe.steps:
        operands = [results[a % len(results)]]
        if op not in UNARY:
            operands.append(results[b % len(results)] if isinstance(b, int) else b)
        results.append(recipe.ops[op](*operands))
    return results


def values(recipe: Recipe) -> tuple[list[Value], list[Value]]:
    """Fresh leaves, and all nodes of the recipe on them."""
    leaves = [Value(x) for x in recipe.leaves]
    return leaves, build(recipe, leaves)


@st.composite
def recipes(draw: Any, ops: dict[str, Callable[..., Any]] = SMOOTH, numbers: Any = None,
            max_steps: int = 12) -> Recipe:
    """Recipes over `ops` of one to three leaves."""
    numbers = numbers if numbers is not None else st.floats(-2, 2).map(lambda x: round(x, 3))
    index = st.integers(0, max_steps + 2)
    steps = st.builds(Step, st.sampled_from(sorted(ops)), index, index | numbers)
    return Recipe(draw(st.lists(numbers, min_size=1, max_size=3)),
                  draw(st.lists(steps, min_size=1, max_size=max_steps)), ops)


def gradients(nodes: list[Value]) -> list[float | None]:
    """The gradients of nodes as they stand: None on one that carries none."""
    return [node.grad if node.requires_grad else None for node in nodes]
