"""`compile`: a function that is recorded once for each path through its branches, and then replayed."""
from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from autograd_lite.errors import InputError, short
from autograd_lite.graph import node as nodes, value
from autograd_lite.graph.node import plain, read_numbers
from autograd_lite.graph.value import Value
from autograd_lite.ops.whole import whole
from autograd_lite.programs.arguments import Given, entered, is_whole, key_of
from autograd_lite.programs.batches import Batch
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.indices import Indices
from autograd_lite.programs.program import Program, Root
from autograd_lite.programs.python import EAGER
from autograd_lite.programs.recording import Recording
from autograd_lite.programs.targets import OverArrays
from autograd_lite.programs.tracing import trace
from autograd_lite.transforms.trace import name_of, require_function
from autograd_lite.transforms.trees import rebuild


class Stats(NamedTuple):
    """What a compiled function consists of, and what it cost.

    Attributes:
        nodes: instructions of the program used last; programs: how many there are; guards: of the last one.
        target: what it runs on.
        tracing, compiling: seconds, of all programs.
        break_even: calls after which compiling has paid, at the speeds measured now.
    """

    nodes: int
    programs: int
    guards: int
    target: str
    tracing: float
    compiling: float
    break_even: float


class Compiled:
    """A compiled function; see `compile`."""

    def __init__(self, f: Callable[..., Any], max_programs: int, on_limit: str, batch: Batch | None,
                 indices: Indices | None):
        self.f, self.max_programs, self.on_limit = f, max_programs, on_limit
        self.batch, self.indices = batch, indices
        self.tracing = 0.0
        self.programs: list[Program] = []
        self._roots: dict[Any, list[Root]] = {}
        self._recent: dict[Any, Root] = {}      # of calls
        self._last: Program | None = None
        self._flags: dict[Value, bool] = {}     # whether captured Values had gradients when first met
        self._seen, self._other = nodes.turned, frozenset[Value]()
        functools.update_wrapper(self, f)

    # -- calls -----------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.batch.call(self, args, kwargs) if self.batch else self.once(args, kwargs)

    def once(self, args: Any, kwargs: Any) -> Any:
        """A call at one point."""
        try:
            if value.special and value.tracing.get():
                raise Given
            if self.indices:
                self.indices.check(args, kwargs)
            key, numbers = key_of(args, kwargs)
        except Given:
            return self.f(*args, **kwargs)
        root = self._recent.get(key)
        if root is not None and root.last.verified and root.environment.holds():    # (the common case)
            program = root.last
            try:
                out = program.run(*numbers, read_numbers(program.captured))
                if type(out) is tuple:
                    return program.shape(out)
            except (ArithmeticError, ValueError):
                pass
        program, out = self.run(key, numbers, args, kwargs, False)
        return program.shape(out) if program else self.eager(args, kwargs)

    def backward(self, *args: Any, **kwargs: Any) -> float:
        """The result, one number, after its gradients were added to the `.grad` of the Values that the
        function uses, as ``f(*args).backward()`` does."""
        if self.batch:
            return self.batch.backward(self, args, kwargs)
        try:
            if self.indices:
                self.indices.check(args, kwargs)
            key, numbers = key_of(args, kwargs)
            program, out = self.run(key, numbers, args, kwargs, True)
        except Given:
            program = None
        if program is None or not _accumulated(program.wanted, out[1:]):
            args, kwargs = _constants(args, kwargs)
            y = self.f(*args, **kwargs)
            (y if isinstance(y, Value) else Value(y, requires_grad=False)).backward()
            return float(plain(y))
        return float(out[0])

    def _turned(self) -> frozenset[Value]:
        """The captured Values whose `requires_grad` is not what it was when they were first met."""
        if self._seen != nodes.turned:
            self._seen = nodes.turned
            self._other = frozenset([x for x, first in self._flags.items() if x.requires_grad is not first])
        return self._other

    def run(self, key: Any, numbers: Sequence[Any], args: Any, kwargs: Any, backward: bool) -> Any:
        """A program and what it gives; None where only the eager way will do."""
        roots = self._roots.setdefault((key, self._turned() if backward else None), [])
        root = next((root for root in roots if root.environment.holds()), None)
        if root is None:
            changed = roots[-1].environment.changed() if roots else ""
            root = Root(Environment(self.f))
            program = self._new(root, args, kwargs, numbers, backward, changed)
            if program is None:
                return None, None
            roots.append(root)
            if program.large:
                return None, None
        program, tried = root.last, set[Program]()
        while True:
            try:
                out = program.run(*numbers, read_numbers(program.captured))
            except (ArithmeticError, ValueError):
                out = EAGER
            if type(out) is not int:
                break
            if out == EAGER:
                return None, None
            tried.add(program)
            following = next((other for other in program.groups[out].values() if other not in tried), None)
            if following is None:
                line = program.recording.guards[out].line
                following = self._new(root, args, kwargs, numbers, backward, f"\n  {line}" if line else "")
                if following is None:
                    return None, None
                following.join(program, out)
                if following.large:
                    return None, None
            program = following
        if not program.verified and program.point != list(numbers):
            again = trace(self.f, args, kwargs, backward, root.environment, self.indices)
            _verify(program, again.recording, self.f)
        root.last = self._last = program
        self._recent.update({} if backward else {key: root})
        return program, out

    def eager(self, args: Any, kwargs: Any) -> Any:
        """What the function itself returns."""
        args, kwargs = _constants(args, kwargs)
        return rebuild(self.f(*args, **kwargs), lambda x: x.data if isinstance(x, Value) else x, lambda x: x)

    # -- programs --------------------------------------------------------------------------------

    def _new(self, root: Root, args: Any, kwargs: Any, numbers: Sequence[Any], backward: bool,
             reason: str) -> Program | None:
        """Another program; None if there may be no more, or the function fails at these numbers."""
        if len(self.programs) >= self.max_programs:
            if self.on_limit == "eager":
                return None
            raise InputError(_limit(name_of(self.f), len(self.programs), reason))
        start = time.perf_counter()
        try:
            program = Program(trace(self.f, args, kwargs, backward, root.environment, self.indices), numbers)
        except (ArithmeticError, ValueError):       # the eager way says what is wrong
            return None
        self.tracing += time.perf_counter() - start
        root.last = self._last = program
        self.programs.append(program)
        for x in program.captured:
            self._flags.setdefault(x, x.requires_grad)
        return program

    # -- what it is ------------------------------------------------------------------------------

    def source(self) -> str:
        """The generated source of the program used last."""
        return self._used().source()

    def _used(self) -> Program:
        if self._last is None:
            raise InputError(f"{name_of(self.f)} has no program yet: call the compiled function once")
        return self._last

    @property
    def stats(self) -> Stats:
        """What it consists of, and what it cost."""
        program = self._used()
        program.source()
        return Stats(len(program.recording.code), len(self.programs), len(program.recording.guards), "python",
                     self.tracing, sum([program.seconds for program in self.programs]), 0.0)

    def __repr__(self) -> str:
        return f"<compiled {name_of(self.f)}>"


