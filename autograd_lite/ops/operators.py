"""`Operators`: what the ops work on, floats aside, with Python's operators and comparisons."""
from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

from autograd_lite.errors import InputError
from autograd_lite.ops.methods import Methods
from autograd_lite.ops.op import TABLE, is_scalar, number

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Numeric


class Operators(Methods):
    """The base of every kind of number that the ops work on, floats aside."""

    __slots__ = ()

    # -- what each kind defines ------------------------------------------------------------------

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> bool:
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

    def _by(self, name: str, a: Any, b: Any) -> Self:
        """The op of an operator; of what is no number its own operator is tried."""
        for x in (a, b):
            if not isinstance(x, (Operators, Real)) and type(x).__module__ != "builtins" and not is_scalar(x):
                if hasattr(x, "std_dev"):
                    number(x, name)
                return NotImplemented  # type: ignore[no-any-return]
        return type(self).__apply_op__(TABLE[name], (a, b))  # type: ignore[no-any-return]

    def __add__(self, other: Numeric[Self]) -> Self: return self._by("+", self, other)
    def __radd__(self, other: Numeric[Self]) -> Self: return self._by("+", other, self)
    def __sub__(self, other: Numeric[Self]) -> Self: return self._by("-", self, other)
    def __rsub__(self, other: Numeric[Self]) -> Self: return self._by("-", other, self)
    def __mul__(self, other: Numeric[Self]) -> Self: return self._by("*", self, other)
    def __rmul__(self, other: Numeric[Self]) -> Self: return self._by("*", other, self)
    def __truediv__(self, other: Numeric[Self]) -> Self: return self._by("/", self, other)
    def __rtruediv__(self, other: Numeric[Self]) -> Self: return self._by("/", other, self)

    def __pow__(self, other: Numeric[Self], modulo: Any = None) -> Self:
        if modulo is not None:
            raise InputError("pow takes two numbers here, not three: write v ** n % m")
        return self._by("**", self, other)

    def __rpow__(self, other: Numeric[Self]) -> Self: return self._by("**", other, self)
    def __mod__(self, other: Numeric[Self]) -> Self: return self._by("%", self, other)
    def __rmod__(self, other: Numeric[Self]) -> Self: return self._by("%", other, self)
    def __floordiv__(self, other: Numeric[Self]) -> Self: return self._by("//", self, other)
    def __rfloordiv__(self, other: Numeric[Self]) -> Self: return self._by("//", other, self)
    def __divmod__(self, other: Numeric[Self]) -> tuple[Self, Self]: return self // other, self % other
    def __rdivmod__(self, other: Any) -> tuple[Self, Self]: return other // self, other % self
    def __pos__(self) -> Self: return self

    def __eq__(self, other: object) -> bool: return self.__compare__(operator.eq, other)
    def __ne__(self, other: object) -> bool: return self.__compare__(operator.ne, other)
    def __lt__(self, other: Numeric[Self]) -> bool: return self.__compare__(operator.lt, other)
    def __le__(self, other: Numeric[Self]) -> bool: return self.__compare__(operator.le, other)
    def __gt__(self, other: Numeric[Self]) -> bool: return self.__compare__(operator.gt, other)
    def __ge__(self, other: Numeric[Self]) -> bool: return self.__compare__(operator.ge, other)
    def __bool__(self) -> bool: return bool(self.__compare__(operator.ne, 0.0))
    if TYPE_CHECKING:
        def __hash__(self) -> int: ...
    else:
        __hash__ = object.__hash__
