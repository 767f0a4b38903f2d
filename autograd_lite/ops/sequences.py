"""Functions of a sequence of numbers, each one node."""
from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

from autograd_lite.errors import InputError, type_name
from autograd_lite.ops import special
from autograd_lite.ops.define import define, doctests
from autograd_lite.ops.elementary import exp
from autograd_lite.ops.notation import LOOSE, POWER, PRODUCT, SIGN, SUM, Form, Notation, function, latex
from autograd_lite.ops.constants import Constant
from autograd_lite.ops.op import Op

if TYPE_CHECKING:
    from autograd_lite.ops.signatures import AnyNumbers, Floats, Many, Mixed, Numeric, Plain, T

# -- many operands ---------------------------------------------------------------------


@functools.cache
def _one_over(n: int) -> Constant:
    return Constant(1.0 / n, lambda m: m.mpf(1) / n)


def _equal_shares(y: Any, xs: Sequence[Any]) -> list[float]:
    return [_one_over(len(xs))] * len(xs)


def _dot_partials(y: Any, xs: Sequence[Any]) -> list[Any]:
    left, right, bias = special.halves(xs)
    return [*right, *left, *[1.0 for _ in bias]]


class Shares(Op):
    """softmax: the share of the first operand.

    `together` makes the nodes of all shares of ordinary operands, or None; see `graph.quick`.
    """

    together: Callable[[Sequence[Any]], list[Any] | None] | None = None

    def each(self, xs: Sequence[Any]) -> list[Any]:
        """The share of each operand; those of plain numbers are computed together."""
        if all(type(x) is float for x in xs):
            return special.shares(xs)
        # Rotated, not swapped: then the partials of the partials are these same shares.
        return self.together and self.together(xs) or [self(*xs[i:], *xs[:i]) for i in range(len(xs))]


def _softmax_partials(y: Any, xs: Sequence[Any]) -> list[Any]:
    if type(y) is float:
        return special.share_partials(y, special.shares(xs))
    others = softmax_first.each(xs)[1:]
    return [y * sum(others, exact=True), *[-y * p for p in others]]


def _rest_partials(y: Any, xs: Sequence[Any]) -> list[Any]:
    first, *others = softmax_first.each(xs)
    return [-first * y, *[first * p for p in others]]


def _log_softmax_partials(y: Any, xs: Sequence[Any]) -> list[Any]:
    return [softmax_rest(*xs), *[-p for p in softmax_first.each(xs)[1:]]]


# -- how they are written ----------------------------------------------------------------------


def _list(name: str, rest: str = "") -> Form:
    """A function of a list, with something after the list."""
    return Form(lambda xs: f"{name}([{', '.join(xs)}]{rest}")


def _dot_text(options: str) -> Form:
    def text(xs: Sequence[str]) -> str:
        left, right, bias = special.halves(xs)
        return f"dot([{', '.join(left)}], [{', '.join(right)}]{''.join(', ' + b for b in bias)}{options})"
    return Form(text)


def _dot_latex(xs: Sequence[str]) -> str:
    left, right, bias = special.halves(xs)
    return " + ".join([*(rf"{a} \cdot {b}" for a, b in zip(left, right)), *bias])


def _powers(xs: Sequence[str]) -> str:
    return " + ".join(f"e^{{{x}}}" for x in xs)


def _share(xs: Sequence[str]) -> str:
    return rf"\frac{{e^{{{xs[0]}}}}}{{{_powers(xs)}}}"


def _added(terms: Sequence[str]) -> str:
    """A sum over arrays; a long one not all in one expression, which Python's compiler would refuse."""
    chain = " + ".join(terms[:50])
    return f"sum([{', '.join(terms[50:])}], {chain})" if terms[50:] else chain


def _dot_added(xs: Sequence[str]) -> str:
    left, right, bias = special.halves(xs)
    return _added([*(f"{a} * {b}" for a, b in zip(left, right)), *bias])


_sum = latex(" + ".join, SUM, PRODUCT)
_mean = latex(lambda xs: rf"\frac{{{' + '.join(xs)}}}{{{len(xs)}}}", POWER, PRODUCT)
_dot = latex(_dot_latex, SUM, POWER)
_logsumexp = latex(lambda xs: rf"\ln\left({_powers(xs)}\right)")
_softmax = latex(_share, POWER)
_log_softmax = latex(lambda xs: rf"\ln{_share(xs)}", PRODUCT)


