"""Functions of numbers over arrays, entry by entry: the ops, and NumPy's own where an operand is a Value.

NumPy is loaded only when an array or one of its functions is there.
"""
from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar, overload

from autograd_lite.errors import AutogradError, InputError, MemberError
from autograd_lite.ops import op as ops
from autograd_lite.ops.constants import Constant
from autograd_lite.ops.op import TABLE, is_scalar, number

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import A, Array, Numeric, Operand, Plain, T

Function = TypeVar("Function", bound=Callable[..., Any])


def is_array(x: Any) -> bool:
    """Whether x is an array, or a thing like a Series, to which NumPy applies functions entry by entry.

    (A number of NumPy's is none. Ask before an op is tried: its error shows the entries, a guard.)
    """
    shape = None if type(x) is float else getattr(x, "shape", None)
    return shape is not None and hasattr(type(x), "__array_ufunc__") and (shape != () or not is_scalar(x))


_doubles: dict[type, bool] = {float: True, bool: True}      # NumPy's types, too: whether they hold doubles


def as_float(x: Any) -> float | None:
    """A float, bool or number of NumPy's as a float; None for anything else.

    >>> as_float(True), as_float(1)
    (1.0, None)
    """
    kind = type(x)
    known = _doubles.get(kind)
    if known is None and kind.__module__ == "numpy":
        import numpy as np
        dtype = np.dtype(kind if issubclass(kind, np.generic) else object)
        known = _doubles[kind] = dtype.kind in "biuf" and dtype.itemsize <= 8
    return float(x) if known else None


def in_floats(operands: Sequence[Any]) -> tuple[Any, ...]:
    """The operands, plain numbers among them as floats (or None, where it is not known how)."""
    return tuple([x if type(x) is float or hasattr(type(x), "__apply_op__") else
                  x + 0.0 if type(x) is int else as_float(x) for x in operands])


def mapped(function: Callable[..., Any], operands: Sequence[Any], kind: type = float) -> Any:
    """The function of each entry of the operands, which are broadcast as NumPy's.

    The result has entries of `kind` if all operands are plain numbers or arrays of them, else objects.

    Raises:
        InputError: an entry is masked, a time, or no number.
    """
    import numpy as np
    plain = True
    for x in operands:
        if type(x) is np.ndarray and x.dtype.kind in "biufO":
            plain &= x.dtype.kind != "O"
        elif hasattr(x, "mask") and hasattr(x, "compressed"):
            raise InputError(f"{name_of(function)}: a masked entry is not a number; give x.compressed(), or "
                             "x.filled(…)")
        else:
            _refuse_times(name_of(function), [x])
            plain &= np.asarray(x).dtype.kind in "biuf" if is_array(x) else not hasattr(
                type(x), "__apply_op__")
    with np.errstate(all="ignore"):                 # (the ops raise their own errors)
        found = _of_entries(function, len(operands))(*operands)
    return found.astype(kind) if (plain or kind is bool) and is_array(found) else found


@functools.lru_cache(128)
def _of_entries(function: Callable[..., Any], nin: int, nout: int = 1) -> Any:
    """The function over arrays, entry by entry. (To make it takes as long as ten entries.)"""
    import numpy as np
    return np.frompyfunc(function, nin, nout)


def _refuse_times(name: str, operands: Sequence[Any]) -> None:
    """Raise an error for NumPy's times: nanoseconds would become ints."""
    if any([getattr(getattr(x, "dtype", None), "kind", None) in ("m", "M") for x in operands]):
        raise InputError(f"{name}: a time is no number; divide a difference of two by a unit: "
                         "dt / np.timedelta64(1, 's')")


def over_arrays(kind: type = float) -> Callable[[Function], Function]:
    """A function of numbers that takes arrays, too."""
    def taking(function: Function) -> Function:
        @functools.wraps(function)
        def taken(*operands: Any) -> Any:
            return mapped(function, operands, kind) if any(map(is_array, operands)) else function(*operands)
        return taken  # type: ignore[return-value]
    return taking


def name_of(function: Any) -> str:
    """What a function is called."""
    return str(getattr(function, "__name__", "the function"))


ops.arrays = sys.modules[__name__]

# -- functions of NumPy's that are no op ---------------------------------------------------------------

_TO_RADIANS = Constant(math.pi / 180.0, lambda m: m.pi / 180)
_TO_DEGREES = Constant(180.0 / math.pi, lambda m: 180 / m.pi)


@overload
def isfinite(x: Operand | Plain) -> bool: ...
@overload
def isfinite(x: Array) -> Any: ...


@over_arrays(bool)
def isfinite(x: Any) -> Any:
    """Whether x, a number or a Value, is neither infinite nor a nan; for each entry of an array.

    >>> isfinite(1.0), isfinite(float("inf"))
    (True, False)
    """
    return bool(-inf < _plain(x, "isfinite") < inf)


