"""Optimisers hold to PyTorch's numbers, resume exactly, and refuse what does not fit."""
import copy
import json
import math
import pickle
import random
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import FormatError, InputError, RangeError, Value, nn, optim

# PyTorch 2.13.0, in doubles, after 25 steps from (5, -4) on the loss of `descend`:
#   x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (5.0, -4.0))
#   o = torch.optim.Adam([x, y], lr=0.05)      # or the other settings below
#   s = torch.optim.lr_scheduler.StepLR(o, 7, 0.5)     # where there is a schedule
#   for _ in range(25):
#       o.zero_grad(); (0.5*(x-3)*(x-3) + 2*(y+1)*(y+1) + 0.3*x*y).backward(); o.step(); s.step()
TORCH = [
    (optim.SGD, {"lr": 0.1}, (3.5223268591954175, -1.267696691438327)),
    (optim.SGD, {"lr": 0.02, "momentum": 0.9}, (2.808109674470402, -1.6428711211970264)),
    (optim.SGD, {"lr": 0.02, "momentum": 0.9, "nesterov": True}, (2.959273197840693, -1.3636008843107827)),
    (optim.SGD, {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.3},
     (2.4666836660593123, -1.1439816513995709)),
    (optim.Adam, {"lr": 0.05}, (3.9256551454715236, -2.800466781672474)),
    (optim.Adam, {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.3},
     (3.8329748465406754, -2.811439593864455)),
    (optim.AdamW, {"lr": 0.05}, (3.8857605181255965, -2.7603687062082765)),
    (optim.AdamW, {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.3},
     (3.303451116306494, -1.8459130730336117)),
    (optim.SGD, {"lr": optim.constant(0.1)}, (3.5223268591954175, -1.267696691438327)),
    # StepLR(o, 7, 0.5); ExponentialLR(o, 0.9); CosineAnnealingLR(o, 25, 0.001); LinearLR(o, 1.0, 0.1, 20)
    (optim.SGD, {"lr": optim.step_decay(0.1, 7, 0.5)}, (3.8957482803303196, -1.3102635342609645)),
    (optim.SGD, {"lr": optim.exponential(0.1, 0.9)}, (4.115858562940404, -1.362524908646165)),
    (optim.SGD, {"lr": optim.cosine(0.1, 25, 0.001)}, (3.8758244874862284, -1.307230263926385)),
    (optim.SGD, {"lr": optim.linear(0.1, 20, 0.01)}, (3.9412077768525724, -1.318364007534284)),
]
SETTINGS = [lambda ps: optim.SGD(ps, 0.02, momentum=0.9, nesterov=True, weight_decay=0.1),
            lambda ps: optim.Adam(ps, optim.cosine(0.1, 30)), lambda ps: optim.AdamW(ps, 0.1)]
KINDS = [optim.SGD, optim.Adam, optim.AdamW]


def descend(optimizer, steps):
    x, y = optimizer.parameters
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * (x - 3) * (x - 3) + 2 * (y + 1) * (y + 1) + 0.3 * x * y).backward()
        optimizer.step()
    return x.data, y.data


def start():
    return [Value(5.0), Value(-4.0)]


@pytest.mark.parametrize("kind, options, expected", TORCH)
def test_25_steps_end_where_pytorchs_do(kind, options, expected):
    assert descend(kind(start(), **options), 25) == pytest.approx(expected, rel=1e-12)


def test_the_comparison_with_pytorch_notices_a_wrong_setting():
    wrong = descend(optim.SGD(start(), 0.02, momentum=0.9, nesterov=False), 25)
    assert wrong != pytest.approx((2.959273197840693, -1.3636008843107827), rel=1e-3)


