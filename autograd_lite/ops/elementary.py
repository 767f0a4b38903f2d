"""The table: one row per primitive operation, and nothing else knows a derivative.

A partial is written once, in operations that floats and Values both understand, so it serves
first order (on floats) and every higher one (on Values). The letters are fixed: `y` the
result, `x` or `a, b` the operands; `partials` has one function of ``(y, *operands)`` for each
operand, or one function of ``(y, operands)`` giving all of them where the number of operands is
open. An operand with a default may be left out; one with None for its partial is an option.

The forms are those that keep their digits; families closed under differentiation
(tanh and sech2, erf and gauss, hypot and cos_angle, polygamma) keep them at every order.
Some rows are whole families: an operand counts how often they are differentiated.
"""
from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterable, Sequence
from math import inf, nan
from typing import Any

from autograd_lite.ops import special
from autograd_lite.errors import InputError
from autograd_lite.ops.op import TABLE, Constant, Op


def _row(name: str, forward: Callable[..., float], partials: Any, meaning: str = "", example: str = "",
         **facts: Any) -> Op:
    """A new row; its docstring says its meaning, an example ("sin(0.0) = 0.0") and its errors.

    In other numbers it is mpmath's function of its name, unless the facts have a `form`, or
    `forward` is `generic`: written in operators, which serve any numbers.
    """
    call, _, result = example.partition(" = ")
    doc = f"{meaning}\n\n>>> {call}\n{result}\n\nRaises:\n"
    for fact, when in (("remedy", ""), ("singular", " (of a gradient)")):
        doc += f"    DomainError{when}: {facts[fact]}.\n" if fact in facts else ""
    generic = facts.pop("generic", False)
    facts.setdefault("form", lambda m, *xs: (forward if generic else getattr(m, name))(*xs))
    doc = doc.removesuffix("\nRaises:\n") if meaning else ""
    TABLE[name] = row = Op(name, forward, partials, doc=doc, **facts)
    return row


# -- what several rules need -----------------------------------------------------------

_LN2 = Constant(math.log(2.0), lambda m: m.log(2))
_LOG2E = Constant(1.4426950408889634, lambda m: 1 / m.log(2))
_LOG10E = Constant(0.4342944819032518, lambda m: 1 / m.log(10))
_TWO_INV_SQRT_PI = Constant(special.TWO_INV_SQRT_PI, lambda m: 2 / m.sqrt(m.pi))
_TINY = 2.2250738585072014e-308               # the smallest normal double


def _side(x: Any, below: Any, at: Any, above: Any) -> Any:
    """`below`, `at` or `above` zero; a nan stays a nan."""
    return above if x > 0.0 else below if x < 0.0 else at if x == 0.0 else nan


def _order(a: Any, b: Any) -> float:
    """1 where a > b, ½ at a tie, 0 where a < b."""
    return 1.0 if a > b else 0.0 if a < b else 0.5 if a == b else nan


def _itself(x: float, *options: float) -> float:
    """The distance of a kink at 0."""
    return x


# -- arithmetic ------------------------------------------------------------------------


def _over_0(a: float, b: float) -> float:
    return nan if a == 0.0 or a != a else math.copysign(inf, a) * math.copysign(1.0, b)


def _over(y: Any, a: Any, b: Any) -> Any:
    """−(a/b)/b, by way of b² where a/b has lost digits to underflow."""
    return -y / b if not -_TINY < y < _TINY or a == 0.0 or not -1.0 < b < 1.0 else -a / (b * b)


def _pow_base(y: Any, a: Any, b: Any) -> Any:
    less = b - 1.0
    if (less + 1.0 == b and b - less == 1.0 and a != 0.0 and (b >= 0.5 or not -1e-150 < a < 1e-150)
            and (-4.0 <= b <= 4.0 or not -1e-200 < y < 1e-200)):
        return b * a ** less
    return power_slope(a, b, 1.0, 0.0)          # b − 1 would be rounded, or a**(b − 1) out of range


def _pow_exponent(y: Any, a: Any, b: Any) -> Any:
    if type(y) is float and a > 0.0 and 1e-290 < y < inf:       # at once, where no digit is lost
        return y * math.log(a)
    return power_slope(a, b, 0.0, 1.0)


