"""MathML for the LaTeX that ops and formulas are written in."""
from __future__ import annotations

import re
from html import escape

from autograd_lite.drawing.dialects import GREEK

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}^_]|\s+|[\d.]+|.", re.DOTALL)
_SIGNS = {"cdot": "·", "partial": "∂", "neq": "≠", "geq": "≥", "leq": "≤", "infty": "∞", "ldots": "…",
          "lfloor": "⌊", "rfloor": "⌋", "backslash": "\\", "wedge": "^", "sim": "~", "times": "×"}
_SPACES = {"\\,": ".17em", "\\;": ".28em", "\\quad": "1em", "\\ ": ".28em"}


def mathml(latex: str) -> str:
    """A formula in MathML, for a page; what it does not know is shown as it is.

    >>> mathml(r"\\frac{x_{1}}{2}")
    '<math displaystyle="true"><mfrac><msub><mi>x</mi><mn>1</mn></msub><mn>2</mn></mfrac></math>'
    """
    return f'<math displaystyle="true">{"".join(_Reader(latex).row())}</math>'


class _Reader:
    def __init__(self, latex: str):
        self.tokens, self.at = _TOKEN.findall(latex), 0

    def row(self, end: str = "") -> list[str]:
        """What stands before the end of a group."""
        found: list[str] = []
        while self.at < len(self.tokens):
            token = self._next()
            if token == end or token == "\\right":
                break
            if token in "^_":
                found.append(self._script(token, found.pop() if found else "<mi></mi>"))
            elif not token.isspace():
                found.append(self._atom(token))
        return found

    def _next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def _script(self, sign: str, base: str) -> str:
        other = self._group()
        if self.tokens[self.at:self.at + 1] == ["^"] and sign == "_":
            self.at += 1
            return f"<msubsup>{base}{other}{self._group()}</msubsup>"
        tag = "msub" if sign == "_" else "msup"
        return f"<{tag}>{base}{other}</{tag}>"

    def _group(self) -> str:
        """The next argument, as one element."""
        token = self._next()
        while token.isspace():
            token = self._next()
        parts = self.row("}") if token == "{" else [self._atom(token)] if token else []
        return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"

    def _words(self) -> str:
        """The next argument, as text."""
        self._next()
        text, depth = "", 1
        while depth and (token := self._next()):
            depth += (token == "{") - (token == "}")
            known = _SIGNS.get(token[1:], GREEK.get(token[1:], "")) if token[1:].isalpha() else token[1:]
            text += "" if token in "{}" or token == "\\text" else known if token[0] == "\\" else token
        return text

    def _atom(self, token: str) -> str:
        if token == "{":
            return f"<mrow>{''.join(self.row('}'))}</mrow>"
        if token[0] == "\\":
            return self._command(token)
        if token[0].isdigit() or token == ".":
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{escape(token)}</mi>"
        return f"<mo>{escape(token.replace('-', '−'))}</mo>"

    def _command(self, token: str) -> str:
        word = token[1:]
        if token in _SPACES:
            return f'<mspace width="{_SPACES[token]}"></mspace>'
        if word == "frac":
            return f"<mfrac>{self._group()}{self._group()}</mfrac>"
        if word == "sqrt":
            if self.tokens[self.at:self.at + 1] != ["["]:
                return f"<msqrt>{self._group()}</msqrt>"
            self._next()
            index = "".join(self.row("]"))
            return f"<mroot>{self._group()}{index}</mroot>"
        if word == "left":
            opened = self._next()
            inner = self.row()
            closed = self._next()
            high = "<mfrac" in "".join(inner)   # (browsers set what may stretch more widely)
            fences = [f'<mo stretchy="{"true" if high else "false"}">{escape(_SIGNS.get(x[1:], x[-1:]))}</mo>'
                      for x in (opened, closed)]
            return f"<mrow>{fences[0]}{''.join(inner)}{fences[1]}</mrow>"
        if word in ("mathrm", "text"):
            return f'<mi mathvariant="normal">{escape(self._words())}</mi>'
        if word in _SIGNS or not word.isalpha():
            return f"<mo>{escape(_SIGNS.get(word, word))}</mo>"
        return f"<mi>{GREEK.get(word, escape(word))}</mi>"
