"""A language model of scalars learns names, letter by letter, and is asked for new ones.

    python demos/gpt.py [--steps 1000] [--longest 15] [--output DIR]

The model is written as teaching scripts write it: lists of numbers, `sum` and `zip`. Compiled, it trains for
1,000 steps in seconds. Writes gpt.png: how the loss fell, eager beside compiled, and the new names.
"""
import argparse
import functools
import random
import statistics
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
from tqdm import tqdm

import autograd_lite as ag
from autograd_lite.files import write_figure

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)

LETTERS = ".abcdefghijklmnopqrstuvwxyz"                 # (the point begins and ends a name)
WIDTH, HEADS = 16, 4
RATE, BETA1, BETA2, SMALL = 0.01, 0.85, 0.99, 1e-8      # of Adam; the rate falls to 0
TEMPERATURE = 0.6
ORANGE, BLUE, INK = "#d95f0e", "#2166ac", "#333333"


# -- the model: a transformer of one layer -----------------------------------------------------------

def start(places, rng):
    shapes = {"letter": (len(LETTERS), WIDTH), "place": (places, WIDTH),
              "query": (WIDTH, WIDTH), "key": (WIDTH, WIDTH), "value": (WIDTH, WIDTH),
              "joined": (WIDTH, WIDTH), "wide": (4 * WIDTH, WIDTH), "narrow": (WIDTH, 4 * WIDTH),
              "next": (len(LETTERS), WIDTH)}
    return {name: rng.normal(0.0, 0.08, shape) for name, shape in shapes.items()}


def times(matrix, x):
    return [sum(a * b for a, b in zip(row, x)) for row in matrix]


def plus(x, y):
    return [a + b for a, b in zip(x, y)]


def scaled(x):
    """x over its root mean square."""
    scale = (sum(a * a for a in x) / len(x) + 1e-5) ** -0.5
    return [a * scale for a in x]


def softmax(z):
    top = ag.stop_gradient(functools.reduce(ag.maximum, z))
    powers = [ag.exp(a - top) for a in z]
    total = sum(powers)
    return [power / total for power in powers]


