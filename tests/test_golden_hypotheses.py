"""What `diagnose` says of mistakes of all kinds in a few derivations that were made for it: to the letter."""
from __future__ import annotations

import functools
from types import SimpleNamespace

import numpy as np
import pytest
from golden import expected, steady
from test_golden_diagnoses import told

import autograd_lite as ag
from autograd_lite import Value, label
from autograd_lite.diagnosis import hypotheses
from autograd_lite.diagnosis.forms import Form, forms

boxed = np.vectorize(Value, otypes=[object])


def at(n=3, **shapes):
    """Points with arrays of these shapes, of numbers from ½ to 2 of either sign."""
    numbers = np.random.default_rng(11)
    return [{name: np.exp2(numbers.uniform(-1.0, 1.0, shape)) * numbers.choice([-1.0, 1.0], shape)
             for name, shape in shapes.items()} for _ in range(n)]


def diagnosed(forward, hand, points):
    return lambda: told(forward, hand, points)


# -- two layers without matrices that have a name: all by the shapes of arrays -----------------------------

SQUARE = at(x=3, W=(3, 3), v=3)


def layers(point):
    x, W, v = (boxed(point[name]) for name in "xWv")
    h = W @ x
    q = h * h
    s = q @ v
    L = s * s
    label(x=x, W=W, v=v, h=h, q=q, s=s, L=L)
    return L


def of_layers(line, mistake, points=SQUARE):
    def hand(point):
        x, W, v = (point[name] for name in "xWv")
        h = W @ x
        s = (h * h) @ v
        d = {"s": 2.0 * s, "v": 2.0 * s * h * h, "q": 2.0 * s * v, "h": 4.0 * s * v * h,
             "W": np.outer(4.0 * s * v * h, x), "x": W.T @ (4.0 * s * v * h)}
        return d | {line: mistake(d, x, W, v, h)}
    return diagnosed(layers, hand, points)


def entry(array, index, change):
    array = array.copy()
    array[index] = change(array[index])
    return array


def moved(array, a, b, part):
    array = array.copy()
    array[a], array[b] = array[a] + part, array[b] - part
    return array


LAYERS = {
    "transposed": ("W", lambda d, x, W, v, h: d["W"].T),
    "transposed at a point": ("W", lambda d, x, W, v, h: d["W"].T if x[0] > 0.0 else d["W"] + x * h),
    "turned over": ("W", lambda d, x, W, v, h: d["W"][::-1]),
    "shifted": ("h", lambda d, x, W, v, h: np.roll(d["h"], 1)),
    "shifted back": ("h", lambda d, x, W, v, h: np.roll(d["h"], -1)),
    "shifted, but an end": ("h", lambda d, x, W, v, h: entry(np.roll(d["h"], 1), 0, lambda e: 0.37)),
    "shifted columns": ("W", lambda d, x, W, v, h: np.roll(d["W"], 1, 1)),
    "reversed": ("v", lambda d, x, W, v, h: d["v"][::-1]),
    "no factor of rows": ("W", lambda d, x, W, v, h: np.outer(d["q"], x)),
    "no factor of columns": ("W", lambda d, x, W, v, h: np.outer(d["h"], np.ones(3))),
    "a factor of rows": ("W", lambda d, x, W, v, h: d["W"] * h[:, None]),
    "another factor": ("W", lambda d, x, W, v, h: np.outer(d["h"], v)),
    "another gradient": ("W", lambda d, x, W, v, h: np.outer(d["v"], x)),
    "outer the other way": ("W", lambda d, x, W, v, h: np.outer(x, d["h"])),
    "a matrix turned": ("x", lambda d, x, W, v, h: W @ d["h"]),
    "a matrix and another gradient": ("x", lambda d, x, W, v, h: W.T @ d["q"]),
    "half of a product": ("h", lambda d, x, W, v, h: d["h"] / 2.0),
    "a gradient": ("h", lambda d, x, W, v, h: d["q"]),
    "a gradient and a factor": ("h", lambda d, x, W, v, h: d["v"] * v),
    "a sum": ("h", lambda d, x, W, v, h: d["h"] + h),
    "minus a sum": ("h", lambda d, x, W, v, h: d["h"] - 0.5 * h * h),
    "a constant": ("h", lambda d, x, W, v, h: d["h"] + 0.37), "minus": ("h", lambda d, x, W, v, h: -d["h"]),
    "minus and a factor": ("h", lambda d, x, W, v, h: -d["h"] * v),
    "zero": ("h", lambda d, x, W, v, h: 0.0 * h),
    "a factor of them": ("h", lambda d, x, W, v, h: 0.123 * d["h"]),
    "less a term": ("x", lambda d, x, W, v, h: (
        W.T @ d["h"] - W[1] * d["h"][1])), "one term": ("x", lambda d, x, W, v, h: W[2] * d["h"][2]),
    "two terms": ("x", lambda d, x, W, v, h: W[:2].T @ d["h"][:2]),
    "own terms": ("x", lambda d, x, W, v, h: np.diag(W) * d["h"]),
    "an entry": ("h", lambda d, x, W, v, h: entry(d["h"], 1, lambda e: -e)),
    "an entry that lacks a factor": ("h", lambda d, x, W, v, h: entry(d["h"], 2, lambda e: e / h[2])),
    "an entry's part": ("h", lambda d, x, W, v, h: moved(d["h"], 0, 2, 0.7)),
    "an entry of W": ("W", lambda d, x, W, v, h: entry(d["W"], (1, 2), lambda e: 2.0 * e)),
    "a nan": ("h", lambda d, x, W, v, h: entry(-d["h"], 1, lambda e: np.nan)),
    "infinities": ("h", lambda d, x, W, v, h: entry(-d["h"], slice(0, 2), lambda e: np.inf)),
    "noise": ("h", lambda d, x, W, v, h: np.sin(1e3 * d["h"] * v + x)),
    "each another": ("h", lambda d, x, W, v, h: d["h"] * [-1.0, 2.0, 1.0] + [0.0, 0.0, 0.25]),
    "as products": ("h", lambda d, x, W, v, h: d["s"] * v), "too many": ("s", lambda d, x, W, v, h: h[0]),
}

