"""How far rounding may have moved the coefficients of series: a bound, to first order.

Each coefficient is a sum of products of others, rounded. One sweep back over all of them, as `backward`
goes over a graph, gives the derivative of the wanted ones by each; times the size of its rounding, and
added up in absolute values, that is the bound. (One carried along forwards grows with the order where
the coefficients do not: of 1/(1 + x²) at 2.5, order 80, it is 1e13 times the number, this one 1e-13.)
"""
from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import inf
from random import Random
from typing import Any, NamedTuple, Protocol

from autograd_lite.graph.node import plain
from autograd_lite.ops.elementary import add, div, identity, mul, neg, power, sqrt, sub
from autograd_lite.ops.geometry import absolute, hypot, maximum, minimum
from autograd_lite.ops.normal import digamma, lgamma, polygamma
from autograd_lite.ops.numbers import partials_or_nan
from autograd_lite.ops.op import Op
from autograd_lite.ops.selection import choose
from autograd_lite.ops.sequences import dot_op, fdot, fsum, mean_op, sum_op
from autograd_lite.ops.special import fdot as exact_dot
from autograd_lite.ops.special import fsum as exact_sum
from autograd_lite.ops.special import halves

ULP = 2.0 ** -52


class Expanded(Protocol):
    """What a series is asked: its coefficients, and what made it."""

    c: list[Any]
    op: Op | None
    operands: Sequence[Any]
    partials: Sequence[Any]
    idle: bool


# -- the rounding of a value -------------------------------------------------------------------


def _of_dot(y: float, xs: Sequence[float]) -> float:
    left, right, bias = halves(xs)
    return exact_dot(*left, *bias, y, *right, *[1.0 for _ in bias], -1.0)  # type: ignore[no-any-return]


def _of_power(y: float, xs: Sequence[float]) -> float:
    a, b = xs
    if b % 1.0 or not -1.0 <= b <= 16.0 or a == 0.0:
        return 2.0 * ULP * y
    return float(Fraction(a) ** int(b) - Fraction(y))


def _nothing(y: float, xs: Sequence[float]) -> float:
    return 0.0


# What rounding has changed in a result: of arithmetic exactly, of others at most.
_ROUNDING: dict[Op | None, Callable[[float, Sequence[float]], float]] = {
    add: lambda y, xs: exact_sum(*xs, -y), sub: lambda y, xs: exact_sum(xs[0], -xs[1], -y),
    sum_op: lambda y, xs: exact_sum(*xs, -y), fsum: lambda y, xs: exact_sum(*xs, -y),
    mul: _of_dot, dot_op: _of_dot, fdot: _of_dot,
    div: lambda y, xs: exact_dot(xs[0], y, 1.0, -xs[1]) / xs[1],
    mean_op: lambda y, xs: exact_dot(*xs, y, *[1.0] * len(xs), -len(xs)) / len(xs),
    sqrt: lambda y, xs: exact_dot(*xs, y, 1.0, -y) / (2.0 * y or inf),
    hypot: lambda y, xs: exact_dot(*xs, y, *xs, -y) / (2.0 * y or inf),
    power: _of_power, **dict.fromkeys((neg, absolute, minimum, maximum, identity, choose), _nothing)}


def _rounding(op: Op, y: float, xs: Sequence[float], partials: Sequence[float]) -> float:
    if op in _ROUNDING:
        try:
            return abs(_ROUNDING[op](y, xs))
        except ArithmeticError:
            return 2.0 * ULP * abs(y)
    if op.open or op in (lgamma, digamma, polygamma):           # (beside a zero: ulps of its largest term)
        return 4.0 * ULP * (abs(y) + math.fsum(abs(p * x) for p, x in zip(partials, xs)))
    return 2.0 * ULP * abs(y) if any(xs) or y % 0.5 else 0.0     # (exp(0), cos(0), … are exact)


# -- the sweep ---------------------------------------------------------------------------------


class Use(NamedTuple):
    """That ∂wanted/∂c[k] has the terms `of`[k + shift + i]·`times`[i].

    `counts`: times |c[k]|, their sizes are those of terms that were rounded and added up.
    """

    of: list[float]
    times: Sequence[float]
    shift: int = 0
    counts: bool = False


