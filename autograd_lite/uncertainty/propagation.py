"""What `propagate` does: the uncertainty of a function's result, from that of its inputs.

A result's standard deviation is that of f's linear approximation at the inputs. Formulas: JCGM 100:2008
("GUM", evaluation of measurement data), equations 10 and 13 and the note to 5.1.2; for several results
JCGM 102:2011, 6.2.
"""
from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

from autograd_lite.errors import AutogradError, InputError, NumericError, short
from autograd_lite.graph import value
from autograd_lite.graph.value import Value
from autograd_lite.transforms.structures import as_array, is_array
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import kept, leaves, rebuild, refill
from autograd_lite.uncertainty.covariance import Spread, propagated, spread_of
from autograd_lite.uncertainty.linearised import Point
from autograd_lite.uncertainty.result import Propagation, input_names


def propagation(f: Callable[..., Any], args: Sequence[Any], cov: Any, order: int) -> Any:
    """See `propagate`."""
    kind = _kind_of_numbers()
    if kind is not None:
        numbers, found = _found(kind, args)
        if found and cov is not None:
            raise InputError("propagate: numbers of uncertainties carry their uncertainty; leave out cov")
        if found:
            return _of_numbers(kind, f, numbers, found)
    if cov is None:
        if len(args) != 2:
            raise InputError(f"propagate takes a function, its argument and the uncertainty of that, got "
                             f"{len(args)} after the function; for several arguments write "
                             "propagate(f, a, b, cov=…)")
        return _of_floats(f, args[:1], args[1], order)
    return _of_floats(f, args, cov, order)


def _of_floats(f: Callable[..., Any], args: Sequence[Any], cov: Any, order: int) -> Propagation:
    """The propagation from plain numbers."""
    if value.special and value.tracing.get():
        raise InputError("propagate within a compiled function would run once, not at each call: call it "
                         "outside; given a compiled function it is compiled itself")
    try:
        args = tuple([x if type(x) is float else rebuild(x, _plain) for x in args])
    except InputError as error:
        raise InputError("propagate: " * (not str(error).startswith("propagate")) + str(error)) from None
    tree = args[0] if len(args) == 1 else args
    numbers, parameters = leaves(args, lenient=True), _parameters(f, len(args))
    if not numbers:
        raise InputError(f"propagate: {name_of(f)} is given no number")
    if len(args) > 1 and isinstance(cov, dict):
        cov = _by_names(cov, parameters)
    whole = spread_of(cov, tree, len(numbers), lambda: input_names(parameters, args))
    places = [i for i, std in enumerate(whole.stds) if std]
    point, spread = Point(f, args, places), whole.of(places)
    try:
        result, rows = point.linearised()
    except TypeError as error:
        if len(args) == 1 and not isinstance(error, AutogradError) and not _takes(f, args):
            error.add_note("propagate: for a function of several arguments write propagate(f, a, b, cov=…)")
        raise
    found = propagated(rows, spread)
    shares = []
    for row in found.shares:
        own = dict(zip(places, row))
        shares.append(refill(tree, [own.get(i, 0.0) for i in range(len(numbers))]))
    bias, term = _higher(point, rows, spread, order) if order > 1 else (None, None)
    arrays = is_array(cov) or is_array(result) or any(map(is_array, args))
    m = len(found.stds)
    return Propagation(
        name_of(f), parameters, args, whole.stds, result, refill(result, found.stds),
        as_array([x for row in found.covariance for x in row], (m, m)) if arrays else found.covariance,
        refill(result, shares), None if bias is None else refill(result, bias),
        None if term is None else refill(result, term))


def _by_names(cov: Mapping[str, Any], parameters: Sequence[str]) -> tuple[Any, ...]:
    """The standard deviations of several arguments, given by the names of these."""
    if cov.keys() != set(parameters):
        raise InputError(f"propagate: cov is a dict for {', '.join(map(short, cov))}, and the arguments are "
                         f"{', '.join(parameters)}: give the standard deviation of each (0 for an exact one)")
    return tuple([cov[name] for name in parameters])


def _plain(x: Any) -> Any:
    if isinstance(x, Value):
        raise InputError(f"propagate takes and returns plain numbers, got {x!r}, whose gradient would be "
                         "lost: give its .data")
    return x


