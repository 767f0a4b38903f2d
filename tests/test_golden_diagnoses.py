"""What `diagnose` says of the mistakes that people make, and in which order: held to the letter."""
from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from golden import expected, steady

import derivations
from autograd_lite import diagnose
from autograd_lite.diagnosis import hypotheses
from autograd_lite.diagnosis.forms import FORMS, MASKS, constant, simple, wrapped


def told(forward, hand, at):
    """For each cause all hypotheses that hold, with how far-fetched they are."""
    every = []

    def diagnoses(evidence):
        with np.errstate(all="ignore"):
            for among in (hypotheses._usual, hypotheses._inside, hypotheses._unions,
                          hypotheses._entry_by_entry):
                if found := sorted(among(evidence), key=lambda entry: entry[0]):
                    break
        every.append(found)
        return really(evidence)

    really = hypotheses.diagnoses
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hypotheses, "diagnoses", diagnoses)
        report = diagnose(forward, hand, at)
    lines = []
    for row, found in zip(report.causes, every, strict=True):
        lines.append(f"{row.name}:")
        lines += [f"  {text}" for _, text in row.diagnoses] or ["  (nothing)"]
        lines += [f"    {cost:.2f} {kind}: {text}" for cost, (kind, text) in found[:5]]
    return "\n".join(lines)


def of_derivation(derivation, mistake):
    at = [derivations.point(derivation, seed) for seed in range(3)]
    return told(derivation.forward, lambda point: derivations.run(derivation, point, mistake), at)


NAME = "diagnoses"
SLOW = {"batchnorm": 8, "layernorm": 8, "residual": 10, "vae": 9, "attention": 21, "rnn": 18,
        "classifier": 6}
CASES = {f"{name}: {mistake.key}, {mistake.name}": functools.partial(of_derivation, derivation, mistake)
         for derivation in derivations.DERIVATIONS for name in [derivation.__name__.rpartition(".")[2]]
         for mistake in derivations.mistakes(derivation)[1::SLOW.get(name, 3)]}


@pytest.mark.parametrize("case", CASES)
def test_the_hypotheses_and_their_order_are_those_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


# -- the simple functions of numbers ----------------------------------------------------------------

FUNCTIONS = {
    "x": lambda x: x, "x²": lambda x: x ** 2, "1 − x": lambda x: 1 - x, "x(1 − x)": lambda x: x - x ** 2,
    "1 − x²": lambda x: 1 - x ** 2, "√x": math.sqrt, "exp(x)": math.exp, "sin(x)": math.sin,
    "cos(x)": math.cos, "1 − tanh(x)²": lambda x: 1.0 / math.cosh(x) ** 2, "tanh(x)": math.tanh,
    "x³": lambda x: x ** 3, "1 + x": lambda x: 1 + x, "log(x)": math.log,
    "exp(−x²/2)": lambda x: math.exp(-x ** 2 / 2), "x(1 + x)": lambda x: x + x ** 2,
    "1 + x²": lambda x: 1 + x ** 2,
    "sigmoid(x)(1 − sigmoid(x))": lambda x: 1.0 / (2.0 + math.exp(x) + math.exp(-x)),
    "(x > 0)": lambda x: float(x > 0), "(x < 0)": lambda x: float(x < 0)}


def test_each_form_is_the_function_that_its_text_says():
    assert [text.format("x") for text, _ in (*FORMS, *MASKS)] == list(FUNCTIONS)
    for text, f in (*FORMS, *MASKS):
        for x in (0.3, 0.9, 1.7) + ((-0.8, 0.0) if (text, f) in MASKS else ()):
            assert math.isclose(f(x), FUNCTIONS[text.format("x")](x), rel_tol=1e-12), text


def test_a_constant_is_written_as_people_do():
    for k, text in ((0.25, "¼"), (-0.5, "−½"), (64.0, "64"), (65.0, ""), (1 / 64, "1/64"), (1 / 65, ""),
                    (2 / 3, "2/3"), (2 / 3 * (1 + 0.9e-7), "2/3"), (2 / 3 * (1 + 1.1e-7), ""),
                    (3 ** 0.5, "√3"), (-(2 ** -0.5), "−√½"), (1e6, ""), (0.0, ""), (math.inf, ""),
                    (-math.inf, ""), (math.nan, "")):
        assert simple(k) == text, k
    assert constant(0.123456789) == "0.123457" and constant(0.5) == "½"
    assert [wrapped(text) for text in ("x", "1 − x", "exp(1 − x)")] == ["x", "(1 − x)", "exp(1 − x)"]


def test_numbers_are_multiples_of_others_where_three_tell_it():
    one = np.array([1.0, -2.0, 4.0])
    none = np.zeros(3)
    for x, y, size, right in [
            (3.0 * one, one, 0.0, 3.0), (-0.5 * one, one, 0.0, -0.5), (one, one * (1.0 + 0.9e-6), 0.0, 1.0),
            (one, one * [1.0, 1.0, 1.0 + 5e-6], 0.0, None), (one, one * [1.0, 1.0, 1.0 + 5e-6], 1e8, 1.0),
            (one, [1.0, -2.0, 0.0], 0.0, None), ([2.0, -4.0, 0.0], [1.0, -2.0, 0.0], 0.0, None),
            (none, one, 0.0, None), (none, none, 0.0, None), (one, none, 0.0, None),
            ([2.0, -4.0, 8.0, 0.0], [1.0, -2.0, 4.0, 0.0], 0.0, 2.0)]:
        found = hypotheses._multiple(np.array(x), np.array(y), size)
        assert (found is None) if right is None else math.isclose(found, right, rel_tol=1e-5), (x, y, size)
    assert not hypotheses._same(np.array([1.0]), np.array([np.inf])) and not hypotheses._same(
        np.array([np.nan]), np.array([np.nan])) and hypotheses._same(none, none)
