"""Numbers keep their value, to the digits they show."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.report.numbers import duration, exact, human, human_bytes, ratio, share

POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
SECONDS = {"ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}


def value_of(text, base):
    number, unit = re.fullmatch(r"(-?[\d.]+(?:e-?\d+)?) ?([KMGTP]?)B?", text).groups()
    return float(number) * base ** POWERS[unit]


@given(st.floats(-9e17, 9e17).filter(lambda n: n == 0 or abs(n) > 1e-9))
def test_human_keeps_three_digits(n):
    assert value_of(human(n), 1000) == pytest.approx(n, rel=5.1e-3)


@given(st.integers(0, 10**17))
def test_human_is_short(n):
    assert len(human(n)) <= 5
    assert len(human_bytes(n)) <= 7


@given(st.integers(0, 2**59))
def test_bytes_keep_three_digits(n):
    assert value_of(human_bytes(n), 1024) == pytest.approx(n, rel=5.1e-3)


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_human_keeps_order(a, b):
    low, high = sorted((a, b))
    assert value_of(human(low), 1000) <= value_of(human(high), 1000)


@given(st.integers(-(10**30), 10**30))
def test_exact_keeps_every_digit(n):
    assert int(exact(n).replace(",", "")) == n


@given(st.floats(1e-3, 1e7))
def test_duration_keeps_two_units(seconds):
    parts = re.findall(r"([\d.]+) ?(ms|[smhd])", duration(seconds))
    said = sum(float(number) * SECONDS[unit] for number, unit in parts)
    assert len(parts) <= 2
    assert said == pytest.approx(seconds, rel=0.05, abs=5e-4)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (human(25557032), "25.6M"),
        (human(999_499), "999K"),
        (human(999_500), "1M"),
        (human(999.7), "1K"),
        (human(0), "0"),
        (human(-1e-12), "-1e-12"),
        (human(2e18), "2000P"),
        (human(1000.5, 5), "1.0005K"),
        (human_bytes(1023), "1023 B"),
        (human_bytes(1024**2 - 1), "1 MB"),
        (share(1, 3), "33.3%"),
        (share(1, 0), "-"),
        (ratio(1, 0), "-"),
        (ratio(1814073344, 4089184256), "0.444x"),
        (duration(0), "0 ms"),
        (duration(0.9996), "1.0s"),
        (duration(59.96), "1m 00s"),
        (duration(3599.7), "1h 00m"),
        (duration(86400 * 3 + 7200), "3d 02h"),
        (exact("C*(K + 1)"), "C*(K + 1)"),
    ],
)
def test_edges(text, wanted):
    assert text == wanted
