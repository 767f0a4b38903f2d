"""Slopes from a function's values alone: in more digits than doubles have, or by differences."""
from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import inf, nan
from typing import Any, NamedTuple

from autograd_lite.errors import errstate
from autograd_lite.ops.op import Op
from autograd_lite.transforms.kinds import kind_of

EPS = 2.0 ** -52


class Estimate(NamedTuple):
    """A number, and a bound of its error."""

    value: float
    error: float


UNKNOWN = Estimate(nan, inf)
BLIND = 1e150               # the error of an estimate where doubles do not show what f does


# -- of any function of floats: differences ---------------------------------------------------------


def slope(f: Callable[[float], float], x: float, steps: Sequence[float] = ()) -> Estimate:
    """f'(x) from differences of f, extrapolated to a step of 0 (Ridders), with a bound of the error.

    A step counts only if f gives a finite number on both sides. The bound covers the slopes of all
    finer steps, so a slope that only wide steps show is not mistaken for the one at x. (It is `BLIND` where
    even the finest are too wide, as for sin at 1e17.) `steps` go from
    wide to narrow, in one ratio; by default some hundred, in halves.

    >>> value, error = slope(math.sin, 1.0)
    >>> abs(value - math.cos(1.0)) < error < 1e-12
    True
    """
    pairs = _pairs(f, x, steps)
    if not steps and _is_finer_than_doubles(pairs):
        return Estimate(0.0, BLIND)
    ratio = (steps[0] / steps[1] if steps else 2.0) ** 2
    quotients = [(high - low) / width for high, low, width in pairs]
    noises = _noises(pairs, 0.0 if steps else _jitter(pairs, _at(f, x)))
    found: list[tuple[int, Estimate]] = []              # the estimate from the first n quotients
    line: list[float] = []
    for n, quotient in enumerate(quotients):
        before, line = line, [quotient]
        for j, coarser in enumerate(before[:6], 1):
            line.append(line[-1] + (line[-1] - coarser) / (ratio ** j - 1.0))
            error = max(abs(line[-1] - line[-2]), abs(line[-1] - coarser)) + noises[n] / pairs[n][2]
            found.append((n, Estimate(line[-1], 4.0 * error)))
    best = UNKNOWN
    for n, (value, error) in sorted(found, key=lambda entry: entry[1].error):
        if error >= best.error:
            break
        for quotient, noise, (_, _, width) in zip(quotients[n:], noises[n:], pairs[n:]):
            noise = max(noise, 4.0 * EPS * abs(x * value))
            error = max(error, abs(quotient - value) - abs(quotients[n] - value) - noise / width)
        best = min(best, Estimate(value, error), key=lambda estimate: estimate.error)
    return best


def _is_finer_than_doubles(pairs: Sequence[tuple[float, float, float]]) -> bool:
    """Whether neighbouring doubles lie so far apart that a function may turn between them (sin at 1e17)."""
    values = [y for high, low, _ in pairs for y in (high, low)]
    return bool(pairs) and abs(pairs[-1][0] - pairs[-1][1]) > 1e-3 * (max(values) - min(values))


def _at(f: Callable[[float], float], x: float) -> float:
    try:
        return f(x)
    except (ValueError, ArithmeticError, TypeError):
        return nan


def _pairs(f: Callable[[float], float], x: float, steps: Sequence[float] = ()
           ) -> list[tuple[float, float, float]]:
    """f above and below x and the width between, from wide to narrow, if both are finite."""
    reaches = sorted({0.5 * max(1.0, abs(x)), 0.5 * abs(x)} - {0.0}, reverse=True)
    steps = steps or [reach * 0.5 ** k for reach in reaches for k in range(51)]
    pairs = [(_at(f, x + step), _at(f, x - step), (x + step) - (x - step)) for step in steps]
    finite = [(high, low, width) for high, low, width in pairs if width and high - low - (high - low) == 0.0]
    return finite if pairs[-1] in finite or pairs[-1][2] == 0.0 else []


def _jitter(pairs: Sequence[tuple[float, float, float]], middle: float) -> float:
    """How far narrow pairs are from a smooth function."""
    bends = [high - middle + (low - middle) for high, low, _ in pairs[-8:]]      # a quarter at each step
    return max([0.0, *[abs(wide - 4.0 * narrow) for wide, narrow in itertools.pairwise(bends)]])


def _noises(pairs: Sequence[tuple[float, float, float]], jitter: float) -> list[float]:
    """The rounding in each pair: that of doubles, or any larger jitter."""
    sizes = [max(abs(high), abs(low)) for high, low, _ in pairs]
    return [4.0 * max(EPS * size, min(0.1 * jitter, 1e-6 * size), 5e-324) for size in sizes]


# -- of an op -----------------------------------------------------------------------------------------


