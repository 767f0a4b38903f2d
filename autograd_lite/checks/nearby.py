"""A function run at a point and near it: whether it branches the same way and its constants stay the same.

What bypasses the graph appears in it as a constant: a plain number, or a Value that depends on no
input. If constants change as the input moves, something bypasses it.
"""
from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf, nan
from typing import Any

from autograd_lite.checks.chain_rule import Sum
from autograd_lite.checks.edges import taken_of
from autograd_lite.checks.halves import by_halves, directions
from autograd_lite.checks.slopes import EPS, Estimate, reach, side, slope
from autograd_lite.checks.verdicts import DECISIVE
from autograd_lite.graph.node import op_of, plain
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
    def nodes(self) -> list[Value]:
        """What the core's results and the outputs were computed from."""
        return _below([*self.core_results, *self.outputs])

    @computed_once
    def shape(self) -> list[Any]:
        """For each node its op, its operands, and the side of the op's kink it lies on."""
        return self._shape(self.nodes)

    @computed_once
    def way(self) -> list[Any]:
        """The same for the core alone."""
        return self._shape(_below(self.core_results))

    def _shape(self, nodes: Sequence[Value]) -> list[Any]:
        place: dict[Any, int] = {x: k for k, x in enumerate([*nodes, *self.trace.inputs])}
        return [(op, place[node], [(i, place.get(x)) for i, x in _taken(node)],
                 side(op, list(map(plain, node.operands))) if op is not None and op.kink else None)
                for node in nodes for op in [op_of(node)]]

    @computed_once
    def varies(self) -> list[bool]:
        """For each place whether it depends on an input, through conditions too."""
        return self.trace.program.dependent(self.trace.inputs_at)

    @computed_once
    def _users(self) -> list[tuple[int, int, list[int]]]:
        """Of the nodes that depend on an input and on something else: where each stands among the nodes, its
        place in the program, and the operands that do not depend on an input."""
        program, varies, found = self.trace.program, self.varies, []
        for m, node in enumerate(self.nodes):
            k = program.place(node)
            if k is not None and varies[k] and (operands := program.operands[k]):
                by = [i for i, _ in _taken(node) if (x := operands[i]) is None or not varies[x]]
                if by:
                    found.append((m, k, by))
        return found

    @computed_once
    def _fixed(self) -> list[int]:
        """The outputs that depend on no input."""
        places = map(self.trace.program.place, self.outputs)
        return [m for m, k in enumerate(places) if k is None or not self.varies[k]]

    @computed_once
    def constants(self) -> list[float]:
        """The numbers in the graph of the outputs, or among these, that depend on no input."""
        return self.constants_of(self)

    def constants_of(self, other: Run) -> list[float]:
        """Those of a run of the same shape."""
        return [*(plain(other.nodes[m].operands[i]) for m, _, by in self._users for i in by),
                *(plain(other.outputs[m]) for m in self._fixed)]

    def weights(self, n: int, sums: Sequence[Sum | None]) -> list[float]:
        """The derivative of output n by each constant, from `sums`, those by the nodes."""
        found: list[float] = []
        for _, k, by in self._users:
            node, g = self.trace.program.nodes[k], sums[k]
            op = op_of(node)
            if op is None or g is None or not g.value:
                found += [0.0] * len(by)
            else:
                partials = node.partials        # (by an option none is known)
                found += [nan if i in op.options else g.value * partials[i] for i in by]
        return found + [float(m == n) for m in self._fixed]


class Nearby:
    """A function of the point with a list of numbers as its result, run at x and around it.

    `f` calls `core`; only the kinks that the core meets count.
    """

    def __init__(self, f: Callable[[Any], list[Any]], core: Watched, x: Any):
        self.f, self.core, self.x = f, core, x
        self.here = Run(f, core, x)
        self.point = [v.data for v in self.here.trace.inputs]
        self.finite = all(map(math.isfinite, self.point))
        self.alone: dict[int, bool] = {}        # whether an input has to be moved by itself
        self.probes: dict[int, Probe] = {}

    def run(self, moved: Mapping[int, float]) -> Run:
        """A run with some inputs moved."""
        place = itertools.count()
        return Run(self.f, self.core, rebuild(self.x, lambda v: moved.get(next(place), v)))

    def probe(self, j: int) -> Probe:
        """The function as input j alone moves."""
        if j not in self.probes:
            self.probes[j] = Probe(self, self.point[j], lambda t: {j: t}, bent=False)
        return self.probes[j]

    def close(self) -> None:
        """Let the probes go, which refer to this."""
        self.probes.clear()

    def suspects(self, inputs: Iterable[int]) -> set[int]:
        """The inputs that have to be moved one by one: where all are moved together, the function branches
        otherwise or constants vary, and so on with halves of them."""
        inputs = list(inputs)
        new = [j for j in inputs if j not in self.alone]
        alone = by_halves(new, lambda group: not any(
            self._probe(steps).stirs() for steps in directions({j: self.point[j] or 1.0 for j in group})))
        self.alone |= dict.fromkeys(new, False) | dict.fromkeys(alone, True)
        return {j for j in inputs if self.alone[j]}

    def _probe(self, steps: Mapping[int, float]) -> Probe:
        return Probe(self, 1.0, lambda t: {j: self.point[j] + (t - 1.0) * step for j, step in steps.items()},
                     bent=True)

    def straddles(self, n: int, j: int, claimed: float) -> bool:
        """Whether input j has a kink nearby and the claim may be a mean of output n's slopes around it."""
        place = self.here.trace.inputs_at[j]
        step = 0.0 if place is None else self._reaches[place]
        if not step:
            return False
        slopes: list[float] = []
        for t in (self.point[j] - step, self.point[j], self.point[j] + step):
            try:
                slopes.append(self.run({j: t}).gradient(n)[j])
            except Exception:
                return True
        margin = 1e-6 * max(map(abs, slopes))
        return min(slopes) - margin <= claimed <= max(slopes) + margin

    @computed_once
    def _reaches(self) -> list[float]:
        """For each place how far to step over the kinks nearby that depend on it."""
        program = self.here.trace.program
        found = [reach(op, list(map(plain, node.operands))) if op else 0.0
                 for node in program.nodes for op in [op_of(node)]]
        for k, operands in reversed([*enumerate(program.operands)]):
            for x in operands:
                if x is not None:
                    found[x] = max(found[x], found[k])
        return found


