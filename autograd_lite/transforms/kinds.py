"""The kinds of numbers that a graph can be evaluated in: floats, fractions, mpmath's floats, intervals."""
from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Hashable, Iterable, Sequence
from fractions import Fraction
from typing import Any

from autograd_lite.errors import (DivisionError, DomainError, InputError, NumericError, RangeError, errstate,
                                  short, signal)
from autograd_lite.graph.conventions import MOVED, Chooser, conventional
from autograd_lite.lines import Line, printable
from autograd_lite.ops import special
from autograd_lite.ops.constants import Constant
from autograd_lite.ops.op import Op
from autograd_lite.ops.op import number as as_float


class _Missing(AttributeError):
    """A kind of numbers lacks a function."""


class _Shown(str):
    """A number as a message shows it."""

    __repr__ = str.__str__


class Kind:
    """A kind of numbers: it makes them, and has their functions under mpmath's names.

    To these it adds `max`, `min`, `floordiv`, `lgamma` and a real `cbrt`.
    """

    title = lack = ""        # the name of such a number; what a message says of an op that it lacks
    undecided = False        # whether a comparison was open over intervals, and decided at one point
    met = False              # whether a number was asked for that is a convention
    chooser: Chooser | None = None                  # gives others
    max: Any = staticmethod(max)
    min: Any = staticmethod(min)
    floordiv: Any = staticmethod(operator.floordiv)

    def __getattr__(self, name: str) -> Any:
        raise _Missing

    def convert(self, x: Any) -> Any:
        """x as a number of this kind; ValueError or TypeError if it cannot be one."""
        raise NotImplementedError

    def mpf(self, x: Any, where: str = "evaluate") -> Any:
        """The number x exactly, or as nearly as this kind allows."""
        try:
            return x.exact(self) if type(x) is Constant else self.convert(x)
        except _Missing:
            raise InputError(f"its constant {x:.6g} {self.lack}") from None
        except (TypeError, ValueError, OverflowError, NotImplementedError):
            raise InputError(f"{where}: {short(x)} is not {self.title}") from None

    def call(self, op: Op, xs: Sequence[Any], nodes: Sequence[Any] = ()) -> str:
        """The operation as a message shows it."""
        return op.call([_Shown(self.show(x)) for x in xs], nodes)

    def show(self, x: Any) -> str:
        return str(x) if len(str(x)) < 16 else repr(float(x))

    def compare(self, a: Any, b: Any) -> float:
        """The sign of a − b; nan if there is none."""
        return int(a > b) - int(a < b) if a == a and b == b else math.nan

    def point(self, x: Any) -> Any:
        """The number as one of those that a kink is known at; nan if there are several."""
        return x

    def apart(self, a: Any, b: Any) -> bool:
        """Whether two numbers differ by more than their roundings."""
        return bool(abs(a - b) > MOVED * abs(b))

    def slope(self, op: Op, xs: Sequence[Any], keys: Sequence[Hashable]) -> Any:
        """Another number for an op at its kink; None elsewhere, and if conventions stand."""
        if not op.convention or not conventional(op, list(map(self.point, xs))):
            return None
        self.met = True
        number = self.chooser.number(op, list(map(self.point, xs)), keys) if self.chooser else None
        return None if number is None else self.mpf(number)

    def decided(self, a: Any, b: Any) -> float:
        """The same; a ValueError if intervals leave it open."""
        before, self.undecided = self.undecided, False
        sign = self.compare(a, b)
        if self.undecided:
            raise ValueError
        self.undecided = before
        return sign

    def finite(self, x: Any) -> bool:
        return bool(x - x == 0)

    def apply(self, op: Op, xs: Sequence[Any], nodes: Sequence[Any] = (), line: Line | None = None) -> Any:
        """The result of an op, which must be finite if the operands are; errors name `nodes` and `line`."""
        failure: type[NumericError] = DomainError
        words = ""
        try:
            if op.form is None:
                raise InputError(f"{self.call(op, xs, nodes)}: {op.name} has no form in other numbers; "
                                 "give it one, custom_op(…, form=…)")
            y = self.convert(op.form(self, *xs))
            if self.finite(y) or not all(map(self.finite, xs)):
                return y
        except _Missing:
            raise InputError(f"{self.call(op, xs, nodes)}: {op.name} {self.lack}") from None
        except (TypeError, NotImplementedError) as error:
            raise error if isinstance(error, InputError) else InputError(
                f"{self.call(op, xs, nodes)}: its form does not give {self.title}: "
                f"{printable(str(error))}") from error
        except (ValueError, ArithmeticError) as error:
            failure = (DivisionError if isinstance(error, ZeroDivisionError) else
                       RangeError if isinstance(error, OverflowError) else DomainError)
            words = f" ({error})" if isinstance(error, NumericError) else ""
        remedy = f"the result is too large for {self.title}" if failure is RangeError else op.remedy
        raise failure(f"{self.call(op, xs, nodes)}: {remedy}{words}", op.name, xs, nodes, line)


