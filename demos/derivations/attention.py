"""One head of attention over two tokens, from its output back to the tokens.

The scores are S = QKᵀ/√2, so the keys get ∂L/∂Sᵀ·Q/√2. Here S is not transposed. With as many queries as
keys the shapes fit all the same, and NumPy says nothing.
The library says:

    3 of 10 claims differ from the graph, by 1 cause:
      ∂L/∂K: 4 of 4 entries, at [0, 0] claimed 0.165267, is -0.189591
          spoils ∂L/∂Wk, ∂L/∂X
          claimed is ∂L/∂S @ Q, right is ∂L/∂S.T @ Q, at each of 4 points
"""
import numpy as np

import autograd_lite as ag

SCALE = 1 / np.sqrt(2)
numbers = np.random.default_rng(5)
points = [{name: numbers.normal(size=(2, 2)) for name in ("X", "Wq", "Wk", "Wv", "T")} for _ in range(4)]


def forward(point):
    X, Wq, Wk, Wv = (np.vectorize(ag.Value, otypes=[object])(point[name]) for name in ("X", "Wq", "Wk", "Wv"))
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    S = Q @ K.T * SCALE
    A = np.array([ag.softmax(row) for row in S])
    out = A @ V
    L = 0.5 * ((out - point["T"]) ** 2).sum()
    ag.label(X=X, Wq=Wq, Wk=Wk, Wv=Wv, Q=Q, K=K, V=V, S=S, A=A, out=out, L=L)
    return L


def hand(point, wrong=True):
    X, Wq, Wk, Wv = (point[name] for name in ("X", "Wq", "Wk", "Wv"))
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    A = np.exp(Q @ K.T * SCALE)
    A = A / A.sum(axis=1, keepdims=True)

    dout = A @ V - point["T"]
    dV = A.T @ dout
    dA = dout @ V.T
    dS = A * (dA - (A * dA).sum(axis=1, keepdims=True))
    dQ = dS @ K * SCALE
    dK = (dS if wrong else dS.T) @ Q * SCALE
    dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T
    return {"out": dout, "V": dV, "A": dA, "S": dS, "Q": dQ, "K": dK,
            "Wq": X.T @ dQ, "Wk": X.T @ dK, "Wv": X.T @ dV, "X": dX}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
