"""What the library writes is whole or not there; links, modes and devices stay; nothing is left over."""
from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite import files, nn
from autograd_lite.errors import FormatError, InputError, RenderError

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and devices are POSIX's")
UMASK = os.umask(0o022)
os.umask(UMASK)


def saved(path):
    nn.MLP(1, [1]).save(path)


def rendered(path):
    ag.render(ag.Value(2.0, "x") * 3.0, path)


def drawn(path):
    ag.draw(ag.Value(2.0, "x") * 3.0).save(path)


def plotted(path):
    class Figure:
        def savefig(self, file, format, dpi):
            file.write(f"{format} {dpi}".encode())

    files.write_figure(Figure(), os.fsdecode(path), dpi=10)


WRITERS = {"m.json": saved, "g.dot": rendered, "g.gv": drawn, "g.pdf": plotted}


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def names(folder):
    return sorted(os.listdir(folder))


@pytest.fixture(params=WRITERS)
def name(request):
    return request.param


@pytest.fixture
def save(name):
    return WRITERS[name]


# -- what is there before ---------------------------------------------------------------------------


@posix
def test_a_new_file_has_the_mode_of_any_new_file_and_a_replaced_one_keeps_its_own(save, name, tmp_path):
    path = tmp_path / name
    save(path)
    assert mode(path) == 0o666 & ~UMASK
    for kept in (0o600, 0o640, 0o666, 0o755):
        path.write_bytes(b"old")
        path.chmod(kept)
        save(path)
        assert mode(path) == kept and path.read_bytes() != b"old"
    assert names(tmp_path) == [name]


@posix
def test_a_private_file_is_never_readable_by_others_on_the_way(tmp_path, monkeypatch):
    path = tmp_path / "m.json"
    path.write_bytes(b"old")
    path.chmod(0o600)
    seen = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda *args: (lambda fd: (seen.append(mode(fd)), fd)[1])(real(*args)))
    saved(path)
    assert seen == [0o600]


@posix
def test_a_link_stays_and_what_it_points_to_is_replaced(save, name, tmp_path):
    (tmp_path / "far").mkdir()
    far, link = tmp_path / "far" / name, tmp_path / name
    link.symlink_to(Path("far") / name)
    again = tmp_path / "far" / f"again-{name}"
    again.symlink_to(link)
    for path in (link, again):                 # (at first it points to nothing)
        save(path)
        assert link.is_symlink() and far.is_file() and not far.is_symlink()
        assert far.read_bytes() not in (b"", b"old")
        far.write_bytes(b"old")
    assert names(tmp_path) == ["far", name] and names(tmp_path / "far") == [again.name, name]


