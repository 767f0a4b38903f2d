"""The edges that audits and explanations sweep over, the sizes of paths, and the slopes at a kink."""
from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autograd_lite.graph.linear import Algebra
from autograd_lite.graph.node import Node, op_of, partials_of, plain, stored_partials
from autograd_lite.graph.program import Program
from autograd_lite.graph.states import at_kink
from autograd_lite.ops.op import Op
from autograd_lite.transforms.trace import Trace

Edges = Sequence[tuple[int, int, float | None]]     # as in `Linear`; None where no gradient flows
Step = tuple[int, float, float]                 # the place of an operand, the partial, and the student's


class Steps(Sequence[list[Step]]):
    """For each place the steps of the chain rule to its operands, the student's partials as the graph's.

    Partials are as recorded; those by a constant, which are not recorded, are for its present number. (They
    are looked up as they are asked for: those of all nodes would fill more than the graph.)

    Args:
        program: the graph; changed: other steps, by places of the program.
        order: its places in the order wanted; rank: where each of them then stands.

    >>> from autograd_lite import Value
    >>> x, c = Value(2.0), Value(5.0, requires_grad=False)
    >>> list(Steps(Program([x * c + 1.0])))
    [[], [], [(0, 5.0, 5.0), (1, 2.0, 2.0)], [(2, 1.0, 1.0)]]
    """

    def __init__(self, program: Program, changed: Mapping[int, list[Step]] = {},
                 order: Sequence[int] | None = None, rank: Sequence[int] = ()):
        self.program, self.changed, self.order, self.rank = program, changed, order, rank

    def __len__(self) -> int:
        return len(self.program)

    def __getitem__(self, k: Any) -> Any:
        if self.order is not None:
            return [(self.rank[x], p, q) for x, p, q in self._at(self.order[k])]
        return self._at(k)

    def _at(self, k: int) -> list[Step]:
        if k in self.changed:
            return self.changed[k]
        node, operands = self.program.nodes[k], self.program.operands[k]
        partials = stored_partials(node)
        if None in partials and any([p is None and x is not None for p, x in zip(partials, operands)]):
            partials = partials_of(node)
        return [(x, p, p) for x, p in zip(operands, partials) if x is not None and p is not None]


class Sizes(Algebra):
    """The sum over all paths of the sizes of their products."""

    def times(self, g: Any, p: Any, k: int, i: int) -> Any:
        return None if g == 0.0 else g * abs(p)


def term_sizes(trace: Trace) -> list[float]:
    """For each input of a trace, the sizes of the terms that its derivative is made of, added up.

    >>> term_sizes(Trace(lambda x, y, z: x * y - x, (2.0, 3.0, 5.0), {}, [0, 1, 2]))
    [4.0, 2.0, 0.0]
    """
    outputs = [k for k in map(trace.program.place, trace.outputs) if k is not None]
    sizes = trace.linear.pull(dict.fromkeys(outputs, 1.0), Sizes())
    return [0.0 if k is None or sizes[k] is None else sizes[k] for k in trace.inputs_at]


class Variant(NamedTuple):
    """Other steps at some places; if they are as good as the graph's own, the ops at whose kinks they lie."""

    steps: Mapping[int, Sequence[Step]]
    kink: str = ""


def conventions(program: Program) -> Iterator[Variant]:
    """The graph with the other slopes of its ops that lie at their kinks. Each node, or if they are many all
    nodes of an op, may take another side; a few such choices are given, those of one side for all first."""
    kinks: dict[int, list[list[Step]]] = {}
    for k, (node, operands) in enumerate(zip(program.nodes, program.operands)):
        for slopes in one_sided(node) if node.requires_grad else ():
            kinks.setdefault(k, []).append([(x, p, p) for x, p in zip(operands, slopes)
                                            if x is not None and p is not None])
    units: dict[Any, list[int]] = {}
    for k in kinks:
        units.setdefault(k if len(kinks) <= 4 else program.nodes[k].op, []).append(k)
    sides = [[None, *range(len(kinks[places[0]]))] for places in units.values()]
    choices = sorted(itertools.product(*sides), key=lambda sides: (len({*sides} - {None}), sides.count(None)))
    limit = max(6, min(24, 400_000 // (len(program) + 1)))
    for choice in itertools.islice(choices, 1, 1 + limit):              # (the first is the graph's own)
        steps = {k: kinks[k][side] for places, side in zip(units.values(), choice) if side is not None
                 for k in places if side < len(kinks[k])}
        yield Variant(steps, ", ".join(dict.fromkeys(program.nodes[k].op for k in steps)))


def floors(program: Program) -> dict[int, float]:
    """Where an op of one number saturates, as much of the terms of its slope, which people write as 1 − y² or
    y(1 − y), as their rounding is of them."""
    found = {}
    for k, (node, operands) in enumerate(zip(program.nodes, program.operands)):
        if len(operands) == 1:
            p, = stored_partials(node)
            y = node.data
            if p is not None and abs(p) < 1e-2 and min(abs(p - (1.0 - y * y)), abs(p - (y - y * y))) < 1e-15:
                found[k] = 0.05 * abs(y)
    return found


def one_sided(node: Node) -> list[Sequence[float | None]]:
    """The partials on either side of the kink at which a node's operands lie, and half-way between them,
    apart from those it has; empty where there is no kink.

    >>> from autograd_lite import Value, relu
    >>> one_sided(relu(Value(0.0))), one_sided(relu(Value(1.0)))
    ([[1.0], [0.5]], [])
    """
    if not at_kink(node):
        return []
    op: Any = op_of(node)
    xs = list(map(plain, node.operands))
    try:
        sides = [slopes for i in range(len(xs)) if i not in op.options for slopes in _sides(op, xs, i)]
    except (ValueError, ArithmeticError):
        return []
    if len(sides) > 1:
        sides.append([p if p is None or q is None else 0.5 * (p + q) for p, q in zip(sides[0], sides[1])])
    found: list[Sequence[float | None]] = []
    for slopes in sides:
        if slopes not in found and any(
                abs((p or 0.0) - q) > 1e-9 * abs(q) for p, q in zip(slopes, node.partials)):
            found.append(slopes)
    return found


def _sides(op: Op, xs: Sequence[float], i: int) -> Iterator[list[float | None]]:
    """The partials just below and just above, by the i-th operand."""
    for limit in (-math.inf, math.inf):
        near = math.nextafter(xs[i], limit) if xs[i] else math.copysign(1e-150, limit)
        at = [*xs[:i], near, *xs[i + 1:]]
        if op.domain(*at):
            yield op.partials(op.forward(*at), at)


def taken_of(node: Node) -> Sequence[int]:
    """The places of the operands that make up a node's number: all, or for a choice the one taken."""
    op = op_of(node)
    return op.taken([plain(x) for x in node.operands]) if op else ()
