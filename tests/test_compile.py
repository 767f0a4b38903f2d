"""A compiled function gives what the function itself gives, to the last bit, wherever it is called."""
from __future__ import annotations

import dataclasses
import itertools
import math
import random
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import test_kinks
from replayed import eager, given, held, outcome
from truth import points
from unseen import unseen

import autograd_lite as ag
from autograd_lite import Value, custom_op, grad, hessian, hvp, jacobian, jvp, nn, optim, value_and_grad, vjp
from autograd_lite.ops.op import TABLE
from autograd_lite.programs import templates
from autograd_lite import compile

sys.path.insert(0, str(Path(__file__).parent / "campaigns"))

import compiled as campaign  # noqa: E402

inf, nan = math.inf, math.nan
SOME = [(1.5,), (2.5,), (-1.5,), (0.0,), (-0.0,), (0.5,), (1e200,), (inf,), (nan,), (1.5,)]
SEQUENCES = [(1.0, 2.0, 3.0), (-0.0, 0.0, 0.0), (1e308, 1e308, 1.0), (inf, 1.0, 2.0), (nan, 1.0, 2.0),
             (2.0, 2.0, 2.0), (0.5,), (-inf,), (3.0, 3.0), (710.0, -710.0), (1.0, 2.0, 3.0, 4.0),
             (1e16, 1.0, -1e16, 5e-324), tuple(map(float, range(7)))]


def differing(f, *calls, mode="raise", **options):
    """At which calls of one compiled function it differs from the function itself, and how."""
    fast = compile(f, **options)
    return {xs: text for xs in calls if (text := held(fast, f, xs, mode=mode))}


# -- every op of the table ----------------------------------------------------------------------


def edges(op):
    """Operands to look at, of one length after the other: the edge points, infinite and nan ones, ties."""
    if op.open:
        found = SEQUENCES
    else:
        found = [tuple(map(float, xs)) for xs in points(op.name)]
        found += [(*xs[:i], x, *xs[i + 1:]) for i in range(op.least) for xs in found[:2]
                  for x in (inf, -inf, nan, 0.0, -0.0, 1.0, -1.0)]
    for n in sorted({len(xs) for xs in found}):
        yield n, list(dict.fromkeys([xs for xs in found if len(xs) == n]))


@pytest.mark.parametrize("name", TABLE)
def test_an_op_and_its_derivatives_are_the_eager_ones(name):
    op, wrong = TABLE[name], []
    for n, calls in edges(op):
        free = [i for i in range(n) if i not in op.options]
        free = [*free[:2], *free[2:][-1:]]
        for f, allowed in [(op, 0.0), *[(grad(op, i), 0.0) for i in free],
                           *[(grad(grad(op, i), j), 2.0) for i in free for j in free]]:
            fast = compile(f)
            ordinary = [xs for xs in calls if max(map(abs, xs)) < 4.0 and type(outcome(f, xs)) is float][:1]
            for xs in ordinary:
                assert fast(*xs) == f(*xs)
            for k, xs in enumerate(calls):
                wrong += filter(None, [held(fast, f, xs, allowed)])
                if k % 4 == 0 and name != "%":  # (where 0·∞ is stopped, and is a nan under "ignore")
                    wrong += filter(None, [held(fast, f, xs, allowed, "ignore")])
            for xs in [] if allowed else calls[:40:8]:      # as the first call
                wrong += filter(None, [held(compile(f), f, xs)])
    assert not wrong, wrong[:5]


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if not op.open and op.most > op.least])
def test_an_option_may_be_a_constant_or_an_argument(name):
    op = TABLE[name]
    for option in (0.0, 1.0, 0.5) if name not in ("gauss", "normal_pdf") else (0.0, 1.0, 2.0):
        calls = [(x,) * op.least for x in (0.0, -0.0, 1.5, -1.5, nan)]
        for f in (lambda *xs: op(*xs, option), grad(lambda *xs: op(*xs, option)),
                  grad(grad(lambda *xs: op(*xs, option)))):
            assert not differing(f, *calls)
            assert not differing(lambda *xs, f=f: f(*xs), *calls)
        assert not differing(grad(op), *[(*xs, option) for xs in calls])
    by_option = grad(op, op.least)
    assert not differing(by_option, (1.5,) * op.least + (1.0,))
    if op.options:
        with pytest.raises(ag.InputError, match="option"):
            compile(by_option)(*[1.5] * op.least, 1.0)


