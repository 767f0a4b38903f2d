"""Softmax and cross-entropy of one linear layer, by the softmax's whole Jacobian."""
import numpy as np

import autograd_lite as ag

from . import leaves


def point(rng):
    return {"W": rng.normal(size=(3, 3)), "b": rng.normal(size=3), "x": rng.normal(size=3),
            "target": int(rng.integers(3))}


def forward(point):
    W, b, x = leaves(point["W"]), leaves(point["b"]), leaves(point["x"])
    z = W @ x + b
    top = max(z)                        # one of the logits itself
    e = np.exp(z - top)
    p = e / e.sum()
    L = -(np.eye(3)[point["target"]] * np.log(p)).sum()
    ag.label(W=W, b=b, x=x, z=z, top=top, p=p, L=L)
    return L


def hand(point, write):
    W, b, x = point["W"], point["b"], point["x"]
    z = W @ x + b
    e = np.exp(z - z.max())
    p = e / e.sum()
    y = np.eye(3)[point["target"]]

    dp = write("p", -y / p, sign=lambda: y / p, missing_factor=lambda: -y,
               substitution=lambda: -y / p + (1 - y) / (1 - p))
    J = write(("p", "z"), np.diag(p) - np.outer(p, p), missing_term=lambda: np.diag(p * (1 - p)),
              sign=lambda: np.outer(p, p) - np.diag(p), missing_term_2=lambda: np.diag(p),
              substitution=lambda: np.eye(3) - np.outer(p, p))
    dz = write("z", dp @ J, sign=lambda: y - p, missing_term=lambda: p)
    write("W", np.outer(dz, x), transposition=lambda: np.outer(x, dz),
          extra_factor=lambda: np.outer(dz, x) * W)
    write("b", dz.copy(), substitution=lambda: dz * b, zero=lambda: np.zeros(3))
    write("x", W.T @ dz, transposition=lambda: W @ dz)
    return write.claims
