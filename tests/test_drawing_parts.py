"""Parts of drawings, each by itself: colours, scales, letters without a font, SVG for pages, SymPy, marks."""
from __future__ import annotations

import math
import re
import warnings
from xml.etree import ElementTree

import pytest

import autograd_lite as ag
from autograd_lite import AutogradWarning, InputError, RenderError, Value, derive
from autograd_lite.drawing import letters, svg, symbolic
from autograd_lite.drawing.arrows import Arrows
from autograd_lite.drawing.looks import FINE, FIRST, VICTIM, Looks
from autograd_lite.drawing.scale import Scale
from autograd_lite.drawing.theme import THEMES, contrast, light, luminance
from autograd_lite.graph.walks import topological

inf, nan = math.inf, math.nan


# -- colours ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("colour, amounts", [
    ("#000000", [0.0, 0.0, 0.0]), ("#ffffff", [1.0, 1.0, 1.0]),
    ("#0a0080", [0.0030352698354883752, 0.0, 0.21586050011389926]),
    ("#0bff40", [0.0033465357638991613, 1.0, 0.05126945837404324])])
def test_the_light_of_a_colour_is_that_of_srgb(colour, amounts):
    assert light(colour) == pytest.approx(amounts, rel=1e-12)
    assert luminance(colour) == pytest.approx(
        0.2126 * amounts[0] + 0.7152 * amounts[1] + 0.0722 * amounts[2], rel=1e-12)


def test_a_contrast_is_that_of_the_guidelines_of_the_web_whichever_is_the_text():
    for a, b, ratio in (("#000000", "#ffffff", 21.0), ("#ffffff", "#767676", 4.54222496),
                        ("#0b62a8", "#fff3d1", 5.709182552), ("#123456", "#123456", 1.0)):
        assert contrast(a, b) == contrast(b, a) == ratio


@pytest.mark.parametrize("steps, places", [(1, [2]), (2, [0, 4]), (3, [0, 2, 4]), (4, [0, 1, 3, 4]),
                                           (5, [0, 1, 2, 3, 4])])
def test_fewer_steps_are_spread_over_the_colours_that_stand_out(steps, places):
    for theme in THEMES.values():
        assert [theme.step(i, steps) for i in range(steps)] == [theme.scale[2 + k] for k in places]


@pytest.mark.parametrize("amounts, bounds", [
    ([], []), ([0.0, nan, -inf], []), ([3.0], []), ([2.0, -2.0], []), ([1.0, 2.5], [1.5, 2.0]),
    ([1.0, 5.0], [1.5, 2.0, 3.0, 5.0]), ([1.0, 7.0], [2.0, 5.0]), ([-10.0, 1.0, 3.0], [2.0, 5.0, 10.0]),
    ([4.0, 19.0], [5.0, 7.0, 10.0, 15.0]), ([4.0, 20.0], [5.0, 10.0, 20.0]),
    ([1.0, 50.0], [3.0, 10.0, 30.0]), ([1.0, 20.0], [2.0, 5.0, 10.0, 20.0]), ([0.3, 2.9], [0.5, 1.0, 2.0]),
    ([1.0, 100.0], [3.0, 10.0, 30.0, 100.0]), ([0.1, 1000.0], [1.0, 10.0, 100.0, 1000.0]),
    ([0.1, 999.0], [1.0, 10.0, 100.0]), ([1e-3, 1e3], [1e-2, 1.0, 1e2]),
    ([1e-6, 1e6], [1e-3, 1.0, 1e3, 1e6]), ([1e-20, 1.0], [1e-9, 1e-6, 1e-3, 1.0]),
    ([1e-7, 50.0], [1e-6, 1e-4, 1e-2, 1.0]), ([5e-324, 2e-323], [1e-323, 1.5e-323, 2e-323])])
