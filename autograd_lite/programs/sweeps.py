"""Gradients on a tape: a reverse and a forward sweep that write code, by the ops' templates.

They add and multiply in the order in which `backward` does, so that a compiled gradient is the eager one
to the last bit. What arrives through one side of a choice stays behind it (see `transforms.gates`).
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from autograd_lite.graph.value import Value
from autograd_lite.ops.elementary import identity, mul
from autograd_lite.ops.selection import choose
from autograd_lite.programs.code import PRODUCTS, Check, Code
from autograd_lite.programs.templates import template


class Recorded(Protocol):
    """What a sweep needs of a tape."""

    code: Code
    ops: list[Any]
    operands: list[tuple[int, ...]]
    places: list[int]
    flows: list[bool]
    firm: set[int]
    depth: int

    def append(self, op: Any, operands: tuple[int, ...], place: int, flows: bool) -> int: ...
    def node(self, x: Any, where: str = ...) -> int: ...
    def made(self, k: int) -> Value: ...


Gates = tuple[tuple[int, bool], ...]            # conditions, and the answers that let a gradient through


class Term(NamedTuple):
    """g·p, which arrives at a node behind gates."""

    g: Any
    p: Any
    gates: Gates


class Writer:
    """Writes instructions: plain ones, or (`again`) as nodes that can be differentiated once more."""

    def __init__(self, tape: Recorded, again: bool):
        self.tape, self.code, self.again = tape, tape.code, again

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
        return self.code.is_constant(self.place(x), c)

    def emit(self, op: Any, *operands: int) -> int:
        if not self.again:
            return self.code.emit(op, operands)
        tape = self.tape
        flows = any([tape.flows[x] for x in operands])
        return tape.append(op, operands, self.code.emit(op, tuple([tape.places[x] for x in operands])), flows)

    # -- sums behind gates -------------------------------------------------------------------------

    def leave(self, g: int, gates: Gates) -> int:
        """A gradient where all gates are open, else 0."""
        return self.sum([Term(g, self.constant(1.0), gates)])

    def total(self, terms: Sequence[Term]) -> tuple[int, Gates]:
        """The sum of terms, left to right, behind the gates that they share."""
        gates = terms[0].gates
        for term in terms[1:]:
            if term.gates != gates:
                shared = [one == other for one, other in zip(gates, term.gates)]
                gates = gates[:shared.index(False) if False in shared else len(shared)]
        return self.sum([term._replace(gates=term.gates[len(gates):]) for term in terms]), gates

    def sum(self, terms: Sequence[Term]) -> int:
        """The sum of terms, each where its gates are open."""
        conditions = list(dict.fromkeys([term.gates[0][0] for term in terms if term.gates]))
        if len(conditions) == 1:                # then each side of it has a sum of its own
            terms = [self.chosen(conditions[0], terms)]
        elif conditions:
            grouped: dict[Any, list[Term]] = {}
            for i, term in enumerate(terms):
                grouped.setdefault(term.gates[0][0] if term.gates else (i,), []).append(term)
            terms = [self.chosen(key, group) if type(key) is int else group[0]
                     for key, group in grouped.items()]
        pairs = [x for g, p, _ in terms if not self.is_constant(g, 0.0) for x in (g, p)]
        if not pairs:
            return self.constant(0.0)
        return self.product(*pairs) if len(pairs) == 2 else self.emit(PRODUCTS, *pairs)

    def chosen(self, condition: int, terms: Sequence[Term]) -> Term:
        """The sum of terms behind one condition, or behind none."""
        sides = [self.sum([term._replace(gates=term.gates[1:]) for term in terms
                           if not term.gates or term.gates[0][1] is answer]) for answer in (True, False)]
        return Term(self.emit(choose, condition, *sides), self.constant(1.0), ())

    def product(self, g: int, p: int) -> int:
        if self.is_constant(p, 1.0):
            return g
        if self.is_constant(g, 1.0):
            return p
        return self.emit(mul, g, p)

    # -- partials ----------------------------------------------------------------------------------

    def partials(self, k: int, wanted: Sequence[bool]) -> list[int | None]:
        """The partials of a node by its operands, at least those that are wanted."""
        tape, op = self.tape, self.tape.ops[k]
        operands = tape.operands[k]
        xs = [self.at(x) for x in operands]
        if op is PRODUCTS:
            return [xs[i ^ 1] for i in range(len(xs))]
        plain = tuple([not tape.flows[x] for x in operands]) if self.again and not op.open else ()
        found: list[int | None] = [None] * len(xs)
        for i in [0] if op.open else [i for i, flag in enumerate(wanted) if flag]:
            rule = template(op, len(xs), i, self.again, plain)
            have = [self.at(k), *xs]
            for step, used in rule.steps:
                have.append(self.emit(step, *[have[x] if type(x) is int else self.constant(x) for x in used]))
            for j, p in enumerate(rule.partials):
                if p is not None:
                    found[j] = place = have[p] if type(p) is int else self.constant(p)
                    if rule.checks and wanted[j]:
                        self.check(self.place(place), rule.checks, have)
        return found

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


def order_under(tape: Recorded, roots: Iterable[int], everything: bool) -> list[int]:
    """The nodes under some, each after its operands, in the order in which `backward` meets them.

    Those that flow, by operands that have a partial; or `everything`.
    """
    ops, operands, flows = tape.ops, tape.operands, tape.flows
    seen: set[int] = set()
    found: list[int] = []
    stack: list[int] = []
    for root in roots:
        stack.append(root)
        while stack:
            k = stack.pop()
            if k < 0:                               # all operands of this node are done
                found.append(~k)
            elif k not in seen:
                seen.add(k)
                op = ops[k]
                if op is None:
                    below = []
                elif everything:
                    below = [x for x in operands[k] if x not in seen]
                elif op is not PRODUCTS and op.partly:
                    below = [x for x, has in zip(operands[k], op.differentiable(len(operands[k])))
                             if has and flows[x] and x not in seen]
                else:
                    below = [x for x in operands[k] if flows[x] and x not in seen]
                if below:
                    stack.append(~k)
                    stack += below[::-1]
                else:
                    found.append(k)
    return found


def depends_on_others(tape: Recorded, roots: Sequence[int], own: Sequence[int]) -> bool:
    """Whether gradients flow from some nodes to leaves of somebody else's."""
    inputs = set(own)
    flows, operands = tape.flows, tape.operands
    return any([k not in inputs and True not in [flows[x] for x in operands[k]]
                for k in order_under(tape, [k for k in roots if flows[k]], False) if flows[k]])


