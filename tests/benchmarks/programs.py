"""Three programs, each written once for every engine: a classifier, a language model, a pendulum.

A program has the numbers that its parameters start from, and a loss: a function of the parameters, as
the engine's numbers, and of `m`, which has the engine's own number and functions. It uses the operators
+ - * / ** with plain numbers on either side, the built-in `sum`, and the functions that it needs.
"""
from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Program(NamedTuple):
    """A program: its first parameters, its loss, and the functions that an engine must have for it."""

    start: Sequence[float]
    loss: Callable[[Sequence[Any], Any], Any]
    needs: Sequence[str]


# -- moons: a 2-16-16-1 network with relu on 100 points, hinge loss and an L2 term -----------------

SIZES = (2, 16, 16, 1)


def points(n: int = 100) -> tuple[list[tuple[float, float]], list[int]]:
    """Two half circles, and which of them a point lies on (−1 or 1)."""
    rng = random.Random(1)
    found, targets = [], []
    for i in range(n):
        t = math.pi * rng.random()
        found.append((math.cos(t), math.sin(t)) if i % 2 else (1 - math.cos(t), 0.5 - math.sin(t)))
        targets.append(-1 if i % 2 else 1)
    return found, targets


def moons_start() -> list[float]:
    """The weights and, after each neuron's, its bias."""
    rng = random.Random(2)
    return [x for a, b in zip(SIZES, SIZES[1:]) for _ in range(b)
            for x in [*[rng.uniform(-1, 1) for _ in range(a)], 0.0]]


def moons_loss(ps: Sequence[Any], m: Any) -> Any:
    """The loss as a chain of scalar operations."""
    supply = iter(ps)
    layers = [[([next(supply) for _ in range(a)], next(supply)) for _ in range(b)]
              for a, b in zip(SIZES, SIZES[1:])]
    losses = []
    for point, target in zip(*points()):
        x = [m.number(c) for c in point]
        for k, layer in enumerate(layers):
            x = [sum((wi * xi for wi, xi in zip(w, x)), b) for w, b in layer]
            if k < len(layers) - 1:
                x = [m.relu(net) for net in x]
        losses.append(m.relu(1 + -target * x[0]))
    weights = [p for layer in layers for w, b in layer for p in (*w, b)]
    return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in weights)


# -- gpt: a transformer of one layer reads a name and predicts each next letter --------------------

NAME = "matilda"
WIDTH, HEADS, LONGEST, TOKENS = 16, 4, 16, 27           # (the tokens: the letters, and one for the ends)
SHAPES = {"token": (TOKENS, WIDTH), "place": (LONGEST, WIDTH), "query": (WIDTH, WIDTH),
          "key": (WIDTH, WIDTH), "value": (WIDTH, WIDTH), "joined": (WIDTH, WIDTH),
          "wide": (4 * WIDTH, WIDTH), "narrow": (WIDTH, 4 * WIDTH), "next": (TOKENS, WIDTH)}


def gpt_start() -> list[float]:
    """The entries of the matrices, row by row."""
    rng = random.Random(3)
    return [rng.gauss(0.0, 0.08) for rows, columns in SHAPES.values() for _ in range(rows * columns)]


def times(matrix: Sequence[Sequence[Any]], x: Sequence[Any]) -> list[Any]:
    """A matrix times a vector."""
    return [sum(w * c for w, c in zip(row, x)) for row in matrix]


def plus(x: Sequence[Any], y: Sequence[Any]) -> list[Any]:
    """The sum of two vectors."""
    return [a + b for a, b in zip(x, y)]


def scaled(x: Sequence[Any]) -> list[Any]:
    """The vector over its root mean square."""
    scale = (sum(c * c for c in x) / len(x) + 1e-5) ** -0.5
    return [c * scale for c in x]


def shares(x: Sequence[Any], m: Any) -> list[Any]:
    """Softmax: eˣ over the sum of them all."""
    powers = [m.exp(c) for c in x]
    total = sum(powers)
    return [power / total for power in powers]


def attended(query: Sequence[Any], keys: Sequence[Any], values: Sequence[Any], m: Any) -> list[Any]:
    """One head: the values at the places so far, weighted by how well their keys fit the query."""
    fits = [sum(q * k for q, k in zip(query, key)) / len(query) ** 0.5 for key in keys]
    return times(list(zip(*values)), shares(fits, m))


def next_token(w: Any, x: Sequence[Any], keys: list[Any], values: list[Any], m: Any) -> list[Any]:
    """How likely each token is to come next; the keys and values of this place join the others."""
    x = scaled(x)
    h = scaled(x)
    query = times(w["query"], h)
    keys.append(times(w["key"], h))
    values.append(times(w["value"], h))
    heads: list[Any] = []
    for first in range(0, WIDTH, WIDTH // HEADS):
        part = slice(first, first + WIDTH // HEADS)
        heads += attended(query[part], [k[part] for k in keys], [v[part] for v in values], m)
    x = plus(times(w["joined"], heads), x)
    h = [m.relu(c) ** 2 for c in times(w["wide"], scaled(x))]
    x = plus(times(w["narrow"], h), x)
    return shares(times(w["next"], x), m)


def gpt_loss(ps: Sequence[Any], m: Any) -> Any:
    """The mean of −log p of each letter of the name, and of its end."""
    supply = iter(ps)
    w = {name: [[next(supply) for _ in range(columns)] for _ in range(rows)]
         for name, (rows, columns) in SHAPES.items()}
    tokens = [0, *[ord(letter) - ord("a") + 1 for letter in NAME], 0]
    keys: list[Any] = []
    values: list[Any] = []
    losses = []
    for place, (token, target) in enumerate(zip(tokens, tokens[1:])):
        x = plus(w["token"][token], w["place"][place])
        losses.append(-m.log(next_token(w, x, keys, values, m)[target]))
    return sum(losses) / len(losses)


# -- chain: a driven pendulum with friction and drag, 2,000 steps ----------------------------------

STEPS, STEP = 2000, 0.005                               # s
# gravity m/s², length m, friction 1/s, grip of the dry friction 1/s², drag 1/rad, drive 1/s², its
# frequency rad/s, angle rad, angular velocity rad/s.
PENDULUM = (9.8, 2.0, 0.3, 0.1, 0.2, 1.5, 1.3, 1.0, 0.0)


def chain_loss(ps: Sequence[Any], m: Any) -> Any:
    """The mean energy per mass, J/kg, and the square of the last angle."""
    gravity, length, friction, grip, drag, drive, frequency, angle, speed = ps
    energy = 0
    for k in range(STEPS):
        height = length * (1 - m.cos(angle))
        density = m.exp(-height / 8)                    # of the air
        pull = gravity / (1 + height / 20) ** 2 * m.sin(angle) / length
        slow = friction * speed + grip * m.tanh(speed / 0.1)
        wind = drag * density * speed * m.sqrt(speed ** 2 + 1e-6)
        push = drive * m.sin(frequency * (k * STEP))
        speed = speed + STEP * (push - pull - slow - wind)
        angle = angle + STEP * speed
        energy = energy + ((length * speed) ** 2 / 2 + gravity * height)
    return energy / STEPS + angle ** 2


PROGRAMS = {"moons": Program(moons_start(), moons_loss, ["relu"]),
            "gpt": Program(gpt_start(), gpt_loss, ["exp", "log", "relu"]),
            "chain": Program(PENDULUM, chain_loss, ["cos", "exp", "sin", "sqrt", "tanh"])}
