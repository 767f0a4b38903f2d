"""What a custom op's own functions do wrong: in every mode an error that says which and quotes them."""
import copy
import decimal
import math
import pickle
from fractions import Fraction

import mpmath
import numpy
import pytest

import autograd_lite as ag
from autograd_lite import Value, custom_op, errstate, evaluate
from autograd_lite.ops.op import TABLE

CAPTURED = Value(5.0, "captured")


@pytest.fixture
def op():
    """`custom_op`, whose ops leave the table with the test."""
    names = set(TABLE)

    def make(forward, partials, name="mine", **facts):
        return custom_op(forward, partials, name=name, **facts)
    yield make
    for name in set(TABLE) - names:
        del TABLE[name]


def recorded(f, at=1.5):
    x = Value(at, "x")
    return x, f(x)


def backward(f, at=1.5):
    x, y = recorded(f, at)
    (2.0 * y).backward()
    return x.grad


FIRST = {"backward": backward, "grad": lambda f: ag.grad(f)(1.5), "jvp": lambda f: ag.jvp(f, (1.5,), (1.0,)),
         "vjp": lambda f: ag.vjp(f, 1.5)[1](1.0)}
HIGHER = {"grad of grad": lambda f: ag.grad(ag.grad(f))(1.5), "hessian": lambda f: ag.hessian(f)(1.5),
          "hvp": lambda f: ag.hvp(f, (1.5,), (1.0,)), "derivative": lambda f: ag.derivative(f, 2)(1.5),
          "taylor": lambda f: ag.taylor(f, 1.5, 2)}


def evaluated(number):
    def run(f):
        x, y = recorded(f)
        return evaluate(y, number=number, wrt=x)
    return run


EVALUATED = {number.__name__: evaluated(number) for number in (float, Fraction, mpmath.mpf)} | {
    "interval": evaluated(mpmath.iv.mpf)}
ALL = FIRST | HIGHER | EVALUATED


def each(modes):
    return pytest.mark.parametrize("mode", modes.values(), ids=modes)


def raising(error):
    def function(*operands):
        raise error
    return function


def square(op, rule, **more):
    return op(lambda x: x * x, (rule,), form=lambda m, x: x * x, **more)


def open_square(op, rule):
    return op(lambda *xs: xs[0] * xs[0], lambda y, xs: [rule(y, xs[0])], form=lambda m, *xs: xs[0] * xs[0])


@pytest.mark.parametrize("made", [square, open_square])
@pytest.mark.parametrize("rule", [
    lambda y, x: CAPTURED, lambda y, x: CAPTURED * 2.0, lambda y, x: Value(2.0) * x, lambda y, x: Value(x)])
@each(ALL)
def test_a_rule_that_returns_a_value_not_made_of_its_operands_is_refused(op, made, rule, mode):
    with pytest.raises(ag.InputError, match=r"partial of mine by operand 1 returned Value.*use its \.data"):
        mode(made(op, rule))


@pytest.mark.parametrize("p", [2, True, numpy.float64(2.0), numpy.int64(2), numpy.array(2.0), Fraction(2)])
def test_a_rule_that_returns_any_real_number_gives_a_float(op, p):
    for made in (square, open_square):
        mine = made(op, lambda y, x: p)
        assert type(backward(mine)) is float and backward(mine) == 2.0 * float(p)
        assert ag.grad(mine)(1.5) == ag.jvp(mine, (1.5,), (1.0,))[1] == ag.taylor(mine, 1.5, 1)[1] == float(p)
        assert EVALUATED["Fraction"](mine) == float(p)
        del TABLE["mine"]


@pytest.mark.parametrize("made", [square, open_square])
@pytest.mark.parametrize("p", [None, "2", 2j, [2.0], decimal.Decimal(2), numpy.array([2.0])])
@each(ALL)
def test_a_rule_that_returns_no_real_number_is_refused(op, made, p, mode):
    with pytest.raises(ag.InputError, match="the partial of mine by operand 1: expected a real number, got"):
        mode(made(op, lambda y, x: p))


@pytest.mark.parametrize("made", [square, open_square])
@pytest.mark.parametrize("error, kind", [
    (ValueError("outside my table"), ag.DomainError), (ZeroDivisionError("outside my table"), ag.DomainError),
    (ag.DomainError("outside my table"), ag.DomainError)])
@each(ALL)
def test_a_rules_own_numeric_error_is_quoted_and_is_the_cause(op, made, error, kind, mode):
    mine = made(op, raising(error))
    with pytest.raises(kind, match=r"mine\(.*the partials? of mine.*outside my table") as caught:
        mode(mine)
    causes, cause = list[object](), caught.value.__cause__
    while cause is not None:
        causes, cause = [*causes, cause], cause.__cause__
    assert error in causes