class Probe:
    """A function along a line through the point, sampled where it is asked for.

    Args:
        middle: where on it the point lies.
        inputs: gives the inputs that move, at a place on it.
        bent: whether samples from beyond a kink count, if the function does the same operations there.
    """

    def __init__(self, nearby: Nearby, middle: float, inputs: Callable[[float], Mapping[int, float]],
                 bent: bool):
        self.nearby, self.middle, self.inputs, self.bent = nearby, middle, inputs, bent
        self.samples: dict[float, tuple[list[float], list[float]] | None] = {}
        self.turning: set[float] = set()                 # where the core branches otherwise
        self.steps = [(abs(middle) or 1.0) * 0.5 ** k for k in (4, 8, 12, 16, 20)]
        self.far, self.close = ([middle - step, middle + step] for step in (self.steps[0], self.steps[-1]))
        self.changes: dict[Any, Estimate] = {}           # the slopes of constants, by their numbers

    def sample(self, t: float) -> tuple[list[float], list[float]] | None:
        """Outputs and constants at t; None if the computation branches otherwise there."""
        if t not in self.samples:
            self.samples[t], here = None, self.nearby.here
            try:
                run = self.nearby.run(self.inputs(t))
            except Exception:                   # whatever f raises, it is not defined there
                self.turning.add(t)
            else:
                same = run.shape == here.shape
                if not same and run.way != here.way:
                    self.turning.add(t)
                if same or self.bent and [x[:3] for x in run.shape] == [x[:3] for x in here.shape]:
                    self.samples[t] = list(map(plain, run.outputs)), here.constants_of(run)
        return self.samples[t]

    def _slope(self, which: int, m: int, steps: Sequence[float] = ()) -> Estimate:
        """The slope of the m-th output (`which` 0) or constant (1)."""
        def along(t: float) -> float:
            found = self.sample(t)
            return nan if found is None else found[which][m]
        return slope(along, self.middle, steps)

    def direct(self, n: int) -> Estimate:
        """The slope of output n from differences of the function as a whole."""
        return self._slope(0, n)

    def turns(self) -> bool:
        """Whether the core branches otherwise at the least move. (Branches of rules are smooth.)"""
        around = _around(self.middle)
        self._constants(around)
        return not self.turning.isdisjoint(around)

    def stirs(self) -> bool:
        """Whether the core branches otherwise at the least move, or a constant changes nearby, or none of
        this is known."""
        return self.turns() or not any(map(self.sample, self.close)) or not all(
            map(self._same, self._constants((*self.close, *_around(self.middle)))))

    def _constants(self, places: Iterable[float]) -> list[list[float]]:
        """The constants at those places of the line where they are known."""
        return [found[1] for found in map(self.sample, places) if found]

    def _same(self, there: Sequence[float]) -> bool:
        return all([a == b or b != b for a, b in zip(there, self.nearby.here.constants)])

    def _varying(self, weights: Sequence[float]) -> Iterator[tuple[float, Estimate]]:
        """The weights, other than 0, of the constants that vary, and their slopes."""
        places = (*self.close, *_around(self.middle))
        close = self._constants(places)
        others = [*close, *self._constants(self.far)]
        if all(map(self._same, others)):
            return
        for m, (weight, here) in enumerate(zip(weights, self.nearby.here.constants)):
            if not weight or all(there[m] == here or here != here for there in others):
                continue
            key = here, *(there[m] for there in others)
            if key not in self.changes:         # (a few steps mostly do)
                quick = self._slope(1, m, self.steps)
                decides = quick.error <= 1e-3 * DECISIVE * abs(quick.value)
                self.changes[key] = quick if decides else self._slope(1, m)
            change = self.changes[key]
            still = len(close) == len(places) and all(there[m] == here for there in close)
            if not still or not change.error > DECISIVE * abs(change.value):   # (else it jumps further away)
                yield weight, change

    def past(self, weights: Sequence[float]) -> Estimate:
        """The part of an output's slope that bypasses the graph, through constants that vary.

        `weights` are the output's derivatives by the constants.
        """
        total = size = error = 0.0
        for weight, change in self._varying(weights):
            total, size = total + weight * change.value, size + abs(weight * change.value)
            error += abs(weight) * change.error if math.isfinite(weight) else inf
        return Estimate(total, error + EPS * (len(self.nearby.here.trace.program) + 16) * size)


def _below(results: Iterable[Any]) -> list[Value]:
    """The nodes that the results were computed from, by the operands that count."""
    return topological([y for y in results if isinstance(y, Value)], lambda node: [
        x for _, x in _taken(node) if isinstance(x, Value)])


def _taken(node: Value) -> Iterable[tuple[int, Any]]:
    """The operands that count, with their places."""
    operands, op = node.operands, op_of(node)
    return [(i, operands[i]) for i in taken_of(node)] if op and op.chooses else enumerate(operands)


def _around(x: float) -> list[float]:
    """The nearest points on both sides; for 0, points large enough not to underflow."""
    return [math.nextafter(x, -inf), math.nextafter(x, inf)] if x else [-0.5 ** 60, 0.5 ** 60]
