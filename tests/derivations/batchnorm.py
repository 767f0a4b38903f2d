"""Batch normalisation, led back through every one of its intermediate results."""
import numpy as np

import autograd_lite as ag

from . import leaves

N, D, EPS = 5, 3, 1e-3


def point(rng):
    return {"x": rng.normal(size=(N, D)) * 2, "gamma": rng.uniform(0.5, 2, D), "beta": rng.normal(size=D),
            "t": rng.normal(size=(N, D))}


def forward(point):
    x, gamma, beta = leaves(point["x"]), leaves(point["gamma"]), leaves(point["beta"])
    mu = x.sum(axis=0) / N
    xmu = x - mu
    sq = xmu ** 2
    var = sq.sum(axis=0) / N
    sqrtvar = np.sqrt(var + EPS)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    loss = 0.5 * ((np.tanh(out) - point["t"]) ** 2).sum()
    ag.label(x=x, gamma=gamma, beta=beta, mu=mu, xmu=xmu, sq=sq, var=var, sqrtvar=sqrtvar, ivar=ivar,
             xhat=xhat, gammax=gammax, out=out, loss=loss)
    return loss


def hand(point, write):
    x, gamma = point["x"], point["gamma"]
    mu = x.mean(axis=0)
    xmu = x - mu
    var = (xmu ** 2).mean(axis=0)
    sqrtvar = np.sqrt(var + EPS)
    ivar = 1 / sqrtvar
    xhat = xmu * ivar
    out = gamma * xhat + point["beta"]
    y = np.tanh(out)
    dy = y - point["t"]

    dout = write("out", dy * (1 - y ** 2), missing_factor=lambda: dy,
                 substitution=lambda: dy * (1 - out ** 2))
    write("beta", dout.sum(axis=0), factor=lambda: dout.mean(axis=0), missing_term=lambda: dout[0])
    dgammax = write("gammax", dout.copy())
    write("gamma", (dgammax * xhat).sum(axis=0), substitution=lambda: (dgammax * x).sum(axis=0),
          substitution_2=lambda: (dgammax * xmu).sum(axis=0), missing_factor=lambda: dgammax.sum(axis=0))
    dxhat = write("xhat", dgammax * gamma, missing_factor=lambda: dgammax)
    divar = write("ivar", (dxhat * xmu).sum(axis=0), substitution=lambda: (dxhat * xhat).sum(axis=0))
    dsqrtvar = write("sqrtvar", -divar / sqrtvar ** 2, sign=lambda: divar / sqrtvar ** 2,
                     missing_factor=lambda: -divar / sqrtvar)
    dvar = write("var", 0.5 * ivar * dsqrtvar, factor=lambda: ivar * dsqrtvar,
                 missing_factor=lambda: 0.5 * dsqrtvar, extra_factor=lambda: 0.5 * ivar ** 2 * dsqrtvar)
    dsq = write("sq", np.ones((N, D)) * dvar / N, missing_factor=lambda: np.ones((N, D)) * dvar,
                factor=lambda: np.ones((N, D)) * dvar / (N - 1))
    dxmu = write("xmu", dxhat * ivar + 2 * xmu * dsq, missing_path=lambda: dxhat * ivar,
                 missing_path_2=lambda: 2 * xmu * dsq, factor=lambda: dxhat * ivar + xmu * dsq)
    dmu = write("mu", -dxmu.sum(axis=0), sign=lambda: dxmu.sum(axis=0), factor=lambda: -dxmu.mean(axis=0))
    write("x", dxmu + dmu / N, missing_path=lambda: dxmu.copy(), missing_factor=lambda: dxmu + dmu,
          sign=lambda: dxmu - dmu / N)
    return write.claims
