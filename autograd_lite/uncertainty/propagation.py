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
from autograd_lite.graph.node import plain
from autograd_lite.graph.value import Value
from autograd_lite.ops.op import Op
from autograd_lite.transforms.structures import as_array, as_objects, is_array
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import kept, leaves, rebuild, refill
from autograd_lite.uncertainty.covariance import Spread, propagated, spread_of
from autograd_lite.uncertainty.linearised import Point, compiled, is_compiled, linearised, traced
from autograd_lite.uncertainty.result import Propagation, input_names
from autograd_lite.uncertainty.small import Linear, Row, called, flat, with_leaves


def propagation(f: Callable[..., Any], args: Sequence[Any], cov: Any, order: int) -> Any:
    """See `propagate`."""
    core: Any = sys.modules.get("uncertainties.core")
    if kind := getattr(core, "AffineScalarFunc", None):         # of numbers (else that package is not in use)
        kinds = (core.Variable, kind)
        own: list[Value] = []
        given: list[Any] = []
        others: list[Any] = []
        derived = traced
        if type(f) is not FunctionType and not isinstance(f, Op) and is_compiled(f):
            derived = compiled
            numbers, places = _numbers_alone(kinds, args, given)
            if places and cov is None:
                return _of_uncertain(core, f, numbers, places, given, derived)
            given.clear()
        try:
            trees = with_leaves(args, kinds, own, given, others)
        except RecursionError:
            leaves(args, lenient=True)                  # (which says what is wrong)
            raise
        if given or len(args) != 2 and cov is None:
            if others or cov is not None:
                _refuse(others, cov)
        if given:
            if derived is traced:
                try:
                    result, linear = called(f, trees, own)
                    if linear:
                        if type(result) is Value:
                            data, row = linear[0]
                            return _number(core, given, data, row)
                        return _numbers(core, given, result, linear)
                except NumericError:
                    if all([x.std_dev for x in given]):
                        raise
                except TypeError as error:
                    _hint(error, f, args, "propagate(f, a, b)")
                    raise
                trees = with_leaves(args, kinds, [], [], [])            # (f may have changed those)
            places = [i for i, x in enumerate(leaves(trees, lenient=True)) if type(x) is Value]
            return _of_uncertain(core, f, rebuild(trees, plain, lambda x: x), places, given, derived)
    if cov is None:
        if len(args) != 2:
            _plain_of(args)
            raise InputError(f"propagate takes a function, its argument and the uncertainty of that, got "
                             f"{len(args)} after the function; for several arguments write "
                             "propagate(f, a, b, cov=…)")
        return _of_floats(f, args[:1], args[1], order)
    return _of_floats(f, args, cov, order)


