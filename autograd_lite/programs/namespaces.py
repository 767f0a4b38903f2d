"""The functions of a namespace of arrays: NumPy, jax.numpy, torch, or any after the array API standard.

An op's array form (`Op.notation.targets["array"]`) is an expression of arrays, or numbers, of functions of
`xp` (the `Functions` of a namespace), and of Python's `sum`. At least one operand is an array.

- In NumPy it is within 4 ulp of the float kernel (8 for many operands; of its largest term for logsumexp;
  1e-13 for a power differentiated twice or more). JAX's and torch's own functions are less exact: there it
  is within 1e-13, at normal numbers; JAX takes subnormal ones as 0.
- Where eager mode refuses the operands, the result is infinite or nan. It may be so elsewhere, too: where a
  mean or an exact sum leaves the doubles on the way, or an operand is infinite; and but for NumPy for
  digamma and polygamma below 0, and for torch's % of a quotient too large.
- Exact sums are not rounded once, but are as if added in twice the digits.
"""
from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from autograd_lite.errors import InputError, errstate, shown
from autograd_lite.ops import arrays
from autograd_lite.ops.notation import ATOM, Written
from autograd_lite.ops.op import TABLE, Op

# Other names of the functions that the forms use.
ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh",
           "acosh": "arccosh", "atanh": "arctanh", "power": "pow", "lgamma": "gammaln"}
_CALL = re.compile(r"xp\.\w+\([^()]*\)")


def array_text(op: Op, operands: Sequence[Written | str | float]) -> str | None:
    """The op over arrays, from what its operands are called; None if it has no such form.

    It binds no names, and may be a sum or less: put it in brackets, or give it a name. Numbers not finite are
    written `inf` and `nan`.

    >>> array_text(TABLE["relu"], ["x"])
    'xp.maximum(x, 0.0)'
    """
    written = array_form(op, operands)
    return written and written.text


def array_form(op: Op, operands: Sequence[Written | str | float]) -> Written | None:
    """The same, with how tightly it binds."""
    form = op.notation and op.notation.targets.get("array")
    if not form:
        return None
    more = [] if op.open else list(op.__signature__.parameters.values())[len(operands):]
    written: Written = form(*operands, *[p.default for p in more if p.default is not p.empty])
    return written._replace(precedence=ATOM) if _CALL.fullmatch(written.text) else written


class Functions:
    """The functions that the forms use, by their names there, over arrays of one namespace.

    >>> import numpy
    >>> functions(numpy).sigmoid(numpy.array([0.0, -1000.0])).tolist()
    [0.5, 0.0]
    """

    def __init__(self, xp: Any):
        self.namespace = xp

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The function, searched for at its first use.

        Raises:
            InputError: neither the namespace nor the library has it.
        """
        if name.startswith("_"):                # (what copying and pickling ask for)
            raise AttributeError(name)
        kernel, package = arrays.KERNELS.get(name), self.namespace.__name__
        needed = arrays.MADE_OF.get(kernel, name) if kernel else name
        found = self.own(needed)
        if kernel in arrays.MADE_OF:
            found = found and partial(kernel, found, self)
        elif kernel and not (found and kernel in arrays.SPARE):
            found = partial(kernel, self)
        if not found and package == "numpy" and name in TABLE:
            found = mapped(TABLE[name])
        if not found:
            made = f", of which {name} is made" if needed != name else ""
            raise InputError(f"{package} has no function {needed}{made}")
        setattr(self, name, found)
        return found

    def own(self, name: str) -> Callable[..., Any] | None:
        """The namespace's own function, taking numbers too; None if there is none."""
        for place in (self.namespace, *special_functions(self.namespace)):
            for known in (name, ALIASES.get(name, name)):
                if hasattr(place, known):
                    f: Callable[..., Any] = getattr(place, known)
                    tensors = hasattr(self.namespace, "is_tensor")
                    return partial(with_tensors, self.namespace, f) if tensors else f
        return None

    def array(self, numbers: Any, like: Any = None) -> Any:
        """Numbers of Python's as an array, in torch of doubles, and where another lies."""
        xp = self.namespace
        return xp.asarray(numbers, dtype=xp.float64, device=getattr(like, "device", None)) if hasattr(
            xp, "is_tensor") else xp.asarray(numbers)


def functions(xp: Any, ops: Iterable[Op] = ()) -> Functions:
    """The `Functions` of a namespace, for these ops.

    NumPy lacks the special functions: there the op's float kernel is mapped over the array.

    Raises:
        InputError: xp is not a namespace of arrays; or an op has no array form, or one with a function
            that the namespace lacks.
    """
    if not isinstance(xp, ModuleType) or not hasattr(xp, "where"):
        raise InputError(f"target must be a namespace of arrays, such as numpy or jax.numpy, not {shown(xp)}")
    found = Functions(xp)
    for op in ops:
        text = array_text(op, ["x"] * op.least)
        if text is None:
            raise InputError(f"{op.name} has no form over arrays; write it with ops that have one")
        for name in re.findall(r"\bxp\.(\w+)", text):
            try:
                getattr(found, name)
            except InputError as error:
                raise InputError(f"{op.name} cannot be compiled for {xp.__name__}: {error}; write it with "
                                 "other ops, or choose another target") from None
    return found


def special_functions(xp: Any) -> list[Any]:
    """Where a namespace has erf, lgamma and their kind."""
    package, found = xp.__name__.partition(".")[0], []
    for name in (f"{package}.special", f"{package}.scipy.special"):
        with contextlib.suppress(ImportError):
            found.append(importlib.import_module(name))
    return found


def with_tensors(torch: Any, f: Callable[..., Any], *xs: Any) -> Any:
    """A function of torch's, which takes tensors alone, of tensors and numbers."""
    tensors = [x for x in xs if torch.is_tensor(x)]
    kinds = [x.dtype for x in tensors if x.is_floating_point()]
    device = tensors[0].device if tensors else None
    return f(*[torch.as_tensor(x, dtype=kinds[0] if kinds else torch.float64, device=device)
               if isinstance(x, float) else torch.as_tensor(x) if isinstance(x, bool) else x for x in xs])


def mapped(op: Op) -> Callable[..., Any]:
    """The op's float kernel at each place of NumPy's arrays; infinite or nan where it refuses."""
    def over_arrays(*xs: Any) -> Any:
        import numpy

        places = numpy.broadcast_arrays(*xs)
        rows = zip(*[x.ravel().tolist() for x in places])
        found = errstate("ignore").run(lambda: [op(*row) for row in rows])
        return numpy.array(found, float).reshape(places[0].shape)
    return over_arrays


def quiet(xp: Any) -> contextlib.AbstractContextManager[Any]:
    """A context in which the namespace does not warn of an overflow, a nan or a division by 0."""
    state: Any = getattr(xp, "errstate", None)
    return state(all="ignore") if state else contextlib.nullcontext()
