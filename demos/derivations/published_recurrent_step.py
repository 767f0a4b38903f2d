"""Two steps of a recurrent network for a batch of three, as a cell with forward and backward.

Forward the old state is multiplied by W from the right; backward the gradient must be multiplied by W.T. The
script takes W itself, which is square, so the shapes fit. For the inputs it has the transpose.
Source, retold: chiayisu/NLP_and_ML_Algorithm, Deep_Learning/RNN.py,
https://github.com/chiayisu/NLP_and_ML_Algorithm.
The library says:

    6 of 8 claims differ from the graph, by 2 causes:
      ∂L/∂h1: 6 of 6 entries, at [0, 0] claimed -0.00275564, is -0.0030802
          spoils ∂L/∂z1, ∂L/∂W, ∂L/∂U, ∂L/∂b
          claimed is ∂L/∂z2 @ W, right is ∂L/∂z2 @ W.T, at each of 4 points
      ∂L/∂h0: 6 of 6 entries, at [0, 0] claimed 0.00157455, should follow as
          0.00175436, is 0.00159323
          claimed is ∂L/∂z1 @ W, right is ∂L/∂z1 @ W.T, at each of 4 points
"""
import numpy as np

import autograd_lite as ag

numbers = np.random.default_rng(11)
points = [{name: numbers.normal(size=size) for name, size in [
    ("W", (2, 2)), ("U", (3, 2)), ("b", 2), ("x1", (3, 3)), ("x2", (3, 3)), ("h0", (3, 2)), ("t", (3, 2))]}
    for _ in range(4)]


def forward(point):
    W, U, b, h0 = (np.vectorize(ag.Value, otypes=[object])(point[name]) for name in ("W", "U", "b", "h0"))
    z1 = point["x1"] @ U + h0 @ W + b
    h1 = np.tanh(z1)
    z2 = point["x2"] @ U + h1 @ W + b
    h2 = np.tanh(z2)
    L = 0.5 * ((h2 - point["t"]) ** 2).sum()
    ag.label(W=W, U=U, b=b, h0=h0, z1=z1, h1=h1, z2=z2, h2=h2, L=L)
    return L


def hand(point, wrong=True):
    W, U, b, h0, x1, x2 = (point[name] for name in ("W", "U", "b", "h0", "x1", "x2"))
    h1 = np.tanh(x1 @ U + h0 @ W + b)
    h2 = np.tanh(x2 @ U + h1 @ W + b)

    back = W if wrong else W.T
    dh2 = h2 - point["t"]
    dz2 = dh2 * (1 - h2 ** 2)
    dh1 = dz2 @ back
    dz1 = dh1 * (1 - h1 ** 2)
    dh0 = dz1 @ back
    return {"h2": dh2, "z2": dz2, "h1": dh1, "z1": dz1, "h0": dh0, "W": h0.T @ dz1 + h1.T @ dz2,
            "U": x1.T @ dz1 + x2.T @ dz2, "b": (dz1 + dz2).sum(axis=0)}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
