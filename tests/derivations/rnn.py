"""A recurrent network with two hidden numbers over six steps, each with a loss of its own."""
import numpy as np

import autograd_lite as ag

from . import leaves

STEPS = 6


def point(rng):
    return {"W": rng.normal(size=(2, 2)), "U": rng.normal(size=(2, 2)), "b": rng.normal(size=2) * 0.3,
            "v": rng.normal(size=2), "h0": rng.normal(size=2) * 0.5, "x": rng.normal(size=(STEPS, 2)),
            "t": rng.normal(size=STEPS)}


def forward(point):
    W, U, b, v, h0 = (leaves(point[name]) for name in ("W", "U", "b", "v", "h0"))
    h, loss, y = [h0], 0.0, []
    for x, t in zip(point["x"], point["t"]):
        h.append(np.tanh(W @ h[-1] + U @ x + b))
        y.append(v @ h[-1])
        loss = loss + 0.5 * (y[-1] - t) ** 2
    ag.label({f"h{k}": state for k, state in enumerate(h)}, W=W, U=U, b=b, v=v, y=y, loss=loss)
    return loss


def hand(point, write):
    W, U, b, v, x = (point[name] for name in ("W", "U", "b", "v", "x"))
    h = [point["h0"]]
    for step in range(STEPS):
        h.append(np.tanh(W @ h[-1] + U @ x[step] + b))
    y = np.array([v @ state for state in h[1:]])

    dy = write("y", y - point["t"], sign=lambda: point["t"] - y, factor=lambda: (y - point["t"]) / STEPS)
    write("v", dy @ h[1:], missing_term=lambda: dy[-1] * h[-1], shift=lambda: dy @ h[:-1])
    dh, da = [None] * (STEPS + 1), [None] * (STEPS + 1)
    dh[6] = write("h6", dy[5] * v)
    for k in (5, 4, 3, 2, 1):
        da[k + 1] = dh[k + 1] * (1 - h[k + 1] ** 2)
        right = dy[k - 1] * v + W.T @ da[k + 1]
        if k == 4:
            dh[k] = write("h4", right, missing_path=lambda: W.T @ da[5],
                          transposition=lambda: dy[3] * v + W @ da[5],
                          missing_factor=lambda: dy[3] * v + W.T @ dh[5], missing_path_2=lambda: dy[3] * v)
        elif k == 2:
            dh[k] = write("h2", right, shift=lambda: dy[2] * v + W.T @ da[3],
                          substitution=lambda: dy[1] * v + W.T @ (dh[3] * (1 - h[2] ** 2)))
        else:
            dh[k] = write(f"h{k}", right)
    da[1] = dh[1] * (1 - h[1] ** 2)
    write("h0", W.T @ da[1], zero=lambda: np.zeros(2), transposition=lambda: W @ da[1])
    write("W", sum(np.outer(da[k], h[k - 1]) for k in range(1, 7)),
          shift=lambda: sum(np.outer(da[k], h[k]) for k in range(1, 7)),
          missing_term=lambda: np.outer(da[6], h[5]),
          transposition=lambda: sum(np.outer(h[k - 1], da[k]) for k in range(1, 7)))
    write("U", sum(np.outer(da[k], x[k - 1]) for k in range(1, 7)),
          missing_factor=lambda: sum(np.outer(dh[k], x[k - 1]) for k in range(1, 7)))
    write("b", sum(da[1:]), missing_term=lambda: sum(da[2:]), missing_factor=lambda: sum(dh[1:]))
    return write.claims
