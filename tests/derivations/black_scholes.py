"""A call option's price by Black and Scholes, and its Greeks by way of d1 and d2."""
import math

import autograd_lite as ag
from autograd_lite import Value


def phi(x):
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def Phi(x):
    return math.erfc(-x / math.sqrt(2)) / 2


def point(rng):
    return {"S": rng.uniform(90, 110), "K": rng.uniform(90, 110), "r": rng.uniform(0.01, 0.08),
            "sigma": rng.uniform(0.15, 0.4), "T": rng.uniform(0.4, 2.0)}


def forward(point):
    S, K, r, sigma, T = (Value(point[name]) for name in ("S", "K", "r", "sigma", "T"))
    root = sigma * ag.sqrt(T)
    d1 = (ag.log(S / K) + (r + sigma ** 2 / 2) * T) / root
    d2 = d1 - root
    delta, N2, disc = ag.normal_cdf(d1), ag.normal_cdf(d2), ag.exp(-r * T)
    C = S * delta - K * disc * N2
    ag.label(S=S, K=K, r=r, sigma=sigma, T=T, root=root, d1=d1, d2=d2, N1=delta, N2=N2, disc=disc, C=C)
    ag.label(delta=delta)                               # a second name: the first Greek is N(d1)
    return C


def hand(point, write):
    S, K, r, sigma, T = (point[name] for name in ("S", "K", "r", "sigma", "T"))
    root = sigma * math.sqrt(T)
    d1 = (math.log(S / K) + (r + sigma ** 2 / 2) * T) / root
    d2 = d1 - root
    disc = math.exp(-r * T)

    write(("N2", "d2"), phi(d2), missing_factor=lambda: math.exp(-d2 * d2 / 2), substitution=lambda: phi(d1))
    write(("d1", "S"), 1 / (S * root), missing_factor=lambda: 1 / root,
          missing_factor_2=lambda: 1 / (S * sigma))
    d1_sigma = write(("d1", "sigma"), math.sqrt(T) - d1 / sigma, missing_path=lambda: math.sqrt(T),
                     missing_path_2=lambda: -d1 / sigma, sign=lambda: math.sqrt(T) + d1 / sigma)
    write(("d2", "sigma"), d1_sigma - math.sqrt(T), missing_path=lambda: d1_sigma,
          missing_path_2=lambda: -math.sqrt(T))
    write("S", Phi(d1), extra_path=lambda: Phi(d1) + phi(d1) / root, substitution=lambda: Phi(d2),
          zero=lambda: 0.0)
    write(("delta", "S"), phi(d1) / (S * root), missing_factor=lambda: phi(d1) / root,
          missing_factor_2=lambda: phi(d1) / (S * sigma), substitution=lambda: phi(d2) / (S * root))
    write("sigma", S * phi(d1) * math.sqrt(T), missing_factor=lambda: S * phi(d1),
          substitution=lambda: S * Phi(d1) * math.sqrt(T),
          substitution_2=lambda: K * phi(d1) * math.sqrt(T),
          missing_path=lambda: S * phi(d1) * d1_sigma)
    write("r", K * T * disc * Phi(d2), missing_factor=lambda: K * disc * Phi(d2),
          sign=lambda: -K * T * disc * Phi(d2), missing_factor_2=lambda: K * T * Phi(d2))
    decay = S * phi(d1) * sigma / (2 * math.sqrt(T))
    write("T", decay + r * K * disc * Phi(d2), missing_term=lambda: decay,
          sign=lambda: -decay - r * K * disc * Phi(d2),
          factor=lambda: 2 * decay + r * K * disc * Phi(d2))
    write("K", -disc * Phi(d2), sign=lambda: disc * Phi(d2), missing_factor=lambda: -Phi(d2))
    return write.claims
