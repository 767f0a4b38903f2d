"""What calls give and print: signatures, numbers, texts and pictures, held to the letter."""
from __future__ import annotations

import functools
import inspect
import math  # noqa: F401
import random

import numpy as np  # noqa: F401
import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import Value, nn, optim, testing
from autograd_lite.ops.op import TABLE  # noqa: F401

CALLS = """
x
y * 2.0
-z
+z is z
abs(-z)
z.operands
z.partials
z.data, z.grad, z.label, z.op, z.requires_grad, z.scope, z.line
z.detach()
inspect.signature(Value.backward), inspect.signature(Value.detach)
Value(3)
Value(True)
Value(2.5, "w", requires_grad=False)
Value(math.nan), Value(math.inf), Value(-0.0)
repr(Value(1.0, "a" * 300))
[op(x, y) for op in (ag.less, ag.less_equal, ag.greater, ag.greater_equal, ag.equal, ag.not_equal)]
[op(2.0, 2.0) for op in (ag.less, ag.less_equal, ag.greater, ag.greater_equal, ag.equal, ag.not_equal)]
x < y, x <= y, x > y, x >= y, x == y, x != y, x == 2.0, bool(x), hash(x) == hash(2.0)
x // 3.0, x % 3.0, 7.0 // x, 7.0 % x, divmod(7.0, x), int(x.data)
ag.sum([1, 2.5]), ag.sum([]), ag.sum([1e16, 1.0, -1e16]), ag.sum([1e16, 1.0, -1e16], exact=True), ag.mean([1.0, 4.0])
ag.dot([1.0, 2.0], [3.0, 4.0]), ag.dot([1.0], [2.0], 3.0), ag.dot([1e16, 1.0], [1.0, 1.0], -1e16, exact=True)
ag.softmax([1.0, 2.0, 3.0]), ag.log_softmax([1.0, 2.0]), ag.logsumexp([1000.0, 1000.0])
ag.take([x, y], 1) is y, ag.take([1.0, 2.0], -1), ag.take([[x, 1.0], [y, 2.0]], 0)[0] is x
ag.where(True, 1.0, 2.0), ag.where(ag.less(2.0, 1.0), 1.0, 2.0), ag.select(False, lambda: 1.0, lambda: 2.0)
ag.stop_gradient(x), ag.stop_gradient(2.0)
ag.grad(f)(2.0, 3.0), ag.grad(f, 1)(2.0, 3.0), ag.grad(f, (1, 0))(2.0, 3.0), ag.grad(f, "b")(2.0, b=3.0), ag.grad(f, -1)(2.0, 3.0)
ag.grad(lambda p: p["a"] * p["b"][0] ** 2)({"a": 2.0, "b": [3.0, 4.0]})
ag.grad(lambda a: (a * a, "more"), has_aux=True)(3.0)
ag.value_and_grad(f, (0, 1))(2.0, 3.0), ag.value_and_grad(lambda a: (a * a, [a]), has_aux=True)(3.0)
ag.grad(lambda a, b: a, (0, 1))(2.0, 3.0)
ag.jacobian(lambda a: [a[0] * a[1], a[1]])([2.0, 3.0]), ag.jacobian(f, (0, 1))(2.0, 3.0)
ag.hessian(lambda a: a[0] ** 2 * a[1])([2.0, 3.0]), ag.hessian(f, (0, 1))(2.0, 3.0)
ag.hvp(lambda a: a[0] ** 2 * a[1], ([2.0, 3.0],), ([1.0, -1.0],))
ag.jvp(f, (2.0, 3.0), (1.0, -1.0)), ag.vjp(f, 2.0, 3.0)[0], ag.vjp(f, 2.0, 3.0)[1](2.0)
ag.derivative(ag.sin)(0.5), ag.derivative(ag.exp, 3)(0.5), ag.derivative(lambda a: a ** 5, 4)(2.0), ag.derivative(ag.sin, 0)(0.5)
ag.taylor(ag.sin, 0.5, 3), ag.taylor(lambda a: 1.0 / (1.0 - a), 0.0, 4), ag.taylor(ag.log1p, 0.0, 3), ag.taylor(ag.sqrt, 4.0, 2)
ag.taylor(ag.tan, 0.0, 5), ag.taylor(ag.atan, 0.0, 5), ag.taylor(ag.erf, 0.0, 3), ag.taylor(ag.lgamma, 2.0, 2)
ag.colours([[1, 1, 0], [0, 1, 1], [1, 0, 1]]), ag.colours([[0], [1], [2]]), ag.colours([[1, 0], [0, 1]], symmetric=True)
print(ag.jacobian(lambda a: [u * w for u, w in zip(a, a[1:])], sparse=True)([1.0, 2.0, 3.0]))
print(ag.hessian(lambda a: ag.sum([u * w for u, w in zip(a, a[1:])]), sparse=True)([1.0, 2.0, 3.0]))
ag.evaluate(z), ag.evaluate(z, {"x": 5.0}), ag.evaluate([z, x], {x: 5.0}), ag.evaluate(z, {"x": 5.0}, wrt=["x", "y"]), ag.evaluate(z, wrt="x")
ag.evaluate(z, {"x": 5.0}, wrt="x", order=2), ag.evaluate(ag.sin(x) * y, wrt="x", order=3)
ag.evaluate(z / 3.0, {"x": Fraction(1, 7)}, Fraction), ag.evaluate(x ** 3, number=Fraction, wrt="x"), ag.evaluate(x / y, {"y": 7}, Fraction)
ag.evaluate(abs(x - y) + ag.maximum(x, y) - ag.relu(x - y), number=Fraction, wrt=["x", "y"]), ag.evaluate(x // y + x % y, number=Fraction)
ag.evaluate(ag.sin(x), number=mpmath.mpf), ag.evaluate(ag.sin(x), number=mpmath.mpf, wrt="x"), ag.evaluate(ag.gelu(x), number=mpmath.mpf, wrt="x", order=2)
ag.evaluate(x * y - y, {"x": mpmath.iv.mpf([1, 2])}, mpmath.iv.mpf), ag.evaluate(ag.sin(x), {"x": mpmath.iv.mpf([1, 2])}, mpmath.iv.mpf)
[ag.evaluate(op(x), {"x": mpmath.iv.mpf([0.5, 0.75])}, mpmath.iv.mpf) for op in (ag.sqrt, ag.exp, ag.tanh, ag.atan, ag.relu, abs, ag.erf, ag.lgamma, ag.cbrt)]
[ag.evaluate(op(x), {"x": mpmath.iv.mpf([0.5, 0.75])}, mpmath.iv.mpf, wrt="x") for op in (ag.sqrt, ag.exp, ag.tanh, ag.atan, ag.log, ag.softplus, ag.gelu)]
[ag.evaluate(x ** n, {"x": mpmath.iv.mpf([-1, 2])}, mpmath.iv.mpf) for n in (0, 1, 2, 3)], ag.evaluate(abs(x) * x, {"x": mpmath.iv.mpf([-1, 2])}, mpmath.iv.mpf)
moves(optim.SGD, 0.1)
moves(optim.SGD, 0.1, momentum=0.9)
moves(optim.SGD, 0.1, momentum=0.9, nesterov=True)
moves(optim.SGD, 0.1, momentum=0.5, weight_decay=0.1)
moves(optim.SGD, optim.linear(0.1, 3))
moves(optim.Adam, 0.1)
moves(optim.Adam)
moves(optim.Adam, 0.1, betas=(0.5, 0.9), eps=0.01, weight_decay=0.1)
moves(optim.AdamW, 0.1)
moves(optim.AdamW, optim.warmup(0.1, 3), weight_decay=0.5)
[optim.constant(0.1)(k) for k in range(3)], optim.constant(0.1)
[optim.step_decay(0.8, 2)(k) for k in range(7)], optim.step_decay(0.8, 2, 0.1)
[optim.step_decay(0.8, 3, 0.1)(k) for k in range(7)], [optim.exponential(1.0, 0.5)(k) for k in range(5)], optim.exponential(0.1, 0.9)
[optim.linear(1.0, 4)(k) for k in range(7)], [optim.linear(1.0, 4, 0.5)(k) for k in range(6)], optim.linear(1.0, 4)
[optim.cosine(1.0, 4)(k) for k in range(7)], [optim.cosine(1.0, 4, 0.5)(k) for k in range(6)], optim.cosine(1.0, 4)
[optim.warmup(0.5, 4)(k) for k in range(7)], [optim.warmup(optim.cosine(1.0, 6), 2)(k) for k in range(8)], optim.warmup(0.5, 4)
optim.SGD([x, y], 0.1, momentum=0.9), optim.Adam([x], 0.1), optim.AdamW([x])
optim.SGD([x], 0.1, momentum=0.9).state_dict(), optim.Adam([x]).state_dict()
seeded(lambda: (nn.Neuron(3), nn.Neuron(2, False), nn.Neuron(2, activation="tanh", bias=None), nn.Layer(2, 3), nn.MLP(2, [3, 1])))
seeded(lambda: nn.Neuron(3, activation="tanh").state_dict()), seeded(lambda: nn.Neuron(2, bias=None).state_dict())
seeded(lambda: nn.Layer(2, 2, bias="layer").state_dict()), seeded(lambda: nn.Layer(2, 2, bias=None).state_dict())
seeded(lambda: nn.MLP(2, [2, 1], activation="sigmoid").state_dict())
seeded(lambda: [nn.MLP(2, [2, n], activation=a)([0.5, -1.0]) for n in (1, 2) for a in ("relu", "tanh", "linear", ag.sin)])
seeded(lambda: nn.MLP(2, [2, 1], bias="layer").parameters())
nn.squared_error([1.0, 2.0], [0.5, 0.0]), nn.squared_error(x, 1.0), nn.hinge([x, 0.5], [1, -1]), nn.hinge(0.5, 1)
nn.binary_cross_entropy([x, -1.0], [1.0, 0.25]), nn.binary_cross_entropy(800.0, 0.0), nn.softmax_cross_entropy([1.0, 2.0, 3.0], 1)
testing.Expression(2, ((TABLE["*"], (0, 1)), (TABLE["sin"], (2,))), (1.0, 2.0))
[testing.Expression(n, ((TABLE["sum"], tuple(range(n))),), (1.0,) * n) for n in (1, 6, 7)]
ag.compile(f, target=np)(np.array([1, 2]), np.array([3, 4])), ag.compile(f, target=np)(np.array([1.5, 2.5]), 2.0), ag.compile(f, target=np)(3, 2)
[x.dtype for x in (ag.compile(f, target=np)(np.array([1, 2]), 2.0), ag.compile(f, target=np)(np.array([1, 2], np.float32), np.float32(2)))]
[ag.compile(f, batch=(0, 1), reduce=r)(np.array([1, 2]), np.array([0.5, 1.5])) for r in (None, "sum", "mean")]
[ag.compile(f, batch=(0, 1), rounding=r)(np.array([1.0, 2.0]), np.array([0.5])) for r in ("eager", "vector", "free")]
ag.compile(f, batch=0)(np.array([1.0, 2.0]), 3.0), ag.compile(f, batch="b")(2.0, np.array([[1.0], [2.0]])[:, 0]), ag.compile(f, batch=0)(np.zeros(0), 1.0)
[ag.compile(f, static=which)(2.0, 3.0) for which in (0, 1, -1, -2, "a", (0, "b"), (-1, "a"))]
print(ag.explain(z, "x").as_dict())
ag.audit(z, {"x": 3.0, "y": 4.0}).as_dict()
ag.check_gradients(ag.sin, 0.5).as_dict()
[(row.claim[1], row.verdict, row.relative_error, row.kinds()) for row in ag.audit(z, {"x": 3.0, "y": 4.0}).rows]
""".strip().splitlines()  # noqa: E501


