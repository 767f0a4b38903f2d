"""A recurrent network over three time steps, led back step by step.

The weight W takes h0 into the second step, so that step adds outer(h0, ∂L/∂z1) to its gradient. The lesson
takes h1 again, as in the step before. (The loop that it gives afterwards has the right index.)
Source, retold: "RNNs", VikParuchuri/zero_to_gpt, explanations/rnn.ipynb,
https://github.com/VikParuchuri/zero_to_gpt (asked about in its issue 9).
What it does with the biases is left out here.
The library says:

    1 of 9 claims differs from the graph, by 1 cause:
      ∂L/∂W: 4 of 4 entries, at [1, 1] claimed -0.138298, is -0.109508
          h1 where h0 belongs: claimed is outer(h1, ∂L/∂z1) in the path via z1, at
              each of 4 points
"""
import numpy as np

import autograd_lite as ag

numbers = np.random.default_rng(10)
points = [{name: numbers.normal(size=size) for name, size in [
    ("U", 2), ("W", (2, 2)), ("b", 2), ("v", 2), ("x", 3), ("t", 3)]} for _ in range(4)]


def forward(point):
    U, W, b, v = (np.vectorize(ag.Value, otypes=[object])(point[name]) for name in ("U", "W", "b", "v"))
    x, t = point["x"], point["t"]
    h0 = np.tanh(x[0] * U)
    z1 = x[1] * U + h0 @ W + b
    h1 = np.tanh(z1)
    z2 = x[2] * U + h1 @ W + b
    h2 = np.tanh(z2)
    y = np.array([h0 @ v, h1 @ v, h2 @ v])
    L = 0.5 * ((y - t) ** 2).sum()
    ag.label(U=U, W=W, b=b, v=v, h0=h0, z1=z1, h1=h1, z2=z2, h2=h2, y=y, L=L)
    return L


def hand(point, wrong=True):
    U, W, b, v, x = (point[name] for name in ("U", "W", "b", "v", "x"))
    h0 = np.tanh(x[0] * U)
    h1 = np.tanh(x[1] * U + h0 @ W + b)
    h2 = np.tanh(x[2] * U + h1 @ W + b)
    dy = np.array([h0 @ v, h1 @ v, h2 @ v]) - point["t"]

    dh2 = dy[2] * v
    dz2 = dh2 * (1 - h2 ** 2)
    dh1 = dy[1] * v + dz2 @ W.T
    dz1 = dh1 * (1 - h1 ** 2)
    dh0 = dy[0] * v + dz1 @ W.T
    dz0 = dh0 * (1 - h0 ** 2)
    dW = np.outer(h1, dz2) + np.outer(h1 if wrong else h0, dz1)
    return {"y": dy, "h2": dh2, "z2": dz2, "h1": dh1, "z1": dz1, "h0": dh0, "W": dW,
            "U": x[0] * dz0 + x[1] * dz1 + x[2] * dz2, "v": dy[0] * h0 + dy[1] * h1 + dy[2] * h2}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
