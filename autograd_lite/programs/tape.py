"""`Tape`: what a function computes, recorded as it runs on numbers that stand for any numbers."""
from __future__ import annotations

import contextvars
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

from autograd_lite.errors import InputError, errstate
from autograd_lite.graph import node as nodes, value
from autograd_lite.graph.value import Value, new
from autograd_lite.lines import user_line
from autograd_lite.modes import current
from autograd_lite.ops.elementary import add, floordiv, identity, mod, mul, neg, sub
from autograd_lite.ops.op import Op, number
from autograd_lite.ops.selection import choose
from autograd_lite.programs.code import Code
from autograd_lite.programs import sweeps
from autograd_lite.programs.recording import Guard, Recording

_SIGNS: dict[Any, str] = {operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=",
                          operator.eq: "==", operator.ne: "!="}


_WHOLE = {add, sub, mul, neg, mod, floordiv}            # ops of ints that give ints


class Nodes:
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
        self.whole: set[int] = set()                    # the places of inputs that are ints
        self.labels: dict[int, str] = {}                # of places in the code
        self.firm: set[int] = set()
        self.own: list[int] = []                        # the nodes of Values that the function makes
        self.depth = 0                                  # how many branches of `select` run
        self._asked: set[Any] = set()
        self._node: dict[int, int] = {}                 # by the id of a Value
        self._made: list[Value] = []

    def append(self, op: Any, operands: tuple[int, ...], place: int, flows: bool) -> int:
        """A new node."""
        self.ops.append(op)
        self.operands.append(operands)
        self.places.append(place)
        self.flows.append(flows)
        return len(self.ops) - 1

    def node(self, x: Any, where: str = "Value") -> int:
        """The node of a number; the caller's Values become inputs, plain numbers constants."""
        k = self._node.get(id(x))
        if k is not None:
            return k
        if type(x) is Value:
            nodes.refuse_leaked([x])
            k = self.append(None, (), self.code.input(x._data), x.requires_grad)
            self._node[id(x)] = k
            self.captured.append((x, k))
            return k
        return self.append(None, (), self.code.constant(number(x, where)), False)

    def made(self, k: int, op: Op | None = None, operands: Any = None) -> Value:
        """A Value for a node."""
        x = new()
        x._data = self.code.data[self.places[k]]
        x._operation, x._a = op, operands
        x._b = x._pa = x._pb = None
        x._grad = nodes.ZERO if self.flows[k] else None
        self._node[id(x)] = k
        self._made.append(x)
        return x

    def input(self, x: float, whole: bool = False) -> Value:
        """An argument."""
        place = self.code.input(float(x))
        if whole:
            self.whole.add(place)
        return self.made(self.append(None, (), place, False))

    def alias(self, x: Any, flows: bool) -> Value:
        """The same number as a node of its own: one to differentiate by, or one that stops gradients."""
        k = self.node(x)
        op, operands = (identity, (k,)) if flows else (None, ())
        return self.made(self.append(op, operands, self.places[k], flows))

    def leaf(self, x: Value, given: Any) -> None:
        """A Value that the function itself makes of a number."""
        place = self.places[self.node(given)]
        x._data = self.code.data[place]
        self._node[id(x)] = k = self.append(None, (), place, x.requires_grad)
        self.own.append(k)
        self._made.append(x)

    def name(self, inputs: Sequence[Value], names: Sequence[str]) -> None:
        """Keep the labels of nodes as names of places; inputs without one have the names of the arguments."""
        for x in (*self._made, *[x for x, _ in self.captured]):
            if note := nodes.note_of(x).labels:
                self.labels.setdefault(self.places[self._node[id(x)]], note[0].name)
        for x, name in zip(inputs, names):
            self.labels.setdefault(self.places[self._node[id(x)]], name)

    def recording(self, inputs: Sequence[Value], outputs: Sequence[Any]) -> Recording:
        """The program that computes the outputs."""
        at = self.places
        return Recording(self.code, [at[self.node(x)] for x in inputs], [at[k] for _, k in self.captured],
                         [at[self.node(y)] for y in outputs], self.guards, self.labels, self.firm)

    def close(self) -> None:
        """End it: who has kept a number of this run is told so when it is used."""
        for x in self._made:
            x._data, x._operation, x._a, x._b, x._grad = math.nan, nodes.leaked, (), None, None
        self._made.clear()
        self._node.clear()


