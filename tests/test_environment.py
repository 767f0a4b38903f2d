"""What a function reads apart from its arguments is found, and a change of it is noticed and named."""
import contextvars
import copy
import enum
import functools
import operator
import random
import sys
import types
import weakref
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value, nn, no_grad
from autograd_lite.programs import environment as environment_module, names
from autograd_lite.programs.environment import Environment, drawn, random_state

rate = 0.1
unrelated = 1.0
limits = {"inner": {"top": [1.0, 2.0]}, "flat": 3.0}
config = types.ModuleType("config")
config.rate, config.unread = 0.1, 1.0
CASES = {}


def reading(message, old=0.1, new=0.2):
    """A case: a function that gives f, and what sets the number that f reads."""
    def keep(case):
        CASES[case.__name__] = (case, message, old, new)
        return case
    return keep


def setter(thing, name):
    return lambda x: setattr(thing, name, x)


def put(thing, key):
    return lambda x: thing.__setitem__(key, x)


def set_global(x):
    globals()["rate"] = x


def calls_a_helper(x):
    return helper(x) * 2.0


def helper(x):
    def inner(y):
        return y * rate
    return inner(x)


class Settings:
    factor = 0.1

    def __init__(self, **held):
        self.count = 0
        for name, x in held.items():
            setattr(self, name, x)

    @property
    def doubled(self):
        return self._hidden * 2.0

    @functools.cached_property
    def cached(self):
        return self.depth * 1.0

    def method(self, x):
        return self.depth * x

    def __call__(self, x):
        return self.depth * x

    @classmethod
    def of_class(cls, x):
        return cls.factor * x

    @staticmethod
    def static(x):
        return rate * x


class Derived(Settings):
    pass


class Slotted:
    __slots__ = ("first", "second")

    def __init__(self):
        self.first = 0.1


@dataclass
class Options:
    rate: float = 0.1
    other: list[float] = field(default_factory=lambda: [1.0])


@dataclass(slots=True)
class SlottedOptions:
    rate: float = 0.1


class Pair(NamedTuple):
    low: float
    high: float


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Line(nn.Module):
    def __init__(self):
        self.slope, self.scale = Value(2.0), 0.1
        self.layers = [nn.Layer(2, 2)]

    def __call__(self, x):
        return self.slope * x * self.scale


@reading("the closure variable 'factor' was 0.1 and is 0.2")
def a_closure_cell():
    factor = 0.1

    def change(x):
        nonlocal factor
        factor = x
    return lambda x: factor * x, change


@reading("the global 'rate' was 0.1 and is 0.2")
def a_global():
    return lambda x: x * rate, set_global


@reading("the global 'rate' (read by helper)")
def a_global_in_a_function_within_a_helper():
    return calls_a_helper, set_global


@reading("the global 'rate'")
def a_global_in_a_comprehension():
    return lambda x: sum([x * rate for _ in range(3)]), set_global


@reading("the global 'rate'")
def a_global_in_a_generator():
    return lambda x: sum(x * rate for _ in range(3)), set_global


@reading("the global 'rate'")
def a_global_by_its_name_in_a_text():
    return lambda x: x * globals()["rate"], set_global


@reading("the global 'rate'")
def a_global_in_eval():
    return lambda x: x * eval("rate * 2"), set_global


@reading("the global 'rate'")
def a_global_of_any_name():
    held = {"rate": 0.1, "__name__": "a_small_module"}      # (of a large one it looks at all that there is)
    f = eval('lambda x: x * globals()["ra" + "TE".lower()]', held)
    return f, lambda x: held.update(rate=x)


@reading("config.rate was 0.1 and is 0.2")
def an_attribute_of_any_name_of_a_module():
    return lambda x: x * getattr(config, "ra" + "TE".lower()), setter(config, "rate")


@reading("config.rate was 0.1 and is 0.2")
def an_attribute_of_a_module():
    return lambda x: x * config.rate, setter(config, "rate")


@reading("settings_of_test.rate was 0.1 and is 0.2")
def a_module_imported_in_the_function():
    module = sys.modules["settings_of_test"] = types.ModuleType("settings_of_test")
    module.rate = 0.1

    def f(x):
        import settings_of_test
        return x * settings_of_test.rate
    return f, setter(module, "rate")


@reading("settings_of_test.rate was 0.1 and is 0.2")
def a_name_imported_from_a_module_in_the_function():
    module = sys.modules["settings_of_test"] = types.ModuleType("settings_of_test")
    module.rate = 0.1

    def f(x):
        from settings_of_test import rate
        return x * rate
    return f, setter(module, "rate")


