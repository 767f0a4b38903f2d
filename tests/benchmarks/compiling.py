"""What a compiled function costs at its first call, and later, beside eager and a plain class.

    python tests/benchmarks/compiling.py [--largest 1000000]

Times are of the processor, the least of a few runs; the two sides take turns. "first" is the first call with
a gradient, "second" the next one (which writes the source of a large program), both in steps (loss and
backward) of the plain class of `plain.py`; "later" is how many times faster a call is from then on. Each
program is measured as people run it, and with Python's garbage collector off for both sides (a first call
itself runs without it).
"""
from __future__ import annotations

import argparse
import gc
import math
import time
from collections.abc import Callable
from typing import Any

import plain
import speed
from programs import PROGRAMS, Program

import autograd_lite as ag
from autograd_lite import Value


def chain(n: int) -> Program:
    """A loss of about n operations."""
    def loss(ps: Any, m: Any) -> Any:
        h, w = ps
        for k in range(n // 5):
            h = h * w
            h = h + ps[0]
            h = m.tanh(h) if k % 4 == 0 else h * 0.75
            h = h - w
            h = h * 0.5
        return h
    return Program([0.7, 0.6], loss, ["tanh"])


def seconds(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def row(name: str, program: Program, repeats: int) -> None:
    """Print a line for a program."""
    theirs, ours = (speed.meaning(program, number, speed.ALL) for number in (plain.Plain, Value))
    ps, qs = [plain.Plain(x) for x in program.start], [Value(x) for x in program.start]

    def step() -> None:
        program.loss(ps, theirs).backward()

    base = first = second = later = eager = math.inf
    for _ in range(repeats):
        gc.collect()
        base = min(base, seconds(step))
        fast = ag.compile(lambda: program.loss(qs, ours))
        first = min(first, seconds(fast.backward))
        second = min(second, seconds(fast.backward))
        later = min(later, *[seconds(fast.backward) for _ in range(3)])
        eager = min(eager, seconds(lambda: program.loss(qs, ours).backward()))
    print(f"{name if gc.isenabled() else '  no collector':18}{1e3 * base:9.1f} ms{base / eager:9.1f}"
          f"{first / base:9.1f}{second / base:9.1f}{base / later:9.0f}", flush=True)


def small() -> None:
    """Print a line for each small function."""
    def error(w: Any) -> Any:
        h = [ag.sigmoid(a * 0.05 + b * 0.1 + 0.35) for a, b in (w[0:2], w[2:4])]
        o = [ag.sigmoid(a * h[0] + b * h[1] + 0.6) for a, b in (w[4:6], w[6:8])]
        return 0.5 * (0.01 - o[0]) ** 2 + 0.5 * (0.99 - o[1]) ** 2

    def root(x: Any) -> Any:
        y = x
        while abs(y * y - x) > 1e-12:
            y = 0.5 * (y + x / y)
        return y

    cases: list[tuple[str, Any, tuple[Any, ...]]] = [
        ("network of 8 weights", error, ([0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55],)),
        ("root by Newton", root, (2.0,)),
        ("Rosenbrock of 10", lambda x: ag.sum([100 * (b - a * a) ** 2 + (1 - a) ** 2
                                               for a, b in zip(x, x[1:])]), ([0.5] * 10,))]
    for name, f, args in cases:
        for what, make in (("gradient", ag.grad), ("Hessian", ag.hessian)):
            eager, fast = make(f), ag.compile(make(f))
            start = time.process_time()
            fast(*args)
            first = time.process_time() - start

            def per_call(run: Any, n: int = 200) -> float:
                return min([seconds(lambda: [run(*args) for _ in range(n)]) for _ in range(5)]) / n
            slow, quick = per_call(eager, 20), per_call(fast)
            print(f"{name:22}{what:10}{1e6 * slow:10.1f} us{1e6 * quick:10.2f} us{slow / quick:8.0f}"
                  f"{first / slow:10.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=1_000_000)
    largest = parser.parse_args().largest
    print(f"{'':32}{'eager':>13}{'compiled':>13}{'ratio':>8}{'first/eager':>12}")
    small()
    print(f"\n{'':18}{'plain step':>12}{'eager':>9}{'first':>9}{'second':>9}{'later':>9}")
    rows = [(name, program, 3) for name, program in PROGRAMS.items()]
    sizes = [10 ** k for k in range(4, 10) if 10 ** k <= largest]
    rows += [(f"chain of {n:,}", chain(n), 2 if n < 10 ** 6 else 1) for n in sizes]
    for name, program, repeats in rows:
        for switch in (gc.enable, gc.disable):
            switch()
            row(name, program, repeats)


if __name__ == "__main__":
    main()
