"""One forward and backward of the moons network, ours beside each peer's in one process.

The network is 2-16-16-1 with relu, 100 samples, hinge loss with an L2 term: about 66,000
binary nodes as a chain of scalar operations. The garbage collector is on; it collects before
each timed run, so that no side pays for the other's garbage. The two sides alternate, and each
peer has a process of its own, since the objects of a large import slow every collection.

    python tests/benchmarks/speed.py [--runs 25] [--peer NAME]
"""
from __future__ import annotations

import argparse
import gc
import importlib
import math
import random
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

SIZES = (2, 16, 16, 1)
Run = Callable[[], tuple[float, Sequence[float], Any]]    # value, gradient, and what holds the graph


def data(n: int = 100) -> tuple[list[tuple[float, float]], list[int]]:
    """Two half circles, and which of them a point lies on (−1 or 1)."""
    rng = random.Random(1)
    points, targets = [], []
    for i in range(n):
        t = math.pi * rng.random()
        points.append((math.cos(t), math.sin(t)) if i % 2 else (1 - math.cos(t), 0.5 - math.sin(t)))
        targets.append(-1 if i % 2 else 1)
    return points, targets


def weights(make: Callable[[float], Any]) -> list[list[tuple[list[Any], Any]]]:
    rng = random.Random(2)
    return [[([make(rng.uniform(-1, 1)) for _ in range(a)], make(0.0)) for _ in range(b)]
            for a, b in zip(SIZES, SIZES[1:])]


def parameters(layers: Any) -> list[Any]:
    return [p for layer in layers for w, b in layer for p in (*w, b)]


def loss(layers: Any, make: Callable[[float], Any], relu: Callable[[Any], Any]) -> Any:
    """The loss as every engine can write it: a chain of scalar operations."""
    points, targets = data()
    losses = []
    for point, target in zip(points, targets):
        x = [make(c) for c in point]
        for k, layer in enumerate(layers):
            x = [sum((wi * xi for wi, xi in zip(w, x)), b) for w, b in layer]
            if k < len(layers) - 1:
                x = [relu(net) for net in x]
        losses.append(relu(1 + -target * x[0]))
    return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters(layers))


def value_engine(Value: Any) -> Run:
    """micrograd's way of writing it, which is ours too."""
    layers = weights(Value)
    ps = parameters(layers)

    def run() -> tuple[float, list[float], Any]:
        for p in ps:
            p.grad = 0.0
        total = loss(layers, Value, lambda v: v.relu())
        total.backward()
        return total.data, [p.grad for p in ps], total
    return run


def ours() -> Run:
    return value_engine(importlib.import_module("autograd_lite").Value)


def ours_nn() -> Run:
    """With our `nn`: a neuron is one dot node."""
    ag = importlib.import_module("autograd_lite")
    nn = importlib.import_module("autograd_lite.nn")
    model = nn.MLP(SIZES[0], SIZES[1:])
    for p, x in zip(model.parameters(), parameters(weights(float))):
        p.data = x
    points, targets = data()
    ps = model.parameters()

    def run() -> tuple[float, list[float], Any]:
        model.zero_grad()
        losses = [(1 + -t * model(point)).relu() for point, t in zip(points, targets)]
        total = ag.sum(losses) * (1.0 / len(losses)) + 1e-4 * ag.dot(ps, ps)
        total.backward()
        return total.data, [p.grad for p in ps], total
    return run


def micrograd() -> Run:
    return value_engine(importlib.import_module("micrograd.engine").Value)


def xad() -> Run:
    tapes = importlib.import_module("xad.adj_1st")
    top = importlib.import_module("xad")
    maximum = importlib.import_module("xad.math").max

    def run() -> tuple[float, list[float], Any]:
        layers = weights(tapes.Real)                         # a number serves one tape only
        ps = parameters(layers)
        with tapes.Tape() as tape:
            for p in ps:
                tape.registerInput(p)
            tape.newRecording()
            total = loss(layers, tapes.Real, lambda v: maximum(v, 0.0))
            tape.registerOutput(total)
            total.setAdjoint(1.0)
            tape.computeAdjoints()
            return top.value(total), [top.derivative(p) for p in ps], (tape, total)
    return run


