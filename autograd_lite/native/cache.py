"""Compiled native code on disk, so that other processes need not compile it again.

It lies in ``autograd_lite`` in the user's cache folder (``$XDG_CACHE_HOME``, or ``~/.cache``), or in the
folder that ``AUTOGRAD_LITE_CACHE`` names; if that is empty there is no cache. A folder that belongs to
another user, or to which others can write, is not used: what lies in it would run. Where nothing can be
written, or what is there is damaged, code is compiled anew, without a word.
"""
from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from secrets import token_hex

_FILES, _BYTES = 2000, 64 << 20                 # the most that is kept
_HEAD = hashlib.sha256().digest_size            # before the content stands its hash
_OWN = getattr(os, "getuid", int)
# No link is followed, and no pipe waited for, where the system can do that.
_SAFELY = sum([getattr(os, name) for name in ("O_NOFOLLOW", "O_NONBLOCK") if hasattr(os, name)])


def key_of(*facts: str) -> str:
    """The key of what these facts decide."""
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def _hash(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + content).digest()


def folder() -> str:
    """Where the files lie; "" for nowhere."""
    named = os.environ.get("AUTOGRAD_LITE_CACHE")
    if named is not None:
        return named and os.path.abspath(named)
    home = os.environ.get("XDG_CACHE_HOME", "")
    home = home if os.path.isabs(home) else os.path.expanduser(os.path.join("~", ".cache"))
    return os.path.join(home, "autograd_lite") if os.path.isabs(home) else ""


def load(key: str) -> bytes | None:
    """What was stored under a key, if it is there and whole."""
    with suppress(OSError):
        path = os.path.join(_private(), key)
        with open(path, "rb", opener=_opened) as file:
            content = file.read()
        if content[:_HEAD] == _hash(key, content[_HEAD:]):
            with suppress(OSError):
                os.utime(path)                  # (those not used for longest are removed first)
            return content[_HEAD:]
    return None


def store(key: str, content: bytes) -> None:
    """Keep something under a key, if that is possible."""
    with suppress(OSError):
        where = folder()
        os.makedirs(os.path.dirname(where), exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(where, 0o700)
        _prune(_private())
        # (No file is written through a link or a pipe, as `files.write` does.)
        part = os.path.join(where, f"{key[:16]}.{token_hex(8)}")
        try:
            with open(part, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(_hash(key, content) + content)
            os.replace(part, os.path.join(where, key))
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise


def _private() -> str:
    """The folder, if only this user can write to it."""
    where = folder()
    if not where or not _is_own(os.stat(where), stat.S_ISDIR):
        raise PermissionError(where)
    return where


def _is_own(facts: os.stat_result, kind: object) -> bool:
    return bool(kind(facts.st_mode) and facts.st_uid == _OWN()  # type: ignore[operator]
                and (os.name == "nt" or not facts.st_mode & 0o022))


def _opened(path: str, flags: int) -> int:
    """Open a file that only this user could write."""
    fd = os.open(path, flags | _SAFELY)
    if not _is_own(os.fstat(fd), stat.S_ISREG):
        os.close(fd)
        raise PermissionError(path)
    return fd


def _prune(where: str) -> None:
    """Remove what was not used for longest, if there is too much."""
    found = []
    for entry in os.scandir(where):
        with suppress(OSError):                 # (another process removes some, too)
            facts = entry.stat(follow_symlinks=False)
            found.append((facts.st_mtime, facts.st_size, entry.path))
    size = sum([size for _, size, _ in found])
    if len(found) < _FILES and size < _BYTES:
        return
    found.sort()
    for i, (_, one, path) in enumerate(found):
        if len(found) - i <= _FILES // 2 and size <= _BYTES // 2:
            break
        size -= one
        with suppress(OSError):
            os.unlink(path)