def f(a, b):
    return a * b * b


def moves(kind, *arguments, **options):
    """The numbers of two parameters over some steps of an optimizer on a² b + b²."""
    a, b = Value(1.0), Value(-2.0)
    optimizer = kind([a, b], *arguments, **options)
    found = []
    for _ in range(4):
        optimizer.zero_grad()
        (a * a * b + b * b).backward()
        optimizer.step()
        found.append((a.data, b.data))
    return found, optimizer.state_dict()


def seeded(make):
    random.seed(3)
    return make()


def given(call: str) -> str:
    from decimal import Decimal
    from fractions import Fraction

    import mpmath

    x, y = Value(2.0, "x"), Value(3.0, "y")
    z = x * y
    z.label = "z"
    printed: list[str] = []
    names = dict(globals(), x=x, y=y, z=z, Decimal=Decimal, Fraction=Fraction, mpmath=mpmath,
                 print=lambda thing: printed.append(str(thing)))
    result = eval(call, names)
    return "\n".join(printed) or repr(result)


def signatures(module, names):
    lines = []
    for name in names:
        thing = getattr(module, name)
        if callable(thing) and not (isinstance(thing, type) and issubclass(thing, Exception)):
            lines.append(f"{name}{inspect.signature(thing)}" if not isinstance(thing, type) else
                         f"{name}{inspect.signature(thing.__init__)}")
            for member, inner in sorted(vars(thing).items()) if isinstance(thing, type) and (
                    thing is not Value) else ():                # (which gets methods when they are used)
                if inspect.isfunction(inner) and member[0] != "_":
                    lines.append(f"{name}.{member}{inspect.signature(inner)}")
    return "\n".join(lines)