def test_the_bounds_of_a_scale_are_few_round_numbers(amounts, bounds):
    scale = Scale(amounts)
    assert scale.bounds == bounds
    sizes = [abs(x) for x in amounts if x and math.isfinite(x)]
    assert len(scale) == (len(bounds) + 1 if sizes else 0) and scale.any is bool(sizes)
    for k, bound in enumerate(bounds):
        assert scale.step(bound) == scale.step(-bound) == k + 1
        assert scale.step(math.nextafter(bound, 0.0)) == k


# -- letters without a font ---------------------------------------------------------------------------


@pytest.fixture
def told(monkeypatch):
    """A program whose fonts have no even letter; what is said of DOT source."""
    def run(source, kind):
        letter = source.partition('label="')[2][0]
        assert kind == "-Tpng"
        return b"box" if ord(letter) % 2 == 0 else letter.encode()

    letters._boxed.cache_clear()
    letters._picture.cache_clear()
    monkeypatch.setattr(letters, "program", lambda: "/usr/bin/dot")
    monkeypatch.setattr(letters, "run", run)

    def said(source):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always", AutogradWarning)
            letters.warn_of_boxes(source)
        return [str(one.message).partition(" and draws")[0] for one in found]
    yield said
    letters._boxed.cache_clear()
    letters._picture.cache_clear()


@pytest.mark.parametrize("source, missing", [
    ("digraph { a ~ }", ""), ("", ""), ("层屄A", "层屄"), ("屄层", "层屄"), ("层屁", "层"), ("屁", ""),
    ("\u052e\u0530\u1dfe\u1e00\u22fe\u2300", "\u0530\u2300"), ("a\u1dfe", ""),
    ("\U00010400\U00010401", "\U00010400"),
    ('n [label="屄" tooltip="层" x="尼"]', "尼屄"), ('tooltip="a\\"层" 屄', "屄"), ('mytooltip="层"', "层"),
    ("".join(chr(0x4e00 + k) for k in range(60)), "".join(chr(0x4e00 + k) for k in range(0, 24, 2)))])
def test_the_letters_that_would_be_boxes_are_told_each_once_in_their_order(told, source, missing):
    assert told(source) == [f"dot has no letters {' '.join(missing)}"] * bool(missing)


# -- SVG for pages ------------------------------------------------------------------------------------

HEAD = '<svg width="90pt" height="40pt" viewBox="0 0 90 40" xmlns="http://www.w3.org/2000/svg" ' \
       'xmlns:xlink="http://www.w3.org/1999/xlink">'


def tidied(inner):
    """What is within the svg of a program's output, tidied."""
    text = svg.tidied(f"{HEAD}{inner}</svg>".encode(), "a\nb")
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<svg style="max-width:100%;height:auto" '
                           'role="img" aria-label="a\\nb" xmlns="http://www.w3.org/2000/svg" width="90pt"')
    ElementTree.fromstring(text)
    return text.partition('viewBox="0 0 90 40">')[2].removesuffix("</svg>\n")


def link(inner="<path />", title="tip", href=""):
    return f'<g><a xlink:title="{title}"' + f' xlink:href="{href}"' * bool(href) + f">{inner}</a></g>"


@pytest.mark.parametrize("inner, expected", [
    ('<g class="node"><title>n0</title><path /></g>', "<g><path /></g>"),
    (f'<g class="node"><title>n0</title>{link()}</g>', "<g><title>tip</title><path /></g>"),
    (f'<g class="node"><title>n0</title>{link(title=" ")}</g>', "<g><path /></g>"),
    (f'<g class="edge">{link()}<text>t</text></g>', "<g><title>tip</title><path /><text>t</text></g>"),
    (f'<g class="node">{link(href="#")}<path /></g>', "<g><g><title>tip</title><path /></g><path /></g>"),
    (f'<g class="node">{link(href="#", title="")}<path /></g>', "<g><path /><path /></g>"),
    (f'<g class="graph">{link()}<path /></g>', "<g><g><title>tip</title><path /></g><path /></g>"),
    (f'<g class="node">{link()}{link("<text />", "more")}</g>',
     "<g><title>tip</title><path /><g><title>more</title><text /></g></g>"),
    (f'<g class="node">{link(href="#part", title="")}</g>', '<g><a href="part"><path /></a></g>'),
    (f'<g class="node">{link(href="https://a.b")}</g>',
     '<g><title>tip</title><a href="https://a.b"><path /></a></g>'),
    (f'<g class="graph">{link(href="https://a.b")}</g>',
     '<g><g><title>tip</title><a href="https://a.b"><path /></a></g></g>'),
    (f'<g class="node">{link("<path /><text />")}</g>', "<g><title>tip</title><path /><text /></g>"),
    (f'<g class="node">{link(link(title="inner"), title=" ")}</g>', "<g><title>inner</title><path /></g>"),
    (f'<g class="node">{link(link(title=" ", href="a"))}</g>',
     '<g><title>tip</title><a href="a"><path /></a></g>'),
    (f'<g class="node"><path />{link()}</g>', "<g><title>tip</title><path /><path /></g>"),
    ('<g id="x" class="node mine graph own"><path id="y" /></g>', '<g class="mine own"><path /></g>'),
    ("<g><a><path /></a><text /></g>", "<g><a><path /></a><text /></g>")])
