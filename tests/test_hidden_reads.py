"""What a function reads in ways that no table of names shows: each change of it is seen, or it is refused."""
import abc
import argparse
import array
import builtins
import collections
import configparser
import contextvars
import ctypes
import decimal
import functools
import importlib
import io
import itertools
import json
import numbers
import operator
import os
import queue
import sqlite3
import sys
import threading
import types
import typing
import weakref
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value, compile

SEEN, REFUSED = {}, {}


def seen(case):
    """A case: it gives a function, and what changes what the function reads from 2.0 to 3.0."""
    SEEN[case.__name__] = case
    return case


def refused(case):
    """A case: it gives a function that reads what cannot be compared."""
    REFUSED[case.__name__] = case
    return case


class Rate:
    rate = 2.0

    def read(self):
        return self.rate


class Other:
    rate = 3.0

    def read(self):
        return 3.0


def put(thing, key, value=3.0):
    return lambda: thing.__setitem__(key, value)


def setting(thing, name, value=3.0):
    return lambda: setattr(thing, name, value)


# -- seen ------------------------------------------------------------------------------------------------

@seen
def of_this_thread():
    held = threading.local()
    held.rate = 2.0
    return lambda x: x * held.rate, setting(held, "rate")


@seen
def of_this_thread_by_a_class_of_the_users():
    class Held(threading.local):
        rate = 2.0
    held = Held()
    return lambda x: x * held.rate, setting(Held, "rate")


@seen
def behind_a_weak_proxy():
    thing = Rate()
    proxy = weakref.proxy(thing)
    return lambda x: x * proxy.rate, lambda: setattr(thing, "rate", 3.0)


@seen
def behind_a_weak_method():
    thing = Rate()
    method = weakref.WeakMethod(thing.read)
    return lambda x: x * method()(), lambda: setattr(thing, "rate", 3.0)


@seen
def in_a_weak_set():
    thing = Rate()
    things = weakref.WeakSet([thing])
    return lambda x: x * sum([one.rate for one in things]), lambda: setattr(thing, "rate", 3.0)


@seen
def values_of_a_dict():
    rates = {"a": 2.0}
    view = rates.values()
    return lambda x: x * sum(view), put(rates, "a")


@seen
def items_of_an_ordered_dict():
    rates = collections.OrderedDict(a=2.0)
    view = rates.items()
    return lambda x: x * sum([rate for _, rate in view]), put(rates, "a")


@seen
def keys_of_a_dict():
    rates = {1: None, 2: None}
    view = rates.keys()
    return lambda x: x * len(view), put(rates, 3)


@seen
def one_of_the_builtins():
    builtins.rate_of_test = 2.0
    return lambda x: x * rate_of_test, setting(builtins, "rate_of_test")  # noqa: F821


@seen
def a_builtin_that_is_replaced():
    def change():
        builtins.rounded_of_test = lambda x: 3.0
    builtins.rounded_of_test = round
    return lambda x: x * rounded_of_test(2.1), change  # noqa: F821


@seen
def a_variable_of_the_process():
    os.environ["RATE_OF_TEST"] = "2.0"
    return lambda x: x * float(os.getenv("RATE_OF_TEST")), put(os.environ, "RATE_OF_TEST", "3.0")


@seen
def the_working_directory():
    here = os.getcwd()

    def change():
        os.chdir("/")
        CLEAN_UP.append(lambda: os.chdir(here))
    return lambda x: x * len(os.getcwd()), change


@seen
def a_setting_of_the_interpreter():
    limit = sys.getrecursionlimit()

    def change():
        sys.setrecursionlimit(limit + 1)
        CLEAN_UP.append(lambda: sys.setrecursionlimit(limit))
    return lambda x: x * sys.getrecursionlimit(), change


@seen
def the_context_of_decimals():
    def change():
        context = decimal.getcontext()
        CLEAN_UP.append(lambda prec=context.prec: setattr(context, "prec", prec))
        context.prec = 4
    return lambda x: x * float(decimal.Decimal(1) / decimal.Decimal(3)), change


@seen
def a_context_of_decimals():
    context = decimal.Context(prec=2)
    return lambda x: x * context.prec, setting(context, "prec", 3)


@seen
def a_setting_of_numpy():
    def change():
        before = np.seterr(divide="ignore" if np.geterr()["divide"] == "warn" else "warn")
        CLEAN_UP.append(lambda: np.seterr(**before))
    return lambda x: x * (2.0 if np.geterr()["divide"] == "warn" else 3.0), change


@seen
def a_label():
    value = Value(2.0, "a")
    return lambda x: x * value * len(value.label), setting(value, "label", "abc")


@seen
def a_scope():
    value = Value(2.0, "a")
    return lambda x: x * value * len(value.scope), setting(value, "scope", ["layer"])


