"""Derivations written out: what is printed is true and can be read; a wrong claim is marked where it is."""
from __future__ import annotations

import json
import math
import random
import re
import shutil
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser
from test_pages import HOSTILE, text_of

import autograd_lite as ag
from autograd_lite import InputError, LabelError, MissingError, Value, audit, derive, document, label
from autograd_lite.cli import main
from autograd_lite.document import Network
from autograd_lite.drawing import symbolic
from autograd_lite.drawing.formulas import Formula, Named, formula, partials_as_written
from autograd_lite.drawing.mathml import mathml
from autograd_lite.graph.walks import topological
from autograd_lite.ops.op import TABLE, Op, op_named
from autograd_lite.testing import expressions

REFERENCE = json.loads((Path(__file__).parent / "reference" / "document.json").read_text())
MANY = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
MATHTEXT = MathTextParser("path")
NAMES = {**TABLE, **{name: getattr(ag, name) for name in ag.__all__}, "op_named": op_named}


def blocks(text: str) -> list[list[str]]:
    """The rows of each block, what is wrapped put together again, without what stands before the sign."""
    found = []
    for block in text.split("\n\n"):
        rows: list[str] = []
        for row in block.split("\n"):
            if re.match(r"\S* *(=|  since) ", row) or not rows:
                rows.append(row)
            else:
                rows[-1] += " " + row.strip()
        found.append(rows)
    return found


# -- the document ------------------------------------------------------------------------------------

def test_the_documents_derivative_is_written_as_a_person_writes_it():
    assert str(derive(Network().graph(), "w5")) == """\
∂E/∂w5 = ∂E/∂outo1 · ∂outo1/∂neto1 · ∂neto1/∂w5
       = (outo1 − t1) · outo1·(1 − outo1) · outh1
       = 0.741365 · 0.186816 · 0.593270
       = 0.082167"""


def test_a_sum_over_paths_names_what_is_used_by_name_afterwards():
    assert str(derive(Network().graph(), "w1")) == """\
∂E/∂neto1 = ∂E/∂outo1 · ∂outo1/∂neto1
          = (outo1 − t1) · outo1·(1 − outo1)
          = 0.741365 · 0.186816
          = 0.138499

∂E/∂neto2 = ∂E/∂outo2 · ∂outo2/∂neto2
          = (outo2 − t2) · outo2·(1 − outo2)
          = −0.217072 · 0.175510
          = −0.038098

∂E/∂outh1 = ∂E/∂neto1 · ∂neto1/∂outh1 + ∂E/∂neto2 · ∂neto2/∂outh1
          = ∂E/∂neto1 · w5 + ∂E/∂neto2 · w7
          = 0.138499 · 0.4 − 0.038098 · 0.5
          = 0.036350

∂E/∂w1 = ∂E/∂outh1 · ∂outh1/∂neth1 · ∂neth1/∂w1
       = ∂E/∂outh1 · outh1·(1 − outh1) · i1
       = 0.036350 · 0.241301 · 0.05
       = 0.000438568"""


def test_every_derivative_of_the_document_ends_in_the_reference_and_in_what_backward_gives():
    network = Network()
    E = network.graph()
    E.backward()
    parameters = network.weights + network.biases
    derivation = derive(E, parameters, digits=15)
    assert derivation.values == tuple(p.grad for p in parameters)
    last = {rows[0].split(" = ")[0]: rows[-1].rpartition("= ")[2] for rows in blocks(derivation.text)}
    biases = REFERENCE["bias_gradients_at_start"]["corrected_forward"]
    truth = REFERENCE["gradients_at_start"]["corrected_forward_true"] | {
        "b1": biases["b1_shared"], "b2": biases["b2_shared"]}
    for name, x in truth.items():
        assert math.isclose(float(last[f"∂E/∂{name}"].replace("−", "-")), float(x), rel_tol=1e-13), name


def test_what_is_shared_by_several_is_written_once():
    network = Network()
    text = derive(network.graph(), network.weights + network.biases).text
    heads = re.findall(r"^(\S+) = ", text, re.MULTILINE)
    assert len(heads) == len(set(heads)) == 16
    assert "∂E/∂w5 = ∂E/∂neto1 · ∂neto1/∂w5\n" in text
    assert heads.index("∂E/∂neto1") < heads.index("∂E/∂outh1") < heads.index("∂E/∂w1")


@pytest.mark.parametrize("name", ["page.html", "page.md", "page.txt"])
def test_the_command_writes_the_whole_derivation_and_what_is_wrong_in_the_published_one(name, tmp_path):
    assert main(["document", "--steps", "1", "--output", str(tmp_path), "--derivation",
                 str(tmp_path / name)]) == 0
    page = (tmp_path / name).read_text()
    for figure in ("0.082167", "0.000438568", "0.100400", "0.040160"):
        assert figure in page
    assert page.count("claimed") >= 4 and "script" not in page


def test_a_page_of_another_kind_is_refused(tmp_path, capsys):
    assert main(["document", "--derivation", str(tmp_path / "page.doc")]) == 1
    assert ".html, .md or .txt" in capsys.readouterr().err


# -- what is printed is true ---------------------------------------------------------------------------

