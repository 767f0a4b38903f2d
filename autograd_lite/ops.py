"""The table: one row per primitive operation, and nothing else knows a derivative.

A row is callable: on plain numbers it returns a float; an operand of another
kind (a `Value`) brings its own way to apply a row. A partial is written once, in
operations that floats and Values both understand, so it serves first order (on
floats) and every higher one (on Values). The letters are fixed: `y` the result,
`x` or `a, b` the operands; ``partials`` has one function of ``(y, *operands)`` for
each operand, or one function of ``(y, operands)`` giving all of them where the
number of operands is open. An operand with a default may be left out.

The forms are those that keep their digits; families closed under differentiation
(tanh and sech2, erf and gauss, hypot and cos_angle, polygamma) keep them at every order.
Some rows are whole families: an operand counts how often they are differentiated.
"""
from __future__ import annotations

import builtins
import functools
import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any, Self

from autograd_lite import special
from autograd_lite.errors import (DivisionError, DomainError, InputError, Line, NumericError,
                                  RangeError, errstate, raising, signal)

inf, nan, pi = math.inf, math.nan, math.pi
TABLE: dict[str, Op] = {}

Partial = Callable[..., Any]


class Op:
    """A row of the table: one primitive operation, its derivatives and where they hold.

    `forward` and `partials` are described in the module's docstring. `domain` is a
    predicate over the operands (always true where left out), `remedy` says it in words,
    `ieee` gives the result of IEEE 754 outside the domain or on overflow, `kink` the
    signed distance of the operands to the nearest point where the operation is not
    smooth (None: smooth wherever it is defined), `singular` says where a derivative is
    infinite or missing inside the domain, and what to use there instead.
    `form(m, *operands)` is the operation in other numbers (see `evaluate`), m standing for
    their functions under mpmath's names. Left out here, it is m's function, or the operator,
    of the row's name.
    """

    def __init__(self, name: str, forward: Callable[..., float],
                 partials: tuple[Partial | None, ...] | Partial, *, doc: str = "",
                 domain: Callable[..., bool] = lambda *operands: True,
                 remedy: str = "the operands must be finite", ieee: Callable[..., float] | None = None,
                 kink: Callable[..., float] | None = None, singular: str = "",
                 form: Callable[..., Any] | None = None):
        self.name, self.forward, self.partials = name, forward, partials
        self.domain, self.remedy, self.ieee = domain, remedy, ieee
        self.kink, self.singular, self.form = kink, singular, form
        self._most = inf if callable(partials) else len(partials)       # math.log takes a base, too
        self.__doc__ = doc

    def __call__(self, *operands: Any, **options: Any) -> Any:
        """Apply the row: a float from plain numbers, a node where an operand is one.

        An operand with a default may be given by its name: ``relu(x, at_zero=1.0)``.
        """
        if options or not operands:
            operands = self._bound(operands, options)
        for x in operands:
            apply = getattr(type(x), "_apply", None)
            if apply is not None:
                return apply(self, operands)
        return self.evaluate([number(x, self.name) for x in operands])

    def evaluate(self, xs: Sequence[float], nodes: Sequence[Any] = (), line: Line | None = None) -> float:
        """The result for floats; outside the domain what `errstate` says.

        A nan or inf among the operands is let through as IEEE 754 says; one that
        arises here (or an inf outside the domain) is an error, which names `nodes` and `line`.
        """
        if len(xs) > self._most:
            raise self._miscounted(len(xs))
        try:
            y = self.forward(*xs)
            if y - y == 0.0:
                return y
            if any(map(math.isnan, xs)) or (math.isinf(y) and any(map(math.isinf, xs))):
                return y
            kind: type[NumericError] = RangeError if math.isinf(y) else DomainError
        except OverflowError:
            kind, y = RangeError, self.ieee(*xs) if self.ieee else inf
        except (ValueError, ZeroDivisionError) as error:
            kind = DivisionError if isinstance(error, ZeroDivisionError) else DomainError
            y = self.ieee(*xs) if self.ieee else nan
        except TypeError:
            if len(xs) == self._most:
                raise
            raise self._miscounted(len(xs)) from None
        remedy = "the result is too large for a double" if kind is RangeError else self.remedy
        signal(kind(f"{self.call(xs, nodes)}: {remedy}", self.name, xs, nodes, line))
        return y

    def _bound(self, operands: Sequence[Any], options: Any) -> tuple[Any, ...]:
        """The operands in the order of `forward`, where some are given by name."""
        try:
            bound = inspect.signature(self.forward).bind(*operands, **options)
        except (TypeError, ValueError):
            raise self._miscounted(len(operands) + len(options)) from None
        bound.apply_defaults()
        if bound.kwargs or not bound.args:
            raise self._miscounted(len(operands) + len(options))
        return bound.args

    def _miscounted(self, given: int) -> InputError:
        try:
            names = ", ".join(inspect.signature(self.forward).parameters)
        except ValueError:
            names = "x"
        return InputError(f"{self.name} takes the operands ({names}); {given} "
                          f"{'was' if given == 1 else 'were'} given")

    def call(self, xs: Sequence[float], nodes: Sequence[Any] = ()) -> str:
        """The operation as it stands in a message: ``log(-2.0) of 'margin'``."""
        if self.name[0].isalpha():
            rest = f", … {len(xs)} operands" if len(xs) > 4 else ""
            text = f"{self.name}({', '.join(map(repr, xs[:4]))}{rest})"
        else:
            shown = list(map(repr, xs))
            if self.name == "**" and shown[0].startswith("-"):
                shown[0] = f"({shown[0]})"
            text = f" {self.name} ".join(shown)
        labels = [repr(x.label) for x in nodes[:4] if getattr(x, "label", "")]
        return text + (f" of {', '.join(labels)}" if labels else "")

    def derivatives(self, y: Any, xs: Sequence[Any], wanted: Sequence[bool] = ()) -> list[Any]:
        """The partials at the operands `xs` (floats or nodes) and the result `y`.

        Where `wanted` is given, only those are worked out; the others are 0.0.
        """
        if callable(self.partials):
            return list(self.partials(y, xs))
        flags = wanted or [True] * len(xs)
        return [p(y, *xs) if p and flag else 0.0 for p, flag in zip(self.partials, flags)]

    def float_derivative(self, i: int, y: float, xs: Sequence[float]) -> float:
        """The i-th partial as a float; a nan where its rule fails (`ieee_derivatives` goes on).

        Raises:
            InputError: the i-th operand is an option, by which no rule differentiates.
        """
        rules: Any = self.partials
        if rules[i] is None:
            raise InputError(f"{self.name}: operand {i + 1} is an option, to which no derivative "
                             "belongs; give it as a plain number")
        if not raising():
            with errstate("raise"):
                return self.float_derivative(i, y, xs)
        try:
            return rules[i](y, *xs)  # type: ignore[no-any-return]
        except OverflowError:
            return self.ieee_derivatives(y, xs)[i]      # infinite: too large, not missing
        except (ValueError, ArithmeticError):
            return nan

    def float_derivatives(self, y: float, xs: Sequence[float],
                          wanted: Sequence[bool] = ()) -> list[float]:
        """All partials as floats, or those wanted and 0.0 for the others."""
        if not raising():
            with errstate("raise"):
                return self.float_derivatives(y, xs, wanted)
        if not callable(self.partials):
            flags = wanted or [rule is not None for rule in self.partials[:len(xs)]]
            return [self.float_derivative(i, y, xs) if flag else 0.0 for i, flag in enumerate(flags)]
        try:
            return list(self.partials(y, xs))
        except (ValueError, ArithmeticError):
            return [nan] * len(xs)

    def ieee_derivatives(self, y: float, xs: Sequence[float]) -> list[float]:
        """All partials as IEEE 754 arithmetic gives them: infinite or nan where there is none."""
        return list(map(float, self.derivatives(_Ieee(y), [_Ieee(x) for x in xs])))

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if TABLE.get(self.name) is not self:
            raise InputError(f"cannot pickle the op {self.name!r}: it is not in the table")
        return row_named, (self.name,)

    def __copy__(self) -> Op:
        return self

    def __deepcopy__(self, memo: Any) -> Op:
        return self


