"""`Tape`: what a function computes, recorded as it runs on numbers that stand for any numbers."""
from __future__ import annotations

import math
import operator
from collections import defaultdict
from collections.abc import Callable, Sequence
from numbers import Number
from typing import Any
from weakref import WeakSet

from autograd_lite.errors import InputError, errstate, recording
from autograd_lite.graph import node as nodes, value
from autograd_lite.graph.changes import notes_now
from autograd_lite.graph.node import NO_NOTE, ZERO
from autograd_lite.graph.value import Value, new
from autograd_lite.lines import user_line
from autograd_lite.locks import shared_lock
from autograd_lite.modes import apart, current
from autograd_lite.ops.elementary import identity
from autograd_lite.ops.op import Op
from autograd_lite.ops.selection import choose
from autograd_lite.programs.code import ROWS, Check, Step
from autograd_lite.programs.integers import Whole
from autograd_lite.programs.orders import depends_on_others
from autograd_lite.programs.places import Places
from autograd_lite.programs import sweeps
from autograd_lite.programs.recording import Guard, Recording, Sides

_SIGNS: dict[Any, str] = {operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=",
                          operator.eq: "==", operator.ne: "!="}


class _Exact:
    """The question whether a double holds every whole number of this size."""

    source = "x: -9007199254740992.0 < x < 9007199254740992.0"

    @staticmethod
    def holds(x: float) -> bool:
        return -2.0 ** 53 < x < 2.0 ** 53


_EXACT = _Exact()


class Nodes(Places):
    """The same, with Values that stand for them, and the program that they make."""

    def made(self, k: int) -> Value:
        """A Value for a node. (It stands in the Value's own slots.)"""
        x = new()
        x._data = self.code.value(self.places[k])
        x._operation, x._a, x._b, x._pa, x._pb, x._note = None, (), self, k, None, NO_NOTE
        x._grad = ZERO if self.flows[k] else None
        self.all_made.append(x)
        return x

    def input(self, x: float) -> Value:
        """An argument."""
        self.given.append(self.append(None, (), self.code.input(float(x)), False))
        return self.made(self.given[-1])

    def alias(self, x: Any, flows: bool) -> Value:
        """The same number as a node of its own: one to differentiate by, or one that stops gradients."""
        k = self.node(x)
        op, operands = (identity, (k,)) if flows else (None, ())
        return self.made(self.append(op, operands, self.places[k], flows))

    def listed(self, step: Step, operands: tuple[int, ...], y: Any, idle: bool = True) -> int:
        """The one node of a list, of an entry of one, or of an index, which is y now."""
        key = (step, operands, idle or self.sides)
        k = self.lists.get(key)
        if k is None:
            place = self.code.emit(step, tuple([self.places[x] for x in operands]), y)
            flows = any([self.flows[x] for x in operands])
            k = self.lists[key] = self.append(step, operands, place, flows)
            if idle:
                self.idle.append(k)
            elif self.sides:
                self.within[self.sides].append(k)
        return k

    def leaf(self, x: Value, given: Any) -> None:
        """A Value that the function itself makes of a number."""
        place = self.places[self.node(given)]
        x._data = self.code.value(place)
        x._b, x._pa, x._note = self, self.append(None, (), place, x.requires_grad), nodes.note_of(x)
        self.all_made.append(x)

    def name(self, inputs: Sequence[Value], names: Sequence[str]) -> None:
        """Keep the labels of nodes as names of places; inputs without one have the names of the arguments."""
        every = [x for x in self.all_made if x._note is not NO_NOTE] + [x for x, _ in self.captured]
        for x, note in zip(every, notes_now(every)):
            if note and note.labels:
                self.labels.setdefault(self.places[self.node(x)], note.labels[0].name)
        for x, name in zip(inputs, names):
            self.labels.setdefault(self.places[self.node(x)], name)
        self.name_gradients()

    def name_gradients(self) -> None:
        """Name the gradients by nodes that have names."""
        for k, place in self.gradients.items():
            if self.places[k] in self.labels:
                self.labels.setdefault(place, f"d_{self.labels[self.places[k]]}")

    def recording(self, inputs: Sequence[int], outputs: Sequence[int]) -> Recording:
        """The program that computes the outputs; all are nodes."""
        at = self.places
        return Recording(self.code, [at[k] for k in inputs], [at[k] for _, k in self.captured],
                         [at[k] for k in outputs], self.guards, self.labels, {})

    def hold(self, place: int, gates: Sides = ()) -> None:
        """Note a place that eager code computes where this is run, and these gates are open."""
        self.firm[*self.sides, *gates].add(place)

    def all_firm(self) -> dict[Sides, set[int]]:
        """The places that eager code computes, used or not, on the sides of choices that are not settled."""
        found, code = defaultdict[Sides, set[int]](set), self.code
        elsewhere = {*self.idle, *[k for kept in self.within.values() for k in kept]}
        self.firm[()].update([place for k, (op, place) in enumerate(zip(self.ops, self.places))
                              if op is not None and k not in elsewhere])
        for sides, kept in self.within.items():
            self.firm[sides].update([self.places[k] for k in kept])
        for sides, places in self.firm.items():
            if all([bool(code.data[c]) is answer for c, answer in sides if code.is_constant(c)]):
                found[tuple([side for side in sides if not code.is_constant(side[0])])] |= places
        return dict(found)


