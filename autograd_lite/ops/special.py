"""The special functions behind the table, on plain floats; they import nothing from the library.

Each is within a few units in the last place of the truth over its whole domain, down to the
subnormal numbers. Outside the domain it raises what `math` does: ValueError,
ZeroDivisionError or OverflowError.
"""
from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from math import inf, nan
from typing import Any

TINY = 2.2250738585072014e-308                 # the smallest normal double
TWO_INV_SQRT_PI = 1.1283791670955126
_SQRT_HALF = 0.7071067811865476               # and the rest of 1/√2:
_SQRT_HALF_REST = -4.833646656726457e-17
_INV_SQRT_2PI = 0.3989422804014327


def _one_by_one(xs: Iterable[Any]) -> Any:
    """The sum, each number added to what came before."""
    total = 0.0
    for x in xs:
        total += x
    return total


# The sum of floats in their order, the same on every Python: the built-in compensates since 3.12.
added = sum if sys.version_info < (3, 12) else _one_by_one


def head(x: float) -> float:
    """The upper 26 bits of x, so that their square is exact."""
    c = 134217729.0 * x
    return c - (c - x)


def difference(a: float, b: float) -> tuple[float, float]:
    """a − b rounded, and what the rounding lost."""
    d = a - b
    t = d - a
    return d, (a - (d - t)) - (b + t)


# -- expressions for ordinary operands ---------------------------------------------------------
# Elsewhere they are nan. The kernels below use them, and so does generated code, which has them in line.

# s is x² rounded, and _LOST what the rounding lost; h, the nearest multiple of 2^−21, has an exact square.
_SQUARE, _UPPER = "(s := #1 * #1)", "(h := (#1 + 3221225472.0) - 3221225472.0)"
_LOST = f"(({_UPPER} * h - s) + (#1 - h) * (#1 + h))"
GAUSS = f"(e := math.exp(-s)) - e * {_LOST} if {_SQUARE} < 576.0 and not #2 else math.nan"
NORMAL_PDF = (f"{_INV_SQRT_2PI} * ((e := math.exp(-0.5 * s)) - e * (0.5 * {_LOST})) "
              f"if {_SQUARE} < 900.0 and not #2 else math.nan")
# By erfc at z, which is −x/√2 rounded, and what that lost: there 1/√2 is a number of 26 bits and a rest.
NORMAL_CDF = (f"0.5 * (math.erfc(z := -{_SQRT_HALF} * #1) + {TWO_INV_SQRT_PI} * math.exp(-0.5 * s) * "
              f"(({_UPPER} * 0.7071067839860916 + z) + ((#1 - h) * 0.7071067839860916 + "
              f"#1 * -2.799544089368687e-09))) if {_SQUARE} < 900.0 else math.nan")
GELU = f"#1 * ({NORMAL_CDF})"
COS_ANGLE = "#1 / h if 1e-150 < (h := math.hypot(#1, #2)) < 1e300 else math.nan"
OVER_SQUARE = "#1 / s if 1e-280 < (s := #1 * #1 + #2 * #2) < 1e300 else math.nan"


def _computed(text: str) -> Callable[..., float]:
    """The function that an expression of operands #1 and #2 computes."""
    source = "lambda a, b=0.0: " + text.replace("#1", "a").replace("#2", "b")
    function: Callable[..., float] = eval(source, {"math": math})
    return function


_gauss, _normal_pdf, _normal_cdf, _cos_angle, _over_square = map(
    _computed, (GAUSS, NORMAL_PDF, NORMAL_CDF, COS_ANGLE, OVER_SQUARE))

# -- the kernels -------------------------------------------------------------------------------


def _scaled(a: float, b: float, large: float) -> tuple[float, float, float]:
    """Both operands times a power of two, if both are below 1e-150 or one above `large`; and that power."""
    top = max(abs(a), abs(b))
    scale = 2.0 ** 600 if top < 1e-150 else 2.0 ** -600 if top > large else 1.0
    return a * scale, b * scale, scale


