"""The orders in which `backward` meets the nodes of a tape, by which the terms of a gradient add up."""
from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any, Protocol

from autograd_lite.graph.value import Value
from autograd_lite.ops.elementary import identity
from autograd_lite.ops.selection import choose
from autograd_lite.programs.code import Code
from autograd_lite.programs.gathers import Gates, Term

# For sums in the order of each side of conditions: how many of these are minded at once; how many nodes are
# looked at for that, or where there are few conditions, how often each.
_DEEP, _LOOKED, _FEW = 3, 20_000, 8
_ALL = 200_000                  # nodes that may be looked at for all answers of few conditions
Answer = tuple[int, bool]       # a condition, and what it gives


class Recorded(Protocol):
    """What a sweep needs of a tape."""

    code: Code
    ops: list[Any]
    operands: list[tuple[int, ...]]
    places: list[int]
    flows: list[bool]
    idle: list[int]
    lists: dict[Any, int]
    gradients: dict[int, int]
    sources: list[int]
    looked: int
    given: list[int]

    def append(self, op: Any, operands: tuple[int, ...], place: int, flows: bool) -> int: ...
    def node(self, x: Any, where: str = ...) -> int: ...
    def made(self, k: int) -> Value: ...
    def hold(self, place: int, gates: Gates = ...) -> None: ...


def order_under(tape: Recorded, roots: Iterable[int], everything: bool,
                assumed: Mapping[int, bool] = {}) -> list[int]:
    """The nodes under some, each after its operands, in the order in which `backward` meets them.

    Those that flow, by operands that have a partial; or `everything`; without the other sides of choices if
    answers of their conditions are `assumed`.
    """
    ops, operands, flows = tape.ops, tape.operands, tape.flows
    seen = bytearray(len(ops))
    found: list[int] = []
    stack: list[int] = []
    for root in roots:
        stack.append(root)
        while stack:
            k = stack.pop()
            if k < 0:                               # all operands of this node are done
                found.append(~k)
            elif not seen[k]:
                seen[k] = True
                below = operands[k]
                if below:
                    op = ops[k]
                    if not everything and len(below) == 2 and not op.partly:  # (the common case)
                        a, b = below
                        left, right = flows[a] and not seen[a], flows[b] and not seen[b]
                        if left and not operands[a]:
                            seen[a], left = True, False
                            found.append(a)
                        if left or right:
                            stack.append(~k)
                            if right:
                                stack.append(b)
                            if left:
                                stack.append(a)
                        else:
                            found.append(k)
                        continue
                    stack.append(~k)
                    if everything:
                        for x in reversed(below):
                            if not seen[x]:
                                stack.append(x)
                    elif not op.partly:
                        for x in reversed(below):
                            if flows[x] and not seen[x]:
                                stack.append(x)
                    elif assumed and op is choose and tape.places[below[0]] in assumed:
                        x = below[1 if assumed[tape.places[below[0]]] else 2]
                        if flows[x] and not seen[x]:
                            stack.append(x)
                    else:
                        for x, has in zip(below[::-1], op.differentiable(len(below))[::-1]):
                            if has and flows[x] and not seen[x]:
                                stack.append(x)
                else:
                    found.append(k)
    return found


