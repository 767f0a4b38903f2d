"""The document's network written out by hand, its published derivation, and what is wrong with it.

    python demos/document.py [--output DIR]

Writes document-demo.png, the graph with every gradient. (`autograd-lite document` does more.)
"""
import argparse
from pathlib import Path

import autograd_lite as ag
from autograd_lite import Value

parser = argparse.ArgumentParser(description="The document's network, and what is wrong with it.")
parser.add_argument("--output", type=Path, default=Path("."), help="where to write the picture")
output = parser.parse_args().output
output.mkdir(parents=True, exist_ok=True)

# The forward pass, as ordinary arithmetic.
i1, i2, t1, t2 = 0.05, 0.10, 0.01, 0.99
w1, w2, w3, w4, w5, w6, w7, w8 = map(Value, (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55))
b1, b2 = Value(0.35), Value(0.60)
outh1 = ag.sigmoid(i1 * w1 + i2 * w2 + b1)
outh2 = ag.sigmoid(i1 * w3 + i2 * w4 + b1)
neto1 = outh1 * w5 + outh2 * w6 + b2
neto2 = outh1 * w7 + outh2 * w8 + b2
outo1, outo2 = ag.sigmoid(neto1), ag.sigmoid(neto2)
E = 0.5 * (t1 - outo1) ** 2 + 0.5 * (t2 - outo2) ** 2

ag.label(w1=w1, w2=w2, w3=w3, w4=w4, w5=w5, w6=w6, w7=w7, w8=w8, b1=b1, b2=b2,
         outh1=outh1, outh2=outh2, neto1=neto1, neto2=neto2, outo1=outo1, outo2=outo2, E=E)
E.backward()
print(f"E = {E:.12f}, ∂E/∂w1 = {w1.grad:.12f}")

# The published derivation of ∂E/∂w1, factor by factor: each is a claim about two nodes.
h1, o1, o2 = outh1.data, outo1.data, outo2.data
claims = {
    ("E", "outo1"): -(t1 - o1), ("outo1", "neto1"): o1 * (1 - o1), ("neto1", "outh1"): w5.data,
    ("E", "outo2"): -(t2 - o2), ("outo2", "neto2"): o2 * (1 - o2), ("neto2", "outh1"): w5.data,
}
claims["E", "outh1"] = (claims["E", "outo1"] * claims["outo1", "neto1"] * claims["neto1", "outh1"]
                        + claims["E", "outo2"] * claims["outo2", "neto2"] * claims["neto2", "outh1"])
claims["E", "w1"] = claims["E", "outh1"] * h1 * (1 - h1) * i1
print(ag.audit(E, claims))

path = ag.render(E, output / "document-demo.png")
print(f"wrote {path}")
