"""JPEGs that lack nothing but their end marker."""

from __future__ import annotations

import io

from PIL import Image

__all__ = ["completed"]

END = b"\xff\xd9"
FILLERS = (
    *(bits * 64 for bits in (b"\x00", b"\x13", b"\x55", b"\xaa", b"\xc7", b"\xff\x00")),
    b"".join(b"\xff" + bytes([0xD0 + i]) + b"\x35\xca" * 4 for i in range(8)),
)
"""Bits that a decoder might take for coefficients, the last with every restart marker."""


def completed(data: bytes) -> bytes | None:
    """`data` with an end marker, or None where more than that is missing.

    A decoder that still waits for coefficients takes what follows for them; one that has all
    passes it over. So nothing is missing when different fillers give the same pixels. A
    progressive file that ends between two scans counts as complete: it is one, only coarser.
    """
    data = data.removesuffix(b"\xff")
    pictures = {_pixels(data + filler + END) for filler in FILLERS}
    return data + END if len(pictures) == 1 and None not in pictures else None


def _pixels(data: bytes) -> bytes | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.tobytes()
    except (OSError, ValueError, SyntaxError):
        return None
