"""Particulars of the core: what each of them does at the ends of its range, and what it says there."""
from __future__ import annotations

import inspect
import math
import operator
import os
import subprocess
import sys
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite import DomainError, InputError, RangeError, Value, errors, files, grad, nn, optim, where
from autograd_lite.errors import errstate
from autograd_lite.graph.foreign import Foreign
from autograd_lite.lines import user_line
from autograd_lite.locks import shared_lock
from autograd_lite.modes import current
from autograd_lite.ops.custom import Custom
from autograd_lite.ops.op import TABLE
from graphs import python_build

ENV = {**os.environ, "PYTHONPATH": str(Path(ag.__file__).parents[1])}


# -- modes, locks, errors ---------------------------------------------------------------------------------

def test_an_interruption_while_a_mode_is_entered_is_not_swallowed_and_leaves_it_off():
    class Slow(errstate):
        interrupted = False

        @classmethod
        def _recount(cls, *changed):
            if not cls.interrupted:
                cls.interrupted = True
                raise KeyboardInterrupt
            errstate._recount(*changed)

    ran = False
    with pytest.raises(KeyboardInterrupt):
        with Slow("ignore"):
            ran = True
    assert not ran and current(errors._entered) is None
    with pytest.raises(DomainError):
        ag.log(0.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_fork_waits_for_a_lock_that_another_thread_holds_and_the_child_can_take_it():
    lock, held = shared_lock(), threading.Event()

    def hold():
        with lock:
            held.set()
            threading.Event().wait(0.05)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")         # (Python 3.12 warns of a fork where there are threads)
        child = os.fork()
    if not child:
        os._exit(not lock.acquire(timeout=1.0))
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
    assert lock.acquire(timeout=1.0)
    lock.release()


def test_where_no_mode_is_on_the_way_is_the_quick_one():
    program = ("import autograd_lite as ag\nfrom autograd_lite.graph import value\n"
               "ag.compile(lambda x: x * x)(2.0)\nseen = [value.special]\n"
               "with ag.no_grad(): seen.append(value.special)\nprint([*seen, value.special])")
    done = subprocess.run([sys.executable, "-c", program], env=ENV, capture_output=True, text=True)
    assert done.stdout == "[False, True, False]\n", done.stderr


@pytest.mark.parametrize("name, bases", [
    ("NumericError", []), ("DomainError", [ValueError]), ("DivisionError", [ValueError, ZeroDivisionError]),
    ("RangeError", [OverflowError]), ("InputError", [TypeError]), ("MemberError", [AttributeError]),
    ("GradientError", [ValueError]), ("LabelError", [LookupError]), ("AuditError", [AssertionError]),
    ("FormatError", [ValueError]), ("RenderError", [RuntimeError]), ("MissingError", [ImportError])])
def test_an_error_is_the_built_in_one_that_it_refines(name, bases):
    error = getattr(errors, name)
    assert issubclass(error, errors.AutogradError)
    assert issubclass(error, errors.NumericError) == (name in (
        "NumericError", "DomainError", "DivisionError", "RangeError"))
    built_in = [ValueError, ZeroDivisionError, OverflowError, TypeError, AttributeError, LookupError,
                AssertionError, RuntimeError, ImportError, KeyError, OSError]
    assert [kind for kind in built_in if issubclass(error, kind)] == bases


# -- values ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("read, error, words", [
    (operator.index, TypeError, "'Value' object cannot be interpreted as an integer"),
    (range, TypeError, "'Value' object cannot be interpreted as an integer"),
    *[(read, InputError,
       rf"{name}\(\) of Value\(1.5, 'x', grad=0.0\) would lose its gradient: use v.data for "
       r"the number, and autograd_lite.exp\(v\), floor\(v\), … in place of math's" + (
           "; arrays of Values have dtype=object$" if name == "float" else "$"))
      for name, read in {"float": float, "int": int, "complex": complex, "round": round, "trunc": math.trunc,
                         "floor": math.floor, "ceil": math.ceil}.items()]])
def test_a_value_is_not_read_as_a_plain_number(read, error, words):
    with pytest.raises(error, match=words):
        read(Value(1.5, "x"))


@python_build
def test_what_a_value_and_its_backward_take_where_it_is_left_out():
    taken = {name: [p.default for p in inspect.signature(f).parameters.values()][1:]
             for name, f in (("Value", Value.__init__), ("backward", Value.backward))}
    assert taken == {"Value": [inspect.Parameter.empty, "", True, (), ""],
                     "backward": [1.0, True, False, None, None]}


