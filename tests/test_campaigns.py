"""Each campaign finds a fault that was planted."""
import ast
import json
import math
import operator
import os
import random
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "campaigns"))

import batches as campaign_of_batches  # noqa: E402
import compiled as campaign_of_compiled  # noqa: E402
import environment as campaign_of_environments  # noqa: E402
import formulas as campaign_of_formulas  # noqa: E402
import hostile  # noqa: E402
import mutation  # noqa: E402
import numerics  # noqa: E402
import pictures as campaign_of_pictures  # noqa: E402
import reentry  # noqa: E402
import rounding as campaign_of_roundings  # noqa: E402
import saves  # noqa: E402
import truth  # noqa: E402
from autograd_lite import FormatError, nn  # noqa: E402
from autograd_lite.drawing.arrows import Arrows  # noqa: E402
from autograd_lite.drawing.folding import Folding  # noqa: E402
from autograd_lite.ops.op import TABLE  # noqa: E402
from autograd_lite.programs import arrays  # noqa: E402
from autograd_lite.programs.python import EAGER  # noqa: E402
from autograd_lite.testing import Expression  # noqa: E402
from graphs import python_build  # noqa: E402


def faults(op, where, mode="raise", operands=(0,), witness=(0.7,)):
    campaign = numerics.Campaign(seed=1)
    campaign.look(Expression(len(witness), ((op, operands),), witness), where, mode)
    return {key[2] for key in campaign.seen if key[2].isupper()}


@pytest.mark.parametrize("where", ["as drawn", "near 0", "at a kink"])
def test_numerics_finds_a_wrong_derivative(where):
    assert not faults(TABLE["sin"], where)
    assert faults(truth.spoilt(TABLE["sin"], lambda p: 1.001 * p), where) == {"WRONG"}


def test_numerics_finds_a_second_derivative_of_a_convention():
    square = ((TABLE["abs"], (0,)), (TABLE["*"], (1, 1)))
    campaign = numerics.Campaign(seed=1)
    f = Expression(1, square, (0.0,))
    verdicts = {found: numerics.verdict(f, [0.0], [0, 0], found, 1e-6, campaign.rng) for found in (0.0, 2.0)}
    assert verdicts == {0.0: "wrong", 2.0: "right"}


def test_numerics_finds_foreign_errors_and_what_is_not_finite():
    def broken(p):
        raise KeyError("broken")

    assert "FOREIGN ERROR" in faults(truth.spoilt(TABLE["sin"], broken), "as drawn")
    assert "FOREIGN ERROR" in faults(truth.spoilt(TABLE["sin"], broken), "nan", "ignore")
    infinite = truth.spoilt(TABLE["sin"], lambda p: math.inf)
    campaign = numerics.Campaign(seed=1)
    f = Expression(1, ((infinite, (0,)),), (1.0,))
    campaign.judged("as drawn", "grad", f, [1.0], [math.inf], [[0]], 1e-6)
    assert {key[2] for key in campaign.seen} == {"SILENT NAN OR INF"}


def test_rounding_finds_a_wrong_coefficient_and_a_refusal(monkeypatch):
    judged = campaign_of_roundings.judged
    assert judged(lambda x: x * x, lambda x: x * x, 0.7, 2) == ("healthy", "passed")
    assert judged(lambda x: x * x, lambda x: x * x * (1 + 1e-5), 0.7, 2) == ("WRONG", "passed")
    assert judged(lambda x: (x + 1 - 1) / x, lambda x: 1, 1e-12, 1) == ("wrong", "refused")
    monkeypatch.setattr("autograd_lite.transforms.rounding.lost",
                        lambda levels, outputs, wanted: [(outputs[0], k, 1.0) for k in wanted])
    assert judged(lambda x: x * x, lambda x: x * x, 0.7, 2) == ("healthy", "refused")


def test_formulas_finds_a_formula_that_is_not_the_derivative(monkeypatch):
    f = Expression(1, ((TABLE["sigmoid"], (0,)), (TABLE["*"], (1, 0))), (0.7,))
    campaign_of_formulas.look(f, 0)
    monkeypatch.setattr(TABLE["sigmoid"], "notation", TABLE["sigmoid"].notation._replace(
        slopes=(lambda y, x: y * (1.0 + y),)))
    with pytest.raises(AssertionError):
        campaign_of_formulas.look(f, 0)