def refuse(*call):
    raise ArithmeticError("the eager way was taken")


def with_constants(op):
    """An op with some operands plain numbers, the others arguments, as functions by their places."""
    n = op.least + (op.most > op.least) if not op.open else 2
    for fixed in itertools.product((None, 0.0, 1.0, 2.0, -1.0, 1 / 3), repeat=n):
        free = [i for i in range(n) if fixed[i] is None]
        if free and all([fixed[i] is not None for i in op.options if i < n]):
            yield fixed, len(free), lambda *xs, fixed=fixed: op(
                *[xs[sum([x is None for x in fixed[:i]])] if c is None else c for i, c in enumerate(fixed)])


@pytest.mark.parametrize("name", TABLE)
def test_no_constant_makes_the_eager_way_the_only_one(name, monkeypatch):
    for fixed, n, f in with_constants(TABLE[name]):
        for way in (f, grad(f), grad(grad(f)), grad(grad(grad(f)))):
            calls = [(x, -x, 1.1 * x)[:n] for x in (0.83, 1.71, -1.37)]
            wanted = {xs: y for xs in calls if type(y := outcome(way, xs)) is float}
            if len(wanted) > 1:
                fast, found = compile(way, target="python"), []
                for xs, y in wanted.items():
                    assert fast(*xs) == y
                with monkeypatch.context() as patch:
                    patch.setattr("autograd_lite.programs.compiled.eager", refuse)
                    found = [outcome(fast, xs) for xs in wanted]
                assert set(found) & set(wanted.values()), (fixed, found)


def test_a_broken_template_is_noticed(monkeypatch):
    assert not differing(grad(ag.sin), (0.7,), (0.9,))

    class Broken(templates.Template):
        def __init__(self, *facts):
            super().__init__(*facts)
            self.partials = [self.step(TABLE["*"], (p, 1.0 + 1e-15)) for p in self.partials]

    monkeypatch.setattr("autograd_lite.programs.sweeps.template", Broken)
    assert differing(grad(ag.sin), (0.7,), (0.9,))


@pytest.mark.parametrize("name", [*test_kinks.WRONG, *test_kinks.RIGHT])
def test_second_derivatives_at_kinks(name):
    f, x, *_ = {**test_kinks.WRONG, **test_kinks.RIGHT}[name]
    other = [entry + 0.37 + 0.1 * i for i, entry in enumerate(x)]
    for way in (hessian(f), jacobian(grad(f)), lambda x: hvp(f, (x,), ([1.0, 2.0][:len(x)],))):
        for calls in ((x, other), (other, x, other)):
            fast = compile(way)
            assert not [text for xs in calls if (text := held(fast, way, (xs,), 2.0))]


# -- random programs ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_that_branch(seed):
    search = campaign.Collecting(seed)
    for _ in range(8):
        search.one()
    assert search.calls > 100 and not search.texts, search.texts[0]


# -- branches -----------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [
    lambda x: min(x, 1.0) * 3.0 + max([x, 2.0 * x, 1.0]),
    lambda x: sorted([x, 1.0, x * x])[1],
    lambda x: x * len(f"{x.data:.1f}") if abs(x) < 1e3 else x,
    lambda x: x * len(str(x.data)) + len(repr(x.data)),
    lambda x: x * math.floor(x.data) + math.ceil(x.data) - math.trunc(x.data),
    lambda x: x + round(x.data, 0) + round(x.data) * x,
    lambda x: x * int(x.data) if x > 0 else x / 3,
    lambda x: x * 2.0 if x == None else x * 3.0 if x != "a" else x,     # noqa: E711
    lambda x: x * (x.data > 1.0) + Value(x.data) * x,
    lambda x: ag.select(ag.less(x, 1.0), lambda: ag.sqrt(1.0 - x),
                        lambda: ag.hypot(x, x) if x > 2.0 else x / 3),
    lambda x: ag.where(ag.greater(x, 0.0), x * x, ag.stop_gradient(x) * x),
    lambda x: ag.derivative(lambda a: ag.sin(a) * a)(x) + ag.taylor(ag.exp, x, 2)[1],
], ids=str)
def test_python_s_questions_are_guards(f):
    floats = [xs for xs in SOME if xs[0] - xs[0] == 0.0]        # (int(inf) is an error of Python's own)
    assert not differing(f, *floats) and not differing(grad(f), *floats)
    assert not differing(value_and_grad(f), *floats[::-1])


