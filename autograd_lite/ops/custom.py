"""`custom_op`: an op of your own in the table."""
from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from math import inf, nan
from typing import TYPE_CHECKING, Any, Concatenate, overload

from autograd_lite.errors import (DivisionError, DomainError, InputError, NumericError, RangeError, errstate,
                                  short, shown)
from autograd_lite.lines import Line, printable
from autograd_lite.ops.notation import function
from autograd_lite.ops.op import TABLE, Op, number
from autograd_lite.ops.operators import Operators

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import Binary, Many, OfMany, Unary

    Rule = Callable[[Any, Any], Any]            # of the result and one operand
    Rule2 = Callable[[Any, Any, Any], Any]
    Rule3 = Callable[[Any, Any, Any, Any], Any]
_OTHERS = ("; at higher orders, in series and in evaluate it is called with other numbers than floats: write "
           "it with operators and the functions of this library (autograd_lite.exp, not math.exp)")


class Custom(Op):
    """An op of a user's. An error of its functions is quoted, and is the cause of ours."""

    def evaluate(self, xs: Sequence[float], nodes: Sequence[Any] = (), line: Line | None = None) -> float:
        try:
            return super().evaluate(xs, nodes, line)
        except NumericError as error:
            try:
                self.forward(*xs)               # again, for what it says
            except (ValueError, ArithmeticError) as cause:
                if cause.args:
                    text, *rest = str(error).split("\n", 1)
                    error.args = ("\n".join([f"{text} ({cause.args[-1]})", *rest]),)
                    raise error from cause
            raise

    def failure(self, xs: Sequence[float]) -> Exception | None:
        try:
            errstate("raise").run(lambda: self.partials(self.forward(*xs), xs))
        except (ValueError, ArithmeticError) as error:
            return error
        return None


@overload
def custom_op(forward: OfMany, partials: Callable[[Any, Any], Any], *, name: str | None = None,
              domain: Callable[..., bool] = ..., remedy: str = ...,
              kink: Callable[..., float] | None = None,
              form: Callable[..., Any] | None = None) -> Many: ...


@overload
def custom_op(forward: Callable[[float], float], partials: Rule | tuple[Rule] | list[Rule], *,
              name: str | None = None, domain: Callable[[float], bool] = ..., remedy: str = ...,
              kink: Callable[[float], float] | None = None,
              form: Callable[[Any, Any], Any] | None = None) -> Unary: ...


@overload
def custom_op(forward: Callable[[float, float], float],
              partials: tuple[Rule2 | None, Rule2 | None] | list[Rule2 | None], *,
              name: str | None = None, domain: Callable[[float, float], bool] = ..., remedy: str = ...,
              kink: Callable[[float, float], float] | None = None,
              form: Callable[[Any, Any, Any], Any] | None = None) -> Binary: ...


@overload
def custom_op(forward: Callable[[float, float, float], float]
              | Callable[Concatenate[float, float, float, ...], float],
              partials: Iterable[Rule3 | Callable[..., Any] | None], *,
              name: str | None = None, domain: Callable[..., bool] = ..., remedy: str = ...,
              kink: Callable[..., float] | None = None,
              form: Callable[..., Any] | None = None) -> Many: ...


def custom_op(forward: Callable[..., float], partials: Any, *, name: str | None = None,
              domain: Callable[..., bool] = lambda *operands: True,
              remedy: str = "the operands must lie in its domain",
              kink: Callable[..., float] | None = None, form: Callable[..., Any] | None = None) -> Any:
    """An op of your own, with the same rights as ours: it differentiates to any order, draws and pickles.

    Args:
        forward: the function of floats.
        partials: one function of ``(y, *operands)`` for each operand (None for an option, which has
            no derivative), y being the result; if `forward` takes any number of operands, one
            function of ``(y, operands)`` that lists them all. Written with operators and the
            functions of this library, they hold at every order; with `math`, at the first alone. Let
            them branch by `select`: an `if` on an operand holds only on the side where a gradient is
            recorded. They return plain numbers, or what they made of their operands: no other Value.
        name: its name in the table and in pictures; default: the name of `forward`.
        domain: whether the operation is defined at the operands; remedy: says in words where.
        kink: the signed distance to the nearest point where it is not smooth.
        form: the operation in other numbers, for `evaluate`: a function of ``(m, *operands)``, m
            having mpmath's functions. If `forward` is a function of `math`, it is not needed.

    `check_op` tells whether the partials are right.

    Raises:
        InputError: the name is taken by another op, or is not a name; there is not one partial per
            operand.

    >>> third = custom_op(lambda x: x ** 3, (lambda y, x: 3.0 * x * x,), name="third power")
    >>> third(2.0)
    8.0
    """
    name = getattr(forward, "__name__", "") if name is None else name
    if not isinstance(name, str) or not name or name == "<lambda>":
        raise InputError(f"custom_op: {short(name)} is not a name; give one by name=")
    name = printable(name)
    if not callable(forward):
        raise InputError(f"custom_op {name!r}: forward is a function of floats, not {shown(forward)}")
    operands, by_name = _arity(forward)
    if by_name:
        raise InputError(f"custom_op {name!r}: forward takes {' and '.join(by_name)} by name alone, and "
                         "operands are given by position; wrap it in a function of positions")
    if callable(partials):
        partials = (partials,) if operands == 1 else partials
    else:
        rules = tuple(partials) if isinstance(partials, Iterable) else ("",)
        if not all(rule is None or callable(rule) for rule in rules):
            raise InputError(f"custom_op {name!r}: partials are functions of (y, *operands), one for each "
                             f"operand, not {shown(partials)}")
        partials = rules
    if operands is not None and operands != (inf if callable(partials) else len(partials)):
        raise InputError(f"custom_op {name!r}: forward takes {operands} operands; give one partial "
                         "for each, or, if it takes any number, one function of (y, operands)")

    for i, rule in enumerate([] if callable(partials) else partials, 1):
        if rule and not _takes(rule, len(partials) + 1):
            raise InputError(f"custom_op {name!r}: the partial by operand {i} is called with the result and "
                             f"{len(partials)} operands, which it does not accept")

    known, what = getattr(forward, "__name__", ""), f"the function of {name}"
    if form is None and getattr(math, known, None) is forward:
        def form(m: Any, *xs: Any) -> Any:
            return getattr(m, known)(*xs)

    @functools.wraps(forward)
    def guarded(*xs: float) -> float:
        try:
            y = forward(*xs) if domain(*xs) else nan
        except Exception as error:
            raise _blamed(error, what)
        if type(y) is not float:
            y = _plain(what, y, 0.0)
        if y != y and not any([x != x for x in xs]):
            raise ValueError("it returned nan") if domain(*xs) else ValueError
        return y

    def guarded_form(m: Any, *xs: Any) -> Any:
        if not domain(*xs):
            raise ValueError
        return _numeric(f"the form of {name}", form, m, *xs)

    partials = _all_guarded(name, partials) if callable(partials) else tuple([
        rule and _guarded(f"the partial of {name} by operand {i}", rule)
        for i, rule in enumerate(partials, 1)])
    op = Custom(name, guarded, partials, notation=function(name), doc=forward.__doc__ or "", domain=domain,
                remedy=remedy, kink=kink, form=guarded_form if form else None)
    if _likeness(TABLE.setdefault(name, op)) != _likeness(op):
        raise InputError(f"custom_op: the name {name!r} is taken by another op; choose one of your own")
    return TABLE[name]


