"""`Tables`: a program as flat arrays, for one loop.

Its numbers lie in one memory: the inputs, constants, and then what each node gives, in the order in which
they are computed. That is by stages: within one, first come all sums of at most two products, as
``(a·b + c·d)·e``; then runs of equal kernels, which need only those and earlier stages. Longer sums of equal
length are computed eight side by side, where the factors of a term lie one after the other, or are one; what
does not lie so is copied together first, once for all that use it.
"""
from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from autograd_lite.native.forms import Forms
from autograd_lite.native.kernels import Kernel

LANES = 8
SUMS, GATHER, ALONE, SPREAD, SIDE_BY_SIDE = range(5)    # what a run does; larger: a kernel
FIRST_KERNEL = 5
_LEAST, _SHORT = 3, 4       # the fewest lanes of a block; those of neighbours that are kept together
_LONELY = 0.5               # the part of factors for which copying them together does not pay


class Tables:
    """The arrays of a program.

    Attributes:
        size: of the memory; inputs: how many numbers it begins with; constants: (places, numbers) beyond.
        table: places of the memory.
        runs: rows of (what, the place of the first node in the table, how many nodes, where their numbers go,
            how many places of the table a node has, or how many terms, how many numbers it gives).
        kernels: by what − FIRST_KERNEL.
        outputs: the places of the results.
        looks: places that must be finite, wherever their sides are not 0; holds: those that must be 1.
    """

    def __init__(self, forms: Forms):
        import numpy as np

        self.np, self.forms = np, forms
        self.kernels: list[Kernel] = []
        self._known: dict[Kernel, int] = {}
        recording = forms.plan.recording
        self.slots = np.full(forms.size, -1, np.int64)
        given = [*recording.inputs, *recording.captured]
        self.inputs = len(given)
        self.slots[given] = np.arange(self.inputs)
        self._staged()
        self._order()
        self._place()
        self._write()
        looks = np.array(forms.looks, np.int64).reshape(-1, 2)
        self.looks = self.slots[looks]
        self.holds = self.slots[np.array([(k, side) for k, side, _ in forms.holds]
                                         + [(k, forms.one) for k in forms.guards], np.int64).reshape(-1, 2)]
        self.outputs = self.slots[np.array(recording.outputs, np.int64)]

    # -- stages ------------------------------------------------------------------------------------

    def _staged(self) -> None:
        """For each node its stage, the least possible."""
        forms = self.forms
        ready = [0] * forms.size                # from which stage on it can be used
        sums, calls, entries, factors = forms.sums, forms.calls, forms.entries, forms.factors
        at = ready.__getitem__
        stages, widths, whats, refs = list[int](), list[int](), list[int](), list[Sequence[int]]()
        nodes = list[int]()
        one, less = forms.one, forms.less
        known, number = self._known, self._number
        for k in forms.order:
            pairs = sums[k]
            if pairs is not None:
                if k in factors:
                    pairs = [*pairs, factors[k]] if len(pairs) == 4 else [*pairs, less, one, factors[k]]
                    what = SUMS
                elif len(pairs) > 4:
                    what = -len(pairs)
                else:
                    what = SUMS
                    pairs = [*pairs, one] if len(pairs) == 4 else [*pairs, less, one, one]
                stage = max(map(at, pairs))
                ready[k] = stage if what == SUMS else stage + 1
                width = 1
            elif k in entries:
                ready[k] = ready[entries[k][0]]
                continue
            else:
                kernel, pairs = calls[k]
                what = known.get(kernel) or number(kernel)
                stage = max(map(at, pairs)) if pairs else 0
                ready[k] = stage + 1
                width = kernel.width
            nodes.append(k)
            stages.append(stage)
            whats.append(what)
            widths.append(width)
            refs.append(pairs)
        np = self.np
        self.nodes, self.stages, self.whats, self.widths = [
            np.array(x, np.int64) for x in (nodes, stages, whats, widths)]
        self.counts = np.fromiter(map(len, refs), np.int64, len(refs))
        self.starts = np.concatenate([[0], np.cumsum(self.counts)])[:-1]
        self.refs = np.fromiter(chain.from_iterable(refs), np.int64, int(self.counts.sum()))

    def _number(self, kernel: Kernel) -> int:
        self.kernels.append(kernel)
        self._known[kernel] = len(self.kernels) - 1 + FIRST_KERNEL
        return self._known[kernel]

    # -- order -------------------------------------------------------------------------------------

    def _order(self) -> None:
        """The runs: nodes sorted by stage and by what they do; of long sums blocks of lanes."""
        np = self.np
        whats = self.whats
        long = np.flatnonzero(whats < 0)
        rest = np.flatnonzero(whats >= 0)
        self.blocks = [self._blocks(long[whats[long] == -n], n // 2)
                       for n in np.unique(-whats[long]).tolist()]
        if self.blocks:
            _, which, counts = np.unique(np.concatenate([block.keys.ravel() for block in self.blocks]),
                                         return_inverse=True, return_counts=True)
            ends = np.cumsum([block.keys.size for block in self.blocks])
            for block, shared in zip(self.blocks, np.split(counts[which] > 1, ends[:-1])):
                block.settle(shared)
        # Items: (stage, what, terms, width, nodes or block)
        stages = [self.stages[rest], *[block.stages for block in self.blocks]]
        kinds = [whats[rest], *[block.whats for block in self.blocks]]
        terms = [np.zeros(len(rest), np.int64), *[np.full(len(b.stages), b.terms) for b in self.blocks]]
        widths = [self.widths[rest], *[b.widths for b in self.blocks]]
        self.item_stage, self.item_what, self.item_terms, self.item_width = map(
            np.concatenate, (stages, kinds, terms, widths))
        self.rest = rest
        order = np.lexsort((self.item_terms, self.item_what, self.item_stage))
        self.order = order

    def _blocks(self, nodes: Any, terms: int) -> Blocks:
        """Sums of so many products, each in a lane."""
        np = self.np
        nodes = nodes[np.argsort(self.stages[nodes], kind="stable")]
        stages = self.stages[nodes]
        operands = self.refs[self.starts[nodes][:, None] + np.arange(2 * terms)]    # (node, factor)
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
        return Blocks(np, nodes, stages, operands.reshape(-1, terms, 2), at, lengths)

    # -- places ------------------------------------------------------------------------------------

    def _place(self) -> None:
        """Give each node its place in the memory."""
        np, forms, slots = self.np, self.forms, self.slots
        code = forms.code
        used = [*np.unique(self.refs).tolist(), *forms.plan.recording.outputs, forms.one, forms.less]
        used += [x for places in forms.lists.values() for x in places] if forms.lists else []
        constants = [k for k in dict.fromkeys(used) if k >= len(code) and k <= forms.less
                     or k < len(code) and code.is_constant(k)]
        special = {forms.one: 1.0, forms.minus: -1.0, forms.less: -0.0}
        self.constants = np.array([special[k] if k in special else code.data[k] for k in constants])
        slots[constants] = self.inputs + np.arange(len(constants))
        first = self.inputs + len(constants)
        widths = self.item_width[self.order]
        ends = first + np.cumsum(widths)
        self.item_to = np.empty(len(widths), np.int64)
        self.item_to[self.order] = ends - widths
        n = len(self.rest)
        slots[self.nodes[self.rest]] = self.item_to[:n]
        for block in self.blocks:
            block.to = self.item_to[n:n + len(block.stages)]
            n += len(block.stages)
            slots[self.nodes[block.nodes]] = block.to[block.of] + block.lane
        for k, (whole, i) in forms.entries.items():
            slots[k] = slots[whole] + i
        slots[slots < 0] = slots[forms.one]         # (what nobody needs, though a rule names it)
        self.size = int(ends[-1]) if len(ends) else first

    # -- tables ------------------------------------------------------------------------------------

    def _write(self) -> None:
        """The table of places, and the runs."""
        np, order, n = self.np, self.order, len(self.rest)
        copies = Copies(np, self.size)
        for block in self.blocks:
            block.write(self.slots, copies)
        copies.close()
        lengths = np.concatenate([self.counts[self.rest], *[block.lengths for block in self.blocks]])
        begins = np.empty(len(order), np.int64)
        begins[order] = np.cumsum(lengths[order]) - lengths[order]
        table = np.empty(int(lengths.sum()), np.int64)
        fill(np, table, begins[:n], self.slots[self.refs], self.starts[self.rest], lengths[:n])
        for block in self.blocks:
            m = len(block.stages)
            fill(np, table, begins[n:n + m], copies.found(block.flat), block.flat_starts, block.lengths)
            n += m
        keys = np.stack([self.item_stage[order], self.item_what[order], self.item_terms[order]])
        change = np.ones(len(order), bool)
        change[1:] = (keys[:, 1:] != keys[:, :-1]).any(0)
        first = np.flatnonzero(change)
        items = order[first]
        what = self.item_what[items]
        count = np.diff(np.append(first, len(order)))
        width = self.item_width[items]
        alone = what == ALONE
        if alone.any():                             # (each of its lanes is one)
            count[alone] = np.add.reduceat(self.item_width[order], first)[alone]
            width[alone] = 1
        arity = np.where((what > GATHER) & (what < FIRST_KERNEL), self.item_terms[items], lengths[items])
        runs = np.stack([what, begins[items], count, self.item_to[items], arity, width], 1)
        stages = self.item_stage[items]
        if len(copies.runs):
            copies.runs[:, 1] += len(table)
            runs, stages = np.concatenate([runs, copies.runs]), np.append(stages, copies.run_stages)
        self.runs = runs[np.lexsort((runs[:, 0], stages))]
        self.table = np.concatenate([table, copies.table]).astype(np.int32)
        self.size = copies.size + LANES


def fill(np: Any, table: Any, to: Any, source: Any, starts: Any, lengths: Any) -> None:
    """table[to[i] + j] = source[starts[i] + j] for each i and j < lengths[i]."""
    total = int(lengths.sum())
    within = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    table[np.repeat(to, lengths) + within] = source[np.repeat(starts, lengths) + within]


class Blocks:
    """Sums of equally many products, side by side in lanes.

    Attributes:
        nodes: the sums; of, lane: the block and lane of each.
        stages, whats, widths: of each block; lengths: of its part of the table.
    """

    to: Any

    def __init__(self, np: Any, nodes: Any, stages: Any, operands: Any, at: Any, lengths: Any):
        self.np, self.nodes, self.terms = np, nodes, operands.shape[1]
        starts = at % LANES == 0
        self.of, self.lane = np.cumsum(starts) - 1, at % LANES
        first = np.flatnonzero(starts)
        self.stages = stages[first]
        self.used = np.diff(np.append(first, len(nodes)))
        lanes = np.minimum(np.arange(LANES), self.used[:, None] - 1)
        self.a, self.b = [operands[first[:, None] + lanes, :, i].transpose(0, 2, 1) for i in (0, 1)]
        same_a, same_b = [(x == x[:, :, :1]).all(2) for x in (self.a, self.b)]
        turned = (same_a & ~same_b)[:, :, None]
        self.a, self.b = np.where(turned, self.b, self.a), np.where(turned, self.a, self.b)
        self.spread = (same_a | same_b).all(1)
        # Factors lie together if they are one, or made one after the other; others are copied together.
        apart = np.arange(1, LANES) < self.used[:, None, None]
        self.together = np.stack([(((x[:, :, 1:] - x[:, :, :-1]) == x[:, :, 1:2] - x[:, :, :1]) | ~apart).all(2)
                                  for x in (self.a, self.b)])
        mix = np.random.default_rng(1).integers(1, 1 << 62, LANES)
        self.keys = np.stack([x @ mix for x in (self.a, self.b)])           # (which wraps)

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
        together = np.arange(LANES)
        lanes = together < self.used[:, None]
        alone = self.whats == ALONE
        found = []
        for x, spread in ((a, False), (b, True)):
            start = x[:, :, 0].copy()
            runs = (x - start[:, :, None] == together) | ~lanes[:, None, :]
            copied = ~runs.all(2) & ~alone[:, None]
            if spread:
                copied &= (self.whats != SPREAD)[:, None]
            block, term = np.nonzero(copied)
            start[copied] = copies.add(x[copied], self.stages[block])
            found.append(start)
        together_table = np.stack(found, 2).reshape(len(self.stages), -1)       # (a, b) by terms
        parts = [together_table.ravel()]
        self.flat_starts = np.arange(len(self.stages)) * 2 * self.terms
        if alone.any():
            rows = np.flatnonzero(alone)
            pairs = np.stack([a[rows], b[rows]], 3).transpose(0, 2, 1, 3)       # (block, lane, term, factor)
            begin = parts[0].size
            parts.append(pairs.ravel())
            self.flat_starts[rows] = begin + np.arange(len(rows)) * LANES * 2 * self.terms
        self.flat = np.concatenate(parts)


class Copies:
    """What is copied together: eight places each, once for all that use it.

    Attributes:
        table: the places that are copied; runs, run_stages: of them; size: of the memory.
    """

    def __init__(self, np: Any, size: int):
        self.np, self.size = np, size
        self.table = np.zeros(0, np.int64)
        self.runs = np.zeros((0, 6), np.int64)
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
        mixed = tuples[order] @ np.random.default_rng(1).integers(1, 1 << 62, LANES)    # (which wraps)
        _, first, which = np.unique(mixed, return_index=True, return_inverse=True)
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
