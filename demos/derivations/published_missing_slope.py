"""A network for handwritten digits with sigmoids and a squared error, for one example at a time.

It starts backward with the outputs less the targets, as if they were the gradient before the last sigmoid;
the derivative of that sigmoid is forgotten, and the 2. Both are positive, so no sign is wrong.
Source, retold: Bot-Academy/NeuralNetworkFromScratch, nn.py (with main.py: sigmoids, batches of one),
https://github.com/Bot-Academy/NeuralNetworkFromScratch (its pull request 3 says so too).
There all biases of a layer also get one common sum; not so here.
The library says:

    7 of 7 claims differ from the graph, by 1 cause:
      ∂E/∂z: 2 of 2 entries, at [0] claimed 0.574017, is 0.261083
          spoils ∂E/∂W2, ∂E/∂b2, ∂E/∂h, ∂E/∂a, ∂E/∂W1, ∂E/∂b1
          the factor 2·o(1 − o) is missing, at each of 4 points
"""
import numpy as np

import autograd_lite as ag

numbers = np.random.default_rng(13)
points = [{name: numbers.normal(size=size) for name, size in [
    ("W1", (3, 2)), ("W2", (2, 3)), ("b1", 3), ("b2", 2), ("x", 2), ("t", 2)]} for _ in range(4)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(point):
    W1, b1, W2, b2 = (np.vectorize(ag.Value, otypes=[object])(point[k]) for k in ("W1", "b1", "W2", "b2"))
    a = W1 @ point["x"] + b1
    h = np.array([ag.sigmoid(number) for number in a])
    z = W2 @ h + b2
    o = np.array([ag.sigmoid(number) for number in z])
    E = ((o - point["t"]) ** 2).sum()
    ag.label(W1=W1, W2=W2, b1=b1, b2=b2, a=a, h=h, z=z, o=o, E=E)
    return E


def hand(point, wrong=True):
    W2, x = point["W2"], point["x"]
    h = sigmoid(point["W1"] @ x + point["b1"])
    o = sigmoid(W2 @ h + point["b2"])

    dz = o - point["t"] if wrong else 2 * (o - point["t"]) * o * (1 - o)
    dh = W2.T @ dz
    da = dh * h * (1 - h)
    return {"z": dz, "W2": np.outer(dz, h), "b2": dz, "h": dh, "a": da, "W1": np.outer(da, x), "b1": da}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
