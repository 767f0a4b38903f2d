"""The cache of native code on disk: what it keeps, and what it must not load."""
import ctypes
import os
import subprocess
import sys
import threading

import pytest

from autograd_lite import compile
from autograd_lite.native import cache, calls

pytest.importorskip("llvmlite")
from autograd_lite.native import engine, iterate, replay           # noqa: E402
from autograd_lite.native.engine import Library                    # noqa: E402
from autograd_lite.native.llvm import Unit                         # noqa: E402


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "made" / "cache"
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", str(path))
    return path


@pytest.fixture
def compiled(monkeypatch):
    """The sources that were compiled."""
    found, plain = [], Library._compiled
    monkeypatch.setattr(Library, "_compiled", lambda self, text: found.append(text) or plain(self, text))
    return found


def source(n):
    return f"define i64 @f(i64 %x) {{\n  %y = mul i64 %x, {n}\n  ret i64 %y\n}}\n"


def result(n, level=2):
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(Library(source(n), level)["f"])(10)


def test_code_is_compiled_once_for_all_processes(folder, compiled):
    assert [result(3), result(3), result(4), result(3), result(4, 0)] == [30, 30, 40, 30, 40]
    assert compiled == [source(3), source(4), source(4)]            # (another level is other code)
    Library(source(3))                          # (for any processor, as good as it gets)
    assert len(list(folder.iterdir())) == 3 and folder.stat().st_mode & 0o777 == 0o700
    script = ("import ctypes, sys; from autograd_lite.native.engine import Library\n"
              "Library._compiled = None\n"
              f"print(ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(Library({source(3)!r})['f'])(5))")
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "15\n"


@pytest.mark.parametrize("damage", [
    lambda x: b"", lambda x: x[:20], lambda x: x[:-1], lambda x: x + b"\0",
    lambda x: x[:200] + bytes([x[200] ^ 1]) + x[201:], lambda x: bytes([x[0] ^ 1]) + x[1:]])
def test_what_is_damaged_is_compiled_again(folder, compiled, damage):
    result(3)
    path, = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert result(3) == 30 and len(compiled) == 2 and path.read_bytes() == whole


def test_other_processors_and_versions_have_other_code(folder, compiled, monkeypatch):
    result(3)
    for i in range(len(engine.facts())):
        facts = (*engine.facts()[:i], "another", *engine.facts()[i + 1:])
        with monkeypatch.context() as patch:
            patch.setattr(engine, "facts", lambda: facts)
            result(3)
    assert len(compiled) == 1 + len(engine.facts())


@pytest.mark.skipif(os.name == "nt", reason="modes of files")
def test_what_others_could_have_written_is_not_loaded(folder, compiled, monkeypatch):
    result(3)
    path, = folder.iterdir()
    for mode in (0o770, 0o707, 0o777):
        folder.chmod(mode)
        result(3)
    folder.chmod(0o700)
    path.chmod(0o666)
    result(3)
    path.chmod(0o600)
    result(4)
    path.write_bytes(next(other for other in folder.iterdir() if other != path).read_bytes())
    result(3)
    assert len(compiled) == 7                   # (the code of another key, too)
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")
    result(3)
    assert len(compiled) == 8
    assert not path.is_symlink() and (folder.parent / "elsewhere").exists()
    path.unlink()
    os.mkfifo(path)
    result(3)
    assert len(compiled) == 9 and path.is_file()
    monkeypatch.setattr(cache, "_OWN", lambda: os.getuid() + 1)
    result(5)
    result(5)
    assert len(compiled) == 11


def test_where_nothing_can_be_written_code_is_compiled(folder, compiled, monkeypatch, tmp_path):
    folder.parent.mkdir()
    folder.write_text("a file")
    assert result(3) == 30 and folder.read_text() == "a file"
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", str(folder / "below"))
    assert result(3) == 30
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", "x" * 5000)
    assert result(3) == 30
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", "")
    assert result(3) == 30 and len(compiled) == 4
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", str(tmp_path / "new"))
    monkeypatch.setattr(os, "replace", lambda *args: (_ for _ in ()).throw(OSError(28, "no space")))
    assert result(3) == 30 and list((tmp_path / "new").iterdir()) == []


