"""The DOT text of pictures of graphs, held to the letter: cards, arrows, legends, boxes, steps of a pass."""
from __future__ import annotations

import functools
import math

import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import Value, label
from autograd_lite.drawing.animation import Film
from autograd_lite.drawing.picture import Options

inf, nan = math.inf, math.nan
# Long parts that stand in each picture, and what stands for them here.
SHORT = {
    'fontcolor="#5a6673" fontname=Helvetica fontsize=13 label="" newrank=true nodesep=0.18 pad=0.2 ': "… ",
    '\tnode [fontcolor="#1f2933" fontname=Helvetica fontsize=12 shape=plain]\n\tedge [arrowsize=0.6 '
    'color="#9aa5b1" fontcolor="#5a6673" fontname=Helvetica fontsize=10 penwidth=1.2 weight=3]\n': "",
    '\tnode [fontcolor="#1f2933" fontname=Helvetica fontsize=10 shape=plain]\n\tedge [arrowsize=0.5 '
    'color="#9aa5b1" fontcolor="#5a6673" fontname=Helvetica fontsize=9 penwidth=1.2 weight=3]\n': "(small)\n",
    '<BR/><FONT COLOR="#5a6673" POINT-SIZE="4"> </FONT>': "{gap}", '<FONT COLOR="#c81e1e"': "<{alarm}",
    '<TD WIDTH="3" CELLPADDING="0"></TD>': "|", ' CELLBORDER="0" CELLSPACING="0"': "..",
    '<TABLE BORDER="1" STYLE="ROUNDED" COLOR="#9aa5b1" BGCOLOR="#ffffff".. CELLPADDING="3">': "{card}",
    '<TABLE BORDER="1" STYLE="ROUNDED" COLOR="#d99a00" BGCOLOR="#fff3d1".. CELLPADDING="3">': "{leaf}",
    '<TR>|<TD COLSPAN="12" ALIGN="LEFT"><FONT COLOR="#5a6673" POINT-SIZE="9">data</FONT></TD>'
    '<TD COLSPAN="12" ALIGN="RIGHT"': "{data}",
    '<TR>|<TD COLSPAN="12" ALIGN="LEFT"><FONT COLOR="#5a6673" POINT-SIZE="9">grad</FONT></TD>'
    '<TD COLSPAN="12" ALIGN="RIGHT"': "{grad}",
    '<FONT COLOR="#1f2933">': "<ink>", '<FONT COLOR="#5a6673">': "<faint>",
    '<FONT COLOR="#0b62a8">': "<backward>", "</FONT>": "</>", "</TD>|</TR>": "||", "</TD></TR>": "/|",
    '[arrowsize=0.5 penwidth=0.8 ': "[… ", '[color="#9aa5b1" label=<<backward>': "[<<backward>",
    '[color="#9aa5b1" label=<&#160;<backward>': "[<_<backward>",
    '[fontcolor="#5a6673" fontsize=10 label=<<faint>': "[<<faint>",
    '<TABLE BORDER="2" STYLE="ROUNDED" COLOR="#1f2933" BGCOLOR="#ffffff".. CELLPADDING="3">': "{root}",
    '<FONT COLOR="#ffffff"': "<white", 'POINT-SIZE="9">': "small>", "&#10;": "¶", " flows back": "»",
    'BGCOLOR="#c81e1e"': "{red}", 'COLOR="#c81e1e"': "alarm", "no gradient yet": "no∂", "times grad ": "×∂ ",
    '<TD COLSPAN="24"': "<24", '<TD COLSPAN="12"': "<12", ' ALIGN="LEFT" WIDTH="8">': " {name}"}


def shortened(text):
    for long, short in SHORT.items():
        text = text.replace(long, short)
    return text


def drawn(make, until="", **options):
    return lambda: shortened(head(ag.draw(make(), **options).source, until))


def head(text, until):
    """A text up to a part of it, without that."""
    return text.split(until)[0] if until else text


def two(backward=True):
    """z = y + y·x with y = x·x, and a number."""
    x = Value(3.0, "x")
    y = x * x
    z = y + y * x * 1.25
    label(y=y, z=z)
    if backward:
        z.backward()
    return z


def layers():
    """Two scopes, in one of which a leaf is passed by what comes from outside; a frozen leaf."""
    x, t = Value(2.0, "x"), Value(0.5, "t", requires_grad=False)
    w, v = Value(0.5, "first.w"), Value(-1.5, "second.v")
    h = w * x
    h.label = "first.h"
    y = v * h - t
    for scope, nodes in {("net", "first"): [w, h], ("net", "second"): [v, y]}.items():
        for node in nodes:
            node.scope = scope
    E = (y * y).sqrt()
    E.label = "E"
    E.backward()
    return E


