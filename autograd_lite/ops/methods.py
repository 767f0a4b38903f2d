"""`Methods`: a method for each op of scalars, by its name, and by NumPy's."""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from autograd_lite.ops.elementwise import FUNCTIONS, of_numpy
from autograd_lite.ops.op import TABLE, Op

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Numeric, Plain


class Methods:
    """The methods of every kind of number that the ops work on, floats aside."""

    __slots__ = ()

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Any:
        """The op on operands, one of which is of this kind."""
        raise NotImplementedError

    def _on(self, name: str, *others: Any) -> Self:
        """An op on this and other operands."""
        return type(self).__apply_op__(TABLE[name], (self, *others))  # type: ignore[no-any-return]

    def __neg__(self) -> Self: return self._on("neg")
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
    def normal_pdf(self) -> Self: return self._on("normal_pdf")
    def normal_cdf(self) -> Self: return self._on("normal_cdf")
    def lgamma(self) -> Self: return self._on("lgamma")
    def digamma(self) -> Self: return self._on("digamma")
    def sigmoid(self) -> Self: return self._on("sigmoid")
    def log_sigmoid(self) -> Self: return self._on("log_sigmoid")
    def softplus(self) -> Self: return self._on("softplus")
    def relu(self, at_zero: Plain | None = None) -> Self: return self._on("relu", *_given(at_zero))

    def leaky_relu(self, slope: Numeric[Self] | None = None) -> Self:
        return self._on("leaky_relu", *_given(slope))

    def elu(self, alpha: Numeric[Self] | None = None) -> Self: return self._on("elu", *_given(alpha))
    def gelu(self) -> Self: return self._on("gelu")
    def silu(self) -> Self: return self._on("silu")
    def abs(self) -> Self: return self._on("abs")
    def minimum(self, other: Numeric[Self]) -> Self: return self._on("minimum", other)
    def maximum(self, other: Numeric[Self]) -> Self: return self._on("maximum", other)
    def hypot(self, other: Numeric[Self]) -> Self: return self._on("hypot", other)
    def atan2(self, other: Numeric[Self]) -> Self: return self._on("atan2", other)

    # NumPy's names for the same methods: np.arcsin of an object array calls them.
    def arcsin(self) -> Self: return self._on("asin")
    def arccos(self) -> Self: return self._on("acos")
    def arctan(self) -> Self: return self._on("atan")
    def arctan2(self, other: Numeric[Self]) -> Self: return self._on("atan2", other)
    def arcsinh(self) -> Self: return self._on("asinh")
    def arccosh(self) -> Self: return self._on("acosh")
    def arctanh(self) -> Self: return self._on("atanh")
    def absolute(self) -> Self: return self._on("abs")

    def fabs(self) -> Self: return self._on("abs")

    def conjugate(self) -> Self:
        """Itself."""
        return self

    def deg2rad(self) -> Any:
        """Degrees in radians."""
        return FUNCTIONS["deg2rad"](self)

    def rad2deg(self) -> Any:
        """Radians in degrees."""
        return FUNCTIONS["rad2deg"](self)

    def radians(self) -> Any:
        """Degrees in radians."""
        return FUNCTIONS["deg2rad"](self)

    def degrees(self) -> Any:
        """Radians in degrees."""
        return FUNCTIONS["rad2deg"](self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions on this, alone or with arrays, by the same ops."""
        return of_numpy(ufunc, method, inputs, options)


def _given(option: Any) -> tuple[Any, ...]:
    return () if option is None else (option,)