@reading("Settings.factor was 0.1 and is 0.2")
def an_attribute_of_a_class():
    return lambda x: x * Settings.factor, setter(Settings, "factor")


@reading("Settings.factor was 0.1 and is 0.2")
def an_attribute_of_a_base_class_through_an_object():
    thing = Derived()
    return lambda x: x * thing.factor, setter(Settings, "factor")


@reading("Settings.factor was 0.1 and is 0.2")
def an_attribute_in_a_class_method():
    thing = Derived()
    return lambda x: thing.of_class(x), setter(Settings, "factor")


@reading("the global 'rate'")
def a_global_in_a_static_method():
    thing = Derived()
    return lambda x: thing.static(x), set_global


@reading("top.middle.below.rate was 0.1 and is 0.2")
def an_attribute_at_depth_three():
    top = Settings(middle=Settings(below=SimpleNamespace(rate=0.1)))
    return lambda x: x * top.middle.below.rate, setter(top.middle.below, "rate")


@reading("self.depth was 0.1 and is 0.2")
def an_attribute_in_a_bound_method():
    thing = Settings(depth=0.1)
    return thing.method, setter(thing, "depth")


@reading("depth was 0.1 and is 0.2")
def an_attribute_in_a_callable_object():
    thing = Settings(depth=0.1)
    return thing, setter(thing, "depth")


@reading("thing._hidden was 0.1 and is 0.2")
def an_attribute_that_a_property_reads():
    thing = Settings(_hidden=0.1)
    return lambda x: x * thing.doubled, setter(thing, "_hidden")


@reading("thing.depth was 0.1 and is 0.2")
def an_attribute_that_a_cached_property_reads():
    thing = Settings(depth=0.1)
    return lambda x: x * thing.cached, setter(thing, "depth")


@reading("thing.first was 0.1 and is 0.2")
def a_slot():
    thing = Slotted()
    return lambda x: x * thing.first, setter(thing, "first")


@reading("thing.rate was 0.1 and is 0.2")
def a_slot_of_a_dataclass():
    thing = SlottedOptions()
    return lambda x: x * thing.rate, setter(thing, "rate")


@reading("options.rate was 0.1 and is 0.2")
def a_field_of_a_dataclass():
    options = Options()
    return lambda x: x * options.rate, setter(options, "rate")


@reading("options.other[0] was 0.1 and is 0.2")
def an_entry_in_a_field_of_a_dataclass():
    options = Options(other=[0.1, 1.0])
    return lambda x: x * options.other[0], put(options.other, 0)


@reading("weights[2] was 0.1 and is 0.2")
def an_entry_of_a_list():
    weights = [1.0, 2.0, 0.1]
    return lambda x: x * weights[2], put(weights, 2)


@reading("weights[2] was 0.1 and is 0.2")
def an_entry_of_a_list_with_others():
    weights = [Value(1.0), {}, 0.1]
    return lambda x: x * weights[2], put(weights, 2)


@reading("limits['inner']['top'][1]")
def an_entry_of_a_nested_dict():
    limits["inner"]["top"][1] = 0.1
    return lambda x: x * limits["inner"]["top"][1], put(limits["inner"]["top"], 1)


@reading("pair.high was 0.1 and is 0.2", Pair(1.0, 0.1), Pair(1.0, 0.2))
def a_named_tuple_that_is_replaced():
    pair = Pair(1.0, 0.1)

    def change(x):
        nonlocal pair
        pair = Pair(*x)
    # (plain fields of a tuple are compared together)
    return lambda x: x * pair.high, change


@reading("weights[1] was 0.1 and is 0.2")
def an_entry_of_a_deque():
    weights = deque([1.0, 0.1], maxlen=2)
    return lambda x: x * weights[1], put(weights, 1)


@reading("table['a'] was 0.1 and is 0.2")
def an_entry_of_a_derived_dict():
    table = OrderedDict(a=0.1)
    return lambda x: x * table["a"], put(table, "a")


@reading("table['a'] was 0.1 and is 0.2")
def an_entry_of_a_dict_through_a_proxy():
    held = {"a": 0.1}
    table = types.MappingProxyType(held)
    return lambda x: x * table["a"], put(held, "a")


@reading("table.data['a']")
def an_entry_of_a_user_dict():
    from collections import UserDict
    table = UserDict(a=0.1)
    return lambda x: x * table["a"], put(table, "a")


@reading("the content of the closure variable 'array' has changed")
def an_entry_of_an_array():
    array = np.array([1.0, 0.1])
    return lambda x: x * array[1], put(array, 1)


@reading("array[1] was 0.1 and is 0.2")
def an_entry_of_an_object_array():
    array = np.array([Value(1.0), 0.1], dtype=object)
    return lambda x: x * array[1], put(array, 1)


