"""What the types of arrays are, where NumPy is installed: checked, and not run."""
from collections.abc import Sequence
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import autograd_lite as ag
from autograd_lite import Value

Floats = NDArray[np.float64]
Objects = NDArray[np.object_]


def columns() -> None:
    """Of pandas, which has no types of its own, the dtype."""
    assert_type(ag.ValueDtype(), ag.ValueDtype)


def functions(v: Value, x: Floats, nodes: Objects, one: np.float64, half: np.float32, n: np.int64) -> None:
    """Elementwise on arrays; of NumPy's scalars, floats."""
    assert_type(ag.sin(x), Floats)
    assert_type(ag.exp(nodes), Objects)
    assert_type(ag.relu(x, at_zero=1.0), Floats)
    assert_type(ag.sin(one), float)
    assert_type(ag.sin(half), float)
    assert_type(ag.maximum(x, 0.0), Floats)
    assert_type(ag.maximum(1.0, nodes), Objects)
    assert_type(ag.maximum(v, half), Value)
    assert_type(ag.sum([one, half, n]), float)
    assert_type(v * half, Value)
    assert_type(v + n, Value)
    assert_type(v < half, bool)
    assert_type(Value(half).data, float)
    v.data = one
    ag.hypot(v, x)
    assert_type(ag.floor(x), Floats)
    assert_type(ag.gamma(x), Floats)
    assert_type(ag.sign(nodes), Objects)
    assert_type(ag.ceil(half), float)
    assert_type(ag.logaddexp(x, 0.0), Floats)
    assert_type(ag.copysign(1.0, nodes), Objects)
    assert_type(ag.logaddexp(v, x), Any)
    assert_type(ag.isfinite(one), bool)
    assert_type(ag.isnan(x), Any)
    assert_type(ag.where(ag.greater(x, 0.5), x, 0.0), Floats)
    assert_type(ag.where(x > 0.5, 0.0, nodes), Objects)
    assert_type(ag.where(x > 0.5, v, x), Any)
    assert_type(ag.where(x > 0.5, 1.0, 0.0), Any)


def loss(p: Objects, data: Floats) -> Value:
    """Of an array of Values."""
    total: Value = ((p - data) ** 2).sum()
    return total


def first(p: Sequence[Value]) -> Value:
    """Of a sequence."""
    return p[0] * p[0]


def transforms(p: Floats) -> None:
    """What is differentiated by an array gives arrays, which types do not follow."""
    assert_type(ag.grad(loss)(p, p), Any)
    fast = ag.compile(ag.value_and_grad(loss))
    value, slope = fast(p, p)
    p -= 0.1 * slope
    print(value, ag.grad(first)(list(p)))
    ag.compile(loss, batch="data")(p, p)
    ag.compile(loss, batch="data", reduce="sum")(p, p)
    ag.compile(loss, batch="data", reduce=("sum", None), target=np)(p, p)
    assert_type(ag.compile(moved).iterate(p, 4, history=2), tuple[Floats, Floats])


def moved(p: Floats) -> Floats:
    """An array of an array."""
    return p * 0.5
