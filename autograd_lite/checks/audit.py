"""`audit`: derivatives that somebody derived by hand, held against the graph.

A claim is ``(output, input) → number``. Of the claims that differ, most are usually
right reasoning from a wrong factor; the audit tells these heirs from the causes.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_lite.errors import AuditError, InputError, LabelError, short
from autograd_lite.graph.walks import operand_nodes, topological
from autograd_lite.graph.labels import find
from autograd_lite.ops.op import number
from autograd_lite.graph.value import Value

Pair = tuple[Any, Any]
Edges = dict[int, list[tuple[Value, float]]]


@dataclass(frozen=True)
class Row:
    """One claim and what became of it.

    Attributes:
        claim: the pair (output, input) as it was given.
        claimed: the number claimed.
        derived: the number the graph gives.
        relative_error: |claimed − derived| / max(|claimed|, |derived|); 0 when both are 0.
        verdict: "agrees", "cause" (wrong by itself) or "inherits" (right, but from wrong factors).
        inherits_from: the claims it has its error from.
        reversed: whether it is the input that depends on the output.
    """

    claim: Pair
    claimed: float
    derived: float
    relative_error: float
    verdict: str
    inherits_from: tuple[Pair, ...] = ()
    reversed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The row for JSON."""
        return {"claim": [name_of(node) for node in self.claim], "claimed": self.claimed,
                "derived": self.derived, "relative_error": self.relative_error,
                "verdict": self.verdict,
                "inherits_from": [[name_of(node) for node in pair] for pair in self.inherits_from]}


