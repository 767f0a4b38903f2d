"""Numbers and names in pictures and formulas; DOT; the program that draws, and what it is asked for."""
from __future__ import annotations

import functools
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.drawing import engine
from autograd_lite.drawing.cards import against, escape, judged, number, tooltip
from autograd_lite.drawing.dialects import figure
from autograd_lite.drawing.dot import Dot
from autograd_lite.drawing.formulas import Call, Named, Number, Sum, added, formula, multiplied
from autograd_lite.drawing.marks import Mark
from autograd_lite.ops.op import TABLE


@pytest.mark.parametrize("x, digits, expected", [
    (0.1, 30, "0.10000000000000001"), (0.1, 17, "0.10000000000000001"), (9999.0, 4, "9999"),
    (9999.5, 4, "1e4"),
    (10000.0, 4, "10000"), (-123456.0, 4, "−123456"), (999999.4, 4, "999999"), (1e6, 4, "1e6"),
    (-1e6, 3, "−1e6"), (1234567.0, 3, "1.23e6"), (12.5, 1, "12"), (9.5, 1, "1e1"), (10.4, 1, "10"),
    (0.00012345, 3, "0.000123"), (1.5e-5, 3, "1.5e-5"), (-2.5e-10, 2, "−2.5e-10"), (1.5e300, 4, "1.5e300"),
    (math.nan, 4, "nan"), (-math.inf, 4, "−inf"), (0.0, 4, "0"), (-0.0, 4, "−0")])
def test_a_number_on_a_card_has_so_many_digits_and_no_exponent_up_to_a_million(x, digits, expected):
    assert number(x, digits) == expected


@pytest.mark.parametrize("claimed, derived, digits, expected", [
    (0.5, 0.25, 3, "0.5, not 0.25"), (0.12345678, 0.12345679, 3, "0.12345678, not 0.12345679"),
    (1.0, 1.0000001, 17, "1, not 1.0000001000000001"),
    (0.1, math.nextafter(0.1, 1.0), 2, "0.10000000000000001, not 0.10000000000000002")])
def test_two_numbers_that_differ_have_as_many_digits_as_tell_them_apart(claimed, derived, digits, expected):
    assert against(claimed, derived, digits) == expected
    assert judged(Mark("", "inherits", claimed, derived, (), False), digits) == expected
    assert judged(Mark("", "cause", claimed, derived, (), False), digits) == "wrong: " + expected


def test_a_text_is_cut_where_it_is_too_long_and_a_tooltip_after_400_letters():
    assert [escape("abcd", n) for n in (3, 4, 5)] == ["ab…", "abcd", "abcd"]
    assert escape("x" * 32) == "x" * 32 and escape("x" * 33) == "x" * 31 + "…"
    assert tooltip("x" * 400, "y" * 401) == "x" * 400 + "&#10;" + "y" * 399 + "…"
    assert tooltip("a\\b", 'a"<') == r"a\\\\b&#10;a&quot;&lt;"


@pytest.mark.parametrize("x, digits, expected", [
    (0.5932699921, 6, "0.593270"), (0.05, 6, "0.05"), (0.01, 2, "0.01"), (0.012345, 3, "0.012"),
    (0.0099999, 3, "0.01"), (0.0098765, 3, "0.00988"), (9.99961, 3, "10.000"), (10.0001, 3, "10"),
    (12.3456, 3, "12.3"), (-12.3456, 3, "-12.3"), (123456.0, 6, "123456"), (1e6, 6, "1e+06"),
    (999999.0, 6, "999999"), (-1e6, 6, "-1e+06"), (100.0, 2, "1e+02"), (105.0, 2, "1e+02"), (99.0, 2, "99"),
    (0.3 + 4.0 * math.ulp(0.3), 6, "0.3"), (0.3 + 5.0 * math.ulp(0.3), 6, "0.300000"), (10.0, 1, "1e+01"),
    (0.0123, 3, "0.012"), (0.095, 2, "0.095"), (0.104, 2, "0.10"),
    (0.12, 3, "0.12"), (1.0, 1, "1"), (9.0, 1, "9"), (-7.0, 3, "-7"), (12.0, 2, "12"),
    (1234567890123456.0, 16, "1234567890123456"), (12345678901234568.0, 17, "12345678901234568"),
    (1e16, 17, "10000000000000000"), (1e16, 16, "1e+16"), (123456789.0, 9, "123456789"),
    (0.1 + 0.2, 6, "0.3"), (0.1 + 0.2, 17, "0.30000000000000004"), (1.1 * 1.1, 6, "1.21"),
    (0.123, 3, "0.123"),
    (0.1234, 3, "0.123"), (1.25, 2, "1.25"), (1.234, 3, "1.234"), (12.34, 3, "12.3"),
    (12.34, 4, "12.34"), (-0.125, 3, "-0.125"), (0.0125, 4, "0.0125"), (0.00125, 4, "0.00125"),
    (0.00125, 5, "0.00125"), (1e-7, 6, "1e-07"), (1.5e-7, 3, "1.5e-07"), (math.inf, 3, "inf"),
    (math.nan, 3, "nan"), (0.0, 3, "0"), (-0.0, 3, "0"), (1e300, 6, "1e+300")])
