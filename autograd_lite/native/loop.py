"""The loop over a program's tables (see `tables`), natively: what runs of nodes do, and what goes round them.

Each run is a call of a function ``(memory, table, count, to, arity, width)``: it computes `count` nodes, the
places of whose operands stand in the table, `arity` for each, and writes `width` numbers for each to the
memory, from place `to` on. The functions are in the small language, those of many lanes in LLVM.
"""
from __future__ import annotations

import ast
import functools
import math

from autograd_lite.native import runtime
from autograd_lite.native.engine import Library
from autograd_lite.native.kernels import Kernel, Routine
from autograd_lite.native.language import FLOAT, FLOATS, INTS, OBJECT, Function, function_of
from autograd_lite.native.llvm import Unit
from autograd_lite.native.objects import (Floats, Intrinsic, Ints, Words, as_floats, as_object, as_words,
                                          free_memory, new_memory)
from autograd_lite.ops import special

EAGER, DONE = -1, -2


def sums(m: Floats, t: Ints, count: int, to: int, arity: int, width: int) -> float:
    """(a·b + c·d)·e."""
    for i in range(count):
        j = 5 * i
        m[to + i] = (m[t[j]] * m[t[j + 1]] + m[t[j + 2]] * m[t[j + 3]]) * m[t[j + 4]]
    return 0.0


def gather(m: Floats, t: Ints, count: int, to: int, arity: int, width: int) -> float:
    """Copies."""
    for i in range(count):
        m[to + i] = m[t[i]]
    return 0.0


def copied(m: Floats, t: Ints, count: int, to: int, arity: int, width: int) -> float:
    """Copies, as nodes of many numbers."""
    for i in range(count * arity):
        m[to + i] = m[t[i]]
    return 0.0


def alone(m: Floats, t: Ints, count: int, to: int, terms: int, width: int) -> float:
    """Sums of products, one after another."""
    for i in range(count):
        first = 2 * terms * i
        total = m[t[first]] * m[t[first + 1]]
        for j in range(1, terms):
            total += m[t[first + 2 * j]] * m[t[first + 2 * j + 1]]
        m[to + i] = total
    return 0.0


def item(m: Floats, t: Ints, count: int, to: int, arity: int, width: int) -> float:
    """One of a list of numbers that lie at equal distances; nan if there is none."""
    for i in range(count):
        first = t[4 * i + 1]
        stride = t[4 * i + 2] - first
        last = t[4 * i + 3]
        x = m[t[4 * i]]
        at = last + 1
        if -2147483648.0 < x < 2147483648.0:
            at = first + int(x) * stride
            if x <= -1.0:
                at = last + (int(x) + 1) * stride
        y = runtime.nan
        if first <= at <= last:
            y = m[at]
        m[to + i] = y
    return 0.0


def added(m: Floats, t: Ints, count: int, to: int, arity: int, width: int) -> float:
    """Lists of zeros, to which terms are added at indices; nan if an index is none."""
    for i in range(count):
        first = to + i * width
        for j in range(width):
            m[first + j] = 0.0
        for j in range(arity * i, arity * (i + 1), 2):
            x = m[t[j]]
            at = width
            if -2147483648.0 < x < 2147483648.0:
                at = int(x)
                if x <= -1.0:
                    at = width + at
            if 0 <= at < width:
                m[first + at] += m[t[j + 1]]
            else:
                m[first] = runtime.nan
    return 0.0


