"""Columns of Values in pandas: what it computes of them are Values, with their gradient."""
from __future__ import annotations

import copy
import doctest
import functools
import math
import operator
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value

pd = pytest.importorskip("pandas")
XS = [0.5, -2.0, None, 3.25, 0.75, 3.25]


def column(xs: Any = XS, **more: Any) -> Any:
    return pd.Series(xs, dtype=ag.ValueDtype(), **more)


def numbers(found: Any) -> Any:
    """The numbers of a Value, a column or a frame, as pandas' floats."""
    if isinstance(found, pd.DataFrame):
        return found.apply(numbers)
    if isinstance(found, pd.Series):
        return found.map(numbers).astype(float)
    return math.nan if found is pd.NA else getattr(found, "data", found)


def same(found: Any, expected: Any) -> bool:
    """Whether a column of Values holds what one of floats does."""
    assert set(map(str, found.dtypes if found.ndim > 1 else [found.dtype])) == {"Value"}
    assert found.index.equals(expected.index)
    return bool(np.allclose(numbers(found), expected.astype(float), rtol=1e-14, atol=0.0, equal_nan=True))


def slopes(f: Any, xs: list[float]) -> list[float]:
    """Differences, of a function of a Series of floats."""
    steps = [[x + h * (i == j) for j, x in enumerate(xs)] for i in range(len(xs)) for h in (1e-6, -1e-6)]
    ys = [f(pd.Series(at)) for at in steps]
    return [(up - down) / 2e-6 for up, down in zip(ys[::2], ys[1::2])]


# -- what is computed of a whole column ----------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Mean of empty slice")           # (NumPy's, by an older pandas)
@pytest.mark.parametrize("name", ["sum", "prod", "mean", "median", "min", "max", "var", "std", "sem"])
def test_a_reduction_is_that_of_floats_as_a_value(name: str) -> None:
    plain = pd.Series(XS)
    assert numbers(getattr(column(), name)()) == pytest.approx(getattr(plain, name)(), rel=1e-14)
    for xs in ([], [None], [2.0], XS):
        for skipna in (True, False):
            found = getattr(column(xs), name)(skipna=skipna)
            expected = getattr(pd.Series(xs, dtype=float), name)(skipna=skipna)
            assert numbers(found) == pytest.approx(expected, rel=1e-14, nan_ok=True), (xs, skipna)
            assert (found is pd.NA) == (expected != expected)
    if name in ("var", "std", "sem"):
        found, expected = getattr(column(), name)(ddof=0), getattr(plain, name)(ddof=0)
        assert numbers(found) == pytest.approx(expected, rel=1e-14)
    if name in ("sum", "prod"):
        assert getattr(column(), name)(min_count=6) is pd.NA


@pytest.mark.parametrize("f", [
    lambda s: s.mean(), lambda s: s.std(), lambda s: s.var(ddof=0), lambda s: s.sem(), lambda s: s.median(),
    lambda s: s.prod(), lambda s: s.min() * s.max(), lambda s: s.quantile(0.4),
    lambda s: np.mean(s) * np.std(s), lambda s: (s.cumsum() ** 2).sum(),
    lambda s: (s.cumprod() * s.cummax() * s.cummin()).sum(), lambda s: (s.diff() ** 2).sum(),
    lambda s: (s.shift().fillna(2.0) ** 2).sum(), lambda s: s[s > 1.0].prod(),
    lambda s: (s.sort_values().reset_index(drop=True) * [1, 2, 3, 4]).sum(),
    lambda s: (1.0 / s - s % 0.7).mean(), lambda s: s.groupby([0, 0, 1, 1]).mean().prod(),
    lambda s: s.groupby([0, 0, 1, 1]).std().sum(), lambda s: (s.groupby([0, 1, 0, 1]).cumsum() ** 2).sum(),
    lambda s: (s.groupby([0, 1, 0, 0]).transform("mean") * s).sum(),
    lambda s: pd.DataFrame({"x": s, "y": 2.0}).mean(axis=1).prod(), lambda s: pd.concat([s, s * s]).std(),
    lambda s: ag.sin(s).sum(), lambda s: np.exp(-s).max()])
