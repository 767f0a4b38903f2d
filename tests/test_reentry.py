"""What is done in the middle of a pass is right, or refused; and so is the pass."""
import itertools
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from autograd_lite import GradientError, Value, nn, optim
from graphs import gradients, python_build
from instructions import at_instruction, codes_of

sys.path.insert(0, str(Path(__file__).parent / "campaigns"))

import reentry  # noqa: E402


TOUCHING = {                        # the acts that set gradients in which each of these works
    "root": {"root", "part", "over", "sharing", "assign", "zero"},
    "too large": {"apart", "sharing", "zero", "too large"},
    "grad": set(),
    "zero": {"root", "part", "over", "sharing", "apart", "zero", "too large"}}


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


@python_build
def test_a_step_in_the_middle_of_a_step_is_refused_and_before_or_after_it_is_right():
    def trained(instruction):
        x = Value(1.0)
        optimizer = optim.SGD([x, Value(2.0)], lr=0.1, momentum=0.5)
        x.grad = 3.0
        refused = []

        def again():
            try:
                optimizer.step()
            except GradientError:
                refused.append(True)

        with at_instruction(instruction, [*codes_of(optim)], again) as left:
            optimizer.step()
        return left() <= 0, refused, (optimizer.steps, x.data)

    seen = Counter()
    for instruction in itertools.count(1):
        reached, refused, state = trained(instruction)
        if not reached:
            break
        assert state == ((1, 1.0 - 0.3) if refused else (2, 1.0 - 0.3 - 0.45)), instruction
        seen[bool(refused)] += 1
    assert seen[True] > 50 and seen[False] > 5
