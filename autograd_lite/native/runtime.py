"""What programs call that is neither an instruction nor in the C library, in the small language.

It is compiled with them, and runs in Python, too (see `language`).
"""
from __future__ import annotations

import math
from typing import Any, TypeAlias

from autograd_lite.ops import special

Floats: TypeAlias = "list[float]"
nan, inf = math.nan, math.inf


def modulo(a: float, b: float) -> float:
    """a % b, as Python's floats have it."""
    if b == 0.0:
        return nan
    m = math.fmod(a, b)
    if m == 0.0:
        return math.copysign(0.0, b)
    return m + b if (b < 0.0) != (m < 0.0) else m


def floored(a: float, b: float) -> float:
    """a // b, as Python's floats have it."""
    if b == 0.0:
        return nan
    m = math.fmod(a, b)
    q = (a - m) / b
    if m != 0.0 and (b < 0.0) != (m < 0.0):
        q = q - 1.0
    if q == 0.0:
        return math.copysign(0.0, a / b)
    f = float(math.floor(q))
    return f + 1.0 if q - f > 0.5 else f


def sigmoid(x: float) -> float:
    """`special.sigmoid`; its exponential is that of its slope, too."""
    e = math.exp(-abs(x))
    return (1.0 if x >= 0.0 else e) / (1.0 + e)


def sech2(x: float) -> float:
    """`special.sech2`."""
    e = math.exp(-2.0 * abs(x))
    s = 1.0 + e
    return 4.0 * e / (s * s)


def sech2_of_half(x: float) -> float:
    """`special.sech2` of x/2. (That half loses a bit only where the exponential is 1.)"""
    e = math.exp(-abs(x))
    s = 1.0 + e
    return 4.0 * e / (s * s)


def square(x: float) -> float:
    """``math.pow(x, 2.0)``.

    The C library's is within 0.55 units in the last place of x²; so it is x·x, unless x² lies nearly in the
    middle of two floats.
    """
    y = x * x
    c = 134217729.0 * x
    h = c - (c - x)
    lost = ((h * h - y) + 2.0 * h * (x - h)) + (x - h) * (x - h)
    return y if 1e-280 < y < 1e290 and y + 1.15 * lost == y else math.pow(x, 2.0)


# -- sums rounded once -----------------------------------------------------------------------------------


def fsum(n: int, xs: Floats) -> float:
    """The sum, rounded once; nan where that is not sure.

    The sum is kept in two floats, and what is lost of these is added up: nothing, most often; if not, the
    sum is sure where twice as much makes no difference.
    """
    s = xs[0]
    rest = 0.0
    lost = 0.0
    for i in range(1, n):
        x = xs[i]
        t = s + x
        z = t - s
        e = (s - (t - z)) + (x - z)
        s = t
        t = rest + e
        z = t - rest
        lost += abs((rest - (t - z)) + (e - z))
        rest = t
    margin = 2.0 * lost + abs(rest) * 2.220446049250313e-16 if lost > 0.0 else 0.0
    return s + rest if s + (rest - margin) == s + (rest + margin) else nan


def shares(n: int, xs: Floats, parts: Floats, out: Floats) -> int:
    """`special.shares`; 1 where it is not sure."""
    total = powers(n, xs, parts)
    if total != total:
        return 1
    for i in range(n):
        out[i] = parts[i] / total
    return 0


def powers(n: int, xs: Floats, parts: Floats) -> float:
    """`special.powers`; their sum."""
    top = xs[0]
    for i in range(1, n):
        top = xs[i] if xs[i] > top else top
    if top - top != 0.0:
        return nan
    for i in range(n):
        d = xs[i] - top
        t = d - xs[i]
        parts[i] = math.exp(d) * (1.0 + ((xs[i] - (d - t)) - (top + t)))
    return fsum(n, parts)


def share(n: int, xs: Floats, parts: Floats) -> float:
    """`special.share`."""
    total = powers(n, xs, parts)
    return parts[0] / total


def rest_share(n: int, xs: Floats, parts: Floats) -> float:
    """`special.rest_share`."""
    total = powers(n, xs, parts)
    parts[0] = 0.0
    return nan if total != total else fsum(n, parts) / total


def logsumexp(n: int, xs: Floats, parts: Floats) -> float:
    """`special.logsumexp`."""
    top, at = largest(n, xs), 0
    for i in range(n):
        if xs[n - 1 - i] == top:
            at = n - 1 - i
    if top - top != 0.0:
        return nan
    for i in range(n):
        parts[i] = math.exp(xs[i] - top)
    parts[at] = 0.0
    return top + math.log1p(fsum(n, parts))


def largest(n: int, xs: Floats) -> float:
    """The largest; nan if there is a nan."""
    top = xs[0]
    for i in range(n):
        if xs[i] != xs[i]:
            return nan
        top = xs[i] if xs[i] > top else top
    return top


def log_share(n: int, xs: Floats, parts: Floats) -> float:
    """`special.log_share`."""
    total = powers(n, xs, parts)
    top = largest(n, xs)
    if total != total or top - top != 0.0 or least(n, xs) == -inf:
        return nan
    at = 0
    for i in range(n):
        if parts[n - 1 - i] == 1.0:
            at = n - 1 - i
    parts[at] = 0.0
    return -((top - xs[0]) + math.log1p(fsum(n, parts)))


def least(n: int, xs: Floats) -> float:
    """The smallest."""
    low = xs[0]
    for i in range(n):
        low = xs[i] if xs[i] < low else low
    return low


def mean(n: int, xs: Floats) -> float:
    """`special.mean`."""
    total = xs[0]
    for i in range(1, n):
        total += xs[i]
    y = total / n
    return y if y - y == 0.0 else nan


# Functions of many floats, by functions of their array; those of `math` that are written here.
SEQUENCES: dict[Any, Any] = {
    special.shares: shares, special.share: share, special.rest_share: rest_share, special.fsum: fsum,
    special.logsumexp: logsumexp, special.log_share: log_share, special.mean: mean}
WRITTEN: dict[Any, Any] = {special.sigmoid: sigmoid, special.sech2: sech2}
