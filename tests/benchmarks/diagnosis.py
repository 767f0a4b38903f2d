"""What `diagnose` says of every mistake in tests/derivations, and of random numbers.

    python tests/benchmarks/diagnosis.py [--page FILE]

A mistake counts as named if a sentence of its kind, or of one that overlaps with it, is among the first
three: factors that are missing, too much or constant; paths and terms; one thing for another.
"""
from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
import derivations                                     # noqa: E402
from derivations import DERIVATIONS, mistakes, run      # noqa: E402
from page import fill, table                           # noqa: E402

from autograd_lite import Row, diagnose                # noqa: E402

ALIKE = [{"factor", "missing factor", "extra factor"}, {"missing path", "missing term", "extra path"},
         {"substitution", "transposition"}]
POINTS = 3


def said(derivation: Any, key: Any, hand: Any) -> Row:
    """The row of a claim in the report."""
    points = [derivations.point(derivation, seed) for seed in range(POINTS)]
    rows = diagnose(derivation.forward, hand, points).rows
    return dict(zip(run(derivation, points[0]), rows))[key]


def named(kind: str, row: Row) -> tuple[bool, bool]:
    """Whether a mistake is named in the first sentence, and among the three."""
    hits = [kind == found or any({kind, found} <= alike for alike in ALIKE) for found, _ in row.diagnoses]
    return hits[:1] == [True], any(hits)


def random_numbers() -> tuple[int, int]:
    """Of how many claims replaced by random numbers something is said, and how many there are."""
    numbers, told, n = np.random.default_rng(1), 0, 0
    for derivation in DERIVATIONS:
        for key in run(derivation, derivations.point(derivation)):
            def hand(point: Any, derivation: Any = derivation, key: Any = key) -> dict[Any, Any]:
                claims = run(derivation, point)
                drawn = np.round(numbers.uniform(-2.0, 2.0, np.shape(claims[key])), 2)
                return claims | {key: drawn if drawn.ndim else float(drawn)}

            n, told = n + 1, told + bool(said(derivation, key, hand).diagnoses)
    return told, n


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--page", nargs="*", default=[])
    pages = parser.parse_args().page
    rows, firsts, threes, seconds = [], 0, 0, []
    for derivation in DERIVATIONS:
        for mistake in mistakes(derivation):
            start = time.process_time()
            row = said(derivation, mistake.key, lambda point: run(derivation, point, mistake))
            seconds.append(time.process_time() - start)
            first, three = named(mistake.kind.replace("_", " "), row)
            firsts, threes = firsts + first, threes + three
            line = "∂{}/∂{}".format(*mistake.key) if isinstance(mistake.key, tuple) else mistake.key
            rows.append([derivation.__name__.split(".")[1], f"`{line}`", mistake.name.replace("_", " "),
                         "; ".join(f"`{text}`" for _, text in row.diagnoses) or "nothing",
                         "first" if first else "yes" if three else ""])
    told, n = random_numbers()
    speed = (f"{1000 * sum(seconds) / len(seconds):.0f} ms of processor time a mistake, "
             f"{max(seconds):.1f} s the slowest.")
    summary = (f"Of {len(rows)} mistakes in {len(DERIVATIONS)} derivations {threes} are named among the "
               f"first three sentences, {firsts} in the first; of {n} random numbers, at {POINTS} points "
               f"each, {told} are explained. {speed}")
    print(summary)
    body = table(["derivation", "line", "mistake", "what is said", "named"], rows)
    if pages:
        fill(pages, {"diagnosis": f"{summary}\n\n{body}"})
    else:
        print(body)


if __name__ == "__main__":
    main()
