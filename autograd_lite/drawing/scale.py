"""The steps of a logarithmic scale of amounts, for their colours and the legend that explains these."""
from __future__ import annotations

import bisect
import math
from collections.abc import Iterable

MOST, DECADES = 5, 12               # so many steps; what is smaller by more decades is in the least


class Scale:
    """A few steps, at round numbers, in which the sizes of given amounts lie.

    Attributes:
        bounds: where the second and each further step begins.

    >>> scale = Scale([0.0, 0.004, -0.3, 2.0, math.nan])
    >>> scale.bounds, scale.step(0.004), scale.step(-0.3), scale.step(2.0)
    ([0.01, 0.1, 1.0], 0, 2, 3)
    """

    def __init__(self, amounts: Iterable[float]):
        sizes = [abs(x) for x in amounts if x != 0.0 and math.isfinite(x)]
        self.any = bool(sizes)
        self.bounds: list[float] = []
        if sizes:
            high = math.log10(max(sizes))
            low = max(math.log10(min(sizes)), high - DECADES)
            self.bounds = next(found for found in map(list, _candidates(low, high)) if len(found) < MOST)

    def __len__(self) -> int:
        return len(self.bounds) + 1 if self.any else 0

    def step(self, x: float) -> int:
        """The step that an amount, finite and not 0, belongs to, from 0."""
        return bisect.bisect_right(self.bounds, abs(x))


def _candidates(low: float, high: float) -> Iterable[Iterable[float]]:
    """The bounds within a range of logarithms: at 1, 1.5, 2, 3, 5, 7, 10, …, to those at each 3rd decade."""
    first = math.floor(low)
    decades = range(first, math.floor(high) + 1)
    for mantissas, each in [*[(few, 1) for few in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3))],
                            *[((1,), n) for n in (1, 2, 3)]]:
        numbers = [float(f"{m}e{k}") for k in decades if k % each == 0 for m in mantissas]
        yield [x for x in numbers if x and low < math.log10(x) <= high]
