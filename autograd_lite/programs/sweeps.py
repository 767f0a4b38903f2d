"""Gradients on a tape: a reverse and a forward sweep that write code, by the ops' templates.

They add and multiply in the order in which `backward` does, so that a compiled gradient is the eager one
to the last bit. What arrives through one side of a choice stays behind it (see `transforms.gates`).
"""
from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from autograd_lite.graph.value import Value
from autograd_lite.ops.elementary import add, identity, mul, neg
from autograd_lite.ops.selection import choose
from autograd_lite.ops.sequences import dot_op
from autograd_lite.programs.code import PRODUCTS, Check
from autograd_lite.programs.gathers import LISTED, Gates, Gathers, Term, arrive, carried
from autograd_lite.programs.orders import Orders, Recorded, depends_on_others, order_under, plain_nodes
from autograd_lite.programs.templates import template


_NAMED = 10_000                 # gradients have names in a smaller program, which people may read


class Writer:
    """Writes instructions: plain ones, or (`again`) as nodes that can be differentiated once more."""

    def __init__(self, tape: Recorded, again: bool):
        self.tape, self.code, self.again = tape, tape.code, again
        self.one = self.constant(1.0)

    def at(self, k: int) -> int:
        """A node as an operand here."""
        return k if self.again else self.tape.places[k]

    def place(self, x: int) -> int:
        """An operand's place in the code."""
        return self.tape.places[x] if self.again else x

    def constant(self, x: float) -> int:
        place = self.code.constant(x)
        return self.tape.append(None, (), place, False) if self.again else place

    def is_constant(self, x: int, c: float | None = None) -> bool:
        """Whether an operand is a plain number (this one, if given), by which nobody differentiates."""
        return self.code.is_constant(self.place(x), c) and not (self.again and self.tape.flows[x])

    def emit(self, op: Any, *operands: int) -> int:
        if not self.again:
            return self.code.emit(op, operands)
        tape = self.tape
        flows = any([tape.flows[x] for x in operands])
        tape.idle.append(len(tape.ops))
        return tape.append(op, operands, self.code.emit(op, tuple([tape.places[x] for x in operands])), flows)

    # -- sums behind gates -------------------------------------------------------------------------

    def leave(self, g: int, gates: Gates) -> int:
        """A gradient where all gates are open, else 0."""
        return self.sum([(g, self.one, gates)]) if gates else g

    def total(self, terms: Sequence[Term]) -> tuple[int, Gates]:
        """The sum of terms, left to right, behind the gates that they share."""
        gs, ps, all_gates = zip(*terms)
        gates = all_gates[0]
        if all([behind is gates for behind in all_gates]):
            pairs = list(gs + ps)
            pairs[::2], pairs[1::2] = gs, ps
            return self.added(pairs), gates
        for _, _, behind in terms[1:]:
            if behind != gates:
                shared = [one == other for one, other in zip(gates, behind)]
                gates = gates[:shared.index(False) if False in shared else len(shared)]
        return self.sum([(g, p, behind[len(gates):]) for g, p, behind in terms]), gates

    def sum(self, terms: Sequence[Term]) -> int:
        """The sum of terms, each where its gates are open."""
        conditions = list(dict.fromkeys([gates[0][0] for _, _, gates in terms if gates]))
        if len(conditions) == 1:                # then each side of it has a sum of its own
            terms = [self.chosen(conditions[0], terms)]
        elif conditions:                        # (each where it stands: so they add up as eagerly)
            terms = [self.chosen(term[2][0][0], [term]) if term[2] else term for term in terms]
        return self.sum_of([x for g, p, _ in terms for x in (g, p)])

    def chosen(self, condition: int, terms: Sequence[Term]) -> Term:
        """The sum of terms behind one condition, or behind none."""
        sides = [self.sum([(g, p, gates[1:]) for g, p, gates in terms if not gates or gates[0][1] is answer])
                 for answer in (True, False)]
        return self.emit(choose, condition, *sides), self.one, ()

    def sum_of(self, pairs: Sequence[int]) -> int:
        """The sum of products."""
        found = list[int]()
        for g, p in zip(pairs[::2], pairs[1::2]):
            if self.is_constant(g, 0.0):
                self.tape.hold(self.place(p))           # (which may be infinite)
            else:
                found += g, p
        return self.added(found) if found else self.constant(0.0)

    def added(self, pairs: Sequence[int]) -> int:
        """The same, written as eager code would record it if it is differentiated again."""
        if len(pairs) > 2 and not self.again:
            return self.emit(PRODUCTS, *pairs)
        total = self.product(pairs[0], pairs[1])
        for i in range(2, len(pairs), 2):
            total = self.emit(add, total, self.product(pairs[i], pairs[i + 1]))
        return total

    def product(self, g: int, p: int) -> int:
        if p == self.one:
            return g
        if g == self.one:
            return p
        if self.again:                          # (what eager code does not record is no node here, either)
            if self.is_constant(p) and (c := self.code.data[self.place(p)]) in (0.0, 1.0, -1.0):
                if not c:
                    self.tape.hold(self.place(g))       # (which may be infinite)
                return g if c == 1.0 else self.emit(neg, g) if c else p
            if self.is_constant(g) and (c := self.code.data[self.place(g)]) in (0.0, 1.0):
                if not c:
                    self.tape.hold(self.place(p))
                return p if c else g
        return self.emit(mul, g, p)

    # -- partials ----------------------------------------------------------------------------------

    def partials(self, k: int, wanted: Sequence[Any]) -> list[int | None]:
        """The partials of a node by its operands, at least those that are wanted."""
        tape, op = self.tape, self.tape.ops[k]
        operands = tape.operands[k]
        xs = operands if self.again else list(map(tape.places.__getitem__, operands))
        if op is dot_op:
            n = len(xs) // 2
            return [*xs[n:2 * n], *xs[:n], *[self.one] * (len(xs) - 2 * n)]
        plain = tuple([not tape.flows[x] for x in operands]) if self.again and not op.open else ()
        found: list[int | None] = [None] * len(xs)
        for i in [0] if op.open else [i for i, flag in enumerate(wanted) if flag]:
            have = [self.at(k), *xs]
            rule = template(op, len(xs), i, self.again, plain).at(self.code, self.place, have)
            for step, used in rule.steps:
                have.append(self.emit(step, *[have[x] if type(x) is int else self.constant(x) for x in used]))
            for j, p in enumerate(rule.partials):
                if p is not None:
                    found[j] = place = have[p] if type(p) is int else self.constant(p)
                    if rule.checks and wanted[j]:
                        self.check(self.place(place), rule.checks, have)
        return found

    def passed(self, k: int, g: int, gates: Gates, varying: Sequence[int]) -> list[tuple[int, int, Gates]]:
        """What a node passes on: (operand, partial, gates)."""
        op, operands = self.tape.ops[k], self.tape.operands[k]
        if op is choose:
            condition, then, otherwise = operands
            at = self.at(condition)
            return [(then, self.one, (*gates, (at, True))), (otherwise, self.one, (*gates, (at, False)))]
        if op is identity:
            return [(operands[0], self.one, gates)]
        found = self.partials(k, [varying[x] for x in operands])
        return [(x, p, gates) for x, p in zip(operands, found) if p is not None]

    def check(self, place: int, checks: Sequence[Check], have: Sequence[int]) -> None:
        """Note what must hold where a partial is used."""
        if self.code.is_constant(place):
            place = self.place(have[0])
        kept = self.code.checks.setdefault(place, [])
        for check in checks:
            asked = check._replace(operands=tuple([
                self.place(have[x]) if type(x) is int else self.code.constant(x) for x in check.operands]))
            if asked not in kept:
                kept.append(asked)


