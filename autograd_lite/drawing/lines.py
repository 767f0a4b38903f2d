"""The lines of a derivation: symbols, formulas, numbers and the result, in rows that stand below one another."""
from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from autograd_lite.drawing.chain import Block, Chain, Piece
from autograd_lite.drawing.dialects import FEW, WIDE, Dialect
from autograd_lite.drawing.formulas import Formula, Number
from autograd_lite.ops.notation import PRODUCT, SUM, Written
from autograd_lite.ops.special import added


class Token(NamedTuple):
    """A part of a row that stays together, what stands before it, and whether it is marked as wrong."""

    before: str
    text: str
    wrong: bool = False


class Row(NamedTuple):
    """What stands after a sign; the sign is "since" before what a formula rests on. It may have a title."""

    sign: str
    tokens: Sequence[Token]
    title: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return "".join([token.before + token.text for token in self.tokens])


class Line(NamedTuple):
    """What is to be found, and the rows that find it."""

    head: str
    rows: Sequence[Row]


Term = tuple[bool, list[Token]]                 # whether a minus stands before it, and its factors
_0, _1 = Number(0.0).key, Number(1.0).key


def lines_of(chain: Chain, blocks: Iterable[Block], dialect: Dialect) -> list[Line]:
    """The lines of blocks; before them those of what was given a name."""
    found = [line_of(chain, block, dialect) for block in blocks]
    symbols = chain.symbols
    defined = []
    for k in symbols.invented:                  # (which may invent more)
        if len(defined) == WIDE:
            break
        number = Row("=", [Token("", dialect.number(chain.program.nodes[k].data).text)])
        rows = [Row("=", [Token("", dialect.written(symbols.definition(k)).text)]), number]
        defined.append(Line(dialect.name(symbols.name(k)).text, distinct(rows)))
    return [*defined[::-1], *found]


def line_of(chain: Chain, block: Block, dialect: Dialect, numbers: Callable[[Piece], float] | None = None,
            wrong: Container[Piece] = (), value: float | None = None) -> Line:
    """The lines of a block; or with other numbers, of which some are marked as wrong."""
    name, root = chain.symbols.name, chain.root
    head = dialect.partial(name(root), name(block.place)).text
    number = numbers or (lambda piece: piece.number)
    result = Row("=", [Token("", dialect.number(block.value if value is None else value).text)])
    if not block.terms:
        return Line(head, [result])
    formulas = {piece: chain.formula(piece.head, piece.tail) for term in shown(block.terms)
                for piece in term if not piece.total}
    alone = len(block.terms) == 1
    rows = [Row("=", list(_sum(dialect, block, lambda term: _names(
        chain, dialect, term, wrong) if len(term) > 1 or term[0].head != root or not formulas else _formulas(
            chain, dialect, term, formulas, alone, wrong))))]       # (∂f/∂x by itself would be what is sought)
    written = Row("=", list(_sum(dialect, block, lambda term: _formulas(
        chain, dialect, term, formulas, alone, wrong))))
    figures = Row("=", list(_sum(dialect, block, lambda term: _numbers(
        dialect, term, formulas, number, wrong), number)))
    since = since_row(dialect, formulas.values())
    return Line(head, [*distinct([*rows, written]), *since, *distinct([figures, result], [*rows, written])])


def since_row(dialect: Dialect, formulas: Iterable[Formula]) -> list[Row]:
    """What formulas rest on, each once, in a row if there is anything."""
    found = {frozenset([relation.left.key, relation.right.key]): dialect.relation(relation)
             for x in formulas for relation in x.since}
    tokens = [Token(", " * bool(i), text) for i, text in enumerate([*found.values()][:FEW])]
    if len(found) > FEW:
        tokens.append(Token(", ", dialect.aside(f"{len(found) - FEW:,} more")))
    return [Row("since", tokens)] * bool(found)


def distinct(rows: Sequence[Row], before: Sequence[Row] = ()) -> list[Row]:
    """The rows without those that only repeat; the last one always stays."""
    seen, found = {row.text for row in before}, list[Row]()
    for i, row in enumerate(rows):
        if row.text not in seen and row.text not in [after.text for after in rows[i + 1:]]:
            found.append(row)
    if before and rows[-1].text not in [row.text for row in found] and before[-1].text != rows[-1].text:
        found.append(rows[-1])
    return found


