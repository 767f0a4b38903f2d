"""Lorenz's system over 10,000 steps, with the derivatives of the last state by the first; and a fit."""
from __future__ import annotations

from typing import Any

import numpy as np
from sides import Row, Side, in_c, jax_in_doubles, native, package, pointer

import autograd_lite as ag

SIGMA, RHO, BETA, DT, STEPS = 10.0, 28.0, 8.0 / 3.0, 0.001, 10_000
START = (1.0, 2.0, 20.0)


def slope(s: Any) -> list[Any]:
    x, y, z = s
    return [SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z]


def step(s: Any) -> list[Any]:
    """A step of Runge and Kutta's fourth-order method."""
    def ahead(k: Any, dt: float) -> list[Any]:
        return [a + dt * b for a, b in zip(s, k)]
    k1 = slope(s)
    k2 = slope(ahead(k1, 0.5 * DT))
    k3 = slope(ahead(k2, 0.5 * DT))
    k4 = slope(ahead(k3, DT))
    return [x + DT / 6.0 * (a + 2.0 * (b + c) + d) for x, a, b, c, d in zip(s, k1, k2, k3, k4)]


def step_with_derivatives(state: Any) -> Any:
    """The state, and its derivatives by the first state as a matrix."""
    s, matrix = state
    rows = ag.jacobian(step)(s)
    return step(s), [[sum([a * column for a, column in zip(row, columns)], 0.0) for columns in zip(*matrix)]
                     for row in rows]


def first_with_derivatives() -> Any:
    return list(START), [[float(i == j) for j in range(3)] for i in range(3)]


def trajectory(n: int = STEPS) -> Side:
    fast = native(step)
    return Side(lambda: fast.iterate(list(START), n))


def sensitivity(n: int = STEPS) -> Side:
    fast = native(step_with_derivatives)
    return Side(lambda: fast.iterate(first_with_derivatives(), n))


IN_C = """
static void slope(const double *s, double *k)
{
    k[0] = 10.0 * (s[1] - s[0]);
    k[1] = s[0] * (28.0 - s[2]) - s[1];
    k[2] = s[0] * s[1] - 8.0 / 3.0 * s[2];
}

void trajectory(double *s, int n)
{
    const double dt = 0.001;
    for (int i = 0; i < n; i++) {
        double k1[3], k2[3], k3[3], k4[3], at[3];
        slope(s, k1);
        for (int j = 0; j < 3; j++) at[j] = s[j] + 0.5 * dt * k1[j];
        slope(at, k2);
        for (int j = 0; j < 3; j++) at[j] = s[j] + 0.5 * dt * k2[j];
        slope(at, k3);
        for (int j = 0; j < 3; j++) at[j] = s[j] + dt * k3[j];
        slope(at, k4);
        for (int j = 0; j < 3; j++) s[j] += dt / 6.0 * (k1[j] + 2.0 * (k2[j] + k3[j]) + k4[j]);
    }
}
"""


def trajectory_in_c(n: int = STEPS) -> Side:
    library, s = in_c(IN_C), np.array(START)

    def run() -> Any:
        s[:] = START
        library.trajectory(pointer(s), n)
        return s
    return Side(run)


def sensitivity_jax(n: int = STEPS) -> Side:
    """The state and the matrix of its derivatives, in a loop of XLA's."""
    jax = jax_in_doubles()
    jnp = jax.numpy

    def one(_: Any, state: Any) -> Any:
        s, matrix = state
        after, push = jax.linearize(lambda s: jnp.stack(step(s)), s)
        return after, jax.vmap(push, in_axes=1, out_axes=1)(matrix)
    f = jax.jit(lambda s, matrix: jax.lax.fori_loop(0, n, one, (s, matrix)))
    first = jnp.array(START), jnp.eye(3)
    return Side(lambda: jax.block_until_ready(f(*first)))


# -- a fit: two Gaussian peaks on a slope, 8 parameters, 250 points --------------------------------------

TRUTH = (2.0, -1.0, 0.5, 1.2, 0.8, 0.7, 0.1, 0.5)
GUESS = (1.5, -1.2, 0.7, 1.0, 1.1, 0.5, 0.0, 0.3)


def misfit(p: Any, x: Any, y: Any, exp: Any = ag.exp) -> Any:
    """By how much the curve misses a point."""
    curve = p[6] * x + p[7]
    for height, centre, width in (p[0:3], p[3:6]):
        curve = curve + height * exp(-((x - centre) / width) ** 2)
    return curve - y


def measured() -> tuple[Any, Any]:
    x = np.linspace(-4.0, 4.0, 250)
    return x, misfit(TRUTH, x, 0.0, np.exp) + np.random.default_rng(10).normal(0.0, 0.05, len(x))


def fit(jacobian: Any) -> Side:
    least_squares = package("scipy.optimize").least_squares
    x, y = measured()

    def run() -> Any:
        return least_squares(lambda p: misfit(p, x, y, np.exp), GUESS, jacobian,
                             xtol=1e-12, ftol=1e-12, gtol=1e-12).x
    return Side(run)


def fit_compiled() -> Side:
    x, y = measured()
    fast = native(ag.grad(misfit), batch=("x", "y"))
    return fit(lambda p: fast(p, x, y).T)


def fit_eager() -> Side:
    x, y = [array.tolist() for array in measured()]
    slow = ag.grad(misfit)
    return fit(lambda p: [slow(list(p), a, b) for a, b in zip(x, y)])


ROWS = {
    "lorenz": Row("Lorenz, 10,000 steps", trajectory, "C, -O3", trajectory_in_c, within=1e-6),
    "lorenz-slopes": Row("Lorenz and its sensitivity", sensitivity, "JAX, fori_loop", sensitivity_jax,
                         within=1e-6),
    "fit-differences": Row("least_squares, 250 points", fit_compiled, "2-point",
                           lambda: fit("2-point"), within=1e-5),
    "fit-eager": Row("least_squares, 250 points", fit_compiled, "our eager grad", fit_eager, within=1e-9),
}
