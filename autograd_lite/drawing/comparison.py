"""`Comparison`: a claim that an audit found wrong, line by line with what the graph gives."""
from __future__ import annotations

from collections.abc import Sequence

from autograd_lite.checks.rows import Context, Row as Claim
from autograd_lite.checks.rule import relative_error
from autograd_lite.drawing.chain import Block, Chain, Piece
from autograd_lite.drawing.dialects import Dialect, Token
from autograd_lite.drawing.lines import Line, Row, Writer, headed, plain
from autograd_lite.drawing.shown import Written
from autograd_lite.errors import InputError
from autograd_lite.lines import printable
from autograd_lite.ops.special import added


class Comparison(Written):
    """A claim and what the graph gives, side by side; the factors that differ are marked.

    Attributes:
        row: the row of the report.
        wrong: the names of the factors that differ.
    """

    def __init__(self, row: Claim, digits: int):
        if row.context is None:
            raise InputError(f"derive: the row {row.name} is a copy, which does not know its graph; give one "
                             "of the report that audit made")
        self.row, self.digits, self._at = row, digits, row.context
        at = row.context
        own = {source for output, source in at.claims if output == at.output and source is not None}
        targets = [] if at.source is None else [at.source]
        self._chain = Chain(at.program, at.output, targets, own)
        known = at.source in self._chain.users
        self._block = self._chain.block(at.source) if at.source is not None and known else None
        self._claimed = row.worst[1]
        pieces = [piece for term in self._block.terms for piece in term] if self._block else []
        self._single = pieces[0] if len(pieces) == 1 else None
        self._numbers, self._wrong = _blame(self._block, at, self._claimed, row.rtol)

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of the factors that differ."""
        dialect, name = Dialect(self.digits), self._chain.symbols.name
        return tuple([dialect.partial(name(piece.head), name(piece.tail)).text for piece in self._wrong])

    def lines(self, dialect: Dialect) -> list[Line]:
        """The line of the graph, and that of the claim below it."""
        at = self._at
        claimed = Token("", dialect.number(self._claimed).text, not self._wrong)
        if self._block is not None:
            writer = Writer(self._chain, self._block, dialect)
            rows = [row._replace(head=dialect.word(title), tokens=distinct_tokens(row.tokens, result))
                    for row, title, result in (
                (writer.numbers(), "graph", Token("", dialect.number(self._block.value).text)),
                (writer.numbers(self._numbers.__getitem__, self._wrong), "claimed", claimed))]
            return [headed(writer.head(), [*writer.symbolic(), *rows])]
        if len(self.row.ends) > 1:              # (there is no way from the one to the other)
            head, found, rows = dialect.partial(*self.row.ends).text, 0.0, list[Row]()
        else:
            symbols = self._chain.symbols
            head, found = dialect.name(symbols.name(at.output)).text, at.program.nodes[at.output].data
            rows = [plain(dialect.written(symbols.definition(at.output)).text)]
        graph = plain(dialect.number(found).text)._replace(head=dialect.word("graph"))
        claim = Row("=", [claimed], dialect.word("claimed"))
        return [[*headed(head, rows or [graph]), *[graph] * bool(rows), claim]]

    @property
    def notes(self) -> list[str]:
        """What is marked, and what kind of mistake it is if that is known."""
        dialect, found = Dialect(self.digits), list[str]()
        labels: dict[float, list[str]] = {}
        for node in self._at.program.nodes:
            if node.label:
                labels.setdefault(node.data, []).append(node.label)
        for piece, name in zip(self._wrong, self.wrong):
            texts = []
            for x in (self._numbers[piece], piece.number):
                meant = labels.get(x, []) if x != round(x) else []      # (many nodes hold a whole number)
                texts.append(dialect.number(x).text + (f" (= {meant[0]})" if len(meant) == 1 else ""))
            given = piece == self._single or (piece.head, piece.tail) in self._at.claims
            found.append(f"{name}: claimed {texts[0]}, is {texts[1]}" if given else
                         f"The claim follows with {texts[0]} in place of {name}, which is {texts[1]}")
        if self.row.independent:
            found.append("{} does not depend on {}".format(*self.row.ends))
        return [*map(printable, found), *[diagnosis.text for diagnosis in self.row.diagnoses[:1]]]

    def __repr__(self) -> str:
        return f"<Comparison of {self.row.name}; print it>"


def distinct_tokens(tokens: Sequence[Token], result: Token) -> list[Token]:
    """A row of numbers and its result, which is not repeated."""
    if "".join([x.before + x.text for x in tokens]) == result.text:
        return [*tokens]
    return [*tokens, result._replace(before=" = ")]


def _blame(block: Block | None, at: Context, claimed: float, rtol: float
           ) -> tuple[dict[Piece, float], list[Piece]]:
    """The student's numbers of the factors, and which are wrong: those that are claimed to be other ones,
    and if the claim does not follow from them the one that would have made it."""
    terms = block.terms if block else ()
    claims = {pair: x for pair, x in at.claims.items() if pair != (at.output, at.source)}
    numbers = {piece: claims.get((piece.head, piece.tail), piece.number) for term in terms for piece in term}
    wrong = [piece for piece, x in numbers.items() if relative_error(x, piece.number) > rtol]
    products = [_product(numbers, term) for term in terms]

    def fits(x: float) -> bool:
        return relative_error(added(products) - x, claimed) <= rtol

    if fits(0.0):
        return numbers, wrong
    if len(numbers) == 1:
        piece, = numbers
        return {piece: claimed}, [piece]
    several = [(term, 0.0 if fits(x) else -1.0) for term, x in zip(terms, products)
               if len(terms) > 1 and (fits(x) or fits(2.0 * x))]
    if len(several) == 1:                       # a term is missing, or has the wrong sign
        (term, factor), = several
        return numbers | {term[0]: factor * numbers[term[0]]}, [*dict.fromkeys([*wrong, *term])]
    known = {node.data for node in at.program.nodes if node.label} - {0.0, 1.0, -1.0}
    missed = claimed - added(products)
    others = [(piece, (missed + x) / x * numbers[piece]) for term, x in zip(terms, products)
              for piece in term if x and piece not in wrong]
    for likely in ([(piece, 1.0) for piece, x in others if relative_error(x, 1.0) <= rtol],
                   [(piece, y) for piece, x in others for y in known if relative_error(x, y) <= rtol]):
        if len(likely) == 1:                    # a factor is missing, or another number stands in its place
            (piece, x), = likely
            return numbers | {piece: x}, [*wrong, piece]
    return numbers, wrong


def _product(numbers: dict[Piece, float], term: Sequence[Piece]) -> float:
    product = 1.0
    for piece in term:
        product *= numbers[piece]
    return product
