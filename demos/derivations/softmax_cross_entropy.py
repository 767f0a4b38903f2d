"""A linear classifier with softmax and cross-entropy, for one example of three classes.

For the two together ∂L/∂z is p − y. Here it is multiplied by p(1 − p) once more, a habit from networks that
end in a sigmoid and a squared error.
The library says:

    4 of 4 claims differ from the graph, by 1 cause:
      ∂L/∂z: 3 of 3 entries, at [2] claimed -0.00129581, is -0.998701
          spoils ∂L/∂W, ∂L/∂b, ∂L/∂x
          the factor p(1 − p) is too much, at each of 4 points
"""
import numpy as np

import autograd_lite as ag

numbers = np.random.default_rng(3)
points = [{"W": numbers.normal(size=(3, 2)), "b": numbers.normal(size=3), "x": numbers.normal(size=2),
           "target": int(numbers.integers(3))} for _ in range(4)]


def forward(point):
    W, b, x = (np.vectorize(ag.Value, otypes=[object])(point[name]) for name in ("W", "b", "x"))
    z = W @ x + b
    e = np.exp(z)
    p = e / e.sum()
    L = -(np.eye(3)[point["target"]] * np.log(p)).sum()
    ag.label(W=W, b=b, x=x, z=z, p=p, L=L)
    return L


def hand(point, wrong=True):
    W, x = point["W"], point["x"]
    e = np.exp(W @ x + point["b"])
    p = e / e.sum()
    y = np.eye(3)[point["target"]]

    dz = p - y
    if wrong:
        dz = dz * p * (1 - p)
    dW = np.outer(dz, x)
    db = dz
    dx = W.T @ dz
    return {"z": dz, "W": dW, "b": db, "x": dx}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
