"""`edges_of`: the partials along the edges of a graph, also those by constants."""
from __future__ import annotations

from autograd_lite.graph.node import op_of, plain, stored_partials
from autograd_lite.graph.program import Program
from autograd_lite.ops.numbers import partials_or_nan

Edges = list[tuple[int, int, float | None]]     # as in `Linear`; None where no gradient flows


def edges_of(program: Program) -> list[Edges]:
    """For each place the edges to the operands that are nodes, None as partial where no gradient flows.

    Partials are as recorded; by a constant, for which none is recorded, as its number is now.

    >>> from autograd_lite import Value
    >>> x, c = Value(2.0), Value(5.0, requires_grad=False)
    >>> edges_of(Program([x * c + 1.0]))
    [[], [], [(0, 0, 5.0), (1, 1, 2.0)], [(2, 0, 1.0)]]
    """
    found = []
    for node, operands in zip(program.nodes, program.operands):
        partials, op = stored_partials(node), op_of(node)
        if op is not None and any([p is None and x is not None for p, x in zip(partials, operands)]):
            fresh = partials_or_nan(op, node.data, [plain(x) for x in node.operands])
            partials = [f if p is None else p for p, f in zip(partials, fresh)]
        found.append([(x, i, p) for i, (x, p) in enumerate(zip(operands, partials)) if x is not None])
    return found
