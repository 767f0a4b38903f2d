"""Magnitudes, distances and angles."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autograd_lite.ops import special
from autograd_lite.ops.branches import Ordinary
from autograd_lite.ops.define import define, doctests
from autograd_lite.ops.notation import ATOM, POWER, function, latex
from autograd_lite.ops.selection import sign, step

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Binary, Unary

_not_at_origin = "it has no derivative at (0, 0); keep the point away from the origin"


# a·b / hypot(a, b)³; for extreme operands starting with the smaller one, which underflows last.
_turn = Ordinary("hypot", "y, a, b: abs(a) <= abs(b) or abs(a) > 1e-290 and ("
                 "b == 0.0 or abs(b) / abs(a) > 1e-290)").rule(
    lambda y, a, b: over_square(a, b) * cos_angle(b, a), lambda y, a, b: over_square(b, a) * cos_angle(a, b))


def _difference(a: float, b: float) -> float:
    """The distance from a kink at a tie."""
    return a - b


absolute: Unary = define("abs", abs, (lambda y, x: sign(x),),
                         "|x|. The derivative at 0 is 0.", "absolute(-2.0) = 2.0", kink=lambda x: x,
                         generic=True, notation=function("abs", latex(r"\left|#1\right|"), python="abs(#1)",
                                                         array="xp.abs(#1)"))
minimum: Binary = define("minimum", lambda a, b: a if a <= b else b if b < a else a + b,
                         (lambda y, a, b: step(b, a), lambda y, a, b: step(a, b)),
                         "The smaller of a and b. At a tie each has derivative ½.", "minimum(1.0, 2.0) = 1.0",
                         kink=_difference, form=lambda m, a, b: m.min(a, b),
                         notation=function("minimum", r"\min",
                                           python="#1 if #1 <= #2 else #2 if #2 < #1 else #1 + #2",
                                           array="xp.minimum(#1, #2)"))
maximum: Binary = define("maximum", lambda a, b: a if a >= b else b if b > a else a + b,
                         (lambda y, a, b: step(a, b), lambda y, a, b: step(b, a)),
                         "The larger of a and b. At a tie each has derivative ½.", "maximum(1.0, 2.0) = 2.0",
                         kink=_difference, form=lambda m, a, b: m.max(a, b),
                         notation=function("maximum", r"\max",
                                           python="#1 if #1 >= #2 else #2 if #2 > #1 else #1 + #2",
                                           array="xp.maximum(#1, #2)"))
hypot: Binary = define("hypot", math.hypot,
                       (lambda y, a, b: cos_angle(a, b), lambda y, a, b: cos_angle(b, a)),
                       "√(a² + b²), without overflow; its derivatives at (0, 0) are 0.",
                       "hypot(3.0, 4.0) = 5.0", kink=math.hypot,
                       notation=function("hypot", latex(r"\sqrt{#1^{2} + #2^{2}}", ATOM, ATOM),
                                         array="xp.hypot(#1, #2)",
                                         slopes=(lambda y, a, b: a / y, lambda y, a, b: b / y)))
cos_angle: Binary = define(
    "cos_angle", special.cos_angle,
    (lambda y, a, b: over_square(b, a) * cos_angle(b, a), lambda y, a, b: -_turn(y, a, b)),
    "a / hypot(a, b), and 0 at (0, 0): the cosine of the angle of (a, b).", "cos_angle(3.0, 4.0) = 0.6",
    remedy="the operands must be finite, and an interval must not hold the origin",
    kink=math.hypot, convention=(-1.0, 1.0, None, "hypot"), singular=_not_at_origin,
    form=lambda m, a, b: a / m.hypot(a, b) if a != 0 or b != 0 else a,
    notation=function("cos_angle", latex(r"\frac{#1}{\sqrt{#1^{2} + #2^{2}}}", POWER, ATOM),
                      python=special.COS_ANGLE, said="the derivative of hypot(#1, #2)",
                      array="xp.cos_angle(#1, #2)"))
over_square: Binary = define(
    "over_square", special.over_square,
    (lambda y, a, b: over_square(b, a) * over_square(b, a) - y * y,
     lambda y, a, b: -2.0 * y * over_square(b, a)),
    "a / (a² + b²), without overflow: the real part of 1/(a + bi).", "over_square(3.0, 4.0) = 0.12",
    domain=lambda a, b: a != 0.0 or b != 0.0, remedy="the operands must not both be 0",
    singular="this near the origin it is lost to overflow; keep the point away from there",
    form=lambda m, a, b: a / (a ** 2 + b ** 2),
    notation=function("over_square", latex(r"\frac{#1}{#1^{2} + #2^{2}}", POWER, ATOM),
                      python=special.OVER_SQUARE, said="the derivative of atan2(#2, #1)",
                      array="xp.over_square(#1, #2)"))
atan2: Binary = define(
    "atan2", math.atan2, (lambda y, a, b: over_square(b, a), lambda y, a, b: -over_square(a, b)),
    "The angle of the point (x, y): the inverse tangent of y/x in its quadrant, in radians.",
    "atan2(0.0, 1.0) = 0.0",
    remedy="the operands must be finite, and an interval must not hold the origin or "
    "cross the half line where the angle is π", kink=lambda a, b: a if b < 0.0 else math.hypot(a, b),
    singular=_not_at_origin, notation=function(
        "atan2", array="xp.atan2(#1, #2)",
        slopes=(lambda y, a, b: b / (a ** 2 + b ** 2), lambda y, a, b: -a / (a ** 2 + b ** 2))))


__test__ = doctests(globals())
