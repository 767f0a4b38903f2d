"""Of the samples for which a graph computes the same, one is drawn.

Samples are operands of a sum, mean, …, or of a chain of +, −, ·, maximum, …, that are computed alike from
shared leaves with a gradient (a model's parameters) and from numbers or leaves of their own.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, repeat
from math import inf, nan
from typing import Any, NamedTuple

from autograd_lite.drawing.sketch import Link, Sketch, Users
from autograd_lite.graph.node import op_of, partials_of
from autograd_lite.graph.value import Value
from autograd_lite.ops.elementary import add, div, mul, neg, sub
from autograd_lite.ops.geometry import hypot, maximum, minimum
from autograd_lite.ops.sequences import logsumexp_op, sum_op


class _Chain(NamedTuple):
    """An op whose chains are one operation of all terms: x − y − z is the sum of x, −y and −z.

    Attributes:
        of: the op that stands for the operation.
        sides: of each operand, whether it counts negated, or inverted. (Of an op of any number of operands
            there are as many as one asks for.)
        idle: the number by which the operation changes nothing; nan for an op of no numbers.
    """

    of: Any
    sides: Iterable[bool]
    idle: float


_BOTH = (False, False)                          # as they are
_CHAINS: dict[Any, _Chain] = {
    add: _Chain(add, _BOTH, 0.0), sub: _Chain(add, (False, True), 0.0), neg: _Chain(add, (True,), nan),
    mul: _Chain(mul, _BOTH, 1.0), div: _Chain(mul, (False, True), 1.0), hypot: _Chain(hypot, _BOTH, 0.0),
    maximum: _Chain(maximum, _BOTH, -inf), minimum: _Chain(minimum, _BOTH, inf),
    sum_op: _Chain(sum_op, repeat(False), 0.0), logsumexp_op: _Chain(logsumexp_op, repeat(False), -inf)}
_PATIENCE = 8                                   # how often as much may be looked at as there is in all


def one_sample(sketch: Sketch, sample: int) -> int:
    """Draw one sample of each set, the one that stands at `sample`; how many samples the largest set has.

    >>> from autograd_lite import Value
    >>> w = Value(3.0); sketch = Sketch([sum((w * x).exp() for x in (1.0, 2.0, 3.0))])
    >>> one_sample(sketch, 1), [link.times for link in [*sketch.links.values()][-1]]
    (3, [3])
    """
    users = sketch.users()
    roots, nodes = set(sketch.roots), sketch.nodes
    drawn, largest = bytearray(len(nodes)), 1
    size, seen = len(nodes) + sketch.links.count, 0     # (of nodes and links)
    tried: set[int] = set()
    for k in roots:
        drawn[k] = True
    for head in reversed(range(len(nodes))):
        if not drawn[head]:
            continue
        best: tuple[int, list[Link]] = (1, [])
        for terms, sides in _terms(sketch, head, users, roots, tried):
            computed = {link.tail for link in terms if link.tail is not None and nodes[link.tail].operands}
            if len(computed) < 2 or int(seen / size) >= _PATIENCE:
                continue
            alike, looked_at = _alike(sketch, computed, users, terms, sides)
            seen += looked_at
            sizes = {len(places) for places, differ in alike if differ}
            if sizes and max(sizes) > best[0]:
                # (What is the same in each sample belongs to them.)
                sets = [places for places, _ in alike if len(places) in sizes]
                best = max(sizes), _chosen(terms, sets, sample)
            if best[0] == len(computed):
                break
        if best[1]:
            largest, sketch.links[head] = max(largest, best[0]), best[1]
        for tail in sketch.links.tails(head):
            if tail >= 0:
                drawn[tail] = True
    sketch.links.keep(k for k, shown in enumerate(drawn) if shown)
    return largest


def _terms(sketch: Sketch, head: int, users: Users, roots: set[int], tried: set[int]
           ) -> Iterator[tuple[list[Link], list[int]]]:
    """The operands of a node and how each counts; of a chain all its terms, as far as the head's own op goes,
    or the first operands, or all: a term may itself be a difference. (Parts of a chain are tried with it.)"""
    if head in tried:
        return
    nodes, links = sketch.nodes, sketch.links[head]
    op: Any = op_of(nodes[head])
    chain = _chain(nodes[head])
    if chain is None or len(links) < 2 or op.open and not any([
            isinstance(x, Value) and op_of(x) is op for x in nodes[head].operands]):
        yield links, [link.position * (not op.open) for link in links]
        return

    def inner(k: int) -> _Chain | None:
        part = _chain(nodes[k])
        alone = k == head or k not in roots and len(users[k]) == 1 and not nodes[k].label
        return part if alone and part is not None and part.of is chain.of else None

    for within, first in (({op}, False), (_CHAINS, True), (_CHAINS, False)):
        terms: list[Link] = []
        sides: list[int] = []
        stack = [(head, 0, 1.0, True)]
        while stack:
            k, side, partial, further = stack.pop()
            part = inner(k) if further and op_of(nodes[k]) in within else None
            if part is None:
                terms.append(Link(k, partial=partial))
                sides.append(side)
                continue
            tried.add(k)
            operands = zip(sketch.links.tails(k), part.sides, partials_of(nodes[k]))
            stack += [(tail, side ^ sign, partial * (nan if p is None else p), not (first and i))
                      for i, (tail, sign, p) in reversed([*enumerate(operands)]) if tail >= 0]
        yield terms, sides


def _chain(node: Value) -> _Chain | None:
    """The chain to which a node belongs, of nodes alone or with numbers that change nothing (the 0 with which
    Python's `sum` begins)."""
    chain = _CHAINS.get(op_of(node))
    if chain is None or not all([isinstance(x, Value) or x == chain.idle for x in node.operands]):
        return None
    return chain


def _alike(sketch: Sketch, terms: set[int], users: Users, slots: Sequence[Link], sides: Sequence[int]
           ) -> tuple[list[tuple[list[int], bool]], int]:
    """The terms that use shared leaves with a gradient: those that are computed and count alike together, in
    order, and whether their numbers differ; and how many nodes and links were looked at."""
    nodes, links = sketch.nodes, sketch.links
    below = _below(sketch, terms)
    # Whose each node is: the one term's through which alone the head depends on it.
    uses: dict[int, list[int]] = {}
    for link, side in zip(slots, sides):
        if link.tail is not None:
            uses.setdefault(link.tail, []).append(side)
    owner: dict[int, int | None] = {}
    for k in below:                             # (users before their operands; of a shared node it is None)
        inner = [owner[user] for user in users[k] if user in owner]
        owners = {*inner, *([k] if k in terms else ())}
        complete = len(inner) + (len(uses[k]) if k in terms else 0) >= len(users[k])
        owner[k] = owners.pop() if len(owners) == 1 and complete else None
    # How each is computed, as a number; of a shared node: by itself. `own` is a number or leaf of its own,
    # but not a weight: a leaf with a gradient that has a label, or stands beside results that are shared.
    # And the same roughly, where one shared node is like another.
    inputs = all([not nodes[k].operands for k in below if owner[k] is None])
    numbers = defaultdict[object, int](count().__next__)
    own, shared = numbers["own"], numbers["shared"]
    kind, rough = {-1: own}, {-1: own}
    weighted: dict[int | None, list[int]] = {}  # of each term its nodes by shared nodes
    shares: set[int] = set()
    looked_at = len(below)
    for k in reversed(below):
        node, tails = nodes[k], links.tails(k)
        looked_at += len(tails)
        if node.requires_grad and (owner[k] is None or not tails and (node.label or not inputs)):
            kind[k], rough[k] = numbers[k], shared
            if owner[k] is None:
                shares.add(k)
        elif not tails:
            kind[k] = rough[k] = own
        else:
            for kinds in (kind, rough):
                kinds[k] = numbers[node.op, *[kinds[tail] for tail in tails]]
            if not shares.isdisjoint(tails):
                shares.add(k)
            if any([rough[tail] == shared for tail in tails]):
                weighted.setdefault(owner[k], []).append(k)
    # Those that are computed alike; and where there are some, those that differ only in which of their own
    # results they use (that of the right class, among all classes').
    sets: dict[object, list[int]] = {}
    exact = set[object]()
    found: dict[object, None] = {}
    values: dict[object, set[object]] = {}
    for k, counts in uses.items():
        if k in terms and owner[k] == k and k in shares:
            used = sorted([(kind[i], nodes[i].data) for i in weighted.get(k, ())])
            key = (rough[k], *[i for i, _ in used], *counts)
            sets.setdefault(key, []).append(k)
            if (kind[k], *counts) in exact:
                found[key] = None
            exact.add((kind[k], *counts))
            values.setdefault(key, set()).add((nodes[k].data, *used))
    return [(sets[key], len(values[key]) > 1) for key in found], looked_at


def _below(sketch: Sketch, terms: set[int]) -> list[int]:
    """The terms and what they depend on, each after its users."""
    seen, stack = set(terms), list(terms)
    while stack:
        for tail in sketch.links.tails(stack.pop()):
            if tail >= 0 and tail not in seen:
                seen.add(tail)
                stack.append(tail)
    return sorted(seen, reverse=True)


def _chosen(terms: Sequence[Link], sets: list[list[int]], sample: int) -> list[Link]:
    """The terms with one of each set, which stands for all of it."""
    stands = {k: (places[min(sample, len(places) - 1)], len(places)) for places in sets for k in places}
    found = []
    for link in terms:
        chosen, times = stands.get(link.tail, (link.tail, 1))  # type: ignore[arg-type]
        if chosen == link.tail:
            found.append(link._replace(times=times))
    return found
