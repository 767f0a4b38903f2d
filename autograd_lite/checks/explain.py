"""`explain`: where a value, a gradient, or a number that is not finite comes from."""
from __future__ import annotations

import heapq
import itertools
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from autograd_lite.graph.backward import finite
from autograd_lite.errors import InputError, LabelError
from autograd_lite.graph.walks import dependents, topological
from autograd_lite.graph.labels import find
from autograd_lite.lines import Line
from autograd_lite.graph.node import call_of, op_of, plain
from autograd_lite.ops.special import added
from autograd_lite.graph.value import Value
from autograd_lite.ops.numbers import ieee_partials

_SHOWN = 5                               # how many paths, inputs and findings an explanation has
_TINY = 2.2250738585072014e-308          # the smallest normal double


# -- what an explanation is made of -----------------------------------------------------------


_SENTENCES = {
    "given": "{name} was given as {node.data!r}.",
    "constant": "{call} is {node.data!r}: the plain number {inherited} was given.",
    "arose": "{call} is {node.data!r}, from finite operands.",
    "became nan": "{call} is nan, made of {inherited}.",
    "no derivative": "{call}: {singular}.",
    "overflow": "{call}: {derivative} is {partial:.6g}, and times the gradient {gradient:.6g} that arrives "
                "it is too large for a double.",
    "sum overflow": "{call}: the gradients that arrive add up to more than a double holds.",
    "flat": "{call}: {derivative} is 0, and the gradient {gradient:.6g} that arrives stops here.",
    "underflow": "{call}: {derivative} is {partial:.6g}, and times the gradient {gradient:.6g} that arrives "
                 "it is too small for a double.",
    "cancels": "{call}: the gradients that arrive add up to 0.",
}
_OF_VALUES = {"given", "constant", "arose", "became nan"}
_INFINITE = {"no derivative", "overflow", "sum overflow"}


@dataclass(frozen=True)
class Finding:
    """A node at which something went wrong, and what.

    Attributes:
        node: the node.
        what: "given" (not finite from the start), "constant" (a plain number among the operands
            is not finite), "arose" (not finite, from finite operands) or "became nan" (from
            infinities); of a gradient that arrives at the node: "no derivative" (the partial is
            infinite or missing), "overflow", "sum overflow", "flat" (the partial is 0),
            "underflow" or "cancels" (what arrives adds up to 0).
        operand: the place of the operand by which the partial is taken.
        partial: that partial.
        gradient: the gradient that arrives at the node.
    """

    node: Value
    what: str
    operand: int | None = None
    partial: float | None = None
    gradient: float | None = None

    @property
    def line(self) -> Line | None:
        """The line of the program that made the node, where lines were recorded."""
        return self.node.line

    @property
    def why(self) -> str:
        """What happened, in a sentence."""
        node, operands = self.node, self.node.operands
        inherited = [f"{plain(x)!r}" + (f" of {x.label!r}" if getattr(x, "label", "") else "")
                     for x in operands if not finite(x)]
        derivative = "its derivative"
        if self.operand is not None and len(operands) > 1:
            label = getattr(operands[self.operand], "label", "")
            derivative += " by " + (repr(label) if label else f"operand {self.operand + 1}")
        singular = getattr(op_of(node), "singular", "") or f"{derivative} is {self.partial!r}"
        return _SENTENCES[self.what].format(
            **vars(self), call=call_of(node), name=repr(node.label) if node.label else "a leaf",
            derivative=derivative, singular=singular,
            inherited=", ".join(inherited[:4]) + (", …" if len(inherited) > 4 else ""))

    def as_dict(self) -> dict[str, Any]:
        """The finding in plain data."""
        return {"what": self.what, "why": self.why, **_as_dict(self.node),
                "operands": [_as_dict(x) for x in self.node.operands], "operand": self.operand,
                "partial": self.partial, "gradient": self.gradient,
                "line": self.line and {"file": self.line.file, "number": self.line.number,
                                       "text": self.line.text}}

    def __str__(self) -> str:
        return "\n".join(_wrapped(self.why, "  ", 2) + [
            "  " + line for line in str(self.line or "").splitlines()])


