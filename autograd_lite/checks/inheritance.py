"""`Inheritance`: which claims get their errors from others, by the rule that `audit` states."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograd_lite.checks.edges import Sizes
from autograd_lite.graph.linear import Algebra, Edge, Linear
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value
from autograd_lite.graph.walks import topological

Places = tuple[int, int]                    # of the output and of the input of a claim


def relative_error(a: float, b: float) -> float:
    """|a − b| / max(|a|, |b|); 0 when they are equal; a nan differs from everything.

    >>> relative_error(1.0, 0.5)
    0.5
    """
    if a == b:
        return 0.0
    return abs(a - b) / max(abs(a), abs(b), 5e-324)      # (0 and a nan: still a nan)


def derived_numbers(linear: Linear, places: Sequence[Places]) -> list[float]:
    """The number that the graph gives for each claim, by one sweep for each output."""
    claims: dict[int, list[int]] = {}
    for c, (output, _) in enumerate(places):
        claims.setdefault(output, []).append(c)
    found = [0.0] * len(places)
    for output, same in claims.items():
        gradient = linear.pull({output: 1.0})
        for c in same:
            found[c] = gradient[places[c][1]] or 0.0
    return found


class Inheritance:
    """Which of the claims that differ get their errors from others. A claim is known by its index.

    Args:
        program, linear: the graph and its derivatives.
        places: those of each claim's output and input.
        claimed: each claim's number.
        errors: for the claims that differ, claimed − derived.
    """

    def __init__(self, program: Program, linear: Linear, places: Sequence[Places], claimed: Sequence[float],
                 errors: Mapping[int, float]):
        self.program, self.linear, self.places = program, linear, places
        self.claimed, self.errors = claimed, errors
        self._bits: dict[int, int] = {}
        for c in errors:
            for k in places[c]:
                self._bits.setdefault(k, 1 << len(self._bits))
        self._masks: list[int] = []         # for each place, the claims' nodes it depends on
        for k, operands in enumerate(program.operands):
            mask = self._bits.get(k, 0)
            for x in operands:
                if x is not None:
                    mask |= self._masks[x]
            self._masks.append(mask)

    def depends(self, a: int, b: int) -> bool:
        """Whether one node of a claim that differs is, or depends on, another."""
        return bool(self._masks[a] & self._bits[b])

    def origins(self, rtol: float) -> dict[int, list[int]]:
        """For each claim that inherits, those its error comes from; these come first if they inherit too."""
        places, inside = self.places, dict[int, set[int]]()
        for c in self.errors:
            output, source = places[c]
            inside[c] = {d for d in self.errors if d != c and self.depends(output, places[d][0])
                         and self.depends(places[d][1], source)}
        found = {}
        for c in sorted(inside, key=lambda c: len(inside[c])):
            outermost = inside[c].difference(*[inside[d] for d in inside[c]])
            wrong, claimed = self._off_circles(sorted(outermost)), self.claimed[c]
            if wrong:
                total, rounding = self._with_errors(c, wrong)
                if relative_error(claimed, total) <= rtol or abs(claimed - total) <= rounding:
                    found[c] = wrong
        return found

    def _off_circles(self, claims: list[int]) -> list[int]:
        """The claims whose edges, input to output, lie on no circle once all are added to the graph."""
        def on_circle(claim: int) -> bool:
            output, source = self.places[claim]
            reached, rest = [output], claims
            for k in reached:
                if self.depends(source, k):
                    return True
                reached += [self.places[c][0] for c in rest if self.depends(self.places[c][1], k)]
                rest = [c for c in rest if not self.depends(self.places[c][1], k)]
            return False
        return [claim for claim in claims if not on_circle(claim)]

    def _with_errors(self, claim: int, wrong: Sequence[int]) -> tuple[float, float]:
        """The sum over a claim's paths, with an edge (output, input, error) added for each wrong claim.

        The second number bounds its rounding: errors that should cancel exactly may not.
        """
        more: dict[int, list[Edge]] = {}
        for c in wrong:
            more.setdefault(self.places[c][0], []).append((self.places[c][1], -1, self.errors[c]))
        edges, (output, source) = self.linear.edges, self.places[claim]
        longer = Linear(self.linear.size, lambda k: [*edges(k), *more[k]] if k in more else edges(k))
        if any(self.places[c][1] > self.places[c][0] for c in wrong):
            longer, rank = _renumbered(self.program, longer)
            output, source = rank[output], rank[source]
        total, size = [longer.pull({output: 1.0}, algebra)[source] or 0.0 for algebra in (Algebra(), Sizes())]
        return total, 1e-12 * size


def spoiled(origins: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    """For each claim those that inherit from it, directly or through others.

    >>> spoiled({1: [0], 2: [1]})
    {0: [1, 2], 1: [2]}
    """
    behind, found = dict[int, set[int]](), dict[int, list[int]]()
    for c, straight in origins.items():
        behind[c] = set(straight).union(*[behind.get(d, ()) for d in straight])
        for d in behind[c]:
            found.setdefault(d, []).append(c)
    return {c: sorted(inheriting) for c, inheriting in found.items()}


def _renumbered(program: Program, linear: Linear) -> tuple[Linear, dict[int, int]]:
    """The same edges at new places, each node after its operands again; and the new place of each."""
    place = {id(node): k for k, node in enumerate(program.nodes)}

    def operands(node: Value) -> list[Value]:
        return [program.nodes[x] for x, _, _ in linear.edges(place[id(node)])]

    order = [place[id(node)] for node in topological(program.nodes, operands)]
    rank = {k: new for new, k in enumerate(order)}
    return Linear(len(order), lambda new: [(rank[x], i, p) for x, i, p in linear.edges(order[new])]), rank
