"""`compile`: a function that is recorded once for each path through its branches, and then replayed."""
from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from autograd_lite.errors import InputError, short
from autograd_lite.graph import value
from autograd_lite.graph.node import read_numbers
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import whole
from autograd_lite.programs import arrays
from autograd_lite.programs.arguments import Given, entered, key_of
from autograd_lite.programs.batches import Batch
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.namespaces import functions
from autograd_lite.programs.python import EAGER, function
from autograd_lite.programs.targets import OverArrays
from autograd_lite.programs.tracing import Traced, trace
from autograd_lite.transforms.trace import name_of, require_function
from autograd_lite.transforms.trees import leaves, rebuild, refill


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


class Program:
    """One path through a function's branches, as a function of floats."""

    def __init__(self, traced: Traced, point: Sequence[Any]):
        self.recording, self.captured, self.wanted = traced.recording, traced.captured, traced.wanted
        self.point = list(point)
        self.run, self.text = function(self.recording, "f")
        # For each guard the programs that agree with this one on all before it, by their answer to it.
        self.groups: list[dict[Any, Program]] = [{guard.answer: self} for guard in self.recording.guards]
        self.verified = False
        self.result, self.shape = traced.result, _shape(traced.result)

    @functools.cached_property
    def over_arrays(self) -> Callable[..., Any]:
        """The same of NumPy's arrays."""
        import numpy

        return arrays.function(self.recording, functions(numpy), True)[0]

    def join(self, other: Program, k: int) -> None:
        """Take a place among the programs that agree with another one on all guards before the k-th."""
        answers = [guard.answer for guard in self.recording.guards[:k + 1]]
        if len(answers) <= k or answers[:k] != [guard.answer for guard in other.recording.guards[:k]]:
            raise InputError("a compiled function takes other branches in each run at the same numbers: pass "
                             "what it depends on (a clock, a file) as an argument")
        self.groups[:k + 1] = other.groups[:k + 1]
        self.groups[k][answers[k]] = self


class Root:
    """The programs for one state of what the function reads."""

    def __init__(self, environment: Environment, program: Program):
        self.environment, self.last = environment, program


