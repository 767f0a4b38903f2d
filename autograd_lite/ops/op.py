"""`Op`: one operation of the table, and all that is known about it.

An op is callable: on plain numbers it returns a float; an operand of another kind (a `Value`) brings
its own way to apply an op, as its class's ``__apply_op__(op, operands)``.
"""
from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import partial
from math import inf, nan
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

from autograd_lite.errors import (DivisionError, DomainError, InputError, NumericError, RangeError, short,
                                  signal, type_name)
from autograd_lite.lines import Line, printable

TABLE: dict[str, Op] = {}
arrays: Any = None                              # (`ops.elementwise`)
_BRANCH = "(If this is on a branch that is not taken: select(condition, then, otherwise) takes functions.)"
Rule = Callable[..., Any]


def flat(y: Any, *operands: Any) -> None:
    """The rule for an operand by which an op is piecewise constant."""


class Described:
    """What an op is called, how it is written, and which operands it takes."""

    if TYPE_CHECKING:
        __name__: str
        __signature__: inspect.Signature        # what it takes, as `help` shows it
        name: str
        forward: Callable[..., float]
        rules: Sequence[Rule | None]
        least: int
        most: float
        domain: Callable[..., bool]
        remedy: str
        ieee: Callable[..., float] | None
        kink: Any
        singular: str
        convention: tuple[float, float, float | None, str] | None
        form: Callable[..., Any] | None
        notation: Any
        open: bool
        options: frozenset[int]
        partly: bool
        parameters: tuple[str, ...]             # what the operands are called

    def _signature(self) -> inspect.Signature:
        try:
            parameters = inspect.signature(self.forward).parameters.values()
            return inspect.Signature([p.replace(annotation=p.empty) for p in parameters])
        except ValueError:                                  # (a builtin)
            kind = inspect.Parameter.POSITIONAL_ONLY
            names = "x" if len(self.rules) == 1 else "ab"
            return inspect.Signature([inspect.Parameter(name, kind) for name in names])

    def bound(self, operands: Sequence[Any], options: Any) -> tuple[Any, ...]:
        """The operands in the order of `forward`, where some are given by name."""
        try:
            bound = inspect.signature(self.forward).bind(*operands, **options)
            bound.apply_defaults()
            if bound.args and not bound.kwargs:
                return bound.args
        except (TypeError, ValueError):
            pass
        raise self.miscounted(len(operands) + len(options))

    def miscounted(self, given: int) -> InputError:
        """The error for this number of operands."""
        return InputError(f"{self.name} takes the operands ({', '.join(self.parameters)}); {given} "
                          f"{'was' if given == 1 else 'were'} given")

    def call(self, xs: Sequence[Any], nodes: Sequence[Any] = ()) -> str:
        """The operation as a message shows it: ``log(-2.0) of 'margin'``."""
        if self.notation and self.notation.message:
            text: str = self.notation.message(*xs).text
        else:
            rest = f", … {len(xs)} operands" if len(xs) > 4 else ""
            text = f"{self.name}({', '.join(map(repr, xs[:4]))}{rest})"
        labels = [repr(x.label) for x in nodes[:4] if getattr(x, "label", "")]
        return text + (f" of {', '.join(labels)}" if labels else "")

    def failure(self, xs: Sequence[float]) -> Exception | None:
        """What a user's rules raise at xs."""
        return None


