"""Random and hostile input: whatever comes, the answer is a result or an error of ours."""
import contextlib
import json
import math
import random
import re

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import AuditError, AutogradError, FormatError, Value, audit, label, nn
from autograd_lite.testing import networks

MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))

HOSTILE = ["", " ", "\0", "\n", "\r\n", "\t", '"', "'", "\\", '\\"', "\\n", "\\N", "a\\", "{", "}", "|", "<",
           ">", "<b>", "</TD>", "&", "&amp;", "&#0;", "&lt;script&gt;", "<script>alert(1)</script>", "]]>",
           "<!--", "-->", "%s", "{0}", "{x.__class__}", "$(rm)", "`", ";", "->", "n0", "node", "graph",
           "subgraph", "strict", "n0 -> n1", '"]; evil [label="', "label=x", "∂E/∂w", "σ′", "漢字", "🎉",
           "\u202e", "\ud800", "\ufeff", "\x1b[31m", "a" * 10_000, "x" * 300 + "\n" + "y" * 300, "w[0]",
           "w[-1]", "__class__", "None", "0", "-0.0", "nan"]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30),
                  st.text(st.characters(exclude_categories=()), max_size=8),
                  st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(10 ** 400), st.floats(), st.complex_numbers(),
    texts, st.binary(max_size=5), st.decimals(), st.fractions(),
    st.sampled_from([object(), Value, math.sin]),
    st.floats(allow_nan=False).map(Value))
things = st.recursive(scalars, lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.tuples(inner, inner), st.dictionaries(texts, inner, max_size=3),
    st.frozensets(texts, max_size=2)), max_leaves=6)
ours = contextlib.suppress(AutogradError)


def graph(names):
    """A small graph that uses every name as a label."""
    nodes = [Value(float(k), name) for k, name in enumerate(names)] or [Value(1.0)]
    y = ag.sum(nodes) * nodes[0] + ag.tanh(nodes[-1])
    y.label = names[0] if names else ""
    return y


# -- labels and claims ---------------------------------------------------------------------------


@given(texts, things)
@MANY
def test_a_label_is_any_text_and_nothing_else(text, thing):
    assert Value(1.0, text).label == text
    x = Value(1.0, "before")
    with ours:
        x.label = thing
    assert x.label == (thing if isinstance(thing, str) else "before")


@given(st.dictionaries(texts, things, max_size=3))
@MANY
def test_label_names_values_or_refuses(names):
    x = Value(1.0, "x")
    with ours:
        label({**names, "last": [x]})
    assert x.label in ("x", "last[0]")


def test_label_of_a_list_that_holds_itself_is_refused():
    circle = [Value(1.0)]
    circle.append(circle)
    mapping = {"a": Value(1.0)}
    mapping["self"] = mapping
    for names in (circle, mapping):
        with pytest.raises(AutogradError):
            label(w=names)


@given(things, texts, things)
@MANY
def test_value_takes_a_number_and_a_label_or_refuses(data, text, name):
    with ours:
        x = Value(data, text)
        assert type(x.data) is float and x.label == text
    with ours:
        assert Value(data, name).label == name


other_pairs = st.one_of(st.tuples(texts, texts), st.tuples(texts, scalars), scalars, st.tuples(texts))


@given(st.lists(texts, max_size=4), st.lists(st.tuples(other_pairs, scalars), max_size=4), scalars)
@MANY
def test_the_audit_of_any_claims_reports_or_refuses(names, claims, rtol):
    table = {}
    for pair, number in claims:
        with contextlib.suppress(TypeError):        # what cannot be hashed cannot be a key
            table[pair] = number
    with ours:
        report = audit(graph(names), table, rtol)
        assert len(report.rows) == len(table) and str(report)
        report.check()


@given(st.lists(texts.filter(bool), min_size=2, max_size=4, unique=True), st.data())
@MANY
def test_the_audit_of_any_labels_and_numbers_reports(names, data):
    y = graph(names)
    end = st.sampled_from([y, *names[1:]])          # (two nodes have the first name)
    claims = data.draw(st.dictionaries(st.tuples(end, end), st.floats(), min_size=1, max_size=4))
    report = audit(y, claims)
    assert [row.claim for row in report.rows] == list(claims)
    assert {row.as_dict()["verdict"] for row in report.rows} <= {"agrees", "inherits", "cause"}
    assert len(str(report).splitlines()) > len(claims)
    if not report.ok:
        with pytest.raises(AuditError, match="differ"):
            report.check()


@given(things, things)
@MANY
def test_the_audit_of_anything_reports_or_refuses(root, claims):
    with ours:
        audit(root, claims)