def points(op: Op) -> list[list[float]]:
    """Where an op is defined, and smooth."""
    draw = random.Random(op.name)
    found = []
    for _ in range(200):
        n = draw.choice([2, 3, 5]) if op.open else draw.randint(op.least, int(op.most))
        xs = [float(draw.randint(0, 2)) if i in op.options else round(draw.uniform(-2.5, 2.5), 2)
              for i in range(n)]
        try:
            if op.domain(*xs) and (op.kink is None or op.kink(*xs)) and math.isfinite(op.forward(*xs)):
                found.append(xs)
        except (ValueError, ArithmeticError):
            pass
    return found[:12]


def differs(op: Op) -> bool:
    """Whether a formula of a partial of an op is not the partial."""
    tried = 0
    for xs in points(op):
        y = op.forward(*xs)
        wanted = op.differentiable(len(xs))
        operands = [formula(x) if i in op.options else Named(f"x{i}", x) for i, x in enumerate(xs)]
        made = partials_as_written(op, Named("y", y), operands, wanted)
        for p, q in zip(op.partials(y, xs, wanted), made):
            if p is not None:
                tried += 1
                if q is None or not math.isclose(formula(q).data, p, rel_tol=1e-9, abs_tol=1e-12):
                    return True
    return not tried


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if any(op.differentiable(op.least))
                                  and name not in ("stopped_zero",)])
def test_the_formula_of_every_partial_of_the_table_is_that_partial(name):
    assert not differs(TABLE[name])


@pytest.mark.parametrize("name, wrong", [
    ("sigmoid", lambda y, x: y * (1.0 + y)), ("sqrt", lambda y, x: 2.0 / y), ("tanh", lambda y, x: 1.0 - y)])
def test_a_wrong_formula_of_a_partial_is_noticed(name, wrong, monkeypatch):
    monkeypatch.setattr(TABLE[name], "notation", TABLE[name].notation._replace(slopes=(wrong,)))
    assert differs(TABLE[name])


def evaluated(row: str, names: dict[str, float]) -> float:
    """What a row comes to: names stand for their numbers, everything else is arithmetic and ops."""
    for k, name in enumerate(sorted(names, key=len, reverse=True)):
        row = row.replace(name, f" _{k}_ ")
    row = row.translate(str.maketrans({"·": "*", "−": "-"}))
    row = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda at: "**" + str(int("".join(
        str("⁰¹²³⁴⁵⁶⁷⁸⁹".index(c)) for c in at[0]))), row)
    known = {f"_{k}_": names[name] for k, name in enumerate(sorted(names, key=len, reverse=True))}
    with ag.errstate("ignore"):
        return eval(row.strip(), dict(NAMES), known)


def summands(row: str) -> list[str]:
    """The terms of a row, without their signs."""
    found, depth = [""], 0
    for part in re.split(r"( [+−] |[(\[)\]])", row):
        depth += (part in ("(", "[")) - (part in (")", "]"))
        if part in (" + ", " − ") and not depth:
            found.append("")
        else:
            found[-1] += part
    return found


def labelled_graph(f, seed: int):
    """The graph of an expression with labels on its inputs, its result and some nodes between."""
    draw = random.Random(seed)
    xs = [Value(x, f"inp{k}") for k, x in enumerate(f.witness)]
    root = f(*xs)
    nodes = [node for node in topological([root]) if node.operands]
    for k, node in enumerate(nodes):
        if node is root or draw.random() < 0.4:
            node.label = f"node{k}"
    return root, xs, nodes


def check_rows(root, xs, nodes) -> int:
    """Hold each row of formulas and of numbers against the last one; how many there were."""
    derivation = derive(root, xs, digits=17)
    names = {node.label: node.data for node in [*xs, *nodes] if node.label}
    tried = 0
    found: dict[str, float] = {}
    for rows in blocks(derivation.text):
        head, _, first = rows[0].partition(" = ")
        if not re.fullmatch(r"[\w∂/]+", head.strip()) or "…" in "".join(rows):
            continue
        head = head.strip()
        if not head.startswith("∂"):            # what is defined first
            for found_name, expression, number in re.findall(
                    r"(\w+) = (.*) = (\S+)", " ".join(" ".join(rows).split())):
                names[found_name] = float(number.replace("−", "-"))
                assert math.isclose(evaluated(expression, names), names[found_name], rel_tol=1e-9)
            continue
        formulas = [first, *[row.strip().removeprefix("= ") for row in rows[1:] if " since " not in row]]
        last = float(formulas[-1].replace("−", "-"))
        for row in formulas[:-1]:
            if set(re.findall(r"∂\S+/∂\w+", row)) - set(found):
                continue                        # (the row of names)
            tried += 1
            try:
                terms = [abs(evaluated(term, names | found)) for term in summands(row)]
            except (ZeroDivisionError, OverflowError):      # (a convention, as of hypot at 0; 5e-324 ** -1)
                continue
            value = evaluated(row, names | found)
            assert math.isnan(value) or math.isclose(value, last, rel_tol=1e-6, abs_tol=1e-9 * (
                1.0 + max(terms))), (row, last)
        found[head] = last
    return tried


def rows_come_to_the_result(f, seed: int) -> None:
    """Hold every row against the result, and the result against `backward`."""
    root, xs, nodes = labelled_graph(f, seed)
    try:
        root.backward()
    except ag.NumericError:
        return
    usual = all(1e-30 < abs(node.data) < 1e8 and not 0.0 < abs(abs(node.data) - 1.0) < 1e-5
                or node.data == 0.0 for node in nodes)      # (1 − y would lose its digits)
    if usual and all(math.isfinite(p) for node in nodes for p in node.partials):
        assert derive(root, xs).values == pytest.approx([x.grad for x in xs], rel=1e-12)
        check_rows(root, xs, nodes)


