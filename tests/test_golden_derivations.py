"""Derivations as text and in LaTeX, held to the letter: names, formulas, what is left out, wrong claims."""
from __future__ import annotations

import functools
import math

import pytest
from golden import expected, steady
from test_derive import CLAIMS, points

import autograd_lite as ag
from autograd_lite import Value, audit, derive
from autograd_lite.document import Network
from autograd_lite.ops.custom import Custom
from autograd_lite.ops.op import TABLE


def text(make, *numbers, wrt=None, names="xyz", latex=False, root="f", **options):
    """What is written of f of x, y and z."""
    def give():
        xs = [Value(x, name) for x, name in zip(numbers, names)]
        made = make(*xs)
        made.label = made.label or root
        found = derive(made, wrt, **options)
        return "\n\n".join([found.text, *[found.latex] * latex])
    return give


both = functools.partial(text, latex=True)


def nested(n, x):
    for _ in range(n):
        x = ag.sin(x)
    return x


def named(name, node):
    node.label = name
    return node


def added(terms):
    total, *rest = terms
    for term in rest:
        total = total + term
    return total


def squared(x):
    return x * x


def every_op():
    """The derivatives of each op, at one point."""
    lines = []
    for op in TABLE.values():
        for xs in [] if isinstance(op, Custom) else points(op)[:1]:
            leaves = [x if i in op.options else Value(x, "abcde"[i]) for i, x in enumerate(xs)]
            y = op(*leaves)
            if isinstance(y, Value) and y.requires_grad:
                y.label = "y"
                found = derive(y, [x for x in leaves if isinstance(x, Value)], digits=4)
                rows = found.text.replace("\n\n", " || ").replace("\n", " | ").split()
                lines += [f"{op.name}: {' '.join(rows)}",
                          found.latex.split("&= ")[1].partition("\n")[0].strip(" \\")]
    return "\n".join(lines)


def used_twice(n, of=lambda x: x):
    """The square of a sum of n terms."""
    def make(x):
        return squared(added([of(x * float(k)) if k else x for k in range(n)]))
    return make


def wide(sizes, again=0):
    """A sum of operands of such sizes, of which the last is used again."""
    def make(x):
        parts = [nested(n - 3, x * (k + 2.0)) for k, n in enumerate(sizes)]
        found = ag.sum(parts)
        return found * nested(again, parts[-1]) if again else found
    return make


def mixed(large_first):
    def make(x):
        parts = [nested(3, x * 2.0)] * 2 + [x * float(k) for k in range(3, 10)]
        return squared(added(parts if large_first else parts[::-1]))
    return make


def same_labels(x):
    nodes = [x]
    for _ in range(6):
        nodes.append(named("a", ag.sin(nodes[-1])))
    return added(nodes)


def without_labels():
    x, y = Value(2.0), Value(3.0)
    root = x * y
    return derive(root * x, [x, y]).text


def taken():
    f, u, x = Value(2.0, "f"), Value(0.5, "u1"), Value(0.25, "x")
    g, v = Value(2.0, "f2"), Value(0.5, "u2")
    y = nested(16, nested(16, x) * u) * v
    return derive(y * f * g, [x]).text


def repeated(x):
    return ag.sin(named("x", ag.sum([x])) * named("x", ag.sin(x)))


def steps(x, y):
    """Two terms, one of which is used again, and a result that is 0."""
    u = named("u", x * y)
    v = named("v", u * u)
    return named("E1", v * 0.5) + named("E2", u * 0.0) + named("E3", (v - 9.0) ** 2)


def zero_total(x, y):
    u = named("u", x * y)
    return (u - 6.0) ** 2 + u * 0.0


def shared(n):
    """Nodes each of which is used twice."""
    def make(x):
        for k in range(n):
            x = named(f"u{k}", x * x + x * 0.5) * 0.125
        return x
    return make


def cancelled(kept, factor=0.5):
    """By 3 of 43 terms of a sum, of which no more than the first so many, and those beyond 40, are left."""
    xs = [Value(float(k + 1), f"x{k}") for k in range(43)]
    y = added([*xs, *[x * -2.0 for x in xs[1:kept]], *[-x for x in xs[kept:40]]])
    return derive(named("f", ag.sin(y * factor)), xs[42])


