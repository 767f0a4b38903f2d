"""How derivations and steps are written, held to the letter: rows, breaks, marks, names, MathML."""
from __future__ import annotations

import functools

import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import Value, audit, derive
from autograd_lite.document import audits
from autograd_lite.drawing.dialects import Token
from autograd_lite.drawing.lines import Row, listed, natural
from autograd_lite.drawing.mathml import mathml
from autograd_lite.drawing.naming import called, derivative, local, short
from autograd_lite.drawing.shown import as_html, as_latex, as_text
from autograd_lite.drawing.steps import Walk, Words, differing
from autograd_lite.drawing.view import View

# -- derivations --------------------------------------------------------------------------------------


def xy():
    return Value(2.0, "x"), Value(-3.0, "y")


def named(name, node):
    node.label = name
    return node


def chain(n, step=ag.sin):
    """n steps, each with a name."""
    x = y = Value(0.5, "x")
    for k in range(1, n + 1):
        y = named(f"y{k}", step(y))
    return derive(y, x)


def ways(n, term=lambda x, k: named(f"p{k}", ag.sin(x * float(k)))):
    """A sum over n ways."""
    x = Value(0.5, "x")
    return derive(named("s", ag.sum([term(x, k) for k in range(1, n + 1)])), x)


def of(make, wrt=(0, 1), **options):
    def found():
        leaves = xy()
        return derive(named("f", make(*leaves)), [leaves[k] for k in wrt], **options)
    return found


def dead(x, y):
    """Of several ways one is 0."""
    return named("a", ag.relu(y) * x) + named("b", x * x) + named("c", ag.relu(y * 2.0) * x)


def dying(x, y):
    """A way that is 0, in two steps, and one that is not."""
    return named("d", named("c", ag.relu(y)) * x) + y * x


def all_dead(x, y):
    return named("a", ag.relu(y)) * x + named("b", ag.relu(y * 2.0))


def ones(x, y):
    a = named("a", x + y)
    return named("b", a + 1.0) * y + named("c", a - y)


def many(n):
    """Twice n that have names."""
    x = y = Value(0.5, "x")
    for k in range(n):
        y = named(f"y{k}", ag.sin(y * Value(0.25 * (k + 1), f"w{k}")))
    return derive(y, x, values=True)


def not_finite(x, y):
    with ag.errstate("ignore"):
        return named("a", ag.log(y)) * x + named("b", x * 1e308) * 1e308


def unnamed(n):
    w = [Value(0.25 * k, f"w{k}") for k in range(n)]
    return derive(ag.tanh(ag.dot(w, [float(k) for k in range(n)])), [w[n - 1], w[2]])


def kinked(n, first=lambda x: x):
    """What rests on two relations for each step, and one if it begins with one."""
    x = Value(0.5, "x")
    y = named("y", first(x * 1.0))
    for k in range(n):
        y = named(f"y{k}", ag.relu(y + 0.125) * ag.maximum(y, -1.0 - k))
    return derive(y, x)


def wrongly(claims, make=lambda x, y: None, **options):
    def found():
        x, y = xy()
        a = named("a", x * y)
        b = named("b", a + x)
        f = named("f", b * a + ag.relu(y) * x)
        rows = audit(f, claims(x, y, a, b), **options).differing
        return "\n\n".join(str(derive(row)) for row in rows)
    return found


