"""Sparse Jacobians and Hessians: the pattern, its colours, and the matrix."""
from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value, colours, grad, hessian, jacobian
from autograd_lite.transforms import colouring, jacobians
from autograd_lite.testing import Expression
from autograd_lite.transforms.colouring import (column_colours, hessian_matrix, jacobian_matrix,
                                                star_colours)
from graphs import SMOOTH, computations, results

# -- random sparse functions: a few expressions, each of a few of the variables here and there ------

SIZE = 7
OPS = [*(op for op in SMOOTH if op != "hypot"), "relu", "softmax", "atan", "silu"]     # have a Hessian
place = st.integers(0, SIZE - 1)
Term = tuple[int, int, int, int]
functions = st.tuples(st.lists(computations(3, OPS, 3), min_size=1, max_size=3),
                      st.lists(st.tuples(place, place, place, place), max_size=9))
Function = tuple[list[Expression], list[Term]]
points = st.lists(st.integers(-12, 12).map(lambda n: n / 8), min_size=SIZE, max_size=SIZE)


def outputs(function: Function, x: Sequence[Any]) -> list[Any]:
    fs, terms = function
    return [5.0, *(results(fs[k % len(fs)], [x[i], x[j], x[m]])[-1] for k, i, j, m in terms)]


def total(function: Function, x: Sequence[Any]) -> Any:
    return ag.sum(outputs(function, x))


def sweeps(monkeypatch: pytest.MonkeyPatch, matrix: Callable[[], Any]) -> tuple[int, Any]:
    """How many sweeps it takes to make a matrix, and the matrix."""
    made: list[str] = []
    for owner, name in ((jacobians, "pushed"), (jacobians.Trace, "pull")):
        sweep = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *args, sweep=sweep, name=name: (
            made.append(name), sweep(*args))[1])
    result = matrix()
    monkeypatch.undo()
    return len(made), result


# -- matrices -------------------------------------------------------------------------------------


