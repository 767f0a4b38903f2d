"""`Whole`: an int while a compiled function is traced."""
from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from autograd_lite.errors import InputError
from autograd_lite.graph import value
from autograd_lite.graph.node import refuse_leaked
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import Op
from autograd_lite.ops.operators import Operators


class WholeResult(Operators):
    """What stands for a result that is an int."""

    __slots__ = ()


RESULTS = Value, WholeResult                    # what stands for a program's results


class Whole:
    """An int that stands for any other: an argument of a function that is traced, or made of such.

    Arithmetic of ints and comparisons are recorded. Whatever else needs the int itself (an index, a format, a
    method of ints) gets it, and what follows holds for that number alone.
    """

    __slots__ = ("tape", "value")
    __class__ = property(lambda self: int)      # (isinstance answers as eagerly)

    def __init__(self, tape: Any, x: Value):
        self.tape, self.value = tape, x

    def now(self) -> int:
        """The number, on which all that follows depends."""
        refuse_leaked([self.value])
        if value.tracing.get() is not self.tape:
            raise InputError("a number that compile traces is used in another thread or context than its "
                             "function's, where nothing is recorded")
        return self.tape.int_of(self.value)  # type: ignore[no-any-return]

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Any:
        """An op of floats."""
        return Value.__apply_op__(op, operands)

    def __pow__(self, other: Any, modulo: Any = None) -> Any:
        if modulo is not None:
            return pow(self.now(), other, modulo)
        return _power(self, other)

    def __rpow__(self, other: Any) -> Any: return _power(other, self)
    def __pos__(self) -> Any: return self
    def __neg__(self) -> Any: return _exact(operator.neg, self)
    def __abs__(self) -> Any: return _exact(operator.abs, self)
    def __trunc__(self) -> Any: return self
    def __floor__(self) -> Any: return self
    def __ceil__(self) -> Any: return self
    def __divmod__(self, other: Any) -> Any: return self // other, self % other
    def __rdivmod__(self, other: Any) -> Any: return other // self, other % self
    def __round__(self, *digits: Any) -> Any: return round(self.now(), *digits) if digits else self
    def __bool__(self) -> bool: return bool(self.value)
    def __index__(self) -> int: return self.now()
    def __int__(self) -> int: return self.now()
    def __float__(self) -> float: return float(self.now())
    def __format__(self, spec: str) -> str: return format(self.now(), spec)
    def __repr__(self) -> str: return repr(self.now())
    def __copy__(self) -> Any: return self
    def __deepcopy__(self, memo: Any) -> Any: return self
    def __reduce__(self) -> Any: return int, (self.now(),)

    def __hash__(self) -> NoReturn:
        refuse_leaked([self.value])
        self.tape.unseen = True                 # (a set or dict would keep this one, for good)
        raise InputError("a number that is traced has no hash")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now() if hasattr(int, name) else int(), name)


def _arguments(a: Any, b: Any) -> tuple[Any, Any, bool] | None:
    """Operands as Values and plain numbers, and whether both are ints; None if they are something else."""
    kinds = {type(a), type(b)}
    if kinds <= {Whole, int, bool, float, Value}:
        xs = [x.value if type(x) is Whole else x for x in (a, b)]
        return xs[0], xs[1], not kinds & {float, Value}
    return None


def _now(x: Any) -> Any:
    return x.now() if type(x) is Whole else x


def _exact(function: Callable[..., Any], *operands: Any) -> Any:
    """An operation of ints whose result is one, where a double holds it."""
    tape = next(x.tape for x in operands if type(x) is Whole)
    y = function(*[x.value if type(x) is Whole else x for x in operands])
    return tape.exactly(y, function in _SIGNED)


_SIGNED = {operator.mul, operator.neg, operator.mod, operator.floordiv}     # 0 may come out as −0.0


def _power(a: Any, b: Any) -> Any:
    found = _arguments(a, b)
    if found is None:
        return _now(a) ** _now(b)
    return _exact(operator.pow, a, b) if found[2] and b >= 0 else found[0] ** found[1]


def _arithmetic(function: Callable[[Any, Any], Any]) -> list[Callable[[Any, Any], Any]]:
    def method(a: Any, b: Any) -> Any:
        found = _arguments(a, b)
        if found is None:
            return function(_now(a), _now(b))
        return _exact(function, a, b) if found[2] and function is not operator.truediv else (
            function(found[0], found[1]))

    return [method, lambda a, b: method(b, a)]


def _comparison(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(a: Any, b: Any) -> Any:
        found = _arguments(a, b)
        return function(a.now(), b) if found is None else function(found[0], found[1])
    return method


def _of_ints(function: Callable[..., Any]) -> list[Callable[..., Any]]:
    """What only ints have."""
    return [lambda *xs: function(*map(_now, xs)), lambda a, b: function(_now(b), _now(a))]


for _word in ("add", "sub", "mul", "truediv", "floordiv", "mod"):
    for _prefix, _method in zip(("", "r"), _arithmetic(getattr(operator, _word))):
        setattr(Whole, f"__{_prefix}{_word}__", _method)
for _word in ("lshift", "rshift", "and", "or", "xor", "matmul", "invert"):
    for _prefix, _method in zip(("", "r"), _of_ints(getattr(operator, f"__{_word}__"))):
        setattr(Whole, f"__{_prefix}{_word}__", _method)
for _word in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Whole, f"__{_word}__", _comparison(getattr(operator, _word)))
