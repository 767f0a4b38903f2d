"""Methods of Python over native code.

A program's function takes an array of its inputs, arguments' and then captured ones, and one of its results;
it returns DONE, or what the Python target returns instead of results. The functions here are in the small
language (see `language`), and are what Python calls; their facts are words of 64 bits.
"""
from __future__ import annotations

import ctypes
import functools
import struct
from array import array
from collections.abc import Callable
from typing import Any

from autograd_lite.native.engine import Library, keep as keep_for_good
from autograd_lite.native.language import function_of
from autograd_lite.native.llvm import Unit
from autograd_lite.native.objects import (Floats, Object, Objects, Words, as_floats, as_object, as_words,
                                          bytearray_at, bytes_at, call_0, call_1, call_many, cell_content,
                                          clear, dict_item, drop, error_is, float_of, function_code,
                                          function_defaults, function_keyword_defaults, keep, list_item,
                                          list_size, new_float, new_int, new_list, new_tuple, raised, run,
                                          set_list_item, set_tuple_item, size_of, stack, tuple_item,
                                          tuple_size, words_from)

DONE = -2                                       # what a program returns that came to its end
_FASTCALL, _NOARGS, _KEYWORDS = 0x0080, 0x0004, 0x0002


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
         "held", "before", "after", "arrays")
(_PROGRAM, _INPUTS, _OUT, _RESULT, _ORDINARY, _HOLDS, _TRUE, _READER, _CAPTURED, _NUMBERS, _HELD, _BEFORE,
 _AFTER, _ARRAYS) = range(len(FACTS))
_PIECES = len(FACTS)


def asked(question: Object, true: Object, exception: Object) -> int:
    """1 if a question's answer is True, 0 if not; −1 if an interruption came."""
    answer = call_0(question)
    if answer is None:
        if error_is(exception) & 4294967295 == 0:
            return -1
        clear()
        return 0
    drop(answer)
    return 1 if answer is true else 0


# The kinds of entries in a table of questions: (kind, asked, name or number, list, place), the list has what
# the answer was.
ITEM, ABSENT, CELL, FACT, SIZE = range(5)


def same(words: Words, nothing: Object) -> int:
    """1 if an entry's answer is what it was."""
    thing, found = as_object(words[1]), as_object(0)
    if words[0] == SIZE:
        return 1 if size_of(thing) == words[2] else 0
    if words[0] == ITEM or words[0] == ABSENT:
        found = dict_item(thing, as_object(words[2]))
    elif words[0] == CELL:
        found = cell_content(thing)
        if found is not None:
            drop(found)
    else:
        found = (function_code(thing) if words[2] == 0 else function_defaults(thing) if words[2] == 1 else
                 function_keyword_defaults(thing))
        if found is None:
            found = nothing
    before = as_object(0)
    if words[3] != 0:
        before = list_item(as_object(words[3]), words[4])
    return 1 if found is before else 0


def holding(table: Object, true: Object) -> int:
    """1 if all that a program reads is as it was, 0 if not; −1 if an interruption came."""
    words = as_words(bytearray_at(table))
    exception, fine = as_object(words[4]), 1
    for i in range(words[0]):
        if same(words_from(words, 5 + 5 * i), as_object(words[3])) == 0:
            clear()
            return asked(as_object(words[1]), true, exception)
    if words[2] != 0:
        fine = asked(as_object(words[2]), true, exception)
    if fine == 0:
        fine = asked(as_object(words[1]), true, exception)
    return fine


def copied(facts: Words, first: int, last: int) -> int:
    """Copy some pieces."""
    for i in range(first, last):
        at = _PIECES + 3 * i
        start, end = as_floats(facts[at]), as_floats(facts[at + 1])
        for k in range(facts[at + 2]):
            end[k] = start[k]
    return 0


def unchanged(facts: Words) -> int:
    """1 if the arrays have the memory, type and shape that they had. For each stand after the pieces: it, its
    memory, its type, and how many dimensions it has, and these."""
    at = _PIECES + 3 * (facts[_BEFORE] + facts[_AFTER])
    for i in range(facts[_ARRAYS]):
        array = as_words(as_object(facts[at]))  # (as NumPy lays arrays out, which is fixed)
        if array[2] != facts[at + 1] or array[7] != facts[at + 2] or array[3] & 4294967295 != facts[at + 3]:
            return 0
        shape = as_words(as_object(array[4]))
        for k in range(facts[at + 3]):
            if shape[k] != facts[at + 4 + k]:
                return 0
        at += 4 + facts[at + 3]
    return 1


def again(self: Object, nothing: Object) -> Object:
    """A program over arrays that stay where they are: always the same result."""
    facts = as_words(bytearray_at(self))
    if facts[_PROGRAM] == 0:
        return call_0(as_object(facts[_ORDINARY]))
    fine = holding(as_object(facts[_HOLDS]), as_object(facts[_TRUE]))
    if fine < 0:
        return None
    if fine == 0 or unchanged(facts) == 0:
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


