"""Which claims have their errors from others, by the rule that `audit` states.

A claim is told by its index, its output and its input by their places in the graph.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from autograd_lite.graph.linear import Algebra, Edge, Linear, Sizes
from autograd_lite.graph.program import Program
from autograd_lite.graph.value import Value
from autograd_lite.graph.walks import topological

Places = tuple[int, int]                    # of the output and of the input of a claim
Depends = Callable[[int, int], bool]


def relative_error(a: float, b: float) -> float:
    """|a − b| / max(|a|, |b|); 0 when both are equal; a nan differs from everything.

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


def dependence(program: Program, places: Iterable[int]) -> Depends:
    """A function of two of these places: whether the first node is, or depends on, the second."""
    bits: dict[int, int] = {}
    for k in places:
        bits.setdefault(k, 1 << len(bits))
    masks: list[int] = []                                # for each place on which of them it depends
    for k, operands in enumerate(program.operands):
        mask = bits.get(k, 0)
        for x in operands:
            if x is not None:
                mask |= masks[x]
        masks.append(mask)
    return lambda a, b: bool(masks[a] & bits[b])


def origins(program: Program, linear: Linear, places: Sequence[Places], claimed: Sequence[float],
            errors: Mapping[int, float], depends: Depends, rtol: float) -> dict[int, list[int]]:
    """For each claim that inherits, those it has its error from; `errors` are those of the claims that differ."""
    inside = {c: {d for d in errors if d != c and depends(places[c][0], places[d][0])
                  and depends(places[d][1], places[c][1])} for c in errors}
    found = {}
    for c in errors:
        outermost = inside[c].difference(*[inside[d] for d in inside[c]])
        wrong = _off_circles(sorted(outermost), places, depends)
        if wrong:
            total, rounding = _with_errors(program, linear, places[c], {places[d]: errors[d] for d in wrong})
            if relative_error(claimed[c], total) <= rtol or abs(claimed[c] - total) <= rounding:
                found[c] = wrong
    return found


def spoiled(origins: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    """For each claim those that inherit from it, straight or by way of others.

    >>> spoiled({1: [0], 2: [1]})
    {0: [1, 2], 1: [2]}
    """
    straight: dict[int, list[int]] = {}
    for c, causes in origins.items():
        for cause in causes:
            straight.setdefault(cause, []).append(c)
    found = {}
    for cause, claims in straight.items():
        reached = dict.fromkeys(claims)
        rest = list(claims)
        for c in rest:
            more = [d for d in straight.get(c, ()) if d not in reached]
            reached.update(dict.fromkeys(more))
            rest += more
        found[cause] = sorted(reached)
    return found


def _off_circles(claims: list[int], places: Sequence[Places], depends: Depends) -> list[int]:
    """The claims whose edges, input to output, lie on no circle when all are added to the graph."""
    def on_circle(claim: int) -> bool:
        output, source = places[claim]
        reached, rest = [output], claims
        for k in reached:
            if depends(source, k):
                return True
            reached += [places[c][0] for c in rest if depends(places[c][1], k)]
            rest = [c for c in rest if not depends(places[c][1], k)]
        return False
    return [claim for claim in claims if not on_circle(claim)]


def _with_errors(program: Program, linear: Linear, claim: Places,
                 errors: Mapping[Places, float]) -> tuple[float, float]:
    """The sum over the paths of a claim where each of some places has an edge (output, input, error) more.

    The second number bounds its rounding: errors that should cancel exactly may not.
    """
    more: dict[int, list[Edge]] = {}
    for (output, source), error in errors.items():
        more.setdefault(output, []).append((source, -1, error))
    output, source = claim
    longer = Linear(len(program), lambda k: [*linear.edges(k), *more[k]] if k in more else linear.edges(k))
    if any(place > k for k, edges in more.items() for place, _, _ in edges):
        longer, rank = _renumbered(program, longer)
        output, source = rank[output], rank[source]
    total, size = [longer.pull({output: 1.0}, algebra)[source] or 0.0 for algebra in (Algebra(), Sizes())]
    return total, 1e-12 * size


def _renumbered(program: Program, linear: Linear) -> tuple[Linear, dict[int, int]]:
    """The same edges, by places at which each node comes after its operands; and where every place went."""
    def operands(node: Value) -> list[Value]:
        return [program.nodes[x] for x, _, _ in linear.edges(program.place_in("audit", node))]

    order = [program.place_in("audit", node) for node in topological(program.nodes, operands)]
    rank = {k: new for new, k in enumerate(order)}
    return Linear(len(order), lambda new: [(rank[x], i, p) for x, i, p in linear.edges(order[new])]), rank
