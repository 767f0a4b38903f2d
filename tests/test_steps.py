"""The backward pass step by step: its numbers, its wrong order, its page in a browser, its animated PNG."""
from __future__ import annotations

import json
import math
import re
import subprocess
from collections import Counter
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings, strategies as st

import autograd_lite as ag
from autograd_lite import Value, nn
from autograd_lite.document import Network
from autograd_lite.drawing import animation, engine
from autograd_lite.drawing.apng import animated
from autograd_lite.drawing.folding import Fold
from autograd_lite.drawing.steps import Walk, Words, differing
from autograd_lite.drawing.theme import THEMES, contrast
from autograd_lite.drawing.view import View
from autograd_lite.graph.walks import topological
from graphs import POLYNOMIAL, computations, recorded, results
from test_pages import BROWSER, HOSTILE, in_a_browser

WIDTHS = 600, 900, 1400
pytestmark = pytest.mark.usefixtures("one_program")


def shared() -> Value:
    """z = y + y·x with y = x·x: in naive order y passes on before the product adds to its gradient."""
    x = Value(3.0, "x")
    y = x * x
    z = y + y * x
    ag.label(y=y, z=z)
    return z


def whole(root: Value) -> View:
    return View([root], 1000, "all")


def read_page(path: Path) -> dict[str, Any]:
    found = re.search(r'id="steps">(.*?)</script>', path.read_text("utf-8"), re.S)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


# -- the numbers ----------------------------------------------------------------------------------


@given(computations())
def test_what_arrives_at_a_leaf_is_what_backward_adds_to_it_to_the_last_bit(f: Any) -> None:
    leaves, nodes = recorded(f)
    root = nodes[-1]
    walk = Walk(whole(root), root)
    root.backward()
    for leaf in leaves:
        assert walk.gradients.get(id(leaf), 0.0) == leaf.grad
    for node in nodes[len(leaves):]:
        assert walk.gradients.get(id(node), 0.0) == node.grad


@given(computations())
def test_contributions_sum_to_the_gradients_and_each_is_a_partial_times_a_gradient(f: Any) -> None:
    _, nodes = recorded(f)
    walk = Walk(whole(nodes[-1]), nodes[-1])
    arrived: dict[int, float] = {id(nodes[-1]): 1.0}
    for step in walk.steps:
        for flow in step.flows:
            assert flow.gradient == arrived[id(flow.head)] and flow.head is step.item
            assert flow.contribution == flow.gradient * flow.partial or flow.gradient == 0.0
            assert flow.before == arrived.get(id(flow.tail))
            arrived[id(flow.tail)] = arrived.get(id(flow.tail), 0.0) + flow.contribution
            assert flow.after == arrived[id(flow.tail)]
    assert arrived == walk.gradients


def test_a_leaf_that_has_a_gradient_already_shows_what_this_root_adds() -> None:
    root = shared()
    root.backward()
    root.backward()
    x = root.operands[0].operands[0]
    assert x.grad == 66.0 and Walk(whole(root), root).gradients[id(x)] == 33.0
    assert x.grad == 66.0


def test_each_result_passes_on_once_and_after_all_its_users() -> None:
    root = Network().graph()
    walk = Walk(whole(root), root)
    items = [step.item for step in walk.steps]
    assert len({*map(id, items)}) == len(items)
    for k, item in enumerate(items):
        assert isinstance(item, Value)
        assert not any(item in step.item.operands for step in walk.steps[k + 1:])


@given(computations(ops=POLYNOMIAL, inputs=3), st.integers(1, 6))
def test_a_fold_passes_on_in_one_step_and_changes_no_gradient(f: Any, most: int) -> None:
    leaves, nodes = recorded(f)
    root = nodes[-1]
    view = View([root], most, "all")
    walk, unfolded = Walk(view, root), Walk(whole(root), root)
    assert len(walk.steps) <= len(view.edges)
    for key, g in unfolded.gradients.items():
        assert math.isclose(walk.gradients[key], g, rel_tol=1e-9, abs_tol=1e-9)