WIDE, TALL = at(x=4, W=(3, 4), v=3), at(x=2, W=(3, 2), v=3)
ROWS = {
    "a factor of rows": ("W", lambda d, x, W, v, h: d["W"] * h[:, None]),
    "no factor of rows": ("W", lambda d, x, W, v, h: d["W"] / v[:, None]),
    "a factor of columns": ("W", lambda d, x, W, v, h: d["W"] * x),
    "shifted rows": ("W", lambda d, x, W, v, h: np.roll(d["W"], -1, 0)),
    "a term of rows": ("W", lambda d, x, W, v, h: d["W"] - 2.0 * h[:, None])}

# -- one number from two branches, which have no names on the way --------------------------------------------

BRANCHES = at(4, x=4, y=4)
M = np.arange(16.0).reshape(4, 4) / 7.0 - 1.0


def branched(point, sizes=(1.0, 1.0)):
    x, y = boxed(point["x"]), boxed(point["y"])
    u, w = np.tanh(M @ x), np.sin(M.T @ x)
    L = sizes[0] * (u * u) @ y + sizes[1] * (w * w * w).sum()
    label(x=x, y=y, u=u, w=w, L=L)
    return L


def of_branches(mistake, sizes=(1.0, 1.0)):
    def hand(point):
        x, y = point["x"], point["y"]
        u, w = np.tanh(M @ x), np.sin(M.T @ x)
        du, dw = sizes[0] * 2.0 * u * y, sizes[1] * 3.0 * w * w

        def through(a=du, b=dw):
            return M.T @ (a * (1.0 - u * u)) + M @ (b * np.cos(M.T @ x))
        return {"x": mistake(through, du, dw, u, w, x, y)}
    return diagnosed(functools.partial(branched, sizes=sizes), hand, BRANCHES)