def test_the_gradient_of_what_pandas_computes_is_right_eager_and_compiled(f: Any) -> None:
    of_list = lambda xs: f(column(xs))  # noqa: E731
    for xs in ([2.0, 0.5, 4.0, 1.25], [0.5, 1.5, 3.0, 2.5]):
        value, gradient = ag.value_and_grad(of_list)(xs)
        assert value == pytest.approx(f(pd.Series(xs)), rel=1e-13)
        assert gradient == pytest.approx(slopes(f, xs), rel=1e-6, abs=1e-7)
    fast = ag.compile(ag.value_and_grad(of_list))
    for xs in ([2.0, 0.5, 4.0, 1.25], [0.5, 1.5, 3.0, 2.5]):
        assert fast(xs) == ag.value_and_grad(of_list)(xs)


def test_mean_and_sum_are_the_librarys_to_the_last_bit() -> None:
    xs = [Value(0.1 * i) for i in range(9)]
    assert column(xs).mean().data == ag.mean(xs).data and column(xs).sum().data == ag.sum(xs).data
    hessian = ag.hessian(lambda p: column(p).var())([1.0, 2.0, 4.0])
    assert np.allclose(hessian, [[2 / 3, -1 / 3, -1 / 3], [-1 / 3, 2 / 3, -1 / 3], [-1 / 3, -1 / 3, 2 / 3]])
    assert ag.no_grad()(lambda: column(xs).mean())().requires_grad is False


def test_of_equal_ones_each_has_its_share_of_the_largest() -> None:
    assert ag.grad(lambda p: column(p).max())([2.0, 2.0, 1.0]) == [0.5, 0.5, 0.0]
    assert ag.grad(lambda p: column(p).min())([2.0, 3.0, 2.0]) == [0.5, 0.0, 0.5]


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummin", "cummax"])
@pytest.mark.parametrize("skipna", [True, False])
def test_a_running_total_is_that_of_floats(name: str, skipna: bool) -> None:
    assert same(getattr(column(), name)(skipna=skipna), getattr(pd.Series(XS), name)(skipna=skipna))


# -- arithmetic, comparisons, functions ------------------------------------------------------------------


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv,
                                operator.mod, operator.pow])
def test_arithmetic_is_that_of_floats_and_what_is_missing_stays_so(op: Any) -> None:
    xs = [abs(x or 2.0) for x in XS]
    s, plain = column(xs, index=list("abcdef")), pd.Series(xs, index=list("abcdef"))
    others = [2.0, 3, plain + 1.0, [1, 2, 3, 4, 5, 6], np.arange(1.0, 7.0)]
    if op is not operator.pow:                  # (1 to the power of nan is 1, of NA it is NA)
        others += [pd.Series([1.0, 2.0], index=["b", "z"]), plain.where(plain > 0.6)]
    for other in others:
        assert same(op(s, other), op(plain, other)) and same(op(other, s), op(other, plain))
    assert same(op(s, Value(2.0)), op(plain, 2.0)) and same(op(Value(2.0), s), op(2.0, plain))
    assert same(op(s, s[1:]), op(plain, plain[1:])) and same(op(s.shift(), s), op(plain.shift(), plain))
    assert same(divmod(s, 0.7)[1], plain % 0.7)


@pytest.mark.parametrize("op", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])
def test_comparisons_are_those_of_floats(op: Any) -> None:
    s, plain = column(), pd.Series(XS)
    for other, alike in ((0.75, 0.75), (Value(0.75), 0.75), (plain[::-1].reset_index(drop=True),) * 2,
                         (s, plain), (s.shift(), plain.shift())):
        found = op(s, other)
        assert found.dtype == bool and found.tolist() == op(plain, alike).tolist()
    assert (s == "a").tolist() == [False] * 6
    with pytest.raises(TypeError):
        s < "a"