def test_a_number_in_a_formula_is_exact_if_it_is_short_or_has_so_many_digits(x, digits, expected):
    assert figure(x, digits) == expected


@pytest.mark.parametrize("digits", range(1, 18))
def test_a_figure_has_about_as_many_digits_as_asked_for_and_is_never_none_of_them(digits):
    for k in range(-40, 40):
        x = 1.0371 ** k * math.pi / 3.0
        for y in (x, -x, 1e-5 * x, 0.01 * x, 100.0 * x):
            off = 0.5 * 10.0 ** (1 - digits + (digits > 2)) + 1e-15  # (decimals may be one digit short)
            assert abs(float(figure(y, digits)) - y) <= off * abs(y)


def test_a_sum_keeps_forty_terms_and_counts_the_others():
    xs = [Named(f"x{k}", k + 1.0) for k in range(43)]
    for n, hidden in ((40, 0), (41, 1), (43, 3)):
        found = added(xs[:n])
        assert isinstance(found, Sum) and len(found.terms) == min(n, 40) and found.hidden == hidden
        assert found.data == n * (n + 1) / 2
    again = added([added(xs[:42]), added(xs[:41])])
    assert isinstance(again, Sum) and again.hidden == 3 and len(again.terms) == 40
    assert added([added(xs[:42]), xs[0], Number(2.0)]).hidden == 3
    rest = added([added(xs[:41]), *[-x for x in xs[:40]]])
    assert isinstance(rest, Sum) and (rest.terms, rest.hidden, rest.data) == ((), 1, 41.0)
    left = added([added(xs[:41]), *[-x for x in xs[1:40]]])
    assert isinstance(left, Sum) and ([*left.terms], left.hidden) == (xs[:1], 1)


def test_equal_factors_and_terms_are_taken_together():
    x, y = Named("x", 2.0), Named("y", 3.0)
    assert (x * y * x).key == (x ** 2 * y).key and (x * y / x).key == y.key
    assert (x + y - x).key == y.key and (x - x).key == Number(0.0).key
    assert multiplied([(Number(2.0), 3), (x, 1)]).coefficient == 8.0
    assert multiplied([(Number(0.0), 1), (x, 1)]).key == Number(0.0).key
    assert math.isnan(multiplied([(Number(0.0), -1), (x, 1)]).data)
    assert ((x * y + y * 2.0).data, ((x - y) ** 3).data, (1.0 / (x * y)).data) == (12.0, -1.0, 1.0 / 6.0)
    assert ((x ** y).data, (2.0 ** x).data, (5.0 - x).data, (6.0 / x).data) == (8.0, 4.0, 3.0, 3.0)
    assert isinstance(x ** 99, type(x * y)) and isinstance(x ** 100, Call) and isinstance(x ** 0.5, Call)
    assert isinstance(x ** -99, type(x * y)) and isinstance(x ** -100, Call) and isinstance(x ** -0.5, Call)
    assert (x ** 1).key == x.key and (x ** 0).key == Number(1.0).key and (x ** -2 * x ** 3).key == x.key
    assert (x * 1.0).key == x.key and (2.0 * x * 0.5).key == x.key and (x * 0.0).key == Number(0.0).key


def test_a_difference_with_a_minus_before_it_is_turned_if_its_power_is_odd():
    x, y = Named("x", 2.0), Named("y", 3.0)
    d = x - y
    assert (-d).key == (y - x).key and (-(d ** 3)).key == ((y - x) ** 3).key
    assert (-(d ** 2)).coefficient == -1.0 and (-(x + y)).coefficient == -1.0
    assert (-(d / y)).key == ((y - x) / y).key