@reading("the closure variable 'number' ", np.float64(0.1), np.float64(0.2))
def a_numpy_number():
    number = np.float64(0.1)

    def change(x):
        nonlocal number
        number = np.float64(x)
    return lambda x: x * number, change


@reading("the default of 'factor' was 0.1 and is 0.2", (0.1,), (0.2,))
def a_default():
    def f(x, factor=0.1):
        return x * factor
    return f, lambda x: setattr(f, "__defaults__", tuple(list(x)))


@reading("the default of 'factor' was 0.1 and is 0.2")
def a_keyword_default():
    def f(x, *, factor=0.1):
        return x * factor
    return f, put(f.__kwdefaults__, "factor")


@reading("the argument 'factor' of a partial was 0.1 and is 0.2")
def an_argument_of_a_partial():
    f = functools.partial(lambda x, factor: x * factor, factor=0.1)
    return f, put(f.keywords, "factor")


@reading("args[0][0] was 0.1", 0.1, 0.2)
def an_entry_of_an_argument_of_a_partial():
    held = [0.1]
    return functools.partial(lambda w, x: x * w[0], held), put(held, 0)


@reading("the closure variable 'factor'")
def a_cell_of_a_function_that_a_decorator_wraps():
    factor = 0.1

    def decorate(g):
        return functools.wraps(g)(lambda *args: g(*args))

    @decorate
    def f(x):
        return x * factor

    def change(x):
        nonlocal factor
        factor = x
    return f, change


@reading("the closure variable 'factor'")
def a_cell_of_a_function_in_a_mode_or_a_cache():
    factor = 0.1

    @functools.lru_cache
    @no_grad()
    def f(x):
        return x * factor

    def change(x):
        nonlocal factor
        factor = x
    return f, change


@reading("the global 'rate'")
def a_global_in_a_lambda_in_a_dict():
    table = {"act": lambda x: x * rate}
    return lambda x: table["act"](x), set_global


@reading("the global 'rate'")
def a_global_in_a_gradient():
    return ag.grad(lambda x: x * rate), set_global


@reading("the global 'rate'")
def a_global_in_a_gradient_that_is_called():
    inner = ag.value_and_grad(lambda x: x * x * rate)
    return lambda x: inner(x)[0], set_global


@reading("thing.depth was 0.1 and is 0.2")
def an_attribute_named_in_getattr():
    thing = Settings(depth=0.1)
    return lambda x: x * getattr(thing, "depth"), setter(thing, "depth")


@reading("thing.depth was 0.1 and is 0.2")
def an_attribute_of_any_name():
    thing = Settings(depth=0.1)
    return lambda x: x * getattr(thing, "dep" + "TH".lower()), setter(thing, "depth")


@reading("thing.depth was 0.1 and is 0.2")
def an_attribute_through_vars():
    thing = Settings(depth=0.1)
    return lambda x: x * sum(vars(thing).values()), setter(thing, "depth")


@reading("'depth' of the closure variable 'thing' is new", None, 0.2)
def an_attribute_that_was_not_there():
    thing = Settings()

    def change(x):
        vars(thing).pop("depth", None)
        if x is not None:
            thing.depth = x
    return lambda x: x * getattr(thing, "depth", 1.0), change


@reading("thing.first was 0.1 and is missing", True, False)
def a_slot_that_is_emptied():
    thing = Slotted()

    def change(there):
        del thing.first
        if there:
            thing.first = 0.1
    thing.first = 0.1
    return lambda x: x * thing.first, lambda there: change(there) if hasattr(
        thing, "first") else setattr(thing, "first", 0.1)


@reading("the closure variable 'colour' was", Colour.RED, Colour.BLUE)
def an_enum_member():
    colour = Colour.RED

    def change(x):
        nonlocal colour
        colour = x
    return lambda x: x if colour is Colour.RED else -x, change


@reading("the closure variable 'mode' was 'fast' and is 'slow'", "fast", "slow")
def a_text():
    mode = "fast"

    def change(x):
        nonlocal mode
        mode = "".join(x)
    return lambda x: x if mode == "fast" else -x, change


@reading("things[1].depth was 0.1 and is 0.2")
def an_object_in_a_list_of_objects():
    things = [Settings(depth=1.0), Settings(depth=0.1)]
    return lambda x: sum(thing.depth * x for thing in things), setter(things[1], "depth")


@reading("the closure variable 'flag' was True and is 1", True, 1)
def a_bool_that_becomes_an_equal_int():
    flag = True

    def change(x):
        nonlocal flag
        flag = x
    return lambda x: x if flag is True else -x, change


