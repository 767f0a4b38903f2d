"""`Explanation`: what `explain` found, and its text."""
from __future__ import annotations

import itertools
import math
import operator
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from autograd_lite.checks.edges import taken_of
from autograd_lite.checks.report import ENDLESS, LINE, Entry, Report, clip, plain_data, wrapped
from autograd_lite.graph.backward import finite
from autograd_lite.graph.node import call_of, op_of, plain
from autograd_lite.graph.value import Value
from autograd_lite.lines import Line, printable
from autograd_lite.locks import computed_once
from autograd_lite.ops.special import TINY


# -- what went wrong --------------------------------------------------------------------------

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
INFINITE = {"no derivative", "overflow", "sum overflow"}


@dataclass(frozen=True, repr=False)
class Finding(Entry):
    """A node at which something went wrong, and what. `str(finding)` is a line.

    Attributes:
        node: the node.
        what: "given" (not finite from the start), "constant" (a plain number among the operands
            is not finite), "arose" (not finite, from finite operands) or "became nan" (from
            infinities); of a gradient that arrives at the node: "no derivative" (the partial is
            infinite or missing), "overflow", "sum overflow", "flat" (the partial is 0),
            "underflow" or "cancels" (the gradients that arrive add up to 0).
        operand: which operand the partial is by, from 0.
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
        """The line of the program that made the node, if lines were recorded."""
        return self.node.line

    @property
    def why(self) -> str:
        """What happened, in a sentence."""
        node, operands = self.node, self.node.operands
        inherited = [f"{plain(x)!r}" + (f" of {x.label!r}" if getattr(x, "label", "") else "")
                     for x in used_operands(node) if not finite(x)]
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
        facts: dict[str, Any] = plain_data({
            "what": self.what, "why": self.why, **_as_dict(self.node),
            "operands": [_as_dict(x) for x in self.node.operands], "operand": self.operand,
            "partial": self.partial, "gradient": self.gradient,
            "line": self.line and {"file": self.line.file, "number": self.line.number,
                                   "text": self.line.text}})
        return facts

    def __str__(self) -> str:
        return f"{self.why[:-1]}, {str(self.line).splitlines()[0]}" if self.line else self.why

    def paragraph(self) -> str:
        """Why and where, with the text of the line."""
        return self.told(LINE)

    def told(self, width: int) -> str:
        """The same in lines of so many columns."""
        return "\n".join(wrapped(self.why, "  ", 2, width) + [
            "  " + line for line in str(self.line or "").splitlines()])


def used_operands(node: Value) -> Sequence[Any]:
    """The operands that make up a node's number."""
    return [node.operands[i] for i in taken_of(node)]


# -- paths and inputs ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Path:
    """One way from the root to the node, and what it contributes to the gradient.

    Attributes:
        nodes: the nodes, from the root down.
        places: which operand of each the next one is.
        factors: the partials along the path.
        contribution: their product (0 or inf if it is beyond a double).
        log10: the logarithm of its size, even then.
        share: its share of the sum of all paths' sizes.
    """

    nodes: tuple[Value, ...]
    places: tuple[int, ...]
    factors: tuple[float, ...]
    contribution: float
    log10: float
    share: float

    def as_dict(self) -> dict[str, Any]:
        """The path in plain data."""
        facts: dict[str, Any] = plain_data({
            "nodes": [_name(node) for node in self.nodes], "places": self.places, "factors": self.factors,
            "contribution": self.contribution, "log10": self.log10, "share": self.share})
        return facts

    def __str__(self) -> str:
        """All nodes by name (``#3`` means as the third operand, where this is not obvious); on a long
        path, how many operations are between the labels."""
        named: Sequence[int] = self.named
        if len(self.nodes) <= (8 if len(named) > 2 else 12):
            named = range(len(self.nodes))
        names = [self._step(0)]
        for i, k in itertools.pairwise(named):
            if k - i > 2:
                names.append(f"({k - i - 1}\N{NO-BREAK SPACE}ops)")
            elif k - i == 2:
                names.append(self._step(i + 1))
            names.append(self._step(k))
        return _chain(names)

    __repr__ = __str__

    def brief(self) -> str:
        """The labelled nodes."""
        return _chain([_name(self.nodes[i]) for i in self.named])

    def _step(self, k: int) -> str:
        """The k-th node's name, and which operand it is where this is not obvious."""
        node = self.nodes[k]
        operands = self.nodes[k - 1].operands if k else ()
        several = len(operands) > 2 or sum(x is node for x in operands) > 1
        return _name(node) + (f"#{self.places[k - 1] + 1}" if several else "")

    @computed_once
    def named(self) -> list[int]:
        """Where the path starts, meets a labelled node, or ends."""
        last = len(self.nodes) - 1
        return [i for i, node in enumerate(self.nodes) if node.label or i in (0, last)]

    def product(self) -> str:
        """The contribution as a product over the labelled nodes; "" if that says nothing new."""
        spans = list(itertools.pairwise(self.named))
        if not 1 < len(spans) < 7:
            return ""
        return (" · ".join(f"∂{_name(self.nodes[i])}/∂{_name(self.nodes[k])}" for i, k in spans) + " = "
                + " · ".join(f"{product_of(self.factors[i:k]):.4g}" for i, k in spans))