def test_a_name_of_another_library_is_found_in_the_class_and_tells_what_it_is():
    for name in ("_prev", "item", "detach_", "zero_"):
        if name in vars(Value):
            assert type(getattr(Value, name)) is Foreign and getattr(Value, name).name == name
    assert type(Value._prev) is Foreign


def test_the_user_line_is_the_one_that_runs_and_the_call_is_marked():
    line = str(user_line())
    file, text, carets = line.split("\n")
    assert file.startswith("at ") and text == "    line = str(user_line())"
    assert carets == " " * 15 + "^" * len("user_line()")


# -- kinks -------------------------------------------------------------------------------------------------

def test_the_derivative_of_a_slope_that_was_chosen_at_a_leaf_is_refused():
    x = Value(0.0, "x")
    y = grad(abs)(x) * x
    with pytest.raises(DomainError, match=r"^abs\(0.0\) of 'x': a derivative of order 2 or more depends"):
        y.backward()
    assert x.grad == 0.0


@pytest.mark.parametrize("seed", [1.0, -1.0])
def test_what_depends_on_a_chosen_slope_by_rounding_alone_is_given(seed):
    x = Value(0.0, "x")
    s = grad(abs)(x)
    (0.1 * s * x + 0.2 * s * x - 0.3 * s * x).backward(seed)
    assert x.grad == 0.0


def test_a_side_that_a_chosen_slope_chooses_counts_if_it_has_another_derivative():
    x, z = Value(0.0, "x"), Value(2.0, "z")
    slope = grad(abs)(x)
    where(ag.greater(slope, 0.0), 3.0 * z, 3.0 * z + 1.0).backward()
    assert z.grad == 3.0
    both = where(ag.greater(slope, 0.0), 3.0 * z + x, 4.0 * z)
    with pytest.raises(DomainError, match=r"abs\(0.0\) of 'x': a derivative of order 2"):
        both.backward()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_of_the_kinks_that_a_second_derivative_depends_on_three_are_named(n):
    xs = [Value(0.0, f"x{i}") for i in range(n)]
    names = [f"abs(0.0) of 'x{i}'" for i in range(min(n, 3))]
    with pytest.raises(DomainError) as refused:
        ag.sum([slope * x for slope, x in zip(grad(lambda xs: ag.sum([abs(x) for x in xs]))(xs),
                                              xs)]).backward()
    assert str(refused.value).startswith(", ".join(names) + ", …" * (n > 3) + ": a derivative of order 2")


# -- networks ----------------------------------------------------------------------------------------------

def test_the_activations_are_these():
    assert [name for name in nn.activation_names() if not isinstance(TABLE.get(name), Custom)] == [
        "linear", "abs", "neg", "identity", "exp", "exp2", "expm1", "sin", "cos", "tan", "one_minus_square",
        "atan", "sinh", "cosh", "tanh", "sech2", "asinh", "gauss", "erf", "erfc", "normal_pdf", "normal_cdf",
        "sigmoid", "log_sigmoid", "softplus", "relu", "leaky_relu", "elu", "gelu", "silu"]


@pytest.mark.parametrize("x", [-1.5, 0.0, 1.5])
def test_an_op_of_ones_own_that_is_not_defined_everywhere_is_no_activation(x):
    ag.custom_op(lambda t: t, (lambda y, t: 1.0,), name="partial", domain=lambda t: t != x)
    try:
        with pytest.raises(InputError, match="no activation is called 'partial'"):
            nn.Neuron(1, activation="partial")
    finally:
        del TABLE["partial"]


def test_a_network_has_its_outputs_in_a_list_also_a_single_one():
    model = nn.MLP(2, [3, 1])
    out, = model.outputs([0.5, -1.0])
    assert out.data == model([0.5, -1.0]).data
    assert [y.data for y in nn.MLP(1, [2]).outputs([0.0])] == [0.0, 0.0]


@pytest.mark.parametrize("many", [[[1.0, 2.0], 3.0], [1.0, [2.0]], [(1.0, 2.0)], ([1.0], [2.0])])
def test_many_samples_at_once_are_refused_with_the_remedy(many):
    with pytest.raises(InputError, match=r"takes one sample; for many write \[model\(row\) for row in x\]"):
        nn.MLP(2, [1])(many)
    with pytest.raises(InputError, match="expected a real number, got str 'a'"):
        nn.MLP(2, [1])([1.0, "a"])


