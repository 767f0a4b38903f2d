"""The exercise, and what a class of thirty handed in.

The gradient of ½(a·tanh(b·x) − t)² by a, b, x and t was asked for, in this order. The thirty are made up:
ways that people write it, and the mistakes that they make.
"""
from math import cosh, exp, tanh

import autograd_lite as ag


def loss(a, b, x, t):
    """½(a·tanh(b·x) − t)²"""
    return 0.5 * (a * ag.tanh(b * x) - t) ** 2


def error(a, b, x, t):
    return a * tanh(b * x) - t


def slope(z):
    return 1 - tanh(z) ** 2


def by_parts(a, b, x, t):
    h = tanh(b * x)
    e = a * h - t
    dz = e * a * (1 - h * h)
    return e * h, dz * x, dz * b, -e


def by_exponentials(a, b, x, t):
    u, v = exp(b * x), exp(-b * x)
    h = (u - v) / (u + v)
    dz = (a * h - t) * a * 4 / (u + v) ** 2
    return (a * h - t) * h, dz * x, dz * b, t - a * h


def by_cosh(a, b, x, t):
    e = error(a, b, x, t)
    return e * tanh(b * x), e * a * x / cosh(b * x) ** 2, e * a * b / cosh(b * x) ** 2, -e


def multiplied_out(a, b, x, t):
    h = tanh(b * x)
    dz = (a * a * h - a * t) * slope(b * x)
    return a * h ** 2 - t * h, dz * x, dz * b, t - a * h


def wrong(**lines):
    """The gradient by parts with some lines of it written otherwise."""
    def gradient(a, b, x, t):
        h = tanh(b * x)
        names = {"a": a, "b": b, "x": x, "t": t, "h": h, "e": a * h - t, "s": 1 - h * h}
        right = {"da": names["e"] * h, "db": names["e"] * a * names["s"] * x,
                 "dx": names["e"] * a * names["s"] * b, "dt": -names["e"]}
        return [lines[name](**names) if name in lines else number for name, number in right.items()]
    return gradient


SUBMISSIONS = {
    "01": by_parts, "02": by_cosh, "03": by_exponentials, "04": by_parts,
    "05": wrong(dt=lambda e, **_: e),
    "06": multiplied_out, "07": by_parts,
    "08": wrong(db=lambda e, a, x, **_: e * a * x, dx=lambda e, a, b, **_: e * a * b),
    "09": by_cosh, "10": by_parts,
    "11": wrong(da=lambda a, h, t, **_: 2 * (a * h - t) * h),
    "12": by_exponentials,
    "13": wrong(db=lambda e, a, s, b, **_: e * a * s * b, dx=lambda e, a, s, x, **_: e * a * s * x),
    "14": by_parts, "15": multiplied_out,
    "16": wrong(db=lambda e, s, x, **_: e * s * x),
    "17": by_parts, "18": by_cosh,
    "19": wrong(db=lambda e, a, h, x, **_: e * a * (1 - h) * x,
                dx=lambda e, a, h, b, **_: e * a * (1 - h) * b),
    "20": by_parts,
    "21": wrong(da=lambda e, **_: e),
    "22": by_exponentials, "23": by_parts,
    "24": wrong(dt=lambda **_: 0.0),
    "25": wrong(dx=lambda e, a, s, **_: e * a * s),
    "26": by_parts, "27": multiplied_out,
    "28": wrong(da=lambda e, h, **_: e * h * h),
    "29": wrong(db=lambda e, a, s, x, **_: -e * a * s * x),
    "30": by_cosh}
