"""`Judged`: claims about a graph, and what is found of each of their numbers."""
from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from autograd_lite.checks.claims import Claim, Line, Reader
from autograd_lite.checks.forward import Forward
from autograd_lite.checks.rule import AGREES, Finding, Rule
from autograd_lite.errors import InputError, short, type_name
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value, refuse_traced


class Judged(NamedTuple):
    """A graph, the claims about it (those about numbers first), their lines and what was found of these."""

    program: Program
    roots: Sequence[Value]
    reader: Reader
    given: Sequence[Claim]
    lines: Sequence[Sequence[Line]]
    findings: Sequence[Sequence[Finding]]
    rule: Rule


def judged(root: Any, claims: Any, rtol: float | None, values: Any = ()) -> Judged:
    """Read and judge claims; the arguments are those of `audit`."""
    refuse_traced("audit")
    roots = _roots(root, claims, rtol)
    program = Program(roots)
    reader = Reader(program, roots, rtol)
    numbers, derivatives = reader.values(values), reader.derivatives(claims)
    given = [*numbers, *derivatives]
    lines = [list(claim.lines(group)) for group, claim in enumerate(given)]
    forward = Forward(program, [line for some in lines[:len(numbers)] for line in some if line.output >= 0])
    changed, variants = forward.steps() if forward.marks else ({}, [])
    rule = Rule(program, changed, [*itertools.chain(*lines[len(numbers):])], forward.step_marks(), variants)
    found = iter([*forward.found, *rule.judge()])
    findings = [[next(found) if line.output >= 0 else Finding(line.claimed, line.claimed, AGREES)
                 for line in some] for some in lines]
    return Judged(program, roots, reader, given, lines, findings, rule)


def _roots(root: Any, claims: Any, rtol: Any) -> list[Value]:
    """The roots in a list; an error if they are not Values, or the claims not a dict."""
    roots = list(root) if isinstance(root, Iterable) else [root]
    if rtol is not None and not (isinstance(rtol, (float, int)) and rtol >= 0.0):
        raise InputError(f"audit: rtol is a number of at least 0, not {short(rtol)}")
    for x in roots:
        if not isinstance(x, Value):
            remedy = ("write audit(root, claims), the root first" if isinstance(claims, Value) else
                      "backward() returns None; give the node it was called on" if x is None else
                      "give the node whose graph the claims are about")
            raise InputError(f"audit: the root must be a Value, got {type_name(root)} {short(root)}: "
                             + remedy)
    if not roots:
        raise InputError("audit: there is no root; give the node whose graph the claims are about")
    return roots