def test_a_formula_that_cannot_be_computed_is_nan():
    x = Named("x", 0.0)
    assert math.isnan((1.0 / x).data) or math.isinf((1.0 / x).data)
    assert Call(TABLE["exp"], [formula(1000.0)]).data == math.inf
    own = ag.custom_op(lambda x: math.log(x), (lambda y, x: 1.0 / x,), name="own log")
    try:
        assert math.isnan(Call(own, [formula(-0.5)]).data) and Call(own, [formula(1.0)]).data == 0.0
    finally:
        del TABLE["own log"]


# -- DOT -----------------------------------------------------------------------------------------------


def test_dot_is_written_as_graphviz_does():
    graphviz = pytest.importorskip("graphviz")
    ours, theirs = Dot("g", {"a": "1"}, {}, {"b": "x y"}), graphviz.Digraph("g")
    theirs.attr("graph", a="1")
    theirs.attr("edge", b="x y")
    for text in ("x", "1", "-1.5", ".5", "1.", "-", "1a", "a1_", "", "node", "Graph", "<b", "b>", "<b>", "é",
                 "a-b"):
        ours.add((), "n", {"tooltip": text, "a": "z"})
        theirs.node("n", a="z", tooltip=text)
        ours.arrow("n", "m", {"tooltip": text})
        theirs.edge("n", "m", tooltip=text)

    def lines(source: str) -> list[str]:
        return sorted(" ".join(line.split()) for line in source.splitlines())

    assert lines(ours.text()) == lines(theirs.source)


def test_scopes_are_nested_and_their_nodes_stand_upwards_where_that_is_said():
    dot = Dot("g", cluster=lambda scope: {"label": "/".join(scope)}, upwards=lambda scope: len(scope) == 1)
    assert dot.description == "" and () in dot and ("a",) not in dot
    for scope, name in (((), "n0"), (("a", "b"), "n1"), (("a",), "n2"), (("a",), "n3"), (("c",), "n4"),
                        ((), "n5"), (("a", "b"), "n6")):
        dot.add(scope, name, {})
    dot.rank(["n0", "n5"])
    assert ("a",) in dot and ("a", "b") in dot and ("b",) not in dot
    assert dot.text().replace("\t", "  ") == """\
digraph g {
  n0 []
  n5 []
  subgraph cluster_1 {
    graph [label=a]
    n3 []
    n2 []
    subgraph cluster_2 {
      graph [label="a/b"]
      n1 []
      n6 []
    }
  }
  subgraph cluster_3 {
    graph [label=c]
    n4 []
  }
  { rank=same; n0 -> n5 [style=invis] }
}
"""


# -- the program that draws ------------------------------------------------------------------------------


class Done:
    def __init__(self, stdout: bytes = b"", stderr: bytes = b"", returncode: int = 0):
        self.stdout, self.stderr, self.returncode = stdout, stderr, returncode


NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)          # (Windows alone has one)
PNG = b"\x89PNG\r\n\x1a\n..."


def answering(patch: pytest.MonkeyPatch, answer: Any) -> list[Any]:
    """Let programs answer so; the calls, as they are made."""
    calls: list[Any] = []

    def run(command: list[str], **options: Any) -> Any:
        calls.append((command, options))
        if isinstance(answer, Exception):
            raise answer
        return answer
    patch.setattr(subprocess, "run", run)
    return calls


@pytest.mark.parametrize("answer, trouble", [
    (Done(PNG), ""), (Done(PNG, b"a warning"), ""),
    (Done(PNG, returncode=1), "cannot write a PNG: exit status 1"),
    (Done(b"GIF", b""), "cannot write a PNG: exit status 0"),
    (Done(PNG, b"one\nno libexpat\n"), "cannot write a PNG: no libexpat"),
    (Done(b"", b"first\nlast \n\n", 3), "cannot write a PNG: last"),
    (OSError("gone"), "does not run: gone"),
    (subprocess.TimeoutExpired("dot", 60), "does not run: Command 'dot' timed out after 60 seconds")])