@seen
def the_text_of_a_value():
    value = Value(2.0, "a")
    return lambda x: x * len(f"{value}") + len(str(value)), setting(value, "label", "abc")


@seen
def the_gradient_in_the_text_of_a_value():
    value = Value(2.0)
    return lambda x: x * len(repr(value)), setting(value, "grad", 30.25)


@seen
def the_class_of_an_object():
    thing = Rate()
    return lambda x: x * thing.rate, setting(thing, "__class__", Other)


@seen
def the_class_of_one_of_many():
    things = [Rate() for _ in range(20)]
    return lambda x: x * sum([thing.read() for thing in things]), setting(things[7], "__class__", Other)


@seen
def the_class_of_an_object_of_slots():
    class One:
        __slots__ = ("depth",)
        rate = 2.0

    class Two:
        __slots__ = ("depth",)
        rate = 3.0
    thing = One()
    return lambda x: x * (thing.rate if isinstance(thing, One) else 7.0), setting(thing, "__class__", Two)


@seen
def the_class_of_a_module():
    class Module(types.ModuleType):
        rate = 2.0

    class Changed(types.ModuleType):
        rate = 3.0
    module = types.ModuleType("module_of_test")
    module.__class__ = Module
    return lambda x: x * module.rate, setting(module, "__class__", Changed)


@seen
def the_bases_of_a_class():
    class Base:
        rate = 2.0

    class Changed:
        rate = 3.0

    class Derived(Base):
        pass
    thing = Derived()
    return lambda x: x * thing.rate, setting(Derived, "__bases__", (Changed,))


@seen
def the_subclasses_of_a_class():
    class Base:
        pass
    more = []
    return lambda x: x * len(Base.__subclasses__()), lambda: more.append(type("More", (Base,), {}))


@seen
def the_name_of_a_class():
    class Base:
        pass
    return lambda x: x * len(Base.__name__), setting(Base, "__name__", "Other")


@seen
def the_name_of_a_function():
    def helper():
        pass
    return lambda x: x * len(helper.__name__), setting(helper, "__name__", "other")


@seen
def the_annotations_of_a_function():
    def helper(x: float):
        pass
    return lambda x: x * len(helper.__annotations__), lambda: put(helper.__annotations__, "y")()


@seen
def a_view_of_bytes():
    held = array.array("d", [2.0])
    view = memoryview(held)
    return lambda x: x * view[0], put(held, 0)


@seen
def a_view_of_an_array():
    held = np.array([1.0, 2.0])
    view = memoryview(held)[::-1]
    return lambda x: x * view[0], put(held, 1)


@seen
def a_number_of_ctypes():
    number = ctypes.c_double(2.0)
    return lambda x: x * number.value, setting(number, "value")


@seen
def an_array_of_ctypes():
    numbers = (ctypes.c_double * 2)(1.0, 2.0)
    return lambda x: x * numbers[1], put(numbers, 1)


@seen
def an_array_of_records_that_hold_objects():
    rates = [2.0]
    records = np.zeros(1, [("a", "f8"), ("b", "O")])
    records["b"][0] = rates
    return lambda x: x * records["b"][0][0], put(rates, 0)


@seen
def the_order_of_an_ordered_dict():
    rates = collections.OrderedDict(a=2.0, b=3.0)
    return lambda x: x * next(iter(rates.values())), lambda: rates.move_to_end("a")


@seen
def the_length_of_a_deque():
    held = [collections.deque([1.0], maxlen=2)]
    return lambda x: x * held[0].maxlen, put(held, 0, collections.deque([1.0], maxlen=3))


@seen
def the_default_of_a_dict():
    rates = [2.0]
    table = collections.defaultdict(lambda: rates[0])

    def f(x):
        y = x * table["a"]
        table.clear()
        return y
    return f, put(rates, 0)


@seen
def a_closure_cell():
    rate = 2.0

    def read():
        return rate
    cell = read.__closure__[0]
    return lambda x: x * cell.cell_contents, setting(cell, "cell_contents")


@seen
def a_text_stream():
    stream = io.StringIO("2.0")
    return lambda x: x * float(stream.getvalue()), lambda: (stream.seek(0), stream.write("3.0"))


@seen
def the_arguments_of_an_error():
    error = ValueError(2.0)
    return lambda x: x * error.args[0], setting(error, "args", (3.0,))


@seen
def a_module_imported_by_its_name():
    module = sys.modules["module_of_test"] = types.ModuleType("module_of_test")
    module.rate = 2.0
    return lambda x: x * importlib.import_module("module_of_test").rate, setting(module, "rate")


@seen
def a_module_imported_by_hand():
    module = sys.modules["module_of_test"] = types.ModuleType("module_of_test")
    module.rate = 2.0
    return lambda x: x * __import__("module_of_test").rate, setting(module, "rate")


