"""The functions behind the table over arrays, for those that the namespaces of arrays lack or lose digits in.

`xp` is the `Functions` of a namespace; the operands are its arrays, or numbers. Each is within a few units
in the last place of the float kernel. Where that one refuses its operands, the result is infinite or nan.
"""
from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.ops import special

# -- exponentials ------------------------------------------------------------------------------


def sech2(xp: Any, x: Any) -> Any:
    """1/cosh(x)²."""
    e = xp.exp(-2.0 * xp.abs(x))
    return 4.0 * e / ((1.0 + e) * (1.0 + e))


def sigmoid(xp: Any, x: Any) -> Any:
    """1 / (1 + e^(−x))."""
    e = xp.exp(-xp.abs(x))
    return xp.where(x >= 0.0, 1.0, e) / (1.0 + e)


def softplus(xp: Any, x: Any) -> Any:
    """log(1 + e^x)."""
    return xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))


def silu(xp: Any, x: Any) -> Any:
    """x·sigmoid(x)."""
    half = xp.exp(-0.5 * xp.abs(x))             # (e^x may underflow where x·e^x does not)
    total = 1.0 + half * half
    return xp.where(x >= 0.0, x / total, half * (xp.maximum(x, -2000.0) / total) * half)


def cbrt(xp: Any, x: Any) -> Any:
    """For namespaces that have none: by a power, then one step of Newton's."""
    y = xp.power(xp.abs(x), 1.0 / 3.0)
    y = xp.where(x < 0.0, -y, y)
    return xp.where(x == 0.0, x, y - (y - x / (y * y)) / 3.0)


# -- powers ------------------------------------------------------------------------------------


def power_slope(xp: Any, a: Any, b: Any, k: float, n: float) -> Any:
    """a**b differentiated k times by a and n times by b."""
    less, lost = special.difference(b, k)
    size = xp.abs(a)
    log_a = xp.log(xp.where(a == 0.0, 1.0, a if n else size))
    y = fsum(xp, *[math.perm(int(n), j) * p * (log_a ** (n - j) if j < n else 1.0)
                   for j, p in enumerate(special.falling(b, k)) if j <= n])
    quarter = xp.power(size, 0.25 * less)       # in parts, where the power itself may be out of range
    far = (quarter < 1e-65) | (quarter > 1e65)
    y = xp.where(far, y * quarter * quarter * quarter * quarter, y * xp.power(size, less))
    y = xp.where(quarter == 0.0, 0.0 * less * log_a, y * (1.0 + lost * log_a))
    side = xp.where(a < 0.0, -1.0, 1.0)         # (nan to a power that is not whole, of which less may be)
    y = y * xp.power(side, less) * xp.abs(xp.power(side, b))
    if n:
        return xp.where(a == 0.0, xp.where(b > k, 0.0, math.nan), y)
    gone = (b > k) | (b >= 0.0) & (b < k) & (b % 1.0 == 0.0)
    return xp.where((a == 0.0) & gone, 0.0, y)


# -- distances and angles ----------------------------------------------------------------------


def _scale(xp: Any, a: Any, b: Any, large: float) -> Any:
    """A power of two that brings both operands into range."""
    top = xp.maximum(xp.abs(a), xp.abs(b))
    return xp.where(top < 1e-150, 2.0 ** 600, xp.where(top > large, 2.0 ** -600, 1.0))


def cos_angle(xp: Any, a: Any, b: Any) -> Any:
    """a / hypot(a, b), 0 at the origin."""
    scale = _scale(xp, a, b, 1e300)
    a = a * scale
    h = xp.hypot(a, b * scale)
    return xp.where(h == 0.0, 0.0, a / h)


def over_square(xp: Any, a: Any, b: Any) -> Any:
    """a / (a² + b²)."""
    scale = _scale(xp, a, b, 1e150)
    a, b = a * scale, b * scale
    return a / (a * a + b * b) * scale


# -- the normal distribution -------------------------------------------------------------------


def _upper(x: Any) -> Any:
    """The nearest multiple of 2^−20, whose square is exact below 64."""
    return (x + 6442450944.0) - 6442450944.0


def _bell(xp: Any, x: Any, n: float, half: float) -> Any:
    """The n-th derivative of e^(−half·x²)."""
    x = xp.minimum(xp.maximum(x, -40.0), 40.0)  # (beyond it is 0)
    h, square = _upper(x), x * x
    lost = half * ((h * h - square) + (x - h) * (x + h))
    e = xp.exp(-half * square)
    if not n:
        return e - e * lost
    p, root = special.hermite(x, n, half), xp.exp(-0.5 * half * square)     # (e may underflow before p·e)
    return xp.where(half * square < 600.0, p * (e - e * lost), root * p * root * (1.0 - lost))


def gauss(xp: Any, x: Any, n: float = 0.0) -> Any:
    """The n-th derivative of e^(−x²)."""
    return _bell(xp, x, n, 1.0)