def test_a_loss_of_a_certain_target_is_one_softplus():
    for target, inside in ((0.0, "leaf"), (1.0, "neg")):
        loss = nn.binary_cross_entropy(Value(0.5), target)
        assert loss.op == "softplus" and (loss.operands[0].op or "leaf") == inside
    assert nn.binary_cross_entropy(Value(0.5), 0.25).op == "+"


def test_a_class_that_a_model_holds_has_no_parameters_of_the_model():
    @dataclass
    class Kind:
        w: Value = Value(1.0)                   # noqa: RUF009 (a class is what this is about)

    class Model(nn.Module):
        def __init__(self):
            self.kind, self.own = Kind, Value(2.0)

    assert list(Model().named_parameters()) == ["own"]


@pytest.mark.parametrize("norm", [1.0, 2.0, 0.5, math.inf])
def test_where_there_is_no_gradient_its_norm_is_0(norm):
    assert nn.clip_grad_norm([], 1.0, norm) == 0.0
    assert nn.clip_grad_norm([Value(1.0, requires_grad=False)], 1.0, norm) == 0.0


# -- optimisers --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("lr, factor", [(0.3, 0.9), (0.7, 1.1), (1e-3, 0.5), (3.0, 1e-3)])
def test_a_decayed_rate_is_the_rate_times_the_power_to_the_last_bit(lr, factor):
    for k in (1, 2, 3, 7, 10, 50):
        assert optim.step_decay(lr, 1, factor)(k) == optim.step_decay(lr, 3, factor)(3 * k + 2) == (
            lr * factor ** k)


@pytest.mark.parametrize("eps, enough", [(1e-139, True), (1e-140, True),
                                         (math.nextafter(1e-140, 0.0), False)])
def test_adam_needs_an_eps_that_outweighs_what_a_square_loses(eps, enough):
    x = Value(1.0, "x")
    optimiser = optim.Adam([x], lr=0.5, eps=eps)
    x.grad = 1e-150
    if enough:
        optimiser.step()
        assert 0.5 <= x.data < 1.0
    else:
        with pytest.raises(RangeError, match="would leave the range"):
            optimiser.step()


def test_an_optimiser_and_a_schedule_need_a_rule():
    with pytest.raises(NotImplementedError):
        optim.Optimizer([Value(1.0)], 0.1).step()


# -- files -------------------------------------------------------------------------------------------------

def test_these_names_are_devices_of_windows(monkeypatch):
    names = ["AUX", "con.txt", "Nul", "PRN.a.b", "C:/far/nul .txt", "NUL:", "con: .txt", "CONOUT$", "conin$",
             *[f"{port}{k}" for port in ("com", "LPT") for k in "123456789¹²³"]]
    others = ["COM0", "COM10", "COM", "LPT0", "LPT", "null", "a:nul", "COM⁴", "a.con", "prn/a", "AUX1", ""]
    assert not any(map(files._is_device, [*names, *others]))
    monkeypatch.setattr(sys, "platform", "win32")
    assert all(map(files._is_device, names)) and not any(map(files._is_device, others))


@pytest.mark.skipif(not hasattr(os, "chown"), reason="files have no owners")
def test_a_file_of_ones_own_is_not_given_an_owner(tmp_path, monkeypatch):
    path, owners = tmp_path / "a.txt", []
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "chown", lambda name, *owner: owners.append(owner))
    files.write(str(path), b"new")
    assert path.read_bytes() == b"new" and owners == []
    real = os.stat

    def of_another(name, **options):
        found = real(name, **options)
        return os.stat_result([*found[:4], 12, 34, *found[6:]]) if os.fspath(name) == str(path) else found
    monkeypatch.setattr(os, "stat", of_another)
    files.write(str(path), b"newer")
    assert owners == [(12, 34)]


# -- names -------------------------------------------------------------------------------------------------

def test_the_package_offers_its_names_in_order_and_nothing_hidden():
    shown = dir(ag)
    assert shown == sorted(shown) and {"Value", "grad", "__version__", "testing"} <= set(shown)
    assert not [name for name in shown if name.startswith("_") and not name.startswith("__")]


def test_what_is_loaded_later_is_there_in_any_module():
    assert inspect.ismodule(ag.optim) and inspect.isfunction(ag.hessian)
    with pytest.raises(AttributeError, match="module 'autograd_lite' has no attribute 'nonsuch'"):
        ag.nonsuch
