"""What recording one operation costs: every op of the table against the plain class (see plain.py).

Each statement is run in a loop of its own, whose turn (some 10 ns) is in every time; the collector is
off, and the least of many short repeats counts, in which ours, the plain class and, where asked for,
another tree of ours take turns.

    python tests/benchmarks/operations.py [--repeats 50] [--old PATH] [--page FILE …]

--old PATH: the folder that holds the other tree's `autograd_lite`; it runs in a process of its own.
"""
from __future__ import annotations

import argparse
import builtins
import gc
import importlib
import itertools
import json
import math
import os
import platform
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import plain
from page import fill, table

SHORT = 1e-3                    # s that a loop takes
MANY = 8                        # the operands of what takes many
EACH, MEAN, OTHERS, SLOT, GRAD = 1.5, 0.8, 2.5, 8.0, 5.0     # the bars: ratios, and µs


class Job(NamedTuple):
    """A statement about the nodes a and b, the lists of nodes xs and ys, and a function f, by its name."""

    statement: str
    f: str = ""
    a: float = 0.6
    b: float = 0.8


class Row(NamedTuple):
    """A line of the table: what ours does as a method and as a function, and what the plain class does."""

    title: str
    method: Job | None
    call: Job | None
    plain: Job | None


# -- what is measured ---------------------------------------------------------------------------

ARITHMETIC = ["a + b", "a - b", "a * b", "a / b", "0 + a", "a + 1", "2 * a", "a - 1", "1 - a", "1 / a",
              "a / 4", "a ** 2", "a ** -0.5", "-a"]
FUNCTIONS = ["exp", "log", "sin", "sqrt", "tanh", "sigmoid", "relu"]
OPERATORS = {"+", "-", "*", "/", "**", "neg"}                         # the ops of ARITHMETIC
PLACES = {"acosh": (1.6, 0.8), "leaky_relu": (-0.6, 0.8), "elu": (-0.6, 0.8)}
# What is not written f(a) or f(a, b): the statement, and the plain class's ("" if it has none).
WRITTEN = {"%": ("a % b", "a % b"), "//": ("a // b", "a // b"),
           "sum": ("f(xs)", "f(xs)"), "mean": ("f(xs)", "f(xs)"), "logsumexp": ("f(xs)", "f(xs)"),
           "softmax": ("f(xs)", "f(xs)"), "log_softmax": ("f(xs)", ""), "softmax_rest": ("f(*xs)", ""),
           "dot": ("f(xs, ys)", "f(xs, ys)"), "fsum": ("f(*xs)", ""),
           "fdot": ("f(*xs, *ys)", ""), "where": ("f(condition, a, b)", ""), "polygamma": ("f(2, a)", ""),
           "power_slope": ("f(a, b, 1, 0)", "")}


def five(x: Any) -> Any:
    """A function of five nodes."""
    return (x.sin() * x).exp() + 2.0 * x


def first_rows() -> list[Row]:
    """The 21 operations that count most."""
    rows = [Row(statement, Job(statement), None, Job(statement)) for statement in ARITHMETIC]
    return rows + [Row(name, Job(f"a.{name}()"), Job("f(a)", name), Job(f"a.{name}()")) for name in FUNCTIONS]


def other_rows() -> list[Row]:
    """Powers of other kinds, and the rest of the table."""
    ops = importlib.import_module("autograd_lite.ops.op").TABLE
    methods = vars(importlib.import_module("autograd_lite.ops.operators").Operators)
    rows = [Row("a ** b", Job("a ** b"), None, Job("a.power(b)")),
            Row("2 ** a", Job("2 ** a"), None, Job("2 ** a"))]
    for name, op in ops.items():
        if name in OPERATORS or name in FUNCTIONS:
            continue
        at = PLACES.get(name, (0.6, 0.8))
        if name in WRITTEN:
            statement, theirs = WRITTEN[name]
            called = statement.startswith("f(")
            job, yardstick = [Job(text, name * called, *at) if text else None for text in (statement, theirs)]
            rows.append(Row(name, None, job, yardstick) if called else Row(statement, job, None, yardstick))
            continue
        of_two = op.least == 2
        method = Job(f"a.{name}({'b' * of_two})", "", *at)
        rows.append(Row(name, method if name in methods else None,
                        Job("f(a, b)" if of_two else "f(a)", name, *at),
                        method if hasattr(plain.Plain, name) else None))
    return sorted(rows, key=lambda row: row.plain is None)