def power(a: float, b: float) -> float:
    """a**b, never a complex number."""
    try:
        return math.pow(a, b)
    except ValueError:
        if a == 0.0:
            raise ZeroDivisionError from None
        raise


def count(n: Any) -> int:
    """How often a family is differentiated; a count over 1000 is refused: nobody means it."""
    if not 0 <= n <= 1000 or int(n) != n:
        raise ValueError
    return int(n)


def falling(b: Any, k: Any) -> list[Any]:
    """(b + t)(b − 1 + t)…(b − k + 1 + t) by powers of t."""
    factors = [1]
    for i in range(count(k)):
        factors = [(b - i) * p + q for p, q in zip([*factors, 0], [0, *factors])]
    return factors


def power_slope(a: float, b: float, k: float, n: float) -> float:
    """a**(b − k) times a polynomial in log a."""
    if a != a:
        return a
    if math.isinf(a) or math.isinf(b):
        return _power_slope_far(a, b, k, n)
    if a < 0.0 and (n or b % 1.0) or a == 0.0 and n and b <= k or count(n) != n:
        raise ValueError
    log_a = math.log(abs(a)) if a else -inf
    less, lost = difference(b, k)
    if less * log_a < -3000.0:
        return 0.0
    y = _power_polynomial(log_a, b, k, n)
    if a == 0.0 or y == 0.0:
        return y * power(a, less) if y else 0.0
    reach = abs(less * log_a)                   # in parts if the power itself is out of range
    parts = 1 if reach < 600.0 else 2 if reach < 1200.0 else 4
    root = math.pow(abs(a), less / parts)
    for _ in range(parts):
        y *= root
    y *= 1.0 + lost * log_a
    return y if a > 0.0 or less % 2.0 == 0.0 else -y


def _power_slope_far(a: float, b: float, k: float, n: float) -> float:
    """The limit of a**b differentiated, where an operand is infinite."""
    if a < 0.0 and (n or b % 1.0 != 0.0) or count(n) != n:
        raise ValueError
    if math.isinf(b) and a != 1.0:
        y = math.pow(a, b)                      # (infinite with b < 0: then log a is negative, too)
        return -y if b == -inf and y and (k + n) % 2.0 else y
    if math.isinf(b):
        return math.factorial(int(n)) * b ** (k - n) if n <= k else 0.0
    for j, p in enumerate(falling(b, k)[:int(n) + 1]):
        if p:                                   # (the power of log a that is left is n − j)
            y = math.pow(a, b - k)
            return p * y if y != 1.0 or j == n else math.copysign(inf, p)
    return 0.0


def _power_polynomial(log_a: float, b: float, k: float, n: float) -> float:
    """The n-th derivative of a**b·(b)(b − 1)…(b − k + 1) by b, over a**b."""
    return math.fsum(math.perm(int(n), j) * p * log_a ** (n - j)
                     for j, p in enumerate(falling(b, k)) if j <= n and p)


def power_slope_ieee(a: float, b: float, k: float, n: float) -> float:
    """±inf, for 0**(b − k) and a result too large; nan outside the domain, or where the sign is unknown."""
    if a < 0.0 and (n or b % 1.0) or k != k // 1.0 or n != n // 1.0 or not 0.0 <= k + n <= 1000.0:
        return nan
    try:
        sign = _power_polynomial(math.log(abs(a)) if a else -1e99, b, k, n)
    except (OverflowError, ValueError):
        return nan
    return math.copysign(inf, sign * (math.copysign(1.0, a) if (b - k) % 2.0 == 1.0 else 1.0))


def sech2(x: float) -> float:
    """1/cosh(x)²."""
    e = math.exp(-2.0 * abs(x))
    return 4.0 * e / ((1.0 + e) * (1.0 + e))


def hermite(x: Any, n: Any, half: float) -> Any:
    """The n-th derivative of e^(−half·x²), divided by it (Hermite's recurrence)."""
    p, q = 1, 0
    for k in range(count(n)):
        p, q = -2 * half * (x * p + k * q), p
    return p


