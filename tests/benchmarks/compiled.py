"""The three programs in two builds of ours, in turn: the pure Python one, and the one that mypyc compiles.

    python tests/benchmarks/compiled.py PYTHON COMPILED_PYTHON [--runs 9] [--page docs/speed.md]

Both are interpreters of environments that have the library: `pip install .`, and
`AUTOGRAD_LITE_COMPILE=1 pip install .`. The engines in C++ are measured too, where one of them has them.
"""
from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence

from page import fill, table
from programs import PROGRAMS, Program
from speed import PEERS, Missing, ours, timed

IN_C = [name for name in PEERS if "C++" in name]


def measure(program: Program, runs: int) -> dict[str, list[float]]:
    """The least ms of ours and of the engines in C++, the collector on and off, in this interpreter."""
    found = {}
    for name in ("ours", *IN_C):
        try:
            run = ours(program) if name == "ours" else PEERS[name](program)
        except (ImportError, Missing):
            continue
        found[name] = [1e3 * min([timed(run, on) for _ in range(runs)]) for on in (True, False)]
    return found


def least(found: Sequence[dict[str, list[float]]], name: str) -> list[float]:
    """An engine's least ms, the collector on and off, or nothing."""
    return [min(both) for both in zip(*[each[name] for each in found if name in each])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pythons", nargs="*", metavar="PYTHON")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--page", nargs="+", default=[], metavar="FILE")
    options = parser.parse_args()
    if not options.pythons:                                 # how the script runs itself
        import autograd_lite
        print(json.dumps([autograd_lite.build, {
            name: measure(program, options.runs) for name, program in PROGRAMS.items()}]))
        return
    found: dict[str, dict[str, list[dict[str, list[float]]]]] = {name: {} for name in PROGRAMS}
    for _ in range(3):
        for python in options.pythons:
            done = subprocess.check_output([python, __file__, "--runs", str(options.runs)], text=True)
            build, programs = json.loads(done)
            for name, times in programs.items():
                found[name].setdefault(build, []).append(times)
    rows = []
    for name, builds in found.items():
        pure, compiled = [least(builds[build], "ours") for build in ("python", "mypyc")]
        others = [least([*builds["python"], *builds["mypyc"]], peer) for peer in IN_C]
        rows.append([name, *[", ".join([f"{ms:.1f}" for ms in pair]) for pair in zip(pure, compiled)],
                     *[", ".join([f"{a / b:.2f}" for a, b in zip(other, compiled)]) or "—"
                       for other in (pure, *others)]])
    text = table(["program", "collector on, ms", "off, ms",
                  *[f"{name} / compiled" for name in ("pure", *IN_C)]], rows)
    print(text)
    if options.page:
        head = (f"CPython {sys.version.split()[0]}; pure Python, compiled; the ratios with the collector on, "
                "off.")
        fill(options.page, {"compiled": f"{head}\n\n{text}"})


if __name__ == "__main__":
    main()
