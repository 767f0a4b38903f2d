"""`Comparison`: a claim that an audit found wrong, line by line with what the graph gives."""
from __future__ import annotations

from collections.abc import Sequence

from autograd_lite.checks.rows import Context, Row as Claim
from autograd_lite.checks.rule import relative_error
from autograd_lite.drawing.chain import Block, Chain, Piece, alone
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

    row: Claim
    digits: int

    def __init__(self, row: Claim, digits: int):
        if row.context is None:
            raise InputError(f"derive: the row {row.name} is a copy, which does not know its graph; give one "
                             "of the report that audit made")
        self.row, self.digits, self._at = row, digits, row.context
        at = row.context
        own = {source for output, source in at.claims if output == at.output and source is not None}
        targets = [] if at.source is None else [at.source]
        self._chain = Chain(at.program, at.output, targets, own)
        self._block = self._chain.block(at.source) if at.source in self._chain.users else None
        self._claimed = row.worst[1]
        self._blocks, hand, self._totals = _by_hand(self._chain, self._block, at)
        wrong = [piece for piece, x in hand.items() if relative_error(x, piece.number) > row.rtol]
        self._guessed = _guessed(self._block, hand, wrong, self._claimed, row.rtol, [
            node.data for node in at.program.nodes if node.label])
        self._numbers = hand | self._guessed
        self._wrong = list(dict.fromkeys([*wrong, *self._guessed]))

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
            return [self._compared(block, dialect) for block in self._blocks if block is self._block or any(
                [piece in self._wrong for term in block.terms for piece in term])]
        if len(self.row.ends) > 1:              # (there is no way from the one to the other)
            head, found, rows = dialect.partial(*self.row.ends).text, 0.0, list[Row]()
        else:
            symbols = self._chain.symbols
            head, found = dialect.name(symbols.name(at.output)).text, at.program.nodes[at.output].data
            rows = [plain(dialect.written(symbols.definition(at.output)).text)]
        graph = plain(dialect.number(found).text)._replace(head=dialect.word("graph"))
        claim = Row("=", [claimed], dialect.word("claimed"))
        return [[*headed(head, rows or [graph]), *[graph] * bool(rows), claim]]

    def _compared(self, block: Block, dialect: Dialect) -> Line:
        writer, last = Writer(self._chain, block, dialect), block is self._block
        result = dialect.number(self._claimed if last else self._totals[block.place]).text
        value = Token("", dialect.number(block.value).text)
        graph = _equal(writer.numbers(), value, dialect.word("graph"))
        claim = writer.numbers(self._numbers.__getitem__, self._wrong)
        if last and not self._wrong:            # (what is claimed follows from none of these)
            claim = Row("=", [])
        products = [_product(self._numbers, term) for term in block.terms]
        sound = not last or relative_error(self._claimed, added(products)) <= self.row.rtol
        claim = _equal(claim, Token("", result, not sound), dialect.word("claimed"))
        return headed(writer.head(), [*writer.symbolic(), graph, claim])

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
            if len(self._numbers) == 1 and not any([text.endswith(")") for text in texts]):
                continue                        # (the lines say it)
            guessed = piece in self._guessed and len(self._numbers) > 1
            if guessed and self._numbers[piece] == 0.0:
                term = next(term for term in self._block.terms if piece in term)    # type: ignore[union-attr]
                found.append("The claim follows without the term " + " · ".join([dialect.partial(
                    *[self._chain.symbols.name(k) for k in part[:2]]).text for part in term]))
                continue
            found.append(f"{name}: claimed {texts[0]}, is {texts[1]}" if not guessed else
                         f"The claim follows with {texts[0]} in place of {name}, which is {texts[1]}")
        if self.row.independent:
            found.append("{} does not depend on {}".format(*self.row.ends))
        return [*map(printable, found), *[diagnosis.text for diagnosis in self.row.diagnoses[:1]]]

    def __repr__(self) -> str:
        return f"<Comparison of {self.row.name}; print it>"


def _equal(row: Row, result: Token, head: str) -> Row:
    """A row of numbers and its result, which is not repeated."""
    more = [result._replace(before=" = " * bool(row.tokens))] if row.text != result.text else []
    return row._replace(tokens=[*row.tokens, *more], head=head)


def _by_hand(chain: Chain, block: Block | None, at: Context
             ) -> tuple[list[Block], dict[Piece, float], dict[int, float]]:
    """A block after those it uses of which nothing is claimed; the student's numbers of their factors,
    claimed or following from what is; and the totals."""
    claims = {pair: x for pair, x in at.claims.items() if pair != (at.output, at.source)}
    todo = [block] if block else []
    found = {some.place: some for some in todo}
    for some in todo:
        new = [chain.block(k) for k in dict.fromkeys(some.used)
               if k not in found and (at.output, k) not in claims]
        found |= {other.place: other for other in new}
        todo += new
    numbers, totals = dict[Piece, float](), dict[int, float]()
    blocks = sorted(found.values(), key=lambda block: -block.place)
    for some in blocks:
        for piece in [piece for term in some.terms for piece in term]:
            known = totals.get(piece.tail, piece.number) if piece.total else piece.number
            numbers[piece] = claims.get((piece.head, piece.tail), known) if alone(chain, piece) else known
        totals[some.place] = added([_product(numbers, term) for term in some.terms])
    return blocks, numbers, totals


def _guessed(block: Block | None, numbers: dict[Piece, float], wrong: Sequence[Piece], claimed: float,
             rtol: float, known: Sequence[float]) -> dict[Piece, float]:
    """If the claim does not follow from the numbers: others with which it would, if one way alone is likely.
    """
    terms = block.terms if block else ()
    products = [_product(numbers, term) for term in terms]
    missed = claimed - added(products)

    def fits(x: float) -> bool:
        return relative_error(added(products) - x, claimed) <= rtol

    pieces = [piece for term in terms for piece in term]
    if not pieces or fits(0.0):
        return {}
    if len(pieces) == 1:
        return {pieces[0]: claimed}
    several = [(term, 0.0 if fits(x) else -1.0) for term, x in zip(terms, products)
               if len(terms) > 1 and (fits(x) or fits(2.0 * x))]
    if len(several) == 1:                       # a term is missing, or has the wrong sign
        (term, factor), = several
        return {term[0]: numbers[term[0]] * factor}
    others = [(piece, (missed + x) / x * numbers[piece]) for term, x in zip(terms, products)
              for piece in term if x and piece not in wrong]
    for likely in ([(piece, 1.0) for piece, x in others if relative_error(x, 1.0) <= rtol],
                   [(piece, y) for piece, x in others for y in {*known} - {0.0, 1.0, -1.0}
                    if relative_error(x, y) <= rtol]):
        if len(likely) == 1:                    # a factor is missing, or another number stands in its place
            return dict(likely)
    return {}


def _product(numbers: dict[Piece, float], term: Sequence[Piece]) -> float:
    product = 1.0
    for piece in term:
        product *= numbers[piece]
    return product
