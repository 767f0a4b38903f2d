"""Where claims are wrong: many points looked at, and for each wrong claim the one to show."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from autograd_lite.checks.audit import audit
from autograd_lite.checks.rows import AuditReport, Row
from autograd_lite.checks.rule import AGREES, CAUSE
from autograd_lite.commands.console import Parser, whole
from autograd_lite.diagnosis.diagnose import diagnose
from autograd_lite.drawing import derive
from autograd_lite.errors import NumericError

_LOOK, _LONG = 12, 30           # points for a diagnosis, lines of a derivation


class Wrong(NamedTuple):
    """A report that shows wrong claims, and its point; rows: those that no earlier report shows."""

    point: Any
    report: AuditReport
    rows: tuple[tuple[int, Row], ...]


class Looked(NamedTuple):
    """What was found at many points.

    Attributes:
        usable: at how many all is defined; undefined: the errors at the others.
        counts: for each claim, by its place, at how many it is wrong.
        wrong: reports that show each wrong claim once; rows: the claims as the last point has them.
    """

    usable: int
    undefined: Sequence[ArithmeticError | NumericError]
    counts: Sequence[int]
    wrong: Sequence[Wrong]
    rows: Sequence[Row]


def look(forward: Callable[[Any], Any], hand: Callable[[Any], Any], points: Iterable[Any],
         rtol: float | None, spared: Callable[[Any, Row, int], bool] = lambda *facts: False) -> Looked:
    """Audit at each point; then diagnose, beginning where most claims differ.

    Args:
        spared: whether a claim that differs at a point, a row at its place, is to be taken as right.

    Raises:
        NumericError, ArithmeticError: at no point all is defined; that of the last.
    """
    found: list[tuple[Any, set[int]]] = []
    usable, rows = 0, tuple[Row, ...]()
    undefined: list[ArithmeticError | NumericError] = []
    for point in points:
        try:
            root, claims = forward(point), hand(point)
        except (NumericError, ArithmeticError) as error:
            undefined.append(error)
            continue
        rows = audit(root, claims, rtol).rows
        usable += 1
        differing = {k for k, row in enumerate(rows) if row.verdict != AGREES}
        if differing and not any(spared(point, rows[k], k) for k in differing):
            found.append((point, differing))
    if undefined and not usable:
        raise undefined[-1]
    rest = set[int]().union(*[differing for _, differing in found])
    counts = [sum(k in differing for _, differing in found) for k, _ in enumerate(rows)]
    wrong = []
    while rest:
        most = max([differing & rest for _, differing in found], key=len)
        chosen = [point for point, differing in found if most <= differing][:_LOOK]
        report = diagnose(forward, hand, chosen, rtol=rtol, strict=False)
        wrong.append(Wrong(chosen[0], report, tuple([(k, report.rows[k]) for k in sorted(most)])))
        rest -= most
    return Looked(usable, undefined, counts, wrong, rows)


def add_derive(parser: Parser) -> None:
    """The option for how much to write out."""
    parser.add_argument("--derive", type=whole(0, 1000, "a number of claims"), default=1, metavar="N",
                        help="how many claims that are wrong by themselves to write out, with the factors "
                             "that differ marked (default %(default)s)")


def written_out(rows: Iterable[Row], most: int) -> Iterator[str]:
    """The lines of the first so many rows that are wrong by themselves beside those of the graph."""
    for row in [row for row in rows if row.verdict == CAUSE and not row.independent][:max(0, most)]:
        lines = str(derive(replace(row, diagnoses=()))).split("\n")        # (these are said already)
        yield ""
        yield from lines[:_LONG]
        if lines[_LONG:]:
            yield f"… and {len(lines) - _LONG} more lines"
