"""What native code is made of, run in Python: functions of floats and of lists against those of `math`, and
against what they are by definition; the runs of the loop over tables; kernels."""
import math
import random
import struct
from fractions import Fraction
from types import FunctionType, SimpleNamespace

import pytest

import autograd_lite as ag
from autograd_lite.native import kernels, loop, objects, runtime, sums
from autograd_lite.native.language import Untranslatable
from autograd_lite.ops import special
from autograd_lite.programs.code import SHARES

nan, inf = math.nan, math.inf


def same(a, b):
    return struct.pack("d", a) == struct.pack("d", b) or a != a and b != b


def of_math(f, *xs):
    """What a function of `math` gives; None where it raises."""
    try:
        return f(*xs)
    except (ValueError, OverflowError):
        return None


# -- functions of `math` that are CPython's own ---------------------------------------------------------


def spread_out(rng, n):
    return [rng.choice((rng.uniform(-5.0, 5.0), rng.uniform(-200.0, 200.0), rng.choice((1.0, -1.0))
                        * 10.0 ** rng.uniform(-22.0, 2.0))) for _ in range(n)]


EIGHTHS = [k / 8.0 for k in range(-8 * 200, 8 * 200 + 1)]
EDGES = [1e-20, math.nextafter(1e-20, 0.0), 1e-300, 23.0, 24.0, 140.0, math.nextafter(140.0, 0.0), 5e-324,
         5.524680040776729583740234375, math.nextafter(5.524680040776729583740234375, 6.0), 0.1, 1.1, 2.1]


def test_gamma_is_that_of_math_to_the_bit_where_that_is_finite_and_above_minus_200():
    points = [*EIGHTHS, *spread_out(random.Random(1), 1500), *EDGES, *[-x for x in EDGES]]
    for x in points:
        y, true = runtime.gamma(x), of_math(math.gamma, x)
        assert not math.isfinite(y) if true is None or x <= -200.0 else same(y, true), x
    for x in (nan, inf, -inf, 200.0, 300.0, -200.0, -200.5, 0.0, -0.0, -1.0, -170.0):
        assert math.isnan(runtime.gamma(x)), x
    assert runtime.gamma(math.nextafter(200.0, 0.0)) == inf


def test_lgamma_is_that_of_math_to_the_bit():
    points = [*EIGHTHS, *spread_out(random.Random(2), 1500), *EDGES, *[-x for x in EDGES], 1e10, 1e300]
    for x in points:
        y, true = runtime.lgamma(x), of_math(math.lgamma, x)
        assert math.isnan(y) if true is None else same(y, true), x
    for x in (nan, inf, -inf, 0.0, -0.0, -1.0, -170.0, -1e300):
        assert math.isnan(runtime.lgamma(x)), x
    assert runtime.lgamma(1.0) == runtime.lgamma(2.0) == 0.0


def test_compiled_lgamma_is_the_eager_one_where_a_sine_is_a_cosine():
    fast = ag.compile(ag.lgamma, target="native")
    for x in (2.5, 3.5, *[-k / 4.0 for k in range(1, 60) if k % 4]):
        assert fast(x) == math.lgamma(x), x


def in_the_middle(a, b):
    """Whether the length of (a, b) is within a millionth of a unit of the middle of two floats."""
    y, unit = Fraction(math.hypot(a, b)), Fraction(math.ulp(math.hypot(a, b)))
    exact = Fraction(a) ** 2 + Fraction(b) ** 2
    return any([abs(exact - m * m) <= 2 * m * unit / 10 ** 6 for m in (y + unit / 2, y - unit / 2)])


def test_hypot_is_that_of_math_to_the_bit_or_in_the_middle_of_two_floats():
    rng, middles = random.Random(3), 0
    sizes = [math.ldexp(x, k) for k in (-1023, -1022, -500, -1, 0, 1, 500, 1022, 1023)
             for x in (1.0, 1.5, math.nextafter(1.0, 0.0), math.nextafter(1.0, 2.0))]
    sizes += [math.ldexp(rng.uniform(0.5, 1.0), rng.randrange(-1020, 1024)) for _ in range(300)]
    for a in [*sizes, math.ldexp(1.0, -1024)]:
        for b in (0.0, -0.0, a, 0.75 * a, -a / 3.0, a * rng.uniform(0.1, 1.0), a * 1e-9, a * 1e-300, 5e-324):
            for x, y in ((a, b), (b, a), (-a, b)):
                found, true = runtime.hypot(x, y), of_math(math.hypot, x, y)
                if found == found or true is None:
                    assert found == inf if true is None else same(found, true), (x, y)
                else:
                    assert in_the_middle(x, y)
                    middles += 1
    assert 100 < middles < 300