TWO = {
    "lacks each its factor": lambda f, a, b, u, w, *_: f(a / u, b / w),
    "has each its factor once more": lambda f, a, b, u, w, *_: f(a * u, b * w),
    "has each another": lambda f, a, b, u, w, *_: f(a * (1.0 - u * u), b * (1.0 - w * w)),
    "one without its factor": lambda f, a, b, u, *_: f(a / u, b),
    "one shifted": lambda f, a, b, *_: f(a, np.roll(b, -1)),
    "one shifted on": lambda f, a, b, *_: f(np.roll(a, 1), b),
    "shifted, but an end": lambda f, *_: entry(np.roll(f(), 1), 0, lambda e: 0.37),
    "shifted back, but an end": lambda f, *_: entry(np.roll(f(), -1), 3, lambda e: 0.37),
    "no u": lambda f, a, b, *_: f(0.0, b), "only u": lambda f, a, b, *_: f(a, 0.0),
    "u twice": lambda f, a, b, *_: f(2.0 * a, b), "minus u": lambda f, a, b, *_: f(-a, b),
    "half of u": lambda f, a, b, *_: f(0.5 * a, b), "a part of u": lambda f, a, b, *_: f(a * [0, 1, 1, 1], b),
    "only a part of u": lambda f, a, b, *_: f(a * [0, 0, 1, 0], 0.0),
    "another in u": lambda f, a, b, *_: f(b, b),
    "mixed up": lambda f, a, b, *_: f(b, a), "y where x": lambda f, a, b, u, w, x, y: f(2.0 * u * x, b),
    "more of y": lambda f, a, b, u, w, x, y: f() + y,
    "no derivative of sin": lambda f, a, b, u, w, x, y: f(a, b / np.cos(M.T @ x))}
LARGE = {
    "without u": lambda f, a, b, *_: f(0.0, b), "twice": lambda f, a, b, *_: f(2.0 * a, b),
    "a part of u missing": lambda f, a, b, *_: f(a * [1, 0, 1, 1], b),
    "only a part": lambda f, a, b, *_: f(a * [1, 0, 0, 0], 0.0)}

# -- one number from many branches, by a matrix with a name or none; and an array of two axes on the way ----


N = M[:3, 1:]


def gathered(point):
    x, A = boxed(point["x"]), boxed(point["A"])
    u, w, s, t, r = np.tanh(N @ x), np.sin(N.T @ x), x * x, A @ x, np.exp(x)
    L = (u * u).sum() + (w * w * w).sum() + (s * np.roll(s, 1)).sum() + (t * t).sum() + (r * N[1]).sum() + (
        x * np.roll(x, 1)).sum()
    label(x=x, A=A, u=u, w=w, s=s, t=t, r=r, L=L)
    return L


def of_gathered(mistake):
    def hand(point):
        x, A = point["x"], point["A"]
        u, w, s = np.tanh(N @ x), np.sin(N.T @ x), x * x
        ds = np.roll(s, 1) + np.roll(s, -1)
        return {"x": mistake({
            "u": N.T @ (2.0 * u * (1.0 - u * u)), "w": N @ (3.0 * w * w * np.cos(N.T @ x)), "s": 2.0 * ds * x,
            "t": 2.0 * A.T @ (A @ x), "r": np.exp(x) * N[1], "": np.roll(x, 1) + np.roll(x, -1)}, x, A)}
    return diagnosed(gathered, hand, at(3, x=3, A=(3, 3)))


def of_table(mistake, n=3):
    """L = Σ sin(C·x)³·y over a table of n rows and 3 columns."""
    C, y = np.cos(np.arange(n * 9.0)).reshape(n, 3, 3), np.exp2(np.sin(np.arange(n * 3.0))).reshape(n, 3)

    def forward(point):
        x = boxed(point["x"])
        Z = np.sin(C @ x)
        L = (Z * Z * Z * y).sum()
        label(x=x, Z=Z, L=L)
        return L

    def hand(point):
        x = point["x"]
        Z = np.sin(C @ x)
        return {"x": np.einsum("ij,ij,ijk->k", mistake(3.0 * Z * Z * y, Z), np.cos(C @ x), C)}
    return diagnosed(forward, hand, at(x=3))


def of_batches(mistake, sizes):
    """L = Σ (X·w)², with other numbers of rows at other points."""
    def forward(point):
        X, w = boxed(point["X"]), boxed(point["w"])
        p = X @ w
        L = (p * p).sum()
        label(w=w, p=p, X=X, L=L)
        return L

    def hand(point):
        X, w = point["X"], point["w"]
        return {"p": 2.0 * X @ w, "w": mistake(X, w, X @ w)}
    points = at(3, w=3, X=(5, 3))
    return diagnosed(forward, hand, [point | {"X": point["X"][:n]} for n, point in zip(sizes, points)])