def test_functions_keep_the_index_the_dtype_and_what_is_missing() -> None:
    s, plain = column(index=list("abcdef")), pd.Series(XS, index=list("abcdef"))
    for f in (ag.exp, ag.atan, np.exp, np.arctan, np.negative, abs, operator.neg, operator.pos, ag.floor):
        of_floats = {ag.exp: np.exp, ag.atan: np.arctan, ag.floor: np.floor}.get(f, f)
        assert same(f(s), of_floats(plain))
    assert same(ag.maximum(s, 1.0), np.maximum(plain, 1.0))
    assert same(np.hypot(s, plain), np.hypot(plain, plain))
    assert same(ag.where(s.dropna() > 0.6, s.dropna(), 0.0), plain.dropna().where(plain > 0.6, 0.0))
    assert np.maximum(s[:1], 0.5)["a"].partials == (0.5, 0.5)                # (a tie)
    assert ag.isfinite(s.dropna()).tolist() == [True] * 5 and np.isnan(s.dropna()).dtype == bool
    assert same(s.map(ag.exp, na_action="ignore").astype("Value"), np.exp(plain))
    assert s.dropna().map(lambda v: v.data).dtype == float
    for call in (lambda: np.fmod(s, 2.0), lambda: np.add.accumulate(s), lambda: s + "a", lambda: ~s):
        with pytest.raises(TypeError):
            call()


# -- frames and groups -----------------------------------------------------------------------------------


def frames() -> tuple[Any, Any]:
    plain = pd.DataFrame({"g": [1, 2, None, 2, 1, 1], "x": XS, "y": [3.0, 1.0, 4.0, 1.0, 5.0, 9.0]})
    return plain.astype({"x": "Value", "y": "Value"}), plain


@pytest.mark.parametrize("name", [
    "sum", "prod", "mean", "median", "min", "max", "var", "std", "sem", "first", "last", "cumsum", "cumprod",
    "cummin", "cummax", "shift", "diff", "ffill"])
def test_of_groups_is_computed_what_is_computed_of_floats(name: str) -> None:
    of_values, plain = frames()
    assert same(getattr(of_values.groupby("g"), name)(), getattr(plain.groupby("g"), name)())
    assert same(getattr(of_values.groupby("g")["x"], name)(), getattr(plain.groupby("g")["x"], name)())


def test_frames_reduce_along_both_axes_and_columns_of_floats_become_values_there() -> None:
    of_values, plain = frames()
    both = ["mean", "std"]
    assert same(of_values.groupby("g")["x"].agg(both), plain.groupby("g")["x"].agg(both))
    mixed, plain = of_values[["x", "y"]].assign(y=plain["y"]), plain[["x", "y"]]
    for name in ("mean", "std", "sum", "max"):
        for axis in (0, 1):
            assert same(getattr(mixed, name)(axis=axis), getattr(plain, name)(axis=axis))
    assert same(of_values[["x"]] - of_values[["x"]].mean(), plain[["x"]] - plain[["x"]].mean())
    assert same(ag.exp(of_values[["x", "y"]]), np.exp(plain))


# -- as a column ---------------------------------------------------------------------------------------


def test_a_column_is_sliced_masked_set_joined_and_sorted_as_any() -> None:
    s, plain = column(), pd.Series(XS)
    for part in (slice(1, 4), slice(None, None, -1), [0, 3], plain > 0.6):
        assert same(s[part], plain[part])
    assert same(pd.concat([s, plain]), pd.concat([plain, plain]))
    assert same(s.reindex([5, 9]), plain.reindex([5, 9]))
    assert same(s.sort_values(), plain.sort_values()) and same(s.dropna(), plain.dropna())
    assert same(s.fillna(Value(7.0)), plain.fillna(7.0)) and s.isna().tolist() == plain.isna().tolist()
    assert same(s.clip(0.6, 3.0), plain.clip(0.6, 3.0)) and same(s.where(s > 0.6), plain.where(plain > 0.6))
    for part, x in ((0, 5.0), (slice(1, 3), None), ([3, 4], [1.0, 2.0]), (plain > 0.6, 0.0)):
        t, u = s.copy(), plain.copy()
        t[part], u[part] = x, u.dtype.type(x) if isinstance(x, float) else x
        assert same(t, u) and same(s, plain)
    v = Value(9.0)
    s[0] = v
    assert s[0] is v is s.copy()[0] is copy.deepcopy(s)[0] and s.array[0] is v and s.idxmax() == 0
    with pytest.raises(TypeError, match="real number, got str"):
        s[0] = "a"
    with pytest.raises(TypeError):
        s.array.copy()[0] = [1.0, 2.0]


