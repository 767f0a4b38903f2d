"""A 2-2-2 network of sigmoids without biases: an exercise that went round Chinese programming blogs.

Its inputs are 0.5, 0.3, its targets 0.23, −0.07. For a hidden number it takes ∂E/∂w5 + ∂E/∂w6, that is
δ1·h + δ2·h, where δ1·w5 + δ2·w6 belongs: h stands where the weights belong. At its own numbers ∂E/∂h1 then
has the wrong sign, 0.118 for −0.068. Yet the first step lowers the error from 0.2097 to 0.1953 (a right one
to 0.1950), since the output layer is right.
Source, retold with arrays: posts that check an example of the online course's lesson 8.3, 误差后向传播(BP),
https://bcxiaobai.eu.org/post/11874.html and http://m.weizhi.cc/tech/detail-315499.html.
The library says:

    3 of 5 claims differ from the graph, by 1 cause:
      ∂net/∂h: 4 of 4 entries, at [0, 1] claimed 0.521825, is -0.452611
          spoils ∂E/∂h, ∂E/∂W
          h where V belongs, at each of 4 points
"""
import numpy as np

import autograd_lite as ag

numbers = np.random.default_rng(9)
points = [{name: numbers.normal(size=size) for name, size in [
    ("W", (2, 2)), ("V", (2, 2)), ("x", 2), ("t", 2)]} for _ in range(4)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(point):
    W, V = (np.vectorize(ag.Value, otypes=[object])(point[name]) for name in ("W", "V"))
    h = np.array([ag.sigmoid(number) for number in W @ point["x"]])
    net = V @ h
    o = np.array([ag.sigmoid(number) for number in net])
    E = 0.5 * ((o - point["t"]) ** 2).sum()
    ag.label(W=W, V=V, h=h, net=net, o=o, E=E)
    return E


def hand(point, wrong=True):
    W, V, x = point["W"], point["V"], point["x"]
    h = sigmoid(W @ x)
    o = sigmoid(V @ h)
    delta = (o - point["t"]) * o * (1 - o)
    net_h = np.array([h, h]) if wrong else V
    dh = delta @ net_h
    dW = np.outer(dh * h * (1 - h), x)
    return {"net": delta, "V": np.outer(delta, h), ("net", "h"): net_h, "h": dh, "W": dW}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
