"""What the types of arrays are, where NumPy is installed: checked, and not run."""
from collections.abc import Sequence
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import autograd_lite as ag
from autograd_lite import Value

Floats = NDArray[np.float64]
Objects = NDArray[np.object_]


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