DERIVATIONS = {
    **{f"{n} factors": functools.partial(chain, n) for n in (1, 2, 9, 10, 17)},
    "13 negative factors": lambda: chain(13, lambda y: -ag.sin(y)),
    **{f"{n} ways": functools.partial(ways, n) for n in (1, 2, 6, 7, 9)},
    "7 ways without names": lambda: ways(7, lambda x, k: ag.sin(x * float(k))),
    "7 ways of one step": lambda: ways(7, lambda x, k: x * float(k)),
    "a sum of one": of(lambda x, y: x + 0.0 * y), "a product": of(lambda x, y: x * y),
    "a difference": of(lambda x, y: y - x), "negative": of(lambda x, y: -named("a", -x * y)),
    "dead and alive": of(lambda x, y: dying(x, y)), "why 0": of(lambda x, y: ag.relu(y) + 0.0 * x, [1]),
    "a factor that happens to be 1": of(lambda x, y: named("a", x * Value(1.0, "w")) * y),
    "a total of 1": of(lambda x, y: (lambda a: named("b", a * 0.5) + named("c", a * 0.5))(named("a", x * y))),
    "all factors 1": of(lambda x, y: named("a", x + 1.0) + 2.0 * named("b", y + 0.5)),
    "a factor of −1": of(lambda x, y: named("a", -x) * y + named("b", -named("c", -y))),
    "a sum that begins with a minus": of(lambda x, y: ag.cos(x) + 3.0 * ag.sin(x) - x * y),
    "such sums": of(lambda x, y: named("a", ag.cos(x) - x * x) * named("b", ag.cos(x) + x * y)),
    "a quotient": of(lambda x, y: x / (y + x)), "powers": of(lambda x, y: (x * y) ** 3 + y ** 2 / x),
    "one way of three": of(dead), "no way of two": of(all_dead), "factors of one": of(ones),
    "by one that is not there": of(lambda x, y: x * 2.0),
    "values": of(lambda x, y: named("w10", x * y) * named("w2", ag.exp(x)) + named("w1", y), values=True),
    "few digits": of(lambda x, y: named("a", x / 3.0) * y, digits=2),
    "depth": of(lambda x, y: named("a", named("b", x * y) + ag.sin(named("c", y * y))) * x, depth=1),
    "without names": lambda: unnamed(12), "with many": lambda: unnamed(40),
    "many values": lambda: many(30), "two relations": lambda: kinked(1), "four relations": lambda: kinked(2),
    "six relations": lambda: kinked(3), "seven relations": lambda: kinked(3, ag.relu),
    "many relations": lambda: kinked(5),
    "not finite": of(not_finite), "one alone": of(lambda x, y: y * y * x, [1]),
}
AUDITS = {
    "all wrong": wrongly(lambda x, y, a, b: {(f, t): 7.5 for f, t in (("f", "x"), ("f", "a"), ("b", "x"))}),
    "a factor": wrongly(lambda x, y, a, b: {("f", "b"): -6.0, ("b", "a"): 2.0, ("f", "a"): -10.0}),
    "a factor of one": wrongly(lambda x, y, a, b: {("b", "a"): 1.5, ("a", "x"): -3.0, ("b", "x"): -3.5}),
    "zeros": wrongly(lambda x, y, a, b: {("b", "a"): 0.0, ("b", "y"): 0.0, ("f", "y"): 0.0}),
    "a way that is 0": lambda: "\n\n".join(str(derive(row)) for row in audit(
        named("f", dying(*xy())), {("c", "y"): 1.0, ("f", "y"): 4.0, ("d", "y"): 2.0}).differing),
    "signs": wrongly(lambda x, y, a, b: {("a", "x"): 3.0, ("b", "x"): 4.0, ("f", "x"): 9.0}),
}


# -- rows of text -------------------------------------------------------------------------------------

A, LONG = "a·b", "the first factor·(a + b·c)·the second one·(d − e)·the third factor·" + "x" * 20
T = Token
LINES = {
    "empty": [Row("=", [])],
    "heads": [Row("=", [T("", "1")], "h"), Row("=", [T("", "2")]), Row("since", [T("", "x > 0")]),
              Row("graph =", [T("", "3")]), Row("", [T("", "4")], "given")],
    "a head of 30": [Row("=", [T("", "1")], "h" * 30), Row("=", [T("", "2")])],
    "a head of 2": [Row("=", [T("", "1")], "hh"), Row("=", [T("", "2")])],
    "a head of 31": [Row("=", [T("", "1")], "h" * 31), Row("=", [T("", "2")])],
    "heads of 31 and 5": [Row("=", [T("", "1")], "h" * 31), Row("=", [T("", "2")], "short")],
    "heads of 31 and 2": [Row("=", [T("", "1")], "h" * 31), Row("=", [T("", "2")], "sh")],
    "wide letters": [Row("=", [T("", "层·网", True), T(" + ", "x", True)], "∂两/∂层"), Row("=", [T("", "2")])],
    **{f"{n} terms": [Row("=", [T(" + " if k else "", f"term{k:02}·w{k:02}", k % 5 == 4)
                                for k in range(n)], "∂E/∂w1")] for n in (5, 6, 12)},
    **{f"marks at {n}": [Row("=", [T("", "a" * n), T(" − ", "b" * 20, True), T("·", "c", True)], "h")]
       for n in (49, 50, 51, 52)},
    "a minus of its own": [Row("=", [T("−", "a", True), T(" · ", "b"), T(" + ", "c", True)], "h")],
    **{f"a term of {n}": [
        Row("=", [T("", "a" * 30), T(" + ", "b" * n), T(" · ", "c" * 20), T(" + ", "d")], "head")]
       for n in (15, 16, 17, 18, 46, 47, 48, 49, 60)},
    **{f"a second factor of {n}": [
        Row("=", [T("", "a" * 30), T(" + ", "b" * 20), T(" · ", "c" * n), T(" + ", "d")], "head")]
       for n in (44, 45, 46, 47, 70)},
    **{f"a sum of {n}": [Row("=", [T("", "a" * 30), T(" = ", "b" * n)], "head")] for n in (39, 40, 80)},
    **{f"a word of {n}": [Row("=", [T("", "a"), T(" + ", "b" * (n - 2) + "·c")], "h")]
       for n in (72, 73, 74)},
    "long": [Row("=", [T("", LONG), T(" · ", LONG, True)], "h")],
    "long in brackets": [Row("=", [T(" + ", "(" + LONG + " + [" + LONG + " − " + LONG + "]·y)")], "h")],
    **{f"in {n} brackets": [Row("=", [T("", "(" * n + "a" * 50 + " + " + "b" * 50 + ")" * n)], "h")]
       for n in (9, 10)},
}