def no_way():
    x, z = Value(2.0, "x"), Value(3.0)
    y = named("y", x * x)
    return derive(y, [z, x]).text


def lost():
    x, y = Value(0.0, "x"), Value(2.0, "y")
    with ag.errstate("ignore"):
        z = named("z", ag.log(x) * y + ag.sqrt(x) * 0.0)
    return derive(z, [x, y]).text


def zeros():
    xs = [Value(-1.0 - k, f"x{k}") for k in range(7)]
    y = named("y", ag.sum([ag.relu(x) for x in xs]))
    return derive(y, xs).text


def claimed(change, pair, network=True):
    def give():
        claims = {pair: change(CLAIMS[pair])}
        row, = audit(Network().graph(), dict(CLAIMS) | claims if network else claims).causes[:1]
        found = derive(row)
        return f"{found}\n\n{found.latex}\n{found.wrong}\n{found!r}"
    return give


def audited(make, claims, which=0, rtol=None, **options):
    """What is written of a wrong claim about a small graph."""
    def give():
        xs = [Value(x, name) for x, name in zip((2.0, 3.0, 0.5), "xyz")]
        root = make(*xs)
        root.label = "f"
        report = audit(root, claims, rtol)
        found = derive([*report.causes, *report.differing][which], **options)
        return f"{found}\n{found.wrong}"
    return give


def product(x, y, z):
    a = named("a", x * y)
    return named("b", a * z) * named("c", y * y)


def total(x, y, z):
    a = named("a", x * x)
    b = named("b", a * y)
    c = named("c", a * z)
    return b * c + a * 7.0


def factors(x, y, z):
    """∂f/∂x = 3 · 0.5 · 0.5; there are nodes of 6, 1, −1 and 0."""
    others = [Value(number, f"n{number:g}") for number in (6.0, 1.0, -1.0, 0.0)]
    return named("c", named("b", named("a", x * z) * z) * y) + ag.sum(others)


def undifferentiable():
    """An op of a user whose second rule takes floats alone."""
    op = ag.custom_op(lambda a, b: a * math.log(b), (lambda y, a, b: y / a, lambda y, a, b: a * math.log(b)),
                      name="golden op")
    try:
        x, y = Value(2.0, "x"), Value(3.0, "y")
        z = named("z", op(x, y))
        return "\n\n".join([derive(named("z", op(x, 3.0)), x).text, derive(z, [x, y]).text,
                            derive(z, [y]).latex, derive(named("z", op(x, y) + op(y, x) * op(x, x)), x).text])
    finally:
        del TABLE["golden op"]


NAMES = ["theta", "θ", "σ_1", "Δ2", "w12", "w[3]", "W[1,2]", "b_3[0][4]", "a b", "x^y", "∂E", "é", "lambda",
         "Lambda_x", "two_words", "x'", "layers[1].w", "100", "_", "αβ", "h̄", "x\n", "%", "π[2]", ""]


def names():
    lines = []
    for name in NAMES:
        x = Value(2.0, name)
        found = derive(named("f", x * x), x)
        lines.append(f"{name!r}: {' '.join(found.text.split())}  {' '.join(found.latex.split()[1:8])}")
    return "\n".join(lines)