def _power_slope_form(m: Any, a: Any, b: Any, k: Any, n: Any) -> Any:
    factors = special.falling(b, k)
    if n == 0:
        return factors[0] * m.power(a, b - k) if factors[0] != 0 else 0
    if a == 0 and b > k:
        return 0
    return m.power(a, b - k) * builtins.sum(math.perm(int(n), j) * p * m.log(a) ** int(n - j)
                                            for j, p in enumerate(factors) if j <= n)


def _from_multiple(a: Any, b: Any) -> Any:
    """The distance of a from the nearest multiple of b, by turns positive and negative between them."""
    exact = type(a) is type(b) is float and abs(b) < 1e308
    wave = math.remainder(a, 2.0 * b) if exact else a - 2 * b * round(a / (2 * b))      # a triangle's phase
    near = min(abs(wave), abs(b) - abs(wave))
    return near if wave > 0.0 else -near


_steps: dict[str, Any] = {
    "domain": lambda a, b: b != 0.0, "remedy": "the divisor must not be 0, nor the dividend infinite",
    "kink": _from_multiple}

add: Op = _row("+", lambda a, b: a + b, (lambda y, a, b: 1.0, lambda y, a, b: 1.0), generic=True)
sub: Op = _row("-", lambda a, b: a - b, (lambda y, a, b: 1.0, lambda y, a, b: -1.0), generic=True)
mul: Op = _row("*", lambda a, b: a * b, (lambda y, a, b: b, lambda y, a, b: a), generic=True)
div: Op = _row("/", lambda a, b: a / b, (lambda y, a, b: 1.0 / b, _over), generic=True,
               domain=lambda a, b: b != 0.0, remedy="the divisor must not be 0", ieee=_over_0)
