"""A function compiled for the arrays of a namespace: NumPy's, JAX's, torch's.

It is traced at made-up numbers, never at those of a call, so `jax.jit`, `jax.vmap` and `torch.func.vmap` may
call it with their tracers, and arrays may lie on many devices. Nothing eager stands behind it: it may not
branch on a number but by `where` and `select`, of which both sides are computed; what is not finite passes
on; and where a rule treats extreme operands apart, its ordinary formula is used there, too.
"""
from __future__ import annotations

import copy
import functools
import importlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from autograd_lite.errors import InputError, MemberError, errstate
from autograd_lite.extras import needed
from autograd_lite.graph import value
from autograd_lite.graph.node import read_numbers
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import Op
from autograd_lite.programs import arrays
from autograd_lite.programs.arguments import Fixed, Given, described, is_whole
from autograd_lite.programs.batches import Batch
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.indices import Indices
from autograd_lite.programs.layout import Plan
from autograd_lite.programs.namespaces import functions, quiet
from autograd_lite.programs.pickling import ByName, why_not
from autograd_lite.programs.points import changed
from autograd_lite.programs.tracing import Traced, trace
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import is_number


_ZEROS: Iterator[Any] = itertools.repeat(0)     # what an argument that only chooses is at made-up points


class ArrayProgram(NamedTuple):
    """A traced function, for arguments of one structure."""

    environment: Environment
    traced: Traced
    run: Callable[..., Any]
    text: str
    plan: Plan


def _absent(self: Any, name: str) -> Any:
    if name in ("backward", "stats", "bind", "iterate", "export_c"):
        raise MemberError(f"a function compiled for arrays of a namespace has no {name}: compile(f) "
                          "without target= has, with batch= for NumPy's arrays")
    raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class _Portable:
    """How a function compiled for a namespace is pickled and copied: it is compiled anew."""

    f: Any
    xp: Any
    batch: Batch
    indices: Indices | None
    everything: bool

    def of(self, f: Any) -> Any:
        """The same of another function, which stands for f."""
        return _made(f, *self._facts())

    def _facts(self) -> tuple[Any, ...]:
        return (self.xp.__name__, None if self.everything else self.batch.named, self.batch.reduce,
                self.indices.named if self.indices else ())

    def __reduce__(self) -> Any:
        f: Any = ByName.of(self) or self.f
        if f is self.f and (why := why_not(f)):
            raise InputError(f"{name_of(f)}, compiled for {self.xp.__name__}, is pickled as its function, "
                             f"which does not pickle ({why}): define it at the top of a module")
        return _made, (f, *self._facts())

    def __copy__(self) -> Any:
        return self.of(self.f)

    def __deepcopy__(self, memo: Any) -> Any:
        return self.of(copy.deepcopy(self.f, memo))