def number(x: Any, where: str = "Value") -> float:
    """A plain real number as a float; anything else is an `InputError` naming `where`.

    >>> from fractions import Fraction
    >>> number(Fraction(1, 4))
    0.25
    """
    if type(x) is float:
        return x
    kind = type(x).__name__
    if isinstance(x, (float, int, Real)) or (type(x).__module__ == "numpy" and getattr(x, "shape", None) == ()
                                             and x.dtype.kind in "biuf"):
        try:
            y = x if type(x) is Constant else float(x)
            if y - y == 0.0 or y != y or x == y:            # an infinity was one before
                return y
        except OverflowError:
            pass
        bits = f" of {x.bit_length()} bits" if isinstance(x, int) else ""
        raise RangeError(f"{where}: {kind}{bits} is too large for a double; scale it first", where)
    remedy = {"complex": "only real numbers have a derivative here; take v.real or abs(v)",
              "str": "convert it with float(...)", "Decimal": "convert it with float(...)",
              "NoneType": "a value is missing",
              "Value": "it is a Value already; use it as it is, or v.detach() for a copy without gradient",
              "ndarray": "give one number, or apply the function to an object array of Values",
              "list": "give one number, or map the function over the list",
              "tuple": "give one number, or map the function over the tuple"}
    raise InputError(f"{where}: expected a real number, got {kind} {short(x)}: "
                     + remedy.get(kind, "convert it with float(...) if it stands for one"))


def short(x: Any) -> str:
    """What an error message shows of an object that may be anything."""
    try:
        text = repr(x)
    except ValueError:                          # an int with more digits than Python prints
        text = "too long to print"
    return text if len(text) <= 40 else text[:37] + "..."


def row_named(name: str) -> Op:
    """The row of the table with this name.

    >>> row_named("exp")
    <op exp>
    """
    try:
        return TABLE[name]
    except KeyError:
        raise InputError(f"no op is called {name!r}; the table has {', '.join(TABLE)}") from None


def _row(name: str, forward: Callable[..., float], partials: Any, doc: str = "", **facts: Any) -> Op:
    facts.setdefault("form", lambda m, *xs: getattr(m, name)(*xs))
    TABLE[name] = row = Op(name, forward, partials, doc=doc, **facts)
    return row


