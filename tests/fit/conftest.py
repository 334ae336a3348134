"""Images on disk, and a cache folder of the tests' own."""

from __future__ import annotations

import pytest

from squares import write_squares


@pytest.fixture
def squares(tmp_path):
    return write_squares(tmp_path / "squares")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
