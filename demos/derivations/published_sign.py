"""A 2-2-1 network of sigmoids with one step of gradient descent: a program of a textbook.

It calls (t − y)·y(1 − y)·h the derivative of its error, which for ½(t − y)² has the other sign, and subtracts
it: from its own numbers the output goes from 0.28730 to 0.28762, away from the target 0.
Source, retold: the programs of Stephen Lynch, Python for Scientific Computing and TensorFlow for Artificial
Intelligence, proflynch/CRC-Press, Anaconda Files/Program_17c.py, https://github.com/proflynch/CRC-Press
(it does not write the error itself down).
The library says:

    4 of 4 claims differ from the graph, by 1 cause:
      ∂E/∂y: claimed 0.0128806538026, is -0.0128806538026
          spoils ∂E/∂net, ∂E/∂w13, ∂E/∂w23
          sign flipped, at each of 4 points
"""
import numpy as np

import autograd_lite as ag

WEIGHTS = ("w11", "w12", "w21", "w22", "w13", "w23")
numbers = np.random.default_rng(12)
points = [{name: numbers.normal() for name in (*WEIGHTS, "b1", "b2", "b3", "x1", "x2", "t")}
          for _ in range(4)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(point):
    w11, w12, w21, w22, w13, w23 = (ag.Value(point[name], name) for name in WEIGHTS)
    h1 = ag.sigmoid(w11 * point["x1"] + w21 * point["x2"] + point["b1"])
    h2 = ag.sigmoid(w12 * point["x1"] + w22 * point["x2"] + point["b2"])
    net = h1 * w13 + h2 * w23 + point["b3"]
    y = ag.sigmoid(net)
    E = 0.5 * (point["t"] - y) ** 2
    ag.label(h1=h1, h2=h2, net=net, y=y, E=E)
    return E


def hand(point, wrong=True):
    w11, w12, w21, w22, w13, w23 = (point[name] for name in WEIGHTS)
    h1 = sigmoid(w11 * point["x1"] + w21 * point["x2"] + point["b1"])
    h2 = sigmoid(w12 * point["x1"] + w22 * point["x2"] + point["b2"])
    y = sigmoid(h1 * w13 + h2 * w23 + point["b3"])

    dy = point["t"] - y if wrong else y - point["t"]
    dnet = dy * y * (1 - y)
    return {"y": dy, "net": dnet, "w13": dnet * h1, "w23": dnet * h2}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