class Operators:
    """Python's operators, and a method for each row of scalars, each by its row."""

    __slots__ = ()

    @staticmethod
    def _apply(row: Op, operands: Sequence[Any]) -> Any:
        """The row on operands of which one is of this kind."""
        raise NotImplementedError

    def _on(self, row: Op, *operands: Any) -> Self:
        """The row on operands of which one is ours."""
        result: Self = self._apply(row, operands)
        return result

    def _by(self, row: Op, a: Any, b: Any) -> Self:
        """The row of an operator: a stranger's own operator goes first."""
        try:
            result: Self = self._apply(row, (a, b))
            return result
        except InputError:
            for x in (a, b):
                if not isinstance(x, (Operators, Real)) and type(x).__module__ != "builtins":
                    return NotImplemented  # type: ignore[no-any-return]
            raise

    def __add__(self, other: Any) -> Self: return self._by(add, self, other)
    def __radd__(self, other: Any) -> Self: return self._by(add, other, self)
    def __sub__(self, other: Any) -> Self: return self._by(sub, self, other)
    def __rsub__(self, other: Any) -> Self: return self._by(sub, other, self)
    def __mul__(self, other: Any) -> Self: return self._by(mul, self, other)
    def __rmul__(self, other: Any) -> Self: return self._by(mul, other, self)
    def __truediv__(self, other: Any) -> Self: return self._by(div, self, other)
    def __rtruediv__(self, other: Any) -> Self: return self._by(div, other, self)
    def __pow__(self, other: Any) -> Self: return self._by(power, self, other)
    def __rpow__(self, other: Any) -> Self: return self._by(power, other, self)
    def __mod__(self, other: Any) -> Self: return self._by(mod, self, other)
    def __rmod__(self, other: Any) -> Self: return self._by(mod, other, self)
    def __floordiv__(self, other: Any) -> Self: return self._by(floordiv, self, other)
    def __rfloordiv__(self, other: Any) -> Self: return self._by(floordiv, other, self)
    def __divmod__(self, other: Any) -> tuple[Self, Self]: return self // other, self % other
    def __rdivmod__(self, other: Any) -> tuple[Self, Self]: return other // self, other % self
    def __neg__(self) -> Self: return self._on(neg, self)
    def __pos__(self) -> Self: return self
    def __abs__(self) -> Self: return self._on(absolute, self)

    def exp(self) -> Self: return self._on(exp, self)
    def exp2(self) -> Self: return self._on(exp2, self)
    def expm1(self) -> Self: return self._on(expm1, self)
    def log(self) -> Self: return self._on(log, self)
    def log2(self) -> Self: return self._on(log2, self)
    def log10(self) -> Self: return self._on(log10, self)
    def log1p(self) -> Self: return self._on(log1p, self)
    def sqrt(self) -> Self: return self._on(sqrt, self)
    def cbrt(self) -> Self: return self._on(cbrt, self)
    def sin(self) -> Self: return self._on(sin, self)
    def cos(self) -> Self: return self._on(cos, self)
    def tan(self) -> Self: return self._on(tan, self)
    def asin(self) -> Self: return self._on(asin, self)
    def acos(self) -> Self: return self._on(acos, self)
    def atan(self) -> Self: return self._on(atan, self)
    def sinh(self) -> Self: return self._on(sinh, self)
    def cosh(self) -> Self: return self._on(cosh, self)
    def tanh(self) -> Self: return self._on(tanh, self)
    def sech2(self) -> Self: return self._on(sech2, self)
    def asinh(self) -> Self: return self._on(asinh, self)
    def acosh(self) -> Self: return self._on(acosh, self)
    def atanh(self) -> Self: return self._on(atanh, self)
    def erf(self) -> Self: return self._on(erf, self)
    def erfc(self) -> Self: return self._on(erfc, self)
    def gauss(self) -> Self: return self._on(gauss, self)
    def normal_pdf(self) -> Self: return self._on(normal_pdf, self)
    def normal_cdf(self) -> Self: return self._on(normal_cdf, self)
    def lgamma(self) -> Self: return self._on(lgamma, self)
    def digamma(self) -> Self: return self._on(digamma, self)
    def sigmoid(self) -> Self: return self._on(sigmoid, self)
    def log_sigmoid(self) -> Self: return self._on(log_sigmoid, self)
    def softplus(self) -> Self: return self._on(softplus, self)
    def relu(self, at_zero: Any = None) -> Self: return self._on(relu, self, *_given(at_zero))
    def leaky_relu(self, slope: Any = None) -> Self: return self._on(leaky_relu, self, *_given(slope))
    def elu(self, alpha: Any = None) -> Self: return self._on(elu, self, *_given(alpha))
    def gelu(self) -> Self: return self._on(gelu, self)
    def silu(self) -> Self: return self._on(silu, self)
    def abs(self) -> Self: return self._on(absolute, self)
    def minimum(self, other: Any) -> Self: return self._on(minimum, self, other)
    def maximum(self, other: Any) -> Self: return self._on(maximum, self, other)
    def hypot(self, other: Any) -> Self: return self._on(hypot, self, other)
    def cos_angle(self, other: Any) -> Self: return self._on(cos_angle, self, other)
    def atan2(self, other: Any) -> Self: return self._on(atan2, self, other)

    # NumPy's names for the same methods: np.arcsin of an object array calls them.
    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
    arcsinh, arccosh, arctanh, absolute = asinh, acosh, atanh, abs


def _given(option: Any) -> tuple[Any, ...]:
    return () if option is None else (option,)


class _Ieee(Operators, float):  # type: ignore[misc]
    """A float whose operations never raise, to evaluate a partial as IEEE 754 would."""

    @staticmethod
    def _apply(row: Op, operands: Sequence[Any]) -> _Ieee:
        with errstate("ignore"):
            return _Ieee(row.evaluate([float(x) for x in operands]))


