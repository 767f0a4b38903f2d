"""`Row` and `AuditReport`: what `audit` found."""
from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from autograd_lite.checks.claims import claim_name, thing_name
from autograd_lite.checks.latent import Latent
from autograd_lite.checks.report import (LINE, Entry, Report, clip, columns, count, filled, plain_data,
                                         wrapped)
from autograd_lite.checks.rule import AGREES, CAUSE, INHERITS
from autograd_lite.graph.program import Program
from autograd_lite.lines import printable

Index = tuple[int, ...]


class Diagnosis(NamedTuple):
    """What kind of mistake a claim may be, and a sentence that says it with the labels that people gave."""

    kind: str
    text: str


class Context(NamedTuple):
    """Where a row's worst entry stands: the graph, the places of its output and input there (None for the
    input if the row is about a number, or it is not in the graph), and all numbers claimed, by such pairs."""

    program: Program
    output: int
    source: int | None
    claims: Mapping[tuple[int, int | None], float]


@dataclass(frozen=True, eq=False, repr=False)
class Row(Entry):
    """One claim and its verdict. `str(row)` is a line.

    Attributes:
        claim: the pair (output, input) as given, of a single name with the root before it; of a number in
            `values` the node as given.
        claimed: the number claimed, or the array: a nested list, or a NumPy array if one was given.
        derived: what the graph gives, in the same form.
        follows: what the chain rule gives over the student's own numbers, in the same form.
        relative_error: |claimed − derived| / max(|claimed|, |derived|), 0 when both are 0; of an array the
            largest.
        verdict: "agrees", "cause" (it, or an entry, is wrong by itself) or "inherits" (right, but from
            wrong factors).
        entries: the verdicts of the entries that do not agree, by index: the output's, then the input's.
        inherits_from: the claims its error comes from, the nearest.
        spoils: of a cause, the claims that inherit from it, directly or through others.
        kink: the op whose other one-sided slope at its kink it takes, if it agrees by that convention.
        independent: whether the output does not depend on the input (of an array: in the worst entry).
        reversed: whether the input depends on the output instead.
        diagnoses: of a cause, if `diagnose` made the report: what kind of mistake it may be, each a
            `Diagnosis`; points: at how many points it was wrong and they hold.
        rtol: how far a number may lie off, relatively.
        context: where in the graph it stands, for `derive(row)`; a copy or a pickle has none.
        worst: of an array the entry that differs most: its index, and the three numbers; ends: the names of
            its output and input; size: how many entries there are.
    """

    claim: Any
    claimed: Any
    derived: Any
    follows: Any
    relative_error: float
    verdict: str
    entries: Mapping[Index, str]
    worst: tuple[Index, float, float, float]
    ends: tuple[str, ...]
    size: int
    rtol: float
    kink: str = ""
    independent: bool = False
    reversed: bool = False
    inherits_from: tuple[Any, ...] = ()
    spoils: tuple[Any, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    points: int = 0
    context: Context | None = None

    @property
    def name(self) -> str:
        """What the claim is called in the report: ``∂output/∂input``, or the name of a node."""
        return claim_name(self.claim)

    @property
    def convention(self) -> bool:
        """Whether it agrees by another convention about an op's slope at its kink."""
        return bool(self.kink)

    def as_dict(self) -> dict[str, Any]:
        """The row for JSON."""
        return {"claim": names_of(self.claim), "claimed": plain_data(self.claimed),
                "derived": plain_data(self.derived), "follows": plain_data(self.follows),
                "relative_error": plain_data(self.relative_error), "verdict": self.verdict,
                "convention": self.convention,
                "entries": [[list(index), verdict] for index, verdict in self.entries.items()],
                "inherits_from": [names_of(claim) for claim in self.inherits_from],
                "diagnoses": [list(diagnosis) for diagnosis in self.diagnoses]}

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"context": None}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash((self.name, self.verdict))

    def numbers(self, shown: Any) -> str:
        """The numbers in words: of an array, how many differ and those of the worst entry."""
        index, claimed, derived, follows = self.worst
        if self.size > 1:
            shown = "{:.6g}".format
        text = f"claimed {shown(claimed)}, "
        if self.verdict == CAUSE and shown(follows) != shown(derived):
            text += f"should follow as {shown(follows)}, "
        text += f"is {shown(derived)}"
        if self.size == 1:
            return text
        causes = sum(verdict == CAUSE for verdict in self.entries.values())
        inherit = len(self.entries) - causes
        head = f"{len(self.entries) if self.verdict == INHERITS else causes} of {self.size} entries"
        more = f" ({inherit} inherit{'s' * (inherit == 1)})" if causes and inherit else ""
        return f"{head}{more}, at {list(index)} {text}"

    def kinds(self) -> list[str]:
        """The diagnoses in words, and what they rest on."""
        if 0 < self.points < 3:
            return [f"(wrong at {count(self.points, 'point')}; to say what kind of mistake takes three)"]
        return [f"or: {text}" if i else f"{text}, at each of {self.points} points"
                for i, (_, text) in enumerate(self.diagnoses)]

    def __str__(self) -> str:
        names, more = list(map(claim_name, self.spoils[:3])), len(self.spoils[3:])
        return (f"{self.name}: {self.numbers('{:.12g}'.format)}"
                + "; spoils " * bool(names) + ", ".join(names) + f" and {more} more" * bool(more))


