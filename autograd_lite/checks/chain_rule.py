"""The chain rule over partials that are checked against their ops' functions."""
from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from math import inf, nan
from operator import add
from typing import Any, NamedTuple

from autograd_lite.checks.slopes import Estimate, op_slope, reach
from autograd_lite.checks.verdicts import CORRECT, KINK, NOISY, WRONG, Partial, verdict_on
from autograd_lite.graph.linear import Algebra, Edge, Linear
from autograd_lite.graph.node import call_of, op_of, plain, taken_of
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import Op
from autograd_lite.ops.special import added
from autograd_lite.transforms.trace import Trace


class Call(NamedTuple):
    """An op at its operands, the partials its rule gives there, and a key to tell calls apart."""

    node: Value
    op: Op
    xs: Sequence[float]
    given: Sequence[float]
    key: tuple[Any, ...]


class Judge:
    """The partials of the calls met: what they are, and which were not found correct."""

    def __init__(self) -> None:
        self.known: dict[Any, Estimate] = {}
        self.doubtful: dict[Any, Partial] = {}

    def partial(self, call: Call, i: int) -> Estimate:
        """The partial by the i-th operand, as well as it is known."""
        key = call.key, i
        if key not in self.known:
            self.known[key] = self._judged(call, i)
        return self.known[key]

    def _judged(self, call: Call, i: int) -> Estimate:
        node, op, xs, given = call.node, call.op, call.xs, call.given[i]
        reference = op_slope(op, xs, i)
        verdict = verdict_on(given, reference)
        if verdict == WRONG and math.isfinite(given) and not op.chooses:
            # Near a zero of the derivative its rounding is that of larger terms.
            nudged = [[*xs[:j], math.nextafter(x, inf), *xs[j + 1:]] for j, x in enumerate(xs)]
            slack = 64.0 * added(abs(op_slope(op, at, i).value - reference.value) for at in nudged)
            verdict = verdict_on(given, reference, slack=slack)
        if verdict != CORRECT:
            if (verdict == NOISY and reach(op, xs)) or given != given and any(
                    verdict_on(nan, op_slope(op, xs, j)) == KINK for j in range(len(xs))):
                verdict = KINK
            self.doubtful[call.key, i] = Partial(call_of(node), op.name, i, given, reference, verdict)
        known = reference.value if verdict == WRONG else given
        return Estimate(known, reference.error) if math.isfinite(known) else Estimate(1.0, inf)

    @property
    def blames(self) -> bool:
        """Whether a partial is wrong."""
        return any(partial.verdict == WRONG for partial in self.doubtful.values())


class Sum(NamedTuple):
    """A derivative, the size of the terms it is the sum of, and a bound of its error."""

    value: float
    size: float
    error: float


class ChainRule(Algebra):
    """The derivatives of a trace's outputs, computed from the judge's partials."""

    def __init__(self, trace: Trace, judge: Judge):
        self.program, self.judge = trace.program, judge
        self.varies = self.program.dependent(trace.inputs_at)   # (an op may say wrongly that none flows)
        self.linear = Linear(len(trace.program), cache(self._edges))

    def pull(self, output: Any) -> list[Sum | None]:
        """The derivative of an output by the node at each place; None where nothing arrives."""
        top = self.program.place(output)
        return self.linear.pull({} if top is None else {top: Sum(1.0, 1.0, 0.0)}, self)

    def _edges(self, k: int) -> list[Edge]:
        node, op, operands = self.program.nodes[k], op_of(self.program.nodes[k]), self.program.operands[k]
        if op is None or not self.varies[k] or not operands:
            return []
        xs = list(map(plain, node.operands))
        call = Call(node, op, xs, node.partials, (op, *map(float.hex, xs)))
        return [(x, i, call) for i in taken_of(node) if (x := operands[i]) is not None and self.varies[x]]

    def times(self, g: Sum, p: Call, k: int, i: int) -> Sum | None:
        if not (g.size or g.error) and math.isfinite(p.given[i]):       # (infinite times 0 is unknown)
            return None
        value, doubt = self.judge.partial(p, i)
        error = g.error * abs(value) if g.error < inf else inf
        return Sum(g.value * value, g.size * abs(value), error + ((g.size or 1.0) * doubt if doubt else 0.0))

    def plus(self, a: Sum, b: Sum, k: int) -> Sum:
        return Sum(*map(add, a, b))
