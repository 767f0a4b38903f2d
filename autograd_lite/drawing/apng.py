"""Animated PNG: pictures of one size as one file, shown in turn."""
from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

from autograd_lite.errors import RenderError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def size(png: bytes) -> tuple[int, int]:
    """The width and the height of a PNG, in pixels."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def animated(frames: Sequence[bytes], seconds: Sequence[float]) -> bytes:
    """PNGs of one size and kind as one that shows each so long, again and again; where that is not known, the
    first alone.

    Raises:
        RenderError: they are not of one size and kind.
    """
    head, *_ = _chunks(frames[0])
    found = [_SIGNATURE, _chunk(*head), _chunk(b"acTL", struct.pack(">II", len(frames), 0))]
    number = 0
    for k, (frame, delay) in enumerate(zip(frames, seconds)):
        chunks = list(_chunks(frame))
        if chunks[0] != head or any([name == b"PLTE" for name, _ in chunks]):
            raise RenderError("animate: the program drew pictures of different sizes or kinds "
                              f"({size(frames[0])} and {size(frame)} pixels); write an .html instead")
        found.append(_chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, *size(frame), 0, 0,
                                                 round(1000.0 * delay), 1000, 0, 0)))
        number += 1
        data = b"".join([content for name, content in chunks if name == b"IDAT"])
        if k:
            data = struct.pack(">I", number) + data
            number += 1
        found.append(_chunk(b"fdAT" if k else b"IDAT", data))
    return b"".join([*found, _chunk(b"IEND", b"")])


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        length, name = struct.unpack(">I4s", png[at:at + 8])
        yield name, png[at + 8:at + 8 + length]
        at += 12 + length


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