def _varying(tape: Recorded, order: Sequence[int], inputs: Sequence[int]) -> bytearray:
    """For each node whether it depends on the inputs."""
    ops, all_operands = tape.ops, tape.operands
    found = bytearray(len(ops))
    for k in inputs:
        found[k] = True
    for k in order:
        operands: Sequence[int] = all_operands[k]
        if operands and not found[k]:
            op = ops[k]
            if op.partly:
                operands = [x for x, has in zip(operands, op.differentiable(len(operands))) if has]
            for x in operands:
                if found[x]:
                    found[k] = True
                    break
    return found


def pull(tape: Recorded, trace: Any, seeded: Sequence[tuple[Any, Any]]) -> list[Any]:
    """Σ seed · ∂output/∂input by each input of a trace, as Values; None where no path leads."""
    inputs = [tape.node(x) for x in trace.inputs]
    outputs = [(tape.node(y), seed) for y, seed in seeded if type(y) is Value]
    found = pulled(tape, outputs, inputs)
    return [None if k is None else computed(tape, k) for k in found]


def computed(tape: Recorded, k: int) -> Value:
    """A derivative that eager code computes, whether what it is differentiated to needs it or not."""
    tape.hold(tape.places[k])
    return tape.made(k)


def pulled(tape: Recorded, outputs: Sequence[tuple[int, Any]], inputs: Sequence[int],
           last: bool = False) -> list[int | None]:
    """The same on nodes. Nothing differentiates the `last` one again, which is a pass over floats eagerly."""
    roots = [y for y, _ in outputs if tape.flows[y]]
    seeds = [tape.node(seed) for y, seed in outputs if tape.flows[y]]
    own = set(inputs)
    again = not last and (
        depends_on_others(tape, roots, inputs) or any([tape.flows[seed] for seed in seeds]))
    order = order_under(tape, roots, again or len(outputs) > 1)
    varying = _varying(tape, order, inputs)
    write = Writer(tape, again)
    arrived: list[list[Term] | None] = [None] * len(tape.ops)       # by nodes
    one = write.one
    gathers = Gathers(write, order, varying, own, arrived) if tape.lists else None
    for y, seed in zip(roots, seeds):
        if tape.flows[seed] or not tape.code.is_constant(tape.places[seed], 0.0):
            arrive(arrived, y, (write.at(seed), one, ()))
    ops, all_operands = tape.ops, tape.operands
    found: dict[int, int] = {}
    places = tape.places
    at: Sequence[int] = range(sys.maxsize) if again else places     # of nodes, as operands here
    named = len(order) < _NAMED
    orders = None if again or gathers or len(outputs) > 1 else Orders(tape, roots, order)
    if orders and not orders.conditions:
        orders = None
    plain: bytearray | None = None
    plus, times = (False, False) if orders else (add, mul)
    for k in reversed(order):
        terms = arrived[k]
        if not terms:
            if gathers:
                gathers.spread(k)
            continue
        arrived[k] = None
        if ops[k] is choose and (plain := plain or plain_nodes(tape))[all_operands[k][0]]:
            users = orders.users.pop(k, []) if orders else []       # (eager code has the taken side itself)
            condition, *sides = all_operands[k]
            for x, answer in zip(sides, (True, False)):
                if varying[x]:
                    for g, p, gates in terms:
                        arrive(arrived, x, (g, p, (*gates, (write.at(condition), answer))))
                    if orders:
                        orders.users[x] += users
            continue
        if orders:
            terms = orders.sorted(write, k, terms)
        g, p, gates = terms[0]
        if len(terms) > 1:
            g, gates = write.total(terms)
        elif p != one:
            g = write.product(g, p)
        if named:
            tape.gradients[k] = places[g] if again else g
        if k in own:
            found[k] = write.leave(g, gates)
            continue
        op = ops[k]
        if op is plus:                              # (the two commonest, in less time)
            term = g, one, gates
            for x in all_operands[k]:
                if varying[x]:
                    if (have := arrived[x]) is None:
                        arrived[x] = [term]
                    else:
                        have.append(term)
        elif op is times:
            a, b = all_operands[k]
            if varying[a]:
                if (have := arrived[a]) is None:
                    arrived[a] = [(g, at[b], gates)]
                else:
                    have.append((g, at[b], gates))
            if varying[b]:
                if (have := arrived[b]) is None:
                    arrived[b] = [(g, at[a], gates)]
                else:
                    have.append((g, at[a], gates))
        elif op:
            if op is choose:                        # (it arrives there, whichever side is taken)
                tape.hold(places[g] if again else g, tuple([(write.place(c), answer) for c, answer in gates]))
            for x, p, behind in write.passed(k, g, gates, varying):
                if varying[x]:
                    arrive(arrived, x, (g, p, behind))
                    if orders:
                        orders.users[x].append(k)
    if gathers:
        found.update(gathers.found(own))
    if write.again:
        return [found.get(k) for k in inputs]
    return [tape.append(None, (), found[k], False) if k in found else None for k in inputs]