mod: Op = _row("%", lambda a, b: a % b, (lambda y, a, b: 1.0, lambda y, a, b: -(a // b)),
               ieee=lambda a, b: nan, form=lambda m, a, b: a - b * m.floordiv(a, b), **_steps)
floordiv: Op = _row("//", lambda a, b: a // b, (lambda y, a, b: 0.0, lambda y, a, b: 0.0),
                    ieee=_over_0, form=lambda m, a, b: m.floordiv(a, b), **_steps)
neg: Op = _row("neg", lambda x: -x, (lambda y, x: -1.0,), generic=True)
identity: Op = _row("identity", lambda x: x, (lambda y, x: 1.0,),
                    "x itself, as a node of its own.", "identity(2.0) = 2.0", generic=True)
power: Op = _row(
    "**", special.power, (_pow_base, _pow_exponent),
    domain=lambda a, b: a > 0.0 or (b % 1.0 == 0.0 if a else b >= 0.0),
    remedy="a negative base needs a whole exponent, and 0 an exponent that is not negative",
    ieee=lambda a, b: nan if a < 0.0 and b % 1.0 else math.copysign(inf, a) if b % 2.0 == 1.0 else inf,
    singular="the derivative by the exponent needs a positive base, and the one by the base is infinite "
    "at 0 for an exponent below 1; give the exponent as a plain number, or keep the base away from 0",
    form=lambda m, a, b: m.power(a, b))
power_slope: Op = _row(
    "power_slope", special.power_slope,
    (lambda y, a, b, k, n: power_slope(a, b, k + 1.0, n),
     lambda y, a, b, k, n: power_slope(a, b, k, n + 1.0), None, None),
    "a**b differentiated k times by a and n times by b.", "power_slope(3.0, 2.0, 1.0, 0.0) = 6.0",
    domain=lambda a, b, k, n: a > 0.0 or (a < 0.0 and n == 0.0 and b % 1.0 == 0.0)
    or (a == 0.0 and (b >= k or (n == 0.0 and b >= 0.0 and b % 1.0 == 0.0)) and (n == 0.0 or b > k)),
    remedy="the base must be positive; or negative with a whole exponent, and 0 with a large enough one, "
    "if it is not differentiated by the exponent",
    singular="the derivative of the power is infinite or missing there; keep the base away from 0",
    ieee=special.power_slope_ieee, form=_power_slope_form)

# -- exponentials, logarithms, roots ---------------------------------------------------

_positive = {"domain": lambda x: x > 0.0, "remedy": "the operand must be positive",
             "ieee": lambda x: -inf if x == 0.0 else nan}

exp: Op = _row("exp", math.exp, (lambda y, x: y,), "e to the power x.", "exp(0.0) = 1.0")
exp2: Op = _row("exp2", math.exp2, (lambda y, x: y * _LN2,), "2 to the power x.", "exp2(3.0) = 8.0",
                form=lambda m, x: m.power(2, x))
expm1: Op = _row("expm1", math.expm1, (lambda y, x: exp(x),),
                 "e**x − 1, without cancellation near 0.", "expm1(1e-12) = 1.0000000000005e-12")
log: Op = _row("log", math.log, (lambda y, x: 1.0 / x,),
               "The natural logarithm, for x > 0.", "log(1.0) = 0.0", **_positive)
log2: Op = _row("log2", math.log2, (lambda y, x: _LOG2E / x,), "The logarithm to base 2, for x > 0.",
                "log2(8.0) = 3.0", form=lambda m, x: m.log(x) / m.log(2), **_positive)
log10: Op = _row("log10", math.log10, (lambda y, x: _LOG10E / x,),
                 "The logarithm to base 10, for x > 0.", "log10(1000.0) = 3.0", **_positive)
log1p: Op = _row("log1p", math.log1p, (lambda y, x: 1.0 / (1.0 + x),),
                 "log(1 + x), without cancellation near 0, for x > −1.", "log1p(1e-12) = 9.999999999995e-13",
                 domain=lambda x: x > -1.0, remedy="the operand must be greater than -1",
                 ieee=lambda x: -inf if x == -1.0 else nan)
sqrt: Op = _row("sqrt", math.sqrt, (lambda y, x: 0.5 / y,), "The square root, for x ≥ 0.", "sqrt(9.0) = 3.0",
                domain=lambda x: x >= 0.0, remedy="the operand must not be negative",
                singular="its derivative is infinite at 0; for sqrt(x*x) use abs(x), "
                "for sqrt(x*x + y*y) use hypot(x, y)")


def _cbrt_partial(y: Any, x: Any) -> Any:
    """y/3x and 1/3y² so weighted that an error of y itself, an ulp in many a libm, drops out."""
    return (2.0 * (y / x) + 1.0 / (y * y)) / 9.0 if x != 0.0 else 1.0 / abs(x)


cbrt: Op = _row("cbrt", math.cbrt, (_cbrt_partial,),
                "The cube root, of negative numbers too.", "cbrt(-8.0) = -2.0",
                singular="its derivative is infinite at 0; keep the operand away from 0")

# -- trigonometric and hyperbolic functions --------------------------------------------

_within_1 = {"domain": lambda x: -1.0 <= x <= 1.0, "remedy": "the operand must lie in [-1, 1]",
             "singular": "its derivative is infinite at -1 and 1; keep the operand inside (-1, 1)"}

sin: Op = _row("sin", math.sin, (lambda y, x: cos(x),), "The sine; x in radians.", "sin(0.0) = 0.0")
cos: Op = _row("cos", math.cos, (lambda y, x: -sin(x),), "The cosine; x in radians.", "cos(0.0) = 1.0")
tan: Op = _row("tan", math.tan, (lambda y, x: 1.0 + y * y,), "The tangent; x in radians.", "tan(0.0) = 0.0")
one_minus_square: Op = _row("one_minus_square", lambda x: (1 - x) * (1 + x), (lambda y, x: -2.0 * x,),
                            "1 − x², without cancellation near −1 and 1.", "one_minus_square(0.5) = 0.75",
                            generic=True)
asin: Op = _row("asin", math.asin, (lambda y, x: 1.0 / sqrt(one_minus_square(x)),),
                "The inverse sine of x in [−1, 1], in radians.", "asin(0.0) = 0.0", **_within_1)
acos: Op = _row("acos", math.acos, (lambda y, x: -1.0 / sqrt(one_minus_square(x)),),
                "The inverse cosine of x in [−1, 1], in radians.", "acos(1.0) = 0.0", **_within_1)
atan: Op = _row("atan", math.atan, (lambda y, x: 1.0 / (1.0 + x * x) if -1e50 < x < 1e50 else 1.0 / x / x,),
                "The inverse tangent, in radians.", "atan(0.0) = 0.0")
sinh: Op = _row("sinh", math.sinh, (lambda y, x: cosh(x),), "The hyperbolic sine.", "sinh(0.0) = 0.0",
                ieee=lambda x: math.copysign(inf, x))
cosh: Op = _row("cosh", math.cosh, (lambda y, x: sinh(x),), "The hyperbolic cosine.", "cosh(0.0) = 1.0")
tanh: Op = _row("tanh", math.tanh, (lambda y, x: sech2(x),), "The hyperbolic tangent.", "tanh(1000.0) = 1.0")
sech2: Op = _row("sech2", special.sech2, (lambda y, x: -2.0 * y * tanh(x),),
                 "1/cosh(x)², the derivative of tanh, to the last digits at any x.", "sech2(0.0) = 1.0",
                 form=lambda m, x: m.sech(x) ** 2)
asinh: Op = _row("asinh", math.asinh, (lambda y, x: 1.0 / hypot(1.0, x),),
                 "The inverse hyperbolic sine.", "asinh(0.0) = 0.0")
acosh: Op = _row("acosh", math.acosh, (lambda y, x: 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)),),
                 "The inverse hyperbolic cosine, for x ≥ 1.", "acosh(1.0) = 0.0",
                 domain=lambda x: x >= 1.0, remedy="the operand must be at least 1",
                 singular="its derivative is infinite at 1; keep the operand above 1")