NAME = "derivations"
CASES = {
    "every op": every_op,
    "names": names,
    **{f"nested {n}": text(functools.partial(nested, n), 0.5) for n in (13, 14)},
    **{f"nested 4 and 11, of {name}": text(lambda x: nested(4, nested(9, ag.sin(x))), 0.5, names=[name])
       for name in ("twelve_chars", "eleven_char")},
    **{f"a sum of {n} that is used twice": text(used_twice(n), 2.0) for n in (3, 4, 5, 6)},
    **{f"a sum of {n} that is used twice, of names": text(
        lambda *xs: squared(added(xs)), *[0.5 * k + 1.0 for k in range(n)], names="abcdefgh", wrt="a")
       for n in (6, 7, 8)},
    "a sum of large terms first": text(mixed(True), 0.5),
    "a sum of large terms last": text(mixed(False), 0.5),
    "a long sum": text(lambda x: added([ag.sin(x * float(k)) for k in range(1, 12)]), 0.5),
    **{f"wide, of {' '.join(map(str, sizes))}": text(wide(sizes), 0.5) for sizes in (
        [7] * 6, [8] * 6, [8, 7, 7, 7, 7, 6], [8, 7, 7, 7, 7, 7], [6] * 12, [4, 12, 5, 8, 7, 12, 5, 9],
        [9] * 6 + [4] * 6)},
    "wide, one used again": text(wide([13, 13, 13, 8], 13), 0.5),
    "a large term before six names": text(lambda *xs: squared(added([nested(8, xs[0]), *xs[1:]])), *[0.5] * 7,
                                          names="abcdegh", wrt="b"),
    "a smaller term before six names": text(lambda *xs: squared(added([nested(7, xs[0]), *xs[1:]])),
                                            *[0.5] * 7, names="abcdegh", wrt="b"),
    "one label for many": text(same_labels, 0.5),
    "without labels": without_labels, "taken names": taken, "a label repeated": text(repeated, 0.5),
    "terms of the root": both(steps, 2.0, 1.5), "a total of 0": text(zero_total, 2.0, 3.0),
    "depth 0": text(steps, 2.0, 1.5, depth=0), "depth 1": text(shared(3), 0.5, wrt="x", depth=1),
    "shared nodes": text(shared(3), 0.5, values=True),
    **{f"of {n} and 3 terms": lambda n=n: cancelled(n).text for n in range(4)},
    "of no and 3 terms, in LaTeX": lambda: cancelled(0).latex,
    "of 2 and 3 terms, turned": lambda: cancelled(2, -1.0).text,
    "of 3 and 3 terms, turned": lambda: cancelled(3, -0.5).text,
    "no way": no_way, "not finite": lost, "seven zeros": zeros,
    "a quotient": both(lambda x, y: (x - y) / (y - x * 3.0) ** 2 / 4.0, 2.0, 3.0),
    "a difference turned": both(lambda x, y: -(x - y) ** 3 - (1.0 - x) ** 2 * -2.0, 2.0, 3.0),
    "powers": both(lambda x, y: x ** 12 / y ** 3 + x ** y * 2.0 ** x + x ** 0.5 + x ** -1.5, 2.0, 3.0),
    "numbers": both(lambda x: x * 1e-7 + x * x * 1234567.0 + x * x * x * 0.5 + -1.5 * x, 2.0, digits=3),
    "choices": both(lambda x, y: ag.where(ag.greater(x, y), x * x, y) * ag.where(ag.equal(x, 2.0), y, x),
                    2.0, 3.0),
    "choices by what has a name": both(lambda x, y: ag.where(named("u", ag.less(x, y)), x * x, y) + ag.where(
        named("v", ag.less(y, x)), x, y * y), 2.0, 3.0),
    "kinks": both(lambda x, y: ag.relu(-x) + abs(y - x) + ag.maximum(x * y, 6.0) * ag.relu(1.0 - x), 2.0,
                  3.0),
    "constants of what is piecewise constant": both(lambda x, y: ag.floor(x * 1.5) * y + x % y, 2.5, 2.0),
    "many operands": both(lambda x: ag.tanh(ag.logsumexp([x * float(k) for k in range(1, 12)])), 0.5),
    "nine operands": text(lambda x: ag.tanh(ag.logsumexp([x * float(k) for k in range(1, 10)])), 0.5),
    "a long product": text(lambda x: functools.reduce(
        lambda y, k: named(f"y{k}", ag.sin(y)), range(10), x), 0.5, wrt="x"),
    "seven terms": both(lambda x: added([named(f"y{k}", ag.sin(x * float(k))) for k in range(1, 8)]), 0.5,
                        wrt="x"),
    "six terms": text(lambda x: added([named(f"y{k}", ag.sin(x * float(k))) for k in range(1, 7)]), 0.5,
                      wrt="x"),
    "fifty terms": text(lambda x: ag.tanh(added([x ** (k + 0.5) for k in range(50)])), 0.5),
    "an op of a user": undifferentiable,
    "a wrong total": claimed(lambda x: 2.0 * x, ("E", "outh1")),
    "a wrong factor": claimed(lambda x: 0.4, ("neto2", "outh1")),
    "a wrong sign": claimed(lambda x: -x, ("E", "w5")),
    "one claim alone": claimed(lambda x: x + 1.0, ("E", "w5"), False),
    "one factor": claimed(lambda x: 0.5 * x, ("outo1", "neto1"), False),
    "a factor 1": audited(product, {"x": 3.0 * 0.5}),
    "another number": audited(product, {"x": 3.0 * 9.0 * 3.0}, digits=3),
    "a term missing": audited(total, {"a": 2.0 * 3.0 * 0.5 * 4.0}),
    "a term of the wrong sign": audited(total, {"a": 12.0 - 7.0}),
    "two wrong factors": audited(product, {("a", "x"): 2.0, ("f", "b"): 8.0, "x": 8.0}),
    "what follows": audited(total, {("a", "x"): 5.0, ("f", "a"): 1.0, "x": 5.0}, which=1),
    "what follows by way of others": audited(total, {("b", "a"): 2.0, ("c", "a"): 4.0, "x": 1.0}, which=-1),
    "a factor of −1": audited(lambda x, y, z: product(x, y, z) + named("m", z * -2.0), {"x": -1.5}),
    "a factor of 0": audited(lambda x, y, z: product(x, y, z) + named("m", z * 0.0), {"x": 0.0}),
    **{f"exactly {name}": audited(make, {target: x}, rtol=0.0) for name, make, target, x in (
        ("another number", product, "x", 81.0), ("a factor missing", product, "x", 27.0),
        ("a term missing", total, "a", 12.0), ("a term of the wrong sign", total, "a", 5.0),
        ("none of these", product, "x", 13.0))},
    "a little less exactly another number": audited(product, {"x": 81.0001}, rtol=0.0),
    **{f"a factor that a node has, of {number:g}": audited(factors, {"x": number} | more, rtol=0.0)
       for number, more in ((1.5, {}), (-1.5, {}), (-0.25, {}), (0.0, {("f", "b"): 2.0, ("b", "a"): 4.0}))},
    "one of two factors": audited(lambda x, y, z: named("a", x * y) * y, {"x": 15.0}),
    "one of two factors missing": audited(lambda x, y, z: named("a", x * y) * z, {"x": 3.0}),
    "no dependence": audited(product, {("a", "z"): 1.0}),
}


def test_from_1_to_17_digits_may_be_asked_for():
    x = Value(2.5, "x")
    y = named("y", x * x * x)
    assert [derive(y, x, digits=n).text.split("= ")[-1] for n in (1, 2, 17)] == ["2e+01", "19", "18.75"]
    for n in (0, 18, 2.0):
        with pytest.raises(ag.InputError, match="digits is a whole number from 1 to 17"):
            derive(y, x, digits=n)


@pytest.mark.parametrize("n", [38, 39, 40, 41, 45])
def test_at_most_forty_derivatives_are_written_out_and_the_others_counted(n):
    x = Value(0.5, "x")
    nodes = [x]
    for k in range(n):
        nodes.append(named(f"u{k}", ag.sin(nodes[-1])))
    found = derive(named("f", added(nodes)), x)         # (of the last there is no line: it is a term)
    heads = [block.split(" = ")[0] for block in found.text.split("\n\n") if block.startswith("∂")]
    assert len(heads) == min(n, 40) and heads[-1] == "∂f/∂x"
    told = f"… and {n - 40} more derivative{'s' * (n > 41)}, which these use (depth= says how far to go)"
    assert found.notes == [told] * (n > 40)


@pytest.mark.parametrize("case", CASES)
def test_the_derivation_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
