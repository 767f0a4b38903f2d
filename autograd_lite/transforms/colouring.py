"""Sparse derivatives: which entries can differ from 0, and the few sweeps that find them all.

One sweep gives the product of the matrix with a vector. Columns that share no row can be found
together, from one vector: so the columns are coloured, and each colour takes one sweep.
"""
from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from autograd_lite.errors import InputError
from autograd_lite.extras import needed
from autograd_lite.graph.linear import Algebra, Linear

Pattern = Sequence[Collection[int]]        # for each row, the columns that may differ from 0
Product = Callable[[list[float]], Sequence[Any]]
FEW = 32


class _FewInputs(Algebra):
    """Sets of inputs, as long as they are small; larger ones are `_MANY`."""

    def times(self, g: Any, p: Any, k: int, i: int) -> Any:
        return g

    def plus(self, a: Any, b: Any, k: int) -> Any:
        if a is b or a == b:
            return a
        union = _MANY if a is _MANY or b is _MANY else a | b
        return union if len(union) <= FEW else _MANY


_MANY: frozenset[int] = frozenset([-1])


def dependence(linear: Linear, inputs: Sequence[int | None], outputs: Iterable[int | None]) -> list[set[int]]:
    """For each output, given by its place, the inputs on which it depends, counted from 0.

    Only sets of a few inputs are kept with a node; larger ones would cost the square of the
    number of inputs in a long sum, so they are gathered from the outputs down.
    """
    few = linear.push({k: frozenset([i]) for i, k in enumerate(inputs) if k is not None}, _FewInputs())
    found = []
    for y in outputs:
        reached, seen, stack = set[int](), {y}, [y]
        while stack:
            k = stack.pop()
            if k is None or few[k] is None:
                continue
            if few[k] is not _MANY:
                reached |= few[k]
                continue
            for x, _, _ in linear.edges(k):
                if x not in seen:
                    seen.add(x)
                    stack.append(x)
        found.append(reached)
    return found


def transposed(rows: Pattern, n: int) -> list[list[int]]:
    """The rows of each of the n columns."""
    columns: list[list[int]] = [[] for _ in range(n)]
    for i, row in enumerate(rows):
        for j in row:
            columns[j].append(i)
    return columns


def _first_free(taken: Iterable[Collection[int]]) -> int:
    forbidden = set().union(*taken)
    return next(c for c in itertools.count() if c not in forbidden)


def column_colours(rows: Pattern, n: int) -> list[int]:
    """A colour for each of the n columns; no two of one colour share a row.

    >>> column_colours([[0, 1], [1, 2], [2, 0]], 4)
    [0, 1, 2, 0]
    """
    used: list[set[int]] = [set() for _ in rows]
    columns = transposed(rows, n)
    colour = [0] * n
    for j in sorted(range(n), key=lambda j: -len(columns[j])):
        colour[j] = _first_free(used[i] for i in columns[j])
        for i in columns[j]:
            used[i].add(colour[j])
    return colour


def star_colours(neighbours: Pattern) -> list[int]:
    """A star colouring: neighbours differ, and no path of four vertices has only two colours.

    Then for any two neighbours, one is the other's only neighbour of its colour, so that each
    entry of a symmetric matrix stands alone in some sweep. (The greedy rule of A. H. Gebremedhin,
    F. Manne and A. Pothen, SIAM Review 47 (2005) 629.)

    >>> star_colours([[1, 2, 3], [0], [0], [0]])
    [0, 1, 1, 1]
    """
    n = len(neighbours)
    colour = [-1] * n
    first: list[dict[int, int]] = [{} for _ in range(n)]   # for each colour so far, a neighbour of v
    barred: list[set[int]] = [set() for _ in range(n)]     # colours in which a neighbour of v would
    # complete a path of four in two colours
    for v in sorted(range(n), key=lambda v: -len(neighbours[v])):
        around = [w for w in neighbours[v] if w != v]
        colour[v] = c = _first_free([{colour[w] for w in around}, *(
            first[w].keys() if colour[w] < 0 else barred[w] for w in around)])
        for w in around:
            if c in first[w]:
                barred[v].add(colour[w])
                barred[first[w][c]].add(colour[w])
            else:
                first[w][c] = v
    return colour


def colours(pattern: Any, symmetric: bool = False) -> list[int]:
    """Colours for a sparse matrix's columns; it takes one sweep for each colour to find the matrix.

    Args:
        pattern: a SciPy sparse matrix, or a nested list or array; entries of 0 do not count.
        symmetric: whether it is a Hessian: then an entry may be found in either triangle.

    >>> colours([[1, 0, 1], [0, 1, 1], [1, 1, 1]], symmetric=True)
    [1, 1, 0]
    """
    matrix = scipy_sparse().coo_matrix(pattern)
    rows: list[set[int]] = [set() for _ in range(matrix.shape[0])]
    for i, j in zip(*matrix.nonzero()):
        rows[i].add(int(j))
    if not symmetric:
        return column_colours(rows, matrix.shape[1])
    return star_colours(_symmetric(rows, matrix.shape[1]))


