"""What notebooks and exported pages show, as a browser lays it out: whole, readable, and never run."""
from __future__ import annotations

import copy
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ElementTree
from html import escape, unescape

import pytest

import autograd_lite as ag
from autograd_lite import InputError, RenderError, Value, markup, nn, optim
from autograd_lite.document import Network
from autograd_lite.drawing import engine, letters, svg

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
in_a_browser = pytest.mark.skipif(not BROWSER, reason="there is no Chromium")
WIDTHS = 600, 900, 1400
HOSTILE = ["<script>top.ran = 1</script>", "<img src=x onerror='top.ran = 1'>", '"><svg onload="top.ran=1">',
           "</title></svg><script>top.ran = 1</script>", "<!--", "]]>", "&lt;b&gt;", "</style><b>",
           "' onmouseover='top.ran = 1", "javascript:top.ran=1", "</details>",
           "$\\href{javascript:top.ran=1}{x}$", "\u202e\x00"]


# -- what is shown --------------------------------------------------------------------------------


def network() -> Value:
    root = Network().graph()
    root.backward()
    return root


def chain(length: int) -> Value:
    y = Value(0.5, "x")
    for _ in range(length):
        y = ag.sin(y)
        y.scope = ("a scope",)                  # (else it would go on in rows)
    y.label = "root"
    return y


def reports(label: str) -> dict[str, str]:
    """Each kind of report, module and optimiser in HTML, with the label in it."""
    class Model(nn.Module):
        def __init__(self) -> None:
            self.table, self.mlp = {label: Value(1.0)}, nn.MLP(2, [3, 1])

    def schedule(k: int) -> float:
        return 0.1
    schedule.__qualname__ = label
    x, y = Value(2.0, label), Value(-1.0, "y")
    z = x * x * y
    z.label = f"z {label}"
    with ag.errstate("ignore"), ag.record_lines():
        lost = ag.log(y) * x
    wrong = ag.custom_op(lambda x: x ** 3, (lambda y, x: 2.0 * x,), name=f"f {label}")
    shown = {
        "audit": ag.audit(z, {(z, x): 3.0, (z, y): x.data * x.data}), "explain": ag.explain(z, x),
        "inputs": ag.explain(z), "lost": ag.explain(lost), "check": ag.check_gradients(ag.sin, 1.0),
        "wrong": ag.check_op(wrong, 2.0), "derivation": ag.derive(z, [x, y], values=True),
        "comparison": ag.derive(ag.audit(z, {(z, x): 3.0}).rows[0]), "model": Model(),
        "optimizer": optim.SGD([x], schedule)}
    return {name: thing._repr_html_() for name, thing in shown.items()}


def drawings(label: str) -> dict[str, str]:
    x = Value(3.0, label)
    y = x * x
    y.label = f"y {label}"
    x.scope = y.scope = (label,)
    caption = ag.draw(y, caption=label)
    caption.description = label
    return {"square": ag.draw(Value(3.0, "x") * 2.0)._repr_mimebundle_()["text/html"],
            "caption": caption._repr_mimebundle_()["text/html"]}


def text_of(html: str) -> str:
    """What a reader sees of HTML, with single spaces."""
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split())


# -- a browser measures ---------------------------------------------------------------------------

