"""`check_gradients`: derivatives checked against the function itself, without a step size.

Each partial of each op on the way is compared with the slope of the op's own function: in
mpmath, with as many digits as it takes, if the op has a form for it; else by differences
that are extrapolated to a step of 0 and bound their own error. The chain rule over these
slopes gives each derivative a second time, with bounds. Then the function is run near the
point, in a few directions in which all inputs move: constants of its graph that vary show that
something bypasses the graph, and halves of the inputs tell by which it does.
"""
from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from math import nan
from typing import Any

from autograd_lite.checks.chain_rule import ChainRule, Judge, Sum
from autograd_lite.checks.nearby import Nearby, Watched
from autograd_lite.checks.slopes import EPS, UNKNOWN, Estimate, side
from autograd_lite.checks.verdicts import (CORRECT, KINK, NOISY, WRONG, Derivative, GradientReport, Partial,
                                           verdict_on)
from autograd_lite.errors import InputError, NumericError, errstate, shown
from autograd_lite.extras import install
from autograd_lite.graph.value import Value, refuse_traced
from autograd_lite.lines import printable
from autograd_lite.ops.op import Op, number
from autograd_lite.ops.whole import whole
from autograd_lite.transforms.gradients import grad
from autograd_lite.transforms.jacobians import jacobian
from autograd_lite.transforms.structures import matched, paths
from autograd_lite.transforms.trace import require_function, scalar_result
from autograd_lite.transforms.trees import leaves, rebuild

__all__ = ["check_gradients", "check_op", "GradientReport", "CORRECT", "KINK", "NOISY", "WRONG"]


def check_gradients(f: Callable[[Any], Any], x: Any, claimed: Any = None, order: int = 2) -> GradientReport:
    """Check the derivatives of `f` at `x` against the slopes of f itself.

    At order 1 the time grows with the number of operations: f is run some twenty times, however many
    inputs it has. An input is moved by itself only where something bypasses the graph or branches at
    the point (a dozen runs each, up to two hundred where the constants jump, and some dozens to
    find it) or where rounding hides a slope (two hundred runs). Each further order multiplies the time
    by the number of inputs, as it does the derivatives.

    Args:
        f: a function of a number, or of a list, tuple, dict, dataclass or array of them, that
            returns one number.
        x: the point.
        claimed: a gradient, in the shape of x, to judge in place of ours.
        order: 1 for the gradient alone, 2 for the Hessian too, 3 for third derivatives, …

    Returns:
        A `GradientReport`. The verdict on a derivative is "wrong derivative"; "kink nearby" (or an
        edge of the domain: there is no slope to compare with); "too noisy to tell", if rounding hides
        the slope (where mpmath, if it were installed, could tell more, a note says so); or "correct":
        the two agree to 1e-9 (apart from the rounding of the terms they are sums of).

    Raises:
        InputError: f does not return a number, or `claimed` has another shape than x.

    >>> import autograd_lite as ag
    >>> check_gradients(lambda p: ag.tanh(p[0]) * p[1], [19.0, 2.0]).verdict
    'correct'
    >>> report = check_gradients(ag.tanh, 19.0, claimed=1.5e-15, order=1)
    >>> print(report.summary())
    wrong derivative: 1 of 1 derivative
      ∂tanh/∂x: claimed 1.5e-15, is 1.255653117e-16 (off by a factor of 11.95)
    """
    refuse_traced("check_gradients")
    require_function("check_gradients", f)
    x = rebuild(x, _number)
    claims = None if claimed is None else [_number(v) for v in matched(
        x, claimed, "x", "check_gradients: the claimed gradient")]
    check = _Check(f, x, list(paths(x, "x")), claims)
    order = whole(order, "check_gradients: the order", 1)
    for k, function in enumerate(itertools.islice(_orders(check.core), order), 1):
        if not check.add_order(k, function):
            break
    return check.report()