def _verify(program: Program, recording: Recording, f: Any) -> None:
    """Raise an error if a function computes something else at other numbers."""
    if difference := program.recording.difference(recording):
        raise InputError(f"{name_of(f)} is not what was compiled: {difference}. What it gets from elsewhere "
                         "(a file, a clock, a counter) would be frozen: pass it as an argument")
    program.verified = True


def _limit(name: str, count: int, reason: str) -> str:
    reason = reason if reason[:1] in ("", "\n") else f" ({reason})"
    return (f"{name} has {count} programs, one for each way its branches went, and needs another (max() and "
            "sorted() of numbers have one for each order of them): write where(condition, a, b), maximum or "
            "select for the branch, pass what changes as an argument, raise max_programs, or choose "
            f"on_limit='eager'{reason}")


def _constants(args: Any, kwargs: Any) -> Any:
    """The arguments for the eager way: Values that stand for numbers, as in a trace."""
    return entered((list(args), kwargs), lambda x: x if is_whole(x) or isinstance(x, Value) else
                   Value(float(x), requires_grad=False))


def _accumulated(wanted: Sequence[Value], gradients: Sequence[float]) -> bool:
    """Add gradients to those of Values, unless a sum leaves the range of doubles."""
    with nodes.lock:
        totals = [x.grad + g for x, g in zip(wanted, gradients)]
        if sum([total - total for total in totals]) != 0.0:
            return False
        for x, total in zip(wanted, totals):
            x.grad = total
        for x, g in zip(wanted, gradients):
            if x.operands:                      # computed from others, which have gradients too
                x.backward(g)
    return True


def compile(f: Callable[..., Any], *, max_programs: int = 64,
            on_limit: Literal["raise", "eager"] = "raise", batch: Any = None,
            reduce: Any = None, rounding: str | None = None, target: Any = None,
            indices: Any = ()) -> Any:
    """f, recorded once for each path through its branches and replayed from then on.

    Args:
        batch: positions or names of arguments whose numbers may be NumPy arrays, the last axis the batch (any
            axes before it are those of an array that f gets at each point); they broadcast as in a ufunc,
            and results are arrays with the batch as their last axis. An error names the index.
        reduce: "sum" or "mean" of the results over the batch; a tuple has one for each, None for none.
        rounding: of batches: "vector" (within 4 ulp an operation), "eager" (point by point, to the last bit)
            or "free" (sums may be reordered).
        target: a namespace of arrays (`numpy`, `jax.numpy`, `torch`): the result is a function of its arrays,
            each one number at many points unless `batch` says otherwise, that `jax.jit` and `vmap` take.
            It may not branch on numbers but by `where` and `select`, and what is not finite passes on. Within
            `jax.jit` the numbers of captured Values are constants: pass as arguments what changes.
        indices: positions or names of arguments that hold whole numbers, which f uses only to choose, in
            ``take(rows, index)``: one program holds for all their values.

    >>> import autograd_lite as ag
    >>> fast = compile(ag.grad(lambda x: x * x if x > 0.0 else -x))
    >>> fast(3.0), fast(-3.0), fast(5.0)
    (6.0, -1.0, 10.0)
    >>> import numpy as np
    >>> compile(ag.grad(lambda x: x * x if x > 0.0 else -x), batch="x")(np.array([3.0, -3.0, 5.0])).tolist()
    [6.0, -1.0, 10.0]
    """
    require_function("compile", f)
    if on_limit not in ("raise", "eager"):
        raise InputError(f"on_limit={short(on_limit)}: choose 'raise' or 'eager'")
    if target is not None:
        return OverArrays(f, target, batch, reduce)
    points = Batch(f, batch, reduce, rounding) if batch is not None else None
    return Compiled(f, whole(max_programs, "max_programs", 1), on_limit, points,
                    Indices(f, indices) if indices != () else None)
