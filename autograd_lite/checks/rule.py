"""`Rule`: each line of a derivation judged by the chain rule over the student's own numbers."""
from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from autograd_lite.checks.claims import Line
from autograd_lite.checks.edges import Step, Steps, Variant, conventions, floors
from autograd_lite.checks.order import ordered
from autograd_lite.graph.program import SMALL, Program

AGREES, INHERITS, CAUSE = "agrees", "inherits", "cause"
_TINY = 64 * 5e-324             # the smallest doubles are rounded by about themselves


def near(x: float, y: float, rtol: float, slack: float = 0.0) -> bool:
    """Whether two numbers agree, but for a relative error, or an absolute one if that is finite.

    >>> near(1.0, 1.0 + 1e-9, 1e-6), near(0.0, 1e-16, 1e-6), near(0.0, 1e-16, 1e-6, slack=1e-12)
    (True, False, True)
    """
    distance = abs(x - y)
    if not distance < math.inf:                     # (an infinity agrees with itself, a nan with nothing)
        return x == y
    return distance <= max(rtol * max(abs(x), abs(y)), slack if slack < math.inf else 0.0, _TINY)


def relative_error(a: float, b: float) -> float:
    """|a − b| / max(|a|, |b|); 0 when they are equal; a nan differs from everything.

    >>> relative_error(1.0, 0.5)
    0.5
    """
    if a == b:
        return 0.0
    return abs(a - b) / max(abs(a), abs(b), 5e-324)      # (0 and a nan: still a nan)


class Finding:
    """What is found of a line.

    Attributes:
        derived: the number the graph gives, None if the output does not depend on the input.
        follows: what the chain rule gives from the student's own numbers.
        verdict: whether it agrees, inherits, or is a cause.
        kink: the op by whose other slope at its kink it agrees.
        origins: the groups of lines that it inherits from, as the bits of a number.
    """

    __slots__ = ("derived", "follows", "verdict", "kink", "origins")

    def __init__(self, derived: float | None, follows: float, verdict: str):
        self.derived, self.follows, self.verdict = derived, follows, verdict
        self.kink, self.origins = "", 0


class Arrivals(NamedTuple):
    """What arrives at each place of a walk: by the graph alone, by the student's numbers, the size of the
    terms of the latter, and with which number the walk went on. None where nothing arrives."""

    derived: list[float | None]
    follows: list[float | None]
    sizes: Sequence[float]
    onward: list[float | None]

    def at(self, place: int) -> tuple[float | None, float, float]:
        """What was found at a place."""
        return self.derived[place], self.follows[place] or 0.0, self.sizes[place]


