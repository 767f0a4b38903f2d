"""Standard deviations and covariances, as users give them: read, checked and propagated.

They are kept as standard deviations and correlations, so that no square of a small or a large one is
lost to underflow or overflow.
"""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from autograd_lite.errors import InputError, RangeError, shown, signal
from autograd_lite.graph.node import plain
from autograd_lite.ops.op import number
from autograd_lite.transforms.structures import matched
from autograd_lite.transforms.trees import is_number, leaves, refill

Matrix = list[list[float]]
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
    units, vectors, products = list[float](), list[Sequence[float]](), list[Sequence[float]]()
    variances = list[float]()
    for row in rows:
        along = [p * std for p, std in zip(row, spread.stds)]
        unit = max(map(abs, along), default=0.0)
        vector = [x / unit for x in along] if unit and math.isfinite(unit) else along
        product = spread.times(vector)
        variance = math.fsum([x * y for x, y in zip(vector, product)])
        if spread.correlations and variance <= 2e-15 * spread.size(vector):     # (rounding cannot tell it from 0)
            variance = 0.0
        units.append(unit)
        vectors.append(vector)
        products.append(product)
        variances.append(variance)
    covariance: Matrix = [[0.0] * len(rows) for _ in rows]
    for k, (unit, vector) in enumerate(zip(units, vectors)):
        for m in range(k + 1):
            shared = variances[k] if k == m else math.fsum([x * y for x, y in zip(vector, products[m])])
            if not (variances[k] and variances[m]):
                shared = 0.0
            covariance[k][m] = covariance[m][k] = _product(unit, units[m], shared)
    stds = [unit * math.sqrt(v) if math.isfinite(unit) else unit for unit, v in zip(units, variances)]
    shares = [[x * y / v if v else 0.0 for x, y in zip(vector, product)]
              for vector, product, v in zip(vectors, products, variances)]
    return Propagated(stds, covariance, shares)


def _product(a: float, b: float, c: float) -> float:
    found = a * (b * c)
    if math.isinf(found) and math.isfinite(a) and math.isfinite(b):
        signal(RangeError(f"propagate: a covariance of the results, {a:.6g} · {b:.6g} · {c:.6g}, is too large "
                          "for a double; scale the results", "propagate", (a, b, c)))
    return found


# -- as users give them ---------------------------------------------------------------------------------


def spread_of(cov: Any, tree: Any, names: Sequence[str]) -> Spread:
    """The spread of a structure's numbers, which have these names in messages.

    It is given as one standard deviation for all; as a list or a structure of them; or as a covariance
    matrix, of rows or nested as `hessian` nests second derivatives by the structure.

    Raises:
        InputError: it has another shape, or is not symmetric, positive semidefinite and finite.

    >>> spread_of([[4.0, 1.0], [1.0, 1.0]], [10.0, 20.0], ["a", "b"])
    Spread(stds=[2.0, 1.0], correlations=[[1.0, 0.5], [0.5, 1.0]])
    """
    n = len(names)
    given = cov.tolist() if hasattr(cov, "tolist") else cov
    if is_number(given):
        return Spread(_deviations([given] * n, names))
    if isinstance(given, (list, tuple)):
        if len(given) == n and all(map(is_number, given)):
            return Spread(_deviations(given, names))
        rows = [row for row in given if isinstance(row, (list, tuple)) and all(map(is_number, row))]
        if len(rows) == len(given) == n and all([len(row) == n for row in rows]):
            if n == 1 and isinstance(tree, (list, tuple)) and not is_number(tree[0]):
                raise InputError("propagate: cov=[[…]] may be a variance or, as x is nested, a standard "
                                 "deviation: give one number, the standard deviation")
            return _of_matrix(rows, names)
        if len(rows) == len(given) and all(map(is_number, tree if isinstance(tree, (list, tuple)) else [tree])):
            raise InputError(f"propagate: cov has {len(given)} rows of {'/'.join(map(str, _lengths(rows)))} for "
                             f"{_numbers(n)}: give a matrix of {n} × {n} covariances, or {n} standard "
                             "deviations")
    if n > 1 and len(leaves(given, lenient=True)) == n * n:
        found = matched(refill(tree, [tree] * n), cov, "the second derivatives by the point", "propagate: cov")
        return _of_matrix([found[k:k + n] for k in range(0, n * n, n)], names)
    return Spread(_deviations(matched(tree, cov, "the point", "propagate: cov, the standard deviations,"),
                              names))


