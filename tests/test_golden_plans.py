"""What a program needs, where, and what must be looked at."""
from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import pytest
from golden import expected, steady
from test_golden_programs import RECORDED, check_text

import autograd_lite as ag
from autograd_lite import Value, grad, value_and_grad
from autograd_lite.ops.op import TABLE
from autograd_lite.programs import code as codes
from autograd_lite.programs.environment import Environment
from autograd_lite.programs.indices import Indices
from autograd_lite.programs.layout import Dense, Plan, hides
from autograd_lite.programs.tracing import trace

w, b = Value(0.5, "w"), Value(-0.25, "b")
ROWS = [Value(0.5), Value(1.5), Value(2.5)]
TABLES = [[Value(0.5), Value(1.5)], [Value(2.5), Value(3.5)]]


def path(side: Any) -> str:
    return " ".join([f"{one.condition}{'+' if one.answer else '-'}" for one in side.path()]) if side else ""


def plan(f: Any, args: Any, backward: bool = False, indices: Any = None, kind: Any = Plan) -> str:
    """All that a plan says."""
    traced = trace(f, args, {}, backward, Environment(f), indices and Indices(f, indices)).whole()
    found = kind(traced.recording)
    code, lines = found.code, []
    for k in found.needed:
        constant = f" = {code.data[k]!r}" if code.ops[k] is codes.CONSTANT else ""
        lines.append(f"{k}: {code.ops[k].name}({', '.join(map(str, code.operands[k]))}){constant}, "
                     f"{found.uses[k]} uses{', unsure' if k in found.unsure else ''}"
                     f"{f', only on {path(found.home[k])}' if k in found.home else ''}"
                     f"{'' if all(found.shows(k)) else f', shows {found.shows(k)}'}")
    lines += [f"at {k}: {check_text(check)}" for k, checks in sorted(found.checks.items())
              for check in checks]
    lines.append(f"of {len(code)}: outputs {found.outputs}, tables {found.tables}, read {found.read}, spread "
                 f"{found.spread}, shown {found.shown}")
    return "\n".join(lines)


def nested(depth: int) -> Any:
    def f(x, y):
        def inner(k: int) -> Any:
            return ag.sin(x * k) if k == depth else ag.select(
                ag.less(x, y + k), lambda: inner(k + 1), lambda: y)
        return inner(0)
    return f


def both_sides(x, y):
    """Of each side, of both, of a side within another, and of a condition within."""
    a, c, d, e = ag.exp(x), ag.sin(y), ag.cos(x), ag.tanh(x * y)
    far = ag.where(ag.less(y, 2.0), a * c, d * c)
    near = ag.where(ag.less(d, y), a + e, ag.where(ag.less(e, c), d * e, 1.0))
    return ag.where(ag.less(x, y), far, near) + ag.where(ag.less(y, x), ag.sqrt(x), 0.0)


def choices(x, y):
    """The same, of what is computed on one side alone."""
    def near():
        e = ag.tanh(x * y)
        return ag.select(ag.less(ag.cos(x), y), lambda: ag.exp(x) + e, lambda: ag.select(
            ag.less(e, y), lambda: ag.cos(x) * e, lambda: 1.0))
    p = ag.less(x, y)
    far = ag.select(p, lambda: ag.select(ag.less(y, 2.0), lambda: ag.exp(x) * ag.sin(y), lambda: ag.cos(x)),
                    near)
    return far + ag.select(p, lambda: ag.select(ag.less(y, 2.0), lambda: ag.sinh(x), lambda: ag.sin(y)),
                           lambda: ag.cosh(y)) + ag.select(ag.less(y, x), lambda: ag.sqrt(x), lambda: 0.0)


def again(x, y):
    """The same condition within itself, and within the other side."""
    p = ag.less(x, y)
    return ag.select(p, lambda: ag.select(p, lambda: ag.sin(x), lambda: ag.cos(x)),
                     lambda: ag.select(p, lambda: ag.exp(y), lambda: ag.tanh(y)))


def number_conditions(x, y):
    """Conditions that are numbers."""
    return ag.select(x * y, lambda: ag.sin(x), lambda: ag.select(
        x - y, lambda: ag.log(y), lambda: y)) + ag.where(1.0, x, ag.exp(y))


def in_sides(x, y):
    """What may fail, on sides of choices."""
    return ag.select(ag.less(x, y), lambda: ag.log(x) * ag.select(
        ag.less(y, 5.0), lambda: ag.sqrt(y), lambda: 1.0 / x), lambda: ag.exp(x)) + ag.select(
            ag.less(x * x, 9.0), lambda: ag.log(x) + 1.0, lambda: ag.log(y))


def not_used(x, y):
    """Numbers that are worked out for nothing, and comparisons."""
    _ = ag.log(y), ag.select(ag.less(x, 0.5), lambda: y, lambda: (ag.sqrt(y), x)[1]), ag.less(y, x)
    return x * 2.0


def guarded(x, y):
    if ag.log(x) < y and y > 1.0:
        return ag.maximum(x, y) * ag.atan2(x, y)
    return int(x) * y


def results(x, y):
    return [x, x * y, 2.0, x * y, y, ag.exp(x)]


def tables(x, i, j):
    a, c = ag.take(TABLES, i)
    return ag.take(ROWS, i) * x + a * c + ag.take([x, x * x, w], j) + ag.take([x, 1.0], j)


def all_tables(x, i, j):
    return ag.take(ROWS, i) * ROWS[0] + ag.take([w, w], j) * x