class Rule:
    """The rule that `audit` states, applied to the lines of a derivation.

    Args:
        program: the graph.
        changed: the steps to their operands of the places where a partial is another at the student's own
            numbers.
        lines: output, input, number, tolerance and group of each.
        marks: for each place the groups of values by which its own partials differ, as bits.
        variants: steps that a student may have taken in place of these.
    """

    def __init__(self, program: Program, changed: Mapping[int, list[Step]], lines: Sequence[Line],
                 marks: Mapping[int, int], variants: Sequence[Variant] = ()):
        self.program, self.lines = program, lines
        steps = Steps(program, changed)
        pairs = [(line.output, line.source) for line in lines if line.source is not None]
        order, self.circles = ordered(([x for x, _, _ in found] for found in steps), pairs)
        rank: Sequence[int] = range(len(program))
        if order is not None:
            rank = sorted(rank, key=order.__getitem__)
            steps = Steps(program, changed, order, rank)
        self.rank, self.marks = rank, {rank[k]: mark for k, mark in marks.items()}
        self.steps: Sequence[Sequence[Step]] = list(steps) if len(program) < SMALL else steps
        self.floors = {rank[k]: floor for k, floor in floors(program).items()}
        self.variants = list(map(self._ranked, variants))
        self.corrections: dict[int, list[tuple[int, float, int]]] = {}
        self.found: dict[int, Finding] = {}
        self._kinks: list[Variant] | None = None

    def judge(self) -> list[Finding]:
        """What is found of each line."""
        outputs: dict[int, dict[int, int]] = {}
        twins: dict[int, int] = {}                          # (two names of one node)
        for c, line in enumerate(self.lines):
            if line.source is None or (line.output, line.source) in self.circles:
                self.found[c] = Finding(None, 0.0, AGREES if line.claimed == 0.0 else CAUSE)
            else:
                about = outputs.setdefault(self.rank[line.output], {})
                twins[c] = about.setdefault(self.rank[line.source], c)
        for output in sorted(outputs):
            self._judge_output(output, outputs[output])
        found = [self.found[twins.get(c, c)] for c in range(len(self.lines))]
        if not self.marks and not any([finding.verdict == CAUSE for finding in found]):
            for finding in found:
                finding.verdict = AGREES
        return found

    def _judge_output(self, output: int, claims: Mapping[int, int]) -> None:
        """The lines about one output, those about the outputs below it being judged."""
        arrivals, corrections = self.walk(output, claims), []
        for place, c in claims.items():
            line, (derived, follows, size) = self.lines[c], arrivals.at(place)
            right = near(line.claimed, derived or 0.0, line.rtol, line.noise * size)
            consequent = near(line.claimed, follows, line.rtol, line.noise * size)
            self.found[c] = Finding(derived, follows, AGREES if right else INHERITS if consequent else CAUSE)
            if not consequent and place != output:
                corrections.append((place, line.claimed - follows, c))
        differing = {place: c for place, c in claims.items() if self.found[c].verdict != AGREES}
        if differing:
            self._vary(output, claims, differing)
            self._trace(output, claims, arrivals)
        if corrections:
            self.corrections[output] = corrections

    def walk(self, output: int, claims: Mapping[int, int],
             other: Mapping[int, Sequence[Step]] = {}) -> Arrivals:
        """Down from an output once, to the lowest of the inputs claimed, at some places by `other` steps."""
        derived: list[Any] = [None] * (output + 1)
        follows, sizes, onward = derived.copy(), array("d", bytes(8 * len(derived))), derived.copy()
        derived[output] = follows[output] = sizes[output] = 1.0
        steps, corrections, lines = self.steps, self.corrections, self.lines
        for k in range(output, min(claims, default=0) - 1, -1):
            g, d, size = follows[k], derived[k], sizes[k]
            t = abs(g or 0.0)
            if k in claims:
                g = lines[claims[k]].claimed
                t = max(t, abs(g))
            elif g is None:
                continue
            onward[k] = g
            if not t >= 1e-9 * size:            # (sizes of paths alone would soon drown every error)
                t = abs(d) if d is not None and abs(d) >= 1e-9 * size else size
            for x, p, q in other[k] if k in other else steps[k]:
                if d is not None:
                    term, before = d * p if d else 0.0, derived[x]
                    derived[x] = term if before is None else before + term
                term, before = g * q if g else 0.0, follows[x]
                follows[x] = term if before is None else before + term
                if t:
                    sizes[x] += t * max(abs(q), self.floors.get(k, 0.0))
            for x, e, _ in corrections.get(k, ()):
                term, before = g * e if g else 0.0, follows[x]
                follows[x] = term if before is None else before + term
                if t:
                    sizes[x] += t * abs(e)
        return Arrivals(derived, follows, sizes, onward)

    def _vary(self, output: int, claims: Mapping[int, int], differing: Mapping[int, int]) -> None:
        """Excuse the lines that a variant of the steps gives."""
        if self._kinks is None:
            self._kinks = list(map(self._ranked, conventions(self.program)))
        low = min(differing)
        for variant in (*self.variants, *self._kinks):
            if not any(low < k <= output for k in variant.steps) or all(
                    self.found[c].verdict == AGREES for c in differing.values()):
                continue
            arrivals = self.walk(output, claims, variant.steps)
            for place, c in differing.items():
                line, finding = self.lines[c], self.found[c]
                derived, follows, size = arrivals.at(place)
                if variant.kink and near(line.claimed, derived or 0.0, line.rtol, line.noise * size):
                    finding.verdict, finding.kink = AGREES, variant.kink
                elif finding.verdict == CAUSE and near(line.claimed, follows, line.rtol, line.noise * size):
                    finding.verdict, finding.follows = INHERITS, follows

    def _trace(self, output: int, claims: Mapping[int, int], arrivals: Arrivals) -> None:
        """For the lines that inherit: the nearest differing ones whose errors reach them."""
        masks, low = [0] * (output + 1), min(claims)
        for k in range(output, low - 1, -1):
            mask, c = masks[k], claims.get(k)
            if c is not None:
                finding = self.found[c]
                if finding.verdict == INHERITS:
                    finding.origins = mask & ~(1 << self.lines[c].group)
                    line = self.lines[c]                    # (errors that agree may add up)
                    if not mask and near(line.claimed, finding.derived or 0.0, math.sqrt(line.rtol)):
                        finding.verdict = AGREES
                mask = 0 if finding.verdict == AGREES else 1 << self.lines[c].group
            if not arrivals.onward[k] and not arrivals.derived[k]:          # nothing goes on, rightly
                continue
            own = mask | self.marks.get(k, 0)
            if own:
                varied = any([k in variant.steps for variant in (*self.variants, *(self._kinks or ()))])
                for x, p, q in self.steps[k]:
                    more = own if p != q or varied else mask
                    if more and (p or q or varied) and masks[x] is not more:
                        masks[x] |= more
            for x, _, c in self.corrections.get(k, ()):
                masks[x] |= mask if self.found[c].verdict == AGREES else mask | 1 << self.lines[c].group

    def _ranked(self, variant: Variant) -> Variant:
        """The same at the places in the order of the walks."""
        return Variant({self.rank[k]: [(self.rank[x], p, q) for x, p, q in steps]
                        for k, steps in variant.steps.items()}, variant.kink)
