# mypy: allow-untyped-defs, allow-untyped-calls
# pyright: basic
"""What says nothing of types: whatever is given is accepted, and what is returned is `Any`."""
from collections.abc import Callable
from typing import Any

import autograd_lite as ag


def product(p):
    """Of a list, say."""
    return p[0] * p[1]


def transforms(f: Callable[..., Any], g: Callable[[Any], Any], h: Any) -> None:
    """Of functions of anything."""
    for function in (ag.grad, ag.jacobian, ag.hessian, ag.value_and_grad, ag.compile):
        print(function)
    ag.grad(f)([1.0, 2.0], 3)
    ag.jacobian(ag.grad(g))({"a": 1.0})
    ag.grad(ag.grad(h))((1.0, 2.0))
    ag.compile(f, batch="x")(1.0, 2.0, 3.0, 4.0)
    ag.derivative(f)(2.0, [1.0])


ag.grad(product)([1.0, 2.0])
ag.compile(ag.value_and_grad(product))([1.0, 2.0])
ag.hessian(lambda p: p[0] * p[1])([1.0, 2.0])
ag.grad(lambda x, y: x * y, argnums=(0, 1))(1.0, 2.0)
ag.grad(lambda point: point["x"] * point["y"])({"x": 2.0, "y": 5.0})
ag.check_gradients(lambda p: ag.tanh(p[0]) * p[1], [19.0, 2.0]).check()
