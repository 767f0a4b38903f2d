"""Verdicts on derivatives and partials, and the report of `check_gradients`."""
from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, nan
from typing import Any

from autograd_lite.checks.report import LINE, Entry, Report, clip, count, filled, plain_data, wrapped
from autograd_lite.checks.slopes import BLIND, Estimate
from autograd_lite.lines import printable
from autograd_lite.ops.special import TINY

CORRECT, KINK, NOISY, WRONG = "correct", "kink nearby", "too noisy to tell", "wrong derivative"
DECISIVE = 1e-6                 # a reference decides if its relative error is at most this
RTOL = 1e-9                    # two derivatives agree if their relative difference is at most this


def verdict_on(claimed: float, reference: Estimate, scale: float = 0.0, slack: float = 0.0) -> str:
    """The verdict on a number, given a reference; `scale` is the size of the terms that make it up."""
    value, error = reference
    distance, larger = abs(claimed - value) if claimed != value else 0.0, max(abs(claimed), abs(value))
    undefined = distance != 0.0 and not math.isfinite(value)
    vague = distance != distance and error > max(1e-3 * abs(value), 1e-9)
    if not error < inf or undefined or vague:
        return KINK
    if not distance <= error + slack + RTOL * larger + TINY or distance == inf:
        return WRONG
    return NOISY if error > DECISIVE * max(larger, 1e-4 * scale) + TINY else CORRECT


@dataclass(frozen=True, repr=False)
class Derivative(Entry):
    """One derivative of the function.

    Attributes:
        name: such as ``∂f/∂x[0]``; order: 1 for the gradient, 2 for the Hessian.
        claimed: the number under test.
        reference: the right number, with a bound of its error; inf if nothing is known.
        verdict: "correct", "wrong derivative", "kink nearby" or "too noisy to tell".
    """

    name: str
    order: int
    claimed: float
    reference: Estimate
    verdict: str

    def __str__(self) -> str:
        return printable(f"{self.verdict}: {self.name}: claimed {_against(self.claimed, self.reference)}")


@dataclass(frozen=True, repr=False)
class Partial(Entry):
    """A partial of an op in the graph that was not found correct.

    Attributes:
        call: the operation with its numbers and labels; op: the op's name.
        operand: which operand the partial is by, from 0.
        given: what the op's rule gives; reference and verdict: as for `Derivative`.
    """

    call: str
    op: str
    operand: int
    given: float
    reference: Estimate
    verdict: str

    def head(self) -> str:
        """The op, and whether it is to blame."""
        return f"{'to blame' if self.verdict == WRONG else self.verdict}: {clip(self.call, 150)}"

    def number(self) -> str:
        """The partial and its reference."""
        return f"partial by operand {self.operand + 1}: given {_against(self.given, self.reference)}"

    def __str__(self) -> str:
        return printable(f"{self.head()}, {self.number()}")


@dataclass(frozen=True, repr=False)
class GradientReport(Report):
    """What `check_gradients` found; see `Report`. `str()` adds a table of derivatives.

    Attributes:
        derivatives: one for each entry of the gradient, then of the Hessian.
        partials: the ops' partials that were not found correct.
        notes: anything else, in sentences.
    """

    derivatives: tuple[Derivative, ...]
    partials: tuple[Partial, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The worst of all: wrong, then too noisy, then a kink, then correct."""
        found = {x.verdict for x in self.findings}
        return next((verdict for verdict in (WRONG, NOISY, KINK) if verdict in found), CORRECT)

    @property
    def wrong(self) -> tuple[Derivative, ...]:
        """The derivatives that are wrong."""
        return tuple(x for x in self.derivatives if x.verdict == WRONG)

    @property
    def blame(self) -> tuple[Partial, ...]:
        """The partials that are wrong."""
        return tuple(x for x in self.partials if x.verdict == WRONG)

    def _found(self) -> tuple[Derivative | Partial, ...]:
        entries: tuple[Derivative | Partial, ...] = (*self.derivatives, *self.partials)
        return tuple(x for x in entries if x.verdict != CORRECT)

    def summary(self) -> str:
        """What is not correct, and which partial of which op is to blame, in words."""
        return self._told(LINE)

    def _told(self, width: int) -> str:
        lines = []
        for verdict in (WRONG, NOISY, KINK):
            found = [x for x in self.derivatives if x.verdict == verdict]
            if found:
                lines.append(f"{verdict}: {len(found)} of {count(len(self.derivatives), 'derivative')}")
                lines += [f"  {clip(x.name, 32)}: claimed {_against(x.claimed, x.reference)}"
                          for x in found[:8]]
                lines += [f"  and {len(found) - 8} more"] if found[8:] else []
        for partial in self.partials[:8]:
            lines += [partial.head(), "  " + partial.number()]
        lines = [part for line in (*lines, *self.notes) for part in wrapped(
            printable(line.replace("\n", " ")), "  " * line.startswith("  "), 4, width)]
        return "\n".join(lines) or f"{count(len(self.derivatives), 'derivative')} correct"

    def as_dict(self) -> dict[str, Any]:
        """The report in plain data, for JSON; a nan or infinity as "nan", "inf" or "-inf"."""
        return {"ok": self.ok, "verdict": self.verdict, **plain_data(self)}

    def __str__(self) -> str:
        rows = [_cells(x) for x in self._of_interest()[:40]]
        rest = len(self.derivatives) - len(rows)
        return "\n".join([
            self.summary(), "", *[f"{filled(name, 22)}  {claimed:>17}  {reference:>17}  {verdict}"
                                  for name, claimed, reference, verdict in [_HEADS, *rows]],
            *([f"and {rest} more"] if rest else [])])

    def _of_interest(self) -> list[Derivative]:
        """All but the second derivatives that are correct."""
        return [x for x in self.derivatives if x.order == 1 or x.verdict != CORRECT]

    def _pieces(self) -> Iterator[str]:
        from autograd_lite.markup import prose, table
        yield from super()._pieces()
        shown = self._of_interest()
        yield table("lrrw", _HEADS, [(clip(name, LINE), claimed, reference, f"{_signs(verdict)[0]} {verdict}")
                                     for name, claimed, reference, verdict in map(_cells, shown)],
                    [_signs(x.verdict)[1] for x in shown])
        if rest := len(self.derivatives) - len(shown):
            yield prose(f"and {count(rest, 'second derivative')} more, correct")


_HEADS = "derivative", "claimed", "reference", "verdict"


def _cells(x: Derivative) -> tuple[str, str, str, str]:
    """A derivative as the table shows it."""
    return x.name, f"{x.claimed:.10g}", f"{x.reference.value:.10g}", x.verdict


def _signs(verdict: str) -> tuple[str, str]:
    """A sign for a verdict, and the mark of its row."""
    return {CORRECT: ("✓", ""), WRONG: ("✗", "wrong")}.get(verdict, ("?", "doubtful"))


def _against(given: float, reference: Estimate) -> str:
    """A number next to its reference, in words."""
    value, error = reference
    if error == inf:
        return f"{given:.12g}, at a kink or an edge"
    if error > 1e-50 * BLIND:
        return f"{given:.6g}; doubles lie too far apart to tell"
    if abs(given - value) <= error:
        return f"{given:.6g}, is {value:.6g}" + (f" ± {error:.0e}" if error else "")
    ratio = given / value if value else nan
    factor = f" (off by a factor of {ratio:.4g})" if ratio and abs(ratio - 1.0) > 0.1 else ""
    return f"{given:.10g}, is {value:.10g}" + factor
