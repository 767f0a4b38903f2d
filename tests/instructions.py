"""Something done, or an exception raised, before a chosen instruction of some functions."""
import contextlib
import sys


class Interrupt(BaseException):
    """Raised at a chosen instruction, as Ctrl-C or a lack of memory would be."""


def codes_of(*modules, without=()):
    """The code of the functions, methods and properties of modules."""
    for home in modules:
        mine = [x for x in vars(home).values() if getattr(x, "__module__", "") == home.__name__]
        parts = [part for kind in mine if isinstance(kind, type) for part in vars(kind).values()]
        for thing in (*mine, *parts):
            for f in (thing.fget, thing.fset) if isinstance(thing, property) else (thing,):
                if hasattr(f, "__code__") and f.__name__ not in without:
                    yield f.__code__


@contextlib.contextmanager
def at_instruction(instruction, codes, act):
    """Do something before the given instruction of these, counted from here on."""
    left = instruction

    def count(*_):
        nonlocal left
        left -= 1
        if left == 0:
            act()

    with (each_instruction if sys.version_info < (3, 12) else each_instruction_monitored)(count, codes):
        yield lambda: left


def interrupted_at(instruction, codes):
    """Raise before the given instruction of these."""
    def interrupt():
        raise Interrupt

    return at_instruction(instruction, codes, interrupt)


def let_go(lock):
    """Release a lock interrupted where no signal comes: between its taking and the block under it."""
    while lock._is_owned():
        lock.release()


@contextlib.contextmanager
def each_instruction(count, codes):
    def trace(frame, event, arg):
        if frame.f_code not in codes:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            count()
        return trace

    outer = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(outer)


@contextlib.contextmanager
def each_instruction_monitored(count, codes):
    """The same since Python 3.12, whose traces do not see every instruction."""
    monitoring = sys.monitoring
    monitoring.use_tool_id(monitoring.DEBUGGER_ID, "interruptions")
    monitoring.register_callback(monitoring.DEBUGGER_ID, monitoring.events.INSTRUCTION, count)
    for code in codes:
        monitoring.set_local_events(monitoring.DEBUGGER_ID, code, monitoring.events.INSTRUCTION)
    try:
        yield
    finally:
        for code in codes:
            monitoring.set_local_events(monitoring.DEBUGGER_ID, code, 0)
        monitoring.register_callback(monitoring.DEBUGGER_ID, monitoring.events.INSTRUCTION, None)
        monitoring.free_tool_id(monitoring.DEBUGGER_ID)
