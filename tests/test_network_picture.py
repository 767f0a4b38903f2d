"""The picture of a network says what the model says: each weight a line, each number legible."""
from __future__ import annotations

import math
import re
import sys
import xml.etree.ElementTree as ElementTree
from html import unescape
from itertools import combinations, cycle
from typing import Any, NamedTuple

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import InputError, RenderError, Value, nn
from autograd_lite.document import Network
from autograd_lite.drawing.layout import Rows
from autograd_lite.drawing.theme import THEMES

HOSTILE = ['"', "\\", "\\N", "a\\", "<B>", "<>", "</TABLE>", "&lt;", "&#65;", "a & b", "{a|<b> c}", "x\ny",
           '"]; n9 [label="', "]; n0 -> n9 [", "-->", "\x00\x1b[31m", "\ud800", "\u202egnp", "两层网络", " ",
           "%n\\l\\r", "<!--", "x" * 500, "<script>alert(1)</script>", "javascript:1"]
DIRECTIONS, SHOWN = ("LR", "RL", "TB", "BT"), ("data", "grad")


class Part(NamedTuple):
    """A node or a line of our DOT, which has one of them to a line."""

    names: tuple[str, ...]
    attributes: dict[str, str]

    @property
    def text(self) -> str:
        """What a reader sees in it."""
        return unescape(re.sub("</?B>", "", self.attributes.get("label", "<>")[1:-1])).replace("\\\\", "\\")

    @property
    def tip(self) -> str:
        return unescape(self.attributes["tooltip"]).replace("\\" * 4, "\\")

    @property
    def places(self) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", self.attributes["pos"])]

    @property
    def middle(self) -> tuple[float, float]:
        return self.places[0]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        (x, y), w, h = self.middle, *(36.0 * float(self.attributes[side]) for side in ("width", "height"))
        return x - w, y - h, x + w, y + h


ATTRIBUTE = re.compile(r'(\w+)=("[^"]*"|<(?:</?B>|[^<>])*>|[^\s\]"<]+)')


class Picture:
    """The circles, squares, texts and lines of a drawing."""

    def __init__(self, drawing: ag.Drawing):
        self.parts = [part(line) for line in drawing.source.splitlines()[1:-1]
                      if not line.startswith(("\tgraph", "\tnode", "\tedge"))]
        self.lines = {x.names: x for x in self.parts if x.names[1:] and x.names[0][0] != "l"}
        self.legend = [x for x in self.parts if x.names[1:] and x.names[0][0] == "l"]
        nodes = {x.names[0]: x for x in self.parts if not x.names[1:]}
        self.circles = {name: x for name, x in nodes.items() if name[0] == "n"}
        self.squares = {name: x for name, x in nodes.items() if name[0] == "b"}
        self.texts = [x for name, x in nodes.items() if name[0] == "t"]
        self.words = [x.text for x in self.texts]
        self.numbers = [x for x in self.texts if "\ndata " in x.tip]


def part(line: str) -> Part:
    head, _, rest = line.strip().partition(" [")
    assert re.fullmatch(r"([nbtd]|[lr])\d+(_\d+)?( -> [nr]\d+(_\d+)?)?", head), line
    assert rest.endswith("]") and not ATTRIBUTE.sub("", rest[:-1]).strip(), line
    attributes = {name: value.removeprefix('"').removesuffix('"') for name, value in ATTRIBUTE.findall(rest)}
    return Part(tuple(head.split(" -> ")), attributes)


def drawn(model: Any, **options: Any) -> Picture:
    return Picture(ag.draw_network(model, **options))


def document() -> Network:
    network = Network()
    network.error().backward()
    return network


def near(x: float) -> Any:
    return pytest.approx(x, abs=0.1)


def red_and_blue(part: Part) -> tuple[int, int]:
    colour = part.attributes["color"]
    return int(colour[1:3], 16), int(colour[5:7], 16)


# -- what is drawn is what the model holds ---------------------------------------------------------

numbers = st.floats(-1e3, 1e3) | st.sampled_from([0.0, -0.0, 5e-324, 1e308, -1e308, 1e-9])


