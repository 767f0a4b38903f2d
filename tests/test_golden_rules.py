"""The numbers inside checks and audits, by exact arithmetic and where lines are broken: to the letter."""
from __future__ import annotations

import functools
import itertools
import json
import math

import numpy as np
import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import Value, audit, check_gradients, explain, label
from autograd_lite.checks.claims import Line
from autograd_lite.checks.edges import conventions, floors, one_sided
from autograd_lite.checks.explanation import product_of
from autograd_lite.checks.halves import by_halves, directions
from autograd_lite.checks.report import clip, filled, wrapped
from autograd_lite.checks.rule import Rule, near, relative_error
from autograd_lite.checks.slopes import Estimate, slope
from autograd_lite.checks.verdicts import verdict_on
from autograd_lite.commands.console import table
from autograd_lite.graph.program import Program
from autograd_lite.ops.op import TABLE

inf, nan = math.inf, math.nan


def lines(of, *cases):
    """A line for each case."""
    return lambda: "\n".join(f"{', '.join(map(str, case))}: {of(*case)}" for case in cases)


def estimate(found):
    return f"{found.value:.9g} ± {found.error:.2g}"


# -- slopes and verdicts ------------------------------------------------------------------------------

SMOOTH = {
    "x³": lambda x: x * x * x, "1/x": lambda x: 1.0 / x, "1/(1 + x²)": lambda x: 1.0 / (1.0 + x * x),
    "|x|": abs, "a step": lambda x: float(x > 0.25), "x·10⁻³⁰⁰": lambda x: x * 1e-300, "7": lambda x: 7.0,
    "in millionths": lambda x: (x * x * 1048576.0) // 1.0 / 1048576.0, "x⁹": lambda x: x ** 9.0 if x < 9.0
    else nan,
    "a small bend": lambda x: x + 0.25 * abs(x - 0.3125), "x + 10⁹": lambda x: x * x + 1e9,
    "none left of 0": lambda x: x * x if x >= 0.0 else nan, "an error": lambda x: x / float(x <= 2.0)}
PLACES = (0.0, 1e-320, 0.3, 0.3125, -1.5, 1024.0, 3e12)
FEW = [0.25, 0.125, 0.0625, 0.03125, 0.015625]


def slopes(f):
    return "\n".join([f"{x:g}: {estimate(slope(f, x))}" for x in PLACES]
                     + [f"1.5, few steps: {estimate(slope(f, 1.5, FEW))}"])


VERDICTS = list(itertools.product(
    (0.0, 1.0, -1.0, 1.0 + 9e-10, 1.0 + 2e-9, nan, inf),
    ((1.0, 0.0), (-1.0, 1e-7), (1.0, 1e-5), (1.0, 1e-3), (1.0, 2e-3), (0.0, 1e-9), (nan, inf), (inf, 0.0))))


def judged(claimed, reference):
    """The verdict by itself, for terms of a size, and with some slack."""
    return "; ".join(verdict_on(claimed, Estimate(*reference), *more) for more in ([], [1e4], [0.0, 2.0]))


def directed(n):
    return "\n".join(", ".join(f"{i}: {step:.6g}" for i, step in steps.items())
                     for steps in directions({i: 1.0 + i for i in range(n)}))


def halved(n, wrong):
    tried = []
    left = by_halves(range(n), lambda group: tried.append(len(group)) or not {*group} & {*wrong})
    return f"{left} after groups of {tried}"


def references(f, x, claimed=None, order=1):
    """The reference of each derivative, and how well it is known."""
    report = check_gradients(f, x, claimed, order)
    return "\n".join([f"{d.name}: {d.claimed:.9g}, {estimate(d.reference)}, {d.verdict}"
                      for d in report.derivatives] + list(map(str, report.partials)) + list(report.notes))


def bypassed(p):
    return p[0] * p[1].data * p[1].data + p[2] * p[2] if isinstance(p[1], Value) else None