class OverArrays(_Portable):
    """A function compiled for a namespace; see `compile`. Each array is one number at many points, and arrays
    broadcast as in the namespace; but if `batch` names arguments, only the last axes of the arrays in these,
    and other arrays are structures of numbers."""

    __getattr__ = _absent

    def __init__(self, f: Callable[..., Any], xp: Any, batch: Any, reduce: Any, indices: Indices | None):
        self.functions = functions(xp)          # (refuses what is none)
        self.f, self.xp, self.indices = f, xp, indices
        self.batch = Batch(f, () if batch is None else batch, reduce, None)
        self.everything = batch is None
        self._programs: dict[Any, list[ArrayProgram]] = {}
        self._last: ArrayProgram | None = None
        functools.update_wrapper(self, f)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        columns, given = list[Any](), (list[Any](), list[Any]())
        made_up = _made_up()
        if value.special and value.tracing.get():
            return self.f(*args, **kwargs)
        for found in given:
            del columns[:]
            places: list[int | str] = [*range(len(args)), *kwargs]
            for place, x in zip(places, [*args, *kwargs.values()]):
                last = self.everything or self.batch.holds(place, len(args))
                whole = self.indices is not None and self.indices.holds(place, len(args))
                try:
                    found.append(self._entered(x, columns, _ZEROS if whole else made_up, last, whole))
                except Given:
                    return self.f(*args, **kwargs)
        key = tuple([*kwargs, *[described(x, []) for x in given[0]]])
        known = self._programs.setdefault(key, [])
        program = next((one for one in known if one.environment.holds()), None)
        if program is None:
            known.append(program := self._new(given, len(args), list(kwargs)))
        self._last = program
        captured = program.traced.captured
        numbers = [self._number(x) for x in read_numbers([captured[i] for i in program.plan.read])]
        with quiet(self.xp):
            out = program.run(*columns, numbers)
        return self._result(program.traced.result, iter(out), columns)

    def source(self, language: str = "python") -> str:
        """The generated source of the program used last."""
        if language != "python":
            raise InputError("compile(f) without target= has a source in other languages")
        if self._last is None:
            raise InputError(f"{name_of(self.f)} has no program yet: call the compiled function once")
        return self._last.text

    def __repr__(self) -> str:
        return f"<{name_of(self.f)} compiled for {self.xp.__name__}>"

    # -- arguments ---------------------------------------------------------------------------------

    def _entered(self, x: Any, columns: list[Any], supply: Iterator[float], last: bool, whole: bool) -> Any:
        """An argument at a made-up point; its arrays, a number of the point each, go to the columns.

        `last`: the last axes of arrays are points; `whole`: it may only choose."""
        def array(x: Any) -> Any:
            kind = str(x.dtype)
            if "int" not in kind and ("float" not in kind or whole):
                raise InputError(f"{name_of(self.f)} over arrays takes {'whole' if whole else 'real'} numbers"
                                 f"{' in `indices`' * whole}, not an array of {kind}")
            x = self.xp.asarray(x)
            x = x * 1.0 if "int" in kind and not whole else x
            shape = tuple(x.shape) if not last else () if self.everything else tuple(x.shape[:-1])
            if not shape:
                columns.append(x)
                return next(supply)
            with needed("arrays of arguments with axes of their own need"):
                import numpy
            places = list(itertools.product(*map(range, shape)))
            columns.extend([x[place] for place in places])
            return numpy.array([next(supply) for _ in places]).reshape(shape)

        def other(x: Any) -> Any:
            if isinstance(x, (bool, str)) or not is_number(x):
                return x
            if isinstance(x, Value):
                raise Given
            if isinstance(x, int) and not whole:
                return Fixed(x)             # (part of the key)
            if whole and not is_whole(x):
                raise InputError(f"{name_of(self.f)} over arrays takes whole numbers in `indices`, not {x!r}")
            columns.append(self.xp.asarray(x) if whole else self._number(x))
            return next(supply)

        return changed(x, array, other, _has_type)

    def _number(self, x: Any) -> Any:
        """A number of Python's as an array, so that it divides as arrays do."""
        return self.functions.array(float(x))

    # -- programs ----------------------------------------------------------------------------------

    def _new(self, given: Sequence[Any], count: int, names: Sequence[str]) -> ArrayProgram:
        """Trace the function, at two points."""
        environment = Environment(self.f)
        runs = [functools.partial(trace, self.f, point[:count], dict(zip(names, point[count:])), False,
                                  environment, self.indices) for point in given]
        traced, again = errstate("ignore").run(lambda: [run() for run in runs])
        name, recording = name_of(self.f), traced.recording
        if recording.guards:
            guard = recording.guards[0]
            raise InputError(f"{name} cannot be compiled for {self.xp.__name__}: its way depends on its "
                             "numbers, and each point of an array would go its own: write where(condition, "
                             f"a, b), maximum or select for the branch\n  {guard.line}")
        difference = recording.difference(again.recording)
        if difference:
            raise InputError(f"{name} is not the same in each run: {difference}. What it gets from "
                             "elsewhere (a file, a clock, a counter) would be frozen: pass it as an argument")
        code = recording.code
        ops = {code.ops[k] for k in Plan(recording).needed if isinstance(code.ops[k], Op)}
        found = functions(self.xp, [op for op in ops if op.notation and op.notation.targets.get("array")])
        return ArrayProgram(environment, traced, *arrays.function(recording, traced.captured, found, False))

    # -- results -----------------------------------------------------------------------------------

    def _result(self, tree: Any, out: Iterator[Any], columns: Sequence[Any]) -> Any:
        """The result, with an array for each number."""
        xp = self.xp
        shape = xp.broadcast_shapes(*[x.shape for x in columns]) if columns else ()

        def number(x: Any) -> Any:
            if not is_number(x) or isinstance(x, bool):
                return x
            y = next(out) if isinstance(x, Value) else x
            y = y if hasattr(y, "shape") else self._number(y)
            if y.shape == shape and not any([y is x for x in columns]):
                return y
            return 1.0 * xp.broadcast_to(y, shape)

        def array(x: Any) -> Any:
            parts = [number(entry) for entry in x.ravel().tolist()]
            return xp.stack(parts).reshape((*x.shape, *shape)) if parts else x

        def reduced(x: Any, how: str | None) -> Any:
            if how is None or not hasattr(x, "shape") or not shape:
                return x
            return xp.sum(x, axis=-1) if how == "sum" else xp.mean(x, axis=-1)

        result = changed(tree, array, number)
        return self.batch.reduced(result, reduced, lambda x: hasattr(x, "dtype"))


def _made(f: Any, xp: str, batch: Any, reduce: Any, indices: Any) -> OverArrays:
    """A function compiled for a namespace of this name."""
    return OverArrays(f, importlib.import_module(xp), batch, reduce, Indices(f, indices) if indices else None)


def _has_type(x: Any) -> bool:
    """Whether x is an array, of whatever namespace and dimension."""
    return hasattr(x, "dtype") and hasattr(x, "shape") and not isinstance(x, type)


def _made_up() -> Iterator[float]:
    """Numbers between 0.25 and 0.75, all different."""
    return (k * 0.6180339887498949 % 1.0 * 0.5 + 0.25 for k in itertools.count(1))