atanh: Op = _row("atanh", math.atanh, (lambda y, x: 1.0 / one_minus_square(x),),
                 "The inverse hyperbolic tangent, for −1 < x < 1.", "atanh(0.0) = 0.0",
                 domain=lambda x: -1.0 < x < 1.0, remedy="the operand must lie strictly between -1 and 1",
                 ieee=lambda x: math.copysign(inf, x) if abs(x) == 1.0 else nan)

# -- the normal distribution, the gamma family -----------------------------------------

_no_pole = {"domain": lambda x: x > 0.0 or x % 1.0 != 0.0,
            "remedy": "the operand must not be 0 or a negative whole number"}

gauss: Op = _row(
    "gauss", special.gauss,
    (lambda y, x, n=0.0: -2.0 * x * y if n == 0.0 and -26.0 < x < 26.0 else gauss(x, n + 1.0), None),
    "e^(−x²), differentiated n times (default 0), to the last digits at any x.", "gauss(0.0) = 1.0",
    form=lambda m, x, n=0: special.hermite(x, n, 1) * m.exp(-x ** 2))
erf: Op = _row("erf", math.erf, (lambda y, x: _TWO_INV_SQRT_PI * gauss(x),),
               "The error function.", "erf(0.0) = 0.0")
erfc: Op = _row("erfc", math.erfc, (lambda y, x: -_TWO_INV_SQRT_PI * gauss(x),),
                "The complementary error function, 1 − erf(x).", "erfc(0.0) = 1.0")
normal_pdf: Op = _row(
    "normal_pdf", special.normal_pdf,
    (lambda y, x, n=0.0: -x * y if n == 0.0 and -37.0 < x < 37.0 else normal_pdf(x, n + 1.0), None),
    "The density of the standard normal distribution, differentiated n times (default 0).",
    "normal_pdf(0.0) = 0.3989422804014327",
    form=lambda m, x, n=0: special.hermite(x, n, 0.5) * m.exp(-x ** 2 / 2) / m.sqrt(2 * m.pi))
normal_cdf: Op = _row("normal_cdf", special.normal_cdf, (lambda y, x: normal_pdf(x),),
                      "The distribution function of the standard normal distribution.",
                      "normal_cdf(0.0) = 0.5", form=lambda m, x: m.ncdf(x))