def bypassed_twice(p):
    return p[0] * ag.stop_gradient(p[1] * p[2]) + p[2] * p[1]


def large(p):
    return 1e6 * p[0] - 1e6 * ag.stop_gradient(p[0] * p[0] * p[1]) + p[1]


def stepped(p):
    return p[0] * math.floor(p[1].data) + p[1] * round(p[0].data * 8.0)


def cubes(p):
    return ag.sum([x * x * x for x in p]) * ag.stop_gradient(p[4])


REFERENCES = {
    "right": (lambda p: p[0] * p[1] * p[1] / p[2], [1.5, 2.0, 4.0], None, 2),
    "bypassed": (bypassed, [1.5, 2.0, 0.25]), "bypassed by two": (bypassed_twice, [1.5, 2.0, 0.25], None, 2),
    "the true slope": (bypassed_twice, [1.5, 2.0, 0.25], [0.5, 0.625, 5.0]), "large": (large, [0.75, 0.5]),
    "constants that jump": (stepped, [1.25, 2.5]), "one of many": (cubes, [0.5 * k - 1.25 for k in range(9)]),
    "a kink near": (lambda p: abs(p[0] - 1.0) + p[1], [1.0 + 2 ** -30, 3.0], [0.25, 1.0]),
    "no mean of slopes": (lambda p: abs(p[0] - 1.0) + p[1], [1.0 + 2 ** -30, 3.0], [1.25, 1.0]),
    "slopes of other sizes": (lambda x: ag.maximum(x, 3.0 * x - 2.0), 1.0 + 2 ** -30, 2.0),
    "just out of them": (lambda x: ag.maximum(x, 3.0 * x - 2.0), 1.0 + 2 ** -30, 1.0 - 2e-6),
    "a branch at the point": (lambda x: x * x if x >= 1.0 else x, 1.0)}


def of_op(forward, rules, *points, name="an op", **options):
    def text():
        try:
            return str(ag.check_op(ag.custom_op(forward, rules, name=name, **options), *points, order=1))
        finally:
            TABLE.pop(name, None)
    return text


OPS = {
    "many operands of small slopes, given as 0": of_op(
        lambda *xs: 1e-12 * (xs[0] + xs[1] + xs[2] + xs[3] + xs[4]), lambda y, xs: [0.0] * 5,
        (1.0, 2.0, 0.5, 0.25, 4.0)),
    "many operands, one wrong by little": of_op(
        lambda *xs: xs[0] * 3.0 + xs[1] + xs[2] + xs[3] * 1e-3 + xs[4],
        lambda y, xs: [3.0, 1.0, 1.0 + 4e-9, 1e-3, 1.0], (1.0, 2.0, 5e-2, 0.25, -4.0)),
    "many operands of all sizes": of_op(
        lambda *xs: xs[0] * 3.0 + xs[1] * xs[1] + xs[2] * 1e4 + xs[3] * 1e-3 - xs[4],
        lambda y, xs: [3.0, 2.0 * xs[1], 1e4, 1e-3, -1.0], (1.0, -2.0, 5e2, -0.25, 0.0)),
    "a slope that is the rounding of others": of_op(
        lambda x: x * (0.2 - x), (lambda y, x: 0.2 - 2.0 * x + 3e-17,), 0.1, 0.3,
        form=lambda m, x: x * (m.mpf(0.2) - x) if hasattr(m, "mpf") else x * (0.2 - x)),
    "points where it is not too large": of_op(lambda x: 1e300 * x ** 9.0 if x > 0.0 else x, (
        lambda y, x: 9e300 * x ** 8.0 if x > 0.0 else 1.0,), kink=lambda x: x),
    "an option": of_op(lambda x, k: x * k, (lambda y, x, k: k, None)),
    "on a kink": of_op(abs, (lambda y, x: 1.0 if x > 0.0 else -1.0,), 0.0, 0.5, kink=lambda x: x),
    "a kink that another operand makes": of_op(
        lambda x, k: x * k, (lambda y, x, k: k, lambda y, x, k: x), (0.5, 2.0), (0.5, 0.0), kink=lambda x,
        k: k),
    "a kink everywhere": of_op(lambda x, k: 3.0 * k, (lambda y, x, k: 0.0, lambda y, x, k: 3.0), (0.5, 0.0),
                               kink=lambda x, k: k)}


