"""A damped pendulum integrated over thirty steps, and its adjoint recursion as one array."""
import numpy as np

import autograd_lite as ag
from autograd_lite import Value

STEPS, DT = 30, 0.1


def trajectory(s, k, c, sin):
    states = [s]
    for _ in range(STEPS):
        angle, speed = states[-1]
        states.append((angle + DT * speed, speed - DT * (k * sin(angle) + c * speed)))
    return states


def point(rng):
    return {"start": (rng.uniform(0.8, 1.6), rng.uniform(-0.5, 0.5)), "k": rng.uniform(1.0, 3.0),
            "c": rng.uniform(0.1, 0.4), "goal": rng.normal()}


def forward(point):
    k, c = Value(point["k"]), Value(point["c"])
    s = np.array(trajectory(tuple(map(Value, point["start"])), k, c, ag.sin))       # row by row: angle, speed
    running = DT * (s[:-1, 0] ** 2).sum()
    L = (s[-1, 0] - point["goal"]) ** 2 + running
    ag.label(s=s, k=k, c=c, running=running, L=L)
    return L


def hand(point, write):
    k, c = point["k"], point["c"]
    s = np.array(trajectory(point["start"], k, c, np.sin))
    angle, speed = s.T
    goal = np.array([2 * (angle[-1] - point["goal"]), 0.0])

    def step(i, by=np.cos, sign=1, damping=c, length=DT):
        return np.array([[1, length], [-sign * length * k * by(angle[i]), 1 - length * damping]])

    def adjoint(step, last=goal, cost=2 * DT, transposed=True):
        a = [last]
        for i in reversed(range(STEPS)):
            J = step(i)
            a.insert(0, (J.T if transposed else J) @ a[0] + np.array([cost * angle[i], 0]))
        return np.array(a)

    a = write("s", adjoint(step), transposition=lambda: adjoint(step, transposed=False),
              sign=lambda: adjoint(lambda i: step(i, sign=-1)), missing_path=lambda: adjoint(step, cost=0),
              substitution=lambda: adjoint(lambda i: step(i, by=np.sin)),
              shift=lambda: adjoint(lambda i: step(i + 1)),
              missing_term=lambda: adjoint(lambda i: step(i, damping=0)),
              factor=lambda: adjoint(step, last=goal / 2),
              missing_factor=lambda: adjoint(step, cost=2))
    write("k", -DT * np.sum(a[1:, 1] * np.sin(angle[:-1])),
          sign=lambda: DT * np.sum(a[1:, 1] * np.sin(angle[:-1])),
          shift=lambda: -DT * np.sum(a[:-1, 1] * np.sin(angle[:-1])),
          missing_factor=lambda: -np.sum(a[1:, 1] * np.sin(angle[:-1])),
          substitution=lambda: -DT * np.sum(a[1:, 1] * angle[:-1]))
    write("c", -DT * a[1:, 1] @ speed[:-1], shift=lambda: -DT * a[1:, 1] @ speed[1:],
          substitution=lambda: -DT * a[1:, 0] @ speed[:-1])
    return write.claims
