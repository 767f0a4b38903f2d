"""For tests: Hypothesis strategies for numbers, computations and networks, and assertions on gradients.

Needs Hypothesis, which loads when a function here is called. With the library installed,
``hypothesis.strategies.from_type(Value)`` works too.

>>> from hypothesis import strategies as st
>>> assert_same_gradient(lambda x: x * x - 1.0, lambda x: (x - 1.0) * (x + 1.0), st.floats(-9.0, 9.0))
"""
from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal

from autograd_lite.checks.edges import term_sizes
from autograd_lite.checks.check_gradients import check_gradients
from autograd_lite.checks.verdicts import CORRECT, WRONG
from autograd_lite.checks.audit import audit
from autograd_lite.diagnosis.diagnose import diagnose
from autograd_lite.diagnosis.functions import arguments, derivation_of
from autograd_lite.diagnosis.points import wrong_points
from autograd_lite.errors import AuditError, InputError, NumericError, errstate, short
from autograd_lite.extras import needed
from autograd_lite.nn import MLP
from autograd_lite.ops.notation import ATOM, LOOSE, Written
from autograd_lite.ops.op import TABLE, Op, op_named
from autograd_lite.ops.selection import Comparison
from autograd_lite.transforms.trace import Trace
from autograd_lite.transforms.gradients import grad
from autograd_lite.transforms.trees import leaves
from autograd_lite.graph.recording import no_grad
from autograd_lite.graph.value import Value
from autograd_lite.ops.whole import whole

if TYPE_CHECKING:
    from hypothesis import settings as Settings
    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = ["Expression", "assert_derivation", "assert_gradients", "assert_same_gradient", "expressions",
           "networks", "numbers", "points", "values"]
__dir__ = __all__.copy                          # (completion offers no more)
Domain = str | Op | tuple[float, float] | Callable[[float], bool]
# Where the arguments of functions are looked for, how often, and where computations start.
_SPANS, _TRIES, _STARTS = ((0.0, 4.0), (-4.0, 4.0), (-1.0, 1.0), (1.0, 1e3)), 10, ((0.0, 2.0), (-4.0, 4.0))

# -- numbers ------------------------------------------------------------------------------------

_EDGES = [0.0, 1.0, 0.5, 2.0, 1e-8, 5e-324, 2.2250738585072014e-308, 1e-300, 1e-16,
          math.nextafter(1.0, 0.0), math.nextafter(1.0, 2.0), math.pi, 19.0, 37.5, 710.0, 1e16, 1e300]


def numbers(domain: Domain | None = None) -> SearchStrategy[float]:
    """Floats, including those at the edges.

    Args:
        domain: an interval (low, high); or an op of one operand, or its name: numbers at which it has a
            finite result; or a predicate. By default any finite float.

    Raises:
        InputError: the domain is none of these.

    >>> from hypothesis import find
    >>> find(numbers("acosh"), lambda x: True), find(numbers((2.0, 3.0)), lambda x: x > 2.5)
    (1.0, 3.0)
    """
    with needed("autograd_lite.testing needs"):
        from hypothesis import strategies as st
    if isinstance(domain, tuple):
        return st.floats(*domain)
    inside = _predicate(domain)
    edges = [x for edge in _EDGES for x in (edge, -edge) if inside(x)]
    pools = [st.floats(0.0, 8.0)] if any(0.0 < x < 8.0 for x in edges) else []
    pools += [st.floats(-8.0, 8.0), st.floats(allow_nan=False, allow_infinity=False)]
    return st.one_of([pool.filter(inside) for pool in pools] + [st.sampled_from(edges)] * bool(edges))


def _predicate(domain: Any) -> Callable[[float], bool]:
    if domain is None:
        return lambda x: True
    if isinstance(domain, str):
        domain = op_named(domain)
    if not isinstance(domain, Op):
        if callable(domain):
            return domain  # type: ignore[no-any-return]
        raise InputError(f"a domain is (low, high), an op or its name, or a predicate, not {short(domain)}")
    if domain.open or domain.least != 1:
        raise InputError(f"{domain.name!r} takes more than one operand; points({domain.name}) gives them")
    op = domain
    return lambda x: op.domain(x) and _defined(op, [x])