# -- edges and walks -----------------------------------------------------------------------------------


def kinked(n):
    x = [Value(0.0, f"x{k}") for k in range(n)]
    y = ag.sum([ag.relu(v) if k % 2 else abs(v) for k, v in enumerate(x)])
    for _ in range(0 if n < 9 else 24_000):
        y = y + 1.0
    return y


def leaks():
    """Kinks of one op with a different number of slopes besides their own."""
    return ag.sum([ag.leaky_relu(Value(0.0, f"x{k}"), 0.25 * (k % 2)) for k in range(6)])


def variants(root):
    found = list(conventions(Program([root])))
    return "\n".join(f"{variant.kink}: {dict(list(variant.steps.items())[:5])}" for variant in found)


def saturated():
    xs = (3.0, 4.0, -4.0, 20.0, 1.565, 1.575, -1.575)
    nodes = [f(Value(x)) for x in xs for f in (ag.tanh, ag.sigmoid, ag.sin, ag.exp)]
    nodes.append(Value(0.25) * 0.001)
    program = Program(nodes)
    return "\n".join(f"{program.nodes[k].op}({program.nodes[k].operands[0].data}): {x:.6g}"
                     for k, x in floors(program).items())


def sides(name, *xs):
    return one_sided(TABLE[name](*map(Value, xs)))


def with_a_kink_of_slopes(left, right, at=0.0):
    op = ag.custom_op(lambda x: left * (x - at) if x < at else right * (x - at), (
        lambda y, x: left if x < at else right,), name="a bend", kink=lambda x: x - at)
    try:
        return one_sided(op(Value(at)))
    finally:
        TABLE.pop("a bend")


def graph():
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    c = a * b
    d = c - a
    e = c * d + 64.0 * b
    return Program([e]), [a, b, c, d, e]


def walked(claims, below=()):
    """What a walk from the root finds, and of its claims; `below`: claims about other outputs."""
    program, nodes = graph()
    at = [program.place(node) for node in nodes]
    given = [Line(at["abcde".index(o)], at["abcde".index(i)], x, 1e-6, 1e-12, k)
             for k, (o, i, x) in enumerate([*claims, *below])]
    rule = Rule(program, {}, given, {})
    judged = rule.judge()
    walk = rule.walk(at[4], {at["abcde".index(i)]: k for k, (_, i, _) in enumerate(claims)})
    rows = [f"{node.label or node.op}: derived {d}, follows {f}, size {s:g}, onward {g}"
            for node, d, f, s, g in zip(program.nodes, *walk)]
    return "\n".join(rows + [f"{o}/{i} = {x}: {found.verdict}, derived {found.derived}, follows "
                             f"{found.follows}, from {found.origins:b}" for (o, i, x),
                             found in zip([*claims, *below], judged)])


WALKS = {
    "right": ([("e", "a", 27.0), ("e", "c", -14.0), ("e", "d", -6.0), ("e", "b", 36.0)],),
    "a zero": ([("e", "c", 0.0), ("e", "a", 6.0)],), "a huge number": ([("e", "c", 1e12), ("e", "a", 6.0)],),
    "a small number": ([("e", "c", -1e-9), ("e", "b", 64.0)],),
    "a sign": ([("e", "d", 6.0), ("e", "b", 36.0)],),
    "a tiny number": ([("e", "c", 1e-15), ("e", "a", 6.0), ("e", "b", 64.0 + 2e-15)],),
    "corrections": ([("e", "c", -14.0), ("e", "a", 27.0), ("e", "b", 36.0)],
                    [("d", "c", -1.0), ("d", "a", -4.0), ("c", "a", 3.0), ("c", "b", 2.0)]),
    "one that is right after a wrong one": ([("e", "d", -6.0), ("e", "a", 27.0)], [("d", "a", 40.0)]),
    "nothing goes on": ([("e", "d", 0.0), ("e", "c", 0.0), ("e", "a", 0.0)], [("c", "a", 5.0)])}