class Input(NamedTuple):
    """A leaf, its gradient, and its share of the sum of |gradient · value| over the leaves."""

    node: Value
    gradient: float
    share: float


@dataclass(frozen=True, repr=False)
class Explanation(Report):
    """What `explain` found; see `Report`. `str()` adds the paths or the inputs.

    Attributes:
        root: the node in question.
        node: the node it is differentiated by, or None.
        gradient: ∂root/∂node.
        found: what went wrong, in the order it happened (for a gradient, from the root down), at
            most five; also as `findings`.
        hidden: how many more there are.
        paths: the paths from root to node that contribute most.
        number_of_paths: how many paths contribute (inf beyond a double).
        log10_size: the logarithm of the sum of all paths' sizes.
        inputs: without a node, the leaves that matter most.
        connected: whether a gradient can reach the node at all, rather than only conditions and
            branches not taken.
    """

    root: Value
    node: Value | None = None
    gradient: float | None = None
    found: tuple[Finding, ...] = ()
    hidden: int = 0
    paths: tuple[Path, ...] = ()
    number_of_paths: float = 0.0
    log10_size: float = -math.inf
    inputs: tuple[Input, ...] = ()
    connected: bool = True

    def _found(self) -> tuple[Finding, ...]:
        return self.found

    @property
    def origin(self) -> Finding | None:
        """The first node at which something went wrong, if anything did."""
        return self.found[0] if self.found else None

    def as_dict(self) -> dict[str, Any]:
        """The explanation in plain data, for JSON; a nan or infinity as "nan", "inf" or "-inf"."""
        facts: dict[str, Any] = plain_data({
            "root": _as_dict(self.root), "node": None if self.node is None else _as_dict(self.node),
            "gradient": self.gradient, "findings": [finding.as_dict() for finding in self.found],
            "hidden": self.hidden, "paths": [path.as_dict() for path in self.paths],
            "number_of_paths": self.number_of_paths, "log10_size": self.log10_size,
            "inputs": [{**_as_dict(x), "gradient": g, "share": share} for x, g, share in self.inputs]})
        return facts

    def summary(self) -> str:
        """The number, and what went wrong with it."""
        return self._told(LINE)

    def _told(self, width: int) -> str:
        return "\n".join([*self._heading(), *self._about_findings(width)])

    def __str__(self) -> str:
        lines = [self.summary()]
        if self.paths:
            before, rows, after = _about_paths(self, LINE)
            lines += [before, _PATH.format(*_PATHS)]
            lines += [line for share, number, path in rows
                      for line in wrapped(path, _PATH.format(share, number, ""), 24)]
            lines += after
        if self.inputs:
            lines += [_MATTER, *[_INPUT.format(*cells) for cells in [_INPUTS, *map(_input, self.inputs)]]]
        return "\n".join(lines)

    def _heading(self) -> Iterator[str]:
        root, node = self.root, self.node
        if node is None:
            yield f"{_title(root)} = {root.data!r}"
            return
        yield f"∂{_title(root)}/∂{_title(node)} = {self.gradient!r}"
        if not node.requires_grad:
            yield f"({_title(node)} carries no gradient: backward() leaves it at 0)"
        if not self.connected:
            yield f"({_title(node)} is used only in conditions, or on branches that are not taken)"

    def _pieces(self) -> Iterator[str]:
        from autograd_lite.markup import prose, table
        yield from super()._pieces()
        if self.paths:
            before, rows, after = _about_paths(self, ENDLESS)
            yield prose(before) + table("rrl", _PATHS, rows) + prose("\n".join(after))
        if self.inputs:
            yield prose(_MATTER) + table("rrrl", _INPUTS, list(map(_input, self.inputs)))

    def _about_findings(self, width: int) -> Iterator[str]:
        if self.found:
            what = self.found[0].what
            yield ("Where it stopped being finite, earliest first:" if what in _OF_VALUES else
                   "Where the gradient stopped being finite, from the root down:" if what in INFINITE else
                   "Where the gradient was lost, from the root down:")
        for finding in self.found:
            yield f"\n{finding.told(width)}"
        if self.hidden:
            yield f"\n  … and {self.hidden} more such places"
        if self.found and not any(finding.line for finding in self.found):
            yield "\n(run the program inside `with record_lines():` to see the lines that made them)"


