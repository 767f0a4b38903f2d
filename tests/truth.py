"""The table once more, in mpmath, and its derivatives of any order: what the tests hold ours against.

`TRUTH` gives each row as a function of operands that may be numbers or `Dual`s. The value of a
function is mpmath's; its derivative is a formula in other functions of this file, written so that
terms of opposite sign meet only where the derivative itself has a zero.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any

import mpmath
from mpmath import mp, mpf

from autograd_lite.ops import activations, elementary, geometry, normal, selection, sequences
from autograd_lite.ops.op import TABLE, Op

mp.dps = 60


class Real:
    """A number, and the largest term that was added up to make it."""

    __slots__ = "value", "largest"

    def __init__(self, value: Any, largest: Any = None):
        self.value = value
        self.largest = abs(value) if largest is None else max(abs(value), largest)

    def __add__(self, other: Any) -> Any:
        other = real(other)
        return Real(self.value + other.value, max(self.largest, other.largest))

    def __mul__(self, other: Any) -> Any:
        other = real(other)
        return Real(self.value * other.value, self.largest * other.largest)

    def __neg__(self) -> Any: return Real(-self.value, self.largest)
    def __sub__(self, other: Any) -> Any: return self + -other
    def __rsub__(self, other: Any) -> Any: return real(other) + -self
    def __truediv__(self, other: Any) -> Any: return self * power(other, -1)
    def __rtruediv__(self, other: Any) -> Any: return power(self, -1) * other
    __radd__, __rmul__ = __add__, __mul__


class Dual(Real):
    """a + b·ε with ε² = 0: carries a derivative; a and b may be Duals, for the mixed ones."""

    __slots__ = "a", "b"

    def __init__(self, a: Any, b: Any):
        self.a, self.b = a, b

    def __add__(self, other: Any) -> Any:
        a, b = (other.a, other.b) if isinstance(other, Dual) else (other, 0)
        return Dual(self.a + a, self.b + b)

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, Dual):
            return Dual(self.a * other, self.b * other)
        return Dual(self.a * other.a, self.a * other.b + self.b * other.a)

    def __neg__(self) -> Any: return Dual(-self.a, -self.b)
    __radd__, __rmul__ = __add__, __mul__


def real(x: Any) -> Any:
    return x if isinstance(x, Real) else Real(mpf(x))


def plain(x: Any) -> Any:
    """The number in a Real or Dual, for branches and options."""
    while isinstance(x, Dual):
        x = x.a
    return x.value if isinstance(x, Real) else mpf(x)


def function(value: Callable[..., Any], *slopes: Callable[..., Any] | None) -> Callable[..., Any]:
    """A function of Reals and Duals from mpmath's for the value and one formula for each partial."""
    cached = lru_cache(4096)(lambda prec, *xs: value(*xs))

    def apply(*xs: Any) -> Any:
        if not any(isinstance(x, Dual) for x in xs):
            y = cached(mp.prec, *map(plain, xs))
            return y if isinstance(y, Real) else Real(y)
        below = [x.a if isinstance(x, Dual) else x for x in xs]
        change: Any = 0
        for x, slope in zip(xs, slopes):
            if slope is not None and isinstance(x, Dual) and not _absent(x.b):
                change = change + slope(*below) * x.b
        return Dual(apply(*below), change)
    return apply


def _absent(x: Any) -> bool:
    """Whether nothing varies along x."""
    if isinstance(x, Dual):
        return _absent(x.a) and _absent(x.b)
    return not isinstance(x, Real) and x == 0


def _derivatives(f: Callable[..., Any], xs: Sequence[Any], by: Sequence[int]) -> list[Any]:
    """f, and f differentiated by the operands numbered in `by`, one after the other."""
    for i in reversed(by):
        xs = [Dual(x, 1 if j == i else 0) for j, x in enumerate(xs)]
    found = [f(*xs)]
    for _ in by:                                # a layer off; the last once more differentiated
        last = found[-1]
        found = [y.a if isinstance(y, Dual) else y for y in found]
        found.append(last.b if isinstance(last, Dual) else 0)
    return found


def _derivative(f: Callable[..., Any], xs: Sequence[Any], by: Sequence[int]) -> Any:
    return _derivatives(f, xs, by)[-1]


def partials(name: str, xs: Sequence[float], by: Sequence[int] = ()) -> list[Real]:
    """The row's value, its derivative by operand by[0], that one's by operand by[1], … at `xs`."""
    return [real(y) for y in _derivatives(TRUTH[name], [real(x) for x in xs], by)]