def check_op(op: Op, *points: Any, order: int = 2) -> GradientReport:
    """Check the partials of an op against its own function.

    Args:
        op: an op of the table, or one that `custom_op` made.
        points: the operands, a number or a sequence of them for each point; by default some
            ordinary numbers inside its domain.
        order: as for `check_gradients`; from 2 on, the partials' own derivatives are checked too.

    Raises:
        InputError: `op` is not an op, or no points are given and none are found in the domain.

    >>> from autograd_lite import custom_op
    >>> cube = custom_op(lambda x: x ** 3, (lambda y, x: 3.0003 * x * x,), name="wrong cube")
    >>> print(check_op(cube, 2.0, order=1).summary())
    wrong derivative: 1 of 1 derivative
      ∂wrong cube/∂x[0] at 2.0: claimed 12.0012, is 12
    to blame: wrong cube(2.0)
      partial by operand 1: given 12.0012, is 12
    """
    if not isinstance(op, Op):
        raise InputError("check_op: expected an op, such as ag.sin or what custom_op(…) makes, got "
                         + shown(op))
    found, partials, notes = list[Derivative](), list[Partial](), list[str]()
    for point in points or _ordinary_points(op):
        xs = [_number(x, op.name) for x in (point if isinstance(point, Sequence) else [point])]
        if len(xs) > op.most:
            raise op.miscounted(len(xs))
        fixed = op.options | ({0} if op.chooses else set())

        def f(varied: Sequence[Any]) -> Any:
            supply = iter(varied)
            return op(*[x if i in fixed else next(supply) for i, x in enumerate(xs)])

        f.__name__ = op.name
        report = check_gradients(f, [x for i, x in enumerate(xs) if i not in fixed], order=order)
        at = " at " + ", ".join(map(repr, xs))
        found += [dataclasses.replace(x, name=x.name + at) for x in report.derivatives]
        partials += report.partials
        notes += report.notes
    return GradientReport(tuple(found), tuple(partials), tuple(dict.fromkeys(notes)))


_ORDINARY = (0.7, -0.4, 1.3, -2.6, 3.2, 0.15, -1.1, 5.9, 0.93, -7.3, 18.0)


def _is_inside(op: Op, xs: Sequence[float]) -> bool:
    with contextlib.suppress(NumericError):
        return op.domain(*xs) and bool(side(op, xs)) and math.isfinite(op.evaluate(xs))
    return False


def _ordinary_points(op: Op) -> list[list[float]]:
    """Points inside the domain and away from kinks, as far as trial finds any."""
    size = 4 if op.open else op.least
    found = []
    for k in range(len(_ORDINARY)):
        xs = [1.0 if i in op.options else _ORDINARY[(k + 3 * i) % len(_ORDINARY)] for i in range(size)]
        xs[:1] = [float(k % 2)] if op.chooses else xs[:1]
        if errstate("raise").run(_is_inside, op, xs):
            found.append(xs)
    if not found:
        raise InputError(f"check_op: no point in the domain of {op.name!r} was found; give some")
    return found


# -- the check ----------------------------------------------------------------------------------------


