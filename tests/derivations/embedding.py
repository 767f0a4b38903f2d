"""An embedding table looked up for a short text, the mean of the rows found, and a logistic loss."""
import numpy as np

import autograd_lite as ag
from autograd_lite import Value

from . import leaves

WORDS, SIZE = 7, 3


def point(rng):
    """A text of four words, of which one comes twice; the table has rows that it does not use."""
    first, second, third = rng.permutation(WORDS - 1)[:3]
    return {"table": rng.normal(size=(WORDS, SIZE)), "w": rng.normal(size=SIZE), "b": rng.normal(),
            "y": rng.choice([-1.0, 1.0]), "ids": [int(k) for k in (first, second, first, third)]}


def forward(point):
    table, w, b = leaves(point["table"]), leaves(point["w"]), Value(point["b"])
    h = sum(table[k] for k in point["ids"]) / len(point["ids"])
    score = w @ h + b
    loss = ag.softplus(-point["y"] * score)
    ag.label(table=table, w=w, b=b, h=h, score=score, loss=loss)
    return loss


def hand(point, write):
    table, w, y, ids = point["table"], point["w"], point["y"], point["ids"]
    h = table[ids].mean(axis=0)
    score = w @ h + point["b"]
    wrong = 1 / (1 + np.exp(y * score))

    dscore = write("score", -y * wrong, sign=lambda: y * wrong, substitution=lambda: -y * (1 - wrong),
                   extra_factor=lambda: -y * wrong * (1 - wrong))
    write("w", dscore * h, substitution=lambda: dscore * table[ids].sum(axis=0))
    write("b", dscore)
    write(("score", "h"), w.copy())
    drow = dscore * w / len(ids)

    def scattered(rows, add=True, by=drow):
        result = np.zeros((WORDS, SIZE))
        for k in rows:
            result[k] = result[k] + by if add else by
        return result

    write("table", scattered(ids), missing_term=lambda: scattered(ids, add=False),
          missing_factor=lambda: scattered(ids, by=dscore * w), shift=lambda: scattered([k + 1 for k in ids]),
          factor=lambda: scattered(ids, by=dscore * w / WORDS), extra_path=lambda: scattered(range(WORDS)),
          missing_path=lambda: scattered(ids[-1:]))
    return write.claims