def partial(name: str, xs: Sequence[float], by: Sequence[int] = ()) -> Real:
    return partials(name, xs, by)[-1]


def constant(x: Any) -> Callable[..., Any]:
    return lambda *xs: x


# -- functions whose partials are functions of this file ----------------------------------


def _power(a: Any, b: Any) -> Any:
    return mpf(1) if b == 0 else mpf(0) if a == 0 and b > 0 else a ** b


power = function(_power, lambda a, b: b * power(a, b - 1) if plain(a) or plain(b) else 0,
                 lambda a, b: pow_log(a, b, 1))
pow_log = function(lambda a, b, n: mpf(0) if a == 0 and b > 0 else a ** b * mp.log(a) ** n,
                   lambda a, b, n: b * pow_log(a, b - 1, n)
                   + n * (pow_log(a, b - 1, n - 1) if plain(n) > 1 else power(a, b - 1)),
                   lambda a, b, n: pow_log(a, b, n + 1))
exp = function(mp.exp, lambda x: exp(x))
log = function(mp.log, lambda x: 1 / x)
sqrt = function(mp.sqrt, lambda x: 0.5 / sqrt(x))
cbrt = function(lambda x: mp.sign(x) * mp.cbrt(abs(x)), lambda x: cbrt(x) / (3 * x))
sin = function(mp.sin, lambda x: cos(x))
cos = function(mp.cos, lambda x: -sin(x))
tan = function(mp.tan, lambda x: 1 + tan(x) * tan(x))
sinh = function(mp.sinh, lambda x: cosh(x))
cosh = function(mp.cosh, lambda x: sinh(x))
tanh = function(mp.tanh, lambda x: sech2(x))
sech2 = function(lambda x: mp.sech(x) ** 2, lambda x: -2 * sech2(x) * tanh(x))
gauss = function(lambda x: mp.exp(-x * x), lambda x: -2 * x * gauss(x))
gamma = function(lambda x: mp.gamma(x), lambda x: gamma(x) * polygamma(0, x))
polygamma = function(lambda n, x: _polygamma(n, x), None, lambda n, x: polygamma(n + 1, x))
hypot = function(lambda a, b: mp.sqrt(a * a + b * b), lambda a, b: cos_angle(a, b),
                 lambda a, b: cos_angle(b, a))
cos_angle = function(lambda a, b: a / mp.sqrt(a * a + b * b) if a or b else mpf(0),
                     lambda a, b: b * b / (hypot(a, b) * hypot(a, b) * hypot(a, b)),
                     lambda a, b: -a * b / (hypot(a, b) * hypot(a, b) * hypot(a, b)))
over_square = function(lambda a, b: a / (a * a + b * b),
                       lambda a, b: (b * b - a * a) * sum_of_squares(a, b, -2),
                       lambda a, b: -2 * a * b * sum_of_squares(a, b, -2))
sum_of_squares = function(lambda a, b, n: (a * a + b * b) ** n,
                          lambda a, b, n: 2 * n * a * sum_of_squares(a, b, n - 1),
                          lambda a, b, n: 2 * n * b * sum_of_squares(a, b, n - 1))
atan2 = function(lambda a, b: mp.atan2(a, b), lambda a, b: over_square(b, a),
                 lambda a, b: -over_square(a, b))
one_minus_square = function(lambda x: (1 - x) * (1 + x), lambda x: -2 * x)
sigmoid = function(lambda x: 1 / (1 + mp.exp(-x)), lambda x: 0.25 * sech2(0.5 * x))
softplus = function(lambda x: mp.log1p(mp.exp(x)), sigmoid)


def _polygamma(n: Any, x: Any) -> Real:
    """ψₙ, and the largest of what adds up to it beside a zero: the nearest pole's term, the reflection."""
    n = int(n)
    if x > 0:
        y = mp.psi(n, x)
        return Real(y, max(abs(y), mp.factorial(n) / x ** (n + 1)))
    with mp.workdps(120):                       # beside a zero mpmath loses what cancels
        r = x - mp.nint(x)                      # reflection, the cotangent being the same at r
        away = mp.psi(n, 1 - x)
        y = (-1) ** n * (away - mp.psi(n, 1 - r)) + mp.psi(n, r)
    return Real(y, max(abs(y), mp.factorial(n) / abs(r) ** (n + 1), abs(away)))


def _erfc(x: Any) -> Any:
    return mp.erfc(x) if x < 1e9 else mp.exp(-x * x) / x        # mpmath overflows far out


def normal_pdf(x: Any) -> Any:
    return exp(-x * x * 0.5) * (1 / mp.sqrt(2 * mp.pi))


