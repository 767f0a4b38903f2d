"""`check_gradients`: derivatives held against the function itself, without a step size.

Each partial of each op on the way is compared with the slope of the op's own function: in
mpmath, with as many digits as it takes, where the op has a form for it; else by differences
that are extrapolated to a step of 0 and bound their own error. The chain rule over these
gives each derivative once more, with bounds. And the function run beside the point tells, by
the constants of its graph that vary, whether anything goes past it.
"""
from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf, nan
from typing import Any, NamedTuple

from autograd_lite.errors import AuditError, InputError, NumericError, errstate, shown
from autograd_lite.transforms.evaluation import kind_of
from autograd_lite.graph.walks import dependents, topological
from autograd_lite.graph.node import op_of, plain
from autograd_lite.ops.numbers import partials_or_nan
from autograd_lite.ops.op import Op, number
from autograd_lite.ops.special import added
from autograd_lite.transforms.trace import Trace, require_function, scalar_result
from autograd_lite.transforms.gradients import grad, jacobian
from autograd_lite.transforms.trees import is_array, leaves, rebuild
from autograd_lite.graph.value import Value

CORRECT, KINK, NOISY, WRONG = "correct", "kink nearby", "too noisy to tell", "wrong derivative"
_EPS, _TINY = 2.0 ** -52, 2.0 ** -1022
_RTOL = 1e-9                    # two derivatives agree up to this,
_DECISIVE = 1e-6                # and a reference tells if its error is at most this part of it


class Estimate(NamedTuple):
    """A number, and a bound of its error."""

    value: float
    error: float


_UNKNOWN = Estimate(nan, inf)


def _verdict(claimed: float, reference: Estimate, scale: float = 0.0, slack: float = 0.0) -> str:
    """How a number stands to the reference; `scale` is the size of the terms that make it up."""
    value, error = reference
    distance, larger = abs(claimed - value) if claimed != value else 0.0, max(abs(claimed), abs(value))
    undefined = distance != 0.0 and not math.isfinite(value)
    vague = distance != distance and error > max(1e-3 * abs(value), 1e-9)
    if not error < inf or undefined or vague:
        return KINK
    if not distance <= error + slack + _RTOL * larger + _TINY or distance == inf:
        return WRONG
    return NOISY if error > _DECISIVE * max(larger, 1e-4 * scale) + _TINY else CORRECT


# -- what is found ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Derivative:
    """One derivative of the function.

    Attributes:
        name: as ``∂f/∂x[0]``; order: 1 for the gradient, 2 for the Hessian.
        claimed: the number under test.
        reference: what it is, with a bound of the error, which is inf where nothing is known.
        verdict: "correct", "wrong derivative", "kink nearby" or "too noisy to tell".
    """

    name: str
    order: int
    claimed: float
    reference: Estimate
    verdict: str


@dataclass(frozen=True)
class Partial:
    """A partial of an op on the way that was not found correct.

    Attributes:
        call: the operation with its numbers and labels; op: the row's name.
        operand: which operand the partial is by, from 0.
        given: what the row's rule says; reference and verdict: as for `Derivative`.
    """

    call: str
    op: str
    operand: int
    given: float
    reference: Estimate
    verdict: str