def of_scaled(mistake, further, scale=1.0):
    """L = Σ (X·g)³ over a table, and with a further path Σ sin(g)."""
    points = [point | {"X": scale * point["X"]} for point in at(3, X=(4, 3), g=3)]

    def forward(point):
        X, g = boxed(point["X"]), boxed(point["g"])
        y = X * g
        L = (y * y * y).sum() + (np.sin(g).sum() if further else 0.0)
        label(X=X, g=g, y=y, L=L)
        return L

    def hand(point):
        X, g = point["X"], point["g"]
        dy = 3.0 * (X * g) ** 2
        return {"y": dy, "g": mistake(dy, X, g) + (np.cos(g) if further else 0.0)}
    return diagnosed(forward, hand, points)


def together(parts, without=()):
    return sum(part for name, part in parts.items() if name not in tuple(without))


GATHERED = {
    "two missing": lambda d, x, A: together(d, "uw"), "two others missing": lambda d, x, A: together(d, "ts"),
    "two alone": lambda d, x, A: d["u"] + d["s"], "three missing": lambda d, x, A: together(d, "urw"),
    "the direct one missing": lambda d, x, A: together(d, [""]),
    "the direct one alone": lambda d, x, A: d[""],
    "another matrix": lambda d, x, A: together(d, "u") + 2.0 * A.T @ np.tanh(N @ x),
    "a matrix turned": lambda d, x, A: together(d, "t") + 2.0 * A @ A @ x,
    "a factor in one": lambda d, x, A: together(d, "r") + d["r"] * x,
    "minus one": lambda d, x, A: together(d) - 2.0 * d["w"]}
TABLES = {
    "transposed": lambda d, Z: d.T, "rows shifted": lambda d, Z: np.roll(d, 1, 0),
    "in another order": lambda d, Z: d.T.reshape(d.shape),
    "columns shifted back": lambda d, Z: np.roll(d, -1, 1), "a factor": lambda d, Z: d * Z,
    "no factor": lambda d, Z: d / Z, "a mask": lambda d, Z: d * (Z > 0.0)}
BATCHES = {"minus": lambda X, w, p: -2.0 * X.T @ p, "w too much": lambda X, w, p: 2.0 * X.T @ p * w,
           "no factor": lambda X, w, p: X.T @ np.ones(len(p)),
           "a row missing": lambda X, w, p: 2.0 * X[1:].T @ p[1:],
           "a row alone": lambda X, w, p: 2.0 * X[2] * p[2]}

# -- a number from few numbers: forms, terms, expressions ----------------------------------------------------

NUMBERS = at(3, a=(), b=(), c=(), d=())


def of_numbers(formula, mistake, by="a", output="f", positive=False, points=NUMBERS, extra=lambda *xs: {}):
    """f of four numbers, of which the derivative by one is claimed to be something else."""
    def taken(point):
        return [abs(point[name]) if positive else float(point[name]) for name in "abcd"]

    def forward(point):
        xs = [Value(x, name) for name, x in zip("abcd", taken(point))]
        found = formula(*xs)
        label(found)
        return [found[output], *xs]
    return diagnosed(forward, lambda point: {(output, by): mistake(*taken(point)), **extra(*taken(point))},
                     points)


def product(a, b, c, d):
    u = a * b
    v = u * c
    return {"f": v * d + a * c, "u": u}


