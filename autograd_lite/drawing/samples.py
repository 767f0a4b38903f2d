"""Of the samples for which a graph computes the same, one is drawn.

Samples are operands of a sum, mean, … that are computed alike from shared leaves with a gradient (a model's
parameters) and from numbers or leaves of their own.
"""
from __future__ import annotations

from collections.abc import Sequence

from autograd_lite.drawing.sketch import Link, Sketch, Users
from autograd_lite.graph.node import op_of
from autograd_lite.graph.value import Value
from autograd_lite.ops.elementary import add

_PATIENCE = 20                                  # how much may be looked at, in nodes and links, for each node
_SHARED = -1


def one_sample(sketch: Sketch, sample: int) -> int:
    """Draw one sample of each set, the one that stands at `sample`; how many samples the largest set has.

    >>> from autograd_lite import Value
    >>> w = Value(3.0); sketch = Sketch([sum((w * x).exp() for x in (1.0, 2.0, 3.0))])
    >>> one_sample(sketch, 1), [link.times for link in [*sketch.links.values()][-1]]
    (3, [3])
    """
    users = sketch.users()
    roots, nodes = set(sketch.roots), sketch.nodes
    drawn, largest, patience = bytearray(len(nodes)), 1, _PATIENCE * len(nodes) + 2 * sketch.links.count
    for k in roots:
        drawn[k] = 1
    for head in reversed(range(len(nodes))):
        if not drawn[head]:
            continue
        terms = _terms(sketch, head, users, roots)
        computed = {link.tail for link in terms if link.tail is not None and nodes[link.tail].operands}
        if len(computed) > 1 and patience > 0:
            kinds, looked_at = _kinds(sketch, computed, users, head, terms)
            patience -= looked_at
            sets = [places for places in kinds.values() if len({nodes[k].data for k in places}) > 1]
            if sets:
                sketch.links[head] = _chosen(terms, sets, sample)
                largest = max(largest, *map(len, sets))
        for tail in sketch.links.tails(head):
            if tail >= 0:
                drawn[tail] = 1
    sketch.links.keep(k for k, shown in enumerate(drawn) if shown)
    return largest


def _terms(sketch: Sketch, head: int, users: Users, roots: set[int]) -> list[Link]:
    """The operands of a node; of a sum written with +, all that it adds."""
    nodes, links = sketch.nodes, sketch.links[head]
    if not _plain_sum(nodes[head]):
        return links
    found: list[Link] = []
    stack = links[::-1]
    while stack:
        link = stack.pop()
        k = link.tail
        if k is None:
            continue
        if k not in roots and len(users[k]) == 1 and not nodes[k].label and _plain_sum(nodes[k]):
            stack += sketch.links[k][::-1]
        else:
            found.append(Link(k, -1, 1, 1.0))
    return found


def _plain_sum(node: Value) -> bool:
    """Whether a node adds nodes alone, or to the 0 with which Python's `sum` begins."""
    return op_of(node) is add and all([isinstance(x, Value) or x == 0.0 for x in node.operands])


def _kinds(sketch: Sketch, terms: set[int], users: Users, head: int, slots: Sequence[Link]
           ) -> tuple[dict[object, list[int]], int]:
    """The terms that use shared leaves with a gradient, by how they are computed, in order; and how many
    nodes and links were looked at."""
    nodes, links = sketch.nodes, sketch.links
    below = _below(sketch, terms)
    # Whose each node is: the one term's through which alone the head depends on it.
    uses = {k: 0 for k in below}
    for link in slots:
        if link.tail is not None:
            uses[link.tail] = uses.get(link.tail, 0) + 1
    owner: dict[int, int] = {}
    for k in below:                             # (users before their operands)
        inner = [owner[user] for user in users[k] if user in owner]
        owners = {*inner, *([k] if k in terms else ())}
        complete = len(inner) + (uses[k] if k in terms else 0) >= len(users[k])
        owner[k] = owners.pop() if len(owners) == 1 and complete else _SHARED
    # How each is computed, as a number; of a shared node: by itself. 0 is a number or leaf of its own, but
    # not a weight: a leaf with a gradient that has a label, or stands beside results that are shared.
    inputs = all([not nodes[k].operands for k in below if owner[k] == _SHARED])
    numbers: dict[object, int] = {}
    kind: dict[int, int] = {}
    shares: set[int] = set()
    looked_at = len(below)
    for k in reversed(below):
        node, tails = nodes[k], links.tails(k)
        looked_at += len(tails)
        if node.requires_grad and (owner[k] == _SHARED or not tails and (node.label or not inputs)):
            kind[k] = numbers.setdefault(k, len(numbers) + 1)
            if owner[k] == _SHARED:
                shares.add(k)
        elif not tails:
            kind[k] = 0
        else:
            key = (node.op, *[0 if tail < 0 else kind[tail] for tail in tails])
            kind[k] = numbers.setdefault(key, len(numbers) + 1)
            if not shares.isdisjoint(tails):
                shares.add(k)
    kinds: dict[object, list[int]] = {}
    for k in dict.fromkeys(link.tail for link in slots):  # type: ignore[assignment]
        if k in terms and owner[k] == k and k in shares:
            kinds.setdefault(kind[k], []).append(k)
    return kinds, looked_at


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