def _defined(f: Callable[..., Any], xs: Sequence[float]) -> bool:
    """Whether f has a finite result there (of Values: a float's own ** may be complex)."""
    try:
        ys: list[Any] = errstate("raise").run(no_grad().run, lambda: leaves(f(*map(Value, xs))))
    except (ValueError, ArithmeticError):
        return False
    return all(math.isfinite(y.data if isinstance(y, Value) else y) for y in ys)


def values(domain: Domain | None = None) -> SearchStrategy[Value]:
    """Leaves with numbers drawn from `numbers`.

    >>> from hypothesis import find
    >>> find(values("log"), lambda x: True).data
    1.0
    """
    return numbers(domain).map(Value)


def points(f: Callable[..., Any], n: int | None = None) -> SearchStrategy[list[float]]:
    """Lists of arguments at which f, a function of n numbers, has a finite result.

    So they lie inside the domain of every op on the way.

    Raises:
        InputError: `n` is left out and f takes any number of arguments.

    >>> from autograd_lite import log, sqrt
    >>> from hypothesis import find
    >>> x, y = find(points(lambda x, y: sqrt(x) / log(y)), lambda point: True)
    >>> x >= 0.0 and y > 0.0 and y != 1.0
    True
    """
    with needed("autograd_lite.testing needs"):
        from hypothesis import reject, strategies as st
    size = len(arguments(f)) if n is None else whole(n, "points: n")
    pools = [st.lists(pool, min_size=size, max_size=size) for pool in (*map(numbers, _SPANS), numbers())]
    if isinstance(f, Expression):
        pools.append(st.just(list(f.witness)))

    @st.composite
    def inside(draw: DrawFn) -> list[float]:
        for _ in repeat(None, _TRIES):
            xs: list[float] = draw(st.one_of(pools))
            if _defined(f, xs):
                return xs
        return reject()
    return inside()


# -- computations ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expression:
    """A computation: a function of `inputs` numbers, floats or Values. Its repr is Python.

    Attributes:
        inputs: how many arguments it takes.
        steps: the ops applied one after the other, each with its operands: an int is the place of
            an earlier result (the inputs come first), a float a constant. The last is the result.
        witness: arguments at which it is defined.
    """

    inputs: int
    steps: tuple[tuple[Op, tuple[int | float, ...]], ...]
    witness: tuple[float, ...]

    def __call__(self, *xs: Any) -> Any:
        if len(xs) != self.inputs:
            raise InputError(f"{self!r} takes {self.inputs} arguments; {len(xs)} were given")
        results = list(xs)
        for op, operands in self.steps:
            results.append(op(*[results[x] if isinstance(x, int) else x for x in operands]))
        return results[-1]

    def __repr__(self) -> str:
        names = dict(enumerate("xyzuvw"[:self.inputs] if self.inputs <= 6 else
                               [f"x{k}" for k in range(self.inputs)]))
        head = ", ".join(names.values())
        uses = [x for _, operands in self.steps for x in operands if isinstance(x, int)]

        def text(x: int | float) -> Written:
            """An operand; a result used more than once gets a name where it first appears."""
            if isinstance(x, float):                    # (x ** (-2.0) reads better than x ** -2.0)
                return Written(repr(x), LOOSE if repr(x)[0] == "-" else ATOM)
            if x in names:
                return Written(names[x])
            op, operands = self.steps[x - self.inputs]
            written: Written = op.notation.text(*[text(operand) for operand in operands])
            if uses.count(x) > 1:
                names[x] = f"t{len(names) - self.inputs + 1}"
                return Written(f"({names[x]} := {written.text})")
            return written

        return f"lambda {head}: {text(self.inputs + len(self.steps) - 1).text}"


# A step to take if possible: an op and, for each operand, a constant; or an index (which wraps around) into
# the results so far to which a gradient flows, inputs first; or None for the latest of the other results.
Wish = tuple[Op, Sequence[float | int | None]]


