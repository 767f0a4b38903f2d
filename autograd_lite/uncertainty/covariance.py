"""Standard deviations and covariances, as users give them: read, checked and propagated.

They are kept as standard deviations and correlations, so that no square of a small or a large one is
lost to underflow or overflow.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.errors import InputError, RangeError, short, signal
from autograd_lite.ops.op import number
from autograd_lite.transforms.structures import is_array, matched
from autograd_lite.transforms.trees import is_number, kind_of, leaves, refill

Matrix = list[list[float]]
Names = Callable[[], Sequence[str]]
APART = 1e-8                # what may be rounding in a covariance matrix, as a part of its deviations


class Spread(NamedTuple):
    """The standard deviations of some numbers, and their correlations (None: there are none)."""

    stds: list[float]
    correlations: Matrix | None = None

    def of(self, places: Sequence[int]) -> Spread:
        """That of some of the numbers."""
        matrix = self.correlations
        return Spread([self.stds[i] for i in places],
                      matrix and [[matrix[i][j] for j in places] for i in places])

    def times(self, v: Sequence[float]) -> Sequence[float]:
        """The correlations times a vector."""
        if self.correlations is None:
            return v
        return [math.fsum([r * x for r, x in zip(row, v)]) for row in self.correlations]

    def size(self, v: Sequence[float]) -> float:
        """How large the terms are that make up the variance v·correlations·v."""
        return sum([abs(x) * sum([abs(r * y) for r, y in zip(row, v)])
                    for x, row in zip(v, self.correlations or ())])

    def scaled(self, matrix: Sequence[Sequence[float]]) -> Matrix:
        """A matrix of second derivatives by the numbers, by their standard deviations instead."""
        return [[p * a * b for p, b in zip(row, self.stds)] for row, a in zip(matrix, self.stds)]

    def trace(self, scaled: Matrix) -> float:
        """The trace of the correlations times such a matrix."""
        if self.correlations is None:
            return math.fsum([row[i] for i, row in enumerate(scaled)])
        return math.fsum([p * r for row, others in zip(scaled, self.correlations)
                          for p, r in zip(row, others)])


class Propagated(NamedTuple):
    """What derivatives make of a spread: results' standard deviations, covariances and shares of inputs."""

    stds: list[float]
    covariance: Matrix
    shares: Matrix


def propagated(rows: Sequence[Sequence[float]], spread: Spread) -> Propagated:
    """J·C·Jᵀ for the derivatives J of results (a row for each), and how much of each variance is whose.

    >>> propagated([[3.0, 4.0]], Spread([0.5, 0.25])).covariance
    [[3.25]]
    """
    units: list[float] = []
    vectors: list[Sequence[float]] = []
    products: list[Sequence[float]] = []
    variances: list[float] = []
    for row in rows:
        along = [p * std for p, std in zip(row, spread.stds)]
        unit = max([0.0, *map(abs, along)])
        vector: Sequence[float] = [x / unit for x in along] if 0.0 < unit < math.inf else along
        product: Sequence[float] = spread.times(vector)
        variance = math.fsum([x * y for x, y in zip(vector, product)])
        if spread.correlations and variance <= 2e-15 * spread.size(vector):
            variance = 0.0                      # (rounding cannot tell them apart)
        if unit == math.inf:
            variance = unit
        units.append(unit)
        vectors.append(vector)
        products.append(product)
        variances.append(variance)
    covariance: Matrix = [units[:] for _ in rows]
    for k, (unit, vector) in enumerate(zip(units, vectors)):
        for m in range(k + 1):
            shared = variances[k] if k == m else math.fsum([x * y for x, y in zip(vector, products[m])])
            if not (variances[k] and variances[m]):
                shared = 0.0
            covariance[k][m] = covariance[m][k] = _product(unit, units[m], shared)
    stds = [unit * math.sqrt(v) if math.isfinite(unit) else unit for unit, v in zip(units, variances)]
    shares = [[x * y / v + 0.0 if v else 0.0 for x, y in zip(vector, product)]
              for vector, product, v in zip(vectors, products, variances)]
    return Propagated(stds, covariance, shares)


