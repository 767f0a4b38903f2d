"""The reports of `audit`, `explain`, `check_gradients` and `check_op`, held to the letter."""
from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import math
import re
import tempfile

import numpy as np
import pytest
from golden import expected, steady

import autograd_lite as ag
import derivations
from autograd_lite import Value, audit, check_gradients, check_op, cli, explain, label
from autograd_lite.checks.report import Report
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


def named(n):
    x = Value(3.0, "x" * n)
    y = x * x * 2.0
    y.label = "y"
    return str(audit(y, {"x" * n: 12.0}))


def meanings():
    """Numbers that labelled nodes hold, too: a whole one, a negative one, one of many nodes."""
    a, b, c, d = Value(-20.0, "a"), Value(-3.0, "b"), Value(0.3, "c"), Value(11.0, "d")
    e, f, g, h = (Value(0.7, name) for name in "efgh")
    y = a * b + c * d + e * f * g + h * 1.5
    y.label = "y"
    return str(audit(y, {"a": 0.3, "b": 11.0, "c": -20.0, "d": -3.0, "e": 0.7, "f": 1.7, "g": 0.3, "h": 0.7}))


def tensor(change):
    """An array of three axes as a nested list, and what a report has of it."""
    nodes = [[[Value(0.5 * i - j + 0.25 * k, f"t{i}{j}{k}") for k in range(2)] for j in range(3)]
             for i in range(2)]
    y = ag.sum([v * v for rows in nodes for row in rows for v in row])
    label(T=nodes)
    report = audit(y, {"T": [[[change(2.0 * v.data, i, j, k) for k, v in enumerate(row)]
                              for j, row in enumerate(rows)] for i, rows in enumerate(nodes)]})
    row = report.rows[0]
    return f"{report}\n{row}\n{row.claimed}\n{row.derived}\n{row.worst}\n{row.entries}"


def column():
    """An array of three rows of one."""
    nodes = [[Value(0.5 * i)] for i in range(3)]
    y = ag.sum([row[0] * (i + 1.0) for i, row in enumerate(nodes)])
    label(C=nodes, y=y)
    row, = audit(y, {"C": [[1.0], [2.0], [4.0]]}).rows
    return f"{row}\n{row.claimed}, {row.derived}, {row.follows}"


def alike(*errors):
    """Entries that are off by nearly the same factor."""
    v = [Value(1.0, f"v{k}") for k in range(len(errors))]
    label(v=v)
    return str(audit(ag.sum(v), {"v": [1.0 + e for e in errors]}).rows[0])


def kinks_of_many():
    x = [Value(0.0, f"a_long_name_of_an_input{k}") for k in range(5)]
    y = ag.sum([ag.relu(v) for v in x[:4]]) + abs(x[4])
    y.label = "y"
    return str(audit(y, {v.label: 1.0 for v in x}))


def precisions(rtol=None):
    x, y = Value(2.0, "x"), Value(3.0, "y")
    z = x * y + x
    z.label = "z"
    return str(audit(z, {"x": np.float32(4.0 * (1 + 5e-5)), "y": 2.0 * (1 + 5e-5)}, rtol))


def rounded(rtol):
    """A claim in float32 of what is 0 but for rounding."""
    x, y = Value(2.0, "x"), Value(3.0, "y")
    z = x * y - x * 3.0 + y
    z.label = "z"
    return str(audit(z, {"x": np.float32(3e-7), "y": np.float32(3.0)}, rtol))


def forward_pass(values, claims=()):
    """y = √x by a function of Python's, u = 3y, z = sigmoid(u)·x and t = x² of a tiny number."""
    root = ag.custom_op(math.sqrt, (lambda y, x: 0.5 / y,), name="root of Python's")
    try:
        x, small = Value(2.25, "x"), Value(1e-8, "small")
        y = root(x)
        u = 3.0 * y
        z = ag.sigmoid(u)
        p = z * x
        t = small * small
        s = t * 3.0
        r = p + s
        label(y=y, u=u, z=z, p=p, t=t, s=s, r=r)
        return str(audit(r, dict(claims), values=values))
    finally:
        TABLE.pop("root of Python's", None)


def slope_at(z):
    return z * (1.0 - z)


