"""Where the parts of a network's picture stand and how its lines look, held to the letter."""
from __future__ import annotations

import functools
import itertools
import math
import re

import pytest
from golden import expected, steady

import autograd_lite as ag
from autograd_lite import Value, nn
from autograd_lite.document import Network
from autograd_lite.drawing.layout import Paint, Rows, _mark, parameters_shown, plan, width
from autograd_lite.drawing.stack import stack
from autograd_lite.drawing.theme import THEMES

inf, nan = math.inf, math.nan
DATA = (0.5, -0.25, 1.0, 0.125, -2.0, 0.75, 0.0, -1.5)


def filled(model, data=DATA, grads=()):
    """A model whose parameters have these numbers, again and again."""
    for p, x, g in zip(model.parameters(), itertools.cycle(data), itertools.cycle(grads or (0.0,))):
        p.data, p.grad = x, g
    return model


def mlp(*sizes, bias="neuron", data=DATA, grads=()):
    return filled(nn.MLP(sizes[0], sizes[1:], bias=bias, activation="tanh"), data, grads)


def mixed(data=DATA, grads=()):
    """A layer that shares a bias, and one whose neurons have their own."""
    return filled(Pair(), data, grads)


class Pair(nn.Module):
    def __init__(self):
        self.hidden = nn.Layer(2, 3, bias="layer", activation="tanh")
        self.out = nn.Layer(3, 2)
        self.scale = Value(1.0)


class Long(nn.Module):
    def __init__(self):
        self.a_name_of_22_letters__ = nn.Layer(9, 1)


def document():
    network = Network()
    network.error().backward()
    return network


def labelled():
    model = mlp(1, 2, data=(0.25, 0.5, -0.125, 3.0))
    ag.label({name: p for name, p in zip(("w", "twelve chars", "thirteen char", "bias"), model.parameters())})
    return model


def brief(**options):
    """Of each circle, square and text where it stands, how large it is and what it says; of each line where
    it runs, its colour and width, and what its tooltip says first."""
    def drawn(make):
        lines = []
        for line in ag.draw_network(make(), **options).source.splitlines()[4:-1]:
            head, _, rest = line.strip().partition(" [")
            found = dict(re.findall(r'(\w+)=("[^"]*"|<(?:</?B>|[^<>])*>|[^\s\]"<]+)', rest))
            wanted = ("pos", "penwidth", "style", "color") if "->" in head else (
                "pos", "width", "height", "label", "fontsize")
            tip = found["tooltip"].strip('"').partition("&#10;")[0] if "->" in head else ""
            lines.append(" ".join([head, *[found[key].strip('"') for key in wanted if key in found], tip]))
        return "\n".join(lines)
    return drawn


def whole(**options):
    return lambda make: ag.draw_network(make(), **options).source


def planned(model, most, sideways, grad):
    """One line: the step from row to row, where the columns stand, the radius, and the numbers' parts."""
    stages, names = stack(model)
    rows = [Rows(size, most) for size in (len(stages[0].neurons[0].w), *[len(s.neurons) for s in stages])]
    paint = Paint(stages, names, parameters_shown(stages, rows), grad, 4, THEMES["light"])
    where = plan(stages, rows, paint, sideways)
    marks = "no numbers" if where.marks is None else f"{where.marks}"
    places = "" if where.marks else "; " + ", ".join(f"{row.last:.6g} {row.gap:.6g}" for row in where.rows)
    along = [float(f"{x:.6g}") for x in where.along]
    return f"step {where.step:g}, along {along}, radius {where.radius:g}, {marks}{places}"


SIZES = [(1, 1), (2, 1), (1, 2), (2, 2), (3, 1), (3, 2), (2, 3), (3, 3), (4, 1), (4, 4), (1, 5), (5, 2),
         (8, 1), (1, 8), (9, 1), (2, 2, 1), (1, 3, 1), (2, 3, 2), (3, 4, 1), (2, 2, 2, 2)]
