"""Numbers of other kinds: what each is called, how they compare and convert; and rare edges of ops."""
from __future__ import annotations

import itertools
import math
import pickle
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from mpmath import iv, mp

import autograd_lite as ag
from autograd_lite import Value, evaluate
from autograd_lite.ops import special
from autograd_lite.ops.op import TABLE, Op
from autograd_lite.programs.namespaces import array_text
from autograd_lite.transforms.kinds import kind_of

KINDS = {"a real number": float, "a rational number": Fraction, "a real number of mpmath's": mpmath.mpf,
         "an interval": iv.mpf}


@pytest.mark.parametrize("number", KINDS.values(), ids=KINDS)
def test_a_kind_compares_two_numbers_by_the_sign_of_their_difference(number):
    kind = kind_of(number)
    for a, b in itertools.product((-2, 0, 1, 3), repeat=2):
        assert kind.compare(kind.mpf(a), kind.mpf(b)) == (a > b) - (a < b)
    if number in (float, mpmath.mpf):
        for a, b in ((math.nan, 1.0), (1.0, math.nan), (math.nan, math.nan)):
            assert math.isnan(kind.compare(kind.mpf(a), kind.mpf(b)))


def test_intervals_that_overlap_leave_a_comparison_open_and_it_is_that_of_their_middles():
    kind = kind_of(iv.mpf)
    for a, b, open_, sign in [((0, 1), (2, 3), False, -1), ((2, 3), (0, 1), False, 1),
                              ((0, 2), (1, 5), True, -1),
                              ((1, 5), (0, 2), True, 1), ((0, 2), (2, 3), True, -1),
                              ((-1, 1), (0, 0), True, 0),
                              ((2, 2), (2, 2), False, 0), ((0, 4), (2, 2), True, 0),
                              ((1, 2), (1, 2), True, 0),
                              ((0, 1), (-9, 2), True, 1), ((-4, 1), (0, 0), True, -1)]:
        kind.undecided = False
        assert (kind.compare(iv.mpf(a), iv.mpf(b)), kind.undecided) == (sign, open_), (a, b)
        kind.undecided = False
        if open_:
            with pytest.raises(ValueError):
                kind.decided(iv.mpf(a), iv.mpf(b))
        else:
            assert kind.decided(iv.mpf(a), iv.mpf(b)) == sign
        assert not open_ or kind.undecided


@pytest.mark.parametrize("number, wrong, said", [
    (float, None, "evaluate, 'x': None is not a real number"),
    (Fraction, math.inf, "evaluate, 'x': inf is not a rational number"),
    (mpmath.mpf, 1j, "evaluate, 'x': 1j is not a real number"),
    (iv.mpf, "a", "evaluate, 'x': 'a' is not an interval")])
def test_what_is_no_number_of_a_kind_is_refused_by_its_name(number, wrong, said):
    x = Value(1.0, "x")
    with pytest.raises(ag.InputError) as caught:
        evaluate(x * 2.0, {x: wrong}, number)
    assert str(caught.value) == said


def test_an_op_that_a_kind_lacks_is_said_to_be_lacking():
    lacking = ag.custom_op(lambda x: x, (lambda y, x: 1.0,), name="lacking", form=lambda m, x: m.none_such(x))
    x = Value(1.0, "x")
    try:
        for number, said in [(Fraction, "lacking has no exact rational value; use number=mpmath.mpf"),
                             (mpmath.mpf, "lacking is not written for mpmath"),
                             (iv.mpf, "lacking is not written for intervals")]:
            with pytest.raises(ag.InputError, match=f"^lacking.* of 'x': {said}$"):
                evaluate(lacking(x), number=number)
    finally:
        del TABLE["lacking"]


def test_a_form_that_gives_no_number_of_the_kind_or_one_too_large_says_so():
    for form, error, said in [(lambda m, x: [x], ag.InputError, "its form does not give a rational number"),
                              (lambda m, x: m.power(x, x / 0), ag.DivisionError, "the operand must lie"),
                              (lambda m, x: (_ for _ in ()).throw(OverflowError()), ag.RangeError,
                               "the result is too large for a rational number")]:
        op = ag.custom_op(lambda x: x, (lambda y, x: 1.0,), name="mine", form=form,
                          remedy="the operand must lie")
        try:
            with pytest.raises(error, match=said):
                evaluate(op(Value(2.0, "x")), number=Fraction)
        finally:
            del TABLE["mine"]


def test_a_fraction_is_converted_to_the_last_digit_and_to_an_interval_that_holds_it():
    x, third, before = Value(1.0, "x"), Fraction(1, 3), iv.dps
    with mp.workdps(40):
        assert evaluate(x * 1.0, {x: third}, mpmath.mpf) == mp.mpf(1) / 3
    try:
        iv.dps = 30
        held = evaluate(x * 1.0, {x: third}, iv.mpf)
    finally:
        iv.dps = before
    low, high = [Fraction(int(mp.ldexp(mp.make_mpf(end), 200)), 2 ** 200) for end in held._mpi_]
    assert low < third < high and high - low < Fraction(1, 10 ** 29)


