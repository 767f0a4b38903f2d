"""`Replay`: a big recorded program, run natively by a loop over its tables."""
from __future__ import annotations

import functools
from typing import Any

from autograd_lite.modes import uncollected
from autograd_lite.native import loop
from autograd_lite.native.engine import Library
from autograd_lite.native.forms import Forms
from autograd_lite.native.loop import FIELDS
from autograd_lite.native.tables import Tables
from autograd_lite.programs.layout import Dense
from autograd_lite.programs.recording import Recording

_LOOK, _HOLDS = -1, -2                          # what is asked of an event that is no guard


class Address(int):
    """An address of native code, and what must live as long as it is used."""

    owner: Any


def core(recording: Recording) -> Address:
    """The address of the native code of a big recording: a function of its inputs and its results.

    Raises:
        Untranslatable: it calls functions of the user's.
    """
    return Replay(recording).core


class Replay:
    """A program as tables, and a native function of buffers over them.

    Attributes:
        address: of the program, for the loop: a native function ``(program, inputs, results)`` that returns
            DONE, or an int as the Python target does. The inputs are followed by captured numbers.
        inputs, outputs: how many.
        bytes: what the tables and one memory take.

    Raises:
        Untranslatable: it calls functions of the user's.
    """

    def __init__(self, recording: Recording):
        import numpy

        forms, tables = uncollected(_tabled, recording)
        np, table, runs = numpy, tables.table, tables.runs.copy()
        self.np, self.inputs, self.outputs = numpy, tables.inputs, len(tables.outputs)
        runs[:, 0] = np.array(loop.addresses(tables.kernels), np.int64)[runs[:, 0]]
        runs[:, 1] = table.ctypes.data + table.itemsize * runs[:, 1]
        events, others, looks = events_of(forms, tables)
        arrays = {"constant_numbers": tables.constants, "run_rows": runs, "look_places": looks,
                  "other_rows": others, "event_rows": events,
                  "output_places": tables.outputs.astype(np.int32)}
        memory = np.full(tables.size, 0.0)      # (a large one in few pages, where the system can do that)
        memory[self.inputs:self.inputs + len(tables.constants)] = tables.constants
        arrays = {name: np.ascontiguousarray(x) for name, x in arrays.items()}
        counts = {"size": tables.size, "inputs": self.inputs, "constants": len(tables.constants),
                  "runs": len(runs), "looks": len(looks), "others": len(others), "events": len(events),
                  "outputs": self.outputs}
        facts = {"spare": memory.ctypes.data, "own": memory.ctypes.data, **counts,
                 **{name: x.ctypes.data for name, x in arrays.items()}}
        self._program = np.array([facts[name] for name in FIELDS], np.int64)
        self._owned = table, memory, arrays
        self.address: int = self._program.ctypes.data
        self.bytes = 8 * tables.size + table.nbytes + sum([x.nbytes for x in arrays.values()])

    @functools.cached_property
    def core(self) -> Address:
        """The address of a function of the buffers alone."""
        made = Address(Library(f"""
define i64 @core(ptr %in, ptr %out) {{
  %y = tail call i64 inttoptr (i64 {loop.library()["replay"]} to ptr)(
    ptr inttoptr (i64 {self.address} to ptr), ptr %in, ptr %out)
  ret i64 %y
}}
""", 0, stored=False)["core"])
        made.owner = self
        return made


def _tabled(recording: Recording) -> tuple[Forms, Tables]:
    forms = Forms(Dense(recording))
    return forms, Tables(forms)


def events_of(forms: Forms, tables: Tables) -> tuple[Any, Any, Any]:
    """All that must hold in its order; what of it is more than a number that must be finite; the others."""
    np = tables.np
    slots, recording = tables.slots, forms.plan.recording
    looks = np.array(forms.looks, np.int64).reshape(len(forms.looks), 2)
    # (at, place, side, what): of what is at the same place, guards come first
    rows = [np.stack([looks[:, 0], slots[looks[:, 0]], slots[looks[:, 1]], np.full(len(looks), _LOOK)], 1)]
    if forms.holds:
        holds = np.array(forms.holds, np.int64)
        rows.append(np.stack([holds[:, 2], slots[holds[:, 0]], slots[holds[:, 1]],
                              np.full(len(holds), _HOLDS)], 1))
    if recording.guards:
        rows.insert(0, np.array([(guard.at, slots[k], slots[forms.one], i)
                                 for i, (guard, k) in enumerate(zip(recording.guards, forms.guards))]))
    events = np.concatenate(rows)
    events = events[np.argsort(events[:, 0], kind="stable"), 1:]
    plain = (events[:, 2] == _LOOK) & (events[:, 1] == slots[forms.one])
    return events.astype(np.int32), events[~plain].astype(np.int32), events[plain, 0].astype(np.int32)
