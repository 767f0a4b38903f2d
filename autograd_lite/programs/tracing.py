"""A run of a function on a `Tape`."""
from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.errors import GradientError, InputError, short
from autograd_lite.graph.value import Value
from autograd_lite.lines import Line
from autograd_lite.modes import uncollected
from autograd_lite.programs.arguments import entered, is_whole, names_of, parameters_of
from autograd_lite.programs.environment import Environment, drawn, random_state
from autograd_lite.programs.indices import Index, Indices
from autograd_lite.programs.integers import Whole, WholeResult
from autograd_lite.programs.progress import progress
from autograd_lite.programs.recording import Recording
from autograd_lite.programs.sweeps import pulled
from autograd_lite.programs.tape import Tape
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import leaves, rebuild


def place_of(f: Callable[..., Any]) -> str:
    """A function's name, and the line where it begins, if that is known."""
    code = getattr(inspect.unwrap(f), "__code__", None)
    return f"{name_of(f)}, {Line(code.co_filename, code.co_firstlineno, '')}," if code else name_of(f)


class Caught(InputError, ArithmeticError):
    """A function caught an error of an operation: what it did then holds only where the operation fails."""


class Traced(NamedTuple):
    """What a function computed.

    Attributes:
        recording: the program; captured: the Values it read that were not arguments.
        result: what the function returned, with a Value for each of the program's results.
        wanted: (if gradients were asked for) the Values on which it depends; inputs: the arguments' numbers.
        rows: lists of Values of large tables that it reads, from which it takes.
        later: the gradients that were asked for, if they are not written yet.
    """

    recording: Recording
    captured: Sequence[Value]
    result: Any
    wanted: Sequence[Value]
    rows: Sequence[list[Value]] = ()
    inputs: Sequence[Value] = ()
    later: Gradients | None = None

    def whole(self) -> Traced:
        """The same with the gradients."""
        if self.later is None:
            return self
        recording, wanted = uncollected(self.later.written, self.recording)
        return self._replace(recording=recording, wanted=wanted, later=None)


class Gradients:
    """The gradients of what was traced, by some Values: to be written when they are needed.

    Args:
        y: the node of the result; by: Values, and their nodes.
    """

    def __init__(self, name: str, tape: Tape, y: int, by: Sequence[tuple[Value, int]]):
        self.name, self.tape, self.y, self.by = name, tape, y, by

    def nodes(self) -> int:
        """A number by which the nodes are known, from which the gradients follow."""
        return hash((*self.tape.operands, *self.tape.places, *self.tape.flows))

    def written(self, recording: Recording) -> tuple[Recording, list[Value]]:
        """The recording with them, and the Values that have some."""
        tape, nodes, name = self.tape, self.nodes(), self.name
        with progress(name, tape.code.ops):
            found = pulled(tape, [(self.y, 1.0)], [k for _, k in self.by], last=True)
        shown = [(x, g) for (x, k), g in zip(self.by, found) if tape.flows[k] and g is not None]
        tape.name_gradients()
        outputs = [tape.places[k] for k in (self.y, *[g for _, g in shown])]
        tape.code.known.clear()                 # (none is written after the last)
        return (recording._replace(outputs=outputs, adds=True, firm=tape.all_firm(), nodes=nodes),
                [x for x, _ in shown])


def trace(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], backward: bool,
          environment: Environment, indices: Indices | None = None, by_inputs: bool = False) -> Traced:
    """Run f on numbers that stand for any others.

    Args:
        environment: what f reads.
        indices: the arguments that only choose.
        backward: whether to add to the results the gradients by the Values that f captures; by_inputs: and
            those by its arguments.

    Raises:
        InputError: it draws random numbers, or reads an iterator or the like.
    """
    for place in environment.unseen:
        raise InputError(f"{name_of(f)} reads {place}, which may give something else at each call: pass a "
                         "list of what it gives as an argument")
    for _ in range(3):
        before = random_state(environment.generators)
        run = functools.partial(uncollected, _traced, f, args, kwargs, backward, environment, indices,
                                by_inputs)
        traced = (None if environment.asks_types else run(True)) or run(False)
        source = drawn(before, random_state(environment.generators))
        if not source:
            return traced  # type: ignore[return-value]
        if threading.active_count() == 1:       # (another thread may have drawn them)
            break
    raise InputError(f"{name_of(f)} draws random numbers (from {source}), which a compiled function "
                     "would repeat: draw them outside and pass them as arguments")


def _traced(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], backward: bool,
            environment: Environment, indices: Indices | None, by_inputs: bool, any_ints: bool
            ) -> Traced | None:
    """One run: with ints that stand for any, or as they are now (and what follows holds for those alone).

    None if a run with any ints fails: it needs them as they are, or fails with these too.
    """
    tape, inputs, ints = Tape(), list[Value](), list[Whole]()
    tape.seen = environment.seen

    def enter(x: Any) -> Any:
        inputs.append(tape.input(x))
        if not is_whole(x):
            if by_inputs:
                inputs[-1] = tape.alias(inputs[-1], True)
            return inputs[-1]
        if not any_ints:
            return tape.int_of(inputs[-1])
        ints.append(Whole(tape, inputs[-1]))
        return ints[-1]

    def choosing(x: Any) -> Index:
        inputs.append(tape.input(x))
        return Index(tape, inputs[-1], names[len(inputs) - 1])

    def given(place: int | str, x: Any) -> Any:
        return entered(x, choosing if indices and indices.holds(place, len(args)) else enter)

    def run() -> Any:
        result = f(*[given(i, x) for i, x in enumerate(args)],
                   **{name: given(name, x) for name, x in kwargs.items()})
        found = leaves(result, lenient=True)
        for x in found:
            if type(x) is Index:
                x.refuse(f"the result of {name_of(f)}")
        outputs: list[Any] = [x.value if type(x) is Whole else x for x in found if type(x) is Whole
                              or isinstance(x, Value)]
        if Whole in map(type, found):
            result = rebuild(result, lambda x: WholeResult() if type(x) is Whole else x, lambda x: x)
        if backward:
            if not isinstance(result, Value):
                raise InputError(f"{name_of(f)} returned {short(result)}; backward needs one number that "
                                 "depends on Values")
            if not tape.flows[tape.node(result)]:
                raise GradientError(f"backward() of what {name_of(f)} returns: it carries no gradient")
        return result, [tape.node(y) for y in outputs]

    names = [*names_of([p.name for p in parameters_of(f)], args),
             *names_of(list(kwargs), list(kwargs.values()))]
    try:
        with progress(name_of(f), tape.ops, tape.noted):
            result, outputs = tape.record(run)
        if tape.unseen:
            return None
        if tape.raised:
            raise Caught(f"{name_of(f)} catches the error of an operation: only the eager way can do that")
        tape.name(inputs, names)
        given_at = [tape.node(x) for x in inputs]
        recording = tape.recording(given_at, outputs)
    except Exception:
        if ints:
            return None
        raise
    finally:
        tape.close(place_of(f))
    captured = [x for x, _ in tape.captured]
    if not backward:
        tape.code.known.clear()                 # (none is written after the last)
        recording = recording._replace(firm=tape.all_firm())
        return Traced(recording, captured, result, [], tape.rows, inputs)
    by = [*zip(inputs if by_inputs else [], given_at), *tape.captured]
    return Traced(recording._replace(size=len(tape.code)), captured, result, [], tape.rows, inputs,
                  Gradients(name_of(f), tape, outputs[0], by))