@reading("the closure variable 'zero' was 0.0 and is -0.0", 0.0, -0.0)
def a_zero_that_becomes_negative():
    zero = 0.0

    def change(x):
        nonlocal zero
        zero = x
    return lambda x: x * zero, change


@reading("is another", False, True)
def a_function_that_is_replaced():
    def first(x):
        return x

    def second(x):
        return x + 1.0
    table = {"act": first}
    return lambda x: table["act"](x), lambda other: put(table, "act")(second if other else first)


@reading("is another", False, True)
def a_global_function_that_is_replaced():
    before = helper

    def other(x):
        return x
    return calls_a_helper, lambda changed: put(globals(), "helper")(other if changed else before)


@reading("method", False, True)
def a_method_that_is_replaced():
    before = Settings.method
    thing = Settings(depth=1.0)

    def other(self, x):
        return x
    return lambda x: thing.method(x), lambda changed: setter(Settings, "method")(other if changed else before)


@reading("is new", False, True)
def a_method_that_one_object_gets():
    thing = Settings(depth=1.0)

    def change(changed):
        vars(thing).pop("method", None)
        if changed:
            thing.method = lambda x: x
    return lambda x: thing.method(x), change


@reading("is new", False, True)
def a_class_attribute_that_shadows_another():
    thing = Derived()

    def change(changed):
        if changed:
            Derived.factor = 3.0
        elif "factor" in vars(Derived):
            del Derived.factor
    return lambda x: x * thing.factor, change


@reading("'abs' of", False, True)
def a_builtin_that_a_global_shadows():
    def change(changed):
        globals().pop("abs", None)
        if changed:
            globals()["abs"] = helper
    return lambda x: abs(x), change


@reading("f is another function", False, True)
def a_code_that_is_exchanged():
    def f(x):
        return x

    codes = f.__code__, (lambda x: x + 1.0).__code__
    return f, lambda changed: setattr(f, "__code__", codes[changed])


@reading("had 3 entries and has 4", False, True)
def a_list_that_grows():
    things = [1.0, 2.0, 3.0]
    return lambda x: x * sum(things), lambda more: things.append(4.0) if more else things.__delitem__(
        slice(3, None))


@reading("the content of the closure variable 'members' has changed", False, True)
def a_set():
    members = {1.0, 2.0}

    def change(changed):
        members.clear()
        members.update({1.0, 3.0} if changed else {1.0, 2.0})
    return lambda x: x * sum(members), change


@reading("the closure variable 'context' was 0.1 and is 0.2")
def a_context_variable():
    context = contextvars.ContextVar("context")
    context.set(0.1)
    return lambda x: x * context.get(), context.set


@reading("depth was 0.1 and is 0.2")
def an_object_behind_a_weak_reference():
    thing = Settings(depth=0.1)
    reference = weakref.ref(thing)
    return lambda x: x * reference().depth, setter(thing, "depth")


@reading("lookup['a'] was", 0.1, 0.2)
def a_dict_behind_its_method():
    table = {"a": 0.1}
    lookup = table.get
    return lambda x: x * lookup("a"), put(table, "a")


@reading("f.calls was 0.1 and is 0.2")
def an_attribute_of_a_function():
    def f(x):
        return x * f.calls
    f.calls = 0.1
    return f, setter(f, "calls")


@reading("model.scale was 0.1 and is 0.2")
def a_setting_of_a_model():
    model = Line()
    return lambda x: model(x), setter(model, "scale")


@reading("model.slope is another Value", False, True)
def a_parameter_that_is_replaced_by_one_of_the_same_number():
    model = Line()
    slopes = model.slope, Value(2.0)
    return lambda x: model(x), lambda changed: setattr(model, "slope", slopes[changed])


@reading("model.layers[0].neurons[1].w[0] is another Value", False, True)
def a_weight_of_a_layer_that_is_replaced():
    model = Line()
    weights = model.layers[0].neurons[1].w
    given = weights[0], Value(weights[0].data)
    return lambda x: model.layers[0](x), lambda changed: put(weights, 0)(given[changed])


@reading("neuron.activation was", False, True)
def an_activation_of_a_neuron():
    neuron = nn.Neuron(2, activation=ag.relu)
    given = neuron.activation, ag.tanh
    return lambda x: neuron(x), lambda changed: setattr(neuron, "activation", given[changed])


@reading("opt.lr was 0.1 and is 0.2")
def the_rate_of_an_optimiser():
    opt = ag.optim.SGD([Value(1.0)], lr=0.1)
    return lambda x: x * opt.lr, setter(opt, "lr")