AUDITS |= {
    **{f"a name of {n}": functools.partial(named, n) for n in (17, 18, 19, 20, 75)}, "meanings": meanings,
    "three axes": lambda: tensor(lambda x, i, j, k: x), "three axes, one wrong": lambda: tensor(
        lambda x, i, j, k: x + (i, j, k).count(1) * (j == 2)),
    "a column": column, "nearly alike": lambda: alike(1.0, 1.0 + 1e-11, 1.0 - 1e-11),
    "not quite alike": lambda: alike(
        1.0, 1.0 + 1e-8, 1.0), "a nan among them": lambda: alike(0.0, 1.0, nan, 5.0),
    "many kinks": kinks_of_many,
    "two precisions": precisions, "two precisions, rtol": lambda: precisions(1e-4),
    "noise of a precision, rtol": lambda: rounded(1e-4), "noise of a precision": lambda: rounded(None),
    "noise of a precision, a small rtol": lambda: rounded(9e-5),
    "two precisions, a small rtol": lambda: precisions(9e-5),
    "values: outside a domain": lambda: forward_pass({"x": -1.0, "y": 1.5, "u": 4.5}),
    "values: outside a domain, and on": lambda: forward_pass({"x": -1.0, "u": 4.5, "p": 2.0}),
    "values: outside a domain, and wrong": lambda: forward_pass({"x": -1.0, "y": 1.0}),
    "values: tiny": lambda: forward_pass({"t": 2e-16, "s": 1e-13}),
    "values: tiny ones that follow": lambda: forward_pass({"t": 2e-16, "s": 6e-16, "r": 2.225}),
    "values: a result": lambda: forward_pass({"z": 0.75}, {
        ("z", "u"): slope_at(0.75), ("r", "u"): 2.25 * slope_at(0.75), "x": 0.75 + 2.25 * slope_at(0.75)}),
    "values: a result, by the right one": lambda: forward_pass({"z": 0.75}, {
        ("z", "u"): slope_at(1.0 / (1.0 + math.exp(-4.5)))}),
    "values: an operand": lambda: forward_pass({"x": 4.0, "y": 2.0, "u": 6.0}, {
        ("y", "x"): 0.25, ("u", "x"): 0.75, ("r", "z"): 4.0}),
    "values: labels of two letters": lambda: str(audit(Value(2.0, "W1") * 3.0, {"W1": 3.0}, values={
        "W1": 2.5}).as_dict()["rows"]),
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


def chain_with(n, *places, factor=1.25):
    """A chain of operations, of which some have a label."""
    y = x = Value(1.5, "x")
    for k in range(1, n + 1):
        y = y * factor
        if k in places:
            y.label = f"y{k}"
    return y, x


def path_of(y, x):
    path, = explain(y, x).paths
    return f"{path}\n{path.brief()}\n{path.product()}"


def in_part_recorded():
    x = Value(-1.5, "x")
    with ag.record_lines():
        a = ag.relu(x) * 3.0
    return a + ag.relu(x - 1.0), x


def many_at_once(n):
    x = Value(0.5, "x")
    y = x
    for _ in range(n):
        y = ag.sum([y] * 10)
    return y, x


def overflowing():
    x = Value(1e-300, "x")
    t = x * 1e300
    t.label = "t"
    return t * 1e10 + t * 2e10, x


def small_shares(share):
    x = Value(1.0, "x")
    return x * 1.0 + x * share, x


EXPLANATIONS |= {
    **{f"a chain of {n}, labels at {places}": lambda n=n, places=places: path_of(*chain_with(n, *places))
       for n, places in ((6, ()), (7, (3,)), (8, (3,)), (8, (2, 4, 7)), (10, ()), (11, ()), (12, ()),
                         (12, (6,)),
                         (24, (2, 4, 7, 9, 10)), (40, tuple(range(3, 36, 3))), (40, tuple(range(3, 40, 4))),
                         (30, (5, 10, 15, 20, 25)), (30, (5, 10, 15, 20, 25, 28)), (11, tuple(range(1, 11))),
                         (12, tuple(range(1, 12))), (13, tuple(range(1, 13))))},
    "a factor of a thousandth": explained(lambda: chain_with(3, 1, 2, factor=1e-3)),
    "a smaller factor": explained(lambda: chain_with(3, 1, 2, factor=0.9e-3)),
    "a contribution that just holds": explained(lambda: chain_with(1, factor=2.2250738585072014e-308)),
    "one that does not": explained(lambda: chain_with(1, factor=-1e-308)),
    "one far below": explained(lambda: chain_with(3, factor=-1e-200)),
    "one far above": explained(lambda: lost(lambda x: x * -1e200 * 1e200 * 1e-300, 1.0)),
    "a million paths": explained(lambda: many_at_once(6)),
    "ten million paths": explained(lambda: many_at_once(7)),
    "overflow after a sum": explained(lambda: lost(lambda x: (lambda t: t * 2e200 + t * 1e200)(x * 1e200),
                                                   1e-300)),
    "a sum that overflows": explained(lambda: lost(lambda x: x * 1.2e308 + x * 1.2e308, 0.1)),
    "in part recorded": lambda: re.sub(r"at \S+:\d+", "at the line", str(explain(*in_part_recorded()))),
    "small shares": explained(lambda: small_shares(4.9e-4)),
    "smaller shares": explained(lambda: small_shares(5.1e-4)),
    "a label of 31 letters": explained(lambda: (lambda x: (x * 2.0, x))(Value(1.0, "x" * 31))),
    "a label of 30 letters": explained(lambda: (lambda x: (x * 2.0, x))(Value(1.0, "x" * 30))),
    "inputs that matter and do not": explained(lambda: (ag.sum([Value(0.5 * k, f"x{k}") * (3.0 - k)
                                                                for k in range(
        7)]) + 0.0 * Value(9.0, "idle"),)),
    "inputs of no value": explained(lambda: (Value(0.0, "x") * 3.0 + Value(0.0, "y") * 4.0,)),
    "an input that does not matter at all": explained(lambda: (ag.relu(Value(-2.0, "x")) + Value(3.0, "y"),)),
    "places of many": explained(lambda: (lambda x: (ag.sum([Value(1.0), x, x * x]), x))(Value(2.0, "x"))),
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
CHECKS |= {
    **{f"claimed {n} wrong": checked(lambda p: ag.sum([x * x for x in p]), [1.0 * k for k in range(1, 12)],
                                     claimed=[2.0 * k + (k <= n) for k in range(1, 12)], order=1)
       for n in (1, 8, 9)},
    "claimed by a little more": checked(lambda x: x * x, 1.5, claimed=3.0 * 1.1 + 1e-9, order=1),
    "claimed by a little less": checked(lambda x: x * x, 1.5, claimed=3.29, order=1),
    "two go past the graph": checked(lambda p: p[0] * p[1].data * p[2].data, [1.5, 2.0, 0.25], order=1),
    "of many, at order 2": checked(lambda p: ag.sum([ag.relu(x) * x * x for x in p]), [1.0, 0.0, -1.0, 2.0]),
    "many wrong by an op": op_checked("wrong", lambda *xs: sum(xs), lambda y,
                                      xs: [1.0 + k for k in range(len(xs))],
                                      tuple(0.5 + k for k in range(12))),
}


def page(give):
    """A report in HTML, a line for each element, with no styles but of rows."""
    text = re.sub(r'(<(?:td|th|table|div)[^>]*?) style="[^"]*"', r"\1", give()._repr_html_())
    return re.sub(r"(<(?:div|tr|b|table))", r"\n\1", text)


PAGES = {
    "audit": lambda: audit(two()[3], {("c", "a"): 2.5, ("d", "c"): 17.5, "a": 43.75 + math.cos(2.5),
                                      "b": nan}),
    "explain a gradient": lambda: explain(*d_and_a()), "explain a value": lambda: explain(two()[3]),
    "check": lambda: check_gradients(lambda p: p[0] * p[1], [2.0, 3.0], [3.0, 7.0]),
    "check a right one": lambda: check_gradients(lambda p: p[0] * p[1], [2.0, 3.0], order=1)}


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
         **{f"page: {name}": functools.partial(page, give) for name, give in PAGES.items()},
         **{f"autograd-lite {line}": functools.partial(command, *line.split()) for line in COMMANDS}}


@pytest.mark.parametrize("case", CASES)
def test_the_report_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


def test_what_reports_hold_cannot_be_changed_and_shows_as_its_line():
    of_audit, of_path = audit(two()[3], {("c", "a"): 2.5}), explain(*d_and_a())
    lost_at = explain(*lost(lambda x: ag.relu(x) * 3.0, -1.5))
    try:
        op = ag.custom_op(lambda x: x * x, (lambda y, x: 3.0 * x,), name="wrong")
        of_check = check_op(op, 1.5)
    finally:
        TABLE.pop("wrong", None)
    for thing in (of_audit.rows[0], lost_at.found[0], of_check.derivatives[0], of_check.partials[0]):
        assert repr(thing) == f"<{thing}>"
    for thing in (of_audit, of_path, of_check, of_path.paths[0]):
        assert repr(thing) == str(thing)
    for thing, name in ((of_audit, "rows"), (of_audit.rows[0], "verdict"), (of_path, "paths"),
                        (of_check, "notes"),
                        (of_path.paths[0], "share"), (lost_at.found[0], "what"), (of_check.partials[0], "op"),
                        (of_check.derivatives[0], "name")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, None)


def test_a_finding_in_a_paragraph_is_as_the_report_has_it():
    found = explain(*lost(lambda x: ag.relu(x) * 3.0 + ag.relu(x - 1.0), -1.5))
    for finding in found.findings:
        assert "\n\n" + finding.paragraph() in str(found)


def test_a_report_of_ones_own_must_say_what_it_found():
    for ask in (lambda report: report.ok, lambda report: report.summary(), lambda report: report.as_dict()):
        with pytest.raises(NotImplementedError):
            ask(Report())
