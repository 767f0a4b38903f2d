"""How the nodes, the arrows and the legend of a picture look, and that their looks say what is so."""
from __future__ import annotations

import copy
import io
import itertools
import math
import pickle
import random
import re
from html import unescape

import matplotlib.image
import pytest
from graphs import computations, recorded
from hypothesis import given, settings
from hypothesis import strategies as st
from test_drawing import HOSTILE, SVG, Part, labelled, network, parse, parts, svg

import autograd_lite as ag
from autograd_lite import InputError, Value
from autograd_lite.document import Network, audits, diagnosed, script_audit
from autograd_lite.drawing import theme as themes
from autograd_lite.drawing.arrows import width
from autograd_lite.drawing.naming import derivative, expression, local
from autograd_lite.drawing.scale import Scale
from autograd_lite.drawing.theme import THEMES, Theme, contrast
from autograd_lite.graph.node import stored_partials
from autograd_lite.graph.walks import topological
from autograd_lite.nn import MLP
from autograd_lite.ops.op import Op

LIGHT = THEMES["light"]
RED, PALE = LIGHT.alarm_line, LIGHT.alarm


def text(part: Part) -> str:
    """What a reader sees of a node or an arrow."""
    return re.sub(r"\s+", " ", " ".join(part.words)).strip()


def tip(part: Part) -> list[str]:
    return unescape(part.attributes["tooltip"]).split("\n")


def arrow(arrows: list[Part], nodes: dict[str, Part], tail: str, head: str) -> Part:
    """The last line of the arrow between two labelled nodes, which may have a joint."""
    names = {part.names[0]: name for name, part in labelled(nodes).items()}
    into = {part.names[1]: part for part in arrows if part.names[1].startswith("j")}
    found, = [part for part in arrows if names.get(part.names[1]) == head and names.get(
        into.get(part.names[0], part).names[0]) == tail]
    return found


def border(part: Part) -> str:
    """The attributes of a card's border and fill."""
    return part.label.partition(">")[0]


# -- full and compact cards ------------------------------------------------------------------------


def test_a_compact_card_is_one_line_with_the_op_beside_the_name():
    x = Value(0.25, "x")
    y = ag.exp(x)
    y.label = "y"
    y.backward()
    nodes, _ = parts(y, style="compact")
    assert [text(part) for part in nodes.values()] == ["x 0.25 ∂ 1.3", "y exp 1.3 ∂ 1"]
    assert all(part.label.count("<TR>") == 1 for part in nodes.values())


def test_cards_are_full_up_to_forty_and_digits_and_style_are_chosen():
    def chain(nodes: int) -> Value:
        y = Value(1 / 3, "x")
        for _ in range(nodes - 1):
            y = ag.sin(y)
        return y

    assert "0.3333" in parts(chain(40))[0]["n0"].words
    assert "0.33" in parts(chain(41))[0]["n0"].words
    assert "0.3333" in parts(chain(41), style="full")[0]["n0"].words
    assert "0.33333" in parts(chain(2), style="compact", digits=5)[0]["n0"].words


def test_compact_cards_stand_below_each_other_where_that_takes_less_room():
    def direction(root: Value, **options) -> str:
        return re.search(r"rankdir=(\w+)", ag.draw(root, style="compact", **options).source)[1]

    wide = ag.sum([ag.sin(Value(1.0, f"x{i}")) for i in range(30)])
    assert direction(network()) == "TB" and direction(wide) == "LR"
    assert direction(network(), direction="RL") == "RL"
    assert "rankdir=LR" in ag.draw(network()).source


def test_the_documents_picture_in_compact_style_fits_a_page():
    pixels = matplotlib.image.imread(io.BytesIO(ag.draw(network(), style="compact").pipe("png")))
    height, wide = pixels.shape[:2]
    assert 800 < wide < 1700 and 800 < height < 1700


@pytest.mark.parametrize("style", ["full", "compact"])
def test_no_text_touches_the_rounded_border_of_its_card(style):
    nodes = [Value(1.0, name) for name in ("w", "a longer name", "两层网络")]
    root = ag.sum(nodes)
    root.label = "out"
    root.backward()
    cards = 0
    for group in svg(root, style=style).iter(f"{SVG}g"):
        path, texts = group.find(f"{SVG}path"), group.findall(f"{SVG}text")
        if path is not None and path.attrib["fill"] != "none" and texts:
            cards += 1
            edges = [float(x) for x in re.findall(r"(-?[\d.]+),", path.attrib["d"])]
            left, right = min(edges), max(edges)
            assert min(float(t.attrib["x"]) for t in texts) - left >= (6.0 if style == "full" else 3.0)
            assert max(float(t.attrib["x"]) for t in texts) < right - 8.0
    assert cards == 4


