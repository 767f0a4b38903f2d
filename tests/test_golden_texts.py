"""What people read: messages about formulas, models as text and in notebooks, pages, the worked example."""
from __future__ import annotations

import contextlib
import functools
import inspect
import io
import json
import os
import re
import tempfile
from unittest.mock import patch

import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import Value, cli, document, errors, markup, nn, optim
from autograd_lite.expression import constant, parse
from autograd_lite.lines import Line

# Texts that are no formulas, and where they are one, the numbers at which they have no result.
FORMULAS = [
    "sine(x)", "Sin(x)", "sinn(x)", "quux(x)", "ln(x) + 1", "arcsin(x)", "artanh(x)", "arctan2(y, x)",
    "ctg(x)",
    "x.sin(2)", "np.sin(x)", "x.real", "2x", "2.5e3x", "2 x", "x y", "x (y", "1 2", "x²", "3 − x", "x ÷ y",
    "|x|",
    "∞", "√2", "x ≤ y", "x^2", "x ^ y + 1", "x | y", "x & y", "x @ y", "~x", "!x", "x!", "x = = y", "=",
    "in + 1", "x is y", "for x in y: x", "(x", "x)", "[x", "'a", "'a' + x", "b'a'",
    "f'{x}'", "True", "2j", "...", "None", "1e400", "10**400 + " + "9" * 400, "1" * 5000, "x\0y",
    "u = x\nv = u + \udfff\nu", "a = 1\n\ud800", "(" * 250 + "x" + ")" * 250, "-" * 502 + "x",
    "-" * 501 + "x",
    "x" * 20_001, "x + " * 20 + "sine(x)", "x + " * 9 + "sine(x)" + " + x" * 20,
    "速度 + " * 8 + "sine(速度) + " * 5 + "x", "速" * 36 + "(x)", "速" * 37 + "(x)", "long_name_" * 8 + "(x)",
    "a + sine(" + "b + " * 30 + "c)", "x; y", "x; y;", "u = x; u = y; u", "x = x", "sin = 2", "e = 3",
    "pi = 3; pi", "u(2)", "pi(2)", "u = x; u (2)", "x*(y)(z)", "(x + 1)(y)", "a.b(2)", "x[1:2]", "x[y]",
    "x[-y]",
    "x[0, 1]", "relu(x, at_zero=1)", "sin()", "sin(x, y)", "atan2(x)", "where(x)", "step(x, y, 1, 2)",
    "sin + 1",
    "sum", "x, y", "{x}", "{x: 1}", "sin(*x)", "[a for a in x]", "(a for a in x)", "x if y else 1",
    "x and y", "not x", "if x: y", "1 < x < 2", "x in y", "x: y", "x: y = 2", "x += 1", "import os",
    "from os import path", "def f(): 1", "class A: 1", "del x", "assert x", "yield x", "await x",
    "lambda x: x", "a, b = x, y", "a = b = x", "a[0] = x", "pass", "try:\n x\nfinally:\n y",
    "(\nx +\nsine(y)\n)",
    "u = x\n   v = 2", "u = (x +\n  1)(2)", "速度 = (1 +\n  sine(速)\n)", "# only this", "x y\nu = 1\nv",
    "x\ty + 1", "x\r\ny"]
POINTS = [
    ("1 + log(x - 5)", {"x": 1.0}), ("x/(x - 1)", {"x": 1.0}), ("u = x*1000\nexp(u)", {"x": 1.0}),
    ("a + b + " * 12 + "sqrt(x)", {"a": 1.0, "b": 2.0, "x": -1.0}),
    ("sqrt(x" + " + x" * 40 + ")", {"x": -1.0}),
    ("softmax([x])[3]", {"x": 1.0}), ("2*x[0]", {"x": 1.0}), ("[x, x][-3]", {"x": 1.0}),
    ("sin([x])", {"x": 1.0}),
    ("sum(x)", {"x": 1.0}), ("[x]", {"x": 1.0}), ("u = softmax([x]); 2*x", {"x": 1.0}), ("x + y", {"x": 1.0}),
    ("dot([x], [x, y])", {"x": 1.0, "y": 2.0}), ("mean([])", {}), ("sum([[x], 1])", {"x": 1.0}),
    ("sum(x, y, y)", {"x": 1.0, "y": 2.0}), ("dot([x])", {"x": 1.0})]