class Op(Described, partial[Any]):
    """One operation: its function, its derivatives, where they hold and how it is written.

    Args:
        forward: the function of floats; may raise as `math` does.
        partials: a rule for each operand, a function of the result and them, ``(y, *operands)``; or, for
            any number of operands, one function of ``(y, operands)`` that lists all. A rule of None marks
            an option, by which nothing is differentiated; by `flat`, or a result of None, no gradient flows.
        domain: whether the operation is defined at the operands; remedy: says in words where.
        ieee: the result of IEEE 754 outside the domain or on overflow.
        kink: the signed distance to the nearest point where it is not smooth (None: there is none).
        singular: where inside the domain a derivative is infinite or missing, and what to do.
        convention: if its number at the kink is a convention (unless an option gives it): the least and the
            largest that it may be, what it and that of swapped operands add up to, and whose slope it is.
        form: the operation in other numbers, a function of ``(m, *operands)``; m has their functions
            under mpmath's names (see `evaluate`).
        notation: how it is written, a `Notation`.

    Attributes:
        rules: the partials' rules; one for all if the op is `open`: takes any number of operands.
        least, most: how many operands it takes; most is inf where their number is open.
        options: the places of its options; partly: whether some operand has no derivative.
        chooses: whether its first operand decides which of the two others is the result.
        in_line: whether its rules may be written out by applying them to a text.
        quick: whether `graph.quick` has a function for it.

    (It is a `functools.partial` of `apply`, or of the quick function: a call of it is one call in Python.)
    """

    chooses = in_line = quick = False
    too_large = "the result is too large for a double"

    def __init__(self, name: str, forward: Callable[..., float],
                 partials: tuple[Rule | None, ...] | Rule, *, doc: str = "",
                 domain: Callable[..., bool] = lambda *operands: True,
                 remedy: str = "the operands must be finite", ieee: Callable[..., float] | None = None,
                 kink: Callable[..., float] | None = None, singular: str = "",
                 convention: tuple[float, float, float | None, str] | None = None,
                 form: Callable[..., Any] | None = None, notation: Any = None):
        rules, many = partials if isinstance(partials, tuple) else (partials,), callable(partials)
        vars(self).update(
            name=name, forward=forward, notation=notation, domain=domain, remedy=remedy, ieee=ieee, kink=kink,
            singular=singular, form=form, convention=convention, rules=rules, open=many,
            options=frozenset(i for i, rule in enumerate(rules) if rule is None),
            most=inf if many else len(rules), __name__=name, __doc__=doc)
        signature = self._signature()
        parameters = signature.parameters
        required = sum(p.default is p.empty for p in parameters.values())
        vars(self).update(__signature__=signature, parameters=tuple(parameters),
                          least=min(required, len(rules)), partly=not all(self.differentiable(len(rules))))
        self.calls(self.apply)

    def __new__(cls, *facts: Any, **more: Any) -> Self:
        return super().__new__(cls, cls.apply)

    def calls(self, function: Callable[..., Any]) -> None:
        """Let a call of the op be a call of this function."""
        self.__setstate__((function, (), {}, vars(self)))  # type: ignore[attr-defined]

    def apply(self, *operands: Any, **options: Any) -> Any:
        """Apply the op.

        An operand with a default may be given by its name: ``relu(x, at_zero=1.0)``.
        """
        if options or not operands:
            operands = self.bound(operands, options)
        for x in operands:
            if type(x) is not float:
                break
        else:
            if len(operands) <= self.most:
                try:
                    y = self.forward(*operands)
                    if y - y == 0.0:
                        return y
                except (ValueError, ArithmeticError, TypeError):
                    pass                        # `evaluate` says what is wrong
            return self.evaluate(operands)
        if not self.open and any(map(arrays.is_array, operands)):
            return arrays.mapped(self, operands)
        for x in operands:
            if way := getattr(type(x), "__apply_op__", None):
                return way(self, operands)
        return self.evaluate([number(x, self.name) for x in operands])

    def evaluate(self, xs: Sequence[float], nodes: Sequence[Any] = (), line: Line | None = None) -> float:
        """The result for floats; outside the domain `errstate` decides.

        A nan or inf among the operands passes through as in IEEE 754; one that arises here (or an inf
        outside the domain) is an error that names `nodes` and `line`.
        """
        if len(xs) > self.most:
            raise self.miscounted(len(xs))
        try:
            y = self.forward(*xs)
            if y - y == 0.0:
                return y
            if any(map(math.isnan, xs)) or (math.isinf(y) and any(map(math.isinf, xs))):
                return y
            kind: type[NumericError] = RangeError if all(map(math.isfinite, xs)) else DomainError
        except OverflowError:
            kind, y = RangeError, self.ieee(*xs) if self.ieee else inf
        except (ValueError, ZeroDivisionError) as error:
            kind = DivisionError if isinstance(error, ZeroDivisionError) else DomainError
            y = self.ieee(*xs) if self.ieee else nan
        except TypeError:
            if len(xs) >= self.least:
                raise
            raise self.miscounted(len(xs)) from None
        text = f"{self.call(xs, nodes)}: {self.too_large if kind is RangeError else self.remedy}"
        signal(kind(text, self.name, xs, nodes, line), _BRANCH if nodes else "")
        return y

    def taken(self, operands: Sequence[Any]) -> Sequence[int]:
        """The places of the operands that make the result: all, or for a choice the one taken."""
        return range(len(operands))

    def differentiable(self, n: int) -> list[bool]:
        """For each of n operands whether it has a partial: neither an option nor `flat`."""
        return [True] * n if self.open else [rule is not None and rule is not flat for rule in self.rules[:n]]

    def partials(self, y: Any, xs: Sequence[Any], wanted: Sequence[bool] = ()) -> list[Any]:
        """The partials at operands of any kind with the result y, or those wanted; None for the others, and
        where there is none."""
        if self.open:
            found = list(self.rules[0](y, xs))  # type: ignore[misc]
            return [p if flag else None for p, flag in zip(found, wanted)] if wanted else found
        return [rule(y, *xs) if rule is not None and flag else None
                for rule, flag in zip(self.rules, wanted or (True,) * len(xs))]

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if TABLE.get(self.name) is not self:
            raise InputError(f"cannot pickle the op {self.name!r}: it is not in the table")
        return op_named, (self.name,)