def test_parts_of_a_page_show_their_tooltips_and_link_only_where_that_leads(inner, expected):
    assert tidied(inner) == expected


def test_only_ids_that_are_referred_to_are_kept_each_with_the_mark_of_its_picture():
    text = tidied('<defs><g id="a" /><g id="b" /></defs><path fill="url(#a)" stroke="url(#c) url(#a)" />')
    prefix = text.partition('<g id="')[2].partition("a\"")[0]
    assert len(prefix) == 14 and prefix[0] == "d" and prefix[-1] == "-"
    assert text == (f'<defs><g id="{prefix}a" /><g /></defs>'
                    f'<path fill="url(#{prefix}a)" stroke="url(#{prefix}c) url(#{prefix}a)" />')


def test_what_is_not_xml_is_an_error():
    with pytest.raises(RenderError, match=r"^the SVG that was drawn is not XML: not well-formed .*line 1"):
        svg.tidied(b"<svg>\x01</svg>", "")


@pytest.mark.parametrize("from_right, options, direction, least", [
    (False, (), "ltr", 60), (True, (), "rtl", 60), (True, (0.25,), "rtl", 30)])
def test_in_a_page_a_picture_is_as_wide_as_the_page_or_scrolls(from_right, options, direction, least):
    text = svg.inlined('<?xml?>\n<svg style="x" role="img" width="90pt" height="40pt"><g/></svg>\n',
                       from_right, *options)
    frame, _, picture = text.partition("</style>")
    assert f"all:initial;direction:{direction};display:block;" in frame
    assert picture == ('<svg style="display:block;direction:ltr;margin:0 auto 0 0;max-width:none;height:auto;'
                       f'width:max(min(100%,120px),{least}px)" role="img" width="90pt" height="40pt">'
                       '<g/></svg></div>')


# -- SymPy --------------------------------------------------------------------------------------------


def test_numbers_are_exact_in_sympy():
    sympy = pytest.importorskip("sympy")
    assert [symbolic.exact(x) for x in (0.1, -2.5, 3.0, inf, -inf)] == [
        sympy.Rational(1, 10), sympy.Rational(-5, 2), sympy.Integer(3), sympy.oo, -sympy.oo]
    assert symbolic.exact(nan) is sympy.nan and symbolic.exact(-0.0) == 0
    f = symbolic.FUNCTIONS
    x = sympy.Symbol("x", real=True)
    assert [f.expm1(x), f.log1p(x), f.hypot(x, 2), f.ncdf(x), f.floordiv(x, 2), f.mpf(0.25), f.mpf(x)] == [
        sympy.exp(x) - 1, sympy.log(1 + x), sympy.sqrt(x ** 2 + 4), (1 + sympy.erf(x / sympy.sqrt(2))) / 2,
        sympy.floor(x / 2), sympy.Rational(1, 4), x]
    assert f.cbrt(sympy.Integer(-8)) == -2 and f.max(1, 2) == 2 and f.power(2, 3) == 8
    with pytest.raises(AttributeError):
        f.__wrapped__


