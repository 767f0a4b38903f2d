"""How an op is written: as Python text, in LaTeX, and for each compiled target."""
from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from keyword import iskeyword
from typing import Any, NamedTuple

from autograd_lite.lines import printable

# How tightly an expression binds, as in Python's grammar; an operand that binds less tightly gets brackets.
LOOSE, COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(7)
# Characters with a meaning in LaTeX, written so that LaTeX, KaTeX and matplotlib all read them.
_ESCAPES = str.maketrans({"#": r"{\#}", "\\": r"{\backslash}", "^": r"{\wedge}", "~": r"{\sim}", "`": "'",
                          '"': "''", "&": r"\text{\&}", **{c: rf"\{c}" for c in "_%${} "}})


class Written(NamedTuple):
    """A written expression, and how tightly it binds."""

    text: str
    precedence: int = ATOM


def literal(x: float) -> Written:
    """A plain number in Python."""
    return Written(repr(x), SIGN if repr(x).startswith("-") else ATOM)


def numeral(x: float) -> Written:
    """A plain number in LaTeX: ``2``, ``-1.5 \\cdot 10^{-7}``; its minus binds as a sum does."""
    digits, e, exponent = repr(x).removesuffix(".0").partition("e")
    digits = digits.replace("inf", r"\infty") + (rf" \cdot 10^{{{int(exponent)}}}" if e else "")
    return Written(digits, SUM if digits.startswith("-") else PRODUCT if e else ATOM)


def upright(name: str) -> str:
    """Any name in LaTeX, in upright letters."""
    return rf"\mathrm{{{printable(name).translate(_ESCAPES)}}}"


class Form(NamedTuple):
    """A way to write an op: a function of expressions, names and plain numbers.

    Attributes:
        template: with ``#1``, ``#2`` for the operands; or a function of the list of their texts.
        precedence: how tightly the result binds.
        least: for each operand (or for all), how tightly it must bind to stand without brackets.
        brackets: what to put around an operand that does not bind so tightly.
        number: how a plain number is written.

    >>> Form("#1 - #2", SUM, (SUM, PRODUCT))("a", Written("b - c", SUM))
    Written(text='a - (b - c)', precedence=2)
    """

    template: str | Callable[[Sequence[str]], str]
    precedence: int = ATOM
    least: tuple[int, ...] | int = LOOSE
    brackets: tuple[str, str] = "(", ")"
    number: Callable[[Any], Written] = literal

    def __call__(self, *operands: Written | str | float) -> Written:
        least = self.least if isinstance(self.least, tuple) else (self.least,) * len(operands)
        xs = [x if isinstance(x, Written) else Written(x) if type(x) is str else self.number(x)
              for x in operands]
        texts = [x.text if x.precedence >= need else x.text.join(self.brackets) for x, need in zip(xs, least)]
        return Written(self.template(texts) if callable(self.template) else
                       re.sub(r"#(\d)", lambda at: texts[int(at[1]) - 1], self.template), self.precedence)


latex = functools.partial(Form, brackets=(r"\left(", r"\right)"), number=numeral)


class Notation(NamedTuple):
    """The ways to write an op.

    Attributes:
        text: in Python, with the names of this library.
        latex: in LaTeX's mathematics.
        sign: what stands for the op in a picture.
        infix: whether it stands between its operands.
        title: its name within another, as in ReLUNeuron, if that differs from its own.
        targets: its form in each language that programs are compiled to, by the language's name.
        said: how a message shows it, if not as a function of its name.
        slopes: how people write its partials, where the op's rules are written for their digits or for
            extreme operands: a function of ``(y, *operands)`` for each operand, or None; for any number of
            operands, one function of ``(y, operands)``.
    """

    text: Form
    latex: Form
    sign: str
    infix: bool = False
    title: str = ""
    targets: Mapping[str, Form] = {}
    said: Form | None = None
    slopes: Any = ()

    @property
    def message(self) -> Form | None:
        return self.text if self.infix else self.said


def asked(question: str, operands: Sequence[str]) -> str:
    """A question, as `Ordinary` has it, about operands of these texts; "" if its source is not known."""
    names, _, text = question.partition(": ")
    places = dict([name.split("=") for name in names.split(", ") if "=" in name])       # (their defaults)
    places |= zip([name.partition("=")[0] for name in names.split(", ")], operands)
    if not question:
        return ""
    return re.sub(r"\b[a-z]+\b", lambda word: places.get(word[0], word[0]), text)


def infix(operator: str, precedence: int, tex: str | Form, sign: str = "", slopes: Any = ()) -> Notation:
    """An operator between two operands, applied left to right; `tex` is its sign or whole form in LaTeX."""
    least = (precedence, precedence + 1)
    text = Form(f"#1 {operator} #2", precedence, least)
    return Notation(text, tex if isinstance(tex, Form) else latex(f"#1 {tex} #2", precedence, least),
                    sign or operator, infix=True, targets={"python": text, "array": text}, slopes=slopes)


def function(name: str, tex: str | Form = "", sign: str = "", title: str = "", python: str = "",
             array: str | Callable[[Sequence[str]], str] = "",
             said: str | Callable[[Sequence[str]], str] = "", slopes: Any = ()) -> Notation:
    """A function of its operands in brackets; `tex` is its name or whole form in LaTeX.

    `python` is an expression of Python's floats and `math` for it, if there is a simple one; `array` one of
    arrays and the functions of `xp` (see `programs.namespaces`), where an option not given has its default.
    """
    called = name if name.isascii() and name.isidentifier() and not iskeyword(name) else f"op_named({name!r})"
    head = tex or upright(name)
    return Notation(Form(lambda xs: f"{called}({', '.join(xs)})"), head if isinstance(head, Form) else
                    latex(lambda xs: rf"{head}\left({', '.join(xs)}\right)"), sign or name, title=title,
                    targets={target: Form(form, LOOSE, COMPARISON if target == "python" else SIGN)
                             for target, form in (("python", python), ("array", array)) if form},
                    said=Form(said) if said else None, slopes=slopes)
