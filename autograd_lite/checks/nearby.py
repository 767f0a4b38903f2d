"""A function run at a point and near it: whether it branches the same way and its constants stay the same.

What bypasses the graph appears in it as a constant: a plain number, or a Value that depends on no
input. If constants change as the input moves, something bypasses it.
"""
from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from math import inf, nan
from typing import Any

from autograd_lite.checks.chain_rule import Sum
from autograd_lite.checks.slopes import EPS, Estimate, reach, side, slope
from autograd_lite.checks.verdicts import DECISIVE
from autograd_lite.graph.node import op_of, plain, taken_of
from autograd_lite.graph.value import Value
from autograd_lite.graph.walks import topological
from autograd_lite.locks import computed_once
from autograd_lite.transforms.trace import Trace
from autograd_lite.transforms.trees import rebuild


class Watched:
    """A function, and what it has returned since `results` was emptied."""

    def __init__(self, f: Callable[[Any], Any], name: str):
        self.f, self.__name__ = f, name
        self.results: list[Any] = []

    def __call__(self, x: Any) -> Any:
        self.results.append(self.f(x))
        return self.results[-1]


class Run:
    """A function run once: its trace, and what its core computed on the way."""

    def __init__(self, f: Callable[[Any], list[Any]], core: Watched, x: Any):
        self.core_results: list[Any] = []
        core.results = self.core_results
        self.trace = Trace(f, (x,), {})
        self.outputs: list[Any] = self.trace.result

    def gradient(self, n: int) -> list[float]:
        """The gradient of output n, as the library gives it."""
        return [0.0 if g is None else plain(g) for g in self.trace.pull((self.outputs[n], 1.0))]

    @computed_once
    def shape(self) -> list[Any]:
        """For each node its op, its operands, and the side of the op's kink it lies on."""
        return self._shape([*self.core_results, *self.outputs])

    @computed_once
    def way(self) -> list[Any]:
        """The same for the core alone."""
        return self._shape(self.core_results)

    def _shape(self, results: Iterable[Any]) -> list[Any]:
        nodes, inputs = _below(results), self.trace.inputs
        place = {id(node): k for k, node in enumerate(nodes)} | {id(x): -1 - k for k, x in enumerate(inputs)}
        return [(op, place[id(node)], [(i, place.get(id(node.operands[i]))) for i in taken_of(node)],
                 side(op, list(map(plain, node.operands))) if op is not None and op.kink else None)
                for node in nodes for op in [op_of(node)]]

    @computed_once
    def varies(self) -> list[bool]:
        """For each place whether it depends on an input, through conditions too."""
        return self.trace.program.dependent(self.trace.inputs_at)

    @computed_once
    def _users(self) -> list[tuple[int, Value, list[int]]]:
        """The nodes that depend on an input, with their places and the operands that do not."""
        return [(k, node, [i for i in taken_of(node) if self._is_constant(node.operands[i])])
                for k, node in enumerate(self.trace.program.nodes) if self.varies[k]]

    def _is_constant(self, x: Any) -> bool:
        k = self.trace.program.place(x)
        return k is None or not self.varies[k]

    @property
    def constants(self) -> list[float]:
        """The numbers in the graph of the outputs, or among these, that depend on no input."""
        return [*(plain(node.operands[i]) for _, node, by in self._users for i in by),
                *(plain(y) for y in self.outputs if self._is_constant(y))]

    def weights(self, n: int, sums: Sequence[Sum | None]) -> list[float]:
        """The derivative of output n by each constant, from `sums`, those by the nodes."""
        found: list[float] = []
        for k, node, by in self._users:
            g, op = sums[k], op_of(node)
            if op is None or not by or g is None or not g.value:
                found += [0.0] * len(by)
            else:
                partials = node.partials        # (by an option none is known)
                found += [nan if i in op.options else g.value * partials[i] for i in by]
        return found + [float(m == n) for m, y in enumerate(self.outputs) if self._is_constant(y)]