@overload
def isnan(x: Operand | Plain) -> bool: ...
@overload
def isnan(x: Array) -> Any: ...


@over_arrays(bool)
def isnan(x: Any) -> Any:
    """Whether x, a number or a Value, is a nan; for each entry of an array.

    >>> isnan(float("nan")), isnan(float("inf"))
    (True, False)
    """
    return not _plain(x, "isnan") <= inf


@overload
def isinf(x: Operand | Plain) -> bool: ...
@overload
def isinf(x: Array) -> Any: ...


@over_arrays(bool)
def isinf(x: Any) -> Any:
    """Whether x, a number or a Value, is infinite; for each entry of an array.

    >>> isinf(float("nan")), isinf(float("-inf"))
    (False, True)
    """
    x = _plain(x, "isinf")
    return bool(x == inf or x == -inf)


def _plain(x: Any, where: str) -> Any:
    return x if hasattr(type(x), "__apply_op__") else number(x, where)


@overload
def logaddexp(a: Plain, b: Plain) -> float: ...
@overload
def logaddexp(a: T, b: Numeric[T]) -> T: ...
@overload
def logaddexp(a: Plain, b: T) -> T: ...
@overload
def logaddexp(a: A, b: Plain | Array) -> A: ...
@overload
def logaddexp(a: Plain, b: A) -> A: ...
@overload
def logaddexp(a: Operand | Array, b: Operand | Array) -> Any: ...


def logaddexp(a: Any, b: Any) -> Any:
    """log(e^a + e^b), without overflow: `logsumexp` of the two; for each pair of entries of arrays.

    >>> logaddexp(0.0, 0.0) == math.log(2.0), logaddexp(1000.0, 0.0)
    (True, 1000.0)
    """
    return _logaddexp(a, b)


@over_arrays()
def _logaddexp(a: Any, b: Any) -> Any:
    return TABLE["logsumexp"](a, b)


@overload
def floor(x: T) -> T: ...
@overload
def floor(x: Plain) -> float: ...
@overload
def floor(x: A) -> A: ...


@over_arrays()
def floor(x: Any) -> Any:
    """The whole number below x, as a float: ``x // 1.0``. Its derivative is 0.

    >>> floor(-1.5)
    -2.0
    """
    return TABLE["//"](x, 1.0)


@overload
def ceil(x: T) -> T: ...
@overload
def ceil(x: Plain) -> float: ...
@overload
def ceil(x: A) -> A: ...


@over_arrays()
def ceil(x: Any) -> Any:
    """The whole number above x, as a float. Its derivative is 0.

    >>> ceil(-1.5)
    -1.0
    """
    return -TABLE["//"](-x, 1.0)


@overload
def copysign(a: Plain, b: Plain) -> float: ...
@overload
def copysign(a: T, b: Numeric[T]) -> T: ...
@overload
def copysign(a: Plain, b: T) -> T: ...
@overload
def copysign(a: A, b: Plain | Array) -> A: ...
@overload
def copysign(a: Plain, b: A) -> A: ...
@overload
def copysign(a: Operand | Array, b: Operand | Array) -> Any: ...


@over_arrays()
def copysign(a: Any, b: Any) -> Any:
    """|a| with the sign of b, that of 0.0 and -0.0 too. By b its derivative is 0.

    >>> copysign(2.0, -0.0)
    -2.0
    """
    if hasattr(type(a), "__apply_op__") or hasattr(type(b), "__apply_op__"):
        return TABLE["abs"](a) * TABLE["sign"](TABLE["atan2"](b, -1.0))     # (the angle of -0.0 is -π)
    return math.copysign(number(a, "copysign"), number(b, "copysign"))


def _largest(a: Any, b: Any) -> Any:
    return b if isnan(a) else a if isnan(b) else TABLE["maximum"](a, b)


def _least(a: Any, b: Any) -> Any:
    return b if isnan(a) else a if isnan(b) else TABLE["minimum"](a, b)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "isfinite": isfinite, "isnan": isnan, "isinf": isinf, "logaddexp": logaddexp, "floor": floor,
    "ceil": ceil, "copysign": copysign, "fmax": _largest, "fmin": _least,
    "heaviside": lambda x, at_zero: TABLE["step"](x, 0.0, at_zero),
    **dict.fromkeys(("deg2rad", "radians"), lambda x: x * _TO_RADIANS),
    **dict.fromkeys(("rad2deg", "degrees"), lambda x: x * _TO_DEGREES),
    "trunc": lambda x: floor(abs(x)) * TABLE["sign"](x), "square": lambda x: x * x,
    "reciprocal": lambda x: 1.0 / x, "positive": lambda x: x, "conjugate": lambda x: x,
    "divmod": lambda a, b: (TABLE["//"](a, b), TABLE["%"](a, b)),
    "logical_and": lambda a, b: bool(a) and bool(b), "logical_or": lambda a, b: bool(a) or bool(b),
    "logical_xor": lambda a, b: bool(a) != bool(b)}

