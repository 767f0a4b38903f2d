"""The picture says what the graph says, the same in every run, whatever the labels and the programs are."""
from __future__ import annotations

import ast
import io
import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from html import unescape
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import NamedTuple

import matplotlib.image
import numpy
import pytest
from graphs import computations, recorded
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import InputError, RenderError, Value
from autograd_lite.document import Network
from autograd_lite.drawing import cards, engine
from autograd_lite.drawing.theme import THEMES
from autograd_lite.graph.walks import topological
from autograd_lite.ops.op import Op

PACKAGE = Path(ag.__file__).parent
THEME = THEMES["light"]
RED = THEME.alarm_line
SVG = "{http://www.w3.org/2000/svg}"
posix = pytest.mark.skipif(os.name != "posix", reason="the stand-in programs are shell scripts")
texts = st.text(st.characters(), max_size=cards.LONGEST // 10)      # a control shows as up to 10 letters
HOSTILE = ['"', "\\", "\\N", "\\\\G", "a\\", "<B>", "<>", "</TABLE>", "&lt;", "&#65;", "a & b", "{a|<b> c}",
           "x\ny", '"]; n9 [label="', "]; n0 -> n9 [", "-->", "\x00\x1b[31m", "\ud800", "\u202egnp", "两层网络",
           "∂E/∂w₁", "  a  b ", " ", "\n", "%s{0}$x", "%n\\l\\r", "/*", "<!--", "x" * 1000]
nasty = st.sampled_from(HOSTILE)


class Part(NamedTuple):
    """A line of DOT: a node (one name) or an arrow (two), its attributes, the clusters it stands in."""

    names: tuple[str, ...]
    attributes: dict[str, str]
    clusters: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """What a reader sees of it."""
        words = re.findall(r">([^<>]+)<", f">{self.label}<")
        return [unescape(word).replace("\\\\", "\\") for word in words]

    @property
    def label(self) -> str:
        return self.attributes.get("label", "").removeprefix("<").removesuffix(">")


CELL = re.compile(r'<TD PORT="(\w+)" HREF="#" TITLE="([^"]*)">(<TABLE.*?</TABLE>)</TD>')
ATTRIBUTE = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|<(?:<[^<>]*>|[^<>])*>|[^\s\]"<]+)')


def parse(source: str) -> tuple[dict[str, Part], list[Part]]:
    """The nodes and the arrows of our DOT, which has one of them a line."""
    nodes: dict[str, Part] = {}
    arrows: list[Part] = []
    clusters: list[str] = []
    for line in map(str.strip, source.splitlines()):
        head, _, rest = line.partition(" [")
        if line.startswith(("digraph", "subgraph")):
            clusters.append(line.split()[1])
        elif line == "}":
            clusters.pop()
        elif head == "graph" and len(clusters) > 1:
            clusters[-1] = Part((), attributes(rest), ()).words[0]
        elif head not in ("graph", "node", "edge") and not line.startswith("{ rank"):
            names = tuple(re.sub(r"^s\w+:(\w+):[nesw]$", r"\1", name) for name in head.split(" -> "))
            part = Part(names, attributes(rest), tuple(clusters[1:]))
            if CELL.search(part.attributes.get("label", "")):
                nodes |= {name: Part((name,), {"label": f"<{label}>", "tooltip": told}, part.clusters)
                          for name, told, label in CELL.findall(part.attributes["label"])}
                continue
            assert all(re.fullmatch(r"j?[nj]\d+(_n?(\d+|more))?", name) for name in part.names), line
            if len(part.names) == 2:
                arrows.append(part)
            else:
                nodes[part.names[0]] = part
    assert not clusters
    return nodes, arrows


def columns(source: str) -> dict[str, str]:
    """In which node of the program each card of a column stands."""
    return {name: line.split()[0] for line in source.splitlines() for name, _, _ in CELL.findall(line)}


def attributes(text: str) -> dict[str, str]:
    assert text.endswith("]")
    assert not ATTRIBUTE.sub("", text[:-1]).strip(), text
    return {name: value.removeprefix('"').removesuffix('"') for name, value in ATTRIBUTE.findall(text)}


def parts(root: Value, **options) -> tuple[dict[str, Part], list[Part]]:
    return parse(ag.draw(root, **options).source)


def labelled(nodes: dict[str, Part]) -> dict[str, Part]:
    return {part.words[0]: part for part in nodes.values() if part.words}


def network() -> Value:
    root = Network().graph()
    root.backward()
    return root


@pytest.fixture(params=[name for name, path in engine._candidates()])
def each_program(request, monkeypatch):
    """Draw with each program that there is, not only the first."""
    only = [(name, path) for name, path in engine._candidates() if name == request.param]
    monkeypatch.setattr(engine, "_candidates", lambda: iter(only))


def extras_program() -> str:
    """The path of the [png] extra's program."""
    return next(path for name, path in engine._candidates() if name == "graphviz-pure")


def svg(root: Value, **options) -> ElementTree.Element:
    return ElementTree.fromstring(ag.draw(root, **options).pipe("svg"))


def seen(picture: ElementTree.Element) -> list[str]:
    """The texts of an SVG, as its reader reads them."""
    return [(text.text or "").replace("\xa0", " ") for text in picture.iter(f"{SVG}text")]


def told(picture: ElementTree.Element) -> list[str]:
    """What it says where one points."""
    assert not list(picture.iter(f"{SVG}a"))
    return [(title.text or "").replace("\xa0", " ") for title in picture.iter(f"{SVG}title")]


# -- what the picture says ---------------------------------------------------------------------


def test_a_square_has_two_arrows_each_with_its_local_derivative():
    x = Value(3.0, "x")
    nodes, arrows = parts(x * x)
    assert [arrow.names for arrow in arrows] == [("n0", "n1")] * 2
    assert [arrow.words for arrow in arrows] == [["3"]] * 2


def test_a_card_tells_label_op_data_and_gradient():
    x = Value(0.25, "x")
    y = ag.exp(x)
    y.label = "y"
    y.backward()
    nodes, _ = parts(y)
    assert nodes["n0"].words == ["x", "data", "0.25", "grad", "1.284"]
    assert nodes["n1"].words == ["y", "exp", "data", "1.284", "grad", "1"]
    assert unescape(nodes["n1"].attributes["tooltip"]) == "y = exp(x)\ndata 1.2840254166877414\ngrad 1.0"


def test_an_arrow_tells_in_full_of_what_by_what_it_is_the_derivative():
    x = Value(0.25, "x")
    y = ag.exp(x)
    y.label = "y"
    _, (arrow,) = parts(y)
    assert arrow.attributes["tooltip"] == "∂y/∂x = 1.2840254166877414"


@settings(max_examples=60, deadline=None)
@given(computations())
def test_every_operand_has_one_arrow_and_every_node_one_card(recipe):
    _, results = recorded(recipe)
    root = ag.sum(results)
    root.backward()
    nodes, arrows = parts(root)
    order = topological([root])
    ids = {id(node): f"n{i}" for i, node in enumerate(order)}
    expected = [(ids[id(x)] if isinstance(x, Value) else f"{ids[id(node)]}_{i}", ids[id(node)],
                 [cards.number(p, 4)] if isinstance(x, Value) else [])
                for node in order for i, (x, p) in enumerate(zip(node.operands, node.partials))]
    assert Counter((*arrow.names, *arrow.words) for arrow in arrows) == Counter(
        (tail, head, *words) for tail, head, words in expected)
    for node in order:
        words = nodes[ids[id(node)]].words
        assert words[-4:] == ["data", cards.number(node.data, 4), "grad", cards.number(node.grad, 4)]


def test_an_op_is_shown_by_its_sign_and_a_choice_by_what_it_takes():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    z = ag.where(ag.less_equal(x, y), x / y, -x)
    z.backward()
    nodes, arrows = parts(z)
    assert [part.words[0] for part in nodes.values()] == ["x", "y", "≤", "÷", "neg", "where"]
    assert nodes["n2"].words == ["≤", "data", "1"]                          # no gradient flows to a condition
    assert [arrow.words for arrow in arrows if arrow.names[1] == "n5"] == [["0"], ["1"], ["0"]]
    assert labelled(parts(ag.less(x, y))[0]).keys() == {"x", "y", "<"}
    sines = x
    for _ in range(300):
        sines = ag.sin(sines - 1.0)
    assert any("150 −, 150 sin" in re.sub(r"\d+", "150", " ".join(p.words)) for p in parts(sines)[0].values())


def test_plain_numbers_are_drawn_without_a_card_or_a_derivative():
    nodes, arrows = parts(Value(-2.0, "x") ** 2)
    assert nodes["n1_1"].words == ["2"] and "TABLE" not in nodes["n1_1"].label
    assert [arrow.words for arrow in arrows if arrow.names[0] == "n1_1"] == [[]]


def test_leaves_frozen_leaves_results_and_roots_look_different():
    nodes = labelled(parts(network())[0])
    assert len({nodes[name].label.partition("<TR>")[0] for name in ("w1", "i1", "neth1", "E")}) == 4
    assert "grad" in nodes["w1"].words and "grad" not in nodes["i1"].words


@pytest.mark.parametrize("data", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_red_and_nothing_else_is(data):
    x, y = Value(data, "x"), Value(2.0, "y")
    with ag.errstate("ignore"):
        z = x * y
    z.label = "z"
    nodes, arrows = parts(z)
    red = {name for name, part in labelled(nodes).items() if RED in part.label}
    assert red == {"x", "z"}
    assert [RED in arrow.label for arrow in arrows] == [False, True]        # ∂z/∂y is x
    assert RED not in ag.draw(y * y).source


def test_a_gradient_that_is_not_finite_is_red():
    x = Value(1.0, "x")
    y = x * x
    x.grad = math.inf
    nodes, _ = parts(y)
    assert f'COLOR="{RED}" BGCOLOR="{THEME.alarm}"' in nodes["n0"].label and RED not in nodes["n1"].label


def test_a_derivative_through_which_no_gradient_flows_is_paler():
    _, (first, second) = parts(Value(2.0) * Value(3.0, requires_grad=False))
    assert THEME.backward in first.label and THEME.faint in second.label


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 17))
def test_a_number_is_shown_to_its_digits_and_only_zero_as_zero(x, digits):
    shown = float(cards.number(x, digits).replace("−", "-"))
    assert (shown == 0.0) == (x == 0.0)
    assert math.isinf(shown) or abs(shown - x) <= abs(x) * 0.5000001 * 10.0 ** (1 - digits)