SCRIPT = """
const parts = [...document.querySelectorAll('iframe')].map(frame => {
  const page = frame.contentDocument, view = frame.contentWindow;
  const box = x => { const r = x.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], below) => below.map((c, i) => a * [r, g, b][i] + (1 - a) * c);
  const light = c => c.map(x => x / 255).map(x => x < .04 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + x * [.2126, .7152, .0722][i], 0);
  const contrast = x => {
    const line = []; for (let e = x; e; e = e.parentElement) line.unshift(view.getComputedStyle(e));
    const paper = line.reduce((c, s) => over(numbers(s.backgroundColor), c), [255, 255, 255]);
    const ink = numbers(line.at(-1).color).slice(0, 3);
    const [a, b] = [over([...ink, line.reduce((a, s) => a * s.opacity, 1)], paper), paper].map(light);
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); };
  return {
    width: view.innerWidth, page: page.documentElement.scrollWidth,
    contrasts: [...page.querySelectorAll('td, th, b, span')].filter(x => x.textContent).map(contrast),
    shape: [...page.body.querySelectorAll(':not(math *)')].map(
      x => [x.tagName, ...x.getAttributeNames()].join(' ')),
    pictures: [...page.querySelectorAll('svg')].map(svg => ({
      frame: box(svg.parentElement), box: box(svg), natural: parseFloat(svg.getAttribute('width')) * 4 / 3,
      parts: [...svg.querySelectorAll('text, path, polygon')].map(box),
      said: svg.getAttribute('aria-label'),
      root: box([...svg.querySelectorAll('text')].find(x => ['E', 'root'].includes(x.textContent)) ?? svg),
      told: [...svg.querySelectorAll('text')].map(x => {
        const r = x.getBoundingClientRect();
        let hit = page.elementFromPoint((r.left + r.right) / 2, (r.top + r.bottom) / 2);
        while (hit && !hit.querySelector(':scope > title')) hit = hit.parentElement;
        return [x.textContent, hit ? hit.querySelector(':scope > title').textContent : '']; }),
      start: (svg.parentElement.scrollLeft = -99999, box(svg)[0])})) }; });
document.body.innerHTML = '';
document.body.textContent = JSON.stringify({ran: top.ran ?? 0, parts});
"""


def measured(folder, *pages: tuple[int, str]) -> dict:
    """What a browser makes of pages of some widths; each is outputs as an exported notebook has them."""
    frames = [f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{escape(page)}"></iframe>'
              for width, page in pages]
    (folder / "page.html").write_text(
        f"<!DOCTYPE html><meta charset=utf-8><body>{''.join(frames)}"
        f"<script>addEventListener('load', () => {{{SCRIPT}}})</script>", encoding="utf-8")
    done = subprocess.run([
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={folder / 'profile'}", "--window-size=1500,1000", "--virtual-time-budget=5000",
        "--dump-dom", f"file://{folder / 'page.html'}"], capture_output=True, timeout=120)
    found = re.search(r"<body>(\{.*\})</body>", done.stdout.decode(), re.DOTALL)
    assert found, done.stderr.decode()[-2000:]
    return json.loads(unescape(found[1]))


def exported(outputs: dict[str, str], ink: str = "#111", paper: str = "#fff", style: str = "") -> str:
    cells = [f'<div style="margin:1em 0 1em 90px">{output}</div>' for output in outputs.values()]
    return (f'<!DOCTYPE html><meta charset=utf-8><style>{style}</style><body style="margin:8px;color:{ink};'
            f'background:{paper};font:14px sans-serif">{"".join(cells)}')


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    """Pages in a browser: pictures at three widths, reports on light and dark, plain and hostile labels."""
    graphs = [network(), chain(60), Value(3.0, "x") * 2.0]
    pictures = {str(i): ag.draw(root)._repr_mimebundle_()["text/html"] for i, root in enumerate(graphs)}
    alien = ("html { direction: rtl; text-transform: uppercase; letter-spacing: 9px; line-height: 3 }"
             "svg { max-width: 30px; display: none } .node, .edge, #node1 { font-size: 40px }")
    pages = [*[(width, exported(pictures)) for width in WIDTHS],
             *[(600, exported(reports("x"), *colours)) for colours in (("#111", "#fff"), ("#ddd", "#111"))],
             (900, exported(pictures, style=alien)),
             *[(900, exported(reports(label) | drawings(label))) for label in ["x", *HOSTILE]]]
    found = measured(tmp_path_factory.mktemp("pages"), *pages)
    parts = iter(found["parts"])
    found["widths"] = {width: next(parts) for width in WIDTHS}
    found["light"], found["dark"], found["alien"], found["plain"], *found["hostile"] = parts
    return found