@pytest.mark.usefixtures("one_program")
def test_in_a_column_all_texts_stand_at_the_sides_of_cards_and_the_lines_after_a_box_are_whole():
    weights = [Value(k + 1.0, f"w[{k}]") for k in range(60)]
    for node in (*weights, root := ag.dot(weights, [2.0] * 60)):
        node.scope = ("a neuron",)
    drawn = svg(root, max_nodes=12)
    assert sum("stroke-dasharray" in path.attrib for path in drawn.iter(f"{SVG}path")) >= 2
    assert not [line for line in drawn.iter(f"{SVG}polygon") if "stroke-dasharray" in line.attrib]
    names = ["x", "y", "a name as long as no number will be"]
    texts = [*svg(ag.sum([Value(1.0, name) for name in names])).iter(f"{SVG}text")]
    left = [float(t.attrib["x"]) for t in texts if t.text == "data"][:3]
    right = [float(t.attrib["x"]) for t in texts if t.text == "1"][:3]
    assert max(left) - min(left) < 8.0 and max(right) - min(right) < 8.0 and min(right) - max(left) > 120.0


@pytest.mark.parametrize("size, arrows", [(3, 9), (8, 1)])
def test_many_arrows_from_one_column_of_boxes_to_the_next_are_one(size, arrows):
    root = MLP(2, [size, size, 1])([0.5, -1.0])
    source = ag.draw(root, max_nodes=3 * size).source
    first, second, *_ = re.findall(r"^\t+(sn\d+) \[", source, re.MULTILINE)
    between = [line for line in source.splitlines() if re.match(rf"\t{first}\b.* -> {second}\b", line)]
    assert len(between) == arrows and (f'label="× {size ** 2}"' in between[0]) == (arrows == 1)


def test_a_plain_number_has_four_digits_in_compact_cards_too():
    nodes, _ = parts(Value(1.0, "x") * 1.01, style="compact")
    assert nodes["n1_1"].words == ["1.01"]


# -- names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, scope, shown", [
    ("layers[1].neurons[0].w[0]", ("layers[1]", "neurons[0]"), "w[0]"),
    ("layers[1].neurons[0].w[0]", ("model", "layers[1]", "neurons[0]"), "w[0]"),
    ("layers[1].neurons[0].b", ("layers[1]",), "neurons[0].b"),
    ("neurons[0].b", ("layers[1]", "neurons[0]"), "b"),
    ("layers[1].neurons[0].b", (), "layers[1].neurons[0].b"),
    ("layers[1].neurons[0].b", ("layers[0]", "neurons[0]"), "layers[1].neurons[0].b"),
    ("layers[1].b", ("layers[1]", "neurons[0]"), "layers[1].b"),
    ("a.bc", ("a.b",), "a.bc"), ("ab", ("a",), "ab"), ("a.", ("a",), "a."), ("a.b", ("",), "a.b")])
def test_within_its_scope_a_name_is_local(name, scope, shown):
    assert local(name, scope) == shown


def test_a_card_has_the_local_name_and_its_tooltip_the_whole():
    w = Value(1.0, "layers[1].w[0]")
    w.scope = ("layers[1]",)
    for style in ("full", "compact"):
        nodes, (line, _) = parts(w * 2.0, style=style)
        assert nodes["n0"].words[0] == "w[0]" and tip(nodes["n0"])[0] == "layers[1].w[0]"
        assert tip(line)[0] == "∂(layers[1].w[0] * 2.0)/∂layers[1].w[0] = 2.0"


def test_an_unlabelled_node_is_told_by_its_expression():
    x, y = Value(2.0, "x"), Value(4.0, "y")
    z = x / (y + 1.0)
    nodes, arrows = parts(z)
    assert tip(nodes["n3"])[0] == "x / (y + 1.0)"
    assert [tip(part)[0].partition(" = ")[0] for part in arrows if part.names[0] in ("n0", "n2")] == [
        "∂(x / (y + 1.0))/∂x", "∂(x / (y + 1.0))/∂(y + 1.0)"]
    assert "∂//" not in ag.draw(z).source and tip(parts(Value(1.0))[0]["n0"])[0] == "leaf"
    x.label = "a + b"
    assert expression(x * y).text == "(a + b) * y" and derivative(-x, Value(-2.0)) == "∂(-(a + b))/∂(-2)"


