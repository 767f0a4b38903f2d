"""`propagate`, which loads all that it needs when it is first called."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from autograd_lite.errors import InputError, short
from autograd_lite.transforms.trace import require_function

if TYPE_CHECKING:
    from autograd_lite.uncertainty.result import Propagation


class Uncertain(Protocol):
    """A number of the package `uncertainties`."""

    @property
    def nominal_value(self) -> float:
        """The number."""

    @property
    def std_dev(self) -> float:
        """Its standard deviation."""


@overload
def propagate(f: Callable[..., Any], x: Uncertain, /, *args: object) -> Any: ...


@overload
def propagate(f: Callable[..., Any], x: object, cov: object, /, *,
              order: Literal[1, 2, 3] = ...) -> Propagation: ...


@overload
def propagate(f: Callable[..., Any], /, *args: object, cov: object,
              order: Literal[1, 2, 3] = ...) -> Propagation: ...


@overload
def propagate(f: Callable[..., Any], /, *args: object) -> Any: ...


def propagate(f: Callable[..., Any], /, *args: object, cov: object = None,
              order: Literal[1, 2, 3] = 2) -> Any:
    """The result of f with its uncertainty, from the inputs' standard deviations or covariances.

    Call it in one of three ways::

        propagate(f, x, cov)                    # one argument
        propagate(f, a, b, …, cov=cov)          # several
        propagate(f, a, b, …)                   # with numbers of the package `uncertainties`

    Args:
        f: a function of numbers or of structures of them, as for `grad`, that returns numbers. It may be
            compiled: then the derivatives are, too.
        x: its argument.
        cov: the uncertainty of all numbers of the arguments, in order: one standard deviation for all; a list
            of standard deviations, or a structure of them in the shape of the argument (of the tuple of
            several); or a matrix of covariances, of rows or nested as `hessian` nests second derivatives.
            Labels of a Series or DataFrame that name the inputs say whose they are. A standard deviation of 0
            makes an input exact: f need not be differentiable by it.
        order: up to which order derivatives are used. From 2 on there is the bias, at 3 the next term of
            the variance. (Numbers of `uncertainties` hold order 1.)

    Returns:
        A `Propagation`: `value`, `std`, `cov`, `shares`, `bias`. Given numbers of `uncertainties`, f's result
        in such numbers: they are correlated with the given ones and by these with all others, as if f had
        been computed with them. (What is not one of these is exact.)

    Plain numbers come out, through which no gradient flows; Values that f reads count with theirs.

    What depends on one input twice, or on several correlated ones, comes out right within one f. Results
    that go on into another propagation are correlated too: pass on the joint ``r.value`` and ``r.cov`` of
    one f that returns all of them.

    Raises:
        InputError: `cov` does not fit, or is not symmetric, positive semidefinite and finite.
        DomainError: the point lies at a kink on which a result's derivative depends (abs at 0), or where a
            derivative is infinite. `errstate` chooses; under "warn" and "ignore" the kink's conventional
            slope is taken.
        RangeError: a result, a derivative or a covariance is too large for a double.

    >>> r = propagate(lambda a, b: a / b, 6.0, 2.0, cov=[0.3, 0.1])
    >>> r
    <propagation: result = 3.00 ± 0.21>
    >>> [round(share, 6) for share in r.shares], round(r.bias, 6)
    ([0.5, 0.5], 0.0075)
    >>> propagate(lambda p: p["v"] - p["w"], {"v": 5.0, "w": 3.0}, [[0.04, 0.04], [0.04, 0.04]]).std
    0.0
    """
    if not callable(f):
        require_function("propagate", f)
    if order not in (1, 2, 3):
        raise InputError(f"propagate: order={short(order)}: choose 1, 2 or 3")
    return _propagation(f, args, cov, order)


def _loaded(*args: Any) -> Any:
    """The first call."""
    global _propagation
    from autograd_lite.uncertainty.propagation import propagation

    _propagation = propagation
    return propagation(*args)


_propagation: Callable[..., Any] = _loaded
