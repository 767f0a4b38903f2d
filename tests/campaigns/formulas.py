"""Does every row that `derive` prints come to its result, and do LaTeX, MathML and SymPy read it?

    python tests/campaigns/formulas.py --examples 2000

Random expressions over all ops with labels on some of their nodes. Each row of formulas and of numbers is
evaluated and held against the last one, and that against `backward`.
"""
from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from autograd_lite import derive  # noqa: E402
from autograd_lite.testing import Expression, expressions  # noqa: E402
from test_derive import labelled_graph, reads, rows_come_to_the_result  # noqa: E402


def look(f: Expression, labels: int) -> None:
    """Raise an error if something is wrong with what is printed of an expression's derivatives."""
    rows_come_to_the_result(f, labels)
    root, xs, _ = labelled_graph(f, labels)
    derivation = derive(root, xs, values=True)
    ElementTree.fromstring(derivation.html)
    for block in derivation.latex.split("\n\n"):
        assert reads(block), block


def main() -> None:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    searched = given(expressions(max_ops=10), st.integers(0, 99))(look)
    seed(options.seed)(settings(max_examples=options.examples, deadline=None, database=None,
                                suppress_health_check=list(HealthCheck))(searched))()
    print(f"{options.examples} derivations, nothing wrong")


if __name__ == "__main__":
    main()
