"""A small network trained by several processes: each gets the compiled gradient, and shards of the points.

    python demos/parallel/train.py [--workers 2] [--steps 60]

The gradient is compiled once, here, and pickled to the workers, which trace nothing. The points are cut in
the same shards whatever the number of workers, and the shards' gradients are added in their order: so every
step is that of one process, to the last bit.
"""
import argparse
import math
import multiprocessing
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import autograd_lite as ag
from autograd_lite import compile

POINTS, SHARDS, HIDDEN, RATE = 48, 4, 5, 0.8
received = {}                                   # by a worker, at its start


def rings():
    """Points inside a circle (0) and around it (1)."""
    rng = random.Random(3)
    data = []
    for k in range(POINTS):
        radius, angle = rng.uniform(0.0, 0.5) + 0.8 * (k % 2), rng.uniform(0.0, 2.0 * math.pi)
        data.append((radius * math.cos(angle), radius * math.sin(angle), float(k % 2)))
    return data


def start():
    """The weights of the network before the first step."""
    rng = random.Random(8)
    return {"hidden": [[rng.gauss(0.0, 1.0) for _ in range(3)] for _ in range(HIDDEN)],
            "out": [rng.gauss(0.0, 0.5) for _ in range(HIDDEN + 1)]}


def loss(weights, shard):
    """The sum over a shard of −log p, p being the probability that the network gives to the right side."""
    total = 0.0
    for x, y, side in shard:
        h = [ag.tanh(a * x + b * y + c) for a, b, c in weights["hidden"]]
        score = ag.dot(weights["out"], [*h, 1.0])
        total = total + ag.softplus(score) - side * score
    return total


def receive(gradient):
    """What a worker does at its start."""
    received["gradient"] = gradient


def work(weights, shard):
    """What it does for a shard: the loss, its gradient, and the seconds spent tracing."""
    return *received["gradient"](weights, shard), received["gradient"].tracing


def numbers(tree):
    """The numbers of a structure, in order."""
    if isinstance(tree, float):
        return [tree]
    return [x for part in (tree.values() if isinstance(tree, dict) else tree) for x in numbers(part)]


def moved(weights, gradient, rate):
    """The weights after a step."""
    if isinstance(weights, float):
        return weights - rate * gradient
    if isinstance(weights, dict):
        return {key: moved(part, gradient[key], rate) for key, part in weights.items()}
    return [moved(part, g, rate) for part, g in zip(weights, gradient)]


def added(results):
    """The sum of the shards' losses and gradients, in their order."""
    value, total = 0.0, None
    for y, gradient, *_ in results:
        value += y
        total = gradient if total is None else moved(total, gradient, -1.0)
    return value, total


def train(steps, shards, results_of):
    """The losses before each step, and the weights after the last."""
    weights, losses = start(), []
    for _ in range(steps):
        value, gradient = added(results_of(weights))
        losses.append(value / POINTS)
        weights = moved(weights, gradient, RATE / POINTS)
    return losses, weights


def main():
    parser = argparse.ArgumentParser(description="Train a small network by several processes.")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=60)
    given = parser.parse_args()

    data = rings()
    shards = [data[k::SHARDS] for k in range(SHARDS)]
    gradient = compile(ag.value_and_grad(loss))
    for shard in shards[:2]:
        gradient(start(), shard)
    print(f"{POINTS} points in {SHARDS} shards, {len(numbers(start()))} weights, {given.workers} workers")
    print(gradient.stats)

    spawn = multiprocessing.get_context("spawn")
    begin = time.perf_counter()
    with ProcessPoolExecutor(given.workers, spawn, receive, (gradient,)) as pool:
        tracing = set()

        def in_workers(weights):
            results = list(pool.map(work, [weights] * SHARDS, shards))
            tracing.update(seconds for *_, seconds in results)
            return results
        losses, weights = train(given.steps, shards, in_workers)
    print(f"{given.steps} steps in {time.perf_counter() - begin:.1f} s, workers and all; "
          f"they traced for {max(tracing):.0f} s")
    for step in sorted({0, given.steps // 2, given.steps - 1}):
        print(f"  step {step:3d}   loss {losses[step]:.6f}")

    alone = train(given.steps, shards, lambda weights: [gradient(weights, shard) for shard in shards])
    print("one process, same shards:", "equal to the last bit" if alone == (losses, weights) else "DIFFERS")
    whole = compile(ag.value_and_grad(loss))
    _, other = train(given.steps, [data], lambda weights: [whole(weights, data)])
    furthest = max(abs(a - b) / max(abs(b), 1.0) for a, b in zip(numbers(other), numbers(weights)))
    print(f"one process, all points at once: weights within {furthest:.0e}")
    return 0 if alone == (losses, weights) and furthest < 1e-12 and tracing == {0.0} else 1


if __name__ == "__main__":
    sys.exit(main())
