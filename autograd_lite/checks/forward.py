"""The numbers of a forward pass, judged by the same rule as derivatives: from the student's own numbers."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograd_lite.checks.claims import Line
from autograd_lite.checks.edges import Step, Variant
from autograd_lite.checks.rule import AGREES, CAUSE, INHERITS, Finding, near
from autograd_lite.errors import errstate
from autograd_lite.graph.node import op_of, partials_of, plain
from autograd_lite.graph.program import Program
from autograd_lite.ops.op import Op


class Forward:
    """The student's forward pass: every number follows from the numbers claimed below it.

    Args:
        program: the graph; lines: the numbers claimed, at the places of their outputs.

    Attributes:
        found: what is found of each line.
        marks: for each place that the differing lines reach, the groups of the nearest, as bits.
    """

    def __init__(self, program: Program, lines: Sequence[Line]):
        self.program, self.found = program, list[Finding]()
        self.marks: dict[int | None, int] = {}      # (None: what is not in the graph)
        self._own: dict[int, float] = {}            # the numbers that are not the graph's
        self._claimed = {line.output: line for line in lines}
        self._wrong = set[int]()                    # the places of the causes
        sizes: list[float] = []
        findings: dict[int, Finding] = {}
        for k, node in enumerate(program.nodes if lines else ()):
            size, follows, mark = self._from_operands(k, sizes)
            line = self._claimed.get(k)
            number = follows
            if line is not None:
                number, slack = line.claimed, line.noise * size
                verdict = (AGREES if near(number, node.data, line.rtol, slack) else
                           INHERITS if near(number, follows, line.rtol, slack) and mark else CAUSE)
                findings[k] = finding = Finding(node.data, follows, verdict)
                if verdict == INHERITS:
                    finding.origins = mark
                mark = 0 if verdict == AGREES else 1 << line.group
                if verdict == CAUSE:
                    self._wrong.add(k)
            if number != node.data:
                self._own[k] = number
            if mark:
                self.marks[k] = mark
            sizes.append(max(abs(number), size if abs(number) < 1e-9 * size else 0.0))
        self.found = [findings[line.output] for line in lines]

    def _from_operands(self, k: int, sizes: Sequence[float]) -> tuple[float, float, int]:
        """The size of the terms of a node, its number from those of its operands, and where it errs from."""
        node, operands = self.program.nodes[k], self.program.operands[k]
        if not operands:
            return abs(node.data), node.data, 0
        size = sum([sizes[x] * abs(p) for x, p in zip(operands, node.partials) if x is not None and p])
        mark = 0
        for x in operands:
            mark |= self.marks.get(x, 0)
        if not any([x in self._own for x in operands]):
            return size, node.data, mark
        op: Any = op_of(node)
        return size, errstate("ignore").run(op.evaluate, self._xs(k)), mark

    def _xs(self, k: int) -> list[float]:
        return [self._own.get(x, plain(node)) if x is not None else plain(node)
                for x, node in zip(self.program.operands[k], self.program.nodes[k].operands)]

    def steps(self) -> tuple[dict[int, list[Step]], list[Variant]]:
        """Those that are others with the partials at the student's numbers; and as a variant those of the ops
        whose result was claimed wrong, as they are when written by the result: y(1 − y)."""
        found, by_result = dict[int, list[Step]](), dict[int, list[Step]]()
        for k, (node, operands) in enumerate(zip(self.program.nodes, self.program.operands)):
            op: Any = op_of(node)
            xs = self._xs(k)
            if any([x in self._own for x in operands]):
                found[k] = self._at(k, op, xs)
            if k in self._wrong and sum(x is not None for x in operands) == 1:
                i = next(i for i, x in enumerate(operands) if x is not None)
                x = _inverse(op, xs, i, self._own[k])
                if x is not None:
                    by_result[k] = self._at(k, op, [*xs[:i], x, *xs[i + 1:]])
        return found, [Variant(by_result)] if by_result else []

    def step_marks(self) -> dict[int, int]:
        """For each place the groups of values by which its own partials differ, as bits."""
        found = {}
        for k, operands in enumerate(self.program.operands if self.marks else ()):
            mark = self.marks[k] if k in self._wrong else 0
            for x in operands:
                mark |= self.marks.get(x, 0)
            if mark:
                found[k] = mark
        return found

    def _at(self, k: int, op: Op, xs: Sequence[float]) -> list[Step]:
        """A node's steps with its partials at other operands."""
        try:
            partials = errstate("ignore").run(lambda: op.partials(op.evaluate(xs), xs))
        except (ValueError, ArithmeticError):
            partials = [math.nan] * len(xs)
        own = partials_of(self.program.nodes[k])            # (a choice may have been another)
        return [(x, p or 0.0, q or 0.0) for x, p, q in zip(self.program.operands[k], own, partials)
                if x is not None and (p is not None or q is not None)]


def _inverse(op: Op, xs: Sequence[float], i: int, y: float) -> float | None:
    """By which i-th operand an op gives y, by Newton's steps; None if they do not get there."""
    x = xs[i]
    try:
        for _ in range(60):
            at = [*xs[:i], x, *xs[i + 1:]]
            value = op.forward(*at)
            if near(value, y, 1e-13):
                return x
            x -= (value - y) / op.partials(value, at)[i]
    except (ValueError, ArithmeticError, TypeError):
        pass
    return None