def op_named(name: str) -> Op:
    """The op of the table with this name.

    >>> op_named("exp")
    <op exp>
    """
    try:
        return TABLE[name]
    except KeyError:
        raise InputError(f"no op is called {name!r}; the table has {', '.join(TABLE)}") from None


def is_scalar(x: Any) -> bool:
    """Whether x is a number of NumPy's, or an array without axes that holds one."""
    return type(x).__module__ == "numpy" and getattr(x, "shape", None) == () and x.dtype.kind in "biuf"


def number(x: Any, where: str = "Value") -> float:
    """A plain real number as a float; anything else is an `InputError` naming `where`.

    >>> from fractions import Fraction
    >>> number(Fraction(1, 4))
    0.25
    """
    if type(x) is float:
        return x
    if isinstance(x, (float, int)) or (
            isinstance(x, Real) or is_scalar(x)) and type(x).__name__ != "timedelta64":
        try:
            y = x if hasattr(x, "exact") else float(x)      # (a `Constant` is kept)
            if y - y == 0.0 or y != y or x == y:            # (infinite as x was)
                return y
        except OverflowError:
            pass
        bits = f" of {x.bit_length()} bits" if isinstance(x, int) else ""
        raise RangeError(f"{printable(where)}: {type_name(x)}{bits} is too large for a double; scale it "
                         "first", where)
    kind, many = type_name(x), "give one number, or map the function over it"
    remedy = {"complex": "only real numbers have a derivative here; take v.real or abs(v)",
              "str": "convert it with float(...)", "Decimal": "convert it with float(...)",
              "NoneType": "a value is missing", "timedelta64": "divide by units",
              "Value": "it is a Value already; use it as it is, its v.data, or v.detach() for a constant",
              **dict.fromkeys(("ndarray", "list", "tuple", "range", "Series"), many)}
    raise InputError(f"{printable(where)}: expected a real number, got {kind} {short(x)}: "
                     + remedy.get(kind, "give it to propagate" if hasattr(x, "std_dev") else
                                  "convert it with float(...) if it stands for one"))
