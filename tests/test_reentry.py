"""What is done in the middle of a pass is right, or refused; and so is the pass."""
import contextlib
import itertools
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from autograd_lite import FormatError, GradientError, Value, label, nn, optim
from autograd_lite.graph import (backward as backward_module, changes as changes_module,
                                 labels as labels_module, node as node_module)
from autograd_lite.nn import clipping as clipping_module, module as nn_module
from graphs import gradients, python_build
from instructions import Interrupt, at_instruction, codes_of, interrupted_at, let_go

sys.path.insert(0, str(Path(__file__).parent / "campaigns"))

import reentry  # noqa: E402


TOUCHING = {                        # the acts that set gradients in which each of these works
    "root": {"root", "part", "over", "sharing", "assign", "zero"},
    "too large": {"apart", "sharing", "zero", "too large"},
    "grad": set(),
    "zero": set()}


@python_build
@pytest.mark.parametrize("inner", reentry.ACTS)
@pytest.mark.parametrize("outer, step", [("root", 41), ("too large", 29), ("grad", 17), ("zero", 5)])
def test_an_act_in_the_middle_of_another_is_right_or_refused_and_so_is_the_other(outer, step, inner):
    seen = Counter()
    for instruction in itertools.count(1 + list(reentry.ACTS).index(inner), step):
        found = reentry.nested([outer, inner], [instruction, 0])
        if not found:
            break
        seen[found] += 1
        assert found != "WRONG", instruction
    assert seen["right"] + seen["refused"] > 5
    assert (seen["refused"] > 0) == (inner in TOUCHING[outer])


@python_build
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="one tool at a time may monitor instructions there")
@pytest.mark.parametrize("names, instructions", [
    (["root", "apart", "sharing"], (200, 40)), (["root", "grad", "hessian"], (300, 300)),
    (["root", "root", "read"], (700, 30)), (["sharing", "apart", "copy"], (60, 60)),
    (["root", "grad by captured", "zero"], (600, 200))])
def test_acts_three_deep_are_right_or_refused(names, instructions):
    seen = {reentry.nested(names, [*instructions, 0]) for instructions in itertools.product(*[
        range(1, 2 * n, max(1, n // 5)) for n in instructions])}
    assert seen <= {"", "right", "refused"} and seen != {""}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timers")
def test_a_signal_handler_may_do_anything_in_the_middle_of_a_pass():
    seen = Counter()
    reentry.signalled(random.Random(1), 0.5, seen)
    assert seen and not any(found == "WRONG" for _, _, found in seen)


@python_build
def test_a_refusal_that_leaves_the_handler_undoes_the_pass_and_names_the_node():
    world = reentry.World()
    before = gradients(world.nodes)
    with at_instruction(300, reentry.CODES, lambda: world.sharing.backward()):
        with pytest.raises(GradientError, match=r"Value\(2.0, 'x', grad=.*pass .* interrupted .* wait until"):
            world.root.backward()
    assert gradients(world.nodes) == before


@python_build
def test_a_model_s_gradients_are_zeroed_all_or_not_at_all():
    model = nn.MLP(2, [2, 1])
    y = model([1.0, 2.0])
    y.backward()
    loss = model.parameters()[-1] * 3.0
    before = [p.grad for p in model.parameters()]
    refused = []

    def zero():
        with pytest.raises(GradientError):
            model.zero_grad()
        refused.append([p.grad for p in model.parameters()])

    with at_instruction(60, reentry.CODES, zero):
        loss.backward()
    assert refused == [before] and model.parameters()[-1].grad == before[-1] + 3.0


class Training:
    """A model, its optimizer, and a graph under which its parameters lie."""

    def __init__(self):
        self.model = nn.Layer(1, 2, bias="layer")
        parameters = self.model.parameters()
        for i, p in enumerate(parameters):
            p.data, p.grad = 0.5 * i + 0.25, 1.0 + i
        self.optimizer = optim.SGD(parameters, optim.linear(0.125, 4), momentum=0.5)
        self.optimizer.step()
        self.loss = parameters[0] * parameters[1] + parameters[2]

    def state(self):
        return (self.model.state_dict(), self.optimizer.state_dict(), len(self.optimizer.parameters),
                [(p.grad, p.label) for p in self.model.parameters()])


def assigned(training):
    training.model.parameters()[1].data = 9.0


CHANGES = {
    "step": lambda training: training.optimizer.step(),
    "load": lambda training: training.model.load_state_dict(
        {name: 7.0 + i for i, name in enumerate(training.model.state_dict())}),
    "resume": lambda training: training.optimizer.load_state_dict(
        {"optimizer": "SGD", "steps": 9, "counts": [9, 8, 7], "velocity": [4.0, 5.0, 6.0]}),
    "add": lambda training: training.optimizer.add([Value(3.0)]),
    "zero": lambda training: training.model.zero_grad(),
    "clip": lambda training: nn.clip_grad_norm(training.model, 1.0),
    "backward": lambda training: training.loss.backward(),
    "label": lambda training: label(w=training.model.parameters()),
    "own labels": lambda training: training.model.label_parameters(),
    "assign": assigned}
LOOKING = ("named_parameters", "_reached", "_parts", "_samples", "_entries", "_attributes")
CHANGING = [*codes_of(optim, nn_module, clipping_module, node_module, changes_module, labels_module,
                      without=LOOKING)]


@python_build
@pytest.mark.parametrize("outer", ["step", "load", "resume", "add", "zero", "clip", "label", "own labels"])
@pytest.mark.parametrize("inner", CHANGES)
def test_a_change_in_the_middle_of_another_is_as_if_one_came_after_the_other(outer, inner):
    def tried(training, name, refused):
        try:
            CHANGES[name](training)
        except FormatError:                     # (a state of fewer parameters than there are)
            refused.append(name)

    def changed(*names):
        training, refused = Training(), []
        for name in names:
            tried(training, name, refused)
        return training.state(), refused

    serial = [changed(outer, inner), changed(inner, outer)]
    for instruction in itertools.count(1 + len(inner) % 4, {"zero": 3, "load": 5}.get(outer, 23)):
        training, refused = Training(), []
        with at_instruction(instruction, CHANGING, lambda: tried(training, inner, refused)) as left:
            tried(training, outer, refused)
        if left() > 0:
            break
        assert (training.state(), refused) in serial, instruction
    assert instruction > 20


@python_build
@pytest.mark.parametrize("name", ["load", "zero", "clip", "label", "own labels"])
def test_a_change_interrupted_at_any_instruction_is_made_or_not_made(name):
    training = Training()
    before = training.state()
    CHANGES[name](training)
    seen = {"before": 0, "after": 0}
    states = {"before": before, "after": training.state()}
    for instruction in itertools.count(1, 4 if "label" in name else 1):
        training = Training()
        with contextlib.suppress(Interrupt), interrupted_at(instruction, [*CHANGING, *codes_of(
                backward_module)]) as left:
            CHANGES[name](training)
        let_go(node_module.lock)
        if left() > 0:
            break
        seen[next(which for which, state in states.items() if state == training.state())] += 1
    assert seen["before"] > 30 and seen["after"] < 30


def test_a_step_whose_parameters_are_changed_each_time_it_is_tried_is_refused():
    x = Value(1.0, "x")

    def rate(k):
        x.data += 1.0
        return 0.1

    optimizer = optim.SGD([x], rate)
    with pytest.raises(GradientError, match="SGD changes whenever its next state"):
        optimizer.step()
    assert optimizer.steps == 0