@in_a_browser
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_clipped_and_the_root_is_in_sight(layout, width):
    page = layout["widths"][width]
    assert page["width"] == width and page["page"] <= width
    for picture in page["pictures"]:
        left, top, right, bottom = picture["box"]
        for box in picture["parts"]:
            assert left - 1 <= box[0] and top - 1 <= box[1] and box[2] <= right + 1 and box[3] <= bottom + 1
        assert picture["frame"][2] <= width
        assert picture["frame"][0] <= picture["root"][0] and picture["root"][2] <= picture["frame"][2]
        assert picture["start"] >= picture["frame"][0] - 1          # (where it scrolls to)
        assert right - left <= picture["natural"] + 1


@in_a_browser
def test_a_picture_fits_its_cell_unless_it_would_be_too_small_to_read(layout):
    for width, page in layout["widths"].items():
        for picture in page["pictures"]:
            left, _, right, _ = picture["box"]
            fits = picture["frame"][0] - 1 <= left and right <= picture["frame"][2] + 1
            assert fits or right - left == pytest.approx(svg._LEAST * picture["natural"], abs=2.0)
    assert layout["widths"][1400]["pictures"][0]["box"][0] > 90              # the network is seen whole
    assert layout["widths"][600]["pictures"][2]["box"][0] == pytest.approx(98, abs=1)


@in_a_browser
def test_pointing_at_a_card_or_a_derivative_tells_its_numbers_in_full(layout):
    told = dict(layout["widths"][1400]["pictures"][0]["told"])
    root = network()
    assert told["E"] == f"E = sum([E1, E2])\ndata {root.data!r}\ngrad 1.0"
    assert told["0.1868"].startswith("∂outo1/∂neto1 = 0.18681560")
    assert not [text for text in told.values() if re.fullmatch(r"[nj]\d+.*|computation", text)]


@in_a_browser
def test_a_pages_own_styles_do_not_reach_into_a_picture(layout):
    def sizes(page):
        boxes = [box for picture in page["pictures"] for box in (picture["box"], *picture["parts"])]
        return [side for box in boxes for side in (box[2] - box[0], box[3] - box[1])]
    assert sizes(layout["alien"]) == pytest.approx(sizes(layout["widths"][900]), abs=1.0)


@in_a_browser
@pytest.mark.parametrize("paper", ["light", "dark"])
def test_reports_are_readable_on_light_and_dark_paper(layout, paper):
    assert len(layout[paper]["contrasts"]) > 50 and min(layout[paper]["contrasts"]) >= 4.5


@in_a_browser
def test_no_label_runs_or_adds_an_element(layout):
    assert layout["ran"] == 0
    for page in layout["hostile"]:
        assert page["shape"] == layout["plain"]["shape"]


@in_a_browser
def test_a_label_that_is_not_escaped_is_noticed(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(markup, "escape", str)
        page = exported(reports(HOSTILE[0]))
    found = measured(tmp_path, (900, page), (900, exported(reports("x"))))
    assert found["ran"] == 1 and found["parts"][0]["shape"] != found["parts"][1]["shape"]


# -- pictures -------------------------------------------------------------------------------------


def test_a_picture_says_what_it_is_to_those_who_do_not_see_it():
    drawing = ag.draw(Value(1.0, "x") * 2.0)
    assert drawing._repr_mimebundle_()["text/plain"] == (
        "computation graph of * = 2: 2 nodes; 1 leaf with a gradient")
    drawing.description = 'a "product"\n<b>'
    bundle = drawing._repr_mimebundle_()
    assert bundle["text/plain"] == 'a "product"\\n<b>'
    picture = ElementTree.fromstring(bundle["image/svg+xml"])
    assert (picture.get("role"), picture.get("aria-label")) == ("img", bundle["text/plain"])


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda d: d.copy(),
                                    lambda d: pickle.loads(pickle.dumps(d))])