def said(call) -> str:
    """What a call raises, or gives."""
    try:
        return f"{call()!r}"
    except ag.AutogradError as error:
        return f"{type(error).__name__}: {error}"


def formulas() -> str:
    return "\n".join([f"-- {text[:60]!a}\n{said(lambda: parse(text).variables)}" for text in FORMULAS])


def at_points() -> str:
    kinds = [float, Value, lambda x: Value(x, "named")]

    def result(text, at, kind):
        return said(lambda: parse(text, what="here")(dict(zip(at, map(kind, at.values())))))

    return "\n".join([f"-- {text[:60]}\n{result(text, at, kind)}"
                      for text, at in POINTS for kind in kinds[:1 + ("[3]" in text or "log" in text)]])


def known() -> str:
    """Of names that are known, and not."""
    cases = [("speedd*x", ["x", "speed"]), ("SPEED", ["speed"]), ("z", ["speed"]), ("z", []),
             ("x = 3; x", ["x"]),
             ("u = x; u*x", ["x"]), ("x(2)", ["x"]), ("sin(x)(2)", ["x"]), ("xx(2)", ["x"]), ("exp", ["x"])]
    numbers = ["abc", "", "1e400", "10**400", "[1]", "1 2", "'1'", "pi", "-3/2", "1/0", "sqrt(2)*x",
               "sqrt(-1)"]
    return "\n".join([*[f"-- {text}, {names}\n{said(lambda: parse(text, names).names)}" for text,
                        names in cases],
                      *[f"-- {text}\n{said(lambda: constant(text, 'the rate'))}" for text in numbers]])


# Gradients that are not defined: the message points at the operation, unless it points somewhere already.
GRADIENTS = [("x + sqrt(y)", {"x": 1.0, "y": 0.0}), ("u = x*y; 2 + u**0.5 + sqrt(x)", {"x": 0.0, "y": 1.0}),
             ("sqrt(x) + sqrt(y)", {"x": 4.0, "y": 0.0}), ("sqrt(x*0) + sqrt(0*y)", {"x": 4.0, "y": 1.0}),
             ("sum([1, asin(x)])", {"x": 1.0}), ("softmax([sqrt(x), 1])[0]", {"x": 0.0})]


def gradients() -> str:
    lines = []
    for text, at in GRADIENTS:
        formula = parse(text)
        nodes = {name: Value(x, name) for name, x in at.items()}
        try:
            formula(nodes)[""].backward()
        except ag.NumericError as error:
            lines += [f"-- {text}", str(formula.located(error, at)),
                      str(formula.located(ag.DomainError("f(1)\nis here"), at))]
    return "\n".join([*lines, str(parse("x").located(ag.DomainError("f(1) is not in it"), {"x": 1.0}))])


# -- models -------------------------------------------------------------------------------------------------

class Table(nn.Module):
    """Parameters of its own, parts that are alike and parts that are not."""

    def __init__(self, parts: int = 2, own: int = 3, deep: int = 0) -> None:
        self.own = [[Value(1.0)] * 1 + [Value(2.0)] for _ in range(own)]
        self.scale, self.by_name = Value(1.0), {"a.b[0]": nn.Neuron(2), "q'": Value(1.0), "b": [Value(2.0)]}
        self.many = [nn.Layer(2, i + 1, activation="tanh") for i in range(parts)]
        if deep:
            self.below = Table(parts, own, deep - 1)


class Bare(nn.Module):
    pass


class Long(nn.Module):
    def __init__(self, n: int) -> None:
        for i in range(n):
            setattr(self, f"weight_{i}", Value(1.0))


class Wide(nn.Module):
    def __init__(self, name: str) -> None:
        setattr(self, name, nn.Neuron(1))


class Rows(nn.Module):
    def __init__(self, *layers: int) -> None:
        self.parts = [nn.MLP(1, [i % 2 + 1] * n) for i, n in enumerate(layers)]


class Fan(nn.Module):
    def __init__(self, *sizes: int) -> None:
        self.first = nn.Neuron(1)
        self.parts = [Fan(*[-1 - i for i in range(n)]) if n > 0 else nn.Neuron(1 - n) for n in sizes]


