"""Two residual blocks, x + V tanh(W x), and what flows past them."""
import numpy as np

import autograd_lite as ag

from . import leaves


def point(rng):
    return {"x": rng.normal(size=3), "t": rng.normal(size=3)} | {
        name: rng.normal(size=(3, 3)) * 0.8 for name in ("W1", "V1", "W2", "V2")}


def forward(point):
    x, W1, V1, W2, V2 = (leaves(point[name]) for name in ("x", "W1", "V1", "W2", "V2"))
    a1 = W1 @ x
    f1 = np.tanh(a1)
    y1 = x + V1 @ f1
    a2 = W2 @ y1
    f2 = np.tanh(a2)
    y2 = y1 + V2 @ f2
    L = 0.5 * ((y2 - point["t"]) ** 2).sum()
    ag.label(x=x, W1=W1, V1=V1, W2=W2, V2=V2, a1=a1, f1=f1, y1=y1, a2=a2, f2=f2, y2=y2, L=L)
    return L


def hand(point, write):
    x, W1, V1, W2, V2 = (point[name] for name in ("x", "W1", "V1", "W2", "V2"))
    f1 = np.tanh(W1 @ x)
    y1 = x + V1 @ f1
    f2 = np.tanh(W2 @ y1)
    y2 = y1 + V2 @ f2

    dy2 = write("y2", y2 - point["t"], sign=lambda: point["t"] - y2, factor=lambda: 2 * (y2 - point["t"]))
    write("V2", np.outer(dy2, f2), transposition=lambda: np.outer(f2, dy2),
          substitution=lambda: np.outer(dy2, y1))
    df2 = write("f2", V2.T @ dy2, transposition=lambda: V2 @ dy2)
    da2 = write("a2", df2 * (1 - f2 ** 2), missing_factor=lambda: df2,
                substitution=lambda: df2 * f2 * (1 - f2))
    write(("a2[1]", "W2[1][0]"), y1[0], substitution=lambda: x[0])
    write("W2", np.outer(da2, y1), substitution=lambda: np.outer(da2, x))
    dy1 = write("y1", dy2 + W2.T @ da2, missing_path=lambda: W2.T @ da2, missing_path_2=lambda: dy2.copy(),
                missing_factor=lambda: dy2 + W2.T @ df2, extra_path=lambda: 2 * dy2 + W2.T @ da2)
    write("V1", np.outer(dy1, f1), substitution=lambda: np.outer(dy2, f1))
    df1 = write("f1", V1.T @ dy1)
    da1 = write("a1", df1 * (1 - f1 ** 2), sign=lambda: df1 * (f1 ** 2 - 1), factor=lambda: df1 * (1 - f1))
    write(("a1[0]", "W1[0, 2]"), x[2], substitution=lambda: W1[0, 2])
    write("W1", np.outer(da1, x), transposition=lambda: np.outer(x, da1))
    write("x", dy1 + W1.T @ da1, missing_path=lambda: W1.T @ da1, transposition=lambda: dy1 + W1 @ da1)
    return write.claims
