"""`Forms`: of a program's plan the few kinds of nodes that a loop over tables can run.

A sum of products, whose parts nobody else uses, is one node; anything else is a kernel at some operands. What
guards ask, what rules check and which side of a choice is taken are nodes, too: 1.0 where it holds.
"""
from __future__ import annotations

from collections.abc import Sequence

from autograd_lite.native.kernels import (ITEM_KERNEL, Kernel, added, checking, copied, guarding, kernel_of,
                                          shares, siding)
from autograd_lite.ops.elementary import add, identity, mul, neg, sub
from autograd_lite.ops.sequences import dot_op, sum_op
from autograd_lite.programs.code import ADDED, CONSTANT, INDEX, INPUT, ITEM, PRODUCTS, ROWS, SHARES
from autograd_lite.programs.layout import Plan, Side

(_MUL, _ADD, _SUB, _NEG, _PRODUCTS, _SUM, _DOT, _NONE, _SAME, _ROWS, _ITEM, _ADDED, _SHARES) = range(1, 14)
_KINDS = {mul: _MUL, add: _ADD, sub: _SUB, neg: _NEG, PRODUCTS: _PRODUCTS, sum_op: _SUM, dot_op: _DOT,
          CONSTANT: _NONE, INPUT: _NONE, identity: _SAME, INDEX: _SAME, ROWS: _ROWS, ITEM: _ITEM,
          ADDED: _ADDED, SHARES: _SHARES}


class Sums:
    """Nodes, by places of the code and further ones.

    Attributes:
        one, minus, less: the places of 1, −1 and −0 (which changes nothing that it is added to).
        sums: the factors of sums of products, two by two; factors: what such a sum is multiplied by.
        calls: kernels, and the places of their operands.
        order: the places of both, each after those it uses.
        entries: places that are another's, or of an entry of its list: (place, i).
        lists: the places of the entries of lists of operands.
        size: how many places there are.
    """

    def __init__(self, plan: Plan):
        self.plan, self.code = plan, plan.code
        n = len(plan.code)
        self.one, self.minus, self.less, self.size = n, n + 1, n + 2, n + 3
        self.sums: list[list[int] | None] = [None] * n
        self.factors: dict[int, int] = {}
        self.calls: dict[int, tuple[Kernel, Sequence[int]]] = {}
        self.entries: dict[int, tuple[int, int]] = {}
        self.lists: dict[int, tuple[int, ...]] = {}
        self.order: list[int] = []
        self.single = self._single()

    def _single(self) -> bytearray:
        """For each place whether one other uses it, once, and nobody else looks at it."""
        found, unsure = bytearray(self.size), self.plan.unsure
        for k, n in self.plan.uses.items():
            found[k] = n == 1 and k not in unsure
        return found

    def add(self, k: int, pairs: Sequence[int]) -> None:
        """A sum of products, in which what nobody else uses is written out."""
        sums, single, one, code = self.sums, self.single, self.one, self.code
        found: list[int] = []
        for a, b in zip(pairs[::2], pairs[1::2]):
            if b != one and code.is_constant(a, 1.0):
                a, b = b, a
            if (b == one or code.is_constant(b, 1.0)) and single[a] and (inner := sums[a]) and (
                    len(inner) == 2 or not found):
                sums[a] = None
                if found:
                    found += inner
                else:
                    found = inner
            else:
                found.append(a)
                found.append(b)
        sums[k] = found

    def multiply(self) -> None:
        """Let a product of a short sum be a sum with a factor."""
        sums, single, factors = self.sums, self.single, self.factors
        for k in self.plan.needed:
            pair = sums[k]
            if pair and len(pair) == 2:
                for x, z in (pair, pair[::-1]):
                    if single[x] and (inner := sums[x]) and len(inner) < 6 and x not in factors:
                        sums[k], sums[x], factors[k] = inner, None, z
                        break

    def call(self, kernel: Kernel, operands: Sequence[int]) -> int:
        """Another node, of a kernel."""
        k, self.size = self.size, self.size + 1
        self.calls[k] = kernel, operands
        self.order.append(k)
        return k


class Lists(Sums):
    """The same with lists and their entries."""

    def __init__(self, plan: Plan):
        super().__init__(plan)
        recording = plan.recording
        self._given = {k: i for i, k in enumerate((*recording.inputs, *recording.captured))}
        self._known: dict[int, tuple[int, int, int]] = {}

    def item(self, k: int, whole: int, index: int) -> None:
        """An entry of a list."""
        code, rows = self.code, self.lists.get(whole)
        n = len(rows) if rows else self.calls[whole][0].width
        if not rows and code.ops[index] is CONSTANT:
            self.entries[k] = whole, int(code.data[index]) % n
        else:
            self.calls[k] = ITEM_KERNEL, (index, *self._ends(whole, rows, n))

    def _ends(self, whole: int, rows: Sequence[int] | None, n: int) -> tuple[int, int, int]:
        """The places of the first, second and last entry of a list that lie at equal distances."""
        found = self._known.get(whole)
        if found is None:
            if rows and self._even(rows):
                found = rows[0], rows[min(1, n - 1)], rows[-1]
            else:
                together = self.call(copied(n), rows) if rows else whole
                first, second, last = found = self.size, self.size + 1, self.size + 2
                self.size += 3
                self.entries.update({first: (together, 0), second: (together, min(1, n - 1)),
                                     last: (together, n - 1)})
                self.order += found
            self._known[whole] = found
        return found

    def _even(self, rows: Sequence[int]) -> bool:
        """Whether places are those of inputs at equal distances."""
        at = [self._given.get(x) for x in rows]
        if None in at:
            return False
        step = at[min(1, len(at) - 1)] - at[0]  # type: ignore[operator]
        return at == [at[0] + i * step for i in range(len(at))] and (step > 0 or len(at) == 1)  # type: ignore