def push(tape: Recorded, trace: Any, tangents: Sequence[Any]) -> list[Any]:
    """The derivative of each output of a trace along `tangents` of its inputs, as Values or 0.0."""
    inputs = [tape.node(x) for x in trace.inputs]
    outputs = [tape.node(y) if type(y) is Value else None for y in trace.outputs]
    moved = {k: tape.node(t) for k, t in zip(inputs, tangents)
             if not (type(t) is float and t == 0.0)}
    roots = [k for k in outputs if k is not None]
    again = depends_on_others(tape, roots, inputs) or any([tape.flows[t] for t in moved.values()])
    write = Writer(tape, again)
    one = write.one
    along = {k: write.at(t) for k, t in moved.items()}
    for k in order_under(tape, roots, True):
        op, operands = tape.ops[k], tape.operands[k]
        if not any([x in along for x in operands]):
            continue
        if op in LISTED:
            along[k] = carried(write, op, operands, along)
            continue
        if op is choose:
            condition, *sides = [write.at(x) for x in operands]
            zero = write.constant(0.0)
            moves = [along.get(x, zero) for x in operands[1:]]
            along[k] = write.emit(choose, condition, *moves)
            continue
        partials = [one] if op is identity else write.partials(k, [x in along for x in operands])
        terms: list[Term] = [(along[x], p, ()) for x, p in zip(operands, partials)
                             if p is not None and x in along]
        if terms:
            along[k] = write.total(terms)[0]
    found = [None if y is None else along.get(y) for y in outputs]
    return [0.0 if x is None else computed(tape, x if again else tape.append(None, (), x, False))
            for x in found]