def normal_pdf(xp: Any, x: Any, n: float = 0.0) -> Any:
    """The n-th derivative of the density of the standard normal distribution."""
    return 0.3989422804014327 * _bell(xp, x, n, 0.5)


def normal_cdf(erfc: Any, xp: Any, x: Any) -> Any:
    """The normal distribution function, by erfc at −x/√2 rounded, and what that lost."""
    x = xp.minimum(xp.maximum(x, -40.0), 40.0)
    z, h = -0.7071067811865476 * x, _upper(x)
    rest = (h * 0.7071067839860916 + z) + ((x - h) * 0.7071067839860916 + x * -2.799544089368687e-09)
    return 0.5 * (erfc(z) + special.TWO_INV_SQRT_PI * xp.exp(-0.5 * (x * x)) * rest)


def gelu(erfc: Any, xp: Any, x: Any) -> Any:
    """x·Φ(x), Φ the normal distribution function."""
    u = 1.0 / (x * x)                           # far below 0: φ times an asymptotic series in 1/x²
    far = functools.reduce(lambda t, k: 1.0 - k * u * t, (13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0), 1.0)
    return xp.where(x < -30.0, -normal_pdf(xp, x) * far, x * normal_cdf(erfc, xp, x))


# -- the gamma family --------------------------------------------------------------------------


def digamma(own: Any, xp: Any, x: Any) -> Any:
    """The derivative of lgamma; nan below 0, where some namespaces' own has no digits near the poles."""
    return xp.where(x > 0.0, own(x), math.nan)


def polygamma(zeta: Any, xp: Any, n: float, x: Any) -> Any:
    """The n-th derivative of digamma; nan below 0."""
    if special.count(n) == 0:
        return xp.digamma(x)
    factor = -((-1.0) ** n) * math.factorial(int(n)) if n <= 170.0 else math.nan
    return xp.where(x > 0.0, factor * zeta(n + 1.0, x), math.nan)


# -- many operands -----------------------------------------------------------------------------


def _added(xs: Sequence[Any]) -> Any:
    return functools.reduce(operator.add, xs) if xs else 0.0


def fsum(xp: Any, *xs: Any) -> Any:
    """The sum, as if in twice the digits, then rounded."""
    total, lost = xs[0], 0.0
    for x in xs[1:]:
        total, rest = special.difference(total, -x)
        lost = lost + rest
    return total + lost


def fdot(xp: Any, *xs: Any) -> Any:
    """The sum of products, as if in twice the digits, then rounded; nan above 1e300."""
    left, right, bias = special.halves(xs)
    terms = list(bias)
    for a, b in zip(left, right):
        c, d, product = special.head(a), special.head(b), a * b
        terms += [product, ((c * d - product) + c * (b - d) + (a - c) * d) + (a - c) * (b - d)]
    return fsum(xp, *terms)


def _top_and_rest(xp: Any, xs: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The largest at each place, and all the others."""
    top, rest = xs[0], []
    for x in xs[1:]:
        rest.append(xp.minimum(top, x))
        top = xp.maximum(top, x)
    return top, rest


def _powers(xp: Any, xs: Sequence[Any], top: Any) -> list[Any]:
    """e^(x − top) for each x, with what the difference loses."""
    pairs = [special.difference(x, top) for x in xs]
    return [xp.exp(d) * (1.0 + xp.where(d > -1000.0, lost, 0.0)) for d, lost in pairs]


def logsumexp(xp: Any, *xs: Any) -> Any:
    """log Σ e^x."""
    top, rest = _top_and_rest(xp, xs)
    return top + xp.log1p(_added([xp.exp(x - top) for x in rest]))


def shares(xp: Any, *xs: Any) -> list[Any]:
    """The share of each operand."""
    parts = _powers(xp, xs, functools.reduce(xp.maximum, xs))
    total = _added(parts)
    return [part / total for part in parts]


def softmax(xp: Any, *xs: Any) -> Any:
    """The share of the first operand."""
    return shares(xp, *xs)[0]


def softmax_rest(xp: Any, *xs: Any) -> Any:
    """1 − the share of the first operand."""
    parts = _powers(xp, xs, functools.reduce(xp.maximum, xs))
    return _added(parts[1:]) / _added(parts)


def log_softmax(xp: Any, *xs: Any) -> Any:
    """The logarithm of the share of the first operand."""
    top, rest = _top_and_rest(xp, xs)
    return -((top - xs[0]) + xp.log1p(_added(_powers(xp, rest, top))))


KERNELS: dict[str, Callable[..., Any]] = {f.__name__: f for f in (
    sech2, sigmoid, softplus, silu, cbrt, power_slope, cos_angle, over_square, gauss, normal_pdf, normal_cdf,
    gelu, digamma, polygamma, fsum, fdot, logsumexp, shares, softmax, softmax_rest, log_softmax)}
SPARE = {cbrt}                                  # only where the namespace has none of its own
# Made of a function of the namespace's own, which is then the first argument; NumPy has none of these.
MADE_OF = {normal_cdf: "erfc", gelu: "erfc", digamma: "digamma", polygamma: "zeta"}
