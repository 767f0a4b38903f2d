"""Whatever a name holds, what people see of it is text on its line: one way to show a label, everywhere."""
from __future__ import annotations

import contextlib
import io
import json
import math
import textwrap
import warnings
from unicodedata import category, east_asian_width

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import AutogradError, LabelError, Value, nn, optim
from autograd_lite.checks.report import clip, columns, filled, wrapped
from autograd_lite.errors import short
from autograd_lite.lines import Line, printable
from autograd_lite.testing import assert_derivation

SOME = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
ODD = ["\n", "\r", "\t", "\0", "\x07", "\b", "\x1b[31m", "\x1b]0;title\x07", "\x7f", "\x85", "\x9b", "\xa0",
       "\xad", *map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0x200D, 0x200F, 0x2028,
                          0x2029, 0x3000, 0xFEFF, 0xFFFE, 0xE0001, 0x10FFFF]),
       "\ud800", "\udc80", "\ud83d", "e\u0301", "a" + "\u0301" * 300, "两层网络", "🎉", "\\", "'", '"', "{0}",
       "%s", "", " ", "    ", "x" * 300, "long name " * 30]
labels = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=()), max_size=12),
                   st.lists(st.sampled_from([*ODD, "w", "[0]", " "]), max_size=4).map("".join))
SHORT = [x for x in ODD if 0 < len(x) < 12 and x.strip()]


def prints(text: str, width: int | None = None) -> list[str]:
    """The lines of a text, each of which a terminal shows as it stands (in so many columns)."""
    assert isinstance(text, str)
    lines = text.split("\n")
    for line in lines:
        assert all(c.isprintable() or c == "\N{NO-BREAK SPACE}" for c in line), ascii(line)
        line.encode("utf-8")
        if width:
            assert wide(line) <= width, (wide(line), line)
    return lines


def wide(line: str) -> int:
    return sum(0 if category(c) in ("Mn", "Me") else 1 + (east_asian_width(c) in "WF") for c in line)


def graph(a, b):
    """A small graph with these names, and a wrong claim about it."""
    x, y = Value(1.5, a), Value(-0.25, b)
    z = x * y
    z.label = a + b
    out = ag.tanh(z) + x
    return x, y, z, out


# -- the parts -----------------------------------------------------------------------------------


@given(labels)
@SOME
def test_any_text_becomes_one_that_prints_and_one_that_prints_stays(text):
    made = printable(text)
    assert made.isprintable() and bool(made.encode()) == bool(text) and printable(made) == made
    assert made == text or not text.isprintable()
    assert prints(short(text)) and prints(repr(Value(1.0, text)))


@given(labels, st.integers(6, 90))
@SOME
def test_a_clipped_or_filled_text_has_its_width_and_keeps_both_ends(text, width):
    text = printable(text)
    assert wide(clip(text, width)) <= width and wide(filled(text, width)) == width
    assert columns(text) == wide(text)
    if wide(text) <= width and len(text) <= width:
        assert clip(text, width) == text
    else:
        assert "…" in clip(text, width) and len(clip(text, width)) <= 8 * width


@given(st.lists(st.sampled_from(["a", "bc", "两层网络", "long-ish,", "x" * 30]), max_size=40).map(" ".join))
@SOME
def test_ordinary_text_is_broken_as_the_standard_library_does_it(text):
    if text.isascii():
        assert wrapped(text, "head: ", 4) == textwrap.wrap(
            text, 79, initial_indent="head: ", subsequent_indent="    ", break_on_hyphens=False)
    lines = wrapped(text, "head: ", 4)
    assert " ".join(" ".join(lines).split()).removeprefix("head:").strip() == text
    assert all(wide(line) <= 79 for line in lines)


def test_the_caret_stands_under_the_part_that_is_meant_whatever_is_before_it():
    text = "x\t= '\u202e' + log(y)"
    shown = str(Line("a\nb\x1b.py", 3, text, text.index("log"), len(text))).split("\n")
    assert shown[0] == "at a\\nb\\x1b.py:3" and shown[1] == "    x\\t= '\\u202e' + log(y)"
    assert shown[2].index("^") == shown[1].index("log") and shown[2].count("^") == len("log(y)")