def models(most: int = 6) -> st.SearchStrategy[tuple[Any, ...]]:
    """What `made` makes a model of."""
    return st.tuples(st.lists(st.integers(1, most), min_size=2, max_size=4),
                     st.sampled_from(["neuron", "layer", None]), st.lists(numbers, min_size=9, max_size=30))


def made(sizes: list[int], bias: Any, data: list[float]) -> nn.MLP:
    model = nn.MLP(sizes[0], sizes[1:], bias=bias)
    for p, x, g in zip(model.parameters(), cycle(data), cycle(data[1:])):
        p.data, p.grad = x, g
    return model


@given(models(), st.sampled_from(SHOWN), st.sampled_from(DIRECTIONS), st.sampled_from(list(THEMES)))
@settings(max_examples=40, deadline=None)
def test_each_weight_is_a_line_between_its_neurons_as_heavy_as_it_is_large(spec, show, direction, theme):
    model = made(*spec)
    picture = drawn(model, show=show, direction=direction, theme=theme)
    expected = {(f"n{k}_{j}", f"n{k + 1}_{i}"): w for k, layer in enumerate(model.layers)
                for i, neuron in enumerate(layer.neurons) for j, w in enumerate(neuron.w)}
    expected |= {(f"b{k}", f"n{k + 1}_{i}"): layer.b for k, layer in enumerate(model.layers)
                 for i in range(len(layer.neurons)) if layer.b is not None}
    assert picture.lines.keys() == expected.keys()
    weighed = []
    for ends, p in expected.items():
        line, x = picture.lines[ends], getattr(p, show)
        assert repr(p.data) in line.tip and repr(p.grad) in line.tip and p.label in line.tip
        red, blue = red_and_blue(line)
        if x:
            assert (red < blue) is (x > 0.0)
        if "style" in line.attributes:
            assert x < 0.0
        weighed.append((abs(x), float(line.attributes["penwidth"])))
    assert [width for _, width in sorted(weighed)] == sorted(width for _, width in weighed)


@pytest.mark.parametrize("amounts", [[1.0, 0.1, 0.01, 0.0011, 0.0009, 1e-5, 1e-9], [3e-320, 2e-320, 1e-320],
                                     [1e308, 1e306, 1e300]])
@pytest.mark.parametrize("theme", THEMES)
def test_gradients_keep_their_order_over_many_decades(amounts, theme):
    model = nn.Neuron(len(amounts), bias=None)
    for w, x in zip(model.w, amounts):
        w.grad = x
    lines = drawn(model, show="grad", theme=theme).lines
    widths = [float(lines[f"n0_{j}", "n1_0"].attributes["penwidth"]) for j in range(len(amounts))]
    assert widths == sorted(widths, reverse=True) and widths[0] == 4.2
    assert len(set(widths)) >= min(len(amounts), 5)


@pytest.mark.parametrize("show, amounts, said", [
    ("data", (0.8, -0.4), ["0.8", "0.4", "negative"]), ("data", (-0.8, -0.2), ["−0.8", "−0.4"]),
    ("data", (0.8, 0.0), ["0.8", "0.4"]), ("data", (0.0, 0.0), []),
    ("grad", (1.0, 0.01), ["1", "0.1", "0.01"]), ("grad", (1.0, 1.0), ["1"]),
    ("grad", (-1.0, 1e-9), ["1", "0.032", "0.001", "negative"])])
def test_the_legends_lines_look_as_lines_of_its_amounts_do(show, amounts, said):
    model = nn.Neuron(2, bias=None)
    for w, x in zip(model.w, amounts):
        setattr(w, show, x)
    picture = drawn(model, show=show)
    head = "weight" if show == "data" else "gradient, log scale"
    assert picture.words[picture.words.index(head) + 1:] == said
    assert len(picture.legend) == len(said)
    j = amounts.index(max(amounts, key=abs))
    if said:
        assert look(picture.lines[f"n0_{j}", "n1_0"]) in map(look, picture.legend)


def look(line: Part) -> list[str | None]:
    return [line.attributes.get(name) for name in ("color", "penwidth", "style")]