def test_a_copy_says_what_it_is_too(copied):
    drawing = ag.draw(Value(3.0, "x") * 2.0)
    assert copied(drawing).description == drawing.description != type(drawing).description
    assert copied(drawing).source == drawing.source


def test_the_bundle_holds_what_is_asked_for():
    drawing = ag.draw(Value(1.0, "x") * 2.0)
    assert drawing._repr_mimebundle_(include=["text/html"]).keys() == {"text/html"}
    assert drawing._repr_mimebundle_(include=iter(["image/png"])).keys() == {"image/png"}
    assert drawing._repr_mimebundle_(exclude=["text/html"]).keys() == {"text/plain", "image/svg+xml"}
    assert drawing._repr_mimebundle_() == ag.draw(Value(1.0, "x") * 2.0)._repr_mimebundle_()


GRADIENT = b"""<svg width="9pt" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
<g id="graph0" class="graph"><title>G</title><g id="a_graph0"><a xlink:title="whole"><text>t</text></a></g>
<g id="node1" class="node mine"><title>n0</title><g id="a_node1"><a xlink:title=" "><defs>
<linearGradient id="l_0"/></defs><path fill="url(#l_0)"/></a></g></g>
<g id="node2" class="node"><title>n1</title><g id="a_node2"><a xlink:href="https://a.b" xlink:title="tip">
<path/></a></g></g></g></svg>"""


def test_only_ids_that_are_used_stay_and_no_two_pictures_share_one():
    one, other = svg.tidied(GRADIENT, "d"), svg.tidied(GRADIENT.replace(b"n0", b"n9"), "d")
    name, = re.findall(' id="(.*?)"', one)
    assert f'fill="url(#{name})"' in one and name not in other
    assert svg.tidied(GRADIENT, "d") == one
    assert re.findall('class="(.*?)"', one) == ["mine"]


def test_titles_are_the_tooltips_and_links_stay_only_if_they_lead_anywhere():
    picture = ElementTree.fromstring(svg.tidied(GRADIENT, "d"))
    assert [title.text for title in picture.iter(f"{{{svg._SVG}}}title")] == ["whole", "tip"]
    assert [link.attrib for link in picture.iter(f"{{{svg._SVG}}}a")] == [{"href": "https://a.b"}]


def test_a_picture_that_is_not_xml_is_an_error_that_says_so():
    drawing = ag.draw(Value(1.0, "x") * 2.0)
    drawing.node("mine", "a\x01b")
    with pytest.raises(RenderError, match="not XML"):
        drawing.pipe("svg")
    assert "not XML" in drawing._repr_mimebundle_()["text/html"]


# -- files ----------------------------------------------------------------------------------------


def test_a_page_needs_no_other_file_and_has_the_pictures_own_background(tmp_path):
    drawing = ag.draw(Value(3.0, "x") * 2.0)
    drawing.description = "a < b"
    drawing.graph_attr["bgcolor"] = "#102030"
    path = ag.render(drawing, tmp_path / "page.html")
    page = path.read_text(encoding="utf-8")
    assert "<title>a &lt; b</title>" in page and "background:#102030" in page
    assert page.count("<svg") == 1 and not re.search(r"<script|<link|src=|@import|url\((?!#)", page)
    drawing.graph_attr["bgcolor"] = "grey95"              # (a name that CSS does not know)
    assert "background:white" in drawing.html()


def test_render_takes_what_draw_returned_but_then_no_options(tmp_path):
    x = Value(3.0, "x")
    drawing = ag.draw(x * x, digits=2)
    ag.render(drawing, tmp_path / "a.svg")
    ag.render(x * x, tmp_path / "b.svg", digits=2)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    with pytest.raises(InputError, match="render: give digits= to draw"):
        ag.render(drawing, tmp_path / "c.svg", digits=3)
    assert not (tmp_path / "c.svg").exists()


