"""Names that nodes have in other libraries, micrograd above all: each works, or says what to write instead.

They are put into `Value` here. And `ELSEWHERE`, names of functions there and what to write for them
here.
"""
from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from autograd_lite.errors import InputError, MemberError
from autograd_lite.graph.value import Value
from autograd_lite.ops.elementwise import INSTEAD
from autograd_lite.ops.sequences import mean


class Foreign:
    """An attribute that is read by a function, or not at all, and never set."""

    def __init__(self, name: str, remedy: str, read: Callable[[Value], Any] | None = None):
        self.name, self.remedy, self.read = name, remedy, read

    def __get__(self, node: Value | None, kind: type[Value]) -> Any:
        if node is None:
            return self
        if self.read:
            return self.read(node)
        raise MemberError(f"a Value has no {self.name!r}: {self.remedy}")

    def __set__(self, node: Value, x: Any) -> None:
        raise MemberError(f"{self.name!r} of a Value cannot be set: {self.remedy}")


def _children(node: Value) -> tuple[Value, ...]:
    return tuple([x for x in node.operands if isinstance(x, Value)])


def _local_grads(node: Value) -> tuple[float, ...]:
    return tuple([p for x, p in zip(node.operands, node.partials) if isinstance(x, Value)])


_UNCERTAIN = "it has no uncertainty; its derivatives carry those of the inputs to a result"
_MAKE = "the operations make it, as in a + b; custom_op(forward, partials) makes an operation of your own"
_OWN = ("it has no attributes of its own; keep them in a dict, as in momenta[p] = 0.0, or let "
        "optim.Adam(model.parameters()) do it")
_NUMBER = "write v.data, a float"
_KEPT = "every node keeps its gradient, in v.grad"
_DOUBLE = "leave it out; a Value is one double, on no device"
_IN_PLACE = "write v.data = x, for a leaf; what is computed is not changed in place"
_CLIP = "write minimum(maximum(x, low), high)"
_CUSTOM = "write custom_op(forward, partials)"


def _mask(node: Value) -> Any:
    """What masked arrays ask of an operand; by then they have taken `_data`."""
    raise InputError("a masked array with a Value would lose the gradient: use x.compressed() or x.filled(…)")


_READ: dict[str, Callable[[Value], Any]] = {
    "_prev": lambda node: set(_children(node)), "_op": lambda node: node.op, "_children": _children,
    "_local_grads": _local_grads, "_mask": _mask,
    "_sympy_": lambda node: partial(sys.modules["sympy"].sympify, repr(node), strict=True)}
_REMEDIES = {
    "_backward": f"root.backward() runs the whole pass, each operation's rule in turn; {_MAKE}",
    **dict.fromkeys(("m", "v", "velocity", "momentum"), _OWN), "name": "write v.label",
    **dict.fromkeys(("item", "numpy", "tolist", "value"), _NUMBER),
    "zero_grad": "write v.grad = 0.0, or zero_grad() of the model or the optimiser",
    "retain_grad": _KEPT, "grad_fn": "write v.op, the name of the operation that made it",
    "is_leaf": "write not v.op", "requires_grad_": "write v.requires_grad = True",
    **dict.fromkeys(("cpu", "cuda", "to", "double", "float"), _DOUBLE),
    **dict.fromkeys(("add_", "sub_", "mul_", "div_", "copy_", "fill_", "zero_"), _IN_PLACE),
    "clone": "write v itself; no operation changes it", "register_hook": _KEPT, "pow": "write v ** n",
    **{name: INSTEAD[name] for name in ("rint", "fmod", "logical_xor")},
    "square": "write v * v", "clamp": _CLIP,
    **dict.fromkeys(("sum", "mean"), "it is one number; write sum([a, b]) or mean([a, b])"),
    **dict.fromkeys(("nominal_value", "n"), _NUMBER), **dict.fromkeys(("std_dev", "s"), _UNCERTAIN),
    "derivatives": "write v.backward(), then x.grad"}