def test_while_loops_and_early_returns():
    def collatz(x, n):
        steps = 0
        while x > 1.0 and steps < n:
            x, steps = (x / 2.0 if round(x.data) % 2 == 0 else 3.0 * x + 1.0), steps + 1
            if x > 50.0:
                return -x
        return x * steps

    calls = [(x, n) for x in (6.0, 7.0, 3.0, 1.0, 0.5, 27.0) for n in (0, 3, 20)]
    assert not differing(collatz, *calls) and not differing(grad(collatz), *calls)


def test_captured_values_are_read_at_each_call_and_guarded():
    w, k = Value(2.0, "class"), Value(3.0, requires_grad=False)
    f = grad(lambda x: x * w * int(w.data) if w > 1.0 else x - w * k.data)
    fast = compile(f)
    for number in (2.0, 0.5, 3.0, 1.0, 2.0):
        w.data, k.data = number, number + 1.0
        assert fast(1.5) == f(1.5)


def test_labels_that_are_no_names_or_clash():
    def f(x, y):
        for label in ("class", "a b", "x", "captured", "exp", "finite", "math", "v3", "f", "m", "float", "_v",
                      "é", "x"):
            x = ag.exp(x * y * 0.1)
            x.label = label
            y = y + x * x
        return y

    assert not differing(f, (1.0, 0.1), (0.2, 0.3)) and not differing(hessian(f), (0.3, 0.0), (0.1, 0.01))


# -- structures ---------------------------------------------------------------------------------


@dataclasses.dataclass
class Pair:
    a: float
    b: list


