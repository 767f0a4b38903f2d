"""Several files of derivations: each audited by a Python of its own, a line for each thing that is wrong."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from autograd_lite.checks.report import columns, count
from autograd_lite.commands.console import PROGRAM, green, progress, red
from autograd_lite.lines import printable

BEGIN = ". A file to begin with:"               # (which follows where a file lacks a part)
_PROGRAM = "import sys; sys.path[:] = {}; from autograd_lite.cli import main; sys.exit(main())"


def audit_all(paths: Sequence[str], options: Sequence[str], timeout: float, as_json: bool) -> int:
    """Audit each file, whatever it does (it may hang, crash or exit); the worst of their exit statuses.

    Args:
        options: those of the command, for each of them.
        timeout: so many seconds each may take.
    """
    width = max(map(columns, map(printable, paths)))
    every = []
    for path in progress(paths, "files"):
        facts = _audited(path, options, timeout)
        every.append({"file": path, **facts})
        for line in () if as_json else _lines(facts):
            paint = green if facts["status"] == 0 else red
            gap = " " * (2 + width - columns(printable(path)))
            print(printable(path), paint(line), sep=gap, flush=True)
    statuses: list[int] = [facts["status"] for facts in every]
    if as_json:
        print(json.dumps({"ok": not any(statuses), "files": every}))
    else:
        print(f"{count(len(paths), 'file')}: {statuses.count(0)} agree, {statuses.count(1)} differ, "
              f"{statuses.count(2)} cannot be used")
    return max(statuses)


def _audited(path: str, options: Sequence[str], timeout: float) -> dict[str, Any]:
    """What the command says of a file, as JSON has it, and its status; for a file that cannot be used the
    error."""
    command = [sys.executable, "-c", _PROGRAM.format(repr(sys.path)), "audit", *options, "--json", "--", path]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                              env={**os.environ, "PYTHONIOENCODING": "utf-8"})
    except subprocess.TimeoutExpired:
        return {"status": 2, "error": f"no answer in {timeout:g} s"}
    if done.returncode in (0, 1):
        try:
            return {"status": done.returncode, **json.loads(done.stdout)}
        except ValueError:
            pass
    _, found, error = done.stderr.decode("utf-8", "replace").rpartition(f"{PROGRAM}: ")
    return {"status": 2, "error": error.strip().replace("\r", "").removeprefix(f"{printable(path)}: ")
            if found and done.returncode == 2 else f"it ended Python, with status {done.returncode}"}


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    if facts["status"] == 0:
        n = len(facts["claims"])
        yield f"{count(n, 'claim')} agree{'s' * (n == 1)}, at {count(facts['points'], 'point')}"
    for report in facts.get("reports", ()):
        for cause in report["causes"]:
            line = f", line {cause['line']}" if cause["line"] else ""
            numbers = cause["text"].removeprefix(cause["name"]).partition("; spoils")[0]
            kinds = [f"; {diagnosis['text']}" for diagnosis in cause["diagnoses"][:1]]
            yield "".join([cause["name"], line, numbers, *kinds])
    if "error" in facts:
        told, _, _ = facts["error"].partition(BEGIN)
        yield ", ".join(part.strip() for part in told.split("\n")[:2])
