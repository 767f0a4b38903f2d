"""What would be claimed if all nodes of one op had other partials: of another branch, or of a wrong slope."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from autograd_lite.diagnosis.evidence import Evidence
from autograd_lite.diagnosis.view import Array
from autograd_lite.graph.node import Node, op_of, partials_of

_LARGE = 4000                   # in larger graphs these are not looked at
_BRANCH, _OPERAND, _BEND, _SMOOTH = "branch", "operand", "bend", "smooth"
Change = Callable[[Sequence[float]], Sequence[float]]   # from the partials that a node has
Found = Iterator[tuple[str, list[Array]]]               # and what comes then to the input, at each point


def branches(evidence: Evidence) -> Found:
    """Ops that choose or have a kink, with no heed of the side they are on; each a sentence."""
    for op, kind in _kinds(evidence).items():
        changes: Mapping[str, Change] = {}
        if kind in (_BRANCH, _OPERAND):
            changes = {
                f"the first {kind} of {op} is differentiated, taken or not": lambda ps: (1.0, 0.0),
                f"the second {kind} of {op} is differentiated, taken or not": lambda ps: (0.0, 1.0),
                f"the {kind} of {op} that is not taken is differentiated": lambda ps: ps[::-1],
                f"each {kind} of {op} gets all of the gradient": lambda ps: (1.0, 1.0),
                f"each {kind} of {op} gets half of the gradient": lambda ps: (0.5, 0.5)}
        elif kind == _BEND:
            changes = {f"the slope of {op} is taken as 1 on both sides": lambda ps: (1.0,),
                       f"the slope of {op} is 0 where 1 belongs, and 1 where 0": lambda ps: (1.0 - ps[0],)}
        for text, change in changes.items():
            yield text, _changed(evidence, op, change)


def rests(evidence: Evidence) -> Found:
    """Smooth ops of one number, by name; what comes to the input is without what goes through them."""
    for op, kind in _kinds(evidence).items():
        if kind == _SMOOTH:
            yield op, _changed(evidence, op, lambda ps: (0.0,))


def _kinds(evidence: Evidence) -> dict[str, str]:
    """What the ops are that one may differentiate wrongly so; by the first node of each."""
    found: dict[str, str] = {}
    program = evidence.view.judged.program
    for node in program.nodes if len(program) <= _LARGE else ():
        op = op_of(node)
        if op is not None and op.name.isidentifier() and op.name not in found:
            n = len(node.operands)
            found[op.name] = (_BRANCH if op.chooses else _OPERAND if op.kink and n == 2 else
                              (_BEND if op.kink else _SMOOTH) if n == 1 else "")
    return found


def _changed(evidence: Evidence, op: str, change: Change) -> list[Array]:
    every = []
    for view in evidence.views:
        partials: dict[int, list[float | None]] = {}
        for k, node in enumerate(view.judged.program.nodes):
            if node.op == op and node.requires_grad:
                partials[k] = _with(node, change)
        every.append(partials)
    return evidence.otherwise(every)


def _with(node: Node, change: Change) -> list[float | None]:
    """The partials of a node, changed: those of the two operands that it chooses from, or of its first."""
    partials = list(partials_of(node))
    slots = range(1, 3) if len(partials) > 2 else range(len(partials))
    for i, p in zip(slots, change([partials[i] or 0.0 for i in slots])):
        partials[i] = p
    return partials
