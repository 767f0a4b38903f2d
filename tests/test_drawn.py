"""What the strategies of `autograd_lite.testing` draw from, and how its assertions judge and speak."""
from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import AuditError, Value, testing
from autograd_lite.ops.op import TABLE
from autograd_lite.testing import assert_derivation, assert_gradients, assert_same_gradient, networks, numbers

BOUNDED = "floats(min_value=0.0, max_value=8.0)", "floats(min_value=-8.0, max_value=8.0)"
ANY = "floats(allow_nan=False, allow_infinity=False)"


def pools(strategy):
    """The strategies of floats that one is made of."""
    return re.findall(r"floats\([^)]*\)", repr(strategy))


@pytest.mark.parametrize("domain, expected", [
    (None, [*BOUNDED, ANY]), ("log", [*BOUNDED, ANY]), (lambda x: x > 0.0, [*BOUNDED, ANY]),
    (lambda x: 0.0 < x < 1e-300, [*BOUNDED, ANY]), (lambda x: x == 5e-324, [*BOUNDED, ANY]),
    (lambda x: x <= 0.0, [BOUNDED[1], ANY]), (lambda x: x < 0.0 or x > 8.0, [BOUNDED[1], ANY]),
    (lambda x: x > 8.0, [BOUNDED[1], ANY]), ((2.0, 3.0), ["floats(min_value=2.0, max_value=3.0)"])])
def test_numbers_are_small_ones_above_0_first_if_there_are_any_then_small_then_any(domain, expected):
    assert pools(numbers(domain)) == expected


def test_arguments_and_starts_are_looked_for_in_these_spans():
    assert testing._SPANS == ((0.0, 4.0), (-4.0, 4.0), (-1.0, 1.0), (1.0, 1000.0))
    assert testing._STARTS == ((0.0, 2.0), (-4.0, 4.0)) and testing._TRIES == 10


def test_a_function_is_tried_ten_times_for_a_point():
    calls = []

    def f(x):
        calls.append(x)
        return ag.log(-1.0) if len(calls) < needed else x

    for needed, found in ((10, 1), (11, 0)):
        calls.clear()
        points = []

        @settings(max_examples=1, database=None)
        @given(testing.points(f, 1))
        def draw(point):
            points.append(point)

        draw()
        assert (len(points) == 1 and len(calls) == 10) if found else len(calls) > 10


def test_networks_have_two_to_four_sizes_from_1_to_3_and_weights_from_minus_2_to_2():
    shapes, weights = set(), set()

    @settings(max_examples=200, deadline=None)
    @given(networks())
    def draw(model):
        shapes.add((len(model.layers[0].neurons[0].w), *[len(layer.neurons) for layer in model.layers]))
        weights.update(p.data for p in model.parameters())
    draw()
    assert {len(shape) for shape in shapes} == {2, 3, 4}
    assert {shape[0] for shape in shapes} == {shape[-1] for shape in shapes} == {1, 2, 3}
    assert -2.0 <= min(weights) < -1.5 and 1.5 < max(weights) <= 2.0


# -- assertions ------------------------------------------------------------------------------------------

LONG = st.just([1.0] * 1000)
SHOWN = f"at the point {repr([1.0] * 1000)[:3997]}..."


@pytest.mark.parametrize("call, begins", [
    (lambda: assert_same_gradient(lambda x: x[0], lambda x: 2.0 * x[0], LONG),
     SHOWN + ": the derivatives by number 0 of the argument differ: 1.0 and 2.0"),
    (lambda: assert_gradients(lambda x: x[0], LONG, claimed=lambda x: [2.0] + [0.0] * 999), SHOWN + ":\n"),
    (lambda: assert_gradients(lambda x: wrong(x[0]), LONG, order=1), SHOWN + ":\n")])
def test_of_a_long_point_4000_characters_are_shown_and_nothing_of_hypothesis(call, begins):
    with pytest.raises(AuditError) as caught:
        call()
    assert str(caught.value).startswith(begins)
    assert not [note for note in getattr(caught.value, "__notes__", ()) if "reproduce_failure" in note]


def wrong(x):
    """x, with a wrong derivative."""
    return WRONG(x)


WRONG = ag.custom_op(lambda x: x, (lambda y, x: 3.0,), name="wrong_here")
del TABLE["wrong_here"]                         # (other tests ask all ops)


def same(f, g, x=1.0, **options):
    try:
        assert_same_gradient(f, g, st.just(x), **options)
    except AuditError:
        return False
    return True


@pytest.mark.parametrize("apart, options, agree", [
    (0.9e-9, {}, True), (1.1e-9, {}, False), (-0.9e-9, {}, True), (-1.1e-9, {}, False),
    (0.9e-3, {"rtol": 1e-3}, True), (1.1e-3, {"rtol": 1e-3}, False), (0.0, {"rtol": 0.0}, True)])
def test_gradients_are_the_same_within_a_part_in_a_billion_or_as_is_asked(apart, options, agree):
    assert same(lambda x: 3.0 * x, lambda x: 3.0 * (1.0 + apart) * x, **options) == agree


@pytest.mark.parametrize("rest, agree", [(0.0, True), (2.5e-13, True), (3.5e-13, False), (-2.5e-13, True),
                                         (1e-11, False)])
def test_what_cancels_counts_for_1e_13_of_its_terms_on_both_sides(rest, agree):
    def f(x):
        return ag.sum([x, -x, rest * x])

    def g(x):
        return 0.5 * x - 0.5 * x

    assert same(f, g) == same(g, f) == agree


def test_a_derivation_is_held_to_the_audits_tolerance_at_every_point():
    def forward(x):
        a = Value(x, "a")
        y = a * a
        y.label = "y"
        return y

    assert_derivation(forward, lambda x: {("y", "a"): 2.0 * x}, st.floats(1.0, 2.0))
    with pytest.raises(AuditError, match="at the point 1.5:"):
        assert_derivation(forward, lambda x: {("y", "a"): 2.0 * x + 1e-3 * (x == 1.5)},
                          st.sampled_from([1.0, 1.5]))