# -- numbers and texts -------------------------------------------------------------------------------------

NEAR = [(1.0, 1.0 + 1e-6, 1e-6), (1.0, 1.0 + 2e-6, 1e-6), (0.0, 1e-9, 0.0, 1e-9), (0.0, 2e-9, 0.0, 1e-9),
        (0.0, 1e300, 0.0, inf), (nan, nan, 1.0), (inf, inf, 0.0), (inf, -inf, 1.0), (inf, 1.0, 1.0),
        (0.0, 64 * 5e-324, 0.0), (0.0, 65 * 5e-324, 0.0), (-2.0, -3.0, 0.3), (-2.0, -3.0, 0.4)]
ERRORS = [(1.0, 0.5), (-1.0, 1.0), (0.0, 0.0), (nan, 0.0), (nan, nan), (inf, inf), (0.0, 5e-324),
          (-3.0, -4.0),
          (-4.0, -3.0)]
PRODUCTS = [([],), ([2.0, -3.0],), ([1e200, 1e200, 1e-200],), ([1e-200, 1e-200, 1e200],), ([1e200, 1e200],),
            ([-1e200, 1e200],), ([1e-200, 1e-200],), ([2.0 ** 1023, 2.0],), ([2.0 ** 1022, 2.0],),
            ([2.0 ** -1022, 0.5, 2.0],), ([2.0 ** -1022],), ([0.0, 1e300],), ([1e300] * 5 + [1e-300] * 5,)]
WORDS = ["weights of the first layer[12]", "loss", "两层两层两层", "e\u0301" * 7, "x" * 17, "x" * 16, ""]
TEXT = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen " * 2


def broken():
    every = [wrapped(TEXT, "", 4), wrapped(TEXT, " ", 0), wrapped(TEXT, "  ", 6, 40),
             wrapped("x" * 90, "", 4),
             wrapped("a " * 90, "", 0), wrapped("a " * 90, " ", 1), wrapped("", "head", 4),
             wrapped("y" * 30, "a head of 12: ", 4, 30), wrapped("b " + "y" * 30, "h: ", 10, 30),
             wrapped("两层" * 9, "- ", 2, 20), wrapped("a  b", "> ", 2, 20)]
    return "\n--\n".join("\n".join(line + "|" for line in some) for some in every)


def tables():
    return "\n--\n".join([table([("a", "1"), ("w" * 50, "2.5"), ("∂f/∂x", "-1")]), table([("one", "1")])])


# -- latent causes, whole reports in plain data --------------------------------------------------------


def behind(n, wrong=2.0, width=0):
    """L is a chain of n named nodes on a·b, with what is claimed at the ends: all too much by a factor."""
    leaves = [Value(0.5 + 0.25 * k, f"a{k}") for k in range(3)]
    z = leaves[0] * leaves[1] * leaves[2]
    many = [z * (k + 1.0) for k in range(width)]
    label(z=z, **({"many": many} if many else {}))
    y = ag.sum(many) if many else z
    for k in range(n):
        y = y * 1.5 if k % 2 else y + 0.25
        y.label = f"y{k}"
    L = y * 0.5
    L.label = "L"
    aside = L * 2.0
    label(aside=aside)
    L.backward()
    return audit([L, aside], {x.label: wrong * x.grad for x in leaves})


def two_ends():
    """Two numbers by way of an array of two, and then of one node."""
    x0, x1 = Value(0.5, "x0"), Value(-1.5, "x1")
    p = [x0 * Value(2.0), x1 * Value(3.0)]
    s = p[0] * p[1]
    L = s * s
    label(p=p, s=s, L=L)
    L.backward()
    return str(audit(L, {"x0": 2.0 * x0.grad, "x1": 2.0 * x1.grad}))