def _product(a: float, b: float, c: float) -> float:
    found = a * (b * c)
    if math.isinf(found) and math.isfinite(a) and math.isfinite(b):
        signal(RangeError(f"propagate: a covariance of the results, {a:.6g} · {b:.6g} · {c:.6g}, is too "
                          "large for a double; scale the results", "propagate", (a, b, c)))
    return found


# -- as users give them ---------------------------------------------------------------------------------


def spread_of(cov: Any, tree: Any, n: int, names: Names) -> Spread:
    """The spread of a structure's n numbers; `names` gives what messages call them.

    It is given as one standard deviation for all; as a list or a structure of them; or as a covariance
    matrix, of rows or nested as `hessian` nests second derivatives by the structure.

    Raises:
        InputError: it has another shape, or is not symmetric, positive semidefinite and finite.

    >>> spread_of([[4.0, 1.0], [1.0, 1.0]], [10.0, 20.0], 2, lambda: ["a", "b"])
    Spread(stds=[2.0, 1.0], correlations=[[1.0, 0.5], [0.5, 1.0]])
    """
    if hasattr(cov, "to_numpy"):                        # (a DataFrame's ``cov()``)
        cov = _in_order(cov, tree, names)
    given = cov.tolist() if hasattr(cov, "tolist") else cov
    if is_number(given):
        return Spread(_deviations([given] * n, names))
    if isinstance(given, (list, tuple)):
        if len(given) == n and all(map(is_number, given)):
            return Spread(_deviations(given, names))
        rows = [row for row in given if isinstance(row, (list, tuple)) and all(map(is_number, row))]
        if len(rows) == len(given) == n and all([len(row) == n for row in rows]):
            if n == 1 and not _is_flat(tree):
                raise InputError("propagate: cov=[[…]] may be a variance or, as the argument is nested, a "
                                 "standard deviation: give one number, the standard deviation")
            return _of_matrix(rows, names)
        if len(rows) == len(given) and (_is_flat(tree) or _square(rows) and not _has(tree, len(rows))):
            widths = "/".join(dict.fromkeys([str(len(row)) for row in rows]))
            some = f"{len(given)} row{'s' * (len(given) > 1)} of {widths}"
            raise InputError(f"propagate: cov has {some} for {n} inputs: give a matrix of {n} × {n} "
                             f"covariances, or {n} standard deviations" + (
                                 "; what is exact f reads, as in propagate(lambda p: f(t, p), p, cov)"
                                 if _square(rows) and len(rows) < n else ""))
        if is_number(tree):
            raise InputError(f"propagate: cov has {len(given)} entries for 1 input: give its standard "
                             "deviation")
    if n > 1 and len(leaves(given, lenient=True)) == n * n:
        found = matched(refill(tree, [tree] * n), cov, "second derivatives by the point", "propagate: cov")
        return _of_matrix([found[k:k + n] for k in range(0, n * n, n)], names)
    found = matched(tree, cov, "the point", "propagate: cov, the standard deviations,")
    return Spread(_deviations(found, names))


def _in_order(cov: Any, tree: Any, names: Names) -> Any:
    """The numbers of a Series or DataFrame, in the order of the inputs if its labels name them."""
    array = cov.to_numpy()
    kind = None if is_number(tree) else kind_of(tree)
    keys, parameters = list(kind.keys(tree)) if kind else [], list(names())
    for axis, which in enumerate(["index", "columns"][:array.ndim]):
        labels = list(getattr(cov, which, ()))
        for inputs in (keys, parameters):
            if len(set(labels)) == len(inputs) and set(labels) == set(inputs):
                array = array.take([labels.index(x) for x in inputs], axis)
                break
        else:
            of_dict = kind and kind.form is dict
            meant = of_dict and labels and not isinstance(labels[0], int)
            if meant or not set(labels).isdisjoint(parameters):
                given, needed = (", ".join(map(short, x)) for x in (labels, keys if of_dict else parameters))
                raise InputError(f"propagate: cov is labelled {given}, and the inputs are {needed}; "
                                 "cov.to_numpy() goes by order")
    return array


