"""A convolution in one dimension, tanh, the maximum of each two, and a linear layer."""
import numpy as np

import autograd_lite as ag
from autograd_lite import Value

from . import leaves

TAPS, LENGTH = 3, 6                 # of the kernel, and of its result


def point(rng):
    return {"x": rng.normal(size=LENGTH + TAPS - 1), "k": rng.normal(size=TAPS) * 0.6,
            "c": rng.normal() * 0.3, "v": rng.normal(size=LENGTH // 2), "t": rng.normal()}


def forward(point):
    x, k, c, v = leaves(point["x"]), leaves(point["k"]), Value(point["c"]), leaves(point["v"])
    a = np.array([x[i:i + TAPS] @ k + c for i in range(LENGTH)])
    h = np.tanh(a)
    pooled = np.array([ag.maximum(h[i], h[i + 1]) for i in range(0, LENGTH, 2)])
    s = v @ pooled
    L = 0.5 * (s - point["t"]) ** 2
    ag.label(x=x, k=k, c=c, v=v, a=a, h=h, pooled=pooled, s=s, L=L)
    return L


def hand(point, write):
    x, k, v = point["x"], point["k"], point["v"]
    a = np.correlate(x, k) + point["c"]
    h = np.tanh(a)
    pooled = h.reshape(-1, 2).max(axis=1)
    ds = v @ pooled - point["t"]

    write("v", ds * pooled)
    dpooled = write("pooled", ds * v, missing_factor=lambda: v.copy(), sign=lambda: -ds * v)
    both = np.repeat(dpooled, 2)
    first = (h.reshape(-1, 2) == pooled[:, None]).ravel()
    dh = write("h", both * first, factor=lambda: both / 2, missing_factor=lambda: both.copy(),
               substitution=lambda: both * ~first)
    da = write("a", dh * (1 - h ** 2), missing_factor=lambda: dh.copy(), factor=lambda: 2 * dh * (1 - h ** 2))
    write("k", np.correlate(x, da), shift=lambda: np.correlate(np.roll(x, -1), da),
          missing_term=lambda: np.correlate(x[2:], da[2:]), transposition=lambda: np.correlate(x, da)[::-1])
    write("c", da.sum(), factor=lambda: da.mean(), zero=lambda: 0.0)
    write("x", np.convolve(da, k), transposition=lambda: np.convolve(da, k[::-1]),
          shift=lambda: np.roll(np.convolve(da, k), 1))
    return write.claims