def slot_rows() -> list[Row]:
    """`.grad` and `.data`, read and set; the plain class's are slots."""
    texts = ["a.grad", "a.grad = 0.5", "a.data", "a.data = 0.5"]
    return [Row(text, Job(text), None, Job(text)) for text in texts]


# -- who measures -------------------------------------------------------------------------------


class Side:
    """An engine in this process, which runs statements."""

    def __init__(self, make: Callable[[float], Any], find: Callable[[str], Any], **names: Any):
        self.make, self.find, self.names = make, find, names
        self.loops: dict[Job, tuple[Callable[[int], float], int]] = {}

    def operands(self, job: Job) -> dict[str, Any]:
        """New nodes for a statement, and its function."""
        xs, ys = [[self.make(x + 0.1 * i) for i in range(MANY)] for x in (0.3, -0.2)]
        return {"a": self.make(job.a), "b": self.make(job.b), "xs": xs, "ys": ys,
                "f": self.find(job.f) if job.f else None, **self.names}

    def loop(self, job: Job) -> tuple[Callable[[int], float], int]:
        """A function that runs the statement some times and returns the seconds; and how often is short."""
        names = {"clock": time.perf_counter, "repeat": itertools.repeat, **self.operands(job)}
        values = ", ".join(f"{name}={name}" for name in names)
        exec(f"def timed(turns, {values}):\n start = clock()\n for _ in repeat(None, turns):\n  "
             f"{job.statement}\n return clock() - start", names)
        timed: Callable[[int], float] = names["timed"]
        timed(100)
        return timed, max(10, int(100 * SHORT / timed(100)))

    def seconds(self, job: Job) -> float:
        """The seconds of one turn of the loop."""
        if job not in self.loops:
            self.loops[job] = self.loop(job)
        timed, turns = self.loops[job]
        return timed(turns) / turns

    def gradient(self, job: Job) -> list[float]:
        """The value of a statement, and its gradient by all nodes."""
        names = self.operands(job)
        y = eval(job.statement, names)
        y = y[0] if isinstance(y, list) else y
        if getattr(y, "requires_grad", True):
            y.backward()
        return [y.data, *[x.grad for x in (names["a"], names["b"], *names["xs"], *names["ys"])]]


def ours() -> Side:
    """The tree that Python finds."""
    ag = importlib.import_module("autograd_lite")

    def find(name: str) -> Any:
        return getattr(ag, name, None) or importlib.import_module("autograd_lite.ops.op").TABLE[name]
    names = {"Value": ag.Value, "five": five, "grad": ag.grad, "g": ag.grad(five)}
    if hasattr(ag, "where"):
        names["condition"] = ag.greater(ag.Value(1.0), 0.0)
    return Side(ag.Value, find, **names)


def the_plain_class() -> Side:
    """The yardstick."""
    return Side(plain.Plain, lambda name: getattr(plain, name, None) or getattr(builtins, name))


class Remote:
    """A tree of ours in a process of its own, which measures when it is told to."""

    def __init__(self, path: str):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.path.abspath(path)})
        assert self.process.stdin and self.process.stdout
        self.say, self.hear = self.process.stdin, self.process.stdout
        self.where = self.hear.readline().strip()

    def seconds(self, job: Job) -> float:
        """The seconds of one turn there; infinite if that tree cannot do it."""
        self.say.write(json.dumps(job) + "\n")
        self.say.flush()
        return float(self.hear.readline())


def serve() -> None:
    """Answer each job on a line with its seconds."""
    side = ours()
    print(where(), flush=True)
    for text in sys.stdin:
        try:
            print(side.seconds(Job(*json.loads(text))), flush=True)
        except (AttributeError, ImportError, KeyError, TypeError):
            print(math.inf, flush=True)


def where() -> str:
    """The folder of the tree that Python found."""
    return os.path.dirname(importlib.import_module("autograd_lite").__file__ or "")


def least(asked: Sequence[tuple[Any, Job | None]], repeats: int) -> list[float]:
    """For each side and job the least seconds of some repeats, taken in turn; nan where there is none."""
    found = [math.nan if job is None else math.inf for _, job in asked]
    for _ in range(repeats):
        for i, (side, job) in enumerate(asked):
            if job is not None:
                found[i] = min(found[i], side.seconds(job))
    return [math.nan if seconds == math.inf else seconds for seconds in found]


# -- the tables ---------------------------------------------------------------------------------


class Measured(NamedTuple):
    """A line's times in ns, nan where there is none: ours, the plain class's, the other tree's."""

    title: str
    method: float
    call: float
    plain: float
    old_method: float
    old_call: float

    @property
    def ratio(self) -> float:
        """Ours over the plain class: as a method, or else as a function."""
        return (self.call if math.isnan(self.method) else self.method) / self.plain


