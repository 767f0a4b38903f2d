"""The edges that audits and explanations sweep over, and the sizes of paths."""
from __future__ import annotations

from typing import Any

from autograd_lite.graph.linear import Algebra
from autograd_lite.graph.node import partials_of, stored_partials
from autograd_lite.graph.program import Program

Edges = list[tuple[int, int, float | None]]     # as in `Linear`; None where no gradient flows


def edges_of(program: Program) -> list[Edges]:
    """For each place the edges to the operands that are nodes, with None as partial where no gradient flows.

    Partials are as recorded; those by a constant, which are not recorded, are for its present number.

    >>> from autograd_lite import Value
    >>> x, c = Value(2.0), Value(5.0, requires_grad=False)
    >>> edges_of(Program([x * c + 1.0]))
    [[], [], [(0, 0, 5.0), (1, 1, 2.0)], [(2, 0, 1.0)]]
    """
    found = []
    for node, operands in zip(program.nodes, program.operands):
        partials = stored_partials(node)
        if any([p is None and x is not None for p, x in zip(partials, operands)]):
            partials = partials_of(node)
        found.append([(x, i, p) for i, (x, p) in enumerate(zip(operands, partials)) if x is not None])
    return found


class Sizes(Algebra):
    """The sum over all paths of the sizes of their products."""

    def times(self, g: Any, p: Any, k: int, i: int) -> Any:
        return None if g == 0.0 else g * abs(p)
