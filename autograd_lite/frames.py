"""Columns of Values in pandas' Series and DataFrames: an extension dtype, and the array behind it.

What pandas computes of such a column keeps its gradient. What is missing is `pandas.NA`; a Value that is a
nan is a number. (pandas is loaded with this module, and this module when `ValueDtype` is first asked for.)
"""
from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import Any

from autograd_lite.extras import needed
from autograd_lite.graph.value import Value
from autograd_lite.ops.elementary import sqrt
from autograd_lite.ops.elementwise import of_numpy
from autograd_lite.ops.geometry import maximum, minimum
from autograd_lite.ops.sequences import dot, mean, sum

with needed("columns of Values need", "frames"):
    import pandas as pd
    import numpy as np
    from pandas.api import extensions
    from pandas.api.indexers import check_array_indexer
    from pandas.api.types import is_list_like, is_scalar


@extensions.register_extension_dtype
class ValueDtype(extensions.ExtensionDtype):
    """The dtype of a column of Values in pandas, by name "Value": `series.mean()` and the like are Values.

    Plain numbers become Values, each a leaf; None and nan are missing.

    Raises:
        InputError: (a TypeError) an entry is not a real number.

    >>> import pandas as pd
    >>> from autograd_lite import Value
    >>> xs = [Value(1.0), Value(2.0), Value(6.0)]
    >>> series = pd.Series(xs, index=list("abc"), dtype=ValueDtype())
    >>> y = series.mean() + series.std()
    >>> y.backward()
    >>> round(y.data, 3), [round(x.grad, 3) for x in xs]
    (5.646, [-0.045, 0.144, 0.9])
    >>> pd.DataFrame({"x": [0.0, 1.0]}).astype("Value").mean()["x"].data
    0.5
    """

    name = "Value"
    type = Value
    na_value = pd.NA
    _is_numeric = True

    @classmethod
    def construct_array_type(cls) -> Any:
        """The class of the arrays."""
        return ValueArray

    def __repr__(self) -> str: return "ValueDtype()"

    def _get_common_dtype(self, dtypes: list[Any]) -> ValueDtype | None:
        return self if all(x == self or getattr(x, "kind", "O") in "iuf" for x in dtypes) else None


def _missing(x: Any) -> bool:
    return type(x) is not Value and is_scalar(x) and bool(pd.isna(x))


def _entry(x: Any) -> Any:
    return x if type(x) is Value else pd.NA if _missing(x) else Value(x)


def _var(xs: Sequence[Value], ddof: int) -> Value:
    centre = mean(xs)
    apart = [x - centre for x in xs]
    return dot(apart, apart) / (len(xs) - ddof)


_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": sum, "mean": mean, "median": median, "min": functools.partial(functools.reduce, minimum),
    "max": functools.partial(functools.reduce, maximum),
    "prod": lambda xs: functools.reduce(operator.mul, xs or [1.0])}
_SPREADS: dict[str, Callable[[Sequence[Value], int], Any]] = {
    "var": _var, "std": lambda xs, ddof: sqrt(_var(xs, ddof)),
    "sem": lambda xs, ddof: sqrt(_var(xs, ddof) / len(xs))}
_ACCUMULATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "cumsum": operator.add, "cumprod": operator.mul, "cummin": minimum, "cummax": maximum}


