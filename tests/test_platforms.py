"""What Windows and macOS do otherwise, as far as Linux can show it; docs/platforms.md says the rest."""
import ast
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite import cli, files, nn
from autograd_lite.drawing import engine
from autograd_lite.native import engine as native
from test_architecture import MODULES

# What Windows lacks, of the modules that are used; and modules that it lacks.
LACKING = {
    "os": """O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK O_SYNC chown chroot confstr ctermid fchdir
        fchmod fchown fork forkpty getegid geteuid getgid getgroups getloadavg getpgid getpgrp
        getpriority getsid getuid killpg lchmod lchown lockf mkfifo mknod nice openpty pathconf
        pipe2 posix_fadvise posix_spawn pread pwrite register_at_fork sched_getaffinity sched_yield
        sendfile setgid setpgid setsid setuid statvfs sysconf tcgetpgrp ttyname uname wait wait3
        wait4 WIFEXITED WNOHANG getxattr""".split(),
    "signal": """SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2
        SIGWINCH alarm getitimer pause pthread_kill pthread_sigmask setitimer siginterrupt
        sigpending sigwait""".split(),
    "time": ["tzset", "clock_gettime", "clock_settime", "pthread_getcpuclockid", "CLOCK_MONOTONIC"],
    "select": ["poll", "epoll", "kqueue"], "sys": ["getdlopenflags", "setdlopenflags"]}
MISSING = "fcntl grp posix posixpath pty pwd resource syslog termios tty".split()