@given(models(), st.sampled_from(DIRECTIONS))
@settings(max_examples=20, deadline=None)
def test_lines_are_straight_and_end_at_the_rims_of_their_circles(spec, direction):
    picture = drawn(made(*spec), direction=direction)
    for (tail, head), line in picture.lines.items():
        places = line.places
        ends = {**picture.circles, **picture.squares}[tail], picture.circles[head]
        whole = math.dist(ends[0].middle, ends[1].middle)
        assert sum(map(math.dist, places, places[1:])) == near(math.dist(places[0], places[3]))
        for end, place in zip(ends, (places[0], places[3])):
            assert math.dist(end.middle, place) == near(36 * float(end.attributes["width"]))
            assert whole == near(sum(math.dist(end.middle, place) for end in ends))


@given(models(4), st.sampled_from(SHOWN), st.sampled_from(DIRECTIONS))
@settings(max_examples=40, deadline=None)
def test_numbers_overlap_neither_each_other_nor_circles(spec, show, direction):
    picture = drawn(made(*spec), show=show, direction=direction)
    things = [*picture.texts, *picture.squares.values()]
    assert not [(a.text, b.text) for a, b in combinations(things, 2) if overlap(a, b)]
    assert not [(text.text, circle.text) for text in picture.texts for circle in picture.circles.values()
                if overlap(text, circle)]


def overlap(a: Part, b: Part) -> bool:
    left, bottom, right, top = a.box
    if b.names[0][0] == "n":                    # (a circle)
        (x, y), r = b.middle, 36 * float(b.attributes["width"])
        return math.dist((x, y), (min(max(x, left), right), min(max(y, bottom), top))) < r - 0.1
    other = b.box
    return left < other[2] and other[0] < right and bottom < other[3] and other[1] < top


@pytest.mark.parametrize("make, columns, squares, below", [
    (lambda: nn.Neuron(3), [3, 1], 0, 1), (lambda: nn.Neuron(3, bias=None), [3, 1], 0, 0),
    (lambda: nn.Layer(3, 2), [3, 2], 0, 2), (lambda: nn.Layer(3, 2, bias="layer"), [3, 2], 1, 1),
    (lambda: nn.MLP(2, [3, 1], bias=None), [2, 3, 1], 0, 0),
    (lambda: [nn.Layer(2, 3), nn.Neuron(3)], [2, 3, 1], 0, 4),
    (lambda: nn.MLP(1, [1, 1, 1]), [1, 1, 1, 1], 0, 3), (Network, [2, 2, 2], 2, 2)])
def test_models_of_every_kind_are_drawn_with_their_biases(make, columns, squares, below):
    picture = drawn(make())
    counts = [sum(name.startswith(f"n{k}_") for name in picture.circles) for k in range(len(columns) + 1)]
    assert counts == [*columns, 0] and len(picture.squares) == squares
    assert sum(" = " in word and word[0] == "b" for word in picture.words) == below


def test_layers_are_found_among_the_attributes_of_modules_within_modules():
    class Block(nn.Module):
        def __init__(self, nin, nout):
            self.first, self._hidden, self.rest = nn.Layer(nin, 3), nn.Layer(9, 9), {"a": nn.Layer(3, nout)}

    class Model(nn.Module):
        def __init__(self):
            self.scale, self.b, self.heads = Value(1.0), [Block(2, 4)], [nn.Neuron(4), nn.Neuron(4)]
            self.shift = Value(0.0)

    picture = drawn(Model())
    assert {"inputs", "b[0].first", "b[0].rest['a']", "heads"} <= set(picture.words)
    assert len(picture.circles) == 2 + 3 + 4 + 2
    assert "2 parameters outside the layers are not drawn" in ag.draw_network(Model()).source


# -- large layers ---------------------------------------------------------------------------------

@given(st.integers(1, 60), st.integers(1, 40))
def test_of_a_large_layer_the_first_and_last_are_shown_and_the_rest_counted(size, most):
    rows = Rows(size, most)
    assert rows.hidden + len(rows.shown) == size and 1 <= len(rows.shown) <= most
    assert rows.hidden == 0 or rows.hidden >= size - most
    first = next((i for i, place in enumerate(rows.shown) if i != place), len(rows.shown))
    assert rows.shown == [*range(first), *range(size - len(rows.shown) + first, size)]
    assert 0 <= 2 * first - len(rows.shown) <= 1 or not rows.hidden
    assert all(y - x >= 0.99 for x, y in zip(rows.places, rows.places[1:]))
    assert rows.last == pytest.approx(max([*rows.places, rows.gap * (rows.hidden > 0)]))


