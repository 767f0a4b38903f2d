"""What lies just at a limit, or beside it: settings, rates, norms, lengths of texts, lines, files."""
from __future__ import annotations

import dataclasses
import functools
import math
import random
import warnings
from dataclasses import FrozenInstanceError
from fractions import Fraction

import pytest

import autograd_lite as ag
from autograd_lite import InputError, RangeError, Value, errstate, files, nn, optim
from autograd_lite.expression import LENGTH, FormulaError, parse

# -- optimisers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [optim.Adam, optim.AdamW])
@pytest.mark.parametrize("betas, name", [((1.0, 0.5), "betas[0]"), ((0.5, 1.0), "betas[1]"),
                                         ((1.5, 0.5), "betas[0]"), ((-1e-9, 0.5), "betas[0]")])
def test_a_beta_is_at_least_0_and_below_1(kind, betas, name):
    with pytest.raises(InputError) as refused:
        kind([Value(1.0)], betas=betas)
    wrong = betas[int(name[-2])]
    assert str(refused.value) == f"{name} must be at least 0 and below 1, not {wrong}"
    assert kind([Value(1.0)], betas=(0.0, math.nextafter(1.0, 0.0))).betas == (0.0, math.nextafter(1.0, 0.0))


@pytest.mark.parametrize("make", [lambda ps: optim.SGD(ps, 0.1, momentum=0.5), optim.Adam, optim.AdamW])
def test_parameters_added_one_after_another_are_remembered_once_each(make):
    leaves = [Value(float(k)) for k in range(4)]
    optimizer, whole = make(leaves[:1]), make(leaves)
    for k in (1, 2):
        optimizer.add(leaves[k:k + 1])
    optimizer.add(leaves[3:])
    assert optimizer.state_dict() == whole.state_dict()
    state = optimizer.state_dict()
    assert {name: len(column) for name, column in state.items() if name in optimizer.memory} == dict.fromkeys(
        optimizer.memory, 4)
    optimizer.load_state_dict(state)
    assert optimizer.state_dict() == state


@pytest.mark.parametrize("square, enough", [(2e-290, True), (math.nextafter(2e-290, 0.0), False)])
def test_adam_refuses_a_mean_of_squares_below_1e_290_unless_eps_outweighs_it(square, enough):
    x = Value(1.0)
    adam = optim.Adam([x], 0.5, betas=(0.5, 0.5), eps=1e-150)
    adam.load_state_dict({"optimizer": "Adam", "steps": 1, "mean": [0.0], "square": [square]})
    x.grad = 1e-200                             # (its square is 0)
    if enough:
        adam.step()
        assert adam.state_dict()["square"] == [1e-290]
    else:
        with pytest.raises(RangeError, match="step 2: parameter 0"):
            adam.step()


def test_an_optimiser_shows_200_characters_of_a_setting():
    class Named:
        def __init__(self, length):
            self.length = length

        def __call__(self, k):
            return 0.1

        def __repr__(self):
            return "s" * self.length

    for length, text in ((200, "s" * 200), (201, "s" * 197 + "...")):
        sgd = optim.SGD([Value(1.0)], Named(length))
        facts = ["momentum 0.0", "nesterov False", "weight_decay 0.0", "parameters 1", "steps 0"]
        assert repr(sgd) == f"<SGD: {', '.join([f'lr {text}', *facts])}>"
        assert str(sgd) == "\n  ".join(["SGD", f"lr: {text}", *[fact.replace(" ", ": ") for fact in facts]])
        html = sgd._repr_html_()
        assert ">SGD<" in html and f">{text}<" in html and html.count("<tr") == 6 and ">steps<" in html


@pytest.mark.parametrize("first, last", [(2.2, 0.054), (1.1, 0.001), (0.06, 0.77), (4.0, 0.0013)])
def test_the_middle_of_a_line_is_worked_out_from_its_first_rate(first, last):
    assert optim.linear(first, 2, last)(1) == first + (last - first) * 0.5
    assert optim.linear(last, 2, first)(1) == last + (first - last) * 0.5


@pytest.mark.parametrize("factor, last", [
    (1.0, 0.25), (math.nextafter(1.0, 0.0), 0.0), (0.5, 0.0), (0.0, 0.0),
    (math.nextafter(1.0, 2.0), math.inf), (2.0, math.inf)])