def test_a_large_graph_takes_as_many_steps_as_its_picture_has_results() -> None:
    model = nn.MLP(4, [16, 16, 1])
    root = nn.squared_error([model([0.1, 0.2, 0.3, 0.4])], [1.0])
    view = View([root], 30, "all")
    walk = Walk(view, root)
    assert view.folds and len(walk.steps) <= 30
    told = [line for step in walk.steps if isinstance(step.item, Fold) for line in Words(walk, 4).step(step)]
    assert any("folded nodes) passes on what has arrived" in line for line in told)
    root.backward()
    for p in model.parameters():
        assert math.isclose(walk.gradients[id(p)], p.grad, rel_tol=1e-12, abs_tol=1e-15)


def test_a_derivative_that_is_missing_is_the_error_of_backward(tmp_path: Path) -> None:
    root = ag.sqrt(Value(0.0, "x")) * 2.0
    with pytest.raises(ag.DomainError) as raised:
        root.backward()
    with pytest.raises(ag.DomainError) as shown:
        ag.animate(root, tmp_path / "a.html")
    assert str(shown.value) == str(raised.value) and not list(tmp_path.iterdir())


# -- the naive order ------------------------------------------------------------------------------


@given(computations(max_ops=5, ops=["+", "*", "sum"]))
def test_the_naive_order_is_wrong_exactly_below_the_nodes_that_pass_on_too_early(f: Any) -> None:
    nodes = results(f, [Value(1.0 + abs(x) % 1.0) for x in f.witness])
    root = nodes[-1]
    assume(isinstance(root, Value) and all(p > 0.0 for node in nodes for p in node.partials))
    right, naive = (Walk(whole(root), root, order) for order in ("topological", "naive"))
    below: set[int] = set()
    for node in topological([root])[::-1]:      # (each part of a gradient that is lost makes it smaller)
        if id(node) in below or id(node) in naive.early:
            below |= {id(x) for x in node.operands if isinstance(x, Value)}
    assert differing(naive, right).keys() == below


def test_the_naive_order_gives_the_right_sums_where_no_node_is_shared_and_wrong_ones_where_one_is() -> None:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    tree = ag.sin(x * y) + x
    right, naive = (Walk(whole(tree), tree, order) for order in ("topological", "naive"))
    assert naive.gradients == right.gradients and not naive.early

    root = shared()
    right, naive = (Walk(whole(root), root, order) for order in ("topological", "naive"))
    y = root.operands[0]
    assert naive.early == {id(y): 1.0}
    assert differing(naive, right) == {id(y.operands[0]): 33.0}
    words = Words(naive, 4)
    told = [line for step in naive.steps for line in words.step(step)]
    assert [line for line in told if "too late" in line] == [
        "∂z/∂y += ∂z/∂(y * x) · x = 1 · 3 = 3, together 4 – too late: it has passed on 1 already"]
    assert words.end(right) == [
        "All has been passed on, and 1 gradient is wrong", "(a node passed on before all had arrived at it)",
        "∂z/∂x = 15, not 33 (wrong)"]


# -- the words ------------------------------------------------------------------------------------


def test_the_formula_of_a_step_has_symbols_then_numbers_then_the_sum() -> None:
    root = shared()
    walk = Walk(whole(root), root)
    words = Words(walk, 4)
    assert [words.step(step) for step in walk.steps] == [
        ["z passes on ∂z/∂z = 1", "∂z/∂y += ∂z/∂z · 1 = 1 · 1 = 1", "∂z/∂(y * x) += ∂z/∂z · 1 = 1 · 1 = 1"],
        ["y * x passes on ∂z/∂(y * x) = 1", "∂z/∂y += ∂z/∂(y * x) · x = 1 · 3 = 3, together 4",
         "∂z/∂x += ∂z/∂(y * x) · y = 1 · 9 = 9"],
        ["y passes on ∂z/∂y = 4", "∂z/∂x += ∂z/∂y · x = 4 · 3 = 12, together 21",
         "∂z/∂x += ∂z/∂y · x = 4 · 3 = 12, together 33"]]
    assert words.end(walk) == ["All has been passed on", "∂z/∂x = 33"]


@pytest.mark.parametrize("label", HOSTILE)
def test_what_is_said_is_one_printable_line_each(label: str) -> None:
    x = Value(3.0, label)
    root = x * x
    walk = Walk(whole(root), root)
    for line in [line for step in walk.steps for line in Words(walk, 4).step(step)]:
        assert line.isprintable()


