"""A scalar language model, written as teaching scripts write it: one name's loss and gradient, and training.

A transformer of one layer, 16 wide with 4 heads, over 27 letters and up to 16 places. A name is filled up to
`places`, and each place has a share in the loss, 0 after the name's end: the places before do not see those
after, so that the loss is that of the name alone, and one program serves for names of any length.
"""
from __future__ import annotations

import functools
import random
import sys
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from plain import Plain
from programs import HEADS, LONGEST, SHAPES, WIDTH, plus, scaled, times
from script import Script
from sides import Row, Side, bound, native

import autograd_lite as ag

NAMES = ("matilda", "anna", "christopher", "jo", "emily", "francesca", "ben", "rosalind", "max", "elizabeth")
OURS = SimpleNamespace(exp=ag.exp, log=ag.log, relu=ag.relu, take=ag.take,
                       largest=lambda z: ag.stop_gradient(functools.reduce(ag.maximum, z)))
THEIRS = SimpleNamespace(exp=lambda v: v.exp(), log=lambda v: v.log(), relu=lambda v: v.relu(),
                         take=lambda rows, i: rows[i], largest=lambda z: max([v.data for v in z]))
Weights = dict[str, Any]


# -- the model ---------------------------------------------------------------------------------------

def softmax(z: Sequence[Any], m: Any) -> list[Any]:
    top = m.largest(z)
    powers = [m.exp(v - top) for v in z]
    total = sum(powers)
    return [power / total for power in powers]


