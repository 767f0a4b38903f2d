"""How far from the truth: each op and its derivatives to the third order, ours beside the peers'.

The points and the truth (mpmath at 60 digits) are those of the tests, tests/truth.py; a peer that is not
installed is left out. The unit is the unit in the last place of the truth, or of its largest term
beside a zero; only derivatives that a normal double can hold count.

    python tests/benchmarks/accuracy.py            (see requirements.txt beside it)
"""
from __future__ import annotations

import importlib.util
import math
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from mpmath import mpf                                 # noqa: E402
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


def main() -> None:
    warnings.simplefilter("ignore")
    sides: dict[str, Callable[[str, int], Derivatives]] = {
        "autograd_lite": ours, "PyTorch": torch, "JAX": jax, "HIPS autograd": hips_autograd}
    for name, module in (("PyTorch", "torch"), ("JAX", "jax"), ("HIPS autograd", "autograd")):
        if importlib.util.find_spec(module) is None:
            del sides[name]
    # For each side: first derivatives beyond 4 ulp, and judged; later ones beyond 1e-13, and judged.
    beyond = {side: [0, 0, 0, 0] for side in sides}
    print("Worst error in ulp of the value and of the 1st, 2nd, 3rd derivative;\n"
          "✗: more than 1e15, or a nan; at: where our 1st is worst\n")
    print("| op | " + " | ".join(sides) + " | at |\n|---|" + "---|" * (len(sides) + 1))
    rest = [name for name in TABLE if name not in COMPARED]
    for name, by in [(name, by) for name in COMPARED + rest for by in operands(name)]:
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
                        i, allowed = (0, 4.0) if k == 1 else (2, 1e-13 * 2.0 ** 53)
                        beyond[side][i] += not error <= allowed
                        beyond[side][i + 1] += 1
                    if k == 1 and error > worst[1]:
                        at = xs
                    worst[k] = max(worst[k], error)
            row.append(cell(worst))
            if side == "autograd_lite":
                where = ", ".join(f"{x:.5g}" for x in at)
        print("| " + " | ".join([*row, where]) + " |", flush=True)
    print("\n| share of points | " + " | ".join(sides) + " |\n|---|" + "---|" * len(sides))
    for head, i in (("1st derivative beyond 4 ulp", 0), ("2nd or 3rd beyond 1e-13", 2)):
        print(f"| {head} | " + " | ".join(f"{100 * n[i] / n[i + 1]:.1f} %" for n in beyond.values()) + " |")


if __name__ == "__main__":
    main()
