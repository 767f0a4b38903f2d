"""The log-softmax of logits with a temperature, a shift that cancels, and smoothed targets."""
import numpy as np

import autograd_lite as ag
from autograd_lite import Value

from . import leaves


def point(rng):
    t = rng.dirichlet([1.0] * 4)
    return {"z": rng.normal(size=4), "shift": rng.normal(), "T": rng.uniform(1.5, 3.0), "t": t}


def forward(point):
    z, shift, T = leaves(point["z"]), Value(point["shift"]), Value(point["T"])
    s = (z + shift) / T
    norm = ag.log(np.exp(s).sum())
    logq = s - norm
    loss = -(point["t"] * logq).sum()
    ag.label(z=z, shift=shift, T=T, s=s, norm=norm, logq=logq, loss=loss)
    return loss


def hand(point, write):
    z, shift, T, t = point["z"], point["shift"], point["T"], point["t"]
    s = (z + shift) / T
    norm = np.log(np.sum(np.exp(s)))
    q = np.exp(s - norm)

    dlogq = write("logq", -t, sign=lambda: t, substitution=lambda: q - t)
    dnorm = write("norm", -np.sum(dlogq), sign=lambda: np.sum(dlogq), factor=lambda: -4 * np.sum(dlogq))
    norm_s = write(("norm", "s"), q, substitution=lambda: np.exp(s),
                   missing_term=lambda: q * (1 - q))
    ds = write("s", dlogq + dnorm * norm_s, missing_path=lambda: dlogq, missing_factor=lambda: dlogq + dnorm)
    write("z", ds / T, missing_factor=lambda: ds, extra_factor=lambda: ds / T ** 2)
    write("shift", 0.0, missing_path=lambda: np.sum(dlogq) / T, missing_path_2=lambda: dnorm / T)
    write("T", -ds @ s / T, sign=lambda: ds @ s / T, missing_factor=lambda: -ds @ s, zero=lambda: 0.0)
    return write.claims
