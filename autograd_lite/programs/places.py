"""`Places`: the nodes of one run of a function, by their places, and the code that computes them."""
from __future__ import annotations

from collections import defaultdict
from typing import Any

from autograd_lite.graph import node as nodes
from autograd_lite.graph.value import Value
from autograd_lite.lines import user_line
from autograd_lite.ops.op import number
from autograd_lite.programs.code import CONSTANT, SIMPLER, WITH_CONSTANT, Code
from autograd_lite.programs.integers import Whole
from autograd_lite.programs.recording import Guard, Sides


class Places:
    """The nodes of one run of a function, by their places, and the code that computes them.

    A node is recorded for each operation, as eagerly, so that gradients add up in the same order; equal ones
    share an instruction of the code. `operands` are places of nodes. A node `flows` if it depends on what
    somebody differentiates by.
    """

    def __init__(self) -> None:
        self.code = Code()
        self.ops: list[Any] = []
        self.operands: list[tuple[int, ...]] = []
        self.places: list[int] = []                     # of their instructions in the code
        self.flows: list[bool] = []
        self.guards: list[Guard] = []
        self.captured: list[tuple[Value, int]] = []     # the caller's Values, and their nodes
        self.labels: dict[int, str] = {}                # of places in the code
        self.idle: list[int] = []                       # nodes that a run may leave out
        self.within = defaultdict[Sides, list[int]](list)       # nodes that it may leave out of other sides
        self.firm = defaultdict[Sides, set[int]](set)   # places that it may not leave out on these sides
        self.gradients: dict[int, int] = {}             # the places of gradients by nodes
        self.sources: list[int] = []                    # nodes from which others flow, among the first
        self.looked = 0                                 # of so many
        self.raised = False                             # whether an operation raised an error
        self.unseen = False                             # whether an int was needed that this cannot follow
        self.sides: Sides = ()                          # the branches of `select` that run
        self._captured: dict[int, int] = {}             # by the id of a Value
        self._plain: dict[Any, int] = {}                # by a number
        self.given: list[int] = []                      # nodes of arguments and of plain numbers
        self.lists: dict[Any, int] = {}                 # nodes of lists, entries and indices: see `listed`
        self.tables: dict[int, Any] = {}                # what `take` knows of rows, by their id
        self.seen: dict[int, int] = {}                  # the ids of what the function reads
        self.rows: list[list[Value]] = []               # of large tables among these, from which it takes
        self.noted: list[Value] = []                    # by operations: they have no places yet
        self.all_made: list[Value] = []

    def append(self, op: Any, operands: tuple[int, ...], place: int, flows: bool) -> int:
        """A new node."""
        self.ops.append(op)
        self.operands.append(operands)
        self.places.append(place)
        self.flows.append(flows)
        return len(self.ops) - 1

    def node(self, x: Any, where: str = "Value") -> int:
        """The node of a number; the caller's Values become inputs, plain numbers constants."""
        if self.noted:
            self.settle()
        if type(x) is not Value:
            x = self.operand(x, where)
        if type(x) is float:
            key = x or repr(x)                          # (0.0 and −0.0 are two numbers)
            k = self._plain.get(key)
            if k is None:
                k = self._plain[key] = self.append(None, (), self.code.constant(x), False)
                self.given.append(k)
            return k
        if x._b is self:
            return x._pa  # type: ignore[no-any-return]
        k = self._captured.get(id(x))
        if k is None:
            nodes.refuse_leaked([x])
            k = self.append(None, (), self.code.input(x._data), x._grad is not None)
            self._captured[id(x)] = k
            self.captured.append((x, k))
        return k

    def operand(self, x: Any, where: str) -> Any:
        """A number as an operand: a Value or a float."""
        if type(x) is Whole:
            x = x.value
        if type(x) is Value:
            return x
        if hasattr(type(x), "__take__"):                # (an index only chooses)
            x.refuse(where, f"\n  {user_line()}")
        return float(number(x, where))                  # (a `Constant`, too)

    def settle(self) -> None:
        """Give places to the nodes that operations have noted."""
        if not self.noted:
            return
        noted = self.noted.copy()
        self.noted.clear()
        raised, self.raised = self.raised, True         # (if it does not get to the end)
        code, sides = self.code, self.within[self.sides] if self.sides else None
        done, used_by, data, known = code.ops, code.operands, code.data, code.known
        ops, all_operands, places, flags = self.ops, self.operands, self.places, self.flows
        captured, plain = self._captured, self._plain
        at: tuple[int, ...]
        used: tuple[int, ...]
        for out in noted:
            op, operands = out._operation, out._a
            if len(operands) == 2:              # (the common case, in less time)
                a, b = operands
                i = plain.get(a) if type(a) is not Value else a._pa if a._b is self else captured.get(id(a))
                k = plain.get(b) if type(b) is not Value else b._pa if b._b is self else captured.get(id(b))
                if i is None:
                    i = self.node(a)
                if k is None:
                    k = self.node(b)
                at, used = (i, k), (places[i], places[k])
            else:
                at = tuple([x._pa if type(x) is Value and x._b is self else self.node(x)
                            for x in operands])
                used = tuple([places[k] for k in at])
            mine = known[op]
            place = mine.get(used)
            if place is None:
                if op in SIMPLER or not used or done[used[0]] is CONSTANT or (
                        op in WITH_CONSTANT and done[used[1]] is CONSTANT):
                    place = code.new(op, used, out._data)
                else:
                    place = mine[used] = len(done)
                    done.append(op)
                    used_by.append(used)
                    data.append(out._data)
            out._pa = k = len(places)
            if sides is not None:
                sides.append(k)
            ops.append(op)
            all_operands.append(at)
            places.append(place)
            flags.append(out._grad is not None)
        self.all_made += noted
        self.raised = raised