class ValueArray(extensions.ExtensionArray, extensions.ExtensionScalarOpsMixin):
    """The array behind a column of Values, made by ``pandas.array(xs, dtype=ValueDtype())``."""

    dtype = ValueDtype()
    _readonly = False                           # (pandas sets it where columns share their entries)

    def __init__(self, entries: Any):
        self._entries = entries                 # an array of objects: Values and NA

    @classmethod
    def _from_sequence(cls, scalars: Iterable[Any], *, dtype: Any = None, copy: bool = False) -> ValueArray:
        found = [_entry(x) for x in scalars]
        entries = np.empty(len(found), object)
        entries[:] = found
        return cls(entries)

    @classmethod
    def _from_scalars(cls, scalars: Iterable[Any], *, dtype: Any = None) -> ValueArray:
        scalars = list(scalars)
        if not any([type(x) is Value for x in scalars]) and not all(map(_missing, scalars)):
            raise TypeError("there are no Values")          # (floats that a function gave stay floats)
        return cls._from_sequence(scalars)

    @classmethod
    def _from_factorized(cls, entries: Any, original: Any) -> ValueArray: return cls(entries)

    @classmethod
    def _concat_same_type(cls, arrays: Sequence[ValueArray]) -> ValueArray:
        return cls(np.concatenate([array._entries for array in arrays]))

    @property
    def nbytes(self) -> int:
        """The bytes of the array alone, without its Values."""
        return int(self._entries.nbytes)

    def __len__(self) -> int: return len(self._entries)
    def __iter__(self) -> Iterator[Any]: return iter(self._entries)
    def __neg__(self) -> Any: return np.negative(self)
    def __pos__(self) -> Any: return np.positive(self)
    def __abs__(self) -> Any: return np.absolute(self)
    def _formatter(self, boxed: bool = False) -> Callable[[Any], str]: return "{:g}".format

    def copy(self) -> ValueArray:
        """Another array of the same Values."""
        return ValueArray(self._entries.copy())

    def isna(self) -> Any:
        """Where an entry is missing."""
        return np.array([x is pd.NA for x in self._entries], bool)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        entries = self._entries.view()
        entries.flags.writeable = not self._readonly
        return (np.array if copy else np.asarray)(entries, dtype or object)

    def __getitem__(self, item: Any) -> Any:
        found = self._entries[check_array_indexer(self, item)]
        if not isinstance(found, np.ndarray):
            return found
        part = ValueArray(found)
        part._readonly = self._readonly and isinstance(item, slice)
        return part

    def __setitem__(self, key: Any, x: Any) -> None:
        if self._readonly:
            raise ValueError("Cannot modify read-only array")
        key = check_array_indexer(self, key)
        one = is_scalar(key) or not is_list_like(x)
        self._entries[key] = _entry(x) if one else self._from_sequence(x)._entries

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> ValueArray:
        """The entries at these places; with `allow_fill` −1 stands for `fill_value`."""
        return ValueArray(extensions.take(self._entries, indices, allow_fill=allow_fill,
                                          fill_value=_entry(fill_value) if allow_fill else None))

    # -- functions ------------------------------------------------------------------------------

    @classmethod
    def _create_arithmetic_method(cls, op: Callable[..., Any]) -> Any:
        each = np.frompyfunc(op, 2, 1 + op.__name__.endswith("divmod"))
        return lambda *xs: _applied(each, xs)

    @classmethod
    def _create_comparison_method(cls, op: Callable[..., Any]) -> Any:
        each = np.frompyfunc(op, 2, 1)
        return lambda *xs: _applied(each, xs, op is operator.ne, lambda found: found.astype(bool))

    def __array_ufunc__(self, ufunc: Any, method: str, *xs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        return _applied(lambda *parts: of_numpy(ufunc, method, parts, options), xs)

    def _reduce(self, name: str, *, skipna: bool = True, keepdims: bool = False, ddof: int = 1,
                min_count: int = 0, **options: Any) -> Any:
        spread = name in _SPREADS
        if not spread and name not in _REDUCTIONS:
            return super()._reduce(name, skipna=skipna, keepdims=keepdims, **options)       # (an error)
        xs = [x for x in self._entries if x is not pd.NA]
        least = ddof + 1 if spread else int(name not in ("sum", "prod"))
        few = len(xs) < max(least, min_count, 0 if skipna else len(self))
        y = pd.NA if few else _SPREADS[name](xs, ddof) if spread else _REDUCTIONS[name](xs)
        return self._from_sequence([y]) if keepdims else y

    def _accumulate(self, name: str, *, skipna: bool = True, **options: Any) -> ValueArray:
        there = ~self.isna()
        if not skipna:
            there = np.logical_and.accumulate(there)
        found = self.take(np.full(len(self), -1), allow_fill=True)
        found[there] = [*itertools.accumulate(self._entries[there], _ACCUMULATIONS[name])]
        return found

    def _groupby_op(self, *, how: str, ngroups: int, ids: Any, **options: Any) -> Any:
        order = np.argsort(ids, kind="stable")          # (of what is in no group the id is −1)
        groups = np.split(order, np.searchsorted(ids[order], np.arange(ngroups)))[1:]
        if how in _REDUCTIONS or how in _SPREADS:
            return self._from_sequence([self[places]._reduce(how, **options) for places in groups])
        if how not in _ACCUMULATIONS:
            return super()._groupby_op(how=how, ngroups=ngroups, ids=ids, **options)
        found = self.take(np.full(len(self), -1), allow_fill=True)
        for places in groups:
            found[places] = self[places]._accumulate(how, **options)
        return found


def _column(found: Any) -> Any:
    """An array of Values, or of what there is in their place."""
    try:
        return ValueArray._from_scalars(found)
    except TypeError:
        return np.array(found.tolist())


def _applied(function: Callable[..., Any], xs: Sequence[Any], otherwise: Any = pd.NA,
             made: Callable[[Any], Any] = _column) -> Any:
    """A function of arrays and numbers, and something else where an entry of these is missing."""
    if any([isinstance(x, (pd.Series, pd.DataFrame, pd.Index)) for x in xs]):
        return NotImplemented                   # (they ask again)
    columns = [np.asarray(x, object) if is_list_like(x) else x for x in xs]
    there = ~functools.reduce(np.logical_or, map(pd.isna, columns))
    found = function(*[x[there] if isinstance(x, np.ndarray) else x for x in columns])

    def whole(part: Any) -> Any:
        y = np.full(len(there), otherwise, object)
        y[there] = part
        return made(y)

    return tuple(map(whole, found)) if type(found) is tuple else whole(found)


ValueArray._add_arithmetic_ops()
ValueArray._add_comparison_ops()
