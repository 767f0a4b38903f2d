"""Two steps of an LSTM with one cell, number by number."""
import math

import autograd_lite as ag
from autograd_lite import Value

GATES = "ifog"


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def point(rng):
    names = [kind + gate for kind in "wub" for gate in GATES]
    numbers = {name: rng.uniform(0.3, 1.2) * rng.choice([-1, 1]) for name in names}
    numbers["bf"] = rng.uniform(1.0, 2.0)               # so that the cell remembers
    return numbers | {"h0": rng.uniform(0.2, 0.8), "c0": rng.uniform(-3.0, -2.0), "x1": rng.uniform(0.3, 1.5),
                      "x2": rng.uniform(-1.5, -0.3), "y1": rng.normal(), "y2": rng.normal()}


def forward(point):
    v = {name: Value(number) for name, number in point.items() if name[0] in "wubhc"}
    h, c, loss = v["h0"], v["c0"], 0.0
    for k in (1, 2):
        z = {gate: v["w" + gate] * point[f"x{k}"] + v["u" + gate] * h + v["b" + gate] for gate in GATES}
        i, f, o, g = ag.sigmoid(z["i"]), ag.sigmoid(z["f"]), ag.sigmoid(z["o"]), ag.tanh(z["g"])
        c = f * c + i * g
        h = o * ag.tanh(c)
        loss = loss + 0.5 * (h - point[f"y{k}"]) ** 2
        ag.label({f"z{gate}{k}": z[gate] for gate in GATES}
                 | {f"i{k}": i, f"f{k}": f, f"o{k}": o, f"g{k}": g, f"c{k}": c, f"h{k}": h})
    ag.label(v, loss=loss)
    return loss


def hand(point, write):
    w = {name: number for name, number in point.items() if name[0] in "wub"}
    x1, x2 = point["x1"], point["x2"]

    def step(x, h, c):
        i, f, o = (sigmoid(w["w" + k] * x + w["u" + k] * h + w["b" + k]) for k in "ifo")
        g = math.tanh(w["wg"] * x + w["ug"] * h + w["bg"])
        return i, f, o, g, f * c + i * g

    h0, c0 = point["h0"], point["c0"]
    i1, f1, o1, g1, c1 = step(x1, h0, c0)
    h1 = o1 * math.tanh(c1)
    i2, f2, o2, g2, c2 = step(x2, h1, c1)
    tc1, tc2 = math.tanh(c1), math.tanh(c2)
    h2 = o2 * tc2

    # the second step
    dh2 = write("h2", h2 - point["y2"], sign=lambda: point["y2"] - h2)
    do2 = write("o2", dh2 * tc2, substitution=lambda: dh2 * c2)
    dc2 = write("c2", dh2 * o2 * (1 - tc2 ** 2), missing_factor=lambda: dh2 * o2,
                substitution=lambda: dh2 * o2 * (1 - c2 ** 2), missing_factor_2=lambda: dh2 * (1 - tc2 ** 2))
    df2 = write("f2", dc2 * c1, substitution=lambda: dc2 * c2)
    di2 = write("i2", dc2 * g2)
    dg2 = write("g2", dc2 * i2, substitution=lambda: dc2 * g2)
    dzo2 = write("zo2", do2 * o2 * (1 - o2))
    dzf2 = write("zf2", df2 * f2 * (1 - f2), substitution=lambda: df2 * (1 - f2 ** 2))
    dzi2 = write("zi2", di2 * i2 * (1 - i2), missing_factor=lambda: di2)
    dzg2 = write("zg2", dg2 * (1 - g2 ** 2), substitution=lambda: dg2 * g2 * (1 - g2))

    # the first, to which the second leads back by h1 and by c1
    back = dzi2 * w["ui"] + dzf2 * w["uf"] + dzo2 * w["uo"] + dzg2 * w["ug"]
    dh1 = write("h1", h1 - point["y1"] + back, missing_path=lambda: back,
                missing_path_2=lambda: h1 - point["y1"],
                missing_path_3=lambda: h1 - point["y1"] + back - dzo2 * w["uo"],
                substitution=lambda: (h1 - point["y1"] + dzi2 * w["wi"] + dzf2 * w["wf"] + dzo2 * w["wo"]
                                      + dzg2 * w["wg"]))
    do1 = write("o1", dh1 * tc1)
    dc1 = write("c1", dh1 * o1 * (1 - tc1 ** 2) + dc2 * f2, missing_path=lambda: dh1 * o1 * (1 - tc1 ** 2),
                missing_factor=lambda: dh1 * o1 * (1 - tc1 ** 2) + dc2, missing_path_2=lambda: dc2 * f2,
                substitution=lambda: dh1 * o1 * (1 - tc1 ** 2) + dc2 * f1)
    df1 = write("f1", dc1 * c0, zero=lambda: 0.0)
    di1 = write("i1", dc1 * g1)
    dg1 = write("g1", dc1 * i1)
    dzo1 = write("zo1", do1 * o1 * (1 - o1))
    dzf1 = write("zf1", df1 * f1 * (1 - f1))
    dzi1 = write("zi1", di1 * i1 * (1 - i1), sign=lambda: di1 * i1 * (1 + i1))
    dzg1 = write("zg1", dg1 * (1 - g1 ** 2))
    write("h0", dzi1 * w["ui"] + dzf1 * w["uf"] + dzo1 * w["uo"] + dzg1 * w["ug"])
    write("c0", dc1 * f1, missing_factor=lambda: dc1)

    # what both steps share
    write("wi", dzi1 * x1 + dzi2 * x2, missing_term=lambda: dzi2 * x2)
    write("wf", dzf1 * x1 + dzf2 * x2, substitution=lambda: dzf1 * x2 + dzf2 * x1)
    write("wo", dzo1 * x1 + dzo2 * x2)
    write("wg", dzg1 * x1 + dzg2 * x2)
    write("ui", dzi1 * h0 + dzi2 * h1, shift=lambda: dzi1 * h1 + dzi2 * h2)
    write("uf", dzf1 * h0 + dzf2 * h1, missing_term=lambda: dzf2 * h1)
    write("uo", dzo1 * h0 + dzo2 * h1)
    write("ug", dzg1 * h0 + dzg2 * h1)
    write("bi", dzi1 + dzi2)
    write("bf", dzf1 + dzf2)
    write("bo", dzo1 + dzo2, factor=lambda: (dzo1 + dzo2) / 2)
    write("bg", dzg1 + dzg2)
    return write.claims