@posix
def test_a_planted_link_next_to_the_target_is_not_followed(save, name, tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    monkeypatch.setattr(files, "token_hex", lambda n: "0")
    for planted in (f"{name}.part", f".{name}.0.part"):             # (the second name cannot be guessed)
        (tmp_path / planted).symlink_to(victim)
    with pytest.raises((OSError, RenderError)):
        save(tmp_path / name)
    monkeypatch.undo()
    save(tmp_path / name)
    assert victim.read_bytes() == b"precious" and (tmp_path / name).read_bytes() != b"precious"


@posix
def test_a_loop_of_links_and_a_directory_are_refused_by_name(save, name, tmp_path):
    (tmp_path / name).symlink_to(tmp_path / "back")
    (tmp_path / "back").symlink_to(tmp_path / name)
    with pytest.raises((OSError, RenderError), match="symbolic links.*" + name if save is saved else name):
        save(tmp_path / name)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises((OSError, RenderError), match="Is a directory") as error:
        save(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)
    assert names(tmp_path) == sorted(["back", name]) and (tmp_path / name).is_dir()


def device(path, minor):
    """A device of our own: a mistake must not replace the system's, which root may."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        os.close(os.open(path, os.O_WRONLY))
    except (AttributeError, OSError) as error:
        pytest.skip(f"no device can be made here: {error}")
    return path


def test_a_device_is_written_to_and_stays(save, name, tmp_path):
    null = device(tmp_path / name, 3)
    (tmp_path / f"link-{name}").symlink_to(null)
    for path in (null, tmp_path / f"link-{name}"):
        save(path)
    assert stat.S_ISCHR(os.lstat(null).st_mode) and path.is_symlink() and len(names(tmp_path)) == 2


@posix
def test_a_pipe_is_written_to_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    saved(pipe)
    reader.join()
    assert b"autograd_lite parameters" in read[0] and stat.S_ISFIFO(os.stat(pipe).st_mode)
    assert names(tmp_path) == ["pipe"]


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="no such names")
@pytest.mark.parametrize("where", ["a file", "a pipe"])
def test_the_standard_output_is_written_to_in_its_place(where, tmp_path):
    (tmp_path / "link").symlink_to("/proc/self/fd/1")           # (as /dev/stdout is)
    program = (f"from autograd_lite.files import write\nprint('before', flush=True)\n"
               f"write({str(tmp_path / 'link')!r}, b'here\\n'); print('after')")
    with open(tmp_path / "out", "wb") as file:
        done = subprocess.run([sys.executable, "-c", program], timeout=60,
                              stdout=file if where == "a file" else subprocess.PIPE)
    text = (tmp_path / "out").read_bytes() if where == "a file" else done.stdout
    assert done.returncode == 0 and text.split() == [b"before", b"here", b"after"]
    assert names(tmp_path) == ["link", "out"] and (tmp_path / "link").is_symlink()


# -- failures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(),
                                   MemoryError()], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("at", ["replace", "open", "write"])
def test_whatever_fails_the_old_file_stays_and_nothing_else(save, name, error, at, tmp_path, monkeypatch):
    path = tmp_path / name
    path.write_bytes(b"old")

    def fail(*_):
        raise error

    if at == "write":
        monkeypatch.setattr(files, "_resemble", fail)                   # (the new file exists by then)
    else:
        monkeypatch.setattr(os, at, fail)
    kind = RenderError if save is rendered and isinstance(error, OSError) else type(error)
    with pytest.raises(kind) as caught:
        save(path)
    monkeypatch.undo()
    assert path.read_bytes() == b"old" and names(tmp_path) == [name]
    if isinstance(error, OSError):
        assert str(path) in str(caught.value) and "No space left" in str(caught.value)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(save, name, tmp_path):
    """Files of more than 4 bytes fail in the midst of writing, as on a full disk."""
    resource = pytest.importorskip("resource")
    path = tmp_path / name
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, before[1]))
    try:
        with pytest.raises((OSError, RenderError)) as error:
            save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "File too large" in str(error.value) and str(path) in str(error.value)
    assert path.read_bytes() == b"old" and names(tmp_path) == [name]


def test_a_device_that_is_full_is_named(tmp_path):
    full = device(tmp_path / "full", 7)
    with pytest.raises(OSError, match=f"No space left on device: '{full}'"):
        saved(full)


def test_a_file_that_may_not_be_written_is_not_replaced(save, name, tmp_path, monkeypatch):
    path = tmp_path / name
    path.write_bytes(b"old")
    path.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda path, what: False)         # (root may)
    with pytest.raises((OSError, RenderError), match="Permission denied"):
        save(path)
    assert path.read_bytes() == b"old" and names(tmp_path) == [name]


# -- names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelt", [str, os.fsencode, Path, lambda path: Named(os.fsencode(path))],
                         ids=["str", "bytes", "Path", "path-like of bytes"])
def test_a_path_may_be_spelt_in_every_way(spelt, tmp_path):
    model, path = nn.MLP(1, [1]), spelt(tmp_path / "m.json")
    model.save(path)
    before = model.state_dict()
    model.parameters()[0].data = 7.0
    model.load(path)
    assert model.state_dict() == before
    path = spelt(tmp_path / "g.dot")
    assert ag.render(model.parameters()[0], path) is path
    assert names(tmp_path) == ["g.dot", "m.json"]


class Named:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


@pytest.mark.parametrize("wrong", [None, 1, True, 2.5, [], open])
def test_what_is_not_a_path_is_refused_by_name(wrong):
    model = nn.MLP(1, [1])
    for use, name in ((model.save, "save"), (model.load, "load")):
        with pytest.raises(InputError, match=f"{name}: expected a path, got {type(wrong).__name__}"):
            use(wrong)


@pytest.mark.parametrize("path", ["", "a\0b", "\ud800", "x" * 300, "missing/m.json", "m.json/"])
def test_a_name_that_no_file_can_have_is_an_os_error_that_names_it(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = nn.MLP(1, [1])
    for use in (model.save, model.load):
        with pytest.raises(OSError) as error:
            use(path)
        assert error.value.filename == path and not isinstance(error.value, FormatError)
    with pytest.raises(RenderError):
        rendered(path + ".dot" if "/" not in path else "missing/g.dot")
    assert names(tmp_path) == [] or path == ""          # (".dot" has no ending)


@posix
def test_a_name_of_255_bytes_will_do(tmp_path):
    saved(tmp_path / ("∂" * 83 + "x.json"))
    assert names(tmp_path) == ["∂" * 83 + "x.json"]


# -- a Drawing's own render ---------------------------------------------------------------------------


def test_a_drawings_render_leaves_no_half_picture(tmp_path, monkeypatch):
    drawing = ag.draw(ag.Value(2.0, "x") * 3.0)
    (tmp_path / "g.gv.svg").write_bytes(b"old")
    monkeypatch.setattr(type(drawing), "pipe", lambda *args, **options: b"<svg")
    path = tmp_path / "g.gv.svg"
    assert drawing.render("g.gv", directory=tmp_path, format="svg", cleanup=True) == str(path)
    assert path.read_bytes() == b"<svg" and names(tmp_path) == ["g.gv.svg"]
    import graphviz
    with pytest.raises(graphviz.FileExistsError):
        drawing.render("g.gv", directory=tmp_path, format="svg", raise_if_result_exists=True)
    with pytest.raises(ValueError, match="must be different"):
        drawing.render("g.svg", directory=tmp_path, outfile=tmp_path / "g.svg")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        drawing.render("h.gv", directory=tmp_path, format="svg")
    assert names(tmp_path) == ["g.gv", "g.gv.svg", "g.svg"]         # (the sources that were saved first)


def test_a_file_whose_name_is_a_number_is_a_file(tmp_path):
    for name in ("7", "1", "99999"):
        nn.Neuron(2).save(tmp_path / name)
        assert nn.Neuron(2).load(tmp_path / name) is None and (tmp_path / name).read_text().startswith("{")
