"""What compiled functions do in native code, each workload beside its peers: one table.

    tests/benchmarks/peers.sh .venv-peers           # an environment that has the peers
    .venv-peers/bin/python tests/benchmarks/native.py [ROW …] [--runs 9] [--target python] [--page FILE]

A ratio is the peer's time over ours, in times of the processor, on one core ("all cores": by the clock, with
what threads each side has of its own). Each row has a process of its own, in which the two sides take turns;
each has its least time. Both work in float64, and must give the same numbers before they are timed. Where the
collector matters, the ratio with it off follows in brackets. A bar is the least that the ratio should be. The
workloads are in `workloads/`.
"""
from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from page import fill, table

WORKLOADS = ("gpt", "document", "moons", "bundle", "random_graphs", "hessians", "adbench", "physics")
PACKAGES = ("numpy", "llvmlite", "casadi", "ddx-ad", "jax", "torch", "micrograd")
HEAD = ("workload", "ours", "peer", "peer / ours", "bar")
WIDTHS = (27, 8, 18, 13, 10)                            # (80 columns, with the gaps)


def rows() -> dict[str, Any]:
    """All rows by key."""
    found: dict[str, Any] = {}
    for name in WORKLOADS:
        found.update(importlib.import_module(f"workloads.{name}").ROWS)
    return found


def short(x: float) -> str:
    """Three digits: ``0.231``, ``23.1``, ``1,008``."""
    return f"{x:.3g}" if x < 999.5 else f"{x:,.0f}"


def amount(x: float, unit: str = "s") -> str:
    """Seconds or bytes as a person reads them: ``7.37 ms``."""
    if unit == "s":
        units = {"s": 1.0, "ms": 1e3, "µs": 1e6, "ns": 1e9}
        unit = next((name for name, factor in units.items() if x * factor >= 0.9995), "ns")
        x *= units[unit]
    return f"{short(x)} {unit}"


def child(*arguments: str, target: str | None) -> dict[str, Any]:
    """What this script finds in a process of its own, for which nothing was compiled before."""
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "AUTOGRAD_LITE_CACHE": ""}
    if target:
        env["NATIVE_BENCHMARK_TARGET"] = target
    done = subprocess.run([sys.executable, __file__, "--json", *arguments], stdout=subprocess.PIPE, text=True,
                          env=env)
    if done.returncode:
        return {"missing": "failed"}
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def measure(key: str, runs: int, side: str | None) -> dict[str, Any]:
    """A row in this process, on one core unless it says otherwise: what `line` shows of it."""
    from sides import Missing, compare, held, on_one_core
    row = rows()[key]
    if not row.cores:
        on_one_core()
    try:
        if side:
            row.first()
            return {"bytes": held(getattr(row, side)) / row.scale}
        found = compare(row, runs)
    except Missing as missing:
        return {"missing": str(missing)}
    return found._asdict()


def cells(row: Any, found: dict[str, Any]) -> list[str]:
    """A row of the table."""
    bar = "" if row.bar is None else f"≥ {row.bar:.2f}" if row.bar % 1 else f"≥ {row.bar:,.0f}"
    if "missing" in found:
        return [row.name, "", row.peer, found["missing"], bar]
    if row.memory:
        ours, theirs = (amount(found[side], "B") for side in ("ours", "theirs"))
        return [row.name, ours, row.peer, short(found["theirs"] / max(found["ours"], 1e-9)), bar]
    ratio, off = (found[f"theirs{way}"] / found[f"ours{way}"] for way in ("", "_off"))
    text = short(ratio) + (f" ({short(off)})" if abs(ratio / off - 1.0) > 0.25 else "")
    return [row.name, amount(found["ours"]), row.peer, text,
            f"{bar} {'✓' if ratio >= row.bar else '✗'}" if bar else ""]


def line(parts: Sequence[str]) -> str:
    return " ".join([f"{part:{width}}" for part, width in zip(parts, WIDTHS)]).rstrip()


def setting(target: str | None) -> str:
    """What all this was measured with."""
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    return f"CPython {platform.python_version()}, {platform.machine()}, {', '.join(versions)}" + (
        f"; target {target!r}" if target else "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("keys", nargs="*", metavar="ROW", help="only rows whose keys start so")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--target", choices=["native", "python"], help="for all that is compiled")
    parser.add_argument("--page", nargs="+", default=[], metavar="FILE", help="pages to put the table into")
    parser.add_argument("--json", action="store_true", help="(how the script runs itself for one row)")
    parser.add_argument("--side", choices=["ours", "theirs"], help="(and for one side of it)")
    options = parser.parse_args()
    if options.json:
        print(json.dumps(measure(options.keys[0], options.runs, options.side)))
        return 0
    if options.page and options.keys:
        parser.error("--page needs all rows")
    chosen = {key: row for key, row in rows().items()
              if not options.keys or key.startswith(tuple(options.keys))}
    print(line(HEAD), flush=True)
    lines = []
    for key, row in chosen.items():
        if row.memory:
            sides = {side: child(key, "--side", side, target=options.target) for side in ("ours", "theirs")}
            found = next((x for x in sides.values() if "missing" in x),
                         {side: x.get("bytes") for side, x in sides.items()})
        else:
            found = child(key, "--runs", str(options.runs), target=options.target)
        lines.append(cells(row, found))
        print(line(lines[-1]), flush=True)
    met = [x[-1][-1] for x in lines if x[-1][-1:] in ("✓", "✗")]
    closing = f"{met.count('✓')} of {len(met)} bars are met"
    print(f"\n{closing}\n{setting(options.target)}")
    if options.page:
        fill(options.page, {"native": f"{table(HEAD, lines)}\n\n{setting(options.target)}; {closing}."})
    return any("failed" in x for x in lines)


if __name__ == "__main__":
    sys.exit(main())
