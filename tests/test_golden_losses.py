"""Which coefficients are refused for their roundings, in which words, and after how many bounds.

(Arithmetic alone, so that its roundings are the same everywhere.)
"""
from __future__ import annotations

import functools
import warnings

import pytest
from golden import expected

import autograd_lite as ag
from autograd_lite import derivative, taylor
from autograd_lite.transforms import rounding


def nearly(power, x, more=0.0):
    """x, of which so much is lost as a power of two has no digits for, and another number."""
    return (x + 2.0 ** power) - 2.0 ** power + more


NEAR = 1.0 + 1.5e-6, 1.0 + 0.7e-6, 1.0 - 1.2e-6
FUNCTIONS = {
    "x": (lambda x: x, 0.7), "x and a constant": (lambda x: [x, 2.0], 0.7),
    "a square": (lambda x: x * x, 0.7), "a square beside x": (lambda x: [x, x * x, 0.1 * x], 0.7),
    "what cancels": (lambda x: (x + 1e12) - 1e12, 0.1),
    "minus what cancels": (lambda x: -((x + 1e12) - 1e12), 0.1),
    "its square": (lambda x: ((x + 1e12) - 1e12) * ((x + 1e12) - 1e12), 0.1),
    "x beside what cancels": (lambda x: [x, (x + 1e12) - 1e12, x * x], 0.1),
    "two that cancel": (lambda x: [(x + 1e12) - 1e12, x - (x * 0.1) / 0.1], 0.3),
    "nothing": (lambda x: x - x, 0.7), "nothing of a product": (lambda x: 0.1 * x - 0.1 * x, 0.7),
    "two times nothing": (lambda x: [0.1 * x - 0.1 * x, x - x], 0.7),
    "nothing, by luck": (lambda x: (x + 1e8) - 1e8 - x, 1.0),
    "nothing left": (lambda x: (x + 1e8) - 1e8 - x, 0.1),
    "twice nothing left": (lambda x: [(x + 1e8) - 1e8 - x, (x + 1e9) - 1e9 - x], 1.0),
    "nothing left of a square": (lambda x: x * x - (0.3 * x) * (x / 0.3), 0.7),
    "nothing at the point": (lambda x: (0.3 * x - 0.21) * x, 0.7),
    "beyond all doubles": (lambda x: 1e308 * x + ((x + 1e12) - 1e12), 1.0),
    "beside a large one": (lambda x: 1e8 * x + ((x * x + 1e12) - 1e12), 0.1),
    "beside a larger one": (lambda x: 1e14 + ((x * x + 1e6) - 1e6) * x, 0.1),
    "a large one at the end": (lambda x: ((x + 1e7) - 1e7) + 1e11 * x * x * x, 0.1),
    "a quotient": (lambda x: ((x + 1e10) - 1e10) / x, 0.1),
    "over what cancels": (lambda x: x / ((x + 1e10) - 1e10), 0.1),
    "tiny": (lambda x: 1e-305 * ((x + 1e12) - 1e12), 0.1),
    "tinier": (lambda x: 1e-309 * ((x + 1e12) - 1e12), 0.1),
    "small": (lambda x: 1e-290 * ((x + 1e12) - 1e12), 0.1),
    "large": (lambda x: 1e290 * ((x + 1e12) - 1e12), 0.1),
    **{f"near what is kept, {x}": (lambda x: nearly(34, x), x) for x in NEAR},
    **{f"near what is kept beside another, {x}": (lambda x: [nearly(34, x), nearly(33, x), x * x], x)
       for x in NEAR},
    **{f"beside {more}, by 2 ** {power}": (lambda x, power=power, more=more: nearly(power, x, more) * x, 0.3)
       for power in (20, 27, 34, 40) for more in (1e4, 1e7, 1e13)},
    **{f"times x less 2 ** {power}": (lambda x, power=power: nearly(power, 3.0 * x) * (x - 0.2999), 0.3)
       for power in (20, 27, 34, 40)},
    **{f"a cubic by 2 ** {power}": (lambda x, power=power: nearly(power, x * x * x) / (1.0 + x), 0.3)
       for power in (27, 34, 40)}}


def losses(f, x, order=3):
    """What `taylor` warns of, and after how many bounds; and what `derivative` gives or refuses."""
    asked = []
    bound = rounding.Roundings.bound

    def counted(self, seeds):
        asked.append(self.exactly)
        return bound(self, seeds)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(record=True) as met:
        warnings.simplefilter("always")
        patch.setattr(rounding.Roundings, "bound", counted)
        with ag.errstate("warn"):
            taylor(f, x, order)
    lines = [str(warning.message).partition("\n")[0] for warning in met]
    lines.append(f"bounds: {asked.count(False)} at most, {asked.count(True)} exactly")
    for k in range(order + 1):
        try:
            y = derivative(f, k)(x)
            lines.append(" ".join([f"{c:.6g}" for c in (y if isinstance(y, list) else [y])]))
        except ag.AutogradError as error:
            lines.append(f"{type(error).__name__}: " + str(error).partition("\n")[0].partition("; write")[0])
    return "\n".join(lines).replace("<lambda>", "f")


NAME = "losses"
CASES = {name: functools.partial(losses, f, x) for name, (f, x) in FUNCTIONS.items()}


@pytest.mark.parametrize("case", CASES)
def test_what_is_refused_is_what_is_expected(case):
    assert CASES[case]() == expected(NAME)[case]


def test_both_what_is_kept_and_what_is_refused_is_among_the_cases():
    texts = [text for text in expected(NAME).values()]
    refused = [text for text in texts if "cancel, so that" in text]
    assert 10 < len(refused) < len(texts) - 10