class Constant(float):
    """A number of the rules that no double is: the nearest double, and `exact(m)` in other numbers."""

    def __new__(cls, nearest: float, exact: Callable[[Any], Any]) -> Self:
        self = float.__new__(cls, nearest)
        self.exact = exact
        return self

    exact: Callable[[Any], Any]

    def __neg__(self) -> Constant:
        return Constant(-float(self), lambda m: -self.exact(m))

    def __truediv__(self, x: Any) -> Any:       # so that an _Ieee has its say
        return float(self) / x if isinstance(x, float) else NotImplemented

    def __reduce__(self) -> tuple[Any, ...]:
        return float, (float(self),)


# -- numbers the rules need, and helpers that floats and Values both pass through -------

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


# -- arithmetic ------------------------------------------------------------------------


def _pow_base(y: Any, a: Any, b: Any) -> Any:
    less = b - 1.0
    if (less + 1.0 == b and b - less == 1.0 and a != 0.0 and (b >= 0.5 or not -1e-150 < a < 1e-150)
            and (-4.0 <= b <= 4.0 or not -1e-200 < y < 1e-200)):
        return b * a ** less
    return power_slope(a, b, 1.0, 0.0)          # b − 1 would be rounded, or a**(b − 1) out of range


def _power_slope_form(m: Any, a: Any, b: Any, k: Any, n: Any) -> Any:
    factors = special.falling(b, k)
    if n == 0:
        return factors[0] * m.power(a, b - k) if factors[0] != 0 else 0
    if a == 0 and b > k:
        return 0
    return m.power(a, b - k) * builtins.sum(math.perm(int(n), j) * p * m.log(a) ** int(n - j)
                                            for j, p in enumerate(factors) if j <= n)


def _over_0(a: float, b: float) -> float:
    return nan if a == 0.0 or a != a else math.copysign(inf, a) * math.copysign(1.0, b)


def _over(y: Any, a: Any, b: Any) -> Any:
    """−(a/b)/b, by way of b² where a/b has lost digits to underflow."""
    return -y / b if not -_TINY < y < _TINY or a == 0.0 or not -1.0 < b < 1.0 else -a / (b * b)


add: Op = _row("+", lambda a, b: a + b, (lambda y, a, b: 1.0, lambda y, a, b: 1.0))
sub: Op = _row("-", lambda a, b: a - b, (lambda y, a, b: 1.0, lambda y, a, b: -1.0))
mul: Op = _row("*", lambda a, b: a * b, (lambda y, a, b: b, lambda y, a, b: a))
div: Op = _row(
    "/", lambda a, b: a / b, (lambda y, a, b: 1.0 / b, _over),
    domain=lambda a, b: b != 0.0, remedy="the divisor must not be 0", ieee=_over_0)
identity: Op = _row("identity", lambda x: x, (lambda y, x: 1.0,), """x itself, as a node of its own.

    >>> identity(2.0)
    2.0
    """, form=lambda m, x: x)
neg: Op = _row("neg", lambda x: -x, (lambda y, x: -1.0,))
power: Op = _row(
    "**", special.power, (_pow_base, lambda y, a, b: power_slope(a, b, 0.0, 1.0)),
    domain=lambda a, b: a > 0.0 or (b % 1.0 == 0.0 if a else b >= 0.0),
    remedy="a negative base needs a whole exponent, and 0 an exponent that is not negative",
    ieee=lambda a, b: nan if a < 0.0 and b % 1.0 else math.copysign(inf, a) if b % 2.0 == 1.0 else inf,
    singular="the derivative by the exponent needs a positive base, and the one by the "
    "base is infinite at 0 for an exponent below 1; give the exponent as a "
    "plain number, or keep the base away from 0", form=lambda m, a, b: m.power(a, b))
power_slope: Op = _row(
    "power_slope", special.power_slope,
    (lambda y, a, b, k, n: power_slope(a, b, k + 1.0, n),
     lambda y, a, b, k, n: power_slope(a, b, k, n + 1.0), None, None),
    """a**b differentiated k times by a and n times by b.

    >>> power_slope(3.0, 2.0, 1.0, 0.0)
    6.0
    """, domain=lambda a, b, k, n: a > 0.0 or (a < 0.0 and n == 0.0 and b % 1.0 == 0.0)
    or (a == 0.0 and (b >= k or (n == 0.0 and b >= 0.0 and b % 1.0 == 0.0)) and (n == 0.0 or b > k)),
    remedy="the base must be positive; or negative with a whole exponent, and 0 with a large "
    "enough one, if it is not differentiated by the exponent",
    ieee=special.power_slope_ieee,
    form=_power_slope_form)