class Chain(nn.Module):
    def __init__(self, depth: int, width: int) -> None:
        self.w = Value(1.0)
        self.parts = [Chain(depth - 1, width if i else 1) for i in range(width)] if depth else []


MODELS = {"MLP": lambda: nn.MLP(3, [4, 4, 1]), "neuron": lambda: nn.Neuron(2), "bare": Bare,
          "layer": lambda: nn.Layer(2, 3, bias="layer", activation="sigmoid"), "table": Table,
          "24 parts": lambda: Fan(*range(23)), "25 parts": lambda: Fan(*range(24)),
          "1,030 parts": lambda: Fan(*[
              -(i % 2) for i in range(1030)]),
          "24 own": lambda: Long(24), "25 own": lambda: Long(25), "one": lambda: Long(1),
          "deep": lambda: Table(1, 2, 2), "chain": lambda: Chain(3, 3),
          "59 lines": lambda: Rows(2, *[1] * 18),
          "60 lines": lambda: Rows(*[1] * 20), "72 lines": lambda: Rows(*[2] * 24),
          "fans": lambda: Fan(22, 23, 24),
          **{f"{n} columns": functools.partial(Wide, "w" * (n - 22)) for n in (78, 79, 80)}}


def model(make) -> str:
    made = make()
    text, html = f"{made!r}\n{made}", made._repr_html_()
    if len(html) > 3000:
        return f"{text}\n{html.count('<details open>')} unfolded, {html.count('<details>')} folded"
    return text + "\n" + re.sub(r"(?=<details|<div|<summary)", "\n", html)


# -- markup and lines ---------------------------------------------------------------------------------------

PROSE = ["", "a < b", "a\n  b\n\n    c", "at x.py:3\n    y = x\n        ^\nafter", "    ^^\nx", "^", " a^b",
         "  x\n ^^"]
TABLES = {
    "empty": ("lr", ["a", "b"], []), "one": ("lwr", ["name", "kind", "x"], [["a" * 20, "b c", "1.5"]]),
    "11": ("l", [], [["a" * 11], ["b"]]), "12": ("l", [], [["a"], ["b" * 12]]), "13": ("l", [], [["b" * 13]]),
    "marked": ("lr", ["a", "b"], [["x", "1"], ["y", "2"], ["<z>", "3"]], ["wrong", "", "doubtful"]),
    "40": ("r", [], [[str(i)] for i in range(40)]), "41": ("r", [], [[str(i)] for i in range(41)]),
    "2,000": ("r", [], [[str(i)] for i in range(2000)], [""] * 1500 + ["wrong"] + [""] * 499)}
LINES = [
    Line("/far/file.py", 3, "y = log(x)", 4, 10), Line("/far/file.py", 3, "y = log(x)"),
    Line("/far/file.py", 3, ""),
    Line("/far/a\nb.py", 3, "y = '\x1b' + log(x)", 12, 18),
    *[Line("f.py", 1, "y = " + "x + " * n + "log(x)" + " + x" * m, 4 + 4 * n, 10 + 4 * n)
      for n, m in ((5, 5), (14, 0), (15, 0), (15, 2), (16, 0), (17, 0), (17, 3), (30, 0), (30, 30))],
    Line("f.py", 1, "y = log(" + "x + " * 30 + "x)", 4, 130)]


def rows(html: str) -> str:
    """HTML in lines; of many alike, the first and the last."""
    lines = re.sub(r"(?=<t[rhdba])|(?=<div)|(?=</t[ba])", "\n", html).split("\n")
    return "\n".join(lines if len(lines) < 30 else [*lines[:9], f"({len(lines)} lines)", *lines[-9:]])


def marked_up() -> str:
    trees = [markup.branch("<b>a</b>", [f"<i>{i}</i>" for i in range(n)], opened)
             for n, opened in ((0, True), (1, True), (2, False), (40, False), (41, False), (1500, True))]
    parts = [markup.text("<b>\n\N{NO-BREAK SPACE}&\"'"), markup.block("a", "b"), markup.wrong("<i>x</i>"),
             markup.aligned([("a", "=", "b"), ("", "=", "c")]), markup.named("<n>", ""),
             markup.named("n", "<f>"),
             markup.page("T & t", "<p>b</p>", "white"), markup.page("T", "b", 'a"b', "<style></style>\n")]
    return "\n".join([*parts, *[re.sub(r"(<i>\d+</i>){5,}", "<i>…</i>", tree) for tree in trees]])


