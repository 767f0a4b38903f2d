"""The command line ends with one line and a status, whatever happens to its streams and files."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite import cli, document, files

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
PYTHON = f"{sys.executable!r} -m autograd_lite".replace("'", '"')
NOTES = ("training, published …", "training, corrected …", "training, with_biases …")
ENV = {**os.environ, "PYTHONPATH": str(Path(ag.__file__).parents[1])}
ENV.pop("PYTHONUNBUFFERED", None)


def shell(command, cwd, **env):
    """A command in bash, in which `ag` is the command line: its status, its lines, its lines about errors."""
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command.replace("ag ", PYTHON + " ", 1)], cwd=cwd,
                          env={**ENV, **env}, capture_output=True, timeout=100)
    out, err = (text.decode("utf-8", "replace").splitlines() for text in (done.stdout, done.stderr))
    return done.returncode, out, [line for line in err if line not in NOTES]


def called(*arguments):
    """The status of the command line in this process."""
    try:
        return cli.main(list(map(str, arguments)))
    except SystemExit as ended:
        return ended.code


@pytest.fixture
def quick(monkeypatch):
    """Little to do: no matplotlib, no program to draw with."""
    monkeypatch.setattr(cli.document, "plot_training", lambda trainings, path: files.write(path, b"curves"))
    monkeypatch.setattr("autograd_lite.drawing.drawn.run", lambda *_: b"picture")


# -- streams ------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("command, status, words", [
    ("ag --help > /dev/full", 1, "No space left on device"),
    ("PYTHONUNBUFFERED=1 ag --help > /dev/full", 1, "No space left on device"),
    ("ag --help >&-", 1, "standard output: it is closed"),
    ("ag --help 2>&- >&- <&-", 1, None),
    ("ag --help 2> /dev/full", 0, None),
    ("ag nonsense 2> /dev/full", 2, None),
    ("ag nonsense 2>&-", 2, None)])
def test_a_stream_that_is_full_or_closed_gives_one_line_and_a_status(command, status, words, tmp_path):
    ended, out, errors = shell(command, tmp_path)
    assert ended == status
    assert len(errors) == (words is not None) and (not words or words in errors[0])
    assert bool(out) == (status == 0)


@posix
@pytest.mark.parametrize("command, status", [
    ("ag document --steps 1 | true", 141), ("ag document --steps 1 > /dev/full", 1)])
def test_output_that_nobody_reads_ends_the_command_before_it_draws(command, status, tmp_path):
    ended, out, errors = shell(command, tmp_path)
    assert ended == status and len(errors) == 1
    assert errors[0].startswith("autograd-lite: the standard output: ")
    assert out == [] and os.listdir(tmp_path) == []


@posix
def test_without_docstrings_and_a_place_for_messages_the_command_does_all_it_should(tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError('in no fit state')")     # (it loads slowly)
    command = PYTHON.replace(" -m", " -OO -m") + " document --steps 2 --json --output new/er 2>&-"
    ended, out, errors = shell(command, tmp_path)
    assert ended == 0 and errors == []
    assert json.loads("\n".join(out))["files"] == ["new/er/document.png"]
    assert (tmp_path / "new" / "er" / "document.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("environment", [
    {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "latin-1"}], ids=lambda env: " ".join(env.values()))
def test_an_encoding_without_greek_gets_a_d_for_each_partial(environment):
    program = ("from autograd_lite import cli\ntry: cli.main(['--version'])\n"
               "except SystemExit: print('\\u2202E/\\u2202w \\xb7 \\u53cd \\u2026')")
    env = {name: text for name, text in ENV.items() if not name.startswith(("LC_", "LANG", "PYTHONIO"))}
    done = subprocess.run([sys.executable, "-c", program], env={**env, **environment}, capture_output=True)
    dot = b"\xb7" if "latin-1" in environment.values() else b"*"          # (it is a product)
    assert done.stdout.splitlines()[1] == b"dE/dw " + dot + b" \\u53cd ...", done.stderr


# -- arguments and files ------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, words", [
    (["nonsense"], "invalid choice: 'nonsense'"),
    (["document", "more\nlines\x1b"], r"more lines\x1b"),
    (["document", "--steps", "9" * 5000], "is not a number of steps"),
    (["document", "--steps", str(10 ** 30)], "is not a number of steps"),
    (["document", "--steps", "-1"], "is not a number of steps"), (["document", "--steps", "nan"], "'nan'"),
    (["document", "--output", "{file}"], "is not a directory"),
    (["document", "--output", "{file}/below/it"], "is not a directory"),
    (["document", "--output", "x" * 300], "too long")])
def test_wrong_arguments_get_one_line(arguments, words, tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"")
    assert called(*[text.format(file=tmp_path / "file") for text in arguments]) == 2
    out, err = capsys.readouterr()
    assert not out and words in err and err.endswith("--help)\n") and err.count("\n") == 1
    assert len(err) < 500 + 300 * ("x" * 300 in err) and err[:-1].isprintable()


def test_a_folder_without_permission_is_refused_before_the_work(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, what: False)
    monkeypatch.setattr(document, "train", None)
    assert called("document", "--output", tmp_path / "new") == 2
    assert "no permission to write in" in capsys.readouterr().err and not os.listdir(tmp_path)


@pytest.mark.parametrize("name", ["document.png", "training.png"])
def test_a_directory_in_place_of_a_picture_is_named(name, quick, tmp_path, capsys):
    (tmp_path / name).mkdir()
    assert called("document", "--steps", 1, "--output", tmp_path) == 1
    assert capsys.readouterr().err.splitlines()[3:] == [f"autograd-lite: {tmp_path / name}: Is a directory"]
    assert {path.name for path in tmp_path.iterdir()} == {"document.png", name} and (tmp_path / name).is_dir()


@pytest.mark.parametrize("name, bytes", [("document.png", 3), ("training.png", 0)])
def test_a_full_disk_leaves_no_half_picture(name, bytes, quick, tmp_path, capsys, monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr("autograd_lite.drawing.drawn.run", lambda *_: b"x" * (100 if bytes else 1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    real = document.train

    def train(*args):
        resource.setrlimit(resource.RLIMIT_FSIZE, (3, before[1]))
        return real(*args)

    monkeypatch.setattr(document, "train", train)
    monkeypatch.setattr(document, "training_table", lambda trainings: "")
    try:
        status = called("document", "--steps", 1, "--output", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert status == 1 and capsys.readouterr().err.splitlines()[-1] == (
        f"autograd-lite: {tmp_path / name}: File too large")
    assert [path.name for path in tmp_path.iterdir()] == ["document.png"][:bytes == 0]


@pytest.mark.parametrize("missing, words, left", [
    ("matplotlib", "'autograd-lite[demos]'", ["document.png"]),
    ("graphviz", "'autograd-lite[png]'", ["training.png"]), ("tqdm", "", ["document.png", "training.png"])])
def test_a_package_that_is_missing_is_one_line_that_says_what_to_install(
        missing, words, left, tmp_path, capsys, monkeypatch):
    if missing == "graphviz":
        for name in ("drawn", "picture"):
            monkeypatch.delitem(sys.modules, f"autograd_lite.drawing.{name}", raising=False)
    if missing == "matplotlib":                     # (that it is not there is tested with the document)
        (tmp_path / "matplotlib.py").write_text("raise ImportError('broken')")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, missing, raising=False)
    else:
        monkeypatch.setitem(sys.modules, missing, None)
    if missing != "matplotlib":
        monkeypatch.setattr(document, "plot_training", lambda trainings, path: files.write(path, b"curves"))
    if missing != "graphviz":
        monkeypatch.setattr("autograd_lite.drawing.drawn.run", lambda *_: b"picture")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: missing == "tqdm", raising=False)
    assert called("document", "--steps", 1, "--output", tmp_path) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if line not in NOTES]
    assert len(told) == bool(words) and all(words in line for line in told)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == left


def test_a_picture_that_cannot_be_drawn_is_left_in_the_language_of_graphviz(quick, tmp_path, capsys,
                                                                            monkeypatch):
    def run(*_):
        raise ag.RenderError("dot is not here")

    monkeypatch.setattr("autograd_lite.drawing.drawn.run", run)
    assert called("document", "--steps", 1, "--output", tmp_path) == 0
    out, err = capsys.readouterr()
    assert err.endswith("document.png was not drawn: dot is not here\n")
    assert out.splitlines()[-2:] == [f"  {tmp_path / name}" for name in ("document.dot", "training.png")]
    assert (tmp_path / "document.dot").read_text(encoding="utf-8").startswith("digraph")
    assert not (tmp_path / "document.png").exists()


def test_names_are_printed_without_line_breaks(quick, tmp_path, capsys):
    assert called("document", "--steps", 1, "--output", tmp_path / "a\nb\x1b") == 0
    assert r"a\nb\x1b/training.png" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize("error, status, words", [
    (KeyboardInterrupt(), 130, "interrupted"), (MemoryError(), 1, "not enough memory"),
    (OSError(5, "Input/output error", "name"), 1, "name: Input/output error"),
    (ag.RangeError("exp(1000) is too large"), 1, "exp(1000) is too large")], ids=lambda x: type(x).__name__)
def test_what_is_raised_in_the_midst_is_one_line(error, status, words, tmp_path, capsys, monkeypatch):
    def train(*_):
        raise error

    monkeypatch.setattr(document, "train", train)
    assert called("document", "--output", tmp_path / "new") == status
    assert capsys.readouterr().err == f"autograd-lite: {words}\n" or words in "not enough memory"
    assert os.listdir(tmp_path) == []


# -- Ctrl-C ---------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("after", [0.0, 0.2])
def test_ctrl_c_ends_the_command_without_a_traceback(after, tmp_path):
    command = subprocess.Popen([sys.executable, "-m", "autograd_lite", "document", "--steps", "1000000",
                                "--output", "new"], cwd=tmp_path, env=ENV, text=True, encoding="utf-8",
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stderr and command.stderr.readline()                 # (it trains)
    time.sleep(after)
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=60)
    assert command.returncode == 130 and errors == "autograd-lite: interrupted\n" and not os.listdir(tmp_path)


@posix
def test_ctrl_c_while_the_package_loads_is_no_traceback(tmp_path):
    """The first module that the package imports sends the signal."""
    program = ("import sys, os, runpy, signal\nsys.argv = ['-m', 'grad', 'x']\nclass Finder:\n"
               "    def find_spec(self, name, path=None, target=None):\n"
               "        if name.startswith('autograd_lite.'): os.kill(os.getpid(), signal.SIGINT)\n"
               "sys.meta_path.insert(0, Finder())\nimport autograd_lite\n")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=ENV, capture_output=True)
    assert done.returncode == -signal.SIGINT and done.stderr == b""


@posix
def test_ctrl_c_while_a_picture_is_written_removes_what_is_there_of_it(quick, tmp_path, capsys, monkeypatch):
    def replace(*_):
        assert len(os.listdir(tmp_path)) == 1
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(os, "replace", replace)
    assert called("document", "--steps", 1, "--output", tmp_path) == 130
    assert capsys.readouterr().err.endswith("autograd-lite: interrupted\n") and os.listdir(tmp_path) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@posix
def test_ctrl_c_ends_the_command_where_other_code_would_swallow_the_exception(tmp_path):
    program = ("import signal\nfrom autograd_lite import cli, document\ndef train(*_):\n"
               "    try: signal.raise_signal(signal.SIGINT)\n    except KeyboardInterrupt: pass\n"
               "    print('swallowed', flush=True)\ndocument.train = train\ndocument.tables = str\n"
               "cli.main(['document', '--output', 'new'])")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=ENV, capture_output=True,
                          text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "\n\n", "autograd-lite: interrupted\n")


def test_the_signal_is_left_alone_in_other_threads_and_where_it_is_ignored(capsys):
    statuses = []
    thread = threading.Thread(target=lambda: statuses.append(called("--version")))
    thread.start()
    thread.join()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        statuses.append(called("--version"))
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert statuses == [0, 0]
