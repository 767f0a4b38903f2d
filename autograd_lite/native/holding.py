"""Whether all that a program reads is as it was, asked natively as far as that goes."""
from __future__ import annotations

import re
import struct
from types import CellType, FunctionType
from typing import Any

from autograd_lite.graph import node
from autograd_lite.native.calls import ABSENT, CELL, FACT, ITEM, SIZE
from autograd_lite.programs.environment import asking

_FACTS = ("__code__", "__defaults__", "__kwdefaults__")
_FORMS = [(re.compile(pattern), kind) for pattern, kind in (
    (r"x(\d+)\[x(\d+)\] is x(\d+)\[(\d+)\]", ITEM), (r"x(\d+) not in x(\d+)", ABSENT),
    (r"x(\d+)\(x(\d+)\) == (\d+)", SIZE), (r"x(\d+)\.cell_contents is x(\d+)\[(\d+)\]", CELL),
    (rf"x(\d+)\.({'|'.join(_FACTS)}) is x(\d+)\[(\d+)\]", FACT))]


class Holding:
    """The questions of a `Root` as a table for `calls.holding`; it is written anew when they change.

    A question whose form is not known here is asked in Python.
    """

    def __init__(self, root: Any):
        self.root = root
        self.table = bytearray()
        self.state: Any = None
        self.holds = root.holds
        self.refresh()

    def refresh(self) -> None:
        """Write the table."""
        questions, turned = state = self.root.environment.questions, self.root.turned
        if state == self.state:
            return
        self.state = state
        things = {i: thing for i, thing in questions.things.values()}
        held, rest = [turned], list[str]()
        entries: list[tuple[int, ...]] = [(ITEM, id(vars(node)), id(_TURNED), id(held), 0)]
        for condition in questions.conditions:
            entry = _entry(condition, things)
            if entry:
                entries.append(entry)
            else:
                rest.append(condition)
        ask = asking(tuple(rest), len(things))(*[things[i] for i in range(len(things))]) if rest else None
        self.kept = held, ask                   # (what the table refers to)
        self.table[:] = struct.pack(f"={5 + 5 * len(entries)}q", len(entries), id(self.holds),
                                    id(ask) if ask else 0, id(None), id(Exception),
                                    *[x for entry in entries for x in entry])


_TURNED = "turned"                              # the count of changes of `requires_grad`


def _entry(condition: str, things: dict[int, Any]) -> tuple[int, ...] | None:
    """A question as words (see `calls`); None if its form is not known."""
    for form, kind in _FORMS:
        found = form.fullmatch(condition)
        if not found:
            continue
        words = found.groups()
        if kind == ABSENT:
            name, table = things[int(words[0])], things[int(words[1])]
            return (kind, id(table), id(name), 0, 0) if type(table) is dict and type(name) is str else None
        if kind == SIZE:
            length, thing = things[int(words[0])], things[int(words[1])]
            plain = length is len and type(thing) in (dict, list, tuple, set)
            return (kind, id(thing), int(words[2]), 0, 0) if plain else None
        first, *middle, kept, i = words
        asked, kept = things[int(first)], things[int(kept)]
        if kind == ITEM:
            name = things[int(middle[0])]
            if type(asked) is not dict or type(name) is not str:
                return None
            return kind, id(asked), id(name), id(kept), int(i)
        if type(asked) is not (CellType if kind == CELL else FunctionType):
            return None
        return kind, id(asked), _FACTS.index(middle[0]) if middle else 0, id(kept), int(i)
    return None
