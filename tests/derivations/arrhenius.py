"""A fit of Arrhenius' law k = A exp(−E/RT) to measured rates, by least squares."""
import numpy as np

import autograd_lite as ag
from autograd_lite import Value

R, N = 8.314, 5


def point(rng):
    T = np.sort(rng.uniform(0.3, 0.5, N))           # in 1000 K, E in kJ/mol
    A, E = rng.uniform(3.0, 6.0), rng.uniform(2.0, 5.0)
    return {"A": A, "E": E, "T": T, "measured": A * np.exp(-E / (R * T)) * rng.uniform(0.6, 1.4, N),
            "sigma": rng.uniform(0.5, 2.0, N)}


def forward(point):
    A, E = Value(point["A"]), Value(point["E"])
    q = np.exp(-E / (R * point["T"]))
    k = A * q
    res = (k - point["measured"]) / point["sigma"]
    S = (res ** 2).sum()
    ag.label(A=A, E=E, q=q, k=k, res=res, S=S)
    return S


def hand(point, write):
    A, E, T, sigma = point["A"], point["E"], point["T"], point["sigma"]
    q = np.exp(-E / (R * T))
    res = (A * q - point["measured"]) / sigma

    k_A = write(("k", "A"), q.copy(), substitution=lambda: A * q, missing_term=lambda: 1 + q)
    k_E = write(("k", "E"), -A * q / (R * T), sign=lambda: A * q / (R * T),
                missing_factor=lambda: -q / (R * T),
                missing_factor_2=lambda: -A * q / T, extra_factor=lambda: -A * q / (R * T ** 2),
                substitution=lambda: -A * q * E / (R * T))
    dres = write("res", 2 * res, factor=lambda: res.copy(), sign=lambda: -2 * res)
    dk = write("k", dres / sigma, missing_factor=lambda: dres.copy(), extra_factor=lambda: dres / sigma ** 2)
    write("A", dk @ k_A, factor=lambda: dk @ k_A / N)
    write("E", dk @ k_E, missing_term=lambda: dk[-1] * k_E[-1])
    return write.claims