@seen
def methods_by_super():
    class Derived(Rate):
        pass
    parent = super(Derived, Derived())
    before = Rate.read

    def change():
        Rate.read = lambda self: 3.0
        CLEAN_UP.append(lambda: setattr(Rate, "read", before))
    return lambda x: x * parent.read(), change


@seen
def a_context():
    rate = contextvars.ContextVar("rate", default=2.0)
    context = contextvars.copy_context()
    return lambda x: x * context.get(rate, 2.0), lambda: context.run(rate.set, 3.0)


@seen
def a_part_of_a_configuration():
    parser = configparser.ConfigParser()
    parser["model"] = {"rate": "2.0"}
    part = parser["model"]
    return lambda x: x * part.getfloat("rate"), put(part, "rate", "3.0")


@seen
def the_setter_of_a_property():
    rates = [2.0]

    class Held:
        @property
        def depth(self):
            return self.kept

        @depth.setter
        def depth(self, depth):
            self.kept = depth * rates[0]

    def f(x):
        held = Held()
        held.depth = x
        return held.depth
    return f, put(rates, 0)


@seen
def a_setter_of_what_is_only_set():
    rates = [2.0]

    class Held:
        depth = property(None, lambda self, depth: setattr(self, "kept", depth * rates[0]))

    def f(x):
        held = Held()
        held.depth = x
        return held.kept
    return f, put(rates, 0)


@seen
def a_deleter():
    rates = [2.0]

    class Held:
        depth = property(None, None, lambda self: setattr(self, "kept", rates[0]))

    def f(x):
        held = Held()
        del held.depth
        return x * held.kept
    return f, put(rates, 0)


@seen
def a_descriptor_that_only_sets():
    rates = [2.0]

    class Scaled:
        def __set__(self, thing, depth):
            thing.kept = depth * rates[0]

    class Held:
        depth = Scaled()

    def f(x):
        held = Held()
        held.depth = x
        return held.kept
    return f, put(rates, 0)


@seen
def a_setter_that_comes():
    class Held:
        def __init__(self):
            self.kept = 2.0

    def f(x):
        held = Held()
        held.depth = 3.0
        return x * held.kept
    return f, lambda: setattr(Held, "depth", property(None, lambda self, depth: setattr(self, "kept", depth)))


@seen
def a_property_of_the_users_own_kind():
    class Scaled(property):
        rate = 2.0

        def __get__(self, thing, cls=None):
            return super().__get__(thing, cls) * self.rate

    class Held:
        @Scaled
        def depth(self):
            return 1.0
    return lambda x: x * Held().depth, setting(vars(Held)["depth"], "rate")


@seen
def a_class_of_properties():
    class Scaled(property):
        rate = 2.0

        def __get__(self, thing, cls=None):
            return super().__get__(thing, cls) * self.rate

    class Held:
        @Scaled
        def depth(self):
            return 1.0
    return lambda x: x * Held().depth, setting(Scaled, "rate")


@seen
def a_static_method_of_the_users_own_kind():
    class Scaled(staticmethod):
        rate = 2.0

        def __get__(self, thing, cls=None):
            return lambda x: self.__func__(x) * self.rate

    class Held:
        @Scaled
        def depth(x):
            return x
    return lambda x: Held.depth(x), setting(vars(Held)["depth"], "rate")


@seen
def an_attribute_of_a_function_that_comes():
    def helper(x):
        return x
    return lambda x: x * (3.0 if hasattr(helper, "rate") else 2.0), setting(helper, "rate")


@seen
def an_attribute_that_comes_to_a_function_with_others():
    def helper(x):
        return x * getattr(helper, "rate", 2.0) * helper.one
    helper.one = 1.0
    return lambda x: helper(x), setting(helper, "rate")


@seen
def a_function_that_compares():
    rates = [2.0]
    key = functools.cmp_to_key(lambda a, b: (a > b) - (a < b) if rates[0] < 3.0 else (a < b) - (a > b))
    return lambda x: x * sorted([2.0, 3.0], key=key)[0], put(rates, 0)


@seen
def a_namespace_of_the_command_line_in_another():
    parsed = argparse.Namespace(model=argparse.Namespace(rate=2.0))
    return lambda x: x * parsed.model.rate, setting(parsed.model, "rate")


@seen
def dicts_of_collections_in_others():
    table = collections.UserDict(a=collections.ChainMap({}, collections.UserDict(rate=2.0)))
    return lambda x: x * table["a"]["rate"], put(table["a"].maps[1], "rate")


@seen
def an_attribute_that_comes_to_anothers_module():
    CLEAN_UP.append(lambda: delattr(json, "our_rate"))
    return lambda x: x * getattr(json, "our_rate", 2.0), setting(json, "our_rate")


