"""Many things tested together: all at once, and by halves where that fails."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from random import Random

FEW = 3                         # so many are looked at one by one


def by_halves(group: Iterable[int], passes: Callable[[Sequence[int]], bool]) -> list[int]:
    """Those of a group that are left to be looked at one by one.

    A group that passes as a whole is done with; another is halved, down to a few.

    >>> tests = []
    >>> by_halves(range(1000), lambda group: tests.append(group) or 700 not in group)
    [698, 699, 700, 701]
    >>> len(tests)
    17
    """
    left: list[int] = []
    groups = [list(group)]
    while groups:
        group = groups.pop()
        if len(group) <= FEW:
            left += group
        elif not passes(group):
            half = len(group) // 2
            groups += [group[half:], group[:half]]
    return left


def directions(scales: Mapping[int, float]) -> Iterator[dict[int, float]]:
    """Four directions of no pattern: a step of some size and sign for each member.

    What would cancel in one direction does not in the others.
    """
    random = Random(len(scales))
    for _ in range(4):
        yield {i: random.choice((-1.0, 1.0)) * random.uniform(1.0, 4.0) * scale
               for i, scale in scales.items()}