def test_where_it_lies(monkeypatch, tmp_path):
    monkeypatch.delenv("AUTOGRAD_LITE_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache.folder() == str(tmp_path / "x" / "autograd_lite")
    for home in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", home)
        if os.name != "nt":
            assert cache.folder() == str(tmp_path / ".cache" / "autograd_lite")
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", "")
    assert cache.folder() == ""


def test_code_that_calls_functions_of_this_process_is_not_kept(folder, compiled):
    for _ in range(2):
        unit = Unit()
        name = unit.callback(len, 1)
        unit.texts.append(f"define double @f(double %x) {{\n  %y = call double @{name}(double %x)\n"
                          "  ret double %y\n}\n")
        Library(unit)
    assert len(compiled) == 2 and not folder.exists()


def test_what_knows_an_address_of_this_process_is_not_kept(folder, compiled):
    """Big programs, and loops that call them."""
    pytest.importorskip("numpy")
    step = compile(lambda state: [state[0] * 2.0 + 1.0])
    step([1.0])
    recording = step.used().recording
    layout = iterate.Layout(0, 1, 0, [0])
    replay.loop.library()
    folder.mkdir(0o700, parents=True, exist_ok=True)
    for is_big, texts, files in ((False, 1, 1), (False, 0, 0), (True, 2, 0), (True, 2, 0)):
        before = len(compiled), len(list(folder.iterdir()))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(iterate, "is_big", lambda recording: is_big)
            made = iterate.Loop(recording, layout)
        assert made.run([3.0], [], None, 4, 0, 0) == (calls.DONE, 4, [])
        assert (len(compiled) - before[0], len(list(folder.iterdir())) - before[1]) == (texts, files)


def stored(folder, i, size, age=None):
    """Store something, so many seconds after the others; how many files there are then."""
    key = cache.key_of(str(i))
    cache.store(key, bytes(size - 32))          # (before it stands its hash)
    os.utime(folder / key, (i, i) if age is None else (age, age))
    return len(list(folder.iterdir()))


@pytest.mark.parametrize("files, size, counts", [
    (4, 100, [1, 2, 3, 4, 3, 4, 3, 4]),         # the number halves
    (5, 100, [1, 2, 3, 4, 5, 3, 4, 5, 3]),
    (100, 499, [1, 2, 3, 2, 3, 2]), (100, 500, [1, 2, 2, 2]), (100, 501, [1, 2, 1, 2, 1]),
    (100, 1000, [1, 1, 1]), (3, 400, [1, 2, 3, 2, 3])])
def test_where_there_is_too_much_half_of_it_goes(folder, monkeypatch, files, size, counts):
    monkeypatch.setattr(cache, "_FILES", files)
    monkeypatch.setattr(cache, "_BYTES", 1000)
    assert [stored(folder, i, size) for i in range(1, len(counts) + 1)] == counts
    assert cache.load(cache.key_of(str(len(counts)))) == bytes(size - 32)


def test_what_was_not_used_for_longest_goes_first(folder, monkeypatch):
    monkeypatch.setattr(cache, "_FILES", 4)
    for i, age in ((1, 30), (2, 10), (3, 40), (4, 20)):
        stored(folder, i, 100, age)
    assert cache.load(cache.key_of("2")) == bytes(68)           # (which makes it the youngest)
    stored(folder, 5, 100)
    assert {path.name for path in folder.iterdir()} == {cache.key_of(i) for i in "235"}


def test_2000_files_and_64_mib_are_kept():
    assert (cache._FILES, cache._BYTES) == (2000, 64 * 2 ** 20)


@pytest.mark.skipif(os.name == "nt", reason="modes of files")
def test_only_its_user_can_read_and_write_it(folder):
    for _ in range(2):
        stored(folder, 1, 100)
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_interruption_comes_through_and_leaves_nothing(folder, monkeypatch):
    def interrupted(*paths):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cache.store("k" * 64, b"content")
    assert list(folder.iterdir()) == [] and cache.load("k" * 64) is None


def test_keys_tell_facts_apart():
    keys = [cache.key_of(*facts) for facts in ((), ("",), ("a", "b"), ("ab",), ("b", "a"), ("a", "b", ""))]
    assert len(set(keys)) == 5 and keys[0] == keys[1] and set(map(len, keys)) == {64}


def test_many_who_write_and_read_at_once_see_it_whole(folder):
    key, found = cache.key_of("a"), set()

    def work(i):
        for _ in range(30):
            cache.store(key, bytes([i]) * 5000)
            found.add(cache.load(key))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found <= {bytes([i]) * 5000 for i in range(4)} and len(list(folder.iterdir())) == 1


def test_errors_of_the_compiler_come_through():
    with pytest.raises(RuntimeError):
        Library("no LLVM")
