"""What an audit found, by the nodes and the arrows of a picture."""
from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from autograd_lite.checks.claims import Claim, Reader, claim_name
from autograd_lite.checks.edges import Steps
from autograd_lite.checks.rows import AuditReport, Row
from autograd_lite.checks.rule import AGREES, CAUSE, INHERITS, near
from autograd_lite.errors import AutogradError, InputError, short, type_name
from autograd_lite.graph.linear import Linear
from autograd_lite.graph.node import partials_of
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value


class Mark(NamedTuple):
    """A claim about one derivative, or (`forward`) one number: its name, the verdict, both numbers, and lines
    that tell more."""

    name: str
    verdict: str
    claimed: float
    derived: float
    told: tuple[str, ...]
    forward: bool


class Marks:
    """The claims of a report, where a picture shows them.

    A claim about a node and one of its operands is shown on the arrow between them, if there is no other way
    from one to the other; of another derivative at its input, of a number at its node.

    Raises:
        InputError: the report is no audit's, or is of another graph.
    """

    def __init__(self, report: Any, roots: Sequence[Value]):
        if not isinstance(report, AuditReport):
            raise InputError(f"draw: report= is what audit(root, claims) returned, not {type_name(report)} "
                             f"{short(report)}")
        self.program = Program(roots)
        self.latent = tuple(map(str, report.latent))
        self.verdicts = Counter[str]()
        self._at: dict[int, list[Mark]] = {}                        # by the id of a node
        self._on: dict[tuple[int, int], Mark] = {}                  # and of which operand of it
        self._ends: dict[int, list[Mark]] = {}                      # all, by both their nodes
        self._totals: dict[int, list[Any]] = {}
        self._steps = Steps(self.program)
        claimed, derived = [Reader(self.program, roots, None) for _ in range(2)]
        seen: set[tuple[int, int | None]] = set()
        for row in report.rows:
            try:
                claim, graphs = [self._claim(reader, row.claim, numbers) for reader, numbers in (
                    (claimed, row.claimed), (derived, row.derived))]
            except AutogradError as error:
                raise InputError(f"draw: the report is of another graph; audit this one ({error})") from None
            for output, source, mark in self._marks(row, claim, graphs.numbers):
                if (output, source) not in seen:
                    seen.add((output, source))
                    self._place(output, source, mark)

    def on(self, head: Value, i: int) -> Mark | None:
        """The claim about the partial by an operand."""
        return self._on.get((id(head), i))

    def at(self, node: Value) -> Sequence[Mark]:
        """The claims that are shown at a node."""
        return self._at.get(id(node), ())

    def wrong(self, nodes: Iterable[Value]) -> int:
        """How many claims about these nodes are wrong by themselves."""
        found = [mark for node in nodes for mark in self._ends.get(id(node), ())]
        return len({id(mark) for mark in found if mark.verdict == CAUSE})

    @staticmethod
    def _claim(reader: Reader, key: Any, numbers: Any) -> Claim:
        read = reader.derivatives if isinstance(key, tuple) else reader.values
        claim, = read([(key, numbers)])
        return claim

    def _marks(self, row: Row, claim: Claim,
               derived: Sequence[float]) -> Iterator[tuple[int, int | None, Mark]]:
        """A mark for each entry that lies in the graph."""
        scale = max([0.0, *map(abs, derived)])
        more = [f"{words} {', '.join(map(claim_name, others[:6]))}{', …' if others[6:] else ''}"
                for words, others in (("spoils", row.spoils), ("follows from", row.inherits_from)) if others]
        more += [text for _, text in row.diagnoses]
        indices = itertools.product(*map(range, claim.shape))
        for index, line, number in zip(indices, claim.lines(0), derived):
            if line.output < 0 or line.source is None and claim.source is not None:
                continue
            verdict = row.entries.get(index, AGREES)
            name = "∂{}/∂{}".format(*claim.ends(index)) if claim.source else claim.ends(index)[0]
            here = self._number(line.output, line.source)
            if not (near(here, number, 1e-6, 1e-9 * scale) or here != here and number != number):
                raise InputError("draw: the report is of another graph, or of this one at other numbers: "
                                 f"there {name} is {number:.9g}, here {here:.9g}; audit this one")
            told = {AGREES: "right", INHERITS: "right, but from wrong numbers", CAUSE: "wrong"}[verdict]
            lines = () if verdict == AGREES else tuple(more)
            yield line.output, line.source, Mark(name, verdict, line.claimed, number, (
                f"{told}: {name} was claimed as {line.claimed!r}"
                + f", is {number!r}" * (verdict != AGREES), *lines), claim.source is None)

    def _number(self, output: int, source: int | None) -> float:
        """What the graph gives."""
        if source is None:
            return float(self.program.nodes[output].data)
        if output not in self._totals:
            steps = self._steps
            linear = Linear(len(steps), lambda k: [(x, i, p) for i, (x, p, _) in enumerate(steps[k])])
            self._totals[output] = linear.pull({output: 1.0})
        return self._totals[output][source] or 0.0

    def _place(self, output: int, source: int | None, mark: Mark) -> None:
        self.verdicts[mark.verdict] += 1
        head, operands = self.program.nodes[output], self.program.operands[output]
        tail = head if source is None else self.program.nodes[source]
        for node in {id(head): head, id(tail): tail}:
            self._ends.setdefault(node, []).append(mark)
        if source is not None and operands.count(source) == 1:
            i = operands.index(source)
            p = partials_of(head)[i]
            if p is not None and near(p, mark.derived, 1e-9):
                self._on[id(head), i] = mark
                return
        self._at.setdefault(id(tail), []).append(mark)
