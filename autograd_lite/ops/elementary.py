"""Arithmetic and the elementary functions.

In all files of ops a partial is written once, in operations that floats and Values both understand,
so it gives the first order (on floats) and every higher one (on Values). The letters are fixed: `y` is
the result, `x` or `a, b` are the operands. A rule branches only by `select`.

The forms are chosen to keep their digits; families closed under differentiation
(tanh and sech2, erf and gauss, hypot and cos_angle, polygamma) keep them at every order.
Some ops are whole families: an operand counts how often they are differentiated.
"""
from __future__ import annotations

import math
from math import inf, nan
from typing import TYPE_CHECKING, Any

from autograd_lite.ops import special
from autograd_lite.ops.branches import Ordinary
from autograd_lite.ops.define import define, doctests
from autograd_lite.ops.geometry import hypot
from autograd_lite.ops.notation import (ATOM, LOOSE, POWER, PRODUCT, SIGN, SUM, Form, Notation, function,
                                        infix, latex)
from autograd_lite.ops.constants import Constant
from autograd_lite.ops.op import Op
from autograd_lite.ops.special import TINY

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Binary, Unary

_LN2 = Constant(math.log(2.0), lambda m: m.log(2))
_LOG2E = Constant(1.4426950408889634, lambda m: 1 / m.log(2))
_LOG10E = Constant(0.4342944819032518, lambda m: 1 / m.log(10))

# -- arithmetic ------------------------------------------------------------------------


def _over_0(a: float, b: float) -> float:
    return nan if a == 0.0 or a != a else math.copysign(inf, a) * math.copysign(1.0, b)


# −(a/b)/b, by way of b² where a/b has lost digits to underflow.
_over = Ordinary("/", f"y, a, b: not -{TINY} < y < {TINY} or a == 0.0 or not -1.0 < b < 1.0").rule(
    lambda y, a, b: -y / b, lambda y, a, b: -a / (b * b))


# b·a**(b − 1) keeps its digits if b − 1 is exact and nothing is out of range. (0·a**−1 fails at 0.)
_pow_base = Ordinary(
    "**", "y, a, b: (1.0 <= b <= 1e15 or b != 0.0 and b - 1.0 + 1.0 == b and b - (b - 1.0) == 1.0) "
    "and (a == 0.0 or not (-1e-200 < y < 1e-200 and not -4.0 <= b <= 4.0 "
    "or b < 0.5 and -1e-150 < a < 1e-150))", plain=(2,)).rule(
    lambda y, a, b: b * a ** (b - 1.0), lambda y, a, b: power_slope(a, b, 1.0, 0.0))
_pow_exponent = Ordinary("**", "y, a, b: a > 0.0 and 1e-290 < y <= 1.7976931348623157e308", floats=True).rule(
    lambda y, a, b: y * log(a), lambda y, a, b: power_slope(a, b, 0.0, 1.0))


def _power_slope_form(m: Any, a: Any, b: Any, k: Any, n: Any) -> Any:
    factors = special.falling(b, k)
    if n == 0:
        return factors[0] * m.power(a, b - k) if factors[0] != 0 else 0
    if a == 0 and b > k:
        return 0
    return m.power(a, b - k) * sum(math.perm(int(n), j) * p * m.log(a) ** int(n - j)
                                   for j, p in enumerate(factors) if j <= n)


def _from_multiple(a: Any, b: Any) -> Any:
    """The distance of a from the nearest multiple of b; the sign alternates from one multiple to the next."""
    exact = type(a) is type(b) is float
    wave = math.remainder(a, 2.0 * b) if exact else b - (b - a) % (2 * b)       # a triangle's phase
    near = min(abs(wave), abs(b) - abs(wave))
    return near if wave > 0.0 else -near


def _0_or_nan(y: Any, a: Any, b: Any) -> Any:
    return 0.0 * y + 0.0


# (1, but nan at a nan; y is infinite at -1.0 % inf.)
_mod_partial = Ordinary("%", "y, a, b: y == y", floats=True).rule(
    lambda y, a, b: 1.0, lambda y, a, b: 1.0 + 0.0 * y)


_neg_text, _power_text = Form("-#1", SIGN, SIGN), Form("#1 ** #2", POWER, (ATOM, SIGN))
_steps: dict[str, Any] = {
    "domain": lambda a, b: b != 0.0, "remedy": "the divisor must not be 0, nor the dividend infinite",
    "kink": _from_multiple}

add: Binary = define("+", lambda a, b: a + b, (lambda y, a, b: 1.0, lambda y, a, b: 1.0), generic=True,
                     notation=infix("+", SUM, "+"))