@pytest.mark.parametrize("mode", [*FIRST.values(), *HIGHER.values()], ids=[*FIRST, *HIGHER])
def test_a_rule_that_overflows_is_an_error_of_range_in_its_words(op, mode):
    with pytest.raises(ag.RangeError, match=r"gradient through mine\(1.5.*partial of mine.*beyond my table"):
        mode(square(op, raising(OverflowError("beyond my table"))))


def test_what_a_rule_fails_by_is_nan_or_infinite_where_that_is_wanted(op):
    lost = square(op, raising(ValueError("no")))
    large = square(op, raising(OverflowError("no")), name="large")
    with errstate("ignore"):
        assert math.isnan(backward(lost)) and backward(large) == math.inf
    x, y = recorded(lost)
    assert math.isnan(y.partials[0]) and y.data == 2.25
    ag.explain(y)
    (0.0 * y).backward()                        # a gradient of 0 needs no partial
    assert x.grad == 0.0


@pytest.mark.parametrize("made", [square, open_square])
@pytest.mark.parametrize("rule", [lambda y, x: 2.0 * math.exp(x), lambda y, x: 2.0 * float(x),
                                  lambda y, x: 2.0 * round(x), lambda y, x: 2.0 * x.hex().count("x")])
def test_a_rule_written_with_math_holds_at_the_first_order_and_says_so_elsewhere(op, made, rule):
    mine = made(op, rule)
    assert backward(mine) == 2.0 * ag.grad(mine)(1.5) == 2.0 * rule(0.0, 1.5)
    for mode in (*HIGHER.values(), *EVALUATED.values()):
        with pytest.raises(ag.InputError, match=r"partials? .*of mine.*\(autograd_lite.exp, not math.exp\)"):
            mode(mine)


@pytest.mark.parametrize("function", ["forward", "rule", "form", "domain"])
@pytest.mark.parametrize("error", [TypeError("my words"), KeyError("my words"), RuntimeError("my words"),
                                   RecursionError("my words"), AssertionError("my words")])
def test_any_other_error_keeps_its_words_and_says_where_it_arose(op, function, error):
    parts = {"forward": lambda x: x * x, "rule": lambda y, x: 2.0 * x, "form": lambda m, x: x * x,
             "domain": lambda x: True} | {function: raising(error)}
    forward = parts["forward"]
    mine = op(lambda x: forward(x), (parts["rule"],), form=parts["form"], domain=parts["domain"])
    with pytest.raises(type(error), match="my words") as caught:
        EVALUATED["mpf"](mine)
    if isinstance(error, TypeError):
        assert isinstance(caught.value, ag.InputError) and "of mine" in str(caught.value)
    else:
        assert caught.value is error and "of mine" in str(error.__notes__)


@pytest.mark.parametrize("error, kind", [(ValueError("off the chart"), ag.DomainError),
                                         (ZeroDivisionError("off the chart"), ag.DivisionError),
                                         (OverflowError(34, "off the chart"), ag.RangeError)])
def test_a_numeric_error_of_the_function_or_form_is_quoted_and_is_the_cause(op, error, kind):
    fails = raising(error)
    mine = op(lambda x: fails(x), (lambda y, x: 2.0 * x,), remedy="stay inside")
    with ag.record_lines():
        x = Value(1.5, "x")
        for use in (lambda: mine(1.5), lambda: mine(x), lambda: ag.grad(mine)(1.5)):
            with pytest.raises(kind, match=r"mine\(1.5\).*\(off the chart\)") as caught:
                use()
            assert caught.value.__cause__ is error and caught.value.operands == (1.5,)
    formed = op(lambda x: x * x, (lambda y, x: 2.0 * x,), "formed", form=raising(error))
    x, y = recorded(formed)
    for number in (mpmath.mpf, mpmath.iv.mpf, Fraction):
        with pytest.raises(kind, match=r"formed\(.*the form of formed: off the chart"):
            evaluate(y, number=number)
    with errstate("ignore"):
        assert not math.isfinite(mine(1.5))


@pytest.mark.parametrize("result", [CAPTURED, None, "2", [2.0], 2j])
def test_a_function_or_form_that_returns_no_number_is_refused(op, result):
    with pytest.raises(ag.InputError, match="the function of mine"):
        op(lambda x: result, (lambda y, x: 2.0 * x,))(Value(1.5))
    formed = op(lambda x: x * x, (lambda y, x: 2.0 * x,), "formed", form=lambda m, x: result)
    for number in (mpmath.mpf, mpmath.iv.mpf, Fraction):
        if result != "2":                       # (from which mpmath makes a number)
            with pytest.raises((ag.InputError, ag.DomainError), match=r"formed\("):
                evaluate(formed(Value(1.5)), number=number)


