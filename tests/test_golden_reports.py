"""The reports of `audit`, `explain`, `check_gradients` and `check_op`, held to the letter."""
from __future__ import annotations

import contextlib
import functools
import io
import math
import tempfile

import numpy as np
import pytest
from golden import expected, steady

import autograd_lite as ag
import derivations
from autograd_lite import Value, audit, check_gradients, check_op, cli, explain, label
from autograd_lite.ops.op import TABLE

inf, nan = math.inf, math.nan


def two():
    a, b = Value(2.5, "a"), Value(3.5, "b")
    c = a * b
    d = c * c + ag.sin(a)
    label(c=c, d=d)
    return a, b, c, d


def of_two(claims, *more, **options):
    return lambda: str(audit(two()[3], claims, *more, **options))


def arrays(change=lambda claims: claims, **options):
    """L = ½ Σ (tanh(x W) · v)², and its derivation by hand."""
    numbers = np.random.default_rng(7)
    x, W, v = numbers.normal(size=2), numbers.normal(size=(2, 3)), numbers.normal(size=3)
    nodes, u = (np.vectorize(Value, otypes=[object])(array) for array in (W, v))
    h = np.tanh(x @ nodes)
    L = 0.5 * (h @ u) ** 2
    label(W=nodes, v=u, h=h, L=L)
    out = np.tanh(x @ W)
    dh = (out @ v) * v
    claims = {"v": (out @ v) * out, "h": dh, "W": np.outer(x, dh * (1.0 - out ** 2))}
    return str(audit(L, change(claims), **options))


def of_derivation(derivation, mistakes):
    point = derivations.point(derivation)
    return str(audit(derivation.forward(point), derivations.run(derivation, point, *mistakes)))


def changed(name, change):
    return lambda claims: claims | {name: change(claims[name])}


def at_kinks():
    x, y = Value(0.0, "x"), Value(1.0, "y")
    r = ag.relu(x) + ag.maximum(y, 1.0) * abs(x)
    label(r=r)
    return str(audit(r, {"x": 2.0, "y": 1.0}))


AUDITS = {
    "all agree": of_two({("c", "a"): 3.5, ("c", "b"): 2.5}),
    "one agrees": of_two({("c", "a"): 3.5}),
    "none": of_two({}),
    "a cause and what it spoils": of_two({("c", "a"): 2.5, ("d", "c"): 17.5, "a": 43.75 + math.cos(2.5),
                                          "b": 43.75}),
    "a wrong line after a wrong one": of_two({("c", "a"): 2.5, ("d", "c"): 17.5, "a": -43.75}),
    "rtol": of_two({("c", "a"): 3.51, ("c", "b"): 2.5}, 1e-2),
    "not finite": of_two({("c", "a"): nan, ("c", "b"): inf}),
    "reversed": of_two({("a", "c"): 3.5, ("c", "a"): 3.5}),
    "independent": of_two({("a", "b"): 1.0}),
    "values": of_two({"a": 61.0}, values={"c": 8.7, "d": 77.0}),
    "values spoil": of_two({"a": 2 * 8.7 * 3.5 + math.cos(2.5), ("d", "c"): 17.4}, values={"c": 8.7}),
    "arrays agree": arrays,
    "an entry": functools.partial(arrays, changed("W", lambda W: W * [[1, 1, -1], [1, 1, 1]])),
    "an array": functools.partial(arrays, changed("h", lambda h: 2.0 * h)),
    "an array and what it spoils": functools.partial(arrays, lambda claims: claims | {
        "h": -claims["h"], "W": -claims["W"]}),
    "entries of both kinds": functools.partial(arrays, lambda claims: claims | {
        "h": claims["h"] * [1, -1, 1], "W": claims["W"] * [[-1, -1, 1], [1, -1, 1]]}),
    "float32": functools.partial(arrays, changed("v", lambda v: (v * (1 + 3e-5)).astype(np.float32))),
    "kinks": at_kinks,
    **{f"{derivation.__name__.rpartition('.')[2]}, {len(some)} mistakes": functools.partial(
        of_derivation, derivation, some)
       for derivation in derivations.DERIVATIONS[1::2]
       for every in [derivations.mistakes(derivation)]
       for some in [every[2:3], [every[1], every[-1]]] if len({key for key, _ in some}) == len(some)},
}


