"""How an op is written: as Python text, in LaTeX, and for each compiled target."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

# How tightly an expression binds, as in Python's grammar; an operand that binds less is bracketed.
LOOSE, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)


class Written(NamedTuple):
    """An expression that is written down, and how tightly it binds."""

    text: str
    precedence: int = ATOM


class Form(NamedTuple):
    """A way to write an op.

    Attributes:
        template: with ``{0}``, ``{1}`` for the operands; or a function of the list of their texts.
        precedence: how tightly the result binds.
        least: for each operand (or for all), how tightly it must bind to stand without brackets.
        brackets: what to put around one that does not.

    >>> difference = Form("{0} - {1}", SUM, (SUM, PRODUCT))
    >>> difference(Written("a"), difference(Written("b"), Written("c")))
    Written(text='a - (b - c)', precedence=1)
    """

    template: str | Callable[[Sequence[str]], str]
    precedence: int = ATOM
    least: tuple[int, ...] | int = LOOSE
    brackets: str = "({})"

    def __call__(self, *operands: Written) -> Written:
        least = self.least if isinstance(self.least, tuple) else (self.least,) * len(operands)
        texts = [x.text if x.precedence >= need else self.brackets.format(x.text)
                 for x, need in zip(operands, least)]
        return Written(self.template(texts) if callable(self.template) else self.template.format(*texts),
                       self.precedence)


class Notation(NamedTuple):
    """The ways to write an op.

    Attributes:
        text: in Python, with the names of this library.
        latex: in LaTeX's mathematics.
        sign: what stands for the op in a picture.
        infix: whether it stands between its operands.
        targets: in each language that programs are compiled to, by its name.
    """

    text: Form
    latex: Form
    sign: str
    infix: bool = False
    targets: Mapping[str, Form] = {}


LATEX_BRACKETS = r"\left({}\right)"


def infix(text: str, latex: str, sign: str, precedence: int, least: tuple[int, ...],
          latex_precedence: int | None = None, latex_least: tuple[int, ...] | None = None) -> Notation:
    """The notation of an operator between (or before) its operands."""
    return Notation(
        Form(text, precedence, least),
        Form(latex, precedence if latex_precedence is None else latex_precedence,
             least if latex_least is None else latex_least, LATEX_BRACKETS), sign, infix=True)


def function(name: str, latex: str | Callable[[Sequence[str]], str] = "", least: tuple[int, ...] | int = LOOSE, precedence: int = ATOM) -> Notation:
    r"""The notation of a function of its name.

    `latex` is a template; without one it is the name in roman letters.

    >>> function("sinh", r"\sinh\left({0}\right)").latex(Written("x")).text
    '\\sinh\\left(x\\right)'
    """
    roman = rf"\mathrm{{{name.replace('_', ' ')}}}".replace(" ", r"\ ")
    return Notation(
        Form(lambda xs: f"{name}({', '.join(xs)})"),
        Form(latex or (lambda xs: rf"{roman}\left({', '.join(xs)}\right)"), precedence, least, LATEX_BRACKETS),
        name)


def written(x: float) -> Written:
    """A plain number as it stands in a program.

    >>> written(-2.0)
    Written(text='-2.0', precedence=3)
    """
    text = repr(x)
    return Written(text, SIGN if text.startswith("-") else ATOM)