@seen
def a_class_that_is_registered_with_an_abstract_one():
    class Rated(abc.ABC):
        pass

    class Plain:
        pass
    thing = Plain()
    return lambda x: x * (3.0 if isinstance(thing, Rated) else 2.0), lambda: Rated.register(Plain)


@seen
def a_class_that_is_registered_with_one_of_pythons():
    class Plain:
        pass

    def f(x):
        match [Plain]:
            case [kind] if issubclass(kind, numbers.Real):
                return x * 3.0
        return x * 2.0
    return f, lambda: numbers.Real.register(Plain)


@seen
def a_member_of_a_protocol():
    @typing.runtime_checkable
    class Rated(typing.Protocol):
        late: float
    thing = Rate()
    return lambda x: x * (3.0 if isinstance(thing, Rated) else 2.0), setting(thing, "late")


@seen
def an_attribute_named_in_a_format():
    rate, text = Rate(), "{0.rate}"
    return lambda x: x * float(text.format(rate)), setting(rate, "rate")


@seen
def an_attribute_named_in_a_format_in_a_list():
    rate, texts = Rate(), ["one", "{by.rate:.3f}"]
    return lambda x: x * float(texts[1].format_map({"by": rate})), setting(rate, "rate")


@seen
def an_attribute_named_in_a_format_in_pieces():
    rate, texts = Rate(), ["{0.", "rate}"]
    return lambda x: x * float("".join(texts).format(rate)), setting(rate, "rate")


@seen
def what_numpy_cannot_read_of_another_package():
    thing = type("Tensor", (), {"__module__": "json", "__array__": lambda self: operator.not_there})()
    thing.rate = 2.0
    return lambda x: x * thing.rate, setting(thing, "rate")


@seen
def what_numpy_can_read_of_another_package():
    """(As in pandas, it lies two objects deep, where nobody looks.)"""
    table, inner = [type(name, (), {"__module__": "json"})() for name in ("Table", "Inner")]
    type(table).__array__ = lambda self, dtype=None, copy=None: np.array(self.inner.entries)
    table.inner, inner.entries = inner, [1.0, 2.0]
    return lambda x: x * float(np.asarray(table)[1]), put(inner.entries, 1)


CLEAN_UP = []


@pytest.mark.parametrize("name", SEEN)
def test_a_change_is_seen(name):
    f, change = SEEN[name]()
    fast = compile(lambda x: f(x))
    try:
        for x in (1.5, 2.5, 3.5):
            assert fast(x) == number(f(x))
        before = fast(4.5)
        change()
        assert fast(4.5) == number(f(4.5)) != before
    finally:
        while CLEAN_UP:
            CLEAN_UP.pop()()


def number(x):
    return x.data if isinstance(x, Value) else x


def test_threads_have_their_own():
    held, found = threading.local(), []
    held.rate = 2.0
    fast = compile(lambda x: x * held.rate)

    def work():
        held.rate = 3.0
        found.append(fast(1.0))
    assert fast(1.0) == 2.0
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [3.0] and fast(1.0) == 2.0


# -- refused ---------------------------------------------------------------------------------------------

@refused
def an_iterator():
    return iter([2.0, 3.0]), next, "a list_iterator"


@refused
def a_generator():
    return (x for x in [2.0, 3.0]), next, "a generator"


@refused
def a_count():
    return itertools.count(), next, "a count"


@refused
def a_map():
    return map(float, [2, 3]), next, "a map"


@refused
def what_is_left_of_an_iterator():
    return reversed([2.0, 3.0]), operator.length_hint, "a list_reverseiterator"


@refused
def a_flat_array():
    return np.zeros(3).flat, lambda it: float(it[0]), "a flatiter"


@refused
def a_queue():
    return queue.SimpleQueue(), lambda held: held.qsize(), "a SimpleQueue"


@refused
def a_database():
    return sqlite3.connect(":memory:"), lambda held: held.execute("select 1").fetchone()[0], "a Connection"


@refused
def a_tree():
    return ElementTree.fromstring("<a rate='2'/>"), lambda held: float(held.get("rate")), "a Element"


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_compared_is_refused_by_name(name, request):
    held, read, kind = REFUSED[name]()
    if isinstance(held, sqlite3.Connection):
        request.addfinalizer(held.close)
    for fast in (compile(lambda x: x * read(held)), compile(lambda x: x * read(held), target=np)):
        with pytest.raises(ag.InputError, match=f"reads the closure variable 'held', {kind}, which may give "
                                                "something else at each call: pass"):
            fast(1.0)


def test_a_file_that_is_written_to_is_not_refused(tmp_path):
    with open(tmp_path / "log", "w") as log:
        assert compile(lambda x: (print("called", file=log), x * 2.0)[1])(1.0) == 2.0