FEW = {
    "c for d": of_numbers(product, lambda a, b, c, d: b * c * c + c),
    "b for c in a sum": of_numbers(product, lambda a, b, c, d: b * c * d + b),
    "minus": of_numbers(product, lambda a, b, c, d: b * c * d - c), "no c": of_numbers(
        product, lambda a, b, c, d: b * c * d), "no path": of_numbers(product, lambda a, b, c, d: c),
    "1 − a for a": of_numbers(product, lambda a, b, c, d: (b * d + 1.0) * (1.0 - c)),
    "an expression": of_numbers(product, lambda a, b, c, d: (a * b * c + d * c) / d),
    "an expression of others": of_numbers(product, lambda a, b, c, d: a * b + c * d),
    "a root": of_numbers(product, lambda a, b, c, d: (b * c * d + c) * c ** 0.5, positive=True),
    "over a root": of_numbers(product, lambda a, b, c, d: 2.0 * (b * c * d + c) / d ** 0.5, positive=True),
    "minus a factor": of_numbers(product, lambda a, b, c, d: -(b * c * d + c) * d),
    "minus half a factor": of_numbers(product, lambda a, b, c, d: -0.5 * (b * c * d + c) * d),
    "a factor of it is missing": of_numbers(product, lambda a, b, c, d: -(b * d + 1.0)),
    "+ for −": of_numbers(
        lambda a, b, c, d: {"f": a * (1.0 - b * b) * c}, lambda a, b, c, d: (1.0 + b * b) * c),
    "− for +": of_numbers(lambda a, b, c, d: {"f": a * (1.0 + b) * c}, lambda a, b, c, d: (1.0 - b) * c),
    "− for + and a sign": of_numbers(
        lambda a, b, c, d: {"f": a * (1.0 + b) * c}, lambda a, b, c, d: (b - 1.0) * c),
    "sin for cos": of_numbers(lambda a, b, c, d: {"f": ag.sin(a * b) * c},
                              lambda a, b, c, d: np.sin(a * b) * b * c),
    "minus sin for cos": of_numbers(lambda a, b, c, d: {"f": ag.sin(a * b) * c},
                                    lambda a, b, c, d: -np.sin(a * b) * b * c),
    "a term": of_numbers(product, lambda a, b, c, d: b * c * d + c - 3.0 * d * d),
    "a term of one": of_numbers(product, lambda a, b, c, d: b * c * d + c + d),
    "a term of minus one": of_numbers(product, lambda a, b, c, d: b * c * d + c - d),
    "a constant term": of_numbers(product, lambda a, b, c, d: b * c * d + c + 0.2718),
    "a root of a constant": of_numbers(product, lambda a, b, c, d: b * c * d + c - 2.0 ** 0.5),
    "an odd term": of_numbers(product, lambda a, b, c, d: b * c * d + c + 0.2718 * np.exp(d)),
    "a whole": of_numbers(product, lambda a, b, c, d: 1.0),
    "nothing": of_numbers(product, lambda a, b, c, d: 0.0),
    "noise": of_numbers(product, lambda a, b, c, d: np.sin(97.0 * a * b + c / d)),
    "by u": of_numbers(product, lambda a, b, c, d: c * c, by="u"), "another's": of_numbers(
        product, lambda a, b, c, d: a * c * d, extra=lambda a, b, c, d: {("f", "b"): a * c * d}),
    "too short": of_numbers(
        product, lambda a, b, c, d: c * d + c, extra=lambda a, b, c, d: {("f", "u"): c * d}),
    "one factor too short": of_numbers(
        product, lambda a, b, c, d: c * d, extra=lambda a, b, c, d: {("f", "u"): c * d}),
    "round numbers": of_numbers(product, lambda a, b, c, d: 0.3712,
                                points=[dict(a=1.0, b=1.0, c=1.0, d=1.0)] * 3),
    "an expression of 30 letters": of_numbers(
        lambda a, b, c, d: {"f": a * ag.tanh(ag.exp(b * c) + ag.sinh(c + d))},
        lambda a, b, c, d: np.exp(b * c) + np.sinh(c + d)),
    "one of 31 letters": of_numbers(
        lambda a, b, c, d: {"f": a * ag.tanh(ag.cosh(b * c) + ag.sinh(c + d))},
        lambda a, b, c, d: np.cosh(b * c) + np.sinh(c + d)),
}

# -- other branches, and the other side of a kink -----------------------------------------------------------

SIDES = at(12, a=(), b=(), c=(), d=())


def of_sides(formula, mistake):
    return of_numbers(lambda a, b, c, d: {"f": formula(a, b, c) * d},
                      lambda a, b, c, d: float(mistake(a, b, c)) * d, points=SIDES)