def test_hypot_of_nothing_is_zero_and_of_what_is_tiny_or_not_finite_not_sure():
    tiny = math.nextafter(math.ldexp(1.0, -1024), 0.0)
    assert runtime.hypot(0.0, 0.0) == runtime.hypot(-0.0, 0.0) == 0.0
    for a, b in ((tiny, 0.0), (0.0, tiny), (-tiny, tiny), (5e-324, 0.0), (inf, 1.0), (1.0, -inf), (nan, 1.0),
                 (1.0, nan), (0.0, nan), (nan, 0.0), (inf, nan)):
        assert math.isnan(runtime.hypot(a, b)), (a, b)


@pytest.mark.parametrize("f", [runtime.modulo, runtime.floored])
def test_remainders_and_quotients_are_python_s(f):
    rng, op = random.Random(4), (lambda a, b: a % b) if f is runtime.modulo else (lambda a, b: a // b)
    numbers = [0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 0.1, 0.7, -1.3, 1e16, 7.5, 5e-324]
    pairs = [(a, b) for a in numbers for b in numbers if b]
    pairs += [(rng.uniform(-1.0, 1.0) * 10.0 ** rng.uniform(0.0, 17.0), rng.uniform(-1.0, 1.0))
              for _ in range(3000)]
    for a, b in pairs:
        assert math.isinf(a / b) or same(f(a, b), op(a, b)), (a, b)
    assert math.isnan(f(1.0, 0.0)) and math.isnan(f(1.0, -0.0)) and math.isnan(f(0.0, 0.0))


@pytest.mark.parametrize("x", [
    0.0, -0.0, 0.3, -0.3, 1.0, -2.5, 20.0, -36.0, 40.0, 300.0, -710.0, -746.0, inf])
def test_activations_are_those_of_special(x):
    assert same(runtime.sigmoid(x), special.sigmoid(x))
    assert same(runtime.sech2(x), special.sech2(x)) and same(runtime.sech2_of_half(x), special.sech2(0.5 * x))


def test_a_square_is_a_product_unless_it_is_nearly_in_the_middle_of_two_floats():
    elsewhere = FunctionType(runtime.square.__code__, {"math": SimpleNamespace(pow=lambda x, y: -y)})
    rng, ways = random.Random(5), set()
    for _ in range(3000):
        x = rng.uniform(-1.0, 1.0) * 10.0 ** rng.uniform(-120.0, 120.0)
        off = abs(Fraction(x) ** 2 - Fraction(x * x)) / Fraction(math.ulp(x * x))
        if not 0.43 < off < 0.44:               # (about 0.5/1.15)
            ways.add(off < 0.435)
            assert elsewhere(x) == (x * x if off < 0.435 else -2.0), x
    assert len(ways) == 2
    for x in (1e-141, 1e146, 0.0, inf, nan):
        assert elsewhere(x) == -2.0


# -- sums -----------------------------------------------------------------------------------------------


def test_what_a_product_loses_is_exact():
    rng = random.Random(6)
    for _ in range(1000):
        a, b = [rng.uniform(-1.0, 1.0) * 10.0 ** rng.uniform(-50.0, 50.0) for _ in "ab"]
        assert Fraction(a) * Fraction(b) == Fraction(a * b) + Fraction(sums.product_rest(a, b, a * b))


def fdot(*xs):
    return sums.fdot(len(xs), list(xs), [0.0] * len(xs))


def test_fdot_is_rounded_once():
    rng = random.Random(7)
    for n in (1, 2, 3, 4, 5, 8, 11):
        for _ in range(50):
            xs = [rng.choice((0.0, rng.gauss(0.0, 1.0), rng.gauss(0.0, 1e8))) for _ in range(n)]
            exact = sum([Fraction(a) * Fraction(b) for a, b in zip(xs, xs[n // 2:n // 2 * 2])])
            found = fdot(*xs)
            assert found == special.fdot(*xs) == float(exact + Fraction(xs[-1] if n % 2 else 0.0)), xs
    assert fdot(1.0, 1e16, -1e16, 1.0, 1.0, 1.0) == fdot(3.0, 2.0, -5.0, 1.0, 1.0, 1.0) + 1.0


@pytest.mark.parametrize("a, b, sure", [
    (1e-120, 1e-120, True), (-1e-120, 1e-120, True), (1e-125, 1e-126, False), (-1e-125, 1e-126, False),
    (1e-200, 1e-200, False), (0.0, 1e300, True), (1e300, 0.0, True), (-0.0, -1.0, True), (1e145, 1e144, True),
    (1e145, 1e146, False), (-1e145, 1e146, False), (1e291, 1e-100, False), (1e-100, -1e291, False),
    (1.0, 2.0, True), (1e-100, 1e289, True), (inf, 0.0, False), (0.0, nan, False), (inf, 1.0, False)])
def test_fdot_is_not_sure_of_products_that_are_very_large_or_small(a, b, sure):
    found = fdot(1.0, a, 2.0, b)
    assert found == special.fdot(1.0, a, 2.0, b) if sure else math.isnan(found)


def of_list(f, xs):
    return f(len(xs), xs, [0.0] * len(xs)) if f.__code__.co_argcount > 2 else f(len(xs), xs)


ORDERS = [[1.0], [0.5, 2.0], [2.0, 0.5], [1.0, 3.0, 2.0], [3.0, 3.0, 1.0], [-1.0, 3.0, 3.0],
          [0.0, -0.0, -5.0], [1e-17, 0.0, 1e-17], [700.0, -700.0, 699.5], [30.0, 30.0, 30.0],
          [-2.0, -1.0, -3.0, 7.0]]
KINDS = [(getattr(sums, name), getattr(special, name)) for name in (
    "share", "rest_share", "logsumexp", "log_share", "mean", "fsum")]


@pytest.mark.parametrize("xs", ORDERS)
def test_functions_of_lists_are_those_of_special_wherever_the_largest_stands(xs):
    for f, kernel in KINDS:
        assert same(of_list(f, xs), kernel(*xs)), f
    out = [0.0] * len(xs)
    assert sums.shares(len(xs), xs, [0.0] * len(xs), out) == 0 and out == special.shares(xs)


@pytest.mark.parametrize("xs", [[inf, 1.0], [1.0, inf], [nan, 1.0], [1.0, nan], [-inf, -inf]])
def test_functions_of_lists_that_are_not_finite_are_not_sure(xs):
    for f, _ in KINDS:
        assert math.isnan(of_list(f, xs)) or f is sums.fsum, f
    assert sums.shares(2, xs, [0.0] * 2, [0.0] * 2) == 1


def test_the_least_and_the_largest():
    for xs in ORDERS:
        assert sums.least(len(xs), xs) == min(xs) and sums.largest(len(xs), xs) == max(xs)
    assert math.isnan(sums.largest(3, [1.0, 2.0, nan])) and math.isnan(sums.largest(3, [nan, 2.0, 1.0]))
    for xs in ([0.0, -inf], [-inf, 0.0]):
        assert math.isnan(of_list(sums.log_share, xs))
    assert math.isnan(of_list(sums.mean, [1e308, 1e308])) and sums.mean(4, [1.0, 2.0, 3.0, 5.0]) == 2.75


# -- runs of the loop -----------------------------------------------------------------------------------

MEMORY = [1.5, -2.0, 3.25, 0.5, 7.0, -1.0]


def run(f, table, *facts):
    """The memory after a run, from place 6 on."""
    m = [*MEMORY, *[nan] * 12]
    assert f(m, table, *facts) == 0.0
    return m[6:]


def test_runs_write_one_number_after_another():
    a, b, c, d, e, f = MEMORY
    assert run(loop.sums, [0, 1, 2, 3, 4, 5, 4, 3, 2, 1], 2, 7, 5, 1)[1:3] == [
        (a * b + c * d) * e, (f * e + d * c) * b]
    assert run(loop.gather, [5, 0, 3], 3, 6, 1, 1)[:3] == [f, a, d]
    assert run(loop.copied, [5, 0, 3, 1], 2, 6, 2, 2)[:4] == [f, a, d, b]
    assert run(loop.alone, [0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 5, 5], 2, 8, 3, 1)[2:4] == [
        a * b + c * d + e * f, e * d + c * b + f * f]


@pytest.mark.parametrize("index, at", [
    (0.0, 0), (1.0, 1), (2.0, 2), (2.9, 2), (-0.5, 0), (-1.0, 2), (-3.0, 0), (3.0, None), (-4.0, None),
    (nan, None), (2147483648.0, None), (-2147483648.0, None), (2147483647.0, None), (4294967296.0, None),
    (inf, None), (-inf, None), (-4294967295.0, None)])
def test_an_item_is_the_one_of_python_s_lists_or_none(index, at):
    for places in ([1, 2, 3], [0, 2, 4], [1, 1, 1]):
        m = [*MEMORY, index, nan, nan]
        table = [3, *places[:2], places[-1], 6, *places[:2], places[-1]]
        m[3] = 1.0
        assert loop.item(m, table, 2, 7, 4, 1) == 0.0
        assert m[7] == m[places[1]]
        if at is not None:
            assert m[8] == m[places[at]]
        elif places[0] < places[1]:             # (of places that are one there is each)
            assert math.isnan(m[8])


def test_an_item_of_a_list_of_one():
    m = [5.0, 0.0, -1.0, 1.0, nan, nan, nan]
    loop.item(m, [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0], 3, 4, 4, 1)
    assert m[4:6] == [5.0, 5.0]


@pytest.mark.parametrize("index, at", [
    (0.0, 0), (1.0, 1), (2.0, 2), (-1.0, 2), (-3.0, 0), (-0.5, 0), (3.0, None), (-4.0, None), (nan, None),
    (2147483648.0, None), (-2147483648.0, None), (4294967297.0, None), (-4294967297.0, None), (inf, None)])
def test_terms_are_added_at_indices_of_python_s_lists(index, at):
    m = [index, 10.0, 1.0, 2.0, *[nan] * 8]
    assert loop.added(m, [0, 1, 2, 3, 2, 1, 2, 3, 2, 3, 0, 1], 2, 5, 6, 3) == 0.0
    first, second = [0.0, 12.0, 0.0], [0.0, 4.0, 0.0]
    if at is None:
        assert math.isnan(m[5]) and math.isnan(m[8]) and m[6:8] == first[1:] and m[9:11] == second[1:]
    else:
        first[at] += 10.0
        second[at] += 10.0
        assert m[5:11] == first + second
    assert math.isnan(m[4]) and math.isnan(m[11])


@pytest.mark.parametrize("count", range(11))
def test_whether_numbers_are_finite(count):
    places = [(3 * k + 2) % 11 for k in range(11)]
    for k in range(11):
        for odd in (nan, inf, -inf, 1e308):
            m = [1.0] * 11
            m[places[k]] = odd
            assert loop.finite(m, places, count) == (k >= count or odd == 1e308)
    assert loop.finite([1e308] * 11, places, count) == 1


@pytest.mark.parametrize("events, status", [
    ([], loop.DONE), ([(1, 0, -1)], loop.DONE), ([(2, 0, -1)], -1), ([(3, 0, -1)], -1),
    ([(2, 4, -1)], loop.DONE), ([(1, 0, 5)], 5), ([(0, 0, 5)], loop.DONE), ([(4, 0, 0)], 0), ([(3, 0, 7)], 7),
    ([(4, 4, 7)], loop.DONE), ([(0, 0, -2)], loop.DONE), ([(4, 0, -2)], -1), ([(4, 4, -2)], loop.DONE),
    ([(0, 0, 3), (1, 0, -1), (4, 0, 4), (2, 0, -1)], 4), ([(1, 0, -1), (2, 0, -1), (4, 0, 4)], -1)])
def test_the_first_event_that_fails_is_told(events, status):
    m = [1.0, 2.5, nan, inf, 0.0]
    assert loop.judged(m, [x for event in events for x in event], len(events)) == status
    assert loop.EAGER == -1 and loop.DONE == -2


def test_what_is_for_native_code_alone_says_so_in_python():
    with pytest.raises(TypeError, match="^for native code alone$"):
        loop.replay([0] * 16, [], [])
    with pytest.raises(TypeError, match="^PyList_Size is for native code alone$"):
        objects.list_size([])


# -- kernels --------------------------------------------------------------------------------------------


def test_an_answer_is_of_its_own_kind():
    def holds(made, *xs):
        return made.routine.names[0][1](*xs)

    truth, one, word = [kernels.guarding("#1", x, 1) for x in (True, 1, "a")]
    assert holds(truth, 2.0) == holds(truth, 1.0) == holds(one, 1.0) == 1.0
    assert holds(truth, 0.0) == holds(one, 2.0) == holds(word, 2.0) == 0.0
    assert holds(kernels.guarding("math.floor(#2) > #1", False, 2), 1.0, 1.5) == 1.0


def test_what_has_no_native_form_is_refused():
    with pytest.raises(Untranslatable, match="is a function of the user's"):
        kernels.kernel_of(SHARES, (None,))

    class Longest:
        open, forward = True, max

    with pytest.raises(Untranslatable, match="Longest'> has no native form$"):
        kernels.kernel_of(Longest, (None, None))
    assert kernels.siding(True).arity == kernels.siding(False).arity == 2
    assert kernels.checking(SimpleNamespace(source="", holds=max), (None, 2.0)).arity == 2