@pytest.mark.parametrize("digits", [18, 400, 10 ** 30])
def test_more_digits_than_a_float_has_are_all_of_it(digits):
    x = Value(0.1, "x")
    assert ag.draw(x, digits=digits).source == ag.draw(x, digits=17).source
    assert "0.10000000000000001" in ag.draw(x, digits=digits).source


def test_digits_are_chosen():
    assert "0.333333" in parts(Value(1 / 3) * 1.0, digits=6)[0]["n0"].words


def test_scopes_may_be_deeper_than_python_calls():
    x = Value(1.0, "x")
    x.scope = [f"s{i}" for i in range(sys.getrecursionlimit() + 100)]
    nodes, _ = parts(x * 2.0)
    assert nodes["n0"].clusters == x.scope


def test_layers_and_neurons_are_nested_clusters():
    nodes = labelled(parts(network())[0])
    assert nodes["w1"].clusters == nodes["outh1"].clusters == ("hidden layer", "neurons[0]")
    assert nodes["w8"].clusters == ("output layer", "neurons[1]")
    assert nodes["b1"].clusters == ("hidden layer",)
    assert nodes["E"].clusters == nodes["i1"].clusters == ()


def test_in_a_network_each_operand_still_has_one_arrowhead():
    root = network()
    _, arrows = parts(root)
    heads = [arrow for arrow in arrows if arrow.attributes.get("dir") != "none"]
    assert len(heads) == sum(len(node.operands) for node in topological([root]))
    assert all(not arrow.names[1].startswith("j") for arrow in heads)
    into = [arrow.names[1] for arrow in arrows if arrow.attributes.get("dir") == "none"]
    assert sorted(into) == sorted({arrow.names[0] for arrow in heads if arrow.names[0].startswith("j")})