NUMPY_NAMES = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "float_power": "**",
    "remainder": "%", "floor_divide": "//", "negative": "neg", "absolute": "abs", "fabs": "abs",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh", "expit": "sigmoid", "log_expit": "log_sigmoid",      # (SciPy's)
    "gammaln": "lgamma", "psi": "digamma", "ndtr": "normal_cdf"}
INSTEAD = {
    "fmod": "write a % b, which has the sign of b", "modf": "write v % 1.0 and v // 1.0",
    "logaddexp2": "write autograd_lite.logaddexp(a * log(2), b * log(2)) / log(2)",
    "rint": "write autograd_lite.floor(v + 0.5)",
    "signbit": "write v < 0.0",
    "logical_xor": "write bool(a) != bool(b)"}


_COMPARISONS = {"less": operator.lt, "less_equal": operator.le, "greater": operator.gt,
                "greater_equal": operator.ge, "equal": operator.eq, "not_equal": operator.ne}
_OTHER = "v.data is the number, and custom_op(forward, partials) makes an op of it"
_OBJECTS = "; arrays of Values have dtype=object"


def _function(ufunc: Any) -> Callable[..., Any] | None:
    """The function of numbers for one of NumPy's; None where there is none, or its own does."""
    name = ufunc.__name__
    return _chosen(name, TABLE.get(NUMPY_NAMES.get(name, name)), ufunc.nin)


@functools.lru_cache(128)
def _chosen(name: str, op: Any, n: int) -> Callable[..., Any] | None:
    serves = op and not op.open and op.least <= n <= op.most and (any(op.differentiable(n)) or op.convention)
    return FUNCTIONS.get(name) or (op if serves else None)


def of_numpy(ufunc: Any, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """One of NumPy's functions, or a method of it such as ``outer``, where an operand is a Value.

    Raises:
        InputError: no such function of Values.
    """
    import numpy as np
    name, function = ufunc.__name__, _function(ufunc)
    if method == "__call__" and not options:        # (the same as below, in a third of the time)
        try:
            if compare := _COMPARISONS.get(name):
                xs = [x if not is_scalar(x) else x.item() if x.dtype.itemsize <= 8 else float(x)
                      for x in inputs]
                if all([isinstance(x, (float, int)) or hasattr(type(x), "__apply_op__") for x in xs]):
                    return np.bool_(compare(*xs))
            operands = in_floats(inputs)
            if function and not [x for x in operands if x is None]:
                return function(*operands)
        except (TypeError, AttributeError, OverflowError) as error:
            if isinstance(error, AutogradError):
                raise
    _refuse_times(f"np.{name}", inputs)
    for option in ("out", "where"):
        given = options.get(option, ())
        if any([hasattr(type(x), "__apply_op__") for x in (given if type(given) is tuple else (given,))]):
            raise InputError(f"np.{name}: {option}= must be an array, not a Value")
    if function and np.dtype(options.get("dtype") or object) != object:
        raise InputError(f"np.{name}: what is computed from a Value is an object; leave out dtype=")
    asks = function in (isfinite, isnan, isinf) or name.startswith("logical_")
    if asks and "out" in options:
        options["casting"] = "unsafe"               # (of objects that are bools)
    made = _of_entries(function, ufunc.nin, ufunc.nout) if function else ufunc
    if not function:                                # (a longdouble asks NumPy again about an object)
        inputs = [x.astype(float) if getattr(getattr(x, "dtype", None), "char", "") == "g" else x
                  for x in inputs]
    try:
        with np.errstate(all="ignore"):
            found = getattr(made, method)(*map(_boxed, inputs), **options)
    except (TypeError, AttributeError) as error:
        if isinstance(error, AutogradError) and not isinstance(error, MemberError):
            raise
        why = (f"({error}{_OBJECTS * ('cast' in str(error))})" if function else
               f"is not for Values; {INSTEAD.get(name, _OTHER)}")
        raise InputError(f"{'np.' * hasattr(np, name)}{name} {why}") from None
    return found.astype(bool) if asks and "out" not in options and is_array(found) else found


def _boxed(x: Any) -> Any:
    """A number of our kinds as a 0-d object array, which NumPy does not look into."""
    if not hasattr(type(x), "__apply_op__"):
        return x
    import numpy as np
    box = np.empty((), object)
    box[()] = x
    return box