normal_cdf = function(lambda x: _erfc(-x / mp.sqrt(2)) / 2, normal_pdf)


def _top_and_rest(top: Any, *rest: Any) -> Real:
    return Real(top) + Real(mp.log1p(mp.fsum(mp.exp(x - top) for x in rest)))


def _share(*xs: Any) -> Any:
    top = max(xs)
    return mp.exp(xs[0] - top) / sum(mp.exp(x - top) for x in xs)


def _shares(*xs: Any) -> list[Any]:
    return [softmax(x, *xs[:i], *xs[i + 1:]) for i, x in enumerate(xs)]


def _share_slope(i: int) -> Callable[..., Any]:
    def slope(*xs: Any) -> Any:
        first, *others = _shares(*xs)
        return -first * others[i - 1] if i else first * softmax_rest(*xs)
    return slope


def _rest_slope(i: int) -> Callable[..., Any]:
    def slope(*xs: Any) -> Any:
        first, *others = _shares(*xs)
        return first * others[i - 1] if i else -first * softmax_rest(*xs)
    return slope


_MANY = range(8)                                # more operands than any test gives a row
softmax = function(_share, *map(_share_slope, _MANY))
softmax_rest = function(lambda *xs: sum(_share(x, *xs[:i], *xs[i + 1:]) for i, x in enumerate(xs) if i),
                        *map(_rest_slope, _MANY))
logsumexp = function(lambda *xs: _top_and_rest(*sorted(xs, reverse=True)),
                     *[lambda *xs, i=i: _shares(*xs)[i] for i in _MANY])


def _log_share(*xs: Any) -> Any:
    return -_top_and_rest(*sorted([x - xs[0] for x in xs], reverse=True))


def _log_share_slope(i: int) -> Callable[..., Any]:
    return lambda *xs: -_shares(*xs)[i] if i else softmax_rest(*xs)


log_softmax = function(_log_share, *map(_log_share_slope, _MANY))


def _sum(*xs: Any) -> Any:
    total = xs[0]
    for x in xs[1:]:
        total = total + x
    return total


def _dot(*xs: Any) -> Any:
    n = len(xs) // 2
    return _sum(*[a * b for a, b in zip(xs[:n], xs[n:])], *xs[2 * n:])


def _floor(a: Any, b: Any) -> Any:
    with mp.workprec(4400):                     # any two doubles, exactly
        return mp.floor(a / b)


def _mod(a: Any, b: Any) -> Any:
    with mp.workprec(4400):
        return a - b * _floor(a, b)


