"""How much CPU time `import autograd_lite` takes: ``python tests/benchmarks/importing.py [runs]``.

Each run is a process of its own; the first, which writes bytecode, does not count.
"""
import statistics
import subprocess
import sys
from pathlib import Path

import autograd_lite

IMPORTED = "import time; start = time.process_time(); {}; print(time.process_time() - start)"
PLACE = str(Path(autograd_lite.__file__).parent.parent)


def times(statement, *options, runs=15):
    """Milliseconds of CPU, of each run."""
    found = f"import sys; sys.path.append({PLACE!r}); " if "-S" in options else ""
    program = found + IMPORTED.format(statement)
    return [1e3 * float(subprocess.run([sys.executable, *options, "-c", program], check=True, text=True,
                                       capture_output=True).stdout) for _ in range(runs + 1)][1:]


def main(runs=15):
    """Print a line for each."""
    for title, statement in (("import autograd_lite", "import autograd_lite"),
                             ("… with all that is loaded later", "from autograd_lite import *")):
        for place, options in (("as installed", ()), ("without site-packages", ("-I", "-S"))):
            found = times(statement, *options, runs=runs)
            print(f"{title:<32} {place:<22} least {min(found):6.1f} ms   "
                  f"median {statistics.median(found):6.1f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