DENSE = [(1, 9), (7, 7), (30, 12, 3), (12, 1, 40), (20,) * 6, (1,) * 13, (1,) * 49, (1,) * 50]
NUMBERS = {"short": (0.5, 1.0), "long": (-0.123456789, 12345.678, -1.2345e-7), "mixed": (1.0, -0.3333333)}


def plans(numbers, bias):
    lines = []
    for sizes in SIZES + DENSE * (numbers == "short"):
        for sideways in (True, False):
            model = mlp(*sizes, bias=bias, data=NUMBERS[numbers], grads=(0.1,))
            lines.append(f"{'-'.join(map(str, sizes[:13]))} {'across' if sideways else 'down'}: "
                         + planned(model, 8 if sizes[0] > 8 else 12, sideways, False))
    return "\n".join(lines)


def lines_of(show, amounts, theme, dense):
    """What the lines of amounts look like, and what the legend says."""
    model = filled(nn.Neuron(len(amounts), bias=None), **{"data" if show == "data" else "grads": amounts})
    stages, names = stack(model)
    rows = [Rows(len(amounts), 99), Rows(1, 99)]
    paint = Paint(stages, names, parameters_shown(stages, rows), show == "grad", 4, THEMES[theme])
    paint.dense = dense
    found = [f"signs {paint.signs}, most {paint.most:.6g}, least {paint.least:.6g}, finite {paint.finite}"]
    for x in (*amounts, None):
        part = f" {paint.part(x):.6g}" if x and not math.isnan(x) else ""
        found.append(f"{x}: {' '.join(paint.line(x).values())}{part}")
    parts = [x.split() for x in brief(show=show, theme=theme)(lambda: model).splitlines()]
    legend = [f"{' '.join(x[4:-1])}" for x in parts if x[0][0] == "t"][4 + len(amounts):]
    samples = [" ".join(x[7:]) for x in parts if x[0][0] == "l" and x[1] == "->"]
    return "\n".join([*found, f"legend: {legend}", *samples])


AMOUNTS = [(0.8, -0.4, 0.0, 0.002), (-1.0, -0.25), (0.0, -0.0), (nan, 1.0, -inf), (nan,), (inf, -inf),
           (1.0, 0.1, 0.01, 0.001, 0.0005, -0.03), (2.0, 2.0), (-3e-320, 1e-320), (1e308, 1e304, -1e306),
           (5e-324,)]
MODELS = {
    "17 inputs": (lambda: mlp(17, 1, bias=None), brief()),
    "a large one": (lambda: mlp(30, 20, 3, grads=(1e-3, -0.5, 0.02)),
                    brief(max_neurons=5, show="grad", theme="dark", direction="TB", caption="a <b> & c")),
    **{f"layers to {direction}": (mixed, brief(direction=direction))
       for direction in ("LR", "RL", "TB", "BT")},
    **{f"gradients to {direction}": (document, brief(direction=direction, show="grad", digits=2))
       for direction in ("RL", "BT")},
    "many inputs": (lambda: mlp(9, 1, bias="layer"), brief()),
    "left out": (lambda: mlp(12, 3, 9), brief(max_neurons=4)),
    "left out, down": (lambda: mlp(12, 3), brief(max_neurons=4, direction="BT")),
    "names beside": (lambda: mlp(2, 2), brief(
        inputs=["a name of 24 letters, yes", "a name of 25 letters, yes.."], outputs=["o", "x" * 30])),
    **{f"a long name to {direction}": (lambda: filled(Long()), brief(direction=direction))
       for direction in ("LR", "TB")},
    "names inside": (lambda: mlp(2, 2), brief(inputs=["ABCDE", "a"], outputs=["ABCDE.", "a"])),
    "names beside, down": (lambda: mlp(2, 2), brief(
        direction="TB", inputs=["seven..", "thirteen chars"], outputs=["a", "abcdefghijk"])),
    "names in a dense one": (lambda: mlp(9, 1, bias="layer"), brief(
        direction="TB", inputs=[f"name {i}" * (i % 3 + 1) for i in range(9)])),
    "labels": (labelled, whole()),
    "a neuron": (lambda: filled(nn.Neuron(1)), whole(show="grad", caption="c" * 300)),
    "few digits": (mixed, brief(digits=1, theme="dark")),
    "three layers": (lambda: mlp(2, 1, 1, 2), brief()),
}