class _Track:
    """A series in floats, and ∂wanted/∂c in `bar`; in `share` that by each sum of products in c."""

    __slots__ = ("c", "slope", "bar", "share", "divisor", "uses", "slopes", "starts", "own", "rounding",
                 "error")

    def __init__(self, c: Sequence[Any]):
        numbers = list(map(float, map(plain, c)))
        if not math.isfinite(sum(numbers)):
            numbers = [x if math.isfinite(x) else 0.0 for x in numbers]
        while numbers[-1] == 0.0 and len(numbers) > 1:
            numbers.pop()
        self.c, self.slope = numbers, [k * x for k, x in enumerate(numbers)][1:]
        self.bar, self.share = [0.0] * len(c), [0.0] * len(c)
        self.divisor = 0.0                              # of share (0: that is k)
        self.uses: list[Use] = []
        self.slopes: list[Use] = []                     # the same, times k
        self.starts: list[tuple[list[float], float]] = []       # uses of c[0] in other c[0]
        self.own = False                                # whether a coefficient is rounded at the end
        self.rounding = self.error = 0.0                # of c[0]: its own, and with its operands'

    def pull(self, k: int) -> float:
        """Find ∂wanted/∂c[k] from those of later coefficients; what the roundings on the way amount to."""
        g, counted = self.bar[k], 0.0
        for of, times, shift, counts in self.uses:
            terms = list(map(operator.mul, of[k + shift:], times))
            g += sum(terms)
            if counts:
                counted += sum(map(abs, terms if k or shift else terms[1:]))    # (c[0] is counted by itself)
        if k:
            for of, times, _, _ in self.slopes:
                g += k * sum(map(operator.mul, of[k:], times))
        else:
            for of, p in self.starts:
                if of[0]:
                    g += of[0] * p
        if g:
            self.bar[k] = g
            self.share[k] = g / (self.divisor or k or 1.0)
        size = abs(self.c[k]) if k < len(self.c) else 0.0
        if k == 0:
            return ULP * size * counted + (abs(g) * self.rounding if self.rounding else 0.0)
        return ULP * size * (counted + abs(g)) if self.own else ULP * size * counted