def gauss(x: float, n: float = 0.0) -> float:
    """The n-th derivative of e^(−x²)."""
    y = _gauss(x, n)
    return y if y == y else bell(x, n, 1.0)


def bell(x: float, n: float, half: float) -> float:
    """The n-th derivative of e^(−half·x²)."""
    if abs(x) > 40.0:
        return 0.0 * count(n)
    p: float = hermite(x, n, half)
    h = head(x)
    square = x * x
    lost = ((h * h - square) + 2.0 * h * (x - h)) + (x - h) * (x - h)   # x² is square + lost
    if half * square < 600.0:
        e = math.exp(-half * square)
        return p * (e - e * (half * lost))
    e = math.exp(-0.5 * half * square)          # halved, so that it does not underflow before p
    return e * p * e * (1.0 - half * lost)


def normal_cdf(x: float) -> float:
    """The distribution function of the standard normal distribution."""
    y = _normal_cdf(x)
    if y == y:
        return y
    z = -x * _SQRT_HALF
    if not -6.0 < z < 28.0:                     # 1 or 0 to the last bit, or a nan
        return 0.5 * math.erfc(z)
    h, c = head(x), head(_SQRT_HALF)            # the rest is −x/√2 − z
    rest = -((h * c + z) + (x - h) * c + x * (_SQRT_HALF - c)) - x * _SQRT_HALF_REST
    return 0.5 * (math.erfc(z) - TWO_INV_SQRT_PI * gauss(z) * rest)


def gelu(x: float) -> float:
    """x·Φ(x), Φ the normal distribution function."""
    if x > -30.0 or x != x:
        return x * normal_cdf(x)
    t = 1.0                                     # Laplace's continued fraction for −φ(x)/(x·Φ(x))
    for k in range(20, 0, -1):
        t = 1.0 + k / x / x / t
    return -normal_pdf(x) / t


def normal_pdf(x: float, n: float = 0.0) -> float:
    """The n-th derivative of the density of the standard normal distribution."""
    y = _normal_pdf(x, n)
    return y if y == y else _INV_SQRT_2PI * bell(x, n, 0.5)