def scipy_sparse() -> Any:
    """SciPy's module of sparse matrices."""
    with needed("sparse matrices need"):
        import scipy.sparse
    return scipy.sparse


def _symmetric(rows: Pattern, n: int) -> list[set[int]]:
    if len(rows) != n:
        raise InputError(f"a symmetric matrix has as many rows as columns, not {len(rows)} and {n}")
    return [set(row).union(column) for row, column in zip(rows, transposed(rows, n))]


# -- matrices from products --------------------------------------------------------------

Colours = Sequence[int]
Plan = tuple[Colours, set[int], Colours, set[int]]   # the rows' colours, those to sweep; the columns' too


def jacobian_matrix(rows: Pattern, n: int, push: Product, pull: Product) -> Any:
    """The matrix with this pattern and n columns, from few products: `push` gives the matrix times a
    vector, `pull` a vector times the matrix."""
    columns = transposed(rows, n)
    row_colour, pulls, column_colour, pushes = min(_plans(rows, columns), key=_sweeps)
    return _matrix(rows, n, row_colour, _products(pull, row_colour, pulls),
                   column_colour, _products(push, column_colour, pushes))


def hessian_matrix(rows: Pattern, push: Product) -> Any:
    """The symmetric matrix with this pattern, from few of its products with vectors."""
    near = _symmetric(rows, len(rows))
    colour = star_colours(near)
    products = _products(push, colour, {k for k, row in zip(colour, near) if row})
    return _matrix(near, len(near), colour, products, colour, products)


def _plans(rows: Pattern, columns: Pattern) -> Iterator[Plan]:
    """Ways to find a Jacobian, without those that surely need more sweeps than another."""
    widest, tallest = max(map(len, rows), default=0), max(map(len, columns), default=0)
    best = len(rows) + len(columns)
    if min(widest, tallest) * min(len(rows), len(columns)) > 4 * sum(map(len, rows)):
        plan = _both_ways(rows, columns)        # a full row and a full column, say
        best = _sweeps(plan)
        yield plan
    by_column = widest <= tallest
    for way in (by_column, not by_column):
        if (widest if way else tallest) < best:
            colour = column_colours(rows, len(columns)) if way else column_colours(columns, len(rows))
            used = {k for k, line in zip(colour, columns if way else rows) if line}
            best = min(best, len(used))
            yield ([], set(), colour, used) if way else (colour, used, range(len(columns)), set())


def _both_ways(rows: Pattern, columns: Pattern) -> Plan:
    """A star colouring of rows and columns as the two sides of a graph whose edges are the entries."""
    m = len(rows)
    colour = star_colours([*([m + j for j in row] for row in rows), *columns])
    row_colour, column_colour = colour[:m], colour[m:]
    in_row = [Counter(column_colour[j] for j in row) for row in rows]
    in_column = [Counter(row_colour[i] for i in column) for column in columns]
    pulls, pushes, either = set(), set(), []
    for i, row in enumerate(rows):
        for j in row:
            if in_row[i][column_colour[j]] > 1:
                pulls.add(row_colour[i])
            elif in_column[j][row_colour[i]] > 1:
                pushes.add(column_colour[j])
            else:
                either.append((row_colour[i], column_colour[j]))
    for k, c in either:
        if k not in pulls and c not in pushes:
            pulls.add(k)
    return row_colour, pulls, column_colour, pushes


def _sweeps(plan: Plan) -> int:
    return len(plan[1]) + len(plan[3])


def _products(product: Product, colour: Colours, wanted: Iterable[int]) -> dict[int, Sequence[Any]]:
    """The product with the sum of the unit vectors of a colour, for each colour wanted."""
    return {k: product([1.0 if c == k else 0.0 for c in colour]) for k in wanted}


def _matrix(rows: Pattern, n: int, row_colour: Colours, pulled: Mapping[int, Sequence[Any]],
            column_colour: Colours, pushed: Mapping[int, Sequence[Any]]) -> Any:
    """The CSR matrix: each entry from a product in which it stands alone."""
    data: list[Any] = []
    places: list[int] = []
    ends = [0]
    for i, row in enumerate(rows):
        alike = Counter(column_colour[j] for j in row)
        for j in sorted(row):
            k = column_colour[j]
            data.append(pushed[k][i] if k in pushed and alike[k] == 1 else pulled[row_colour[i]][j])
        places += sorted(row)
        ends.append(len(places))
    if not all(isinstance(x, float) for x in data):
        raise InputError("a sparse matrix holds plain floats, through which no gradient flows: leave "
                         "out sparse=True if the derivative itself is differentiated")
    return scipy_sparse().csr_matrix((data, places, ends), shape=(len(rows), n), dtype=float)
