"""The command line: ``autograd-lite document``, also as ``python -m autograd_lite``."""
from __future__ import annotations

import argparse
import codecs
import errno
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import Any, NoReturn, TextIO

import autograd_lite
from autograd_lite import document
from autograd_lite.drawing import draw
from autograd_lite.errors import AutogradError, RenderError, short
from autograd_lite.files import write
from autograd_lite.lines import printable

PROGRAM = "autograd-lite"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0, or 1 if it could not write, 130 after Ctrl-C.

    What goes wrong is one line on the standard error.
    """
    if sys.stderr is None:                      # closed; print would take the standard output instead
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)      # (so that no file gets its number either)
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)
    _encode(sys.stderr)
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "it is closed")
        _encode(sys.stdout)
        with _ending_at_once():
            try:
                return _run(argv)
            finally:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return _failed(_INTERRUPTED, 130)
    except BrokenPipeError as error:            # (as the shell reports a program that the signal ended)
        return _failed(error, 141)
    except (AutogradError, OSError, MemoryError) as error:
        return _failed(error, 1)


def _run(argv: Sequence[str] | None) -> int:
    parser = _Parser(prog=PROGRAM, description="Ordinary Python arithmetic on scalars, differentiated "
                                               "exactly, drawn and checked.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {autograd_lite.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    example = commands.add_parser(
        "document", help="differentiate, check, train and draw the worked example",
        description="Differentiate, check, train and draw the worked example. The exit status is 0: that "
                    "the published derivation is wrong is the expected finding.")
    example.add_argument("--steps", type=_steps, default=document.STEPS, metavar="N",
                         help="updates in training (default %(default)s)")
    example.add_argument("--output", type=Path, default=Path("."), metavar="DIR",
                         help="where to write the pictures (default: here)")
    example.add_argument("--derivation", metavar="FILE",
                         help="also write out the derivatives by w1…w8, b1 and b2, and the published "
                         "lines that are wrong (.html, .md or .txt)")
    example.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    options = parser.parse_args(argv)
    try:
        folder = next(path for path in (options.output, *options.output.parents) if path.exists())
        if not folder.is_dir():
            parser.error(f"--output: {folder} is not a directory")
        if not os.access(folder, os.W_OK):
            parser.error(f"--output: no permission to write in {folder}")
    except OSError as error:
        parser.error(printable(f"--output: {error}"))
    if options.derivation:
        document.write_derivation(options.derivation)
    _document(options.steps, options.output, options.json)
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and fails if it cannot print."""

    def error(self, message: str) -> NoReturn:
        self.exit(_failed(f"{message} (see {self.prog} --help)", 2))

    def _print_message(self, message: str, file: Any = None) -> None:
        (file or sys.stderr).write(message)


def _document(steps: int, output: Path, as_json: bool) -> None:
    if not as_json:
        print(document.tables(), end="\n\n", flush=True)
    variants: tuple[document.Variant, ...] = ("published", "corrected", "with_biases")
    trainings = {variant: document.train(variant, steps, _progress) for variant in variants}
    if not as_json:
        print(document.training_table(trainings), end="\n\n", flush=True)
    files = [*_picture(output), *_curves(trainings, output)]
    if as_json:
        print(json.dumps(_facts(trainings, files), allow_nan=False, indent=1))
    else:
        print("FILES\n\n" + "\n".join(f"  {printable(file)}" for file in files))


def _facts(trainings: dict[document.Variant, document.Training], files: list[str]) -> dict[str, Any]:
    network = document.Network()
    audits = document.audits()
    return {
        "gradients": document.automatic_gradients(network),
        "corrected_hand_gradients": document.gradients(document.derivation(network, published=False)),
        "published_gradients": document.gradients(document.derivation(network, published=True)),
        "audit": [row.as_dict() for row in audits["corrected"].rows],
        "audit_of_published_forward": [row.as_dict() for row in audits["published"].rows],
        "training": {name: run.as_dict() for name, run in trainings.items()},
        "files": files}


