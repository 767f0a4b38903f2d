"""Functions of few operations: what is differentiated without a backward pass, with one, and not at all."""
from __future__ import annotations

import math

import pytest

import autograd_lite as ag
from autograd_lite.graph import small

OTHER = ag.Value(7.0, "other")
FROZEN = ag.Value(7.0, requires_grad=False)


@pytest.fixture
def passes(monkeypatch):
    """The roots of backward passes."""
    found, own = [], small.backward
    monkeypatch.setattr(small, "backward", lambda *args: found.append(args[0]) or own(*args))
    return found


def shared(a, b):
    c = a * b
    return c * c


# Functions of a = 2 and b = 3, their results, their derivatives, and how many backward passes they take.
FOUND = [
    (lambda a, b: a * b, 6.0, [[3.0, 2.0]], 0),
    (lambda a, b: b * a, 6.0, [[3.0, 2.0]], 0),
    (lambda a, b: a - b, -1.0, [[1.0, -1.0]], 0),
    (lambda a, b: b - a, 1.0, [[-1.0, 1.0]], 0),
    (lambda a, b: -a, -2.0, [[-1.0, 0.0]], 0),
    (lambda a, b: b * 5.0, 15.0, [[0.0, 5.0]], 0),
    (lambda a, b: 5.0 * b, 15.0, [[0.0, 5.0]], 0),
    (lambda a, b: a * a, 4.0, [[4.0, 0.0]], 0),
    (lambda a, b: a * a * a, 8.0, [[12.0, 0.0]], 0),
    (lambda a, b: (a * b) * 4.0 - a, 22.0, [[11.0, 8.0]], 0),
    (lambda a, b: 4.0 * (a * b) - a, 22.0, [[11.0, 8.0]], 0),
    (lambda a, b: b - (a + b) * (a * b), -27.0, [[-21.0, -15.0]], 0),
    (lambda a, b: ((a + 1.0) * (b - 1.0)) * ((a - 1.0) * (b + 1.0)), 24.0, [[32.0, 18.0]], 0),
    (lambda a, b: a * FROZEN, 14.0, [[7.0, 0.0]], 0),
    (lambda a, b: FROZEN * b, 21.0, [[0.0, 7.0]], 0),
    (lambda a, b: (a - b) * 1e308, -1e308, [[1e308, -1e308]], 0),
    (lambda a, b: abs(a), 2.0, [[1.0, 0.0]], 0),
    (lambda a, b: ag.atan2(b, a - 2.0), math.pi / 2.0, [[-1.0 / 3.0, 0.0]], 0),
    (lambda a, b: ag.maximum(a, b) * a, 6.0, [[3.0, 2.0]], 0),
    (lambda a, b: ag.maximum(b, a), 3.0, [[0.0, 1.0]], 0),
    (lambda a, b: shared(abs(a), b), 36.0, [[36.0, 24.0]], 1),
    (lambda a, b: ag.relu(b, 0.5), 3.0, [[0.0, 1.0]], 0),
    (lambda a, b: ag.where(ag.less(a, b), a * a, b), 4.0, [[4.0, 0.0]], 1),
    (lambda a, b: ag.where(ag.less(a + 1.0, b), a * a, b), 3.0, [[0.0, 1.0]], 1),
    (shared, 36.0, [[36.0, 24.0]], 1),
    (lambda a, b: ag.sum([a, b, a]), 7.0, [[2.0, 1.0]], 1),
    (lambda a, b: ag.sum([a, a, a]) * 2.0, 12.0, [[6.0, 0.0]], 1),
    (lambda a, b: b, 3.0, [[0.0, 1.0]], 0),
    (lambda a, b: [a * b, a], [6.0, 2.0], [[3.0, 2.0], [1.0, 0.0]], 0),
    (lambda a, b: [a * b], [6.0], [[3.0, 2.0]], 0),
    (lambda a, b: (a * b,), (6.0,), [[3.0, 2.0]], 0),
    (lambda a, b: (a + b, shared(a, b), a * b), (5.0, 36.0, 6.0), [[1.0, 1.0], [36.0, 24.0], [3.0, 2.0]], 1),
    (lambda a, b: [a * k for k in range(12)], [2.0 * k for k in range(12)],
     [[float(k), 0.0] for k in range(12)], 0),
]


@pytest.mark.parametrize("f, result, rows, count", FOUND)
def test_a_tree_takes_no_backward_pass_and_what_is_shared_one(passes, f, result, rows, count):
    found, derivatives, leaves = small.called(f, (2.0, 3.0), [0, 1])
    derivatives = [row if type(row) is list else [row.get(i, 0.0) for i in (0, 1)] for row in derivatives]
    assert (found, derivatives, len(passes)) == (result, rows, count) and type(found) is type(result)
    assert ag.jacobian(f, (0, 1))(2.0, 3.0) == (tuple(rows[0]) if type(result) is float else type(result)(
        map(tuple, rows)))
    assert [x.data for x in leaves] == [2.0, 3.0] and not any([x.requires_grad for x in leaves])


@pytest.mark.parametrize("f", [
    lambda a, b: 1.0, lambda a, b: OTHER, lambda a, b: a * OTHER, lambda a, b: OTHER * a,
    lambda a, b: a * (b - OTHER), lambda a, b: abs(a - 2.0), lambda a, b: ag.maximum(a + 1.0, b) * a,
    lambda a, b: ag.maximum(b, b), lambda a, b: shared(abs(a - 2.0), b), lambda a, b: [],
    lambda a, b: (), lambda a, b: {"y": a * b}, lambda a, b: {a * b}, lambda a, b: [a * b, 1.0],
    lambda a, b: [a * b, OTHER], lambda a, b: (a * b, abs(b - 3.0)),
    lambda a, b: [[a * b]], lambda a, b: [a * k for k in range(13)]])
def test_what_is_not_a_few_smooth_results_of_the_arguments_is_as_the_function_gave_it(f):
    given = []
    found, rows, leaves = small.called(lambda *args: given.append(f(*args)) or given[0], (2.0, 3.0), [0, 1])
    assert found is given[0] and rows is None
    assert [x.data for x in leaves] == [2.0, 3.0] and not any([x.requires_grad for x in leaves])
    assert OTHER.grad == 0.0


def test_an_argument_that_has_no_place_is_given_as_it_is():
    kinds = []

    def f(a, b, c):
        kinds[:] = map(type, (a, b, c))
        return a * b * c
    assert small.called(f, (2.0, 3.0, 5.0), [2, 0])[:2] == (30.0, [[6.0, 15.0]])
    assert kinds == [ag.Value, float, ag.Value]
    assert small.called(f, (2.0, 3.0, 5.0), [])[:2] == (30.0, None) and kinds == [float] * 3
    y = OTHER * 2.0
    assert small.called(lambda a: y, (2.0,), []) == (y, None, [])


def test_a_derivative_that_is_infinite_is_told_by_a_backward_pass(passes):
    with pytest.raises(ag.DomainError, match=r"gradient through sqrt\(0.0\)"):
        small.called(lambda a, b: ag.sqrt(a) + b, (0.0, 3.0), [0, 1])
    with pytest.raises(ag.RangeError, match="too large for a double"):
        small.called(lambda a, b: a * 1e200 * 1e200, (1e-300, 3.0), [0, 1])
    assert len(passes) == 2