def next_letter(w: Weights, x: Sequence[Any], keys: list[Any], values: list[Any], m: Any) -> list[Any]:
    """How likely each letter is to come next; the keys and values of this place join the others."""
    x = scaled(x)
    h = scaled(x)
    query = times(w["query"], h)
    keys.append(times(w["key"], h))
    values.append(times(w["value"], h))
    heads = []
    for first in range(0, WIDTH, WIDTH // HEADS):
        part = slice(first, first + WIDTH // HEADS)
        q = query[part]
        fits = [sum(a * b for a, b in zip(q, key[part])) / len(q) ** 0.5 for key in keys]
        shares = softmax(fits, m)
        heads += [sum(share * value[j] for share, value in zip(shares, values))
                  for j in range(part.start, part.stop)]
    x = plus(times(w["joined"], heads), x)
    h = [m.relu(v) for v in times(w["wide"], scaled(x))]
    x = plus(times(w["narrow"], h), x)
    return softmax(times(w["next"], x), m)


def loss(w: Weights, letters: Sequence[int], targets: Sequence[int], shares: Sequence[float],
         m: Any = OURS) -> Any:
    """The mean of −log p of each letter of a name, and of its end."""
    keys: list[Any] = []
    values: list[Any] = []
    total: Any = 0.0
    for place, (letter, target, share) in enumerate(zip(letters, targets, shares)):
        x = plus(m.take(w["token"], letter), w["place"][place])
        likely = next_letter(w, x, keys, values, m)
        total = total - share * m.log(m.take(likely, target))
    return total


def filled(name: str, places: int | None = None) -> tuple[list[int], list[int], list[float]]:
    """A name as what is read, what comes next, and each place's share in the loss."""
    letters = [ord(letter) - ord("a") + 1 for letter in name]
    n = len(letters) + 1
    rest = [0] * ((places or n) - n)
    return [0, *letters, *rest], [*letters, 0, *rest], [*[1 / n] * n, *map(float, rest)]


def start() -> Weights:
    rng = np.random.default_rng(3)
    return {name: rng.normal(0.0, 0.08, shape) for name, shape in SHAPES.items()}


def of_class(number: Callable[[float], Any]) -> Weights:
    """The first weights, as lists of a class's numbers."""
    return {name: [[number(x) for x in row] for row in rows.tolist()] for name, rows in start().items()}


def flat(w: Weights) -> list[Any]:
    return [x for rows in w.values() for row in rows for x in row]


# -- one loss and gradient ---------------------------------------------------------------------------

def compiled(at_once: bool = True) -> Any:
    return native(ag.value_and_grad(loss), at_once, indices=("letters", "targets"))


def with_arrays(name: str = NAMES[0]) -> Side:
    """Ours: the parameters in NumPy arrays, the name at its own length."""
    fast, w, example = compiled(), start(), filled(name)
    for other in (name, name[::-1], name[1:] + name[0]):        # (called with other numbers, as it will be)
        fast(w, *filled(other))
    return Side(lambda: fast(w, *example))


def with_bound_arrays(name: str = NAMES[0]) -> Side:
    """Ours: the same, the arrays read where they lie."""
    return Side(bound(compiled(), start(), *filled(name)))


def with_values(name: str = NAMES[0]) -> Side:
    """Ours: the parameters are Values that the function captures."""
    w = of_class(ag.Value)
    ps = flat(w)

    def of(letters: Any, targets: Any, shares: Any) -> Any:
        return loss(w, letters, targets, shares)
    fast = native(of, indices=("letters", "targets"))
    for other in (name, name[::-1], name[1:] + name[0]):
        fast.backward(*filled(other))

    def run() -> Any:
        for p in ps:
            p.grad = 0.0
        return fast.backward(*example)
    example = filled(name)
    return Side(run, lambda value: [value, [p.grad for p in ps]])


def of_a_class(number: Any, name: str = NAMES[0]) -> Side:
    sys.setrecursionlimit(1_000_000)
    w, example = of_class(number), filled(name)
    ps = flat(w)

    def run() -> Any:
        for p in ps:
            p.grad = 0.0
        total = loss(w, *example, m=THEIRS)
        total.backward()
        return total.data
    return Side(run, lambda value: [value, [p.grad for p in ps]])


# -- training ----------------------------------------------------------------------------------------

RATE, BETA1, BETA2, SMALL = 0.01, 0.85, 0.99, 1e-8              # of Adam; the rate falls to 0


def names(n: int, choice: Sequence[str] = NAMES) -> list[str]:
    rng = random.Random(5)
    return [rng.choice(choice) for _ in range(n)]


def train(steps: int = 300, choice: Sequence[str] = NAMES, places: int = LONGEST) -> list[float]:
    """Ours: the losses of the steps, from tracing on; Adam on NumPy's arrays."""
    fast, w = compiled(at_once=False), start()
    m, v = ({name: np.zeros_like(x) for name, x in w.items()} for _ in range(2))
    losses = []
    for k, name in enumerate(names(steps, choice), 1):
        value, gradient = fast(w, *filled(name, places))
        rate = RATE * (1 - (k - 1) / steps)
        for part, x in w.items():
            g = np.asarray(gradient[part], float)
            m[part] += (1 - BETA1) * (g - m[part])
            v[part] += (1 - BETA2) * (g * g - v[part])
            x -= rate * (m[part] / (1 - BETA1 ** k)) / (np.sqrt(v[part] / (1 - BETA2 ** k)) + SMALL)
        losses.append(value)
    return losses


def train_a_class(number: Any = Script, steps: int = 300, choice: Sequence[str] = NAMES) -> list[float]:
    """The same by the class of a teaching script; each name at its own length."""
    sys.setrecursionlimit(1_000_000)
    w = of_class(number)
    ps = flat(w)
    m, v = [0.0] * len(ps), [0.0] * len(ps)
    losses = []
    for k, name in enumerate(names(steps, choice), 1):
        for p in ps:
            p.grad = 0.0
        total = loss(w, *filled(name), m=THEIRS)
        total.backward()
        rate = RATE * (1 - (k - 1) / steps)
        for i, p in enumerate(ps):
            m[i] = BETA1 * m[i] + (1 - BETA1) * p.grad
            v[i] = BETA2 * v[i] + (1 - BETA2) * p.grad ** 2
            p.data -= rate * (m[i] / (1 - BETA1 ** k)) / ((v[i] / (1 - BETA2 ** k)) ** 0.5 + SMALL)
        losses.append(total.data)
    return losses


def script() -> Side:
    return of_a_class(Script)


ROWS = {
    "gpt-bound": Row("gpt, loss and gradient", with_bound_arrays, "script's class", script, 1000.0),
    "gpt-plain": Row("gpt, loss and gradient", with_bound_arrays, "plain class", lambda: of_a_class(Plain)),
    "gpt-arrays": Row("  the same, not bound", with_arrays, "script's class", script),
    "gpt-values": Row("  of captured Values", with_values, "script's class", script),
    "gpt-training": Row("gpt, 300 steps, all told", lambda: Side(train), "script's class",
                        lambda: Side(train_a_class), 12.0, once=True, within=1e-6),
}
