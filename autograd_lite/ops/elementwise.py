"""Functions of numbers over arrays, entry by entry: the ops, and NumPy's own where an operand is a Value.

NumPy is loaded only when an array or one of its functions is there.
"""
from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar, overload

from autograd_lite.errors import AutogradError, InputError
from autograd_lite.ops import op as ops
from autograd_lite.ops.constants import Constant
from autograd_lite.ops.op import TABLE, is_scalar, number

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import A, Array, Numeric, Operand, Plain, T

Function = TypeVar("Function", bound=Callable[..., Any])


def is_array(x: Any) -> bool:
    """Whether x is an array, or a thing like a Series, to which NumPy applies functions entry by entry.

    (A number of NumPy's is none. Ask before an op is tried, not when it failed: its error shows the entries,
    and what a compiled function shows is a guard.)
    """
    return (type(x) is not float and getattr(x, "shape", None) is not None
            and hasattr(type(x), "__array_ufunc__") and not is_scalar(x))


def mapped(function: Callable[..., Any], operands: Sequence[Any], kind: type = float) -> Any:
    """The function of each entry of the operands, which are broadcast as NumPy's.

    The result has entries of `kind` if all operands are plain numbers or arrays of them, else objects.

    Raises:
        InputError: an operand is a masked array; or an entry is not a number.
    """
    import numpy as np
    plain = True
    for x in operands:
        if hasattr(x, "mask") and hasattr(x, "compressed"):
            raise InputError(f"{name_of(function)}: a masked entry is not a number; give x.compressed(), or "
                             "x.filled(…)")
        plain &= np.asarray(x).dtype.kind in "biuf" if is_array(x) else not hasattr(type(x), "__apply_op__")
    with np.errstate(all="ignore"):                 # (the ops raise their own errors)
        found = np.frompyfunc(function, len(operands), 1)(*operands)
    return found.astype(kind) if is_array(found) and (plain or kind is bool) else found


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
    "reciprocal": lambda x: 1.0 / x, "positive": lambda x: x, "conjugate": lambda x: x, "divmod": divmod}

NUMPY_NAMES = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "float_power": "**",
    "remainder": "%", "floor_divide": "//", "negative": "neg", "absolute": "abs", "fabs": "abs",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh", "expit": "sigmoid", "log_expit": "log_sigmoid",      # (SciPy's)
    "gammaln": "lgamma", "psi": "digamma", "ndtr": "normal_cdf"}
_INSTEAD = {
    "fmod": "write a % b, which has the sign of b", "modf": "write v % 1.0 and v // 1.0",
    "logaddexp2": "write autograd_lite.logaddexp(a * log(2), b * log(2)) / log(2)",
    "rint": "write autograd_lite.floor(v + 0.5)",
    "signbit": "write v < 0.0",
    "logical_xor": "write bool(a) != bool(b)"}


_OTHER = "v.data is the number, and custom_op(forward, partials) makes an op of it"
_OBJECTS = "; arrays of Values have dtype=object"


def _function(ufunc: Any) -> Callable[..., Any] | None:
    """The function of numbers for one of NumPy's; None where there is none, or its own does.

    (Its comparisons are Python's, and give bools.)
    """
    name = ufunc.__name__
    op = TABLE.get(NUMPY_NAMES.get(name, name))
    serves = op and not op.open and op.least <= ufunc.nin <= op.most and (
        any(op.differentiable(ufunc.nin)) or op.convention)
    return FUNCTIONS.get(name) or (op if serves else None)


def of_numpy(ufunc: Any, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """One of NumPy's functions, or a method of it such as ``outer``, where an operand is a Value.

    Raises:
        InputError: there is no such function of Values.
    """
    import numpy as np
    name, function = ufunc.__name__, _function(ufunc)
    for option in ("out", "where"):
        given = options.get(option, ())
        if any([hasattr(type(x), "__apply_op__") for x in (given if type(given) is tuple else (given,))]):
            raise InputError(f"np.{name}: {option}= must be an array, not a Value")
    if function and np.dtype(options.get("dtype") or object) != object:
        raise InputError(f"np.{name}: what is computed from a Value is an object; leave out dtype=")
    asks = function in (isfinite, isnan, isinf)
    if asks and "out" in options:
        options["casting"] = "unsafe"               # (of objects that are bools)
    made = np.frompyfunc(function, ufunc.nin, ufunc.nout) if function else ufunc
    try:
        with np.errstate(all="ignore"):             # the ops raise their own errors
            found = getattr(made, method)(*map(_boxed, inputs), **options)
    except (TypeError, AttributeError) as error:
        if isinstance(error, AutogradError):
            raise
        why = (f"({error}{_OBJECTS * ('cast' in str(error))})" if function else
               f"is not for Values; {_INSTEAD.get(name, _OTHER)}")
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
