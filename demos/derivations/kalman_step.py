"""One step of a Kalman filter in one dimension: how the new estimate depends on what goes in.

The new estimate is guess + K·(z − guess), and its derivative by the guess is 1 − K. Here the surprise's own
minus is forgotten, and it becomes 1 + K.
The library says:

    3 of 12 claims differ from the graph, by 1 cause:
      ∂xnew/∂guess: claimed 1.81775501775, is 0.182244982251
          spoils ∂xnew/∂x, ∂xnew/∂f
          the path via surprise has the wrong sign, at each of 4 points
"""
import numpy as np

import autograd_lite as ag

NAMES = ("x", "p", "f", "q", "r", "z")
numbers = np.random.default_rng(7)
points = [dict(zip(NAMES, numbers.uniform([-1, 0.5, 0.6, 0.1, 0.3, 2], [1, 2, 1.4, 0.6, 1.5, 4]).tolist()))
          for _ in range(4)]


def forward(point):
    x, p, f, q, r, z = (ag.Value(point[name]) for name in NAMES)
    guess = f * x
    P = f * f * p + q
    S = P + r
    K = P / S
    surprise = z - guess
    xnew = guess + K * surprise
    pnew = (1.0 - K) * P
    ag.label(x=x, p=p, f=f, q=q, r=r, z=z, guess=guess, P=P, S=S, K=K, surprise=surprise, xnew=xnew,
             pnew=pnew)
    return xnew, pnew


def hand(point, wrong=True):
    x, p, f, q, r, z = (point[name] for name in NAMES)
    P = f * f * p + q
    S = P + r
    K = P / S
    surprise = z - f * x

    P_f = 2 * f * p
    K_P = r / S ** 2
    xnew_guess = 1 + K if wrong else 1 - K
    xnew_x = xnew_guess * f
    xnew_f = xnew_guess * x + surprise * K_P * P_f
    pnew_P = (1 - K) - P * K_P
    return {("P", "f"): P_f, ("P", "p"): f * f, ("K", "P"): K_P, ("K", "r"): -P / S ** 2,
            ("xnew", "K"): surprise, ("xnew", "guess"): xnew_guess, ("xnew", "x"): xnew_x,
            ("xnew", "f"): xnew_f, ("xnew", "z"): K,
            ("pnew", "P"): pnew_P, ("pnew", "p"): pnew_P * f * f, ("pnew", "q"): pnew_P}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