class Questions(Nodes):
    """What Python asks of the numbers of a run, each answer one on which what follows depends."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: set[Any] = set()

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

    def compare(self, holds: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
        """Whether a comparison holds."""
        b = b.value if type(b) is Whole else b
        other = b._data if type(b) is Value else b
        answer = holds(a._data, other)
        if type(b) is Value or type(b) is float:
            return self.ask(f"#1 {_SIGNS[holds]} #2", (a, b), bool(answer))
        if isinstance(b, int):                  # (compared exactly, however large)
            return self.ask(f"#1 {_SIGNS[holds]} {int(b)}", (a,), bool(answer))
        if isinstance(b, Number):               # (a Fraction, say: only the eager way compares exactly)
            self.raised = True
        return answer

    def int_of(self, x: Value) -> int:
        """The int that it is now."""
        return self.ask("int(#1)", (x,), int(x._data))  # type: ignore[no-any-return]

    def read(self, what: str, x: Any, *options: Any) -> Any:
        """What Python's int, round, format and the like make of a number."""
        if what == "data":
            return self.alias(x, False)
        if what == "grad" or what.endswith("="):
            self.refuse(f"v.{what} within", "it would happen once, not at each call; do it outside of it")
        if what == "__index__":
            raise TypeError("'float' object cannot be interpreted as an integer")
        if what == "__float__" or what == "__complex__":
            raise InputError(f"{what.strip('_')}() of a number that is traced would freeze it: use "
                             f"autograd_lite.exp(v) and the like in place of math.exp(v)\n  {user_line()}")
        data, name = x._data, what.strip("_")
        if what in ("__trunc__", "__floor__", "__ceil__"):
            name = f"math.{name}"
        function: Any = {"__int__": int, "__round__": round, "__format__": format,
                         "__repr__": repr}.get(what)
        answer = function(data, *options) if function else getattr(data, what)()
        if (what == "__repr__" or what == "__format__" and options == ("",)) and x._b is not self:
            self.raised = True                  # (its text shows its label and gradient)
            return repr(x) if options else None
        if what == "__repr__" and self.flows[self.node(x)]:     # (to others it is a plain number)
            self.ask("repr(#1)", (x,), answer)
            return None
        written = ["#1", *[repr(x).replace("#", "\\x23") for x in options]]
        text = f"{name}({', '.join(written)})"
        if type(answer) is float:               # (0.0 and -0.0 are two answers; a nan is one)
            self.ask(f"repr({text})", (x,), repr(answer))
            return answer
        return self.ask(text, (x,), answer)

    def close(self, f: str) -> None:
        """End it: who has kept a number of this run is told so, and of which function, when it is used."""
        nan, leaked = math.nan, nodes.leaked
        for x in self.all_made + self.noted:
            x._data = nan
            x._operation = leaked
            x._a = ()
            x._pa = f
            x._b = x._grad = None
        self.all_made.clear()
        self.noted.clear()


live: WeakSet[Tape] = WeakSet()                 # those that record, in any thread
_lock = shared_lock()


