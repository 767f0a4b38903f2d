"""grad, draw, check and audit on the command line: what they find, what they say, and when they refuse."""
from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite import cli
from autograd_lite.checks.report import columns
from autograd_lite.commands import audit, check, draw, grad
from autograd_lite.expression import FUNCTIONS

DEMOS = Path(__file__).parent.parent / "demos" / "derivations"


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """A function of arguments (one text is split as in a shell): the status, the output, the errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        words = shlex.split(arguments[0]) if len(arguments) == 1 else [*arguments]
        try:
            status = cli.main(words[words[:1] == ["autograd-lite"]:])
        except SystemExit as ended:
            status = ended.code
        return status, *capsys.readouterr()
    return call


# -- help and examples --------------------------------------------------------------------------------


@pytest.mark.parametrize("command, status", [(grad, 0), (draw, 0), (check, 1), (audit, 0)],
                         ids=["grad", "draw", "check", "audit"])
def test_the_example_in_a_help_runs(command, status, run, tmp_path):
    (tmp_path / "derivation.py").write_text(audit.TEMPLATE)
    name = command.EXAMPLE.split()[1]
    assert f"\n  {command.EXAMPLE}\n" in run(f"{name} --help")[1]
    ended, out, err = run(command.EXAMPLE)
    assert ended == status and out and not err and all(columns(line) < 80 for line in out.splitlines())


def test_the_bare_command_shows_what_it_can_do(run):
    status, out, err = run()
    assert status == 0 and not err
    for command in (grad, draw, check, audit):
        assert f"\n  {command.EXAMPLE}\n" in out
    assert out == run("--help")[1]


def test_helps_fit_the_screen_and_name_every_function_that_is_public(run):
    for command in ("", "grad", "draw", "check", "audit", "document"):
        status, out, err = run(f"{command} --help")
        assert status == 0 and not err and all(columns(line) <= 80 for line in out.splitlines())
        if command in ("grad", "draw", "check"):
            listed = out.partition("functions:")[2].split()
            assert {name for name in FUNCTIONS if name in ag.__all__} <= {*listed}


# -- grad ---------------------------------------------------------------------------------------------


def test_grad_gives_the_value_and_the_gradient_to_the_last_digit(run):
    x, y = ag.Value(1.5), ag.Value(2.0)
    f = ag.sin(x * y) + x ** 2
    f.backward()
    status, out, _ = run(grad.EXAMPLE + " --json")
    assert status == 0 and json.loads(out) == {"value": f.data, "gradient": {"x": x.grad, "y": y.grad}}
    rows = dict(line.split() for line in run(grad.EXAMPLE)[1].splitlines()[:3])
    assert rows == {"f": f"{f.data:.12g}", "∂f/∂x": f"{x.grad:.12g}", "∂f/∂y": f"{y.grad:.12g}"}


def test_grad_goes_to_higher_orders(run):
    out = json.loads(run('grad "x**3*y**2" --at x=2 y=3 --order 4 --json')[1])
    assert out["hessian"] == {"x": {"x": 108.0, "y": 72.0}, "y": {"x": 72.0, "y": 16.0}}
    assert out["derivatives"] == {"3": {"x": 54.0, "y": 0.0}, "4": {"x": 0.0, "y": 0.0}}
    rows = dict(line.split() for line in run('grad "x**3*y**2" --at x=2 y=3 --order 3')[1].splitlines()[:8])
    assert rows["∂²f/∂x∂y"] == "72" and rows["∂³f/∂x³"] == "54"
    assert json.loads(run('grad "2*3" --order 3 --json')[1]) == {"value": 6.0, "gradient": {}}


def test_grad_has_the_mixed_derivatives_unless_they_are_many(run):
    out = json.loads(run('grad "x**3*y**2*z" --at x=2 y=3 z=5 --order 3 --json')[1])
    assert {tuple(entry["by"]): entry["value"] for entry in out["mixed"]["3"]} == {
        ("x", "x", "y"): 360.0, ("x", "x", "z"): 108.0, ("x", "y", "y"): 120.0, ("x", "y", "z"): 72.0,
        ("x", "z", "z"): 0.0, ("y", "y", "z"): 16.0, ("y", "z", "z"): 0.0}
    assert "mixed" not in json.loads(run('grad "x**3" --at x=2 --order 4 --json')[1])
    rows = dict(line.split() for line in run('grad "x**3*y**2" --at x=2 y=3 --order 4')[1].splitlines()[:15])
    assert rows["∂³f/∂x²∂y"] == "72" and rows["∂⁴f/∂x²∂y²"] == "24" and rows["∂⁴f/∂x³∂y"] == "36"
    out = run('grad "a*b*c*d*g" --at a=1 b=1 c=1 d=1 g=1 --order 4')[1]
    assert "by each variable alone" in out and "∂a∂b∂c" not in out and "∂⁴f/∂g⁴" in out


@pytest.mark.parametrize("arguments, marked", [
    ('grad "1 + sqrt(x*y)" --at x=0 y=1', "sqrt(x*y)"), ('draw "x + sqrt(x)" --at x=0', "sqrt(x)"),
    ('check "2*cbrt(x)" --claim "x: 1" --at x=0', "cbrt(x)"),
    ('grad "1 + x*sqrt(x)" --at x=0 --order 2', "sqrt(x)"),
    ('grad "a**b + 1" --at a=0 b=1.5 --order 2', "a**b"),
    ('grad "3*hypot(x, y)" --at x=0 y=0 --order 2', "hypot(x, y)"),
    ('grad "y + abs(x)**1.5" --at x=0 y=1 --order 3', "abs(x)"),
    ('grad "sinh(x) + sqrt(asinh(x))" --at x=0', "sqrt(asinh(x))"),
    ('grad "u = x - 1; v = sqrt(4*u); v + 2" --at x=1', "sqrt(4*u)"),
    ('grad "1/x" --at x=1e-160', "1/x"),
    ('grad "x + logsumexp([log(x), sqrt(x - x)])" --at x=1', "sqrt(x - x)")])
def test_an_error_of_a_derivative_points_at_the_operation(arguments, marked, run):
    status, _, err = run(arguments)
    head, text, marks = err.splitlines()
    assert status == 2 and text[marks.index("^"):][:marks.count("^")] == marked, err
    assert "gradient through" in head or "derivative of order" in head


def test_a_wrong_claim_is_written_out_beside_the_graphs_line(run):
    claims = ["--claim", "x: y*cos(x)*z", "--claim", "z: x"]
    out = run("check", "sin(x)*y*z", *claims, "--derive", "2")[1]
    assert out.count("  graph = ") == 1 and "claimed = −0.7396\n          ^^^^^^^\n" in out
    assert "  graph = " not in run("check", "sin(x)*y*z", *claims, "--derive", "0")[1]
    out = run("check", "x*y*z", "--claim", "x: y", "--claim", "z: y", "--derive", "2")[1]
    assert out.count("  graph = ") == 2 and all(columns(line) < 80 for line in out.splitlines())
    assert run("check", "x*y*z", "--claim", "x: y", "--claim", "z: y")[1].count("  graph = ") == 1
    found = json.loads(run("check", "x*y*z", "--claim", "x: y", "--json")[1])
    assert {*found} == {"ok", "points", "drawn", "claims"}


def test_grad_by_some_names_and_intermediate_results(run):
    out = json.loads(run('grad "u = x*y; sin(u)" --at x=1 y=2 --wrt u y --json')[1])
    assert out["gradient"] == {"u": ag.cos(2.0), "y": ag.cos(2.0)}
    out = json.loads(run('grad "k = 3; n = 2; k*x**n" --at x=-1 --wrt k x --json')[1])
    assert out["gradient"] == {"k": 1.0, "x": -6.0}


def test_grad_reads_the_standard_input_and_numbers_made_of_constants(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("u = θ*2\nsin(u) * x\n"))
    out = json.loads(run("grad", "-", "--at", "θ = -pi/2", "x=1e3", "--json")[1])
    assert out["gradient"]["θ"] == pytest.approx(-2000.0)


def test_grad_says_where_a_slope_is_a_convention(run):
    assert "abs(0.0) of 'x' lies at its kink" in run('grad "abs(x) + y" --at x=0 y=1')[1]
    assert "kink" not in run('grad "abs(x) + y" --at x=1 y=0')[1]


def test_grad_prints_the_derivation(run):
    assert run('grad "x*y + z" --at x=2 y=3 z=4 --wrt y x')[1].endswith(
        "\n\n∂f/∂y = x\n      = 2\n\n∂f/∂x = y\n      = 3\n")


def test_numbers_that_are_not_finite_are_words_in_json_and_come_only_when_asked_for(run):
    assert run('grad "exp(x)" --at x=1000')[0] == 2
    found = json.loads(run('grad "exp(x)/y" --at x=1000 y=-1 --ieee --json')[1])
    assert found == {"value": "-inf", "gradient": {"x": "-inf", "y": "-inf"}}
    assert json.loads(run('grad "x + 1" --at x=nan --json')[1])["value"] == "nan"


@pytest.mark.parametrize("arguments, words", [
    ('grad "x + y" --at x=1', "y: no number is given; add --at y=1.5"),
    ('grad "x" --at x=1e400', "too large"), ('grad x --at x=1 x=2', "x is given twice"),
    ('grad x --at x', "write x=1.5"), ('grad x --at sin=3', "sin is a function"),
    ('grad x --at e=3', "the constant"), ('grad "speed*2" --at spede=3', "did you mean speed?"),
    ('grad "u=x; u*2" --at x=1 u=2', "u is computed"), ('grad x --at x=y', "y is not a number"),
    ('grad x --at x=', "is empty"), ('grad x --at x=1,2', "a tuple"),
    ('grad x --at x=1 --wrt z', "--wrt: z is not"), ('grad x --at x=1 --wrt x x', "given twice"),
    ('grad "u=x*x; u*2" --at x=1 --wrt u --order 2', "u is computed"), ('grad x --order 0', "from 1 to 30"),
    ('grad x --order 1e3', "from 1 to 30"),
    ('grad "log(x)" --at x=-1', "must be positive\n    log(x)\n    ^^^^^^"),
    ('grad "sqrt(x)" --at x=0', "derivative is infinite"), ('grad -x**2 --at x=1', "after --"),
    ('grad --at x=1 "x**2"', "stands first"),
    ('grad "sine(x)" --at x=1', "did you mean sin?\n    sine(x)\n    ^^^^"),
    ('gard x', "did you mean grad?"), ('grad x --ordre 2 --at x=1', "did you mean --order?"),
    ('check "x*y" --claim "x: y" --pionts 9', "did you mean --points?"),
    ('grad "x*y" --at x=inf y=0', "must be finite"),
    ('grad ""', "is empty"), ('grad "abs(x)**2" --at x=0 --order 2', "abs"),
    ('draw x --at x=1 -o a.jpg', "must end in"), ('draw x', "no number"),
    ('draw x --at x=1 --style rich', "invalid choice"), ('draw x --at x=1 --digits 0', "number of digits"),
    ('draw "x*x" --at x=1 --focus y', "'y'"), ('check "x*y"', "required: --claim"),
    ('check "x*y" --claim "x y"', "write 'x: y*cos(x*y)'"), ('check "x*y" --claim "z: y"', "z is not in"),
    ('check "x*y" --claim "x: z"', "there is no z here\n    z\n    ^"),
    ('check "x*y" --claim "f: 1"', "itself"),
    ('check "x*y" --claim "x: y" --claim "∂f/∂x = y"', "claimed twice"),
    ('check x --claim "x:"', "is empty"), ('check x --claim "x: 1" --points 0', "from 1 to"),
    ('check x --claim "x: 1" --rtol 2', "between 0 and 1"),
    ('check "log(x)" --claim "x: sqrt(-x)"', "at none of"),
    ('check "log(x)" --claim "x: 1/x" --at x=-1', "x=-1.0"),
    ('check "x*x" --claim "x: 2*x" --at y=1', "y is not"), ('audit', "required: file"),
    ('audit .', "is a directory"), ('audit no.py', "no.py: No such file"),
    ('audit a.py --points 0', "number of points")])
def test_a_mistake_is_told_in_a_line_that_says_what_to_do(arguments, words, run):
    status, out, err = run(arguments)
    assert status == 2 and not out and words in err and err.startswith("autograd-lite: ")
    head, *rest = err.splitlines()
    assert len(rest) in (0, 2) and len(head) < 280 and all(columns(line) < 80 for line in rest)
    assert "Traceback" not in err


# -- draw ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending, begins", [("svg", b"<?xml"), ("html", b"<!DOCTYPE"), ("dot", b"digraph"),
                                            ("png", b"\x89PNG")])
def test_draw_writes_what_the_name_says(ending, begins, run, tmp_path):
    status, out, err = run(f'draw "tanh(w*x + b)" --at w=1 x=2 b=3 -o "a b.{ending}"')
    assert (status, out, err) == (0, f"a b.{ending}\n", "")
    assert (tmp_path / f"a b.{ending}").read_bytes().startswith(begins)


def test_draw_prints_the_source_and_hands_its_options_on(run):
    status, out, _ = run('draw "u = x*y; u + x" --at x=2 y=3')
    assert status == 0 and out.startswith("digraph") and all(f">{name}" in out for name in "uxyf")
    dark = run('draw "u = x*y; u + x" --at x=2 y=3 --theme dark --style compact --color grad --direction BT '
               '--digits 2 --caption hello')[1]
    x, y = ag.Value(2.0, "x"), ag.Value(3.0, "y")
    u = x * y
    f = u + x
    ag.label(u=u, f=f)
    f.backward()
    same = ag.draw(f, theme="dark", style="compact", colour="grad", direction="BT", digits=2, caption="hello")
    assert dark == same.source.rstrip("\n") + "\n" != out
    found = json.loads(run('draw "x*y" --at x=2 y=3 --json')[1])
    assert found["gradient"] == {"x": 3.0, "y": 2.0} and found["source"].startswith("digraph")


def test_draw_says_where_it_cannot_write(run, tmp_path):
    status, out, err = run('draw x --at x=1 -o no/such/a.svg')
    assert status == 1 and not out and "No such file or directory" in err and err.count("\n") == 1
    assert os.listdir(tmp_path) == []


# -- check --------------------------------------------------------------------------------------------

RIGHT = {
    "sin(x*y)": ["x: y*cos(x*y)", "y: x*cos(x*y)"], "tanh(x)": ["x: 1 - tanh(x)**2"],
    "abs(x)": ["x: x/abs(x)"], "sigmoid(x)": ["x: sigmoid(x)*(1 - sigmoid(x))"], "relu(x)": ["x: x > 0"],
    "log(1 + exp(x))": ["x: 1/(1 + exp(-x))"], "x**y": ["x: y*x**(y - 1)", "y: x**y*log(x)"],
    "acosh(x)*asin(y)": ["x: asin(y)/sqrt(x**2 - 1)", "y: acosh(x)/sqrt(1 - y**2)"],
    "u = x*y; v = u + x; sin(v)": ["v: cos(v)", "u: cos(v)", "∂v/∂u: 1", "dv/dx = y + 1",
                                   "x: cos(v)*(y + 1)"],
    "exp(-(x - m)**2/(2*s**2))": ["m: (x - m)/s**2*exp(-(x - m)**2/(2*s**2))",
                                  "s: (x - m)**2/s**3*exp(-(x - m)**2/(2*s**2))"],
    "maximum(x, y)": ["x: where(x > y, 1, 0)", "y: 1 - (x > y)"],
    "hypot(x, y)": ["x: x/hypot(x, y)"],
    "log(x/y)": ["x: 1/x", "y: -1/y"], "(1 - cos(x))/x**2": ["x: sin(x)/x**2 - 2*(1 - cos(x))/x**3"],
    "sqrt(x - 1000)": ["x: 1/(2*sqrt(x - 1000))"], "cos(x + y)": ["x: -sin(x)*cos(y) - cos(x)*sin(y)"]}


@pytest.mark.parametrize("text", RIGHT)
def test_right_claims_agree(text, run):
    claims = [word for claim in RIGHT[text] for word in ("--claim", claim)]
    status, out, err = run("check", text, *claims, "--seed", "7", "--points", "150")
    assert status == 0 and "WRONG" not in out and out.count("agrees") == len(RIGHT[text]), out + err


@pytest.mark.parametrize("text, claim, words", [
    ("sin(x*y)", "y: x*sin(x*y)", "sin(x * y) where cos(x * y) belongs"),
    ("x**2*y", "x: x*y", "off by a factor ½"), ("exp(-x)", "x: exp(-x)", "sign flipped"),
    ("x*y*z", "x: y", "the factor z is missing"), ("sin(x) + x*y", "x: cos(x)", "a term y is missing"),
    ("u = x*y; sin(u) + u", "∂u/∂x: x", "x where y belongs"), ("x*y", "x: 0*x", "claimed 0"),
    ("x + 0*y", "x: x + y", "claimed"), ("1/x", "x: 1/x**2", "sign flipped")])
def test_a_wrong_claim_is_found_and_its_kind_is_named(text, claim, words, run):
    status, out, err = run("check", text, "--claim", claim)
    assert status == 1 and words in out and "WRONG at " in out and not err
    status, out, err = run("check", text, "--claim", claim, "--json")
    found = json.loads(out)
    wrong, = found["claims"]
    assert status == 1 and not found["ok"] and 150 < wrong["wrong_at"] <= found["points"] == 200
    assert words[:7] == "claimed" or any(words == told["text"] for told in wrong["diagnoses"])
    point = " ".join(f"{name}={x}" for name, x in wrong["point"].items())
    name = claim.partition(":")[0].rpartition("∂")[2]
    if "∂" not in claim:                                    # (the point is one where it is wrong, indeed)
        exact = json.loads(run(f'grad "{text}" --at {point} --json')[1])["gradient"][name]
        assert exact == wrong["derived"] != wrong["claimed"]


def test_only_what_is_wrong_is_wrong_and_what_follows_from_it_is_told(run):
    status, out, _ = run("check", "u = x*y; sin(u)", "--claim", "u: cos(u)", "--claim", "∂u/∂x: x",
                         "--claim", "x: x*cos(u)")
    assert status == 1 and out.count("agrees") == 1 and "(follows from ∂u/∂x, which is wrong)" in out


def test_a_claim_whose_factors_underflow_is_not_wrong(run):
    claim = "y: -3*(2 - y)**2*exp(8)*exp(-12*y)*exp(6*y**2)*exp(-y**3)"
    assert run("check", "exp((2 - y)**3)", "--claim", claim, "--at", "y=10.48")[0] == 0


def test_claims_are_named_as_they_were_given(run):
    claims = ["--claim", "u: 3*y", "--claim", "k: x*y", "--claim", "∂x/∂y: 1"]
    out = run("check", "u = x; k = 3; k*u*y", *claims)[1]
    assert "∂f/∂u = 3*y  agrees" in out and "∂f/∂k = x*y  agrees" in out and "x does not depend on y" in out
    assert run("check", "x", "--claim", "x: 1")[1].startswith("x\n")


def test_a_claim_that_is_wrong_at_some_points_is_found_there(run):
    found = json.loads(run("check", "relu(x)*y", "--claim", "x: y", "--claim", "y: x", "--json")[1])
    for claim in found["claims"]:
        assert 0 < claim["wrong_at"] < found["points"] and claim["point"]["x"] < 0
    out = run("check", "relu(x)*y", "--claim", "x: y")[1]
    assert f"WRONG at {found['claims'][0]['wrong_at']} of 200" in out


def test_points_lie_where_all_is_defined_and_are_the_same_for_a_seed(run):
    arguments = ["check", "log(x)*asin(y)", "--claim", "x: asin(y)", "--json", "--seed"]
    first, again, other = [json.loads(run(*arguments, seed)[1]) for seed in ("1", "1", "2")]
    assert first == again != other and first["points"] == 200 < first["drawn"]
    assert "were drawn; at the others not all is defined" in run(*arguments[:-2])[1]


def test_a_point_of_ones_own(run):
    out = run("check", "x**2*y", "--claim", "x: 2*x*y", "--at", "x=3", "y=4")[1]
    assert out.splitlines()[1] == "at x=3.0 y=4.0"
    found = json.loads(run("check", "x**2*y", "--claim", "x: 3*x*y", "--at", "y=4", "--json")[1])
    assert found["claims"][0]["point"]["y"] == 4.0 and found["points"] == 200


def test_long_names_and_expressions_fit_the_screen(run):
    name, terms = "w" * 70, " + ".join(f"sin(x{k})" for k in range(60))
    points = [f"x{k}=-0.123456789012345678" for k in range(60)]
    for arguments in (["grad", f"{name}*2", "--at", f"{name}=1e-300"],
                      ["grad", terms, "--at", *points, "--wrt", "x1"],
                      ["check", f"{name}*2", "--claim", f"{name}: 3"],
                      ["check", terms, "--claim", f"x1: {terms}"]):
        _, out, err = run(*arguments)
        assert out and not err and all(columns(line) < 80 for line in out.splitlines()), out


# -- audit --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("demo, words, line", [
    ("attention", "claimed is ∂L/∂S @ Q, right is ∂L/∂S.T @ Q", "dK = "),
    ("black_scholes", "path via d1", "d2_sigma = "), ("published_sign", "sign", "dy = ")])
def test_audit_names_the_wrong_line_and_the_kind_of_mistake(demo, words, line, run):
    path = DEMOS / f"{demo}.py"
    status, out, err = run("audit", str(path))
    rest = out.splitlines()
    k = next(k for k, line in enumerate(rest) if " is claimed at " in line)
    place, text = rest[k:k + 2]
    del rest[k:k + 2]                           # (a path may be long)
    assert status == 1 and words in out and not err and all(columns(line) < 80 for line in rest)
    number = int(place.rpartition(":")[2])
    assert path.read_text(encoding="utf-8").splitlines()[number - 1].strip().startswith(line)
    assert text.strip().startswith(line)


def derivation(tmp_path, *changes):
    """The file to begin with, changed."""
    text = audit.TEMPLATE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "d.py").write_text(text, encoding="utf-8")


def test_the_file_to_begin_with_agrees_and_a_mistake_in_it_is_found(run, tmp_path):
    derivation(tmp_path)
    assert run("audit d.py") == (0, "all 3 claims agree with the graph, at 3 points\n", "")
    derivation(tmp_path, ('("u", "x"): y', '("u", "x"): x'))
    status, out, _ = run("audit d.py")
    assert status == 1 and "x where y belongs, at each of 3 points" in out
    assert "∂u/∂x is claimed at d.py:14" in out
    report, = json.loads(run("audit d.py --json")[1])["reports"]
    assert report["causes"][0] == {
        "name": "∂u/∂x", "line": 14, "text": "∂u/∂x: claimed 0.5, is 1.5", "diagnoses": [
            {"kind": "substitution", "text": "x where y belongs"},
            {"kind": "substitution", "text": "claimed is ∂u/∂y"}]}
    assert [path.name for path in tmp_path.iterdir()] == ["d.py"]           # (nothing is cached beside it)


def test_points_may_come_from_a_strategy_and_what_the_file_prints_is_not_the_output(run, tmp_path):
    strategy = ("points = [(0.5, 1.5), (-1.2, 0.7), (2.1, -0.4)]",
                "from hypothesis import strategies as st\nprint('hello')\n"
                "inputs = st.tuples(*[st.floats(-4, 4)] * 2)")
    derivation(tmp_path, strategy)
    status, out, err = run("audit d.py --points 20 --json")
    assert status == 0 and json.loads(out)["points"] == 20 and err == "hello\n"
    derivation(tmp_path, strategy, ('"u": ag.cos(x * y)', '"u": ag.sin(x * y)'))
    status, out, _ = run("audit d.py")
    assert status == 1 and out == run("audit d.py")[1]


def test_points_at_which_it_is_not_defined_are_left_out_and_counted(run, tmp_path):
    derivation(tmp_path, ("ag.sin(u)", "ag.log(u)"),
               ('"u": ag.cos(x * y), "x": y * ag.cos(x * y)', '"x": 1/x'))
    out = run("audit d.py")[1]
    assert "2 claims agree with the graph, at 1 point" in out
    assert "(not defined at 2 points: log(-0.84)" in out
    derivation(tmp_path, ("ag.sin(u)", "ag.log(-u*u)"))
    status, out, err = run("audit d.py")
    assert status == 2 and "must be positive" in err and err.splitlines()[1] == "at d.py:8"


def test_a_file_may_import_what_lies_beside_it(run, tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "beside_it.py").write_text("FACTOR = 1")
    derivation(tmp_path, ("u = x * y", "from beside_it import FACTOR; u = x * y * FACTOR"))
    (tmp_path / "d.py").rename(tmp_path / "below" / "d.py")
    before = sys.path[:]
    assert run("audit below/d.py")[0] == 0 and sys.path == before


@pytest.mark.parametrize("source, words, line", [
    (audit.TEMPLATE.replace("def hand", "def other"), "it has no hand(point). A file to begin with:", None),
    (audit.TEMPLATE.replace("points", "places"), "it has neither points", None),
    ("forward = 3", "its forward is 3", None),
    (audit.TEMPLATE.replace("points = [", "points = [] and ["), "is empty", None),
    (audit.TEMPLATE.replace("x, y = point\n", "x, y = point[0]\n"), "TypeError: cannot unpack",
     "x, y = point[0]"),
    (audit.TEMPLATE.replace('"u":', '"v":'), "'v'", None),
    (audit.TEMPLATE.replace("return f", "return 3"), "root", None),
    ("def (", "SyntaxError: invalid syntax", "def ("),
    ("import sys; sys.exit(3)", "it calls exit: 3", "import sys; sys.exit(3)"),
    ("exit()", "it calls exit\n", "exit()"),
    ("import nothing_of_this_name", "ModuleNotFoundError", "import nothing_of_this_name"),
    ("raise ValueError('a\\n' * 100)", "ValueError: a", "raise ValueError('a\\n' * 100)"),
    ("open('no such file')", "FileNotFoundError", "open('no such file')"), ("\0", "null bytes", None),
    ("raise ValueError('\\x1b[31m')", "\\x1b[31m", "raise ValueError('\\x1b[31m')")])
def test_what_is_wrong_with_a_file_is_shown_with_its_line_on_one_screen(source, words, line, run, tmp_path):
    (tmp_path / "d.py").write_text(source)
    status, out, err = run("audit d.py")
    lines = err.splitlines()
    assert status == 2 and not out and lines[0].startswith("autograd-lite: d.py: ") and words in err
    assert len(lines) < 24 and "Traceback" not in err and "\x1b" not in err
    if line:
        assert f"    {line}" in lines and any(text.startswith("at d.py:") for text in lines)
    if "begin with" in err:                             # (what it says to copy is the file that works)
        assert audit.TEMPLATE.strip() in err


# -- the terminal -------------------------------------------------------------------------------------


@pytest.mark.parametrize("terminal, env, painted", [
    (True, {}, True), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False), (False, {}, False)])
def test_colour_is_for_terminals_that_want_it(terminal, env, painted, run, monkeypatch):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, text in env.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    if os.name == "posix":
        assert ("\x1b[31mWRONG" in run(check.EXAMPLE)[1]) is painted
    assert "\x1b" not in run(check.EXAMPLE + " --json")[1]


def test_progress_is_shown_on_a_terminal_alone(run, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    status, out, err = run(check.EXAMPLE)
    assert status == 1 and "points" in err and "claims" in err and "\r" not in out
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    assert run(check.EXAMPLE)[1:] == (out, "")


def test_a_terminal_without_greek_gets_words():
    command = [sys.executable, "-m", "autograd_lite", "grad", "θ**2*x", "--at", "θ=3", "x=2", "--order", "2"]
    env = {**os.environ, "PYTHONPATH": str(Path(ag.__file__).parents[1]), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=env, capture_output=True, encoding="ascii")
    assert done.returncode == 0 and not done.stderr
    rows = done.stdout.splitlines()[1:4]
    assert rows == ["  df/dtheta      12", "  df/dx          9", "  d^2f/dtheta^2  4"]


def test_the_streams_may_be_closed_or_hold_no_text(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert "standard input is closed" in run("grad -")[2]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))
    status, out, err = run("grad -")
    assert status == 2 and "is not text" in err
    assert "this is not text" in run("grad", "x\udcff")[2]
