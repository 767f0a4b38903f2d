"""Names that nodes have in other libraries, micrograd above all: each works, or says what to write instead.

(They are put into `Value` when this module is loaded. No other name can be caught without a cost to
every access.)
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.errors import InputError, MemberError
from autograd_lite.graph.value import Value


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


_MAKE = "the operations make it, as in a + b; custom_op(forward, partials) makes an operation of your own"
_OWN = ("it has no attributes of its own; keep them in a dict, as in momenta[p] = 0.0, or let "
        "optim.Adam(model.parameters()) do it")
_NUMBER = "write v.data, a float"
_KEPT = "every node keeps its gradient, in v.grad"

_READ: dict[str, Callable[[Value], Any]] = {
    "_prev": lambda node: set(_children(node)), "_op": lambda node: node.op, "_children": _children,
    "_local_grads": _local_grads}
_REMEDIES = {
    "_backward": f"root.backward() runs the whole pass, each operation's rule in turn; {_MAKE}",
    **dict.fromkeys(("m", "v", "velocity", "momentum"), _OWN), "name": "write v.label",
    **dict.fromkeys(("item", "numpy", "tolist", "value"), _NUMBER),
    "zero_grad": "write v.grad = 0.0, or zero_grad() of the model or the optimiser",
    "retain_grad": _KEPT, "grad_fn": "write v.op, the name of the operation that made it",
    "is_leaf": "write not v.op", "requires_grad_": "write v.requires_grad = True"}


def _as_integer_ratio(node: Value) -> None:
    """What `statistics` and `Fraction` ask of a number."""
    raise InputError(f"a ratio of whole numbers of {node!r} would lose its gradient: use autograd_lite.mean "
                     "and sum in place of statistics.mean and fractions, or v.data")


setattr(Value, "as_integer_ratio", _as_integer_ratio)
for _name, _read in _READ.items():
    setattr(Value, _name, Foreign(_name, _MAKE, _read))
for _name, _remedy in _REMEDIES.items():
    setattr(Value, _name, Foreign(_name, _remedy))
_HIDDEN = {*_REMEDIES, "as_integer_ratio"}
setattr(Value, "__dir__", lambda node: [name for name in object.__dir__(node) if name not in _HIDDEN])
