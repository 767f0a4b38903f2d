"""`Chain`: a graph seen as steps between what has a name, and the derivatives along them."""
from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from math import nan
from typing import Any, NamedTuple

from autograd_lite.drawing.formulas import Call, Formula, Named, Number, Sum, added, applied, slopes
from autograd_lite.graph.linear import Linear
from autograd_lite.graph.node import op_of, partials_of
from autograd_lite.graph.program import Program
from autograd_lite.ops.op import Op

_LARGE = 14                                     # ops and names in an expression that is written out
_WIDE = 42                                      # and in six operands of one that has many
_FEW = 6


class Symbols:
    """What the nodes of a graph are called in formulas: a node with a label by it, one without is written
    out. The root, the targets and what would be long to write are given names.

    Attributes:
        used: the places of the nodes whose names were asked for.
    """

    def __init__(self, program: Program, root: int, targets: Iterable[int]):
        self.program, self.root, self.targets = program, root, frozenset(targets)
        self.used: dict[int, None] = {}
        self._named = [bool(node.label) and not self._repeats(k) for k, node in enumerate(program.nodes)]
        for k in (root, *self.targets):
            self._named[k] = True
        sizes: list[int] = []
        terms: list[list[int]] = []             # of a sum the sizes of its largest terms,
        ways: list[int] = []                    # and how many it has
        uses = Counter([x for operands in program.operands for x in operands])
        for k, operands in enumerate(program.operands):
            size, some = 1 + sum([1 if x is None else sizes[x] for x in operands]), list[int]()
            if len(operands) == 2 and _adds(op_of(program.nodes[k])):
                some = sorted([n for x in operands for n in (
                    [1] if x is None else not self._named[x] and terms[x] or [sizes[x]])])[-_FEW:]
                size = 1 + sum(some)
            terms.append(some)
            ways.append(not some or sum([1 if x is None or self._named[x] else ways[x] for x in operands]))
            largest = sorted([sizes[x] for x in operands if x is not None])[-_FEW:]
            if not some and sum(largest) > _WIDE:
                for x in operands:              # (a network's neurons)
                    if x is not None and sizes[x] * _FEW > _WIDE:
                        self._named[x], sizes[x] = True, 1
            # (Of a long sum the first terms are shown; one that is used again is not written twice.)
            self._named[k] |= size > _LARGE and not some or uses[k] > 1 and max(size, 2 * ways[k]) > _LARGE
            sizes.append(1 + len(program.nodes[k].label) // 12 if self._named[k] else size)
        self._taken = {node.label: 0 for node in program.nodes if node.label}
        self._names: dict[int, str] = {}
        self._symbols: dict[int, Formula] = {}
        for k in (root, *sorted(self.targets)):
            self.name(k)
        self.used.clear()
        n = 0
        for k, node in enumerate(program.nodes):
            if self._named[k] and not node.label and k not in self._names:
                n += 1                          # (in the order in which they are computed)
                while f"u{n}" in self._taken:
                    n += 1
                self._names[k] = f"u{n}"

    def _repeats(self, k: int) -> bool:
        """Whether a node is no more than its operand, with the same label."""
        node, operands = self.program.nodes[k], self.program.operands[k]
        if len(operands) != 1 or operands[0] is None or node.label != self.program.nodes[operands[0]].label:
            return False
        op, x = op_of(node), Named(node.label, node.data)
        return op is not None and applied(op, [x]).key == x.key

    def has_name(self, k: int) -> bool:
        """Whether a node is called by a name."""
        return self._named[k]

    def name(self, k: int) -> str:
        """What it is called: its label, or a name that no other node has."""
        label = self.program.nodes[k].label
        if k not in self._names:
            if label:
                n = self._taken[label]          # (several nodes may have one label)
                self._taken[label] += 1
                self._names[k] = label + ("′" * n if n < 4 else f"′{n}")
            else:
                base = "f" if k == self.root else "x"
                names = (f"{base}{n}" for n in itertools.chain([""], itertools.count(2)))
                self._names[k] = next(name for name in names if name not in self._taken)
                self._taken[self._names[k]] = 1
        self.used[k] = None
        return self._names[k]

    def symbol(self, k: int) -> Formula:
        """The name of a node, its expression or its number."""
        todo = [k]
        while todo:
            k = todo.pop()
            if k not in self._symbols:
                rest = [x for x in self.program.operands[k] if x is not None and x not in self._symbols]
                if self._named[k]:
                    self._symbols[k] = Named(self.name(k), self.program.nodes[k].data)
                elif rest:
                    todo += [k, *rest]
                else:
                    self._symbols[k] = self.definition(k)
        return self._symbols[k]

    def operands(self, k: int) -> list[Formula]:
        """Those of a node."""
        return [Number(float(x)) if place is None else self.symbol(place) for place, x in zip(
            self.program.operands[k], self.program.nodes[k].operands)]

    def definition(self, k: int) -> Formula:
        """What a node was computed as."""
        op = op_of(self.program.nodes[k])
        return applied(op, self.operands(k)) if op else Number(self.program.nodes[k].data)


@functools.cache
def _adds(op: Op | None) -> bool:
    """Whether an op is the sum, or the difference, of its two operands."""
    return op is not None and not op.open and isinstance(applied(op, [Named("a", nan), Named("b", nan)]), Sum)


class Piece(NamedTuple):
    """A factor of a term: the derivative along a step, from `head` down to `tail`; if it is `total`, the
    derivative of the root, which has lines of its own."""

    head: int
    tail: int
    number: float
    total: bool = False


class Block(NamedTuple):
    """The derivative of the root by what stands at a place: a sum of products."""

    place: int
    terms: Sequence[Sequence[Piece]]
    value: float

    @property
    def used(self) -> list[int]:
        """The places of the derivatives in it that have lines of their own."""
        return [piece.tail for term in self.terms for piece in term if piece.total]


class Chain:
    """The steps from a root down to targets, and the chain rule over them.

    Args:
        own: places of which the derivative has lines of its own in any case.

    Attributes:
        symbols: what the nodes are called.
        totals: for each place ∂root/∂node, None where nothing arrives.
        users: for each step below the root, the steps that it is an operand of, and the derivatives;
            below: for each step those that are its operands.
    """

    def __init__(self, program: Program, root: int, targets: Sequence[int], own: Iterable[int] = ()):
        self.program, self.root, self.targets, self._own = program, root, targets, {*targets, *own}
        self.symbols = Symbols(program, root, targets)
        self._leads = program.dependent(targets, list(map(op_of, program.nodes)))
        self._formulas: dict[int, dict[int, Formula]] = {}
        self._through: dict[int, int] = {}      # the step that was left out above another
        self.totals = Linear(len(program), self._edges).pull({root: 1.0})
        self.users: dict[int, list[tuple[int, float]]] = {root: []}
        self.below: dict[int, dict[int, None]] = {}
        for k in reversed(range(len(program))):
            if k in self.users:
                steps = self._steps(k)
                self.below[k] = dict.fromkeys(steps)
                for x, p in steps.items():
                    self.users.setdefault(x, []).append((k, p))
        self._pass_over()

    def _edges(self, k: int) -> list[tuple[int, int, Any]]:
        if not self._leads[k]:
            return []
        return [(x, i, p) for i, (x, p) in enumerate(zip(
            self.program.operands[k], partials_of(self.program.nodes[k])))
            if x is not None and p is not None and self._leads[x]]

    # -- the steps -----------------------------------------------------------------------------------

    def _steps(self, k: int) -> dict[int, float]:
        """The derivatives by the nearest steps below a step."""
        found: dict[int, float] = {}
        todo = [(k, 1.0)]
        while todo:
            x, g = todo.pop()
            if x != k and self.symbols.has_name(x):
                found[x] = found[x] + g if x in found else g
            else:
                todo += [(below, g * p if g else 0.0) for below, _, p in reversed(self._edges(x))]
        return found

    def formula(self, head: int, tail: int) -> Formula:
        """The formula of the derivative along a step."""
        head = self._through.get(tail, head)
        if head not in self._formulas:
            self._formulas[head] = self._formulas_of(head)
        return self._formulas[head][tail]

    def _formulas_of(self, k: int) -> dict[int, Formula]:
        found: dict[int, list[Formula]] = {}
        todo: list[tuple[int, Formula]] = [(k, Number(1.0))]
        while todo:
            x, g = todo.pop()
            if x != k and self.symbols.has_name(x):
                found.setdefault(x, []).append(g)
                continue
            edges, xs, op = self._edges(x), self.symbols.operands(x), op_of(self.program.nodes[x])
            wanted = [False] * len(xs)
            for _, i, _ in edges:
                wanted[i] = True
            partials = slopes(op, self.symbols.symbol(x), xs, wanted) if op else []
            todo += [(below, g * (Call(op, xs, i, p) if partials[i] is None  # type: ignore[arg-type]
                                  else partials[i])) for below, i, p in reversed(edges)]
        return {x: added(terms) for x, terms in found.items()}

    def _pass_over(self) -> None:
        """Leave out the steps by which the derivative is 1 and that alone lead to what is below them, as E1
        in E = E1 + E2: then ∂E/∂x is ∂E1/∂x."""
        for k in sorted(self.users, reverse=True):
            users, below = self.users[k], self.below[k]
            if k in self._own or len(users) != 1 or users[0][1] != 1.0 or not below:
                continue
            head = users[0][0]
            if all([len(self.users[x]) == 1 for x in below]) and self.formula(head, k).key == (1.0,):
                for x in below:
                    self.users[x] = [(head, self.users[x][0][1])]
                    self._through[x] = k
                del self.users[k], self.below[head][k]
                self.below[head].update(below)

    # -- the chain rule --------------------------------------------------------------------------------

    def named(self, k: int) -> bool:
        """Whether ∂root/∂node has lines of its own: what is used more than once, or is a sum."""
        users, below = self.users[k], self.below[k]
        direct = len(users) == 1 and users[0][0] == self.root
        return (k in self._own or len(users) > 1 or len(below) > 1
                or not direct and sum([len(self.users[x]) for x in below]) > 1)

    def block(self, k: int) -> Block:
        """The lines of ∂root/∂node."""
        terms = []
        for user, p in sorted(self.users[k]):
            pieces = [Piece(user, k, p)]
            while user != self.root and not self.named(user):
                (above, p), = self.users[user]
                pieces.append(Piece(above, user, p))
                user = above
            if not self._is_1(user):
                pieces.append(Piece(self.root, user, self.totals[user] or 0.0, True))
            terms.append(pieces[::-1])
        return Block(k, terms, self.totals[k] or 0.0)

    def _is_1(self, k: int) -> bool:
        """Whether a step is the root, or a term of it and no more."""
        return k == self.root or (self.users[k] == [(self.root, 1.0)]
                                  and self.formula(self.root, k).key == (1.0,))

    def blocks(self, depth: int | None, most: int) -> tuple[list[Block], int]:
        """The blocks of the targets and of what they use, what is used first; and how many more there are."""
        found, hidden, seen = dict[int, Block](), 0, set[int]()
        todo = [(k, 0) for k in self.targets]
        for k, level in todo:
            if k not in seen and k in self.users:
                seen.add(k)
                block = self.block(k)
                hidden += len(found) >= most
                if len(found) < most:
                    found[k] = block
                if depth is None or level < depth:
                    todo += [(x, level + 1) for x in block.used]
        order: dict[int, None] = {}

        def put(k: int) -> None:
            if k in found and k not in order:
                for x in found[k].used:
                    put(x)
                order[k] = None
        for k in self.targets:
            put(k)
        return [found[k] for k in order], hidden


def alone(chain: Chain, piece: Piece) -> bool:
    """Whether the step of a piece is the only way from its head to its tail; then their derivative is that
    along it."""
    if piece.total:
        return True
    above, rest = {piece.tail}, [piece.tail]
    while rest:
        new = {user for user, _ in chain.users[rest.pop()]} - above
        above |= new
        rest += new
    return not any([x != piece.tail and x in above for x in chain.below[piece.head]])