@pytest.mark.parametrize("number", [float, Fraction, mpmath.mpf, mpmath.iv.mpf])
def test_a_form_is_asked_within_the_domain_alone(op, number):
    mine = op(lambda x: x * x, (lambda y, x: 2.0 * x,), form=lambda m, x: x * x, domain=lambda x: x >= 1.0)
    x = Value(1.5, "x")
    assert float(evaluate(mine(x), {x: number(2)}, number)) == 4.0
    with pytest.raises(ag.DomainError, match="mine"):
        evaluate(mine(x), {x: number(0.5)}, number)


def test_a_function_that_returns_nan_leaves_its_domain(op):
    with pytest.raises(ag.DomainError, match=r"mine\(1.5\): the operands must .*\(it returned nan\)"):
        op(lambda x: math.nan, (lambda y, x: 2.0,))(1.5)


@pytest.mark.parametrize("p", [math.nan, math.inf])
@each(ALL)
def test_a_partial_that_is_not_finite_is_an_error_in_every_mode(op, p, mode):
    with pytest.raises(ag.NumericError, match=r"mine\(.*(derivative here|too large)"):
        mode(square(op, lambda y, x: p))


def test_a_type_error_of_a_function_with_an_option_is_not_a_wrong_number_of_operands(op):
    mine = op(lambda x, k=2.0: None + x, (lambda y, x, k=2.0: k * x, None))
    with pytest.raises(ag.InputError, match="the function of mine: unsupported operand"):
        mine(1.5)
    with pytest.raises(ag.InputError, match="takes the operands"):
        mine(1.5, 2.0, 3.0)


@pytest.mark.parametrize("forward", [lambda x, *, k=2.0: k * x, lambda x, **options: x, pytest.param(
    numpy.exp, marks=pytest.mark.skipif(numpy.__version__ < "2.4", reason="it has no signature"))])
def test_a_function_that_takes_something_by_name_alone_is_refused(op, forward):
    with pytest.raises(ag.InputError, match="by name alone.*wrap it"):
        op(forward, (lambda y, x: 1.0,))


def test_a_rule_that_changes_its_list_of_operands_changes_nothing(op):
    def rule(y, xs):
        found = [2.0 * xs[0], 0.0 * xs[1]]
        xs.clear()
        return found
    mine = op(lambda *xs: xs[0] * xs[0], rule, form=lambda m, *xs: xs[0] * xs[0])
    a, b = Value(3.0), Value(4.0)
    y = mine(a, b)
    y.backward()
    assert (a.grad, b.grad, y.operands) == (6.0, 0.0, (a, b))
    assert ag.hessian(lambda p: mine(*p))([3.0, 4.0]) == [[2.0, 0.0], [0.0, 0.0]]
    assert evaluate(y, number=Fraction, wrt=[a, b]) == [6, 0]


# -- messages at finite operands ---------------------------------------------------------------------


@pytest.mark.parametrize("f, x, y, exact", [
    (ag.dot, [1e200, 1e200], [1e200, -1e200], 0.0),
    (ag.dot, [1e200, 1e200, 1e200], [1e200, 1e-200, -1e200], 1.0)])
def test_a_sum_of_products_that_overflows_on_the_way_says_so_and_how_to_go_on(f, x, y, exact):
    for operands in (x, list(map(Value, x))):
        with pytest.raises(ag.RangeError, match=r"dot\(\[1e\+200, .*on the way.*exact=True"):
            f(operands, y)
        total = f(operands, y, exact=True)
        assert getattr(total, "data", total) == exact


def test_a_sum_that_overflows_on_the_way_says_so_and_a_mean_does_not():
    for xs in ([1.7e308, 1.7e308, -1.7e308], list(map(Value, [1.7e308, 1.7e308, -1.7e308]))):
        with pytest.raises(ag.RangeError, match=r"sum\(\[1.7e\+308, .*on the way.*exact=True"):
            ag.sum(xs)
        total, mean = ag.sum(xs, exact=True), ag.mean(xs)
        assert getattr(total, "data", total) == 1.7e308
        assert getattr(mean, "data", mean) == float(Fraction(1.7e308) / 3)
    with pytest.raises(ag.RangeError, match=r"sum\(\[1.7e\+308, 1.7e\+308\], exact=True\): the result is"):
        ag.sum([1.7e308, 1.7e308], exact=True)
    with pytest.raises(ag.DomainError, match="the operands must be finite"):
        ag.dot([math.inf, 1.0], [0.0, 1.0])
    assert math.isnan(ag.mean([math.inf, -math.inf, math.nan])) and ag.mean([math.inf, 1.0]) == math.inf