def test_where_a_value_is_not_defined_the_expression_still_is():
    sympy = pytest.importorskip("sympy")
    x, a = Value(2.0, "x"), Value(-1.0, "a")
    X, A = sympy.symbols("x a", real=True)
    with ag.errstate("ignore"):
        assert derive(ag.log(a) * x, x).sympy() == sympy.log(A)
        assert derive(x / (a + 1.0), x).sympy() == 1 / (A + 1)
        assert derive(ag.exp(x * 1000.0) * a, a).sympy() == sympy.exp(1000 * X)
    assert derive(ag.where(ag.greater(x, a), x * a, a), [x, a]).sympy() == [A, X]
    assert derive(ag.floor(x) * a, [x, a]).sympy() == [0, sympy.floor(X)]


def test_an_expression_of_at_most_two_thousand_nodes_is_made():
    pytest.importorskip("sympy")
    for count, fits in ((1999, True), (2000, False)):
        x = Value(2.0, "x")
        derivation = derive(ag.sum([x, *[Value(1.0) for _ in range(count - 1)]]), x)
        if fits:
            assert derivation.sympy() == 1
        else:
            with pytest.raises(InputError, match=(
                    "sympy: an expression of 2,001 nodes would take SymPy too long; derive a part of it, of "
                    "at most 2,000")):
                derivation.sympy()


# -- marks and looks ----------------------------------------------------------------------------------


def nearly(by):
    """A root with a large and a tiny derivative, of leaves that are off by so much."""
    w = [Value(1.0), Value(1.0)]
    a = Value(1.0 + by, "a")
    root = w[0] * a + w[1] * (a - 1.0)
    ag.label(w=w, root=root)
    return root


@pytest.mark.parametrize("by, same", [
    (0.0, True), (1e-11, True), (9e-10, True), (1.2e-9, False), (1e-3, False)])
def test_a_report_of_the_same_numbers_but_for_rounding_of_the_largest_is_taken(by, same):
    report = ag.audit(nearly(0.0), {("root", "w"): [1.0, 0.0]})
    if same:
        assert "ok" in ag.draw(nearly(by), report=report).source
    else:
        with pytest.raises(InputError, match=r"at other numbers: there ∂root/∂w\[\d\] is .*; audit this one"):
            ag.draw(nearly(by), report=report)


def marked(roots, report):
    """What a picture says of how many claims."""
    line, = re.findall("claims: (.*?)</TD>", ag.draw(roots, report=report).source)
    return re.sub("<[^>]*>", "", line)


def test_of_arrays_the_entries_that_are_nodes_are_marked():
    first, last = Value(2.0, "w[0]"), Value(3.0, "w[2]")
    y = first * last
    y.label = "y"
    told = "1 wrong (thick) · 1 ok"
    assert marked(y, ag.audit(y, {("y", "w"): [3.0, 0.0, 5.0]})) == told
    assert marked(y, ag.audit(y, [(("y", (first, 1.0, last)), [3.0, 0.0, 5.0])])) == told
    x = Value(2.0, "x")
    roots = [x * 3.0, x * 5.0]
    roots[0].label, roots[1].label = "z[0]", "z[2]"
    assert marked(roots, ag.audit(roots, {}, values={"z": [6.0, 0.0, 11.0]})) == told


@pytest.mark.parametrize("there, here, same", [
    (0.0, 0.0, True), (1.0, 1.0 + 5e-7, True), (1.0, 1.0 + 5e-6, False), (-1e12, -1e12 - 1e5, True),
    (1e-12, 1.00001e-12, False), (1e-12, 0.0, False), (math.nan, math.nan, True), (math.nan, 1.0, False),
    (1.0, math.nan, False), (math.inf, math.inf, True), (math.inf, -math.inf, False), (math.inf, 1.0, False),
    (math.nan, math.inf, False)])
