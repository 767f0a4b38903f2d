"""Methods of Python over native code."""
from __future__ import annotations

import ctypes
import functools
import struct
from typing import Any

from autograd_lite.native.engine import Library, keep

DONE = -2                                       # what a program returns that came to its end
_FASTCALL, _NOARGS = 0x0080, 0x0004

# The facts of `run`, all of 8 bytes; pieces follow: to, from, bytes.
FIELDS = ("core", "in", "out", "result", "fallback", "holds", "true", "reader", "captured", "numbers", "held",
          "before", "after")
_COUNTS = FIELDS[9:]
_LOADED = "\n".join([line for i, name in enumerate(FIELDS) for line in (
    f"  %{name}.at = getelementptr %bound, ptr %f, i64 0, i32 {i}",
    f"  %{name} = load {'i64' if name in _COUNTS else 'ptr'}, ptr %{name}.at")])

# A program's function takes an array of its inputs and one of its results. `call` takes floats and then a
# list of captured ones, and returns a tuple, or the program's int. `run` works on arrays that stay where they
# are (see `bound`): it copies what does not lie there yet, and returns always the same object.
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
declare ptr @PyByteArray_AsString(ptr)
declare ptr @PyObject_CallNoArgs(ptr)
declare void @Py_DecRef(ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

%facts = type {{ ptr, i64, i64, i64 }}
%bound = type {{ {', '.join(['i64' if name in _COUNTS else 'ptr' for name in FIELDS])} }}
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

define internal void @copy(ptr %pieces, i64 %n) {{
entry:
  br label %top
top:
  %i = phi i64 [ 0, %entry ], [ %i1, %one ]
  %more = icmp slt i64 %i, %n
  br i1 %more, label %one, label %end
one:
  %topt = getelementptr %piece, ptr %pieces, i64 %i, i32 0
  %to = load ptr, ptr %topt
  %frompt = getelementptr %piece, ptr %pieces, i64 %i, i32 1
  %from = load ptr, ptr %frompt
  %sizept = getelementptr %piece, ptr %pieces, i64 %i, i32 2
  %size = load i64, ptr %sizept
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %size, i1 false)
  %i1 = add i64 %i, 1
  br label %top
end:
  ret void
}}

define ptr @run(ptr %self, ptr %nothing) {{
entry:
  %f = call ptr @PyByteArray_AsString(ptr %self)
{_LOADED}
  %settled = icmp ne ptr %core, null
  br i1 %settled, label %look, label %other
look:
  %asks = icmp ne ptr %holds, null
  br i1 %asks, label %ask, label %fill
ask:
  %answer = call ptr @PyObject_CallNoArgs(ptr %holds)
  %raised = icmp eq ptr %answer, null
  br i1 %raised, label %error, label %answered
answered:
  call void @Py_DecRef(ptr %answer)
  %yes = icmp eq ptr %answer, %true
  br i1 %yes, label %fill, label %other
fill:
  %pieces = getelementptr %bound, ptr %f, i64 1
  call void @copy(ptr %pieces, i64 %before)
  %some = icmp ne i64 %held, 0
  br i1 %some, label %reads, label %work
reads:
  %list = call ptr @PyObject_CallOneArg(ptr %reader, ptr %captured)
  %unread = icmp eq ptr %list, null
  br i1 %unread, label %error, label %top
top:
  %i = phi i64 [ 0, %reads ], [ %i1, %one ]
  %more = icmp slt i64 %i, %held
  br i1 %more, label %one, label %read_all
one:
  %x = call ptr @PyList_GetItem(ptr %list, i64 %i)
  %at = add i64 %numbers, %i
  %to = getelementptr double, ptr %in, i64 %at
  %bad = call i1 @read(ptr %x, ptr %to)
  %i1 = add i64 %i, 1
  br i1 %bad, label %error, label %top
read_all:
  call void @Py_DecRef(ptr %list)
  br label %work
work:
  %status = call i64 %core(ptr %in, ptr %out)
  %done = icmp eq i64 %status, {DONE}
  br i1 %done, label %end, label %other
end:
  %rest = getelementptr %piece, ptr %pieces, i64 %before
  call void @copy(ptr %rest, i64 %after)
  call void @Py_IncRef(ptr %result)
  ret ptr %result
other:
  %y = call ptr @PyObject_CallNoArgs(ptr %fallback)
  ret ptr %y
error:
  ret ptr null
}}
"""


class _Definition(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("address", ctypes.c_void_p), ("flags", ctypes.c_int),
                ("doc", ctypes.c_char_p)]


@functools.cache
def _library() -> Library:
    return Library(_TEXT)


@functools.cache
def _definition(name: str, flags: int) -> int:
    """The address of what Python must know of a method."""
    definition = _Definition(b"f", _library()[name], flags, None)
    keep(definition)
    return ctypes.addressof(definition)


def method(name: str, flags: int, facts: bytes | bytearray, owners: Any = None) -> Any:
    """A method of Python's over a function here; its self is these facts, and it keeps the owners."""
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
    return new(_definition(name, flags), facts, owners)


def caller(core: int, n: int, captured: int, results: int) -> Any:
    """A program at an address as a function ``f(*n numbers, list of captured)`` that returns a tuple or an
    int."""
    return method("call", _FASTCALL, struct.pack("=qqqq", core, n, captured, results))


def runner(facts: bytearray, owners: Any) -> Any:
    """A function of no arguments that runs what the facts say (see `FIELDS`)."""
    return method("run", _NOARGS, facts, owners)
