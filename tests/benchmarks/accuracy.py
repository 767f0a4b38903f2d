"""How far from the truth: each op and its derivatives to the third order, ours beside the peers'.

The points and the truth (mpmath at 60 digits) are those of the tests, tests/truth.py; a peer that is not
installed is left out. The unit is the unit in the last place of the truth, or of its largest term
beside a zero; only derivatives that a normal double can hold count.

    python tests/benchmarks/accuracy.py [--page FILE …]            (see requirements.txt beside it)
"""
from __future__ import annotations

import argparse
import importlib
import importlib.util
import math
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from mpmath import mpf                                 # noqa: E402
from page import fill, table                           # noqa: E402
from truth import HUGE, TINY, partials, points, ulps   # noqa: E402

import autograd_lite as ag                             # noqa: E402
from autograd_lite.ops.op import TABLE                   # noqa: E402

ORDERS = 3
Points = list[tuple[float, ...]]
# For each point, the value and three derivatives by one operand.
Derivatives = Callable[[Points], list[list[float]]]
ALONE = ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan", "asin",
         "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "lgamma",
         "digamma", "sigmoid", "log_sigmoid", "softplus", "elu", "gelu", "silu"]
PAIRS = ["/", "**", "hypot", "atan2"]           # by their first operand, and by their second
COMPARED = [*ALONE, *PAIRS]                     # with the peers; the rest of the table is ours alone


def ours(name: str, by: int) -> Derivatives:
    row = TABLE[name]

    def at(xs: tuple[float, ...]) -> list[float]:
        f: Callable[..., Any] = row
        found = []
        for _ in range(ORDERS + 1):
            try:
                found.append(float(f(*xs)))
            except ag.AutogradError:
                found.append(math.nan)
            f = ag.grad(f, by)
        return found
    return lambda points: list(map(at, points))


def torch(name: str, by: int) -> Derivatives:
    t = importlib.import_module("torch")
    functional = t.nn.functional
    special = {"log_sigmoid": functional.logsigmoid, "softplus": functional.softplus, "elu": functional.elu,
               "gelu": functional.gelu, "silu": functional.silu, "/": t.div, "**": t.pow}
    f = special.get(name) or getattr(t, name)

    def at(points: Points) -> list[list[float]]:
        xs = [t.tensor(column, dtype=t.float64, requires_grad=True) for column in zip(*points)]
        found = [f(*xs)]
        for _ in range(ORDERS):
            total = found[-1].sum()
            if not total.requires_grad:
                found.append(t.zeros_like(found[0]))
                continue
            slope = t.autograd.grad(total, xs[by], create_graph=True, allow_unused=True)[0]
            found.append(t.zeros_like(found[0]) if slope is None else slope)
        return [list(row) for row in zip(*(y.tolist() for y in found))]
    return at


def jax(name: str, by: int) -> Derivatives:
    j = importlib.import_module("jax")
    j.config.update("jax_enable_x64", True)
    np, special = j.numpy, importlib.import_module("jax.scipy.special")
    own = {"erf": special.erf, "erfc": special.erfc, "lgamma": special.gammaln, "digamma": special.digamma,
           "sigmoid": j.nn.sigmoid, "log_sigmoid": j.nn.log_sigmoid, "softplus": j.nn.softplus,
           "elu": j.nn.elu, "gelu": lambda x: j.nn.gelu(x, approximate=False), "silu": j.nn.silu,
           "/": np.divide, "**": np.power, "atan2": np.arctan2}
    f = own.get(name) or getattr(np, name)

    def at(points: Points) -> list[list[float]]:
        columns = [np.array(column) for column in zip(*points)]
        g, found = f, []
        for _ in range(ORDERS + 1):
            found.append(j.jit(j.vmap(g))(*columns).tolist())
            g = j.grad(g, by)
        return [list(row) for row in zip(*found)]
    return at


def hips_autograd(name: str, by: int) -> Derivatives:
    np = importlib.import_module("autograd.numpy")
    egrad = importlib.import_module("autograd").elementwise_grad
    special = importlib.import_module("autograd.scipy.special")
    own = {"erf": special.erf, "erfc": special.erfc, "lgamma": special.gammaln, "digamma": special.psi,
           "sigmoid": special.expit, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
           "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "/": np.divide, "**": np.power,
           "atan2": np.arctan2}
    f = own.get(name) or getattr(np, name)

    def at(points: Points) -> list[list[float]]:
        columns = [np.array(column) for column in zip(*points)]
        g, found = f, []
        for _ in range(ORDERS + 1):
            found.append(np.asarray(g(*columns)).tolist())
            g = egrad(g, by)
        return [list(row) for row in zip(*found)]
    return at