@dataclass(frozen=True)
class GradientReport:
    """What `check_gradients` found. `str(report)` is a text for people.

    Attributes:
        derivatives: one for each entry of the gradient, then of the Hessian.
        partials: the ops' partials that were not found correct.
        notes: what else there is to say.
    """

    derivatives: tuple[Derivative, ...]
    partials: tuple[Partial, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The worst of all: wrong, then too noisy, then a kink, then correct."""
        found = {x.verdict for x in self.derivatives} | {x.verdict for x in self.partials}
        return next((verdict for verdict in (WRONG, NOISY, KINK) if verdict in found), CORRECT)

    @property
    def ok(self) -> bool:
        """Whether every derivative, and every partial on the way, is found correct."""
        return self.verdict == CORRECT

    @property
    def wrong(self) -> tuple[Derivative, ...]:
        """The derivatives that are wrong."""
        return tuple(x for x in self.derivatives if x.verdict == WRONG)

    @property
    def blame(self) -> tuple[Partial, ...]:
        """The partials that are wrong."""
        return tuple(x for x in self.partials if x.verdict == WRONG)

    def check(self) -> None:
        """Raise `AuditError`, saying what is wrong or in doubt, unless all is correct."""
        if not self.ok:
            raise AuditError(self.findings())

    def findings(self) -> str:
        """In words, what is not correct, and which partial of which op is to blame."""
        lines = []
        for verdict in (WRONG, NOISY, KINK):
            found = [x for x in self.derivatives if x.verdict == verdict]
            if found:
                lines.append(f"{verdict}: {len(found)} of {_count(len(self.derivatives), 'derivative')}")
                lines += [f"  {_clip(x.name, 32)}: claimed {_beside(x.claimed, x.reference)}"
                          for x in found[:8]]
                lines += [f"  and {len(found) - 8} more"] if found[8:] else []
        for partial in self.partials[:8]:
            head = "to blame" if partial.verdict == WRONG else partial.verdict
            lines += [f"{head}: {_clip(partial.call, 150)}",
                      f"  partial by operand {partial.operand + 1}: given "
                      + _beside(partial.given, partial.reference)]
        return "\n".join(textwrap.fill(line, 79, subsequent_indent="    ", break_on_hyphens=False)
                         for line in (*lines, *self.notes)
                         ) or f"{_count(len(self.derivatives), 'derivative')} correct"

    def __str__(self) -> str:
        shown = [x for x in self.derivatives if x.order == 1 or x.verdict != CORRECT][:40]
        rest = len(self.derivatives) - len(shown)
        return "\n".join([
            self.findings(), "", f"{'derivative':<22}  {'claimed':>17}  {'reference':>17}  verdict",
            *(f"{_clip(x.name, 22):<22}  {x.claimed:>17.10g}  {x.reference.value:>17.10g}  {x.verdict}"
              for x in shown),
            *([f"and {rest} more"] if rest else [])])


def _clip(text: str, width: int) -> str:
    """At most so wide; the end, which says which, is kept longest."""
    head = width // 3
    return text if len(text) <= width else text[:head] + "…" + text[len(text) - width + head + 1:]


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")


def _beside(given: float, reference: Estimate) -> str:
    """A number beside its reference, in words."""
    value, error = reference
    if error == inf:
        return f"{given:.12g}, at a kink or an edge"
    if abs(given - value) <= error:
        return f"{given:.6g}, is {value:.6g} ± {error:.0e}"
    ratio = given / value if value else nan
    factor = f" (off by a factor of {ratio:.4g})" if ratio and abs(ratio - 1.0) > 0.1 else ""
    return f"{given:.10g}, is {value:.10g}" + factor


# -- slopes ---------------------------------------------------------------------------------------


def slope(f: Callable[[float], float], x: float) -> Estimate:
    """f'(x) from differences of f, extrapolated to a step of 0 (Ridders), with a bound of the error.

    A step counts only if f gives a finite number on both sides. What steps say must not be gainsaid
    by any finer one: a slope seen only from afar is none.

    >>> value, error = slope(math.sin, 1.0)
    >>> abs(value - math.cos(1.0)) < error < 1e-12
    True
    """
    pairs = _pairs(f, x)
    quotients = [(high - low) / width for high, low, width in pairs]
    noises = _noises(pairs, _at(f, x))
    found: list[tuple[int, Estimate]] = []              # what so many of the quotients say
    row: list[float] = []
    for n, quotient in enumerate(quotients):
        before, row = row, [quotient]
        for j, coarser in enumerate(before[:6], 1):
            row.append(row[-1] + (row[-1] - coarser) / (4.0 ** j - 1.0))
            error = 4.0 * max(abs(row[-1] - row[-2]), abs(row[-1] - coarser)) + 4.0 * noises[n] / pairs[n][2]
            found.append((n, Estimate(row[-1], error)))
    best = _UNKNOWN
    for n, (value, error) in sorted(found, key=lambda entry: entry[1].error):
        if error >= best.error:
            break
        for quotient, noise, (_, _, width) in zip(quotients[n:], noises[n:], pairs[n:]):
            noise = max(noise, 4.0 * _EPS * abs(x * value))
            error = max(error, abs(quotient - value) - abs(quotients[n] - value) - noise / width)
        best = min(best, Estimate(value, error), key=lambda estimate: estimate.error)
    return best


def _at(f: Callable[[float], float], x: float) -> float:
    try:
        return f(x)
    except (ValueError, ArithmeticError, TypeError):
        return nan


def _pairs(f: Callable[[float], float], x: float) -> list[tuple[float, float, float]]:
    """f above and below x and the width between, from wide to narrow, where both are finite."""
    reaches = sorted({0.5 * max(1.0, abs(x)), 0.5 * abs(x)} - {0.0}, reverse=True)
    steps = [reach * 0.5 ** k for reach in reaches for k in range(51)]
    pairs = [(_at(f, x + step), _at(f, x - step), (x + step) - (x - step)) for step in steps]
    finite = [(high, low, width) for high, low, width in pairs if width and high - low - (high - low) == 0.0]
    return finite if pairs[-1] in finite or pairs[-1][2] == 0.0 else []


def _noises(pairs: Sequence[tuple[float, float, float]], middle: float) -> list[float]:
    """The rounding in each pair: that of doubles, or what jitter there is beyond it."""
    bends = [high - middle + (low - middle) for high, low, _ in pairs[-8:]]      # quartered by each step
    jitter = max((abs(wide - 4.0 * narrow) for wide, narrow in itertools.pairwise(bends)), default=0.0)
    sizes = [max(abs(high), abs(low)) for high, low, _ in pairs]
    return [4.0 * max(_EPS * size, min(0.1 * jitter, 1e-6 * size), 5e-324) for size in sizes]


def _precise_slope(row: Op, f: Callable[..., Any], xs: Sequence[float], i: int) -> Estimate:
    """∂f/∂x[i] in mpmath, f being the row there, with as many digits as it takes to tell it from 0."""
    from mpmath import mpf, workdps
    best = _UNKNOWN
    for digits in (50, 150, 500, 1100):
        with workdps(digits):
            at = [mpf(x) for x in xs]
            step = (abs(at[i]) or 1) * mpf(10) ** (-digits // 3)

            def beside(eighths: int) -> list[Any]:
                return [*at[:i], at[i] + eighths * step / 8, *at[i + 1:]]

            if row.kink and len({_side(row, beside(k)) for k in range(-16, 17)}) > 1:
                continue                                    # a kink between
            y = {k: f(*beside(8 * k)) for k in (-2, -1, 1, 2)}
            fine, coarse = (y[1] - y[-1]) / (2 * step), (y[2] - y[-2]) / (4 * step)
            size = max(1, abs(y[1]), *map(abs, at))         # of what may cancel inside f
            error = abs(fine - coarse) + size / step * mpf(10) ** (2 - digits)
            best = Estimate(float((4 * fine - coarse) / 3), float(error))
            if error <= abs(fine) * 1e-20 or abs(fine) + error < 1e-330:
                return Estimate(best.value, 0.0)
    return best


@cache
def _precise_function(row: Op) -> Callable[..., Any] | None:
    """The row in mpmath's numbers, as its form has it; None without mpmath or a form."""
    try:
        import mpmath
    except ImportError:
        return None
    kind = kind_of(mpmath.mpf)
    return None if row.form is None else lambda *xs: kind.apply(row, xs)


def _partial(row: Op, xs: Sequence[float], i: int) -> Estimate:
    """∂row/∂x[i], from the row's function alone."""
    side = _side(row, xs)

    def along(x: float) -> float:
        at = [*xs[:i], x, *xs[i + 1:]]
        return row.evaluate(at) if row.domain(*at) and (not side or _side(row, at) == side) else nan

    with errstate("raise"):
        if not row.domain(*xs):
            return _UNKNOWN
        if not side:                            # on the kink only an operand that changes nothing is known
            flat = all(high == low == along(xs[i]) for high, low, _ in _pairs(along, xs[i]))
            still = not any(_side(row, [*xs[:i], x, *xs[i + 1:]]) for x in (xs[i] - 0.5, 0.5 * xs[i] + 1.0))
            return Estimate(0.0, 0.0) if flat and still else _UNKNOWN
        function = _precise_function(row)
        if function is None:
            return slope(along, xs[i])
        try:
            return _precise_slope(row, function, xs, i)
        except (ValueError, ArithmeticError):               # not defined all around
            return _UNKNOWN


def _side(row: Op, xs: Sequence[float]) -> float:
    """On which side of its kink an operation is: −1 or 1; 0 on it, a nan if doubles cannot tell."""
    distance = _distance(row, xs)
    return math.copysign(1.0, distance) if distance and distance == distance else distance


def _distance(row: Op, xs: Sequence[float]) -> float:
    try:
        return row.kink(*xs) if row.kink else inf
    except (ValueError, ArithmeticError):
        return nan


# -- the check ------------------------------------------------------------------------------------


class _Judge:
    """The partials of the nodes met: what they are, and which are not as their rules say."""

    def __init__(self) -> None:
        self.known: dict[Any, Estimate] = {}
        self.doubtful: dict[Any, Partial] = {}

    def partials(self, node: Value, wanted: Iterable[int]) -> Iterator[Estimate]:
        """The partials by the operands in `wanted`, each as well as it is known."""
        xs = [plain(x) for x in node.operands]
        key, given = (op_of(node), *map(float.hex, xs)), node.partials
        for i in wanted:
            if (key, i) not in self.known:
                self.known[key, i] = self._judged((key, i), node, given[i], xs)
            yield self.known[key, i]

    def _judged(self, key: Any, node: Value, given: float, xs: Sequence[float]) -> Estimate:
        row: Any = op_of(node)
        _, i = key
        reference = _partial(row, xs, i)
        verdict = _verdict(given, reference)
        if verdict == WRONG and math.isfinite(given):
            # Beside a zero of the derivative itself its rounding is that of larger terms.
            nudged = [[*xs[:j], math.nextafter(x, inf), *xs[j + 1:]] for j, x in enumerate(xs)]
            slack = 64.0 * added(abs(_partial(row, at, i).value - reference.value) for at in nudged)
            verdict = _verdict(given, reference, slack=slack)
        if verdict == CORRECT:
            return Estimate(given, reference.error) if math.isfinite(given) else Estimate(1.0, inf)
        if (verdict == NOISY and _near_kink(row, xs)) or given != given and any(
                _verdict(nan, _partial(row, xs, j)) == KINK for j in range(len(xs))):
            verdict = KINK
        call = row.call(xs, node.operands) + (f" = {node.label!r}" if node.label else "")
        self.doubtful[key] = Partial(call, row.name, i, given, reference, verdict)
        known = reference.value if verdict == WRONG else given
        return Estimate(known, reference.error) if math.isfinite(known) else Estimate(1.0, inf)

    @property
    def blames(self) -> bool:
        return any(partial.verdict == WRONG for partial in self.doubtful.values())


class _Watched:
    """A function, and what it returned last."""

    def __init__(self, f: Callable[[Any], Any]):
        self.f, self.__name__ = f, _title(f)
        self.results: list[Any] = []

    def __call__(self, x: Any) -> Any:
        self.results.append(self.f(x))
        return self.results[-1]


class _Sweep:
    """A function of the point with a list of numbers as its result: derivatives and references.

    `core` is called in it; the kinks it meets are those that count. What goes past the graph
    stands there as a constant (a plain number, or a Value that depends on no input): it is found
    by running the function beside the point, where constants must be as they were.
    """

    def __init__(self, f: Callable[[Any], list[Any]], core: _Watched, x: Any):
        self.f, self.core, self.x = f, core, x
        self.trace, self.nodes = self.run(x)
        self.outputs: list[Any] = self.trace.result
        self.way, self.shape = self.way_of(self.trace), _shape(self.nodes, self.trace.inputs)
        self.constants = _constants(self.trace)
        self.samples: dict[tuple[int, float], tuple[list[float], list[float]] | None] = {}
        self.turning: set[tuple[int, float]] = set()     # where `core` takes another way
        self.sums: dict[int, tuple[float, float, float]] = {}   # derivative, size of its terms, error
        self.weights: list[float] = []                   # the derivative by each constant

    def run(self, x: Any) -> tuple[Trace, list[Value]]:
        """The function's trace at x, and all nodes that it and its core recorded."""
        self.core.results.clear()
        trace = Trace(self.f, (x,), {})
        return trace, _below([*self.core.results, *trace.result])

    def way_of(self, trace: Trace) -> list[Any]:
        """What the core computed in the latest run, which is this trace's."""
        return _shape(_below(self.core.results), trace.inputs)

    def derived(self, i: int) -> list[float]:
        """The gradient of output i, as the library gives it."""
        return [0.0 if g is None else g for g in self.trace.pull((self.outputs[i], 1.0))]

    def references(self, i: int, judge: _Judge) -> list[tuple[Estimate, float]]:
        """The gradient of output i by the chain rule, each entry with the size of its terms."""
        trace = self.trace
        self.sums = sums = {id(self.outputs[i]): (1.0, 1.0, 0.0)}
        for node in reversed(trace.inner):
            g, size, error = sums.get(id(node), (0.0, 0.0, 0.0))
            by = [k for k, x in enumerate(node.operands) if id(x) in trace.between]
            if not (size or error):             # and yet infinite times 0 is unknown
                by = [k for k in by if id(node) in sums and not math.isfinite(node.partials[k])]
            for k, (p, doubt) in zip(by, judge.partials(node, by)):
                a, b, c = sums.get(id(node.operands[k]), (0.0, 0.0, 0.0))
                more = (error * abs(p) if error < inf else inf) + ((size or 1.0) * doubt if doubt else 0.0)
                sums[id(node.operands[k])] = a + g * p, b + size * abs(p), c + more
        self.weights = list(self._weights(i))
        found = [sums.get(id(x), (0.0, 0.0, 0.0)) for x in trace.inputs]
        return [(Estimate(g, error), size) for g, size, error in found]

    def sample(self, j: int, t: float) -> tuple[list[float], list[float]] | None:
        """Outputs and constants with input j moved to t; None if the computation takes another way there."""
        if (j, t) not in self.samples:
            place = itertools.count()
            x = rebuild(self.x, lambda v: t if next(place) == j else v)
            self.samples[j, t] = None
            try:
                trace, nodes = self.run(x)
            except Exception:                   # whatever the function raises, it is not defined there
                self.turning.add((j, t))
            else:
                if _shape(nodes, trace.inputs) == self.shape:
                    self.samples[j, t] = list(map(plain, trace.result)), _constants(trace)
                elif self.way_of(trace) != self.way:
                    self.turning.add((j, t))
        return self.samples[j, t]

    def direct(self, i: int, j: int) -> Estimate:
        """∂output i/∂input j from differences of the function as a whole."""
        def output(t: float) -> float:
            found = self.sample(j, t)
            return nan if found is None else found[0][i]
        return slope(output, self.trace.inputs[j].data)

    def turns(self, j: int) -> bool:
        """Whether the core takes another way as soon as input j moves (the rules' own ways are smooth)."""
        near = _around(self.trace.inputs[j].data)
        return any(self.sample(j, t) is None and (j, t) in self.turning for t in near)

    def past(self, j: int) -> Estimate:
        """What the derivative by input j of the output that `references` was asked for last gets past
        the graph: by its constants, as far as they vary."""
        x = self.trace.inputs[j].data
        far, close = ([x - (abs(x) or 1.0) * 0.5 ** k, x + (abs(x) or 1.0) * 0.5 ** k] for k in (4, 20))
        close += _around(x)
        others = [found[1] for found in [self.sample(j, t) for t in (*close, *far)] if found]
        total = size = error = 0.0
        for m, (weight, here) in enumerate(zip(self.weights, self.constants)):
            if not weight or all(there[m] == here or here != here for there in others):
                continue

            def constant(t: float) -> float:
                found = self.sample(j, t)
                return nan if found is None else found[1][m]
            change = slope(constant, x)
            still = all(constant(t) == here for t in close)
            if still and change.error > _DECISIVE * abs(change.value):
                continue                        # it jumps further off
            total, size = total + weight * change.value, size + abs(weight * change.value)
            error += abs(weight) * change.error if math.isfinite(weight) else inf
        return Estimate(total, error + _EPS * (len(self.trace.order) + 16) * size)

    def _weights(self, i: int) -> Iterator[float]:
        """∂output i/∂constant, for each, from the sums of `references`."""
        between = self.trace.between
        for node in self.trace.inner:
            by = [id(x) not in between for x in node.operands]
            if any(by):
                g = self.sums.get(id(node), (0.0,))[0]
                row: Any = op_of(node)
                wanted = [flag and has for flag, has in zip(by, row.differentiable(len(by)))]
                partials = partials_or_nan(row, node.data, list(map(plain, node.operands)), wanted) if g else [0.0] * len(by)
                yield from [(nan if k in row.options and g else 0.0) if p is None else g * p    # by an option none is known
                            for k, (p, flag) in enumerate(zip(partials, by)) if flag]
        yield from [1.0 if k == i else 0.0 for k, y in enumerate(self.outputs) if id(y) not in between]

    def judged(self, i: int, j: int, claimed: float, reference: Estimate, size: float,
               judge: _Judge) -> tuple[Estimate, str, bool]:
        """The reference for one derivative, the verdict, and whether something goes past the graph."""
        if not all(math.isfinite(x.data) for x in self.trace.inputs):
            return _UNKNOWN, KINK, False
        slack = _EPS * (len(self.trace.order) + 16) * size
        recorded, past = reference, self.past(j)
        if not past.error < inf:
            reference = self.direct(i, j)
        elif past != (0.0, 0.0):
            reference = Estimate(reference.value + past.value, reference.error + past.error)
        verdict = _verdict(claimed, reference, size, slack)
        if verdict == CORRECT and self.turns(j):
            return _UNKNOWN, KINK, False
        if verdict == NOISY:
            direct = self.direct(i, j)
            if _verdict(claimed, direct) in (CORRECT, WRONG):
                reference, verdict = direct, _verdict(claimed, direct)
        if verdict in (WRONG, NOISY) and math.isfinite(claimed) and not judge.blames and self.straddles(
                i, j, claimed):
            verdict = KINK
        past_graph = verdict == WRONG and _verdict(claimed, recorded, size, slack) == CORRECT
        return reference, verdict, past_graph

    def straddles(self, i: int, j: int, claimed: float) -> bool:
        """Whether input j has a kink nearby, and the claim may be a mean of the slopes about it."""
        varied = dependents(self.nodes, [self.trace.inputs[j]])
        reach = max([_reach(op_of(node), xs) for node in self.nodes if op_of(node) and id(node) in varied
                     for xs in [[plain(x) for x in node.operands]]], default=0.0)
        if not reach:
            return False
        slopes = [self.derived(i)[j]]
        for step in (-reach, reach):
            place = itertools.count()
            x = rebuild(self.x, lambda v: v + step if next(place) == j else v)
            try:
                trace, _ = self.run(x)
                slopes.append(trace.pull((trace.result[i], 1.0))[j] or 0.0)
            except Exception:
                return True
        margin = 1e-6 * max(map(abs, slopes))
        return min(slopes) - margin <= claimed <= max(slopes) + margin


def _below(results: Iterable[Any]) -> list[Value]:
    return topological([y for y in results if isinstance(y, Value)])


def _around(x: float) -> list[float]:
    """The nearest points to both sides; of 0 some that are not so small as to underflow."""
    return [math.nextafter(x, -inf), math.nextafter(x, inf)] if x else [-0.5 ** 60, 0.5 ** 60]


def _constants(trace: Trace) -> list[float]:
    """The numbers in a graph, or in its result, that depend on no input, in order."""
    return [*(plain(x) for node in trace.inner for x in node.operands if id(x) not in trace.between),
            *(plain(y) for y in trace.result if id(y) not in trace.between)]


def check_gradients(f: Callable[[Any], Any], x: Any, claimed: Any = None, order: int = 2) -> GradientReport:
    """Hold the derivatives of `f` at `x` against what f itself says.

    Args:
        f: a function of a number, or of a list, tuple, dict, dataclass or array of them, that
            returns one number.
        x: the point.
        claimed: a gradient, in the shape of x, to be judged in place of ours.
        order: 1 for the gradient alone, 2 for the Hessian too, and so on.

    Returns:
        A `GradientReport`. The verdict on a derivative is "wrong derivative"; "kink nearby" (or an
        edge of the domain: there is no slope to compare with); "too noisy to tell", where the
        rounding of doubles hides the slope; or "correct": they agree to 1e-9 (beside the rounding
        of the terms they are sums of).

    Raises:
        InputError: f returns no number, or `claimed` has another shape than x.

    >>> import autograd_lite as ag
    >>> check_gradients(lambda p: ag.tanh(p[0]) * p[1], [19.0, 2.0]).verdict
    'correct'
    >>> report = check_gradients(ag.tanh, 19.0, claimed=1.5e-15, order=1)
    >>> print(report.findings())
    wrong derivative: 1 of 1 derivative
      ∂tanh/∂x: claimed 1.5e-15, is 1.255653117e-16 (off by a factor of 11.95)
    """
    require_function("check_gradients", f)
    x = rebuild(x, lambda v: number(plain(v), "check_gradients"))
    names = list(_names(x, "x"))
    claims = None if claimed is None else dict(zip(
        _names(claimed, "x"), [number(plain(v), "check_gradients") for v in leaves(claimed)]))
    if claims is not None and claims.keys() != set(names):
        mine, theirs = ((f"{_count(len(tree), 'number')} ({_clip(', '.join(tree), 40)})" for tree in
                         (names, list(claims))))
        raise InputError(f"check_gradients: the claimed gradient must have the shape of x: x has {mine}, "
                         f"the claim {theirs}")
    if not isinstance(order, int) or order < 1:
        raise InputError(f"check_gradients: the order is a whole number from 1 on, not {order!r}")
    judge, found, notes, past = _Judge(), list[Derivative](), list[str](), list[str]()
    core = _Watched(f)
    for k, function in enumerate(itertools.islice(_orders(core), order), 1):
        head = "∂" + ("" if k == 1 else "²³"[k - 2] if k < 4 else f"^{k}") + _title(f) + "/"
        try:
            sweep = _Sweep(function, core, x)
        except NumericError as error:
            if k == 1:
                raise
            found.append(Derivative(head + "…", k, nan, _UNKNOWN, KINK))
            notes.append(str(error))
            break
        for i, others in enumerate(itertools.product(names, repeat=k - 1)):
            derived, refused = [nan] * len(names), False
            try:
                derived = sweep.derived(i)
            except NumericError as error:
                refused = claims is None or k > 1
                notes.append(str(error))
            for j, (reference, size) in enumerate(sweep.references(i, judge)):
                claim = derived[j] if claims is None or k > 1 else claims[names[j]]
                reference, verdict, leaks = sweep.judged(i, j, claim, reference, size, judge)
                if verdict == WRONG and refused and not judge.blames:
                    verdict = KINK              # the gradient was refused, and rightly, for another entry
                name = head + "".join(f"∂{one}" for one in (*others, names[j]))
                found.append(Derivative(name, k, claim, reference, verdict))
                past += [name] if leaks else []
    if past:
        notes.append(f"of {past[0]}{' and others' if past[1:] else ''} every recorded partial is right: "
                     "something goes past the graph (v.data, stop_gradient, a number from outside)")
    return GradientReport(tuple(found), tuple(judge.doubtful.values()), tuple(dict.fromkeys(notes)))


def check_op(row: Op, *points: Any, order: int = 2) -> GradientReport:
    """Hold the partials of an op against its own function.

    Args:
        row: a row of the table, such as `custom_op` makes.
        points: the operands, a number or a sequence of them for each point; by default some
            ordinary numbers inside its domain.
        order: as for `check_gradients`; from 2 on, the partials' own derivatives are checked too.

    Raises:
        InputError: it is no op, or no points are given and none are found in the domain.

    >>> from autograd_lite import custom_op
    >>> cube = custom_op(lambda x: x ** 3, (lambda y, x: 3.0003 * x * x,), name="wrong cube")
    >>> print(check_op(cube, 2.0, order=1).findings())
    wrong derivative: 1 of 1 derivative
      ∂wrong cube/∂x[0] at 2.0: claimed 12.0012, is 12
    to blame: wrong cube(2.0)
      partial by operand 1: given 12.0012, is 12
    """
    if not isinstance(row, Op):
        raise InputError("check_op: expected an op, such as ag.sin or what custom_op(…) makes, got "
                         + shown(row))
    found, partials, notes = list[Derivative](), list[Partial](), list[str]()
    for point in points or _ordinary_points(row):
        xs = [number(plain(x), row.name) for x in (point if isinstance(point, Sequence) else [point])]
        if len(xs) > row.most:
            raise row.miscounted(len(xs))
        options = [i in row.options for i in range(len(xs))]

        def f(varied: Sequence[Any]) -> Any:
            supply = iter(varied)
            return row(*[x if fixed else next(supply) for x, fixed in zip(xs, options)])

        f.__name__ = row.name
        report = check_gradients(f, [x for x, fixed in zip(xs, options) if not fixed], order=order)
        at = " at " + ", ".join(map(repr, xs))
        found += [dataclasses.replace(x, name=x.name + at) for x in report.derivatives]
        partials += report.partials
        notes += report.notes
    return GradientReport(tuple(found), tuple(partials), tuple(dict.fromkeys(notes)))


_ORDINARY = (0.7, -0.4, 1.3, -2.6, 3.2, 0.15, -1.1, 5.9, 0.93, -7.3, 18.0)


def _ordinary_points(row: Op) -> list[list[float]]:
    """Points off the kinks and inside the domain, as far as these can be found by trying."""
    size = 4 if row.open else row.least
    found = []
    for k in range(len(_ORDINARY)):
        xs = [_ORDINARY[(k + 3 * i) % len(_ORDINARY)] for i in range(size)]
        xs = [1.0 if i in row.options else x for i, x in enumerate(xs)]
        with contextlib.suppress(NumericError), errstate("raise"):
            if row.domain(*xs) and _side(row, xs) and math.isfinite(row.evaluate(xs)):
                found.append(xs)
    if not found:
        raise InputError(f"check_op: no point in the domain of {row.name!r} was found; give some")
    return found


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
    return "f" if not name or name == "<lambda>" else str(name)


def _names(tree: Any, name: str) -> Iterator[str]:
    """What the numbers of a structure are called, in order: ``x[0]``, ``x['a']``, ``x.b``."""
    parts: Iterable[tuple[str, Any]]
    if isinstance(tree, Mapping):
        parts = ((f"[{key!r}]", part) for key, part in tree.items())
    elif dataclasses.is_dataclass(tree):
        parts = ((f".{field.name}", getattr(tree, field.name))
                 for field in dataclasses.fields(tree) if field.init)
    elif isinstance(tree, (list, tuple)) or is_array(tree):
        parts = ((f"[{i}]", part) for i, part in enumerate(tree))
    else:
        yield name
        return
    for step, part in parts:
        yield from _names(part, name + step)


def _shape(nodes: Sequence[Value], inputs: Sequence[Value]) -> list[Any]:
    """What was computed from what by which op, and on which side of its kinks."""
    place = {id(x): -1 - k for k, x in enumerate(inputs)} | {id(node): k for k, node in enumerate(nodes)}
    source = {id(x): k for k, x in enumerate(inputs)}
    return [(row, source.get(id(node)), [place.get(id(x)) for x in node.operands],
             _side(row, [plain(x) for x in node.operands]) if row is not None and row.kink else None)
            for node in nodes for row in [op_of(node)]]


def _near_kink(row: Op, xs: Sequence[float]) -> bool:
    return _reach(row, xs) > 0.0


def _reach(row: Op, xs: Sequence[float]) -> float:
    """How far to step over a kink nearby; 0 if none is."""
    reach = 1e-6 * max(1.0, *map(abs, xs))
    return 2.0 * reach if abs(_distance(row, xs)) < reach else 0.0