# -- its text -----------------------------------------------------------------------------------


_PATHS, _PATH = ("share", "contribution", "path"), "{:>8}  {:>12}  {}"
_INPUTS, _INPUT = ("share", "gradient", "value", "input"), "{:>8}  {:>12}  {:>12}  {}"
_MATTER = "\nThe inputs that matter most (by gradient · value):"


def _about_paths(found: Explanation, width: int) -> tuple[str, list[tuple[str, str, str]], list[str]]:
    """A sentence on the paths, the rows of their table, and the lines after it."""
    n, size = found.number_of_paths, _power_of_ten(found.log10_size)
    number = f"{n:.0f}" if n < 1e6 else f"{n:.1e}" if n < math.inf else "more than 1e308"
    before = f"\nIt comes over {number} path{'' if n == 1 else 's'}" + (
        f"; their sizes add up to {size}" + ", but cancel in part" * _cancels(found) if n > 1 else "")
    briefs = [path.brief() for path in found.paths]
    distinct = len(set(briefs)) == len(briefs) and any(len(path.named) > 2 for path in found.paths)
    shown = found.paths if found.paths[0].share > 5e-4 else found.paths[:1]
    rows = [(_percent(path.share), _contribution(path), path.brief() if distinct else str(path))
            for path in shown]
    note = ["(#n: as the n-th operand)"] * (not distinct and any("#" in path for *_, path in rows))
    return before, rows, [*note, *_about_best(found.paths[0], width)]


def _about_best(path: Path, width: int) -> Iterator[str]:
    if product := path.product():
        yield from wrapped(f"The largest is {product}", "", 2, width)
    sizes = list(map(abs, path.factors))
    if sizes and min(sizes) < 1e-3:
        i = sizes.index(min(sizes))
        node = path.nodes[i]
        yield f"Its smallest factor is {path.factors[i]:.3g}, the partial of"
        yield from wrapped(f"{call_of(node)} by {_name(path.nodes[i + 1])}", "  ", 4, width)
        if node.line:
            yield textwrap.indent(str(node.line), "  ")


def _cancels(found: Explanation) -> bool:
    """Whether the paths' contributions cancel in part."""
    if not found.gradient:
        return any(finding.what == "cancels" for finding in found.found)
    return found.log10_size > math.log10(abs(found.gradient)) + 0.3


def _input(x: Input) -> tuple[str, str, str, str]:
    """An input as the table shows it."""
    return _percent(x.share), f"{x.gradient:.6g}", f"{x.node.data:.6g}", _name(x.node)


def _as_dict(x: Any) -> dict[str, Any]:
    return {"value": plain(x), "op": getattr(x, "op", ""), "label": getattr(x, "label", "")}


def _name(x: Value) -> str:
    return clip(printable(x.label or x.op or f"{x.data:.6g}"), 30)


def _chain(names: Sequence[str]) -> str:
    if len(names) > 12:
        names = [*names[:5], f"({len(names) - 10}\N{NO-BREAK SPACE}more)", *names[-5:]]
    return " ← ".join(names)


def _title(node: Value) -> str:
    return _name(node) if node.label or not node.op else f"({_name(node)})"


def _power_of_ten(log10: float) -> str:
    return f"{10.0 ** log10:.6g}" if -307.0 < log10 < 308.0 else f"10^{log10:.1f}"


def _contribution(path: Path) -> str:
    if TINY <= abs(path.contribution) < math.inf:
        return f"{path.contribution:.6g}"
    return "-" * str(path.contribution).startswith("-") + f"10^{path.log10:.1f}"


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f} %" if not share < 5e-4 else "< 0.1 %"


def product_of(factors: Sequence[float]) -> float:
    """The product, which can leave the range of a double only at the end."""
    sizes = list(map(abs, itertools.accumulate(factors, operator.mul)))
    if sizes and TINY <= min(sizes) and max(sizes) < math.inf:
        return math.prod(factors)
    mantissa, exponent = 1.0, 0
    for factor in factors:
        mantissa, shift = math.frexp(mantissa * math.frexp(factor)[0])
        exponent += shift + math.frexp(factor)[1]
    return math.ldexp(mantissa, exponent) if exponent < 1025 else math.copysign(math.inf, mantissa)
