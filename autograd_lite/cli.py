"""The command line: ``autograd-lite document``, also as ``python -m autograd_lite``."""
from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

import autograd_lite
from autograd_lite import document
from autograd_lite.drawing import render
from autograd_lite.errors import RenderError
from autograd_lite.lines import printable


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="autograd-lite", description=autograd_lite.__doc__.split("\n")[0])
    parser.add_argument("--version", action="version", version=f"autograd-lite {autograd_lite.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    example = commands.add_parser(
        "document", help="differentiate, check, train and draw the worked example",
        description="Differentiate, check, train and draw the worked example. The exit status is 0: that "
                    "the published derivation is wrong is the expected finding.")
    example.add_argument("--steps", type=_steps, default=document.STEPS, metavar="N",
                         help="updates in training (default %(default)s)")
    example.add_argument("--output", type=Path, default=Path("."), metavar="DIR",
                         help="where to write the pictures (default: here)")
    example.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    options = parser.parse_args(argv)
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        if not os.access(options.output, os.W_OK):
            raise PermissionError(f"no permission to write in {options.output}")
    except OSError as error:
        parser.error(printable(f"--output: {error}"))
    _utf8(sys.stdout)
    _utf8(sys.stderr)
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
    path = output / "document.png"
    try:
        return [str(render(root, path, caption="data: the value · grad: ∂E/∂node · on each arrow: the "
                                               "local derivative ∂head/∂tail"))]
    except RenderError as error:
        print(f"document.png was not drawn: {error}", file=sys.stderr)
        dot = path.with_suffix(".dot")
        return [str(dot)] if dot.exists() else []


def _curves(trainings: dict[document.Variant, document.Training], output: Path) -> list[str]:
    if importlib.util.find_spec("matplotlib") is None:
        print("training.png was not drawn: matplotlib is missing; python -m pip install "
              "'autograd-lite[demos]'", file=sys.stderr)
        return []
    path = str(output / "training.png")
    document.plot_training(trainings, path)
    return [path]


def _progress(steps: Iterable[int], name: str) -> Iterable[int]:
    """A progress bar on a terminal, if tqdm is installed."""
    if sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None:
        from tqdm import tqdm
        bar: Iterable[int] = tqdm(steps, desc=f"training, {name}", leave=False, ncols=80)
        return bar
    print(f"training, {name} …", file=sys.stderr)
    return steps


def _steps(text: str) -> int:
    try:
        steps = int(text)
    except ValueError:
        steps = 0
    if steps < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of steps; give a whole number, 1 or more")
    return steps


def _utf8(stream: TextIO) -> None:
    """Print ∂ even if the locale's encoding lacks it."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(encoding="utf-8")
