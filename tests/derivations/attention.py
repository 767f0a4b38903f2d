"""One head of attention over three tokens, from the queries and keys to the weights and the tokens."""
import numpy as np

import autograd_lite as ag

from . import leaves

SCALE = 1 / np.sqrt(3)


def point(rng):
    return {name: rng.normal(size=(3, 3)) for name in ("X", "Wq", "Wk", "Wv", "T")}


def forward(point):
    X, Wq, Wk, Wv = (leaves(point[name]) for name in ("X", "Wq", "Wk", "Wv"))
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    S = Q @ K.T * SCALE
    A = np.array([ag.softmax(row) for row in S])
    out = A @ V
    L = 0.5 * ((out - point["T"]) ** 2).sum()
    ag.label(X=X, Wq=Wq, Wk=Wk, Wv=Wv, Q=Q, K=K, V=V, S=S, A=A, O=out, L=L)
    return L


def hand(point, write):
    X, Wq, Wk, Wv = (point[name] for name in ("X", "Wq", "Wk", "Wv"))
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    E = np.exp(Q @ K.T * SCALE)
    A = E / E.sum(axis=1, keepdims=True)

    dO = write("O", A @ V - point["T"], sign=lambda: point["T"] - A @ V)
    dV = write("V", A.T @ dO, transposition=lambda: A @ dO, missing_factor=lambda: dO.copy())
    dA = write("A", dO @ V.T, transposition=lambda: dO @ V, transposition_2=lambda: V @ dO.T,
               substitution=lambda: dO @ K.T)
    dS = write("S", A * (dA - (A * dA).sum(axis=1, keepdims=True)), missing_term=lambda: A * dA,
               missing_term_2=lambda: A * (1 - A) * dA, missing_factor=lambda: dA.copy(),
               substitution=lambda: A * (dA - (A * dA).sum(axis=0, keepdims=True)))
    dQ = write("Q", dS @ K * SCALE, missing_factor=lambda: dS @ K, transposition=lambda: dS.T @ K * SCALE,
               factor=lambda: dS @ K / 3)
    dK = write("K", dS.T @ Q * SCALE, transposition=lambda: dS @ Q * SCALE,
               substitution=lambda: dS.T @ K * SCALE)
    write("Wq", X.T @ dQ, substitution=lambda: X.T @ dK, transposition=lambda: X @ dQ)
    write("Wk", X.T @ dK)
    write("Wv", X.T @ dV, transposition=lambda: dV.T @ X)
    write("X", dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T, missing_path=lambda: dQ @ Wq.T + dV @ Wv.T,
          missing_path_2=lambda: dV @ Wv.T, transposition=lambda: dQ @ Wq + dK @ Wk.T + dV @ Wv.T)
    return write.claims
