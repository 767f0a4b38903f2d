"""Random functions that branch, over batches of points, against eager calls at each point.

    python tests/campaigns/batches.py [first seed] [last seed]

With rounding="eager" the results must be those to the last bit; else close. Errors must be the same, and name
the index of the first point that fails.
"""
from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from test_batches import test_a_batch_is_what_eager_calls_give_on_random_functions_that_branch as tried  # noqa


def search(seeds: Iterable[int]) -> list[int]:
    """The seeds of functions over which a batch is not what eager calls give."""
    found = []
    for seed in seeds:
        try:
            tried(seed)
        except BaseException as error:          # (pytest's failures are no Exceptions)
            if isinstance(error, KeyboardInterrupt):
                raise
            found.append(seed)
            print(seed, type(error).__name__, str(error).splitlines()[:1])
    return found


if __name__ == "__main__":
    first, last = [int(x) for x in sys.argv[1:3]] if len(sys.argv) > 2 else (0, 1000)
    print(f"{len(search(range(first, last)))} of {last - first} functions differ")