@dataclass(frozen=True, repr=False)
class Path:
    """One way from the root to the node, and what it contributes to the gradient.

    Attributes:
        nodes: the nodes, from the root down.
        places: which operand of each the next one is.
        factors: the partials along the path.
        contribution: their product (0 or inf where that is beyond a double).
        log10: the logarithm of its size, in any case.
        share: its part in the sum of all paths' sizes.
    """

    nodes: tuple[Value, ...]
    places: tuple[int, ...]
    factors: tuple[float, ...]
    contribution: float
    log10: float
    share: float

    def as_dict(self) -> dict[str, Any]:
        """The path in plain data."""
        return {"nodes": [_name(node) for node in self.nodes], "places": list(self.places),
                "factors": list(self.factors), "contribution": self.contribution,
                "log10": self.log10, "share": self.share}

    def __str__(self) -> str:
        """All nodes by their names (``#3``: as the third operand, where that is not plain to see);
        where they are many, how many operations are between the labels."""
        names = [_name(node) for node in self.nodes]
        for i, place in enumerate(self.places):
            operands = self.nodes[i].operands
            if len(operands) > 2 or sum(x is self.nodes[i + 1] for x in operands) > 1:
                names[i + 1] += f"#{place + 1}"
        if len(names) > (8 if len(self.named) > 2 else 12):
            runs = itertools.groupby(range(1, len(names) - 1), lambda i: bool(self.nodes[i].label))
            middle = [(named, list(run)) for named, run in runs]
            names = [names[0], *itertools.chain(*[
                [names[i] for i in run] if named or len(run) == 1 else [f"({len(run)}\N{NO-BREAK SPACE}ops)"]
                for named, run in middle]), names[-1]]
        return _chain(names)

    __repr__ = __str__

    def brief(self) -> str:
        """The labelled nodes."""
        return _chain([_name(self.nodes[i]) for i in self.named])

    @property
    def named(self) -> list[int]:
        """Where the path starts, meets a labelled node, or ends."""
        return [i for i, node in enumerate(self.nodes) if node.label or i in (0, len(self.nodes) - 1)]

    def product(self) -> str:
        """The contribution as a product over the labelled nodes; "" where that says nothing."""
        spans = list(itertools.pairwise(self.named))
        if not 1 < len(spans) < 7:
            return ""
        return (" · ".join(f"∂{_name(self.nodes[i])}/∂{_name(self.nodes[k])}" for i, k in spans) + " = "
                + " · ".join(f"{_product(self.factors[i:k]):.4g}" for i, k in spans))


class Input(NamedTuple):
    """A leaf, its gradient, and its part in the sum of |gradient · value| over the leaves."""

    node: Value
    gradient: float
    share: float


