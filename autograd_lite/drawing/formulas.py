"""`Formula`: what ops give for symbols, tidied as people do; that of a partial is its rule's result."""
from __future__ import annotations

import copy
import inspect
import itertools
from collections.abc import Callable, Iterable, Sequence
from math import nan
from typing import Any, ClassVar, NamedTuple, Self

from autograd_lite.errors import errstate
from autograd_lite.ops.op import TABLE, Op, number
from autograd_lite.ops.operators import Operators

MOST = 40                                       # terms of a sum that are kept; the others are counted
Powers = tuple[tuple["Formula", int], ...]


class Relation(NamedTuple):
    """How two formulas compare at the present numbers: ``>``, ``<`` or ``=``."""

    left: Formula
    sign: str
    right: Formula


class Formula(Operators):
    """A formula, and its number.

    A sum, a difference, a product, a quotient or a power of formulas is tidied: without what is 0 or 1, with
    equal terms and factors taken together. Whatever is asked of it is answered by its number.

    Attributes:
        data: its number; key: equal for equal formulas.
        since: the relations by which it is this formula and no other.
    """

    __slots__ = ("data", "key", "since")
    data: float
    key: Any
    since: tuple[Relation, ...]

    def __init__(self, data: float, key: Any, since: Iterable[Relation] = ()):
        self.data, self.key = data, key
        self.since = _once(since)

    def because(self, since: Iterable[Relation]) -> Self:
        """The same, with further relations."""
        other = copy.copy(self)
        other.since = _once((*self.since, *since))
        return other

    @staticmethod
    def __apply_op__(op: Op, operands: Sequence[Any]) -> Formula:
        return applied(op, [formula(x) for x in operands])

    def __compare__(self, holds: Callable[[Any, Any], Any], other: Any) -> Any:
        return holds(self.data, formula(other).data)

    def __select__(self, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        return formula(then() if self.data else otherwise()).because(self.since)

    def __ask__(self, question: Any, operands: Sequence[Any]) -> Any:
        return question.holds(*[formula(x).data for x in operands])

    def __add__(self, other: Any) -> Any: return added([self, formula(other)])
    def __radd__(self, other: Any) -> Any: return added([formula(other), self])
    def __sub__(self, other: Any) -> Any: return added([self, -formula(other)])
    def __rsub__(self, other: Any) -> Any: return added([formula(other), -self])
    def __mul__(self, other: Any) -> Any: return multiplied([(self, 1), (formula(other), 1)])
    def __rmul__(self, other: Any) -> Any: return multiplied([(formula(other), 1), (self, 1)])
    def __truediv__(self, other: Any) -> Any: return multiplied([(self, 1), (formula(other), -1)])
    def __rtruediv__(self, other: Any) -> Any: return multiplied([(formula(other), 1), (self, -1)])
    def __neg__(self) -> Any: return multiplied([(Number(-1.0), 1), (self, 1)])
    def __abs__(self) -> Any: return Call(TABLE["abs"], [self])
    def __pow__(self, other: Any, modulo: Any = None) -> Any: return _power(self, formula(other))
    def __rpow__(self, other: Any) -> Any: return _power(formula(other), self)


class Named(Formula):
    """What has a name."""

    __slots__ = ("name",)

    def __init__(self, name: Any, data: float):
        super().__init__(data, (id(name), name))
        self.name = name


class Number(Formula):
    """A plain number."""

    __slots__ = ()

    def __init__(self, data: float, since: Iterable[Relation] = ()):
        super().__init__(data, (float(data),), since)


class Sum(Formula):
    """Terms, and how many more there are."""

    __slots__ = ("terms", "hidden")

    def __init__(self, terms: tuple[Formula, ...], hidden: int, data: float):
        super().__init__(data, ("+", hidden, *[x.key for x in terms]), [r for x in terms for r in x.since])
        self.terms, self.hidden = terms, hidden


class Product(Formula):
    """A plain number times powers, some of them negative."""

    __slots__ = ("coefficient", "powers")

    def __init__(self, coefficient: float, powers: Powers, since: Iterable[Relation] = ()):
        data = coefficient
        for base, n in powers:
            data *= _computed(lambda x, n: x ** n, base.data, n)
        super().__init__(data, ("*", coefficient, *[(x.key, n) for x, n in powers]),
                         [*since, *[r for x, _ in powers for r in x.since]])
        self.coefficient, self.powers = coefficient, powers


class Call(Formula):
    """An op of formulas; or its partial by one of them, for which there is no formula but a name."""

    __slots__ = ("op", "operands", "by")

    def __init__(self, op: Op, operands: Sequence[Formula], by: int | None = None, data: float | None = None):
        if data is None:
            data = _computed(op.evaluate, [x.data for x in operands])
        super().__init__(data, (op.name, by, *[x.key for x in operands]),
                         [r for x in operands for r in x.since])
        self.op, self.operands, self.by = op, tuple(operands), by


def formula(x: Any) -> Formula:
    """A formula as it is; a plain number as one."""
    return x if isinstance(x, Formula) else Number(number(x))


def _once(since: Iterable[Relation]) -> tuple[Relation, ...]:
    return tuple({(x.left.key, x.right.key): x for x in since
                  if not isinstance(x.left, Number) or not isinstance(x.right, Number)}.values())


def _computed(f: Callable[..., float], *xs: Any) -> float:
    try:
        return errstate("ignore").run(f, *xs)
    except ArithmeticError:
        return nan


# -- tidying ---------------------------------------------------------------------------------------


def split(x: Formula) -> tuple[float, Powers]:
    """The plain number and the powers that a formula is the product of."""
    if isinstance(x, Number):
        return x.data, ()
    return (x.coefficient, x.powers) if isinstance(x, Product) else (1.0, ((x, 1),))


def _joined(coefficient: float, powers: Powers, since: Iterable[Relation] = ()) -> Formula:
    if coefficient == 0.0 or not powers:
        return Number(coefficient, [*since, *[r for x, _ in powers for r in x.since]])
    if coefficient < 0.0:                       # −(a − b) is b − a
        for i, (x, n) in enumerate(powers):
            if isinstance(x, Sum) and not x.hidden and n % 2 and [*map(negative, x.terms)] == [False, True]:
                turned = added([-x.terms[1], -x.terms[0]])
                return _joined(-coefficient, (*powers[:i], (turned, n), *powers[i + 1:]), since)
    if coefficient == 1.0 and len(powers) == 1 and powers[0][1] == 1:
        return powers[0][0].because(since)
    return Product(coefficient, powers, since)


def negative(x: Formula) -> bool:
    """Whether a formula is written with a minus before it."""
    return split(x)[0] < 0.0


def multiplied(factors: Iterable[tuple[Formula, int]]) -> Formula:
    """The product of powers."""
    coefficient, found, since = 1.0, dict[Any, tuple[Formula, int]](), list[Relation]()
    for factor, n in factors:
        c, powers = split(factor)
        since += factor.since
        coefficient *= _computed(lambda c, n: c ** n, c, n)
        for x, m in powers:
            found[x.key] = x, found.get(x.key, (x, 0))[1] + m * n
    return _joined(coefficient, tuple([power for power in found.values() if power[1]]), since)


def added(terms: Iterable[Formula]) -> Formula:
    """The sum of terms, equal ones taken together."""
    found, hidden, data, since = dict[Any, tuple[float, Powers]](), 0, 0.0, list[Relation]()
    for term in terms:
        since += term.since
        data += term.data
        for part in term.terms if isinstance(term, Sum) else (term,):
            c, powers = split(part)
            key = frozenset([(x.key, n) for x, n in powers])
            if key in found or len(found) < MOST:
                found[key] = found.get(key, (0.0, ()))[0] + c, powers
            else:
                hidden += 1
        hidden += term.hidden if isinstance(term, Sum) else 0
    kept = [_joined(c, powers) for c, powers in found.values() if c != 0.0]
    if not hidden and len(kept) < 2:
        return kept[0].because(since) if kept else Number(0.0, since)
    return Sum(tuple(kept), hidden, data).because(since)


def _power(base: Formula, exponent: Formula) -> Formula:
    n = exponent.data
    if isinstance(exponent, Number) and abs(n) < 100.0 and n == round(n):
        return multiplied([(base, round(n))])
    return Call(TABLE["**"], [base, exponent])


# -- ops of formulas ---------------------------------------------------------------------------------


class _Arithmetic:
    """What an op's form may use to be written out: operators alone."""

    power: ClassVar[Any] = staticmethod(lambda a, b: formula(a) ** b)
    mpf: ClassVar[Any] = staticmethod(formula)


def applied(op: Op, xs: Sequence[Formula]) -> Formula:
    """An op of formulas: arithmetic written out, of a choice the side taken, of what is piecewise constant
    the number; anything else by its name."""
    if op.chooses:
        condition = xs[0].since or (Relation(xs[0], "≠" if xs[0].data else "=", Number(0.0)),)
        taken, = op.taken([x.data for x in xs])
        return xs[taken].because(condition)
    if op.in_line and op.kink and not any(op.differentiable(len(xs))):
        return Number(_computed(op.evaluate, [x.data for x in xs]), [_side(formula(op.kink(*xs)))])
    if op.in_line:
        try:
            return formula(op.form(_Arithmetic, *xs))  # type: ignore[misc]
        except (AttributeError, TypeError, ValueError, ArithmeticError):
            pass                                # it takes more than operators
    return Call(op, xs)


def _side(distance: Formula) -> Relation:
    """On which side of a kink a point lies."""
    terms = distance.terms if isinstance(distance, Sum) and not distance.hidden else (distance,)
    sign = ">" if distance.data > 0.0 else "<" if distance.data < 0.0 else "="
    left, right = [x for x in terms if not negative(x)], [-x for x in terms if negative(x)]
    if not left:                                # −x > 0 is x < 0
        return Relation(added(right), {">": "<", "<": ">"}.get(sign, sign), added(left))
    return Relation(added(left), sign, added(right))


def partials_as_written(op: Op, y: Any, xs: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
    """The partials that are wanted, as people write them, or as the op's rules have them; None for one for
    which there is no more than a function of floats."""
    written = op.notation.slopes if op.notation else ()
    rules: list[Any] = [rule and inspect.unwrap(rule) for rule in op.rules]     # (as a user wrote them)
    try:
        if op.open:
            return list((written or rules[0])(y, xs))
        rules = [better or rule for better, rule in itertools.zip_longest(written, rules)]
        return [rule(y, *xs) if rule and flag else None for rule, flag in zip(rules, wanted)]
    except Exception:                           # (the rule of a user's that takes floats alone)
        return [None] * len(xs)


def slopes(op: Op, y: Formula, xs: Sequence[Formula], wanted: Sequence[bool]) -> list[Formula | None]:
    """The formulas of the partials; None for one that has none."""
    since = xs[0].since if op.chooses else ()
    return [None if p is None else formula(p).because(since) for p in partials_as_written(op, y, xs, wanted)]