mod: Op = _row(
    "%", lambda a, b: a % b, (lambda y, a, b: 1.0, lambda y, a, b: -(a // b)),
    domain=lambda a, b: b != 0.0, remedy="the divisor must not be 0, nor the dividend infinite",
    kink=lambda a, b: a - b * round(a / b), ieee=lambda a, b: nan,
    form=lambda m, a, b: a - b * m.floordiv(a, b))
floordiv: Op = _row(
    "//", lambda a, b: a // b, (lambda y, a, b: 0.0, lambda y, a, b: 0.0),
    domain=lambda a, b: b != 0.0, remedy="the divisor must not be 0, nor the dividend infinite",
    ieee=_over_0,
    kink=lambda a, b: a - b * round(a / b), form=lambda m, a, b: m.floordiv(a, b))

# -- exponentials and logarithms -------------------------------------------------------

exp: Op = _row(
    "exp", math.exp, (lambda y, x: y,),
    """e to the power x.

    >>> exp(0.0)
    1.0
    """)
exp2: Op = _row(
    "exp2", math.exp2, (lambda y, x: y * _LN2,),
    """2 to the power x.

    >>> exp2(3.0)
    8.0
    """, form=lambda m, x: m.power(2, x))
expm1: Op = _row(
    "expm1", math.expm1, (lambda y, x: exp(x),),
    """e**x − 1, without cancellation near 0.

    >>> expm1(1e-12)
    1.0000000000005e-12
    """)
log: Op = _row(
    "log", math.log, (lambda y, x: 1.0 / x,),
    """The natural logarithm, for x > 0.

    >>> log(1.0)
    0.0
    >>> log(-2.0)
    Traceback (most recent call last):
    autograd_lite.errors.DomainError: log(-2.0): the operand must be positive
    """, domain=lambda x: x > 0.0, remedy="the operand must be positive",
    ieee=lambda x: -inf if x == 0.0 else nan)
log2: Op = _row(
    "log2", math.log2, (lambda y, x: _LOG2E / x,),
    """The logarithm to base 2, for x > 0.

    >>> log2(8.0)
    3.0
    """, domain=lambda x: x > 0.0, remedy="the operand must be positive",
    ieee=lambda x: -inf if x == 0.0 else nan, form=lambda m, x: m.log(x) / m.log(2))
log10: Op = _row(
    "log10", math.log10, (lambda y, x: _LOG10E / x,),
    """The logarithm to base 10, for x > 0.

    >>> log10(1000.0)
    3.0
    """, domain=lambda x: x > 0.0, remedy="the operand must be positive",
    ieee=lambda x: -inf if x == 0.0 else nan)
log1p: Op = _row(
    "log1p", math.log1p, (lambda y, x: 1.0 / (1.0 + x),),
    """log(1 + x), without cancellation near 0, for x > −1.

    >>> log1p(1e-12)
    9.999999999995e-13
    """, domain=lambda x: x > -1.0, remedy="the operand must be greater than -1",
    ieee=lambda x: -inf if x == -1.0 else nan)
sqrt: Op = _row(
    "sqrt", math.sqrt, (lambda y, x: 0.5 / y,),
    """The square root, for x ≥ 0. Its derivative at 0 is infinite.

    >>> sqrt(9.0)
    3.0
    """, domain=lambda x: x >= 0.0, remedy="the operand must not be negative",
    singular="its derivative is infinite at 0; for sqrt(x*x) use abs(x), "
    "for sqrt(x*x + y*y) use hypot(x, y)")


def _cbrt_partial(y: Any, x: Any) -> Any:
    """y/3x and 1/3y² so weighted that an error of y itself, an ulp in many a libm, drops out."""
    return (2.0 * (y / x) + 1.0 / (y * y)) / 9.0 if x != 0.0 else 1.0 / abs(x)


cbrt: Op = _row(
    "cbrt", math.cbrt, (_cbrt_partial,),
    """The cube root, of negative numbers too.

    >>> cbrt(-8.0)
    -2.0
    """, singular="its derivative is infinite at 0; keep the operand away from 0")

# -- trigonometry ----------------------------------------------------------------------

sin: Op = _row(
    "sin", math.sin, (lambda y, x: cos(x),),
    """The sine; x in radians.

    >>> sin(0.0)
    0.0
    """)
cos: Op = _row(
    "cos", math.cos, (lambda y, x: -sin(x),),
    """The cosine; x in radians.

    >>> cos(0.0)
    1.0
    """)
tan: Op = _row(
    "tan", math.tan, (lambda y, x: 1.0 + y * y,),
    """The tangent; x in radians.

    >>> tan(0.0)
    0.0
    """)
one_minus_square: Op = _row(
    "one_minus_square", lambda x: (1.0 - x) * (1.0 + x), (lambda y, x: -2.0 * x,),
    """1 − x², without cancellation near −1 and 1.

    >>> one_minus_square(0.5)
    0.75
    """, form=lambda m, x: (1 - x) * (1 + x))
_unit_interval = {"domain": lambda x: -1.0 <= x <= 1.0, "remedy": "the operand must lie in [-1, 1]",
                  "singular": "its derivative is infinite at -1 and 1; keep the operand inside (-1, 1)"}
asin: Op = _row(
    "asin", math.asin, (lambda y, x: 1.0 / sqrt(one_minus_square(x)),),
    """The inverse sine of x in [−1, 1], in radians.

    >>> asin(0.0)
    0.0
    """, **_unit_interval)
acos: Op = _row(
    "acos", math.acos, (lambda y, x: -1.0 / sqrt(one_minus_square(x)),),
    """The inverse cosine of x in [−1, 1], in radians.

    >>> acos(1.0)
    0.0
    """, **_unit_interval)
atan: Op = _row(
    "atan", math.atan, (lambda y, x: 1.0 / (1.0 + x * x) if -1e50 < x < 1e50 else 1.0 / x / x,),
    """The inverse tangent, in radians.

    >>> atan(0.0)
    0.0
    """)
sinh: Op = _row(
    "sinh", math.sinh, (lambda y, x: cosh(x),),
    """The hyperbolic sine.

    >>> sinh(0.0)
    0.0
    """, ieee=lambda x: math.copysign(inf, x))
cosh: Op = _row(
    "cosh", math.cosh, (lambda y, x: sinh(x),),
    """The hyperbolic cosine.

    >>> cosh(0.0)
    1.0
    """)
tanh: Op = _row(
    "tanh", math.tanh, (lambda y, x: sech2(x),),
    """The hyperbolic tangent.

    >>> tanh(1000.0)
    1.0
    """)


sech2: Op = _row(
    "sech2", special.sech2, (lambda y, x: -2.0 * y * tanh(x),),
    """1/cosh(x)², the derivative of tanh, to the last digits at any x.

    >>> sech2(0.0)
    1.0
    """, form=lambda m, x: m.sech(x) ** 2)
asinh: Op = _row(
    "asinh", math.asinh, (lambda y, x: 1.0 / hypot(1.0, x),),
    """The inverse hyperbolic sine.

    >>> asinh(0.0)
    0.0
    """)
acosh: Op = _row(
    "acosh", math.acosh, (lambda y, x: 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)),),
    """The inverse hyperbolic cosine, for x ≥ 1.

    >>> acosh(1.0)
    0.0
    """, domain=lambda x: x >= 1.0, remedy="the operand must be at least 1",
    singular="its derivative is infinite at 1; keep the operand above 1")