def test_a_list_of_many_operands_is_shortened_in_a_message():
    with pytest.raises(ag.RangeError) as caught:
        ag.sum([1e308] * 1000)
    assert len(str(caught.value)) < 260 and "1000 operands" in str(caught.value)


ZERO_MEETS_INFINITY = {
    "hessian": lambda: ag.hessian(lambda x: x * x * ag.sqrt(x))(0.0),
    "hvp": lambda: ag.hvp(lambda x: x * x * ag.sqrt(x), (0.0,), (1.0,)),
    "grad of grad": lambda: ag.grad(ag.grad(lambda x, y: x * ag.sqrt(y), 1), 0)(0.0, 0.0),
    "labelled": lambda: ag.hessian(lambda v: v[0] * v[0] * ag.sqrt(v[1]))([Value(0.0, "a"), Value(0.0, "b")]),
}


@pytest.mark.parametrize("use", ZERO_MEETS_INFINITY.values(), ids=ZERO_MEETS_INFINITY)
def test_a_gradient_of_0_that_meets_an_infinite_derivative_blames_the_op_of_that(use):
    with pytest.raises(ag.DomainError, match=r"gradient through sqrt\(0\.0\).*a gradient of 0 met") as caught:
        use()
    assert "stopped" not in str(caught.value)


def test_a_gradient_that_met_an_infinite_derivative_is_pickled_copied_and_evaluated():
    x, y = Value(0.0, "x"), Value(0.0, "y")
    g = ag.grad(lambda a: y * ag.sqrt(a))(x)
    for twin in (g, pickle.loads(pickle.dumps(g)), copy.deepcopy(g)):
        for number in (float, mpmath.mpf):
            assert evaluate(twin, {"y": 0}, number) == 0
            with pytest.raises(ag.NumericError, match=r"sqrt\(0\.0\) of 'x'.*record it where it is not 0"):
                evaluate(twin, {"y": 2}, number)


@pytest.mark.parametrize("use, called", [
    (lambda: ag.hessian(lambda v: ag.hypot(*v))([0.0, 5e-324]), "hypot"),
    (lambda: ag.hessian(lambda v: ag.atan2(*v))([5e-324, 0.0]), "atan2"),
    (lambda: ag.grad(ag.grad(ag.grad(lambda x: ag.atan2(x, 1e-200))))(0.0), "atan2"),
    (lambda: ag.grad(ag.grad(ag.grad(lambda x: x ** Value(2.5, requires_grad=False))))(0.0), r"\*\*"),
    (lambda: evaluate(ag.atan2(Value(0.0, "a"), Value(-1.0, "b")), {"a": [-1, 1]}, mpmath.iv.mpf), "atan2"),
    (lambda: ag.grad(lambda x: 1e308 * x + 1e308 * x)(0.5), "0.5")])
def test_a_message_names_public_functions_only(use, called):
    with pytest.raises(ag.NumericError, match=called) as caught:
        use()
    hidden = ("stopped_zero", "cos_angle", "over_square", "power_slope", "one_minus", "gauss", "identity",
              "fsum", "fdot")
    assert not [name for name in hidden if name in str(caught.value)]


def test_a_derivative_that_overflow_loses_is_not_called_missing():
    with pytest.raises(ag.DomainError, match="lost to overflow; keep the point away"):
        ag.hessian(lambda v: ag.atan2(*v))([1e-200, 1e-200])


def test_numpys_integers_serve_as_places_orders_and_options():
    one, two = numpy.int64(1), numpy.int64(2)

    def f(a, b):
        return a * b * b
    x = Value(2.0, "x")
    assert ag.grad(f, one)(2.0, 3.0) == 12.0 and ag.grad(f, [one - 1, one])(2.0, 3.0) == (9.0, 12.0)
    assert ag.grad(f, numpy.array([0, 1]))(2.0, 3.0) == (9.0, 12.0) and ag.grad(f, -one)(2.0, 3.0) == 12.0
    assert ag.jacobian(f, one)(2.0, 3.0) == 12.0 and ag.hessian(f, one)(2.0, 3.0) == 4.0
    assert evaluate(x * x * x, wrt=x, order=two) == 12.0
    assert len(ag.check_gradients(lambda x: x * x * x, 2.0, order=two).derivatives) == 2
    assert ag.check_op(ag.exp, 1.0, order=two).ok
    for wrong in (1.0, numpy.float64(1.0), None, "x"):
        with pytest.raises(ag.InputError):
            ag.grad(f, wrong)(2.0, 3.0)
        with pytest.raises(ag.InputError):
            evaluate(x * x, wrt=x, order=wrong)
