"""How formulas are written: as text, and in LaTeX."""
from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from autograd_lite.drawing.formulas import Call, Formula, Named, Number, Relation, Sum, negative, split
from autograd_lite.lines import printable
from autograd_lite.ops.notation import ATOM, LOOSE, POWER, PRODUCT, SUM, Form, Written, upright

FEW, WIDE = 6, 9                                # terms of a sum, operands of a call that are shown
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_WORD = re.compile(r"([^\W\d_]+)_?(\d*)((?:\[\d+(?:, ?\d+)*\])*)")
GREEK = dict(zip("""alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma
    tau upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega""".split(),
                 "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ"))
_LETTERS = {letter: name for name, letter in GREEK.items()}
_PLAIN = re.compile(r"[^\s+*/^%=<>()·−∂-]+(\[\d+(, ?\d+)*\])*")


def figure(x: float, digits: int) -> str:
    """A number in so many digits, or exactly if it has fewer.

    >>> [figure(x, 6) for x in (0.5932699921, 0.000438567734, 0.05, 2.0, 1234.56789)]
    ['0.593270', '0.000438568', '0.05', '2', '1234.57']
    """
    if not math.isfinite(x):
        return repr(x)
    if x == 0.0:
        return "0"
    exact = repr(float(x))
    short = f"{x:.{digits}g}"
    if abs(float(short) - x) <= 4.0 * math.ulp(x):          # (rounding aside)
        exact = repr(float(short)).removesuffix(".0")
    if "e" not in exact and len(exact.lstrip("-0.")) <= digits and len(exact.partition(".")[2]) < digits + 1:
        return exact
    return f"{x:.{digits}f}" if max(1e-2, 10.0 ** (1 - digits)) <= abs(x) < 10.0 else f"{x:.{digits}g}"


class Token(NamedTuple):
    """A part of a row that stays together, what stands before it, and whether it is marked as wrong."""

    before: str
    text: str
    wrong: bool = False


class Dialect:
    """A way to write formulas, with numbers of so many digits."""

    times, minus, more = "·", "−", "…"
    wide_times = " · "

    def __init__(self, digits: int):
        self.digits = digits

    # -- what differs ------------------------------------------------------------------------------

    def name(self, name: str) -> Written:
        """What a person called something."""
        text = printable(name)
        return Written(text, ATOM if _PLAIN.fullmatch(text) else LOOSE)

    def number(self, x: float) -> Written:
        """A plain number."""
        text = figure(x, self.digits)
        return Written(self.minus + text[1:], SUM) if text.startswith("-") else Written(text)

    def partial(self, head: str, tail: str) -> Written:
        """The derivative of what has one name by what has another."""
        return Written(f"∂{self.bound(self.name(head), ATOM)}/∂{self.bound(self.name(tail), ATOM)}")

    def bound(self, x: Written, least: int) -> str:
        """The text, in brackets unless it binds so tightly."""
        return x.text if x.precedence >= least else f"({x.text})"

    def power(self, x: Written, n: int) -> Written:
        """A whole power."""
        return Written(self.bound(x, ATOM) + str(n).translate(_RAISED), POWER)

    def fraction(self, top: Sequence[Written], bottom: Sequence[Written]) -> Written:
        """A product over another."""
        over = self.product(bottom)
        return Written(f"{self.bound(self.product(top), PRODUCT)}/{self.bound(over, POWER)}", PRODUCT)

    def form(self, call: Call) -> Form:
        """How an op is written; its partial, if it has no formula, with a prime."""
        if call.by is None:
            return call.op.notation.text  # type: ignore[no-any-return]
        mark = "'" + f"[{call.by + 1}]" * (len(call.operands) > 1)
        return Form(lambda xs: f"{printable(call.op.name)}{mark}({', '.join(xs)})")

    def relation(self, relation: Relation) -> str:
        """A relation between two formulas."""
        return f"{self.written(relation.left).text} {relation.sign} {self.written(relation.right).text}"

    def word(self, text: str) -> str:
        """A word of ours."""
        return text

    def equation(self, x: Written, number: float) -> str:
        """A remark that something is a number."""
        return " " + self.bound(Written(f"{x.text} = {self.number(number).text}", LOOSE), ATOM)

    # -- what does not -----------------------------------------------------------------------------

    def product(self, factors: Sequence[Written]) -> Written:
        """Factors one after another."""
        if len(factors) == 1:
            return factors[0]
        return Written(self.times.join([self.bound(x, POWER) for x in factors]), PRODUCT)

    def written(self, x: Formula) -> Written:
        """A formula."""
        if isinstance(x, Named):
            return self.name(x.name)
        if isinstance(x, Number):
            return self.number(x.data)
        if isinstance(x, Sum):
            return Written("".join([token.before + token.text for token in self.terms(x)]), SUM)
        if isinstance(x, Call):
            shown = [self.written(operand) for operand in x.operands]
            if x.op.open and len(shown) > WIDE:
                shown = [*shown[:3], Written(self.more), shown[-1]]
            found = self.form(x)(*shown) if x.op.notation or x.by is not None else Written(x.op.name)
            return Written(found.text, SUM if found.precedence == PRODUCT else found.precedence)     # (as %)
        sign, size = self.signed(x)
        return Written(self.minus + self.bound(size, PRODUCT), SUM) if sign else size

    def signed(self, x: Formula) -> tuple[bool, Written]:
        """Whether a minus stands before a formula, and what follows it."""
        c, powers = split(x)
        powers = tuple(sorted(powers, key=lambda power: not isinstance(power[0], Named)))
        if isinstance(x, Number):
            return c < 0.0, self.number(abs(c))
        if isinstance(x, (Named, Sum, Call)):
            return False, self.written(x)
        top, bottom = ([self.written(base) if n == 1 else self.power(self.written(base), n)
                        for base, n in some] for some in (
            [(base, n) for base, n in powers if n > 0], [(base, -n) for base, n in powers if n < 0]))
        size = abs(c)
        if size != 1.0 or not top:
            top = [self.number(size), *top]
        return c < 0.0, self.fraction(top, bottom) if bottom else self.product(top)

    def terms(self, x: Formula) -> list[Token]:
        """A formula in parts: the terms of a sum."""
        if not isinstance(x, Sum):
            return [Token("", self.written(x).text)]
        terms = list(x.terms)
        if terms and negative(terms[0]):
            terms.sort(key=negative)
        hidden = x.hidden + max(0, len(terms) - FEW)
        found = list[Token]()
        for term in terms[:FEW]:
            sign, size = self.signed(term)
            before = (f" {self.minus} " if sign else " + ") if found else self.minus if sign else ""
            found.append(Token(before, self.bound(size, PRODUCT)))
        return [*found, *[Token(" + " * bool(found), self.aside(f"{hidden:,} more"))] * bool(hidden)]

    def aside(self, text: str) -> str:
        """A remark on what is not shown."""
        return f"{self.more} ({text})"