def attended(query, keys, values):
    """The values at the places so far, weighted by how well their keys fit the query; in parts, the heads."""
    out = []
    for first in range(0, WIDTH, WIDTH // HEADS):
        part = range(first, first + WIDTH // HEADS)
        shares = softmax([sum(query[j] * key[j] for j in part) / len(part) ** 0.5 for key in keys])
        out += [sum(share * value[j] for share, value in zip(shares, values)) for j in part]
    return out


def next_letter(w, letter, place, keys, values, temperature=1.0):
    """How likely each letter is to come next; the key and value of this place join those of the others."""
    x = scaled(plus(ag.take(w["letter"], letter), w["place"][place]))
    h = scaled(x)
    keys.append(times(w["key"], h))
    values.append(times(w["value"], h))
    x = plus(times(w["joined"], attended(times(w["query"], h), keys, values)), x)
    h = [ag.relu(a) for a in times(w["wide"], scaled(x))]
    x = plus(times(w["narrow"], h), x)
    return softmax([a / temperature for a in times(w["next"], x)])


def loss(w, letters, targets, shares):
    """The mean of −log p of each letter of a name, and of its end."""
    keys, values, total = [], [], 0.0
    for place, (letter, target, share) in enumerate(zip(letters, targets, shares)):
        likely = next_letter(w, letter, place, keys, values)
        total = total - share * ag.log(ag.take(likely, target))
    return total


def filled(name, places):
    """The letters that are read, those that come next, and each place's share in the loss: 0 after the end,
    so that one program serves for names of any length."""
    letters = [LETTERS.index(letter) for letter in f".{name}."]
    n = len(letters) - 1
    rest = [0] * (places - n)
    return letters[:-1] + rest, letters[1:] + rest, [1 / n] * n + [0.0] * len(rest)


# -- training, and what it learned -------------------------------------------------------------------

def train(gradient, names, places, steps, of):
    """The weights, and the loss and the seconds of the first steps of a training of so many."""
    w = start(places, np.random.default_rng(1))
    means, squares = ({part: np.zeros_like(x) for part, x in w.items()} for _ in range(2))
    history = []
    for step in tqdm(range(1, steps + 1), "training", unit="step", disable=None, leave=False):
        began = time.perf_counter()
        value, slopes = gradient(w, *filled(names[step % len(names)], places))
        rate = RATE * (1.0 - (step - 1) / of)
        for part, x in w.items():
            g = np.asarray(slopes[part], float)
            means[part] += (1.0 - BETA1) * (g - means[part])
            squares[part] += (1.0 - BETA2) * (g * g - squares[part])
            scale = np.sqrt(squares[part] / (1.0 - BETA2 ** step)) + SMALL
            x -= rate * means[part] / (1.0 - BETA1 ** step) / scale
        history.append((value, time.perf_counter() - began))
    return w, history


def invent(w, places, rng):
    """A name, letter by letter, each drawn as likely as the model finds it."""
    w = {part: x.tolist() for part, x in w.items()}
    name, letter, keys, values = "", 0, [], []
    for place in range(places):
        likely = next_letter(w, letter, place, keys, values, TEMPERATURE)
        letter = rng.choices(range(len(LETTERS)), likely)[0]
        if letter == 0:
            break
        name += LETTERS[letter]
    return name


def draw(losses, eager, compiled, invented, path):
    figure, (curve, bars, words) = plt.subplots(1, 3, figsize=(10, 3.6), width_ratios=(6, 2, 3),
                                                layout="constrained")
    window = max(1, len(losses) // 20)
    smooth = np.convolve(losses, np.full(window, 1.0 / window), "valid")
    curve.plot(range(1, len(losses) + 1), losses, color=BLUE, alpha=0.25, linewidth=0.6)
    curve.plot(range(window, len(losses) + 1), smooth, color=INK, linewidth=1.8)
    curve.axhline(np.log(len(LETTERS)), color=ORANGE, linestyle="dashed", linewidth=1.0)
    curve.set(xlabel="step", ylabel="loss of a name", title="training (dashed: all letters alike)")
    shown = bars.bar(["eager", "compiled"], [1e3 * eager, 1e3 * compiled], color=[ORANGE, BLUE])
    bars.bar_label(shown, fmt="%.3g")
    bars.set_yscale("log")
    bars.margins(y=0.15)
    bars.set(title="ms a step")
    words.set_axis_off()
    words.set_title("new names")
    for k, name in enumerate(invented):
        words.text(0.05 + 0.5 * (k % 2), 0.92 - 0.095 * (k // 2), name, fontsize=11, color=INK)
    write_figure(figure, path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description="Train a small language model on names.")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--longest", type=int, default=15, help="leave out names of more letters")
    parser.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="where gpt.png goes")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    lines = (Path(__file__).parent / "data" / "names.txt").read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if line.isalpha() and len(line) <= options.longest]
    random.Random(2).shuffle(names)
    places = max(map(len, names)) + 1
    gradient = ag.value_and_grad(loss)
    few = min(3, options.steps)

    _, slow = train(gradient, names, places, few, options.steps)
    compiled = ag.compile(gradient, indices=("letters", "targets"))
    began = time.perf_counter()
    w, fast = train(compiled, names, places, options.steps, options.steps)
    seconds = time.perf_counter() - began
    losses = [value for value, _ in fast]
    eager, median = (statistics.median([taken for _, taken in history]) for history in (slow, fast))

    print(f"{len(names)} names, {sum(x.size for x in w.values())} parameters, {places} places")
    print(f"eager: {1e3 * eager:.0f} ms a step; compiled: {1e3 * median:.3g} ms a step")
    print(f"their first {few} losses are equal: {[value for value, _ in slow] == losses[:few]}")
    first = seconds - len(fast) * median
    print(f"{options.steps} steps in {seconds:.1f} s, of which {first:.1f} s to trace and compile")
    part = max(1, len(losses) // 5)
    for first in range(0, len(losses) - part + 1, part):
        print(f"  steps {first + 1:4d} to {first + part:4d}   loss {np.mean(losses[first:first + part]):.3f}")
    rng = random.Random(3)
    invented = [name for name in dict.fromkeys(invent(w, places, rng) for _ in range(60))
                if name and name not in names][:20]
    print("new names: " + ", ".join(invented[:8]))
    draw(losses, eager, median, invented, options.output / "gpt.png")
    print(f"wrote {options.output / 'gpt.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
