"""`audit`: derivatives that somebody derived by hand, checked against the graph.

A claim is ``(output, input) → number``. Most claims that differ are usually right reasoning
from a wrong factor; the audit tells these, which inherit, from the causes.
"""
from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autograd_lite.checks.claims import Claim, Line
from autograd_lite.checks.judged import Judged, judged
from autograd_lite.checks.latent import latent_causes
from autograd_lite.checks.order import connected
from autograd_lite.checks.rows import AuditReport, Context, Index, Row
from autograd_lite.checks.rule import AGREES, CAUSE, INHERITS, Finding, relative_error
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value
from autograd_lite.transforms.structures import as_array, is_array


def audit(root: Value | Iterable[Value], claims: Mapping[Any, Any] | Iterable[tuple[Any, Any]],
          rtol: float | None = None, *,
          values: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> AuditReport:
    """Check hand-derived derivatives against the graph under `root`.

    Args:
        root: the node (or nodes) whose graph the claims are about.
        claims: ``{(output, input): number}``, for any two nodes of the graph; each is given as
            a label or as the node itself, or is an array of nodes: the label that `label(W=W)` gave them
            all, or a list or object array of them. The number is then an array of the shape
            ``output.shape + input.shape``. A key that is not a pair stands for (root, key), with several
            roots the first. Keys that a dict does not take (lists, arrays) go in a list of pairs
            ``[(key, number)]``.
        rtol: two numbers agree when their relative error is at most this; by default 1e-6, or
            1e-4 for claims in float32 (2e-2 in float16).
        values: numbers of the student's own forward pass, ``{node: number}``: they are judged first, and
            the derivatives then by them.

    Returns:
        An `AuditReport`. Each line is judged by the chain rule over the student's own numbers. Let the
        outputs claimed about be taken in turn, those nearest the inputs first. From an output o, g(o) = 1,
        walk down: what arrives at a node n is a(n) = Σ g(u)·∂u/∂n over its users u, and the walk goes on
        with g(n) = a(n), or with the number c that is claimed of (o, n). That claim *agrees* if c is the
        derivative, *inherits* if it is a(n), and else is a *cause*; outputs above o get to n by a further
        edge of weight c − a(n) from o, unless that would close a circle. Numbers agree within `rtol`, or
        within the rounding of the terms that make them up. A claim that the other one-sided slope of an
        op at its kink would make right (relu′(0) = 1) agrees.

    Raises:
        LabelError: a label names no node, or several; a node is not in the graph.
        InputError: the root is not a Value or the claims are not a dict; a key is not a pair, or is
            claimed twice; a claim is not a number, or an array of another shape.

    >>> from autograd_lite import Value, label
    >>> a, b = Value(2.5, "a"), Value(3.5, "b")
    >>> c = a * b; d = c * c; label(c=c, d=d)
    >>> report = audit(d, {("c", "a"): 2.5, ("d", "c"): 17.5, ("d", "a"): 43.75})
    >>> print(report.summary())
    2 of 3 claims differ from the graph, by 1 cause:
      ∂c/∂a: claimed 2.5 (= a), is 3.5 (= b)
          spoils ∂d/∂a
    """
    return report_of(judged(root, claims, rtol, values))


def report_of(judged: Judged) -> AuditReport:
    """The report of what was judged."""
    rows = _rows(judged.program, judged.given, judged.lines, judged.findings)
    derivatives = [facts for facts in zip(judged.given, judged.lines, judged.findings)
                   if facts[0].source is not None]
    latent = latent_causes(judged.rule, judged.roots[0], judged.reader, derivatives)
    return AuditReport(rows, _meanings(judged.program, rows), latent)


def _rows(program: Program, given: Sequence[Claim], lines: Sequence[Sequence[Line]],
          findings: Sequence[Sequence[Finding]]) -> tuple[Row, ...]:
    """A row for each claim."""
    origins = [0] * len(given)
    for group, found in enumerate(findings):
        for finding in found:
            if finding.verdict == INHERITS:
                origins[group] |= finding.origins
    behind = list(map(_bits, origins))
    straight: list[list[int]] = [[] for _ in given]         # the claims that inherit from each, at once
    for c, before in enumerate(behind):
        for d in before:
            straight[d].append(c)
    every = zip(itertools.chain(*lines), itertools.chain(*findings))
    against = connected(program.operands, [
        (line.source, line.output) for line, finding in every
        if finding.derived is None and finding.verdict != AGREES and line.source is not None])
    claims = {(line.output, line.source): line.claimed for some in lines for line in some}
    rows = []
    for group, (claim, some, found) in enumerate(zip(given, lines, findings)):
        derived = [finding.derived or 0.0 for finding in found]
        follows = [finding.follows for finding in found]
        errors = list(map(relative_error, claim.numbers, derived))
        verdicts = [finding.verdict for finding in found]
        verdict = CAUSE if CAUSE in verdicts else INHERITS if INHERITS in verdicts else AGREES
        index: list[Index] = list(itertools.product(*map(range, claim.shape)))
        own = list(map(relative_error, claim.numbers, follows)) if verdict == CAUSE else errors
        i = _worst(own, [found == verdict for found in verdicts]) if found else 0
        worst = (index[i], claim.numbers[i], derived[i], follows[i]) if found else ((), 0.0, 0.0, 0.0)
        rows.append(Row(
            claim.key, _shaped(claim, claim.numbers), _shaped(claim, derived), _shaped(claim, follows),
            max(errors, default=0.0, key=lambda e: (e != e, e)), verdict,
            {index[i]: v for i, v in enumerate(verdicts) if v != AGREES},
            worst, claim.ends(worst[0]), len(found), claim.rtol,
            kink=next((finding.kink for finding in found if finding.kink and verdict == AGREES), ""),
            independent=verdict != AGREES and claim.source is not None and found[i].derived is None,
            reversed=bool(found) and (some[i].source, some[i].output) in against,
            inherits_from=tuple([given[d].key for d in behind[group]]),
            spoils=tuple([given[d].key for d in _reached(straight, group)]) if verdict == CAUSE else (),
            context=Context(program, some[i].output, some[i].source, claims) if found else None))
    return tuple(rows)


def _worst(errors: Sequence[float], among: Sequence[bool]) -> int:
    """Where the largest error is, a nan above all; of those that are equal but for rounding, the first."""
    ranks = [(chosen, error != error, error) for chosen, error in zip(among, errors)]
    *kind, most = max(ranks)
    return next(i for i, (*other, error) in enumerate(ranks)
                if other == kind and not error < most * (1.0 - 1e-9))


def _shaped(claim: Claim, numbers: Sequence[float]) -> Any:
    """Numbers in the form of a claim's: one number, a nested list, or a NumPy array if it was given one."""
    if claim.shape == ():
        return numbers[0]
    if is_array(claim.given):
        return as_array(numbers, claim.shape)
    nested: list[Any] = list(numbers)
    for n in reversed(claim.shape[1:]):
        nested = [nested[i:i + n] for i in range(0, len(nested), n)] if n else []
    return nested


def _bits(mask: int) -> list[int]:
    """The places of the bits of a number.

    >>> _bits(0b1010)
    [1, 3]
    """
    found = []
    while mask:
        found.append((mask & -mask).bit_length() - 1)
        mask &= mask - 1
    return found


def _reached(straight: Sequence[Sequence[int]], start: int) -> list[int]:
    """What is reached from a claim, at once or by way of others."""
    found, todo = {start}, [start]
    for c in todo:
        new = [d for d in straight[c] if d not in found]
        found.update(new)
        todo += new
    return sorted(found - {start})


def _meanings(program: Program, rows: Iterable[Row]) -> Mapping[float, Sequence[str]]:
    """For the numbers shown of the claims that differ, the labels of the nodes that hold them."""
    numbers = {x for row in rows if row.verdict != AGREES for x in row.worst[1:]}
    meanings: dict[float, list[str]] = {}
    for node in program.nodes if numbers else ():
        if node.data in numbers and node.label:
            meanings.setdefault(node.data, []).append(node.label)
    return meanings