def test_expressions_are_short_however_deep_wide_or_oddly_named():
    deep = x = Value(1.0, "x")
    for _ in range(100):
        deep = ag.sin(deep + 1.0) * deep
    long = Value(1.0, "x" * 500)
    odd = Op("a" * 200, lambda x: x, (lambda y, x: 1.0,))(x)
    for node in (deep, ag.sum([x] * 50_000), long + long, odd, ag.dot([x] * 90, [x] * 90)):
        assert len(expression(node).text) <= 60
    assert expression(ag.sum([x] * 9)).text == "sum(x, x, x, x, x, x, …)"


# -- gradients -----------------------------------------------------------------------------------------


def gradients(root: Value) -> dict[str, str]:
    """The gradients that cards show, by label."""
    return {name: part.words[part.words.index("grad") + 1]
            for name, part in labelled(parts(root)[0]).items() if "grad" in part.words}


def example() -> tuple[Value, Value, Value]:
    x, y = Value(-1.0, "x"), Value(3.0, "y")
    z = ag.relu(x) + y
    z.label = "z"
    return x, y, z


def test_before_backward_a_gradient_is_a_dash_and_after_it_a_zero_is_0():
    x, y, z = example()
    assert gradients(z) == {"x": "–", "y": "–", "relu": "–", "z": "–"}
    assert tip(parts(z)[0]["n0"])[-1] == "no gradient yet"
    z.backward()
    assert gradients(z) == {"x": "0", "y": "1", "relu": "1", "z": "1"}
    assert "∂ –" in text(parts(z * 2.0, style="compact")[0]["n4"])


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda z: pickle.loads(pickle.dumps(z))])
def test_a_copy_knows_whether_a_gradient_has_arrived(copied):
    x, y, z = example()
    assert set(gradients(copied(z)).values()) == {"–"}
    z.backward()
    assert gradients(copied(z)) == {"x": "0", "y": "1", "relu": "1", "z": "1"}


def test_a_gradient_that_was_set_to_zero_before_backward_is_none_yet():
    x, y, z = example()
    z.backward()
    ag.optim.zero_grad([x, y])
    assert gradients(ag.relu(x) + y) == {"x": "–", "y": "–", "relu": "–", "+": "–"}


def test_gradients_from_another_root_show_and_of_this_ones_nodes_none():
    x, y, z = example()
    z.backward()
    assert gradients(y * y) == {"y": "1", "×": "–"}
    assert gradients(z.operands[0]) == {"x": "0", "relu": "1"}


def test_what_backward_did_not_reach_has_a_dash():
    x, y, z = example()
    kept = ag.stop_gradient(x * 2.0) + y
    kept.backward()
    assert gradients(kept) == {"y": "1", "+": "1"}
    assert gradients([kept, x * 1.0]) == {"y": "1", "+": "1", "x": "–", "×": "–"}


def flows(arrows: list[Part]) -> list[float]:
    """What flows back along arrows, as their tooltips say."""
    found = [re.search(r": (\S+) flows back", line) for part in arrows for line in tip(part)]
    return [float(match[1]) for match in found if match]


@settings(max_examples=40, deadline=None)
@given(computations(max_ops=10, ops=["+", "-", "*", "/", "sum", "dot", "exp", "sqrt", "log", "maximum"]),
       st.sampled_from([0.0, 1.0, 1e200, math.inf, math.nan]), st.booleans(), st.booleans())
def test_what_flows_along_the_arrows_of_a_node_adds_up_to_its_gradient(recipe, x, ieee, second):
    with ag.errstate("ignore"):
        leaves, results = recorded(recipe)
        root = ag.sum(results)
        leaf = Value(x)
        root = root * leaf + ag.sqrt(leaf)
        if second:
            root = ag.grad(lambda v: v[0] * v[0] * v[1])([root, leaf])[0]
        if ieee:
            root.backward()
    try:
        if not ieee:
            root.backward()
    except ag.NumericError:
        return
    _, arrows = parts(root, max_nodes=400)
    order = topological([root])
    for k, node in enumerate(order[:-1]):
        shown = flows([part for part in arrows if part.names[0] == f"n{k}"])
        if not node.requires_grad:
            assert shown == []
        elif shown:                             # (sums of infinities depend on the order)
            assert sum(shown) == pytest.approx(node.grad, rel=1e-9, abs=1e-300, nan_ok=True)


