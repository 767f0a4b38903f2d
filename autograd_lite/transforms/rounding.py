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
from typing import Any, Protocol

from autograd_lite.errors import NumericError, signal
from autograd_lite.graph.node import plain
from autograd_lite.ops.activations import elu, leaky_relu, relu
from autograd_lite.ops.elementary import add, div, identity, mul, neg, power, sqrt, sub
from autograd_lite.ops.geometry import absolute, hypot, maximum, minimum
from autograd_lite.ops.normal import digamma, lgamma, polygamma
from autograd_lite.ops.numbers import partials_or_nan
from autograd_lite.ops.op import Op
from autograd_lite.ops.selection import choose
from autograd_lite.ops.sequences import dot_op, fdot, fsum, logsumexp_op, mean_op, sum_op
from autograd_lite.ops.special import fdot as exact_dot
from autograd_lite.ops.special import fsum as exact_sum
from autograd_lite.ops.special import halves

ULP = 2.0 ** -52
LOST = 1e-3                 # of a number, an error so large that first order does not tell what follows
HUGE = 1e100                # in place of infinity, where products with 0 are 0


class Expanded(Protocol):
    """What a series is asked: its coefficients, and what made it."""

    c: list[Any]
    op: Op | None
    operands: Sequence[Any]
    partials: Sequence[Any]
    idle: bool


# -- the rounding of a value -------------------------------------------------------------------


def _exactly(pairs: Sequence[tuple[float, float]]) -> float:
    """The sum of products, rounded once."""
    try:
        return exact_dot(*[a for a, _ in pairs], *[b for _, b in pairs])  # type: ignore[no-any-return]
    except OverflowError:
        return inf


def _of_sum(y: float, xs: Sequence[float]) -> float:
    return exact_sum(*xs, -y)


def _of_dot(y: float, xs: Sequence[float]) -> float:
    left, right, bias = halves(xs)
    return _exactly([*zip(left, right), *[(x, 1.0) for x in bias], (y, -1.0)])


def _of_power(y: float, xs: Sequence[float]) -> float:
    a, b = xs
    whole = b % 1.0 == 0.0 and 0.0 <= b <= 16.0
    return float(Fraction(a) ** int(b) - Fraction(y)) if whole else 2.0 * ULP * y


# What rounding has changed in a result: of arithmetic exactly (of roots to first order), of others at most.
_ROUNDINGS: dict[Op | None, Callable[[float, Sequence[float]], float]] = {
    add: _of_sum, sub: lambda y, xs: exact_sum(xs[0], -xs[1], -y), sum_op: _of_sum, fsum: _of_sum,
    mul: _of_dot, dot_op: _of_dot, fdot: _of_dot, power: _of_power,
    div: lambda y, xs: _exactly([(xs[0], 1.0), (y, -xs[1])]) / xs[1],
    mean_op: lambda y, xs: _exactly([*[(x, 1.0) for x in xs], (y, -len(xs))]) / len(xs),
    sqrt: lambda y, xs: _exactly([(xs[0], 1.0), (y, -y)]) / (2.0 * y or inf),
    hypot: lambda y, xs: _exactly([*zip(xs, xs), (y, -y)]) / (2.0 * y or inf),
    **dict.fromkeys((neg, absolute, minimum, maximum, identity, choose), lambda y, xs: 0.0),
    **dict.fromkeys((relu, leaky_relu, elu), lambda y, xs: 2.0 * ULP * min(y, 0.0))}


# What may be near zero where its terms are not.
_SUMS = frozenset((sum_op, dot_op, mean_op, logsumexp_op, lgamma, digamma, polygamma))


def _rounding(op: Op, y: float, xs: Sequence[float], partials: Sequence[float], exactly: bool) -> float:
    """How much rounding may have changed a result: some ulps, or `exactly` what is known of it."""
    if exactly:
        if op in _ROUNDINGS:
            try:
                return abs(_ROUNDINGS[op](y, xs))
            except (ArithmeticError, ValueError):       # (infinite operands)
                pass
        if y % 0.5 == 0.0 and not any(xs) or y == 0.0 and op in (lgamma, digamma, polygamma):
            return 0.0                                  # exp(0), cos(0), …
    if op in _SUMS:
        return 8.0 * ULP * (abs(y) + sum(abs(p * x) for p, x in zip(partials, xs)))
    return 2.0 * ULP * abs(y)