# -- what is refused ----------------------------------------------------------------------------------------

# Files of parameters, and what is no such file.
NUMBERS = '{"format": "autograd_lite parameters, version 1", "parameters": %s}'
CONTENTS = [
    "", "{", "[]", "3", "null", '"a"', '{"format": 1}', '{"a": 1, "a": 2}', "\ufeff" + NUMBERS % "{}", "\xe9",
    NUMBERS % '{"w": NaN}', '\n\n{"a": "NaN",\n"b": -Infinity}', "NaN", "[\n\nInfinity", '{"a\\"NaN": 1}',
    NUMBERS % "[]", NUMBERS % "1", NUMBERS[:-1] % "{}" + ', "more": 1}', NUMBERS % '{"w[0]": 1}',
    NUMBERS % '{"w[0]": 1, "w[1]": 2, "b": true}', NUMBERS % '{"w[0]": 1, "w[1]": 2, "b": 1e400}',
    NUMBERS % '{"w[0]": 1, "w[1]": 2, "b": "3"}', NUMBERS % '{"w[0]": 1, "w[1]": 2, "b": 3, "c": 4, "d": 5}',
    NUMBERS % '{"w[0]": 1, "w[1]": 2, "b": 3, "c": 4}', NUMBERS % '{"w[0]": 1, "w[1]": 2, "b": 3}',
    *[text for n in (8, 9, 10) for text in ("[" * n + "]" * n, '{"a":' * n + "1" + "}" * n, "[[]," * n)],
    "[" + "[]," * 12 + "1]", "[" + "[[[]]]," * 12 + "1]", '["' + "[" * 20 + '"]', "]]][[[[[[[[[[[",
    "[]{}" * 20]


def loaded() -> str:
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m.json")
        for text in CONTENTS:
            neuron = nn.Neuron(2)
            neuron.load_state_dict({"w[0]": 0.5, "w[1]": 0.5, "b": 0.5})
            with open(path, "wb") as file:
                file.write(text.encode("latin-1" if text == "\xe9" else "utf-8"))
            lines += [f"-- {text[:99]!a}", said(lambda: neuron.load(path)).replace(path, "m.json"),
                      f"{[p.data for p in neuron.parameters()]}"]
    return "\n".join(lines)


def shortened() -> str:
    things = [*["x" * n for n in (37, 38, 39, 300)], *[10 ** n for n in (38, 39, 40, 41, 9000)], "\x1b", ...,
              [1.5, "a"]]
    return "\n".join([*map(errors.short, things), errors.short("x" * 20, 21), errors.short("x" * 20, 22),
                      *map(errors.shown, [None, 1.5, "a", Value(1.0, "x")]),
                      errors.type_name(type("a\nb", (), {})())])


# -- the worked example -------------------------------------------------------------------------------------

def trainings(steps: int) -> dict[document.Variant, document.Training]:
    variants: list[document.Variant] = ["published", "corrected", "with_biases"]
    return {name: document.train(name, steps) for name in variants}


def derivation(form: str) -> str:
    with patch.object(document, "write", lambda path, text: written.append(text.decode())):
        written: list[str] = []
        document.write_derivation(f"page.{form}")
    return written[0] if form == "txt" else "\n".join(
        [line[:70] + "…" * (len(line) > 70) for line in written[0].split("\n")])


