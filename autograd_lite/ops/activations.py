"""The functions that neurons apply."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_lite.ops import special
from autograd_lite.ops.branches import Ordinary, select
from autograd_lite.ops.define import define, doctests
from autograd_lite.ops.elementary import exp, expm1, sech2
from autograd_lite.ops.normal import normal_cdf, normal_pdf
from autograd_lite.ops.notation import POWER, function, latex
from autograd_lite.ops.selection import greater, less_equal, step

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Elu, Leaky, Relu, Unary


def _itself(x: float, *options: float) -> float:
    """The distance from a kink at 0."""
    return x


def _silu_halved(y: Any, x: Any) -> Any:
    half = exp(0.5 * x)
    return half * (1.0 + x) * half


# (Beyond ±800 the second term is 0, at infinity too.)
_silu_partial = Ordinary("silu", "y, x: -700.0 <= x <= 800.0").rule(
    lambda y, x: sigmoid(x) + x * (0.25 * sech2(0.5 * x)),
    Ordinary("silu", "y, x: -800.0 <= x <= 0.0").rule(_silu_halved, lambda y, x: sigmoid(x)))
_gelu_rest = Ordinary("gelu", "y, x: -37.0 < x < 37.0").rule(
    lambda y, x: x * normal_pdf(x), lambda y, x: -normal_pdf(x, 1.0))
_elu_below = Ordinary("elu", "y, x, alpha: not x <= -700.0").rule(
    lambda y, x, alpha: alpha * exp(x), lambda y, x, alpha: alpha * exp(0.5 * x) * exp(0.5 * x))


def _leaky_partial(y: Any, x: Any, slope: Any = 0.01) -> Any:
    # (the last x is a nan)
    return select(greater(x, 0.0), lambda: 1.0, lambda: select(less_equal(x, 0.0), lambda: slope, lambda: x))


def _elu_partial(y: Any, x: Any, alpha: Any = 1.0) -> Any:
    return select(greater(x, 0.0), lambda: 1.0, lambda: _elu_below(y, x, alpha))


sigmoid: Unary = define("sigmoid", special.sigmoid, (lambda y, x: 0.25 * sech2(0.5 * x),),
                        "1 / (1 + e^(−x)), saturated without overflow.",
                        "sigmoid(0.0), sigmoid(-1000.0) = (0.5, 0.0)", form=lambda m, x: 1 / (1 + m.exp(-x)),
                        notation=function("sigmoid", r"\sigma", python="1.0 / (1.0 + math.exp(-#1)) if "
                                          "#1 >= 0.0 else (e := math.exp(#1)) / (1.0 + e)",
                                          array="xp.sigmoid(#1)", slopes=(lambda y, x: y * (1.0 - y),)))
log_sigmoid: Unary = define("log_sigmoid", special.log_sigmoid, (lambda y, x: sigmoid(-x),),
                            "log(sigmoid(x)), accurate at any x.", "log_sigmoid(-1000.0) = -1000.0",
                            form=lambda m, x: -m.log1p(m.exp(-x)),
                            notation=function("log_sigmoid", latex(r"\ln\sigma\left(#1\right)", POWER),
                                              array="-xp.softplus(-#1)"))
softplus: Unary = define("softplus", special.softplus, (lambda y, x: sigmoid(x),),
                         "log(1 + e^x), without overflow.", "softplus(1000.0) = 1000.0",
                         form=lambda m, x: m.log1p(m.exp(x)),
                         notation=function("softplus", array="xp.softplus(#1)"))
relu: Relu = define(
    "relu", lambda x, at_zero=0.0: x if x > 0.0 or x != x else 0.0,
    (lambda y, x, at_zero=0.0: step(x, 0.0, at_zero), None),
    "max(x, 0). The derivative at 0 is `at_zero`, a plain number (default 0).",
    "relu(-3.0), relu(3.0) = (0.0, 3.0)", kink=_itself, form=lambda m, x, at_zero=0: m.max(x, 0),
    notation=function("relu", r"\mathrm{ReLU}", title="ReLU",
                      python="#1 if #1 > 0.0 or #1 != #1 else 0.0", array="xp.maximum(#1, 0.0)"))
leaky_relu: Leaky = define(
    "leaky_relu", special.leaky_relu,
    (_leaky_partial, lambda y, x, slope=0.01: select(greater(x, 0.0), lambda: 0.0, lambda: x)),
    "x where positive, slope·x elsewhere (default slope 0.01).", "leaky_relu(-2.0, 0.5) = -1.0",
    kink=_itself, form=lambda m, x, slope=0.01: m.max(x, 0) + m.mpf(slope) * m.min(x, 0),
    notation=function("leaky_relu", array="xp.where(#1 > 0.0, #1, #2 * #1)"))
elu: Elu = define(
    "elu", special.elu,
    (_elu_partial, lambda y, x, alpha=1.0: select(greater(x, 0.0), lambda: 0.0, lambda: expm1(x))),
    "x where positive, alpha·(e^x − 1) elsewhere (default alpha 1).", "elu(2.0) = 2.0",
    kink=_itself, form=lambda m, x, alpha=1: m.max(x, 0) + alpha * m.expm1(m.min(x, 0)),
    notation=function(
        "elu", array="xp.where(#1 > 0.0, #1, #2 * xp.expm1(xp.minimum(#1, 0.0)))",
        slopes=(lambda y, x, alpha=1.0: select(greater(x, 0.0), lambda: 1.0, lambda: alpha * exp(x)),)))
gelu: Unary = define("gelu", special.gelu, (lambda y, x: normal_cdf(x) + _gelu_rest(y, x),),
                     "x·Φ(x), Φ the normal distribution function (the erf form).", "gelu(0.0) = 0.0",
                     form=lambda m, x: x * m.ncdf(x),
                     notation=function("gelu", python=special.GELU, array="xp.gelu(#1)", slopes=(
                         lambda y, x: normal_cdf(x) + x * normal_pdf(x),)))
silu: Unary = define("silu", special.silu, (_silu_partial,), "x·sigmoid(x).", "silu(0.0) = 0.0",
                     form=lambda m, x: x / (1 + m.exp(-x)), notation=function(
                         "silu", array="xp.silu(#1)",
                         slopes=(lambda y, x: sigmoid(x) + y * (1.0 - sigmoid(x)),)))


__test__ = doctests(globals())
