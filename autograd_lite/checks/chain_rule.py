"""The chain rule over partials that are checked against their ops' functions."""
from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from math import inf, nan
from operator import add
from typing import Any, NamedTuple

from autograd_lite.checks.edges import taken_of
from autograd_lite.checks.halves import FEW, by_halves, directions
from autograd_lite.checks.slopes import Estimate, directional_slope, lacks_digits, op_slope, reach
from autograd_lite.checks.verdicts import CORRECT, KINK, NOISY, RTOL, WRONG, Partial, verdict_on
from autograd_lite.graph.linear import Algebra, Edge, Linear
from autograd_lite.graph.node import call_of, op_of, plain
from autograd_lite.graph.value import Value
from autograd_lite.ops.numbers import is_missing
from autograd_lite.ops.special import TINY, added
from autograd_lite.transforms.trace import Trace


class Call:
    """An op at its operands, and the partials its rule gives there.

    Attributes:
        by: the operands by which partials are asked for.
        given: what the rule gives, nan where it fails.
        known: those already judged, for all calls of this op at these operands.
    """

    __slots__ = ("node", "by", "op", "xs", "given", "key", "known")

    def __init__(self, node: Value, by: Sequence[int], calls: dict[Any, dict[int, Estimate]]):
        self.node, self.by = node, by
        op: Any = op_of(node)
        self.op, self.xs = op, list[float](map(plain, node.operands))
        self.given = [nan if math.isinf(p) and is_missing(op, i, node.data, self.xs) else p
                      for i, p in enumerate(node.partials)]
        self.key = op, array("d", self.xs).tobytes()
        self.known = calls.setdefault(self.key, {})

    @property
    def text(self) -> str:
        """The operation with its numbers and labels."""
        return call_of(self.node)


class Judge:
    """The partials of the calls met: what they are, and which were not found correct."""

    def __init__(self) -> None:
        self.calls: dict[Any, dict[int, Estimate]] = {}
        self.doubtful: dict[Any, Partial] = {}
        self.blames = False                     # whether a partial is wrong
        self.blurred = False                    # whether one is known less well than with mpmath

    def partial(self, call: Call, i: int) -> Estimate:
        """The partial by the i-th operand, as well as it is known."""
        if not call.known and len(call.by) > FEW:
            for zeros in (False, True):
                by_halves([i for i in call.by if (call.given[i] == 0.0) == zeros],
                          lambda group: self._agree(call, group))
        if i not in call.known:
            call.known[i] = self._judged(call, i)
        return call.known[i]

    def _agree(self, call: Call, group: Sequence[int]) -> bool:
        """Whether partials, all 0 or none, give the slopes in directions in which all operands move."""
        scales = {i: 1.0 / (abs(call.given[i]) or 1.0) for i in group}
        unit = min((abs(call.xs[i]) or 1.0) / scale for i, scale in scales.items())
        doubt = 0.0
        for steps in directions({i: unit * scale for i, scale in scales.items()}):
            value, error = directional_slope(call.op, call.xs, steps)
            distance = abs(value - math.fsum([step * call.given[i] for i, step in steps.items()]))
            if not distance + error <= (TINY if call.given[group[0]] == 0.0 else 0.1 * RTOL * unit):
                return False
            doubt = max(doubt, error / unit)
        self.blurred |= doubt > 0.0 and lacks_digits(call.op)
        call.known.update({i: Estimate(call.given[i], doubt / scales[i]) for i in group})
        return True

    def _judged(self, call: Call, i: int) -> Estimate:
        op, xs, given = call.op, call.xs, call.given[i]
        reference = op_slope(op, xs, i)
        verdict = verdict_on(given, reference)
        self.blurred |= 0.0 < reference.error < inf and lacks_digits(op)
        if verdict == WRONG and math.isfinite(given) and not op.chooses:
            # Near a zero of the derivative its rounding is that of larger terms.
            slack = 64.0 * math.sqrt(len(xs)) * added(
                abs(op_slope(op, at, i).value - reference.value) for at in _nudged(xs))
            verdict = verdict_on(given, reference, slack=slack)
        if verdict != CORRECT:
            if (verdict == NOISY and reach(op, xs)) or given != given and any(
                    verdict_on(nan, op_slope(op, xs, j)) == KINK for j in range(len(xs))):
                verdict = KINK
            self.blames = self.blames or verdict == WRONG
            self.doubtful[call.key, i] = Partial(call.text, op.name, i, given, reference, verdict)
        known = reference.value if verdict == WRONG else given
        return Estimate(known, reference.error) if math.isfinite(known) else Estimate(1.0, inf)


def _nudged(xs: Sequence[float]) -> Iterator[list[float]]:
    """Operands next to these: each moved by itself if they are few, else all together."""
    if len(xs) <= FEW:
        steps: Iterable[dict[int, float]] = ({i: 1.0} for i in range(len(xs)))
    else:
        steps = directions(dict.fromkeys(range(len(xs)), 1.0))
    for step in steps:
        yield [math.nextafter(x, math.copysign(inf, step[i])) if i in step else x for i, x in enumerate(xs)]


class Sum(NamedTuple):
    """A derivative, the size of the terms it is the sum of, and a bound of its error."""

    value: float
    size: float
    error: float


class ChainRule(Algebra):
    """The derivatives of a trace's outputs, computed from the judge's partials."""

    def __init__(self, trace: Trace, judge: Judge):
        self.program, self.judge, self.several = trace.program, judge, len(trace.outputs) > 1
        self.varies = self.program.dependent(trace.inputs_at)   # (an op may say wrongly that none flows)
        self._known: dict[int, list[Edge]] = {}

    def pull(self, output: Any) -> list[Sum | None]:
        """The derivative of an output by the node at each place; None where nothing arrives."""
        top = self.program.place(output)
        linear = Linear(len(self.program), self._kept if self.several else self._edges)
        return linear.pull({} if top is None else {top: Sum(1.0, 1.0, 0.0)}, self)

    def _kept(self, k: int) -> list[Edge]:
        if k not in self._known:
            self._known[k] = self._edges(k)
        return self._known[k]

    def _edges(self, k: int) -> list[Edge]:
        node, op, operands = self.program.nodes[k], op_of(self.program.nodes[k]), self.program.operands[k]
        if op is None or not self.varies[k] or not operands:
            return []
        by = [i for i in taken_of(node) if (x := operands[i]) is not None and self.varies[x]]
        call = Call(node, by, self.judge.calls)
        return [(operands[i], i, call) for i in by]

    def times(self, g: Sum, p: Call, k: int, i: int) -> Sum | None:
        if not (g.size or g.error) and math.isfinite(p.given[i]):       # (infinite times 0 is unknown)
            return None
        value, doubt = self.judge.partial(p, i)
        error = g.error * abs(value) if g.error < inf else inf
        return Sum(g.value * value, g.size * abs(value), error + ((g.size or 1.0) * doubt if doubt else 0.0))

    def plus(self, a: Sum, b: Sum, k: int) -> Sum:
        return Sum(*map(add, a, b))