@given(expressions(max_ops=9), st.integers(0, 9))
@MANY
def test_every_row_comes_to_the_result_and_the_result_is_what_backward_gives(f, seed):
    rows_come_to_the_result(f, seed)


def test_a_row_that_does_not_come_to_the_result_is_noticed(monkeypatch):
    x = Value(0.7, "x")
    y = ag.sigmoid(x * x)
    y.label = "y"
    assert check_rows(y, [x], [y]) == 1
    monkeypatch.setattr(TABLE["sigmoid"], "notation", TABLE["sigmoid"].notation._replace(
        slopes=(lambda y, x: y * (1.0 + y),)))
    with pytest.raises(AssertionError):
        check_rows(y, [x], [y])


def test_a_recorded_gradient_is_derived_as_any_other_root():
    x = Value(0.7, "x")
    slope = ag.grad(lambda x: ag.sin(x) ** 3)(x)
    slope.label = "g"
    expected = ag.grad(ag.grad(lambda x: ag.sin(x) ** 3))(0.7)
    derivation = derive(slope, x)
    assert derivation.values[0] == pytest.approx(expected, rel=1e-12)
    assert derivation.text.startswith("∂g/∂x = ") and check_rows(slope, [x], []) >= 1


# -- what people leave out, and what they say -------------------------------------------------------------

def written(make, *numbers: float, wrt: str = "x") -> str:
    xs = [Value(x, name) for x, name in zip(numbers, "xyz")]
    root = make(*xs)
    root.label = "f"
    return derive(root, wrt).text


@pytest.mark.parametrize("make, numbers, expected", [
    (lambda x: 3.0 * x + 1.0, [2.0], "∂f/∂x = 3"),
    (lambda x: x * x, [2.0], "∂f/∂x = 2·x\n      = 4"),
    (lambda x: -(1.0 - x) ** 2, [3.0], "∂f/∂x = 2·(1 − x)\n      = −4"),
    (lambda x, y: x / y, [2.0, 4.0], "∂f/∂x = 1/y\n      = 0.25"),
    (lambda x, y: y / x, [2.0, 4.0], "∂f/∂x = −y/x²\n      = −1"),
    (lambda x, y: x ** y, [2.0, 3.0], "∂f/∂x = y·x ** (y − 1)\n      = 12"),
    (lambda x: ag.exp(-x * x / 2.0), [1.0], "∂f/∂x = −f·x\n      = −0.606531"),
    (lambda x: ag.sqrt(1.0 + x ** 2), [1.0], "∂f/∂x = x/f\n      = 0.707107"),
    (lambda x: 0.5 * (x - 1.0) ** 2 * 2.0, [3.0], "∂f/∂x = 2·(x − 1)\n      = 4"),
    (lambda x: ag.relu(x), [2.0], "∂f/∂x = 1\n        since x > 0"),
    (lambda x: ag.relu(x), [-2.0], "∂f/∂x = 0\n        since x < 0"),
    (lambda x: ag.relu(x), [0.0], "∂f/∂x = 0\n        since x = 0"),
    (lambda x, y: ag.maximum(x, y) ** 2, [2.0, 1.0],
     "∂f/∂x = 2·maximum(x, y)\n        since x > y\n      = 4"),
    (lambda x, y: ag.where(ag.greater(x, y), x ** 3, y), [2.0, 1.0],
     "∂f/∂x = 3·x²\n        since x > y\n      = 12"),
    (lambda x, y: ag.select(ag.less(x, 0.0), lambda: -x, lambda: x * y), [2.0, 5.0],
     "∂f/∂x = y\n        since x > 0\n      = 5"),
    (lambda x: ag.leaky_relu(x, 0.1), [-1.0], "∂f/∂x = 0.1\n        since x < 0"),
    (lambda x: ag.cos(x + ag.exp(x)), [0.0],
     "∂f/∂x = −sin(x + exp(x)) − sin(x + exp(x))·exp(x)\n      = −1.682942"),
    (lambda x: 2.0 % x, [1.5], "∂f/∂x = −(2 // x)\n      = −1"),
    (lambda x: ag.tan(ag.asinh(x)), [1.0], "∂f/∂x = (1 + f²)/sqrt(1 + x²)\n      = 1.747613"),
    (lambda x: abs(x - 3.0) * x, [1.0], "∂f/∂x = −x + abs(x − 3)\n        since x < 3\n      = 1")])
def test_a_derivative_is_tidy(make, numbers, expected):
    text = written(make, *numbers)
    if "abs" not in expected:
        assert text.startswith(expected)
    assert not re.search(r"\b1·|·1\b|\+ −|− −|--|·−|\b0·| 1 · | · 1\b", text), text