@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
def test_every_operand_stands_before_its_result_and_layers_do_not_overlap(each_program, direction):
    drawing = ag.draw(network(), direction=direction)
    nodes, arrows = parse(drawing.source)
    axis, sign = {"LR": (2, 1), "RL": (2, -1), "TB": (3, -1), "BT": (3, 1)}[direction]
    place = {line.split()[1]: sign * float(line.split()[axis])
             for line in drawing.pipe("plain", encoding="utf-8").splitlines() if line.startswith("node ")}
    own = columns(drawing.source)
    assert place.keys() == {own.get(name, name) for name in nodes}
    place |= {name: place[column] for name, column in own.items()}
    for arrow in arrows:
        assert place[arrow.names[0]] < place[arrow.names[1]]
    at = {name: place[part.names[0]] for name, part in labelled(nodes).items()}
    assert at["i1"] < at["w1"] < at["neth1"] < at["outh1"] < at["w5"] < at["neto1"] < at["outo1"] < at["E"]
    assert at["neth1"] == pytest.approx(at["neth2"]) and at["outo1"] == pytest.approx(at["outo2"])


def test_within_a_neuron_the_weights_stand_in_their_order():
    drawing = ag.draw(network())
    plain = subprocess.run([extras_program(), "-Tplain"], input=drawing.source.encode(), capture_output=True)
    height = {line.split()[1]: float(line.split()[3]) for line in plain.stdout.decode().splitlines()
              if line.startswith("node ")}
    own = columns(drawing.source)
    height |= {name: height[column] - 0.001 * k for k, (name, column) in enumerate(own.items())}
    at = {name: height[part.names[0]] for name, part in labelled(parse(drawing.source)[0]).items()}
    names = ["w1", "w2", "b1", "w3", "w4"], ["w5", "w6", "b2", "w7", "w8"], ["outo1", "outo2"], ["i1", "i2"]
    for column in names:
        assert sorted(column, key=at.__getitem__, reverse=True) == column