class Floats(Kind):
    title = "a real number"

    def mpf(self, x: Any, where: str = "evaluate") -> float:
        """The number x, or the double nearest to a constant of the rules."""
        return float(x) if type(x) is Constant else super().mpf(x, where)

    def convert(self, x: Any) -> float:
        return float(as_float(x, "evaluate"))

    def apply(self, op: Op, xs: Sequence[Any], nodes: Sequence[Any] = (), line: Line | None = None) -> Any:
        return op.evaluate(xs, nodes, line)


class Rationals(Kind):
    title, lack = "a rational number", "has no exact rational value; use number=mpmath.mpf"

    def convert(self, x: Any) -> Fraction:
        return Fraction(x)

    def finite(self, x: Any) -> bool:
        return True

    def power(self, a: Any, b: Any) -> Fraction:
        if Fraction(b).denominator != 1:
            raise _Missing
        return Fraction(a) ** int(b)


class Reals(Kind):
    """mpmath's floats, at the precision of their context."""

    title, lack = "a real number", "is not written for mpmath"

    def __init__(self, context: Any):
        self.context = context

    def __getattr__(self, name: str) -> Any:
        if hasattr(self.context, name):
            return getattr(self.context, name)
        return super().__getattr__(name)

    def convert(self, x: Any) -> Any:
        if isinstance(x, Fraction):
            return self.context.mpf(x.numerator) / x.denominator
        x = self.context.convert(x)
        if isinstance(x, self.context.mpc):
            raise ValueError
        return x

    def apply(self, op: Op, xs: Sequence[Any], nodes: Sequence[Any] = (), line: Line | None = None) -> Any:
        """The result of an op; where there is none, or no finite operands, what it is for floats."""
        try:
            y = super().apply(op, xs, nodes, line)
            if y == y:
                return y
        except NumericError as error:
            if all(map(self.finite, xs)):
                signal(error)
                y = errstate("ignore").run(op.evaluate, list(map(float, xs)))
                return self.convert(math.nan if math.isfinite(y) else y)    # (rounded into the domain)
        return self.convert(op.evaluate(list(map(float, xs)), nodes, line))

    def show(self, x: Any) -> str:
        return str(self.context.nstr(x, 10))

    def floordiv(self, a: Any, b: Any) -> Any:
        return self.context.nint((a - a % b) / b)

    def cbrt(self, x: Any) -> Any:
        return self.context.cbrt(x) if x > 0 else -self.context.cbrt(-x)

    def lgamma(self, x: Any) -> Any:
        return self.context.re(self.context.loggamma(x))

    def polygamma(self, n: Any, x: Any) -> Any:
        """mpmath's; far below 0, where that would take |x| steps, by reflection to 1 − x. The cotangent in it
        is the same near 0, where the same reflection gives it."""
        m, n = self.context, special.count(n)
        if x > -50:
            return m.polygamma(n, x)
        with m.extraprec(2 * m.prec):
            r = x - m.nint(x)
            return (-1) ** n * (m.psi(n, 1 - x) - m.psi(n, 1 - r)) + m.psi(n, r)


