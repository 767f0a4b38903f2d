"""Hessians of functions of 100 variables, from the function on: the first call, with all that it prepares,
and ten calls at ten points. (Ours traces and compiles when that pays, later; JAX in the first call.)

Rosenbrock's chain, whose Hessian has three diagonals, and the likelihood of a logistic model of 100 weights,
whose Hessian is dense.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sides import Row, Side, jax_in_doubles, native

import autograd_lite as ag

N, SAMPLES = 100, 40
Maker = Callable[[int], Callable[[Any], Any]]                   # the functions of n variables


def chain(n: int = N) -> Callable[[Any], Any]:
    return lambda x: ag.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in zip(x, x[1:])])


def samples(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(6)
    return rng.normal(0.0, 1.0 / n ** 0.5, (SAMPLES, n)), rng.choice([-1.0, 1.0], SAMPLES)


def logistic(n: int = N) -> Callable[[Any], Any]:
    features, sides = (x.tolist() for x in samples(n))

    def f(w: Any) -> Any:
        losses = [ag.softplus(-side * ag.dot(row, w)) for row, side in zip(features, sides)]
        return ag.sum(losses) + 0.5 * ag.dot(w, w)
    return f


def start(n: int) -> Any:
    return np.random.default_rng(7).uniform(-1.0, 1.0, n)


def ours(make: Maker, n: int = N) -> Side:
    x = start(n)
    return Side(lambda: native(ag.hessian(make(n)), at_once=False)(x))


def at_ten(make: Callable[[], Callable[[Any], Any]], x: Any, done: Callable[[Any], Any] = np.array) -> Side:
    """A function made once and called at ten points."""
    def run() -> Any:
        f = make()
        return [done(f((1.0 - 0.01 * k) * x)) for k in range(10)]
    return Side(run)


def ours_ten(make: Maker, n: int = N) -> Side:
    return at_ten(lambda: native(ag.hessian(make(n)), at_once=False), start(n))


def ours_later(make: Maker, n: int = N) -> Side:
    fast, x = native(ag.hessian(make(n))), start(n)
    for factor in (1.0, 0.99, 0.98):
        fast(factor * x)
    return Side(lambda: fast(x))


def jax_chain(n: int) -> Any:
    jnp = jax_in_doubles().numpy
    return lambda x: jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def jax_logistic(n: int) -> Any:
    jax = jax_in_doubles()
    features, sides = map(jax.numpy.array, samples(n))
    return lambda w: jax.nn.softplus(-sides * (features @ w)).sum() + 0.5 * (w @ w)


def jax(make: Maker, n: int = N) -> Side:
    """In vectors, as its users write it."""
    jax = jax_in_doubles()
    x = jax.numpy.array(start(n))
    return Side(lambda: jax.jit(jax.hessian(make(n)))(x).block_until_ready())


def jax_ten(make: Maker, n: int = N) -> Side:
    jax = jax_in_doubles()
    return at_ten(lambda: jax.jit(jax.hessian(make(n))), jax.numpy.array(start(n)), jax.block_until_ready)


def jax_later(make: Maker, n: int = N) -> Side:
    jax = jax_in_doubles()
    x, f = jax.numpy.array(start(n)), jax.jit(jax.hessian(make(n)))
    return Side(lambda: f(x).block_until_ready())


def rows(name: str, mine: Maker, theirs: Maker) -> dict[str, Row]:
    key = name.split()[0]
    return {f"hessian-{key}": Row(f"Hessian of 100, {name}", lambda: ours(mine), "JAX, jit(hessian)",
                                  lambda: jax(theirs), 1.0, once=True),
            f"hessian-{key}-ten": Row("  ten calls, all told", lambda: ours_ten(mine), "JAX, jit(hessian)",
                                      lambda: jax_ten(theirs), once=True),
            f"hessian-{key}-later": Row("  the same, later calls", lambda: ours_later(mine),
                                        "JAX, jit(hessian)", lambda: jax_later(theirs))}


ROWS = {**rows("chain", chain, jax_chain), **rows("logistic", logistic, jax_logistic)}
