"""The log likelihood of points in the plane under a Gaussian: its mean, and the entries of its covariance."""
import numpy as np

import autograd_lite as ag
from autograd_lite import Value

from . import leaves

N = 4


def point(rng):
    a, c = rng.uniform(1.0, 2.0, 2)
    return {"mu": rng.normal(size=2), "a": a, "b": rng.uniform(0.3, 0.8) * rng.choice([-1, 1]), "c": c,
            "X": rng.normal(size=(N, 2)) * 1.5}


def forward(point):
    mu, a, b, c = leaves(point["mu"]), Value(point["a"]), Value(point["b"]), Value(point["c"])
    R = point["X"] - mu
    det = a * c - b * b
    quad = sum(c * u * u - 2 * b * u * v + a * v * v for u, v in R) / det
    ll = -0.5 * (N * ag.log(det) + quad)
    ag.label(mu=mu, a=a, b=b, c=c, R=R, det=det, quad=quad, ll=ll)
    return ll


def hand(point, write):
    a, b, c = point["a"], point["b"], point["c"]
    S = np.array([[a, b], [b, c]])
    P = np.linalg.inv(S)
    R = point["X"] - point["mu"]
    det = np.linalg.det(S)
    C = R.T @ R                                     # the scatter
    quad = np.sum(P * C)

    write(("det", "b"), -2 * b, factor=lambda: -b, sign=lambda: 2 * b, zero=lambda: 0.0)
    write(("quad", "det"), -quad / det, sign=lambda: quad / det, extra_factor=lambda: -quad / det ** 2)
    dR = write("R", -R @ P, sign=lambda: R @ P, missing_factor=lambda: -R, substitution=lambda: -R @ S,
               factor=lambda: -2 * R @ P)
    write("mu", -dR.sum(axis=0), sign=lambda: dR.sum(axis=0), factor=lambda: -dR.mean(axis=0),
          missing_term=lambda: -dR[0])
    dS = -0.5 * (N * P - P @ C @ P)                 # as if the entries off the diagonal were two
    write("a", dS[0, 0], missing_path=lambda: -0.5 * N * P[0, 0],
          sign=lambda: -0.5 * (N * P + P @ C @ P)[0, 0],
          missing_factor=lambda: -0.5 * (P - P @ C @ P)[0, 0])
    write("b", dS[0, 1] + dS[1, 0], factor=lambda: dS[0, 1])
    write("c", dS[1, 1], substitution=lambda: dS[0, 0], missing_path=lambda: 0.5 * (P @ C @ P)[1, 1])
    return write.claims