def test_an_op_of_a_user_is_differentiated_by_its_rule_or_has_a_prime():
    cube = ag.custom_op(lambda x: x ** 3, (lambda y, x: 3.0 * x * x,), name="cube of derive")
    wave = ag.custom_op(lambda x: math.sin(x), (lambda y, x: math.cos(x),), name="wave_of_derive")
    odd = ag.custom_op(lambda x: x * abs(x), (lambda y, x: 2.0 * abs(x),), name="odd_of_derive")
    try:
        assert "= 2·abs(x)\n" in written(lambda x: odd(x), -3.0)
        assert "= 3·x²\n" in written(lambda x: cube(x), 2.0)
        assert "= y·wave_of_derive'(x)\n" in written(lambda x, y: y * wave(x), 2.0, 3.0)
        x = Value(2.0, "x")
        assert r"\mathrm{wave\_of\_derive}'\left(x\right)" in derive(wave(x), x).latex
    finally:
        del TABLE["cube of derive"], TABLE["wave_of_derive"], TABLE["odd_of_derive"]


def test_what_has_no_name_is_given_one_that_no_other_node_has():
    f, x = Value(2.0, "f"), Value(3.0)
    text = derive(f * x, [x, f]).text
    assert text.split("\n\n") == ["given   x = 3\n   f2 = f·x = 6", "∂f2/∂x = f\n       = 2",
                                  "∂f2/∂f = x\n       = 3"]


def test_a_large_expression_without_labels_is_given_a_name_and_a_small_one_is_not():
    w = [Value(0.1 * k, f"w[{k}]") for k in range(30)]
    y = ag.tanh(ag.dot(w, [float(k) for k in range(30)]) * 0.01)
    y.label = "y"
    text = derive(y, "w[3]").text
    assert "u1 = " in text and "… (" in text and max(map(len, text.split("\n"))) <= 79
    x = Value(2.0, "x")
    assert "u1" not in derive(ag.tanh(ag.sin(x * x) + ag.exp(x)), x).text


def test_the_neurons_of_a_network_are_given_names():
    model = ag.nn.MLP(2, [8, 8, 1], activation="tanh")
    text = derive(model([0.5, 0.25]), model.parameters()[0]).text
    assert len(text) < 20_000 and max(map(len, text.split("\n"))) <= 79
    assert re.search(r"^ *u\d+ = layers\[1\].neurons\[0\].w\[0\]·u1$", text, re.MULTILINE) or "·u1" in text


def test_a_long_name_stands_on_a_line_of_its_own():
    x, z = Value(2.0, "the weight of the first input of the first neuron"), Value(3.0, "z")
    head = "∂z/∂(the weight of the first input of the first neuron)\n"
    assert derive(z, x).text.startswith(head + "    = 0\n")
    y = ag.sin(x)
    y.label = "z"
    assert derive(y, x).text.startswith(head + "    = cos(the weight of the first input of the first neuron)")


def test_two_nodes_of_one_label_are_told_apart():
    x, y = Value(2.0, "a"), Value(3.0, "a")
    assert {"a", "a′"} == set(re.findall("a′?", derive(x * y, x).text.split("\n\n")[-1]))


def test_depth_says_how_far_to_go():
    E = Network().graph()
    assert [derive(E, "w1", depth=n).text.count("\n\n") + 1 for n in (0, 1, 2)] == [1, 2, 4]
    assert derive(E, "w1", depth=0).text in derive(E, "w1").text


def test_digits_say_how_many_there_are():
    E = Network().graph()
    assert derive(E, "w5", digits=3).text.endswith("= 0.741 · 0.187 · 0.593\n       = 0.082")
    assert derive(E, "w5", digits=10).text.endswith("= 0.0821670406")


def test_values_show_what_has_a_name():
    text = derive(Network().graph(), "w5", values=True).text
    assert text.startswith("given   b1 = 0.35, b2 = 0.6, i1 = 0.05, i2 = 0.1, t1 = 0.01")
    assert "\nneto1 = w5·outh1 + w6·outh2 + b2 = 1.105906\n" in text


def test_an_array_of_labels_stands_for_its_entries_and_none_for_all_leaves():
    w = [Value(1.0), Value(2.0)]
    label(w=w)
    y = w[0] * w[1]
    assert derive(y, "w").values == derive(y, ["w[0]", w[1]]).values == derive(y).values == (2.0, 1.0)


# -- 0, nan, errors ---------------------------------------------------------------------------------------

def test_a_derivative_of_0_says_why():
    x, z = Value(2.0, "x"), Value(3.0, "z")
    y = ag.relu(-x) * 2.0
    y.label = "y"
    assert "y does not depend on z." in derive(y, z).text
    assert "∂y/∂z = 0\n" in derive(y, z).text
    found = derive(y, x).text
    assert "relu(-2.0): its derivative is 0" in found and "since x > 0" in found
    chosen = ag.where(ag.greater(x, 0.0), x, z)
    assert "branches that are not taken" in derive(chosen, z).text


def test_a_number_that_is_not_finite_is_shown_with_where_it_arose():
    x, a = Value(2.0, "x"), Value(-1.0, "a")
    with ag.errstate("ignore"):
        lost = ag.log(a)
        lost.label = "lost"
        y = lost * x
        y.label = "y"
    text = derive(y, x).text
    assert "= nan\n" in text and "log(-1.0) of 'a' = 'lost' is nan" in text
    assert "nan" in derive(y, x).latex and json.dumps(derive(y, x).as_dict(), allow_nan=False)