@reading("the global 'rate' (read by <lambda>)")
def a_global_in_a_rule_of_a_custom_op():
    op = ag.custom_op(lambda x: x * 1.0, (lambda y, x: rate,), name="rated_in_test")
    return lambda x: op(x), set_global


@reading("thing.depth was 0.1 and is 0.2")
def an_attribute_named_in_an_attrgetter():
    thing, get = Settings(depth=0.1), operator.attrgetter("depth")
    return lambda x: get(thing) * x, setter(thing, "depth")


@reading("os.environ")
def a_variable_of_the_process():
    import os
    return lambda x: x * float(os.environ["RATE_OF_TEST"]), lambda x: put(os.environ, "RATE_OF_TEST")(str(x))


@pytest.mark.parametrize("name", CASES)
def test_a_change_of_what_is_read_is_noticed_and_named_and_so_is_that_it_was_undone(name):
    case, message, old, new = CASES[name]
    f, change = case()
    change(copy.copy(old))
    environment = Environment(f)
    try:
        assert environment.holds() and environment.changed() == ""
        for _ in range(2):
            change(new)
            assert not environment.holds()
            assert message in environment.changed()
            other = Environment(f)
            assert other.holds()
            change(copy.copy(old))
            assert environment.holds() and environment.changed() == ""
            assert not other.holds()
    finally:
        change(old)


# -- what is not read, and what is the same --------------------------------------------------------------

@pytest.mark.parametrize("change", [
    lambda: put(globals(), "unrelated")(2.0), lambda: setter(config, "unread")(2.0),
    lambda: setter(Settings, "unread")(2.0), lambda: put(globals(), "new_name")(1.0)])
def test_what_is_not_read_may_change(change):
    """Not the unrelated global, though a text says its name."""
    thing, other = Settings(depth=0.1), SimpleNamespace(rate=0.1, unread=2.0)

    def f(x):
        "unrelated, count: names in a description are not read."
        return x * thing.depth * config.rate * other.rate * rate
    environment = Environment(f)
    change()
    thing.count += 1
    other.unread = 3.0
    assert environment.holds() and environment.changed() == ""


def calls_in(f):
    """The names of the Python functions that are called when f is."""
    called, before = [], sys.getprofile()
    sys.setprofile(lambda frame, event, arg: called.append(frame.f_code.co_name) if event == "call" else None)
    try:
        f()
    finally:
        sys.setprofile(before)
    return called


def test_equal_things_made_anew_are_no_change_and_are_then_as_quick_as_the_old_ones():
    held = {}

    def fill(scale=1.0):
        held.update(number=scale * float("0.25"), text="".join(["a", "b"]), pair=(1.0, (float("2"), [3.0])),
                    options=Options(0.5), listed=[float("1"), {"a": float("nan")}], act=lambda x: x * 2.0)
    fill()
    environment = Environment(lambda x: held["act"](x) * held["number"])
    for _ in range(2):
        fill()
        assert environment.holds()
        called = calls_in(environment.holds)
        assert "holds_exactly" not in called and "holds" in called
    fill(2.0)
    assert not environment.holds()


def test_an_object_replaced_by_an_equal_one_is_followed_though_the_old_one_changes():
    held = [Settings(depth=0.1)]
    environment = Environment(lambda x: held[0].depth * x)
    old = held[0]
    held[0], old.depth = Settings(depth=0.1), 5.0
    assert environment.holds()
    held[0].depth = 5.0
    assert not environment.holds() and environment.changed() == "held[0].depth was 0.1 and is 5.0"


def test_a_list_that_changed_before_it_is_looked_at_loosely_is_no_longer_the_one_of_the_snapshot():
    values = [Value(1.0), Value(2.0)]
    environment, first = Environment(lambda x: values[0] * x), values[0]
    values[0] = Value(1.0)
    environment.loosen([values])
    assert not environment.holds()
    values[0] = first
    assert environment.holds()
    values[1] = Value(3.0)
    assert not environment.holds()


def test_plain_things_made_anew_are_compared_without_another_walk(monkeypatch):
    values, thing = [Value(1.0), Value(2.0)], SimpleNamespace(a=float("0.5"), b=2.0)
    environment = Environment(lambda x: values[0] * x * thing.a * thing.b)
    before = environment.questions
    monkeypatch.setattr(environment_module, "Reach", None)
    thing.a = float("0.5")
    assert environment.holds() and environment._same()
    environment.loosen([values])
    assert environment.questions is not before and environment.questions.loose and environment.holds()
    thing.a = 0.25
    assert not environment.holds()