def test_the_partials_shown_are_those_of_backward_and_the_others_are_paler():
    a, b = Value(2.0, "a"), Value(3.0, "b", requires_grad=False)
    y = a * b
    y.label = "y"
    b.requires_grad, b.data = True, 7.0                     # too late: y was recorded with a constant
    y.backward()
    nodes, arrows = parts(y)
    assert (a.grad, b.grad) == (3.0, 0.0)
    into = [arrow(arrows, nodes, name, "y") for name in "ab"]
    assert [part.words for part in into] == [["3"], ["2"]]
    assert [LIGHT.backward in part.label for part in into] == [True, False]
    assert tip(into[1]) == ["∂y/∂b = 2.0", "no gradient flows back"]
    a.requires_grad = False
    assert tip(arrow(*reversed(parts(y)), "a", "y"))[-1] == "no gradient flows back"


def test_an_arrow_tells_its_number_however_long_the_names_are():
    x = Value(0.3, "x" * 1000)
    z = x * 3.0
    z.label = "z" * 1000
    _, (arrow, _) = parts(z)
    assert "… = 3.0" in arrow.attributes["tooltip"]


def test_an_arrow_tells_what_flows_back():
    x = Value(3.0, "x")
    y = x * 2.0
    y.label = "y"
    z = y * y
    z.backward()
    nodes, arrows = parts(z)
    assert tip(arrow(arrows, nodes, "x", "y")) == ["∂y/∂x = 2.0", "times grad 12.0: 24.0 flows back"]


# -- what is not finite -----------------------------------------------------------------------------------


def alarms(root: Value, **options) -> tuple[set[str], set[str], set[str], set[str]]:
    """The labels of the cards on which data, and gradient, are filled red, and on which they are red."""
    found: tuple[set[str], set[str], set[str], set[str]] = set(), set(), set(), set()
    for name, part in labelled(parts(root, **options)[0]).items():
        if "TABLE" not in part.label:
            continue
        for k, row in enumerate(("data", "grad")):
            cell = re.search(rf">{row}</FONT></TD><TD([^>]*)><FONT COLOR=\"(.*?)\"", part.label)
            if cell and RED in cell[1]:
                found[k].add(name)
            elif cell and cell[2] == RED:
                found[2 + k].add(name)
        red = any(name in names for names in found)
        assert (RED in border(part)) == red
        assert (PALE in border(part)) == (name in found[0] | found[1])
    return found


def run(f, *leaves: float, backward: bool = True) -> Value:
    """A computation whose nodes are labelled by their op."""
    with ag.errstate("ignore"):
        root = f(*[Value(x, name) for x, name in zip(leaves, "xyz")])
        for node in topological([root]):
            node.label = node.label or node.op
        if backward:
            root.backward()
    return root


@pytest.mark.parametrize("f, leaves, first, first_gradient, victims, victim_gradients", [
    (lambda x, y: ag.exp(ag.sin(x) * y), (math.inf, 2.0), {"x"}, set(), {"sin", "*", "exp"}, {
        "x", "y", "sin", "*"}),
    (lambda x, y: ag.sqrt(x) * y, (0.0, 2.0), set(), {"x"}, set(), set()),
    (lambda x: ag.tan(ag.sqrt(ag.sin(x))), (0.0,), set(), {"sin"}, set(), {"x"}),
    (lambda x, y: ag.log(x) * y, (0.0, 2.0), {"log"}, {"x"}, {"*"}, {"y"}),
    (lambda x: ag.sqrt(x) + ag.exp(ag.cbrt(ag.sin(x))), (0.0,), set(), {"x", "sin"}, set(), set()),
    (lambda x, y: ag.tanh(x * x) + y, (1e200, 1e-300), {"*"}, set(), set(), set()),
    (lambda x: x * math.inf, (2.0,), {"*"}, set(), set(), {"x"}),
    (lambda x, y: ag.exp(x) * y, (700.0, 1e-150), set(), set(), set(), set())])
def test_the_first_that_is_not_finite_looks_different_from_its_victims(
        f, leaves, first, first_gradient, victims, victim_gradients):
    assert alarms(run(f, *leaves)) == (first, first_gradient, victims, victim_gradients)


def test_a_product_of_gradients_that_overflows_is_where_infinity_begins():
    x = Value(1e-200, "x")
    with ag.errstate("ignore"):
        y = x * 1e200
        y.label = "y"
        (y * 1e200).backward()
    assert alarms(y) == (set(), {"x"}, set(), set())