@pytest.mark.parametrize("make, error, said", [
    (lambda y: derive(y, "wight"), LabelError, "did you mean 'weight'"),
    (lambda y: derive(2.0, "x"), InputError, "has no history"),
    (lambda y: derive(y, 2.0), InputError, "neither a node nor a label"),
    (lambda y: derive(y, "weight", depth=-1), InputError, "whole number of at least 0"),
    (lambda y: derive(y, "weight", digits=0), InputError, "from 1 to 17"),
    (lambda y: derive(audit(y, {"weight": 1.0}).rows[0], "weight"), InputError, "give no wrt"),
    (lambda y: derive(audit(y, {"weight": 1.0}).rows[0], depth=0), InputError, "give no wrt and no depth"),
    (lambda y: derive(y, "weight", depth=1.0), InputError, "depth is how far to go, a whole number of at"),
    (lambda y: ag.compile(lambda x: derive(x * x, x).values[0])(1.0), InputError, "compiled|compile")])
def test_what_cannot_be_derived_is_an_error_that_says_so(make, error, said):
    weight = Value(2.0, "weight")
    with pytest.raises(error, match=said):
        make(weight * weight)


# -- large graphs -------------------------------------------------------------------------------------------

def chained(n: int, every: int) -> tuple[Value, Value]:
    x = y = Value(0.5, "x")
    for k in range(n):
        y = ag.sin(y) * 1.01 + x * 0.001
        if every and k % every == 0:
            y.label = f"y{k}"
    y.label = "end"
    return y, x


@pytest.mark.parametrize("every", [0, 1, 7])
def test_of_a_large_graph_little_is_printed_and_what_is_left_out_is_said(every):
    took = []
    for n in (300, 3000):
        y, x = chained(n, every)
        y.backward()
        start = time.process_time()
        derivation = derive(y, x)
        text, html = derivation.text, derivation.html
        took.append(time.process_time() - start)
        assert derivation.values[0] == pytest.approx(x.grad, rel=1e-9)
        assert len(text) < 20_000 and len(html) < 300_000 and max(map(len, text.split("\n"))) <= 100
        assert re.search(r"more terms|more derivatives", text)
    assert took[1] < 25 * took[0] + 0.5


def test_a_long_product_leaves_out_the_middle_and_a_long_sum_says_what_is_left():
    x = y = Value(0.5, "x")
    for k in range(40):
        y = ag.sin(y)
        y.label = f"y{k}"
    text = derive(y, x).text
    assert "… (32 more)" in text and "… (32 more: 0." in text and max(map(len, text.split("\n"))) <= 79
    z = Value(0.5, "z")
    parts = [ag.sin(z * k) for k in range(1, 60)]
    label(p=parts)
    text = derive(ag.sum(parts), z).text
    assert re.search(r"… \(54 more terms: −?[\d.]+\)", text)


# -- LaTeX, Markdown, HTML, SymPy ------------------------------------------------------------------------

def reads(tex: str) -> bool:
    """Whether matplotlib reads the rows of a derivation as mathematics."""
    rows = re.sub(r"\\(begin|end)\{aligned\}|(?<!\\)&", "", tex).split("\\\\\n")
    try:
        for row in rows:
            MATHTEXT.parse(f"${' '.join(row.split())}$")
    except ValueError:
        return False
    return True


@given(expressions(max_ops=9), st.integers(0, 9))
@FEW
def test_the_latex_of_a_derivation_is_read(f, seed):
    root, xs, _ = labelled_graph(f, seed)
    derivation = derive(root, xs, values=True)
    assert all(map(reads, derivation.latex.split("\n\n")))
    assert derivation.markdown.count("$$") == 2 * derivation.latex.count(r"\begin{aligned}")


def test_latex_that_is_not_read_is_noticed():
    assert not reads("\\begin{aligned}\nx &= \\frac{1} \\\\\n &= 2\n\\end{aligned}")


LABELS = [*HOSTILE, "θ", "σ_1", "Δ2", "net 1 %", "a_b[2]", "x^y", "#1", "{", "}", "\\", "\\end{aligned}", "&",
          "~", "é", "lambda", "x__1", "w'"]


def of_every_op():
    """A derivation of each op of the table, and what it is of."""
    for op in TABLE.values():
        for xs in points(op)[:1]:
            leaves = [x if i in op.options else Value(x, name)
                      for i, (x, name) in enumerate(zip(xs, ["x", "w1", "theta", "a_b[2]", "net 1"]))]
            y = op(*leaves)
            if isinstance(y, Value) and y.requires_grad:
                yield op, leaves, derive(y, [x for x in leaves if isinstance(x, Value)], values=True)


def test_every_op_and_every_label_can_be_read_in_each_form_and_compiled_where_tex_exists(tmp_path):
    found = [derivation for _, _, derivation in of_every_op()]
    for name in LABELS:
        x, y = Value(2.0, name), Value(3.0, "y")
        z = ag.sin(x * y) + x
        z.label = f"{name}z"
        found.append(derive(z, [x, y], values=True))
    assert len(found) > 80
    for derivation in found:
        for part in re.findall("<math.*?</math>", derivation.html):
            ElementTree.fromstring(part)
        if not any(len(x.label) > 15 for x in derivation.wrt):
            assert max(map(len, derivation.text.split("\n"))) < 80
        if not shutil.which("pdflatex"):
            assert all(map(reads, derivation.latex.split("\n\n"))), derivation.latex
    if shutil.which("pdflatex"):
        body = "\n\n".join([found.latex for found in [derive(Network().graph(), "w1", values=True), *found]])
        (tmp_path / "page.tex").write_text(
            "\\documentclass{article}\\usepackage{amsmath}\\usepackage[utf8]{inputenc}\n\\begin{document}\\["
            + body.replace("\n\n", "\n\\]\n\\[\n") + "\n\\]\\end{document}", encoding="utf-8")
        subprocess.run(["pdflatex", "-interaction=nonstopmode", "page.tex"], cwd=tmp_path, check=True,
                       stdout=subprocess.DEVNULL, timeout=60)