@given(things, things)
@MANY
def test_check_gradients_reports_or_refuses(x, claimed):
    with ours:
        str(ag.check_gradients(lambda p: Value(1.0) * 2.0, x, claimed=claimed, order=1))


# -- loaders -----------------------------------------------------------------------------------------


def before_and_after(model, load):
    """A loader that refuses leaves the model as it was."""
    before = model.state_dict()
    try:
        load()
    except FormatError:
        assert model.state_dict() == before
    else:
        assert all(math.isfinite(x) and type(x) is float for x in model.state_dict().values())


def small():
    random.seed(3)
    return nn.MLP(2, [2, 1])


@given(st.one_of(things, st.dictionaries(st.sampled_from(sorted(small().state_dict())), scalars)))
@MANY
def test_load_state_dict_takes_a_whole_state_or_changes_nothing(state):
    model = small()
    before_and_after(model, lambda: model.load_state_dict(state))


@given(st.dictionaries(st.sampled_from([*small().state_dict(), "more"]), scalars, max_size=1),
       st.booleans())
@MANY
def test_one_bad_entry_refuses_the_whole_state(change, drop):
    model = small()
    state = {**model.state_dict(), **change}
    if drop:
        state.popitem()
    before_and_after(model, lambda: model.load_state_dict(state))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8)


@given(json_values)
@MANY
def test_a_file_of_any_json_is_loaded_whole_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    with contextlib.suppress(UnicodeEncodeError):
        path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        model = small()
        before_and_after(model, lambda: model.load(path))


@given(networks(), st.integers(0, 10 ** 6), st.binary(max_size=6),
       st.sampled_from(["cut", "insert", "replace"]))
@MANY
def test_a_file_that_was_cut_or_altered_is_loaded_whole_or_refused(tmp_path_factory, model, place, junk, how):
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    model.save(path)
    good = path.read_bytes()
    place %= len(good)
    path.write_bytes({"cut": good[:place], "insert": good[:place] + junk + good[place:],
                      "replace": good[:place] + junk + good[place + len(junk):]}[how])
    before_and_after(model, lambda: model.load(path))


@given(st.binary(max_size=200))
@example(b"[" * 100_000)
@example(b'{"format":' * 50_000)
@example(b"\xff\xfe{\x00}\x00")
@example(b"1e999")
@example(b'"' + b"9" * 100_000)
@example(b"9" * 10_000)
@MANY
def test_a_file_of_any_bytes_is_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    path.write_bytes(content)
    model = small()
    before = model.state_dict()
    with pytest.raises(FormatError):
        model.load(path)
    assert model.state_dict() == before


@given(networks())
@MANY
def test_what_was_saved_is_loaded_bit_for_bit(tmp_path_factory, model):
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    model.save(path)
    state = model.state_dict()
    for p in model.parameters():
        p.data = 7.0
    model.load(path)
    assert {name: x.hex() for name, x in model.state_dict().items()} == \
        {name: x.hex() for name, x in state.items()}


# -- pictures ------------------------------------------------------------------------------------------

QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@given(st.lists(texts, min_size=1, max_size=5), texts)
@MANY
def test_no_label_breaks_out_of_its_place_in_a_picture(names, caption):
    """Quoted strings, HTML labels and tooltips taken out, what is left is the same for any labels."""
    source = ag.draw(graph(names), caption=caption).source
    plain = ag.draw(graph([name and f"l{k}" for k, name in enumerate(names)]), caption=caption and "c").source
    source.encode("utf-8", "strict")
    assert skeleton(source) == skeleton(plain)


def skeleton(source):
    """The statements of a DOT source without strings and labels."""
    bare = []
    depth, i = 0, 0
    while i < len(source):
        if depth == 0 and source[i] == '"':
            match = QUOTED.match(source, i)
            assert match, "an open quotation mark"
            i = match.end()
            continue
        arrow = depth == 0 and source[i - 1:i + 1] == "->"
        depth += (source[i] == "<") - (source[i] == ">" and not arrow)
        if depth == 0:
            bare.append(source[i])
        i += 1
    assert depth == 0
    return [line.strip() for line in "".join(bare).splitlines() if line.strip()]


@given(st.lists(texts, min_size=1, max_size=3))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@example(HOSTILE[1:30])
@example(HOSTILE[30:])
def test_the_program_that_draws_takes_any_labels(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("fuzz") / "graph.svg"
    try:
        ag.render(graph(names), path)
    except ag.RenderError as error:
        assume("install" not in str(error))
        raise
    assert path.read_bytes().startswith(b"<?xml") or b"<svg" in path.read_bytes()


@given(things)
@MANY
def test_draw_refuses_what_is_no_graph(thing):
    with ours:
        ag.draw(thing)