class Forms(Lists):
    """All of them.

    Attributes:
        looks: places that must be finite, and where (see `side`).
        holds: places that must be 1.0, where, and after what; guards: such places for the guards.
    """

    def __init__(self, plan: Plan):
        super().__init__(plan)
        self._nodes()
        self.multiply()
        sums, calls, entries = self.sums, self.calls, self.entries
        self.order = [k for k in self.order if k in calls or k in entries or sums[k] is not None]
        self._sides: dict[int, int] = {}
        self._conditions()
        sums += [None] * (self.size - len(sums))

    def _nodes(self) -> None:
        """Write each place as a node, with what it alone uses."""
        ops, all_operands, sums, single = self.code.ops, self.code.operands, self.sums, self.single
        one, minus = self.one, self.minus
        order, kinds = self.order, _KINDS
        for k in self.plan.needed:
            kind = kinds.get(ops[k])
            xs = all_operands[k]
            if kind == _MUL:
                sums[k] = [*xs]
            elif kind == _ADD:
                a, b = xs
                first = sums[a] if single[a] else None
                then = sums[b] if single[b] else None
                if then and len(then) != 2 and (not first or len(first) == 2):
                    a, b, first, then = b, a, then, first
                if first:
                    sums[a] = None
                else:
                    first = [a, one]
                if then and len(then) == 2:
                    sums[b] = None
                    first += then
                else:
                    first.append(b)
                    first.append(one)
                sums[k] = first
            elif kind == _SUB:
                a, b = xs
                first = sums[a] if single[a] else None
                if first:
                    sums[a] = None
                    sums[k] = first
                    first.append(b)
                    first.append(minus)
                else:
                    sums[k] = [a, one, b, minus]
            elif kind == _NEG:
                sums[k] = [xs[0], minus]
            elif kind is None:
                self.calls[k] = kernel_of(ops[k], self._options(k) or (None,) * len(xs)), xs
            elif kind != _NONE:
                self._other(k, kind, xs)
            order.append(k)

    def _options(self, k: int) -> tuple[float | None, ...]:
        """The operands of an op with options, those that are plain numbers; empty for others."""
        code, options = self.code, getattr(self.code.ops[k], "options", ())
        return tuple([code.data[x] if i in options and code.is_constant(x) else None
                      for i, x in enumerate(code.operands[k])]) if options else ()

    def _other(self, k: int, kind: int, xs: tuple[int, ...]) -> None:
        code = self.code
        if kind == _PRODUCTS:
            self.add(k, xs)
        elif kind == _SUM:
            self.add(k, [x for operand in xs for x in (operand, self.one)])
        elif kind == _DOT:
            n = len(xs) // 2
            self.add(k, [*[x for i in range(n) for x in (xs[i], xs[n + i])],
                         *[x for operand in xs[2 * n:] for x in (operand, self.one)]])
        elif kind == _SAME:
            self.entries[k] = xs[0], 0
        elif kind == _ROWS:
            self.lists[k] = xs
        elif kind == _ADDED:
            size, *terms = xs
            self.calls[k] = added(int(code.data[size]), terms), terms
        elif kind == _SHARES:
            self.calls[k] = shares(len(xs)), xs
        else:
            self.item(k, *xs)

    def side(self, side: Side | None) -> int:
        """The place of 1.0 where a side of choices is taken."""
        if side is None:
            return self.one
        k = self._sides.get(id(side))
        if k is None:
            outer = self.side(side.outer)
            k = self._sides[id(side)] = self.call(siding(side.answer), (outer, side.condition))
        return k

    def _conditions(self) -> None:
        """What must be finite, and what must hold."""
        plan, recording = self.plan, self.plan.recording
        home = plan.home
        constants = self.code.is_constant
        looked = [*plan.unsure, *[k for k in dict.fromkeys(recording.outputs) if not constants(k)]]
        self.looks = [(k, self.side(home.get(k))) for k in looked]
        self.holds = list[tuple[int, int, int]]()       # (place, side, at)
        for k in plan.needed:
            for check in plan.checks.get(k, ()):
                fixed = tuple([self.code.data[x] if constants(x) else None for x in check.operands])
                asked = self.call(checking(check.question, fixed), check.operands)
                self.holds.append((asked, self.side(home.get(k)), k))
        self.guards = [self.call(guarding(guard.text, guard.answer, len(guard.operands)), guard.operands)
                       for guard in recording.guards]
