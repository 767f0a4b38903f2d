"""`compile`, which loads all that it needs when it is first called."""
from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, overload

from autograd_lite.errors import InputError, short
from autograd_lite.ops.whole import whole
from autograd_lite.transforms.trace import name_of, require_function

Names = int | str | Sequence[int | str]
OnLimit = Literal["raise", "eager"]
Target = Literal["native", "python"] | None
How = Literal["sum", "mean"] | None
Reduce = How | tuple[How, ...]

if TYPE_CHECKING:
    from autograd_lite.graph.value import Value
    from autograd_lite.ops.signatures import Unary
    from autograd_lite.programs.compiled import Compiled
    from autograd_lite.programs.signatures import (
        CompiledAs, DictsOfDict, DictToDict, F, ListsOfList, ListsOfNumber, ListToList, OfNested,
        OfPlain, OfValues, OnDict, OnList, OnMany, OnNumber, OnPair, OnTriple, PairsOfPair, PairToPair,
        ToList, TriplesOfTriple, TripleToTriple)
    from autograd_lite.transforms.signatures import (OfAny, OfDict, OfList, OfMany, OfMore, OfNumber, OfPair,
                                                     OfTriple, P, ToAny, WithPlain)


@overload
def compile(f: Unary, *, max_programs: int = 64, on_limit: OnLimit = "raise",
            target: Target = None) -> OnNumber[[]]: ...


@overload
def compile(f: ToAny, *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, batch: Names | None = None, reduce: Reduce = None,
            rounding: Literal["vector", "eager", "free"] | None = None, target: Target | ModuleType = None,
            indices: Names = ()) -> Compiled: ...


@overload
def compile(f: OfAny, *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, batch: Names | None = None, reduce: Reduce = None,
            rounding: Literal["vector", "eager", "free"] | None = None, target: Target | ModuleType = None,
            indices: Names = ()) -> Compiled: ...


@overload
def compile(f: OfList[P], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None, indices: Names = ()) -> OnList[P]: ...


@overload
def compile(f: OfDict[P], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None, indices: Names = ()) -> OnDict[P]: ...


@overload
def compile(f: WithPlain[P], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None) -> OnNumber[P]: ...


@overload
def compile(f: OfMany, *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None) -> OnMany: ...


@overload
def compile(f: OfMore, *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None) -> Compiled: ...


@overload
def compile(f: OfTriple[P], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None) -> OnTriple[P]: ...


@overload
def compile(f: OfPair[P], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None) -> OnPair[P]: ...


@overload
def compile(f: OfNumber[P], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None) -> OnNumber[P]: ...


@overload
def compile(f: ListsOfNumber[P], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None, indices: Names = ()) -> ToList[P]: ...


@overload
def compile(f: ListsOfList[P], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None, indices: Names = ()) -> ListToList[P]: ...


@overload
def compile(f: DictsOfDict[P], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None, indices: Names = ()) -> DictToDict[P]: ...


@overload
def compile(f: PairsOfPair[P], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None, indices: Names = ()) -> PairToPair[P]: ...


@overload
def compile(f: TriplesOfTriple[P], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None, indices: Names = ()) -> TripleToTriple[P]: ...


@overload
def compile(f: OfNested, *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None, indices: Names = ()) -> Compiled: ...


@overload
def compile(f: Callable[P, Value], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None,
            indices: Names = ()) -> CompiledAs[Callable[P, float]]: ...


@overload
def compile(f: OfPlain, *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None,
            indices: Names = ()) -> CompiledAs[OfPlain]: ...


@overload
def compile(f: OfValues, *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, target: Target = None, indices: Names = ()) -> Compiled: ...


@overload
def compile(f: F, *, max_programs: int = 64, on_limit: OnLimit = "raise", static: Names | None = None,
            target: Target = None, indices: Names = ()) -> CompiledAs[F]: ...


@overload
def compile(f: Callable[..., Any], *, max_programs: int = 64, on_limit: OnLimit = "raise",
            static: Names | None = None, batch: Names | None = None, reduce: Reduce = None,
            rounding: Literal["vector", "eager", "free"] | None = None, target: Target | ModuleType = None,
            indices: Names = ()) -> Compiled: ...