def _result(op: Op, xs: Sequence[float]) -> float:
    """The result of an op; infinite where there is none."""
    try:
        y = op.forward(*xs)
    except (ValueError, ArithmeticError):
        return inf
    return inf if y != y else y


# -- series in floats ----------------------------------------------------------------------------


# (of, times, shift, counts): ∂wanted/∂c[k] has the terms of[k + shift + i]·times[i]; if it `counts`, their
# sizes times |c[k]| are those of terms that were rounded and added up.
Use = tuple[list[float], Sequence[float], int, bool]


def _pairs(a: Sequence[float], b: Sequence[float], k: int) -> list[tuple[float, float]]:
    """The products whose sum is the k-th coefficient of a·b."""
    return [(a[k - i], b[i]) for i in range(max(0, k + 1 - len(a)), min(len(b), k + 1))]


class Track:
    """A series in floats, and ∂wanted/∂c in `bar`; in `share` that by each sum of products in c.

    `times` is c as a factor: where all digits are lost, another number within the error in place of c[k].
    """

    __slots__ = ("order", "c", "times", "slope", "bar", "share", "divisor", "uses", "single", "slopes",
                 "starts", "own", "rounding", "error", "_slope_errors")

    def __init__(self, s: Expanded):
        try:
            numbers = list(map(float, s.c))
        except TypeError:                               # (some are Values)
            numbers = list(map(float, map(plain, s.c)))
        if not math.isfinite(sum(numbers)):
            numbers = [x if math.isfinite(x) else 0.0 for x in numbers]
        self.order = len(numbers) - 1
        while numbers[-1] == 0.0 and len(numbers) > 1:
            numbers.pop()
        self.c, self.times, self.slope = numbers, numbers[:], [k * x for k, x in enumerate(numbers)][1:]
        self.bar, self.share = list[float](), list[float]()
        self.divisor = 0.0                              # of share (0: that is k)
        # (Most tracks have one or two entries in all four: a list is made for the first, by `note`.)
        self.uses: Sequence[Use] = ()
        self.single: Sequence[tuple[list[float], float, bool]] = ()     # with one term only: of[k]·p
        self.slopes: Sequence[tuple[list[float], list[float]]] = ()     # the same without shift, times k
        self.starts: Sequence[tuple[list[float], list[float]]] = ()     # of c[0], in other c[0]
        self.own = False                                # whether a coefficient is rounded at the end
        self.rounding = self.error = 0.0                # of c[0]: its own, and with its operands'
        self._slope_errors: list[float] | None = None

    def note(self, kind: str, *entry: Any) -> None:
        """Add a use to one of the four."""
        known = getattr(self, kind)
        if known:
            known.append(entry)
        else:
            setattr(self, kind, [entry])

    def at(self, k: int) -> float:
        """A coefficient (zeros at the end are left out)."""
        return self.c[k] if k < len(self.c) else 0.0

    def trace(self, k: int) -> float:
        """What is left of a coefficient where it is cancelled."""
        return ULP * abs(self.at(k)) or abs(self.times[k]) if k < len(self.times) else 0.0

    @property
    def slope_errors(self) -> list[float]:
        """What rounding has changed in `slope`."""
        if self._slope_errors is None:
            self._slope_errors = [float(Fraction(x) * k - Fraction(k * x)) for k, x in enumerate(self.c)][1:]
        return self._slope_errors

    def connect(self, s: Expanded, track: Callable[[Any], Any], exactly: bool) -> None:
        """Tell the series of the operands, and of the partials, what this one makes of them."""
        op: Any = s.op
        series = [None if type(x) is float else track(x) for x in s.operands]
        xs = [x.times[0] if x else v for x, v in zip(series, s.operands)]
        partials = [p if type(p) is float else track(p) for p in s.partials]
        y, slopes = self.c[0], self.link(op, series, xs, partials)
        self.rounding = _rounding(op, y, [x.c[0] if x else v for x, v in zip(series, xs)], slopes, exactly)
        inexact: dict[Any, float] = {}                  # the operands that are, with their partials
        for x, p in zip(series, slopes):
            if x and x.error:
                inexact[x] = inexact.get(x, 0.0) + p
        self.error = self.rounding + sum(abs(p) * x.error for x, p in inexact.items())
        for x in inexact:
            if x.error > LOST * abs(x.c[0]):            # then it may be anywhere within the error
                low, high = x.c[0] - x.error, x.c[0] + x.error
                for moved in (low, high, max(low, min(high, 0.0))):     # (the ends, and the nearest to 0)
                    other = _result(op, [moved if of is x else v for of, v in zip(series, xs)])
                    self.error = max(self.error, abs(other - y))
        if self.error > LOST * abs(y):                  # (what depends on its square is not 0)
            self.times[0] += math.copysign(min(2.0 * self.error, HUGE), y)

    def link(self, op: Any, series: Sequence[Any], xs: Sequence[float], partials: Sequence[Any]
             ) -> Sequence[float]:
        """Note the uses of each coefficient; returns the partials at the point itself."""
        return ()

    def residual(self, k: int) -> float:
        """What rounding has changed in c[k], given the coefficients that it was made of."""
        return 0.0

    def pull(self, k: int, exactly: bool) -> float:
        """Find ∂wanted/∂c[k] from those of later coefficients; what the roundings on the way amount to."""
        g, c, counted = self.bar[k], self.c, 0.0
        size = abs(c[k]) if k < len(c) and not exactly else 0.0
        for of, times, shift, counts in self.uses:
            if counts and size:
                terms = list(map(operator.mul, of[k + shift:], times))
                g += sum(terms)
                counted += sum(map(abs, terms if k or shift else terms[1:]))    # (c[0] is counted by itself)
            else:
                g += sum(map(operator.mul, of[k + shift:], times))
        for of, p, counts in self.single:
            if k < len(of):
                g += of[k] * p
                if counts and k:
                    counted += abs(of[k] * p)
        if k:
            for of, times in self.slopes:
                g += k * sum(map(operator.mul, of[k:], times))
        else:
            for of, start in self.starts:
                g += of[0] * start[0]
        if not g:
            return ULP * size * counted
        self.bar[k] = g
        self.share[k] = g / (self.divisor or k or inf)   # (of no use for k = 0 without a divisor)
        if k == 0:
            return abs(g) * self.rounding + ULP * size * counted
        if exactly:
            return abs(g * self.residual(k))
        return ULP * size * (counted + abs(g)) if self.own else ULP * size * counted