def test_drawing_leaves_the_graph_as_it_was():
    root = network()
    before = [(node.data, node.grad, node.label) for node in topological([root])]
    ag.draw(root)
    assert [(node.data, node.grad, node.label) for node in topological([root])] == before


def test_several_roots_share_one_picture():
    x = Value(1.0, "x")
    nodes, arrows = parts([x * 2.0, x * 3.0])
    assert len([arrow for arrow in arrows if arrow.names[0] == "n0"]) == 2


def test_a_single_leaf_and_a_constant_computation_are_drawn():
    assert len(parts(Value(1.0))[0]) == 1
    nodes, arrows = parts(Value(1.0, requires_grad=False) + 1.0)
    assert len(arrows) == 2 and "grad" not in nodes["n1"].words


# -- labels --------------------------------------------------------------------------------------


def readable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@pytest.mark.parametrize("label", ["<", "<B>x</B>", "&lt;", "</TD></TR></TABLE>>]; n9 [label=<x"])
def test_a_label_that_is_not_escaped_is_noticed(label, monkeypatch):
    monkeypatch.setattr(cards, "escape_html", str)
    with pytest.raises(AssertionError):
        nodes, _ = parse(ag.draw(Value(1.0, label)).source)
        assert nodes["n0"].words[0] == label


@settings(max_examples=100, deadline=None)
@given(st.lists(texts | nasty, min_size=4, max_size=4))
def test_no_label_scope_op_or_caption_changes_what_is_drawn(words):
    def drawn(label, scope, op, caption):
        x = Value(2.0, label)
        y = Op(op, lambda x: x, (lambda y, x: 1.0,))(x)
        x.scope = y.scope = (scope,)
        nodes, arrows = parse(ag.draw(y, caption=caption).source)
        return nodes.keys(), [arrow.names for arrow in arrows]

    assert drawn(*words[:2], f"f{words[2]}", words[3]) == drawn("x", "s", "f", "c")


@settings(max_examples=25, deadline=None)
@given(st.lists(texts | nasty, min_size=8, max_size=8))
def test_a_reader_sees_labels_scopes_and_captions_as_they_are(words):
    *labels, scope, caption = words
    leaves = [Value(1.0, label) for label in labels]
    leaves[0].scope = ("outer", scope)
    picture = svg(ag.sum(leaves), caption=caption[:99])
    for word in filter(None, (*labels, scope)):
        shown = readable(word)
        assert (shown if len(shown) <= cards.LONGEST else shown[:cards.LONGEST - 1] + "…") in seen(picture)
    assert readable(caption[:99]) in seen(picture) or not caption
    for label in filter(None, labels):
        assert any(text.startswith(readable(label)[:300]) for text in told(picture))


@pytest.mark.parametrize("label", HOSTILE)
def test_each_program_draws_a_hostile_label(each_program, label):
    picture = svg(Value(1.0, label) * Value(2.0, "y"))
    shown = readable(label)
    assert (shown if len(shown) <= cards.LONGEST else shown[:cards.LONGEST - 1] + "…") in seen(picture)
    assert any(text.startswith(shown[:300]) for text in told(picture))
    assert len(list(picture.iter(f"{SVG}path"))) >= 2


# -- the same in every run -------------------------------------------------------------------------


def test_two_processes_write_the_same_source():
    script = ("import autograd_lite as ag; from autograd_lite.document import Network; r = Network().graph();"
              "r.backward(); print(ag.draw(r).source, ag.draw(r, max_nodes=9).source)")
    runs = {subprocess.run([sys.executable, "-c", script], capture_output=True, check=True,
                           env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}).stdout
            for seed in ("1", "2")}
    assert len(runs) == 1


