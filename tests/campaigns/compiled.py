"""Compiled functions against eager ones: random programs that branch on what they compute.

    python tests/campaigns/compiled.py [seconds] [seed]

A program is a list of statements on a list of numbers: ops, Python's questions (if, while, min, sorted, int,
round), choices (where, select), captured Values, `.data`, transforms within. Each is compiled once for each
derivative, then called at many points, some of them twice: ordinary ones, ties, ones that overflow, infinite
and nan ones, and under "ignore"; and must give what the eager function gives, errors included.
"""
from __future__ import annotations

import math
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from replayed import held  # noqa: E402

import autograd_lite as ag  # noqa: E402
from autograd_lite import Value  # noqa: E402
from autograd_lite.ops.op import TABLE  # noqa: E402
from autograd_lite import compile  # noqa: E402

ONE = [op for op in TABLE.values() if op.least == 1 and not op.open]
TWO = [op for op in TABLE.values() if op.least == 2 and not op.open]
OPEN = [op for op in TABLE.values() if op.open]
MILD = [TABLE[name] for name in (
    "sin", "tanh", "+", "*", "-", "sigmoid", "abs", "maximum", "hypot", "sum", "dot")]
DERIVED = ["grad", "jvp", "vjp", "value_and_grad", "hessian"]
LOOSE = 2.0 ** 14       # ulp of a second derivative, which may cancel what was rounded otherwise by 2 ulp
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-300, 1e200, -1e200, 800.0, -800.0, math.inf, -math.inf,
         math.nan]
CONSTANTS = [0.0, 1.0, -1.0, 2.0, 0.5, -0.0, 3.0, 1e-3, 100.0]


class Program:
    """A random program: a function of `n` numbers that returns one number, or several."""

    def __init__(self, rng: random.Random, n: int, size: int, wild: float = 0.3, several: bool = False):
        self.rng, self.n, self.wild, self.several = rng, n, wild, several
        self.captured = [Value(rng.uniform(-2.0, 2.0), f"w{i}", requires_grad=rng.random() < 0.7)
                         for i in range(2)]
        self.allowed = 0.0
        self.lines = [self.statement(n + k, 2) for k in range(size)]

    def operand(self, k: int) -> Any:
        """How a statement names a number: a place before k (late ones more often), or a constant."""
        rng = self.rng
        if rng.random() < 0.2:
            return rng.choice(CONSTANTS)
        return max(rng.randrange(k), rng.randrange(k))

    def statement(self, k: int, deep: int) -> tuple[Any, ...]:
        rng = self.rng
        kind = rng.choice(["op"] * 9 + [
            "if", "if else", "while", "min", "max", "sorted", "int", "round", "data", "captured", "where",
            "select", "select", "stop", "no_grad", "bool", "floor", "guarded data", "format", "chain",
            "compare data", "softmax"] + DERIVED * (deep == 2))
        if kind in DERIVED:
            self.allowed = LOOSE                # (derivatives of derivatives)
        x, y, z = [self.operand(k) for _ in "xyz"]
        sign = rng.choice("< <= > >= == !=".split())
        if kind == "op":
            op = rng.choice(rng.choice([ONE, TWO, OPEN]) if rng.random() < self.wild else MILD)
            n = rng.choice([1, 2, 3, 4, 7]) if op.open else op.least
            return "op", op, [self.operand(k) for _ in range(n + n % 2 if op.name in ("dot", "fdot") else n)]
        if kind in ("if", "select", "where", "if else", "no_grad", *DERIVED):
            if deep == 0:
                return "data", x, y, z, sign, 0.0
            inner = [[self.statement(k + i, deep - 1) for i in range(rng.choice([1, 1, 2]))] for _ in "ab"]
            return kind, x, y, z, sign, inner
        return kind, x, y, z, sign, rng.choice([0, 1, 2])

    def __call__(self, *xs: Any) -> Any:
        v = list(xs)
        for line in self.lines:
            v.append(self.done(line, v))
        return v[-3:] if self.several else v[-1] + 0.0 * self.captured[0]

    def inner(self, lines: Any, v: list[Any]) -> Any:
        v = list(v)
        for line in lines:
            v.append(self.done(line, v))
        return v[-1]

    def done(self, line: Any, v: list[Any]) -> Any:
        kind = line[0]
        if kind == "op":
            return line[1](*[x if type(x) is float else v[x] for x in line[2]])
        _, *given, sign, more = line
        x, y, z = [a if type(a) is float else v[a] for a in given]

        def holds() -> bool:
            return {"<": lambda: x < y, "<=": lambda: x <= y, ">": lambda: x > y,
                    ">=": lambda: x >= y, "==": lambda: x == y, "!=": lambda: x != y}[sign]()

        compare = {"<": ag.less, "<=": ag.less_equal, ">": ag.greater, ">=": ag.greater_equal,
                   "==": TABLE["equal"], "!=": TABLE["not_equal"]}[sign]
        number = x.data if isinstance(x, Value) else x
        if kind == "if":
            return self.inner(more[0], v) if holds() else x
        if kind == "if else":
            return self.inner(more[0], v) if holds() else self.inner(more[1], v)
        if kind == "while":
            k = 0
            while x < y and k < 4:
                x, k = x * 0.5 + 1.0 + z * 0.1, k + 1
            return x
        if kind == "min":
            return min(x, y, z)
        if kind == "max":
            return max([x, y, z, 0.25])
        if kind == "sorted":
            return sorted([x, y, z])[more]
        if kind == "int":
            return x * int(max(min(number, 3.0), -3.0)) + y if number == number else x
        if kind == "round":
            return x + (round(number, more) if abs(number) < 1e3 else 0.0)
        if kind == "floor":
            return x * (math.floor(number) if abs(number) < 3.0 else 2.0)
        if kind == "data":
            return x * number + (y.data if isinstance(y, Value) else y)
        if kind == "guarded data":
            return x * 2.0 if number > 0.5 else y
        if kind == "compare data":
            return z * (number > (y.data if isinstance(y, Value) else y)) + x
        if kind == "captured":
            return x * self.captured[more % 2] + (y if self.captured[0] > 0.0 else z)
        if kind == "where":
            return ag.where(compare(x, y), x, z)
        if kind == "select":
            return ag.select(compare(x, y), lambda: self.inner(more[0], v), lambda: self.inner(more[1], v))
        if kind == "stop":
            return ag.stop_gradient(x) * y
        if kind == "no_grad":
            with ag.no_grad():
                w = self.inner(more[0], v)
            return w * x
        if kind == "bool":
            return y if x else z
        if kind == "format":
            return x * len(format(number, ".1f")) if abs(number) < 1e3 else x
        if kind == "chain":
            return 2 * x - y / 3 + x ** 2 + x * x + (-y) * (1.0 * z)
        if kind == "softmax":
            return ag.softmax([x, y, z])[more] + ag.log_softmax([x, y])[0] + ag.logsumexp([y, z, x, 0.0])

        def f(a: Any) -> Any:
            return self.inner(more[0], [*v[:-1], a]) * y

        if kind == "grad":
            return ag.grad(f)(x)
        if kind == "hessian":
            return ag.hessian(f)(x)
        if kind == "jvp":
            return sum(ag.jvp(f, (x,), (z,)))
        if kind == "vjp":
            value, pull = ag.vjp(f, x)
            return pull(z)[0] - value
        assert kind == "value_and_grad"
        value, g = ag.value_and_grad(f)(x)
        return value * g