@dataclass(frozen=True)
class Report:
    """What `audit` found. `str(report)` is a table for people, the causes first.

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

    @property
    def ok(self) -> bool:
        """Whether every claim agrees."""
        return not self.differing

    def heirs(self, cause: Row) -> tuple[Row, ...]:
        """The rows that inherit from a cause, straight or by way of others."""
        found = {cause.claim}
        while True:
            more = {row.claim for row in self.rows if found.intersection(row.inherits_from)} - found
            if not more:
                return tuple(row for row in self.rows if row.claim in found and row is not cause)
            found |= more

    def check(self) -> None:
        """Raise `AuditError`, saying the causes, unless every claim agrees."""
        if not self.ok:
            raise AuditError(self.findings())

    def findings(self) -> str:
        """The causes in words, and what each spoils."""
        n, wrong = len(self.rows), len(self.differing)
        if self.ok:
            return (f"all {n} claims agree with the graph" if n > 1 else
                    "the claim agrees with the graph" if n else "there are no claims")
        lines = [f"{wrong} of {_count(n, 'claim')} differ{'s' * (wrong == 1)} from the graph, "
                 f"by {_count(len(self.causes), 'cause')}:"]
        for cause in self.causes:
            spoiled = [pair_name(row.claim) for row in self.heirs(cause)]
            lines += [f"  {pair_name(cause.claim)}: claimed {self._number(cause.claimed)}, "
                      f"is {self._number(cause.derived)}"]
            if cause.reversed:
                output, source = map(name_of, cause.claim)
                lines += [f"      {output} does not depend on {source}; did you mean ∂{source}/∂{output}?"]
            lines += _wrapped("      spoils ", spoiled)
        return "\n".join(lines)

    def _number(self, x: float) -> str:
        trivial = abs(x) <= 10.0 and x == round(x)          # so many nodes hold one that it says nothing
        names = () if trivial else self.meanings.get(x, ())
        return f"{x:.12g}" + (f" (= {', '.join(names)})" if 0 < len(names) <= 3 else "")

    def __str__(self) -> str:
        if not self.rows:
            return self.findings()
        names = [pair_name(row.claim) for row in self.rows]
        width = max([len("claim"), *map(len, names)])
        width = min(width, 26)
        lines = [self.findings(), "",
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


def audit(root: Value | Iterable[Value], claims: Mapping[Pair, Any], rtol: float = 1e-6) -> Report:
    """Hold hand-derived derivatives against the graph under `root`.

    Args:
        root: the node (or nodes) whose graph the claims are about.
        claims: ``{(output, input): number}``; each of the pair is a label or a node, any two
            nodes of the graph.
        rtol: two numbers agree when their relative error is at most this.

    Returns:
        A `Report`. Write e for claimed − derived. A claim lies *inside* another when the
        other's output is or depends on its output, and its input is or depends on the other's
        input. A differing claim *inherits* from the outermost differing claims inside it if
        adding to the graph, for each of them, an edge of weight e from its input to its output
        makes the sum over all paths the claimed number; otherwise it is a *cause*. (A claim
        whose edge lies on a circle then explains nothing and is left out of that sum.)

    Raises:
        LabelError: a label names no node, or several; a node is not in the graph.
        InputError: the root is no Value or the claims are no dict; a pair is no pair, or is claimed
            twice; a number is no number.

    >>> from autograd_lite import label
    >>> a, b = Value(2.5, "a"), Value(3.5, "b")
    >>> c = a * b; d = c * c; label(c=c, d=d)
    >>> report = audit(d, {("c", "a"): 2.5, ("d", "c"): 17.5, ("d", "a"): 43.75})
    >>> print(report.findings())
    2 of 3 claims differ from the graph, by 1 cause:
      ∂c/∂a: claimed 2.5 (= a), is 3.5 (= b)
          spoils ∂d/∂a
    """
    order = topological(_roots(root, claims))
    pairs = _resolve(order, claims)
    edges = {id(node): list(zip(node.operands, node.partials)) for node in order}
    edges = {key: [(x, p) for x, p in row if isinstance(x, Value)] for key, row in edges.items()}
    claimed = {pair: _claimed(pair, claims[pair]) for pair in pairs}
    derived = _derived(pairs, order, edges)
    errors = {pair: relative_error(claimed[pair], derived[pair]) for pair in pairs}
    differing = [pair for pair in pairs if not errors[pair] <= rtol]
    depends = _dependence(order, [pairs[pair] for pair in differing])
    inside = {pair: {other for other in differing if other is not pair    # Values compare by number
                     and depends(pairs[pair][0], pairs[other][0])
                     and depends(pairs[other][1], pairs[pair][1])} for pair in differing}

    rows = []
    for pair in pairs:
        verdict, origins = "agrees", list[Pair]()
        if pair in inside:
            outermost = inside[pair].difference(*(inside[c] for c in inside[pair]))
            origins = _off_circles([c for c in pairs if c in outermost], pairs, depends)
            found, rounding = _with_errors(pairs[pair], order, edges, [
                (*pairs[c], claimed[c] - derived[c]) for c in origins])
            inherits = origins and (relative_error(claimed[pair], found) <= rtol
                                    or abs(claimed[pair] - found) <= rounding)
            verdict, origins = ("inherits", origins) if inherits else ("cause", [])
        output, source = pairs[pair]
        rows.append(Row(pair, claimed[pair], derived[pair], errors[pair], verdict, tuple(origins),
                        pair in inside and output is not source and depends(source, output)))
    wanted = {x for pair in differing for x in (claimed[pair], derived[pair])}
    meanings: dict[float, list[str]] = {}
    for node in order:
        if node.label and node.data in wanted:
            meanings.setdefault(node.data, []).append(node.label)
    return Report(tuple(rows), meanings)


def relative_error(a: float, b: float) -> float:
    """|a − b| / max(|a|, |b|); 0 when both are equal; a nan differs from everything.

    >>> relative_error(1.0, 0.5)
    0.5
    """
    if a == b:
        return 0.0
    return abs(a - b) / max(abs(a), abs(b), 5e-324)      # (0 and a nan: still a nan)


def name_of(node: Any) -> str:
    """How a table calls a node: by its label, or by what it is."""
    if isinstance(node, str):
        return node
    if not isinstance(node, Value):
        return short(node)
    return node.label or (f"({node.op} = {node.data:.6g})" if node.op else f"({node.data:.6g})")


def pair_name(pair: Pair) -> str:
    """A claim as it is written: ``∂output/∂input``."""
    return "∂{}/∂{}".format(*map(name_of, pair))


def _claimed(pair: Pair, x: Any) -> float:
    return x.data if isinstance(x, Value) else number(x, f"audit, {pair_name(pair)}")


def _roots(root: Any, claims: Any) -> list[Value]:
    """The roots, in a list, once it is clear that these are roots and the claims are claims."""
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


def _resolve(order: list[Value], claims: Mapping[Pair, Any]) -> dict[Pair, tuple[Value, Value]]:
    """The two nodes of every claim."""
    labelled = [node for node in order if node.label]
    known = set(map(id, order))
    found: dict[Pair, tuple[Value, Value]] = {}
    taken: set[tuple[int, int]] = set()
    for pair in claims:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise InputError(f"audit: {pair!r} is no claim; write (output, input)")
        nodes = []
        for node in pair:
            if isinstance(node, str):
                node = _find(labelled, node, pair)
            elif not isinstance(node, Value):
                raise InputError(f"audit: in {pair!r}, {node!r} is neither a label nor a Value")
            elif id(node) not in known:
                raise LabelError(f"audit: in {pair_name(pair)}, {node!r} is not in the graph")
            nodes.append(node)
        if (id(nodes[0]), id(nodes[1])) in taken:
            raise InputError(f"audit: {pair_name(pair)} is claimed twice")
        taken.add((id(nodes[0]), id(nodes[1])))
        found[pair] = nodes[0], nodes[1]
    return found


def _find(labelled: list[Value], name: str, pair: Pair) -> Value:
    try:
        return find(labelled, name)
    except LabelError as error:
        unknown = name.isidentifier() and name not in [node.label for node in labelled]
        remedy = f"; or name it with label({name}=…)" if unknown else ""
        raise LabelError(f"audit: in {pair_name(pair)}, {error}{remedy}") from None


def _derived(pairs: Mapping[Pair, tuple[Value, Value]], order: Sequence[Value],
             edges: Edges) -> dict[Pair, float]:
    """The number the graph gives for each claim, by one sweep for each output."""
    found: dict[Pair, float] = {}
    for output in {id(o): o for o, _ in pairs.values()}.values():
        gradient = _gradient(output, order, edges)
        found |= {pair: gradient.get(id(i), 0.0) for pair, (o, i) in pairs.items() if o is output}
    return found


def _gradient(output: Value, order: Sequence[Value], edges: Edges) -> dict[int, float]:
    """The sum over all paths from each node to `output`."""
    gradient = {id(output): 1.0}
    for node in reversed(order):
        g = gradient.get(id(node), 0.0)
        if g != 0.0:
            for operand, weight in edges[id(node)]:
                gradient[id(operand)] = gradient.get(id(operand), 0.0) + g * weight
    return gradient


def _dependence(order: Sequence[Value],
                pairs: Iterable[tuple[Value, Value]]) -> Callable[[Value, Value], bool]:
    """Whether one of the nodes in `pairs` is, or depends on, another of them."""
    bits: dict[int, int] = {}
    for ends in pairs:
        for node in ends:
            bits.setdefault(id(node), 1 << len(bits))
    masks: dict[int, int] = {}                   # node → which of them it is or depends on
    for node in order:
        mask = bits.get(id(node), 0)
        for operand in operand_nodes(node):
            mask |= masks[id(operand)]
        masks[id(node)] = mask
    return lambda a, b: bool(masks[id(a)] & bits[id(b)])


def _off_circles(claims: list[Pair], pairs: Mapping[Pair, tuple[Value, Value]],
                 depends: Callable[[Value, Value], bool]) -> list[Pair]:
    """The claims whose edges, input to output, lie on no circle when all are added to the graph."""
    def on_circle(claim: Pair) -> bool:
        output, source = pairs[claim]
        reached, rest = [output], list(claims)
        for node in reached:
            if depends(source, node):
                return True
            reached += [pairs[c][0] for c in rest if depends(pairs[c][1], node)]
            rest = [c for c in rest if not depends(pairs[c][1], node)]
        return False
    return [claim for claim in claims if not on_circle(claim)]


def _with_errors(pair: tuple[Value, Value], order: Sequence[Value], edges: Edges,
                 wrong: Iterable[tuple[Value, Value, float]]) -> tuple[float, float]:
    """The sum over the paths of `pair` with an edge (output, input, error) more for each wrong claim.

    The second number bounds its rounding: errors that should cancel exactly may not.
    """
    edges = dict(edges)
    for a, b, error in wrong:
        edges[id(a)] = [*edges[id(a)], (b, error)]
    output, source = pair
    order = topological(order, lambda node: [operand for operand, _ in edges[id(node)]])
    sizes = {key: [(operand, abs(weight)) for operand, weight in row] for key, row in edges.items()}
    return (_gradient(output, order, edges).get(id(source), 0.0),
            1e-12 * _gradient(output, order, sizes).get(id(source), 0.0))


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")


def _wrapped(head: str, names: Sequence[str], width: int = 79) -> list[str]:
    """Names behind a head, broken at `width`."""
    import textwrap
    text = ", ".join(name.replace(" ", "\0") for name in names)
    lines = textwrap.wrap(text, width, initial_indent=head, subsequent_indent=" " * len(head),
                          break_long_words=False, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]
