"""One step of an LSTM with two cells, from its output back to its weights.

The output is o·tanh(c), and the derivative of tanh at c is 1 − tanh(c)². Here it is written as 1 − c², as if
c were already the tanh; everything below the cell inherits the number.
The library says:

    11 of 15 claims differ from the graph, by 1 cause:
      ∂L/∂c: 2 of 2 entries, at [0] claimed -0.285836, is 0.189465
          spoils ∂L/∂f, ∂L/∂c0, ∂L/∂i, ∂L/∂g, ∂L/∂zi, ∂L/∂zf, ∂L/∂zg, ∂L/∂Wi,
                 ∂L/∂Wf, ∂L/∂Wg
          1 − c² where 1 − tanh(c)² belongs, at each of 4 points
"""
import numpy as np

import autograd_lite as ag

GATES = "ifog"
numbers = np.random.default_rng(2)
points = [{"W" + gate: numbers.normal(size=(2, 3)) for gate in GATES}
          | {"x": numbers.normal(size=3), "c0": numbers.normal(size=2), "t": numbers.normal(size=2)}
          for _ in range(4)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(point):
    W = {gate: np.vectorize(ag.Value, otypes=[object])(point["W" + gate]) for gate in GATES}
    c0 = np.array([ag.Value(number) for number in point["c0"]])
    z = {gate: W[gate] @ point["x"] for gate in GATES}
    i, f, o = (np.array([ag.sigmoid(number) for number in z[gate]]) for gate in "ifo")
    g = np.tanh(z["g"])
    c = f * c0 + i * g
    h = o * np.tanh(c)
    L = 0.5 * ((h - point["t"]) ** 2).sum()
    ag.label({f"W{gate}": W[gate] for gate in GATES} | {f"z{gate}": z[gate] for gate in GATES},
             c0=c0, i=i, f=f, o=o, g=g, c=c, h=h, L=L)
    return L


def hand(point, wrong=True):
    x, c0 = point["x"], point["c0"]
    i, f, o = (sigmoid(point["W" + gate] @ x) for gate in "ifo")
    g = np.tanh(point["Wg"] @ x)
    c = f * c0 + i * g

    d = {"h": o * np.tanh(c) - point["t"]}
    d["o"] = d["h"] * np.tanh(c)
    d["c"] = d["h"] * o * (1 - (c if wrong else np.tanh(c)) ** 2)
    d["f"], d["c0"], d["i"], d["g"] = d["c"] * c0, d["c"] * f, d["c"] * g, d["c"] * i
    for gate, out in zip("ifo", (i, f, o)):
        d["z" + gate] = d[gate] * out * (1 - out)
    d["zg"] = d["g"] * (1 - g ** 2)
    return d | {"W" + gate: np.outer(d["z" + gate], x) for gate in GATES}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