def test_what_is_wrong_with_a_program_is_said(answer, trouble, monkeypatch):
    calls = answering(monkeypatch, answer)
    assert engine._trouble.__wrapped__("/bin/some-dot") == trouble
    (command, options), = calls
    assert command == ["/bin/some-dot", "-Tpng"] and options["timeout"] == 60 and options["capture_output"]
    assert options["input"].startswith(b"digraph") and options["creationflags"] == NO_WINDOW


@pytest.mark.parametrize("answer, message", [
    (Done(b"drawn"), None), (Done(b"drawn", b"warned"), None),
    (OSError("gone"), "/bin/dot -Kdot -Tpdf does not run: gone"),
    (Done(b"", b'x\nFormat: "pdf" not recognized. Use one of: png\n', 1),
     f"/bin/dot does not write pdf; install {engine.SYSTEM}, which does, or write another kind of file "
     "(.html, say, which a browser prints as a PDF)"),
    (Done(b"", b"", 0), "/bin/dot -Kdot -Tpdf failed with exit status 0: it wrote nothing; a smaller "
     "max_nodes may help"),
    (Done(b"half", b"one\ntwo\n", 2),
     "/bin/dot -Kdot -Tpdf failed with exit status 2: two; a smaller max_nodes may help")])
def test_what_a_program_writes_is_given_and_what_it_says_is_an_error(answer, message, monkeypatch):
    monkeypatch.setattr(engine, "program", lambda: "/bin/dot")
    calls = answering(monkeypatch, answer)
    if message is None:
        assert engine.run("digraph {}", "-Kdot", "-Tpdf") == b"drawn"
    else:
        with pytest.raises(ag.RenderError) as raised:
            engine.run("digraph {}", "-Kdot", "-Tpdf")
        assert str(raised.value) == message
    assert calls[0][0] == ["/bin/dot", "-Kdot", "-Tpdf"] and calls[0][1]["input"] == b"digraph {}"
    assert calls[0][1]["creationflags"] == NO_WINDOW


def test_the_first_program_that_works_is_taken_and_the_others_are_told(monkeypatch):
    found = [("one", "/1"), ("two", "/2"), ("three", "/3")]
    monkeypatch.setattr(engine, "_candidates", lambda: iter(found))
    monkeypatch.setattr(engine, "_trouble", {"/1": "is\nbad", "/2": "", "/3": ""}.__getitem__)
    assert engine.program() == "/2"
    monkeypatch.setattr(engine, "_trouble", {"/1": "is\nbad", "/2": "no", "/3": "never"}.__getitem__)
    with pytest.raises(ag.RenderError) as raised:
        engine.program()
    assert str(raised.value).startswith(
        r"no program to draw with was found; one (/1) is\nbad; two (/2) no; three (/3) never. Install one: ")


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_a_dot_of_the_system_comes_first(monkeypatch, tmp_path):
    dot = tmp_path / "dot"
    dot.write_text("#!/bin/sh\n")
    dot.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert next(engine._candidates()) == ("the system's dot", str(dot))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.curdir)
    assert next(engine._candidates()) == ("the system's dot", str(dot))


def test_of_the_files_of_the_pure_package_its_program_is_taken(monkeypatch, tmp_path):
    files = []
    for name in ("graphviz-pure.dist-info/METADATA", "gone/graphviz-pure", "bin/graphviz-pure.exe"):
        (tmp_path / name).parent.mkdir()
        files.append(SimpleNamespace(stem=Path(name).stem, locate=functools.partial(str, tmp_path / name)))
        if "gone" not in name:
            (tmp_path / name).write_text("x")
    monkeypatch.setattr(engine.shutil, "which", lambda name: None)
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: SimpleNamespace(files=files))
    assert [*engine._candidates()] == [("graphviz-pure", str(tmp_path / "bin" / "graphviz-pure.exe"))]
    files.clear()
    assert not [*engine._candidates()]


@pytest.mark.parametrize("platform, found", [("win32", False), ("linux", True)])
def test_on_windows_a_dot_in_the_working_folder_is_not_run(platform, found, monkeypatch):
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: SimpleNamespace(files=None))
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(engine.shutil, "which", lambda name: f"some{os.sep}{name}")
    relative = os.path.abspath(f"some{os.sep}dot")
    assert [*engine._candidates()] == [("the system's dot", relative)] * found
    monkeypatch.setattr(engine.shutil, "which", lambda name: relative)
    assert [*engine._candidates()] == [("the system's dot", relative)]


