"""``autograd-lite draw``: the computation graph of an expression."""
from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from autograd_lite.checks.report import clip, plain_data
from autograd_lite.commands.console import Parser, say, whole
from autograd_lite.commands.formulas import (add_expression, add_point, backward, functions, graph, point,
                                             pointing, read, root_name)
from autograd_lite.drawing.output import ENDINGS, draw, render
from autograd_lite.lines import printable

EXAMPLE = 'autograd-lite draw "tanh(w*x + b)" --at x=2 w=-3 b=6.88 -o neuron.png'


def add(commands: Any) -> None:
    """Add the command."""
    parser: Parser = commands.add_parser(
        "draw", help="the computation graph of an expression, as a picture",
        description="Draw the computation graph of an expression at a point, with the gradient.",
        epilog=f"example:\n  {EXAMPLE}\n\n{functions()}")
    add_expression(parser)
    add_point(parser)
    parser.add_argument("-o", "--output", type=_path, metavar="FILE",
                        help=f"{' '.join(ENDINGS)} (default: print the picture's DOT source)")
    parser.add_argument("--style", choices=("full", "compact"), help="cards of several lines, or of one")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--colour", "--color", choices=("kind", "grad"), default="kind",
                        help="what colours tell: leaf or result, or the sizes of gradients")
    parser.add_argument("--direction", choices=("LR", "RL", "TB", "BT"), help="where the arrows point")
    parser.add_argument("--digits", type=whole(1, 17, "a number of digits"), metavar="N",
                        help="significant digits of each number")
    parser.add_argument("--max-nodes", type=whole(1, sys.maxsize, "a number of nodes"), default=100,
                        metavar="N", help="fold a larger graph (default %(default)s)")
    parser.add_argument("--focus", metavar="NAME", help="only the paths to it that carry most gradient")
    parser.add_argument("--caption", default="", metavar="TEXT", help="a line below the picture")
    parser.add_argument("--ieee", action="store_true", help="go on with inf and nan outside a domain")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, refused=2)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    formula = read(options.expression)
    at = point(options.at, formula)
    asked = {name: getattr(options, name) for name in (
        "style", "theme", "colour", "direction", "digits", "max_nodes", "focus", "caption")}
    with warnings.catch_warnings(record=True) as caught:
        nodes, root = graph(formula, at)
        root.label = root.label or root_name(formula)
        with pointing(formula, at):
            backward(root)
        source = ""
        if options.output is None:
            source = draw(root, **asked).source
        else:
            render(root, options.output, **asked)
    for warning in caught:
        say(f"{warning.message}")
    if options.json:
        print(json.dumps(plain_data({
            "value": root.data, "gradient": {name: nodes[name].grad for name in formula.variables},
            **({"source": source} if source else {"file": str(options.output)})})))
    else:
        print(source.rstrip("\n") or printable(str(options.output)))
    return 0


def _path(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in ENDINGS:
        raise argparse.ArgumentTypeError(f"{clip(printable(text), 60)}: the name must end in "
                                         f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    return path
