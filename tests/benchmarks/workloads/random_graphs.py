"""Random scalar graphs whose gradient does not vanish: the value and the gradient by every input.

A graph is a list of operations on earlier nodes. Each node is used: one operand is always the oldest unused
node, the other any node before. Operations are chosen so that numbers stay near 1, and what is left at the
end is summed. There are 50 nodes for each input, so that the gradients of most nodes keep their size too.
"""
from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from sides import Row, Side, bound, buffered, native, package

import autograd_lite as ag

PER_INPUT = 50
SIZES = (10_000, 100_000, 1_000_000)


class Graph(NamedTuple):
    """The inputs, the operations (name, two operands), and the nodes whose sum is the result."""

    start: Sequence[float]
    nodes: Sequence[tuple[str, int, int]]
    last: Sequence[int]


@lru_cache
def graph(n: int) -> Graph:
    """About n operations."""
    rng = random.Random(n)
    start = [rng.uniform(-1.0, 1.0) for _ in range(max(4, n // PER_INPUT))]
    values, unused = list(start), deque(range(len(start)))
    nodes: list[tuple[str, int, int]] = []
    while len(nodes) < n - len(unused):
        i, j = unused.popleft(), rng.randrange(len(values))
        a, b = values[i], values[j]
        ways = {"+": a + b, "-": a - b, "*": a * b}
        name = rng.choice([name for name, y in ways.items() if 0.1 < abs(y) < 1.5] or ["sin"])
        if rng.random() < 0.05:
            name = "sin"
        unused.append(len(values))
        values.append(ways.get(name, math.sin(a + 1.0)))
        nodes.append((name, i, j))
    return Graph(tuple(start), tuple(nodes), tuple(unused))


def value(g: Graph, xs: Any, sin: Any) -> Any:
    """The result at some inputs, of any numbers that have a sine."""
    v = list(xs)
    for name, i, j in g.nodes:
        if name == "+":
            v.append(v[i] + v[j])
        elif name == "-":
            v.append(v[i] - v[j])
        elif name == "*":
            v.append(v[i] * v[j])
        else:
            v.append(sin(v[i] + 1.0))
    total = v[g.last[0]]
    for i in g.last[1:]:
        total = total + v[i]
    return total


def ours(n: int) -> Side:
    g = graph(n)
    fast = native(ag.value_and_grad(lambda xs: value(g, xs, ag.sin)))
    return Side(bound(fast, np.array(g.start)))


def casadi(n: int) -> Side:
    ca = package("casadi")
    g = graph(n)
    x = ca.SX.sym("x", len(g.start))
    y = value(g, ca.vertsplit(x), ca.sin)
    f = ca.Function("f", [x], [y, ca.gradient(y, x)])
    return buffered(f, np.array(g.start), [1, len(g.start)])


def row(n: int, bar: float | None) -> Row:
    power = f"10^{len(str(n)) - 1}"
    return Row(f"random graph, {power}, a node", lambda: ours(n), "CasADi, buffered", lambda: casadi(n),
               bar, scale=n, within=1e-9)


ROWS = {f"graph-{n}": row(n, 1.7 if n == 100_000 else None) for n in SIZES}
ROWS["graph-growth"] = Row("random graph, 10^6, a node", lambda: ours(SIZES[-1]), "ours at 10^4",
                           lambda: ours(SIZES[0]), 1 / 3, scale=SIZES[-1], their_scale=SIZES[0],
                           within=math.inf)
ROWS["graph-memory"] = Row("  bytes a node, at 10^5", lambda: ours(SIZES[1]), "CasADi, buffered",
                           lambda: casadi(SIZES[1]), scale=SIZES[1], memory=True,
                           first=lambda: [graph(SIZES[1]), ours(1000)])
