"""`latent_causes`: one wrong derivative on the way that would explain several wrong ones at the end."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autograd_lite.checks.claims import Claim, Line, Reader, pair_name
from autograd_lite.checks.rule import CAUSE, Finding, Rule
from autograd_lite.graph.value import Value

Judged = tuple[Claim, Sequence[Line], Sequence[Finding]]
_MOST = 4                       # so many are told
_LARGEST = 1_000_000            # so many numbers are fitted at most


class Latent(NamedTuple):
    """A derivative nobody claimed: if it was wrong, all errors would follow from it.

    Attributes:
        claim: the pair (root, label).
        errors: how many claims it would explain.
        claimed: what it would have been, entry by entry; derived: what it is.
    """

    claim: tuple[Any, str]
    errors: int
    claimed: tuple[float, ...]
    derived: tuple[float, ...]

    def __str__(self) -> str:
        return f"all {self.errors} errors would follow from one wrong {pair_name(self.claim)}"

    def __repr__(self) -> str:
        return f"<{self}>"


def latent_causes(rule: Rule, root: Value, reader: Reader, judged: Sequence[Judged]) -> tuple[Latent, ...]:
    """Where all claims are about one output: the labelled arrays on the way of which one wrong derivative
    explains every claim, the wrong and the right ones. (They need NumPy; without it there are none.)

    The error at z is found by least squares from the errors below, and must leave none over. If some have
    fewer unknowns than they explain numbers, only these are told: the others could explain any numbers.
    """
    lines = {rule.rank[line.source]: (line, finding) for _, some, found in judged
             for line, finding in zip(some, found) if line.source is not None}
    outputs = {line.output for _, some, _ in judged for line in some}
    wrong = {line.group for line, finding in lines.values() if finding.verdict == CAUSE}
    if len(wrong) < 2 or len(outputs) != 1:
        return ()
    try:
        import numpy
    except ImportError:
        return ()
    output = rule.rank[outputs.pop()]
    derived = rule.walk(output, {}).derived
    found, work = [], 4 * len(rule.steps) + 100_000
    for name, places in sorted(_on_the_way(rule, reader, output, lines), key=lambda entry: max(entry[1])):
        work -= (max(places) - min(lines)) * (1 + len(places) // 100)
        if work < 0 or len(places) * len(lines) > _LARGEST:
            continue                            # (too much for a possibility)
        with numpy.errstate(all="ignore"):      # (what is not finite explains nothing)
            jacobian = _derivatives(rule, places, lines, numpy)
            rows = [(row, *lines[place]) for place, row in jacobian.items()]
            if not wrong <= {line.group for _, line, _ in rows}:
                continue
            error, rank = _explanation(rows, numpy)
        if error is not None:
            right = [derived[k] or 0.0 for k in places]
            found.append((rank == len(rows), rank, -max(places), Latent((root, name), len(wrong), tuple(
                [float(d + e) for d, e in zip(right, error)]), tuple(right))))
    found.sort(key=lambda entry: entry[:3])
    return tuple([latent for idle, _, _, latent in found if idle == found[0][0]][:_MOST])


def _on_the_way(rule: Rule, reader: Reader, output: int,
                lines: Mapping[int, Any]) -> Iterator[tuple[str, list[int]]]:
    """The labelled arrays and nodes between the output and the inputs claimed that no claim is about."""
    below, reaches = [False] * len(rule.steps), [False] * len(rule.steps)
    for k, steps in enumerate(rule.steps):
        reaches[k] = k in lines or any([reaches[x] for x, _, _ in steps])
    below[output] = True
    for k in range(output, -1, -1):
        for x, _, _ in rule.steps[k] if below[k] else ():
            below[x] = True
    for name, nodes in reader.names.arrays():
        every = [rule.rank[place] for node in nodes if (place := rule.program.place(node)) is not None]
        places = [k for k in every if below[k] and reaches[k] and k != output]
        if places and not any([k in lines for k in places]):
            yield name, places


def _derivatives(rule: Rule, places: Sequence[int], lines: Mapping[int, Any], numpy: Any) -> dict[int, Any]:
    """The derivatives of nodes by the inputs claimed. Past one of these nothing goes on, nor through another
    of the nodes: each has an error of its own."""
    arriving: dict[int, Any] = {place: numpy.zeros(len(places)) for place in places}
    for i, place in enumerate(places):
        arriving[place][i] = 1.0
    ends = {*places, *lines}
    for k in range(max(places), min(lines) - 1, -1):
        if k in arriving and k not in lines:
            g = arriving.pop(k)
            for x, _, q in rule.steps[k]:
                if x not in ends or x in lines:
                    before = arriving.get(x)
                    arriving[x] = g * q if before is None else before + g * q
    return {place: row for place, row in arriving.items() if place in lines}


def _explanation(rows: Sequence[tuple[Any, Line, Finding]], numpy: Any) -> tuple[Any, int]:
    """The errors of the nodes from which those of the lines follow, and the rank; None if none do."""
    scales = [max(abs(line.claimed), abs(finding.follows), 1e-300) for _, line, finding in rows]
    matrix = numpy.array([row / scale for (row, _, _), scale in zip(rows, scales)])
    errors = numpy.array([(line.claimed - finding.follows) / scale
                          for (_, line, finding), scale in zip(rows, scales)])
    if not (numpy.isfinite(matrix).all() and numpy.isfinite(errors).all()):
        return None, 0
    error, _, rank, _ = numpy.linalg.lstsq(matrix, errors, rcond=1e-12)
    rtol = max(line.rtol for _, line, _ in rows)
    explains = abs(matrix @ error - errors).max() <= 10.0 * rtol
    return (error if explains else None), int(rank)