@dataclass(frozen=True, repr=False)
class Explanation:
    """What `explain` found: `str()` is for a terminal, `as_dict()` for a program.

    Attributes:
        root: the node that was asked about.
        node: the node by which it was to be differentiated, or None.
        gradient: ∂root/∂node.
        findings: what went wrong, in the order in which it happened (of a gradient, from the
            root down), at most five.
        hidden: how many more there are.
        paths: the paths from root to node that contribute most.
        number_of_paths: of those that contribute (inf beyond a double).
        log10_size: the logarithm of the sum of all paths' sizes.
        inputs: without a node, the leaves that matter most.
    """

    root: Value
    node: Value | None = None
    gradient: float | None = None
    findings: tuple[Finding, ...] = ()
    hidden: int = 0
    paths: tuple[Path, ...] = ()
    number_of_paths: float = 0.0
    log10_size: float = -math.inf
    inputs: tuple[Input, ...] = ()

    @property
    def origin(self) -> Finding | None:
        """The first node at which something went wrong, if anything did."""
        return self.findings[0] if self.findings else None

    def as_dict(self) -> dict[str, Any]:
        """The explanation in plain data."""
        return {"root": _as_dict(self.root), "node": None if self.node is None else _as_dict(self.node),
                "gradient": self.gradient, "findings": [finding.as_dict() for finding in self.findings],
                "hidden": self.hidden, "paths": [path.as_dict() for path in self.paths],
                "number_of_paths": self.number_of_paths, "log10_size": self.log10_size,
                "inputs": [{**_as_dict(x), "gradient": g, "share": share} for x, g, share in self.inputs]}

    def __str__(self) -> str:
        if self.node is None:
            lines = [f"{_title(self.root)} = {self.root.data!r}"]
        else:
            lines = [f"∂{_title(self.root)}/∂{_title(self.node)} = {self.gradient!r}"]
            if not self.node.requires_grad:
                lines += [f"({_title(self.node)} carries no gradient: backward() leaves it at 0)"]
        return "\n".join([*lines, *self._about_findings(), *self._about_paths(), *self._about_inputs()])

    __repr__ = __str__

    def _about_findings(self) -> Iterator[str]:
        if self.findings:
            what = self.findings[0].what
            yield ("Where it stopped being finite, the first first:" if what in _OF_VALUES else
                   "Where the gradient stopped being finite, from the root down:" if what in _INFINITE else
                   "Where the gradient was lost, from the root down:")
        for finding in self.findings:
            yield f"\n{finding}"
        if self.hidden:
            yield f"\n  … and {self.hidden} more such places"
        if self.findings and not any(finding.line for finding in self.findings):
            yield "\n(run the program inside `with record_lines():` to see the lines that made them)"

    def _about_paths(self) -> Iterator[str]:
        if not self.paths:
            return
        n, size = self.number_of_paths, _power_of_ten(self.log10_size)
        count = f"{n:.0f}" if n < 1e6 else f"{n:.1e}" if n < math.inf else "more than 1e308"
        yield f"\nIt comes over {count} path{'' if n == 1 else 's'}" + (
            f"; their sizes add up to {size}" + ", but cancel in part" * self._cancels if n > 1 else "")
        yield f"{'share':>8}  {'contribution':>12}  path"
        briefs = [path.brief() for path in self.paths]
        distinct = len(set(briefs)) == len(briefs) and any(len(path.named) > 2 for path in self.paths)
        shown = self.paths if self.paths[0].share > 5e-4 else self.paths[:1]
        for path in shown:
            yield from _wrapped(path.brief() if distinct else str(path),
                                f"{_percent(path.share)}  {_contribution(path):>12}  ", 24)
        if not distinct and any("#" in str(path) for path in shown):
            yield "(#n: as the n-th operand)"
        best = self.paths[0]
        if product := best.product():
            yield from _wrapped(f"The largest is {product}", "", 2)
        i = min(range(len(best.factors)), key=lambda i: abs(best.factors[i]), default=0)
        if best.factors and abs(best.factors[i]) < 1e-3:
            node = best.nodes[i]
            yield (f"Its smallest factor is {best.factors[i]:.3g}, the partial of\n"
                   f"  {call_of(node)} by {_name(best.nodes[i + 1])}")
            if node.line:
                yield textwrap.indent(str(node.line), "  ")

    @property
    def _cancels(self) -> bool:
        if not self.gradient:
            return any(finding.what == "cancels" for finding in self.findings)
        return self.log10_size > math.log10(abs(self.gradient)) + 0.3

    def _about_inputs(self) -> Iterator[str]:
        if self.inputs:
            yield "\nThe inputs that matter most (by gradient · value):"
            yield f"{'share':>8}  {'gradient':>12}  {'value':>12}  input"
            for node, gradient, share in self.inputs:
                yield f"{_percent(share)}  {gradient:>12.6g}  {node.data:>12.6g}  {_name(node)}"


