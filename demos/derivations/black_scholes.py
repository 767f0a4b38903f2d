"""The Greeks of a European call option, by way of d1 and d2.

As d2 = d1 − σ√T, the volatility acts on d2 by d1 and by the spread σ√T. Here the second is forgotten:
∂d2/∂σ is copied from d1, and vega is wrong.
The library says:

    2 of 6 claims differ from the graph, by 1 cause:
      ∂d2/∂sigma: claimed -0.618386539154, is -2.02547999174
          spoils ∂C/∂sigma
          only the path via d1 is there, at each of 4 points
"""
import math

import numpy as np

import autograd_lite as ag

NAMES = ("S", "K", "r", "sigma", "T")
numbers = np.random.default_rng(6)
points = [dict(zip(NAMES, numbers.uniform([90, 90, 0.01, 0.15, 0.4], [110, 110, 0.08, 0.4, 2.0]).tolist()))
          for _ in range(4)]


def density(x):
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def probability(x):
    return math.erfc(-x / math.sqrt(2)) / 2


def forward(point):
    S, K, r, sigma, T = (ag.Value(point[name]) for name in NAMES)
    spread = sigma * ag.sqrt(T)
    d1 = (ag.log(S / K) + (r + sigma ** 2 / 2) * T) / spread
    d2 = d1 - spread
    discount = ag.exp(-r * T)
    C = S * ag.normal_cdf(d1) - K * discount * ag.normal_cdf(d2)
    ag.label(S=S, K=K, r=r, sigma=sigma, T=T, spread=spread, d1=d1, d2=d2, discount=discount, C=C)
    return C


def hand(point, wrong=True):
    S, K, r, sigma, T = (point[name] for name in NAMES)
    spread = sigma * math.sqrt(T)
    d1 = (math.log(S / K) + (r + sigma ** 2 / 2) * T) / spread
    d2 = d1 - spread
    discount = math.exp(-r * T)

    d1_sigma = math.sqrt(T) - d1 / sigma
    d2_sigma = d1_sigma if wrong else d1_sigma - math.sqrt(T)
    vega = S * density(d1) * d1_sigma - K * discount * density(d2) * d2_sigma
    delta = probability(d1)
    rho = K * T * discount * probability(d2)
    return {("d1", "sigma"): d1_sigma, ("d2", "sigma"): d2_sigma, "sigma": vega, "S": delta, "r": rho,
            "K": -discount * probability(d2)}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