def test_the_latex_of_the_document():
    assert derive(Network().graph(), "w5").latex == r"""\begin{aligned}
\frac{\partial E}{\partial w_{5}} &= \frac{\partial E}{\partial \mathrm{outo}_{1}} \cdot \frac{\partial """ \
        r"""\mathrm{outo}_{1}}{\partial \mathrm{neto}_{1}} \cdot """ \
        r"""\frac{\partial \mathrm{neto}_{1}}{\partial w_{5}} \\
&= \left(\mathrm{outo}_{1} - t_{1}\right) \cdot \mathrm{outo}_{1} \, \left(1 - \mathrm{outo}_{1}\right) """ \
        r"""\cdot \mathrm{outh}_{1} \\
&= 0.741365 \cdot 0.186816 \cdot 0.593270 \\
&= 0.082167
\end{aligned}"""


LOW = [f'<mo stretchy="false">{sign}</mo>' for sign in "()"]


@pytest.mark.parametrize("latex, expected", [
    (r"\frac{\partial E}{\partial w_{5}}",
     "<mfrac><mrow><mo>∂</mo><mi>E</mi></mrow><mrow><mo>∂</mo><msub><mi>w</mi>"
     "<mn>5</mn></msub></mrow></mfrac>"),
    (r"\sqrt[3]{x}", "<mroot><mi>x</mi><mn>3</mn></mroot>"),
    (r"\left(a - 1\right)^{2}", f"<msup><mrow>{LOW[0]}<mi>a</mi><mo>−</mo><mn>1</mn>{LOW[1]}</mrow>"
     "<mn>2</mn></msup>"),
    (r"\sigma\left(x\right)", f"<mi>σ</mi><mrow>{LOW[0]}<mi>x</mi>{LOW[1]}</mrow>"),
    (r"\left(\frac{1}{x}\right)", '<mrow><mo stretchy="true">(</mo><mfrac><mn>1</mn><mi>x</mi></mfrac>'
     '<mo stretchy="true">)</mo></mrow>'),
    (r"\mathrm{a\_b{\#}<}", '<mi mathvariant="normal">a_b#&lt;</mi>')])
def test_mathml_says_what_the_latex_says(latex, expected):
    assert mathml(latex) == f'<math displaystyle="true">{expected}</math>'


@given(expressions(max_ops=9), st.integers(0, 9))
@FEW
def test_mathml_is_well_formed(f, seed):
    import xml.etree.ElementTree as ElementTree
    root, xs, _ = labelled_graph(f, seed)
    html = derive(root, xs, values=True).html
    arity = {"mfrac": 2, "msub": 2, "msup": 2, "mroot": 2, "msubsup": 3}
    for element in ElementTree.fromstring(html).iter():
        assert len(element) == arity.get(element.tag, len(element)), element.tag


@pytest.mark.parametrize("name", [*HOSTILE, "a b", "x+y", "", "\\right)", "}{", "$$", "`", "两层", "a" * 70])
def test_any_label_is_only_ever_text(name):
    x, y = Value(2.0, name), Value(3.0, "y")
    root = ag.sigmoid(x * y) * x
    root.label = name * 2
    for derivation in (derive(root, [x, y], values=True), derive(audit(root, {(root, x): 1.0}).rows[0])):
        assert all(row.isprintable() for row in derivation.text.split("\n"))
        assert all(map(reads, derivation.latex.split("\n\n"))), derivation.latex
        assert not re.search(r"<(?!/?(div|span|math|m[a-z]+)\b)", derivation.html)
        assert not re.search(r" on\w+=|href", re.sub(">[^<]*<", "><", derivation.html))
    assert "y" in text_of(derivation.html)