def curves() -> str:
    """What is drawn, and how."""
    with patch.object(document, "write_figure", lambda figure, path, dpi: drawn.append((figure, path, dpi))):
        drawn: list[tuple] = []
        document.plot_training(trainings(2), "curves.png")
    figure, path, dpi = drawn[0]
    axes, = figure.axes
    lines = [f"{path}, {dpi} dots per inch, {figure.get_size_inches()}",
             type(figure.get_layout_engine()).__name__]
    for line in axes.lines:
        lines.append(f"{line.get_label()}: {line.get_color()} {line.get_linewidth()} {line.get_alpha()} "
                     f"{line.get_linestyle()}\n  {list(map(int, line.get_xdata()))} "
                     f"{[f'{float(y):.6g}' for y in line.get_ydata()]}")
    spines = {name: spine.get_visible() for name, spine in axes.spines.items()}
    grid = axes.xaxis.get_gridlines()[0]
    return "\n".join([*lines,
                      f"{axes.get_xscale()} {axes.get_yscale()} {axes.get_xlabel()} {axes.get_ylabel()}",
                      axes.get_title(), f"{spines}", f"{axes.get_legend().get_frame_on()}",
                      f"{grid.get_visible()} {grid.get_color()} {grid.get_linewidth()} "
                      f"{axes.xaxis.get_minor_ticks()[0].gridline.get_visible()}"])


def command(*arguments: str) -> str:
    """What the command prints, its pictures aside."""
    class Out(io.StringIO):
        def flush(self) -> None:
            self.write("(flushed)\n")

    out = Out()
    with (patch.object(cli, "_picture", lambda output: [f"{output}/document.png"]),
          patch.object(cli, "_curves", lambda trainings, output: [f"{output}/a\nb.png"]),
          patch.object(document, "write_derivation", lambda path: print(f"written: {path}", file=out)),
          contextlib.redirect_stdout(out), contextlib.redirect_stderr(out)):
        with contextlib.suppress(SystemExit):
            cli.main([*arguments])
    return re.sub(r"\n   .*", "", out.getvalue()) if "--json" in arguments else out.getvalue()


def signatures() -> str:
    """What each public function and method takes, and what is taken where it is left out."""
    def signature(f) -> str:
        parameters = inspect.signature(f).parameters.values()
        return ", ".join([p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in parameters])

    lines = []
    for home in (ag, ag.nn, ag.optim, ag.testing, document):
        for name in sorted(getattr(home, "__all__", None) or vars(home)):
            thing = getattr(home, name)
            own = getattr(thing, "__module__", "")
            if not own.startswith("autograd_lite" if home is not document else document.__name__):
                continue
            if inspect.isclass(thing):
                if not issubclass(thing, (BaseException, Value)):       # (of which a build has its own)
                    lines += [f"{name}.{key}({signature(f)})" for key, f in vars(thing).items()
                              if inspect.isfunction(f) and (key[0] != "_" or key == "__init__")]
            elif inspect.isfunction(thing):
                lines.append(f"{name}({signature(thing)})")
    return re.sub(r" at 0x\w+|<function (.*?)>", r"\1", "\n".join(dict.fromkeys(lines)))


OPTIMISERS = [optim.SGD, optim.Adam, optim.AdamW]
SETTINGS = [optim.constant(0.1), optim.step_decay(1.0, 2), optim.linear(1.0, 2), optim.cosine(1.0, 2),
            optim.warmup(1.0, 2), optim.exponential(1.0, 0.5)]
NAME = "texts"
CASES = {"formulas": formulas, "formulas at points": at_points, "formulas of known names": known,
         "gradients of formulas": gradients, "markup": marked_up,
         "prose": lambda: "\n".join(rows(markup.prose(text)) + "\n--" for text in PROSE),
         "lines": lambda: "\n".join(map(str, LINES)),
         "files": loaded, "shortened": shortened, "signatures": signatures,
         "settings": lambda: "\n".join([*[repr(kind([Value(1.0)])) for kind in OPTIMISERS],
                                        *map(repr, SETTINGS)])}
CASES |= {f"model: {name}": functools.partial(model, make) for name, make in MODELS.items()}
CASES |= {f"table: {name}": lambda table=table: rows(markup.table(*table)) for name, table in TABLES.items()}
CASES |= {f"derivation.{form}": functools.partial(derivation, form) for form in ("txt", "md", "html")}
CASES |= {"curves": curves,
          "training": lambda: "\n".join([document.training_table(trainings(n)) for n in (1, 1001)]),
          "trained": lambda: json.dumps({name: run.as_dict() for name, run in trainings(2).items()},
                                        indent=1)}
CASES |= {f"autograd-lite {text}": functools.partial(command, *text.split()) for text in (
    "", "document --help", "document --steps 1", "document --steps 1 --json --output x --derivation d.md")}


@pytest.mark.parametrize("case", CASES)
def test_a_text_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
