"""Layer normalisation of three rows, with the compact formula for the gradient of its input.

The formula takes the mean, and what goes along xhat, out of ∂L/∂xhat; then it divides by the standard
deviation. Here the division is forgotten.
The library says:

    1 of 5 claims differs from the graph, by 1 cause:
      ∂L/∂x: 12 of 12 entries, at [2, 3] claimed -2.90638, is -1.28279
          the factor std is too much, at each of 4 points
"""
import numpy as np

import autograd_lite as ag

N, D = 3, 4
numbers = np.random.default_rng(4)
points = [{"x": 2 * numbers.normal(size=(N, D)), "gamma": numbers.uniform(0.5, 2.0, D),
           "beta": numbers.normal(size=D), "t": numbers.normal(size=(N, D))} for _ in range(4)]


def forward(point):
    x, gamma, beta = (np.vectorize(ag.Value, otypes=[object])(point[name]) for name in ("x", "gamma", "beta"))
    mean = x.mean(axis=1, keepdims=True)
    std = np.sqrt(((x - mean) ** 2).mean(axis=1, keepdims=True))
    xhat = (x - mean) / std
    out = gamma * xhat + beta
    L = 0.5 * ((out - point["t"]) ** 2).sum()
    ag.label(x=x, gamma=gamma, beta=beta, mean=mean, std=std, xhat=xhat, out=out, L=L)
    return L


def hand(point, wrong=True):
    x, gamma = point["x"], point["gamma"]
    centred = x - x.mean(axis=1, keepdims=True)
    std = np.sqrt((centred ** 2).mean(axis=1, keepdims=True))
    xhat = centred / std

    dout = gamma * xhat + point["beta"] - point["t"]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    inner = dxhat - dxhat.mean(axis=1, keepdims=True) - xhat * (dxhat * xhat).mean(axis=1, keepdims=True)
    dx = inner if wrong else inner / std
    return {"out": dout, "beta": dbeta, "gamma": dgamma, "xhat": dxhat, "x": dx}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
