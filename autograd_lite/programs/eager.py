"""What a compiled function does by the library's ordinary means."""
from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from operator import index
from typing import Any

from autograd_lite.errors import AutogradError, InputError, short
from autograd_lite.graph.backward import backward
from autograd_lite.graph.changes import add_gradients
from autograd_lite.graph.node import ZERO
from autograd_lite.graph.states import restored
from autograd_lite.graph.value import Value
from autograd_lite.ops.sequences import sum_op
from autograd_lite.programs.arguments import entered, is_whole
from autograd_lite.transforms.structures import is_array
from autograd_lite.transforms.trace import name_of
from autograd_lite.transforms.trees import is_number, kind_of, leaves, rebuild


def constants(args: Any, kwargs: Any) -> Any:
    """The arguments with Values that stand for their numbers, as in a trace."""
    return entered((list(args), kwargs), lambda x: index(x) if is_whole(x) else x if isinstance(x, Value) else
                   Value(float(x), requires_grad=False))


def eager(f: Callable[..., Any], args: Any, kwargs: Any, recorded: bool = False) -> Any:
    """What f itself returns, as numbers; `recorded`: whether it was just now, and all was finite."""
    try:
        result = _of_recorded(f, args, kwargs) if recorded else _of_values(f, args, kwargs)
    except InputError as error:                 # (Values refuse what plain numbers do: int(x), say)
        try:
            result = _of_numbers(f, args, kwargs)
        except TypeError:                       # (and so do these)
            raise error from None
    return _arrays_of_numbers(rebuild(result, lambda x: x.data if isinstance(x, Value) else x, lambda x: x))


def _arrays_of_numbers(tree: Any) -> Any:
    """A structure whose arrays of objects are arrays of numbers, if these are all that they hold."""
    if is_array(tree):
        import numpy

        numbers = tree.dtype == object and tree.size and {int, float}.issuperset(map(type, tree.flat))
        return numpy.array(tree.tolist()) if numbers else tree
    kind = kind_of(tree, True)
    return kind.again(tree, list(map(_arrays_of_numbers, kind.parts(tree)))) if kind else tree


def of_large(f: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What f itself returns of ints that no double may hold: numbers, or Values where some are given."""
    values = any([isinstance(x, Value) for x in leaves((list(args), kwargs), lenient=True)])
    return f(*args, **kwargs) if values else eager(f, args, kwargs)


def _of_recorded(f: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What f itself returns, of Python's numbers, as its caller has it; of Values, if it needs methods."""
    if _pythons((list(args), kwargs)):
        with contextlib.suppress(Exception):
            return _of_numbers(f, args, kwargs)
    return _of_values(f, args, kwargs)


def _pythons(tree: Any) -> bool:
    """Whether all numbers in a structure are Python's own (NumPy's functions are others, say)."""
    if hasattr(tree, "dtype"):
        return False
    kind = kind_of(tree, True)
    return all(map(_pythons, kind.parts(tree))) if kind else type(tree) is float or not is_number(tree) or (
        isinstance(tree, int))


def _of_values(f: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What f itself returns, of Values; the text of an error of its own shows numbers."""
    given, named = constants(args, kwargs)
    try:
        return f(*given, **named)
    except AutogradError:
        raise
    except Exception as error:
        try:
            _of_numbers(f, args, kwargs)
        except Exception as again:
            if type(again) is type(error):
                raise again from None
        raise


def _of_numbers(f: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What f itself returns, of plain numbers."""
    given, named = entered((list(args), kwargs), lambda x: x)
    return f(*given, **named)


def result_of(f: Callable[..., Any], args: Any, kwargs: Any, recorded: bool) -> Value:
    """The one number that f returns."""
    return number_of((_of_recorded if recorded else _of_values)(f, args, kwargs), f)


def number_of(y: Any, f: Callable[..., Any]) -> Value:
    """A result of f, if that is one number to go backward from."""
    if not isinstance(y, Value):
        raise InputError(f"{name_of(f)} returned {short(y)}; backward needs one number that depends on "
                         "Values")
    return y


def pass_on(xs: Sequence[Value], gradients: Sequence[float], leaves: bool) -> None:
    """Add gradients to those of Values, and to those of the leaves that they are computed from: in one pass,
    as `backward` of the result does it."""
    if leaves and add_gradients(xs, gradients):
        return
    root = restored(Value, 0.0, ZERO, sum_op, tuple(xs), None, tuple(gradients), None)
    backward(root, 1.0)


def placed(error: Exception, where: str) -> None:
    """Let an error say where it arose: at which point, in which step."""
    if isinstance(error, (AutogradError, IndexError)) and error.args:
        error.args = (f"{where}: {error.args[0]}", *error.args[1:])
    else:
        error.add_note(where)