# -- what a drawing asks for -------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """The options and the sources that the program is given; it answers with a picture of no parts."""
    drawn = pytest.importorskip("autograd_lite.drawing.drawn")
    calls: list[Any] = []

    def run(source: str, *options: str) -> bytes:
        calls.append((source, options))
        return b'<svg width="10pt" xmlns="http://www.w3.org/2000/svg"><g /></svg>'
    monkeypatch.setattr(drawn, "run", run)
    monkeypatch.setattr(drawn, "warn_of_boxes", lambda source: calls.append("letters"))
    return calls


def drawing() -> Any:
    return ag.draw(Value(2.0, "x") * 3.0)


@pytest.mark.parametrize("arguments, options, expected, letters", [
    ([], {}, ["-Kdot", "-Tpdf"], True), (["png"], {}, ["-Kdot", "-Tpng", "-Gdpi=144"], True),
    (["jpeg"], {"engine": "neato"}, ["-Kneato", "-Tjpeg", "-Gdpi=144"], True),
    (["svg"], {}, ["-Kdot", "-Tsvg"], False), (["ps"], {}, ["-Kdot", "-Tps"], False),
    (["png"], {"renderer": "cairo", "formatter": "gd"}, ["-Kdot", "-Tpng:cairo:gd", "-Gdpi=144"], True),
    (["svg"], {"neato_no_op": 2}, ["-Kdot", "-Tsvg", "-n2"], False),
    (["svg"], {"neato_no_op": True}, ["-Kdot", "-Tsvg", "-n1"], False)])
def test_a_drawing_asks_for_a_kind_and_only_pictures_of_dots_for_their_number(
        arguments, options, expected, letters, asked):
    drawing().pipe(*arguments, **options)
    assert [call for call in asked if call != "letters"][0][1] == tuple(expected)
    assert ("letters" in asked) == letters


def test_an_svg_is_drawn_at_its_own_size_and_says_what_it_shows(asked):
    found = drawing().pipe("svg")
    assert isinstance(found, bytes) and ' size=' not in asked[0][0]
    assert 'aria-label="computation graph of * = 6: 2 nodes; 1 leaf with a gradient"' in found.decode()
    assert isinstance(drawing().pipe("svg", encoding="utf-8"), str)
    assert drawing().pipe("svg", "cairo").startswith(b"<svg width") and " size=" in drawing().source
    drawing().pipe("ps")
    assert " size=" in asked[-1][0]


def test_a_page_has_the_background_of_its_picture_if_that_is_a_colour(asked):
    for colour, background in (("#14181d", "#14181d"), ("red", "red"), ("transparent;x", "white"),
                               ("", "white")):
        picture = drawing()
        picture.graph_attr["bgcolor"] = colour
        assert f"background:{background}" in picture.html()
    for direction, start in (("LR", "rtl"), ("TB", "ltr")):
        page = ag.draw(Value(2.0, "x") * 3.0, direction=direction).html()
        assert f"direction:{start};" in page and "width:max(min(100%,13px),7px)" in page


@pytest.mark.parametrize("include, exclude, kinds", [
    (None, None, {"text/html", "image/svg+xml", "text/plain"}), (["text/html"], None, {"text/html"}),
    (["image/svg+xml"], None, {"image/svg+xml"}), (None, ["text/html"], {"image/svg+xml", "text/plain"}),
    (["text/html", "image/svg+xml"], ["image/svg+xml"], {"text/html"}),
    (["text/plain"], None, {"text/plain"})])
def test_a_notebook_is_given_the_kinds_that_it_asks_for(include, exclude, kinds, asked):
    assert drawing()._repr_mimebundle_(include, exclude).keys() == kinds


def test_a_source_is_saved_in_a_folder_that_is_made_and_kept_where_that_is_asked_for(tmp_path):
    picture = drawing()
    path = Path(picture.save("new/g.gv", tmp_path))
    assert path == tmp_path / "new" / "g.gv" and path.read_text("utf-8") == picture.source
    path.write_text("mine")
    assert picture.save("new/g.gv", tmp_path, skip_existing=True) == str(path) and path.read_text() == "mine"
    picture.save("new/g.gv", tmp_path)
    assert path.read_text("utf-8") == picture.source


def test_a_copy_of_a_drawing_says_what_it_shows_too():
    assert drawing().copy().description == drawing().description != "computation graph"