def test_degrees_are_converted_with_all_digits():
    x = Value(1.0, "x")
    with mp.workdps(50):
        assert abs(evaluate(np.deg2rad(x), {x: 180}, mpmath.mpf) - mp.pi) < mp.mpf(10) ** -49
        assert abs(evaluate(np.rad2deg(x), {x: mp.pi}, mpmath.mpf) - 180) < mp.mpf(10) ** -47
    assert np.radians(x).data == math.radians(1.0) and np.degrees(x).data == math.degrees(1.0)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_polygamma_a_billion_below_0_takes_no_billion_steps(n):
    x = mp.mpf(-1e9) - 0.25
    with mp.workdps(60):
        far = evaluate(ag.polygamma(n, Value(float(x), "x")), number=mpmath.mpf)
        cotangent = [mp.pi * mp.cot(mp.pi * mp.mpf(0.25)), -mp.pi ** 2 / mp.sin(mp.pi / 4) ** 2,
                     2 * mp.pi ** 3 * mp.cot(mp.pi / 4) / mp.sin(mp.pi / 4) ** 2][n]
        truth = (-1) ** n * mp.psi(n, 1 - x) + cotangent * (1, -1, 1)[n]
        assert abs(far - truth) < 1e-50 * abs(truth)


@pytest.mark.parametrize("number", [float, mpmath.mpf])
def test_nothing_times_an_infinite_slope_is_nan_where_errors_are_ignored_and_else_nothing(number):
    x = Value(1.0, "x")
    y = 0.0 * ag.sqrt(x * x)
    assert evaluate(y, {x: 0}, number, wrt=x) == 0
    with ag.errstate("ignore"):
        assert math.isnan(evaluate(y, {x: 0}, number, wrt=x))


# -- ops -----------------------------------------------------------------------------------------------------

def distance(a, b):
    """That of a from the nearest multiple of b, negative from an odd multiple up to the next."""
    nearest = abs(a - round(a / b) * b)
    return -nearest if math.floor(a / abs(b)) % 2 else nearest


@pytest.mark.parametrize("b", [2.0, -2.0, 0.3, 7.5, -1e-3])
def test_the_kink_of_a_remainder_is_the_distance_from_the_nearest_multiple(b):
    for a in (0.0, 0.1, 1.0, 1.7, 2.5, 3.9, 5.25, 6.0, -0.1, -1.1, -2.6, -7.3, 100.2):
        truth = distance(Fraction(a), Fraction(b))
        for name in ("%", "//"):
            assert TABLE[name].kink(Fraction(a), Fraction(b)) == truth
            assert TABLE[name].kink(a, b) == pytest.approx(float(truth), rel=1e-12, abs=1e-13)


def test_the_kink_of_a_remainder_by_the_largest_numbers_is_in_range():
    assert TABLE["%"].kink(1e308, 1.5e308) == pytest.approx(5e307)
    assert TABLE["%"].kink(-3.0, 1e308) == -3.0


def test_a_power_differentiated_a_hundred_times_is_0_where_it_underflows_and_its_factors_overflow():
    assert special.power_slope(1.0 - 1e-6, 1e10, 100.0, 0.0) == 0.0
    assert special.power_slope(0.5, 1e200, 2.0, 0.0) == 0.0


def test_an_op_that_is_not_in_the_table_cannot_be_pickled():
    lonely = Op("lonely", lambda x: x, (lambda y, x: 1.0,))
    with pytest.raises(ag.InputError, match="^cannot pickle the op 'lonely': it is not in the table$"):
        pickle.dumps(lonely)


def test_an_op_takes_at_least_the_operands_without_a_default():
    for f, least, most in [(lambda x: x, 1, 1), (lambda x, n=0.0: x, 1, 2), (lambda a, b: a, 2, 2),
                           (math.atan2, 2, 2), (math.sin, 1, 1)]:
        op = Op("some", f, (None,) * int(most))
        assert (op.least, op.most, op.open) == (least, most, False)
    for many in (lambda *xs: xs[0], lambda first, *rest: first):
        op = Op("many", many, lambda y, xs: [1.0] * len(xs))
        assert (op.least, op.most, op.open) == (1, math.inf, True)


@pytest.mark.parametrize("call", [lambda v: np.add(v, "a"), lambda v: v + "a", lambda v: ag.hypot(v, "a"),
                                  lambda v: np.hypot(v, "a")])
def test_text_among_operands_is_refused_in_one_way(call):
    with pytest.raises(ag.InputError) as caught:
        call(Value(2.0, "v"))
    assert str(caught.value).partition(": ")[2] == (
        "expected a real number, got str 'a': convert it with float(...)")


