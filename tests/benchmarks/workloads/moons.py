"""micrograd's demonstration: the loss and gradient of a 2-16-16-1 network on all of 100 points."""
from __future__ import annotations

from typing import Any

import numpy as np
from programs import PROGRAMS, SIZES, moons_start, points
from sides import Row, Side, bound, jax_in_doubles, native, package, ready
from speed import micrograd as of_micrograd

import autograd_lite as ag

DECAY = 1e-4


def hinge(ps: Any, x: Any, y: Any, side: Any) -> Any:
    """One point's share of the loss: the network neuron by neuron, as programs.py has it."""
    supply = iter(ps)
    v = [x, y]
    for k, (a, b) in enumerate(zip(SIZES, SIZES[1:])):
        v = [sum([next(supply) * c for c in v], 0.0) + next(supply) for _ in range(b)]
        if k < len(SIZES) - 2:
            v = [ag.relu(c) for c in v]
    return ag.relu(1.0 - side * v[0])


def data(n: int = 100) -> tuple[Any, Any, Any]:
    """The points' coordinates and their sides."""
    found, targets = points(n)
    x, y = np.array(found).T.copy()
    return x, y, np.array(targets, float)


def batched(n: int = 100) -> Side:
    """Ours: the mean over a batch, and the decay by NumPy."""
    fast = native(ag.value_and_grad(hinge), batch=("x", "y", "side"), reduce="mean")
    ps, points_ = np.array(moons_start()), data(n)
    run = bound(fast, ps, *points_)

    def whole() -> Any:
        value, slopes = run()
        return value + DECAY * (ps @ ps), slopes + 2.0 * DECAY * ps
    return Side(whole)


def of_scalars() -> Side:
    """Ours: all points in one function of numbers, the program of programs.py."""
    from speed import ALL, meaning
    program = PROGRAMS["moons"]
    m = meaning(program, float, ALL)
    fast = native(ag.value_and_grad(lambda ps: program.loss(ps, m)))
    return Side(bound(fast, np.array(program.start)))


def micrograd() -> Side:
    package("micrograd")
    run = of_micrograd(PROGRAMS["moons"])
    return Side(run, lambda result: result[:2])


def layers(ps: Any, stack: Any) -> list[tuple[Any, Any]]:
    """The weights and biases of each layer, from the order of programs.py."""
    found, at = [], 0
    for a, b in zip(SIZES, SIZES[1:]):
        block = ps[at:at + b * (a + 1)].reshape(b, a + 1)
        at += b * (a + 1)
        found.append((stack(block[:, :a]), stack(block[:, a])))
    return found


def in_order(parts: Any) -> Any:
    """The gradients of the layers, in the order of programs.py."""
    return np.concatenate([np.concatenate([np.asarray(w), np.asarray(b)[:, None]], axis=1).ravel()
                           for w, b in parts])


def network(parameters: Any, x: Any, relu: Any) -> Any:
    """The scores of all points."""
    for w, b in parameters[:-1]:
        x = relu(x @ w.T + b)
    w, b = parameters[-1]
    return (x @ w.T + b)[:, 0]


def torch(n: int = 100) -> Side:
    torch = package("torch")
    parameters = [tuple(p.clone().requires_grad_() for p in pair)
                  for pair in layers(torch.tensor(moons_start(), dtype=torch.float64), lambda x: x)]
    x, y, side = map(torch.tensor, data(n))
    x = torch.stack([x, y], dim=1)
    every = [p for pair in parameters for p in pair]

    def run() -> Any:
        for p in every:
            p.grad = None
        loss = torch.relu(1.0 - side * network(parameters, x, torch.relu)).mean()
        loss = loss + DECAY * sum((p * p).sum() for p in every)
        loss.backward()
        return loss
    return Side(run, lambda loss: [loss.item(), in_order([[p.grad.numpy() for p in pair]
                                                          for pair in parameters])])


def jax(n: int = 100) -> Side:
    jax = jax_in_doubles()
    jnp = jax.numpy
    parameters = layers(jnp.array(moons_start()), lambda x: x)
    x, y, side = map(jnp.array, data(n))
    x = jnp.stack([x, y], axis=1)

    def loss(parameters: Any) -> Any:
        hinges = jax.nn.relu(1.0 - side * network(parameters, x, jax.nn.relu)).mean()
        return hinges + DECAY * sum((p * p).sum() for pair in parameters for p in pair)
    side_ = ready(jax.jit(jax.value_and_grad(loss)), parameters)
    return Side(side_.run, lambda result: [result[0], in_order(result[1])])


ROWS = {
    "moons-micrograd": Row("moons, loss and gradient", of_scalars, "micrograd", micrograd, 10_000.0),
    "moons-torch": Row("moons, loss and gradient", of_scalars, "PyTorch tensors", torch, 1.0),
    "moons-jax": Row("moons, loss and gradient", of_scalars, "JAX, jit", jax, 1.0),
    "moons-batch": Row("  the same, as a batch", batched, "JAX, jit", jax),
}
