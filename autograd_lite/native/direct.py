"""Direct calls: a compiled function at floats, and at lists and tuples of them, is one native call."""
from __future__ import annotations

import struct
import sys
import sysconfig
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.graph import value
from autograd_lite.graph.node import read_numbers
from autograd_lite.graph.value import Value
from autograd_lite.native.calls import DIRECT, FLOAT, shortened


def shorter(ordinary: Callable[..., Any], args: Sequence[Any], root: Any, program: Any
            ) -> Callable[..., Any] | None:
    """A function that does at arguments of such forms what an ordinary call does, but quicker; None if their
    forms, or that of the result, are others than floats and tuples and lists of them."""
    if program.way != "native" or sys.implementation.name != "cpython" or sysconfig.get_config_var(
            "Py_GIL_DISABLED"):
        return None                             # (objects may be laid out otherwise)
    forms, result = [list(_forms(x, float)) for x in args], list(_forms(program.result, Value))
    if any([set(inner) - {FLOAT} for _, *inner in forms]) or None in [*result, *[x[0] for x in forms]]:
        return None                             # (lists of lists, too)
    given = [outer for outer, *_ in forms]
    recording = program.recording
    if len(recording.inputs) + len(program.read) + len(recording.outputs) > _MOST:
        return None
    held, holding, modes = program.read, root.holding, vars(value)
    facts = {"program": program.core, "arguments": len(args), "numbers": len(program.recording.inputs),
             "results": len(program.recording.outputs), "ordinary": id(ordinary), "holds": id(holding.table),
             "true": id(True), "false": id(False), "reader": id(read_numbers), "captured": id(held),
             "held": len(held), "modes": id(modes), "special": id(_SPECIAL), "float": id(float),
             "tuple": id(tuple), "list": id(list)}
    packed = struct.pack(f"={len(DIRECT) + len(given) + len(result)}q", *[facts[name] for name in DIRECT],
                         *given, *result)
    return shortened(bytearray(packed), (ordinary, held, holding, program))  # type: ignore[no-any-return]


_MOST = 3000                                    # numbers on the stack
_SPECIAL = "special"                            # the name of the flag that says that any mode is on


def _forms(tree: Any, leaf: type) -> Any:
    """The forms of a structure's parts, the whole first; a None where it has none."""
    if type(tree) is leaf:
        yield FLOAT
    elif type(tree) in (list, tuple):
        yield 2 * len(tree) + (type(tree) is list)
        for x in tree:
            yield from _forms(x, leaf)
    else:
        yield None