# -- reports --------------------------------------------------------------------------------------


def reports(a, b):
    """Every kind of report on a graph with these names, and how wide its text may be."""
    x, y, z, out = graph(a, b)
    yield ag.audit(out, [((out, x), 3.0), ((z, y), 1.5), ((out, z), 0.1), ((out, y), 0.15)]), 80
    yield ag.explain(out, x), 80
    yield ag.explain(out), 80
    with ag.errstate("ignore"):
        broken = Value(0.0, a).log() * Value(1.0, b)
    yield ag.explain(broken), 80
    yield ag.explain(ag.relu(x - 5.0) * y, x), 80

    def f(point):
        return ag.sum([ag.sin(p) for p in point.values()])
    f.__name__ = a
    yield ag.check_gradients(f, {a: 0.5, b + "'": 2.0}, claimed={a: 1.0, b + "'": 2.0}), 80


@given(labels, labels)
@SOME
def test_reports_print_whatever_the_labels_are(a, b):
    for report, width in reports(a, b):
        prints(str(report), width)
        prints(report.summary(), width)
        for finding in report.findings:
            assert len(prints(str(finding))) == 1
        json.dumps(report.as_dict(), allow_nan=False)
        if not report.ok:
            with pytest.raises(ag.AuditError) as caught:
                report.check()
            prints(str(caught.value))
        for path in getattr(report, "paths", ()):
            assert len(prints(str(path))) == len(prints(path.brief())) == len(prints(path.product())) == 1


def test_a_label_makes_no_line_more_or_less_than_a_plain_one_of_its_width():
    for label in SHORT:
        plain = "w" * columns(printable(label))
        assert [str(report).count("\n") for report, _ in reports(label, "u")] == [
            str(report).count("\n") for report, _ in reports(plain, "u")], ascii(label)


def starts(table, *words):
    """At which columns of a table these words stand."""
    return {wide(line[:line.index(word)]) for line in table for word in words if word in line}


@pytest.mark.parametrize("label", ["两层网络", "e\u0301" * 5, "🎉", "\x1b[31m", "x" * 300, "a" + "\u0301" * 300])
def test_the_columns_of_a_table_stay_aligned(label):
    x, y, z, out = graph(label, "u")
    table = str(ag.audit(out, [((out, x), 3.0), ((z, y), 1.5)])).split("\n\n")[1].split("\n")
    assert len(starts(table, "verdict", "CAUSE", "agrees")) == 1
    table = str(ag.check_gradients(lambda p: p[label] * p[label], {label: 3.0})).split("\n\n")[1].split("\n")
    assert len(starts(table, "verdict", "correct")) == 1


@given(labels, labels)
@settings(SOME, max_examples=8)
def test_a_diagnosis_prints_whatever_the_labels_are(a, b):
    def forward(point):
        x, y = Value(point[0], a), Value(point[1], b + "u")
        z = x * y
        root = z * z
        root.label = "root"
        return [root, x, y]

    def hand(point):
        x, y = point
        return {a: 2 * x * y * x}
    points = [(0.3, 0.7), (1.1, -0.4), (0.9, 0.2), (-0.6, 1.3)]
    with contextlib.suppress(LabelError):           # (there is none; it names both; it looks like an entry)
        report = ag.diagnose(forward, hand, points)
        prints(str(report), 80)
        for row in report.causes:
            for diagnosis in row.diagnoses:
                assert len(prints(diagnosis.text)) == 1


# -- errors, warnings and pictures -------------------------------------------------------------------


