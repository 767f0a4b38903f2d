"""A linear classifier with the hinge loss of several classes and a penalty on its weights."""
import numpy as np

import autograd_lite as ag

from . import leaves

N, PENALTY = 5, 0.3


def scores_and_margins(point):
    scores = point["X"] @ point["W"]
    margins = scores - scores[np.arange(N), point["y"]][:, None] + 1.0
    margins[np.arange(N), point["y"]] = 0
    return scores, margins


def point(rng):
    """Samples of which one breaks two margins, one breaks one, and one breaks none."""
    while True:
        numbers = {"X": rng.normal(size=(N, 4)), "W": rng.normal(size=(4, 3)), "y": rng.integers(3, size=N)}
        if set((scores_and_margins(numbers)[1] > 0).sum(axis=1)) == {0, 1, 2}:
            return numbers


def forward(point):
    W = leaves(point["W"])
    scores = point["X"] @ W
    data = 0.0
    for row, right in zip(scores, point["y"]):
        data = data + sum(ag.relu(s - row[right] + 1.0) for k, s in enumerate(row) if k != right)
    data = data / N
    reg = PENALTY * (W ** 2).sum()
    loss = data + reg
    ag.label(W=W, scores=scores, data=data, reg=reg, loss=loss)
    return loss


def hand(point, write):
    X, W, y = point["X"], point["W"], point["y"]
    scores, margins = scores_and_margins(point)
    rows = np.arange(N)
    broken = (margins > 0).astype(float)

    def gradient(broken, of_right, count=N):
        result = broken.copy()
        result[rows, y] = of_right
        return result / count

    counts = broken.sum(axis=1)
    dscores = write("scores", gradient(broken, -counts), missing_path=lambda: gradient(broken, 0.0),
                    factor=lambda: gradient(broken, -1.0),
                    missing_factor=lambda: gradient(broken, -counts, 1),
                    sign=lambda: gradient(broken, counts), substitution=lambda: gradient(margins, -counts))
    dreg = write(("reg", "W"), 2 * PENALTY * W, factor=lambda: PENALTY * W, missing_factor=lambda: 2 * W)
    write("W", X.T @ dscores + dreg, missing_path=lambda: X.T @ dscores, sign=lambda: X.T @ dscores - dreg,
          missing_factor=lambda: X.T @ dscores * N + dreg)
    return write.claims
