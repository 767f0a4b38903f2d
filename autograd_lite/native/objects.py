"""What functions of the small language may do with Python's own objects, in native code."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from autograd_lite.native.language import FLOAT, FLOATS, INT, OBJECT, OBJECTS, WORDS

Floats: TypeAlias = Any
Ints: TypeAlias = Any
Words: TypeAlias = Any
Object: TypeAlias = Any
Objects: TypeAlias = Any


class Extern(NamedTuple):
    """A function of Python's for C."""

    symbol: str
    result: str
    kinds: tuple[str, ...]

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"{self.symbol} is for native code alone")


class Intrinsic(NamedTuple):
    """An instruction, from the texts of its operands; without a type its result is like the first."""

    result: str
    text: Callable[..., str]

    def __call__(self, *args: Any) -> Any:
        raise TypeError("for native code alone")


# A result that an error leaves is None (or −1.0, or −1).
float_of = Extern("PyFloat_AsDouble", FLOAT, (OBJECT,))
new_float = Extern("PyFloat_FromDouble", OBJECT, (FLOAT,))
new_int = Extern("PyLong_FromLongLong", OBJECT, (INT,))
raised = Extern("PyErr_Occurred", OBJECT, ())
bytes_at = Extern("PyBytes_AsString", OBJECT, (OBJECT,))
bytearray_at = Extern("PyByteArray_AsString", OBJECT, (OBJECT,))
size_of = Extern("PyObject_Size", INT, (OBJECT,))
list_size = Extern("PyList_Size", INT, (OBJECT,))
list_item = Extern("PyList_GetItem", OBJECT, (OBJECT, INT))             # (these are borrowed)
tuple_size = Extern("PyTuple_Size", INT, (OBJECT,))
tuple_item = Extern("PyTuple_GetItem", OBJECT, (OBJECT, INT))
dict_item = Extern("PyDict_GetItemWithError", OBJECT, (OBJECT, OBJECT))
function_code = Extern("PyFunction_GetCode", OBJECT, (OBJECT,))
function_defaults = Extern("PyFunction_GetDefaults", OBJECT, (OBJECT,))
function_keyword_defaults = Extern("PyFunction_GetKwDefaults", OBJECT, (OBJECT,))
cell_content = Extern("PyCell_Get", OBJECT, (OBJECT,))                  # (but this is not)
new_list = Extern("PyList_New", OBJECT, (INT,))
set_list_item = Extern("PyList_SetItem", INT, (OBJECT, INT, OBJECT))
new_tuple = Extern("PyTuple_New", OBJECT, (INT,))
set_tuple_item = Extern("PyTuple_SetItem", INT, (OBJECT, INT, OBJECT))
call_0 = Extern("PyObject_CallNoArgs", OBJECT, (OBJECT,))
call_1 = Extern("PyObject_CallOneArg", OBJECT, (OBJECT, OBJECT))
call_many = Extern("PyObject_Vectorcall", OBJECT, (OBJECT, OBJECTS, INT, OBJECT))
error_is = Extern("PyErr_ExceptionMatches", INT, (OBJECT,))            # (of 32 bits)
clear = Extern("PyErr_Clear", INT, ())
keep = Extern("Py_IncRef", INT, (OBJECT,))      # (which return nothing)
drop = Extern("Py_DecRef", INT, (OBJECT,))
new_memory = Extern("PyMem_RawMalloc", OBJECT, (INT,))
free_memory = Extern("PyMem_RawFree", INT, (OBJECT,))       # (which returns nothing)
EXTERNS = [x.symbol for x in list(globals().values()) if isinstance(x, Extern)]

stack = Intrinsic(FLOATS, lambda n: f"alloca double, i64 {n}")          # floats that live as long as the call
as_object = Intrinsic(OBJECT, lambda x: f"inttoptr i64 {x} to ptr")
as_floats = Intrinsic(FLOATS, lambda x: f"inttoptr i64 {x} to ptr")
as_words = Intrinsic(WORDS, lambda x: f"getelementptr i64, ptr {x}, i64 0")
words_from = Intrinsic(WORDS, lambda x, i: f"getelementptr i64, ptr {x}, i64 {i}")
run = Intrinsic(INT, lambda f, a, b: f"call i64 {f}(ptr {a}, ptr {b})")  # a program