def names_of(claim: Any) -> Any:
    """A claim for JSON: the names of its two nodes, or of the one whose number it is."""
    return list(map(_raw_name, claim)) if isinstance(claim, tuple) and len(claim) == 2 else _raw_name(claim)


def _raw_name(thing: Any) -> str:
    return thing if isinstance(thing, str) else getattr(thing, "label", "") or thing_name(thing)


@dataclass(frozen=True, repr=False)
class AuditReport(Report):
    """What `audit` found; see `Report`. Its findings are the causes, and `str()` adds a table of all claims.

    Attributes:
        rows: one `Row` for each claim, in the order they were given; those of `values` first.
        meanings: for a number in a differing claim, the labels of the nodes that hold it.
        latent: where the claims name only one output: single derivatives that, being wrong, would explain
            all causes, each a `Latent`; no more than possibilities.
    """

    rows: tuple[Row, ...]
    meanings: Mapping[float, Sequence[str]]
    latent: tuple[Latent, ...] = ()

    @property
    def differing(self) -> tuple[Row, ...]:
        """The rows of which a number is not the derived one."""
        return tuple(row for row in self.rows if row.verdict != AGREES)

    @property
    def causes(self) -> tuple[Row, ...]:
        """The rows that are wrong by themselves."""
        return tuple(row for row in self.rows if row.verdict == CAUSE)

    def _found(self) -> tuple[Row, ...]:
        return self.causes

    def inheriting(self, cause: Row) -> tuple[Row, ...]:
        """The rows that inherit from a cause, directly or through others."""
        spoiled = set(map(id, cause.spoils))
        return tuple(row for row in self.rows if id(row.claim) in spoiled)

    def heirs(self, cause: Row) -> tuple[Row, ...]:
        """The old name of `inheriting`."""
        warnings.warn("report.heirs(cause) is report.inheriting(cause) now", DeprecationWarning, stacklevel=2)
        return self.inheriting(cause)

    def summary(self) -> str:
        """The causes in words, and what each spoils."""
        return self._told(LINE)

    def _told(self, width: int) -> str:
        n, wrong = len(self.rows), len(self.differing)
        lines = [f"{wrong} of {count(n, 'claim')} differ{'s' * (wrong == 1)} from the graph, "
                 f"by {count(len(self.causes), 'cause')}:"]
        if self.ok:
            lines = [f"all {n} claims agree with the graph" if n > 1 else
                     "the claim agrees with the graph" if n else "there are no claims"]
        for cause in self.causes:
            shown = partial(self._number, but=cause.name)
            lines += wrapped(f"{_brief(cause.name)}: {cause.numbers(shown)}", "  ", 6, width)
            if cause.independent:
                output, source = map(_brief, cause.ends)
                lines += wrapped(f"{output} does not depend on {source}" + (
                    f"; did you mean ∂{source}/∂{output}?" if cause.reversed else ""), "      ", 6, width)
            names = [_brief(claim_name(claim)).replace(" ", "\0") for claim in cause.spoils]    # (kept whole)
            spoils = ", ".join(names)
            lines += [line.replace("\0", " ") for line in wrapped(spoils, "      spoils ", 13, width)]
            lines += [line for text in cause.kinds() for line in wrapped(text, "      ", 10, width)]
        lines += [line for latent in self.latent for line in wrapped(str(latent), "  ", 6, width)]
        return "\n".join([*lines, *self._notes(width)])

    def _notes(self, width: int) -> list[str]:
        """What is to be known of the rows that agree, and of how far numbers may lie off."""
        kinks: dict[str, list[str]] = {}
        for row in self.rows:
            if row.kink:
                kinks.setdefault(row.kink, []).append(row.name)
        lines = [f"{_brief(*names[:3])}{', …' * (len(names) > 3)} agree{'s' * (len(names) == 1)} by the "
                 f"other slope of {op} at its kink" for op, names in kinks.items()]
        rtols = sorted({row.rtol for row in self.rows})
        if rtols[1:]:                           # (claims of different precision)
            lines += [f"claims of lower precision agree within a relative error of {rtols[-1]:g}"]
        elif rtols and rtols[0] != 1e-6:
            lines += [f"numbers agree within a relative error of {rtols[0]:g}"]
        return [line for text in lines for line in wrapped(text, "  ", 6, width)]

    def _number(self, x: float, but: str) -> str:
        trivial = abs(x) <= 10.0 and x == round(x)          # too many nodes hold such a number
        names = [name for name in self.meanings.get(x, ()) if name != but and not trivial]
        return f"{x:.12g}" + (f" (= {_brief(*names)})" if 0 < len(names) <= 3 else "")

    def as_dict(self) -> dict[str, Any]:
        """The report in plain data, for JSON; a nan or infinity as "nan", "inf" or "-inf"."""
        return {"ok": self.ok, "rows": [row.as_dict() for row in self.rows],
                "latent": [str(latent) for latent in self.latent]}

    def __str__(self) -> str:
        if not self.rows:
            return self.summary()
        names = list(map(_placed, self.rows))
        width = min(max([len("claim"), *map(columns, names)]), 24)
        lines = [self.summary(), "",
                 f"{'claim':<{width}}  {_ROW.format(*_HEADS[1:])}"]
        for name, row in zip(names, self.rows):
            if columns(name) > width:
                lines.append(clip(name, 79))
                name = ""
            lines.append(f"{filled(name, width)}  {_ROW.format(*_cells(row))}")
        return "\n".join(lines)

    def _pieces(self) -> Iterator[str]:
        from autograd_lite.markup import table
        yield from super()._pieces()
        if self.rows:
            yield table("lrrrw", _HEADS, [
                (clip(_placed(row), LINE), *numbers, f"{_SIGNS[row.verdict][0]} {verdict}")
                for row in self.rows for *numbers, verdict in [_cells(row)]],
                [_SIGNS[row.verdict][1] for row in self.rows])


