"""Gradients on the branches of a recorded choice.

A gradient recorded as a graph contains both branches. Through the one not taken it may be infinite or
missing all the way down; where it meets other gradients, a choice of its own leaves it out. So the graph
holds whichever branch is taken later.
"""
from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from autograd_lite.errors import errstate
from autograd_lite.graph.node import op_of, plain
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value
from autograd_lite.ops.selection import choose

Binary = Callable[[Any, Any], Any]


class Gate(NamedTuple):
    """One side of a choice, in place of a partial: the condition, and the answer that opens it."""

    condition: Value
    answer: bool

    @property
    def is_open(self) -> bool:
        return bool(self.condition.data) == self.answer

    def leave(self, g: Any) -> Any:
        """A gradient where the gate is open, else 0."""
        return choose(self.condition, g, 0.0) if self.answer else choose(self.condition, 0.0, g)


class Gated(NamedTuple):
    """A gradient behind gates, the outermost first."""

    gradient: Any
    gates: tuple[Gate, ...] = ()


def _gated(g: Any) -> Gated:
    return g if type(g) is Gated else Gated(g)


def _behind(gates: Iterable[Gate], checked: Binary, unchecked: Binary, a: Any, b: Any) -> Any:
    """A product or sum behind gates: checked if all are open, else without raising."""
    if all(gate.is_open for gate in gates):
        return checked(a, b)
    return errstate("ignore").run(unchecked, a, b)


def through(g: Any, p: Any, times: Binary) -> Any:
    """A gradient times a partial, behind its gates; a gate in place of the partial is added to them."""
    gradient, gates = _gated(g)
    if type(p) is Gate:
        return Gated(gradient, (*gates, p))
    return Gated(_behind(gates, times, operator.mul, gradient, p), gates)


def merged(a: Any, b: Any, plus: Binary) -> Any:
    """The sum of two gradients, behind the gates they share."""
    a, b = _gated(a), _gated(b)
    shared = 0
    for one, other in zip(a.gates, b.gates):
        if one.condition is not other.condition or one.answer != other.answer:
            break
        shared += 1
    gates = a.gates[:shared]
    total = _behind(gates, plus, operator.add, opened(a, shared), opened(b, shared))
    return Gated(total, gates) if gates else total


def taken(node: Value) -> list[Any]:
    """The operands that make a node's number."""
    op = op_of(node)
    return [node.operands[i] for i in op.taken(list(map(plain, node.operands)))] if op else []


def idle(program: Program, outputs: Iterable[int | None]) -> list[bool]:
    """For each place whether no gradient of the outputs gets there but by branches not taken."""
    ops = list(map(op_of, program.nodes))
    if not any(op.chooses for op in ops if op):
        return [False] * len(ops)
    needed = [False] * len(ops)
    for k in outputs:
        if k is not None:
            needed[k] = True
    for k, op in reversed([*enumerate(ops)]):
        operands = program.operands[k]
        if needed[k] and op is not None and operands:
            has = op.differentiable(len(operands))
            for i in op.taken(list(map(plain, program.nodes[k].operands))):
                x = operands[i]
                if x is not None and has[i]:    # (nothing comes through a condition)
                    needed[x] = True
    return [not flag for flag in needed]


def opened(g: Any, shared: int = 0) -> Any:
    """A gradient taken out of all gates but the first `shared`."""
    if type(g) is not Gated:
        return g
    gradient = g.gradient
    for gate in reversed(g.gates[shared:]):
        gradient = gate.leave(gradient)
    return gradient
