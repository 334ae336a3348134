"""Files and records with something wrong in them."""

from __future__ import annotations

from random import Random
from typing import Any

ADVICE = ("allow_pickle", "weights_only", "max_header_size", "MAX_IMAGE_PIXELS", "Traceback")
"""What libraries advise, of arguments that are not ours."""
STRANGE = (
    None, True, 0, -1, 3, 10**9, 10**30, 1.5, -0.5, 1e300, float("nan"), float("inf"), "", "x",
    "../..", "\0", "\ud800", [], [[]], [0] * 9, ["x"], {}, {"a": 1},
)  # fmt: skip
"""Values of JSON that belong nowhere, or elsewhere."""


def broken(data: bytes, random: Random) -> bytes:
    """Bytes of which some are changed, lost, doubled, or moved."""
    held = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 5, 20])):
        at = random.randrange(len(held) + 1)
        size = random.choice([1, 1, 2, 4, 8, 64])
        piece = held[at : at + size]
        match random.randrange(7):
            case 0:
                held[at : at + size] = random.randbytes(len(piece))
            case 1:
                held[at : at + size] = bytes([random.choice([0, 1, 127, 128, 255])]) * len(piece)
            case 2 if piece:
                held[at] ^= 1 << random.randrange(8)
            case 3:
                del held[at : at + size]
            case 4:
                held[at:at] = random.randbytes(size)
            case 5:
                held[at:at] = piece * random.randrange(1, 4)
            case _ if random.random() < 0.3:
                del held[at:]
            case _:
                to = random.randrange(len(held) + 1)
                held[to : to + len(piece)] = piece
    return bytes(held)


def tampered(record: Any, random: Random) -> Any:
    """A record of JSON in which one value, somewhere, is another, or missing."""
    if isinstance(record, dict | list) and record and random.random() < 0.85:
        keys = list(record) if isinstance(record, dict) else range(len(record))
        key = random.choice(keys)
        changed = dict(record) if isinstance(record, dict) else list(record)
        if random.random() < 0.1:
            del changed[key]
        else:
            changed[key] = tampered(record[key], random)
        return changed
    return random.choice(STRANGE)


def is_one_line(error: BaseException, start: str = "") -> None:
    """An error says something, in one line, without the advice of a library."""
    text = str(error)
    assert text.startswith(start), ascii(text)
    assert text[len(start) :].strip(), ascii(text)
    assert text.replace("\ud800", "").isprintable(), ascii(text)
    assert not [word for word in ADVICE if word in text], text
