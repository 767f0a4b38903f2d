"""A 2-2-2 network of sigmoids with biases, every factor of the chain rule by itself (Mazur's example)."""
import math

import autograd_lite as ag
from autograd_lite import Value


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def point(rng):
    numbers = {f"w{k}": rng.uniform(0.2, 1.2) * rng.choice([-1, 1]) for k in range(1, 9)}
    numbers |= {"b1": rng.uniform(0.1, 0.8), "b2": rng.uniform(-0.8, -0.1)}
    return numbers | {"i1": rng.uniform(0.4, 1.5), "i2": rng.uniform(-1.5, -0.4),
                      "t1": rng.uniform(-0.5, -0.1), "t2": rng.uniform(1.1, 1.5)}


def forward(point):
    v = {name: Value(number) for name, number in point.items()}
    neth1 = v["w1"] * v["i1"] + v["w2"] * v["i2"] + v["b1"]
    neth2 = v["w3"] * v["i1"] + v["w4"] * v["i2"] + v["b1"]
    outh1, outh2 = ag.sigmoid(neth1), ag.sigmoid(neth2)
    neto1 = v["w5"] * outh1 + v["w6"] * outh2 + v["b2"]
    neto2 = v["w7"] * outh1 + v["w8"] * outh2 + v["b2"]
    outo1, outo2 = ag.sigmoid(neto1), ag.sigmoid(neto2)
    Eo1, Eo2 = 0.5 * (v["t1"] - outo1) ** 2, 0.5 * (v["t2"] - outo2) ** 2
    E = Eo1 + Eo2
    ag.label(v, neth1=neth1, neth2=neth2, outh1=outh1, outh2=outh2, neto1=neto1, neto2=neto2, outo1=outo1,
             outo2=outo2, Eo1=Eo1, Eo2=Eo2, E=E)
    return E


def hand(point, write):
    w1, w2, w3, w4, w5, w6, w7, w8 = (point[f"w{k}"] for k in range(1, 9))
    i1, i2, t1, t2 = point["i1"], point["i2"], point["t1"], point["t2"]
    h1 = sigmoid(w1 * i1 + w2 * i2 + point["b1"])
    h2 = sigmoid(w3 * i1 + w4 * i2 + point["b1"])
    o1 = sigmoid(w5 * h1 + w6 * h2 + point["b2"])
    o2 = sigmoid(w7 * h1 + w8 * h2 + point["b2"])

    # the factors of the output layer
    E_o1 = write(("Eo1", "outo1"), -(t1 - o1), sign=lambda: t1 - o1, factor=lambda: -0.5 * (t1 - o1))
    E_o2 = write(("Eo2", "outo2"), -(t2 - o2), substitution=lambda: -(t1 - o2))
    o1_n = write(("outo1", "neto1"), o1 * (1 - o1), sign=lambda: o1 * (1 + o1), missing_factor=lambda: o1)
    o2_n = write(("outo2", "neto2"), o2 * (1 - o2), substitution=lambda: o1 * (1 - o1),
                 substitution_2=lambda: 1 - o2 ** 2)
    delta1 = write("neto1", E_o1 * o1_n)
    delta2 = write("neto2", E_o2 * o2_n)
    write("w5", delta1 * write(("neto1", "w5"), h1, substitution=lambda: h2))
    write("w6", delta1 * h2, substitution=lambda: delta2 * h2)
    write("w7", delta2 * h1, missing_factor=lambda: delta2)
    write("w8", delta2 * write(("neto2", "w8"), h2))
    write("b2", delta1 + delta2, missing_path=lambda: delta1, zero=lambda: 0.0)

    # the hidden layer, to which both outputs lead back
    n1_h1 = write(("neto1", "outh1"), w5)
    n2_h1 = write(("neto2", "outh1"), w7, substitution=lambda: w5)
    E_h1 = write("outh1", delta1 * n1_h1 + delta2 * n2_h1, missing_path=lambda: delta1 * n1_h1,
                 sign=lambda: delta1 * n1_h1 - delta2 * n2_h1)
    E_h2 = write("outh2", delta1 * w6 + delta2 * w8, missing_factor=lambda: E_o1 * w6 + E_o2 * w8)
    h1_n = write(("outh1", "neth1"), h1 * (1 - h1))
    h2_n = write(("outh2", "neth2"), h2 * (1 - h2))
    deltah1 = write("neth1", E_h1 * h1_n)
    deltah2 = write("neth2", E_h2 * h2_n, missing_factor=lambda: E_h2)
    write("w1", deltah1 * i1, substitution=lambda: deltah1 * i2)
    write("w2", deltah1 * i2, extra_factor=lambda: deltah1 * i2 * w2)
    write("w3", deltah2 * i1)
    write("w4", deltah2 * i2)
    write("b1", deltah1 + deltah2, missing_path=lambda: deltah2)
    return write.claims