def _as_dict(x: Any) -> dict[str, Any]:
    return {"value": plain(x), "op": getattr(x, "op", ""), "label": getattr(x, "label", "")}


def _name(x: Any) -> str:
    if not isinstance(x, Value):
        return repr(x)
    name = x.label or x.op or f"{x.data:.6g}"
    name = name if name.isprintable() else repr(name)[1:-1]
    return name if len(name) <= 30 else name[:29] + "…"


def _wrapped(text: str, head: str, indent: int) -> list[str]:
    return textwrap.wrap(text, 79, initial_indent=head, subsequent_indent=" " * indent,
                         break_long_words=False, break_on_hyphens=False)


def _chain(names: Sequence[str]) -> str:
    if len(names) > 12:
        names = [*names[:5], f"({len(names) - 10}\N{NO-BREAK SPACE}more)", *names[-5:]]
    return " ← ".join(names)


def _title(node: Value) -> str:
    return _name(node) if node.label or not node.op else f"({node.op})"


def _power_of_ten(log10: float) -> str:
    return f"{10.0 ** log10:.6g}" if -307.0 < log10 < 308.0 else f"10^{log10:.1f}"


def _contribution(path: Path) -> str:
    if _TINY <= abs(path.contribution) < math.inf:
        return f"{path.contribution:.6g}"
    return "-" * (math.copysign(1.0, path.contribution) < 0.0) + f"10^{path.log10:.1f}"


def _percent(share: float) -> str:
    return f"{100.0 * share:>6.1f} %" if not share < 5e-4 else "< 0.1 %".rjust(8)


def _product(factors: Sequence[float]) -> float:
    """The product, which leaves the range of a double only at the end."""
    mantissa, exponent = 1.0, 0
    for factor in factors:
        mantissa, shift = math.frexp(mantissa * math.frexp(factor)[0])
        exponent += shift + math.frexp(factor)[1]
    return math.ldexp(mantissa, exponent) if exponent < 1025 else math.copysign(math.inf, mantissa)


# -- finding it -------------------------------------------------------------------------------


def explain(root: Value, node: Value | str | None = None) -> Explanation:
    """Tell where a value or a gradient comes from, and where one went wrong.

    Args:
        root: the node that is asked about.
        node: a node it depends on, or its label: explain ∂root/∂node. Without it, explain the
            value: the leaves that matter most, and for a nan or an infinity the first node
            where it arose.

    Returns:
        An `Explanation`; print it. For a gradient it has the paths that contribute most; for one
        that is not finite, or is 0, the first node on the way down from the root where that
        happened. Inside `record_lines` it also knows the lines of the program.

    Raises:
        LabelError: `node` is not in the graph.

    >>> x, y = Value(2.0, "x"), Value(3.0, "y")
    >>> z = x * y + x; z.label = "z"
    >>> print(explain(z, x))
    ∂z/∂x = 4.0
    <BLANKLINE>
    It comes over 2 paths; their sizes add up to 4
       share  contribution  path
      75.0 %             3  z ← * ← x
      25.0 %             1  z ← x
    """
    if not isinstance(root, Value):
        raise InputError(f"explain: {root!r} is no Value, and a plain number has no history")
    order = topological([root])
    if isinstance(node, str):
        node = find(order, node)
    if node is not None and not any(x is node for x in order):
        raise LabelError(f"explain: {node!r} is not in the graph of {root!r}")
    if node is not None:
        return _explain_gradient(root, node, order)
    leaves = [x for x in order if not x.operands]
    leaves = [x for x in leaves if x.requires_grad] or leaves
    sweep = _Sweep(root, order, leaves)
    gradients = [sweep.gradient.get(id(x), 0.0) for x in leaves]
    effects = [abs(g * x.data) if g else 0.0 for g, x in zip(gradients, leaves)]
    total = added(effects)
    inputs = [Input(x, g, e / total if 0.0 < total < math.inf else 0.0)
              for x, g, e in zip(leaves, gradients, effects)]
    inputs.sort(key=lambda x: (-x.share, -_size(x.gradient)))
    findings = _not_finite([root], order) or sweep.wrong(max(gradients, key=_size))
    return Explanation(root, findings=tuple(findings[:_SHOWN]), hidden=len(findings[_SHOWN:]),
                       inputs=tuple(inputs[:_SHOWN]) if finite(root) else ())