sub: Binary = define("-", lambda a, b: a - b, (lambda y, a, b: 1.0, lambda y, a, b: -1.0), generic=True,
                     notation=infix("-", SUM, "-", "−"))
mul: Binary = define("*", lambda a, b: a * b, (lambda y, a, b: b, lambda y, a, b: a), generic=True,
                     notation=infix("*", PRODUCT, r"\cdot", "×"))
div: Binary = define("/", lambda a, b: a / b, (lambda y, a, b: 1.0 / b, _over), generic=True,
                     domain=lambda a, b: b != 0.0, remedy="the divisor must not be 0", ieee=_over_0,
                     notation=infix("/", PRODUCT, latex(r"\frac{#1}{#2}", POWER), "÷",
                                    slopes=(None, lambda y, a, b: -a / b ** 2)))
mod: Binary = define("%", lambda a, b: a % b, (_mod_partial, lambda y, a, b: -(a // b)),
                     ieee=lambda a, b: nan, form=lambda m, a, b: a - b * m.floordiv(a, b), **_steps,
                     notation=infix("%", PRODUCT, r"\;\mathrm{mod}\;"))
floordiv: Binary = define("//", lambda a, b: a // b, (_0_or_nan, _0_or_nan),
                          ieee=_over_0, form=lambda m, a, b: m.floordiv(a, b), **_steps,
                          notation=infix("//", PRODUCT, latex(r"\left\lfloor\frac{#1}{#2}\right\rfloor")))
neg: Unary = define("neg", lambda x: -x, (lambda y, x: -1.0,), generic=True,
                    notation=Notation(_neg_text, latex("-#1", SUM, PRODUCT), "neg",
                                      targets={"python": _neg_text, "array": _neg_text}))
identity: Unary = define("identity", lambda x: x, (lambda y, x: 1.0,),
                         "x itself, as a node of its own.", "identity(2.0) = 2.0", generic=True,
                         notation=function("identity", said="#1", array="#1"))
power: Binary = define(
    "**", special.power, (_pow_base, _pow_exponent),
    domain=lambda a, b: a > 0.0 or (b % 1.0 == 0.0 if a else b >= 0.0),
    remedy="a negative base needs a whole exponent, and 0 an exponent that is not negative",
    ieee=lambda a, b: nan if a < 0.0 and b % 1.0 else math.copysign(inf, a) if b % 2.0 == 1.0 else inf,
    singular="the derivative by the exponent needs a positive base, and the one by the base is infinite "
    "at 0 for an exponent below 1; give the exponent as a plain number, or keep the base away from 0",
    form=lambda m, a, b: m.power(a, b),
    notation=Notation(_power_text, latex("#1^{#2}", POWER, (ATOM, LOOSE)), "^", infix=True,
                      targets={"python": Form("math.pow(#1, #2)"), "array": _power_text},
                      slopes=(lambda y, a, b: b * a ** (b - 1.0), lambda y, a, b: y * log(a))))
power_slope: Op = define(
    "power_slope", special.power_slope,
    (lambda y, a, b, k, n: power_slope(a, b, k + 1.0, n),
     lambda y, a, b, k, n: power_slope(a, b, k, n + 1.0), None, None),
    "a**b differentiated k times by a and n times by b.", "power_slope(3.0, 2.0, 1.0, 0.0) = 6.0",
    domain=lambda a, b, k, n: a > 0.0 or (a < 0.0 and n == 0.0 and b % 1.0 == 0.0)
    or (a == 0.0 and (b >= k or (n == 0.0 and b >= 0.0 and b % 1.0 == 0.0)) and (n == 0.0 or b > k)),
    remedy="the base must be positive; or negative with a whole exponent, and 0 with a large enough one, "
    "if it is not differentiated by the exponent",
    singular="the derivative by the exponent needs a positive base, and others may be infinite at 0; keep "
    "the base away from 0",
    notation=function("power_slope", said="a derivative of (#1) ** (#2)",
                      array="xp.power_slope(#1, #2, #3, #4)"),
    ieee=special.power_slope_ieee, form=_power_slope_form)

# -- exponentials, logarithms, roots ---------------------------------------------------

_positive = {"domain": lambda x: x > 0.0, "remedy": "the operand must be positive",
             "ieee": lambda x: -inf if x == 0.0 else nan}

exp: Unary = define("exp", math.exp, (lambda y, x: y,), "e to the power x.", "exp(0.0) = 1.0",
                    notation=function("exp", latex("e^{#1}", POWER), array="xp.exp(#1)"))
exp2: Unary = define("exp2", math.exp2, (lambda y, x: y * _LN2,), "2 to the power x.", "exp2(3.0) = 8.0",
                     form=lambda m, x: m.power(2, x), notation=function("exp2", latex("2^{#1}", POWER),
                                                                        array="xp.exp2(#1)"))
expm1: Unary = define("expm1", math.expm1, (lambda y, x: exp(x),),
                      "e**x − 1, without cancellation near 0.", "expm1(1e-12) = 1.0000000000005e-12",
                      notation=function("expm1", latex("e^{#1} - 1", SUM), array="xp.expm1(#1)"))
log: Unary = define("log", math.log, (lambda y, x: 1.0 / x,),
                    "The natural logarithm, for x > 0.", "log(1.0) = 0.0", **_positive,
                    notation=function("log", r"\ln", array="xp.log(#1)"))
log2: Unary = define("log2", math.log2, (lambda y, x: _LOG2E / x,), "The logarithm to base 2, for x > 0.",
                     "log2(8.0) = 3.0", form=lambda m, x: m.log(x) / m.log(2), **_positive,
                     notation=function("log2", r"\log_{2}", array="xp.log2(#1)"))
log10: Unary = define("log10", math.log10, (lambda y, x: _LOG10E / x,),
                      "The logarithm to base 10, for x > 0.", "log10(1000.0) = 3.0", **_positive,
                      notation=function("log10", r"\log_{10}", array="xp.log10(#1)"))
log1p: Unary = define("log1p", math.log1p, (lambda y, x: 1.0 / (1.0 + x),),
                      "log(1 + x), without cancellation near 0, for x > −1.",
                      "log1p(1e-12) = 9.999999999995e-13",
                      domain=lambda x: x > -1.0, remedy="the operand must be greater than -1",
                      ieee=lambda x: -inf if x == -1.0 else nan,
                      notation=function("log1p", latex(r"\ln\left(1 + #1\right)", ATOM, PRODUCT),
                                        array="xp.log1p(#1)"))
sqrt: Unary = define("sqrt", math.sqrt, (lambda y, x: 0.5 / y,),
                     "The square root, for x ≥ 0.", "sqrt(9.0) = 3.0",
                     domain=lambda x: x >= 0.0, remedy="the operand must not be negative",
                     singular="its derivative is infinite at 0; for sqrt(x*x) use abs(x), "
                     "for sqrt(x*x + y*y) use hypot(x, y)",
                     notation=function("sqrt", latex(r"\sqrt{#1}"), array="xp.sqrt(#1)",
                                       slopes=(lambda y, x: 1.0 / (2.0 * y),)))


# y/3x and 1/3y², weighted so that an error of y itself (an ulp in many libms) cancels.
_cbrt_partial = Ordinary("cbrt", "y, x: 0.0 < abs(x) <= 1.7976931348623157e308").rule(
    lambda y, x: (2.0 * (y / x) + 1.0 / (y * y)) / 9.0, lambda y, x: 1.0 / abs(x))
cbrt: Unary = define("cbrt", math.cbrt, (_cbrt_partial,),
                     "The cube root, of negative numbers too.", "cbrt(-8.0) = -2.0",
                     singular="its derivative is infinite at 0; keep the operand away from 0",
                     notation=function("cbrt", latex(r"\sqrt[3]{#1}"), array="xp.cbrt(#1)",
                                       slopes=(lambda y, x: 1.0 / (3.0 * y ** 2),)))

# -- trigonometric and hyperbolic functions --------------------------------------------

_within_1 = {"domain": lambda x: -1.0 <= x <= 1.0, "remedy": "the operand must lie in [-1, 1]",
             "singular": "its derivative is infinite at -1 and 1; keep the operand inside (-1, 1)"}

sin: Unary = define("sin", math.sin, (lambda y, x: cos(x),), "The sine; x in radians.", "sin(0.0) = 0.0",
                    notation=function("sin", r"\sin", array="xp.sin(#1)"))
cos: Unary = define("cos", math.cos, (lambda y, x: -sin(x),), "The cosine; x in radians.", "cos(0.0) = 1.0",
                    notation=function("cos", r"\cos", array="xp.cos(#1)"))
tan: Unary = define("tan", math.tan, (lambda y, x: 1.0 + y * y,),
                    "The tangent; x in radians.", "tan(0.0) = 0.0",
                    remedy="the operand must be finite, and an interval must not hold a pole",
                    notation=function("tan", r"\tan", array="xp.tan(#1)",
                                      slopes=(lambda y, x: 1.0 + y ** 2,)))
one_minus_square: Unary = define("one_minus_square", special.one_minus_square, (lambda y, x: -2.0 * x,),
                                 "1 − x², without cancellation near −1 and 1.",
                                 "one_minus_square(0.5) = 0.75", generic=True,
                                 notation=function("one_minus_square", latex("1 - #1^{2}", SUM, ATOM),
                                                   said="1 - (#1) ** 2", array="(1.0 - #1) * (1.0 + #1)"))
_atan_partial = Ordinary("atan", "y, x: -1e50 < x < 1e50").rule(
    lambda y, x: 1.0 / (1.0 + x * x), lambda y, x: 1.0 / x / x)
asin: Unary = define("asin", math.asin, (lambda y, x: 1.0 / sqrt(one_minus_square(x)),),
                     "The inverse sine of x in [−1, 1], in radians.", "asin(0.0) = 0.0", **_within_1,
                     notation=function("asin", r"\arcsin", array="xp.asin(#1)",
                                       slopes=(lambda y, x: 1.0 / sqrt(1.0 - x ** 2),)))
acos: Unary = define("acos", math.acos, (lambda y, x: -1.0 / sqrt(one_minus_square(x)),),
                     "The inverse cosine of x in [−1, 1], in radians.", "acos(1.0) = 0.0", **_within_1,
                     notation=function("acos", r"\arccos", array="xp.acos(#1)",
                                       slopes=(lambda y, x: -1.0 / sqrt(1.0 - x ** 2),)))
atan: Unary = define("atan", math.atan, (_atan_partial,),
                     "The inverse tangent, in radians.", "atan(0.0) = 0.0",
                     notation=function("atan", r"\arctan", array="xp.atan(#1)",
                                       slopes=(lambda y, x: 1.0 / (1.0 + x ** 2),)))
sinh: Unary = define("sinh", math.sinh, (lambda y, x: cosh(x),), "The hyperbolic sine.", "sinh(0.0) = 0.0",
                     ieee=lambda x: math.copysign(inf, x),
                     notation=function("sinh", r"\sinh", array="xp.sinh(#1)"))
cosh: Unary = define("cosh", math.cosh, (lambda y, x: sinh(x),), "The hyperbolic cosine.", "cosh(0.0) = 1.0",
                     notation=function("cosh", r"\cosh", array="xp.cosh(#1)"))
tanh: Unary = define("tanh", math.tanh, (lambda y, x: sech2(x),),
                     "The hyperbolic tangent.", "tanh(1000.0) = 1.0",
                     notation=function("tanh", r"\tanh", array="xp.tanh(#1)",
                                       slopes=(lambda y, x: 1.0 - y ** 2,)))
sech2: Unary = define("sech2", special.sech2, (lambda y, x: -2.0 * y * tanh(x),),
                      "1/cosh(x)², the derivative of tanh, to the last digits at any x.", "sech2(0.0) = 1.0",
                      form=lambda m, x: m.sech(x) ** 2,
                      notation=function("sech2", r"\mathrm{sech}^{2}", python="4.0 * (e := math.exp(-2.0 "
                                        "* #1 if #1 > 0.0 else 2.0 * #1)) / ((s := 1.0 + e) * s)",
                                        array="xp.sech2(#1)"))
asinh: Unary = define("asinh", math.asinh, (lambda y, x: 1.0 / hypot(1.0, x),),
                      "The inverse hyperbolic sine.", "asinh(0.0) = 0.0",
                      notation=function("asinh", r"\mathrm{arsinh}", array="xp.asinh(#1)",
                                        slopes=(lambda y, x: 1.0 / sqrt(1.0 + x ** 2),)))
acosh: Unary = define("acosh", math.acosh, (lambda y, x: 1.0 / sqrt(x - 1.0) / sqrt(x + 1.0),),
                      "The inverse hyperbolic cosine, for x ≥ 1.", "acosh(1.0) = 0.0",
                      domain=lambda x: x >= 1.0, remedy="the operand must be at least 1",
                      singular="its derivative is infinite at 1; keep the operand above 1",
                      notation=function("acosh", r"\mathrm{arcosh}", array="xp.acosh(#1)",
                                        slopes=(lambda y, x: 1.0 / sqrt(x ** 2 - 1.0),)))
atanh: Unary = define("atanh", math.atanh, (lambda y, x: 1.0 / one_minus_square(x),),
                      "The inverse hyperbolic tangent, for −1 < x < 1.", "atanh(0.0) = 0.0",
                      domain=lambda x: -1.0 < x < 1.0,
                      remedy="the operand must lie strictly between -1 and 1",
                      ieee=lambda x: math.copysign(inf, x) if abs(x) == 1.0 else nan,
                      notation=function("atanh", r"\mathrm{artanh}", array="xp.atanh(#1)",
                                        slopes=(lambda y, x: 1.0 / (1.0 - x ** 2),)))


__test__ = doctests(globals())
