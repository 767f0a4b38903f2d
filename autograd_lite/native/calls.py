"""Methods of Python over native code."""
from __future__ import annotations

import ctypes
import functools
import struct
from typing import Any

from autograd_lite.native.engine import Library, keep

DONE = -2                                       # what a program returns that came to its end
_FASTCALL, _NOARGS = 0x0080, 0x0004

# A program's function takes an array of its inputs and one of its results. `call` takes floats and then a
# list of captured ones, and returns a tuple, or the program's int.
_TEXT = f"""
declare ptr @PyBytes_AsString(ptr)
declare double @PyFloat_AsDouble(ptr)
declare ptr @PyFloat_FromDouble(double)
declare ptr @PyLong_FromLong(i64)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @PyList_GetItem(ptr, i64)
declare ptr @PyErr_Occurred()
declare ptr @PyObject_CallOneArg(ptr, ptr)
declare void @Py_IncRef(ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)

%facts = type {{ ptr, i64, i64, i64 }}
%bound = type {{ ptr, ptr, ptr, ptr, ptr, i64, i64, [0 x %piece] }}
%piece = type {{ ptr, ptr, i64 }}

define internal i1 @read(ptr %x, ptr %to) {{
  %y = call double @PyFloat_AsDouble(ptr %x)
  store double %y, ptr %to
  %odd = fcmp oeq double %y, -1.0
  br i1 %odd, label %look, label %fine
look:
  %error = call ptr @PyErr_Occurred()
  %failed = icmp ne ptr %error, null
  ret i1 %failed
fine:
  ret i1 false
}}

define ptr @call(ptr %self, ptr %args, i64 %given) {{
entry:
  %facts = call ptr @PyBytes_AsString(ptr %self)
  %core = load ptr, ptr %facts
  %np = getelementptr %facts, ptr %facts, i32 0, i32 1
  %n = load i64, ptr %np
  %cp = getelementptr %facts, ptr %facts, i32 0, i32 2
  %c = load i64, ptr %cp
  %mp = getelementptr %facts, ptr %facts, i32 0, i32 3
  %m = load i64, ptr %mp
  %all = add i64 %n, %c
  %in = alloca double, i64 %all
  %out = alloca double, i64 %m
  br label %numbers
numbers:
  %i = phi i64 [ 0, %entry ], [ %i1, %number ]
  %more = icmp slt i64 %i, %n
  br i1 %more, label %number, label %held
number:
  %xp = getelementptr ptr, ptr %args, i64 %i
  %x = load ptr, ptr %xp
  %xto = getelementptr double, ptr %in, i64 %i
  %xbad = call i1 @read(ptr %x, ptr %xto)
  %i1 = add i64 %i, 1
  br i1 %xbad, label %bad, label %numbers
held:
  %lp = getelementptr ptr, ptr %args, i64 %n
  %list = load ptr, ptr %lp
  br label %captured
captured:
  %j = phi i64 [ 0, %held ], [ %j1, %capture ]
  %jmore = icmp slt i64 %j, %c
  br i1 %jmore, label %capture, label %work
capture:
  %h = call ptr @PyList_GetItem(ptr %list, i64 %j)
  %at = add i64 %n, %j
  %hto = getelementptr double, ptr %in, i64 %at
  %hbad = call i1 @read(ptr %h, ptr %hto)
  %j1 = add i64 %j, 1
  br i1 %hbad, label %bad, label %captured
work:
  %status = call i64 %core(ptr %in, ptr %out)
  %done = icmp eq i64 %status, {DONE}
  br i1 %done, label %results, label %otherwise
otherwise:
  %word = call ptr @PyLong_FromLong(i64 %status)
  ret ptr %word
results:
  %tuple = call ptr @PyTuple_New(i64 %m)
  br label %filling
filling:
  %k = phi i64 [ 0, %results ], [ %k1, %fill ]
  %kmore = icmp slt i64 %k, %m
  br i1 %kmore, label %fill, label %end
fill:
  %yp = getelementptr double, ptr %out, i64 %k
  %y = load double, ptr %yp
  %yo = call ptr @PyFloat_FromDouble(double %y)
  %set = call i32 @PyTuple_SetItem(ptr %tuple, i64 %k, ptr %yo)
  %k1 = add i64 %k, 1
  br label %filling
end:
  ret ptr %tuple
bad:
  ret ptr null
}}
"""


class _Definition(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("address", ctypes.c_void_p), ("flags", ctypes.c_int),
                ("doc", ctypes.c_char_p)]


@functools.cache
def _library() -> Library:
    return Library(_TEXT)


def method(name: str, address: int, flags: int, facts: bytes) -> Any:
    """A method of Python's whose code lies at an address; its self is these facts."""
    definition = _Definition(name.encode(), address, flags, None)
    keep(definition)
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return new(ctypes.addressof(definition), facts, None)


def caller(core: int, n: int, captured: int, results: int) -> Any:
    """A program at an address as a function ``f(*n numbers, list of captured)`` that returns a tuple or an
    int."""
    return method("f", _library()["call"], _FASTCALL, struct.pack("=qqqq", core, n, captured, results))
