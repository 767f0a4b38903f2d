"""Where verdicts turn: over sizes of errors, distances and digits, in decades; held to the letter.

A line holds a verdict for each size, from large to small.
"""
from __future__ import annotations

import functools
import math
import re

import numpy as np
import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import (AutogradError, Value, audit, check_gradients, derivative, diagnose, explain, label,
                           taylor)
from autograd_lite.ops.custom import Custom
from autograd_lite.ops.op import TABLE
from autograd_lite.ops.selection import Comparison

DECADES = range(1, 17)


def runs(found) -> str:
    """Verdicts, or errors, for decades 1, 2, …, those that are alike together."""
    lines, start = [], 0
    found = list(found)
    for k in range(1, len(found) + 1):
        if k == len(found) or found[k] != found[start]:
            lines.append(f"10^-{start + 1} to 10^-{k}: {found[start]}")
            start = k
    return "\n".join(lines)


def of(call) -> str:
    try:
        return str(call())
    except AutogradError as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


# -- audit ------------------------------------------------------------------------------------------


def audited(make, claimed, rtol=None, kind=float):
    def verdict(error):
        root, x, right = make()
        row, = audit(root, {(root, x): kind(claimed(right, error))}, rtol).rows
        return row.verdict + " by a convention" * row.convention
    return lambda: runs(verdict(10.0 ** -k) for k in DECADES)


def product():
    x = Value(1.5, "x")
    return x * 2.5, x, 2.5


def cancelling(size):
    def make():
        x = Value(1.5, "x")
        return x * size - x * size + x * 2.5, x, 2.5
    return make


def kink():
    x = Value(0.0, "x")
    return ag.relu(x) * 2.5 + x, x, 1.0


def values_of(error):
    x = Value(1.5, "x")
    y = x * x
    z = ag.sin(y) * 3.0
    label(y=y, z=z)
    report = audit(z, {"y": 3.0 * math.cos(2.25 * (1.0 + error)), "x": 9.0 * math.cos(2.25)},
                   values={"y": 2.25 * (1.0 + error), "z": 3.0 * math.sin(2.25)})
    return ", ".join([row.verdict for row in report.rows])


AUDITS = {
    "a relative error": audited(product, lambda right, e: right * (1.0 + e)),
    "a relative error and a sign": audited(product, lambda right, e: -right * (1.0 + e)),
    "rtol 1e-3": audited(product, lambda right, e: right * (1.0 + 0.9 * e), 1e-3),
    "rtol 1e-12": audited(product, lambda right, e: right * (1.0 + 0.9 * e), 1e-12),
    "rtol 0": audited(product, lambda right, e: right * (1.0 + e), 0.0),
    "float32": audited(product, lambda right, e: right * (1.0 + 0.9 * e), None, np.float32),
    "float16": audited(product, lambda right, e: right * (1.0 + 0.9 * e), None, np.float16),
    "terms of 1e3 that cancel": audited(cancelling(1e3), lambda right, e: right + e),
    "terms of 1e9 that cancel": audited(cancelling(1e9), lambda right, e: right + e),
    "terms of 1e15 that cancel": audited(cancelling(1e15), lambda right, e: right + e),
    "the other slope at a kink": audited(kink, lambda right, e: 3.5 * (1.0 + e)),
    "wrong numbers of the forward pass": lambda: runs(values_of(10.0 ** -k) for k in DECADES),
}


# -- check_gradients --------------------------------------------------------------------------------


def checked(f, x, claimed=None, order=1):
    report = check_gradients(f, x, claimed, order)
    return report.verdict + ", to blame: " * bool(report.blame) + ", ".join([p.op for p in report.blame])


def leaking(size):
    return lambda p: ag.sin(p[0]) + size * (p[1].data if isinstance(p[1], Value) else p[1]) + p[1]


def rounded_op(size):
    op = ag.custom_op(lambda a: a * a, (lambda y, a: 2.0 * a * (1.0 + size),), name="golden_square")
    del TABLE["golden_square"]
    return op


def times_itself(f):
    return lambda a: f(a) * a


def opaque(size):
    op = ag.custom_op(lambda a: a * a + size * math.sin(a / size), (lambda y, a: 2.0 * a,),
                      name="golden_opaque")
    del TABLE["golden_opaque"]
    return op


CHECKS = {
    "a relative error of a claim": lambda e: checked(lambda a: ag.exp(a), 1.0, math.e * (1.0 + e)),
    "a claim instead of 0": lambda e: checked(lambda a: a * 0.0 + 1.0, 1.0, e),
    "a claim next to cancelling terms": lambda e: checked(lambda a: a * 1e8 - a * 1e8 + a, 1.5, 1.0 + e),
    "a partial that is off": lambda e: checked(rounded_op(e), 1.5),
    "a second derivative that is off": lambda e: checked(times_itself(rounded_op(e)), 1.5, order=2),
    "a distance from abs's kink": lambda e: checked(lambda a: abs(a), e),
    "a distance from maximum's kink": lambda e: checked(lambda a: ag.maximum(a, 1.0), 1.0 + e, order=2),
    "a claim of the mean near a kink": lambda e: checked(lambda a: abs(a), e, 0.0),
    "a claim of the mean near a branch": lambda e: checked(lambda a: a if a > 1.0 else -a, 1.0 + e, 0.0),
    "a distance from Python's branch": lambda e: checked(lambda a: a * a if a > 1.0 else a, 1.0 + e),
    "a distance from sqrt's edge": lambda e: checked(lambda a: ag.sqrt(a), e, order=2),
    "a part that bypasses the graph": lambda e: checked(leaking(e), [0.5, 1.5]),
    "a rough function": lambda e: checked(opaque(e), 1.5),
    "a difference of large numbers": lambda e: checked(lambda a: (a + 1.0 / e) - 1.0 / e, 1.5, order=2),
}