def op_slope(op: Op, xs: Sequence[float], i: int) -> Estimate:
    """∂op/∂x[i] at the operands, from the op's function alone."""
    if op.chooses:                              # (the operand not taken may be anything)
        return Estimate(1.0 if i in op.taken(xs) else 0.0, 0.0)

    def at(x: Any) -> list[Any]:
        return [*xs[:i], x, *xs[i + 1:]]

    if op.domain(*xs) and not side(op, xs):     # on the kink, known only by an operand that changes nothing
        along = _inside(op, xs, at)
        flat = errstate("raise").run(lambda: all(
            high == low == along(xs[i]) for high, low, _ in _pairs(along, xs[i])))
        still = not any(side(op, at(x)) for x in (xs[i] - 0.5, 0.5 * xs[i] + 1.0))
        tells = not any(0.0 < abs(x) < 1e-15 for x in at(0.0))      # (all floats are multiples of a tiny one)
        return Estimate(0.0, 0.0) if flat and still and tells else UNKNOWN
    return errstate("raise").run(_slope_along, op, xs, at, xs[i])


def directional_slope(op: Op, xs: Sequence[float], steps: Mapping[int, float]) -> Estimate:
    """Σ step[i] · ∂op/∂x[i], from the op's function alone, as the operands move together."""
    def at(t: Any) -> list[Any]:
        return [x + (t - 1.0) * steps[i] if i in steps else x for i, x in enumerate(xs)]

    return errstate("raise").run(_slope_along, op, xs, at, 1.0)


def _slope_along(op: Op, xs: Sequence[float], at: Callable[[Any], list[Any]], middle: float) -> Estimate:
    """The slope of an op along a line: `at` gives the operands at a place, and the middle is at xs."""
    if not op.domain(*xs) or not side(op, xs):
        return UNKNOWN
    function = _in_mpmath(op)
    if function is None:
        return slope(_inside(op, xs, at), middle)
    try:
        return _precise_slope(op, function, at, middle)
    except (ValueError, ArithmeticError):                   # not defined all around
        return UNKNOWN


def _inside(op: Op, xs: Sequence[float], at: Callable[[Any], list[Any]]) -> Callable[[float], float]:
    """An op along a line; nan outside its domain and beyond a kink."""
    here = side(op, xs)

    def along(t: float) -> float:
        moved = at(t)
        return op.evaluate(moved) if op.domain(*moved) and (not here or side(op, moved) == here) else nan
    return along


@cache
def has_mpmath() -> bool:
    """Whether mpmath is installed."""
    try:
        import mpmath  # noqa: F401
    except ImportError:
        return False
    return True


def lacks_digits(op: Op) -> bool:
    """Whether the op's slopes would be known in as many digits as it takes, were mpmath installed."""
    return op.form is not None and not has_mpmath()


def _in_mpmath(op: Op) -> Callable[..., Any] | None:
    """The op in mpmath's numbers, by its form; None without mpmath or a form."""
    if op.form is None or not has_mpmath():
        return None
    from mpmath import mpf
    kind = kind_of(mpf)
    return lambda *xs: kind.apply(op, xs)


def _precise_slope(op: Op, f: Callable[..., Any], at: Callable[[Any], list[Any]], middle: float) -> Estimate:
    """The slope along a line of f, the op in mpmath, with as many digits as it takes to tell it from 0."""
    from mpmath import mpf, workdps
    best = UNKNOWN
    for digits in (50, 150, 500, 1100):
        with workdps(digits):
            step = (abs(mpf(middle)) or 1) * mpf(10) ** (-digits // 3)

            def moved(eighths: int) -> list[Any]:
                return list(map(mpf, at(middle + eighths * step / 8)))

            if op.kink and len({side(op, moved(k)) for k in range(-16, 17)}) > 1:
                continue                                    # a kink lies between
            y = {k: f(*moved(8 * k)) for k in (-2, -1, 1, 2)}
            fine, coarse = (y[1] - y[-1]) / (2 * step), (y[2] - y[-2]) / (4 * step)
            size = max(1, abs(y[1]), *map(abs, moved(0)))        # of terms that may cancel inside f
            error = abs(fine - coarse) + size / step * mpf(10) ** (2 - digits)
            best = Estimate(float((4 * fine - coarse) / 3), float(error))
            if error <= abs(fine) * 1e-20 or abs(fine) + error < 1e-330:
                return Estimate(best.value, 0.0)
    return best


# -- kinks --------------------------------------------------------------------------------------------


def side(op: Op, xs: Sequence[float]) -> float:
    """Which side of its kink an operation is on: −1 or 1; 0 on the kink, nan if doubles cannot tell.

    >>> from autograd_lite.ops.op import TABLE
    >>> [side(TABLE["abs"], [x]) for x in (-7.0, 0.0, 0.3)]
    [-1.0, 0.0, 1.0]
    """
    distance = _distance(op, xs)
    return math.copysign(1.0, distance) if distance and distance == distance else distance


def reach(op: Op, xs: Sequence[float]) -> float:
    """How far to step over a kink nearby; 0 if there is none.

    >>> from autograd_lite.ops.op import TABLE
    >>> [reach(TABLE["maximum"], [x, 3.0]) for x in (2.0, 2.9999, 2.999999, 3.0)]
    [0.0, 0.0, 6e-06, 6e-06]
    """
    near = 1e-6 * max(1.0, *map(abs, xs))
    return 2.0 * near if abs(_distance(op, xs)) < near else 0.0


def _distance(op: Op, xs: Sequence[float]) -> float:
    try:
        return op.kink(*xs) if op.kink else inf
    except (ValueError, ArithmeticError):
        return nan