# -- the page -------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ag.animate(Network().graph(), tmp_path_factory.mktemp("document") / "page.html")


def test_every_step_is_the_same_picture_with_other_numbers_and_colours(document: Path) -> None:
    data = read_page(document)
    assert {name for _, name in data["slots"]} <= {"", "fill", "stroke", "stroke-width", "x", "points", "d"}
    assert len(data["walks"]) == 2 and {len(walk) for walk in data["walks"]} == {17}
    shown = [[data["texts"][k] for k in step["values"]] for step in data["walks"][0]]
    cards = [k for k, (_, name) in enumerate(data["slots"]) if name == "" and shown[0][k] == "–"]
    assert len(cards) == 25 and not any(shown[-1][k] == "–" for k in cards)
    assert Counter(shown[-1])["0.08217"] == 1 and "0.0004386" in shown[-1]


@settings(max_examples=12)
@given(f=computations(max_ops=5), scale=st.sampled_from([1e-30, 1.0, 1e8]))
def test_the_layout_is_that_of_every_step(f: Any, scale: float) -> None:
    leaves = [Value(x * scale) for x in f.witness]
    try:
        root = results(f, leaves)[-1]
        film = animation.Film(root, animation.Options(40, "all"), "naive")
    except ag.NumericError:
        return
    sizes = {re.search(r'<svg width="(\d+)pt" height="(\d+)pt"', engine.run(
        film.source(frame).dot.text(), "-Tsvg").decode())[0]                           # type: ignore[index]
        for frames in film.frames.values() for frame in (*frames[:2], frames[-1])}
    assert len(sizes) == 1


def test_the_page_has_no_link_one_script_by_its_hash_and_all_steps_in_a_table(tmp_path: Path) -> None:
    page = ag.animate(shared(), tmp_path / "page.html", caption="a < b").read_text("utf-8")
    assert page.count("<script") == 2
    assert not re.search(r"<link|src=|@import|url\(|http(?!-equiv|://www.w3)", page)
    policy = re.search('content="(default-src.*?)"', page)
    assert policy and "default-src 'none'" in policy[1] and "script-src 'sha256-" in policy[1]
    assert "<h1>a &lt; b</h1>" in page and page.count("<tr>") == 6
    assert "∂z/∂x += ∂z/∂y · x = 4 · 3 = 12, together 33" in page[:page.index("<script")]


def test_colours_can_be_read_on_what_passes_on() -> None:
    for theme in THEMES.values():
        assert contrast(theme.on(theme.scale[2]), theme.scale[2]) > 4.5
        assert contrast(theme.on(theme.scale[0]), theme.scale[0]) > 4.5
        assert contrast(theme.alarm_line, theme.alarm) > 4.5


DRIVER = """
const wait = ms => new Promise(done => setTimeout(done, ms));
const drive = async frame => {
  const page = frame.contentDocument, view = frame.contentWindow, found = id => page.getElementById(id);
  const press = key => page.body.dispatchEvent(
    new view.KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
  const texts = () => [...page.querySelectorAll('main svg text')].map(x => x.textContent);
  const log = [], note = () => log.push([+found('slider').value, found('where').textContent,
    found('head').textContent, [...found('lines').children].map(x => x.textContent), texts()]);
  note();
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowLeft', 'End', 'Home']) { press(key); note(); }
  found('slider').value = 2; found('slider').dispatchEvent(new view.Event('input')); note();
  found('forward').click(); note();
  const orders = page.querySelectorAll('[name=order]');
  if (orders.length) { orders[1].click(); press('End'); note(); }
  press('Home'); press(' ');
  const playing = found('play').textContent;
  await wait(350); note(); press(' ');
  return {log, playing, stopped: found('play').textContent,
    width: view.innerWidth, page: page.documentElement.scrollWidth, open: found('all').open,
    live: found('told').getAttribute('aria-live'), hidden: found('controls').hidden,
    shape: [...page.querySelectorAll('*')].map(x => [x.tagName, ...x.getAttributeNames()].join(' '))}; };
addEventListener('load', async () => {
  const parts = await Promise.all([...document.querySelectorAll('iframe')].map(drive));
  document.body.textContent = JSON.stringify({ran: top.ran ?? 0, parts}); });
"""


