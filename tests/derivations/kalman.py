"""One step of a Kalman filter in one dimension, sensitivities of both its results; every claim is a pair."""
import autograd_lite as ag
from autograd_lite import Value

NAMES = ("x", "p", "f", "q", "r", "z")


def point(rng):
    return {"x": rng.normal(), "p": rng.uniform(0.5, 2.0), "f": rng.uniform(0.6, 1.4),
            "q": rng.uniform(0.1, 0.6), "r": rng.uniform(0.3, 1.5), "z": rng.uniform(2.0, 4.0)}


def forward(point):
    x, p, f, q, r, z = (Value(point[name]) for name in NAMES)
    xpred = f * x
    P = f * f * p + q
    S = P + r
    K = P / S
    nu = z - xpred
    xnew = xpred + K * nu
    pnew = (1.0 - K) * P
    ag.label(x=x, p=p, f=f, q=q, r=r, z=z, xpred=xpred, P=P, S=S, K=K, nu=nu, xnew=xnew, pnew=pnew)
    return xnew, pnew


def hand(point, write):
    x, p, f, q, r, z = (point[name] for name in NAMES)
    xpred = f * x
    P = f * f * p + q
    S = P + r
    K = P / S
    nu = z - xpred

    P_p = write(("P", "p"), f * f, missing_factor=lambda: f)
    P_f = write(("P", "f"), 2 * f * p, factor=lambda: f * p, zero=lambda: 0.0)
    K_P = write(("K", "P"), r / S ** 2, missing_path=lambda: 1 / S, sign=lambda: (S + P) / S ** 2,
                substitution=lambda: P / S ** 2)
    K_r = write(("K", "r"), -P / S ** 2, sign=lambda: P / S ** 2, missing_factor=lambda: -1 / S ** 2)
    write(("K", "q"), K_P, zero=lambda: 0.0)
    K_f = write(("K", "f"), K_P * P_f)
    x_K = write(("xnew", "K"), nu, substitution=lambda: z)
    x_xpred = write(("xnew", "xpred"), 1 - K, missing_path=lambda: 1.0, missing_path_2=lambda: -K,
                    sign=lambda: 1 + K)
    write(("xnew", "x"), f * x_xpred, missing_factor=lambda: x_xpred)
    write(("xnew", "f"), x * x_xpred + x_K * K_f, missing_path=lambda: x * x_xpred,
          sign=lambda: x * x_xpred - x_K * K_f)
    write(("xnew", "r"), x_K * K_r, missing_factor=lambda: K_r)
    N_P = write(("pnew", "P"), 1 - K - P * K_P, missing_path=lambda: 1 - K, missing_path_2=lambda: -P * K_P)
    write(("pnew", "p"), N_P * P_p, missing_factor=lambda: N_P)
    write(("pnew", "q"), N_P)
    write(("pnew", "r"), -P * K_r, sign=lambda: P * K_r)
    return write.claims