CHOICES = {
    f"{name}: {how}": of_sides(formula, mistake) for name, formula, taken in (
        ("maximum", lambda a, b, c: ag.maximum(a * b, a * c),
         lambda a, b, c: a * b > a * c),
        ("where", lambda a, b, c: ag.where(ag.greater(a * a, 1.0), a * b, a * c),
         lambda a, b, c: a * a > 1.0)) for how, mistake in {
            "first": lambda a, b, c: b, "second": lambda a, b, c: c,
            "other": lambda a, b, c, taken=taken: c if taken(a, b, c) else b,
            "both": lambda a, b, c: b + c, "half": lambda a, b, c: 0.5 * b + 0.5 * c}.items()}
BENDS = {
    "relu: always": of_sides(lambda a, b, c: ag.relu(a * b), lambda a, b, c: b),
    "relu: other": of_sides(lambda a, b, c: ag.relu(a * b), lambda a, b, c: b * (a * b < 0.0)),
    "abs: always": of_sides(lambda a, b, c: ag.sin(b * abs(a)) * c,
                            lambda a, b, c: np.cos(b * abs(a)) * b * c),
    "tanh: half": of_sides(lambda a, b, c: ag.tanh(a * b) + ag.tanh(a * c) + a * a, lambda a, b, c: 0.5 * (
        b / np.cosh(a * b) ** 2 + c / np.cosh(a * c) ** 2) + 2.0 * a),
    "tanh: minus": of_sides(lambda a, b, c: ag.tanh(a * b) + ag.tanh(a * c) + a * a,
                            lambda a, b, c: 2.0 * a - b / np.cosh(a * b) ** 2 - c / np.cosh(a * c) ** 2),
    "tanh: missing": of_sides(lambda a, b, c: ag.tanh(a * b) + ag.tanh(a * c) + a * a,
                              lambda a, b, c: 2.0 * a),
    "tanh: off": of_sides(lambda a, b, c: ag.tanh(a * b) + ag.tanh(a * c) + a * a, lambda a, b, c: 0.123 * (
        b / np.cosh(a * b) ** 2 + c / np.cosh(a * c) ** 2) + 2.0 * a)}

# -- arrays of many entries, zeros among them, and arrays of which a part is elsewhere -----------------------


def of_entries(n, mistake, change=lambda x: x):
    """f = Σ relu(x)·y·x of long arrays."""
    points = [point | {"x": change(point["x"])} for point in at(3, x=n, y=n)]

    def forward(point):
        x, y = boxed(point["x"]), boxed(point["y"])
        r = np.array([ag.relu(t) for t in x], object)
        f = ag.sum(r * y * x)
        label(x=x, y=y, r=r, f=f, mixed=[x[0], r[1], y[0]])
        return f
    return diagnosed(forward, lambda point: mistake(point["x"], point["y"], np.maximum(point["x"], 0.0)),
                     points)


def of_neighbours(n, mistake, scale=1.0):
    """L = Σ p³·y, where each p is the product of two neighbours in x."""
    def forward(point):
        x, y = boxed(point["x"]), point["y"]
        p = x * np.roll(x, 1)
        L = ag.sum(p * p * p * y)
        label(x=x, p=p, L=L)
        return L

    def hand(point):
        x, y = point["x"], point["y"]
        before = np.roll(x, 1)
        dp = 3.0 * (x * before) ** 2 * y
        return {"x": mistake(lambda d: d * before + np.roll(d * x, -1), dp, x, before)}
    return diagnosed(forward, hand, [point | {"y": scale * point["y"]} for point in at(3, x=n, y=n)])


def of_ramps(mistake):
    """f = −Σ relu(x)·y²·z, of which many parts are 0."""
    def forward(point):
        x, y, z = (boxed(point[name]) for name in "xyz")
        r = np.array([ag.relu(t) for t in x], object)
        f = -ag.sum(r * y * y * z)
        label(x=x, y=y, z=z, r=r, f=f)
        return f

    def hand(point):
        x, y, z = (point[name] for name in "xyz")
        return {"z": mistake(-np.maximum(x, 0.0) * y * y, y, z)}
    return diagnosed(forward, hand, at(3, x=6, y=6, z=6))


