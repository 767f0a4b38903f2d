"""Which nodes and boxes stand together, in their order, as one node of the program that draws.

Programs order what is on one rank by what crosses least; so the weights of a neuron come in any order.
"""
from __future__ import annotations

from collections.abc import Mapping

from autograd_lite.drawing.folding import Fold
from autograd_lite.drawing.view import Item, View

MOST = 12                                       # more arrows from a column to another are a tangle


def groups(view: View) -> list[list[Item]]:
    """The leaves of a scope that one node alone uses, and the boxes of a scope as far from the roots,
    each in the order of the graph."""
    users: dict[int, set[int]] = {}
    for head, edges in view.edges.items():
        for edge in edges:
            users.setdefault(id(edge.source), set()).add(id(head))
    found: dict[object, list[Item]] = {}
    for item in sorted(view.edges, key=view.place):
        scope, used = view.scope(item), users.get(id(item), set())
        if not view.edges[item] and len(used) == 1:
            found.setdefault((scope, *used), []).append(item)
        elif isinstance(item, Fold) and scope:
            found.setdefault((scope, -view.depth[item]), []).append(item)
    return list(found.values())


def crowds(view: View, column: Mapping[int, str]) -> dict[tuple[str, str], int]:
    """Pairs of columns with more arrows between them than MOST, and for how many operands these stand; given
    is in which column each node and box stands, by its id."""
    found: dict[tuple[str, str], list[int]] = {}
    for head, edges in view.edges.items():
        for edge in edges:
            pair = column.get(id(edge.source), ""), column.get(id(head), "")
            if all(pair) and edge.partial is None:
                found.setdefault(pair, []).append(edge.times)
    return {pair: sum(times) for pair, times in found.items() if len(times) > MOST}
