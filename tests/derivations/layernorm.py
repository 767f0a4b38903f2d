"""Layer normalisation with the compact formula for its input's gradient."""
import numpy as np

import autograd_lite as ag

from . import leaves

D = 4


def point(rng):
    return {"x": rng.normal(size=(D, D)), "gamma": rng.uniform(0.5, 2, D), "beta": rng.normal(size=D),
            "t": rng.normal(size=(D, D))}


def forward(point):
    x, gamma, beta = leaves(point["x"]), leaves(point["gamma"]), leaves(point["beta"])
    mean = x.mean(axis=1, keepdims=True)
    var = ((x - mean) ** 2).mean(axis=1, keepdims=True)
    xhat = (x - mean) / np.sqrt(var)
    out = xhat * gamma + beta
    L = ((out - point["t"]) ** 2).mean()
    ag.label(x=x, gamma=gamma, beta=beta, mean=mean, var=var, xhat=xhat, out=out, L=L)
    return L


def hand(point, write):
    x, gamma = point["x"], point["gamma"]
    centred = x - x.mean(axis=1, keepdims=True)
    std = np.sqrt((centred ** 2).mean(axis=1, keepdims=True))
    xhat = centred / std
    miss = xhat * gamma + point["beta"] - point["t"]

    dout = write("out", 2 * miss / D ** 2, factor=lambda: miss / D ** 2, missing_factor=lambda: 2 * miss,
                 factor_2=lambda: 2 * miss / D)
    write("gamma", (dout * xhat).sum(axis=0), substitution=lambda: (dout * centred).sum(axis=0),
          transposition=lambda: (dout * xhat).sum(axis=1))
    write("beta", dout.sum(axis=0), transposition=lambda: dout.sum(axis=1))
    dxhat = write("xhat", dout * gamma, missing_factor=lambda: dout,
                  transposition=lambda: dout * gamma[:, None])

    def compact(axis=1):
        mean, slope = dxhat.mean(axis, keepdims=True), (dxhat * xhat).mean(axis, keepdims=True)
        return dxhat - mean - xhat * slope

    write("x", compact() / std, missing_factor=lambda: compact(), sign=lambda: -compact() / std,
          missing_path=lambda: (dxhat - dxhat.mean(axis=1, keepdims=True)) / std,
          missing_path_2=lambda: dxhat / std,
          missing_path_3=lambda: (dxhat - xhat * (dxhat * xhat).mean(axis=1, keepdims=True)) / std,
          substitution=lambda: compact(axis=0) / std, factor=lambda: D * compact() / std)
    return write.claims