def test_the_arrow_where_infinity_begins_is_thick_and_its_tooltip_names_it():
    root = run(lambda x: ag.sin(ag.sqrt(ag.sin(x))), 0.0)
    by_head = {tip(part)[0][:10]: part for part in parts(root)[1]}
    first, victim, fine = [part for _, part in sorted(by_head.items(), key=lambda item: (
        "inf" not in item[1].label, RED not in item[1].attributes["color"]))]
    assert tip(first)[0].endswith("inf, the first that is not finite")
    assert first.attributes["penwidth"] == "2.8"
    assert victim.attributes["color"] == RED and victim.attributes["penwidth"] == "1.2"
    assert "first" not in tip(victim)[0] and RED not in victim.label         # its own partial is finite
    assert fine.attributes["color"] == LIGHT.line
    nodes, arrows = parts(run(lambda x, y: ag.log(x) * y, 0.0, 2.0))
    inherited = arrow(arrows, nodes, "y", "*")
    assert text(inherited) == "−inf" and inherited.attributes["penwidth"] == "1.2"


def test_data_and_gradient_are_red_each_by_itself_also_in_compact_cards():
    nodes = labelled(parts(run(lambda x, y: ag.log(x) * y, 0.0, 2.0), style="compact")[0])
    cells = {name: re.findall(r"<TD([^>]*)>", part.label) for name, part in nodes.items()}
    filled = {name: [k for k, cell in enumerate(found) if RED in cell] for name, found in cells.items()}
    assert filled == {"x": [3], "log": [2], "y": [], "*": []}       # (there, cells keep off the corners)
    assert tip(nodes["log"])[1:] == ["data -inf, the first that is not finite", "grad 2.0"]


def test_a_fold_says_whether_the_first_is_in_it():
    y = run(lambda x: ag.log(x), 0.0, backward=False)
    for _ in range(300):
        y = ag.tanh(y) * math.inf
    fold, = [text(part) for part in parts(y)[0].values() if "folded" in text(part)]
    assert re.search(r"\d+ not finite, the first among them", fold)
    y = Value(1.0, "a")
    for _ in range(300):
        y = ag.sin(y)
    y.backward()
    fold, = [text(part) for part in parts(y)[0].values() if "folded" in text(part)]
    assert "not finite" not in fold
    largest, folded = float(re.search(r"up to ([\d.]+)", fold)[1]), int(fold.split()[0])
    sizes = sorted(node.grad for node in topological([y]))
    assert [float(f"{x:.4g}") for x in sizes].index(largest) >= folded


# -- an audited graph ----------------------------------------------------------------------------------------


def test_a_wrong_derivative_is_marked_on_its_arrow_and_what_it_spoils_on_cards():
    root, report = network(), audits()["corrected"]
    nodes, arrows = parts(root, report=report)
    wrong = arrow(arrows, nodes, "outh1", "neto2")
    assert text(wrong) == "wrong: 0.4, not 0.5"
    assert wrong.attributes["color"] == RED and wrong.attributes["arrowhead"] == "box"
    assert tip(wrong)[-2] == "wrong: ∂neto2/∂outh1 was claimed as 0.4, is 0.5"
    assert tip(wrong)[-1] == "spoils ∂E/∂outh1, ∂E/∂w1, ∂E/∂w2"
    assert [part for part in arrows if "wrong" in text(part)] == [wrong]
    assert text(arrow(arrows, nodes, "w5", "neto1")) == "0.5933 ok"
    assert text(arrow(arrows, nodes, "b1", "neth1")) == "1"             # nobody claimed it
    cards = labelled(nodes)
    spoiled = {name for name, part in cards.items() if "DASHED" in border(part) and RED in border(part)}
    assert spoiled == {"outh1", "w1", "w2"}
    assert "∂E/∂w1 0.0004845, not 0.0004386" in text(cards["w1"])
    assert "follows from ∂E/∂outh1" in tip(cards["w1"])
    assert text(cards["w3"]).endswith("0.0004977 ok") and "ok" not in text(cards["E"])
    assert "1 wrong (thick)" in (source := ag.draw(root, report=report).source) and "20 ok" in source


@pytest.mark.parametrize("options", [{}, {"style": "compact"}, {"theme": "dark"}, {"colour": "grad"}])
def test_wrong_numbers_of_a_forward_pass_are_marked_at_their_nodes(options):
    nodes, arrows = parts(network(), report=script_audit(), **options)
    cards = labelled(nodes)
    assert re.search(r"data wrong: 1\.23|1\.227, not 1\.22", text(cards["neto2"]))
    assert {name for name, part in cards.items() if "data wrong" in text(part)} == {"neto2"}
    assert re.search(r"data 0\.7732, not 0\.7729", text(cards["outo2"]))
    assert re.search(r"0\.59\d* ok", text(cards["outh1"]))              # its number, not its gradient
    assert "ok ∂E" not in text(cards["outh1"])
    alarm = THEMES[options.get("theme", "light")].alarm_line
    assert f'BORDER="2" STYLE="ROUNDED" COLOR="{alarm}"' in cards["neto2"].label