atanh: Op = _row(
    "atanh", math.atanh, (lambda y, x: 1.0 / one_minus_square(x),),
    """The inverse hyperbolic tangent, for −1 < x < 1.

    >>> atanh(0.0)
    0.0
    """, domain=lambda x: -1.0 < x < 1.0, remedy="the operand must lie strictly between -1 and 1",
    ieee=lambda x: math.copysign(inf, x) if abs(x) == 1.0 else nan)

# -- the normal distribution and its kin -------------------------------------------------


gauss: Op = _row(
    "gauss", special.gauss,
    (lambda y, x, n=0.0: -2.0 * x * y if n == 0.0 and -26.0 < x < 26.0 else gauss(x, n + 1.0), None),
    """e^(−x²), differentiated n times (default 0), to the last digits at any x.

    >>> gauss(0.0)
    1.0
    """, form=lambda m, x, n=0: special.hermite(x, n, 1) * m.exp(-x ** 2))
erf: Op = _row(
    "erf", math.erf, (lambda y, x: _TWO_INV_SQRT_PI * gauss(x),),
    """The error function.

    >>> erf(0.0)
    0.0
    """)
erfc: Op = _row(
    "erfc", math.erfc, (lambda y, x: -_TWO_INV_SQRT_PI * gauss(x),),
    """The complementary error function, 1 − erf(x).

    >>> erfc(0.0)
    1.0
    """)
normal_pdf: Op = _row(
    "normal_pdf", special.normal_pdf,
    (lambda y, x, n=0.0: -x * y if n == 0.0 and -37.0 < x < 37.0 else normal_pdf(x, n + 1.0), None),
    """The density of the standard normal distribution, differentiated n times (default 0).

    >>> normal_pdf(0.0)
    0.3989422804014327
    """, form=lambda m, x, n=0: special.hermite(x, n, 0.5) * m.exp(-x ** 2 / 2) / m.sqrt(2 * m.pi))
normal_cdf: Op = _row(
    "normal_cdf", special.normal_cdf, (lambda y, x: normal_pdf(x),),
    """The distribution function of the standard normal distribution.

    >>> normal_cdf(0.0)
    0.5
    """, form=lambda m, x: m.ncdf(x))
gelu: Op = _row(
    "gelu", special.gelu,
    (lambda y, x: normal_cdf(x) + (x * normal_pdf(x) if -37.0 < x < 37.0 else -normal_pdf(x, 1.0)),),
    """x·Φ(x), Φ the normal distribution function (the erf form).

    >>> gelu(0.0)
    0.0
    """, form=lambda m, x: x * m.ncdf(x))

# -- the gamma family --------------------------------------------------------------------


_positive_or_broken = {"domain": lambda x: x > 0.0 or x % 1.0 != 0.0,
                       "remedy": "the operand must not be 0 or a negative whole number"}
lgamma: Op = _row(
    "lgamma", math.lgamma, (lambda y, x: digamma(x),),
    """log |Γ(x)|, except at 0, −1, −2, …

    >>> lgamma(1.0)
    0.0
    """, ieee=lambda x: inf, **_positive_or_broken)
digamma: Op = _row(
    "digamma", lambda x: special.polygamma(0.0, x), (lambda y, x: polygamma(1.0, x),),
    """The derivative of lgamma.

    >>> round(digamma(1.0), 12)
    -0.577215664902
    """, ieee=lambda x: special.polygamma_ieee(0.0, x), **_positive_or_broken)
polygamma: Op = _row(
    "polygamma", special.polygamma, (None, lambda y, n, x: polygamma(n + 1.0, x)),
    """The n-th derivative of digamma at x (n a whole number, n ≥ 0).

    >>> round(polygamma(1, 1.0), 12)
    1.644934066848
    """, domain=lambda n, x: n >= 0.0 and n % 1.0 == 0.0 and (x > 0.0 or x % 1.0 != 0.0),
    remedy="n must be a whole number, not negative, and x not 0 or a negative whole number",
    ieee=special.polygamma_ieee)

# -- activations -------------------------------------------------------------------------


def _silu_partial(y: Any, x: Any) -> Any:
    if x < -700.0:
        half = exp(0.5 * x)
        return half * (1.0 + x) * half
    return sigmoid(x) + x * (0.25 * sech2(0.5 * x))


def _kink_at_zero(x: float, *parameters: float) -> float:
    return x