# -- files -----------------------------------------------------------------------------------------


def test_a_png_shows_something_at_a_sensible_size(each_program, tmp_path):
    path = tmp_path / "picture.png"
    assert ag.render(network(), path) is path
    pixels = matplotlib.image.imread(path)
    height, width = pixels.shape[:2]
    assert 1500 < width < 5000 and 500 < height < width
    assert pixels.std() > 0.02
    assert 0.5 < (pixels[..., :3].min(axis=2) > 0.9).mean() < 0.99       # mostly paper


def test_an_svg_is_not_clipped_however_large(each_program, tmp_path):
    x = y = Value(0.5, "x")
    for _ in range(180):
        y = ag.sin(y)
    for root in (x * x, y):
        path = ag.render(root, str(tmp_path / "picture.svg"))
        picture = ElementTree.parse(path).getroot()
        width, height = (float(picture.attrib[side].removesuffix("pt")) for side in ("width", "height"))
        box = [float(side) for side in picture.attrib["viewBox"].split()]
        assert box == pytest.approx([0.0, 0.0, width, height], abs=1.0)
        assert "scale(1 1)" in picture[0].attrib["transform"]
        assert "max-width:100%" in picture.attrib["style"]
    assert width > 1200


def test_the_size_of_a_bitmap_is_bounded(each_program):
    label = Value(0.5, "x" * 32)
    wide = ag.draw([ag.sin(label * i) for i in range(300)], max_nodes=1000, direction="TB").pipe("png")
    pixels = matplotlib.image.imread(io.BytesIO(wide))
    assert 6000 < pixels.shape[1] <= 50 * 144 + 2 and pixels.shape[0] > 20


def test_a_dot_file_holds_the_source(tmp_path):
    x = Value(1.0, "x")
    path = ag.render(x * x, str(tmp_path / "picture.DOT"))
    assert Path(path).read_text(encoding="utf-8") == ag.draw(x * x).source


