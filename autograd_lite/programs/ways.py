"""`Ways`: what a compiled function can do besides being called."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from autograd_lite.errors import InputError, short
from autograd_lite.files import AnyPath, path_text, write
from autograd_lite.programs.iteration import iterate
from autograd_lite.programs.portable import Portable
from autograd_lite.programs.program import Program
from autograd_lite.transforms.jacobians import is_hessian
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import rebuild

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import A

X = TypeVar("X")
MANY, FIRST = 50, 10        # of so many numbers a Hessian is that of f itself in the first so many calls


class Ways(Portable):
    """A compiled function as a loop, over arrays that stay where they are, and as text."""

    batch: Any

    @overload
    def iterate(self, state: X, n: int, history: None = None, over: Any = None) -> X: ...
    @overload
    def iterate(self, state: A, n: int, history: int, over: Any = None) -> tuple[A, A]: ...
    @overload
    def iterate(self, state: X, n: int, history: int, over: Any = None) -> tuple[X, list[X]]: ...

    def iterate(self, state: Any, n: int, history: int | None = None, over: Any = None) -> Any:
        """``state = f(state)``, n times, or ``state = f(state, over[i])`` for i = 0 … n − 1: the last state,
        equal to that of a loop in Python to the last bit.

        Args:
            state: a number or a structure of numbers, and f returns one of its shape.
            history: k, to get the pair of the last state and every k-th state (after k steps, 2k, …): a
                list, or if the state is an array, one array.
            over: an entry for each step, numbers or structures (the rows of an array, say).

        With llvmlite the loop is native where that pays, and other threads run meanwhile. The numbers of
        Values that f reads are read at the start, so f cannot change them between steps.

        Raises:
            InputError: f returns another structure; `over` has fewer than n entries. Errors of f say in which
                step they arose.

        >>> import autograd_lite as ag
        >>> ag.compile(lambda x: x - (x * x - 2.0) / (2.0 * x)).iterate(1.0, 6)
        1.414213562373095
        """
        return iterate(self, (), state, n, history, over)

    def bind(self, *args: Any, **kwargs: Any) -> Callable[[], Any]:
        """A function of no arguments that calls this one with these, quicker than a call can be.

        Each run reads the numbers of NumPy's contiguous arrays of floats where they lie; other numbers are
        those of now. It returns the same object each time, the result with an array for each number or array
        in it, whose numbers it replaces: copy what is to last. With llvmlite a run is one native call. Where
        the program does not fit (another branch, a number that is not finite, anything that f reads and that
        has changed) it is an ordinary call, with its errors. One thread at a time may run it.

        >>> import numpy as np
        >>> from autograd_lite import compile, grad
        >>> x = np.array([1.0, 2.0])
        >>> run = compile(grad(lambda x: x[0] * x[1])).bind(x)
        >>> slope = run()
        >>> x[1] = 5.0
        >>> run() is slope, slope
        (True, array([5., 1.]))
        """
        from autograd_lite.native.bound import bind
        from autograd_lite.programs.standing import Standing

        return Standing(self, args, kwargs) if self.batch else bind(self, args, kwargs)

    def source(self, language: Literal["python", "c"] = "python") -> str:
        """The generated source of the program used last, in Python; or in "c", what `export_c` writes."""
        if language not in ("python", "c"):
            raise InputError(f"source({short(language)}): choose 'python' or 'c'")
        program = self.used()
        if language == "python":
            return program.python[1]
        from autograd_lite.native.export import in_c

        return in_c(self)

    def export_c(self, path: AnyPath) -> None:
        """Write the function as C99 that needs nothing but math.h, and if it returns one number, its gradient
        by all arguments and by the Values that f reads, too.

        It takes arguments as those of the last call, on all paths that were recorded for such; a comment at
        its top says how it is called. It equals Python's results to the last bit where the compiler forms no
        fused multiply-adds.

        Raises:
            InputError: it was not called yet; or a part of it is Python alone (an op of one's own, say).
            OSError: the file cannot be written; what was there is as it was.
        """
        name = path_text(path, "export_c")
        write(name, self.source("c").encode())

    def waits(self, key: Any, numbers: Sequence[Any], args: Any, kwargs: Any) -> bool:
        """Whether f itself answers this call: the first ones of a Hessian of many numbers, because to trace
        and compile it takes as long as some ten or twenty of these."""
        if self.target or self.latest or self.shelves or len(numbers) < MANY or not is_hessian(self.f):
            return False
        n, *_ = self.met.get(key, (0,))
        if n == FIRST:
            self.met.clear()
            return False
        self.met[key] = n + 1, list(numbers), rebuild((list(args), kwargs), lambda x: x, lambda x: x)
        return True

    def used(self) -> Program:
        """The program used last."""
        if self.latest is None and self.met:    # (it was only put off)
            key, (_, numbers, (args, kwargs)) = self.met.popitem()
            self.run(key, numbers, args, kwargs, False)
        if self.latest is None:
            self.settle()
        if self.latest is None:
            raise InputError(f"{name_of(self.f)} has no program yet: call the compiled function once")
        return self.latest