class Compiled:
    """A compiled function; see `compile`."""

    def __init__(self, f: Callable[..., Any], max_programs: int, on_limit: str, batch: Batch | None):
        self.f, self.max_programs, self.on_limit, self.batch = f, max_programs, on_limit, batch
        self.count = 0
        self.tracing = self.compiling = 0.0
        self._roots: dict[Any, list[Root]] = {}
        self._last: Program | None = None
        functools.update_wrapper(self, f)

    # -- calls -----------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.batch:
            return self.batch.call(self, args, kwargs)
        return self.once(args, kwargs)

    def once(self, args: Any, kwargs: Any) -> Any:
        """A call at one point."""
        try:
            if value.special and value.tracing.get():
                raise Given
            key, numbers = key_of(args, kwargs)
        except Given:
            return self.f(*args, **kwargs)
        program, out = self.run(key, numbers, args, kwargs, False)
        if program is None:
            return self.eager(args, kwargs)
        return program.shape(out)

    def backward(self, *args: Any, **kwargs: Any) -> float:
        """The result, one number, after its gradients were added to the `.grad` of the Values that the
        function uses, as ``f(*args).backward()`` does."""
        if self.batch:
            return self.batch.backward(self, args, kwargs)
        key, numbers = key_of(args, kwargs)
        program, out = self.run(key, numbers, args, kwargs, True)
        if program is None:
            y = self.f(*args, **kwargs)
            y.backward()
            return float(y.data)
        for x, g in zip(program.wanted, out[1:]):
            x.grad += g
        return float(out[0])

    def run(self, key: Any, numbers: Sequence[Any], args: Any, kwargs: Any, backward: bool) -> Any:
        """A program and what it gives; None where only the eager way will do."""
        roots = self._roots.setdefault((key, backward), [])
        root = next((root for root in roots if root.environment.holds()), None)
        if root is None:
            program = self._new(args, kwargs, numbers, backward, None)
            if program is None:
                return None, None
            root = Root(Environment(self.f), program)
            roots.append(root)
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
                following = self._new(args, kwargs, numbers, backward, program.recording.guards[out])
                if following is None:
                    return None, None
                following.join(program, out)
            program = following
        if not program.verified and program.point != list(numbers):
            self._verify(program, args, kwargs, backward)
        root.last = self._last = program
        return program, out

    def eager(self, args: Any, kwargs: Any) -> Any:
        """What the function itself returns."""
        args, kwargs = entered((list(args), kwargs), lambda x: x if isinstance(x, int) else
                               Value(float(x), requires_grad=False))
        return rebuild(self.f(*args, **kwargs), lambda x: x.data if isinstance(x, Value) else x, lambda x: x)

    # -- programs --------------------------------------------------------------------------------

    def _new(self, args: Any, kwargs: Any, numbers: Sequence[Any], backward: bool,
             guard: Any) -> Program | None:
        """Another program; None if there may be no more."""
        if self.count >= self.max_programs:
            if self.on_limit == "eager":
                return None
            raise InputError(self._limit(guard))
        start = time.perf_counter()
        traced = trace(self.f, args, kwargs, backward)
        self.tracing += time.perf_counter() - start
        start = time.perf_counter()
        program = Program(traced, numbers)
        self.compiling += time.perf_counter() - start
        self.count += 1
        return program

    def _verify(self, program: Program, args: Any, kwargs: Any, backward: bool) -> None:
        """Raise an error if the function computes something else at these numbers."""
        difference = program.recording.difference(trace(self.f, args, kwargs, backward).recording)
        if difference:
            raise InputError(f"{name_of(self.f)} is not what was compiled: {difference}. What it gets from "
                             "elsewhere (a file, a clock, a counter) would be frozen: pass it as an argument")
        program.verified = True

    def _limit(self, guard: Any) -> str:
        line = f"\n  {guard.line}" if guard and guard.line else ""
        return (f"{name_of(self.f)} has {self.count} programs, one for each way its branches went, and needs "
                "another: write where(condition, a, b), maximum or select for the branch, pass what changes "
                "as an argument, raise max_programs, or choose on_limit='eager'" + line)

    # -- what it is ------------------------------------------------------------------------------

    def source(self) -> str:
        """The generated source of the program used last."""
        return self._used().text

    def _used(self) -> Program:
        if self._last is None:
            raise InputError(f"{name_of(self.f)} has no program yet: call the compiled function once")
        return self._last

    @property
    def stats(self) -> Stats:
        """What it consists of, and what it cost."""
        program = self._used()
        return Stats(len(program.recording.code), self.count, len(program.recording.guards), "python",
                     self.tracing, self.compiling, 0.0)

    def __repr__(self) -> str:
        return f"<compiled {name_of(self.f)}>"


def _shape(tree: Any) -> Callable[[Sequence[float]], Any]:
    """The function that puts results in place of the Values of a structure."""
    def text(x: Any) -> str:
        if isinstance(x, Value):
            return f"r[{next(places)}]"
        if type(x) in (list, tuple) and len(x) < 1000:
            inner = ", ".join(map(text, x)) + ("," if len(x) == 1 else "")
            return f"[{inner}]" if type(x) is list else f"({inner})"
        if x is None or type(x) in (bool, int, str) or type(x) is float and x - x == 0.0:
            return repr(x)
        if type(x) is dict and all([type(key) in (str, int, float, bool) for key in x]):
            return f"{{{', '.join([f'{key!r}: {text(entry)}' for key, entry in x.items()])}}}"
        raise ValueError

    places = iter(range(10 ** 9))
    try:
        return eval(f"lambda r: {text(tree)}")  # type: ignore[no-any-return]
    except (ValueError, RecursionError, MemoryError):
        holes = [isinstance(x, Value) for x in leaves(tree, lenient=True)]
        others = leaves(tree, lenient=True)

        def filled(r: Sequence[float]) -> Any:
            supply = iter(r)
            return refill(tree, [next(supply) if hole else x for hole, x in zip(holes, others)])
        return filled


def compile(f: Callable[..., Any], *, max_programs: int = 64,
            on_limit: Literal["raise", "eager"] = "raise", batch: Any = None,
            reduce: Any = None, rounding: str | None = None, target: Any = None) -> Any:
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
    return Compiled(f, whole(max_programs, "max_programs", 1), on_limit, points)
