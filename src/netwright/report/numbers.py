"""Numbers as people read them."""

from __future__ import annotations

__all__ = ["MB", "UNITS", "counted", "duration", "exact", "human", "human_bytes", "is_number",
           "ratio", "share"]  # fmt: skip

MB = 2**20
"""Bytes are told in powers of 1024, counts in powers of 1000."""

UNITS = "K, M, G: powers of 1000; KB, MB, GB: of 1024 bytes."


def human(value: float, digits: int = 3, *, even: bool = False) -> str:
    """Three (or `digits`) significant digits and K, M, G, T or P for powers of 1000; `even` keeps
    zeros at the end, so that a column has one precision.

    >>> human(25557032), human(512), human(-0.125), human(4e9), human(4e9, even=True)
    ('25.6M', '512', '-0.125', '4G', '4.00G')
    """
    return _scaled(value, digits, 1000, ("", "K", "M", "G", "T", "P"), even)


def human_bytes(count: float, *, even: bool = False) -> str:
    """Three significant digits and a unit of bytes; 1 KB is 1024 bytes, as in the papers' tables.

    >>> human_bytes(2202010), human_bytes(1000), human_bytes(2202010, even=True)
    ('2.1 MB', '1000 B', '2.10 MB')
    """
    return _scaled(count, 3, 1024, (" B", " KB", " MB", " GB", " TB", " PB"), even)


def _scaled(value: float, digits: int, base: int, units: tuple[str, ...], even: bool) -> str:
    if not is_number(value):
        return str(value)
    size, last = abs(value), len(units) - 1
    power = 0
    while power < last and float(_rounded(size, digits)) >= base:  # 999,999 is 1M, not 1000K
        size, power = size / base, power + 1
    text = _rounded(size, digits, even=even and (power > 0 or isinstance(value, float)))
    return ("-" if value < 0 and float(text) else "") + text + units[power]


def _rounded(size: float, digits: int, *, even: bool = False) -> str:
    if size >= 10 ** (digits - 1):
        return f"{size:.0f}"
    text = f"{size:{'#' if even else ''}.{digits}g}"
    if even:
        return text.rstrip(".")
    return text if "e" in text or "." not in text else text.rstrip("0").rstrip(".")


def exact(value: object) -> str:
    """Every digit, in groups of three; anything but a number as it prints.

    >>> exact(4089184256)
    '4,089,184,256'
    """
    return f"{value:,}" if is_number(value) else str(value)


def is_number(value: object) -> bool:
    """Whether it has digits; the sizes of a plan may be symbols, which print as they are."""
    return isinstance(value, int | float)


def share(part: float, whole: float) -> str:
    """A part in per cent of the whole, one decimal; a dash where there is no whole.

    >>> share(123, 1000), share(0, 0)
    ('12.3%', '-')
    """
    return f"{100 * part / whole:.1f}%" if whole else "-"


def ratio(value: float, first: float) -> str:
    """How many times the first, three significant digits; a dash where the first is nothing.

    >>> ratio(3, 2), ratio(1, 1)
    ('1.50x', '1.00x')
    """
    return f"{human(value / first, even=True)}x" if first else "-"


def counted(count: float, word: str) -> str:
    """So many of what a word names.

    >>> counted(1, "epoch"), counted(0, "trial"), counted(5000, "image")
    ('1 epoch', '0 trials', '5,000 images')
    """
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def duration(seconds: float) -> str:
    """A time in the two largest units that say something.

    >>> duration(65), duration(3725), duration(0.0123), duration(8.25)
    ('1m 05s', '1h 02m', '12 ms', '8.2s')
    """
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60}h {minutes % 60:02}m"
    hours = round(seconds / 3600)
    return f"{hours // 24}d {hours % 24:02}h"
