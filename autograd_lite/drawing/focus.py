"""The paths that carry the most gradient to one node."""
from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

from autograd_lite.drawing.sketch import Link, Sketch

MOST, SHARE = 30, 0.95                          # paths are shown until they carry so much, or are so many
_NOTHING, _NOT_FINITE = -1e12, 1e6              # the logarithms of 0, and of what is not finite
_END = -1                                       # uses all roots: a place above them


class _Step(NamedTuple):
    """The end of a path from the focus."""

    place: int
    before: _Step | None


class Paths:
    """The paths from the roots to a node, and what each carries: the product of the partials along it.

    >>> from autograd_lite import Value
    >>> x = Value(2.0); y = 3.0 * x + x * x * x; sketch = Sketch([y])
    >>> [round(math.exp(carried), 9) for carried, _ in Paths(sketch, 0).strongest()]
    [4.0, 4.0, 4.0, 3.0]
    """

    def __init__(self, sketch: Sketch, focus: int):
        self.sketch, self.focus = sketch, focus
        self.users: dict[int, list[tuple[int, float]]] = {focus: []}    # and the partials, as logarithms
        for k, links in sketch.links.items():
            if any(link.tail in self.users for link in links):
                partials = sketch.nodes[k].partials
                self.users[k] = []
                for link in links:
                    if link.tail in self.users:
                        p = partials[link.position] if link.partial is None else link.partial
                        self.users[link.tail].append((k, _logarithm(p)))
        for k in {*sketch.roots} & self.users.keys():
            self.users[k].append((_END, 0.0))
        # What the strongest path from a root to each node carries.
        self.best = {_END: 0.0}
        for k in reversed(self.users):
            ways = [self.best[user] + p for user, p in self.users[k] if user in self.best]
            if ways:
                self.best[k] = max(ways)

    def strongest(self) -> Iterator[tuple[float, list[int]]]:
        """What each path carries, as the logarithm of its size, and its places; the strongest first (A*).

        Of ways that lose as much against the strongest one (none, say: that is exact) the longest is gone on
        with, as there may be very many.
        """
        count = itertools.count()
        heap = [(0.0, -next(count), 0.0, _Step(self.focus, None))] if self.focus in self.best else []
        while heap:
            lost, _, carried, step = heapq.heappop(heap)
            if step.place == _END:
                places: list[int] = []
                at = step.before
                while at:
                    places.append(at.place)
                    at = at.before
                yield carried, places
                continue
            for user, p in self.users[step.place]:
                if user in self.best:
                    less = self.best[step.place] - (self.best[user] + p)
                    heapq.heappush(heap, (lost + less, -next(count),
                                          carried + p, _Step(user, step)))

    def total(self) -> float:
        """The sum of the sizes of what all paths carry, as a logarithm."""
        arrived = {_END: 0.0}
        for k in reversed(self.users):
            ways = [arrived[user] + p for user, p in self.users[k] if user in arrived]
            if ways:
                most = max(ways)
                arrived[k] = most + math.log(sum(math.exp(way - most) for way in ways))
        return arrived.get(self.focus, _NOTHING)


def focus_on(sketch: Sketch, focus: int, most: int, sample: bool) -> None:
    """Draw the strongest paths to a node (in a sample) alone; of operands beside them, how many there are."""
    paths = Paths(sketch, focus)
    kept: set[int] = {focus, *sketch.roots}
    carried: list[float] = []
    total = paths.total()
    for size, places in itertools.islice(paths.strongest(), MOST):
        if carried and len(kept.union(places)) > most:
            break
        kept.update(places)
        carried.append(size)
        if sum(math.exp(x - total) for x in carried) >= SHARE:
            break
    for k in kept:
        links = sketch.links[k]
        along = [link for link in links if link.tail is None or link.tail in kept and k != focus]
        others = sum(link.times for link in links) - sum(link.times for link in along)
        sketch.links[k] = along + [Link(None, -1, others)] * (others > 0)
    sketch.links.keep(kept)
    name = sketch.nodes[focus].label or sketch.nodes[focus].op or "the leaf"
    share = sum(math.exp(x - total) for x in carried)
    many = f"{len(carried) or 'no'} path{'s' * (len(carried) != 1)}"
    if not carried or not abs(total) < _NOT_FINITE / 2:
        told = f"{many} to {name}"
    elif share < 0.01:
        carry = "carry" if carried[1:] else "carries"
        told = f"the {many} to {name} that {carry} the most; all others together carry far more"
    else:
        told = (f"{many} to {name}: {math.floor(share * 1000 + 0.5) / 10:g} % of what all "
                f"{'of this sample ' * sample}carry, signs aside")
    sketch.notes.append(told)


def _logarithm(p: float) -> float:
    return _NOT_FINITE if not math.isfinite(p) else math.log(abs(p)) if p else _NOTHING
