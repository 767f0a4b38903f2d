"""What mypy and pyright must refuse: every line that ends in "refused", and no other."""
import math
from collections.abc import Sequence

import autograd_lite as ag
from autograd_lite import Value, nn, optim

v = Value(0.5)
values = [v, v]
either: Value | float = values[0] if v > 0.0 else 0.5


def one(x: Value) -> Value:
    """Of a Value."""
    return x * ag.sin(x)


def many(p: Sequence[Value], k: int) -> Value:
    """Of a list."""
    return p[0] * p[1] * k


def two(x: Value, y: Value) -> Value:
    """Of two Values."""
    return x * y


def line(w: Value, b: Value, xs: list[float], *, power: int = 1) -> Value:
    """Of two Values, and of data."""
    return ag.sum((w * x + b) ** power for x in xs)


def scale(x: Value, by: Value | float = 2.0) -> Value:
    """Of a Value, and of what may be plain."""
    return x * by


def total(*xs: Value) -> Value:
    """Of any number of Values."""
    return ag.sum(xs)


def ahead(state: tuple[Value, Value]) -> tuple[Value, Value]:
    """Of a pair of Values."""
    return state[1], state[0]


def vector(p: list[Value]) -> list[Value]:
    """A list of a list."""
    return p


def real(x: float, n: int = 2) -> float:
    """Of a float."""
    return x ** n


@ag.no_grad()
def quietly(x: Value) -> Value:
    """In a mode."""
    return x * x


class Named(Value):                                                     # refused
    """Of Value there is no subclass."""


# -- what is not a number
ag.sin("a")                                                             # refused
ag.sin(None)                                                            # refused
ag.sin([1.0, 2.0])                                                      # refused
ag.sin(1j)                                                              # refused
ag.sin()                                                                # refused
ag.sin(v, v)                                                            # refused
ag.relu(v, at_one=1.0)                                                  # refused
ag.maximum(v, "a")                                                      # refused
ag.maximum(v)                                                           # refused
ag.maximum(either, 0.0).backward()                                      # refused
ag.sum("abc")                                                           # refused
ag.logaddexp("a", v)                                                    # refused
ag.logaddexp(v)                                                         # refused
ag.floor("a")                                                           # refused
ag.ceil([1.0])                                                          # refused
ag.copysign(v, None)                                                    # refused
ag.sign("a")                                                            # refused
ag.gamma([1.0])                                                         # refused
ag.isfinite("a")                                                        # refused
ag.isnan(None)                                                          # refused
ag.isinf([1.0])                                                         # refused
ag.floor(1.0).backward()                                                # refused
ag.sum(v)                                                               # refused
ag.sum([v, "a"])                                                        # refused
ag.mean(["a"])                                                          # refused
ag.dot(values)                                                          # refused
ag.dot(values, [None, None])                                            # refused
ag.softmax(1.0)                                                         # refused
ag.where("yes", v, v)                                                   # refused
ag.where(True, v, "a")                                                  # refused
ag.select(v, v, v)                                                      # refused
ag.take(values, "a")                                                    # refused
Value("a")                                                              # refused
Value(v)                                                                # refused
Value(1.0, 2.0)                                                         # refused
v + "a"                                                                 # refused
"a" * v                                                                 # refused
v ** None                                                               # refused
v < "a"                                                                 # refused
v.data = "a"                                                            # refused
v.grad = None                                                           # refused
v.datum                                                                 # refused
v.maximum("a")                                                          # refused
math.sin(v)                                                             # refused
float(v)                                                                # refused
values[v]                                                               # refused
int(v)                                                                  # refused
complex(v)                                                              # refused
ag.sinn(1.0)                                                            # refused
wrong: str = ag.sin(1.0)                                                # refused
ag.sin(1.0).backward()                                                  # refused

# -- networks, losses, optimisers
nn.MLP(2, 3)                                                            # refused
nn.MLP(2, [3], activation=3)                                            # refused
nn.Neuron(2)("a b")                                                     # refused
nn.Neuron(2)([1.0, 2.0])[0]                                             # refused
nn.MLP(2, [3])([1.0, 2.0]).data                                         # refused
nn.squared_error(v, "a")                                                # refused
nn.squared_error(1.0, 1.0).backward()                                   # refused
nn.softmax_cross_entropy(values, 0.5)                                   # refused
nn.clip_grad_norm([1.0, 2.0], 1.0)                                      # refused
optim.SGD([1.0, 2.0])                                                   # refused
optim.SGD(values, lr="fast")                                            # refused
optim.Adam(values).step(1)                                              # refused

# -- transforms
ag.grad(v)                                                              # refused
ag.grad(one)("a")                                                       # refused
ag.grad(one)(1.0, 2.0)                                                  # refused
ag.grad(many)([1.0, 2.0])                                               # refused
ag.grad(line)(1.0, 2.0)                                                 # refused
ag.grad(line)(1.0, 2.0, 3.0)                                            # refused
ag.grad(line)(1.0, 2.0, [3.0], powers=2)                                # refused
ag.grad(line, argnums=(0, 1))(1.0, 2.0, [3.0])[2]                       # refused
ag.grad(scale)(1.0, 2.0, 3.0)                                           # refused
ag.grad(scale)(1.0, to=2.0)                                             # refused
ag.grad(total)()                                                        # refused
ag.grad(total)(1.0, "a")                                                # refused
ag.hessian(vector)                                                      # refused
ag.taylor(two, 1.0, 3)                                                  # refused
ag.grad(many)([1.0, 2.0], "a")                                          # refused
ag.grad(real)(1.0, m=2)                                                 # refused
ag.grad(one)(1.0).backward()                                            # refused
ag.grad(one, unused="never")                                            # refused
ag.value_and_grad(one)(1.0)[2]                                          # refused
ag.hessian(many)([1.0, 2.0], 3)["a"]                                    # refused
ag.derivative(one, "a")                                                 # refused
ag.derivative(two)(1.0)                                                 # refused
ag.hessian(two)(1.0, "a")                                               # refused
ag.hessian(two)(1.0, 2.0).backward()                                    # refused
ag.jacobian(two)(1.0)                                                   # refused
ag.compile(real)("a")                                                   # refused
ag.compile(real)(1.0, m=2)                                              # refused
ag.compile(one, on_limit="never")                                       # refused
ag.compile(one, batch="x", reduce="product")                            # refused
ag.compile(one, target="nativ")                                         # refused
ag.compile(real).source("rust")                                         # refused
ag.compile(ahead)((1.0, "a"))                                           # refused
ag.compile(ahead)((1.0, 2.0)).backward()                                # refused
ag.compile(ahead).iterate((1.0, 2.0))                                   # refused
ag.compile(real).statistics                                             # refused
quietly("a")                                                            # refused
ag.no_grad(True)                                                        # refused
ag.record_lines(one)                                                    # refused
ag.errstate("never")                                                    # refused
ag.custom_op(3, ())                                                     # refused
ag.custom_op(real, (lambda y, x: y, lambda y, x: y))                    # refused

# -- checks and pictures
ag.audit(v, 3)                                                          # refused
ag.audit(v, {}).fine                                                    # refused
ag.check_op("sin")                                                      # refused
ag.explain(3.0)                                                         # refused
ag.derive(3.0)                                                          # refused
ag.draw(v, theme="blue")                                                # refused
ag.render(v, "v.svg", them="dark")                                      # refused
ag.render(v, "v.svg", theme="blue")                                     # refused
