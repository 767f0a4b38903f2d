"""In which order a derivation's outputs are judged, and what depends on what."""
from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence

Pair = tuple[int, int]                      # the places of an output and of an input


def ordered(below: Sequence[list[int]], claims: Sequence[Pair]) -> tuple[list[int], set[Pair]]:
    """The places of a graph, each after those below it, and each output of a claim after its input.

    The second result are the claims against the graph whose edges would lie on a circle; they are left out.

    >>> ordered([[], [0], []], [(1, 0)]), ordered([[], [0], []], [(1, 2)])
    (([0, 1, 2], set()), ([0, 2, 1], set()))
    >>> ordered([[], [0], []], [(0, 1), (1, 0)])
    ([0, 1, 2], {(0, 1)})
    """
    if all([source <= output for output, source in claims]):
        return list(range(len(below))), set()
    more: list[list[int]] = [[] for _ in below]
    for output, source in claims:
        more[output].append(source)
    component = _components([*map(operator.add, below, more)])
    circles = {(output, source) for output, source in claims if component[output] == component[source]}
    circles -= connected(below, circles)
    for output, source in circles:
        more[output].remove(source)
    return _postorder([*map(operator.add, below, more)]), circles


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