# -- MathML -------------------------------------------------------------------------------------------

LATEX = [
    "", "x", "12.5", ".5", "a-b", "x < y > z & w", "x_{1}", "x_1^2", "x^2_1", "x^{a}_{b}", "^2", "_{k}",
    "x^ {2}", "x_",
    r"\frac{a}{b}", r"\frac ab", r"\frac{a + b}{\frac{c}{d}}", r"\frac", r"\sqrt{x + 1}", r"\sqrt[3]{x}",
    r"\sqrt",
    r"\sqrt[n + 1]{x}", r"\left(x\right)", r"\left[\frac{1}{x}\right]", r"\left\lfloor x \right\rfloor y",
    r"\left|x\right|", r"\left(x", r"\left(\left(a\right) + b\right)^{2} c", r"{a b} c", "{a", "a}b", "{{a}}",
    r"\alpha \beta\Omega \sigma", r"\unknown", r"a \cdot b \times c",
    r"\partial x \neq \geq \leq \infty \ldots \sim",
    r"\wedge \backslash", r"\lfloor x \rfloor", r"\, \; \quad \ ", r"\{ \} \# \% \_ \$ \&",
    r"\mathrm{outo}_{1}",
    r"\mathrm{a\_b{c}d} e", r"\mathrm{\alpha\cdot\unknown\text{x}}", r"\text{if } x",
    r"\mathrm{a < b & \# \backslash}",
    r"\mathrm{unclosed", r"\mathrm", r"\mathrm{\x\pi}", r"\overline{x}", r"x'", "a\\\nb", "é层", "1.5e3",
    r"\mathrm{relu}\left(x\right)",
    r"\operatorname{f}", r"a\right)b", r"\left(", "x y  z", r"\frac{1}{2}^{3}", r"\sin^{2}x", "-x", "a=b",
    '"',
]


# -- steps --------------------------------------------------------------------------------------------


def shared():
    x = Value(3.0, "x")
    y = named("y", x * x)
    return named("z", y + y * x)


def several():
    x, y = Value(-3.0, "x"), Value(2.0)
    a = named("a", ag.sum([x, x, y * x]))
    return named("f", a * a + ag.where(ag.greater(x, 0.0), y, x) - 2.5 * a / y)


def wide(n, name="w"):
    ws = [Value(0.5 * k, f"{name}{k}") for k in range(n)]
    return named("s", ag.dot(ws, [float(k) for k in range(n)]))


def long_names():
    x = Value(2.0, "a very long name of an input of a very long network " * 3)
    return named("\n" * 3 + "y" * 60, x * x)


def zero():
    x, y = Value(0.0, "x"), Value(2.0, "y")
    return named("z", (x * y) * (x * y) + x * 0.0)


