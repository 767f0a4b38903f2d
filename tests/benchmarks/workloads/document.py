"""The document's network of eight weights: its training of 10,000 steps, and one gradient."""
from __future__ import annotations

import math
from typing import Any

import numpy as np
from sides import Row, Side, bound, buffered, in_c, native, package, pointer

import autograd_lite as ag

I1, I2, T1, T2, B1, B2, RATE, STEPS = 0.05, 0.10, 0.01, 0.99, 0.35, 0.60, 0.5, 10_000
START = (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55)


def outputs(w: Any, sigmoid: Any = ag.sigmoid, published: bool = False) -> tuple[Any, Any]:
    """Of the network that the document describes, or of the one that its script computes."""
    h1 = sigmoid(I1 * w[0] + I2 * w[1] + B1)
    h2 = sigmoid(I1 * w[2] + I2 * w[3] + B1)
    return sigmoid(h1 * w[4] + h2 * w[5] + B2), sigmoid((h2 if published else h1) * w[6] + h2 * w[7] + B2)


def error(w: Any, sigmoid: Any = ag.sigmoid) -> Any:
    """E, half the sum of the squared errors."""
    o1, o2 = outputs(w, sigmoid)
    return 0.5 * (T1 - o1) ** 2 + 0.5 * (T2 - o2) ** 2


def step(w: Any) -> list[Any]:
    """The weights after a step of gradient descent."""
    return [x - RATE * slope for x, slope in zip(w, ag.grad(error)(w))]


def published(n: int, exp: Any = np.exp) -> list[float]:
    """The weights after n steps of the document's loop, retold, with its mistakes and without its prints.

    It takes NumPy's `exp`, works each factor of the output layer out twice, takes outh2·w7 into neto2, and w5
    for ∂neto2/∂outh1.
    """
    def sigmoid(x: float) -> float:
        return 1 / (1 + exp(-x))  # type: ignore[no-any-return]

    def slope(y: float) -> float:
        return y * (1 - y)

    w = list(START)
    for _ in range(n):
        outh1 = sigmoid(I1 * w[0] + I2 * w[1] + B1)
        outh2 = sigmoid(I1 * w[2] + I2 * w[3] + B1)
        outo1 = sigmoid(outh1 * w[4] + outh2 * w[5] + B2)
        outo2 = sigmoid(outh2 * w[6] + outh2 * w[7] + B2)
        of_outo1 = -(T1 - outo1)
        of_neto1 = slope(outo1)
        of_w5 = of_outo1 * of_neto1 * outh1
        of_w6 = of_outo1 * of_neto1 * outh2
        of_outo2 = -(T2 - outo2)
        of_neto2 = slope(outo2)
        of_w7 = of_outo2 * of_neto2 * outh1
        of_w8 = of_outo2 * of_neto2 * outh2
        of_outo1, of_outo2 = -(T1 - outo1), -(T2 - outo2)
        of_neto1, of_neto2 = slope(outo1), slope(outo2)
        of_outh1 = of_outo1 * of_neto1 * w[4] + of_outo2 * of_neto2 * w[4]
        of_neth1 = slope(outh1)
        of_w1 = of_outh1 * of_neth1 * I1
        of_w2 = of_outh1 * of_neth1 * I2
        of_neth2 = slope(outh2)
        of_outh2 = of_outo1 * of_neto1 * w[5] + of_outo2 * of_neto2 * w[7]
        of_w3 = of_outh2 * of_neth2 * I1
        of_w4 = of_outh2 * of_neth2 * I2
        w[0] = w[0] - RATE * of_w1
        w[1] = w[1] - RATE * of_w2
        w[2] = w[2] - RATE * of_w3
        w[3] = w[3] - RATE * of_w4
        w[4] = w[4] - RATE * of_w5
        w[5] = w[5] - RATE * of_w6
        w[6] = w[6] - RATE * of_w7
        w[7] = w[7] - RATE * of_w8
    return w


