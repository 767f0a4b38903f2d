"""Processes save and load one path, and some are killed: is a load damaged, does anything stay?

    python tests/campaigns/saves.py --seconds 60

Every saver writes parameters that are all one number, so a mixture of two files would be seen. It prints how
often was saved and loaded, how many loads were damaged, and how many other files lie there at the end: at
most one for each kill.
"""
from __future__ import annotations

import argparse
import ctypes
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograd_lite import AutogradError, nn

Save = Callable[[nn.Module, Path], Any]
COUNTS = ("saves", "failed saves", "loads", "damaged loads")
ours = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")


def saver(path: Path, number: float, save: Save, counts: Any, over: Any) -> None:
    model = nn.MLP(4, [8, 1])
    while not over.value:
        number = number / 3.0 if number > 1e-9 else 1e9 / 7.0          # (of many lengths)
        for p in model.parameters():
            p.data = number
        try:
            save(model, path)
        except (OSError, AutogradError):
            counts[1] += 1
        counts[0] += 1


def loader(path: Path, number: float, save: Save, counts: Any, over: Any) -> None:
    model = nn.MLP(4, [8, 1])
    while not over.value:
        try:
            model.load(path)
            counts[3] += len({*model.state_dict().values()}) > 1
        except (OSError, AutogradError):
            counts[3] += 1
        counts[2] += 1


def campaign(folder: Path, seconds: float, save: Save = nn.Module.save, savers: int = 3, loaders: int = 2,
             kills: float = 2.0, seed: int = 1) -> dict[str, int]:
    """What was counted in so many seconds, with so many kills a second."""
    rng, path, over = random.Random(seed), folder / "model.json", ours.RawValue(ctypes.c_bool)
    first = nn.MLP(4, [8, 1])
    for p in first.parameters():
        p.data = 0.0
    first.save(path)
    jobs = [saver] * savers + [loader] * loaders
    counts = [ours.RawArray(ctypes.c_long, len(COUNTS)) for _ in jobs]

    def started(i: int) -> Any:
        child = ours.Process(target=jobs[i], args=(path, 1.0 + i, save, counts[i], over), daemon=True)
        child.start()
        return child

    children, killed = [started(i) for i in range(len(jobs))], 0
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0.0:
        time.sleep(min(left, 1.0 / kills if kills else left))
        if kills:
            i = rng.randrange(savers)
            children[i].kill()
            children[i].join()
            children[i] = started(i)
            killed += 1
    over.value = True
    for child in children:
        child.join()
    totals = {name: sum(column) for name, column in zip(COUNTS, zip(*counts))}
    return totals | {"kills": killed, "leftovers": len(os.listdir(folder)) - 1}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--savers", type=int, default=3)
    parser.add_argument("--loaders", type=int, default=2)
    parser.add_argument("--kills", type=float, default=2.0, help="how many a second")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        counted = campaign(folder, args.seconds, nn.Module.save, args.savers, args.loaders, args.kills,
                           args.seed)
    finally:
        shutil.rmtree(folder)
    print(", ".join(f"{number} {name}" for name, number in counted.items()))
    return 1 if counted["failed saves"] or counted["damaged loads"] or \
        counted["leftovers"] > counted["kills"] else 0


if __name__ == "__main__":
    sys.exit(main())
