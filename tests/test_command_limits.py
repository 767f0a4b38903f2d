"""The worked example's command: folders that it makes, Ctrl-C, what fails, and its JSON to the letter."""
from __future__ import annotations

import gc
import json
import math
import os
import signal

import pytest

from autograd_lite import MissingError, RangeError, RenderError, cli, files


@pytest.fixture
def quick(monkeypatch):
    """Little to do: no matplotlib, no program to draw with, no tables."""
    monkeypatch.setattr(cli.document, "plot_training", lambda trainings, path: files.write(path, b"curves"))
    monkeypatch.setattr("autograd_lite.drawing.drawn.run", lambda *_: b"picture")
    monkeypatch.setattr(cli.document, "tables", str)
    monkeypatch.setattr(cli.document, "training_table", lambda trainings: "")


def test_a_picture_and_the_curves_each_make_the_folders_they_need(quick, tmp_path, monkeypatch, capsys):
    for step, name in ((cli._picture, "document.png"),
                       (lambda folder: cli._curves({}, folder), "training.png")):
        for folder in (tmp_path / name / "a" / "b", tmp_path / name / "a" / "b"):       # (there, too)
            assert step(folder) == [str(folder / name)] and os.listdir(folder) == [name]
    assert cli.main(["document", "--steps", "1", "--output", str(tmp_path / "new" / "er")]) == 0
    assert sorted(os.listdir(tmp_path / "new" / "er")) == ["document.png", "training.png"]


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_ctrl_c_ends_the_program_at_once_unless_a_file_is_being_written(monkeypatch, tmp_path):
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(os, "write", lambda place, text: ended.append((place, text)))
    before = signal.getsignal(signal.SIGINT)

    def train(*_):
        signal.raise_signal(signal.SIGINT)
        assert ended == [(2, b"autograd-lite: interrupted\n"), 130]
        with pytest.raises(KeyboardInterrupt):
            files.write(str(tmp_path / "a.txt"), b"text")
        assert len(ended) == 2 and os.listdir(tmp_path) == []
        raise RangeError("the end of this test")

    monkeypatch.setattr(os, "replace", lambda *_: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(cli.document, "tables", str)
    monkeypatch.setattr(cli.document, "train", train)
    assert cli.main(["document", "--output", str(tmp_path)]) == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_a_command_whose_messages_have_no_place_leaves_one_open_after_it(monkeypatch, capfd):
    kept = os.dup(2)
    try:
        with monkeypatch.context() as patch:
            patch.setattr("sys.stderr", None)
            with pytest.raises(SystemExit) as ended:
                cli.main(["nonsense"])
        gc.collect()
        assert ended.value.code == 2 and os.path.samestat(os.fstat(2), os.stat(os.devnull))
        os.write(2, b"to nowhere")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("error, status", [
    (BrokenPipeError(32, "Broken pipe"), 141), (OSError(28, "No space left"), 1), (MemoryError(), 1),
    (KeyboardInterrupt(), 130), (RangeError("too far"), 1), (RenderError("not drawn"), 1),
    (MissingError("not here"), 1)], ids=lambda x: type(x).__name__)
def test_each_way_in_which_the_example_fails_has_its_status(error, status, monkeypatch, tmp_path,
                                                            capsys):
    def tables():
        raise error

    monkeypatch.setattr(cli.document, "tables", tables)
    assert cli.main(["document", "--output", str(tmp_path / "new")]) == status
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("autograd-lite: ") and err.count("\n") == 1
    assert not os.listdir(tmp_path)


def test_the_example_as_json_has_its_facts_in_lines_and_no_nan(quick, monkeypatch, tmp_path, capsys):
    arguments = ["document", "--steps", "1", "--json", "--output", str(tmp_path)]
    assert cli.main(arguments) == 0
    out = capsys.readouterr().out
    assert out.startswith('{\n "gradients": {\n  "w1": 0.000438567')
    names = [str(tmp_path / name) for name in ("document.png", "training.png")]
    assert out.endswith(json.dumps({"files": names}, indent=1)[1:] + "\n")
    monkeypatch.setattr(cli.document, "automatic_gradients", lambda network: {"w1": math.nan})
    with pytest.raises(ValueError, match="not JSON compliant"):
        cli.main(arguments)


def test_the_worked_example_writes_where_the_command_runs(quick, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    steps, real = [], cli.document.train

    def train(name, n, progress):
        steps.append(n)
        return real(name, 1, progress)

    monkeypatch.setattr(cli.document, "train", train)
    assert cli.main(["document"]) == 0
    assert steps == [10_000] * 3 and sorted(os.listdir()) == ["document.png", "training.png"]
    assert capsys.readouterr().out.endswith("FILES\n\n  document.png\n  training.png\n")