def test_a_derivative_over_several_ways_is_marked_at_the_input():
    x = Value(3.0, "x")
    y = x * x
    z = y * x
    ag.label(y=y, z=z)
    nodes, arrows = parts(z, report=ag.audit(z, {("y", "x"): 3.0, ("z", "y"): 3.0, ("z", "x"): 9.0}))
    assert "wrong: 3, not 6" in text(nodes["n0"]) and "∂z/∂x 9, not 27" not in text(nodes["n0"])
    assert "∂z/∂x" in text(nodes["n0"]) and len(arrows) == 4
    assert text(arrow(arrows, nodes, "y", "z")) == "3 ok"
    assert not any("wrong" in text(part) for part in arrows)


def test_a_claim_about_an_operand_twice_is_at_the_operand_even_at_0():
    x = Value(0.0, "x")
    y = x * x
    ag.label(y=y, also=x)
    source = ag.draw(y, report=ag.audit(y, {("y", "x"): 5.0, ("y", "also"): 5.0})).source
    nodes, arrows = parse(source)
    assert "∂y/∂x wrong: 5, not 0" in text(nodes["n0"]) and not any("wrong" in text(part) for part in arrows)
    assert "1 wrong (thick)" in source and text(nodes["n0"]).count("wrong") == 1


def test_claims_about_arrays_are_marked_entry_by_entry():
    w, x = [[Value(1.0), Value(2.0)] for _ in range(2)]
    y = ag.dot(w, x)
    ag.label(w=w, x=x, y=y)
    nodes, arrows = parts(y, report=ag.audit(y, {("y", "w"): [1.0, 5.0], (y, x[0]): 1.0}))
    assert [text(arrow(arrows, nodes, name, "y")) for name in ("w[0]", "w[1]", "x[0]", "x[1]")] == [
        "1 ok", "wrong: 5, not 2", "1 ok", "2"]
    many = ag.audit(y, {(node, "w[0]"): 0.5 for node in ("y", w[0])} | {("y", "y"): 2.0})
    assert text(parts(y, report=many)[0]["n0"]).count("wrong") == 1


def test_what_a_diagnosis_found_is_in_the_tooltip():
    report = diagnosed()
    draw = random.Random(1)
    root = Network([draw.uniform(-1.0, 1.0) for _ in range(8)]).graph()
    nodes, arrows = parts(root, report=report)
    wrong = arrow(arrows, nodes, "outh1", "neto2")
    assert text(wrong).startswith("wrong: ")
    assert report.causes[0].diagnoses[0].text in tip(wrong)


def test_a_report_of_something_else_is_refused():
    root, report = network(), audits()["corrected"]
    other = Network([0.1] * 8).graph()
    with pytest.raises(InputError, match="at other numbers: there ∂.* is .*, here .*; audit this one"):
        ag.draw(other, report=report)
    with pytest.raises(InputError, match="the report is of another graph; audit this .*no node is labelled"):
        ag.draw(Value(1.0, "E") * 2.0, report=report)
    x = Value(2.0)
    with pytest.raises(InputError, match="another graph"):
        ag.draw(root, report=ag.audit(x * x, {x: 4.0}))
    for wrong in ("report", {}, ag.check_gradients(lambda x: x * x, 1.0)):
        with pytest.raises(InputError, match="draw: report= is what audit"):
            ag.draw(root, report=wrong)


def test_wrong_claims_within_a_fold_are_counted_on_it():
    y = Value(0.5, "x")
    for k in range(300):
        y = ag.sin(y)
        y.label = f"y{k}"
    report = ag.audit(y, {("y100", "y99"): 0.5, ("y150", "y149"): 0.25, ("y299", "y298"): 1.0})
    fold, = [part for part in parts(y, report=report)[0].values() if "folded" in text(part)]
    assert len(report.causes) == 3 and "2 wrong claims" in text(fold) and RED in border(fold)


# -- colours by gradient -------------------------------------------------------------------------------------


def steps(theme: Theme, count: int) -> list[str]:
    return [theme.step(k, count) for k in range(count)]