def chromium(folder: Path, *options: str) -> str:
    assert BROWSER
    done = subprocess.run([
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", *options],
        capture_output=True, timeout=120)
    return done.stdout.decode()


def driven(folder: Path, *pages: tuple[int, str]) -> dict[str, Any]:
    """What pages of some widths show as their keys, slider and buttons are used."""
    frames = [f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{escape(page)}"></iframe>'
              for width, page in pages]
    (folder / "driver.html").write_text(
        f"<!DOCTYPE html><meta charset=utf-8><body>{''.join(frames)}<script>{DRIVER}</script>", "utf-8")
    shown = chromium(folder, "--dump-dom", f"file://{folder / 'driver.html'}")
    found = re.search(r"<body>(\{.*\})</body>", shown, re.DOTALL)
    assert found, shown[-2000:]
    return json.loads(unescape(found[1]))  # type: ignore[no-any-return]


@in_a_browser
def test_in_a_browser_keys_slider_and_buttons_change_the_step_and_no_label_runs(
        document: Path, tmp_path: Path) -> None:
    def labelled(names: list[str]) -> str:
        xs = [Value(3.0, name) for name in names]
        y = ag.sum(xs)
        root = y + y * xs[0]
        y.label, root.label = f"y {names[0]}", f"z {names[-1]}"
        for x, name in zip(xs, names):
            x.scope = (name,)
        return ag.animate(root, tmp_path / "labels.html", caption=" ".join(names)).read_text("utf-8")

    plain = ag.animate(shared(), tmp_path / "page.html", seconds=0.1).read_text("utf-8")
    shown = document.read_text("utf-8")
    labels = [labelled([f"harmless{k}" for k, _ in enumerate(HOSTILE)]), labelled(HOSTILE)]
    result = driven(tmp_path, *[(width, page) for width in WIDTHS for page in (plain, shown)],
                    *[(900, page) for page in labels])
    assert result["ran"] == 0
    for part in result["parts"]:
        assert part["page"] <= part["width"] and not part["hidden"] and not part["open"]
        assert part["live"] == "polite" and (part["playing"], part["stopped"]) == ("Pause", "Play")
    log = result["parts"][0]["log"]
    assert [entry[0] for entry in log[:8]] == [0, 1, 2, 1, 4, 0, 2, 3]
    assert log[1][1:4] == ["Step 1 of 4", "z passes on ∂z/∂z = 1", [
        "∂z/∂y += ∂z/∂z · 1 = 1 · 1 = 1", "∂z/∂(y * x) += ∂z/∂z · 1 = 1 · 1 = 1"]]
    assert log[1] == log[3] and log[2] == log[6] and log[0] == log[5]
    assert "33" not in log[2][4] and "33" in log[4][4] and "–" not in log[4][4] and "–" in log[0][4]
    assert log[8][3][1:] == ["∂z/∂x = 15, not 33 (wrong)"] and {"15", "not 33"} <= {*log[8][4]}
    assert log[9][0] > 0                        # (it has played)
    harmless, hostile = [Counter(part["shape"]) for part in result["parts"][2 * len(WIDTHS):]]
    assert harmless == hostile


@in_a_browser
def test_a_page_is_drawn_at_each_width(tmp_path: Path) -> None:
    """(People look at these pictures before a release.)"""
    matplotlib = pytest.importorskip("matplotlib.image")
    page = escape(ag.animate(shared(), tmp_path / "page.html").read_text("utf-8"))
    frames = [f'<iframe style="display:block;width:{width}px;height:900px;border:0" srcdoc="{page}"></iframe>'
              for width in WIDTHS]
    (tmp_path / "all.html").write_text(
        f"<!DOCTYPE html><meta charset=utf-8><body style='margin:0'>{''.join(frames)}", "utf-8")
    chromium(tmp_path, f"--window-size={WIDTHS[-1]},{900 * len(WIDTHS)}",
             f"--screenshot={tmp_path / 'shot.png'}", f"file://{tmp_path / 'all.html'}")
    shot = matplotlib.imread(tmp_path / "shot.png")
    for k, width in enumerate(WIDTHS):
        part = shot[900 * k:900 * (k + 1), :width]
        assert part.shape[1] == width
        assert len({tuple(pixel) for pixel in part[::9, ::9].reshape(-1, part.shape[2])}) > 5


# -- the animated PNG -----------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["topological", "naive"])
def test_the_animated_png_has_a_frame_for_each_step_all_of_one_size_and_is_the_same_each_time(
        order: Any, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    root = shared()
    path = ag.animate(root, tmp_path / "a.png", order=order, seconds=0.5)
    again = ag.animate(root, tmp_path / "b.png", order=order, seconds=0.5)
    assert path.read_bytes() == again.read_bytes()
    with image.open(path) as picture:
        assert picture.n_frames == 5 and picture.is_animated
        seen, durations = set(), []
        for k in range(picture.n_frames):
            picture.seek(k)
            seen.add(picture.convert("RGB").tobytes())
            durations.append(picture.info["duration"])
            assert picture.size == picture.convert("RGB").size
        assert len(seen) == 5 and durations == [500.0] * 4 + [1000.0]


def test_no_text_below_a_png_is_cut_that_fits_in_more_lines() -> None:
    leaves = [f"∂E/∂w{k} = 0.{k}25" for k in range(40)]
    told = animation._fitted(["Step 1 of 1", "All has been passed on", *leaves], 900.0, 11)
    assert len(told) <= 8 and all(leaf in "".join(told) for leaf in leaves)
    told = animation._fitted(["Step 1 of 1 · " + "a caption " * 30, "head", "x" * 400], 420.0, 11)
    assert len(told) == 7 and told[-1].endswith("…") and max(map(len, told)) < 90
    assert "".join(told[:5]).count("caption") == 30


def test_frames_of_different_sizes_are_an_error() -> None:
    small, large = (engine.run(f"digraph {{ a [label={text}] }}", "-Tpng") for text in ("x", "x" * 20))
    with pytest.raises(ag.RenderError, match="different sizes"):
        animated([small, large], [1.0, 1.0])


# -- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path, options, kind, match", [
    ("a.gif", {}, ag.RenderError, r"must end in \.html or \.png"),
    ("a.html", {"order": "reverse"}, ag.InputError, "order='reverse': choose 'topological' or 'naive'"),
    ("a.html", {"max_nodes": 0}, ag.InputError, "animate: max_nodes"),
    ("a.html", {"digits": 0}, ag.InputError, "animate: digits"),
    ("a.html", {"direction": "up"}, ag.InputError, "animate: direction='up'"),
    ("a.html", {"style": "small"}, ag.InputError, "animate: style='small'"),
    ("a.html", {"caption": 1}, ag.InputError, "animate: caption=1 must be a text"),
    ("a.html", {"seconds": 0.0}, ag.InputError, "seconds=0.0: choose a number from 0.05 to 60"),
    ("a.html", {"theme": "blue"}, ag.InputError, "animate: theme='blue'"),
    ("missing/a.html", {}, ag.RenderError, "animate: cannot write")])
def test_wrong_arguments_are_errors_that_say_what_to_give(
        path: str, options: dict[str, Any], kind: type[Exception], match: str, tmp_path: Path) -> None:
    with pytest.raises(kind, match=match):
        ag.animate(shared(), tmp_path / path, **options)
    with pytest.raises(ag.InputError, match="expected a Value, got list"):
        ag.animate([shared()], tmp_path / "a.html")  # type: ignore[arg-type]


def test_without_a_program_the_error_says_what_to_install(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_candidates", lambda: iter(()))
    for name in ("a.html", "a.png"):
        with pytest.raises(ag.RenderError, match=r"pip install 'autograd-lite\[png\]'"):
            ag.animate(shared(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_too_many_steps_and_too_many_pixels_are_errors(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = Value(0.5, "x")
    for _ in range(130):
        x = ag.sin(x)
    with pytest.raises(ag.RenderError, match="130 results, more steps than 120; give a smaller max_nodes"):
        ag.animate(x, tmp_path / "a.html", max_nodes=1000)
    monkeypatch.setattr(animation, "_PIXELS", 100_000)
    with pytest.raises(ag.RenderError, match=r"5 frames of .* pixels are too large for a \.png"):
        ag.animate(shared(), tmp_path / "a.png")