def judged(name: str, by: int) -> list[tuple[tuple[float, ...], list[Any]]]:
    """The points inside the domain, with the true value and derivatives, as far as they count."""
    row, found = TABLE[name], []
    for xs in points(name):
        if not row.domain(*xs) or (row.kink is not None and not row.kink(*xs)):
            continue
        for order in range(ORDERS, -1, -1):
            try:
                truths = partials(name, xs, [by] * order)
            except (ZeroDivisionError, ValueError):
                continue
            break
        kept = []
        for t in truths:
            if not isinstance(t.value, mpf) or not t.largest < HUGE / 64:
                break
            kept.append(t if abs(t.value) >= TINY else None)
        if kept:
            found.append((xs, kept))
    return found


def operands(name: str) -> list[int]:
    """By which operands of a row to differentiate: of many, by the first."""
    op = TABLE[name]
    if op.open:
        return [0]
    return [i for i, has in enumerate(op.differentiable(2)) if has]


def cell(errors: Sequence[float]) -> str:
    """The worst errors of the orders."""
    def short(x: float) -> str:
        return "✗" if not x < 1e15 else f"{x:.1f}" if x < 99.95 else f"{x:.0e}".replace("e+0", "e")
    return " ".join(map(short, errors))


class Beyond:
    """How many derivatives of a side are wrong: the first beyond 4 ulp, later ones beyond 1e-13."""

    def __init__(self) -> None:
        self.first, self.first_judged, self.later, self.later_judged = 0, 0, 0, 0

    def judge(self, order: int, error: float) -> None:
        """Count one derivative with its error in ulp."""
        if order == 1:
            self.first += not error <= 4.0
            self.first_judged += 1
        else:
            self.later += not error <= 1e-13 * 2.0 ** 53
            self.later_judged += 1


def installed() -> dict[str, Callable[[str, int], Derivatives]]:
    """Ours and the peers that are installed."""
    sides: dict[str, Callable[[str, int], Derivatives]] = {
        "autograd_lite": ours, "PyTorch": torch, "JAX": jax, "HIPS autograd": hips_autograd}
    for name, module in (("PyTorch", "torch"), ("JAX", "jax"), ("HIPS autograd", "autograd")):
        if importlib.util.find_spec(module) is None:
            del sides[name]
    return sides


def judged_row(name: str, by: int, sides: dict[str, Callable[[str, int], Derivatives]],
               beyond: dict[str, Beyond]) -> list[str]:
    """The line of one op and operand: each side's worst errors, and where our first derivative is worst."""
    places = judged(name, by)
    row = [f"{name} by {'ab'[by]}" if len(operands(name)) > 1 else name]
    where = ""
    for side, make in sides.items():
        try:
            found = make(name, by)([xs for xs, _ in places]) if side == "autograd_lite" \
                or name in COMPARED else None
        except (AttributeError, NotImplementedError, TypeError):
            found = None
        if found is None:
            row.append("—")
            continue
        worst, at = [0.0] * (ORDERS + 1), places[0][0]
        for (xs, truths), ys in zip(places, found):
            for k, (y, t) in enumerate(zip(ys, truths)):
                if t is None:
                    continue
                error = ulps(y, t, beside_zero=True)
                if k and name in COMPARED:
                    beyond[side].judge(k, error)
                if k == 1 and error > worst[1]:
                    at = xs
                worst[k] = max(worst[k], error)
        row.append(cell(worst))
        if side == "autograd_lite":
            where = ", ".join(f"{x:.5g}" for x in at)
    return [*row, where]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--page", nargs="+", default=[], metavar="FILE", help="pages to put the tables into")
    pages = parser.parse_args().page
    warnings.simplefilter("ignore")
    sides = installed()
    beyond = {side: Beyond() for side in sides}
    head = ["op", *sides, "at"]
    print("Worst error in ulp of the value and of the 1st, 2nd, 3rd derivative;\n"
          "✗: more than 1e15, or a nan; at: where our 1st is worst\n")
    print(table(head, []))
    rest = [name for name in TABLE if name not in COMPARED]
    rows = []
    for name, by in [(name, by) for name in COMPARED + rest for by in operands(name)]:
        rows.append(judged_row(name, by, sides, beyond))
        print("| " + " | ".join(rows[-1]) + " |", flush=True)
    counts = beyond.values()
    shares = table(["share of points", *sides], [
        ["1st derivative beyond 4 ulp", *[f"{100 * n.first / n.first_judged:.1f} %" for n in counts]],
        ["2nd or 3rd beyond 1e-13", *[f"{100 * n.later / n.later_judged:.1f} %" for n in counts]]])
    print("\n" + shares)
    if pages:
        fill(pages, {"accuracy": table(head, rows), "share": shares})


if __name__ == "__main__":
    main()
