"""LLVM: from text to addresses."""
from __future__ import annotations

import _thread
import ctypes
import functools
import math
import threading
from typing import Any

from autograd_lite.native.language import LIBM
from autograd_lite.native.llvm import Unit
from autograd_lite.native.objects import EXTERNS

_LONG = 100_000                                 # characters of code over lanes that is made quickly
_lock = threading.RLock()                       # (LLVM's own state is shared)
_kept: list[Any] = []                           # what native code refers to


@functools.cache
def available() -> bool:
    """Whether there is llvmlite."""
    try:
        import llvmlite.binding  # noqa: F401
    except ImportError:
        return False
    return True


def keep(x: Any) -> None:
    """Let x live as long as the process, for native code refers to it."""
    _kept.append(x)


@functools.cache
def machine(level: int, vectors: bool) -> Any:
    """What code is made for: any processor of this kind, or this one, with the vectors it has."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    host = {"cpu": llvm.get_host_cpu_name(), "features": llvm.get_host_cpu_features().flatten()}
    return target.create_target_machine(opt=level, codemodel="jitdefault", jit=True,
                                        **host if vectors else {})


@functools.cache
def _bind_symbols() -> None:
    """Let the functions of `math` be found by our names for them, and those of Python."""
    import llvmlite.binding as llvm

    libm = ctypes.CDLL(None)
    for f, name in LIBM.items():
        llvm.add_symbol(f"ag_{name}", ctypes.cast(getattr(libm, name), ctypes.c_void_p).value)
    for name in EXTERNS:
        llvm.add_symbol(name, ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value)


def bind(symbol: str, address: int) -> None:
    """Let native code find this by that name."""
    import llvmlite.binding as llvm

    llvm.add_symbol(symbol, address)


def callback(f: Any, n: int) -> int:
    """The address of a Python function of n floats; where it fails it gives nan, on which the eager way says
    what is wrong."""
    def called(*xs: float) -> float:
        try:
            return float(f(*xs))
        except Exception:
            return math.nan
        except KeyboardInterrupt:               # (no error gets through native code)
            _thread.interrupt_main()
            return math.nan

    entry = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * n)(called)
    keep((entry, f))
    address = ctypes.cast(entry, ctypes.c_void_p).value
    assert address
    return address


def optimise(module: Any, target: Any, level: int) -> None:
    """Make code better; at level 0 only what is quick for very long functions."""
    import llvmlite.binding as llvm

    passes = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=level or 1))
    if level:
        passes.getModulePassManager().run(module, passes)
        return
    manager = llvm.create_new_function_pass_manager()
    manager.add_sroa_pass()
    for function in module.functions:
        if not function.is_declaration:
            manager.run(function, passes)


class Library:
    """Native code: the addresses of functions by name."""

    def __init__(self, source: Unit | str, level: int = 2, vectors: bool = False):
        import llvmlite.binding as llvm

        with _lock:
            target = machine(level, vectors)
            _bind_symbols()
            if isinstance(source, Unit):
                for name, (f, n) in source.callbacks.items():
                    llvm.add_symbol(name, callback(f, n))
                source = source.text()
            module = llvm.parse_assembly(source)
            module.triple, module.data_layout = target.triple, str(target.target_data)
            if level:
                optimise(module, target, level if len(source) < _LONG or not vectors else 0)
            self.engine = llvm.create_mcjit_compiler(module, target)
            self.engine.finalize_object()
        keep(self)                              # (its code may be running when nothing refers to it)

    def __getitem__(self, name: str) -> int:
        return int(self.engine.get_function_address(name))
