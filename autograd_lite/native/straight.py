"""Straight-line code: a recorded program as one native function of its numbers."""
from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from autograd_lite.native.calls import DONE
from autograd_lite.native.engine import Library
from autograd_lite.native.language import Function, functions_in
from autograd_lite.native.llvm import Unit
from autograd_lite.native import runtime
from autograd_lite.native.sums import Floats
from autograd_lite.ops import special
from autograd_lite.ops.activations import sigmoid
from autograd_lite.ops.elementary import mul, power, sech2
from autograd_lite.ops.notation import Written
from autograd_lite.programs.code import SHARES
from autograd_lite.programs.layout import PASS
from autograd_lite.programs.python import Writer, infix
from autograd_lite.programs.recording import Recording


class NativeWriter(Writer):
    """Writes a program as a function of an array of its inputs, and of captured numbers after them, and one
    of its results; it returns DONE, or an int as the Python target has it."""

    sparse = False

    def __init__(self, recording: Recording):
        super().__init__(recording)
        self.taken |= {"inputs", "out"}

    def returned(self, texts: Sequence[str]) -> list[str]:
        return [*[f"out[{i}] = {text}" for i, text in enumerate(texts)], f"return {DONE}"]

    def expression(self, k: int) -> Written:
        op, operands = self.code.ops[k], self.code.operands[k]
        if op is sech2 and (x := self.halved(operands[0])) is not None:
            return self.called(self.named("sech2_of_half", runtime.sech2_of_half), [self.written(x)])
        if op is power and k in self.watched and self.code.is_constant(operands[1], 2.0):
            return infix(mul, *[self.written(operands[0])] * 2)
        if op is sech2 or op is sigmoid:        # (which are quicker than their expressions in Python)
            return self.called(self.named(op.name, op.forward), map(self.written, operands))
        return super().expression(k)

    @functools.cached_property
    def watched(self) -> set[int]:
        """The places whose numbers matter only in that they must be finite. (A square is so where x·x is.)"""
        code, found = self.code, set(self.needed)
        found -= {*self.recording.outputs, *[x for guard in self.recording.guards for x in guard.operands]}
        for k in reversed(self.needed):
            if k not in found or code.ops[k] not in PASS:
                found -= {x for x in code.operands[k] if x is not None}
            found -= {x for check in self.checks.get(k, ()) for x in check.operands}
        return found

    def halved(self, k: int) -> int | None:
        """The place of which a place is half, if there is one."""
        if self.code.ops[k] is mul:
            for a, b in (self.code.operands[k], self.code.operands[k][::-1]):
                if self.code.is_constant(a, 0.5):
                    return b
        return None

    def step(self, op: Any, xs: Sequence[str]) -> Written:
        if op is SHARES:
            return self.called(self.named("softmax", special.shares), map(Written, xs))
        return super().step(op, xs)

    def assembled(self, name: str, inputs: Sequence[str], captured: Sequence[str]) -> str:
        return "\n".join([f"def {name}(inputs: Floats, out: Floats) -> int:",
                          *[f"    {x} = inputs[{i}]" for i, x in enumerate([*inputs, *captured])],
                          *self.body(), ""])

    def function(self, name: str = "f") -> Function:
        """The function, in the small language."""
        text = self.source(name)
        return functions_in(text, {**self.names, "Floats": Floats})[0]


def core(recording: Recording) -> int:
    """The address of the native code of a recording.

    Raises:
        Untranslatable: it does what native code cannot.
    """
    unit = Unit()
    unit.add(NativeWriter(recording).function(), "f", public=True)
    return Library(unit)["f"]
