"""Two half moons told apart by a small network: micrograd's demonstration, with its settings.

    python demos/moons.py [--output DIR]

Writes moons.png: where the network draws the line, and how it learned to.
"""
import argparse
import math
import random
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
from tqdm import tqdm

import autograd_lite as ag
from autograd_lite import nn, optim
from autograd_lite.files import write_figure

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)
from matplotlib.colors import LinearSegmentedColormap  # noqa: E402

POINTS, STEPS, DECAY = 100, 100, 1e-4
ORANGE, BLUE, INK = "#d95f0e", "#2166ac", "#333333"
SIDES = LinearSegmentedColormap.from_list("sides", ["#6aa5d6", "#deebf5", "#fdfdfb", "#fde5cf", "#f0a05a"])


def moons(n, noise=0.1):
    """n points on two half circles, blurred, and the side (−1 or 1) of each."""
    rng = np.random.default_rng(7)
    angle = math.pi * rng.random(n)
    side = np.where(np.arange(n) % 2, 1, -1)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1.0 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    points = np.where(side[:, None] < 0, upper, lower) + rng.normal(0.0, noise, (n, 2))
    return points.tolist(), side.tolist()


def train(model, points, sides):
    """The loss and the accuracy before each of the steps, and after the last."""
    parameters = model.parameters()
    optimizer = optim.SGD(parameters, optim.linear(1.0, STEPS, 0.1))
    history = []
    for step in tqdm(range(STEPS + 1), "training", unit="step", disable=None, leave=False):
        scores = [model(point) for point in points]
        margin = ag.mean([nn.hinge(score, side) for score, side in zip(scores, sides)])
        loss = margin + DECAY * ag.dot(parameters, parameters)
        right = sum(score * side > 0.0 for score, side in zip(scores, sides))
        history.append((loss.data, right / len(points)))
        if step < STEPS:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return history


def draw(model, points, sides, history, path):
    figure, (plane, curve) = plt.subplots(1, 2, figsize=(10, 3.9), width_ratios=(8, 5),
                                          layout="constrained")
    x, y = np.array(points).T
    xs, ys = np.linspace(x.min() - 0.4, x.max() + 0.4, 90), np.linspace(y.min() - 0.4, y.max() + 0.4, 60)
    with ag.no_grad():
        scores = np.array([[model([a, b]).data for a in xs.tolist()] for b in ys.tolist()])
    plane.imshow(scores, SIDES, vmin=-4.0, vmax=4.0, origin="lower", interpolation="bilinear",
                 extent=(xs[0], xs[-1], ys[0], ys[-1]))
    lines = plane.contour(xs, ys, scores, [-1.0, 0.0, 1.0], colors=INK, linewidths=(0.8, 2.0, 0.8),
                          linestyles=("dashed", "solid", "dashed"))
    plane.clabel(lines, fmt={-1.0: "−1", 0.0: "0", 1.0: "+1"}, fontsize=8)
    for side, colour, marker in ((-1, BLUE, "o"), (1, ORANGE, "s")):
        mine = np.array(sides) == side
        plane.scatter(x[mine], y[mine], s=34, color=colour, marker=marker, edgecolors="white",
                      linewidths=0.8, zorder=3)
    plane.set(title="score of the network: boundary at 0, margins at ±1", xticks=[], yticks=[])

    loss, accuracy = np.array(history).T
    curve.semilogy(loss, color=INK, linewidth=1.8)
    curve.set(xlabel="step", ylabel="loss", xlim=(0, STEPS), title="training")
    share = curve.twinx()
    share.plot(100.0 * accuracy, color=ORANGE, linewidth=1.8)
    share.set_ylabel("accuracy (%)", color=ORANGE)
    share.set_ylim(40.0, 102.0)
    share.tick_params(axis="y", colors=ORANGE)
    write_figure(figure, path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description="Train a small network on two half moons.")
    parser.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="where moons.png goes")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)

    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])
    points, sides = moons(POINTS)
    print(f"{POINTS} points, network 2-16-16-1 with {len(model.parameters())} parameters")
    start = time.perf_counter()
    history = train(model, points, sides)
    seconds = time.perf_counter() - start
    for step in (0, 1, 10, STEPS // 2, STEPS):
        loss, accuracy = history[step]
        print(f"  step {step:3d}   loss {loss:8.5f}   accuracy {accuracy:4.0%}")
    print(f"{STEPS} steps in {seconds:.1f} s")
    draw(model, points, sides, history, output / "moons.png")
    print(f"wrote {output / 'moons.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