def test_a_large_network_says_how_many_neurons_are_left_out():
    model = nn.MLP(100, [40, 10], activation="tanh")
    picture = drawn(model)
    assert [word for word in picture.words if "more" in word] == ["92 more", "32 more"]
    assert {"100", "40 × tanh", "10 × linear"} <= set(picture.words)
    assert len(picture.circles) == 8 + 8 + 10 and len(picture.lines) == 8 * 8 + 8 * 10 and not picture.numbers
    assert picture.circles["n0_99"].text == "i100" and picture.circles["n1_39"].text == "h40"
    p = model.layers[1].neurons[9].w[39]
    assert picture.lines["n1_39", "n2_9"].tip == f"{p.label}: h40 → o10\ndata {p.data!r}\ngrad 0.0"
    assert pixels(ag.draw_network(model).pipe("png"))[0] < 1500
    assert {"99 more", "39 more", "9 more"} <= set(drawn(model, max_neurons=1).words)


# -- the document's network -----------------------------------------------------------------------

def test_the_documents_numbers_stand_on_their_lines_near_the_tails():
    network = document()
    picture = drawn(network)
    assert {"w1 = 0.15", "w2 = 0.2", "w3 = 0.25", "w4 = 0.3", "w5 = 0.4", "w6 = 0.45", "w7 = 0.5",
            "w8 = 0.55", "b1 = 0.35", "b2 = 0.6", "inputs", "hidden", "output",
            "2 × sigmoid"} <= set(picture.words)
    assert [circle.text for circle in picture.circles.values()] == ["i1", "i2", "h1", "h2", "o1", "o2"]
    lines = [(f"n{a}_{j}", f"n{a + 1}_{i}") for a in (0, 1) for i in (0, 1) for j in (0, 1)]
    for k, (tail, head) in enumerate(lines):
        number = next(x for x in picture.numbers if x.text.startswith(f"w{k + 1} "))
        start, end = picture.circles[tail].middle, picture.circles[head].middle
        before, after = math.dist(start, number.middle), math.dist(number.middle, end)
        assert before < after and before + after == near(math.dist(start, end))
        assert number.tip == picture.lines[tail, head].tip


def test_gradients_are_shown_once_there_are_some():
    picture = drawn(document(), show="grad")
    assert {"w1 ∂ 0.0004386", "w7 ∂ −0.0226", "b1 ∂ 0.01873", "gradient, log scale"} <= set(picture.words)
    before = drawn(Network(), show="grad")
    assert {"w1 ∂ –", "b2 ∂ –", "no gradient yet: call backward() of a loss"} <= set(before.words)
    grey = {line.attributes["color"] for line in before.lines.values()}
    assert grey == {THEMES["light"].cluster_line} and not before.legend


def test_a_parameter_that_is_held_fixed_has_no_gradient():
    network = document()
    network.hidden.neurons[0].w[0] = Value(0.15, "w1", requires_grad=False)
    picture = drawn(network, show="grad")
    assert "w1 ∂ –" in picture.words and "w2 ∂ 0.0008771" in picture.words
    assert "no gradient" in picture.lines["n0_0", "n1_0"].tip


@pytest.mark.parametrize("show", SHOWN)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_in_the_documents_picture_no_text_as_drawn_overlaps_another(show, direction):
    page = ElementTree.fromstring(ag.draw_network(document(), show=show, direction=direction).pipe("svg"))
    boxes = []
    for text in page.iter("{http://www.w3.org/2000/svg}text"):
        x, y, size = (float(text.get(name)) for name in ("x", "y", "font-size"))
        wide = size * sum(0.28 if c in " ." else 0.72 if c == "w" else 0.57 for c in text.text)
        x -= wide / 2 * (text.get("text-anchor") == "middle")
        boxes.append((x, y, x + wide, y + 0.75 * size, text.text))
    assert len(boxes) >= 6 + 8 + 4 + 6
    assert not [(a[4], b[4]) for a, b in combinations(boxes, 2)
                if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]