_TWO_INV_SQRT_PI = 2 / mp.sqrt(mp.pi)
TRUTH: dict[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a * power(b, -1),
    "identity": lambda x: x * 1,
    "neg": lambda x: -x,
    "**": power,
    "power_slope": lambda a, b, k, n: _derivative(power, (a, b), [0] * int(plain(k)) + [1] * int(plain(n))),
    "%": function(_mod, constant(1), lambda a, b: -floordiv(a, b)),
    "//": (floordiv := function(_floor)),
    "exp": exp,
    "exp2": function(lambda x: mpf(2) ** x, lambda x: TRUTH["exp2"](x) * mp.log(2)),
    "expm1": function(mp.expm1, exp),
    "log": log,
    "log2": lambda x: log(x) * (1 / mp.log(2)),
    "log10": lambda x: log(x) * (1 / mp.log(10)),
    "log1p": function(mp.log1p, lambda x: 1 / (1 + x)),
    "sqrt": sqrt,
    "cbrt": cbrt,
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "asin": function(mp.asin, lambda x: 1 / sqrt(one_minus_square(x))),
    "acos": function(mp.acos, lambda x: -1 / sqrt(one_minus_square(x))),
    "atan": function(mp.atan, lambda x: over_square(1, x)),
    "sinh": sinh,
    "cosh": cosh,
    "tanh": tanh,
    "sech2": sech2,
    "asinh": function(mp.asinh, lambda x: 1 / hypot(1, x)),
    "acosh": function(mp.acosh, lambda x: 1 / sqrt((x - 1) * (x + 1))),
    "atanh": function(mp.atanh, lambda x: 1 / one_minus_square(x)),
    "one_minus_square": one_minus_square,
    "gauss": lambda x, n=0: _derivative(gauss, [x], [0] * int(plain(n))),
    "erf": function(mp.erf, lambda x: _TWO_INV_SQRT_PI * gauss(x)),
    "erfc": function(_erfc, lambda x: -_TWO_INV_SQRT_PI * gauss(x)),
    "normal_pdf": lambda x, n=0: _derivative(normal_pdf, [x], [0] * int(plain(n))),
    "normal_cdf": normal_cdf,
    "gelu": lambda x: x * normal_cdf(x),
    "lgamma": function(lambda x: mp.loggamma(x).real, lambda x: polygamma(0, x)),
    "gamma": gamma,
    "digamma": lambda x: polygamma(0, x),
    "polygamma": polygamma,
    "sigmoid": sigmoid,
    "log_sigmoid": lambda x: -softplus(-x),
    "softplus": softplus,
    "relu": lambda x, at_zero=0: x * (1 if plain(x) > 0 else 0),
    "leaky_relu": lambda x, slope=0.01: x * (1 if plain(x) > 0 else slope),
    "elu": lambda x, alpha=1: x * 1 if plain(x) > 0 else alpha * TRUTH["expm1"](x),
    "silu": lambda x: x * sigmoid(x),
    "abs": lambda x: x * mp.sign(plain(x)),
    "minimum": lambda a, b: a * 1 if plain(a) <= plain(b) else b * 1,
    "maximum": lambda a, b: a * 1 if plain(a) >= plain(b) else b * 1,
    "hypot": hypot,
    "cos_angle": cos_angle,
    "over_square": over_square,
    "atan2": atan2,
    "sum": _sum,
    "fsum": _sum,
    "mean": lambda *xs: _sum(*xs) * (mpf(1) / len(xs)),
    "dot": _dot,
    "fdot": _dot,
    "logsumexp": logsumexp,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "softmax_rest": softmax_rest,
    "greater": lambda a, b: mpf(plain(a) > plain(b)),
    "greater_equal": lambda a, b: mpf(plain(a) >= plain(b)),
    "less": lambda a, b: mpf(plain(a) < plain(b)),
    "less_equal": lambda a, b: mpf(plain(a) <= plain(b)),
    "equal": lambda a, b: mpf(plain(a) == plain(b)),
    "not_equal": lambda a, b: mpf(plain(a) != plain(b)),
    "sign": lambda x: mp.sign(plain(x)),
    "step": lambda a, b, tie=0.5: plain(tie) if plain(a) == plain(b) else mpf(plain(a) > plain(b)),
    "where": lambda condition, a, b: (a if plain(condition) else b) * 1,
}

# The names of the library's own ops; tests and users add theirs to the table.
OURS = {op.name for module in (activations, elementary, geometry, normal, selection, sequences)
        for op in vars(module).values() if isinstance(op, Op) and TABLE.get(op.name) is op}

# -- an op with a mistake ---------------------------------------------------------------------


def spoilt(op: Op, change: Callable[[Any], Any], by: int | None = None) -> Op:
    """An op like another, each of its partials (or that by one operand) changed."""
    def changed(rule: Any) -> Any:
        def rule_with_a_mistake(y: Any, *xs: Any) -> Any:
            p = rule(y, *xs)
            return None if p is None else change(p)
        return rule_with_a_mistake

    def all_changed(y: Any, xs: Sequence[Any]) -> list[Any]:
        return [change(p) if by in (None, i) else p for i, p in enumerate(op.rules[0](y, xs))]  # type: ignore

    rules = tuple(changed(rule) if rule and by in (None, i) else rule for i, rule in enumerate(op.rules))
    return type(op)(op.name, op.forward, all_changed if op.open else rules, domain=op.domain, kink=op.kink,
                    form=op.form, notation=op.notation)


# -- how far a float is from the truth ----------------------------------------------------

TINY, HUGE = mpf(2) ** -1022, mpf(2) ** 1024 - mpf(2) ** 970     # the normal doubles; beyond: infinite


def ulp(x: Any) -> Any:
    """The spacing of the doubles at |x|."""
    x = abs(x)
    return mp.ldexp(1, (mp.frexp(x)[1] if x >= TINY else -1021) - 53)


def ulps(found: float, true: Real, beside_zero: bool = False) -> float:
    """The distance in units of the last place of the truth (of its largest term where asked)."""
    if not math.isfinite(found):
        return 0.0 if abs(true.value) >= HUGE and found * mp.sign(true.value) > 0 else math.inf
    return float(abs(found - true.value) / ulp(true.largest if beside_zero else true.value))


def relative(found: float, true: Real, beside_zero: bool = False) -> float:
    """The relative error (to the largest term where asked); of a subnormal truth to the least normal."""
    if not math.isfinite(found):
        return 0.0 if abs(true.value) >= HUGE and found * mp.sign(true.value) > 0 else math.inf
    scale = max(abs(true.value), TINY, true.largest if beside_zero else 0)
    return float(abs(found - true.value) / scale)