def expressions(max_ops: int = 6, ops: Iterable[str | Op] | None = None,
                inputs: int | None = None) -> SearchStrategy[Expression]:
    """Random computations, functions of one to three numbers (or of `inputs`), defined somewhere.

    A result may be used more than once. The condition of a `where` is a comparison, and a gradient
    flows from the last result to an input. They shrink to few ops and few inputs.

    Args:
        max_ops: the largest number of ops.
        ops: the ops to draw from, or their names; by default all that have a derivative or say
            where they jump.

    >>> from hypothesis import find
    >>> find(expressions(2, ["sin", "*"]), lambda f: len(f.steps) == 2)
    lambda x: sin(sin(x))
    """
    with needed("autograd_lite.testing needs"):
        from hypothesis import strategies as st
    table = [op for op in TABLE.values() if op.kink or any(op.differentiable(op.least))]
    chosen = table if ops is None else [op_named(op) if isinstance(op, str) else op for op in ops]
    comparisons = ([op for op in chosen if isinstance(op, Comparison)]
                   or [op for op in table if isinstance(op, Comparison)])
    max_ops = whole(max_ops, "expressions: max_ops")
    wishes = st.lists(st.one_of([_wishes(op, comparisons) for op in chosen]), max_size=max_ops).map(
        lambda groups: [wish for group in groups for wish in group][:max_ops])
    start = st.one_of(list(map(numbers, _STARTS)))
    sizes = st.integers(1, 3) if inputs is None else st.just(whole(inputs, "expressions: inputs", 1))
    starts = sizes.flatmap(lambda n: st.lists(start, min_size=n, max_size=n))
    return st.builds(_expression, starts, wishes)


def _conditions(op: Op) -> list[Wish]:
    return [(op, (a, b)) for b in (1.0, 0.0, -1.0, 2.0, 0, 1) for a in (0, -1, -2)]


def _wishes(op: Op, comparisons: Sequence[Op]) -> SearchStrategy[Sequence[Wish]]:
    """A step by an op, after the condition if it is a choice; in few draws, so that examples shrink."""
    from hypothesis import strategies as st
    operand = st.sampled_from([0, *[-1] * 4, -2, 1, 2.0, 1.0, 0.5, -1.0, 3.0, None])
    operands: SearchStrategy[Sequence[float | int | None]] = st.tuples(
        *[st.sampled_from([1.0, 0.0, 2.0]) if i in op.options else operand for i in range(op.least)])
    if op.chooses:
        conditions = [wish for comparison in comparisons for wish in _conditions(comparison)]
        return st.tuples(st.sampled_from(conditions),
                         st.tuples(st.just(op), st.tuples(st.none(), operand, operand)))
    if isinstance(op, Comparison):
        return st.tuples(st.sampled_from(_conditions(op)))
    if op.open:
        operands = st.lists(operand, min_size=2, max_size=4)
    return st.tuples(st.tuples(st.just(op), operands))


def _expression(witness: Sequence[float], wishes: Iterable[Wish]) -> Expression:
    """The computation made of the wishes that are defined at the witness and used."""
    results = list(witness)
    flows, other = list(range(len(results))), list[int]()       # the places to which a gradient flows, or not
    steps: list[tuple[Op, tuple[int | float, ...]]] = []
    for op, wish in wishes:
        has = op.differentiable(len(wish))
        free = [i for i, _ in enumerate(wish) if (has[i] if any(has) else i not in op.options)]
        if not any(isinstance(wish[i], int) for i in free):     # it must depend on something
            wish = [-1 if i == free[0] else x for i, x in enumerate(wish)]
        known = [x for x in other if not op.chooses or isinstance(steps[x - len(witness)][0], Comparison)]
        fixed = known[-1] if known else 1.0
        operands = [flows[x % len(flows)] if isinstance(x, int) else fixed if x is None else x for x in wish]
        if op.chooses and not known or isinstance(op, Comparison) and repr(operands[0]) == repr(operands[1]):
            continue                                            # (no condition, or always the same)
        data = [results[x] if isinstance(x, int) else x for x in operands]
        if _defined(op, data) and abs(op(*data)) < 1e6:
            tracked = [isinstance(x, int) and x in flows for x, one in zip(operands, has) if one]
            (flows if (all if op.chooses else any)(tracked) else other).append(len(results))
            steps.append((op, tuple(operands)))
            results.append(op(*data))
    steps = steps[:flows[-1] + 1 - len(witness)]
    return _without_idle(Expression(len(witness), tuple(steps), tuple(witness)))


