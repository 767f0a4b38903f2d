"""A classifier of two layers with a relu, written with arrays and for a batch."""
import numpy as np

import autograd_lite as ag

from . import leaves


def point(rng):
    return {"X": rng.normal(size=(4, 3)), "W1": rng.normal(size=(3, 5)), "b1": rng.normal(size=5),
            "W2": rng.normal(size=(5, 3)), "b2": rng.normal(size=3), "y": rng.integers(3, size=4)}


def forward(point):
    W1, b1, W2, b2 = (leaves(point[name]) for name in ("W1", "b1", "W2", "b2"))
    hpre = point["X"] @ W1 + b1
    h = [[ag.relu(entry) for entry in row] for row in hpre]
    logits = np.array(h) @ W2 + b2
    e = np.exp(logits)
    probs = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(4), point["y"]]).mean()
    ag.label(W1=W1, b1=b1, W2=W2, b2=b2, hpre=hpre, h=h, logits=logits, probs=probs, loss=loss)
    return loss


def hand(point, write):
    X, W1, W2, y = point["X"], point["W1"], point["W2"], point["y"]
    hpre = X @ W1 + point["b1"]
    h = np.maximum(hpre, 0)
    e = np.exp(h @ W2 + point["b2"])
    probs = e / e.sum(axis=1, keepdims=True)
    onehot = np.eye(3)[y]

    dlogits = write("logits", (probs - onehot) / 4, missing_factor=lambda: probs - onehot,
                    sign=lambda: (onehot - probs) / 4, missing_term=lambda: probs / 4,
                    factor=lambda: (probs - onehot) / 3)
    write("W2", h.T @ dlogits, substitution=lambda: hpre.T @ dlogits, extra_factor=lambda: h.T @ dlogits / 4,
          missing_term=lambda: np.outer(h[0], dlogits[0]))
    write("b2", dlogits.sum(axis=0), factor=lambda: dlogits.mean(axis=0), missing_term=lambda: dlogits[-1])
    dh = write("h", dlogits @ W2.T)
    dhpre = write("hpre", dh * (hpre > 0), missing_factor=lambda: dh, substitution=lambda: dh * (dh > 0),
                  extra_factor=lambda: dh * h, sign=lambda: dh * (hpre < 0))
    write("W1", X.T @ dhpre, missing_factor=lambda: X.T @ dh, extra_factor=lambda: X.T @ dhpre * W1)
    write("b1", dhpre.sum(axis=0), substitution=lambda: dh.sum(axis=0), zero=lambda: np.zeros(5))
    return write.claims
