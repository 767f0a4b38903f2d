"""`Evidence`: one wrong claim at several points, for those who ask what kind of mistake it is."""
from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from autograd_lite.diagnosis.view import DIRECT, PARTS, Array, View, Ways


def alike(some: Iterable[Array], others: Iterable[Array]) -> bool:
    """Whether arrays have the same shapes. (A batch may have other sizes at other points.)"""
    return [x.shape for x in some] == [x.shape for x in others]


class Evidence:
    """One claim at several points; vectors hold its wrong entries, one point after the other.

    Args:
        views: the claim at each point where it is wrong.

    Attributes:
        claimed, follows: vectors.
        gradients: for each point, by name, the gradients that the student has, and that do not depend on the
            claim: those claimed, and what arrives at other labelled arrays.
    """

    def __init__(self, views: Sequence[View]):
        self.view, *_ = self.views = views
        self.shape, self.output = self.view.claimed.shape, self.view.claim.output.name
        self._ways = list(map(Ways, views))
        self.claimed = self.chosen([view.claimed for view in views])
        self.follows = self.chosen([view.follows for view in views])
        names = [name for name in self.view.numbers if all(name in view.numbers for view in views)]
        self.numbers = {name: [view.numbers[name] for view in views] for name in names}
        gradients = [dict(ways.arrived()) | view.gradients for ways, view in zip(self._ways, views)]
        self.gradients = {name: [found[name] for found in gradients] for name in gradients[0]
                          if all(name in found for found in gradients)}
        first, *others = self._ways
        self._names = [name for name in first.names if all(name in ways.names for ways in others)]

    def chosen(self, arrays: Sequence[Array]) -> Array:
        """Arrays of the claim's shape, one for each point, at the wrong entries."""
        return np.concatenate([array[view.wrong] for view, array in zip(self.views, arrays)])

    def spread(self, arrays: Sequence[Array]) -> Array | None:
        """Arrays of any shape, one for each point, spread over the claim's shape as NumPy does, or by their
        first axes, at the wrong entries; None if they do not fit."""
        own = arrays[0].shape
        if any(array.shape != own for array in arrays):
            return None
        for fitting in (own, own + (1,) * (len(self.shape) - len(own))):
            try:
                if np.broadcast_shapes(fitting, self.shape) == self.shape:
                    return self.chosen([np.broadcast_to(a.reshape(fitting), self.shape) for a in arrays])
            except ValueError:
                pass
        return None

    def ways(self) -> Iterator[tuple[str, Array]]:
        """What comes by each labelled array on the way, where something does."""
        for name in self._names:
            vector = self.chosen([ways.by(name) for ways in self._ways])
            if np.any(vector):
                yield name, vector

    def own_ways(self) -> Iterator[tuple[str, Array]]:
        """What comes to each entry by the entry of a labelled array at the same index alone."""
        for name in self._names:
            arrays = [ways.own(name) for ways in self._ways] if name != DIRECT else [None]
            if all(array is not None for array in arrays):
                yield name, self.chosen(arrays)

    def parts(self) -> Iterator[tuple[str, Array]]:
        """What comes by each entry, or row, of the labelled arrays on the way, if they are few."""
        for name in self._names:
            n = min([x.shape[:1] for x in self.numbers[name]]) if name != DIRECT else ()
            for i in range(n[0]) if n and 1 < n[0] <= PARTS else ():
                part = f"{name}[{i}]"
                vector = self.chosen([ways.through(frozenset(view.places(part)))
                                      for view, ways in zip(self.views, self._ways)])
                if np.any(vector):
                    yield part, vector

    def unions(self) -> Iterator[tuple[tuple[str, str], Array]]:
        """What comes by two labelled arrays together."""
        for a, b in itertools.combinations([name for name in self._names if name != DIRECT][:PARTS], 2):
            yield (a, b), self.chosen([ways.through(ways.names[a] | ways.names[b]) for ways in self._ways])

    def led(self, names: Iterable[str]) -> Iterator[tuple[str, str, Array]]:
        """What would come by a labelled array on the way, if its gradient were another of its shape."""
        for way in names:
            for name, arrays in self.gradients.items() if way in self.view.nodes else ():
                if alike(arrays, self.numbers[way]):
                    found = []
                    for ways, view, gradient in zip(self._ways, self.views, arrays):
                        seeds = {k: float(g) for k, g in zip(view.places(way), gradient.flat)}
                        found.append(ways.through(frozenset(seeds), seeds))
                    yield way, name, self.chosen(found)

    def leading(self, name: str) -> list[tuple[Array, Array]] | None:
        """`Ways.leading` at each point; None where there is none."""
        if name not in self.view.nodes:
            return None
        found = [entry for ways in self._ways if (entry := ways.leading(name)) is not None]
        return found if len(found) == len(self.views) else None

    def arrived(self, leading: Sequence[tuple[Array, Array]], gradients: Sequence[Array]) -> Array:
        """What would come if these went on from an array."""
        return self.chosen([(matrix @ g.ravel()).reshape(self.shape)
                            for (_, matrix), g in zip(leading, gradients)])

    def otherwise(self, partials: Sequence[Mapping[int, Sequence[float | None]]]) -> list[Array]:
        """`Ways.otherwise` at each point."""
        return [ways.otherwise(found) for ways, found in zip(self._ways, partials)]

    def entries(self) -> Iterator[tuple[tuple[int, ...], Evidence]]:
        """Some of the entries that are wrong at every point, each by itself."""
        wrong = np.logical_and.reduce([view.wrong for view in self.views])
        for index in np.argwhere(wrong)[:3] if self.shape else ():
            alone = [copy.copy(view) for view in self.views]
            for view in alone:
                view.wrong = np.zeros_like(view.wrong)
                view.wrong[tuple(index)] = True
            yield tuple(map(int, index)), Evidence(alone)