def _size(gradient: float) -> float:
    return math.inf if gradient - gradient != 0.0 else abs(gradient)


def _explain_gradient(root: Value, node: Value, order: Sequence[Value]) -> Explanation:
    sweep = _Sweep(root, order, [node])
    gradient = sweep.gradient.get(id(node), 0.0)
    spoiled = [root] if finite(gradient) else [root, *sweep.order]
    findings = _not_finite(spoiled, order) + sweep.wrong(gradient)
    found = Explanation(root, node, gradient, tuple(findings[:_SHOWN]), len(findings[_SHOWN:]))
    if not sweep.smooth:
        return found
    paths = _Paths(sweep, node)
    return replace(found, paths=tuple(itertools.islice(paths, _SHOWN)), number_of_paths=paths.count[id(root)],
                   log10_size=paths.size[id(root)] * math.log10(2.0))


def _not_finite(roots: Sequence[Value], order: Sequence[Value]) -> list[Finding]:
    """Where nans and infinities of the roots came in, and where a nan was made of infinities, in order.

    Only nodes that hand them on to a root are looked at, by way of operands that are not
    finite; of these only one without such operands is an origin.
    """
    def carriers(node: Value) -> list[Value]:
        return [x for x in node.operands if isinstance(x, Value) and not finite(x)]

    found = []
    known = set(map(id, topological([root for root in roots if not finite(root)], carriers)))
    for node in [x for x in order if id(x) in known]:
        inherited = [x for x in node.operands if not finite(x)]
        if not inherited:
            found.append(Finding(node, "arose" if node.operands else "given"))
        elif not carriers(node):
            found.append(Finding(node, "constant"))
        elif node.data != node.data and not any(plain(x) != plain(x) for x in inherited):
            found.append(Finding(node, "became nan"))
    return found


class _Sweep:
    """A backward pass over floats that keeps its partials and notes what goes wrong.

    `gradient` is by the id of the node; `edges` of a node has (operand, its place, partial) for the
    operands on a way to the targets, if a way from the root leads to the node over partials that
    are not 0; `smooth` is whether all these partials are finite.
    """

    def __init__(self, root: Value, order: Sequence[Value], targets: Sequence[Value]):
        self.root = root
        self.between = dependents(order, targets)
        self.order = [node for node in order if id(node) in self.between]
        self.gradient: dict[int, float] = {id(root): 1.0}
        self.edges: dict[int, list[tuple[Value, int, float]]] = {}
        self.findings: list[Finding] = []
        ends = set(map(id, targets))
        reached = {id(root)}
        for node in reversed(self.order):
            known = id(node) in reached and id(node) not in ends
            self.edges[id(node)] = self._edges(node) if known else []
            reached.update(id(x) for x, _, p in self.edges[id(node)] if p != 0.0)
            self._pass_down(node)
        self.smooth = all(finite(p) for edges in self.edges.values() for _, _, p in edges)

    def _edges(self, node: Value) -> list[tuple[Value, int, float]]:
        partials: Sequence[float] = node.partials
        op: Any = op_of(node)
        if any(p != p for p in partials) and all(map(finite, node.operands)):
            ieee = ieee_partials(op, node.data, [plain(x) for x in node.operands])
            partials = [q if p != p and q is not None else p for p, q in zip(partials, ieee)]
        return [(x, i, p) for i, (x, p) in enumerate(zip(node.operands, partials))
                if isinstance(x, Value) and id(x) in self.between]

    def _pass_down(self, node: Value) -> None:
        g = self.gradient.get(id(node))
        if g is None:
            return
        if g == 0.0:
            self.findings.append(Finding(node, "cancels"))
            return
        for x, i, p in self.edges[id(node)]:
            term = g * p
            what = self._judge(node, g, p, term)
            if what:
                self.findings.append(Finding(node, what, i, p, g))
            if term != 0.0:
                before = self.gradient.get(id(x), 0.0)
                self.gradient[id(x)] = before + term
                if finite(before) and finite(term) and not finite(before + term):
                    self.findings.append(Finding(x, "sum overflow"))

    def _judge(self, node: Value, g: float, p: float, term: float) -> str:
        """What is wrong with a contribution to a gradient, if it is wrong for the first time."""
        if not finite(term):
            if not finite(g) or not all(map(finite, node.operands)):
                return ""
            return "overflow" if finite(p) else "no derivative"
        if p == 0.0:
            return "flat"
        return "underflow" if abs(term) < _TINY <= abs(g) else ""

    def wrong(self, gradient: float) -> list[Finding]:
        """What made a gradient not finite, or 0; nothing if it is a decent number."""
        if gradient - gradient != 0.0:
            return [finding for finding in self.findings if finding.what in _INFINITE]
        if abs(gradient) < _TINY:
            return [finding for finding in self.findings if finding.what not in _INFINITE]
        return []


