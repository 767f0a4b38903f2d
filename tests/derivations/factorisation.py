"""The factorisation of a matrix of which some entries are known, with a penalty on both factors."""
import numpy as np

import autograd_lite as ag

from . import leaves

SIZE, PENALTY = 4, 0.4


def point(rng):
    """Every row and every column has known entries and unknown ones."""
    known = (np.arange(SIZE)[:, None] + rng.permutation(SIZE)) % SIZE < 2
    return {"U": rng.normal(size=(SIZE, 2)), "V": rng.normal(size=(SIZE, 2)),
            "R": rng.normal(size=(SIZE, SIZE)), "known": known.astype(float)}


def forward(point):
    U, V = leaves(point["U"]), leaves(point["V"])
    E = point["known"] * (point["R"] - U @ V.T)
    fit = (E ** 2).sum()
    size = (U ** 2).sum() + (V ** 2).sum()
    L = 0.5 * (fit + PENALTY * size)
    ag.label(U=U, V=V, E=E, fit=fit, size=size, L=L)
    return L


def hand(point, write):
    U, V, known = point["U"], point["V"], point["known"]
    rest = point["R"] - U @ V.T
    E = known * rest

    write(("fit", "E"), 2 * E, factor=lambda: E.copy())
    write("U", -E @ V + PENALTY * U, sign=lambda: E @ V + PENALTY * U, missing_path=lambda: -E @ V,
          transposition=lambda: -E.T @ V + PENALTY * U, missing_factor=lambda: -rest @ V + PENALTY * U,
          factor=lambda: -E @ V + PENALTY / 2 * U)
    write("V", -E.T @ U + PENALTY * V, transposition=lambda: -E @ U + PENALTY * V,
          substitution=lambda: -E.T @ V + PENALTY * V, sign=lambda: -E.T @ U - PENALTY * V,
          factor=lambda: -2 * E.T @ U + PENALTY * V)
    return write.claims