class _Product(Track):
    __slots__ = ("a", "b")
    a: Track
    b: Track

    def link(self, op: Any, series: Sequence[Any], xs: Sequence[float], partials: Sequence[Any]
             ) -> Sequence[float]:
        self.a, self.b = series
        self.a.note("uses", self.bar, self.b.times, 0, True)
        self.b.note("uses", self.bar, self.a.times, 0, False)
        return xs[::-1]

    def residual(self, k: int) -> float:
        return _exactly([*_pairs(self.a.c, self.b.c, k), (self.at(k), -1.0)])


class _Quotient(Track):
    __slots__ = ("a", "b")
    a: Track | None                             # None: a plain number
    b: Track

    def link(self, op: Any, series: Sequence[Any], xs: Sequence[float], partials: Sequence[Any]
             ) -> Sequence[float]:
        self.a, self.b = series
        self.own, self.divisor = True, -xs[1]
        if self.a:
            self.a.note("single", self.share, -1.0, False)
        self.b.note("uses", self.share, self.times, 0, False)
        self.note("uses", self.share, self.b.times[1:], 1, True)
        return 1.0 / xs[1], -self.c[0] / xs[1]

    def residual(self, k: int) -> float:
        rest = _exactly([*_pairs(self.c, self.b.c, k), (self.a.at(k) if self.a else 0.0, -1.0)])
        return rest / self.b.c[0]