def amounts(*factors, frozen=0.5):
    """Gradients of many sizes; one is 0, and one operand has none."""
    xs = [Value(1.0, f"x{k}") for k in range(len(factors))]
    z = ag.sum([f * x for f, x in zip(factors, xs)]) * Value(frozen, "c", requires_grad=False)
    z.label = "z"
    z.backward()
    return z


def lost():
    """Numbers and gradients that are not finite: where they arise, and what they make so."""
    x, y = Value(0.0, "x"), Value(2.0, "y")
    with ag.errstate("ignore"):
        r = ag.log(x)
        z = (r - r) * y + y * inf + ag.sqrt(x)
        label(r=r, z=z)
        z.backward()
    return z


def claimed(claims, values=(), until="", **options):
    def text():
        a, b, c = Value(2.5, "a"), Value(3.5, "b"), Value(0.5, "c")
        d = a * b
        e = d * d + a * c
        label(d=d, e=e)
        e.backward()
        report = ag.audit(e, claims, values=dict(values) or None)
        return shortened(head(ag.draw(e, report=report, **options).source, until))
    return text


CLAIMS = {("d", "a"): 3.5, ("d", "b"): 2.25, ("e", "d"): -17.5, "a": 61.75, "b": 39.375, "c": 2.5}


def many_claims(n, name="x", **options):
    """A leaf about which n wrong claims are made."""
    def text():
        x = Value(2.0, name)
        ys = [x * (k + 1.0) * x for k in range(n)]
        z = ag.sum(ys)
        label(y=ys, z=z)
        report = ag.audit(z, {(f"y[{k}]", name): 0.5 for k in range(n)})
        return shortened(head(ag.draw(z, report=report, sample="all", **options).source, "n1 ["))
    return text


def folded(width=2, inputs=3, bad=None):
    """Layers of scopes, larger than a picture may be."""
    xs = [Value(0.25 * k + 0.5, f"x{k}") for k in range(inputs)]
    outer = []
    for i in range(3):
        row = []
        for j in range(width):
            scope = (f"layer {i}", f"unit {j}")
            ws = [Value(0.5 * k - j - 0.25, f"w[{k}]") for k in range(len(xs))]
            with ag.errstate("ignore"):
                y = ag.relu(ag.dot(ws, xs) - (bad if bad is not None and i == 1 else 1.5)) / 2.0 + 0.125
            for node in (*ws, y, *[x for x in [y.operands[0]]]):
                node.scope = scope
            row.append(y)
        xs = row
        outer.append(row)
    z = ag.sum(outer[-1])
    z.label = "z"
    with ag.errstate("ignore"):
        z.backward()
    return z


def kinds(*ops, scope=()):
    """A long chain of ops, whose gradients are negative."""
    y = Value(1.0, "x")
    for k in range(40):
        y = ops[k % len(ops)](y)
        y.scope = scope
    y = y * -3.0
    y.backward()
    return y


def crowd():
    """More arrows than have numbers: one has a claim, one is not finite, and one is for two samples."""
    leaves = [Value(float(k), f"x{k}") for k in range(80)]
    w = Value(3.0, "w")
    with ag.errstate("ignore"):
        a = leaves[1] * 2.0
        label(a=a)
        twice = ag.sum([ag.relu(w * Value(x, requires_grad=False)) for x in (1.0, 2.0)])
        z = ag.sum([*leaves, a, ag.sqrt(leaves[0])]) + twice
        z.label = "z"
    report = ag.audit(z, {("a", "x1"): 2.0, ("z", "x2"): 1.0})
    source = ag.draw(z, report=report, max_nodes=200, sample=0).source
    return shortened("\n".join([line for line in source.splitlines() if "->" in line and "label=" in line]))


def audited_folds():
    z = folded()
    nodes = [node for node in z.operands if isinstance(node, Value)]
    report = ag.audit(z, {(z, nodes[0]): 2.0, (z, nodes[1]): 1.0})
    return shortened(ag.draw(z, report=report, max_nodes=4).source)


def chain(n, every=5):
    y = Value(2.0, "x")
    for k in range(n):
        y = y * 0.5 + 1.0 if k % 3 else y * y * 0.5
        if k % every == 0:
            y.label = f"y{k}"
    y.backward()
    return y


def labelled(*names):
    """Leaves that are called so, and their sum."""
    z = ag.sum([Value(1.5 + k, name) for k, name in enumerate(names)])
    z.label = names[-1]
    return z


def numbers():
    x = Value(1234567.0, "x")
    return (x * 1.01 + 0.000012345678) * nan + x * -inf + 100000.0 * x + 99999.5 * x


def paths(n=6):
    x = Value(0.5, "x")
    z = ag.sum([x * Value(2.0 ** k, f"w{k}") for k in range(n)]) * x
    label(z=z)
    return z