@pytest.mark.parametrize("a, b, k, n, y", [
    (math.inf, 0.0, 2.0, 0.0, 0.0), (math.inf, 2.0, 3.0, 0.0, 0.0), (math.inf, 2.0, 2.0, 0.0, 2.0),
    (math.inf, 3.0, 1.0, 0.0, math.inf),
    (math.inf, 2.0, 3.0, 1.0, 0.0), (math.inf, 2.0, 2.0, 1.0, math.inf), (math.inf, -1.0, 0.0, 0.0, 0.0),
    (math.inf, 1.0, 2.0, 1.0, 0.0), (math.inf, 0.0, 1.0, 1.0, 0.0), (math.inf, 1.0, 1.0, 0.0, 1.0),
    (2.0, math.inf, 1.0, 1.0, math.inf), (0.5, -math.inf, 1.0, 0.0, -math.inf),
    (0.5, -math.inf, 1.0, 1.0, math.inf), (0.5, -math.inf, 0.0, 1.0, -math.inf),
    (0.5, math.inf, 1.0, 0.0, 0.0)])
def test_a_power_differentiated_at_infinity_is_its_limit(a, b, k, n, y):
    found = special.power_slope(a, b, k, n)
    assert found == y and math.copysign(1.0, found) == math.copysign(1.0, y)


def test_functions_of_infinite_and_missing_operands():
    for name, xs, y in [("over_square", (math.inf, 1.0), "0.0"), ("over_square", (-math.inf, 1.0), "-0.0"),
                        ("over_square", (2.0, math.inf), "0.0"), ("over_square", (-2.0, math.inf), "-0.0"),
                        ("over_square", (math.inf, math.nan), "nan"),
                        ("logsumexp", (math.inf, math.nan), "nan"),
                        ("logsumexp", (math.nan, math.inf), "nan"), ("logsumexp", (math.inf, 1.0), "inf"),
                        ("logsumexp", (-math.inf, -math.inf), "-inf")]:
        assert repr(TABLE[name].forward(*xs)) == y, (name, xs)


def test_whole_numbers_of_a_value_are_cut_towards_0():
    for x, y in [(-1.5, -1.0), (-0.25, 0.0), (0.0, 0.0), (0.75, 0.0), (2.5, 2.0), (3.0, 3.0)]:
        assert np.trunc(Value(x)).data == y == math.trunc(x)


def test_the_second_slope_of_0_by_the_exponent_is_0_in_mpmaths_numbers_too():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    for order in (1, 2):
        assert evaluate(x ** y, {x: 0}, mpmath.mpf, wrt=y, order=order) == 0


@pytest.mark.parametrize("n", [1, 49, 50, 51, 52, 100, 101])
def test_a_long_sum_over_arrays_has_each_of_its_terms_once(n):
    text = array_text(TABLE["sum"], [f"x{k}" for k in range(n)])
    assert eval(text, {f"x{k}": 2 ** k for k in range(n)}) == 2 ** n - 1
    assert ("sum(" in text) is (n > 50) and text.count("+") == min(n, 50) - 1


def test_the_text_of_a_long_list_is_cut_to_70_letters_in_a_message():
    for letters in (1, 82, 83, 84, 200):
        text = TABLE["sum"].notation.message("x" * letters).text
        whole = f"sum([{'x' * letters}])"
        assert text == (whole if letters <= 83 else f"sum([{'x' * 65}… 1 operands)")


class Marked(np.ndarray):
    """An array with something called a mask."""

    mask = "a face"


def test_an_array_with_a_mask_that_is_none_of_numpys_is_an_array():
    x = np.array([0.5, 2.0]).view(Marked)
    assert np.asarray(ag.log(x)).tolist() == [math.log(0.5), math.log(2.0)]
    with pytest.raises(ag.InputError, match="a masked entry is not a number"):
        ag.log(np.ma.array([1.0, 2.0], mask=[True, False]))


# -- custom ops ----------------------------------------------------------------------------------------------

def test_functions_that_do_not_tell_their_arguments_are_taken_as_they_are():
    both = ag.custom_op(max, lambda y, xs: [1.0 if x == y else 0.0 for x in xs], name="largest of these")
    one = ag.custom_op(lambda a, b: a * b, (lambda y, a, b: b, max), name="with a slope of Python's")
    try:
        assert both(1.0, 3.0, 2.0) == 3.0 and ag.grad(lambda x: both(x, 1.0))(2.0) == 1.0
        assert ag.grad(one, 1)(5.0, 2.0) == 10.0
    finally:
        del TABLE["largest of these"], TABLE["with a slope of Python's"]


@pytest.mark.parametrize("error, slope", [(OverflowError, math.inf), (ZeroDivisionError, math.nan),
                                          (ValueError, math.nan)])
@pytest.mark.parametrize("many", [False, True])
def test_where_errors_are_ignored_a_rule_that_overflows_is_infinite_and_one_that_fails_nan(error, slope,
                                                                                           many):
    def fails(*operands):
        raise error("mine")
    op = ag.custom_op((lambda *xs: xs[0]) if many else (lambda x: x), fails if many else (fails,),
                      name="failing")
    try:
        with ag.errstate("ignore"):
            assert repr(ag.grad(op)(1.5)) == repr(slope)
        with pytest.raises(ag.NumericError):
            ag.grad(op)(1.5)
    finally:
        del TABLE["failing"]