class Nearby:
    """A function of the point with a list of numbers as its result, run at x and around it.

    `f` calls `core`; only the kinks that the core meets count.
    """

    def __init__(self, f: Callable[[Any], list[Any]], core: Watched, x: Any):
        self.f, self.core, self.x = f, core, x
        self.here = Run(f, core, x)
        self.point = [v.data for v in self.here.trace.inputs]
        self.samples: dict[tuple[int, float], tuple[list[float], list[float]] | None] = {}
        self.turning: set[tuple[int, float]] = set()     # where `core` branches otherwise

    def _run(self, j: int, t: float) -> Run:
        """A run with input j moved to t."""
        place = itertools.count()
        return Run(self.f, self.core, rebuild(self.x, lambda v: t if next(place) == j else v))

    def sample(self, j: int, t: float) -> tuple[list[float], list[float]] | None:
        """Outputs and constants with input j moved to t; None if the computation branches otherwise there."""
        if (j, t) not in self.samples:
            self.samples[j, t] = None
            try:
                run = self._run(j, t)
            except Exception:                   # whatever f raises, it is not defined there
                self.turning.add((j, t))
            else:
                if run.shape == self.here.shape:
                    self.samples[j, t] = list(map(plain, run.outputs)), run.constants
                elif run.way != self.here.way:
                    self.turning.add((j, t))
        return self.samples[j, t]

    def _slope(self, j: int, number: Callable[[tuple[list[float], list[float]]], float]) -> Estimate:
        """The slope by input j of a number of the samples."""
        def along(t: float) -> float:
            found = self.sample(j, t)
            return nan if found is None else number(found)
        return slope(along, self.point[j])

    def direct(self, n: int, j: int) -> Estimate:
        """∂output n/∂input j from differences of the function as a whole."""
        return self._slope(j, lambda sample: sample[0][n])

    def turns(self, j: int) -> bool:
        """Whether the core branches otherwise as soon as input j moves. (Branches of rules are smooth.)"""
        return any(self.sample(j, t) is None and (j, t) in self.turning for t in _around(self.point[j]))

    def past(self, j: int, weights: Sequence[float]) -> Estimate:
        """The part of an output's derivative by input j that bypasses the graph, through constants that vary.

        `weights` are the output's derivatives by the constants.
        """
        x = self.point[j]
        far, close = ([x - (abs(x) or 1.0) * 0.5 ** k, x + (abs(x) or 1.0) * 0.5 ** k] for k in (4, 20))
        close += _around(x)
        others = [found[1] for found in [self.sample(j, t) for t in (*close, *far)] if found]
        total = size = error = 0.0
        for m, (weight, here) in enumerate(zip(weights, self.here.constants)):
            if not weight or all(there[m] == here or here != here for there in others):
                continue
            change = self._slope(j, lambda sample: sample[1][m])
            still = all(found and found[1][m] == here for found in [self.sample(j, t) for t in close])
            if still and change.error > DECISIVE * abs(change.value):
                continue                        # it jumps only further away
            total, size = total + weight * change.value, size + abs(weight * change.value)
            error += abs(weight) * change.error if math.isfinite(weight) else inf
        return Estimate(total, error + EPS * (len(self.here.trace.program) + 16) * size)

    def straddles(self, n: int, j: int, claimed: float) -> bool:
        """Whether input j has a kink nearby and the claim may be a mean of output n's slopes around it."""
        program, place = self.here.trace.program, self.here.trace.inputs_at[j]
        step = max([reach(op, list(map(plain, node.operands)))
                    for node, moves in zip(program.nodes, program.dependent([place])) if moves
                    for op in [op_of(node)] if op is not None], default=0.0)
        if not step:
            return False
        slopes: list[float] = []
        for t in (self.point[j] - step, self.point[j], self.point[j] + step):
            try:
                slopes.append(self._run(j, t).gradient(n)[j])
            except Exception:
                return True
        margin = 1e-6 * max(map(abs, slopes))
        return min(slopes) - margin <= claimed <= max(slopes) + margin


def _below(results: Iterable[Any]) -> list[Value]:
    """The nodes that the results were computed from, by the operands that count."""
    return topological([y for y in results if isinstance(y, Value)], lambda node: [
        x for i in taken_of(node) if isinstance(x := node.operands[i], Value)])


def _around(x: float) -> list[float]:
    """The nearest points on both sides; for 0, points large enough not to underflow."""
    return [math.nextafter(x, -inf), math.nextafter(x, inf)] if x else [-0.5 ** 60, 0.5 ** 60]