@pytest.mark.parametrize("name", ["picture", "picture.jpg", "picture.png.txt", ".png"])
def test_another_ending_is_refused_and_the_others_are_named(name, tmp_path):
    with pytest.raises(RenderError, match=r"\.png, \.svg, \.pdf, \.html or \.dot"):
        ag.render(Value(1.0), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_path_in_another_place_or_no_path_is_refused_by_name(tmp_path):
    root = Value(2.0) * 3.0
    with pytest.raises(InputError, match=r"expected a path, got Value; write render\(root, 'graph.png'\)"):
        ag.render("graph.png", root)
    missing = tmp_path / "missing" / "graph.dot"
    with pytest.raises(RenderError, match=r"cannot write '.*graph.dot': No such file or directory"):
        ag.render(root, missing)
    with pytest.raises(RenderError, match="Is a directory"):
        (tmp_path / "taken.dot").mkdir()
        ag.render(root, tmp_path / "taken.dot")


@pytest.mark.parametrize("wrong", [3.0, None, "x", [Value(1.0), 2.0], []])
def test_what_is_no_graph_is_refused(wrong):
    with pytest.raises(ag.InputError, match="draw: "):
        ag.draw(wrong)


@pytest.mark.parametrize("option, wrong", [("max_nodes", 0), ("max_nodes", None), ("digits", 0),
                                           ("direction", "left"), ("direction", numpy.array([1, 2])),
                                           ("style", numpy.array([1, 2])), ("sample", numpy.array([1, 2])),
                                           ("caption", 3.0), ("caption", None), ("caption", b"x")])
def test_an_option_out_of_range_is_refused_by_name(option, wrong):
    with pytest.raises(ag.InputError, match=f"draw: {option}"):
        ag.draw(Value(1.0), **{option: wrong})


# -- in a notebook, and as a Digraph ---------------------------------------------------------------


def test_a_drawing_shows_itself_in_a_notebook(each_program):
    import graphviz
    drawing = ag.draw(network())
    assert isinstance(drawing, graphviz.Digraph)
    bundle = drawing._repr_mimebundle_()
    assert bundle.keys() == {"image/svg+xml", "text/html", "text/plain"}
    assert "neth1" in seen(ElementTree.fromstring(bundle["image/svg+xml"].encode()))
    assert drawing.pipe("png").startswith(b"\x89PNG")


def test_a_drawing_renders_as_any_digraph_does_and_graphviz_is_left_as_it_was(tmp_path):
    from graphviz.backend import dot_command
    before = dot_command.DOT_BINARY
    written = ag.draw(network()).render("picture", directory=tmp_path, format="svg")
    assert "neth1" in seen(ElementTree.parse(written).getroot())
    assert dot_command.DOT_BINARY is before


def lines_drawn(source: str, program: str) -> int:
    """How many arrows a program draws without complaint."""
    done = subprocess.run([program, "-Tsvg"], input=source.encode(), capture_output=True)
    assert done.returncode == 0 and b"Error" not in done.stderr, done.stderr
    return sum(group.attrib.get("class") == "edge" and group.find(f".//{SVG}path") is not None
               for group in ElementTree.fromstring(done.stdout).iter(f"{SVG}g"))


@settings(max_examples=15, deadline=None)
@given(computations(max_ops=30),
       st.lists(st.lists(st.sampled_from("abc"), max_size=2), min_size=1, max_size=7))
def test_scopes_that_depend_on_each_other_are_drawn_with_every_arrow(recipe, scopes):
    _, results = recorded(recipe)
    for node, scope in zip(results, scopes * len(results)):
        node.scope = tuple(scope)
    source = ag.draw(ag.sum(results)).source
    assert {lines_drawn(source, path) for _, path in engine._candidates()} == {source.count(" -> ")}


def test_a_graph_for_which_dot_finds_no_ranks_cluster_by_cluster_is_drawn():
    nodes = [Value(0.5), Value(0.5)]
    scopes = ["b", "bb", "", "b", "aa", "", "bb", "ab", "bb", "ab", "aa", "ba", "b", "", "ba", "", "a", "ab"]
    for a, b in [(13, 0), (2, 0), (10, 5), (5, 12), (0, 12), (6, 6), (8, 9), (6, 14), (0, 0), (8, 0),
                 (15, 14), (17, 5), (5, 0), (10, 1), (1, 11), (4, 10)]:
        x = nodes[-1 - a % len(nodes)]
        nodes.append(x + nodes[b % len(nodes)] if b else ag.sin(x))
    for node, scope in zip(nodes, scopes):
        node.scope = tuple(scope)
    source = ag.draw(nodes[-1]).source
    extra = extras_program()
    assert lines_drawn(source, extra) == source.count(" -> ")
    with pytest.raises(AssertionError):
        lines_drawn(source.replace("newrank=true", ""), extra)


# -- large graphs ------------------------------------------------------------------------------------


def counts(nodes: dict[str, Part]) -> tuple[int, int]:
    """How many nodes are shown, and how many are folded."""
    folded = [re.search(r"([\d,]+) nodes? folded", " ".join(part.words)) for part in nodes.values()]
    return (sum("TABLE" in part.label and not found for part, found in zip(nodes.values(), folded)),
            sum(int(found[1].replace(",", "")) for found in folded if found))


def chain(length: int) -> Value:
    x = y = Value(0.5, "x")
    for _ in range(length):
        y = ag.sin(y)
    return y if length else x


def dense(length: int) -> Value:
    xs = [Value(1.0, "x")]
    for _ in range(length):
        xs.append(ag.mean(xs))
    return xs[-1]


@pytest.mark.parametrize("make, total", [
    (lambda: chain(50_000), 50_001), (lambda: ag.sum([Value(1.0, f"x{i}") for i in range(50_000)]), 50_001),
    (lambda: ag.sum([Value(1.0, "x")] * 50_000), 2), (lambda: ag.sum([Value(1.0, "x"), *[1.0] * 50_000]), 2),
    (lambda: dense(150), 151), (lambda: chain(201), 202)],
    ids=["chain", "sum", "one operand", "plain numbers", "dense", "barely too many"])
def test_of_a_large_graph_a_little_is_shown_and_the_rest_counted(make, total):
    root = make()
    nodes, arrows = parts(root)
    shown, folded = counts(nodes)
    assert shown + folded == total
    assert 2 <= shown <= 200 and len(arrows) < 500
    assert any(part.words[:1] == ["x"] for part in nodes.values()) or "x0" in labelled(nodes)
    assert f"{shown:,} of {total:,} nodes are shown" in ag.draw(root).source or not folded


def test_of_a_deep_graph_only_so_many_ranks_are_shown_as_a_row_holds():
    assert counts(parts(chain(1000))[0])[0] == 13


def test_a_dense_graph_is_drawn_without_waiting_for_all_its_arrows():
    assert len(seen(svg(dense(150)))) > 20


def test_a_graph_at_the_limit_is_shown_whole_and_one_above_is_folded():
    assert counts(parts(chain(30), max_nodes=31)[0]) == (31, 0)
    assert counts(parts(chain(31), max_nodes=31)[0])[1] > 0


def test_of_a_large_layer_one_neuron_is_shown_and_the_others_as_a_box():
    model = ag.nn.MLP(4, [12, 12, 1])
    loss = (model([Value(1.0, f"x{i}", False) for i in range(4)]) - 1.0) ** 2
    nodes, arrows = parts(loss)
    boxes = [" ".join(part.words) for part in nodes.values() if "folded" in " ".join(part.words)]
    assert sorted(box.partition(" : ")[2][:9] for box in boxes) == ["165 nodes", "77 nodes "]
    assert sum(counts(nodes)) == len(topological([loss]))
    assert {"x0", "x3", "−", "^"} <= labelled(nodes).keys()
    assert [arrow.words for arrow in arrows].count(["× 121"]) == 1       # 11 times 11


def test_a_fold_tells_that_something_in_it_is_not_finite():
    x = Value(math.nan, "x")
    y = Value(1.0, "y")
    bad = good = y
    for _ in range(300):
        bad, good = ag.sin(bad) if bad is not y else x * y, ag.sin(good)
    nodes, _ = parts(good + bad)
    (fold,) = [part for part in nodes.values() if "folded" in " ".join(part.words)]
    assert re.search(r"\d+ not finite", " ".join(fold.words)) and RED in fold.label
    y.grad = 1e308
    assert "not finite" not in ag.draw(good * 1e308).source       # though their sum is none


@settings(max_examples=60, deadline=None)
@given(computations(max_ops=40), st.integers(1, 12), st.lists(st.sampled_from(["", "a", "b"]), max_size=5))
def test_folding_loses_no_node_and_keeps_the_root(recipe, max_nodes, scopes):
    _, results = recorded(recipe)
    for node, scope in zip(results, scopes * len(results)):
        node.scope = (scope,) if scope else ()
    root = ag.sum(results)
    nodes, arrows = parts(root, max_nodes=max_nodes)
    shown, folded = counts(nodes)
    assert shown + folded == len(topological([root]))
    assert shown <= max_nodes or not folded
    (heavy,) = [part for part in nodes.values() if 'BORDER="2"' in part.label]
    assert cards.number(root.data, 4) in heavy.words


@settings(max_examples=60, deadline=None)
@given(computations(max_ops=40), st.integers(1, 12))
def test_the_arrows_into_a_node_that_is_shown_count_its_operands(recipe, max_nodes):
    _, results = recorded(recipe)
    root = ag.sum(results)
    nodes, arrows = parts(root, max_nodes=max_nodes)
    into = Counter[str]()
    for arrow in arrows:
        text = (nodes[arrow.names[0]].words if arrow.names[0].endswith("more") else arrow.words) or ["1"]
        bundle = re.match(r"× ([\d,]+)|([\d,]+) more numbers", text[0])
        into[arrow.names[1]] += int((bundle[1] or bundle[2]).replace(",", "")) if bundle else 1
    shown = Counter(into[name] for name, part in nodes.items() if "data" in part.words and into[name])
    assert shown <= Counter(len(node.operands) for node in topological([root]))


def loops(arrows: list[Part]) -> set[str]:
    """The nodes from which the arrows lead back to themselves."""
    after: dict[str, set[str]] = {}
    for arrow in arrows:
        after.setdefault(arrow.names[0], set()).add(arrow.names[1])
    found = set()
    for start in after:
        seen, stack = set(), [start]
        while stack:
            new = after.get(stack.pop(), set()) - seen
            seen |= new
            stack.extend(new)
        found |= {start} & seen
    return found


@settings(max_examples=100, deadline=None)
@given(computations(max_ops=60), st.integers(1, 60))
def test_no_way_leads_from_a_fold_back_into_it(recipe, max_nodes):
    _, results = recorded(recipe)
    assert not loops(parts(results[-1], max_nodes=max_nodes)[1])


def test_no_way_leads_back_into_a_fold_past_a_node_between_two_wide_sums():
    x = Value(1.0, "x")
    between = ag.sum([ag.sin(x) for _ in range(200)])
    assert not loops(parts(ag.sum([ag.sin(between) for _ in range(200)]))[1])


# -- programs to draw with ---------------------------------------------------------------------------


@pytest.fixture
def no_extra(monkeypatch):
    """The [png] extra's program is not installed."""
    def distribution(name):
        raise PackageNotFoundError(name)
    monkeypatch.setattr("importlib.metadata.distribution", distribution)


def program_named_dot(folder: Path, script: str) -> Path:
    path = folder / "dot"
    # (the interpreter's path may have a space; to Python the second line and the third are a text)
    start = f"""#!/bin/sh\n'''exec' '{sys.executable}' "$0" "$@"\n' '''\n"""
    path.write_text(start + script, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_without_a_program_the_error_says_what_to_install_and_the_source_is_kept(
        no_extra, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    root = network()
    for kind in ("png", "svg", "pdf", "html"):
        with pytest.raises(RenderError, match=re.escape("pip install 'autograd-lite[png]'")) as caught:
            ag.render(root, tmp_path / f"picture.{kind}")
        assert "apt install graphviz" in str(caught.value) and "picture.dot" in str(caught.value)
        assert not (tmp_path / f"picture.{kind}").exists()
        assert (tmp_path / "picture.dot").read_text(encoding="utf-8") == ag.draw(root).source
    bundle = ag.draw(root)._repr_mimebundle_()
    assert bundle.keys() == {"text/plain", "text/html"}
    assert all("autograd-lite[png]" in unescape(shown) for shown in bundle.values())
    assert ag.render(root, str(tmp_path / "other.dot"))


@posix
@pytest.mark.parametrize("script", [
    "import sys; sys.exit(3)", "print('hello')", "import os; os.kill(os.getpid(), 9)",
    "import sys; print('Format: png not recognized', file=sys.stderr)",
    "import sys; sys.stdout.buffer.write(b'\\x89PNG\\r\\n\\x1a\\n'); sys.exit('without libexpat')",
    "import sys; sys.stdout.buffer.write(b'\\x89PNG\\r\\n\\x1a\\n'); sys.stderr.write('no libexpat')"])
def test_a_system_dot_that_cannot_draw_is_passed_over(script, monkeypatch, tmp_path):
    extra = extras_program()
    broken = program_named_dot(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine.program() == extra
    monkeypatch.setattr(engine, "_candidates", lambda: iter([("the system's dot", str(broken))]))
    with pytest.raises(RenderError, match="cannot write a PNG") as caught:
        engine.program()
    assert str(broken) in str(caught.value) and "pip install" in str(caught.value)


@posix
def test_a_file_named_dot_that_is_no_program_is_passed_over(monkeypatch, tmp_path):
    extra = extras_program()
    program_named_dot(tmp_path, "").write_bytes(b"\x00\x01\x02 not a program")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine.program() == extra


@posix
def test_a_system_dot_that_works_is_preferred_and_tried_only_once(monkeypatch, tmp_path):
    log = tmp_path / "log"
    dot = program_named_dot(tmp_path, "import subprocess, sys\n"
                            f"open({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
                            f"sys.exit(subprocess.run([{extras_program()!r}, *sys.argv[1:]]).returncode)")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine.program() == str(dot)
    x = Value(1.0, "x")
    for _ in range(2):
        ag.render(x * x, tmp_path / "picture.svg")
    assert log.read_text().splitlines() == ["-Tpng", "-Kdot -Tsvg", "-Kdot -Tsvg"]


@posix
def test_a_program_that_fails_later_is_an_error_with_its_words_and_the_source_is_kept(monkeypatch, tmp_path):
    script = ("import sys\nif '-Kdot' in sys.argv: sys.exit('out of ink')\n"
              "sys.stdout.buffer.write(b'\\x89PNG\\r\\n\\x1a\\n')")
    program_named_dot(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RenderError, match="out of ink"):
        ag.render(Value(1.0), tmp_path / "picture.png")
    assert (tmp_path / "picture.dot").exists() and not (tmp_path / "picture.png").exists()


def test_without_the_python_package_graphviz_the_error_says_what_to_install(monkeypatch):
    for name in ("drawn", "picture"):
        monkeypatch.delitem(sys.modules, f"autograd_lite.drawing.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(RenderError, match=re.escape("pip install 'autograd-lite[png]'")):
        ag.draw(Value(1.0))


def test_importing_the_library_does_not_import_graphviz():
    script = "import sys, autograd_lite.drawing; sys.exit('graphviz' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_only_drawing_imports_graphviz():
    def imported(path):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module or ""

    importers = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")
                 if any(name.split(".")[0] == "graphviz" for name in imported(path))}
    assert importers == {"drawing/drawn.py"}


def test_text_is_cut_only_where_it_is_longer_than_it_may_be():
    assert [cards.escape("x" * n, 4) for n in (3, 4, 5)] == ["xxx", "xxxx", "xxx…"]