RAMPS = {"another": lambda d, y, z: d * z * z / (y * y), "minus another": lambda d, y, z: -d * z / y,
         "a factor": lambda d, y, z: d * z, "no factor": lambda d, y, z: d / (y * y),
         "by 2": lambda d, y, z: 2.0 * d, "a term": lambda d, y, z: d - z}

MANY = {
    **{f"one of {n}": of_entries(n, lambda x, y, r: {"y[1]": r[1] * y[1]}, abs) for n in (3, 12, 13)},
    "with zeros": of_entries(5, lambda x, y, r: {"r": x * y, "x": r * y}),
    "another with zeros": of_entries(5, lambda x, y, r: {"y": r * r * x, "r": x * y}),
    "another where it is not 0": of_entries(5, lambda x, y, r: {"y": x * x, "r": y * x}),
    "its own": of_entries(6, lambda x, y, r: {"y": r * y, "x": 2.0 * r * y}),
    "all by 2": of_entries(4, lambda x, y, r: {"y": 2.0 * r * x, "r": 2.0 * x * y}),
    **{f"shifted, {n}": of_neighbours(n, lambda f, d, x, before: f(np.roll(d, 1))) for n in (3, 40, 41)},
    **{f"each its own, {n}": of_neighbours(n, lambda f, d, x, before: d * before) for n in (3, 40, 41)},
    "too much": of_neighbours(5, lambda f, d, x, before: f(d * x)), "lacks": of_neighbours(
        5, lambda f, d, x, before: f(d / (x * before))),
}

NAME = "hypotheses"
CASES = {**{f"layers: {name}": of_layers(*given) for name, given in LAYERS.items()},
         **{f"branches: {name}": of_branches(mistake) for name, mistake in TWO.items()},
         **{f"branches of sizes {sizes}: {name}": of_branches(mistake, sizes) for name,
            mistake in LARGE.items()
            for sizes in ((1e9, 1e-3), (-1e9, -1e-3))},
         **{f"{shape}: {name}": of_layers(*given, points=points) for shape, points in (
            ("wide", WIDE), ("tall", TALL)) for name, given in ROWS.items()},
         **{f"gathered: {name}": of_gathered(mistake) for name, mistake in GATHERED.items()},
         **{f"table: {name}": of_table(mistake) for name, mistake in TABLES.items()},
         "table of 2 rows: shifted": of_table(TABLES["rows shifted"], 2),
         "table of 2 rows: in another order": of_table(TABLES["in another order"], 2),
         **{f"batches of {sizes}: {name}": of_batches(mistake, sizes)
            for sizes in ((4, 4, 4), (4, 3, 5), (3, 4, 5)) for name, mistake in BATCHES.items()},
         **{f"scaled{further * ', further'}: {name}": of_scaled(mistake, further) for further in (False, True)
            for name, mistake in {"no factor": lambda d, X, g: d.sum(0),
                                  "another": lambda d, X, g: (d * X * X).sum(0)}.items()},
         "scaled to tiny numbers: no factor": of_scaled(lambda d, X, g: d.sum(0), False, 1e-8),
         "scaled to tiny numbers: another": of_scaled(lambda d, X, g: (d * X).sum(0) * g, False, 1e-8),
         "scaled to tiny numbers: own terms": of_neighbours(3, lambda f, d, x, before: d * before, 1e-9),
         **{f"sides: {name}": give for name, give in (CHOICES | BENDS).items()},
         **{f"ramps: {name}": of_ramps(mistake) for name, mistake in RAMPS.items()},
         **{f"numbers: {name}": give for name, give in FEW.items()},
         **{f"entries: {name}": give for name, give in MANY.items()}}


@pytest.mark.parametrize("case", CASES)
def test_the_hypotheses_that_hold_are_those_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