class Orders:
    """The orders in which `backward` meets nodes where some conditions hold, or do not.

    It does not go down the other side of a choice. What it meets there first by full sight, it then meets
    later; so terms may add up in another order. With few conditions all their answers are gone through. With
    more, each condition by itself; and where there is too much to look at, this is not minded.
    """

    def __init__(self, tape: Recorded, roots: Sequence[int], order: Sequence[int]):
        self.tape, self.roots, self.size = tape, roots, len(order)
        self.conditions = list(dict.fromkeys(
            [tape.places[tape.operands[k][0]] for k in order if tape.ops[k] is choose]))
        self.users: defaultdict[int, list[int]] = defaultdict(list)        # of a node, in the order of terms
        self.few = len(self.conditions) <= _FEW and 2 ** len(self.conditions) * self.size <= _ALL
        self.left = _LOOKED
        if len(self.conditions) <= _FEW:
            self.left = max(_LOOKED, 2 * _FEW * self.size)
        self.ranks: dict[frozenset[Answer], dict[int, int] | None] = {}

    def rank(self, assumed: frozenset[Answer]) -> dict[int, int] | None:
        """The ranks of nodes where conditions have these answers; None if too much was looked at."""
        if assumed not in self.ranks:
            self.left -= 0 if self.few else self.size
            found = order_under(self.tape, self.roots, False, dict(assumed)) if self.left >= 0 else None
            self.ranks[assumed] = None if found is None else {k: -i for i, k in enumerate(found)}
        return self.ranks[assumed]

    def sorted(self, write: Any, k: int, terms: list[Term]) -> list[Term]:
        """The terms that arrive at a node, as one where a condition decides how they add up."""
        users = self.users.pop(k, [])
        if len(terms) < 3 or len(users) != len(terms):
            return terms
        return self.split(write, list(zip(users, terms)), frozenset())

    def split(self, write: Any, given: list[tuple[int, Term]], assumed: frozenset[Answer]) -> list[Term]:
        """The same of terms by their users, where conditions have these answers."""
        minded = {c for c, _ in assumed}
        free = [c for c in self.conditions if c not in minded]
        if len(given) < 3:                      # (they add up alike, either way round)
            free = []
        elif self.few:
            given, free = self.deciding(given, assumed, free)
        elif len(minded) >= _DEEP:
            free = []
        for c in free:
            sides = []
            for answer in (True, False):
                rank = self.rank(assumed | {(c, answer)})
                if rank is None:
                    return [term for _, term in given]
                alive = [x for x in given if (c, not answer) not in x[1][2]]
                sides.append((answer, alive, by_rank(alive, rank)))
            if self.few or any([alive != again for _, alive, again in sides]):
                sums = [write.sum([
                    (g, p, tuple([gate for gate in gates if gate[0] != c]))
                    for g, p, gates in self.split(write, again, assumed | {(c, answer)})])
                    for answer, _, again in sides]
                return [(write.emit(choose, c, *sums), write.one, ())]
        return [term for _, term in given]

    def deciding(self, given: list[tuple[int, Term]], assumed: frozenset[Answer], free: Sequence[int]
                 ) -> tuple[list[tuple[int, Term]], list[int]]:
        """Terms in an order that holds for all answers of free conditions; or a condition that decides."""
        wrong = self.wrong(given, assumed, free)
        if len(wrong) == 2 ** len(free):
            given = by_rank(given, self.rank(next(iter(wrong))) or {})
            wrong = self.wrong(given, assumed, free)
        every = set(wrong)
        return given, next(([c] for c in free if any([
            answers ^ {(c, True), (c, False)} not in every for answers in wrong])), [])

    def wrong(self, given: list[tuple[int, Term]], assumed: frozenset[Answer], free: Sequence[int]
              ) -> list[frozenset[Answer]]:
        """Answers to all conditions for which the terms that are there do not arrive in this order."""
        found = []
        for answers in itertools.product((True, False), repeat=len(free)):
            every = assumed.union(zip(free, answers))
            rank = self.rank(every) or {}
            alive = [rank.get(user, inf) for user, (_, _, gates) in given if every.issuperset(gates)]
            if len(alive) > 2 and alive != sorted(alive):
                found.append(every)
        return found


def by_rank(given: list[tuple[int, Term]], rank: Mapping[int, int]) -> list[tuple[int, Term]]:
    """Terms and their users in the order of these; last, those that are not met."""
    return sorted(given, key=lambda x: rank.get(x[0], inf))


def plain_nodes(tape: Recorded) -> bytearray:
    """For each node whether eager code has a plain number there, of which it records nothing."""
    found = bytearray(len(tape.ops))
    for k in tape.given:
        found[k] = True
    for k, (op, operands) in enumerate(zip(tape.ops, tape.operands)):
        if operands and op is not identity:             # (that is a number to differentiate by)
            found[k] = all([found[x] for x in operands])
    return found


def depends_on_others(tape: Recorded, roots: Sequence[int], own: Sequence[int]) -> bool:
    """Whether gradients flow from some nodes to leaves of somebody else's."""
    flows, operands, inputs = tape.flows, tape.operands, set(own)
    tape.sources += [k for k in range(tape.looked, len(flows))
                     if flows[k] and True not in [flows[x] for x in operands[k]]]
    tape.looked = len(flows)
    others = [k for k in tape.sources if k not in inputs]
    return bool(others) and not set(others).isdisjoint(
        order_under(tape, [k for k in roots if flows[k]], False))