def test_an_attribute_that_comes_and_one_that_goes_are_named():
    thing = Settings(a=1.0, b=2.0)
    environment = Environment(lambda x: vars(thing)["a"] * x)
    del thing.b
    thing.c = 2.0
    assert environment.changed() == "'c' of the closure variable 'thing' is new"
    del thing.c
    thing.__dict__.pop("count")
    assert environment.changed() == "'b' of the closure variable 'thing' is gone"


def test_two_names_for_one_list_are_not_two_equal_lists():
    one = [1.0]
    pair = [one, one]
    environment = Environment(lambda x: pair)
    pair[1] = [1.0]
    assert not environment.holds()
    pair[:] = [[1.0]] * 2
    assert environment.holds()


def test_the_values_are_found_each_once():
    model = nn.MLP(3, [4, 2])
    extra, computed = Value(1.0), Value(2.0) * 3.0
    held = {"a": [extra, computed], "b": extra, "model": model}
    for f in (lambda x: held, lambda x: (model(x), held["a"])):
        found = Environment(f).values
        assert {*map(id, found)} == {*map(id, [*model.parameters(), extra, computed])}
        assert len(found) == len(model.parameters()) + 2
    assert Environment(model).values and set(map(id, Environment(model.__call__).values)) == set(
        map(id, model.parameters()))
    assert Environment(lambda x: x * unrelated).values == []


def test_the_number_of_a_value_may_change():
    x = Value(1.0)
    environment = Environment(lambda y: x * y)
    x.data = 2.0
    x.grad = 1.0
    assert environment.holds()


def test_the_steps_of_an_optimiser_are_no_change_if_only_its_rate_is_read():
    x = Value(1.0)
    opt = ag.optim.Adam([x], lr=0.1)
    environment, all_of_it = Environment(lambda y: opt.lr * y * x), Environment(lambda y: opt.rate() * y)
    x.grad = 1.0
    opt.step()
    assert environment.holds() and not all_of_it.holds()


def test_of_a_function_of_ours_made_from_the_users_only_the_users_is_read():
    class Compiled:
        __module__ = "autograd_lite.programs.compiled"

        def __init__(self, f):
            self.__wrapped__, self.calls = f, 0
    made = Compiled(lambda x: x * rate)
    environment = Environment(lambda x: made(x))
    made.calls += 1
    assert environment.holds()
    set_global(0.2)
    assert not environment.holds()
    set_global(0.1)
    assert environment.holds()


def test_iterators_are_found_but_no_files():
    held = iter([1.0]), (x for x in [1.0]), open(__file__)
    with held[2]:
        assert Environment(lambda x: next(held[0])).unseen == [
            "held[0], a list_iterator", "held[1], a generator"]


def test_the_snapshot_that_fits_is_found_among_several():
    held = {"rate": 0.0}
    snapshots = {}
    for number in (0.1, 0.2, 0.3):
        held["rate"] = number
        snapshots[number] = Environment(lambda x: held["rate"] * x)
    for number in (0.2, 0.1, 0.3, 0.1):
        held["rate"] = number * 1.0
        assert [key for key, environment in snapshots.items() if environment.holds()] == [number]


# -- strange objects -------------------------------------------------------------------------------------

class Hostile:
    """Nothing can be asked of it."""

    def __getattribute__(self, name):
        raise RuntimeError(name)

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None

    def __bool__(self):
        raise RuntimeError

    def __len__(self):
        raise RuntimeError

    def __iter__(self):
        raise RuntimeError

    def __repr__(self):
        raise RuntimeError


class Proxy:
    """It says it is of another class."""

    def __init__(self, thing):
        object.__setattr__(self, "thing", thing)

    __class__ = property(lambda self: type(self.thing))

    def __getattr__(self, name):
        return getattr(self.thing, name)


class Raising:
    @property
    def depth(self):
        raise RuntimeError

    def __getattr__(self, name):
        raise RuntimeError


class HostileMeta(type):
    def __getattribute__(cls, name):
        raise RuntimeError

    def __eq__(cls, other):
        raise RuntimeError

    __hash__ = None


class HostileList(list):
    def __iter__(self):
        raise RuntimeError

    def __len__(self):
        raise RuntimeError

    def __eq__(self, other):
        raise RuntimeError


def made_by(metaclass):
    return type.__new__(metaclass, "Made", (), {})