def measure(row: Row, sides: Sequence[Any], repeats: int) -> Measured:
    """The times of a row; the sides are ours, the plain class and perhaps the other tree."""
    own, yardstick, *old = sides
    asked = [(own, row.method), (own, row.call), (yardstick, row.plain)]
    asked += [(old[0], row.method), (old[0], row.call)] if old else [(own, None)] * 2
    return Measured(row.title, *[1e9 * t for t in least(asked, repeats)])


def number(x: float, digits: int = 2, mark: str = "") -> str:
    """A number, or nothing."""
    return f"{x:.{digits}f}{mark}" if math.isfinite(x) else ""


def beyond(x: float, bar: float) -> str:
    """A mark for what is beyond its bar."""
    return "!" if x > bar else ""


def cells(m: Measured, bar: float, old: bool) -> list[str]:
    """A line of the table; a ratio beyond the bar is marked."""
    by_method, by_call = m.method / m.plain, m.call / m.plain
    row = [m.title, number(m.method, 0), number(m.call, 0), number(m.plain, 0),
           number(by_method, 2, beyond(by_method, bar)),
           number(by_call, 2, beyond(by_call, bar) if math.isnan(m.method) else "")]
    if old:
        row += [number(m.old_call if math.isnan(m.method) else m.old_method, 0),
                number(m.method / m.old_method), number(m.call / m.old_call)]
    return row


def heads(title: str, old: bool) -> list[str]:
    return [title, "ours", "f(a)", "plain", "ratio", "f(a)"] + ["old", "now/old", "f(a)"] * old


def aligned(row: Sequence[str]) -> str:
    """A line of the table for the terminal."""
    return row[0].ljust(17) + "".join(
        f"{text.rstrip('!'):>{width}}{text[-1:] if text.endswith('!') else ' '}"
        for text, width in zip(row[1:], [6, 6, 6, 6, 6, 6, 7, 6]))


def geometric_mean(xs: Sequence[float]) -> float:
    return math.exp(math.fsum(map(math.log, xs)) / len(xs))


def disagreement(rows: Sequence[Row], own: Side, yardstick: Side) -> float:
    """The largest difference between ours and the plain class's values and gradients, relative above 1."""
    worst = 0.0
    for row in rows:
        job = row.method or row.call
        if job and row.plain:
            pairs = zip(own.gradient(job), yardstick.gradient(row.plain))
            worst = max(worst, *[abs(x - y) / max(1.0, abs(x)) for x, y in pairs])
    return worst


def beyond_recording(sides: Sequence[Any], repeats: int) -> list[list[float]]:
    """µs of each side: recording a function of five nodes, f(Value(x)); then, beyond that, g(x), where g is
    grad(f), and grad(f)(x)."""
    jobs = [Job("five(Value(0.6))"), Job("g(0.6)"), Job("grad(five)(0.6)")]
    found = least([(side, job) for side in sides for job in jobs], repeats)
    return [[1e6 * x for x in (recorded, made - recorded, both - recorded)]
            for recorded, made, both in zip(*[iter(found)] * 3)]


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "y + x": lambda y, x: y + x, "y * -1.0": lambda y, x: y * -1.0, "x / y": lambda y, x: x / y,
    "sin(y)": lambda y, x: y.sin()}


MEMORY_HEADS = ["bytes a node", "ours", "with gradient", "plain", "with gradient"]


def bytes_per_node(make: Callable[[float], Any], step: Callable[[Any, Any], Any], n: int = 20_000
                   ) -> tuple[float, float]:
    """What a node of this step takes, before and after `backward`."""
    x = make(1.5)
    y = step(x, x)
    gc.collect()
    tracemalloc.start()
    for _ in range(n):
        y = step(y, x)
    before = tracemalloc.get_traced_memory()[0] / n
    y.backward()
    after = tracemalloc.get_traced_memory()[0] / n
    tracemalloc.stop()
    return before, after


def memory() -> list[list[str]]:
    """For each step its bytes a node, ours and the plain class's, and the same with the gradient."""
    make = importlib.import_module("autograd_lite").Value
    rows = []
    for title, step in STEPS.items():
        before, after = bytes_per_node(make, step)
        plain_before, plain_after = bytes_per_node(plain.Plain, step)
        rows.append([title, *[f"{x:.0f}" for x in (before, after, plain_before, plain_after)]])
    return rows