def two_wrong():
    """In naive order a and b get a part alone of what y passes on, and _ gets all."""
    a, b = Value(2.0, "a"), Value(3.0, "b")
    y = named("y", a * b)
    return named("z", y + ag.sin(y) + Value(1.0, "_") * 2.0)


def early_products():
    """In naive order y passes on twice too early, over two ways."""
    x = Value(2.0, "x")
    y = named("y", x * 3.0)
    a = named("a", ag.sin(y))
    b = named("b", y * a)
    return named("z", ag.sum([y, a, b, y * b]))


def layers():
    x = Value(0.5, "x")
    parts = []
    for k in range(3):
        part = ag.sin(x * float(k + 1)) + 0.5
        for node in (part, part.operands[0]):
            node.scope = (f"layer[{k}]",)
        parts.append(part)
    return named("s", ag.sum(parts) * parts[0])


def walked(make, order="topological", most=1000, digits=4):
    """All that is said of a pass."""
    root = make()
    view = View([root], most, "all")
    walk, right = Walk(view, root, order), Walk(view, root)
    words = Words(walk, digits)
    lines = [*words.start()]
    for step in walk.steps:
        lines += ["", *words.step(step)]
    return "\n".join([*lines, "", *words.end(right)])


WALKS = {
    "shared": (shared,), "shared, naive": (shared, "naive"),
    "several": (several,), "several, naive": (several, "naive"),
    "wide 23": (lambda: wide(23),), "wide 24": (lambda: wide(24),),
    "long names": (long_names,), "zero": (zero,),
    "two wrong": (two_wrong, "naive"),
    "early": (early_products, "naive", 1000, 2), "layers": (layers, "topological", 8),
    "layers, naive": (layers, "naive", 8), "layers in one": (layers, "topological", 2),
    "folded": (lambda: wide(60), "topological", 12), "a leaf": (lambda: Value(2.0, "x"),),
}

NAME = "written"
CASES = {
    **{f"derivation: {name}": lambda make=make: make().text for name, make in DERIVATIONS.items()},
    **{f"audit: {name}": make for name, make in AUDITS.items()},
    "markdown: one way of three": lambda: DERIVATIONS["one way of three"]().markdown,
    "latex: values": lambda: DERIVATIONS["values"]().latex,
    "html: a wrong claim": lambda: "\n<".join(derive(audits()["corrected"].differing[1]).html.split("<")),
    **{f"line: {name}": lambda line=line: as_text(line) for name, line in LINES.items()},
    **{f"{form}: rows": lambda write=write: write([*LINES["heads"], *LINES["a minus of its own"]])
       for form, write in (("as latex", as_latex),
                           ("as html", lambda x: "\n".join(as_html([x], ["a < note"]))))},
    "MathML": lambda: "\n".join(f"{latex!r}: {mathml(latex)[28:-7]}" for latex in LATEX),
    **{f"walk: {name}": functools.partial(walked, *args) for name, args in WALKS.items()}}


@pytest.mark.parametrize("case", CASES)
def test_what_is_written_is_what_is_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


def test_a_notebook_shows_a_derivation_as_html_or_as_the_formulas_of_its_markdown():
    derivation = DERIVATIONS["one way of three"]()
    assert derivation._repr_html_() == derivation.html and str(derivation) == derivation.text
    formulas = [part for part in derivation.markdown.split("\n\n") if part.startswith("$$")]
    assert derivation._repr_latex_() == "\n\n".join(formulas)


# -- names --------------------------------------------------------------------------------------------

x, y, odd = Value(3.0, "x"), Value(-2.0, "y"), Value(1.0, "a b")


