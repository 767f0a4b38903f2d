"""Files are written whole or not at all: `write`, and `write_figure`; `read` is here for its errors."""
from __future__ import annotations

import errno
import io
import os
import stat
import sys
from contextlib import suppress
from secrets import token_hex
from typing import Any

from autograd_lite.errors import InputError

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]


def path_text(path: AnyPath, asker: str, remedy: str = "") -> str:
    """A path as text.

    Raises:
        InputError: it is not a path.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise InputError(f"{asker}: expected a path, got {type(path).__name__}{remedy}")
    return os.fsdecode(path)


def write(path: str, content: bytes) -> None:
    """Put a file in its place whole: whoever reads it meanwhile, and whatever fails, sees the old or the new.

    It is written next to its place first. The mode of a file that it replaces is kept. A symbolic link
    stays, and what it points to is replaced; a device or a pipe is written to.

    Raises:
        OSError: it cannot be written; what was there is as it was, and nothing else is left.
    """
    try:
        _write(path, content)
    except (OSError, ValueError) as error:      # with the name that was asked for
        raise _named(error, path) from None


def write_figure(figure: Any, path: str, **options: Any) -> None:
    """Write a figure of matplotlib's as `write` does; `options` are those of its `savefig`."""
    picture = io.BytesIO()
    figure.savefig(picture, format=os.path.splitext(path)[1][1:] or "png", **options)
    write(path, picture.getvalue())


def read(path: str) -> bytes:
    """The content of a file.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise _named(error, path) from None


def _named(error: OSError | ValueError, path: str) -> OSError:
    if isinstance(error, OSError):
        return OSError(error.errno, error.strerror, path)
    return OSError(errno.EINVAL, "No file can have this name", path)        # (a NUL in it, say)


def _write(path: str, content: bytes) -> None:
    try:
        before = os.stat(path)
    except FileNotFoundError:
        before = None
    place = _place(path)
    if isinstance(place, int) or _is_device(place) or before and not stat.S_ISREG(before.st_mode):
        with open(os.dup(place) if isinstance(place, int) else path, "wb") as file:
            file.write(content)
        return
    mode = stat.S_IMODE(before.st_mode) if before else 0o666        # (less the umask, as for any new file)
    if before and not os.access(place, os.W_OK):        # a replacement would not ask
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    folder, name = os.path.split(place)
    part = os.path.join(folder, f".{name[:40]}.{token_hex(8)}.part")
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            if before:
                _resemble(part, before)
            file.write(content)
        os.replace(part, place)
    except BaseException:                       # an interruption too
        with suppress(OSError):
            os.unlink(part)
        raise


def _place(path: str) -> str | int:
    """Where links lead: to a name, or (as from /dev/stdout) to a file that this process has open."""
    while True:
        folder = os.path.realpath(os.path.dirname(path))
        path = os.path.join(folder, name := os.path.basename(path))
        if folder in (f"/proc/{os.getpid()}/fd", "/dev/fd") and name.isdecimal():
            return int(name)
        if not os.path.islink(path):
            return path
        path = os.path.join(folder, os.readlink(path))


def _is_device(path: str) -> bool:
    """Whether a name is one of Windows's for a device, such as NUL, which no file can replace."""
    stem = os.path.basename(path).replace(":", ".").partition(".")[0].rstrip()
    return sys.platform == "win32" and stem.upper() in _DEVICES


_DEVICES = {"AUX", "CON", "CONIN$", "CONOUT$", "NUL", "PRN",
            *[port + k for port in ("COM", "LPT") for k in "123456789¹²³"]}


def _resemble(path: str, before: os.stat_result) -> None:
    """Give a file the owner and the mode of another, as far as that is allowed."""
    now = os.stat(path)
    if hasattr(os, "chown") and (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        with suppress(OSError):
            os.chown(path, before.st_uid, before.st_gid)
    if stat.S_IMODE(now.st_mode) != stat.S_IMODE(before.st_mode):
        os.chmod(path, stat.S_IMODE(before.st_mode))