def test_two_entries_of_three_or_more_tell_of_a_part_that_stands_elsewhere():
    for claimed, right, text in (
            ([1.5, 2.0, 2.5], [1.0, 2.0, 3.0], "[0] and [2]"),
            ([1.5, 0.0, 2.5], [1.0, 0.0, 3.0], "[0] and [2]"), ([1.5, 1.5], [1.0, 2.0], ""),
            ([-1.5, -2.0, -2.5], [-1.0, -2.0, -3.0], "[0] and [2]"), ([1.5, 2.0, 2.6], [1.0, 2.0, 3.0], ""),
            ([1.5, 2.1, 2.5], [1.0, 2.0, 3.0], ""), ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], ""),
            ([-1.5, -2.0 - 1e-12, -2.5], [-1.0, -2.0, -3.0], "[0] and [2]"),
            ([[1.0, 2.0], [4.0, 3.0]], [[1.0, 3.0], [3.0, 3.0]], "[0, 1] and [1, 0]")):
        assert hypotheses._stray(np.array(claimed), np.array(right)) == text, (claimed, right)


A = np.array([7.0, 3.0, 1.0, -5.0])
B = np.array([10.0, 20.0, -30.0, 40.0])
RIGHT = np.array([1e4, 3e4, 2.0, 5.0])
OFF = np.array([0.0, 0.0, 1.0, 0.0])


@pytest.mark.parametrize("claimed, off, text", [
    (RIGHT / B, 1e-3, "the factor B is missing"), (RIGHT * B, 1e-3, "the factor B is too much"),
    (RIGHT * A / B, 1e-3, "A where B belongs"), (-RIGHT * A / B, 1e-3, "−A where B belongs"),
    (-2.0 * RIGHT * B, 1e-3, "the factor −2·B is too much"), (RIGHT * 0.5, 1e-3, "off by a factor ½"),
    (RIGHT / B * 4.0, 1e-3, "the factor ¼·B is missing"), (-RIGHT, 1e-3, "sign flipped")])
def test_numbers_may_be_off_by_the_rounding_of_the_terms_that_make_them(claimed, off, text):
    def told(claimed, where=""):
        with np.errstate(all="ignore"):
            return [diagnosis.text for _, diagnosis in hypotheses._ratio(
                claimed, RIGHT, size, [Form("A", 0.0, A), Form("B", 0.0, B)], where)]
    size = 1e9 * np.ones(4)
    for sign in (1.0, -1.0):
        assert told(claimed + sign * 0.9 * off * OFF) == [text]
        assert told(claimed + sign * 1.2 * off * OFF) == []
    assert told(claimed, " in a way")[0].startswith(text.replace("sign flipped", "the sign is wrong"))


def test_of_exchanged_numbers_the_ratio_is_taken_where_there_is_one():
    with np.errstate(all="ignore"):
        for right in (np.array([-1.0, 0.0, -2.0, -3.0]), np.array([0.0, 0.0, 0.0, 3.0])):
            x, y = [np.abs(numbers) for numbers in (A, B)]
            (cost, told), = hypotheses._exchanged(right * x / y, right, abs(right), [
                Form("x", 0.5, x), Form("y", 0.25, y)], "")
            assert (cost, told.text) == (2.75, "x where y belongs")


def test_where_two_entries_do_not_tell_no_form_is_left_out():
    one, known = np.ones(4), [Form("A", 0.0, A), Form("B", 0.0, B)]
    for claimed, right, kept in ((A, one, "A"), (one, B, "B"), (A * 0.0, one, "AB"), (A, B, ""),
                                 (np.array([0.0, 0.0, 5.0, 0.0]), one, "AB"), (A, 0.0 * one, "AB")):
        assert "".join(form.text for form in hypotheses._fitting(claimed, right, known)) == kept
        assert list(hypotheses._fitting(claimed, right, [])) == []


def test_numbers_and_gradients_that_are_0_or_not_finite_or_do_not_fit_are_no_forms():
    for numbers, some in ((A, True), (0.0 * A, False), ([np.inf, 1.0], False), ([np.nan, 0.0], False),
                          (None, False)):
        arrays = [numbers if numbers is None else np.array(numbers)]
        evidence = SimpleNamespace(numbers={}, gradients={"∂f/∂x": arrays}, spread=lambda arrays: arrays[0])
        assert [form.text for form in forms(evidence)] == ["∂f/∂x"] * some
        evidence = SimpleNamespace(numbers={"x": arrays}, gradients={}, spread=lambda arrays: arrays[0])
        with np.errstate(all="ignore"):
            assert ("x" in [form.text for form in forms(evidence)]) is some