def _plain_of(args: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments, their numbers as floats; what is none is an error."""
    try:
        return tuple([x if type(x) is float else rebuild(x, _plain) for x in args])
    except InputError as error:
        raise InputError("propagate: " * (not str(error).startswith("propagate")) + str(error)) from None


def _of_floats(f: Callable[..., Any], args: Sequence[Any], cov: Any, order: int) -> Propagation:
    """The propagation from plain numbers."""
    _refuse_within()
    args = _plain_of(args)
    tree = args[0] if len(args) == 1 else args
    numbers, parameters = leaves(args, lenient=True), _parameters(f, len(args))
    if not numbers:
        raise InputError(f"propagate: {name_of(f)} is given no number")
    if len(args) > 1 and isinstance(cov, dict):
        cov = _by_names(cov, parameters)
    whole = spread_of(cov, tree, len(numbers), lambda: input_names(parameters, args))
    places = [i for i, std in enumerate(whole.stds) if std]
    spread = whole.of(places)
    try:
        result, linear = linearised(f, args, places)
    except TypeError as error:
        _hint(error, f, args, "propagate(f, a, b, cov=…)")
        raise
    result = linear[0][0] if type(result) is Value else refill(result, [x for x, _ in linear])
    rows = [[row.get(i, 0.0) for i in range(len(places))] if isinstance(row, dict) else row
            for _, row in linear]
    found = propagated(rows, spread)
    shares = []
    for row in found.shares:
        own = dict(zip(places, row))
        shares.append(refill(tree, [own.get(i, 0.0) for i in range(len(numbers))]))
    bias, term = _higher(Point(f, args, places), rows, spread, order) if order > 1 else (None, None)
    arrays = is_array(cov) or is_array(result) or any(map(is_array, args))
    m = len(found.stds)
    return Propagation(
        name_of(f), parameters, args, whole.stds, result, refill(result, found.stds),
        as_array([x for row in found.covariance for x in row], (m, m)) if arrays else found.covariance,
        refill(result, shares), None if bias is None else refill(result, bias),
        None if term is None else refill(result, term))


def _refuse_within() -> None:
    """Refuse to run within a compiled function."""
    if value.special and value.tracing.get():
        raise InputError("propagate within a compiled function would run once, not at each call: call it "
                         "outside; given a compiled function it is compiled itself")


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


def _hint(error: TypeError, f: Callable[..., Any], args: Sequence[Any], right: str) -> None:
    """Say with an error how several arguments are given, if f cannot be called with the one."""
    if len(args) == 1 and not isinstance(error, AutogradError):
        try:
            inspect.signature(f).bind(*args)
        except TypeError:
            error.add_note(f"propagate: for a function of several arguments write {right}")
        except ValueError:                              # (a built-in function may not say)
            pass


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


def _numbers_alone(kinds: tuple[type[Any], ...], args: Sequence[Any], given: list[Any]
                   ) -> tuple[list[Any], list[int]]:
    """Arguments that are numbers alone in plain numbers, and the places of those with an uncertainty, which
    are of these kinds and collected; no place if there are others."""
    numbers: list[Any] = []
    places: list[int] = []
    for x in args:
        if type(x) in kinds:
            places.append(len(numbers))
            given.append(x)
            x = x.nominal_value
        elif type(x) is not float and type(x) is not int:
            return [], []
        numbers.append(x)
    return numbers, places


def _refuse(others: Sequence[Any], cov: Any) -> None:
    """Refuse what numbers with an uncertainty cannot stand beside."""
    for x in others:
        kept(_plain(x))
    if cov is not None:
        raise InputError("propagate: numbers of uncertainties carry their uncertainty; leave out cov")


def _of_uncertain(core: Any, f: Callable[..., Any], args: Sequence[Any], places: Sequence[int],
                  given: Sequence[Any], derived: Callable[..., tuple[Any, Linear]]) -> Any:
    """The result of f in numbers with an uncertainty.

    (Where it has no derivative by one that is exact, as its deviation is 0, by the others alone.)
    """
    _refuse_within()
    try:
        result, linear = derived(f, args, places)
    except NumericError:
        uncertain = [(i, x) for i, x in zip(places, given) if x.std_dev]
        if len(uncertain) == len(given):
            raise
        given = [x for _, x in uncertain]
        result, linear = linearised(f, args, [i for i, _ in uncertain])
    except TypeError as error:
        _hint(error, f, args, "propagate(f, a, b)")
        raise
    if type(result) is float:
        return _number(core, given, *linear[0])
    return _numbers(core, given, result, linear)


def _numbers(core: Any, given: Sequence[Any], result: Any, linear: Linear) -> Any:
    """A result in numbers with an uncertainty."""
    numbers = [_number(core, given, x, row) for x, row in linear]
    if flat(result):
        return dict(zip(result, numbers)) if type(result) is dict else type(result)(numbers)
    if is_array(result) and {Value, float, int}.issuperset(map(type, result.ravel().tolist())):
        return as_objects(numbers, result.shape)
    return refill(result, numbers)


def _number(core: Any, given: Sequence[Any], data: float, row: Row) -> Any:
    """A number with these derivatives by the given ones, of the same variables.

    (Those by which it is 0 add nothing, however uncertain they are.)
    """
    if 0.0 in (row.values() if type(row) is dict else row):
        row = {k: p for k, p in (row.items() if type(row) is dict else enumerate(row)) if p}
    linear: dict[Any, float] = {}
    i = 0
    if type(row) is dict:
        for k, p in row.items():
            x = given[k]
            if type(x) is not core.Variable:
                break
            linear[x] = p                               # (it has the derivative 1 by itself alone)
    else:
        for x in given:                                 # (in less time than with `zip`)
            if type(x) is not core.Variable:
                break
            linear[x] = row[i]
            i += 1
    if len(linear) < len(row):
        if type(row) is dict:
            given, row = [given[k] for k in row], [*row.values()]
        if len(linear) < i or not i:                    # (one is given twice)
            linear, i = {}, 0
        while i < len(row):
            x, p = given[i], row[i]
            i += 1
            if type(x) is core.Variable:
                linear[x] = linear.get(x, 0.0) + p if linear else p
            elif linear:
                for variable, slope in x.derivatives.items():
                    linear[variable] = linear.get(variable, 0.0) + p * slope
            else:
                for variable, slope in x.derivatives.items():
                    linear[variable] = p * slope
    return core.AffineScalarFunc(data, core.LinearCombination(linear))