def test_an_array_that_pandas_shares_is_not_changed() -> None:
    array = column().array.copy()
    array._readonly = True
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        array[1:][0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(array)[0] = 1.0
    array.copy()[0] = array[[0, 1]][0] = np.array(array)[0] = 1.0


def test_numbers_become_leaves_none_and_nan_are_missing_and_text_is_refused() -> None:
    s = pd.Series([1, 2.5, None, math.nan, np.float32(0.5), True]).astype("Value")
    assert s.dtype == ag.ValueDtype() == "Value" and repr(s.dtype) == "ValueDtype()"
    assert s.isna().tolist() == [False, False, True, True, False, False]
    assert [x.data for x in s.dropna()] == [1.0, 2.5, 0.5, 1.0] and s[0].requires_grad
    assert not column([Value(math.nan)]).isna().any()
    for xs in (["a"], [1j], [[1.0]]):
        with pytest.raises(ag.InputError):
            column(xs)
    assert pd.concat([s, pd.Series(["a"])]).dtype == object


def test_no_number_is_read_from_a_column_where_its_gradient_would_be_lost() -> None:
    s = column([1.0, 2.0])
    for call in (lambda: s.astype(float), lambda: s.to_numpy(float), lambda: s.describe(), lambda: s.corr(s),
                 lambda: s.astype("Float64")):
        with pytest.raises(ag.InputError, match="would lose its gradient"):
            call()
    for call in (s.skew, s.kurt, s.any):
        with pytest.raises(TypeError, match=f"not support .* '{call.__name__}'"):
            call()
    assert s.to_numpy().dtype == s.astype(object).dtype == object and s.tolist()[0] is s[0]


def test_a_column_is_printed_as_its_numbers_and_pickled_with_its_graph() -> None:
    s = column([1.0, 1 / 3, None], index=list("abc"))
    assert str(s) == "a           1\nb    0.333333\nc        <NA>\ndtype: Value"
    assert str(s.to_frame("x")).splitlines()[2] == "b  0.333333"
    doubled = pickle.loads(pickle.dumps(pd.DataFrame({"x": s, "y": s * 2.0})))
    doubled["y"].sum().backward()
    assert doubled["x"]["a"].grad == 2.0 and s["a"].grad == 0.0 and doubled.dtypes.tolist() == [s.dtype] * 2


def test_a_series_that_is_an_argument_can_become_one_of_values() -> None:
    ag.register(pd.Series, lambda s: s.tolist(), lambda s, parts: pd.Series(parts, s.index),
                lambda s: tuple(s.index))
    slope = ag.grad(lambda s: s.astype("Value").std())
    for f in (slope, ag.compile(slope)):
        found = f(pd.Series([1.0, 2.0, 6.0], index=list("abc")))
        assert found["c"] == pytest.approx(1.5 / math.sqrt(7.0), rel=1e-14) and found.dtype == float


# -- how it is loaded --------------------------------------------------------------------------------------


def test_the_examples_of_the_module_hold() -> None:
    found = doctest.testmod(sys.modules["autograd_lite.frames"])
    assert found.attempted > 5 and found.failed == 0


def test_pandas_is_loaded_when_the_dtype_is_asked_for_and_its_names_are_shown_then() -> None:
    done = subprocess.run([sys.executable, "-c", """if True:
        import sys, autograd_lite as ag
        assert "ValueDtype" not in dir(ag) and "pandas" not in sys.modules
        from autograd_lite import ValueArray, ValueDtype
        assert {"ValueArray", "ValueDtype"} <= set(dir(ag)) and "pandas" in sys.modules
        assert ValueDtype().construct_array_type() is ValueArray
    """], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


S = functools.partial(pd.Series, [1.0, 2.0], index=["a", "b"])
D = functools.partial(pd.DataFrame, {"a": [1.0, 2.0], "b": [3, 4]})
CHANGES: dict[str, tuple[Any, Any, Any]] = {
    "an entry": (S, lambda s: s["a"], lambda s: operator.setitem(s, "a", 5.0)),
    "an entry, summed": (S, lambda s: s.sum(), lambda s: operator.setitem(s, "a", 5.0)),
    "the index": (S, lambda s: s.index.get_loc("b") + 1.0, lambda s: setattr(s, "index", ["b", "a"])),
    "a new entry": (S, lambda s: len(s) + 1.0, lambda s: operator.setitem(s, "c", 5.0)),
    "a cell": (D, lambda d: d.at[0, "a"], lambda d: operator.setitem(d.at, (0, "a"), 9.0)),
    "a cell, summed": (D, lambda d: d["b"].sum(), lambda d: operator.setitem(d.at, (0, "b"), 9)),
    "a column": (D, lambda d: len(d.columns) + 1.0, lambda d: operator.setitem(d, "c", 9.0)),
    "a cell of a group": (D, lambda d: d.groupby("b")["a"].sum().iloc[0],
                          lambda d: operator.setitem(d.at, (0, "a"), 9.0)),
    "a text": (lambda: pd.Series(["a", "bb"]), lambda s: len(s[0]) + 1.0,
               lambda s: operator.setitem(s, 0, "xyzw")),
    "a category": (lambda: pd.Series(pd.Categorical(["a", "b", "a"])), lambda s: (s == "a").sum() + 1.0,
                   lambda s: operator.setitem(s, 0, "b")),
    "a time in a zone": (lambda: pd.Series(pd.to_datetime(["2020-01-02"]).tz_localize("UTC")),
                         lambda s: float(s[0].day),
                         lambda s: operator.setitem(s, 0, pd.Timestamp("2020-01-09", tz="UTC"))),
    "a time in the index": (lambda: pd.Series([1.0], pd.to_datetime(["2020-01-02"]).tz_localize("UTC")),
                            lambda s: float(s.index[0].day),
                            lambda s: setattr(s, "index", s.index + pd.Timedelta(1, "D"))),
    "a period": (lambda: pd.Series(pd.period_range("2020-01", periods=2, freq="M")),
                 lambda s: float(s[0].month), lambda s: operator.setitem(s, 0, pd.Period("2020-09", "M"))),
    "an interval": (lambda: pd.Series(pd.interval_range(0, 2)), lambda s: float(s[0].right),
                    lambda s: operator.setitem(s, 0, pd.Interval(0, 9))),
    "a whole number or none": (lambda: pd.Series([10**6, None], dtype="Int64"), lambda s: float(s.sum()),
                               lambda s: operator.setitem(s, 1, 5)),
    "a Value": (lambda: pd.Series([ag.Value(2.0), 1.0], dtype=object), lambda s: s[0],
                lambda s: operator.setitem(s, 0, ag.Value(7.0))),
    "a Value's number": (lambda: pd.Series([ag.Value(2.0), 1.0], dtype=object), lambda s: s[0],
                         lambda s: setattr(s[0], "data", 7.0)),
    "a Value of our dtype": (lambda: pd.Series([2.0, 1.0], dtype=ag.ValueDtype()), lambda s: s[0],
                             lambda s: operator.setitem(s, 0, ag.Value(7.0)))}


@pytest.mark.parametrize("name", CHANGES)
def test_a_compiled_function_sees_what_changes_in_what_it_reads(name: str) -> None:
    make, read, change = CHANGES[name]
    held = make()

    def f(x: Any) -> Any:
        return x * read(held)
    fast = ag.compile(f)
    for x in (1.5, 2.5, 3.5):
        assert fast(x) == f(ag.Value(x)).data
    before = fast(4.5)
    assert fast.stats.programs == 1
    change(held)
    for x in (4.5, 5.5, 4.5):
        assert fast(x) == f(ag.Value(x)).data
    assert fast(4.5) != before