@given(functions, points)
@settings(max_examples=100, deadline=None)
def test_a_sparse_hessian_equals_the_dense_one_and_takes_as_many_sweeps_as_colours(
        function: Function, x: list[float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        made, ours = sweeps(patch, lambda: hessian(lambda x: total(function, x), sparse=True)(x))
    dense = hessian(lambda x: total(function, x))(x)
    assert scipy.sparse.issparse(ours) and ours.format == "csr" and ours.shape == (SIZE, SIZE)
    np.testing.assert_allclose(ours.toarray(), dense, rtol=1e-13, atol=1e-13)
    full = ours.copy()
    full.data[:] = 1.0
    used = {c for c, row in zip(colours(full, symmetric=True), full.toarray()) if row.any()}
    assert made == len(used) + 1                # one more records the gradient


@given(functions, points)
@settings(max_examples=100, deadline=None)
def test_a_sparse_jacobian_equals_the_dense_one(function: Function, x: list[float]) -> None:
    ours = jacobian(lambda x: outputs(function, x), sparse=True)(x)
    dense = jacobian(lambda x: outputs(function, x))(x)
    assert ours.shape == (len(function[1]) + 1, SIZE)
    np.testing.assert_allclose(ours.toarray(), np.reshape(dense, ours.shape), rtol=1e-13, atol=1e-13)


def arrow(x: Sequence[Any]) -> Any:
    return ag.exp(x[0]) + ag.sum([x[0] * v * v for v in x[1:]])


def band(x: Sequence[Any]) -> Any:
    return ag.sum([(b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in zip(x, x[1:])])


def wide_band(x: Sequence[Any]) -> Any:
    y = 0.0
    for a, b, c in zip(x, x[1:], x[2:]):
        y = y + ag.sin(a * b * c)
    return y


def separate(x: Sequence[Any]) -> Any:
    return ag.sum([ag.exp(v) for v in x])


def product(x: Sequence[Any]) -> Any:
    return ag.exp(ag.dot(x, x))


def linear(x: Sequence[Any]) -> Any:
    return ag.mean([2.0 * v - x[0] / 3.0 for v in x])


@pytest.mark.parametrize("f, n, expected", [
    (arrow, 150, 2), (band, 150, 3), (wide_band, 150, 5), (separate, 150, 1), (product, 12, 12),
    (linear, 150, 0)])
def test_sweeps_of_a_hessian(monkeypatch: pytest.MonkeyPatch, f: Callable[..., Any], n: int,
                             expected: int) -> None:
    x = [0.01 * (i % 7) for i in range(n)]
    made, ours = sweeps(monkeypatch, lambda: hessian(f, sparse=True)(x))
    assert made == expected + 1
    v = [0.1 * (i % 5) for i in range(n)]
    np.testing.assert_allclose(ours @ v, ag.hvp(f, (x,), (v,)), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("f, expected", [
    (lambda x: [a * b for a, b in zip(x, x[1:])], 2),
    (lambda x: [ag.dot(x, x), x[3] * x[4]], 2),
    (lambda x: [x[0] * v for v in x], 2),
    (lambda x: [ag.dot(x, x)] + [x[0] * v + v * v for v in x[1:]], 3),
    (lambda x: [ag.sin(v) for v in x], 1),
    (lambda x: [1.0, 2.0], 0)])
def test_sweeps_of_a_jacobian(monkeypatch: pytest.MonkeyPatch, f: Callable[..., Any],
                              expected: int) -> None:
    x = [0.1 + 0.01 * (i % 7) for i in range(100)]
    made, ours = sweeps(monkeypatch, lambda: jacobian(f, sparse=True)(x))
    assert made == expected
    np.testing.assert_allclose(ours.toarray(), jacobian(f)(x), rtol=1e-13)


def test_thousands_of_variables_take_a_handful_of_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 2_000
    made, ours = sweeps(monkeypatch, lambda: hessian(arrow, sparse=True)([0.5] * n))
    assert made == 3 and ours.nnz == 3 * n - 2 and ours[7, 0] == 1.0 and ours[7, 7] == 1.0


def test_a_long_sum_by_steps_costs_no_square_of_its_length() -> None:
    def f(x: Sequence[Any]) -> Any:
        y = x[0]
        for v in x[1:]:
            y = y + v * v
        return [y, x[0] * x[1]]
    assert jacobian(f, sparse=True)([1.0] * 2000).nnz == 2002


def test_a_hundred_levels_of_diamonds_above_many_inputs_are_walked_once() -> None:
    def f(x: Sequence[Any]) -> Any:
        y = ag.sum([v * v for v in x])
        for _ in range(100):
            y = 0.5 * y + 0.5 * y
        return [y, x[0]]
    assert jacobian(f, sparse=True)([1.0] * 40).nnz == 41


def test_arguments_of_any_shape_are_numbered_in_order() -> None:
    def f(p: Any, scale: Any = 1.0) -> Any:
        return scale * p["a"][0] * p["b"] ** 2
    ours = hessian(f, sparse=True)({"a": [3.0, 1.0], "b": 5.0}, scale=2.0)
    assert ours.toarray().tolist() == [[0, 0, 20], [0, 0, 0], [20, 0, 12]]
    assert hessian(f, "scale", sparse=True)({"a": [3.0], "b": 5.0}, scale=2.0).toarray() == [[0.0]]
    both = jacobian(lambda x, y: [x * y], (0, 1), sparse=True)(2.0, 5.0)
    assert both.toarray().tolist() == [[5.0, 2.0]]
    array = jacobian(lambda x: x * x, sparse=True)(np.array([[1.0, 2.0]]))
    assert array.toarray().tolist() == [[2.0, 0.0], [0.0, 4.0]]


def test_an_entry_that_happens_to_be_0_stays_in_the_pattern() -> None:
    ours = hessian(lambda x: x[0] * x[0] * x[1], sparse=True)([0.0, 0.0])
    assert ours.nnz == 3 and not ours.toarray().any()


def test_an_infinite_entry_is_a_domain_error() -> None:
    with pytest.raises(ag.DomainError, match="infinite at 0"):
        jacobian(lambda x: [ag.sqrt(v) for v in x], sparse=True)([1.0, 0.0])
    zero = jacobian(lambda x: [0.0 * ag.sqrt(v) for v in x], sparse=True)([1.0, 0.0])
    assert not zero.toarray().any()


def test_a_sparse_matrix_refuses_to_be_differentiated() -> None:
    with pytest.raises(ag.InputError, match="leave out sparse=True"):
        grad(lambda a: hessian(lambda x: a * x[0] * x[1], sparse=True)([1.0, 2.0])[0, 1])(3.0)
    with pytest.raises(ag.InputError, match="leave out sparse=True"):
        jacobian(lambda x: [x[0] * x[0]], sparse=True)([Value(1.0)])


def test_without_scipy_the_error_gives_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(ag.MissingError, match=r"pip install 'autograd-lite\[sparse\]'") as caught:
        hessian(lambda x: x[0] * x[1], sparse=True)([1.0, 2.0])
    assert isinstance(caught.value, ImportError)


# -- how many sweeps ------------------------------------------------------------------------------


def swept(pattern: Any, symmetric: bool = False) -> tuple[int, int]:
    """How often a matrix is multiplied by a vector from the right and from the left until it is known."""
    upper = np.arange(1.0, pattern.size + 1).reshape(pattern.shape)
    matrix = np.where(pattern, upper + upper.T if symmetric else upper, 0.0)
    made = [0, 0]

    def times(side: int, product: Callable[[Any], Any]) -> Callable[[list[float]], list[float]]:
        def counted(v: list[float]) -> list[float]:
            made[side] += 1
            return [float(x) for x in product(np.array(v))]
        return counted

    rows = [set(map(int, np.flatnonzero(row))) for row in pattern]
    push, pull = times(0, lambda v: matrix @ v), times(1, lambda v: v @ matrix)
    found = hessian_matrix(rows, push) if symmetric else jacobian_matrix(rows, pattern.shape[1], push, pull)
    assert (found.toarray() == matrix).all() and found.nnz == (pattern != 0).sum()
    return made[0], made[1]


N = 20


def banded(width: int) -> Any:
    return sum(np.eye(N, k=k) for k in range(-width, width + 1))


def filled(pattern: Any, rows: Sequence[int] = (), columns: Sequence[int] = ()) -> Any:
    """The pattern with some rows and columns full."""
    pattern = pattern.copy()
    pattern[list(rows)] = pattern[:, list(columns)] = 1.0
    return pattern


def scattered(seed: int, m: int, n: int, share: float) -> Any:
    draw = random.Random(seed)
    return np.array([[float(draw.random() < share) for _ in range(n)] for _ in range(m)])


def mirrored(pattern: Any) -> Any:
    return np.maximum(pattern, pattern.T)


BLOCKS = np.kron(np.eye(5), np.ones((4, 4)))
CIRCLE = np.eye(N) + np.roll(np.eye(N), 1, 0) + np.roll(np.eye(N), 1, 1)
GRID = np.kron(np.eye(5), banded(1)[:5, :5]) + np.kron(banded(1)[:5, :5] - np.eye(5), np.eye(5))
SPARSE = scattered(0, 30, 30, 0.06), scattered(1, 30, 30, 0.06), scattered(2, 30, 30, 0.06)
JACOBIANS = {                                                   # pattern, pushes, pulls
    "diagonal": (np.eye(N), 1, 0), "band": (banded(1), 3, 0), "wide band": (banded(2), 5, 0),
    "blocks": (BLOCKS, 4, 0), "full and wide": (np.ones((6, 9)), 0, 6),
    "full and tall": (np.ones((9, 6)), 6, 0), "triangle": (np.triu(np.ones((8, 8))), 8, 0),
    "none": (np.zeros((4, 5)), 0, 0), "no rows": (np.zeros((0, 5)), 0, 0),
    "a full row": (filled(np.eye(N), [3]), 0, 2), "a full column": (filled(np.eye(N), [], [5]), 2, 0),
    "a full row of two": (filled(np.zeros((2, 30)), [0], [3]), 0, 2),
    "a full column of two": (filled(np.zeros((30, 2)), [3], [0]), 2, 0),
    "both": (filled(np.eye(N), [3], [5]), 1, 2), "two of both": (filled(np.eye(N), [3, 7], [5, 11]), 2, 3),
    "both, of 10": (filled(np.eye(10), [1], [0]), 10, 0),
    "both, of 11": (filled(np.eye(11), [1], [0]), 1, 2),
    "both and three, of 12": (filled(np.eye(12) + np.eye(12, k=8), [1], [0]), 12, 0),
    "a band and a full row": (filled(banded(1), [3]), 0, 4),
    "a band and both": (filled(banded(1), [3], [8]), 4, 5), "random 0": (scattered(0, 25, 25, 0.1), 0, 6),
    "random 1": (scattered(3, 25, 25, 0.1), 0, 4), "random 2": (scattered(2, 12, 23, 0.1), 0, 3),
    "random 3": (scattered(2, 30, 20, 0.15), 8, 0), "random 4": (scattered(0, 30, 20, 0.15), 10, 0),
    "random 5": (scattered(1, 9, 23, 0.05), 0, 3), "random 0 and both": (filled(SPARSE[0], [3], [8]), 4, 5),
    "random 1 and both": (filled(SPARSE[1], [3], [8]), 5, 3),
    "random and two rows and a column": (filled(SPARSE[2], [3, 11], [8]), 3, 6)}
HESSIANS = {                                                    # pattern, pushes
    "diagonal": (np.eye(N), 1), "band": (banded(1), 3), "wide band": (banded(2), 5), "blocks": (BLOCKS, 4),
    "full": (np.ones((6, 6)), 6), "none": (np.zeros((5, 5)), 0), "arrow": (filled(np.eye(N), [3], [3]), 2),
    "arrow to the end": (filled(np.eye(N), [N - 1], [N - 1]), 2),
    "two arrows": (filled(np.eye(N), [3, 7], [3, 7]), 3), "circle": (CIRCLE, 4), "grid": (GRID, 5),
    "random 0": (mirrored(scattered(0, 25, 25, 0.1)), 8),
    "random 1": (mirrored(scattered(1, 25, 25, 0.1)), 7),
    "random 2": (mirrored(scattered(3, 25, 25, 0.1)), 7)}


@pytest.mark.parametrize("name", JACOBIANS)
def test_a_jacobian_is_known_after_so_many_sweeps(name: str) -> None:
    pattern, pushes, pulls = JACOBIANS[name]
    assert swept(pattern) == (pushes, pulls)


@pytest.mark.parametrize("name", HESSIANS)
def test_a_hessian_is_known_after_so_many_sweeps(name: str) -> None:
    pattern, pushes = HESSIANS[name]
    assert swept(pattern, symmetric=True) == (pushes, 0)


@pytest.mark.parametrize("name, one_way, both_ways", [
    ("diagonal", 1, 0), ("wide band", 1, 0), ("a full row", 1, 0), ("a full column", 1, 0),
    ("triangle", 1, 0), ("both", 0, 1), ("both, of 11", 0, 1), ("both, of 10", 1, 0), ("random 0", 2, 0),
    ("random 3", 1, 0), ("random 1 and both", 0, 1), ("none", 1, 0)])
def test_no_way_is_coloured_that_needs_more_sweeps_than_another_for_sure(
        monkeypatch: pytest.MonkeyPatch, name: str, one_way: int, both_ways: int) -> None:
    made: list[str] = []
    for made_by in (column_colours, star_colours):
        monkeypatch.setattr(colouring, made_by.__name__, lambda *args, made_by=made_by: (
            made.append(made_by.__name__), made_by(*args))[1])
    swept(JACOBIANS[name][0])
    assert (made.count("column_colours"), made.count("star_colours")) == (one_way, both_ways)


def test_the_fullest_columns_are_coloured_first_and_equally_full_ones_in_their_order() -> None:
    assert column_colours([[0, 2], [1, 2], [2]], 3) == [1, 1, 0]
    assert column_colours([[0, 1], [1, 2], [2, 0]], 3) == [0, 1, 2]
    assert star_colours([{1}, {0, 2}, {1, 3}, {2, 4}, {3}]) == [2, 0, 1, 0, 2]
    assert star_colours([{1, 2}, {0, 2}, {0, 1}]) == [0, 1, 2]


# -- colours ------------------------------------------------------------------------------------


def symmetric(n: int, edges: Sequence[tuple[int, int]]) -> list[set[int]]:
    near: list[set[int]] = [{i} for i in range(n)]
    for i, j in edges:
        near[i].add(j)
        near[j].add(i)
    return near


def is_star_colouring(near: Sequence[set[int]], colour: Sequence[int]) -> bool:
    """By the definition: over all edges, and all paths of four vertices."""
    others = [row - {i} for i, row in enumerate(near)]
    if any(colour[i] == colour[j] for i, row in enumerate(others) for j in row):
        return False
    return not any(len({colour[a], colour[b], colour[c], colour[d]}) == 2
                   for b, row in enumerate(others) for c in row
                   for a in others[b] - {c} for d in others[c] - {a, b})


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.lists(
    st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=20))))
@settings(max_examples=150, deadline=None)
def test_the_colours_of_a_symmetric_pattern_are_a_star_colouring(
        graph: tuple[int, list[tuple[int, int]]]) -> None:
    near = symmetric(*graph)
    assert is_star_colouring(near, star_colours(near))


@given(st.lists(st.sets(st.integers(0, 7)), max_size=9))
@settings(max_examples=100, deadline=None)
def test_no_two_columns_of_a_colour_share_a_row(rows: list[set[int]]) -> None:
    colour = column_colours(rows, 8)
    assert all(len({colour[j] for j in row}) == len(row) for row in rows)
    assert max(colour) + 1 <= 8


def test_the_check_of_star_colourings_rejects_a_path_in_two_colours() -> None:
    path = symmetric(4, [(0, 1), (1, 2), (2, 3)])
    assert is_star_colouring(path, [0, 1, 0, 2])
    assert not is_star_colouring(path, [0, 1, 0, 1])
    assert not is_star_colouring(path, [0, 0, 1, 2])


def number_of_colours(pattern: Any, symmetric: bool = True) -> int:
    return max(colours(pattern, symmetric=symmetric)) + 1


@pytest.mark.parametrize("hub", [0, 3, 49])
def test_an_arrow_has_two_colours_wherever_its_head_is(hub: int) -> None:
    pattern = np.eye(50)
    pattern[hub] = pattern[:, hub] = 1.0
    assert number_of_colours(pattern) == 2
    assert number_of_colours(pattern, symmetric=False) == 50


def test_colours_of_well_known_patterns() -> None:
    n = 40
    band = scipy.sparse.diags([1.0] * 3, [-1, 0, 1], shape=(n, n))
    assert number_of_colours(band) == 3
    assert number_of_colours(band, symmetric=False) == 3
    assert number_of_colours(np.eye(n)) == 1
    assert number_of_colours(np.ones((n, n))) == n
    assert colours([[1, 1, 1], [1, 1, 0], [1, 0, 1]]) == [0, 1, 2]               # not taken to be symmetric
    grid = symmetric(n * n, [(i * n + j, i * n + j + 1) for i, j in itertools.product(range(n), range(n - 1))]
                     + [(i * n + j, i * n + n + j) for i, j in itertools.product(range(n - 1), range(n))])
    assert max(star_colours(grid)) + 1 <= 8


def test_a_symmetric_pattern_must_be_square() -> None:
    with pytest.raises(ag.InputError, match="as many rows as columns"):
        colours([[1, 0, 1]], symmetric=True)


def test_a_pattern_given_by_one_triangle_is_completed() -> None:
    assert colours([[1, 1, 1], [0, 1, 0], [0, 0, 1]], symmetric=True) == [0, 1, 1]


# -- sets of inputs, and how many sweeps a pattern takes ------------------------------------------------


def test_sets_of_up_to_32_inputs_are_kept_and_larger_ones_are_not() -> None:
    sets, many = colouring._FewInputs(), colouring._MANY
    one, other = frozenset(range(16)), frozenset(range(16, 32))
    both = sets.plus(one, other, 0)
    assert both == frozenset(range(32)) and both is not many
    assert sets.plus(both, frozenset([32]), 0) is many and sets.plus(frozenset([32]), both, 0) is many
    assert sets.plus(both, one, 0) == both and sets.plus(one, frozenset(one), 0) is one
    for i in range(40):
        assert sets.plus(many, frozenset([i]), 0) is many and sets.plus(frozenset([i]), many, 0) is many
    assert sets.plus(many, many, 0) is many and sets.times(one, 2.0, 0, 0) is one


@pytest.mark.parametrize("rows, n, pushes, pulls", [
    ([[k] for k in range(9)], 9, 1, 0), ([list(range(9))], 9, 0, 1), ([[0]] * 9, 1, 1, 0),
    ([[max(0, k - 1), k, min(8, k + 1)] for k in range(9)], 9, 3, 0),
    ([*[[0, k] for k in range(1, 20)]], 20, 2, 0),                          # a full column
    ([list(range(19)), *[[k] for k in range(19)]], 19, 0, 2),               # a full row
    ([list(range(20)), *[[0, k] for k in range(1, 20)]], 20, 1, 2),         # both, and a diagonal
    ([[0, 1], [], [0, 1], [], [0], *[[]] * 13], 12, 2, 0),                  # (both ways it takes 3)
    ([], 5, 0, 0), ([[], []], 3, 0, 0), ([[0, 1], [2, 3]], 4, 0, 1), ([[0], [0], [1], [1]], 2, 1, 0)])
def test_a_jacobian_takes_as_few_sweeps_as_its_pattern_needs(rows: Any, n: int, pushes: int,
                                                             pulls: int) -> None:
    chance = random.Random(8)
    dense = np.zeros((len(rows), n))
    for i, row in enumerate(rows):
        for j in row:
            dense[i, j] = chance.uniform(1.0, 2.0)
    made: list[str] = []

    def push(v: list[float]) -> list[float]:
        made.append("push")
        return [float(x) for x in dense @ np.array(v)]

    def pull(w: list[float]) -> list[float]:
        made.append("pull")
        return [float(x) for x in np.array(w) @ dense]
    found = jacobian_matrix([set(row) for row in rows], n, push, pull)
    assert found.shape == dense.shape and (found.toarray() == dense).all()
    assert (made.count("push"), made.count("pull")) == (pushes, pulls) and found.nnz == sum(
        len(set(row)) for row in rows)