def test_environment_finds_a_change_that_is_missed_and_one_that_is_none(monkeypatch):
    def faults():
        trials = [campaign_of_environments.trial(random.Random(seed)) for seed in (0, 2, 10, 17, 25, 27)]
        return [fault for trial in trials for fault in trial]

    assert faults() == []
    for name, wrong in (("environment.equal", operator.eq), ("environment.same", lambda a, b: True),
                        ("things.content", lambda array: ()), ("things.content_of", lambda cell: 0.0),
                        ("things._of_thread", lambda thing: {})):
        with monkeypatch.context() as patch:
            patch.setattr(f"autograd_lite.programs.{name}", wrong)
            assert faults(), name


def in_place(model, path):
    """Halves of a file, one after the other; and a file that stays."""
    with open(path, "w") as file:
        text = json.dumps({"format": nn.module.FORMAT, "parameters": model.state_dict()})
        file.write(text[:len(text) // 2])
        file.flush()
        time.sleep(0.002)
        file.write(text[len(text) // 2:])
    Path(f"{path}.{os.getpid()}").write_text("")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes too long to start without")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("save", [nn.Module.save, in_place])
def test_saves_finds_a_file_that_is_written_in_place(save, tmp_path):
    counted = saves.campaign(tmp_path, 0.4, save, savers=2, loaders=1, kills=0.0)
    assert counted["saves"] > 1 and counted["loads"] > 1 and not counted["failed saves"]
    assert bool(counted["damaged loads"]) == bool(counted["leftovers"]) == (save is in_place)


def loaded_as_it_comes(model, path):
    for name, x in json.loads(path.read_text())["parameters"].items():
        model.named_parameters()[name].data = x


def loaded_by_halves(model, path):
    model.parameters()[0].data = 7.5
    raise FormatError(f"{path}: refused")


@pytest.mark.parametrize("load, fault", [
    (nn.Module.load, None), (loaded_as_it_comes, "FOREIGN ERROR"), (loaded_by_halves, "REFUSED, YET CHANGED"),
    (lambda model, path: None, "TAKEN, THOUGH NO STATE")])
def test_hostile_finds_a_loader_that_changes_or_takes_what_it_should_not(load, fault, tmp_path):
    campaign = hostile.Campaign(tmp_path, 1, load)
    for _ in range(30):
        campaign.look()
    found = {what for _, what in campaign.faults}
    assert fault in found if fault else not found


@python_build
def test_reentry_finds_a_pass_that_works_in_the_gradients_of_another(monkeypatch):
    within = [*reentry.codes_of(reentry.backward_module, without=("suspend", "keep_out"))]
    assert reentry.nested(["root", "over"], [400, 0], within) == "refused"
    monkeypatch.setattr(reentry.backward_module._Pass, "suspend", lambda self: None)
    monkeypatch.setattr(reentry.backward_module._Pass, "keep_out", lambda self, others: None)
    assert reentry.nested(["root", "over"], [400, 0], within) == "WRONG"


SOURCE = b'''"""A small module."""
def f(x, most=3.0, strict=True):
    """f(1) + 1 is not changed."""
    total: "int | None" = 0
    if x is None:
        return False
    if x < most and not strict:
        raise ValueError(f"{x + 1}")
    total += abs(x) * 2.0
    return max(total, -len([x]))
'''


def test_mutation_changes_a_source_as_it_says():
    found = mutation.mutants("f.py", SOURCE)
    assert {(m.kind, m.lines(SOURCE)[1]) for m in found} == {
        ("constant", "def f(x, most=4.0, strict=True):"), ("constant", "def f(x, most=3.0, strict=False):"),
        ("constant", 'total: "int | None" = 1'), ("constant", "total += abs(x) * 3.0"),
        ("comparison", "if x <= most and not strict:"), ("and/or", "if x < most or not strict:"),
        ("dropped not", "if x < most and strict:"),
        ("negated condition", "if (not (x < most and not strict)):"),
        ("negated condition", "if (not (x is None)):"), ("comparison", "if x is not None:"),
        ("constant", "return True"),
        ("error class", 'raise KeyError(f"{x + 1}")'), ("dropped statement", "pass"),
        ("operator", "total -= abs(x) * 2.0"), ("operator", "total += abs(x) / 2.0"),
        ("removed abs", "total += (x) * 2.0"), ("dropped statement", "return None"),
        ("other function", "return min(total, -len([x]))"), ("dropped -", "return max(total, len([x]))"),
        ("off by one", "return max(total, -(len([x]) - 1))")}
    for m in found:
        ast.parse(m.applied(SOURCE))


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="it runs on Unix")
def test_what_no_test_can_notice_is_a_fault_that_could_be_drawn():
    package = mutation.ROOT / "autograd_lite"
    drawn = set()
    for module in {module for module, _, _ in mutation.EQUIVALENT}:
        source = (package / module).read_bytes()
        drawn |= {(module, *m.lines(source)) for m in mutation.mutants(module, source)}
    assert not mutation.EQUIVALENT - drawn


def test_mutation_leaves_alone_what_only_checkers_of_types_read():
    source = b"@overload\ndef f(x: int, y: int = 1) -> int: ...\n\ndef f(x, y=2): return x\n"
    assert {m.text for m in mutation.mutants("f.py", source)} == {b"3", b"return None"}


def test_mutation_tells_what_a_test_notices_from_what_it_does_not(tmp_path, capsys):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "sums.py").write_text("def add(a, b=1):\n    return a + b\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_sums.py").write_text(
        "from small.sums import add\n\n\ndef test_add():\n    assert add(2, 2) == 4 and add(2, 0) == 2\n")
    survivors = mutation.main(["--seed", "1"], tmp_path, "small")
    assert [(m.module, m.kind, m.text) for m in survivors] == [("sums.py", "constant", b"2")]
    printed = capsys.readouterr().out
    assert "operator: FAILED tests/test_sums.py::test_add" in printed and "2 of 3 died (66.7 %)" in printed


@pytest.mark.parametrize("fault", [None, "a frozen branch", "a wrong gradient"])
def test_compiled_finds_a_frozen_branch_and_a_wrong_gradient(fault, monkeypatch):
    if fault == "a frozen branch":
        monkeypatch.setattr("autograd_lite.programs.tape.Tape.ask", lambda self, text, operands, found: found)
    elif fault:
        monkeypatch.setattr("autograd_lite.programs.sweeps.Writer.product",
                            lambda self, g, p: self.emit(TABLE["*"], p, self.constant(1.0 + 1e-9)))
    search = campaign_of_compiled.Collecting(seed=5)
    for _ in range(15):
        search.one()
    assert bool(search.texts) is bool(fault)


def test_batches_finds_points_that_follow_a_program_of_other_answers(monkeypatch):
    holds = arrays.Watch.holds
    monkeypatch.setattr(arrays.Watch, "holds", lambda self, condition, side=True, fate=EAGER: holds(
        self, condition, side, fate) if fate == EAGER else None)
    assert campaign_of_batches.search(range(6))


@pytest.mark.parametrize("fault", [None, "a label that is not escaped", "a lost node", "a number"])
def test_pictures_finds_markup_a_lost_node_and_a_wrong_derivative(fault, monkeypatch):
    if fault == "a label that is not escaped":
        monkeypatch.setattr("autograd_lite.drawing.cards.escape_html", str)
    elif fault == "a lost node":
        monkeypatch.setattr(Folding, "_join_circles", lambda self: self.folds[0].nodes.pop())
    elif fault:
        arrow = Arrows.arrow
        monkeypatch.setattr(Arrows, "arrow", lambda self, head, operand, partial, *rest: arrow(
            self, head, operand, partial + 1e-9, *rest))
    search = campaign_of_pictures.Collecting(seed=0, program=False)
    for _ in range(60):
        search.one()
    assert bool(search.texts) is bool(fault), search.texts