def _letter(c: str) -> str:
    """A letter of a name, as LaTeX without further packages has it, if it has it."""
    return c if c.isascii() else rf"{{\{_LETTERS[c]}}}" if c in _LETTERS else rf"\text{{{c}}}"


class Latex(Dialect):
    """LaTeX's mathematics, as matplotlib's mathtext and KaTeX read it too."""

    times, minus, more = r" \, ", "-", r"\ldots"
    wide_times = r" \cdot "

    def name(self, name: str) -> Written:
        found = _WORD.fullmatch(name)
        if not found or not (name.isascii() or found[1] in _LETTERS):
            return Written("".join(map(_letter, upright(name))), ATOM if _PLAIN.fullmatch(name) else LOOSE)
        base, digits, index = found.groups()
        places = ",".join(filter(None, [digits, *re.findall(r"\d+", index)]))
        base = _LETTERS.get(base, base)
        text = base if len(base) == 1 else "\\" + base if base in GREEK else upright(base)
        return Written(text + rf"_{{{places}}}" * bool(places))

    def number(self, x: float) -> Written:
        text = figure(x, self.digits)
        digits, e, exponent = text.partition("e")
        digits = digits.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
        text = digits + (rf" \cdot 10^{{{int(exponent)}}}" if e else "")
        return Written(text, SUM if text.startswith("-") else PRODUCT if e else ATOM)

    def partial(self, head: str, tail: str) -> Written:
        top, under = [self.bound(self.name(end), ATOM) for end in (head, tail)]
        return Written(rf"\frac{{\partial {top}}}{{\partial {under}}}")

    def bound(self, x: Written, least: int) -> str:
        return x.text if x.precedence >= least else rf"\left({x.text}\right)"

    def power(self, x: Written, n: int) -> Written:
        return Written(f"{self.bound(x, ATOM)}^{{{n}}}", POWER)

    def fraction(self, top: Sequence[Written], bottom: Sequence[Written]) -> Written:
        return Written(rf"\frac{{{self.product(top).text}}}{{{self.product(bottom).text}}}", POWER)

    def form(self, call: Call) -> Form:
        if call.by is None:
            return call.op.notation.latex  # type: ignore[no-any-return]
        mark = "'" if len(call.operands) == 1 else rf"'_{{{call.by + 1}}}"
        return Form(lambda xs: rf"{upright(call.op.name)}{mark}\left({', '.join(xs)}\right)")

    def relation(self, relation: Relation) -> str:
        signs = {"≠": r"\neq"}
        left, right = self.written(relation.left).text, self.written(relation.right).text
        return f"{left} {signs.get(relation.sign, relation.sign)} {right}"

    def word(self, text: str) -> str:
        return rf"\mathrm{{{text}}}"

    def aside(self, text: str) -> str:
        words = r"\;".join([word if word[0] in "-0123456789" or "\\" in word else rf"\mathrm{{{word}}}"
                            for word in text.replace(",", "{,}").split()])
        return rf"{self.more} \left({words}\right)"