def _blamed(error: Exception, what: str) -> Exception:
    """An error of a user's function, saying where it arose."""
    if isinstance(error, TypeError):
        blamed = InputError(f"{what}: {printable(str(error))}")
        blamed.__cause__ = error
        return blamed
    if not isinstance(error, (ValueError, ArithmeticError)):
        error.add_note(f"in {what}")
    return error


def _numeric(what: str, f: Any, *operands: Any) -> Any:
    """What a user's function returns; its numeric errors are ours."""
    try:
        return f(*operands)
    except (ValueError, ArithmeticError) as error:
        kind = (RangeError if isinstance(error, OverflowError) else
                DivisionError if isinstance(error, ZeroDivisionError) else DomainError)
        reason = str(error.args[-1]) if error.args else type(error).__name__
        raise kind(f"{what}: {printable(reason)}") from error
    except Exception as error:
        raise _blamed(error, what)


def _partial(what: str, rule: Callable[..., Any], y: Any, *operands: Any) -> Any:
    """The same of a rule; if it needs floats and does not get them, the remedy."""
    try:
        return _numeric(what, rule, y, *operands)
    except (InputError, AttributeError) as error:
        if type(y) is float:
            raise
        raise InputError(f"{what}: {error}".replace(f"{what}: {what}", what) + _OTHERS) from error


def _plain(what: str, p: Any, y: Any) -> Any:
    """A result of the kind of y, or a plain number."""
    if type(p) is type(y):
        return p
    if isinstance(p, Operators):
        raise InputError(f"{what} returned {shown(p)}, which is not made of its operands; use its .data, or "
                         "make it an operand")
    return number(p, what)


def _guarded(what: str, rule: Callable[..., Any]) -> Callable[..., Any]:
    """A rule whose result is a number; an error about `what` if it is not."""
    @functools.wraps(rule)
    def guarded(y: Any, *xs: Any) -> Any:
        return _plain(what, _partial(what, rule, y, *xs), y)
    return guarded


def _all_guarded(name: str, rule: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a rule that gives all partials in a list."""
    what = f"the partials of {name}"

    @functools.wraps(rule)
    def guarded(y: Any, xs: Sequence[Any]) -> list[Any]:
        found = _partial(what, rule, y, list(xs))
        if not isinstance(found, Sequence) or len(found) != len(xs):
            raise InputError(f"{what}: expected a list of {len(xs)}, one for each operand, got "
                             f"{shown(found)}")
        return [_plain(f"the partial of {name} by operand {i}", p, y) for i, p in enumerate(found, 1)]
    return guarded


def _takes(rule: Callable[..., Any], n: int) -> bool:
    """Whether a rule takes n arguments, as far as its signature says."""
    try:
        inspect.signature(rule).bind(*range(n))
    except ValueError:
        return True
    except TypeError:
        return False
    return True


def _arity(f: Callable[..., Any]) -> tuple[float | None, list[str]]:
    """How many operands f takes (inf for any number, None if it does not say), and what by name alone."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except ValueError:
        return None, []
    by_name = [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD)]
    return inf if any(p.kind == p.VAR_POSITIONAL for p in parameters) else len(parameters), by_name


def _likeness(op: Op) -> Any:
    """What an op is made of; equal if the same definition ran twice."""
    def code(f: Any) -> Any:
        cells = [cell.cell_contents for cell in getattr(f, "__closure__", None) or ()]
        return getattr(f, "__code__", f), getattr(f, "__defaults__", None), cells
    return op.remedy, [code(inspect.unwrap(f)) if f else None
                       for f in (op.forward, op.domain, op.kink, *op.rules)]
