"""`iterate`: state = f(state), many times, by the programs of a compiled function.

A step that no program is known to fit is a call of the compiled function; from there on the program that it
took goes on alone, in native code where that pays, until it does not fit.
"""
from __future__ import annotations

from array import array
import sys
from collections.abc import Mapping, Sequence
from itertools import islice
from time import perf_counter
from typing import Any

from autograd_lite.errors import InputError, short, type_name
from autograd_lite.graph import value
from autograd_lite.graph.node import read_numbers
from autograd_lite.native import iterate as native
from autograd_lite.native.calls import DONE
from autograd_lite.native.choice import patience
from autograd_lite.native.iterate import Layout, sources_of
from autograd_lite.ops.whole import whole
from autograd_lite.programs.arguments import Given, described, key_of
from autograd_lite.programs.eager import placed
from autograd_lite.programs.points import is_array, is_exact
from autograd_lite.programs.python import EAGER
from autograd_lite.transforms.structures import matched
from autograd_lite.transforms.trace import name_of

_MOST = 1000                                    # how many entries of several kinds are read at a time


class Rows:
    """What steps take besides the state: an entry for each.

    Raises:
        InputError: there are fewer than n.
    """

    def __init__(self, xs: Any, n: int):
        if getattr(xs, "shape", None) == () or not hasattr(xs, "__iter__"):
            raise InputError(f"iterate: over={short(xs)} must hold an entry for each step: a list, an array")
        if isinstance(xs, (Mapping, set, frozenset, str, bytes)):
            raise InputError(f"iterate: over is a {type_name(xs)}, which does not say what each step takes: "
                             "pass a list of that")
        self.xs = xs if hasattr(xs, "shape") else list(islice(xs, n))
        if len(self.xs) < n:
            raise InputError(f"iterate: over has {len(self.xs)} entries, fewer than the {n} steps")
        self.n = n
        self.keys: list[Any] = []               # of each, or one for all
        self.numbers = array("d")
        if n:
            self._read()

    def _read(self) -> None:
        """Find the keys and the numbers."""
        if hasattr(self.xs, "dtype") and (
                getattr(self.xs.dtype, "kind", "") in ("i", "u", "f") and is_exact(self.xs[:self.n])):
            import numpy

            self.keys = [described(self.xs[0], [])]
            self.numbers.frombytes(numpy.ascontiguousarray(self.xs[:self.n], float).tobytes())
        elif all([type(x) is float for x in self.xs]):
            self.keys, self.numbers = [float], array("d", self.xs)
        else:
            for x in self.xs:
                found: list[float] = []
                try:
                    self.keys.append(described(x, found))
                except Given:                   # (its step is a call)
                    self.keys.append(Given)
                self.numbers.extend(found)
        if self.keys.count(self.keys[0]) == len(self.keys):
            del self.keys[1:]

    def run(self, i: int, row: int) -> tuple[Any, int]:
        """The numbers from the i-th entry on, as an array and where they begin in it, counted in entries of
        so many; and up to which entry they are of one kind."""
        if len(self.keys) == 1:
            return (self.numbers, i), self.n
        end = i + 1
        while end < min(self.n, i + _MOST) and self.keys[end] == self.keys[i]:
            end += 1
        found = array("d", [x for k in range(i, end) for x in _numbers_in(self.xs[k])])
        return (found, 0), end


def _numbers_in(x: Any) -> list[float]:
    found: list[float] = []
    described(x, found)
    return found


class Loop:
    """A program as a loop in Python."""

    native = False

    def __init__(self, program: Any, layout: Layout):
        self.program, self.layout = program, layout

    def run(self, numbers: list[float], captured: Sequence[float], rows: Any, n: int, left: int, every: int
            ) -> tuple[int, int, list[float]]:
        """As many of n steps as the program fits.

        Args:
            numbers: those of the first step's arguments; the state among them becomes the last.
            rows: an array of all that follows the state, and which of its rows is the first step's.
            left: after how many steps a state is kept; every: and after how many more; 0 for none.

        Returns:
            DONE, or what the program returned that did not fit; how many steps were done; the kept states.
        """
        before, size, row, sources = self.layout
        head, state, tail = numbers[:before], numbers[before:before + size], numbers[before + size:]
        run, kept, status = self.program.run, list[float](), DONE
        as_it_is = list(sources) == list(range(len(self.program.recording.outputs)))
        for i in range(n):
            if row:
                at = row * (rows[1] + i)
                tail = rows[0][at:at + row]
            try:
                out = run(*head, *state, *tail, captured)
            except (ArithmeticError, ValueError):
                out = EAGER
            if type(out) is int:
                status = out
                break
            state = out if as_it_is else [x if isinstance(x, float) else out[x] for x in sources]
            left -= 1
            if not left:
                kept += state
                left = every
        else:
            i = n
        numbers[before:before + size] = state
        return status, i, kept