sigmoid: Op = _row(
    "sigmoid", special.sigmoid, (lambda y, x: 0.25 * sech2(0.5 * x),),
    """1 / (1 + e^(−x)), saturated without overflow.

    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """, form=lambda m, x: 1 / (1 + m.exp(-x)))
log_sigmoid: Op = _row(
    "log_sigmoid", lambda x: -special.softplus(-x), (lambda y, x: sigmoid(-x),),
    """log(sigmoid(x)), accurate at any x.

    >>> log_sigmoid(-1000.0)
    -1000.0
    """, form=lambda m, x: -m.log1p(m.exp(-x)))
softplus: Op = _row(
    "softplus", special.softplus, (lambda y, x: sigmoid(x),),
    """log(1 + e^x), without overflow.

    >>> softplus(1000.0)
    1000.0
    """, form=lambda m, x: m.log1p(m.exp(x)))
relu: Op = _row(
    "relu", lambda x, at_zero=0.0: x if x > 0.0 or x != x else 0.0,
    (lambda y, x, at_zero=0.0: _side(x, 0.0, at_zero, 1.0), None),
    """max(x, 0). The derivative at 0 is `at_zero`, a plain number (default 0).

    >>> relu(-3.0), relu(3.0)
    (0.0, 3.0)
    """, kink=_kink_at_zero, form=lambda m, x, at_zero=0: m.max(x, 0))
leaky_relu: Op = _row(
    "leaky_relu", lambda x, slope=0.01: x if x > 0.0 else slope * x,
    (lambda y, x, slope=0.01: _side(x, slope, slope, 1.0),
     lambda y, x, slope=0.01: 0.0 if x > 0.0 else x),
    """x where positive, slope·x elsewhere (default slope 0.01).

    >>> leaky_relu(-2.0, 0.5)
    -1.0
    """, kink=_kink_at_zero, form=lambda m, x, slope=0.01: m.max(x, 0) + m.mpf(slope) * m.min(x, 0))
elu: Op = _row(
    "elu", lambda x, alpha=1.0: x if x > 0.0 else alpha * math.expm1(x),
    (lambda y, x, alpha=1.0: 1.0 if x > 0.0 else alpha * exp(x) if x > -700.0
     else alpha * exp(0.5 * x) * exp(0.5 * x),
     lambda y, x, alpha=1.0: 0.0 if x > 0.0 else expm1(x)),
    """x where positive, alpha·(e^x − 1) elsewhere (default alpha 1).

    >>> elu(2.0)
    2.0
    """, kink=_kink_at_zero, form=lambda m, x, alpha=1: m.max(x, 0) + alpha * m.expm1(m.min(x, 0)))
silu: Op = _row(
    "silu", special.silu, (_silu_partial,),
    """x·sigmoid(x).

    >>> silu(0.0)
    0.0
    """, form=lambda m, x: x / (1 + m.exp(-x)))

# -- selection and distance --------------------------------------------------------------

absolute: Op = _row(
    "abs", abs, (lambda y, x: _side(x, -1.0, 0.0, 1.0),),
    """|x|. The derivative at 0 is 0.

    >>> absolute(-2.0)
    2.0
    """, kink=_kink_at_zero)
minimum: Op = _row(
    "minimum", lambda a, b: a if a <= b else b if b < a else a + b,
    (lambda y, a, b: _order(b, a), lambda y, a, b: _order(a, b)),
    """The smaller of a and b. At a tie each has derivative ½.

    >>> minimum(1.0, 2.0)
    1.0
    """, kink=lambda a, b: a - b, form=lambda m, a, b: m.min(a, b))
maximum: Op = _row(
    "maximum", lambda a, b: a if a >= b else b if b > a else a + b,
    (lambda y, a, b: _order(a, b), lambda y, a, b: _order(b, a)),
    """The larger of a and b. At a tie each has derivative ½.

    >>> maximum(1.0, 2.0)
    2.0
    """, kink=lambda a, b: a - b, form=lambda m, a, b: m.max(a, b))


def _turn(a: Any, b: Any) -> Any:
    """a·b / hypot(a, b)³, the smaller operand first, which underflows last."""
    return over_square(a, b) * cos_angle(b, a) if abs(a) < abs(b) else over_square(b, a) * cos_angle(a, b)


hypot: Op = _row(
    "hypot", math.hypot, (lambda y, a, b: cos_angle(a, b), lambda y, a, b: cos_angle(b, a)),
    """√(a² + b²), without overflow; its derivatives at (0, 0) are 0.

    >>> hypot(3.0, 4.0)
    5.0
    """, kink=lambda a, b: math.hypot(a, b))
cos_angle: Op = _row(
    "cos_angle", special.cos_angle,
    (lambda y, a, b: over_square(b, a) * cos_angle(b, a), lambda y, a, b: -_turn(a, b)),
    """a / hypot(a, b), and 0 at (0, 0): the cosine of the angle of (a, b).

    >>> cos_angle(3.0, 4.0)
    0.6
    """, singular="it has no derivative at (0, 0); keep the point away from the origin",
    form=lambda m, a, b: a / m.hypot(a, b) if a != 0 or b != 0 else a)
over_square: Op = _row(
    "over_square", special.over_square,
    (lambda y, a, b: over_square(b, a) * over_square(b, a) - y * y,
     lambda y, a, b: -2.0 * y * over_square(b, a)),
    """a / (a² + b²), without overflow: the real part of 1/(a + bi).

    >>> over_square(3.0, 4.0)
    0.12
    """, domain=lambda a, b: a != 0.0 or b != 0.0, remedy="the operands must not both be 0",
    form=lambda m, a, b: a / (a ** 2 + b ** 2))