def _varying(tape: Recorded, order: Sequence[int], inputs: Sequence[int]) -> set[int]:
    """The nodes that depend on the inputs."""
    found = set(inputs)
    ops, all_operands = tape.ops, tape.operands
    for k in order:
        op = ops[k]
        if op is not None and k not in found:
            operands: Sequence[int] = all_operands[k]
            if op is not PRODUCTS and op.partly:
                operands = [x for x, has in zip(operands, op.differentiable(len(operands))) if has]
            for x in operands:
                if x in found:
                    found.add(k)
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
    if not tape.depth:
        tape.firm.add(tape.places[k])
    return tape.made(k)


def pulled(tape: Recorded, outputs: Sequence[tuple[int, Any]], inputs: Sequence[int]) -> list[int | None]:
    """The same on nodes."""
    roots = [y for y, _ in outputs if tape.flows[y]]
    seeds = [tape.node(seed) for y, seed in outputs if tape.flows[y]]
    again = depends_on_others(tape, roots, inputs) or any([tape.flows[seed] for seed in seeds])
    own = set(inputs)
    again = again or any([tape.flows[x] for k in inputs for x in tape.operands[k]])
    order = order_under(tape, roots, again or len(outputs) > 1)
    varying = _varying(tape, order, inputs)
    write = Writer(tape, again)
    arrived: dict[int, list[Term]] = {}
    one = write.constant(1.0)
    for y, seed in zip(roots, seeds):
        arrived.setdefault(y, []).append(Term(write.at(seed), one, ()))
    found: dict[int, int] = {}
    for k in reversed(order):
        terms = arrived.pop(k, None)
        if terms is None or k not in varying:
            continue
        g, gates = write.total(terms)
        if k in own:
            found[k] = write.leave(g, gates)
            continue
        if write.is_constant(g, 0.0):
            continue
        op, operands = tape.ops[k], tape.operands[k]
        if op is identity:
            terms = [Term(g, one, gates)]
        elif op is choose:
            condition, then, otherwise = operands
            for x, answer in ((then, True), (otherwise, False)):
                if x in varying:
                    arrived.setdefault(x, []).append(Term(g, one, (*gates, (write.at(condition), answer))))
            continue
        else:
            terms = [Term(g, p, gates) for p in write.partials(k, [x in varying for x in operands])]
        for x, term in zip(operands, terms):
            if term.p is not None and x in varying:
                arrived.setdefault(x, []).append(term)
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
    again = (depends_on_others(tape, roots, inputs) or any([tape.flows[t] for t in moved.values()])
             or any([tape.flows[x] for k in inputs for x in tape.operands[k]]))
    write = Writer(tape, again)
    one = write.constant(1.0)
    along = {k: write.at(t) for k, t in moved.items()}
    own = set(inputs)
    for k in order_under(tape, roots, True):
        op, operands = tape.ops[k], tape.operands[k]
        if k in own or op is None or not any([x in along for x in operands]):
            continue
        if op is choose:
            condition, *sides = [write.at(x) for x in operands]
            zero = write.constant(0.0)
            moves = [along.get(x, zero) for x in operands[1:]]
            along[k] = write.emit(choose, condition, *moves)
            continue
        partials = [one] if op is identity else write.partials(k, [x in along for x in operands])
        terms = [Term(along[x], p, ()) for x, p in zip(operands, partials) if p is not None and x in along]
        if terms:
            along[k] = write.total(terms)[0]
    found = [None if y is None else along.get(y) for y in outputs]
    return [0.0 if x is None else computed(tape, x if again else tape.append(None, (), x, False))
            for x in found]
