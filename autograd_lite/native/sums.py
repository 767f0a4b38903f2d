"""Sums rounded once and functions made of them, of arrays, in the small language (see `language`)."""
from __future__ import annotations

import math
from typing import TypeAlias

Floats: TypeAlias = "list[float]"
nan, inf = math.nan, math.inf


def product_rest(a: float, b: float, p: float) -> float:
    """a·b − p, where p is the rounded product of numbers of middling size."""
    c = 134217729.0 * a
    d = 134217729.0 * b
    g = c - (c - a)
    h = d - (d - b)
    return (((g * h - p) + g * (b - h)) + (a - g) * h) + (a - g) * (b - h)


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


def fdot(n: int, xs: Floats, parts: Floats) -> float:
    """`special.fdot`: the sum of the products and of what their rounding lost; nan where that is not sure."""
    m = n >> 1
    for i in range(m):
        a = xs[i]
        b = xs[m + i]
        p = a * b
        if not (1e-250 < abs(p) < 1e290 and abs(a) < 1e290 and abs(b) < 1e290 or p == 0.0 and (
                a == 0.0 or b == 0.0)):
            return nan
        parts[2 * i] = p
        parts[2 * i + 1] = product_rest(a, b, p)
    if 2 * m < n:
        parts[n - 1] = xs[n - 1]
    return fsum(n, parts)


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
    if total != total or least(n, xs) == -inf:
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