STRANGE = [
    Hostile(), Proxy(Settings(depth=1.0)), Proxy([1.0]), Raising(), made_by(HostileMeta), HostileList([1.0]),
    type.__call__(made_by(HostileMeta)),
    sys, ag, np, random, Environment, type, object(), open, print, iter([1]), (x for x in [1]), 10 ** 5000,
    np.random.default_rng(1), np.array(["a"]), np.zeros(3, dtype=[("a", "f8")]),
    np.ma.masked_array([1.0], [1]), memoryview(b"a"), slice(1), range(3), 1j, b"a", bytearray(b"a"), ...,
    NotImplemented, types.SimpleNamespace,
    Settings, Colour, Pair, lambda x: unknown_name, [].append, "".join, sys.stdout, sys._getframe(),  # noqa
    __import__("array").array("d", [1.0]), __import__("decimal").Decimal(1), __import__("threading").local(),
    __import__("threading").Lock(), __import__("logging").getLogger("a"), __import__("re").compile("a"),
    __import__("datetime").datetime(2020, 1, 1), __import__("fractions").Fraction(1, 3),
    __import__("collections").ChainMap({}, {"a": 1}), __import__("collections").Counter("aab"),
    __import__("collections").defaultdict(list, a=[1.0]), __import__("queue").Queue(), __import__("abc").ABC]


@pytest.mark.parametrize("number", range(len(STRANGE)))
def test_no_object_breaks_a_snapshot(number):
    held = [STRANGE[number]]

    def f(x):
        return held[0].depth * x + getattr(held[0], "any")
    environment = Environment(f)
    assert environment.holds() and environment.changed() == ""
    held[0] = Settings(depth=0.5)
    assert not environment.holds()
    assert environment.changed()
    held[0] = STRANGE[number]
    assert environment.holds()
    held.append(1.0)
    assert not environment.holds()


def test_no_function_breaks_a_snapshot():
    for f in [None, 3.0, "text", Hostile(), len, "".join, int, ag.exp, ag.grad(ag.exp), nn.MLP,
              functools.partial(max, 1.0), *STRANGE]:
        assert Environment(f).holds()


def test_cycles_and_deep_structures_are_walked():
    loop, deep = [1.0], []
    loop.append(loop)
    thing = Settings(depth=0.1)
    thing.itself = thing
    innermost = deep
    for _ in range(3_000):
        innermost.append([])
        innermost = innermost[0]
    environment = Environment(lambda x: (loop, thing.itself.depth, deep))
    assert environment.holds()
    innermost.append(1.0)
    assert not environment.holds()
    assert environment.changed()
    innermost.clear()
    loop[0] = 2.0
    assert environment.changed() == "loop[0] was 1.0 and is 2.0"


def test_an_empty_cell_and_one_that_fills_are_seen():
    later = None
    del later

    def f(x):
        return x * later  # noqa: F821
    environment = Environment(f)
    assert environment.holds()
    later = 1.0
    assert not environment.holds()
    assert environment.changed() == "the closure variable 'later' was missing and is 1.0"
    del later
    assert environment.holds()


# -- speed -----------------------------------------------------------------------------------------------

def instructions(f):
    """How many of Python's instructions a call of f takes."""
    count, before = 0, sys.gettrace()

    def trace(frame, event, arg):
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace
    sys.settrace(trace)
    try:
        f()
    finally:
        sys.settrace(before)
    return count


def test_many_numbers_are_compared_without_a_loop_in_python():
    big = [float(i) for i in range(10_000)]
    table, objects = dict(enumerate(big)), [Settings(depth=x) for x in big[:1000]]
    model = nn.MLP(10, [20, 12, 3])
    for thing in (big, table, objects, model):
        environment = Environment(lambda x: (thing, objects[0].depth))
        assert environment.holds() and instructions(environment.holds) < 500


def test_nothing_is_called_in_python_to_check_a_few_numbers_and_functions():
    environment = Environment(lambda x: ag.exp(x) * rate * unrelated)
    assert len(calls_in(environment.holds)) == 2


# -- random numbers --------------------------------------------------------------------------------------

@pytest.mark.parametrize("draw, name", [
    (random.random, "random"), (lambda: random.gauss(0.0, 1.0), "random"), (np.random.rand, "numpy.random"),
    (lambda: np.random.normal(size=3), "numpy.random"), (lambda: 1.0, "")])
def test_random_numbers_that_are_drawn_are_noticed(draw, name):
    before = random_state()
    draw()
    assert drawn(before, random_state()) == name
    assert drawn(random_state(), random_state()) == ""


@pytest.mark.parametrize("rng, name", [
    (random.Random(1), "Random number 1"), (np.random.default_rng(1), "Generator number 1"),
    (np.random.RandomState(1), "RandomState number 1")])
def test_generators_of_the_users_own_are_found(rng, name):
    environment = Environment(lambda x: x * rng.random())
    assert list(map(id, environment.generators)) == [id(rng)]
    before = random_state(environment.generators)
    assert drawn(before, random_state(environment.generators)) == ""
    rng.random() if name[0] != "R" or isinstance(rng, random.Random) else rng.rand()
    assert drawn(before, random_state(environment.generators)) == name
    assert environment.holds()