def ways(f: Program) -> dict[str, tuple[Callable[..., Any], float]]:
    """The functions made of a program that are compiled, and how many ulp each may be off."""
    n = f.n
    every = tuple(range(n))
    branches = repr(f.lines).count("select") + repr(f.lines).count("where")
    first = 4.0 if branches > 1 else 0.0        # (sums behind several gates)
    push = LOOSE if branches else 0.0           # (eager code goes another way if an idle slope is infinite)
    if f.several:
        return {"value": (f, 0.0), "jacobian": (ag.jacobian(f, every), push),
                "jvp": (lambda *xs: ag.jvp(f, xs, xs[::-1]), push),
                "vjp": (lambda *xs: ag.vjp(f, *xs)[1]([1.0, *xs, *xs, *xs][:3]), first)}
    return {"value": (f, 0.0), "grad": (ag.grad(f, every), first),
            "value_and_grad": (ag.value_and_grad(f), first),
            "grad of grad": (ag.grad(ag.grad(f, n - 1)), LOOSE),
            "hessian": (ag.hessian(f), LOOSE), "hvp": (lambda *xs: ag.hvp(f, xs, xs), LOOSE),
            "jvp": (lambda *xs: ag.jvp(f, xs, xs[::-1]), push),
            "vjp": (lambda *xs: ag.vjp(f, *xs)[1](2.5), first)}


def points(rng: random.Random, n: int, count: int) -> list[tuple[float, ...]]:
    """Some ordinary, some at ties and edges, some twice."""
    found: list[tuple[float, ...]] = []
    for _ in range(count):
        draw = rng.random()
        if found and draw < 0.2:
            found.append(rng.choice(found))
        elif draw < 0.3:
            found.append((rng.choice([0.0, 1.0, -2.0]),) * n)
        elif draw < 0.45:
            found.append(tuple([rng.choice(EDGES) for _ in range(n)]))
        else:
            found.append(tuple([round(rng.gauss(0.0, 1.5), rng.choice([0, 1, 3, 17]))
                                for _ in range(n)]))
    return found