def ends(wrong):
    """Claims on two layers of leaves: which derivatives on the way explain them?"""
    x, W, v = [[0.5, -1.0], [[1.0, 2.0], [-0.5, 0.25], [1.5, -1.0]], [2.0, -1.0, 0.5]]
    X, U, w = ([Value(t) for t in x], [[Value(t) for t in row] for row in W], [Value(t) for t in v])
    h = [ag.dot(row, X) for row in U]
    q = [t * t for t in h]
    p = [a * b for a, b in zip(q, w)]
    s = ag.sum(p)
    L = s * s
    label(x=X, W=U, v=w, h=h, q=q, p=p, s=s, L=L, also=[h[0], s])
    for node in (*X, *w, *itertools.chain(*U)):
        node.grad = 0.0
    L.backward()
    claims = {"x": [t.grad for t in X], "W": [[t.grad for t in row] for row in U], "v": [t.grad for t in w]}
    report = audit(L, wrong({name: np.array(g) for name, g in claims.items()}, np.array(x), np.array(W)))
    return "\n".join([*map(str, report.latent), *[
        ", ".join(f"{x:.6g} for {y:.6g}" for x, y in zip(latent.claimed, latent.derived))
        for latent in report.latent]])


LATENT = {
    "one factor": lambda c, x, W: {name: 2.0 * g for name, g in c.items()},
    "all but v": lambda c, x, W: {name: g if name == "v" else 2.0 * g for name, g in c.items()},
    "an entry of h": lambda c, x, W: c | {"W": c["W"] + np.outer([1.0, 0.0, 0.0], x), "x": c["x"] + W[0]},
    "two of h": lambda c, x, W: {"W": c["W"] + np.outer([1.0, 0.0, 2.0], x), "x": c["x"] + W[0] + 2.0 * W[2]},
    "no one": lambda c, x, W: c | {"W": c["W"] + 1.0, "x": c["x"] - 1.0},
    "one wrong": lambda c, x, W: c | {"W": 2.0 * c["W"]},
    "an infinity": lambda c, x, W: c | {"W": 2.0 * c["W"], "x": inf * c["x"]},
    "by 1e-5 of it": lambda c, x, W: {name: g * (1.0 + 1e-5 * (1.0 + 0.5 * (name == "x"))) for name,
                                      g in c.items()},
    "nearly": lambda c, x, W: {name: g * (2.0 + 1e-5 * (name == "x")) for name, g in c.items()},
    "too far": lambda c, x, W: {name: g * (2.0 + 1e-4 * (name == "x")) for name, g in c.items()}}


def refused(claims):
    """Why claims about y = Σ w·x + b are refused."""
    w = [[Value(1.0 + i + j) for j in range(3)] for i in range(2)]
    x, b, again = [Value(2.0), Value(-1.0), Value(0.5)], Value(3.0, "b"), [Value(1.5, "again"),
                                                                           Value(0.5, "again")]
    s = [ag.dot(row, x) + t for row, t in zip(w, again)]
    m = ag.maximum(*s)
    y = m + b
    label(w=w, x=x, s=s, m=m, y=y)
    deep = 1.0
    for _ in range(70):
        deep = [deep]
    try:
        audit(y, eval(claims, {**globals(), "w": w, "x": x, "b": b, "s": s, "deep": deep}))
    except ag.AutogradError as error:
        return f"{type(error).__name__}: {error}"
    return "taken"