def hips_autograd() -> Run:
    value_and_grad = importlib.import_module("autograd").value_and_grad
    np = importlib.import_module("autograd.numpy")
    shape = weights(float)
    start = [float(x) for x in parameters(shape)]

    def f(flat: Any) -> Any:
        supply = iter(flat)
        layers = [[([next(supply) for _ in w], next(supply)) for w, _ in layer] for layer in shape]
        return loss(layers, float, lambda v: np.maximum(v, 0.0))
    both = value_and_grad(f)

    def run() -> tuple[float, list[float], Any]:
        value, gradient = both(start)
        return float(value), list(map(float, gradient)), None
    return run


def torch() -> Run:
    t = importlib.import_module("torch")
    t.set_num_threads(1)
    layers = weights(lambda x: t.tensor(x, dtype=t.float64, requires_grad=True))
    ps = parameters(layers)

    def run() -> tuple[float, list[float], Any]:
        for p in ps:
            p.grad = None
        total = loss(layers, lambda x: t.tensor(x, dtype=t.float64), t.relu)
        total.backward()
        return total.item(), [p.grad.item() for p in ps], total
    return run


def bytes_per_node(n: int = 100_000) -> tuple[float, float]:
    """What one binary node takes, before and after `backward`."""
    Value = importlib.import_module("autograd_lite").Value
    x = Value(1.5)
    y = x
    gc.collect()
    tracemalloc.start()
    for _ in range(n):
        y = y + x
    before = tracemalloc.get_traced_memory()[0] / n
    y.backward()
    after = tracemalloc.get_traced_memory()[0] / n
    tracemalloc.stop()
    return before, after


PEERS: dict[str, Callable[[], Run]] = {
    "autograd_lite, nn": ours_nn, "XAD (C++ tape)": xad, "micrograd": micrograd,
    "PyTorch 0-dim tensors": torch, "HIPS autograd": hips_autograd}


def compare(name: str, runs: int) -> None:
    """Print a line for one peer, in turn with ours in this process."""
    try:
        peer = PEERS[name]()
    except ImportError as error:
        print(f"{name:24}left out ({error})")
        return
    sides = ours(), peer
    times: tuple[list[float], list[float]] = [], []
    for k in range(runs):
        for run, seen in zip(sides, times):
            gc.collect()
            start = time.perf_counter()
            kept = run()                                     # so that no side frees its graph in time
            seen.append(time.perf_counter() - start)
            del kept
        if k >= 6 and math.fsum(times[1]) > 5.0:
            break                                            # the slow ones need fewer runs
    (value, gradient, _), (other, gradients, _) = ours()(), peer()
    worst = max(abs(other - value), *(abs(a - b) for a, b in zip(gradient, gradients)))
    (low, middle), (peer_low, peer_middle) = [(min(t), statistics.median(t)) for t in times]
    print(f"{name:24}{low * 1e3:8.1f}{middle * 1e3:8.1f}{peer_low * 1e3:9.1f}{peer_middle * 1e3:8.1f}"
          f"{peer_low / low:8.2f}{peer_middle / middle:7.2f}{worst:9.0e}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--peer", choices=PEERS, help="only this one, in this process")
    options = parser.parse_args()
    if options.peer:
        compare(options.peer, options.runs)
        return
    print(f"{'':24}{'ours, ms':>16}{'peer, ms':>17}{'peer/ours':>15}{'differ':>9}")
    heads = f"{'min':>8}{'median':>8}{'min':>9}{'median':>8}{'min':>8}{'median':>7}{'by':>9}"
    print(f"{'':24}{heads}", flush=True)
    for name in PEERS:
        subprocess.run([sys.executable, __file__, "--peer", name, "--runs", str(options.runs)], check=True)
    before, after = bytes_per_node()
    print(f"bytes a binary node: {before:.0f}, with its gradient {after:.0f}")


if __name__ == "__main__":
    main()