@pytest.mark.parametrize("colour", ["light", "dark"])
def test_cards_arrows_and_legend_agree_on_the_colour_of_a_gradient(colour):
    theme = THEMES[colour]
    x = Value(1.0, "x")
    a, b, c = x * 1e-4, x * 0.5, x * 0.0
    y = ag.sum([a, b * 0.01, c * 1.0])
    ag.label(a=a, b=b, c=c, y=y)
    y.backward()
    nodes, arrows = parts(y, colour="grad", theme=colour)
    legend = re.search(r"label=<(<TABLE.*?</TABLE>)>", ag.draw(y, colour="grad", theme=colour).source)[1]
    pairs = re.findall(r'BGCOLOR="(.*?)".*?<FONT[^>]*>(.*?)</FONT>', legend)
    swatches = {text: fill for fill, text in pairs}
    assert len(swatches) in (4, 5, 6) and set(swatches) - {"0"} >= {"from 1"}
    fills = {name: re.search(r'BGCOLOR="(.*?)"', part.label)[1]
             for name, part in labelled(nodes).items() if "TABLE" in part.label}
    assert fills["y"] == fills["a"] == swatches["from 1"]               # both have the gradient 1
    assert fills["b"] == next(c for text, c in swatches.items() if text.startswith("0.01 –"))
    line = arrow(arrows, nodes, "x", "a").attributes
    assert line["color"] == next(c for text, c in swatches.items() if text.startswith("below"))
    zero = arrow(arrows, nodes, "x", "c").attributes
    assert zero["style"] == "dotted" and zero["color"] == theme.line
    widths = [float(width(k, 5)) for k in range(5)]
    assert widths == sorted(set(widths)) and line["penwidth"] == width(0, len(swatches) - 1)


def test_zeros_and_what_is_not_finite_are_apart_and_before_backward_the_legend_says_so():
    root = run(lambda x, y: ag.log(x) * y + ag.relu(y) * 0.0, 0.0, -2.0)
    nodes = labelled(parts(root, colour="grad")[0])
    assert LIGHT.alarm in border(nodes["x"])
    assert f'BGCOLOR="{LIGHT.computed}"' in border(labelled(parts(example_after(), colour="grad")[0])["x"])
    assert "there is none yet; call backward()" in ag.draw(example()[2], colour="grad").source


def example_after() -> Value:
    z = example()[2]
    z.backward()
    return z


@given(st.lists(st.floats(allow_nan=True) | st.floats(1e-9, 1e3), max_size=20))
def test_a_scale_has_at_most_five_steps_in_their_order(amounts):
    scale = Scale(amounts)
    sizes = sorted(abs(x) for x in amounts if x and math.isfinite(x))
    assert len(scale) <= 5 and scale.bounds == sorted(set(scale.bounds))
    found = [scale.step(x) for x in sizes]
    assert found == sorted(found) and all(0 <= k < len(scale) for k in found)
    if sizes:
        assert found[-1] == len(scale) - 1                  # no step above the largest
    if len(sizes) > 1 and sizes[-1] > 1e3 * sizes[0]:
        assert len(scale) >= 2


@pytest.mark.parametrize("low, high", [(1.0, 2.5), (0.3, 20.0), (1e-3, 1.0), (2e-9, 3e2), (1e-300, 1e300)])
def test_a_scale_of_a_wide_range_has_three_to_five_steps(low, high):
    assert 3 <= len(Scale([low, high])) <= 5


