"""LLVM: from text to addresses."""
from __future__ import annotations

import _thread
import ctypes
import functools
import inspect
import math
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from autograd_lite.native import cache
from autograd_lite.native.language import LIBM
from autograd_lite.native.llvm import Unit
from autograd_lite.native.objects import EXTERNS

_LONG = 100_000                                 # characters of code over lanes that is made quickly
_lock = threading.RLock()                       # (LLVM's own state is shared)
_kept: list[Any] = []                           # what native code refers to


def supported() -> bool:
    """Whether there may be native code here. (Not on Windows: C's functions are elsewhere.)"""
    return sys.platform != "win32" and has_sources()


@functools.cache
def has_sources() -> bool:
    """Whether the library's sources are here, from which native code is made. (An application that is one
    file may have none.)"""
    try:
        return bool(inspect.getsource(supported))
    except OSError:
        return False


@functools.cache
def available() -> bool:
    """Whether there is llvmlite."""
    if not supported():
        return False
    try:
        import llvmlite.binding  # noqa: F401
    except ImportError:
        return False
    return True


def keep(x: Any) -> None:
    """Let x live as long as the process, for native code refers to it."""
    _kept.append(x)


def _machine(level: int, vectors: bool) -> Any:
    """What code is made for: any processor of this kind, or this one, with the vectors it has. (An engine
    frees its own, so each has one.)"""
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
        except BaseException as error:          # (none gets through native code)
            if isinstance(error, KeyboardInterrupt):
                _thread.start_new_thread(_interrupt, ())
            return math.nan

    entry = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * n)(called)
    keep((entry, f))
    address = ctypes.cast(entry, ctypes.c_void_p).value
    assert address
    return address


def _interrupt() -> None:
    """Interrupt the main thread when it is out of native code."""
    time.sleep(0.01)
    _thread.interrupt_main()


def apart(work: Callable[[], Any]) -> Any:
    """What work gives, done in another thread if this is the main one: LLVM's locks would stay held if an
    interruption ended its work."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    found: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            found.append((work(), None))
        except BaseException as error:
            found.append((None, error))

    thread = threading.Thread(target=run)
    try:
        thread.start()
    except RuntimeError:                        # (there are no more, at the end of the interpreter, say)
        return work()
    thread.join()
    result, error = found.pop()
    if error:
        raise error
    return result


@functools.cache
def facts() -> tuple[str, ...]:
    """What machine code depends on besides its source."""
    import llvmlite
    import llvmlite.binding as llvm

    library = sys.modules[__name__.partition(".")[0]]
    return (library.__version__, llvmlite.__version__, str(llvm.llvm_version_info),
            llvm.get_default_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())


def optimise(module: Any, target: Any, level: int) -> None:
    """Make code better; at level 0 only what is quick for very long functions."""
    import llvmlite.binding as llvm

    passes = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=level))
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

    def __init__(self, source: Unit | str, level: int = 2, vectors: bool = False,
                 stored: bool = True):
        self.level, self.vectors, self.stored = level, vectors, stored
        apart(lambda: self._load(source))
        keep(self)                              # (its code may be running when nothing refers to it)

    def _load(self, source: Unit | str) -> None:
        import llvmlite.binding as llvm

        with _lock:
            machine = _machine(self.level, self.vectors)
            _bind_symbols()
            callbacks = {} if isinstance(source, str) else source.callbacks
            for name, (f, n) in callbacks.items():
                llvm.add_symbol(name, callback(f, n))
            text = source if isinstance(source, str) else source.text()
            key = "" if callbacks or not self.stored else cache.key_of(
                text, str(self.level), str(self.vectors), *facts())
            code = cache.load(key) if key else None
            if code is None:
                code = self._compiled(text)
                if key:
                    cache.store(key, code)
            self.engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
            self.engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            self.engine.finalize_object()

    def _compiled(self, text: str) -> bytes:
        """The machine code of a source."""
        import llvmlite.binding as llvm

        target = _machine(self.level, self.vectors)
        module = llvm.parse_assembly(text)
        module.triple, module.data_layout = target.triple, str(target.target_data)
        if self.level:
            optimise(module, target, 0 if self.vectors and len(text) > _LONG else self.level)
        return bytes(target.emit_object(module))

    def __getitem__(self, name: str) -> int:
        return int(apart(lambda: self.engine.get_function_address(name)))