class Tape(Questions):
    """The nodes of one run, as its operations, questions and derivatives make them."""

    def record(self, run: Callable[[], Any]) -> Any:
        """What `run` returns; what it computes, in this thread or task, is recorded here."""
        def recorded() -> Any:
            value.tracing.set(self)
            outer = recording.set(self)
            try:
                result = run()
                self.settle()
                return result
            finally:
                recording.reset(outer)

        with _lock:                             # (another thread may end its run just now)
            live.add(self)
            value.set_special(True, tracing=True)
        try:
            return apart(value.tracing, recorded)
        finally:
            with _lock:
                live.discard(self)
                value.set_special(bool(live), tracing=True)

    def apply(self, op: Op, operands: Sequence[Any]) -> Any:
        """The result of an op."""
        xs = [x._data if type(x) is Value else x for x in operands]
        if [x for x in xs if type(x) is not float]:
            operands = tuple([self.operand(x, op.name) for x in operands])
            xs = [x._data if type(x) is Value else x for x in operands]
        try:
            y = op.forward(*xs)
            if y - y != 0.0 or len(xs) > op.most:
                y = self.evaluated(op, xs, operands)
        except (ValueError, ArithmeticError, TypeError):
            y = self.evaluated(op, xs, operands)
        flows = [type(x) is Value and x._grad is not None for x in operands]
        if True in flows:
            if op.partly:
                flows = self.flowing(op, flows)
            if value.entered[0] and current(value.not_recording):
                place = self.code.emit(op, tuple([self.places[self.node(x, op.name)] for x in operands]), y)
                self.hold(place)
                return self.made(self.append(None, (), place, False))
        out = new()
        out._data, out._operation, out._a, out._b, out._pa, out._pb = y, op, (*operands,), self, None, None
        out._grad, out._note = ZERO if True in flows else None, NO_NOTE
        self.noted.append(out)
        return out

    def evaluated(self, op: Op, xs: Sequence[float], operands: Sequence[Any]) -> float:
        """An op's result where it is not ordinary; its error, which the function may catch, is noted."""
        for x in operands:                      # (one that was kept from elsewhere is refused)
            self.node(x, op.name)
        raised, self.raised = self.raised, True
        y = op.evaluate(xs, operands)
        self.raised = raised
        return y

    def flowing(self, op: Op, flows: Sequence[bool]) -> list[bool]:
        """By which operands gradients flow."""
        for i in op.options:
            if i < len(flows) and flows[i]:
                raise InputError(f"{op.name}: operand {i + 1} is an option, with no derivative; give a float")
        return [flow and has for flow, has in zip(flows, op.differentiable(len(flows)))]

    def exactly(self, y: Value, signed: bool) -> Whole:
        """A result of ints, where a double holds it; `signed` if 0 may come out as −0.0."""
        if signed:
            y += 0.0
        place = self.places[self.node(y)]
        if not self.code.is_constant(place):
            self.code.checks.setdefault(place, [Check(_EXACT, (place,))])
        self.raised |= not _EXACT.holds(y._data)
        return Whole(self, y)

    def select(self, condition: Value, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """`select`: both branches, of which a run computes one."""
        if self.ops[self.node(condition)] is None:  # a constant: there is nothing to choose later
            return then() if self.compare(operator.ne, condition, 0.0) else otherwise()
        found, outer = [], self.sides
        try:
            for side, answer in ((then, True), (otherwise, False)):
                taken = bool(condition._data) is answer
                self.settle()                   # (what was noted on other sides)
                self.sides = (*outer, (self.places[self.node(condition)], answer))
                try:
                    found.append(side() if taken else errstate("ignore").run(side))
                except (ValueError, ArithmeticError, IndexError):       # (of Python's own numbers; `take`)
                    if taken:
                        raise
                    self.ask("#1 != #2", (condition, 0.0), bool(condition._data))
                    found.append(math.nan)
        finally:
            self.settle()
            self.sides = outer
        return choose(condition, *found)

    # -- derivatives -----------------------------------------------------------------------------

    def pull(self, trace: Any, seeded: Sequence[tuple[Any, Any]]) -> list[Any]:
        """`Trace.pull`, recorded."""
        return sweeps.pull(self, trace, seeded)

    def push(self, trace: Any, tangents: Sequence[Any]) -> list[Any]:
        """`pushed`, recorded."""
        return sweeps.push(self, trace, tangents)

    def require_all_used(self, name: str, inputs: Sequence[Value]) -> None:
        """Raise an error if an index takes one of these numbers, or of what is computed from them."""
        depends = {self.node(x) for x in inputs}
        for k, operands in enumerate(self.operands):
            if not depends.isdisjoint(operands):
                if self.ops[k] is ROWS:
                    raise InputError(f"{name}: unused='raise' asks which rows are taken, and a compiled "
                                     "function takes others at each call: leave it out, or the index out of "
                                     "`indices`")
                depends.add(k)

    def lower(self, trace: Any, x: Any) -> Any:
        """A result for the caller of a transform: it stops gradients, unless they are somebody else's."""
        k = self.node(x)
        own = [self.node(y) for y in trace.inputs]
        return x if depends_on_others(self, [k], own) else self.alias(x, False)
