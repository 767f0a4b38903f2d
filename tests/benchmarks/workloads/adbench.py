"""ADBench's two other objectives: a mixture of Gaussians, and a network of long short-term memory.

Each is a function of numbers, as that benchmark's scalar implementations are, and for JAX one of arrays.
Source: F. Šrajer, Z. Kukelova, A. Fitzgibbon, "A benchmark of selected algorithmic differentiation tools on
some problems in computer vision and machine learning", 2018.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from sides import Row, Side, bound, jax_in_doubles, native, ready

import autograd_lite as ag

# -- the mixture: K Gaussians in D dimensions, N points, a Wishart prior -------------------------------

K, D, N = 5, 3, 100
GAMMA, DEGREES = 1.0, 0


def mixture_data(n: int = N) -> tuple[Any, Any]:
    """The parameters (alphas, means, logs of the diagonals and what lies below them), and the points."""
    rng = np.random.default_rng(8)
    p = {"alphas": rng.normal(size=K), "means": rng.normal(size=(K, D)), "logs": rng.normal(0.0, 0.3, (K, D)),
         "below": rng.normal(0.0, 0.3, (K, D * (D - 1) // 2))}
    return p, rng.normal(size=(n, D))


def prior_constant() -> float:
    n = D + DEGREES + 1
    multigamma = 0.25 * D * (D - 1) * math.log(math.pi) + sum(
        math.lgamma(0.5 * n + 0.5 * (1 - j)) for j in range(1, D + 1))
    return K * (n * D * (math.log(GAMMA) - 0.5 * math.log(2)) - multigamma)


def mixture(p: Any, points: Any) -> Any:
    """The log of the likelihood, of numbers."""
    sums = [ag.sum(logs) for logs in p["logs"]]
    diagonals = [[ag.exp(x) for x in logs] for logs in p["logs"]]
    total: Any = -0.5 * len(points) * D * math.log(2 * math.pi)
    for x in points:
        terms = []
        for alpha, mean, diagonal, below, logs in zip(p["alphas"], p["means"], diagonals, p["below"], sums):
            away = [a - b for a, b in zip(x, mean)]
            whitened = [q * a for q, a in zip(diagonal, away)]
            supply = iter(below)
            for column in range(D):
                for row in range(column + 1, D):
                    whitened[row] = whitened[row] + next(supply) * away[column]
            terms.append(alpha + logs - 0.5 * ag.sum([y * y for y in whitened]))
        total = total + ag.logsumexp(terms)
    total = total - len(points) * ag.logsumexp(p["alphas"])
    squares = [ag.sum([q * q for q in (*diagonal, *below)]) for diagonal, below in zip(diagonals, p["below"])]
    return total + 0.5 * GAMMA ** 2 * ag.sum(squares) - DEGREES * ag.sum(sums) - prior_constant()


def mixture_ours(n: int = N) -> Side:
    p, points = mixture_data(n)
    places = points.tolist()
    return compiled(lambda p: mixture(p, places), p)


def mixture_jax(n: int = N) -> Side:
    jax = jax_in_doubles()
    jnp = jax.numpy
    p, points = mixture_data(n)
    columns, rows = zip(*[(c, r) for c in range(D) for r in range(c + 1, D)])

    def f(p: Any) -> Any:
        sums = p["logs"].sum(axis=1)
        diagonals = jnp.exp(p["logs"])
        factors = jax.vmap(jnp.diag)(diagonals).at[:, np.array(rows), np.array(columns)].set(p["below"])
        away = points[:, None, :] - p["means"]
        whitened = jnp.einsum("kij,nkj->nki", factors, away)
        terms = p["alphas"] + sums - 0.5 * (whitened ** 2).sum(axis=-1)
        total = -0.5 * n * D * math.log(2 * math.pi) + jax.nn.logsumexp(terms, axis=1).sum()
        total = total - n * jax.nn.logsumexp(p["alphas"])
        squares = (diagonals ** 2).sum() + (p["below"] ** 2).sum()
        return total + 0.5 * GAMMA ** 2 * squares - DEGREES * sums.sum() - prior_constant()
    return ready(jax.jit(jax.value_and_grad(f)), {name: jnp.array(x) for name, x in p.items()})


# -- the network: two layers, 14 wide, over a text of 20 letters -----------------------------------------

LAYERS, WIDE, LONG = 2, 14, 20


def lstm_data(n: int = LONG) -> tuple[Any, Any, Any]:
    """The parameters, the first state of each layer (hidden, cell), and the letters as zeros and ones."""
    rng = np.random.default_rng(9)
    p = {"layers": rng.normal(0.0, 0.5, (LAYERS, 2, 4, WIDE)), "ends": rng.normal(0.0, 0.5, (3, WIDE))}
    return p, rng.normal(0.0, 0.5, (LAYERS, 2, WIDE)), np.eye(WIDE)[rng.integers(0, WIDE, n)]


def lstm(p: Any, state: Any, letters: Any) -> Any:
    """Minus the mean of the letters' log-likelihoods, of numbers."""
    states = [(list(hidden), list(cell)) for hidden, cell in state]
    first, last, bias = p["ends"]
    total: Any = 0.0
    for letter, target in zip(letters, letters[1:]):
        x = [a * b for a, b in zip(letter, first)]
        for k, (weights, biases) in enumerate(p["layers"]):
            hidden, cell = states[k]
            gates = [[a * w + b for a, w, b in zip(inputs, ws, bs)]
                     for inputs, ws, bs in zip((x, hidden, x, hidden), weights, biases)]
            forget, take, give = [[ag.sigmoid(v) for v in gate] for gate in gates[:3]]
            change = [ag.tanh(v) for v in gates[3]]
            cell = [c * f + t * d for c, f, t, d in zip(cell, forget, take, change)]
            x = [g * ag.tanh(c) for g, c in zip(give, cell)]
            states[k] = x, cell
        y = [a * b + c for a, b, c in zip(x, last, bias)]
        norm = ag.log(ag.sum([ag.exp(v) for v in y]) + 2.0)
        total = total + ag.sum([t * (v - norm) for t, v in zip(target, y)])
    return -total / ((len(letters) - 1) * WIDE)