class Questions(Nodes):
    """What Python asks of the numbers of a run, each answer one on which what follows depends."""

    def refuse(self, what: str, remedy: str) -> None:
        """The error for what a run must not do."""
        raise InputError(f"{what} a compiled function: {remedy}\n  {user_line()}")

    def ask(self, text: str, operands: Sequence[Any], answer: Any) -> Any:
        """The answer to a question, on which what follows depends."""
        used = tuple([self.places[self.node(x)] for x in operands])
        if all(map(self.code.is_constant, used)) or (text, used) in self._asked:
            return answer
        self._asked.add((text, used))
        self.guards.append(Guard(text, used, answer, len(self.code), user_line()))
        return answer

    def is_number(self, x: Any) -> bool:
        """Whether a Value stands for what is a plain number in an eager run."""
        k = self.node(x)
        return not self.flows[k] and k not in self.own and all([k != at for _, at in self.captured])

    def compare(self, holds: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
        """Whether a comparison holds."""
        other = b._data if type(b) is Value else b
        answer = holds(a._data, other)
        try:
            b = b if type(b) is Value else number(b)
        except InputError:
            return answer
        return self.ask(f"#1 {_SIGNS[holds]} #2", (a, b), bool(answer))

    def read(self, what: str, x: Any, *options: Any) -> Any:
        """What Python's int, round, format and the like make of a number."""
        if what == "data":
            return self.alias(x, False)
        if what in ("grad", "copy") or what.endswith("="):
            self.refuse(f"{'a ' if what == 'copy' else 'v.'}{what} within", "it would happen once, not "
                        "at each call; do it outside of it")
        if what == "__index__":
            if self.places[self.node(x)] not in self.whole:
                raise TypeError("'float' object cannot be interpreted as an integer")
            return self.ask("int(#1)", (x,), int(x._data))
        if what == "__float__" or what == "__complex__":
            raise InputError(f"{what.strip('_')}() of a number that is traced would freeze it: use "
                             f"autograd_lite.exp(v) and the like in place of math.exp(v)\n  {user_line()}")
        data = int(x._data) if self.places[self.node(x)] in self.whole else x._data
        number = "int(#1)" if type(data) is int else "#1"
        name = what.strip("_")
        if what == "__hash__" and not self.is_number(x):
            return object.__hash__(x)
        if what in ("__trunc__", "__floor__", "__ceil__"):
            name = f"math.{name}"
        function: Any = {"__int__": int, "__round__": round, "__format__": format,
                         "__repr__": repr, "__hash__": hash}.get(what)
        answer = function(data, *options) if function else getattr(data, what)()
        if what == "__repr__" and not self.is_number(x):
            self.ask("repr(#1)", (x,), answer)
            return None
        text = f"{name}({', '.join([number, *map(repr, options)])})"
        if type(answer) is float:               # (0.0 and -0.0 are two answers; a nan is one)
            self.ask(f"repr({text})", (x,), repr(answer))
            return answer
        return self.ask(text, (x,), answer)


live: WeakSet[Tape] = WeakSet()                 # those that record, in any thread


class Tape(Questions):
    """The nodes of one run, as its operations, questions and derivatives make them."""

    def record(self, run: Callable[[], Any]) -> Any:
        """What `run` returns; what it computes, in this thread or task, is recorded here."""
        def recorded() -> Any:
            value.tracing.set(self)
            return run()

        live.add(self)
        value.set_special(True, tracing=True)
        try:
            return contextvars.copy_context().run(recorded)
        finally:
            live.discard(self)
            value.set_special(bool(live), tracing=True)

    def apply(self, op: Op, operands: Sequence[Any]) -> Any:
        """The result of an op."""
        known, places, code = self._node, self.places, self.code
        at = []
        for x in operands:
            k = known.get(id(x))
            if k is None:
                if type(x) in (list, tuple, str) and op is mul:
                    return self.repeated(*operands)
                k = self.node(x, op.name)
            at.append(k)
        used = tuple([places[k] for k in at])
        place = code.known(op, used)
        if place is None:
            if len(used) < op.least or len(used) > op.most:
                raise op.miscounted(len(used))
            y = None if hasattr(op, "together") else op.evaluate([code.data[k] for k in used], operands)
            place = code.emit(op, used, y)
            if y is None and code.data[place] != code.data[place]:
                op.evaluate([code.data[k] for k in used], operands)         # (says what is wrong)
        if not self.depth:
            self.firm.add(place)
        if self.whole and op in _WHOLE and self.all_whole(used):
            self.whole.add(place)
        flags = self.flows
        flows = False
        for k in at:
            if flags[k]:
                flows = True
        if flows:
            if current(value.not_recording):
                return self.made(self.append(None, (), place, False))
            if op.partly:
                has = op.differentiable(len(at))
                for i in op.options:
                    if i < len(at) and flags[at[i]]:
                        raise InputError(f"{op.name}: operand {i + 1} is an option, with no derivative; "
                                         "give a float")
                flows = any([flags[k] for k, wanted in zip(at, has) if wanted])
        return self.made(self.append(op, tuple(at), place, flows), op, tuple(operands))

    def all_whole(self, places: Sequence[int]) -> bool:
        """Whether an int argument and ints made these."""
        return not self.whole.isdisjoint(places) and all([
            k in self.whole or self.code.is_constant(k) and self.code.data[k].is_integer() for k in places])

    @staticmethod
    def repeated(a: Any, b: Any) -> Any:
        """A list, tuple or text, as often as an int argument says."""
        return a * operator.index(b) if type(b) is Value else b * operator.index(a)

    def select(self, condition: Value, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """`select`: both branches, of which a run computes one."""
        if self.ops[self.node(condition)] is None:  # a constant: there is nothing to choose later
            return then() if self.compare(operator.ne, condition, 0.0) else otherwise()
        sides = []
        self.depth += 1
        try:
            for side, taken in ((then, condition._data), (otherwise, not condition._data)):
                try:
                    if taken:
                        sides.append(side())
                    else:
                        with errstate("ignore"):
                            sides.append(side())
                except (ValueError, ArithmeticError):       # (of Python's own numbers)
                    if taken:
                        raise
                    self.ask("#1 != #2", (condition, 0.0), bool(condition._data))
                    sides.append(math.nan)
        finally:
            self.depth -= 1
        return choose(condition, *sides)

    # -- derivatives -----------------------------------------------------------------------------

    def pull(self, trace: Any, seeded: Sequence[tuple[Any, Any]]) -> list[Any]:
        """`Trace.pull`, recorded."""
        return sweeps.pull(self, trace, seeded)

    def push(self, trace: Any, tangents: Sequence[Any]) -> list[Any]:
        """`pushed`, recorded."""
        return sweeps.push(self, trace, tangents)

    def lower(self, trace: Any, x: Any) -> Any:
        """A result for the caller of a transform: it stops gradients, unless they are somebody else's."""
        k = self.node(x)
        own = [self.node(y) for y in trace.inputs]
        return x if sweeps.depends_on_others(self, [k], own) else self.alias(x, False)