def _without_idle(f: Expression) -> Expression:
    """The computation without the steps its result does not need."""
    last = f.inputs + len(f.steps) - 1
    needed = {last, *range(f.inputs)}
    for place in range(last, f.inputs - 1, -1):
        if place in needed:
            needed.update(x for x in f.steps[place - f.inputs][1] if isinstance(x, int))
    moved = {old: new for new, old in enumerate(sorted(needed))}
    kept = [f.steps[place - f.inputs] for place in sorted(needed) if place >= f.inputs]
    return Expression(f.inputs, tuple(
        (op, tuple(moved[x] if isinstance(x, int) else x for x in operands)) for op, operands in kept),
        f.witness)


def networks(activations: Iterable[str] = ("tanh", "sigmoid", "relu", "softplus", "gelu")
             ) -> SearchStrategy[MLP]:
    """Small multi-layer perceptrons with drawn weights.

    >>> from hypothesis import find
    >>> find(networks(), lambda network: len(network.layers) == 2)
    MLP of [Layer of [TanhNeuron(1)], Layer of [LinearNeuron(1)]]
    """
    with needed("autograd_lite.testing needs"):
        from hypothesis import strategies as st
    names = list(activations)

    @st.composite
    def network(draw: DrawFn) -> MLP:
        sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
        biases: list[Literal["neuron", "layer"] | None] = ["neuron", "layer", None]
        activation, bias = draw(st.sampled_from(names)), draw(st.sampled_from(biases))
        state = random.getstate()                    # the weights it starts with are replaced
        model = MLP(sizes[0], sizes[1:], activation=activation, bias=bias)
        random.setstate(state)
        for parameter in model.parameters():
            parameter.data = draw(st.floats(-2.0, 2.0))
        return model
    return network()


def _register() -> None:
    """Hypothesis's entry point: from now on `from_type(Value)` works."""
    from hypothesis import strategies as st
    st.register_type_strategy(Value, lambda _: values())


# -- assertions -----------------------------------------------------------------------------------


def assert_derivation(forward: Callable[[Any], Any], hand: Callable[[Any], Any],
                      inputs: SearchStrategy[Any], *, rtol: float | None = None,
                      settings: Settings | None = None) -> None:
    """Audit a hand derivation at many points: one point can agree by luck.

    Args:
        forward: gives the root of the labelled graph at a point.
        hand: gives the claims at that point, as `audit` takes them.
        inputs: a strategy of points. A point where `forward` is not defined is skipped.
        rtol: as for `audit`.
        settings: Hypothesis's, in place of the current profile's.

    Raises:
        AuditError: the derivation is wrong at some point. The message has the simplest of those at which most
            claims differ, the causes, and what kind of mistake they are (see `diagnose`).

    >>> from autograd_lite import label
    >>> from hypothesis import strategies as st
    >>> def forward(x):
    ...     a = Value(x, "a"); y = a * a * a; label(y=y); return y
    >>> assert_derivation(forward, lambda x: {("y", "a"): 3 * x * x}, inputs=st.integers(0, 9))
    >>> assert_derivation(forward, lambda x: {("y", "a"): 3 * x}, inputs=st.integers(0, 9))
    Traceback (most recent call last):
    autograd_lite.errors.AuditError: at the point 2:
    1 of 1 claim differs from the graph, by 1 cause:
      ∂y/∂a: claimed 6, is 12
          the factor a is missing, at each of 5 points
    """
    def differing(point: Any) -> int:
        report = audit(_or_reject(lambda: forward(point)), hand(point), rtol)
        return sum([len(row.entries) for row in report.rows if not report.ok])

    points = wrong_points(differing, lambda check, most: _for_all(check, inputs, settings, most))
    if points:
        report = diagnose(forward, hand, points, rtol=rtol, strict=False)
        raise AuditError(f"at the point {short(points[0], 4000)}:\n{report.summary()}")


