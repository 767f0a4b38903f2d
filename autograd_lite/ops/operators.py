"""`Operators`: Python's operators and comparisons, a method for each op of scalars, and NumPy's names."""
from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, Self

from autograd_lite.errors import InputError
from autograd_lite.ops.op import TABLE, Op


class Operators:
    """The base of every kind of number that the ops work on, floats aside."""

    __slots__ = ()

    # -- what each kind defines ------------------------------------------------------------------

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Any:
        """The op on operands, one of which is of this kind."""
        raise NotImplementedError

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        """Whether a comparison (of the module `operator`) holds between this and another number."""
        raise NotImplementedError

    def __select__(self, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """What `select` returns with this as the condition."""
        return then() if self else otherwise()

    def __ask__(self, question: Any, operands: Sequence[Any]) -> Any:
        """The answer to an `Ordinary` about operands, one of which is of this kind."""
        return not question.floats and question.holds(*operands)

    def __guarded__(self, guard: Any) -> Self:
        """This number, with a note of the guard it depends on."""
        return self

    # -- operators and methods, by way of the table ----------------------------------------------

    def _on(self, name: str, *others: Any) -> Self:
        """An op on this and other operands."""
        return type(self).__apply_op__(TABLE[name], (self, *others))  # type: ignore[no-any-return]

    def _by(self, name: str, a: Any, b: Any) -> Self:
        """The op of an operator; if it fails on a foreign type, that type's own operator is tried."""
        try:
            return type(self).__apply_op__(TABLE[name], (a, b))  # type: ignore[no-any-return]
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

    def __pow__(self, other: Any, modulo: Any = None) -> Self:
        if modulo is not None:
            raise InputError("pow takes two numbers here, not three: write v ** n % m")
        return self._by("**", self, other)

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

    def __eq__(self, other: object) -> Any: return self.__compare__(operator.eq, other)
    def __ne__(self, other: object) -> Any: return self.__compare__(operator.ne, other)
    def __lt__(self, other: Any) -> Any: return self.__compare__(operator.lt, other)
    def __le__(self, other: Any) -> Any: return self.__compare__(operator.le, other)
    def __gt__(self, other: Any) -> Any: return self.__compare__(operator.gt, other)
    def __ge__(self, other: Any) -> Any: return self.__compare__(operator.ge, other)
    def __bool__(self) -> bool: return bool(self.__compare__(operator.ne, 0.0))
    __hash__ = object.__hash__

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
    def atan2(self, other: Any) -> Self: return self._on("atan2", other)

    # NumPy's names for the same methods: np.arcsin of an object array calls them.
    def arcsin(self) -> Self: return self._on("asin")
    def arccos(self) -> Self: return self._on("acos")
    def arctan(self) -> Self: return self._on("atan")
    def arctan2(self, other: Any) -> Self: return self._on("atan2", other)
    def arcsinh(self) -> Self: return self._on("asinh")
    def arccosh(self) -> Self: return self._on("acosh")
    def arctanh(self) -> Self: return self._on("atanh")
    def absolute(self) -> Self: return self._on("abs")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's functions on this, alone or with arrays, by the same ops."""
        import numpy as np
        op = TABLE.get(_NUMPY_NAMES.get(ufunc.__name__, ufunc.__name__))
        # (comparisons are Python's, and give bools)
        if op is not None and method == "__call__" and not kwargs and any(op.differentiable(2)):
            ufunc = np.frompyfunc(op, len(inputs), 1)
        with np.errstate(all="ignore"):                 # the ops raise their own errors
            return getattr(ufunc, method)(*map(_boxed, inputs), **kwargs)


_NUMPY_NAMES = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**",
                "float_power": "**", "remainder": "%", "floor_divide": "//", "negative": "neg",
                "absolute": "abs", "fabs": "abs", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
                "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
                "logaddexp": "logsumexp"}
_SPECIAL = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "**": "pow", "%": "mod", "//": "floordiv",
            "neg": "neg", "abs": "abs"}


def methods_of(op: Op) -> list[tuple[str, bool]]:
    """The names of the methods that apply an op, and whether they take its operands in reverse."""
    if TABLE.get(op.name) is not op:
        return []
    word = _SPECIAL.get(op.name)
    names = [(f"__{word}__", False), (f"__r{word}__", True)] if word else []
    names += [(name, False) for name in (op.name, *[a for a, b in _NUMPY_NAMES.items() if b == op.name])]
    return [(name, reverse) for name, reverse in names if name in vars(Operators)]


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
