"""`diagnose`: an audit at several points, which says what kind of mistake each cause is."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from autograd_lite.checks.audit import audit, report_of
from autograd_lite.checks.judged import Judged, judged
from autograd_lite.checks.rows import AuditReport
from autograd_lite.errors import InputError, MissingError
from autograd_lite.extras import missing
from autograd_lite.graph.value import Value

X = TypeVar("X")
_ENOUGH = 5                     # points at which a claim is wrong, that are looked at


def diagnose(forward: Callable[[X], Value | Iterable[Value]],
             hand: Callable[[X], Mapping[Any, Any] | Iterable[tuple[Any, Any]]], points: Iterable[X], *,
             rtol: float | None = None, strict: bool = True) -> AuditReport:
    """Audit a derivation at several points, and say of each cause what kind of mistake it is.

    Args:
        forward: gives the labelled root, or roots, at a point.
        hand: gives the claims at a point, as `audit` takes them.
        points: the points; generic ones, since at round numbers much fits by luck, and at least three.
        rtol: as for `audit`.
        strict: False to audit the first point alone where NumPy, which a diagnosis needs, is not installed.

    Returns:
        The report of the first point at which a claim is wrong (of the last, if none is). Its causes have
        `diagnoses`: a tuple of `Diagnosis(kind, text)`, the simplest first, at most three; empty where
        nothing fits that holds at every point, or where the claim is wrong at fewer than three.

    Raises:
        InputError: there is no point.
        MissingError: NumPy is not installed.

    >>> import random
    >>> from autograd_lite import Value, label
    >>> def forward(point):
    ...     a, b = Value(point[0], "a"), Value(point[1], "b")
    ...     y = a * b; z = y * y; label(y=y, z=z); return z
    >>> def hand(point):
    ...     a, b = point
    ...     return {"y": 2 * a * b, "a": 2 * a * b * a}                 # b belongs
    >>> report = diagnose(forward, hand, [(random.random(), random.random()) for _ in range(3)])
    >>> report.causes[0].diagnoses[0]
    Diagnosis(kind='substitution', text='a where b belongs')
    """
    try:
        from autograd_lite.diagnosis.evidence import Evidence
        from autograd_lite.diagnosis.hypotheses import POINTS, diagnoses
        from autograd_lite.diagnosis.view import View
    except ImportError:
        if not strict:
            point = next(iter(points))
            return audit(forward(point), hand(point), rtol)
        raise MissingError(missing("numpy", "diagnose needs", "check")) from None
    first: tuple[Judged, AuditReport] | None = None
    last: AuditReport | None = None
    views: dict[Any, list[Any]] = {}
    for point in points:
        found = judged(forward(point), hand(point), rtol)
        last = report = report_of(found)
        if report.ok:
            continue
        if first is None:
            first = found, report
        for group, row in enumerate(report.rows):
            if row.verdict == "cause" and len(views.setdefault(_key(found, group), [])) < _ENOUGH:
                views[_key(found, group)].append(View(found, group, point))
        if all(len(views.get(_key(first[0], group), ())) >= _ENOUGH
               for group, row in enumerate(first[1].rows) if row.verdict == "cause"):
            break
    if last is None:
        raise InputError("diagnose: there is no point; give at least three")
    if first is None:
        return last
    found, report = first
    rows = []
    for group, row in enumerate(report.rows):
        seen = views.get(_key(found, group), [])
        if row.verdict == "cause":
            says_all = row.independent and row.size == 1        # (that the output does not depend on it)
            told = diagnoses(Evidence(seen)) if len(seen) >= POINTS and not says_all else ()
            row = dataclasses.replace(row, diagnoses=told, points=len(seen))
        rows.append(row)
    return dataclasses.replace(report, rows=tuple(rows))


def _key(found: Judged, group: int) -> tuple[Any, ...]:
    """The same claim at another point: it is told by its place in the list, its labels and its shape."""
    claim = found.given[group]
    ends = claim.key if isinstance(claim.key, tuple) else (claim.key,)
    return group, claim.shape, *[end if isinstance(end, str) else "" for end in ends]