def assert_gradients(f: Callable[..., Any], inputs: SearchStrategy[Any] | None = None, *,
                     claimed: Callable[..., Any] | None = None, order: int = 2,
                     settings: Settings | None = None) -> None:
    """Run `check_gradients` on f at many points; or hold a gradient that somebody wrote against f's.

    Args:
        f: a function of one number or structure of numbers if `inputs` is given; else of one or
            more numbers.
        inputs: a strategy of points; by default the argument lists of `points`.
        claimed: a function of the same arguments that gives the derivatives in their shape (of several in a
            tuple): it is audited as by `assert_derivation`, the arguments' names being the labels.
        order: 1 for the gradient alone, 2 for the Hessian too.
        settings: as for `assert_derivation`.

    Raises:
        AuditError: a derivative is wrong at some point, which the message has; or none could be judged
            at any point.

    >>> from autograd_lite import softplus
    >>> assert_gradients(lambda x, y: softplus(x * y))
    >>> assert_gradients(lambda x, y: x * x * y, claimed=lambda x, y: (2 * x * y, x * x))
    """
    if claimed is not None:
        forward, hand = derivation_of(f, claimed, several=inputs is None)
        return assert_derivation(forward, hand, points(f) if inputs is None else inputs, settings=settings)
    judged, notes = False, tuple[str, ...]()

    def hold(point: Any) -> None:
        nonlocal judged, notes
        report = _or_reject(lambda: check_gradients(g, point, order=order))
        judged, notes = judged or any(x.verdict == CORRECT for x in report.derivatives), report.notes
        if report.verdict == WRONG:
            raise AuditError(f"at the point {short(point, 4000)}:\n{report.summary()}")

    g, strategy = _spread(f, inputs)
    _for_all(hold, strategy, settings)
    if not judged:
        raise AuditError("\n".join([
            "at no point could a derivative be judged: all lie at kinks, or are too noisy", *notes]))


def assert_same_gradient(f: Callable[..., Any], g: Callable[..., Any],
                         inputs: SearchStrategy[Any] | None = None, *, rtol: float = 1e-9,
                         settings: Settings | None = None) -> None:
    """Compare the gradients of two functions at many points at which both are defined.

    Args:
        f, g, inputs, settings: as for `assert_gradients`; the default points are those of f.
        rtol: how far they may differ, relatively, apart from the rounding of the terms they add up.

    Raises:
        AuditError: they differ at some point, which the message has.

    >>> from autograd_lite import exp, log, softplus
    >>> from hypothesis import strategies as st
    >>> assert_same_gradient(softplus, lambda x: log(1.0 + exp(x)), st.floats(-30.0, 30.0))
    """
    if inputs is None and len(arguments(f)) != len(arguments(g)):
        raise InputError(f"assert_same_gradient: the functions take {len(arguments(f))} and "
                         f"{len(arguments(g))} numbers; give two of as many, or inputs=")
    left, strategy = _spread(f, inputs)
    right, _ = _spread(g, inputs)

    def hold(point: Any) -> None:
        pairs = zip(*[_or_reject(lambda: leaves(grad(side)(point))) for side in (left, right)],
                    *[term_sizes(Trace(side, (point,), {})) for side in (left, right)])
        for i, (a, b, size, other) in enumerate(pairs):
            if not math.isclose(a, b, rel_tol=rtol, abs_tol=1e-13 * (size + other)):
                raise AuditError(f"at the point {short(point, 4000)}: the derivatives by number {i} of "
                                 f"the argument differ: {a!r} and {b!r}")
    _for_all(hold, strategy, settings)


def _spread(f: Callable[..., Any], inputs: SearchStrategy[Any] | None
            ) -> tuple[Callable[[Any], Any], SearchStrategy[Any]]:
    """f as a function of one point, and the points."""
    return (f, inputs) if inputs is not None else (lambda point: f(*point), points(f))


def _or_reject(compute: Callable[[], Any]) -> Any:
    """The result; an example at which it is not defined does not count."""
    from hypothesis import reject
    try:
        return compute()
    except NumericError:
        reject()


def _for_all(hold: Callable[[Any], None], inputs: SearchStrategy[Any], settings: Settings | None,
             most: int | None = None) -> None:
    with needed("autograd_lite.testing needs"):
        from hypothesis import HealthCheck, Phase, errors, given, settings as current
    chosen = settings or current(
        deadline=None, database=None, report_multiple_bugs=False, print_blob=False,
        suppress_health_check=[*current().suppress_health_check, HealthCheck.filter_too_much],
        phases=[phase for phase in current().phases if phase != Phase.explain])     # of our own code
    if most is not None:
        chosen = current(chosen, max_examples=min(most, chosen.max_examples))
    try:
        chosen(given(inputs)(hold))()
    except errors.Unsatisfiable as error:
        raise AuditError("no point was found where the function is defined; give some by inputs=") from error
