"""In which order a derivation's outputs are judged, and what depends on what."""
from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence

Pair = tuple[int, int]                      # the places of an output and of an input


def ordered(below: Iterable[list[int]], claims: Sequence[Pair]) -> tuple[list[int] | None, set[Pair]]:
    """The places of a graph, each after those below it, and each output of a claim after its input; None if
    they stand so.

    The second result are the claims against the graph whose edges would lie on a circle; they are left out.

    >>> ordered([[], [0], []], [(1, 0)]), ordered([[], [0], []], [(1, 2)])
    ((None, set()), ([0, 2, 1], set()))
    >>> ordered([[], [0], []], [(0, 1), (1, 0)])
    (None, {(0, 1)})
    """
    if all([source <= output for output, source in claims]):
        return None, set()
    below = list(below)
    reversed = connected(below, [(source, output) for output, source in claims if source != output])
    circles = {(output, source) for source, output in reversed}             # each with the graph alone
    component = _components(_with(below, set(claims) - circles))
    among = {(output, source) for output, source in claims if component[output] == component[source]}
    circles |= among - connected(below, among)
    order = _postorder(_with(below, set(claims) - circles))
    return order if order != sorted(order) else None, circles


def _with(below: Sequence[list[int]], claims: Iterable[Pair]) -> list[list[int]]:
    """What lies right below each place, by the graph or by a claim."""
    more: list[list[int]] = [[] for _ in below]
    for output, source in sorted(claims):
        more[output].append(source)
    return [*map(operator.add, below, more)]


def connected(below: Sequence[Iterable[int | None]], pairs: Iterable[Pair]) -> set[Pair]:
    """Those of the pairs of places of which the first depends on the second.

    >>> connected([[], [0], [1], []], [(2, 0), (0, 2), (3, 0)])
    {(2, 0)}
    """
    pairs = set(pairs)
    bits = {k: 1 << i for i, k in enumerate({k for _, k in pairs})}
    masks: list[int] = []
    for k, operands in enumerate(below if pairs else ()):
        mask = bits.get(k, 0)
        for x in operands:
            if x is not None:
                mask |= masks[x]
        masks.append(mask)
    return {(k, x) for k, x in pairs if masks[k] & bits[x]}


def _postorder(down: Sequence[Sequence[int]]) -> list[int]:
    """All places, each after those below it that no circle puts above it."""
    order: list[int] = []
    seen = [False] * len(down)
    for root in range(len(down)):
        stack = [root]
        while stack:
            k = stack.pop()
            if k < 0:
                order.append(~k)
            elif not seen[k]:
                seen[k] = True
                stack.append(~k)
                stack += down[k]
    return order


def _components(down: Sequence[Sequence[int]]) -> list[int]:
    """For each place which circle it lies on: places on one have the same number (Kosaraju's way)."""
    up: list[list[int]] = [[] for _ in down]
    for k, below in enumerate(down):
        for x in below:
            up[x].append(k)
    component = [-1] * len(down)
    numbers = itertools.count()
    for root in reversed(_postorder(down)):
        stack, number = [root], next(numbers)
        while stack:
            k = stack.pop()
            if component[k] < 0:
                component[k] = number
                stack += up[k]
    return component