def compile(f: Callable[..., Any], *, max_programs: int = 64, on_limit: Literal["raise", "eager"] = "raise",
            static: Any = None, batch: Any = None, reduce: Any = None, rounding: str | None = None,
            target: Any = None, indices: Any = ()) -> Compiled:
    """f, recorded once for each path through its branches and replayed from then on.

    Args:
        f: a function of numbers, or of structures of them.
        max_programs: how many paths there may be; on_limit: "eager" computes others by f itself, "raise"
            refuses them.
        static: arguments, a position, a name or several, that are passed as they are: numbers in them do not
            become inputs, and others make other programs. (Bools, texts and None are so anyway.)
        batch: positions or names of arguments whose numbers may be NumPy arrays, the last axis the batch (any
            axes before it are those of an array that f gets at each point); they broadcast as in a ufunc,
            and results are arrays with the batch as their last axis. An error names the index.
        reduce: "sum" or "mean" of the results over the batch; a tuple has one for each, None for none.
        rounding: of batches: "vector" (within 4 ulp an operation), "eager" (point by point, to the last bit)
            or "free" (sums may be reordered, products be part of them, quotients be products).
        target: "native" for native code at once, "python" for none; without either there is native code where
            it pays, with llvmlite (``pip install 'autograd_lite[fast]'``); a Hessian of 50 numbers or more is
            f's own in the first ten calls, which take less time than to trace it. Or a namespace of arrays
            (`numpy`, `jax.numpy`, `torch`): the result is a function of its arrays, each one number at many
            points unless `batch` says otherwise, that `jax.jit` and `vmap` take.
            It may not branch on numbers but by `where` and `select`, and what is not finite passes on. Within
            `jax.jit` the numbers of captured Values are constants: pass as arguments what changes.
        indices: positions or names of arguments that hold whole numbers, which f uses only to choose, in
            ``take(rows, index)``: one program holds for all their values. (With `target`, an index to which
            there is no row gives nan within `jit` and `vmap`, where nothing can be asked.)

    Raises:
        InputError: f is not a function, or cannot be compiled; there is no such argument.

    >>> import autograd_lite as ag
    >>> fast = compile(ag.grad(lambda x: x * x if x > 0.0 else -x))
    >>> fast(3.0), fast(-3.0), fast(5.0)
    (6.0, -1.0, 10.0)
    >>> import numpy as np
    >>> compile(ag.grad(lambda x: x * x if x > 0.0 else -x), batch="x")(np.array([3.0, -3.0, 5.0])).tolist()
    [6.0, -1.0, 10.0]
    """
    from autograd_lite.native.choice import require
    from autograd_lite.programs.arguments import Static
    from autograd_lite.programs.batches import Batch
    from autograd_lite.programs.compiled import Compiled
    from autograd_lite.programs.indices import Indices
    from autograd_lite.programs.targets import OverArrays

    require_function("compile", f)
    inner = inspect.unwrap(f)
    for kind in ("coroutine", "generator", "asyncgen"):
        if getattr(inspect, f"is{kind}function")(inner):
            raise InputError(f"compile: {name_of(f)} is a {kind} function, which returns no numbers; compile "
                             "the function that it calls")
    if on_limit not in ("raise", "eager"):
        raise InputError(f"on_limit={short(on_limit)}: choose 'raise' or 'eager'")
    over = target not in (None, "native", "python")
    for option, x, usual in (("reduce", reduce, None), ("rounding", rounding, "eager")):
        if x not in (None, usual) and batch is None and not over:
            raise InputError(f"{option}={short(x)} is for a batch: name its arguments, batch='x'")
    for option, x in (("rounding", rounding), ("static", static)):
        if x is not None and over:
            raise InputError(f"{option}={short(x)} is not for a namespace's arrays: leave it out")
    chosen = Indices(f, indices) if indices != () else None
    if target == "native":
        require()
    if isinstance(target, str) and target not in ("native", "python"):
        raise InputError(f"target={short(target)}: choose 'native', 'python', or a namespace of arrays")
    if over:
        return OverArrays(f, target, batch, reduce, chosen)  # type: ignore[return-value]
    return Compiled(f, whole(max_programs, "max_programs", 1), on_limit,
                    None if static is None else Static(f, static),
                    None if batch is None else Batch(f, batch, reduce, rounding), chosen, target)