def shown(terms: Sequence[Sequence[Piece]]) -> Sequence[Sequence[Piece]]:
    """The terms that are written."""
    return terms if len(terms) <= FEW else terms[:FEW - 1]


def _sum(dialect: Dialect, block: Block, write: Callable[[Sequence[Piece]], Term],
         number: Callable[[Piece], float] | None = None) -> Iterator[Token]:
    """The terms one after another, without those that are 0 beside others."""
    terms = list(map(write, shown(block.terms)))
    for j, (minus, tokens) in enumerate([term for term in terms if term[1]] or [(False, [Token("", "0")])]):
        sign = f" {dialect.minus} " if minus else " + "
        sign = sign if j else dialect.minus if minus else ""
        yield tokens[0]._replace(before=sign)
        yield from tokens[1:]
    rest = block.terms[len(shown(block.terms)):]
    if rest:
        text = f"{len(rest):,} more terms"
        if number:
            text += ": " + dialect.number(added([_multiplied(map(number, term)) for term in rest])).text
        yield Token(" + ", dialect.aside(text))


def _multiplied(numbers: Iterable[float]) -> float:
    product = 1.0
    for x in numbers:
        product *= x
    return product


def _factors(dialect: Dialect, parts: Sequence[tuple[Written, bool]], rest: str = "") -> list[Token]:
    """Factors, the middle ones left out if they are many."""
    texts = [Token(dialect.wide_times, dialect.bound(x, PRODUCT) if len(parts) > 1 else x.text, wrong)
             for x, wrong in parts]
    if len(texts) > WIDE:
        texts = [*texts[:4], Token(dialect.wide_times, dialect.aside(f"{len(texts) - 8:,} more{rest}")),
                 *texts[-4:]]
    return texts


def _names(chain: Chain, dialect: Dialect, term: Sequence[Piece], wrong: Container[Piece]) -> Term:
    name = chain.symbols.name
    return False, _factors(dialect, [
        (dialect.partial(name(piece.head), name(piece.tail)), piece in wrong) for piece in term])


def _formulas(chain: Chain, dialect: Dialect, term: Sequence[Piece], formulas: dict[Piece, Formula],
              alone: bool, wrong: Container[Piece]) -> Term:
    name, minus, parts = chain.symbols.name, False, list[tuple[Written, bool]]()
    if is_0(term, formulas):
        return False, []
    for piece in term:
        if piece.total:
            parts.append((dialect.partial(name(piece.head), name(piece.tail)), piece in wrong))
            continue
        negative, size = dialect.signed(formulas[piece])
        minus ^= negative
        if abs(formulas[piece].data) != 1.0 or not isinstance(formulas[piece], Number):
            parts.append((size, piece in wrong))
    parts = parts or [(dialect.number(1.0), False)]
    if len(parts) == 1 and (minus or not alone) and parts[0][0].precedence < PRODUCT:
        parts = [(Written(dialect.bound(parts[0][0], PRODUCT)), parts[0][1])]
    return minus, _factors(dialect, parts)


def is_0(term: Sequence[Piece], formulas: dict[Piece, Formula]) -> bool:
    """Whether a term is 0 by the formula of a factor."""
    return any([not piece.total and formulas[piece].key == _0 for piece in term])


def _numbers(dialect: Dialect, term: Sequence[Piece], formulas: dict[Piece, Formula],
             number: Callable[[Piece], float], wrong: Container[Piece]) -> Term:
    if is_0(term, formulas) and not any([piece in wrong for piece in term]):
        return False, []
    pieces = [piece for piece in term if piece.total or piece in wrong
              or formulas[piece].key != _1 or number(piece) != 1.0] or term[:1]
    first, *others = map(number, pieces)
    minus = first < 0.0
    parts = [dialect.number(abs(first) if minus else first),
             *[Written(dialect.bound(dialect.number(x), PRODUCT)) for x in others]]
    rest = ""
    if len(parts) > WIDE:
        rest = ": " + dialect.number(_multiplied(others[3:-4])).text
    return minus, _factors(dialect, [(x, piece in wrong) for x, piece in zip(parts, pieces)], rest)
