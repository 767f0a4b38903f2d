"""What programs call that is neither an instruction nor in the C library, in the small language.

It is compiled with them, and runs in Python, too (see `language`).
"""
from __future__ import annotations

import ast
import math
from typing import Any

from autograd_lite.native import families, sums
from autograd_lite.native.sums import product_rest
from autograd_lite.ops import polygammas, special

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
    """`math.hypot`: the sum of squares, scaled, in two floats; its root, and a step of Newton's; nan where it
    is not sure."""
    a = abs(a)
    b = abs(b)
    top = a if a > b else b
    if not 5.562684646268003e-309 <= top < inf or not a + b >= 0.0:      # (Python's differ below this)
        return 0.0 if a + b == 0.0 else nan
    k = math.floor(math.log2(top))
    scale = math.exp2(-1.0 - k)
    if top * scale < 0.5:                       # (the logarithm was rounded up, to a whole number)
        scale = math.exp2(-k)
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
    step = (s - 1.0 + (lost + less)) / (2.0 * h)
    y = h + step
    if y + 1.000001 * (step - (y - h)) != y:
        return nan                              # (nearly in the middle of two floats, where Pythons differ)
    return y / scale


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


def gamma(x: float) -> float:
    """`math.gamma`, by Lanczos's sum and, below 0, reflection; not finite where that raises, or far below."""
    size = abs(x)
    if not size < 200.0 or size < 1e-20 or x == math.floor(x) and x < 0.0:
        return nan if size >= 1e-20 or x == 0.0 else 1.0 / x
    if x == math.floor(x) and x <= 23.0:
        product = 1.0
        factor = 1.0
        for i in range(22):
            if factor < x:
                product = product * factor
                factor = factor + 1.0
        return product
    y = size + 5.524680040776729583740234375
    lost = (y - size) - 5.524680040776729583740234375
    if size <= 5.524680040776729583740234375:
        lost = (y - 5.524680040776729583740234375) - size
    lost = lost * 6.024680040776729583740234375 / y
    if x < 0.0:
        r = -math.pi / sine_of_pi(size) / size * math.exp(y) / lanczos_sum(size)
        r = r - lost * r
        if size < 140.0:
            return r / math.pow(y, size - 0.5)
        part = math.pow(y, size / 2.0 - 0.25)
        return r / part / part
    r = lanczos_sum(size) / math.exp(y)
    r = r + lost * r
    if size < 140.0:
        return r * math.pow(y, size - 0.5)
    part = math.pow(y, size / 2.0 - 0.25)
    return r * part * part


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
    if y < 0.25:
        return math.sin(math.pi * y)
    if y < 0.75:
        return math.cos(math.pi * (y - 0.5))
    if y < 1.25:
        return math.sin(math.pi * (1.0 - y))
    if y < 1.75:
        return -math.cos(math.pi * (y - 1.5))
    return math.sin(math.pi * (y - 2.0))


# Functions of many floats, by functions of their array; those of `math` that are written here.
SEQUENCES: dict[Any, Any] = {getattr(special, name): getattr(sums, name) for name in (
    "shares share rest_share fsum fdot logsumexp log_share mean").split()}
WRITTEN: dict[Any, Any] = {
    special.sigmoid: sigmoid, special.sech2: sech2, math.hypot: hypot, math.lgamma: lgamma, math.gamma: gamma,
    polygammas.digamma: families.digamma, polygammas.polygamma: families.polygamma,
    **{getattr(special, name): getattr(families, name) for name in ("power_slope", "gauss", "normal_pdf")}}
_COUNTS = {polygammas.polygamma: 0, special.power_slope: 3}        # which operand counts derivatives


def written(f: Any, node: ast.AST) -> Any:
    """The function that is written here for that of a call; if there is none, for so many derivatives, that
    function itself."""
    count = node.args[_COUNTS[f]] if f in _COUNTS and isinstance(node, ast.Call) else None
    known = count.value if isinstance(count, ast.Constant) else 0.0
    return f if type(known) is float and known > families.MOST else WRITTEN.get(f, f)
