"""`explain`: where a value or a gradient comes from, and where it went wrong."""
from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from autograd_lite.checks.edges import Edges
from autograd_lite.checks.explanation import INFINITE, Explanation, Finding, Input, used_operands
from autograd_lite.checks.paths import Paths
from autograd_lite.errors import InputError, ignoring, shown
from autograd_lite.graph.backward import finite
from autograd_lite.graph.labels import find, place_in
from autograd_lite.graph.linear import Algebra, Linear
from autograd_lite.graph.node import op_of, partials_of, plain, stored_partials
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value, refuse_traced
from autograd_lite.graph.walks import topological
from autograd_lite.ops.special import TINY, added

_SHOWN = 5                               # how many paths, inputs and findings an explanation has


def explain(root: Value, node: Value | str | None = None) -> Explanation:
    """Tell where a value or a gradient comes from, and where one went wrong.

    Args:
        root: the node in question.
        node: a node it depends on, or its label: explain ∂root/∂node. Without it, explain the
            value: the leaves that matter most, and the first node where a nan or an infinity
            arose.

    Returns:
        An `Explanation`; print it. For a gradient it has the paths that contribute most; if the
        gradient is 0 or not finite, also the first node, from the root down, where that happened.
        For nodes made within `record_lines` it shows the lines of the program.

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
    refuse_traced("explain")
    if not isinstance(root, Value):
        raise InputError(f"explain: {shown(root)} is not a Value, and a plain number has no history")
    program = Program([root])
    if node is not None:
        if isinstance(node, str):
            node = find(program.nodes, node)
        return _explain_gradient(program, root, node, place_in(program, "explain", node, f" of {root!r}"))
    leaves = [x for x in program.nodes if not x.operands]
    leaves = [x for x in leaves if x.requires_grad] or leaves
    flow = _Flow(program, root, leaves)
    gradients = list(map(flow.gradient, leaves))
    effects = [abs(g * x.data) if g else 0.0 for g, x in zip(gradients, leaves)]
    total = added(effects)
    inputs = [Input(x, g, e / total if 0.0 < total < math.inf else 0.0)
              for x, g, e in zip(leaves, gradients, effects)]
    inputs.sort(key=lambda x: (-x.share, -_size(x.gradient)))
    findings = _not_finite([root], program) or flow.wrong(max(gradients, key=_size))
    return Explanation(root, found=tuple(findings[:_SHOWN]), hidden=len(findings[_SHOWN:]),
                       inputs=tuple(inputs[:_SHOWN]) if finite(root) else ())


def _size(gradient: float) -> float:
    return math.inf if gradient - gradient != 0.0 else abs(gradient)


def _explain_gradient(program: Program, root: Value, node: Value, place: int) -> Explanation:
    flow = _Flow(program, root, [node])
    gradient = flow.gradient(node)
    spoiled = [root] if finite(gradient) else flow.between
    findings = _not_finite(spoiled, program) + flow.wrong(gradient)
    found = Explanation(root, node, gradient, tuple(findings[:_SHOWN]), len(findings[_SHOWN:]),
                        connected=flow.connected)
    if not flow.smooth:
        return found
    paths = Paths(program.nodes, flow.reached_edges, flow.top, place)
    return replace(found, paths=tuple(paths.largest(_SHOWN)), number_of_paths=paths.number,
                   log10_size=paths.size * math.log10(2.0))


def _not_finite(roots: Sequence[Value], program: Program) -> list[Finding]:
    """Where nans and infinities of the roots came in, and where infinities became a nan, in order.

    Only nodes that pass them on to a root count, through operands that are not finite; a node
    without such operands is an origin.
    """
    def carriers(node: Value) -> list[Value]:
        return [x for x in used_operands(node) if isinstance(x, Value) and not finite(x)]

    found = []
    known = set(map(id, topological([root for root in roots if not finite(root)], carriers)))
    for node in [x for x in program.nodes if id(x) in known]:
        inherited = [x for x in used_operands(node) if not finite(x)]
        if not inherited:
            found.append(Finding(node, "arose" if node.operands else "given"))
        elif not carriers(node):
            found.append(Finding(node, "constant"))
        elif node.data != node.data and not any(plain(x) != plain(x) for x in inherited):
            found.append(Finding(node, "became nan"))
    return found


class _Flow:
    """The gradient of a root on its way down to some targets, and what goes wrong with it.

    Attributes:
        reached: for each place whether a path of partials other than 0 reaches it from the root.
        connected: whether any path leads from the root to a target.
        smooth: whether the partials of `edges` are finite.
        arrived: the gradient at each place, None where nothing arrives.
    """

    def __init__(self, program: Program, root: Value, targets: Iterable[Value]):
        self.program, self.top = program, place_in(program, "explain", root)
        self._ends = {place_in(program, "explain", x) for x in targets}
        self._leads = leads = bytearray([k in self._ends for k in range(len(program))])
        for k, (node, operands) in enumerate(zip(program.nodes, program.operands)):
            for x in operands:
                if x is not None and leads[x] and not leads[k]:
                    op = op_of(node)
                    leads[k] = op is None or not op.chooses or bool(_open_edges(node, operands, leads))
                    break
        self.connected, self.smooth = bool(leads[self.top]), True
        self._wrong: list[tuple[Any, ...]] = []          # findings, as arguments of `Finding`
        self._fall()

    def _fall(self) -> None:
        """Let the gradient fall from the root; a 0 is not passed on, unless `errstate` ignores 0·inf."""
        nodes, leading = self.program.nodes, self.leading
        arrived: list[float | None] = [None] * len(nodes)
        reached = bytearray(len(nodes))
        reached[self.top], arrived[self.top] = True, 1.0
        ieee = ignoring()
        for k in range(self.top, -1, -1):
            if not reached[k]:
                continue
            g = arrived[k]
            for x, i, p in leading(k):
                p = p or 0.0
                if p or ieee:
                    reached[x] = True
                    if p - p != 0.0:
                        self.smooth = False
                if g is None or not (g or ieee):
                    continue
                term = g * p
                if not TINY <= abs(term) < math.inf:
                    what = _judged(nodes[k], g, p, term)
                    if what:
                        self._wrong.append((nodes[k], what, i, p, g))
                if term or ieee:
                    before = arrived[x]
                    arrived[x] = total = term if before is None else before + term
                    if total - total != 0.0 and before is not None and finite(before) and finite(term):
                        self._wrong.append((nodes[x], "sum overflow"))
        self.reached, self.arrived = reached, arrived

    def leading(self, k: int) -> Edges:
        """The edges of a node that lead to a target. (Those of all nodes would fill more than the graph.)"""
        if not self._leads[k] or k in self._ends:
            return ()
        return _open_edges(self.program.nodes[k], self.program.operands[k], self._leads)

    def reached_edges(self, k: int) -> Edges:
        """The same of a node that a path of partials other than 0 reaches from the root."""
        return self.leading(k) if self.reached[k] else ()

    @property
    def between(self) -> list[Value]:
        """The nodes on any path from the root to a target."""
        flags = Linear(len(self.program), self.leading).pull({self.top: True}, _Any())
        return [node for node, flag in zip(self.program.nodes, flags) if flag]

    def gradient(self, node: Value) -> float:
        """The gradient that arrives at a node."""
        return self.arrived[place_in(self.program, "explain", node)] or 0.0

    def wrong(self, gradient: float) -> list[Finding]:
        """What made a gradient 0 or not finite; nothing if it is neither."""
        if gradient - gradient != 0.0:
            return [Finding(*found) for found in self._wrong if found[1] in INFINITE]
        if abs(gradient) >= TINY:
            return []
        lost = [Finding(node, "cancels") for node, g in zip(self.program.nodes, self.arrived) if g == 0.0]
        lost += [Finding(*found) for found in self._wrong if found[1] not in INFINITE]
        return sorted(lost, key=lambda finding: -place_in(self.program, "explain", finding.node))


def _open_edges(node: Value, operands: Sequence[int | None], leads: Sequence[int]) -> Edges:
    """The edges that a gradient can take to the operands that lead on; of a choice only that to the one
    taken."""
    edges: list[tuple[int, int, float | None]] = []
    partials: Sequence[float | None] = ()
    for i, x in enumerate(operands):
        if x is not None and leads[x]:
            partials = partials or stored_partials(node)
            p = partials[i]
            if p is None:
                return _unusual_edges(node, [
                    (x, i) for i, x in enumerate(operands) if x is not None and leads[x]])
            edges.append((x, i, p))
    return edges


def _unusual_edges(node: Value, places: Sequence[tuple[int, int]]) -> Edges:
    """The same if a partial is not recorded."""
    op: Any = op_of(node)
    partials = partials_of(node)                # (those by a constant are not recorded)
    if op.chooses:
        return [(x, i, partials[i]) for x, i in places if partials[i] is not None]
    return [(x, i, partials[i]) for x, i in places]


class _Any(Algebra):
    """Whether anything arrives, be it times 0."""

    def times(self, g: bool, p: Any, k: int, i: int) -> bool:
        return g

    def plus(self, a: bool, b: bool, k: int) -> bool:
        return True


def _judged(node: Value, g: float, p: float, term: float) -> str:
    """What is wrong with a contribution to a gradient, if it goes wrong here; else ""."""
    if not finite(term):
        if not finite(g) or not all(map(finite, node.operands)):
            return ""
        return "overflow" if finite(p) else "no derivative"
    if p == 0.0:
        return "flat"
    return "underflow" if abs(term) < TINY <= abs(g) else ""
