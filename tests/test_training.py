"""What helps to train: models as trees of text, and gradients clipped to a norm."""
from __future__ import annotations

import math
from math import inf, nan
from typing import Any

import pytest

import autograd_lite as ag
from autograd_lite import Value, errstate, nn, optim
from autograd_lite.nn import clip_grad_norm


def leaves(*gradients: float) -> list[Value]:
    made = [Value(1.0) for _ in gradients]
    for x, g in zip(made, gradients):
        x.grad = g
    return made


def clipped(gradients: list[float], *options: Any) -> tuple[float, list[float]]:
    xs = leaves(*gradients)
    return clip_grad_norm(xs, *options), [x.grad for x in xs]


def refused(match: str) -> Any:
    return pytest.raises(ag.InputError, match=match)


# -- clip_grad_norm --------------------------------------------------------------------------------------


def test_the_norm_before_is_returned_and_larger_gradients_are_scaled_to_the_norm_that_is_asked_for() -> None:
    assert clipped([3.0, -4.0], 1.0) == (5.0, [0.6, -0.8])
    assert clipped([3.0, -4.0], 5.0) == (5.0, [3.0, -4.0])
    assert clipped([3.0, -4.0], inf) == (5.0, [3.0, -4.0])
    assert clipped([3.0, -4.0], 0.0) == (5.0, [0.0, -0.0])
    assert clipped([3.0, -4.0], 2.0, inf) == (4.0, [1.5, -2.0])
    assert clipped([3.0, -4.0], 3.5, 1) == (7.0, [1.5, -2.0])
    norm, found = clipped([3.0, -4.0], 1.0, 3.0)
    assert norm == pytest.approx(91.0 ** (1 / 3), rel=1e-15)
    assert sum(abs(g) ** 3 for g in found) == pytest.approx(1.0, rel=1e-15)
    assert clipped([], 1.0) == (0.0, []) and clipped([0.0], 0.0) == (0.0, [0.0])


@pytest.mark.parametrize("size", [1e300, 1e-300, 1.7e308, 1e-310])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, inf])
def test_no_square_overflows_and_none_underflows(size: float, p: float) -> None:
    norm, found = clipped([size / 4.0, -size / 4.0], size / 100.0, p)
    assert norm == pytest.approx(size / 4.0 * 2.0 ** (1.0 / p), rel=1e-12)
    assert found[0] == -found[1] == pytest.approx(size / 100.0 / 2.0 ** (1.0 / p), rel=1e-12)


@pytest.mark.parametrize("gradients, words, ieee", [
    ([1.0, nan], r"parameter 1, .* is not finite; explain", [nan, nan]),
    ([inf, 1.0], "parameter 0", [nan, 0.0]),
    ([1.5e308] * 4, "too large for a double; scale", [0.5] * 4)])
def test_what_is_not_finite_is_an_error_that_changes_nothing_or_ieee_s(gradients: Any, words: str,
                                                                       ieee: Any) -> None:
    xs = leaves(*gradients)
    with pytest.raises(ag.RangeError, match=words):
        clip_grad_norm(xs, 1.0)
    assert [str(x.grad) for x in xs] == list(map(str, gradients))
    with errstate("ignore"):
        clip_grad_norm(xs, 1.0)
    assert [str(x.grad) for x in xs] == list(map(str, ieee))


def test_it_takes_models_lists_and_dicts_and_passes_over_what_is_frozen() -> None:
    model = nn.MLP(2, [2, 1])
    nn.squared_error(model([1.0, 2.0]), 100.0).backward()
    norm = math.hypot(*[p.grad for p in model.parameters()])
    assert norm > 1.0 and clip_grad_norm(model, 1.0) == pytest.approx(norm, rel=1e-15)
    assert clip_grad_norm(model.named_parameters(), 2.0) == pytest.approx(1.0, rel=1e-14)
    frozen, free = Value(1.0, requires_grad=False), leaves(3.0)[0]
    assert clip_grad_norm(iter([frozen, free]), 1.5) == 3.0 and (frozen.grad, free.grad) == (0.0, 1.5)


