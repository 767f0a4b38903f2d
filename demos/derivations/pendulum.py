"""A damped pendulum integrated over twelve steps, and the recursion backward in time through them.

The pull of gravity is k·sin(angle), and its derivative is k·cos(angle). Here it is k, as for small swings,
while the forward pass keeps the sine.
The library says:

    4 of 5 claims differ from the graph, by 1 cause:
      ∂L/∂angle: 11 of 12 entries, at [0] claimed 0.441768, should follow as
          0.619649, is 1.7782
          spoils ∂L/∂speed, ∂L/∂k, ∂L/∂c
          the factor cos(angle) is missing in the path via speed, at each of 4
              points
"""
import numpy as np

import autograd_lite as ag

STEPS, DT = 12, 0.1
numbers = np.random.default_rng(8)
points = [{"angle": numbers.uniform(0.8, 1.6), "speed": numbers.uniform(-0.5, 0.5),
           "k": numbers.uniform(1.0, 3.0), "c": numbers.uniform(0.1, 0.4), "goal": numbers.normal()}
          for _ in range(4)]


def integrated(angle, speed, k, c, sin):
    angles, speeds = [angle], [speed]
    for _ in range(STEPS):
        angle, speed = angle + DT * speed, speed - DT * (k * sin(angle) + c * speed)
        angles.append(angle)
        speeds.append(speed)
    return np.array(angles), np.array(speeds)


def forward(point):
    k, c = ag.Value(point["k"]), ag.Value(point["c"])
    angle, speed = integrated(ag.Value(point["angle"]), ag.Value(point["speed"]), k, c, ag.sin)
    L = 0.5 * (angle[-1] - point["goal"]) ** 2
    ag.label(angle=angle[:-1], speed=speed[:-1], end=angle[-1], k=k, c=c, L=L)
    return L


def hand(point, wrong=True):
    k, c = point["k"], point["c"]
    angle, speed = integrated(point["angle"], point["speed"], k, c, np.sin)
    slope = np.ones(STEPS) if wrong else np.cos(angle)

    dangle, dspeed = np.zeros(STEPS + 1), np.zeros(STEPS + 1)
    dangle[-1] = angle[-1] - point["goal"]
    for n in reversed(range(STEPS)):
        dangle[n] = dangle[n + 1] - DT * k * slope[n] * dspeed[n + 1]
        dspeed[n] = dspeed[n + 1] * (1 - DT * c) + DT * dangle[n + 1]
    dk = -DT * (dspeed[1:] * np.sin(angle[:-1])).sum()
    dc = -DT * (dspeed[1:] * speed[:-1]).sum()
    return {"end": dangle[-1], "angle": dangle[:-1], "speed": dspeed[:-1], "k": dk, "c": dc}


if __name__ == "__main__":
    report = ag.diagnose(forward, hand, points)
    print(report.summary(), ag.derive(report.causes[0]), sep="\n\n")