def _higher(point: Point, rows: Sequence[Sequence[float]], spread: Spread,
            order: int) -> tuple[list[float], list[float] | None]:
    """The biases, and at order 3 the next terms of the variances."""
    if not point.places:
        return [0.0] * len(rows), [0.0] * len(rows) if order > 2 else None
    try:
        matrices = list(map(spread.scaled, point.second()))
        bias = [0.5 * spread.trace(matrix) for matrix in matrices]
        if order < 3:
            return bias, None
        covariance = spread.scaled(spread.correlations or [
            [1.0 if i == j else 0.0 for j in range(len(spread.stds))] for i in range(len(spread.stds))])

        def contracted(matrix: Any) -> Any:
            return sum([c * p for others, row in zip(covariance, matrix) for c, p in zip(others, row) if c])

        term = []
        for row, matrix, third in zip(rows, matrices, point.third(contracted)):
            columns = list(zip(*[spread.times(line) for line in matrix]))
            n = range(len(row))
            squared = math.fsum([columns[j][i] * columns[i][j] for i in n for j in n])
            along = spread.times([p * std for p, std in zip(row, spread.stds)])
            term.append(0.5 * squared + math.fsum([
                a * std * t for a, std, t in zip(along, spread.stds, third)]))
        return bias, term
    except AutogradError as error:
        error.add_note("propagate: the bias takes second derivatives; order=1 leaves it out")
        raise


def _takes(f: Callable[..., Any], args: Sequence[Any]) -> bool:
    """Whether f can be called so, as far as is known."""
    try:
        inspect.signature(f).bind(*args)
    except TypeError:
        return False
    except ValueError:                                  # (a built-in function may not say)
        pass
    return True


def _parameters(f: Any, n: int) -> Sequence[str]:
    """The names of f's first parameters, for messages; ``x0``, ``x1`` where they are not known."""
    f = inspect.unwrap(f)
    names: Sequence[str] = ()
    if type(f) is FunctionType:
        names = f.__code__.co_varnames[:f.__code__.co_argcount]
    else:
        try:
            names = [p.name for p in inspect.signature(f).parameters.values() if p.kind < p.VAR_POSITIONAL]
        except (TypeError, ValueError):                 # (a built-in function has none)
            pass
    return names[:n] if len(names) >= n else ["x"] if n == 1 else [f"x{i}" for i in range(n)]


# -- numbers of the package `uncertainties` ----------------------------------------------------------------


def _kind_of_numbers() -> Any:
    """The class of such numbers, if the package is in use."""
    return getattr(sys.modules.get("uncertainties.core"), "AffineScalarFunc", None)


def _found(kind: Any, args: Sequence[Any]) -> tuple[Sequence[Any], list[tuple[int, Any]]]:
    """The arguments in plain numbers, and the numbers with an uncertainty at their places."""
    found = list[tuple[int, Any]]()
    if all([isinstance(x, kind) for x in args]):
        return [x.nominal_value for x in args], list(enumerate(args))
    others = list[Any]()
    rebuild(tuple(args), lambda x: x, others.append)
    if not any([isinstance(x, kind) for x in others]):
        return args, []
    met = 0

    def number(x: Any) -> Any:
        nonlocal met
        met += 1
        return _plain(x)

    def other(x: Any) -> Any:
        nonlocal met
        if not isinstance(x, kind):
            return kept(x)
        found.append((met, x))
        met += 1
        return x.nominal_value

    return rebuild(tuple(args), number, other), found


def _of_numbers(kind: Any, f: Callable[..., Any], args: Sequence[Any],
                found: Sequence[tuple[int, Any]]) -> Any:
    """f's result in numbers that depend on the same variables as the given ones."""
    try:
        result, rows = Point(f, args, [i for i, _ in found]).linearised()
    except NumericError:                                # (that does not matter by what is exact)
        uncertain = [pair for pair in found if pair[1].std_dev]
        if len(uncertain) == len(found):
            raise
        found = uncertain
        result, rows = Point(f, args, [i for i, _ in found]).linearised()
    combination = sys.modules["uncertainties.core"].LinearCombination
    parts = [x.derivatives.items() for _, x in found]

    def number(y: float, row: Sequence[float]) -> Any:
        linear: dict[Any, float] = {}
        for p, part in zip(row, parts):
            for variable, slope in part:
                linear[variable] = linear.get(variable, 0.0) + p * slope
        return kind(y, combination(linear))

    if type(result) is float:
        return number(result, rows[0])
    if is_array(result):
        return as_array(list(map(number, result.ravel().tolist(), rows)), result.shape)
    supply = iter(rows)
    return rebuild(result, lambda y: number(y, next(supply)))
