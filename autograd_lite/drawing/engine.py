"""The program that lays a picture out: a system ``dot`` that works, or the [png] extra's."""
from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from autograd_lite.errors import RenderError
from autograd_lite.extras import install
from autograd_lite.lines import printable
from autograd_lite.locks import shared_lock

SYSTEM = ("the system's package graphviz (apt install graphviz, brew install graphviz, "
          "winget install graphviz)")
_PROBE = b"digraph { a [label=<<TABLE><TR><TD><B>x</B></TD></TR></TABLE>>] }"
_PNG = b"\x89PNG\r\n\x1a\n"
_UNKNOWN = re.compile(rb"^Format: .* not recognized", re.MULTILINE)
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)         # (Windows would open one for a program)
_looking = shared_lock()


def program() -> str:
    """The path of the first program that can draw a PNG.

    Raises:
        RenderError: there is none; the message says what was tried and what to install.
    """
    tried = []
    for name, path in _candidates():
        with _looking:
            trouble = _trouble(path)
        if not trouble:
            return path
        tried.append(printable(f"{name} ({path}) {trouble}"))
    raise RenderError(f"no program to draw with was found{''.join('; ' + t for t in tried)}. Install one: "
                      f"{install('png')}, or {SYSTEM}")


def _candidates() -> Iterator[tuple[str, str]]:
    dot = shutil.which("dot")
    if dot and (sys.platform != "win32" or os.path.isabs(dot)):     # (else it lies in the working folder)
        yield "the system's dot", os.path.abspath(dot)
    from importlib.metadata import PackageNotFoundError, distribution       # (a heavy module)
    try:
        files = distribution("graphviz-pure").files or []
    except PackageNotFoundError:
        return
    for file in files:
        # The wheel has no module: its program is the one file outside its metadata.
        path = file.locate()
        if file.stem == "graphviz-pure" and os.path.isfile(path):
            yield "graphviz-pure", os.path.abspath(path)


@functools.cache
def _trouble(path: str) -> str:
    """What is wrong with a program ("" if nothing); some installations cannot write a PNG."""
    try:
        done = subprocess.run([path, "-Tpng"], input=_PROBE, capture_output=True, timeout=60,
                              creationflags=_NO_WINDOW)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run: {error}"
    if done.returncode == 0 and done.stdout.startswith(_PNG) and b"libexpat" not in done.stderr:
        return ""
    return f"cannot write a PNG: {_last_line(done.stderr) or f'exit status {done.returncode}'}"


def run(source: str, *options: str) -> bytes:
    """The program's output for DOT source.

    Raises:
        RenderError: there is no program, or it fails.
    """
    command = [program(), *options]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, creationflags=_NO_WINDOW)
    except OSError as error:
        raise RenderError(f"{' '.join(command)} does not run: {error}") from None
    if _UNKNOWN.search(done.stderr):
        kind = next(option[2:] for option in options if option.startswith("-T"))
        raise RenderError(f"{command[0]} does not write {kind}; install {SYSTEM}, which does, or write "
                          "another kind of file (.html, say, which a browser prints as a PDF)")
    if done.returncode != 0 or not done.stdout:
        raise RenderError(printable(
            f"{' '.join(command)} failed with exit status {done.returncode}: "
            f"{_last_line(done.stderr) or 'it wrote nothing'}; a smaller max_nodes may help"))
    return done.stdout


def _last_line(stderr: bytes) -> str:
    return "".join(stderr.decode(errors="replace").strip().splitlines()[-1:])