class _Choice(Track):
    __slots__ = ()

    def link(self, op: Any, series: Sequence[Any], xs: Sequence[float], partials: Sequence[Any]
             ) -> Sequence[float]:
        found = [0.0, 1.0, 0.0] if xs[0] else [0.0, 0.0, 1.0]
        for x, p in zip(series, found):
            if x and p:
                x.note("single", self.bar, 1.0, False)
        return found


class _ByPartials(Track):
    __slots__ = ("others", "linear")

    def link(self, op: Any, series: Sequence[Any], xs: Sequence[float], partials: Sequence[Any]
             ) -> Sequence[float]:
        self.own = True
        # Operands, with their partials' coefficients (not with their tracks: one may be this); with plain
        # partials, and whether these are exact.
        self.others: list[tuple[Track, list[float]]] = []
        self.linear: list[tuple[Track, float, bool]] = []
        if not partials:                                # (at the last level)
            wanted = [bool(x) and has for x, has in zip(series, op.differentiable(len(xs)))]
            partials = partials_or_nan(op, self.times[0], xs, wanted)
        found = []
        for x, p in zip(series, partials):
            if isinstance(p, Track):
                found.append(p.times[0])
                if x:
                    self.others.append((x, p.c))
                    x.note("slopes", self.share, p.times)
                    x.note("starts", self.bar, p.times)
                    p.note("uses", self.share, x.slope, 1, True)
            else:
                p = float(p or 0.0) if p is None or abs(p) < inf else HUGE
                found.append(p)
                if x and p == HUGE:                     # (infinite: at the point itself alone)
                    x.note("starts", self.bar, [HUGE])
                elif x:
                    self.linear.append((x, p, abs(p) == 1.0 or p in xs))
                    x.note("single", self.bar, p, abs(p) != 1.0 or len(xs) > 2)
        if not self.others:                             # a sum: where all cancels, roundings are left
            terms: dict[Track, float] = {}
            for x, p, _ in self.linear:
                terms[x] = terms.get(x, 0.0) + p
            for k in range(1, min(self.order + 1, max([len(x.times) for x in terms], default=0))):
                if self.at(k) == 0.0:
                    self.times[k:k + 1] = [max(abs(p) * x.trace(k) for x, p in terms.items())]
        return found

    def residual(self, k: int) -> float:
        pairs = [(self.at(k), -float(k))]
        for x, p in self.others:
            pairs += [*_pairs(p, x.slope, k - 1), *_pairs(p, x.slope_errors, k - 1)]
        for x, slope, _ in self.linear:
            if k < len(x.c):
                pairs += [(slope, x.slope[k - 1]), (slope, x.slope_errors[k - 1])]
        inexact = sum(abs(p * x.at(k)) for x, p, exact in self.linear if not exact)
        return abs(_exactly(pairs)) / k + ULP * inexact


_TRACKS: dict[Op | None, type[Track]] = {None: Track, mul: _Product, div: _Quotient, choose: _Choice}


def _track(s: Expanded) -> Track:
    """A series in floats, of the kind that its recurrence makes it."""
    kind = _TRACKS.get(s.op, _ByPartials)
    if kind in (_Product, _Quotient):
        a, b = (None if type(x) is float else plain(x.c[0]) for x in s.operands)
        if b is None or not (a is not None if kind is _Product else b):
            kind = _ByPartials
    return kind(s)


# -- the sweep -------------------------------------------------------------------------------------