def finite(m: Floats, t: Ints, count: int) -> int:
    """Whether the numbers at these places are all finite."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    i = 0
    while i + 3 < count:
        a += m[t[i]] - m[t[i]]
        b += m[t[i + 1]] - m[t[i + 1]]
        c += m[t[i + 2]] - m[t[i + 2]]
        d += m[t[i + 3]] - m[t[i + 3]]
        i += 4
    while i < count:
        a += m[t[i]] - m[t[i]]
        i += 1
    return 1 if a + b + c + d == 0.0 else 0


def judged(m: Floats, t: Ints, count: int) -> int:
    """The first of some events, in their order: triples (place, side, guard).

    On a side that is taken, the number at a place must be finite, or (of a guard, or where that is −2) be 1.
    """
    for i in range(count):
        x = m[t[3 * i]]
        if m[t[3 * i + 1]] != 0.0:
            if t[3 * i + 2] == -1:
                if x - x != 0.0:
                    return EAGER
            elif x != 1.0:
                return t[3 * i + 2] if t[3 * i + 2] >= 0 else EAGER
    return DONE


_LANES = """
define double @NAME(ptr noalias %m, ptr noalias %t, i64 %count, i64 %to, i64 %terms, i64 %width) ATTR {
entry:
  %dst = getelementptr double, ptr %m, i64 %to
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %block, label %end
block:
  %i = phi i64 [ 0, %entry ], [ %i1, %done ]
  %row = phi ptr [ %t, %entry ], [ %next, %done ]
  %out = phi ptr [ %dst, %entry ], [ %out1, %done ]
  %a0 = load i32, ptr %row
  %b0p = getelementptr i32, ptr %row, i64 1
  %b0 = load i32, ptr %b0p
  %pa0 = getelementptr double, ptr %m, i32 %a0
  %pb0 = getelementptr double, ptr %m, i32 %b0
  %x0 = load <8 x double>, ptr %pa0, align 8
  FIRST
  %s0 = fmul <8 x double> %x0, %y0
  %row1 = getelementptr i32, ptr %row, i64 2
  br label %term
term:
  %j = phi i64 [ 1, %block ], [ %j1, %term ]
  %at = phi ptr [ %row1, %block ], [ %at1, %term ]
  %s = phi <8 x double> [ %s0, %block ], [ %s1, %term ]
  %a = load i32, ptr %at
  %bp = getelementptr i32, ptr %at, i64 1
  %b = load i32, ptr %bp
  %pa = getelementptr double, ptr %m, i32 %a
  %pb = getelementptr double, ptr %m, i32 %b
  %x = load <8 x double>, ptr %pa, align 8
  OTHER
  %p = fmul <8 x double> %x, %y
  %s1 = fadd <8 x double> %s, %p
  %at1 = getelementptr i32, ptr %at, i64 2
  %j1 = add i64 %j, 1
  %more = icmp slt i64 %j1, %terms
  br i1 %more, label %term, label %done
done:
  store <8 x double> %s1, ptr %out, align 8
  %next = getelementptr i32, ptr %at1, i64 0
  %out1 = getelementptr double, ptr %out, i64 8
  %i1 = add i64 %i, 1
  %again = icmp slt i64 %i1, %count
  br i1 %again, label %block, label %end
end:
  ret double 0.0
}
"""


def _side_by_side(name: str, spread: bool, attributes: str) -> str:
    """Sums of products in lanes, their second factors one for all lanes, or one for each."""
    def second(y: str, pb: str) -> str:
        if not spread:
            return f"{y} = load <8 x double>, ptr {pb}, align 8"
        return (f"{y}s = load double, ptr {pb}\n"
                f"  {y}i = insertelement <8 x double> poison, double {y}s, i64 0\n"
                f"  {y} = shufflevector <8 x double> {y}i, <8 x double> poison, <8 x i32> zeroinitializer")
    return (_LANES.replace("NAME", name).replace("ATTR", attributes).replace("FIRST", second("%y0", "%pb0"))
            .replace("OTHER", second("%y", "%pb")))


# A program: the sizes and addresses of its arrays. `own` is its memory, with its constants, and `spare` this
# while no run uses it; a run that finds none takes one of its own.
FIELDS = ("spare", "own", "size", "inputs", "constants", "constant_numbers", "runs", "run_rows", "looks",
          "look_places", "others", "other_rows", "events", "event_rows", "outputs", "output_places")
(_SPARE, _OWN, _SIZE, _INPUTS, _CONSTANTS, _NUMBERS, _RUNS, _ROWS, _LOOKS, _LOOK_PLACES, _OTHERS, _OTHER_ROWS,
 _EVENTS, _EVENT_ROWS, _OUTPUTS, _OUTPUT_PLACES) = range(len(FIELDS))
_as_ints = Intrinsic(INTS, lambda x: f"inttoptr i64 {x} to ptr")
_floats_of = Intrinsic(FLOATS, lambda x: f"getelementptr double, ptr {x}, i64 0")
_taken = Intrinsic(OBJECT, lambda p: f"atomicrmw xchg ptr {p}, ptr null seq_cst")
_put_back = Intrinsic(OBJECT, lambda p, m: f"atomicrmw xchg ptr {p}, ptr {m} seq_cst")
_done = Intrinsic(FLOAT, lambda f, m, t, *more: f"call double {f}(ptr {m}, ptr {t}, "
                  f"{', '.join([f'i64 {x}' for x in more])})")


def replay(p: Words, inputs: Floats, out: Floats) -> int:
    """Run a program on a buffer of its inputs; DONE if its results are in the other, or what failed."""
    memory = _taken(p)
    if memory is None:
        memory = new_memory(8 * p[_SIZE])
        if memory is None:
            return EAGER
        constants, to = as_floats(p[_NUMBERS]), _floats_of(memory)
        for i in range(p[_CONSTANTS]):
            to[p[_INPUTS] + i] = constants[i]
    m, rows = _floats_of(memory), as_words(as_object(p[_ROWS]))
    for i in range(p[_INPUTS]):
        m[i] = inputs[i]
    for i in range(0, 6 * p[_RUNS], 6):
        _done(as_object(rows[i]), m, _as_ints(rows[i + 1]), rows[i + 2], rows[i + 3], rows[i + 4],
              rows[i + 5])
    status = judged(m, _as_ints(p[_OTHER_ROWS]), p[_OTHERS])
    if status != DONE or finite(m, _as_ints(p[_LOOK_PLACES]), p[_LOOKS]) == 0:
        status = judged(m, _as_ints(p[_EVENT_ROWS]), p[_EVENTS])
    places = _as_ints(p[_OUTPUT_PLACES])
    for i in range(p[_OUTPUTS]):
        out[i] = m[places[i]]
    if memory is as_object(p[_OWN]):
        _put_back(p, memory)
    else:
        free_memory(memory)
    return status


@functools.cache
def library() -> Library:
    """The loop, and the runs that all programs have."""
    import llvmlite.binding as llvm

    return Library(runs(llvm.get_host_cpu_features().get("avx2")))


def runs(avx2: bool) -> Unit:
    """Their text; with AVX2 eight lanes are two registers."""
    unit = Unit()
    for f in (sums, gather, copied, alone, item, added, replay):
        unit.add(function_of(f), f.__name__, public=True)
    attributes = "nounwind" + ' "target-features"="+avx,+avx2"' * bool(avx2)
    unit.texts += [_side_by_side(name, name == "spread", attributes) for name in ("spread", "side_by_side")]
    return unit


_MANY = {"added", "item", "copied"}


def addresses(kernels: list[Kernel]) -> list[int]:
    """The addresses of the five runs that all programs have, and of these kernels."""
    return [*[library()[name] for name in ("sums", "gather", "alone", "spread", "side_by_side")],
            *[_address(kernel.routine, kernel.arity * (not kernel.routine.many)) for kernel in kernels]]


@functools.lru_cache(maxsize=4096)
def _address(routine: Routine, arity: int) -> int:
    """The address of a routine's run. (A library for each, so that others find it in the cache.)"""
    if routine.many in _MANY:
        return library()[routine.many]
    return Library(run_of(routine, arity))["run"]