class _Check:
    """A check in progress: what it has found so far."""

    def __init__(self, f: Callable[[Any], Any], x: Any, names: Sequence[str], claims: Sequence[float] | None):
        self.core, self.x, self.names, self.claims = Watched(f, _title(f)), x, names, claims
        self.judge = Judge()
        self.found: list[Derivative] = []
        self.notes: list[str] = []
        self.past: list[str] = []               # derivatives of which a part bypasses the graph

    def add_order(self, k: int, function: Callable[[Any], list[Any]]) -> bool:
        """Judge the derivatives of order k, those of a function; False if it cannot be run."""
        head = f"∂{'' if k == 1 else '²³'[k - 2] if k < 4 else f'^{k}'}{self.core.__name__}/"
        try:
            nearby = Nearby(function, self.core, self.x)
        except NumericError as error:
            if k == 1:
                raise
            self.found.append(Derivative(head + "…", k, nan, UNKNOWN, KINK))
            self.notes.append(str(error))
            return False
        try:
            chain = ChainRule(nearby.here.trace, self.judge)
            for n, others in enumerate(itertools.product(self.names, repeat=k - 1)):
                self._add(_Output(nearby, chain, n), k, head + "".join(f"∂{one}" for one in others))
        finally:
            nearby.close()
        return True

    def _add(self, output: _Output, k: int, head: str) -> None:
        """Judge the derivatives of one output."""
        ours, given, refused = [nan] * len(self.names), self.claims if k == 1 else None, False
        try:
            ours = output.nearby.here.gradient(output.n)
        except NumericError as error:
            refused = given is None
            self.notes.append(str(error))
        claims = ours if given is None else given
        for j, (one, claim) in enumerate(zip(self.names, claims)):
            reference, verdict, leaks = output.judged(j, claim)
            if verdict == WRONG and refused and not self.judge.blames:
                verdict = KINK                  # the gradient was refused, rightly, for another entry
            name = f"{head}∂{one}"
            self.found.append(Derivative(name, k, claim, reference, verdict))
            self.past += [name] if leaks else []

    def report(self) -> GradientReport:
        if self.past:
            others = " and others" if self.past[1:] else ""
            self.notes.append(f"{self.past[0]}{others}: every recorded partial is right, but something "
                              "bypasses the graph (v.data, stop_gradient, a number from outside)")
        partials = tuple(self.judge.doubtful.values())
        if self.judge.blurred and (any(x.verdict == NOISY for x in self.found) or any(
                x.verdict in (NOISY, KINK) and x.reference.error < math.inf for x in partials)):
            self.notes.append(f"mpmath is not installed. With it ({install('check')}) slopes are found in as "
                              "many digits as it takes, which may settle what is left open here.")
        return GradientReport(tuple(self.found), partials,
                              tuple(dict.fromkeys(self.notes)))


class _Output:
    """The n-th output of a function, and its derivatives."""

    def __init__(self, nearby: Nearby, chain: ChainRule, n: int):
        self.nearby, self.judge, self.n = nearby, chain.judge, n
        self.trace = nearby.here.trace
        sums = chain.pull(nearby.here.outputs[n])
        self.weights = nearby.here.weights(n, sums)
        self.terms = [(None if k is None else sums[k]) or Sum(0.0, 0.0, 0.0) for k in self.trace.inputs_at]
        known = [j for j, term in enumerate(self.terms) if term.error < math.inf]
        self.suspects = nearby.suspects(known) if nearby.finite else set[int]()

    def judged(self, j: int, claimed: float) -> tuple[Estimate, str, bool]:
        """The reference by input j, the verdict, and whether something bypasses the graph."""
        nearby, probe = self.nearby, self.nearby.probe(j)
        if not nearby.finite:
            return UNKNOWN, KINK, False
        value, size, error = self.terms[j]
        slack = EPS * (len(self.trace.program) + 16) * size
        reference = recorded = Estimate(value, error)
        past = probe.past(self.weights) if j in self.suspects else Estimate(0.0, 0.0)
        if not past.error < math.inf:
            reference = probe.direct(self.n)
        else:
            reference = Estimate(value + past.value, error + past.error)
        verdict = verdict_on(claimed, reference, size, slack)
        if verdict == CORRECT and j in self.suspects and probe.turns():
            return UNKNOWN, KINK, False
        if verdict == NOISY:
            direct = probe.direct(self.n)
            if verdict_on(claimed, direct) in (CORRECT, WRONG):
                reference, verdict = direct, verdict_on(claimed, direct)
        if (verdict in (WRONG, NOISY) and math.isfinite(claimed) and not self.judge.blames
                and nearby.straddles(self.n, j, claimed)):
            verdict = KINK
        return reference, verdict, verdict == WRONG and verdict_on(claimed, recorded, size, slack) == CORRECT


def _orders(f: Callable[[Any], Any]) -> Iterator[Callable[[Any], list[Any]]]:
    """f, its gradient, its Hessian, … as functions of the point that return lists of numbers."""
    def derivative(g: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
        return lambda x: leaves(g(x))
    yield lambda x: [scalar_result(f, f(x))]
    function = derivative(grad(f))
    while True:
        yield function
        function = derivative(jacobian(function))


def _title(f: Callable[..., Any]) -> str:
    name = getattr(f, "__name__", "")
    return "f" if not name or name == "<lambda>" else printable(str(name))


def _number(x: Any, where: str = "check_gradients") -> float:
    return number(x.data if isinstance(x, Value) else x, where)
