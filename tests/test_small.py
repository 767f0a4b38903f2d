"""Functions of few operations: what is differentiated without a backward pass, with one, and not at all."""
from __future__ import annotations

import math

import pytest

import autograd_lite as ag
from autograd_lite.transforms.trees import leaves, refill
from autograd_lite.uncertainty import small

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
    (lambda a, b: [a * k for k in range(13)], [2.0 * k for k in range(13)],
     [[float(k), 0.0] for k in range(13)], 0),
    (lambda a, b: {"y": a * b}, {"y": 6.0}, [[3.0, 2.0]], 0),
    (lambda a, b: [[a * b], {"s": a + b}], [[6.0], {"s": 5.0}], [[3.0, 2.0], [1.0, 1.0]], 0),
    (lambda a, b: [a * b, 1.0, 2], [6.0, 1.0, 2], [[3.0, 2.0], [0.0, 0.0], [0.0, 0.0]], 0),
    (lambda a, b: 1.0, 1.0, [[0.0, 0.0]], 0),
]


def called(f, *xs, places=None):
    """What `called` gives for leaves at some places (or all): the result in plain numbers, its derivatives,
    and the leaves."""
    places = range(len(xs)) if places is None else places
    own = [ag.Value(xs[i]) for i in places]
    args = [own[places.index(i)] if i in places else x for i, x in enumerate(xs)]
    result, linear = small.called(f, args, own)
    if linear is None:
        return result, None, own
    rows = [row if type(row) is list else [row.get(i, 0.0) for i in range(len(own))] for _, row in linear]
    return refill(result, [x for x, _ in linear]), rows, own


@pytest.mark.parametrize("f, result, rows, count", FOUND)
def test_a_tree_takes_no_backward_pass_and_what_is_shared_one(passes, f, result, rows, count):
    found, derivatives, own = called(f, 2.0, 3.0)
    assert (found, derivatives, len(passes)) == (result, rows, count) and type(found) is type(result)
    assert [x.data for x in own] == [2.0, 3.0] and not any([x.requires_grad for x in own])
    flat = ag.jacobian(lambda a, b: leaves(f(a, b)), (0, 1))(2.0, 3.0)
    assert flat == [*map(tuple, rows)]


@pytest.mark.parametrize("f, result, rows, count", FOUND)
def test_by_more_than_two_leaves_it_is_the_same(passes, f, result, rows, count):
    found, derivatives, own = called(lambda a, _, b, c: f(a, b), 2.0, 5.0, 3.0, 7.0)
    rows = [[p, 0.0, q, 0.0] for p, q in rows]
    assert (found, derivatives, len(passes)) == (result, rows, count)
    assert not any([x.requires_grad for x in own])


@pytest.mark.parametrize("f", [
    lambda a, b: OTHER, lambda a, b: a * OTHER, lambda a, b: OTHER * a, lambda a, b: math.inf,
    lambda a, b: a * (b - OTHER), lambda a, b: abs(a - 2.0), lambda a, b: ag.maximum(a + 1.0, b) * a,
    lambda a, b: ag.maximum(b, b), lambda a, b: shared(abs(a - 2.0), b), lambda a, b: [],
    lambda a, b: (), lambda a, b: {a * b}, lambda a, b: [a * b, OTHER], lambda a, b: (a * b, abs(b - 3.0)),
    lambda a, b: [a * b, 10 ** 17], lambda a, b: [a * b, True],
    lambda a, b: [a * b, math.nan], lambda a, b: [shared(a, b)] * 13,
    lambda a, b: [OTHER * k for k in range(40)]])
@pytest.mark.parametrize("more", [(), (5.0,)])
def test_what_is_not_a_few_smooth_results_of_the_arguments_is_as_the_function_gave_it(f, more):
    given = []
    found, rows, own = called(lambda a, b, *_: given.append(f(a, b)) or given[0], 2.0, 3.0, *more)
    many = more and isinstance(given[0], list) and len(given[0]) == 13      # (not many of three inputs)
    assert found is given[0] and rows is None or many
    assert [x.data for x in own] == [2.0, 3.0, *more] and not any([x.requires_grad for x in own])
    assert OTHER.grad == 0.0


def test_many_results_that_rest_on_much_take_a_trace():
    def sums(n):
        def f(a):
            found = [a]
            for _ in range(n - 1):
                found.append(found[-1] * 1.5)
            return found
        return f
    rows = called(sums(100), 2.0)[1]
    assert [p for p, in rows] == pytest.approx([1.5 ** k for k in range(100)], rel=1e-14)
    assert called(sums(200), 2.0)[1] is None


def test_what_takes_a_trace_or_a_pass_is_walked_once_before(monkeypatch):
    walked, of_one, of_tree = [], small._of_one, small._of_tree
    monkeypatch.setattr(small, "_of_one", lambda *args: walked.append(args[0]) or of_one(*args))
    monkeypatch.setattr(small, "_of_tree", lambda *args: walked.append(args[0]) or of_tree(*args))

    def sums(*xs):
        found = [xs[0]]
        for k in range(299):
            found.append(found[-1] + xs[k % len(xs)])
        return found
    assert called(sums, 2.0)[1] is None and len(walked) == 1
    assert called(sums, *[2.0] * 4)[1] is None and len(walked) == 2
    assert called(lambda a: shared(a, a), 2.0)[1] == [[32.0]] and len(walked) == 3


def test_an_argument_that_has_no_place_is_given_as_it_is():
    kinds = []

    def f(a, b, c):
        kinds[:] = map(type, (a, b, c))
        return a * b * c
    assert called(f, 2.0, 3.0, 5.0, places=[2, 0])[:2] == (30.0, [[6.0, 15.0]])
    assert kinds == [ag.Value, float, ag.Value]
    assert called(f, 2.0, 3.0, 5.0, places=[])[:2] == (30.0, None) and kinds == [float] * 3
    y = OTHER * 2.0
    assert called(lambda a: y, 2.0, places=[]) == (y, None, [])


def test_a_derivative_that_is_infinite_is_told_by_a_backward_pass(passes):
    with pytest.raises(ag.DomainError, match=r"gradient through sqrt\(0.0\)"):
        called(lambda a, b: ag.sqrt(a) + b, 0.0, 3.0)
    with pytest.raises(ag.RangeError, match="too large for a double"):
        called(lambda a, b: a * 1e200 * 1e200, 1e-300, 3.0)
    assert len(passes) == 2


@pytest.mark.parametrize("f", [lambda a: a, lambda a: a * 2.0, lambda a: {a}, lambda a: [], lambda a: 1 / 0,
                               lambda a: ag.log(a - 2.0), lambda a: [a] * 20])
def test_what_a_function_keeps_of_its_arguments_takes_no_gradient_later(f):
    kept = []
    own = ag.Value(2.0)
    try:
        small.called(lambda a: kept.append(a) or f(a), [own], [own])
    except (ArithmeticError, ValueError):
        pass
    assert kept == [own] and not own.requires_grad and own.operands == ()