# -- where to look ----------------------------------------------------------------------------

_SIZES = [5e-324, 3e-310, 2.2250738585072014e-308, 1e-300, 1e-200, 1e-160, 1e-100, 1e-20, 1e-8, 1e-3, 0.1,
          0.3, 0.4999, 0.9, 1 - 2.0 ** -53, 1.0, 1 + 2.0 ** -52, 1.4616, math.pi / 2, 2.0, 3.7, 15.0, 19.0,
          26.6, 27.2, 37.6, 38.4, 40.0, 100.3, 300.0, 372.5, 700.5, 709.7, 744.5, 1e4, 1e9, 1e16, 1e77,
          1e154, 1e200, 1e300, 1.7976931348623157e308]
ALONE = [(s * x,) for x in [0.0, *_SIZES] for s in (1.0, -1.0)]
PAIRS = [(x, y) for x in (5e-324, 1e-310, -1e-160, 1e-10, -0.3, 1.5, 1e10, -1e160, 1.7e308)
         for y in (1e-320, -1e-300, 1e-100, 0.3, -2.0, 3.0, 1e100, 1e308)]
PAIRS += [(-0.0, 2.0), (2.0, 0.0), (0.0, 3.0), (0.5, 1000.0), (0.49, 1000.0), (1e-305, 1.02), (1e-5, 1.0),
          (1 + 1e-14, 1e16), (1 - 1e-14, 7e16), (1 + 1e-15, 1e17), (3.3, 0.1), (7.0, -2.6), (2.5, -400.0),
          (1e-310, 1e-310), (3e-323, 6e-323), (1.0, 1.0), (-800.0, 1e200), (4.0, 9.0), (-4.0, 9.0)]
POINTS: dict[str, list[tuple[float, ...]]] = {
    **dict.fromkeys(["+", "-", "*", "/", "**", "%", "//", "minimum", "maximum", "hypot", "cos_angle",
                     "over_square", "atan2", "leaky_relu", "elu", "greater", "greater_equal", "less",
                     "less_equal", "equal", "not_equal", "step"], PAIRS),
    "where": [(float(i % 2), x, y) for i, (x, y) in enumerate(PAIRS)],
    "polygamma": [(n, x) for n in (0.0, 1.0, 2.0, 3.0, 8.0, 30.0)
                  for x in (1e-8, 0.3, 1.4616, 7.0, 30.0, 1e9, -0.3, -1.5, -2.0000001, -7.3, -250.49)],
    "power_slope": [(x, y, k, n) for x, y in PAIRS[72::2] for k in (0.0, 1.0, 2.0) for n in (0.0, 1.0)],
    "gauss": [*ALONE, *[(x, n) for x, in ALONE[20:70:4] for n in (1.0, 2.0)]],
    "normal_pdf": [*ALONE, *[(x, n) for x, in ALONE[20:70:4] for n in (1.0, 2.0)]],
    **dict.fromkeys(["dot", "fdot"], [(0.1, -0.2, 3.0, 1.3, 2.0, -7.0), (1e200, 1.0, 1e100, 3.0),
                                      (0.1, 3.0, 0.7), (5e-324, 0.5)]),
    **dict.fromkeys(["sum", "fsum", "mean", "logsumexp", "softmax", "softmax_rest", "log_softmax"], [
        (0.1, -0.2, 3.0), (1000.0, 1000.0, 999.0), (0.3, 700.3, -5.0), (700.3, 0.3), (-1000.1, 3.3),
        (2.5, 2.5), (-0.7, -0.7), (40.0, 0.1, -40.0), (1e-310, 0.0), (3.0,), (1e10, -1e10, 0.0)]),
}
# By which operands nothing is differentiated, the ops' own facts.
OPTIONS = {name: tuple(i for i, has in enumerate(op.differentiable(int(op.most))) if not has)
           for name, op in TABLE.items() if not op.open and not all(op.differentiable(int(op.most)))}


def points(name: str) -> list[tuple[float, ...]]:
    """Operands of a row at which its accuracy is looked at, inside its domain or not."""
    return POINTS.get(name, ALONE)


def paths(name: str, xs: Sequence[float], order: int) -> list[tuple[int, ...]]:
    """The ways to differentiate `order` times at xs: by each operand that is no option, in order."""
    free = [i for i in range(len(xs)) if i not in OPTIONS.get(name, ())]
    return list(combinations_with_replacement(free, order))


__all__ = ["HUGE", "TINY", "TRUTH", "Real", "mpmath", "partial", "partials", "paths", "plain", "points",
           "relative", "ulp", "ulps"]