def run_of(routine: Routine, arity: int) -> Unit:
    """The text of a routine's run; a function of floats has so many."""
    unit = Unit()
    if routine.many:
        _of_list(unit, routine)
    else:
        _of_floats(unit, routine, arity)
    return unit


def _of_floats(unit: Unit, routine: Routine, arity: int) -> None:
    """A run that applies a function of floats."""
    lines = ["def run(m: Floats, t: Ints, count: int, to: int, arity: int, width: int) -> float:",
             "    for i in range(count):", *[f"        x{j} = m[t[{arity} * i + {j}]]" for j in range(arity)],
             f"        m[to + i] = {routine.text}", "    return 0.0"]
    tree = ast.parse("\n".join(lines)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    unit.add(Function(tree, {"math": math, **dict(routine.names)}), "run", public=True)


def _of_list(unit: Unit, routine: Routine) -> None:
    """A run that applies a function of lists."""
    function: Function = function_of(runtime.SEQUENCES[routine.many])
    inner = unit.add(function)
    given = "i64 %arity, ptr %xs" + ", ptr %parts" * ("parts" in function.params)
    if routine.many is special.shares:
        work = f"""
  %where = mul i64 %i, %arity
  %at = add i64 %to, %where
  %out = getelementptr double, ptr %m, i64 %at
  %unsure = call i64 @{inner}({given}, ptr %out)
  %fails = icmp ne i64 %unsure, 0
  br i1 %fails, label %fail, label %next
fail:
  store double 0x7FF8000000000000, ptr %out
  br label %next"""
    else:
        work = f"""
  %y = call double @{inner}({given})
  %at = add i64 %to, %i
  %out = getelementptr double, ptr %m, i64 %at
  store double %y, ptr %out
  br label %next"""
    unit.texts.append(f"""
define double @run(ptr %m, ptr %t, i64 %count, i64 %to, i64 %arity, i64 %width) nounwind {{
entry:
  %xs = alloca double, i64 %arity
  %parts = alloca double, i64 %arity
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %read, label %end
read:
  %j = phi i64 [ 0, %each ], [ %j1, %reading ]
  %left = icmp slt i64 %j, %arity
  br i1 %left, label %reading, label %work
reading:
  %row = mul i64 %i, %arity
  %place = add i64 %row, %j
  %pp = getelementptr i32, ptr %t, i64 %place
  %p = load i32, ptr %pp
  %xp = getelementptr double, ptr %m, i32 %p
  %x = load double, ptr %xp
  %xto = getelementptr double, ptr %xs, i64 %j
  store double %x, ptr %xto
  %j1 = add i64 %j, 1
  br label %read
work:{work}
next:
  %i1 = add i64 %i, 1
  br label %each
end:
  ret double 0.0
}}
""")
