"""`audit`: derivatives that somebody derived by hand, checked against the graph.

A claim is ``(output, input) → number``. Most claims that differ are usually right reasoning
from a wrong factor; the audit tells these, which inherit, from the causes.
"""
from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_lite.checks.edges import edges_of
from autograd_lite.checks.inheritance import Inheritance, Places, derived_numbers, relative_error, spoiled
from autograd_lite.checks.report import Report, count, plain_data, printable, wrapped
from autograd_lite.errors import InputError, LabelError, short
from autograd_lite.graph.labels import find, place_in
from autograd_lite.graph.linear import Linear
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import number

Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Row:
    """One claim and its verdict. `str(row)` is a line.

    Attributes:
        claim: the pair (output, input) as given.
        claimed: the number claimed.
        derived: the number the graph gives.
        relative_error: |claimed − derived| / max(|claimed|, |derived|); 0 when both are 0.
        verdict: "agrees", "cause" (wrong by itself) or "inherits" (right, but from wrong factors).
        inherits_from: the claims its error comes from.
        reversed: whether the input depends on the output instead.
        spoils: the claims that inherit from this one, directly or through others.
    """

    claim: Pair
    claimed: float
    derived: float
    relative_error: float
    verdict: str
    inherits_from: tuple[Pair, ...] = ()
    reversed: bool = False
    spoils: tuple[Pair, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The row for JSON."""
        return {"claim": [name_of(node) for node in self.claim], "claimed": self.claimed,
                "derived": self.derived, "relative_error": self.relative_error,
                "verdict": self.verdict,
                "inherits_from": [[name_of(node) for node in pair] for pair in self.inherits_from]}

    def __str__(self) -> str:
        names, more = list(map(pair_name, self.spoils[:3])), len(self.spoils[3:])
        return (f"{pair_name(self.claim)}: claimed {self.claimed:.12g}, is {self.derived:.12g}"
                + "; spoils " * bool(names) + ", ".join(names) + f" and {more} more" * bool(more))


@dataclass(frozen=True)
class AuditReport(Report):
    """What `audit` found; see `Report`. Its findings are the causes, and `str()` adds a table of all claims.

    Attributes:
        rows: one `Row` for each claim, in the order they were given.
        meanings: for a number in a differing claim, the labels of the nodes that hold it.
    """

    rows: tuple[Row, ...]
    meanings: Mapping[float, Sequence[str]]

    @property
    def differing(self) -> tuple[Row, ...]:
        """The rows whose claimed number is not the derived one."""
        return tuple(row for row in self.rows if row.verdict != "agrees")

    @property
    def causes(self) -> tuple[Row, ...]:
        """The rows that are wrong by themselves."""
        return tuple(row for row in self.rows if row.verdict == "cause")

    def _found(self) -> tuple[Row, ...]:
        return self.causes

    def inheriting(self, cause: Row) -> tuple[Row, ...]:
        """The rows that inherit from a cause, directly or through others."""
        spoiled = set(cause.spoils)
        return tuple(row for row in self.rows if row.claim in spoiled)

    def heirs(self, cause: Row) -> tuple[Row, ...]:
        """The old name of `inheriting`."""
        warnings.warn("report.heirs(cause) is report.inheriting(cause) now", DeprecationWarning, stacklevel=2)
        return self.inheriting(cause)

    def summary(self) -> str:
        """The causes in words, and what each spoils."""
        n, wrong = len(self.rows), len(self.differing)
        if self.ok:
            return (f"all {n} claims agree with the graph" if n > 1 else
                    "the claim agrees with the graph" if n else "there are no claims")
        lines = [f"{wrong} of {count(n, 'claim')} differ{'s' * (wrong == 1)} from the graph, "
                 f"by {count(len(self.causes), 'cause')}:"]
        for cause in self.causes:
            lines += [f"  {pair_name(cause.claim)}: claimed {self._number(cause.claimed)}, "
                      f"is {self._number(cause.derived)}"]
            if cause.reversed:
                output, source = _shown(cause.claim)
                lines += [f"      {output} does not depend on {source}; did you mean ∂{source}/∂{output}?"]
            spoils = ", ".join([pair_name(pair).replace(" ", "\0") for pair in cause.spoils])   # (kept whole)
            lines += [line.replace("\0", " ") for line in wrapped(spoils, "      spoils ", 13)]
        return "\n".join(lines)

    def _number(self, x: float) -> str:
        trivial = abs(x) <= 10.0 and x == round(x)          # too many nodes hold such a number
        names = () if trivial else self.meanings.get(x, ())
        return f"{x:.12g}" + (f" (= {', '.join(map(printable, names))})" if 0 < len(names) <= 3 else "")

    def as_dict(self) -> dict[str, Any]:
        """The report in plain data, for JSON; a nan or infinity as "nan", "inf" or "-inf"."""
        return {"ok": self.ok, "rows": plain_data([row.as_dict() for row in self.rows])}

    def __str__(self) -> str:
        if not self.rows:
            return self.summary()
        names = [pair_name(row.claim) for row in self.rows]
        width = min(max([len("claim"), *map(len, names)]), 26)
        lines = [self.summary(), "",
                 f"{'claim':<{width}}  {'claimed':>17}  {'derived':>17}  {'rel. error':>10}  verdict"]
        for name, row in zip(names, self.rows):
            verdict = row.verdict.upper() if row.verdict == "cause" else row.verdict
            error = f"{row.relative_error:.1e}" if row.relative_error else "0"
            if len(name) > width:
                lines.append(name)
                name = ""
            lines.append(f"{name:<{width}}  {row.claimed:>17.10g}  {row.derived:>17.10g}  "
                         f"{error:>10}  {verdict}")
        return "\n".join(lines)


def name_of(node: Any) -> str:
    """A node's name in a report: its label, or its op and number."""
    if isinstance(node, str):
        return node
    if not isinstance(node, Value):
        return short(node)
    return node.label or (f"({node.op} = {node.data:.6g})" if node.op else f"({node.data:.6g})")


def pair_name(pair: Pair) -> str:
    """A claim as people write it: ``∂output/∂input``."""
    return "∂{}/∂{}".format(*_shown(pair))


def _shown(pair: Pair) -> list[str]:
    return [printable(name_of(node)) for node in pair]


# -- the audit --------------------------------------------------------------------------------


def audit(root: Value | Iterable[Value], claims: Mapping[Pair, Any], rtol: float = 1e-6) -> AuditReport:
    """Check hand-derived derivatives against the graph under `root`.

    Args:
        root: the node (or nodes) whose graph the claims are about.
        claims: ``{(output, input): number}``, for any two nodes of the graph; each is given as
            a label or as the node itself.
        rtol: two numbers agree when their relative error is at most this.

    Returns:
        An `AuditReport`. Write e for claimed − derived. A claim lies *inside* another when the
        other's output is or depends on its output, and its input is or depends on the other's
        input. A differing claim *inherits* from the outermost differing claims inside it if
        adding to the graph, for each of them, an edge of weight e from its input to its output
        makes the sum over all paths the claimed number; otherwise it is a *cause*. (A claim
        whose edge would lie on a circle explains nothing and is left out of that sum.)

    Raises:
        LabelError: a label names no node, or several; a node is not in the graph.
        InputError: the root is not a Value or the claims are not a dict; a key is not a pair, or is
            claimed twice; a claim is not a number.

    >>> from autograd_lite import label
    >>> a, b = Value(2.5, "a"), Value(3.5, "b")
    >>> c = a * b; d = c * c; label(c=c, d=d)
    >>> report = audit(d, {("c", "a"): 2.5, ("d", "c"): 17.5, ("d", "a"): 43.75})
    >>> print(report.summary())
    2 of 3 claims differ from the graph, by 1 cause:
      ∂c/∂a: claimed 2.5 (= a), is 3.5 (= b)
          spoils ∂d/∂a
    """
    program = Program(_roots(root, claims))
    places = _resolve(program, claims)
    claimed = [_claimed(pair, claims[pair]) for pair in claims]
    flowing = [[edge for edge in edges if edge[2] is not None] for edges in edges_of(program)]
    linear = Linear(len(program), flowing.__getitem__)
    derived = derived_numbers(linear, places)
    distances = list(map(relative_error, claimed, derived))
    errors = {c: claimed[c] - derived[c] for c, distance in enumerate(distances) if not distance <= rtol}
    inheritance = Inheritance(program, linear, places, claimed, errors)
    inherits, pairs, rows = inheritance.origins(rtol), list(claims), list[Row]()
    spoils = spoiled(inherits)
    for c, (output, source) in enumerate(places):
        verdict = "inherits" if c in inherits else "cause" if c in errors else "agrees"
        reversed = c in errors and output != source and inheritance.depends(source, output)
        rows.append(Row(pairs[c], claimed[c], derived[c], distances[c], verdict,
                        tuple([pairs[d] for d in inherits.get(c, ())]), reversed,
                        tuple([pairs[d] for d in spoils.get(c, ())])))
    numbers = {x for c in errors for x in (claimed[c], derived[c])}
    meanings: dict[float, list[str]] = {}
    for node in program.nodes:
        if node.label and node.data in numbers:
            meanings.setdefault(node.data, []).append(node.label)
    return AuditReport(tuple(rows), meanings)


def _claimed(pair: Pair, x: Any) -> float:
    return x.data if isinstance(x, Value) else number(x, f"audit, {pair_name(pair)}")


def _roots(root: Any, claims: Any) -> list[Value]:
    """The roots in a list; an error if they are not Values, or the claims not a dict."""
    roots = list(root) if isinstance(root, Iterable) else [root]
    for x in roots:
        if not isinstance(x, Value):
            remedy = ("write audit(root, claims), the root first" if isinstance(claims, Value) else
                      "backward() returns None; give the node it was called on" if x is None else
                      "give the node whose graph the claims are about")
            raise InputError(f"audit: the root must be a Value, got {type(root).__name__} {short(root)}: "
                             + remedy)
    if not isinstance(claims, Mapping):
        raise InputError(f"audit: the claims are a dict {{(output, input): number}}, got "
                         f"{type(claims).__name__} {short(claims)}")
    return roots


def _resolve(program: Program, claims: Mapping[Pair, Any]) -> list[Places]:
    """The places of the two nodes of every claim."""
    labelled = [node for node in program.nodes if node.label]
    found: dict[Places, None] = {}
    for pair in claims:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise InputError(f"audit: {pair!r} is not a claim; write (output, input)")
        for node in pair:
            if not isinstance(node, (str, Value)):
                raise InputError(f"audit: in {pair!r}, {node!r} is neither a label nor a Value")
        nodes = [_find(labelled, node, pair) if isinstance(node, str) else node for node in pair]
        output, source = [place_in(program, f"audit: in {pair_name(pair)}", node) for node in nodes]
        if (output, source) in found:
            raise InputError(f"audit: {pair_name(pair)} is claimed twice")
        found[output, source] = None
    return list(found)


def _find(labelled: list[Value], name: str, pair: Pair) -> Value:
    try:
        return find(labelled, name)
    except LabelError as error:
        unknown = name.isidentifier() and name not in [node.label for node in labelled]
        remedy = f"; or name it with label({name}=…)" if unknown else ""
        raise LabelError(f"audit: in {pair_name(pair)}, {error}{remedy}") from None
