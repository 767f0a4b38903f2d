"""`compile`: a function that is recorded once for each path through its branches, and then replayed."""
from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import MethodType
from typing import TYPE_CHECKING, Any

from autograd_lite.errors import short
from autograd_lite.graph import value
from autograd_lite.graph.node import read_numbers
from autograd_lite.modes import current, uncollected
from autograd_lite.native.direct import shorter
from autograd_lite.programs.arguments import Given, Large, Static, key_of
from autograd_lite.programs.batches import Batch
from autograd_lite.programs.eager import eager, of_large, pass_on, result_of
from autograd_lite.programs.indices import Indices
from autograd_lite.programs.iteration import iterate
from autograd_lite.programs.program import Program
from autograd_lite.programs.stats import Stats, ways_of
from autograd_lite.programs.ways import Ways
from autograd_lite.transforms.trace import name_of


class Compiled(Ways):
    """A compiled function; see `compile`.

    It can be called in many threads. It is pickled with its programs, and with f if that pickles: then the
    programs hold where all that f reads is there as it was, and take f's own `Value`s; without f they hold
    theirs, and a call that none of them fits is an error. A copy has the programs of its original.
    """

    __slots__ = ("direct",)                     # how it is called once that can be one native call
    direct: Callable[..., Any]
    __name__: str
    __wrapped__: Callable[..., Any]

    def __init__(self, f: Callable[..., Any], max_programs: int, on_limit: str, static: Static | None,
                 batch: Batch | None, indices: Indices | None, target: str | None = None):
        functools.update_wrapper(self, f, updated=())
        for name in ("__name__", "__qualname__"):               # (some callables have none)
            vars(self).setdefault(name, name_of(f))
        super().__init__(f, max_programs, on_limit, indices, target)
        self.static, self.batch, self.marks = static, batch, bool(static or indices)

    # -- calls -----------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.batch.call(self, args, kwargs) if self.batch else self.once(args, kwargs)

    def once(self, args: Any, kwargs: Any) -> Any:
        """A call at one point."""
        try:
            given, named = self._marked(args, kwargs) if self.marks or value.special else (args, kwargs)
            key, numbers = key_of(given, named)
        except Large:
            return of_large(self.f, args, kwargs)
        except Given:
            return self.f(*args, **kwargs)
        root = self.recent.get(key)
        if root is not None and root.last.verified and root.holds():    # (the common case)
            program = root.last
            if program.fresh:
                program.fresh = False
                if not (self.batch or self.marks or kwargs):
                    self._shorten(args, root, program)
            try:
                out = program.run(*numbers, read_numbers(program.read))
                if type(out) is not int:
                    return program.shape(out)
            except (ArithmeticError, ValueError):
                pass
        if root is None and self.waits(key, numbers, given, named):
            return eager(self.f, given, named)
        program, out = self.run(key, numbers, given, named, False)
        return program.shape(out) if out is not None else eager(self.f, given, named, program is not None)

    def _shorten(self, args: Any, root: Any, program: Program) -> None:
        """Let calls with arguments such as these be direct, if they can be."""
        direct = shorter(MethodType(Compiled.__call__, self), args, root, program)
        if direct:
            self.direct = direct
            self.__class__ = Direct

    def backward(self, *args: Any, **kwargs: Any) -> float:
        """The result, one number, after its gradients were added to the `.grad` of the Values that the
        function uses, as ``f(*args).backward()`` does."""
        if self.batch:
            return float(self.batch.backward(self, args, kwargs))
        program, out, given, named = None, None, args, kwargs
        try:
            given, named = self._marked(args, kwargs)
            if value.special and current(value.not_recording):
                raise Given
            key, numbers = key_of(given, named)
            program, out = self.run(("backward", key), numbers, given, named, True)
        except Given:
            pass
        if program is None or out is None or not program.wanted:
            return uncollected(self._eagerly, given, named, program is not None)
        xs, gradients = program.gradients(out)
        pass_on(xs, gradients, program.leaves)
        return float(out[0])

    def _eagerly(self, args: Any, kwargs: Any, recorded: bool) -> float:
        """`backward` by the library's ordinary means."""
        y = result_of(self.f, args, kwargs, recorded)
        y.backward()
        return y.data

    def _marked(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments, the static ones marked; `Given` where the function itself is wanted."""
        if value.special and value.tracing.get():
            raise Given
        if self.indices:
            self.indices.check(args, kwargs)
        return self.static.marked(args, kwargs) if self.static else (args, kwargs)

    # -- what it is ------------------------------------------------------------------------------

    @property
    def stats(self) -> Stats:
        """What it consists of, and what it cost."""
        program = self.used()
        program.settle()
        ways = program.given and ways_of(program)
        return Stats(len(program.recording.code), len(self.programs), len(program.guards),
                     program.last_way, self.tracing, sum([x.compiling for x in self.programs]), ways)

    @property
    def kind(self) -> type:
        return Compiled

    def __repr__(self) -> str:
        return f"<compiled {name_of(self.f)}>"

    def __dir__(self) -> Iterable[str]:
        named = ("backward", "bind", "export_c", "iterate", "source", "stats")      # (the rest is ours)
        return [name for name in super().__dir__() if name in named or name.startswith("__")]

    def __get__(self, thing: Any, kind: Any = None) -> Any:
        return self if thing is None else Bound(self, thing)


class Direct(Compiled):
    """A compiled function the calls of which are direct: Python goes to native code straight."""

    __slots__ = ()
    if not TYPE_CHECKING:
        __call__ = Compiled.direct


class Bound:
    """A compiled function as a method of a thing."""

    def __init__(self, compiled: Compiled, thing: Any):
        self.compiled, self.thing = compiled, thing
        functools.update_wrapper(self, MethodType(compiled.f, thing), updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.compiled(self.thing, *args, **kwargs)

    def backward(self, *args: Any, **kwargs: Any) -> float:
        """See `Compiled.backward`."""
        return self.compiled.backward(self.thing, *args, **kwargs)

    def iterate(self, state: Any, n: int, history: int | None = None, over: Any = None) -> Any:
        """See `Compiled.iterate`."""
        return iterate(self.compiled, (self.thing,), state, n, history, over)

    def bind(self, *args: Any, **kwargs: Any) -> Callable[[], Any]:
        """See `Compiled.bind`."""
        return self.compiled.bind(self.thing, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.compiled, name)

    def __repr__(self) -> str:
        return f"{self.compiled!r} of {short(self.thing)}"

    def __reduce__(self) -> Any:
        return Bound, (self.compiled, self.thing)
