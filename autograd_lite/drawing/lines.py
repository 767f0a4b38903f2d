"""The lines of a derivation: symbols, formulas, numbers and the result, in rows below one another."""
from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from autograd_lite.drawing.chain import Block, Chain, Piece, alone
from autograd_lite.drawing.dialects import FEW, WIDE, Dialect, Token
from autograd_lite.drawing.formulas import Formula, Number
from autograd_lite.ops.notation import PRODUCT, Written
from autograd_lite.ops.special import added


class Row(NamedTuple):
    """What stands after a sign, and before it; the sign is "since" before what a formula rests on."""

    sign: str
    tokens: Sequence[Token]
    head: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return "".join([token.before + token.text for token in self.tokens])


Line = Sequence[Row]                            # rows whose signs stand below one another
Term = tuple[bool, list[Token]]                 # whether a minus stands before it, and its factors
_0, _1 = Number(0.0).key, Number(1.0).key


def plain(text: str) -> Row:
    """A row that stays together."""
    return Row("=", [Token("", text)])


def headed(head: str, rows: Sequence[Row]) -> Line:
    """Rows with something before the first one."""
    return [rows[0]._replace(head=head), *rows[1:]]


def lines_of(chain: Chain, blocks: Iterable[Block], dialect: Dialect, values: bool, most: int) -> list[Line]:
    """The lines of blocks; before them those of what was given a name, or with `values` of all that has one.
    """
    found = [Writer(chain, block, dialect).line() for block in blocks]
    symbols, nodes = chain.symbols, chain.program.nodes
    given, defined = dict[str, str](), dict[int, list[Row]]()
    todo = list(symbols.used)
    for k in todo:
        if (values or not nodes[k].label) and len(given) + len(defined) < most:
            name, number = dialect.name(symbols.name(k)).text, dialect.number(nodes[k].data).text
            if nodes[k].operands:
                made = symbols.definition(k)
                tokens = dialect.terms(made)
                last = [Token(" = ", number)] * ([x.text for x in tokens] != [number])
                defined[k] = [Row("=", [*tokens, *last], name), *since(dialect, [("", made)])]
                todo += itertools.islice(symbols.used, len(todo), None)     # (what it is made of)
            else:
                given[symbols.name(k)] = f"{name} = {number}"
    leaves = listed([given[name] for name in sorted(given, key=natural)])
    rows = [*[Row("", leaves, dialect.word("given"))] * bool(given),
            *[row for k in sorted(defined) for row in defined[k]]]
    return [*[rows] * bool(rows), *found]


def listed(texts: Sequence[str]) -> list[Token]:
    """Texts with commas between them."""
    return [Token(" " * (i > 0), text + "," * (i + 1 < len(texts))) for i, text in enumerate(texts)]


def since(dialect: Dialect, formulas: Iterable[tuple[str, Formula]]) -> list[Row]:
    """What formulas rest on, each once, in a row if there is anything; they come with a remark each."""
    found = dict[Any, str]()
    for remark, x in formulas:
        for relation in x.since:
            key = frozenset([relation.left.key, relation.right.key])
            if key not in found or remark:
                found[key] = dialect.relation(relation) + remark
    texts = [*found.values()][:FEW] + [dialect.aside(f"{len(found) - FEW:,} more")] * (len(found) > FEW)
    return [Row("since", listed(texts))] * bool(found)


def natural(name: str) -> list[Any]:
    """A key by which w2 stands before w10.

    >>> sorted(["w10", "w2", "b"], key=natural)
    ['b', 'w2', 'w10']
    """
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def distinct(rows: Sequence[Row], before: str = "") -> list[Row]:
    """The rows without those that only repeat what stands before them."""
    texts = [before, *[row.text for row in rows]]
    return [row for row, last in zip(rows, texts) if row.text != last]


