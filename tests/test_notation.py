"""How ops are written: the text computes what the op does, the LaTeX is read, brackets stand where needed."""
from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

import autograd_lite as ag
from autograd_lite import Value, custom_op
from autograd_lite.graph.program import Program
from autograd_lite.ops.notation import (ATOM, POWER, PRODUCT, SIGN, SUM, Form, Written, function, latex,
                                        literal, numeral)
from autograd_lite.ops.op import TABLE, Op, op_named
from autograd_lite.testing import Expression, expressions

MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
# What a program that begins with `from autograd_lite import *` knows, and the ops that are not exported.
NAMES = {**TABLE, **{name: getattr(ag, name) for name in ag.__all__}, "op_named": op_named}
MATHTEXT = MathTextParser("path")
ODD = ["third power", "a_b", "50 %", "#1", "a & b", "$x$", "{", "}}{", "\\", r"\frac", "it's", '"quoted"',
       "`", "^", "a^2", "~", "\n", "a\x00b", "\ud800", "\u202e", "ﬁ", "µ", "∂", "两层", "lambda", "None", "",
       " ", "2x", "#{0}", "{0}", "%s", "\\right)", "a\\", "x" * 300, "')(x); import os; ('"]


def reads(tex: str) -> bool:
    """Whether matplotlib reads it as mathematics."""
    try:
        MATHTEXT.parse(f"${tex}$")
    except ValueError:
        return False
    return True


def nested(f: Expression, write: str) -> str:
    """The result of an expression of x, y, z, written as one term."""
    found = [Written(name) for name in "xyz"[:f.inputs]]
    for op, operands in f.steps:
        found.append(getattr(op.notation, write)(*[found[x] if isinstance(x, int) else x for x in operands]))
    return found[-1].text


def shape(root: object) -> object:
    """The ops and operands of a graph; of a number, the number."""
    if not isinstance(root, Value):
        return root
    program = Program([root])
    return [(node.op, [places if places is not None else x for places, x in zip(at, node.operands)])
            for node, at in zip(program.nodes, program.operands)]


def same(a: float, b: float) -> bool:
    return (a, math.copysign(1.0, a)) == (b, math.copysign(1.0, b))


@pytest.fixture
def spelt(monkeypatch):
    """Writes an op in another way."""
    def change(name: str, **forms: Form) -> None:
        monkeypatch.setattr(TABLE[name], "notation", TABLE[name].notation._replace(**forms))
    return change


# -- Python ------------------------------------------------------------------------------------------


def written_right(f: Expression) -> None:
    """The text of an expression computes it, on floats and on Values."""
    for program in (repr(f), f"lambda {', '.join('xyz'[:f.inputs])}: {nested(f, 'text')}"):
        assert same(eval(program, dict(NAMES))(*f.witness), f(*f.witness)), program
    xs = [Value(x) for x in f.witness]
    assert shape(eval(repr(f), dict(NAMES))(*xs)) == shape(f(*xs))


@given(expressions(max_ops=8))
@MANY
def test_the_text_of_an_expression_is_a_program_that_computes_it(f):
    written_right(f)


@given(expressions(max_ops=8, ops=["+", "-", "*", "/", "%", "//", "**", "neg"]))
@MANY
def test_the_brackets_of_arithmetic_are_pythons(f):
    written_right(f)


@pytest.mark.parametrize("name", TABLE)
def test_every_op_is_written_as_it_is_called(name):
    op = TABLE[name]
    for n in (2, 3, 5) if op.open else range(op.least, int(op.most) + 1):
        for numbers in [(2.0, 3.0, 1.0, 0.5, 4.0), (0.5, 0.25, 1.0, 2.0, 3.0), (1.0, -2.0, 0.0, 1.0, 0.0)]:
            xs = [abs(round(x)) + 0.0 if i in op.options else x for i, x in enumerate(numbers[:n])]
            if op.domain(*xs):
                names = [f"x{k}" for k in range(n)]
                bound = {**NAMES, **dict(zip(names, xs))}
                assert same(eval(op.notation.text(*names).text, bound), op(*xs))
                assert same(eval(op.notation.text(*xs).text, dict(NAMES)), op(*xs))


@pytest.mark.parametrize("steps, wrong", [
    ([("-", (0, 1))], "#1 + #2"), ([("-", (0, 1))], "#2 - #1"), ([("sin", (0,))], "cos(#1)"),
    ([("fsum", (0, 0.1, 0.2))], "sum([#1, #2, #3])"), ([("polygamma", (1.0, 0))], "polygamma(2.0, #2)"),
    ([("softmax", (0, 1))], "softmax([#1, #2])[1]"), ([("neg", (0,))], "#1 * -1.0"),
    ([("greater", (0, 1)), ("where", (3, 0, 1))], "where(#1, #3, #2)")])
def test_a_wrong_text_is_noticed(steps, wrong, spelt):
    f = Expression(3, tuple((TABLE[name], operands) for name, operands in steps), (2.0, 0.7, 0.3))
    written_right(f)
    spelt(steps[-1][0], text=Form(wrong))
    with pytest.raises(AssertionError):
        written_right(f)


