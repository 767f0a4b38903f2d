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

from autograd_lite.native.blocks import ALONE, FIRST_KERNEL, LANES, SUMS, Copies, blocks_of, fill, settle
from autograd_lite.native.forms import Forms
from autograd_lite.native.kernels import Kernel


class Order:
    """The nodes of a program in the order in which they are computed.

    Attributes:
        nodes: their places in `forms`; stages, whats, widths: of each, with what it is (minus the number of
            factors for a long sum) and how many numbers it gives.
        refs: the places of all operands; starts, counts: where those of each node stand.
        blocks: of the long sums; rest: the other nodes, as places in these arrays.
        items: the other nodes and then the blocks, an array (stage, what, terms, width); order: of them.
        kernels: by what − FIRST_KERNEL.
    """

    def __init__(self, forms: Forms):
        import numpy

        self.np, self.forms = numpy, forms
        self.kernels: list[Kernel] = []
        self._known: dict[Kernel, int] = {}
        self._stage()
        self._sort()

    def _stage(self) -> None:
        """For each node its stage, the least possible."""
        np, forms = self.np, self.forms
        ready: list[int] = np.zeros(forms.size, np.int64).tolist()      # from which stage on it can be used
        sums, calls, entries, factors = forms.sums, forms.calls, forms.entries, forms.factors
        at = ready.__getitem__
        stages, widths, whats, refs = list[int](), list[int](), list[int](), list[Sequence[int]]()
        nodes = list[int]()
        one, less = forms.one, forms.less
        known, number = self._known, self._number
        for k in forms.order:
            pairs: Sequence[int] | None = sums[k]
            if pairs is not None:
                if len(pairs) < 6:
                    rest = (less, one) if len(pairs) == 2 else ()
                    pairs = [*pairs, *rest, factors.get(k, one)]
                what = SUMS if len(pairs) == 5 else -len(pairs)
                stage = max(map(at, pairs))
                ready[k] = stage if what == SUMS else stage + 1
                width = 1
            elif k in entries:
                ready[k] = ready[entries[k][0]]
                continue
            else:
                kernel, pairs = calls[k]
                what = known.get(kernel) or number(kernel)
                stage = max(map(at, pairs))
                ready[k] = stage + 1
                width = kernel.width
            nodes.append(k)
            stages.append(stage)
            whats.append(what)
            widths.append(width)
            refs.append(pairs)
        self.nodes, self.stages, self.whats, self.widths = [
            np.array(x, np.int64) for x in (nodes, stages, whats, widths)]
        self.counts = np.fromiter(map(len, refs), np.int64, len(refs))
        self.starts = np.concatenate([[0], np.cumsum(self.counts)])[:-1]
        self.refs = np.fromiter(chain.from_iterable(refs), np.int64, int(self.counts.sum()))

    def _number(self, kernel: Kernel) -> int:
        self.kernels.append(kernel)
        self._known[kernel] = len(self.kernels) - 1 + FIRST_KERNEL
        return self._known[kernel]

    def _sort(self) -> None:
        """Sort them by stage and by what they do."""
        np = self.np
        whats = self.whats
        long = np.flatnonzero(whats < 0)
        rest = np.flatnonzero(whats >= 0)
        self.blocks = [blocks_of(self, long[whats[long] == -n], n) for n in np.unique(-whats[long]).tolist()]
        settle(self.blocks)
        self.rest = rest
        self.items = np.concatenate([
            np.stack([self.stages[rest], whats[rest], np.zeros_like(rest), self.widths[rest]]),
            *[np.stack([b.stages, b.whats, np.full_like(b.stages, b.terms), b.widths]) for b in self.blocks]],
            1)
        # (Kernels in the order of their first operands, so that memory is read in order.)
        key = np.zeros(self.items.shape[1], np.int64)
        kernels = whats[rest] >= FIRST_KERNEL
        key[:len(rest)][kernels] = self.refs[self.starts[rest[kernels]]]
        self.order = np.lexsort((key, *self.items[2::-1]))


class Tables(Order):
    """The arrays of a program.

    Attributes:
        size: of the memory; inputs: how many numbers it begins with; constants: those that follow.
        slots: where the memory has each place of `forms`.
        table: places of the memory.
        runs: rows of (what, the place of the first node in the table, how many nodes, where their numbers go,
            how many places of the table a node has, or how many terms, how many numbers it gives).
        outputs: the places of the results.
    """

    def __init__(self, forms: Forms):
        super().__init__(forms)
        np, recording = self.np, forms.plan.recording
        self.slots = np.full(forms.size, -1, np.int64)
        given = [*recording.inputs, *recording.captured]
        self.inputs = len(given)
        self.slots[given] = np.arange(self.inputs)
        self._place()
        self._write()
        self.outputs = self.slots[np.array(recording.outputs, np.int64)]

    def _place(self) -> None:
        """Give each node its place in the memory."""
        np, forms, slots = self.np, self.forms, self.slots
        code = forms.code
        used = [*np.unique(self.refs).tolist(), *forms.plan.recording.outputs, forms.one, forms.less]
        special = {forms.one: 1.0, forms.minus: -1.0, forms.less: -0.0}
        constants = [k for k in dict.fromkeys(used)
                     if (code.is_constant(k) if k < len(code) else k in special)]
        self.constants = np.array([special[k] if k in special else code.data[k] for k in constants])
        slots[constants] = self.inputs + np.arange(len(constants))
        first = self.inputs + len(constants)
        widths = self.items[3, self.order]
        ends = first + np.cumsum(widths)
        self.to = np.empty_like(widths)             # where the numbers of each item go
        self.to[self.order] = ends - widths
        n = len(self.rest)
        slots[self.nodes[self.rest]] = self.to[:n]
        for block in self.blocks:
            slots[self.nodes[block.nodes]] = self.to[n + block.of] + block.lane
            n += len(block.stages)
        for k, (whole, i) in forms.entries.items():
            slots[k] = slots[whole] + i
        slots[slots < 0] = slots[forms.one]         # (what nobody needs, though a rule names it)
        self.size = first + int(widths.sum())

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
        stages, runs = self._runs(begins, lengths)
        if len(copies.runs):
            copies.runs[:, 1] += len(table)
            runs, stages = np.concatenate([runs, copies.runs]), np.append(stages, copies.run_stages)
        self.runs = runs[np.lexsort((runs[:, 0], stages))]
        self.table = np.concatenate([table, copies.table]).astype(np.int32)
        self.size = copies.size + LANES

    def _runs(self, begins: Any, lengths: Any) -> tuple[Any, Any]:
        """The runs of items, and their stages; the items' parts of the table begin there and are as long."""
        np, order = self.np, self.order
        keys = self.items[:3, order]
        change = np.ones(len(order), bool)
        change[1:] = (keys[:, 1:] != keys[:, :-1]).any(0)
        first = np.flatnonzero(change)
        items = order[first]
        stages, what, terms, width = self.items[:, items]
        count = np.diff(np.append(first, len(order)))
        alone = what == ALONE
        if alone.any():                             # (each of its lanes is one)
            count[alone] = np.add.reduceat(self.items[3, order], first)[alone]
            width[alone] = 1
        arity = np.where(terms, terms, lengths[items])
        return stages, np.stack([what, begins[items], count, self.to[items], arity, width], 1)