def _picture(output: Path) -> list[str]:
    root = document.Network().graph()
    root.backward()
    try:
        drawing = draw(root, caption="data: the value · grad: ∂E/∂node · on each arrow: the "
                                     "local derivative ∂head/∂tail")
    except RenderError as error:
        _say(f"document.png was not drawn: {error}")
        return []
    path = str(output / "document.png")
    try:
        picture = drawing.pipe("png")
    except RenderError as error:
        path, picture = str(output / "document.dot"), drawing.source.encode()
        _say(f"document.png was not drawn: {error}")
    output.mkdir(parents=True, exist_ok=True)
    write(path, picture)
    return [path]


def _curves(trainings: dict[document.Variant, document.Training], output: Path) -> list[str]:
    path = str(output / "training.png")
    output.mkdir(parents=True, exist_ok=True)
    try:
        if importlib.util.find_spec("matplotlib") is None:
            raise ImportError("matplotlib is missing")
        document.plot_training(trainings, path)
    except ImportError as error:
        _say(f"training.png was not drawn: {error}; python -m pip install 'autograd-lite[demos]'")
        return []
    return [path]


def _progress(steps: Iterable[int], name: str) -> Iterable[int]:
    """A progress bar on a terminal, if tqdm is installed."""
    if sys.stderr.isatty():
        with suppress(ImportError):
            from tqdm import tqdm
            bar: Iterable[int] = tqdm(steps, desc=f"training, {name}", leave=False, ncols=80)
            return bar
    _say(f"training, {name} …")
    return steps


def _steps(text: str) -> int:
    try:
        steps = int(text)
    except ValueError:
        steps = 0
    if not 1 <= steps <= sys.maxsize:
        raise argparse.ArgumentTypeError(f"{short(text)} is not a number of steps; give a whole number, "
                                         "1 or more")
    return steps


# -- Ctrl-C, the standard output and error -------------------------------------------------------------

_INTERRUPTED = "interrupted"


@contextmanager
def _ending_at_once() -> Iterator[None]:
    """Let Ctrl-C end the program where it stands: other packages may swallow the exception."""
    before = signal.getsignal(signal.SIGINT)
    if before not in (signal.default_int_handler, signal.SIG_DFL) or current_thread() is not main_thread():
        yield
        return
    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(number: int, frame: FrameType | None) -> None:
    while frame:
        if frame.f_code is write.__code__:      # it has a file to remove
            raise KeyboardInterrupt
        frame = frame.f_back
    with suppress(OSError):
        os.write(2, f"{PROGRAM}: {_INTERRUPTED}\n".encode())
    os._exit(130)


def _failed(what: object, status: int) -> int:
    """Say what went wrong, and return the exit status."""
    if isinstance(what, MemoryError):
        what = "not enough memory; fewer --steps need less"
    elif isinstance(what, OSError) and what.strerror:
        what = f"{what.filename or 'the standard output'}: {what.strerror}"
    _say(f"{PROGRAM}: {what}")
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _discard(sys.stdout)
    return status


def _say(text: str) -> None:
    """One line on the standard error, if that is possible."""
    try:
        print(_visible(" ".join(text.split())), file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _discard(stream: TextIO) -> None:
    """Let what a stream still holds go nowhere: Python would fail with it at its own end."""
    with suppress(OSError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _encode(stream: TextIO) -> None:
    """Print d for ∂, and codes for letters, where the stream's encoding lacks them."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=_LACKING)


_LACKING = "autograd_lite.lacking"
_WORDS = {"∂": "d", "…": "...", "·": "-"}


def _lacking(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError) and (word := _WORDS.get(error.object[error.start])):
        return word, error.start + 1
    return codecs.backslashreplace_errors(error)


codecs.register_error(_LACKING, _lacking)