# The facts of `direct`; the forms of arguments and then of the result follow: FLOAT, or twice the length of a
# tuple or list of floats, and 1 for a list.
DIRECT = ("program", "arguments", "numbers", "results", "ordinary", "holds", "true", "false", "reader",
          "captured", "held", "modes", "special", "float", "tuple", "list")
(_D_PROGRAM, _ARGUMENTS, _D_NUMBERS, _RESULTS, _D_ORDINARY, _D_HOLDS, _D_TRUE, _FALSE, _D_READER, _D_CAPTURED,
 _D_HELD, _MODES, _SPECIAL, _FLOAT, _TUPLE, _LIST) = range(len(DIRECT))
_FORMS, FLOAT = len(DIRECT), -1


def entered(facts: Words, args: Objects, to: Floats) -> int:
    """Put the numbers of the arguments into an array; 0 if these have other forms."""
    k = 0
    for i in range(facts[_ARGUMENTS]):
        x, form = args[i], facts[_FORMS + i]
        kind = as_words(x)[1]                   # (the type of an object is its second word)
        if form == FLOAT:
            if kind != facts[_FLOAT]:
                return 0
            to[k] = float_of(x)
            k += 1
        else:
            n = form >> 1
            if form & 1 == 1:
                if kind != facts[_LIST] or list_size(x) != n:
                    return 0
            elif kind != facts[_TUPLE] or tuple_size(x) != n:
                return 0
            for j in range(n):
                item = list_item(x, j) if form & 1 == 1 else tuple_item(x, j)
                if as_words(item)[1] != facts[_FLOAT]:
                    return 0
                to[k + j] = float_of(item)
            k += n
    return 1


def made(forms: Words, at: Words, out: Floats) -> Object:
    """The next part of a result; `at` counts forms and numbers."""
    form = forms[at[0]]
    at[0] += 1
    if form == FLOAT:
        at[1] += 1
        return new_float(out[at[1] - 1])
    n = form >> 1
    if form & 1 == 1:
        parts = new_list(n)
        for i in range(n):
            set_list_item(parts, i, made(forms, at, out))
        return parts
    whole = new_tuple(n)
    for i in range(n):
        set_tuple_item(whole, i, made(forms, at, out))
    return whole


def direct(self: Object, args: Objects, given: int, names: Object) -> Object:
    """A compiled function at arguments of the forms that it had before; else it is called as ever."""
    facts = as_words(bytearray_at(self))
    if names is None and given == facts[_ARGUMENTS] and dict_item(
            as_object(facts[_MODES]), as_object(facts[_SPECIAL])) is as_object(facts[_FALSE]):
        n, held = facts[_D_NUMBERS], facts[_D_HELD]
        inputs, out = stack(n + held), stack(facts[_RESULTS])
        fine = entered(facts, args, inputs)
        if fine == 1:
            fine = holding(as_object(facts[_D_HOLDS]), as_object(facts[_D_TRUE]))
        if fine < 0:
            return None
        if fine == 1:
            if held != 0:
                numbers = call_1(as_object(facts[_D_READER]), as_object(facts[_D_CAPTURED]))
                if numbers is None or read_list(numbers, held, inputs, n) == 0:
                    return None
                drop(numbers)
            if run(as_object(facts[_D_PROGRAM]), inputs, out) == DONE:
                at = as_words(stack(2))
                at[0] = at[1] = 0
                return made(words_from(facts, _FORMS + given), at, out)
    return call_many(as_object(facts[_D_ORDINARY]), args, given, names)


class _Definition(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("address", ctypes.c_void_p), ("flags", ctypes.c_int),
                ("doc", ctypes.c_char_p)]


@functools.cache
def _library() -> Library:
    unit = Unit()
    for f in (call, again, direct):
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


def in_buffers(program: int, results: int) -> Callable[..., Any]:
    """The same for many numbers; it returns the results in an array, which need not become floats."""
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(program)

    def run(*numbers: Any) -> array[float] | int:
        given, out = array("d", numbers[:-1]), array("d", bytes(8 * results))
        given.extend(numbers[-1])
        status: int = call(given.buffer_info()[0], out.buffer_info()[0])
        return out if status == DONE else status

    run.program = program  # type: ignore[attr-defined]                    # (it owns what it runs on)
    return run


def runner(facts: bytearray, owners: Any) -> Any:
    """A function of no arguments that runs what the facts say (see `FACTS`)."""
    return method("again", _NOARGS, facts, owners)


def shortened(facts: bytearray, owners: Any) -> Any:
    """A compiled function at the arguments that the facts say (see `DIRECT`)."""
    return method("direct", _FASTCALL | _KEYWORDS, facts, owners)