atan2: Op = _row(
    "atan2", math.atan2,
    (lambda y, a, b: over_square(b, a), lambda y, a, b: -over_square(a, b)),
    """The angle of the point (b, a): the inverse tangent of a/b in its quadrant, in radians.

    >>> atan2(0.0, 1.0)
    0.0
    """, kink=lambda a, b: a if b < 0.0 else math.hypot(a, b),
    singular="it has no derivative at (0, 0); keep the point away from the origin")

# -- many operands -----------------------------------------------------------------------


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


def _equal_shares(y: Any, xs: Sequence[Any]) -> list[float]:
    n = len(xs)
    return [1.0 / n if type(xs[0]) is float else Constant(1.0 / n, lambda m: m.mpf(1) / n)] * n


def _ones(y: Any, xs: Sequence[Any]) -> list[float]:
    return [1.0] * len(xs)


sum_row: Op = _row("sum", special.chain_sum, _ones, form=lambda m, *xs: special.chain_sum(*xs))
fsum_row: Op = _row("fsum", special.fsum, _ones, ieee=special.chain_sum,
                    form=lambda m, *xs: special.chain_sum(*xs))
mean_row: Op = _row("mean", lambda *xs: special.chain_sum(*xs) / len(xs), _equal_shares,
                    form=lambda m, *xs: special.chain_sum(*xs) / len(xs))
dot_row: Op = _row("dot", special.dot, _dot_partials, form=lambda m, *xs: special.dot(*xs))
fdot_row: Op = _row("fdot", special.fdot, _dot_partials, ieee=special.dot,
                    form=lambda m, *xs: special.dot(*xs))
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


def custom_op(forward: Callable[..., float], partials: Any, *, name: str | None = None,
              domain: Callable[..., bool] = lambda *operands: True,
              remedy: str = "the operands must lie in its domain",
              kink: Callable[..., float] | None = None, form: Callable[..., Any] | None = None) -> Op:
    """A row of your own, with the same rights as ours: it differentiates to any order, draws and pickles.

    Args:
        forward: the function of floats.
        partials: one function of ``(y, *operands)`` for each operand (None for an option, to which
            no derivative belongs), y being the result; where `forward` takes any number of operands,
            one function of ``(y, operands)`` that lists them all. Written with operators and the
            functions of this library, they serve every order.
        name: what it is called in the table and in pictures; default: the name of `forward`.
        domain: whether the operation is defined at the operands; remedy: says in words where.
        kink: the signed distance to the nearest point where it is not smooth.
        form: the operation in other numbers, for `evaluate`: a function of ``(m, *operands)``, m
            standing for mpmath's functions; a function of `math` needs none.

    `check_op` tells whether the partials are right.

    Raises:
        InputError: the name is taken by another op or is none; there is not one partial per operand.

    >>> cube = custom_op(lambda x: x ** 3, (lambda y, x: 3.0 * x * x,), name="cube")
    >>> cube(2.0)
    8.0
    """
    name = getattr(forward, "__name__", "") if name is None else name
    if not isinstance(name, str) or not name or name == "<lambda>":
        raise InputError(f"custom_op: {name!r} is no name; give one by name=")
    operands = _arity(forward)
    if not callable(partials):
        partials = tuple(partials)
    elif operands == 1:
        partials = (partials,)
    if operands is not None and operands != (inf if callable(partials) else len(partials)):
        raise InputError(f"custom_op {name!r}: forward takes {operands} operands; give one partial "
                         "for each, or where it takes any number one function of (y, operands)")

    known = getattr(forward, "__name__", "")
    if form is None and getattr(math, known, None) is forward:
        def form(m: Any, *xs: Any) -> Any:
            return getattr(m, known)(*xs)

    @functools.wraps(forward)
    def guarded(*xs: float) -> float:
        if not domain(*xs):
            if any(x != x for x in xs):
                return nan
            raise ValueError
        y = forward(*xs)
        return number(y, name) if all(type(x) is float for x in xs) else y

    def guarded_form(m: Any, *xs: Any) -> Any:
        if not domain(*xs):
            raise ValueError
        return form(m, *xs) if form else None

    row = Op(name, guarded, partials, doc=forward.__doc__ or "", domain=domain, remedy=remedy, kink=kink,
             form=guarded_form if form else None)
    if _likeness(TABLE.setdefault(name, row)) != _likeness(row):
        raise InputError(f"custom_op: the name {name!r} is taken by another op; choose one of your own")
    return TABLE[name]


def _arity(f: Callable[..., Any]) -> float | None:
    """How many operands f takes, inf for any number, None if it does not say."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except ValueError:
        return None
    return inf if any(p.kind == p.VAR_POSITIONAL for p in parameters) else len(parameters)


def _likeness(row: Op) -> Any:
    """What a row is made of; equal if its definition was merely run twice."""
    def code(f: Any) -> Any:
        cells = [cell.cell_contents for cell in getattr(f, "__closure__", None) or ()]
        return getattr(f, "__code__", f), getattr(f, "__defaults__", None), cells
    rules = [row.partials] if callable(row.partials) else list(row.partials)
    return row.remedy, [code(inspect.unwrap(f)) if f else None
                        for f in (row.forward, row.domain, row.kink, *rules)]


__test__ = {row.name: row.__doc__ for row in TABLE.values() if row.__doc__}
