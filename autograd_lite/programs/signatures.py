"""What `compile` returns, for type checkers alone: no other module loads this one when it runs."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from autograd_lite.graph.value import Value
from autograd_lite.ops.signatures import Plain
from autograd_lite.programs.compiled import Compiled
from autograd_lite.transforms.signatures import Dual, P, Pair, Triple

F = TypeVar("F", bound=Callable[..., Any])


class CompiledAs(Compiled, Generic[F]):
    """A compiled function that is called as F is."""

    __call__: F


OnNumber = CompiledAs[Dual[Plain, float, Value, Value, P]]
OnPair = CompiledAs[Pair[float, Value]]
OnTriple = CompiledAs[Triple[float, Value]]
OnList = CompiledAs[Dual[list[float], float, list[Value], Value, P]]
OnDict = CompiledAs[Dual[dict[str, float], float, dict[str, Value], Value, P]]