_HEADS, _ROW = ("claim", "claimed", "derived", "error", "verdict"), "{:>14}  {:>14}  {:>7}  {}"
_SIGNS = {AGREES: ("✓", ""), CAUSE: ("✗", "wrong"), INHERITS: ("↳", "doubtful")}


def _placed(row: Row) -> str:
    """A row's name, and where in an array it is worst."""
    return row.name + (f" {list(row.worst[0])}" if row.size > 1 and row.verdict != AGREES else "")


def _brief(*names: str) -> str:
    """Names as sentences show them."""
    return ", ".join([clip(printable(name), 60) for name in names])


def _cells(row: Row) -> tuple[str, str, str, str]:
    """The numbers and the verdict of a row, as the table shows them."""
    _, claimed, derived, _ = row.worst
    verdict = row.verdict.upper() if row.verdict == CAUSE else "convention" if row.kink else row.verdict
    error = f"{row.relative_error:.1e}" if row.relative_error else "0"
    if row.size == 1:
        return f"{claimed:.8g}", f"{derived:.8g}", error, verdict
    if row.verdict == AGREES:
        return f"{row.size} entries", "", error, verdict
    n = sum(found == row.verdict for found in row.entries.values())
    return f"{claimed:.8g}", f"{derived:.8g}", error, f"{verdict} {n}/{row.size}"
