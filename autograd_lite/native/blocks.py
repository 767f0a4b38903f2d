"""`Blocks`: long sums of products, eight side by side.

The factors of a term are read together where they lie one after the other, or are one; others are copied
together first, once for all that use them so. Where most of them would be copied for one sum alone, the sums
are computed one by one.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LANES = 8
SUMS, GATHER, ALONE, SPREAD, SIDE_BY_SIDE, FIRST_KERNEL = range(6)      # what a run does; larger: a kernel
_LEAST, _SHORT = 3, 4       # the fewest lanes of a block; those of neighbours that are kept together
_LONELY = 0.5               # the part of factors for which copying them together does not pay


def fill(np: Any, table: Any, to: Any, source: Any, starts: Any, lengths: Any) -> None:
    """table[to[i] + j] = source[starts[i] + j] for each i and j < lengths[i]."""
    total = int(lengths.sum())
    within = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    table[np.repeat(to, lengths) + within] = source[np.repeat(starts, lengths) + within]


def mixed(np: Any, tuples: Any) -> Any:
    """A number for each tuple, which others hardly ever have."""
    return tuples @ np.random.default_rng(LANES).integers(np.iinfo(np.int64).max, size=tuples.shape[-1])


class Blocks:
    """Sums of equally many products, side by side in lanes.

    Attributes:
        nodes: the sums; of, lane: the block and lane of each.
        stages, whats, widths: of each block; lengths: of its part of the table.
    """

    def __init__(self, np: Any, nodes: Any, stages: Any, operands: Any, at: Any):
        self.np, self.nodes, self.terms = np, nodes, operands.shape[1]
        starts = at % LANES == 0
        self.of, self.lane = np.cumsum(starts) - 1, at % LANES
        first = np.flatnonzero(starts)
        self.stages = stages[first]
        self.used = np.diff(np.append(first, len(nodes)))
        widest = int(self.used.max())
        self.lanes = np.arange(LANES if widest >= _LEAST else widest)
        lanes = np.minimum(self.lanes, self.used[:, None] - 1)
        self.a, self.b = [operands[first[:, None] + lanes, :, i].transpose(0, 2, 1) for i in (0, 1)]
        same_a, same_b = [(x == x[:, :, :1]).all(2) for x in (self.a, self.b)]
        turned = (same_a & ~same_b)[:, :, None]
        self.a, self.b = np.where(turned, self.b, self.a), np.where(turned, self.a, self.b)
        self.spread = (same_a | same_b).all(1)
        # Factors lie together if they are one, or made one after the other; others are copied together.
        apart = self.lanes[1:] < self.used[:, None, None]
        steps = [np.diff(x) for x in (self.a, self.b)]
        self.together = np.stack([((step == step[:, :, :1]) | ~apart).all(2) for step in steps])
        self.keys = np.stack([mixed(np, x) for x in (self.a, self.b)])

    def settle(self, shared: Any) -> None:
        """Choose what each block does, where it is known which factors others have, too, in their lanes."""
        np = self.np
        own = ~(self.together | shared.reshape(self.together.shape))
        alone = (self.used < _LEAST) | (own.mean((0, 2)) > _LONELY)
        self.whats = np.where(alone, ALONE, np.where(self.spread, SPREAD, SIDE_BY_SIDE))
        # (one that is alone is as many of its own lanes)
        self.widths = np.where(alone, self.used, LANES)
        self.lengths = np.where(alone, self.used, 1) * 2 * self.terms

    def write(self, slots: Any, copies: Copies) -> None:
        """The table: for each term of each block the places of the factors in its first lane."""
        np = self.np
        a, b = slots[self.a], slots[self.b]
        lanes = self.lanes < self.used[:, None]
        alone = self.whats == ALONE
        found = []
        for x, spread in ((a, False), (b, True)):
            start = x[:, :, 0].copy()
            runs = (x - start[:, :, None] == self.lanes) | ~lanes[:, None, :]
            copied = ~runs.all(2) & ~alone[:, None]
            if spread:
                copied &= (self.whats != SPREAD)[:, None]
            if copied.any():
                start[copied] = copies.add(x[copied], self.stages[np.nonzero(copied)[0]])
            found.append(start)
        parts = [np.stack(found, 2).ravel()]                                    # (a, b) by terms
        self.flat_starts = np.arange(len(self.stages)) * 2 * self.terms
        if alone.any():
            rows = np.flatnonzero(alone)
            pairs = np.stack([a[rows], b[rows]], 3).transpose(0, 2, 1, 3)       # (block, lane, term, factor)
            begin = parts[0].size
            parts.append(pairs.ravel())
            self.flat_starts[rows] = begin + np.arange(len(rows)) * len(self.lanes) * 2 * self.terms
        self.flat = np.concatenate(parts)


def blocks_of(tables: Any, nodes: Any, factors: int) -> Blocks:
    """Sums of products of so many factors, each in a lane."""
    np = tables.np
    nodes = nodes[np.argsort(tables.stages[nodes], kind="stable")]
    stages = tables.stages[nodes]
    operands = tables.refs[tables.starts[nodes][:, None] + np.arange(factors)]      # (node, factor)
    probe = operands[:, 2:4]
    new = np.ones(len(nodes), bool)
    new[1:] = stages[1:] != stages[:-1]
    alike = np.zeros(len(nodes), bool)
    alike[1:] = ~new[1:] & (probe[1:] == probe[:-1]).any(1)
    first = np.flatnonzero(~alike)
    lengths = np.diff(np.append(first, len(nodes)))
    small = np.repeat(lengths < _SHORT, lengths)
    starts = ~alike
    starts[1:] &= new[1:] | ~(small[1:] & small[:-1])
    first = np.flatnonzero(starts)
    lengths = np.diff(np.append(first, len(nodes)))
    at = np.arange(len(nodes)) - np.repeat(first, lengths)
    # (Those whose factors stand in falling order are taken the other way round.)
    last = first + np.minimum(1, lengths - 1)
    falling = np.repeat((probe[last] - probe[first]).sum(1) < 0, lengths)
    turned = np.repeat(first, lengths) + np.where(falling, np.repeat(lengths, lengths) - 1 - at, at)
    return Blocks(np, nodes[turned], stages, operands[turned].reshape(len(nodes), -1, 2), at)


def settle(blocks: Sequence[Blocks]) -> None:
    """Choose what each block does."""
    if blocks:
        np = blocks[0].np
        _, which, counts = np.unique(np.concatenate([block.keys.ravel() for block in blocks]),
                                     return_inverse=True, return_counts=True)
        ends = np.cumsum([block.keys.size for block in blocks])
        for block, shared in zip(blocks, np.split(counts[which] > 1, ends[:-1])):
            block.settle(shared)


class Copies:
    """What is copied together: eight places each, once for all that use it.

    Attributes:
        table: the places that are copied; runs, run_stages: of them; size: of the memory.
    """

    def __init__(self, np: Any, size: int):
        self.np, self.size = np, size
        self.table = np.array([], np.int64)
        self.runs: Any = ()
        self._tuples: list[Any] = []
        self._stages: list[Any] = []
        self._count = 0

    def add(self, tuples: Any, stages: Any) -> Any:
        """What stands for the places of copies of these until they have some: negative numbers."""
        self._tuples.append(tuples)
        self._stages.append(stages)
        self._count += len(tuples)
        return -1 - self.np.arange(self._count - len(tuples), self._count)

    def close(self) -> None:
        """Give them places: those that are used first lie first."""
        np = self.np
        if not self._count:
            return
        tuples, stages = np.concatenate(self._tuples), np.concatenate(self._stages)
        order = np.argsort(stages, kind="stable")
        _, first, which = np.unique(mixed(np, tuples[order]), return_index=True, return_inverse=True)
        if (tuples[order][first][which] != tuples[order]).any():
            _, first, which = np.unique(tuples[order], axis=0, return_index=True, return_inverse=True)
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        place = np.empty(len(order), np.int64)
        place[order] = rank[which]
        first = order[np.sort(first)]               # of each copy, the one that uses it first
        self.table = tuples[first].ravel()
        self._places = self.size + LANES * place
        run_stages, counts = np.unique(stages[first], return_counts=True)
        begins = LANES * (np.cumsum(counts) - counts)
        ones = np.ones_like(begins)
        self.runs = np.stack([GATHER * ones, begins, LANES * counts, self.size + begins, ones, ones], 1)
        self.run_stages = run_stages
        self.size += LANES * len(first)

    def found(self, places: Any) -> Any:
        """Places, with those of copies for what stood for them."""
        stands = places < 0
        if stands.any():
            places = places.copy()
            places[stands] = self._places[-1 - places[stands]]
        return places
