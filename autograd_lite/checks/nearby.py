"""A function run at a point and near it: does it go the same way, and do its constants stay?

What goes past the graph stands in it as a constant: a plain number, or a Value that depends on no
input. Constants that change as the input moves tell that something does.
"""
from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from math import inf, nan
from typing import Any

from autograd_lite.checks.chain_rule import Sum, looked_at
from autograd_lite.checks.slopes import EPS, Estimate, reach, side, slope
from autograd_lite.checks.verdicts import DECISIVE
from autograd_lite.graph.node import op_of, plain
from autograd_lite.graph.value import Value
from autograd_lite.graph.walks import dependents, topological
from autograd_lite.transforms.trace import Trace
from autograd_lite.transforms.trees import rebuild


class Watched:
    """A function, and what it returned since `results` was emptied."""

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
        self.nodes = _below([*self.core_results, *self.outputs])

    @cached_property
    def shape(self) -> list[Any]:
        """What was computed from what by which op, and on which side of its kinks."""
        return self._shape(self.nodes)

    @cached_property
    def way(self) -> list[Any]:
        """The same of the core alone."""
        return self._shape(_below(self.core_results))

    def _shape(self, nodes: Sequence[Value]) -> list[Any]:
        place = {id(x): -1 - k for k, x in enumerate(self.trace.inputs)}
        source = [place.get(id(node)) for node in nodes]
        place |= {id(node): k for k, node in enumerate(nodes)}
        return [(op, source[k], [place.get(id(x)) for x in node.operands],
                 side(op, [plain(x) for x in node.operands]) if op is not None and op.kink else None)
                for k, node in enumerate(nodes) for op in [op_of(node)]]

    @cached_property
    def _constants_at(self) -> list[tuple[int, int]]:
        """Where constants are: the places of their users, and which operands they are."""
        program, varies = self.trace.program, self.trace.varies
        users = [k for k in map(program.place, _below(self.outputs)) if k is not None and varies[k]]
        return [(k, i) for k in users for i in looked_at(program.nodes[k])
                if (x := program.operands[k][i]) is None or not varies[x]]

    def _is_constant(self, y: Any) -> bool:
        k = self.trace.program.place(y)
        return k is None or not self.trace.varies[k]

    @property
    def constants(self) -> list[float]:
        """The numbers in the graph of the outputs, or among these, that depend on no input."""
        nodes = self.trace.program.nodes
        return [*(plain(nodes[k].operands[i]) for k, i in self._constants_at),
                *(plain(y) for y in self.outputs if self._is_constant(y))]

    def weights(self, n: int, sums: Sequence[Sum | None]) -> list[float]:
        """The derivative of output n by each constant, from those by the nodes."""
        found = []
        for k, i in self._constants_at:
            g, node = sums[k], self.trace.program.nodes[k]
            op: Any = op_of(node)
            if g is None or not g.value:
                found.append(0.0)
            else:                               # by an option none is known
                found.append(nan if i in op.options else g.value * node.partials[i])
        return found + [float(m == n) for m, y in enumerate(self.outputs) if self._is_constant(y)]


class Nearby:
    """A function of the point with a list of numbers as its result, run at x and around it.

    `core` is called in it; the kinks it meets are those that count.
    """

    def __init__(self, f: Callable[[Any], list[Any]], core: Watched, x: Any):
        self.f, self.core, self.x = f, core, x
        self.here = Run(f, core, x)
        self.point = [v.data for v in self.here.trace.inputs]
        self.samples: dict[tuple[int, float], tuple[list[float], list[float]] | None] = {}
        self.turning: set[tuple[int, float]] = set()     # where `core` takes another way

    def _run(self, j: int, t: float) -> Run:
        """A run with input j moved to t."""
        place = itertools.count()
        return Run(self.f, self.core, rebuild(self.x, lambda v: t if next(place) == j else v))

    def sample(self, j: int, t: float) -> tuple[list[float], list[float]] | None:
        """Outputs and constants with input j moved to t; None if the computation takes another way there."""
        if (j, t) not in self.samples:
            self.samples[j, t] = None
            try:
                run = self._run(j, t)
            except Exception:                   # whatever the function raises, it is not defined there
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
        """Whether the core takes another way as soon as input j moves (the rules' own ways are smooth)."""
        return any(self.sample(j, t) is None and (j, t) in self.turning for t in _around(self.point[j]))

    def past(self, j: int, weights: Sequence[float]) -> Estimate:
        """What of an output's derivative by input j goes past the graph: by constants that vary.

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
                continue                        # it jumps further off
            total, size = total + weight * change.value, size + abs(weight * change.value)
            error += abs(weight) * change.error if math.isfinite(weight) else inf
        return Estimate(total, error + EPS * (len(self.here.trace.program) + 16) * size)

    def straddles(self, n: int, j: int, claimed: float) -> bool:
        """Whether input j has a kink nearby, and the claim may be a mean of output n's slopes about it."""
        nodes = self.here.nodes
        varied = dependents(nodes, [self.here.trace.inputs[j]])
        step = max([reach(op, [plain(x) for x in node.operands]) for node in nodes if id(node) in varied
                    for op in [op_of(node)] if op is not None], default=0.0)
        if not step:
            return False
        slopes = []
        for t in (self.point[j] - step, self.point[j], self.point[j] + step):
            try:
                run = self._run(j, t)
                slopes.append(run.trace.pull((run.outputs[n], 1.0))[j] or 0.0)
            except Exception:
                return True
        margin = 1e-6 * max(map(abs, slopes))
        return min(slopes) - margin <= claimed <= max(slopes) + margin


def _below(results: Iterable[Any]) -> list[Value]:
    """The nodes that the results were computed from, but for what a choice did not take."""
    return topological([y for y in results if isinstance(y, Value)], lambda node: [
        x for i in looked_at(node) if isinstance(x := node.operands[i], Value)])


def _around(x: float) -> list[float]:
    """The nearest points to both sides; of 0 some that are not so small as to underflow."""
    return [math.nextafter(x, -inf), math.nextafter(x, inf)] if x else [-0.5 ** 60, 0.5 ** 60]