NAME = "networks"
CASES = {
    **{f"lines: {show} {amounts}{' dense' * dense}{' dark' * (theme == 'dark')}": functools.partial(
        lines_of, show, amounts, theme, dense)
       for show in ("data", "grad") for amounts in AMOUNTS
       for theme, dense in (("light", False), ("dark", True))[:2 if amounts is AMOUNTS[0] else 1]},
    **{f"picture: {name}": functools.partial(draw, make) for name, (make, draw) in MODELS.items()},
    **{f"plans of {numbers} numbers, bias {bias}": functools.partial(plans, numbers, bias)
       for numbers, bias in (("mixed", "layer"), ("long", "neuron"), ("short", "neuron"))}}


@pytest.mark.parametrize("case", CASES)
def test_the_networks_picture_is_the_one_expected(case):
    assert steady(CASES[case]()) == expected(NAME)[case]


@pytest.mark.parametrize("size, most, shown, places, gap", [
    (1, 1, [0], [0.0], None), (2, 1, [0], [-0.725], 0.725), (5, 2, [0], [-0.725], 0.725),
    (4, 3, [0], [-0.725], 0.725), (9, 4, [0, 8], [-1.45, 1.45], 0.0),
    (9, 6, [0, 1, 8], [-1.95, -0.95, 1.95], 0.5), (9, 8, [0, 1, 7, 8], [-2.45, -1.45, 1.45, 2.45], 0.0),
    (8, 8, [*range(8)], [i - 3.5 for i in range(8)], None)])
def test_of_a_large_layer_half_as_many_as_may_be_stand_around_a_gap(size, most, shown, places, gap):
    rows = Rows(size, most)
    assert rows.shown == shown and rows.hidden == size - len(shown) and rows.size == size
    assert rows.places == pytest.approx(places)
    assert gap is None or rows.gap == pytest.approx(gap)
    assert rows.last == pytest.approx(max([*places, gap or 0.0]))


@pytest.mark.parametrize("text, units", [
    ("", 0.0), ("a", 0.58), ("A", 0.7), ("w", 0.82), ("M", 0.82), (" .,:;'ijl|![]()", 4.5), ("层", 1.05),
    ("0.5", 1.46), ("\n", 0.58 * 2)])
def test_a_text_is_as_wide_as_its_letters(text, units):
    assert width(text, 10.0) == pytest.approx(10.0 * units)


PATH = "layers[0].neurons[0].w[0]"


@pytest.mark.parametrize("path, label, name, said", [
    (PATH, "", "", ""), (PATH, "", "b", "b = "), (PATH, "w[0]", "", ""), (PATH, "w[0]", "b", "b = "),
    (PATH, f"net.{PATH}", "b", "b = "), (PATH, "slope", "", "slope = "), (PATH, "slope", "b", "slope = "),
    ("", "slope", "", "slope = "), ("", "", "b", "b = "), (PATH, "twelve chars", "", "twelve chars = "),
    (PATH, "thirteen char", "", "thirteen ch… = ")])
def test_beside_a_number_stands_the_name_that_people_gave_it_and_none_that_says_where_it_is(
        path, label, name, said):
    p = Value(0.5, label)
    p.grad = -0.25
    paint = {grad: Paint([], {id(p): path}, [p], grad, 4, THEMES["light"]) for grad in (False, True)}
    assert paint[False].words(p, name) == f"{said}0.5"
    assert not paint[True].known and paint[True].words(p, name) == f"{said.replace('=', '∂')}–"