class Campaign:
    """What differs, by kind."""

    def __init__(self, seed: int):
        self.rng, self.seen, self.calls = random.Random(seed), Counter[Any](), 0

    def differs(self, f: Program, name: str, mode: str, before: Any, xs: Any) -> str:
        """How a compiled function that was called at some points differs at another."""
        g, allowed = ways(f)[name]
        allowed = max(allowed, f.allowed)
        fast = compile(g, on_limit="eager", max_programs=12)
        for ys, number in before:
            f.captured[0].data = number
            try:
                held(fast, g, ys, allowed, mode)
            except Exception:
                pass
        return self.compared(fast, g, xs, allowed, mode)

    @staticmethod
    def compared(fast: Any, g: Any, xs: Any, allowed: float, mode: str) -> str:
        try:
            return held(fast, g, xs, allowed, mode)
        except Exception as error:

            return f"{type(error).__name__}: {error}"

    def shrunk(self, f: Program, name: str, mode: str, before: Any, xs: Any) -> tuple[Any, str]:
        """The same fault with as little as possible."""
        idle = "op", TABLE["identity"], [0]

        def smaller(lines: Any) -> Any:
            for i in range(len(lines)):
                if i == len(lines) - 1 and i:
                    yield lines[:-1]
                if lines[i] != idle:
                    yield [*lines[:i], idle, *lines[i + 1:]]
                    kind, *rest = lines[i]
                    if isinstance(rest[-1], list) and rest[-1] and isinstance(rest[-1][0], list):
                        for k in range(2):
                            for less in smaller(rest[-1][k]):
                                sides = [less if j == k else rest[-1][j] for j in (0, 1)]
                                yield [*lines[:i], (kind, *rest[:-1], sides), *lines[i + 1:]]

        tries = 0
        while tries < 400:
            for kept in ([], before[:-1], before[1:]):
                if len(kept) < len(before) and self.differs(f, name, mode, kept, xs):
                    before = kept
            lines = f.lines
            for f.lines in smaller(lines):
                tries += 1
                if self.differs(f, name, mode, before, xs):
                    break
            else:
                f.lines = lines
                break
        return [ys for ys, _ in before], self.differs(f, name, mode, before, xs)

    def one(self) -> None:
        """Hold another program."""
        rng = self.rng
        size, wild = rng.choice([1, 2, 3, 5, 8]), rng.choice([0.1, 0.5, 1.0])
        self.look(Program(rng, rng.choice([1, 2, 3]), size, wild, rng.random() < 0.25), chosen=3)

    def look(self, f: Program, count: int = 8, chosen: int = 99) -> None:
        """Hold the compiled functions of a program against it."""
        rng = self.rng
        made = list(ways(f).items())
        for name, (g, allowed) in rng.sample(made, min(chosen, len(made))):
            allowed = max(allowed, f.allowed)
            fast, before = compile(g, on_limit="eager", max_programs=12), []
            mode = rng.choice(["raise", "raise", "ignore"])
            for xs in points(rng, f.n, count):
                if rng.random() < 0.2:
                    f.captured[0].data = rng.choice([-1.0, 0.0, 1.0, rng.gauss(0.0, 1.0)])
                self.calls += 1
                if text := self.compared(fast, g, xs, allowed, mode):
                    self.seen[name, mode] += 1
                    self.found(f, name, mode, before, xs, text)
                    break
                before.append((xs, f.captured[0].data))

    def found(self, f: Program, name: str, mode: str, before: Any, xs: Any, text: str) -> None:
        """Something differs."""


class Printing(Campaign):
    """The same, shown as it goes."""

    def found(self, f: Program, name: str, mode: str, before: Any, xs: Any, text: str) -> None:
        if self.seen[name, mode] <= 4:
            before, less = self.shrunk(f, name, mode, before, xs)
            lines = "\n    ".join([f"v{f.n + k} = {line}" for k, line in enumerate(f.lines)])
            print(f"{name} ({mode}) of {f.n} at {xs} after {before}: {less or text}\n    {lines}", flush=True)


class Collecting(Campaign):
    """The same, in a list."""

    def __init__(self, seed: int):
        super().__init__(seed)
        self.texts: list[str] = []

    def found(self, f: Program, name: str, mode: str, before: Any, xs: Any, text: str) -> None:
        self.texts.append(f"{name} ({mode}) of {f.n} at {xs} after {before}: {text}\n{f.lines}")


def main(seconds: float = 60.0, seed: int = 0) -> None:
    warnings.simplefilter("ignore")
    campaign, end, n = Printing(seed), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        campaign.one()
        n += 1
    print(f"{n} programs, {campaign.calls} calls; differing: {dict(campaign.seen)}")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]), *map(int, sys.argv[2:3]))