@pytest.mark.parametrize("name, wrong", [
    ("-", Form("#1 - #2", SUM, (SUM, SUM))), ("-", Form("#1 - #2", ATOM, (SUM, PRODUCT))),
    ("neg", Form("-#1", ATOM, SIGN)), ("neg", Form("-#1", SIGN, SUM)),
    ("**", Form("#1 ** #2", POWER, (SIGN, SIGN))), ("**", Form("#1 ** #2", POWER, (POWER, SIGN)))])
def test_a_wrong_precedence_is_noticed(name, wrong, spelt):
    pairs = [Expression(3, ((TABLE[inner], (0, 1)[:TABLE[inner].least]), (TABLE[outer], xs)), (2.0, 3.0, 2.0))
             for inner in ("-", "neg", "*", "**") for outer in ("-", "*", "**", "neg")
             for xs in ([(3, 2), (2, 3)] if outer != "neg" else [(3,)])]
    for f in pairs:
        written_right(f)
    spelt(name, text=wrong)
    with pytest.raises(AssertionError):
        for f in pairs:
            written_right(f)


def text(tree: tuple, write: str = "text") -> Written:
    """Nested tuples of a name and operands, written."""
    name, *operands = tree
    form = getattr(TABLE[name].notation, write)
    return form(*[text(x, write) if isinstance(x, tuple) else x for x in operands])


@pytest.mark.parametrize("tree, expected", [
    (("-", "a", ("-", "b", "c")), "a - (b - c)"), (("-", ("-", "a", "b"), "c"), "a - b - c"),
    (("**", -2.0, "x"), "(-2.0) ** x"), (("neg", ("**", "x", 2.0)), "-x ** 2.0"),
    (("**", ("neg", "x"), 2.0), "(-x) ** 2.0"), (("**", 2.0, ("neg", "x")), "2.0 ** -x"),
    (("**", ("**", "a", "b"), "c"), "(a ** b) ** c"), (("**", "a", ("**", "b", "c")), "a ** b ** c"),
    (("*", ("+", "a", "b"), "c"), "(a + b) * c"), (("/", "a", ("*", "b", "c")), "a / (b * c)"),
    (("*", ("/", "a", "b"), "c"), "a / b * c"), (("neg", ("neg", "x")), "--x"),
    (("*", ("neg", "a"), ("neg", "b")), "-a * -b"), (("neg", ("*", "a", "b")), "-(a * b)"),
    (("sin", ("+", "a", "b")), "sin(a + b)"), (("%", "a", ("//", "b", "c")), "a % (b // c)"),
    (("sum", ("+", "a", "b"), -1.0), "sum([a + b, -1.0])"),
    (("where", ("greater", "a", 0.0), "a", ("neg", "a")), "where(greater(a, 0.0), a, -a)"),
    (("dot", "a", "b", "c", "d", "e"), "dot([a, b], [c, d], e)")])
def test_brackets_stand_in_python_where_they_are_needed(tree, expected):
    assert text(tree).text == expected


@pytest.mark.parametrize("name", ODD)
def test_an_op_of_any_name_is_written_so_that_it_is_found(name):
    op = Op(name, lambda x: x * x * x, (lambda y, x: 3.0 * x * x,), notation=function(name))
    TABLE[name] = op
    try:
        assert eval(op.notation.text("x").text, {**NAMES, name: op, "x": 2.0}) == 8.0
    finally:
        del TABLE[name]


def test_an_op_of_a_user_is_written_by_its_name():
    op = custom_op(lambda a, b: a + 2.0 * b, (lambda y, a, b: 1.0, lambda y, a, b: 2.0), name="lever")
    try:
        assert op.notation.text("a", op_named("+").notation.text("b", "c")).text == "lever(a, b + c)"
        assert op.notation.latex("a", "b").text == r"\mathrm{lever}\left(a, b\right)"
        assert op.notation.sign == "lever"
        assert repr(Expression(2, ((op, (0, 1)),), (1.0, 1.0))) == "lambda x, y: lever(x, y)"
    finally:
        del TABLE["lever"]


# -- LaTeX -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLE)
def test_the_latex_of_every_op_is_read(name):
    op = TABLE[name]
    for n in (1, 5) if op.open else sorted({op.least, int(op.most)}):
        operands = ["x", -1.5e-7, Written("a + b", SUM), "y", "z"][-n:]
        tex = op.notation.latex(*operands)
        assert reads(tex.text) and reads(op_named("**").notation.latex(tex, "2").text), tex
        for operand in ("x", -1.5e-7):
            assert reads(op.notation.latex(*[operand] * n).text)


@given(expressions(max_ops=8))
@MANY
def test_the_latex_of_an_expression_is_read(f):
    tex = nested(f, "latex")
    assert reads(tex), tex


@given(st.sampled_from(ODD) | st.text(st.characters(max_codepoint=0x1ffff), max_size=20))  # (all that it has)
@example("a\u0338")
@FEW
def test_the_latex_of_an_op_of_any_name_is_read(name):
    tex = function(name).latex("x", 1.0).text
    assert reads(tex), tex