def samples():
    w = Value(3.0, "w")
    z = ag.sum([(w * Value(x, "in", requires_grad=False)).sqrt() for x in (1.0, 3.0, 12.0)])
    z.backward()
    return z


def slopes():
    x = Value(2.0, "x")
    y = x * x * x
    y.label = "y"
    value, slope = ag.value_and_grad(lambda x: x * x * x)(x)
    return shortened(ag.draw(value, gradients=slope).source)


def frames(make, order, numbers, max_nodes=100, **options):
    """Frames of an animation."""
    def text():
        film = Film(make(), Options(max_nodes, "all", called="animate", **options), order)
        return shortened("".join([film.source(film.frames[order][k]).dot.text() for k in numbers]))
    return text


NAME = "graphs"
CASES = {
    "results and leaves": drawn(two),
    "before backward": drawn(functools.partial(two, False)),
    "compact": drawn(two, style="compact"),
    "dark, upwards": drawn(two, theme="dark", direction="BT", caption="a < b", digits=2),
    "scopes": drawn(layers),
    "scopes, compact, down": drawn(layers, style="compact", direction="TB"),
    "by gradient": drawn(lambda: amounts(1e-9, -2e-4, 0.0, -7e3), colour="grad"),
    "by gradient, compact, dark": drawn(lambda: amounts(0.5, 3.0), colour="grad", style="compact",
                                        theme="dark", direction="TB"),
    "by gradient, of one size": drawn(lambda: amounts(1.0, 1.0, frozen=1.0), "n2 [", colour="grad"),
    "by gradient, none yet": drawn(functools.partial(two, False), "n1 [", colour="grad"),
    "not finite": drawn(lost),
    "not finite, compact": drawn(lost, style="compact"),
    "not finite, by gradient": drawn(lost, colour="grad"),
    "claims": claimed(CLAIMS),
    "claims, compact, down": claimed(CLAIMS, style="compact", direction="TB"),
    "claims, all right": claimed({("d", "a"): 3.5, "a": 61.75, "c": 2.5}, until="n1 ["),
    "claims, by gradient": claimed({("d", "a"): 2.5, "a": 44.25, "c": 2.5000001}, colour="grad"),
    "claimed numbers": claimed({"a": 61.75}, {"d": 8.75, "e": 78.0}, style="full"),
    "claimed numbers, compact": claimed({}, {"d": 8.75, "e": 78.0}, style="compact"),
    "no claims": claimed({}, until="n0 ["),
    "three wrong claims of a leaf": many_claims(3),
    "five wrong claims of a leaf": many_claims(5),
    "five wrong claims of a leaf, compact": many_claims(5, style="compact"),
    "four wrong claims of a leaf": many_claims(4),
    **{f"claims of a name of {n} letters": many_claims(1, "x" * n) for n in (13, 14)},
    "a factor that would explain the claims": claimed({"a": 49.5, "b": 35.0}, until="n0 ["),
    "arrows with numbers among very many": crowd,
    "scopes by gradient": drawn(layers, colour="grad"),
    "a box of four kinds": drawn(lambda: kinds(ag.relu, abs, ag.sqrt, ag.cbrt), max_nodes=4),
    "a box of five kinds": drawn(lambda: kinds(ag.relu, abs, ag.sqrt, ag.cbrt, lambda x: -(-x)), max_nodes=4),
    "a box of a scope without a name": drawn(lambda: kinds(abs, scope=("",)), max_nodes=2),
    "boxes": drawn(folded, max_nodes=9),
    "boxes of more": drawn(lambda: folded(4, 14), max_nodes=20, style="full"),
    "one box": drawn(folded, max_nodes=1, caption="small"),
    "boxes, not finite": drawn(lambda: folded(bad=nan), max_nodes=5),
    "boxes, a wrong claim": audited_folds,
    "a long chain": drawn(lambda: chain(60), max_nodes=15),
    "labels": drawn(lambda: labelled("<b> & \\N\n", "x" * 32, "x" * 33, "两层网络é", 'a"b', " ", "node")),
    "labels, compact": drawn(lambda: labelled("两层网络é", "ｆ" * 40, "é~", "node"), style="compact"),
    "numbers": drawn(numbers, digits=2),
    "equal operands": drawn(lambda: (lambda x: ag.sum([x] * 30 + [x * 2.0] + [x] * 3))(Value(0.5, "x")),
                            max_nodes=2),
    "a focus": drawn(paths, focus="w3"),
    "a focus on a leaf": drawn(paths, focus="x", max_nodes=6),
    "samples": drawn(samples, sample=1),
    "gradients": slopes,
    "steps": frames(functools.partial(two, False), "topological", (1, -1)),
    "steps, naive": frames(functools.partial(two, False), "naive", (3, -1), style="compact"),
    "steps of boxes": frames(folded, "topological", (2, -1), max_nodes=4, direction="TB"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_text_of_a_picture_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
