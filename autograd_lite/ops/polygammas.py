"""The polygamma functions behind the table, on plain floats, as `ops.special` has the others."""
from __future__ import annotations

import math
from math import inf, nan

from autograd_lite.ops.special import count, difference

_LN2_HEAD, _LN2_REST = 0.6931471803691238, 1.9082149292705877e-10     # the head has 32 bits
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)


def _over_power(n: int, x: float, s: int) -> float:
    """n!/x^s, by mantissas and exponents, to stay in range."""
    f = math.factorial(n)
    bits = f.bit_length()
    m, e = math.frexp(x)
    return math.ldexp(f / (1 << bits) * m ** -s, bits - e * s)


def _polygamma_terms(n: int, x: float, k: float = 0.0) -> list[float]:
    """Numbers whose sum is (−1)^(n+1) times the n-th polygamma function of x + k."""
    if x < -100.0:
        r = math.remainder(x, 1.0)
        away, near = _polygamma_terms(n, -x, 1.0), _polygamma_terms(n, -r, 1.0)
        if n % 2:                               # reflection, at x and at r, which share the cotangent
            away, near = near, away
        return [_over_power(n, r, n + 1), *_polygamma_terms(n, r, 1.0), *away, *[-t for t in near]]
    terms = []
    while x + k < 12.0 + n:
        z, lost = difference(x, -k)
        terms.append(_over_power(n, z, n + 1) * (1.0 - (n + 1) * lost / z))
        k += 1.0
    # Abramowitz & Stegun 6.4.11, its leading factor taken out
    z, lost = difference(x, -k)
    m, e = math.frexp(z)                        # log z in parts, for small rounding errors
    tail = [1.0 / n] if n else [-e * _LN2_HEAD, -e * _LN2_REST, -math.log(m)]
    tail.append((0.5 - lost) / z)
    factor = 0.5 * (n + 1) / z / z
    for k2, b in enumerate(_BERNOULLI, 1):
        tail.append(b * factor)
        factor *= (n + 2 * k2) * (n + 2 * k2 + 1) / ((2 * k2 + 1) * (2 * k2 + 2)) / z / z
    lead = _over_power(n, z, n)
    return [*terms, *[lead * t for t in tail]]


def polygamma(n: float, x: float) -> float:
    """The n-th derivative of digamma."""
    if count(n) != n or x <= 0.0 and math.remainder(x, 1.0) == 0.0:
        raise ValueError
    if x == inf:
        return 0.0 if n else inf
    y = math.fsum(_polygamma_terms(int(n), x))
    return y if n % 2.0 else -y


def digamma(x: float) -> float:
    """The derivative of log |Γ(x)|."""
    return polygamma(0.0, x)


def polygamma_ieee(n: float, x: float) -> float:
    """±inf near a pole; if that is of odd order, the sign depends on the side."""
    if n < 0.0 or n % 1.0 or x - x != 0.0:
        return nan
    side = math.remainder(x, 1.0) or x
    return inf if n % 2.0 else nan if side % 1.0 == 0.0 and side else math.copysign(inf, -side)