@pytest.mark.parametrize("name", ["_", "%", "$", "#", "{", "}", "\\", "^", "~", "&", '"', "`"])
def test_what_means_something_in_latex_is_escaped(name):
    tex = function(f"a{name}b").latex("x").text
    assert tex != rf"\mathrm{{a{name}b}}\left(x\right)" and reads(tex)
    bare = tex.replace(r"\left", "").replace(r"\right", "").removeprefix(r"\mathrm{")
    for special in "_%$#&":
        assert bare.count(special) == bare.count("\\" + special)


@pytest.mark.parametrize("tex", [r"\left(#1", "#1}", "#1_", r"\nosuch{#1}", "#1^{2}^{3}"])
def test_wrong_latex_is_noticed(tex, spelt):
    assert reads(op_named("sin").notation.latex("x").text)
    spelt("sin", latex=latex(tex))
    assert not reads(op_named("sin").notation.latex("x").text)


@pytest.mark.parametrize("tree, expected", [
    (("-", "a", ("-", "b", "c")), r"a - \left(b - c\right)"), (("-", ("-", "a", "b"), "c"), "a - b - c"),
    (("+", "a", ("neg", "b")), r"a + \left(-b\right)"), (("+", ("neg", "a"), "b"), "-a + b"),
    (("*", "a", -2.0), r"a \cdot \left(-2\right)"), (("*", ("neg", "a"), "b"), r"\left(-a\right) \cdot b"),
    (("neg", ("*", "a", "b")), r"-a \cdot b"), (("neg", ("+", "a", "b")), r"-\left(a + b\right)"),
    (("neg", ("**", "x", 2.0)), "-x^{2}"),
    (("**", ("neg", "x"), 2.0), r"\left(-x\right)^{2}"), (("**", 2.0, ("neg", "x")), "2^{-x}"),
    (("**", ("/", "a", "b"), 2.0), r"\left(\frac{a}{b}\right)^{2}"),
    (("**", ("exp", "x"), 2.0), r"\left(e^{x}\right)^{2}"),
    (("**", ("**", "a", "b"), "c"), r"\left(a^{b}\right)^{c}"), (("**", "a", ("**", "b", "c")), "a^{b^{c}}"),
    (("/", ("+", "a", "b"), ("+", "c", "d")), r"\frac{a + b}{c + d}"),
    (("*", ("/", "a", "b"), ("expm1", "x")), r"\frac{a}{b} \cdot \left(e^{x} - 1\right)"),
    (("**", ("log_sigmoid", "x"), 2.0), r"\left(\ln\sigma\left(x\right)\right)^{2}"),
    (("sum", "a", ("neg", "b"), ("*", "c", "d")), r"a + \left(-b\right) + c \cdot d"),
    (("mean", "a", "b"), r"\frac{a + b}{2}"), (("dot", ("+", "a", "b"), "c"), r"\left(a + b\right) \cdot c"),
    (("*", 1e-7, "x"), r"1 \cdot 10^{-7} \cdot x"), (("**", 1e-7, 2.0), r"\left(1 \cdot 10^{-7}\right)^{2}"),
    (("hypot", ("+", "a", "b"), ("exp", "c")), r"\sqrt{\left(a + b\right)^{2} + \left(e^{c}\right)^{2}}"),
    (("where", ("greater", ("+", "a", 1.0), 0.0), "a", ("neg", "a")),
     r"a \;\mathrm{if}\; a + 1 > 0 \;\mathrm{else}\; -a"),
    (("*", ("where", "c", "a", "b"), ("less", "a", "b")),
     r"\left(a \;\mathrm{if}\; c \;\mathrm{else}\; b\right) \cdot \left(a < b\right)"),
    (("where", "c", "a", ("where", "d", "b", "e")),
     r"a \;\mathrm{if}\; c \;\mathrm{else}\; \left(b \;\mathrm{if}\; d \;\mathrm{else}\; e\right)"),
    (("greater", ("less", "a", "b"), 0.0), r"\left(a < b\right) > 0"),
    (("gauss", "x", 2.0), r"\mathrm{gauss}^{\left(2\right)}\left(x\right)")])
def test_brackets_stand_in_latex_where_they_are_needed(tree, expected):
    assert text(tree, "latex").text == expected and reads(expected)


@pytest.mark.parametrize("x, tex", [(2.0, "2"), (-0.5, "-0.5"), (-0.0, "-0"), (1e16, r"1 \cdot 10^{16}"),
                                    (math.inf, r"\infty"), (-math.inf, r"-\infty"), (math.nan, "nan")])
def test_a_number_in_latex(x, tex):
    assert numeral(x).text == tex and reads(tex)
    assert numeral(x).precedence == (SUM if tex[0] == "-" else PRODUCT if "cdot" in tex else ATOM)
    assert literal(x) == (repr(x), SIGN if tex[0] == "-" else ATOM)


def test_a_power_binds_as_python_says():
    assert [op_named(name).notation.text(*["a", "b"][:op_named(name).least]).precedence for name in (
        "+", "*", "neg", "**", "sin", "sum", "where")] == [SUM, PRODUCT, SIGN, POWER, ATOM, ATOM, ATOM]