class Writer:
    """Writes the rows of a block."""

    def __init__(self, chain: Chain, block: Block, dialect: Dialect):
        self.chain, self.block, self.dialect = chain, block, dialect
        self._terms = block.terms if len(block.terms) <= FEW else block.terms[:FEW - 1]
        self._formulas = {piece: chain.formula(piece.head, piece.tail) for term in self._terms
                          for piece in term if not piece.total}
        kept = [term for term in self._terms if not self._is_0(term)]
        self._alone = len(self._terms) == len(block.terms) and len(kept) < 2
        self._drops = bool(kept)                # what is 0 among others

    def line(self) -> Line:
        """Symbols, formulas, what these rest on, numbers, and the result."""
        last = plain(self.dialect.number(self.block.value).text)
        if not self.block.terms:
            return headed(self.head(), [last])
        rows = self.symbolic()
        return headed(self.head(), [*rows, *distinct([self.numbers(), last],
                                                     rows[-1 - (rows[-1].sign != "=")].text)])

    def head(self) -> str:
        """What is to be found."""
        return self._partial(self.chain.root, self.block.place).text

    def symbolic(self) -> list[Row]:
        """The rows before the numbers."""
        found = [Row("=", list(self._sum(self._written)))]
        if [len(term) for term in self.block.terms] != [1]:
            # (where there are several ways, the name of one step would read as the sum over all)
            names = Row("=", list(self._sum(lambda term: self._named(term) if all(map(
                partial(alone, self.chain), term)) else self._written(term))))
            found = [names, *distinct(found, names.text)]
        return [*found, *self._since()]

    def numbers(self, number: Callable[[Piece], float] = lambda piece: piece.number,
                wrong: Container[Piece] = ()) -> Row:
        """The numbers, of which some may be marked."""
        return Row("=", list(self._sum(lambda term: self._figures(term, number, wrong), number)))

    # -- terms -----------------------------------------------------------------------------------------

    def _sum(self, write: Callable[[Sequence[Piece]], Term],
             number: Callable[[Piece], float] | None = None) -> Iterator[Token]:
        """The terms one after another, without those that are 0 among others."""
        terms = [term for term in map(write, self._terms) if term[1]]
        for j, (minus, tokens) in enumerate(terms):
            sign = f" {self.dialect.minus} " if minus else " + "
            yield tokens[0]._replace(before=sign if j else self.dialect.minus if minus else "")
            yield from tokens[1:]
        rest = self.block.terms[len(self._terms):]
        if rest:
            text = f"{len(rest):,} more terms"
            if number:
                total = added([_multiplied(map(number, term)) for term in rest])
                text += ": " + self.dialect.number(total).text
            yield Token(" + ", self.dialect.aside(text))

    def _factors(self, parts: Sequence[tuple[Written, bool]], rest: Iterable[float] | None = None
                 ) -> list[Token]:
        """Factors; if they are many, without those in the middle."""
        dialect = self.dialect
        found = [Token(dialect.wide_times, dialect.bound(x, PRODUCT) if len(parts) > 1 else x.text, wrong)
                 for x, wrong in parts]
        if len(found) <= WIDE:
            return found
        text = f"{len(found) - 8:,} more"
        if rest is not None:
            text += ": " + dialect.number(_multiplied([*rest][4:-4])).text
        return [*found[:4], Token(dialect.wide_times, dialect.aside(text)), *found[-4:]]

    def _partial(self, head: int, tail: int) -> Written:
        name = self.chain.symbols.name
        return self.dialect.partial(name(head), name(tail))

    def _named(self, term: Sequence[Piece]) -> Term:
        return False, self._factors([(self._partial(piece.head, piece.tail), False) for piece in term])

    def _written(self, term: Sequence[Piece]) -> Term:
        """The formulas of a term, without factors that are 1, its signs taken together."""
        if self._drops and self._is_0(term):
            return False, []
        if self._alone and len(term) == 1 and not term[0].total:
            terms = self.dialect.terms(self._formulas[term[0]])
            return terms[0].before == self.dialect.minus, terms
        minus, parts = False, list[tuple[Written, bool]]()
        for piece in term:
            if piece.total:
                parts.append((self._partial(piece.head, piece.tail), False))
                continue
            negative, size = self.dialect.signed(self._formulas[piece])
            minus ^= negative
            if self._formulas[piece].key not in (_1, (-1.0,)):
                parts.append((size, False))
        parts = parts or [(self.dialect.number(1.0), False)]
        if len(parts) == 1 and minus:
            parts = [(Written(self.dialect.bound(parts[0][0], PRODUCT)), False)]
        return minus, self._factors(parts)

    def _figures(self, term: Sequence[Piece], number: Callable[[Piece], float],
                 wrong: Container[Piece]) -> Term:
        """The numbers of a term."""
        marked = any([piece in wrong for piece in term])
        if self._drops and not marked and self._is_0(term):
            return False, []
        pieces = [piece for piece in term if piece.total or number(piece) != 1.0
                  or self._formulas[piece].key != _1] or term[:1]
        numbers = list(map(number, pieces))
        minus = numbers[0] < 0.0
        parts = [self.dialect.number(-numbers[0] if minus else numbers[0]),
                 *map(self.dialect.number, numbers[1:])]
        return minus, self._factors([(x, piece in wrong) for x, piece in zip(parts, pieces)],
                                    numbers)

    def _is_0(self, term: Sequence[Piece]) -> bool:
        return any([not piece.total and self._formulas[piece].key == _0 for piece in term])

    def _since(self) -> list[Row]:
        several = len(self._formulas) > 1
        return since(self.dialect, [
            (self.dialect.equation(self._partial(*piece[:2]), 0.0) if several and x.key == _0 else "", x)
            for piece, x in self._formulas.items()])


def _multiplied(numbers: Iterable[float]) -> float:
    product = 1.0
    for x in numbers:
        product *= x
    return product
