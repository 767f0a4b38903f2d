"""A Gaussian variational autoencoder: the bound on the evidence with the noise held fixed."""
import numpy as np

import autograd_lite as ag

from . import leaves


def point(rng):
    return {"A": rng.normal(size=(2, 3)) * 0.7, "B": rng.normal(size=(2, 3)) * 0.7,
            "D": rng.normal(size=(3, 2)), "d": rng.normal(size=3), "x": rng.normal(size=3),
            "eps": rng.normal(size=2)}


def forward(point):
    A, B, D, d = (leaves(point[name]) for name in "ABDd")
    x = point["x"]
    mu, logvar = A @ x, B @ x
    z = mu + np.exp(0.5 * logvar) * point["eps"]
    xr = D @ z + d
    rec = 0.5 * ((x - xr) ** 2).sum()
    kl = -0.5 * (1 + logvar - mu ** 2 - np.exp(logvar)).sum()
    loss = rec + kl
    ag.label(A=A, B=B, D=D, d=d, mu=mu, logvar=logvar, z=z, xr=xr, rec=rec, kl=kl, loss=loss)
    return loss


def hand(point, write):
    A, B, D, d, x, eps = (point[name] for name in ("A", "B", "D", "d", "x", "eps"))
    mu, logvar = A @ x, B @ x
    std = np.exp(0.5 * logvar)
    z = mu + std * eps
    xr = D @ z + d

    dxr = write("xr", xr - x, sign=lambda: x - xr)
    write("D", np.outer(dxr, z), substitution=lambda: np.outer(dxr, mu),
          substitution_2=lambda: np.outer(dxr, eps))
    write("d", dxr.copy())
    dz = write("z", D.T @ dxr)
    kl_mu = write(("kl", "mu"), mu.copy(), sign=lambda: -mu, factor=lambda: 2 * mu)
    kl_logvar = write(("kl", "logvar"), 0.5 * (std ** 2 - 1), factor=lambda: std ** 2 - 1,
                      sign=lambda: -0.5 * (1 + std ** 2), substitution=lambda: 0.5 * (std - 1),
                      missing_term=lambda: 0.5 * std ** 2)
    z_logvar = write(("z", "logvar"), np.diag(0.5 * std * eps), missing_factor=lambda: np.diag(0.5 * std),
                     factor=lambda: np.diag(std * eps))
    dmu = write("mu", dz + kl_mu, missing_path=lambda: dz.copy(), missing_path_2=lambda: kl_mu.copy())
    dlogvar = write("logvar", dz @ z_logvar + kl_logvar, missing_path=lambda: kl_logvar.copy(),
                    missing_factor=lambda: dz * std / 2 + kl_logvar,
                    missing_factor_2=lambda: dz * eps / 2 + kl_logvar,
                    substitution=lambda: dz * eps * std ** 2 / 2 + kl_logvar)
    write("A", np.outer(dmu, x), substitution=lambda: np.outer(dz, x))
    write("B", np.outer(dlogvar, x))
    return write.claims
