"""Changes made all at once, or not at all: in C code, where no signal and no other thread comes between."""
from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from typing import Any

from autograd_lite.errors import GradientError
from autograd_lite.graph import node as nodes
from autograd_lite.graph.node import (Node, get_data, get_grad, held, lock, require_at_rest, set_data,
                                      set_grad, set_note)

_if_true = {True: None}.__getitem__             # (else a KeyError)
TRIES = 100


def setting_data(leaves: Iterable[Node], data: Iterable[float]) -> Iterable[Any]:
    """The change of leaves' numbers."""
    return map(set_data, leaves, data)


def setting_notes(nodes: Iterable[Node], notes: Iterable[Any]) -> Iterable[Any]:
    """The change of nodes' notes."""
    return map(set_note, nodes, notes)


def setting(thing: object, names: Iterable[str], values: Iterable[Any]) -> Iterable[Any]:
    """The change of a thing's attributes."""
    return map(setattr, repeat(thing), names, values)


def data_now(leaves: Iterable[Node]) -> Iterable[Any]:
    """The numbers of leaves, each in a tuple, in which a nan is equal to itself."""
    return zip(map(get_data, leaves))


def notes_now(nodes: Iterable[Node]) -> Iterable[Any]:
    """The notes of nodes."""
    return map(getattr, nodes, repeat("_note"), repeat(None))


def attributes_now(thing: object, names: Iterable[str]) -> Iterable[Any]:
    """A thing's attributes."""
    return map(getattr, repeat(thing), names)


def zero_grad(leaves: Sequence[Node]) -> None:
    """Set the gradients of all leaves to 0, or of none if it is interrupted."""
    with lock:
        require_at_rest(leaves)
        make(map(set_grad, leaves, [None if g is None else 0.0 for g in map(get_grad, leaves)]))


def add_gradients(leaves: Sequence[Node], gradients: Iterable[float]) -> bool:
    """Add to the gradients of all leaves, or of none if it is interrupted; whether that could be done.

    (Not within a pass, nor if one is frozen or a sum leaves the range of doubles.)
    """
    with lock:
        before = list(map(get_grad, leaves))
        if nodes.running is not None or None in before:
            return False
        totals = list(map(operator.add, before, gradients))
        if sum(totals) - sum(totals) == 0.0:
            make(map(set_grad, leaves, totals))
            return True
        return False


def change_gradients(what: str, leaves: Sequence[Node], work_out: Callable[[list[Any]], list[Any]]) -> None:
    """Set the gradients of all leaves to what is worked out from them, or of none if it is interrupted."""
    with lock:
        require_at_rest(leaves)
        change(what, lambda: zip(map(get_grad, leaves)),
               lambda: [map(set_grad, leaves, work_out(list(map(get_grad, leaves))))])


def gradients_now(leaves: Sequence[Node]) -> list[Any]:
    """The gradients of leaves at one moment, None for a frozen one; within a pass, as before it."""
    with lock:
        return list(map(get_grad if nodes.running is None else held, leaves))


def make(*changes: Iterable[Any]) -> None:
    """Make changes."""
    deque(chain(*changes), maxlen=0)


def change(what: str, now: Callable[[], Iterable[Any]],
           work_out: Callable[[], Iterable[Iterable[Any]]]) -> None:
    """Make the changes that are worked out from what is `now`: again, if that changes meanwhile.

    (A signal handler or another thread may change it; then their change comes first.)

    Raises:
        GradientError: it changes whenever they are worked out.
    """
    for _ in range(TRIES):
        before = list(now())
        changes = work_out()
        try:
            make(map(_if_true, map(operator.eq, now(), before)), *changes)
            return
        except KeyError:
            pass
    raise GradientError(f"{what} changes whenever its next state is worked out (by its schedule, say, or in "
                        "another thread); let the one wait for the other")
