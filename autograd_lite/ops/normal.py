"""The normal distribution and the gamma family."""
from __future__ import annotations

import math
from collections.abc import Sequence
from math import inf, nan
from typing import TYPE_CHECKING

from autograd_lite.ops import polygammas, special
from autograd_lite.ops.branches import Ordinary
from autograd_lite.ops.define import define, doctests
from autograd_lite.ops.elementary import exp
from autograd_lite.ops.notation import POWER, Form, function, latex
from autograd_lite.ops.constants import Constant

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Family, Ordered, Unary

_TWO_INV_SQRT_PI = Constant(special.TWO_INV_SQRT_PI, lambda m: 2 / m.sqrt(m.pi))

# -- the normal distribution, the gamma family -----------------------------------------

_no_pole = {"domain": lambda x: x > 0.0 or x % 1.0 != 0.0,
            "remedy": "the operand must not be 0 or a negative whole number"}


def _gamma_ieee(x: float) -> float:
    """±inf at 0 and near it, inf for large numbers; nan at the other poles and at -inf."""
    return math.copysign(inf, x) if -1e-300 < x < 1e-300 else inf if x > 0.0 else nan


_COUNT = "n must be a whole number, from 0 to 1000"
_counted = {"domain": lambda x, n=0.0: 0.0 <= n <= 1000.0 and n % 1.0 == 0.0, "remedy": _COUNT}

# The first derivative is a multiple of the function where that is a normal double; elsewhere, and for
# higher derivatives, the count n goes up.
_gauss_partial = Ordinary("erf", "y, x, n=0.0: n == 0.0 and -26.0 < x < 26.0").rule(
    lambda y, x, *n: -2.0 * x * y, lambda y, x, n=0.0: gauss(x, n + 1.0))
_pdf_partial = Ordinary("normal_pdf", "y, x, n=0.0: n == 0.0 and -37.0 < x < 37.0").rule(
    lambda y, x, *n: -x * y, lambda y, x, n=0.0: normal_pdf(x, n + 1.0))


def _family(symbol: str) -> Form:
    """A function in LaTeX whose second operand, if given, counts how often it is differentiated."""
    def text(xs: Sequence[str]) -> str:
        order = rf"^{{\left({xs[1]}\right)}}" if xs[1:] else ""
        return rf"{symbol}{order}\left({xs[0]}\right)"
    return latex(text)


gauss: Family = define(
    "gauss", special.gauss,
    (_gauss_partial, None),
    "e^(−x²), differentiated n times (default 0), to the last digits at any x.", "gauss(0.0) = 1.0",
    form=lambda m, x, n=0: special.hermite(x, n, 1) * m.exp(-x ** 2), **_counted,
    notation=function("gauss", _family(r"\mathrm{gauss}"), python=special.GAUSS,
                      said="the derivative of erf(#1)", array="xp.gauss(#1, #2)"))
erf: Unary = define("erf", math.erf, (lambda y, x: _TWO_INV_SQRT_PI * gauss(x),),
                    "The error function.", "erf(0.0) = 0.0",
                    notation=function("erf", array="xp.erf(#1)",
                                      slopes=(lambda y, x: _TWO_INV_SQRT_PI * exp(-x ** 2),)))
erfc: Unary = define("erfc", math.erfc, (lambda y, x: -_TWO_INV_SQRT_PI * gauss(x),),
                     "The complementary error function, 1 − erf(x).", "erfc(0.0) = 1.0",
                     notation=function("erfc", array="xp.erfc(#1)",
                                       slopes=(lambda y, x: -_TWO_INV_SQRT_PI * exp(-x ** 2),)))
normal_pdf: Family = define(
    "normal_pdf", special.normal_pdf,
    (_pdf_partial, None),
    "The density of the standard normal distribution, differentiated n times (default 0).",
    "normal_pdf(0.0) = 0.3989422804014327",
    form=lambda m, x, n=0: special.hermite(x, n, 0.5) * m.exp(-x ** 2 / 2) / m.sqrt(2 * m.pi), **_counted,
    notation=function("normal_pdf", _family(r"\phi"), python=special.NORMAL_PDF,
                      array="xp.normal_pdf(#1, #2)"))
normal_cdf: Unary = define("normal_cdf", special.normal_cdf, (lambda y, x: normal_pdf(x),),
                           "The distribution function of the standard normal distribution.",
                           "normal_cdf(0.0) = 0.5", form=lambda m, x: m.ncdf(x),
                           notation=function("normal_cdf", r"\Phi", python=special.NORMAL_CDF,
                                             array="xp.normal_cdf(#1)"))
lgamma: Unary = define("lgamma", math.lgamma, (lambda y, x: digamma(x),),
                       "log |Γ(x)|, except at 0, −1, −2, …", "lgamma(1.0) = 0.0",
                       ieee=lambda x: inf, **_no_pole,
                       notation=function("lgamma", latex(r"\ln\left|\Gamma\left(#1\right)\right|", POWER),
                                         array="xp.lgamma(#1)"))
gamma: Unary = define("gamma", math.gamma, (lambda y, x: y * digamma(x),), "Γ(x), except at 0, −1, −2, …",
                      "gamma(5.0) = 24.0", ieee=_gamma_ieee, **_no_pole,
                      notation=function("gamma", r"\Gamma", array="xp.gamma(#1)"))
digamma: Unary = define("digamma", polygammas.digamma, (lambda y, x: polygamma(1.0, x),),
                        "The derivative of lgamma.", "round(digamma(1.0), 12) = -0.577215664902",
                        ieee=lambda x: polygammas.polygamma_ieee(0.0, x), **_no_pole,
                        notation=function("digamma", r"\psi", array="xp.digamma(#1)"))
polygamma: Ordered = define(
    "polygamma", polygammas.polygamma, (None, lambda y, n, x: polygamma(n + 1.0, x)),
    "The n-th derivative of digamma at x (n a whole number, 0 ≤ n ≤ 1000).",
    "round(polygamma(1, 1.0), 12) = 1.644934066848",
    domain=lambda n, x: 0.0 <= n <= 1000.0 and n % 1.0 == 0.0 and (x > 0.0 or x % 1.0 != 0.0),
    remedy=f"{_COUNT}, and x not 0 or a negative whole number",
    ieee=polygammas.polygamma_ieee,
    notation=function("polygamma", latex(r"\psi^{\left(#1\right)}\left(#2\right)"),
                      array="xp.polygamma(#1, #2)"))


__test__ = doctests(globals())