def test_after_ever_so_many_steps_a_factor_has_had_all_its_effect_or_none(factor, last):
    for k in (10 ** 20, 10 ** 308, 10 ** 309, 10 ** 1000):
        for schedule in (optim.step_decay(0.25, 1, factor), optim.exponential(0.25, factor)):
            if last < math.inf:
                assert schedule(k) == last
            else:
                with pytest.raises(RangeError, match="is too large for a double"):
                    schedule(k)
        assert optim.step_decay(0.0, 1, factor)(k) == 0.0
    assert optim.step_decay(1e308, 1, math.nextafter(1.0, 0.0))(10 ** 20) == 0.0


@pytest.mark.parametrize("lr, factor, k", [
    (3.0, 0.5, 1021), (3.0, 0.5, 1022), (2.0 ** 60, 0.5, 1023), (2.0 ** 60, 0.5, 1074),
    (2.0 ** 60, 0.5, 1080),
    (2.0 ** -60, 2.0, 1023), (2.0 ** -60, 2.0, 1024), (2.0 ** -60, 2.0, 1080), (1e300, 0.125, 400)])
def test_a_rate_is_exact_where_the_power_alone_would_lose_digits_or_overflow(lr, factor, k):
    assert optim.step_decay(lr, 1, factor)(k) == Fraction(lr) * Fraction(factor) ** k


@pytest.mark.parametrize("schedule", [
    optim.constant(0.1), optim.step_decay(0.1, 3), optim.exponential(0.1, 0.5), optim.linear(0.1, 3),
    optim.cosine(0.1, 3), optim.warmup(0.1, 3)], ids=repr)
def test_a_schedule_stays_as_it_was_checked_and_may_be_a_key(schedule):
    before = repr(schedule)
    with pytest.raises(FrozenInstanceError):
        schedule.lr = -1.0
    assert repr(schedule) == before and {schedule: 1} == {dataclasses.replace(schedule): 1}


# -- formulas --------------------------------------------------------------------------------------------

def test_a_formula_of_20000_characters_is_read_and_one_more_is_too_long():
    assert LENGTH == 20_000
    text = "x" + " " * (LENGTH - 3) + "+x"
    assert len(text) == LENGTH and parse(text).variables == ["x"]
    with pytest.raises(FormulaError) as refused:
        parse(text + " ")
    assert str(refused.value) == "the expression has 20001 characters; at most 20000 are read"
    assert isinstance(refused.value, InputError)


@pytest.mark.parametrize("text, line, column", [("@速", 0, 0), ("x = 1\n@y", 1, 0), ("u = 2; @y", 0, 7)])
def test_a_formula_that_python_refuses_is_pointed_at_from_its_first_column(text, line, column):
    with pytest.raises(FormulaError) as refused:
        parse(text)
    assert str(refused.value).split("\n")[1:] == ["    " + text.split("\n")[line], " " * (4 + column) + "^"]


@pytest.mark.parametrize("name, near", [("sinn", "sin"), ("cosh_", "cosh"), ("sgrt", "sqrt"),
                                        ("lgam", "lgamma")])
def test_of_several_functions_with_a_name_like_it_the_nearest_is_meant(name, near):
    with pytest.raises(FormulaError, match=f"there is no function {name}; did you mean {near}[?]"):
        parse(f"{name}(x)")


def test_of_an_unknown_function_40_characters_are_told():
    for length, told in ((40, "q" * 40), (41, "q" * 13 + "…" + "q" * 26)):
        with pytest.raises(FormulaError, match=f"^the expression: there is no function {told}\n"):
            parse("q" * length + "(x)")


# -- networks and gradients ------------------------------------------------------------------------------

def test_of_more_than_32_neurons_or_layers_32_are_shown():
    for n, rest in ((32, ""), (33, ", … and 1 more"), (40, ", … and 8 more")):
        layer = "Layer of [" + ", ".join(["LinearNeuron(1)"] * min(n, 32)) + rest + "]"
        assert repr(nn.Layer(1, n, nonlin=False)) == layer
        one = "Layer of [LinearNeuron(1)]"
        assert repr(nn.MLP(1, [1] * n, "linear")) == "MLP of [" + ", ".join([one] * min(n, 32)) + rest + "]"


