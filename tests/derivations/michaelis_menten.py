"""A fit of an enzyme's rates with an inhibitor: the three gradients, and two factors of one measurement."""
import numpy as np

import autograd_lite as ag
from autograd_lite import Value

N = 5


def point(rng):
    s, i = np.linspace(0.5, 4.0, N) + rng.uniform(0, 0.5, N), rng.uniform(0.2, 2.0, N)
    return {"Vmax": rng.uniform(2, 4), "Km": rng.uniform(0.5, 1.5), "Ki": rng.uniform(0.5, 1.5),
            "s": s, "i": i, "rate": rng.uniform(0.5, 2.5, N)}


def forward(point):
    Vmax, Km, Ki, s = Value(point["Vmax"]), Value(point["Km"]), Value(point["Ki"]), point["s"]
    Kapp = Km * (1 + point["i"] / Ki)
    v = Vmax * s / (Kapp + s)
    L = ((v - point["rate"]) ** 2).sum()
    ag.label(Vmax=Vmax, Km=Km, Ki=Ki, Kapp=Kapp, v=v, L=L)
    return L


def hand(point, write):
    Vmax, Km, Ki, s, i = (point[name] for name in ("Vmax", "Km", "Ki", "s", "i"))
    grow = 1 + i / Ki
    below = Km * grow + s
    v = Vmax * s / below
    dv = 2 * (v - point["rate"])

    write(("v[0]", "Kapp[0]"), -Vmax * s[0] / below[0] ** 2, sign=lambda: Vmax * s[0] / below[0] ** 2,
          missing_factor=lambda: -Vmax / below[0] ** 2, extra_factor=lambda: -v[0] * s[0] / below[0])
    write(("Kapp[0]", "Ki"), -Km * i[0] / Ki ** 2, missing_factor=lambda: -i[0] / Ki ** 2,
          sign=lambda: Km * i[0] / Ki ** 2, extra_factor=lambda: -Km * i[0] / Ki ** 3)
    write("Vmax", np.sum(dv * s / below), factor=lambda: np.sum(dv * s / below) / 2,
          extra_factor=lambda: np.sum(dv * v), missing_term=lambda: np.sum((dv * s / below)[:-1]))
    write("Km", np.sum(-dv * v / below * grow), missing_factor=lambda: np.sum(-dv * v / below),
          sign=lambda: np.sum(dv * v / below * grow), missing_factor_2=lambda: np.sum(-dv * v * grow))
    write("Ki", np.sum(dv * v / below * Km * i) / Ki ** 2,
          missing_factor=lambda: np.sum(dv * v / below * Km * i),
          sign=lambda: -np.sum(dv * v / below * Km * i) / Ki ** 2, zero=lambda: 0.0)
    return write.claims
