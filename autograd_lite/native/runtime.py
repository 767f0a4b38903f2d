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


# -- functions of `math` that are CPython's own ---------------------------------------------------------


def hypot(a: float, b: float) -> float:
    """`math.hypot`: the sum of squares, scaled, in two floats; its root, and a step of Newton's."""
    a = abs(a)
    b = abs(b)
    top = a if a > b else b
    if not 5.562684646268003e-309 <= top < inf or not a + b >= 0.0:      # (Python's differ below this)
        return 0.0 if a + b == 0.0 else nan
    k = math.floor(math.log2(top)) + 1.0
    scale = math.exp2(-k)
    if top * scale >= 1.0:
        scale = math.exp2(-k - 1.0)
    elif top * scale < 0.5:
        scale = math.exp2(-k + 1.0)
    a = a * scale
    b = b * scale
    p = a * a
    s = 1.0 + p
    lost = product_rest(a, a, p)
    less = p - (s - 1.0)
    p = b * b
    t = s + p
    lost = lost + product_rest(b, b, p)
    less = less + (p - (t - s))
    h = math.sqrt(t - 1.0 + (lost + less))
    p = -h * h
    s = t + p
    lost = lost + product_rest(-h, h, p)
    less = less + (p - (s - t))
    return (h + (s - 1.0 + (lost + less)) / (2.0 * h)) / scale


def product_rest(a: float, b: float, p: float) -> float:
    """a·b − p, where p is the rounded product of numbers of middling size."""
    c = 134217729.0 * a
    d = 134217729.0 * b
    g = c - (c - a)
    h = d - (d - b)
    return (((g * h - p) + g * (b - h)) + (a - g) * h) + (a - g) * (b - h)


def lgamma(x: float) -> float:
    """`math.lgamma`, by Lanczos's sum and, below 0, reflection."""
    if not abs(x) < inf or x == math.floor(x) and x <= 0.0:
        return nan
    if x == 1.0 or x == 2.0:
        return 0.0
    size = abs(x)
    if size < 1e-20:
        return -math.log(size)
    r = math.log(lanczos_sum(size)) - 6.024680040776729583740234375
    r = r + (size - 0.5) * (math.log(size + 6.024680040776729583740234375 - 0.5) - 1.0)
    if x < 0.0:
        r = 1.144729885849400174143427351353058711647 - math.log(abs(sine_of_pi(size))) - math.log(size) - r
    return r


def lanczos_sum(x: float) -> float:
    """Lanczos's sum for the gamma function (g = 6.0247, 13 terms), as a quotient."""
    above = [23531376880.410759688572, 42919803642.649098768958, 35711959237.355668049440,
             17921034426.037209699920, 6039542586.3520280050643, 1439720407.3117216736632,
             248874557.86205415651147, 31426415.585400194380614, 2876370.6289353724412254,
             186056.26539522349504029, 8071.6720023658162106380, 210.82427775157934587251,
             2.5066282746310002701649]
    below = [0.0, 39916800.0, 120543840.0, 150917976.0, 105258076.0, 45995730.0, 13339535.0, 2637558.0,
             357423.0, 32670.0, 1925.0, 66.0, 1.0]
    a = 0.0
    b = 0.0
    for i in range(13):
        if x < 5.0:
            a = a * x + above[12 - i]
            b = b * x + below[12 - i]
        else:
            a = a / x + above[i]
            b = b / x + below[i]
    return a / b


def sine_of_pi(x: float) -> float:
    """sin(π·x) for x ≥ 0."""
    y = math.fmod(x, 2.0)
    if y <= 0.25:
        return math.sin(math.pi * y)
    if y < 0.75:
        return math.cos(math.pi * (y - 0.5))
    if y <= 1.25:
        return math.sin(math.pi * (1.0 - y))
    if y < 1.75:
        return -math.cos(math.pi * (y - 1.5))
    return math.sin(math.pi * (y - 2.0))


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
    special.fdot: fdot, special.logsumexp: logsumexp, special.log_share: log_share, special.mean: mean}
WRITTEN: dict[Any, Any] = {special.sigmoid: sigmoid, special.sech2: sech2, math.hypot: hypot,
                           math.lgamma: lgamma}