# -- names -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("f, every", [
    (lambda a, n: getattr(a, "b"), False), (lambda a, n: getattr(a, "b", 3 * n), False),
    (lambda a, n: getattr(getattr(a, "b"), "c") + hasattr(a.x[0].y(1, z=3), "d"), False),
    (lambda a, n: (getattr(a, "b") if n else 3) + a.sum(getattr(a, "c")(1, 2), 4), False),
    (lambda a, n: getattr(a, n), True), (lambda a, n: print("a", "b") + getattr(a, n), True),
    (lambda a, n: getattr(a, getattr(n, "x")), True), (lambda a, n: getattr(a, *n), True),
    (lambda a, n: map(getattr, a, ["b"]), True), (lambda a, n: map(getattr, a, "bc"), True),
    (lambda a, n: [getattr][0](a, "b"), True), (lambda a, n: getattr(a, n or "b"), True),
    (lambda a, n: [getattr(a, k) for k in n], True), (lambda a, n: a.__dict__[n], True),
    (lambda a, n: hasattr(a, "b" "c"), False), (lambda a, n: hasattr(a, f"{n}"), True)])
def test_code_that_asks_for_attributes_of_any_name_is_told_from_code_that_names_them(f, every):
    assert (names.EVERY in names.named(f.__code__).attributes) is every


@pytest.mark.parametrize("f, every", [
    (lambda n: globals()["a"], False), (lambda n: globals().get("a"), False), (lambda n: eval("a"), False),
    (lambda n: eval(n), True), (lambda n: globals()["a" + n], True),
    (lambda n: globals()[n], True), (lambda n: globals().get(n), True), (lambda n: list(globals()), True)])
def test_code_that_reads_globals_of_any_name_is_told_from_code_that_names_them(f, every):
    found = names.named(f.__code__)
    assert (names.EVERY in found.globals) is every
    assert every or "a" in found.globals


# -- tables that are looked at loosely, and what is gone ---------------------------------------------------


def test_of_a_list_that_is_looked_at_loosely_equal_values_are_told_apart_only_if_asked_exactly():
    rows = [Value(1.0), Value(2.0)]
    environment = Environment(lambda i: rows[i])
    environment.loosen([rows])
    assert environment.holds() and environment.holds_exactly()
    kept, rows[0] = rows[0], Value(1.0)
    assert environment.holds() and not environment.holds_exactly()
    rows[0] = kept
    assert environment.holds_exactly() and environment.holds()
    rows[1] = Value(3.0)
    assert not environment.holds() and environment.changed()


@pytest.mark.parametrize("change", [lambda rates: rates.pop("slow"), lambda rates: rates.update(slow=0.2)])
def test_a_snapshot_does_not_hold_where_something_was_gone_when_it_was_loosened(change):
    rates, rows = {"slow": 0.1}, [Value(1.0)]
    environment = Environment(lambda i: rows[i] * rates["slow"])
    change(rates)
    environment.loosen([rows])
    assert not environment.holds() and environment.changed()
    rates["slow"] = 0.1
    assert environment.holds()


def test_a_closure_some_of_whose_variables_have_no_value_yet_is_looked_at():
    def made():
        def f(x):
            return (x * rate, later)[0]
        rate = 2.0
        if rate < 0.0:
            later = 1.0
        environment = Environment(f)
        assert environment.holds()
        rate = 3.0
        assert not environment.holds() and environment.changed().startswith("the closure variable 'rate' ")
        environment = Environment(f)
        later = 1.0
        assert not environment.holds() and environment.changed()
    made()


class Rated:
    def __init__(self, **inner):
        self.rate = 2.0
        vars(self).update(inner)

    def asked(self):
        return self.rate


@pytest.mark.parametrize("read", [operator.attrgetter("rate"), operator.methodcaller("asked")])
def test_what_a_getter_of_operator_reads_counts_as_read(read):
    thing = Rated()
    fast = ag.compile(lambda x: x * read(thing))
    assert fast(3.0) == 6.0
    thing.rate = 5.0
    assert fast(3.0) == 15.0


def test_what_a_getter_of_several_steps_reads_counts_as_read():
    inner = Rated()
    thing, read = Rated(inner=inner), operator.attrgetter("inner.rate")
    fast = ag.compile(lambda x: x * read(thing))
    assert fast(3.0) == 6.0
    inner.rate = 5.0
    assert fast(3.0) == 15.0
    thing.inner = Rated()
    assert fast(3.0) == 6.0
