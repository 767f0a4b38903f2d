"""The vectors of this processor, and the C library's functions of them."""
from __future__ import annotations

import ctypes
import functools
import itertools
import math
import sys
from typing import Any

from autograd_lite.native.engine import Library, bind

# Functions of glibc's libmvec, which are within 4 units in the last place (cbrt only just, and is left out).
_VECTOR = frozenset(("exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh "
                     "asinh acosh atanh erf erfc pow atan2").split())
# At these numbers, and pairs of them, they are compared with those of floats before they are used.
_EDGES = (
    0.0, -0.0, 5e-324, -1e-310, 2.2250738585072014e-308, -1e-160, 1e-20, -1e-8, 1e-3, 0.1, -0.3, 0.5, 0.7,
    -0.9, 0.9999999999999999, 1.0, -1.0, 1.0000000000000002, 1.5, -2.0, 3.0, -3.141592653589793, 10.0, 20.0,
    -26.5, 27.3, 100.0, -700.0, 709.78, 709.79, 710.4, -708.4, -745.0, -746.0, 1023.9, 1024.0, -1022.5,
    -1074.0, -1080.0, 1e5, -1e8, 1e16, 1e22, -1e100, 1e300, 1.7976931348623157e308, math.inf, -math.inf,
    math.nan)


@functools.cache
def features() -> Any:
    """What this processor has."""
    import llvmlite.binding as llvm

    return llvm.get_host_cpu_features()


@functools.cache
def width() -> int:
    """How many doubles a vector holds."""
    return 8 if features().get("avx512f") else 4 if features().get("avx2") else 2


@functools.cache
def tuned() -> list[str]:
    """For which processor the order of instructions is: one that LLVM's model knows well. (By its models of
    others, more numbers than there are registers were held in long programs.)"""
    return ['"tune-cpu"="haswell"'] if features().get("sse2") else []


@functools.cache
def _libmvec() -> Any:
    """The C library's functions of vectors, if it has them, for this width; None elsewhere."""
    if sys.platform != "linux" or not features().get("sse2"):
        return None
    try:
        return ctypes.CDLL("libmvec.so.1")
    except OSError:
        return None


@functools.cache
def symbol(name: str, n: int) -> str:
    """The symbol of the C library's function of n vectors that does what its function of this name does in
    each lane; "" if there is none that is good."""
    text = f"_ZGV{'_bd_e'[width() // 2]}N{width()}{'v' * n}_{name}"
    try:
        address = ctypes.cast(getattr(_libmvec(), text), ctypes.c_void_p).value
    except AttributeError:
        return ""
    if name not in _VECTOR or not address or not agrees(name, n, address):
        return ""
    bind(text, address)
    return text


def agrees(name: str, n: int, address: int) -> bool:
    """Whether a function of n vectors is, at the edges, within 4 units of that of floats."""
    f = getattr(ctypes.CDLL(None), name)
    f.restype, f.argtypes = ctypes.c_double, [ctypes.c_double] * n
    points = list(itertools.product(_EDGES, repeat=n))
    call = _calls()[n]
    array = ctypes.c_double * width()
    for i in range(0, len(points), width()):
        out = array()
        call(address, *[array(*column) for column in zip(*points[i:i + width()])], out)
        for xs, y in zip(points[i:], out):
            true = f(*xs)
            if not (y == true or y != y and true != true or abs(y - true) <= 4.0 * math.ulp(true)
                    and y - true == y - true):
                return False
    return True


@functools.cache
def _calls() -> dict[int, Any]:
    """Functions that call one of one or two vectors at an address."""
    real, texts = f"<{width()} x double>", []
    for n in (1, 2):
        given = "".join([f"ptr %p{i}, " for i in range(n)])
        loads = "\n".join([f"  %x{i} = load {real}, ptr %p{i}, align 8" for i in range(n)])
        xs = ", ".join([f"{real} %x{i}" for i in range(n)])
        texts.append(f"define void @call{n}(ptr %f, {given}ptr %y) {{\n{loads}\n  %r = call {real} %f({xs})\n"
                     f"  store {real} %r, ptr %y, align 8\n  ret void\n}}\n")
    library = Library("\n".join(texts), vectors=True)
    return {n: ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (n + 2))(library[f"call{n}"]) for n in (1, 2)}