@pytest.mark.parametrize("node, text, brief", [
    (x, "x", "x"), (x * y, "x * y", "x * y"), (odd + 1.0, "(a b) + 1.0", "(a b) + 1.0"),
    (Value(2.0) * x, "2 * x", "2 * x"), (Value(-2.5) * x, "(-2.5) * x", "(-2.5) * x"),
    (x ** Value(0.0), "x ** 0", "x ** 0"), (ag.sin(ag.cos(x)), "sin(cos(x))", "sin(cos(x))"),
    (ag.sin(ag.cos(ag.exp(x))), "sin(cos(…))", "(sin)"),
    (ag.sum([x] * 6), "sum([x, x, x, x, x, x])", "sum([x, x, x, x, x, x])"),
    (Value(1234567.0) * 1.0, "1.23457e+06 * 1.0", "1.23457e+06 * 1.0"),
    (ag.sum([x] * 7), "sum(x, x, x, x, x, x, …)", "(sum)"),
    (ag.sum([Value(1.0, "n" * 7)] * 7), f"sum({', '.join(['n' * 7] * 6)}, …)", "(sum)"),
    (ag.sin(Value(1.0, "n" * 19)), f"sin({'n' * 19})", f"sin({'n' * 19})"),
    (ag.sin(Value(1.0, "n" * 20)), f"sin({'n' * 20})", "(sin)"),
    (ag.sin(Value(1.0, "n" * 55)), f"sin({'n' * 55})", "(sin)"),
    (ag.sin(Value(1.0, "n" * 56)), f"sin({'n' * 55}…", "(sin)"),
    (Value(1.0, "n" * 57) + 2.5, f"+({'n' * 57}…", "(+)"),
    (Value(1.0, "n" * 54) + 2.5, f"{'n' * 54} + 2.5", "(+)"),
    (Value(0.0), "0", "0")])
def test_a_node_without_a_label_is_called_by_its_expression_or_briefly_by_its_op(node, text, brief):
    assert called(node).text == text and short(node).text == brief


@pytest.mark.parametrize("head, tail, text", [
    (x, x, "∂x/∂x"), (x * y, x, "∂(x * y)/∂x"), (ag.sin(x), y, "∂sin(x)/∂y"),
    (odd, Value(-1.0), "∂(a b)/∂(-1)"),
    (Value(1.0, "n" * 150), Value(1.0, "n" * 151), f"∂{'n' * 150}/∂{'n' * 149}…"),
    (Value(1.0, "a=b"), Value(2.0, "a.b[1]'"), "∂(a=b)/∂a.b[1]'")])
def test_what_is_not_one_word_stands_in_brackets_in_a_derivative(head, tail, text):
    assert derivative(head, tail) == text


@pytest.mark.parametrize("name, scope, shown", [
    ("a.b", ("a",), "b"), ("a.", ("a",), "a."), ("a.b", ("b",), "a.b"), ("a.b.c", ("a", "b"), "c"),
    ("b.c", ("a", "b"), "c"), ("a.c", ("a", "b"), "a.c"), ("x", (), "x")])
def test_a_name_is_shown_without_what_its_scope_says(name, scope, shown):
    assert local(name, scope) == shown


@pytest.mark.parametrize("texts, row", [([], ""), (["a"], "a"), (["a", "b", "c"], "a, b, c")])
def test_texts_are_listed_with_commas_between(texts, row):
    assert Row("", listed(texts)).text == row


def test_names_are_sorted_by_their_numbers():
    names = ["w", "w2", "w02b", "w10", "w10a", "w[2]", "w[11]", "x1y2", "x1y10", "", "3", "20"]
    assert sorted(reversed(names), key=natural) == [
        "", "3", "20", "w", "w2", "w02b", "w10", "w10a", "w[2]", "w[11]", "x1y2", "x1y10"]


@pytest.mark.parametrize("size, wrong", [(1.0, True), (1e-298, True), (2e-300, True), (5e-301, False)])
def test_a_tiny_gradient_is_wrong_unless_the_difference_is_tinier_than_counts(size, wrong):
    a = Value(1.0, "a")
    b = a * size
    root = ag.sum([b, b * 1.0])                 # (in naive order b passes on only half)
    view = View([root], 100, "all")
    right, naive = Walk(view, root), Walk(view, root, "naive")
    assert (naive.gradients[id(a)], right.gradients[id(a)]) == (size, 2.0 * size)
    assert (id(a) in differing(naive, right)) is wrong


@pytest.mark.parametrize("part, wrong", [
    (1e-9, True), (1e-11, True), (2e-12, True), (5e-13, False), (0.0, False)])
def test_a_gradient_is_wrong_where_it_differs_by_more_than_rounding(part, wrong):
    a = Value(1.0, "a")
    b = a * 1.0
    root = ag.sum([b, b * part])                # (in naive order b passes on 1 and not what comes after)
    view = View([root], 100, "all")
    right, naive = Walk(view, root), Walk(view, root, "naive")
    assert bool(differing(naive, right)) is wrong and not differing(right, right)
    assert naive.gradients[id(a)] == 1.0 and right.gradients[id(a)] == 1.0 + part