FUNCTIONS = {
    "sum of waves": lambda m, x, y: m.sin(x * y) + x ** 2 * y, "quotient": lambda m, x, y: x / (1 + y * y),
    "powers": lambda m, x, y: (x * x + y) ** 3 - x ** y, "tanh": lambda m, x, y: m.tanh(x - 2 * y) * m.exp(x),
    "logarithms": lambda m, x, y: m.log(x + y * y) * m.sqrt(x * y), "angles": lambda m, x, y: m.atan(x / y),
    "nested": lambda m, x, y: m.exp(m.sin(m.cos(x) * y) + m.atan2(x, y)),
    "error function": lambda m, x, y: m.erf(x * y) - m.asin(x / 4) / m.cosh(y)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_expression_for_sympy_is_sympys_own_derivative(name):
    sympy = pytest.importorskip("sympy")
    f, symbols = FUNCTIONS[name], sympy.symbols("x y", real=True)
    x, y = Value(0.7, "x"), Value(1.3, "y")
    root = f(ag, x, y)
    found = derive(root, [x, y]).sympy()
    for ours, node, symbol in zip(found, (x, y), symbols):
        theirs = sympy.diff(f(sympy, *symbols), symbol)
        assert ours.free_symbols <= set(symbols)
        assert sympy.simplify(ours - theirs) == 0, (ours, theirs)
        at = {symbols[0]: 0.7, symbols[1]: 1.3}
        assert float(ours.subs(at)) == pytest.approx(ag.derive(root, node).values[0], rel=1e-9)


def test_the_expression_for_sympy_of_each_op_is_sympys_own_derivative_of_its_form():
    sympy = pytest.importorskip("sympy")
    known = set()
    for op, leaves, derivation in of_every_op():
        nodes = [x for x in leaves if isinstance(x, Value)]
        xs = [symbolic.Symbolic(sympy.Symbol(x.label, real=True), x.data) if isinstance(x, Value) else x
              for x in leaves]
        f = symbolic.Symbolic.__apply_op__(op, xs).expression
        at = {sympy.Symbol(x.label, real=True): sympy.Float(x.data, 30) for x in nodes}
        found = derivation.sympy()
        for ours, x in zip(found if len(nodes) > 1 else [found], nodes):
            theirs = sympy.diff(f, sympy.Symbol(x.label, real=True)).doit()
            unknown = sympy.core.function.AppliedUndef, sympy.Derivative, sympy.Subs
            if not (sympy.sympify(ours) + theirs).atoms(*unknown):
                known.add(op.name)
                assert complex(sympy.sympify(ours).evalf(20, subs=at)) == pytest.approx(complex(
                    theirs.evalf(20, subs=at)), rel=1e-12), (op.name, ours, theirs)
    assert len(known) > 50 and {"tanh", "logsumexp", "hypot", "atan2", "**", "erf", "dot"} <= known


@given(expressions(max_ops=6))
@FEW
def test_the_expression_for_sympy_has_the_value_of_the_derivative(f):
    sympy = pytest.importorskip("sympy")
    root, xs, nodes = labelled_graph(f, 0)
    derivation = derive(root, xs)
    if all(1e-10 < abs(node.data) < 1e6 for node in nodes):
        at = {sympy.Symbol(x.label, real=True): sympy.Float(x.data, 30) for x in xs}
        found = derivation.sympy()
        for ours, value in zip(found if len(xs) > 1 else [found], derivation.values):
            ours = sympy.sympify(ours)
            if not ours.atoms(sympy.core.function.AppliedUndef):
                assert float(ours.evalf(30, subs=at)) == pytest.approx(value, rel=1e-6, abs=1e-9)


def test_without_sympy_the_error_says_what_to_install(monkeypatch):
    x = Value(2.0, "x")
    monkeypatch.setitem(__import__("sys").modules, "sympy", None)
    symbolic.sympy.cache_clear()
    with pytest.raises(MissingError, match=r"need SymPy: pip install 'autograd-lite\[symbolic\]'"):
        derive(x * x, x).sympy()
    assert not hasattr(symbolic.FUNCTIONS, "__wrapped__")       # (which `inspect` asks for)


# -- a claim that is wrong -------------------------------------------------------------------------------

def test_a_wrong_claim_stands_below_the_graphs_line_with_the_factor_marked():
    row = document.audits()["corrected"].differing[1]
    assert str(derive(row)) == """\
∂E/∂outh1 = ∂E/∂neto1 · ∂neto1/∂outh1 + ∂E/∂neto2 · ∂neto2/∂outh1
          = ∂E/∂neto1 · w5 + ∂E/∂neto2 · w7
    graph = 0.138499 · 0.4 − 0.038098 · 0.5 = 0.036350
  claimed = 0.138499 · 0.4 − 0.038098 · 0.4 = 0.040160
                                        ^^^

∂neto2/∂outh1: claimed 0.4 (= w5), is 0.5 (= w7)"""


CLAIMS = document.derivation(Network(), published=False)
FACTORS = [pair for pair in CLAIMS if pair[0] != "E" or pair[1].startswith("outo")]


@pytest.mark.parametrize("pair", FACTORS, ids="{0[0]}-{0[1]}".format)
def test_a_mistake_planted_in_a_factor_is_marked_where_it_is_made_and_where_it_is_used(pair):
    wrong = dict(CLAIMS) | {pair: 1.37 * CLAIMS[pair] + 0.01}
    d = {k: wrong["E", f"outo{k}"] * wrong[f"outo{k}", f"neto{k}"] for k in (1, 2)}
    for k in (1, 2):
        for j, w in enumerate((f"w{3 + 2 * k}", f"w{4 + 2 * k}"), 1):
            wrong["E", w] = d[k] * wrong[f"neto{k}", w]
    for h in ("outh1", "outh2"):
        wrong["E", h] = d[1] * wrong["neto1", h] + d[2] * wrong["neto2", h]
    report = audit(Network().graph(), {c: x for c, x in wrong.items() if c[1][0] not in "b"
                                       and c[1] not in ("w1", "w2", "w3", "w4")})
    cause, = report.causes
    name = "∂{}/∂{}".format(*pair)
    assert cause.name == name and derive(cause).wrong == (name,)
    for row in report.differing:
        if row is not cause:
            assert name in derive(row).wrong, str(derive(row))
            assert 'background' in derive(row).html and "^^^" in derive(row).text
            assert r"\overline" in derive(row).latex


@pytest.mark.parametrize("spoil, marked, said", [
    (lambda c: c["E", "w5"] / c["outo1", "neto1"], ("∂outo1/∂neto1",), "follows with 1 in place"),
    (lambda c: c["E", "w5"] / c["neto1", "w5"] * c["neto1", "w6"], ("∂neto1/∂w5",), "(= outh2)"),
    (lambda c: -c["E", "w5"], (), ""), (lambda c: 0.123, (), "")])
def test_in_a_product_that_is_wrong_by_itself_the_factor_that_would_explain_it_is_marked(spoil, marked, said):
    claims = dict(CLAIMS) | {("E", "w5"): spoil(CLAIMS)}
    row, = audit(Network().graph(), claims).causes
    found = derive(row)
    assert found.wrong == marked and said in found.text and "^" in found.text


def test_a_term_that_a_sum_lacks_is_marked():
    claims = dict(CLAIMS) | {("E", "outh1"): CLAIMS["E", "outh1"] - 0.4 * CLAIMS["E", "outo1"] * CLAIMS[
        "outo1", "neto1"]}
    row, = audit(Network().graph(), claims).causes
    assert derive(row).wrong == ("∂E/∂neto1",)
    assert "The claim follows without the term ∂E/∂neto1 · ∂neto1/∂outh1" in derive(row).text
    claims |= {("E", "outh1"): CLAIMS["E", "outh1"] - 0.8 * CLAIMS["E", "outo1"] * CLAIMS["outo1", "neto1"]}
    row, = audit(Network().graph(), claims).causes
    assert "follows with −0.138499 in place of ∂E/∂neto1, which is 0.138499" in derive(row).text


@pytest.mark.parametrize("n", [8, 100, 400])
def test_a_long_sum_made_by_plus_is_written_as_its_first_terms(n):
    y = Value(1.25, "y")
    root = sum([(Value(float(k), f"x{k}") * y - 1.0) ** 2 for k in range(n)])
    found = derive(root, y)
    root.backward()
    assert found.values == (y.grad,) and len(found.text.split("\n")) <= 8
    assert f"… ({n - 6} more)" in found.text
    assert max(map(len, found.text.split("\n"))) < 80


def test_what_is_used_again_and_again_is_not_written_again():
    y = Value(1.25, "y")
    doubled = halved = waves = y
    for _ in range(60):
        doubled, halved, waves = doubled + doubled, halved * 0.5 + halved * 0.5, ag.sin(waves) + waves
    for root in (doubled, halved, waves):
        found = derive(root, y)
        assert len(found.text) < 12_000
        root.backward()
        assert found.values[0] == pytest.approx(y.grad, rel=1e-9)
        y.grad = 0.0


def test_a_product_too_long_for_a_line_is_broken_between_its_factors():
    x, names = Value(0.7, "x"), "first_factor second_factor third_factor fourth_factor"
    a, b, c, d = [Value(1.5 + k, name) for k, name in enumerate(names.split())]
    y = ag.sin(a * x) * ag.tanh(b * x - c) * ag.exp(d * x)
    text = derive(y, x).text
    assert max(map(len, text.split("\n"))) < 80
    for row in text.split("\n"):
        assert row.count("(") == row.count(")"), text


def test_a_derivative_over_all_ways_is_not_taken_for_that_along_one_step():
    x = Value(0.7, "x")
    u = x * x
    v = u * x
    w = ag.sin(v) + u
    label(u=u, v=v, w=w)
    claims = {("v", "x"): 3 * 0.7 ** 2, ("w", "x"): 3 * 0.7 ** 2}
    row, = audit(w, claims).causes
    assert "∂v/∂x" not in derive(row).wrong
    assert "∂w/∂u = ∂w/∂v · ∂v/∂u + 1\n" in derive(w, x).text
    assert "∂w/∂x = ∂w/∂u · ∂u/∂x + ∂w/∂v · u\n" in derive(w, x).text


def test_a_claim_of_what_does_not_depend_and_a_claimed_number_are_derived_too():
    x, z = Value(2.0, "x"), Value(3.0, "z")
    y = x * x
    label(y=y)
    row, = audit([y, z], {("y", "z"): 1.0}).causes
    assert derive(row).text == "  ∂y/∂z = 0\nclaimed = 1\n          ^\n\ny does not depend on z"
    row, = document.script_audit().causes[:1]
    assert "neto2 = w7·outh1 + w8·outh2 + b2\n  graph = 1.224921\nclaimed = 1.226729" in derive(row).text


def test_a_copy_of_a_row_says_that_it_does_not_know_its_graph():
    import pickle
    row = document.audits()["corrected"].causes[0]
    again = pickle.loads(pickle.dumps(row))
    assert again == row
    with pytest.raises(InputError, match="copy"):
        derive(again)


def test_a_formula_answers_by_its_number():
    x = Named("x", 2.0)
    assert isinstance(x * 0.0, Formula) and (x * 0.0).data == 0.0 and x > 1.0 and not x < 1.0


def test_of_a_claim_that_follows_from_no_factor_the_number_alone_is_shown():
    x = Value(0.5, "x")
    root = ag.exp(ag.sin(x)) * ag.tanh(3.0 * x)
    root.label = "f"
    text = str(ag.derive(ag.audit(root, {"x": 0.123456}).causes[0]))
    assert text.splitlines()[-2].strip() == "claimed = 0.123456"
    right = ag.grad(lambda x: ag.exp(ag.sin(x)) * ag.tanh(3.0 * x))(0.5)
    assert f"= {right:.6f}" in text.splitlines()[-3]