def lstm_ours(n: int = LONG) -> Side:
    p, state, letters = lstm_data(n)
    first, text = state.tolist(), letters.tolist()
    return compiled(lambda p: lstm(p, first, text), p)


def lstm_jax(n: int = LONG) -> Side:
    jax = jax_in_doubles()
    jnp = jax.numpy
    p, state, letters = lstm_data(n)

    def f(p: Any) -> Any:
        def step(states: Any, pair: Any) -> Any:
            letter, target = pair
            x, after = letter * p["ends"][0], []
            for k in range(LAYERS):
                hidden, cell = states[k]
                gates = jnp.stack([x, hidden, x, hidden]) * p["layers"][k, 0] + p["layers"][k, 1]
                forget, take, give = jax.nn.sigmoid(gates[:3])
                cell = cell * forget + take * jnp.tanh(gates[3])
                x = give * jnp.tanh(cell)
                after.append(jnp.stack([x, cell]))
            y = x * p["ends"][1] + p["ends"][2]
            return jnp.stack(after), target @ (y - jnp.log(jnp.exp(y).sum() + 2.0))
        return -jax.lax.scan(step, jnp.array(state), (letters[:-1], letters[1:]))[1].sum() / ((n - 1) * WIDE)
    return ready(jax.jit(jax.value_and_grad(f)), {name: jnp.array(x) for name, x in p.items()})


def compiled(f: Callable[[Any], Any], p: Any) -> Side:
    """Ours: the value and the gradient."""
    fast = native(ag.value_and_grad(f))
    return Side(bound(fast, p), lambda result: [result[0], [result[1][name] for name in sorted(p)]])


ROWS = {
    "mixture": Row("ADBench GMM, 100 points", mixture_ours, "JAX, jit", mixture_jax),
    "lstm": Row("ADBench LSTM, 20 letters", lstm_ours, "JAX, jit", lstm_jax),
}
