"""What the benchmark of native code compares: sides that give the right numbers; a wrong one is noticed."""
import importlib
import itertools
import json
import math
import random
import re
import sys
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite import Value

np = pytest.importorskip("numpy")
HERE = Path(__file__).parent


@pytest.fixture(scope="module", autouse=True)
def benchmarks():
    """The folder of the scripts, from which they import each other; some peers recurse deeply."""
    limit = sys.getrecursionlimit()
    sys.path.insert(0, str(HERE / "benchmarks"))
    yield
    sys.path.remove(str(HERE / "benchmarks"))
    sys.setrecursionlimit(limit)


@pytest.fixture
def sides():
    return importlib.import_module("sides")


def workload(name):
    return importlib.import_module(f"workloads.{name}")


@pytest.fixture
def gpt(monkeypatch):
    """The language model, 4 wide."""
    module = workload("gpt")
    narrow = {name: (rows if rows == 27 or name == "place" else rows // 4, columns // 4)
              for name, (rows, columns) in module.SHAPES.items()}
    for name, value in {"WIDTH": 4, "HEADS": 2, "SHAPES": narrow}.items():
        monkeypatch.setattr(module, name, value)
    return module


def result(side):
    return side.read(side.run())


def numbers(x):
    return np.array(list(importlib.import_module("sides").numbers(x)))


def same(ours, theirs, within=1e-12):
    """Whether two sides give the same numbers; a peer that is not here is skipped."""
    sides = importlib.import_module("sides")
    try:
        expected = result(theirs())
    except sides.Missing as missing:
        pytest.skip(str(missing))
    assert sides.difference(result(ours()), expected) <= within


def slopes(f, x, step=1e-6):
    """Central differences."""
    return np.array([(f(x + h) - f(x - h)) / (2 * step) for h in step * np.eye(len(x))])


# -- the workloads -----------------------------------------------------------------------------------

REFERENCE = json.loads((HERE / "reference" / "document.json").read_text())


def test_the_documents_steps_end_where_its_reference_says():
    document = workload("document")
    near = {"rel": 1e-9}
    assert result(document.iterated()) == pytest.approx((0.015913620443551, 0.984064273514624), **near)
    for exp in (np.exp, math.exp):
        published = result(document.by_the_loop(exp))
        assert published == pytest.approx((0.016106141847370, 0.984043926826004), **near)


def test_the_documents_gradient_is_its_reference():
    document = workload("document")
    at_start = REFERENCE["gradients_at_start"]["corrected_forward_true"]
    for side in (document.gradient(), document.with_a_list(), document.eager()):
        assert list(numbers(result(side))) == pytest.approx([float(at_start[f"w{k}"]) for k in range(1, 9)],
                                                            rel=1e-14)


def test_the_documents_steps_in_c_are_ours():
    document = workload("document")
    same(lambda: document.iterated(50), lambda: document.trained_in_c(50), 1e-15)


def test_a_names_loss_and_gradient_are_the_classes(gpt):
    script, plain = importlib.import_module("script"), importlib.import_module("plain")
    expected = result(gpt.of_a_class(script.Script, "a"))
    for side in (gpt.of_a_class(plain.Plain, "a"), gpt.with_values("a"), gpt.with_arrays("a"),
                 gpt.with_bound_arrays("a")):
        assert importlib.import_module("sides").difference(result(side), expected) < 1e-14


def test_a_name_that_is_filled_up_has_the_loss_of_the_name(gpt):
    w = gpt.start()
    assert gpt.loss(w, *gpt.filled("jo", 5)) == pytest.approx(gpt.loss(w, *gpt.filled("jo")), rel=1e-14)
    assert gpt.filled("jo", 5) == ([0, 10, 15, 0, 0], [10, 15, 0, 0, 0], [1 / 3, 1 / 3, 1 / 3, 0.0, 0.0])


def test_training_has_the_losses_of_the_classes_training(gpt):
    choice = ("b", "c")
    ours, theirs = gpt.train(4, choice, 3), gpt.train_a_class(steps=4, choice=choice)
    assert ours == pytest.approx(theirs, rel=1e-12) and ours[-1] < ours[0]


def test_moons_are_those_of_the_plain_class():
    moons, speed = workload("moons"), importlib.import_module("speed")
    run = speed.plain_class(importlib.import_module("programs").PROGRAMS["moons"])
    value, gradient, _ = run()
    expected = [value, *gradient]
    assert np.abs(numbers(result(moons.batched())) - expected).max() < 1e-13


def test_the_bundles_jacobian_is_the_eager_one_and_that_of_c():
    bundle = workload("bundle")
    p, feature = bundle.data(9)
    expected = np.array([ag.jacobian(bundle.residual)(p[:, i].tolist(), feature[:, i].tolist())
                         for i in range(9)])
    for side in (bundle.ours(9), bundle.ours_bound(9)):
        assert np.abs(np.array(result(side)) - np.moveaxis(expected, 0, -1)).max() < 1e-12
    same(lambda: bundle.ours(9), lambda: bundle.c(9))


def test_a_bundle_without_rotation_takes_the_limit():
    bundle = workload("bundle")
    p, feature = (x[:, 0].tolist() for x in bundle.data(1))
    at = [bundle.residual([size, 0.0, 0.0, *p[3:]], feature) for size in (0.0, 1e-9)]
    assert at[0] == pytest.approx(at[1], abs=1e-8)


def test_a_random_graphs_gradient_is_the_eager_one_and_does_not_vanish():
    graphs = workload("random_graphs")
    g = graphs.graph(2000)
    xs = [Value(x) for x in g.start]
    y = graphs.value(g, xs, ag.sin)
    y.backward()
    found = numbers(result(graphs.ours(2000)))
    assert found.tolist() == [y.data, *[x.grad for x in xs]]
    assert 1900 <= len(g.nodes) + len(g.last) <= 2100
    assert np.percentile(np.abs(found[1:]), 2) > 1e-3 and np.abs(found).max() < 1e3


def test_the_hessians_are_what_their_formulas_say():
    hessians = workload("hessians")
    x = hessians.start(5)
    diagonal = 1200.0 * x ** 2 + 2.0
    chain = np.diag(np.append(diagonal[:-1] - 400.0 * x[1:], 0.0) + np.append(0.0, np.full(4, 200.0)))
    chain -= np.diag(400.0 * x[:-1], 1) + np.diag(400.0 * x[:-1], -1)
    features, marks = hessians.samples(5)
    s = 1 / (1 + np.exp(-features @ x))
    logistic = features.T @ np.diag(s * (1 - s)) @ features + np.eye(5)
    for make, expected in ((hessians.chain, chain), (hessians.logistic, logistic)):
        for side in (hessians.ours(make, 5), hessians.ours_later(make, 5)):
            assert np.array(result(side)) == pytest.approx(expected, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("name", ["mixture", "lstm"])
def test_adbenchs_gradients_are_its_differences(name):
    adbench = workload("adbench")
    f = getattr(adbench, name)
    p, *rest = getattr(adbench, f"{name}_data")(2)
    names = sorted(p)
    ends = np.cumsum([p[k].size for k in names])[:-1]

    def of(flat):
        return f({k: x.reshape(p[k].shape) for k, x in zip(names, np.split(flat, ends))}, *rest)
    flat = np.concatenate([p[k].ravel() for k in names])
    found = numbers(result(getattr(adbench, f"{name}_ours")(2)))
    assert found[0] == pytest.approx(of(flat), rel=1e-12)
    some = random.Random(1).sample(range(len(flat)), 8)
    steps = 1e-6 * np.eye(len(flat))[some]
    assert found[1:][some] == pytest.approx([(of(flat + h) - of(flat - h)) / 2e-6 for h in steps], abs=1e-6)


def test_the_mixture_is_the_density_of_its_gaussians():
    adbench = workload("adbench")
    p, points = adbench.mixture_data(4)
    shares = np.exp(p["alphas"]) / np.exp(p["alphas"]).sum()
    density, prior = np.zeros(4), 0.0
    for share, mean, logs, below in zip(shares, p["means"], p["logs"], p["below"]):
        factor = np.diag(np.exp(logs))
        factor[1, 0], factor[2, 0], factor[2, 1] = below
        squares = ((points - mean) @ (factor.T @ factor) * (points - mean)).sum(axis=1)
        density += share * np.linalg.det(factor) * np.exp(-0.5 * squares) / (2 * math.pi) ** 1.5
        prior += 0.5 * (factor ** 2).sum()
    whole = np.log(density).sum() + prior - adbench.prior_constant()
    assert adbench.mixture(p, points) == pytest.approx(whole)


def test_lorenz_is_that_of_c_and_its_derivatives_are_its_differences():
    physics = workload("physics")
    same(lambda: physics.trajectory(40), lambda: physics.trajectory_in_c(40), 1e-15)
    state, matrix = result(physics.sensitivity(40))

    def last(s):
        for _ in range(40):
            s = physics.step(s)
        return np.array(s)
    assert list(numbers(state)) == pytest.approx(last(physics.START).tolist(), rel=1e-14)
    assert np.array(matrix, float).T == pytest.approx(slopes(last, np.array(physics.START)), abs=1e-6)


def test_the_fits_end_in_one_place():
    pytest.importorskip("scipy.optimize")
    physics = workload("physics")
    fits = [result(side) for side in (physics.fit_compiled(), physics.fit("2-point"))]
    assert fits[0] == pytest.approx(fits[1], rel=1e-5) and fits[0] == pytest.approx(physics.TRUTH, abs=0.1)


# -- the peers that are here -------------------------------------------------------------------------

@pytest.mark.parametrize("name, ours, theirs, size", [
    ("document", "gradient", "casadi", None), ("document", "gradient", "ddx_ad", None),
    ("random_graphs", "ours", "casadi", 300), ("bundle", "ours", "ddx_ad", 9), ("bundle", "ours", "jax", 9),
    ("moons", "batched", "micrograd", None), ("moons", "batched", "torch", 9), ("moons", "batched", "jax", 9),
    ("adbench", "mixture_ours", "mixture_jax", 4), ("adbench", "lstm_ours", "lstm_jax", 3),
    ("physics", "sensitivity", "sensitivity_jax", 9)])
def test_a_peer_gives_our_numbers(name, ours, theirs, size):
    module = workload(name)
    sizes = [] if size is None else [size]
    same(lambda: getattr(module, ours)(*sizes), lambda: getattr(module, theirs)(*sizes))


# -- what compares them --------------------------------------------------------------------------------

def test_sides_that_differ_are_not_timed(sides):
    def row(theirs):
        return sides.Row("a row", lambda: sides.Side(lambda: [1.0, 2.0]), "a peer",
                         lambda: sides.Side(lambda: theirs))
    for wrong in ([1.0, 2.0 + 1e-9], [1.0], [1.0, math.nan], [1.0, 2.0, 0.0]):
        with pytest.raises(AssertionError, match="a row: ours and a peer's differ"):
            sides.compare(row(wrong), 1)
    found = sides.compare(row(np.array([1.0, 2.0])), 1)
    assert found.differ == 0.0 and min(found[:4]) > 0.0


def test_a_side_that_goes_wrong_later_is_noticed(sides):
    calls = itertools.count()
    row = sides.Row("a row", lambda: sides.Side(lambda: 1.0 if next(calls) < 9 else 2.0), "a peer",
                    lambda: sides.Side(lambda: 1.0))
    with pytest.raises(AssertionError, match="a row: ours and a peer's differ"):
        sides.compare(row, 1)


def test_a_bound_function_that_gives_old_results_is_noticed(sides):
    class Stale:
        def bind(self, x):
            return lambda: 3.0

    with pytest.raises(AssertionError, match="does not read its arrays"):
        sides.bound(Stale(), np.ones(2))


def test_what_is_slower_has_the_larger_time(sides):
    row = sides.Row("a row", lambda: sides.Side(lambda: 0.0), "a peer",
                    lambda: sides.Side(lambda: 0.0 * len([x for x in range(2000)])), scale=10.0)
    found = sides.compare(row, 1)
    assert found.theirs > 5 * found.ours and found.theirs_off > 5 * found.ours_off
    assert found.theirs < 1e-3


def test_a_side_that_holds_memory_is_seen(sides):
    kept = []
    try:
        grown = sides.held(lambda: kept.append(np.ones(1 << 21)) or sides.Side(lambda: None))
    except sides.Missing:
        pytest.skip("no /proc")
    assert 0.9 < grown / 2 ** 24 < 1.2


def test_c_that_the_compiler_refuses_is_missing(sides, monkeypatch):
    with pytest.raises(sides.Missing):
        sides.in_c("int f(")
    monkeypatch.setattr(sides.shutil, "which", lambda name: None)
    with pytest.raises(sides.Missing, match="no C compiler"):
        sides.in_c("int f(void) { return 1; }")


def test_every_row_is_a_line_of_80_columns_whatever_is_found():
    native = importlib.import_module("native")
    rows = native.rows()
    assert len(rows) >= 25 and sum(row.bar is not None for row in rows.values()) >= 14
    times = {"ours": 1.2345e-5, "theirs": 0.123, "ours_off": 1.2345e-5, "theirs_off": 0.0512, "differ": 0.0}
    for row in rows.values():
        found = {"ours": 512.0, "theirs": 2048.0} if row.memory else times
        for shown in (found, {"missing": "not installed"}):
            line = native.line(native.cells(row, shown))
            assert len(line) <= 80, line
            assert row.name in line and row.peer in line
    assert native.cells(rows["moons-micrograd"], times)[3:] == ["9,964 (4,147)", "≥ 10,000 ✗"]
    assert native.cells(rows["moons-jax"], times)[-1] == "≥ 1 ✓"
    assert native.cells(rows["moons-jax"], {"missing": "not installed"})[3] == "not installed"


def test_the_command_prints_a_row_and_a_peer_that_is_not_there(capsys, monkeypatch):
    native = importlib.import_module("native")
    monkeypatch.setattr(sys, "argv", ["native.py", "gradient-eager", "gradient-casadi", "--runs", "1"])
    status = native.main()
    said = capsys.readouterr().out.splitlines()
    assert status == 0 and said[0].split()[:2] == ["workload", "ours"]
    assert re.fullmatch(r"its gradient, of a list +[\d.]+ [nµ]s +our eager grad .*≥ 40 [✓✗]", said[2])
    assert ("not installed" in said[1]) == (importlib.util.find_spec("casadi") is None)
    assert said[4].endswith("bars are met")
