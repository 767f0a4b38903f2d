"""The same faults as `mutation.py`, many times as quickly: in the memory of processes that have the tests.

    python tests/campaigns/quick_mutation.py --mutants 2000 --seed 1 --jobs 2
    python tests/campaigns/quick_mutation.py --mutants 300 --seed 1 --modules drawing/ optim.py

Each test runs once, to learn which lines it runs (`--lines FILE` keeps that, for the same sources). Then each
mutant is put into the functions of a forked process, which runs the tests of its lines, the quickest first,
for so many seconds (`--budget`). What is not within a function, or is read as text, cannot be put there:
those are counted, and `mutation.py` tells. Of survivors, too, that one has the last word: tests of other
processes see no mutant here. It needs Python 3.12 and a system that forks; run it as somebody who may write
little.
"""
from __future__ import annotations

import argparse
import ast
import gc
import hashlib
import json
import mmap
import os
import random
import resource
import signal
import struct
import sys
import time
import types
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from mutation import EQUIVALENT, NEITHER, ROOT, Mutant, mutants             # noqa: E402

MEMORY = 12 * 2 ** 30                           # bytes that a process may have
TOOL = 4                                        # of sys.monitoring (Hypothesis has 3)
SPREAD = 4096                                   # bytes in which a process tells how far it is
NOT_THERE, OTHER_CODE = 3, 4                    # statuses: no such function lives, or it has other parts


class Work(NamedTuple):
    """What a process is to do: tests, and the mutant that is put in."""

    tests: Sequence[str]
    mutant: Mutant | None