class Roundings:
    """The roundings of all series of a computation, given by level, each after its operands.

    `exactly`: those of arithmetic as they were, not as they may be at most; that takes much longer.
    """

    def __init__(self, levels: Sequence[Sequence[Expanded]], exactly: bool = False):
        self.exactly, self.known = exactly, dict[int, Track]()
        self.levels = [[self.track(s) for s in level if not s.idle] for level in levels]
        computed = len(self.known)
        for level in levels:
            for s in level:
                if not s.idle:
                    self.track(s).connect(s, self.track, self.exactly)
        self.given = list(self.known.values())[computed:]

    def track(self, s: Any) -> Track:
        """The series in floats."""
        if id(s) not in self.known:
            self.known[id(s)] = _track(s)
        return self.known[id(s)]

    def bound(self, seeds: Sequence[tuple[Any, int, float]]) -> float:
        """What the roundings amount to in Σ weight·c[k] over the (series, k, weight) given."""
        for track in self.known.values():
            track.bar[:] = track.share[:] = [0.0] * (track.order + 1)
        for s, k, weight in seeds:
            self.track(s).bar[k] += weight
        total = 0.0
        for step in reversed(range(max(k for _, k, _ in seeds))):       # as they were computed, backwards
            for level in range(step + 1):
                for track in reversed(self.levels[level]):
                    total += track.pull(step - level + 1, self.exactly)
        for tracks in reversed(self.levels):
            for track in reversed(tracks):
                total += track.pull(0, self.exactly)
        for track in self.given:
            for k in range(len(track.c)):
                total += track.pull(k, self.exactly)
        return total


def lost(levels: Sequence[Sequence[Expanded]], outputs: Sequence[Any], wanted: Sequence[int]
         ) -> Iterator[tuple[Any, int, float]]:
    """Which of the coefficients wanted of the outputs roundings may have changed too much, and by how much.

    Too much is what exceeds both 1e-6 of the coefficient and 1e-13 of the largest of its series.
    """
    seeds: list[tuple[Any, int, float]] = []            # 1 over what is too much, or 1 where any is
    zeros: list[tuple[Any, int, float]] = []
    for y in outputs:
        if y.op is None:                                # (given: exact)
            continue
        sizes = [abs(plain(c)) for c in y.c[:wanted[-1] + 1]]
        for k in wanted if math.isfinite(sum(sizes)) else ():
            tolerance = max(1e-6 * sizes[k], 1e-13 * max(sizes))
            if tolerance:                               # (beside subnormal numbers none is kept)
                seeds.append((y, k, 1.0 / max(tolerance, 1e-300)))
            else:
                zeros.append((y, k, 1.0))
    if not seeds and not zeros:
        return
    roundings, exact = Roundings(levels), None
    for some, most in (seeds, 1.0), (zeros, 0.0):
        # Two sums of all of them, weighted at random, tell at once that nothing is lost. (That one loss hides
        # another to a thousandth has odds of a thousandth: in both sums, of a millionth.)
        if len(some) < 2 or not all(roundings.bound([
                (y, k, weight * random.choice((1.0, -1.0)) * random.uniform(0.5, 1.0))
                for y, k, weight in some]) <= 1e-3 * most for random in map(Random, (1, 2))):
            for y, k, weight in some:
                if not roundings.bound([(y, k, weight)]) <= most:
                    exact = exact or Roundings(levels, exactly=True)
                    error = exact.bound([(y, k, weight)])
                    if not error <= most:
                        yield y, k, error / weight if error == error else inf


def signal_lost(levels: Sequence[Sequence[Expanded]], outputs: Sequence[Any], wanted: Sequence[int],
                name: str, what: str, factor: float) -> None:
    """Signal an error for each of these coefficients of a function; `factor` times it is called `what`."""
    for y, k, error in lost(levels, outputs, wanted):
        number = plain(y.c[k])
        digits = max(0, math.floor(-math.log10(error / abs(number)))) if number and error < inf else 0
        signal(NumericError(
            f"{name}: the terms of the {what} of order {k} cancel, so that {digits} of its digits are left: "
            f"it comes out as {number * factor:.6g}, and roundings may have changed it by "
            f"{error * factor:.2g}; write the function so that they do not cancel there"
            + ", or ask for a lower order" * (k > 1)))
