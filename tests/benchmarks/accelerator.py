"""Functions compiled for torch and JAX, on a graphics processor: are they right there, and how fast?

    python tests/benchmarks/accelerator.py

It needs torch with CUDA, or JAX with it; what is missing is left out. A residual of bundle adjustment and its
15 derivatives at many points in double precision, against NumPy's arrays on the processor.
"""
from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import autograd_lite as ag                                      # noqa: E402
from autograd_lite import compile, value_and_grad               # noqa: E402

POINTS = 1_000_000


def residual(camera, point, weight):
    """A weighted distance between a point as a camera sees it and where it was seen (after ADBench)."""
    square = camera[0] * camera[0] + camera[1] * camera[1] + camera[2] * camera[2]
    angle = ag.sqrt(square)
    c, s = ag.cos(angle), ag.sin(angle)
    w = [x / angle for x in camera[:3]]
    dot = w[0] * point[0] + w[1] * point[1] + w[2] * point[2]
    cross = [w[1] * point[2] - w[2] * point[1], w[2] * point[0] - w[0] * point[2],
             w[0] * point[1] - w[1] * point[0]]
    x, y, z = [p * c + r * s + a * dot * (1.0 - c) + t
               for p, r, a, t in zip(point, cross, w, camera[3:6])]
    u, v = x / z, y / z
    r2 = u * u + v * v
    scale = camera[6] * (1.0 + camera[7] * r2 + camera[8] * r2 * r2)
    return weight * (ag.sigmoid(u * scale) + ag.tanh(v * scale))


def inputs(n):
    """Cameras, points and weights, an array of n for each of their numbers."""
    random = np.random.default_rng(7)
    return ([random.uniform(0.1, 1.0, n) for _ in range(9)], [random.uniform(0.5, 2.0, n) for _ in range(3)],
            random.uniform(0.5, 1.0, n))


g = value_and_grad(residual, argnums=(0, 1, 2))


def flat(result):
    value, (camera, point, weight) = result
    return [value, *camera, *point, weight]


def least(run, wait):
    times = []
    for _ in range(7):
        start = time.perf_counter()
        run()
        wait()
        times.append(time.perf_counter() - start)
    return min(times)


def report(name, found, seconds, base):
    worst = max(float(np.max(np.abs(a - b)) / np.max(np.abs(b))) for a, b in zip(found, base))
    print(f"{name:<34}{seconds * 1e3:>10.2f} ms{seconds / POINTS * 1e9:>9.2f} ns a point, off by {worst:.1e}")


def main():
    given = inputs(POINTS)
    eager = [flat(g([x[i] for x in given[0]], [x[i] for x in given[1]], given[2][i])) for i in range(20)]
    fast = compile(g, target=np)
    base = flat(fast(*given))
    assert np.allclose(np.array(base)[:, :20].T, eager, rtol=1e-13)
    report("NumPy, one thread", base, least(lambda: fast(*given), lambda: None), base)
    try:
        import torch
    except ImportError:
        print("torch is not installed")
    else:
        for device in ["cuda"] * torch.cuda.is_available():
            def sent(tree):
                return [sent(x) for x in tree] if isinstance(tree, (list, tuple)) else torch.tensor(
                    tree, dtype=torch.float64, device=device)

            here, on_torch = sent(given), compile(g, target=torch)
            found = flat(on_torch(*here))
            assert all(x.device.type == device for x in found)
            report(f"torch on {torch.cuda.get_device_name()}", [x.cpu().numpy() for x in found],
                   least(lambda: on_torch(*here), torch.cuda.synchronize), base)
    try:
        import jax
    except ImportError:
        print("JAX is not installed")
    else:
        jax.config.update("jax_enable_x64", True)
        import jax.numpy as jnp

        where = jax.devices()[0]
        here = jax.tree.map(lambda x: jax.device_put(x, where), given)
        for name, on_jax in (("jit", jax.jit(compile(g, target=jnp))),
                             ("jit of vmap", jax.jit(jax.vmap(compile(g, target=jnp))))):
            found = flat(on_jax(*here))
            report(f"JAX {name} on {where.device_kind}", [np.asarray(x) for x in found],
                   least(lambda: jax.block_until_ready(on_jax(*here)), lambda: None), base)


if __name__ == "__main__":
    main()