def test_a_target_is_a_probability_from_0_to_1():
    for target in (0.0, 5e-324, 0.5, math.nextafter(1.0, 0.0), 1.0):
        assert nn.binary_cross_entropy(0.0, target) == pytest.approx(math.log(2.0))
    for target in (-5e-324, math.nextafter(1.0, 2.0), 1.5, 2.0, -1.0, math.nan, math.inf):
        with pytest.raises(InputError, match=f"is a probability from 0 to 1, not {target!r}$"):
            nn.binary_cross_entropy(0.0, target)


class Holder:
    """What is no module, dataclass or list, and holds something."""

    def __init__(self, held):
        self.held = held


@pytest.mark.parametrize("kind", [list, tuple, lambda xs: dict(enumerate(xs))])
def test_of_what_is_held_elsewhere_the_first_16_entries_are_looked_at(kind):
    class Model(nn.Module):
        def __init__(self, place):
            self.own = Value(1.0)
            self.other = Holder(kind([Holder(None) for _ in range(place)] + [Value(2.0)]))

    assert list(Model(16).named_parameters()) == ["own"]
    with pytest.raises(InputError, match="^other: parameters in a Holder, such as held"):
        Model(15).named_parameters()


def test_of_a_key_1000_characters_are_part_of_a_parameters_name():
    class Model(nn.Module):
        def __init__(self, length):
            self.named = {"k" * (length - 2): Value(1.0)}

    assert list(Model(1000).named_parameters()) == [f"named['{'k' * 998}']"]
    assert list(Model(1001).named_parameters()) == [f"named['{'k' * 996}...]"]


def test_what_a_message_shows_of_a_parameter_that_is_none_has_200_characters():
    for length, told in ((198, "'" + "a" * 198 + "'"), (199, "'" + "a" * 196 + "...")):
        for asker in (lambda x: nn.clip_grad_norm(x, 1.0), lambda x: optim.SGD(x)):
            with pytest.raises(InputError, match=f"got {told}$"):
                asker(["a" * length])


@pytest.mark.parametrize("gradients, texts", [
    ([math.inf, 1.0], ["the gradient of parameter 0"]), ([1.0, math.nan], ["the gradient of parameter 1"]),
    ([math.inf, math.nan], ["the gradient of parameter 0", "the gradient of parameter 1"]),
    ([1.5e308] * 4, ["the norm of the gradients"]), ([1.0, 2.0], [])])
def test_each_thing_that_keeps_gradients_from_being_clipped_is_said_once(gradients, texts):
    leaves = [Value(1.0) for _ in gradients]
    for x, g in zip(leaves, gradients):
        x.grad = g
    with errstate("warn"), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        nn.clip_grad_norm(leaves, 10.0)
    assert [str(one.message)[16:16 + len(text)] for one, text in zip(said, texts)] == texts
    assert len(said) == len(texts)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0, math.inf])
def test_gradients_whose_norm_is_just_the_largest_stay_as_they_are(p):
    draw = random.Random(1)
    for _ in range(20):
        gradients = [draw.uniform(-3.0, 3.0) for _ in range(3)]
        leaves = [Value(1.0) for _ in gradients]
        for x, g in zip(leaves, gradients):
            x.grad = g
        norm = nn.clip_grad_norm(leaves, math.inf, p)
        assert norm == pytest.approx(max(map(abs, gradients)) if p == math.inf else
                                     sum([abs(g) ** p for g in gradients]) ** (1.0 / p), rel=1e-14)
        assert nn.clip_grad_norm(leaves, norm, p) == norm and [x.grad for x in leaves] == gradients
        assert nn.clip_grad_norm(leaves, math.nextafter(norm, 0.0), p) == norm
        assert [x.grad for x in leaves] == pytest.approx(gradients, rel=1e-14)


def clipped(gradients, *options):
    """The norm, and the gradients after that, by the rules of IEEE 754."""
    leaves = [Value(1.0) for _ in gradients]
    for x, g in zip(leaves, gradients):
        x.grad = g
    with errstate("ignore"):
        return nn.clip_grad_norm(leaves, *options), [x.grad for x in leaves]


@pytest.mark.parametrize("p", [1e-3, 0.5, 1.0, 2.0, 3.0, math.inf])
def test_zeros_have_the_norm_0_and_what_is_infinite_an_infinite_one_of_any_kind(p):
    assert clipped([0.0, -0.0], 0.0, p) == (0.0, [0.0, 0.0])
    norm, gradients = clipped([1.0, -math.inf], 1.0, p)
    assert norm == math.inf and gradients[0] == 0.0 and math.isnan(gradients[1])
    assert clipped([2.0], 3.0, p) == (2.0, [2.0]) and clipped([-2.0], 0.5, p) == (2.0, [-0.5])


