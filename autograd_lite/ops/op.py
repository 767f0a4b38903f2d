"""What a row of the table is, and the kinds of number it is applied to.

A row is callable: on plain numbers it returns a float; an operand of another kind (a `Value`)
brings its own way to apply a row, and has Python's operators and the methods from `Operators`.
"""
from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from math import inf, nan
from numbers import Real
from typing import Any, Self

from autograd_lite.errors import (DivisionError, DomainError, InputError, NumericError, RangeError,
                                  errstate, raising, signal)
from autograd_lite.lines import Line

TABLE: dict[str, Op] = {}
Partial = Callable[..., Any]


class Op:
    """A row of the table: one primitive operation, its derivatives and where they hold.

    Args:
        forward: the function of floats; it may raise as `math` does.
        partials: for each operand its partial, a function of ``(y, *operands)``, y the result;
            or one function of ``(y, operands)`` for all, where their number is open. None: the
            operand is an option, by which nothing is differentiated.
        domain: whether the operation is defined at the operands; remedy: says in words where.
        ieee: the result of IEEE 754 outside the domain or on overflow.
        kink: the signed distance of the operands to the nearest point where the operation is
            not smooth (None: it is smooth wherever it is defined).
        singular: where a derivative is infinite or missing inside the domain, and what to do.
        form: the operation in other numbers, a function of ``(m, *operands)``, m standing for
            their functions under mpmath's names; see `evaluate`.
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
        self.most = inf if callable(partials) else len(partials)        # operands
        self.__name__, self.__doc__ = name, doc

    def __call__(self, *operands: Any, **options: Any) -> Any:
        """Apply the row: a float from plain numbers, a node where an operand is one.

        An operand with a default may be given by its name: ``relu(x, at_zero=1.0)``.
        """
        if options or not operands:
            operands = self._bound(operands, options)
        for x in operands:
            if type(x) is not float and hasattr(type(x), "_apply"):
                return x._apply(self, operands)
        return self.evaluate([number(x, self.name) for x in operands])

    def evaluate(self, xs: Sequence[float], nodes: Sequence[Any] = (), line: Line | None = None) -> float:
        """The result for floats; outside the domain what `errstate` says.

        A nan or inf among the operands is let through as IEEE 754 says; one that
        arises here (or an inf outside the domain) is an error, which names `nodes` and `line`.
        """
        if len(xs) > self.most:
            raise self.miscounted(len(xs))
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
            if len(xs) == self.most:
                raise
            raise self.miscounted(len(xs)) from None
        remedy = "the result is too large for a double" if kind is RangeError else self.remedy
        signal(kind(f"{self.call(xs, nodes)}: {remedy}", self.name, xs, nodes, line))
        return y

    def _bound(self, operands: Sequence[Any], options: Any) -> tuple[Any, ...]:
        """The operands in the order of `forward`, where some are given by name."""
        try:
            bound = inspect.signature(self.forward).bind(*operands, **options)
            bound.apply_defaults()
            if bound.args and not bound.kwargs:
                return bound.args
        except (TypeError, ValueError):
            pass
        raise self.miscounted(len(operands) + len(options))

    def miscounted(self, given: int) -> InputError:
        """What is wrong where so many operands are given."""
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
        """The partials at the operands `xs`, of any kind, and the result `y`.

        Where `wanted` is given, only those are worked out; the others are 0.0.
        """
        if callable(self.partials):
            return list(self.partials(y, xs))
        flags = wanted or [True] * len(xs)
        return [p(y, *xs) if p and flag else 0.0 for p, flag in zip(self.partials, flags)]

    def derivative_or_nan(self, i: int, y: Any, xs: Sequence[Any]) -> Any:
        """The i-th partial; a nan where its rule fails, an infinity where that overflows.

        Raises:
            InputError: the i-th operand is an option, by which no rule differentiates.
        """
        rules: Any = self.partials
        if rules[i] is None:
            raise InputError(f"{self.name}: operand {i + 1} is an option, to which no derivative "
                             "belongs; give it as a plain number")
        if type(y) is float and not raising():      # (in other numbers, `errstate` says)
            with errstate("raise"):
                return self.derivative_or_nan(i, y, xs)
        try:
            return rules[i](y, *xs)
        except OverflowError:
            return self.ieee_derivatives(y, xs)[i] if type(y) is float else inf
        except (ValueError, ArithmeticError):
            return nan

    def derivatives_or_nan(self, y: Any, xs: Sequence[Any], wanted: Sequence[bool] = ()) -> list[Any]:
        """All partials so, or those wanted and 0.0 for the others."""
        if not callable(self.partials):
            flags = wanted or [rule is not None for rule in self.partials[:len(xs)]]
            return [self.derivative_or_nan(i, y, xs) if flag else 0.0 for i, flag in enumerate(flags)]
        if type(y) is float and not raising():
            with errstate("raise"):
                return self.derivatives_or_nan(y, xs)
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
        return op_named, (self.name,)


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


def shown(x: Any) -> str:
    """What a message calls an object that may be anything."""
    return repr(x) if x is None or isinstance(x, Operators) else f"{type(x).__name__} {short(x)}"


def op_named(name: str) -> Op:
    """The row of the table with this name.

    >>> op_named("exp")
    <op exp>
    """
    try:
        return TABLE[name]
    except KeyError:
        raise InputError(f"no op is called {name!r}; the table has {', '.join(TABLE)}") from None


class Operators:
    """Python's operators, and a method for each row of scalars, each by its row."""

    __slots__ = ()

    @staticmethod
    def _apply(row: Op, operands: Sequence[Any]) -> Any:
        """The row on operands of which one is of this kind."""
        raise NotImplementedError

    def _on(self, name: str, *others: Any) -> Self:
        """A row on this and other operands."""
        result: Self = self._apply(TABLE[name], (self, *others))
        return result

    def _by(self, name: str, a: Any, b: Any) -> Self:
        """The row of an operator: a stranger's own operator goes first."""
        try:
            result: Self = self._apply(TABLE[name], (a, b))
            return result
        except InputError:
            for x in (a, b):
                if not isinstance(x, (Operators, Real)) and type(x).__module__ != "builtins":
                    return NotImplemented  # type: ignore[no-any-return]
            raise

    def __add__(self, other: Any) -> Self: return self._by("+", self, other)
    def __radd__(self, other: Any) -> Self: return self._by("+", other, self)
    def __sub__(self, other: Any) -> Self: return self._by("-", self, other)
    def __rsub__(self, other: Any) -> Self: return self._by("-", other, self)
    def __mul__(self, other: Any) -> Self: return self._by("*", self, other)
    def __rmul__(self, other: Any) -> Self: return self._by("*", other, self)
    def __truediv__(self, other: Any) -> Self: return self._by("/", self, other)
    def __rtruediv__(self, other: Any) -> Self: return self._by("/", other, self)
    def __pow__(self, other: Any) -> Self: return self._by("**", self, other)
    def __rpow__(self, other: Any) -> Self: return self._by("**", other, self)
    def __mod__(self, other: Any) -> Self: return self._by("%", self, other)
    def __rmod__(self, other: Any) -> Self: return self._by("%", other, self)
    def __floordiv__(self, other: Any) -> Self: return self._by("//", self, other)
    def __rfloordiv__(self, other: Any) -> Self: return self._by("//", other, self)
    def __divmod__(self, other: Any) -> tuple[Self, Self]: return self // other, self % other
    def __rdivmod__(self, other: Any) -> tuple[Self, Self]: return other // self, other % self
    def __neg__(self) -> Self: return self._on("neg")
    def __pos__(self) -> Self: return self
    def __abs__(self) -> Self: return self._on("abs")

    def exp(self) -> Self: return self._on("exp")
    def exp2(self) -> Self: return self._on("exp2")
    def expm1(self) -> Self: return self._on("expm1")
    def log(self) -> Self: return self._on("log")
    def log2(self) -> Self: return self._on("log2")
    def log10(self) -> Self: return self._on("log10")
    def log1p(self) -> Self: return self._on("log1p")
    def sqrt(self) -> Self: return self._on("sqrt")
    def cbrt(self) -> Self: return self._on("cbrt")
    def sin(self) -> Self: return self._on("sin")
    def cos(self) -> Self: return self._on("cos")
    def tan(self) -> Self: return self._on("tan")
    def asin(self) -> Self: return self._on("asin")
    def acos(self) -> Self: return self._on("acos")
    def atan(self) -> Self: return self._on("atan")
    def sinh(self) -> Self: return self._on("sinh")
    def cosh(self) -> Self: return self._on("cosh")
    def tanh(self) -> Self: return self._on("tanh")
    def sech2(self) -> Self: return self._on("sech2")
    def asinh(self) -> Self: return self._on("asinh")
    def acosh(self) -> Self: return self._on("acosh")
    def atanh(self) -> Self: return self._on("atanh")
    def erf(self) -> Self: return self._on("erf")
    def erfc(self) -> Self: return self._on("erfc")
    def gauss(self) -> Self: return self._on("gauss")
    def normal_pdf(self) -> Self: return self._on("normal_pdf")
    def normal_cdf(self) -> Self: return self._on("normal_cdf")
    def lgamma(self) -> Self: return self._on("lgamma")
    def digamma(self) -> Self: return self._on("digamma")
    def sigmoid(self) -> Self: return self._on("sigmoid")
    def log_sigmoid(self) -> Self: return self._on("log_sigmoid")
    def softplus(self) -> Self: return self._on("softplus")
    def relu(self, at_zero: Any = None) -> Self: return self._on("relu", *_given(at_zero))
    def leaky_relu(self, slope: Any = None) -> Self: return self._on("leaky_relu", *_given(slope))
    def elu(self, alpha: Any = None) -> Self: return self._on("elu", *_given(alpha))
    def gelu(self) -> Self: return self._on("gelu")
    def silu(self) -> Self: return self._on("silu")
    def abs(self) -> Self: return self._on("abs")
    def minimum(self, other: Any) -> Self: return self._on("minimum", other)
    def maximum(self, other: Any) -> Self: return self._on("maximum", other)
    def hypot(self, other: Any) -> Self: return self._on("hypot", other)
    def cos_angle(self, other: Any) -> Self: return self._on("cos_angle", other)
    def atan2(self, other: Any) -> Self: return self._on("atan2", other)

    # NumPy's names for the same methods: np.arcsin of an object array calls them.
    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
    arcsinh, arccosh, arctanh, absolute = asinh, acosh, atanh, abs

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's functions on this, alone or with arrays, by the same rows."""
        import numpy as np
        row = TABLE.get(_NUMPY_NAMES.get(ufunc.__name__, ufunc.__name__))
        if row is not None and method == "__call__" and not kwargs:
            ufunc = np.frompyfunc(row, len(inputs), 1)
        with np.errstate(all="ignore"):                 # the rows raise what there is to say
            return getattr(ufunc, method)(*map(_boxed, inputs), **kwargs)


_NUMPY_NAMES = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**",
                "float_power": "**", "remainder": "%", "floor_divide": "//", "negative": "neg",
                "absolute": "abs", "fabs": "abs", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
                "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
                "logaddexp": "logsumexp"}


def _boxed(x: Any) -> Any:
    """A number of our kinds as a 0-d object array, which NumPy does not look into."""
    if not isinstance(x, Operators):
        return x
    import numpy as np
    box = np.empty((), object)
    box[()] = x
    return box


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
