"""Families closed under differentiation (powers, the normal density, digamma), in the small language."""
from __future__ import annotations

import math

from autograd_lite.native.sums import Floats, fsum

nan, inf = math.nan, math.inf
MOST = 18.0                                     # derivatives: so many have a factorial that is a float


def power_slope(a: float, b: float, k: float, n: float) -> float:
    """`special.power_slope` at finite operands, for n up to MOST."""
    if not (abs(a) < inf and abs(b) < inf and 0.0 <= k <= 1000.0 and 0.0 <= n <= MOST
            and math.floor(k) == k and math.floor(n) == n):
        return nan
    if a < 0.0 and (n != 0.0 or math.floor(b) != b) or a == 0.0 and n != 0.0 and b <= k:
        return nan
    log_a = math.log(abs(a)) if a != 0.0 else -inf
    less = b - k
    t = less - b
    lost = (b - (less - t)) - (k + t)
    if less * log_a < -3000.0:
        return 0.0
    last = int(n)
    factors = [0.0] * 20                        # (from the second on)
    terms = [0.0] * 19
    factors[1] = 1.0
    for i in range(int(k)):
        for j in range(last + 1):
            factors[last + 1 - j] = (b - i) * factors[last + 1 - j] + factors[last - j]
    count = 1.0
    for j in range(last + 1):
        terms[j] = count * factors[j + 1] * (math.pow(log_a, n - j) if j < last else 1.0)
        count = count * (n - j)
    y = fsum(last + 1, terms)
    if a == 0.0 or y == 0.0:
        return y * math.pow(a, less) if y != 0.0 else 0.0
    reach = abs(less * log_a)
    parts = 1 if reach < 600.0 else 2 if reach < 1200.0 else 4
    root = math.pow(abs(a), less / parts)
    for i in range(parts):
        y = y * root
    return y * (1.0 + lost * log_a) * (1.0 if a > 0.0 or less % 2.0 == 0.0 else -1.0)


def gauss(x: float, n: float) -> float:
    """`special.gauss` for n ≥ 1."""
    return bell(x, n, 1.0)


def normal_pdf(x: float, n: float) -> float:
    """`special.normal_pdf` for n ≥ 1."""
    return 0.3989422804014327 * bell(x, n, 0.5)


def bell(x: float, n: float, half: float) -> float:
    """`special.bell` for n ≥ 1."""
    if not 1.0 <= n <= 1000.0 or math.floor(n) != n:
        return nan
    if abs(x) > 40.0:
        return 0.0
    p = 1.0
    q = 0.0
    for k in range(int(n)):
        r = -2.0 * half * (x * p + k * q)
        q = p
        p = r
    c = 134217729.0 * x
    h = c - (c - x)
    s = x * x
    lost = ((h * h - s) + 2.0 * h * (x - h)) + (x - h) * (x - h)
    if half * s < 600.0:
        e = math.exp(-half * s)
        return p * (e - e * (half * lost))
    e = math.exp(-0.5 * half * s)
    return e * p * e * (1.0 - half * lost)


def digamma(x: float) -> float:
    """`polygammas.digamma` at numbers of middling size."""
    return polygamma(0.0, x)


def polygamma(n: float, x: float) -> float:
    """`polygammas.polygamma` at numbers of middling size, for n up to MOST."""
    if not (0.0 <= n <= MOST and math.floor(n) == n and 1e-300 < abs(x) < 1e300):
        return nan
    if x < 0.0 and math.floor(x) == x:
        return nan
    terms = [0.0] * 200
    is_odd = n - 2.0 * math.floor(0.5 * n)
    if x < -100.0:                              # reflection, at x and at r, which share the cotangent
        r = math.remainder(x, 1.0)
        terms[0] = over_power(n, r, n + 1.0)
        size = polygamma_terms(n, r, 1.0, 1.0, 1, terms)
        size = polygamma_terms(n, -r if is_odd > 0.0 else -x, 1.0, 1.0, size, terms)
        size = polygamma_terms(n, -x if is_odd > 0.0 else -r, 1.0, -1.0, size, terms)
    else:
        size = polygamma_terms(n, x, 0.0, 1.0, 0, terms)
    y = fsum(size, terms)
    return y if is_odd > 0.0 else -y


def polygamma_terms(n: float, x: float, k: float, sign: float, size: int, terms: Floats) -> int:
    """Add `polygammas._polygamma_terms` to so many terms; how many there are then."""
    while x + k < 12.0 + n:
        z = x + k
        t = z - x
        lost = (x - (z - t)) - (t - k)
        terms[size] = sign * (over_power(n, z, n + 1.0) * (1.0 - (n + 1.0) * lost / z))
        k = k + 1.0
        size = size + 1
    bernoulli = [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0,
                 -3617.0 / 510.0, 43867.0 / 798.0]
    z = x + k
    t = z - x
    lost = (x - (z - t)) - (t - k)
    lead = sign * over_power(n, z, n)
    if n > 0.0:
        terms[size] = lead * (1.0 / n)
        size = size + 1
    else:
        e = exponent(z)
        terms[size] = lead * (-e * 0.6931471803691238)
        terms[size + 1] = lead * (-e * 1.9082149292705877e-10)
        terms[size + 2] = lead * -math.log(z * math.exp2(-e))
        size = size + 3
    terms[size] = lead * ((0.5 - lost) / z)
    factor = 0.5 * (n + 1.0) / z / z
    for i in range(9):
        terms[size + 1 + i] = lead * (bernoulli[i] * factor)
        c = n + 2.0 * (i + 1)
        factor = factor * (c * (c + 1.0) / ((2.0 * i + 3.0) * (2.0 * i + 4.0)) / z / z)
    return size + 10


def over_power(n: float, x: float, s: float) -> float:
    """n!/x^s; nan where it is very large or small."""
    e = exponent(x)
    if abs(e * s) > 1000.0:
        return nan
    y = 1.0
    for i in range(2, int(n) + 1):
        y = y * i
    return y * math.pow(x * math.exp2(-e), -s) * math.exp2(-e * s)


def exponent(x: float) -> float:
    """The exponent of x, as `math.frexp` gives it."""
    x = abs(x)
    e = math.floor(math.log2(x)) + 1.0
    if x * math.exp2(-e) >= 1.0:
        return e + 1.0
    return e - 1.0 if x * math.exp2(-e) < 0.5 else e