class Total(Op):
    """A sum that may leave the range of doubles on the way."""

    too_large = ("the result, or a number on the way to it, is too large for a double; with exact=True only "
                 "the result counts")


def _notation(text: Form, tex: Form, name: str, array: Callable[[Sequence[str]], str] | None = None,
              slopes: Any = ()) -> Notation:
    """A function of a list, which a message shortens; over arrays, if not given, one of as many operands."""
    def message(xs: Sequence[str]) -> str:
        whole: str = text.template(xs)  # type: ignore[operator]
        return whole if len(whole) <= 90 else f"{whole[:70]}… {len(xs)} operands)"
    return Notation(text, tex, name, said=Form(message), targets={
        "array": Form(array or (lambda xs: f"xp.{name}({', '.join(xs)})"), LOOSE, SIGN)}, slopes=slopes)


# -- the ops -----------------------------------------------------------------------------------

sum_op: Many = define("sum", special.chain_sum, lambda y, xs: [1.0] * len(xs), generic=True,
                      kind=Total, notation=_notation(_list("sum", ")"), _sum, "sum", _added))
fsum: Many = define("fsum", special.fsum, lambda y, xs: [1.0] * len(xs), ieee=special.chain_sum,
                    form=sum_op.form, notation=_notation(_list("sum", ", exact=True)"), _sum, "fsum"))
mean_op: Many = define("mean", special.mean, _equal_shares,
                       form=lambda m, *xs: special.chain_sum(*xs) / len(xs),
                       notation=_notation(_list("mean", ")"), _mean, "mean",
                                          lambda xs: f"({_added(xs)}) / {len(xs)}.0"))
dot_op: Many = define("dot", special.dot, _dot_partials, generic=True, kind=Total,
                      notation=_notation(_dot_text(""), _dot, "dot", _dot_added))
fdot: Many = define("fdot", special.fdot, _dot_partials, ieee=special.dot, form=dot_op.form,
                    notation=_notation(_dot_text(", exact=True"), _dot, "fdot"))
logsumexp_op: Many = define(
    "logsumexp", special.logsumexp, lambda y, xs: softmax_first.each(xs),
    form=lambda m, *xs: m.log(special.chain_sum(*[m.exp(x) for x in xs])),
    notation=_notation(_list("logsumexp", ")"), _logsumexp, "logsumexp",
                       slopes=lambda y, xs: [exp(x - y) for x in xs]))
softmax_first: Shares = define(
    "softmax", special.share, _softmax_partials, kind=Shares,
    form=lambda m, *xs: 1 / (1 + builtins.sum(m.exp(x - xs[0]) for x in xs[1:])),
    notation=_notation(_list("softmax", ")[0]"), _softmax, "softmax", slopes=lambda y, xs: [
        y * (1.0 - y), *[-y ** 2 * exp(x - xs[0]) for x in xs[1:]]]))
softmax_rest: Many = define(          # 1 − softmax, whose digits a difference or a sum of shares would lose
    "softmax_rest", special.rest_share, _rest_partials,
    form=lambda m, *xs: (t := builtins.sum(m.exp(x - xs[0]) for x in xs[1:])) / (1 + t),
    notation=function("softmax_rest", latex(lambda xs: f"1 - {_share(xs)}", SUM),
                      said=lambda xs: f"1 - softmax([{', '.join(xs)}])[0]",
                      array=lambda xs: f"xp.softmax_rest({', '.join(xs)})", slopes=lambda y, xs: [
                          y * (y - 1.0), *[(1.0 - y) ** 2 * exp(x - xs[0]) for x in xs[1:]]]))
log_softmax_first: Many = define(
    "log_softmax", special.log_share, _log_softmax_partials,
    form=lambda m, *xs: -m.log1p(builtins.sum(m.exp(x - xs[0]) for x in xs[1:])),
    notation=_notation(_list("log_softmax", ")[0]"), _log_softmax, "log_softmax", slopes=lambda y, xs: [
        1.0 - exp(y), *[-exp(y + x - xs[0]) for x in xs[1:]]]))


def _operands(name: str, xs: Any, least: int = 1) -> list[Any]:
    try:                                            # (the numbers of an array as Python's, which are quicker)
        operands = xs.tolist() if type(xs).__module__ == "numpy" and getattr(xs, "ndim", 0) == 1 else list(xs)
    except TypeError:
        raise InputError(f"{name}: expected a sequence of numbers, got {type_name(xs)}; "
                         f"write {name}([a, b, …])") from None
    if len(operands) < least:
        raise InputError(f"{name}: the sequence is empty; give at least one number")
    return operands