@given(st.floats(-10, 10), st.floats(-10, 10), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_plain_gradient_descent_subtracts_the_rate_times_the_gradient_exactly(data, grad, lr):
    x = Value(data)
    x.grad = grad
    optim.SGD([x], lr).step()
    assert x.data == data - lr * grad


@given(st.floats(1e-100, 1e100))
@settings(max_examples=50, deadline=None)
def test_adams_first_step_is_the_rate_whatever_the_gradients_size(grad):
    x = Value(0.0)
    x.grad = grad
    optim.Adam([x], 0.25, eps=1e-200).step()
    assert x.data == pytest.approx(-0.25, rel=1e-12)


# -- resuming -----------------------------------------------------------------------------

@pytest.mark.parametrize("make", SETTINGS)
def test_training_resumed_from_json_equals_training_that_never_stopped(make):
    whole = descend(make(start()), 30)
    first = make(start())
    at = descend(first, 11)
    kept = json.loads(json.dumps(first.state_dict(), allow_nan=False))
    second = make([Value(x) for x in at])
    second.load_state_dict(kept)
    assert descend(second, 19) == whole
    forgetful = make([Value(x) for x in at])
    assert descend(forgetful, 19) != whole


def test_a_model_and_its_optimizer_resume_together(tmp_path):
    def train(model, optimizer, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            nn.squared_error(model([0.5, -1.0]), 2.0).backward()
            optimizer.step()

    random.seed(3)
    model = nn.MLP(2, [4, 1], activation="tanh")
    adam = optim.Adam(model.parameters(), 0.01)
    train(model, adam, 5)
    model.save(tmp_path / "model.json")
    state = adam.state_dict()
    train(model, adam, 5)
    other = nn.MLP(2, [4, 1], activation="tanh")
    other.load(tmp_path / "model.json")
    resumed = optim.Adam(other.parameters(), 0.01)
    resumed.load_state_dict(state)
    train(other, resumed, 5)
    assert other.state_dict() == model.state_dict()


def test_a_state_is_a_copy():
    adam = optim.Adam(start())
    before = adam.state_dict()
    descend(adam, 1)
    assert before == {"optimizer": "Adam", "steps": 0, "mean": [0.0, 0.0], "square": [0.0, 0.0]}


GOOD = {"optimizer": "Adam", "steps": 3, "mean": [1.0, 2.0], "square": [1.0, 2.0]}


@pytest.mark.parametrize("state, message", [
    (None, "mapping with exactly mean, optimizer, square, steps$"), ([], "mapping"), ("Adam", "mapping"),
    ({}, "mapping"), ({**GOOD, "more": 1}, "exactly"), ({**GOOD, "optimizer": "AdamW"}, "not one of Adam"),
    ({**GOOD, "optimizer": None}, "not one of Adam"),
    ({**GOOD, "steps": -1}, "steps: expected a count"), ({**GOOD, "steps": 1.0}, "steps: expected a count"),
    ({**GOOD, "steps": True}, "steps: .* got bool"), ({**GOOD, "steps": 10 ** 400}, "steps"),
    ({**GOOD, "mean": [1.0]}, "mean: expected a list of 2 numbers"),
    ({**GOOD, "square": [1.0, math.nan]}, r"square\[1\]: .* got nan"),
    ({**GOOD, "square": [10 ** 5000, 1.0]}, r"square\[0\]: .* got int")], ids=range(14))
def test_a_state_that_does_not_fit_is_refused_by_name_and_nothing_changes(state, message):
    adam = optim.Adam(start())
    descend(adam, 2)
    before = adam.state_dict()
    with pytest.raises(FormatError, match=message):
        adam.load_state_dict(state)
    assert adam.state_dict() == before
    adam.load_state_dict(GOOD)
    assert adam.state_dict() == GOOD


STATES = {"mean": (optim.Adam, GOOD), "square": (optim.AdamW, {**GOOD, "optimizer": "AdamW"}),
          "velocity": (optim.SGD, {"optimizer": "SGD", "steps": 3, "velocity": [1.0, -2.0]})}
every_column = pytest.mark.parametrize("name", STATES)


def loaded(name, column):
    """What an optimiser remembers in a column after loading a state that is good but perhaps there."""
    kind, state = STATES[name]
    optimizer = kind(start())
    before = optimizer.state_dict()
    try:
        optimizer.load_state_dict({**state, name: column})
    except FormatError:
        assert optimizer.state_dict() == before
        raise
    assert {**optimizer.state_dict(), name: None} == {**state, name: None}
    return optimizer.state_dict()[name]


@every_column
@pytest.mark.parametrize("column", [
    [], [1.0], [1.0, 2.0, 3.0], (1.0, 2.0), {0: 1.0, 1: 2.0}, {1.0, 2.0}, "12", 1.0, None, iter([1.0, 2.0])],
    ids=lambda x: f"{type(x).__name__}{str(x)[:9]}")
def test_a_column_that_is_no_list_of_one_entry_for_each_parameter_is_refused_by_name(name, column):
    with pytest.raises(FormatError, match=f"^{name}: expected a list of 2 numbers, one for each parameter$"):
        loaded(name, column)


@every_column
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("entry", [
    "2", None, True, False, 1j, [1.0], Value(1.0), math.nan, math.inf, -math.inf, 10 ** 400, -10 ** 400],
    ids=lambda x: f"{type(x).__name__}{str(x)[:9]}")
def test_an_entry_that_is_no_finite_number_is_refused_by_column_and_place(name, place, entry):
    column = [1.0, 1.0]
    column[place] = entry
    shown = repr(entry) if isinstance(entry, float) else type(entry).__name__
    message = rf"^{name}\[{place}\]: expected a finite number >= .*; got {shown}$"
    with pytest.raises(FormatError, match=message):
        loaded(name, column)


@pytest.mark.parametrize("name, column", [
    ("mean", [-1e308, 5e-324]), ("velocity", [-1e308, 0.0]), ("square", [0.0, 1e308]),
    ("square", [-0.0, 5e-324]), ("mean", [1, -2]), ("square", [0, 10 ** 300]),
    ("velocity", [Fraction(1, 2), Fraction(-1, 4)])])
def test_the_least_and_the_largest_entries_are_taken_and_become_floats(name, column):
    found = loaded(name, column)
    assert found == list(map(float, column)) and set(map(type, found)) == {float}


@pytest.mark.parametrize("entry", [-5e-324, -1e-9, -1, -1e308])
def test_a_square_below_0_is_refused(entry):
    with pytest.raises(FormatError, match=r"^square\[1\]: expected a finite number >= 0.0; got"):
        loaded("square", [1.0, entry])


def test_the_count_of_steps_is_taken_from_0_to_2_to_the_53rd():
    adam = optim.Adam(start())
    for steps in (0, 2 ** 53 - 1):
        adam.load_state_dict({**GOOD, "steps": steps})
        assert adam.steps == steps
    with pytest.raises(FormatError, match="^steps: expected a count"):
        adam.load_state_dict({**GOOD, "steps": 2 ** 53})


def test_an_optimizer_of_ones_own_that_remembers_nothing_goes_on_from_its_count():
    class Plain(optim.Optimizer):
        def moved(self, x, g, memory, lr, steps):
            return (x - lr * g * steps,)
    plain = Plain(start(), 0.5)
    plain.load_state_dict({"optimizer": "Plain", "steps": 4})
    for p in plain.parameters:
        p.grad = 1.0
    plain.step()
    assert [p.data for p in plain.parameters] == [2.5, -6.5]
    assert plain.state_dict() == {"optimizer": "Plain", "steps": 5}


# -- parameters -----------------------------------------------------------------------------

@pytest.mark.parametrize("make", SETTINGS)
def test_a_frozen_parameter_stays_and_thaws(make):
    x, y = start()
    optimizer = make([x, y])
    y.requires_grad = False
    descend(optimizer, 3)
    assert y.data == -4.0 and x.data != 5.0
    y.requires_grad = True
    descend(optimizer, 3)
    assert y.data != -4.0


@pytest.mark.parametrize("kind", [optim.Adam, optim.AdamW])
def test_the_first_step_of_a_parameter_thawed_after_1000_is_as_long_as_any_first_step(kind):
    x, y = Value(1.0), Value(0.0, requires_grad=False)
    optimizer = kind([x, y], 0.1)
    for _ in range(1000):
        x.grad = 1.0
        optimizer.step()
    y.requires_grad = True
    y.grad = 3.0
    optimizer.step()
    assert y.data == pytest.approx(-0.1, rel=1e-8) and optimizer.steps == 1001


def alone(make, data, gradients):
    """Where the steps with these gradients take one parameter."""
    p = Value(data)
    optimizer = make([p])
    for g in gradients:
        p.grad = g
        optimizer.step()
    return p.data


FIXED = [lambda ps: optim.SGD(ps, 0.02, momentum=0.9, nesterov=True, weight_decay=0.1),
         lambda ps: optim.SGD(ps, 0.3), lambda ps: optim.Adam(ps, 0.1, weight_decay=0.2),
         lambda ps: optim.AdamW(ps, 0.1)]
moderate = st.floats(-1e3, 1e3)


@pytest.mark.parametrize("make", FIXED)
@given(st.lists(st.tuples(moderate, st.booleans(), st.booleans()), max_size=12), st.booleans())
def test_steps_at_which_a_parameter_was_frozen_or_not_there_are_as_if_they_had_not_been(make, steps, late):
    x, y = Value(2.0), Value(-3.0)
    optimizer = make([x] if late else [x, y])
    if late:
        optimizer.step()                        # without y; x has a gradient of 0
        optimizer.add([y])
    taken = []
    for g, frozen, saved in steps:
        y.requires_grad = not frozen
        x.grad = 1.0
        if not frozen:
            y.grad = g
            taken.append(g)
        optimizer.step()
        if saved:                               # and resumed
            state = json.loads(json.dumps(optimizer.state_dict(), allow_nan=False))
            optimizer = make([x, y])
            optimizer.load_state_dict(state)
    assert y.data == alone(make, -3.0, taken)
    assert x.data == alone(make, 2.0, [0.0] * late + [1.0] * len(steps))


def test_the_counts_of_parameters_are_part_of_the_state_where_they_differ():
    x, y = start()
    adam = optim.Adam([x, y])
    y.requires_grad = False
    descend(adam, 3)
    state = adam.state_dict()
    assert (state["steps"], state["counts"]) == (3, [3, 0])
    for counts in ([3], [3, 4], [3, -1], [3, True], [3, 1.0], (3, 0), None, 3):
        with pytest.raises(FormatError, match=r"^counts(\[1\])?: expected"):
            adam.load_state_dict({**state, "counts": counts})
        assert adam.state_dict() == state
    del state["counts"]                         # as older versions wrote it: one count for all
    adam.load_state_dict(state)
    assert adam.state_dict() == state


def test_a_parameter_may_be_added_once_and_only_a_leaf():
    x, y = start()
    sgd = optim.SGD([x], 0.5)
    sgd.add([y])
    assert sgd.parameters == (x, y)
    for wrong, message in (([x], "occurs twice"), ([y * 2.0], "parameter 2 must be a leaf"),
                           (y, "a list of"), ([Value(1.0)] * 2, "occurs twice")):
        with pytest.raises(InputError, match=message):
            sgd.add(wrong)
    sgd.add([])
    assert sgd.parameters == (x, y)
    with pytest.raises(AttributeError):         # a list to append to would be one that no step looks at
        sgd.parameters.append(Value(1.0))


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_that_are_none_are_refused(kind):
    x = Value(1.0, "x")
    for parameters, message in (([], "no parameters to optimise"),
                                ([x, 2.0], r"parameter 1 must be a leaf \(.* not computed\), got 2.0"),
                                ([x * 2.0], "parameter 0 must be a leaf"),
                                ([x, Value(2.0), x], "occurs twice"),
                                (nn.MLP(1, [1]), r"such as model.parameters\(\), not MLP"),
                                ({"x": x}, "not dict; give its values"),
                                (x, "expected a list of parameters")):
        with pytest.raises(InputError, match=message):
            kind(parameters)


@pytest.mark.parametrize("kind, options, message", [
    *((kind, {"lr": lr}, "lr") for kind in KINDS for lr in (-0.1, math.nan, math.inf, "0.1", None)),
    (optim.SGD, {"momentum": 1.0}, "momentum must be at least 0 and below 1, not 1.0"),
    (optim.SGD, {"momentum": -0.1}, "momentum"), (optim.SGD, {"nesterov": True}, "needs a momentum"),
    (optim.SGD, {"weight_decay": -1}, "weight_decay"),
    (optim.Adam, {"weight_decay": math.inf}, "weight_decay"),
    (optim.Adam, {"betas": (0.9, 1.0)}, r"betas\[1\] must be .* below 1"),
    (optim.Adam, {"betas": (-0.1, 0.9)}, r"betas\[0\]"), (optim.Adam, {"betas": 0.9}, "two numbers"),
    (optim.AdamW, {"betas": (0.9, 0.9, 0.9)}, "two numbers"),
    (optim.AdamW, {"eps": 0.0}, "eps must be above 0"), (optim.AdamW, {"eps": -1.0}, "eps")])
def test_a_setting_out_of_its_range_is_refused_by_name(kind, options, message):
    with pytest.raises(InputError, match=message):
        kind([Value(1.0)], **options)


@pytest.mark.parametrize("lr", [None, "0.1", -1.0, math.nan, math.inf])
def test_a_rate_assigned_later_is_checked_at_the_next_step(lr):
    optimizer = optim.SGD(start(), 0.1)
    optimizer.lr = lr
    with pytest.raises(InputError, match="^lr"):
        optimizer.step()
    assert optimizer.steps == 0


# -- steps that cannot be taken ---------------------------------------------------------------

@pytest.mark.parametrize("kind, grad", [(optim.SGD, 1e308), (optim.Adam, 1e200), (optim.AdamW, 1e200)])
def test_a_step_out_of_the_range_of_doubles_is_refused_and_nothing_changes(kind, grad):
    x, y = Value(1.0, "x"), Value(-1e308, "y")
    x.grad, y.grad = 1.0, grad
    optimizer = kind([x, y], 10.0)
    before = optimizer.state_dict()
    with pytest.raises(RangeError, match=f"{kind.__name__}, step 1: parameter 1, .*'y'"):
        optimizer.step()
    assert (x.data, y.data, optimizer.state_dict()) == (1.0, -1e308, before)
    with ag.errstate("ignore"):
        optimizer.step()
    assert x.data != 1.0


def adams_step(x, gradients, lr, betas, eps, decay, decoupled):
    """Kingma & Ba's algorithm 1 at 60 digits."""
    x, lr, b1, b2, eps, decay = map(mpmath.mpf, (x, lr, *betas, eps, decay))
    m = v = mpmath.mpf(0)
    for t, g in enumerate(gradients, 1):
        d = mpmath.mpf(g) + (0 if decoupled else decay * x)
        x -= lr * decay * x if decoupled else 0
        m, v = b1 * m + (1 - b1) * d, b2 * v + (1 - b2) * d * d
        x -= lr * (m / (1 - b1 ** t)) / (mpmath.sqrt(v / (1 - b2 ** t)) + eps)
    return x


sizes = st.floats(-330, 160).map(lambda e: 10.0 ** e) | st.floats(-10, 10)
smallest = st.sampled_from([1e-8, 1e-30, 1e-150, 1e-200, 5e-324, 1.0])


@given(st.lists(sizes | sizes.map(lambda g: -g), min_size=1, max_size=4), smallest, st.booleans(),
       st.sampled_from([0.0, 0.01]))
@example([1e-170], 1e-200, False, 0.0)          # the square vanishes: 1e30 times too far, if nobody looked
@example([1e-160, 1e-170], 1e-200, False, 0.0)
def test_adam_at_gradients_of_any_size_is_right_or_refuses(gradients, eps, decoupled, decay):
    x = Value(0.0)
    kind = optim.AdamW if decoupled else optim.Adam
    adam = kind([x], 0.1, eps=eps, weight_decay=decay)
    with mpmath.workdps(60):
        for k, g in enumerate(gradients, 1):
            x.grad, before = g, x.data
            try:
                adam.step()
            except RangeError:
                assert x.data == before and (abs(g) > 1e150 or eps < 1e-140)
                return
            true = adams_step(0.0, gradients[:k], 0.1, (0.9, 0.999), eps, decay, decoupled)
            assert abs(x.data - true) <= 1e-12 * 0.1 * k


@pytest.mark.parametrize("kind", KINDS)
def test_a_nan_gradient_is_refused(kind):
    x = Value(1.0)
    x.grad = math.nan
    with pytest.raises(RangeError, match="step 1: parameter 0"):
        kind([x]).step()
    assert x.data == 1.0


# -- schedules ------------------------------------------------------------------------------

def test_a_schedule_is_asked_for_each_step_once_in_order():
    asked = []
    optimizer = optim.SGD(start(), lambda k: asked.append(k) or 0.1)
    descend(optimizer, 3)
    assert asked == [0, 1, 2] and optimizer.steps == 3


def test_a_schedule_that_gives_no_rate_is_refused_with_the_step():
    optimizer = optim.SGD(start(), lambda k: 0.1 - 0.1 * k)
    descend(optimizer, 2)
    with pytest.raises(InputError, match="lr at step 2 must be at least 0"):
        optimizer.step()
    assert optimizer.steps == 2


def test_micrograds_schedule_is_a_line():
    schedule = optim.linear(1.0, 100, 0.1)
    assert all(schedule(k) == pytest.approx(1.0 - 0.9 * k / 100, rel=1e-15) for k in range(100))


rates = (st.floats(0, 10) | st.floats(0, 1e308) | st.floats(0, 1e-300)
         | st.sampled_from([0.0, 1e-17, 1e-8, 0.1, 7.0, 5e-324, 1.7976931348623157e308]))


@pytest.mark.parametrize("make", [optim.linear, optim.cosine])
@given(rates, rates, st.integers(1, 60) | st.integers(1, 10 ** 400), st.integers(0, 10 ** 401))
@example(1.0, 1e-17, 10, 0)
@example(1e-8, 0.1, 7, 0)
@example(0.1, 0.1, 3, 0)
def test_a_schedule_from_one_rate_to_another_begins_and_ends_there_exactly_and_goes_one_way(
        make, first, last, steps, beyond):
    schedule = make(first, steps, last)
    assert schedule(0) == first and schedule(steps) == schedule(steps + beyond) == last
    places = sorted({k for n in (steps // 2, steps, beyond % steps) for k in range(n - 3, n + 4) if k >= 0})
    found = [schedule(k) for k in (range(steps + 1) if steps <= 60 else places)]
    assert found == sorted(found, reverse=first > last)
    assert all(min(first, last) <= rate <= max(first, last) for rate in found)


@given(rates, rates, st.integers(1, 10 ** 6), st.data())
def test_every_rate_of_a_line_and_a_cosine_is_right_to_a_few_ulps(first, last, steps, data):
    k = data.draw(st.integers(0, steps))
    with mpmath.workdps(60):
        a, b, t = mpmath.mpf(first), mpmath.mpf(last), mpmath.mpf(k) / steps
        wave = mpmath.sin(mpmath.pi / 2 * t) ** 2
        for make, true in ((optim.linear, a * (1 - t) + b * t), (optim.cosine, a * (1 - wave) + b * wave)):
            found = make(first, steps, last)(k)
            assert abs(found - true) <= 6 * math.ulp(float(true)), (found, true)


factors = st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 10.0, 1e300, 1e-300]) | st.floats(0, 3)


@given(rates, st.integers(1, 9), factors, st.integers(0, 3000) | st.integers(0, 10 ** 30))
@example(1e300, 1, 0.1, 400)                    # the power vanishes, the rate does not
@example(1e-300, 1, 10.0, 400)                  # the power is too large, the rate is not
@example(0.0, 1, 10.0, 400)
@example(1e300, 1, 10.0, 100)
def test_a_decaying_rate_is_right_or_a_range_error_however_many_steps(lr, every, factor, k):
    with mpmath.workdps(60):
        true = mpmath.mpf(lr) * mpmath.mpf(factor) ** (k // every) if lr else mpmath.mpf(0)
        schedule = optim.step_decay(lr, every, factor)
        if true > 1.7976931348623157e308:
            with pytest.raises(RangeError, match=r"^step_decay\(.*\): the rate after .* steps is too large"):
                schedule(k)
            with ag.errstate("ignore"):
                assert schedule(k) == math.inf
        else:
            assert abs(schedule(k) - true) <= 8 * math.ulp(float(true))
            if k // every == k:
                assert optim.exponential(lr, factor)(k) == schedule(k)


def test_a_rate_out_of_range_stops_a_step_and_nothing_changes():
    x = Value(1.0)
    x.grad = 1e-308
    sgd = optim.SGD([x], optim.exponential(1e300, 1e10))
    sgd.step()
    state = x.data, sgd.state_dict()
    with pytest.raises(RangeError, match="after 1 steps is too large for a double"):
        sgd.step()
    assert (x.data, sgd.state_dict()) == state


MADE = [(optim.constant(1), "constant(lr=1.0)"),
        (optim.step_decay(0.1, 3), "step_decay(lr=0.1, every=3, factor=0.1)"),
        (optim.exponential(0.1, 0.5), "step_decay(lr=0.1, every=1, factor=0.5)"),
        (optim.linear(1.0, 4, 0.5), "linear(lr=1.0, steps=4, last=0.5)"),
        (optim.cosine(1.0, 4), "cosine(lr=1.0, steps=4, last=0.0)"),
        (optim.warmup(0.5, 2), "warmup(lr=0.5, steps=2)"),
        (optim.warmup(optim.cosine(1.0, 4), 2), "warmup(lr=cosine(lr=1.0, steps=4, last=0.0), steps=2)")]


@pytest.mark.parametrize("schedule, text", MADE)
def test_a_schedule_shows_its_settings_and_can_be_compared_copied_and_pickled(schedule, text):
    assert repr(schedule) == text
    assert eval(text, vars(optim)) == schedule == copy.deepcopy(schedule)
    again = pickle.loads(pickle.dumps(schedule))
    assert again == schedule and [again(k) for k in range(9)] == [schedule(k) for k in range(9)]
    assert all(type(schedule(k)) is float for k in range(9))
    optimizer = optim.Adam(start(), schedule)
    descend(optimizer, 2)
    thawed = pickle.loads(pickle.dumps(optimizer))
    assert descend(thawed, 3) == descend(optimizer, 3) and thawed.state_dict() == optimizer.state_dict()


@pytest.mark.parametrize("schedule", [schedule for schedule, _ in MADE], ids=repr)
def test_a_schedule_takes_any_whole_number_of_steps_and_refuses_others(schedule):
    for k in (np.int8(3), np.uint64(3), np.array(3)):
        assert repr(schedule(k)) == repr(schedule(3))
    for wrong in (-1, 0.5, 3.0, math.nan, None, "3", True, Value(3.0)):
        with pytest.raises(InputError, match="the number of steps taken must be"):
            schedule(wrong)


def test_numpys_whole_numbers_and_floats_serve_as_settings():
    three, tenth = np.int64(3), np.float64(0.1)
    assert optim.linear(tenth, three, np.float32(0.5)) == optim.linear(0.1, 3, 0.5)
    assert optim.step_decay(tenth, np.uint8(3)) == optim.step_decay(0.1, 3)
    assert optim.warmup(tenth, three) == optim.warmup(0.1, 3)
    adam = optim.Adam(start(), tenth, betas=np.array([0.9, 0.999]))
    adam.load_state_dict({**GOOD, "steps": three})
    assert adam.state_dict() == GOOD and type(adam.steps) is int
    for make in (optim.linear, optim.cosine, optim.warmup, optim.step_decay):
        for wrong in (True, np.bool_(True), 3.0, np.array([3]), "3", None, math.nan, 0, -1, Value(3.0)):
            with pytest.raises(InputError, match="^(steps|every) must be"):
                make(0.1, wrong)


def test_a_warm_up_of_something_that_gives_no_rate_is_refused_with_the_step():
    for rate in ("0.1", None, -1.0, math.nan, math.inf, 1j):
        with pytest.raises(InputError, match="the schedule's lr at step 5"):
            optim.warmup(lambda k: rate, 3)(5)
    assert optim.warmup(0.1, 7)(6) == optim.warmup(0.1, 7)(10 ** 400) == 0.1


def test_a_warm_up_multiplies_the_schedule_it_is_given():
    schedule = optim.warmup(optim.exponential(1.0, 0.5), 2)
    assert [schedule(k) for k in range(4)] == [0.5, 0.5, 0.25, 0.125]


@pytest.mark.parametrize("make", [
    lambda: optim.constant(-1.0), lambda: optim.step_decay(0.1, 0), lambda: optim.step_decay(0.1, 2.5),
    lambda: optim.exponential(0.1, -0.5), lambda: optim.cosine(0.1, 0), lambda: optim.linear(0.1, 5, -1.0),
    lambda: optim.warmup(-0.1, 5), lambda: optim.warmup(0.1, 0), lambda: optim.cosine(math.nan, 5)])
def test_a_schedule_of_impossible_settings_is_refused_when_it_is_made(make):
    with pytest.raises(InputError, match="must be"):
        make()


def test_adam_moves_by_gradients_whose_squares_have_all_their_digits():
    x = Value(0.0)
    optimizer = optim.Adam([x], lr=0.5, eps=1e-160)
    x.grad = 1e-143                             # (its square, times 0.001, is 1e-289)
    optimizer.step()
    assert x.data == pytest.approx(-0.5)
