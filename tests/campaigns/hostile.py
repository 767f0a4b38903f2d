"""Saved files and states, damaged in every way: is anything but a FormatError or a whole state seen?

    python tests/campaigns/hostile.py --seconds 60

Files of parameters are cut, mixed, altered by bytes, by tokens and by values; states of models and optimisers
by entries. A load must take all of it (finite floats, those that the file says) or raise a FormatError that
names the file and leaves everything as it was. It prints how often which, and the first of each fault.
"""
from __future__ import annotations

import argparse
import copy
import json
import math
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograd_lite import FormatError, nn, optim

OPTIMISERS = [optim.SGD, lambda p: optim.SGD(p, 0.1, momentum=0.9), optim.Adam]
DEEP = 100_000
TOKENS = ["NaN", "-Infinity", "1e999", "-1e999", "1e-999", "9" * 5000, "0" * 50, "-0", "01", "+1", ".5", "1.",
          "0x1", "null", "true", "{}", "[]", '""', '"1.0"', '"\\ud800"', '"\\u0000"', "[" * DEEP, "{" * DEEP,
          '{"a":' * DEEP, ",", ":", "//", "\0", "\ufeff", "\u2028", '"', "\\", "]", "}", "1_0", "1e5",
          "1E400", '"format"', "nan", "\r", " ", "\n", *"0123456789.-e"]
THINGS = [None, True, math.nan, math.inf, -math.inf, 10 ** 400, -1, 2 ** 53, 1e308, 0, 1.5, "1", b"1", [], {},
          [1.0], {"a": 1}, 1j, object(), "\ud800", float, (), {1}, range(3)]
Found = tuple[str, str]


def damaged(text: str, rng: random.Random) -> bytes:
    """The text of a file with one to three kinds of damage."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at, to = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        token = rng.choice(TOKENS)
        number = rng.choice([i for i, c in enumerate(text) if c == ":"] or [0]) + 1
        text = rng.choice([
            lambda: text[:at], lambda: text[at:], lambda: text[:at] + text[to:], lambda: text + text[at:to],
            lambda: text[:at] + token + text[at:], lambda: text[:at] + token + text[at + 1:],
            lambda: text[:at] + chr(rng.randrange(0x300)) + text[at + 1:],
            lambda: text[:number] + token + text[number:].lstrip("-0123456789.e "),
            lambda: text[:number] + token + "," + text[number:], lambda: token])()
    content = text.encode("utf-8", "surrogatepass")
    return rng.choice([content, content, content, content.replace(b"a", rng.randbytes(1), 1),
                       text.encode("utf-16", "surrogatepass"), b"\xef\xbb\xbf" + content])


def altered(state: Any, rng: random.Random) -> Any:
    """A state with an entry changed, removed or added, at any depth."""
    thing = rng.choice(THINGS)
    if rng.random() < 0.1 or not isinstance(state, (dict, list)) or not state:
        return thing
    keys = list(state) if isinstance(state, dict) else list(range(len(state)))
    key = rng.choice(keys)
    how = rng.randrange(4)
    if how == 0:
        del state[key]
    elif how == 1 and isinstance(state, dict):
        state[rng.choice(["", "more", 1, None, (1, 2), f"{key} "])] = thing
    elif how == 1:
        state.append(thing)
    else:
        state[key] = altered(state[key], rng)
    return state


def judged(load: Callable[[], Any], state: Callable[[], Any], words: str) -> Found:
    """What a load did: "taken", "refused" or a fault."""
    before = repr(state())
    try:
        load()
    except FormatError as error:
        if repr(state()) != before:
            return "REFUSED, YET CHANGED", str(error)
        return ("refused", "") if words in str(error) and len(str(error)) < 500 else ("BAD WORDS", str(error))
    except Exception as error:
        return "FOREIGN ERROR", f"{type(error).__name__}: {error}"
    after = repr(state())
    return ("NOT FINITE", after) if "nan" in after or "inf" in after else ("taken", "")


class Campaign:
    def __init__(self, folder: Path, seed: int, load: Callable[[nn.Module, Path], Any] = nn.Module.load):
        self.path, self.rng, self.load = folder / "model.json", random.Random(seed), load
        self.seen: Counter[tuple[str, str]] = Counter()
        self.faults: dict[tuple[str, str], str] = {}

    def note(self, where: str, found: Found, what: object) -> None:
        self.seen[where, found[0]] += 1
        if found[0].isupper():
            self.faults.setdefault((where, found[0]), f"{found[1][:300]}\n  {repr(what)[:300]}")

    def look(self) -> None:
        """One damaged file, one altered state of a model, and one of an optimiser."""
        rng = self.rng
        model = nn.MLP(2, [rng.randrange(1, 3), 1])
        for p in model.parameters():
            p.data = rng.choice([rng.uniform(-1.0, 1.0), 10.0 ** rng.randrange(-320, 308), -0.0])
        model.save(self.path)
        content = damaged(self.path.read_text("utf-8"), rng)
        self.path.write_bytes(content)
        found = judged(lambda: self.load(model, self.path), model.state_dict, str(self.path))
        if found[0] == "taken":
            try:
                told = json.loads(content.decode(), parse_int=float)["parameters"]
                if any(told[name].hex() != x.hex() for name, x in model.state_dict().items()):
                    found = "ANOTHER NUMBER", repr(model.state_dict())
            except Exception as error:
                found = "TAKEN, THOUGH NO STATE", str(error)
        self.note("file", found, content)
        state = altered(model.state_dict(), rng)
        self.note("state", judged(lambda: model.load_state_dict(state), model.state_dict, ""), state)
        optimiser = rng.choice(OPTIMISERS)(model.parameters())
        for p in model.parameters():
            p.data, p.grad = 0.5, rng.uniform(-1.0, 1.0)
        optimiser.step()
        memory = altered(copy.deepcopy(optimiser.state_dict()), rng)
        found = judged(lambda: optimiser.load_state_dict(memory), optimiser.state_dict, "")
        self.note("optimiser", found, memory)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    sys.setrecursionlimit(10 ** 6)              # (what reads by recursion overflows the stack)
    with tempfile.TemporaryDirectory() as folder:
        campaign, end = Campaign(Path(folder), args.seed), time.monotonic() + args.seconds
        while time.monotonic() < end:
            campaign.look()
        left = [name for name in os.listdir(folder) if name != campaign.path.name]
    for (where, what), count in sorted(campaign.seen.items()):
        print(f"{where:10} {what:22} {count:>9}")
    for (where, what), text in campaign.faults.items():
        print(f"\n{what} ({where}):\n  {text}")
    print(f"{len(left)} files left over")
    return 1 if campaign.faults or left else 0


if __name__ == "__main__":
    sys.exit(main())
