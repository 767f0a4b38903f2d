"""What derivatives of high order and sparse Hessians cost.

    python tests/benchmarks/orders.py [--variables 10000]
"""
from __future__ import annotations

import argparse
import gc
import math
import random
import time
from collections.abc import Callable
from typing import Any

import mpmath

import autograd_lite as ag

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp(sin x · tanh x)/(1+x²) + log(2+cos x)":
        lambda x: ag.exp(ag.sin(x) * ag.tanh(x)) / (1 + x * x) + ag.log(2 + ag.cos(x)),
    "lgamma(1.5+sin x) + (1.5+x)^1.7 + gelu x":
        lambda x: ag.lgamma(1.5 + ag.sin(x)) + (1.5 + x) ** 1.7 + ag.gelu(x),
    "logsumexp(x, x², sin x, 1, eˣ)": lambda x: ag.logsumexp([x, x * x, ag.sin(x), 1.0, ag.exp(x)]),
    "x^x": lambda x: x ** x,
}
ORDERS = (1, 5, 10, 20, 40, 80)
HESSIANS: dict[str, Callable[[list[Any]], Any]] = {
    "arrow": lambda x: ag.exp(x[0]) + ag.sum([x[0] * v * v + v ** 3 for v in x[1:]]),
    "tridiagonal": lambda x: ag.sum([100 * (b - a ** 2) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:])]),
    "pentadiagonal": lambda x: ag.sum([ag.sin(a * b * c) for a, b, c in zip(x, x[1:], x[2:])]),
}


def seconds(run: Callable[[], Any], repeats: int = 3) -> float:
    """The least time of a few runs."""
    best = math.inf
    for _ in range(repeats):
        gc.collect()
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variables", type=int, default=10_000)
    n = parser.parse_args().variables
    print(f"{'derivative(f, order) in ms, order':44}" + "".join(f"{order:>9}" for order in ORDERS)
          + "   exponent")
    for name, f in FUNCTIONS.items():
        with ag.errstate("ignore"):             # at order 80 the digits of some cancel
            times = [seconds(lambda: ag.derivative(f, order)(0.3)) for order in ORDERS]
        exponent = math.log(times[-1] / times[2]) / math.log(ORDERS[-1] / ORDERS[2])
        print(f"{name:44}" + "".join(f"{1e3 * t:9.2f}" for t in times) + f"{exponent:11.1f}")
    with mpmath.workdps(30):
        true = mpmath.taylor(lambda x: mpmath.exp(mpmath.sin(x) * mpmath.tanh(x)) / (1 + x * x)
                             + mpmath.log(2 + mpmath.cos(x)), mpmath.mpf(0.3), 20)
    ours = ag.taylor(next(iter(FUNCTIONS.values())), 0.3, 20)
    print(f"the first at order 20 against mpmath: relative error {float(abs(ours[20] / true[20] - 1)):.1e}")
    point = [random.Random(1).uniform(-1, 1) for _ in range(n)]
    print(f"\n{f'Hessian of {n} variables':44}{'colours':>9}{'entries':>9}{'seconds':>9}")
    for name, f in HESSIANS.items():
        matrix = ag.hessian(f, sparse=True)(point)
        colours = max(ag.colours(matrix, symmetric=True)) + 1
        time_taken = seconds(lambda: ag.hessian(f, sparse=True)(point), 2)
        print(f"{name:44}{colours:9}{matrix.nnz:9}{time_taken:9.2f}")


if __name__ == "__main__":
    main()
