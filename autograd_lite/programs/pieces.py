"""Long sources: as many functions, with a memory for what they share."""
from __future__ import annotations

from typing import Any


def pieces(writer: Any, name: str, most: int) -> str:
    """The statements of a writer as functions of at most so many lines, and one that calls them."""
    parts: list[list[Any]] = [[]]
    size = 0
    for statement in writer.statements:
        if size > most:
            parts.append([])
            size = 0
        parts[-1].append(statement)
        size += len(statement[0])
    recording = writer.recording
    given = (*recording.inputs, *[recording.captured[i] for i in writer.read])
    at = {k: i for i, k in enumerate(given)}    # where a place lies in the memory
    where: dict[int, int] = {}
    for i, piece in enumerate(parts):
        for _, made, used in piece:
            for k in used - made:
                if k not in at and where[k] != i:
                    at[k] = len(at)
            where.update(dict.fromkeys(made, i))
    inputs_at = set(given)
    out = []
    for i, piece in enumerate(parts):
        made_here = set().union(*[made for _, made, _ in piece])
        used_here = set().union(*[used for _, _, used in piece])
        out += [f"def {name}_{i}(m):"]
        out += [f"    {writer.variables[k]} = m[{at[k]}]" for k in sorted(used_here - made_here)]
        out += [f"    {writer.variables[k]} = 0.0" for k in sorted(made_here) if k in at and k in writer.home]
        out += [f"    {line}" for lines, _, _ in piece for line in lines]
        out += [f"    m[{at[k]}] = {writer.variables[k]}" for k in sorted(made_here) if k in at
                and k not in inputs_at]
        out.append("")
    more = len(at) - len(inputs_at)
    out += [f"def {name}(*numbers):",
            f"    m = [*numbers[:-1], *numbers[-1], *[0.0] * {more}]"]
    for i in range(len(parts) - 1):
        out += [f"    y = {name}_{i}(m)", "    if y is not None: return y"]
    return "\n".join([*out, f"    return {name}_{len(parts) - 1}(m)", ""])
