"""The command line, ``autograd-lite``, also as ``python -m autograd_lite``."""
from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

import autograd_lite
from autograd_lite import document
from autograd_lite.commands import audit, check, draw, grad
from autograd_lite.commands.console import INTERRUPTED, PROGRAM, Parser, encode, failed, progress, say, whole
from autograd_lite.drawing import draw as drawn
from autograd_lite.errors import AutogradError, MissingError, RenderError, errstate
from autograd_lite.extras import install
from autograd_lite.files import write
from autograd_lite.lines import printable


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0: all is well; 1: a claim differs, or it could not write; 2: a mistake in what it was given, or a domain
    error; 130 after Ctrl-C. What goes wrong is one line on the standard error, with the place where it is in
    an expression or a file.
    """
    if sys.stderr is None:                      # closed; print would take the standard output instead
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)      # (so that no file gets its number either)
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)
    encode(sys.stderr)
    options = argparse.Namespace(refused=1, failed=1)
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "it is closed")
        encode(sys.stdout)
        with _ending_at_once():
            try:
                _parser().parse_args(argv, options)
                mode = errstate("ignore" if getattr(options, "ieee", False) else "raise")
                return int(mode.run(options.run, options))
            finally:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return failed(INTERRUPTED, 130)
    except BrokenPipeError as error:            # (as the shell reports a program that the signal ended)
        return failed(error, 141)
    except (AutogradError, OSError, MemoryError) as error:
        refused = isinstance(error, AutogradError) and not isinstance(error, RenderError | MissingError)
        return failed(error, options.refused if refused else options.failed)


def _parser() -> Parser:
    """The commands; each says what to run, and the status if it is refused and if something else fails."""
    parser = Parser(prog=PROGRAM, epilog=_EXAMPLES, description="Ordinary Python arithmetic on scalars, "
                                                                "differentiated exactly, drawn and checked.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {autograd_lite.__version__}")
    parser.set_defaults(run=lambda options: _overview(parser))
    commands = parser.add_subparsers(dest="command", metavar="command")
    for command in (grad, draw, check, audit):
        command.add(commands)
    example: Parser = commands.add_parser(
        "document", help="differentiate, check, train and draw the worked example",
        description="Differentiate, check, train and draw the worked example. The exit status is 0: that "
                    "the published derivation is wrong is the expected finding.",
        epilog=f"example:\n  {_EXAMPLE}")
    example.add_argument("--steps", type=whole(1, sys.maxsize, "a number of steps"), default=document.STEPS,
                         metavar="N", help="updates in training (default %(default)s)")
    example.add_argument("--output", type=Path, default=Path("."), metavar="DIR",
                         help="where to write the pictures (default: here)")
    example.add_argument("--derivation", metavar="FILE",
                         help="also write out the derivatives by w1…w8, b1 and b2, and the published "
                         "lines that are wrong (.html, .md or .txt)")
    example.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    example.set_defaults(run=lambda options: _worked(example, options))
    return parser


_EXAMPLE = "autograd-lite document --steps 1000"
_EXAMPLES = "\n".join(["examples:", *[f"  {text}" for text in (
    grad.EXAMPLE, draw.EXAMPLE, check.EXAMPLE, audit.EXAMPLE, _EXAMPLE)], "",
    f"more: {PROGRAM} grad --help, and so on"])


def _overview(parser: Parser) -> int:
    parser.print_help(sys.stdout)
    return 0


def _worked(parser: Parser, options: argparse.Namespace) -> int:
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
        drawing = drawn(root, caption="data: the value · grad: ∂E/∂node · on each arrow: the "
                                      "local derivative ∂head/∂tail")
    except RenderError as error:
        say(f"document.png was not drawn: {error}")
        return []
    path = str(output / "document.png")
    try:
        picture = drawing.pipe("png")
    except RenderError as error:
        path, picture = str(output / "document.dot"), drawing.source.encode()
        say(f"document.png was not drawn: {error}")
    output.mkdir(parents=True, exist_ok=True)
    write(path, picture)
    return [path]


def _curves(trainings: dict[document.Variant, document.Training], output: Path) -> list[str]:
    path = str(output / "training.png")
    output.mkdir(parents=True, exist_ok=True)
    try:
        document.plot_training(trainings, path)
    except ImportError as error:
        say(f"training.png was not drawn: {error}"
            f"{'' if isinstance(error, MissingError) else '; ' + install('demos')}")
        return []
    return [path]


def _progress(steps: Iterable[int], name: str) -> Iterable[int]:
    """A progress bar on a terminal; else a line."""
    bar = progress(steps, f"training, {name}")
    if bar is steps:
        say(f"training, {name} …")
    return bar


# -- Ctrl-C ------------------------------------------------------------------------------------------

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
        os.write(2, f"{PROGRAM}: {INTERRUPTED}\n".encode())
    os._exit(130)