REFUSED = ['{"w": [[1.0] * 2] * 3}', '{"w": [1.0] * 6}', '{"x": [1.0] * 2}', '{("s", "w"): [[1.0] * 3] * 2}',
           '{("s", "x"): [[1.0] * 2] * 3}', '{("s", "b"): 1.0}', '{"b": [1.0]}', '{"q[0]": 1.0}',
           '{"q": 1.0}',
           '{"again": 1.0}', '{"x[3]": 1.0}', '{"x": deep}', '{"w": [[1.0] * 3, [1.0] * 2]}',
           '{"x[0]": 1.0, "x": x}',
           '{"x[0]": 1.0, "x": [2.0, 1.0, 0.0]}', '{(b, "x"): [0.0] * 3, "b": 1.0}', '{("b", "y"): 0.0}',
           '[("b", 1.0), (b, 1.0)]', '{(Value(1.0), "x"): [0.0] * 3}', '[([x[0], x[1]], [1.0, 2.0])]',
           '{"b": None}',
           '{("s",): 1.0}', '{s[0]: 1.0, ("y", "s[0]"): 1.0}']


def plain(give):
    return lambda: json.dumps(give().as_dict(), ensure_ascii=False)


def an_audit():
    a, b = Value(2.5, "a1"), Value(3.5, "b1")
    c = a * b
    d = c * c + a
    label(c=c, d=d)
    return audit(d, {("c", "a1"): 2.5, "c": 17.5, a: 44.75, "b1": nan}, values={"a1": 2.5, "c": 8.5})


def a_path():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    z = x * y + x * x
    label(z=z)
    return explain(z, x)


NAME = "rules"
CASES = {
    **{f"slope: {name}": functools.partial(slopes, f) for name, f in SMOOTH.items()},
    "verdicts": lines(judged, *VERDICTS),
    **{f"directions: {n}": functools.partial(directed, n) for n in (1, 2, 5)},
    "halves": lines(halved, (3, [1]), (4, [1]), (9, []), (20, [7]), (50, [0, 49])),
    **{f"references: {name}": functools.partial(references, *given) for name, given in REFERENCES.items()},
    **{f"op: {name}": text for name, text in OPS.items()},
    **{f"conventions: {n}": lambda n=n: variants(kinked(n)) for n in (1, 3, 4, 5, 9)},
    "conventions: leaks": lambda: variants(leaks()), "floors": saturated,
    "sides": lines(sides, ("relu", 0.0), ("relu", 1.0), ("abs", 0.0), ("maximum", 1.0, 1.0),
                   ("minimum", 0.0, 0.0),
                   ("maximum", 1.0, 2.0), ("sin", 0.0), ("sqrt", 1.0)),
    "bends": lines(with_a_kink_of_slopes, (1.0, 1.0), (1.0, 1.0 + 1e-8), (1.0 + 1e-10, 1.0), (0.0, 2.0),
                   (-1.0, 1.0),
                   (2.0, 5.0, 1.0)),
    **{f"walk: {name}": functools.partial(walked, *given) for name, given in WALKS.items()},
    "near": lines(near, *NEAR), "relative errors": lines(relative_error, *ERRORS),
    "products": lines(product_of, *PRODUCTS), "clip": lines(clip, *itertools.product(WORDS, (16, 7, 1))),
    "filled": lines(lambda text, n: filled(text, n) + "|", *itertools.product(WORDS, (16, 7))),
    "lines": broken, "tables": tables,
    **{f"latent behind {n}, {width}": lambda n=n, width=width: str(behind(n, width=width))
       for n, width in ((0, 0), (3, 0), (9, 0), (700, 0), (2, 3), (5, 150))},
    "latent: two ends": two_ends, **{f"latent: {name}": functools.partial(ends, change) for name,
                                     change in LATENT.items()},
    "refused": lines(refused, *[(claims,) for claims in REFUSED]), "an audit in plain data": plain(an_audit),
    "an explanation in plain data": plain(a_path),
    "a value in plain data": plain(lambda: explain(Value(2.0, "x") * Value(3.0, "y") + Value(0.0, "z"))),
    "a check in plain data": plain(lambda: check_gradients(lambda p: p[0] * p[1], [2.0, 3.0], [3.0, 7.0], 1))}


@pytest.mark.parametrize("case", CASES)
def test_the_numbers_and_texts_are_those_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