def _lengths(rows: Sequence[Any]) -> Iterator[int]:
    return iter(dict.fromkeys(map(len, rows)))


def _numbers(n: int) -> str:
    return f"{n} number" + "s" * (n != 1)


def _deviations(given: Sequence[Any], names: Sequence[str]) -> list[float]:
    found = [number(plain(x), f"propagate: the standard deviation of {name}") for x, name in zip(given, names)]
    for x, name in zip(found, names):
        if not 0.0 <= x < math.inf:
            raise InputError(f"propagate: the standard deviation of {name} is {x!r}: give a finite number that is "
                             "not negative (0 for an exact input)")
    return found


def _of_matrix(given: Sequence[Sequence[Any]], names: Sequence[str]) -> Spread:
    matrix = [[number(plain(x), f"propagate: the covariance of {a} and {b}") for x, b in zip(row, names)]
              for row, a in zip(given, names)]
    n = range(len(matrix))
    for i in n:
        for j in n:
            if not math.isfinite(matrix[i][j]):
                raise InputError(
                    f"propagate: the covariance of {names[i]} and {names[j]} is {matrix[i][j]!r}, and must be finite "
                    "(curve_fit gives inf if the data do not determine all parameters: fix one, or measure more)")
        if matrix[i][i] < 0.0:
            raise InputError(f"propagate: the variance of {names[i]} is {matrix[i][i]!r}, and must not be negative; "
                             "the inverse of a Hessian is a covariance matrix only at a minimum")
    stds = [math.sqrt(matrix[i][i]) for i in n]
    scale = [std or 1.0 for std in stds]
    correlations = [[matrix[i][j] / scale[i] / scale[j] for j in n] for i in n]
    for i in n:
        for j in range(i):
            a, b = correlations[i][j], correlations[j][i]
            if abs(a - b) > APART:
                raise InputError(
                    f"propagate: the covariance of {names[i]} and {names[j]} is {matrix[i][j]!r} in one half of cov and "
                    f"{matrix[j][i]!r} in the other, and a covariance matrix is symmetric; if the two differ by "
                    "rounding alone, give (cov + cov.T) / 2")
            if abs(a) > 1.0 + APART or a and not (stds[i] and stds[j]):
                raise InputError(
                    f"propagate: the covariance of {names[i]} and {names[j]}, {matrix[i][j]!r}, is larger than the "
                    f"product of their standard deviations, {stds[i]!r} · {stds[j]!r}: cov is not a covariance matrix")
            correlations[i][j] = correlations[j][i] = 0.5 * (a + b)
        correlations[i][i] = 1.0
    if not any([correlations[i][j] for i in n for j in range(i)]):
        return Spread(stds)
    if (worst := _indefinite(correlations)) is not None:
        raise InputError(
            f"propagate: cov is not positive semidefinite: given the other numbers, {names[worst]} would have a "
            "negative variance; the inverse of a Hessian is a covariance matrix only at a minimum, and one put "
            "together from single covariances need not be one")
    return Spread(stds, correlations)


def _indefinite(matrix: Matrix) -> int | None:
    """A place where a symmetric matrix is not positive semidefinite (Cholesky's decomposition, with pivots)."""
    rest, left = [row[:] for row in matrix], list(range(len(matrix)))
    while left:
        k = max(left, key=lambda i: rest[i][i])
        pivot, top = rest[k][k], rest[k]
        if pivot <= APART:
            return next((i for i in left for j in left if rest[i][i] < -APART or abs(rest[i][j]) > 10 * APART),
                        None)
        left.remove(k)
        for i in left:
            if factor := rest[i][k] / pivot:
                row = rest[i]
                for j in left:
                    row[j] -= factor * top[j]
    return None
