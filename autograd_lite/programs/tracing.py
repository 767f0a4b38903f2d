"""A run of a function on a `Tape`."""
from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.errors import InputError, short
from autograd_lite.graph.value import Value
from autograd_lite.programs.arguments import entered, names_of, parameters_of
from autograd_lite.programs.environment import Environment, drawn, random_state
from autograd_lite.programs.progress import progress
from autograd_lite.programs.recording import Recording
from autograd_lite.programs.sweeps import pulled
from autograd_lite.programs.tape import Tape
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import leaves


class Traced(NamedTuple):
    """What a function computed.

    Attributes:
        recording: the program; captured: the Values it read that were not arguments.
        result: what the function returned, with a Value for each of the program's results.
        wanted: (if the gradients by captured Values were asked for) those on which it depends.
    """

    recording: Recording
    captured: Sequence[Value]
    result: Any
    wanted: Sequence[Value]


def trace(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], backward: bool,
          environment: Environment) -> Traced:
    """Run f on numbers that stand for any others.

    Args:
        environment: what f reads.
        backward: whether to add to the results the gradients by the Values that f captures.

    Raises:
        InputError: it draws random numbers.
    """
    for _ in range(3):
        before = random_state(environment.generators)
        traced = _traced(f, args, kwargs, backward)
        source = drawn(before, random_state(environment.generators))
        if not source:
            return traced
        if threading.active_count() == 1:       # (another thread may have drawn them)
            break
    raise InputError(f"{name_of(f)} draws random numbers (from {source}), which a compiled function "
                     "would repeat: draw them outside and pass them as arguments")


def _traced(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], backward: bool) -> Traced:
    tape, inputs, wanted = Tape(), list[Value](), list[Value]()

    def enter(x: Any) -> Value:
        inputs.append(tape.input(x, isinstance(x, int)))
        return inputs[-1]

    def run() -> Any:
        given, named = entered((list(args), kwargs), enter)
        result = f(*given, **named)
        outputs: list[Any] = [x for x in leaves(result, lenient=True) if isinstance(x, Value)]
        if backward:
            if not isinstance(result, Value):
                raise InputError(f"{name_of(f)} returned {short(result)}; backward needs one number that "
                                 "depends on Values")
            found = pulled(tape, [(tape.node(result), 1.0)], [k for _, k in tape.captured])
            for (x, k), gradient in zip(tape.captured, found):
                if tape.flows[k] and gradient is not None:
                    wanted.append(x)
                    outputs.append(gradient)
        return result, outputs

    enabled = gc.isenabled()
    gc.disable()
    try:
        with progress(name_of(f), tape.ops):
            result, outputs = tape.record(run)
        tape.name(inputs, names_of([p.name for p in parameters_of(f)], args))
        recording = tape.recording(inputs, outputs)
    finally:
        tape.close()
        if enabled:
            gc.enable()
    return Traced(recording, [x for x, _ in tape.captured], result, wanted)