# What the eyes of most people see, and of those without one kind of cone (Machado, Oliveira and Fernandes
# 2009, severity 1.0), as matrices of linear light.
SIGHT = {
    "all": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deutan": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]}


def lab(colour: str, sight: str) -> tuple[float, float, float]:
    """A colour as CIE L*a*b* measures it, seen by such eyes."""
    mixed = [sum(m * x for m, x in zip(row, themes.light(colour))) for row in SIGHT[sight]]
    r, g, b = [min(1.0, max(0.0, x)) for x in mixed]
    parts = [(0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505, 0.2126 * r + 0.7152 * g + 0.0722 * b,
             (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089]
    x, y, z = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in parts]
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(a: str, b: str, sight: str) -> float:
    return math.dist(lab(a, sight), lab(b, sight))


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_the_scale_keeps_its_order_in_grey_and_for_colour_blind_eyes(theme, sight):
    for count in range(2, 6):
        lightness = [lab(colour, sight)[0] for colour in steps(theme, count)]
        assert lightness == sorted(lightness, reverse=theme is LIGHT)
        assert min(abs(a - b) for a, b in itertools.pairwise(lightness)) > 8.0


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_colours_that_tell_things_apart_are_apart_for_every_eye(theme, sight):
    pairs = [(theme.alarm_line, other) for other in (theme.line, theme.backward, theme.leaf_line, theme.ink,
                                                     *steps(theme, 5))]
    pairs += [(theme.backward, theme.faint), (theme.backward, theme.ink)]
    assert min(distance(a, b, sight) for a, b in pairs) > 20.0
    fills = [(theme.leaf, theme.computed), (theme.leaf, theme.frozen), (theme.alarm, theme.computed)]
    assert min(distance(a, b, sight) for a, b in fills) > 5.0


def test_a_red_and_a_green_of_one_lightness_would_be_noticed():
    assert distance("#c81e1e", "#5f6b00", "deutan") < 20.0 < distance("#c81e1e", "#5f6b00", "all")


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_every_text_can_be_read_on_what_it_stands_on(theme):
    cards = (theme.computed, theme.leaf, theme.frozen, theme.alarm, theme.folded)
    papers = (*cards, theme.paper, *theme.clusters)
    assert min(contrast(text, paper) for paper in papers for text in (
        theme.ink, theme.faint, theme.backward, theme.alarm_line)) >= 4.5
    assert min(contrast(theme.on(fill), fill) for fill in (*theme.scale, theme.alarm_line)) >= 4.5


def test_a_dark_picture_has_no_colour_of_the_light_theme():
    def colours(theme: Theme) -> set[str]:
        return {c for part in theme for c in ([part] if isinstance(part, str) else part)}

    for options in ({}, {"colour": "grad"}, {"report": audits()["corrected"]}):
        source = ag.draw(network(), theme="dark", **options).source
        used = set(re.findall(r"#[0-9a-f]{6}\b", source))
        assert used and used <= colours(THEMES["dark"]), used - colours(THEMES["dark"])
        assert THEMES["dark"].paper in used


# -- many arrows, hostile labels, options ------------------------------------------------------------------


def test_among_very_many_arrows_only_tooltips_tell_the_derivatives():
    def labels(n: int, **options) -> set[bool]:
        x = [Value(k + 2.0, f"x{k}") for k in range(n // 2)]
        y = ag.dot(x, x)
        y.label = "y"
        return {bool(part.label) for part in parts(y, max_nodes=400, **options)[1]}

    assert labels(80) == {True} and labels(82) == {False}
    x = [Value(k + 2.0, f"x{k}") for k in range(90)]
    y = ag.sum(x)
    y.label = "y"
    nodes, arrows = parts(y, report=ag.audit(y, {("y", "x3"): 2.0}), max_nodes=400)
    assert [text(part) for part in arrows if part.label] == ["wrong: 2, not 1"]
    assert all("= 1.0" in tip(part)[0] for part in arrows)


OPTIONS = [{"style": style, "colour": colour, "theme": theme} for style in ("full", "compact")
           for colour in ("kind", "grad") for theme in ("light", "dark")]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(HOSTILE), st.sampled_from(HOSTILE), st.sampled_from(OPTIONS))
def test_no_label_changes_what_is_drawn_in_any_style(name, scope, options):
    def drawn(label, scope):
        x, y = Value(2.0, label), Value(3.0, "y")
        x.scope = (scope,)
        z = x * y
        z.label = f"{scope}.{label}"
        z.backward()
        report = ag.audit(z, {(z, x): 7.0, (z, y): 2.0, (z, z): 5.0}, values={z: 7.0})
        nodes, arrows = parse(ag.draw(z, report=report, **options).source)
        return nodes.keys(), [part.names for part in arrows], sum("wrong" in text(part) for part in arrows)

    assert drawn(name, scope) == drawn("x", "s")


@pytest.mark.parametrize("label", HOSTILE)
def test_programs_draw_hostile_labels_in_compact_audited_pictures(label):
    x = Value(2.0, label)
    z = x * x
    z.backward()
    picture = svg(z, style="compact", colour="grad", report=ag.audit(z, {(z, x): 7.0}))
    assert len(list(picture.iter(f"{SVG}path"))) >= 2


@pytest.mark.parametrize("option, wrong", [("style", "small"), ("theme", "blue"), ("colour", None),
                                           ("colour", "gradient"), ("digits", 0), ("digits", "a")])
def test_an_option_out_of_range_is_refused_by_name(option, wrong):
    with pytest.raises(InputError, match=f"draw: {option}"):
        ag.draw(Value(1.0), **{option: wrong})


def test_what_backward_stored_is_what_the_picture_reads():
    x = Value(0.0, "x")
    with ag.errstate("ignore"):
        y = ag.sqrt(x) + ag.log(x) * x
    for node in topological([y]):
        assert all(p is None or p == q or p != p for p, q in zip(stored_partials(node), node.partials))
