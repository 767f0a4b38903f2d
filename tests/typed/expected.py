"""What the library's types are: checked by mypy and pyright, and held against what is there when it runs."""
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, Concatenate, ParamSpec, assert_type

import autograd_lite as ag
from autograd_lite import Value, nn, optim

v, w, x = Value(0.5, "v"), Value(0.25), 0.75
half = Value(0.5, requires_grad=False)
numbers: list[Value | float] = [v, 0.25]
values, floats = [v, w], [0.5, 0.25]
unsaid: list[Any] = [1.0, 2.0]
flag = bool(v)
P = ParamSpec("P")

# -- functions of one number
assert_type(ag.sin(v), Value)
assert_type(ag.sin(x), float)
assert_type(ag.sin(1), float)
assert_type(ag.sin(True), float)
assert_type(ag.sin(Fraction(1, 2)), float)
assert_type(ag.sigmoid(v), Value)
assert_type(ag.abs(v), Value)
assert_type(ag.abs(-1.0), float)
assert_type(ag.relu(v, at_zero=1.0), Value)
assert_type(ag.leaky_relu(x, 0.1), float)
assert_type(ag.leaky_relu(v, slope=w), Value)
assert_type(ag.elu(v, alpha=0.5), Value)
assert_type(ag.normal_pdf(v), Value)
assert_type(ag.polygamma(1, v), Value)
assert_type(ag.polygamma(1, 0.5), float)
assert_type(ag.sqrt(numbers[1]), Value | float)
assert_type(ag.floor(v), Value)
assert_type(ag.ceil(x), float)
assert_type(ag.sign(v), Value)
assert_type(ag.gamma(x), float)
assert_type(ag.isfinite(v), bool)
assert_type(ag.isnan(1), bool)
assert_type(ag.isinf(numbers[1]), bool)

# -- of two, and of lists
assert_type(ag.maximum(v, 1.0), Value)
assert_type(ag.maximum(1, v), Value)
assert_type(ag.hypot(3.0, 4), float)
assert_type(ag.atan2(v, w), Value)
assert_type(ag.logaddexp(v, 0.0), Value)
assert_type(ag.logaddexp(0.5, 1), float)
assert_type(ag.copysign(2.0, w), Value)
assert_type(ag.copysign(2, -0.0), float)
assert_type(ag.maximum(numbers[1], 0.0), Value | float)
assert_type(ag.maximum(numbers[1], v), Value)
assert_type(ag.leaky_relu(numbers[1]), Value | float)
assert_type(ag.logaddexp(0.0, numbers[1]), Value | float)
assert_type(ag.copysign(numbers[1], numbers[0]), Value | float)
assert_type(ag.where(ag.greater(numbers[1], 0.0), 1.0, numbers[1]), Value | float)
assert_type(ag.sum(values), Value)
assert_type(ag.sum(floats), float)
assert_type(ag.sum(numbers), Value)
assert_type(ag.sum(u * u for u in values), Value)
assert_type(ag.sum([1, 2, 3]), float)
assert_type(ag.sum(floats, exact=True), float)
assert_type(ag.mean(values), Value)
assert_type(ag.dot(values, floats), Value)
assert_type(ag.dot(floats, floats), float)
assert_type(ag.dot(floats, floats, bias=w), Value)
assert_type(ag.logsumexp(floats), float)
assert_type(ag.softmax(values), list[Value])
assert_type(ag.softmax(floats), list[float])
assert_type(ag.log_softmax(numbers), list[Value])

# -- branches
assert_type(ag.greater(v, 0.0), Value)
assert_type(ag.less(x, 0.0), float)
assert_type(ag.where(ag.greater(v, 0.0), v, 0.0), Value)
assert_type(ag.where(True, v, w), Value)
assert_type(ag.where(True, 1.0, 2.0), float)
assert_type(ag.select(ag.greater(v, 0.0), lambda: v, lambda: 0.0), Value)
assert_type(ag.select(True, lambda: x, lambda: 0.0), float)
assert_type(ag.take(values, 1), Value)
assert_type(ag.take([floats, floats], -1), list[float])