# -- explain ----------------------------------------------------------------------------------------


def explained(make):
    return lambda: str(explain(*make()))


def d_and_a():
    a, _, _, d = two()
    return d, a


def long_chain(n, f):
    x = Value(0.5, "x")
    y = x
    for k in range(n):
        y = f(y)
        if k % 7 == 3:
            y.label = f"y{k}"
    return y, x


def network():
    xs = [Value(0.1 * k + 0.2, f"x{k}") for k in range(8)]
    h = [ag.tanh(ag.dot(xs, [math.sin(i * j + 1.0) for i in range(8)])) for j in range(4)]
    label(h=h)
    y = ag.sum(h) * xs[0] + ag.where(ag.less(xs[1], 0.0), xs[2], xs[3])
    y.label = "y"
    return y, xs


def lost(f, x):
    v = Value(x, "x")
    with ag.errstate("ignore"):
        y = f(v)
    return y, v


EXPLANATIONS = {
    "a value": explained(lambda: (two()[3],)),
    "two paths": explained(d_and_a),
    "a leaf": explained(lambda: (Value(2.0, "x"),)),
    "itself": explained(lambda: [two()[3]] * 2),
    "a condition": explained(lambda: (lambda y, xs: (y, xs[1]))(*network())),
    "only a condition": explained(lambda: (lambda x, y: (ag.where(ag.less(x, 0.0), y, y * y), x))(
        Value(1.0, "x"), Value(2.0, "y"))),
    "a network's value": explained(lambda: network()[:1]),
    "a network's gradient": explained(lambda: (lambda y, xs: (y, xs[0]))(*network())),
    "a chain": explained(lambda: long_chain(30, ag.sin)),
    "a chain that shrinks": explained(lambda: long_chain(60, lambda y: 1e-8 * y)),
    "a chain of sums": explained(lambda: long_chain(40, lambda y: y + y)),
    "more paths than a double holds": explained(lambda: long_chain(1100, lambda y: 0.3 * y + y * 0.5)),
    "cancels": explained(lambda: lost(lambda x: x * 2.0 - x * 2.0, 1.5)),
    "cancels in part": explained(lambda: lost(lambda x: x * 2.0 - x * 1.9 + 0.3 * x * x, 1.5)),
    "flat": explained(lambda: lost(lambda x: ag.relu(x) * 3.0 + ag.relu(x - 1.0), -1.5)),
    "underflow": explained(lambda: lost(lambda x: ag.exp(-700.0 * x) * 1e-300, 1.0)),
    "no derivative": explained(lambda: lost(lambda x: ag.sqrt(x) * 2.0, 0.0)),
    "overflow": explained(lambda: lost(lambda x: (x * 1e200) * 1e200, 1e-300)),
    "an infinite value": explained(lambda: lost(lambda x: ag.exp(x) * 2.0 + 1.0, 1000.0)[:1]),
    "an infinite value's gradient": explained(lambda: lost(lambda x: ag.exp(x) * 2.0 + 1.0, 1000.0)),
    "nan of infinities": explained(lambda: lost(lambda x: ag.exp(x) - ag.exp(x), 1000.0)[:1]),
    **{f"nan of {n} infinities": explained(lambda n=n: lost(
        lambda x: (lambda y: ag.sum([y] * (n - 1) + [-y]))(ag.exp(x)), 1000.0)[:1]) for n in (4, 5)},
    "given nan": explained(lambda: lost(lambda x: x * 2.0, nan)[:1]),
    "a constant": explained(lambda: lost(lambda x: x * inf, 1.0)[:1]),
    "log of 0": explained(lambda: lost(lambda x: 1.0 / (x - 1.5), 1.5)[:1]),
    "many lost": explained(lambda: lost(lambda x: ag.sum([ag.relu(x - k) for k in range(9)]), -1.0)),
    "frozen": explained(lambda: (lambda x, y: (x * y * y, y))(
        Value(2.0, "x"), Value(3.0, "y", requires_grad=False))),
}


# -- check_gradients and check_op ---------------------------------------------------------------------


def checked(*arguments, **options):
    return lambda: str(check_gradients(*arguments, **options))


