"""What `animate` asks of the program that draws, and makes of the pictures: a page, an animated PNG."""
from __future__ import annotations

import base64
import hashlib
import re
import struct
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.drawing import animation
from autograd_lite.drawing.apng import animated, size
from autograd_lite.drawing.arrows import flow_text
from autograd_lite.drawing.layout import width
from autograd_lite.drawing.svg import tidied
from test_steps import read_page, shared

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(across: int, down: int, *data: bytes, bits: int = 8, palette: bool = False) -> bytes:
    head = struct.pack(">IIBBBBB", across, down, bits, 2, 0, 0, 0)
    return b"".join([SIGNATURE, chunk(b"IHDR", head), *[chunk(b"PLTE", b"abc")] * palette,
                     chunk(b"tEXt", b"a text"), *[chunk(b"IDAT", x) for x in data], chunk(b"IEND", b"")])


def chunks(file: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG, whose check sums are right."""
    assert file.startswith(SIGNATURE)
    found, at = [], len(SIGNATURE)
    while at < len(file):
        length, = struct.unpack_from(">I", file, at)
        whole = file[at + 4:at + 8 + length]
        assert struct.unpack_from(">I", file, at + 8 + length) == (zlib.crc32(whole),)
        found.append((whole[:4], whole[4:]))
        at += 12 + length
    return found


def control(number: int, milliseconds: int) -> tuple[bytes, bytes]:
    return b"fcTL", struct.pack(">IIIIIHHBB", number, 300, 200, 0, 0, milliseconds, 1000, 0, 0)


def number(k: int) -> bytes:
    return struct.pack(">I", k)


# -- animated PNGs ----------------------------------------------------------------------------------


def test_an_animated_png_has_the_first_picture_and_the_data_of_the_others_numbered() -> None:
    pictures = [png(300, 200, b"one"), png(300, 200, b"tw", b"", b"o"), png(300, 200, b"three")]
    assert [size(picture) for picture in pictures] == [(300, 200)] * 3
    head, = [content for name, content in chunks(pictures[0]) if name == b"IHDR"]
    assert chunks(animated(pictures, [0.5, 0.0501, 1.25])) == [
        (b"IHDR", head), (b"acTL", number(3) + number(0)), control(0, 500), (b"IDAT", b"one"),
        control(1, 50), (b"fdAT", number(2) + b"two"), control(3, 1250), (b"fdAT", number(4) + b"three"),
        (b"IEND", b"")]
    assert chunks(animated(pictures[:1], [2.0]))[1:-1] == [
        (b"acTL", number(1) + number(0)), control(0, 2000), (b"IDAT", b"one")]


@pytest.mark.parametrize("other", [png(301, 200, b"x"), png(300, 201, b"x"), png(300, 200, b"x", bits=4),
                                   png(300, 200, b"x", palette=True)])
def test_pictures_of_other_sizes_or_kinds_are_not_animated(other: bytes) -> None:
    with pytest.raises(ag.RenderError) as raised:
        animated([png(300, 200, b"x"), other], [1.0, 1.0])
    assert str(raised.value) == (
        "animate: the program drew pictures of different sizes or kinds ((300, 200) and "
        f"{size(other)} pixels); write an .html instead")


# -- a program that draws -----------------------------------------------------------------------------


class Program:
    """Draws each text of a source with its colour, each fill, and each line as thick as it says."""

    def __init__(self, across: int = 800, down: int = 90):
        self.across, self.down = across, down
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def __call__(self, source: str, *options: str) -> bytes:
        self.asked.append((source, options))
        return self.svg(source) if "-Tsvg" in options else png(self.across, self.down, source.encode())

    def svg(self, source: str) -> bytes:
        source = source.partition("\tedge [")[2].partition("\n")[2]
        parts = [f'<text fill="{colour}">{text}</text>' for colour, text in re.findall(
            r'<FONT COLOR="(.*?)".*?>([^<]*)</FONT>', source)]
        parts += [f'<polygon fill="{fill}" />' for fill in re.findall('BGCOLOR="(.*?)"', source)]
        parts += [f'<path{wide.replace("penwidth=", " stroke-width=")} />' for wide in re.findall(
            r'n\d+ -> n\d+ \[.*?((?: penwidth="?[\d.]+"?)?) tooltip', source)]
        return (f'<svg width="{self.across}pt" height="{self.down}pt" xmlns="http://www.w3.org/2000/svg"><g>'
                f'{"".join(parts)}</g></svg>').replace("stroke-width=2.0", 'stroke-width="2"').encode()


def page_of(root: Value, folder: Path, program: Program, name: str = "page.html", **options: Any) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(animation, "run", program)
        path = ag.animate(root, folder / name, **options)
    assert path == folder / name
    return path.read_text("utf-8")


def parts_of(svg: str) -> list[Any]:
    return [(x.tag.rpartition("}")[2], {**x.attrib}, x.text or "")
            for x in ElementTree.fromstring(svg).iter()]


@pytest.mark.parametrize("order", ["topological", "naive"])
def test_a_page_shows_at_each_step_what_the_program_drew_of_it(order: Any, tmp_path: Path) -> None:
    program = Program()
    page = page_of(shared(), tmp_path, program, order=order)
    data = read_page(tmp_path / "page.html")
    assert {options for _, options in program.asked} == {("-Kdot", "-Tsvg")}
    assert all('bgcolor=transparent' in source and 'size=""' in source for source, _ in program.asked)
    film = animation.Film(shared(), animation.Options(40, "all", called="animate"), order)
    assert list(film.frames) == ["topological", "naive"] and data["first"] == list(film.frames).index(order)
    shown = re.search("<svg.*</svg>", page, re.DOTALL)
    assert shown
    elements = parts_of(shown[0])
    for frames, steps in zip(film.frames.values(), data["walks"]):
        assert [frame.lines for frame in frames] == [step["lines"] for step in steps]
        for frame, step in zip(frames, steps):
            now = [(tag, {**attributes}, text) for tag, attributes, text in elements]
            for (part, name), k in zip(data["slots"], step["values"]):
                tag, attributes, text = now[part]
                if not name:
                    now[part] = tag, attributes, data["texts"][k]
                elif data["texts"][k] is None:
                    attributes.pop(name, None)
                else:
                    attributes[name] = data["texts"][k]
            picture = film.source(frame)
            picture.dot.defaults["graph"] |= {"bgcolor": "transparent", "size": ""}
            drawn = parts_of(tidied(program.svg(picture.dot.text()), ""))
            assert now[1:] == drawn[1:]
    last = program.svg(film.source(film.frames[order][-1]).dot.text())
    assert elements[1:] == parts_of(tidied(last, ""))[1:]
    assert None in data["texts"] and {name for _, name in data["slots"]} == {"", "fill", "stroke-width"}


def test_the_one_script_that_runs_is_told_by_its_hash(tmp_path: Path) -> None:
    page = page_of(shared(), tmp_path, Program())
    script = (Path(animation.__file__).parent / "animation.js").read_text("utf-8")
    assert page.count(f"<script>{script}</script>") == 1 and "addEventListener" in script
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in page
    data = re.search(r'id="steps">(.*?)</script>', page, re.DOTALL)
    assert data and not re.search("[<>&]", data[1])


def test_what_does_not_change_has_no_place_and_equal_texts_are_kept_once() -> None:
    def picture(*parts: tuple[str, dict[str, str], str | None]) -> list[Any]:
        found = []
        for tag, attributes, text in parts:
            element = ElementTree.Element(tag, attributes)
            element.text = text
            found.append(element)
        return found

    assert animation._changes([
        picture(("a", {"x": "1", "y": "2", "{xml}z": "3"}, "same"), ("b", {}, None)),
        picture(("a", {"x": "2", "y": "2", "{xml}z": "4"}, "same"), ("b", {"y": "1"}, "1")),
        picture(("a", {"x": "1", "y": "2", "{xml}z": "3"}, "same"), ("b", {}, "2"))]) == (
        [[0, "x"], [1, "y"], [1, ""]], ["1", "2", None, ""],
        [[0, 2, 3], [1, 0, 0], [0, 2, 1]])
    outer = ElementTree.fromstring("<g> one <a /></g>")
    assert animation._changes([[outer, *outer], [ElementTree.fromstring("<g>two<a /></g>"), outer[0]]]) == (
        [], [], [[], []])
    with pytest.raises(ag.RenderError) as raised:
        animation._changes([picture(("a", {}, "")), picture(("b", {}, ""))])
    assert str(raised.value) == (
        "animate: the program drew pictures of different parts; write a .png instead")


def test_only_an_order_that_is_asked_for_or_wrong_is_shown(tmp_path: Path) -> None:
    x = Value(3.0, "x")
    for order, titles in (("topological", 0), ("naive", 2)):
        page = page_of(named := ag.sin(x * 2.0), tmp_path, Program(), order=order)
        assert page.count('name="order"> ') == titles and len(read_page(tmp_path / "page.html")["walks"]) == (
            titles or 1)
    assert "<h1>The backward pass</h1>" in page
    named.label = "f(x)"
    assert "<h1>The backward pass from f(x)</h1>" in page_of(named, tmp_path, Program())
    assert "<h1>mine</h1>" in page_of(named, tmp_path, Program(), caption="mine")


@pytest.mark.parametrize("nodes, folded", [(40, False), (41, True)])
def test_a_graph_of_more_than_forty_nodes_is_folded(nodes: int, folded: bool, tmp_path: Path) -> None:
    x = Value(0.5, "x")
    for _ in range(nodes - 1):
        x = ag.sin(x)
    program = Program()
    page_of(x, tmp_path, program)
    assert ("nodes folded" in program.asked[0][0]) == folded


def test_up_to_120_results_are_steps() -> None:
    x = Value(0.5, "x")
    for _ in range(120):
        x = ag.sin(x)
    options = animation.Options(1000, "all", called="animate")
    assert len(animation.Film(x, options, "topological").frames["topological"]) == 122
    with pytest.raises(ag.RenderError) as raised:
        animation.Film(ag.sin(x), options, "topological")
    assert str(raised.value) == (
        "animate: the picture has 121 results, more steps than 120; give a smaller max_nodes")


@pytest.mark.parametrize("options, expected", [
    ({}, "0.3333"), ({"digits": 2}, "0.33"), ({"digits": 6}, "0.333333"), ({"style": "compact"}, "0.3333")])
def test_the_words_have_as_many_digits_as_are_asked_for_or_four(
        options: Any, expected: str, tmp_path: Path) -> None:
    page_of(Value(3.0, "x") * Value(1 / 3, "y"), tmp_path, Program(), **options)
    lines = read_page(tmp_path / "page.html")["walks"][0][1]["lines"]
    assert lines[1].endswith(f" · y = 1 · {expected} = {expected}")


# -- the animated PNG ---------------------------------------------------------------------------------


def label_of(source: str) -> list[tuple[str, ...]]:
    """The width, the height, the colour, the letters and the text of each line below a picture."""
    text, = re.findall(r"^\tgraph .* label=(<<TABLE.*?</TABLE>>) newrank", source, re.MULTILINE)
    assert text.startswith('<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1"><TR>')
    return re.findall(r'<TR><TD ALIGN="LEFT" WIDTH="(\d+)" HEIGHT="(\d+)"><FONT COLOR="(.*?)" '
                      r'POINT-SIZE="(\d+)">(.*?)</FONT></TD></TR>', text)


@pytest.mark.parametrize("across, room, letters, height", [
    (300, "420", "11", "16"), (612, "420", "11", "16"), (620, "425", "11", "16"), (800, "560", "11", "16"),
    (1600, "1160", "15", "22"), (1604, "1163", "16", "24"), (3200, "2360", "31", "46")])
def test_below_a_png_stands_what_happens_as_wide_as_the_picture(
        across: int, room: str, letters: str, height: str, tmp_path: Path) -> None:
    program = Program(across, 50)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(animation, "run", program)
        z = Value(3.0, "x") * Value(2.0, "y<")
        z.label = "z"
        ag.animate(z, tmp_path / "a.PNG", caption="mine", seconds=0.25)
    assert {options for _, options in program.asked} == {("-Kdot", "-Tpng", "-Gdpi=96")}
    first, *sources = [source for source, _ in program.asked]
    assert ">= 2<" in first and "penwidth=2.0" not in first and "penwidth=2.0" in sources[1]   # (the end)
    told = [label_of(source) for source in sources]
    assert len(told) == 3 and {line[:2] for lines in told for line in lines} == {(room, height)}
    assert {line[3] for lines in told for line in lines} == {letters}
    assert [line[2] for line in told[1]] == ["#5a6673", "#1f2933", "#0b62a8", "#0b62a8"]
    assert [[line[4] for line in lines] for lines in told] == [
        ["Step 0 of 2 · mine", "<B>The numbers have been computed; no gradient has arrived yet.</B>",
         "The pass begins at the root: ∂z/∂z = 1", "&#160;"],
        ["Step 1 of 2 · mine", "<B>z passes on ∂z/∂z = 1</B>", "∂z/∂x += ∂z/∂z · (y&lt;) = 1 · 2 = 2",
         "∂z/∂(y&lt;) += ∂z/∂z · x = 1 · 3 = 3"],
        ["Step 2 of 2 · mine", "<B>All has been passed on</B>", "∂z/∂(y&lt;) = 3", "∂z/∂x = 2"]]
    delays = [struct.unpack_from(">HH", content, 20) for name, content in chunks(
        (tmp_path / "a.PNG").read_bytes()) if name == b"fcTL"]
    assert delays == [(250, 1000), (250, 1000), (500, 1000)]


def test_a_png_of_as_many_pixels_as_may_be_is_written_and_one_of_more_is_not(tmp_path: Path) -> None:
    root = Value(1.0, "x") * 2.0                # (of 3 frames)
    for across, fits in ((10_000, True), (13_333, True), (13_334, False)):
        program = Program(across, 10_000)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(animation, "run", program)
            if fits:
                ag.animate(root, tmp_path / "a.png")
                continue
            with pytest.raises(ag.RenderError) as raised:
                ag.animate(root, tmp_path / "b.png")
    assert len(program.asked) == 2              # (which is noticed at the first)
    assert str(raised.value) == ("animate: 3 frames of 13,334 × 10,000 pixels are too large for a .png; "
                                 "write an .html, or give a smaller max_nodes")
    program = Program(20_000, 10_000)           # (of 2 frames, exactly as many)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(animation, "run", program)
        ag.animate(Value(1.0, "x"), tmp_path / "c.png")


def test_a_caption_of_several_lines_is_whole_below_a_png(tmp_path: Path) -> None:
    program = Program()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(animation, "run", program)
        ag.animate(Value(1.0, "x") * 2.0, tmp_path / "a.png", caption="a\nb\nc\nd")
    assert label_of(program.asked[1][0])[0][4] == r"Step 0 of 2 · a\\nb\\nc\\nd"


def test_letters_that_no_font_has_are_looked_for_in_each_bitmap(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    program = Program()
    monkeypatch.setattr(animation, "run", program)
    monkeypatch.setattr(animation, "warn_of_boxes", looked_at.append)
    ag.animate(Value(1.0, "层") * 2.0, tmp_path / "a.html")
    assert program.asked and not looked_at      # (a browser draws these)
    program.asked.clear()
    ag.animate(Value(1.0, "层") * 2.0, tmp_path / "a.png")
    assert looked_at == [source for source, _ in program.asked] and all("层" in x for x in looked_at)


def fitted(lines: list[str], room: float) -> list[str]:
    return animation._fitted(lines, room, 10)


def test_lines_are_broken_between_words_where_they_are_wider() -> None:
    word = "aaaaaaaaaa"                         # 58 points
    assert width(word, 10) == pytest.approx(58.0)
    assert fitted([word, f"{word} {word}"], 100.0) == [word, word, f"    {word}"]
    assert fitted([f"{word} {word}"], 132.0) == [f"{word} {word}"]
    two, one = f"{word} aaaaaaaa", "aaaaaaaaaaaa"
    room, narrow = width(two, 10) + 10.0, width(one, 10) + 10.0
    assert room - 10.0 == width(two, 10) and narrow - 10.0 == width(one, 10)
    assert fitted([two], room) == [two] and fitted([two], room - 0.5) == [word, "    aaaaaaaa"]
    assert fitted([one], narrow) == [one] and fitted([one], narrow - 0.5) == ["aaaaaaaaaa…"]
    assert fitted([""], 100.0) == [""] and fitted(["", "a"], 100.0) == ["", "a"]
    assert fitted(["a  b"], 100.0) == ["a  b"]


def test_of_too_many_lines_those_after_the_second_run_together_and_the_end_is_left_out() -> None:
    lines = list("abcdefgh")
    assert fitted(lines, 100.0) == lines
    assert fitted([*lines, "i"], 1000.0) == ["a", "b", "c,   d,   e,   f,   g,   h,   i"]
    words = ["word" * 6] * 7
    assert len(fitted([" ".join(words)], 160.0)) == 7
    assert fitted([" ".join(words), "x"], 160.0)[-1] == "x"
    assert fitted([" ".join(words), "x", "y"], 160.0) == [*fitted([" ".join(words)], 160.0), "…"]


# -- errors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, options, message", [
    (("a.gif",), {}, "cannot tell what to write to 'a.gif': the name must end in .html or .png"),
    (("html",), {}, "cannot tell what to write to 'html': the name must end in .html or .png"),
    (("a.html",), {"order": "no"}, "order='no': choose 'topological' or 'naive'"),
    (("a.html",), {"seconds": 0.0499}, "seconds=0.0499: choose a number from 0.05 to 60"),
    (("a.html",), {"seconds": 60.5}, "seconds=60.5: choose a number from 0.05 to 60"),
    (("a.html",), {"seconds": "2"}, "seconds='2': choose a number from 0.05 to 60"),
    (("a.html",), {"theme": "blue"}, None), (("a.html",), {"caption": 2}, None),
    (("missing/a.html",), {}, "cannot write 'missing/a.html': No such file or directory")])
def test_the_errors_say_what_to_give(arguments: Any, options: Any, message: str | None, tmp_path: Path,
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(animation, "run", Program())
    error = ag.RenderError if message and message.startswith("cannot") else ag.InputError
    with pytest.raises(error) as raised:
        ag.animate(Value(1.0, "x") * 2.0, *arguments, **options)
    assert type(raised.value) is error
    assert message is None or str(raised.value) == f"animate: {message}"
    assert not list(tmp_path.iterdir())


def test_what_is_not_a_value_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ag.InputError) as raised:
        ag.animate(2.0, tmp_path / "a.html")  # type: ignore[arg-type]
    assert type(raised.value) is ag.InputError and str(raised.value) == "animate: expected a Value, got float"


@pytest.mark.parametrize("seconds", [0.05, 1, 60.0])
def test_the_least_and_the_most_seconds_may_be_given(seconds: float, tmp_path: Path) -> None:
    page_of(Value(1.0, "x") * 2.0, tmp_path, Program(), name="a.HTML", seconds=seconds)
    assert read_page(tmp_path / "a.HTML")["seconds"] == seconds


def test_without_a_gradient_or_a_partial_no_flow_is_written() -> None:
    assert flow_text(2.0, -6.0, 3) == ("· 2", "= −6") and flow_text(0.0, 0.0, 3) == ("· 0", "= 0")
    blank = "&#160;", "&#160;"
    assert flow_text(None, None, 3) == flow_text(2.0, None, 3) == flow_text(None, 2.0, 3) == blank