@pytest.mark.parametrize("f, calls", [
    (lambda p: p["x"] * p["y"][0], [({"x": 1.5, "y": (2.0,)},), ({"x": -1.5, "y": (3.0,)},)]),
    (lambda p: {"s": [p.a * x for x in p.b], "n": None, "t": ("u", True, 2)},
     [(Pair(2.0, [1.0, 3.0]),), (Pair(4.0, [1.0]),)]),
    (lambda p: Pair(p.a, [p.b[0] * 2.0]), [(Pair(2.0, [1.0]),), (Pair(3.0, [1.5]),)]),
    (lambda v: v * v + 1.0, [(np.array([1.0, 2.0]),), (np.array([[3.0], [4.0]]),), (np.array([5.0, 6.0]),)]),
    (lambda v: (v * v).sum(), [(np.array([1.0, 2.0]),), (np.array([3.0, 4.0]),)]),
    (lambda x, n: sum([x ** i for i in range(n)]) + n, [(1.5, 3), (2.5, 3), (1.5, 1), (1.5, 4)]),
    (lambda x, n: sum([x] * n) * [1.0, 2.0, 3.0][n - 2], [(1.5, 2), (1.5, 3), (2.5, 3), (1.5, 1)]),
    (lambda n, m: [2 ** n, n // m, n % m, n / m, n], [(7, 2), (8, 3), (9, 3)]),
    (lambda x, flag: x if flag else -x, [(1.0, True), (1.0, False), (2.0, True)]),
    (lambda x, kind: ag.sin(x) if kind == "sin" else x, [(1.0, "sin"), (1.0, "id"), (2.0, "sin")]),
    (lambda x, k=3.0, *more, **named: x * k + sum(more) + len(named), [(1.0,), (2.0,), (1.0, 2.0, 3.0)]),
    (lambda: 3.0, [(), ()]),
    (lambda x: [3.0, 1, None, "a"], SOME[:3]),
    (lambda xs: [xs[::-1], xs[:1], []], [([1.0, 2.0],), ([3.0, 4.0],), ([1.0, 2.0, 3.0],)]),
], ids=range(14))
def test_arguments_and_results_of_any_structure(f, calls):
    fast = compile(f)
    for xs in calls:
        found, expected = fast(*xs), eager(f, xs)
        assert not held(fast, f, xs)
        if isinstance(expected, np.ndarray):
            assert type(found) is np.ndarray and found.shape == expected.shape


def test_keywords_and_has_aux():
    f = grad(lambda x, scale=2.0, *, kind="a": (x * x * scale, [x, kind]), has_aux=True)
    fast = compile(f)
    for kwargs in ({}, {"scale": 3.0}, {"kind": "b"}, {"scale": 4.0, "kind": "a"}):
        assert not held(fast, f, (1.5,), kwargs=kwargs) and not held(fast, f, (2.5,), kwargs=kwargs)


def test_many_arguments_and_long_chains():
    n = 300
    def f(*xs): return ag.dot(xs, xs[::-1]) + sum(xs)
    assert not differing(grad(f, (0, n - 1)), tuple(map(float, range(n))), (0.5,) * n)

    def chain(x):
        for _ in range(3000):
            x = ag.sin(x) + 0.5
        return x

    assert not differing(grad(chain), (0.5,), (0.25,))


# -- training -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_training_is_the_eager_one_to_the_last_bit(kind, activation):
    rng = random.Random(3)
    data = [([rng.uniform(-1.0, 1.0), rng.uniform(-1.0, 1.0)], rng.uniform(-1.0, 1.0)) for _ in range(5)]

    def trained(compiled):
        random.seed(1)
        model = nn.MLP(2, [4, 1], activation=activation)
        optimizer = kind(model.parameters(), 0.05)

        def loss(data):
            return sum([(model(x)[0] - y) ** 2 if isinstance(model(x), list) else (model(x) - y) ** 2
                        for x, y in data])

        fast, losses = compile(loss), []
        for step in range(30):
            optimizer.zero_grad()
            for _ in range(1 + step % 2):       # gradients add up, too
                if compiled:
                    losses.append(fast.backward(data[step % 2:]))
                else:
                    y = loss(data[step % 2:])
                    y.backward()
                    losses.append(y.data)
            optimizer.step()
        return losses, [p.data for p in model.parameters()], [p.grad for p in model.parameters()]

    assert trained(True) == trained(False)


def test_backward_as_eager_where_values_are_computed_frozen_or_out_of_range():
    def grads(run, *leaves):
        for x in leaves:
            if x.requires_grad:
                x.grad = 0.0
        found = outcome(run, ())
        return found, [x.grad for x in leaves]

    w, v = Value(2.0, "w"), Value(3.0, "v", requires_grad=False)
    u = w * 3.0
    def f(x): return u * x + w * v * x

    def slow(x):
        y = f(Value(x, requires_grad=False))
        y.backward()
        return y.data

    fast = compile(f)
    for on in (False, True, False, True):
        v.requires_grad = on
        for x in (2.0, 3.0, 1e308):
            assert grads(lambda: fast.backward(x), w, v) == grads(lambda: slow(x), w, v)
    assert fast.stats.programs == 2
    p = Value(0.0)
    fast = compile(lambda x: p * x)
    fast.backward(1.0)
    p.grad = 1.7e308
    with pytest.raises(ag.RangeError):
        fast.backward(1e308)
    assert p.grad == 1.7e308
    with pytest.raises(ag.GradientError, match="carries no gradient"):
        compile(lambda x: x * x).backward(2.0)


def test_no_grad_and_stop_gradient_within():
    w = Value(2.0)

    def f(x):
        with ag.no_grad():
            a = ag.sin(x) * w
        return a * x + ag.stop_gradient(x * w) * x + x.data * x + x.detach()

    for g in (f, grad(f), hessian(f), lambda x: jvp(f, (x,), (x,)), lambda x: vjp(f, x)[1](x)):
        assert not differing(g, (1.5,), (0.5,), (-2.0,))


# -- what is refused ----------------------------------------------------------------------------

w = Value(2.0, "w")


def assigning(what, number):
    def f(x):
        setattr(w, what, number)
        return x * w
    return f


@pytest.mark.parametrize("f, words", [
    (lambda x: (x * w).backward(), "backward"),
    (assigning("data", 5.0), "data ="), (assigning("grad", 1.0), "grad ="),
    (assigning("requires_grad", False), "requires_grad ="), (lambda x: x * w.grad, "grad within"),
    (lambda x: math.exp(x), "autograd_lite.exp"),
    (lambda x: float(x), "float()"), (lambda x: complex(x), "complex()"),
    (lambda x: ag.evaluate(x * x), "evaluate"), (lambda x: ag.explain(x * x), "explain"),
    (lambda x: ag.check_gradients(ag.sin, x), "check_gradients"),
    (lambda x: ag.jacobian(lambda v: [v[0]], sparse=True)([x]), "sparse=True"),
    (lambda x: ag.hessian(lambda v: v[0] * v[0], sparse=True)([x]), "sparse=True"),
], ids=range(13))
def test_what_a_run_may_not_do_is_an_error_with_its_line_and_the_function_stays_usable(f, words):
    on = [True]
    fast = compile(lambda x: f(x) if on[0] else x * 3.0)
    before = w.data, w.grad, w.requires_grad
    with pytest.raises(ag.InputError, match=re.escape(words)) as caught:
        fast(1.0)
    assert "test_compile.py:" in str(caught.value)
    assert (w.data, w.grad, w.requires_grad) == before
    on[0] = False
    assert fast(2.0) == 6.0 and fast(3.0) == 9.0
    w.grad = 0.0                                # outside of it all is as ever
    assert (w * 2.0).data == 4.0


def test_an_exception_at_the_first_call_leaves_it_usable():
    tries = []

    def f(x):
        tries.append(1)
        if len(tries) == 1:
            raise KeyError("first")
        return x * x

    fast = compile(f)
    with pytest.raises(KeyError):
        fast(2.0)
    assert fast(2.0) == 4.0 and fast(3.0) == 9.0 and (Value(2.0) * 2.0).data == 4.0


@pytest.mark.parametrize("use", [
    lambda x: x * 2.0, lambda x: Value(1.0) + x, ag.exp, lambda x: x.data, lambda x: x > 1.0,
    lambda x: 1.0 == x, float, bool, lambda x: x.backward(), lambda x: compile(lambda y: y * x)(1.0),
    lambda x: ag.softmax([x, 1.0]),
    lambda x: grad(lambda y: y * x)(2.0)], ids=range(12))
def test_a_traced_number_that_leaks_is_refused(use):
    kept = []
    compile(grad(lambda x: kept.append(x * 2.0) or x * x))(1.0)
    with pytest.raises(ag.InputError, match=r"compile traced in .*, at .*test_compile.py:\d+, was kept"):
        use(kept[0])


def test_what_changes_from_call_to_call_is_noticed():
    number = unseen(range(100))
    fast = compile(lambda x: x * number())
    fast(1.0)
    with pytest.raises(ag.InputError, match="it computes with 1.0 where it computed with 0.0"):
        fast(2.0)
    with pytest.raises(ag.InputError, match="draws random numbers"):
        compile(lambda x: x * random.random())(1.0)


def test_the_limit():
    def f(x): return x * int(x.data)
    fast = compile(f, max_programs=3)
    for x in (0.5, 1.5, 2.5, 0.25):
        assert fast(x) == eager(f, (x,))
    with pytest.raises(ag.InputError, match=r"3 programs(?s:.*)test_compile.py"):
        fast(3.5)
    assert fast(1.25) == 1.25 and fast.stats.programs == 3
    assert not differing(f, *[(float(k),) for k in range(9)], max_programs=3, on_limit="eager")
    with pytest.raises(ag.InputError, match="on_limit"):
        compile(f, on_limit="stop")
    with pytest.raises(ag.InputError, match="max_programs"):
        compile(f, max_programs=0)


# -- where it stands ----------------------------------------------------------------------------


def test_within_a_derivative_or_another_it_is_the_function_itself():
    fast = compile(lambda x: x * x * x if x > 0 else x)
    assert grad(fast)(2.0) == 12.0 and hessian(fast)(2.0) == 12.0 and grad(fast)(-2.0) == 1.0
    assert not differing(grad(lambda x: fast(x) * 2.0 + fast(2.0 * x)), (1.5,), (-1.0,), (2.0,))
    assert fast(Value(2.0)).data == 8.0
    x = Value(2.0)
    fast.backward(x)
    assert x.grad == 12.0


def test_threads_may_call_it_at_once():
    f = grad(lambda x: ag.sin(x) * x if x > 0.5 else ag.cos(x) if x > 0.2 else x)
    fast, wrong = compile(f), []

    def work(k):
        for i in range(60):
            x = ((i * 7 + k) % 13) / 10.0
            wrong.extend(filter(None, [held(fast, f, (x,))]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not wrong


@pytest.mark.parametrize("partial", [
    lambda y, x: 3.0 * x * x, lambda y, x: None, lambda y, x: math.cos(x), lambda y, x: "a",
    lambda y, x: ag.select(ag.greater(x, 1.0), lambda: x, lambda: 2.0)], ids=range(5))
def test_ops_of_one_s_own(partial):
    name = f"own{random.random()}"
    op = custom_op(lambda x: x ** 3 if x < 100.0 else {}[x], (partial,), name=name)
    try:
        for f in (op, grad(op), grad(lambda x: op(2.0 * x) * x)):
            assert not differing(f, *SOME[:6])
        second = grad(grad(op))
        for (x,) in SOME[:2]:
            a, b = outcome(compile(second), (x,)), outcome(second, (x,))
            assert a == b or a[0] is b[0] is ag.InputError
        with pytest.raises(KeyError):
            compile(op)(200.0)
    finally:
        del TABLE[name]


def test_an_op_of_one_s_own_may_read_what_changes_at_every_order():
    name, rates = f"own{random.random()}", [2.0]
    op = custom_op(lambda x: x * rates[0], (lambda y, x: rates[0],), name=name)
    try:
        for f in (op, grad(lambda x: op(x) * x), ag.hessian(lambda x: op(x) * x)):
            fast = compile(f)
            for rates[0] in (2.0, 3.0, 2.0):
                assert fast(1.5) == fast(1.5) == ag.compile(f)(1.5) == outcome(f, (1.5,))
    finally:
        del TABLE[name]


def test_the_comparison_itself_notices_a_difference():
    assert held(lambda x: x * (1.0 + 3e-16), lambda x: x, (1.0,))
    assert not held(lambda x: x, lambda x: x, (1.0,))
    assert held(lambda x: [x], lambda x: (x,), (1.0,)) and held(lambda x: 1.0, ag.log, (-1.0,))
    assert not held(lambda x: -0.0, lambda x: 0.0, (1.0,)) and not held(lambda x: nan, lambda x: nan, (1.0,))
    assert held(lambda v: v.tolist(), lambda v: v, (np.array([1.0]),))
    assert given([Value(2.0), 1]) == [2.0, 1.0]


UNARY = [ag.sin, ag.exp, ag.tanh, ag.sigmoid, ag.softplus, lambda x: x * x, lambda x: x ** 3, lambda x: -x,
         lambda x: ag.sqrt(x * x + 1.0), lambda x: ag.log(x * x + 0.5)]
BINARY = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / (b * b + 1.0)]


def smooth(seed):
    """A random smooth function of three numbers, whose parts are used several times."""
    rng = random.Random(seed)
    steps = [(rng.choice(UNARY), rng.choice(BINARY), rng.random(), rng.random(), rng.random())
             for _ in range(rng.randint(4, 14))]

    def f(p):
        found = list(p)
        for one, two, which, i, k in steps:
            a, b = found[int(i * len(found))], found[int(k * len(found))]
            found.append(one(a) if which < 0.5 else two(a, b))
        return sum(found[3:], 0.0)
    return f


@pytest.mark.parametrize("seed", range(12))
def test_second_derivatives_are_the_eager_ones_to_the_last_bit(seed):
    f, rng = smooth(seed), random.Random(seed)
    v = [rng.uniform(-1.0, 1.0) for _ in range(3)]
    for g in (ag.hessian(f), ag.grad(lambda p: ag.grad(f)(p)[1]), lambda p: ag.hvp(f, (p,), (v,))):
        fast = compile(g)
        for _ in range(3):
            point = [rng.uniform(-1.2, 1.2) for _ in range(3)]
            assert fast(point) == g(point)


def caught(x):
    try:
        return ag.log(x)
    except ValueError:
        return x * x


@pytest.mark.parametrize("first", [(-1.0, -2.0), (2.0, -1.0), (-1.0, 2.0)])
@pytest.mark.parametrize("g", [caught, grad(caught), ag.hessian(caught)], ids=["f", "grad", "hessian"])
def test_an_error_that_f_catches_is_no_branch_for_other_numbers(g, first):
    fast = compile(g)
    for x in (*first, 3.0, -3.0, 0.5, -0.5, 0.0):
        assert outcome(fast, (x,)) == outcome(g, (x,))
    w = Value(-1.0)
    lossy = compile(lambda: caught(w))
    for x in first:
        w.data, w.grad = x, 0.0
        assert lossy.backward() == caught(x) and w.grad == grad(caught)(x)


@pytest.mark.parametrize("f", [ag.sum, lambda v: ag.dot(v, v), lambda v: ag.sum([x * x for x in v]), ag.mean],
                         ids=range(4))
def test_sums_of_thousands(f):
    v = [0.5 + 0.001 * k for k in range(3000)]
    for g in (f, grad(f)):
        fast = compile(g)
        assert fast(v) == fast(v) == g(v) and fast(v[::-1]) == g(v[::-1])


def test_what_is_found_not_to_be_what_was_compiled_is_recorded_anew():
    read = unseen([2.0, 3.0, 5.0])
    fast = compile(lambda x: x * read())
    assert fast(1.0) == 2.0
    with pytest.raises(ag.InputError, match="not what was compiled"):
        fast(4.0)
    assert fast(1.0) != 2.0


def test_the_eager_way_takes_plain_numbers_where_values_are_refused():
    fast = compile(lambda x: x * int(x), max_programs=2, on_limit="eager")
    assert [fast(1.5), fast(2.5), fast(3.5)] == [1.5, 5.0, 10.5]
    assert compile(grad(lambda x: x * len(str(x))))(3) == grad(lambda x: x * len(str(x)))(3)
    with pytest.raises(ag.InputError, match="batch"):
        compile(lambda x: x, reduce="sum")


# -- what the function reads and does otherwise ---------------------------------------------------------


def test_comparisons_with_exact_numbers_are_exact():
    for limit in (2 ** 53 + 1, Fraction(1, 3), Decimal("0.1"), True):
        f = lambda x: x * 2.0 if x < limit else x * 3.0         # noqa: E731, B023
        fast = compile(f)
        for x in (0.01, 0.02, 1.0, 2.0, 1.0 / 3.0, 0.1, 2.0 ** 54, 2.0 ** 55, 2.0 ** 53):
            assert fast(x) == f(x)


@pytest.mark.parametrize("f", [lambda x, n: x * ((n * 1103515245 + 12345) % 2 ** 31),
                               lambda x, n: x * (n * n * n % 7), lambda x, n: x * (n % 2)], ids=range(3))
def test_ints_are_exact_however_large(f):
    fast = compile(f)
    for n in (3, 4, 10 ** 9 + 7, 300007, 2 ** 53 + 1, 5):
        assert fast(1.0, n) == f(1.0, n)


def test_whether_a_captured_value_has_a_gradient_is_read_at_each_call():
    ps = [Value(2.0), Value(3.0)]
    fast = compile(lambda x: ag.sum([p * x for p in ps if p.requires_grad]))
    assert [fast(1.0), fast(2.0)] == [5.0, 10.0]
    ps[1].requires_grad = False
    assert [fast(3.0), fast(4.0)] == [6.0, 8.0]
    ps[1].requires_grad = True
    assert fast(3.0) == 15.0
    w = Value(2.0)
    fast = compile(lambda x: w * x)
    fast.backward(1.0)
    with ag.no_grad(), pytest.raises(ag.GradientError):
        fast.backward(2.0)


def test_work_of_another_thread_and_other_values_are_refused():
    def threaded(x):
        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(lambda k: ag.sin(x * k), [1, 2]))

    with pytest.raises(ag.InputError, match="another thread"):
        compile(threaded)(1.0)
    other = unseen([Value(2.0), Value(3.0)])
    fast = compile(lambda x: x * other())
    fast(1.0)
    with pytest.raises(ag.InputError, match="other Values"):
        fast(2.0)
    w, count = Value(2.0), unseen([1, 2])
    fast = compile(lambda: w * count())
    fast()
    w.data = 3.0
    with pytest.raises(ag.InputError, match="not what was compiled"):
        fast()


class Rate:
    __match_args__ = ("rate",)

    def __init__(self, name, rate):
        self.name, self.rate = name, rate

    def __eq__(self, other):
        return self.name == other.name

    def __hash__(self):
        return hash(self.name)


def test_what_a_match_reads_and_what_a_class_compares_are_no_traps():
    rate = Rate("a", 2.0)

    def f(x):
        match rate:
            case Rate(r):
                return x * r

    fast = compile(f)
    assert [fast(1.0), fast(2.0)] == [2.0, 4.0]
    rate.rate = 7.0
    assert fast(3.0) == 21.0
    fast = compile(lambda rate, x: x * rate.rate)
    given = [(Rate("a", 2.0), 1.0), (Rate("a", 2.0), 2.0), (Rate("a", 7.0), 3.0)]
    assert [fast(*args) for args in given] == [2.0, 4.0, 21.0]
    fast = compile(lambda d: d[1] * 1.0 if repr(list(d)[0]) == "1" else d[1] * 2.0)
    assert [fast({1: 3.0}), fast({True: 3.0}), fast({1.0: 3.0})] == [3.0, 6.0, 6.0]


def test_long_programs_with_sides_of_choices():
    def f(x):
        s = x
        for i in range(700):
            s = s * 0.5 + ag.select(ag.less(x, i * 0.001), lambda: ag.sin(x + i), lambda: ag.cos(x + i))
        return s

    for g in (f, grad(f)):
        fast = compile(g)
        assert [fast(x) for x in (0.3, 0.4, 0.6)] == [g(x) for x in (0.3, 0.4, 0.6)]


@pytest.mark.parametrize("n", [200, 300, 500, 740, 760, 1000])
def test_programs_about_as_long_as_a_function_may_be(n):
    """Their instructions, questions and sides of choices may be few enough for one, and their lines not."""
    def f(x, y):
        for i in range(n):
            y = y * x if y < 0.5 + i else y + x
        return y

    def g(x, y):
        for i in range(n):
            y = ag.select(ag.less(x, i / n), lambda: ag.sin(x + y), lambda: ag.cos(x * y))
        return y

    for h in (f, g, ag.value_and_grad(g, (0, 1))):
        fast = compile(h, target="python")
        assert [fast(x, 0.25) for x in (0.3, 0.4, 0.6)] == [h(x, 0.25) for x in (0.3, 0.4, 0.6)]


def test_formats_of_any_kind_are_guards():
    f = lambda x: x * len(f"{x:#5.3f}")         # noqa: E731
    fast = compile(f)
    assert [fast(1.5), fast(2.5), fast(1.5)] == [7.5, 12.5, 7.5]


@pytest.mark.parametrize("f", [
    lambda y: hessian(lambda a: (-a) * (1.0 * a) * y)(0.0), lambda y: grad(grad(lambda a: a * a * y))(0.0),
    lambda y: grad(lambda b: grad(lambda a: a * b * a * y)(1.0))(0.0),
    lambda y: grad(lambda a: ag.vjp(lambda b: b * b * y, 1.0)[1](a)[0])(0.0)], ids=range(4))
def test_derivatives_at_numbers_of_the_function_s_own(f):
    fast = compile(f)
    assert [fast(0.8), fast(0.5)] == [f(0.8), f(0.5)]


def test_a_missing_derivative_before_a_choice_is_missing_whichever_side_is_taken():
    f = lambda x: (-1.0) ** ag.where(ag.greater(x, 0.0), 100.0, x)          # noqa: E731
    for x in (2.0, 3.0, 2.0):
        assert outcome(compile(grad(f)), (x,)) == outcome(grad(f), (x,))


@pytest.mark.parametrize("f", [lambda x: ag.sqrt(0.0 * x), lambda x: ag.log(0.0 * x + 1e-320) + x,
                               lambda x: 0.0 * x ** 0.5, lambda x: 0.0 * ag.exp(ag.cbrt(x)),
                               lambda x: 0.0 * ag.where(ag.less(x, 1.0), ag.cbrt(x), x)])
def test_a_slope_of_zero_hides_no_infinite_one(f):
    for g in (grad(f), grad(grad(f)), grad(grad(grad(f)))):
        fast = compile(g)
        for x in (0.5, 0.0):
            for mode in ("raise", "ignore"):
                assert held(fast, g, (x,), mode=mode) == "", (x, mode)


def fails_and_is_not_used(x):
    ag.log(-1.0)
    return x


def fails_and_is_caught(x):
    try:
        return x * ag.log(-1.0)
    except ValueError:
        return x


@pytest.mark.parametrize("f", [fails_and_is_not_used, fails_and_is_caught,
                               lambda x: x if ag.log(-1.0) > 0.0 else -x,
                               lambda x: ag.where(ag.greater(x, 0.0), x, ag.log(-1.0))])
@pytest.mark.parametrize("first", ["raise", "ignore"])
def test_an_error_at_plain_numbers_is_what_the_mode_of_the_call_makes_of_it(f, first):
    fast = compile(f)
    for mode in (first, "raise", "ignore", "raise"):
        assert held(fast, f, (2.0,), mode=mode) == ""