def in_a_side(x, i, j):
    return ag.select(ag.less(x, 2.0), lambda: ag.take([w, b, x], i), lambda: ag.take(ROWS, j) * x)


def same_results(x, y):
    """What is worked out on sides, for nothing."""
    def first():
        ag.log(x)
        return ag.select(ag.less(y, 1.0), lambda: (ag.sqrt(x), y)[1], lambda: y)
    return ag.select(ag.less(x, y), first, lambda: y) + ag.exp(x)


def captured_conditions(x, y):
    return ag.select(ag.less(w, x), lambda: ag.select(
        ag.less(w, 2.0), lambda: ag.log(x), lambda: ag.select(ag.less(1.0, 2.0), lambda: x, lambda: y) + b),
        lambda: ag.exp(x)) + ag.select(ag.less(b, w), lambda: ag.sqrt(y), lambda: ag.select(
            ag.less(w, b), lambda: (ag.log(y), x)[1], lambda: ag.log(x)))


def slopes(x, i):
    return grad(lambda rows: ag.take(rows, i) ** 3 * ag.exp(rows[0]) * x)(ROWS)


CASES_OF: dict[str, tuple[Any, ...]] = {
    **{name: (f, args) for name, (f, args) in RECORDED.items() if "flows" not in name},
    "both sides": (both_sides, (1.5, 2.5)), "choices": (choices, (1.5, 2.5)),
    "gradients of choices": (lambda x, y: grad(choices)(x, y), (1.5, 2.5)),
    "the same again": (again, (1.5, 2.5)),
    "conditions that are numbers": (number_conditions, (1.5, 2.5)), "in sides": (in_sides, (1.5, 2.5)),
    "not used": (not_used, (1.5, 2.5)), "guards": (guarded, (1.5, 2.5)), "results": (results, (1.5, 2.5)),
    "another guard": (guarded, (1.5, 0.25)),
    "gradients of sides": (lambda x, y: grad(both_sides)(x, y), (1.5, 2.5)),
    "gradients in sides": (lambda x, y: grad(in_sides)(x, y), (1.5, 2.5)),
    "tables": (tables, (1.5, 1, 0), False, ("i", "j")),
    "all tables": (all_tables, (1.5, 1, 0), False, ("i", "j")),
    "gradients of tables": (tables, (1.5, 1, 0), True, ("i", "j")),
    "gradients of all tables": (all_tables, (1.5, 1, 0), True, ("i", "j")),
    "gradients that are results": (lambda x, i, j: value_and_grad(
        lambda a, rows: ag.take(rows, i) * a * ag.take(rows, j), (0, 1))(x, [x, 2.0 * x]), (1.5, 1, 0), False,
                                 ("i", "j")),
    "tables in sides": (in_a_side, (1.5, 1, 0), False, ("i", "j")),
    "gradients of tables in sides": (in_a_side, (1.5, 1, 0), True, ("i", "j")),
    "one table": (lambda x, i: ag.take(ROWS, i) * x, (1.5, 1), False, "i"),
    "sides without a choice": (same_results, (1.5, 2.5)),
    "gradients of gradients": (lambda x, i: ag.sum(slopes(x, i)) * x, (1.5, 1), True, "i"),
    "a gradient of a gradient": (lambda x, i: slopes(x, i)[1], (1.5, 1), True, "i"),
    "a gradient at an index": (lambda x, i: ag.take(slopes(x, i), i), (1.5, 1), True, "i"),
    "a gradient of one row": (lambda x, i: grad(lambda rows: ag.take(rows, i) ** 3 * x)(ROWS[:1])[0],
                              (1.5, 0), True, "i"),
    "conditions that are captured": (captured_conditions, (1.5, 2.5)),
    "slopes in sides": (lambda x, y: grad(grad(in_sides))(x, y), (1.5, 2.5)),
    "dense tables": (tables, (1.5, 1, 0), False, ("i", "j"), Dense),
    "dense gradients of tables": (tables, (1.5, 1, 0), True, ("i", "j"), Dense),
}


def deep() -> str:
    """How deep the sides of choices go."""
    f = nested(70)
    found = Plan(trace(f, (0.5, 2.5), {}, False, Environment(f)).recording)
    return "\n".join([f"{k}: {side.depth}, {len(side.path())}" for k, side in sorted(found.home.items())
                      if side])


NAME = "plans"
CASES = {name: functools.partial(plan, *args) for name, args in CASES_OF.items()}
CASES["deep sides"] = deep


@pytest.mark.parametrize("case", CASES)
def test_what_a_program_needs_is_what_is_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


SOME = (0.0, 0.5, -0.5, 1.0, 2.0, 3.0, -3.0, 1e-300, 1e300, -1e300)


def ever_finite(op: Any, n: int, i: int) -> bool:
    """Whether a result is finite, somewhere, though the i-th operand is not."""
    for x in (math.inf, -math.inf, math.nan):
        for others in itertools.product(SOME, repeat=n - 1):
            try:
                y = op.forward(*others[:i], x, *others[i:])
            except (ValueError, ArithmeticError):
                continue
            if math.isfinite(y):
                return True
    return False


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if op.in_line and not op.open])
def test_an_operand_that_is_not_finite_is_hidden_where_a_result_is_finite(name):
    op = TABLE[name]
    for n in range(max(op.least, 1), min(op.most, 2) + 1):
        for i in range(n):
            assert hides(op, n, i) is ever_finite(op, n, i) or name == "choose"
