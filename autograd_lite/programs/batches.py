"""Batches: a compiled function at many points at once, each an entry on the last axis of NumPy's arrays.

A program runs at all points together, a block at a time. Those at which one of its guards fails go on to the
programs that answer it otherwise; where none is known, the first of them is computed by itself, which traces
one. Points at which a number is not finite, or operands are extreme for a rule, are computed by themselves.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.errors import InputError, short
from autograd_lite.extras import needed
from autograd_lite.graph import value
from autograd_lite.graph.value import Value
from autograd_lite.programs.arguments import Option
from autograd_lite.programs.eager import number_of, of_large, pass_on as add_gradients
from autograd_lite.programs.points import Points, changed, is_array
from autograd_lite.programs.repeats import Repeat, repeat_of
from autograd_lite.programs.runs import Run
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import kind_of, leaves, rebuild


class Batch(Option):
    """Which arguments of f hold batches, and what becomes of the results.

    Args:
        batch: their positions or names.
        reduce: "sum" or "mean", over the batch; a tuple holds one for each result, None for none.
        rounding: "eager" (as point by point, to the last bit), "vector" or "free".
    """

    def __init__(self, f: Any, batch: Any, reduce: Any, rounding: str | None):
        with needed("compile with batch= needs"):
            import numpy  # noqa: F401
        super().__init__(f, "batch", batch)
        self.reduce, self.rounding = reduce, rounding or "vector"
        self.repeats: dict[str, Repeat] = {}    # the "last" one, for the next call
        if self.rounding not in ("eager", "vector", "free"):
            raise InputError(f"rounding={short(rounding)}: choose 'eager', 'vector' or 'free'")
        for how in reduce if isinstance(reduce, tuple) else (reduce,):
            if how not in (None, "sum", "mean"):
                raise InputError(f"reduce={short(reduce)}: choose 'sum' or 'mean', None for neither, or a "
                                 "tuple with one of them for each result")

    def of(self, f: Any) -> Any:
        new = super().of(f)
        new.repeats = {}
        return new

    def call(self, compiled: Any, args: Any, kwargs: Any) -> Any:
        """The results at all points."""
        return self.explained(self.results, compiled, args, kwargs)

    def backward(self, compiled: Any, args: Any, kwargs: Any) -> float:
        """The one result, after its gradients were added to the `.grad` of the Values that f uses."""
        return float(self.explained(self.added, compiled, args, kwargs))

    def explained(self, run: Callable[..., Any], compiled: Any, args: Any, kwargs: Any) -> Any:
        """What a call gives; where f cannot use what it gets of a batch, the error says what that is."""
        try:
            return run(compiled, args, kwargs)
        except (TypeError, ValueError, AttributeError) as error:
            if type(error) in (TypeError, ValueError, AttributeError, InputError):
                places: list[Any] = [*enumerate(args), *kwargs.items()]
                for at, x in places:
                    if self.holds(at, len(args)) and (what := what_f_gets(x, name_of(self.f))):
                        name = self.names[at] if type(at) is int and at < len(self.names) else at
                        raise InputError(f"{error}\n  batch: {name} is {what}") from error
            raise

    def results(self, compiled: Any, args: Any, kwargs: Any) -> Any:
        """The results at all points."""
        repeat = None if kwargs else self.repeats.pop("last", None)
        result = repeat and repeat.result(compiled, args)
        if repeat and result is not None:
            self.repeats["last"] = repeat
            return result
        if compiled.indices:
            compiled.indices.check(args, kwargs)
        points = Points(self, args, kwargs)
        if points.n is None:
            result = compiled.once(args, kwargs)
            self.check_tuple(result)
            return result
        if by_itself(points):
            return self.reduced(self.of_values(points, value.special), self.one)
        run = Run(compiled, points, False)
        run.all()
        tree = run.results.tree()
        if repeat := repeat_of(run, args, kwargs):
            self.repeats["last"] = repeat
        return tree if run.results.sums else self.reduced(tree, self.one)

    def of_values(self, points: Points, recorded: bool) -> Any:
        """The results of the function itself, where it is given Values or large ints; `recorded`: arrays of
        Values, if it computes with any."""
        if not points.n:
            raise InputError("an empty batch: nothing depends on the Values given")
        found = []
        for i in range(points.n):
            args, kwargs = points.at(i)
            found.append(self.f(*args, **kwargs) if recorded else of_large(self.f, args, kwargs))
        supply = iter([points.np.array(column, object if Value in map(type, column) else None)
                       for column in zip(*[leaves(tree, lenient=True) for tree in found], strict=True)])
        return rebuild(found[0], lambda _: next(supply), lambda x: x)

    def added(self, compiled: Any, args: Any, kwargs: Any) -> float:
        """See `backward`."""
        if self.reduce not in ("sum", "mean"):
            raise InputError("backward of a batch needs one number: give reduce='sum' or 'mean'")
        if compiled.indices:
            compiled.indices.check(args, kwargs)
        points = Points(self, args, kwargs)
        if by_itself(points):
            y = self.f(*args, **kwargs) if points.n is None else self.reduced(
                self.of_values(points, True), self.one)
            y = number_of(y, self.f)
            y.backward()
            return y.data
        n = 1 if points.n is None else points.n
        run = Run(compiled, points, True)
        run.all()
        y, found = run.results.tree(), run.gradients.totals(self)
        if not run.results.sums:
            y = self.one(y, self.reduce)
        if run.left:
            run.left.backward(1.0 / n if self.reduce == "mean" else 1.0)
        add_gradients(list(found), list(found.values()), not any([x.operands for x in found]))
        return float(y)

    def check_tuple(self, tree: Any) -> None:
        if isinstance(self.reduce, tuple) and not (isinstance(tree, tuple) and len(tree) == len(self.reduce)):
            raise InputError(f"reduce={short(self.reduce)}: {name_of(self.f)} does not return a tuple of "
                             f"{len(self.reduce)} results")

    def reduced(self, tree: Any, one: Callable[[Any, str | None], Any],
                held: Callable[[Any], bool] = is_array) -> Any:
        """The results, those that are to be reduced over the batch by ``one(array, how)``."""
        self.check_tuple(tree)
        if not isinstance(self.reduce, tuple):
            return changed(tree, lambda x: one(x, self.reduce), held=held)
        parts = [changed(part, lambda x, how=how: one(x, how), held=held)  # type: ignore[misc]
                 for part, how in zip(tree, self.reduce)]
        kind = kind_of(tree)
        return tuple(parts) if kind is None else kind.again(tree, parts)

    def one(self, x: Any, how: str | None) -> Any:
        """An array, reduced."""
        if how is None or not is_array(x):
            return x
        n = x.shape[-1]
        if how == "mean" and not n:
            raise InputError("the mean of an empty batch")
        if self.rounding == "eager" and n:      # left to right
            import numpy

            total = numpy.add.accumulate(x, axis=-1)[..., -1]
        else:
            total = x.sum(axis=-1)
        total = total / n if how == "mean" else total
        return total if getattr(total, "shape", True) else total.item()


def by_itself(points: Points) -> bool:
    """Whether the function itself is wanted."""
    return points.of_values or bool(value.special and value.tracing.get())


def what_f_gets(x: Any, f: str) -> str:
    """What a function gets of an argument at each point, if it may not have been meant; "" otherwise."""
    if is_array(x) and len(x.shape) > 1:
        return (f"an array of shape {tuple(x.shape)}, the last axis the batch: at each point {f} gets an "
                f"array of shape {tuple(x.shape[:-1])}; give x.ravel() if it takes one number")
    if isinstance(x, (list, tuple)) and not any(map(is_array, x)):
        entries = f"{len(x)} {'entry' if len(x) == 1 else 'entries'}"
        return (f"a {type(x).__name__} of {entries}, which {f} gets whole at each point: give "
                "numpy.array(…), with the batch as its last axis, for a batch of numbers")
    return ""
