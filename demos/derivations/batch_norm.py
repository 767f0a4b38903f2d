"""The backward pass of batch normalisation, led back through each of its intermediate results.

The centred inputs act on the normalised ones twice: directly, and by the variance that divides them. Here
the second way is forgotten, and the gradient of x is built on what is left.
The library says:

    2 of 9 claims differ from the graph, by 1 cause:
      ∂L/∂centred: 8 of 8 entries, at [1, 1] claimed -0.314203, is 0.175411
          spoils ∂L/∂x
          the path via var is missing, at each of 4 points
"""
import numpy as np

import autograd_lite as ag

N, D, EPS = 4, 2, 1e-3
numbers = np.random.default_rng(1)
points = [{"x": 2 * numbers.normal(size=(N, D)), "gamma": numbers.uniform(0.5, 2.0, D),
           "beta": numbers.normal(size=D), "t": numbers.normal(size=(N, D))} for _ in range(4)]


def forward(point):
    x, gamma, beta = (np.vectorize(ag.Value, otypes=[object])(point[name]) for name in ("x", "gamma", "beta"))
    mean = x.sum(axis=0) / N
    centred = x - mean
    var = (centred ** 2).sum(axis=0) / N
    ivar = 1.0 / np.sqrt(var + EPS)
    xhat = centred * ivar
    out = gamma * xhat + beta
    L = 0.5 * ((out - point["t"]) ** 2).sum()
    ag.label(x=x, gamma=gamma, beta=beta, mean=mean, centred=centred, var=var, ivar=ivar, xhat=xhat, out=out,
             L=L)
    return L


def hand(point, wrong=True):
    x, gamma = point["x"], point["gamma"]
    centred = x - x.mean(axis=0)
    ivar = 1 / np.sqrt((centred ** 2).mean(axis=0) + EPS)
    xhat = centred * ivar

    dout = gamma * xhat + point["beta"] - point["t"]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    divar = (dxhat * centred).sum(axis=0)
    dvar = -0.5 * divar * ivar ** 3
    dcentred = dxhat * ivar
    if not wrong:
        dcentred += dvar * 2 * centred / N
    dmean = -dcentred.sum(axis=0)
    dx = dcentred + dmean / N
    return {"out": dout, "beta": dbeta, "gamma": dgamma, "xhat": dxhat, "ivar": divar, "var": dvar,
            "centred": dcentred, "mean": dmean, "x": dx}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