class Campaign:
    """Runs tests and mutants within pytest, which has collected the tests."""

    def __init__(self, options: argparse.Namespace, root: Path, package: str):
        self.options, self.package = options, root / package
        self.cover: dict[str, list[int]] = {}               # of a line "module:line" the tests' numbers
        self.seconds: dict[str, float] = {}                 # of each test that passes
        self.sources: dict[str, bytes] = {}
        self.counts: Counter[str] = Counter()
        self.survivors: list[Mutant] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self.names = list(self.items)
        for path in sorted(self.package.rglob("*.py")):
            self.sources[path.relative_to(self.package).as_posix()] = path.read_bytes()
        self.learn()
        self.live: dict[Any, list[types.FunctionType]] = {}
        for thing in gc.get_objects():
            if type(thing) is types.FunctionType and thing.__code__.co_filename.startswith(str(self.package)):
                self.live.setdefault(_key(thing.__code__), []).append(thing)
        gc.collect()
        gc.freeze()
        self.run(list(self.drawn()))
        return True

    # -- which test runs which lines -------------------------------------------------------------

    def learn(self) -> None:
        """Run each test, or read what was learnt of the same sources."""
        key = hashlib.sha256(b"".join(self.sources.values()) + "\n".join(self.names).encode()).hexdigest()
        kept = Path(self.options.lines) if self.options.lines else None
        if kept and kept.exists():
            found = json.loads(kept.read_text())
            if found["key"] == key:
                self.cover, self.seconds = found["cover"], found["seconds"]
                return
        size = min(50, -(-len(self.names) // self.options.jobs))
        parts = [Work(self.names[i:i + size], None) for i in range(0, len(self.names), size)]
        for _, _, told in self.processes(parts):
            for line in told.splitlines():
                name, seconds, lines = json.loads(line)
                self.seconds[name] = seconds
                number = self.names.index(name)
                for place in lines:
                    self.cover.setdefault(place, []).append(number)
        print(f"{len(self.seconds)} of {len(self.names)} tests pass, "
              f"and run {len(self.cover)} lines", flush=True)
        if kept:
            kept.write_text(json.dumps({"key": key, "cover": self.cover, "seconds": self.seconds}))

    def lines_of(self, item: pytest.Item) -> tuple[bool, float, list[str]]:
        """Run a test: whether it passes, how long it takes, and the lines that it runs."""
        seen, monitor, start = set[str](), sys.monitoring, len(str(self.package)) + 1
        inside = str(self.package) + os.sep

        def line(code: types.CodeType, n: int) -> Any:
            if code.co_filename.startswith(inside):
                seen.add(f"{code.co_filename[start:]}:{n}")
            return monitor.DISABLE
        monitor.use_tool_id(TOOL, "lines of tests")
        monitor.register_callback(TOOL, monitor.events.LINE, line)
        monitor.set_events(TOOL, monitor.events.LINE)
        monitor.restart_events()
        begun = time.perf_counter()
        try:
            passes = _passes(item)
        finally:
            monitor.set_events(TOOL, 0)
            monitor.free_tool_id(TOOL)
        return passes, time.perf_counter() - begun, sorted(seen)

    # -- mutants ---------------------------------------------------------------------------------

    def drawn(self) -> Iterator[Work]:
        """Mutants at random, with the tests that run their lines."""
        chosen = tuple(self.options.modules)
        every = [m for module, source in self.sources.items() if not chosen or module.startswith(chosen)
                 for m in mutants(module, source) if (module, *m.lines(source)) not in EQUIVALENT]
        for m in random.Random(self.options.seed).sample(every, min(self.options.mutants, len(every))):
            numbers = set[int]().union(*[self.cover.get(f"{m.module}:{n}", ()) for n in self.statement(m)])
            tests = sorted([self.names[i] for i in numbers], key=self.seconds.__getitem__)
            total = 0.0
            for k, name in enumerate(tests):
                total += self.seconds[name]
                if k and total > self.options.budget:
                    tests = tests[:k]
                    break
            yield Work(tests, m)

    def statement(self, m: Mutant) -> range:
        """The lines of the statement in which a mutant lies (of one with a body, those of its head)."""
        source = self.sources[m.module]
        first, last = (source.count(b"\n", 0, at) + 1 for at in (m.start, m.end))
        found = range(first, last + 1)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.stmt) and node.lineno <= first and last <= (node.end_lineno or 0):
                body = getattr(node, "body", None)
                end = node.end_lineno if not body else max(body[0].lineno - 1, last)
                if not body or last < body[0].lineno:
                    found = range(node.lineno, (end or last) + 1)
        return found

    def put(self, m: Mutant) -> int:
        """Put a mutant into the functions that live; a status."""
        path = str(self.package / m.module)
        old, new = (compile(text, path, "exec", dont_inherit=True)
                    for text in (self.sources[m.module], m.applied(self.sources[m.module])))
        pairs, put = [(old, new)], 0
        for a, b in pairs:
            parts = [[x for x in code.co_consts if isinstance(x, types.CodeType)] for code in (a, b)]
            if len(parts[0]) != len(parts[1]):
                return OTHER_CODE
            pairs += [(x, y) for x, y in zip(*parts) if x != y]
            for f in self.live.get(_key(a), ()):
                if f.__code__ == a:
                    if len(a.co_freevars) != len(b.co_freevars):
                        return OTHER_CODE
                    f.__code__ = b
                    put += 1
        return 0 if put else NOT_THERE

    def run(self, works: Sequence[Work]) -> None:
        """Run the mutants, and print what became of each, and how many died."""
        for work, status, told in self.processes(works):
            m = work.mutant
            assert m
            what = ("not run" if not work.tests or status in (NOT_THERE, OTHER_CODE) else
                    "SURVIVED" if status == 0 else f"killed by {told or 'a crash, or the time limit'}")
            self.counts[what.split()[0]] += 1
            if what == "SURVIVED":
                self.survivors.append(m)
            old, new = m.lines(self.sources[m.module])
            line = self.sources[m.module].count(b"\n", 0, m.start) + 1
            print(f"{m.module}:{line}, {m.kind}: {what}\n  - {old}\n  + {new}", flush=True)
        killed, survived = self.counts["killed"], self.counts["SURVIVED"]
        print(f"{killed} of {killed + survived} died ({100.0 * killed / max(killed + survived, 1):.1f} %), "
              f"{self.counts['not']} could not be run here")

    # -- processes -------------------------------------------------------------------------------

    def processes(self, works: Sequence[Work]) -> Iterator[tuple[Work, int, str]]:
        """Each piece of work, the status of its process, and what that told."""
        waiting, running = list(works)[::-1], dict[int, Any]()
        while waiting or running:
            while waiting and len(running) < self.options.jobs:
                work = waiting.pop()
                if not work.tests:
                    yield work, 0, ""
                    continue
                shared, (read, write) = mmap.mmap(-1, SPREAD), os.pipe()
                shared[:16] = struct.pack("qd", 0, time.time())
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")         # (of threads)
                    pid = os.fork()
                if not pid:
                    self.child(work, shared, write)
                os.close(write)
                running[pid] = work, shared, read, bytearray()
            for pid, (work, shared, read, told) in list(running.items()):
                os.set_blocking(read, False)
                try:
                    while part := os.read(read, 1 << 16):
                        told += part
                except BlockingIOError:
                    pass
                k, begun = struct.unpack("qd", shared[:16])
                if time.time() - begun > 8.0 * self.seconds.get(work.tests[k], 10.0) + 8.0:
                    _end(pid)
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    _end(pid)                               # (and what it has started)
                    del running[pid]
                    while part := os.read(read, 1 << 16):
                        told += part
                    os.close(read)
                    yield work, os.waitstatus_to_exitcode(status), told.decode()
            time.sleep(0.002)

    def child(self, work: Work, shared: mmap.mmap, write: int) -> None:
        """What a process does: it ends with 0 if all is well."""
        status = 1
        try:
            os.setsid()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            status = self.put(work.mutant) if work.mutant else 0
            for k, name in enumerate(work.tests if not status else ()):
                shared[:16] = struct.pack("qd", k, time.time())
                if not work.mutant:
                    passes, seconds, lines = self.lines_of(self.items[name])
                    if passes:
                        os.write(write, json.dumps([name, seconds, lines]).encode() + b"\n")
                elif not _passes(self.items[name]):
                    os.write(write, name.encode())
                    status = 1
                    break
        except BaseException:                               # (a mutant may do anything)
            status = 1
        finally:
            os._exit(status)


def _key(code: types.CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _passes(item: pytest.Item) -> bool:
    failed = list[str]()

    class Reports:
        @staticmethod
        def pytest_runtest_logreport(report: pytest.TestReport) -> None:
            if report.failed:
                failed.append(report.nodeid)
    plugins = item.config.pluginmanager
    plugins.register(Reports)
    try:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    finally:
        plugins.unregister(Reports)
    return not failed


def _end(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
            return
        except (ProcessLookupError, PermissionError):
            pass


def main(arguments: list[str] | None = None, root: Path = ROOT, package: str = "autograd_lite") -> Campaign:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modules", nargs="*", default=[], help="beginnings, such as optim.py graph/")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of tests for a mutant")
    parser.add_argument("--lines", default="", help="a file that keeps which tests run which lines")
    campaign = Campaign(parser.parse_args(arguments), root, package)
    tests = [str(p) for p in sorted((root / "tests").glob("test_*.py")) if p.name not in NEITHER]
    os.chdir(root)
    pytest.main(["-q", "-s", "-p", "no:cacheprovider", *tests, str(root / package)], plugins=[campaign])
    return campaign


if __name__ == "__main__":
    main()
