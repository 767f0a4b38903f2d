"""Simple functions of labelled numbers, and how constants are written."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from autograd_lite.diagnosis.evidence import Evidence
from autograd_lite.diagnosis.view import Array

FORMS: Sequence[tuple[str, Callable[[Array], Array]]] = (
    ("{0}", lambda x: x), ("{0}²", lambda x: x * x), ("1 − {0}", lambda x: 1.0 - x),
    ("{0}(1 − {0})", lambda x: x * (1.0 - x)), ("1 − {0}²", lambda x: 1.0 - x * x), ("√{0}", np.sqrt),
    ("exp({0})", np.exp), ("sin({0})", np.sin), ("cos({0})", np.cos),
    ("1 − tanh({0})²", lambda x: 1.0 - np.tanh(x) ** 2), ("tanh({0})", np.tanh), ("{0}³", lambda x: x ** 3),
    ("1 + {0}", lambda x: 1.0 + x), ("log({0})", np.log), ("exp(−{0}²/2)", lambda x: np.exp(-0.5 * x * x)),
    ("{0}(1 + {0})", lambda x: x * (1.0 + x)), ("1 + {0}²", lambda x: 1.0 + x * x),
    ("sigmoid({0})(1 − sigmoid({0}))", lambda x: 0.25 / np.cosh(0.5 * x) ** 2))
MASKS: Sequence[tuple[str, Callable[[Array], Array]]] = (
    ("({0} > 0)", lambda x: (x > 0.0) * 1.0), ("({0} < 0)", lambda x: (x < 0.0) * 1.0))

_NAMED = {"ln 2": np.log(2.0), "ln 10": np.log(10.0), "log₂ 10": np.log2(10.0), "π": np.pi,
          "√π": np.sqrt(np.pi), "√(2π)": np.sqrt(2.0 * np.pi)}
_FEW = {sign + n for sign in ("", "−") for n in ("1", "2", "4", "½", "¼")}     # times one of these


class Form(NamedTuple):
    """A simple function of labelled numbers, at the wrong entries; how far-fetched it is."""

    text: str
    cost: float
    numbers: Array


def forms(evidence: Evidence) -> list[Form]:
    """The forms of all labelled numbers that fit the claim, and the gradients that fit."""
    found = []
    for name, arrays in evidence.numbers.items():
        x = evidence.spread(arrays)
        for cost, (text, f) in enumerate(FORMS) if x is not None else ():
            y = f(x)
            if np.isfinite(y).all() and np.any(y):
                found.append(Form(filled(text, name), 0.1 * cost, y))
    for name, arrays in evidence.gradients.items():
        g = evidence.spread(arrays)
        if g is not None and np.isfinite(g).all() and np.any(g):
            found.append(Form(name, 0.5, g))
    return found


def wrapped(text: str) -> str:
    """A form as it stands in a product or a power.

    >>> wrapped("1 − log(b)"), wrapped("exp(a - b)"), wrapped("-c")
    ('(1 − log(b))', 'exp(a - b)', '(-c)')
    """
    depth = list(itertools.accumulate((c == "(") - (c == ")") for c in text))
    return f"({text})" if text.startswith(("-", "−")) or (" ", 0) in zip(text, depth) else text


def filled(form: str, text: str) -> str:
    """One of the forms, of what is written so."""
    alone = form == "{0}" or "{0}" not in form.replace("({0})", "")
    return form.format(text if alone else wrapped(text))


def simple(k: float) -> str:
    """A constant as people write it, if it is a simple fraction or the root of one; else "".

    >>> simple(0.5), simple(-1.5), simple(2.0 ** 0.5), simple(0.3712)
    ('½', '−3/2', '√2', '')
    """
    for x, text in ((k, "{}"), (k * abs(k), "√{}")):
        fraction = Fraction(x).limit_denominator(64) if np.isfinite(x) else Fraction(0)
        if fraction and abs(float(fraction) - x) <= 1e-7 * abs(x) and abs(fraction.numerator) <= 64:
            size = {Fraction(1, 2): "½", Fraction(1, 4): "¼"}.get(abs(fraction), str(abs(fraction)))
            return "−" * (fraction < 0) + text.format(size)
    return ""


def constant(k: float) -> str:
    """A constant as people write it.

    >>> constant(0.75), constant(1.0 / np.log(2.0)), constant(-2.0 * np.pi), constant(0.3712)
    ('3/4', '1/ln 2', '−2·π', '0.3712')
    """
    if simple(k):
        return simple(k)
    for name, x in _NAMED.items():
        for part, joined in ((k / x, "{}·{}"), (k * x, "{}/{}")):
            head = simple(part)
            if head in _FEW:
                return joined.format(head, name).replace("1·", "")
    return f"{k:.6g}"