def bypassing(p):
    return p[0] * p[1].data if isinstance(p[1], Value) else p[0] * p[1]


def op_checked(name, forward, rules, *points, order=1, **options):
    def text():
        try:
            op = ag.custom_op(forward, rules, name=name, **options)
            return str(check_op(op, *points, order=order))
        finally:
            TABLE.pop(name, None)
    return text


CHECKS = {
    "right": checked(lambda p: ag.sin(p[0]) * p[1], [1.0, 2.0]),
    "of a structure": checked(lambda p: p["a"] * ag.exp(p["b"][1]), {"a": 1.5, "b": [1.0, 2.0]}, order=1),
    "a limit": checked(lambda x: ag.exp(x) * 1e-12, 1.0, claimed=math.e * 1e-12 * (1 + 5e-9), order=1),
    "within it": checked(lambda x: ag.exp(x) * 1e-12, 1.0, claimed=math.e * 1e-12 * (1 + 5e-10), order=1),
    "right at order 3": checked(lambda x: x ** 4, 1.5, order=3),
    "claimed wrong": checked(lambda p: p[0] * p[1] ** 2, [1.5, 2.0], claimed=[4.0, 7.0], order=1),
    "claimed many wrong": checked(lambda p: ag.sum([x * x for x in p]), [1.0 * k for k in range(1, 12)],
                                  claimed=[2.5 * k for k in range(1, 12)], order=1),
    "claimed nan": checked(lambda x: x * x, 1.5, claimed=nan, order=1),
    "claimed 0": checked(lambda x: x * x, 1.5, claimed=0.0, order=1),
    "claimed at 0": checked(lambda x: x * x, 0.0, claimed=1e-3, order=1),
    "a kink": checked(ag.relu, 0.0),
    "near a kink": checked(lambda x: abs(x), 1e-9),
    "a named function": checked(bypassing, [1.5, 2.5], order=1),
    "refused": checked(ag.sqrt, 0.0),
    "many": checked(lambda p: ag.sum([ag.sin(x) * y for x, y in zip(p, p[1:])]),
                    [0.1 * k for k in range(45)], order=1),
    "op right": lambda: str(check_op(ag.tanh)),
    "op at points": lambda: str(check_op(ag.atan2, (1.0, 2.0), (-1.0, 0.5))),
    "op on a choice": lambda: str(check_op(TABLE["where"])),
    "op of many": lambda: str(check_op(TABLE["logsumexp"], order=1)),
    "op with an option": lambda: str(check_op(TABLE["leaky_relu"], order=1)),
    "op wrong": op_checked("wrong", lambda x: x ** 3, (lambda y, x: 3.0003 * x * x,), 2.0, -1.5),
    "op wrong by the second": op_checked("wrong", lambda a, b: a * b * b, (
        lambda y, a, b: b * b, lambda y, a, b: -2.0 * a * b), order=2),
    "op wrong sign and nan": op_checked("wrong", lambda a, b: a - b, (
        lambda y, a, b: nan, lambda y, a, b: 1.0), (1.0, 2.0)),
}
# -- the command line ---------------------------------------------------------------------------------


def command(*arguments):
    """What a command prints, on both streams, and its status."""
    out, errors = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("COLUMNS", "80")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                status = cli.main([*arguments])
            except SystemExit as ended:
                status = ended.code
    return f"{out.getvalue()}--\n{errors.getvalue()}--\n{status}"


COMMANDS = ["--help", "document --help", "document --steps 0", "document --steps x", "document --steps 3", "",
            "document --steps 2 --json", "document --steps 1 --output /dev/null/x", "--nonsense",
            "grad sin(x*y)+z --at x=2 y=3 z=5 --order 3", "check x*y --claim x:x --claim y:x",
            "check relu(x)*y --claim x:y --claim y:relu(x)", "grad x*foo(y) --at x=1"]

NAME = "reports"
CASES = {**{f"audit: {name}": give for name, give in AUDITS.items()},
         **{f"explain: {name}": give for name, give in EXPLANATIONS.items()},
         **{f"check: {name}": give for name, give in CHECKS.items()},
         **{f"autograd-lite {line}": functools.partial(command, *line.split()) for line in COMMANDS}}


@pytest.mark.parametrize("case", CASES)
def test_the_report_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