def sigmoid(x: float) -> float:
    """1 / (1 + e^(−x))."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def softplus(x: float) -> float:
    """log(1 + e^x)."""
    return (x if x > 0.0 else 0.0) + math.log1p(math.exp(-abs(x)))


def log_sigmoid(x: float) -> float:
    """log(sigmoid(x))."""
    return -softplus(-x)


def leaky_relu(x: float, slope: float = 0.01) -> float:
    """x where positive, slope·x elsewhere."""
    return x if x > 0.0 else slope * x


def elu(x: float, alpha: float = 1.0) -> float:
    """x where positive, alpha·(e^x − 1) elsewhere."""
    return x if x > 0.0 else alpha * math.expm1(x)


def one_minus_square(x: Any) -> Any:
    """1 − x²."""
    return (1 - x) * (1 + x)


def silu(x: float) -> float:
    """x·sigmoid(x)."""
    if x > -700.0 or x != x:
        return x * sigmoid(x)
    half = math.exp(0.5 * x)
    return half * max(x, -2000.0) * half


def cos_angle(a: float, b: float) -> float:
    """a / hypot(a, b), 0 at the origin."""
    y = _cos_angle(a, b)
    if y == y:
        return y
    a, b, _ = _scaled(a, b, 1e300)
    if math.isinf(a) and not math.isinf(b):
        return b if b != b else math.copysign(1.0, a)
    return a / math.hypot(a, b) if a or b else 0.0


def over_square(a: float, b: float) -> float:
    """a / (a² + b²)."""
    y = _over_square(a, b)
    if y == y:
        return y
    if math.isinf(a) or math.isinf(b):
        return math.copysign(0.0, a) if math.isinf(a) and b == b else 0.0 * a
    a, b, scale = _scaled(a, b, 1e150)
    return a / (a * a + b * b) * scale


def chain_sum(*xs: Any) -> Any:
    """The sum, left to right."""
    total = xs[0]
    for x in xs[1:]:
        total += x
    return total


def mean(*xs: float) -> float:
    """The mean; in fractions if the sum is too large."""
    y: float = chain_sum(*xs) / len(xs)
    return y if y - y == 0.0 or not all(map(math.isfinite, xs)) else float(_exact_sum(xs) / len(xs))


def _exact_sum(xs: Sequence[float]) -> Any:
    from fractions import Fraction              # (which few programs need)
    return sum(map(Fraction, xs))


def halves(xs: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    """The operands of dot: two halves of the same length, and a bias if there is one."""
    n = len(xs) // 2
    return xs[:n], xs[n:2 * n], xs[2 * n:]


def dot(*xs: Any) -> Any:
    """The sum of products, left to right."""
    n = len(xs) // 2
    total = xs[0] * xs[n]
    for i in range(1, n):
        total += xs[i] * xs[n + i]
    return total + xs[-1] if len(xs) % 2 else total


def fsum(*xs: float) -> float:
    """The sum, rounded once, even if it leaves the range of doubles on the way."""
    try:
        return math.fsum(xs)
    except OverflowError:
        return float(_exact_sum(xs))


def fdot(*xs: float) -> Any:
    """`dot`, rounded once: doubles are whole numbers over powers of two."""
    if not all(map(math.isfinite, xs)):
        return dot(*xs)
    left, right, bias = halves(xs)
    ratios = [(a.as_integer_ratio(), b.as_integer_ratio()) for a, b in zip([*left, *bias], [*right, 1.0])]
    common = max(d * e for (_, d), (_, e) in ratios)
    return sum(n * m * (common // (d * e)) for (n, d), (m, e) in ratios) / common


def logsumexp(*xs: float) -> float:
    """log Σ e^x."""
    top = max(xs)
    if top - top != 0.0:                        # an inf decides alone; a nan goes through
        return nan if any(map(math.isnan, xs)) else top
    rest = list(xs)
    rest.remove(top)
    return top + math.log1p(math.fsum([math.exp(x - top) for x in rest]))


def powers(xs: Sequence[float]) -> list[float]:
    """e^x for each x, all divided by the largest."""
    top = max(xs)
    if top - top != 0.0:                        # (one inf has all)
        alone = xs.count(inf) == 1
        return [1.0 if x == inf else 0.0 if x == x else x for x in xs] if alone else [nan] * len(xs)
    exp = math.exp                              # (x − top is d and what `difference` says it lost)
    return [exp(d) * (1.0 + ((x - (d - (t := d - x))) - (top + t))) if (d := x - top) != -inf else 0.0
            for x in xs]


def shares(xs: Sequence[float]) -> list[float]:
    """softmax: e^x for each x, over their sum."""
    parts = powers(xs)
    total = math.fsum(parts)
    return [part / total for part in parts]


def share_partials(y: float, parts: Sequence[float]) -> list[float]:
    """The partials of the first share y, from all shares."""
    others = parts[1:]
    return [y * math.fsum(others), *[-y * part for part in others]]


def share(*xs: float) -> float:
    """The share of the first operand."""
    parts = powers(xs)
    return parts[0] / math.fsum(parts)


def rest_share(*xs: float) -> float:
    """1 − the share of the first operand, accurate where that is near 1."""
    parts = powers(xs)
    return math.fsum(parts[1:]) / math.fsum(parts)


def log_share(first: float, *rest: float) -> float:
    """log softmax: that of the share of the first operand."""
    xs = (first, *rest)
    top = max(xs)
    if not all(map(math.isfinite, xs)):
        return -logsumexp(0.0, *[x - first for x in rest])
    parts = powers(xs)
    parts.remove(1.0)                           # that of the largest
    return -((top - first) + math.log1p(math.fsum(parts)))