gelu: Op = _row(
    "gelu", special.gelu,
    (lambda y, x: normal_cdf(x) + (x * normal_pdf(x) if -37.0 < x < 37.0 else -normal_pdf(x, 1.0)),),
    "x·Φ(x), Φ the normal distribution function (the erf form).", "gelu(0.0) = 0.0",
    form=lambda m, x: x * m.ncdf(x))
lgamma: Op = _row("lgamma", math.lgamma, (lambda y, x: digamma(x),), "log |Γ(x)|, except at 0, −1, −2, …",
                  "lgamma(1.0) = 0.0", ieee=lambda x: inf, **_no_pole)
digamma: Op = _row("digamma", lambda x: special.polygamma(0.0, x), (lambda y, x: polygamma(1.0, x),),
                   "The derivative of lgamma.", "round(digamma(1.0), 12) = -0.577215664902",
                   ieee=lambda x: special.polygamma_ieee(0.0, x), **_no_pole)
polygamma: Op = _row(
    "polygamma", special.polygamma, (None, lambda y, n, x: polygamma(n + 1.0, x)),
    "The n-th derivative of digamma at x (n a whole number, n ≥ 0).",
    "round(polygamma(1, 1.0), 12) = 1.644934066848",
    domain=lambda n, x: n >= 0.0 and n % 1.0 == 0.0 and (x > 0.0 or x % 1.0 != 0.0),
    remedy="n must be a whole number, not negative, and x not 0 or a negative whole number",
    ieee=special.polygamma_ieee)

# -- activations -----------------------------------------------------------------------


def _silu_partial(y: Any, x: Any) -> Any:
    if x < -700.0:
        half = exp(0.5 * x)
        return half * (1.0 + x) * half
    return sigmoid(x) + x * (0.25 * sech2(0.5 * x))


sigmoid: Op = _row("sigmoid", special.sigmoid, (lambda y, x: 0.25 * sech2(0.5 * x),),
                   "1 / (1 + e^(−x)), saturated without overflow.",
                   "sigmoid(0.0), sigmoid(-1000.0) = (0.5, 0.0)", form=lambda m, x: 1 / (1 + m.exp(-x)))
log_sigmoid: Op = _row("log_sigmoid", lambda x: -special.softplus(-x), (lambda y, x: sigmoid(-x),),
                       "log(sigmoid(x)), accurate at any x.", "log_sigmoid(-1000.0) = -1000.0",
                       form=lambda m, x: -m.log1p(m.exp(-x)))
softplus: Op = _row("softplus", special.softplus, (lambda y, x: sigmoid(x),),
                    "log(1 + e^x), without overflow.", "softplus(1000.0) = 1000.0",
                    form=lambda m, x: m.log1p(m.exp(x)))
relu: Op = _row(
    "relu", lambda x, at_zero=0.0: x if x > 0.0 or x != x else 0.0,
    (lambda y, x, at_zero=0.0: _side(x, 0.0, at_zero, 1.0), None),
    "max(x, 0). The derivative at 0 is `at_zero`, a plain number (default 0).",
    "relu(-3.0), relu(3.0) = (0.0, 3.0)", kink=_itself, form=lambda m, x, at_zero=0: m.max(x, 0))
leaky_relu: Op = _row(
    "leaky_relu", lambda x, slope=0.01: x if x > 0.0 else slope * x,
    (lambda y, x, slope=0.01: _side(x, slope, slope, 1.0),
     lambda y, x, slope=0.01: 0.0 if x > 0.0 else x),
    "x where positive, slope·x elsewhere (default slope 0.01).", "leaky_relu(-2.0, 0.5) = -1.0",
    kink=_itself, form=lambda m, x, slope=0.01: m.max(x, 0) + m.mpf(slope) * m.min(x, 0))
elu: Op = _row(
    "elu", lambda x, alpha=1.0: x if x > 0.0 else alpha * math.expm1(x),
    (lambda y, x, alpha=1.0: 1.0 if x > 0.0 else alpha * exp(x) if x > -700.0
     else alpha * exp(0.5 * x) * exp(0.5 * x),
     lambda y, x, alpha=1.0: 0.0 if x > 0.0 else expm1(x)),
    "x where positive, alpha·(e^x − 1) elsewhere (default alpha 1).", "elu(2.0) = 2.0",
    kink=_itself, form=lambda m, x, alpha=1: m.max(x, 0) + alpha * m.expm1(m.min(x, 0)))