IN_C = """
#include <math.h>

static double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }

/* n steps of gradient descent; the weights are moved where they lie. */
void train(double *w, int n)
{
    const double i1 = 0.05, i2 = 0.10, t1 = 0.01, t2 = 0.99, b1 = 0.35, b2 = 0.60, rate = 0.5;
    double w1 = w[0], w2 = w[1], w3 = w[2], w4 = w[3], w5 = w[4], w6 = w[5], w7 = w[6], w8 = w[7];
    for (int k = 0; k < n; k++) {
        double h1 = sigmoid(i1 * w1 + i2 * w2 + b1), h2 = sigmoid(i1 * w3 + i2 * w4 + b1);
        double o1 = sigmoid(h1 * w5 + h2 * w6 + b2), o2 = sigmoid(h1 * w7 + h2 * w8 + b2);
        double d1 = (o1 - t1) * o1 * (1.0 - o1), d2 = (o2 - t2) * o2 * (1.0 - o2);
        double g1 = (d1 * w5 + d2 * w7) * h1 * (1.0 - h1), g2 = (d1 * w6 + d2 * w8) * h2 * (1.0 - h2);
        w1 -= rate * g1 * i1; w2 -= rate * g1 * i2; w3 -= rate * g2 * i1; w4 -= rate * g2 * i2;
        w5 -= rate * d1 * h1; w6 -= rate * d1 * h2; w7 -= rate * d2 * h1; w8 -= rate * d2 * h2;
    }
    double after[] = {w1, w2, w3, w4, w5, w6, w7, w8};
    for (int k = 0; k < 8; k++) w[k] = after[k];
}
"""


def iterated(n: int = STEPS) -> Side:
    """Ours: the steps in native code."""
    fast = native(step)
    fast(list(START))
    return Side(lambda: fast.iterate(list(START), n), outputs)


def trained_in_c(n: int = STEPS) -> Side:
    library, w = in_c(IN_C), np.array(START)

    def run() -> Any:
        w[:] = START
        library.train(pointer(w), n)
        return w
    return Side(run, outputs)


def by_the_loop(exp: Any = np.exp) -> Side:
    """The published loop, which has mistakes: it comes near the same outputs, of another network."""
    return Side(lambda: published(STEPS, exp), lambda w: outputs(w, published=True))


def gradient() -> Side:
    """Ours: one native call."""
    return Side(bound(native(ag.grad(error)), np.array(START)))


def with_a_list() -> Side:
    fast, w = native(ag.grad(error)), list(START)
    for factor in (1.0, 0.99, 0.98):                            # (called with other numbers, as it will be)
        fast([factor * x for x in w])
    return Side(lambda: fast(w))


def eager() -> Side:
    slow, w = ag.grad(error), list(START)
    return Side(lambda: slow(w))


def casadi() -> Side:
    ca = package("casadi")
    w = ca.SX.sym("w", 8)
    e = error([w[i] for i in range(8)], lambda x: 1 / (1 + ca.exp(-x)))
    return buffered(ca.Function("g", [w], [ca.gradient(e, w)]), np.array(START), [8])


def ddx_ad() -> Side:
    ddx = package("ddx")
    f = ddx.equation(lambda: error([ddx.var(f"w{i}") for i in range(8)], lambda x: 1 / (1 + ddx.exp(-x))))
    call = f.compile(points=1).buffer(np.array(START), want=ddx.Want.GRADIENT)
    return Side(call, lambda _: call.jacobian)


ROWS = {
    "document-loop": Row("document, 10,000 steps", iterated, "published loop", by_the_loop,
                         60.0, within=1e-3),
    "document-math": Row("document, 10,000 steps", iterated, "it with math.exp",
                         lambda: by_the_loop(math.exp), within=1e-3),
    "document-c": Row("document, 10,000 steps", iterated, "C, -O3", trained_in_c, 1 / 1.3),
    "gradient-casadi": Row("its gradient, bound", gradient, "CasADi, buffered", casadi, 1.0),
    "gradient-ddx": Row("its gradient, bound", gradient, "ddx-ad, buffered", ddx_ad, 1.0),
    "gradient-eager": Row("its gradient, of a list", with_a_list, "our eager grad", eager, 40.0),
}