# What to write for a function that other libraries have, and this one has not.
ELSEWHERE = {
    **dict.fromkeys(("tensor", "Tensor", "array", "Variable"),
                    "a Value is one number; write Value(2.0), or a list or an object array of Values"),
    **dict.fromkeys(("inference_mode", "set_grad_enabled"), "write with no_grad(): ..."),
    "enable_grad": "a gradient is recorded wherever no_grad() does not forbid it",
    "jit": "write compile(f)", "vmap": "write compile(f, batch=\"x\"), or [f(x) for x in xs]",
    **dict.fromkeys(("jacfwd", "jacrev"), "write jacobian(f); it takes the way with fewer sweeps"),
    "linearize": "write lambda v: jvp(f, (x,), (v,))[1]",
    **dict.fromkeys(("lax", "cond"), "write if, for and while; or select(condition, then, otherwise)"),
    **dict.fromkeys(("custom_jvp", "custom_vjp", "Function", "primitive"), _CUSTOM),
    **dict.fromkeys(("clip", "clamp"), _CLIP), "max": "write maximum(a, b), or Python's max",
    "min": "write minimum(a, b), or Python's min", "pow": "write x ** n", "square": "write x * x",
    **{f"arc{name}": f"write a{name}" for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    "power": "write x ** n", "expit": "write sigmoid(x)", "log_expit": "write log_sigmoid(x)",
    "gammaln": "write lgamma(x)", "psi": "write digamma(x)", "ndtr": "write normal_cdf(x)",
    "norm": "write sqrt(dot(xs, xs)), or hypot(x, y)", "pi": "write math.pi", "gradient": "write grad(f)",
    **dict.fromkeys(("minimize", "least_squares", "curve_fit"),
                    "SciPy's takes value_and_grad(f) or jacobian(f); docs/fits.md says how"),
    "manual_seed": "Python's random draws the weights", "autograd": "write grad(f)",
    "umath": "its functions are here", "correlated_values": "write propagate(f, x, cov)",
    "ufloat": "write Value(2.0); it has no uncertainty of its own, but derivatives that carry it"}


_ACTIVATION = 'write MLP(nin, nouts, activation="tanh"), or "relu", "sigmoid", …'
# And for members of its packages for networks and optimisers.
_MEMBERS = {
    "autograd_lite.nn": {
        "Linear": 'write Layer(nin, nout, activation="linear")',
        "Sequential": "write MLP(nin, nouts), or a Module of your own with a loop over its layers",
        **dict.fromkeys(("ReLU", "Tanh", "Sigmoid", "GELU", "SiLU", "LeakyReLU", "ELU"), _ACTIVATION),
        **dict.fromkeys(("MSELoss", "mse_loss"), "write squared_error(outputs, targets), half a sum"),
        **dict.fromkeys(("CrossEntropyLoss", "cross_entropy"), "write softmax_cross_entropy(logits, target)"),
        **dict.fromkeys(("BCELoss", "BCEWithLogitsLoss"), "write binary_cross_entropy(logits, targets)"),
        "functional": "autograd_lite itself has the functions: softmax, relu, …; its losses are here",
        "Parameter": "write Value(x); a Module finds its Values",
        "utils": "clip_grad_norm is here"},
    "autograd_lite.optim": {
        "RMSprop": "write Adam(parameters, lr)",
        "LBFGS": "give value_and_grad(f) to SciPy's minimize; docs/fits.md says how",
        "lr_scheduler": "a schedule is given as the rate: Adam(parameters, lr=optim.cosine(0.1, 100))"}}


def absent(name: str, module: str = "autograd_lite") -> AttributeError:
    """The error for a name that the library, or a package of it, does not have."""
    remedies = _MEMBERS.get(module, ELSEWHERE)
    if name in remedies:
        return MemberError(f"{module} has no {name!r}: {remedies[name]}")
    return AttributeError(f"module {module!r} has no attribute {name!r}", name=name,
                          obj=sys.modules[module])      # (by which Python finds what is near)


def lacking(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a package of the library, which has all that it has already."""
    def missing(name: str) -> Any:
        raise absent(name, module)
    return missing


class _Sum:
    """What stands for a sum in `statistics.mean`: the Values themselves."""

    def __init__(self, x: Value):
        self.xs = [x]

    def is_finite(self) -> bool: return False           # (else it would be made a Fraction)
    def __radd__(self, start: Any) -> Any: return self if start == 0 else NotImplemented

    def __add__(self, other: Any) -> Any:
        if type(other) is not _Sum:                     # (an infinite float)
            return NotImplemented
        self.xs += other.xs
        return self

    def __truediv__(self, n: int) -> Value:
        if n != len(self.xs):                           # (ints among them are not in this sum)
            raise InputError("the mean of Values and ints by statistics would lose its gradient: use "
                             "autograd_lite.mean(xs)")
        return mean(self.xs)


def _as_integer_ratio(node: Value) -> tuple[_Sum, None]:
    """What `statistics` and `Fraction` ask of a number.

    `statistics` adds up the numerators over None, those of infinities, apart from the others. Of its
    functions only `mean` does no more with that sum than divide it by the count: only `mean` gets one.
    """
    asking: FrameType | None = sys._getframe(1)
    for _ in range(2):
        asking = asking and asking.f_back
    of_mean = getattr(getattr(sys.modules.get("statistics"), "mean", None), "__code__", None)
    if asking and asking.f_code is of_mean:
        return _Sum(node), None
    raise InputError(f"a ratio of whole numbers of {node!r} would lose its gradient: use "
                     "autograd_lite.mean, or np.var and np.std of an array, in place of statistics and "
                     "fractions, or v.data")


setattr(Value, "as_integer_ratio", _as_integer_ratio)
for _name, _read in _READ.items():
    setattr(Value, _name, Foreign(_name, _MAKE, _read))
for _name, _remedy in _REMEDIES.items():
    setattr(Value, _name, Foreign(_name, _remedy))
_HIDDEN = {*_REMEDIES, "as_integer_ratio", "_mask", "_sympy_"}
setattr(Value, "__dir__", lambda node: [name for name in object.__dir__(node) if name not in _HIDDEN])