def test_a_weight_that_is_computed_has_the_label_that_it_was_given():
    model = filled(nn.Neuron(1, bias=None))
    model.w[0] = Value(0.25) * 2.0
    ag.label(twice=model.w[0])
    assert "<twice = 0.5>" in ag.draw_network(model).source


@pytest.mark.parametrize("more, said", [
    (0, None), (1, "1 parameter outside the layers is not drawn"),
    (2, "2 parameters outside the layers are not drawn"),
    (1000, "1,000 parameters outside the layers are not drawn")])
def test_a_line_below_says_how_many_parameters_are_not_in_layers(more, said):
    model = mixed()
    model.scale = [Value(1.0) for _ in range(more)]
    source = ag.draw_network(model).source
    assert (f"label=<{said}>" in source) if said else "outside" not in source


@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
@pytest.mark.parametrize("letters", [17, 18, 19, 26])
def test_a_heading_has_as_many_letters_as_fit_in_the_shortest_gap(direction, letters):
    model, name = nn.Module(), "abcdefghijklmnopqrstuvwxyz"[-letters:]
    vars(model).update({name: nn.Layer(1, 1), "z": nn.Layer(1, 1)})
    filled(model, data=(0.12345678901234568, 0.5, 1.0, 0.5))            # (the first gap may be longer)
    source = ag.draw_network(model, digits=17, direction=direction).source
    said = name if letters <= 18 else "…" + name[-17:]
    assert f"<<B>{said}</B>>" in source and "<<B>z</B>>" in source
    column = [tuple(map(float, re.search(r'n%d_0 \[.*pos="([^"]*)"' % k, source)[1].split(",")))
              for k in range(3)]
    gaps = [round(math.dist(a, b)) for a, b in zip(column, column[1:])]
    assert gaps == [167 if direction in ("LR", "RL") else 130, 130]


def slowly_marked(before, after, shared, step, box, edge):
    """Of all places along a gap the best for numbers, by which lines run through the boxes of others."""
    (wide, high), found = box, []
    for part in [k / 100 for k in range(12, 51, 2)]:
        length = max(130.0, (edge + 6.0 + wide / 2) / part)
        weights = [((0.0, a * step), (length, b * step)) for a in before.places for b in after.places]
        row = (max(before.last, after.last) + 1.0) * step
        biases = [((length / 2, row), (length, b * step)) for b in after.places] if shared else []

        def height(line, x):
            (x0, y0), (x1, y1) = line
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)

        def runs_through(line, x, y):
            left, right = max(x - wide / 2, line[0][0]), x + wide / 2
            ys = sorted([height(line, left), height(line, right)])
            return left < right and ys[0] < y + high / 2 and ys[1] > y - high / 2

        x = part * length
        ys = sorted([height(line, x) for line in weights])
        room = min([b - a - high for a, b in itertools.pairwise(ys)], default=high)
        crossed = sum([runs_through(other, x, height(line, x))
                       for line in weights for other in weights + biases if other is not line])
        if room >= 2.0:
            found.append((length + 60.0 * crossed + 12.0 * max(10.0 - room, 0.0), length, part))
    return min(found, default=None)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("sizes", [(1, 1), (1, 2), (2, 1), (2, 2), (1, 4), (3, 2), (2, 3)])
def test_numbers_stand_where_the_fewest_lines_run_through_them(sizes, shared):
    before, after = [Rows(size, 9) for size in sizes]
    met = set()
    for step in (17.2, 23.1, 30.0, 41.3, 66.7, 97.9, 140.3):            # (at 17.2 only the first place, …
        for box in ((31.7, 13.0), (61.3, 13.0), (13.0, 47.9), (140.0, 13.0)):         # … at 30 just enough)
            for edge in (22.0, 45.7):
                wanted = slowly_marked(before, after, shared, step, box, edge)
                found = _mark(before, after, shared, step, box, edge)
                assert found == (wanted and pytest.approx(wanted, rel=1e-9))
                met.add(wanted)
    assert len(met) > 3