class Roundings:
    """The roundings of all series of a computation, given by level, each after its operands."""

    def __init__(self, levels: Sequence[Sequence[Expanded]]):
        self.known: dict[int, _Track] = {}
        self.levels = [[self.track(s) for s in level if not s.idle] for level in levels]
        computed = len(self.known)
        for level in levels:
            for s in level:
                if not s.idle:
                    self.link(s)
        self.given = list(self.known.values())[computed:]

    def track(self, s: Any) -> _Track:
        if id(s) not in self.known:
            self.known[id(s)] = _Track(s.c)
        return self.known[id(s)]

    def link(self, s: Expanded) -> None:
        """Note what the coefficients of a series are made of."""
        y, op = self.track(s), s.op
        assert op is not None
        series = [self.track(x) if hasattr(x, "c") else None for x in s.operands]
        xs = [x.c[0] if x else float(v) for x, v in zip(series, s.operands)]
        partials: Sequence[float]
        if op is mul and None not in series:
            a, b = series
            a.uses.append(Use(y.bar, b.c, counts=True))
            b.uses.append(Use(y.bar, a.c))
            partials = xs[::-1]
        elif op is div and series[1] and xs[1]:
            a, b = series
            if a:
                a.uses.append(Use(y.share, [1.0]))
            y.own, y.divisor, partials = True, xs[1], [1.0 / xs[1], -y.c[0] / xs[1]]
            y.uses.append(Use(y.share, [-x for x in b.c[1:]], 1, True))
        elif op is choose:
            partials = [0.0, 1.0, 0.0] if xs[0] else [0.0, 0.0, 1.0]
            for x, p in zip(series, partials):
                if x and p:
                    x.uses.append(Use(y.bar, [1.0]))
        else:
            partials = self.link_partials(s, y, op, series, xs)
        y.rounding = _rounding(op, y.c[0], xs, partials)
        y.error = y.rounding + sum(abs(p) * x.error for x, p in zip(series, partials) if x and x.error)
        if 1e-3 * abs(y.c[0]) < y.error < inf:          # (lost: what depends on its square is not 0)
            y.c[0] += math.copysign(y.error, y.c[0])
        if op is div and y.divisor:
            b.uses.append(Use(y.share, [-x for x in y.c]))

    def link_partials(self, s: Expanded, y: _Track, op: Op, series: Sequence[_Track | None],
                      xs: Sequence[float]) -> Sequence[float]:
        """`link` where the coefficients follow from the partials; these at the point itself."""
        y.own = True
        found: Sequence[Any] = s.partials or partials_or_nan(
            op, y.c[0], xs, [bool(x) and flag for x, flag in zip(series, op.differentiable(len(xs)))])
        partials = []
        for x, p in zip(series, found):
            if hasattr(p, "c"):
                p = self.track(p)
                partials.append(p.c[0])
                if x:
                    x.slopes.append(Use(y.share, p.c))
                    x.starts.append((y.bar, p.c[0]))
                    p.uses.append(Use(y.share, x.slope, 1, True))
            else:
                partials.append(inf if p != p else float(p or 0.0))
                if x and p and not s.partials:
                    x.starts.append((y.bar, partials[-1]))
                elif x and p and math.isfinite(p):
                    x.uses.append(Use(y.bar, [float(p)], 0, abs(p) != 1.0 or len(xs) > 2))
        if len(xs) == 2 and all(abs(p) == 1.0 for p in partials):      # a sum: what cancels leaves a rounding
            for k in range(1, min(len(y.bar), max(len(x.c) for x in series if x))):
                if k >= len(y.c):
                    y.c.append(0.0)
                if y.c[k] == 0.0:
                    y.c[k] = ULP * max(abs(x.c[k]) if x and k < len(x.c) else 0.0 for x in series)
        return partials

    def bound(self, seeds: Sequence[tuple[Any, int, float]]) -> float:
        """What the roundings amount to in Σ weight·c[k] over the (series, k, weight) given."""
        for track in self.known.values():
            track.bar[:] = track.share[:] = [0.0] * len(track.bar)
        for s, k, weight in seeds:
            self.track(s).bar[k] += weight
        total = 0.0
        for step in range(max(k for _, k, _ in seeds) - 1, -1, -1):     # as they were computed, backwards
            for level in range(step + 1):
                for track in reversed(self.levels[level]):
                    total += track.pull(step - level + 1)
        for tracks in reversed(self.levels):
            for track in reversed(tracks):
                total += track.pull(0)
        for track in self.given:
            for k in range(len(track.c)):
                total += track.pull(k)
        return total


def lost(levels: Sequence[Sequence[Expanded]], outputs: Sequence[Any], wanted: Sequence[int]
         ) -> Iterator[tuple[Any, int, float]]:
    """Which of the coefficients wanted of the outputs roundings may have changed too much, and by how much.

    Too much is what exceeds both 1e-6 of the coefficient and 1e-13 of the largest of its series.
    """
    seeds = []
    for y in outputs:
        sizes = [abs(plain(c)) for c in y.c]
        seeds += [(y, k, 1.0 / max(1e-6 * sizes[k], 1e-13 * max(sizes), 1e-200)) for k in wanted
                  if math.isfinite(sizes[k])]
    if not seeds:
        return
    roundings = Roundings(levels)
    # Two sums of all of them, weighted at random, tell at once that nothing is lost. (That a loss hides
    # behind another in a sum to a thousandth has odds of a thousandth: in both, of a millionth.)
    if len(seeds) > 1 and all(roundings.bound([(y, k, weight * random.uniform(0.5, 1.0) * random.choice((1.0, -1.0)))
                                               for y, k, weight in seeds]) < 1e-3
                              for random in (Random(1), Random(2))):
        return
    for y, k, weight in seeds:
        error = roundings.bound([(y, k, weight)])
        if not error <= 1.0:
            yield y, k, error / weight