def test_without_the_python_package_the_source_is_written_all_the_same(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "autograd_lite.drawing.drawn", raising=False)
    monkeypatch.setitem(sys.modules, "graphviz", None)
    ag.render(Value(1.0, "x") * 2.0, tmp_path / "one.dot")
    with pytest.raises(RenderError, match=r"pip install 'autograd-lite\[png\]'.*'.*two.dot'"):
        ag.render(Value(1.0, "x") * 2.0, tmp_path / "two.svg")
    assert (tmp_path / "one.dot").read_bytes() == (tmp_path / "two.dot").read_bytes()


def test_a_program_that_writes_no_pdf_says_what_to_do(tmp_path, monkeypatch):
    pure = [(name, path) for name, path in engine._candidates() if name == "graphviz-pure"]
    monkeypatch.setattr(engine, "_candidates", lambda: iter(pure))
    with pytest.raises(RenderError, match="does not write pdf; install the system's package graphviz"):
        ag.render(Value(1.0, "x") * 2.0, tmp_path / "picture.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["picture.dot"]


@pytest.mark.skipif(os.name != "posix", reason="the stand-in program is a script")
def test_a_program_that_writes_pdf_does(tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\ncase \"$*\" in *-Tpdf*) printf '%%PDF-1.7';; "
                       "*) printf '\\211PNG\\r\\n\\032\\n';; esac\n")
    program.chmod(0o755)
    monkeypatch.setattr(engine, "_candidates", lambda: iter([("the system's dot", str(program))]))
    assert ag.render(Value(1.0) * 2.0, tmp_path / "picture.pdf").read_bytes() == b"%PDF-1.7"


# -- letters without a font -----------------------------------------------------------------------


@pytest.fixture
def pure(monkeypatch):
    """Draw with the [png] extra's program, which has no fonts but its own."""
    found = [(name, path) for name, path in engine._candidates() if name == "graphviz-pure"]
    monkeypatch.setattr(engine, "_candidates", lambda: iter(found))


@pytest.mark.parametrize("letter", ["层", "😀", "☃"])
def test_a_bitmap_with_empty_boxes_for_letters_says_which_and_what_to_do(pure, letter, tmp_path):
    if not letters._boxed(engine.program(), letter):
        pytest.skip("there is a font that has it")
    root = Value(1.0, f"w {letter}") * 2.0
    with pytest.warns(ag.AutogradWarning, match=f"has no letters {letter} and draws empty.*an .svg") as told:
        ag.render(root, tmp_path / "picture.png")
    assert len(told) == 1 and told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ag.render(root, tmp_path / "picture.svg")


def test_letters_that_are_drawn_are_not_complained_of(pure, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ag.render(Value(1.0, "∂E/∂w₁ λ² é Ж → ℝ ẑ") * 2.0, tmp_path / "picture.png")
        ag.render(Value(1.0, "x" * 40 + "层") * 2.0, tmp_path / "picture.png")      # (only its tooltip has it)


# -- tables and trees -----------------------------------------------------------------------------


def test_a_report_in_html_says_what_its_text_says():
    x, y = Value(2.0, "x"), Value(-1.0, "y")
    z = x * x * y
    z.label = "z"
    claims = ag.audit(z, {(z, x): 3.0, (z, y): 4.0})
    for report in (claims, ag.check_gradients(ag.sin, 1.0), ag.explain(z, x), ag.explain(z)):
        html = text_of(report._repr_html_()).replace("✓ ", "").replace("✗ ", "")
        words = [word for word in str(report).split() if not re.fullmatch(r"more|and|\d+", word)]
        assert [word for word in words if word not in html.split()] == []


def test_a_wrong_row_stands_out_by_weight_and_sign_and_not_by_colour_alone():
    x = Value(2.0, "x")
    html = ag.audit(x * x, {"x": 3.0})._repr_html_()
    row, = re.findall("<tr style=.*?</tr>", html)
    assert "font-weight:bold" in row and "background" in row and "✗ CAUSE" in row


def test_a_long_table_is_cut_but_keeps_the_wrong_rows_and_says_how_many_more():
    xs = [Value(float(i), f"x{i}") for i in range(500)]
    report = ag.audit(ag.sum(xs), {f"x{i}": 2.0 if i == 450 else 1.0 for i in range(500)})
    html = report._repr_html_()
    assert html.count("<tr") == markup.MOST + 2
    assert "x450" in text_of(html) and f"… and {500 - markup.MOST} more" in html


def test_a_model_is_a_tree_in_which_neighbours_that_are_alike_share_a_line():
    assert text_of(nn.MLP(3, [4, 1])._repr_html_()) == (
        "MLP 21 parameters layers[0] Layer: 16 parameters "
        "neurons[0] … neurons[3] 4 × ReLUNeuron(3): w 3, b each "
        "layers[1] Layer: 5 parameters neurons[0] LinearNeuron(4): w 4, b")
    assert text_of(nn.Neuron(2)._repr_html_()) == "ReLUNeuron(2) w 2, b"


def test_a_tree_counts_each_parameter_once_wherever_it_lies():
    class Model(nn.Module):
        def __init__(self) -> None:
            self.w = [[Value(1.0) for _ in range(3)] for _ in range(2)]
            self.first = self.again = nn.Layer(2, 2, bias="layer")
            self.by_name = {"a.b[0]": nn.Neuron(2), "q'": Value(1.0), "b": [Value(2.0)]}
    shown = text_of(Model()._repr_html_())
    assert shown.startswith(f"Model {len(Model().parameters())} parameters w 6, by_name 2 "
                            "first Layer: 5 parameters b ")
    assert "by_name['a.b[0]'] ReLUNeuron(2): w 2, b" in shown and "again" not in shown


def test_a_large_model_is_folded():
    class Model(nn.Module):
        def __init__(self) -> None:
            self.layers = [nn.Layer(2, i % 7 + 1) for i in range(200)]
    html = Model()._repr_html_()
    assert html.count("<details open>") == 201 - 200 + markup.MOST and "… and 160 more" in html


class Holder(nn.Module):
    def __init__(self, n: int, inner: int = 0) -> None:
        for i in range(n):                      # (each looks different)
            vars(self)[f"part{i}"] = Holder(inner)
            vars(vars(self)[f"part{i}"])[f"weight{i}"] = Value(1.0)


@pytest.mark.parametrize("n, inner, opened", [(1, 0, True), (22, 0, True), (23, 0, True), (24, 0, False),
                                              (30, 0, False), (11, 1, True), (12, 1, False), (5, 3, True),
                                              (4, 6, False)])
def test_a_part_of_at_most_24_lines_is_unfolded_with_its_parts(n, inner, opened):
    model = Holder(0)
    model.part = Holder(n, inner)
    html = model._repr_html_()
    head = html.index("<b>part</b>")
    assert html[:head].count("<details") == 2 and html[:head].count("<details open>") == 1 + opened
    assert "<details>" not in html[head:]       # (its own parts have few lines)


def test_an_optimiser_shows_its_settings_and_how_far_it_is():
    x = Value(1.0, requires_grad=True)
    optimizer = optim.Adam([x], lr=0.5)
    optimizer.step()
    assert text_of(optimizer._repr_html_()) == (
        "Adam lr 0.5 betas (0.9, 0.999) eps 1e-08 weight_decay 0.0 parameters 1 steps 1")
    assert repr(optimizer) == (
        "<Adam: lr 0.5, betas (0.9, 0.999), eps 1e-08, weight_decay 0.0, parameters 1, steps 1>")


def test_what_a_compiled_function_cost_is_shown():
    f = ag.compile(lambda x: x * x + 1.0)
    f(2.0)
    assert "1 program, 0 guards, target" in text_of(f.stats._repr_html_())