@pytest.mark.parametrize("given, options, words", [
    (3, (1.0,), "expected a list of parameters"), ([1.0], (1.0,), "parameter 0 must be a leaf"),
    ([Value(1.0) * 2.0], (1.0,), "must be a leaf"), ([Value(1.0)] * 2, (1.0,), "occurs twice"),
    ([], (-1.0,), "at least 0"), ([], (nan,), "at least 0"), ([], (1.0, 0.0), "norm_type above 0"),
    ([], ("1",), "max_norm: expected a real number"), ([], (1.0, None), "norm_type: ")])
def test_what_cannot_be_clipped_is_refused_in_words(given: Any, options: Any, words: str) -> None:
    with refused(words):
        clip_grad_norm(given, *options)


def test_a_compiled_function_cannot_clip() -> None:
    def f(x: Any) -> Any:
        clip_grad_norm([Value(1.0)], 1.0)
        return x
    with refused("clip_grad_norm"):
        ag.compile(f)(1.0)


def test_clipping_trains_where_steps_would_diverge() -> None:
    x = Value(50.0)
    optimizer = optim.SGD([x], lr=0.1)
    for _ in range(600):
        optimizer.zero_grad()
        (x ** 4).backward()
        clip_grad_norm([x], 1.0)
        optimizer.step()
    assert abs(x.data) < 1.0


# -- models as text ---------------------------------------------------------------------------------------


def test_a_model_prints_as_a_tree_with_counts() -> None:
    assert str(nn.MLP(3, [4, 1])) == (
        "MLP: 21 parameters\n"
        "  layers[0]: Layer: 16 parameters\n"
        "    neurons[0] … neurons[3]: 4 × ReLUNeuron(3): w 3, b each\n"
        "  layers[1]: Layer: 5 parameters\n"
        "    neurons[0]: LinearNeuron(4): w 4, b")
    assert repr(nn.MLP(2, [1])) == "MLP of [Layer of [LinearNeuron(2)]]"
    assert repr(nn.Layer(1, 40)).endswith("… and 8 more]") and len(repr(nn.Layer(1, 40))) < 600


def test_a_model_of_the_users_shows_its_own_parameters_and_counts_each_once() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            self.w = [[Value(1.0) for _ in range(3)] for _ in range(2)]
            self.first = self.again = nn.Layer(2, 2, bias="layer")
    assert str(Model()) == ("Model: 11 parameters\n  w 6\n  first: Layer: 5 parameters\n    b\n"
                            "    neurons[0] … neurons[1]: 2 × ReLUNeuron(2): w 2 each")
    assert repr(Model()) == "<Model: 11 parameters>" and repr([Model()]) == "[<Model: 11 parameters>]"

    class Own(Model):
        def __repr__(self) -> str:
            return "own"
    assert str(Own()) == "own"


def test_a_large_model_is_short_and_no_line_is_longer_than_79_columns() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            self.heads = {"h" * i: nn.Layer(i + 1, 2) for i in range(100)}
    text = str(Model()).splitlines()
    assert len(text) < 62 and max(map(len, text)) <= 79 and "… and 76 more" in text[-1]
    deep = end = nn.Module()
    for _ in range(2000):
        end.inner, end.p = nn.Module(), Value(1.0)
        end = end.inner
    assert str(deep).startswith("Module: 2,000 parameters") and len(str(deep).splitlines()) < 62
    assert repr(deep) == "<Module: 2,000 parameters>"


def test_a_name_cannot_break_the_lines_of_a_tree() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            self.parts = {"a\nb\x1b[31m": nn.Neuron(1)}
    assert len(str(Model()).splitlines()) == 2 and "\x1b" not in str(Model())


def test_an_optimiser_prints_a_setting_a_line() -> None:
    assert str(optim.SGD([Value(1.0)], lr=0.5)) == (
        "SGD\n  lr: 0.5\n  momentum: 0.0\n  nesterov: False\n  weight_decay: 0.0\n  parameters: 1\n"
        "  steps: 0")