# -- pictures ---------------------------------------------------------------------------------------


def small():
    x, y = Value(2.0, "x"), Value(-0.5, "y", requires_grad=False)
    z = x * y + ag.tanh(x) ** 2
    z.label = "z"
    return z


def after(root):
    root.backward()
    return root


def chain(n):
    y = Value(0.5, "x")
    for k in range(n):
        y = ag.sin(y) + 1.0
        if k % 3 == 0:
            y.label = f"y{k}"
    return y


def tree(n):
    level = [Value(0.1 * k, f"x{k}") for k in range(n)]
    while len(level) > 1:
        level = [a * b + a for a, b in zip(level[::2], level[1::2])]
    return level[0]


def odd():
    with ag.errstate("ignore"):
        x = Value(0.0, "<b>&\"x\"")
        y = ag.log(x)
        y.label = "y" * 80
        return y * 0.0 + ag.where(ag.less(x, 1.0), x, y) + ag.relu(x, 0.5) + ag.maximum(x, 1e300)


PICTURES = {
    "small": lambda: ag.draw(small()), "after backward": lambda: ag.draw(after(small())),
    "a leaf": lambda: ag.draw(Value(1234567.0, "n")),
    "digits, direction, caption": lambda: ag.draw(after(small()), digits=8, direction="TB",
                                                  caption="A <b> & c"),
    "two roots": lambda: ag.draw([small(), small()]),
    "odd numbers and names": lambda: ag.draw(odd()),
    "an operand twice": lambda: ag.draw((lambda x: x * x + ag.sum([x, x, 1.0]))(Value(3.0, "x"))),
    "a network": lambda: ag.draw(seeded(lambda: nn.MLP(2, [2, 1])([0.5, -1.0]))),
    "folded chain": lambda: ag.draw(chain(40), max_nodes=12),
    "folded tree": lambda: ag.draw(after(tree(64)), max_nodes=16),
    "folded layers": lambda: ag.draw(seeded(lambda: nn.MLP(4, [6, 6, 1])([0.5] * 4)), max_nodes=40),
    "folded neurons": lambda: ag.draw(seeded(lambda: nn.MLP(30, [2, 1])([0.5] * 30)), max_nodes=40),
    "folded network": lambda: ag.draw(seeded(lambda: nn.MLP(4, [6, 6, 1])([0.5] * 4)), max_nodes=20),
}

NAME = "results"
CASES = {**{call: functools.partial(given, call) for call in CALLS},
         "the signatures of the package": lambda: signatures(ag, sorted(ag.__all__)),
         "the signatures of nn": lambda: signatures(nn, nn.__all__),
         "the signatures of optim": lambda: signatures(optim, [
             "SGD", "Adam", "AdamW", "Optimizer", "constant", "step_decay", "exponential", "linear", "cosine",
             "warmup", "zero_grad"]),
         "the signatures of testing": lambda: signatures(testing, [
             "Expression", "expressions", "values", "points", "networks", "assert_derivation",
             "assert_gradients", "assert_same_gradient"]),
         **{f"picture: {name}": lambda draw=draw: draw().source for name, draw in PICTURES.items()}}


@pytest.mark.parametrize("case", CASES)
def test_the_result_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]
