"""Methods of Python over native code.

A program's function takes an array of its inputs, arguments' and then captured ones, and one of its results;
it returns DONE, or what the Python target returns instead of results. The functions here are in the small
language (see `language`), and are what Python calls; their facts are words of 64 bits.
"""
from __future__ import annotations

import ctypes
import functools
import struct
from typing import Any

from autograd_lite.native.engine import Library, keep as keep_for_good
from autograd_lite.native.language import function_of
from autograd_lite.native.llvm import Unit
from autograd_lite.native.objects import (Floats, Object, Objects, Words, as_floats, as_object, as_words,
                                          bytearray_at, bytes_at, call_0, call_1, drop, float_of, keep,
                                          list_item, new_float, new_int, new_tuple, raised, run,
                                          set_tuple_item, stack)

DONE = -2                                       # what a program returns that came to its end
_FASTCALL, _NOARGS = 0x0080, 0x0004


def read(x: Object, to: Floats, i: int) -> int:
    """Put a number into an array; 0 if it is none."""
    to[i] = float_of(x)
    return 1 if to[i] != -1.0 or raised() is None else 0


def read_list(xs: Object, n: int, to: Floats, first: int) -> int:
    """Put the numbers of a list into an array; 0 if there is another thing."""
    for i in range(n):
        if read(list_item(xs, i), to, first + i) == 0:
            return 0
    return 1


def call(self: Object, args: Objects, given: int) -> Object:
    """A program as a function of floats and then a list of captured ones: a tuple, or an int.

    Facts: the program, and the numbers of its numbers, captured ones and results."""
    facts = as_words(bytes_at(self))
    n, captured, results = facts[1], facts[2], facts[3]
    inputs, out = stack(n + captured), stack(results)
    for i in range(n):
        if read(args[i], inputs, i) == 0:
            return None
    if read_list(args[n], captured, inputs, n) == 0:
        return None
    status = run(as_object(facts[0]), inputs, out)
    if status != DONE:
        return new_int(status)
    result = new_tuple(results)
    for i in range(results):
        set_tuple_item(result, i, new_float(out[i]))
    return result


# The facts of `again`. Pieces follow: from where to where how many floats are copied before the program runs,
# and after it.
FACTS = ("program", "inputs", "out", "result", "ordinary", "holds", "true", "reader", "captured", "numbers",
         "held", "before", "after")
(_PROGRAM, _INPUTS, _OUT, _RESULT, _ORDINARY, _HOLDS, _TRUE, _READER, _CAPTURED, _NUMBERS, _HELD, _BEFORE,
 _AFTER) = range(len(FACTS))
_PIECES = len(FACTS)


def copied(facts: Words, first: int, last: int) -> int:
    """Copy some pieces."""
    for i in range(first, last):
        at = _PIECES + 3 * i
        start, end = as_floats(facts[at]), as_floats(facts[at + 1])
        for k in range(facts[at + 2]):
            end[k] = start[k]
    return 0


def again(self: Object, nothing: Object) -> Object:
    """A program over arrays that stay where they are: always the same result."""
    facts = as_words(bytearray_at(self))
    if facts[_PROGRAM] == 0:
        return call_0(as_object(facts[_ORDINARY]))
    if facts[_HOLDS] != 0:
        answer = call_0(as_object(facts[_HOLDS]))
        if answer is None:
            return None
        drop(answer)
        if answer is not as_object(facts[_TRUE]):
            return call_0(as_object(facts[_ORDINARY]))
    inputs, out = as_floats(facts[_INPUTS]), as_floats(facts[_OUT])
    copied(facts, 0, facts[_BEFORE])
    if facts[_HELD] != 0:
        numbers = call_1(as_object(facts[_READER]), as_object(facts[_CAPTURED]))
        if numbers is None:
            return None
        fine = read_list(numbers, facts[_HELD], inputs, facts[_NUMBERS])
        drop(numbers)
        if fine == 0:
            return None
    if run(as_object(facts[_PROGRAM]), inputs, out) != DONE:
        return call_0(as_object(facts[_ORDINARY]))
    copied(facts, facts[_BEFORE], facts[_BEFORE] + facts[_AFTER])
    result = as_object(facts[_RESULT])
    keep(result)
    return result


class _Definition(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("address", ctypes.c_void_p), ("flags", ctypes.c_int),
                ("doc", ctypes.c_char_p)]


@functools.cache
def _library() -> Library:
    unit = Unit()
    for f in (call, again):
        unit.add(function_of(f), f.__name__, public=True)
    return Library(unit)


@functools.cache
def _definition(name: str, flags: int) -> int:
    """The address of what Python must know of a method."""
    definition = _Definition(name.encode(), _library()[name], flags, None)
    keep_for_good(definition)
    return ctypes.addressof(definition)


def method(name: str, flags: int, facts: bytes | bytearray, owners: Any = None) -> Any:
    """A method of Python's over a function here; its self is these facts, and it keeps the owners."""
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
    return new(_definition(name, flags), facts, owners)


def caller(program: int, n: int, captured: int, results: int) -> Any:
    """A program at an address as a function ``f(*n numbers, list of captured)`` that returns a tuple or an
    int."""
    return method("call", _FASTCALL, struct.pack("=4q", program, n, captured, results))


def runner(facts: bytearray, owners: Any) -> Any:
    """A function of no arguments that runs what the facts say (see `FACTS`)."""
    return method("again", _NOARGS, facts, owners)