silu: Op = _row("silu", special.silu, (_silu_partial,), "x·sigmoid(x).", "silu(0.0) = 0.0",
                form=lambda m, x: x / (1 + m.exp(-x)))

# -- selection, distance and angle -----------------------------------------------------

_not_at_origin = "it has no derivative at (0, 0); keep the point away from the origin"


def _turn(a: Any, b: Any) -> Any:
    """a·b / hypot(a, b)³, the smaller operand first, which underflows last."""
    return over_square(a, b) * cos_angle(b, a) if abs(a) < abs(b) else over_square(b, a) * cos_angle(a, b)


absolute: Op = _row("abs", abs, (lambda y, x: _side(x, -1.0, 0.0, 1.0),),
                    "|x|. The derivative at 0 is 0.", "absolute(-2.0) = 2.0", kink=_itself, generic=True)
minimum: Op = _row("minimum", lambda a, b: a if a <= b else b if b < a else a + b,
                   (lambda y, a, b: _order(b, a), lambda y, a, b: _order(a, b)),
                   "The smaller of a and b. At a tie each has derivative ½.", "minimum(1.0, 2.0) = 1.0",
                   kink=sub.forward, form=lambda m, a, b: m.min(a, b))
maximum: Op = _row("maximum", lambda a, b: a if a >= b else b if b > a else a + b,
                   (lambda y, a, b: _order(a, b), lambda y, a, b: _order(b, a)),
                   "The larger of a and b. At a tie each has derivative ½.", "maximum(1.0, 2.0) = 2.0",
                   kink=sub.forward, form=lambda m, a, b: m.max(a, b))
hypot: Op = _row("hypot", math.hypot, (lambda y, a, b: cos_angle(a, b), lambda y, a, b: cos_angle(b, a)),
                 "√(a² + b²), without overflow; its derivatives at (0, 0) are 0.", "hypot(3.0, 4.0) = 5.0",
                 kink=math.hypot)
cos_angle: Op = _row(
    "cos_angle", special.cos_angle,
    (lambda y, a, b: over_square(b, a) * cos_angle(b, a), lambda y, a, b: -_turn(a, b)),
    "a / hypot(a, b), and 0 at (0, 0): the cosine of the angle of (a, b).", "cos_angle(3.0, 4.0) = 0.6",
    singular=_not_at_origin, form=lambda m, a, b: a / m.hypot(a, b) if a != 0 or b != 0 else a)
over_square: Op = _row(
    "over_square", special.over_square,
    (lambda y, a, b: over_square(b, a) * over_square(b, a) - y * y,
     lambda y, a, b: -2.0 * y * over_square(b, a)),
    "a / (a² + b²), without overflow: the real part of 1/(a + bi).", "over_square(3.0, 4.0) = 0.12",
    domain=lambda a, b: a != 0.0 or b != 0.0, remedy="the operands must not both be 0",
    form=lambda m, a, b: a / (a ** 2 + b ** 2))
atan2: Op = _row(
    "atan2", math.atan2, (lambda y, a, b: over_square(b, a), lambda y, a, b: -over_square(a, b)),
    "The angle of the point (b, a): the inverse tangent of a/b in its quadrant, in radians.",
    "atan2(0.0, 1.0) = 0.0", kink=lambda a, b: a if b < 0.0 else math.hypot(a, b), singular=_not_at_origin)

# -- many operands ---------------------------------------------------------------------


def _equal_shares(y: Any, xs: Sequence[Any]) -> list[float]:
    n = len(xs)
    return [1.0 / n if type(xs[0]) is float else Constant(1.0 / n, lambda m: m.mpf(1) / n)] * n


def _dot_partials(y: Any, xs: Sequence[Any]) -> list[Any]:
    left, right, bias = special.halves(xs)
    return [*right, *left, *[1.0 for _ in bias]]