def uses(source):
    """What a module uses of what Windows lacks, or reads and writes in an encoding of the system's."""
    tree = ast.parse(source)
    guards = {node.args[1].value for node in ast.walk(tree)
              if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("hasattr", "getattr")
              and len(node.args) > 1 and isinstance(node.args[1], ast.Constant)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [x.name for x in node.names]
            yield from [f"{node.lineno}: import {name}" for name in names if name in MISSING]
            if isinstance(node, ast.ImportFrom) and node.module in LACKING:
                yield from [f"{node.lineno}: {node.module}.{x.name}" for x in node.names
                            if x.name in LACKING[node.module]]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in LACKING.get(node.value.id.lstrip("_"), ()) and node.attr not in guards:
                yield f"{node.lineno}: {node.value.id}.{node.attr}"
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = {keyword.arg for keyword in node.keywords}
            second = node.args[1] if len(node.args) > 1 else None
            mode = second.value if isinstance(second, ast.Constant) else "r"
            builtin = isinstance(node.func, ast.Name)
            if "encoding" in given:
                continue
            if called == "open" and builtin and "b" not in str(mode) \
                    or called == "read_text" and not node.args \
                    or called == "write_text" and len(node.args) < 2 \
                    or called in ("run", "Popen", "check_output") and given & {"text", "universal_newlines"}:
                yield f"{node.lineno}: {called} in the system's encoding"


@pytest.mark.parametrize("name", list(MODULES))
def test_no_module_uses_what_windows_lacks_without_asking_nor_a_system_s_encoding(name):
    assert list(uses(MODULES[name].read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", sorted((Path(__file__).parent.parent / "demos").rglob("*.py")), ids=str)
def test_nor_does_a_demo(path):
    assert list(uses(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("line", [
    "import fcntl", "from resource import getrusage", "os.fork()", "from os import getuid", "signal.SIGALRM",
    "open('a')", "open('a', 'w')", "path.read_text()", "path.write_text('a')",
    "subprocess.run(a, text=True)"])
def test_such_a_use_is_seen(line):
    assert len(list(uses(line))) == 1
    assert list(uses("hasattr(os, 'fork') and os.fork(); open('a', 'rb'); open('a', encoding='utf-8')")) == []


def test_no_two_files_differ_by_case_alone_and_none_has_a_name_that_windows_keeps():
    names = [str(path.relative_to(files.__file__.rpartition(os.sep)[0])) for path in MODULES.values()]
    assert len({name.lower() for name in names}) == len(names)
    root = Path(__file__).parent.parent
    for path in [path for folder in ("autograd_lite", "demos", "docs", "tests") for path in
                 (root / folder).rglob("*") if "__pycache__" not in path.parts]:
        assert not set(path.name) & set('<>:"|?*\\') and path.name[-1] not in ". ", path
        assert path.name.partition(".")[0].upper() not in files._DEVICES, path


def test_the_library_works_where_all_that_windows_lacks_is_taken_away(tmp_path):
    """In a process of its own, before anything of ours is loaded; native code and pictures aside."""
    program = f"""if True:
        import ctypes, os, pathlib, random, select, signal, stat, subprocess, sys, tempfile, time
        import argparse, hashlib, inspect, json, secrets, shutil, numpy, graphviz
        for module, names in {LACKING!r}.items():
            for name in names:
                if hasattr(sys.modules[module], name):
                    delattr(sys.modules[module], name)
        for name in {MISSING!r}:
            if name not in ("posix", "posixpath"):
                sys.modules[name] = None
        def refuse(name, *rest, **more):
            raise TypeError("argument of type 'NoneType' is not iterable")
        ctypes.CDLL = refuse                    # (as Windows says to None)
        sys.platform = "win32"
        import autograd_lite as ag
        from autograd_lite import cli, files
        from autograd_lite.native import cache
        x = ag.Value(2.0, "x")
        y = ag.sin(x) * x
        ag.label(y=y)
        y.backward()
        assert ag.audit(y, {{(y, x): x.grad}}).ok and ag.check_gradients(ag.sin, 1.0).ok
        fast = ag.compile(ag.grad(lambda x: ag.sin(x) * x), batch="x")
        assert fast(numpy.array([2.0, 3.0]))[0] == x.grad
        run = ag.compile(ag.hessian(lambda p: p[0] ** 3 * p[1])).bind(numpy.array([1.0, 2.0]))
        assert run()[0][1] == 3.0
        try:
            ag.compile(ag.sin, target="native")
        except ag.InputError as error:
            assert "not for Windows" in str(error), error
        else:
            raise AssertionError("native code")
        ag.render(y, "graph.dot")
        files.write("graph.dot", b"again")
        assert open("graph.dot", "rb").read() == b"again"
        network = ag.nn.MLP(2, [2, 1])
        network.save("model.json")
        network.load("model.json")
        os.environ["AUTOGRAD_LITE_CACHE"] = os.path.abspath("kept")
        cache.store("k" * 64, b"code")
        assert cache.load("k" * 64) == b"code"
        for command in (["grad", "x**2", "--at", "x=3"], ["check", "x**2", "--claim", "x: 2*x"],
                        ["draw", "x*y", "--at", "x=1", "y=2"]):
            assert cli.main(command) == 0, command
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


# -- letters that a console lacks -------------------------------------------------------------------------

COMMANDS = [
    ["grad", "tanh(w*x + b)", "--at", "x=2", "w=-3", "b=6.88", "--derive"],
    ["grad", "sqrt(x)/π", "--at", "x=2"],
    ["check", "x**2*y", "--claim", "x: x*y"], ["check", "sin(x)", "--claim", "x: cos(x)"],
    ["draw", "x*y", "--at", "x=1", "y=2"], ["audit", "demos/derivations/lstm_step.py"],
    ["audit", "demos/derivations/published_sign.py"], ["document", "--steps", "2"],
    ["grad", "log(x)", "--at", "x=-1"], ["grad", "x**"], []]


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "cp932", "ascii"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_prints_in_every_code_page(command, encoding, monkeypatch, tmp_path):
    out, err = [io.TextIOWrapper(io.BytesIO(), encoding, newline="\r\n") for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr("autograd_lite.document.plot_training", lambda trainings, path: None)
    monkeypatch.setattr("autograd_lite.drawing.drawn.run", lambda *_: b"picture")
    root = Path(__file__).parent.parent
    given = [str(root / part) if part.startswith("demos") else part for part in command]
    try:
        status = cli.main([*given, *["--output", str(tmp_path)] * (command[:1] == ["document"])])
    except SystemExit as ended:
        status = ended.code
    for stream in (out, err):
        stream.flush()
    shown = (out.buffer.getvalue() + err.buffer.getvalue()).decode(encoding)
    assert status in (0, 1, 2) and shown.strip() and "Traceback" not in shown
    assert "\\u" not in shown or command == ["document", "--steps", "2"], shown       # (a title in Chinese)


def test_a_text_that_windows_marks_is_read(monkeypatch, capsys, tmp_path):
    for mark, encoding in (("\ufeff", "utf-8"), ("\ufeff", "cp1252")):
        text = (mark + "x**2\r\n").encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), encoding))
        assert cli.main(["grad", "-", "--at", "x=3"]) == 0
        assert "6" in capsys.readouterr().out
    network, path = nn.MLP(1, [1]), tmp_path / "model.json"
    network.save(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    network.load(path)


# -- files ------------------------------------------------------------------------------------------------

def test_a_file_that_another_program_has_open_stays_as_it_was(tmp_path, monkeypatch):
    """Windows does not replace a file that is open."""
    def refuse(source, target):
        raise PermissionError(13, "The process cannot access the file", target)
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError, match="cannot access") as caught:
        files.write(str(path), b"new")
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("name", ["NUL", "nul", "con.txt", "COM1", "Lpt9.log"])
def test_a_device_of_windows_is_written_to_and_not_replaced(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "replace", None)    # (calling it fails)
    with pytest.raises(TypeError):
        files.write(name, b"content")
    monkeypatch.setattr(sys, "platform", "win32")
    files.write(name, b"content")
    assert Path(name).read_bytes() == b"content"        # (which is no device here)


# -- programs ---------------------------------------------------------------------------------------------

def test_on_windows_a_program_in_the_working_folder_is_not_run(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: os.path.join(".", "dot.exe"))
    assert ("the system's dot", os.path.abspath("dot.exe")) in list(engine._candidates())
    monkeypatch.setattr(sys, "platform", "win32")
    assert "the system's dot" not in dict(engine._candidates())


def test_on_windows_there_is_no_native_code_and_no_advice_to_install_it(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    native.available.cache_clear()
    try:
        fast = ag.compile(lambda x: x * ag.sin(x))
        assert not native.available() and fast(2.0) == 2.0 * ag.sin(2.0)
        assert "pip install" not in repr(fast.stats)
        with pytest.raises(ag.InputError, match="target='native' is not for Windows; leave target= out"):
            ag.compile(ag.sin, target="native")
    finally:
        native.available.cache_clear()


def test_a_process_has_no_window_of_its_own():
    assert engine._NO_WINDOW == getattr(subprocess, "CREATE_NO_WINDOW", 0)