# -- operators, and what a Value has
assert_type(2 * v, Value)
assert_type(v * 2.0, Value)
assert_type(v / w, Value)
assert_type(1 - v, Value)
assert_type(v ** 2, Value)
assert_type(2 ** v, Value)
assert_type(v % 1, Value)
assert_type(1.0 // v, Value)
assert_type(divmod(v, 2.0), tuple[Value, Value])
assert_type(-v, Value)
assert_type(+v, Value)
assert_type(abs(v), Value)
assert_type(v + Fraction(1, 2), Value)
assert_type(v < w, bool)
assert_type(v >= 1, bool)
assert_type(1 < v, bool)
assert_type(v == 1.0, bool)
assert_type(v != w, bool)
assert_type(max(v, w), Value)
assert_type(sorted(values), list[Value])
assert_type(sum(values, start=v), Value)
assert_type(v.exp().relu(), Value)
assert_type(v.maximum(1.0), Value)
assert_type(v.data, float)
assert_type(v.grad, float)
assert_type(v.label, str)
assert_type(v.requires_grad, bool)
assert_type(v.detach(), Value)
assert_type(v.backward(), None)
assert_type((v * w).op, str)
assert_type((v * w).partials, tuple[float, ...])
assert_type(f"{v:.3f}", str)
v.data, v.grad = 1, 0

# -- networks, losses, optimisers
assert_type(nn.Neuron(2)(floats), Value)
assert_type(nn.Layer(2, 1)(values), Value | list[Value])
assert_type(nn.MLP(2, [3, 1])(floats), Value | list[Value])
assert_type(nn.MLP(2, [3, 1]).outputs(floats), list[Value])
assert_type(nn.MLP(2, [3, 1]).parameters(), list[Value])
assert_type(nn.MLP(2, [3, 1]).state_dict(), dict[str, float])
assert_type(nn.squared_error(v, 1.0), Value)
assert_type(nn.squared_error([0.5], [1]), float)
assert_type(nn.squared_error(nn.MLP(2, [3, 1])(floats), 1.0), Value)
assert_type(nn.hinge(values, [-1, 1]), Value)
assert_type(nn.binary_cross_entropy(0.5, 1), float)
assert_type(nn.softmax_cross_entropy(values, 1), Value)
assert_type(nn.softmax_cross_entropy(floats, 1), float)
assert_type(nn.clip_grad_norm(values, 1.0) + nn.clip_grad_norm(nn.MLP(2, [1]), 1.0), float)
assert_type(optim.SGD(values).step(), None)
assert_type(optim.cosine(0.1, 10)(3), float)
assert_type(optim.Adam(values, lr=lambda k: 0.1 / (k + 1)).rate(), float)


# -- transforms
def one(x: Value) -> Value:
    """Of a Value."""
    return x * ag.sin(x)


def real(x: float, n: int = 2) -> float:
    """Of a float."""
    return x ** n


def either(x: Value | float, n: int, *, scale: float = 1.0) -> Value | float:
    """Of both."""
    return ag.sin(x) * n * scale


def two(x: Value, y: Value) -> Value:
    """Of two Values."""
    return x * y


def three(x: Value, y: Value, z: Value) -> Value:
    """Of three."""
    return x * y + z


def line(w: Value, b: Value, xs: list[float], *, power: int = 1) -> Value:
    """Of two Values, and of data."""
    return ag.sum((w * x + b) ** power for x in xs)


def volume(x: Value, y: Value, z: Value, k: int) -> Value:
    """Of three, and of an int."""
    return x * y * z * k


def scale(x: Value, by: Value | float = 2.0) -> Value:
    """Of a Value, and of what may be plain."""
    return x * by


def total(*xs: Value) -> Value:
    """Of any number of Values."""
    return ag.sum(x * x for x in xs)


def optional(x: Value, y: Value = half, z: Value = half) -> Value:
    """Of one Value, two or three."""
    return x * y * z


def call(spot: Value, strike: Value, vol: Value, rate: Value, time: Value) -> Value:
    """Of five Values."""
    return spot * strike * vol * rate * time


def many(p: Sequence[Value], k: int) -> Value:
    """Of a list."""
    return p[0] * p[1] * k


def plain(p: list[float]) -> float:
    """Of a list of floats."""
    return p[0] * p[1]


def named(p: dict[str, Value]) -> Value:
    """Of a dict."""
    return p["a"] * p["b"]


def vector(p: list[Value]) -> list[Value]:
    """A list of a list."""
    return [p[0] * p[1], p[0] + p[1], p[1]]


def ahead(state: tuple[Value, Value], dt: float) -> tuple[Value, Value]:
    """A step of a pendulum."""
    q, p = state[0] + dt * state[1], state[1] - dt * ag.sin(state[0])
    return q, p


def turned(s: tuple[Value, Value, Value]) -> tuple[Value, Value, Value]:
    """A step in space."""
    return s[1], s[2], 0.5 * s[0]


def scaled(p: dict[str, Value], k: float) -> dict[str, Value]:
    """A dict of a dict."""
    return {name: x * k for name, x in p.items()}


def powers(x: Value) -> list[Value]:
    """A list of a Value."""
    return [x, x * x]


def both(p: list[Value | float]) -> list[Value | float]:
    """Of numbers of either kind."""
    return [p[0] * p[1], 1.0]


def plane(p: list[float], k: int = 1) -> list[float]:
    """A list of a list, of floats."""
    return [p[0] * p[1] * k]


def anything(p: Any, k: int = 1) -> float:
    """Of what is not said."""
    return float(k) * p[0] * p[0]               # type: ignore[no-any-return]


def loss(xs: list[float], y: float) -> Value:
    """Of plain data, with a Value of the module's."""
    return (ag.sum(xs) * v - y) ** 2


def matrix(rows: list[list[Value]], k: int) -> Value:
    """Of a list of lists."""
    return rows[0][0] * k


def pair(x: Value) -> tuple[Value, str]:
    """With something else."""
    return x * x, "aux"


assert_type(ag.grad(one)(2.0), float)
assert_type(ag.grad(one)(v), Value)
assert_type(ag.grad(ag.grad(one))(2), float)
assert_type(ag.grad(ag.tanh)(0.5), float)
assert_type(ag.grad(real)(2.0, 3), float)
assert_type(ag.grad(ag.grad(real))(2.0, n=3), float)
assert_type(ag.grad(either)(2.0, 3, scale=0.5), float)
assert_type(ag.grad(two)(2.0, 3.0), float)
assert_type(ag.grad(two, 1)(v, 2.0), Value)
assert_type(ag.grad(two, argnums=(0, 1))(2.0, 3.0), tuple[float, float])
assert_type(ag.grad(three, "z")(2.0, 3.0, 4.0), float)
assert_type(ag.grad(line)(2.0, 3.0, [4.0], power=2), float)
assert_type(ag.grad(line, 1)(2.0, v, [4.0]), Value)
assert_type(ag.grad(line, argnums=(0, 1))(2.0, 3.0, [4.0]), tuple[float, float])
assert_type(ag.grad(line, "xs")(v, w, [4.0]), Any)
assert_type(ag.value_and_grad(line)(2.0, 3.0, [4.0]), tuple[float, float])
assert_type(ag.grad(ag.grad(volume))(2.0, 3.0, 4.0, 5), float)
assert_type(ag.hessian(volume, 2)(2.0, 3.0, 4.0, k=5), float)
assert_type(ag.derivative(line)(2.0, 3.0, [4.0]), float)
assert_type(ag.grad(scale)(2.0), float)
assert_type(ag.grad(scale)(2.0, by=3.0), float)
assert_type(ag.grad(scale, 1)(2.0, 3.0), float)
assert_type(ag.grad(total)(2.0), float)
assert_type(ag.grad(optional)(2.0), float)
assert_type(ag.compile(ag.grad(optional))(2.0, 3.0), float)
assert_type(ag.jacobian(total)(2.0, 3.0, 4.0, 5.0), float)
assert_type(ag.grad(total, 1)(2.0, v), Value)
assert_type(ag.grad(call)(2.0, 3.0, 4.0, 5.0, time=6.0), Any)
assert_type(ag.value_and_grad(call)(2.0, 3.0, 4.0, 5.0, 6.0)[1], Any)
assert_type(ag.grad(call, argnums=(0, 1))(2.0, 3.0, 4.0, 5.0, 6.0), Any)
assert_type(ag.jacobian(call, 2)(2.0, 3.0, 4.0, 5.0, 6.0), Any)
assert_type(ag.grad(volume, argnums=(0, 2))(2.0, 3.0, 4.0, 5), tuple[float, float])
assert_type(ag.grad(volume, argnums=(0, 1, 2))(2.0, 3.0, 4.0, 5), Any)
assert_type(ag.value_and_grad(three, (1, 2))(2.0, 3.0, 4.0), tuple[float, tuple[float, float]])
assert_type(ag.hessian(three, (0, 1))(2.0, 3.0, 4.0), tuple[tuple[float, float], tuple[float, float]])
assert_type(ag.hessian(call, "vol")(2.0, 3.0, 4.0, 5.0, 6.0), Any)
assert_type(ag.compile(call)(2.0, 3.0, 4.0, 5.0, 6.0), Any)
assert_type(ag.grad(many)([2.0, 3.0], 4), list[float])
assert_type(ag.grad(many)(values, 4), list[Value])
assert_type(ag.grad(matrix)([[2.0], [3.0]], 4), Any)
assert_type(ag.grad(plain)([2.0, 3.0]), list[float])
assert_type(ag.grad(named)({"a": 2.0, "b": 3.0}), dict[str, float])
assert_type(ag.grad(pair, has_aux=True)(2.0)[1], str)
assert_type(ag.value_and_grad(one)(2.0), tuple[float, float])
assert_type(ag.value_and_grad(two)(2.0, 3.0), tuple[float, float])
assert_type(ag.value_and_grad(many)([2.0, 3.0], 4), tuple[float, list[float]])
assert_type(ag.value_and_grad(named)({"a": 2.0, "b": 3.0}), tuple[float, dict[str, float]])
assert_type(ag.value_and_grad(real)(2.0), tuple[float, float])
ag.grad(partial(line, xs=[4.0]))(2.0, 3.0)                     # (pyright mixes up what follows, by protocols)
ag.grad(partial(total, v))(2.0)
ag.grad(partial(many, k=4))([2.0, 3.0])
ag.compile(partial(many, k=4))([2.0, 3.0])
assert_type(ag.jacobian(vector)([2.0, 3.0]), list[list[float]])
assert_type(ag.jacobian(ag.grad(many))([2.0, 3.0], 4), list[list[float]])
assert_type(ag.jacobian(one)(2.0), float)
assert_type(ag.hessian(many)([2.0, 3.0], 4), list[list[float]])
assert_type(ag.hessian(plain)([2.0, 3.0]), list[list[float]])
assert_type(ag.hessian(one)(2.0), float)
assert_type(ag.hessian(real)(2.0, n=3), float)
assert_type(ag.jacobian(real)(2.0, 3), float)
assert_type(ag.jacobian(plain)([2.0, 3.0]), list[float])
assert_type(ag.jacobian(plane)([2.0, 3.0], k=2), list[list[float]])
slope = ag.grad(plain)
assert_type(ag.jacobian(slope)([2.0, 3.0]), list[list[float]])
assert_type(ag.hessian(many, sparse=False)([2.0, 3.0], 4), list[list[float]])
assert_type(ag.hessian(two)(2.0, 3.0), float)
assert_type(ag.hessian(two, (0, 1))(2.0, 3.0), tuple[tuple[float, float], tuple[float, float]])
assert_type(ag.hessian(three, "z")(2.0, 3.0, 4.0), float)
assert_type(ag.jacobian(two, "y")(2.0, 3.0), float)
assert_type(ag.jacobian(two, (0, 1))(2.0, 3.0), tuple[float, float])
assert_type(ag.jacobian(three)(2.0, 3.0, 4.0), float)
assert_type(ag.derivative(two, 1)(2.0, 3.0), float)
assert_type(ag.derivative(three, 2)(2.0, 3.0, 4.0), float)
assert_type(ag.grad(anything)([2.0], 3), Any)
assert_type(ag.sum(v * u for u in unsaid), Any)
assert_type(ag.dot(unsaid, unsaid), Any)
assert_type(ag.softmax(unsaid), list[Any])
assert_type(nn.squared_error(unsaid, floats), Any)
assert_type(ag.hessian(anything)([2.0], 3), Any)
assert_type(ag.jvp(two, (2.0, 3.0), (1.0, 0.0)), tuple[float, float])
assert_type(ag.vjp(two, 2.0, 3.0)[0], float)
assert_type(ag.vjp(two, 2.0, 3.0)[1](1.0), tuple[float, ...])
assert_type(ag.hvp(plain, ([2.0, 3.0],), ([1.0, 0.0],)), list[float])
assert_type(ag.derivative(one, order=3)(0.5), float)
assert_type(ag.derivative(real, 2)(0.5), float)
assert_type(ag.taylor(one, 0.5, 3), list[float])
assert_type(ag.taylor(real, 0.5, 3), list[float])
assert_type(ag.evaluate(v * w, {v: 2.0}), float)
assert_type(ag.evaluate(v * w, {v: Fraction(1, 3)}, Fraction), Fraction)
assert_type(ag.evaluate(v * w, wrt=[v, w]), list[float])
assert_type(ag.evaluate(v * w, number=Fraction), Fraction)
assert_type(ag.evaluate([v * w, w], {v: 2.0}), list[float])
assert_type(ag.stop_gradient(v), Value)
assert_type(ag.stop_gradient(values), list[Value])

# -- programs
assert_type(ag.compile(ag.tanh)(0.5), float)
assert_type(ag.derivative(ag.exp, 2)(0.5), float)
assert_type(ag.hessian(ag.exp)(0.5), float)
assert_type(ag.compile(one)(2.0), float)
assert_type(ag.compile(one)(v), Value)
assert_type(ag.compile(two)(2.0, 3.0), float)
assert_type(ag.compile(line)(2.0, 3.0, [4.0], power=2), float)
assert_type(ag.compile(volume)(2.0, v, 4.0, 5), Value)
assert_type(ag.compile(scale)(2.0, by=3.0), float)
assert_type(ag.compile(total)(2.0, 3.0, 4.0, 5.0), float)
assert_type(ag.compile(total).__name__, str)
assert_type(ag.compile(many)([2.0, 3.0], 4), float)
assert_type(ag.compile(real)(2.0, n=3), float)
assert_type(ag.compile(loss)([1.0, 2.0], 3.0), float)
assert_type(ag.compile(loss).backward([1.0, 2.0], 3.0), float)
assert_type(ag.compile(ag.grad(many))([2.0, 3.0], 4), list[float])
assert_type(ag.compile(ag.value_and_grad(one))(2.0), tuple[float, float])
assert_type(ag.grad(ag.compile(one))(2.0), float)
assert_type(ag.compile(real).iterate(0.5, 3), float)
assert_type(ag.compile(real).iterate(0.5, 3, history=1), tuple[float, list[float]])
assert_type(ag.compile(ahead)((1.0, 0.0), 0.1), tuple[float, float])
assert_type(ag.compile(ahead)((v, w), dt=0.1), tuple[Value, Value])
assert_type(ag.compile(ahead).iterate((1.0, 0.0), 2, over=[0.1, 0.2]), tuple[float, float])
assert_type(ag.compile(turned)((1.0, 2.0, 3.0)), tuple[float, float, float])
assert_type(ag.compile(turned).iterate((1.0, 2.0, 3.0), 4, 2)[1], list[tuple[float, float, float]])
assert_type(ag.compile(vector)([2.0, 3.0]), list[float])
assert_type(ag.compile(scaled)({"a": 2.0}, k=3.0), dict[str, float])
assert_type(ag.compile(powers)(2.0), list[float])
assert_type(ag.compile(matrix)([[2.0], [3.0]], 4), Any)
assert_type(ag.compile(pair)(2.0), Any)
assert_type(ag.compile(anything)([2.0], k=3), Any)
assert_type(ag.compile(both)([2.0, v]), list[Value | float])
compiled: ag.Compiled = (fast := ag.compile(real))
assert_type(fast(2.0), float)
assert_type(fast.stats, ag.Stats)


# -- ops of one's own, and modes
def cubed(x: float) -> float:
    """A function of floats."""
    return x * x * x


cube = ag.custom_op(cubed, (lambda y, x: 3.0 * x * x,), name="typed cube")
assert_type(cube(2.0), float)
assert_type(cube(v), Value)
square = ag.custom_op(lambda x: x * x, (lambda y, x: 2.0 * x,), name="typed square")
assert_type(square(v), Value)
product = ag.custom_op(lambda a, b: a * b, (lambda y, a, b: b, lambda y, a, b: a), name="typed product")
assert_type(product(v, 2.0), Value)
assert_type(product(3.0, 2.0), float)
fused = ag.custom_op(lambda a, b, c: a * b + c, (
    lambda y, a, b, c: b, lambda y, a, b, c: a, lambda y, a, b, c: 1.0), name="typed fused")
assert_type(fused(v, 2.0, 3.0), Value)


def largest(*xs: float) -> float:
    """Of any number of floats."""
    return max(xs)


def share(y: float, xs: Sequence[float]) -> list[float]:
    """Its partials."""
    return [1.0 if x == y else 0.0 for x in xs]


most = ag.custom_op(largest, share, name="typed most")
assert_type(most(v, 2.0, 3.0), Value)
assert_type(most(1.0, 2.0, 3.0), float)


@ag.no_grad()
def quietly(x: Value, n: int = 1) -> Value:
    """In a mode."""
    return x * n


@ag.errstate("ignore")
def loudly(x: float) -> float:
    """In another."""
    return ag.log(x)


kept: Callable[[Value, int], Value] = quietly
assert_type(quietly(v, n=2), Value)
assert_type(loudly(0.0), float)
with ag.no_grad(), ag.errstate("warn"), ag.record_lines():
    pass

# -- checks, derivations, pictures
y = v * w
ag.label(v=v, w=w, y=y)
report = ag.audit(y, {("y", "v"): w.data, ("y", "w"): 7.0})
assert_type(report, ag.AuditReport)
assert_type(report.ok, bool)
assert_type(report.summary(), str)
assert_type(report.causes[0], ag.Row)
assert_type(ag.check_gradients(one, 0.5), ag.GradientReport)
assert_type(ag.check_op(ag.sin, 0.5).ok, bool)
assert_type(ag.explain(y, v), ag.Explanation)
assert_type(ag.derive(y, "v"), ag.Derivation)
assert_type(ag.derive(y, [v, w]).latex, str)
assert_type(ag.derive(report.causes[0]), ag.Comparison)


def slope_of(f: Callable[Concatenate[Value, P], Value]) -> Callable[Concatenate[float, P], float]:
    """Of a function whose other parameters are not known."""
    return ag.compile(ag.grad(f))


def curvature(f: Callable[Concatenate[list[Value], P], Value]) -> Callable[
        Concatenate[list[float], P], list[list[float]]]:
    """Of another."""
    return ag.hessian(f)


def pictures() -> None:
    """What needs Graphviz, checked and not run."""
    drawing = ag.draw(y, digits=3, style="full")
    assert_type(drawing, ag.Drawing)
    ag.render(y, "y.svg")
    ag.animate(y, "y.html")
    assert_type(ag.draw_network(nn.MLP(2, [1])), ag.Drawing)
