"""A law of physics fitted to measurements by least squares, with our exact derivatives.

    python demos/fit.py [--output DIR]

The data are NIST's reference problem Misra1a (monomolecular adsorption: the volume y adsorbed
at the pressure x), whose certified results are printed next to ours. Writes fit.png.
Source: NIST Statistical Reference Datasets, https://www.itl.nist.gov/div898/strd/nls/data/misra1a.shtml
"""
import argparse
import math
import sys
from pathlib import Path

import matplotlib
import numpy as np

import autograd_lite as ag
from autograd_lite.files import write_figure

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)

PRESSURE = [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0]
VOLUME = [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78]
STARTS = [(500.0, 0.0001), (250.0, 0.0005)]
CERTIFIED = {"b1": 2.3894212918e+02, "b2": 5.5015643181e-04,
             "its deviation b1": 2.7070075241e+00, "its deviation b2": 7.2668688436e-06,
             "sum of squares": 1.2455138894e-01}
INK, RED, BLUE = "#333333", "#c51b3a", "#2166ac"


def law(b, x):
    """b1·(1 − e^(−b2·x)), written so that it keeps its digits where b2·x is small."""
    return -b[0] * ag.expm1(-b[1] * x)


def residuals(b):
    return [y - law(b, x) for x, y in zip(PRESSURE, VOLUME)]


def levenberg_marquardt(f, start, steps=100):
    """The points on the way from `start` to the least sum of squares of f, and f's Jacobian there.

    Each step solves the linear problem min |f + J·d|² + damping·|scale·d|²; the damping falls
    while the steps succeed, and the method becomes Gauss and Newton's.
    """
    jacobian = ag.jacobian(f)
    path, damping = [np.array(start)], 1e-3
    r, matrix = np.array(f(start)), np.array(jacobian(list(start)))
    for _ in range(steps):
        scale = np.linalg.norm(matrix, axis=0)
        stacked = np.vstack([matrix / scale, math.sqrt(damping) * np.eye(len(scale))])
        move = np.linalg.lstsq(stacked, [*-r, *0.0 * scale], rcond=None)[0] / scale
        point = (path[-1] + move).tolist()
        trial = np.array(f(point))
        if trial @ trial > (r @ r) * (1.0 + 1e-12):         # rounding alone is not a failure
            damping *= 10.0
            continue
        damping *= 0.1
        path.append(np.array(point))
        r, matrix = trial, np.array(jacobian(point))
        if np.all(abs(move) <= 1e-14 * abs(path[-1])):
            return path, matrix
    raise SystemExit(f"no convergence from {start} in {steps} steps")


def results(b, matrix):
    """What NIST certifies: the parameters, their standard deviations, the sum of squares."""
    r = np.array(residuals(b.tolist()))
    scale = np.linalg.norm(matrix, axis=0)
    inverse = np.linalg.inv((matrix / scale).T @ (matrix / scale))
    deviations = np.sqrt(np.diag(inverse) * (r @ r) / (len(r) - len(b))) / scale
    return dict(zip(CERTIFIED, [*b, *deviations, r @ r]))


def draw(paths, path):
    b = paths[0][-1]
    r = np.array(residuals(b.tolist()))
    deviation = math.sqrt(r @ r / (len(r) - 2))
    figure = plt.figure(figsize=(10, 4.4), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(3, 1), width_ratios=(1, 1))
    fit = figure.add_subplot(grid[0, 0])
    x = np.linspace(0.0, 800.0, 200)
    fit.plot(x, [law(b.tolist(), u) for u in x.tolist()], color=BLUE, linewidth=1.8,
             label=f"{b[0]:.2f}·(1 − exp(−{b[1] * 1e4:.4f}·10⁻⁴ x))")
    fit.plot(PRESSURE, VOLUME, "o", color=INK, markersize=5, label="measured")
    fit.set(title="fit", ylabel="volume y", xlim=(0, 800), ylim=(0, None), xticklabels=[])
    fit.legend(frameon=False, loc="upper left")
    rest = figure.add_subplot(grid[1, 0])
    rest.axhspan(-deviation, deviation, color=BLUE, alpha=0.15, linewidth=0)
    rest.axhline(0.0, color=BLUE, linewidth=1.2)
    rest.vlines(PRESSURE, 0.0, r, color=INK, linewidth=1.0)
    rest.plot(PRESSURE, r, "o", color=INK, markersize=4)
    rest.set(xlabel="pressure x", ylabel="residual", xlim=(0, 800), ylim=(-0.22, 0.22))

    valley = figure.add_subplot(grid[:, 1])
    b1, b2 = np.meshgrid(np.linspace(150.0, 700.0, 160), np.linspace(0.2e-4, 9.8e-4, 160))
    squares = sum((y + b1 * np.expm1(-b2 * u)) ** 2 for u, y in zip(PRESSURE, VOLUME))
    valley.contourf(b1, b2 * 1e4, np.log10(squares), 24, cmap="Blues_r")
    for k, (points, colour) in enumerate(zip(paths, (RED, "#e08214")), 1):
        line = np.array(points)
        valley.plot(line[:, 0], line[:, 1] * 1e4, "o-", color=colour, markersize=4, linewidth=1.4,
                    label=f"from NIST's start {k}: {len(points) - 1} steps")
    valley.plot(b[0], b[1] * 1e4, "*", color="white", markeredgecolor=INK, markersize=14, label="the least")
    valley.set(title="sum of squares (log), and the ways down", xlabel="b₁", ylabel="b₂ · 10⁴",
               xlim=(150, 700), ylim=(0.2, 9.8))
    valley.legend(loc="upper right")
    write_figure(figure, path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description="Fit NIST's Misra1a by Levenberg and Marquardt's method.")
    parser.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="where fit.png goes")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)

    print("NIST Misra1a: y = b1*(1 - exp(-b2*x)), 14 measurements")
    paths = []
    for start in STARTS:
        path, matrix = levenberg_marquardt(residuals, start)
        paths.append(path)
        print(f"\nfrom b1 = {start[0]:g}, b2 = {start[1]:g}: {len(path) - 1} steps")
        print(f"  {'':18s}{'certified':>18s}{'ours':>18s}   digits")
        for name, ours in results(path[-1], matrix).items():
            error = abs(ours - CERTIFIED[name]) / CERTIFIED[name]
            digits = min(11.0, -math.log10(error)) if error else 11.0    # NIST prints eleven
            print(f"  {name:18s}{CERTIFIED[name]:18.10e}{ours:18.10e}{digits:9.1f}")
    draw(paths, output / "fit.png")
    print(f"\nwrote {output / 'fit.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