# -- digits of derivatives --------------------------------------------------------------------------

SERIES = {
    "(x + 1 − 1) / x": lambda x: (x + 1.0 - 1.0) / x,
    "(1 − cos x) / x²": lambda x: (1.0 - ag.cos(x)) / (x * x),
    "(exp x − 1) / x": lambda x: (ag.exp(x) - 1.0) / x,
    "expm1 x / x": lambda x: ag.expm1(x) / x,
    "sin x / x": lambda x: ag.sin(x) / x,
    "x − sin x": lambda x: x - ag.sin(x),
    "√(1 + x) − √(1 − x)": lambda x: ag.sqrt(1.0 + x) - ag.sqrt(1.0 - x),
    "log(1 + x)": lambda x: ag.log(1.0 + x),
    "1 / (1/x + 1)": lambda x: 1.0 / (1.0 / x + 1.0),
    "tanh(1/x)": lambda x: ag.tanh(1.0 / x),
    "|x| x": lambda x: abs(x) * x,
    "x^2.5": lambda x: x ** 2.5,
    "(x + 3)³ − 27": lambda x: (x + 3.0) ** 3 - 27.0,
    "√(x² + x⁴)": lambda x: ag.sqrt(x * x + x ** 4),
    "a product of differences": lambda x: (x - ag.tanh(x)) * (ag.exp(x) - ag.cos(x)) / (x + 1e3 - 1e3),
    "a mean": lambda x: ag.mean([x, x * x, ag.sin(x)]) - ag.dot([x, x], [x, 1.0 / 3.0]),
    "softmax": lambda x: ag.softmax([x, 2.0 * x, 1.0])[1] - ag.logsumexp([x, x * x]),
    "a power of a difference": lambda x: (x - 0.999 * x) ** 3.5 * ag.log1p(x),
    "choices": lambda x: ag.erf(x) + ag.where(
        ag.less(x, 0.1), ag.sin(x) - x, ag.maximum(x, 1.0) * ag.gelu(x)),
}


def series(f, order):
    def one(x):
        text = of(lambda: taylor(f, x, order))
        return text.partition(":")[0] if "Error" in text else "passed"
    return runs(one(0.7 * 10.0 ** -k) for k in DECADES)


def digits(f, x, k):
    text = of(lambda: f"{derivative(f, k)(x) + 0.0:.5g}")
    found = re.search(r"so that (\d+) of its digits .* changed it by ([^;]*);", text)
    return f"{found[1]} digits ({float(found[2]):.0e})" if found else text.partition(":")[0]


def derivatives(f):
    """The derivatives to order 8 at three points; what is refused by the digits left and the roundings."""
    return "\n".join([", ".join([digits(f, x, k) for k in range(9)]) for x in (0.3, 0.01, 3.0)])


def quotients(op):
    """The difference quotient of an op, of which each order has fewer digits."""
    at = [0.5, 0.75, 0.25][:3 if op.open else op.least]
    ways = [1.0, -2.0, 0.5]

    def f(x):
        moved = op(*[a if i in op.options else a + way * x for i, (a, way) in enumerate(zip(at, ways))])
        return (moved - op(*at)) / x
    return "\n".join([", ".join([digits(f, x, k) for k in range(6)]) for x in (0.1, 1e-3)])


# -- others -----------------------------------------------------------------------------------------


def explained(size):
    x, y = Value(1.5, "x"), Value(2.0, "y")
    z = x * size + y * y * x + ag.tanh(x * 2.0)
    return "; ".join([f"{path.share:.3g}" for path in explain(z, x).paths] + [
        line for line in str(explain(z, x)).splitlines() if "cancel" in line or "smallest" in line])


def gone(size):
    x = Value(1.0, "x")
    with ag.errstate("ignore"):
        y = (x * size) * size ** 19
    return ", ".join([finding.what for finding in explain(y, x).findings]) or "nothing lost"


def diagnosed(error):
    def forward(point):
        a, b = Value(point[0], "a"), Value(point[1], "b")
        y = a * b * b
        label(y=y)
        return y

    def hand(point):
        return {"a": point[1] ** 2, "b": point[0] * point[1] * (1.0 + error)}
    found = diagnose(forward, hand, [(0.3, 0.7), (1.1, -0.4), (0.9, 1.7)])
    return "; ".join([text for row in found.causes for _, text in row.diagnoses]) or (
        "correct" if found.ok else "nothing")


NAME = "sweeps"
CASES = {
    **{f"audit: {name}": give for name, give in AUDITS.items()},
    **{f"check: {name}": lambda f=f: runs(of(lambda: f(10.0 ** -k)) for k in DECADES)
       for name, f in CHECKS.items()},
    **{f"taylor to {n}: {name}": functools.partial(series, f, n)
       for name, f in SERIES.items() for n in (1, 4)},
    **{f"derivatives: {name}": functools.partial(derivatives, f) for name, f in SERIES.items()},
    **{f"difference quotients: {name}": functools.partial(quotients, op) for name, op in TABLE.items()
       if not isinstance(op, Custom) and not op.chooses and not isinstance(op, Comparison)},
    "explain: shares": lambda: runs(explained(10.0 ** (2 - k)) for k in DECADES),
    "explain: what is lost": lambda: runs(gone(10.0 ** -k) for k in DECADES),
    "diagnose: a factor that is off": lambda: runs(diagnosed(10.0 ** -k) for k in DECADES),
}


@pytest.mark.parametrize("case", CASES)
def test_the_verdicts_turn_where_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