class Odd:
    """An object whose repr, and the name of whose class, are any text."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text


class Broken:
    def __repr__(self):
        raise KeyError("no")


def failures(name, thing):
    """Calls that fail, with a name and an object of somebody else's in their messages."""
    def f(*args):
        return thing
    f.__name__ = name
    x, model = Value(-2.0, name), nn.Neuron(2, scope=name)
    y = x * 2.0
    yield lambda: x.log()
    yield lambda: ag.log(y * x - 20.0)
    yield lambda: ag.sqrt(Value(0.0, name)).backward()
    yield lambda: setattr(y, "data", 3.0)
    yield lambda: setattr(x.detach(), "grad", 1.0)
    yield lambda: float(x)
    yield lambda: Value(thing)
    yield lambda: Value(name)
    yield lambda: setattr(x, "scope", thing)
    yield lambda: ag.label({name: 3.0})
    yield lambda: ag.label({name: thing})
    yield lambda: ag.explain(y, name + "?")
    yield lambda: ag.explain(thing)
    yield lambda: ag.audit(y, {name + "?": 1.0})
    yield lambda: ag.audit(y, {(y, name): thing})
    yield lambda: ag.audit(y, [(thing, 1.0)])
    yield lambda: ag.audit(y, thing)
    yield lambda: ag.evaluate(y, {name + "?": 1.0})
    yield lambda: ag.evaluate(y, {y: 1.0})
    yield lambda: ag.evaluate(y, {x: thing})
    yield lambda: ag.evaluate(y, number=thing)
    yield lambda: ag.evaluate(y, wrt=x, order=thing)
    yield lambda: ag.grad(f)(1.0)
    yield lambda: ag.grad(f)(thing)
    yield lambda: ag.grad(f, thing)
    yield lambda: ag.grad(f, name)(1.0)
    yield lambda: ag.grad(f, unused=thing)
    yield lambda: ag.grad(lambda p: 1.0, unused="raise")(1.0)
    yield lambda: ag.derivative(f, thing)
    yield lambda: ag.derivative(f)([1.0])
    yield lambda: ag.jacobian(thing)
    yield lambda: ag.check_gradients(f, 1.0)
    yield lambda: ag.check_gradients(f, 1.0, order=thing)
    yield lambda: ag.check_op(thing)
    yield lambda: ag.errstate(thing)
    yield lambda: ag.no_grad(thing)
    yield lambda: ag.no_grad()(thing)
    yield lambda: optim.SGD([thing])
    yield lambda: optim.Adam([x], betas=thing)
    yield lambda: optim.SGD([x], lr=thing)
    yield lambda: model([1.0])
    yield lambda: model([thing, 1.0])
    yield lambda: model.load_state_dict({name: 1.0})
    yield lambda: nn.Neuron(2, activation=thing)
    yield lambda: nn.Neuron(2, bias=thing)
    yield lambda: nn.hinge(thing, 1)
    yield lambda: nn.softmax_cross_entropy(thing, 0)
    yield lambda: nn.binary_cross_entropy(0.5, thing)
    yield lambda: model.load(f"/nowhere/{name.replace(chr(0), '')}")
    yield lambda: ag.custom_op(f, (f, f), name=name)
    yield lambda: ag.draw(thing)
    yield lambda: ag.draw(y, direction=thing)
    yield lambda: ag.draw(y, max_nodes=thing)
    yield lambda: ag.render(y, f"{name}.gif")
    yield lambda: ag.render(y, f"/nowhere/{name}.dot")
    yield lambda: assert_derivation(lambda p: Value(1.0, name) * 2.0, lambda p: {name: 3.0},
                                    st.just({name: 1.0}))

    class Holder(nn.Module):
        def __init__(self):
            self.parts = {name: {thing: Value(1.0)}, "set": {Value(1.0, name)}}
    yield lambda: Holder().parameters()


@given(labels)
@SOME
def test_errors_print_whatever_the_names_in_them_are(name):
    kind = type("Odd", (Odd,), {})
    for thing in (kind(name), Broken()):
        for call in failures(name or "f", thing):
            with contextlib.suppress(OSError):
                with pytest.raises(Exception) as caught:
                    call()
                if isinstance(caught.value, AutogradError):
                    prints(str(caught.value))
                else:
                    assert isinstance(caught.value, (OSError, ValueError)), repr(caught.value)


def test_a_name_makes_no_line_of_an_error_more():
    def lines(name, kind):
        found = []
        for call in failures(name, kind(name)):
            try:
                call()
            except AutogradError as error:
                found.append(len(str(error).split("\n")))
            except (OSError, ValueError):
                found.append(0)
        return found
    plain = lines("w", Odd)
    for name in SHORT:
        assert lines(name, type("Odd\n\u202e", (Odd,), {})) == plain, ascii(name)