@overload
def sum(xs: AnyNumbers, *, exact: bool = ...) -> Any: ...
@overload
def sum(xs: Floats, *, exact: bool = False) -> float: ...
@overload
def sum(xs: Mixed[T], *, exact: bool = False) -> T: ...


def sum(xs: Iterable[Any], *, exact: bool = False) -> Any:
    """The sum of a sequence, as one node. An empty one gives 0.0.

    Adds left to right, as a chain of ``+`` does; ``exact=True`` rounds only once
    (`math.fsum`).

    >>> sum([0.1] * 10), sum([0.1] * 10, exact=True)
    (0.9999999999999999, 1.0)
    """
    operands = _operands("sum", xs, least=0)
    return (fsum if exact else sum_op)(*operands) if operands else 0.0


@overload
def mean(xs: AnyNumbers) -> Any: ...
@overload
def mean(xs: Floats) -> float: ...
@overload
def mean(xs: Mixed[T]) -> T: ...


def mean(xs: Iterable[Any]) -> Any:
    """The arithmetic mean of a sequence, as one node.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    return mean_op(*_operands("mean", xs))


@overload
def dot(xs: AnyNumbers, ys: AnyNumbers, bias: Any = ..., *, exact: bool = ...) -> Any: ...
@overload
def dot(xs: Floats, ys: Floats, bias: Plain | None = ..., *, exact: bool = ...) -> float: ...
@overload
def dot(xs: Mixed[T], ys: Mixed[T], bias: Numeric[T] | None = ..., *, exact: bool = ...) -> T: ...


def dot(xs: Iterable[Any], ys: Iterable[Any], bias: Any = None, *, exact: bool = False) -> Any:
    """Σ xs[i]·ys[i] (+ bias), as one node, added left to right; ``exact=True`` rounds only once.

    >>> dot([1.0, 2.0], [3.0, 4.0])
    11.0
    >>> dot([1.0, 2.0], [3.0, 4.0], 0.5)
    11.5
    >>> dot([1e20, 1.0, -1e20], [1.0, 3.0, 1.0]), dot([1e20, 1.0, -1e20], [1.0, 3.0, 1.0], exact=True)
    (0.0, 3.0)
    """
    left, right = _operands("dot", xs), _operands("dot", ys)
    if len(left) != len(right):
        raise InputError(f"dot: the sequences have {len(left)} and {len(right)} numbers; "
                         "they must have the same length")
    op = fdot if exact else dot_op
    return op(*left, *right) if bias is None else op(*left, *right, bias)


@overload
def logsumexp(xs: AnyNumbers) -> Any: ...
@overload
def logsumexp(xs: Floats) -> float: ...
@overload
def logsumexp(xs: Mixed[T]) -> T: ...


def logsumexp(xs: Iterable[Any]) -> Any:
    """log Σ e^xs[i], as one node, without overflow.

    >>> logsumexp([1000.0, 1000.0 + 1e-9]) > 1000.69
    True
    """
    return logsumexp_op(*_operands("logsumexp", xs))


@overload
def softmax(xs: AnyNumbers) -> list[Any]: ...
@overload
def softmax(xs: Floats) -> list[float]: ...
@overload
def softmax(xs: Mixed[T]) -> list[T]: ...


def softmax(xs: Iterable[Any]) -> list[Any]:
    """e^xs[i] / Σ e^xs[j], a list as long as xs, each entry one node.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    return softmax_first.each(_operands("softmax", xs))


@overload
def log_softmax(xs: AnyNumbers) -> list[Any]: ...
@overload
def log_softmax(xs: Floats) -> list[float]: ...
@overload
def log_softmax(xs: Mixed[T]) -> list[T]: ...


def log_softmax(xs: Iterable[Any]) -> list[Any]:
    """log(e^xs[i] / Σ e^xs[j]), a list as long as xs, each entry one node, accurate beside 0, too.

    >>> log_softmax([0.0, 1000.0])
    [-1000.0, -0.0]
    """
    operands = _operands("log_softmax", xs)
    return [log_softmax_first(x, *operands[:i], *operands[i + 1:]) for i, x in enumerate(operands)]


__test__ = doctests(globals())
