"""Logistic regression with a penalty: its gradient, and the Hessian as the derivative of the gradient."""
import numpy as np

import autograd_lite as ag

from . import leaves

N, PENALTY = 5, 0.15


def point(rng):
    return {"X": rng.normal(size=(N, 3)), "w": rng.normal(size=3),
            "y": rng.permutation([0.0, 1.0, 1.0, 0.0, 1.0])}


def forward(point):
    X, y, w = point["X"], point["y"], leaves(point["w"])
    z = X @ w
    L = sum(ag.softplus(score) - target * score for score, target in zip(z, y)) / N + PENALTY / 2 * (w @ w)
    p = np.array([ag.sigmoid(score) for score in z])
    g = X.T @ (p - y) / N + PENALTY * w
    ag.label(w=w, z=z, p=p, g=g, L=L)
    return (L, *g)


def hand(point, write):
    X, y, w = point["X"], point["y"], point["w"]
    p = 1 / (1 + np.exp(-X @ w))
    one = np.eye(3)

    dz = write("z", (p - y) / N, sign=lambda: (y - p) / N, missing_factor=lambda: p - y,
               missing_term=lambda: p / N)
    write("w", X.T @ dz + PENALTY * w, missing_path=lambda: X.T @ dz,
          factor=lambda: X.T @ dz + 2 * PENALTY * w)
    slope = write(("p", "z"), np.diag(p * (1 - p)), missing_factor=lambda: np.diag(p),
                  sign=lambda: np.diag(p * (p - 1)),
                  substitution=lambda: np.diag(y * (1 - y) + p * p))
    g_p = write(("g", "p"), X.T / N, missing_factor=lambda: X.T.copy())
    write(("g", "w"), g_p @ slope @ X + PENALTY * one, missing_path=lambda: g_p @ slope @ X,
          missing_factor=lambda: X.T @ slope @ X + PENALTY * one,
          missing_factor_2=lambda: g_p @ X + PENALTY * one,
          substitution=lambda: g_p @ np.diag(p) @ X + PENALTY * one,
          sign=lambda: PENALTY * one - g_p @ slope @ X,
          missing_term=lambda: np.diag(np.diag(g_p @ slope @ X)) + PENALTY * one)
    return write.claims