def test_gradients_whose_norm_is_too_large_for_a_double_are_scaled_all_the_same():
    assert clipped([1.5e308, -1.5e308] * 2, 4.0) == (math.inf, [2.0, -2.0] * 2)
    assert clipped([1.5e308, 0.75e308], 6.0, 1.0) == (math.inf, [4.0, 2.0])
    assert clipped([1.0] * 4, 4.0, 1e-3) == (math.inf, [0.0] * 4)      # (4 to the power of 1000)
    with pytest.raises(RangeError, match="norm of the gradients is too large for a double; scale the loss"):
        leaves = [Value(1.0) for _ in range(4)]
        for x in leaves:
            x.grad = 1.0
        nn.clip_grad_norm(leaves, 1.0, 1e-3)


def test_a_norm_of_gradients_of_1_counts_them_all():
    leaves = [Value(1.0) for _ in range(4)]
    for x in leaves:
        x.grad = -1.0
    assert [nn.clip_grad_norm(leaves, 100.0, p) for p in (0.5, 1.0, 2.0, math.inf)] == [16.0, 4.0, 2.0, 1.0]


# -- modes and lines -------------------------------------------------------------------------------------

def test_a_mode_that_is_left_on_within_run_is_not_on_after_it():
    def enter():
        mode = errstate("ignore")
        mode.__enter__()
        assert ag.log(0.0) == -math.inf
        return mode

    kept = errstate("warn").run(enter)
    with pytest.raises(ag.DomainError):
        ag.log(0.0)
    kept.__exit__(None, None, None)


@functools.singledispatch
def sine(x):
    raise TypeError


sine.register(Value, ag.sin)


def test_the_line_of_a_step_is_the_users_through_numpy_and_functools():
    np = pytest.importorskip("numpy")
    x = Value(0.5, "x")
    with ag.record_lines():
        nodes = [np.sum(np.array([x, x], dtype=object)), sine(x), np.mean(np.array([x, x], dtype=object))]
        nodes.append(ag.sin(
            x + 1.0))
    for node in nodes:
        assert node.line.file == __file__ and "nodes" in node.line.text, node.line
    assert nodes[0].line.text[nodes[0].line.start:nodes[0].line.end].startswith("np.sum(")
    assert (nodes[3].line.start, nodes[3].line.end) == (0, 0)       # (it goes on in another line)
    inner = nodes[3].operands[0].line
    assert inner.text[inner.start:inner.end] == "x + 1.0"


def without_lines(x):
    return ag.sin(x) + ag.log(x)


without_lines.__code__ = without_lines.__code__.replace(co_linetable=b"")


def test_code_that_tells_no_lines_has_the_line_0_in_records_and_warnings():
    with ag.record_lines():
        y = without_lines(Value(1.0))
    assert y.line == (__file__, 0, "", 0, 0) and str(y.line).endswith(":0")
    with errstate("warn"), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert without_lines(Value(0.0)).data == -math.inf
    assert [(one.filename, one.lineno) for one in said] == [(__file__, 0)]


# -- files -----------------------------------------------------------------------------------------------

def test_a_file_of_parameters_has_a_line_for_each(tmp_path):
    class Line(nn.Module):
        def __init__(self):
            self.slope, self.offset = Value(2.0), [Value(-0.5)]

    Line().save(tmp_path / "line.json")
    assert (tmp_path / "line.json").read_bytes() == (
        b'{\n "format": "autograd_lite parameters, version 1",\n "parameters": {\n  "slope": 2.0,\n'
        b'  "offset[0]": -0.5\n }\n}\n')


class Figure:
    """A figure of matplotlib's, which says how it is saved."""

    def savefig(self, file, **options):
        file.write(repr(options).encode())


@pytest.mark.parametrize("name, form", [("a.png", "png"), ("a.svg", "svg"), ("a.b.PDF", "PDF"), ("a", "png"),
                                        (".png", "png"), ("a.", "png")])
def test_a_figure_has_the_form_that_its_files_name_ends_in_else_it_is_png(name, form, tmp_path):
    files.write_figure(Figure(), str(tmp_path / name), dpi=7)
    assert (tmp_path / name).read_text() == repr({"format": form, "dpi": 7})