def test_a_report_of_the_same_slope_or_number_but_for_rounding_is_taken(there, here, same):
    def leaf(number):
        return Value(number, "n")

    def line(slope):
        x = Value(1.0, "x")
        with ag.errstate("ignore"):
            root = x * math.inf + x * -math.inf if math.isnan(slope) else x * slope
        root.label = "root"
        return root

    for make, report in ((leaf, ag.audit(leaf(there), {}, values={"n": 2.0})),
                         (line, ag.audit(line(there), {("root", "x"): 2.0}))):
        if same:
            assert marked(make(here), report) == "1 wrong (thick)"
        else:
            with pytest.raises(InputError, match="at other numbers: there (n|∂root/∂x) is .*, here .*"):
                ag.draw(make(here), report=report)


def troubles(root):
    """For each node whether its number and its gradient are fine, and for each arrow the same."""
    nodes = topological([root])
    arrows = [(node, x, p) for node in nodes for x, p in zip(node.operands, node.partials)
              if isinstance(x, Value)]
    looks = Looks([root], [], nodes, nodes, arrows, style=None, theme="light", colour="kind", digits=None,
                  report=None)
    found = {node.label or node.op: looks.trouble(node) for node in nodes}
    found |= {f"{x.label} -> {node.label}": looks.trouble_on(node, p, looks.flow(node, x, p))
              for node, x, p in arrows}
    return {name: what for name, what in found.items() if what not in (FINE, (FINE, FINE))}


def test_what_is_not_finite_is_first_or_a_victim_of_the_first():
    with ag.errstate("ignore"):
        a, x = Value(-1.0, "a"), Value(2.0, "x")
        y = ag.log(a)
        y.label = "y"
        z = y * x
        z.label = "z"
        found = troubles(z)
        z.backward()
        after = troubles(z)
    assert found == {"y": (FIRST, FINE), "z": (VICTIM, FINE), "x -> z": VICTIM}
    assert after["y"] == (FIRST, FINE) and after["z"] == (VICTIM, FINE) and after["x"] == (FINE, VICTIM)


def test_without_options_a_file_shows_as_many_nodes_as_draw_does(tmp_path):
    for leaves in (99, 100):
        root = ag.sum([Value(float(k), f"x[{k}]") for k in range(leaves)])
        text = ag.render(root, tmp_path / "a.dot").read_text(encoding="utf-8")
        assert text == ag.draw(root).source and ("folded" in text) is (leaves == 100)


@pytest.mark.parametrize("label, units", [
    ("abc", 0), ("~", 0), ("é", 7), ("层", 12), ("a层é~", 19), ("ＡＢ", 24), ("é" * 32, 224),
    ("é" * 33, 224), ("x" * 31 + "层层", 12)])
def test_a_label_of_unusual_letters_has_the_room_that_they_take(label, units):
    full = re.findall(r'ALIGN="LEFT" WIDTH="(\d+)"><FONT COLOR="[^"]*"><B>',
                      ag.draw(Value(1.0, label), style="full").source)
    compact = re.findall(r'<TR><TD WIDTH="(\d+)"><FONT', ag.draw(Value(1.0, label), style="compact").source)
    assert full == [str(8 + units)] and compact == [str(8 + units)] * (not label.isascii())


# -- joints -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sideways", [False, True])
@pytest.mark.parametrize("points, length, width", [
    (None, "0.03", "0"), ("1.0", "0.03", "0"), ("2.1", "0.03", "0"), ("2.2", "0.031", "0.031"),
    ("2.8", "0.039", "0.039"), ("3.2", "0.044", "0.044"), ("3.4", "0.047", "0.047")])
def test_a_joint_is_as_wide_as_a_thick_line_and_a_thin_ones_is_not_seen(points, length, width, sideways):
    line = {"color": "#123456"} | ({"penwidth": points} if points else {})
    joint = Arrows(None, sideways).joint(line)
    assert (joint["width"], joint["height"]) == ((length, width) if sideways else (width, length))
    assert (joint["shape"], joint["style"], joint["fillcolor"]) == ("box", "filled", "#123456")
    assert (joint["peripheries"], joint["fixedsize"], joint["tooltip"]) == ("0", "true", " ")