class _Paths:
    """The paths to one node, the largest first, found one by one.

    `best` is, for each node, the largest product of partials down to the target, `size` the sum
    of all of them without sign, both as logarithms to base 2 (which do not underflow), and `count`
    how many there are. A path is measured by what it falls short of the best, step by step: a
    step along the best way falls short by exactly 0, and of equals the deepest goes first, so
    that as many steps as the paths have nodes find them, however many there are.
    """

    def __init__(self, sweep: _Sweep, target: Value):
        self.root, self.target = sweep.root, target
        self.best, self.size, self.count = {id(target): 0.0}, {id(target): 0.0}, {id(target): 1.0}
        self.edges: dict[int, list[tuple[float, Value, int, float]]] = {}
        for node in sweep.order:
            if node is target:
                continue
            edges = [(math.log2(abs(p)), x, i, p) for x, i, p in sweep.edges[id(node)]
                     if p != 0.0 and self.count[id(x)]]
            self.edges[id(node)] = edges
            self.best[id(node)] = max([log + self.best[id(x)] for log, x, _, _ in edges], default=-math.inf)
            self.count[id(node)] = sum(self.count[id(x)] for _, x, _, _ in edges)
            sizes = [log + self.size[id(x)] for log, x, _, _ in edges]
            top = max(sizes, default=-math.inf)
            self.size[id(node)] = top + math.log2(math.fsum([2.0 ** (size - top) for size in sizes])) \
                if sizes else top

    def __iter__(self) -> Iterator[Path]:
        # an entry: what it falls short, minus its depth, a tie-breaker, the node, and the way to it
        heap: list[tuple[float, int, int, Value, Any]] = [(0.0, 0, 0, self.root, None)]
        if not self.count[id(self.root)]:
            return
        ticket = itertools.count(1)
        while heap:
            short, depth, _, node, way = heapq.heappop(heap)
            if node is self.target:
                yield self._path(short, way)
                continue
            for log, x, i, p in self.edges[id(node)]:
                further = short + (self.best[id(node)] - (log + self.best[id(x)]))
                heapq.heappush(heap, (further, depth - 1, next(ticket), x, (way, node, i, p)))

    def _path(self, short: float, way: Any) -> Path:
        nodes, places, factors = [self.target], [], []
        while way is not None:
            way, node, i, p = way
            nodes.append(node)
            places.append(i)
            factors.append(p)
        log = self.best[id(self.root)] - short
        return Path(tuple(nodes[::-1]), tuple(places[::-1]), tuple(factors[::-1]), _product(factors),
                    log * math.log10(2.0), 2.0 ** (log - self.size[id(self.root)]))