class Iteration:
    """n steps of a compiled function from a state.

    Args:
        first: arguments before the state; every: after how many steps a state is kept; 0 for none.
    """

    def __init__(self, compiled: Any, first: Sequence[Any], state: Any, n: int, every: int,
                 rows: Rows | None):
        self.compiled, self.first, self.state, self.n = compiled, first, state, n
        self.every, self.rows = every, rows
        self.kept: list[Any] = []

    def run(self) -> Any:
        """The last state."""
        i = 0
        while i < self.n:
            i = self.alone(i)
            if i < self.n:
                self.call(i)
                i += 1
        return self.state

    def arguments(self, i: int) -> Sequence[Any]:
        """Those of the i-th step."""
        more = () if self.rows is None else (self.rows.xs[i],)
        return (*self.first, self.state, *more)

    def call(self, i: int) -> None:
        """Let the compiled function do the i-th step."""
        try:
            new = self.compiled.once(self.arguments(i), {})
            if _key(new) != _key(self.state):
                matched(self.state, new, "the state", f"what {name_of(self.compiled.f)} returns")
        except Exception as error:
            placed(error, f"iterate, step {i}")
            raise
        self.state = new
        if self.every and not (i + 1) % self.every:
            self.kept.append(new)

    def alone(self, i: int) -> int:
        """Let programs do as many steps as they can, from the i-th on; the first that is left."""
        compiled = self.compiled
        if compiled.static or value.special:
            return i
        try:
            key, numbers = key_of(self.arguments(i), {})
        except Given:
            return i
        root = compiled.recent.get(key)
        if root is None or not root.holds():
            return i
        program, tried = root.last, set[Any]()
        row = 0 if self.rows is None else len(_numbers_in(self.rows.xs[i]))
        rows, end = (None, self.n) if self.rows is None else self.rows.run(i, row)
        start, state_key = i, _key(self.state)
        while program is not None and program not in tried:
            loop = self.loop_of(program, state_key, len(numbers), row, end - i)
            if loop is None:
                break
            program.settle()
            held = program.captured if loop.native else program.read
            status, done, kept = loop.run(
                numbers, read_numbers(held), rows and (rows[0], rows[1] + i - start), end - i,
                self.every - i % self.every if self.every else 0, self.every)
            if done:
                i += done
                tried.clear()
                size, places = loop.layout.size, _places(loop.layout.sources)
                before = loop.layout.before
                self.state = _made(program, places, numbers[before:before + size])
                self.kept += [_made(program, places, kept[j:j + size]) for j in range(0, len(kept), size)]
                root.last = compiled.latest = program
            if status < 0:
                break
            tried.add(program)
            program = next((x for x in list(program.groups[status].values()) if x not in tried), None)
        return i

    def loop_of(self, program: Any, state_key: Any, count: int, row: int, steps: int) -> Any:
        """A program as a loop, of so many numbers; None if it is none."""
        if not program.verified:
            return None
        loops = program.loops
        if not loops:
            result_key, sources = sources_of(program)
            layout = Layout(count - row - len(sources), len(sources), row, sources)
            loops["python"] = Loop(program, layout) if result_key == state_key else None
        target, program.steps = self.compiled.target, program.steps + steps
        if loops["python"] and target != "python" and (target or program.steps > patience(program.recording)):
            if "native" not in loops:
                start = perf_counter()
                loops["native"] = native.loop(program.recording, loops["python"].layout)
                program.seconds += perf_counter() - start
            return loops["native"] or loops["python"]
        return loops.get("native") or loops["python"]


def _key(x: Any) -> Any:
    try:
        return described(x, [])
    except Given:
        return None


def _places(sources: Sequence[int | float]) -> list[int]:
    """For each result the place of it in the state."""
    where = {source: i for i, source in enumerate(sources) if isinstance(source, int)}
    return [where[i] for i in range(len(where))]


def _made(program: Any, places: Sequence[int], numbers: Sequence[float]) -> Any:
    """A state from its numbers."""
    return program.shape([numbers[i] for i in places])


def iterate(compiled: Any, first: Sequence[Any], state: Any, n: Any, history: Any, over: Any) -> Any:
    """See `Compiled.iterate`."""
    if compiled.batch:
        raise InputError("iterate: the function is compiled for a batch; compile the step of one state, "
                         "without batch=")
    steps = min(whole(n, "n", 0), sys.maxsize)
    every = 0 if history is None else whole(history, "history", 1)
    run = Iteration(compiled, first, state, steps, every, None if over is None else Rows(over, steps))
    last = run.run()
    if not every:
        return last
    if is_array(last):
        import numpy

        return last, numpy.array(run.kept).reshape(-1, *last.shape)
    return last, run.kept
