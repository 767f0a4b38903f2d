"""The three programs in two builds of ours, in turn: the pure Python one, and the one that mypyc compiles.

    python tests/benchmarks/compiled.py PYTHON COMPILED_PYTHON [--runs 9] [--page docs/speed.md]

Both are interpreters of environments that have the library: `pip install .`, and
`AUTOGRAD_LITE_COMPILE=1 pip install .`.
"""
from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence

from page import fill, table
from programs import PROGRAMS
from speed import ours, timed


def measure(runs: int) -> dict[str, list[float]]:
    """The least ms of each program, the collector on and off, in this interpreter."""
    return {name: [1e3 * min([timed(run, on) for _ in range(runs)]) for on in (True, False)]
            for name, run in ((name, ours(program)) for name, program in PROGRAMS.items())}


def least(found: Sequence[dict[str, list[float]]], name: str, i: int) -> float:
    return min(each[name][i] for each in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pythons", nargs="*", metavar="PYTHON")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--page", nargs="+", default=[], metavar="FILE")
    options = parser.parse_args()
    if not options.pythons:                                 # how the script runs itself
        import autograd_lite
        print(json.dumps({"build": autograd_lite.build, **measure(options.runs)}))
        return
    found: dict[str, list[dict[str, list[float]]]] = {}
    for _ in range(3):
        for python in options.pythons:
            done = subprocess.check_output([python, __file__, "--runs", str(options.runs)], text=True)
            one = json.loads(done)
            found.setdefault(one.pop("build"), []).append(one)
    rows = []
    for name in PROGRAMS:
        times = [[least(found[build], name, i) for build in ("python", "mypyc")] for i in (0, 1)]
        rows.append([name, *[f"{pure:.1f}, {compiled:.1f}" for pure, compiled in times],
                     *[f"{pure / compiled:.2f}" for pure, compiled in times]])
    text = table(["program", "collector on, ms", "off, ms", "ratio, on", "off"], rows)
    print(text)
    if options.page:
        head = f"CPython {sys.version.split()[0]}; pure Python, compiled."
        fill(options.page, {"compiled": f"{head}\n\n{text}"})


if __name__ == "__main__":
    main()
