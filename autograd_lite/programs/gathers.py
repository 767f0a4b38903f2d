"""`Gathers`: how gradients of what `take` took get back to the rows of its lists.

On a tape a list is a node (of `ROWS`, or of `ADDED`), and so is each entry taken of it (of `ITEM`). What
arrives at an entry is kept with its index, in the order in which it arrives, and added to a list of zeros.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.programs.code import ADDED, ITEM, ROWS

LISTED = {ROWS, ITEM, ADDED}

Gates = tuple[tuple[int, bool], ...]            # conditions, and the answers that let a gradient through
Term = tuple[Any, Any, Gates]                   # (g, p, gates): g·p, which arrives at a node behind gates
Pairs = list[tuple[Callable[[], int], Term]]    # (what gives the index, term)


class Arriving(list[Any]):
    """What arrives at an entry of a list: it goes to the list."""

    def __init__(self, pairs: Pairs, at: Callable[[], int]):
        self.pairs, self.at = pairs, at

    def append(self, term: Any) -> None:
        """Note a term with its index."""
        self.pairs.append((self.at, term))


def arrive(arrived: list[list[Term] | None], x: int, term: Term) -> None:
    """Note a term that arrives at a node."""
    if (terms := arrived[x]) is None:
        arrived[x] = [term]
    else:
        terms.append(term)


class Gathers:
    """The lists of one sweep.

    A list of leaves waits until the end, for what arrives at its rows by other ways has its place among
    what arrives by entries; lists that share leaves are one `bank`. So a leaf's gradient adds up as
    eagerly. Any other list hands on to its rows what has arrived when the sweep comes to it.

    Args:
        write: writes instructions (a `Writer` of the sweep).
        arrived: the terms that arrive at each node.
    """

    def __init__(self, write: Any, order: Sequence[int], varying: Sequence[int], own: set[int],
                 arrived: list[list[Term] | None]):
        self.write, self.varying, self.arrived = write, varying, arrived
        self.ops, self.operands = write.tape.ops, write.tape.operands
        self.pairs: dict[int, Pairs] = {}       # by list
        self.banks: list[tuple[dict[int, int], Pairs]] = []         # the places of leaves in each
        items = [k for k in order if self.ops[k] is ITEM and varying[k]]
        lists = list(dict.fromkeys([self.operands[k][0] for k in items]))
        waiting = [k for k in lists if self.ops[k] is ROWS and all(
            [x in own or not self.operands[x] for x in self.operands[k]])]
        bank_of: dict[int, tuple[dict[int, int], Pairs]] = {}
        for group in _connected([(k, set(self.operands[k]) & own) for k in waiting]):
            leaves = dict.fromkeys([x for k in group for x in self.operands[k]])
            bank: tuple[dict[int, int], Pairs] = {x: i for i, x in enumerate(leaves)}, []
            self.banks.append(bank)
            bank_of.update(dict.fromkeys(group, bank))
            for x, i in bank[0].items():
                if x in own:
                    arrived[x] = Arriving(bank[1], self.constant(i))
        for k in items:
            whole, index = self.operands[k]
            if whole in bank_of:
                arrived[k] = Arriving(bank_of[whole][1], self.within(bank_of[whole][0], whole, index))
            else:
                arrived[k] = Arriving(self.pairs.setdefault(whole, []), self.plain(index))

    def constant(self, i: int) -> Callable[[], int]:
        return lambda: self.write.constant(float(i))

    def plain(self, index: int) -> Callable[[], int]:
        return lambda: self.write.at(index)

    def within(self, places: dict[int, int], whole: int, index: int) -> Callable[[], int]:
        """The place in a bank of a list's entry."""
        places_of = [places[x] for x in self.operands[whole]]
        if places_of == list(range(len(places))):
            return self.plain(index)
        write = self.write
        return lambda: write.emit(ITEM, write.emit(ROWS, *[write.constant(float(i)) for i in places_of]),
                                  write.at(index))

    def added(self, size: int, pairs: Pairs) -> int:
        """The list of what has arrived."""
        write = self.write
        terms = [(index(), write.leave(write.product(g, p), gates)) for index, (g, p, gates) in pairs]
        found: int = write.emit(ADDED, write.constant(float(size)), *[x for term in terms for x in term])
        return found

    def spread(self, k: int) -> None:
        """Hand on what has arrived at the entries of a list, if the node is one."""
        write, operands, pairs = self.write, self.operands[k], self.pairs.pop(k, None)
        if not pairs:
            return
        if self.ops[k] is ROWS:
            total = self.added(len(operands), pairs)
            entries = [(x, write.constant(float(i))) for i, x in enumerate(operands) if self.varying[x]]
        else:
            total = self.added(int(write.code.data[write.tape.places[operands[0]]]), pairs)
            entries = [(x, write.at(i)) for i, x in zip(operands[1::2], operands[2::2]) if self.varying[x]]
        for x, index in entries:
            arrive(self.arrived, x, (write.emit(ITEM, total, index), write.one, ()))

    def found(self, own: set[int]) -> dict[int, int]:
        """The gradients of leaves of lists."""
        found: dict[int, int] = {}
        for places, pairs in self.banks:
            if pairs:
                total = self.added(len(places), pairs)
                found.update({x: self.write.emit(ITEM, total, self.write.constant(float(i)))
                              for x, i in places.items() if x in own})
        return found


def _connected(sets: Sequence[tuple[int, set[int]]]) -> list[list[int]]:
    """The keys of sets that share members, in groups."""
    of: dict[int, tuple[list[int], set[int]]] = {}
    for key, members in sets:
        met = {id(of[x]): of[x] for x in members if x in of}
        group = ([k for keys, _ in met.values() for k in keys] + [key],
                 members.union(*[more for _, more in met.values()]))
        of.update(dict.fromkeys(group[1], group))
    return [keys for keys, _ in {id(group): group for group in of.values()}.values()]


def carried(write: Any, op: Any, operands: Sequence[int], along: dict[int, int]) -> int:
    """The derivative of a list, or of an entry of one, along those of its operands; one of them moves."""
    zero = write.constant(0.0)
    fixed = {0, *range(1, len(operands), 2)} if op is ADDED else {1} if op is ITEM else set[int]()
    found: int = write.emit(op, *[write.at(x) if i in fixed else along.get(x, zero)
                                  for i, x in enumerate(operands)])
    return found