class Intervals(Kind):
    """mpmath's intervals, at the precision of `iv`.

    Arithmetic, whole powers, sqrt, pi, sin and cos are `iv`'s own, which rounds them outward. Its exp and log
    do not always; these and what it lacks are made of monotone pieces: see `hull`.
    """

    title, lack = "an interval", "is not written for intervals"
    native = {"sqrt", "sin", "cos", "tan", "pi"}
    monotone = {"exp", "expm1", "log", "log1p", "log10", "cbrt", "asin", "acos", "atan", "sinh", "tanh",
                "asinh", "acosh", "atanh", "erf", "erfc", "ncdf"}

    def __init__(self, context: Any):
        import mpmath
        self.iv, self.mp = context, mpmath.mp
        self.reals = Reals(mpmath.mp)

    def __getattr__(self, name: str) -> Any:
        if name in self.native:
            return getattr(self.iv, name)
        if name in self.monotone:
            return lambda x: self.hull(getattr(self.reals, name), self.ends(x))
        return super().__getattr__(name)

    def convert(self, x: Any) -> Any:
        if isinstance(x, Fraction):
            return self.iv.mpf(x.numerator) / x.denominator
        x = self.iv.convert(x)
        if not hasattr(x, "_mpi_"):
            raise ValueError
        return x

    def show(self, x: Any) -> str:
        return "[{}, {}]".format(*map(self.reals.show, self.ends(x)))

    def ends(self, x: Any) -> list[Any]:
        return [self.mp.make_mpf(end) for end in self.mpf(x)._mpi_]

    def point(self, x: Any) -> Any:
        low, high = self.ends(x)
        return low if low == high else math.nan

    def apart(self, a: Any, b: Any) -> bool:
        return any(map(super().apart, self.ends(a), self.ends(b)))

    def hull(self, f: Callable[[Any], Any], points: Iterable[Any], slack: int = 0) -> Any:
        """The interval of f's values at the points, widened by a part in 2^10 of their last bit.

        They are computed with more than twice as many bits, so that their errors are far smaller, also where
        half of the digits cancel.
        """
        mp, bits = self.mp, self.iv.prec
        with mp.workprec(2 * bits + 60):
            ys = [self.reals.convert(f(x)) for x in points]
            errors = [mp.ldexp(abs(y) + slack, -bits - 10) if mp.isfinite(y) else 0 for y in ys]
            return self.iv.mpf([min(map(operator.sub, ys, errors)), max(map(operator.add, ys, errors))])

    def floor(self, end: Any) -> Any:
        """The whole number below the end of an interval, exactly."""
        return self.mp.floor(end, prec=0)

    def finite(self, x: Any) -> bool:
        return all(end - end == 0 for end in self.ends(x))

    def compare(self, a: Any, b: Any) -> float:
        low, high = zip(*map(self.ends, (a, b)))
        if high[0] < low[1] or high[1] < low[0]:
            return -1 if high[0] < low[1] else 1
        if not low[0] == high[0] == low[1] == high[1]:
            self.undecided = True
        return super().compare(low[0] + high[0], low[1] + high[1])

    def max(self, a: Any, b: Any) -> Any:
        return self.iv.mpf(list(map(max, self.ends(a), self.ends(b))))

    def min(self, a: Any, b: Any) -> Any:
        return self.iv.mpf(list(map(min, self.ends(a), self.ends(b))))

    def floordiv(self, a: Any, b: Any) -> Any:
        return self.iv.mpf(list(map(self.floor, self.ends(a / b))))

    def power(self, a: Any, b: Any) -> Any:
        low, high = self.ends(b)
        if low == high == self.floor(low):
            return self.mpf(a) ** int(low)
        if self.ends(a)[0] < 0:
            raise ValueError
        return self.hull(lambda corner: self.mp.power(*corner), itertools.product(self.ends(a), (low, high)))

    def cosh(self, x: Any) -> Any:
        return self.hull(self.mp.cosh, self.ends(abs(x)))

    def sech(self, x: Any) -> Any:
        return 1 / self.cosh(x)

    def hypot(self, a: Any, b: Any) -> Any:
        return self.iv.sqrt(a ** 2 + b ** 2)

    def atan2(self, a: Any, b: Any) -> Any:
        (low, high), (left, right) = self.ends(a), self.ends(b)
        if left <= 0 and low <= 0 <= high and (low < 0 or right >= 0):
            raise ValueError                     # it crosses the cut or holds the origin
        return self.hull(lambda corner: self.mp.atan2(*corner),
                         itertools.product((low, high), (left, right)))

    def lgamma(self, x: Any) -> Any:
        return self.gamma(x, self.mp.loggamma, 1)

    def gamma(self, x: Any, f: Any = None, slack: int = 0) -> Any:
        """Γ, or a function of it that rises with it, of positive numbers."""
        low, high = self.ends(x)
        if low <= 0:
            raise ValueError
        with self.mp.workprec(self.iv.prec + 30):       # (the slack covers the square of its error)
            least = self.mp.findroot(self.mp.digamma, 1.4616321449683623)
        return self.hull(f or self.mp.gamma, [low, high, *[least for _ in "1" if low < least < high]], slack)

    def polygamma(self, n: Any, x: Any) -> Any:
        low, high = self.ends(x)
        floor = self.floor(low)
        if low <= 0 and not (n == 0 and floor < low and high < floor + 1):
            raise ValueError                     # a pole; or not monotone, if the order is not 0
        return self.hull(lambda end: self.reals.polygamma(n, end), [low, high], 1)

    def digamma(self, x: Any) -> Any:
        return self.polygamma(0, x)


def kind_of(number: Any) -> Kind:
    """The kind whose constructor `number` is.

    >>> kind_of(Fraction).mpf(0.5)
    Fraction(1, 2)
    """
    if number is float:
        return Floats()
    if number is Fraction:
        return Rationals()
    context = getattr(number, "context", None) or getattr(number, "ctx", None) or number
    if type(context).__module__.partition(".")[0] == "mpmath" and hasattr(context, "mpf"):
        return Intervals(context) if hasattr(context.mpf(0), "_mpi_") else Reals(context)
    raise InputError(f"evaluate: number={short(number)} is not a kind of number it knows; choose float, "
                     "fractions.Fraction, mpmath.mpf or mpmath.iv.mpf")