@given(labels)
@SOME
def test_warnings_print_whatever_the_label_is(name):
    with warnings.catch_warnings(record=True) as caught, ag.errstate("warn"):
        warnings.simplefilter("always")
        Value(-1.0, name).log()
    assert len(prints(str(caught[0].message))) == 1


@given(labels)
@SOME
def test_an_op_of_any_name_prints(name):
    if not name:
        return
    op = ag.custom_op(lambda x: math.log(x), (lambda y, x: 1.0 / x,), name=f"an op {name}")
    y = op(Value(2.0, name))
    prints(f"{op!r} {y!r} {y.op}")
    prints(str(ag.explain(y)), 80)
    for wrong in (lambda: op(-1.0), lambda: op(1.0, 2.0), lambda: op("x"), lambda: op(Value(-1.0))):
        with pytest.raises(AutogradError) as caught:
            wrong()
        prints(str(caught.value))
    prints(str(ag.check_op(op, 2.0)), 80)


@given(labels)
@SOME
def test_the_source_of_a_picture_prints(name):
    pytest.importorskip("graphviz")
    x, y, z, out = graph(name, "u")
    x.scope = (name, name)
    drawing = ag.draw(out, caption=name)
    assert all(c.isprintable() or c in "\n\t" for c in drawing.source) and drawing.source.encode()


def test_names_of_modules_and_parameters_print():
    model = nn.MLP(2, [2, 1], scope="a\n\x1b[31m\u202eb")
    with pytest.raises(AutogradError) as caught:
        model([1.0])
    assert len(prints(str(caught.value))) == 1
    with pytest.raises(AutogradError) as caught:
        model.load_state_dict(dict.fromkeys(model.state_dict(), "a\nb\x1b"))
    assert len(prints(str(caught.value))) == 1


def test_the_command_line_names_files_that_do_not_print(tmp_path, monkeypatch):
    from autograd_lite import cli
    folder = tmp_path / "a\nb\x1b"
    monkeypatch.setattr("sys.stderr", io.StringIO())
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        cli.main(["document", "--steps", "1", "--output", str(folder)])
    assert not [line for line in out.getvalue().split("\n") if not line.isprintable()]
    assert "a\\nb\\x1b" in out.getvalue()


def test_a_report_and_its_entries_show_themselves_in_a_console_as_they_print():
    w = Value(0.5, "w")
    h = ag.tanh(w)
    loss = (h - 1.0) ** 2
    ag.label(h=h, loss=loss)
    audited = ag.audit(loss, {"h": 2.0, "w": 3.0})
    checked = ag.check_gradients(ag.tanh, 0.5, claimed=1.0, order=1)
    with ag.errstate("ignore"):
        explained = ag.explain(ag.log(Value(0.0, "a")) * 0.0)
    for report in (audited, checked, explained):
        assert repr(report) == str(report) and len(report.findings) >= 1
        for entry in (*report.findings, *getattr(report, "rows", ())):
            assert repr(entry) == f"<{entry}>" and "\n" not in repr(entry)
    assert repr(audited.causes[0]) == "<∂loss/∂h: claimed 2, is -1.07576568548>"


@pytest.mark.parametrize("module, some", [
    (ag.nn, {"MLP", "Layer", "Module", "squared_error"}), (ag.optim, {"SGD", "Adam", "AdamW", "warmup"}),
    (ag.testing, {"points", "assert_derivation"})])
def test_completion_in_a_module_offers_what_is_its_own(module, some):
    offered = {name for name in dir(module) if not name.startswith("_")}
    assert offered == {*module.__all__} >= some
    assert all(hasattr(module, name) for name in offered)


def test_completion_on_a_compiled_function_offers_what_the_documentation_speaks_of():
    fast = ag.compile(lambda x: x * x)
    offered = {name for name in dir(fast) if not name.startswith("_")}
    assert offered == {"backward", "bind", "export_c", "iterate", "source", "stats"}
    assert fast(3.0) == 9.0 and all(hasattr(fast, name) for name in dir(fast))
