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
from autograd_lite.ops.whole import whole
from autograd_lite.programs.arguments import Given, described, entered, is_whole
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.indices import Indices
from autograd_lite.programs.python import EAGER, function
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


LARGE = 4000                    # of a program with more instructions the first call gives what f itself gives


class Program:
    """One path through a function's branches, as a function of floats."""

    def __init__(self, traced: Traced, point: Sequence[Any]):
        self.recording, self.captured, self.wanted = traced.recording, traced.captured, traced.wanted
        self.point = list(point)
        self.run: Callable[..., Any] = self._first
        self.seconds = 0.0                      # to compile
        # For each guard the programs that agree with this one on all before it, by their answer to it.
        self.groups: list[dict[Any, Program]] = [{guard.answer: self} for guard in self.recording.guards]
        self.verified = False
        self.shape = _shape(traced.result)
        self.large = len(self.recording.code) > LARGE

    def _first(self, *numbers: Any) -> Any:
        self.source()
        return self.run(*numbers)

    def source(self) -> str:
        """The source, which is written and compiled when the program is first needed."""
        if self.run == self._first:
            start = time.perf_counter()
            self.run, self._text = function(self.recording, "f")
            self.seconds = time.perf_counter() - start
        return self._text

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

    last: Program

    def __init__(self, environment: Environment):
        self.environment = environment


class Compiled:
    """A compiled function; see `compile`."""

    def __init__(self, f: Callable[..., Any], max_programs: int, on_limit: str,
                 indices: Indices | None = None):
        self.f, self.max_programs, self.on_limit, self.indices = f, max_programs, on_limit, indices
        self.tracing = 0.0
        self.programs: list[Program] = []
        self._roots: dict[Any, list[Root]] = {}
        self._last: Program | None = None
        functools.update_wrapper(self, f)

    # -- calls -----------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if value.special and value.tracing.get():
                raise Given
            if self.indices:
                self.indices.check(args, kwargs)
            key, numbers = _key(args, kwargs)
        except Given:
            return self.f(*args, **kwargs)
        program, out = self._run(key, numbers, args, kwargs, False)
        if program is None:
            return self._eager(args, kwargs)
        return program.shape(out)

    def backward(self, *args: Any, **kwargs: Any) -> float:
        """The result, one number, after its gradients were added to the `.grad` of the Values that the
        function uses, as ``f(*args).backward()`` does."""
        if self.indices:
            self.indices.check(args, kwargs)
        key, numbers = _key(args, kwargs)
        program, out = self._run(("backward", key), numbers, args, kwargs, True)
        if program is None:
            y = self.f(*args, **kwargs)
            y.backward()
            return float(y.data)
        for x, g in zip(program.wanted, out[1:]):
            x.grad += g
        return float(out[0])

    def _run(self, key: Any, numbers: Sequence[Any], args: Any, kwargs: Any, backward: bool) -> Any:
        """A program and what it gives; None where only the eager way will do."""
        roots = self._roots.setdefault(key, [])
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
            self._verify(root, program, args, kwargs, backward)
        root.last = self._last = program
        return program, out

    def _eager(self, args: Any, kwargs: Any) -> Any:
        """What the function itself returns."""
        args, kwargs = entered((list(args), kwargs), lambda x: x if is_whole(x) else
                               Value(float(x), requires_grad=False))
        return rebuild(self.f(*args, **kwargs), lambda x: x.data if isinstance(x, Value) else x, lambda x: x)

    # -- programs --------------------------------------------------------------------------------

    def _new(self, root: Root, args: Any, kwargs: Any, numbers: Sequence[Any], backward: bool,
             reason: str) -> Program | None:
        """Another program; None if there may be no more."""
        if len(self.programs) >= self.max_programs:
            if self.on_limit == "eager":
                return None
            raise InputError(self._limit(reason))
        start = time.perf_counter()
        traced = trace(self.f, args, kwargs, backward, root.environment, self.indices)
        self.tracing += time.perf_counter() - start
        self.programs.append(Program(traced, numbers))
        root.last = self._last = self.programs[-1]
        return self._last

    def _verify(self, root: Root, program: Program, args: Any, kwargs: Any, backward: bool) -> None:
        """Raise an error if the function computes something else at these numbers."""
        difference = program.recording.difference(trace(self.f, args, kwargs, backward,
                                                        root.environment, self.indices).recording)
        if difference:
            raise InputError(f"{name_of(self.f)} is not what was compiled: {difference}. What it gets from "
                             "elsewhere (a file, a clock, a counter) would be frozen: pass it as an argument")
        program.verified = True

    def _limit(self, reason: str) -> str:
        reason = reason if reason[:1] in ("", "\n") else f" ({reason})"
        return (f"{name_of(self.f)} has {len(self.programs)} programs, one for each way its branches went, "
                "and needs another: write where(condition, a, b), maximum or select for the branch, pass "
                "what changes as an argument, take(rows, index) with `indices` for one that chooses, "
                f"raise max_programs, or choose on_limit='eager'{reason}")

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


def _key(args: Any, kwargs: Any) -> tuple[Any, list[Any]]:
    for x in args:
        if type(x) is not float:
            break
    else:
        if not kwargs:
            return len(args), list(args)
    numbers: list[Any] = []
    key = [described(x, numbers) for x in args]
    if kwargs:
        key.append(tuple([(name, described(x, numbers)) for name, x in kwargs.items()]))
    return tuple(key), numbers


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
            on_limit: Literal["raise", "eager"] = "raise", indices: Any = ()) -> Compiled:
    """f, recorded once for each path through its branches and replayed from then on.

    Args:
        indices: positions or names of arguments that hold whole numbers, which f uses only to choose, in
            ``take(rows, index)``: one program holds for all their values.

    >>> import autograd_lite as ag
    >>> fast = compile(ag.grad(lambda x: x * x if x > 0.0 else -x))
    >>> fast(3.0), fast(-3.0), fast(5.0)
    (6.0, -1.0, 10.0)
    """
    require_function("compile", f)
    if on_limit not in ("raise", "eager"):
        raise InputError(f"on_limit={short(on_limit)}: choose 'raise' or 'eager'")
    return Compiled(f, whole(max_programs, "max_programs", 1), on_limit,
                    Indices(f, indices) if indices != () else None)