def pixels(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


@pytest.mark.parametrize("show", SHOWN)
def test_the_documents_picture_has_the_size_of_a_column_of_text(show):
    assert 700 < pixels(ag.draw_network(document(), show=show).pipe("png"))[0] < 1000


def test_the_drawing_is_told_in_words_and_rendered_as_any(tmp_path):
    drawing = ag.draw_network(document())
    assert drawing.description == "a network with 2 inputs: hidden of 2 × sigmoid, output of 2 × sigmoid"
    assert drawing.description in ag.render(drawing, tmp_path / "network.svg").read_text()
    assert ag.render(drawing, tmp_path / "network.dot").read_text().strip() == drawing.source.strip()


def test_the_program_puts_circles_where_the_source_says():
    drawing = ag.draw_network(document())
    page = ElementTree.fromstring(drawing.pipe("svg"))
    circles = page.iter("{http://www.w3.org/2000/svg}ellipse")
    drawn_at = [(float(x.get("cx")), -float(x.get("cy"))) for x in circles]
    said = [circle.middle for circle in Picture(drawing).circles.values()]
    assert len(drawn_at) >= len(said) == 6
    shift = drawn_at[0][0] - said[0][0], drawn_at[0][1] - said[0][1]
    for (x, y), (a, b) in zip(drawn_at, said):
        assert (x - a, y - b) == pytest.approx(shift, abs=0.02)


# -- colours ----------------------------------------------------------------------------------------

def luminance(colour: str) -> float:
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return sum(share * (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4)
               for share, x in zip((0.2126, 0.7152, 0.0722), parts))


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_both_themes_can_be_read(name):
    model = nn.MLP(2, [2, 1])
    for w, x in zip(model.parameters(), (1.0, -1.0)):
        w.data = x
    drawing = ag.draw_network(model, theme=name)
    picture, paper = Picture(drawing), THEMES[name].paper
    assert f'bgcolor="{paper}"' in drawing.source
    for text in picture.texts:
        assert contrast(text.attributes["fontcolor"], paper) > 3.0, text
    for ends in (("n0_0", "n1_0"), ("n0_1", "n1_0")):
        assert contrast(picture.lines[ends].attributes["color"], paper) > 3.0
    others = {"light", "dark"} - {name}
    assert all(THEMES[other].paper not in drawing.source for other in others)


def test_what_is_not_finite_is_red():
    model = nn.Neuron(2, bias=None)
    model.w[0].grad, model.w[1].grad = math.inf, 1.0
    picture = drawn(model, show="grad")
    assert picture.lines["n0_0", "n1_0"].attributes["color"] == THEMES["light"].alarm_line
    assert picture.lines["n0_1", "n1_0"].attributes["color"] != THEMES["light"].alarm_line
    assert {"inf", "not finite"} <= set(picture.words)


# -- texts from outside -------------------------------------------------------------------------

@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_from_outside_changes_the_picture(name):
    class Model(nn.Module):
        def __init__(self, attribute):
            setattr(self, attribute, nn.Layer(1, 2, activation=act, bias="layer"))

    def act(x):
        return x

    def named(attribute):
        model = Model(attribute)
        for p in model.parameters():
            p.data = 0.5
        return model

    act.__name__ = "plain"
    plain = ag.draw_network(named("a"), inputs=["x"], outputs=["y", "z"], caption="c")
    act.__name__ = name
    model = named(name)
    ag.label({name: p for p in model.parameters()[:1]} | {name + str(i): p for i, p in
                                                          enumerate(model.parameters()[1:])})
    for theme in ("light", "dark"):
        drawing = ag.draw_network(model, inputs=[name], outputs=[name, "z"], caption=name, theme=theme)
        heads = [re.sub(" \\[.*", "", line) for line in drawing.source.splitlines()]
        names = {part.names for part in Picture(plain).parts if part.names[0][0] != "t"}
        assert {part.names for part in Picture(drawing).parts if part.names[0][0] != "t"} == names
        assert len(heads) == len(set(heads)) or heads.count("\tgraph") == 1
    page = ElementTree.fromstring(drawing.pipe("svg"))
    assert {x.tag.rpartition("}")[2] for x in page.iter()} <= {
        "svg", "g", "title", "a", "text", "path", "ellipse", "polygon", "polyline"}


def test_names_of_inputs_and_outputs_stand_in_circles_or_beside_them():
    picture = drawn(nn.Layer(2, 2), inputs=("i", "a rather long name"), outputs=["yes", "no"])
    assert [x.text.strip() for x in picture.circles.values()] == ["", "", "yes", "no"]
    beside = {x.text: x.middle[0] for x in picture.texts if x.text in ("i", "a rather long name")}
    assert len(beside) == 2 and all(x < picture.circles["n0_0"].box[0] for x in beside.values())


def test_a_label_of_ones_own_is_written_and_a_modules_is_not():
    model = nn.MLP(1, [1])
    weight = model.layers[0].neurons[0].w[0]
    weight.data = 0.5
    assert "0.5" in drawn(model).words
    ag.label(net=model)
    assert "0.5" in drawn(model).words
    assert "net.layers[0].neurons[0].w[0] = layers[0]." in drawn(model).lines["n0_0", "n1_0"].tip
    other = nn.MLP(1, [1])
    ag.label(slope=other.layers[0].neurons[0].w[0])
    assert any(word.startswith("slope = ") for word in drawn(other).words)


# -- what is refused ------------------------------------------------------------------------------

class Holder(nn.Module):
    def __init__(self, **parts: Any):
        vars(self).update(parts)


def emptied(thing: Any, name: str) -> Any:
    setattr(thing, name, [])
    return thing


SHARED = nn.Layer(2, 2)


@pytest.mark.parametrize("model, message", [
    (3.0, r"draw_network: got float 3\.0; it can draw an MLP, a Layer, a Neuron"),
    (Value(1.0), "draw_network: got Value"), ([], "holds no layers; it can draw"),
    (Holder(scale=Value(1.0)), "Holder holds no layers"), ([1.0], "holds no layers"),
    (Holder(a=nn.Layer(2, 3), b=nn.Layer(2, 1)), "b takes 2 inputs, but a before it has 3 neurons; give the"),
    ([SHARED, SHARED], r"layers\[0\] and layers\[1\] are one layer"),
    (Holder(heads=[nn.Neuron(1), nn.Neuron(2)]), "the neurons of heads take 1 and 2 inputs"),
    (Holder(heads=[nn.Neuron(8), nn.Neuron(1)]), "the neurons of heads take 1 and 8 inputs; those of"),
    (emptied(nn.Layer(2, 2), "neurons"), "the neurons of layer take no inputs; those of a layer must take"),
    (emptied(nn.Neuron(2), "w"), "the neurons of neuron take 0 inputs; .*same number, at least 1")])
def test_a_model_that_is_no_sequence_of_layers_is_refused(model, message):
    with pytest.raises(InputError, match=message):
        ag.draw_network(model)


def test_a_weight_that_is_no_value_is_refused():
    model = nn.Neuron(2)
    model.w[1] = 3.0
    with pytest.raises(InputError, match=r"neuron has a parameter that is float 3\.0; make it a Value"):
        ag.draw_network(model)


@pytest.mark.parametrize("options, message", [
    ({"show": "weights"}, "show='weights': choose 'data' or 'grad'"),
    ({"direction": "up"}, "direction='up': choose 'LR', 'RL', 'TB' or 'BT'"),
    ({"theme": None}, "theme=None: choose 'light' or 'dark'"), ({"digits": 0}, "digits"),
    ({"show": numpy.array([1, 2])}, "show=array([1, 2]): choose 'data' or 'grad'"),
    ({"caption": 3.0}, "caption=3.0 must be a text"),
    ({"max_neurons": 1.5}, "max_neurons"), ({"inputs": "ab"}, "inputs is a list of names, not str 'ab'"),
    ({"inputs": ["a"]}, "inputs= gives 1 names, but the model has 2 inputs"),
    ({"outputs": [1]}, "outputs is a list of names, not list"),
    ({"outputs": 5}, "outputs is a list of names, not int")])
def test_wrong_options_are_refused(options, message):
    with pytest.raises(InputError, match=re.escape(message)):
        ag.draw_network(nn.MLP(2, [1]), **options)


def test_without_the_package_graphviz_the_error_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "autograd_lite.drawing.drawn", raising=False)
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(RenderError, match=r"pip install 'autograd-lite\[png\]'"):
        ag.draw_network(nn.Neuron(1))