def summary(first: Sequence[Measured], others: Sequence[Measured], nodes: Sequence[Sequence[str]]) -> str:
    """Some words in front of the tables."""
    top, rest = [max((m for m in ms if m.plain == m.plain), key=lambda m: m.ratio) for ms in (first, others)]
    mean = geometric_mean([m.ratio for m in first])
    (_, sums, sums_after, *_), _, (_, quotients, *_), *_ = nodes
    return (f"Recording one op takes {mean:.2f} of the plain class's time: the geometric mean of the "
            f"{len(first)} most used, of\nwhich `{top.title}` has the largest ratio, {top.ratio:.2f}; of the "
            f"others `{rest.title}` has, {rest.ratio:.2f}. A node of `+` takes\n{sums} bytes, {sums_after} "
            f"with its gradient; one of `/`, whose partials are new numbers, {quotients}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--old", metavar="PATH", help="a folder with another tree of ours, to compare with")
    parser.add_argument("--page", nargs="+", default=[], metavar="FILE", help="pages to put the tables into")
    parser.add_argument("--serve", action="store_true", help="(how the script runs the other tree)")
    options = parser.parse_args()
    gc.disable()
    if options.serve:
        serve()
        return
    sides: list[Any] = [ours(), the_plain_class()]
    print(f"ours: {where()}")
    if options.old:
        sides.append(Remote(options.old))
        print(f"old: {sides[2].where}")
    report(sides, options.repeats, options.page)


def report(sides: Sequence[Any], repeats: int, pages: Sequence[str]) -> None:
    """Measure, print, and fill the pages."""
    old = len(sides) > 2
    groups = [("op", first_rows(), EACH), ("other op", other_rows(), OTHERS),
              ("attribute", slot_rows(), SLOT)]
    found: dict[str, list[Measured]] = {}
    parts = [f"CPython {platform.python_version()}."]
    for title, rows, bar in groups:
        bars = f"each ratio at most {bar}" + f", their mean at most {MEAN}" * (title == "op")
        print(f"\nns; ratio: ours over plain; {bars} (! is beyond)\n{aligned(heads(title, old))}", flush=True)
        found[title] = []
        for row in rows:
            found[title].append(measure(row, sides, repeats))
            print(aligned(cells(found[title][-1], bar, old)), flush=True)
        lines = [cells(m, bar, old) for m in found[title]]
        if title == "op":
            lines.append(mean_line(found[title], old))
            print(aligned(lines[-1]))
        parts.append(f"Bars: {bars}.\n\n" + table(*without_empty(heads(title, old), lines)))
    closing = ended(sides, repeats)
    nodes = memory()
    print("\n" + "\n".join(closing) + "\n")
    for line in [MEMORY_HEADS, *nodes]:
        print(line[0].ljust(14) + "".join(f"{text:>15}" for text in line[1:]))
    if pages:
        fill(pages, {"operations": "\n\n".join([*parts, *closing, table(MEMORY_HEADS, nodes)]),
                     "operations-summary": summary(found["op"], found["other op"], nodes)})


def without_empty(head: Sequence[str], lines: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """A table's head and lines without the columns in which nothing stands."""
    kept = [i for i in range(len(head)) if any(line[i] for line in lines)]
    return [head[i] for i in kept], [[line[i] for i in kept] for line in lines]


def ended(sides: Sequence[Any], repeats: int) -> list[str]:
    """How far the sides differ, and what `grad` costs."""
    differ = disagreement(first_rows() + other_rows(), sides[0], sides[1])
    said = [f"The values and gradients of these ops differ from the plain class's by at most {differ:.0e}."]
    for name, times in zip(["ours", "old"], beyond_recording([sides[0], *sides[2:]], repeats)):
        recorded, made, both = times
        said.append(f"{name}: recording a function of five nodes, f(Value(x)), takes {recorded:.2f} µs;\n"
                    f"grad(f)(x) takes {both:.2f}{beyond(both, GRAD)} µs more, and "
                    f"{made:.2f}{beyond(made, GRAD)} more where grad(f) is made before (bar: {GRAD:.0f}).")
    return said


def mean_line(first: Sequence[Measured], old: bool) -> list[str]:
    """The geometric means of the ratios."""
    mean = geometric_mean([m.ratio for m in first])
    line = ["geometric mean", "", "", "", number(mean, 2, beyond(mean, MEAN)), ""]
    if old:
        line += ["", number(geometric_mean([m.method / m.old_method for m in first])), ""]
    return line


if __name__ == "__main__":
    main()