def _shares(xs: Sequence[Any]) -> list[Any]:
    """softmax of floats or nodes, each share one node."""
    if builtins.all(type(x) is float for x in xs):
        powers = special.powers(xs)
        total = math.fsum(powers)
        return [power / total for power in powers]
    # Turned, not swapped: then the partials of the partials are these same shares.
    return [softmax_first(*xs[i:], *xs[:i]) for i in range(len(xs))]


def _softmax_partials(y: Any, xs: Sequence[Any]) -> list[Any]:
    others = _shares(xs)[1:]
    rest = sum(others, exact=True)
    p = y if y < rest else rest                 # the smaller one's relative error is all there is
    return [p * (1.0 - p), *[-y * p for p in others]]


sum_row: Op = _row("sum", special.chain_sum, lambda y, xs: [1.0] * len(xs), generic=True)
fsum_row: Op = _row("fsum", special.fsum, sum_row.partials, ieee=special.chain_sum, form=sum_row.form)
mean_row: Op = _row("mean", lambda *xs: special.chain_sum(*xs) / len(xs), _equal_shares, generic=True)
dot_row: Op = _row("dot", special.dot, _dot_partials, generic=True)
fdot_row: Op = _row("fdot", special.fdot, _dot_partials, ieee=special.dot, form=dot_row.form)
logsumexp_row: Op = _row("logsumexp", special.logsumexp, lambda y, xs: _shares(xs),
                         form=lambda m, *xs: m.log(special.chain_sum(*[m.exp(x) for x in xs])))
softmax_first: Op = _row("softmax", special.share, _softmax_partials,
                         form=lambda m, *xs: 1 / (1 + builtins.sum(m.exp(x - xs[0]) for x in xs[1:])))


def _operands(name: str, xs: Iterable[Any], least: int = 1) -> list[Any]:
    try:
        operands = list(xs)
    except TypeError:
        raise InputError(f"{name}: expected a sequence of numbers, got {type(xs).__name__}; "
                         f"write {name}([a, b, …])") from None
    if len(operands) < least:
        raise InputError(f"{name}: the sequence is empty; give at least one number")
    return operands


def sum(xs: Iterable[Any], *, exact: bool = False) -> Any:
    """The sum of a sequence, as one node. An empty one gives 0.0.

    Adds left to right, as a chain of ``+`` does; ``exact=True`` rounds only once
    (`math.fsum`).

    >>> sum([0.1] * 10), sum([0.1] * 10, exact=True)
    (0.9999999999999999, 1.0)
    """
    operands = _operands("sum", xs, least=0)
    return (fsum_row if exact else sum_row)(*operands) if operands else 0.0


def mean(xs: Iterable[Any]) -> Any:
    """The arithmetic mean of a sequence, as one node.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    return mean_row(*_operands("mean", xs))


def dot(xs: Iterable[Any], ys: Iterable[Any], bias: Any = None, *, exact: bool = False) -> Any:
    """Σ xs[i]·ys[i] (+ bias), as one node, added left to right; ``exact=True`` rounds only once.

    >>> dot([1.0, 2.0], [3.0, 4.0])
    11.0
    >>> dot([1.0, 2.0], [3.0, 4.0], 0.5)
    11.5
    >>> dot([1e20, 1.0, -1e20], [1.0, 3.0, 1.0]), dot([1e20, 1.0, -1e20], [1.0, 3.0, 1.0], exact=True)
    (0.0, 3.0)
    """
    left, right = _operands("dot", xs), _operands("dot", ys)
    if len(left) != len(right):
        raise InputError(f"dot: the sequences have {len(left)} and {len(right)} numbers; "
                         "they must be equally long")
    row = fdot_row if exact else dot_row
    return row(*left, *right) if bias is None else row(*left, *right, bias)


def logsumexp(xs: Iterable[Any]) -> Any:
    """log Σ e^xs[i], as one node, without overflow.

    >>> logsumexp([1000.0, 1000.0]) == 1000.0 + log(2.0)
    True
    """
    return logsumexp_row(*_operands("logsumexp", xs))


def softmax(xs: Iterable[Any]) -> list[Any]:
    """e^xs[i] / Σ e^xs[j], a list as long as xs, each entry one node.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    return _shares(_operands("softmax", xs))


__test__ = {row.name: row.__doc__ for row in TABLE.values() if row.__doc__}