def _square(rows: Sequence[Sequence[Any]]) -> bool:
    return all([len(row) == len(rows) for row in rows])


def _has(tree: Any, n: int) -> bool:
    """Whether a structure has so many parts."""
    kind = kind_of(tree)
    return kind is not None and len(list(kind.parts(tree))) == n


def _is_flat(tree: Any) -> bool:
    """Whether a structure is a number, or holds numbers alone."""
    if is_array(tree):
        return len(tree.shape) == 1
    kind = None if is_number(tree) else kind_of(tree)
    return kind is None or all(map(is_number, kind.parts(tree)))


def _deviations(given: Sequence[Any], names: Names) -> list[float]:
    found = [x if type(x) is float else number(x, "propagate: a standard deviation") for x in given]
    for i, x in enumerate(found):
        if not 0.0 <= x < math.inf:
            raise InputError(f"propagate: the standard deviation of {names()[i]} is {x!r}: give a finite "
                             "number that is not negative (0 for an exact input)")
    return found


def _of_matrix(given: Sequence[Sequence[Any]], names: Names) -> Spread:
    matrix = [[number(x, "propagate: a covariance") for x in row] for row in given]
    n = range(len(matrix))

    def refusal(i: int, j: int, what: str) -> InputError:
        a, b = names()[i], names()[j]
        which = f"variance of {a}" if i == j else f"covariance of {a} and {b}"
        return InputError(f"propagate: the {which} is {matrix[i][j]!r}{what}")

    for i in n:
        for j in n:
            if not math.isfinite(matrix[i][j]):
                raise refusal(i, j, ", and must be finite (curve_fit gives inf where data do not determine "
                              "all parameters: fix one of them, or measure more)")
        if matrix[i][i] < 0.0:
            raise refusal(i, i, f", and must not be negative; {_MINIMUM}")
    stds = [math.sqrt(matrix[i][i]) for i in n]
    scale = [std or 1.0 for std in stds]
    correlations = [[matrix[i][j] / scale[i] / scale[j] for j in n] for i in n]
    for i in n:
        for j in range(i):
            a, b = correlations[i][j], correlations[j][i]
            if abs(a - b) > APART:
                raise refusal(i, j, f" in a half of cov, {matrix[j][i]!r} in the other: a "
                              "covariance matrix is symmetric; if rounding sets them apart, give "
                              "(cov + cov.T) / 2")
            if abs(a) > 1.0 + APART or a and not (stds[i] and stds[j]):
                raise refusal(i, j, f", more than the product of their standard deviations, {stds[i]!r} · "
                              f"{stds[j]!r}; {_MINIMUM}")
            correlations[i][j] = correlations[j][i] = 0.5 * (a + b)
        correlations[i][i] = 1.0
    if not any([correlations[i][j] for i in n for j in range(i)]):
        return Spread(stds)
    if (worst := _indefinite(correlations)) is not None:
        raise InputError(f"propagate: cov is not positive semidefinite (given the others, {names()[worst]} "
                         f"would have a negative variance); {_MINIMUM}, and single covariances put together "
                         "need not make one")
    return Spread(stds, correlations)


_MINIMUM = "the inverse of a Hessian is a covariance matrix only at a minimum"


def _indefinite(matrix: Matrix) -> int | None:
    """A place where a symmetric matrix is not positive semidefinite (by Cholesky, with pivots)."""
    rest, left = [row[:] for row in matrix], list(range(len(matrix)))
    while left:
        k = max(left, key=lambda i: rest[i][i])
        pivot, top = rest[k][k], rest[k]
        if pivot <= APART:
            return next((i for i in left for j in left
                         if rest[i][i] < -APART or abs(rest[i][j]) > 10 * APART), None)
        left.remove(k)
        for i in left:
            if factor := rest[i][k] / pivot:
                row = rest[i]
                for j in left:
                    row[j] -= factor * top[j]
    return None
